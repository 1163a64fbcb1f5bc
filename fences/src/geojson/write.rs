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

fn position(point: Point) -> [f64; 2] {
    [point.lon, point.lat]
}

fn coordinates(polygon: &Polygon) -> Value {
    let rings = polygon.rings().map(|ring| {
        let mut positions: Vec<[f64; 2]> = ring.map(position).collect();
        positions.extend(positions.first().copied());
        json!(positions)
    });
    rings.collect()
}
