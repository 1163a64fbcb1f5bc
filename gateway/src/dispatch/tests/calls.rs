//! Claims about receivers and escalations: who hears, who is called, and until when.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// 2026-06-01, a Monday, 00:00 in the calendar's zone.
const MIDNIGHT_MS: i64 = 1_780_243_200_000;

const SITE: &str = r##"
[desk]
calendar = "days"
emergency_from = "extreme"
raise_after = "30d"

[desk.clock]
minor = "90d"
moderate = "90d"
severe = "90d"

[[desk.escalations]]
id = "town-call"
centre = "town"
from_severity = "moderate"
steps = [
    { receivers = ["clerk", "clerk-mail"], repeat = "10m", after = "25m" },
    { receivers = ["town-chief"], after = "1h" },
]

[[desk.escalations]]
id = "district-call"
steps = [{ receivers = ["duty"], repeat = "2h", after = "2h" }]

[[centres]]
id = "district"
level = "district"

[[centres]]
id = "town"
level = "town"
parent = "district"
sources = ["s/#"]

[[centres]]
id = "other"
level = "town"
parent = "district"
sources = ["o/#"]

[[calendars]]
id = "days"

[[receivers]]
id = "clerk"
hears = "calls"
quiet = ["daily 22:00-07:00"]
to = { kind = "webhook", url = "http://127.0.0.1:1/clerk" }

[[receivers]]
id = "clerk-mail"
hears = "calls"
quiet = ["daily 21:00-08:00"]
breaks_quiet_from = "severe"
to = { kind = "webhook", url = "http://127.0.0.1:1/mail" }

[[receivers]]
id = "town-chief"
hears = "calls"
to = { kind = "webhook", url = "http://127.0.0.1:1/chief" }

[[receivers]]
id = "duty"
hears = "calls"
to = { kind = "webhook", url = "http://127.0.0.1:1/duty" }

[[receivers]]
id = "town-book"
centres = ["town"]
from_severity = "moderate"
categories = ["waste/#"]
quiet = ["daily 22:00-07:00"]
to = { kind = "webhook", url = "http://127.0.0.1:1/book" }

[[receivers]]
id = "district-book"
centres = ["district"]
to = { kind = "webhook", url = "http://127.0.0.1:1/district" }
"##;

fn at(hours: i64, minutes: i64) -> i64 {
    MIDNIGHT_MS + hours * HOUR_MS + minutes * MINUTE_MS
}

fn office(now_ms: i64) -> Office {
    Office { now_ms, ..Office::new(SITE) }
}

fn graded(n: u64, severity: Severity) -> Alert {
    Alert { severity, ..alert(n) }
}

/// When which receivers were called, in minutes since midnight.
fn rung(effects: &[Effect]) -> Vec<(i64, Vec<String>)> {
    let mut times = Vec::new();
    for pair in effects.windows(2) {
        if let [Effect::Journal(entry), Effect::Tell { kind: "outpost.ticket.called", to, .. }] = pair {
            let names = to.iter().map(|told| told.receiver.to_string()).collect();
            times.push(((entry.at_ms - MIDNIGHT_MS) / MINUTE_MS, names));
        }
    }
    times
}

/// Who hears of the first entry of the journal, and when, in minutes since midnight.
fn told_first(effects: &[Effect]) -> Vec<(String, i64)> {
    let first = effects.iter().find_map(|effect| match effect {
        Effect::Tell { journal: 1, to, .. } => Some(to),
        _ => None,
    });
    let told = |told: &Told| (told.receiver.to_string(), (told.from_ms - MIDNIGHT_MS) / MINUTE_MS);
    first.unwrap().iter().map(told).collect()
}

