//! A named area on the map. Knows nothing of rules or schedules.

use std::sync::Arc;

use crate::point::{Bounds, Point};
use crate::shape::Shape;

/// A shape with an id and a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Fence {
    /// What rules call it; unique among all fences.
    pub id: Arc<str>,
    /// What people call it.
    pub name: String,
    /// What it covers.
    pub shape: Shape,
}

impl Fence {
    /// Exact. A point on the border that two neighbours share is in exactly one of them.
    pub fn contains(&self, point: Point) -> bool {
        self.shape.contains(point)
    }

    /// Metres to the nearest border; see [`Shape::distance_to_border_m`].
    pub fn distance_to_border_m(&self, point: Point) -> f64 {
        self.shape.distance_to_border_m(point)
    }

    /// A box around it; see [`Shape::bounds`].
    pub fn bounds(&self) -> Bounds {
        self.shape.bounds()
    }
}
