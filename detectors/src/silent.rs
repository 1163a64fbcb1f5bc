//! Nothing came from a source for longer than a limit. Knows nothing of what the source says; "heard" may be a
//! message or a camera's live picture.
//!
//! Silence is counted on the gateway's clock, and only while the gateway listens: a restart gives full grace
//! ([`SilentState::rebase`]), so that our own downtime is never taken for the sensor's. Ordinary hearing changes
//! nothing that must be stored.
//!
//! A raised alert clears when something *new* is heard: dated after the silence began. What a broker delivers again
//! is dated before. A device whose clock was set back is dated before as well; it goes on talking, though, while a
//! redelivery is over soon, hence [`REDELIVERY_MS`].

use serde::{Deserialize, Serialize};

use crate::latch::{Moment, Turn};

/// Old-dated messages that still come this long after the first one are a device with a wrong clock, not a broker
/// that delivers again: it has at most a session's unacknowledged messages to repeat, and sends them in one run.
pub const REDELIVERY_MS: i64 = 60_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silent {
    pub after_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SilentPhase {
    /// Never heard nor expected.
    #[default]
    Idle,
    Armed,
    Raised,
}

/// The stored part changes only when `phase` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SilentState {
    pub phase: SilentPhase,
    /// Armed: when that began. Raised: since when nothing was heard, by the source's clock where it spoke.
    pub since_at_ms: i64,
    /// The latest hearing; not stored.
    #[serde(skip)]
    last: Option<Moment>,
    /// Gateway time of the first old-dated message since the alert was raised; not stored.
    #[serde(skip)]
    old_dated_now_ms: Option<i64>,
}

impl Silent {
    /// Something came from the source.
    pub fn heard(&self, state: &mut SilentState, moment: Moment) -> Turn {
        match state.phase {
            SilentPhase::Idle => {
                state.arm(moment);
                Turn::Shift
            }
            SilentPhase::Armed => {
                // A redelivered message is late but not newer: it must not make the known past look older.
                let at_ms = state.last.map_or(moment.at_ms, |last| last.at_ms.max(moment.at_ms));
                state.last = Some(Moment { at_ms, now_ms: moment.now_ms });
                Turn::Stay
            }
            SilentPhase::Raised => {
                if moment.at_ms <= state.since_at_ms {
                    let first_now_ms = *state.old_dated_now_ms.get_or_insert(moment.now_ms);
                    if moment.now_ms.saturating_sub(first_now_ms) < REDELIVERY_MS {
                        return Turn::Stay;
                    }
                }
                state.arm(moment);
                Turn::Clear
            }
        }
    }

    /// The source is known and ought to speak, though it never did: silence counts from now on.
    pub fn expect(&self, state: &mut SilentState, now_ms: i64) -> Turn {
        if state.phase != SilentPhase::Idle {
            return Turn::Stay;
        }
        state.arm(Moment { at_ms: now_ms, now_ms });
        Turn::Shift
    }

    /// Gateway time at which [`Silent::elapse`] raises if nothing is heard. None after a restart until the state
    /// was re-based.
    pub fn due_ms(&self, state: &SilentState) -> Option<i64> {
        match state.phase {
            SilentPhase::Armed => state.last.map(|last| last.now_ms.saturating_add(self.after_ms)),
            SilentPhase::Idle | SilentPhase::Raised => None,
        }
    }

    pub fn elapse(&self, state: &mut SilentState, now_ms: i64) -> Turn {
        if self.due_ms(state).is_none_or(|due_ms| now_ms < due_ms) {
            return Turn::Stay;
        }
        let since_at_ms = state.last.map_or(state.since_at_ms, |last| last.at_ms);
        *state = SilentState { phase: SilentPhase::Raised, since_at_ms, last: None, old_dated_now_ms: None };
        Turn::Raise { since_at_ms }
    }
}

impl SilentState {
    /// Counts silence from now: called once on the states that a restart restored.
    pub fn rebase(&mut self, now_ms: i64) {
        self.old_dated_now_ms = None;
        if self.phase == SilentPhase::Armed {
            self.last = Some(Moment { at_ms: now_ms, now_ms });
        }
    }

    pub fn is_raised(&self) -> bool {
        self.phase == SilentPhase::Raised
    }

