//! Several polygons as one shape: a district with its exclaves.

use super::Polygon;
use crate::point::Bounds;

#[derive(Debug, Clone, PartialEq)]
pub struct MultiPolygon {
    parts: Vec<Polygon>,
    bounds: Bounds,
}

impl MultiPolygon {
    pub fn new(parts: Vec<Polygon>) -> MultiPolygon {
        let bounds = parts.iter().fold(Bounds::EMPTY, |bounds, part| bounds.union(&part.bounds()));
        MultiPolygon { parts, bounds }
    }

    pub fn parts(&self) -> &[Polygon] {
        &self.parts
    }

    pub fn bounds(&self) -> Bounds {
        self.bounds
    }
}
