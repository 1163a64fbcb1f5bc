//! A place on the map, boxes around places, and metres. Knows nothing of shapes.

use crate::plane::Xy;

/// WGS-84 degrees. [`Point::new`] checks; a point built by hand out of range or of NaN is in no fence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub lon: f64,
    pub lat: f64,
}

/// The least box of longitudes and latitudes around something; its border belongs to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

/// Semi-major axis and first eccentricity squared of the WGS-84 ellipsoid (NIMA TR8350.2).
const WGS84_A_M: f64 = 6_378_137.0;
const WGS84_E2: f64 = 6.694_379_990_141_32e-3;

impl Point {
    /// `None` where a coordinate is not finite or out of range.
    pub fn new(lon: f64, lat: f64) -> Option<Point> {
        // NaN is in no range.
        let in_range = (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
        in_range.then_some(Point { lon, lat })
    }

    /// Along a sphere of the Earth's mean radius (haversine): within 0.6 % of the ellipsoid.
    pub fn distance_m(self, other: Point) -> f64 {
        const MEAN_RADIUS_M: f64 = 6_371_008.8;
        let half = |a: f64, b: f64| ((a - b).to_radians() / 2.0).sin().powi(2);
        let cosines = self.lat.to_radians().cos() * other.lat.to_radians().cos();
        let h = half(self.lat, other.lat) + cosines * half(self.lon, other.lon);
        2.0 * MEAN_RADIUS_M * h.clamp(0.0, 1.0).sqrt().asin()
    }

    pub(crate) fn xy(self) -> Xy {
        Xy::new(self.lon, self.lat)
    }
}

impl From<Xy> for Point {
    fn from(xy: Xy) -> Point {
        Point { lon: xy.x, lat: xy.y }
    }
}

impl Bounds {
    /// A box around nothing: contains no point, and any union with it is the other.
    pub const EMPTY: Bounds =
        Bounds { west: f64::INFINITY, south: f64::INFINITY, east: f64::NEG_INFINITY, north: f64::NEG_INFINITY };

    pub fn contains(&self, point: Point) -> bool {
        self.holds(point.xy())
    }

    pub fn union(&self, other: &Bounds) -> Bounds {
        Bounds {
            west: self.west.min(other.west),
            south: self.south.min(other.south),
            east: self.east.max(other.east),
            north: self.north.max(other.north),
        }
    }

    pub(crate) fn around(points: impl IntoIterator<Item = Xy>) -> Bounds {
        let mut bounds = Bounds::EMPTY;
        for p in points {
            bounds = bounds.union(&Bounds { west: p.x, south: p.y, east: p.x, north: p.y });
        }
        bounds
    }

    pub(crate) fn holds(&self, p: Xy) -> bool {
        p.x >= self.west && p.x <= self.east && p.y >= self.south && p.y <= self.north
    }

    pub(crate) fn meets(&self, other: &Bounds) -> bool {
        self.west <= other.east && other.west <= self.east && self.south <= other.north && other.south <= self.north
    }
}

/// Metres per degree of longitude and of latitude on the WGS-84 ellipsoid at a latitude.
pub(crate) fn metres_per_degree(lat: f64) -> (f64, f64) {
    let (sin, cos) = lat.to_radians().sin_cos();
    let w2 = 1.0 - WGS84_E2 * sin * sin;
    let prime_vertical_m = WGS84_A_M / w2.sqrt();
    let meridional_m = prime_vertical_m * (1.0 - WGS84_E2) / w2;
    (prime_vertical_m * cos.to_radians(), meridional_m.to_radians())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_range_or_not_finite_is_no_point() {
        assert!(Point::new(180.0, -90.0).is_some());
        for (lon, lat) in [(180.1, 0.0), (0.0, 90.1), (f64::NAN, 0.0), (0.0, f64::NAN), (f64::INFINITY, 0.0)] {
            assert_eq!(Point::new(lon, lat), None, "{lon} {lat}");
        }
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
    fn distances_are_those_of_an_atlas() {
        let point = |lon, lat| Point::new(lon, lat).unwrap();
        // Paris to London: 344 km.
        let paris_london_m = point(2.3522, 48.8566).distance_m(point(-0.1276, 51.5072));
        assert!((paris_london_m - 343_600.0).abs() < 1_000.0, "{paris_london_m}");
        assert!((point(106.0, 29.8).distance_m(point(106.0, 29.801)) - 111.2).abs() < 0.1);
        assert_eq!(point(106.0, 29.8).distance_m(point(106.0, 29.8)), 0.0);
        // Half way around, over the date line.
        assert!((point(179.5, 0.0).distance_m(point(-179.5, 0.0)) - 111_195.0).abs() < 1.0);
    }
}
