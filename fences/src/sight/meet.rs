//! Whether sightings of two cameras, or of two presets of one, are of the same thing, and where it then is: the point that
//! fits all bearings, and all places where rays met the ground, best (least squares with weights, Gauss and Newton).

use super::bearing_and_distance;
use super::ellipse::Covariance;
use super::locate::{Sighting, Spot};
use super::{destination, offset_m};
use crate::Point;

/// Of the sum of squares over their degrees of freedom, above which sightings are of different things: 99.9 of a hundred pairs
/// that are of the same lie below (chi-squared, 1 and 2 and 3 degrees).
const LIMITS: [f64; 3] = [10.83, 13.82, 16.27];
const ROUNDS: usize = 12;
/// What is seen has an extent of its own, which no error of a camera covers: a fire's middle is not the same from all sides.
const EXTENT_M: f64 = 10.0;

/// The same thing, seen from two places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meeting {
    /// Where it is, seen from the first camera.
    pub spot: Spot,
    /// Sum of squares that the fit left, in standard deviations.
    pub misfit: f64,
}

/// None where both sightings cannot be of the same thing, or say too little: two bearings that are nearly one line.
pub fn meet(a: &Sighting, b: &Sighting) -> Option<Meeting> {
    let mut at = start(a, b)?;
    let mut normal = Covariance::default();
    for _ in 0..ROUNDS {
        let (information, (pull_e, pull_n)) = information(at, [a, b]);
        let inverse = information.inverse()?;
        let step = (inverse.ee * pull_e + inverse.en * pull_n, inverse.en * pull_e + inverse.nn * pull_n);
        at = destination(at, step.0.atan2(step.1).to_degrees(), step.0.hypot(step.1).min(20_000.0));
        normal = inverse;
        if step.0.hypot(step.1) < 0.01 {
            break;
        }
    }
    let misfit = misfit(at, [a, b]);
    let n_measured = 2 + [a, b].iter().filter(|sighting| sighting.ground.is_some()).count();
    // Both bearings alone always meet, unless behind one of the cameras.
    let is_before_both = [a, b].iter().all(|sighting| turn(sighting, at).abs() < 90.0);
    let fits = n_measured == 2 || misfit <= LIMITS[n_measured - 3];
    let distance_m = bearing_and_distance(a.from, at).1;
    (fits && is_before_both).then_some(Meeting { spot: Spot { point: at, distance_m, covariance: normal }, misfit })
}

/// Where the fit begins: where the bearings cross, or where one of the rays met the ground.
fn start(a: &Sighting, b: &Sighting) -> Option<Point> {
    let (east_m, north_m) = offset_m(a.from, b.from);
    let direction = |sighting: &Sighting| sighting.bearing_deg.to_radians().sin_cos();
    let ((ax, ay), (bx, by)) = (direction(a), direction(b));
    let cross = ax * by - ay * bx;
    // Under three degrees between them, where they cross says nothing.
    if cross.abs() > 0.05 {
        let far_m = (east_m * by - north_m * bx) / cross;
        if (0.0..super::terrain::RANGE_M_MAX).contains(&far_m) {
            return Some(destination(a.from, a.bearing_deg, far_m));
        }
    }
    a.ground.or(b.ground).map(|spot| spot.point)
}

/// Degrees from the sighting's bearing to that of a point.
fn turn(sighting: &Sighting, at: Point) -> f64 {
    (bearing_and_distance(sighting.from, at).0 - sighting.bearing_deg + 180.0).rem_euclid(360.0) - 180.0
}

/// Across a sighting's line at a distance: standard deviation in metres.
fn across_m(sighting: &Sighting, distance_m: f64) -> f64 {
    (distance_m * sighting.bearing_error_deg.to_radians().tan()).hypot(EXTENT_M)
}

/// Along it, where its ray met the ground.
fn along_m(sighting: &Sighting) -> Option<(f64, f64)> {
    let spot = sighting.ground?;
    let (sin, cos) = sighting.bearing_deg.to_radians().sin_cos();
    let Covariance { ee, nn, en } = spot.covariance;
    let variance = sin * sin * ee + cos * cos * nn + 2.0 * sin * cos * en;
    Some((spot.distance_m, variance.max(0.0).sqrt().hypot(EXTENT_M)))
}

/// The normal equations at a point: their matrix, and what pulls the point east and north.
fn information(at: Point, sightings: [&Sighting; 2]) -> (Covariance, (f64, f64)) {
    let (mut matrix, mut pull) = (Covariance::default(), (0.0, 0.0));
    let mut measured = |(east, north): (f64, f64), off_m: f64, deviation_m: f64| {
        let weight = 1.0 / (deviation_m * deviation_m);
        let of = Covariance::of_shift((east, north));
        matrix = matrix.plus(Covariance { ee: of.ee * weight, nn: of.nn * weight, en: of.en * weight });
        pull = (pull.0 + east * off_m * weight, pull.1 + north * off_m * weight);
    };
    for sighting in sightings {
        let (bearing, distance_m) = bearing_and_distance(sighting.from, at);
        let (sin, cos) = bearing.to_radians().sin_cos();
        // To the right of the line of sight the bearing grows.
        let off_m = -distance_m * turn(sighting, at).to_radians();
        measured((cos, -sin), off_m, across_m(sighting, distance_m));
        if let Some((expected_m, deviation_m)) = along_m(sighting) {
            measured((sin, cos), expected_m - distance_m, deviation_m);
        }
    }
    (matrix, pull)
}

fn misfit(at: Point, sightings: [&Sighting; 2]) -> f64 {
    let of = |sighting: &&Sighting| {
        let distance_m = bearing_and_distance(sighting.from, at).1;
        let across = distance_m * turn(sighting, at).to_radians() / across_m(sighting, distance_m);
        let along = along_m(sighting).map_or(0.0, |(expected_m, deviation_m)| (distance_m - expected_m) / deviation_m);
        across * across + along * along
    };
    sightings.iter().map(of).sum()
}
