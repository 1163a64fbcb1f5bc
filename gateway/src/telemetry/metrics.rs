//! One registry of all metrics, in the OpenMetrics text format. Knows nothing of who counts.
//!
//! Names start with `outpost_` and end with their unit (Prometheus naming). Every label is an identity from the
//! configuration or a word from the code, never text from outside, so that the number of series is bounded.
//! Whoever counts often asks once for its counters ([`Metrics::feed`], [`Metrics::camera`]…) and keeps them: a count is
//! then one atomic addition.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use super::camera::{CameraFamilies, CameraMetrics};
use super::evidence::EvidenceMetrics;
use super::listener::ListenerFamilies;
use super::tally::{FactTally, FeedMetrics, FeedTally};
use crate::config::Severity;

/// Content type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    messages_received: Family<FeedLabel, Counter>,
    messages_committed: Family<FeedLabel, Counter>,
    messages_deduplicated: Family<FeedLabel, Counter>,
    messages_evicted: Family<FeedLabel, Counter>,
    messages_rejected: Family<FeedReasonLabels, Counter>,
    observations: Family<FactLabel, Counter>,
    alerts_opened: Family<RuleLabel, Counter>,
    alerts_cleared: Family<RuleLabel, Counter>,
    tickets_opened: Family<SeverityLabel, Counter>,
    /// Transactions committed.
    pub commits: Counter,
    /// Transactions that the store refused; each is tried until it is taken.
    pub commit_errors: Counter,
    /// Time that a commit took.
    pub commit_seconds: Histogram,
    /// Inputs in a committed batch.
    pub batch_inputs: Histogram,
    /// Inputs waiting for Watch.
    pub queue_inputs: Gauge,
    outbox_waiting: Family<ReceiverLabel, Gauge>,
    deliveries: Family<ReceiverResultLabels, Counter>,
    /// Lines of readings on their way to the time series.
    pub series: SeriesMetrics,
    cameras: CameraFamilies,
    /// Pictures and clips on disk.
    pub evidence: EvidenceMetrics,
    messages_unrouted: Family<BrokerLabel, Counter>,
    mqtt_session_up: Family<BrokerLabel, Gauge>,
    reloads: Family<ResultLabel, Counter>,
    /// The built-in MQTT listeners.
    pub listeners: ListenerFamilies,
    observations_unjudged: Family<ReasonLabel, Counter>,
    alerts_withheld: Family<ReasonLabel, Counter>,
    reports: Family<FeedReasonLabels, Counter>,
}

/// What became of a receiver's deliveries.
#[derive(Debug, Clone, Default)]
pub struct ReceiverMetrics {
    /// Acknowledged by the receiver.
    pub delivered: Counter,
    /// Attempts that failed and are tried again.
    pub retried: Counter,
    /// Attempts that the receiver itself refused; they are tried again, too.
    pub refused: Counter,
    /// Never tried again.
    pub given_up: Counter,
}

