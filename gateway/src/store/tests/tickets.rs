//! Tickets as they are kept: every field, the alerts of each, and those of older versions.

use super::*;
use crate::config::{Limit, Span};
use crate::nouns::{Extension, Sight, Storm};

fn every_field_set() -> Ticket {
    let clock = |n: i64| Clock {
        runs: Runs::Working,
        budget_ms: n,
        yellow_ms: n + 1,
        due_ms: n + 2,
        left_ms: Some(-n),
        n_told: 3,
    };
    Ticket {
        fence: Some("f".into()),
        place: Place { sight: Some(Box::new(Sight { bearing_deg: 7.0, ..Sight::default() })), ..ticket(9).place },
        confidence: Some(Confidence { share: 0.3, why: "dust".into() }),
        stage: Stage::Suspended,
        held: Some(Stage::Handling),
        is_emergency: true,
        centre: "town".into(),
        beside: vec!["other-town".into(), "a \"village\"".into()],
        lead: Some("village".into()),
        unit: Some("三分队".into()),
        officer: Some("p-1042".into()),
        lease_ms: Some(81),
        handlers: vec!["wang".into(), "\"li\"".into()],
        closed_ms: Some(71),
        whole: clock(100),
        step: Some(clock(200)),
        extension: Some(Extension { who: "wang".into(), limit: Limit::Working(Span::from_ms(5_400_000)) }),
        into: Some(4),
        n_alerts: 9_990,
        n_alerts_on: 17,
        storm: Some(Storm::Over),
        counts: Counts {
            returned: 1,
            reassigned: 2,
            disputed: 3,
            extended: 4,
            suspended: 5,
            reworked: 6,
            supervised: 7,
            escalated: 8,
            handed_over: 9,
            unanswered: 10,
        },
        score: Some(5),
        n_journal: 44,
        ..ticket(9)
    }
}

#[test]
fn every_field_of_a_ticket_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let tickets = [every_field_set(), ticket(8)];
    store.commit(&Commit { tickets: tickets.iter().cloned().map(Arc::new).collect(), ..Commit::default() }).unwrap();
    assert_eq!(store.restore().unwrap().tickets, tickets);
}

#[test]
fn a_restart_takes_what_may_be_moved_and_a_list_what_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let stages = [Stage::Suspected, Stage::Parked, Stage::Closed, Stage::Rated, Stage::Archived, Stage::Merged];
    let tickets = stages.iter().zip(1..).map(|(stage, no)| Arc::new(Ticket { stage: *stage, ..ticket(no) })).collect();
    store.commit(&Commit { tickets, ..Commit::default() }).unwrap();
    let numbers = |tickets: Vec<Ticket>| tickets.iter().map(|ticket| ticket.no).collect::<Vec<_>>();
    assert_eq!(numbers(store.restore().unwrap().tickets), [4, 3, 2, 1]);
    let reader = Reader::open(folder.path(), 1).unwrap();
    let list = |least| numbers(reader.tickets(&TicketQuery { least, limit: 10, ..TicketQuery::default() }).unwrap());
    assert_eq!((list(Standing::Open), list(Standing::Ended)), (vec![2, 1], vec![6, 5, 4, 3, 2, 1]));
}

#[test]
fn alerts_belong_to_the_ticket_that_adopted_them_and_those_that_are_over_are_not_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let other = Alert { key: AlertKey { source: "other".into(), ..alert(2).key }, ..alert(2) };
    let mut commit = Commit {
        opened: vec![(alert(1), None), (other.clone(), None)],
        tickets: vec![Arc::new(ticket(1)), Arc::new(ticket(2))],
        members: vec![(alert(1).id, 1), (other.id.clone(), 2)],
        ..Commit::default()
    };
    store.commit(&commit).unwrap();
    assert_eq!(store.restore().unwrap().members.len(), 2);
    commit.clear();
    commit.tickets = vec![Arc::new(Ticket { stage: Stage::Merged, ..ticket(2) })];
    commit.adopted.push((2, 1));
    commit.cleared.push(cleared(&alert(1)));
    store.commit(&commit).unwrap();
    assert_eq!(store.restore().unwrap().members, [(other.id, 1)]);
}

/// A database as the version before the loop left it.
#[test]
fn tickets_of_the_fifth_version_go_on_where_they_stood() {
    let folder = tempfile::tempdir().unwrap();
    let conn = Connection::open(folder.path().join("outpost.db")).unwrap();
    STEPS[..5].iter().for_each(|step| conn.execute_batch(step).unwrap());
    conn.execute_batch(
        "INSERT INTO alert (id, rule, source, name, severity, category, since_at_ms, opened_ms, why, figures)
         VALUES ('A-1', 'gas', 's/1', 'n', 'severe', 'c', 1, 1, 'w', '[]')",
    )
    .unwrap();
    for (no, stage, is_cleared) in
        [(1, "reported", 0), (2, "accepted", 1), (3, "dispatched", 0), (4, "resolved", 1), (5, "closed", 1)]
    {
        conn.execute_batch(&format!(
            "INSERT INTO ticket VALUES ({no}, 'A-{no}', 'gas', 's/{no}', NULL, 't', 'w', 'severe', 'c', NULL, 106.0, 29.5,
             '{stage}', 'u', 1000, 5000, {closed}, {is_cleared}, 2, NULL, NULL, NULL);
             INSERT INTO journal (ticket, no, at_ms, who, what, note) VALUES ({no}, 1, 1, 'outpost', 'opened', 'n'),
             ({no}, 2, 2, 'li', 'assign', 'to u')",
            closed = if stage == "closed" { "4000" } else { "NULL" },
        ))
        .unwrap();
    }
    conn.pragma_update(None, "user_version", 5).unwrap();
    drop(conn);

    let store = Store::open(folder.path(), None).unwrap();
    let restored = store.restore().unwrap();
    let stood: Vec<_> = restored.tickets.iter().map(|ticket| (ticket.no, ticket.stage, ticket.n_alerts_on)).collect();
    let wanted = [(4, Stage::FedBack, 0), (3, Stage::Dispatched, 1), (2, Stage::Accepted, 0), (1, Stage::Reported, 1)];
    assert_eq!(stood, wanted);
    let clock =
        Clock { runs: Runs::Always, budget_ms: 4_000, yellow_ms: 4_000, due_ms: 5_000, left_ms: None, n_told: 0 };
    assert!(restored.tickets.iter().all(|ticket| ticket.whole == clock && ticket.step.is_none()));
    assert_eq!((restored.members, restored.last_ticket), (vec![("A-1".into(), 1)], 5));
    let (closed, journal) = Reader::open(folder.path(), 1).unwrap().ticket(5).unwrap().unwrap();
    assert_eq!((closed.stage, closed.closed_ms, closed.unit.as_deref()), (Stage::Archived, Some(4_000), Some("u")));
    assert_eq!(journal.iter().map(|entry| entry.what.as_str()).collect::<Vec<_>>(), ["opened", "assign"]);
}
