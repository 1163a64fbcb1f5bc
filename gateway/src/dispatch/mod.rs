//! Desk: alerts to tickets, stages, clocks. Pure: no clock, lock, await or store; knows nothing of how anything is
//! sent or stored.
//!
//! - [`table`]: the loop, drawn in `LOOP.md`
//! - [`moves`]: what a move does
//! - [`receivers`], [`calls`]: who hears of it, and who is called until somebody acknowledges it
//! - [`centres`]: whose a ticket is, and who may do what
//! - [`clocks`]: limits on the desk's calendar
//! - [`intake`]: which alerts have which ticket
//! - [`mutes`], [`groups`], [`storms`]: which have none for now, and which share one
//! - [`scores`]: how well work is done, from what tickets went through
//! - [`classes`], [`patterns`]: which tickets are one problem, and what those of a category say together
//! - [`reports`]: tickets of what people and other systems tell
//! - [`mutes`], [`storms`]: which have none for now, and which share one

mod calls;
pub mod centres;
pub mod classes;
mod clocks;
#[cfg(test)]
mod drawing;
mod groups;
mod intake;
mod moves;
mod mutes;
pub mod patterns;
mod places;
mod receivers;
mod reports;
pub mod scores;
mod storms;
pub mod table;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use self::calls::Calls;
use self::centres::Centres;
use self::classes::Classes;
use self::clocks::Clocks;
use self::groups::Groups;
use self::moves::Moving;
use self::mutes::Mutes;
use self::receivers::Receivers;
use self::storms::Storms;
use self::table::Row;
use crate::config::pattern::SourcePattern;
use crate::config::{Config, Severity};
use crate::nouns::{
    Alert, ClassChange, Cleared, Clock, Command, Confidence, Joined, JournalEntry, Looked, Move, OnAlert, Passage,
    Place, Refusal, Silence, Stage, Standing, Storm, Ticket, Told,
};

/// Who the gateway is in a journal.
pub const SELF: &str = "outpost";

/// Tickets that one call of [`Desk::elapse`] looks at.
const ELAPSE_MAX: usize = 256;

/// What must be committed, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A new ticket, or a ticket as it is now.
    Ticket(Arc<Ticket>),
    Journal(JournalEntry),
    /// The alert is one of the ticket's.
    Member {
        alert: Arc<str>,
        ticket: u64,
    },
    /// All alerts of one ticket are another one's.
    Adopt {
        from: u64,
        into: u64,
    },
    /// The alert has no ticket for now.
    Withhold {
        alert: Arc<str>,
        by: String,
        is_silence: bool,
    },
    /// The alert is over, or has a ticket now.
    Release(Arc<str>),
    /// A new silence, or a silence as it is now.
    Silence(Silence),
    /// Somebody looked at a finding of the rule.
    Finding {
        rule: Arc<str>,
        is_true: bool,
    },
    /// The ticket left a stage for another.
    Passage(Passage),
    /// Of a class case.
    Class(ClassChange),
    /// Receivers have to hear of this journal entry.
    Tell {
        ticket: Arc<Ticket>,
        journal: u64,
        kind: &'static str,
        to: Vec<Told>,
    },
}

/// What a desk goes on from.
#[derive(Debug, Default)]
pub struct Kept {
    /// Every ticket that may take a move yet.
    pub tickets: Vec<Ticket>,
    /// The alerts that are on, with their tickets.
    pub members: Vec<(Arc<str>, u64)>,
    /// All alerts that are on.
    pub on: Vec<OnAlert>,
    /// The highest number ever given.
    pub last_no: u64,
    /// Alerts that are on and have no ticket for now.
    pub withheld: Vec<Alert>,
    /// Silences that were not ended.
    pub silences: Vec<Silence>,
    pub last_silence: u64,
}

#[derive(Debug)]
pub struct Desk {
    clocks: Clocks,
    centres: Centres,
    receivers: Receivers,
    calls: Calls,
    emergency_from: Severity,
    dispatch: Vec<(SourcePattern, Severity, Arc<str>)>,
    /// Every ticket that may take a move yet, with the time at which something is to be done about it by itself.
    live: HashMap<u64, Live>,
    n_open: usize,
    timers: BTreeSet<(i64, u64)>,
    /// Of each alert that is on.
    by_alert: HashMap<Arc<str>, u64>,
    mutes: Mutes,
    storms: Storms,
    groups: Groups,
    classes: Classes,
    confirm_below: f64,
    /// Categories of private matters.
    private: Vec<SourcePattern>,
    /// After a restart: what was withheld may be muted no longer.
    has_to_look: bool,
    next_no: u64,
}

