//! Staying about one place. Knows no limit of time: that is its caller's.

use serde::{Deserialize, Serialize};

use super::fix::Fix;
use super::motion::{Motion, MotionLimits};

/// How near to one place a subject must keep to stay there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loiter {
    /// Who is farther from where he began to stay has moved on, metres.
    pub radius_m: f64,
    /// Which fixes are believed, and after how long a pause a stay begins anew.
    pub limits: MotionLimits,
}

/// All that is remembered of one subject: its motion, and the fix with which its stay began.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoiterState {
    motion: Motion,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<Fix>,
}

/// What a fix says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stay {
    /// Still about the place where it has been since then.
    Here {
        /// Time of the fix with which the stay began, milliseconds.
        since_ms: i64,
    },
    /// No longer about the place; a new stay begins with this fix.
    Moved,
}

impl Loiter {
    /// None where the fix is not heard.
    pub fn step(&self, state: &mut LoiterState, fix: Fix) -> Option<Stay> {
        let mut stay = None;
        for leg in state.motion.admit(fix, &self.limits) {
            let is_here = |place: &Fix| place.point.distance_m(leg.to.point) <= self.radius_m + leg.to.radius_m();
            stay = Some(match state.place.filter(|place| leg.from.is_some() && is_here(place)) {
                Some(place) => Stay::Here { since_ms: place.at_ms },
                None => {
                    state.place = Some(leg.to);
                    Stay::Moved
                }
            });
        }
        stay
    }

    /// The stay is over for another reason than having moved.
    pub fn leave(&self, state: &mut LoiterState) {
        state.place = None;
    }
}
