//! Claims about clips, judged by another program: ffprobe and ffmpeg of the system read them.

use std::process::Command;

use super::*;
use crate::video::decoder::Guarded;
use crate::video::decoder::tests::units;

fn film(name: &str, shown: impl Fn(i64) -> i64) -> Film {
    let shot = |(at, (data, key)): (usize, (Bytes, bool))| {
        let at = at as i64;
        Shot { data, key, received_ms: 1_790_000_000_000 + at * 66, media_ms: Some(shown(at)) }
    };
    let shots = units(name).into_iter().enumerate().map(shot).collect();
    Film { codec: if name.ends_with("h265") { Codec::H265 } else { Codec::H264 }, shots }
}

/// What ffprobe says of the packets, in the order of decoding; it must have no complaint.
#[expect(clippy::disallowed_methods, reason = "the judge is another program")]
fn probe(film: &Film) -> (String, Vec<(i64, i64, bool)>) {
    let file = tempfile::NamedTempFile::with_suffix(".mp4").unwrap();
    std::fs::write(file.path(), film.to_mp4().unwrap()).unwrap();
    let said = Command::new("ffprobe")
        .args(["-v", "warning", "-show_entries", "stream=codec_name,width,height:format=duration:packet=pts,dts,flags"])
        .args(["-of", "compact=nk=1:p=0"])
        .arg(file.path())
        .output()
        .expect("ffprobe is installed (make packages-test)");
    assert_eq!(String::from_utf8_lossy(&said.stderr), "");
    let text = String::from_utf8(said.stdout).unwrap();
    let mut head = Vec::new();
    let mut packets = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        match (fields[0].parse(), fields.get(1).map(|field| field.parse())) {
            (Ok(pts), Some(Ok(dts))) => packets.push((pts, dts, fields[2].starts_with('K'))),
            _ => head.push(line.to_owned()),
        }
    }
    // Every picture is there for a decoder, too.
    let decoded = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "warning", "-i"])
        .arg(file.path())
        .args(["-f", "framemd5", "-fps_mode", "passthrough", "-"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&decoded.stderr), "");
    let n_decoded = String::from_utf8(decoded.stdout).unwrap().lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(n_decoded, film.shots.len());
    (head.join(" "), packets)
}

#[test]
fn h264_is_read_without_a_warning_and_keeps_its_times() {
    let film = film("visitors.h264", |at| 7_000 + at * 66);
    let film = Film { shots: film.shots[..200].to_vec(), ..film };
    let (head, packets) = probe(&film);
    assert!(head.starts_with("h264|640|360"), "{head}");
    assert!(head.contains("13.2"), "{head}");
    let times: Vec<(i64, i64)> = packets.iter().map(|(pts, dts, _)| (*pts, *dts)).collect();
    assert_eq!(times, (0..200).map(|at| (at * 66, at * 66)).collect::<Vec<_>>());
    let keys: Vec<bool> = film.shots.iter().map(|shot| shot.key).collect();
    assert_eq!(packets.iter().map(|(_, _, key)| *key).collect::<Vec<_>>(), keys);
    assert!(keys.iter().filter(|key| **key).count() > 1, "several fragments");
}

#[test]
fn h265_is_read_without_a_warning() {
    let film = film("main.h265", |at| at * 66);
    let (head, packets) = probe(&film);
    assert!(head.starts_with("hevc|"), "{head}");
    assert_eq!(packets.len(), film.shots.len());
}

/// By a decoder that tells of each unit when it is shown: libavcodec holds some back.
#[test]
#[cfg_attr(feature = "ffmpeg", ignore = "the order is learned from a decoder that does not wait")]
fn pictures_with_b_frames_are_shown_in_their_own_order() {
    // Order of display by the coded order of the clip: what its own container would say.
    let order = film("bframes.h264", |at| at);
    let display = display_order(&order);
    let film = Film {
        shots: order
            .shots
            .iter()
            .zip(&display)
            .map(|(shot, at)| Shot { media_ms: Some(at * 66), ..shot.clone() })
            .collect(),
        ..order
    };
    assert!(display.windows(2).any(|pair| pair[1] < pair[0]), "the clip has B-frames");
    let (_, packets) = probe(&film);
    // ffmpeg moves all of them where the first is to be shown before it is decoded.
    let first = packets.iter().map(|(pts, _, _)| *pts).min().unwrap();
    assert_eq!(
        packets.iter().map(|(pts, _, _)| *pts - first).collect::<Vec<_>>(),
        display.iter().map(|at| at * 66).collect::<Vec<_>>()
    );
    assert!(packets.windows(2).all(|pair| pair[1].1 > pair[0].1), "decoding goes on: {packets:?}");
}

