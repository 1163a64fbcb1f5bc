//! The kinds of shape a fence can have. A further kind is a file beside these and an arm in each match here, which
//! the compiler asks for.

mod check;
mod contacts;
mod flaw;
mod multi_polygon;
mod polygon;

pub use flaw::{Flaw, FlawKind, Place, Severity};
pub use multi_polygon::MultiPolygon;
pub use polygon::Polygon;

pub(crate) use check::{Checked, Draft, check, self_contacts};
pub(crate) use flaw::Flaws;

use crate::point::{Bounds, Point};

/// Vertices of one fence, all rings together.
pub const VERTICES_MAX: usize = 50_000;
/// Rings of one fence, shells and holes of all parts together.
pub const RINGS_MAX: usize = 1_000;

#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Polygon(Polygon),
    MultiPolygon(MultiPolygon),
}

impl Shape {
    /// Exact. A point on the border that two neighbours share is in exactly one of them.
    pub fn contains(&self, point: Point) -> bool {
        self.polygons().iter().any(|polygon| polygon.contains(point))
    }

    /// Metres on the WGS-84 ellipsoid to the nearest border, of a hole too, from within and from without; within
    /// 0.1 % up to 100 km. Infinite from a point that is none.
    pub fn distance_to_border_m(&self, point: Point) -> f64 {
        self.polygons().iter().map(|polygon| polygon.distance_to_border_m(point)).fold(f64::INFINITY, f64::min)
    }

    pub fn bounds(&self) -> Bounds {
        match self {
            Shape::Polygon(polygon) => polygon.bounds(),
            Shape::MultiPolygon(multi) => multi.bounds(),
        }
    }

    /// The parts; they may share borders, and a point is in the shape when it is in any of them.
    pub fn polygons(&self) -> &[Polygon] {
        match self {
            Shape::Polygon(polygon) => std::slice::from_ref(polygon),
            Shape::MultiPolygon(multi) => multi.parts(),
        }
    }
}
