//! What the desk does by itself when its time has come: calls, leases that end, lamps that turned red, the archive.

use std::sync::Arc;

use super::{Desk, ELAPSE_MAX, Effect, Entry, SELF};
use crate::nouns::{Clock, Move, Stage, Standing, Ticket};

impl Desk {
    /// Does by itself what is due: supervises what turned red, brings it a level up, archives what was closed long ago.
    pub fn elapse(&mut self, now_ms: i64, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.has_to_look) {
            self.release(now_ms, effects);
        }
        while let Some(silence) = self.mutes.take_over(SELF, now_ms) {
            effects.push(Effect::Silence(silence));
            self.release(now_ms, effects);
        }
        while let Some(order) = self.mutes.works.take_over(SELF, now_ms) {
            effects.push(Effect::Work(order));
            self.release(now_ms, effects);
        }
        while let Some(no) = self.storms.take_over(now_ms) {
            self.end_storm(no, now_ms, effects);
        }
        for _ in 0..ELAPSE_MAX {
            let Some((at_ms, no)) = self.timers.first().copied().filter(|(at_ms, _)| *at_ms <= now_ms) else { return };
            match self.live.get(&no).map(|live| live.ticket.clone()) {
                Some(ticket) => self.act(&ticket, now_ms, effects),
                None => {
                    self.timers.remove(&(at_ms, no));
                }
            }
        }
    }

    fn act(&mut self, ticket: &Arc<Ticket>, now_ms: i64, effects: &mut Vec<Effect>) {
        if let Some(call) = ticket.call.as_ref().filter(|call| call.next_ms <= now_ms) {
            return self.ring(ticket, call, now_ms, effects);
        }
        let mut changed = Ticket::clone(ticket);
        if ticket.stage.standing() == Standing::Settled {
            changed.stage = Stage::Archived;
            self.record(changed, Entry::own(Move::Archive, String::new()), now_ms, effects);
            return;
        }
        if let Some(officer) = ticket.officer.clone().filter(|_| ticket.lease_ms.is_some_and(|at_ms| at_ms <= now_ms)) {
            self.recall(ticket, &officer, now_ms, effects);
            return;
        }
        let untold = |clock: &Clock| clock.n_told == 0 && now_ms > clock.due_ms;
        let stage = ticket.stage.as_str();
        let (clock, note) = match &mut changed.step {
            _ if untold(&changed.whole) => (&mut changed.whole, "overdue".to_owned()),
            Some(step) if untold(step) => (step, format!("overdue as {stage}")),
            step => {
                let Some(above) = self.centres.above(&ticket.centre).cloned() else { return };
                let is_step = earliest_told(ticket).is_some_and(|clock| Some(clock) == ticket.step.as_ref());
                let clock = step.as_mut().filter(|_| is_step).unwrap_or(&mut changed.whole);
                clock.n_told += 1;
                changed.counts.escalated += 1;
                let note = format!("to {above}: still overdue");
                changed.centre = above;
                changed.call = self.calls.begin(&changed, &self.centres, now_ms);
                self.record(changed, Entry::own(Move::Escalate, note), now_ms, effects);
                return;
            }
        };
        clock.n_told = 1;
        changed.counts.supervised += 1;
        self.record(changed, Entry::own(Move::Supervise, note), now_ms, effects);
    }

    /// When something is to be done about a ticket by itself.
    pub(super) fn timer_ms(&self, ticket: &Ticket) -> Option<i64> {
        if ticket.stage.standing() == Standing::Settled {
            return self.clocks.archive_ms(ticket);
        }
        let untold = ticket.clocks().filter(|clock| clock.n_told == 0).map(|clock| clock.due_ms);
        let raised = earliest_told(ticket)
            .filter(|_| self.centres.above(&ticket.centre).is_some())
            .map(|clock| self.clocks.raise_ms(clock, clock.n_told));
        // Red is what is past its time.
        let red = untold.chain(raised).map(|due_ms| due_ms.saturating_add(1));
        red.chain(ticket.call.as_ref().map(|call| call.next_ms)).chain(ticket.lease_ms).min()
    }
}

/// Of the clocks about which something was done already, the one that was due first: it alone brings a ticket up.
fn earliest_told(ticket: &Ticket) -> Option<&Clock> {
    ticket.clocks().filter(|clock| clock.n_told > 0).min_by_key(|clock| clock.due_ms)
}
