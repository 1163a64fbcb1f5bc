//! From alerts to tickets: what is withheld, what has a ticket of its own, what belongs to a group or a storm, and what nobody
//! believes yet.

use std::sync::Arc;

use super::ground::Route;
use super::mutes::By;
use super::places::Spot;
use super::{Desk, Effect, Entry, SELF};
use crate::config::pattern::SourcePattern;
use crate::config::{Rule, Severity};
use crate::nouns::{
    Alert, Clock, Confidence, Counts, Move, Place, Refusal, Silence, SilenceAsk, Stage, Standing, Storm, Ticket,
    WorkAsk, WorkOrder,
};

/// Alerts of a group of which each is in the journal; of further ones those that begin a power of ten.
const GROUP_TOLD_MAX: u64 = 10;

/// From so many alerts of a storm on, and from ten times as many each time, its journal tells how many there are.
const STORM_TOLD_FROM: u64 = 100;

impl Desk {
    pub fn alert_opened(&mut self, alert: &Alert, now_ms: i64, effects: &mut Vec<Effect>) {
        if self.by_alert.contains_key(&alert.id) || self.mutes.is_withheld(&alert.id) {
            return;
        }
        self.mutes.note(&alert.id, &alert.key.rule, &alert.key.source);
        match self.mutes.by(alert, now_ms) {
            Some(by) => self.withhold(alert, &by, effects),
            None => self.take_in(alert, now_ms, effects),
        }
    }

    /// Begins or ends a silence.
    pub fn silence(&mut self, ask: &SilenceAsk, now_ms: i64, effects: &mut Vec<Effect>) -> Result<Silence, Refusal> {
        let silence = self.mutes.ask(ask, now_ms)?;
        effects.push(Effect::Silence(silence.clone()));
        self.release(now_ms, effects);
        Ok(silence)
    }

    /// Enters, changes or ends work orders. All that changed; those that were entered come last.
    pub fn work(&mut self, ask: &WorkAsk, now_ms: i64, effects: &mut Vec<Effect>) -> Result<Vec<WorkOrder>, Refusal> {
        let changed = self.mutes.works.ask(ask, now_ms)?;
        effects.extend(changed.iter().cloned().map(Effect::Work));
        self.release(now_ms, effects);
        Ok(changed)
    }

    /// Rules were changed.
    pub fn take_rules(&mut self, rules: &[Rule]) {
        self.mutes.works.take_rules(rules);
        self.has_to_look = true;
    }

    fn withhold(&mut self, alert: &Alert, by: &By, effects: &mut Vec<Effect>) {
        self.mutes.withhold(alert);
        effects.push(Effect::Withhold { alert: alert.id.clone(), by: by.to_string(), reason: by.reason() });
        effects.extend(self.mutes.count(by).map(Effect::Silence));
        if let By::Work(id) = by {
            effects.extend(self.mutes.works.count(id).map(Effect::Work));
        }
    }

    /// Tickets for what was withheld and is no longer muted.
    pub(super) fn release(&mut self, now_ms: i64, effects: &mut Vec<Effect>) {
        for alert in self.mutes.take_free(now_ms) {
            effects.push(Effect::Release(alert.id.clone()));
            self.take_in(&alert, now_ms, effects);
        }
    }

    /// A ticket of its own, or a place in the storm of its source.
    fn take_in(&mut self, alert: &Alert, now_ms: i64, effects: &mut Vec<Effect>) {
        let source = &alert.key.source;
        if let Some(no) = self.storms.hit(source, now_ms) {
            match self.live.get(&no).map(|live| live.ticket.clone()) {
                Some(storm) if storm.stage.standing() == Standing::Open => {
                    return self.join_storm(&storm, alert, now_ms, effects);
                }
                // Somebody ended the ticket: what comes now is news.
                _ => self.storms.end(source),
            }
        }
        let spot = self.groups.spot(alert, self.classes.grids());
        if let Some(spot) = &spot
            && let Some(ticket) = self.group_of(alert, spot, now_ms, effects)
        {
            return self.join_group(&ticket, alert, spot, now_ms, effects);
        }
        let ticket = self.ticket(alert, now_ms);
        if let Some(spot) = spot {
            let head = (alert.since_at_ms, alert.id.clone());
            self.groups.begin(ticket.no, &alert.category, spot, head, now_ms);
        }
        self.by_alert.insert(alert.id.clone(), ticket.no);
        effects.push(Effect::Member { alert: alert.id.clone(), ticket: ticket.no });
        let ticket = self.record(ticket, opened(alert.why.text.clone()), now_ms, effects);
        self.by_policy(&ticket, now_ms, effects);
        if let Some(parts) = self.storms.opened(source, ticket.no, now_ms) {
            self.begin_storm(alert, &parts, now_ms, effects);
        }
    }

