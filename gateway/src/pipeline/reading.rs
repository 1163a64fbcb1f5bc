//! What a rule asks of the values of one metric, what it remembers of them, and the words for what it found. Pure.

use outpost_detectors::anomaly::{self, ALERT_SCORE, AnomalyConfig, AnomalyState, View};
use outpost_detectors::deviation::{Deviation, DeviationState};
use outpost_detectors::latch::Signal;
use outpost_detectors::occurrences::{Count, CountState, NOfM, NOfMState};
use outpost_detectors::rate::{Rate, RateState};
use outpost_detectors::stuck::{Stuck, StuckState};
use outpost_detectors::threshold::{Threshold, ThresholdError};
use serde::{Deserialize, Serialize};

use super::slot::seconds;
use crate::nouns::{Figure, Why};

/// Digits of a reading that are told.
const TOLD_DIGITS: usize = 9;

/// A value's limits, as the configuration has them.
pub(super) struct Limit {
    above: Option<f64>,
    below: Option<f64>,
    threshold: Threshold,
}

/// One arm per kind of detector that judges readings.
pub(super) enum Test {
    Threshold(Limit),
    Rate(Rate),
    Stuck(Stuck),
    NOfM {
        limit: Limit,
        rule: NOfM,
    },
    /// Without a limit each reading counts.
    Count {
        limit: Option<Limit>,
        rule: Count,
        within_ms: i64,
    },
    Deviation(Deviation),
    Anomaly(AnomalyConfig),
}

/// What survives a restart, beside the latch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Memory {
    Rate(RateState),
    Stuck(StuckState),
    NOfM(NOfMState),
    Count(CountState),
    Deviation(DeviationState),
    Anomaly(Box<AnomalyState>),
}

/// What a reading showed, beside its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Finding {
    Limit,
    /// Units per second.
    Slope(f64),
    /// Not moved for so long.
    FlatMs(i64),
    Times(usize),
    Unusual {
        z: f64,
        usual: f64,
    },
    Novel(anomaly::Why),
}

impl Limit {
    pub(super) fn new(above: Option<f64>, below: Option<f64>, clear: Option<f64>) -> Result<Limit, ThresholdError> {
        Ok(Limit { above, below, threshold: Threshold::new(above, below, clear)? })
    }

    fn is_beyond(&self, value: f64) -> bool {
        self.threshold.signal(value) == Signal::On
    }

    fn words(&self, value: f64) -> (&'static str, f64) {
        match (self.above, self.below) {
            (Some(above), _) if value > above => ("above", above),
            (_, Some(below)) => ("below", below),
            (above, None) => ("above", above.unwrap_or(f64::NAN)),
        }
    }
}

impl Test {
    /// The memory that this test begins with; none where it needs none.
    pub(super) fn memory(&self) -> Option<Memory> {
        match self {
            Test::Threshold(_) => None,
            Test::Rate(_) => Some(Memory::Rate(RateState::default())),
            Test::Stuck(_) => Some(Memory::Stuck(StuckState::default())),
            Test::NOfM { .. } => Some(Memory::NOfM(NOfMState::default())),
            Test::Count { .. } => Some(Memory::Count(CountState::default())),
            Test::Anomaly(_) => Some(Memory::Anomaly(Box::default())),
            Test::Deviation(_) => Some(Memory::Deviation(DeviationState::default())),
        }
    }

    /// Judges a value for which no memory is needed.
    pub(super) fn judge(&self, value: f64) -> Option<(Signal, Finding)> {
        match self {
            Test::Threshold(limit) => Some((limit.threshold.signal(value), Finding::Limit)),
            _ => None,
        }
    }

    /// Judges a value beside what is remembered, and remembers it. `None` where it says nothing.
    pub(super) fn judge_with(&self, memory: &mut Memory, value: f64, at_ms: i64) -> Option<(Signal, Finding)> {
        match (self, memory) {
            (Test::Rate(rate), Memory::Rate(state)) => {
                rate.judge(state, value, at_ms).map(|(signal, slope)| (signal, Finding::Slope(slope)))
            }
            (Test::Stuck(stuck), Memory::Stuck(state)) => {
                stuck.judge(state, value, at_ms).map(|(signal, flat_ms)| (signal, Finding::FlatMs(flat_ms)))
            }
            (Test::NOfM { limit, rule }, Memory::NOfM(state)) if !value.is_nan() => {
                let judged = rule.judge(state, limit.is_beyond(value), at_ms);
                judged.map(|(signal, n)| (signal, Finding::Times(n as usize)))
            }
            (Test::Count { limit, rule, .. }, Memory::Count(state)) => {
                let occurs = limit.as_ref().is_none_or(|limit| limit.is_beyond(value));
                let (signal, n) = rule.judge(state, occurs, at_ms);
                Some((signal, Finding::Times(n)))
            }
            (Test::Deviation(deviation), Memory::Deviation(state)) => {
                let judged = deviation.judge(state, value, at_ms)?;
                Some((judged.signal, Finding::Unusual { z: judged.z, usual: judged.usual }))
            }
            (Test::Anomaly(config), Memory::Anomaly(state)) => {
                let judged = config.observe(state, value, at_ms);
                match judged.why {
                    Some(why) if judged.score >= ALERT_SCORE => Some((Signal::On, Finding::Novel(why))),
                    _ => Some((Signal::Off, Finding::Limit)),
                }
            }
            _ => None,
        }
    }

