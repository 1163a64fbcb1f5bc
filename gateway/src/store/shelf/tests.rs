//! Claims about evidence, on real files in a temporary folder; the disk that is full is small instead.

use super::super::tests::alert;
use super::super::{Archive, Commit, Doer, Held, NewExhibit, Reader, STEPS, Store};
use super::*;
use crate::config::{Bytes, Span};
use crate::nouns::Role;

const DAY_MS: i64 = 86_400_000;

fn limits(snapshots: u64, clips: u64) -> config::Evidence {
    config::Evidence {
        snapshots_keep: Span::from_ms(10 * DAY_MS),
        snapshots_bytes_max: Bytes(snapshots),
        clips_keep: Span::from_ms(DAY_MS),
        clips_bytes_max: Bytes(clips),
        disk_free_min: Bytes(0),
        ..config::Evidence::default()
    }
}

/// Opens and clears an alert each, with a picture of so many bytes.
fn open(store: &mut Store, since: std::ops::Range<i64>, n_bytes: usize) {
    for since_at_ms in since {
        let mut commit = Commit::default();
        let alert = alert(since_at_ms);
        commit.cleared.push(crate::nouns::Cleared {
            id: alert.id.clone(),
            key: alert.key.clone(),
            cleared_ms: since_at_ms + 6,
            why: "over".into(),
        });
        commit.opened.push((alert, Some(vec![since_at_ms as u8; n_bytes])));
        store.commit(&commit).unwrap();
    }
}

fn snapshot(folder: &Path, since_at_ms: i64) -> Result<String, Missing> {
    let row = Reader::open(folder, 1).unwrap().alert(&alert(since_at_ms).id).unwrap().expect("the alert is committed");
    row.snapshot.expect("it was to have a picture").file
}

fn there(folder: &Path, since: std::ops::Range<i64>) -> Vec<bool> {
    since.map(|since_at_ms| snapshot(folder, since_at_ms).is_ok()).collect()
}

fn doer(reason: &str) -> Doer {
    Doer { who: "Li".into(), peer: "192.0.2.7".into(), reason: reason.into() }
}

#[test]
fn after_a_crash_files_and_rows_agree() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("evidence");
    let mut store = Store::open(folder.path(), None).unwrap();
    open(&mut store, 1..3, 10);
    let mut commit = Commit::default();
    commit.opened.push((alert(3), None));
    commit.clips.push((alert(3).id, Missing::Pending));
    store.commit(&commit).unwrap();
    drop(store);
    std::fs::remove_file(evidence.join(snapshot(folder.path(), 1).unwrap())).unwrap();
    let strays = ["A-0123456789abcdef.jpg", "A-0123456789abcdef.mp4"];
    let others = ["A-0123456789abcdef.txt", "A-xyz.jpg", "notes.jpg"];
    for name in strays.iter().chain(&others) {
        std::fs::write(evidence.join(name), b"half").unwrap();
    }
    drop(Store::open(folder.path(), None).unwrap());
    assert_eq!(snapshot(folder.path(), 1), Err(Missing::Lost));
    let kept = evidence.join(snapshot(folder.path(), 2).unwrap());
    assert_eq!(std::fs::read(kept).unwrap(), [2; 10]);
    assert!(strays.iter().all(|name| !evidence.join(name).exists()), "no row promises them");
    assert!(others.iter().all(|name| evidence.join(name).exists()), "they are somebody else's");
    let row = Reader::open(folder.path(), 1).unwrap().alert(&alert(3).id).unwrap().unwrap();
    assert_eq!(row.clip.unwrap().file, Err(Missing::Lost), "the clip that was being received");
}

