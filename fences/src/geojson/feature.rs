//! One feature, or one bare geometry, to a fence or its problems.

use std::sync::Arc;

use serde_json::Value;

use super::{ID_CHARS_MAX, Label, Problem, ProblemKind, quote};
use crate::fence::Fence;
use crate::shape::{Draft, Place, check};

/// Properties that can be a feature's id, the best first.
const ID_PROPERTIES: [&str; 6] = ["id", "code", "adcode", "gb", "name", "grid"];
const GEOMETRIES: [&str; 7] =
    ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"];

/// What became of a feature.
pub(super) struct Reading {
    pub(super) label: Label,
    /// Present when no problem is fatal.
    pub(super) fence: Option<Fence>,
    pub(super) problems: Vec<Problem>,
}

pub(super) fn is_geometry(kind: &str) -> bool {
    GEOMETRIES.contains(&kind)
}

pub(super) fn read_feature(feature: &Value, mut label: Label) -> Reading {
    let kind = feature.get("type").and_then(Value::as_str);
    if kind != Some("Feature") {
        let found = kind.map_or_else(|| "something without a type".to_owned(), |kind| format!("{:?}", quote(kind)));
        return refuse(label, None, ProblemKind::NotAFeature { found });
    }
    let property = |key: &str| feature.get("properties").and_then(|properties| properties.get(key));
    let ids = std::iter::once(feature.get("id")).chain(ID_PROPERTIES.iter().map(|key| property(key)));
    let id = ids.flatten().find_map(as_id);
    label.id = id.as_deref().map(quote);
    label.name = property("name").and_then(as_id).map(|name| quote(&name));
    if id.is_some_and(|id| id.chars().count() > ID_CHARS_MAX || id.chars().any(char::is_control)) {
        return refuse(label, None, ProblemKind::BadId);
    }
    match feature.get("geometry") {
        Some(geometry) if !geometry.is_null() => read_geometry(geometry, label),
        _ => refuse(label, None, ProblemKind::NoGeometry),
    }
}

pub(super) fn read_geometry(geometry: &Value, label: Label) -> Reading {
    let draft = match read_draft(geometry) {
        Ok(draft) => draft,
        Err((place, kind)) => return refuse(label, place, kind),
    };
    let checked = check(draft);
    let mut problems: Vec<Problem> = checked.flaws.into_iter().map(|flaw| Problem::of_flaw(&label, flaw)).collect();
    let Some(shape) = checked.shape else { return Reading { label, fence: None, problems } };
    let id = label.id.clone().unwrap_or_else(|| {
        let given = format!("fence-{}", label.index.unwrap_or(0));
        problems.push(Problem::of_feature(&label, ProblemKind::NoId { given: given.clone() }));
        given
    });
    let name = label.name.clone().unwrap_or_else(|| id.clone());
    Reading { fence: Some(Fence { id: Arc::from(id), name, shape }), label, problems }
}

fn refuse(label: Label, place: Option<Place>, kind: ProblemKind) -> Reading {
    let problem = Problem { place, ..Problem::of_feature(&label, kind) };
    Reading { label, fence: None, problems: vec![problem] }
}

/// Text or a number, without white space around it, if anything is left.
fn as_id(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!id.is_empty()).then_some(id)
}

type Refused = (Option<Place>, ProblemKind);

fn read_draft(geometry: &Value) -> Result<Draft, Refused> {
    let Some(kind) = geometry.get("type").and_then(Value::as_str) else {
        return Err((None, ProblemKind::Unsupported { geometry: "a geometry without a type".to_owned() }));
    };
    let coordinates = geometry.get("coordinates").unwrap_or(&Value::Null);
    match kind {
        "Polygon" => {
            let nesting = Nesting { geometry: "Polygon", place: Place::default() };
            Ok(Draft { polygons: vec![nesting.polygon(coordinates)?], is_multi: false })
        }
        "MultiPolygon" => {
            let nesting = Nesting { geometry: "MultiPolygon", place: Place::default() };
            let polygons = nesting.array(coordinates)?.iter().enumerate().map(|(polygon, value)| {
                let place = Place { polygon: Some(polygon), ..nesting.place };
                Nesting { place, ..nesting }.polygon(value)
            });
            Ok(Draft { polygons: polygons.collect::<Result<_, _>>()?, is_multi: true })
        }
        other => Err((None, ProblemKind::Unsupported { geometry: quote(other) })),
    }
}

/// Arrays in arrays, and where in them we are.
#[derive(Clone, Copy)]
struct Nesting {
    geometry: &'static str,
    place: Place,
}

impl Nesting {
    fn polygon(&self, value: &Value) -> Result<Vec<Vec<[f64; 2]>>, Refused> {
        let ring = |(ring, value): (usize, &Value)| {
            Nesting { place: Place { ring: Some(ring), ..self.place }, ..*self }.ring(value)
        };
        self.array(value)?.iter().enumerate().map(ring).collect()
    }

    fn ring(&self, value: &Value) -> Result<Vec<[f64; 2]>, Refused> {
        let position = |(vertex, value): (usize, &Value)| {
            let inner = Nesting { place: Place { vertex: Some(vertex), ..self.place }, ..*self };
            let numbers = inner.array(value)?;
            let number = |i: usize| numbers.get(i).and_then(Value::as_f64);
            match (number(0), number(1)) {
                (Some(lon), Some(lat)) => Ok([lon, lat]),
                // One level too deep is a mistake of its own, and as common.
                _ if numbers.first().is_some_and(Value::is_array) => Err(inner.wrong()),
                _ => Err((Some(inner.place), ProblemKind::NotAPosition)),
            }
        };
        self.array(value)?.iter().enumerate().map(position).collect()
    }

    fn array<'a>(&self, value: &'a Value) -> Result<&'a Vec<Value>, Refused> {
        value.as_array().ok_or_else(|| self.wrong())
    }

    fn wrong(&self) -> Refused {
        (Some(self.place), ProblemKind::Nesting { geometry: self.geometry })
    }
}
