//! Something that happened at a place and time.

use crate::Point;
use crate::geodesic::{metres_per_degree, near_longitude};

/// On a plane with a common origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occurrence {
    /// To the east.
    pub x_m: f64,
    /// To the north.
    pub y_m: f64,
    /// Since any epoch.
    pub at_ms: i64,
}

impl Occurrence {
    pub(super) fn distance_m(self, other: Occurrence) -> f64 {
        (self.x_m - other.x_m).hypot(self.y_m - other.y_m)
    }
}

/// Places of one district on a plane that touches it in the middle. Over 50 km distances are right within a thousandth.
pub fn on_plane(places: &[(Point, i64)]) -> Vec<Occurrence> {
    let Some((first, _)) = places.first() else { return Vec::new() };
    let lon = |point: Point| near_longitude(point.lon, first.lon);
    let n = places.len() as f64;
    let middle_lon = places.iter().map(|(point, _)| lon(*point)).sum::<f64>() / n;
    let middle_lat = places.iter().map(|(point, _)| point.lat).sum::<f64>() / n;
    let (east_m, north_m) = metres_per_degree(middle_lat);
    let occurrence = |(point, at_ms): &(Point, i64)| Occurrence {
        x_m: (lon(*point) - middle_lon) * east_m,
        y_m: (point.lat - middle_lat) * north_m,
        at_ms: *at_ms,
    };
    places.iter().map(occurrence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_on_the_plane_are_those_on_the_ground() {
        let places = [(106.03, 29.81), (106.0305, 29.8102), (106.25, 29.6)];
        let points: Vec<_> = places.iter().filter_map(|(lon, lat)| Some((Point::new(*lon, *lat)?, 0))).collect();
        let plane = on_plane(&points);
        for (i, j) in [(0, 1), (0, 2), (1, 2)] {
            let ground_m = points[i].0.distance_m(points[j].0);
            let share = plane[i].distance_m(plane[j]) / ground_m;
            assert!((share - 1.0).abs() < 1e-3, "{i} to {j}: {share}");
        }
    }

    #[test]
    fn places_on_both_sides_of_the_antimeridian_are_neighbours() {
        let points: Vec<_> = [179.9999, -179.9999].iter().filter_map(|lon| Some((Point::new(*lon, 0.0)?, 0))).collect();
        let plane = on_plane(&points);
        assert!((plane[0].distance_m(plane[1]) - 22.26).abs() < 0.01);
        assert!(on_plane(&[]).is_empty());
    }
}
