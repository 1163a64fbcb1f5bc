//! What is written of a change to a ticket: the ticket as it then is, its journal entry, and who hears of it.

use std::sync::Arc;

use super::{Desk, Effect, Entry, Live, SELF};
use crate::nouns::{JournalEntry, Passage, Standing, Ticket, Told};

impl Desk {
    /// Writes one journal entry with the ticket as it then is, and lets receivers hear of it.
    pub(super) fn record(
        &mut self,
        ticket: Ticket,
        entry: Entry<'_>,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) -> Arc<Ticket> {
        let to = self.receivers.of(&ticket, &self.centres, now_ms);
        self.record_to(ticket, entry, to, now_ms, effects)
    }

    pub(super) fn record_to(
        &mut self,
        mut ticket: Ticket,
        entry: Entry<'_>,
        to: Vec<Told>,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) -> Arc<Ticket> {
        let Entry { who, what, note, kind } = entry;
        ticket.n_journal += 1;
        if ticket.stage.standing() < Standing::Open {
            ticket.call = None;
        }
        effects.extend(self.passage(&ticket, who, now_ms).map(Effect::Passage));
        let ticket = Arc::new(ticket);
        let (no, journal) = (ticket.no, ticket.n_journal);
        effects.push(Effect::Ticket(ticket.clone()));
        effects.push(Effect::Journal(JournalEntry {
            ticket: no,
            no: journal,
            at_ms: now_ms,
            who: who.into(),
            what,
            note,
        }));
        effects.push(Effect::Tell { ticket: ticket.clone(), journal, kind, to });
        self.keep(ticket.clone());
        let Some(note) = self.classes.hear(&ticket, now_ms, effects) else { return ticket };
        let entry = Entry { who: SELF, what: "class-case", note, kind: "outpost.ticket.class-case" };
        self.record(Ticket::clone(&ticket), entry, now_ms, effects)
    }

    /// Where the ticket is in another stage than before.
    fn passage(&self, ticket: &Ticket, who: &str, at_ms: i64) -> Option<Passage> {
        let before = &self.live.get(&ticket.no)?.ticket;
        (before.stage != ticket.stage).then(|| Passage {
            ticket: ticket.no,
            no: ticket.n_journal,
            from: before.stage,
            to: ticket.stage,
            at_ms,
            due_ms: before.step.map(|step| step.due_ms),
            whole_due_ms: before.whole.due_ms,
            who: who.into(),
            is_force_majeure: ticket.is_force_majeure,
            unit: ticket.unit.clone().or_else(|| before.unit.clone()),
        })
    }

    /// A change of which no journal tells.
    pub(super) fn update(&mut self, ticket: Ticket, effects: &mut Vec<Effect>) -> Arc<Ticket> {
        let ticket = Arc::new(ticket);
        effects.push(Effect::Ticket(ticket.clone()));
        self.keep(ticket.clone());
        ticket
    }

    /// The ticket as it is now, with its timer; forgotten where no move is left.
    pub(super) fn keep(&mut self, ticket: Arc<Ticket>) {
        let no = ticket.no;
        let is_open = |ticket: &Ticket| usize::from(ticket.stage.standing() == Standing::Open);
        if let Some(old) = self.live.remove(&no) {
            self.n_open -= is_open(&old.ticket);
            old.timer_ms.map(|at_ms| self.timers.remove(&(at_ms, no)));
            self.bookings.change(Some(&old.ticket), &ticket);
        } else {
            self.bookings.change(None, &ticket);
        }
        if ticket.stage.standing() == Standing::Ended {
            return;
        }
        let timer_ms = self.timer_ms(&ticket);
        timer_ms.map(|at_ms| self.timers.insert((at_ms, no)));
        self.n_open += is_open(&ticket);
        self.live.insert(no, Live { ticket, timer_ms });
    }
}
