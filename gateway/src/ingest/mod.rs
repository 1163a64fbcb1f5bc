//! Sessions with brokers and cameras: reconnect, back-off, acknowledgement. Knows nothing of what bytes mean.

pub mod backoff;
pub mod mqtt;
pub mod rtsp;

use std::sync::Arc;

use bytes::Bytes;

/// Bytes as they came from a broker.
#[derive(Debug, Clone)]
pub struct Message {
    /// Identity of the configured broker.
    pub broker: Arc<str>,
    pub topic: Arc<str>,
    pub payload: Bytes,
    /// Size of a payload beyond the broker's `packet_bytes_max`, which was not kept; 0 for all others.
    pub withheld_bytes: usize,
    pub received_ms: i64,
    pub receipt: Receipt,
}

/// What acknowledges a message: valid only within the connection (epoch) that delivered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Counts connections of this session since the process started, from 1.
    pub epoch: u32,
    /// Packet identifier; 0 for QoS 0, which is not acknowledged.
    pub packet: u16,
    /// Broker says that it may have sent this before.
    pub redelivered: bool,
}

/// Tells a broker that its messages are safe. Called by the commit shell, in the order in which they came.
pub trait Acknowledge: Send {
    fn acknowledge(&self, receipts: &[Receipt]);
}
