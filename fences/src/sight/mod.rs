//! Where on the map a pixel of a camera on a high point is: pixel → bearing and elevation → ground → point, with how sure
//! that is. Knows nothing of pictures and of what is seen.
//!
//! - [`camera`]: lens and pose: which way a pixel looks
//! - [`terrain`]: heights of the ground, and where a ray meets it; `geotiff`: read from one
//! - [`ellipse`]: how far a point may be off
//! - [`locate`]: all of that together, with the errors of each part carried on
//! - [`meet`]: whether two cameras see the same thing, and where it then is
//!
//! Angles are degrees, bearings clockwise from true north, elevations up from the horizon. Errors are standard deviations.

pub mod camera;
pub mod ellipse;
mod geotiff;
pub mod locate;
pub mod meet;
pub mod terrain;

pub use camera::{Aim, Lens, Post};
pub use ellipse::{Covariance, Ellipse};
pub use locate::{Errors, Sighting, Spot, View};
pub use meet::{Meeting, meet};
pub use terrain::{Ground, Terrain, TerrainError};

use crate::Point;
use crate::geodesic::metres_per_degree;

/// Where one arrives who starts towards `bearing_deg` and goes `distance_m` straight on over the ellipsoid: Gauss's
/// mid-latitude formula, within 20 cm up to 50 km away from the poles.
pub fn destination(from: Point, bearing_deg: f64, distance_m: f64) -> Point {
    let (mut north_deg, mut east_deg) = (0.0, 0.0_f64);
    for _ in 0..4 {
        let middle = from.lat + north_deg / 2.0;
        let (lon_m, lat_m) = metres_per_degree(middle);
        let bearing = (bearing_deg + east_deg * middle.to_radians().sin() / 2.0).to_radians();
        north_deg = distance_m * bearing.cos() / lat_m;
        east_deg = distance_m * bearing.sin() / lon_m;
    }
    Point { lon: from.lon + east_deg, lat: from.lat + north_deg }
}

/// Metres east and north from one point to another that is near, by the same formula.
pub fn offset_m(from: Point, to: Point) -> (f64, f64) {
    let (lon_m, lat_m) = metres_per_degree((from.lat + to.lat) / 2.0);
    ((to.lon - from.lon) * lon_m, (to.lat - from.lat) * lat_m)
}

/// Bearing at `from` and distance to a point: [`destination`] the other way.
pub fn bearing_and_distance(from: Point, to: Point) -> (f64, f64) {
    let (east_m, north_m) = offset_m(from, to);
    let convergence = (to.lon - from.lon) * ((from.lat + to.lat) / 2.0).to_radians().sin() / 2.0;
    ((east_m.atan2(north_m).to_degrees() - convergence).rem_euclid(360.0), east_m.hypot(north_m))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Geodesic.WGS84.Direct` of GeographicLib 2.1.
    #[test]
    fn a_way_over_the_ellipsoid_ends_where_geographiclib_says() {
        let from = Point { lon: 106.05, lat: 29.84 };
        for (bearing, distance, lon, lat) in [
            (0.0, 10_000.0, 106.05, 29.930_211_58),
            (90.0, 20_000.0, 106.256_951_96, 29.839_837_87),
            (225.0, 50_000.0, 105.685_312_90, 29.520_540_55),
        ] {
            let to = destination(from, bearing, distance);
            let off = to.distance_m(Point { lon, lat });
            assert!(off < 0.2, "{bearing} {distance}: {to:?} is {off} m off");
            let (back, far) = bearing_and_distance(from, to);
            assert!((far - distance).abs() < 0.1 && ((back - bearing + 180.0).rem_euclid(360.0) - 180.0).abs() < 1e-4);
        }
    }
}
