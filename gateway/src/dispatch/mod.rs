//! Desk: alerts to tickets, stages, clocks. Pure: no clock, lock, await or store; knows nothing of how anything is
//! sent or stored.
//!
//! - [`table`]: the loop, drawn in `LOOP.md`
//! - [`moves`]: what a move does
//! - [`centres`]: the tree of centres, and who may do what
//! - `ground`: whose a ticket is by its place
//! - [`roster`], [`officers`]: who can be sent, where they are, and what they have at hand
//! - [`suggest`], [`plan`]: who is to be sent where; [`patrol`]: where officers were
//! - [`receivers`], [`calls`]: who hears of it, and who is called until somebody acknowledges it
//! - [`clocks`]: limits on the desk's calendar
//! - [`intake`]: which alerts have which ticket
//! - [`mutes`], [`works`], [`groups`], [`storms`]: which have none for now, and which share one
//! - [`scores`]: how well work is done, from what tickets went through
//! - [`classes`], [`patterns`]: which tickets are one problem, and what those of a category say together
//! - [`records`]: journal entries, and who hears of them
//! - [`reports`]: tickets of what people and other systems tell
//! - `timers`: what is done when its time has come

mod calls;
pub mod centres;
pub mod classes;
mod clocks;
#[cfg(test)]
mod drawing;
mod ground;
mod groups;
mod intake;
mod moves;
mod mutes;
mod officers;
pub mod patrol;
pub mod patterns;
mod places;
pub mod plan;
mod receivers;
mod records;
mod reports;
pub mod roster;
pub mod scores;
mod storms;
pub mod suggest;
pub mod table;
mod timers;
mod works;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use self::calls::Calls;
use self::centres::Centres;
use self::classes::Classes;
use self::clocks::Clocks;
use self::groups::Groups;
use self::moves::Moving;
use self::mutes::Mutes;
use self::officers::Bookings;
use self::receivers::Receivers;
use self::storms::Storms;
pub use self::works::WORK_ORDERS_MAX;
use self::works::Works;
use crate::config::pattern::SourcePattern;
use crate::config::{Config, Severity};
use crate::nouns::{
    Alert, ClassChange, Cleared, Command, Confidence, Fix, Joined, JournalEntry, Looked, Move, OnAlert, Passage, Place,
    Refusal, Silence, Standing, Storm, Ticket, Told, WorkOrder,
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
        reason: &'static str,
    },
    /// The alert is over, or has a ticket now.
    Release(Arc<str>),
    /// A new silence, or a silence as it is now.
    Silence(Silence),
    /// A new work order, or one as it is now.
    Work(WorkOrder),
    /// Where an officer is.
    Fix {
        officer: Arc<str>,
        fix: Fix,
    },
    /// A ticket was handed over a border, from one centre to another.
    HandOver {
        from: Arc<str>,
        to: Arc<str>,
    },
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
    /// Work orders that were not ended.
    pub works: Vec<WorkOrder>,
    pub last_work: u64,
    /// The last fix of each officer.
    pub fixes: Vec<(Arc<str>, Fix)>,
}

#[derive(Debug)]
pub struct Desk {
    clocks: Clocks,
    centres: Centres,
    bookings: Bookings,
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
        let works = Works::new(&config.rules, kept.works, kept.last_work);
        let centres = Centres::new(config);
        let mut desk = Desk {
            clocks: Clocks::new(config),
            receivers: Receivers::new(config),
            calls: Calls::new(config, &centres),
            centres,
            bookings: Bookings::new(config, kept.fixes),
            emergency_from: config.desk.emergency_from,
            dispatch: dispatch.collect(),
            live: HashMap::new(),
            n_open: 0,
            timers: BTreeSet::new(),
            by_alert: kept.members.into_iter().collect(),
            mutes: Mutes::new(&config.desk.inhibits, kept.silences, kept.last_silence, works),
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
        let mut note = format!("also seen by {}{}", joined.source, sure.unwrap_or_default());
        let mut ticket = Ticket::clone(ticket);
        if self.centres.place_anew(&mut ticket, place) {
            note.push_str(&format!(", on the ground of {}", ticket.centre));
        }
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
        let row = table::row(&ticket, *asked).ok_or_else(|| table::refusal(&ticket, *asked))?;
        let of = self.centres.may(row, &ticket, who)?;
        moves::check_said(row, said)?;
        let master = said.into.map(|into| self.master(into, &ticket)).transpose()?;
        self.bookings.check(&ticket, *asked, who, said, now_ms)?;
        let moving = Moving { clocks: &self.clocks, centres: &self.centres, bookings: &self.bookings, now_ms };
        let (mut changed, note) = moving.apply(&ticket, row, command, of)?;
        changed.call = self.call_after(&ticket, &changed, *asked, now_ms);
        let entry = Entry { who, what: asked.name(), note, kind: asked.told_as() };
        let changed = self.record(changed, entry, now_ms, effects);
        if let Move::Confirm | Move::Reject = asked {
            effects.push(Effect::Finding { rule: changed.rule.clone(), is_true: *asked == Move::Confirm });
        }
        if *asked == Move::HandOver {
            effects.push(Effect::HandOver { from: ticket.centre.clone(), to: changed.centre.clone() });
        }
        if *asked == Move::Confirm {
            self.confirmed(&changed, now_ms, effects);
        }
        if let Some(master) = master {
            self.give(&changed, master, now_ms, effects);
        }
        Ok(self.live.get(&changed.no).map_or(changed, |live| live.ticket.clone()))
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
}

#[cfg(test)]
mod tests;
