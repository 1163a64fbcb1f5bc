//! How often tickets were handed over which border: where lines on the map are not where people think they are.

use rusqlite::{Connection, Transaction, params};

use super::{Commit, StoreError};

/// Tickets that one centre handed to its neighbour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BorderRow {
    pub from: String,
    pub to: String,
    pub n_tickets: u64,
}

pub(super) fn write(transaction: &Transaction, commit: &Commit) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO border (giver, taker, n_tickets) VALUES (?1, ?2, 1)
         ON CONFLICT (giver, taker) DO UPDATE SET n_tickets = n_tickets + 1",
    )?;
    for (from, to) in &commit.handed_over {
        statement.execute(params![from, to])?;
    }
    Ok(())
}

/// Those with the most tickets first.
pub(super) fn all(conn: &Connection, limit: u32) -> Result<Vec<BorderRow>, StoreError> {
    let mut statement = conn
        .prepare_cached("SELECT giver, taker, n_tickets FROM border ORDER BY n_tickets DESC, giver, taker LIMIT ?1")?;
    let found = statement.query_map([limit], |row| {
        Ok(BorderRow { from: row.get(0)?, to: row.get(1)?, n_tickets: row.get::<_, i64>(2)?.unsigned_abs() })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}
