//! Officers in the field: where they were, and what they have at hand. Whether somebody is at work is said of tickets, never
//! of officers.

use std::collections::HashMap;
use std::sync::Arc;

use super::Ticket;

/// A position that a source sent which may be somebody's terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    pub source: Arc<str>,
    pub fix: Fix,
}

/// Where somebody was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fix {
    /// Device time.
    pub at_ms: i64,
    /// WGS-84 degrees.
    pub lon: f64,
    pub lat: f64,
    /// Radius in metres, where the terminal says it.
    pub accuracy_m: Option<f64>,
}

/// Whether somebody is on duty, as they said themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidDuty {
    pub is_on: bool,
    pub at_ms: i64,
}

/// All that changes of officers, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Field {
    /// The last fix of each who was on duty then.
    pub fixes: HashMap<Arc<str>, Fix>,
    /// What each last said of being on duty, where they ever did.
    pub duties: HashMap<Arc<str>, SaidDuty>,
    /// How many tickets each has at hand, where there are any.
    pub at_hand: HashMap<Arc<str>, usize>,
    /// Tickets that wait to be dispatched, the most severe first, of these those that are due first.
    pub waiting: Vec<Arc<Ticket>>,
    /// Those beyond the bound of [`Field::waiting`].
    pub n_more: usize,
}
