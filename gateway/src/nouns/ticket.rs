//! A ticket: the work that an alert asks for, with stage, clock, journal and lamp.

use std::sync::Arc;

use super::{Confidence, Place};
use crate::config::Severity;

#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// Shown as `T-<no>`.
    pub no: u64,
    pub alert: Arc<str>,
    pub rule: Arc<str>,
    pub source: Arc<str>,
    pub fence: Option<Arc<str>>,
    pub title: Arc<str>,
    pub why: Arc<str>,
    pub severity: Severity,
    pub category: Arc<str>,
    pub place: Place,
    /// How likely it is that there is something, where it was asked.
    pub confidence: Option<Confidence>,
    pub stage: Stage,
    /// Who it was last assigned to.
    pub unit: Option<Arc<str>>,
    pub opened_ms: i64,
    /// By when it has to be closed.
    pub due_ms: i64,
    pub closed_ms: Option<i64>,
    /// Whether the alert behind it is over.
    pub alert_cleared: bool,
    /// Entries in its journal; the next one gets this number plus one.
    pub n_journal: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    Reported,
    Accepted,
    Dispatched,
    Resolved,
    Closed,
}

/// Computed from the clock, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lamp {
    Green,
    Yellow,
    Red,
    /// Closed tickets have no lamp lit.
    Off,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    pub ticket: u64,
    /// From 1, without gaps within a ticket.
    pub no: u64,
    pub at_ms: i64,
    /// `outpost` where the gateway did it by itself.
    pub who: Arc<str>,
    /// `opened`, `alert-cleared`, or the name of a move.
    pub what: &'static str,
    pub note: String,
}

/// What an operator asks of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub ticket: u64,
    pub who: Arc<str>,
    pub asked: Move,
    pub note: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    Accept,
    Assign { unit: Arc<str> },
    Resolve,
    Close,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no open ticket T-{0}")]
    NoSuchTicket(u64),
    #[error("a ticket that is {stage} cannot take the move {asked}", stage = stage.as_str())]
    WrongStage { stage: Stage, asked: &'static str },
    #[error("closing a ticket that was not resolved needs a note")]
    NoteMissing,
    #[error("the gateway is stopping")]
    Stopping,
}

impl Ticket {
    /// Red when overdue, yellow when at most `yellow_share` of the time is left.
    pub fn lamp(&self, now_ms: i64, yellow_share: f64) -> Lamp {
        if self.stage == Stage::Closed {
            Lamp::Off
        } else if now_ms > self.due_ms {
            Lamp::Red
        } else if now_ms >= self.yellow_ms(yellow_share) {
            Lamp::Yellow
        } else {
            Lamp::Green
        }
    }

    /// Gateway time at which the lamp turns yellow.
    pub fn yellow_ms(&self, yellow_share: f64) -> i64 {
        let whole_ms = self.due_ms.saturating_sub(self.opened_ms);
        self.due_ms.saturating_sub((whole_ms as f64 * yellow_share) as i64)
    }
}

impl Lamp {
    pub fn as_str(self) -> &'static str {
        match self {
            Lamp::Green => "green",
            Lamp::Yellow => "yellow",
            Lamp::Red => "red",
            Lamp::Off => "off",
        }
    }
}

impl Stage {
    pub const ALL: [Stage; 5] = [Stage::Reported, Stage::Accepted, Stage::Dispatched, Stage::Resolved, Stage::Closed];

    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Reported => "reported",
            Stage::Accepted => "accepted",
            Stage::Dispatched => "dispatched",
            Stage::Resolved => "resolved",
            Stage::Closed => "closed",
        }
    }

    pub fn parse(text: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

impl Move {
    pub fn name(&self) -> &'static str {
        match self {
            Move::Accept => "accept",
            Move::Assign { .. } => "assign",
            Move::Resolve => "resolve",
            Move::Close => "close",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lamp_goes_green_yellow_red_with_the_clock_and_off_at_the_end() {
        let mut ticket = Ticket {
            no: 1,
            alert: "A-1".into(),
            rule: "r".into(),
            source: "s".into(),
            fence: None,
            title: "t".into(),
            why: "w".into(),
            severity: Severity::Minor,
            category: "c".into(),
            place: Place::default(),
            confidence: None,
            stage: Stage::Reported,
            unit: None,
            opened_ms: 1_000,
            due_ms: 5_000,
            closed_ms: None,
            alert_cleared: false,
            n_journal: 1,
        };
        let lamps = [1_000, 3_999, 4_000, 5_000, 5_001].map(|now_ms| ticket.lamp(now_ms, 0.25));
        assert_eq!(lamps, [Lamp::Green, Lamp::Green, Lamp::Yellow, Lamp::Yellow, Lamp::Red]);
        ticket.stage = Stage::Closed;
        assert_eq!(ticket.lamp(9_000, 0.25), Lamp::Off);
    }
}
