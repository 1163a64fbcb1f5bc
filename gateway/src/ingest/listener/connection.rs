//! A client at work: packets in, messages to the pipeline, answers out, an eye on its silence. All of it is one task, so a
//! connection that waits for anything holds no other.

use std::borrow::Borrow;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::hash::{Hash, Hasher};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::ready;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use foldhash::fast::RandomState;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::select;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::close::Close;
use super::codec::{self, Answers, Version};
use super::hub::{Gone, Hub};
use super::permit::Permit;
use super::sessions::Will;
use crate::ingest::{Client, Message, Quality, Receipt};
use crate::telemetry::clock;

/// Room for a read: of a client that says little, and of one that says much.
const READ_BYTES_MIN: usize = 2 << 10;
const READ_BYTES_MAX: usize = 128 << 10;

/// Answers that wait to be written, beyond which a client is not read.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// How long after the stop receipts of messages already handed over are waited for.
const RECEIPTS_GRACE: Duration = Duration::from_secs(5);

/// How long a client has to take our last words.
const FAREWELL: Duration = Duration::from_secs(1);

/// A socket, with or without TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Wire for S {}

pub(super) type Reader = ReadHalf<Box<dyn Wire>>;
pub(super) type Writer = WriteHalf<Box<dyn Wire>>;

/// What was agreed with the client at its CONNECT.
pub(super) struct Terms {
    pub(super) version: Version,
    pub(super) permit: Permit,
    /// It is cut off when silent for longer.
    pub(super) silence_max: Duration,
    /// How long its session outlives the connection.
    pub(super) expiry: Duration,
    pub(super) will: Option<Will>,
}

/// Nothing where the client may not publish to it.
pub(super) type Topic = Option<Arc<str>>;

/// A topic that the client may publish to, found by the bytes of its name.
#[derive(PartialEq, Eq)]
pub(super) struct Allowed(pub(super) Arc<str>);

impl Borrow<[u8]> for Allowed {
    fn borrow(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Hash for Allowed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_bytes().hash(state);
    }
}

pub(super) struct Connection {
    pub(super) number: u32,
    pub(super) client: Client,
    pub(super) version: Version,
    /// Cancelled once it has ended and all that it received is with the pipeline, or given up.
    pub(super) gone: CancellationToken,
    kicked: CancellationToken,
    pub(super) permit: Permit,
    /// Answers that wait to be written.
    pub(super) out: RefCell<BytesMut>,
    pub(super) written: Notify,
    /// Messages that wait for room in the pipeline's queue.
    pub(super) waiting: RefCell<VecDeque<Message>>,
    pub(super) arrived: Notify,
    /// Messages received, and those of them that came back as receipts.
    pub(super) n_received: Cell<u64>,
    n_committed: Cell<u64>,
    /// Packet identifiers that await their PUBACK or PUBREC, and their PUBREL.
    pub(super) n_unanswered: Cell<usize>,
    pub(super) unreleased: RefCell<HashSet<u16>>,
    /// Refusals that wait for the answers before them: after so many receipts.
    pub(super) refusals: RefCell<VecDeque<(u64, u16, Quality)>>,
    room: Notify,
    heard: Cell<Instant>,
    is_reading: Cell<bool>,
    pub(super) received_ms: Cell<i64>,
    /// Topics named before, by name and by number.
    pub(super) topics: RefCell<HashSet<Allowed, RandomState>>,
    pub(super) aliases: RefCell<HashMap<u16, Topic>>,
    pub(super) expiry: Cell<Duration>,
    silence_max: Duration,
}

