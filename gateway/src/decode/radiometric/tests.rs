//! Pictures made here byte by byte, in each of the orders that cameras use. Real ones: `tests/it/thermal.rs`.

use ndarray::array;

use super::*;

const SCENE: Scene = Scene {
    emissivity: 0.9,
    distance_m: 10.0,
    reflected_c: 18.0,
    atmosphere_c: 15.0,
    window_c: 20.0,
    window_transmission: 0.95,
    humidity: 0.6,
};

/// Header, directory and records of a 3x2 picture; each part in the order that is asked for.
fn block(directory_is_big: bool, records_are_big: bool, samples: &[u8]) -> Vec<u8> {
    let u16 = |value: u16, big: bool| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let u32 = |value: u32, big: bool| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let (camera_at, raw_at) = (0x40 + 64, 0x40 + 64 + 0x310);
    let mut out = vec![0; raw_at];
    let put = |out: &mut Vec<u8>, at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    put(&mut out, 0, FFF);
    for (at, value) in [(0x14, 101), (0x18, 0x40), (0x1c, 2)] {
        put(&mut out, at, &u32(value, directory_is_big));
    }
    for (entry, kind, at, length) in [(0x40, 1, raw_at, 32 + samples.len()), (0x60, 0x20, camera_at, 0x310)] {
        put(&mut out, entry, &u16(kind, directory_is_big));
        put(&mut out, entry + 0x0c, &u32(at as u32, directory_is_big));
        put(&mut out, entry + 0x10, &u32(length as u32, directory_is_big));
    }
    put(&mut out, camera_at, &u16(2, records_are_big));
    let floats = [
        (0x20, SCENE.emissivity),
        (0x24, SCENE.distance_m),
        (0x28, 291.15),
        (0x2c, 288.15),
        (0x30, 293.15),
        (0x34, SCENE.window_transmission),
        (0x3c, SCENE.humidity),
        (0x58, 15_848.854),
        (0x5c, 1_414.9),
        (0x60, 1.0),
        (0x70, 0.006569),
        (0x74, 0.01262),
        (0x78, -0.002276),
        (0x7c, -0.00667),
        (0x80, 1.9),
        (0x30c, 0.014_533_112),
    ];
    for (at, value) in floats {
        put(&mut out, camera_at + at, &u32((value as f32).to_bits(), records_are_big));
    }
    put(&mut out, camera_at + 0x308, &u32(-4405_i32 as u32, records_are_big));
    put(&mut out, camera_at + 0xd4, b"Test 3x2");
    let mut raw = vec![0; 32];
    for (at, value) in [(0, 2), (2, 3), (4, 2)] {
        put(&mut raw, at, &u16(value, records_are_big));
    }
    out.extend(raw);
    out.extend_from_slice(samples);
    out
}

const SAMPLES: [u16; 6] = [14_000, 15_000, 16_000, 17_000, 20_000, 30_000];

fn plain(is_big: bool) -> Vec<u8> {
    SAMPLES.iter().flat_map(|sample| if is_big { sample.to_be_bytes() } else { sample.to_le_bytes() }).collect()
}

fn png() -> Vec<u8> {
    let turned: Vec<u16> = SAMPLES.iter().map(|sample| sample.swap_bytes()).collect();
    let picture = image::ImageBuffer::<image::Luma<u16>, _>::from_raw(3, 2, turned).unwrap();
    let mut out = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

/// The block in a JPEG, in segments of at most `most` bytes.
fn jpeg(block: &[u8], most: usize) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, b'J', b'F'];
    let n = block.chunks(most).len();
    for (i, chunk) in block.chunks(most).enumerate() {
        out.extend([0xff, 0xe1]);
        out.extend((chunk.len() as u16 + 10).to_be_bytes());
        out.extend(b"FLIR\0\x01");
        out.extend([i as u8, n as u8 - 1]);
        out.extend_from_slice(chunk);
    }
    out.extend([0xff, 0xda]);
    out
}

#[test]
fn every_byte_order_and_packing_gives_the_same_picture() {
    let expected = array![[14_000, 15_000, 16_000], [17_000, 20_000, 30_000]];
    for (directory_is_big, records_are_big) in [(true, true), (true, false), (false, true), (false, false)] {
        for samples in [plain(records_are_big), png()] {
            let block = block(directory_is_big, records_are_big, &samples);
            for bytes in [block.clone(), jpeg(&block, 60_000), jpeg(&block, 100)] {
                let read = Radiometric::read(&bytes).unwrap();
                assert_eq!((&read.samples, read.model.as_str()), (&expected, "Test 3x2"));
                assert!((read.scene.reflected_c - SCENE.reflected_c).abs() < 1e-4);
                assert_eq!(read.calibration.o, -4405.0);
            }
        }
    }
}

