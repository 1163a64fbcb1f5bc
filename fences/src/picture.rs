//! Zones and tripwires in a camera's picture, in shares of its width and height. Knows nothing of blobs or pixels.

use crate::plane::{Xy, is_odd, is_way_crossed, ring_edges, signed_area};
use crate::shape::{Direction, FlawKind, self_contacts};

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

/// Why corners are no zone.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it means in its message")]
pub enum ZoneError {
    #[error("the zone has {n} different corners of at least 3")]
    TooFewPoints { n: usize },
    #[error("the zone has {n} corners of at most {CORNERS_MAX}")]
    TooManyPoints { n: usize },
    #[error("corner {corner} is [{x}, {y}]: both numbers are shares of the picture, 0 to 1")]
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

    /// The corners, the first not repeated.
    pub fn points(&self) -> &[[f32; 2]] {
        &self.points
    }
}

/// A tripwire in the picture: directed, with a left and a right as seen by one who walks along it with the picture's
/// upper edge in front: x right, y down.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureLine {
    points: Vec<[f32; 2]>,
}

impl PictureLine {
    /// Two or more points in order.
    ///
    /// # Errors
    ///
    /// [`ZoneError::TooFewPoints`] for fewer than two different points, [`ZoneError::TooManyPoints`],
    /// [`ZoneError::OutOfRange`].
    pub fn new(points: &[[f32; 2]]) -> Result<PictureLine, ZoneError> {
        let points = read_corners(points)?;
        if points.len() < 2 {
            return Err(ZoneError::TooFewPoints { n: points.len() });
        }
        Ok(PictureLine { points })
    }

    /// Each passage of something that moved from one place to another, in the order of the line's edges; each passage of
    /// a way in steps belongs to one step.
    pub fn crossings(&self, from: [f32; 2], to: [f32; 2]) -> impl Iterator<Item = Direction> + '_ {
        let xy = |[x, y]: [f32; 2]| Xy::new(x.into(), y.into());
        self.points.windows(2).filter_map(move |pair| {
            let passage = is_way_crossed(xy(pair[0]), xy(pair[1]), xy(from), xy(to))?;
            // In a picture y runs down, which swaps the sides.
            Some(if passage.from_left { Direction::RightToLeft } else { Direction::LeftToRight })
        })
    }

    /// First to last.
    pub fn points(&self) -> &[[f32; 2]] {
        &self.points
    }
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
    fn rectangles_circles_and_lines_are_drawn_in_shares_of_the_picture() {
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

        // Upwards in the picture: left is where x is less.
        let wire = PictureLine::new(&[[0.5, 1.0], [0.5, 0.0]]).unwrap();
        assert_eq!(wire.crossings([0.4, 0.5], [0.6, 0.5]).collect::<Vec<_>>(), [Direction::LeftToRight]);
        assert_eq!(wire.crossings([0.6, 0.5], [0.4, 0.5]).collect::<Vec<_>>(), [Direction::RightToLeft]);
        let halves = wire.crossings([0.4, 0.5], [0.5, 0.5]).chain(wire.crossings([0.5, 0.5], [0.6, 0.5])).count();
        assert_eq!(halves, 1);
        assert!(PictureLine::new(&[[0.5, 1.0], [0.5, 1.0]]).is_err());
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
}
