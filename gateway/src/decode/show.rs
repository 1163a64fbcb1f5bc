//! What was decoded as lines of text: one per observation and one per reject; then what was
//! ignored and what is asked for. The lines are kept as they are, so that
//! files of them can be compared.

use std::fmt;

use outpost_detectors::observation::{Fact, Observation};

use super::Decoded;

/// Pixels of a thermal frame that are shown.
const PIXELS_SHOWN: usize = 16;

/// One observation as a line without its end: time, source, fact.
pub struct Shown<'a>(pub &'a Observation);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown(Observation { source, at_ms, fact, .. }) = self;
        match jiff::Timestamp::from_millisecond(*at_ms) {
            Ok(at) => write!(f, "{at} {source} ")?,
            Err(_) => write!(f, "{at_ms} ms {source} ")?,
        }
        match fact {
            Fact::Reading(reading) => {
                let unit = reading.unit.as_deref().unwrap_or("-");
                write!(f, "reading {} = {} {unit}", reading.metric, reading.value)
            }
            Fact::Position(position) => {
                write!(f, "position {} {} ± {:?}", position.lon, position.lat, position.accuracy_m)
            }
            Fact::Thermal(frame) => {
                let (rows, columns) = frame.celsius.dim();
                write!(f, "thermal {columns}x{rows}")?;
                frame.celsius.iter().take(PIXELS_SHOWN).try_for_each(|pixel| write!(f, " {pixel:.2}"))
            }
            // Cameras' facts: no payload format makes them.
            Fact::Picture(facts) => write!(f, "picture {}: {} blobs", facts.picture, facts.blobs.len()),
            Fact::Link(link) => write!(f, "link {}", link.state.as_str()),
        }
    }
}

impl fmt::Display for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for observation in &self.observations {
            writeln!(f, "{}", Shown(observation))?;
        }
        for reject in &self.rejects {
            writeln!(f, "reject {} {}", reject.reason.as_str(), reject.place)?;
        }
        if self.n_rejects_unlisted > 0 {
            writeln!(f, "reject {} more", self.n_rejects_unlisted)?;
        }
        if self.n_ignored > 0 {
            writeln!(f, "ignored {}", self.n_ignored)?;
        }
        for request in &self.requests {
            writeln!(f, "request {}", request.topic)?;
        }
        Ok(())
    }
}
