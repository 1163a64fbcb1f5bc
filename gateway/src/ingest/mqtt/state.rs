//! What can be seen of a session from outside: its state and its counters.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::link::Fault;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// The first attempt is under way.
    Connecting,
    /// Connected, and the broker has answered the subscription.
    Live {
        since_ms: i64,
        /// False where the broker has forgotten us: what it kept for us, if anything, is lost.
        session_present: bool,
        /// Topic filters that the broker does not let us have; asked for again with back-off.
        refused: Arc<[Refusal]>,
    },
    /// Not connected; tried again with back-off.
    Down {
        reason: DownReason,
        /// One lowercase sentence for people.
        detail: Arc<str>,
        since_ms: i64,
        /// Attempts that failed since the session was last live.
        attempts: u32,
    },
    /// Ended because it was told to.
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub filter: String,
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DownReason {
    /// The password cannot be read, or TLS cannot be set up: our own configuration.
    Setup,
    /// User name, password or certificate not accepted.
    Auth,
    /// Refused for another reason, e.g. the broker is too busy.
    Refused,
    /// No way there, or the connection broke.
    Network,
    /// The broker ended the connection and said why.
    Closed,
    /// Connected but without answer: to the connection, the subscription or a ping.
    Silent,
    /// The broker sent something that is not MQTT as agreed, or a packet beyond all limits.
    Protocol,
}

impl Fault {
    pub(super) fn reason(&self) -> DownReason {
        match self {
            Fault::Secret(_) | Fault::Tls(_) => DownReason::Setup,
            Fault::Auth(_) => DownReason::Auth,
            Fault::Refused(_) => DownReason::Refused,
            Fault::Network(_) => DownReason::Network,
            Fault::Closed(_) => DownReason::Closed,
            Fault::TimedOut(_) | Fault::Silent => DownReason::Silent,
            Fault::Oversized { .. } | Fault::Protocol(_) => DownReason::Protocol,
        }
    }
}

/// Since the start of the process. `received` = handed to the pipeline or waiting to be.
#[derive(Debug, Default)]
pub struct SessionCounters {
    pub received: AtomicU64,
    /// Of `received`: the broker says that it may have sent them before.
    pub redelivered: AtomicU64,
    pub acknowledged: AtomicU64,
    /// Receipts of an earlier connection, or given twice: the broker was not told.
    pub stale_acks: AtomicU64,
    /// Connections made.
    pub connected: AtomicU64,
    /// Connections made after the first.
    pub reconnects: AtomicU64,
    /// Connections on which the broker had forgotten us.
    pub sessions_lost: AtomicU64,
    /// Of `received`: larger than `packet_bytes_max`, handed over without their payload.
    pub oversized: AtomicU64,
    /// Topic filters that the broker refused, each time it did.
    pub subscribe_refused: AtomicU64,
    /// Times that reading stopped because the pipeline's queue was full.
    pub pauses: AtomicU64,
    /// Times that the broker was told to forget our session, with all it kept, because a packet in it could never
    /// be received.
    pub sessions_dropped: AtomicU64,
}
