//! Which reports were told, and which tickets they became.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Reader, Store, StoreError};

/// A report that became a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    pub sender: std::sync::Arc<str>,
    pub key: std::sync::Arc<str>,
    pub ticket: u64,
    pub told_ms: i64,
}

pub(super) fn write(transaction: &Transaction, reports: &[ReportRow]) -> Result<(), StoreError> {
    let mut statement =
        transaction.prepare_cached("INSERT INTO report (sender, key, ticket, told_ms) VALUES (?1, ?2, ?3, ?4)")?;
    for ReportRow { sender, key, ticket, told_ms } in reports {
        statement.execute(params![sender, key, *ticket as i64, told_ms])?;
    }
    Ok(())
}

fn ticket_of(conn: &Connection, sender: &str, key: &str) -> Result<Option<u64>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT ticket FROM report WHERE sender = ?1 AND key = ?2")?;
    let found = statement.query_row([sender, key], |row| row.get::<_, i64>(0)).optional()?;
    Ok(found.map(i64::unsigned_abs))
}

impl Store {
    /// The ticket that a report became when it was told before.
    pub fn reported(&self, sender: &str, key: &str) -> Result<Option<u64>, StoreError> {
        ticket_of(&self.conn, sender, key)
    }
}

impl Reader {
    /// Tickets that these senders' reports became, told in `from_ms..to_ms`, newest first.
    pub fn reports(&self, sender: &str, from_ms: i64, to_ms: i64, limit: u32) -> Result<Vec<u64>, StoreError> {
        self.with(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT ticket FROM report WHERE told_ms >= ?1 AND told_ms < ?2 AND substr(sender, 1, ?3) = ?4
                 ORDER BY told_ms DESC, ticket DESC LIMIT ?5",
            )?;
            let length = sender.chars().count() as i64;
            let rows =
                statement.query_map(params![from_ms, to_ms, length, sender, limit], |row| row.get::<_, i64>(0))?;
            Ok(rows.map(|row| row.map(i64::unsigned_abs)).collect::<Result<_, _>>()?)
        })
    }
}
