//! Watch over pictures: what survives a restart, and what a camera shows of the map.

use outpost_detectors::observation::{Blob, Fact, Observation, PictureFacts, SightFault, Track};
use outpost_fences::{FenceSet, geojson};

use super::*;
use crate::nouns::{Shot, SnapshotAsk};

const RULES: &str = r#"
    [[fences]]
    file = "not read here"

    [[cameras]]
    id = "gate"
    url = "rtsp://192.0.2.1/"
    place = [106.0, 29.8]
    zones = [{ id = "z", polygon = [[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]] }]
    lines = [{ id = "l", points = [[0.5, 1.0], [0.5, 0.0]] }]
    ground = [
      { at = [0.1, 0.9], place = [106.00000, 29.80000] },
      { at = [0.9, 0.9], place = [106.00010, 29.80000] },
      { at = [0.7, 0.5], place = [106.00020, 29.80030] },
      { at = [0.3, 0.5], place = [105.99990, 29.80030] },
    ]

    [[rules]]
    id = "counted"
    sources = ["cam:gate"]
    detect = { kind = "counting", line = "l", n = 3, per = "60s" }
    severity = "minor"

    [[rules]]
    id = "stays"
    sources = ["cam:gate"]
    detect = { kind = "inside", fence = "yard", for = "5s" }
    severity = "minor"

    [[rules]]
    id = "crosses"
    sources = ["cam:gate"]
    detect = { kind = "cross", line = [[105.999, 29.80015], [106.001, 29.80015]], buffer_m = 1, clear_hold = "30s" }
    severity = "minor"

    [[rules]]
    id = "dark"
    sources = ["cam:gate"]
    detect = { kind = "sight", fault = "too-dark", hold = "4s", clear_hold = "4s" }
    severity = "minor"
"#;

/// North of 29.8001: what is nearer to the camera than some 10 m is not in it.
const YARD: &str = r#"{ "type": "Feature", "id": "yard", "properties": {}, "geometry": { "type": "Polygon",
    "coordinates": [[[105.99, 29.8001], [106.01, 29.8001], [106.01, 29.81], [105.99, 29.81], [105.99, 29.8001]]] } }"#;

fn watch() -> Watch {
    let config: Config = toml::from_str(RULES).unwrap();
    Watch::new(&config, &FenceSet::new(geojson::parse(YARD).fences)).unwrap()
}

/// One thing with its foot there.
fn picture(at_ms: i64, id: u64, [x, y]: [f32; 2]) -> Observation {
    let blob = Blob { left: x - 0.02, right: x + 0.02, top: y - 0.2, bottom: y, area: 0.006 };
    let track = Track { id, blob, since_ms: 0, still_ms: 0, travelled: 0.0 };
    let facts = PictureFacts {
        picture: at_ms as u64,
        pixels: [640, 360],
        blobs: vec![blob],
        tracks: vec![track],
        ..PictureFacts::default()
    };
    Observation { source: "cam:gate".into(), at_ms, received_ms: at_ms, fact: Fact::Picture(facts) }
}

/// The pictures that show it, the best first.
fn shots(alert: &Alert) -> &[Shot] {
    match &alert.snapshot {
        Some(SnapshotAsk::Camera { shots, .. }) => shots,
        other => panic!("{other:?}"),
    }
}

fn opened(effects: &[Effect]) -> Vec<&Alert> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Open(alert) => Some(&**alert),
            _ => None,
        })
        .collect()
}

fn cleared(effects: &[Effect]) -> Vec<&str> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Clear(cleared) => Some(&*cleared.key.rule),
            _ => None,
        })
        .collect()
}

