//! How limits run: from a limit and a beginning to the instants at which the lamp changes, on the desk's calendar. What is
//! promised stays promised: a clock keeps its instants until it is stopped, extended or begun anew.

use std::sync::Arc;

use outpost_fences::track::calendar::{Calendar, Schedule};

use crate::config::pattern::SourcePattern;
use crate::config::{self, Limit, Span, StageLimits};
use crate::nouns::{Clock, Runs, Stage, Ticket};

/// The desk's calendar, where it has one.
pub(super) fn desk_days(config: &config::Config) -> Option<Arc<Calendar>> {
    let calendar = config.calendars.iter().find(|calendar| Some(&calendar.id) == config.desk.calendar.as_ref())?;
    Calendar::new(&calendar.zone, &calendar.holidays, &calendar.workdays).ok().map(Arc::new)
}

#[derive(Debug)]
pub(super) struct Clocks {
    /// Working hours; day and night where the desk has no calendar.
    hours: Option<Schedule>,
    yellow_share: f64,
    by_severity: config::Clock,
    by_category: Vec<(Option<SourcePattern>, Option<Limit>, StageLimits)>,
    raise_after: Limit,
    archive_after: Span,
}

impl Clocks {
    /// Of a checked configuration.
    pub(super) fn new(config: &config::Config) -> Clocks {
        let desk = &config.desk;
        let hours = desk_days(config).and_then(|days| Schedule::new(days, &desk.hours).ok());
        let entry = |entry: &config::CategoryLimits| {
            (SourcePattern::parse(&entry.category).ok(), entry.whole, entry.stages.clone())
        };
        Clocks {
            hours,
            yellow_share: desk.yellow_share,
            by_severity: desk.clock.clone(),
            by_category: desk.limits.iter().map(entry).collect(),
            raise_after: desk.raise_after,
            archive_after: desk.archive_after,
        }
    }

    /// A clock for the whole of a ticket that begins now.
    pub(super) fn whole(&self, severity: config::Severity, category: &str, now_ms: i64) -> Clock {
        let limit = self.entry(category).and_then(|(_, whole, _)| *whole);
        self.begin(limit.unwrap_or(Limit::Urgent(self.by_severity.span(severity))), now_ms)
    }

    /// A clock for a stage that a ticket comes to now, where it has one.
    pub(super) fn step(&self, category: &str, stage: Stage, now_ms: i64) -> Option<Clock> {
        let (_, _, stages) = self.entry(category)?;
        let limit = match stage {
            Stage::Suspected => stages.suspected,
            Stage::Reported => stages.reported,
            Stage::Accepted => stages.accepted,
            Stage::Filed => stages.filed,
            Stage::Dispatched => stages.dispatched,
            Stage::Signed => stages.signed,
            Stage::Handling => stages.handling,
            Stage::FedBack => stages.fed_back,
            Stage::Verified => stages.verified,
            _ => None,
        };
        limit.map(|limit| self.begin(limit, now_ms))
    }

    fn entry(&self, category: &str) -> Option<&(Option<SourcePattern>, Option<Limit>, StageLimits)> {
        let fits = |pattern: &SourcePattern| pattern.as_str() == "#" || pattern.matches(category);
        self.by_category.iter().find(|(pattern, _, _)| pattern.as_ref().is_some_and(fits))
    }

    fn begin(&self, limit: Limit, now_ms: i64) -> Clock {
        let runs = match limit {
            Limit::Urgent(_) | Limit::CalendarDays(_) => Runs::Always,
            Limit::Working(_) | Limit::WorkingDays(_) => Runs::Working,
        };
        let due_ms = self.after(limit, now_ms);
        let clock = Clock { runs, budget_ms: 0, yellow_ms: due_ms, due_ms, left_ms: None, n_told: 0 };
        let budget_ms = self.between(runs, now_ms, due_ms);
        self.set(Clock { budget_ms, ..clock }, budget_ms, now_ms)
    }

    /// The clock stands.
    pub(super) fn stop(&self, clock: &mut Clock, now_ms: i64) {
        if clock.left_ms.is_none() {
            clock.left_ms = Some(self.between(clock.runs, now_ms, clock.due_ms));
        }
    }

    /// It goes on with the time that was left.
    pub(super) fn resume(&self, clock: &mut Clock, now_ms: i64) {
        let Some(left_ms) = clock.left_ms.take() else { return };
        *clock = self.set(*clock, left_ms, now_ms);
    }

    /// More time, at its end. What is overdue has the more time from its end, too.
    pub(super) fn extend(&self, clock: &mut Clock, limit: Limit, now_ms: i64) {
        let due_ms = self.after(limit, clock.due_ms);
        clock.budget_ms = clock.budget_ms.saturating_add(self.between(clock.runs, clock.due_ms, due_ms));
        let left_ms = self.between(clock.runs, now_ms, due_ms);
        *clock = Clock { n_told: 0, ..self.set(*clock, left_ms, now_ms) };
    }

    /// When a red lamp brings a ticket one level up, for the `n`th time.
    pub(super) fn raise_ms(&self, clock: &Clock, n: u32) -> i64 {
        (0..n).fold(clock.due_ms, |at_ms, _| self.after(self.raise_after, at_ms))
    }

    pub(super) fn archive_ms(&self, ticket: &Ticket) -> Option<i64> {
        ticket.closed_ms.map(|closed_ms| closed_ms.saturating_add(self.archive_after.ms()))
    }

    /// Where the lamp changes when so much running time is left. What is overdue stays so for as long as it was.
    fn set(&self, clock: Clock, left_ms: i64, now_ms: i64) -> Clock {
        let last_ms = (clock.budget_ms as f64 * self.yellow_share) as i64;
        let at_ms = |running_ms: i64| self.forward(clock.runs, now_ms, running_ms);
        let due_ms = if left_ms < 0 { now_ms.saturating_add(left_ms) } else { at_ms(left_ms) };
        Clock { yellow_ms: at_ms(left_ms - last_ms).min(due_ms), due_ms, left_ms: None, ..clock }
    }

    /// The end of a limit that begins then.
    fn after(&self, limit: Limit, from_ms: i64) -> i64 {
        match (limit, &self.hours) {
            (Limit::Urgent(span), _) => from_ms.saturating_add(span.ms()),
            (Limit::Working(span), _) => self.forward(Runs::Working, from_ms, span.ms()),
            (Limit::WorkingDays(n), Some(hours)) => hours.end_of_duty_ms(from_ms, n),
            (Limit::CalendarDays(n), Some(hours)) => hours.calendar().end_of_day_ms(from_ms, n),
            (Limit::WorkingDays(n) | Limit::CalendarDays(n), None) => from_ms.saturating_add(i64::from(n) * 86_400_000),
        }
    }

    fn forward(&self, runs: Runs, from_ms: i64, running_ms: i64) -> i64 {
        match (runs, &self.hours) {
            (Runs::Working, Some(hours)) => hours.after_on_ms(from_ms, running_ms),
            _ => from_ms.saturating_add(running_ms.max(0)),
        }
    }

    fn between(&self, runs: Runs, from_ms: i64, to_ms: i64) -> i64 {
        match (runs, &self.hours) {
            (Runs::Working, Some(hours)) => hours.on_between_ms(from_ms, to_ms),
            _ => to_ms.saturating_sub(from_ms),
        }
    }
}
