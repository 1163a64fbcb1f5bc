//! The one state machine behind every detector: a condition holds, an alert is on; it stops holding, the alert
//! is off. Knows nothing of what the condition is.
//!
//! Two clocks come in with each signal. *Device time* (`at_ms`) decides holds between observations, so that a
//! backlog replayed late gives the same answer as live traffic. *Gateway time* (`now_ms`) decides only when
//! nothing further comes: a sensor that reports by exception says "95" once and falls silent, and its hold must
//! still end. A restart re-bases the second clock ([`LatchState::rebase`]): messages that waited at the broker
//! while we were down must be heard before a deadline that passed meanwhile is believed.
//!
//! Redelivery of a source's latest signals is harmless. Signals older than the last change of phase change
//! nothing. Signals with *exactly* its time cannot be told from new ones (many devices stamp whole seconds), so
//! they are heard, but open or close no alert by themselves: that waits for a later signal or for
//! [`SAME_TIME_WAIT_MS`] of gateway time, by when a redelivered run has spoken its last word.
//! Within a source device times are expected in order; a late signal between the last change and the newest one is
//! taken for the newest.

use serde::{Deserialize, Serialize};

/// Gateway time that a change waits for which carries the same device time as the change before it. A redelivered
/// run comes back to back after a reconnect, so a second is ample; a sensor that really said both loses no more.
pub const SAME_TIME_WAIT_MS: i64 = 1_000;

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
        let same_time = moment.at_ms == state.since_at_ms && *state != LatchState::default();
        match (state.phase, signal) {
            (Phase::Quiet, Signal::On) => {
                if self.hold_ms <= 0 && !same_time {
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
                if self.clear_hold_ms <= 0 && !same_time {
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
            Phase::Holding => Some(state.since_now_ms.saturating_add(wait_ms(self.hold_ms))),
            Phase::Clearing => Some(state.since_now_ms.saturating_add(wait_ms(self.clear_hold_ms))),
            Phase::Quiet | Phase::Raised => None,
        }
    }

    /// Ends a hold that no further observation ended.
    pub fn elapse(&self, state: &mut LatchState, now_ms: i64) -> Turn {
        if self.due_ms(state).is_none_or(|due_ms| now_ms < due_ms) {
            return Turn::Stay;
        }
        // The device time stays where the phase began. Moving it on by the time waited would turn the sensor's next
        // word into an old one whenever it travels faster or slower than the last, and an alert that reports by
        // exception would then never clear.
        let moment = Moment { at_ms: state.since_at_ms, now_ms };
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

/// At least one millisecond, so that signals of one device time never end a hold among themselves.
fn elapsed(at_ms: i64, since_at_ms: i64, span_ms: i64) -> bool {
    at_ms.saturating_sub(since_at_ms) >= span_ms.max(1)
}

/// A hold of zero is entered only by a change at the same device time as the one before it.
fn wait_ms(span_ms: i64) -> i64 {
    if span_ms > 0 { span_ms } else { SAME_TIME_WAIT_MS }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(ms: i64) -> Moment {
        Moment { at_ms: ms, now_ms: ms }
    }

    fn signals() -> impl Strategy<Value = Signal> {
        prop_oneof![Just(Signal::On), Just(Signal::Off), Just(Signal::Between)]
    }

    fn latches() -> impl Strategy<Value = Latch> {
        (0_i64..4, 0_i64..4).prop_map(|(hold_ms, clear_hold_ms)| Latch { hold_ms, clear_hold_ms })
    }

    /// Signals in the order of their device time; `gap_min` 0 lets neighbours share a time.
    fn series(gap_min: i64) -> impl Strategy<Value = Vec<(i64, Signal)>> {
        prop::collection::vec((gap_min..3_i64, signals()), 1..40).prop_map(|steps| {
            let mut at_ms = 1_000_000;
            let timed = steps.into_iter().map(|(gap_ms, signal)| {
                at_ms += gap_ms;
                (at_ms, signal)
            });
            timed.collect()
        })
    }

    fn is_alert(turn: Turn) -> bool {
        matches!(turn, Turn::Raise { .. } | Turn::Clear)
    }

    #[test]
    fn one_excursion_opens_one_alert() {
        let latch = Latch { hold_ms: 5_000, clear_hold_ms: 2_000 };
        let mut state = LatchState::default();
        let mut turns = Vec::new();
        for second in 0..30 {
            let signal = if (10..20).contains(&second) { Signal::On } else { Signal::Off };
            let turn = latch.observe(&mut state, signal, moment(1_000_000 + second * 1_000));
            if is_alert(turn) {
                turns.push((second, turn));
            }
        }
        assert_eq!(turns, [(15, Turn::Raise { since_at_ms: 1_010_000 }), (22, Turn::Clear)]);
    }

    #[test]
    fn a_sensor_that_speaks_once_raises_when_its_hold_ends() {
        let latch = Latch { hold_ms: 10_000, clear_hold_ms: 0 };
        let mut state = LatchState::default();
        latch.observe(&mut state, Signal::On, moment(50_000));
        assert_eq!(latch.due_ms(&state), Some(60_000));
        assert_eq!(latch.elapse(&mut state, 59_999), Turn::Stay);
        assert_eq!(latch.elapse(&mut state, 60_000), Turn::Raise { since_at_ms: 50_000 });
        // Dated within the hold, but arrived after its end: it is news and must clear.
        assert_eq!(latch.observe(&mut state, Signal::Off, Moment { at_ms: 59_500, now_ms: 60_200 }), Turn::Clear);
    }

    #[test]
    fn two_changes_within_one_device_second_settle_on_the_last() {
        let latch = Latch::default();
        let mut state = LatchState::default();
        assert_eq!(latch.observe(&mut state, Signal::On, moment(5_000)), Turn::Raise { since_at_ms: 5_000 });
        assert_eq!(latch.observe(&mut state, Signal::Off, moment(5_000)), Turn::Shift);
        assert_eq!(latch.due_ms(&state), Some(5_000 + SAME_TIME_WAIT_MS));
        assert_eq!(latch.elapse(&mut state, 5_000 + SAME_TIME_WAIT_MS), Turn::Clear);
    }

    #[test]
    fn a_redelivered_second_that_ended_calm_raises_nothing() {
        let latch = Latch::default();
        let mut state = LatchState::default();
        latch.observe(&mut state, Signal::On, moment(4_000));
        let second = [Signal::On, Signal::On, Signal::Off];
        let turns = second.map(|signal| latch.observe(&mut state, signal, moment(5_000)));
        assert_eq!(turns, [Turn::Stay, Turn::Stay, Turn::Clear]);
        let again = second.map(|signal| latch.observe(&mut state, signal, moment(5_000)));
        assert_eq!(again, [Turn::Shift, Turn::Stay, Turn::Shift]);
        assert_eq!(state.phase, Phase::Quiet);
    }

    #[test]
    fn a_restart_gives_the_hold_its_full_time_again() {
        let latch = Latch { hold_ms: 10_000, clear_hold_ms: 0 };
        let mut state = LatchState::default();
        latch.observe(&mut state, Signal::On, moment(50_000));
        state.rebase(500_000);
        assert_eq!(latch.elapse(&mut state, 509_999), Turn::Stay);
        assert_eq!(latch.elapse(&mut state, 510_000), Turn::Raise { since_at_ms: 50_000 });
    }

    proptest! {
        #[test]
        fn redelivery_of_a_seen_suffix_changes_nothing(latch in latches(), series in series(1), from in 0_usize..40) {
            let mut state = LatchState::default();
            for (at_ms, signal) in &series {
                latch.observe(&mut state, *signal, moment(*at_ms));
            }
            let before = state;
            for (at_ms, signal) in &series[from.min(series.len())..] {
                let again = Moment { at_ms: *at_ms, now_ms: 2_000_000 };
                prop_assert_eq!(latch.observe(&mut state, *signal, again), Turn::Stay);
            }
            prop_assert_eq!(state, before);
        }

        #[test]
        fn redelivery_with_shared_times_opens_and_closes_no_alert(
            latch in latches(), series in series(0), from in 0_usize..40, elapses in any::<bool>(),
        ) {
            let mut state = LatchState::default();
            for (at_ms, signal) in &series {
                latch.observe(&mut state, *signal, moment(*at_ms));
            }
            if elapses {
                latch.elapse(&mut state, 1_900_000);
            }
            let before = state;
            for (at_ms, signal) in &series[from.min(series.len())..] {
                let again = Moment { at_ms: *at_ms, now_ms: 2_000_000 };
                prop_assert!(!is_alert(latch.observe(&mut state, *signal, again)));
            }
            prop_assert_eq!((state.phase, state.since_at_ms), (before.phase, before.since_at_ms));
        }

        #[test]
        fn a_restart_anywhere_equals_an_uninterrupted_run(
            latch in latches(), steps in prop::collection::vec((signals(), 0_i64..60, 0_i64..60, any::<bool>()), 1..40),
        ) {
            let (mut whole, mut split) = (LatchState::default(), LatchState::default());
            for (signal, at_ms, now_ms, elapses) in steps {
                let stored = serde_json::to_string(&split).unwrap();
                split = serde_json::from_str(&stored).unwrap();
                let moment = Moment { at_ms, now_ms };
                prop_assert_eq!(latch.observe(&mut whole, signal, moment), latch.observe(&mut split, signal, moment));
                if elapses {
                    prop_assert_eq!(latch.elapse(&mut whole, now_ms), latch.elapse(&mut split, now_ms));
                }
                prop_assert_eq!(whole, split);
            }
        }

        #[test]
        fn a_turn_of_stay_means_an_unchanged_state(
            latch in latches(), steps in prop::collection::vec((signals(), 0_i64..60, 0_i64..60), 1..40),
        ) {
            let mut state = LatchState::default();
            for (signal, at_ms, now_ms) in steps {
                let before = state;
                if latch.observe(&mut state, signal, Moment { at_ms, now_ms }) == Turn::Stay {
                    prop_assert_eq!(state, before);
                }
            }
        }

        #[test]
        fn extreme_times_never_panic(
            hold_ms in any::<i64>(), clear_hold_ms in any::<i64>(),
            steps in prop::collection::vec((signals(), any::<i64>(), any::<i64>()), 1..20),
        ) {
            let latch = Latch { hold_ms, clear_hold_ms };
            let mut state = LatchState::default();
            for (signal, at_ms, now_ms) in steps {
                latch.observe(&mut state, signal, Moment { at_ms, now_ms });
                latch.elapse(&mut state, now_ms);
                state.rebase(at_ms);
            }
        }

        #[test]
        fn a_longer_hold_never_raises_earlier(series in series(0), hold_ms in 0_i64..8, longer_ms in 0_i64..8) {
            let first_raise = |hold_ms: i64| {
                let latch = Latch { hold_ms, clear_hold_ms: 0 };
                let mut state = LatchState::default();
                series.iter().position(|(at_ms, signal)| {
                    matches!(latch.observe(&mut state, *signal, moment(*at_ms)), Turn::Raise { .. })
                })
            };
            if let Some(later) = first_raise(hold_ms + longer_ms) {
                prop_assert!(first_raise(hold_ms).is_some_and(|earlier| earlier <= later));
            }
        }

        #[test]
        fn raises_and_clears_alternate(latch in latches(), series in series(0)) {
            let mut state = LatchState::default();
            let mut raised = false;
            for (at_ms, signal) in series {
                for turn in [latch.elapse(&mut state, at_ms), latch.observe(&mut state, signal, moment(at_ms))] {
                    match turn {
                        Turn::Raise { .. } => prop_assert!(!std::mem::replace(&mut raised, true)),
                        Turn::Clear => prop_assert!(std::mem::replace(&mut raised, false)),
                        Turn::Stay | Turn::Shift => {}
                    }
                }
                prop_assert_eq!(state.is_raised(), raised);
            }
        }
    }
}