#[derive(Debug)]
struct Live {
    ticket: Arc<Ticket>,
    timer_ms: Option<i64>,
}

/// What a journal says of a change, and under which type receivers hear of it.
struct Entry<'a> {
    who: &'a str,
    what: &'static str,
    note: String,
    kind: &'static str,
}

impl Entry<'_> {
    /// The gateway makes a move by itself.
    fn own(asked: Move, note: String) -> Entry<'static> {
        Entry { who: SELF, what: asked.name(), note, kind: asked.told_as() }
    }
}

impl Desk {
    /// A desk as the store remembers it. Of a checked configuration.
    pub fn restore(config: &Config, kept: Kept) -> Self {
        let dispatch = config.desk.dispatch.iter().filter_map(|entry| {
            Some((SourcePattern::parse(&entry.category).ok()?, entry.from_severity, entry.unit.as_str().into()))
        });
        let centres = Centres::new(config);
        let mut desk = Desk {
            clocks: Clocks::new(config),
            receivers: Receivers::new(config),
            calls: Calls::new(config, &centres),
            centres,
            emergency_from: config.desk.emergency_from,
            dispatch: dispatch.collect(),
            live: HashMap::new(),
            n_open: 0,
            timers: BTreeSet::new(),
            by_alert: kept.members.into_iter().collect(),
            mutes: Mutes::new(&config.desk.inhibits, kept.silences, kept.last_silence),
            storms: Storms::new(&config.desk.storm),
            groups: Groups::new(&config.desk.group),
            classes: Classes::new(&config.desk.classes),
            confirm_below: config.desk.confirm_below,
            private: config.desk.private.iter().filter_map(|text| SourcePattern::parse(text).ok()).collect(),
            has_to_look: !kept.withheld.is_empty(),
            next_no: kept.last_no + 1,
        };
        kept.on.iter().for_each(|alert| desk.mutes.note(&alert.id, &alert.rule, &alert.source));
        kept.withheld.iter().for_each(|alert| desk.mutes.withhold(alert));
        let mut tickets = kept.tickets;
        tickets.sort_by_key(|ticket| ticket.no);
        for mut ticket in tickets {
            ticket.centre = desk.centres.known(&ticket.centre).clone();
            ticket.call = desk.calls.restored(&ticket, &desk.centres);
            match ticket.storm {
                Some(Storm::On) => desk.storms.begin(ticket.source.clone(), ticket.no, None),
                Some(Storm::Over) => {}
                None => desk.storms.remember(&ticket.source, ticket.no, ticket.opened_ms),
            }
            desk.groups.remember(&ticket);
            desk.keep(Arc::new(ticket));
        }
        desk
    }

    /// Tickets on which there is work to do.
    pub fn n_open(&self) -> usize {
        self.n_open
    }

    /// When [`Desk::elapse`] next has something to do.
    pub fn due_ms(&self) -> Option<i64> {
        if self.has_to_look {
            return Some(i64::MIN);
        }
        let first = self.timers.first().map(|(at_ms, _)| *at_ms);
        first.into_iter().chain(self.mutes.due_ms()).chain(self.storms.due_ms()).min()
    }

    /// Another camera sees what a ticket is of: the place is that of both together.
    pub fn alert_joined(&mut self, joined: &Joined, now_ms: i64, effects: &mut Vec<Effect>) {
        let Some(ticket) = self.of_alert(&joined.id) else { return };
        let place = match &joined.place {
            Some(place) => Place { name: ticket.place.name.clone(), ..place.clone() },
            None => ticket.place.clone(),
        };
        let error = place.sight.as_ref().and_then(|sight| sight.error);
        let sure = error.map(|error| format!(", ± {:.0} by {:.0} m", error.major_m, error.minor_m));
        let note = format!("also seen by {}{}", joined.source, sure.unwrap_or_default());
        let ticket = Ticket { place, ..Ticket::clone(ticket) };
        let entry = Entry { who: SELF, what: "also-seen", note, kind: "outpost.ticket.also-seen" };
        self.record(ticket, entry, now_ms, effects);
    }

