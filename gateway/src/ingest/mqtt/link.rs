//! One connection to a broker as the session and the publisher see it: the client library stays behind this file and
//! its two siblings, one for each protocol version. A connection that failed is dropped with its client, so that
//! nothing queued in it can reach the next one.

mod v4;
mod v5;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub(super) use crate::ingest::tls::TlsError;

use super::wire::Valve;
use crate::config::{self, MqttVersion};

const FAREWELL: Duration = Duration::from_secs(1);

/// Everything that one connection needs, resolved.
pub(super) struct Plan {
    version: MqttVersion,
    host: Arc<str>,
    port: u16,
    pub(super) client_id: String,
    username: Option<String>,
    password: Option<String>,
    tls: Option<Arc<rustls::ClientConfig>>,
    keep_alive_s: u16,
    /// What the broker is asked to keep of our session; `None` asks for a new session.
    session_expiry_s: Option<u32>,
    /// Received and not yet acknowledged.
    inflight_max: u16,
    /// Our own publishes in flight. The client scans this many slots at each flush, so a session that only receives
    /// has one.
    publishing_max: u16,
    packet_bytes_max: u32,
    connect_timeout: Duration,
}

/// Topics that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub text: String,
    /// What the broker retains comes anew with each start of the process, not only with the first subscription.
    pub wants_retained: bool,
}

impl From<&str> for Filter {
    fn from(text: &str) -> Self {
        Filter { text: text.to_owned(), wants_retained: false }
    }
}

/// What a connection brings.
#[derive(Debug)]
pub(super) enum Arrival {
    Connected {
        session_present: bool,
    },
    Message(Incoming),
    /// Answer to the subscription, in its order: why the broker refused, where it did.
    Subscribed(Vec<Option<String>>),
    /// A ping left.
    Pinged,
    /// Our DISCONNECT left.
    Disconnected,
    Other,
}

#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) topic: Bytes,
    pub(super) payload: Bytes,
    /// 0 for quality of service 0.
    pub(super) packet: u16,
    pub(super) redelivered: bool,
}

/// Why a connection could not be made or ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("cannot read the password: {0}")]
    Secret(String),
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] TlsError),
    #[error("the broker does not accept user name and password: {0}")]
    Auth(String),
    #[error("the broker refuses us: {0}")]
    Refused(String),
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("{0}")]
    Network(String),
    #[error("the broker closed the connection: {0}")]
    Closed(String),
    #[error("the broker does not answer pings")]
    Silent,
    #[error("packet of {bytes} bytes")]
    Oversized { bytes: u64 },
    #[error("not MQTT as agreed: {0}")]
    Protocol(String),
}

/// What became of one publish.
pub(super) type Published = Result<(), String>;

pub(super) enum Link {
    V4(Box<v4::Link>),
    V5(Box<v5::Link>),
}

impl Plan {
    pub(super) fn new(broker: &config::Broker) -> Result<Self, Fault> {
        let seconds = |span: config::Span| span.duration().as_secs();
        Ok(Plan {
            version: broker.version,
            host: broker.host.trim_matches(['[', ']']).into(),
            port: broker.port,
            client_id: broker.client_id.clone(),
            username: broker.username.clone(),
            password: broker
                .password
                .as_ref()
                .map(config::Secret::read)
                .transpose()
                .map_err(|error| Fault::Secret(error.to_string()))?,
            tls: broker.tls.then(|| crate::ingest::tls::client_config(broker.ca_file.as_deref())).transpose()?,
            keep_alive_s: u16::try_from(seconds(broker.keep_alive)).unwrap_or(u16::MAX).max(1),
            session_expiry_s: Some(u32::try_from(seconds(broker.session_expiry)).unwrap_or(u32::MAX - 1)),
            inflight_max: broker.inflight_max.max(1),
            publishing_max: 1,
            packet_bytes_max: u32::try_from(broker.packet_bytes_max.0).unwrap_or(u32::MAX),
            connect_timeout: broker.connect_timeout.duration(),
        })
    }

