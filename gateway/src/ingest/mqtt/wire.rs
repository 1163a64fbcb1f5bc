//! The socket under a client: gathers small writes into one, small reads too, and stops reading when told. Knows nothing
//! of MQTT.
//!
//! The client flushes after every acknowledgement, which doubles what a message costs. Here a flush only marks the
//! bytes as due; they leave in one system call when the client next asks to read, which it does as soon as it has
//! nothing more to write, so nothing waits for a timer.
//!
//! Brokers write each message by itself. Who reads each as it comes wakes up for each, which costs more than all that is
//! done with it. Here a read that follows the one before closely, and found little, is the last for a millisecond: what
//! comes meanwhile is read in one. A message that comes alone never waits.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Gathered bytes. Far above what one connection's acknowledgements and subscriptions can be (65,535 × 4 bytes), so
/// that writing them never waits and a cancelled poll never loses one.
const GATHERED_BYTES_MAX: usize = 1 << 20;

/// Bytes that are there this soon after they could be read come from a busy broker.
const BUSY: Duration = Duration::from_micros(500);

/// Pause after a read from a busy broker: at 20,000 messages a second, some twenty come in it.
const BREATH: Duration = Duration::from_millis(1);

/// A pause that gathered less was for nothing: the broker is busy no more.
const WORTH_BYTES: usize = 512;

/// The session's hand on the socket.
#[derive(Default)]
pub(super) struct Valve {
    /// Whether the client has a thread to itself, which may sleep between reads.
    own_thread: bool,
    paused: AtomicBool,
    direct: AtomicBool,
    /// The socket after its client is gone, where the last packets were written through.
    left: Mutex<Option<Box<dyn Socket>>>,
}

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

impl Valve {
    /// For a client that has a thread to itself.
    pub(super) fn of_own_thread() -> Self {
        Valve { own_thread: true, ..Valve::default() }
    }

    /// Reads stop; TCP and the broker's window push back.
    pub(super) fn pause(&self) {
        self.paused.store(true, Ordering::Relaxed);
    }

    /// Reads go on at the next poll of the client. Its task is the caller's, hence no waker is kept.
    pub(super) fn resume(&self) {
        self.paused.store(false, Ordering::Relaxed);
    }

    /// From now on a flush is a flush: for the last packets of a connection, after which nobody reads.
    pub(super) fn write_through(&self) {
        self.direct.store(true, Ordering::Relaxed);
    }

    /// Once the client is gone: returns when the broker has read everything and hung up. To close earlier, with bytes
    /// of the broker's unread, would reset the connection and could cost it our last packets.
    pub(super) async fn linger(&self) {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut socket) = left else { return };
        let mut discarded = [0; 4096];
        if socket.shutdown().await.is_ok() {
            while matches!(socket.read(&mut discarded).await, Ok(n) if n > 0) {}
        }
    }
}

pub(super) struct Wire<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> {
    /// Present until dropped.
    io: Option<S>,
    gathered: BytesMut,
    valve: Arc<Valve>,
    breath: Breath,
}

/// When to read next.
struct Breath {
    /// Since when reading has been allowed.
    open_at: Instant,
    held: bool,
    /// Whether a pause came before the read that is going on.
    paused: bool,
}

impl Breath {
    fn new() -> Self {
        Breath { open_at: Instant::now(), held: false, paused: false }
    }

    /// Pauses, where the last read asked for it. A sleep of the thread and not of the task: a sleeping task's socket would
    /// still wake its thread with every packet.
    fn take(&mut self) {
        if self.held {
            std::thread::sleep(BREATH);
            self.opened(Instant::now());
        }
    }

    fn opened(&mut self, now: Instant) {
        (self.held, self.paused, self.open_at) = (false, true, now);
    }

    /// After a read that found less than it had room for.
    fn took(&mut self, n_bytes: usize, now: Instant) {
        let in_vain = std::mem::take(&mut self.paused) && n_bytes < WORTH_BYTES;
        self.held = !in_vain && now.duration_since(self.open_at) < BUSY;
        self.open_at = now;
    }
}

