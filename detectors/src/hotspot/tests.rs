//! Frames made here: what is hot in them, and what is said of all the rest.

use std::ops::Range;

use ndarray::{Array2, array};
use proptest::prelude::*;

use super::*;

fn judge(hotspot: Result<Hotspot, HotspotError>, frame: &Array2<f32>) -> Heat {
    hotspot.unwrap().judge(frame.view(), &mut HotspotScratch::default())
}

/// Sets a rectangle of pixels.
fn fill(frame: &mut Array2<f32>, rows: Range<usize>, columns: Range<usize>, celsius: f32) {
    rows.flat_map(|row| columns.clone().map(move |column| (row, column))).for_each(|at| frame[at] = celsius);
}

fn fuse_cabinet() -> Array2<f32> {
    let mut frame = Array2::from_elem((6, 8), 30.0_f32);
    frame[[1, 1]] = 95.0;
    frame[[3, 4]] = 80.0;
    frame[[3, 5]] = 84.0;
    frame[[4, 6]] = 82.0;
    frame[[0, 7]] = f32::NAN;
    frame
}

#[test]
fn a_region_of_enough_pixels_is_found_and_a_lone_hot_pixel_is_not() {
    let heat = judge(Hotspot::new(Some(70.0), None, 3), &fuse_cabinet());
    assert_eq!((heat.signal, heat.statistics.n_bad), (Signal::On, 1));
    let hottest = heat.statistics.range.map(|range| range.hottest);
    assert_eq!((heat.background_c, heat.max_c(), hottest), (Some(30.0), Some(95.0), Some((1, 1))));
    let region = heat.region.unwrap();
    assert_eq!((region.row_first, region.row_last, region.column_first, region.column_last), (3, 4, 4, 6));
    assert_eq!((region.n_pixels, region.max_c, region.mean_c), (3, 84.0, 82.0));
    assert_eq!(region.centroid, (10.0 / 3.0, 5.0));
}

#[test]
fn the_hottest_of_several_regions_is_named() {
    let heat = judge(Hotspot::new(Some(70.0), None, 1), &fuse_cabinet());
    assert_eq!(heat.region.map(|region| region.max_c), Some(95.0));
}

#[test]
fn a_warm_yard_is_not_hot_over_its_background() {
    let mut yard = Array2::from_elem((10, 10), 55.0_f32);
    assert_eq!(judge(Hotspot::new(Some(50.0), Some(20.0), 1), &yard).signal, Signal::Off);
    assert_eq!(judge(Hotspot::new(Some(50.0), None, 1), &yard).signal, Signal::On);
    yard[[2, 2]] = 76.0;
    assert_eq!(judge(Hotspot::new(Some(50.0), Some(20.0), 1), &yard).region.map(|region| region.n_pixels), Some(1));
}

#[test]
fn a_frame_that_says_nothing_keeps_what_is() {
    let hotspot = Hotspot::new(Some(70.0), None, 1);
    let none = judge(hotspot, &Array2::from_elem((0, 0), 0.0));
    assert_eq!((none.signal, none.background_c, none.statistics.range), (Signal::Between, None, None));
    assert_eq!(judge(hotspot, &Array2::from_elem((4, 4), f32::NAN)).signal, Signal::Between);
    let mostly_bad = array![[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 20.0]];
    assert_eq!(judge(hotspot, &mostly_bad).signal, Signal::Between);
    let hot_in_bad = array![[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 90.0]];
    assert_eq!(judge(hotspot, &hot_in_bad).signal, Signal::On);
}

#[test]
fn rows_and_columns_hold_for_views_of_any_layout() {
    let frame = fuse_cabinet();
    let hotspot = Hotspot::new(Some(70.0), None, 3).unwrap();
    let heat = hotspot.judge(frame.t(), &mut HotspotScratch::default());
    let region = heat.region.unwrap();
    assert_eq!((region.row_first, region.row_last, region.column_first, region.column_last), (4, 6, 3, 4));
}