/// What goes in comes out: a black body's sample, damped and covered as the scene says, is read as its temperature.
#[test]
fn the_scene_is_taken_out_again() {
    let camera = Radiometric::read(&block(true, true, &plain(true))).unwrap().calibration;
    let black = |celsius: f64| camera.r1 / (camera.r2 * ((camera.b / (celsius + 273.15)).exp() - camera.f)) - camera.o;
    let near = Scene { emissivity: 1.0, distance_m: 0.0, window_transmission: 1.0, ..SCENE };
    let grey = Scene { emissivity: 0.8, ..near };
    for object_c in [-10.0, 25.0, 90.0, 200.0] {
        let seen = black(object_c).round() as u16;
        let read = |sample: u16, scene: &Scene| planck::celsius(&array![[sample]], &camera, scene)[[0, 0]];
        assert!((f64::from(read(seen, &near)) - object_c).abs() < 0.05, "{object_c}: {}", read(seen, &near));
        let mixed = 0.8 * black(object_c) + 0.2 * black(grey.reflected_c);
        assert!((f64::from(read(mixed.round() as u16, &grey)) - object_c).abs() < 0.05);
    }
}

#[test]
fn a_sample_without_a_temperature_is_no_number() {
    let read = Radiometric::read(&block(true, true, &[0; 12])).unwrap();
    assert!(read.celsius(&read.scene).iter().all(|pixel| pixel.is_nan()));
}

#[test]
fn frames_of_a_sequence_are_read_one_after_the_other() {
    let one = block(false, false, &plain(false));
    let mut sequence = [one.clone(), vec![0; 7], one.clone(), one.clone()].concat();
    let read: Vec<_> = frames(&sequence).unwrap().collect();
    assert!(read.iter().all(Result::is_ok) && read.len() == 3);
    sequence.truncate(sequence.len() - 1);
    let read: Vec<_> = frames(&sequence).unwrap().collect();
    let Some(Err(RadiometricError::Broken { at, what })) = read.last() else { panic!("{read:?}") };
    assert_eq!((*at, read.len()), (sequence.len(), 3));
    assert!(what.contains("cut short"), "{what}");
}

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    let told = Radiometric::read(bytes).unwrap_err().to_string();
    assert!(told.contains(expected), "{told}");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let good = block(true, true, &plain(true));
    let changed = |at: usize, bytes: &[u8]| {
        let mut block = good.clone();
        block[at..at + bytes.len()].copy_from_slice(bytes);
        block
    };
    refused(b"GIF89a", "neither a JPEG nor");
    refused(&jpeg(&[], 10), "no FLIR segment");
    refused(&good[..50], "byte 0: no FFF header");
    refused(&changed(0x14, &[0, 0, 9, 9]), "byte 20: a version");
    refused(&changed(0x1c, &[0xff; 4]), "byte 28: 4294967295 records");
    refused(&changed(0x18, &[0xff; 4]), "the directory of 64 bytes");
    refused(&changed(0x40, &[0, 9]), "no record of raw samples");
    refused(&changed(0x60, &[0, 9]), "no record of the camera");
    refused(&changed(0x40 + 0x0c, &[0xff; 4]), "a record of 44 bytes");
    refused(&changed(0x80 + 0x20, &2.0_f32.to_be_bytes()), "emissivity 2 is not");
    refused(&changed(0x80 + 0x3c, &f32::NAN.to_be_bytes()), "relative humidity NaN");
    refused(&changed(0x80 + 0x30c, &[0; 4]), "Planck constants");
    refused(&changed(0x80 + 0x310 + 2, &[0xff, 0xff]), "65535x2 pixels");
    refused(&block(true, true, &plain(true)[..8]), "expected 12 bytes for 3x2 pixels, found 8");
    let mut small = png();
    small[19] = 2;
    refused(&block(true, true, &small), "PNG");
    let jpeg = jpeg(&good, 100);
    refused(&jpeg[..jpeg.len() - 300], "the JPEG ends in a segment");
    let mut out_of_order = jpeg.clone();
    out_of_order[8 + 4 + 6] = 3;
    refused(&out_of_order, "FLIR segment 3 of 9 where 0 is due");
    let dji = [&[0xff, 0xd8][..], &[&[0xff, 0xe3, 0xff, 0xff][..], &[7; 0xfffd]].concat().repeat(3)].concat();
    refused(&dji, "DJI");
}
