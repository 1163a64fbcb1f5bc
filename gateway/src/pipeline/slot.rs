//! One rule for one source: its state, what the last observation showed, and the words for why. Pure.

mod heated;
mod hours;
mod memo;
mod moving;
mod picture;
mod shots;
mod stored;
mod why;

use std::collections::VecDeque;
use std::sync::Arc;

use outpost_detectors::condition::{ConditionState, Last};
use outpost_detectors::hotspot::HotspotScratch;
use outpost_detectors::hotspot::trace::Trace;
use outpost_detectors::latch::{Latch, LatchState, Moment, Phase, Signal, Turn};
use outpost_detectors::observation::{Fact, LinkState, Observation};
use outpost_detectors::silent::SilentState;
use outpost_fences::Point;
use serde::{Deserialize, Serialize};

use self::memo::{Memo, Noted};
use self::picture::Pictures;
pub(super) use self::stored::Stored;
use super::late::Late;
use super::movement::{Sight, Sign, Trail};
use super::picture::{CountingState, Framing};
use super::reading::{Memory, figure};
use super::redo::Stamp;
use super::rules::{Judge, Rule};
use super::watch::along::Course;
use super::watch::{approach::Company, earlier};
use crate::nouns::{Figure, Trouble, Why};

/// When nothing is due.
const NEVER_MS: i64 = i64::MAX;

/// Small, for there are hundreds of thousands: what most have none of is out of line.
pub(super) struct Slot {
    rule: u32,
    /// Whether the last observation was one that the rule remembers.
    pub(super) must_remember: bool,
    /// The state must be, since not all that led to it was.
    pub(super) must_save: bool,
    /// Whether it was a reading that the rule refused, because it carries another unit than it names.
    pub(super) has_wrong_unit: bool,
    /// A condition over several readings has to be judged with what came.
    pub(super) is_unjudged: bool,
    pub(super) source: Arc<str>,
    pub(super) stored: Stored,
    /// When the timer of this slot is set to; it may ring early, never late.
    timer_ms: i64,
    rest: Option<Box<Rest>>,
    memo: Noted,
}

/// What a slot has of rules about pictures and movement, of rules that remember or wait for what is late, or of rules with
/// hours: most of a hundred thousand need none of it.
#[derive(Default)]
struct Rest {
    /// What of this camera the rule watches; none where the source is no camera.
    framing: Option<Arc<Framing>>,
    pictures: Option<Box<Pictures>>,
    /// What a position or a wait showed, and waits for its turn to be told.
    signs: VecDeque<Sign>,
    /// When the rule next goes on or off duty, where this slot has to know.
    hours_ms: Option<i64>,
    stamp: Option<Box<Stamp>>,
    /// Where the rule waits for what is late.
    late: Option<Box<Late>>,
}

/// Room to work in, the same for all slots.
#[derive(Default)]
pub(super) struct Scratch {
    hotspot: HotspotScratch,
    signs: VecDeque<Sign>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Latch(LatchState),
    /// A rule that follows what moves.
    Movement {
        trail: Box<Trail>,
        latch: LatchState,
    },
    Silent(Box<SilentState>),
    /// A rule that looks at who comes near to whom.
    Approach(Box<Company>),
    /// A rule that remembers readings.
    Reading {
        memory: Box<Memory>,
        latch: LatchState,
    },
    /// A rule that looks at what heat does over several frames.
    Heat {
        trace: Box<Trace>,
        latch: LatchState,
    },
    /// The latest of each reading that a condition names.
    Condition {
        readings: Box<ConditionState>,
        latch: LatchState,
    },
    /// A rule that counts what crosses a line.
    Counting {
        count: Box<CountingState>,
        latch: LatchState,
    },
}

impl State {
    pub(super) fn new(judge: &Judge) -> State {
        match judge {
            Judge::Silent(_) | Judge::Dark(_) => State::Silent(Box::default()),
            Judge::Condition { condition, .. } => {
                State::Condition { readings: Box::new(condition.state()), latch: LatchState::default() }
            }
            Judge::Approach(_) => State::Approach(Box::default()),
            Judge::Picture { rule, .. } if rule.counts_crossings() => {
                State::Counting { count: Box::default(), latch: LatchState::default() }
            }
            Judge::Movement { movement, .. } => {
                State::Movement { trail: Box::new(movement.trail()), latch: LatchState::default() }
            }
            Judge::Hotspot { heating, .. } if heating.remembers() => {
                State::Heat { trace: Box::default(), latch: LatchState::default() }
            }
            Judge::Reading { test, .. } => match test.memory() {
                Some(memory) => State::Reading { memory: Box::new(memory), latch: LatchState::default() },
                None => State::Latch(LatchState::default()),
            },
            _ => State::Latch(LatchState::default()),
        }
    }

