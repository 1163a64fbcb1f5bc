//! The one state machine behind every detector: a condition holds, an alert is on; it stops holding, the alert
//! is off. Knows nothing of what the condition is.
//!
//! Two clocks come in with each signal. *Device time* (`at_ms`) decides holds between observations, so that a
//! backlog replayed late gives the same answer as live traffic. *Gateway time* (`now_ms`) decides only when
//! nothing further comes: a sensor that reports by exception says "95" once and falls silent, and its hold must
//! still end. A restart re-bases the second clock ([`LatchState::rebase`]): messages that waited at the broker
//! while we were down must be heard before a deadline that passed meanwhile is believed.
//!
//! Redelivery is harmless: signals older than the last change of phase change nothing.

use serde::{Deserialize, Serialize};

/// How long a condition must hold before it raises, and must be gone before it clears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latch {
    pub hold_ms: i64,
    pub clear_hold_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    #[default]
    Quiet,
    Holding,
    Raised,
    Clearing,
}

/// What must survive a restart. Changes only when the phase does, so it is written seldom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatchState {
    pub phase: Phase,
    /// Device time of the observation that began this phase.
    pub since_at_ms: i64,
    /// Gateway time at which this phase began, re-based by a restart.
    pub since_now_ms: i64,
}

/// What a signal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The state did not change; nothing to write.
    Stay,
    /// The phase changed, but no alert opened or closed: the state must be written.
    Shift,
    /// The alert is on. Device time since when its condition has held.
    Raise { since_at_ms: i64 },
    /// The alert is off.
    Clear,
}

/// A condition at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    On,
    Off,
    /// Between the limit and the clear level: keeps what is.
    Between,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub at_ms: i64,
    pub now_ms: i64,
}

impl Latch {
    pub fn observe(&self, state: &mut LatchState, signal: Signal, moment: Moment) -> Turn {
        if moment.at_ms < state.since_at_ms {
            return Turn::Stay;
        }
        match (state.phase, signal) {
            (Phase::Quiet, Signal::On) => {
                if self.hold_ms <= 0 {
                    state.enter(Phase::Raised, moment);
                    return Turn::Raise { since_at_ms: moment.at_ms };
                }
                state.enter(Phase::Holding, moment);
                Turn::Shift
            }
            // The clear level belongs to a raised alert; a hold wants the condition itself, throughout.
            (Phase::Holding, Signal::Off | Signal::Between) => {
                state.enter(Phase::Quiet, moment);
                Turn::Shift
            }
            (Phase::Holding, Signal::On) if elapsed(moment.at_ms, state.since_at_ms, self.hold_ms) => {
                self.raise(state, moment)
            }
            (Phase::Raised, Signal::Off) => {
                if self.clear_hold_ms <= 0 {
                    state.enter(Phase::Quiet, moment);
                    return Turn::Clear;
                }
                state.enter(Phase::Clearing, moment);
                Turn::Shift
            }
            (Phase::Clearing, Signal::On) => {
                state.enter(Phase::Raised, moment);
                Turn::Shift
            }
            (Phase::Clearing, Signal::Off | Signal::Between)
                if elapsed(moment.at_ms, state.since_at_ms, self.clear_hold_ms) =>
            {
                state.enter(Phase::Quiet, moment);
                Turn::Clear
            }
            _ => Turn::Stay,
        }
    }

    /// Gateway time at which [`Latch::elapse`] has something to do if nothing else comes.
    pub fn due_ms(&self, state: &LatchState) -> Option<i64> {
        match state.phase {
            Phase::Holding => Some(state.since_now_ms.saturating_add(self.hold_ms)),
            Phase::Clearing => Some(state.since_now_ms.saturating_add(self.clear_hold_ms)),
            Phase::Quiet | Phase::Raised => None,
        }
    }

    /// Ends a hold that no further observation ended.
    pub fn elapse(&self, state: &mut LatchState, now_ms: i64) -> Turn {
        if self.due_ms(state).is_none_or(|due_ms| now_ms < due_ms) {
            return Turn::Stay;
        }
        let held_ms = now_ms.saturating_sub(state.since_now_ms);
        let moment = Moment { at_ms: state.since_at_ms.saturating_add(held_ms), now_ms };
        match state.phase {
            Phase::Holding => self.raise(state, moment),
            Phase::Clearing => {
                state.enter(Phase::Quiet, moment);
                Turn::Clear
            }
            Phase::Quiet | Phase::Raised => Turn::Stay,
        }
    }

    fn raise(&self, state: &mut LatchState, moment: Moment) -> Turn {
        let since_at_ms = state.since_at_ms;
        state.enter(Phase::Raised, moment);
        Turn::Raise { since_at_ms }
    }
}

impl LatchState {
    /// Starts the wait for silence anew: called once on the states that a restart restored.
    pub fn rebase(&mut self, now_ms: i64) {
        self.since_now_ms = now_ms;
    }

    pub fn is_raised(&self) -> bool {
        matches!(self.phase, Phase::Raised | Phase::Clearing)
    }

    fn enter(&mut self, phase: Phase, moment: Moment) {
        self.phase = phase;
        self.since_at_ms = moment.at_ms;
        self.since_now_ms = moment.now_ms;
    }
}

fn elapsed(at_ms: i64, since_at_ms: i64, span_ms: i64) -> bool {
    at_ms.saturating_sub(since_at_ms) >= span_ms
}
