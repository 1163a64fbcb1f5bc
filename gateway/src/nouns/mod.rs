//! The words that modules exchange: alert, ticket, delivery. Plain values; no serde, no SQL, no sockets.

pub mod delivery;

pub use delivery::{Delivery, Outbox, Spool, SpoolChunk, StoreFault};
