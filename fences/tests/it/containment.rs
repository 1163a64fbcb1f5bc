//! Who is inside: against a reference that counts how often the border winds around the point.

use outpost_fences::{Point, Polygon, Shape};
use proptest::prelude::*;

use crate::shapes::{fence, near, point, polygon, shape};

/// The angle that a ring sweeps as seen from a point, in turns: another method than the one under test.
fn winds_around(ring: &[Point], p: Point) -> bool {
    let angle = |q: &Point| (q.lat - p.lat).atan2(q.lon - p.lon);
    let nexts = ring.iter().cycle().skip(1);
    let swept: f64 = ring
        .iter()
        .zip(nexts)
        .map(|(a, b)| {
            let step = angle(b) - angle(a);
            // Seen from a point off the border, an edge is less than half a turn.
            step - (step / std::f64::consts::TAU).round() * std::f64::consts::TAU
        })
        .sum();
    (swept / std::f64::consts::TAU).round() != 0.0
}

fn reference_contains(part: &Polygon, p: Point) -> bool {
    let mut rings = part.rings().map(|ring| ring.collect::<Vec<_>>());
    rings.next().is_some_and(|shell| winds_around(&shell, p)) && !rings.any(|hole| winds_around(&hole, p))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn containment_is_the_winding_number_away_from_borders(
        (shape, points) in shape().prop_flat_map(|shape| {
            let points = prop::collection::vec(near(&shape), 50);
            (Just(shape), points)
        })
    ) {
        for p in points {
            if shape.distance_to_border_m(p) > 0.001 {
                let expected = shape.polygons().iter().any(|part| reference_contains(part, p));
                prop_assert_eq!(shape.contains(p), expected, "{:?}", p);
            }
        }
    }
}

#[test]
fn a_hole_is_outside_and_ring_order_does_not_matter() {
    let shell = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)];
    let hole = vec![(1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0)];
    let turned: Vec<_> = hole.iter().rev().copied().collect();
    for hole in [hole, turned] {
        let fence = fence("ring", Shape::Polygon(polygon(&shell, &[hole])));
        assert!(fence.contains(point(0.5, 0.5)));
        assert!(!fence.contains(point(2.0, 2.0)));
        assert!(!fence.contains(point(5.0, 2.0)));
    }
}

#[test]
fn lower_and_left_borders_are_inside_upper_and_right_ones_are_not() {
    let square = polygon(&[(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)], &[]);
    for (lon, lat) in [(0.0, 0.0), (2.0, 0.0), (0.0, 2.0)] {
        assert!(square.contains(point(lon, lat)), "{lon} {lat}");
    }
    for (lon, lat) in [(4.0, 0.0), (0.0, 4.0), (4.0, 4.0), (2.0, 4.0), (4.0, 2.0)] {
        assert!(!square.contains(point(lon, lat)), "{lon} {lat}");
    }
}

#[test]
fn a_point_that_is_none_is_nowhere() {
    let square = polygon(&[(-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0)], &[]);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
        for p in [Point { lon: bad, lat: 0.0 }, Point { lon: 0.0, lat: bad }] {
            assert!(!square.contains(p), "{p:?}");
            assert_eq!(Shape::Polygon(square.clone()).distance_to_border_m(p), f64::INFINITY, "{p:?}");
        }
    }
}
