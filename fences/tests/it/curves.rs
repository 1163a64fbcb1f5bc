//! Circles, corridors and tripwires: metres, the antimeridian, the poles, and each passage once.

use outpost_fences::shape::{Direction, FlawKind, RADIUS_M_MAX};
use outpost_fences::{Bounds, Circle, Corridor, FenceSet, Line, Point, Shape};
use proptest::prelude::*;

use crate::shapes::{fence, point};

/// A point at an azimuth, found by halving: far enough that the geodesic to it is as long as asked.
fn away(from: Point, azimuth_deg: f64, distance_m: f64) -> Point {
    let (sin, cos) = azimuth_deg.to_radians().sin_cos();
    let (sin_lat, cos_lat) = from.lat.to_radians().sin_cos();
    let at = |arc: f64| {
        let lat = (sin_lat * arc.cos() + cos_lat * arc.sin() * cos).clamp(-1.0, 1.0).asin();
        let lon = (sin * arc.sin() * cos_lat).atan2(arc.cos() - sin_lat * lat.sin());
        let lon = (from.lon + lon.to_degrees() + 540.0).rem_euclid(360.0) - 180.0;
        point(lon, lat.to_degrees())
    };
    let (mut low, mut high) = (0.0, std::f64::consts::PI / 2.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if from.distance_m(at(middle)) < distance_m { low = middle } else { high = middle }
    }
    at(low)
}

fn places() -> impl Strategy<Value = Point> {
    prop_oneof![
        (100.0..110.0f64, 20.0..40.0f64),
        (179.0..180.0f64, -70.0..70.0f64),
        (-180.0..-179.9f64, -1.0..1.0f64),
        (-180.0..180.0f64, 89.0..=90.0f64),
        (-180.0..180.0f64, -90.0..=-88.0f64),
    ]
    .prop_map(|(lon, lat)| point(lon, lat))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_circle_reaches_as_far_as_its_radius_everywhere(
        center in places(),
        radius_m in prop_oneof![0.5..50.0f64, 50.0..20_000.0f64, 20_000.0..RADIUS_M_MAX],
        azimuth in 0.0..360.0f64,
    ) {
        let circle = Circle::new(center, radius_m).unwrap();
        let hair_m = 0.02 + radius_m * 1e-8;
        let (inner, outer) = (away(center, azimuth, (radius_m - hair_m).max(0.0)), away(center, azimuth, radius_m + hair_m));
        prop_assert!(circle.contains(inner), "{inner:?} {}", center.distance_m(inner));
        prop_assert!(!circle.contains(outer), "{outer:?} {}", center.distance_m(outer));
        let set = FenceSet::new(vec![fence("c", Shape::Circle(circle))]);
        prop_assert_eq!(set.containing(inner).count(), 1);
        prop_assert_eq!(set.containing(outer).count(), 0);
        prop_assert!(set.get("c").unwrap().distance_to_border_m(outer) < 0.1 + radius_m * 1e-6);
    }

    #[test]
    fn a_corridor_is_what_lies_within_half_its_width_of_a_fine_chain_of_points(
        start in places(),
        steps in prop::collection::vec((-0.02..0.02f64, -0.02..0.02f64), 1..6),
        width_m in 10.0..3_000.0f64,
        at in (0.0..1.0f64, 0.0..360.0f64, 0.0..1.3f64),
    ) {
        let mut path = vec![start];
        for (dx, dy) in steps {
            let last = path[path.len() - 1];
            let lon = (last.lon + dx + 540.0).rem_euclid(360.0) - 180.0;
            path.push(point(lon, (last.lat + dy).clamp(-90.0, 90.0)));
        }
        prop_assume!(path.windows(2).any(|pair| pair[0] != pair[1]));
        let corridor = Corridor::new(&path, width_m).unwrap();
        let index = (at.0 * path.len() as f64) as usize;
        let p = away(path[index], at.1, at.2 * width_m / 2.0);

        let mut nearest_m = f64::INFINITY;
        for pair in path.windows(2) {
            for i in 0..=2_000 {
                let t = f64::from(i) / 2_000.0;
                let dx = (pair[1].lon - pair[0].lon + 540.0).rem_euclid(360.0) - 180.0;
                let lon = (pair[0].lon + dx * t + 540.0).rem_euclid(360.0) - 180.0;
                nearest_m = nearest_m.min(p.distance_m(point(lon, pair[0].lat + (pair[1].lat - pair[0].lat) * t)));
            }
        }
        // The samples are up to two metres apart.
        let doubt_m = 2.0 + nearest_m * 0.002;
        let shape = Shape::Corridor(corridor);
        prop_assert!((shape.distance_to_border_m(p) - (nearest_m - width_m / 2.0).abs()).abs() < doubt_m);
        if (nearest_m - width_m / 2.0).abs() > doubt_m {
            prop_assert_eq!(shape.contains(p), nearest_m < width_m / 2.0, "{} m", nearest_m);
        }
        let is_in = shape.contains(p);
        prop_assert_eq!(FenceSet::new(vec![fence("c", shape)]).containing(p).count(), usize::from(is_in));
    }

    /// Where steps end on the line or at its vertices as often as not.
    #[test]
    fn each_passage_belongs_to_one_step(
        line in prop::collection::vec((0..5i32, 0..5i32), 2..6),
        track in prop::collection::vec((-1..6i32, -1..6i32), 2..12),
        over_the_antimeridian in any::<bool>(),
    ) {
        let west = if over_the_antimeridian { 179.75 } else { 106.0 };
        let place = |(x, y): (i32, i32)| {
            let lon: f64 = west + f64::from(x) / 8.0;
            point(if lon > 180.0 { lon - 360.0 } else { lon }, 29.0 + f64::from(y) / 8.0)
        };
        let vertices: Vec<Point> = line.into_iter().map(place).collect();
        let Ok(line) = Line::new(&vertices) else { return Ok(()) };
        let mut sides = 0;
        let mut n = 0;
        for (from, to) in track.iter().zip(&track[1..]) {
            for crossing in line.crossings(place(*from), place(*to)) {
                n += 1;
                sides += if crossing.direction == Direction::LeftToRight { 1 } else { -1 };
                prop_assert!((0.0..=1.0).contains(&crossing.share));
                prop_assert!(Shape::Line(line.clone()).distance_to_border_m(crossing.at) < 0.01);
            }
        }
        // There and back again, and in halves, is as many passages; none are lost and none are added.
        let (mut back, mut back_sides) = (0, 0);
        for (to, from) in track.iter().zip(&track[1..]) {
            for crossing in line.crossings(place(*from), place(*to)) {
                back += 1;
                back_sides += if crossing.direction == Direction::LeftToRight { 1 } else { -1 };
            }
        }
        prop_assert_eq!((n, sides), (back, -back_sides));
        let mut halves = 0;
        for (from, to) in track.iter().zip(&track[1..]) {
            let halfway = point_between(place(*from), place(*to));
            halves += line.crossings(place(*from), halfway).count() + line.crossings(halfway, place(*to)).count();
        }
        prop_assert_eq!(n, halves);
    }
}

