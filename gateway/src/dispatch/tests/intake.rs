//! Which alerts have which ticket: findings that are doubted, silences, what follows from other alerts, and storms.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::nouns::{OnAlert, SilenceAsk, Silenced};

const MINUTE_MS: i64 = 60_000;

fn of(rule: &str, source: &str, n: u64) -> Alert {
    let key = AlertKey { rule: rule.into(), source: source.into(), fence: None };
    Alert { id: key.alert_id(n as i64, n), key, opened_ms: n as i64, ..alert(0) }
}

fn in_short(alert: &Alert) -> OnAlert {
    OnAlert { id: alert.id.clone(), rule: alert.key.rule.clone(), source: alert.key.source.clone() }
}

fn silence(source: &str, lasts_ms: i64) -> SilenceAsk {
    let of = Silenced { source: Some(source.into()), ..Silenced::default() };
    SilenceAsk::Begin { of, who: "li".into(), reason: "works on the mains".into(), lasts_ms }
}

/// What the store has after these effects, while these alerts are on.
fn kept(effects: &[Effect], on: &BTreeMap<Arc<str>, Alert>) -> Kept {
    let (mut tickets, mut members) = (BTreeMap::new(), BTreeMap::new());
    let (mut withheld, mut silences, mut works) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for effect in effects {
        match effect {
            Effect::Ticket(ticket) => drop(tickets.insert(ticket.no, Ticket::clone(ticket))),
            Effect::Member { alert, ticket } => drop(members.insert(alert.clone(), *ticket)),
            Effect::Adopt { from, into } => members.values_mut().filter(|no| *no == from).for_each(|no| *no = *into),
            Effect::Withhold { alert, .. } => drop(withheld.insert(alert.clone(), ())),
            Effect::Release(alert) => drop(withheld.remove(alert)),
            Effect::Silence(silence) => drop(silences.insert(silence.no, silence.clone())),
            Effect::Work(order) => drop(works.insert(order.no, order.clone())),
            Effect::Journal(_)
            | Effect::Finding { .. }
            | Effect::HandOver { .. }
            | Effect::Fix { .. }
            | Effect::Passage(_)
            | Effect::Class(_)
            | Effect::Duty { .. }
            | Effect::File { .. }
            | Effect::Tell { .. } => {}
        }
    }
    Kept {
        last_no: tickets.keys().max().copied().unwrap_or(0),
        last_silence: silences.keys().max().copied().unwrap_or(0),
        members: members.into_iter().filter(|(alert, _)| on.contains_key(alert)).collect(),
        on: on.values().map(in_short).collect(),
        withheld: withheld.keys().filter_map(|id| on.get(id).cloned()).collect(),
        last_work: works.keys().max().copied().unwrap_or(0),
        works: works.into_values().filter(|order| order.ended.is_none()).collect(),
        silences: silences.into_values().filter(|silence| silence.ended.is_none()).collect(),
        tickets: tickets.into_values().filter(|ticket| ticket.stage.standing() > Standing::Ended).collect(),
        fixes: Vec::new(),
        duties: Vec::new(),
    }
}

#[test]
fn a_finding_that_is_doubted_waits_for_somebody_to_look() {
    let mut office =
        Office::new("[desk]\ndispatch = [{ category = \"#\", unit = \"trucks\" }]\nemergency_from = \"severe\"");
    let doubted = |n: u64, share: f64| {
        let confidence = Some(Confidence { share, why: "dust looks alike".into() });
        Alert { confidence, ..alert(n) }
    };
    let ticket = office.open(&doubted(1, 0.49));
    assert_eq!((ticket.stage, ticket.is_emergency, ticket.n_journal), (Stage::Suspected, false, 1));
    assert_eq!(office.open(&doubted(2, 0.5)).stage, Stage::Dispatched, "as sure as it has to be");
    // A report like any other from then on: told to all, and dispatched by policy.
    let confirmed = office.ask("officer", 1, Move::Confirm).unwrap();
    assert_eq!((confirmed.stage, confirmed.is_emergency), (Stage::Dispatched, true));
    assert_eq!(office.whats()[4..], ["confirm", "emergency", "dispatch"]);
    office.open(&doubted(3, 0.1));
    office.walk(3, &[("officer", Move::Reject)]);
    let finding = |effect: &Effect| match effect {
        Effect::Finding { is_true, .. } => Some(*is_true),
        _ => None,
    };
    assert_eq!(office.effects.iter().filter_map(finding).collect::<Vec<_>>(), [true, false]);
    assert_eq!(office.last().stage, Stage::Rejected);
}

