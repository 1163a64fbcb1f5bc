//! What somebody outside tells of: a citizen, another department's system.

use std::sync::Arc;

use super::Place;
use crate::config::Severity;

#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Who tells it, `open311:<key>`, `intake:<mapping>` or `officer:<id>`: the source of its ticket.
    pub sender: Arc<str>,
    /// The sender's own name of it: what comes again under it is the same report.
    pub key: Arc<str>,
    pub title: Arc<str>,
    pub text: String,
    pub category: Arc<str>,
    pub severity: Severity,
    pub place: Place,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    pub ticket: u64,
    /// It was not told before.
    pub is_new: bool,
}
