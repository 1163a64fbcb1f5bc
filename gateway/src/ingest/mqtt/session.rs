//! One session for ever: connect, serve until it ends, say why, back off. Knows nothing of what comes through.

mod serve;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::ledger::Lane;
use super::link::{Fault, Filter, Link, Plan};
use super::wire::Valve;
use super::{AckSender, SessionCounters, SessionState};
use crate::config;
use crate::ingest::Message;
use crate::ingest::backoff::Backoff;
use crate::telemetry::clock;
use serve::Serve;

/// A connection that lived this long was a good one: the next failure waits shortly again.
const STABLE: Duration = Duration::from_secs(5);
/// Equal failures by what the broker sends, after which it is told to forget the session: the packet that cannot be
/// received is in it and would come again for ever.
const POISONED_FAILURES_MAX: u32 = 5;
/// Largest packet that is received only to be acknowledged unread.
const DISCARDED_PACKET_BYTES_MAX: u64 = 16 << 20;

/// The receiving session of one configured broker.
#[derive(Debug)]
pub struct Session {
    acks: AckSender,
    state: watch::Receiver<SessionState>,
    counters: Arc<SessionCounters>,
    ended: oneshot::Receiver<()>,
}

impl Session {
    /// Starts a thread, with a runtime of its own: it may sleep between reads (see `wire`). Messages go to `messages`;
    /// while that is full, or `inflight_max` of them are unacknowledged, nothing is read from the broker, and pings go on. On `stop` nothing more is handed over and the
    /// queue is let go; receipts of what had been handed over are still sent for five seconds or until all acknowledgers
    /// are gone; the broker keeps the session.
    pub fn start(
        broker: &config::Broker,
        topics: Vec<Filter>,
        messages: mpsc::Sender<Message>,
        stop: CancellationToken,
    ) -> std::io::Result<Session> {
        let counters = Arc::new(SessionCounters::default());
        let lane = Arc::new(Lane::new(Arc::clone(&counters)));
        let (state_tx, state) = watch::channel(SessionState::Connecting);
        let acks = AckSender::new(Arc::clone(&lane));
        let mut seed = DefaultHasher::new();
        (&broker.id, &broker.client_id).hash(&mut seed);
        let runner = Runner {
            name: broker.id.as_str().into(),
            backoff: Backoff::new(broker.retry_max.duration(), seed.finish()),
            broker: broker.clone(),
            topics,
            messages,
            stop,
            lane,
            counters: Arc::clone(&counters),
            state: state_tx,
            epoch: 0,
            subscribed: false,
            poison: Poison::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("mqtt".into());
        thread.spawn(move || {
            runtime.block_on(runner.run());
            let _ = end.send(());
        })?;
        Ok(Session { acks, state, counters, ended })
    }

    pub fn acks(&self) -> AckSender {
        self.acks.clone()
    }

    pub fn state(&self) -> watch::Receiver<SessionState> {
        self.state.clone()
    }

    pub fn counters(&self) -> Arc<SessionCounters> {
        Arc::clone(&self.counters)
    }

    /// Returns when the session has ended after its `stop` token was cancelled. Acknowledgers elsewhere may still be
    /// at work; with none left it does not wait for any.
    pub async fn stopped(self) {
        drop(self.acks);
        // An error means a panic, which has been reported; there is nothing left to stop.
        let _ = self.ended.await;
    }
}

struct Runner {
    name: Arc<str>,
    broker: config::Broker,
    topics: Vec<Filter>,
    messages: mpsc::Sender<Message>,
    stop: CancellationToken,
    lane: Arc<Lane>,
    counters: Arc<SessionCounters>,
    state: watch::Sender<SessionState>,
    backoff: Backoff,
    epoch: u32,
    /// The broker has confirmed this process's topics: what an earlier process asked for may differ.
    subscribed: bool,
    poison: Poison,
}

/// Packets that cannot be received and come again with every connection.
#[derive(Debug, Default)]
struct Poison {
    failure: String,
    times: u32,
    /// Size of a packet beyond our limit: the next connection lets it in, to acknowledge it unread.
    admitted_bytes: Option<u64>,
}

impl Poison {
    fn note(&mut self, fault: &Fault) {
        self.admitted_bytes = match fault {
            Fault::Oversized { bytes } if *bytes <= DISCARDED_PACKET_BYTES_MAX => Some(*bytes),
            _ => None,
        };
        if !matches!(fault, Fault::Oversized { .. } | Fault::Protocol(_)) {
            return;
        }
        let failure = fault.to_string();
        self.times = if failure == self.failure { self.times + 1 } else { 1 };
        self.failure = failure;
    }

