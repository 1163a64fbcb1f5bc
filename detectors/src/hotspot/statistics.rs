//! What a frame's pixels are like: extremes, mean, median, shares. One pass where one will do: a frame has 330,000 pixels.

use ndarray::ArrayView2;

/// Lanes that are summed side by side, so that the compiler makes vectors of them.
const LANES: usize = 16;
/// Pixels whose sum in 32 bits is still good to a thousandth of a degree.
const CHUNK: usize = LANES * 64;
/// Pixels that are looked at to guess where the median lies.
const SAMPLE: usize = 1024;
/// Ranks of the sample on either side of the median's own that the guess spans.
const SLACK: usize = SAMPLE / 16;
/// Fewer pixels are sorted out without a guess.
const GUESS_MIN: usize = 8 * SAMPLE;

/// Bars of a histogram.
pub const BARS: usize = 16;

/// Of the good pixels, those that are finite numbers. Degrees Celsius; rows and columns count from 0, row 0 at the top.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Statistics {
    pub n_good: usize,
    pub n_bad: usize,
    /// None where no pixel is good.
    pub range: Option<Range>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub min_c: f32,
    pub mean_c: f32,
    pub max_c: f32,
    /// Row and column of `max_c`, the first one in reading order.
    pub hottest: (usize, usize),
}

/// How many good pixels lie in each of [`BARS`] equal steps from `from_c` to `to_c`, the last step with its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    pub from_c: f32,
    pub to_c: f32,
    pub counts: [u32; BARS],
}

impl Statistics {
    pub fn of(frame: ArrayView2<f32>) -> Statistics {
        match frame.as_slice() {
            Some(pixels) => Statistics::of_pixels(pixels, frame.ncols()),
            None => Statistics::of_pixels(&frame.iter().copied().collect::<Vec<_>>(), frame.ncols()),
        }
    }

    /// `pixels` row by row.
    pub(super) fn of_pixels(pixels: &[f32], columns: usize) -> Statistics {
        let mut all = Tally::default();
        for chunk in pixels.chunks(CHUNK) {
            all.add(chunk);
        }
        let n_bad = pixels.len() - all.n_good;
        let range = (all.n_good > 0).then(|| {
            let at = pixels.iter().position(|&pixel_c| pixel_c == all.max_c).unwrap_or_default();
            let mean_c = (all.sum_c / all.n_good as f64) as f32;
            Range { min_c: all.min_c, mean_c, max_c: all.max_c, hottest: (at / columns, at % columns) }
        });
        Statistics { n_good: all.n_good, n_bad, range }
    }
}

struct Tally {
    n_good: usize,
    min_c: f32,
    max_c: f32,
    sum_c: f64,
}

impl Default for Tally {
    fn default() -> Self {
        Tally { n_good: 0, min_c: f32::INFINITY, max_c: f32::NEG_INFINITY, sum_c: 0.0 }
    }
}

impl Tally {
    fn add(&mut self, chunk: &[f32]) {
        let mut min = [f32::INFINITY; LANES];
        let mut max = [f32::NEG_INFINITY; LANES];
        let (mut sum, mut n_good) = ([0.0_f32; LANES], [0_u32; LANES]);
        let lanes = chunk.chunks_exact(LANES);
        let rest = lanes.remainder();
        for pixels in lanes {
            for lane in 0..LANES {
                let pixel_c = pixels[lane];
                let is_good = pixel_c.abs() < f32::INFINITY;
                let (low, high) = if is_good { (pixel_c, pixel_c) } else { (f32::INFINITY, f32::NEG_INFINITY) };
                min[lane] = if low < min[lane] { low } else { min[lane] };
                max[lane] = if high > max[lane] { high } else { max[lane] };
                sum[lane] += if is_good { pixel_c } else { 0.0 };
                n_good[lane] += u32::from(is_good);
            }
        }
        self.n_good += n_good.iter().sum::<u32>() as usize;
        self.min_c = min.iter().copied().fold(self.min_c, f32::min);
        self.max_c = max.iter().copied().fold(self.max_c, f32::max);
        self.sum_c += sum.iter().map(|&lane| f64::from(lane)).sum::<f64>();
        for &pixel_c in rest.iter().filter(|pixel_c| pixel_c.is_finite()) {
            self.n_good += 1;
            (self.min_c, self.max_c) = (self.min_c.min(pixel_c), self.max_c.max(pixel_c));
            self.sum_c += f64::from(pixel_c);
        }
    }
}

impl Histogram {
    /// None where no pixel is good.
    pub fn of(frame: ArrayView2<f32>) -> Option<Histogram> {
        let Range { min_c, max_c, .. } = Statistics::of(frame).range?;
        let mut counts = [0; BARS];
        let width_k = (f64::from(max_c) - f64::from(min_c)) / BARS as f64;
        for &pixel_c in frame.iter().filter(|pixel_c| pixel_c.is_finite()) {
            let bar = if width_k > 0.0 { ((f64::from(pixel_c) - f64::from(min_c)) / width_k) as usize } else { 0 };
            counts[bar.min(BARS - 1)] += 1;
        }
        Some(Histogram { from_c: min_c, to_c: max_c, counts })
    }
}

