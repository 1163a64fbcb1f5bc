//! Counts that are kept for a batch: a feed's messages, which show only once they are on disk, and facts. Knows nothing of
//! messages.

use outpost_detectors::observation::Fact;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::metrics::FeedReasonLabels;

/// What became of a feed's messages: received = committed + rejected + deduplicated + evicted.
#[derive(Debug)]
pub(super) struct FeedMetrics {
    pub feed: String,
    pub received: Counter,
    pub committed: Counter,
    pub deduplicated: Counter,
    pub rejected: Family<FeedReasonLabels, Counter>,
}

/// Messages of a feed in the batch at hand. Nobody sees them counted before [`FeedTally::publish`], which comes after
/// the commit: what the metrics call committed is on disk.
#[derive(Debug)]
pub struct FeedTally {
    metrics: FeedMetrics,
    pub committed: u64,
    pub deduplicated: u64,
    /// By reason: a handful of words of the code.
    rejected: Vec<(&'static str, u64)>,
}

impl FeedTally {
    pub(super) fn new(metrics: FeedMetrics) -> Self {
        FeedTally { metrics, committed: 0, deduplicated: 0, rejected: Vec::new() }
    }

    pub fn reject(&mut self, reason: &'static str) {
        match self.rejected.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, n)) => *n += 1,
            None => self.rejected.push((reason, 1)),
        }
    }

    /// The batch is on disk: its messages count, and the next one begins at 0.
    pub fn publish(&mut self) {
        let FeedTally { metrics, committed, deduplicated, rejected } = self;
        let mut n_received = *committed + *deduplicated;
        for (reason, n) in rejected.drain(..) {
            n_received += n;
            let labels = FeedReasonLabels { feed: metrics.feed.clone(), reason };
            metrics.rejected.get_or_create(&labels).inc_by(n);
        }
        if n_received > 0 {
            metrics.committed.inc_by(std::mem::take(committed));
            metrics.deduplicated.inc_by(std::mem::take(deduplicated));
            metrics.received.inc_by(n_received);
        }
    }
}

/// Observations by kind of fact since the last [`FactTally::publish`].
#[derive(Debug)]
pub struct FactTally([(Counter, u64); 5]);

impl FactTally {
    pub(super) fn new(counter: impl Fn(&'static str) -> Counter) -> Self {
        FactTally(["reading", "position", "thermal", "picture", "link"].map(|fact| (counter(fact), 0)))
    }

    pub fn count(&mut self, fact: &Fact) {
        let number = match fact {
            Fact::Reading(_) => 0,
            Fact::Position(_) => 1,
            Fact::Thermal(_) => 2,
            Fact::Picture(_) => 3,
            Fact::Link(_) => 4,
        };
        self.0[number].1 += 1;
    }

    pub fn publish(&mut self) {
        for (counter, n) in &mut self.0 {
            if *n > 0 {
                counter.inc_by(std::mem::take(n));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::telemetry::metrics::Metrics;

    #[test]
    fn what_is_not_yet_on_disk_is_not_counted() {
        let metrics = Metrics::new();
        let mut feed = metrics.feed("tunnel");
        feed.committed += 2;
        feed.reject("not-json");
        assert!(metrics.encode().contains(r#"outpost_messages_received_total{feed="tunnel"} 0"#));
        feed.publish();
        feed.publish();
        let page = metrics.encode();
        for line in ["received_total{feed=\"tunnel\"} 3", "rejected_total{feed=\"tunnel\",reason=\"not-json\"} 1"] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
    }
}
