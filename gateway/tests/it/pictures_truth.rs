//! Rules about pictures against what a person saw in the recording: six visitors of a hall, one after another.

use std::sync::Arc;

use bytes::Bytes;
use outpost::config::Config;
use outpost::pipeline::watch::{Effect, Watch};
use outpost::video::decoder::{Codec, Guarded};
use outpost_detectors::background::{MotionConfig, Scratch};
use outpost_detectors::lookout::Lookout;
use outpost_detectors::luma::Luma;
use outpost_detectors::observation::{Fact, Observation, PictureFacts};
use outpost_fences::FenceSet;

use crate::support_rtsp::fixture;

/// When a part of a visitor is on the floor, in seconds; read off the frames, to half a second. Shadows stay half a
/// second longer, and alerts clear half a second after that.
const VISITS_S: [(f64, f64); 6] =
    [(6.0, 19.8), (22.7, 45.0), (50.2, 70.2), (74.4, 87.1), (92.1, 120.1), (123.4, 136.1)];
const TOLERANCE_S: f64 = 1.5;
const FRAME_MS: i64 = 100;

const RULES: &str = r#"
[[cameras]]
id = "hall"
url = "rtsp://192.0.2.1/"
zones = [
  { id = "floor", polygon = [[0.0, 0.58], [1.0, 0.58], [1.0, 1.0], [0.0, 1.0]] },
  { id = "all", polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]] },
]
lines = [{ id = "exit", points = [[0.72, 1.0], [0.72, 0.2]] }]

[[rules]]
id = "intrusion"
sources = ["cam:hall"]
detect = { kind = "intrusion", zone = "floor", clear_hold = "500ms", things = { overlap = 0.01, min_area = 0.005 } }
severity = "minor"

[[rules]]
id = "loitering"
sources = ["cam:hall"]
detect = { kind = "loitering", zone = "floor", for = "10s", clear_hold = "1s", things = { overlap = 0.01, min_area = 0.005 } }
severity = "minor"

[[rules]]
id = "leaves"
sources = ["cam:hall"]
detect = { kind = "line-crossing", line = "exit", direction = "left-to-right", clear_hold = "1s" }
severity = "minor"

[[rules]]
id = "six"
sources = ["cam:hall"]
detect = { kind = "counting", line = "exit", direction = "left-to-right", n = 6, per = "4m" }
severity = "minor"

[[rules]]
id = "seven"
sources = ["cam:hall"]
detect = { kind = "counting", line = "exit", direction = "left-to-right", n = 7, per = "4m" }
severity = "minor"

[[rules]]
id = "left"
sources = ["cam:hall"]
detect = { kind = "object-left", zone = "all", for = "10s" }
severity = "minor"
"#;

/// The access units of a raw H.264 stream: each begins with what comes after a picture's last slice.
fn units(stream: &Bytes) -> Vec<Bytes> {
    let starts: Vec<usize> = (0..stream.len() - 4).filter(|at| stream[*at..*at + 3] == [0, 0, 1]).collect();
    let (mut cuts, mut has_slice) = (vec![0], false);
    for at in starts {
        let is_slice = matches!(stream[at + 3] & 0x1f, 1 | 5);
        let is_first = is_slice && stream[at + 4] & 0x80 != 0;
        if has_slice && (!is_slice || is_first) {
            cuts.push(if stream[at - 1] == 0 { at - 1 } else { at });
            has_slice = false;
        }
        has_slice |= is_slice;
    }
    cuts.push(stream.len());
    cuts.windows(2).map(|cut| stream.slice(cut[0]..cut[1])).collect()
}

/// What the lookout says of each frame.
fn seen() -> Vec<PictureFacts> {
    let stream = Bytes::from(std::fs::read(fixture("visitors.h264")).unwrap());
    let mut scratch = Scratch::default();
    let (mut decoder, mut lookout) = (Guarded::new(Codec::H264), Lookout::new(MotionConfig::default(), Vec::new()));
    let mut all = Vec::new();
    for unit in units(&stream) {
        let frame = decoder.decode(&unit).unwrap().expect("each unit is a picture");
        let luma = Luma { width: frame.width, height: frame.height, stride: frame.width, pixels: &frame.luma };
        let picture = all.len() as u64;
        all.push(PictureFacts { picture, ..lookout.look(&luma, picture as i64 * FRAME_MS, &mut scratch) });
    }
    all
}

