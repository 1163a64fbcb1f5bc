//! How near two movers came to each other, between their fixes too.

use serde::{Deserialize, Serialize};

use super::fix::Fix;
use super::motion::{Motion, MotionLimits};
use super::way::nearest_m;
use crate::geodesic::metres_per_degree;

/// Where a mover is, and where it came from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mover {
    motion: Motion,
    /// The fix before the last, where a way leads from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Fix>,
}

/// Two movers were so near at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearness {
    /// Between the two movers, metres.
    pub distance_m: f64,
    /// When they were so near, milliseconds by the fixes' clocks.
    pub at_ms: i64,
}

impl Mover {
    /// Whether the fix was believed.
    pub fn step(&mut self, fix: Fix, limits: &MotionLimits) -> bool {
        let mut is_heard = false;
        for leg in self.motion.admit(fix, limits) {
            self.before = leg.from;
            is_heard = true;
        }
        is_heard
    }

    /// The last fix that was believed; none before the first.
    pub fn last(&self) -> Option<&Fix> {
        self.motion.last()
    }

    /// The least distance while both moved between their last two fixes; where those times have nothing in common, the
    /// distance of their last fixes, if not more than `apart_max_ms` lies between.
    pub fn nearness(&self, other: &Mover, apart_max_ms: i64) -> Option<Nearness> {
        let (a, b) = (self.last()?, other.last()?);
        let (a_from, b_from) = (self.before.as_ref().unwrap_or(a), other.before.as_ref().unwrap_or(b));
        let (from_ms, to_ms) = (a_from.at_ms.max(b_from.at_ms), a.at_ms.min(b.at_ms));
        let apart_ms = a.at_ms.saturating_sub(b.at_ms).saturating_abs();
        if from_ms > to_ms {
            let nearness = Nearness { distance_m: a.point.distance_m(b.point), at_ms: a.at_ms.max(b.at_ms) };
            return (apart_ms <= apart_max_ms).then_some(nearness);
        }
        // Seen from `other`, on the plane that touches the Earth at it, `self` goes straight.
        let (lon_m, lat_m) = metres_per_degree(b.point.lat);
        let seen = |at_ms: i64| {
            let ((a_lon, a_lat), (b_lon, b_lat)) = (between(a_from, a, at_ms), between(b_from, b, at_ms));
            let lon = a_lon - b_lon;
            let lon = if lon.abs() > 180.0 { lon - 360.0_f64.copysign(lon) } else { lon };
            (lon * lon_m, (a_lat - b_lat) * lat_m)
        };
        let (distance_m, share) = nearest_m(seen(from_ms), seen(to_ms));
        let at_ms = from_ms.saturating_add((to_ms.saturating_sub(from_ms) as f64 * share).round() as i64);
        Some(Nearness { distance_m, at_ms })
    }
}

/// Longitude and latitude at a time between two fixes; beyond 180 degrees where the way is.
fn between(from: &Fix, to: &Fix, at_ms: i64) -> (f64, f64) {
    let span_ms = to.at_ms.saturating_sub(from.at_ms) as f64;
    let share = if span_ms > 0.0 { at_ms.saturating_sub(from.at_ms) as f64 / span_ms } else { 1.0 };
    let lon_span = to.point.lon - from.point.lon;
    let lon_span = if lon_span.abs() > 180.0 { lon_span - 360.0_f64.copysign(lon_span) } else { lon_span };
    (from.point.lon + lon_span * share, from.point.lat + (to.point.lat - from.point.lat) * share)
}
