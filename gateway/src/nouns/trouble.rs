//! What the gateway finds wrong with itself, or with how a camera sends: the pipeline makes alerts of it, by built-in rules.

use std::sync::Arc;

use super::Why;

/// Sources of what is wrong with the gateway itself.
pub const SERIES: &str = "outpost:series";
pub const VIDEO: &str = "outpost:video";

/// A trouble began or is over. Told again after a restart; what is known already changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    pub kind: TroubleKind,
    /// What it is about: a part of the gateway, or a camera.
    pub source: Arc<str>,
    pub is_on: bool,
    pub why: Why,
    /// Gateway time at which it was seen.
    pub at_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TroubleKind {
    /// The series database takes nothing though readings wait.
    SeriesDown,
    /// The spool was full: the oldest readings that waited were evicted.
    ReadingsLost,
    /// Decoders have no time for all frames that are due.
    DecodersBehind,
    /// A camera's stream stops again and again, each time for less than would make it dark.
    Stalls,
    /// A camera's key frames are so far apart that all its frames are decoded.
    SparseKeyFrames,
    /// A camera declares more or less time than passes.
    ClockDrift,
}

impl TroubleKind {
    /// Id of the built-in rule.
    pub fn rule(self) -> &'static str {
        match self {
            TroubleKind::SeriesDown => "series-down",
            TroubleKind::ReadingsLost => "readings-lost",
            TroubleKind::DecodersBehind => "decoders-behind",
            TroubleKind::Stalls => "camera-stalls",
            TroubleKind::SparseKeyFrames => "camera-sparse-key-frames",
            TroubleKind::ClockDrift => "camera-clock-drift",
        }
    }

    /// Whether a camera's last picture shows what it is about.
    pub fn is_of_camera(self) -> bool {
        matches!(self, TroubleKind::Stalls | TroubleKind::SparseKeyFrames | TroubleKind::ClockDrift)
    }
}
