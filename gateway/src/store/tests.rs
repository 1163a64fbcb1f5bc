//! Claims about the store, on a real database in a temporary folder.

mod fixes;
mod scores;
mod tickets;

use std::sync::Arc;

use super::*;
use crate::config::Severity;
use crate::nouns::{
    Alert, AlertKey, Call, Cleared, Clock, Confidence, Counts, Figure, JournalEntry, Outbox, Place, Role, Runs, Spool,
    SpoolLoss, Stage, StateRow, Why,
};

pub(super) fn alert(since_at_ms: i64) -> Alert {
    let key = AlertKey { rule: "gas".into(), source: "tunnel/7/ch4".into(), fence: None };
    Alert {
        id: key.alert_id(since_at_ms, 1),
        key,
        name: "管廊甲烷超限".into(),
        severity: Severity::Severe,
        category: "underground/gas".into(),
        since_at_ms,
        opened_ms: since_at_ms + 5,
        place: Place {
            name: Some("7 号舱".into()), point: Some((106.03, 29.81)), accuracy_m: Some(12.5), sight: None
        },
        why: Why {
            text: "1.2 %LEL above 1".into(),
            figures: vec![Figure { name: "value".into(), value: 1.2, unit: Some("%LEL".into()) }],
        },
        snapshot: None,
        exhibits: Vec::new(),
        confidence: None,
        visible: None,
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
        confidence: None,
        stage: Stage::Reported,
        held: None,
        is_emergency: false,
        is_private: false,
        is_force_majeure: false,
        centre: "district".into(),
        lead: None,
        unit: None,
        handlers: Vec::new(),
        opened_ms: 6,
        closed_ms: None,
        whole: Clock { runs: Runs::Always, budget_ms: 54, yellow_ms: 47, due_ms: 60, left_ms: None, n_told: 0 },
        step: None,
        extension: None,
        into: None,
        n_alerts: 1,
        n_alerts_on: 1,
        storm: None,
        counts: Counts::default(),
        score: None,
        call: Some(Call { escalation: "night".into(), step: 1, since_ms: 7, next_ms: 9, n_rung: 3 }),
        n_journal: 1,
        beside: Vec::new(),
        officer: None,
        lease_ms: None,
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
    let snapshot = row.snapshot.unwrap();
    assert_eq!(std::fs::read(reader.evidence_path(&snapshot.file.unwrap())).unwrap(), b"jpeg");
    assert_eq!(snapshot.sha256, Some(rows::hex(&<sha2::Sha256 as sha2::Digest>::digest(b"jpeg"))));
}

#[test]
fn a_second_open_alert_of_one_key_is_refused_and_nothing_of_its_batch_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let mut commit = Commit::default();
    commit.opened.push((alert(1), None));
    store.commit(&commit).unwrap();
    commit.clear();
    // Written before the alert that is refused, and after it.
    commit.states.push(StateRow { rule: "gas".into(), source: "s".into(), state: "{}".into() });
    commit.opened.push((alert(2), None));
    commit.tickets.push(Arc::new(ticket(9)));
    let refused = store.commit(&commit).unwrap_err().to_string();
    assert!(refused.contains("UNIQUE constraint failed"), "{refused}");
    let restored = store.restore().unwrap();
    assert_eq!((restored.states, restored.last_ticket), (vec![], 0));
    let reader = Reader::open(folder.path(), 1).unwrap();
    let alerts = reader.alerts(false, 10).unwrap();
    assert_eq!(alerts.iter().map(|row| (row.since_at_ms, row.cleared_ms)).collect::<Vec<_>>(), [(1, None)]);
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
    let mut all: Vec<_> =
        reader.alerts(false, 10).unwrap().into_iter().map(|row| (row.since_at_ms, row.cleared_ms)).collect();
    all.sort_unstable();
    assert_eq!(all, [(1, Some(99)), (2, Some(99)), (3, Some(99)), (4, None)]);
}

fn lines(text: &str, now_ms: i64) -> Commit {
    Commit { lines: text.into(), now_ms, ..Commit::default() }
}

#[test]
fn the_spool_is_bounded_and_counts_what_it_evicts() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), Some(100)).unwrap();
    let (queues, reader) = (Queues::open(folder.path()).unwrap(), Reader::open(folder.path(), 1).unwrap());
    let mut evicted = 0;
    for n in 0..20 {
        evicted += store.commit(&lines(&format!("line {n:04}\n"), n)).unwrap().n_lines_evicted;
        assert_eq!(reader.spool_lines().unwrap(), (n + 1).min(10) as u64);
    }
    let chunk = queues.next(1 << 20).unwrap().unwrap();
    assert_eq!((chunk.n_lines, evicted), (10, 10));
    assert!(chunk.lines.starts_with("line 0010\n") && chunk.lines.ends_with("line 0019\n"));
    queues.remove(chunk.first_row, chunk.last_row).unwrap();
    assert_eq!(queues.next(1 << 20).unwrap(), None);
    assert_eq!(reader.spool_lines().unwrap(), 0);
    // Room that the worker made is known again.
    assert_eq!(store.commit(&lines(&"x\n".repeat(40), 20)).unwrap().n_lines_evicted, 0);
}

