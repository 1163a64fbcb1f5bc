//! Logs, metrics, and the one place that reads the clock. Knows nothing of what is logged or counted.

pub mod camera;
pub mod clock;
pub mod evidence;
pub mod listener;
pub mod logs;
pub mod metrics;
pub mod tally;

pub use clock::{now_ms, time_ms, time_text};
