//! A device that loses nothing: it keeps what is not acknowledged, comes back for as long as it takes, and sends it again as
//! the standard says, marked as such, in order, before anything new.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::day::Post;
use super::listener::{Hello, connect, packet, publish};
use super::within;

/// Messages that it has unacknowledged at a time.
const WINDOW: usize = 50;

pub(crate) struct Redeliverer {
    n_posts: usize,
    shared: Arc<Shared>,
    allowed: watch::Sender<usize>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    n_sent: AtomicUsize,
    /// Does not hear: acknowledgements are lost.
    is_deaf: AtomicBool,
    n_redelivered: AtomicUsize,
}

/// Sent and not done with.
struct Open {
    id: u16,
    qos: u8,
    n: usize,
    /// Its PUBREC came.
    is_received: bool,
}

impl Redeliverer {
    /// `keeps`: its session, from connection to connection. `every_other`: that with quality 2.
    pub(crate) fn start(address: SocketAddr, level: u8, keeps: bool, every_other: bool, posts: Vec<Post>) -> Self {
        let shared = Arc::new(Shared::default());
        let (n_posts, (allowed, may)) = (posts.len(), watch::channel(0));
        let device = Device {
            address,
            level,
            keeps,
            every_other,
            posts,
            may,
            shared: shared.clone(),
            open: VecDeque::new(),
            next: 0,
        };
        Redeliverer { n_posts, shared, allowed, task: tokio::spawn(device.run()) }
    }

    pub(crate) fn n_posts(&self) -> usize {
        self.n_posts
    }

    pub(crate) fn n_redelivered(&self) -> usize {
        self.shared.n_redelivered.load(Ordering::SeqCst)
    }

    pub(crate) fn allow(&self, n: usize) {
        self.allowed.send_modify(|allowed| *allowed = n.max(*allowed));
    }

    pub(crate) fn deafen(&self, is_deaf: bool) {
        self.shared.is_deaf.store(is_deaf, Ordering::SeqCst);
    }

    /// Returns when so many were sent at least once.
    pub(crate) async fn sent(&self, n: usize) {
        within("messages to go out", async {
            while self.shared.n_sent.load(Ordering::SeqCst) < n.min(self.n_posts) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }

    /// Sends the rest; returns when everything is acknowledged.
    pub(crate) async fn finish(self) {
        self.allow(self.n_posts);
        within("all acknowledgements", self.task).await.unwrap();
    }
}

struct Device {
    address: SocketAddr,
    level: u8,
    keeps: bool,
    every_other: bool,
    posts: Vec<Post>,
    may: watch::Receiver<usize>,
    shared: Arc<Shared>,
    open: VecDeque<Open>,
    next: usize,
}

impl Device {
    async fn run(mut self) {
        while self.next < self.posts.len() || !self.open.is_empty() {
            // Whatever ended the connection, the next one sends again.
            let _ = self.live().await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn live(&mut self) -> std::io::Result<()> {
        let (mut reader, mut writer) = TcpStream::connect(self.address).await?.into_split();
        let properties: &[u8] = if self.keeps { &[0x11, 0, 0, 0x0e, 0x10] } else { &[] };
        let hello = Hello { level: self.level, client: "device", keeps: self.keeps, properties, ..Hello::default() };
        writer.write_all(&connect(&hello)).await?;
        let (first, _) = read(&mut reader).await?;
        assert_eq!(first, 0x20);
        for open in &self.open {
            let bytes = if open.is_received { release(open.id) } else { self.bytes(open, 0x08) };
            writer.write_all(&bytes).await?;
            self.shared.n_redelivered.fetch_add(1, Ordering::SeqCst);
        }
        let (heard, mut acks) = tokio::sync::mpsc::channel(1000);
        let shared = self.shared.clone();
        let _listening = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
            while let Ok(ack) = read(&mut reader).await {
                if !shared.is_deaf.load(Ordering::SeqCst) && heard.send(ack).await.is_err() {
                    break;
                }
            }
        }));
        while self.next < self.posts.len() || !self.open.is_empty() {
            let may_send = self.open.len() < WINDOW && self.next < self.posts.len();
            let (next, mut may) = (self.next, self.may.clone());
            tokio::select! {
                biased;
                ack = acks.recv() => {
                    let (first, body) = ack.ok_or(std::io::ErrorKind::UnexpectedEof)?;
                    if let Some(answer) = self.hear(first, &body) {
                        writer.write_all(&answer).await?;
                    }
                }
                () = allowed(&mut may, next), if may_send => {
                    let qos = if self.every_other { 1 + (next % 2) as u8 } else { 1 };
                    let open = Open { id: (next % 60_000) as u16 + 1, qos, n: next, is_received: false };
                    let bytes = self.bytes(&open, 0);
                    // From here on it may have arrived.
                    self.open.push_back(open);
                    self.next += 1;
                    writer.write_all(&bytes).await?;
                    self.shared.n_sent.store(self.next, Ordering::SeqCst);
                }
            }
        }
        writer.write_all(&[0xe0, 0]).await
    }

    fn bytes(&self, open: &Open, again: u8) -> Vec<u8> {
        let post = &self.posts[open.n];
        // Payloads of the day are not all text: the codec of the test is.
        let mut bytes = publish(self.level, open.qos << 1 | again, open.id, &post.topic, "");
        let body = bytes.split_off(2);
        packet(bytes[0], &[body, post.payload.clone()].concat())
    }

    fn hear(&mut self, first: u8, body: &[u8]) -> Option<Vec<u8>> {
        let id = u16::from_be_bytes([body[0], body[1]]);
        let at = self.open.iter().position(|open| open.id == id);
        match first {
            0x40 | 0x70 => drop(self.open.remove(at?)),
            0x50 => {
                self.open[at?].is_received = true;
                return Some(release(id));
            }
            first => panic!("{first:#x}"),
        }
        None
    }
}

async fn allowed(may: &mut watch::Receiver<usize>, next: usize) {
    may.wait_for(|allowed| *allowed > next).await.unwrap();
}

fn release(id: u16) -> Vec<u8> {
    packet(0x62, &id.to_be_bytes())
}

async fn read(reader: &mut (impl AsyncReadExt + Unpin)) -> std::io::Result<(u8, Vec<u8>)> {
    let (first, length) = (reader.read_u8().await?, reader.read_u8().await?);
    let mut body = vec![0; usize::from(length)];
    reader.read_exact(&mut body).await?;
    Ok((first, body))
}