    pub(super) fn why(&self, metric: &str, reading: f64, unit: Option<&str>, finding: Finding, held: &str) -> Why {
        let unit_text = unit.map(|unit| format!(" {unit}")).unwrap_or_default();
        let said = figure("value", reading, unit);
        let value = told(reading);
        let beyond = |limit: &Limit| {
            let (word, level) = limit.words(reading);
            (format!("{word} {level}{unit_text}"), figure("limit", level, unit))
        };
        match (self, finding) {
            (Test::NOfM { limit, .. }, Finding::Times(n)) => {
                let (words, level) = beyond(limit);
                let text = format!("{metric} {value}{unit_text}, {n} times {words} of late{held}");
                Why { text, figures: vec![said, level, figure("times", n as f64, None)] }
            }
            (Test::Count { limit, within_ms, .. }, Finding::Times(n)) => {
                let words = limit.as_ref().map(|limit| format!(" {}", beyond(limit).0)).unwrap_or_default();
                let text = format!("{metric}{words} {n} times within {}{held}", seconds(*within_ms));
                Why { text, figures: vec![said, figure("times", n as f64, None)] }
            }
            (_, Finding::Slope(slope)) => {
                let word = if slope < 0.0 { "falls" } else { "rises" };
                let text =
                    format!("{metric} {value}{unit_text} {word} by {}{unit_text} a second{held}", short(slope.abs()));
                Why { text, figures: vec![said, figure("slope", slope, None)] }
            }
            (_, Finding::FlatMs(flat_ms)) => Why {
                text: format!("{metric} has stayed at {value}{unit_text} for {}{held}", seconds(flat_ms)),
                figures: vec![said, figure("flat", flat_ms as f64 / 1000.0, Some("s"))],
            },
            (_, Finding::Unusual { z, usual }) => {
                let times = short(z.min(999.0));
                let text =
                    format!("{metric} {value}{unit_text}, usual is {}{unit_text} ({times} sigma){held}", short(usual));
                Why { text, figures: vec![said, figure("usual", usual, unit), figure("sigma", z, None)] }
            }
            (_, Finding::Novel(anomaly::Why { view, seen, low, high })) => {
                let (seen_text, so_far) = (short(seen), format!("{} to {} so far", short(low), short(high)));
                let words = match view {
                    View::Value => format!("unlike all before, which was {so_far}"),
                    View::Level => format!("its mean of late is {seen_text}, {so_far}"),
                    View::Noise => format!("its changes are {seen_text} on a scale that was {so_far}"),
                    View::Day => format!("off by {seen_text} for this hour of the day, {so_far}"),
                    View::Week => format!("off by {seen_text} for this hour of the week, {so_far}"),
                    View::Stuck => format!("said {seen_text} times in a row, {so_far}"),
                    View::Hour => format!("its mean of late is {seen_text}, which was {so_far} at this hour"),
                };
                let figures =
                    vec![said, figure("seen", seen, None), figure("low", low, None), figure("high", high, None)];
                Why { text: format!("{metric} {value}{unit_text}: {words}"), figures }
            }
            (Test::Threshold(limit), _) => {
                let (words, level) = beyond(limit);
                Why { text: format!("{metric} {value}{unit_text} {words}{held}"), figures: vec![said, level] }
            }
            _ => Why { text: format!("{metric} {value}{unit_text}{held}"), figures: vec![said] },
        }
    }
}

impl Memory {
    pub(super) fn fits(&self, test: &Test) -> bool {
        test.memory().is_some_and(|fresh| std::mem::discriminant(&fresh) == std::mem::discriminant(self))
    }
}

pub(super) fn figure(name: &'static str, value: f64, unit: Option<&str>) -> Figure {
    Figure { name: name.into(), value, unit: unit.map(Into::into) }
}

/// A computed number for people: four digits that mean something.
fn short(value: f64) -> String {
    rounded(value, 4)
}

/// A reading for people: without the digits that arithmetic in binary adds at its end.
pub(super) fn told(value: f64) -> String {
    let exact = value.to_string();
    if exact.len() <= TOLD_DIGITS || value.abs() >= 1e9 { exact } else { rounded(value, TOLD_DIGITS) }
}

fn rounded(value: f64, n_digits: usize) -> String {
    let magnitude = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    let n_decimals = (n_digits as f64 - 1.0 - magnitude).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.n_decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computed_numbers_are_short() {
        for (value, text) in
            [(0.0, "0"), (0.000_123_456, "0.0001235"), (12.345_67, "12.35"), (2.0, "2"), (-3e9, "-3000000000")]
        {
            assert_eq!(short(value), text);
        }
        assert_eq!(short(1e-20), "0");
    }

    #[test]
    fn readings_are_told_without_what_binary_arithmetic_adds() {
        for (value, text) in [
            (102.059_372_099_999_99, "102.059372"),
            (36.6, "36.6"),
            (0.1 + 0.2, "0.3"),
            (4_294_967_296.0, "4294967296"),
            (-1_234.567_890_123, "-1234.56789"),
            (1e300, &1e300.to_string()),
        ] {
            assert_eq!(told(value), text);
        }
        assert_eq!(told(f64::NAN), "NaN");
    }
}
