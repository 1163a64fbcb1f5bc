//! Who is called about a ticket until somebody acknowledges it: step by step of the escalation of its centre, then of the
//! centres above. Time comes in, and what is on is the ticket's own ([`Call`]), so that a restart goes on where it was.
//!
//! A step whose receivers all have quiet hours waits for the first of them. A step begins when it is taken, not when it
//! was due: a gateway that was off overnight does not run through all of them at once.

use std::sync::Arc;

use super::centres::Centres;
use super::receivers::Receivers;
use super::{Desk, Effect, Entry, SELF};
use crate::config::pattern::SourcePattern;
use crate::config::{Config, Severity};
use crate::nouns::{Call, Move, Ticket, Told};

/// Calls about one ticket; then the gateway gives up and says so.
const RINGS_MAX: u32 = 1_000;

#[derive(Debug)]
pub(super) struct Calls {
    escalations: Vec<Escalation>,
}

#[derive(Debug)]
struct Escalation {
    id: Arc<str>,
    centre: Arc<str>,
    from_severity: Severity,
    category: Option<SourcePattern>,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    receivers: Vec<Arc<str>>,
    repeat_ms: Option<i64>,
    after_ms: i64,
}

/// What is to be done about a call that is due.
#[derive(Debug, PartialEq)]
pub(super) enum Turn {
    /// These hear of it now.
    Ring { receivers: Vec<Arc<str>>, call: Call, note: String },
    /// Nobody may be disturbed yet.
    Wait(Call),
    /// Nobody is left.
    Over(String),
}

impl Calls {
    /// Of a checked configuration.
    pub(super) fn new(config: &Config, centres: &Centres) -> Calls {
        let step = |step: &crate::config::EscalationStep| Step {
            receivers: step.receivers.iter().map(|id| id.as_str().into()).collect(),
            repeat_ms: step.repeat.map(|span| span.ms()),
            after_ms: step.after.ms(),
        };
        let escalation = |escalation: &crate::config::Escalation| Escalation {
            id: escalation.id.as_str().into(),
            centre: centres.known(escalation.centre.as_deref().unwrap_or_default()).clone(),
            from_severity: escalation.from_severity,
            category: escalation.category.as_deref().and_then(|text| SourcePattern::parse(text).ok()),
            steps: escalation.steps.iter().map(step).collect(),
        };
        Calls { escalations: config.desk.escalations.iter().map(escalation).collect() }
    }

    /// A call that begins now, where an escalation of the ticket's centre or of one above says so.
    pub(super) fn begin(&self, ticket: &Ticket, centres: &Centres, now_ms: i64) -> Option<Call> {
        let mut upwards = centres.upwards(&ticket.centre);
        let escalation = upwards.find_map(|(centre, _)| self.of(centre, ticket))?;
        Some(first_step(escalation, 0, now_ms))
    }

    /// The call as it goes on after a restart; begun anew where its escalation is gone.
    pub(super) fn restored(&self, ticket: &Ticket, centres: &Centres) -> Option<Call> {
        let call = ticket.call.as_ref()?;
        match self.escalations.iter().find(|escalation| escalation.id == call.escalation) {
            Some(escalation) if call.step < escalation.steps.len() => Some(call.clone()),
            _ => Some(Call { n_rung: call.n_rung, ..self.begin(ticket, centres, call.next_ms)? }),
        }
    }