#[test]
fn what_is_silenced_makes_no_ticket_until_the_silence_ends() {
    let mut office = Office::new("");
    office.desk.silence(&silence("pump/+", 10 * MINUTE_MS), office.now_ms, &mut office.effects).unwrap();
    let (lasting, passing) = (of("r", "pump/1", 1), of("r", "pump/2", 2));
    for alert in [&lasting, &passing, &of("r", "valve/1", 3)] {
        office.desk.alert_opened(alert, office.now_ms, &mut office.effects);
    }
    assert_eq!(office.desk.n_open(), 1, "the valve's");
    office.desk.alert_cleared(&cleared(&passing), office.now_ms, &mut office.effects);
    let end_ms = office.now_ms + 10 * MINUTE_MS;
    office.wait_until(end_ms - 1);
    assert_eq!(office.desk.n_open(), 1);
    office.wait_until(end_ms);
    assert_eq!((office.desk.n_open(), &*office.last().source), (2, "pump/1"), "what is still on has a ticket then");
    let over = office.effects.iter().rev().find_map(|effect| match effect {
        Effect::Silence(silence) => Some(silence.clone()),
        _ => None,
    });
    let over = over.unwrap();
    assert_eq!((over.n_withheld, over.ended), (2, Some((SELF.into(), end_ms))));
    let again = SilenceAsk::End { no: over.no, who: "li".into() };
    assert_eq!(office.desk.silence(&again, end_ms, &mut office.effects), Err(Refusal::NoSuchSilence(over.no)));
}

#[test]
fn silences_may_be_ended_and_are_bounded() {
    let mut office = Office::new("");
    let begun = office.desk.silence(&silence("pump/+", MINUTE_MS), 0, &mut office.effects).unwrap();
    office.desk.alert_opened(&of("r", "pump/1", 1), 1, &mut office.effects);
    let end = SilenceAsk::End { no: begun.no, who: "wang".into() };
    let ended = office.desk.silence(&end, 2, &mut office.effects).unwrap();
    assert_eq!((ended.ended, office.desk.n_open()), (Some(("wang".into(), 2)), 1));
    for _ in 0..1_000 {
        office.desk.silence(&silence("x", MINUTE_MS), 0, &mut office.effects).unwrap();
    }
    let refused = office.desk.silence(&silence("x", MINUTE_MS), 0, &mut office.effects);
    assert_eq!(refused, Err(Refusal::TooManySilences(1_000)));
}

#[test]
fn what_follows_from_another_alert_waits_until_that_is_over() {
    let text = "[desk]\ninhibits = [{ when = \"camera-dark\" }, { when = \"gateway-*\", mutes = [\"tunnel/+\"] }]";
    let mut office = Office::new(text);
    let (dark, silent) = (of("camera-dark", "cam:a", 1), of("gateway-7", "gw/7", 2));
    let followers = [of("crowd", "cam:a", 3), of("gas", "tunnel/3", 4)];
    let others = [of("crowd", "cam:b", 5), of("gas", "bridge/3", 6), of("camera-dark", "cam:b", 7)];
    for alert in [&dark, &silent].into_iter().chain(&followers).chain(&others) {
        office.desk.alert_opened(alert, 0, &mut office.effects);
    }
    assert_eq!(office.desk.n_open(), 5, "the causes, and what has another cause");
    let by = office.effects.iter().filter_map(|effect| match effect {
        Effect::Withhold { by, reason: "inhibit", .. } => Some(by.as_str()),
        _ => None,
    });
    assert_eq!(by.collect::<Vec<_>>(), ["camera-dark of cam:a", "gateway-7 of gw/7"]);
    office.desk.alert_cleared(&cleared(&dark), 9, &mut office.effects);
    assert_eq!((office.desk.n_open(), &*office.last().rule), (6, "crowd"));
    // What is over before its cause never had a ticket.
    office.desk.alert_cleared(&cleared(&followers[1]), 9, &mut office.effects);
    office.desk.alert_cleared(&cleared(&silent), 9, &mut office.effects);
    assert_eq!(office.desk.n_open(), 6);
}

#[test]
fn ten_thousand_alerts_of_one_source_make_one_ticket_with_a_right_counter() {
    let mut office = Office::new("");
    for n in 0..10_000 {
        office.now_ms = n as i64 * 6;
        office.desk.alert_opened(&of("r", "mad/1", n), office.now_ms, &mut office.effects);
        if n % 100 == 0 {
            office.desk.alert_opened(&of("r", &format!("sane/{n}"), n), office.now_ms, &mut office.effects);
        }
    }
    let open: Vec<_> = office.desk.live.values().map(|live| live.ticket.clone()).collect();
    let storms: Vec<_> = open.iter().filter(|ticket| &*ticket.source == "mad/1").collect();
    assert_eq!((storms.len(), open.len()), (1, 101), "and the others have theirs");
    assert_eq!((storms[0].n_alerts, storms[0].n_alerts_on, storms[0].storm), (10_000, 10_000, Some(Storm::On)));
    let told = office.journal().iter().filter(|(what, _)| *what == "storm").map(|(_, note)| *note).collect::<Vec<_>>();
    assert_eq!(told, ["100 alerts", "1000 alerts", "10000 alerts"]);
    // It clears quietly, and is over when the source has rested.
    let no = storms[0].no;
    for n in 0..10_000 {
        office.desk.alert_cleared(&cleared(&of("r", "mad/1", n)), office.now_ms, &mut office.effects);
    }
    assert_eq!(office.journal().last(), Some(&("alert-cleared", "over")));
    office.wait_until(office.now_ms + MINUTE_MS);
    assert!(office.journal().contains(&("storm-over", "10000 alerts")));
    assert_eq!(office.desk.live[&no].ticket.n_alerts_on, 0);
    let next = office.open(&of("r", "mad/1", 10_001));
    assert_eq!((next.storm, next.n_alerts), (None, 1), "the next one is news");
}