#[test]
fn what_was_counted_survives_a_crash_after_any_picture() {
    let ways: Vec<(u64, [f32; 2])> =
        (1..=3).flat_map(|id| [(id, [0.4, 0.95]), (id, [0.6, 0.95])]).chain([(9, [0.2, 0.95])]).collect();
    for crash_after in 0..ways.len() {
        let (mut watch, mut effects, mut states) = (watch(), Vec::new(), std::collections::BTreeMap::new());
        let mut n_opened = 0;
        for (number, (id, at)) in ways.iter().enumerate() {
            watch.step(&picture(60_000 + number as i64 * 1000, *id, *at), &mut effects);
            watch.remember(&mut effects);
            n_opened += opened(&effects).iter().filter(|alert| &*alert.key.rule == "counted").count();
            for effect in effects.drain(..) {
                if let Effect::Save(row) = effect {
                    states.insert(row.rule.clone(), row);
                }
            }
            // Between two things: what is followed is followed anew.
            if number == crash_after && number % 2 == 1 {
                watch = self::watch();
                watch.restore(states.values().cloned().collect(), 60_000 + number as i64 * 1000, &mut effects);
            }
        }
        assert_eq!(n_opened, 1, "killed after picture {crash_after}");
    }
}

#[test]
fn a_map_fence_watches_through_a_camera_and_says_where_and_with_which_picture() {
    let (mut watch, mut effects) = (watch(), Vec::new());
    // Away from the camera, over the line, and on in the yard.
    for step in 0..30 {
        let y = 0.9 - 0.4 * (step as f32 / 20.0).min(1.0);
        watch.step(&picture(step * 1000, 1, [0.5, y]), &mut effects);
    }
    let alerts = opened(&effects);
    let rules: Vec<&str> = alerts.iter().map(|alert| &*alert.key.rule).collect();
    assert_eq!(rules, ["crosses", "stays"], "{alerts:?}");
    let crossed = alerts[0];
    assert_eq!(crossed.why.text, "crossed the line from right to left");
    let stays = alerts[1];
    assert_eq!(stays.why.text, "inside yard for 5 s");
    let (lon, lat) = stays.place.point.unwrap();
    assert!((lon - 106.000_05).abs() < 2e-5 && (29.8001..29.8004).contains(&lat), "{lon}, {lat}");
    let [Shot { picture, boxes }] = shots(stays) else { panic!("{:?}", stays.snapshot) };
    assert_eq!((*picture as i64, boxes.len()), (stays.opened_ms, 1));
    assert!(cleared(&effects).is_empty(), "both are on");

    // It goes, and with it what it did.
    for step in 0..60 {
        let nothing = PictureFacts { pixels: [640, 360], ..PictureFacts::default() };
        let at_ms = 30_000 + step * 1000;
        let seen = Observation { source: "cam:gate".into(), at_ms, received_ms: at_ms, fact: Fact::Picture(nothing) };
        watch.step(&seen, &mut effects);
    }
    let mut ended = cleared(&effects);
    ended.sort_unstable();
    assert_eq!(ended, ["crosses", "stays"]);
}

#[test]
fn two_things_before_a_camera_are_two_subjects() {
    let (mut watch, mut effects) = (watch(), Vec::new());
    // Each is in the yard for three seconds, one after the other at the other end.
    for step in 0..4 {
        watch.step(&picture(step * 1000, 1, [0.4, 0.55]), &mut effects);
    }
    for step in 4..8 {
        watch.step(&picture(step * 1000, 2, [0.6, 0.55]), &mut effects);
    }
    assert!(opened(&effects).is_empty(), "nobody was there for five seconds");
}

