//! Where cameras on high points stand and look, and the ground that they look at.

use std::path::PathBuf;
use std::sync::Arc;

use outpost_fences::Point;
use outpost_fences::sight::{Aim, Errors, Lens, Post, Terrain, View};
use serde::Deserialize;

use super::{Secret, Span, defaults};

/// How a source looks over land: what it finds hot gets a place on the map.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewOf {
    /// Height of the lens, in the system of the terrain's heights.
    pub height_m: f64,
    /// Of the middle of the picture, degrees clockwise from true north; where frames tell it, theirs goes first.
    pub bearing: f64,
    /// Of the middle of the picture, degrees up from the horizon.
    pub elevation: f64,
    /// Clockwise about the line of sight, degrees.
    #[serde(default)]
    pub roll: f64,
    /// Width of the picture, degrees.
    pub fov: f64,
    /// Radial distortion (Brown's k1, radii in focal lengths).
    #[serde(default)]
    pub k1: f64,
    #[serde(default)]
    pub errors: ErrorsOf,
}

/// A mount that turns and tilts, asked by ONVIF where it points. The view's bearing and elevation are those at pan 0 and tilt 0.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PtzOf {
    /// Address of the camera's PTZ service.
    pub url: String,
    /// Token of the media profile that is asked about.
    pub profile: String,
    pub username: Option<String>,
    pub password: Option<Secret>,
    #[serde(default = "defaults::ptz_every")]
    pub every: Span,
    /// Limit of one request.
    #[serde(default = "defaults::ptz_timeout")]
    pub timeout: Span,
    /// Degrees clockwise at pan -1 and at pan 1, where the camera tells no degrees.
    #[serde(default = "defaults::ptz_pan")]
    pub pan: [f64; 2],
    /// Degrees up at tilt -1 and at tilt 1.
    #[serde(default = "defaults::ptz_tilt")]
    pub tilt: [f64; 2],
    /// Width of the picture at zoom 0 and at zoom 1, degrees; between them by focal length. The view's where absent.
    pub zoom: Option<[f64; 2]>,
}

/// How far each part may be off: one standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorsOf {
    pub bearing: f64,
    pub elevation: f64,
    pub roll: f64,
    pub position_m: f64,
    /// Of the camera's height and of the terrain's together.
    pub height_m: f64,
    pub pixels: f64,
}

impl Default for ErrorsOf {
    fn default() -> Self {
        ErrorsOf { bearing: 0.5, elevation: 0.2, roll: 0.5, position_m: 5.0, height_m: 3.0, pixels: 1.0 }
    }
}

/// The ground.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Land {
    /// GeoTIFF or ESRI ASCII grid, heights in metres by degrees of WGS-84.
    pub file: Option<PathBuf>,
    /// Height of flat ground, where there is no file.
    pub flat_m: f64,
    /// The file's heights, once it was read.
    #[serde(skip)]
    pub terrain: Option<Arc<Terrain>>,
}

impl ViewOf {
    /// From a camera at this place.
    pub fn from(&self, [lon, lat]: [f64; 2]) -> View {
        let ErrorsOf { bearing, elevation, roll, position_m, height_m, pixels } = self.errors;
        View {
            lens: Lens { fov_deg: self.fov, k1: self.k1 },
            post: Post { point: Point { lon, lat }, height_m: self.height_m, roll_deg: self.roll },
            aim: Aim { bearing_deg: self.bearing, elevation_deg: self.elevation },
            errors: Errors {
                bearing_deg: bearing,
                elevation_deg: elevation,
                roll_deg: roll,
                position_m,
                height_m,
                pixels,
            },
        }
    }
}
