//! What a move does to a ticket once the table allows it.

use std::sync::Arc;

use super::centres::Centres;
use super::clocks::Clocks;
use super::officers::Bookings;
use super::table::{Row, To};
use crate::nouns::{Command, Extension, Move, Need, Refusal, Said, Stage, Standing, Ticket};

/// The desk's rules, and the time.
pub(super) struct Moving<'a> {
    pub(super) clocks: &'a Clocks,
    pub(super) centres: &'a Centres,
    pub(super) bookings: &'a Bookings,
    pub(super) now_ms: i64,
}

/// The command says what the move needs, and nothing that it does not take.
pub(super) fn check_said(row: &Row, said: &Said) -> Result<(), Refusal> {
    let Said { note, unit, officer, photos, into, centre, limit, score, is_force_majeure } = said;
    for (need, is_said) in [
        (Need::Reason, !note.trim().is_empty()),
        // Who names an officer names their unit.
        (Need::Unit, unit.is_some() || officer.is_some()),
        (Need::Officer, officer.is_some()),
        (Need::Photos, photos.is_some()),
        (Need::Into, into.is_some()),
        (Need::Centre, centre.is_some()),
        (Need::Limit, limit.is_some()),
        (Need::Score, score.is_some()),
        (Need::ForceMajeure, *is_force_majeure),
    ] {
        let is_needed = row.needs.contains(&need);
        if is_needed && !is_said {
            return Err(Refusal::Missing { asked: row.asked, need });
        }
        // A note is welcome everywhere.
        if is_said && !is_needed && need != Need::Reason && !row.takes.contains(&need) {
            return Err(Refusal::Needless { asked: row.asked, need });
        }
    }
    Ok(())
}