#[derive(Debug, Clone, Default)]
pub struct SeriesMetrics {
    pub written: Counter,
    pub rejected: Counter,
    /// Evicted from the full spool.
    pub evicted: Counter,
    /// Readings that line protocol cannot express.
    pub inexpressible: Counter,
    /// Requests tried again.
    pub retries: Counter,
    /// Waiting in the spool.
    pub waiting: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("outpost");
        let build = BuildLabel { version: env!("CARGO_PKG_VERSION") };
        registry.register("build", "the running program", Info::new(build));
        let r = &mut registry;
        Metrics {
            messages_received: add(r, "messages_received", "messages that came", Family::default()),
            messages_committed: add(r, "messages_committed", "messages whose effects are on disk", Family::default()),
            messages_deduplicated: add(r, "messages_deduplicated", "messages that came again", Family::default()),
            messages_evicted: add(r, "messages_evicted", "messages dropped from a full queue", Family::default()),
            messages_rejected: add(
                r,
                "messages_rejected",
                "messages that cannot be used, by reason",
                Family::default(),
            ),
            observations: add(r, "observations", "observations that rules looked at, by fact", Family::default()),
            alerts_opened: add(r, "alerts_opened", "alerts opened by rule", Family::default()),
            alerts_cleared: add(r, "alerts_cleared", "alerts cleared by rule", Family::default()),
            tickets_opened: add(r, "tickets_opened", "tickets opened by severity", Family::default()),
            commits: add(r, "commits", "transactions committed", Counter::default()),
            commit_errors: add(r, "commit_errors", "transactions that the store refused", Counter::default()),
            commit_seconds: timed(r, "commit_duration", "time that a commit took"),
            batch_inputs: sized(r, "commit_batch", "inputs in a committed batch", "inputs"),
            queue_inputs: add(r, "queue_inputs", "inputs that wait for the rules", Gauge::default()),
            outbox_waiting: add(r, "outbox_deliveries", "deliveries that wait, by receiver", Family::default()),
            deliveries: add(r, "deliveries", "attempts to deliver by receiver and result", Family::default()),
            series: SeriesMetrics::registered(r),
            cameras: CameraFamilies::registered(r),
            evidence: EvidenceMetrics::registered(r),
            messages_unrouted: add(r, "messages_unrouted", "messages that no feed reads", Family::default()),
            mqtt_session_up: add(r, "mqtt_session_up", "1 while the broker's session is up", Family::default()),
            reports: add(r, "reports", "reports from outside, by sender and what became of them", Family::default()),
            alerts_withheld: add(r, "alerts_withheld", "alerts that made no ticket, by reason", Family::default()),
            observations_unjudged: add(
                r,
                "observations_unjudged",
                "observations that a rule, or every rule, did not judge",
                Family::default(),
            ),
            reloads: add(r, "reloads", "configurations taken or refused while running", Family::default()),
            listeners: ListenerFamilies::registered(r),
            registry,
        }
    }

    /// All metrics in OpenMetrics text 1.0, to be served as [`CONTENT_TYPE`].
    pub fn encode(&self) -> String {
        let mut page = String::new();
        // Writing to a String cannot fail; if an encoder does, what is there is still the best answer.
        if text::encode(&mut page, &self.registry).is_err() {
            tracing::error!("failed to encode the metrics");
        }
        page
    }

    /// The tally of a feed's messages. Evictions show as 0: a full queue to Watch stops reading instead of dropping.
    pub fn feed(&self, feed: &str) -> FeedTally {
        let label = FeedLabel { feed: feed.into() };
        drop(self.messages_evicted.get_or_create(&label));
        FeedTally::new(FeedMetrics {
            received: self.messages_received.get_or_create_owned(&label),
            committed: self.messages_committed.get_or_create_owned(&label),
            deduplicated: self.messages_deduplicated.get_or_create_owned(&label),
            rejected: self.messages_rejected.clone(),
            feed: label.feed,
        })
    }

    /// Counters of observations by kind of fact.
    pub fn facts(&self) -> FactTally {
        FactTally::new(|fact| self.observations.get_or_create_owned(&FactLabel { fact }))
    }

    pub fn alert_opened(&self, rule: &str) {
        self.alerts_opened.get_or_create(&RuleLabel { rule: rule.into() }).inc();
    }

    pub fn alert_cleared(&self, rule: &str) {
        self.alerts_cleared.get_or_create(&RuleLabel { rule: rule.into() }).inc();
    }

    pub fn ticket_opened(&self, severity: Severity) {
        self.tickets_opened.get_or_create(&SeverityLabel { severity: severity.as_str() }).inc();
    }

    /// Reports of one sender that became tickets, or were told before, and those that were wrong.
    pub fn reports_taken(&self, sender: &str, n_taken: u64, n_rejected: u64) {
        for (reason, n) in [("taken", n_taken), ("rejected", n_rejected)] {
            self.reports.get_or_create(&FeedReasonLabels { feed: sender.to_owned(), reason }).inc_by(n);
        }
    }

    /// By a silence, a work order, or another alert.
    pub fn alert_withheld(&self, reason: &'static str) {
        self.alerts_withheld.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// So many observations were not judged for this reason since the start.
    pub fn unjudged(&self, reason: &'static str, n_total: u64) {
        if n_total > 0 {
            let counter = self.observations_unjudged.get_or_create(&ReasonLabel { reason });
            counter.inc_by(n_total.saturating_sub(counter.get()));
        }
    }

    pub fn reloaded(&self, is_taken: bool) {
        let result = if is_taken { "taken" } else { "refused" };
        self.reloads.get_or_create(&ResultLabel { result }).inc();
    }

    pub fn outbox_waiting(&self, receiver: &str) -> Gauge {
        self.outbox_waiting.get_or_create_owned(&ReceiverLabel { receiver: receiver.into() })
    }

    pub fn receiver(&self, receiver: &str) -> ReceiverMetrics {
        let counter =
            |result| self.deliveries.get_or_create_owned(&ReceiverResultLabels { receiver: receiver.into(), result });
        ReceiverMetrics {
            delivered: counter("delivered"),
            retried: counter("retried"),
            refused: counter("refused"),
            given_up: counter("given_up"),
        }
    }

    pub fn camera(&self, camera: &str) -> CameraMetrics {
        self.cameras.of(camera)
    }

    /// Messages of a broker that no feed reads.
    pub fn unrouted(&self, broker: &str) -> Counter {
        self.messages_unrouted.get_or_create_owned(&BrokerLabel { broker: broker.into() })
    }

    /// 1 while the broker's session is up, else 0.
    pub fn mqtt_session_up(&self, broker: &str) -> Gauge {
        self.mqtt_session_up.get_or_create_owned(&BrokerLabel { broker: broker.into() })
    }
}

impl SeriesMetrics {
    fn registered(r: &mut Registry) -> Self {
        SeriesMetrics {
            written: add(r, "series_lines_written", "lines that the server has taken", Counter::default()),
            rejected: add(r, "series_lines_rejected", "lines that the server refuses for ever", Counter::default()),
            evicted: add(r, "series_lines_evicted", "lines dropped from the full spool", Counter::default()),
            inexpressible: add(
                r,
                "series_readings_inexpressible",
                "readings that line protocol cannot express",
                Counter::default(),
            ),
            retries: add(r, "series_retries", "requests to the server tried again", Counter::default()),
            waiting: add(r, "series_spool_lines", "lines that wait in the spool", Gauge::default()),
        }
    }
}

