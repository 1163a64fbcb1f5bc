//! Fences on the map and zones in a picture: shapes, who owns a point, GeoJSON and well-known text. Pure: knows nothing of
//! observations, rules, clocks, files or async. Modules in reading order:
//!
//! - [`point`]: a place on the map, bounding boxes, metres
//! - `plane`, `geodesic`: exact arithmetic on points and edges of a plane; metres on the ellipsoid
//! - [`coordinates`]: GCJ-02 and BD-09, which maps of China are drawn in, to WGS-84 and back
//! - [`shape`]: the kinds of shape and what makes one invalid
//! - [`fence`]: a shape with an id and a name
//! - [`set`]: many fences behind one index
//! - [`geojson`], [`wkt`]: text to fences and problems, fences to text
//! - [`repair`], [`agreement`]: mends common mistakes; finds maps drawn in another system than they say
//! - [`outline`]: what lies beyond the ground that it is for
//! - [`picture`]: zones and tripwires in a camera's picture
//! - [`order`]: what comes out of order, sorted again within a bound
//! - [`sight`]: a pixel of a camera on a high point to a place on the map, and how sure that is
//! - [`recurrence`]: whether what happens again and again belongs together
//! - [`track`]: subjects over fences: crossings, trips, stays, speed, and when rules are on duty
//!
//! Longitudes and latitudes are WGS-84 degrees. An edge between two vertices is the straight line between their
//! longitudes and latitudes, as RFC 7946 says. Fences may lie across the antimeridian and over a pole. Polygons are parts
//! there that end at 180 degrees, as RFC 7946 asks; what a file draws in one is cut when it is read: an edge that spans
//! more than 180 degrees is taken the short way.
//!
//! A point on the border between two polygons belongs to exactly one of them: the lower and the left border belong to a
//! polygon, the upper and the right one do not, decided with exact arithmetic.
//!
//! # Points in fences
//!
//! ```
//! use outpost_fences::{FenceSet, Point, geojson};
//!
//! let text = r#"{"type": "FeatureCollection", "features": [
//!     {"type": "Feature", "properties": {"id": "west"}, "geometry": {"type": "Polygon",
//!         "coordinates": [[[106.0, 29.8], [106.1, 29.8], [106.1, 29.9], [106.0, 29.9], [106.0, 29.8]]]}},
//!     {"type": "Feature", "properties": {"id": "east"}, "geometry": {"type": "Polygon",
//!         "coordinates": [[[106.1, 29.8], [106.2, 29.8], [106.2, 29.9], [106.1, 29.9], [106.1, 29.8]]]}},
//!     {"type": "Feature", "properties": {"id": "pier", "radius_m": 200}, "geometry":
//!         {"type": "Point", "coordinates": [106.05, 29.85]}}]}"#;
//! let parsed = geojson::parse(text);
//! assert!(parsed.problems.is_empty());
//! let fences = FenceSet::new(parsed.fences);
//!
//! // On the border that both share: one owner.
//! let here = Point::new(106.1, 29.85).expect("it is on the globe");
//! assert_eq!(fences.owner(here).map(|fence| &*fence.id), Some("east"));
//!
//! let at_the_pier = Point::new(106.051, 29.85).expect("it is on the globe");
//! let ids: Vec<&str> = fences.containing(at_the_pier).map(|fence| &*fence.id).collect();
//! assert_eq!(ids, ["west", "pier"]);
//! assert!((fences.get("pier").unwrap().distance_to_border_m(at_the_pier) - 103.3).abs() < 0.1);
//!
//! // Many points at once: index of the point, and fence.
//! let mut found = Vec::new();
//! fences.containing_each(&[here, at_the_pier], |point, fence| found.push((point, &*fence.id == "pier")));
//! assert_eq!(found, [(0, false), (1, false), (1, true)]);
//! ```
//!
//! # Files with mistakes
//!
//! One bad feature costs no other; each problem says where it is and what to do.
//!
//! ```
//! use outpost_fences::{Coordinates, wkt};
//!
//! let text = "yard\tPOLYGON ((106 29, 107 29, 107 30, 106 29))\nbad\tPOLYGON ((29 106, 30 107, 30 106, 29 106))";
//! let parsed = wkt::parse(text, Coordinates::Wgs84);
//! assert_eq!(parsed.fences.len(), 1);
//! assert!(parsed.problems[0].to_string().starts_with(r#"line 2 "bad": "#));
//! assert!(parsed.problems[0].to_string().contains("longitude and latitude seem swapped"));
//! ```
//!
//! # Subjects that move
//!
//! A [`Tracker`](track::Tracker) says who came in and went out, without flicker at the border; its states are small,
//! one for each subject, and live where the caller wants them. A [`Tripwire`](track::tripwire::Tripwire) says who went
//! over a line, and which way.
//!
//! ```
//! use std::sync::Arc;
//! use outpost_fences::shape::Direction;
//! use outpost_fences::track::tripwire::{Tripwire, TripwireState};
//! use outpost_fences::track::{Confirm, Fix, MotionLimits, Side, Subject, Tracker, Tracking};
//! use outpost_fences::{Bounds, Fence, FenceSet, Line, Point, Shape};
//!
//! let shape = Shape::rectangle(Bounds { west: 106.0, south: 29.8, east: 106.1, north: 29.9 })?;
//! let yard = Fence { id: "yard".into(), name: "the yard".into(), shape };
//! let limits = MotionLimits { speed_max_mps: 50.0, accuracy_max_m: 100.0, gap_max_ms: 600_000 };
//! let tracking =
//!     Tracking { limits, exit_buffer_m: 20.0, confirm: Confirm::AT_ONCE, heeds_accuracy: true, infers: false };
//! let tracker = Tracker::new(Arc::new(FenceSet::new(vec![yard])), tracking);
//! // West of the yard, then within it, a minute later.
//! let at = |at_ms, lon| Fix::new(at_ms, Point { lon, lat: 29.85 }, None).expect("a place on Earth");
//! let (mut subject, mut crossings) = (Subject::default(), Vec::new());
//! for fix in [at(0, 105.99), at(60_000, 106.01)] {
//!     tracker.step(&mut subject, fix, &mut crossings);
//! }
//! assert_eq!((&*crossings[0].fence, crossings[0].to, crossings[0].at_ms), ("yard", Side::Inside, 60_000));
//!
//! // A line northward: from west to east is from its left to its right.
//! let line = Line::new(&[Point { lon: 106.0, lat: 29.8 }, Point { lon: 106.0, lat: 29.9 }])?;
//! let tripwire = Tripwire::new(line, 5.0, limits);
//! let mut state = TripwireState::default();
//! assert_eq!(tripwire.step(&mut state, at(0, 105.99)), None);
//! let trip = tripwire.step(&mut state, at(60_000, 106.01)).expect("it went over");
//! assert_eq!((trip.direction, trip.at_ms), (Direction::LeftToRight, 30_000));
//! # Ok::<(), outpost_fences::shape::Flaw>(())
//! ```
//!
//! # Hours and pictures
//!
//! ```
//! use std::sync::Arc;
//! use outpost_fences::track::calendar::{Calendar, Schedule};
//!
//! let calendar = Calendar::new("Asia/Shanghai", &["2026-10-01..2026-10-07".to_owned()], &["2026-10-10".to_owned()])?;
//! let nights = Schedule::new(Arc::new(calendar), &["workdays 22:00-06:00".to_owned()])?;
//! // 2026-11-27T23:00:00+08:00, a Friday.
//! assert!(nights.is_on(1_795_791_600_000));
//! # Ok::<(), outpost_fences::track::calendar::CalendarError>(())
//! ```
//!
//! ```
//! use outpost_fences::PictureZone;
//!
//! // The lower half of a picture: x to the right, y down, in shares of its width and height.
//! let zone = PictureZone::new(&[[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]])?;
//! assert!(zone.contains(0.5, 0.9) && !zone.contains(0.5, 0.2));
//! # Ok::<(), outpost_fences::picture::ZoneError>(())
//! ```

#![warn(missing_docs)]

pub mod agreement;
pub mod coordinates;
pub mod fence;
mod geodesic;
pub mod geojson;
pub mod order;
pub mod outline;
pub mod picture;
mod plane;
pub mod point;
pub mod recurrence;
pub mod repair;
pub mod set;
pub mod shape;
pub mod sight;
pub mod track;
pub mod wkt;

pub use coordinates::Coordinates;
pub use fence::Fence;
pub use picture::{Ground, PictureLine, PictureZone};
pub use point::{Bounds, Point};
pub use set::FenceSet;
pub use shape::{Circle, Corridor, Line, MultiPolygon, Polygon, Shape};