    fn is_doubted(&self, alert: &Alert) -> bool {
        alert.confidence.as_ref().is_some_and(|confidence| confidence.share < self.confirm_below)
    }

    pub(super) fn ticket(&mut self, alert: &Alert, now_ms: i64) -> Ticket {
        let no = self.next_no;
        self.next_no += 1;
        let is_doubted = self.is_doubted(alert);
        let stage = if is_doubted { Stage::Suspected } else { Stage::Reported };
        let Route { centre, beside } = self.centres.route(&alert.key.source, &alert.category, &alert.place);
        let mut ticket = Ticket {
            no,
            alert: alert.id.clone(),
            rule: alert.key.rule.clone(),
            source: alert.key.source.clone(),
            fence: alert.key.fence.clone(),
            title: alert.name.clone(),
            why: alert.why.text.as_str().into(),
            severity: alert.severity,
            category: alert.category.clone(),
            place: alert.place.clone(),
            confidence: alert.confidence.clone(),
            stage,
            held: None,
            is_emergency: alert.severity >= self.emergency_from && !is_doubted,
            is_private: self.private.iter().any(|pattern| pattern.matches(&alert.category)),
            is_force_majeure: false,
            centre,
            beside,
            lead: None,
            unit: None,
            officer: None,
            lease_ms: None,
            handlers: Vec::new(),
            opened_ms: now_ms,
            closed_ms: None,
            whole: self.clocks.whole(alert.severity, &alert.category, now_ms),
            step: self.clocks.step(&alert.category, stage, now_ms),
            extension: None,
            into: None,
            n_alerts: 1,
            n_alerts_on: 1,
            storm: None,
            counts: Counts::default(),
            score: None,
            call: None,
            n_journal: 0,
        };
        ticket.call = self.calls.begin(&ticket, &self.centres, now_ms);
        ticket
    }

    /// Emergencies are told to all levels at once; some tickets are dispatched as they come. What somebody has to look at
    /// first waits for that.
    pub(super) fn by_policy(&mut self, ticket: &Arc<Ticket>, now_ms: i64, effects: &mut Vec<Effect>) {
        let mut ticket = ticket.clone();
        if ticket.stage != Stage::Reported {
            return;
        }
        if ticket.is_emergency {
            let told: Vec<_> = self.centres.upwards(&ticket.centre).map(|(id, _)| &**id).collect();
            let note = format!("told to {}", told.join(", "));
            let entry = Entry { who: SELF, what: "emergency", note, kind: "outpost.ticket.emergency" };
            ticket = self.record(Ticket::clone(&ticket), entry, now_ms, effects);
        }
        let fits = |(category, from, _): &&(SourcePattern, Severity, Arc<str>)| {
            ticket.severity >= *from && (category.as_str() == "#" || category.matches(&ticket.category))
        };
        if let Some((_, _, unit)) = self.dispatch.iter().find(fits) {
            let unit = unit.clone();
            let mut ticket = Ticket::clone(&ticket);
            ticket.stage = Stage::Dispatched;
            ticket.step = self.clocks.step(&ticket.category, ticket.stage, now_ms);
            ticket.lead = Some(ticket.centre.clone());
            let note = format!("to {unit}: by policy");
            ticket.unit = Some(unit);
            self.record(ticket, Entry::own(Move::Dispatch, note), now_ms, effects);
        }
    }

    /// The open ticket of the group that an alert belongs to. Where the alert lies between several they become one, but for
    /// those that somebody has begun to work on.
    fn group_of(&mut self, alert: &Alert, spot: &Spot, now_ms: i64, effects: &mut Vec<Effect>) -> Option<Arc<Ticket>> {
        let near = self.groups.near(&alert.category, spot, now_ms);
        let live = near.into_iter().filter_map(|no| Some(self.live.get(&no)?.ticket.clone()));
        let open = live.filter(|ticket| ticket.stage.standing() == Standing::Open && ticket.storm.is_none());
        let mut open = open.collect::<Vec<_>>().into_iter();
        let first = open.next()?;
        for part in open.filter(|part| is_untouched(part)) {
            self.absorb(&part, first.no, now_ms, effects);
        }
        self.live.get(&first.no).map(|live| live.ticket.clone())
    }

