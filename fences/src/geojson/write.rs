//! A fence to a GeoJSON Feature, for those who draw it.

use serde_json::{Value, json};

use crate::fence::Fence;
use crate::shape::{Polygon, Shape};

/// A Feature with `id` and the properties `id` and `name`; rings closed, in the order in which they were read.
pub fn to_json(fence: &Fence) -> Value {
    let geometry = match &fence.shape {
        Shape::Polygon(polygon) => json!({ "type": "Polygon", "coordinates": coordinates(polygon) }),
        Shape::MultiPolygon(multi) => {
            let parts: Vec<Value> = multi.parts().iter().map(coordinates).collect();
            json!({ "type": "MultiPolygon", "coordinates": parts })
        }
    };
    json!({
        "type": "Feature",
        "id": fence.id.as_ref(),
        "properties": { "id": fence.id.as_ref(), "name": fence.name },
        "geometry": geometry,
    })
}

fn coordinates(polygon: &Polygon) -> Value {
    let rings = polygon.rings().map(|ring| {
        let mut positions: Vec<[f64; 2]> = ring.map(|point| [point.lon, point.lat]).collect();
        positions.extend(positions.first().copied());
        json!(positions)
    });
    rings.collect()
}
