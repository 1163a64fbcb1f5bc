//! Metres on the WGS-84 ellipsoid: between two points, from a point to an edge, on both sides of the antimeridian and at
//! the poles.

use crate::plane::Xy;

/// Semi-major axis, flattening and first eccentricity squared of the WGS-84 ellipsoid (NIMA TR8350.2).
const A_M: f64 = 6_378_137.0;
const F: f64 = 1.0 / 298.257_223_563;
const E2: f64 = F * (2.0 - F);
pub(crate) const MEAN_RADIUS_M: f64 = 6_371_008.8;

/// Straight through the Earth up to which the arc is found from the chord: its error is then below 5 mm.
const CHORD_M_MAX: f64 = 100_000.0;
/// Of latitude, between a point and an edge or nearer to a pole, beyond which one scale for both is too coarse.
const NEAR_DEG: f64 = 1.0;
const POLAR_DEG: f64 = 80.0;
/// No degree is longer, and no degree of latitude is shorter.
pub(crate) const DEGREE_M_MAX: f64 = 111_700.0;
pub(crate) const DEGREE_OF_LATITUDE_M_MIN: f64 = 110_500.0;
/// Pieces in which a far or polar edge is looked at, and steps that then narrow the nearest place down.
const PIECES_MAX: f64 = 360.0;
const NARROWINGS: usize = 60;

/// A place in space, metres from the centre of the Earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ecef([f64; 3]);

impl Ecef {
    pub(crate) fn new(p: Xy) -> Ecef {
        let ((sin_lat, cos_lat), (sin_lon, cos_lon)) = (p.y.to_radians().sin_cos(), p.x.to_radians().sin_cos());
        let prime_vertical_m = A_M / (1.0 - E2 * sin_lat * sin_lat).sqrt();
        let across_m = prime_vertical_m * cos_lat;
        Ecef([across_m * cos_lon, across_m * sin_lon, prime_vertical_m * (1.0 - E2) * sin_lat])
    }

    pub(crate) fn chord_m(self, other: Ecef) -> f64 {
        let square = |i: usize| (self.0[i] - other.0[i]).powi(2);
        (square(0) + square(1) + square(2)).sqrt()
    }
}

/// Metres per degree of longitude and of latitude at a latitude.
pub(crate) fn metres_per_degree(lat: f64) -> (f64, f64) {
    let (sin, cos) = lat.to_radians().sin_cos();
    let w2 = 1.0 - E2 * sin * sin;
    let prime_vertical_m = A_M / w2.sqrt();
    let meridional_m = prime_vertical_m * (1.0 - E2) / w2;
    (prime_vertical_m * cos.to_radians(), meridional_m.to_radians())
}

/// Longitude moved by whole turns to within half a turn of `about`.
pub(crate) fn near_longitude(lon: f64, about: f64) -> f64 {
    if (lon - about).abs() <= 180.0 { lon } else { lon + ((about - lon) / 360.0).round() * 360.0 }
}

/// Length of the geodesic: within a centimetre, but near antipodes within 0.6 %.
pub(crate) fn distance_m(p: Xy, q: Xy) -> f64 {
    let chord_m = Ecef::new(p).chord_m(Ecef::new(q));
    if chord_m <= CHORD_M_MAX {
        return arc_of_chord_m(chord_m);
    }
    vincenty_m(p, q).unwrap_or_else(|| haversine_m(p, q))
}

fn arc_of_chord_m(chord_m: f64) -> f64 {
    chord_m * (1.0 + (chord_m / MEAN_RADIUS_M).powi(2) / 24.0)
}

/// Straight through a sphere, between the ends of an arc.
pub(crate) fn chord_of_arc_m(arc_m: f64) -> f64 {
    2.0 * MEAN_RADIUS_M * (arc_m / (2.0 * MEAN_RADIUS_M)).sin()
}

fn haversine_m(p: Xy, q: Xy) -> f64 {
    let half = |a: f64, b: f64| ((a - b).to_radians() / 2.0).sin().powi(2);
    let h = half(p.y, q.y) + p.y.to_radians().cos() * q.y.to_radians().cos() * half(p.x, q.x);
    2.0 * MEAN_RADIUS_M * h.clamp(0.0, 1.0).sqrt().asin()
}