    /// Two groups are one.
    fn absorb(&mut self, part: &Ticket, into: u64, now_ms: i64, effects: &mut Vec<Effect>) {
        let of = |desk: &Desk| desk.live.get(&into).map(|live| live.ticket.clone());
        let Some(before) = of(self) else { return };
        let is_first = self.groups.absorb(part.no, into);
        self.merge(part, into, now_ms, effects);
        let Some(whole) = of(self) else { return };
        let mut changed = Ticket::clone(&whole);
        if is_first && is_untouched(&whole) {
            Told::from(part).put(&mut changed);
        }
        self.grow(changed, (&before, part.severity), part.confidence.as_ref(), part.stage, now_ms, effects);
    }

    fn join_group(&mut self, whole: &Ticket, alert: &Alert, spot: &Spot, now_ms: i64, effects: &mut Vec<Effect>) {
        let head = (alert.since_at_ms, alert.id.clone());
        let is_first = self.groups.join(whole.no, &alert.category, spot.clone(), head);
        self.by_alert.insert(alert.id.clone(), whole.no);
        effects.push(Effect::Member { alert: alert.id.clone(), ticket: whole.no });
        let n_alerts = whole.n_alerts + 1;
        let mut changed = Ticket { n_alerts, n_alerts_on: whole.n_alerts_on + 1, ..whole.clone() };
        // Who works on it knows it by what it is told by.
        if is_first && is_untouched(whole) {
            Told::from(alert).put(&mut changed);
        }
        let changed = if n_alerts <= GROUP_TOLD_MAX || n_alerts.ilog10() > (n_alerts - 1).ilog10() {
            let note = format!("{n_alerts} alerts; {}: {}", alert.key.source, alert.why.text);
            let entry = Entry { who: SELF, what: "grouped", note, kind: "outpost.ticket.grouped" };
            self.record(changed, entry, now_ms, effects)
        } else {
            self.update(changed, effects)
        };
        let stage = if self.is_doubted(alert) { Stage::Suspected } else { Stage::Reported };
        self.grow(Ticket::clone(&changed), (whole, alert.severity), alert.confidence.as_ref(), stage, now_ms, effects);
    }

    /// What a ticket is by what joined it: as severe as the worst, as sure as the surest. `stage` is that of what joined.
    fn grow(
        &mut self,
        mut changed: Ticket,
        (before, severity): (&Ticket, Severity),
        confidence: Option<&Confidence>,
        stage: Stage,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) {
        changed.severity = before.severity.max(severity);
        changed.confidence = surer(before.confidence.as_ref(), confidence);
        let is_sure_now = changed.stage == Stage::Suspected && stage != Stage::Suspected;
        if is_sure_now {
            changed.stage = Stage::Reported;
            changed.step = self.clocks.step(&changed.category, changed.stage, now_ms);
        }
        let is_worse = changed.severity > before.severity;
        if is_worse && changed.whole.left_ms.is_none() && changed.counts.extended == 0 {
            // As if the worst had come first.
            let whole = self.clocks.whole(changed.severity, &changed.category, changed.opened_ms);
            changed.whole = Clock { n_told: changed.whole.n_told, ..whole };
        }
        let is_emergency = changed.stage != Stage::Suspected && changed.severity >= self.emergency_from;
        let is_urgent_now = is_emergency && !before.is_emergency;
        changed.is_emergency |= is_emergency;
        let changed = if is_sure_now {
            let entry = Entry { who: SELF, what: "surer", note: String::new(), kind: "outpost.ticket.surer" };
            self.record(changed, entry, now_ms, effects)
        } else if self.live.get(&changed.no).is_some_and(|live| *live.ticket == changed) {
            return;
        } else {
            self.update(changed, effects)
        };
        if is_sure_now || is_worse || is_urgent_now {
            self.by_policy(&changed, now_ms, effects);
        }
    }

    /// A ticket that nobody has begun to work on becomes part of another one.
    fn merge(&mut self, part: &Ticket, into: u64, now_ms: i64, effects: &mut Vec<Effect>) {
        let merged =
            Ticket { stage: Stage::Merged, into: Some(into), closed_ms: Some(now_ms), step: None, ..part.clone() };
        let merged = self.record(merged, Entry::own(Move::Merge, format!("into T-{into}")), now_ms, effects);
        self.give(&merged, into, now_ms, effects);
    }