pub(super) fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

/// 0.25 ms to 8 s: from a commit in the page cache to a disk that hangs.
fn timed(registry: &mut Registry, name: &str, help: &str) -> Histogram {
    let histogram = Histogram::new(exponential_buckets(0.000_25, 2.0, 16));
    registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
    histogram
}

/// 1 to 16384.
fn sized(registry: &mut Registry, name: &str, help: &str, unit: &str) -> Histogram {
    let histogram = Histogram::new(exponential_buckets(1.0, 4.0, 8));
    registry.register_with_unit(name, help, Unit::Other(unit.into()), histogram.clone());
    histogram
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabel {
    version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FeedLabel {
    feed: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct FeedReasonLabels {
    pub feed: String,
    pub reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FactLabel {
    fact: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RuleLabel {
    rule: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SeverityLabel {
    severity: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceiverLabel {
    receiver: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceiverResultLabels {
    receiver: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BrokerLabel {
    broker: String,
}

#[cfg(test)]
mod tests {
    use outpost_detectors::observation::{Fact, Link, LinkState};

    use super::*;

    fn used() -> Metrics {
        let metrics = Metrics::new();
        let mut feed = metrics.feed("tunnel");
        feed.committed += 1;
        feed.deduplicated += 1;
        feed.reject("not-json");
        feed.publish();
        let mut facts = metrics.facts();
        facts.count(&Fact::Link(Link { state: LinkState::Live, reason: None }));
        facts.publish();
        metrics.alert_opened("gas");
        metrics.alert_cleared("gas");
        metrics.ticket_opened(Severity::Severe);
        metrics.commits.inc();
        metrics.commit_seconds.observe(0.003);
        metrics.batch_inputs.observe(64.0);
        metrics.queue_inputs.set(5);
        metrics.outbox_waiting("centre").set(2);
        metrics.receiver("centre").delivered.inc();
        metrics.series.written.inc_by(7);
        metrics.series.waiting.set(9);
        let camera = metrics.camera("gate");
        camera.frames.inc();
        camera.raise_errors_to("decode", 1);
        camera.set_state(LinkState::Connecting);
        camera.set_state(LinkState::Live);
        camera.key_interval.set(12.5);
        metrics.unrouted("local").inc();
        metrics.mqtt_session_up("local").set(1);
        metrics
    }

    #[test]
    fn a_page_shows_what_was_counted() {
        let page = used().encode();
        for line in [
            r#"outpost_messages_received_total{feed="tunnel"} 3"#,
            r#"outpost_messages_rejected_total{feed="tunnel",reason="not-json"} 1"#,
            r#"outpost_observations_total{fact="link"} 1"#,
            r#"outpost_alerts_opened_total{rule="gas"} 1"#,
            r#"outpost_tickets_opened_total{severity="severe"} 1"#,
            "outpost_commit_duration_seconds_count 1",
            r#"outpost_commit_batch_inputs_bucket{le="64.0"} 1"#,
            r#"outpost_outbox_deliveries{receiver="centre"} 2"#,
            r#"outpost_deliveries_total{receiver="centre",result="delivered"} 1"#,
            "outpost_series_lines_written_total 7",
            "outpost_series_spool_lines 9",
            r#"outpost_camera_errors_total{camera="gate",reason="decode"} 1"#,
            r#"outpost_camera_key_interval_seconds{camera="gate"} 12.5"#,
            r#"outpost_camera_state{camera="gate",state="connecting"} 0"#,
            r#"outpost_camera_state{camera="gate",state="live"} 1"#,
            r#"outpost_messages_unrouted_total{broker="local"} 1"#,
            r#"outpost_mqtt_session_up{broker="local"} 1"#,
            concat!(r#"outpost_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#),
        ] {
            assert!(page.lines().any(|l| l == line), "{line} is not in\n{page}");
        }
        assert!(page.ends_with("# EOF\n"));
    }

    #[test]
    fn every_metric_has_the_prefix_and_a_help() {
        let page = used().encode();
        let helps = page.lines().filter(|line| line.starts_with("# HELP ")).count();
        let types = page.lines().filter(|line| line.starts_with("# TYPE ")).count();
        assert!(helps >= 20, "{helps} metrics only");
        assert_eq!(helps, types);
        for line in page.lines().filter(|line| *line != "# EOF") {
            let name = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ").trim_start_matches("# UNIT ");
            assert!(name.starts_with("outpost_"), "{line}");
        }
    }

    #[test]
    fn a_name_with_quotes_cannot_break_the_page() {
        let metrics = Metrics::new();
        metrics.feed("a\"b\\c\nd");
        assert!(metrics.encode().contains(r#"{feed="a\"b\\c\nd"} 0"#), "{}", metrics.encode());
    }
}
