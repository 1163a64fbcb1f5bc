//! Scores and class cases as they are kept, and that a period is read without the rest.

use super::*;
use crate::nouns::{ClassCase, ClassChange, ClassEntry, ClassStage, CountedTicket, Passage, Stage};

fn passage(ticket: u64, no: u64, at_ms: i64) -> Passage {
    Passage {
        ticket,
        no,
        from: Stage::Reported,
        to: Stage::Accepted,
        at_ms,
        due_ms: Some(at_ms + 5),
        whole_due_ms: at_ms + 50,
        who: "li".into(),
        unit: Some("三分队".into()),
        is_force_majeure: no == 3,
    }
}

#[test]
fn a_period_has_what_happened_was_due_or_is_open_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let closed = |no: u64, opened_ms: i64, due_ms: i64| {
        let mut ticket = Ticket { opened_ms, stage: Stage::Archived, closed_ms: Some(opened_ms + 1), ..ticket(no) };
        ticket.whole.due_ms = due_ms;
        Arc::new(ticket)
    };
    let open = Arc::new(Ticket { opened_ms: 5, ..ticket(6) });
    let tickets =
        vec![closed(1, 10, 20), closed(2, 150, 160), closed(3, 10, 150), closed(4, 10, 20), closed(5, 10, 20), open];
    let passages =
        vec![passage(1, 2, 50), passage(4, 2, 150), passage(4, 3, 160), passage(5, 2, 96), passage(2, 2, 155)];
    store.commit(&Commit { tickets, passages: passages.clone(), ..Commit::default() }).unwrap();
    let reader = Reader::open(folder.path(), 1).unwrap();
    let stories = reader.stories(100, 200).unwrap().unwrap();
    let numbers: Vec<u64> = stories.iter().map(|story| story.no).collect();
    // Opened in it; due in it; passed in it; its stage was due in it; open: but not the first.
    assert_eq!(numbers, [2, 3, 4, 5, 6]);
    assert_eq!(stories[2].passages, passages[1..3]);
    assert_eq!((stories[0].stage, stories[0].due_ms, stories[0].passages.len()), (Stage::Archived, 160, 1));
    assert_eq!(reader.stories(0, 5).unwrap().unwrap(), [], "what opens later is not of it");
}

#[test]
fn a_period_is_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), None).unwrap();
    for sql in [passages::tickets_sql(), passages::passages_sql()] {
        let mut statement = store.conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.query_map([1, 2], |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
        let scans = |step: &&String| {
            let is_table = step.starts_with("SCAN ticket") || step.starts_with("SCAN passage");
            // All rows of the index of open tickets are wanted.
            is_table && !step.contains("INDEX ticket_open") && !step.contains("INDEX ticket_live")
        };
        assert_eq!(steps.iter().filter(scans).collect::<Vec<_>>(), Vec::<&String>::new(), "{steps:#?}");
    }
}

#[test]
fn class_cases_are_kept_with_members_and_journal() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let case = ClassCase {
        no: 1,
        category: "waste/heap".into(),
        grid: Some("g7".into()),
        place: None,
        point: Some((106.0, 29.8)),
        stage: ClassStage::Found,
        opened_ms: 9,
        ended_ms: None,
        n_tickets: 2,
        n_journal: 1,
    };
    let entry = ClassEntry { class: 1, no: 1, at_ms: 9, who: "outpost".into(), what: "found", note: "n".into() };
    let heap = |no: u64| Arc::new(Ticket { category: "waste/heap".into(), opened_ms: no as i64, ..ticket(no) });
    let classes = vec![
        ClassChange::Case(case.clone()),
        ClassChange::Journal(entry),
        ClassChange::Member { ticket: 1, class: 1 },
        ClassChange::Member { ticket: 2, class: 1 },
    ];
    store.commit(&Commit { tickets: vec![heap(1), heap(2), heap(3)], classes, ..Commit::default() }).unwrap();
    let restored = store.restore_classes(0).unwrap();
    assert_eq!((restored.cases, restored.last_no), (vec![case.clone()], 1));
    let of = |counted: &CountedTicket| (counted.no, counted.class);
    assert_eq!(restored.counted.iter().map(of).collect::<Vec<_>>(), [(1, Some(1)), (2, Some(1)), (3, None)]);
    assert_eq!(store.restore_classes(2).unwrap().counted.len(), 1, "older ones no longer count");
    let closed = ClassCase { stage: ClassStage::Closed, ended_ms: Some(20), n_journal: 2, ..case };
    let classes = vec![ClassChange::Case(closed.clone()), ClassChange::Leaves { ticket: 2 }];
    store.commit(&Commit { classes, ..Commit::default() }).unwrap();
    assert_eq!(store.restore_classes(0).unwrap().cases, []);
    let reader = Reader::open(folder.path(), 1).unwrap();
    assert_eq!(reader.class_cases(false, None, 9).unwrap(), []);
    assert_eq!(reader.class_cases(true, None, 9).unwrap(), std::slice::from_ref(&closed));
    assert_eq!(reader.class_cases(true, Some(1), 9).unwrap(), []);
    let (found, members, journal) = reader.class_case(1).unwrap().unwrap();
    assert_eq!((found, members.len(), journal[0].what.as_str()), (closed, 1, "found"));
    assert_eq!(reader.class_case(2).unwrap().map(|_| ()), None);
    let happened = reader.happened("waste/heap", 2, 9, 9).unwrap();
    assert_eq!(happened.iter().map(|one| one.no).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(reader.categories(0, 9, 9).unwrap()[0].n, 3);
}