/// Half warm hillside, half cold sky: a fire in the hill is over its own background, the hill over no background is none.
#[test]
fn a_local_background_is_the_one_around_the_pixel() {
    let mut view = Array2::from_elem((128, 160), -20.0_f32);
    fill(&mut view, 64..128, 0..160, 30.0);
    fill(&mut view, 0..4, 30..34, 12.0);
    fill(&mut view, 100..103, 70..74, 55.0);
    let over = |background| judge(Hotspot::new(None, Some(20.0), 4).map(|hot| hot.with_background(background)), &view);
    let region = |heat: &Heat| heat.region.map(|region| (region.row_first, region.n_pixels));
    let local = over(Background::Local);
    assert_eq!((region(&local), local.background_c), (Some((100, 12)), Some(30.0)));
    let hotspot = Hotspot::new(None, Some(20.0), 4).unwrap().with_background(Background::Local);
    let all = hotspot.regions(view.view(), &mut HotspotScratch::default());
    assert_eq!(all.iter().map(|region| region.max_c).collect::<Vec<_>>(), [55.0, 12.0]);
    let whole = over(Background::Frame);
    assert_eq!((region(&whole), whole.background_c), (Some((100, 12)), Some(30.0)));
    fill(&mut view, 60..64, 0..160, -20.0);
    fill(&mut view, 64..72, 0..160, -20.0);
    let mostly_sky = judge(Hotspot::new(None, Some(20.0), 4), &view);
    assert_eq!(mostly_sky.background_c, Some(-20.0), "the hill itself is hot now: {:?}", mostly_sky.region);
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    assert_eq!(Hotspot::new(None, None, 1), Err(HotspotError::NoLimit));
    assert_eq!(Hotspot::new(Some(60.0), None, 0), Err(HotspotError::NoPixels));
    let not_finite = HotspotError::NotFinite { name: "`over_background`" };
    assert_eq!(Hotspot::new(Some(60.0), Some(f32::NAN), 1), Err(not_finite));
}

#[test]
fn scratch_does_not_grow_from_frame_to_frame() {
    let (hotspot, frame) = (Hotspot::new(Some(70.0), None, 1).unwrap(), fuse_cabinet());
    let mut scratch = HotspotScratch::default();
    hotspot.judge(frame.view(), &mut scratch);
    let before = (scratch.good.as_ptr(), scratch.mask.as_ptr(), scratch.cells.as_ptr());
    hotspot.judge(frame.view(), &mut scratch);
    let after = (scratch.good.as_ptr(), scratch.mask.as_ptr(), scratch.cells.as_ptr());
    assert_eq!(before, after);
}

fn frames() -> impl Strategy<Value = Array2<f32>> {
    let pixel = prop_oneof![8 => -50.0..400.0_f32, 1 => any::<f32>(), 1 => Just(f32::NAN), 1 => Just(-0.0)];
    (0_usize..12, 0_usize..12).prop_flat_map(move |(rows, columns)| {
        prop::collection::vec(pixel.clone(), rows * columns)
            .prop_map(move |pixels| Array2::from_shape_vec((rows, columns), pixels).unwrap())
    })
}

/// The hottest region that is large enough, as plainly as can be: pixel by pixel.
fn plainly(hotspot: &Hotspot, frame: &Array2<f32>) -> (Option<f32>, Option<Region>) {
    let mut sorted: Vec<f32> = frame.iter().copied().filter(|pixel_c| pixel_c.is_finite()).collect();
    sorted.sort_by(f32::total_cmp);
    let background_c = sorted.get(sorted.len() / 2).copied();
    let over_c =
        hotspot.over_background_k.zip(background_c).map_or(f32::NEG_INFINITY, |(over_k, around_c)| around_c + over_k);
    let limit_c = hotspot.above_c.unwrap_or(f32::NEG_INFINITY).max(over_c);
    let mut left = frame.mapv(|pixel_c| pixel_c.is_finite() && pixel_c > limit_c);
    let mut hottest: Option<Region> = None;
    for first in ndarray::indices_of(frame) {
        let (mut cells, mut next) = (Vec::new(), vec![first]);
        while let Some((row, column)) = next.pop() {
            if std::mem::take(&mut left[(row, column)]) {
                cells.push((row * frame.ncols() + column) as u32);
                let around = |at: usize, of: usize| at.saturating_sub(1)..(at + 2).min(of);
                next.extend(
                    around(row, frame.nrows())
                        .flat_map(|row| around(column, frame.ncols()).map(move |column| (row, column))),
                );
            }
        }
        if cells.len() >= hotspot.pixels_min {
            let found = Region::of(&cells, frame.as_slice().unwrap(), frame.ncols());
            if hottest.is_none_or(|hottest| found.max_c > hottest.max_c) {
                hottest = Some(found);
            }
        }
    }
    (background_c, hottest)
}

