//! Observations of one rule and source that wait for what happened before them. Pure.

use std::sync::Arc;

use outpost_detectors::observation::{Fact, Observation, Position, Reading};
use outpost_fences::order::{Refused, Sorter};
use serde::{Deserialize, Serialize};

/// Observations that wait at most; of more the earliest is judged before its time.
const WAITING_MAX: usize = 1024;

/// Tells what happened at one time apart, and in an order that is not that of arrival: metric, bits of the numbers.
type Tie = (Arc<str>, u64, u64);

#[derive(Debug)]
pub(super) struct Late {
    lateness_ms: i64,
    sorter: Sorter<Tie, Observation>,
}

/// What survives a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LateState {
    /// The last that was judged.
    judged: Option<(i64, Tie)>,
    /// In the order of arrival.
    waiting: Vec<Waiting>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    at_ms: i64,
    received_ms: i64,
    fact: WaitingFact,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WaitingFact {
    Reading { metric: Arc<str>, value: f64, unit: Option<Arc<str>> },
    Position { lon: f64, lat: f64, accuracy_m: Option<f64> },
}

impl Late {
    pub(super) fn new(lateness_ms: i64) -> Late {
        Late { lateness_ms, sorter: Sorter::new(lateness_ms, WAITING_MAX) }
    }

    /// Goes on with what waited before a restart or a change of rules.
    pub(super) fn resume(&mut self, source: &Arc<str>, state: LateState) {
        if let Some(judged) = state.judged {
            self.sorter.resume(judged);
        }
        for observation in state.waiting.into_iter().map(|waiting| waiting.observation(source)) {
            // What waited before has its room now.
            let _ = self.push(&observation);
        }
    }

    pub(super) fn state(&self) -> LateState {
        let mut waiting: Vec<Waiting> = self.sorter.iter().filter_map(|(_, _, seen)| Waiting::of(seen)).collect();
        waiting.sort_by_key(|waiting| waiting.received_ms);
        LateState { judged: self.sorter.released().cloned(), waiting }
    }

    /// Takes an observation, unless it is here already or too late: then false.
    pub(super) fn push(&mut self, seen: &Observation) -> Result<bool, TooLate> {
        match self.sorter.push(seen.at_ms, tie(&seen.fact), seen.clone(), seen.received_ms) {
            Ok(()) => Ok(true),
            Err(Refused::Duplicate(_)) => Ok(false),
            Err(Refused::Late(_)) => Err(TooLate),
        }
    }

    /// The earliest, if nothing before it is waited for.
    pub(super) fn pop(&mut self, now_ms: i64) -> Option<Observation> {
        self.sorter.pop(now_ms).map(|(_, seen)| seen)
    }

    /// After a restart: what waits came only now, so that what waited at the broker meanwhile is heard before anything is
    /// judged without it.
    pub(super) fn rebase(&mut self, source: &Arc<str>, now_ms: i64) {
        let mut state = self.state();
        state.waiting.iter_mut().for_each(|waiting| waiting.received_ms = waiting.received_ms.max(now_ms));
        *self = Late::new(self.lateness_ms);
        self.resume(source, state);
    }

    pub(super) fn due_ms(&self) -> Option<i64> {
        self.sorter.due_ms()
    }
}

/// Something that happened later was judged already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLate;

impl LateState {
    /// What waited, in the order in which it happened, for a rule that waits no more.
    pub(super) fn into_sorted(self, source: &Arc<str>) -> Vec<Observation> {
        let mut waiting: Vec<Observation> = self.waiting.into_iter().map(|one| one.observation(source)).collect();
        waiting.sort_by_cached_key(|seen| (seen.at_ms, tie(&seen.fact)));
        waiting
    }
}

impl Waiting {
    fn of(seen: &Observation) -> Option<Waiting> {
        let fact = match &seen.fact {
            Fact::Reading(Reading { metric, value, unit }) => {
                WaitingFact::Reading { metric: metric.clone(), value: *value, unit: unit.clone() }
            }
            Fact::Position(Position { lon, lat, accuracy_m }) => {
                WaitingFact::Position { lon: *lon, lat: *lat, accuracy_m: *accuracy_m }
            }
            Fact::Thermal(_) | Fact::Picture(_) | Fact::Link(_) => return None,
        };
        Some(Waiting { at_ms: seen.at_ms, received_ms: seen.received_ms, fact })
    }

    fn observation(self, source: &Arc<str>) -> Observation {
        let fact = match self.fact {
            WaitingFact::Reading { metric, value, unit } => Fact::Reading(Reading { metric, value, unit }),
            WaitingFact::Position { lon, lat, accuracy_m } => Fact::Position(Position { lon, lat, accuracy_m }),
        };
        Observation { source: source.clone(), at_ms: self.at_ms, received_ms: self.received_ms, fact }
    }
}

fn tie(fact: &Fact) -> Tie {
    match fact {
        Fact::Reading(reading) => (reading.metric.clone(), reading.value.to_bits(), 0),
        Fact::Position(at) => ("".into(), at.lon.to_bits(), at.lat.to_bits()),
        Fact::Thermal(_) | Fact::Picture(_) | Fact::Link(_) => ("".into(), 0, 0),
    }
}
