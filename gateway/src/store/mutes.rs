//! What has no ticket: silences, the alerts that are withheld, and what came of findings that somebody looked at.

use std::sync::Arc;

use rusqlite::{Connection, Row, Transaction, params};

use super::read::{SELECT_ALERT, alert_from};
use super::{Commit, StoreError};
use crate::nouns::{Alert, AlertKey, OnAlert, Silence, Silenced, Why};

/// What came of the findings of one rule that somebody looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRow {
    pub rule: String,
    pub n_confirmed: u64,
    pub n_rejected: u64,
}

pub(super) fn write(transaction: &Transaction, commit: &Commit) -> Result<(), StoreError> {
    for (alert, withheld) in &commit.withheld {
        match withheld {
            Some(by) => transaction
                .prepare_cached("INSERT OR REPLACE INTO withheld (alert, muted_by) VALUES (?1, ?2)")?
                .execute(params![alert, by])?,
            None => transaction.prepare_cached("DELETE FROM withheld WHERE alert = ?1")?.execute([alert])?,
        };
    }
    for silence in &commit.silences {
        let Silence { no, of, who, reason, since_ms, until_ms, ended, n_withheld } = silence;
        let (ended_by, ended_ms) = ended.as_ref().map(|(who, at_ms)| (who, at_ms)).unzip();
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO silence (no, rule, source, category, who, reason, since_ms, until_ms, ended_by,
                 ended_ms, n_withheld) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                *no as i64,
                of.rule,
                of.source,
                of.category,
                who,
                reason,
                since_ms,
                until_ms,
                ended_by,
                ended_ms,
                *n_withheld as i64
            ])?;
    }
    for (rule, is_true) in &commit.findings {
        transaction
            .prepare_cached(
                "INSERT INTO finding (rule, n_confirmed, n_rejected) VALUES (?1, ?2, 1 - ?2) ON CONFLICT (rule) DO UPDATE
                 SET n_confirmed = n_confirmed + excluded.n_confirmed, n_rejected = n_rejected + excluded.n_rejected",
            )?
            .execute(params![rule, is_true])?;
    }
    Ok(())
}

/// Newest first; those that were ended, too, where asked for.
pub(super) fn silences(conn: &Connection, is_all: bool, limit: u32) -> Result<Vec<Silence>, StoreError> {
    let filter = if is_all { "" } else { "WHERE ended_ms IS NULL" };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT no, rule, source, category, who, reason, since_ms, until_ms, ended_by, ended_ms, n_withheld
         FROM silence {filter} ORDER BY no DESC LIMIT ?1"
    ))?;
    let found = statement.query_map([limit], silence_from)?;
    Ok(found.collect::<Result<_, _>>()?)
}

pub(super) fn last_silence(conn: &Connection) -> Result<u64, StoreError> {
    let last: i64 = conn.query_row("SELECT ifnull(max(no), 0) FROM silence", [], |row| row.get(0))?;
    Ok(last.unsigned_abs())
}

pub(super) fn findings(conn: &Connection) -> Result<Vec<FindingRow>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT rule, n_confirmed, n_rejected FROM finding ORDER BY rule")?;
    let count = |row: &Row, at: usize| Ok::<_, rusqlite::Error>(row.get::<_, i64>(at)?.unsigned_abs());
    let found = statement.query_map([], |row| {
        Ok(FindingRow { rule: row.get(0)?, n_confirmed: count(row, 1)?, n_rejected: count(row, 2)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// All alerts that are on.
pub(super) fn on(conn: &Connection) -> Result<Vec<OnAlert>, StoreError> {
    let mut statement = conn.prepare("SELECT id, rule, source FROM alert WHERE cleared_ms IS NULL")?;
    let text = |row: &Row, at: usize| Ok::<Arc<str>, rusqlite::Error>(row.get::<_, String>(at)?.into());
    let found =
        statement.query_map([], |row| Ok(OnAlert { id: text(row, 0)?, rule: text(row, 1)?, source: text(row, 2)? }))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The alerts that are on and have no ticket for now, without figures and pictures, which tickets do not have either.
pub(super) fn withheld(conn: &Connection) -> Result<Vec<Alert>, StoreError> {
    let sql = format!("{SELECT_ALERT} WHERE cleared_ms IS NULL AND id IN (SELECT alert FROM withheld)");
    let mut statement = conn.prepare(&sql)?;
    let mut found = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = found.next()? {
        let row = alert_from(row)?;
        out.push(Alert {
            id: row.id.into(),
            key: AlertKey { rule: row.rule.into(), source: row.source.into(), fence: row.fence.map(Into::into) },
            name: row.name.into(),
            severity: row.severity,
            category: row.category.into(),
            since_at_ms: row.since_at_ms,
            opened_ms: row.opened_ms,
            place: row.place,
            why: Why { text: row.why, figures: Vec::new() },
            snapshot: None,
            exhibits: Vec::new(),
            confidence: row.confidence,
            visible: None,
        });
    }
    Ok(out)
}

fn silence_from(row: &Row) -> rusqlite::Result<Silence> {
    let maybe = |at: usize| Ok::<Option<Arc<str>>, rusqlite::Error>(row.get::<_, Option<String>>(at)?.map(Into::into));
    let text = |at: usize| Ok::<Arc<str>, rusqlite::Error>(row.get::<_, String>(at)?.into());
    Ok(Silence {
        no: row.get::<_, i64>(0)?.unsigned_abs(),
        of: Silenced { rule: maybe(1)?, source: maybe(2)?, category: maybe(3)? },
        who: text(4)?,
        reason: text(5)?,
        since_ms: row.get(6)?,
        until_ms: row.get(7)?,
        ended: maybe(8)?.zip(row.get(9)?),
        n_withheld: row.get::<_, i64>(10)?.unsigned_abs(),
    })
}
