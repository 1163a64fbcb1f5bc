//! The words that modules exchange: alert, evidence, ticket, delivery, trouble. Plain values; no serde, no SQL, no sockets.

pub mod alert;
pub mod delivery;
pub mod evidence;
pub mod redo;
pub mod shelved;
pub mod ticket;
pub mod trouble;

pub use alert::{Alert, AlertKey, Cleared, Ellipse, Figure, Joined, Place, Sight, SnapshotAsk, StateRow, Why};
pub use delivery::{Delivery, Outbox, Spool, SpoolChunk, SpoolLoss, StoreFault};
pub use evidence::{Confidence, Exhibit, LookAsk, Looked, Role, Saw, Shown};
pub use redo::{RedoChange, RedoRow};
pub use shelved::{EvidenceKind, Missing};
pub use ticket::{Command, JournalEntry, Lamp, Move, Refusal, Stage, Ticket};
pub use trouble::{Trouble, TroubleKind};
