//! A work order: somebody is expected to work at a place for a time. What rules find there then is not news to the desk, if
//! the rules say so.

use std::sync::Arc;

#[derive(Debug, Clone, PartialEq)]
pub struct WorkOrder {
    /// In the order in which they were entered.
    pub no: u64,
    pub plan: WorkPlan,
    pub entered_ms: i64,
    /// Who ended it, and when; the gateway where its time was over, who entered it anew where it was changed.
    pub ended: Option<(Arc<str>, i64)>,
    /// Alerts that had no ticket because of it.
    pub n_withheld: u64,
}

/// What was ordered.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkPlan {
    /// What those call it who gave it. Entered again, it is changed: one of an id counts at a time.
    pub id: Arc<str>,
    /// WGS-84 longitude and latitude, degrees.
    pub point: (f64, f64),
    /// From then on until before then.
    pub from_ms: i64,
    pub until_ms: i64,
    /// Who works there, and on what.
    pub who: Arc<str>,
    pub reason: Arc<str>,
}

/// What somebody asks of work orders.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkAsk {
    /// All of them, or none.
    Enter(Vec<WorkPlan>),
    End {
        id: Arc<str>,
        by: Arc<str>,
    },
}
