//! The words that modules exchange: alert, ticket, delivery. Plain values; no serde, no SQL, no sockets.

pub mod alert;
pub mod delivery;
pub mod redo;
pub mod ticket;

pub use alert::{Alert, AlertKey, Cleared, Figure, Place, SnapshotAsk, StateRow, Why};
pub use delivery::{Delivery, Outbox, Spool, SpoolChunk, StoreFault};
pub use redo::{RedoChange, RedoRow};
pub use ticket::{Command, JournalEntry, Lamp, Move, Refusal, Stage, Ticket};
