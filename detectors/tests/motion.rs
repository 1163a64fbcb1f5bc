//! What the motion model must see and must not see, on painted pictures of a courtyard with camera noise.

use outpost_detectors::background::{ABSORB_MS, MotionConfig, MotionModel, SceneChange};
use outpost_detectors::blob::BLOBS_MAX;
use outpost_detectors::luma::Luma;
use outpost_detectors::observation::Blob;
use proptest::prelude::*;

use crate::courtyard::{Courtyard, HEIGHT, WIDTH};

mod courtyard;

/// A camera with its model, and the time.
struct Camera {
    yard: Courtyard,
    model: MotionModel,
    at_ms: i64,
}

impl Camera {
    /// A model that knows the yard.
    fn watching(yard: Courtyard) -> Camera {
        let mut camera =
            Camera { yard, model: MotionModel::new(MotionConfig::default(), Vec::new()), at_ms: 1_000_000 };
        camera.look_for(3_000, 200);
        assert!(camera.model.is_watching());
        camera
    }

    fn look(&mut self, step_ms: i64) -> Vec<Blob> {
        self.at_ms += step_ms;
        let pixels = self.yard.picture();
        self.model.observe(&Luma { width: WIDTH, height: HEIGHT, stride: WIDTH, pixels: &pixels }, self.at_ms).to_vec()
    }

    /// Pictures for a time; the greatest number of blobs in one of them.
    fn look_for(&mut self, span_ms: i64, step_ms: i64) -> usize {
        (0..span_ms / step_ms).map(|_| self.look(step_ms).len()).max().unwrap_or(0)
    }
}

#[test]
fn noise_alone_is_no_movement() {
    let mut camera = Camera::watching(Courtyard::new());
    assert_eq!(camera.look_for(20_000, 500), 0);
    assert_eq!(camera.model.last_scene_change(), None);
}

#[test]
fn a_person_is_one_blob_where_the_person_is_at_any_frame_rate() {
    for step_ms in [40, 500, 2_000] {
        let mut camera = Camera::watching(Courtyard::new());
        for step in 0..8 {
            let left = 100 + step * 40;
            camera.yard.things = vec![((left, 150, 32, 96), 40)];
            let blobs = camera.look(step_ms);
            assert_eq!(blobs.len(), 1, "every {step_ms} ms, step {step}: {blobs:?}");
            let (x, y) = blobs[0].bottom_centre();
            assert!((x - (left + 16) as f32 / 640.0).abs() < 0.01 && (y - 246.0 / 360.0).abs() < 0.02, "{blobs:?}");
            assert!((blobs[0].area - 32.0 * 96.0 / 230_400.0).abs() < 0.004, "{blobs:?}");
        }
        camera.yard.things.clear();
        assert_eq!(camera.look_for(10_000, step_ms.max(200)), 0, "nothing is left behind");
    }
}

#[test]
fn exposure_that_follows_a_bright_lorry_adds_no_blob() {
    let mut camera = Camera::watching(Courtyard::new());
    for exposure in [1.0, 0.9, 0.8, 0.7, 0.65, 0.65] {
        camera.yard.exposure = exposure;
        camera.yard.things = vec![((200, 100, 220, 200), 235)];
        let blobs = camera.look(200);
        assert_eq!(blobs.len(), 1, "at exposure {exposure}: {blobs:?}");
        assert!(blobs[0].left > 0.28 && blobs[0].right < 0.69, "{blobs:?}");
    }
    camera.yard.things.clear();
    for exposure in [0.7, 0.85, 1.0, 1.0] {
        camera.yard.exposure = exposure;
        assert_eq!(camera.look(200), []);
    }
}

#[test]
fn another_picture_is_reported_once_and_learned_without_blobs() {
    let mut camera = Camera::watching(Courtyard::new());
    // Infrared: the wall is now the brightest, the ground dark.
    camera.yard.things = vec![((0, 0, WIDTH, 120), 200), ((0, 120, WIDTH, 240), 30), ((300, 120, 200, 240), 90)];
    let switched_ms = camera.at_ms + 200;
    assert_eq!(camera.look_for(8_000, 200), 0);
    assert_eq!(camera.model.last_scene_change(), Some(SceneChange { at_ms: switched_ms }));
    assert!(camera.model.is_watching());
    camera.yard.things.push(((100, 200, 32, 96), 220));
    assert_eq!(camera.look(200).len(), 1);
}

#[test]
fn a_flash_neither_alarms_nor_changes_the_scene() {
    let mut camera = Camera::watching(Courtyard::new());
    camera.yard.things = vec![((0, 0, WIDTH, HEIGHT), 250)];
    assert_eq!(camera.look(100), []);
    camera.yard.things.clear();
    assert_eq!(camera.look_for(4_000, 100), 0);
    assert_eq!(camera.model.last_scene_change(), None);
}

