//! Logs, metrics, and the one place that reads the clock.

pub mod clock;