    /// Whether this state is one that the rule's kind writes.
    pub(super) fn fits(&self, judge: &Judge) -> bool {
        if let (State::Reading { memory, .. }, Judge::Reading { test, .. }) = (self, judge) {
            return memory.fits(test);
        }
        if let (State::Condition { readings, .. }, Judge::Condition { condition, .. }) = (self, judge) {
            return readings.fits(condition);
        }
        if let (State::Movement { trail, .. }, Judge::Movement { movement, .. }) = (self, judge) {
            return trail.fits(movement);
        }
        std::mem::discriminant(self) == std::mem::discriminant(&State::new(judge))
    }

    /// The latch of every kind that has one.
    fn latch(&self) -> Option<&LatchState> {
        match self {
            State::Latch(latch)
            | State::Movement { latch, .. }
            | State::Reading { latch, .. }
            | State::Counting { latch, .. }
            | State::Heat { latch, .. }
            | State::Condition { latch, .. } => Some(latch),
            State::Silent(_) | State::Approach(_) => None,
        }
    }

    fn latch_mut(&mut self) -> Option<&mut LatchState> {
        match self {
            State::Latch(latch)
            | State::Movement { latch, .. }
            | State::Reading { latch, .. }
            | State::Counting { latch, .. }
            | State::Heat { latch, .. }
            | State::Condition { latch, .. } => Some(latch),
            State::Silent(_) | State::Approach(_) => None,
        }
    }

    pub(super) fn rebase(&mut self, now_ms: i64) {
        if let Some(latch) = self.latch_mut() {
            latch.rebase(now_ms);
        }
        if let State::Silent(silent) = self {
            silent.rebase(now_ms);
        }
        if let State::Movement { trail, .. } = self {
            trail.rebase(now_ms);
        }
    }

    /// Time of the fact that last changed the state.
    pub(super) fn since_at_ms(&self) -> i64 {
        match self {
            State::Silent(silent) => silent.since_at_ms,
            State::Approach(company) => company.since_at_ms(),
            _ => self.latch().map_or(0, |latch| latch.since_at_ms),
        }
    }

    pub(super) fn is_raised(&self) -> bool {
        match self {
            State::Silent(silent) => silent.is_raised(),
            State::Approach(company) => company.is_near_someone(),
            _ => self.latch().is_some_and(LatchState::is_raised),
        }
    }
}

impl Slot {
    pub(super) fn new(number: usize, rule: &Rule, source: Arc<str>, framing: Option<Arc<Framing>>) -> Slot {
        let late = (rule.lateness_ms > 0).then(|| Box::new(Late::new(rule.lateness_ms)));
        let needs_rest = framing.is_some() || late.is_some();
        Slot {
            rule: number as u32,
            must_remember: false,
            must_save: false,
            has_wrong_unit: false,
            is_unjudged: false,
            source,
            stored: Stored::new(&rule.judge),
            timer_ms: NEVER_MS,
            rest: needs_rest.then(|| Box::new(Rest { framing, late, ..Rest::default() })),
            memo: Noted::default(),
        }
    }

    /// The number of its rule.
    pub(super) fn rule(&self) -> usize {
        self.rule as usize
    }

    pub(super) fn timer_ms(&self) -> Option<i64> {
        Some(self.timer_ms).filter(|timer_ms| *timer_ms != NEVER_MS)
    }

    pub(super) fn set_timer_ms(&mut self, timer_ms: Option<i64>) {
        self.timer_ms = timer_ms.unwrap_or(NEVER_MS);
    }

    pub(super) fn stamp(&self) -> Option<&Stamp> {
        self.rest.as_ref()?.stamp.as_deref()
    }

    pub(super) fn stamp_mut(&mut self) -> &mut Stamp {
        self.rest.get_or_insert_default().stamp.get_or_insert_default()
    }

    /// What waits for those that happened before it, where the rule waits.
    pub(super) fn late(&self) -> Option<&Late> {
        self.rest.as_ref()?.late.as_deref()
    }

    pub(super) fn late_mut(&mut self) -> Option<&mut Late> {
        self.rest.as_mut()?.late.as_deref_mut()
    }

    /// Goes on where the same rule's slot under an earlier configuration stopped.
    pub(super) fn inherit(&mut self, old: Slot) {
        self.stored = old.stored;
        self.memo = old.memo;
        if let Some(pictures) = old.rest.and_then(|rest| rest.pictures) {
            self.rest.get_or_insert_default().pictures = Some(pictures);
        }
    }

    /// The alerts of others that are open together with the newest, where that is, and which way it goes.
    pub(super) fn stands_together(&mut self, names: String, point: Option<Point>, course: Option<Course>) {
        self.memo.set(Memo::Together { names, point, course });
    }