    /// A visible camera was looked through for what a ticket is of. How sure it is now; none where nobody works on it any more.
    pub fn alert_looked(&mut self, looked: &Looked, now_ms: i64, effects: &mut Vec<Effect>) -> Option<Confidence> {
        let ticket = self.of_alert(&looked.alert).filter(|ticket| ticket.stage.standing() == Standing::Open)?;
        let before = ticket.confidence.clone()?;
        let confidence = before.after(looked);
        let percent = |confidence: &Confidence| (confidence.share * 100.0).round();
        let note = format!("{}; confidence {} %, was {} %", confidence.why, percent(&confidence), percent(&before));
        let ticket = Ticket { confidence: Some(confidence.clone()), ..Ticket::clone(ticket) };
        let entry = Entry { who: SELF, what: "looked", note, kind: "outpost.ticket.looked" };
        self.record(ticket, entry, now_ms, effects);
        Some(confidence)
    }

    pub fn alert_cleared(&mut self, cleared: &Cleared, now_ms: i64, effects: &mut Vec<Effect>) {
        if self.mutes.drop_withheld(&cleared.id) {
            effects.push(Effect::Release(cleared.id.clone()));
        }
        let ticket = self.of_alert(&cleared.id).cloned();
        self.by_alert.remove(&cleared.id);
        if let Some(ticket) = ticket {
            let n_alerts_on = ticket.n_alerts_on.saturating_sub(1);
            let ticket = Ticket { n_alerts_on, ..Ticket::clone(&ticket) };
            if ticket.storm.is_some() && n_alerts_on > 0 {
                // A storm clears as quietly as it came.
                self.update(ticket, effects);
            } else {
                let kind = "outpost.ticket.alert-cleared";
                let entry = Entry { who: SELF, what: "alert-cleared", note: cleared.why.clone(), kind };
                self.record(ticket, entry, now_ms, effects);
            }
        }
        if self.mutes.forget(&cleared.id, &cleared.key.source) {
            self.release(now_ms, effects);
        }
    }

    pub fn command(
        &mut self,
        command: &Command,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) -> Result<Arc<Ticket>, Refusal> {
        let Command { who, asked, said, .. } = command;
        let live = self.live.get(&command.ticket).ok_or(Refusal::NoSuchTicket(command.ticket))?;
        let ticket = live.ticket.clone();
        let row = table::row(&ticket, *asked).ok_or_else(|| no_row(&ticket, *asked))?;
        let of = self.centres.may(row, &ticket, who)?;
        moves::check_said(row, said)?;
        let master = said.into.map(|into| self.master(into, &ticket)).transpose()?;
        let moving = Moving { clocks: &self.clocks, centres: &self.centres, now_ms };
        let (mut changed, note) = moving.apply(&ticket, row, command, of)?;
        changed.call = self.call_after(&ticket, &changed, *asked, now_ms);
        let entry = Entry { who, what: asked.name(), note, kind: asked.told_as() };
        let changed = self.record(changed, entry, now_ms, effects);
        if let Move::Confirm | Move::Reject = asked {
            effects.push(Effect::Finding { rule: changed.rule.clone(), is_true: *asked == Move::Confirm });
        }
        if *asked == Move::Confirm {
            self.confirmed(&changed, now_ms, effects);
        }
        if let Some(master) = master {
            self.give(&changed, master, now_ms, effects);
        }
        Ok(self.live.get(&changed.no).map_or(changed, |live| live.ticket.clone()))
    }