impl Moving<'_> {
    /// The ticket after the move, and what its journal says. `of` is the centre for which it is made.
    pub(super) fn apply(
        &self,
        ticket: &Ticket,
        row: &Row,
        command: &Command,
        of: Arc<str>,
    ) -> Result<(Ticket, String), Refusal> {
        let Command { who, asked, said, .. } = command;
        let mut ticket = ticket.clone();
        let mut note = said.note.clone();
        let counts = &mut ticket.counts;
        match asked {
            Move::Accept => ticket.lead = ticket.lead.or(Some(of)),
            Move::Dispatch | Move::Reassign => {
                counts.reassigned += u32::from(*asked == Move::Reassign);
                ticket.lead = ticket.lead.or(Some(of));
                ticket.officer = said.officer.clone();
                let of_officer = said.officer.as_ref().and_then(|officer| self.bookings.roster.get(officer));
                ticket.unit = said.unit.clone().or(of_officer.map(|officer| officer.unit.clone()));
                let to = ticket.unit.iter().chain(&ticket.officer).map(|name| &**name).collect::<Vec<_>>();
                note = before(Some(format!("to {}", to.join(", "))), &note);
            }
            Move::Return => {
                counts.returned += 1;
                ticket.officer = None;
                note = before(ticket.unit.take().map(|unit| format!("by {unit}")), &note);
            }
            Move::Recall => {
                ticket.officer = None;
                note = before(ticket.unit.take().map(|unit| format!("from {unit}")), &note);
            }
            Move::Dispute => counts.disputed += 1,
            Move::Sign | Move::Start | Move::FeedBack | Move::Solve => {
                if !ticket.handlers.contains(who) {
                    ticket.handlers.push(who.clone());
                }
                let photos = said.photos.as_ref().map(|[before, after]| format!("before {before}, after {after}"));
                note = before(photos, &note);
            }
            Move::Rework => {
                counts.reworked += 1;
                // Who has gone on to something else since leaves it to the unit.
                if let Some(busy) =
                    ticket.officer.take_if(|officer| self.bookings.has_room(officer, command.ticket).is_err())
                {
                    note = before(Some(format!("{busy} is busy with another one")), &note);
                }
            }
            Move::Rate => {
                ticket.score = said.score;
                note = before(said.score.map(|score| format!("{score} of 5")), &note);
            }
            Move::Extend => {
                ticket.extension = said.limit.map(|limit| Extension { who: who.clone(), limit });
                note = before(said.limit.map(|limit| limit.to_string()), &note);
            }
            Move::Approve => {
                let Some(Extension { who: asker, limit }) = ticket.extension.take() else {
                    return Err(Refusal::NoExtension);
                };
                if asker == *who {
                    return Err(Refusal::OwnExtension { who: asker });
                }
                counts.extended += 1;
                for clock in std::iter::once(&mut ticket.whole).chain(&mut ticket.step) {
                    self.clocks.extend(clock, limit, self.now_ms);
                }
                note = before(Some(limit.to_string()), &note);
            }
            Move::Deny => ticket.extension = None,
            Move::Suspend | Move::Park => {
                counts.suspended += u32::from(*asked == Move::Suspend);
                ticket.is_force_majeure = said.is_force_majeure;
                note = before(said.is_force_majeure.then(|| "force majeure".to_owned()), &note);
            }
            Move::Supervise => counts.supervised += 1,
            Move::Escalate => {
                let above = self.centres.above(&ticket.centre);
                ticket.centre = above.ok_or_else(|| Refusal::NothingAbove(ticket.centre.clone()))?.clone();
                counts.escalated += 1;
                note = before(Some(format!("to {}", ticket.centre)), &note);
            }
            Move::HandDown => {
                let centre = said.centre.clone().unwrap_or_default();
                ticket.centre = self.centres.beneath(&ticket.centre, &centre, &ticket.category)?;
                note = before(Some(format!("to {centre}")), &note);
            }
            Move::HandOver => {
                // To the nearest where nobody says to whom.
                let to = said.centre.as_ref().or(ticket.beside.first()).cloned().unwrap_or_default();
                let beside = || Refusal::NotBeside { centre: to.clone(), beside: ticket.beside.join(", ") };
                let at = ticket.beside.iter().position(|centre| *centre == to).ok_or_else(beside)?;
                counts.handed_over += 1;
                // It can come back the same way, and who passes on what was never theirs does not lead it.
                let from = std::mem::replace(&mut ticket.beside[at], std::mem::replace(&mut ticket.centre, to.clone()));
                ticket.lead = ticket.lead.map(|lead| if lead == ticket.beside[at] { from } else { lead });
                note = before(Some(format!("to {to}")), &note);
            }
            Move::Merge => {
                ticket.into = said.into;
                note = before(said.into.map(|into| format!("into T-{into}")), &note);
            }
            Move::Confirm
            | Move::Reject
            | Move::Refuse
            | Move::File
            | Move::Decline
            | Move::Verify
            | Move::Close
            | Move::Archive
            | Move::Resume
            | Move::TakeUp
            | Move::Acknowledge => {}
        }
        self.enter(&mut ticket, row);
        Ok((ticket, note))
    }

    /// The clocks of the stage that the row leads to.
    pub(super) fn enter(&self, ticket: &mut Ticket, row: &Row) {
        let (from, now_ms) = (ticket.stage, self.now_ms);
        if row.to == To::Same {
            return;
        }
        ticket.stage = row.to.stage(from, ticket.held);
        let lease_ms = now_ms.saturating_add(self.bookings.roster.limits.lease.ms());
        ticket.lease_ms = ticket.officer.as_ref().filter(|_| ticket.stage == Stage::Dispatched).map(|_| lease_ms);
        ticket.is_force_majeure &= matches!(ticket.stage, Stage::Suspended | Stage::Parked);
        match (from, ticket.stage) {
            (_, Stage::Suspended) => {
                ticket.held = Some(from);
                let clocks = std::iter::once(&mut ticket.whole).chain(&mut ticket.step);
                clocks.for_each(|clock| self.clocks.stop(clock, now_ms));
                return;
            }
            (Stage::Suspended, _) => {
                ticket.held = None;
                let clocks = std::iter::once(&mut ticket.whole).chain(&mut ticket.step);
                clocks.for_each(|clock| self.clocks.resume(clock, now_ms));
                return;
            }
            (_, Stage::Parked) => self.clocks.stop(&mut ticket.whole, now_ms),
            (Stage::Parked, _) => self.clocks.resume(&mut ticket.whole, now_ms),
            _ => {}
        }
        ticket.extension = None;
        ticket.step = self.clocks.step(&ticket.category, ticket.stage, now_ms);
        if ticket.stage.standing() < Standing::Open && ticket.closed_ms.is_none() {
            ticket.closed_ms = Some(now_ms);
        }
    }
}

/// What a move says of itself, and then the operator's note.
fn before(said: Option<String>, note: &str) -> String {
    match said {
        Some(said) if note.is_empty() => said,
        Some(said) => format!("{said}: {note}"),
        None => note.to_owned(),
    }
}
