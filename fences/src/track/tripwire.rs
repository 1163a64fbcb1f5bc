//! A line on the map and the way across it. What goes over it and comes back at once did not cross it.

use serde::{Deserialize, Serialize};

use super::fix::Fix;
use super::motion::{Leg, Motion, MotionLimits};
use super::way::stretch_m;
use crate::plane::{Xy, turn};
use crate::point::Point;

/// Checked: two points at least, at most [`POINTS_MAX`], and no two alike in a row. Does not reach over the antimeridian.
#[derive(Debug, Clone, PartialEq)]
pub struct Tripwire {
    line: Vec<Xy>,
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

/// As seen by who walks the line from its first point to its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Begins on the left of the line and ends on its right.
    LeftToRight,
    /// Begins on the right of the line and ends on its left.
    RightToLeft,
}

/// The line was crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trip {
    /// Which way it went, with going over and coming back weighed against each other.
    pub direction: Direction,
    /// When, in proportion to the way between the two fixes.
    pub at_ms: i64,
}

/// Why a line is no tripwire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TripwireError {
    /// Fewer than two different points, or more than [`POINTS_MAX`] points.
    #[error("a line needs two different points at least and has at most {POINTS_MAX}")]
    Points,
    /// Index of the first point, from 0, that is no longitude and latitude in degrees.
    #[error("point {0} is not a longitude and latitude")]
    Point(usize),
    /// Two points in a row are more than 180 degrees of longitude apart.
    #[error("a line across the antimeridian must be cut there")]
    Antimeridian,
}

/// Points of one line.
pub const POINTS_MAX: usize = 1_000;

impl Tripwire {
    /// `line` is longitude, latitude in degrees; nobody has crossed it who is not yet over `buffer_m` metres away.
    pub fn new(line: &[[f64; 2]], buffer_m: f64, limits: MotionLimits) -> Result<Tripwire, TripwireError> {
        let mut points: Vec<Xy> = Vec::new();
        for (i, [lon, lat]) in line.iter().enumerate() {
            points.push(Point::new(*lon, *lat).ok_or(TripwireError::Point(i))?.xy());
        }
        points.dedup();
        if points.len() < 2 || line.len() > POINTS_MAX {
            return Err(TripwireError::Points);
        }
        if points.windows(2).any(|pair| (pair[0].x - pair[1].x).abs() > 180.0) {
            return Err(TripwireError::Antimeridian);
        }
        Ok(Tripwire { line: points, buffer_m, limits })
    }

    /// The crossing that a fix shows.
    pub fn step(&self, state: &mut TripwireState, fix: Fix) -> Option<Trip> {
        let mut is_heard = false;
        for leg in state.motion.admit(fix, &self.limits) {
            self.count(state, leg);
            is_heard = true;
        }
        if !is_heard || state.first_ms.is_none() || self.distance_m(fix.point) <= self.buffer_m {
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
        let (a, b) = (from.point.xy(), leg.to.point.xy());
        if (a.x - b.x).abs() > 180.0 {
            return;
        }
        for pair in self.line.windows(2) {
            let (sign, share) = crossed(a, b, pair[0], pair[1]);
            if sign != 0 {
                state.net = state.net.saturating_add(sign);
                let span_ms = leg.to.at_ms.saturating_sub(from.at_ms);
                state.first_ms.get_or_insert(from.at_ms.saturating_add((span_ms as f64 * share).round() as i64));
            }
        }
    }

    fn distance_m(&self, point: Point) -> f64 {
        let stretches = self.line.windows(2).map(|pair| stretch_m(point, pair[0].into(), pair[1].into()));
        stretches.fold(f64::INFINITY, f64::min)
    }
}

/// Whether the way from `a` to `b` goes over the stretch from `c` to `d`, +1 from its left to its right, and at which
/// share of the way. Who stands on the line is on its right: so a way in two legs crosses once, wherever it is cut.
fn crossed(a: Xy, b: Xy, c: Xy, d: Xy) -> (i32, f64) {
    let (a_side, b_side) = (turn(c, d, a), turn(c, d, b));
    if (a_side > 0.0) == (b_side > 0.0) || (turn(a, b, c) > 0.0) == (turn(a, b, d) > 0.0) {
        return (0, 0.0);
    }
    let share = a_side / (a_side - b_side);
    (if a_side > 0.0 { 1 } else { -1 }, if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 })
}

fn is_zero(n: &i32) -> bool {
    *n == 0
}
