//! What all connections of a listener share, on its one thread.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::connection::Connection;
use super::guard::Guard;
use super::post::Post;
use super::sessions::{Sessions, Will};
use crate::config;
use crate::ingest::{Message, Quality, Receipt};
use crate::telemetry::clock;
use crate::telemetry::listener::ListenerMetrics;

/// Messages that go into the queue at once.
const HANDED_MAX: usize = 256;

/// Clients whose first fault is told; those of further ones are only counted.
const TOLD_MAX: usize = 10_000;

/// How often wills and sessions are looked at.
const SWEEP: Duration = Duration::from_millis(500);

/// What a message costs beside topic and payload.
const MESSAGE_BYTES: usize = 64;

pub(super) struct Hub {
    pub(super) name: Arc<str>,
    pub(super) bounds: config::Listener,
    pub(super) guard: Guard,
    pub(super) metrics: ListenerMetrics,
    pub(super) sessions: RefCell<Sessions>,
    pub(super) stop: CancellationToken,
    queue: mpsc::Sender<Message>,
    live: RefCell<HashMap<u32, Rc<Connection>>>,
    n_sockets: Cell<usize>,
    last_number: Cell<u32>,
    waiting_bytes: Cell<u64>,
    /// Told when fewer bytes wait.
    pub(super) room: Notify,
    /// Told when a connection has ended.
    ended: Notify,
    told: RefCell<HashSet<Arc<str>>>,
}

/// The pipeline is gone.
pub(super) struct Gone;

impl Hub {
    pub(super) fn new(
        bounds: config::Listener,
        guard: Guard,
        known: Vec<Arc<str>>,
        queue: mpsc::Sender<Message>,
        metrics: ListenerMetrics,
        stop: CancellationToken,
    ) -> Hub {
        let until = Instant::now() + bounds.session_expiry_max.duration();
        Hub {
            name: bounds.id.as_str().into(),
            sessions: RefCell::new(Sessions::new(known, until, bounds.sessions_max)),
            bounds,
            guard,
            metrics,
            stop,
            queue,
            live: RefCell::default(),
            n_sockets: Cell::new(0),
            last_number: Cell::new(0),
            waiting_bytes: Cell::new(0),
            room: Notify::new(),
            ended: Notify::new(),
            told: RefCell::default(),
        }
    }

    /// The one place where messages go to the pipeline: all that wait, in order. Waits while its queue is full.
    pub(super) async fn hand_over(&self, waiting: &RefCell<VecDeque<Message>>) -> Result<(), Gone> {
        self.show_waiting();
        loop {
            let n = waiting.borrow().len().min(HANDED_MAX).min(self.queue.max_capacity());
            if n == 0 {
                return Ok(());
            }
            let permits = self.queue.reserve_many(n).await.map_err(|_| Gone)?;
            let mut waiting = waiting.borrow_mut();
            for (permit, message) in permits.zip(waiting.drain(..n)) {
                permit.send(message);
            }
        }
    }

    /// Gives a message its size, which counts as waiting until its receipt comes back.
    pub(super) fn hold(&self, topic: &str, payload: &[u8]) -> u32 {
        let n_bytes = u32::try_from(topic.len() + payload.len() + MESSAGE_BYTES).unwrap_or(u32::MAX);
        self.waiting_bytes.set(self.waiting_bytes.get() + u64::from(n_bytes));
        n_bytes
    }

    pub(super) fn let_go(&self, n_bytes: u64) {
        self.waiting_bytes.set(self.waiting_bytes.get().saturating_sub(n_bytes));
        self.show_waiting();
        if !self.is_full() {
            self.room.notify_waiters();
        }
    }

    fn show_waiting(&self) {
        self.metrics.waiting_bytes.set(i64::try_from(self.waiting_bytes.get()).unwrap_or(i64::MAX));
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting_bytes.get() >= self.bounds.buffer_bytes_max.0
    }

    /// Brings receipts to their connections, for ever.
    pub(super) async fn deliver_receipts(&self, post: &Post) {
        let mut receipts = Vec::new();
        loop {
            post.collect(&mut receipts).await;
            for run in receipts.chunk_by(|one, next| one.epoch == next.epoch) {
                self.let_go(run.iter().map(|receipt| u64::from(receipt.n_bytes)).sum());
                // A connection that has ended needs none: its client sends again.
                if let Some(connection) = self.live.borrow().get(&run[0].epoch) {
                    connection.acknowledge(run);
                }
            }
            receipts.clear();
        }
    }

    /// Publishes wills that waited, for ever.
    pub(super) async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            let due = self.sessions.borrow_mut().sweep(Instant::now());
            for will in due {
                self.publish(will).await;
            }
        }
    }

    pub(super) async fn publish(&self, will: Will) {
        let n_bytes = self.hold(&will.topic, &will.payload);
        let receipt = Receipt { epoch: 0, packet: 0, quality: Quality::AtMostOnce, redelivered: false, n_bytes };
        let message = Message {
            broker: self.name.clone(),
            client: None,
            topic: will.topic,
            payload: will.payload,
            withheld_bytes: 0,
            received_ms: clock::now_ms(),
            receipt,
        };
        self.metrics.wills.inc();
        // Without a pipeline nothing is lost that somebody could still want.
        let _ = self.hand_over(&RefCell::new(VecDeque::from([message]))).await;
    }

    /// Room for one more socket, or nothing.
    pub(super) fn socket(self: &Rc<Self>) -> Option<Socket> {
        if self.n_sockets.get() >= self.bounds.connections_max {
            return None;
        }
        self.n_sockets.set(self.n_sockets.get() + 1);
        Some(Socket(self.clone()))
    }

    pub(super) fn next_number(&self) -> u32 {
        // 0 is nobody's.
        self.last_number.set(self.last_number.get().wrapping_add(1).max(1));
        self.last_number.get()
    }

    /// A connection that was taken. It counts as live until what is returned is dropped.
    pub(super) fn enter(self: &Rc<Self>, connection: Rc<Connection>) -> Live {
        self.metrics.accepted.inc();
        self.metrics.connections.inc();
        self.live.borrow_mut().insert(connection.number, connection.clone());
        Live { hub: self.clone(), connection }
    }

    /// Returns when no socket is left.
    pub(super) async fn emptied(&self) {
        while self.n_sockets.get() > 0 {
            self.ended.notified().await;
        }
    }

    /// Tells of the first fault of each client. The identifier is text from outside: it is shown escaped.
    pub(super) fn tell(&self, client: &Arc<str>, reason: &'static str) {
        let mut told = self.told.borrow_mut();
        if told.len() < TOLD_MAX && told.insert(client.clone()) {
            let listener = &self.name;
            warn!(%listener, ?client, reason, "a client was refused something, further faults of it are only counted");
        }
    }
}

/// A socket that counts until it is dropped.
pub(super) struct Socket(Rc<Hub>);

impl Drop for Socket {
    fn drop(&mut self) {
        self.0.n_sockets.set(self.0.n_sockets.get() - 1);
        self.0.ended.notify_one();
    }
}

/// A connection that is live until this is dropped, even where its task panics.
pub(super) struct Live {
    hub: Rc<Hub>,
    connection: Rc<Connection>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.hub.metrics.connections.dec();
        self.hub.live.borrow_mut().remove(&self.connection.number);
        self.connection.gone.cancel();
    }
}
