//! Claims about Desk, on plain values.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::config::Severity;
use crate::nouns::{AlertKey, Place, Why};

fn alert(n: u64) -> Alert {
    let key = AlertKey { rule: "r".into(), source: format!("s/{n}").into(), fence: None };
    Alert {
        id: key.alert_id(0, 1),
        key,
        name: "name".into(),
        severity: Severity::Severe,
        category: "c".into(),
        since_at_ms: 0,
        opened_ms: 0,
        place: Place::default(),
        why: Why { text: "because".into(), figures: Vec::new() },
        snapshot: None,
        exhibits: Vec::new(),
        confidence: None,
        visible: None,
    }
}

fn desk() -> Desk {
    Desk::restore(&config::Desk::default(), Vec::new(), 0)
}

fn command(ticket: u64, asked: Move, note: &str) -> Command {
    Command { ticket, who: "wang".into(), asked, note: note.into() }
}

#[test]
fn one_alert_makes_one_ticket_however_often_it_is_told() {
    let (mut desk, mut effects) = (desk(), Vec::new());
    for _ in 0..64 {
        desk.alert_opened(&alert(1), 5, &mut effects);
    }
    let tickets = effects.iter().filter(|effect| matches!(effect, Effect::Ticket(_))).count();
    assert_eq!((tickets, desk.n_open()), (1, 1));
}

#[test]
fn a_ticket_is_worked_from_reported_to_closed_and_every_step_is_in_its_journal() {
    let (mut desk, mut effects) = (desk(), Vec::new());
    desk.alert_opened(&alert(1), 5, &mut effects);
    let unit: Arc<str> = "patrol-3".into();
    for asked in [Move::Accept, Move::Assign { unit: unit.clone() }, Move::Resolve, Move::Close] {
        desk.command(&command(1, asked, ""), 6, &mut effects).unwrap();
    }
    let what: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Journal(entry) => Some((entry.no, entry.what)),
            _ => None,
        })
        .collect();
    assert_eq!(what, [(1, "opened"), (2, "accept"), (3, "assign"), (4, "resolve"), (5, "close")]);
    assert_eq!(desk.n_open(), 0);
    assert_eq!(
        desk.command(&command(1, Move::Accept, ""), 7, &mut effects),
        Err(Refusal::NoSuchTicket(1)),
        "a closed ticket takes no command"
    );
}

#[test]
fn closing_what_was_not_resolved_needs_a_note() {
    let (mut desk, mut effects) = (desk(), Vec::new());
    desk.alert_opened(&alert(1), 5, &mut effects);
    assert_eq!(desk.command(&command(1, Move::Close, " "), 6, &mut effects), Err(Refusal::NoteMissing));
    let closed = desk.command(&command(1, Move::Close, "false alarm"), 6, &mut effects).unwrap();
    assert_eq!(closed.closed_ms, Some(6));
}

#[test]
fn a_cleared_alert_is_noted_once_and_leaves_the_ticket_open() {
    let (mut desk, mut effects) = (desk(), Vec::new());
    let alert = alert(1);
    desk.alert_opened(&alert, 5, &mut effects);
    effects.clear();
    let cleared = Cleared { id: alert.id.clone(), key: alert.key.clone(), cleared_ms: 9, why: "over".into() };
    desk.alert_cleared(&cleared, 9, &mut effects);
    desk.alert_cleared(&cleared, 9, &mut effects);
    assert_eq!((effects.len(), desk.n_open()), (3, 1));
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![Just(Move::Accept), Just(Move::Assign { unit: "u".into() }), Just(Move::Resolve), Just(Move::Close)]
}

proptest! {
    /// Any sequence of commands keeps numbers dense, stages legal and closed tickets closed; a desk restored from
    /// its own effects goes on as if it had never stopped.
    #[test]
    fn any_walk_is_legal_and_survives_a_restart(
        walk in prop::collection::vec((0u64..4, any_move(), any::<bool>()), 0..60), stop in 0usize..60
    ) {
        let run = |restart: bool| {
            let (mut desk, mut effects) = (desk(), Vec::new());
            for n in 0..3 { desk.alert_opened(&alert(n), n as i64, &mut effects); }
            for (step, (ticket, asked, noted)) in walk.iter().enumerate() {
                if restart && step == stop { desk = restored(&effects); }
                let note = if *noted { "n" } else { "" };
                let _ = desk.command(&command(*ticket, asked.clone(), note), 10 + step as i64, &mut effects);
            }
            effects
        };
        let effects = run(false);
        prop_assert_eq!(&effects, &run(true));
        let mut last: std::collections::HashMap<u64, (u64, Stage)> = Default::default();
        for effect in &effects {
            let Effect::Ticket(ticket) = effect else { continue };
            if let Some((n_journal, stage)) = last.get(&ticket.no) {
                prop_assert_eq!(ticket.n_journal, n_journal + 1);
                prop_assert_ne!(*stage, Stage::Closed);
            }
            last.insert(ticket.no, (ticket.n_journal, ticket.stage));
        }
    }
}

fn restored(effects: &[Effect]) -> Desk {
    let mut tickets = std::collections::BTreeMap::new();
    for effect in effects {
        if let Effect::Ticket(ticket) = effect {
            tickets.insert(ticket.no, Ticket::clone(ticket));
        }
    }
    let last_no = tickets.keys().max().copied().unwrap_or(0);
    let open = tickets.into_values().filter(|ticket| ticket.stage != Stage::Closed).collect();
    Desk::restore(&config::Desk::default(), open, last_no)
}

#[test]
fn a_look_makes_a_ticket_surer_once_for_each_look_and_none_where_the_work_is_done() {
    use outpost_detectors::fire::Evidence as Seen;

    use crate::nouns::Saw;

    let (mut desk, mut effects) = (desk(), Vec::new());
    let mut hot = alert(1);
    hot.confidence = Some(Confidence::of_heat("cam:west"));
    let looked = |saw| Looked { alert: hot.id.clone(), camera: "cam:west".into(), saw, pictures: Vec::new() };
    let unseen = looked(Saw::Pictures(Seen::Neither));
    assert_eq!(desk.alert_looked(&unseen, 5, &mut effects), None, "nobody knows that alert");
    desk.alert_opened(&hot, 10, &mut effects);
    effects.clear();
    let first = desk.alert_looked(&unseen, 20, &mut effects).unwrap();
    let second = desk.alert_looked(&unseen, 30, &mut effects).unwrap();
    assert!(second.share < first.share && first.share < 0.5);
    let notes: Vec<_> = effects
        .iter()
        .filter_map(|effect| if let Effect::Journal(entry) = effect { Some(entry.note.as_str()) } else { None })
        .collect();
    assert!(notes[0].starts_with("cam:west sees neither flame nor smoke; confidence 29 %, was 50 %"), "{notes:?}");
    let told = effects.iter().filter(|effect| matches!(effect, Effect::Tell { kind: "outpost.ticket.looked", .. }));
    assert_eq!(told.count(), 2);
    for asked in [Move::Accept, Move::Resolve, Move::Close] {
        desk.command(&command(1, asked, ""), 40, &mut effects).unwrap();
    }
    assert_eq!(desk.alert_looked(&unseen, 50, &mut effects), None);
    // An alert that nobody is asked about has no confidence, and gets none.
    let plain = alert(2);
    desk.alert_opened(&plain, 60, &mut effects);
    let stray = Looked { alert: plain.id.clone(), ..unseen };
    assert_eq!(desk.alert_looked(&stray, 70, &mut effects), None);
}
