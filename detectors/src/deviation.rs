//! How unusual a value is beside what the source usually says at this time of day or week. Learns; knows nothing of
//! limits that people set.
//!
//! The baseline is an exponentially weighted mean and mean absolute deviation. Each hour of the season has its own. What
//! lies far out moves them no further than [`PULL_MAX`] deviations would: an accident does not become the usual, a
//! lasting change of level slowly does.

use serde::{Deserialize, Serialize};

use crate::latch::Signal;

const HOUR_MS: i64 = 3_600_000;

/// Readings of an hour of the season before it is judged by.
const LEARNED_MIN: u32 = 30;

/// Furthest that one reading pulls the baseline, in deviations.
const PULL_MAX: f64 = 3.0;

/// No sensor says more.
const VALUE_MAX: f64 = 1e150;

/// Mean absolute deviation of a normal distribution × this = its standard deviation: sqrt(π / 2).
const SIGMA_PER_MEAN_DEVIATION: f64 = 1.253_314_137_315_5;

/// What the baseline repeats after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Season {
    #[default]
    None,
    /// 24 baselines, one per hour.
    Day,
    /// 168 baselines, one per hour.
    Week,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deviation {
    z: f64,
    half_life_ms: f64,
    season: Season,
    floor: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum DeviationError {
    #[error("`z` must be a finite number above 0")]
    Z,
    #[error("`half_life` must be longer than 0")]
    HalfLife,
    #[error("`floor` must be a finite number, 0 or more")]
    Floor,
}

/// What was learned: 20 bytes per hour of the season.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviationState {
    pub last_at_ms: Option<i64>,
    pub hours: Vec<Baseline>,
}

/// Mean, mean absolute deviation, and the number of readings behind them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Baseline(pub f64, pub f64, pub u32);

/// A reading beside its baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deviated {
    pub signal: Signal,
    /// Robust standard deviations between the value and what is usual.
    pub z: f64,
    pub usual: f64,
}

impl Season {
    fn n_hours(self) -> usize {
        match self {
            Season::None => 1,
            Season::Day => 24,
            Season::Week => 168,
        }
    }
}

impl Deviation {
    /// `z`: robust standard deviations from the usual that raise; half of them clear. `floor`: least standard deviation,
    /// in the value's unit, so that a very quiet source does not alert for trifles.
    pub fn new(z: f64, half_life_ms: i64, season: Season, floor: f64) -> Result<Deviation, DeviationError> {
        if !(z.is_finite() && z > 0.0) {
            return Err(DeviationError::Z);
        }
        if half_life_ms <= 0 {
            return Err(DeviationError::HalfLife);
        }
        if !(floor.is_finite() && floor >= 0.0) {
            return Err(DeviationError::Floor);
        }
        Ok(Deviation { z, half_life_ms: half_life_ms as f64, season, floor })
    }

    /// Judges, then learns. Nothing while the hour is not yet learned, and for a value that is late or not finite.
    pub fn judge(&self, state: &mut DeviationState, value: f64, at_ms: i64) -> Option<Deviated> {
        // Differences of such values would not be finite.
        if value.is_nan() || value.abs() > VALUE_MAX || state.last_at_ms.is_some_and(|last_ms| at_ms <= last_ms) {
            return None;
        }
        let n_hours = self.season.n_hours();
        if state.hours.len() != n_hours {
            state.hours = vec![Baseline::default(); n_hours];
        }
        let hour = at_ms.div_euclid(HOUR_MS).rem_euclid(n_hours as i64) as usize;
        let gap_ms = state.last_at_ms.map_or(0, |last_ms| at_ms.saturating_sub(last_ms));
        state.last_at_ms = Some(at_ms);
        let baseline = &mut state.hours[hour];
        let judged = (baseline.2 >= LEARNED_MIN).then(|| self.compare(baseline, value));
        // An hour of the season is heard only once per season: its readings weigh for all of it.
        baseline.learn(value, gap_ms as f64 * n_hours as f64 / self.half_life_ms);
        judged
    }

    fn compare(&self, baseline: &Baseline, value: f64) -> Deviated {
        let Baseline(usual, spread, _) = *baseline;
        let sigma = (spread * SIGMA_PER_MEAN_DEVIATION).max(self.floor);
        let distance = (value - usual).abs();
        // A source that never moved and has no floor: whatever differs is unusual.
        let z = if distance == 0.0 { 0.0 } else { (distance / sigma).min(f64::MAX) };
        let signal = match z {
            z if z > self.z => Signal::On,
            z if z <= self.z / 2.0 => Signal::Off,
            _ => Signal::Between,
        };
        Deviated { signal, z, usual }
    }
}

