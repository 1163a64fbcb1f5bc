//! Which receivers hear of a ticket, and when: by centre, severity, category and quiet hours.

use std::sync::Arc;

use outpost_fences::track::calendar::Schedule;

use super::centres::Centres;
use super::clocks::desk_days;
use crate::config::pattern::SourcePattern;
use crate::config::{Config, Hears, Severity};
use crate::nouns::{Ticket, Told};

#[derive(Debug)]
pub(super) struct Receivers {
    list: Vec<Receiver>,
}

#[derive(Debug)]
struct Receiver {
    id: Arc<str>,
    hears: Hears,
    from_severity: Severity,
    /// All where there are none.
    centres: Vec<Arc<str>>,
    categories: Vec<SourcePattern>,
    quiet: Option<Schedule>,
    breaks_quiet_from: Severity,
}

impl Receivers {
    /// Of a checked configuration.
    pub(super) fn new(config: &Config) -> Receivers {
        let days = desk_days(config);
        let receiver = |receiver: &crate::config::Receiver| {
            let patterns = receiver.categories.iter().filter_map(|text| SourcePattern::parse(text).ok());
            let is_quiet_at_times = !receiver.quiet.is_empty();
            let days = days.clone().filter(|_| is_quiet_at_times);
            Receiver {
                id: receiver.id.as_str().into(),
                hears: receiver.hears,
                from_severity: receiver.from_severity,
                centres: receiver.centres.iter().map(|centre| centre.as_str().into()).collect(),
                categories: patterns.collect(),
                quiet: days.and_then(|days| Schedule::new(days, &receiver.quiet).ok()),
                breaks_quiet_from: receiver.breaks_quiet_from,
            }
        };
        Receivers { list: config.receivers.iter().map(receiver).collect() }
    }

    /// Who hears of each entry of a ticket's journal.
    pub(super) fn of(&self, ticket: &Ticket, centres: &Centres, now_ms: i64) -> Vec<Told> {
        let hear = self.list.iter().filter(|receiver| receiver.hears == Hears::All && receiver.wants(ticket, centres));
        let told =
            |receiver: &Receiver| Told { receiver: receiver.id.clone(), from_ms: receiver.awake_ms(ticket, now_ms) };
        hear.map(told).collect()
    }

    /// From when on a receiver may be disturbed about a ticket: now, or when its quiet hours end.
    pub(super) fn awake_ms(&self, id: &str, ticket: &Ticket, now_ms: i64) -> i64 {
        let receiver = self.list.iter().find(|receiver| &*receiver.id == id);
        receiver.map_or(now_ms, |receiver| receiver.awake_ms(ticket, now_ms))
    }
}

impl Receiver {
    /// Of private matters only who names their category hears. Of emergencies all hear whose centre it is, or is above it. Whose it was first hears of a ticket to its end.
    fn wants(&self, ticket: &Ticket, centres: &Centres) -> bool {
        let is_of = |centre: &str| self.centres.iter().any(|own| &**own == centre);
        if ticket.is_emergency && !ticket.is_private {
            return self.centres.is_empty() || centres.upwards(&ticket.centre).any(|(id, _)| is_of(id));
        }
        let fits = |pattern: &SourcePattern| pattern.as_str() == "#" || pattern.matches(&ticket.category);
        if ticket.is_private && !self.categories.iter().any(|pattern| pattern.as_str() != "#" && fits(pattern)) {
            return false;
        }
        ticket.severity >= self.from_severity
            && (self.centres.is_empty() || is_of(&ticket.centre) || ticket.lead.as_deref().is_some_and(is_of))
            && (self.categories.is_empty() || self.categories.iter().any(fits))
    }

    fn awake_ms(&self, ticket: &Ticket, now_ms: i64) -> i64 {
        if ticket.is_emergency || ticket.severity >= self.breaks_quiet_from {
            return now_ms;
        }
        match &self.quiet {
            Some(quiet) if quiet.is_on(now_ms) => quiet.next_change_ms(now_ms).unwrap_or(now_ms),
            _ => now_ms,
        }
    }
}
