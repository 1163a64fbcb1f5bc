//! Watch: every rule over every observation. Pure: no clock, lock, await, I/O or error inside; the same input gives
//! the same effects, live, in replay and after a restart. Time is the observation's own receive time, or the one
//! given to [`Watch::elapse`].

pub(super) mod along;
pub(super) mod approach;
mod joined;
mod message;
pub(super) mod reload;
mod remembered;
mod shown;
mod together;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use outpost_detectors::flapping::Opening;
use outpost_detectors::latch::Turn;
use outpost_detectors::observation::Observation;
use outpost_fences::FenceSet;

use self::message::Unjudged;
use self::together::Parts;
use super::names::Names;
use super::picture::Cameras;
use super::redo::Redo;
use super::rules::{self, Judge, Rule, RuleError};
use super::sight::{Views, camera_of};
use super::slot::{Scratch, Slot, Stored, seconds};
use crate::config::Config;
use crate::nouns::{Alert, AlertKey, Cleared, Joined, Place, RedoChange, Shown, StateRow, Trouble};

/// What must be committed before the observation is acknowledged.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Save(StateRow),
    /// What rules remembered since the last batch.
    Remember(RedoChange),
    Open(Box<Alert>),
    /// Another source sees it, too.
    Join(Joined),
    /// One more picture of what is open.
    Show(Box<Shown>),
    Clear(Cleared),
}

pub struct Watch {
    rules: Vec<Rule>,
    cameras: Cameras,
    places: HashMap<Arc<str>, Place>,
    views: Views,
    /// Cameras that see in visible light what thermal sources see.
    visible: HashMap<Arc<str>, Arc<str>>,
    names: Names,
    /// First and last+1 slot of each source, by the number of its name; a source without rules has none.
    of_source: Vec<(u32, u32)>,
    slots: Vec<Slot>,
    timers: BTreeSet<(i64, usize)>,
    redo: Redo,
    unjudged: Unjudged,
    parts: Parts,
    /// Slots of each rule that looks at who comes near to whom.
    movers: HashMap<usize, Vec<usize>>,
    /// Slots of each rule whose alerts several sources may share.
    sharers: HashMap<usize, Vec<usize>>,
    scratch: Scratch,
    n_ignored: u64,
    n_late: u64,
    n_wrong_unit: u64,
}

impl Watch {
    pub fn new(config: &Config, fences: &FenceSet) -> Result<Watch, RuleError> {
        let cameras = Cameras::new(config)?;
        let mut places = HashMap::new();
        for camera in &config.cameras {
            places.insert(format!("cam:{}", camera.id).into(), place(&camera.name, camera.place));
        }
        for source in &config.sources {
            places.insert(source.id.as_str().into(), place(&source.name, source.place));
        }
        let visible = config
            .sources
            .iter()
            .filter_map(|source| Some((source.id.as_str().into(), source.visible.as_deref()?.into())));
        Ok(Watch {
            rules: rules::compile(config, fences)?,
            cameras,
            places,
            views: Views::new(config, fences),
            visible: visible.collect(),
            names: Names::new(config.pipeline.sources_max),
            of_source: Vec::new(),
            slots: Vec::new(),
            timers: BTreeSet::new(),
            redo: Redo::new(),
            unjudged: Unjudged::default(),
            parts: Parts::default(),
            movers: HashMap::new(),
            sharers: HashMap::new(),
            scratch: Scratch::default(),
            n_ignored: 0,
            n_late: 0,
            n_wrong_unit: 0,
        })
    }

    /// Goes on from stored states. What no rule fits any more is cleared and forgotten, as effects.
    pub fn restore(&mut self, states: Vec<StateRow>, now_ms: i64, effects: &mut Vec<Effect>) {
        for row in states {
            let stored: Option<Stored> = serde_json::from_str(&row.state).ok();
            let slots = self.slots_of(&row.source);
            let slot = slots.and_then(|mut slots| slots.find(|slot| self.rule_of(*slot).key == row.rule));
            match (stored, slot) {
                (Some(mut stored), Some(slot)) if stored.state.fits(&self.rule_of(slot).judge) => {
                    stored.state.rebase(now_ms);
                    let mut late = None;
                    if let Some(past) = stored.past_if_any() {
                        past.flapping.iter_mut().for_each(|flapping| flapping.rebase(now_ms));
                        late = past.late.take();
                    }
                    self.slots[slot].stored = stored;
                    let rule = &self.rules[self.slots[slot].rule()];
                    self.slots[slot].resume_hours(rule, now_ms);
                    self.wait_on(slot, late, effects);
                }
                (stored, _) => effects.extend(forget(row.rule, row.source, stored, now_ms, "rule changed")),
            }
        }
        self.regroup();
    }

