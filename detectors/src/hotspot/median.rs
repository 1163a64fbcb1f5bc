//! The median of a frame beside its statistics, exactly and in one pass over the pixels.

use super::statistics::{BLOCK, CHUNK, Extent, Extents, Statistics, Tally};

/// Pixels that are looked at to guess where the median lies.
const SAMPLE: usize = 2048;
/// Ranks of the sample on either side of the median's own that the guess spans: three standard deviations of its rank.
const SLACK: usize = 68;
/// Fewer pixels are sorted out without a guess.
const GUESS_MIN: usize = 4 * SAMPLE;

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
    let mut extents = [Extent::NONE; CHUNK / BLOCK];
    for chunk in pixels.chunks(CHUNK) {
        peaks.push(all.add(chunk, &mut extents));
        if let Some(division) = &mut division {
            division.add(chunk, &extents, good);
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
    n_below: usize,
    /// What is kept of one chunk.
    kept: [f32; CHUNK],
    n_kept: usize,
}

impl Division {
    fn new((low_c, high_c): (f32, f32)) -> Division {
        Division { low_c, high_c, n_below: 0, kept: [0.0; CHUNK], n_kept: 0 }
    }

    /// Neighbours are alike: most blocks lie wholly on one side, and their extents say so.
    fn add(&mut self, chunk: &[f32], extents: &Extents, good: &mut Vec<f32>) {
        let (blocks, rest) = chunk.as_chunks::<BLOCK>();
        for (block, extent) in blocks.iter().zip(extents) {
            if extent.is_below(self.low_c) {
                self.n_below += BLOCK;
            } else if !extent.is_above(self.high_c) {
                self.sort_out(block);
            }
        }
        self.sort_out(rest);
        good.extend_from_slice(&self.kept[..self.n_kept]);
        self.n_kept = 0;
    }

    /// At most [`BLOCK`] pixels. Without a branch on what each is: it is written in any case, and counts where it lies within.
    fn sort_out(&mut self, pixels: &[f32]) {
        let &mut Division { low_c, high_c, .. } = self;
        let (mut within, mut n_below) = ([0_u32; BLOCK], 0);
        for (within, &pixel_c) in within.iter_mut().zip(pixels) {
            n_below += u32::from(pixel_c < low_c);
            *within = u32::from((pixel_c >= low_c) & (pixel_c <= high_c));
        }
        self.n_below += n_below as usize;
        for (&within, &pixel_c) in within.iter().zip(pixels) {
            self.kept[self.n_kept % CHUNK] = pixel_c;
            self.n_kept += within as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::super::statistics::Histogram;
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
}
