//! Judges one number against limits. Knows nothing of time: holds are the latch's.

use crate::latch::Signal;

/// Limits of a reading. With one limit the alert clears at `clear`, or at the limit itself where none is given.
///
/// With both limits the good band lies between them. `clear` is then a level on its nearer side, and the other side
/// clears at the same distance from its own limit: above 30, below 10, clear 27 also means 13.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    above: Option<f64>,
    below: Option<f64>,
    clear_above: f64,
    clear_below: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ThresholdError {
    #[error("neither `above` nor `below` is given")]
    NoLimit,
    #[error("{name} is not a finite number")]
    NotFinite { name: &'static str },
    #[error("`below` {below} is not under `above` {above}: every value would alert")]
    EmptyBand { below: f64, above: f64 },
    #[error("`clear` {clear} lies beyond the limit {limit}: the alert would clear while its condition holds")]
    ClearBeyondLimit { clear: f64, limit: f64 },
}

impl Threshold {
    pub fn new(above: Option<f64>, below: Option<f64>, clear: Option<f64>) -> Result<Threshold, ThresholdError> {
        for (name, value) in [("`above`", above), ("`below`", below), ("`clear`", clear)] {
            if value.is_some_and(|value| !value.is_finite()) {
                return Err(ThresholdError::NotFinite { name });
            }
        }
        if above.is_none() && below.is_none() {
            return Err(ThresholdError::NoLimit);
        }
        if let (Some(above), Some(below)) = (above, below)
            && below >= above
        {
            return Err(ThresholdError::EmptyBand { below, above });
        }
        if let (Some(limit), Some(clear)) = (above, clear)
            && clear > limit
        {
            return Err(ThresholdError::ClearBeyondLimit { clear, limit });
        }
        if let (Some(limit), Some(clear)) = (below, clear)
            && clear < limit
        {
            return Err(ThresholdError::ClearBeyondLimit { clear, limit });
        }
        let (clear_above, clear_below) = clear_levels(above, below, clear);
        Ok(Threshold { above, below, clear_above, clear_below })
    }

    /// On beyond a limit, Off at or within the clear level, Between in the band of hysteresis. NaN says nothing.
    pub fn signal(&self, value: f64) -> Signal {
        if value.is_nan() {
            return Signal::Between;
        }
        if self.above.is_some_and(|limit| value > limit) || self.below.is_some_and(|limit| value < limit) {
            return Signal::On;
        }
        if value <= self.clear_above && value >= self.clear_below { Signal::Off } else { Signal::Between }
    }
}

/// Greatest and least value that clears.
fn clear_levels(above: Option<f64>, below: Option<f64>, clear: Option<f64>) -> (f64, f64) {
    match (above, below, clear) {
        (Some(above), Some(below), Some(clear)) if above - clear <= clear - below => {
            // Rounding must not push a clear level past the other one: then nothing would ever clear.
            (clear, (below + (above - clear)).min(clear))
        }
        (Some(above), Some(below), Some(clear)) => ((above - (clear - below)).max(clear), clear),
        (Some(_), None, Some(clear)) => (clear, f64::NEG_INFINITY),
        (None, Some(_), Some(clear)) => (f64::INFINITY, clear),
        (above, below, _) => (above.unwrap_or(f64::INFINITY), below.unwrap_or(f64::NEG_INFINITY)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rank(signal: Signal) -> u8 {
        match signal {
            Signal::Off => 0,
            Signal::Between => 1,
            Signal::On => 2,
        }
    }

    #[test]
    fn a_value_at_the_limit_is_not_beyond_it() {
        let gas = Threshold::new(Some(1.0), None, Some(0.8)).unwrap();
        let judged = [1.1, 1.0, 0.81, 0.8, -0.0].map(|value| gas.signal(value));
        assert_eq!(judged, [Signal::On, Signal::Between, Signal::Between, Signal::Off, Signal::Off]);
    }

    #[test]
    fn without_a_clear_level_the_limit_clears() {
        let level = Threshold::new(None, Some(2.0), None).unwrap();
        assert_eq!([1.9, 2.0, 2.1].map(|value| level.signal(value)), [Signal::On, Signal::Off, Signal::Off]);
    }

    #[test]
    fn a_band_clears_at_the_same_distance_from_both_limits() {
        let band = Threshold::new(Some(30.0), Some(10.0), Some(27.0)).unwrap();
        let judged = [9.9, 12.9, 13.0, 27.0, 27.1, 30.1].map(|value| rank(band.signal(value)));
        assert_eq!(judged, [2, 1, 0, 0, 1, 2]);
        assert_eq!(band, Threshold { above: Some(30.0), below: Some(10.0), clear_above: 27.0, clear_below: 13.0 });
        let low = Threshold::new(Some(30.0), Some(10.0), Some(13.0)).unwrap();
        assert_eq!(low, band);
    }

    #[test]
    fn not_a_number_says_nothing_and_infinity_is_beyond() {
        let limit = Threshold::new(Some(5.0), None, None).unwrap();
        assert_eq!(limit.signal(f64::NAN), Signal::Between);
        assert_eq!(limit.signal(f64::INFINITY), Signal::On);
        assert_eq!(limit.signal(f64::NEG_INFINITY), Signal::Off);
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        let refused = |above, below, clear| Threshold::new(above, below, clear).unwrap_err();
        assert_eq!(refused(None, None, Some(1.0)), ThresholdError::NoLimit);
        assert_eq!(refused(Some(f64::NAN), None, None), ThresholdError::NotFinite { name: "`above`" });
        assert_eq!(refused(Some(1.0), Some(1.0), None), ThresholdError::EmptyBand { below: 1.0, above: 1.0 });
        assert_eq!(refused(Some(1.0), None, Some(1.2)), ThresholdError::ClearBeyondLimit { clear: 1.2, limit: 1.0 });
        assert_eq!(refused(None, Some(1.0), Some(0.8)), ThresholdError::ClearBeyondLimit { clear: 0.8, limit: 1.0 });
    }

    proptest! {
        #[test]
        fn a_higher_value_is_never_judged_calmer_by_an_upper_limit(
            above in any::<f64>(), clear in any::<f64>(), a in any::<f64>(), b in any::<f64>(),
        ) {
            if let Ok(limit) = Threshold::new(Some(above), None, Some(clear)) && a <= b {
                prop_assert!(rank(limit.signal(a)) <= rank(limit.signal(b)));
            }
        }

        #[test]
        fn a_lower_value_is_never_judged_calmer_by_a_lower_limit(
            below in any::<f64>(), clear in any::<f64>(), a in any::<f64>(), b in any::<f64>(),
        ) {
            if let Ok(limit) = Threshold::new(None, Some(below), Some(clear)) && a >= b {
                prop_assert!(rank(limit.signal(a)) <= rank(limit.signal(b)));
            }
        }

        #[test]
        fn the_clear_level_clears_and_the_outside_raises(
            below in -1e6..1e6_f64, width in 0.001..1e6_f64, share in 0.0..=1.0_f64, beyond in 0.001..1e6_f64,
        ) {
            let (above, clear) = (below + width, (below + width * share).min(below + width));
            let band = Threshold::new(Some(above), Some(below), Some(clear)).unwrap();
            prop_assert_eq!(band.signal(clear), Signal::Off);
            prop_assert_eq!(band.signal(above + beyond), Signal::On);
            prop_assert_eq!(band.signal(below - beyond), Signal::On);
        }
    }
}
