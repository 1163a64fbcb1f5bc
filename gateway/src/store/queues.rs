//! Outbox and spool (`spool.rs`): what waits to go out, as the workers take it. A connection of their own, so that a
//! slow receiver never holds the writer.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use super::{StoreError, connect};
use crate::nouns::{Delivery, Outbox, StoreFault};

/// Errors told to operators are cut to this length.
const ERROR_CHARS_MAX: usize = 500;

pub struct Queues {
    conn: Mutex<Connection>,
}

impl Queues {
    pub fn open(folder: &Path) -> Result<Queues, StoreError> {
        let conn = connect(folder)?;
        // Not on disk at once: what a loss of power forgets here is that something was sent, and it is sent again, as
        // the receivers' contract allows.
        conn.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Queues { conn: Mutex::new(conn) })
    }

    pub(super) fn conn(&self) -> MutexGuard<'_, Connection> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<rusqlite::Error> for StoreFault {
    fn from(error: rusqlite::Error) -> Self {
        StoreFault(error.to_string())
    }
}

impl Outbox for Queues {
    fn due(&self, receiver: &str, now_ms: i64, limit: usize) -> Result<Vec<Delivery>, StoreFault> {
        let conn = self.conn();
        let mut statement = conn.prepare_cached(
            "SELECT row, receiver, key, kind, data, created_ms, attempts FROM outbox
             WHERE receiver = ?1 AND failed = 0 AND next_ms <= ?2 ORDER BY row LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = statement.query_map(params![receiver, now_ms, limit], |row| {
            Ok(Delivery {
                row: row.get(0)?,
                receiver: row.get::<_, String>(1)?.into(),
                key: row.get(2)?,
                kind: row.get(3)?,
                data: row.get(4)?,
                created_ms: row.get(5)?,
                attempts: row.get(6)?,
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn next_due_ms(&self, receiver: &str) -> Result<Option<i64>, StoreFault> {
        let sql = "SELECT min(next_ms) FROM outbox WHERE receiver = ?1 AND failed = 0";
        Ok(self.conn().prepare_cached(sql)?.query_row([receiver], |row| row.get(0))?)
    }

    fn done(&self, rows: &[i64]) -> Result<(), StoreFault> {
        let mut conn = self.conn();
        let transaction = conn.transaction()?;
        for row in rows {
            transaction.prepare_cached("DELETE FROM outbox WHERE row = ?1")?.execute([row])?;
        }
        Ok(transaction.commit()?)
    }

    fn retry(&self, row: i64, next_ms: i64, error: &str) -> Result<(), StoreFault> {
        let sql = "UPDATE outbox SET attempts = attempts + 1, next_ms = ?2, error = ?3 WHERE row = ?1";
        self.conn().prepare_cached(sql)?.execute(params![row, next_ms, cut(error)])?;
        Ok(())
    }

    fn give_up(&self, row: i64, error: &str) -> Result<(), StoreFault> {
        let sql = "UPDATE outbox SET attempts = attempts + 1, failed = 1, error = ?2 WHERE row = ?1";
        self.conn().prepare_cached(sql)?.execute(params![row, cut(error)])?;
        Ok(())
    }
}

impl Queues {
    /// The last error of the oldest delivery that failed, for each receiver that has one.
    pub fn last_error(&self, receiver: &str) -> Result<Option<String>, StoreFault> {
        let sql = "SELECT error FROM outbox WHERE receiver = ?1 AND error IS NOT NULL ORDER BY row LIMIT 1";
        Ok(self.conn().prepare_cached(sql)?.query_row([receiver], |row| row.get(0)).optional()?)
    }
}

fn cut(error: &str) -> &str {
    error.char_indices().nth(ERROR_CHARS_MAX).map_or(error, |(end, _)| &error[..end])
}
