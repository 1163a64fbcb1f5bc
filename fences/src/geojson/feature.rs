//! One feature, or one bare geometry, to a fence or its problems.

use std::sync::Arc;

use serde_json::Value;

use super::{ID_CHARS_MAX, Label, Problem, ProblemKind, quote};
use crate::coordinates::Coordinates;
use crate::fence::Fence;
use crate::point::{Bounds, Point};
use crate::shape::{Circle, Corridor, Draft, Flaw, Line, Path, Place, Shape, check};

/// Properties that can be a feature's id, the best first.
const ID_PROPERTIES: [&str; 6] = ["id", "code", "adcode", "gb", "name", "grid"];
const GEOMETRIES: [&str; 7] =
    ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"];

/// A geometry as written, its nesting understood and nothing of it checked.
#[derive(Debug)]
pub(crate) enum Drawn {
    Areas(Draft),
    Circle {
        center: [f64; 2],
        radius_m: Option<f64>,
    },
    Path {
        positions: Vec<[f64; 2]>,
        width_m: Option<f64>,
    },
    /// The south-western corner, then the north-eastern one.
    Rectangle {
        corners: [[f64; 2]; 2],
    },
}

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

pub(super) fn read_feature(feature: &Value, mut label: Label, coordinates: Coordinates) -> Reading {
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
        Some(geometry) if !geometry.is_null() => {
            read_drawn(draw(geometry, feature.get("properties")), label, coordinates)
        }
        _ => refuse(label, None, ProblemKind::NoGeometry),
    }
}

pub(super) fn read_geometry(geometry: &Value, label: Label, coordinates: Coordinates) -> Reading {
    read_drawn(draw(geometry, None), label, coordinates)
}

pub(super) fn read_drawn(drawn: Result<Drawn, Refused>, label: Label, coordinates: Coordinates) -> Reading {
    let mut drawn = match drawn {
        Ok(drawn) => drawn,
        Err((place, kind)) => return refuse(label, place, kind),
    };
    drawn.convert(coordinates);
    let (shape, flaws) = match drawn.shape() {
        Ok(shaped) => shaped,
        Err((place, kind)) => return refuse(label, place, kind),
    };
    let mut problems: Vec<Problem> = flaws.into_iter().map(|flaw| Problem::of_flaw(&label, flaw)).collect();
    let Some(shape) = shape else { return Reading { label, fence: None, problems } };
    let id = label.id.clone().unwrap_or_else(|| {
        let given = format!("fence-{}", label.index.or(label.line).unwrap_or(0));
        problems.push(Problem::of_feature(&label, ProblemKind::NoId { given: given.clone() }));
        given
    });
    let name = label.name.clone().unwrap_or_else(|| id.clone());
    Reading { fence: Some(Fence { id: Arc::from(id), name, shape }), label, problems }
}

impl Drawn {
    /// To WGS-84. What is out of range stays as written, to be told so.
    fn convert(&mut self, from: Coordinates) {
        if from == Coordinates::Wgs84 {
            return;
        }
        let positions: Box<dyn Iterator<Item = &mut [f64; 2]>> = match self {
            Drawn::Areas(draft) => Box::new(draft.polygons.iter_mut().flatten().flatten()),
            Drawn::Circle { center, .. } => Box::new(std::iter::once(center)),
            Drawn::Path { positions, .. } => Box::new(positions.iter_mut()),
            Drawn::Rectangle { corners } => Box::new(corners.iter_mut()),
        };
        for position in positions {
            if let Some(point) = Point::new(position[0], position[1]) {
                let point = from.to_wgs84(point);
                *position = [point.lon, point.lat];
            }
        }
    }

