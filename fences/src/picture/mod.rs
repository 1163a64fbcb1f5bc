//! Zones and tripwires in a camera's picture, in shares of its width and height, and the ground that it shows. Knows
//! nothing of blobs or pixels.

pub mod ground;
pub mod line;

use crate::plane::{Xy, is_odd, ring_edges, signed_area};
use crate::shape::{FlawKind, self_contacts};

pub use ground::{Ground, GroundError};
pub use line::{PassageState, PictureLine};

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

/// Why points are no zone, or no line.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it means in its message")]
pub enum ZoneError {
    #[error("the zone has {n} different corners of at least 3")]
    TooFewPoints { n: usize },
    #[error("the line has {n} different points of at least 2")]
    TooShort { n: usize },
    #[error("{n} points of at most {CORNERS_MAX}")]
    TooManyPoints { n: usize },
    #[error("point {corner} is [{x}, {y}]: both numbers are shares of the picture, 0 to 1")]
    OutOfRange { corner: usize, x: f32, y: f32 },
    #[error("the zone crosses itself at [{x:.4}, {y:.4}]: put the corners in the order in which one walks the border")]
    SelfCrossing { x: f32, y: f32 },
    #[error(
        "the radius is {radius} and the picture {aspect} times as wide as high: both are positive, the radius at most 2"
    )]
    BadRadius { radius: f32, aspect: f32 },
    #[error("the zone has no area: its corners lie on one line")]
    ZeroArea,
}

/// Corners of a circle: its outline is then within 0.13 % of the radius, less than a pixel in any picture.
const CIRCLE_CORNERS: usize = 64;
const RADIUS_MAX: f32 = 2.0;

impl PictureZone {
    /// From a left to a right side and from an upper to a lower one, shares of the picture.
    ///
    /// # Errors
    ///
    /// [`ZoneError::OutOfRange`], [`ZoneError::TooFewPoints`] and [`ZoneError::ZeroArea`] as for a polygon.
    pub fn rectangle([left, top]: [f32; 2], [right, bottom]: [f32; 2]) -> Result<PictureZone, ZoneError> {
        PictureZone::new(&[[left, top], [right, top], [right, bottom], [left, bottom]])
    }

    /// A circle as seen, cut off at the picture's edges. The radius is a share of the picture's height, and `aspect` its
    /// width divided by its height, without which it would be an ellipse.
    ///
    /// # Errors
    ///
    /// [`ZoneError::BadRadius`]; [`ZoneError::TooFewPoints`] or [`ZoneError::ZeroArea`] where nothing of it is in the
    /// picture.
    pub fn circle([x, y]: [f32; 2], radius: f32, aspect: f32) -> Result<PictureZone, ZoneError> {
        // NaN is in no range.
        if !(f32::MIN_POSITIVE..=RADIUS_MAX).contains(&radius) || !(f32::MIN_POSITIVE..=f32::MAX).contains(&aspect) {
            return Err(ZoneError::BadRadius { radius, aspect });
        }
        if !x.is_finite() || !y.is_finite() {
            return Err(ZoneError::OutOfRange { corner: 0, x, y });
        }
        let corner = |i: usize| {
            let (sin, cos) = (i as f32 / CIRCLE_CORNERS as f32 * std::f32::consts::TAU).sin_cos();
            [(x + radius * cos / aspect).clamp(0.0, 1.0), (y + radius * sin).clamp(0.0, 1.0)]
        };
        PictureZone::new(&(0..CIRCLE_CORNERS).map(corner).collect::<Vec<_>>())
    }