#[test]
fn the_oldest_make_room_and_what_is_held_never() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap().with_evidence(&limits(45, 1_000));
    let archive = Archive::of(&store).unwrap();
    open(&mut store, 1..5, 10);
    assert_eq!(there(folder.path(), 1..5), [true; 4]);
    assert_eq!(archive.hold(&alert(1).id, &doer("case 7"), 9).unwrap(), Held::Changed);
    archive.clip(&alert(1).id, Ok(&[7; 900]), 9).unwrap();
    open(&mut store, 5..8, 10);
    assert_eq!(there(folder.path(), 1..8), [true, false, false, false, true, true, true]);
    assert_eq!(snapshot(folder.path(), 2), Err(Missing::Evicted));
    let used = |kind| Reader::open(folder.path(), 1).unwrap().evidence_used(kind).unwrap();
    assert_eq!((used(EvidenceKind::Snapshot), used(EvidenceKind::Clip)), ((4, 40), (1, 900)));
    for since_at_ms in 5..8 {
        archive.hold(&alert(since_at_ms).id, &doer("case 7"), 9).unwrap();
    }
    open(&mut store, 8..9, 10);
    assert_eq!(snapshot(folder.path(), 8), Err(Missing::Evicted), "all that there is, is held");
    assert_eq!(there(folder.path(), 5..8), [true; 3]);
    assert_eq!(archive.release(&alert(1).id, &doer("closed"), 9).unwrap(), Held::Changed);
    open(&mut store, 9..10, 10);
    assert_eq!((snapshot(folder.path(), 1), snapshot(folder.path(), 9).is_ok()), (Err(Missing::Evicted), true));
    let row = Reader::open(folder.path(), 1).unwrap().alert(&alert(1).id).unwrap().unwrap();
    assert!(row.snapshot.unwrap().sha256.is_some(), "what it was can still be proved");
    assert_eq!(archive.counts().evicted.load(Relaxed), 4);
    assert_eq!(archive.counts().refused.load(Relaxed), 1);
}

/// Files of 100 bytes and more fill this disk when there are five of them.
const DISK_BYTES: u64 = 500;

fn disk_used(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
    files.sum()
}

fn write_if_it_fits(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fits = disk_used(path.parent().unwrap()) + bytes.len() as u64 <= DISK_BYTES;
    if fits { std::fs::write(path, bytes) } else { Err(ErrorKind::StorageFull.into()) }
}

#[test]
fn a_full_disk_costs_the_oldest_evidence_and_no_alert() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    // Nobody knows how much is free: the disk says so when it is full.
    let disk = Disk { write: write_if_it_fits, free_bytes: |_| None, ..Disk::default() };
    store.shelf = Shelf::new(folder.path(), limits(1 << 20, 1 << 20)).on(disk);
    let archive = Archive::of(&store).unwrap();
    open(&mut store, 1..9, 100);
    assert_eq!(there(folder.path(), 1..9), [false, false, false, true, true, true, true, true]);
    archive.clip(&alert(1).id, Ok(&[7; 250]), 100).unwrap();
    assert_eq!(there(folder.path(), 4..9), [false, false, false, true, true], "a clip as well makes room for itself");
    for since_at_ms in [1, 7, 8] {
        archive.hold(&alert(since_at_ms).id, &doer("case 7"), 101).unwrap();
    }
    open(&mut store, 9..11, 100);
    assert_eq!(there(folder.path(), 7..11), [true, true, false, false], "they opened without their pictures");
    assert_eq!(snapshot(folder.path(), 10), Err(Missing::Lost));
    assert!(disk_used(&folder.path().join("evidence")) <= DISK_BYTES);
}

#[test]
fn a_row_promises_a_picture_when_its_file_and_then_its_folder_are_on_disk() {
    let cases: [fn(&Path) -> io::Result<()>; 2] = [
        // Called when the file is there and no row promises it yet.
        |folder| {
            let n_files = std::fs::read_dir(folder)?.count();
            let n_rows =
                Reader::open(folder.parent().unwrap(), 1).unwrap().evidence_used(EvidenceKind::Snapshot).unwrap().0;
            if (n_files, n_rows) == (1, 0) { Ok(()) } else { Err(io::Error::other("out of turn")) }
        },
        |_| Err(io::Error::other("bad sector")),
    ];
    for (sync_folder, file) in cases.into_iter().zip([Ok(format!("{}.jpg", alert(1).id)), Err(Missing::Lost)]) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), None).unwrap();
        store.shelf = Shelf::new(folder.path(), limits(1 << 20, 1 << 20)).on(Disk { sync_folder, ..Disk::default() });
        open(&mut store, 1..2, 100);
        assert_eq!(snapshot(folder.path(), 1), file);
        assert_eq!(disk_used(&folder.path().join("evidence")), if file.is_ok() { 100 } else { 0 });
    }
}

