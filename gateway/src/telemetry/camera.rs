//! Metrics of the cameras. Knows nothing of sessions or decoders: it is told numbers.

use std::sync::atomic::AtomicU64;

use outpost_detectors::observation::LinkState;
use outpost_detectors::size_gate::Standing;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::metrics::add;

const LINK_STATES: [LinkState; 4] = [LinkState::Connecting, LinkState::Live, LinkState::Stalled, LinkState::Offline];

/// Of a share or a time in seconds.
type FloatGauge = Gauge<f64, AtomicU64>;

/// Of all cameras, by their id.
#[derive(Debug, Clone)]
pub struct CameraFamilies {
    state: Family<CameraStateLabels, Gauge>,
    frames: Family<CameraLabel, Counter>,
    decoded: Family<CameraLabel, Counter>,
    shed: Family<CameraLabel, Counter>,
    viewers_dropped: Family<CameraLabel, Counter>,
    errors: Family<CameraReasonLabels, Counter>,
    alarms: Family<CameraAlarmLabels, Counter>,
    memory_bytes: Family<CameraLabel, Gauge>,
    key_interval: Family<CameraLabel, FloatGauge>,
    drift: Family<CameraLabel, FloatGauge>,
    gate_trusted: Family<CameraLabel, Gauge>,
    gate_auc: Family<CameraLabel, FloatGauge>,
    gate_false: Family<CameraLabel, FloatGauge>,
}

/// Of one camera.
#[derive(Debug, Clone)]
pub struct CameraMetrics {
    camera: String,
    /// Access units that came.
    pub frames: Counter,
    pub decoded: Counter,
    /// Access units left undecoded because the decoders were busy.
    pub shed: Counter,
    /// People who watched live and were let go, since they took what comes too slowly.
    pub viewers_dropped: Counter,
    /// Bytes of coded frames and pictures that are kept.
    pub memory_bytes: Gauge,
    /// Seconds between the last two key frames.
    pub key_interval: FloatGauge,
    /// Seconds by which the camera's clock has run ahead since its session began.
    pub drift: FloatGauge,
    errors: Family<CameraReasonLabels, Counter>,
    alarms: Family<CameraAlarmLabels, Counter>,
    state: Family<CameraStateLabels, Gauge>,
    gate_trusted: Family<CameraLabel, Gauge>,
    gate_auc: Family<CameraLabel, FloatGauge>,
    gate_false: Family<CameraLabel, FloatGauge>,
}

impl CameraFamilies {
    pub(super) fn registered(r: &mut Registry) -> Self {
        CameraFamilies {
            state: add(r, "camera_state", "1 for the state that a camera is in", Family::default()),
            frames: add(r, "camera_frames", "access units that came", Family::default()),
            decoded: add(r, "camera_frames_decoded", "access units decoded", Family::default()),
            shed: add(r, "camera_frames_shed", "access units that decoders had no time for", Family::default()),
            viewers_dropped: add(
                r,
                "camera_viewers_dropped",
                "people who took a camera's live stream too slowly and were let go",
                Family::default(),
            ),
            errors: add(r, "camera_errors", "failures of a camera's session or stream", Family::default()),
            alarms: add(r, "camera_alarms", "alarms of a camera's own that began", Family::default()),
            memory_bytes: add(r, "camera_memory_bytes", "coded frames and pictures that are kept", Family::default()),
            key_interval: add(r, "camera_key_interval_seconds", "between the last two key frames", Family::default()),
            drift: add(
                r,
                "camera_clock_drift_seconds",
                "by which a camera's clock has run ahead of ours since its session began",
                Family::default(),
            ),
            gate_trusted: add(
                r,
                "camera_gate_trusted",
                "1 where the sizes of frames have earned that a camera at rest is looked at less often",
                Family::default(),
            ),
            gate_auc: add(
                r,
                "camera_gate_auc",
                "how well the sizes of frames tell movement: area under the ROC curve, 0.5 = not at all",
                Family::default(),
            ),
            gate_false: add(
                r,
                "camera_gate_false_share",
                "of looks at a scene at rest, before which the sizes of frames said that something stirs",
                Family::default(),
            ),
        }
    }

    pub(super) fn of(&self, camera: &str) -> CameraMetrics {
        let label = CameraLabel { camera: camera.into() };
        CameraMetrics {
            frames: self.frames.get_or_create_owned(&label),
            decoded: self.decoded.get_or_create_owned(&label),
            shed: self.shed.get_or_create_owned(&label),
            viewers_dropped: self.viewers_dropped.get_or_create_owned(&label),
            memory_bytes: self.memory_bytes.get_or_create_owned(&label),
            key_interval: self.key_interval.get_or_create_owned(&label),
            drift: self.drift.get_or_create_owned(&label),
            errors: self.errors.clone(),
            alarms: self.alarms.clone(),
            state: self.state.clone(),
            gate_trusted: self.gate_trusted.clone(),
            gate_auc: self.gate_auc.clone(),
            gate_false: self.gate_false.clone(),
            camera: label.camera,
        }
    }
}

impl CameraMetrics {
    /// Brings the counters up to what the camera's own count says.
    pub fn raise_to(&self, frames: u64, decoded: u64, shed: u64) {
        for (counter, count) in [(&self.frames, frames), (&self.decoded, decoded), (&self.shed, shed)] {
            raise(counter, count);
        }
    }

    /// Brings those who were let go up to what the camera's own count says.
    pub fn raise_viewers_dropped_to(&self, n: u64) {
        raise(&self.viewers_dropped, n);
    }

    /// Brings the failures of one kind up to what the camera's own count says.
    pub fn raise_errors_to(&self, reason: &'static str, n: u64) {
        raise(&self.errors.get_or_create_owned(&CameraReasonLabels { camera: self.camera.clone(), reason }), n);
    }

    /// Brings the alarms of one kind up to what the camera's own count says; those that never came are not shown.
    pub fn raise_alarms_to(&self, kind: &'static str, n: u64) {
        if n > 0 {
            let counter = self.alarms.get_or_create_owned(&CameraAlarmLabels { camera: self.camera.clone(), kind });
            counter.inc_by(n.saturating_sub(counter.get()));
        }
    }

    pub fn set_state(&self, current: LinkState) {
        for state in LINK_STATES {
            let labels = CameraStateLabels { camera: self.camera.clone(), state: state.as_str() };
            self.state.get_or_create(&labels).set(i64::from(state == current));
        }
    }

    /// What the size gate has earned; what it was not asked often enough for is left out.
    pub fn set_gate(&self, standing: &Standing) {
        let label = CameraLabel { camera: self.camera.clone() };
        self.gate_trusted.get_or_create(&label).set(i64::from(standing.is_trusted));
        for (family, share) in [(&self.gate_auc, standing.auc), (&self.gate_false, standing.false_share)] {
            if let Some(share) = share {
                family.get_or_create(&label).set(f64::from(share));
            }
        }
    }
}

fn raise(counter: &Counter, count: u64) {
    counter.inc_by(count.saturating_sub(counter.get()));
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CameraLabel {
    camera: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CameraReasonLabels {
    camera: String,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CameraAlarmLabels {
    camera: String,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CameraStateLabels {
    camera: String,
    state: &'static str,
}
