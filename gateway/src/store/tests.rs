//! Claims about the store, on a real database in a temporary folder.

use std::sync::Arc;

use super::*;
use crate::config::Severity;
use crate::nouns::{Alert, AlertKey, Cleared, Figure, JournalEntry, Outbox, Place, Spool, Stage, StateRow, Why};

fn alert(since_at_ms: i64) -> Alert {
    let key = AlertKey { rule: "gas".into(), source: "tunnel/7/ch4".into(), fence: None };
    Alert {
        id: key.alert_id(since_at_ms, 1),
        key,
        name: "管廊甲烷超限".into(),
        severity: Severity::Severe,
        category: "underground/gas".into(),
        since_at_ms,
        opened_ms: since_at_ms + 5,
        place: Place { name: Some("7 号舱".into()), point: Some((106.03, 29.81)) },
        why: Why {
            text: "1.2 %LEL above 1".into(),
            figures: vec![Figure { name: "value".into(), value: 1.2, unit: Some("%LEL".into()) }],
        },
        snapshot: None,
    }
}

fn ticket(no: u64) -> Ticket {
    let alert = alert(1);
    Ticket {
        no,
        alert: alert.id,
        rule: alert.key.rule,
        source: alert.key.source,
        fence: None,
        title: alert.name,
        why: "w".into(),
        severity: Severity::Severe,
        category: alert.category,
        place: alert.place,
        stage: Stage::Reported,
        unit: None,
        opened_ms: 6,
        due_ms: 60,
        closed_ms: None,
        alert_cleared: false,
        n_journal: 1,
    }
}

fn cleared(alert: &Alert) -> Cleared {
    Cleared { id: alert.id.clone(), key: alert.key.clone(), cleared_ms: 99, why: "over".into() }
}

#[test]
fn what_is_committed_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let mut commit = Commit::default();
    commit.states.push(StateRow { rule: "gas".into(), source: "s".into(), state: "{}".into() });
    commit.opened.push((alert(1), Some(b"jpeg".to_vec())));
    commit.tickets.push(Arc::new(ticket(1)));
    let entry = JournalEntry { ticket: 1, no: 1, at_ms: 6, who: "outpost".into(), what: "opened", note: "n".into() };
    commit.journal.push(entry);
    commit.seen.push(SeenRow { broker: "main".into(), seq: 3, marks: vec![1; 20] });
    store.commit(&commit).unwrap();
    drop(store);

    let store = Store::open(folder.path(), None).unwrap();
    let restored = store.restore().unwrap();
    assert_eq!(restored.states, commit.states);
    assert_eq!(restored.tickets, [ticket(1)]);
    assert_eq!((restored.last_ticket, &restored.seen), (1, &commit.seen));
    let reader = Reader::open(folder.path(), 1).unwrap();
    let row = reader.alert(&alert(1).id).unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.place.point), ("管廊甲烷超限", Some((106.03, 29.81))));
    assert_eq!(row.figures[0].value, Some(1.2));
    let file = std::fs::read(reader.evidence_path(&row).unwrap()).unwrap();
    assert_eq!(file, b"jpeg");
    assert_eq!(row.evidence_sha256, Some(rows::hex(&<sha2::Sha256 as sha2::Digest>::digest(b"jpeg"))));
}

#[test]
fn a_second_open_alert_of_one_key_is_refused_and_nothing_of_its_batch_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let mut commit = Commit::default();
    commit.opened.push((alert(1), None));
    store.commit(&commit).unwrap();
    commit.clear();
    commit.opened.push((alert(2), None));
    commit.tickets.push(Arc::new(ticket(9)));
    assert!(store.commit(&commit).is_err());
    assert_eq!(store.restore().unwrap().last_ticket, 0);
}

#[test]
fn alerts_of_one_key_may_end_and_begin_in_one_batch() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let mut commit = Commit::default();
    commit.opened.push((alert(1), None));
    store.commit(&commit).unwrap();
    commit.clear();
    commit.cleared.push(cleared(&alert(1)));
    for since_at_ms in 2..5 {
        commit.opened.push((alert(since_at_ms), None));
        if since_at_ms < 4 {
            commit.cleared.push(cleared(&alert(since_at_ms)));
        }
    }
    store.commit(&commit).unwrap();
    let reader = Reader::open(folder.path(), 1).unwrap();
    let open: Vec<i64> = reader.alerts(true, 10).unwrap().iter().map(|row| row.since_at_ms).collect();
    assert_eq!(open, [4]);
    assert_eq!(reader.alerts(false, 10).unwrap().len(), 4);
}

#[test]
fn the_spool_is_bounded_and_counts_what_it_evicts() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), Some(100)).unwrap();
    let queues = Queues::open(folder.path()).unwrap();
    let mut evicted = 0;
    for n in 0..20 {
        let commit = Commit { lines: format!("line {n:04}\n"), n_lines: 1, ..Commit::default() };
        evicted += store.commit(&commit).unwrap().n_lines_evicted;
    }
    let chunk = queues.next(1 << 20).unwrap().unwrap();
    assert_eq!((chunk.n_lines, evicted), (10, 10));
    assert!(chunk.lines.starts_with("line 0010\n") && chunk.lines.ends_with("line 0019\n"));
    queues.remove(chunk.first_row, chunk.last_row).unwrap();
    assert_eq!(queues.next(1 << 20).unwrap(), None);
    // Room that the worker made is known again.
    let commit = Commit { lines: "x\n".repeat(40), n_lines: 40, ..Commit::default() };
    assert_eq!(store.commit(&commit).unwrap().n_lines_evicted, 0);
}

#[test]
fn a_delivery_waits_until_it_is_done_or_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let queues = Queues::open(folder.path()).unwrap();
    let mut commit = Commit::default();
    for n in 0..3 {
        commit.deliveries.push(NewDelivery {
            receiver: "town".into(),
            key: format!("T-{n}/1"),
            kind: "outpost.ticket.opened",
            data: "{}".into(),
            created_ms: 10,
        });
    }
    store.commit(&commit).unwrap();
    let due = queues.due("town", 10, 10).unwrap();
    assert_eq!(due.iter().map(|delivery| delivery.key.as_str()).collect::<Vec<_>>(), ["T-0/1", "T-1/1", "T-2/1"]);
    queues.done(&[due[0].row]).unwrap();
    queues.retry(due[1].row, 50, "refused").unwrap();
    queues.give_up(due[2].row, "gone").unwrap();
    assert_eq!(queues.due("town", 49, 10).unwrap(), []);
    assert_eq!(queues.next_due_ms("town").unwrap(), Some(50));
    assert_eq!(queues.due("town", 50, 10).unwrap()[0].attempts, 1);
    let reader = Reader::open(folder.path(), 1).unwrap();
    assert_eq!(reader.outbox_counts().unwrap(), [("town".to_string(), 1, 1)]);
}

#[test]
fn a_second_gateway_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Store::open(folder.path(), None).unwrap();
    assert!(matches!(Store::open(folder.path(), None), Err(StoreError::InUse { .. })));
}

#[test]
fn a_database_of_a_later_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path(), None).unwrap());
    let conn = Connection::open(folder.path().join("outpost.db")).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    assert!(matches!(Store::open(folder.path(), None), Err(StoreError::SchemaTooNew { found: 99, .. })));
}
