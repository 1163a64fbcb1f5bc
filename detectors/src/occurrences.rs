//! How often a condition occurs: in `n` of the last `m` readings, or `n` times within a span. Knows nothing of the
//! condition.

use serde::{Deserialize, Serialize};

use crate::latch::Signal;

/// Most that can be remembered.
pub const OCCURRENCES_MAX: usize = 64;

/// At least `n` of the last `m` readings, whatever their times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NOfM {
    n: u32,
    m: u32,
}

/// At least `n` occurrences within a span of device time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    n: usize,
    within_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OccurrencesError {
    #[error("`n` must be 1 to {max}", max = OCCURRENCES_MAX)]
    N,
    #[error("`m` must be {n} to {max}", max = OCCURRENCES_MAX)]
    M { n: usize },
    #[error("`within` must be longer than 0")]
    NoTime,
}

/// The last readings, newest in the lowest bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NOfMState {
    pub bits: u64,
    pub last_at_ms: Option<i64>,
}

/// Device times of the last `n` occurrences, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountState {
    pub times_ms: Vec<i64>,
}

impl NOfM {
    pub fn new(n: usize, m: usize) -> Result<NOfM, OccurrencesError> {
        match (n, m) {
            (1..=OCCURRENCES_MAX, 1..=OCCURRENCES_MAX) if n <= m => Ok(NOfM { n: n as u32, m: m as u32 }),
            (1..=OCCURRENCES_MAX, _) => Err(OccurrencesError::M { n }),
            _ => Err(OccurrencesError::N),
        }
    }

    /// On while at least `n` of the last `m` readings met the condition, Off when none did; with their number. A reading
    /// that is older than the newest says nothing: it would count as new.
    pub fn judge(&self, state: &mut NOfMState, occurs: bool, at_ms: i64) -> Option<(Signal, u32)> {
        if state.last_at_ms.is_some_and(|last_ms| at_ms < last_ms) {
            return None;
        }
        state.last_at_ms = Some(at_ms);
        let mask = u64::MAX >> (u64::BITS - self.m);
        state.bits = (state.bits << 1 | u64::from(occurs)) & mask;
        let n = state.bits.count_ones();
        let signal = match n {
            0 => Signal::Off,
            n if n >= self.n => Signal::On,
            _ => Signal::Between,
        };
        Some((signal, n))
    }
}

impl Count {
    pub fn new(n: usize, within_ms: i64) -> Result<Count, OccurrencesError> {
        if !(1..=OCCURRENCES_MAX).contains(&n) {
            return Err(OccurrencesError::N);
        }
        if within_ms <= 0 {
            return Err(OccurrencesError::NoTime);
        }
        Ok(Count { n, within_ms })
    }

    /// On while the last `n` occurrences lie within the span that ends with this reading, else Off; with how many do, at
    /// most `n`. An occurrence that comes late takes its place among those before it.
    pub fn judge(&self, state: &mut CountState, occurs: bool, at_ms: i64) -> (Signal, usize) {
        let times = &mut state.times_ms;
        if occurs {
            let place = times.partition_point(|time_ms| *time_ms <= at_ms);
            times.insert(place, at_ms);
            if times.len() > self.n {
                times.remove(0);
            }
        }
        let newest_ms = times.last().copied().unwrap_or(at_ms).max(at_ms);
        let n = times.iter().filter(|time_ms| newest_ms.saturating_sub(**time_ms) <= self.within_ms).count();
        (if n >= self.n { Signal::On } else { Signal::Off }, n)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn n_of_m_forgives_a_spike_and_clears_when_all_are_good() {
        let rule = NOfM::new(3, 5).unwrap();
        let mut state = NOfMState::default();
        let line = [true, false, false, true, true, true, false, false, false, false, false];
        let judged: Vec<_> =
            line.iter().enumerate().map(|(i, on)| rule.judge(&mut state, *on, i as i64).unwrap().1).collect();
        assert_eq!(judged, [1, 1, 1, 2, 3, 3, 3, 3, 2, 1, 0]);
        let mut state = NOfMState::default();
        let signals = [true, true, false, true, false, false, false, false, false]
            .map(|on| rule.judge(&mut state, on, 7).unwrap().0);
        use Signal::{Between, Off, On};
        assert_eq!(signals, [Between, Between, Between, On, On, Between, Between, Between, Off]);
        assert_eq!(rule.judge(&mut state, true, 6), None, "late");
    }

    #[test]
    fn a_count_holds_within_its_span_only() {
        let rule = Count::new(3, 60_000).unwrap();
        let mut state = CountState::default();
        let mut judge = |occurs, s: i64| rule.judge(&mut state, occurs, s * 1000);
        assert_eq!(judge(true, 0), (Signal::Off, 1));
        assert_eq!(judge(true, 30), (Signal::Off, 2));
        assert_eq!(judge(false, 50), (Signal::Off, 2));
        assert_eq!(judge(true, 60), (Signal::On, 3));
        assert_eq!(judge(false, 61), (Signal::Off, 2));
        assert_eq!(judge(true, 80), (Signal::On, 3));
        assert_eq!(judge(true, 200), (Signal::Off, 1));
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        assert_eq!(NOfM::new(0, 5), Err(OccurrencesError::N));
        assert_eq!(NOfM::new(6, 5), Err(OccurrencesError::M { n: 6 }));
        assert_eq!(NOfM::new(6, 65), Err(OccurrencesError::M { n: 6 }));
        assert!(NOfM::new(64, 64).is_ok());
        assert_eq!(Count::new(65, 1), Err(OccurrencesError::N));
        assert_eq!(Count::new(1, 0), Err(OccurrencesError::NoTime));
    }

    proptest! {
        #[test]
        fn late_occurrences_count_like_punctual_ones(
            times_ms in prop::collection::vec(0..200_000_i64, 1..40), n in 1..8_usize,
        ) {
            // The newest is heard last in both, so that the span ends with it.
            let newest_ms = times_ms.iter().max().copied().unwrap();
            let mut sorted = times_ms.clone();
            sorted.sort_unstable();
            let last = |times: &[i64]| {
                let rule = Count::new(n, 60_000).unwrap();
                let mut state = CountState::default();
                for at_ms in times {
                    rule.judge(&mut state, true, *at_ms);
                }
                rule.judge(&mut state, false, newest_ms)
            };
            prop_assert_eq!(last(&times_ms), last(&sorted));
        }

        #[test]
        fn nothing_panics_and_memory_is_bounded(
            readings in prop::collection::vec((any::<i64>(), any::<bool>()), 0..200), n in 1..=OCCURRENCES_MAX,
        ) {
            let (count, n_of_m) = (Count::new(n, i64::MAX).unwrap(), NOfM::new(n, OCCURRENCES_MAX).unwrap());
            let (mut times, mut bits) = (CountState::default(), NOfMState::default());
            for (at_ms, occurs) in readings {
                count.judge(&mut times, occurs, at_ms);
                n_of_m.judge(&mut bits, occurs, at_ms);
                prop_assert!(times.times_ms.len() <= n);
            }
        }
    }
}
