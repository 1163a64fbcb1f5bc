//! A polygon with holes: who is inside, how far the border is.

use super::{Checked, Draft, Flaw, Shape, check};
use crate::geodesic::distance_to_nearest_m;
use crate::plane::{Edge, Xy, is_odd, ring_edges};
use crate::point::{Bounds, Point};

/// Checked: rings do not cross, holes lie inside. Rings run either way.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    /// The shell, then the holes; the last vertex of each joins its first and is not repeated.
    rings: Vec<Vec<Xy>>,
    bounds: Bounds,
}

impl Polygon {
    /// The first vertex of a ring may be repeated at its end or not, rings run either way, and repeated points are mended.
    ///
    /// # Errors
    ///
    /// The first fatal flaw, with its place.
    pub fn new(shell: &[Point], holes: &[Vec<Point>]) -> Result<Polygon, Flaw> {
        let rings = std::iter::once(shell).chain(holes.iter().map(Vec::as_slice));
        let rings = rings.map(|ring| {
            let mut positions: Vec<[f64; 2]> = ring.iter().map(|p| [p.lon, p.lat]).collect();
            positions.extend(positions.first().copied());
            positions
        });
        let Checked { shape, flaws } = check(Draft { polygons: vec![rings.collect()], is_multi: false, is_cut: false });
        match (shape, flaws.into_iter().find(Flaw::is_fatal)) {
            (Some(Shape::Polygon(polygon)), None) => Ok(polygon),
            (_, Some(flaw)) => Err(flaw),
            (_, None) => unreachable!("a draft of one polygon is that polygon or has a fatal flaw"),
        }
    }

    /// Only for rings that were checked.
    pub(super) fn from_checked(rings: Vec<Vec<Xy>>) -> Polygon {
        let bounds = Bounds::around(rings.first().into_iter().flatten().copied());
        Polygon { rings, bounds }
    }

    /// Exact; the lower and the left border are inside, the upper and the right one are not.
    pub fn contains(&self, point: Point) -> bool {
        let p = point.asked();
        self.bounds.holds(p) && is_odd(self.edges(), p)
    }

    /// The least box around the shell.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The shell first, then the holes; the first vertex is not repeated at the end.
    pub fn rings(&self) -> impl ExactSizeIterator<Item = impl ExactSizeIterator<Item = Point> + '_> + '_ {
        self.rings.iter().map(|ring| ring.iter().copied().map(Point::from))
    }

    pub(crate) fn corners(&self) -> impl Iterator<Item = Xy> + '_ {
        self.rings.iter().flatten().copied()
    }

    /// Each ring with its first vertex again at its end.
    pub(crate) fn closed_rings(&self) -> impl Iterator<Item = impl Iterator<Item = Xy> + '_> + '_ {
        self.rings.iter().map(|ring| ring.iter().chain(ring.first()).copied())
    }

    pub(crate) fn edges(&self) -> impl Iterator<Item = Edge> + '_ {
        self.rings.iter().flat_map(|ring| ring_edges(ring))
    }

    pub(super) fn distance_to_border_m(&self, point: Point) -> f64 {
        let p = point.xy();
        distance_to_nearest_m(p, || self.edges().map(|edge| (edge.low, edge.high)))
    }
}
