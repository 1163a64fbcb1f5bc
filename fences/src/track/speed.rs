//! How fast a subject is at least, from where it was and how sure that is.

use serde::{Deserialize, Serialize};

use super::fix::Fix;
use super::motion::{Motion, MotionLimits};
use crate::point::Point;

/// How the speed of a subject is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speedometer {
    /// Fixes at least so far apart are compared: over a short time, the error of a fix looks like speed.
    pub over_ms: i64,
    /// Which fixes are believed, and after how long a pause measuring begins anew.
    pub limits: MotionLimits,
}

/// All that is remembered of one subject: its motion, and the fix from which its speed is measured next.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeedState {
    motion: Motion,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<Fix>,
}

/// Measured between two fixes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    /// In a straight line, less the radius of both fixes, metres per second: no subject is slower.
    pub at_least_mps: f64,
    /// Where and when the measured way began.
    pub from: Fix,
    /// Where and when it ended.
    pub to: Fix,
}

impl Speedometer {
    /// The speed since the last one, once there is enough time between. Only fixes where `counts` holds are compared, and
    /// the way between two of them must not have left there by a fix.
    pub fn step(&self, state: &mut SpeedState, fix: Fix, counts: impl Fn(Point) -> bool) -> Option<Speed> {
        let mut speed = None;
        for leg in state.motion.admit(fix, &self.limits) {
            if !counts(leg.to.point) {
                state.base = None;
                continue;
            }
            let Some(from) = state.base.filter(|_| leg.from.is_some()) else {
                state.base = Some(leg.to);
                continue;
            };
            let span_ms = leg.to.at_ms.saturating_sub(from.at_ms);
            if span_ms >= self.over_ms.max(1) {
                let doubt_m = from.radius_m() + leg.to.radius_m();
                let length_m = (from.point.distance_m(leg.to.point) - doubt_m).max(0.0);
                speed = Some(Speed { at_least_mps: length_m / (span_ms as f64 / 1000.0), from, to: leg.to });
                state.base = Some(leg.to);
            }
        }
        speed
    }
}