    /// One ticket for a source that has had too many: it takes in those that nobody has begun to work on.
    fn begin_storm(&mut self, alert: &Alert, parts: &[u64], now_ms: i64, effects: &mut Vec<Effect>) {
        let source = &alert.key.source;
        let storm = Ticket {
            title: format!("storm: {source}").into(),
            why: format!("{} tickets within {} s", parts.len(), self.storms.within_ms() / 1_000).into(),
            stage: Stage::Reported,
            n_alerts: 0,
            n_alerts_on: 0,
            storm: Some(Storm::On),
            confidence: None,
            ..self.ticket(alert, now_ms)
        };
        let entry = opened(storm.why.to_string());
        let storm = self.record(storm, entry, now_ms, effects);
        for no in parts {
            let Some(part) = self.live.get(no).map(|live| live.ticket.clone()) else { continue };
            if !is_untouched(&part) {
                continue;
            }
            self.merge(&part, storm.no, now_ms, effects);
        }
        self.storms.begin(source.clone(), storm.no, Some(now_ms));
    }

    /// Quietly, but for the beginning of each power of ten.
    fn join_storm(&mut self, storm: &Ticket, alert: &Alert, now_ms: i64, effects: &mut Vec<Effect>) {
        let n_alerts = storm.n_alerts + 1;
        let storm = Ticket {
            n_alerts,
            n_alerts_on: storm.n_alerts_on + 1,
            severity: storm.severity.max(alert.severity),
            ..storm.clone()
        };
        self.by_alert.insert(alert.id.clone(), storm.no);
        effects.push(Effect::Member { alert: alert.id.clone(), ticket: storm.no });
        if n_alerts >= STORM_TOLD_FROM && n_alerts.ilog10() > (n_alerts - 1).ilog10() {
            self.record(storm, told(n_alerts, "storm"), now_ms, effects);
        } else {
            self.update(storm, effects);
        }
    }

    /// A storm has rested: what comes next of its source has tickets of its own.
    pub(super) fn end_storm(&mut self, no: u64, now_ms: i64, effects: &mut Vec<Effect>) {
        let Some(storm) = self.live.get(&no).map(|live| live.ticket.clone()) else { return };
        let entry = told(storm.n_alerts, "storm-over");
        self.record(Ticket { storm: Some(Storm::Over), ..Ticket::clone(&storm) }, entry, now_ms, effects);
    }
}

/// What a ticket says of the alert by which it is told.
struct Told {
    alert: Arc<str>,
    rule: Arc<str>,
    source: Arc<str>,
    fence: Option<Arc<str>>,
    title: Arc<str>,
    why: Arc<str>,
    place: Place,
}

impl Told {
    fn put(self, ticket: &mut Ticket) {
        let Told { alert, rule, source, fence, title, why, place } = self;
        (ticket.alert, ticket.rule, ticket.source, ticket.fence) = (alert, rule, source, fence);
        (ticket.title, ticket.why, ticket.place) = (title, why, place);
    }
}

impl From<&Alert> for Told {
    fn from(alert: &Alert) -> Told {
        Told {
            alert: alert.id.clone(),
            rule: alert.key.rule.clone(),
            source: alert.key.source.clone(),
            fence: alert.key.fence.clone(),
            title: alert.name.clone(),
            why: alert.why.text.as_str().into(),
            place: alert.place.clone(),
        }
    }
}

impl From<&Ticket> for Told {
    fn from(ticket: &Ticket) -> Told {
        Told {
            alert: ticket.alert.clone(),
            rule: ticket.rule.clone(),
            source: ticket.source.clone(),
            fence: ticket.fence.clone(),
            title: ticket.title.clone(),
            why: ticket.why.clone(),
            place: ticket.place.clone(),
        }
    }
}

/// Nobody has begun to work on it.
fn is_untouched(ticket: &Ticket) -> bool {
    matches!(ticket.stage, Stage::Suspected | Stage::Reported)
}

/// Of two confidences the higher one; none is certainty.
fn surer(a: Option<&Confidence>, b: Option<&Confidence>) -> Option<Confidence> {
    let (a, b) = (a?, b?);
    Some(if b.share > a.share { b.clone() } else { a.clone() })
}

fn opened(note: String) -> Entry<'static> {
    Entry { who: SELF, what: "opened", note, kind: "outpost.ticket.opened" }
}

fn told(n_alerts: u64, what: &'static str) -> Entry<'static> {
    let kind = if what == "storm" { "outpost.ticket.storm" } else { "outpost.ticket.storm-over" };
    Entry { who: SELF, what, note: format!("{n_alerts} alerts"), kind }
}
