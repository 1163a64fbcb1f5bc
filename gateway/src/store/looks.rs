//! Looks through visible cameras that were asked and have no answer yet: a restart goes on with them.

use rusqlite::{Connection, Transaction, params};

use super::{Commit, StoreError};
use crate::nouns::LookAsk;

pub(super) fn write(transaction: &Transaction, commit: &Commit) -> Result<(), StoreError> {
    for LookAsk { alert, camera } in &commit.looks {
        transaction
            .prepare_cached("INSERT OR IGNORE INTO look (alert, camera) VALUES (?1, ?2)")?
            .execute(params![alert, camera])?;
    }
    for LookAsk { alert, camera } in &commit.looked {
        transaction
            .prepare_cached("DELETE FROM look WHERE alert = ?1 AND camera = ?2")?
            .execute(params![alert, camera])?;
    }
    for cleared in &commit.cleared {
        transaction.prepare_cached("DELETE FROM look WHERE alert = ?1")?.execute([&cleared.id])?;
    }
    Ok(())
}

/// With the time at which each alert opened.
pub(super) fn asked(conn: &Connection) -> Result<Vec<(LookAsk, i64)>, StoreError> {
    let sql = "SELECT look.alert, look.camera, alert.opened_ms FROM look JOIN alert ON alert.id = look.alert
               ORDER BY alert.opened_ms, look.alert, look.camera";
    let mut statement = conn.prepare(sql)?;
    let found = statement.query_map([], |row| {
        let (alert, camera): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((LookAsk { alert: alert.into(), camera: camera.into() }, row.get(2)?))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}
