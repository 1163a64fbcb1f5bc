//! Follows subjects on the map: from fixes in the order of their time to crossings, each once, with the time at which it
//! first showed. Knows nothing of who reports the fixes or what follows. Modules in reading order:
//!
//! - [`fix`]: where a subject was at a time, and how sure that is
//! - `motion`: which fixes a body can have made
//! - `way`: the straight way between two fixes, and what it passes
//! - `presence`: one subject and one fence: confirmed, without flicker
//! - [`tracker`]: one subject and all fences
//! - [`tripwire`], [`loiter`], [`speed`], [`approach`]: what else movement can mean
//! - [`calendar`], `zone`, `working`: when a rule is on duty, and for how long
//!
//! Fixes of a subject come in the order of their time; what is late is not heard. Where they arrive in another order,
//! [`Sorter`](crate::order::Sorter) with [`Fix::tie`] puts them right, and the result is that of the sorted track.
//!
//! Each kind's state is small, holds for ever and is serialised by its owner after a fix: what is restored goes on as if
//! nothing had happened.

pub mod approach;
pub mod calendar;
pub mod fix;
pub mod loiter;
mod motion;
mod presence;
pub mod speed;
pub mod tracker;
pub mod tripwire;
mod way;
mod working;
mod zone;

pub use fix::Fix;
pub use motion::{Motion, MotionLimits};
pub use presence::Confirm;
pub use tracker::{Cause, Crossing, Side, Subject, Tracker, Tracking};