/// T. Vincenty, Survey Review XXIII, 176 (1975). `None` where it does not converge: near antipodes.
fn vincenty_m(p: Xy, q: Xy) -> Option<f64> {
    let b_m = A_M * (1.0 - F);
    let reduced = |lat: f64| {
        let (sin, cos) = lat.to_radians().sin_cos();
        let length = (sin * (1.0 - F)).hypot(cos);
        (sin * (1.0 - F) / length, cos / length)
    };
    let ((sin_u1, cos_u1), (sin_u2, cos_u2)) = (reduced(p.y), reduced(q.y));
    let lon = (near_longitude(q.x, p.x) - p.x).to_radians();
    let mut lambda = lon;
    for _ in 0..100 {
        let (sin_l, cos_l) = lambda.sin_cos();
        let sin_s = (cos_u2 * sin_l).hypot(cos_u1 * sin_u2 - sin_u1 * cos_u2 * cos_l);
        if sin_s == 0.0 {
            return Some(0.0);
        }
        let cos_s = sin_u1 * sin_u2 + cos_u1 * cos_u2 * cos_l;
        let s = sin_s.atan2(cos_s);
        let sin_alpha = cos_u1 * cos_u2 * sin_l / sin_s;
        let cos2_alpha = 1.0 - sin_alpha * sin_alpha;
        let cos_2m = if cos2_alpha == 0.0 { 0.0 } else { cos_s - 2.0 * sin_u1 * sin_u2 / cos2_alpha };
        let c = F / 16.0 * cos2_alpha * (4.0 + F * (4.0 - 3.0 * cos2_alpha));
        let bracket = cos_2m + c * cos_s * (2.0 * cos_2m * cos_2m - 1.0);
        let next = lon + (1.0 - c) * F * sin_alpha * (s + c * sin_s * bracket);
        if (next - lambda).abs() < 1e-13 {
            let u2 = cos2_alpha * (A_M * A_M - b_m * b_m) / (b_m * b_m);
            let big_a = 1.0 + u2 / 16384.0 * (4096.0 + u2 * (-768.0 + u2 * (320.0 - 175.0 * u2)));
            let big_b = u2 / 1024.0 * (256.0 + u2 * (-128.0 + u2 * (74.0 - 47.0 * u2)));
            let last = big_b / 6.0 * cos_2m * (4.0 * sin_s * sin_s - 3.0) * (4.0 * cos_2m * cos_2m - 3.0);
            let ds = big_b * sin_s * (cos_2m + big_b / 4.0 * (cos_s * (2.0 * cos_2m * cos_2m - 1.0) - last));
            return Some(b_m * big_a * (s - ds));
        }
        lambda = next;
    }
    None
}

/// Metres from `p` to the straight line of longitude and latitude between `a` and `b`: within 0.1 % up to 100 km, and
/// beyond and near the poles within 1 %.
pub(crate) fn distance_to_edge_m(p: Xy, a: Xy, b: Xy) -> f64 {
    distance_to_nearest_m(p, || std::iter::once((a, b)))
}

/// Metres from `p` to the nearest of many edges; see [`distance_to_edge_m`].
pub(crate) fn distance_to_nearest_m<I: Iterator<Item = (Xy, Xy)>>(p: Xy, edges: impl Fn() -> I) -> f64 {
    let scale = metres_per_degree(p.y);
    let mut nearest = (f64::INFINITY, p, p);
    for (a, b) in edges().filter(|&(a, b)| is_near(p, a, b)) {
        let here = Xy { x: near_longitude(p.x, f64::midpoint(a.x, b.x)), y: p.y };
        let q = between(a, b, nearest_share(here, a, b, scale));
        let (dx, dy) = ((here.x - q.x) * scale.0, (here.y - q.y) * scale.1);
        if dx * dx + dy * dy < nearest.0 {
            nearest = (dx * dx + dy * dy, here, q);
        }
    }
    let (_, here, q) = nearest;
    let mut nearest_m = f64::INFINITY;
    if nearest.0 < f64::INFINITY {
        // Which place is nearest was found with the scale at `p`; how far it is wants the scale half-way.
        let (lon_m, lat_m) = metres_per_degree(f64::midpoint(here.y, q.y));
        nearest_m = ((here.x - q.x) * lon_m).hypot((here.y - q.y) * lat_m);
    }
    for (a, b) in edges().filter(|&(a, b)| !is_near(p, a, b)) {
        let lat_gap = (a.y.min(b.y) - p.y).max(p.y - a.y.max(b.y));
        if lat_gap * DEGREE_OF_LATITUDE_M_MIN < nearest_m {
            let here = Xy { x: near_longitude(p.x, f64::midpoint(a.x, b.x)), y: p.y };
            nearest_m = nearest_m.min(distance_to_long_edge_m(here, a, b));
        }
    }
    nearest_m
}

/// One scale is good enough for both.
fn is_near(p: Xy, a: Xy, b: Xy) -> bool {
    let (low, high) = (a.y.min(b.y), a.y.max(b.y));
    let (lowest, highest) = (low.min(p.y), high.max(p.y));
    highest - low <= NEAR_DEG && high - lowest <= NEAR_DEG && highest <= POLAR_DEG && lowest >= -POLAR_DEG
}

fn between(a: Xy, b: Xy, share: f64) -> Xy {
    Xy { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share }
}

