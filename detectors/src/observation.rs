//! One decoded fact from a source at a time. All times are milliseconds since the Unix epoch, UTC.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

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

/// A picture of temperatures in degrees Celsius, row-major, origin top left; or of what only tells warmer from colder.
#[derive(Debug, Clone, PartialEq)]
pub struct ThermalFrame {
    /// Degrees, or levels of `scale`.
    pub celsius: Arc<Array2<f32>>,
    pub scale: Scale,
    /// What the imager took the surface for when it made temperatures of radiation.
    pub surface: Surface,
    /// Where the imager looked, where it tells that with each frame.
    pub aim: Option<Aim>,
}

/// What the numbers of a thermal frame are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    #[default]
    Celsius,
    /// Brightness of white-hot video, 0 to 255: brighter is warmer, and by how much nobody says.
    Levels,
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
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PictureFacts {
    /// Number of the decoded picture within its camera's session, to find its pixels for evidence.
    pub picture: u64,
    /// Width and height in pixels; 0 where they are not known.
    pub pixels: [u32; 2],
    /// What moves, biggest first.
    pub blobs: Vec<Blob>,
    /// What is followed and was seen in this picture.
    pub tracks: Vec<Track>,
    /// Where something that belonged to the background is gone.
    pub vacated: Vec<Blob>,
    pub sight: Sight,
}

/// A moving thing that is followed from picture to picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Track {
    /// The same for as long as the thing is followed; never given twice while the gateway runs.
    pub id: u64,
    /// Where it is in this picture.
    pub blob: Blob,
    /// When it was first seen.
    pub since_ms: i64,
    /// For how long most of it has looked the same, at the same place.
    pub still_ms: i64,
    /// Furthest that its middle was from where it was first seen, by the shorter side of its box: what was set down
    /// has not travelled.
    pub travelled: f32,
}

/// How well a camera sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sight {
    /// The background is being learned, or the picture as a whole is another: no blob means nothing.
    pub is_unsettled: bool,
    pub faults: Faults,
}

/// A set of [`SightFault`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults(u16);

/// What may be wrong with a picture although it comes. The names are those of ONVIF's imaging events where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SightFault {
    /// Hardly anything is brighter than black.
    TooDark,
    /// Hardly anything is darker than white.
    TooBright,
    /// The same picture again and again.
    Frozen,
    /// Fine detail is gone: defocused, dirty, fogged up.
    TooBlurry,
    /// Most of the picture is one even patch.
    Covered,
    /// The camera looks elsewhere than it used to.
    Moved,
    /// The picture as a whole became another one: infrared, lights, lightning, headlights.
    SceneChange,
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

    pub fn centre(&self) -> (f32, f32) {
        ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }

    pub fn width(&self) -> f32 {
        self.right - self.left
    }

    pub fn height(&self) -> f32 {
        self.bottom - self.top
    }
}

impl Faults {
    pub fn has(self, fault: SightFault) -> bool {
        self.0 & fault.bit() != 0
    }

    pub fn set(&mut self, fault: SightFault, is_on: bool) {
        self.0 = if is_on { self.0 | fault.bit() } else { self.0 & !fault.bit() };
    }

    pub fn iter(self) -> impl Iterator<Item = SightFault> {
        SightFault::ALL.into_iter().filter(move |fault| self.has(*fault))
    }
}

impl SightFault {
    pub const ALL: [SightFault; 7] = [
        SightFault::TooDark,
        SightFault::TooBright,
        SightFault::Frozen,
        SightFault::TooBlurry,
        SightFault::Covered,
        SightFault::Moved,
        SightFault::SceneChange,
    ];

    fn bit(self) -> u16 {
        1 << self as u16
    }

    pub fn as_str(self) -> &'static str {
        match self {
            SightFault::TooDark => "too-dark",
            SightFault::TooBright => "too-bright",
            SightFault::Frozen => "frozen",
            SightFault::TooBlurry => "too-blurry",
            SightFault::Covered => "covered",
            SightFault::Moved => "moved",
            SightFault::SceneChange => "scene-change",
        }
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
