//! What became of a hot region over the last frames: whether it stays, grows, travels, flickers. Time comes in.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Region;
use crate::latch::Signal;

/// Frames that are looked back at.
pub const FRAMES_MAX: usize = 32;

/// What a region must do over time to be a finding. Each that is given must hold.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Course {
    /// So many of the last `of` frames must show it; 0 is as good as 1.
    pub frames: usize,
    pub of: usize,
    pub grows: Option<Growth>,
    /// Largest way of the region's middle over the frames that show it, as a share of the picture's longer side: what drives
    /// by is no fire.
    pub travels_max: Option<f32>,
    pub flickers: Option<Flicker>,
}

/// Pixels now over the fewest within `within_ms`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    pub factor: f32,
    pub within_ms: i64,
}

/// A flame's size is never twice the same; a sun glint's and a hot machine's nearly is. The standard deviation of the
/// region's pixel numbers over their mean, after what grows or shrinks steadily is taken out. It takes frames at least four
/// times a second: on slower ones, and before there are eight, nothing is said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flicker {
    pub share_min: f32,
}

const FLICKER_FRAMES_MIN: usize = 8;
const FLICKER_GAP_MAX_MS: i64 = 250;

/// The last frames, newest last. What must survive a restart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    frames: VecDeque<Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    at_ms: i64,
    n_pixels: u32,
    /// Row and column of the middle; where nothing was hot, none.
    middle: Option<(f32, f32)>,
}

impl Course {
    /// Whether a single frame decides, so that nothing has to be remembered.
    pub fn is_momentary(&self) -> bool {
        self.frames <= 1 && self.grows.is_none() && self.travels_max.is_none() && self.flickers.is_none()
    }

    /// What a frame's signal becomes in the light of those before it. A frame that is not newer than the last says nothing.
    pub fn judge(&self, trace: &mut Trace, at_ms: i64, signal: Signal, region: Option<&Region>, side: usize) -> Signal {
        if signal == Signal::Between || trace.frames.back().is_some_and(|last| last.at_ms >= at_ms) {
            return Signal::Between;
        }
        let n_pixels = region.map_or(0, |region| u32::try_from(region.n_pixels).unwrap_or(u32::MAX));
        if trace.frames.len() == FRAMES_MAX {
            trace.frames.pop_front();
        }
        trace.frames.push_back(Seen { at_ms, n_pixels, middle: region.map(|region| region.centroid) });
        let of = self.of.clamp(1, FRAMES_MAX);
        let n_hot = trace.frames.iter().rev().take(of).filter(|seen| seen.middle.is_some()).count();
        if n_hot == 0 {
            trace.frames.clear();
            return Signal::Off;
        }
        if n_hot < self.frames.max(1) || region.is_none() {
            return Signal::Between;
        }
        let is_found = self.grows.is_none_or(|growth| trace.has_grown(growth))
            && self.travels_max.is_none_or(|share| trace.travelled() <= share * side as f32)
            && self.flickers.is_none_or(|flicker| trace.flickers(flicker));
        if is_found { Signal::On } else { Signal::Between }
    }
}

impl Trace {
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    fn hot(&self) -> impl DoubleEndedIterator<Item = &Seen> {
        self.frames.iter().filter(|seen| seen.middle.is_some())
    }

    fn has_grown(&self, growth: Growth) -> bool {
        let Some(now) = self.hot().next_back() else { return false };
        let since_ms = now.at_ms.saturating_sub(growth.within_ms);
        let fewest = self.hot().filter(|seen| seen.at_ms >= since_ms).map(|seen| seen.n_pixels).min();
        fewest.is_some_and(|fewest| f64::from(now.n_pixels) >= f64::from(growth.factor) * f64::from(fewest))
    }

    /// The longest distance between two middles, in pixels.
    fn travelled(&self) -> f32 {
        let middles: Vec<(f32, f32)> = self.hot().filter_map(|seen| seen.middle).collect();
        let from_each = middles.iter().flat_map(|a| middles.iter().map(move |b| (a.0 - b.0).hypot(a.1 - b.1)));
        from_each.fold(0.0, f32::max)
    }

