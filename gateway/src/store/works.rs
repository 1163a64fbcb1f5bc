//! Work orders: of whom, where, from when to when, and what they withheld.

use std::sync::Arc;

use rusqlite::{Connection, Row, Transaction, params};

use super::{Commit, StoreError};
use crate::nouns::{WorkOrder, WorkPlan};

pub(super) fn write(transaction: &Transaction, commit: &Commit) -> Result<(), StoreError> {
    for WorkOrder { no, plan, entered_ms, ended, n_withheld } in &commit.works {
        let (ended_by, ended_ms) = ended.as_ref().map(|(who, at_ms)| (who, at_ms)).unzip();
        let WorkPlan { id, point: (lon, lat), from_ms, until_ms, who, reason } = plan;
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO work_order (no, id, lon, lat, from_ms, until_ms, who, reason, entered_ms, ended_by,
                 ended_ms, n_withheld) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                *no as i64,
                id,
                lon,
                lat,
                from_ms,
                until_ms,
                who,
                reason,
                entered_ms,
                ended_by,
                ended_ms,
                *n_withheld as i64
            ])?;
    }
    Ok(())
}

/// Newest first; those that were ended, too, where asked for.
pub(super) fn works(conn: &Connection, is_all: bool, limit: u32) -> Result<Vec<WorkOrder>, StoreError> {
    let filter = if is_all { "" } else { "WHERE ended_ms IS NULL" };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT no, id, lon, lat, from_ms, until_ms, who, reason, entered_ms, ended_by, ended_ms, n_withheld
         FROM work_order {filter} ORDER BY no DESC LIMIT ?1"
    ))?;
    let found = statement.query_map([limit], work_from)?;
    Ok(found.collect::<Result<_, _>>()?)
}

pub(super) fn last_work(conn: &Connection) -> Result<u64, StoreError> {
    let last: i64 = conn.query_row("SELECT ifnull(max(no), 0) FROM work_order", [], |row| row.get(0))?;
    Ok(last.unsigned_abs())
}

fn work_from(row: &Row) -> rusqlite::Result<WorkOrder> {
    let text = |at: usize| Ok::<Arc<str>, rusqlite::Error>(row.get::<_, String>(at)?.into());
    let ended_by: Option<Arc<str>> = row.get::<_, Option<String>>(9)?.map(Into::into);
    Ok(WorkOrder {
        no: row.get::<_, i64>(0)?.unsigned_abs(),
        plan: WorkPlan {
            id: text(1)?,
            point: (row.get(2)?, row.get(3)?),
            from_ms: row.get(4)?,
            until_ms: row.get(5)?,
            who: text(6)?,
            reason: text(7)?,
        },
        entered_ms: row.get(8)?,
        ended: ended_by.zip(row.get(10)?),
        n_withheld: row.get::<_, i64>(11)?.unsigned_abs(),
    })
}
