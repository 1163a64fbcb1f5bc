//! Several polygons as one shape: a district with its exclaves.

use super::Polygon;
use crate::point::Bounds;

/// A point in any part is in it; parts may touch and overlap.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiPolygon {
    parts: Vec<Polygon>,
    bounds: Bounds,
}

impl MultiPolygon {
    /// Of parts that are checked each by itself.
    pub fn new(parts: Vec<Polygon>) -> MultiPolygon {
        let bounds = parts.iter().fold(Bounds::EMPTY, |bounds, part| bounds.union(&part.bounds()));
        MultiPolygon { parts, bounds }
    }

    /// In the order in which they were given.
    pub fn parts(&self) -> &[Polygon] {
        &self.parts
    }

    /// The least box around all parts.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }
}
