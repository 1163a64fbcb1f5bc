//! Where a subject was at a time, and how sure that is.

use serde::{Deserialize, Serialize};

use crate::point::Point;

/// Checked: its place is one on Earth, its radius is finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "Row", try_from = "Row")]
pub struct Fix {
    /// Milliseconds by the subject's own clock.
    pub at_ms: i64,
    /// Longitude and latitude in degrees.
    pub point: Point,
    /// 0 where it was not given.
    radius_m: f32,
}

/// Time, longitude, latitude, radius: the shortest text.
type Row = (i64, f64, f64, f32);

/// Of two fixes of one time, the more accurate counts; then any order will do, as long as it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tie {
    radius: u32,
    lon: u64,
    lat: u64,
}

impl Fix {
    /// `None` where the point is none. An accuracy of 0 means "not given", as trackers use it, and so does what is no
    /// length.
    pub fn new(at_ms: i64, point: Point, accuracy_m: Option<f64>) -> Option<Fix> {
        let point = Point::new(point.lon, point.lat)?;
        let radius_m = accuracy_m.filter(|radius_m| *radius_m > 0.0).map_or(0.0, |radius_m| radius_m as f32);
        Some(Fix { at_ms, point, radius_m: radius_m.min(f32::MAX) })
    }

    /// Radius of the fix's uncertainty in metres; 0 where it was not given.
    pub fn radius_m(&self) -> f64 {
        f64::from(self.radius_m)
    }

    /// For [`Sorter`](crate::order::Sorter): makes the order of fixes independent of the order in which they came.
    pub fn tie(&self) -> Tie {
        // Not given is worse than anything that is.
        let radius = if self.radius_m == 0.0 { u32::MAX } else { self.radius_m.to_bits() };
        Tie { radius, lon: self.point.lon.to_bits(), lat: self.point.lat.to_bits() }
    }
}

impl From<Fix> for Row {
    fn from(fix: Fix) -> Row {
        (fix.at_ms, fix.point.lon, fix.point.lat, fix.radius_m)
    }
}

impl TryFrom<Row> for Fix {
    type Error = &'static str;

    fn try_from((at_ms, lon, lat, radius_m): Row) -> Result<Fix, Self::Error> {
        Fix::new(at_ms, Point { lon, lat }, Some(f64::from(radius_m))).ok_or("not a place on Earth")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_radius_was_not_given() {
        let radius_m = |accuracy_m| Fix::new(0, Point { lon: 106.0, lat: 29.8 }, accuracy_m).unwrap().radius_m();
        assert_eq!([None, Some(0.0), Some(-1.0), Some(f64::NAN)].map(radius_m), [0.0; 4]);
        assert_eq!(radius_m(Some(8.0)), 8.0);
        assert!(radius_m(Some(f64::INFINITY)).is_finite());
        assert_eq!(Fix::new(0, Point { lon: 181.0, lat: 0.0 }, None), None);
    }

    #[test]
    fn of_one_time_the_more_accurate_comes_first() {
        let tie = |lon, accuracy_m| Fix::new(0, Point { lon, lat: 29.8 }, accuracy_m).unwrap().tie();
        assert!(tie(106.0, Some(3.0)) < tie(105.0, Some(8.0)) && tie(106.0, Some(8.0)) < tie(105.0, None));
        assert_eq!(tie(106.0, None), tie(106.0, Some(0.0)));
    }

    #[test]
    fn the_text_of_a_fix_is_short_and_exact() {
        let fix = Fix::new(1_767_225_600_000, Point { lon: 106.056_789_1, lat: 29.8 }, Some(7.3)).unwrap();
        let text = serde_json::to_string(&fix).unwrap();
        assert_eq!(text, "[1767225600000,106.0567891,29.8,7.3]");
        assert_eq!(serde_json::from_str::<Fix>(&text).unwrap(), fix);
        assert!(serde_json::from_str::<Fix>("[0,200.0,0.0,0.0]").is_err());
    }
}