fn point_between(a: Point, b: Point) -> Point {
    let dx =
        if (a.lon - b.lon).abs() > 180.0 { (b.lon - a.lon) - 360.0 * (b.lon - a.lon).signum() } else { b.lon - a.lon };
    let lon = a.lon + dx / 2.0;
    let lon = if lon > 180.0 {
        lon - 360.0
    } else if lon < -180.0 {
        lon + 360.0
    } else {
        lon
    };
    point(lon, f64::midpoint(a.lat, b.lat))
}

#[test]
fn a_tripwire_tells_from_which_side() {
    let gate = Line::new(&[point(106.0, 29.0), point(106.0, 29.1)]).unwrap();
    let (west, east) = (point(105.9, 29.05), point(106.1, 29.05));
    let only = |from, to| {
        let crossings: Vec<_> = gate.crossings(from, to).collect();
        assert_eq!(crossings.len(), 1);
        crossings[0]
    };
    assert_eq!(only(west, east).direction, Direction::LeftToRight);
    assert_eq!(only(east, west).direction, Direction::RightToLeft);
    assert!((only(west, east).share - 0.5).abs() < 1e-9);
    assert_eq!(gate.crossings(west, point(105.95, 29.05)).count(), 0);
    // Beside its end.
    assert_eq!(gate.crossings(point(105.9, 29.2), point(106.1, 29.2)).count(), 0);
    // By way of a fix on the line itself.
    let on = point(106.0, 29.05);
    assert_eq!(gate.crossings(west, on).count() + gate.crossings(on, east).count(), 1);
    assert!(!Shape::Line(gate).contains(on));
}

#[test]
fn a_rectangle_may_lie_across_the_antimeridian() {
    let shape = Shape::rectangle(Bounds { west: 179.0, south: -1.0, east: -179.0, north: 1.0 }).unwrap();
    for (lon, is_in) in [(179.5, true), (-179.5, true), (-180.0, true), (178.9, false), (-178.9, false), (0.0, false)] {
        assert_eq!(shape.contains(point(lon, 0.0)), is_in, "{lon}");
    }
    let plain = Shape::rectangle(Bounds { west: 106.0, south: 29.0, east: 106.5, north: 29.5 }).unwrap();
    assert!(plain.contains(point(106.2, 29.2)) && !plain.contains(point(106.6, 29.2)));
    assert!(Shape::rectangle(Bounds { west: 106.0, south: 29.0, east: 106.0, north: 29.5 }).is_err());
}

#[test]
fn unusable_measures_say_so() {
    let here = point(106.0, 29.0);
    for radius_m in [0.0, -5.0, f64::NAN, f64::INFINITY, RADIUS_M_MAX * 1.01] {
        assert!(matches!(Circle::new(here, radius_m).unwrap_err().kind, FlawKind::BadRadius { .. }), "{radius_m}");
    }
    assert!(matches!(Corridor::new(&[here, point(106.1, 29.0)], 0.0).unwrap_err().kind, FlawKind::BadWidth { .. }));
    assert!(matches!(Line::new(&[here, here]).unwrap_err().kind, FlawKind::ShortPath { n: 1 }));
    let off = Point { lon: 29.0, lat: 106.0 };
    assert!(matches!(Line::new(&[here, off]).unwrap_err().kind, FlawKind::Swapped));
}
