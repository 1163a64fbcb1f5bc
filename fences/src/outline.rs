//! Whether fences lie within the outline of the ground that they are for. Borders of neighbours are drawn by different
//! hands, so what lies a little beyond is not told.

use crate::coordinates::Coordinates;
use crate::fence::Fence;
use crate::geodesic::metres_per_degree;
use crate::plane::Xy;
use crate::point::Point;
use crate::shape::{Polygon, Shape};

/// A corner that is beyond the outline by no more than this is on it, in metres.
pub const BEYOND_M_MIN: f64 = 50.0;
/// Corners of one fence that are looked at.
const CORNERS_MAX: usize = 2_000;
/// So many of all corners must come to lie within for a reading to be proposed.
const FIT_SHARE: f64 = 0.95;

/// A fence that does not lie within.
#[derive(Debug, Clone, PartialEq)]
pub struct Beyond {
    /// Corners that lie beyond, and corners that were looked at.
    pub n_beyond: usize,
    /// Of a circle, its centre; of corridors and lines, the vertices of their paths.
    pub n_corners: usize,
    /// The corner that is farthest from the outline.
    pub farthest: Point,
    /// How far, in metres.
    pub beyond_m: f64,
    /// What would mend it.
    pub repair: Repair,
}

/// What would bring a fence into the outline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Repair {
    /// To read its file as drawn in this system.
    ReadAs(Coordinates),
    /// To write longitude before latitude.
    Swap,
    /// To move the farthest corner, and those like it, to the outline, whose nearest place this is.
    MoveTo(Point),
}

/// How a fence lies beyond an outline; `None` where it lies within, or the outline has no area.
pub fn beyond(fence: &Fence, outline: &Fence) -> Option<Beyond> {
    let parts = outline.shape.polygons();
    let corners = corners(&fence.shape);
    let is_within = |point: Point| {
        outline.contains(point) || nearest(point, parts).is_none_or(|(_, apart_m)| apart_m <= BEYOND_M_MIN)
    };
    let outside: Vec<Point> = corners.iter().copied().filter(|corner| !is_within(*corner)).collect();
    let far = outside.iter().filter_map(|corner| nearest(*corner, parts).map(|(place, m)| (*corner, place, m)));
    let (farthest, place, beyond_m) = far.max_by(|a, b| a.2.total_cmp(&b.2))?;
    let fits = |reading: &dyn Fn(Point) -> Option<Point>| {
        let n = corners.iter().filter(|corner| reading(**corner).is_some_and(is_within)).count();
        n as f64 >= FIT_SHARE * corners.len() as f64
    };
    let systems = [Coordinates::Gcj02, Coordinates::Bd09];
    let repair = match systems.into_iter().find(|system| fits(&|point| Some(system.to_wgs84(point)))) {
        Some(system) => Repair::ReadAs(system),
        None if fits(&|point| Point::new(point.lat, point.lon)) => Repair::Swap,
        None => Repair::MoveTo(place),
    };
    Some(Beyond { n_beyond: outside.len(), n_corners: corners.len(), farthest, beyond_m, repair })
}

fn corners(shape: &Shape) -> Vec<Point> {
    let all: Vec<Point> = match shape {
        Shape::Circle(circle) => vec![circle.center()],
        Shape::Corridor(corridor) => corridor.points().collect(),
        Shape::Line(line) => line.points().collect(),
        Shape::Polygon(_) | Shape::MultiPolygon(_) => {
            shape.polygons().iter().flat_map(Polygon::corners).map(Point::from).collect()
        }
    };
    let step = all.len().div_ceil(CORNERS_MAX).max(1);
    all.into_iter().step_by(step).collect()
}

/// The nearest place of a border, and metres to it: on the plane that touches the Earth there.
fn nearest(point: Point, parts: &[Polygon]) -> Option<(Point, f64)> {
    let (lon_m, lat_m) = metres_per_degree(point.lat);
    let p = point.xy();
    let along = |a: Xy, b: Xy| {
        let (ax, ay) = ((a.x - p.x) * lon_m, (a.y - p.y) * lat_m);
        let (dx, dy) = ((b.x - a.x) * lon_m, (b.y - a.y) * lat_m);
        let length_m2 = dx * dx + dy * dy;
        let share = if length_m2 > 0.0 { (-(ax * dx + ay * dy) / length_m2).clamp(0.0, 1.0) } else { 0.0 };
        let place = Point { lon: a.x + (b.x - a.x) * share, lat: a.y + (b.y - a.y) * share };
        (place, (ax + dx * share).hypot(ay + dy * share))
    };
    let edges = parts.iter().flat_map(Polygon::edges);
    edges.map(|edge| along(edge.low, edge.high)).min_by(|a, b| a.1.total_cmp(&b.1))
}