    /// Corners in order, either way round; the first may be repeated at the end or not.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with them: too few, out of range, crossing, or on one line.
    pub fn new(points: &[[f32; 2]]) -> Result<PictureZone, ZoneError> {
        let mut corners = read_corners(points)?;
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

    /// Area, as a share of the picture.
    pub fn area(&self) -> f32 {
        ring_area(&self.ring) as f32
    }

    /// How much of a box lies in the zone, 0..1; 0 for a box without area or of no numbers.
    pub fn share_of(&self, [left, top, right, bottom]: [f32; 4]) -> f32 {
        let area = (right - left) * (bottom - top);
        // NaN compares false.
        if !(area > 0.0 && area.is_finite() && right > left) {
            return 0.0;
        }
        // Sutherland and Hodgman: side by side of the box, the zone is cut off beyond it. What is left of a zone with dents
        // may be joined by edges that run there and back, which have no area.
        let [left, top, right, bottom] = [left, top, right, bottom].map(f64::from);
        let sides: [fn(&Xy, f64) -> f64; 4] = [|p, at| p.x - at, |p, at| p.y - at, |p, at| at - p.x, |p, at| at - p.y];
        let mut ring = self.ring.clone();
        for (inside, at) in sides.into_iter().zip([left, top, right, bottom]) {
            ring = cut(&ring, |p| inside(p, at));
        }
        (ring_area(&ring) / f64::from(area)).clamp(0.0, 1.0) as f32
    }

    /// The corners, the first not repeated.
    pub fn points(&self) -> &[[f32; 2]] {
        &self.points
    }
}

/// The part of a ring where `inside` is not negative.
fn cut(ring: &[Xy], inside: impl Fn(&Xy) -> f64) -> Vec<Xy> {
    let mut kept = Vec::with_capacity(ring.len() + 4);
    let nexts = ring.iter().skip(1).chain(ring.first());
    for (a, b) in ring.iter().zip(nexts) {
        let (from, to) = (inside(a), inside(b));
        if from >= 0.0 {
            kept.push(*a);
        }
        if (from >= 0.0) != (to >= 0.0) {
            let share = from / (from - to);
            kept.push(Xy { x: a.x + share * (b.x - a.x), y: a.y + share * (b.y - a.y) });
        }
    }
    kept
}

/// Of a ring whose last corner joins its first; either way round.
fn ring_area(ring: &[Xy]) -> f64 {
    signed_area(ring).abs()
}

/// In range, none twice in a row.
fn read_corners(points: &[[f32; 2]]) -> Result<Vec<[f32; 2]>, ZoneError> {
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
    Ok(corners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_and_circles_are_drawn_in_shares_of_the_picture() {
        let zone = PictureZone::rectangle([0.2, 0.1], [0.6, 0.5]).unwrap();
        assert!(zone.contains(0.2, 0.1) && zone.contains(0.6, 0.5) && !zone.contains(0.61, 0.3));
        // In a picture twice as wide as high a circle of a quarter of the height is an eighth of the width.
        let zone = PictureZone::circle([0.5, 0.5], 0.25, 2.0).unwrap();
        assert!(zone.contains(0.624, 0.5) && !zone.contains(0.627, 0.5) && zone.contains(0.5, 0.749));
        // Half of it beyond the edge.
        let zone = PictureZone::circle([0.0, 0.5], 0.25, 1.0).unwrap();
        assert!(zone.contains(0.0, 0.5) && zone.contains(0.24, 0.5) && !zone.contains(0.26, 0.5));
        assert!(matches!(PictureZone::circle([0.5, 0.5], 0.0, 1.0), Err(ZoneError::BadRadius { .. })));
        assert!(PictureZone::circle([5.0, 5.0], 0.1, 1.0).is_err());
    }

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

    #[test]
    fn the_share_of_a_box_in_a_zone_is_that_of_its_area() {
        let zone = PictureZone::new(&LOWER_HALF).unwrap();
        assert!((zone.area() - 0.5).abs() < 1e-6);
        for (sides, share) in [
            ([0.1, 0.6, 0.2, 0.9], 1.0),
            ([0.1, 0.4, 0.2, 0.6], 0.5),
            ([0.1, 0.1, 0.2, 0.5], 0.0),
            ([0.9, 0.5, 1.1, 1.5], 0.25),
            ([0.2, 0.6, 0.2, 0.9], 0.0),
            ([0.3, 0.6, 0.2, 0.5], 0.0),
            ([f32::NAN, 0.6, 0.2, 0.9], 0.0),
        ] {
            assert!((zone.share_of(sides) - share).abs() < 1e-5, "{sides:?}: {}", zone.share_of(sides));
        }
        // A comb of two teeth: the dent between them is not in it.
        let comb = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.75, 1.0], [0.75, 0.5], [0.25, 0.5], [0.25, 1.0], [0.0, 1.0]];
        let zone = PictureZone::new(&comb).unwrap();
        assert!((zone.share_of([0.0, 0.5, 1.0, 1.0]) - 0.5).abs() < 1e-5);
        assert!((zone.share_of([0.3, 0.6, 0.7, 0.9])).abs() < 1e-5);
    }
}
