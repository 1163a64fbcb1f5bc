//! Finds a hot region in a frame of temperatures. Knows nothing of time: holds are the latch's.

use ndarray::ArrayView2;

use crate::latch::Signal;
use crate::regions::take_regions;

/// A frame with a larger share of bad pixels and no hot region says nothing: neither hot nor well.
const BAD_SHARE_MAX: f32 = 0.5;

/// What counts as hot. Where both limits are given a pixel must exceed both: a yard in the summer sun is over 50 °C
/// and not over its background.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hotspot {
    above_c: Option<f32>,
    over_background_k: Option<f32>,
    pixels_min: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HotspotError {
    #[error("neither `above` nor `over_background` is given")]
    NoLimit,
    #[error("{name} is not a finite number")]
    NotFinite { name: &'static str },
    #[error("`pixels_min` is 0: a region has at least one pixel")]
    NoPixels,
}

/// What a frame showed. Rows and columns count from 0, row 0 at the top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heat {
    pub signal: Signal,
    /// Median of the good pixels (the upper one of an even number); none where no pixel is good.
    pub background_c: Option<f32>,
    pub max_c: Option<f32>,
    /// Row and column of `max_c`, the first one in reading order.
    pub hottest: Option<(usize, usize)>,
    /// The hottest of the regions that are large enough.
    pub region: Option<Region>,
    /// Pixels that are no finite number; they are neither background nor hot.
    pub n_bad_pixels: usize,
}

/// Hot pixels that touch, corners included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    pub row_first: usize,
    pub row_last: usize,
    pub column_first: usize,
    pub column_last: usize,
    pub n_pixels: usize,
    pub max_c: f32,
    pub mean_c: f32,
    /// Row and column of the middle of the pixels.
    pub centroid: (f32, f32),
}

/// Memory that is reused from frame to frame; belongs to nobody in particular.
#[derive(Debug, Default)]
pub struct HotspotScratch {
    celsius: Vec<f32>,
    good: Vec<f32>,
    mask: Vec<u8>,
    cells: Vec<u32>,
}

impl Hotspot {
    pub fn new(
        above_c: Option<f32>,
        over_background_k: Option<f32>,
        pixels_min: usize,
    ) -> Result<Hotspot, HotspotError> {
        for (name, value) in [("`above`", above_c), ("`over_background`", over_background_k)] {
            if value.is_some_and(|value| !value.is_finite()) {
                return Err(HotspotError::NotFinite { name });
            }
        }
        if above_c.is_none() && over_background_k.is_none() {
            return Err(HotspotError::NoLimit);
        }
        if pixels_min == 0 {
            return Err(HotspotError::NoPixels);
        }
        Ok(Hotspot { above_c, over_background_k, pixels_min })
    }

    /// On where a region is large enough, Off where none is, Between where the frame says nothing (no pixels, or
    /// mostly bad ones). `frame` is degrees Celsius by row and column.
    pub fn judge(&self, frame: ArrayView2<f32>, scratch: &mut HotspotScratch) -> Heat {
        let columns = frame.ncols();
        scratch.celsius.clear();
        scratch.celsius.extend(frame.iter());
        scratch.good.clear();
        scratch.good.extend(scratch.celsius.iter().filter(|celsius| celsius.is_finite()));
        let n_bad_pixels = scratch.celsius.len() - scratch.good.len();
        if scratch.good.is_empty() {
            let signal = Signal::Between;
            return Heat { signal, background_c: None, max_c: None, hottest: None, region: None, n_bad_pixels };
        }

        let middle = scratch.good.len() / 2;
        let background_c = *scratch.good.select_nth_unstable_by(middle, f32::total_cmp).1;
        let (hottest, max_c) = hottest_of(&scratch.celsius);
        let region = self.hottest_region(background_c, columns, scratch);
        let mostly_bad = n_bad_pixels as f32 > BAD_SHARE_MAX * scratch.celsius.len() as f32;
        let signal = match region {
            Some(_) => Signal::On,
            None if mostly_bad => Signal::Between,
            None => Signal::Off,
        };
        Heat {
            signal,
            background_c: Some(background_c),
            max_c: Some(max_c),
            hottest: Some((hottest / columns, hottest % columns)),
            region,
            n_bad_pixels,
        }
    }

