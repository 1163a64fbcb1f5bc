//! Publishes with quality of service 1 over a connection of its own. Keeps nothing: what was not confirmed is the
//! caller's to send again, so that a message is in one place only, the outbox.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::link::{Fault, Link, Outlet, Plan};
use super::wire::Valve;
use crate::config;
use crate::ingest::backoff::Backoff;

/// Messages that await the broker's answer; further callers wait.
const IN_FLIGHT_MAX: u16 = 256;
/// Fixed header, topic length, packet identifier and no properties.
const PACKET_OVERHEAD_BYTES: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    #[error("\"{0}\" is not a topic that can be published to")]
    Topic(String),
    #[error("message of {bytes} bytes, {bytes_max} are allowed")]
    Oversized { bytes: usize, bytes_max: u64 },
    #[error("the broker refuses the message: {0}")]
    Refused(String),
    /// The broker may have it or not.
    #[error("the connection ended before the broker answered")]
    ConnectionLost,
    /// Not connected, too many in flight, or no answer. The broker may have it or not.
    #[error("not confirmed within {timeout_ms} ms{}", .down.as_ref().map(|down| format!(": {down}")).unwrap_or_default())]
    TimedOut { timeout_ms: u64, down: Option<Arc<str>> },
    #[error("the publisher has been stopped")]
    Stopped,
}

impl PublishError {
    /// Whether the same message can succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, PublishError::ConnectionLost | PublishError::TimedOut { .. } | PublishError::Refused(_))
    }
}

#[derive(Clone)]
enum Way {
    Up(Outlet),
    Down(Option<Arc<str>>),
    Stopped,
}

/// The publishing connection of one configured broker.
pub struct Publisher {
    way: watch::Receiver<Way>,
    in_flight: Semaphore,
    timeout: Duration,
    packet_bytes_max: u64,
    task: JoinHandle<()>,
}

impl Publisher {
    /// Starts on the current tokio runtime. `client_id` must differ from that of the broker's receiving session. A
    /// publish is given up after the broker's `connect_timeout`.
    pub fn start(broker: &config::Broker, client_id: &str, stop: CancellationToken) -> Publisher {
        let (way_tx, way) = watch::channel(Way::Down(None));
        let broker = config::Broker { client_id: client_id.to_owned(), ..broker.clone() };
        Publisher {
            way,
            in_flight: Semaphore::new(usize::from(IN_FLIGHT_MAX)),
            timeout: broker.connect_timeout.duration(),
            packet_bytes_max: broker.packet_bytes_max.0,
            task: tokio::spawn(run(broker, way_tx, stop)),
        }
    }

    /// Returns when the broker has the message, or says why it may not have it.
    pub async fn publish(&self, topic: &str, payload: impl Into<Bytes>) -> Result<(), PublishError> {
        let payload = payload.into();
        if topic.is_empty() || !rumqttc::valid_topic(topic) {
            return Err(PublishError::Topic(topic.to_owned()));
        }
        let bytes = topic.len() + payload.len() + PACKET_OVERHEAD_BYTES;
        if bytes as u64 > self.packet_bytes_max {
            return Err(PublishError::Oversized { bytes, bytes_max: self.packet_bytes_max });
        }
        let confirmed = tokio::time::timeout(self.timeout, self.confirmed(topic, payload)).await;
        confirmed.unwrap_or_else(|_| {
            let down = match &*self.way.borrow() {
                Way::Down(down) => down.clone(),
                Way::Up(_) | Way::Stopped => None,
            };
            Err(PublishError::TimedOut { timeout_ms: self.timeout.as_millis() as u64, down })
        })
    }

    async fn confirmed(&self, topic: &str, payload: Bytes) -> Result<(), PublishError> {
        let _in_flight = self.in_flight.acquire().await.map_err(|_| PublishError::Stopped)?;
        let mut way = self.way.clone();
        let outlet = match way.wait_for(|way| !matches!(way, Way::Down(_))).await.as_deref() {
            Ok(Way::Up(outlet)) => outlet.clone(),
            _ => return Err(PublishError::Stopped),
        };
        match outlet.publish(topic, payload).await {
            Some(Ok(())) => Ok(()),
            Some(Err(reason)) => Err(PublishError::Refused(reason)),
            None => Err(PublishError::ConnectionLost),
        }
    }

    /// Returns when the connection has ended after its `stop` token was cancelled.
    pub async fn stopped(self) {
        // A panic in the task has been reported by the runtime; there is nothing left to stop.
        let _ = self.task.await;
    }
}

async fn run(broker: config::Broker, way: watch::Sender<Way>, stop: CancellationToken) {
    let seed = broker.client_id.bytes().fold(1, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let mut backoff = Backoff::new(broker.retry_max.duration(), seed);
    let mut down = None;
    while let Err(fault) = run_once(&broker, &way, &mut backoff, &stop).await {
        let reason = fault.reason();
        // One line for each change of reason, none for each attempt.
        if down != Some(reason) || backoff.failures() == 0 {
            warn!(broker = %broker.id, ?reason, detail = %fault, "mqtt publisher down");
        }
        down = Some(reason);
        way.send_replace(Way::Down(Some(fault.to_string().into())));
        if stop.run_until_cancelled(tokio::time::sleep(backoff.next_delay())).await.is_none() {
            break;
        }
    }
    way.send_replace(Way::Stopped);
}

/// One connection. `Ok` means that it was told to stop.
async fn run_once(
    broker: &config::Broker,
    way: &watch::Sender<Way>,
    backoff: &mut Backoff,
    stop: &CancellationToken,
) -> Result<(), Fault> {
    let plan = Plan::new(broker)?.forgetting().publishing(IN_FLIGHT_MAX);
    let valve = Arc::new(Valve::default());
    let Some(opened) = stop.run_until_cancelled(Link::open(&plan, &valve)).await else {
        return Ok(());
    };
    let (mut link, _) = opened?;
    backoff.reset();
    info!(broker = %broker.id, client = %plan.client_id, "mqtt publisher live");
    way.send_replace(Way::Up(link.outlet()));
    while let Some(arrival) = stop.run_until_cancelled(link.next()).await {
        arrival?;
    }
    way.send_replace(Way::Stopped);
    link.farewell(&valve).await;
    Ok(())
}
