//! One live connection: messages in, acknowledgements out, subscription asked for and answered.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::select;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{Instant, Sleep, sleep};
use tracing::{info, warn};

use super::Runner;
use crate::ingest::backoff::Backoff;
use crate::ingest::mqtt::link::{Arrival, Fault, Filter, Incoming, Link};
use crate::ingest::mqtt::wire::Valve;
use crate::ingest::mqtt::{Refusal, SessionState};
use crate::ingest::{Message, Quality, Receipt};
use crate::telemetry::clock;

/// How long after `stop` receipts of messages already handed over are waited for.
const RECEIPTS_GRACE: Duration = Duration::from_secs(5);

pub(super) struct Serve<'a> {
    runner: &'a mut Runner,
    link: Link,
    valve: Arc<Valve>,
    session_present: bool,
    subscription: Subscription,
    /// Received while the queue or the window is full: at most what the client had already read.
    waiting: VecDeque<Message>,
    /// As many are with the pipeline, unacknowledged, as may be. MQTT 3.1.1 cannot tell the broker, and Mosquitto 2.0 sends
    /// more than it was told once acknowledgements come.
    window_full: bool,
    ready: Vec<u16>,
}

/// Topic filters that were asked for and not yet answered, or refused and to be asked for again.
struct Subscription {
    asked: Vec<Filter>,
    refused: Vec<Refusal>,
    /// Fires when the answer is overdue, or when it is time to ask again.
    timer: Option<Pin<Box<Sleep>>>,
    backoff: Backoff,
}

enum Turn {
    Acknowledge,
    /// The pipeline's queue has room, or is gone.
    Room(bool),
    Arrived(Arrival),
    SubscriptionDue,
}

impl<'a> Serve<'a> {
    pub(super) fn new(runner: &'a mut Runner, link: Link, valve: Arc<Valve>, session_present: bool) -> Self {
        let backoff = Backoff::new(runner.broker.retry_max.duration(), u64::from(runner.epoch));
        let subscription = Subscription { asked: Vec::new(), refused: Vec::new(), timer: None, backoff };
        let (waiting, ready) = (VecDeque::new(), Vec::new());
        Serve { runner, link, valve, session_present, subscription, waiting, window_full: false, ready }
    }

    /// Until the connection fails or the session is told to stop.
    pub(super) async fn run(mut self) -> Result<(), Fault> {
        if self.session_present && self.runner.subscribed {
            self.live();
        } else {
            self.subscribe(self.runner.topics.clone())?;
        }
        let stop = self.runner.stop.clone();
        let mut stopped = std::pin::pin!(stop.cancelled());
        while !stop.is_cancelled() {
            let lane = &self.runner.lane;
            let turn = select! {
                biased;
                () = poll_fn(|cx| lane.poll_raised(cx)) => Turn::Acknowledge,
                room = self.runner.messages.reserve(), if !self.waiting.is_empty() && !self.window_full => {
                    Turn::Room(room.is_ok())
                }
                arrival = self.link.next() => Turn::Arrived(arrival?),
                () = due(&mut self.subscription.timer) => Turn::SubscriptionDue,
                () = &mut stopped => break,
            };
            match turn {
                Turn::Acknowledge => {
                    self.acknowledge()?;
                    if self.window_full {
                        self.hand_over();
                    }
                }
                Turn::Room(true) => self.hand_over(),
                Turn::Room(false) => break,
                Turn::Arrived(arrival) => self.arrived(arrival)?,
                Turn::SubscriptionDue => self.subscription_due()?,
            }
        }
        self.wind_down().await;
        Ok(())
    }

    fn acknowledge(&mut self) -> Result<(), Fault> {
        self.runner.lane.take_ready(&mut self.ready);
        self.runner.counters.acknowledged.fetch_add(self.ready.len() as u64, Ordering::Relaxed);
        for packet in self.ready.drain(..) {
            self.link.acknowledge(packet)?;
        }
        Ok(())
    }

    fn arrived(&mut self, arrival: Arrival) -> Result<(), Fault> {
        match arrival {
            Arrival::Message(incoming) => return self.received(incoming),
            Arrival::Subscribed(answers) => self.answered(answers),
            // Its answer stays unread behind the messages that we do not take.
            Arrival::Pinged if !self.waiting.is_empty() => self.link.excuse_ping(),
            Arrival::Pinged | Arrival::Connected { .. } | Arrival::Disconnected | Arrival::Other => {}
        }
        Ok(())
    }

    fn received(&mut self, incoming: Incoming) -> Result<(), Fault> {
        let Incoming { topic, payload, packet, redelivered } = incoming;
        let (runner, lane) = (&self.runner, &self.runner.lane);
        let quality = if packet == 0 { Quality::AtMostOnce } else { Quality::AtLeastOnce };
        let receipt = Receipt { epoch: runner.epoch, packet, quality, redelivered, n_bytes: 0 };
        if packet != 0 && !lane.received(packet) {
            return Err(Fault::Protocol(format!("packet identifier {packet} came again before it was acknowledged")));
        }
        let (mut payload, mut withheld_bytes) = (payload, 0);
        if (topic.len() + payload.len()) as u64 > runner.broker.packet_bytes_max.0 {
            runner.counters.oversized.fetch_add(1, Ordering::Relaxed);
            (withheld_bytes, payload) = (payload.len(), Bytes::new());
        }
        let topic = std::str::from_utf8(&topic).map_err(|error| Fault::Protocol(format!("topic: {error}")))?;
        let message = Message {
            broker: Arc::clone(&runner.name),
            client: None,
            topic: topic.into(),
            payload,
            withheld_bytes,
            received_ms: clock::now_ms(),
            receipt,
        };
        runner.counters.received.fetch_add(1, Ordering::Relaxed);
        if redelivered {
            runner.counters.redelivered.fetch_add(1, Ordering::Relaxed);
        }
        let first = self.waiting.is_empty();
        self.waiting.push_back(message);
        if first {
            self.hand_over();
            if !self.waiting.is_empty() {
                self.runner.counters.pauses.fetch_add(1, Ordering::Relaxed);
                self.valve.pause();
                self.link.excuse_ping();
            }
        }
        Ok(())
    }