/// A slope with noise, hot rectangles and bad pixels; from a few pixels to more than are judged by a guess.
fn slopes() -> impl Strategy<Value = Array2<f32>> {
    let hot = (0_usize..160, 0_usize..160, 1_usize..20, 1_usize..20, 40.0..200.0_f32);
    let bad = prop_oneof![3 => Just(0_u64), 1 => 1_u64..300];
    (1_usize..160, 1_usize..160, any::<u64>(), 0.0..0.5_f32, bad, prop::collection::vec(hot, 0..5)).prop_map(
        |(rows, columns, seed, steep, bad, hot)| {
            let mut state = seed | 1;
            let mut frame = Array2::from_shape_fn((rows, columns), |(row, column)| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let draw = state >> 33;
                match draw % 1000 < bad {
                    true => [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][draw as usize % 3],
                    false => steep * (row + column) as f32 + (draw / 1000 % 50) as f32 * 0.04,
                }
            });
            for (row, column, down, across, celsius) in hot {
                let until = |from: usize, by: usize, of: usize| from.min(of)..(from + by).min(of);
                fill(&mut frame, until(row, down, rows), until(column, across, columns), celsius);
            }
            frame
        },
    )
}

fn is_on(above_c: Option<f32>, over_k: Option<f32>, pixels_min: usize, frame: &Array2<f32>) -> bool {
    judge(Hotspot::new(above_c, over_k, pixels_min), frame).signal == Signal::On
}

proptest! {
    #[test]
    fn any_frame_is_judged_and_counted(frame in frames(), above_c in -50.0..400.0_f32, pixels_min in 1_usize..6) {
        let heat = judge(Hotspot::new(Some(above_c), None, pixels_min), &frame);
        prop_assert_eq!(heat.statistics.n_bad, frame.iter().filter(|pixel| !pixel.is_finite()).count());
        if let Some(range) = heat.statistics.range {
            prop_assert_eq!(frame[range.hottest], range.max_c);
        }
        let mut sorted: Vec<f32> = frame.iter().copied().filter(|pixel| pixel.is_finite()).collect();
        sorted.sort_by(f32::total_cmp);
        let median_bits = sorted.get(sorted.len() / 2).map(|median| median.to_bits());
        prop_assert_eq!(heat.background_c.map(f32::to_bits), median_bits);
        if let Some(region) = heat.region {
            prop_assert!(region.n_pixels >= pixels_min && region.max_c > above_c);
            prop_assert!(region.row_last < frame.nrows() && region.column_last < frame.ncols());
        }
    }

    /// Frames of all sizes with one scratch: what one leaves there must not be seen in the next.
    #[test]
    fn frames_are_judged_as_pixel_by_pixel(
        frames in prop::collection::vec(slopes(), 1..4), above_c in prop::option::of(0.0..120.0_f32),
        over_k in 0.0..60.0_f32, pixels_min in 1_usize..6,
    ) {
        let mut scratch = HotspotScratch::default();
        let hotspot = Hotspot::new(above_c, Some(over_k), pixels_min).unwrap();
        for frame in &frames {
            let heat = hotspot.judge(frame.view(), &mut scratch);
            let (background_c, region) = plainly(&hotspot, frame);
            prop_assert_eq!(heat.background_c, background_c);
            prop_assert_eq!(heat.region.is_some(), region.is_some());
            if let (Some(found), Some(region)) = (heat.region, region) {
                // What is summed is summed in another order.
                prop_assert!((found.mean_c - region.mean_c).abs() < 1e-3, "{} is not {}", found.mean_c, region.mean_c);
                prop_assert_eq!(Region { mean_c: 0.0, ..found }, Region { mean_c: 0.0, ..region });
            }
        }
    }

    #[test]
    fn stricter_limits_never_find_more(
        frame in frames(), above_c in -50.0..300.0_f32, over_k in 0.0..100.0_f32, pixels_min in 1_usize..6,
        more_k in 0.0..100.0_f32, more_pixels in 0_usize..4,
    ) {
        let lenient = is_on(Some(above_c), Some(over_k), pixels_min, &frame);
        prop_assert!(lenient || !is_on(Some(above_c + more_k), Some(over_k), pixels_min, &frame));
        prop_assert!(lenient || !is_on(Some(above_c), Some(over_k + more_k), pixels_min, &frame));
        prop_assert!(lenient || !is_on(Some(above_c), Some(over_k), pixels_min + more_pixels, &frame));
    }
}
