//! One batch of the commit shell, written in one transaction.

use std::sync::Arc;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::evidence::{self, NewExhibit, Written};
use super::reports::{self, ReportRow};
use super::{
    Store, StoreError, borders, classes, field, fixes, looks, mutes, passages, redo_key, rows, spool, tickets, works,
};
use crate::nouns::{
    Alert, ClassChange, Cleared, Confidence, Deed, EvidenceKind, Fix, JournalEntry, LookAsk, Missing, NewFile, Passage,
    RedoChange, RedoRow, SaidDuty, Shelved, Silence, SnapshotAsk, StateRow, Ticket, WorkOrder,
};

/// All that a batch changes. Reused between batches: [`Commit::clear`] keeps the room.
#[derive(Debug, Default)]
pub struct Commit {
    /// An empty state removes the row.
    pub states: Vec<StateRow>,
    /// Alerts that opened, each with the JPEG that shows it.
    pub opened: Vec<(Alert, Option<Vec<u8>>)>,
    /// Of these, those whose camera was asked for a clip, and why there is none yet.
    pub clips: Vec<(Arc<str>, Missing)>,
    pub cleared: Vec<Cleared>,
    /// In order of time, those of one alert.
    pub exhibits: Vec<NewExhibit>,
    /// How sure alerts are by now.
    pub confidences: Vec<(Arc<str>, Confidence)>,
    /// Looks that were asked of visible cameras, and those that were answered.
    pub looks: Vec<LookAsk>,
    pub looked: Vec<LookAsk>,
    pub tickets: Vec<Arc<Ticket>>,
    pub journal: Vec<JournalEntry>,
    /// Alerts with the tickets that they belong to, and tickets whose alerts go to others.
    pub members: Vec<(Arc<str>, u64)>,
    pub adopted: Vec<(u64, u64)>,
    /// Alerts that have no ticket for now, with what mutes them, and (None) those that are over or have one.
    pub withheld: Vec<(Arc<str>, Option<String>)>,
    pub silences: Vec<Silence>,
    pub works: Vec<WorkOrder>,
    /// Rules of which a finding was confirmed, or rejected.
    pub findings: Vec<(Arc<str>, bool)>,
    /// From which centre to which a ticket was handed over their border.
    pub handed_over: Vec<(Arc<str>, Arc<str>)>,
    /// Where officers are.
    pub fixes: Vec<(Arc<str>, Fix)>,
    /// What they say of being on duty; each is audited.
    pub duties: Vec<(Arc<str>, SaidDuty)>,
    /// Files of tickets by their numbers: on disk already.
    pub files: Vec<(u64, NewFile)>,
    /// What was done under keys of its senders.
    pub deeds: Vec<Deed>,
    pub passages: Vec<Passage>,
    /// Of class cases, in this order.
    pub classes: Vec<ClassChange>,
    /// Reports that became tickets.
    pub reports: Vec<ReportRow>,
    pub deliveries: Vec<NewDelivery>,
    /// Line protocol for the series database, each line ended by `\n`.
    pub lines: String,
    /// Gateway time of the batch.
    pub now_ms: i64,
    /// What rules remembered, by shard.
    pub redo: Vec<(u8, RedoChange)>,
    pub seen: Vec<SeenRow>,
    /// Per broker: marks before this sequence number are no longer needed.
    pub seen_from: Vec<(Arc<str>, i64)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    pub receiver: Arc<str>,
    pub key: String,
    pub kind: &'static str,
    pub data: String,
    pub created_ms: i64,
    /// When it is first sent: later where quiet hours end first.
    pub next_ms: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SeenRow {
    pub broker: Arc<str>,
    pub seq: i64,
    pub marks: Vec<u8>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Lines of the oldest readings that made room for new ones.
    pub n_lines_evicted: u64,
}

impl Commit {
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
            && self.opened.is_empty()
            && self.cleared.is_empty()
            && self.exhibits.is_empty()
            && self.confidences.is_empty()
            && self.looks.is_empty()
            && self.looked.is_empty()
            && self.tickets.is_empty()
            && self.journal.is_empty()
            && self.members.is_empty()
            && self.adopted.is_empty()
            && self.withheld.is_empty()
            && self.silences.is_empty()
            && self.works.is_empty()
            && self.findings.is_empty()
            && self.handed_over.is_empty()
            && self.fixes.is_empty()
            && self.duties.is_empty()
            && self.files.is_empty()
            && self.deeds.is_empty()
            && self.passages.is_empty()
            && self.classes.is_empty()
            && self.reports.is_empty()
            && self.deliveries.is_empty()
            && self.lines.is_empty()
            && self.redo.is_empty()
            && self.seen.is_empty()
    }

