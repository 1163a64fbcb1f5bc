//! Metrics of the built-in MQTT listeners. Knows nothing of MQTT: reasons are words that the listener's code has.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::metrics::add;

/// Of all listeners, by their id.
#[derive(Debug, Clone)]
pub struct ListenerFamilies {
    connections: Family<ListenerLabel, Gauge>,
    accepted: Family<ListenerLabel, Counter>,
    refused: Family<ListenerReasonLabels, Counter>,
    closed: Family<ListenerReasonLabels, Counter>,
    received_bytes: Family<ListenerLabel, Counter>,
    waiting_bytes: Family<ListenerLabel, Gauge>,
    forbidden: Family<ListenerLabel, Counter>,
    retained: Family<ListenerLabel, Counter>,
    wills: Family<ListenerLabel, Counter>,
}

/// Of one listener.
#[derive(Debug, Clone)]
pub struct ListenerMetrics {
    listener: String,
    /// Clients that are connected.
    pub connections: Gauge,
    /// Connections whose CONNECT was taken.
    pub accepted: Counter,
    refused: Family<ListenerReasonLabels, Counter>,
    closed: Family<ListenerReasonLabels, Counter>,
    pub received_bytes: Counter,
    /// Of messages that wait for their commit.
    pub waiting_bytes: Gauge,
    /// Messages to topics that their client may not publish to.
    pub forbidden: Counter,
    /// Messages that asked to be retained: nobody subscribes here, so nothing is.
    pub retained: Counter,
    /// Will messages that were published.
    pub wills: Counter,
}

impl ListenerFamilies {
    pub(super) fn registered(r: &mut Registry) -> Self {
        ListenerFamilies {
            connections: add(r, "listener_connections", "clients that are connected", Family::default()),
            accepted: add(r, "listener_accepted", "connections that were taken", Family::default()),
            refused: add(r, "listener_refused", "connections that were not taken, by reason", Family::default()),
            closed: add(r, "listener_closed", "taken connections that ended, by reason", Family::default()),
            received_bytes: add(r, "listener_received_bytes", "bytes that clients sent", Family::default()),
            waiting_bytes: add(r, "listener_waiting_bytes", "bytes that wait for their commit", Family::default()),
            forbidden: add(r, "listener_forbidden", "messages to topics of others", Family::default()),
            retained: add(r, "listener_retained", "messages that asked to be retained", Family::default()),
            wills: add(r, "listener_wills", "will messages published", Family::default()),
        }
    }

    pub fn of(&self, listener: &str) -> ListenerMetrics {
        let label = ListenerLabel { listener: listener.into() };
        ListenerMetrics {
            connections: self.connections.get_or_create_owned(&label),
            accepted: self.accepted.get_or_create_owned(&label),
            refused: self.refused.clone(),
            closed: self.closed.clone(),
            received_bytes: self.received_bytes.get_or_create_owned(&label),
            waiting_bytes: self.waiting_bytes.get_or_create_owned(&label),
            forbidden: self.forbidden.get_or_create_owned(&label),
            retained: self.retained.get_or_create_owned(&label),
            wills: self.wills.get_or_create_owned(&label),
            listener: label.listener,
        }
    }
}

impl ListenerMetrics {
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&self.labels(reason)).inc();
    }

    pub fn closed(&self, reason: &'static str) {
        self.closed.get_or_create(&self.labels(reason)).inc();
    }

    fn labels(&self, reason: &'static str) -> ListenerReasonLabels {
        ListenerReasonLabels { listener: self.listener.clone(), reason }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabel {
    listener: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerReasonLabels {
    listener: String,
    reason: &'static str,
}