    fn hottest_region(&self, background_c: f32, columns: usize, scratch: &mut HotspotScratch) -> Option<Region> {
        let absolute_c = self.above_c.unwrap_or(f32::NEG_INFINITY);
        let relative_c = self.over_background_k.map_or(f32::NEG_INFINITY, |over_k| background_c + over_k);
        let limit_c = absolute_c.max(relative_c);
        let HotspotScratch { celsius, mask, cells, .. } = scratch;
        mask.clear();
        mask.extend(celsius.iter().map(|&celsius| u8::from(celsius > limit_c && celsius.is_finite())));
        let mut found: Option<Region> = None;
        take_regions(mask, columns, cells, |cells| {
            if cells.len() < self.pixels_min {
                return;
            }
            let region = Region::of(cells, celsius, columns);
            if found.is_none_or(|found| region.max_c > found.max_c) {
                found = Some(region);
            }
        });
        found
    }
}

impl Region {
    fn of(cells: &[u32], celsius: &[f32], columns: usize) -> Region {
        let mut region = Region {
            row_first: usize::MAX,
            row_last: 0,
            column_first: usize::MAX,
            column_last: 0,
            n_pixels: cells.len(),
            max_c: f32::NEG_INFINITY,
            mean_c: 0.0,
            centroid: (0.0, 0.0),
        };
        // Sums in f64: a frame of a million pixels would lose whole degrees in f32.
        let (mut sum_c, mut sum_row, mut sum_column) = (0.0_f64, 0.0_f64, 0.0_f64);
        for &cell in cells {
            let (row, column) = (cell as usize / columns, cell as usize % columns);
            let pixel_c = celsius[cell as usize];
            region.row_first = region.row_first.min(row);
            region.row_last = region.row_last.max(row);
            region.column_first = region.column_first.min(column);
            region.column_last = region.column_last.max(column);
            region.max_c = region.max_c.max(pixel_c);
            sum_c += f64::from(pixel_c);
            sum_row += row as f64;
            sum_column += column as f64;
        }
        let n = cells.len() as f64;
        region.mean_c = (sum_c / n) as f32;
        region.centroid = ((sum_row / n) as f32, (sum_column / n) as f32);
        region
    }
}

/// Number and temperature of the hottest good pixel; the caller has seen that there is one.
fn hottest_of(celsius: &[f32]) -> (usize, f32) {
    let mut hottest = (0, f32::NEG_INFINITY);
    for (at, &pixel_c) in celsius.iter().enumerate() {
        if pixel_c.is_finite() && pixel_c > hottest.1 {
            hottest = (at, pixel_c);
        }
    }
    hottest
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};
    use proptest::prelude::*;

    use super::*;

    fn judge(hotspot: Result<Hotspot, HotspotError>, frame: &Array2<f32>) -> Heat {
        hotspot.unwrap().judge(frame.view(), &mut HotspotScratch::default())
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
        assert_eq!((heat.signal, heat.n_bad_pixels), (Signal::On, 1));
        assert_eq!((heat.background_c, heat.max_c, heat.hottest), (Some(30.0), Some(95.0), Some((1, 1))));
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
        assert_eq!((none.signal, none.background_c, none.hottest), (Signal::Between, None, None));
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
        let before = (scratch.celsius.as_ptr(), scratch.good.as_ptr(), scratch.mask.as_ptr(), scratch.cells.as_ptr());
        hotspot.judge(frame.view(), &mut scratch);
        let after = (scratch.celsius.as_ptr(), scratch.good.as_ptr(), scratch.mask.as_ptr(), scratch.cells.as_ptr());
        assert_eq!(before, after);
    }

    fn frames() -> impl Strategy<Value = Array2<f32>> {
        let pixel = prop_oneof![8 => -50.0..400.0_f32, 1 => any::<f32>(), 1 => Just(f32::NAN), 1 => Just(-0.0)];
        (0_usize..12, 0_usize..12).prop_flat_map(move |(rows, columns)| {
            prop::collection::vec(pixel.clone(), rows * columns)
                .prop_map(move |pixels| Array2::from_shape_vec((rows, columns), pixels).unwrap())
        })
    }

    fn is_on(above_c: Option<f32>, over_k: Option<f32>, pixels_min: usize, frame: &Array2<f32>) -> bool {
        judge(Hotspot::new(above_c, over_k, pixels_min), frame).signal == Signal::On
    }

    proptest! {
        #[test]
        fn any_frame_is_judged_and_counted(frame in frames(), above_c in -50.0..400.0_f32, pixels_min in 1_usize..6) {
            let heat = judge(Hotspot::new(Some(above_c), None, pixels_min), &frame);
            prop_assert_eq!(heat.n_bad_pixels, frame.iter().filter(|pixel| !pixel.is_finite()).count());
            if let Some((row, column)) = heat.hottest {
                prop_assert_eq!(Some(frame[[row, column]]), heat.max_c);
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
}
