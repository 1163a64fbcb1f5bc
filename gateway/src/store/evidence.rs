//! Pictures of alerts: files in the folder `evidence/`, each with a row that promises it.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

use super::{Commit, StoreError, rows};
use crate::nouns::Role;

/// Pictures of one alert; what several cameras add beyond it is not kept.
pub(super) const EXHIBITS_MAX: usize = 32;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExhibitRow {
    pub no: u32,
    pub role: String,
    pub source: String,
    pub at_ms: i64,
    pub file: String,
    pub sha256: String,
}

#[derive(Debug, Clone)]
pub(super) struct EvidenceFile {
    pub(super) name: String,
    pub(super) sha256: String,
}

/// A picture whose file is on disk, and its number.
pub(super) struct Written<'a> {
    exhibit: &'a NewExhibit,
    no: usize,
    file: EvidenceFile,
}

/// On disk when it returns.
pub(super) fn write(folder: &Path, name: String, jpeg: &[u8]) -> Result<EvidenceFile, StoreError> {
    use std::io::Write;
    let path = folder.join("evidence").join(&name);
    let written = std::fs::File::create(&path).and_then(|mut file| {
        file.write_all(jpeg)?;
        file.sync_data()
    });
    written
        .and_then(|()| std::fs::File::open(folder.join("evidence"))?.sync_all())
        .map_err(|cause| StoreError::Evidence { path, cause })?;
    Ok(EvidenceFile { name, sha256: rows::hex(&Sha256::digest(jpeg)) })
}

/// Writes the pictures of a commit. `opened` are the snapshots of the alerts that it opens. Numbers are the same where the
/// commit is tried again: nothing else writes.
pub(super) fn write_all<'a>(
    conn: &Connection,
    folder: &Path,
    commit: &'a Commit,
    opened: &[Option<EvidenceFile>],
) -> Result<Vec<Written<'a>>, StoreError> {
    let mut written: Vec<Written> = Vec::new();
    for exhibit in &commit.exhibits {
        let last = written.iter().rev().find(|other| other.exhibit.alert == exhibit.alert).map(|other| other.no);
        let no = 1 + match last {
            Some(last) => last,
            None => last_of(conn, &exhibit.alert)?,
        };
        if no > EXHIBITS_MAX {
            continue;
        }
        let file = match &exhibit.jpeg {
            Some(jpeg) => Some(write(folder, format!("{}-{no}.jpg", exhibit.alert), jpeg)?),
            None => {
                let alerts = commit.opened.iter().map(|(alert, _)| &alert.id).zip(opened);
                alerts.filter(|(id, _)| **id == exhibit.alert).find_map(|(_, snapshot)| snapshot.clone())
            }
        };
        written.extend(file.map(|file| Written { exhibit, no, file }));
    }
    Ok(written)
}

fn last_of(conn: &Connection, alert: &str) -> Result<usize, StoreError> {
    let last: Option<Option<u32>> = conn
        .prepare_cached("SELECT max(no) FROM exhibit WHERE alert = ?1")?
        .query_row([alert], |row| row.get(0))
        .optional()?;
    Ok(last.flatten().unwrap_or(0) as usize)
}

pub(super) fn keep(transaction: &Transaction, written: &[Written]) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO exhibit (alert, no, role, source, at_ms, file, sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for Written { exhibit, no, file } in written {
        let NewExhibit { alert, role, source, at_ms, .. } = exhibit;
        statement.execute(params![alert, *no as i64, role.as_str(), source, at_ms, file.name, file.sha256])?;
    }
    Ok(())
}

/// Those of an alert, in order of time; those of visible cameras, which have other clocks, after the others.
pub(super) fn of(conn: &Connection, alert: &str) -> Result<Vec<ExhibitRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT no, role, source, at_ms, file, sha256 FROM exhibit WHERE alert = ?1 ORDER BY role = 'visible', at_ms, no",
    )?;
    let found = statement.query_map([alert], |row| {
        Ok(ExhibitRow {
            no: row.get(0)?,
            role: row.get(1)?,
            source: row.get(2)?,
            at_ms: row.get(3)?,
            file: row.get(4)?,
            sha256: row.get(5)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}
