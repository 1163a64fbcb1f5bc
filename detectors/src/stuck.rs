//! A value that does not move any more: a frozen sensor says "all is well" for ever. Knows nothing of silence, which is
//! another finding: only readings are evidence, never their absence.

use serde::{Deserialize, Serialize};

use crate::latch::Signal;

/// Readings that a flat run needs: two equal ones are chance.
const READINGS_MIN: u32 = 3;

/// A run of readings within `tolerance` of each other, over `after_ms` of device time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stuck {
    tolerance: f64,
    after_ms: i64,
    gap_max_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum StuckError {
    #[error("`tolerance` must be a finite number, 0 or more")]
    Tolerance,
    #[error("`after` must be longer than 0")]
    NoTime,
}

/// The flat run that is going on.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StuckState {
    pub run: Option<Run>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Device times of its first and last reading.
    pub since_at_ms: i64,
    pub last_at_ms: i64,
    pub low: f64,
    pub high: f64,
    pub n_readings: u32,
}

impl Stuck {
    /// `gap_max_ms`: a longer pause between two readings begins the run anew.
    pub fn new(tolerance: f64, after_ms: i64, gap_max_ms: i64) -> Result<Stuck, StuckError> {
        if !(tolerance.is_finite() && tolerance >= 0.0) {
            return Err(StuckError::Tolerance);
        }
        if after_ms <= 0 {
            return Err(StuckError::NoTime);
        }
        Ok(Stuck { tolerance, after_ms, gap_max_ms })
    }

    /// What the reading means, and for how long (ms) the value has not moved. A late or not finite one says nothing.
    pub fn judge(&self, state: &mut StuckState, value: f64, at_ms: i64) -> Option<(Signal, i64)> {
        if !value.is_finite() {
            return None;
        }
        let fresh = Run { since_at_ms: at_ms, last_at_ms: at_ms, low: value, high: value, n_readings: 1 };
        let Some(run) = &mut state.run else {
            state.run = Some(fresh);
            return None;
        };
        if at_ms <= run.last_at_ms {
            return None;
        }
        let (low, high) = (run.low.min(value), run.high.max(value));
        if high - low > self.tolerance {
            state.run = Some(fresh);
            return Some((Signal::Off, 0));
        }
        if at_ms.saturating_sub(run.last_at_ms) > self.gap_max_ms {
            state.run = Some(fresh);
            return None;
        }
        (run.low, run.high, run.last_at_ms, run.n_readings) = (low, high, at_ms, run.n_readings.saturating_add(1));
        let flat_ms = at_ms.saturating_sub(run.since_at_ms);
        let is_stuck = flat_ms >= self.after_ms && run.n_readings >= READINGS_MIN;
        Some((if is_stuck { Signal::On } else { Signal::Between }, flat_ms))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signals(stuck: &Stuck, readings: &[(i64, f64)]) -> Vec<Option<Signal>> {
        let mut state = StuckState::default();
        let judge = |&(s, value): &(i64, f64)| stuck.judge(&mut state, value, s * 1000).map(|(signal, _)| signal);
        readings.iter().map(judge).collect()
    }

    #[test]
    fn a_flat_line_is_stuck_and_the_first_move_ends_it() {
        let stuck = Stuck::new(0.05, 60_000, 60_000).unwrap();
        let line = [(0, 20.3), (30, 20.0), (60, 20.04), (90, 20.0), (120, 20.02), (150, 20.2)];
        let (off, between, on) = (Some(Signal::Off), Some(Signal::Between), Some(Signal::On));
        assert_eq!(signals(&stuck, &line), [None, off, between, on, on, off]);
    }

    #[test]
    fn silence_is_not_flatness() {
        let stuck = Stuck::new(0.0, 60_000, 60_000).unwrap();
        let between = Some(Signal::Between);
        assert_eq!(signals(&stuck, &[(0, 1.0), (3600, 1.0), (3650, 1.0)]), [None, None, between]);
        assert_eq!(signals(&stuck, &[(0, 1.0), (60, 1.0)]), [None, between], "two equal readings are chance");
    }

    #[test]
    fn a_slow_drift_within_the_tolerance_of_its_neighbours_is_not_flat() {
        let stuck = Stuck::new(1.0, 60_000, 60_000).unwrap();
        let drift: Vec<_> = (0..100).map(|i| (i * 10, i as f64 * 0.4)).collect();
        assert!(!signals(&stuck, &drift).contains(&Some(Signal::On)));
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        assert_eq!(Stuck::new(-0.1, 1, 1), Err(StuckError::Tolerance));
        assert_eq!(Stuck::new(f64::NAN, 1, 1), Err(StuckError::Tolerance));
        assert_eq!(Stuck::new(0.0, 0, 1), Err(StuckError::NoTime));
    }

    proptest! {
        #[test]
        fn no_input_panics_and_runs_are_never_negative(
            readings in prop::collection::vec((any::<i64>(), any::<f64>()), 0..50),
        ) {
            let stuck = Stuck::new(0.5, 1_000, 1_000).unwrap();
            let mut state = StuckState::default();
            for (at_ms, value) in readings {
                if let Some((_, flat_ms)) = stuck.judge(&mut state, value, at_ms) {
                    prop_assert!(flat_ms >= 0);
                }
            }
        }

        #[test]
        fn what_moves_by_more_than_the_tolerance_is_never_stuck(
            steps in prop::collection::vec((1..30_i64, any::<bool>()), 1..60), tolerance in 0.0..5.0_f64,
        ) {
            let stuck = Stuck::new(tolerance, 60_000, 60_000).unwrap();
            let (mut at_s, mut value) = (0, 0.0);
            let mut readings = Vec::new();
            for (gap_s, up) in steps {
                at_s += gap_s;
                value += if up { tolerance + 0.1 } else { -tolerance - 0.1 };
                readings.push((at_s, value));
            }
            prop_assert!(!signals(&stuck, &readings).contains(&Some(Signal::On)));
        }
    }
}