/// Of each unit, which picture of the clip it is when shown, by our own decoder: orders begin anew with each key frame.
fn display_order(film: &Film) -> Vec<i64> {
    let mut decoder = Guarded::new(film.codec);
    let mut group = 0;
    let order = |shot: &Shot| {
        group += i32::from(shot.key);
        (group, decoder.decode(&shot.data).unwrap().expect("each holds a picture").display_order)
    };
    let orders: Vec<(i32, i32)> = film.shots.iter().map(order).collect();
    let mut sorted = orders.clone();
    sorted.sort_unstable();
    orders.iter().map(|order| sorted.iter().position(|other| other == order).unwrap() as i64).collect()
}

#[test]
fn a_clock_that_jumps_is_not_believed() {
    let film = film("main.h264", |at| if at < 5 { at * 66 } else { at * 66 + 3_600_000 });
    let timings = timings(&film.shots);
    assert!(timings.iter().enumerate().all(|(at, timing)| timing.decode_ms == at as i64 * 66), "{timings:?}");
    assert!(timings.iter().all(|timing| timing.offset_ms == 0));
}

#[test]
fn what_is_no_film_is_refused() {
    let bare = |codec, data: &'static [u8], key| Film {
        codec,
        shots: vec![Shot { data: Bytes::from_static(data), key, received_ms: 0, media_ms: None }],
    };
    for (film, hint) in [
        (Film { codec: Codec::H264, shots: Vec::new() }, "no picture"),
        (bare(Codec::H264, b"\0\0\x01\x65\x80", false), "no picture"),
        (bare(Codec::H264, b"\0\0\x01\x65\x80", true), "parameter sets"),
        (bare(Codec::H265, b"\0\0\x01\x40\x01\xff\0\0\x01\x42\x01\xff", true), "parameter sets"),
        (bare(Codec::Mjpeg, b"\xff\xd8", true), "MJPEG"),
    ] {
        let error = film.to_mp4().unwrap_err().to_string();
        assert!(error.contains(hint), "{error}");
    }
}

/// Changed streams make a clip or none, and never one that is much larger than what came. `make fuzz` goes on for longer.
#[test]
fn changed_streams_hurt_nobody() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (seconds, mut seed) = (number("FUZZ_SECONDS", 1), number("FUZZ_SEED", 1));
    let films = [film("main.h264", |at| at * 66), film("bframes.h264", |at| at * 66), film("main.h265", |at| at * 66)];
    let until = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    let mut n_made = 0;
    while std::time::Instant::now() < until {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |n: usize| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_f491_4f6c_dd1d) % n.max(1) as u64) as usize
        };
        let mut film = films[below(films.len())].clone();
        for _ in 0..1 + below(6) {
            let at = below(film.shots.len());
            let shot = &mut film.shots[at];
            let mut data = shot.data.to_vec();
            // Most of what is read stands at the beginning.
            let reach = if below(2) == 0 { data.len() } else { data.len().min(80) };
            let place = below(reach);
            match below(5) {
                0 => data[place] ^= 1 << below(8),
                1 => data.truncate(place + 1),
                2 => drop(data.splice(place..place, [0, 0, 1, [0x67, 0x68, 0x09, 0x42, 0x44][below(5)]])),
                3 => shot.media_ms = [None, Some(0), Some(i64::MAX), Some(i64::MIN)][below(4)],
                _ => shot.received_ms = [0, i64::MAX, i64::MIN, 1_790_000_000_000][below(4)],
            }
            shot.data = data.into();
        }
        let n_bytes: usize = film.shots.iter().map(|shot| shot.data.len() + 64).sum();
        let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| film.to_mp4()));
        let made = made.unwrap_or_else(|_| panic!("FUZZ_SEED={seed}"));
        // A start code has three bytes at the least, a length four.
        assert!(made.as_ref().is_ok_and(|file| file.len() <= n_bytes * 2 + 2_048) || made.is_err(), "FUZZ_SEED={seed}");
        n_made += usize::from(made.is_ok());
        seed += 1;
    }
    assert!(n_made > 0);
    println!("clips to seed {seed}, {n_made} made");
}

/// As ffmpeg copies Annex B into MP4: the sets are in the file's head, and in its pictures once more.
#[test]
fn parameter_sets_that_come_twice_are_taken_once() {
    let mut film = film("visitors.h264", |at| 7_000 + at * 66);
    film.shots.truncate(30);
    let plain = film.to_mp4().unwrap();
    let sets: Vec<u8> = nals::parameter_sets(Codec::H264, &film.shots[0].data)
        .flat_map(|set| [0, 0, 0, 1].into_iter().chain(set.iter().copied()))
        .collect();
    assert!(!sets.is_empty());
    film.shots[0].data = [&sets[..], &film.shots[0].data].concat().into();
    assert_eq!(film.to_mp4().unwrap(), plain);
}
