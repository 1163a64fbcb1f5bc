//! Scores: from what tickets went through in a period to figures with the tickets behind them. Pure; which figures there are is
//! configuration.
//!
//! - this file: what one ticket counts for
//! - [`sheet`]: sums by centre, unit or person, and figures of these

pub mod sheet;

use std::sync::Arc;

use outpost_fences::track::calendar::Calendar;

use crate::config::{self, Amount, Config, Count, Score, with_standard};
use crate::nouns::{Passage, Stage, Standing, Story};

/// The figures that there are, and in which zone periods are meant.
#[derive(Debug)]
pub struct Scoring {
    /// The standard ones, with the configuration's own.
    pub scores: Vec<Score>,
    days: Option<Calendar>,
}

/// From its beginning, inclusive, to its end, exclusive; what is later than now did not happen yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from_ms: i64,
    pub to_ms: i64,
    pub now_ms: i64,
}

/// One ticket counts for something; `who` did it, or ought to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tally<'a> {
    pub count: Count,
    pub who: Option<&'a Arc<str>>,
    pub unit: Option<&'a Arc<str>>,
    /// How long it took, where that is summed.
    pub took: Option<(Amount, i64)>,
}

impl Scoring {
    /// Of a checked configuration.
    pub fn new(config: &Config) -> Scoring {
        let calendar = config.calendars.iter().find(|calendar| Some(&calendar.id) == config.desk.calendar.as_ref());
        let zone = calendar.map_or(config::ZONE, |calendar| &calendar.zone);
        Scoring { scores: with_standard(&config.scores), days: Calendar::new(zone, &[], &[]).ok() }
    }

    /// When a date such as `2026-10-01` begins in the desk's zone.
    pub fn begin_of_ms(&self, date: &str) -> Option<i64> {
        self.days.as_ref()?.begin_of_ms(date)
    }

    /// What the wall clock of the desk's zone says.
    pub fn clock_text(&self, at_ms: i64) -> Option<String> {
        self.days.as_ref()?.clock_text(at_ms)
    }
}

impl Period {
    fn has(&self, at_ms: i64) -> bool {
        (self.from_ms..self.until_ms()).contains(&at_ms)
    }

    /// Whether a limit falls in it that is over.
    fn has_due(&self, due_ms: Option<i64>) -> bool {
        due_ms.is_some_and(|due_ms| self.has(due_ms))
    }

    /// When what is looked at ends.
    pub fn until_ms(&self) -> i64 {
        self.to_ms.min(self.now_ms)
    }
}

/// Something that a ticket was to have done with it: what was done, or by when it is to be.
struct Duty<'a> {
    done: Option<&'a Passage>,
    due_ms: Option<i64>,
}

impl Story {
    /// All that the ticket counts for in a period.
    pub fn tallies(&self, period: &Period, mut add: impl FnMut(Tally)) {
        let view =
            View { story: self, period, n_past: self.passages.partition_point(|one| one.at_ms < period.until_ms()) };
        view.reports(&mut add);
        view.desk(&mut add);
        view.work(&mut add);
        view.closing(&mut add);
    }
}

/// A ticket at the end of a period.
struct View<'a> {
    story: &'a Story,
    period: &'a Period,
    /// Passages before the end of the period.
    n_past: usize,
}

