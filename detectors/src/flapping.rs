//! An alert that comes and goes again and again is one finding and not many. Knows nothing of what it is about.
//!
//! From the `n`th opening within a span on, the alert stays open: it clears once it has rested for that span, and what
//! opens before then is suppressed and counted.

use serde::{Deserialize, Serialize};

/// Openings that can be remembered.
pub const OPENINGS_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flapping {
    n: usize,
    within_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlappingError {
    #[error("`n` must be 2 to {max}", max = OPENINGS_MAX)]
    N,
    #[error("`within` must be longer than 0")]
    NoTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlappingState {
    /// Device times of the last openings, oldest first.
    pub opened_at_ms: Vec<i64>,
    /// Gateway time since when the condition of an alert that flaps is over, re-based by a restart.
    pub resting_since_ms: Option<i64>,
    pub n_suppressed: u64,
}

/// What an opening means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    Plain,
    /// It flaps from now on: so many openings within the span.
    Flaps(usize),
    /// The alert is still open: there is nothing to open.
    Suppressed,
}

impl Flapping {
    pub fn new(n: usize, within_ms: i64) -> Result<Flapping, FlappingError> {
        if !(2..=OPENINGS_MAX).contains(&n) {
            return Err(FlappingError::N);
        }
        if within_ms <= 0 {
            return Err(FlappingError::NoTime);
        }
        Ok(Flapping { n, within_ms })
    }

    pub fn within_ms(&self) -> i64 {
        self.within_ms
    }

    pub fn opens(&self, state: &mut FlappingState, at_ms: i64) -> Opening {
        if state.resting_since_ms.take().is_some() {
            state.n_suppressed = state.n_suppressed.saturating_add(1);
            return Opening::Suppressed;
        }
        state.opened_at_ms.retain(|opened_ms| at_ms.saturating_sub(*opened_ms) <= self.within_ms);
        if state.opened_at_ms.len() == OPENINGS_MAX {
            state.opened_at_ms.remove(0);
        }
        state.opened_at_ms.push(at_ms);
        match state.opened_at_ms.len() {
            n if n >= self.n => Opening::Flaps(n),
            _ => Opening::Plain,
        }
    }

    /// The condition of the open alert is over: whether the alert is, too.
    pub fn clears(&self, state: &mut FlappingState, now_ms: i64) -> bool {
        let flaps = state.opened_at_ms.len() >= self.n;
        if flaps {
            state.resting_since_ms = Some(now_ms);
        }
        !flaps
    }

    /// Gateway time at which the alert has rested for long enough.
    pub fn due_ms(&self, state: &FlappingState) -> Option<i64> {
        state.resting_since_ms.map(|since_ms| since_ms.saturating_add(self.within_ms))
    }
}

impl FlappingState {
    /// The alert is cleared: begins anew. Returns how many openings were suppressed.
    pub fn end(&mut self) -> u64 {
        std::mem::take(self).n_suppressed
    }

    /// After a restart: nobody knows what happened meanwhile.
    pub fn rebase(&mut self, now_ms: i64) {
        self.resting_since_ms = self.resting_since_ms.map(|_| now_ms);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_third_opening_within_the_span_stays_open_until_it_has_rested() {
        let flapping = Flapping::new(3, 60_000).unwrap();
        let mut state = FlappingState::default();
        for at_ms in [0, 20_000] {
            assert_eq!(flapping.opens(&mut state, at_ms), Opening::Plain);
            assert!(flapping.clears(&mut state, at_ms + 1_000));
        }
        assert_eq!(flapping.opens(&mut state, 40_000), Opening::Flaps(3));
        assert!(!flapping.clears(&mut state, 41_000));
        assert_eq!(flapping.due_ms(&state), Some(101_000));
        assert_eq!(flapping.opens(&mut state, 50_000), Opening::Suppressed);
        assert_eq!(flapping.due_ms(&state), None, "it holds again");
        assert!(!flapping.clears(&mut state, 51_000));
        assert_eq!((flapping.due_ms(&state), state.end()), (Some(111_000), 1));
        assert_eq!(flapping.opens(&mut state, 120_000), Opening::Plain);
    }

    #[test]
    fn what_comes_seldom_does_not_flap() {
        let flapping = Flapping::new(3, 60_000).unwrap();
        let mut state = FlappingState::default();
        for at_ms in (0..10).map(|i| i * 31_000) {
            assert_eq!(flapping.opens(&mut state, at_ms), Opening::Plain);
            assert!(flapping.clears(&mut state, at_ms + 1));
        }
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        assert_eq!(Flapping::new(1, 1), Err(FlappingError::N));
        assert_eq!(Flapping::new(65, 1), Err(FlappingError::N));
        assert_eq!(Flapping::new(2, 0), Err(FlappingError::NoTime));
    }

    proptest! {
        #[test]
        fn no_times_panic_and_memory_is_bounded(times_ms in prop::collection::vec(any::<i64>(), 0..200)) {
            let flapping = Flapping::new(64, i64::MAX).unwrap();
            let mut state = FlappingState::default();
            for at_ms in times_ms {
                flapping.opens(&mut state, at_ms);
                flapping.clears(&mut state, at_ms);
                flapping.due_ms(&state);
                prop_assert!(state.opened_at_ms.len() <= OPENINGS_MAX);
            }
        }
    }
}
