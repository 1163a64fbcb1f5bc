//! A passage: a ticket left one stage for another. Scores are counted from these, since the ticket itself shows only its present.

use std::sync::Arc;

use super::Stage;

/// A ticket as scores see it: as it is now, and how it came there.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    pub no: u64,
    pub stage: Stage,
    pub centre: Arc<str>,
    pub unit: Option<Arc<str>>,
    pub handlers: Vec<Arc<str>>,
    pub opened_ms: i64,
    pub due_ms: i64,
    /// Of the stage that it is in, where that has a limit.
    pub step_due_ms: Option<i64>,
    pub n_extended: u32,
    pub score: Option<u8>,
    /// In the order in which they were made.
    pub passages: Vec<Passage>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    pub ticket: u64,
    /// Number of the journal entry that tells of it.
    pub no: u64,
    pub from: Stage,
    pub to: Stage,
    pub at_ms: i64,
    /// When the stage that was left was due, where it had a limit.
    pub due_ms: Option<i64>,
    /// When the whole ticket was due by then.
    pub whole_due_ms: i64,
    /// `outpost` where the gateway did it by itself.
    pub who: Arc<str>,
    /// It led where nothing is due, for what nobody could help.
    pub is_force_majeure: bool,
    /// Who it was dispatched to, afterwards or, where nobody is any more, before.
    pub unit: Option<Arc<str>>,
}
