//! A GeoJSON text whose common mistakes are mended: open rings, repeated positions, swapped longitude and latitude, rings
//! that cross themselves because vertices are out of order, and rings that run the wrong way. What cannot be mended
//! stays as it is, and [`crate::geojson::parse`] goes on saying what is wrong with it.

use serde_json::{Value, json};

use crate::geojson::{Label, TEXT_BYTES_MAX};
use crate::plane::{Xy, signed_area};
use crate::point::Point;
use crate::shape::{FlawKind, self_contacts};

/// Crossings of one ring that are undone; one that has more wants to be drawn again.
const CROSSINGS_MAX: usize = 20;
/// Vertices of a ring whose crossings are undone.
const VERTICES_MAX: usize = 5_000;

/// One mended mistake.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its feature.
    pub feature: Label,
    /// A sentence with the coordinates.
    pub what: String,
}

/// A mended text.
#[derive(Debug, Clone, PartialEq)]
pub struct Repaired {
    /// With what was no mistake as it was.
    pub json: Value,
    /// What is not as it was, in the order of the text.
    pub changes: Vec<Change>,
}

/// Mends what can be mended without a guess about the place.
///
/// # Errors
///
/// One sentence, where the text is not JSON or too long.
pub fn repair(text: &str) -> Result<Repaired, String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("the text has {} bytes of at most {TEXT_BYTES_MAX}", text.len()));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut json: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let mut changes = Vec::new();
    if let Some(features) = json.get_mut("features").and_then(Value::as_array_mut) {
        for (index, feature) in features.iter_mut().enumerate() {
            mend_feature(feature, Some(index), &mut changes);
        }
    } else if json.get("geometry").is_some() {
        mend_feature(&mut json, None, &mut changes);
    } else {
        mend_geometry(&mut json, &Label::default(), &mut changes);
    }
    Ok(Repaired { json, changes })
}

fn mend_feature(feature: &mut Value, index: Option<usize>, changes: &mut Vec<Change>) {
    let property = |name: &str| feature.pointer(&format!("/properties/{name}"))?.as_str().map(str::to_owned);
    let label = Label { index, id: property("id"), name: property("name"), ..Label::default() };
    if let Some(geometry) = feature.get_mut("geometry") {
        mend_geometry(geometry, &label, changes);
    }
}

fn mend_geometry(geometry: &mut Value, label: &Label, changes: &mut Vec<Change>) {
    let kind = geometry.get("type").and_then(Value::as_str).map(str::to_owned);
    let Some(coordinates) = geometry.get_mut("coordinates") else { return };
    let mut say = |what: String| changes.push(Change { feature: label.clone(), what });
    match (kind.as_deref(), coordinates) {
        (Some("Polygon"), Value::Array(rings)) => mend_polygon(rings, "coordinates", &mut say),
        (Some("MultiPolygon"), Value::Array(polygons)) => {
            for (i, polygon) in polygons.iter_mut().enumerate() {
                if let Value::Array(rings) = polygon {
                    mend_polygon(rings, &format!("coordinates[{i}]"), &mut say);
                }
            }
        }
        _ => {}
    }
}

fn mend_polygon(rings: &mut [Value], place: &str, say: &mut impl FnMut(String)) {
    for (i, value) in rings.iter_mut().enumerate() {
        // A position that cannot be read is no mistake of this kind, and heights stay where nothing changes.
        let Some(mut ring) = read_ring(value) else { continue };
        let place = format!("{place}[{i}]");
        if mend_ring(&mut ring, &place, i == 0, say) > 0 {
            *value = json!(ring);
        }
    }
}

fn read_ring(value: &Value) -> Option<Vec<[f64; 2]>> {
    let position = |value: &Value| Some([value.get(0)?.as_f64()?, value.get(1)?.as_f64()?]);
    value.as_array()?.iter().map(position).collect()
}

/// How many changes were made and said.
fn mend_ring(ring: &mut Vec<[f64; 2]>, place: &str, is_shell: bool, say: &mut impl FnMut(String)) -> usize {
    let mut n = 0;
    let mut tell = |what: String| {
        n += 1;
        say(format!("{place}: {what}"));
    };
    let is_point = |[lon, lat]: [f64; 2]| Point::new(lon, lat).is_some();
    if ring.iter().any(|p| !is_point(*p)) && ring.iter().all(|[lon, lat]| is_point([*lat, *lon])) {
        let [first, second] = ring[0];
        for position in ring.iter_mut() {
            position.reverse();
        }
        tell(format!("longitude and latitude were swapped: it begins at [{second}, {first}] now"));
    }
    let n_written = ring.len();
    ring.dedup();
    if ring.len() < n_written {
        tell(format!("{} repeated positions were left out", n_written - ring.len()));
    }
    let Some(&first) = ring.first().filter(|_| ring.len() >= 3) else { return n };
    if ring.last() != Some(&first) {
        ring.push(first);
        tell(format!("it was not closed: [{}, {}] is repeated at its end", first[0], first[1]));
    }
    if !ring.iter().all(|p| is_point(*p)) {
        return n;
    }
    let corner = |p: &[f64; 2]| Xy::new(p[0], p[1]);
    let crossings = uncross(ring);
    for [lon, lat] in crossings {
        tell(format!("it crossed itself at [{lon:.7}, {lat:.7}]: the vertices between are in reverse order now"));
    }
    let corners: Vec<Xy> = ring.iter().map(corner).collect();
    let area = signed_area(&corners[..corners.len() - 1]);
    if area != 0.0 && (area > 0.0) != is_shell {
        ring.reverse();
        let way =
            if is_shell { "counter-clockwise, as RFC 7946 wants shells" } else { "clockwise, as RFC 7946 wants holes" };
        tell(format!("it runs {way}, now"));
    }
    n
}

/// Reverses the vertices between two edges that cross, which undoes the crossing, until there is none. Leaves the ring as
/// it was where that does not end.
fn uncross(ring: &mut Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    if ring.len() > VERTICES_MAX {
        return Vec::new();
    }
    let mut open: Vec<[f64; 2]> = ring[..ring.len() - 1].to_vec();
    let mut places = Vec::new();
    for _ in 0..CROSSINGS_MAX {
        let flaws = self_contacts(open.iter().map(|p| Xy::new(p[0], p[1])).collect());
        let crossing = flaws.iter().find_map(|flaw| match flaw.kind {
            FlawKind::SelfCrossing { first, second } => Some((first.min(second), first.max(second), flaw.place.at)),
            _ => None,
        });
        match crossing {
            Some((first, second, at)) => {
                open[first + 1..=second].reverse();
                places.extend(at);
            }
            None if flaws.is_empty() && !places.is_empty() => {
                open.push(open[0]);
                *ring = open;
                return places;
            }
            None => return Vec::new(),
        }
    }
    Vec::new()
}
