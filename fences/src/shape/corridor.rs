//! A line with a width: a road, a pipeline, a patrol path.

use super::path::Path;
use super::{Flaw, FlawKind, Place};
use crate::geodesic::{DEGREE_OF_LATITUDE_M_MIN, distance_to_edge_m, distance_to_nearest_m};
use crate::plane::Xy;
use crate::point::{Bounds, Point};

/// Metres.
pub const WIDTH_M_MAX: f64 = 200_000.0;

/// All points within half a width of a path, the border included; its ends are round. Between two vertices the path is
/// the straight line of longitude and latitude, the short way around the Earth.
#[derive(Debug, Clone, PartialEq)]
pub struct Corridor {
    path: Path,
    width_m: f64,
    bounds: Bounds,
}

impl Corridor {
    /// # Errors
    ///
    /// The first fatal flaw of the path (fewer than two different points, a point out of range), or
    /// [`FlawKind::BadWidth`] for a width that is not a positive number of metres up to [`WIDTH_M_MAX`].
    pub fn new(path: &[Point], width_m: f64) -> Result<Corridor, Flaw> {
        Corridor::along(Path::new(path)?, width_m)
    }

    pub(crate) fn along(path: Path, width_m: f64) -> Result<Corridor, Flaw> {
        if !(f64::MIN_POSITIVE..=WIDTH_M_MAX).contains(&width_m) {
            return Err(Flaw { kind: FlawKind::BadWidth { width_m }, place: Place::default() });
        }
        let bounds = path.bounds().grown_m(width_m / 2.0);
        Ok(Corridor { path, width_m, bounds })
    }

    /// Within half the width of the path.
    pub fn contains(&self, point: Point) -> bool {
        let p = point.xy();
        self.bounds.holds(p) && self.path.edges().any(|(a, b)| self.reaches(p, a, b))
    }

    /// `p` is within half the width of one edge.
    pub(crate) fn reaches(&self, p: Xy, a: Xy, b: Xy) -> bool {
        let half_m = self.width_m / 2.0;
        let lat_gap = (a.y.min(b.y) - p.y).max(p.y - a.y.max(b.y));
        lat_gap * DEGREE_OF_LATITUDE_M_MIN <= half_m && distance_to_edge_m(p, a, b) <= half_m
    }

    /// Metres from side to side.
    pub fn width_m(&self) -> f64 {
        self.width_m
    }

    /// The middle line's vertices.
    pub fn points(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        self.path.points()
    }

    /// A box around it; from -180 to 180 where it lies across the antimeridian or over a pole.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the corridor bends back on itself the border can be further away than this for a point inside.
    pub(super) fn distance_to_border_m(&self, point: Point) -> f64 {
        (distance_to_nearest_m(point.xy(), || self.path.edges()) - self.width_m / 2.0).abs()
    }
}
