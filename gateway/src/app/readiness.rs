//! What health and metrics ask of the sessions with the outside.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;

use crate::api::{Readiness, SessionHealth};
use crate::config::Config;
use crate::ingest::mqtt::{Session, SessionState};
use crate::ingest::onvif::poses::Poses;
use crate::nouns::EvidenceKind;
use crate::store::{Archive, Reader};
use crate::telemetry::metrics::Metrics;
use crate::video;

pub(super) struct Sessions {
    brokers: Vec<(String, watch::Receiver<SessionState>)>,
    /// Each with the number of its clients.
    listeners: Vec<(String, Gauge)>,
    cameras: Option<Arc<video::Cameras>>,
    receivers: Vec<String>,
    reader: Arc<Reader>,
    archive: Arc<Archive>,
    metrics: Arc<Metrics>,
    mounts: Poses,
}

impl Sessions {
    pub(super) fn new(
        config: &Config,
        sessions: &[(String, Session)],
        cameras: Option<Arc<video::Cameras>>,
        (reader, archive): (Arc<Reader>, Arc<Archive>),
        metrics: Arc<Metrics>,
    ) -> Sessions {
        Sessions {
            brokers: sessions.iter().map(|(id, session)| (id.clone(), session.state())).collect(),
            listeners: config
                .listeners
                .iter()
                .map(|listener| (listener.id.clone(), metrics.listeners.of(&listener.id).connections))
                .collect(),
            cameras,
            receivers: config.receivers.iter().map(|receiver| receiver.id.clone()).collect(),
            reader,
            archive,
            metrics,
            mounts: Poses::default(),
        }
    }

    /// Mounts whose failures are counted.
    pub(super) fn with_mounts(self, mounts: Poses) -> Sessions {
        Sessions { mounts, ..self }
    }
}

impl Readiness for Sessions {
    fn sessions(&self) -> Vec<SessionHealth> {
        let health = |(id, state): &(String, watch::Receiver<SessionState>)| {
            let (up, state) = match &*state.borrow() {
                SessionState::Connecting => (false, "connecting".to_owned()),
                SessionState::Live { refused, .. } if refused.is_empty() => (true, "live".to_owned()),
                SessionState::Live { refused, .. } => {
                    let filters: Vec<&str> = refused.iter().map(|refusal| refusal.filter.as_str()).collect();
                    (false, format!("refused: {}", filters.join(", ")))
                }
                SessionState::Down { detail, .. } => (false, format!("down: {detail}")),
                SessionState::Stopped => (false, "stopped".to_owned()),
            };
            SessionHealth { id: id.clone(), up, state }
        };
        // A listener that could not listen keeps the gateway from starting: one that is there is up.
        let listening = |(id, clients): &(String, Gauge)| SessionHealth {
            id: id.clone(),
            up: true,
            state: format!("listens, {} clients", clients.get()),
        };
        self.brokers.iter().map(health).chain(self.listeners.iter().map(listening)).collect()
    }

    fn refresh(&self) {
        for (id, state) in &self.brokers {
            let up = matches!(&*state.borrow(), SessionState::Live { .. });
            self.metrics.mqtt_session_up(id).set(i64::from(up));
        }
        if let Some(cameras) = &self.cameras {
            for counts in cameras.counters() {
                let metrics = self.metrics.camera(counts.source.trim_start_matches("cam:"));
                metrics.raise_to(counts.frames, counts.decoded, counts.shed);
                metrics.raise_viewers_dropped_to(counts.slow_viewers);
                metrics.raise_errors_to("decode", counts.decode_errors);
                metrics.raise_errors_to("reconnect", counts.reconnects);
                metrics.raise_errors_to("loss", counts.lost_packets);
                metrics.raise_errors_to("alarms", counts.alarm_faults);
                for (kind, n) in counts.alarms {
                    metrics.raise_alarms_to(kind.as_str(), n);
                }
                metrics.raise_alarms_to("other", counts.alarm_others);
                metrics.set_state(counts.state);
                metrics.memory_bytes.set(i64::try_from(counts.memory_bytes).unwrap_or(i64::MAX));
                metrics.key_interval.set(counts.key_interval_ms as f64 / 1_000.0);
                metrics.drift.set(counts.drift_ms.unwrap_or(0) as f64 / 1_000.0);
                if let Some(standing) = &counts.gate {
                    metrics.set_gate(standing);
                }
            }
        }
        for kind in EvidenceKind::ALL {
            if let Ok(used) = self.reader.evidence_used(kind) {
                self.metrics.evidence.set(kind.as_str(), used);
            }
        }
        let counts = self.archive.counts();
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed);
        self.metrics.evidence.raise_to(count(&counts.evicted), count(&counts.expired), count(&counts.refused));
        for (source, n_failed) in self.mounts.failures() {
            self.metrics.camera(&source).raise_errors_to("ptz", n_failed);
        }
        if let Ok(n_lines) = self.reader.spool_lines() {
            self.metrics.series.waiting.set(i64::try_from(n_lines).unwrap_or(i64::MAX));
        }
        if let Ok(counts) = self.reader.outbox_counts() {
            for receiver in &self.receivers {
                let waiting = counts.iter().find(|(id, _, _)| id == receiver).map_or(0, |(_, waiting, _)| *waiting);
                self.metrics.outbox_waiting(receiver).set(i64::try_from(waiting).unwrap_or(i64::MAX));
            }
        }
    }
}
