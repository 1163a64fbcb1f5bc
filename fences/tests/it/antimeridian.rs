//! Polygons that files draw across the antimeridian and around the poles.

use outpost_fences::geojson::{self, Parsed};
use outpost_fences::{FenceSet, Point, Polygon, Shape};
use proptest::prelude::*;
use serde_json::json;

use crate::shapes::{near, point, star};

fn read(rings: &[Vec<[f64; 2]>]) -> Parsed {
    let geometry = json!({"type": "Polygon", "coordinates": rings});
    geojson::parse(&json!({"type": "Feature", "id": "x", "properties": {}, "geometry": geometry}).to_string())
}

/// A longitude that went on beyond the end of the map.
fn wrapped(lon: f64) -> f64 {
    if lon > 180.0 { lon - 360.0 } else { lon }
}

/// Whether the fence contains the point, by itself and by the index.
fn contains(parsed: &Parsed, lon: f64, lat: f64) -> bool {
    assert!(!parsed.fences.is_empty(), "{:?}", parsed.problems);
    let (p, set) = (point(lon, lat), FenceSet::new(parsed.fences.clone()));
    let alone = parsed.fences[0].contains(p);
    assert_eq!(set.containing(p).count(), usize::from(alone), "{p:?}");
    alone
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whole degrees and quarters are added to the corners of a star without much rounding.
    #[test]
    fn a_polygon_moved_onto_the_antimeridian_covers_the_same(
        (star, points) in star().prop_flat_map(|star| {
            let points = prop::collection::vec(near(&Shape::Polygon(star.clone())), 40);
            (Just(star), points)
        }),
        quarters in 0..8i32,
    ) {
        let bounds = star.bounds();
        let by = 180.0 - ((bounds.west + (bounds.east - bounds.west) * f64::from(quarters) / 8.0) * 64.0).round() / 64.0;
        let moved = |p: Point| [wrapped(p.lon + by), p.lat];
        let closed = |ring: Vec<Point>| ring.iter().chain(ring.first()).map(|p| moved(*p)).collect::<Vec<_>>();
        let rings: Vec<Vec<[f64; 2]>> = star.rings().map(|ring| closed(ring.collect())).collect();
        let parsed = read(&rings);
        prop_assert!(!parsed.problems.iter().any(|problem| problem.is_fatal()), "{:?}", parsed.problems);
        let parts: &[Polygon] = parsed.fences[0].shape.polygons();
        prop_assert!(parts.iter().all(|part| part.bounds().east - part.bounds().west < 180.0));
        for p in points {
            let [lon, lat] = moved(p);
            if Shape::Polygon(star.clone()).distance_to_border_m(p) > 1e-4 {
                prop_assert_eq!(contains(&parsed, lon, lat), star.contains(p), "{:?} moved by {}", p, by);
            }
        }
    }
}

#[test]
fn a_box_across_the_antimeridian_is_two_and_owns_its_middle_once() {
    let ring = |west: f64, east: f64, s: f64, n: f64| vec![[west, s], [east, s], [east, n], [west, n], [west, s]];
    let parsed = read(&[ring(179.0, -179.0, -1.0, 1.0), ring(179.5, -179.5, -0.5, 0.5)]);
    assert_eq!(
        parsed.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["features[0] \"x\": coordinates[0]: it lies across the antimeridian: cut there in two parts"]
            .map(|said| said.replace("features[0]", "feature"))
    );
    assert_eq!(parsed.fences[0].shape.polygons().len(), 2);
    for (lon, lat, is_in) in [
        (179.2, 0.0, true),
        (-179.2, 0.0, true),
        (180.0, 0.9, true),
        (-180.0, 0.9, true),
        (180.0, 0.0, false),
        (179.7, 0.0, false),
        (-179.7, 0.0, false),
        (179.0, 0.0, true),
        (-179.0, 0.0, false),
        (178.9, 0.0, false),
        (0.0, 0.0, false),
    ] {
        assert_eq!(contains(&parsed, lon, lat), is_in, "{lon} {lat}");
    }
    // A box around the whole map is one.
    let world = read(&[ring(-180.0, 180.0, -90.0, 90.0)]);
    assert_eq!(world.problems, []);
    assert!(contains(&world, 0.0, 0.0) && contains(&world, 180.0, 90.0) && contains(&world, -180.0, -90.0));
}

#[test]
fn a_ring_around_a_pole_encloses_it() {
    for sign in [1.0, -1.0] {
        // Uneven, and it begins anywhere.
        let mut ring: Vec<[f64; 2]> =
            (0..12).map(|i| [-170.0 + 30.0 * f64::from(i), sign * f64::from(70 + i % 3)]).collect();
        for turn in [0, 5, 11] {
            ring.rotate_left(turn);
            for is_reversed in [false, true] {
                if is_reversed {
                    ring.reverse();
                }
                let parsed = read(&[ring.iter().chain(ring.first()).copied().collect()]);
                for lon in [-180.0, -170.0, -91.0, 0.0, 45.5, 179.0, 180.0] {
                    assert!(contains(&parsed, lon, sign * 80.0), "{lon} {sign} {turn}");
                    assert!(contains(&parsed, lon, sign * 90.0), "{lon} {sign} {turn}");
                    assert!(
                        !contains(&parsed, lon, sign * 69.0) && !contains(&parsed, lon, sign * -80.0),
                        "{lon} {sign}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_ring_across_the_antimeridian_that_crosses_itself_is_still_refused() {
    let bow = read(&[vec![[179.0, 0.0], [-179.0, 1.0], [-179.0, 0.0], [179.0, 1.0], [179.0, 0.0]]]);
    assert!(bow.fences.is_empty() && bow.problems.iter().any(|problem| problem.is_fatal()), "{:?}", bow.problems);
}

#[test]
fn a_ring_may_begin_at_a_pole() {
    for first in 0..3 {
        let mut ring = vec![[10.0, -90.0], [12.0, -80.0], [14.0, -81.0]];
        ring.rotate_left(first);
        ring.push(ring[0]);
        let parsed = read(&[ring]);
        assert!(contains(&parsed, 12.0, -82.0) && !contains(&parsed, 20.0, -82.0), "{first}");
    }
}

#[test]
fn what_lies_a_hair_beyond_the_antimeridian_leaves_no_part_of_its_own() {
    let east = -180.0 + 1e-12;
    let parsed = read(&[vec![[179.0, 0.0], [179.5, 0.0], [east, 0.5], [179.5, 1.0], [179.0, 0.0]]]);
    let written = geojson::to_json(&parsed.fences[0]).to_string();
    let again = geojson::parse(&written);
    assert_eq!(again.problems, [], "{written}");
    assert!(contains(&again, 179.9, 0.5));
}
