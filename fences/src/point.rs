//! A place on the map, boxes around places, and metres. Knows nothing of shapes.

use crate::geodesic;
use crate::plane::Xy;

/// WGS-84 degrees. [`Point::new`] checks; a point built by hand out of range or of NaN is in no fence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Degrees east, -180 to 180.
    pub lon: f64,
    /// Degrees north, -90 to 90.
    pub lat: f64,
}

/// The least box of longitudes and latitudes around something; its border belongs to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Least longitude.
    pub west: f64,
    /// Least latitude.
    pub south: f64,
    /// Greatest longitude.
    pub east: f64,
    /// Greatest latitude.
    pub north: f64,
}

impl Point {
    /// `None` where a coordinate is not finite or out of range.
    pub fn new(lon: f64, lat: f64) -> Option<Point> {
        // NaN is in no range.
        let in_range = (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
        in_range.then_some(Point { lon, lat })
    }

    /// Metres along the geodesic of the WGS-84 ellipsoid: within a centimetre, but near antipodes within 0.6 %.
    pub fn distance_m(self, other: Point) -> f64 {
        geodesic::distance_m(self.xy(), other.xy())
    }

    /// As it is asked for: the antimeridian from its east side and the pole from below, because a polygon's right and upper
    /// borders are not its own and there is no neighbour beyond the map.
    #[inline]
    pub(crate) fn asked(self) -> Xy {
        let Xy { x, y } = self.xy();
        Xy { x: if x == 180.0 { -180.0 } else { x }, y: if y == 90.0 { y.next_down() } else { y } }
    }

    #[inline]
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

    /// Inside or on the border.
    pub fn contains(&self, point: Point) -> bool {
        self.holds(point.xy())
    }

    /// The least box around both.
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

    /// A box around all that is within so many metres of it; all longitudes where that reaches the antimeridian or a pole.
    pub(crate) fn grown_m(&self, metres: f64) -> Bounds {
        // A hundredth more than the sphere says: the ellipsoid is 0.6 % off it.
        let by_lat = metres / geodesic::DEGREE_OF_LATITUDE_M_MIN;
        let (south, north) = ((self.south - by_lat).max(-90.0), (self.north + by_lat).min(90.0));
        let slim = self.south.abs().max(self.north.abs()).to_radians().cos();
        let sine = (1.01 * metres / geodesic::MEAN_RADIUS_M).sin() / slim;
        let by_lon = if sine < 1.0 && south > -90.0 && north < 90.0 { sine.asin().to_degrees() } else { 360.0 };
        Bounds { west: self.west - by_lon, south, east: self.east + by_lon, north }.within_the_world()
    }

    /// All longitudes where it reaches beyond 180.
    pub(crate) fn within_the_world(self) -> Bounds {
        let is_within = self.west >= -180.0 && self.east <= 180.0;
        if is_within { self } else { Bounds { west: -180.0, east: 180.0, ..self } }
    }

    #[inline]
    pub(crate) fn holds(&self, p: Xy) -> bool {
        p.x >= self.west && p.x <= self.east && p.y >= self.south && p.y <= self.north
    }

    pub(crate) fn meets(&self, other: &Bounds) -> bool {
        self.west <= other.east && other.west <= self.east && self.south <= other.north && other.south <= self.north
    }
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
    fn distances_are_those_of_an_atlas() {
        let point = |lon, lat| Point::new(lon, lat).unwrap();
        // Paris to London: 344 km.
        let paris_london_m = point(2.3522, 48.8566).distance_m(point(-0.1276, 51.5072));
        assert!((paris_london_m - 343_600.0).abs() < 1_000.0, "{paris_london_m}");
        assert!((point(106.0, 29.8).distance_m(point(106.0, 29.801)) - 110.85).abs() < 0.02);
        assert_eq!(point(106.0, 29.8).distance_m(point(106.0, 29.8)), 0.0);
        // Over the date line.
        assert!((point(179.5, 0.0).distance_m(point(-179.5, 0.0)) - 111_319.5).abs() < 1.0);
    }
}
