//! Values as columns: the wire types of the store and their conversions.

use serde::{Deserialize, Serialize};

use crate::config::Severity;
use crate::nouns::{Ellipse, Figure, Sight};

#[derive(Serialize)]
struct FigureOut<'a> {
    name: &'a str,
    value: f64,
    unit: Option<&'a str>,
}

/// A figure as the store keeps it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FigureRow {
    pub name: String,
    pub value: Option<f64>,
    pub unit: Option<String>,
}

pub(super) fn figures_to_json(figures: &[Figure]) -> String {
    let out: Vec<FigureOut> = figures
        .iter()
        .map(|figure| FigureOut { name: &figure.name, value: figure.value, unit: figure.unit.as_deref() })
        .collect();
    serde_json::to_string(&out).unwrap_or_else(|_| "[]".into())
}

pub(super) fn figures_from_json(text: &str) -> Vec<FigureRow> {
    serde_json::from_str(text).unwrap_or_default()
}

/// How a camera sees a place, as the store keeps it.
#[derive(Serialize, Deserialize)]
struct SightRow {
    bearing: f64,
    bearing_error: f64,
    distance_m: Option<f64>,
    /// Half axes in metres, bearing of the larger one.
    error: Option<[f64; 3]>,
    grids: Vec<String>,
    flat: bool,
}

pub(super) fn sight_to_json(sight: Option<&Sight>) -> Option<String> {
    let Sight { bearing_deg, bearing_error_deg, distance_m, error, grids, is_flat } = sight?;
    let row = SightRow {
        bearing: *bearing_deg,
        bearing_error: *bearing_error_deg,
        distance_m: *distance_m,
        error: error.map(|error| [error.major_m, error.minor_m, error.bearing_deg]),
        grids: grids.iter().map(|grid| grid.to_string()).collect(),
        flat: *is_flat,
    };
    serde_json::to_string(&row).ok()
}

pub(super) fn sight_from_json(text: Option<String>) -> Option<Box<Sight>> {
    let row: SightRow = serde_json::from_str(&text?).ok()?;
    Some(Box::new(Sight {
        bearing_deg: row.bearing,
        bearing_error_deg: row.bearing_error,
        distance_m: row.distance_m,
        error: row.error.map(|[major_m, minor_m, bearing_deg]| Ellipse { major_m, minor_m, bearing_deg }),
        grids: row.grids.into_iter().map(Into::into).collect(),
        is_flat: row.flat,
    }))
}

pub(super) fn severity(text: &str) -> Option<Severity> {
    [Severity::Minor, Severity::Moderate, Severity::Severe, Severity::Extreme]
        .into_iter()
        .find(|severity| severity.as_str() == text)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
