//! A wire between a gateway and its broker that can lose what the gateway says: then the broker never hears of
//! acknowledgements that were given, as when a network fails just before a crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) struct Relay {
    port: u16,
    mute: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn start(broker_port: u16) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mute = Arc::new(AtomicBool::new(false));
        let (muted, taken) = (mute.clone(), Arc::<AtomicUsize>::default());
        let n_taken = taken.clone();
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                n_taken.fetch_add(1, Ordering::SeqCst);
                let muted = muted.clone();
                tokio::spawn(async move {
                    let far = TcpStream::connect(("127.0.0.1", broker_port)).await?;
                    pipe(near, far, &muted).await
                });
            }
        });
        Relay { port, mute, taken, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Connections that were taken so far.
    pub(crate) fn n_taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// While on, nothing of what the gateway sends arrives. The connection is good for nothing afterwards.
    pub(crate) fn mute(&self, on: bool) {
        self.mute.store(on, Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Until either side hangs up.
async fn pipe(mut near: TcpStream, mut far: TcpStream, muted: &AtomicBool) -> std::io::Result<()> {
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (mut from_near, mut to_near) = near.split();
    let (mut from_far, mut to_far) = far.split();
    let upward = async {
        let mut bytes = [0; 16 << 10];
        let mut lost = false;
        loop {
            let n = from_near.read(&mut bytes).await?;
            lost |= muted.load(Ordering::SeqCst);
            match n {
                0 => return Ok::<_, std::io::Error>(()),
                _ if lost => {}
                n => to_far.write_all(&bytes[..n]).await?,
            }
        }
    };
    tokio::select! {
        ended = upward => ended,
        ended = tokio::io::copy(&mut from_far, &mut to_near) => ended.map(drop),
    }
}
