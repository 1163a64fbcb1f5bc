//! The socket under a client: gathers small writes into one, and stops reading when told. Knows nothing of MQTT.
//!
//! The client flushes after every acknowledgement, which doubles what a message costs. Here a flush only marks the
//! bytes as due; they leave in one system call when the client next asks to read, which it does as soon as it has
//! nothing more to write, so nothing waits for a timer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Gathered bytes. Far above what one connection's acknowledgements and subscriptions can be (65,535 × 4 bytes), so
/// that writing them never waits and a cancelled poll never loses one.
const GATHERED_BYTES_MAX: usize = 1 << 20;

/// The session's hand on the socket.
#[derive(Debug, Default)]
pub(super) struct Valve {
    paused: AtomicBool,
    direct: AtomicBool,
}

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
}

pub(super) struct Wire<S> {
    io: S,
    gathered: BytesMut,
    valve: Arc<Valve>,
}

/// Opens the socket of a client.
pub(super) async fn dial(host: Arc<str>, port: u16, valve: Arc<Valve>) -> io::Result<Wire<TcpStream>> {
    let stream = TcpStream::connect((&*host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(Wire::new(stream, valve))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(io: S, valve: Arc<Valve>) -> Self {
        Wire { io, gathered: BytesMut::new(), valve }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.gathered.has_remaining() {
            let n = ready!(Pin::new(&mut self.io).poll_write(cx, &self.gathered))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.gathered.advance(n);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Poll::Ready(Err(error)) = this.poll_drain(cx) {
            return Poll::Ready(Err(error));
        }
        if this.valve.paused.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        Pin::new(&mut this.io).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
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
        Pin::new(&mut this.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.io).poll_shutdown(cx)
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
}
