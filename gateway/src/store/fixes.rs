//! Where officers were: kept for a time, read for suggestions and patrols.

use std::sync::Arc;

use rusqlite::{Connection, Row, Transaction, params};

use super::{Commit, StoreError};
use crate::nouns::Fix;

/// Fixes that one call of [`expire`] removes, so that nobody waits long for the writer's place.
const EXPIRE_MAX: usize = 10_000;

pub(super) fn write(transaction: &Transaction, commit: &Commit) -> Result<(), StoreError> {
    // What a broker delivers again after a crash is there already.
    let mut statement = transaction.prepare_cached(
        "INSERT OR IGNORE INTO fix (officer, at_ms, lon, lat, accuracy_m) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (officer, Fix { at_ms, lon, lat, accuracy_m }) in &commit.fixes {
        statement.execute(params![officer, at_ms, lon, lat, accuracy_m])?;
    }
    Ok(())
}

/// The last one of each officer.
pub(super) fn last(conn: &Connection) -> Result<Vec<(Arc<str>, Fix)>, StoreError> {
    let mut statement = conn.prepare("SELECT officer, max(at_ms), lon, lat, accuracy_m FROM fix GROUP BY officer")?;
    let found = statement.query_map([], |row| Ok((row.get::<_, String>(0)?.into(), fix_from(row, 1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Those from `from_ms` until before `to_ms`, of one officer or of all, in order of officer and time.
pub(super) fn each(
    conn: &Connection,
    officer: Option<&str>,
    (from_ms, to_ms): (i64, i64),
    mut take: impl FnMut(&str, Fix),
) -> Result<(), StoreError> {
    let sql = "SELECT officer, at_ms, lon, lat, accuracy_m FROM fix WHERE at_ms >= ?1 AND at_ms < ?2";
    let mut statement = match officer {
        Some(_) => conn.prepare_cached(&format!("{sql} AND officer = ?3 ORDER BY officer, at_ms"))?,
        None => conn.prepare_cached(&format!("{sql} AND ?3 IS NULL ORDER BY officer, at_ms"))?,
    };
    let mut found = statement.query(params![from_ms, to_ms, officer])?;
    while let Some(row) = found.next()? {
        take(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?, fix_from(row, 1)?);
    }
    Ok(())
}

/// Removes what is older than `before_ms`, the oldest first; whether there may be more.
pub(super) fn expire(conn: &Connection, before_ms: i64) -> Result<bool, StoreError> {
    let mut statement = conn.prepare_cached(
        "DELETE FROM fix WHERE (officer, at_ms) IN
         (SELECT officer, at_ms FROM fix WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)",
    )?;
    Ok(statement.execute(params![before_ms, EXPIRE_MAX as i64])? == EXPIRE_MAX)
}

fn fix_from(row: &Row, at: usize) -> rusqlite::Result<Fix> {
    Ok(Fix { at_ms: row.get(at)?, lon: row.get(at + 1)?, lat: row.get(at + 2)?, accuracy_m: row.get(at + 3)? })
}
