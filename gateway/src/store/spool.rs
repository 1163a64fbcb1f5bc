//! Line protocol that waits for the series database, within its bound: what does not fit goes oldest first, counted.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::queues::Queues;
use super::{Commit, StoreError};
use crate::nouns::{Spool, SpoolChunk, SpoolLoss, StoreFault};

/// Lines of one row: what is evicted and sent together.
const ROW_BYTES_MAX: u64 = 64 << 10;
/// Rows that a full spool has at least, so that one that goes is a small part of it.
const ROWS_MIN: u64 = 16;

/// Positions in all that was ever spooled.
#[derive(Clone, Copy, Default)]
struct Position {
    lines: u64,
    bytes: u64,
}

const LAST_END: &str = "SELECT end_lines, end_bytes FROM spool ORDER BY row DESC LIMIT 1";
const FIRST_START: &str = "SELECT end_lines - n_lines, end_bytes - octet_length(lines) FROM spool ORDER BY row LIMIT 1";

/// Appends a batch's lines and evicts what is beyond the bound. Returns how many lines that cost.
pub(super) fn append(transaction: &Transaction, commit: &Commit, bytes_max: u64) -> Result<u64, StoreError> {
    let row_bytes_max = ROW_BYTES_MAX.min(bytes_max / ROWS_MIN);
    let mut end = position(transaction, LAST_END)?.unwrap_or_default();
    let mut insert = transaction
        .prepare_cached("INSERT INTO spool (lines, n_lines, end_lines, end_bytes) VALUES (?1, ?2, ?3, ?4)")?;
    for lines in rows(&commit.lines, usize::try_from(row_bytes_max).unwrap_or(usize::MAX)) {
        let n_lines = lines.bytes().filter(|byte| *byte == b'\n').count() as u64;
        end = Position { lines: end.lines + n_lines, bytes: end.bytes + lines.len() as u64 };
        insert.execute(params![lines, n_lines as i64, end.lines as i64, end.bytes as i64])?;
    }
    let last_row = transaction.last_insert_rowid();
    let before = position(transaction, FIRST_START)?.unwrap_or(end);
    let mut first = before;
    let mut delete = transaction.prepare_cached("DELETE FROM spool WHERE row = (SELECT min(row) FROM spool)")?;
    while end.bytes - first.bytes > bytes_max {
        delete.execute([])?;
        first = position(transaction, FIRST_START)?.unwrap_or(end);
    }
    let n_lost = first.lines - before.lines;
    if n_lost > 0 {
        lose(transaction, n_lost, commit.now_ms, last_row)?;
    }
    Ok(n_lost)
}

/// Whole lines, about `bytes_max` together; a longer line stands alone.
fn rows(mut lines: &str, bytes_max: usize) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let fitting = lines.as_bytes()[..lines.len().min(bytes_max)].iter().rposition(|byte| *byte == b'\n');
        let last = fitting.or_else(|| lines.bytes().position(|byte| byte == b'\n'))?;
        let (row, rest) = lines.split_at(last + 1);
        lines = rest;
        Some(row)
    })
}

fn lose(transaction: &Transaction, n_lines: u64, now_ms: i64, last_row: i64) -> Result<(), StoreError> {
    let known = transaction
        .prepare_cached("UPDATE spool_loss SET n_lines = n_lines + ?1, last_row = ?2")?
        .execute(params![n_lines as i64, last_row])?;
    if known == 0 {
        transaction
            .prepare_cached("INSERT INTO spool_loss (n_lines, since_ms, last_row) VALUES (?1, ?2, ?3)")?
            .execute(params![n_lines as i64, now_ms, last_row])?;
    }
    Ok(())
}

/// Lines that wait.
pub(super) fn n_waiting(conn: &Connection) -> Result<u64, StoreError> {
    // Within one statement: the ends belong to the same moment.
    let sql = "SELECT ifnull((SELECT end_lines FROM spool ORDER BY row DESC LIMIT 1)
               - (SELECT end_lines - n_lines FROM spool ORDER BY row LIMIT 1), 0)";
    Ok(conn.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

fn position(conn: &Connection, sql: &str) -> Result<Option<Position>, StoreError> {
    let read = |row: &Row| {
        let (lines, bytes): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok(Position { lines: lines.unsigned_abs(), bytes: bytes.unsigned_abs() })
    };
    Ok(conn.prepare_cached(sql)?.query_row([], read).optional()?)
}

impl Spool for Queues {
    fn next(&self, bytes_max: u64) -> Result<Option<SpoolChunk>, StoreFault> {
        let conn = self.conn();
        let mut statement = conn.prepare_cached("SELECT row, lines, n_lines FROM spool ORDER BY row")?;
        let mut found = statement.query([])?;
        let mut chunk: Option<SpoolChunk> = None;
        while let Some(row) = found.next()? {
            let (number, lines, n_lines): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            match &mut chunk {
                None => {
                    let n_lines = n_lines.unsigned_abs();
                    chunk = Some(SpoolChunk { first_row: number, last_row: number, lines, n_lines });
                }
                Some(chunk) if (chunk.lines.len() + lines.len()) as u64 <= bytes_max => {
                    chunk.last_row = number;
                    chunk.lines.push_str(&lines);
                    chunk.n_lines += n_lines.unsigned_abs();
                }
                Some(_) => break,
            }
        }
        Ok(chunk)
    }

    fn remove(&self, first_row: i64, last_row: i64) -> Result<(), StoreFault> {
        let sql = "DELETE FROM spool WHERE row BETWEEN ?1 AND ?2";
        self.conn().prepare_cached(sql)?.execute(params![first_row, last_row])?;
        Ok(())
    }

    fn loss(&self) -> Result<Option<SpoolLoss>, StoreFault> {
        let sql = "SELECT n_lines, since_ms, last_row < ifnull((SELECT min(row) FROM spool), last_row + 1)
                   FROM spool_loss";
        let read = |row: &Row| {
            let n_lines = row.get::<_, i64>(0)?.unsigned_abs();
            Ok(SpoolLoss { n_lines, since_ms: row.get(1)?, is_over: row.get(2)? })
        };
        Ok(self.conn().prepare_cached(sql)?.query_row([], read).optional()?)
    }

    fn forget_loss(&self, loss: &SpoolLoss) -> Result<(), StoreFault> {
        let sql = "DELETE FROM spool_loss WHERE n_lines = ?1";
        self.conn().prepare_cached(sql)?.execute([loss.n_lines as i64])?;
        Ok(())
    }
}
