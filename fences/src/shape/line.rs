//! A line that is crossed: a tripwire.

use super::Flaw;
use super::path::Path;
use crate::geodesic::{distance_to_nearest_m, near_longitude};
use crate::plane::{Xy, is_way_crossed};
use crate::point::{Bounds, Point};

/// A directed line: it has no inside, but a left and a right, seen by one who walks along it. Between two vertices it is
/// the straight line of longitude and latitude, the short way around the Earth.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    path: Path,
    bounds: Bounds,
}

/// One passage over a [`Line`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// From which side to which.
    pub direction: Direction,
    /// Where, rounded.
    pub at: Point,
    /// How much of the way was behind then, 0 to 1, rounded.
    pub share: f64,
}

/// Sides are those of one who walks along the line from its first point to its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Came from the left and went to the right.
    LeftToRight,
    /// Came from the right and went to the left.
    RightToLeft,
}

impl Line {
    /// # Errors
    ///
    /// The first fatal flaw: fewer than two different points, or a point out of range.
    pub fn new(path: &[Point]) -> Result<Line, Flaw> {
        Path::new(path).map(Line::along)
    }

    pub(crate) fn along(path: Path) -> Line {
        let bounds = path.bounds();
        Line { path, bounds }
    }

    /// Each passage over the line on the straight way from one point to another, in the order of the line's edges. Which
    /// there are is exact: of a way in steps, each passage belongs to one step, also where a step ends on the line or
    /// passes through a vertex of it. A way that touches the line and turns back passes twice or not at all.
    pub fn crossings(&self, from: Point, to: Point) -> impl Iterator<Item = Crossing> + '_ {
        self.path.edges().filter_map(move |(a, b)| {
            let p = near(from.xy(), f64::midpoint(a.x, b.x));
            let q = near(to.xy(), p.x);
            let share = is_way_crossed(a, b, p, q)?;
            let at = Point {
                lon: near_longitude(p.x + (q.x - p.x) * share.of_way, 0.0),
                lat: p.y + (q.y - p.y) * share.of_way,
            };
            let direction = if share.from_left { Direction::LeftToRight } else { Direction::RightToLeft };
            Some(Crossing { direction, at, share: share.of_way })
        })
    }

    /// The vertices, first to last.
    pub fn points(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        self.path.points()
    }

    /// A box around it; from -180 to 180 where it lies across the antimeridian.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    pub(crate) fn distance_to_border_m(&self, point: Point) -> f64 {
        distance_to_nearest_m(point.xy(), || self.path.edges())
    }
}

fn near(p: Xy, about: f64) -> Xy {
    Xy { x: near_longitude(p.x, about), y: p.y }
}
