//! A gateway's session with a broker, as the pipeline sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use outpost::config::{self, MqttVersion};
use outpost::ingest::mqtt::{Session, SessionCounters, SessionState};
use outpost::ingest::{Message, Receipt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{DEADLINE, within};

pub(crate) const BOTH: [MqttVersion; 2] = [MqttVersion::V311, MqttVersion::V5];

/// Configuration of a broker on a loopback port; quick to try again.
pub(crate) fn broker(port: u16, version: MqttVersion) -> config::Broker {
    let version = if version == MqttVersion::V5 { "5" } else { "3.1.1" };
    let text = format!(
        "id = \"b\"\nhost = \"127.0.0.1\"\nport = {port}\nversion = \"{version}\"\nclient_id = \"outpost\"\nretry_max = \"250ms\""
    );
    toml::from_str(&text).unwrap()
}

pub(crate) struct Gateway {
    pub(crate) session: Session,
    pub(crate) messages: mpsc::Receiver<Message>,
    pub(crate) stop: CancellationToken,
}

impl Gateway {
    pub(crate) fn start(broker: &config::Broker) -> Gateway {
        Gateway::with_queue(broker, 4096)
    }

    pub(crate) fn with_queue(broker: &config::Broker, queue_max: usize) -> Gateway {
        Gateway::with(broker, queue_max, "t/#")
    }

    pub(crate) fn subscribing(broker: &config::Broker, filter: &str) -> Gateway {
        Gateway::with(broker, 4096, filter)
    }

    fn with(broker: &config::Broker, queue_max: usize, filter: &str) -> Gateway {
        let (sender, messages) = mpsc::channel(queue_max);
        let stop = CancellationToken::new();
        let session =
            Session::start(broker, vec![filter.into()], sender, stop.clone()).expect("a thread for the session");
        Gateway { session, messages, stop }
    }

    /// The next `n`, not acknowledged.
    pub(crate) async fn take(&mut self, n: usize) -> Vec<Message> {
        let mut taken = Vec::with_capacity(n);
        while taken.len() < n {
            match tokio::time::timeout(DEADLINE, self.messages.recv()).await {
                Ok(message) => taken.push(message.expect("the session ended")),
                Err(_) => panic!("only {} of {n} messages came; {:?}", taken.len(), self.session),
            }
        }
        taken
    }

    pub(crate) fn acknowledge(&self, messages: &[Message]) {
        let receipts: Vec<Receipt> = messages.iter().map(|message| message.receipt).collect();
        self.session.acks().acknowledge(&receipts);
    }

    pub(crate) async fn state(&self, what: &str, wanted: impl FnMut(&SessionState) -> bool) -> SessionState {
        let mut state = self.session.state();
        within(what, state.wait_for(wanted)).await.expect("the session ended").clone()
    }

    pub(crate) async fn live(&self) -> SessionState {
        self.state("a live session", |state| matches!(state, SessionState::Live { .. })).await
    }

    pub(crate) fn count(&self, of: impl Fn(&SessionCounters) -> &AtomicU64) -> u64 {
        of(&self.session.counters()).load(Ordering::Relaxed)
    }

    /// Polls a counter, for what has no other sign.
    pub(crate) async fn counted(&self, what: &str, of: impl Fn(&SessionCounters) -> &AtomicU64, at_least: u64) {
        let counters: Arc<SessionCounters> = self.session.counters();
        let reached = async {
            while of(&counters).load(Ordering::Relaxed) < at_least {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        within(what, reached).await;
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        within("the session to stop", self.session.stopped()).await;
    }
}

pub(crate) fn texts(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| String::from_utf8_lossy(&message.payload).into_owned()).collect()
}

pub(crate) fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}
