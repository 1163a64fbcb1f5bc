//! What operators see of the way to the time-series server. Knows nothing of requests or the spool.

use tokio::sync::watch;

use crate::telemetry::metrics::SeriesMetrics;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Nothing was sent yet.
    #[default]
    Idle,
    /// The last request was answered as it should be.
    Up,
    /// The server does not answer or asks for patience: tried again with back-off.
    Retrying,
    /// The server answers, but will not have what it is sent before someone mends the configuration or the server: credentials,
    /// bucket, address. Lines are kept and tried again slowly.
    Refused,
    /// Our own store does not give or remove lines.
    StoreFault,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    pub phase: Phase,
    /// Why it is not up.
    pub reason: Option<String>,
    /// What the server said of the last line that it refused for ever.
    pub rejection: Option<String>,
    /// What to mend where lines are refused, by what the server says of its buckets. None once it takes lines.
    pub explanation: Option<String>,
}

#[derive(Debug)]
pub struct Progress {
    metrics: SeriesMetrics,
    status: watch::Sender<Status>,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Idle => "idle",
            Phase::Up => "up",
            Phase::Retrying => "retrying",
            Phase::Refused => "refused",
            Phase::StoreFault => "store-fault",
        }
    }
}

impl Progress {
    pub(super) fn new(metrics: SeriesMetrics) -> Self {
        Progress { metrics, status: watch::Sender::default() }
    }

    /// Lines that the server has taken.
    pub fn n_written(&self) -> u64 {
        self.metrics.written.get()
    }

    /// Lines that the server refused for ever.
    pub fn n_rejected(&self) -> u64 {
        self.metrics.rejected.get()
    }

    /// Requests that were tried again.
    pub fn n_retries(&self) -> u64 {
        self.metrics.retries.get()
    }

    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    pub(super) fn wrote(&self, n_lines: u64) {
        self.metrics.written.inc_by(n_lines);
        self.enter(Phase::Up, None);
    }

    pub(super) fn rejected_line(&self, reason: &str) {
        self.metrics.rejected.inc();
        self.status.send_modify(|status| status.rejection = Some(reason.to_owned()));
    }

    pub(super) fn retrying(&self, phase: Phase, reason: String) {
        self.metrics.retries.inc();
        self.enter(phase, Some(reason));
    }

    /// Logs what is new only: the server is asked at each refusal.
    pub(super) fn explained(&self, explanation: String) {
        self.status.send_if_modified(|status| {
            let is_new = status.explanation.as_ref() != Some(&explanation);
            if is_new {
                tracing::warn!(%explanation, "series server was asked why it refuses");
                status.explanation = Some(explanation);
            }
            is_new
        });
    }

    pub(super) fn store_fault(&self, reason: String) {
        self.enter(Phase::StoreFault, Some(reason));
    }

    pub(super) fn store_answers(&self) {
        if self.status.borrow().phase == Phase::StoreFault {
            self.enter(Phase::Idle, None);
        }
    }

    /// Logs when the phase changes, not each time that the reason's wording does.
    fn enter(&self, phase: Phase, reason: Option<String>) {
        self.status.send_if_modified(|status| {
            if status.phase != phase {
                match &reason {
                    None => tracing::info!(phase = phase.as_str(), "series lines flow"),
                    Some(reason) => tracing::warn!(phase = phase.as_str(), %reason, "series lines wait"),
                }
            }
            let changed = status.phase != phase || status.reason != reason;
            status.phase = phase;
            status.reason = reason;
            if phase == Phase::Up {
                status.explanation = None;
            }
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_is_news_once_until_lines_flow_again() {
        let progress = Progress::new(SeriesMetrics::default());
        let mut seen = progress.watch();
        let mut is_news = |text: &str| {
            seen.mark_unchanged();
            progress.explained(text.to_owned());
            seen.has_changed().unwrap()
        };
        assert!(is_news("no bucket") && !is_news("no bucket") && is_news("no organisation"));
        progress.wrote(1);
        assert_eq!(progress.status().explanation, None);
        assert!(is_news("no organisation"));
    }
}