#[test]
fn a_fault_of_sight_has_to_last_both_ways() {
    let (mut watch, mut effects) = (watch(), Vec::new());
    let dark = |at_s: i64, is_dark: bool| {
        let mut facts = PictureFacts { picture: at_s as u64, ..PictureFacts::default() };
        facts.sight.faults.set(outpost_detectors::observation::SightFault::TooDark, is_dark);
        let at_ms = at_s * 1000;
        Observation { source: "cam:gate".into(), at_ms, received_ms: at_ms, fact: Fact::Picture(facts) }
    };
    for (at_s, is_dark) in
        [(0, false), (1, true), (3, false), (4, true), (8, true), (9, false), (11, true), (12, false), (16, false)]
    {
        watch.step(&dark(at_s, is_dark), &mut effects);
    }
    let alerts = opened(&effects);
    assert_eq!((alerts.len(), alerts[0].since_at_ms, alerts[0].opened_ms), (1, 4_000, 8_000));
    assert_eq!(alerts[0].why.text, "the picture is too dark for 4 s");
    assert_eq!(shots(alerts[0])[0].picture, 8, "with the picture that shows it");
    assert_eq!(cleared(&effects), ["dark"]);
}

fn faulty(source: &str, at_s: i64, fault: SightFault, is_on: bool) -> Observation {
    let mut facts = PictureFacts { picture: at_s as u64, ..PictureFacts::default() };
    facts.sight.faults.set(fault, is_on);
    Observation { source: source.into(), at_ms: at_s * 1000, received_ms: at_s * 1000, fact: Fact::Picture(facts) }
}

#[test]
fn a_camera_that_no_rule_watches_tells_of_each_fault_that_lasts_both_ways_with_its_picture() {
    let config: Config = toml::from_str("[[cameras]]\nid = \"a\"\nurl = \"rtsp://192.0.2.1/\"").unwrap();
    let told = [
        (SightFault::TooDark, Some("camera-too-dark")),
        (SightFault::TooBright, Some("camera-too-bright")),
        (SightFault::Frozen, Some("camera-frozen")),
        (SightFault::TooBlurry, Some("camera-too-blurry")),
        (SightFault::Covered, Some("camera-covered")),
        (SightFault::Moved, Some("camera-moved")),
        (SightFault::SceneChange, None),
    ];
    assert_eq!(told.len(), SightFault::ALL.len());
    for (fault, rule) in told {
        let (mut watch, mut effects) = (Watch::new(&config, &FenceSet::default()).unwrap(), Vec::new());
        // Gone again too soon, then for good; seen again for too short, then for good.
        for (at_s, is_on) in [
            (0, true),
            (9, true),
            (10, false),
            (20, true),
            (28, true),
            (30, true),
            (31, false),
            (40, true),
            (41, false),
        ] {
            watch.step(&faulty("cam:a", at_s, fault, is_on), &mut effects);
        }
        let alerts = opened(&effects);
        assert_eq!(alerts.iter().map(|alert| &*alert.key.rule).collect::<Vec<_>>(), Vec::from_iter(rule));
        let Some(alert) = alerts.first() else { continue };
        assert_eq!((alert.since_at_ms, alert.opened_ms, &*alert.category), (20_000, 30_000, "device/camera"));
        assert_eq!(shots(alert)[0].picture, 30);
        assert_eq!(cleared(&effects), [""; 0], "{fault:?}");
        watch.elapse(50_999, &mut effects);
        assert_eq!(cleared(&effects), [""; 0], "{fault:?}");
        watch.elapse(51_000, &mut effects);
        assert_eq!(cleared(&effects), [rule.unwrap()]);
    }
}

#[test]
fn one_bad_picture_is_no_fault_however_long_the_next_one_takes() {
    let config: Config = toml::from_str("[[cameras]]\nid = \"a\"\nurl = \"rtsp://192.0.2.1/\"").unwrap();
    let (mut watch, mut effects) = (Watch::new(&config, &FenceSet::default()).unwrap(), Vec::new());
    watch.step(&faulty("cam:a", 1, SightFault::Covered, true), &mut effects);
    watch.elapse(50_000, &mut effects);
    watch.step(&faulty("cam:a", 51, SightFault::Covered, false), &mut effects);
    assert!(opened(&effects).is_empty(), "{effects:?}");
    watch.step(&faulty("cam:a", 60, SightFault::Covered, true), &mut effects);
    watch.step(&faulty("cam:a", 80, SightFault::Covered, true), &mut effects);
    assert_eq!(opened(&effects)[0].since_at_ms, 60_000);
}

