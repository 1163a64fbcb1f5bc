//! Errands of officers, each done once: what was done before under the same key is found in the store, or in what this batch
//! commits, and is answered as it was then. Positions become observations of the officer's terminal, as a broker brings them.

use std::sync::Arc;

use outpost_detectors::observation::{Fact, Observation, Position};
use tokio::sync::oneshot;
use tracing::error;

use super::run::Ask;
use crate::dispatch::{Desk, Effect};
use crate::nouns::{Deed, Done, Errand, Fix, Once, Outcome, Refusal, Task};
use crate::store::{Commit, Store};
use crate::telemetry::now_ms;

/// Files of one ticket.
const FILES_MAX: usize = 64;

/// A phone's clock may be ahead by so much, and what it kept without network may be so old.
const AHEAD_MAX_MS: i64 = 5 * 60 * 1000;
const AGE_MAX_MS: i64 = 24 * 3_600_000;

/// What an errand did, once that is on disk.
pub type Erranded = Result<Done, Refusal>;

/// What errands change.
pub(crate) struct Office<'a> {
    pub(crate) desk: &'a mut Desk,
    pub(crate) store: &'a Store,
    pub(crate) commit: &'a mut Commit,
    pub(crate) effects: &'a mut Vec<Effect>,
}

/// The errands whose positions the rules are to judge in this turn.
pub(super) fn positions(asks: &mut Vec<Ask>) -> Vec<(Box<Errand>, oneshot::Sender<Erranded>)> {
    let is_position =
        |ask: &mut Ask| matches!(ask, Ask::Errand(errand, _) if matches!(errand.task, Task::Locate { .. }));
    let taken = asks.extract_if(.., is_position);
    taken.filter_map(|ask| if let Ask::Errand(errand, reply) = ask { Some((errand, reply)) } else { None }).collect()
}

impl Office<'_> {
    /// Does it, or says what it did before. What it observed is for the rules to judge, in the same commit.
    pub(crate) fn take(&mut self, errand: &Errand, observed: &mut Vec<Observation>) -> Erranded {
        if let Some(once) = &errand.once
            && let Some(deed) = self.known(&errand.who, once)?
        {
            let is_same = deed.once.digest == once.digest;
            return is_same.then_some(Done { outcome: deed.outcome, is_repeat: true }).ok_or(Refusal::OtherRequest);
        }
        let at_ms = now_ms();
        let outcome = self.act(errand, at_ms, observed)?;
        if let Some(once) = errand.once.clone() {
            self.commit.deeds.push(Deed { who: errand.who.clone(), once, outcome, at_ms });
        }
        Ok(Done { outcome, is_repeat: false })
    }

    fn known(&self, who: &Arc<str>, once: &Once) -> Result<Option<Deed>, Refusal> {
        let is_same = |deed: &&Deed| deed.who == *who && deed.once.key == once.key;
        if let Some(deed) = self.commit.deeds.iter().find(is_same) {
            return Ok(Some(deed.clone()));
        }
        self.store.deed(who, &once.key).map_err(silent)
    }

    fn act(&mut self, errand: &Errand, now_ms: i64, observed: &mut Vec<Observation>) -> Result<Outcome, Refusal> {
        match &errand.task {
            Task::Move(command) => {
                let ticket = self.desk.command(command, now_ms, self.effects)?;
                Ok(Outcome::Moved { ticket: ticket.no })
            }
            Task::Attach(file) => {
                let ticket = file.ticket;
                let waiting = self.commit.files.iter().filter(|(_, other)| other.ticket == ticket).count();
                let n = self.store.n_files(ticket).map_err(silent)? + waiting;
                if n >= FILES_MAX {
                    return Err(Refusal::TooManyFiles { ticket, n });
                }
                let file = self.desk.attach(file, now_ms, self.effects)?;
                Ok(Outcome::Attached { ticket, file })
            }
            Task::Locate { officer, fixes } => {
                let span = (now_ms - AGE_MAX_MS)..=(now_ms + AHEAD_MAX_MS);
                let timely: Vec<Fix> = fixes.iter().filter(|fix| span.contains(&fix.at_ms)).copied().collect();
                let (terminal, on_duty) = self.desk.followed(officer, &timely)?;
                let n_untimely = (fixes.len() - timely.len()) as u64;
                let (n_taken, n_off_duty) = (on_duty.len() as u64, (timely.len() - on_duty.len()) as u64);
                observed.extend(on_duty.into_iter().map(|Fix { at_ms, lon, lat, accuracy_m }| Observation {
                    source: terminal.clone(),
                    at_ms,
                    received_ms: now_ms,
                    fact: Fact::Position(Position { lon, lat, accuracy_m }),
                }));
                Ok(Outcome::Located { n_taken, n_off_duty, n_untimely })
            }
            Task::Duty { officer, is_on } => {
                let said = self.desk.say_duty(officer, *is_on, &errand.who, now_ms, self.effects)?;
                Ok(Outcome::Duty { is_on: said.is_on, at_ms: said.at_ms })
            }
        }
    }
}

fn silent(cause: crate::store::StoreError) -> Refusal {
    error!(%cause, "errands cannot be looked up");
    Refusal::StoreSilent
}
