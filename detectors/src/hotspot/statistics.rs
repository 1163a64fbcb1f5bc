//! What a frame's pixels are like: extremes, mean, median, shares. One pass where one will do: a frame has 330,000 pixels.

use ndarray::ArrayView2;

/// Lanes that are summed side by side, so that the compiler makes vectors of them.
const LANES: usize = 16;
/// Pixels whose sum in 32 bits is still good to a thousandth of a degree.
pub(super) const CHUNK: usize = LANES * 64;
/// Pixels that are looked at to guess where the median lies.
const SAMPLE: usize = 2048;
/// Ranks of the sample on either side of the median's own that the guess spans: three standard deviations of its rank.
const SLACK: usize = 68;
/// Fewer pixels are sorted out without a guess.
const GUESS_MIN: usize = 4 * SAMPLE;

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
            Some(pixels) => Statistics::of_pixels(pixels, frame.ncols(), &mut Vec::new()),
            None => Statistics::of_pixels(&frame.iter().copied().collect::<Vec<_>>(), frame.ncols(), &mut Vec::new()),
        }
    }

    fn of_pixels(pixels: &[f32], columns: usize, peaks: &mut Vec<f32>) -> Statistics {
        let mut all = Tally::default();
        peaks.clear();
        peaks.extend(pixels.chunks(CHUNK).map(|chunk| all.add(chunk)));
        all.statistics(pixels, columns, peaks)
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
    fn statistics(&self, pixels: &[f32], columns: usize, peaks: &[f32]) -> Statistics {
        let n_bad = pixels.len() - self.n_good;
        let range = (self.n_good > 0).then(|| {
            let chunk = peaks.iter().position(|&peak_c| peak_c == self.max_c).unwrap_or_default();
            let rest = &pixels[chunk * CHUNK..];
            let at = chunk * CHUNK + rest.iter().position(|&pixel_c| pixel_c == self.max_c).unwrap_or_default();
            let mean_c = (self.sum_c / self.n_good as f64) as f32;
            Range { min_c: self.min_c, mean_c, max_c: self.max_c, hottest: (at / columns, at % columns) }
        });
        Statistics { n_good: self.n_good, n_bad, range }
    }

    /// The hottest good pixel of the chunk.
    fn add(&mut self, chunk: &[f32]) -> f32 {
        let (mut least, mut most, mut sum) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES], [0.0_f32; LANES]);
        let (lanes, rest) = chunk.as_chunks::<LANES>();
        for pixels in lanes {
            for lane in 0..LANES {
                least[lane] = if pixels[lane] < least[lane] { pixels[lane] } else { least[lane] };
                most[lane] = if pixels[lane] > most[lane] { pixels[lane] } else { most[lane] };
                sum[lane] += pixels[lane];
            }
        }
        let sum_c = sum.iter().chain(rest).map(|&pixel_c| f64::from(pixel_c)).sum::<f64>();
        if !sum_c.is_finite() {
            return self.add_with_bad(chunk);
        }
        // A sum of good pixels alone: one that is bad would have made it no number.
        let peak_c = most.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
        self.n_good += chunk.len();
        self.min_c = least.iter().chain(rest).copied().fold(self.min_c, f32::min);
        self.max_c = self.max_c.max(peak_c);
        self.sum_c += sum_c;
        peak_c
    }

    fn add_with_bad(&mut self, chunk: &[f32]) -> f32 {
        let mut peak_c = f32::NEG_INFINITY;
        for &pixel_c in chunk.iter().filter(|pixel_c| pixel_c.is_finite()) {
            self.n_good += 1;
            (self.min_c, peak_c) = (self.min_c.min(pixel_c), peak_c.max(pixel_c));
            self.sum_c += f64::from(pixel_c);
        }
        self.max_c = self.max_c.max(peak_c);
        peak_c
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

/// Statistics and the median of the good pixels, of an even number the upper one; none where there is none. `pixels` row by
/// row. Leaves in `peaks` the hottest good pixel of each [`CHUNK`]; `good` is working memory.
///
/// All pixels are looked at once, since most of what that costs is to fetch them: a sample's middle ranks bracket the median
/// nearly always, so that while the statistics are taken what lies below the bracket is counted, and what lies within, a small
/// share of all, is kept; only that is sorted out. Where the guess is wrong all pixels are.
pub(super) fn survey(
    pixels: &[f32],
    columns: usize,
    peaks: &mut Vec<f32>,
    good: &mut Vec<f32>,
) -> (Statistics, Option<f32>) {
    let mut division = bracket(pixels, good).map(Division::new);
    let mut all = Tally::default();
    peaks.clear();
    good.clear();
    for chunk in pixels.chunks(CHUNK) {
        peaks.push(all.add(chunk));
        if let Some(division) = &mut division {
            division.add(chunk, good);
        }
    }
    let (n_good, rank) = (all.n_good, all.n_good / 2);
    let statistics = all.statistics(pixels, columns, peaks);
    if n_good == 0 {
        return (statistics, None);
    }
    // Those that are no numbers are on no side of a limit, but one of the infinities is below each.
    let bad = if n_good < pixels.len() { pixels } else { &[] };
    let n_infinite = bad.iter().filter(|&&pixel_c| pixel_c == f32::NEG_INFINITY).count();
    let n_below = division.map(|division| division.n_below - n_infinite);
    let rank = match n_below {
        Some(n_below) if (n_below..n_below + good.len()).contains(&rank) => rank - n_below,
        _ => {
            good.clear();
            good.extend(pixels.iter().filter(|pixel_c| pixel_c.is_finite()));
            rank
        }
    };
    (statistics, Some(*good.select_nth_unstable_by(rank, f32::total_cmp).1))
}

fn bracket(pixels: &[f32], sample: &mut Vec<f32>) -> Option<(f32, f32)> {
    if pixels.len() < GUESS_MIN {
        return None;
    }
    sample.clear();
    // Odd, so that it does not stay in a few columns of frames whose width is a power of two.
    let step = (pixels.len() / SAMPLE) | 1;
    sample.extend(pixels.iter().step_by(step).filter(|pixel_c| pixel_c.is_finite()));
    let middle = sample.len() / 2;
    let (low, high) = (middle.checked_sub(SLACK)?, middle + SLACK);
    if high >= sample.len() {
        return None;
    }
    let (_, low_c, above) = sample.select_nth_unstable_by(low, f32::total_cmp);
    let low_c = *low_c;
    let (_, high_c, _) = above.select_nth_unstable_by(high - low - 1, f32::total_cmp);
    Some((low_c, *high_c))
}

/// Counts what lies below a bracket, the one infinity included, and keeps what lies within.
struct Division {
    low_c: f32,
    high_c: f32,
    /// Middle of the bracket, beyond so many kelvin from which nothing lies in it; a little more, as it is rounded.
    middle_c: f32,
    reach_k: f32,
    n_below: usize,
    /// What is kept of one chunk, and a place for one that is not.
    block: [f32; CHUNK + 1],
}

impl Division {
    fn new((low_c, high_c): (f32, f32)) -> Division {
        let middle_c = low_c / 2.0 + high_c / 2.0;
        let reach_k = (high_c / 2.0 - low_c / 2.0) * 1.001 + f32::EPSILON * (low_c.abs() + high_c.abs());
        Division { low_c, high_c, middle_c, reach_k, n_below: 0, block: [0.0; CHUNK + 1] }
    }

    fn add(&mut self, chunk: &[f32], kept: &mut Vec<f32>) {
        let &mut Division { low_c, high_c, middle_c, reach_k, ref mut block, .. } = self;
        // Counted in floating point, which is exact so far, and compares and adds in the same registers.
        let (mut below, mut n_kept) = ([0.0_f32; LANES], 0);
        let mut keep = |pixels: &[f32]| {
            // Without a branch on what each pixel is: it is written in any case, and counts where it lies within.
            for &pixel_c in pixels {
                block[n_kept] = pixel_c;
                n_kept += usize::from((pixel_c >= low_c) & (pixel_c <= high_c));
            }
        };
        let (lanes, rest) = chunk.as_chunks::<LANES>();
        for pixels in lanes {
            let mut nearest_k = [f32::INFINITY; 4];
            for lane in 0..LANES {
                below[lane] += if pixels[lane] < low_c { 1.0 } else { 0.0 };
            }
            for lane in 0..LANES {
                let off_k = (pixels[lane] - middle_c).abs();
                nearest_k[lane % 4] = if off_k < nearest_k[lane % 4] { off_k } else { nearest_k[lane % 4] };
            }
            // Neighbours are alike: most stretches lie wholly outside.
            if nearest_k.iter().any(|&off_k| off_k <= reach_k) {
                keep(pixels);
            }
        }
        keep(rest);
        self.n_below += below.iter().sum::<f32>() as usize + rest.iter().filter(|&&pixel_c| pixel_c < low_c).count();
        kept.extend_from_slice(&block[..n_kept]);
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
            let (statistics, found) = survey(pixels, frame.ncols(), &mut Vec::new(), &mut Vec::new());
            prop_assert_eq!(found, sorted.get(sorted.len() / 2).copied());
            prop_assert_eq!(statistics, Statistics::of(frame.view()));
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
        assert_eq!(survey(&pixels, 256, &mut Vec::new(), &mut Vec::new()).1, Some(10.0));
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