/// What the store has after these effects, while all alerts are on.
fn kept(effects: &[Effect]) -> Kept {
    let (mut tickets, mut members) = (BTreeMap::new(), BTreeMap::new());
    for effect in effects {
        match effect {
            Effect::Ticket(ticket) => drop(tickets.insert(ticket.no, Ticket::clone(ticket))),
            Effect::Member { alert, ticket } => drop(members.insert(alert.clone(), *ticket)),
            _ => {}
        }
    }
    let last_no = tickets.keys().max().copied().unwrap_or(0);
    let live = tickets.into_values().filter(|ticket| ticket.stage.standing() > Standing::Ended).collect();
    Kept { tickets: live, members: members.into_iter().collect(), last_no, ..Kept::default() }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn nobody_answers_so_the_next_are_called_then_the_centre_above() {
    let mut office = office(at(10, 0));
    office.open(&graded(1, Severity::Moderate));
    office.wait_until(at(16, 0));
    let (both, chief, duty) = (names(&["clerk", "clerk-mail"]), names(&["town-chief"]), names(&["duty"]));
    let expected = [
        (600, both.clone()),
        (610, both.clone()),
        (620, both),
        (625, chief),
        (685, duty.clone()),
        (805, duty.clone()),
        (925, duty),
    ];
    assert_eq!(rung(&office.effects), expected);
}

#[test]
fn who_acknowledges_or_makes_a_move_ends_the_call_and_who_urges_does_not() {
    for (asked, n_rung) in [(Move::Acknowledge, 1), (Move::Accept, 1), (Move::Supervise, 3)] {
        let mut office = office(at(10, 0));
        let ticket = office.open(&graded(1, Severity::Moderate)).no;
        office.wait_until(at(10, 5));
        office.ask("anybody", ticket, asked).unwrap();
        office.wait_until(at(10, 24));
        assert_eq!(rung(&office.effects).len(), n_rung, "{asked:?}");
    }
    let mut office = office(at(10, 0));
    let ticket = office.open(&graded(1, Severity::Moderate)).no;
    office.ask("clerk", ticket, Move::Acknowledge).unwrap();
    assert_eq!(office.ask("clerk", ticket, Move::Acknowledge), Err(Refusal::NotCalled));
    assert_eq!(office.last().stage, Stage::Reported, "heard of is not accepted");
}

#[test]
fn quiet_hours_wait_and_go_on_in_the_morning_even_after_a_restart() {
    let mut office = office(at(23, 0));
    office.open(&graded(1, Severity::Moderate));
    office.wait_until(at(27, 0));
    assert_eq!(rung(&office.effects), [], "all of the first step sleep");
    office.desk = Desk::restore(&config(SITE), kept(&office.effects));
    office.wait_until(at(24 + 7, 30));
    let clerk = names(&["clerk"]);
    let expected = [(1860, clerk.clone()), (1870, clerk.clone()), (1880, clerk), (1885, names(&["town-chief"]))];
    assert_eq!(rung(&office.effects), expected, "the first to wake has all of the step's time");
}

#[test]
fn severity_breaks_through_quiet_hours_as_each_receiver_allows() {
    let mut office = office(at(23, 0));
    office.open(&graded(1, Severity::Severe));
    office.wait_until(at(23, 1));
    assert_eq!(rung(&office.effects), [(1380, names(&["clerk-mail"]))]);
    assert_eq!(told_first(&office.effects), [("town-book".to_owned(), 24 * 60 + 7 * 60)]);
    let mut office = self::office(at(23, 0));
    office.open(&graded(1, Severity::Extreme));
    assert_eq!(
        told_first(&office.effects),
        [("town-book".to_owned(), 1380), ("district-book".to_owned(), 1380)],
        "emergencies are told to the levels above at once"
    );
}

#[test]
fn receivers_hear_of_their_centre_severity_and_category_only() {
    let heard = |alert: Alert| {
        let mut office = office(at(10, 0));
        office.open(&alert);
        told_first(&office.effects).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(heard(graded(1, Severity::Moderate)), ["town-book"]);
    assert_eq!(heard(graded(1, Severity::Minor)), Vec::<String>::new());
    assert_eq!(heard(Alert { category: "fire/smoke".into(), ..graded(1, Severity::Severe) }), Vec::<String>::new());
    let elsewhere = |n: u64, severity| {
        let mut alert = graded(n, severity);
        alert.key.source = "o/1".into();
        alert
    };
    assert_eq!(heard(elsewhere(1, Severity::Severe)), Vec::<String>::new());
    assert_eq!(heard(elsewhere(1, Severity::Extreme)), ["district-book"], "not the town next door");
}

#[test]
fn what_escalates_to_another_centre_is_called_there_anew() {
    let mut office = office(at(10, 0));
    let ticket = office.open(&graded(1, Severity::Moderate)).no;
    office.ask("clerk", ticket, Move::Accept).unwrap();
    office.ask("clerk", ticket, Move::Escalate).unwrap();
    office.wait_until(at(10, 1));
    assert_eq!(rung(&office.effects), [(600, names(&["duty"]))]);
    assert!(
        office.effects.iter().any(|effect| match effect {
            Effect::Tell { kind: "outpost.ticket.escalated", to, .. } => to.len() == 2,
            _ => false,
        }),
        "the town that leads goes on to hear of it"
    );
}

#[test]
fn a_gateway_that_was_off_takes_one_step_and_not_all() {
    let mut office = office(at(10, 0));
    office.open(&graded(1, Severity::Moderate));
    office.wait_until(at(10, 1));
    office.now_ms = at(20, 0);
    office.desk.elapse(office.now_ms, &mut office.effects);
    office.desk.elapse(office.now_ms, &mut office.effects);
    assert_eq!(rung(&office.effects)[1..], [(1200, names(&["town-chief"]))]);
}

#[test]
fn what_nobody_is_left_for_is_said() {
    let text = SITE.replace("repeat = \"2h\", after = \"2h\"", "after = \"2h\"");
    let mut office = Office { now_ms: at(10, 0), ..Office::new(&text) };
    office.open(&graded(1, Severity::Moderate));
    office.wait_until(at(40, 0));
    assert_eq!(office.whats().last(), Some(&"unanswered"));
    assert_eq!(office.last().call, None);
}

#[derive(Debug, Clone)]
enum Step {
    Open(u64, Severity),
    Ask(u64, Move),
    Wait(i64),
    Restart,
}

fn any_step() -> impl Strategy<Value = Step> {
    let severity = prop::sample::select(vec![Severity::Minor, Severity::Moderate, Severity::Severe, Severity::Extreme]);
    let asked = [Move::Acknowledge, Move::Accept, Move::Refuse, Move::Supervise, Move::Escalate, Move::HandDown];
    prop_oneof![
        2 => (1u64..4, severity).prop_map(|(n, severity)| Step::Open(n, severity)),
        2 => (1u64..4, prop::sample::select(asked.to_vec())).prop_map(|(no, asked)| Step::Ask(no, asked)),
        4 => (0i64..8 * HOUR_MS).prop_map(Step::Wait),
        2 => Just(Step::Restart),
    ]
}

fn play(steps: &[Step], with_restarts: bool) -> Vec<Effect> {
    let mut office = office(at(18, 0));
    for step in steps {
        match step {
            Step::Open(n, severity) => drop(office.open(&graded(*n, *severity))),
            Step::Ask(no, asked) => drop(office.ask("anybody", *no, *asked)),
            Step::Wait(ms) => office.wait_until(office.now_ms + ms),
            Step::Restart if with_restarts => office.desk = Desk::restore(&config(SITE), kept(&office.effects)),
            Step::Restart => {}
        }
    }
    office.effects
}

proptest! {
    #[test]
    fn calls_are_the_same_whenever_it_restarts_and_only_for_who_is_awake(steps in prop::collection::vec(any_step(), 1..24)) {
        let effects = play(&steps, true);
        prop_assert_eq!(rung(&effects), rung(&play(&steps, false)));
        let mut keys = BTreeSet::new();
        for effect in &effects {
            let Effect::Tell { ticket, journal, to, kind } = effect else { continue };
            prop_assert!(keys.insert((ticket.no, *journal)), "a key is given once");
            let is_call = *kind == "outpost.ticket.called";
            for told in to {
                prop_assert_eq!(is_call, matches!(&*told.receiver, "clerk" | "clerk-mail" | "town-chief" | "duty"));
            }
            if is_call {
                prop_assert!(ticket.stage.standing() == Standing::Open && ticket.call.is_some());
                let hour = to.first().map(|told| (told.from_ms - MIDNIGHT_MS).rem_euclid(24 * HOUR_MS) / HOUR_MS);
                let asleep = hour.is_some_and(|hour| !(7..22).contains(&hour)) && !ticket.is_emergency;
                prop_assert!(!asleep || to.iter().all(|told| &*told.receiver != "clerk"));
            }
        }
    }
}
