//! What a lookout tells of painted pictures: tracks, what was left and taken away, masks, and how well it sees.

use outpost_detectors::background::{ABSORB_MS, MotionConfig, Scratch};
use outpost_detectors::health::ACCEPT_MS;
use outpost_detectors::lookout::Lookout;
use outpost_detectors::luma::Luma;
use outpost_detectors::observation::{PictureFacts, SightFault};
use proptest::prelude::*;

use crate::courtyard::{Courtyard, HEIGHT, WIDTH};

mod courtyard;

/// A camera, and the time.
struct Camera {
    yard: Courtyard,
    lookout: Lookout,
    at_ms: i64,
}

impl Camera {
    fn with_masks(masks: Vec<Vec<[f32; 2]>>) -> Camera {
        Camera::before(Courtyard::new(), masks)
    }

    fn before(yard: Courtyard, masks: Vec<Vec<[f32; 2]>>) -> Camera {
        let lookout = Lookout::new(MotionConfig::default(), masks);
        let mut camera = Camera { yard, lookout, at_ms: 1_000_000 };
        let last = camera.look_for(30_000, 1_000);
        assert_eq!(last.sight, Default::default(), "the yard is known and all is well");
        camera
    }

    fn new() -> Camera {
        Camera::with_masks(Vec::new())
    }

    fn look(&mut self, step_ms: i64) -> PictureFacts {
        let pixels = self.yard.picture();
        self.see(&pixels, step_ms)
    }

    fn see(&mut self, pixels: &[u8], step_ms: i64) -> PictureFacts {
        self.at_ms += step_ms;
        // Nothing of a camera is in its scratch: each picture has a new one.
        let luma = Luma { width: WIDTH, height: HEIGHT, stride: WIDTH, pixels };
        self.lookout.look(&luma, self.at_ms, &mut Scratch::default())
    }

    /// Pictures for a time; the last of them.
    fn look_for(&mut self, span_ms: i64, step_ms: i64) -> PictureFacts {
        (0..span_ms / step_ms).map(|_| self.look(step_ms)).last().unwrap_or_default()
    }

    fn faults(&mut self, span_ms: i64) -> Vec<SightFault> {
        self.look_for(span_ms, 2_000).sight.faults.iter().collect()
    }
}

#[test]
fn a_walker_has_one_track_with_the_time_since_when() {
    let mut camera = Camera::new();
    let since_ms = camera.at_ms + 200;
    for step in 0..20 {
        camera.yard.things = vec![((100 + step * 10, 150, 32, 96), 40)];
        let facts = camera.look(200);
        assert!(camera.lookout.is_stirring());
        if step > 0 {
            let [track] = facts.tracks[..] else { panic!("step {step}: {facts:?}") };
            assert_eq!((track.id, track.since_ms, track.blob), (1, since_ms, facts.blobs[0]));
            assert!(track.still_ms < 1_500, "step {step}: {track:?}");
        }
    }
}

#[test]
fn a_bag_left_behind_is_still_for_as_long_as_it_stands_and_then_needs_no_frames() {
    let mut camera = Camera::new();
    for step in 0..10 {
        camera.yard.things = vec![((100 + step * 20, 150, 32, 96), 40)];
        camera.look(200);
    }
    let left_ms = camera.at_ms;
    for step in 10..60 {
        camera.yard.things = vec![((300, 226, 24, 20), 30), ((100 + step * 20, 150, 32, 96), 40)];
        let facts = camera.look(400);
        if step > 25 {
            let bag = facts.tracks.iter().find(|track| track.blob.right < 0.55).expect("the bag is followed");
            let stood_ms = camera.at_ms - left_ms;
            assert!((bag.still_ms - stood_ms).abs() < 3_500, "{bag:?} after {stood_ms} ms");
        }
    }
    assert!(!camera.lookout.is_stirring(), "only the bag is there");
}