fn nearest_share(p: Xy, a: Xy, b: Xy, (lon_m, lat_m): (f64, f64)) -> f64 {
    let (along_x, along_y) = ((b.x - a.x) * lon_m, (b.y - a.y) * lat_m);
    let (to_x, to_y) = ((p.x - a.x) * lon_m, (p.y - a.y) * lat_m);
    let length_m2 = along_x * along_x + along_y * along_y;
    if length_m2 == 0.0 { 0.0 } else { ((to_x * along_x + to_y * along_y) / length_m2).clamp(0.0, 1.0) }
}

/// By looking at places a degree apart and narrowing down around the nearest (golden section).
fn distance_to_long_edge_m(p: Xy, a: Xy, b: Xy) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let here = Ecef::new(p);
    let chord_m = |share: f64| here.chord_m(Ecef::new(between(a, b, share)));
    let n = (b.x - a.x).abs().max((b.y - a.y).abs()).ceil().clamp(1.0, PIECES_MAX);
    let mut nearest = (f64::INFINITY, 0.0);
    for i in 0..=n as usize {
        let share = i as f64 / n;
        let far_m = chord_m(share);
        if far_m < nearest.0 {
            nearest = (far_m, share);
        }
    }
    let (mut low, mut high) = ((nearest.1 - 1.0 / n).max(0.0), (nearest.1 + 1.0 / n).min(1.0));
    for _ in 0..NARROWINGS {
        let step = (high - low) * GOLDEN;
        if chord_m(high - step) < chord_m(low + step) {
            high = low + step;
        } else {
            low = high - step;
        }
    }
    let found = between(a, b, f64::midpoint(low, high));
    let at_sample = between(a, b, nearest.1);
    distance_m(p, found).min(distance_m(p, at_sample))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xy(x: f64, y: f64) -> Xy {
        Xy { x, y }
    }

    #[test]
    fn a_degree_has_the_published_length() {
        // Lengths at 0 and 45 degrees as tabulated for WGS-84, e.g. in en.wikipedia.org/wiki/Geographic_coordinate_system.
        let (lon_m, lat_m) = metres_per_degree(0.0);
        assert!((lon_m - 111_319.5).abs() < 0.5 && (lat_m - 110_574.3).abs() < 0.5, "{lon_m} {lat_m}");
        let (lon_m, lat_m) = metres_per_degree(45.0);
        assert!((lon_m - 78_846.8).abs() < 0.5 && (lat_m - 111_131.7).abs() < 0.5, "{lon_m} {lat_m}");
    }

    #[test]
    fn geodesics_have_the_published_length() {
        // JFK to LHR as in the manual of GeographicLib's GeodSolve.
        let got_m = distance_m(xy(-73.8, 40.6), xy(-0.5, 51.6));
        assert!((got_m - 5_551_759.400).abs() < 0.01, "{got_m}");
        assert_eq!(distance_m(xy(106.0, 29.8), xy(106.0, 29.8)), 0.0);
        // Along the equator the geodesic is an arc of the semi-major axis.
        let got_m = distance_m(xy(179.75, 0.0), xy(-179.75, 0.0));
        assert!((got_m - A_M * 0.5f64.to_radians()).abs() < 0.005, "{got_m}");
        // Nearly antipodal: half a meridian is 20,003.9 km.
        let got_m = distance_m(xy(0.0, 0.3), xy(179.8, -0.3));
        assert!((got_m - 20_003_900.0).abs() < 130_000.0, "{got_m}");
    }

    #[test]
    fn chord_and_geodesic_agree_where_one_gives_way_to_the_other() {
        for (lat, lon, to_lat, to_lon) in
            [(29.8, 106.0, 30.4, 106.6), (85.0, 10.0, 85.5, 16.0), (-0.3, 179.8, 0.3, -179.6)]
        {
            let (p, q) = (xy(lon, lat), xy(to_lon, to_lat));
            let by_chord_m = arc_of_chord_m(Ecef::new(p).chord_m(Ecef::new(q)));
            let by_vincenty_m = vincenty_m(p, q).unwrap();
            assert!((by_chord_m - by_vincenty_m).abs() < 0.006, "{by_chord_m} {by_vincenty_m}");
        }
    }

    #[test]
    fn an_edge_beside_the_pole_is_as_far_as_the_pole_says() {
        // A parallel at 89.9 degrees, seen from the pole: 0.1 degree of latitude.
        let got_m = distance_to_edge_m(xy(0.0, 90.0), xy(-90.0, 89.9), xy(90.0, 89.9));
        assert!((got_m - 11_169.4).abs() < 1.0, "{got_m}");
        // Across the antimeridian.
        let got_m = distance_to_edge_m(xy(-179.99, 0.0), xy(179.99, -1.0), xy(179.99, 1.0));
        assert!((got_m - 2_226.4).abs() < 1.0, "{got_m}");
    }
}
