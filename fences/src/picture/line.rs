//! A tripwire in a picture, and the way of one thing across it. What goes over it and comes back within its band did not
//! cross it.

use super::{ZoneError, read_corners};
use crate::plane::{Xy, is_way_crossed};
use crate::shape::Direction;

/// A tripwire in the picture: directed, with a left and a right as seen by one who walks along it with the picture's
/// upper edge in front: x right, y down.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureLine {
    points: Vec<[f32; 2]>,
}

/// All that is remembered of one thing and one line.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PassageState {
    last: Option<[f32; 2]>,
    /// How often it went over the line since it was last clear of it: from left to right counts up, back counts down.
    net: i32,
}

impl PictureLine {
    /// Two or more points in order.
    ///
    /// # Errors
    ///
    /// [`ZoneError::TooShort`] for fewer than two different points, [`ZoneError::TooManyPoints`], [`ZoneError::OutOfRange`].
    pub fn new(points: &[[f32; 2]]) -> Result<PictureLine, ZoneError> {
        let points = read_corners(points)?;
        if points.len() < 2 {
            return Err(ZoneError::TooShort { n: points.len() });
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

    /// The crossing that a thing shows by being here now: told once it is farther from the line than `band`, a share of
    /// the picture's height. `aspect` is the picture's width divided by its height.
    pub fn step(&self, state: &mut PassageState, here: [f32; 2], band: f32, aspect: f32) -> Option<Direction> {
        if !here.iter().all(|coordinate| coordinate.is_finite()) {
            return None;
        }
        if let Some(last) = state.last.replace(here) {
            for direction in self.crossings(last, here) {
                let sign = if direction == Direction::LeftToRight { 1 } else { -1 };
                state.net = state.net.saturating_add(sign);
            }
        }
        if state.net == 0 || self.distance(here, aspect) <= band {
            return None;
        }
        let net = std::mem::take(&mut state.net);
        Some(if net > 0 { Direction::LeftToRight } else { Direction::RightToLeft })
    }

    /// Shortest distance of a place, in shares of the picture's height.
    pub fn distance(&self, [x, y]: [f32; 2], aspect: f32) -> f32 {
        let to_stretch = |pair: &[[f32; 2]]| {
            let (ax, ay) = (pair[0][0] * aspect, pair[0][1]);
            let (bx, by) = (pair[1][0] * aspect - ax, pair[1][1] - ay);
            let (px, py) = (x * aspect - ax, y - ay);
            let along = ((px * bx + py * by) / (bx * bx + by * by).max(f32::MIN_POSITIVE)).clamp(0.0, 1.0);
            (px - along * bx).hypot(py - along * by)
        };
        self.points.windows(2).map(to_stretch).fold(f32::INFINITY, f32::min)
    }

    /// How far a place is along the straight way from the line's first point to its last, in shares of the picture's
    /// height: for a line that says which way traffic goes.
    pub fn along(&self, [x, y]: [f32; 2], aspect: f32) -> f32 {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else { return 0.0 };
        let (dx, dy) = ((last[0] - first[0]) * aspect, last[1] - first[1]);
        let length = dx.hypot(dy);
        if length > 0.0 { ((x - first[0]) * aspect * dx + (y - first[1]) * dy) / length } else { 0.0 }
    }

    /// First to last.
    pub fn points(&self) -> &[[f32; 2]] {
        &self.points
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Upwards in the picture: left is where x is less.
    fn wire() -> PictureLine {
        PictureLine::new(&[[0.5, 1.0], [0.5, 0.0]]).unwrap()
    }

    fn walk(ways: &[f32], band: f32) -> Vec<Direction> {
        let (wire, mut state) = (wire(), PassageState::default());
        ways.iter().filter_map(|x| wire.step(&mut state, [*x, 0.5], band, 1.0)).collect()
    }

    #[test]
    fn lines_have_a_left_and_a_right() {
        let wire = wire();
        assert_eq!(wire.crossings([0.4, 0.5], [0.6, 0.5]).collect::<Vec<_>>(), [Direction::LeftToRight]);
        assert_eq!(wire.crossings([0.6, 0.5], [0.4, 0.5]).collect::<Vec<_>>(), [Direction::RightToLeft]);
        let halves = wire.crossings([0.4, 0.5], [0.5, 0.5]).chain(wire.crossings([0.5, 0.5], [0.6, 0.5])).count();
        assert_eq!(halves, 1);
        assert!(PictureLine::new(&[[0.5, 1.0], [0.5, 1.0]]).is_err());
    }

    #[test]
    fn who_sways_on_the_line_crosses_it_once_and_who_turns_back_not_at_all() {
        use Direction::{LeftToRight, RightToLeft};
        assert_eq!(walk(&[0.4, 0.49, 0.51, 0.495, 0.505, 0.49, 0.51, 0.6], 0.05), [LeftToRight]);
        assert_eq!(walk(&[0.4, 0.49, 0.51, 0.495, 0.505, 0.49, 0.51, 0.4], 0.05), []);
        assert_eq!(walk(&[0.4, 0.6, 0.4, 0.6], 0.05), [LeftToRight, RightToLeft, LeftToRight]);
        assert_eq!(walk(&[0.6, 0.52, 0.48, f32::NAN, 0.46, 0.44], 0.05), [RightToLeft]);
    }

    #[test]
    fn distances_are_as_seen() {
        let wire = PictureLine::new(&[[0.5, 0.0], [0.5, 0.5]]).unwrap();
        assert!((wire.distance([0.75, 0.25], 2.0) - 0.5).abs() < 1e-6);
        assert!((wire.distance([0.5, 0.75], 2.0) - 0.25).abs() < 1e-6);
        let road = PictureLine::new(&[[0.0, 0.5], [0.2, 0.9], [1.0, 0.5]]).unwrap();
        assert!((road.along([0.25, 0.1], 2.0) - 0.5).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn whoever_is_clear_of_the_line_has_crossed_as_the_ends_of_the_way_say(
            ways in prop::collection::vec(0.0..1.0_f32, 2..40), band in 0.0..0.1_f32,
        ) {
            let told = walk(&ways, band);
            // Crossings alternate, and begin on the side of the first place.
            let first_is_left = ways[0] < 0.5;
            for (number, direction) in told.iter().enumerate() {
                prop_assert_eq!(*direction == Direction::LeftToRight, first_is_left == (number % 2 == 0));
            }
            let last = ways[ways.len() - 1];
            if (last - 0.5).abs() > band + 1e-3 && (ways[0] - 0.5).abs() > 1e-3 {
                prop_assert_eq!(told.len() % 2 == 1, first_is_left != (last < 0.5));
            }
        }

        #[test]
        fn any_line_and_way_never_panic(
            points in prop::collection::vec((0.0..=1.0_f32, 0.0..=1.0_f32), 2..6),
            ways in prop::collection::vec(any::<[f32; 2]>(), 1..20), band in any::<f32>(), aspect in any::<f32>(),
        ) {
            let points: Vec<[f32; 2]> = points.into_iter().map(|(x, y)| [x, y]).collect();
            if let Ok(line) = PictureLine::new(&points) {
                let mut state = PassageState::default();
                prop_assert!(ways.iter().filter_map(|here| line.step(&mut state, *here, band, aspect)).count() <= ways.len());
            }
        }
    }
}
