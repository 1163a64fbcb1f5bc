//! From one problem to a class of problems: tickets of one category that come again at one place become a class case (类案).
//! Knows of tickets only what counts here; what is to be found beyond the rule is computed in [`super::patterns`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use outpost_fences::FenceSet;

use super::places::{Places, Spot, spot};
use super::{Desk, Effect, SELF};
use crate::config;
use crate::nouns::{ClassAsk, ClassCase, ClassChange, ClassEntry, ClassStage, CountedTicket, Refusal, Stage, Ticket};

/// Tickets that are remembered; beyond, the oldest no longer count.
const COUNTED_MAX: usize = 200_000;

/// What a desk goes on from.
#[derive(Debug, Default)]
pub struct KeptClasses {
    /// Those that are open.
    pub cases: Vec<ClassCase>,
    /// The highest number ever given.
    pub last_no: u64,
    /// Tickets that may count yet.
    pub counted: Vec<CountedTicket>,
}

#[derive(Debug)]
pub(super) struct Classes {
    n: usize,
    within_ms: i64,
    grids: FenceSet,
    counted: HashMap<u64, Counted>,
    by_time: BTreeSet<(i64, u64)>,
    by_category: HashMap<Arc<str>, Places>,
    radius_m: f64,
    has_grids: bool,
    open: BTreeMap<u64, ClassCase>,
    next_no: u64,
}

#[derive(Debug)]
struct Counted {
    category: Arc<str>,
    spot: Spot,
    opened_ms: i64,
    class: Option<u64>,
}

impl Classes {
    pub(super) fn new(config: &config::Classes) -> Classes {
        Classes {
            n: config.n,
            within_ms: config.within.ms(),
            grids: FenceSet::default(),
            counted: HashMap::new(),
            by_time: BTreeSet::new(),
            by_category: HashMap::new(),
            radius_m: config.radius_m,
            has_grids: config.same_grid,
            open: BTreeMap::new(),
            next_no: 1,
        }
    }

    fn restore(&mut self, grids: FenceSet, kept: KeptClasses) {
        self.grids = grids;
        self.next_no = kept.last_no + 1;
        self.open = kept.cases.into_iter().map(|case| (case.no, case)).collect();
        for ticket in kept.counted {
            let spot = self.spot(&ticket.source, ticket.point);
            let CountedTicket { no, category, opened_ms, class, .. } = ticket;
            self.remember(no, Counted { category, spot, opened_ms, class });
        }
    }

    /// The grids have other borders from now on.
    fn take_grids(&mut self, grids: FenceSet) {
        self.grids = grids;
        let counted = std::mem::take(&mut self.counted);
        self.by_time.clear();
        self.by_category.clear();
        for (no, one) in counted {
            let spot = self.spot(&one.spot.source, one.spot.point.map(|point| (point.lon, point.lat)));
            self.remember(no, Counted { spot, ..one });
        }
    }

    /// A ticket as it is now. What to note in it where it is of a class case from now on.
    pub(super) fn hear(&mut self, ticket: &Ticket, now_ms: i64, effects: &mut Vec<Effect>) -> Option<String> {
        match ticket.stage {
            // Nobody knows yet whether it is anything.
            Stage::Suspected => None,
            Stage::Rejected | Stage::Refused | Stage::NotFiled | Stage::Merged => {
                self.drop_out(ticket.no, now_ms, effects);
                None
            }
            _ if ticket.category.is_empty() || self.counted.contains_key(&ticket.no) => None,
            _ if ticket.opened_ms <= now_ms.saturating_sub(self.within_ms) => None,
            _ => self.count(ticket, now_ms, effects),
        }
    }

