//! What officers in the field did: files of tickets, duties said, and the deeds that are not done twice.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{Commit, Doer, EvidenceRow, HoldRow, Reader, Store, StoreError, archive, evidence};
use crate::nouns::{Deed, EvidenceKind, Missing, NewFile, Once, Outcome, SaidDuty, owner_of_files};

/// Deeds that one call of [`expire_deeds`] removes, so that nobody waits long for the writer's place.
const EXPIRE_MAX: usize = 10_000;

/// A file of a ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct FileRow {
    pub no: u64,
    pub kind: String,
    pub media: String,
    pub who: String,
    /// When it was taken, as the sender says.
    pub at_ms: i64,
    pub n_bytes: u64,
    pub evidence: EvidenceRow,
}

pub(super) fn write(transaction: &Transaction, commit: &Commit) -> Result<(), StoreError> {
    for (no, file) in &commit.files {
        write_file(transaction, *no, file, commit.now_ms)?;
    }
    for (officer, SaidDuty { is_on, at_ms }) in &commit.duties {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO duty (officer, is_on, at_ms) VALUES (?1, ?2, ?3)")?
            .execute(params![officer, is_on, at_ms])?;
        let doer = Doer { who: officer.to_string(), ..Doer::default() };
        let what = if *is_on { "duty-on" } else { "duty-off" };
        archive::write_audit(transaction, officer, what, &doer, *at_ms)?;
    }
    let mut statement = transaction
        .prepare_cached("INSERT INTO deed (who, key, digest, outcome, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for Deed { who, once, outcome, at_ms } in &commit.deeds {
        statement.execute(params![who, once.key, once.digest, outcome.to_text(), at_ms])?;
    }
    Ok(())
}

fn write_file(transaction: &Transaction, no: u64, file: &NewFile, stored_ms: i64) -> Result<(), StoreError> {
    let NewFile { ticket, kind, media, who, at_ms, shelved } = file;
    transaction
        .prepare_cached("INSERT INTO attachment (ticket, no, kind, media, who, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![*ticket as i64, no as i64, kind.as_str(), media, who, at_ms])?;
    let owner = owner_of_files(*ticket);
    // A ticket has far fewer entries in its journal.
    let number = u32::try_from(no).unwrap_or(u32::MAX);
    evidence::promise(transaction, (&owner, number), EvidenceKind::Attachment, Ok(shelved), stored_ms)
}

/// What each officer last said.
pub(super) fn duties(conn: &Connection) -> Result<Vec<(Arc<str>, SaidDuty)>, StoreError> {
    let mut statement = conn.prepare("SELECT officer, is_on, at_ms FROM duty ORDER BY officer")?;
    let found = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?.into(), SaidDuty { is_on: row.get(1)?, at_ms: row.get(2)? }))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Forgets deeds that are older than `before_ms`, the oldest first; whether there may be more.
pub(super) fn expire_deeds(conn: &Connection, before_ms: i64) -> Result<bool, StoreError> {
    let mut statement = conn.prepare_cached(
        "DELETE FROM deed WHERE (who, key) IN (SELECT who, key FROM deed WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)",
    )?;
    Ok(statement.execute(params![before_ms, EXPIRE_MAX as i64])? == EXPIRE_MAX)
}

impl Store {
    /// What somebody did under this key, if it is remembered.
    pub fn deed(&self, who: &str, key: &str) -> Result<Option<Deed>, StoreError> {
        let mut statement =
            self.conn.prepare_cached("SELECT digest, outcome, at_ms FROM deed WHERE who = ?1 AND key = ?2")?;
        let found = statement
            .query_row([who, key], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?)))
            .optional()?;
        let Some((digest, outcome, at_ms)) = found else { return Ok(None) };
        let unknown = || StoreError::Row { table: "deed", what: format!("unknown outcome {outcome:?}") };
        let outcome = Outcome::parse(&outcome).ok_or_else(unknown)?;
        let once = Once { key: key.into(), digest: digest.into() };
        Ok(Some(Deed { who: who.into(), once, outcome, at_ms }))
    }

    /// Files that a ticket has or had.
    pub fn n_files(&self, ticket: u64) -> Result<usize, StoreError> {
        let mut statement = self.conn.prepare_cached("SELECT count(*) FROM attachment WHERE ticket = ?1")?;
        Ok(statement.query_row([ticket as i64], |row| row.get::<_, i64>(0))?.unsigned_abs() as usize)
    }
}

const SELECT_FILE: &str = "SELECT attachment.no, attachment.kind, media, who, at_ms, bytes, file, sha256, missing FROM attachment
    LEFT JOIN evidence ON evidence.alert = 'T-' || ticket AND evidence.kind = 'attachment' AND evidence.no = attachment.no
    WHERE ticket = ?1";

impl Reader {
    /// Files of a ticket, in the order in which they were added.
    pub fn files(&self, ticket: u64) -> Result<Vec<FileRow>, StoreError> {
        self.with(|conn| {
            let mut statement = conn.prepare_cached(&format!("{SELECT_FILE} ORDER BY attachment.no"))?;
            let found = statement.query_map([ticket as i64], file_from)?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    /// Why evidence is kept whatever its age, where it is: of an alert, or of a ticket's files.
    pub fn hold(&self, of: &str) -> Result<Option<HoldRow>, StoreError> {
        self.with(|conn| {
            let mut statement = conn.prepare_cached("SELECT who, reason, held_ms FROM hold WHERE alert = ?1")?;
            let read = |row: &Row| Ok(HoldRow { who: row.get(0)?, reason: row.get(1)?, held_ms: row.get(2)? });
            Ok(statement.query_row([of], read).optional()?)
        })
    }

    pub fn file(&self, ticket: u64, no: u64) -> Result<Option<FileRow>, StoreError> {
        self.with(|conn| {
            let mut statement = conn.prepare_cached(&format!("{SELECT_FILE} AND attachment.no = ?2"))?;
            // Larger ones were never given.
            let no = i64::try_from(no).unwrap_or(i64::MAX);
            Ok(statement.query_row(params![ticket as i64, no], file_from).optional()?)
        })
    }
}

fn file_from(row: &Row) -> rusqlite::Result<FileRow> {
    let (file, missing): (Option<String>, Option<String>) = (row.get(6)?, row.get(8)?);
    let why = || missing.as_deref().and_then(Missing::parse).unwrap_or(Missing::Lost);
    Ok(FileRow {
        no: row.get::<_, i64>(0)?.unsigned_abs(),
        kind: row.get(1)?,
        media: row.get(2)?,
        who: row.get(3)?,
        at_ms: row.get(4)?,
        n_bytes: row.get::<_, Option<i64>>(5)?.unwrap_or_default().unsigned_abs(),
        evidence: EvidenceRow { file: file.ok_or_else(why), sha256: row.get(7)? },
    })
}
