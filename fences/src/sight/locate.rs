//! A pixel's place on the map, and how sure it is: each part is moved by √3 of its standard deviations to both sides, and where
//! the point goes makes the covariance, with the terms of second order: at grazing angles over uneven ground the first alone
//! says too little (Nørgaard, Poulsen and Ravn: New developments in state estimation for nonlinear systems, Automatica 36,
//! 2000: DD2).

use super::camera::{Aim, Lens, Post, direction};
use super::ellipse::Covariance;
use super::terrain::Ground;
use super::{bearing_and_distance, destination, offset_m};
use crate::Point;

/// How wrong each part may be, one standard deviation each, taken as independent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Errors {
    /// Of the bearing: compass, mounting, pan.
    pub bearing_deg: f64,
    /// Of the elevation: mounting, tilt.
    pub elevation_deg: f64,
    /// Of the roll.
    pub roll_deg: f64,
    /// Of the camera's position, east and north each.
    pub position_m: f64,
    /// Of the camera's height over the ground model, and so of the model where the ray meets it.
    pub height_m: f64,
    /// Of the place in the picture, right and down each.
    pub pixels: f64,
}

/// A camera as it stands and looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Its optics.
    pub lens: Lens,
    /// Where it stands.
    pub post: Post,
    /// Where it looks.
    pub aim: Aim,
    /// How sure all of that is.
    pub errors: Errors,
}

/// What a camera sees, on the map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    /// The camera.
    pub from: Point,
    /// Clockwise from true north.
    pub bearing_deg: f64,
    /// Standard deviation of the bearing.
    pub bearing_error_deg: f64,
    /// Up from the horizon.
    pub elevation_deg: f64,
    /// Where the ray meets the ground; none where it meets nothing that is known.
    pub ground: Option<Spot>,
}

/// A point with how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// WGS-84.
    pub point: Point,
    /// Over the ground from the camera.
    pub distance_m: f64,
    /// Of the point.
    pub covariance: Covariance,
}

impl View {
    /// What is at this place of the picture, in pixels from its top left corner; `size` is its columns and rows.
    pub fn locate(&self, at: (f64, f64), size: (usize, usize), ground: &Ground) -> Sighting {
        let looks = self.direction(at, size);
        let point = self.meets(at, size, ground);
        let errors = &self.errors;
        // The bearing's own error does not depend on where it is; the others turn it a little.
        let turned = |moved: &View, at: (f64, f64)| {
            (moved.direction(at, size).bearing_deg - looks.bearing_deg + 180.0).rem_euclid(360.0) - 180.0
        };
        let (mut bearing_variance, mut covariance) = (0.0, Some(Covariance::default()));
        for deviation in DEVIATIONS {
            let amount = deviation.amount(errors) * REACH;
            let ((more, at_more), (less, at_less)) =
                (deviation.moved(self, at, amount), deviation.moved(self, at, -amount));
            bearing_variance += ((turned(&more, at_more) - turned(&less, at_less)) / (2.0 * REACH)).powi(2);
            let part = point.and_then(|point| {
                let shift = |to: Option<Point>| to.map(|to| offset_m(point, to));
                covariance_of(shift(more.meets(at_more, size, ground)), shift(less.meets(at_less, size, ground)))
            });
            covariance = covariance.zip(part).map(|(sum, part)| sum.plus(part));
        }
        let spot = point.zip(covariance).map(|(point, covariance)| Spot {
            point,
            distance_m: bearing_and_distance(self.post.point, point).1,
            covariance,
        });
        Sighting {
            from: self.post.point,
            bearing_deg: looks.bearing_deg,
            bearing_error_deg: bearing_variance.sqrt(),
            elevation_deg: looks.elevation_deg,
            ground: spot,
        }
    }

    fn direction(&self, at: (f64, f64), size: (usize, usize)) -> Aim {
        direction(&self.lens, self.aim, self.post.roll_deg, at, size)
    }

    /// The point that a place of the picture shows, nothing else.
    pub fn meets(&self, at: (f64, f64), size: (usize, usize), ground: &Ground) -> Option<Point> {
        let Aim { bearing_deg, elevation_deg } = self.direction(at, size);
        let far_m = ground.meets_at_m(self.post.point, self.post.height_m, bearing_deg, elevation_deg)?;
        Some(destination(self.post.point, bearing_deg, far_m))
    }
}

/// Standard deviations that a part is moved by: √3 is what a normal distribution's fourth moment asks for.
const REACH: f64 = 1.732_050_807_568_877_2;

/// From where the point went as a part was moved to both sides. On one of them the ray may miss the ground, over a crest: then
/// the other side speaks for both.
fn covariance_of(more: Option<(f64, f64)>, less: Option<(f64, f64)>) -> Option<Covariance> {
    let (Some(more), Some(less)) = (more, less) else {
        let (east_m, north_m) = more.or(less)?;
        return Some(Covariance::of_shift((east_m / REACH, north_m / REACH)));
    };
    let scaled = |(east_m, north_m): (f64, f64), by: f64| Covariance::of_shift((east_m * by, north_m * by));
    let slope = scaled((more.0 - less.0, more.1 - less.1), 0.5 / REACH);
    let bend = scaled((more.0 + less.0, more.1 + less.1), (REACH * REACH - 1.0).sqrt() / (2.0 * REACH * REACH));
    Some(slope.plus(bend))
}

/// The parts that may be off.
#[derive(Debug, Clone, Copy)]
enum Deviation {
    Bearing,
    Elevation,
    Roll,
    East,
    North,
    Height,
    Right,
    Down,
}

const DEVIATIONS: [Deviation; 8] = [
    Deviation::Bearing,
    Deviation::Elevation,
    Deviation::Roll,
    Deviation::East,
    Deviation::North,
    Deviation::Height,
    Deviation::Right,
    Deviation::Down,
];

impl Deviation {
    fn amount(self, errors: &Errors) -> f64 {
        match self {
            Deviation::Bearing => errors.bearing_deg,
            Deviation::Elevation => errors.elevation_deg,
            Deviation::Roll => errors.roll_deg,
            Deviation::East | Deviation::North => errors.position_m,
            Deviation::Height => errors.height_m,
            Deviation::Right | Deviation::Down => errors.pixels,
        }
    }

    fn moved(self, view: &View, (x, y): (f64, f64), by: f64) -> (View, (f64, f64)) {
        let mut view = *view;
        match self {
            Deviation::Bearing => view.aim.bearing_deg += by,
            Deviation::Elevation => view.aim.elevation_deg += by,
            Deviation::Roll => view.post.roll_deg += by,
            Deviation::East => view.post.point = destination(view.post.point, 90.0, by),
            Deviation::North => view.post.point = destination(view.post.point, 0.0, by),
            Deviation::Height => view.post.height_m += by,
            Deviation::Right => return (view, (x + by, y)),
            Deviation::Down => return (view, (x, y + by)),
        }
        (view, (x, y))
    }
}
