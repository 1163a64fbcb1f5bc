//! Officers as the desk knows them: the last fix of each, and the tickets that each has at hand. One is never sent to more of
//! them at a time than the configuration allows, whoever asks and in whatever order.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::moves::Moving;
use super::roster::{Officer, Roster};
use super::{Desk, Effect, Entry, table};
use crate::config::Config;
use crate::nouns::{Field, Fix, Located, Move, Refusal, Said, SaidDuty, Ticket};

/// Tickets of one plan.
const WAITING_MAX: usize = 100;

#[derive(Debug)]
pub(super) struct Bookings {
    pub(super) roster: Roster,
    fixes: HashMap<Arc<str>, Fix>,
    pub(super) duties: HashMap<Arc<str>, SaidDuty>,
    at_hand: HashMap<Arc<str>, BTreeSet<u64>>,
}

impl Bookings {
    pub(super) fn new(config: &Config, fixes: Vec<(Arc<str>, Fix)>, duties: Vec<(Arc<str>, SaidDuty)>) -> Bookings {
        let roster = Roster::new(config);
        let fixes = fixes.into_iter().filter(|(officer, _)| roster.get(officer).is_some()).collect();
        Bookings { roster, fixes, duties: duties.into_iter().collect(), at_hand: HashMap::new() }
    }

    /// By their hours and by what they said themselves.
    pub(super) fn is_on_duty(&self, officer: &Officer, at_ms: i64) -> bool {
        officer.is_on_duty(self.duties.get(&officer.id), at_ms)
    }

    /// What a ticket was before, and what it is now.
    pub(super) fn change(&mut self, before: Option<&Ticket>, now: &Ticket) {
        if let Some(officer) = before.and_then(Ticket::booked) {
            let is_last = self.at_hand.get_mut(officer).is_some_and(|tickets| {
                tickets.remove(&now.no);
                tickets.is_empty()
            });
            if is_last {
                self.at_hand.remove(officer);
            }
        }
        if let Some(officer) = now.booked() {
            self.at_hand.entry(officer.clone()).or_default().insert(now.no);
        }
    }

    /// Whether an officer may have one more ticket, or this one still.
    pub(super) fn has_room(&self, officer: &str, no: u64) -> Result<(), Refusal> {
        let Some(tickets) = self.at_hand.get(officer) else { return Ok(()) };
        let others: Vec<String> =
            tickets.iter().filter(|other| **other != no).map(|other| format!("T-{other}")).collect();
        if others.len() < self.roster.limits.tickets_max {
            return Ok(());
        }
        Err(Refusal::Booked { officer: officer.into(), tickets: others.join(", ") })
    }

    /// Whether what a command says of an officer can be, and whether who moves a ticket is whom it was given to.
    pub(super) fn check(
        &self,
        ticket: &Ticket,
        asked: Move,
        who: &Arc<str>,
        said: &Said,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        if let Some(id) = &said.officer {
            let officer = self.roster.get(id).ok_or_else(|| Refusal::NoOfficer(id.clone()))?;
            if let Some(unit) = said.unit.as_ref().filter(|unit| **unit != officer.unit) {
                return Err(Refusal::OtherUnit { officer: id.clone(), unit: unit.clone() });
            }
            if !ticket.is_emergency && !self.is_on_duty(officer, now_ms) {
                return Err(Refusal::OffDuty(id.clone()));
            }
            self.has_room(id, ticket.no)?;
        }
        let is_work = matches!(asked, Move::Sign | Move::Start | Move::FeedBack | Move::Return | Move::Dispute);
        match ticket.booked().filter(|officer| is_work && *officer != who) {
            Some(officer) => Err(Refusal::NotTheirs { who: who.clone(), asked, officer: officer.clone() }),
            None => Ok(()),
        }
    }
}

impl Desk {
    /// A source said where it is. Who is off duty is not followed.
    pub fn located(&mut self, located: &Located, effects: &mut Vec<Effect>) {
        let Located { source, fix } = located;
        let Bookings { roster, fixes, duties, .. } = &mut self.bookings;
        let is_on_duty = |officer: &&Officer| officer.is_on_duty(duties.get(&officer.id), fix.at_ms);
        let Some(officer) = roster.of_terminal(source).filter(is_on_duty) else { return };
        let every_ms = roster.limits.position_every.ms();
        if fixes.get(&officer.id).is_some_and(|last| fix.at_ms < last.at_ms.saturating_add(every_ms)) {
            return;
        }
        fixes.insert(officer.id.clone(), *fix);
        effects.push(Effect::Fix { officer: officer.id.clone(), fix: *fix });
    }

    /// The gateway takes back what was not signed within its lease. Who dispatched it had heard of it, and counted on somebody
    /// who did not answer: calls begin anew.
    pub(super) fn recall(&mut self, ticket: &Ticket, officer: &str, now_ms: i64, effects: &mut Vec<Effect>) {
        let Some(row) = table::row(ticket, Move::Recall) else { return };
        let mut changed = ticket.clone();
        changed.counts.unanswered += 1;
        (changed.officer, changed.unit) = (None, None);
        let moving = Moving { clocks: &self.clocks, centres: &self.centres, bookings: &self.bookings, now_ms };
        moving.enter(&mut changed, row);
        changed.call = self.calls.begin(&changed, &self.centres, now_ms);
        let note = format!("from {officer}: no answer");
        self.record(changed, Entry::own(Move::Recall, note), now_ms, effects);
    }

    /// Officers and waiting tickets as they are now.
    pub fn field(&self) -> Field {
        let waits = |ticket: &&Arc<Ticket>| table::row(ticket, Move::Dispatch).is_some();
        let mut waiting: Vec<Arc<Ticket>> =
            self.live.values().map(|live| &live.ticket).filter(waits).cloned().collect();
        waiting.sort_by_key(|ticket| (std::cmp::Reverse(ticket.severity), ticket.whole.due_ms, ticket.no));
        let n_more = waiting.len().saturating_sub(WAITING_MAX);
        waiting.truncate(WAITING_MAX);
        let at_hand = self.bookings.at_hand.iter().map(|(officer, tickets)| (officer.clone(), tickets.len()));
        Field {
            fixes: self.bookings.fixes.clone(),
            duties: self.bookings.duties.clone(),
            at_hand: at_hand.collect(),
            waiting,
            n_more,
        }
    }
}
