//! A polygon with holes: who is inside, how far the border is.

use super::{Checked, Draft, Flaw, Shape, check};
use crate::plane::{Edge, Xy, is_odd, ring_edges};
use crate::point::{Bounds, Point, metres_per_degree};

/// Checked: rings do not cross, holes lie inside. Rings run either way.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    /// The shell, then the holes; the last vertex of each joins its first and is not repeated.
    rings: Vec<Vec<Xy>>,
    bounds: Bounds,
}

impl Polygon {
    /// The first vertex of a ring may be repeated at its end or not. The first fatal flaw where there is one;
    /// repeated points are mended.
    pub fn new(shell: &[Point], holes: &[Vec<Point>]) -> Result<Polygon, Flaw> {
        let rings = std::iter::once(shell).chain(holes.iter().map(Vec::as_slice));
        let rings = rings.map(|ring| {
            let mut positions: Vec<[f64; 2]> = ring.iter().map(|p| [p.lon, p.lat]).collect();
            positions.extend(positions.first().copied());
            positions
        });
        let Checked { shape, flaws } = check(Draft { polygons: vec![rings.collect()], is_multi: false });
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

    pub fn contains(&self, point: Point) -> bool {
        let p = point.xy();
        self.bounds.holds(p) && is_odd(self.edges(), p)
    }

    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The shell first, then the holes; the first vertex is not repeated at the end.
    pub fn rings(&self) -> impl ExactSizeIterator<Item = impl ExactSizeIterator<Item = Point> + '_> + '_ {
        self.rings.iter().map(|ring| ring.iter().copied().map(Point::from))
    }

    pub(crate) fn edges(&self) -> impl Iterator<Item = Edge> + '_ {
        self.rings.iter().flat_map(|ring| ring_edges(ring))
    }

    pub(super) fn distance_to_border_m(&self, point: Point) -> f64 {
        let Some(point) = Point::new(point.lon, point.lat) else { return f64::INFINITY };
        let mut p = point.xy();
        // A point just beyond the antimeridian is near, not 360 degrees away.
        let middle = (self.bounds.west + self.bounds.east) / 2.0;
        p.x += if p.x - middle > 180.0 {
            -360.0
        } else if middle - p.x > 180.0 {
            360.0
        } else {
            0.0
        };

        let scale = metres_per_degree(p.y);
        let mut nearest = (f64::INFINITY, p);
        for edge in self.edges() {
            let q = nearest_on(edge, p, scale);
            let squared_m2 = squared_m2(p, q, scale);
            if squared_m2 < nearest.0 {
                nearest = (squared_m2, q);
            }
        }
        // Which point is nearest was found with the scale at `p`; how far it is wants the scale half-way.
        squared_m2(p, nearest.1, metres_per_degree((p.y + nearest.1.y) / 2.0)).sqrt()
    }
}

fn nearest_on(edge: Edge, p: Xy, (lon_m, lat_m): (f64, f64)) -> Xy {
    let (a, b) = (edge.low, edge.high);
    let (along_x, along_y) = ((b.x - a.x) * lon_m, (b.y - a.y) * lat_m);
    let (to_x, to_y) = ((p.x - a.x) * lon_m, (p.y - a.y) * lat_m);
    let length_m2 = along_x * along_x + along_y * along_y;
    if length_m2 == 0.0 {
        return a;
    }
    let share = ((to_x * along_x + to_y * along_y) / length_m2).clamp(0.0, 1.0);
    Xy::new(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share)
}

fn squared_m2(p: Xy, q: Xy, (lon_m, lat_m): (f64, f64)) -> f64 {
    let (dx, dy) = ((p.x - q.x) * lon_m, (p.y - q.y) * lat_m);
    dx * dx + dy * dy
}
