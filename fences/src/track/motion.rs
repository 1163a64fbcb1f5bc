//! Which fixes a body can have made. A receiver that is wrong by 200 m may claim an accuracy of 2 m; what gives it away is
//! that nothing can have gone there and back. Knows nothing of fences.

use serde::{Deserialize, Serialize};

use super::fix::Fix;
use super::way::is_within;

/// Where a subject was last, and where it may be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Motion {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Fix>,
    /// Too far away to have been reached, unless the next one is there too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suspect: Option<Fix>,
    #[serde(default, skip_serializing_if = "is_zero")]
    n_suspects: u8,
}

/// Which fixes are believed, and between which of them a way is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotionLimits {
    /// Nothing that is followed is faster, metres per second.
    pub speed_max_mps: f64,
    /// A fix with a wider radius is not heard.
    pub accuracy_max_m: f64,
    /// A longer pause is a gap: nothing is said of the way between.
    pub gap_max_ms: i64,
}

/// From one fix to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    /// None where it begins anew: the first fix, one after a gap, or one that no way leads to.
    pub from: Option<Fix>,
    pub to: Fix,
}

/// Error of a fix whose accuracy was not given, for the judgement of its speed: an open sky's.
const USUAL_RADIUS_M: f64 = 10.0;
/// After so many fixes in a row that cannot be, the first of them was wrong, or the limit is: it begins anew, so that a
/// limit set too low loses a few fixes and not the subject.
const SUSPECTS_MAX: u8 = 5;

impl Motion {
    /// The legs that the fix adds, in order: none while it is suspect, late, doubled or vague; two where it clears the
    /// suspicion of the one before.
    pub fn admit(&mut self, fix: Fix, limits: &MotionLimits) -> impl Iterator<Item = Leg> + use<> {
        self.legs(fix, limits).into_iter().flatten()
    }

    /// Time of the last fix that was believed or is suspect: none up to it is taken any more.
    pub fn heard_ms(&self) -> Option<i64> {
        self.suspect.as_ref().or(self.last.as_ref()).map(|fix| fix.at_ms)
    }

    /// The last fix that was believed; none before the first.
    pub fn last(&self) -> Option<&Fix> {
        self.last.as_ref()
    }

    fn legs(&mut self, fix: Fix, limits: &MotionLimits) -> [Option<Leg>; 2] {
        let is_late = self.last.is_some() && self.heard_ms().is_some_and(|heard_ms| fix.at_ms <= heard_ms);
        if is_late || fix.radius_m() > limits.accuracy_max_m {
            return [None, None];
        }
        if self.last.is_none_or(|last| limits.can_reach(&last, &fix)) {
            return [Some(self.advance(fix, limits)), None];
        }
        if let Some(suspect) = self.suspect.filter(|suspect| limits.can_reach(suspect, &fix)) {
            // Twice there: it is there. How it got there is not known.
            self.last = None;
            return [Some(self.advance(suspect, limits)), Some(self.advance(fix, limits))];
        }
        self.n_suspects += 1;
        if self.n_suspects >= SUSPECTS_MAX {
            self.last = None;
            return [Some(self.advance(fix, limits)), None];
        }
        self.suspect = Some(fix);
        [None, None]
    }

    fn advance(&mut self, to: Fix, limits: &MotionLimits) -> Leg {
        let from = self.last.filter(|last| to.at_ms.saturating_sub(last.at_ms) <= limits.gap_max_ms);
        *self = Motion { last: Some(to), suspect: None, n_suspects: 0 };
        Leg { from, to }
    }
}

impl MotionLimits {
    fn can_reach(&self, from: &Fix, to: &Fix) -> bool {
        let radius_m = |fix: &Fix| if fix.radius_m() > 0.0 { fix.radius_m() } else { USUAL_RADIUS_M };
        let seconds = to.at_ms.saturating_sub(from.at_ms) as f64 / 1000.0;
        let reach_m = self.speed_max_mps * seconds + radius_m(from) + radius_m(to);
        is_within(from.point, to.point, reach_m)
    }
}

fn is_zero(n: &u8) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Point;

    const LIMITS: MotionLimits = MotionLimits { speed_max_mps: 30.0, accuracy_max_m: 100.0, gap_max_ms: 600_000 };

    /// At so many seconds, so many metres north.
    fn fix(at_s: i64, north_m: f64, accuracy_m: f64) -> Fix {
        let point = Point { lon: 106.0, lat: 29.8 + north_m / 111_195.0 };
        Fix::new(at_s * 1000, point, Some(accuracy_m)).unwrap()
    }

    /// Seconds of the fixes that are admitted, after each fix.
    fn admitted(fixes: &[Fix]) -> Vec<Vec<i64>> {
        let mut motion = Motion::default();
        fixes.iter().map(|fix| motion.admit(*fix, &LIMITS).map(|leg| leg.to.at_ms / 1000).collect()).collect()
    }

    #[test]
    fn a_jump_that_claims_to_be_accurate_is_not_believed() {
        // Ikolvi/Tracelet 294: 200 m away within a second, "accurate" to 1.7 m, and back.
        let track = [fix(0, 0.0, 4.0), fix(1, 1.0, 4.0), fix(2, 200.0, 1.7), fix(3, 3.0, 4.0), fix(4, 4.0, 4.0)];
        assert_eq!(admitted(&track), [vec![0], vec![1], vec![], vec![3], vec![4]]);
    }

    #[test]
    fn who_is_far_away_twice_is_there() {
        let track = [fix(0, 0.0, 4.0), fix(2, 5_000.0, 4.0), fix(4, 5_010.0, 4.0), fix(6, 5_020.0, 4.0)];
        assert_eq!(admitted(&track), [vec![0], vec![], vec![2, 4], vec![6]]);
        let mut motion = Motion::default();
        let legs: Vec<Leg> = track.iter().flat_map(|fix| motion.admit(*fix, &LIMITS).collect::<Vec<_>>()).collect();
        assert!(legs[1].from.is_none() && legs[2].from == Some(track[1]), "no way leads there: {legs:?}");
    }

    #[test]
    fn a_limit_set_too_low_loses_fixes_but_not_the_subject() {
        let track: Vec<Fix> = (0..12).map(|i| fix(i, i as f64 * 100.0, 1.0)).collect();
        let admitted = admitted(&track);
        assert_eq!(admitted.iter().flatten().copied().collect::<Vec<_>>(), [0, 5, 10]);
    }

    #[test]
    fn late_doubled_and_vague_fixes_are_not_heard() {
        let track = [fix(5, 0.0, 4.0), fix(5, 0.0, 4.0), fix(4, 0.0, 4.0), fix(6, 0.0, 500.0), fix(7, 0.0, 4.0)];
        assert_eq!(admitted(&track), [vec![5], vec![], vec![], vec![], vec![7]]);
    }

    #[test]
    fn nothing_is_said_of_the_way_over_a_gap() {
        let mut motion = Motion::default();
        let mut from = |fix| motion.admit(fix, &LIMITS).map(|leg| leg.from.is_some()).collect::<Vec<_>>();
        assert_eq!(from(fix(0, 0.0, 0.0)), [false]);
        assert_eq!(from(fix(600, 10.0, 0.0)), [true]);
        assert_eq!(from(fix(1_201, 20.0, 0.0)), [false]);
        assert_eq!(from(Fix::new(i64::MAX, Point { lon: 106.0, lat: 29.8 }, None).unwrap()), [false]);
    }
}
