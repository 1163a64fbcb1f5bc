//! What the gateway finds wrong with itself: the pipeline makes alerts of it, by built-in rules.

use super::Why;

/// A trouble began or is over. Told again after a restart; what is known already changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    pub kind: TroubleKind,
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
}

impl TroubleKind {
    /// Id of the built-in rule.
    pub fn rule(self) -> &'static str {
        match self {
            TroubleKind::SeriesDown => "series-down",
            TroubleKind::ReadingsLost => "readings-lost",
            TroubleKind::DecodersBehind => "decoders-behind",
        }
    }

    /// Source that its alerts are about.
    pub fn source(self) -> &'static str {
        match self {
            TroubleKind::SeriesDown | TroubleKind::ReadingsLost => "outpost:series",
            TroubleKind::DecodersBehind => "outpost:video",
        }
    }
}