    fn count(&mut self, ticket: &Ticket, now_ms: i64, effects: &mut Vec<Effect>) -> Option<String> {
        self.expire(now_ms);
        let spot = self.spot(&ticket.source, ticket.place.point);
        let mut free = BTreeSet::new();
        let near = self.by_category.get(&ticket.category).map(|places| places.near(&spot, self.radius_m));
        let mut joins: Option<u64> = None;
        for no in near.into_iter().flatten() {
            match self.counted.get(&no).and_then(|other| other.class) {
                Some(class) if self.open.contains_key(&class) => {
                    joins = Some(class);
                    break;
                }
                // Its case was closed: what comes now is news.
                Some(_) => {}
                None => drop(free.insert(no)),
            }
        }
        let category = ticket.category.clone();
        self.remember(ticket.no, Counted { category, spot, opened_ms: ticket.opened_ms, class: None });
        match joins {
            Some(class) => self.join(class, ticket, now_ms, effects),
            None if free.len() + 1 >= self.n => {
                free.insert(ticket.no);
                Some(self.open(ticket, &free, now_ms, effects))
            }
            None => None,
        }
    }

    fn open(&mut self, ticket: &Ticket, members: &BTreeSet<u64>, now_ms: i64, effects: &mut Vec<Effect>) -> String {
        let no = self.next_no;
        self.next_no += 1;
        let case = ClassCase {
            no,
            category: ticket.category.clone(),
            grid: self.counted.get(&ticket.no).and_then(|own| own.spot.grid.clone()),
            place: ticket.place.name.clone(),
            point: ticket.place.point,
            stage: ClassStage::Found,
            opened_ms: now_ms,
            ended_ms: None,
            n_tickets: members.len() as u64,
            n_journal: 0,
        };
        let days = self.within_ms as f64 / 86_400_000.0;
        let named: Vec<_> = members.iter().map(|no| format!("T-{no}")).collect();
        let note = format!("{} of {} within {days} days: {}", members.len(), ticket.category, named.join(", "));
        self.record(case, SELF, "found", note, now_ms, effects);
        for member in members {
            self.counted.entry(*member).and_modify(|counted| counted.class = Some(no));
            effects.push(Effect::Class(ClassChange::Member { ticket: *member, class: no }));
        }
        format!("C-{no}: {} of {} within {days} days", members.len(), ticket.category)
    }

    fn join(&mut self, class: u64, ticket: &Ticket, now_ms: i64, effects: &mut Vec<Effect>) -> Option<String> {
        let case = self.open.get(&class)?.clone();
        self.counted.entry(ticket.no).and_modify(|counted| counted.class = Some(class));
        let n_tickets = case.n_tickets + 1;
        self.record(ClassCase { n_tickets, ..case }, SELF, "joined", format!("T-{}", ticket.no), now_ms, effects);
        effects.push(Effect::Class(ClassChange::Member { ticket: ticket.no, class }));
        Some(format!("C-{class}: {n_tickets} of {}", ticket.category))
    }

    /// A ticket turned out to be none, or to be part of another one.
    fn drop_out(&mut self, ticket: u64, now_ms: i64, effects: &mut Vec<Effect>) {
        // What no longer counts stays where it is, as after a restart.
        self.expire(now_ms);
        let Some(class) = self.forget(ticket).and_then(|counted| counted.class) else { return };
        let Some(case) = self.open.get(&class).cloned() else { return };
        let n_tickets = case.n_tickets.saturating_sub(1);
        effects.push(Effect::Class(ClassChange::Leaves { ticket }));
        let (case, note) = (ClassCase { n_tickets, ..case }, format!("T-{ticket}"));
        let is_over = case.stage == ClassStage::Found && n_tickets < self.n as u64;
        let case = self.record(case, SELF, "left", note, now_ms, effects);
        if is_over {
            self.withdraw(case, now_ms, effects);
        }
    }

