//! What operators see of the way to one receiver. Knows nothing of letters or the outbox.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Fault, FaultKind};
use crate::telemetry::metrics::ReceiverMetrics;

/// Failures in a row after which a receiver counts as failing, and is asked less often.
pub(super) const FAILING_AFTER: u32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Nothing was sent yet.
    #[default]
    Idle,
    /// The last attempts were acknowledged, by and large.
    Up,
    /// Attempts fail, one after the other.
    Failing,
    /// Our own store does not answer.
    StoreFault,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    pub phase: Phase,
    /// The last failure; none after a success.
    pub error: Option<String>,
    pub n_failures_in_row: u32,
}

#[derive(Debug)]
pub struct Progress {
    receiver: Arc<str>,
    metrics: ReceiverMetrics,
    status: watch::Sender<Status>,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Idle => "idle",
            Phase::Up => "up",
            Phase::Failing => "failing",
            Phase::StoreFault => "store-fault",
        }
    }
}

impl Progress {
    pub(super) fn new(receiver: Arc<str>, metrics: ReceiverMetrics) -> Self {
        Progress { receiver, metrics, status: watch::Sender::default() }
    }

    pub fn n_delivered(&self) -> u64 {
        self.metrics.delivered.get()
    }

    /// Attempts that failed and are made again, refusals among them.
    pub fn n_retried(&self) -> u64 {
        self.metrics.retried.get()
    }

    /// Attempts that the receiver itself refused.
    pub fn n_refused(&self) -> u64 {
        self.metrics.refused.get()
    }

    pub fn n_given_up(&self) -> u64 {
        self.metrics.given_up.get()
    }

    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    pub(super) fn is_failing(&self) -> bool {
        self.status.borrow().n_failures_in_row >= FAILING_AFTER
    }

    pub(super) fn delivered(&self) {
        self.metrics.delivered.inc();
        self.up();
    }

    /// The receiver acknowledges and the store has noted it.
    pub(super) fn up(&self) {
        self.enter(Status { phase: Phase::Up, error: None, n_failures_in_row: 0 });
    }

    pub(super) fn failed(&self, fault: &Fault) {
        if fault.kind == FaultKind::Refused {
            self.metrics.refused.inc();
        }
        let before = self.status();
        let n_failures_in_row = before.n_failures_in_row.saturating_add(1);
        let phase = if n_failures_in_row >= FAILING_AFTER { Phase::Failing } else { before.phase };
        self.enter(Status { phase, error: Some(fault.text.clone()), n_failures_in_row });
    }

    pub(super) fn retried(&self) {
        self.metrics.retried.inc();
    }

    pub(super) fn given_up(&self) {
        self.metrics.given_up.inc();
    }

    pub(super) fn store_fault(&self, error: String) {
        self.enter(Status { phase: Phase::StoreFault, error: Some(error), ..self.status() });
    }

    pub(super) fn store_answers(&self) {
        let before = self.status();
        if before.phase == Phase::StoreFault {
            let phase = if self.is_failing() { Phase::Failing } else { Phase::Idle };
            self.enter(Status { phase, error: None, ..before });
        }
    }

    /// Logs when the phase changes, not at each failure.
    fn enter(&self, next: Status) {
        self.status.send_if_modified(|status| {
            if status.phase != next.phase {
                let (receiver, phase) = (&self.receiver, next.phase.as_str());
                match &next.error {
                    None => tracing::info!(%receiver, phase, "deliveries flow"),
                    Some(error) => tracing::warn!(%receiver, phase, %error, "deliveries wait"),
                }
            }
            let changed = *status != next;
            *status = next;
            changed
        });
    }
}
