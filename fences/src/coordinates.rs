//! Coordinate systems that maps of China are drawn in, to WGS-84 and back. Chinese law has maps shifted by some hundred
//! metres (GCJ-02), and Baidu shifts once more (BD-09); outside mainland China nothing is shifted. CGCS2000 is WGS-84
//! within a few centimetres and needs no conversion.
//!
//! The shift is not published; the formulas are those that the open-source community found and that all use, the first
//! being `eviltransform` (github.com/googollee/eviltransform).

use crate::point::Point;

/// What the numbers of a source or a file mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Coordinates {
    /// GPS and BeiDou receivers; CGCS2000.
    #[default]
    Wgs84,
    /// Amap, Tencent and most Chinese maps.
    Gcj02,
    /// Baidu.
    Bd09,
}

/// Semi-major axis and eccentricity squared of the Krasovsky ellipsoid, which the shift is computed with.
const A_M: f64 = 6_378_245.0;
const E2: f64 = 0.006_693_421_622_965_943;
/// Steps of the inverse; each leaves about a hundredth of the error.
const STEPS_MAX: usize = 20;
/// Degrees: a tenth of a millimetre.
const CLOSE: f64 = 1e-9;
/// Shift of the centre that Baidu adds, and its angle.
const BAIDU_LON: f64 = 0.0065;
const BAIDU_LAT: f64 = 0.006;
const BAIDU_TURN: f64 = std::f64::consts::PI * 3000.0 / 180.0;

impl Coordinates {
    /// WGS-84 of a point of this system: back within a millimetre, by iterating the forward formula.
    pub fn to_wgs84(self, point: Point) -> Point {
        match self {
            Coordinates::Wgs84 => point,
            Coordinates::Gcj02 => invert(point, wgs84_to_gcj02),
            Coordinates::Bd09 => invert(invert(point, gcj02_to_bd09), wgs84_to_gcj02),
        }
    }

    /// A WGS-84 point in this system.
    pub fn from_wgs84(self, point: Point) -> Point {
        match self {
            Coordinates::Wgs84 => point,
            Coordinates::Gcj02 => wgs84_to_gcj02(point),
            Coordinates::Bd09 => gcj02_to_bd09(wgs84_to_gcj02(point)),
        }
    }

    /// As configurations write it.
    pub fn name(self) -> &'static str {
        match self {
            Coordinates::Wgs84 => "wgs84",
            Coordinates::Gcj02 => "gcj02",
            Coordinates::Bd09 => "bd09",
        }
    }
}

/// The point that `forward` takes to `target`. Where there is none, at the border of what is shifted, the nearest found.
fn invert(target: Point, forward: fn(Point) -> Point) -> Point {
    let mut guess = target;
    for _ in 0..STEPS_MAX {
        let there = forward(guess);
        let (dlon, dlat) = (target.lon - there.lon, target.lat - there.lat);
        guess = Point { lon: guess.lon + dlon, lat: guess.lat + dlat };
        if dlon.abs() < CLOSE && dlat.abs() < CLOSE {
            break;
        }
    }
    guess
}

/// The rectangle that all implementations shift; it holds some of the neighbours too.
fn is_shifted(p: Point) -> bool {
    (72.004..=137.8347).contains(&p.lon) && (0.8293..=55.8271).contains(&p.lat)
}

fn wgs84_to_gcj02(p: Point) -> Point {
    if !is_shifted(p) {
        return p;
    }
    let pi = std::f64::consts::PI;
    let (x, y) = (p.lon - 105.0, p.lat - 35.0);
    let wave = |v: f64, amplitudes: [f64; 2], parts: [f64; 2]| {
        (amplitudes[0] * (v * pi / parts[0]).sin() + amplitudes[1] * (v * pi / parts[1]).sin()) * 2.0 / 3.0
    };
    let ripple = wave(x, [20.0, 20.0], [1.0 / 6.0, 0.5]);
    let north_m = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + ripple
        + wave(y, [20.0, 40.0], [1.0, 3.0])
        + wave(y, [160.0, 320.0], [12.0, 30.0]);
    let east_m = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + ripple
        + wave(x, [20.0, 40.0], [1.0, 3.0])
        + wave(x, [150.0, 300.0], [12.0, 30.0]);
    let lat = p.lat.to_radians();
    let w2 = 1.0 - E2 * lat.sin() * lat.sin();
    let dlat = north_m * 180.0 / (A_M * (1.0 - E2) / (w2 * w2.sqrt()) * pi);
    let dlon = east_m * 180.0 / (A_M / w2.sqrt() * lat.cos() * pi);
    Point { lon: p.lon + dlon, lat: p.lat + dlat }
}

fn gcj02_to_bd09(p: Point) -> Point {
    if !is_shifted(p) {
        return p;
    }
    let length = p.lon.hypot(p.lat) + 0.000_02 * (p.lat * BAIDU_TURN).sin();
    let angle = p.lat.atan2(p.lon) + 0.000_003 * (p.lon * BAIDU_TURN).cos();
    Point { lon: length * angle.cos() + BAIDU_LON, lat: length * angle.sin() + BAIDU_LAT }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shift_is_the_one_that_others_compute() {
        // Tongliang: 468 m, as measured on two outlines of the district (370 m east, 286 m south).
        let here = Point { lon: 106.03, lat: 29.81 };
        let shifted = Coordinates::Gcj02.from_wgs84(here);
        assert!((shifted.lon - here.lon - 0.00383).abs() < 5e-6, "{shifted:?}");
        assert!((shifted.lat - here.lat + 0.00258).abs() < 5e-6, "{shifted:?}");
        // The test table of eviltransform: Shanghai, Shenzhen, Beijing.
        for (from, to) in [
            ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
            ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
            ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
        ] {
            let got = Coordinates::Gcj02.from_wgs84(Point { lon: from.0, lat: from.1 });
            assert!((got.lon - to.0).abs() < 1e-6 && (got.lat - to.1).abs() < 1e-6, "{got:?} {to:?}");
        }
        // Baidu's own shift is some 700 to 1,000 m more.
        let baidu = Coordinates::Bd09.from_wgs84(here);
        assert!((600.0..1_100.0).contains(&baidu.distance_m(shifted)), "{}", baidu.distance_m(shifted));
    }

    #[test]
    fn there_and_back_is_within_a_millimetre() {
        let mut worst_m: f64 = 0.0;
        for i in 0..60 {
            for j in 0..50 {
                let p = Point { lon: 74.0 + f64::from(i) * 1.037, lat: 3.0 + f64::from(j) * 1.0211 };
                for system in [Coordinates::Gcj02, Coordinates::Bd09] {
                    worst_m = worst_m.max(system.to_wgs84(system.from_wgs84(p)).distance_m(p));
                    worst_m = worst_m.max(system.from_wgs84(system.to_wgs84(p)).distance_m(p));
                }
            }
        }
        assert!(worst_m < 0.001, "{worst_m}");
    }

    #[test]
    fn outside_china_nothing_moves() {
        let london = Point { lon: -0.12, lat: 51.5 };
        for system in [Coordinates::Wgs84, Coordinates::Gcj02, Coordinates::Bd09] {
            assert_eq!(system.from_wgs84(london), london);
            assert_eq!(system.to_wgs84(london), london);
        }
    }
}