#[test]
fn evidence_leaves_the_room_that_others_need() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let free_bytes = |folder: &Path| Some(DISK_BYTES - disk_used(folder));
    let limits = config::Evidence { disk_free_min: Bytes(200), ..limits(1 << 20, 1 << 20) };
    store.shelf = Shelf::new(folder.path(), limits).on(Disk { write: write_if_it_fits, free_bytes, ..Disk::default() });
    open(&mut store, 1..9, 100);
    assert_eq!(there(folder.path(), 1..9), [false, false, false, false, false, true, true, true]);
}

#[test]
fn a_database_without_room_takes_that_of_the_evidence_before_it_gives_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    open(&mut store, 1..4, 100);
    let pages: i64 = store.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.conn.pragma_update(None, "max_page_count", pages + 1).unwrap();
    let mut commit = Commit::default();
    let row = |state: String| crate::nouns::StateRow { rule: "gas".into(), source: "s".into(), state };
    commit.states.push(row("x".repeat(1 << 20)));
    let error = store.commit(&commit).unwrap_err();
    assert!(error.is_full(), "{error}");
    assert_eq!(disk_used(&folder.path().join("evidence")), 0);
    store.conn.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    store.commit(&commit).unwrap();
}

#[test]
fn each_kind_is_kept_for_its_time_unless_it_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap().with_evidence(&limits(1_000, 1_000));
    let archive = Archive::of(&store).unwrap();
    open(&mut store, 1..4, 10);
    for since_at_ms in 1..4 {
        archive.clip(&alert(since_at_ms).id, Ok(&[7; 20]), since_at_ms).unwrap();
    }
    archive.hold(&alert(2).id, &doer("case 7"), 9).unwrap();
    let clips = || -> Vec<Result<String, Missing>> {
        let reader = Reader::open(folder.path(), 1).unwrap();
        (1..4).map(|since_at_ms| reader.alert(&alert(since_at_ms).id).unwrap().unwrap().clip.unwrap().file).collect()
    };
    assert_eq!(archive.expire(DAY_MS).unwrap(), 0);
    assert_eq!(archive.expire(DAY_MS + 100).unwrap(), 2);
    assert!(clips()[0] == Err(Missing::Expired) && clips()[1].is_ok(), "{:?}", clips());
    assert_eq!(there(folder.path(), 1..4), [true; 3]);
    assert_eq!(archive.expire(10 * DAY_MS + 100).unwrap(), 2);
    assert_eq!(there(folder.path(), 1..4), [false, true, false]);
    assert_eq!(disk_used(&folder.path().join("evidence")), 30, "one picture and its clip");
}

#[test]
fn who_looks_and_holds_is_written_down_and_a_look_once_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let archive = Archive::of(&store).unwrap();
    open(&mut store, 1..3, 10);
    let (first, second) = (alert(1).id, alert(2).id);
    for at_ms in [1_000, 2_000, 61_000, 61_001] {
        archive.looked(&first, EvidenceKind::Snapshot, &doer("shift"), at_ms).unwrap();
    }
    archive.looked(&first, EvidenceKind::Snapshot, &doer("complaint"), 2_000).unwrap();
    archive.looked(&first, EvidenceKind::Clip, &doer("shift"), 2_000).unwrap();
    assert_eq!(archive.hold(&second, &doer("case 7"), 3_000).unwrap(), Held::Changed);
    assert_eq!(archive.hold(&second, &doer("case 8"), 3_001).unwrap(), Held::Unchanged);
    assert_eq!(archive.release(&second, &doer("closed"), 3_002).unwrap(), Held::Changed);
    assert_eq!(archive.release(&second, &doer("closed"), 3_003).unwrap(), Held::Unchanged);
    assert_eq!(archive.hold("A-0000000000000000", &doer("case 7"), 3_000).unwrap(), Held::NoSuchAlert);
    let reader = Reader::open(folder.path(), 1).unwrap();
    let told = |rows: Vec<crate::store::AuditRow>| -> Vec<(i64, String, String)> {
        rows.into_iter().rev().map(|row| (row.at_ms, row.what, row.reason)).collect()
    };
    let entry = |at_ms, what: &str, reason: &str| (at_ms, what.to_owned(), reason.to_owned());
    assert_eq!(
        told(reader.audit(Some(&first), None, 100).unwrap()),
        [
            entry(1_000, "snapshot", "shift"),
            entry(61_001, "snapshot", "shift"),
            entry(2_000, "snapshot", "complaint"),
            entry(2_000, "clip", "shift"),
        ]
    );
    let all = reader.audit(None, None, 100).unwrap();
    assert_eq!((all.len(), all[0].who.as_str(), all[0].peer.as_str()), (6, "Li", "192.0.2.7"));
    assert_eq!(reader.audit(None, Some(all[3].seq), 100).unwrap(), all[4..]);
}

