//! The socket under a client: gathers small writes and small reads, and stops reading when told. Knows nothing of MQTT.
//!
//! Brokers write each message by itself, and a system call costs more than all that we do with a message. So a read
//! that follows another within a millisecond waits until that millisecond is over, unless the one before filled its
//! buffer: under load one read brings many messages, alone a message is read at once.
//!
//! The client flushes after every acknowledgement, which doubles what a message costs. Here a flush only marks the
//! bytes as due; they leave in one system call when the client next asks to read, which it does as soon as it has
//! nothing more to write, so nothing waits for a timer.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// Gathered bytes. Far above what one connection's acknowledgements and subscriptions can be (65,535 × 4 bytes), so
/// that writing them never waits and a cancelled poll never loses one.
const GATHERED_BYTES_MAX: usize = 1 << 20;

/// Between the starts of two reads, unless there is more than one read can bring.
const READ_PACE: Duration = Duration::from_millis(1);

/// The session's hand on the socket.
#[derive(Default)]
pub(super) struct Valve {
    paused: AtomicBool,
    direct: AtomicBool,
    /// The socket after its client is gone, where the last packets were written through.
    left: Mutex<Option<Box<dyn Socket>>>,
}

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

impl Valve {
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
    read_pace: Duration,
    last_read: Option<Instant>,
    pause: Option<Pin<Box<Sleep>>>,
    pausing: bool,
}

/// Opens the socket of a client.
pub(super) async fn dial(host: Arc<str>, port: u16, valve: Arc<Valve>) -> io::Result<Wire<TcpStream>> {
    let stream = TcpStream::connect((&*host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(Wire::new(stream, valve))
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Wire<S> {
    pub(super) fn new(io: S, valve: Arc<Valve>) -> Self {
        Wire {
            io: Some(io),
            gathered: BytesMut::new(),
            valve,
            read_pace: READ_PACE,
            last_read: None,
            pause: None,
            pausing: false,
        }
    }

    fn io(io: &mut Option<S>) -> io::Result<Pin<&mut S>> {
        io.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// After a read: whether the next one waits.
    fn pace(&mut self, filled: bool) {
        let now = Instant::now();
        let next = self.last_read.map(|last_read| last_read + self.read_pace).filter(|next| *next > now && !filled);
        self.last_read = Some(now);
        self.pausing = next.is_some();
        let Some(next) = next else { return };
        match &mut self.pause {
            Some(pause) => pause.as_mut().reset(next),
            None => self.pause = Some(Box::pin(sleep_until(next))),
        }
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
        if let Some(pause) = this.pause.as_mut().filter(|_| this.pausing) {
            ready!(pause.as_mut().poll(cx));
            this.pausing = false;
        }
        let before = buffer.remaining();
        ready!(Self::io(&mut this.io)?.poll_read(cx, buffer))?;
        if buffer.remaining() < before {
            this.pace(buffer.remaining() == 0);
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

    #[tokio::test]
    async fn reads_that_follow_closely_bring_what_came_meanwhile_together() {
        let (near, mut far) = duplex(64);
        let mut wire = Wire::new(near, Arc::default());
        wire.read_pace = Duration::from_millis(300);
        let mut got = [0; 64];
        for alone in [b"a", b"b"] {
            far.write_all(alone).await.unwrap();
            assert_eq!(wire.read(&mut got).await.unwrap(), 1);
        }
        far.write_all(b"c").await.unwrap();
        assert!(futures::FutureExt::now_or_never(wire.read(&mut got)).is_none(), "read at once");
        far.write_all(b"d").await.unwrap();
        assert_eq!(wire.read(&mut got).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_read_that_filled_its_buffer_is_followed_at_once() {
        let (near, mut far) = duplex(64);
        let mut wire = Wire::new(near, Arc::default());
        wire.read_pace = Duration::from_secs(3_600);
        far.write_all(&[0; 40]).await.unwrap();
        for _ in 0..10 {
            let read = futures::FutureExt::now_or_never(wire.read_exact(&mut [0; 4]));
            assert!(read.is_some_and(|read| read.is_ok()));
        }
    }
}
