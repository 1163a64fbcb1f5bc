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
//! - [`picture`]: zones and tripwires in a camera's picture
//! - [`order`]: what comes out of order, sorted again within a bound
//! - [`sight`]: a pixel of a camera on a high point to a place on the map, and how sure that is
//! - [`track`]: subjects over fences: crossings, trips, stays, speed, and when rules are on duty
//!
//! Longitudes and latitudes are WGS-84 degrees. An edge between two vertices is the straight line between their
//! longitudes and latitudes, as RFC 7946 says. A polygon does not reach across the antimeridian: it is cut there in
//! two parts, as RFC 7946 asks; circles, corridors, lines and rectangles may lie across it, and over a pole.
//!
//! A point on the border between two polygons belongs to exactly one of them: the lower and the left border belong to a
//! polygon, the upper and the right one do not, decided with exact arithmetic.
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
//! ```

#![warn(missing_docs)]

pub mod agreement;
pub mod coordinates;
pub mod fence;
mod geodesic;
pub mod geojson;
pub mod order;
pub mod picture;
mod plane;
pub mod point;
pub mod repair;
pub mod set;
pub mod shape;
pub mod sight;
pub mod track;
pub mod wkt;

pub use coordinates::Coordinates;
pub use fence::Fence;
pub use picture::{PictureLine, PictureZone};
pub use point::{Bounds, Point};
pub use set::FenceSet;
pub use shape::{Circle, Corridor, Line, MultiPolygon, Polygon, Shape};
