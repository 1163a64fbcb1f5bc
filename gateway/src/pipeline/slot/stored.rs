//! What a slot keeps over a restart. Pure.

use std::num::NonZeroI64;
use std::sync::Arc;

use outpost_detectors::flapping::FlappingState;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::State;
use crate::pipeline::late::LateState;
use crate::pipeline::rules::Judge;
use crate::pipeline::sight::Kept;

#[derive(Debug, Clone)]
pub(in crate::pipeline) struct Stored {
    pub(in crate::pipeline) state: State,
    past: Option<Box<Past>>,
}

/// What came of a slot so far; of most of a hundred thousand, nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::pipeline) struct Past {
    /// The alert that is open.
    pub(in crate::pipeline) alert: Option<Arc<str>>,
    /// Where a camera saw it when it last opened: what is over counts for a while where alerts are judged together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::pipeline) sighting: Option<Box<Kept>>,
    /// The source that opened the alert, where it was another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::pipeline) opened_by: Option<Box<Arc<str>>>,
    /// Alerts that this slot has opened so far: tells two within one millisecond apart.
    pub(in crate::pipeline) n_alerts: u64,
    /// Entries of the log of remembered observations that it has seen: those from this number on are new to it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::pipeline) redo_seq: u64,
    /// When something last moved in the zone: a dwell goes on over a moment without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::pipeline) seen_at_ms: Option<NonZeroI64>,
    /// Filled while it is written only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::pipeline) late: Option<Box<LateState>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::pipeline) flapping: Option<Box<FlappingState>>,
}

static NOTHING: Past = Past {
    alert: None,
    sighting: None,
    opened_by: None,
    n_alerts: 0,
    redo_seq: 0,
    seen_at_ms: None,
    late: None,
    flapping: None,
};

impl Stored {
    pub(super) fn new(judge: &Judge) -> Stored {
        Stored { state: State::new(judge), past: None }
    }

    pub(in crate::pipeline) fn past(&self) -> &Past {
        self.past.as_deref().unwrap_or(&NOTHING)
    }

    /// To write to it; where there is none, it is made.
    pub(in crate::pipeline) fn past_mut(&mut self) -> &mut Past {
        self.past.get_or_insert_default()
    }

    /// To take from it.
    pub(in crate::pipeline) fn past_if_any(&mut self) -> Option<&mut Past> {
        self.past.as_deref_mut()
    }
}

/// As it is written: one object, whatever is out of line in memory.
#[derive(Serialize, Deserialize)]
struct Written<S, P> {
    state: S,
    #[serde(flatten)]
    past: P,
}

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written { state: &self.state, past: self.past() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Stored, D::Error> {
        let Written { state, past } = Written::deserialize(deserializer)?;
        Ok(Stored { state, past: Some(past) })
    }
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::super::Slot;
    use super::*;

    #[test]
    fn a_slot_is_small_and_its_state_is_written_as_ever() {
        assert!(size_of::<Slot>() <= 96, "{}", size_of::<Slot>());
        let state = r#"{"latch":{"phase":"raised","since_at_ms":1,"since_now_ms":2}}"#;
        let written = format!(r#"{{"state":{state},"alert":"a","n_alerts":3,"redo_seq":4}}"#);
        let stored: Stored = serde_json::from_str(&written).unwrap();
        assert_eq!((stored.past().n_alerts, stored.past().redo_seq), (3, 4));
        assert_eq!(serde_json::to_string(&stored).unwrap(), written);
    }
}