    pub fn clear(&mut self) {
        self.states.clear();
        self.opened.clear();
        self.clips.clear();
        self.cleared.clear();
        self.exhibits.clear();
        self.confidences.clear();
        self.looks.clear();
        self.looked.clear();
        self.tickets.clear();
        self.journal.clear();
        self.members.clear();
        self.adopted.clear();
        self.withheld.clear();
        self.silences.clear();
        self.works.clear();
        self.findings.clear();
        self.handed_over.clear();
        self.fixes.clear();
        self.duties.clear();
        self.files.clear();
        self.deeds.clear();
        self.passages.clear();
        self.classes.clear();
        self.reports.clear();
        self.deliveries.clear();
        self.lines.clear();
        self.redo.clear();
        self.seen.clear();
        self.seen_from.clear();
    }
}

impl Store {
    /// All or nothing; on disk when it returns. May be called again with the same commit after an error. Where the disk
    /// is full, the oldest evidence makes room.
    pub fn commit(&mut self, commit: &Commit) -> Result<Committed, StoreError> {
        // Evidence is on disk before the row that promises it; a crash in between leaves a file without a row.
        let snapshots: Vec<_> = commit.opened.iter().map(|(alert, jpeg)| self.shelve(alert, jpeg.as_deref())).collect();
        let Store { conn, shelf, spool_bytes_max, .. } = self;
        let exhibits = evidence::shelve(conn, shelf, commit, &snapshots)?;
        shelf.with_room(conn, |conn| write(conn, commit, &snapshots, &exhibits, *spool_bytes_max))
    }

    /// Nothing where no picture is meant to show the alert.
    fn shelve(&mut self, alert: &Alert, jpeg: Option<&[u8]>) -> Option<Result<Shelved, Missing>> {
        match jpeg {
            Some(jpeg) => Some(self.shelf.put(&mut self.conn, (&alert.id, 0), EvidenceKind::Snapshot, jpeg)),
            // A camera that never showed a picture lacks none.
            None if alert.snapshot == Some(SnapshotAsk::Last) => None,
            None => alert.snapshot.as_ref().map(|_| Err(Missing::Gone)),
        }
    }
}

fn write(
    conn: &mut Connection,
    commit: &Commit,
    snapshots: &[Option<Result<Shelved, Missing>>],
    exhibits: &[Written],
    spool_bytes_max: Option<u64>,
) -> Result<Committed, StoreError> {
    // The place for a writer from the beginning: one that read before it writes fails where a worker wrote in between.
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    write_states(&transaction, &commit.states)?;
    // Clears first: within one batch an alert may end and the next one of the same key begin. A key that opens
    // and clears within one batch is written open, then cleared below.
    write_cleared(&transaction, &commit.cleared)?;
    for ((alert, _), snapshot) in commit.opened.iter().zip(snapshots) {
        write_opened(&transaction, alert)?;
        if let Some(snapshot) = snapshot {
            let found = snapshot.as_ref();
            evidence::promise(&transaction, (&alert.id, 0), EvidenceKind::Snapshot, found, alert.opened_ms)?;
        }
        if let Some(cleared) = commit.cleared.iter().find(|cleared| cleared.id == alert.id) {
            write_cleared(&transaction, std::slice::from_ref(cleared))?;
        }
    }
    for (alert, missing) in &commit.clips {
        evidence::promise(&transaction, (alert, 0), EvidenceKind::Clip, Err(missing), commit.now_ms)?;
    }
    evidence::keep(&transaction, exhibits, commit.now_ms)?;
    write_confidences(&transaction, &commit.confidences)?;
    tickets::write(&transaction, commit)?;
    mutes::write(&transaction, commit)?;
    works::write(&transaction, commit)?;
    looks::write(&transaction, commit)?;
    borders::write(&transaction, commit)?;
    fixes::write(&transaction, commit)?;
    field::write(&transaction, commit)?;
    passages::write(&transaction, &commit.passages)?;
    classes::write(&transaction, &commit.classes)?;
    reports::write(&transaction, &commit.reports)?;
    write_deliveries(&transaction, &commit.deliveries)?;
    for (shard, change) in &commit.redo {
        write_redo(&transaction, *shard, change)?;
    }
    write_seen(&transaction, commit)?;
    let mut committed = Committed::default();
    if let Some(bytes_max) = spool_bytes_max.filter(|_| !commit.lines.is_empty()) {
        committed.n_lines_evicted = spool::append(&transaction, commit, bytes_max)?;
    }
    transaction.commit()?;
    Ok(committed)
}