/// When a rule's alerts open and clear, in seconds.
fn alerts(effects: &[(i64, Effect)], rule: &str) -> Vec<(f64, f64)> {
    let mut found: Vec<(f64, f64)> = Vec::new();
    for (at_ms, effect) in effects {
        let at_s = *at_ms as f64 / 1000.0;
        match effect {
            Effect::Open(alert) if &*alert.key.rule == rule => found.push((at_s, f64::INFINITY)),
            Effect::Clear(cleared) if &*cleared.key.rule == rule => found.last_mut().unwrap().1 = at_s,
            _ => {}
        }
    }
    found
}

#[test]
fn six_visitors_are_six_tracks_alerts_and_crossings_and_no_fault() {
    let all = seen();
    assert_eq!(all.len(), 1394);
    let faults = all.iter().find(|facts| facts.sight.faults != Default::default());
    assert!(faults.is_none(), "{faults:?}");

    // Who is followed for longer than a flicker of shadows.
    let mut followed: std::collections::BTreeMap<u64, (i64, i64)> = Default::default();
    for (number, track) in
        all.iter().enumerate().flat_map(|(number, facts)| facts.tracks.iter().map(move |t| (number, t)))
    {
        followed.entry(track.id).or_insert((track.since_ms, 0)).1 = number as i64 * FRAME_MS;
    }
    let long: Vec<(f64, f64)> = followed
        .values()
        .filter(|(since_ms, last_ms)| last_ms - since_ms > 3_000)
        .map(|(since_ms, last_ms)| (*since_ms as f64 / 1000.0, *last_ms as f64 / 1000.0))
        .collect();
    let agree = |found: &[(f64, f64)]| {
        found.len() == VISITS_S.len()
            && found.iter().zip(VISITS_S).all(|(found, visit)| {
                (found.0 - visit.0).abs() < TOLERANCE_S && (found.1 - visit.1).abs() < TOLERANCE_S
            })
    };
    assert!(agree(&long), "tracks {long:?}");

    let config: Config = toml::from_str(RULES).unwrap();
    let mut watch = Watch::new(&config, &FenceSet::new(Vec::new())).unwrap();
    let (mut effects, mut told) = (Vec::new(), Vec::new());
    for (number, facts) in all.into_iter().enumerate() {
        let at_ms = number as i64 * FRAME_MS;
        while let Some(due_ms) = watch.elapse_next(at_ms, &mut effects) {
            told.extend(effects.drain(..).map(|effect| (due_ms, effect)));
        }
        let seen = Observation { source: Arc::from("cam:hall"), at_ms, received_ms: at_ms, fact: Fact::Picture(facts) };
        watch.step(&seen, &mut effects);
        told.extend(effects.drain(..).map(|effect| (at_ms, effect)));
    }
    let intrusions = alerts(&told, "intrusion");
    assert!(agree(&intrusions), "intrusions {intrusions:?}");
    // Each stays for ten seconds and more, and is told ten seconds after coming.
    let loitering = alerts(&told, "loitering");
    assert_eq!(loitering.len(), 6, "{loitering:?}");
    for (alert, visit) in loitering.iter().zip(VISITS_S) {
        assert!((alert.0 - visit.0 - 10.0).abs() < TOLERANCE_S, "{loitering:?}");
    }
    // All go out to the right, in the last seconds of the visit.
    let crossings = alerts(&told, "leaves");
    assert_eq!(crossings.len(), 6, "{crossings:?}");
    for (crossing, visit) in crossings.iter().zip(VISITS_S) {
        assert!((visit.1 - 3.0..visit.1 + TOLERANCE_S).contains(&crossing.0), "{crossings:?}");
    }
    assert_eq!((alerts(&told, "six").len(), alerts(&told, "seven").len()), (1, 0));
    assert_eq!(alerts(&told, "left"), [], "who stands at a table was not set down");
}
