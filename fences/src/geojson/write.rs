//! A fence to a GeoJSON Feature, for those who draw it.

use serde_json::{Value, json};

use crate::fence::Fence;
use crate::point::Point;
use crate::shape::{Polygon, Shape};

/// A Feature with `id` and the properties `id` and `name`: a circle as a Point with `radius_m`, a corridor as a LineString
/// with `width_m`; rings closed, in the order in which they were read.
pub fn to_json(fence: &Fence) -> Value {
    let mut properties = json!({ "id": fence.id.as_ref(), "name": fence.name });
    let geometry = match &fence.shape {
        Shape::Polygon(polygon) => json!({ "type": "Polygon", "coordinates": coordinates(polygon) }),
        Shape::MultiPolygon(multi) => {
            let parts: Vec<Value> = multi.parts().iter().map(coordinates).collect();
            json!({ "type": "MultiPolygon", "coordinates": parts })
        }
        Shape::Circle(circle) => {
            properties["radius_m"] = json!(circle.radius_m());
            json!({ "type": "Point", "coordinates": position(circle.center()) })
        }
        Shape::Corridor(corridor) => {
            properties["width_m"] = json!(corridor.width_m());
            json!({ "type": "LineString", "coordinates": corridor.points().map(position).collect::<Vec<_>>() })
        }
        Shape::Line(line) => {
            json!({ "type": "LineString", "coordinates": line.points().map(position).collect::<Vec<_>>() })
        }
    };
    json!({
        "type": "Feature",
        "id": fence.id.as_ref(),
        "properties": properties,
        "geometry": geometry,
    })
}

/// Degrees of longitude.
const HALF_TURN: f64 = 180.0;

fn position(point: Point) -> [f64; 2] {
    [point.lon, point.lat]
}

fn coordinates(polygon: &Polygon) -> Value {
    let rings = polygon.rings().map(|ring| {
        let mut corners: Vec<[f64; 2]> = ring.map(position).collect();
        corners.extend(corners.first().copied());
        let mut positions: Vec<[f64; 2]> = corners.first().copied().into_iter().collect();
        for edge in corners.windows(2) {
            // Half way round and more, readers take an edge for one that goes the other way.
            if (edge[1][0] - edge[0][0]).abs() >= HALF_TURN {
                positions.push([(edge[0][0] + edge[1][0]) / 2.0, (edge[0][1] + edge[1][1]) / 2.0]);
            }
            positions.push(edge[1]);
        }
        json!(positions)
    });
    rings.collect()
}
