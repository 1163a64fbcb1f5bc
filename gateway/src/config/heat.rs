//! What rules about heat look at besides the whole picture, and what surfaces are.

use outpost_detectors::hotspot::Background;
use outpost_detectors::observation::Surface;
use serde::{Deserialize, Serialize};

use super::{Active, Span};

/// What `over_background` is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Backdrop {
    /// The median of the picture, or of the area.
    #[default]
    Frame,
    /// The median of what is around each pixel.
    Local,
}

/// A part of the picture with limits of its own; those of the rule where it gives none.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HotArea {
    pub name: String,
    /// x right, y down, 0..1.
    pub polygon: Vec<[f32; 2]>,
    pub above: Option<f64>,
    pub over_background: Option<f64>,
    pub pixels_min: Option<usize>,
    /// What is there, where the imager takes it for something else.
    pub surface: Option<SurfaceOf>,
}

/// A part of the picture that is not looked at: a chimney, a kiln, the sun's path.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Shield {
    pub polygon: Vec<[f32; 2]>,
    /// When it is up; always where absent.
    pub active: Option<Active>,
}

/// How a surface radiates.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SurfaceOf {
    /// Over 0 to 1.
    pub emissivity: f32,
    /// Apparent temperature of what it mirrors, degrees Celsius.
    #[serde(default = "reflected")]
    pub reflected: f32,
}

/// A region has so many times the pixels that it had within this span.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Grows {
    pub factor: f32,
    pub within: Span,
}

/// Frames that are kept with an alert beside the one that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shows {
    /// The last ones on which nothing was hot. They are held in memory for each source.
    pub before: usize,
    /// The next ones while the alert is open.
    pub after: usize,
}

impl Default for Shows {
    fn default() -> Self {
        Shows { before: 1, after: 1 }
    }
}

fn reflected() -> f32 {
    20.0
}

impl From<Backdrop> for Background {
    fn from(backdrop: Backdrop) -> Background {
        match backdrop {
            Backdrop::Frame => Background::Frame,
            Backdrop::Local => Background::Local,
        }
    }
}

impl From<SurfaceOf> for Surface {
    fn from(surface: SurfaceOf) -> Surface {
        Surface { emissivity: surface.emissivity, reflected_c: surface.reflected }
    }
}

impl SurfaceOf {
    /// What is wrong with it, and of which key.
    pub fn fault(&self) -> Option<(&'static str, &'static str)> {
        if !(self.emissivity > 0.0 && self.emissivity <= 1.0) {
            return Some(("emissivity", "must be over 0 and at most 1"));
        }
        if !(-100.0..=1_000.0).contains(&self.reflected) {
            return Some(("reflected", "must be within -100..1000 degrees Celsius"));
        }
        None
    }
}
