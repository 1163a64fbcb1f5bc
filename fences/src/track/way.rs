//! The straight way between two fixes, and where it passes through a fence in which neither lies.

use crate::fence::Fence;
use crate::geodesic::metres_per_degree;
use crate::point::{Bounds, Point};

/// The shorter way around the Earth, straight in longitude and latitude.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    from: Point,
    lon_span: f64,
    lat_span: f64,
    pub(super) length_m: f64,
}

/// A stretch of the way inside a fence, as shares of the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Passage {
    pub(super) enter: f64,
    pub(super) leave: f64,
    /// The farthest from the border that was seen within.
    pub(super) depth_m: f64,
}

/// A fence whose border the way crosses for less than this may be missed.
const STEP_MIN_M: f64 = 1.0;
/// Steps along one way, so that a way along a border costs what others cost.
const STEPS_MAX: usize = 2_000;
/// How much nearer a border may be than its distance says: lengths of ways are those on a sphere.
pub(super) const SURE_SHARE: f64 = 0.99;

impl Way {
    pub(super) fn new(from: Point, to: Point) -> Way {
        let lon_span = to.lon - from.lon;
        let lon_span = if lon_span.abs() > 180.0 { lon_span - 360.0_f64.copysign(lon_span) } else { lon_span };
        Way { from, lon_span, lat_span: to.lat - from.lat, length_m: from.distance_m(to) }
    }

    pub(super) fn at(&self, share: f64) -> Point {
        let lon = wrapped(self.from.lon + self.lon_span * share);
        Point { lon, lat: (self.from.lat + self.lat_span * share).clamp(-90.0, 90.0) }
    }

    /// Whether the boxes around the way and around a fence have a point in common.
    pub(super) fn comes_near(&self, bounds: &Bounds) -> bool {
        let (x, y) = (self.from.lon, self.from.lat);
        let (west, east) = (x.min(x + self.lon_span), x.max(x + self.lon_span));
        let (south, north) = (y.min(y + self.lat_span), y.max(y + self.lat_span));
        let meets = |shift: f64| bounds.meets(&Bounds { west: west + shift, south, east: east + shift, north });
        // Beyond the antimeridian it goes on at the other end of the map.
        meets(0.0) || (east > 180.0 && meets(-360.0)) || (west < -180.0 && meets(360.0))
    }

    /// The stretches inside a fence that begin and end on the way. From each place, the distance to the border says how
    /// far nothing changes, whatever the shape is.
    pub(super) fn passages(&self, fence: &Fence) -> Vec<Passage> {
        let (mut found, mut open) = (Vec::new(), None::<Passage>);
        let (mut share, mut is_first) = (0.0, true);
        for _ in 0..STEPS_MAX {
            if share >= 1.0 {
                break;
            }
            let point = self.at(share);
            let border_m = fence.distance_to_border_m(point);
            match (fence.contains(point), &mut open) {
                (true, Some(passage)) => passage.depth_m = passage.depth_m.max(border_m),
                (true, None) if !is_first => open = Some(Passage { enter: share, leave: share, depth_m: border_m }),
                (true, None) => return Vec::new(),
                (false, _) => found.extend(open.take().map(|passage| Passage { leave: share, ..passage })),
            }
            is_first = false;
            share += (border_m * SURE_SHARE).max(STEP_MIN_M) / self.length_m.max(STEP_MIN_M);
        }
        if !fence.contains(self.at(1.0)) {
            found.extend(open.take().map(|passage| Passage { leave: 1.0, ..passage }));
        }
        found
    }
}

/// Measures how far boxes are from a point, roughly and fast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ruler {
    point: Point,
    lon_m: f64,
    lat_m: f64,
}

impl Ruler {
    /// For distances up to `reach_m`.
    pub(super) fn new(point: Point, reach_m: f64) -> Ruler {
        let (_, lat_m) = metres_per_degree(0.0);
        // A degree of longitude is shortest at the latitude farthest from the equator.
        let (lon_m, _) = metres_per_degree((point.lat.abs() + reach_m / lat_m).min(90.0));
        Ruler { point, lon_m, lat_m }
    }

    /// Metres to a box, or less; what is beyond the reach may come out as anything beyond it.
    pub(super) fn gap_m(&self, bounds: &Bounds) -> f64 {
        let beyond = |low: f64, high: f64, v: f64| (low - v).max(v - high).max(0.0);
        let lon_gap = beyond(bounds.west, bounds.east, self.point.lon);
        let lon_gap = if lon_gap > 180.0 {
            let across = |lon: f64| beyond(bounds.west, bounds.east, lon);
            across(self.point.lon - 360.0).min(across(self.point.lon + 360.0))
        } else {
            lon_gap
        };
        let lat_gap = beyond(bounds.south, bounds.north, self.point.lat);
        (lon_gap * self.lon_m).max(lat_gap * self.lat_m) * SURE_SHARE
    }
}

/// Whether two places are at most so far apart.
pub(super) fn is_within(a: Point, b: Point, distance_m: f64) -> bool {
    // No degree is longer than this, and no way longer than along the two axes.
    const DEGREE_MAX_M: f64 = 111_700.0;
    ((a.lon - b.lon).abs() + (a.lat - b.lat).abs()) * DEGREE_MAX_M <= distance_m || a.distance_m(b) <= distance_m
}

/// How near the way from `a` to `b` comes to the origin, and at which share of it; on a plane in metres.
pub(super) fn nearest_m(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    let (along_x, along_y) = (b.0 - a.0, b.1 - a.1);
    let length_m2 = along_x * along_x + along_y * along_y;
    let share = if length_m2 > 0.0 { (-(a.0 * along_x + a.1 * along_y) / length_m2).clamp(0.0, 1.0) } else { 0.0 };
    ((a.0 + along_x * share).hypot(a.1 + along_y * share), share)
}

fn wrapped(lon: f64) -> f64 {
    if lon > 180.0 {
        lon - 360.0
    } else if lon < -180.0 {
        lon + 360.0
    } else {
        lon
    }
}
