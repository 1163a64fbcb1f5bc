//! A line on the map and the way across it. What goes over it and comes back at once did not cross it.

use serde::{Deserialize, Serialize};

use super::fix::Fix;
use super::motion::{Leg, Motion, MotionLimits};
use crate::shape::{Crossing, Direction, Line};

/// A line, and when who went over it has crossed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tripwire {
    line: Line,
    /// Nobody is on one side who is nearer to the line than this, metres.
    buffer_m: f64,
    limits: MotionLimits,
}

/// All that is remembered of one subject and one line.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TripwireState {
    motion: Motion,
    /// How often it went over the line since it was last clear of it: from left to right counts up, back counts down.
    #[serde(default, skip_serializing_if = "is_zero")]
    net: i32,
    /// When it first did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_ms: Option<i64>,
}

/// The line was crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trip {
    /// Which way it went, with going over and coming back weighed against each other.
    pub direction: Direction,
    /// When, in proportion to the way between the two fixes.
    pub at_ms: i64,
}

impl Tripwire {
    /// Nobody has crossed the line who is not yet over `buffer_m` metres away from it.
    pub fn new(line: Line, buffer_m: f64, limits: MotionLimits) -> Tripwire {
        Tripwire { line, buffer_m, limits }
    }

    /// The line that is crossed.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// The crossing that a fix shows.
    pub fn step(&self, state: &mut TripwireState, fix: Fix) -> Option<Trip> {
        let mut is_heard = false;
        for leg in state.motion.admit(fix, &self.limits) {
            self.count(state, leg);
            is_heard = true;
        }
        if !is_heard || state.first_ms.is_none() || self.line.distance_to_border_m(fix.point) <= self.buffer_m {
            return None;
        }
        let (net, first_ms) = (std::mem::take(&mut state.net), state.first_ms.take()?);
        let direction = if net > 0 { Direction::LeftToRight } else { Direction::RightToLeft };
        (net != 0).then_some(Trip { direction, at_ms: first_ms })
    }

    fn count(&self, state: &mut TripwireState, leg: Leg) {
        let Some(from) = leg.from else {
            // How it got here is not known.
            (state.net, state.first_ms) = (0, None);
            return;
        };
        for Crossing { direction, share, .. } in self.line.crossings(from.point, leg.to.point) {
            state.net = state.net.saturating_add(if direction == Direction::LeftToRight { 1 } else { -1 });
            let span_ms = leg.to.at_ms.saturating_sub(from.at_ms);
            let at_ms = from.at_ms.saturating_add((span_ms as f64 * share).round() as i64);
            state.first_ms = Some(state.first_ms.map_or(at_ms, |first_ms| first_ms.min(at_ms)));
        }
    }
}

fn is_zero(n: &i32) -> bool {
    *n == 0
}