#[test]
fn what_a_camera_tells_of_by_itself_is_for_the_integrator_to_say() {
    let config: Config = toml::from_str(
        r#"
        cameras = [
          { id = "a", url = "rtsp://192.0.2.1/" },
          { id = "b", url = "rtsp://192.0.2.2/", ailments = ["frozen"] },
          { id = "c", url = "rtsp://192.0.2.3/", ailments = [] },
        ]
        [[rules]]
        id = "hand"
        sources = ["cam:a"]
        detect = { kind = "sight", fault = "covered", hold = "5s" }
        severity = "severe"
        [[rules]]
        id = "camera-moved"
        sources = ["cam:a"]
        detect = { kind = "sight", fault = "too-dark" }
        severity = "minor"
    "#,
    )
    .unwrap();
    let (mut watch, mut effects) = (Watch::new(&config, &FenceSet::default()).unwrap(), Vec::new());
    for (source, fault) in
        ["cam:a", "cam:b", "cam:c"].iter().flat_map(|source| SightFault::ALL.map(|fault| (*source, fault)))
    {
        // Each fault alone, one after the other.
        let from_s = 100 * fault as i64;
        for at_s in [0, 10, 20].map(|s| from_s + s) {
            watch.step(&faulty(source, at_s, fault, true), &mut effects);
        }
    }
    let alerts = opened(&effects);
    let of = |source: &str| -> Vec<&str> {
        alerts.iter().filter(|alert| *alert.key.source == *source).map(|alert| &*alert.key.rule).collect()
    };
    assert_eq!(of("cam:a"), ["camera-moved", "camera-too-bright", "camera-frozen", "camera-too-blurry", "hand"]);
    assert_eq!(of("cam:b"), ["camera-frozen"]);
    assert_eq!(of("cam:c"), [""; 0]);
}

const INTRUSION: &str = r#"
    [[cameras]]
    id = "a"
    url = "rtsp://192.0.2.1/"
    clip = { before = "2s", after = "5s" }
    zones = [{ id = "right", polygon = [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]] }]

    [[rules]]
    id = "visitor"
    sources = ["cam:a"]
    detect = { kind = "intrusion", zone = "right", dwell = "2s" }
    severity = "minor"
"#;

/// Something that stands at `x`, as high as that and half as wide; the picture's number is its tenth of a second.
fn visitor(tenth: i64, x: f32, height: f32) -> Observation {
    let (width, bottom) = (height / 2.0, 0.9);
    let blob = Blob { left: x - width / 2.0, right: x + width / 2.0, top: bottom - height, bottom, area: 0.01 };
    let facts =
        PictureFacts { picture: tenth as u64, pixels: [640, 360], blobs: vec![blob], ..PictureFacts::default() };
    Observation { source: "cam:a".into(), at_ms: tenth * 100, received_ms: tenth * 100, fact: Fact::Picture(facts) }
}

/// Pictures beside the snapshot: number and time.
fn shown(effects: &[Effect]) -> Vec<(u64, i64)> {
    let one = |effect: &Effect| match effect {
        Effect::Show(shown) => match &shown.exhibit.ask {
            Some(SnapshotAsk::Camera { shots, zones }) if zones.len() == 1 => {
                Some((shots[0].picture, shown.exhibit.at_ms))
            }
            other => panic!("{other:?}"),
        },
        _ => None,
    };
    effects.iter().filter_map(one).collect()
}

