//! Values as columns: the wire types of the store and their conversions.

use serde::{Deserialize, Serialize};

use crate::config::Severity;
use crate::nouns::Figure;

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
