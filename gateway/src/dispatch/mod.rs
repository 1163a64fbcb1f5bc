//! Desk: alerts to tickets, stages, clocks. Pure: no clock, lock, await or store; knows nothing of how anything is
//! sent or stored. One ticket per alert for now.

mod stages;

use std::collections::HashMap;
use std::sync::Arc;

use crate::config;
use crate::nouns::{
    Alert, Cleared, Command, Confidence, Joined, JournalEntry, Looked, Move, Place, Refusal, Stage, Ticket,
};

/// Who the gateway is in a journal.
pub const SELF: &str = "outpost";

/// What must be committed, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A new ticket, or a ticket as it is now.
    Ticket(Arc<Ticket>),
    Journal(JournalEntry),
    /// Receivers have to hear of this journal entry.
    Tell {
        ticket: Arc<Ticket>,
        journal: u64,
        kind: &'static str,
    },
}

#[derive(Debug)]
pub struct Desk {
    clock: config::Clock,
    /// Every ticket that is not closed.
    open: HashMap<u64, Arc<Ticket>>,
    by_alert: HashMap<Arc<str>, u64>,
    next_no: u64,
}

impl Desk {
    /// A desk as the store remembers it: the tickets not closed, and the highest number ever given.
    pub fn restore(desk: &config::Desk, open: Vec<Ticket>, last_no: u64) -> Self {
        let mut by_alert = HashMap::new();
        let mut tickets = HashMap::new();
        for ticket in open {
            by_alert.insert(ticket.alert.clone(), ticket.no);
            tickets.insert(ticket.no, Arc::new(ticket));
        }
        Desk { clock: desk.clock.clone(), open: tickets, by_alert, next_no: last_no + 1 }
    }

    pub fn n_open(&self) -> usize {
        self.open.len()
    }

    pub fn alert_opened(&mut self, alert: &Alert, now_ms: i64, effects: &mut Vec<Effect>) {
        if self.by_alert.contains_key(&alert.id) {
            return;
        }
        let no = self.next_no;
        self.next_no += 1;
        let ticket = Ticket {
            no,
            alert: alert.id.clone(),
            rule: alert.key.rule.clone(),
            source: alert.key.source.clone(),
            fence: alert.key.fence.clone(),
            title: alert.name.clone(),
            why: alert.why.text.as_str().into(),
            severity: alert.severity,
            category: alert.category.clone(),
            place: alert.place.clone(),
            confidence: alert.confidence.clone(),
            stage: Stage::Reported,
            unit: None,
            opened_ms: now_ms,
            due_ms: now_ms.saturating_add(self.clock.span(alert.severity).ms()),
            closed_ms: None,
            alert_cleared: false,
            n_journal: 0,
        };
        self.by_alert.insert(alert.id.clone(), no);
        self.record(ticket, SELF.into(), "opened", alert.why.text.clone(), "outpost.ticket.opened", now_ms, effects);
    }

    /// Another camera sees what a ticket is of: the place is that of both together.
    pub fn alert_joined(&mut self, joined: &Joined, now_ms: i64, effects: &mut Vec<Effect>) {
        let Some(ticket) = self.by_alert.get(&joined.id).and_then(|no| self.open.get(no)) else { return };
        let place = match &joined.place {
            Some(place) => Place { name: ticket.place.name.clone(), ..place.clone() },
            None => ticket.place.clone(),
        };
        let error = place.sight.as_ref().and_then(|sight| sight.error);
        let sure = error.map(|error| format!(", ± {:.0} by {:.0} m", error.major_m, error.minor_m));
        let note = format!("also seen by {}{}", joined.source, sure.unwrap_or_default());
        let ticket = Ticket { place, ..Ticket::clone(ticket) };
        self.record(ticket, SELF.into(), "also-seen", note, "outpost.ticket.also-seen", now_ms, effects);
    }

