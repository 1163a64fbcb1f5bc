//! Readings to a time-series server that speaks InfluxDB's v2 write interface. Knows nothing of rules or Desk.
//!
//! - [`line`]: a reading → a line, exactly or not at all
//! - [`sink`]: one request, and what its answer means
//! - [`server`]: what to mend where it refuses
//! - [`worker`]: the spool → requests: batches, retries, the isolation of bad lines
//! - [`progress`]: what operators see of it
//! - [`watchman`]: what the gateway's own rules hear of it

pub mod line;
mod progress;
mod server;
mod sink;
mod watchman;
mod worker;

pub use progress::{Phase, Progress, Status};
pub use watchman::Watchman;
pub use worker::Worker;

/// A series section that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    #[error("series url {0:?} is not a URL: {1}")]
    NotUrl(String, url::ParseError),
    #[error("series url {0:?}: {1}")]
    Url(String, &'static str),
    #[error("series {0} is empty")]
    Empty(&'static str),
    #[error("series token: {0}")]
    Secret(String),
    #[error("series token holds characters that no HTTP header may carry")]
    Token,
    #[error("series client: {0}")]
    Client(String),
}
