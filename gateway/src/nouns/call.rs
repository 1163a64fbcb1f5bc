//! Somebody has to acknowledge a ticket: who is called about it, and when next.

use std::sync::Arc;

/// A call that goes on until somebody answers it, or nobody is left to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Id of the escalation that says who is called.
    pub escalation: Arc<str>,
    /// Step of it, from 0.
    pub step: usize,
    /// When that step began.
    pub since_ms: i64,
    /// When something is next to be done.
    pub next_ms: i64,
    /// How often somebody was called, in all steps so far.
    pub n_rung: u32,
}

/// A receiver that has to hear of something, and from when on: later where its quiet hours end first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub receiver: Arc<str>,
    pub from_ms: i64,
}