    pub(super) fn observe(&mut self, rule: &Rule, observation: &Observation, scratch: &mut Scratch) -> Turn {
        (self.must_remember, self.must_save, self.has_wrong_unit) = (false, false, false);
        let moment = Moment { at_ms: observation.at_ms, now_ms: observation.received_ms };
        if !self.is_on_duty(rule, moment.at_ms) {
            return Turn::Stay;
        }
        match (&rule.judge, &observation.fact) {
            (Judge::Reading { unit, test, latch, .. }, Fact::Reading(reading)) => {
                if unit.is_some() && *unit != reading.unit {
                    self.has_wrong_unit = true;
                    return Turn::Stay;
                }
                let judged = match &mut self.stored.state {
                    State::Reading { memory, .. } => {
                        self.must_remember = true;
                        test.judge_with(memory, reading.value, moment.at_ms)
                    }
                    _ => test.judge(reading.value),
                };
                let Some((signal, finding)) = judged else { return Turn::Stay };
                if signal == Signal::On || self.stored.state.is_raised() {
                    self.memo.set(Memo::Value { value: reading.value, unit: reading.unit.clone(), finding });
                }
                self.latched(latch, signal, moment)
            }
            (Judge::Condition { condition, units, .. }, Fact::Reading(reading)) => {
                let Some(number) = condition.number_of(&reading.metric) else { return Turn::Stay };
                if units[number].is_some() && units[number] != reading.unit {
                    self.has_wrong_unit = true;
                    return Turn::Stay;
                }
                let last = Last { value: reading.value, unit: reading.unit.clone(), at_ms: moment.at_ms };
                if let State::Condition { readings, .. } = &mut self.stored.state
                    && readings.note(number, last)
                {
                    self.must_remember = true;
                    self.is_unjudged = true;
                }
                Turn::Stay
            }
            (Judge::Silent(silent), fact) if !matches!(fact, Fact::Link(_)) => match &mut self.stored.state {
                State::Silent(state) => silent.heard(state, moment),
                _ => Turn::Stay,
            },
            (Judge::Dark(silent), fact) => {
                let live = match fact {
                    Fact::Picture(_) => true,
                    Fact::Link(link) => {
                        self.memo.set(Memo::Link { state: link.state, reason: link.reason });
                        link.state == LinkState::Live
                    }
                    _ => false,
                };
                match &mut self.stored.state {
                    State::Silent(state) if live => silent.heard(state, moment),
                    State::Silent(state) => silent.expect(state, moment.now_ms),
                    _ => Turn::Stay,
                }
            }
            (Judge::Movement { .. } | Judge::Approach(_), Fact::Position(position)) => {
                self.moved(rule, position, moment, &mut scratch.signs)
            }
            (Judge::Hotspot { heating, latch }, Fact::Thermal(frame)) => {
                self.heated(heating, latch, frame, moment, &mut scratch.hotspot)
            }
            (Judge::Picture { rule, latch }, Fact::Picture(facts)) => self.pictured(rule, latch, facts, moment),
            (Judge::Movement { .. }, Fact::Picture(facts)) => self.seen_on_map(rule, facts, moment),
            _ => Turn::Stay,
        }
    }

    /// The gateway tells of itself, or of the slot's camera.
    pub(super) fn trouble(&mut self, rule: &Rule, trouble: &Trouble) -> Turn {
        let Judge::Trouble { kind, latch } = &rule.judge else { return Turn::Stay };
        if *kind != trouble.kind {
            return Turn::Stay;
        }
        self.memo.set(Memo::Trouble(trouble.why.clone()));
        let signal = if trouble.is_on { Signal::On } else { Signal::Off };
        self.latched(latch, signal, Moment { at_ms: trouble.at_ms, now_ms: trouble.at_ms })
    }

    /// Judges a condition with all that came until now.
    pub(super) fn judge(&mut self, rule: &Rule, now_ms: i64) -> Turn {
        self.is_unjudged = false;
        match (&rule.judge, &mut self.stored.state) {
            (Judge::Condition { condition, latch, .. }, State::Condition { readings, latch: state }) => {
                let Some(at_ms) = readings.newest_ms() else { return Turn::Stay };
                latch.observe(state, condition.signal(readings), Moment { at_ms, now_ms })
            }
            _ => Turn::Stay,
        }
    }

    pub(super) fn due_ms(&self, rule: &Rule) -> Option<i64> {
        earlier(self.condition_due_ms(rule), self.hours_ms())
    }

    /// Whether nothing is due however long it is silent: no hold runs, no hours end, nothing waits for its turn.
    pub(super) fn is_at_rest(&self) -> bool {
        let (State::Latch(latch) | State::Reading { latch, .. }) = &self.stored.state else { return false };
        matches!(latch.phase, Phase::Quiet | Phase::Raised)
            && self.hours_ms().is_none()
            && self.late().is_none()
            && self.stored.past().flapping.is_none()
    }