/// Opens the socket of a client.
pub(super) async fn dial(host: Arc<str>, port: u16, valve: Arc<Valve>) -> io::Result<Wire<TcpStream>> {
    let stream = TcpStream::connect((&*host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(Wire::new(stream, valve))
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Wire<S> {
    pub(super) fn new(io: S, valve: Arc<Valve>) -> Self {
        Wire { io: Some(io), gathered: BytesMut::new(), valve, breath: Breath::new() }
    }

    fn io(io: &mut Option<S>) -> io::Result<Pin<&mut S>> {
        io.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.gathered.has_remaining() {
            let n = ready!(Self::io(&mut self.io)?.poll_write(cx, &self.gathered))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.gathered.advance(n);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Poll::Ready(Err(error)) = this.poll_drain(cx) {
            return Poll::Ready(Err(error));
        }
        if this.valve.paused.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        this.breath.take();
        let filled = buffer.filled().len();
        ready!(Self::io(&mut this.io)?.poll_read(cx, buffer))?;
        let n_bytes = buffer.filled().len() - filled;
        if this.valve.own_thread && n_bytes > 0 && buffer.remaining() > 0 {
            this.breath.took(n_bytes, Instant::now());
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.gathered.len() >= GATHERED_BYTES_MAX {
            ready!(this.poll_drain(cx))?;
        }
        let n = bytes.len().min(GATHERED_BYTES_MAX - this.gathered.len());
        this.gathered.extend_from_slice(&bytes[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.valve.direct.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        ready!(this.poll_drain(cx))?;
        Self::io(&mut this.io)?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Self::io(&mut this.io)?.poll_shutdown(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Drop for Wire<S> {
    fn drop(&mut self) {
        if self.valve.direct.load(Ordering::Relaxed) {
            let socket = self.io.take().map(|io| Box::new(io) as Box<dyn Socket>);
            *self.valve.left.lock().unwrap_or_else(PoisonError::into_inner) = socket;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn flushed_bytes_leave_together_when_the_client_reads() {
        let (near, mut far) = duplex(64);
        let mut wire = Wire::new(near, Arc::default());
        for _ in 0..3 {
            wire.write_all(b"ack ").await.unwrap();
            wire.flush().await.unwrap();
        }
        let mut got = [0; 64];
        assert!(futures::FutureExt::now_or_never(far.read(&mut got)).is_none(), "left before the client read");
        far.write_all(b"x").await.unwrap();
        wire.read_exact(&mut [0]).await.unwrap();
        assert_eq!(far.read(&mut got).await.unwrap(), 12);
    }

    #[test]
    fn only_what_follows_closely_waits_for_more() {
        let mut breath = Breath::new();
        let begun = breath.open_at;
        let at = |us| begun + Duration::from_micros(us);
        breath.took(150, at(900));
        assert!(!breath.held, "alone");
        breath.took(150, at(1_000));
        assert!(breath.held, "the second within 500 µs: a busy broker");
        breath.opened(at(2_300));
        breath.took(4_000, at(2_301));
        assert!(breath.held, "the pause was worth it");
        breath.opened(at(3_600));
        breath.took(150, at(3_601));
        assert!(!breath.held, "the pause was in vain");
        breath.took(150, at(4_601));
        assert!(!breath.held, "alone again");
    }

    #[tokio::test]
    async fn a_held_read_gets_what_came_meanwhile_in_one() {
        let (near, mut far) = duplex(4096);
        let mut wire = Wire::new(near, Arc::new(Valve::of_own_thread()));
        let mut got = [0; 4096];
        while !wire.breath.held {
            far.write_all(b"more").await.unwrap();
            assert_eq!(wire.read(&mut got).await.unwrap(), 4);
        }
        far.write_all(&[1; 600]).await.unwrap();
        far.write_all(&[2; 600]).await.unwrap();
        assert_eq!(wire.read(&mut got).await.unwrap(), 1_200);
    }

    #[tokio::test]
    async fn a_paused_wire_reads_nothing_but_still_writes() {
        let (near, mut far) = duplex(64);
        let valve = Arc::new(Valve::default());
        let mut wire = Wire::new(near, Arc::clone(&valve));
        far.write_all(b"x").await.unwrap();
        valve.pause();
        wire.write_all(b"ping").await.unwrap();
        assert!(futures::FutureExt::now_or_never(wire.read(&mut [0])).is_none());
        far.read_exact(&mut [0; 4]).await.unwrap();
        valve.resume();
        assert_eq!(wire.read(&mut [0]).await.unwrap(), 1);
    }
}
