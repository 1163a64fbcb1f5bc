//! The kinds of shape a fence can have. A further kind is a file beside these and an arm in each match here, which
//! the compiler asks for.

mod check;
mod circle;
mod contacts;
mod corridor;
mod cut;
mod flaw;
mod line;
mod multi_polygon;
mod path;
mod polygon;

pub use circle::{Circle, RADIUS_M_MAX};
pub use corridor::{Corridor, WIDTH_M_MAX};
pub use flaw::{Flaw, FlawKind, Place, Severity};
pub use line::{Crossing, Direction, Line};
pub use multi_polygon::MultiPolygon;
pub use polygon::Polygon;

pub(crate) use check::{Checked, Draft, check, self_contacts};
pub(crate) use flaw::{Flaws, why_no_point};
pub(crate) use path::Path;

use crate::point::{Bounds, Point};

/// Vertices of one fence, all rings together.
pub const VERTICES_MAX: usize = 50_000;
/// Rings of one fence, shells and holes of all parts together.
pub const RINGS_MAX: usize = 1_000;

/// What a fence covers. All but a [`Line`] have an inside.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// One outline, with holes.
    Polygon(Polygon),
    /// Several outlines.
    MultiPolygon(MultiPolygon),
    /// All within a distance of a centre.
    Circle(Circle),
    /// All within half a width of a path.
    Corridor(Corridor),
    /// A tripwire: contains nothing and is crossed.
    Line(Line),
}

impl Shape {
    /// From a west side to an east side and from a south to a north. Where west is greater than east, it lies across the
    /// antimeridian, as RFC 7946 says of boxes.
    ///
    /// # Errors
    ///
    /// The first flaw: a side out of range, or no area.
    pub fn rectangle(bounds: Bounds) -> Result<Shape, Flaw> {
        let Bounds { west, south, east, north } = bounds;
        let part = |west, east| {
            let corners = [(west, south), (east, south), (east, north), (west, north)];
            Polygon::new(&corners.map(|(lon, lat)| Point { lon, lat }), &[])
        };
        if west <= east {
            return part(west, east).map(Shape::Polygon);
        }
        // A side on the antimeridian itself leaves nothing beyond it.
        let parts = [(west, 180.0), (-180.0, east)].into_iter().filter(|(west, east)| west != east);
        let parts = parts.map(|(west, east)| part(west, east)).collect::<Result<Vec<_>, Flaw>>()?;
        Ok(Shape::MultiPolygon(MultiPolygon::new(parts)))
    }

    /// Exact. A point on the border that two neighbouring polygons share is in exactly one of them; the rims of circles
    /// and corridors belong to them. Never true of a [`Line`] or of a point that is none.
    pub fn contains(&self, point: Point) -> bool {
        match self {
            Shape::Polygon(polygon) => polygon.contains(point),
            Shape::MultiPolygon(multi) => multi.parts().iter().any(|part| part.contains(point)),
            Shape::Circle(circle) => circle.contains(point),
            Shape::Corridor(corridor) => corridor.contains(point),
            Shape::Line(_) => false,
        }
    }

    /// Metres on the WGS-84 ellipsoid to the nearest border, of a hole too, from within and from without; to a [`Line`]
    /// itself. Within 0.1 % up to 100 km. Infinite from a point that is none.
    pub fn distance_to_border_m(&self, point: Point) -> f64 {
        if Point::new(point.lon, point.lat).is_none() {
            return f64::INFINITY;
        }
        match self {
            Shape::Polygon(_) | Shape::MultiPolygon(_) => {
                self.polygons().iter().map(|part| part.distance_to_border_m(point)).fold(f64::INFINITY, f64::min)
            }
            Shape::Circle(circle) => circle.distance_to_border_m(point),
            Shape::Corridor(corridor) => corridor.distance_to_border_m(point),
            Shape::Line(line) => line.distance_to_border_m(point),
        }
    }

    /// A box around it. What reaches across the antimeridian or over a pole has all longitudes.
    pub fn bounds(&self) -> Bounds {
        match self {
            Shape::Polygon(polygon) => polygon.bounds(),
            Shape::MultiPolygon(multi) => multi.bounds(),
            Shape::Circle(circle) => circle.bounds(),
            Shape::Corridor(corridor) => corridor.bounds(),
            Shape::Line(line) => line.bounds(),
        }
    }

    /// The parts of a polygon or multipolygon, none of other kinds. They may share borders, and a point is in the shape
    /// when it is in any of them.
    pub fn polygons(&self) -> &[Polygon] {
        match self {
            Shape::Polygon(polygon) => std::slice::from_ref(polygon),
            Shape::MultiPolygon(multi) => multi.parts(),
            Shape::Circle(_) | Shape::Corridor(_) | Shape::Line(_) => &[],
        }
    }
}
