//! Sessions with brokers, devices, cameras and their mounts: reconnect, back-off, acknowledgement. Knows nothing of what bytes mean.

pub mod backoff;
pub mod listener;
pub mod mqtt;
pub mod onvif;
pub mod recording;
pub mod rtsp;
mod tls;

use std::sync::Arc;

use bytes::Bytes;

/// Bytes as they came from a broker, or from a client of a listener.
#[derive(Debug, Clone)]
pub struct Message {
    /// Identity of the configured broker or listener.
    pub broker: Arc<str>,
    /// Who published it; none where a broker stands between, and for a client's will.
    pub client: Option<Client>,
    pub topic: Arc<str>,
    pub payload: Bytes,
    /// Size of a payload beyond the broker's `packet_bytes_max`, which was not kept; 0 for all others.
    pub withheld_bytes: usize,
    pub received_ms: i64,
    pub receipt: Receipt,
}

/// A client of a listener. Its packet identifiers are its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: Arc<str>,
    /// Its connection began a new session (clean start).
    pub is_new: bool,
}

/// Quality of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    AtMostOnce,
    AtLeastOnce,
    ExactlyOnce,
}

/// What acknowledges a message: valid only within the connection (epoch) that delivered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Counts connections of this session or listener since the process started, from 1.
    pub epoch: u32,
    /// Packet identifier; 0 for QoS 0, which is not acknowledged.
    pub packet: u16,
    pub quality: Quality,
    /// The sender says that it may have sent this before.
    pub redelivered: bool,
    /// What may be let go with the acknowledgement; 0 where nobody counts.
    pub n_bytes: u32,
}

/// Tells a broker that its messages are safe. Called by the commit shell, in the order in which they came.
pub trait Acknowledge: Send {
    fn acknowledge(&self, receipts: &[Receipt]);
}
