//! How rules follow what moves: which positions they believe, what counts as having crossed a border, and which way.

use outpost_fences::shape::Flaw;
use outpost_fences::track::MotionLimits;
use outpost_fences::{Line, Point};
use serde::{Deserialize, Serialize};

use super::Span;

pub const KMH_PER_MPS: f64 = 3.6;
/// Of a rule that names no limit: no body on Earth.
const ANY_SPEED_MPS: f64 = 1e9;

/// Which positions a rule believes.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Motion {
    /// Positions with a wider radius are not heard, metres.
    pub accuracy_max_m: f64,
    /// Nothing that is followed is faster: what seems to be is a receiver's jump. No limit where absent.
    pub speed_max_kmh: Option<f64>,
    /// Over a longer pause nothing is said of the way between two positions.
    pub gap_max: Span,
}

/// What counts as having crossed the border of a fence.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Border {
    /// Who is nearer to the fence than this has not left it, metres.
    pub exit_buffer_m: f64,
    /// How long a change of side must last.
    pub confirm: Span,
    /// How many positions must show it.
    pub fixes: u16,
    /// A position nearer to the border than its radius says little: it takes two of them.
    pub heed_accuracy: bool,
    /// Tells those too who passed between two positions.
    pub infer: bool,
}

/// As seen by who walks the line from its first point to its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrossDirection {
    LeftToRight,
    RightToLeft,
}

impl Default for Motion {
    fn default() -> Motion {
        Motion { accuracy_max_m: 200.0, speed_max_kmh: None, gap_max: Span::from_ms(600_000) }
    }
}

impl Default for Border {
    fn default() -> Border {
        Border { exit_buffer_m: 20.0, confirm: Span::from_ms(0), fixes: 1, heed_accuracy: true, infer: false }
    }
}

impl Motion {
    pub fn limits(&self) -> MotionLimits {
        MotionLimits {
            speed_max_mps: self.speed_max_kmh.map_or(ANY_SPEED_MPS, |kmh| kmh / KMH_PER_MPS),
            accuracy_max_m: self.accuracy_max_m,
            gap_max_ms: self.gap_max.ms(),
        }
    }
}

/// The line that a rule writes itself, of longitudes and latitudes.
pub fn line_of(points: &[[f64; 2]]) -> Result<Line, Flaw> {
    Line::new(&points.iter().map(|[lon, lat]| Point { lon: *lon, lat: *lat }).collect::<Vec<_>>())
}
