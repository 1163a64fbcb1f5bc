//! The demo's own MQTT broker, so that `outpost demo` needs none of the user's. Loopback only, state in memory.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use mqtt5::broker::config::{BrokerConfig, StorageBackend, StorageConfig};
use mqtt5::broker::{BrokerShutdownHandle, MqttBroker};
use tokio::task::JoinHandle;

/// Messages kept for the gateway while it is away or behind.
const QUEUED_MESSAGES_MAX: usize = 100_000;
const QUEUED_BYTES_MAX: usize = 64 << 20;
const PACKET_BYTES_MAX: usize = 4 << 20;
/// As many as the gateway takes by default.
const INFLIGHT_MAX: u16 = 1_000;
const CLIENTS_MAX: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    #[error("cannot start the demo's broker: {0}")]
    Start(String),
}

/// A running broker. It ends with its process, or earlier by [`DemoBroker::stop`].
pub struct DemoBroker {
    address: SocketAddr,
    shutdown: BrokerShutdownHandle,
    task: JoinHandle<()>,
}

/// Starts on a free loopback port; MQTT 5 and 3.1.1 on the same one.
pub async fn start() -> Result<DemoBroker, BrokerError> {
    let storage = StorageConfig {
        backend: StorageBackend::Memory,
        enable_persistence: true,
        max_queued_messages_per_client: QUEUED_MESSAGES_MAX,
        max_queued_bytes_per_client: QUEUED_BYTES_MAX,
        ..StorageConfig::default()
    };
    let mut config = BrokerConfig::default()
        .with_bind_address((Ipv4Addr::LOCALHOST, 0))
        .with_max_clients(CLIENTS_MAX)
        .with_max_packet_size(PACKET_BYTES_MAX)
        .with_max_outbound_inflight(INFLIGHT_MAX)
        .with_session_expiry(Duration::from_secs(3_600))
        .with_sys_topics_enabled(false)
        .with_storage(storage);
    config.auth_config = config.auth_config.with_allow_anonymous(true);
    let mut broker = MqttBroker::with_config(config).await.map_err(|error| BrokerError::Start(error.to_string()))?;
    let address = broker.local_addr().ok_or_else(|| BrokerError::Start("it has no address".into()))?;
    let shutdown = broker.shutdown_handle();
    let task = tokio::spawn(async move {
        if let Err(error) = broker.run().await {
            tracing::error!(%error, "the demo's broker ended");
        }
    });
    Ok(DemoBroker { address, shutdown, task })
}

impl DemoBroker {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections and returns when the port is free again.
    pub async fn stop(self) {
        self.shutdown.shutdown();
        // A panic in the task has been reported by the runtime; there is nothing left to stop.
        let _ = self.task.await;
    }
}
