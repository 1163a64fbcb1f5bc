//! A silence: for a time, alerts of its kind make no ticket. They are alerts all the same, and have one afterwards if they
//! are still on.

use std::sync::Arc;

#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    pub no: u64,
    pub of: Silenced,
    /// Who made it, and why.
    pub who: Arc<str>,
    pub reason: Arc<str>,
    pub since_ms: i64,
    pub until_ms: i64,
    /// Who ended it, and when; the gateway where its time was over.
    pub ended: Option<(Arc<str>, i64)>,
    /// Alerts that had no ticket because of it.
    pub n_withheld: u64,
}

/// Patterns of what is silenced; what is not said is all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Silenced {
    pub rule: Option<Arc<str>>,
    pub source: Option<Arc<str>>,
    pub category: Option<Arc<str>>,
}

/// What somebody asks of silences.
#[derive(Debug, Clone, PartialEq)]
pub enum SilenceAsk {
    Begin { of: Silenced, who: Arc<str>, reason: Arc<str>, lasts_ms: i64 },
    End { no: u64, who: Arc<str> },
}
