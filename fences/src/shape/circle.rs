//! All points within a distance of a centre.

use super::{Flaw, FlawKind, Place};
use crate::geodesic::{self, Ecef};
use crate::point::{Bounds, Point};

/// Metres: beyond it a circle is no fence, and its rim no longer a simple curve on the map.
pub const RADIUS_M_MAX: f64 = 1_000_000.0;

/// A circle on the WGS-84 ellipsoid: all points whose geodesic to the centre is no longer than the radius, the rim
/// included. It may lie across the antimeridian or over a pole.
#[derive(Debug, Clone, PartialEq)]
pub struct Circle {
    center: Point,
    radius_m: f64,
    origin: Ecef,
    bounds: Bounds,
}

impl Circle {
    /// # Errors
    ///
    /// [`FlawKind::OutOfRange`] for a centre that is no [`Point`], [`FlawKind::BadRadius`] for a radius that is not a
    /// positive number of metres up to [`RADIUS_M_MAX`].
    pub fn new(center: Point, radius_m: f64) -> Result<Circle, Flaw> {
        let place = Place { at: Some([center.lon, center.lat]), ..Place::default() };
        let Some(center) = Point::new(center.lon, center.lat) else {
            return Err(Flaw { kind: FlawKind::OutOfRange, place });
        };
        // NaN is in no range.
        if !(f64::MIN_POSITIVE..=RADIUS_M_MAX).contains(&radius_m) {
            return Err(Flaw { kind: FlawKind::BadRadius { radius_m }, place });
        }
        let bounds = Bounds::around([center.xy()]).grown_m(radius_m);
        Ok(Circle { center, radius_m, origin: Ecef::new(center.xy()), bounds })
    }

    /// Within the radius, the rim included.
    pub fn contains(&self, point: Point) -> bool {
        self.bounds.contains(point) && self.reaches(point)
    }

    fn reaches(&self, point: Point) -> bool {
        // The chord is up to 0.3 % off where the ellipsoid is flatter; within 1 % of the radius the geodesic decides.
        let chord_m = self.origin.chord_m(Ecef::new(point.xy()));
        let sphere_m = geodesic::chord_of_arc_m(self.radius_m);
        chord_m < 0.99 * sphere_m || (chord_m < 1.01 * sphere_m && self.center.distance_m(point) <= self.radius_m)
    }

    /// The centre.
    pub fn center(&self) -> Point {
        self.center
    }

    /// Metres.
    pub fn radius_m(&self) -> f64 {
        self.radius_m
    }

    /// A box around it; from -180 to 180 where it lies across the antimeridian or over a pole.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    pub(super) fn distance_to_border_m(&self, point: Point) -> f64 {
        (self.center.distance_m(point) - self.radius_m).abs()
    }
}