fn write_states(transaction: &Transaction, states: &[StateRow]) -> Result<(), StoreError> {
    let mut statement =
        transaction.prepare_cached("INSERT OR REPLACE INTO watch_state (rule, source, state) VALUES (?1, ?2, ?3)")?;
    for row in states.iter().filter(|row| !row.state.is_empty()) {
        statement.execute(params![row.rule, row.source, row.state])?;
    }
    let mut statement = transaction.prepare_cached("DELETE FROM watch_state WHERE rule = ?1 AND source = ?2")?;
    for row in states.iter().filter(|row| row.state.is_empty()) {
        statement.execute(params![row.rule, row.source])?;
    }
    Ok(())
}

fn write_opened(transaction: &Transaction, alert: &Alert) -> Result<(), StoreError> {
    let point = alert.place.point;
    transaction
        .prepare_cached(
            "INSERT INTO alert (id, rule, source, fence, name, severity, category, since_at_ms, opened_ms,
             place_name, lon, lat, why, figures, sight, confidence, confidence_why,
             accuracy_m) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )?
        .execute(params![
            alert.id,
            alert.key.rule,
            alert.key.source,
            alert.key.fence,
            alert.name,
            alert.severity.as_str(),
            alert.category,
            alert.since_at_ms,
            alert.opened_ms,
            alert.place.name,
            point.map(|(lon, _)| lon),
            point.map(|(_, lat)| lat),
            alert.why.text,
            rows::figures_to_json(&alert.why.figures),
            rows::sight_to_json(alert.place.sight.as_deref()),
            alert.confidence.as_ref().map(|confidence| confidence.share),
            alert.confidence.as_ref().map(|confidence| &confidence.why),
            alert.place.accuracy_m,
        ])?;
    Ok(())
}

fn write_cleared(transaction: &Transaction, cleared: &[Cleared]) -> Result<(), StoreError> {
    let mut statement = transaction
        .prepare_cached("UPDATE alert SET cleared_ms = ?2, cleared_why = ?3 WHERE id = ?1 AND cleared_ms IS NULL")?;
    for row in cleared {
        statement.execute(params![row.id, row.cleared_ms, row.why])?;
    }
    Ok(())
}

fn write_confidences(transaction: &Transaction, confidences: &[(Arc<str>, Confidence)]) -> Result<(), StoreError> {
    let mut statement =
        transaction.prepare_cached("UPDATE alert SET confidence = ?2, confidence_why = ?3 WHERE id = ?1")?;
    for (alert, confidence) in confidences {
        statement.execute(params![alert, confidence.share, confidence.why])?;
    }
    Ok(())
}

fn write_deliveries(transaction: &Transaction, deliveries: &[NewDelivery]) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO outbox (receiver, key, kind, data, created_ms, next_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for row in deliveries {
        statement.execute(params![row.receiver, row.key, row.kind, row.data, row.created_ms, row.next_ms])?;
    }
    Ok(())
}

fn write_redo(transaction: &Transaction, shard: u8, change: &RedoChange) -> Result<(), StoreError> {
    let RedoChange { row, from } = change;
    if let Some(RedoRow { seq, entries }) = row {
        transaction
            .prepare_cached("INSERT INTO remembered (seq, entries) VALUES (?1, ?2)")?
            .execute(params![redo_key(shard, *seq), entries])?;
    }
    transaction
        .prepare_cached("DELETE FROM remembered WHERE seq >= ?1 AND seq < ?2")?
        .execute(params![redo_key(shard, 0), redo_key(shard, *from)])?;
    Ok(())
}

fn write_seen(transaction: &Transaction, commit: &Commit) -> Result<(), StoreError> {
    let mut statement =
        transaction.prepare_cached("INSERT OR REPLACE INTO seen (broker, seq, marks) VALUES (?1, ?2, ?3)")?;
    for row in &commit.seen {
        statement.execute(params![row.broker, row.seq, row.marks])?;
    }
    let mut statement = transaction.prepare_cached("DELETE FROM seen WHERE broker = ?1 AND seq < ?2")?;
    for (broker, from) in &commit.seen_from {
        statement.execute(params![broker, from])?;
    }
    Ok(())
}