#[test]
fn the_snapshot_is_of_the_picture_of_the_hold_in_which_the_box_takes_most_of_the_zone() {
    let config: Config = toml::from_str(INTRUSION).unwrap();
    let (mut watch, mut effects) = (Watch::new(&config, &FenceSet::default()).unwrap(), Vec::new());
    // Large before the hold, grows and shrinks in it, and once is larger with its better half beside the zone.
    watch.step(&visitor(0, 0.7, 0.8), &mut effects);
    for tenth in 1..=12 {
        watch.step(&visitor(tenth, 0.2, 0.9), &mut effects);
    }
    for (tenth, x, height) in [(20, 0.8, 0.2), (25, 0.8, 0.4), (30, 0.5, 0.5), (35, 0.8, 0.3), (40, 0.8, 0.2)] {
        watch.step(&visitor(tenth, x, height), &mut effects);
    }
    let alerts = opened(&effects);
    assert_eq!((alerts.len(), alerts[0].since_at_ms, alerts[0].opened_ms), (1, 2_000, 4_000));
    // Where the best is not kept any more, it is the one in which the alert opened.
    assert_eq!(shots(alerts[0]).iter().map(|shot| shot.picture).collect::<Vec<_>>(), [25, 40]);
    let tallest = shots(alerts[0])[0].boxes[0].height();
    assert!((tallest - 0.4).abs() < 1e-6, "{tallest}");
}

#[test]
fn a_picture_that_shows_clearly_more_is_added_once_while_the_alert_is_young() {
    let config: Config = toml::from_str(INTRUSION).unwrap();
    let played = |scene: &[(i64, f32)]| {
        let (mut watch, mut effects) = (Watch::new(&config, &FenceSet::default()).unwrap(), Vec::new());
        for tenth in [0, 10, 20] {
            watch.step(&visitor(tenth, 0.8, 0.2), &mut effects);
        }
        assert_eq!(opened(&effects).len(), 1);
        for (tenth, height) in scene {
            watch.step(&visitor(*tenth, 0.8, *height), &mut effects);
        }
        shown(&effects)
    };
    // Not for a little more; for the largest of what grows, when it has been that for a moment; and not again.
    assert_eq!(played(&[(25, 0.23), (30, 0.3), (33, 0.4), (36, 0.35), (37, 0.3), (50, 0.6), (60, 0.2)]), [(33, 3_300)]);
    // What still grows as its time ends is shown then, and what is larger later is not.
    assert_eq!(played(&[(68, 0.3), (70, 0.4), (71, 0.5), (80, 0.2)]), [(70, 7_000)]);
    assert_eq!(played(&[(25, 0.23), (71, 0.5), (80, 0.2)]), []);
}

#[test]
fn a_rule_about_pictures_keeps_its_hours() {
    let hours = r#"active = { calendar = "c", windows = ["workdays 09:00-17:00"] }"#;
    let text = format!("calendars = [{{ id = \"c\", zone = \"UTC\" }}]\n{INTRUSION}{hours}\n");
    let config: Config = toml::from_str(&text).unwrap();
    let (mut watch, mut effects) = (Watch::new(&config, &FenceSet::default()).unwrap(), Vec::new());
    // 2026-01-05 is a Monday.
    let midnight_ms = 1_767_571_200_000;
    let mut visited = |hours: i64| {
        let from = midnight_ms / 100 + hours * 36_000;
        while watch.elapse_next(from * 100, &mut effects).is_some() {}
        for tenth in [0, 10, 20, 30] {
            watch.step(&visitor(from + tenth, 0.8, 0.4), &mut effects);
        }
        let visitors = |alert: &&&Alert| &*alert.key.rule == "visitor";
        (
            opened(&effects).iter().filter(visitors).count(),
            cleared(&effects).iter().filter(|rule| **rule == "visitor").count(),
        )
    };
    assert_eq!(visited(8), (0, 0), "before its hours");
    assert_eq!(visited(16), (1, 0));
    // Its hours end, and with them what they brought.
    assert_eq!(visited(18), (1, 1));
    assert_eq!(visited(24 * 5 + 12), (1, 1), "on a Saturday");
    assert_eq!(visited(24 * 7 + 12), (2, 1));
}