#[test]
fn what_is_taken_away_leaves_a_place_that_is_told() {
    let mut camera = Camera::new();
    camera.yard.things = vec![((300, 180, 60, 60), 20)];
    camera.look_for(ABSORB_MS + 15_000, 1_000);
    assert!(camera.look(1_000).blobs.is_empty(), "it belongs to the yard now");
    camera.yard.things.clear();
    let facts = camera.look(200);
    let [place] = facts.vacated[..] else { panic!("{facts:?}") };
    assert!((place.left - 300.0 / 640.0).abs() < 0.02 && (place.bottom - 240.0 / 360.0).abs() < 0.03, "{place:?}");
    assert!(facts.blobs.is_empty() && camera.lookout.is_stirring());
    assert!(camera.look_for(5_000, 200).vacated.is_empty(), "told for a moment, then the ground is the ground");
}

#[test]
fn what_moves_behind_a_mask_is_not_seen_and_beside_it_is() {
    let left_half = vec![[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]];
    let mut camera = Camera::with_masks(vec![left_half]);
    for step in 0..30 {
        camera.yard.things = vec![((20 + step * 20, 150, 32, 96), 220)];
        let blobs = camera.look(200).blobs;
        let is_behind = 20 + step * 20 + 32 <= 320;
        assert_eq!(blobs.is_empty(), is_behind, "step {step}: {blobs:?}");
        assert!(blobs.iter().all(|blob| blob.left >= 0.495), "{blobs:?}");
    }
    // The whole of what is looked at changes, which is half of the picture.
    camera.yard.things = vec![((320, 0, 320, 360), 20), ((400, 100, 100, 100), 200)];
    assert!(camera.look_for(1_000, 200).sight.faults.has(SightFault::SceneChange));
}

#[test]
fn infrared_is_a_change_of_scene_for_as_long_as_it_is_learned_and_no_movement() {
    let mut camera = Camera::new();
    camera.yard.things = vec![((0, 0, WIDTH, 120), 200), ((0, 120, WIDTH, 240), 30), ((300, 120, 200, 240), 90)];
    let mut lasted_ms = 0;
    while camera.look(100).sight.is_unsettled {
        assert!(camera.lookout.is_stirring(), "every frame is wanted");
        lasted_ms += 100;
    }
    assert!((3_000..6_000).contains(&lasted_ms), "{lasted_ms}");
    let facts = camera.look(100);
    assert!(!facts.sight.faults.has(SightFault::SceneChange) && facts.blobs.is_empty());
}

#[test]
fn a_flash_is_told_as_a_change_of_scene_and_as_nothing_that_moves() {
    let mut camera = Camera::new();
    camera.yard.things = vec![((0, 0, WIDTH, HEIGHT), 250)];
    let flash = camera.look(100);
    assert!(flash.sight.faults.has(SightFault::SceneChange) && flash.sight.is_unsettled, "{flash:?}");
    assert!(flash.blobs.is_empty() && flash.tracks.is_empty(), "{flash:?}");
    camera.yard.things.clear();
    for _ in 0..40 {
        let facts = camera.look(100);
        assert!(facts.blobs.is_empty(), "{facts:?}");
    }
    assert_eq!(camera.look(100).sight, Default::default(), "all is as it was");
}

#[test]
fn headlights_that_fill_the_yard_are_a_change_of_scene_for_as_long_as_they_do() {
    let mut camera = Camera::new();
    // The pool of light before a lorry that turns in, in a second, and out of the yard again.
    let mut lit = |width: usize| {
        camera.yard.things = vec![((0, 0, width, HEIGHT), 245)];
        camera.look(100)
    };
    let mut changed_at = None;
    for width in (64..=WIDTH).step_by(64) {
        let facts = lit(width);
        let is_changing = facts.sight.faults.has(SightFault::SceneChange);
        assert!(is_changing || !facts.blobs.is_empty(), "neither said at {width}");
        assert!(!is_changing || facts.blobs.is_empty(), "both said at {width}");
        changed_at = changed_at.or(is_changing.then_some(width));
    }
    assert_eq!(changed_at, Some(448), "six tenths of the picture");
    for width in (0..=WIDTH).rev().step_by(64) {
        lit(width);
    }
    // Health is judged every two seconds.
    (0..20).for_each(|_| drop(lit(0)));
    let after = lit(0);
    assert_eq!(after.sight, Default::default());
    assert!(after.blobs.is_empty(), "{after:?}");
}