    fn condition_due_ms(&self, rule: &Rule) -> Option<i64> {
        match (&rule.judge, &self.stored.state) {
            _ if self.awaits_picture(rule) => None,
            (Judge::Movement { movement, latch }, State::Movement { trail, latch: state }) => {
                earlier(latch.due_ms(state), movement.due_ms(trail))
            }
            (Judge::Silent(silent) | Judge::Dark(silent), State::Silent(state)) => silent.due_ms(state),
            (judge, state) => judge.latch()?.due_ms(state.latch()?),
        }
    }

    pub(super) fn elapse(&mut self, rule: &Rule, now_ms: i64) -> Turn {
        if self.hours_ms().is_some_and(|hours_ms| hours_ms <= now_ms) {
            return self.change_hours(rule, now_ms);
        }
        if self.awaits_picture(rule) {
            return Turn::Stay;
        }
        match (&rule.judge, &mut self.stored.state) {
            (Judge::Movement { movement, latch }, State::Movement { trail, latch: state }) => {
                movement.elapse(trail, now_ms, &mut self.rest.get_or_insert_default().signs);
                latch.elapse(state, now_ms)
            }
            (Judge::Silent(silent) | Judge::Dark(silent), State::Silent(state)) => silent.elapse(state, now_ms),
            (judge, state) => match (judge.latch(), state.latch_mut()) {
                (Some(latch), Some(state)) => latch.elapse(state, now_ms),
                _ => Turn::Stay,
            },
        }
    }

    /// Ends the hold that was over when the next observation in order happened: what waited in between, and came with it,
    /// says no more than a clock that had run on.
    pub(super) fn elapse_until(&mut self, rule: &Rule, at_ms: i64) -> Turn {
        if let (Judge::Movement { movement, .. }, State::Movement { trail, .. }) = (&rule.judge, &mut self.stored.state)
        {
            movement.elapse_until(trail, at_ms, &mut self.rest.get_or_insert_default().signs);
        }
        let (Some(latch), Some(state)) = (rule.judge.latch(), self.stored.state.latch_mut()) else { return Turn::Stay };
        let now_ms = state.since_now_ms.saturating_add(at_ms.saturating_sub(state.since_at_ms));
        latch.elapse(state, now_ms)
    }

    /// The source ought to speak though it never did.
    pub(super) fn expect(&mut self, rule: &Rule, now_ms: i64) -> Turn {
        if !self.is_on_duty(rule, now_ms) {
            self.set_hours_ms(rule.schedule.as_ref().and_then(|schedule| schedule.next_change_ms(now_ms)));
            return Turn::Stay;
        }
        match (&rule.judge, &mut self.stored.state) {
            (Judge::Silent(silent) | Judge::Dark(silent), State::Silent(state)) => silent.expect(state, now_ms),
            _ => Turn::Stay,
        }
    }

    fn latched(&mut self, latch: &Latch, signal: Signal, moment: Moment) -> Turn {
        match &mut self.stored.state {
            State::Latch(state)
            | State::Reading { latch: state, .. }
            | State::Counting { latch: state, .. }
            | State::Heat { latch: state, .. } => latch.observe(state, signal, moment),
            State::Movement { .. } | State::Silent(_) | State::Condition { .. } | State::Approach(_) => Turn::Stay,
        }
    }

    /// Whether a fault of sight was seen and has yet to be seen again: between two pictures of a camera at rest may be longer
    /// than the hold, and one bad picture is no fault that lasts. A camera without further ones is dark.
    fn awaits_picture(&self, rule: &Rule) -> bool {
        matches!(&rule.judge, Judge::Picture { rule, .. } if rule.is_about_sight()) && self.is_holding()
    }

    fn is_holding(&self) -> bool {
        self.stored.state.latch().is_some_and(|latch| latch.phase == Phase::Holding)
    }
}

impl Judge {
    fn latch(&self) -> Option<&Latch> {
        match self {
            Judge::Reading { latch, .. }
            | Judge::Condition { latch, .. }
            | Judge::Movement { latch, .. }
            | Judge::Hotspot { latch, .. }
            | Judge::Picture { latch, .. }
            | Judge::Trouble { latch, .. } => Some(latch),
            Judge::Silent(_) | Judge::Dark(_) | Judge::Together(_) | Judge::Approach(_) => None,
        }
    }
}

pub(super) fn seconds(ms: i64) -> String {
    if ms % 1000 == 0 { format!("{} s", ms / 1000) } else { format!("{:.1} s", ms as f64 / 1000.0) }
}
