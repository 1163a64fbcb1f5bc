//! Whom tickets are given to: for how long without an answer, and never to one who has enough.

use super::*;
use crate::dispatch::suggest::tests::{NOW_MS, PEOPLE, fix};
use crate::nouns::{Fix, Located};

const LEASE_MS: i64 = 600_000;

/// As in [`PEOPLE`], each with one ticket at a time, and the tickets T-1 to T-`n` filed.
fn office(n: u64) -> Office {
    let mut office = Office::new(&text());
    office.now_ms = NOW_MS;
    for no in 1..=n {
        office.open(&alert(no));
        office.walk(no, &[("desk", Move::Accept), ("desk", Move::File)]);
    }
    office
}

fn text() -> String {
    let text = PEOPLE.replace("tickets_max = 2", "tickets_max = 1");
    text.replace(r#"["chief", "dispatcher"]"#, r#"["chief", "dispatcher", "clerk", "officer"]"#)
}

fn send(office: &mut Office, ticket: u64, asked: Move, officer: &str) -> Result<Arc<Ticket>, Refusal> {
    let mut command = command(ticket, "desk", asked);
    (command.said.unit, command.said.officer) = (None, Some(officer.into()));
    office.desk.command(&command, office.now_ms, &mut office.effects)
}

fn booked(officer: &str, tickets: &str) -> Refusal {
    Refusal::Booked { officer: officer.into(), tickets: tickets.into() }
}

#[test]
fn what_is_not_signed_within_its_lease_goes_back_and_frees_the_officer() {
    let mut office = office(2);
    let sent = send(&mut office, 1, Move::Dispatch, "near").unwrap();
    assert_eq!((sent.unit.as_deref(), sent.officer.as_deref()), (Some("patrol-1"), Some("near")));
    assert_eq!(sent.lease_ms, Some(NOW_MS + LEASE_MS));
    assert_eq!(office.journal().last().unwrap(), &("dispatch", "to patrol-1, near"));
    office.wait_until(NOW_MS + LEASE_MS - 1);
    assert_eq!(send(&mut office, 2, Move::Dispatch, "near"), Err(booked("near", "T-1")));
    office.wait_until(NOW_MS + LEASE_MS);
    let back = office.last();
    assert_eq!((back.stage, back.counts.unanswered, back.counts.returned), (Stage::Filed, 1, 0));
    assert_eq!((back.unit.clone(), back.officer.clone(), back.lease_ms), (None, None, None));
    assert_eq!(office.journal().last().unwrap(), &("recall", "from near: no answer"));
    send(&mut office, 2, Move::Dispatch, "near").unwrap();
}

#[test]
fn who_does_not_answer_has_others_called_anew() {
    let call = r#"
[[receivers]]
id = "duty"
hears = "calls"
to = { kind = "webhook", url = "http://127.0.0.1:1/" }

[[desk.escalations]]
id = "call"
steps = [{ receivers = ["duty"], after = "30d" }]
"#;
    let mut office = Office::new(&format!("{}{call}", text()));
    office.now_ms = NOW_MS;
    office.open(&alert(1));
    office.walk(1, &[("desk", Move::Accept), ("desk", Move::File)]);
    let n_called = |office: &Office| office.journal().iter().filter(|(what, _)| *what == "called").count();
    office.wait_until(NOW_MS);
    let n_before = n_called(&office);
    send(&mut office, 1, Move::Dispatch, "near").unwrap();
    assert_eq!(office.last().call, None, "who dispatches has heard");
    office.wait_until(NOW_MS + LEASE_MS);
    assert_eq!(office.journal().iter().rev().take(2).map(|(what, _)| *what).collect::<Vec<_>>(), ["called", "recall"]);
    assert_eq!((n_called(&office), office.last().stage), (n_before + 1, Stage::Filed));
    // An operator who takes it back has it in hand.
    send(&mut office, 1, Move::Dispatch, "near").unwrap();
    office.ask("desk", 1, Move::Recall).unwrap();
    office.wait_until(NOW_MS + 2 * LEASE_MS);
    assert_eq!(n_called(&office), n_before + 1);
}

#[test]
fn a_signature_ends_the_lease() {
    let mut office = office(1);
    send(&mut office, 1, Move::Dispatch, "near").unwrap();
    let signed = office.walk(1, &[("near", Move::Sign)]);
    assert_eq!((signed.lease_ms, signed.booked().map(|id| &**id)), (None, Some("near")));
    office.wait_until(NOW_MS + 2 * LEASE_MS);
    assert_eq!(office.last().stage, Stage::Signed);
}

#[test]
fn a_restart_within_the_lease_changes_nothing() {
    let mut office = office(2);
    let sent = send(&mut office, 1, Move::Dispatch, "near").unwrap();
    let two = office.desk.live[&2].ticket.clone();
    let tickets = vec![Ticket::clone(&sent), Ticket::clone(&two)];
    office.desk = Desk::restore(&config(&text()), Kept { tickets, last_no: 2, ..Kept::default() });
    assert_eq!(send(&mut office, 2, Move::Dispatch, "near"), Err(booked("near", "T-1")));
    // It stood still until long after the end.
    office.wait_until(NOW_MS + 10 * LEASE_MS);
    assert_eq!((office.desk.live[&1].ticket.stage, office.desk.field().at_hand.len()), (Stage::Filed, 0));
}

#[test]
fn only_who_has_it_works_on_it_and_may_give_it_back() {
    let mut office = office(2);
    send(&mut office, 1, Move::Dispatch, "near").unwrap();
    let theirs = |asked| Refusal::NotTheirs { who: "far".into(), asked, officer: "near".into() };
    for asked in [Move::Sign, Move::Return] {
        assert_eq!(office.ask("far", 1, asked), Err(theirs(asked)));
    }
    let back = office.walk(1, &[("near", Move::Return)]);
    assert_eq!((back.stage, back.officer.clone(), back.counts.returned), (Stage::Filed, None, 1));
    // To a unit, any handler may.
    office.walk(2, &[("desk", Move::Dispatch), ("far", Move::Sign)]);
}

#[test]
fn a_ticket_that_is_suspended_or_done_is_at_hand_or_not() {
    let mut office = office(2);
    send(&mut office, 1, Move::Dispatch, "near").unwrap();
    let held = office.walk(1, &[("desk", Move::Suspend)]);
    assert_eq!(held.lease_ms, None, "nobody is waited for");
    assert_eq!(send(&mut office, 2, Move::Dispatch, "near"), Err(booked("near", "T-1")));
    office.wait_until(NOW_MS + 2 * LEASE_MS);
    let again = office.walk(1, &[("desk", Move::Resume)]);
    assert_eq!(again.lease_ms, Some(NOW_MS + 3 * LEASE_MS));
    office.walk(1, &[("near", Move::Sign), ("near", Move::Start), ("near", Move::FeedBack)]);
    send(&mut office, 2, Move::Dispatch, "near").unwrap();
    // What has to be done again is theirs, unless they are away with something else.
    let again = office.walk(1, &[("desk", Move::Rework)]);
    assert_eq!((again.stage, again.officer.clone(), again.unit.as_deref()), (Stage::Handling, None, Some("patrol-1")));
    assert_eq!(office.journal().last().unwrap(), &("rework", "near is busy with another one: why"));
    send(&mut office, 1, Move::Reassign, "far").unwrap();
    office.walk(1, &[("far", Move::Sign), ("far", Move::Start), ("far", Move::FeedBack)]);
    assert_eq!(office.walk(1, &[("desk", Move::Rework)]).booked().map(|id| &**id), Some("far"));
}

#[test]
fn whoever_cannot_be_sent_is_refused_with_the_reason() {
    let mut office = office(1);
    for (officer, refusal) in [
        ("nobody", Refusal::NoOfficer("nobody".into())),
        ("desk", Refusal::NoOfficer("desk".into())),
        ("night", Refusal::OffDuty("night".into())),
    ] {
        assert_eq!(send(&mut office, 1, Move::Dispatch, officer), Err(refusal));
    }
    let mut other = command(1, "desk", Move::Dispatch);
    other.said.officer = Some("near".into());
    let refusal = Refusal::OtherUnit { officer: "near".into(), unit: "patrol-3".into() };
    assert_eq!(office.desk.command(&other, office.now_ms, &mut office.effects), Err(refusal));
    assert_eq!(office.desk.field().waiting.len(), 1, "it waits for somebody");
}

#[test]
fn positions_of_those_on_duty_are_followed_and_no_others() {
    let mut office = office(0);
    let mut locate = |source: &str, fix: Fix| {
        let before = office.effects.len();
        office.desk.located(&Located { source: source.into(), fix }, &mut office.effects);
        office.effects.len() - before
    };
    assert_eq!(locate("gps/far", fix(106.0, 30.0, 60_000)), 1);
    assert_eq!(locate("gps/far", fix(106.1, 30.0, 51_000)), 0, "nine seconds later");
    assert_eq!(locate("gps/far", fix(106.1, 30.0, 70_000)), 0, "late");
    assert_eq!(locate("gps/far", fix(106.2, 30.0, 50_000)), 1);
    assert_eq!(locate("gps/other", fix(106.0, 30.0, 0)), 0, "nobody's");
    // From 08:00 on, ten to eighteen o'clock less.
    assert_eq!(locate("gps/far", fix(106.3, 30.0, -9 * 3_600_000)), 0, "off duty");
    assert_eq!(office.desk.field().fixes[&Arc::from("far")].lon, 106.2);
}