#[test]
fn a_storm_takes_in_only_what_nobody_has_begun_to_work_on() {
    let mut office = Office::new("[desk.storm]\nn = 3");
    for n in 1..=3 {
        office.open(&of("r", "mad/1", n));
    }
    office.walk(2, &[("clerk", Move::Accept)]);
    office.open(&of("r", "mad/1", 4));
    let storm = office.desk.live[&5].ticket.clone();
    assert_eq!((storm.n_alerts, office.desk.n_open()), (3, 2));
    assert_eq!(office.desk.live[&2].ticket.stage, Stage::Accepted);
    // Somebody closes the case of the storm: what comes then is news.
    office.walk(5, &[("clerk", Move::Refuse)]);
    assert_eq!(office.open(&of("r", "mad/1", 5)).storm, None);
}

#[derive(Debug, Clone)]
enum Step {
    Open(u64),
    Clear(u64),
    Silence(u64, i64),
    End(u64),
    Wait(i64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0u64..12).prop_map(Step::Open),
        4 => (0u64..12).prop_map(Step::Clear),
        1 => (0u64..3, 1i64..200_000).prop_map(|(n, ms)| Step::Silence(n, ms)),
        1 => (1u64..4).prop_map(Step::End),
        3 => (0i64..90_000).prop_map(Step::Wait),
    ]
}

proptest! {
    /// Every alert that is on has one ticket or is withheld for a reason, and what is over is neither; counters are right,
    /// wherever the gateway is started anew.
    #[test]
    fn no_alert_is_lost_or_counted_twice(walk in prop::collection::vec(any_step(), 0..120), stops in prop::collection::vec(0usize..120, 0..4)) {
        let text = "[desk]\nstorm = { n = 3 }\ninhibits = [{ when = \"dark\", mutes = [\"s/0\", \"s/1\"] }]";
        let mut office = Office::new(text);
        let (mut on, mut n_ever) = (BTreeMap::new(), 0u64);
        for (at, step) in walk.iter().enumerate() {
            if stops.contains(&at) {
                office.desk = Desk::restore(&config(text), kept(&office.effects, &on));
                office.wait_until(office.now_ms);
            }
            match step {
                Step::Open(n) => {
                    // Of each source several alerts may be on.
                    n_ever += 1;
                    let rule = if *n == 11 { "dark" } else { "r" };
                    let alert = of(rule, &format!("s/{}", n % 3), n_ever);
                    office.desk.alert_opened(&alert, office.now_ms, &mut office.effects);
                    on.insert(alert.id.clone(), alert);
                }
                Step::Clear(n) => {
                    let nth = on.values().nth(*n as usize).cloned();
                    if let Some(alert) = nth {
                        on.remove(&alert.id);
                        office.desk.alert_cleared(&cleared(&alert), office.now_ms, &mut office.effects);
                    }
                }
                Step::Silence(n, ms) => {
                    let asked = silence(&format!("s/{n}"), *ms);
                    office.desk.silence(&asked, office.now_ms, &mut office.effects).unwrap();
                }
                Step::End(no) => {
                    let _ = office.desk.silence(&SilenceAsk::End { no: *no, who: "li".into() }, office.now_ms, &mut office.effects);
                }
                Step::Wait(ms) => office.wait_until(office.now_ms + ms),
            }
            for (id, alert) in &on {
                let is_withheld = office.desk.mutes.is_withheld(id);
                prop_assert_eq!(office.desk.by_alert.contains_key(id), !is_withheld);
                prop_assert_eq!(is_withheld && office.desk.mutes.by(alert, office.now_ms).is_none(), false, "withheld for no reason");
            }
            prop_assert_eq!(office.desk.by_alert.len() <= on.len(), true, "what is over is forgotten");
            for live in office.desk.live.values() {
                let n_on = office.desk.by_alert.values().filter(|no| **no == live.ticket.no).count() as u64;
                prop_assert_eq!(live.ticket.n_alerts_on, n_on, "{:?}", live.ticket);
            }
        }
        let n_members: u64 = office.desk.live.values().map(|live| live.ticket.n_alerts).sum();
        let members = office.effects.iter().filter(|effect| matches!(effect, Effect::Member { .. })).count() as u64;
        prop_assert_eq!(n_members, members, "every alert that had a ticket is counted once");
    }
}