impl Connection {
    /// Returns with it the will.
    pub(super) fn new(number: u32, client: Client, terms: Terms) -> (Rc<Connection>, Option<Will>) {
        let connection = Connection {
            number,
            client,
            version: terms.version,
            gone: CancellationToken::new(),
            kicked: CancellationToken::new(),
            permit: terms.permit,
            out: RefCell::default(),
            written: Notify::new(),
            waiting: RefCell::default(),
            arrived: Notify::new(),
            n_received: Cell::new(0),
            n_committed: Cell::new(0),
            n_unanswered: Cell::new(0),
            unreleased: RefCell::default(),
            refusals: RefCell::default(),
            room: Notify::new(),
            heard: Cell::new(Instant::now()),
            is_reading: Cell::new(false),
            received_ms: Cell::new(clock::now_ms()),
            topics: RefCell::default(),
            aliases: RefCell::default(),
            expiry: Cell::new(terms.expiry),
            silence_max: terms.silence_max,
        };
        (Rc::new(connection), terms.will)
    }

    /// Another connection has the client's identifier now.
    pub(super) fn take_over(&self) {
        self.kicked.cancel();
    }

    /// Until it ends. `buffer` may hold what came with the CONNECT.
    pub(super) async fn run(&self, hub: &Hub, mut buffer: BytesMut, mut reader: Reader, mut writer: Writer) -> Close {
        let close = select! {
            biased;
            () = self.kicked.cancelled() => Close::TakenOver,
            () = hub.stop.cancelled() => Close::Stopping,
            close = self.read(hub, &mut buffer, &mut reader) => close,
            Gone = self.hand_over(hub) => Close::Stopping,
            close = self.write(hub, &mut writer) => close,
            () = self.silence() => Close::KeepAlive,
        };
        if close == Close::Stopping {
            let last = async {
                select! { () = self.answered() => {}, _ = self.write(hub, &mut writer) => {} }
            };
            // Who is not answered by then sends again to the next process.
            let _ = timeout(RECEIPTS_GRACE, last).await;
        }
        Answers { version: self.version, out: &mut self.out.borrow_mut() }.closing(close);
        let _ = timeout(FAREWELL, self.farewell(close, reader, writer)).await;
        self.finish(hub, close).await;
        close
    }

    async fn read(&self, hub: &Hub, buffer: &mut BytesMut, reader: &mut Reader) -> Close {
        let bytes_max = u32::try_from(hub.bounds.packet_bytes_max.0).unwrap_or(u32::MAX);
        let (mut room, mut read_at) = (READ_BYTES_MIN, Instant::now());
        loop {
            loop {
                self.has_room(hub).await;
                match codec::next(self.version, buffer, bytes_max) {
                    Ok(Some(packet)) => {
                        self.heard.set(read_at);
                        if let Err(close) = self.take(hub, packet) {
                            return close;
                        }
                    }
                    Ok(None) => break,
                    Err(close) => return close,
                }
            }
            buffer.reserve(room);
            self.is_reading.set(true);
            let read = reader.read_buf(buffer).await;
            self.is_reading.set(false);
            let Ok(n_bytes @ 1..) = read else { return Close::Lost };
            hub.metrics.received_bytes.inc_by(n_bytes as u64);
            read_at = Instant::now();
            self.received_ms.set(clock::now_ms());
            room = if n_bytes >= room { (2 * room).min(READ_BYTES_MAX) } else { room };
        }
    }

    /// Returns at once but where a bound is reached; then once it is not. Meanwhile its silence is our doing.
    async fn has_room(&self, hub: &Hub) {
        let inflight_max = usize::from(hub.bounds.inflight_max);
        let has_room = || {
            let n_uncommitted = self.n_uncommitted();
            // MQTT 3.1.1 knows no Receive Maximum: more than that waits in the socket. One of quality 0 may go on
            // beyond it, so that a ping behind a full window is heard.
            (self.version == Version::V5 || self.n_unanswered.get() < inflight_max)
                && n_uncommitted < 2 * inflight_max as u64
                && self.out.borrow().len() < ANSWER_BYTES_MAX
                && (n_uncommitted == 0 || !hub.is_full())
        };
        while !has_room() {
            select! {
                () = self.room.notified() => {}
                () = hub.room.notified() => {}
            }
            self.heard.set(Instant::now());
        }
    }

    fn n_uncommitted(&self) -> u64 {
        self.n_received.get() - self.n_committed.get()
    }

