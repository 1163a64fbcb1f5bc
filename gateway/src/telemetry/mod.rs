//! Logs, metrics, and the one place that reads the clock.

pub mod clock;

pub use clock::{now_ms, time_text};
