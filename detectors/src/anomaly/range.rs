//! The range that a number kept to, which is slowly forgotten. Knows nothing of what the number means.

use serde::{Deserialize, Serialize};

/// A range grows by at most this many of its widths with a reading, lest one error code blind it for months.
const GROWTH_MAX: f32 = 2.0;

/// Least and greatest, each sinking back towards the middle, so that what was reached once long ago is news again.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    pub(super) low: f32,
    pub(super) high: f32,
    middle: f32,
}

impl Range {
    pub(super) fn at(value: f32) -> Range {
        Range { low: value, high: value, middle: value }
    }

    pub(super) fn width(&self) -> f32 {
        self.high - self.low
    }

    /// How far outside; zero within.
    pub(super) fn distance(&self, value: f32) -> f32 {
        (value - self.high).max(self.low - value).max(0.0)
    }

    /// The value, or as far towards it as the range may grow at once. What was the same so far may become anything.
    pub(super) fn tame(&self, value: f32) -> f32 {
        let reach = if self.width() > 0.0 { self.width() * GROWTH_MAX } else { f32::INFINITY };
        value.clamp(self.low - reach, self.high + reach)
    }

    /// `forget` is the share of each half that goes with a reading, `follow` the share of a reading in the middle.
    pub(super) fn learn(&mut self, value: f32, forget: f32, follow: f32) {
        let tame = self.tame(value);
        self.middle += (tame - self.middle) * follow;
        self.high = (self.high - (self.high - self.middle) * forget).max(tame);
        self.low = (self.low - (self.low - self.middle) * forget).min(tame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_from_the_nearer_end() {
        let range = Range { low: 2.0, high: 5.0, middle: 3.0 };
        assert_eq!([1.0, 2.0, 3.0, 5.0, 7.0].map(|value| range.distance(value)), [1.0, 0.0, 0.0, 0.0, 2.0]);
    }

    #[test]
    fn an_error_code_widens_the_range_by_its_bound_and_no_more() {
        let mut range = Range { low: 20.0, high: 30.0, middle: 25.0 };
        range.learn(-999.0, 0.0, 0.01);
        assert_eq!((range.low, range.high), (0.0, 30.0));
    }

    #[test]
    fn an_old_extreme_is_forgotten_by_its_share() {
        let mut range = Range { low: 0.0, high: 100.0, middle: 0.0 };
        for _ in 0..100 {
            range.learn(0.0, 0.0003, 0.01);
        }
        assert!((96.9..97.2).contains(&range.high), "{range:?}");
    }
}