    /// A visible camera was looked through for what a ticket is of. How sure it is now; none where nobody works on it any more.
    pub fn alert_looked(&mut self, looked: &Looked, now_ms: i64, effects: &mut Vec<Effect>) -> Option<Confidence> {
        let ticket = self.by_alert.get(&looked.alert).and_then(|no| self.open.get(no))?;
        let before = ticket.confidence.clone()?;
        let confidence = before.after(looked);
        let percent = |confidence: &Confidence| (confidence.share * 100.0).round();
        let note = format!("{}; confidence {} %, was {} %", confidence.why, percent(&confidence), percent(&before));
        let ticket = Ticket { confidence: Some(confidence.clone()), ..Ticket::clone(ticket) };
        self.record(ticket, SELF.into(), "looked", note, "outpost.ticket.looked", now_ms, effects);
        Some(confidence)
    }

    pub fn alert_cleared(&mut self, cleared: &Cleared, now_ms: i64, effects: &mut Vec<Effect>) {
        let Some(ticket) = self.by_alert.get(&cleared.id).and_then(|no| self.open.get(no)) else { return };
        if ticket.alert_cleared {
            return;
        }
        let ticket = Ticket { alert_cleared: true, ..Ticket::clone(ticket) };
        let kind = "outpost.ticket.alert-cleared";
        self.record(ticket, SELF.into(), "alert-cleared", cleared.why.clone(), kind, now_ms, effects);
    }

    pub fn command(
        &mut self,
        command: &Command,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) -> Result<Arc<Ticket>, Refusal> {
        let ticket = self.open.get(&command.ticket).ok_or(Refusal::NoSuchTicket(command.ticket))?;
        let asked = command.asked.name();
        let stage =
            stages::after(ticket.stage, &command.asked).ok_or(Refusal::WrongStage { stage: ticket.stage, asked })?;
        if stage == Stage::Closed && ticket.stage != Stage::Resolved && command.note.trim().is_empty() {
            return Err(Refusal::NoteMissing);
        }
        let mut ticket = Ticket { stage, ..Ticket::clone(ticket) };
        let mut note = command.note.clone();
        if let Move::Assign { unit } = &command.asked {
            note = if note.is_empty() { format!("to {unit}") } else { format!("to {unit}: {note}") };
            ticket.unit = Some(unit.clone());
        }
        ticket.closed_ms = (stage == Stage::Closed).then_some(now_ms);
        let kind = stages::told_as(&command.asked);
        Ok(self.record(ticket, command.who.clone(), asked, note, kind, now_ms, effects))
    }

    /// Writes one journal entry with the ticket as it then is, and lets receivers hear of it.
    #[expect(clippy::too_many_arguments, reason = "one private writer for all journal entries")]
    fn record(
        &mut self,
        mut ticket: Ticket,
        who: Arc<str>,
        what: &'static str,
        note: String,
        kind: &'static str,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) -> Arc<Ticket> {
        ticket.n_journal += 1;
        let ticket = Arc::new(ticket);
        let journal = ticket.n_journal;
        effects.push(Effect::Ticket(ticket.clone()));
        effects.push(Effect::Journal(JournalEntry { ticket: ticket.no, no: journal, at_ms: now_ms, who, what, note }));
        effects.push(Effect::Tell { ticket: ticket.clone(), journal, kind });
        if ticket.stage == Stage::Closed {
            self.open.remove(&ticket.no);
            self.by_alert.remove(&ticket.alert);
        } else {
            self.open.insert(ticket.no, ticket.clone());
        }
        ticket
    }
}

impl config::Clock {
    pub(crate) fn span(&self, severity: config::Severity) -> config::Span {
        match severity {
            config::Severity::Minor => self.minor,
            config::Severity::Moderate => self.moderate,
            config::Severity::Severe => self.severe,
            config::Severity::Extreme => self.extreme,
        }
    }
}

#[cfg(test)]
mod tests;