    /// The broker forgets what it kept for this client.
    pub(super) fn forgetting(mut self) -> Self {
        self.session_expiry_s = None;
        self
    }

    /// For a connection that publishes and receives nothing.
    pub(super) fn publishing(mut self, in_flight_max: u16) -> Self {
        self.publishing_max = in_flight_max;
        self.forgetting()
    }

    pub(super) fn admitting(mut self, packet_bytes_max: u64) -> Self {
        self.packet_bytes_max = self.packet_bytes_max.max(u32::try_from(packet_bytes_max).unwrap_or(u32::MAX));
        self
    }
}

impl Link {
    /// Connects. Dropping the future abandons the attempt.
    pub(super) async fn open(plan: &Plan, valve: &Arc<Valve>) -> Result<(Link, bool), Fault> {
        let mut link = match plan.version {
            MqttVersion::V311 => Link::V4(Box::new(v4::Link::new(plan, valve))),
            MqttVersion::V5 => Link::V5(Box::new(v5::Link::new(plan, valve))),
        };
        let connected = tokio::time::timeout(plan.connect_timeout, link.connected()).await;
        let session_present = connected.map_err(|_| Fault::TimedOut(plan.connect_timeout))??;
        Ok((link, session_present))
    }

    async fn connected(&mut self) -> Result<bool, Fault> {
        loop {
            if let Arrival::Connected { session_present } = self.next().await? {
                return Ok(session_present);
            }
        }
    }

    /// Reads, writes what is queued, pings. May be dropped and called again at any time once connected: packets are
    /// queued in the client before anything is waited for, and writing never waits (see `wire`).
    pub(super) async fn next(&mut self) -> Result<Arrival, Fault> {
        match self {
            Link::V4(link) => link.next().await,
            Link::V5(link) => link.next().await,
        }
    }

    pub(super) fn acknowledge(&mut self, packet: u16) -> Result<(), Fault> {
        match self {
            Link::V4(link) => link.acknowledge(packet),
            Link::V5(link) => link.acknowledge(packet),
        }
    }

    pub(super) fn subscribe(&mut self, filters: &[Filter]) -> Result<(), Fault> {
        match self {
            Link::V4(link) => link.subscribe(filters),
            Link::V5(link) => link.subscribe(filters),
        }
    }

    /// The answer to the last ping cannot be read because reading is paused: do not hold it against the broker.
    pub(super) fn excuse_ping(&mut self) {
        match self {
            Link::V4(link) => link.excuse_ping(),
            Link::V5(link) => link.excuse_ping(),
        }
    }

    /// Sends what is queued and DISCONNECT, and waits until the broker has hung up: what it has not read by then it
    /// would take for lost. A courtesy within a second; without it the broker sends again what we acknowledged last.
    pub(super) async fn farewell(mut self, valve: &Valve) {
        valve.write_through();
        match &mut self {
            Link::V4(link) => link.disconnect(),
            Link::V5(link) => link.disconnect(),
        }
        let said = async {
            while !matches!(self.next().await, Ok(Arrival::Disconnected) | Err(_)) {}
            drop(self);
            valve.linger().await;
        };
        let _ = tokio::time::timeout(FAREWELL, said).await;
    }

    /// Hands messages to this connection from any task.
    pub(super) fn outlet(&self) -> Outlet {
        match self {
            Link::V4(link) => Outlet::V4(link.outlet()),
            Link::V5(link) => Outlet::V5(link.outlet()),
        }
    }
}

#[derive(Clone)]
pub(super) enum Outlet {
    V4(v4::Outlet),
    V5(v5::Outlet),
}

impl Outlet {
    /// Publishes with quality of service 1 and waits for the broker's answer. `None` when the connection ended first.
    pub(super) async fn publish(&self, topic: &str, payload: Bytes) -> Option<Published> {
        match self {
            Outlet::V4(outlet) => outlet.publish(topic, payload).await,
            Outlet::V5(outlet) => outlet.publish(topic, payload).await,
        }
    }
}