    fn arm(&mut self, moment: Moment) {
        *self = SilentState {
            phase: SilentPhase::Armed,
            since_at_ms: moment.at_ms,
            last: Some(moment),
            old_dated_now_ms: None,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SILENT: Silent = Silent { after_ms: 10_000 };

    fn moment(ms: i64) -> Moment {
        Moment { at_ms: ms, now_ms: ms }
    }

    fn restart(state: &SilentState, now_ms: i64) -> SilentState {
        let mut restored: SilentState = serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap();
        assert_eq!(SILENT.due_ms(&restored), None);
        restored.rebase(now_ms);
        restored
    }

    #[test]
    fn ordinary_hearing_needs_no_write() {
        let mut state = SilentState::default();
        assert_eq!(SILENT.heard(&mut state, moment(1_000)), Turn::Shift);
        let stored = serde_json::to_string(&state).unwrap();
        for second in 2..100 {
            assert_eq!(SILENT.heard(&mut state, moment(second * 1_000)), Turn::Stay);
            assert_eq!(serde_json::to_string(&state).unwrap(), stored);
        }
    }

    #[test]
    fn one_silence_raises_once_and_clears_when_heard() {
        let mut state = SilentState::default();
        SILENT.heard(&mut state, moment(1_000));
        assert_eq!(SILENT.due_ms(&state), Some(11_000));
        assert_eq!(SILENT.elapse(&mut state, 10_999), Turn::Stay);
        assert_eq!(SILENT.elapse(&mut state, 11_000), Turn::Raise { since_at_ms: 1_000 });
        assert_eq!(SILENT.elapse(&mut state, 99_000), Turn::Stay);
        assert_eq!(SILENT.heard(&mut state, moment(99_500)), Turn::Clear);
        assert_eq!(SILENT.due_ms(&state), Some(109_500));
    }

    #[test]
    fn a_source_that_never_came_is_silent_too() {
        let mut state = SilentState::default();
        assert_eq!(SILENT.elapse(&mut state, i64::MAX), Turn::Stay);
        assert_eq!(SILENT.expect(&mut state, 5_000), Turn::Shift);
        assert_eq!(SILENT.expect(&mut state, 9_000), Turn::Stay);
        assert_eq!(SILENT.elapse(&mut state, 15_000), Turn::Raise { since_at_ms: 5_000 });
        assert_eq!(SILENT.expect(&mut state, 16_000), Turn::Stay);
    }

    #[test]
    fn our_own_downtime_is_not_the_sensors_silence() {
        let mut state = SilentState::default();
        SILENT.heard(&mut state, moment(1_000));
        let mut state = restart(&state, 500_000);
        assert_eq!(SILENT.elapse(&mut state, 509_999), Turn::Stay);
        assert_eq!(SILENT.elapse(&mut state, 510_000), Turn::Raise { since_at_ms: 500_000 });
        let mut state = restart(&state, 600_000);
        assert_eq!(SILENT.elapse(&mut state, 700_000), Turn::Stay, "raised once, also over a restart");
        assert_eq!(SILENT.heard(&mut state, moment(700_001)), Turn::Clear);
    }

    #[test]
    fn a_device_whose_clock_was_set_back_clears_when_it_goes_on_talking() {
        let mut state = SilentState::default();
        SILENT.heard(&mut state, moment(900_000));
        SILENT.elapse(&mut state, 910_000);
        assert_eq!(SILENT.heard(&mut state, Moment { at_ms: 5_000, now_ms: 950_000 }), Turn::Stay);
        assert_eq!(SILENT.heard(&mut state, Moment { at_ms: 65_000, now_ms: 1_009_999 }), Turn::Stay);
        assert_eq!(SILENT.heard(&mut state, Moment { at_ms: 66_000, now_ms: 1_010_000 }), Turn::Clear);
    }

    proptest! {
        #[test]
        fn redelivery_does_not_clear_nor_raise(
            gaps_ms in prop::collection::vec(0_i64..9_000, 1..30), from in 0_usize..30, restarts in any::<bool>(),
        ) {
            let mut state = SilentState::default();
            let mut seen = Vec::new();
            let mut at_ms = 1_000_000;
            for gap_ms in gaps_ms {
                at_ms += gap_ms;
                seen.push(at_ms);
                SILENT.heard(&mut state, moment(at_ms));
            }
            let raise = SILENT.elapse(&mut state, at_ms + 10_000);
            prop_assert_eq!(raise, Turn::Raise { since_at_ms: at_ms });
            if restarts {
                state = restart(&state, at_ms + 20_000);
            }
            for at_ms in &seen[from.min(seen.len())..] {
                let again = Moment { at_ms: *at_ms, now_ms: 2_000_000 };
                prop_assert_eq!(SILENT.heard(&mut state, again), Turn::Stay);
                prop_assert_eq!(SILENT.elapse(&mut state, 2_000_000), Turn::Stay);
            }
        }

        #[test]
        fn a_source_heard_often_enough_never_raises(gaps_ms in prop::collection::vec(0_i64..10_000, 1..60)) {
            let mut state = SilentState::default();
            let mut now_ms = 0;
            SILENT.heard(&mut state, moment(now_ms));
            for gap_ms in gaps_ms {
                now_ms += gap_ms;
                prop_assert_eq!(SILENT.elapse(&mut state, now_ms), Turn::Stay);
                prop_assert_eq!(SILENT.heard(&mut state, moment(now_ms)), Turn::Stay);
            }
        }

        #[test]
        fn raises_and_clears_alternate_at_any_times(
            after_ms in any::<i64>(), steps in prop::collection::vec((0_u8..4, any::<i64>(), any::<i64>()), 1..40),
        ) {
            let silent = Silent { after_ms };
            let mut state = SilentState::default();
            let mut raised = false;
            for (step, at_ms, now_ms) in steps {
                let turn = match step {
                    0 => silent.elapse(&mut state, now_ms),
                    1 => silent.expect(&mut state, now_ms),
                    2 => { state.rebase(now_ms); Turn::Stay }
                    _ => silent.heard(&mut state, Moment { at_ms, now_ms }),
                };
                match turn {
                    Turn::Raise { .. } => prop_assert!(!std::mem::replace(&mut raised, true)),
                    Turn::Clear => prop_assert!(std::mem::replace(&mut raised, false)),
                    Turn::Stay | Turn::Shift => {}
                }
                prop_assert_eq!(state.is_raised(), raised);
            }
        }
    }
}