#[test]
fn pictures_of_older_versions_are_taken_over_with_their_size() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("evidence");
    std::fs::create_dir_all(&evidence).unwrap();
    let conn = Connection::open(folder.path().join("outpost.db")).unwrap();
    STEPS[..4].iter().for_each(|step| conn.execute_batch(step).unwrap());
    conn.pragma_update(None, "user_version", 4).unwrap();
    let id = alert(1).id;
    let insert = "INSERT INTO alert (id, rule, source, name, severity, category, since_at_ms, opened_ms, why, figures,
        evidence_file, evidence_sha256) VALUES (?1, 'r', 's', 'n', 'minor', '', 1, 5, 'w', '[]', ?2, 'abc')";
    conn.execute(insert, params![id, format!("{id}.jpg")]).unwrap();
    drop(conn);
    std::fs::write(evidence.join(format!("{id}.jpg")), [1; 33]).unwrap();
    drop(Store::open(folder.path(), None).unwrap());
    assert_eq!(Reader::open(folder.path(), 1).unwrap().evidence_used(EvidenceKind::Snapshot).unwrap(), (1, 33));
    let row = Reader::open(folder.path(), 1).unwrap().alert(&id).unwrap().unwrap();
    assert_eq!(row.snapshot.unwrap().sha256.as_deref(), Some("abc"));
}

#[test]
fn exhibits_are_within_the_limits_of_pictures_and_say_why_they_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap().with_evidence(&limits(35, 0));
    let (first, mut commit) = (alert(1), Commit { now_ms: alert(1).opened_ms, ..Commit::default() });
    let exhibit = |role, jpeg: Option<&[u8]>| NewExhibit {
        alert: first.id.clone(),
        role,
        source: "thermal/a".into(),
        at_ms: 7,
        jpeg: jpeg.map(Into::into),
    };
    commit.opened.push((first.clone(), Some(vec![1; 10])));
    commit.exhibits.push(exhibit(Role::Before, Some(&[2; 10])));
    commit.exhibits.push(exhibit(Role::At, None));
    commit.exhibits.push(exhibit(Role::After, Some(&[3; 10])));
    commit.cleared.push(crate::nouns::Cleared {
        id: first.id.clone(),
        key: first.key.clone(),
        cleared_ms: 8,
        why: "over".into(),
    });
    store.commit(&commit).unwrap();
    let files = || -> Vec<bool> {
        let rows = Reader::open(folder.path(), 1).unwrap().exhibits(&first.id).unwrap();
        rows.iter().map(|row| row.evidence.file.is_ok()).collect()
    };
    assert_eq!(files(), [true; 3]);
    open(&mut store, 20..22, 10);
    assert_eq!(
        (snapshot(folder.path(), 1), files().iter().filter(|is_there| **is_there).count()),
        (Err(Missing::Evicted), 1)
    );
    drop(store);
    drop(Store::open(folder.path(), None).unwrap());
    assert_eq!(disk_used(&folder.path().join("evidence")), 30, "what rows promise is not swept away");
}
