//! A camera as the file names it.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Bytes, GroundPair, PictureLine, Secret, Span, Zone, defaults};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Camera {
    /// The source is called `cam:` + id.
    pub id: String,
    #[serde(default)]
    pub name: String,
    /// `rtsp://host[:port]/path` or `rtsps://…`, without credentials; `file:///path`, an MP4 file, where `video.files` is
    /// set.
    pub url: String,
    /// Of the camera's main stream, which clips are cut out of; rules look at `url`. None: clips are cut out of `url`.
    pub main: Option<String>,
    /// How fast a file is played.
    #[serde(default)]
    pub pace: Pace,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// Authority that signed the camera's certificate, for `rtsps`; none = the system's.
    pub ca_file: Option<PathBuf>,
    #[serde(default)]
    pub transport: Transport,
    #[serde(default)]
    pub compat: Compat,
    /// Whether the camera's own alarms are listened to, where it offers them beside its pictures (ONVIF metadata).
    #[serde(default = "defaults::alarms")]
    pub alarms: bool,
    pub place: Option<[f64; 2]>,
    /// It is a thermal imager whose picture tells warmer from colder: rules about heat look at it.
    pub heat: Option<HeatVideo>,
    /// Areas of the picture that rules name.
    #[serde(default)]
    pub zones: Vec<Zone>,
    /// Lines in the picture that rules name.
    #[serde(default)]
    pub lines: Vec<PictureLine>,
    /// Places in the picture and on the map, four or more: where on the map what moves is, and how large.
    #[serde(default)]
    pub ground: Vec<GroundPair>,
    /// What is cut out of the stream for an alert, in place of `video.clip`.
    pub clip: Option<Clip>,
    /// What stands still for so long belongs to the background, and is no longer seen as a thing.
    #[serde(default = "defaults::absorb_after")]
    pub absorb_after: Span,
    /// Polygons blackened in every picture that is stored or sent; nothing is looked for in them.
    #[serde(default)]
    pub masks: Vec<Vec<[f32; 2]>>,
    /// Alert when no picture came for this long, unless a rule of kind `dark` watches the camera; the alert clears when
    /// pictures come again.
    #[serde(default = "defaults::dark_after")]
    pub dark_after: Span,
    /// Of what ails it the gateway alerts by itself, unless a rule of kind `sight` for the same fault watches the camera.
    #[serde(default = "defaults::ailments")]
    pub ailments: Vec<Ailment>,
    /// Limit of each of connect+describe, setup and play.
    #[serde(default = "defaults::connect_timeout")]
    pub open_timeout: Span,
    /// Limit of the wait for the next frame; beyond it the stream has stalled.
    #[serde(default = "defaults::stall_after")]
    pub stall_after: Span,
    /// Largest access unit accepted.
    #[serde(default = "defaults::frame_bytes_max")]
    pub frame_bytes_max: Bytes,
    /// Most that coded frames and pictures kept for this camera may take: half for pictures, a quarter for the frames of
    /// clips and since the last key frame, a quarter for the one that is being received.
    #[serde(default = "defaults::memory_max")]
    pub memory_max: Bytes,
    /// Longest wait between two attempts to connect.
    #[serde(default = "defaults::retry_max")]
    pub retry_max: Span,
}

/// What may be wrong with a camera that does send pictures, and that lasts: a change of scene is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ailment {
    TooDark,
    TooBright,
    Frozen,
    TooBlurry,
    Covered,
    Moved,
    Stalls,
    SparseKeyFrames,
    ClockDrift,
}

/// From how long before an alert to how long after it a clip shows. Both nothing: no clips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clip {
    pub before: Span,
    pub after: Span,
}

impl Camera {
    /// The file that is played in the camera's place.
    pub fn recording(&self) -> Option<PathBuf> {
        url::Url::parse(&self.url).ok().filter(|url| url.scheme() == "file")?.to_file_path().ok()
    }
}

impl Ailment {
    pub const ALL: [Ailment; 9] = [
        Ailment::TooDark,
        Ailment::TooBright,
        Ailment::Frozen,
        Ailment::TooBlurry,
        Ailment::Covered,
        Ailment::Moved,
        Ailment::Stalls,
        Ailment::SparseKeyFrames,
        Ailment::ClockDrift,
    ];
}

impl Clip {
    pub fn is_off(&self) -> bool {
        self.before.ms() == 0 && self.after.ms() == 0
    }
}

/// How fast a recorded file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    /// As it was recorded.
    #[default]
    Recorded,
    /// As fast as it is taken; by the recording's own times, which then run ahead of the clock.
    Fast,
}

/// What the brightness of a thermal camera's video says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeatVideo {
    /// Warmer is brighter, by no known degrees.
    WhiteHot,
}

/// How pictures come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Within the RTSP connection: nothing is lost or reordered.
    #[default]
    Tcp,
    /// For cameras that do not offer TCP. What is lost or comes out of order is missing.
    Udp,
}

/// What a camera may do against the standard without losing its session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Compat {
    pub unassigned_data: UnassignedData,
    pub unknown_rtcp: UnknownRtcp,
    pub teardown: Teardown,
}

/// Data on channels that were not set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnassignedData {
    /// A stale session where the camera's firmware is known for that, and passed over where not.
    #[default]
    Auto,
    AssumeStale,
    Error,
    Ignore,
}

/// Sender reports of a stream that was not announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownRtcp {
    #[default]
    Drop,
    Process,
    EndSession,
}

/// Saying goodbye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Teardown {
    /// Until it is answered: cameras count their sessions, and one that is not ended takes the place of the next.
    #[default]
    Always,
    /// Once, on the same connection.
    Once,
    Never,
}
