//! What has to go out, and the two queues in the store that it waits in. The store implements them; the workers
//! in `notify` and `series` know only these traits.

use std::sync::Arc;

/// One attempt-until-acknowledged to tell one receiver of one journal entry of one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Row in the outbox.
    pub row: i64,
    pub receiver: Arc<str>,
    /// Idempotency key: ticket number and journal number, e.g. `T-42/3`.
    pub key: String,
    /// CloudEvents type, e.g. `outpost.ticket.opened`.
    pub kind: String,
    /// CloudEvents data: JSON text.
    pub data: String,
    pub created_ms: i64,
    /// Attempts that failed so far.
    pub attempts: u32,
}

/// A transient or permanent fault of the store, told in lowercase.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreFault(pub String);

/// Deliveries waiting, in the order in which they were committed.
pub trait Outbox: Send + Sync + 'static {
    /// Deliveries of this receiver that are due at `now_ms`, oldest first, at most `limit`.
    fn due(&self, receiver: &str, now_ms: i64, limit: usize) -> Result<Vec<Delivery>, StoreFault>;
    /// When the next delivery of this receiver is due, if any waits.
    fn next_due_ms(&self, receiver: &str) -> Result<Option<i64>, StoreFault>;
    /// The receiver has acknowledged these: all are forgotten, or none.
    fn done(&self, rows: &[i64]) -> Result<(), StoreFault>;
    /// Try again at `next_ms`; `error` is shown to operators.
    fn retry(&self, row: i64, next_ms: i64, error: &str) -> Result<(), StoreFault>;
    /// Never try again: kept, counted and shown as failed.
    fn give_up(&self, row: i64, error: &str) -> Result<(), StoreFault>;
}

/// Line protocol that waits, in the order of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolChunk {
    /// Rows that the text came from, first to last.
    pub first_row: i64,
    pub last_row: i64,
    /// Lines, each ended by `\n`.
    pub lines: String,
    pub n_lines: u64,
}

/// Readings that made room for newer ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolLoss {
    pub n_lines: u64,
    /// Gateway time of the first of them.
    pub since_ms: i64,
    /// Everything that waited when the last one was lost has been sent.
    pub is_over: bool,
}

pub trait Spool: Send + Sync + 'static {
    /// The oldest waiting lines, whole rows, about `bytes_max` (at least one row if any waits).
    fn next(&self, bytes_max: u64) -> Result<Option<SpoolChunk>, StoreFault>;
    /// The server has taken (or for ever refused) these rows.
    fn remove(&self, first_row: i64, last_row: i64) -> Result<(), StoreFault>;
    /// What the full spool evicted, until it is forgotten.
    fn loss(&self) -> Result<Option<SpoolLoss>, StoreFault>;
    /// This loss was told; one that has grown meanwhile stays.
    fn forget_loss(&self, loss: &SpoolLoss) -> Result<(), StoreFault>;
}