impl Baseline {
    /// `half_lives` that passed since the last reading.
    fn learn(&mut self, value: f64, half_lives: f64) {
        let Baseline(mean, spread, n) = self;
        if *n == 0 {
            (*mean, *n) = (value, 1);
            return;
        }
        // While little is known each reading weighs alike; a long gap makes none weigh more than all before it.
        let share = (1.0 - (-half_lives.min(1.0) * std::f64::consts::LN_2).exp()).max(1.0 / f64::from(*n + 1));
        let mut pull = value - *mean;
        if *n >= LEARNED_MIN && *spread > 0.0 {
            pull = pull.clamp(-*spread * PULL_MAX, *spread * PULL_MAX);
        }
        *mean += pull * share;
        *spread += (pull.abs() - *spread) * share;
        *n = n.saturating_add(1).min(u32::MAX - 1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE_MS: i64 = 60_000;

    /// A day's curve from 10 to 20 with noise of ±0.5, one reading in five minutes; same noise for the same reading.
    fn curve(i: i64) -> f64 {
        let noise = (i.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64).rem_euclid(1000)) as f64 / 1000.0 - 0.5;
        15.0 - 5.0 * (i as f64 / 288.0 * std::f64::consts::TAU).cos() + noise
    }

    fn learned(deviation: &Deviation, n_days: i64) -> (DeviationState, usize) {
        let mut state = DeviationState::default();
        let mut n_on = 0;
        for i in 0..n_days * 288 {
            let judged = deviation.judge(&mut state, curve(i), i * 5 * MINUTE_MS);
            n_on += usize::from(judged.is_some_and(|judged| judged.signal == Signal::On));
        }
        (state, n_on)
    }

    #[test]
    fn noon_at_midnight_is_unusual_only_with_a_season() {
        let at_ms = 14 * 86_400_000 + 5 * MINUTE_MS;
        let day = Deviation::new(6.0, 7 * 86_400_000, Season::Day, 0.0).unwrap();
        let (mut state, n_on) = learned(&day, 14);
        assert_eq!(n_on, 0, "two usual weeks");
        let noon = day.judge(&mut state, 20.0, at_ms).unwrap();
        assert_eq!(noon.signal, Signal::On, "{noon:?}");
        assert!((noon.usual - 10.0).abs() < 1.0, "{noon:?}");
        let none = Deviation::new(6.0, 7 * 86_400_000, Season::None, 0.0).unwrap();
        let (mut state, _) = learned(&none, 14);
        assert_ne!(none.judge(&mut state, 20.0, at_ms).unwrap().signal, Signal::On);
    }

    #[test]
    fn an_accident_does_not_become_the_usual_and_a_new_level_does() {
        let deviation = Deviation::new(6.0, 6 * 3_600_000, Season::None, 0.0).unwrap();
        let mut state = DeviationState::default();
        let mut at_ms = 0;
        let mut feed = |value: f64, n: usize| {
            let mut last = None;
            for i in 0..n {
                at_ms += MINUTE_MS;
                last = deviation.judge(&mut state, value + (i % 3) as f64 * 0.1, at_ms);
            }
            last.unwrap()
        };
        feed(10.0, 500);
        assert_eq!(feed(50.0, 5).signal, Signal::On);
        let after = feed(10.0, 1);
        assert_eq!(after.signal, Signal::Off, "{after:?}");
        assert_eq!(feed(12.0, 1).signal, Signal::On);
        let moved = feed(12.0, 1440);
        assert_eq!(moved.signal, Signal::Off, "{moved:?}");
    }

    #[test]
    fn a_source_that_never_moved_needs_a_floor() {
        let flat = |floor, value| {
            let deviation = Deviation::new(6.0, 3_600_000, Season::None, floor).unwrap();
            let mut state = DeviationState::default();
            for i in 0..40 {
                deviation.judge(&mut state, 5.0, i);
            }
            deviation.judge(&mut state, value, 40).unwrap().signal
        };
        assert_eq!(flat(0.0, 5.0), Signal::Off);
        assert_eq!(flat(0.0, 5.001), Signal::On);
        assert_eq!(flat(0.1, 5.2), Signal::Off);
        assert_eq!(flat(0.1, 5.7), Signal::On);
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        assert_eq!(Deviation::new(0.0, 1, Season::None, 0.0), Err(DeviationError::Z));
        assert_eq!(Deviation::new(1.0, 0, Season::None, 0.0), Err(DeviationError::HalfLife));
        assert_eq!(Deviation::new(1.0, 1, Season::None, f64::NAN), Err(DeviationError::Floor));
    }

    proptest! {
        #[test]
        fn no_input_panics_or_poisons_what_was_learned(
            readings in prop::collection::vec((any::<i64>(), any::<f64>()), 0..80),
        ) {
            let deviation = Deviation::new(4.0, 3_600_000, Season::Day, 0.0).unwrap();
            let mut state = DeviationState::default();
            for (at_ms, value) in readings {
                let judged = deviation.judge(&mut state, value, at_ms);
                prop_assert!(judged.is_none_or(|judged| judged.z.is_finite()));
            }
            prop_assert!(state.hours.iter().all(|hour| hour.0.is_finite() && hour.1.is_finite()));
        }

        #[test]
        fn split_anywhere_and_restored_is_uninterrupted(
            values in prop::collection::vec(-1e3..1e3_f64, 60..120), split in 0..60_usize,
        ) {
            let deviation = Deviation::new(2.0, 3_600_000, Season::None, 0.0).unwrap();
            let run = |restart: bool| {
                let mut state = DeviationState::default();
                let mut judged = Vec::new();
                for (i, value) in values.iter().enumerate() {
                    if restart && i == split {
                        state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
                    }
                    judged.push(deviation.judge(&mut state, *value, i as i64 * MINUTE_MS));
                }
                judged
            };
            prop_assert_eq!(run(false), run(true));
        }
    }
}
