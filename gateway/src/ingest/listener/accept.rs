//! The thread of a listener: its sockets, start and stop.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::select;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::AckSender;
use super::close::Refuse;
use super::connect;
use super::guard::{Guard, GuardError};
use super::hub::Hub;
use super::post::Post;
use super::tls::{self, TlsError};
use crate::config;
use crate::ingest::Message;
use crate::telemetry::listener::ListenerMetrics;

/// Wait after a socket could not be accepted: there are no descriptors left, most likely.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("cannot listen on {listen}: {cause}")]
    Bind { listen: String, cause: std::io::Error },
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// A listener at work.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    acks: AckSender,
    ended: oneshot::Receiver<()>,
}

impl Listener {
    /// Starts a thread with a runtime of its own. Messages go to `queue`; `known` are clients that an earlier process
    /// took messages of. On `stop` nothing more is handed over, and receipts are still answered for five seconds.
    pub async fn start(
        listener: &config::Listener,
        known: Vec<Arc<str>>,
        queue: mpsc::Sender<Message>,
        metrics: ListenerMetrics,
        stop: CancellationToken,
    ) -> Result<Listener, ListenError> {
        let bind = |cause| ListenError::Bind { listen: listener.listen.clone(), cause };
        let tls = listener.tls.as_ref().map(tls::acceptor).transpose()?;
        let guard = Guard::new(listener)?;
        let socket = TcpListener::bind(&listener.listen).await.map_err(bind)?;
        let address = socket.local_addr().map_err(bind)?;
        let socket = socket.into_std().map_err(bind)?;
        let post = Arc::new(Post::default());
        let acks = AckSender(post.clone());
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ListenError::Thread)?;
        let (end, ended) = oneshot::channel();
        let bounds = listener.clone();
        let run = move || {
            let hub = Rc::new(Hub::new(bounds, guard, known, queue, metrics, stop));
            LocalSet::new().block_on(&runtime, run(hub, &post, socket, tls));
            let _ = end.send(());
        };
        std::thread::Builder::new().name("listener".into()).spawn(run).map_err(ListenError::Thread)?;
        info!(listener = %listener.id, %address, tls = listener.tls.is_some(), "mqtt listens");
        Ok(Listener { address, acks, ended })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn acks(&self) -> AckSender {
        self.acks.clone()
    }

    /// Returns when it has ended after its `stop` token was cancelled.
    pub async fn stopped(self) {
        // An error means a panic, which has been reported; there is nothing left to stop.
        let _ = self.ended.await;
    }
}

async fn run(hub: Rc<Hub>, post: &Post, socket: std::net::TcpListener, tls: Option<TlsAcceptor>) {
    let (stop, name) = (hub.stop.clone(), hub.name.clone());
    let socket = match TcpListener::from_std(socket) {
        Ok(socket) => socket,
        Err(cause) => return warn!(listener = %name, %cause, "cannot listen"),
    };
    select! {
        () = hub.deliver_receipts(post) => {}
        () = hub.sweep() => {}
        () = async {
            stop.run_until_cancelled(accept(&hub, socket, tls)).await;
            hub.emptied().await;
        } => {}
    }
    info!(listener = %name, "mqtt listener stopped");
}

async fn accept(hub: &Rc<Hub>, socket: TcpListener, tls: Option<TlsAcceptor>) {
    let mut was_refused = false;
    loop {
        let stream = match socket.accept().await {
            Ok((stream, _)) => stream,
            Err(cause) => {
                if !std::mem::replace(&mut was_refused, true) {
                    warn!(listener = %hub.name, %cause, "cannot accept connections");
                }
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        was_refused = false;
        let Some(place) = hub.socket() else {
            hub.metrics.refused(Refuse::TooMany.as_str());
            continue;
        };
        let (hub, tls) = (hub.clone(), tls.clone());
        tokio::task::spawn_local(async move {
            connect::serve(hub, stream, tls).await;
            drop(place);
        });
    }
}
