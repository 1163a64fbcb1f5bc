//! Start and stop order of the gateway. What is started later is stopped earlier: sessions stop reading before the
//! pipeline stops committing, and the pipeline before those that send out what it committed.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, anyhow};
use outpost_fences::{FenceSet, geojson};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::api;
use crate::config::{Config, Target};
use crate::decode::Decoders;
use crate::dispatch::Desk;
use crate::ingest::mqtt::{Publisher, Session};
use crate::ingest::{Acknowledge, Receipt};
use crate::nouns::SnapshotAsk;
use crate::pipeline::run::{Evidence, Health, Inputs, Listener, Shell, Wakes};
use crate::pipeline::seen::{Marks, Seen};
use crate::pipeline::sources::Sources;
use crate::pipeline::watch::Watch;
use crate::store::{Queues, Reader, Store};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::now_ms;
use crate::{notify, series, video};

/// Requests of operators that wait for the pipeline.
const ASKS_MAX: usize = 256;

/// Connections that answer the API's queries.
const READERS: usize = 4;

/// A running gateway.
pub struct App {
    address: SocketAddr,
    reader: Arc<Reader>,
    changed: watch::Receiver<u64>,
    stop: CancellationToken,
    sessions: Vec<(String, Session)>,
    cameras: Option<Arc<video::Cameras>>,
    pipeline: std::thread::JoinHandle<()>,
    stop_pipeline: CancellationToken,
    stop_out: CancellationToken,
    out: Vec<JoinHandle<()>>,
}
