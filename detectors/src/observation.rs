//! One decoded fact from a source at a time. All times are milliseconds since the Unix epoch, UTC.

use std::sync::Arc;

use ndarray::Array2;

/// A fact with its source and times. Cloning costs reference counts only.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Stable name of the source, e.g. `tunnel/7/ch4` or `cam:gate-3`.
    pub source: Arc<str>,
    /// When it happened by the source's own clock; the receive time where the source sends none.
    pub at_ms: i64,
    /// When it reached us.
    pub received_ms: i64,
    pub fact: Fact,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    Reading(Reading),
    Position(Position),
    Thermal(ThermalFrame),
    Picture(PictureFacts),
    Link(Link),
}

/// A number that a sensor measured. Always finite: decoders reject NaN and infinities.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub metric: Arc<str>,
    pub value: f64,
    pub unit: Option<Arc<str>>,
}

/// A fix on the map, WGS-84 degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    pub lon: f64,
    pub lat: f64,
    /// Radius of the fix's uncertainty in metres, where the source says it.
    pub accuracy_m: Option<f64>,
}

/// A picture of temperatures in degrees Celsius, row-major, origin top left.
#[derive(Debug, Clone, PartialEq)]
pub struct ThermalFrame {
    pub celsius: Arc<Array2<f32>>,
    /// What the imager took the surface for when it made temperatures of radiation.
    pub surface: Surface,
    /// Where the imager looked, where it tells that with each frame.
    pub aim: Option<Aim>,
}

/// Where the middle of a picture points to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aim {
    /// Clockwise from north.
    pub bearing_deg: f64,
    /// Up from the horizon.
    pub elevation_deg: f64,
    /// Width of the picture; as the camera is known to have it where absent.
    pub fov_deg: Option<f64>,
    pub preset: Option<i64>,
}

/// How a surface radiates and what it mirrors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surface {
    /// Over 0 to 1.
    pub emissivity: f32,
    /// Apparent temperature of the surroundings, degrees Celsius.
    pub reflected_c: f32,
}

/// What a camera's picture showed. Coordinates are 0..1, x right, y down.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureFacts {
    /// Number of the decoded picture within its camera's session, to find its pixels for evidence.
    pub picture: u64,
    pub blobs: Vec<Blob>,
}

/// A moving region: its bounding box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blob {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
    /// Moving pixels as a share of the whole picture, 0..1.
    pub area: f32,
}

/// State of the connection to a camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    pub state: LinkState,
    pub reason: Option<LinkReason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    Connecting,
    Live,
    Stalled,
    Offline,
}

/// Why a camera is not live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkReason {
    /// The camera refused the credentials.
    Auth,
    /// No answer at the address: refused, unreachable, timed out, unknown name.
    Route,
    /// The stream's codec is not one that is decoded here, or its pictures do not decode.
    Codec,
    /// The session is open but no picture came within the limit.
    Stall,
    /// The camera said something that RTSP or RTP does not allow.
    Protocol,
}

impl Default for Surface {
    /// What imagers are set to that say nothing of it: a black body, which mirrors nothing.
    fn default() -> Self {
        Surface { emissivity: 1.0, reflected_c: 20.0 }
    }
}

impl Blob {
    /// Where the thing in the box touches the ground: the middle of the lower edge.
    pub fn bottom_centre(&self) -> (f32, f32) {
        ((self.left + self.right) / 2.0, self.bottom)
    }

    pub fn width(&self) -> f32 {
        self.right - self.left
    }

    pub fn height(&self) -> f32 {
        self.bottom - self.top
    }
}

impl LinkState {
    pub fn as_str(self) -> &'static str {
        match self {
            LinkState::Connecting => "connecting",
            LinkState::Live => "live",
            LinkState::Stalled => "stalled",
            LinkState::Offline => "offline",
        }
    }
}

impl LinkReason {
    pub fn as_str(self) -> &'static str {
        match self {
            LinkReason::Auth => "auth",
            LinkReason::Route => "route",
            LinkReason::Codec => "codec",
            LinkReason::Stall => "stall",
            LinkReason::Protocol => "protocol",
        }
    }
}