#[test]
fn a_parked_car_is_seen_for_a_minute_then_belongs_and_leaves_no_ghost() {
    let mut camera = Camera::watching(Courtyard::new());
    camera.yard.things = vec![((200, 200, 120, 60), 230)];
    for _ in 0..ABSORB_MS / 500 - 4 {
        assert_eq!(camera.look(500).len(), 1);
    }
    camera.look_for(10_000, 500);
    assert_eq!(camera.look_for(20_000, 500), 0, "it belongs now");
    camera.yard.things.clear();
    camera.look_for(3_000, 500);
    assert_eq!(camera.look_for(5_000, 500), 0, "the ground is known from before");
}

#[test]
fn what_was_there_from_the_start_leaves_no_ghost() {
    let mut yard = Courtyard::new();
    // On the plain part of a slab, so that the ground around says what the ground beneath should look like.
    yard.things = vec![((200, 160, 160, 120), 130), ((240, 190, 60, 60), 20)];
    let mut camera = Camera::watching(yard);
    camera.yard.things.truncate(1);
    assert_eq!(camera.look_for(10_000, 500), 0);
}

#[test]
fn a_camera_that_sways_by_a_pixel_does_not_alarm() {
    let mut camera = Camera::watching(Courtyard::new());
    for shift in [1, 0, 2, 1, 0, 2] {
        camera.yard.shift = shift;
        assert_eq!(camera.look(300), []);
    }
}

#[test]
fn passers_by_while_learning_are_not_learned() {
    let mut camera = Camera {
        yard: Courtyard::new(),
        model: MotionModel::new(MotionConfig::default(), Vec::new()),
        at_ms: 1_000_000,
    };
    for step in 0..10 {
        camera.yard.things = vec![((40 * step, 150, 40, 96), 20)];
        assert_eq!(camera.look(200), [], "nothing is said while learning");
    }
    camera.yard.things.clear();
    assert_eq!(camera.look_for(3_000, 200), 0);
}

#[test]
fn a_clock_that_goes_back_and_a_long_gap_do_no_harm() {
    let mut camera = Camera::watching(Courtyard::new());
    camera.at_ms = 0;
    camera.yard.things = vec![((200, 150, 32, 96), 40)];
    assert_eq!(camera.look(0).len(), 1);
    camera.yard.things.clear();
    camera.at_ms = 86_400_000;
    assert_eq!(camera.look(0), []);
    assert!(!camera.model.is_watching(), "after a day the light is another");
    camera.look_for(3_000, 200);
    assert!(camera.model.is_watching());
}

#[test]
fn a_plane_that_lacks_pixels_changes_nothing() {
    let mut camera = Camera::watching(Courtyard::new());
    let pixels = [0; 100];
    for (width, height, stride) in [(0, 0, 0), (640, 360, 640), (10, 11, 10), (11, 5, 10), (usize::MAX, 2, usize::MAX)]
    {
        assert_eq!(camera.model.observe(&Luma { width, height, stride, pixels: &pixels }, camera.at_ms), []);
    }
    assert!(camera.model.is_watching());
    camera.yard.things = vec![((200, 150, 32, 96), 40)];
    assert_eq!(camera.look(200).len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_pictures_at_any_times_are_bounded_and_never_panic(
        side in any::<usize>(), diff_min in any::<f32>(),
        sizes in prop::collection::vec((0_usize..70, 0_usize..50, 0_usize..5), 1..4),
        pixels in prop::collection::vec(any::<u8>(), 4_000),
        times_ms in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..100_000], 1..24),
    ) {
        let mut model = MotionModel::new(MotionConfig { side, diff_min, ..MotionConfig::default() }, Vec::new());
        for (turn, &at_ms) in times_ms.iter().enumerate() {
            let (width, height, pad) = sizes[turn / 6 % sizes.len()];
            let from = turn * 17 % 300;
            let luma = Luma { width, height, stride: width + pad, pixels: &pixels[from..] };
            let blobs = model.observe(&luma, at_ms);
            prop_assert!(blobs.len() <= BLOBS_MAX);
            for blob in blobs {
                prop_assert!(0.0 <= blob.left && blob.left < blob.right && blob.right <= 1.0);
                prop_assert!(0.0 <= blob.top && blob.top < blob.bottom && blob.bottom <= 1.0);
                prop_assert!(blob.area > 0.0 && blob.area <= 1.0);
            }
        }
    }

    #[test]
    fn a_greater_contrast_is_never_seen_less(level in 150_u8..250, more in 0_u8..6) {
        let area = |level: u8| {
            let mut camera = Camera::watching(Courtyard::new());
            camera.yard.things = vec![((200, 150, 32, 96), level)];
            camera.look(200).iter().map(|blob| blob.area).sum::<f32>()
        };
        let cell = 16.0 / (WIDTH * HEIGHT) as f32;
        prop_assert!(area(level) <= area(level + more) + 4.0 * cell);
    }
}
