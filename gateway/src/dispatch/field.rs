//! What officers in the field tell beside their moves: files of tickets, whether they are on duty, and where they are.

use std::sync::Arc;

use super::{Desk, Effect, Entry};
use crate::nouns::{Fix, NewFile, Refusal, SaidDuty, Standing, Ticket};

impl Desk {
    /// A ticket has a file more. Its number: that of the journal entry which tells of it.
    pub fn attach(&mut self, file: &NewFile, now_ms: i64, effects: &mut Vec<Effect>) -> Result<u64, Refusal> {
        let live = self.live.get(&file.ticket).filter(|live| live.ticket.stage.standing() > Standing::Ended);
        let ticket = live.ok_or(Refusal::NoSuchTicket(file.ticket))?.ticket.clone();
        let NewFile { kind, media, who, shelved, .. } = file;
        if !self.centres.knows(who) {
            return Err(Refusal::Unknown(who.clone()));
        }
        let no = ticket.n_journal + 1;
        let note = format!("{}, {media}, {} bytes, sha-256 {}", kind.as_str(), shelved.n_bytes, shelved.sha256);
        let entry = Entry { who, what: "file-added", note, kind: "outpost.ticket.file-added" };
        self.record(Ticket::clone(&ticket), entry, now_ms, effects);
        effects.push(Effect::File { no, file: file.clone() });
        Ok(no)
    }

    /// An officer says whether they are on duty; nobody says it for them.
    pub fn say_duty(
        &mut self,
        officer: &Arc<str>,
        is_on: bool,
        by: &Arc<str>,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) -> Result<SaidDuty, Refusal> {
        let known = self.bookings.roster.get(officer).ok_or_else(|| Refusal::NoOfficer(officer.clone()))?;
        if *by != known.id {
            return Err(Refusal::OthersDuty { who: by.clone(), officer: officer.clone() });
        }
        let said = SaidDuty { is_on, at_ms: now_ms };
        self.bookings.duties.insert(officer.clone(), said.clone());
        effects.push(Effect::Duty { officer: officer.clone(), said: said.clone() });
        Ok(said)
    }

    /// The source whose positions an officer's are, and those of their fixes at which they were on duty.
    pub fn followed(&self, officer: &Arc<str>, fixes: &[Fix]) -> Result<(Arc<str>, Vec<Fix>), Refusal> {
        let known = self.bookings.roster.get(officer).ok_or_else(|| Refusal::NoOfficer(officer.clone()))?;
        let terminal = known.terminal.clone().ok_or_else(|| Refusal::NoTerminal(officer.clone()))?;
        let on_duty = fixes.iter().filter(|fix| self.bookings.is_on_duty(known, fix.at_ms)).copied();
        Ok((terminal, on_duty.collect()))
    }
}
