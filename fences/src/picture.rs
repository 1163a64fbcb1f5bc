//! Zones in a camera's picture: polygons in shares of its width and height. Knows nothing of blobs or pixels.

use crate::plane::{Xy, is_odd, ring_edges, signed_area};
use crate::shape::{FlawKind, self_contacts};

/// Corners of one zone: an operator draws a dozen.
pub const CORNERS_MAX: usize = 1_000;
/// As a share of the picture: less than a pixel of an 8K picture.
const AREA_MIN: f64 = 1e-8;

/// A polygon in the picture: x right, y down, 0..1. Its border belongs to it: what stands on the lower edge of the
/// picture has y = 1, and zones need not tile the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureZone {
    points: Vec<[f32; 2]>,
    ring: Vec<Xy>,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ZoneError {
    #[error("the zone has {n} different corners of at least 3")]
    TooFewPoints { n: usize },
    #[error("the zone has {n} corners of at most {CORNERS_MAX}")]
    TooManyPoints { n: usize },
    #[error("corner {corner} is [{x}, {y}]: both numbers are shares of the picture, 0 to 1")]
    OutOfRange { corner: usize, x: f32, y: f32 },
    #[error("the zone crosses itself at [{x:.4}, {y:.4}]: put the corners in the order in which one walks the border")]
    SelfCrossing { x: f32, y: f32 },
    #[error("the zone has no area: its corners lie on one line")]
    ZeroArea,
}

impl PictureZone {
    /// Corners in order, either way round; the first may be repeated at the end or not.
    pub fn new(points: &[[f32; 2]]) -> Result<PictureZone, ZoneError> {
        if points.len() > CORNERS_MAX {
            return Err(ZoneError::TooManyPoints { n: points.len() });
        }
        let mut corners: Vec<[f32; 2]> = Vec::with_capacity(points.len());
        for (corner, &[x, y]) in points.iter().enumerate() {
            // NaN is in no range.
            if !(0.0..=1.0).contains(&x) || !(0.0..=1.0).contains(&y) {
                return Err(ZoneError::OutOfRange { corner, x, y });
            }
            if corners.last() != Some(&[x, y]) {
                corners.push([x, y]);
            }
        }
        if corners.len() > 1 && corners.first() == corners.last() {
            corners.pop();
        }
        if corners.len() < 3 {
            return Err(ZoneError::TooFewPoints { n: corners.len() });
        }
        let ring: Vec<Xy> = corners.iter().map(|&[x, y]| Xy::new(x.into(), y.into())).collect();
        if let Some(flaw) = self_contacts(ring.clone()).first() {
            let [x, y] = flaw.place.at.unwrap_or_default();
            // So few corners are never too intricate to check: what is left are the ways of crossing.
            debug_assert!(matches!(flaw.kind, FlawKind::SelfCrossing { .. } | FlawKind::SelfOverlap { .. }));
            return Err(ZoneError::SelfCrossing { x: x as f32, y: y as f32 });
        }
        if signed_area(&ring).abs() < AREA_MIN {
            return Err(ZoneError::ZeroArea);
        }
        Ok(PictureZone { points: corners, ring })
    }

    /// Inside or on the border. False for what is not a number.
    pub fn contains(&self, x: f32, y: f32) -> bool {
        let p = Xy::new(x.into(), y.into());
        is_odd(ring_edges(&self.ring), p) || ring_edges(&self.ring).any(|edge| edge.holds(p))
    }

    /// The corners, the first not repeated.
    pub fn points(&self) -> &[[f32; 2]] {
        &self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOWER_HALF: [[f32; 2]; 4] = [[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]];

    #[test]
    fn what_stands_on_the_edge_of_the_picture_is_in_a_zone_that_reaches_it() {
        let zone = PictureZone::new(&LOWER_HALF).unwrap();
        for (x, y) in [(0.5, 1.0), (0.0, 0.75), (1.0, 1.0), (1.0, 0.5), (0.3, 0.5)] {
            assert!(zone.contains(x, y), "{x} {y}");
        }
        for (x, y) in [(0.5, 0.49), (0.5, 1.01), (f32::NAN, 0.7), (0.5, f32::INFINITY)] {
            assert!(!zone.contains(x, y), "{x} {y}");
        }
    }

    #[test]
    fn corners_are_kept_without_repeats() {
        let [a, b, c, d] = LOWER_HALF;
        let zone = PictureZone::new(&[a, a, b, c, c, d, a]).unwrap();
        assert_eq!(zone.points(), LOWER_HALF);
    }

    #[test]
    fn unusable_zones_say_why() {
        let err = |points: &[[f32; 2]]| PictureZone::new(points).unwrap_err();
        let [a, b, c, d] = LOWER_HALF;
        assert_eq!(err(&[]), ZoneError::TooFewPoints { n: 0 });
        assert_eq!(err(&[a, b, b, a]), ZoneError::TooFewPoints { n: 2 });
        assert_eq!(err(&[a, b, [0.5, 1.5]]), ZoneError::OutOfRange { corner: 2, x: 0.5, y: 1.5 });
        assert!(matches!(err(&[a, b, [f32::NAN, 0.5]]), ZoneError::OutOfRange { corner: 2, .. }));
        assert_eq!(err(&[a, c, b, d]), ZoneError::SelfCrossing { x: 0.5, y: 0.75 });
        assert_eq!(err(&[a, b, [0.5, 0.5]]), ZoneError::ZeroArea);
        assert_eq!(err(&vec![a; CORNERS_MAX + 1]), ZoneError::TooManyPoints { n: CORNERS_MAX + 1 });
        // The same border drawn twice would be outside everywhere by the odd-even rule.
        assert!(matches!(err(&[a, b, c, d, a, b, c, d]), ZoneError::SelfCrossing { .. }));
    }
}
