//! Claims about every backend: luma as ffmpeg decodes it, and no input that hurts.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::*;
use crate::video::frame::Colour;

fn fixture(name: &str) -> Bytes {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/video").join(name);
    Bytes::from(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn codec_of(name: &str) -> Codec {
    match name.rsplit('.').next() {
        Some("h264") => Codec::H264,
        Some("h265") => Codec::H265,
        _ => Codec::Mjpeg,
    }
}

/// Start of each NAL unit, counted from its start code's zeros.
fn nal_starts(stream: &[u8]) -> Vec<usize> {
    let found = stream.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(i, _)| i);
    found.map(|i| if i > 0 && stream[i - 1] == 0 { i - 1 } else { i }).collect()
}

/// Cuts a raw stream into access units, as a depacketizer would deliver them; true for key frames.
pub(in crate::video) fn units(name: &str) -> Vec<(Bytes, bool)> {
    let stream = fixture(name);
    let codec = codec_of(name);
    if codec == Codec::Mjpeg {
        let starts: Vec<usize> = (0..stream.len() - 2).filter(|&i| stream[i..i + 3] == [0xff, 0xd8, 0xff]).collect();
        let ends = starts.iter().skip(1).copied().chain([stream.len()]);
        return starts.iter().zip(ends).map(|(&from, to)| (stream.slice(from..to), true)).collect();
    }
    let (mut units, mut from, mut seen_slice, mut key) = (Vec::new(), 0, false, false);
    for at in nal_starts(&stream) {
        let head = at + stream[at..].iter().position(|b| *b == 1).unwrap() + 1;
        let (slice, first, is_key) = match codec {
            Codec::H264 => {
                let kind = stream[head] & 31;
                ((1..=5).contains(&kind), stream[head + 1] & 0x80 != 0, kind == 5)
            }
            _ => {
                let kind = stream[head] >> 1 & 63;
                (kind < 32, stream[head + 2] & 0x80 != 0, (16..24).contains(&kind))
            }
        };
        if seen_slice && (!slice || first) {
            units.push((stream.slice(from..at), key));
            (from, seen_slice, key) = (at, false, false);
        }
        seen_slice |= slice;
        key |= is_key && slice;
    }
    units.push((stream.slice(from..), key));
    units
}

/// Decodes everything; pictures in display order.
fn decode_all(name: &str) -> Vec<Frame> {
    let mut decoder = Guarded::new(codec_of(name));
    let (mut shown, mut group) = (Vec::new(), Vec::new());
    for (unit, key) in units(name) {
        if key {
            group.sort_by_key(|frame: &Frame| frame.display_order);
            shown.append(&mut group);
        }
        group.extend(decoder.decode(&unit).unwrap_or_else(|error| panic!("{name}: {error}")));
    }
    group.extend(decoder.backend.finish());
    group.sort_by_key(|frame: &Frame| frame.display_order);
    shown.append(&mut group);
    shown
}

#[test]
fn decoders_give_the_luma_that_ffmpeg_gives() {
    let sums = String::from_utf8(fixture("luma.sha256").to_vec()).unwrap();
    for line in sums.lines() {
        let (want, name) = line.split_once("  ").unwrap();
        let mut hash = Sha256::new();
        let frames = decode_all(name);
        frames.iter().for_each(|frame| hash.update(&frame.luma));
        let got: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(got, want, "{name}, {} frames", frames.len());
        assert!(frames.iter().all(|frame| matches!(frame.colour, Colour::Quarter { .. })), "{name} has no colour");
    }
}

#[test]
fn mjpeg_pictures_show_what_the_h264_of_the_same_scene_shows() {
    // Two JPEG decoders may round differently, so the yardstick is the other codec's picture of the same second.
    let (jpegs, others) = (decode_all("main.mjpeg"), decode_all("main.h264"));
    assert_eq!(jpegs.len(), 10);
    for (jpeg, other) in jpegs.iter().zip(&others) {
        assert_eq!((jpeg.width, jpeg.height, jpeg.full_range), (320, 180, true));
        let apart: u64 = jpeg
            .luma
            .iter()
            .zip(&other.luma)
            .map(|(a, b)| {
                let full = (i32::from(*b) - 16) * 255 / 219;
                u64::from((i32::from(*a) - full).unsigned_abs())
            })
            .sum();
        let mean = apart as f64 / jpeg.luma.len() as f64;
        assert!(mean < 8.0, "pictures differ by {mean} levels");
    }
}

#[test]
fn key_frames_alone_decode_without_the_frames_between() {
    for name in ["main.h264", "bframes.h264", "mbaff.h264", "main.h265"] {
        if cfg!(feature = "ffmpeg") && name == "bframes.h264" {
            // It waits for the frames that could be shown before.
            continue;
        }
        let mut decoder = Guarded::new(codec_of(name));
        let all = decode_all(name);
        for (unit, _) in units(name).into_iter().filter(|(_, key)| *key) {
            let frame = decoder.decode(&unit).unwrap().unwrap_or_else(|| panic!("{name}: key frame gave no picture"));
            assert!(all.iter().any(|other| other.luma == frame.luma), "{name}: key frame differs when alone");
        }
    }
}

#[test]
fn damaged_units_cost_a_picture_and_never_a_panic_that_escapes() {
    for name in ["main.h264", "bframes.h264", "mbaff.h264", "main.h265", "main.mjpeg"] {
        let mut decoder = Guarded::new(codec_of(name));
        let units = units(name);
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        for round in 0..6 {
            for (unit, _) in &units {
                let mut bytes = unit.to_vec();
                for _ in 0..=round {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let at = random as usize % bytes.len();
                    bytes[at] ^= (random >> 40) as u8 | 1;
                }
                bytes.truncate(bytes.len() - round * bytes.len() / 9);
                let _ = decoder.decode(&Bytes::from(bytes));
            }
        }
        let frame = units.iter().filter(|(_, key)| *key).find_map(|(unit, _)| decoder.decode(unit).ok().flatten());
        assert!(frame.is_some(), "{name}: no picture after the damage");
    }
}

#[test]
fn garbage_is_an_error_or_nothing() {
    for codec in [Codec::H264, Codec::H265, Codec::Mjpeg] {
        let mut decoder = Guarded::new(codec);
        for garbage in [&b""[..], b"\0", b"\0\0\0\x01", b"\0\0\x01\x67", b"\xff\xd8\xff", b"RTSP/1.0 200 OK\r\n\r\n"] {
            if let Ok(Some(frame)) = decoder.decode(&Bytes::copy_from_slice(garbage)) {
                panic!("{codec:?} made a picture of {}x{} out of {garbage:?}", frame.width, frame.height);
            }
        }
    }
}

/// H.264, baseline, level 5.1, 16 reference frames, 65,536 x 65,536 pixels.
fn huge_h264() -> Bytes {
    let mut bits = String::from("1 1 1 011 000010001").replace(' ', "");
    let huge = format!("{:012}1000000000000", 0);
    bits += "0";
    bits += &huge;
    bits += &huge;
    bits += "1 0 0 0 1".replace(' ', "").as_str();
    while bits.len() % 8 != 0 {
        bits.push('0');
    }
    let body = bits.as_bytes().chunks(8).map(|byte| byte.iter().fold(0, |n, b| n << 1 | (b - b'0')));
    let mut unit = vec![0, 0, 0, 1, 0x67, 66, 0, 51];
    unit.extend(body);
    let key = units("main.h264").remove(0).0;
    let slice = nal_starts(&key).pop().unwrap();
    unit.extend_from_slice(&key[slice..]);
    Bytes::from(unit)
}

/// A black picture of 8,192 x 4,096 by x265, or its beginning: twice the pixels that are decoded here, and fewer than the
/// backend decodes unless it is told otherwise.
const HUGE_H265: &[u8] = &[
    0x00, 0x00, 0x00, 0x01, 0x40, 0x01, 0x0c, 0x01, 0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00,
    0x03, 0x00, 0x00, 0x03, 0x00, 0xb4, 0x95, 0x94, 0x09, 0x00, 0x00, 0x00, 0x01, 0x42, 0x01, 0x01, 0x01, 0x60, 0x00,
    0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0xb4, 0xa0, 0x00, 0x40, 0x02, 0x00, 0x10, 0x01,
    0x65, 0x95, 0x95, 0x29, 0x30, 0xbc, 0x05, 0xa0, 0x20, 0x00, 0x00, 0x03, 0x00, 0x20, 0x00, 0x00, 0x03, 0x00, 0x21,
    0x00, 0x00, 0x00, 0x01, 0x44, 0x01, 0xc0, 0x73, 0xc1, 0x89, 0x00, 0x00, 0x01, 0x28, 0x01, 0xac, 0x4c, 0x04, 0x01,
    0xe4, 0xc4, 0x85, 0x0a, 0x0c, 0x07, 0xef, 0x9f, 0x3d, 0x78, 0xed, 0xdb, 0xb7, 0x6e, 0x9d, 0x39, 0x72, 0xe5, 0xcb,
    0x97, 0x2e, 0x5c, 0xb8, 0x70, 0xe1, 0xc3, 0x87, 0x0e, 0x1c, 0x38, 0x70, 0xe1, 0xc3, 0x87,
];

/// A JPEG that says it has 16,000 x 16,000 pixels, which its backend would believe.
fn huge_mjpeg() -> Bytes {
    let mut jpeg = units("main.mjpeg").remove(0).0.to_vec();
    let frame = jpeg.windows(3).position(|w| w == [0xff, 0xc0, 0x00]).unwrap();
    // Behind the marker: length, precision, height, width (ITU-T T.81, B.2.2).
    let size = 16_000u16.to_be_bytes();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[size, size].concat());
    Bytes::from(jpeg)
}

