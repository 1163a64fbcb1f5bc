//! How the light of a picture changed as a whole against the background: exposure, gain, clouds. Knows nothing of
//! motion.
//!
//! A robust straight line through (background, current) of a sample of cells: three guesses compete by how many
//! cells they explain, the best is refined by least squares on those cells. Things that move are the cells it does
//! not explain; up to half of the picture may be.

/// Cells sampled at the most; noise averages out over far fewer.
const SAMPLES_MAX: usize = 1_024;
/// Difference within which a cell is explained, in grey levels: noise and compression of a box mean stay below it.
const EXPLAINED: f32 = 6.0;
/// Least share of the sample that a line must explain; below it the picture has changed beyond exposure.
const SHARE_MIN: f32 = 0.4;
/// Share from which on no other guess is tried.
const SHARE_PLENTY: f32 = 0.9;
/// Exposure steps beyond this are a change of scene.
const GAIN_RANGE: std::ops::RangeInclusive<f32> = 0.5..=2.0;
/// Pulls the gain towards the guess where the picture has little contrast: variance of five grey levels.
const CONTRAST_MIN: f32 = 25.0;
/// Clipped cells say nothing of the light.
const CLIPPED: std::ops::Range<f32> = 4.0..250.0;

/// current = gain * background + offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Light {
    pub(crate) gain: f32,
    pub(crate) offset: f32,
}

#[derive(Debug, Default)]
pub(crate) struct LightScratch {
    samples: Vec<(f32, f32)>,
    orders: Vec<f32>,
}

impl Light {
    pub(crate) const SAME: Light = Light { gain: 1.0, offset: 0.0 };

    pub(crate) fn of(background: &[f32], current: &[f32], before: Light, scratch: &mut LightScratch) -> Light {
        // An odd step walks through all columns of a grid with an even number of them.
        let step = (current.len() / SAMPLES_MAX) | 1;
        let pairs = background.iter().copied().zip(current.iter().copied());
        scratch.samples.clear();
        scratch.samples.extend(pairs.step_by(step).filter(|(was, is)| CLIPPED.contains(was) && CLIPPED.contains(is)));
        if scratch.samples.is_empty() {
            return Light::SAME;
        }

        let mut best = (Light::SAME, Light::SAME.share(&scratch.samples));
        if best.1 < SHARE_PLENTY {
            let LightScratch { samples, orders } = scratch;
            let offset = median(samples.iter().map(|(was, is)| is - was), orders);
            let gain = median(samples.iter().map(|(was, is)| is / was), orders);
            for guess in [before, Light { gain: 1.0, offset }, Light { gain, offset: 0.0 }] {
                let share = guess.share(samples);
                if share > best.1 && GAIN_RANGE.contains(&guess.gain) {
                    best = (guess, share);
                }
            }
        }
        if best.1 < SHARE_MIN {
            return Light::SAME;
        }
        let refined = best.0.refined(&scratch.samples).refined(&scratch.samples);
        if GAIN_RANGE.contains(&refined.gain) { refined } else { best.0 }
    }

    /// Expected brightness of a cell of the background.
    #[inline(always)]
    pub(crate) fn on(self, background: f32) -> f32 {
        (self.gain * background + self.offset).clamp(0.0, 255.0)
    }

    fn share(self, samples: &[(f32, f32)]) -> f32 {
        let explained = samples.iter().map(|&(was, is)| u32::from(self.miss(was, is).abs() < EXPLAINED)).sum::<u32>();
        explained as f32 / samples.len() as f32
    }

    #[inline(always)]
    fn miss(self, was: f32, is: f32) -> f32 {
        is - (self.gain * was + self.offset)
    }

    /// Least squares on what the line explains.
    fn refined(self, samples: &[(f32, f32)]) -> Light {
        let (mut n, mut sum_x, mut sum_y, mut sum_xx, mut sum_xy) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
        for &(was, is) in samples {
            // About the middle grey, so that the sums keep their digits.
            let (x, y) = (was - 128.0, self.miss(was, is));
            let weight = if y.abs() < EXPLAINED { 1.0 } else { 0.0 };
            n += weight;
            sum_x += weight * x;
            sum_y += weight * y;
            sum_xx += weight * x * x;
            sum_xy += weight * x * y;
        }
        if n < 1.0 {
            return self;
        }
        let (mean_x, mean_y) = (sum_x / n, sum_y / n);
        let gain_more = (sum_xy - n * mean_x * mean_y) / ((sum_xx - n * mean_x * mean_x).max(0.0) + n * CONTRAST_MIN);
        let offset_more = mean_y - gain_more * (mean_x + 128.0);
        Light { gain: self.gain + gain_more, offset: self.offset + offset_more }
    }
}

fn median(values: impl Iterator<Item = f32>, orders: &mut Vec<f32>) -> f32 {
    orders.clear();
    orders.extend(values);
    let middle = orders.len() / 2;
    *orders.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn background() -> Vec<f32> {
        (0..14_400).map(|cell| 40.0 + (cell % 160) as f32 * 0.5 + ((cell / 160) % 7) as f32 * 8.0).collect()
    }

    #[test]
    fn exposure_is_found_beneath_a_thing_that_covers_a_third() {
        let background = background();
        for light in [Light { gain: 0.7, offset: 0.0 }, Light { gain: 1.2, offset: -12.0 }, Light::SAME] {
            let mut current: Vec<f32> = background.iter().map(|&was| light.on(was)).collect();
            current[3_000..7_800].fill(235.0);
            let found = Light::of(&background, &current, Light::SAME, &mut LightScratch::default());
            for was in [45.0, 100.0, 160.0] {
                assert!((found.on(was) - light.on(was)).abs() < 3.0, "{light:?} was found as {found:?}");
            }
        }
    }

    #[test]
    fn another_scene_is_not_explained_away() {
        let background = background();
        let current: Vec<f32> = background.iter().rev().map(|was| 250.0 - was * 1.7).collect();
        let found = Light::of(&background, &current, Light::SAME, &mut LightScratch::default());
        assert!(GAIN_RANGE.contains(&found.gain));
    }

    proptest! {
        #[test]
        fn any_cells_give_a_finite_line(cells in prop::collection::vec((0.0..=255.0_f32, 0.0..=255.0_f32), 0..300)) {
            let (background, current): (Vec<f32>, Vec<f32>) = cells.into_iter().unzip();
            let light = Light::of(&background, &current, Light::SAME, &mut LightScratch::default());
            prop_assert!(light.gain.is_finite() && light.offset.is_finite());
        }
    }
}