    /// Hands over as many as window and queue take; reading goes on once none wait.
    fn hand_over(&mut self) {
        let mut n_handed = self.runner.lane.outstanding() - self.n_unhanded();
        while let Some(message) = self.waiting.pop_front() {
            let counts = message.receipt.packet != 0;
            self.window_full = counts && n_handed >= usize::from(self.runner.broker.inflight_max);
            if self.window_full {
                self.waiting.push_front(message);
                return;
            }
            match self.runner.messages.try_send(message) {
                Ok(()) => n_handed += usize::from(counts),
                // A closed queue is seen, and ends the session, when room is asked for.
                Err(TrySendError::Full(message) | TrySendError::Closed(message)) => {
                    self.waiting.push_front(message);
                    return;
                }
            }
        }
        self.valve.resume();
    }

    /// Of those that wait: the ones that the broker wants acknowledged.
    fn n_unhanded(&self) -> usize {
        self.waiting.iter().filter(|message| message.receipt.packet != 0).count()
    }

    fn subscribe(&mut self, filters: Vec<Filter>) -> Result<(), Fault> {
        if filters.is_empty() {
            self.live();
            return Ok(());
        }
        self.link.subscribe(&filters)?;
        self.subscription.asked = filters;
        self.subscription.timer = Some(Box::pin(sleep(self.runner.broker.connect_timeout.duration())));
        Ok(())
    }

    fn answered(&mut self, answers: Vec<Option<String>>) {
        let asked = std::mem::take(&mut self.subscription.asked);
        let refused: Vec<Refusal> = asked
            .into_iter()
            .zip(answers)
            .filter_map(|(filter, refusal)| refusal.map(|reason| Refusal { filter: filter.text, reason }))
            .collect();
        self.runner.counters.subscribe_refused.fetch_add(refused.len() as u64, Ordering::Relaxed);
        let delay = (!refused.is_empty()).then(|| self.subscription.backoff.next_delay());
        self.subscription.timer = delay.map(|delay| Box::pin(sleep(delay)));
        self.runner.subscribed = refused.is_empty();
        for Refusal { filter, reason } in &refused {
            if !self.subscription.refused.iter().any(|known| known.filter == *filter) {
                warn!(broker = %self.runner.name, filter, reason, "the broker refuses a subscription");
            }
        }
        self.subscription.refused = refused;
        self.live();
    }

    fn subscription_due(&mut self) -> Result<(), Fault> {
        self.subscription.timer = None;
        if self.subscription.asked.is_empty() {
            let is_refused =
                |filter: &&Filter| self.subscription.refused.iter().any(|refusal| refusal.filter == filter.text);
            let again = self.runner.topics.iter().filter(is_refused).cloned().collect();
            return self.subscribe(again);
        }
        Err(Fault::TimedOut(self.runner.broker.connect_timeout.duration()))
    }

    fn live(&mut self) {
        let refused: Arc<[Refusal]> = self.subscription.refused.as_slice().into();
        let (name, present) = (&self.runner.name, self.session_present);
        self.runner.state.send_if_modified(|state| match state {
            SessionState::Live { refused: before, .. } => {
                let changed = *before != refused;
                *before = refused;
                changed
            }
            _ => {
                info!(broker = %name, session_present = present, refused = refused.len(), "mqtt session live");
                *state = SessionState::Live { since_ms: clock::now_ms(), session_present: present, refused };
                true
            }
        });
    }

    /// Hands nothing more over, sends what is still acknowledged, says good-bye. Reading goes on meanwhile, for the
    /// answers to pings.
    async fn wind_down(mut self) {
        let unhanded = self.n_unhanded();
        // The pipeline sees its queue end, works off what is in it, and acknowledges.
        self.runner.messages = mpsc::channel(1).0;
        self.valve.resume();
        let deadline = Instant::now() + RECEIPTS_GRACE;
        loop {
            if self.acknowledge().is_err() {
                return;
            }
            if self.runner.lane.outstanding() <= unhanded || self.runner.lane.is_abandoned() {
                break;
            }
            let lane = &self.runner.lane;
            select! {
                biased;
                () = poll_fn(|cx| lane.poll_raised(cx)) => {}
                () = tokio::time::sleep_until(deadline) => break,
                arrival = self.link.next() => if arrival.is_err() { return },
            };
        }
        self.link.farewell(&self.valve).await;
    }
}

async fn due(timer: &mut Option<Pin<Box<Sleep>>>) {
    match timer {
        Some(timer) => timer.await,
        None => pending().await,
    }
}
