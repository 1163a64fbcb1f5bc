//! The words that modules exchange: alert, evidence, ticket, delivery, trouble. Plain values; no serde, no SQL, no sockets.

pub mod alert;
pub mod call;
pub mod class_case;
pub mod delivery;
pub mod errand;
pub mod evidence;
pub mod file;
pub mod lamp;
pub mod object;
pub mod officer;
pub mod passage;
pub mod redo;
pub mod report;
pub mod shelved;
pub mod silence;
pub mod stage;
pub mod ticket;
pub mod trouble;
pub mod unseen;
pub mod work;

pub use alert::{
    Alert, AlertKey, Cleared, Ellipse, Figure, Joined, OnAlert, Place, Shot, Sight, SnapshotAsk, StateRow, Why,
};
pub use call::{Call, Told};
pub use class_case::{ClassAsk, ClassCase, ClassChange, ClassEntry, ClassMove, ClassStage, CountedTicket};
pub use delivery::{Delivery, Outbox, Spool, SpoolChunk, SpoolLoss, StoreFault};
pub use errand::{Deed, Done, Errand, Once, Outcome, Task};
pub use evidence::{Confidence, Exhibit, LookAsk, Looked, Role, Saw, Shown};
pub use file::{FileKind, NewFile, Shelved, owner_of_files};
pub use lamp::{Clock, Lamp, Runs};
pub use object::{Judged, Object, ObjectKind};
pub use officer::{Field, Fix, Located, SaidDuty};
pub use passage::{Passage, Story};
pub use redo::{RedoChange, RedoRow};
pub use report::{Report, Taken};
pub use shelved::{EvidenceKind, Missing};
pub use silence::{Silence, SilenceAsk, Silenced};
pub use stage::{Move, Need, Stage, Standing};
pub use ticket::{Command, Counts, Extension, JournalEntry, Refusal, Said, Storm, Ticket};
pub use trouble::{Trouble, TroubleKind};
pub use unseen::Unseen;
pub use work::{WorkAsk, WorkOrder, WorkPlan};