    fn flickers(&self, flicker: Flicker) -> bool {
        let seen: Vec<&Seen> = self.hot().collect();
        let (Some(first), Some(last)) = (seen.first(), seen.last()) else { return false };
        let gaps = seen.len() as i64 - 1;
        if seen.len() < FLICKER_FRAMES_MIN || last.at_ms - first.at_ms > gaps * FLICKER_GAP_MAX_MS {
            return false;
        }
        let n = seen.len() as f64;
        let size = |seen: &&Seen| f64::from(seen.n_pixels);
        let (mean, middle) = (seen.iter().map(size).sum::<f64>() / n, (n - 1.0) / 2.0);
        let along = |number: usize| number as f64 - middle;
        let steepness = seen.iter().enumerate().map(|(number, seen)| along(number) * size(seen)).sum::<f64>()
            / (0..seen.len()).map(|number| along(number).powi(2)).sum::<f64>();
        let rest = |(number, seen): (usize, &&Seen)| (size(seen) - mean - steepness * along(number)).powi(2);
        let deviation = (seen.iter().enumerate().map(rest).sum::<f64>() / n).sqrt();
        deviation >= f64::from(flicker.share_min) * mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(n_pixels: usize, column: f32) -> Region {
        Region {
            row_first: 0,
            row_last: 0,
            column_first: 0,
            column_last: 0,
            n_pixels,
            max_c: 90.0,
            mean_c: 80.0,
            centroid: (10.0, column),
        }
    }

    /// Frames a fifth of a second apart: pixels and column of the region, 0 pixels for none. The last signal.
    fn after(course: Course, frames: &[(usize, f32)]) -> Signal {
        let mut trace = Trace::default();
        let mut last = Signal::Off;
        for (number, &(n_pixels, column)) in frames.iter().enumerate() {
            let region = (n_pixels > 0).then(|| region(n_pixels, column));
            let signal = if n_pixels > 0 { Signal::On } else { Signal::Off };
            last = course.judge(&mut trace, number as i64 * 200, signal, region.as_ref(), 640);
        }
        last
    }

    #[test]
    fn three_of_five_frames_must_show_it() {
        let course = Course { frames: 3, of: 5, ..Course::default() };
        assert_eq!(after(course, &[(4, 0.0), (0, 0.0), (4, 0.0)]), Signal::Between);
        assert_eq!(after(course, &[(4, 0.0), (0, 0.0), (4, 0.0), (0, 0.0), (4, 0.0)]), Signal::On);
        assert_eq!(after(course, &[(4, 0.0), (0, 0.0), (0, 0.0), (4, 0.0), (0, 0.0), (4, 0.0)]), Signal::Between);
        assert_eq!(after(course, &[(4, 0.0), (0, 0.0), (0, 0.0), (0, 0.0), (0, 0.0), (0, 0.0)]), Signal::Off);
    }

    #[test]
    fn what_grows_is_told_from_what_stays() {
        let course = Course { grows: Some(Growth { factor: 2.0, within_ms: 1_000 }), ..Course::default() };
        assert_eq!(after(course, &[(10, 0.0), (14, 0.0), (19, 0.0)]), Signal::Between);
        assert_eq!(after(course, &[(10, 0.0), (14, 0.0), (20, 0.0)]), Signal::On);
        // As large as that, but over a longer time.
        let slowly: Vec<(usize, f32)> = (10..=20).map(|n| (n, 0.0)).collect();
        assert_eq!(after(course, &slowly), Signal::Between);
    }

    #[test]
    fn a_vehicle_drives_by_and_a_fire_stays() {
        let course = Course { frames: 3, of: 3, travels_max: Some(0.05), ..Course::default() };
        assert_eq!(after(course, &[(40, 100.0), (40, 120.0), (40, 140.0)]), Signal::Between);
        assert_eq!(after(course, &[(40, 100.0), (44, 103.0), (38, 99.0)]), Signal::On);
    }

    #[test]
    fn a_flame_flickers_and_a_glint_does_not() {
        let course = Course { flickers: Some(Flicker { share_min: 0.1 }), ..Course::default() };
        let flame = [40, 55, 38, 60, 47, 33, 58, 41, 52].map(|n| (n, 0.0));
        let glint = [40, 41, 40, 40, 41, 40, 41, 40, 40].map(|n| (n, 0.0));
        let engine_warms_up = [40, 44, 48, 52, 56, 60, 64, 68, 72].map(|n| (n, 0.0));
        assert_eq!(after(course, &flame), Signal::On);
        assert_eq!(after(course, &glint), Signal::Between);
        assert_eq!(after(course, &engine_warms_up), Signal::Between);
        assert_eq!(after(course, &flame[..7]), Signal::Between);
    }

    #[test]
    fn a_frame_that_comes_twice_counts_once() {
        let course = Course { frames: 2, of: 2, ..Course::default() };
        let (mut trace, hot) = (Trace::default(), region(4, 0.0));
        for expected in [Signal::Between, Signal::Between] {
            assert_eq!(course.judge(&mut trace, 100, Signal::On, Some(&hot), 640), expected);
        }
        assert_eq!(course.judge(&mut trace, 200, Signal::On, Some(&hot), 640), Signal::On);
    }

    #[test]
    fn it_remembers_so_many_frames_and_no_more() {
        let course = Course { frames: FRAMES_MAX, of: FRAMES_MAX, ..Course::default() };
        let (mut trace, hot) = (Trace::default(), region(4, 0.0));
        for at_ms in 0..10 * FRAMES_MAX as i64 {
            course.judge(&mut trace, at_ms, Signal::On, Some(&hot), 640);
        }
        assert_eq!(trace.frames.len(), FRAMES_MAX);
        let stored = serde_json::to_string(&trace).unwrap();
        assert_eq!(serde_json::from_str::<Trace>(&stored).unwrap(), trace);
    }
}