    fn is_certain(&self) -> bool {
        self.times >= POISONED_FAILURES_MAX
    }
}

impl Runner {
    async fn run(mut self) {
        let stop = self.stop.clone();
        loop {
            let fault = match self.run_once().await {
                Ok(()) => break,
                Err(fault) => fault,
            };
            self.lane.begin(0);
            self.poison.note(&fault);
            self.went_down(&fault);
            let delay = self.backoff.next_delay();
            if stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
                break;
            }
        }
        self.lane.begin(0);
        info!(broker = %self.name, "mqtt session stopped");
        self.state.send_replace(SessionState::Stopped);
    }

    /// One connection. `Ok` means that it was told to stop.
    async fn run_once(&mut self) -> Result<(), Fault> {
        let stop = self.stop.clone();
        if self.poison.is_certain() && stop.run_until_cancelled(self.drop_session()).await.transpose()?.is_none() {
            return Ok(());
        }
        let mut plan = Plan::new(&self.broker)?;
        if let Some(bytes) = self.poison.admitted_bytes {
            plan = plan.admitting(bytes);
        }
        let valve = Arc::new(Valve::of_own_thread());
        let Some(opened) = stop.run_until_cancelled(Link::open(&plan, &valve)).await else {
            return Ok(());
        };
        let (link, session_present) = opened?;
        let opened_at = tokio::time::Instant::now();
        self.count_connection(session_present);
        let ended = Serve::new(self, link, valve, session_present).run().await;
        if opened_at.elapsed() >= STABLE {
            self.backoff.reset();
        }
        ended
    }

    fn count_connection(&mut self, session_present: bool) {
        self.epoch = self.epoch.wrapping_add(1).max(1);
        self.lane.begin(self.epoch);
        self.counters.connected.fetch_add(1, Ordering::Relaxed);
        if self.epoch > 1 {
            self.counters.reconnects.fetch_add(1, Ordering::Relaxed);
            if !session_present {
                self.counters.sessions_lost.fetch_add(1, Ordering::Relaxed);
                warn!(broker = %self.name, "the broker has forgotten our session, messages may be lost");
            }
        }
    }

    /// Connects once only to make the broker forget what it keeps for us.
    async fn drop_session(&mut self) -> Result<(), Fault> {
        let plan = Plan::new(&self.broker)?.forgetting();
        let valve = Arc::new(Valve::of_own_thread());
        let (link, _) = Link::open(&plan, &valve).await?;
        link.farewell(&valve).await;
        self.counters.sessions_dropped.fetch_add(1, Ordering::Relaxed);
        error!(broker = %self.name, failure = %self.poison.failure, times = self.poison.times,
            "gave up what the broker kept for us: a packet in it can not be received");
        self.poison = Poison::default();
        Ok(())
    }

    fn went_down(&self, fault: &Fault) {
        let (reason, detail) = (fault.reason(), Arc::<str>::from(fault.to_string()));
        self.state.send_modify(|state| {
            let (since_ms, attempts, known) = match state {
                SessionState::Down { since_ms, attempts, reason: before, .. } => {
                    (*since_ms, attempts.saturating_add(1), *before == reason)
                }
                _ => (clock::now_ms(), 1, false),
            };
            // One line for each change of reason, none for each attempt.
            if !known {
                warn!(broker = %self.name, ?reason, %detail, "mqtt session down");
            }
            *state = SessionState::Down { reason, detail, since_ms, attempts };
        });
    }
}