/// The median of the good pixels, of an even number the upper one; none where there is none. `good` is working memory.
///
/// The guess: a sample's middle ranks bracket the median nearly always. Then one pass counts what lies below the bracket and
/// keeps what lies within, a small share of all, and only that is sorted out. Where the guess is wrong all pixels are.
pub(super) fn median(pixels: &[f32], n_good: usize, good: &mut Vec<f32>) -> Option<f32> {
    let rank = n_good / 2;
    if n_good == 0 {
        return None;
    }
    if let Some((low_c, high_c)) = bracket(pixels, n_good, good) {
        let n_below = count_below(pixels, low_c);
        keep_within(pixels, low_c, high_c, good);
        if (n_below..n_below + good.len()).contains(&rank) {
            return Some(*good.select_nth_unstable_by(rank - n_below, f32::total_cmp).1);
        }
    }
    good.clear();
    good.extend(pixels.iter().filter(|pixel_c| pixel_c.is_finite()));
    Some(*good.select_nth_unstable_by(rank, f32::total_cmp).1)
}

fn bracket(pixels: &[f32], n_good: usize, sample: &mut Vec<f32>) -> Option<(f32, f32)> {
    if n_good < GUESS_MIN {
        return None;
    }
    sample.clear();
    // Odd, so that it does not stay in a few columns of frames whose width is a power of two.
    let step = (pixels.len() / SAMPLE) | 1;
    sample.extend(pixels.iter().step_by(step).filter(|pixel_c| pixel_c.is_finite()));
    sample.sort_unstable_by(f32::total_cmp);
    let middle = sample.len() / 2;
    Some((*sample.get(middle.checked_sub(SLACK)?)?, *sample.get(middle + SLACK)?))
}

/// Good pixels below the limit.
fn count_below(pixels: &[f32], low_c: f32) -> usize {
    let count = |chunk: &[f32]| {
        let mut lanes = [0_u32; LANES];
        let whole = chunk.chunks_exact(LANES);
        let rest = whole.remainder().iter().filter(|&&pixel_c| pixel_c < low_c && pixel_c > f32::NEG_INFINITY).count();
        for pixels in whole {
            for lane in 0..LANES {
                lanes[lane] += u32::from((pixels[lane] < low_c) & (pixels[lane] > f32::NEG_INFINITY));
            }
        }
        lanes.iter().sum::<u32>() as usize + rest
    };
    pixels.chunks(CHUNK).map(count).sum()
}

/// Pixels from `low_c` to `high_c`, in `kept`; written without a branch on what they are.
fn keep_within(pixels: &[f32], low_c: f32, high_c: f32, kept: &mut Vec<f32>) {
    kept.clear();
    let mut block = [0.0_f32; CHUNK + 1];
    for chunk in pixels.chunks(CHUNK) {
        let mut n = 0;
        for &pixel_c in chunk {
            block[n] = pixel_c;
            n += usize::from((pixel_c >= low_c) & (pixel_c <= high_c));
        }
        kept.extend_from_slice(&block[..n]);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::*;

    /// Pixels as imagers give them: steps of a sensor around a level, some bad ones; large enough that the median is guessed.
    fn large() -> impl Strategy<Value = Array2<f32>> {
        (any::<u32>(), 1_u32..4000, 0_u32..40).prop_map(|(seed, spread, bad)| {
            let mut state = u64::from(seed) | 1;
            Array2::from_shape_fn((96, 128), |_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let draw = (state >> 33) as u32;
                match draw % 100 < bad {
                    true => [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][draw as usize % 3],
                    false => 20.0 + (draw / 100 % spread) as f32 * 0.04,
                }
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_guessed_median_is_the_sorted_one(frame in large()) {
            let pixels = frame.as_slice().unwrap();
            let mut sorted: Vec<f32> = pixels.iter().copied().filter(|pixel_c| pixel_c.is_finite()).collect();
            sorted.sort_by(f32::total_cmp);
            let found = median(pixels, sorted.len(), &mut Vec::new());
            prop_assert_eq!(found, sorted.get(sorted.len() / 2).copied());
            let statistics = Statistics::of(frame.view());
            prop_assert_eq!((statistics.n_good, statistics.n_bad), (sorted.len(), pixels.len() - sorted.len()));
            if let Some(range) = statistics.range {
                prop_assert_eq!((Some(&range.min_c), Some(&range.max_c)), (sorted.first(), sorted.last()));
                prop_assert_eq!(frame[range.hottest], range.max_c);
                let mean = sorted.iter().map(|&c| f64::from(c)).sum::<f64>() / sorted.len() as f64;
                prop_assert!((f64::from(range.mean_c) - mean).abs() < 0.001, "{} is not {mean}", range.mean_c);
            }
            let counted = Histogram::of(frame.view()).map_or(0, |histogram| histogram.counts.iter().sum::<u32>());
            prop_assert_eq!(counted as usize, sorted.len());
        }
    }

    #[test]
    fn a_guess_that_fails_costs_time_and_not_the_answer() {
        // The sampled pixels are hot, all others cold.
        let step = (98_304 / SAMPLE) | 1;
        let pixels: Vec<f32> = (0..98_304).map(|at| if at % step == 0 { 90.0 } else { 10.0 }).collect();
        assert_eq!(median(&pixels, pixels.len(), &mut Vec::new()), Some(10.0));
    }

    #[test]
    fn bars_are_equal_steps_from_coldest_to_hottest() {
        let frame = Array2::from_shape_fn((4, 8), |(row, column)| (row * 8 + column) as f32);
        let histogram = Histogram::of(frame.view()).unwrap();
        assert_eq!((histogram.from_c, histogram.to_c, histogram.counts), (0.0, 31.0, [2; BARS]));
        let flat = Histogram::of(Array2::from_elem((2, 2), 7.0).view()).unwrap();
        assert_eq!((flat.from_c, flat.counts[0]), (7.0, 4));
        assert_eq!(Histogram::of(Array2::from_elem((2, 2), f32::NAN).view()), None);
    }
}
