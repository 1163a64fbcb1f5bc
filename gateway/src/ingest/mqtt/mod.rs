//! Sessions with MQTT brokers, 5 and 3.1.1: receive, acknowledge after the commit, publish. Knows nothing of what
//! payloads mean.
//!
//! - [`Session`] receives the topics of one configured broker into the pipeline's queue
//! - [`AckSender`] acknowledges, from any thread, what has been committed
//! - [`Publisher`] sends, over a connection of its own: acknowledgements must not wait behind our own messages

mod ledger;
mod link;
mod publisher;
mod session;
mod state;
mod wire;

pub use ledger::AckSender;
pub use link::Filter;
pub use publisher::{PublishError, Publisher};
pub use session::Session;
pub use state::{DownReason, Refusal, SessionCounters, SessionState};