#[test]
fn dark_and_bright_pictures_are_told_from_quiet_ones() {
    let mut camera = Camera::new();
    camera.yard.exposure = 0.1;
    assert!(camera.faults(12_000).contains(&SightFault::TooDark));
    camera.yard.exposure = 1.0;
    assert_eq!(camera.faults(12_000), []);
    camera.yard.things = vec![((0, 0, WIDTH, HEIGHT), 245)];
    assert!(camera.faults(12_000).contains(&SightFault::TooBright));
}

#[test]
fn the_same_picture_again_is_frozen_and_a_noisy_still_one_is_not() {
    let mut camera = Camera::new();
    camera.yard.noise = 1;
    assert_eq!(camera.faults(60_000), []);
    let picture = camera.yard.picture();
    let frozen = (0..20).map(|_| camera.see(&picture, 2_000).sight.faults.has(SightFault::Frozen));
    let first = frozen.collect::<Vec<_>>().iter().position(|is_frozen| *is_frozen);
    assert!(first.is_some_and(|first| (9..13).contains(&first)), "after {first:?} pictures");
    assert_eq!(camera.faults(4_000), []);
}

/// Means over a square of pixels.
fn blurred(pixels: &[u8], radius: usize) -> Vec<u8> {
    let across = |pixels: &[u8], width: usize| -> Vec<u8> {
        let mean = |row: &[u8], x: usize| {
            let near = &row[x.saturating_sub(radius)..(x + radius + 1).min(row.len())];
            (near.iter().map(|&pixel| u32::from(pixel)).sum::<u32>() / near.len() as u32) as u8
        };
        pixels.chunks_exact(width).flat_map(|row| (0..width).map(move |x| mean(row, x))).collect()
    };
    let turned = |pixels: &[u8], width: usize| -> Vec<u8> {
        (0..width).flat_map(|x| pixels.iter().skip(x).step_by(width).copied()).collect()
    };
    let smooth = across(pixels, WIDTH);
    turned(&across(&turned(&smooth, WIDTH), HEIGHT), HEIGHT)
}

#[test]
fn a_defocused_lens_is_too_blurry_and_focus_heals_it() {
    let mut yard = Courtyard::new();
    yard.things = (0..6).map(|n| ((20 + n * 105, 40 + n % 2 * 150, 50, 90), 60 + 25 * n as u8)).collect();
    let mut camera = Camera::before(yard, Vec::new());
    let mut see = |radius: usize| {
        let mut last = PictureFacts::default();
        for _ in 0..8 {
            let pixels = camera.yard.picture();
            let pixels = if radius > 0 { blurred(&pixels, radius) } else { pixels };
            last = camera.see(&pixels, 2_000);
        }
        last.sight.faults
    };
    assert!(!see(0).has(SightFault::TooBlurry));
    assert!(see(5).has(SightFault::TooBlurry));
    assert!(!see(0).has(SightFault::TooBlurry));
}

#[test]
fn a_hand_before_the_lens_covers_and_a_lorry_does_not() {
    let mut camera = Camera::new();
    camera.yard.things = vec![((120, 60, 300, 260), 200)];
    assert!(!camera.faults(8_000).contains(&SightFault::Covered));
    camera.yard.things = vec![((0, 0, WIDTH, HEIGHT - 20), 90)];
    assert!(camera.faults(8_000).contains(&SightFault::Covered));
    camera.yard.things.clear();
    assert_eq!(camera.faults(12_000), []);
}