    async fn hand_over(&self, hub: &Hub) -> Gone {
        loop {
            self.arrived.notified().await;
            if let Err(gone) = hub.hand_over(&self.waiting).await {
                return gone;
            }
        }
    }

    /// Everything that has gathered leaves in one write.
    async fn write(&self, hub: &Hub, writer: &mut Writer) -> Close {
        loop {
            self.written.notified().await;
            // The longest that a client may leave its answers unread.
            match timeout(hub.bounds.connect_timeout.duration(), self.drain(writer)).await {
                Ok(Ok(())) => self.room.notify_one(),
                Ok(Err(_)) => return Close::Lost,
                Err(_) => return Close::Stalled,
            }
        }
    }

    /// May be dropped at any time: what was written is taken off at once.
    async fn drain(&self, writer: &mut Writer) -> io::Result<()> {
        poll_fn(|cx| {
            let mut out = self.out.borrow_mut();
            while out.has_remaining() {
                let n = ready!(Pin::new(&mut *writer).poll_write(cx, &out))?;
                if n == 0 {
                    return Err(io::ErrorKind::WriteZero.into()).into();
                }
                out.advance(n);
            }
            Pin::new(&mut *writer).poll_flush(cx)
        })
        .await
    }

    async fn silence(&self) {
        loop {
            if !self.is_reading.get() {
                self.heard.set(Instant::now());
            }
            let due = self.heard.get() + self.silence_max;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    /// Returns when everything that was handed over has come back.
    async fn answered(&self) {
        while self.n_uncommitted() > self.waiting.borrow().len() as u64 || !self.out.borrow().is_empty() {
            self.room.notified().await;
        }
    }

    /// Our last words. To close with bytes of the client's unread would reset the connection and could cost it them.
    async fn farewell(&self, close: Close, mut reader: Reader, mut writer: Writer) {
        if matches!(close, Close::Lost | Close::Stalled) {
            return;
        }
        let mut discarded = [0; 4096];
        if self.drain(&mut writer).await.is_ok() && writer.shutdown().await.is_ok() {
            while matches!(reader.read(&mut discarded).await, Ok(n) if n > 0) {}
        }
    }

    /// What it received goes to the pipeline, unless another connection of the client waits for this one to end: the
    /// client sends again what was not acknowledged, and it must not overtake itself.
    async fn finish(&self, hub: &Hub, close: Close) {
        if !matches!(close, Close::TakenOver | Close::Stopping) {
            select! {
                biased;
                () = self.kicked.cancelled() => {}
                () = hub.stop.cancelled() => {}
                _ = hub.hand_over(&self.waiting) => {}
            }
        }
        let given_up = std::mem::take(&mut *self.waiting.borrow_mut());
        hub.let_go(given_up.iter().map(|message| u64::from(message.receipt.n_bytes)).sum());
    }

    /// The messages are on disk: answers them, in the order in which they came.
    pub(super) fn acknowledge(&self, receipts: &[Receipt]) {
        let mut out = self.out.borrow_mut();
        let mut answers = Answers { version: self.version, out: &mut out };
        for receipt in receipts {
            self.n_committed.set(self.n_committed.get() + 1);
            if receipt.packet != 0 {
                answers.committed(receipt.packet, receipt.quality);
                self.n_unanswered.set(self.n_unanswered.get().saturating_sub(1));
                if receipt.quality == Quality::ExactlyOnce {
                    self.unreleased.borrow_mut().insert(receipt.packet);
                }
            }
            self.refuse_due(&mut answers);
        }
        drop(out);
        self.written.notify_one();
        self.room.notify_one();
    }

    /// Answers refused messages whose turn it is.
    pub(super) fn refuse_due(&self, answers: &mut Answers<'_>) {
        let mut refusals = self.refusals.borrow_mut();
        while let Some((_, packet, quality)) = refusals.front().filter(|(after, ..)| *after <= self.n_committed.get()) {
            answers.forbidden(*packet, *quality);
            refusals.pop_front();
        }
    }
}
