//! Pictures of alerts as rows: snapshots, clips, and the exhibits beside them.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::shelf::Shelf;
use super::{Commit, EvidenceRow, StoreError};
use crate::nouns::{EvidenceKind, Missing, Role, Shelved};

/// Pictures of one alert; what several cameras add beyond it is not kept.
pub(super) const EXHIBITS_MAX: u32 = 32;

/// A picture for an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct NewExhibit {
    pub alert: Arc<str>,
    pub role: Role,
    pub source: Arc<str>,
    pub at_ms: i64,
    /// None: it is the snapshot with which the alert opens.
    pub jpeg: Option<Arc<[u8]>>,
}

/// A picture of an alert, as the API asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExhibitRow {
    pub no: u32,
    pub role: String,
    pub source: String,
    pub at_ms: i64,
    pub evidence: EvidenceRow,
}

/// A picture on its way into the database, its number, and the file that it is.
pub(super) struct Written<'a> {
    exhibit: &'a NewExhibit,
    no: u32,
    /// Its own; none where it is the snapshot.
    own: Option<Result<Shelved, Missing>>,
    file: String,
    sha256: String,
}

/// Puts the pictures of a commit on the shelf. `opened` are the snapshots of the alerts that it opens. Numbers are the same
/// where the commit is tried again: nothing else writes.
pub(super) fn shelve<'a>(
    conn: &mut Connection,
    shelf: &Shelf,
    commit: &'a Commit,
    opened: &[Option<Result<Shelved, Missing>>],
) -> Result<Vec<Written<'a>>, StoreError> {
    let mut written: Vec<Written> = Vec::new();
    for exhibit in &commit.exhibits {
        let alert = &exhibit.alert;
        let last = written.iter().rev().find(|other| other.exhibit.alert == *alert).map(|other| other.no);
        let no = 1 + match last {
            Some(last) => last,
            None => last_of(conn, alert)?,
        };
        if no > EXHIBITS_MAX {
            continue;
        }
        if let Some(jpeg) = &exhibit.jpeg {
            let own = shelf.put(conn, (alert, no), EvidenceKind::Snapshot, jpeg);
            let file = EvidenceKind::Snapshot.file(alert, no);
            let sha256 = own.as_ref().map(|shelved| shelved.sha256.clone()).unwrap_or_default();
            written.push(Written { exhibit, no, own: Some(own), file, sha256 });
            continue;
        }
        let alerts = commit.opened.iter().map(|(alert, _)| &alert.id).zip(opened);
        let snapshot = alerts.filter(|(id, _)| *id == alert).find_map(|(_, snapshot)| snapshot.as_ref()?.as_ref().ok());
        written.extend(snapshot.map(|Shelved { file, sha256, .. }| Written {
            exhibit,
            no,
            own: None,
            file: file.clone(),
            sha256: sha256.clone(),
        }));
    }
    Ok(written)
}

fn last_of(conn: &Connection, alert: &str) -> Result<u32, StoreError> {
    let last: Option<Option<u32>> = conn
        .prepare_cached("SELECT max(no) FROM exhibit WHERE alert = ?1")?
        .query_row([alert], |row| row.get(0))
        .optional()?;
    Ok(last.flatten().unwrap_or(0))
}

pub(super) fn keep(transaction: &Transaction, written: &[Written], stored_ms: i64) -> Result<(), StoreError> {
    for Written { exhibit, no, own, file, sha256 } in written {
        let NewExhibit { alert, role, source, at_ms, .. } = exhibit;
        transaction
            .prepare_cached(
                "INSERT INTO exhibit (alert, no, role, source, at_ms, file, sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![alert, no, role.as_str(), source, at_ms, file, sha256])?;
        if let Some(own) = own {
            promise(transaction, (alert, *no), EvidenceKind::Snapshot, own.as_ref(), stored_ms)?;
        }
    }
    Ok(())
}

/// The row of a file that is on disk, or of one that ought to be. A clip may be there before its alert is.
pub(super) fn promise(
    transaction: &Transaction,
    (alert, no): (&str, u32),
    kind: EvidenceKind,
    found: Result<&Shelved, &Missing>,
    stored_ms: i64,
) -> Result<(), StoreError> {
    let (shelved, missing) = (found.ok(), found.err());
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO evidence (alert, kind, no, file, sha256, bytes, stored_ms, missing)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            alert,
            kind.as_str(),
            no,
            shelved.map(|shelved| &shelved.file),
            shelved.map(|shelved| &shelved.sha256),
            shelved.map_or(0, |shelved| shelved.n_bytes as i64),
            stored_ms,
            missing.map(|missing| missing.as_str()),
        ])?;
    Ok(())
}

/// Those of an alert, in order of time; those of visible cameras, which have other clocks, after the others.
pub(super) fn of(conn: &Connection, alert: &str) -> Result<Vec<ExhibitRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT exhibit.no, role, source, at_ms, exhibit.sha256, evidence.file, missing FROM exhibit
         LEFT JOIN evidence ON evidence.alert = exhibit.alert AND kind = 'snapshot'
         AND evidence.no = iif(exhibit.file = exhibit.alert || '.jpg', 0, exhibit.no)
         WHERE exhibit.alert = ?1 ORDER BY role = 'visible', at_ms, exhibit.no",
    )?;
    let found = statement.query_map([alert], |row| {
        let (file, missing): (Option<String>, Option<String>) = (row.get(5)?, row.get(6)?);
        let why = || missing.as_deref().and_then(Missing::parse).unwrap_or(Missing::Lost);
        Ok(ExhibitRow {
            no: row.get(0)?,
            role: row.get(1)?,
            source: row.get(2)?,
            at_ms: row.get(3)?,
            evidence: EvidenceRow { file: file.ok_or_else(why), sha256: row.get(4)? },
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}