#[test]
fn a_spool_of_the_first_version_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let conn = Connection::open(folder.path().join("outpost.db")).unwrap();
    conn.execute_batch(STEPS[0]).unwrap();
    conn.execute_batch("INSERT INTO spool (row, n_lines, lines) VALUES (7, 2, '管\n管\n'), (8, 1, 'x\n')").unwrap();
    conn.pragma_update(None, "user_version", 1).unwrap();
    drop(conn);
    let mut store = Store::open(folder.path(), Some(12)).unwrap();
    let (queues, reader) = (Queues::open(folder.path()).unwrap(), Reader::open(folder.path(), 1).unwrap());
    assert_eq!(reader.spool_lines().unwrap(), 3);
    assert_eq!(store.commit(&lines("y\n", 1)).unwrap().n_lines_evicted, 0, "8 and 2 and 2 bytes");
    assert_eq!(queues.next(1 << 20).unwrap().unwrap().lines, "管\n管\nx\ny\n");
    assert_eq!(store.commit(&lines("z\n", 2)).unwrap().n_lines_evicted, 2);
    assert_eq!(queues.next(1 << 20).unwrap().unwrap().lines, "x\ny\nz\n");
}

#[test]
fn the_bound_is_of_bytes_and_a_batch_larger_than_it_loses_its_oldest_lines_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), Some(1_000)).unwrap();
    let queues = Queues::open(folder.path()).unwrap();
    // 10 bytes each, 6 characters.
    let batch: String = (0..1_000).map(|n| format!("管管{n:03}\n")).collect();
    let evicted = store.commit(&lines(&batch, 7)).unwrap().n_lines_evicted;
    let chunk = queues.next(1 << 20).unwrap().unwrap();
    assert_eq!((evicted, chunk.n_lines), (900, 100));
    assert!(chunk.lines.starts_with("管管900\n") && chunk.lines.ends_with("管管999\n"));
}

#[test]
fn a_loss_is_remembered_until_what_waited_then_is_sent_and_it_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), Some(100)).unwrap();
    let queues = Queues::open(folder.path()).unwrap();
    for n in 0..10 {
        store.commit(&lines("0123 56789\n", n)).unwrap();
    }
    let loss = |n_lines, is_over| SpoolLoss { n_lines, since_ms: 9, is_over };
    assert_eq!(queues.loss().unwrap(), Some(loss(1, false)));
    store.commit(&lines("0123 56789\n", 10)).unwrap();
    drop((store, queues));

    let mut store = Store::open(folder.path(), Some(100)).unwrap();
    let queues = Queues::open(folder.path()).unwrap();
    let waited = queues.next(1 << 20).unwrap().unwrap();
    queues.remove(waited.first_row, waited.first_row).unwrap();
    store.commit(&lines("later\n", 11)).unwrap();
    assert_eq!(queues.loss().unwrap(), Some(loss(2, false)));
    queues.remove(waited.first_row, waited.last_row).unwrap();
    assert_eq!(queues.loss().unwrap(), Some(loss(2, true)), "what came later may wait");
    queues.forget_loss(&loss(1, true)).unwrap();
    assert_eq!(queues.loss().unwrap(), Some(loss(2, true)), "that was another one");
    queues.forget_loss(&loss(2, true)).unwrap();
    assert_eq!(queues.loss().unwrap(), None);
}

fn delivery(n: i64) -> NewDelivery {
    NewDelivery {
        receiver: "town".into(),
        key: format!("T-{n}/1"),
        kind: "outpost.ticket.opened",
        data: "{}".into(),
        created_ms: 10,
        next_ms: 10,
    }
}

#[test]
fn what_comes_in_quiet_hours_is_due_when_they_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let quiet = NewDelivery { next_ms: 50, ..delivery(1) };
    store.commit(&Commit { deliveries: vec![quiet], ..Commit::default() }).unwrap();
    let queues = Queues::open(folder.path()).unwrap();
    assert_eq!(queues.due("town", 49, 9).unwrap(), []);
    assert_eq!(queues.next_due_ms("town").unwrap(), Some(50));
    let due = queues.due("town", 50, 9).unwrap();
    assert_eq!((due[0].key.as_str(), due[0].created_ms), ("T-1/1", 10));
}