    /// Does by itself what is due: supervises what turned red, brings it a level up, archives what was closed long ago.
    pub fn elapse(&mut self, now_ms: i64, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.has_to_look) {
            self.release(now_ms, effects);
        }
        while let Some(silence) = self.mutes.take_over(SELF, now_ms) {
            effects.push(Effect::Silence(silence));
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
    fn timer_ms(&self, ticket: &Ticket) -> Option<i64> {
        if ticket.stage.standing() == Standing::Settled {
            return self.clocks.archive_ms(ticket);
        }
        let untold = ticket.clocks().filter(|clock| clock.n_told == 0).map(|clock| clock.due_ms);
        let raised = earliest_told(ticket)
            .filter(|_| self.centres.above(&ticket.centre).is_some())
            .map(|clock| self.clocks.raise_ms(clock, clock.n_told));
        // Red is what is past its time.
        let red = untold.chain(raised).map(|due_ms| due_ms.saturating_add(1));
        red.chain(ticket.call.as_ref().map(|call| call.next_ms)).min()
    }

    /// What was doubted is a report now, as if it had come so.
    fn confirmed(&mut self, ticket: &Arc<Ticket>, now_ms: i64, effects: &mut Vec<Effect>) {
        if ticket.severity < self.emergency_from {
            return self.by_policy(ticket, now_ms, effects);
        }
        let ticket = self.update(Ticket { is_emergency: true, ..Ticket::clone(ticket) }, effects);
        self.by_policy(&ticket, now_ms, effects);
    }

    /// The open ticket that another one becomes part of.
    fn master(&self, into: u64, part: &Ticket) -> Result<u64, Refusal> {
        let open = self.live.get(&into).filter(|live| live.ticket.stage.standing() == Standing::Open);
        open.filter(|live| live.ticket.no != part.no).map(|_| into).ok_or(Refusal::NoSuchMaster(into))
    }

    /// The alerts of a ticket that was merged are its master's.
    fn give(&mut self, part: &Ticket, into: u64, now_ms: i64, effects: &mut Vec<Effect>) {
        let Some(master) = self.live.get(&into).map(|live| live.ticket.clone()) else { return };
        effects.push(Effect::Adopt { from: part.no, into });
        self.groups.absorb(part.no, into);
        self.by_alert.values_mut().filter(|no| **no == part.no).for_each(|no| *no = into);
        let master = Ticket {
            n_alerts: master.n_alerts + part.n_alerts,
            n_alerts_on: master.n_alerts_on + part.n_alerts_on,
            is_emergency: master.is_emergency || part.is_emergency,
            severity: master.severity.max(part.severity),
            ..Ticket::clone(&master)
        };
        let note = format!("T-{}: {}", part.no, part.title);
        let entry = Entry { who: SELF, what: "takes-in", note, kind: "outpost.ticket.takes-in" };
        self.record(master, entry, now_ms, effects);
    }

    fn of_alert(&self, alert: &str) -> Option<&Arc<Ticket>> {
        Some(&self.live.get(self.by_alert.get(alert)?)?.ticket)
    }

    /// Writes one journal entry with the ticket as it then is, and lets receivers hear of it.
    fn record(&mut self, ticket: Ticket, entry: Entry<'_>, now_ms: i64, effects: &mut Vec<Effect>) -> Arc<Ticket> {
        let to = self.receivers.of(&ticket, &self.centres, now_ms);
        self.record_to(ticket, entry, to, now_ms, effects)
    }

    fn record_to(
        &mut self,
        mut ticket: Ticket,
        entry: Entry<'_>,
        to: Vec<Told>,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) -> Arc<Ticket> {
        let Entry { who, what, note, kind } = entry;
        ticket.n_journal += 1;
        effects.extend(self.passage(&ticket, who, now_ms).map(Effect::Passage));
        if ticket.stage.standing() < Standing::Open {
            ticket.call = None;
        }
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
            unit: ticket.unit.clone().or_else(|| before.unit.clone()),
        })
    }

    /// A change of which no journal tells.
    fn update(&mut self, ticket: Ticket, effects: &mut Vec<Effect>) -> Arc<Ticket> {
        let ticket = Arc::new(ticket);
        effects.push(Effect::Ticket(ticket.clone()));
        self.keep(ticket.clone());
        ticket
    }

    /// The ticket as it is now, with its timer; forgotten where no move is left.
    fn keep(&mut self, ticket: Arc<Ticket>) {
        let no = ticket.no;
        let is_open = |ticket: &Ticket| usize::from(ticket.stage.standing() == Standing::Open);
        if let Some(old) = self.live.remove(&no) {
            self.n_open -= is_open(&old.ticket);
            old.timer_ms.map(|at_ms| self.timers.remove(&(at_ms, no)));
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

/// Of the clocks about which something was done already, the one that was due first: it alone brings a ticket up.
fn earliest_told(ticket: &Ticket) -> Option<&Clock> {
    ticket.clocks().filter(|clock| clock.n_told > 0).min_by_key(|clock| clock.due_ms)
}

/// Why there is no row.
fn no_row(ticket: &Ticket, asked: Move) -> Refusal {
    let at_work = |row: &&Row| row.asked == asked && row.from.contains(&ticket.stage);
    match asked {
        Move::Approve | Move::Deny if table::TABLE.iter().any(|row| at_work(&row)) => Refusal::NoExtension,
        Move::Acknowledge => Refusal::NotCalled,
        Move::Extend if ticket.extension.is_some() => Refusal::ExtensionWaits,
        _ => Refusal::WrongStage { stage: ticket.stage, asked },
    }
}

#[cfg(test)]
mod tests;
