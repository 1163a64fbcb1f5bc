//! Metrics of the evidence on disk. Knows nothing of files: it is told numbers.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::metrics::add;

#[derive(Debug, Clone)]
pub struct EvidenceMetrics {
    files: Family<KindLabel, Gauge>,
    bytes: Family<KindLabel, Gauge>,
    evicted: Counter,
    expired: Counter,
    refused: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

impl EvidenceMetrics {
    pub(super) fn registered(r: &mut Registry) -> Self {
        EvidenceMetrics {
            files: add(r, "evidence_files", "files of evidence on disk, by kind", Family::default()),
            bytes: add(r, "evidence_bytes", "bytes of evidence on disk, by kind", Family::default()),
            evicted: add(r, "evidence_evicted", "files of evidence that made room", Counter::default()),
            expired: add(r, "evidence_expired", "files of evidence whose time was over", Counter::default()),
            refused: add(r, "evidence_refused", "evidence that could not be stored", Counter::default()),
        }
    }

    /// Files and bytes of a kind.
    pub fn set(&self, kind: &'static str, (n_files, n_bytes): (u64, u64)) {
        let label = KindLabel { kind };
        let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.files.get_or_create(&label).set(whole(n_files));
        self.bytes.get_or_create(&label).set(whole(n_bytes));
    }

    /// Counts since the start.
    pub fn raise_to(&self, evicted: u64, expired: u64, refused: u64) {
        for (counter, count) in [(&self.evicted, evicted), (&self.expired, expired), (&self.refused, refused)] {
            counter.inc_by(count.saturating_sub(counter.get()));
        }
    }
}
