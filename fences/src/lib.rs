//! Fences on the map and zones in a picture: shapes, who owns a point, GeoJSON in and out. Pure: knows nothing of
//! observations, rules, clocks, files or async. Modules in reading order:
//!
//! - [`point`]: a place on the map, bounding boxes, metres
//! - `plane`: exact arithmetic on points and edges of a plane
//! - [`shape`]: the kinds of shape and what makes one invalid
//! - [`fence`]: a shape with an id and a name
//! - [`set`]: many fences behind one index
//! - [`geojson`]: text to fences and problems, fences to text
//! - [`picture`]: zones in a camera's picture
//!
//! Longitudes and latitudes are WGS-84 degrees. An edge between two vertices is the straight line between their
//! longitudes and latitudes, as RFC 7946 says. A fence does not reach across the antimeridian: it is cut there in
//! two parts, as RFC 7946 asks.

pub mod agreement;
pub mod coordinates;
pub mod fence;
mod geodesic;
pub mod geojson;
pub mod picture;
mod plane;
pub mod point;
pub mod repair;
pub mod set;
pub mod shape;
pub mod wkt;

pub use coordinates::Coordinates;
pub use fence::Fence;
pub use picture::PictureZone;
pub use point::{Bounds, Point};
pub use set::FenceSet;
pub use shape::{Circle, Corridor, Line, MultiPolygon, Polygon, Shape};