    fn shape(self) -> Result<(Option<Shape>, Vec<Flaw>), Refused> {
        Ok(match self {
            Drawn::Areas(draft) => {
                let checked = check(draft);
                (checked.shape, checked.flaws)
            }
            Drawn::Circle { radius_m: None, .. } => return Err((None, ProblemKind::NoRadius)),
            Drawn::Circle { center: [lon, lat], radius_m: Some(radius_m) } => {
                let circle = Point::new(lon, lat)
                    .ok_or_else(|| Flaw::of_position(lon, lat))
                    .and_then(|center| Circle::new(center, radius_m));
                circle.map_or_else(|flaw| (None, vec![flaw]), |circle| (Some(Shape::Circle(circle)), vec![]))
            }
            Drawn::Rectangle { corners: [[west, south], [east, north]] } => {
                let rectangle = Shape::rectangle(Bounds { west, south, east, north });
                rectangle.map_or_else(|flaw| (None, vec![flaw]), |shape| (Some(shape), vec![]))
            }
            Drawn::Path { positions, width_m } => {
                let (path, mut flaws) = Path::read(&positions);
                let shape = path.and_then(|path| match width_m {
                    None => Some(Shape::Line(Line::along(path))),
                    Some(width_m) => {
                        Corridor::along(path, width_m).map(Shape::Corridor).map_err(|flaw| flaws.push(flaw)).ok()
                    }
                });
                (shape, flaws)
            }
        })
    }
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

pub(crate) type Refused = (Option<Place>, ProblemKind);

/// Property names of a measure in metres.
const RADII: [&str; 2] = ["radius_m", "radius"];
const WIDTHS: [&str; 2] = ["width_m", "width"];
/// Property of a LineString whose two points are the corners of a rectangle.
const RECTANGLE: &str = "rectangle";

/// What a geometry says; `properties` have the radius of a Point and the width of a LineString, or that it is a rectangle.
pub(super) fn draw(geometry: &Value, properties: Option<&Value>) -> Result<Drawn, Refused> {
    let Some(kind) = geometry.get("type").and_then(Value::as_str) else {
        return Err((None, ProblemKind::Unsupported { geometry: "a geometry without a type".to_owned() }));
    };
    let measure = |names: [&'static str; 2]| {
        let found = names.into_iter().find_map(|name| Some((name, properties?.get(name)?)));
        match found {
            None | Some((_, Value::Null)) => Ok(None),
            Some((_, value)) if value.is_number() => Ok(value.as_f64()),
            Some((name, value)) => Err((None, ProblemKind::NotAMeasure { name, found: quote(&value.to_string()) })),
        }
    };
    let coordinates = geometry.get("coordinates").unwrap_or(&Value::Null);
    match kind {
        "Polygon" => {
            let nesting = Nesting { geometry: "Polygon", place: Place::default() };
            Ok(Drawn::Areas(Draft { polygons: vec![nesting.polygon(coordinates)?], is_multi: false, is_cut: true }))
        }
        "MultiPolygon" => {
            let nesting = Nesting { geometry: "MultiPolygon", place: Place::default() };
            let polygons = nesting.array(coordinates)?.iter().enumerate().map(|(polygon, value)| {
                let place = Place { polygon: Some(polygon), ..nesting.place };
                Nesting { place, ..nesting }.polygon(value)
            });
            Ok(Drawn::Areas(Draft { polygons: polygons.collect::<Result<_, _>>()?, is_multi: true, is_cut: true }))
        }
        "Point" => {
            let nesting = Nesting { geometry: "Point", place: Place::default() };
            Ok(Drawn::Circle { center: nesting.position(coordinates)?, radius_m: measure(RADII)? })
        }
        "LineString" => {
            let nesting = Nesting { geometry: "LineString", place: Place::default() };
            let positions = nesting.ring(coordinates)?;
            match properties.and_then(|properties| properties.get(RECTANGLE)) {
                None | Some(Value::Null | Value::Bool(false)) => {
                    Ok(Drawn::Path { positions, width_m: measure(WIDTHS)? })
                }
                Some(Value::Bool(true)) => rectangle(&positions),
                Some(value) => {
                    Err((None, ProblemKind::NotYesOrNo { name: RECTANGLE, found: quote(&value.to_string()) }))
                }
            }
        }
        other => Err((None, ProblemKind::Unsupported { geometry: quote(other) })),
    }
}

fn rectangle(positions: &[[f64; 2]]) -> Result<Drawn, Refused> {
    let corners = positions.try_into().map_err(|_| (None, ProblemKind::NotTwoCorners { n: positions.len() }))?;
    Ok(Drawn::Rectangle { corners })
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
            Nesting { place: Place { vertex: Some(vertex), ..self.place }, ..*self }.position(value)
        };
        self.array(value)?.iter().enumerate().map(position).collect()
    }

    fn position(&self, value: &Value) -> Result<[f64; 2], Refused> {
        let numbers = self.array(value)?;
        let number = |i: usize| numbers.get(i).and_then(Value::as_f64);
        match (number(0), number(1)) {
            (Some(lon), Some(lat)) => Ok([lon, lat]),
            // One level too deep is a mistake of its own, and as common.
            _ if numbers.first().is_some_and(Value::is_array) => Err(self.wrong()),
            _ => Err((Some(self.place), ProblemKind::NotAPosition)),
        }
    }

    fn array<'a>(&self, value: &'a Value) -> Result<&'a Vec<Value>, Refused> {
        value.as_array().ok_or_else(|| self.wrong())
    }

    fn wrong(&self) -> Refused {
        (Some(self.place), ProblemKind::Nesting { geometry: self.geometry })
    }
}
