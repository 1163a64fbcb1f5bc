//! What a rule detects: the registry of detector kinds as configuration writes them.

use serde::{Deserialize, Serialize};

use super::Span;

/// Severities of the Common Alerting Protocol 1.2, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Minor,
    Moderate,
    Severe,
    Extreme,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Detect {
    /// A reading above or below a limit.
    Threshold {
        /// Metric that is judged; `value` where a payload has only one.
        #[serde(default = "value_metric")]
        metric: String,
        above: Option<f64>,
        below: Option<f64>,
        /// Level at which the alert clears; the limit itself where absent.
        clear: Option<f64>,
        #[serde(default)]
        hold: Span,
        #[serde(default)]
        clear_hold: Span,
        /// Unit that readings must carry; others are rejected by the rule.
        unit: Option<String>,
    },
    /// Nothing came from the source for longer than this.
    Silent { after: Span },
    /// A camera without pictures for longer than this.
    Dark { after: Span },
    /// A position came into a map fence.
    Enter { fence: String },
    /// A position that was inside a map fence left it.
    Exit { fence: String },
    /// A position inside a map fence for longer than this.
    Inside {
        fence: String,
        #[serde(rename = "for")]
        longer_than: Span,
    },
    /// A hot region in a thermal frame.
    Hotspot {
        /// Degrees Celsius that every pixel of the region exceeds.
        above: Option<f64>,
        /// Kelvin above the frame's background (its median).
        over_background: Option<f64>,
        /// Connected pixels that make a region.
        #[serde(default = "one")]
        pixels_min: usize,
        #[serde(default)]
        hold: Span,
        #[serde(default)]
        clear_hold: Span,
    },
    /// Something moves in a zone of a camera's picture.
    Intrusion {
        zone: String,
        /// Time that something has to be in the zone.
        #[serde(default)]
        dwell: Span,
        /// Least area of the moving thing as a share of the picture, 0..1.
        #[serde(default = "min_area")]
        min_area: f32,
        /// The alert clears when nothing moved in the zone for this long.
        #[serde(default = "clear_hold")]
        clear_hold: Span,
    },
}

fn value_metric() -> String {
    "value".into()
}

fn one() -> usize {
    1
}

fn min_area() -> f32 {
    0.002
}

fn clear_hold() -> Span {
    Span::from_ms(10_000)
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Minor => "minor",
            Severity::Moderate => "moderate",
            Severity::Severe => "severe",
            Severity::Extreme => "extreme",
        }
    }
}
