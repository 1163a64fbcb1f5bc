//! From observations to committed tickets: Watch judges, Desk dispatches, the shell commits before it acknowledges.
//! Knows nothing of HTTP and SQL.
//!
//! - [`watch`]: rules over observations, pure
//! - [`run`]: the shell, and `settled`: what it commits of Desk; `reported`: what it takes of reports; [`errands`]: of officers in the field
//! - `rules`: those of the configuration; `built_in`: those that there are without being written
//! - [`evidence`]: pictures and looks that alerts ask for
//! - [`shard`], [`shards`]: what decodes and judges, on one thread or several
//! - [`trail`]: the latest readings of all sources
//! - [`redo`]: what rules remember, kept over a crash
//! - [`replies`]: answers that wait for their commit
//! - [`record`], [`recorder`], [`replay`]: observations as NDJSON, written while they come, and the same code over them
//! - [`examples`]: what rules do with their own examples
//! - [`backtest`]: what new rules would have found, beside the old ones

pub mod backtest;
mod built_in;
pub mod errands;
pub mod evidence;
pub mod examples;
mod heat;
mod late;
mod movement;
mod names;
mod owed;
pub(crate) mod picture;
mod reading;
pub mod record;
pub mod recorder;
pub mod redo;
pub mod replay;
mod replies;
pub(crate) mod reported;
mod rules;
pub mod run;
pub mod seen;
mod settled;
pub mod shard;
pub mod shards;
mod sight;
mod slot;
pub mod sources;
pub mod trail;
pub mod watch;