#[test]
fn a_report_is_known_after_a_restart_and_never_told_twice() {
    let folder = tempfile::tempdir().unwrap();
    let row = ReportRow { sender: "intake:housing".into(), key: "7".into(), ticket: 3, told_ms: 20 };
    let commit = Commit { reports: vec![row], ..Commit::default() };
    let mut store = Store::open(folder.path(), None).unwrap();
    store.commit(&commit).unwrap();
    assert!(store.commit(&commit).is_err(), "the same report is one row");
    drop(store);
    let store = Store::open(folder.path(), None).unwrap();
    assert_eq!(store.reported("intake:housing", "7").unwrap(), Some(3));
    assert_eq!(store.reported("intake:roads", "7").unwrap(), None);
    let reader = Reader::open(folder.path(), 1).unwrap();
    let told = |sender: &str, from_ms, to_ms| reader.reports(sender, from_ms, to_ms, 10).unwrap();
    assert_eq!((told("intake:", 20, 21), told("open311:", 0, 99), told("intake:", 0, 20)), (vec![3], vec![], vec![]));
}

#[test]
fn a_worker_that_writes_at_the_same_time_makes_no_commit_fail() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), Some(1 << 20)).unwrap();
    let queues = Queues::open(folder.path()).unwrap();
    store.commit(&Commit { deliveries: vec![delivery(0)], ..Commit::default() }).unwrap();
    let row = queues.due("town", 10, 1).unwrap()[0].row;
    let is_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(std::sync::atomic::Ordering::SeqCst) {
                queues.retry(row, 10, "refused").unwrap();
            }
        });
        let commits: Vec<_> = (0..300).map(|n| store.commit(&lines("a\n", n))).collect();
        is_done.store(true, std::sync::atomic::Ordering::SeqCst);
        assert!(commits.iter().all(Result::is_ok), "{commits:?}");
    });
}

#[test]
fn a_delivery_waits_until_it_is_done_or_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let queues = Queues::open(folder.path()).unwrap();
    let mut commit = Commit::default();
    commit.deliveries.extend((0..3).map(delivery));
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

fn exhibit(alert: &Alert, role: Role, at_ms: i64, jpeg: Option<&[u8]>) -> NewExhibit {
    NewExhibit { alert: alert.id.clone(), role, source: "thermal/a".into(), at_ms, jpeg: jpeg.map(Into::into) }
}

#[test]
fn pictures_of_an_alert_are_kept_in_order_of_time_and_so_is_how_sure_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let (alert, mut commit) = (alert(1), Commit::default());
    commit.opened.push((alert.clone(), Some(b"at".to_vec())));
    commit.exhibits.push(exhibit(&alert, Role::Before, 10, Some(b"before")));
    commit.exhibits.push(exhibit(&alert, Role::At, 20, None));
    store.commit(&commit).unwrap();
    commit.clear();
    assert!(commit.is_empty());
    commit.exhibits.push(exhibit(&alert, Role::Visible, 40, Some(b"visible")));
    commit.exhibits.push(exhibit(&alert, Role::After, 30, Some(b"after")));
    commit.confidences.push((alert.id.clone(), Confidence { share: 0.9, why: "flames".into() }));
    assert!(!commit.is_empty());
    store.commit(&commit).unwrap();
    let reader = Reader::open(folder.path(), 1).unwrap();
    let rows = reader.exhibits(&alert.id).unwrap();
    let file = |row: &ExhibitRow| reader.evidence_path(row.evidence.file.as_ref().unwrap());
    let shown: Vec<_> = rows.iter().map(|row| (row.no, row.role.as_str(), std::fs::read(file(row)).unwrap())).collect();
    let expected: [(u32, &str, &[u8]); 4] =
        [(1, "before", b"before"), (2, "at", b"at"), (4, "after", b"after"), (3, "visible", b"visible")];
    assert_eq!(shown, expected.map(|(no, role, jpeg)| (no, role, jpeg.to_vec())));
    let row = reader.alert(&alert.id).unwrap().unwrap();
    assert_eq!(row.confidence, Some(Confidence { share: 0.9, why: "flames".into() }));
}

#[test]
fn an_alert_has_only_so_many_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let (alert, mut commit) = (alert(1), Commit::default());
    commit.opened.push((alert.clone(), None));
    // Its snapshot was not to be had.
    commit.exhibits.push(exhibit(&alert, Role::At, 0, None));
    store.commit(&commit).unwrap();
    for at_ms in 0..5 {
        commit.clear();
        commit.exhibits.extend((0..10).map(|n| exhibit(&alert, Role::After, at_ms * 10 + n, Some(b"jpeg"))));
        store.commit(&commit).unwrap();
    }
    let rows = Reader::open(folder.path(), 1).unwrap().exhibits(&alert.id).unwrap();
    let n_max = evidence::EXHIBITS_MAX as usize;
    assert_eq!((rows.len(), rows.last().map(|row| row.at_ms)), (n_max, Some(31)));
    let n_files = std::fs::read_dir(folder.path().join("evidence")).unwrap().count();
    assert_eq!(n_files, n_max);
}
