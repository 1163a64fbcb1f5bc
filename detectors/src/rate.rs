//! How fast a value changes. Knows nothing of holds: those are the latch's.
//!
//! The slope is taken between two readings that lie at least `over_ms` apart, then the later one begins the next
//! stretch: constant memory, and noise between the two does not count. A stretch longer than `gap_max_ms` says
//! nothing: after an outage a jump is no slope.

use serde::{Deserialize, Serialize};

use crate::latch::Signal;

/// Limits in units of the value per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    rise: Option<f64>,
    fall: Option<f64>,
    over_ms: i64,
    gap_max_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum RateError {
    #[error("neither `rise` nor `fall` is given")]
    NoLimit,
    #[error("`{name}` must be a finite number above 0, in units per second")]
    NotPositive { name: &'static str },
    #[error("`gap_max` is not longer than `over`: no two readings could be compared")]
    NoStretch,
}

/// The reading that a stretch began with.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateState {
    /// Device time and value.
    pub from: Option<(i64, f64)>,
}

impl Rate {
    pub fn new(rise: Option<f64>, fall: Option<f64>, over_ms: i64, gap_max_ms: i64) -> Result<Rate, RateError> {
        for (name, limit) in [("rise", rise), ("fall", fall)] {
            if limit.is_some_and(|limit| !(limit.is_finite() && limit > 0.0)) {
                return Err(RateError::NotPositive { name });
            }
        }
        if rise.is_none() && fall.is_none() {
            return Err(RateError::NoLimit);
        }
        if gap_max_ms <= over_ms {
            return Err(RateError::NoStretch);
        }
        Ok(Rate { rise, fall, over_ms: over_ms.max(1), gap_max_ms })
    }

    /// The slope per second, with what it means, where this reading ends a stretch. A value that is not finite and a
    /// reading that is not later than the stretch's beginning say and change nothing.
    pub fn judge(&self, state: &mut RateState, value: f64, at_ms: i64) -> Option<(Signal, f64)> {
        if !value.is_finite() {
            return None;
        }
        let Some((from_ms, from)) = state.from else {
            state.from = Some((at_ms, value));
            return None;
        };
        let stretch_ms = at_ms.saturating_sub(from_ms);
        if stretch_ms < self.over_ms {
            return None;
        }
        state.from = Some((at_ms, value));
        if stretch_ms > self.gap_max_ms {
            return None;
        }
        // Halved, so that the difference of two values at opposite ends of f64 stays finite.
        let slope = (value / 2.0 - from / 2.0) / (stretch_ms as f64 / 2000.0);
        let beyond = self.rise.is_some_and(|rise| slope > rise) || self.fall.is_some_and(|fall| -slope > fall);
        Some((if beyond { Signal::On } else { Signal::Off }, slope))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Signals of readings given as (seconds, value).
    fn judged(rate: &Rate, readings: &[(i64, f64)]) -> Vec<Option<(Signal, f64)>> {
        let mut state = RateState::default();
        readings.iter().map(|&(s, value)| rate.judge(&mut state, value, s * 1000)).collect()
    }

    #[test]
    fn a_slope_is_taken_over_the_stretch_and_not_between_neighbours() {
        // A river level in metres, 2 cm of ripples; it rises by 10 cm a minute at the end.
        let rate = Rate::new(Some(0.05 / 60.0), None, 60_000, 600_000).unwrap();
        let river = [(0, 1.00), (30, 1.02), (60, 1.00), (90, 1.02), (120, 1.01), (150, 1.06), (180, 1.11)];
        let judged = judged(&rate, &river);
        let signals: Vec<_> = judged.iter().map(|judged| judged.map(|(signal, _)| signal)).collect();
        assert_eq!(signals, [None, None, Some(Signal::Off), None, Some(Signal::Off), None, Some(Signal::On)]);
        assert!((judged[6].unwrap().1 - 0.1 / 60.0).abs() < 1e-9);
    }

    #[test]
    fn a_gap_a_late_reading_and_nonsense_say_nothing() {
        let rate = Rate::new(Some(1.0), Some(1.0), 0, 60_000).unwrap();
        let odd = [(0, 0.0), (61, 900.0), (62, f64::NAN), (60, -900.0), (61, 0.0), (62, 900.5), (63, 890.0)];
        let signals: Vec<_> = judged(&rate, &odd).into_iter().map(|judged| judged.map(|(signal, _)| signal)).collect();
        assert_eq!(signals, [None, None, None, None, None, Some(Signal::Off), Some(Signal::On)]);
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        assert_eq!(Rate::new(None, None, 0, 1), Err(RateError::NoLimit));
        assert_eq!(Rate::new(Some(0.0), None, 0, 1), Err(RateError::NotPositive { name: "rise" }));
        assert_eq!(Rate::new(None, Some(f64::INFINITY), 0, 1), Err(RateError::NotPositive { name: "fall" }));
        assert_eq!(Rate::new(Some(1.0), None, 60_000, 60_000), Err(RateError::NoStretch));
    }

    proptest! {
        #[test]
        fn no_input_panics_and_no_slope_is_nan(
            over_ms in 0..1_000_000_i64, readings in prop::collection::vec((any::<i64>(), any::<f64>()), 0..50),
        ) {
            let rate = Rate::new(Some(0.5), Some(0.5), over_ms, 2_000_000).unwrap();
            let mut state = RateState::default();
            for (at_ms, value) in readings {
                if let Some((_, slope)) = rate.judge(&mut state, value, at_ms) {
                    prop_assert!(!slope.is_nan());
                }
            }
        }

        #[test]
        fn a_steeper_rise_is_never_judged_calmer(a in -1e9..1e9_f64, b in -1e9..1e9_f64, limit in 1e-3..1e6_f64) {
            let rate = Rate::new(Some(limit), None, 0, 60_000).unwrap();
            let is_on = |value| judged(&rate, &[(0, 0.0), (1, value)])[1].is_some_and(|(signal, _)| signal == Signal::On);
            prop_assert!(!is_on(a.min(b)) || is_on(a.max(b)));
        }
    }
}