impl<'a> View<'a> {
    fn past(&self) -> &'a [Passage] {
        &self.story.passages[..self.n_past]
    }

    fn next(&self) -> Option<&'a Passage> {
        self.story.passages.get(self.n_past)
    }

    fn stage(&self) -> Stage {
        let last = self.past().last().map(|passage| passage.to);
        last.or(self.next().map(|passage| passage.from)).unwrap_or(self.story.stage)
    }

    /// What comes next, or what the ticket says now, tells by when.
    fn step_due_ms(&self) -> Option<i64> {
        self.next().map_or(self.story.step_due_ms, |passage| passage.due_ms)
    }

    fn whole_due_ms(&self) -> i64 {
        self.next().map_or(self.story.due_ms, |passage| passage.whole_due_ms)
    }

    fn first(&self, is_it: impl Fn(&Passage) -> bool) -> Option<&'a Passage> {
        self.past().iter().find(|passage| is_it(passage))
    }

    /// Out of reach: nothing is due while it is so.
    fn is_apart(&self) -> bool {
        matches!(self.stage(), Stage::Suspended | Stage::Parked)
    }

    /// Who ought to have done what nobody did.
    fn debtor(&self) -> Option<&'a Arc<str>> {
        self.story.handlers.last()
    }

    fn tally(&self, count: Count, by: Option<&'a Passage>) -> Tally<'a> {
        Tally {
            count,
            who: by.map_or(self.debtor(), |passage| Some(&passage.who)),
            unit: by.and_then(|passage| passage.unit.as_ref()).or(self.story.unit.as_ref()),
            took: None,
        }
    }

    /// Due in the period, or done in it: whether it is, and was in time.
    fn settle(&self, duty: &Duty<'a>) -> Option<Option<bool>> {
        match duty.done {
            Some(done) if self.period.has(done.at_ms) || self.period.has_due(duty.due_ms) => {
                Some(Some(duty.due_ms.is_none_or(|due_ms| done.at_ms <= due_ms)))
            }
            None if !self.is_apart() && self.period.has_due(duty.due_ms) => Some(None),
            _ => None,
        }
    }

    /// The stage was to be left for one of others by the limit of the stage.
    fn step(&self, from: Stage, to: &[Stage]) -> Duty<'a> {
        let done = self.first(|passage| passage.from == from && to.contains(&passage.to));
        match done {
            Some(done) => Duty { done: Some(done), due_ms: done.due_ms },
            None if self.stage() == from => Duty { done: None, due_ms: self.step_due_ms() },
            None => Duty { done: None, due_ms: None },
        }
    }

    fn reports(&self, add: &mut impl FnMut(Tally<'a>)) {
        let (stage, reporter) = (self.stage(), |count| Tally { who: None, ..self.tally(count, None) });
        if self.period.has(self.story.opened_ms) {
            add(reporter(Count::Reported));
            if !matches!(stage, Stage::Rejected | Stage::Refused | Stage::NotFiled | Stage::Merged) {
                add(reporter(Count::ReportedRight));
            }
        }
        let check = self.step(Stage::Suspected, &[Stage::Reported, Stage::Rejected]);
        if let Some(in_time) = self.settle(&check) {
            add(self.tally(Count::DueChecked, check.done));
            if in_time == Some(true) {
                add(self.tally(Count::CheckedInTime, check.done));
            }
        }
        let is_void = |passage: &Passage| matches!(passage.to, Stage::Rejected | Stage::Refused | Stage::NotFiled);
        let void = self.first(is_void).filter(|passage| self.period.has(passage.at_ms));
        void.iter().for_each(|passage| add(self.tally(Count::Voided, Some(passage))));
    }

    fn desk(&self, add: &mut impl FnMut(Tally<'a>)) {
        let within = |passage: &&Passage| self.period.has(passage.at_ms);
        if let Some(accepted) = self.first(|passage| passage.to == Stage::Accepted).filter(within) {
            let took = Some((Amount::Accepting, accepted.at_ms - self.story.opened_ms));
            add(Tally { took, ..self.tally(Count::Accepted, Some(accepted)) });
        }
        let is_filed = |passage: &Passage| (passage.from, passage.to) == (Stage::Accepted, Stage::Filed);
        if let Some(filed) = self.first(is_filed).filter(within) {
            add(self.tally(Count::Filed, Some(filed)));
            if filed.due_ms.is_none_or(|due_ms| filed.at_ms <= due_ms) {
                add(self.tally(Count::FiledInTime, Some(filed)));
            }
            if self.stage() != Stage::Merged {
                add(self.tally(Count::FiledRight, Some(filed)));
            }
        }
        let dispatch = self.step(Stage::Filed, &[Stage::Dispatched]);
        if let Some(in_time) = self.settle(&dispatch) {
            add(self.tally(Count::DueDispatched, dispatch.done));
            if in_time == Some(true) {
                add(self.tally(Count::DispatchedInTime, dispatch.done));
            }
            // What came back to be dispatched again was dispatched wrongly.
            let is_back = self.first(|passage| passage.from != Stage::Parked && is_return(passage)).is_some();
            if dispatch.done.is_some() && !is_back {
                add(self.tally(Count::DispatchedRight, dispatch.done));
            }
        }
        if let Some(back) = self.past().iter().find(|passage| is_return(passage) && self.period.has(passage.at_ms)) {
            add(self.tally(Count::Returned, Some(back)));
        }
    }

    fn work(&self, add: &mut impl FnMut(Tally<'a>)) {
        let dispatched = self.first(|passage| passage.to == Stage::Dispatched);
        let fed_back = self.first(|passage| passage.to == Stage::FedBack);
        let due_ms = match fed_back {
            Some(done) => done.due_ms.filter(|_| done.from == Stage::Handling).or(Some(done.whole_due_ms)),
            None if self.stage() == Stage::Handling => self.step_due_ms().or(Some(self.whole_due_ms())),
            None => Some(self.whole_due_ms()),
        };
        let is_owed = matches!(self.stage(), Stage::Filed | Stage::Dispatched | Stage::Signed | Stage::Handling);
        let duty =
            Duty { done: fed_back, due_ms: due_ms.filter(|_| fed_back.is_some() || dispatched.is_some() && is_owed) };
        if let Some(in_time) = self.settle(&duty) {
            add(self.tally(Count::DueHandled, duty.done));
            if let Some(done) = duty.done {
                let took = dispatched.map(|begun| (Amount::Handling, (done.at_ms - begun.at_ms).max(0)));
                add(Tally { took, ..self.tally(Count::Handled, duty.done) });
            }
            if in_time == Some(true) {
                add(self.tally(Count::HandledInTime, duty.done));
            }
            if self.story.n_extended > 0 {
                add(self.tally(Count::Extended, duty.done));
            }
        }
        if duty.done.is_none() && duty.due_ms.is_some_and(|due_ms| due_ms < self.period.until_ms()) {
            add(self.tally(Count::Overdue, None));
        }
        let on_the_spot = |passage: &&Passage| passage.from != Stage::Handling && self.period.has(passage.at_ms);
        fed_back.filter(on_the_spot).iter().for_each(|passage| add(self.tally(Count::Solved, Some(passage))));
        match self.stage() {
            Stage::Suspended | Stage::Parked if self.past().last().is_some_and(|last| last.is_force_majeure) => {
                add(self.tally(Count::ForceMajeure, None));
            }
            Stage::Suspended => add(self.tally(Count::Suspended, None)),
            Stage::Parked => add(self.tally(Count::Parked, None)),
            _ => {}
        }
    }

    fn closing(&self, add: &mut impl FnMut(Tally<'a>)) {
        let verify = self.step(Stage::FedBack, &[Stage::Verified, Stage::Handling]);
        if let Some(in_time) = self.settle(&verify) {
            add(self.tally(Count::DueVerified, verify.done));
            if in_time == Some(true) {
                add(self.tally(Count::VerifiedInTime, verify.done));
            }
        }
        let closed = self.first(|passage| passage.to == Stage::Closed);
        let is_open = self.stage().standing() == Standing::Open;
        let due_ms = closed.map_or(Some(self.whole_due_ms()).filter(|_| is_open), |done| Some(done.whole_due_ms));
        let duty = Duty { done: closed, due_ms };
        if let Some(in_time) = self.settle(&duty) {
            add(self.tally(Count::DueClosed, duty.done));
            if let Some(in_time) = in_time {
                add(self.tally(Count::Closed, duty.done));
                add(self.tally(if in_time { Count::ClosedInTime } else { Count::ClosedLate }, duty.done));
            }
            let again = self.first(|passage| {
                matches!(passage.from, Stage::FedBack | Stage::Verified) && passage.to == Stage::Handling
            });
            // Of who has to work again, not of who saw that.
            again.iter().for_each(|_| add(self.tally(Count::Reworked, None)));
        }
        let rated = self.first(|passage| passage.to == Stage::Rated).filter(|passage| self.period.has(passage.at_ms));
        if let Some(rated) = rated {
            add(self.tally(Count::Rated, Some(rated)));
            if self.story.score.is_some_and(|score| score >= 4) {
                add(self.tally(Count::Satisfied, Some(rated)));
            }
        }
    }
}

/// From somebody's hands back to the desk.
fn is_return(passage: &Passage) -> bool {
    matches!(passage.from, Stage::Dispatched | Stage::Signed) && passage.to == Stage::Filed
}
