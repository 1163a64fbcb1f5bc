//! Judges several readings of one source together: a condition over their latest values and their ages. Knows nothing of
//! the language that conditions are written in, nor of time: holds are the latch's.
//!
//! What is not known (a reading that never came, 0/0 compared with anything) makes unknown what depends on it, and only
//! that: `a > 1 || b > 1` is true by `a` alone. Judging allocates nothing.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::latch::Signal;

/// When it is on, and when it is off where that is not just otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    metrics: Arc<[Arc<str>]>,
    when: Truth,
    clear_when: Option<Truth>,
}

/// Metrics by their number in [`Condition::metrics`].
#[derive(Debug, Clone, PartialEq)]
pub enum Number {
    Constant(f64),
    Value(usize),
    /// Seconds between the reading and the newest one of the condition's, by the source's clock.
    Age(usize),
    Negative(Box<Number>),
    Calculated(Box<(Number, Operator, Number)>),
    Chosen(Box<(Truth, Number, Number)>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Truth {
    Constant(bool),
    /// Whether the reading ever came.
    Known(usize),
    Compared(Box<(Number, Relation, Number)>),
    Among(Box<(Number, Vec<Number>)>),
    Not(Box<Truth>),
    All(Vec<Truth>),
    Any(Vec<Truth>),
    Chosen(Box<(Truth, Truth, Truth)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Plus,
    Minus,
    Times,
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What came of each metric, in the order of the condition's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionState {
    metrics: Arc<[Arc<str>]>,
    last: Vec<Option<Last>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Last {
    pub value: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Arc<str>>,
    pub at_ms: i64,
}

impl Condition {
    pub fn new(metrics: Vec<Arc<str>>, when: Truth, clear_when: Option<Truth>) -> Condition {
        Condition { metrics: metrics.into(), when, clear_when }
    }

    pub fn metrics(&self) -> &[Arc<str>] {
        &self.metrics
    }

    pub fn state(&self) -> ConditionState {
        ConditionState { metrics: self.metrics.clone(), last: vec![None; self.metrics.len()] }
    }

    /// Number of a metric that the condition names.
    pub fn number_of(&self, metric: &str) -> Option<usize> {
        self.metrics.iter().position(|named| **named == *metric)
    }

    /// On where it holds. What is not known neither raises nor clears.
    pub fn signal(&self, state: &ConditionState) -> Signal {
        let newest_ms = state.last.iter().flatten().map(|last| last.at_ms).max().unwrap_or(i64::MIN);
        let known = Known { last: &state.last, newest_ms };
        match (self.when.holds(known), &self.clear_when) {
            (Some(true), _) => Signal::On,
            (Some(false), None) => Signal::Off,
            (None, None) => Signal::Between,
            (_, Some(clear_when)) if clear_when.holds(known) == Some(true) => Signal::Off,
            (_, Some(_)) => Signal::Between,
        }
    }
}

impl ConditionState {
    /// Whether it is of a condition over the same metrics.
    pub fn fits(&self, condition: &Condition) -> bool {
        self.metrics == condition.metrics && self.last.len() == self.metrics.len()
    }

    /// Keeps a reading; false where a later one is kept already.
    pub fn note(&mut self, number: usize, last: Last) -> bool {
        let Some(kept) = self.last.get_mut(number) else { return false };
        if kept.as_ref().is_some_and(|kept| kept.at_ms > last.at_ms) {
            return false;
        }
        *kept = Some(last);
        true
    }

    /// What came, with its metric.
    pub fn readings(&self) -> impl Iterator<Item = (&Arc<str>, &Last)> {
        self.metrics.iter().zip(&self.last).filter_map(|(metric, last)| Some((metric, last.as_ref()?)))
    }

    /// The source's time of the newest reading.
    pub fn newest_ms(&self) -> Option<i64> {
        self.last.iter().flatten().map(|last| last.at_ms).max()
    }
}

#[derive(Clone, Copy)]
struct Known<'a> {
    last: &'a [Option<Last>],
    newest_ms: i64,
}

impl Known<'_> {
    fn last(&self, number: usize) -> Option<&Last> {
        self.last.get(number)?.as_ref()
    }
}

impl Number {
    fn value(&self, known: Known<'_>) -> Option<f64> {
        Some(match self {
            Number::Constant(value) => *value,
            Number::Value(number) => known.last(*number)?.value,
            Number::Age(number) => known.newest_ms.saturating_sub(known.last(*number)?.at_ms) as f64 / 1000.0,
            Number::Negative(number) => -number.value(known)?,
            Number::Calculated(parts) => {
                let (left, operator, right) = (parts.0.value(known)?, parts.1, parts.2.value(known)?);
                match operator {
                    Operator::Plus => left + right,
                    Operator::Minus => left - right,
                    Operator::Times => left * right,
                    Operator::Over => left / right,
                }
            }
            Number::Chosen(parts) => match parts.0.holds(known)? {
                true => parts.1.value(known)?,
                false => parts.2.value(known)?,
            },
        })
    }
}

impl Truth {
    fn holds(&self, known: Known<'_>) -> Option<bool> {
        match self {
            Truth::Constant(truth) => Some(*truth),
            Truth::Known(number) => Some(known.last(*number).is_some()),
            Truth::Compared(parts) => parts.1.holds(parts.0.value(known)?, parts.2.value(known)?),
            Truth::Among(parts) => {
                let value = parts.0.value(known)?;
                let mut is_among = false;
                for number in &parts.1 {
                    is_among |= number.value(known)? == value;
                }
                Some(is_among)
            }
            Truth::Not(truth) => truth.holds(known).map(|truth| !truth),
            Truth::All(truths) => settled(truths, known, false),
            Truth::Any(truths) => settled(truths, known, true),
            Truth::Chosen(parts) => match parts.0.holds(known)? {
                true => parts.1.holds(known),
                false => parts.2.holds(known),
            },
        }
    }
}

/// One of them settles it, whatever is not known of the others.
fn settled(truths: &[Truth], known: Known<'_>, by: bool) -> Option<bool> {
    let mut all = Some(!by);
    for truth in truths {
        match truth.holds(known) {
            Some(truth) if truth == by => return Some(by),
            Some(_) => {}
            None => all = None,
        }
    }
    all
}

impl Relation {
    /// No order is known of what is not a number.
    fn holds(self, left: f64, right: f64) -> Option<bool> {
        match self {
            Relation::Equal => Some(left == right),
            Relation::Unequal => Some(left != right),
            Relation::Less => left.partial_cmp(&right).map(Ordering::is_lt),
            Relation::LessOrEqual => left.partial_cmp(&right).map(Ordering::is_le),
            Relation::Greater => left.partial_cmp(&right).map(Ordering::is_gt),
            Relation::GreaterOrEqual => left.partial_cmp(&right).map(Ordering::is_ge),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(left: Number, relation: Relation, right: f64) -> Truth {
        Truth::Compared(Box::new((left, relation, Number::Constant(right))))
    }

    fn gas_and_air(clear_when: Option<Truth>) -> Condition {
        let gas = compared(Number::Value(0), Relation::Greater, 1.0);
        let air = compared(Number::Value(1), Relation::Less, 19.5);
        Condition::new(vec!["ch4".into(), "o2".into()], Truth::All(vec![gas, air]), clear_when)
    }

    fn said(value: f64, at_ms: i64) -> Last {
        Last { value, unit: None, at_ms }
    }

    #[test]
    fn a_condition_wants_all_that_it_names() {
        let condition = gas_and_air(None);
        let mut state = condition.state();
        assert_eq!(condition.signal(&state), Signal::Between);
        assert!(state.note(0, said(1.4, 1_000)));
        assert_eq!(condition.signal(&state), Signal::Between, "nothing is known of the air");
        assert!(state.note(1, said(19.0, 1_000)));
        assert_eq!(condition.signal(&state), Signal::On);
        assert!(state.note(1, said(20.9, 2_000)));
        assert_eq!(condition.signal(&state), Signal::Off);
    }

    #[test]
    fn an_older_reading_than_the_one_kept_changes_nothing() {
        let condition = gas_and_air(None);
        let mut state = condition.state();
        assert!(state.note(0, said(0.2, 5_000)));
        assert!(!state.note(0, said(1.4, 4_999)));
        assert!(state.note(0, said(0.3, 5_000)));
        assert_eq!(state.readings().map(|(metric, last)| (&**metric, last.value)).collect::<Vec<_>>(), [("ch4", 0.3)]);
        assert_eq!(state.newest_ms(), Some(5_000));
    }

    #[test]
    fn a_clear_condition_keeps_the_alert_between() {
        let condition = gas_and_air(Some(compared(Number::Value(0), Relation::Less, 0.5)));
        let mut state = condition.state();
        let mut judged = |gas, air, at_ms| {
            state.note(0, said(gas, at_ms));
            state.note(1, said(air, at_ms));
            condition.signal(&state)
        };
        assert_eq!(judged(1.4, 19.0, 1), Signal::On);
        assert_eq!(judged(0.8, 20.9, 2), Signal::Between);
        assert_eq!(judged(0.4, 20.9, 3), Signal::Off);
    }

    #[test]
    fn ages_count_to_the_newest_reading() {
        let fresh = compared(Number::Age(0), Relation::Less, 60.0);
        let condition = Condition::new(vec!["a".into(), "b".into()], fresh, None);
        let mut state = condition.state();
        state.note(0, said(1.0, 0));
        state.note(1, said(1.0, 59_999));
        assert_eq!(condition.signal(&state), Signal::On);
        state.note(1, said(1.0, 60_000));
        assert_eq!(condition.signal(&state), Signal::Off);
        state.note(0, said(1.0, i64::MIN));
        state.note(1, said(1.0, i64::MAX));
        assert_eq!(condition.signal(&state), Signal::Off);
    }

    #[test]
    fn what_is_no_number_is_not_known() {
        let quotient = Number::Calculated(Box::new((Number::Value(0), Operator::Over, Number::Value(1))));
        let condition =
            Condition::new(vec!["a".into(), "b".into()], compared(quotient, Relation::GreaterOrEqual, 0.0), None);
        let mut state = condition.state();
        state.note(0, said(0.0, 1));
        state.note(1, said(0.0, 1));
        assert_eq!(condition.signal(&state), Signal::Between);
        state.note(0, said(2.0, 1));
        assert_eq!(condition.signal(&state), Signal::On, "infinity is more than 0");
    }

    #[test]
    fn the_state_survives_a_store_and_fits_the_same_metrics_only() {
        let condition = gas_and_air(None);
        let mut state = condition.state();
        state.note(1, Last { value: 20.9, unit: Some("%VOL".into()), at_ms: 7 });
        let stored = serde_json::to_string(&state).unwrap();
        let restored: ConditionState = serde_json::from_str(&stored).unwrap();
        assert_eq!(restored, state);
        assert!(restored.fits(&condition));
        assert!(!restored.fits(&Condition::new(vec!["ch4".into()], Truth::Constant(true), None)));
    }
}