    /// What is left of it counts anew.
    fn withdraw(&mut self, case: ClassCase, now_ms: i64, effects: &mut Vec<Effect>) {
        let no = case.no;
        let of_case = self.counted.iter_mut().filter(|(_, counted)| counted.class == Some(no));
        let mut members: Vec<u64> = of_case
            .map(|(ticket, counted)| {
                counted.class = None;
                *ticket
            })
            .collect();
        members.sort_unstable();
        effects.extend(members.into_iter().map(|ticket| Effect::Class(ClassChange::Leaves { ticket })));
        let case = ClassCase { stage: ClassStage::Withdrawn, ended_ms: Some(now_ms), n_tickets: 0, ..case };
        self.record(case, SELF, "withdrawn", format!("fewer than {} are left", self.n), now_ms, effects);
    }

    fn command(&mut self, ask: &ClassAsk, now_ms: i64, effects: &mut Vec<Effect>) -> Result<ClassCase, Refusal> {
        let case = self.open.get(&ask.no).ok_or(Refusal::NoSuchClass(ask.no))?;
        let no_move = Refusal::WrongClassStage { stage: case.stage, asked: ask.asked };
        let stage = ask.asked.leads(case.stage).ok_or(no_move)?;
        let ended_ms = (!stage.is_open()).then_some(now_ms);
        let case = ClassCase { stage, ended_ms, ..case.clone() };
        Ok(self.record(case, &ask.who, ask.asked.name(), ask.note.clone(), now_ms, effects))
    }

    /// Writes one journal entry with the case as it then is.
    fn record(
        &mut self,
        mut case: ClassCase,
        who: &str,
        what: &'static str,
        note: String,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) -> ClassCase {
        case.n_journal += 1;
        let entry = ClassEntry { class: case.no, no: case.n_journal, at_ms: now_ms, who: who.into(), what, note };
        effects.push(Effect::Class(ClassChange::Case(case.clone())));
        effects.push(Effect::Class(ClassChange::Journal(entry)));
        if case.stage.is_open() {
            self.open.insert(case.no, case.clone());
        } else {
            self.open.remove(&case.no);
        }
        case
    }

    fn spot(&self, source: &Arc<str>, point: Option<(f64, f64)>) -> Spot {
        spot(source, point, self.has_grids.then_some(&self.grids))
    }

    /// Those that own the ground now.
    pub(super) fn grids(&self) -> &FenceSet {
        &self.grids
    }

    fn remember(&mut self, no: u64, counted: Counted) {
        while self.counted.len() >= COUNTED_MAX {
            let Some((_, oldest)) = self.by_time.first().copied() else { break };
            self.forget(oldest);
        }
        self.by_time.insert((counted.opened_ms, no));
        self.by_category.entry(counted.category.clone()).or_default().insert(no, &counted.spot);
        self.counted.insert(no, counted);
    }

    fn forget(&mut self, no: u64) -> Option<Counted> {
        let counted = self.counted.remove(&no)?;
        self.by_time.remove(&(counted.opened_ms, no));
        if let Some(places) = self.by_category.get_mut(&counted.category) {
            places.remove(no, &counted.spot);
            if places.is_empty() {
                self.by_category.remove(&counted.category);
            }
        }
        Some(counted)
    }

    fn expire(&mut self, now_ms: i64) {
        let since_ms = now_ms.saturating_sub(self.within_ms);
        while let Some((_, no)) = self.by_time.first().copied().filter(|(opened_ms, _)| *opened_ms <= since_ms) {
            self.forget(no);
        }
    }
}

impl Desk {
    /// Goes on with the class cases that there were. The grids are those that own the ground now.
    pub fn with_classes(mut self, grids: FenceSet, kept: KeptClasses) -> Desk {
        self.classes.restore(grids, kept);
        self
    }

    /// The grids have other borders from now on.
    pub fn take_grids(&mut self, grids: FenceSet) {
        self.classes.take_grids(grids);
    }

    /// Confirms or closes a class case.
    pub fn class_command(
        &mut self,
        ask: &ClassAsk,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) -> Result<ClassCase, Refusal> {
        self.centres.may_judge_classes(&ask.who)?;
        self.classes.command(ask, now_ms, effects)
    }
}
