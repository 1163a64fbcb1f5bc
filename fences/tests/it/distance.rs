//! How far the border is: against geodesics to many points of it.

use outpost_fences::{Point, Shape};
use proptest::prelude::*;

use crate::shapes::{point, polygon};

/// Length of the geodesic on the WGS-84 ellipsoid, by T. Vincenty, Survey Review XXIII, 176 (1975).
fn geodesic_m(p: Point, q: Point) -> f64 {
    let (a, f) = (6_378_137.0, 1.0 / 298.257_223_563);
    let b = a * (1.0 - f);
    let reduced = |lat: f64| ((1.0 - f) * lat.to_radians().tan()).atan().sin_cos();
    let ((sin_u1, cos_u1), (sin_u2, cos_u2)) = (reduced(p.lat), reduced(q.lat));
    let l = (q.lon - p.lon).to_radians();
    let mut lambda = l;
    for _ in 0..100 {
        let (sin_l, cos_l) = lambda.sin_cos();
        let sin_s = (cos_u2 * sin_l).hypot(cos_u1 * sin_u2 - sin_u1 * cos_u2 * cos_l);
        if sin_s == 0.0 {
            return 0.0;
        }
        let cos_s = sin_u1 * sin_u2 + cos_u1 * cos_u2 * cos_l;
        let s = sin_s.atan2(cos_s);
        let sin_alpha = cos_u1 * cos_u2 * sin_l / sin_s;
        let cos2_alpha = 1.0 - sin_alpha * sin_alpha;
        let cos_2m = if cos2_alpha == 0.0 { 0.0 } else { cos_s - 2.0 * sin_u1 * sin_u2 / cos2_alpha };
        let c = f / 16.0 * cos2_alpha * (4.0 + f * (4.0 - 3.0 * cos2_alpha));
        let bracket = cos_2m + c * cos_s * (2.0 * cos_2m * cos_2m - 1.0);
        let next = l + (1.0 - c) * f * sin_alpha * (s + c * sin_s * bracket);
        if (next - lambda).abs() < 1e-13 {
            let u2 = cos2_alpha * (a * a - b * b) / (b * b);
            let big_a = 1.0 + u2 / 16384.0 * (4096.0 + u2 * (-768.0 + u2 * (320.0 - 175.0 * u2)));
            let big_b = u2 / 1024.0 * (256.0 + u2 * (-128.0 + u2 * (74.0 - 47.0 * u2)));
            let last = big_b / 6.0 * cos_2m * (4.0 * sin_s * sin_s - 3.0) * (4.0 * cos_2m * cos_2m - 3.0);
            let ds = big_b * sin_s * (cos_2m + big_b / 4.0 * (cos_s * (2.0 * cos_2m * cos_2m - 1.0) - last));
            return b * big_a * (s - ds);
        }
        lambda = next;
    }
    panic!("{p:?} and {q:?} are antipodes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_border_is_as_far_as_its_nearest_point(
        corners in prop::collection::vec((-0.05..0.05f64, -0.05..0.05f64), 3),
        lat in -60.0..60.0f64,
        (dx, dy) in (-0.8..0.8f64, -0.8..0.8f64),
    ) {
        let ring: Vec<(f64, f64)> = corners.iter().map(|(x, y)| (106.0 + x, lat + y)).collect();
        let area = (ring[1].0 - ring[0].0) * (ring[2].1 - ring[0].1) - (ring[2].0 - ring[0].0) * (ring[1].1 - ring[0].1);
        prop_assume!(area.abs() > 1e-6);
        let p = point(106.0 + dx, lat + dy);

        const N: usize = 500;
        let mut nearest_m = f64::INFINITY;
        for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            for i in 0..N {
                let t = i as f64 / N as f64;
                nearest_m = nearest_m.min(geodesic_m(p, point(a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t)));
            }
        }
        let got_m = Shape::Polygon(polygon(&ring, &[])).distance_to_border_m(p);
        // The samples lie up to 32 m apart, which matters to near points only.
        let sampling_m = if nearest_m < 2_000.0 { 16.0 } else { 0.1 };
        prop_assert!((got_m - nearest_m).abs() < 0.001 * nearest_m + sampling_m, "{got_m} {nearest_m}");
    }
}

#[test]
fn a_tenth_of_a_degree_is_that_far_from_within_and_from_without() {
    let square = Shape::Polygon(polygon(&[(106.0, 29.0), (107.0, 29.0), (107.0, 31.0), (106.0, 31.0)], &[]));
    for lon in [105.9, 106.1] {
        let got_m = square.distance_to_border_m(point(lon, 30.0));
        assert!((got_m - 9_648.6).abs() < 0.5, "{got_m}");
    }
    assert_eq!(square.distance_to_border_m(point(106.0, 30.0)), 0.0);
}

#[test]
fn the_border_of_a_hole_is_a_border() {
    let hole = vec![(106.4, 29.4), (106.6, 29.4), (106.6, 29.6), (106.4, 29.6)];
    let square = polygon(&[(106.0, 29.0), (107.0, 29.0), (107.0, 30.0), (106.0, 30.0)], &[hole]);
    let got_m = Shape::Polygon(square).distance_to_border_m(point(106.5, 29.41));
    assert!((got_m - 1_108.5).abs() < 1.0, "{got_m}");
}

#[test]
fn a_point_beyond_the_antimeridian_is_near() {
    let east_end = polygon(&[(179.0, 0.0), (180.0, 0.0), (180.0, 1.0), (179.0, 1.0)], &[]);
    let got_m = Shape::Polygon(east_end).distance_to_border_m(point(-179.9, 0.5));
    assert!((got_m - 11_131.5).abs() < 1.0, "{got_m}");
}