#[test]
fn a_camera_that_was_turned_has_moved_until_that_is_its_view() {
    let mut camera = Camera::new();
    camera.yard.shift = 17;
    assert!(camera.faults(14_000).contains(&SightFault::Moved));
    camera.yard.shift = 0;
    assert_eq!(camera.faults(12_000), [], "turned back");
    camera.yard.shift = 17;
    camera.look_for(ACCEPT_MS + 60_000, 4_000);
    assert_eq!(camera.faults(4_000), [], "after an hour it is a view like the other");
    camera.yard.shift = 0;
    assert_eq!(camera.faults(12_000), [], "and so is the old one");
}

#[test]
fn people_in_the_yard_are_no_fault_that_lasts() {
    let mut camera = Camera::new();
    let mut lasted_s = 0;
    for step in 0..200 {
        let left = |pace: usize| step * pace % 600;
        camera.yard.things =
            vec![((left(11), 150, 40, 110), 40), ((left(7), 200, 50, 130), 220), ((left(23), 140, 120, 80), 180)];
        // Great patches with hard edges before an even yard: a picture may be judged wrongly, ten seconds of them not.
        let faults: Vec<SightFault> = camera.look(1_000).sight.faults.iter().collect();
        lasted_s = if faults.is_empty() { 0 } else { lasted_s + 1 };
        assert!(lasted_s < 10, "step {step}: {faults:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_pictures_and_masks_are_bounded_and_never_panic(
        sizes in prop::collection::vec((0_usize..70, 0_usize..50, 0_usize..5), 1..4),
        masks in prop::collection::vec(prop::collection::vec(any::<[f32; 2]>(), 0..5), 0..3),
        absorb_ms in any::<i64>(),
        pixels in prop::collection::vec(any::<u8>(), 4_000),
        times_ms in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..100_000], 1..24),
    ) {
        let mut lookout = Lookout::new(MotionConfig { absorb_ms, ..MotionConfig::default() }, masks);
        for (turn, &at_ms) in times_ms.iter().enumerate() {
            let (width, height, pad) = sizes[turn / 6 % sizes.len()];
            let from = turn * 17 % 300;
            let facts = lookout.look(&Luma { width, height, stride: width + pad, pixels: &pixels[from..] }, at_ms, &mut Scratch::default());
            prop_assert!(facts.tracks.len() <= facts.blobs.len());
            for track in &facts.tracks {
                prop_assert!(facts.blobs.contains(&track.blob) && track.still_ms >= 0 && track.since_ms <= at_ms);
            }
        }
    }
}

#[test]
fn cameras_that_share_their_scratch_see_what_they_see_alone() {
    fn luma(pixels: &[u8], (width, height): (usize, usize)) -> Luma<'_> {
        Luma { width, height, stride: width, pixels }
    }
    let (large, small) = ((WIDTH, HEIGHT), (WIDTH / 2, HEIGHT / 2));
    let mut scratch = Scratch::default();
    let new = || Lookout::new(MotionConfig::default(), Vec::new());
    let (mut alone, mut shared, mut other) = (new(), new(), new());
    let (mut yard, mut next) = (Courtyard::new(), 0x2545_f491_u32);
    for turn in 0..60 {
        // A camera of another size, before which everything changes all the time.
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            next ^= next << 13;
            next ^= next >> 17;
            next ^= next << 5;
            next as u8
        })
        .take(small.0 * small.1)
        .collect();
        other.look(&luma(&noise, small), turn * 500, &mut scratch);
        let pixels = yard.picture();
        let seen = shared.look(&luma(&pixels, large), turn * 500, &mut scratch);
        assert_eq!(seen, alone.look(&luma(&pixels, large), turn * 500, &mut Scratch::default()), "picture {turn}");
    }
}