    /// These sources ought to speak: silence counts from now even if they never did.
    pub fn expect<'a>(&mut self, sources: impl IntoIterator<Item = &'a str>, now_ms: i64, effects: &mut Vec<Effect>) {
        for source in sources {
            let source: Arc<str> = source.into();
            for slot in self.slots_of(&source).unwrap_or_default() {
                let rule = &self.rules[self.slots[slot].rule()];
                let turn = self.slots[slot].expect(rule, now_ms);
                self.turned(slot, turn, now_ms, effects);
            }
        }
    }

    pub fn step(&mut self, observation: &Observation, effects: &mut Vec<Effect>) {
        self.message_begins(observation, effects);
        let Some(slots) = self.slots_of(&observation.source) else {
            self.n_ignored += 1;
            return;
        };
        for slot in slots {
            self.take(slot, observation, effects);
            // Not after a restart: whom it was near was written with each change.
            if self.slots[slot].has_moved(observation.at_ms) {
                self.meet(slot, observation.received_ms, effects);
            }
        }
    }

    fn judge(&mut self, number: usize, observation: &Observation, effects: &mut Vec<Effect>) {
        let slot = &mut self.slots[number];
        let rule = &self.rules[slot.rule()];
        if !rule.hears(&observation.fact) {
            return;
        }
        let turn = slot.observe(rule, observation, &mut self.scratch);
        self.n_wrong_unit += u64::from(slot.has_wrong_unit);
        if slot.is_unjudged {
            self.unjudged.add(number, observation);
        }
        // What waited for its turn was noted when it came.
        let is_noted = !slot.must_remember
            || slot.late().is_some()
            || self.redo.note(number, &rule.key, observation, slot.stamp_mut());
        if slot.must_save || !is_noted {
            effects.push(self.save(number));
        }
        self.show(number, effects);
        if turn != Turn::Stay || !self.slots[number].is_at_rest() {
            self.all_turned(number, turn, observation.received_ms, effects);
        }
    }

    /// What the gateway says of itself, or of how a camera sends.
    pub fn trouble(&mut self, trouble: &Trouble, effects: &mut Vec<Effect>) {
        for slot in self.slots_of(&trouble.source).unwrap_or_default() {
            let rule = &self.rules[self.slots[slot].rule()];
            let turn = self.slots[slot].trouble(rule, trouble);
            self.turned(slot, turn, trouble.at_ms, effects);
        }
    }

    /// Of each source that has a state: when it last changed, by the source's time.
    pub fn resumed(&self) -> impl Iterator<Item = (&Arc<str>, i64)> {
        self.slots.iter().map(|slot| (&slot.source, slot.stored.state.since_at_ms()))
    }

    /// When [`Watch::elapse`] next has something to do. May be early, never late.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.timers.first().map(|(due_ms, _)| *due_ms)
    }

    /// Ends the waits that nothing ended until `now_ms`.
    pub fn elapse(&mut self, now_ms: i64, effects: &mut Vec<Effect>) {
        self.message_ends(effects);
        self.ring(now_ms, effects);
    }

    fn ring(&mut self, now_ms: i64, effects: &mut Vec<Effect>) {
        while let Some((due_ms, slot)) = self.timers.first().copied() {
            if due_ms > now_ms {
                return;
            }
            self.timers.pop_first();
            self.slots[slot].set_timer_ms(None);
            self.judge_sorted(slot, now_ms, effects);
            self.rest(slot, now_ms, effects);
            let rule = &self.rules[self.slots[slot].rule()];
            let turn = self.slots[slot].elapse(rule, now_ms.saturating_sub(rule.behind_ms()));
            self.all_turned(slot, turn, now_ms, effects);
        }
    }

    /// Ends the earliest wait that nothing ended until `until_ms`, at its own time, and returns that: for who plays time.
    pub fn elapse_next(&mut self, until_ms: i64, effects: &mut Vec<Effect>) -> Option<i64> {
        if let Some(received_ms) = self.message_ends_before(until_ms, effects) {
            return Some(received_ms);
        }
        let due_ms = self.next_due_ms().filter(|due_ms| *due_ms <= until_ms)?;
        self.ring(due_ms, effects);
        Some(due_ms)
    }

    pub fn n_sources(&self) -> usize {
        self.names.len()
    }

    /// Observations of sources beyond `pipeline.sources_max`.
    pub fn n_ignored(&self) -> u64 {
        self.n_ignored
    }

    /// Observations that came after something later was judged.
    pub fn n_late(&self) -> u64 {
        self.n_late
    }

    /// Readings that rules refused because of their unit.
    pub fn n_wrong_unit(&self) -> u64 {
        self.n_wrong_unit
    }

    fn rule_of(&self, slot: usize) -> &Rule {
        &self.rules[self.slots[slot].rule()]
    }

    /// The slots of a source, made where it is new; none when there is no room.
    fn slots_of(&mut self, source: &Arc<str>) -> Option<Range<usize>> {
        if let Some(number) = self.names.find(source) {
            return Some(self.slots_of_name(number));
        }
        self.names.add(source)?;
        let first = self.slots.len();
        for (number, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.matches(source)) {
            match rule.judge {
                Judge::Approach(_) => self.movers.entry(number).or_default().push(self.slots.len()),
                Judge::Hotspot { .. } => self.sharers.entry(number).or_default().push(self.slots.len()),
                _ => {}
            }
            self.slots.push(Slot::new(number, rule, source.clone(), self.cameras.framing(source, &rule.judge)));
        }
        self.of_source.push((first as u32, self.slots.len() as u32));
        Some(first..self.slots.len())
    }

    fn slots_of_name(&self, number: usize) -> Range<usize> {
        let (first, end) = self.of_source[number];
        first as usize..end as usize
    }

    /// Tells what a turn means, and those that it left to come.
    fn all_turned(&mut self, slot: usize, turn: Turn, now_ms: i64, effects: &mut Vec<Effect>) {
        let mut turn = turn;
        loop {
            self.turned(slot, turn, now_ms, effects);
            let rule = &self.rules[self.slots[slot].rule()];
            turn = self.slots[slot].next_turn(rule, now_ms);
            if turn == Turn::Stay {
                return;
            }
        }
    }

    /// Tells what a turn means, and sets the timer for what may follow it.
    fn turned(&mut self, slot: usize, turn: Turn, now_ms: i64, effects: &mut Vec<Effect>) {
        match turn {
            Turn::Stay => {}
            Turn::Shift => effects.push(self.save(slot)),
            Turn::Raise { since_at_ms } => {
                let opening = match self.rule_of(slot).flapping {
                    Some(flapping) => {
                        flapping.opens(self.slots[slot].stored.past_mut().flapping.get_or_insert_default(), since_at_ms)
                    }
                    None => Opening::Plain,
                };
                if opening == Opening::Suppressed {
                    effects.push(self.save(slot));
                    return self.schedule(slot);
                }
                let sighting = self.sight(slot).map(Box::new);
                let past = self.slots[slot].stored.past_mut();
                (past.sighting, past.opened_by) = (sighting, None);
                if self.join(slot, effects) {
                    self.correlate(slot, true, now_ms, effects);
                    return self.schedule(slot);
                }
                self.slots[slot].stored.past_mut().n_alerts += 1;
                let mut alert = self.alert(slot, since_at_ms, now_ms);
                alert.exhibits = self.exhibit(slot);
                if let (Opening::Flaps(n), Some(flapping)) = (opening, self.rule_of(slot).flapping) {
                    let within = seconds(flapping.within_ms());
                    alert.why.text += &format!("; {n} times within {within}, stays open until it rests for as long");
                }
                self.slots[slot].stored.past_mut().alert = Some(alert.id.clone());
                effects.push(self.save(slot));
                effects.push(Effect::Open(Box::new(alert)));
                self.correlate(slot, true, now_ms, effects);
            }
            Turn::Clear if !self.clears(slot, now_ms) => effects.push(self.save(slot)),
            Turn::Clear => {
                let id = self.slots[slot].stored.past_if_any().and_then(|past| past.alert.take());
                effects.push(self.save(slot));
                let (key, why) = (self.key(slot), self.slots[slot].why_cleared(self.rule_of(slot)));
                let id = id.filter(|id| !self.is_held(slot, id));
                effects.extend(id.map(|id| Effect::Clear(Cleared { id, key, cleared_ms: now_ms, why })));
                self.correlate(slot, false, now_ms, effects);
            }
        }
        self.schedule(slot);
    }

    /// Whether the alert is over when its condition is: one that flaps has to rest first.
    fn clears(&mut self, slot: usize, now_ms: i64) -> bool {
        let flapping = self.rule_of(slot).flapping;
        let state = self.slots[slot].stored.past_if_any().and_then(|past| past.flapping.as_mut());
        flapping.zip(state).is_none_or(|(flapping, state)| flapping.clears(state, now_ms))
    }

    /// Clears what flapped and has rested, or has a rule that knows no flapping any more.
    fn rest(&mut self, slot: usize, now_ms: i64, effects: &mut Vec<Effect>) {
        if self.rests_until_ms(slot).is_none_or(|due_ms| due_ms > now_ms) {
            return;
        }
        let past = self.slots[slot].stored.past_mut();
        let n_suppressed = past.flapping.take().map_or(0, |mut state| state.end());
        let id = past.alert.take();
        effects.push(self.save(slot));
        let (key, why) = (self.key(slot), format!("rested, {n_suppressed} more openings were suppressed"));
        effects.extend(id.map(|id| Effect::Clear(Cleared { id, key, cleared_ms: now_ms, why })));
        self.correlate(slot, false, now_ms, effects);
    }

    fn rests_until_ms(&self, slot: usize) -> Option<i64> {
        let state = self.slots[slot].stored.past().flapping.as_ref()?;
        match self.rule_of(slot).flapping {
            Some(flapping) => flapping.due_ms(state),
            None => state.resting_since_ms,
        }
    }

    fn key(&self, slot: usize) -> AlertKey {
        let rule = self.rule_of(slot);
        AlertKey { rule: rule.id.clone(), source: self.slots[slot].source.clone(), fence: rule.fence().cloned() }
    }

    fn alert(&self, number: usize, since_at_ms: i64, now_ms: i64) -> Alert {
        let (rule, key, slot) = (self.rule_of(number), self.key(number), &self.slots[number]);
        let mut place = match &slot.stored.past().sighting {
            Some(seen) => self.place_of(&slot.source, seen, None),
            None => self.known_place(&slot.source),
        };
        if let Some(point) = slot.point() {
            (place.point, place.accuracy_m) = (Some(point), slot.accuracy_m());
        }
        Alert {
            id: key.alert_id(since_at_ms, slot.stored.past().n_alerts),
            key,
            name: rule.name.clone(),
            severity: rule.severity,
            category: rule.category.clone(),
            since_at_ms,
            opened_ms: now_ms,
            place,
            why: slot.why(rule, rule.judge.hold_ms()),
            snapshot: slot.snapshot(rule),
            exhibits: Vec::new(),
            confidence: self.confidence(number),
            visible: self.visible(number),
        }
    }

    /// Name and point of a source as it is configured; of a camera's preset, those of the camera.
    fn known_place(&self, source: &Arc<str>) -> Place {
        let known = self.places.get(source).or_else(|| self.places.get(camera_of(source)));
        known.cloned().unwrap_or_default()
    }

    /// Sets the timer to what is due, if that is earlier than what it is set to. A timer that rings early finds
    /// nothing to do and is set again: so a source that speaks often moves no timer.
    fn schedule(&mut self, slot: usize) {
        let rule = self.rule_of(slot);
        let due_ms = self.slots[slot].due_ms(rule).map(|due_ms| due_ms.saturating_add(rule.behind_ms()));
        let sorted_ms = self.slots[slot].late().and_then(|late| late.due_ms());
        let Some(due_ms) = earlier(earlier(due_ms, sorted_ms), self.rests_until_ms(slot)) else { return };
        match self.slots[slot].timer_ms() {
            Some(timer_ms) if timer_ms <= due_ms => return,
            Some(timer_ms) => {
                self.timers.remove(&(timer_ms, slot));
            }
            None => {}
        }
        self.slots[slot].set_timer_ms(Some(due_ms));
        self.timers.insert((due_ms, slot));
    }
}

/// The earlier of two times, either of which may never be.
pub(super) fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Clears what a rule that is no more has open, and drops its state.
fn forget(
    rule: Arc<str>,
    source: Arc<str>,
    stored: Option<Stored>,
    now_ms: i64,
    why: &str,
) -> impl Iterator<Item = Effect> + use<> {
    let key = AlertKey { rule: rules::id_of(&rule).into(), source: source.clone(), fence: None };
    let why = why.into();
    let clear = |id| Effect::Clear(Cleared { id, key, cleared_ms: now_ms, why });
    let cleared = stored.and_then(|stored| stored.past().alert.clone()).map(clear);
    cleared.into_iter().chain([Effect::Save(StateRow { rule, source, state: String::new() })])
}

fn place(name: &str, point: Option<[f64; 2]>) -> Place {
    let name = (!name.is_empty()).then(|| name.into());
    Place { name, point: point.map(|[lon, lat]| (lon, lat)), ..Place::default() }
}

#[cfg(test)]
mod heat_tests;
#[cfg(test)]
mod moving_tests;
#[cfg(test)]
mod picture_tests;
#[cfg(test)]
mod several_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trouble_tests;