    pub(super) fn step(
        &self,
        call: &Call,
        ticket: &Ticket,
        receivers: &Receivers,
        centres: &Centres,
        now_ms: i64,
    ) -> Turn {
        let over = || Turn::Over(format!("called {} times, nobody acknowledged", call.n_rung));
        let found = self.escalations.iter().find(|escalation| escalation.id == call.escalation);
        let Some(escalation) = found.filter(|_| call.n_rung < RINGS_MAX) else { return over() };
        let mut call = call.clone();
        let Some(mut step) = escalation.steps.get(call.step) else { return over() };
        let mut escalation = escalation;
        // Each step is rung at least once, however late it is taken.
        let has_rung = call.next_ms > call.since_ms;
        if has_rung && now_ms >= call.since_ms.saturating_add(step.after_ms) {
            let above = || centres.above(&escalation.centre).map(|above| centres.upwards(above));
            if let Some(next) = escalation.steps.get(call.step + 1) {
                (step, call.step, call.since_ms) = (next, call.step + 1, now_ms);
            } else if let Some(up) = above().and_then(|mut up| up.find_map(|(centre, _)| self.of(centre, ticket))) {
                call = first_step(up, call.n_rung, now_ms);
                (escalation, step) = (up, &up.steps[0]);
            } else if step.repeat_ms.is_some() {
                call.since_ms = now_ms;
            } else {
                return over();
            }
        }
        let awake_ms = |id: &Arc<str>| receivers.awake_ms(id, ticket, now_ms);
        let rung: Vec<_> = step.receivers.iter().filter(|id| awake_ms(id) <= now_ms).cloned().collect();
        if rung.is_empty() {
            let wake_ms = step.receivers.iter().map(awake_ms).min().unwrap_or(now_ms);
            // The first to wake has all of the step's time.
            return Turn::Wait(Call { since_ms: wake_ms, next_ms: wake_ms, ..call });
        }
        call.n_rung += 1;
        let end_ms = call.since_ms.saturating_add(step.after_ms);
        call.next_ms = step.repeat_ms.map_or(end_ms, |repeat_ms| now_ms.saturating_add(repeat_ms).min(end_ms));
        let (nth, n) = (call.step + 1, escalation.steps.len());
        let note = format!("{}: step {nth} of {n} of {}", rung.join(", "), escalation.id);
        Turn::Ring { receivers: rung, call, note }
    }

    /// The first that fits, of one centre.
    fn of(&self, centre: &str, ticket: &Ticket) -> Option<&Escalation> {
        self.escalations.iter().find(|escalation| {
            let fits = |pattern: &SourcePattern| pattern.as_str() == "#" || pattern.matches(&ticket.category);
            &*escalation.centre == centre
                && ticket.severity >= escalation.from_severity
                && escalation.category.as_ref().is_none_or(fits)
        })
    }
}

impl Desk {
    /// Whoever makes a move has heard of the ticket, but for who urges others. Another centre has not heard of it yet.
    pub(super) fn call_after(&self, before: &Ticket, after: &Ticket, asked: Move, now_ms: i64) -> Option<Call> {
        match asked {
            _ if after.centre != before.centre => self.calls.begin(after, &self.centres, now_ms),
            Move::Supervise => before.call.clone(),
            _ => None,
        }
    }

    /// Calls those whose turn it is.
    pub(super) fn ring(&mut self, ticket: &Ticket, call: &Call, now_ms: i64, effects: &mut Vec<Effect>) {
        let ticket = ticket.clone();
        match self.calls.step(call, &ticket, &self.receivers, &self.centres, now_ms) {
            Turn::Ring { receivers, call, note } => {
                let entry = Entry { who: SELF, what: "called", note, kind: "outpost.ticket.called" };
                let told = |receiver| Told { receiver, from_ms: now_ms };
                let to = receivers.into_iter().map(told).collect();
                self.record_to(Ticket { call: Some(call), ..ticket }, entry, to, now_ms, effects);
            }
            Turn::Wait(call) => drop(self.update(Ticket { call: Some(call), ..ticket }, effects)),
            Turn::Over(note) => {
                let entry = Entry { who: SELF, what: "unanswered", note, kind: "outpost.ticket.unanswered" };
                self.record(Ticket { call: None, ..ticket }, entry, now_ms, effects);
            }
        }
    }
}

fn first_step(escalation: &Escalation, n_rung: u32, now_ms: i64) -> Call {
    Call { escalation: escalation.id.clone(), step: 0, since_ms: now_ms, next_ms: now_ms, n_rung }
}
