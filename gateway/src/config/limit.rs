//! A limit of work in one of the four units of district centres: urgent hours (round the clock), working hours, working
//! days, calendar days.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::Span;

/// Most days that a limit has, and most hours of work: the calendar is walked from the beginning of each to its end.
const DAYS_MAX: u32 = 1_000;
const WORKING_HOURS_MAX: i64 = 5_000;

/// How long something may take. Written `30m`, `6h` or `6 urgent hours`; `4 working hours`, `30 working minutes`;
/// `3 working days`; `7 calendar days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Runs day and night (紧急工作时).
    Urgent(Span),
    /// Runs in the desk's hours only (工作时).
    Working(Span),
    /// Ends with the desk's hours on the n-th working day after the one on which it begins (工作日).
    WorkingDays(u32),
    /// Ends with the n-th day after the one on which it begins (自然日).
    CalendarDays(u32),
}

impl Limit {
    pub fn parse(text: &str) -> Option<Limit> {
        let text = text.trim();
        if let Some(span) = Span::parse(text) {
            return (span.ms() > 0).then_some(Limit::Urgent(span));
        }
        let mut words = text.split_ascii_whitespace();
        let (n, kind, unit) = (words.next()?.parse::<u32>().ok()?, words.next()?, words.next()?);
        if words.next().is_some() || n == 0 {
            return None;
        }
        let days = (n <= DAYS_MAX).then_some(n);
        let span = |unit: &str| Span::parse(&format!("{n}{unit}"));
        let working = |unit: &str| span(unit).filter(|span| span.ms() <= WORKING_HOURS_MAX * 3_600_000);
        match (kind, unit.trim_end_matches('s')) {
            ("urgent", "hour") => span("h").map(Limit::Urgent),
            ("urgent", "minute") => span("m").map(Limit::Urgent),
            ("working", "hour") => working("h").map(Limit::Working),
            ("working", "minute") => working("m").map(Limit::Working),
            ("working", "day") => days.map(Limit::WorkingDays),
            ("calendar", "day") => days.map(Limit::CalendarDays),
            _ => None,
        }
    }

    /// Whether it is counted on a calendar.
    pub fn needs_calendar(self) -> bool {
        !matches!(self, Limit::Urgent(_))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = |f: &mut fmt::Formatter<'_>, span: Span, kind: &str| {
            let minutes = span.ms() / 60_000;
            match (span.ms() % 60_000, minutes % 60) {
                (0, 0) => write!(f, "{} {kind} hours", minutes / 60),
                (0, _) => write!(f, "{minutes} {kind} minutes"),
                _ => write!(f, "{}ms", span.ms()),
            }
        };
        match self {
            Limit::Urgent(long) => span(f, *long, "urgent"),
            Limit::Working(long) => span(f, *long, "working"),
            Limit::WorkingDays(n) => write!(f, "{n} working days"),
            Limit::CalendarDays(n) => write!(f, "{n} calendar days"),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Limit::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is not a limit such as \"30m\", \"6 urgent hours\", \"4 working hours\", \"3 working days\" or \
                 \"7 calendar days\" (at most 1000 days or 5000 working hours)"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_in_four_units_and_written_as_they_are_read() {
        let hours = |n: i64| Span::from_ms(n * 3_600_000);
        for (text, limit, again) in [
            ("6h", Limit::Urgent(hours(6)), "6 urgent hours"),
            ("90m", Limit::Urgent(Span::from_ms(5_400_000)), "90 urgent minutes"),
            ("1500ms", Limit::Urgent(Span::from_ms(1_500)), "1500ms"),
            ("6 urgent hours", Limit::Urgent(hours(6)), "6 urgent hours"),
            ("1 working hour", Limit::Working(hours(1)), "1 working hours"),
            ("30 working minutes", Limit::Working(Span::from_ms(1_800_000)), "30 working minutes"),
            (" 3  working days ", Limit::WorkingDays(3), "3 working days"),
            ("7 calendar days", Limit::CalendarDays(7), "7 calendar days"),
        ] {
            assert_eq!(Limit::parse(text), Some(limit), "{text}");
            assert_eq!(limit.to_string(), again);
            assert_eq!(Limit::parse(again), Some(limit), "{again}");
        }
        for text in [
            "",
            "6",
            "0h",
            "0 working days",
            "-1 working days",
            "3 days",
            "4000 calendar days",
            "5001 working hours",
            "1 working week",
            "3 working days more",
            "99999999 working hours",
        ] {
            assert_eq!(Limit::parse(text), None, "{text}");
        }
    }
}