#[test]
fn a_picture_that_would_take_gigabytes_is_refused_before_it_takes_any() {
    for (codec, unit) in
        [(Codec::H264, huge_h264()), (Codec::H265, Bytes::from_static(HUGE_H265)), (Codec::Mjpeg, huge_mjpeg())]
    {
        let mut decoder = Guarded::new(codec);
        let mut outcome = Ok(None);
        let counted = allocation_counter::measure(|| outcome = decoder.decode(&unit));
        // libavcodec has a limit of its own and says only that the data are invalid.
        let limited = match &outcome {
            Err(DecodeError::Shape(_)) => true,
            Err(DecodeError::Stream(text)) => text.contains("limit") || cfg!(feature = "ffmpeg"),
            _ => false,
        };
        assert!(limited, "{codec:?}: {outcome:?}");
        assert!(counted.bytes_max < 1 << 20, "{codec:?}: {} bytes", counted.bytes_max);
    }
}

#[test]
fn the_largest_picture_that_cameras_send_is_within_the_limits() {
    let mut decoder = Guarded::new(Codec::H265);
    let frame = decoder.decode(&units("largest.h265").remove(0).0).unwrap().or_else(|| decoder.finish()).unwrap();
    assert_eq!((frame.width, frame.height), (3_840, 2_160));
    assert!(frame.luma.iter().all(|sample| *sample == 16), "black");
}

/// A backend that panics on its first unit.
struct Fragile;

impl Decoder for Fragile {
    fn decode(&mut self, _: &Bytes) -> Result<Option<Frame>, DecodeError> {
        panic!("as a backend with a bug would")
    }
}

#[test]
fn a_panic_costs_one_picture() {
    let mut decoder = Guarded { codec: Codec::H264, backend: Box::new(Fragile) };
    let (key, _) = units("main.h264").remove(0);
    assert!(matches!(decoder.decode(&key), Err(DecodeError::Panic)));
    assert!(decoder.decode(&key).unwrap().is_some());
}
