//! The shell around Watch and Desk: take a batch → step → commit all effects in one transaction → only then
//! acknowledge → then let the outbox speak. Batches form by themselves under load; alone, a message is committed at
//! once. Runs on a thread of its own: a commit blocks it and nothing else.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use outpost_detectors::observation::{Fact, Observation};
use outpost_fences::FenceSet;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::record::Recorder;
use super::rules::RuleError;
use super::seen::Seen;
use super::sources::{SourceView, Sources};
use super::watch::{Effect, Watch};
use crate::config::{Config, Severity};
use crate::decode::{Decoded, Decoder, Request};
use crate::dispatch::{self, Desk};
use crate::ingest::{Acknowledge, Message, Receipt};
use crate::notify::body;
use crate::nouns::{Alert, Command, Refusal, SnapshotAsk, Ticket, Trouble};
use crate::series::line;
use crate::store::{Commit, NewDelivery, Store};
use crate::telemetry::metrics::{FactMetrics, Metrics};
use crate::telemetry::now_ms;
use crate::telemetry::tally::FeedTally;
use crate::thermal::draw;

/// Longest sleep of the shell: how stale its heartbeat may be while all is well.
const BEAT_MS: i64 = 1_000;

/// Wait before a failed commit is tried again.
const COMMIT_RETRY: Duration = Duration::from_secs(1);

/// Payloads of one turn. Many large messages would else be in memory three times at once: as they came, as what they say,
/// and as the transaction that keeps it.
const TURN_BYTES_MAX: usize = 4 << 20;

/// Least time between the beginnings of two turns. Without it, under load, a turn takes the few messages that came since
/// the last one, and most of the work is threads that wake each other.
const TURN_SPACING: Duration = Duration::from_micros(500);

/// The ticket as it then is, once that is on disk.
pub type Answer = Result<Arc<Ticket>, Refusal>;

/// What an operator's request asks of the shell.
pub enum Ask {
    Command(Command, oneshot::Sender<Answer>),
    Sources(oneshot::Sender<Vec<SourceView>>),
    Reload(Box<Reload>, oneshot::Sender<Reloaded>),
    /// Answered when what it did is on disk.
    Observe(Box<Observation>, oneshot::Sender<()>),
}

/// Told once what the change of rules did is on disk.
pub type Reloaded = Result<(), RuleError>;

/// Rules and fences to go on with, and sources that ought to speak.
pub struct Reload {
    pub config: Config,
    pub fences: FenceSet,
    pub expected: Vec<String>,
}

pub struct Inputs {
    pub messages: mpsc::Receiver<Message>,
    pub observations: mpsc::Receiver<Observation>,
    pub asks: mpsc::Receiver<Ask>,
    /// What the gateway finds wrong with itself.
    pub troubles: mpsc::Receiver<Trouble>,
}

/// Pictures that alerts ask for. `None` where the pixels are gone: the alert opens without them.
pub trait Evidence: Send {
    fn snapshot(&self, source: &str, ask: &SnapshotAsk) -> Option<Vec<u8>>;
}

/// What others may know of the shell while it runs.
#[derive(Debug, Default)]
pub struct Health {
    /// Gateway time of the last turn of the loop.
    pub beat_ms: AtomicI64,
    /// Whether the last commit reached the disk.
    pub store_ok: AtomicBool,
}

/// A receiver as Desk's notifications see it.
pub struct Listener {
    pub id: Arc<str>,
    pub from_severity: Severity,
    /// Wakes its worker when something for it was committed.
    pub wake: Arc<Notify>,
}

/// A broker or a listener whose messages come in.
pub struct Line {
    pub decoder: Option<Decoder>,
    /// Tallies of the decoder's feeds, by their number.
    pub feeds: Vec<FeedTally>,
    /// Messages that no feed reads.
    pub unrouted: Counter,
    /// Takes what the decoder wants to ask the broker's devices.
    pub requests: Option<mpsc::Sender<Request>>,
    pub acks: Box<dyn Acknowledge>,
}

pub struct Shell {
    pub watch: Watch,
    pub desk: Desk,
    pub store: Store,
    pub lines: HashMap<Arc<str>, Line>,
    pub seen: Seen,
    pub sources: Sources,
    pub listeners: Vec<Listener>,
    pub evidence: Option<Box<dyn Evidence>>,
    pub recorder: Option<Recorder>,
    pub metrics: Arc<Metrics>,
    pub facts: FactMetrics,
    pub health: Arc<Health>,
    /// Counts commits that changed a ticket: the live stream looks at the store when it changes.
    pub changed: watch::Sender<u64>,
    /// Wakes the worker of the series database, where readings are kept for one.
    pub series: Option<Arc<Notify>>,
    pub batch_max: usize,
}

/// Buffers that live from batch to batch.
#[derive(Default)]
struct Batch {
    messages: Vec<Message>,
    observations: Vec<Observation>,
    asks: Vec<Ask>,
    troubles: Vec<Trouble>,
    decoded: Decoded,
    effects: Vec<Effect>,
    desk_effects: Vec<dispatch::Effect>,
    commit: Commit,
    receipts: Vec<(Arc<str>, Receipt)>,
    /// Answers that wait for their commit.
    replies: Vec<(oneshot::Sender<Answer>, Answer)>,
    reloads: Vec<(oneshot::Sender<Reloaded>, Reloaded)>,
    observed: Vec<oneshot::Sender<()>>,
    /// Everything that had come was taken: timers may ring by the clock.
    drained: bool,
    heard_ms: i64,
}

impl Shell {
    /// Until stopped. `first` are effects that the restart itself had.
    pub fn run(
        mut self,
        mut inputs: Inputs,
        first: Vec<Effect>,
        runtime: &tokio::runtime::Runtime,
        stop: &CancellationToken,
    ) {
        let mut batch = Batch { effects: first, ..Batch::default() };
        self.apply(&mut batch, now_ms());
        if !self.commit(&mut batch, runtime, stop) {
            return;
        }
        let mut turned = Instant::now();
        while runtime.block_on(self.wait(&mut inputs, &mut batch, stop)) {
            // A sleep of this thread alone: what comes meanwhile needs to wake nobody.
            std::thread::sleep(TURN_SPACING.saturating_sub(turned.elapsed()));
            turned = Instant::now();
            self.fill(&mut inputs, &mut batch);
            self.step(&mut batch);
            if !self.commit(&mut batch, runtime, stop) {
                break;
            }
            if let Some(recorder) = &mut self.recorder {
                recorder.flush_if_due(now_ms());
            }
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.flush();
        }
        info!("pipeline stopped");
    }

    /// Waits for input or for what is due; false when it is time to stop.
    async fn wait(&self, inputs: &mut Inputs, batch: &mut Batch, stop: &CancellationToken) -> bool {
        let now_ms = now_ms();
        self.health.beat_ms.store(now_ms, Ordering::Relaxed);
        let due_ms = self.watch.next_due_ms().map_or(BEAT_MS, |due_ms| (due_ms - now_ms).clamp(0, BEAT_MS));
        let wait = Duration::from_millis(due_ms.unsigned_abs());
        tokio::select! {
            biased;
            () = stop.cancelled() => return false,
            n = inputs.asks.recv_many(&mut batch.asks, self.batch_max) => if n == 0 { return false },
            n = inputs.troubles.recv_many(&mut batch.troubles, self.batch_max) => if n == 0 { return false },
            // The first one; `fill` takes what else fits.
            n = inputs.messages.recv_many(&mut batch.messages, 1) => if n == 0 { return false },
            n = inputs.observations.recv_many(&mut batch.observations, self.batch_max) => if n == 0 { return false },
            () = tokio::time::sleep(wait) => {}
        }
        true
    }

    /// Takes what else has come: it shares the turn and its commit.
    fn fill(&self, inputs: &mut Inputs, batch: &mut Batch) {
        let mut n_bytes: usize = batch.messages.iter().map(|message| message.payload.len()).sum();
        while batch.messages.len() < self.batch_max && n_bytes < TURN_BYTES_MAX {
            let Ok(message) = inputs.messages.try_recv() else { break };
            n_bytes += message.payload.len();
            batch.messages.push(message);
        }
        while batch.observations.len() < self.batch_max {
            let Ok(observation) = inputs.observations.try_recv() else { break };
            batch.observations.push(observation);
        }
        batch.drained = inputs.messages.is_empty() && inputs.observations.is_empty();
        self.metrics.queue_inputs.set((inputs.messages.len() + inputs.observations.len()) as i64);
    }

    fn step(&mut self, batch: &mut Batch) {
        batch.heard_ms = 0;
        let n_inputs = batch.messages.len() + batch.observations.len() + batch.asks.len();
        if n_inputs > 0 {
            self.metrics.batch_inputs.observe(n_inputs as f64);
        }
        let mut messages = std::mem::take(&mut batch.messages);
        for message in messages.drain(..) {
            self.take_message(message, batch);
        }
        batch.messages = messages;
        let mut observations = std::mem::take(&mut batch.observations);
        for observation in observations.drain(..) {
            self.take_observation(&observation, batch);
        }
        batch.observations = observations;
        for trouble in batch.troubles.drain(..) {
            self.watch.trouble(&trouble, &mut batch.effects);
        }
        // Behind a backlog the clock is ahead of what was heard: a source whose message still waits is not silent.
        let elapsed_ms = if batch.drained { now_ms() } else { batch.heard_ms };
        self.watch.elapse(elapsed_ms, &mut batch.effects);
        self.watch.remember(&mut batch.effects);
        self.apply(batch, elapsed_ms);
        let mut asks = std::mem::take(&mut batch.asks);
        for ask in asks.drain(..) {
            self.take_ask(ask, batch);
        }
        batch.asks = asks;
    }

    fn take_message(&mut self, message: Message, batch: &mut Batch) {
        let repeat = self.seen.is_repeat(&message);
        let Message { broker, topic, payload, withheld_bytes, received_ms, receipt, .. } = message;
        let Some(Line { decoder: Some(decoder), feeds, unrouted, requests, .. }) = self.lines.get_mut(&broker) else {
            batch.receipts.push((broker, receipt));
            return;
        };
        batch.decoded.clear();
        if repeat {
            if let Some(tally) = decoder.route(&topic).and_then(|route| feeds.get_mut(route)) {
                tally.deduplicated += 1;
            }
        } else {
            let route = if withheld_bytes == 0 {
                decoder.decode(&topic, &payload, received_ms, &mut batch.decoded)
            } else {
                decoder.refuse_oversized(&topic, withheld_bytes, &mut batch.decoded);
                decoder.route(&topic)
            };
            if route.is_none() {
                unrouted.inc();
            }
            if let Some(tally) = route.and_then(|route| feeds.get_mut(route)) {
                // One message, one count: it is rejected where nothing of it could be used.
                match batch.decoded.rejects.first() {
                    Some(reject) if batch.decoded.observations.is_empty() => tally.reject(reject.reason.as_str()),
                    _ => tally.committed += 1,
                }
            }
        }
        for request in batch.decoded.requests.drain(..) {
            // Where it does not fit the decoder asks again when the device next says something that needs it.
            let _ = requests.as_ref().map(|requests| requests.try_send(request));
        }
        self.take_decoded(&topic, batch);
        batch.receipts.push((broker, receipt));
    }

    fn take_decoded(&mut self, topic: &Arc<str>, batch: &mut Batch) {
        for reject in batch.decoded.rejects.drain(..) {
            let source = reject.source.as_ref().unwrap_or(topic);
            if self.sources.rejected(source, &reject.place) {
                let (reason, place) = (reject.reason.as_str(), &reject.place);
                warn!(%source, reason, place, "payload rejected, further ones of this source are only counted");
            }
        }
        let mut observations = std::mem::take(&mut batch.decoded.observations);
        self.sources.date(&mut observations);
        for observation in observations.drain(..) {
            self.take_observation(&observation, batch);
        }
        batch.decoded.observations = observations;
    }

    fn take_observation(&mut self, observation: &Observation, batch: &mut Batch) {
        batch.heard_ms = batch.heard_ms.max(observation.received_ms);
        self.facts.count(&observation.fact);
        self.sources.observed(observation);
        if let Some(recorder) = &mut self.recorder {
            recorder.write(observation);
        }
        if let (Some(_), Fact::Reading(reading)) = (&self.series, &observation.fact) {
            let unit = reading.unit.as_deref();
            let (source, metric) = (&observation.source, &reading.metric);
            if !line::push_line(&mut batch.commit.lines, source, metric, unit, reading.value, observation.at_ms) {
                self.metrics.series.inexpressible.inc();
            }
        }
        self.watch.step(observation, &mut batch.effects);
        if !batch.effects.is_empty() {
            self.apply(batch, observation.received_ms);
        }
    }

    fn take_ask(&mut self, ask: Ask, batch: &mut Batch) {
        match ask {
            Ask::Sources(reply) => {
                let _ = reply.send(self.sources.views());
            }
            Ask::Reload(reload, reply) => {
                let now_ms = now_ms();
                let taken = self.watch.reload(&reload.config, &reload.fences, now_ms, &mut batch.effects);
                if taken.is_ok() {
                    let expected = reload.expected.iter().map(String::as_str);
                    self.watch.expect(expected, now_ms, &mut batch.effects);
                    self.apply(batch, now_ms);
                }
                batch.reloads.push((reply, taken));
            }
            Ask::Observe(observation, reply) => {
                self.take_observation(&observation, batch);
                batch.observed.push(reply);
            }
            Ask::Command(command, reply) => {
                let answer = self.desk.command(&command, now_ms(), &mut batch.desk_effects);
                self.apply_desk(batch);
                batch.replies.push((reply, answer));
            }
        }
    }

    /// Moves the effects of Watch into the commit, through Desk.
    fn apply(&mut self, batch: &mut Batch, now_ms: i64) {
        let mut effects = std::mem::take(&mut batch.effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Save(row) => batch.commit.states.push(row),
                Effect::Remember(change) => batch.commit.redo = Some(change),
                Effect::Open(alert) => {
                    self.metrics.alert_opened(&alert.key.rule);
                    self.desk.alert_opened(&alert, now_ms, &mut batch.desk_effects);
                    let picture = self.picture(&alert);
                    batch.commit.opened.push((*alert, picture));
                }
                Effect::Join(joined) => self.desk.alert_joined(&joined, now_ms, &mut batch.desk_effects),
                Effect::Clear(cleared) => {
                    self.metrics.alert_cleared(&cleared.key.rule);
                    self.desk.alert_cleared(&cleared, now_ms, &mut batch.desk_effects);
                    batch.commit.cleared.push(cleared);
                }
            }
        }
        batch.effects = effects;
        self.apply_desk(batch);
    }

    fn picture(&self, alert: &Alert) -> Option<Vec<u8>> {
        match alert.snapshot.as_ref()? {
            SnapshotAsk::Heat { celsius, regions } => draw::jpeg(celsius.view(), regions),
            camera => self.evidence.as_ref()?.snapshot(&alert.key.source, camera),
        }
    }

    fn apply_desk(&mut self, batch: &mut Batch) {
        for effect in batch.desk_effects.drain(..) {
            match effect {
                dispatch::Effect::Ticket(ticket) => batch.commit.tickets.push(ticket),
                dispatch::Effect::Journal(entry) => batch.commit.journal.push(entry),
                dispatch::Effect::Tell { ticket, journal, kind } => {
                    if journal == 1 {
                        self.metrics.ticket_opened(ticket.severity);
                    }
                    // One event has one time, whoever hears of it.
                    let created_ms = now_ms();
                    for listener in self.listeners.iter().filter(|listener| ticket.severity >= listener.from_severity) {
                        batch.commit.deliveries.push(NewDelivery {
                            receiver: listener.id.clone(),
                            key: format!("T-{}/{journal}", ticket.no),
                            kind,
                            data: body::ticket_data(&ticket),
                            created_ms,
                        });
                    }
                }
            }
        }
    }

    /// On disk first, then everybody is told. False when stopped while the store failed: nothing was acknowledged.
    fn commit(&mut self, batch: &mut Batch, runtime: &tokio::runtime::Runtime, stop: &CancellationToken) -> bool {
        if !batch.commit.is_empty() {
            self.seen.take(&mut batch.commit);
            batch.commit.now_ms = now_ms();
            if !self.write(&batch.commit, runtime, stop) {
                return false;
            }
            for listener in &self.listeners {
                if batch.commit.deliveries.iter().any(|delivery| delivery.receiver == listener.id) {
                    listener.wake.notify_one();
                }
            }
            if let (Some(wake), false) = (&self.series, batch.commit.lines.is_empty()) {
                wake.notify_one();
            }
            if !batch.commit.journal.is_empty() {
                self.changed.send_modify(|n_changes| *n_changes += 1);
            }
            batch.commit.clear();
        }
        self.metrics.unjudged("late", self.watch.n_late());
        self.metrics.unjudged("unit", self.watch.n_wrong_unit());
        self.metrics.unjudged("too_many_sources", self.watch.n_ignored());
        for tally in self.lines.values_mut().flat_map(|line| &mut line.feeds) {
            tally.publish();
        }
        self.acknowledge(batch);
        for (reply, answer) in batch.replies.drain(..) {
            let _ = reply.send(answer);
        }
        for (reply, answer) in batch.reloads.drain(..) {
            let _ = reply.send(answer);
        }
        for reply in batch.observed.drain(..) {
            let _ = reply.send(());
        }
        true
    }

    /// Writes one transaction, for as long as it takes: the disk may be full today and have room tomorrow.
    fn write(&mut self, commit: &Commit, runtime: &tokio::runtime::Runtime, stop: &CancellationToken) -> bool {
        let begun = Instant::now();
        loop {
            match self.store.commit(commit) {
                Ok(committed) => {
                    self.metrics.commits.inc();
                    self.metrics.commit_seconds.observe(begun.elapsed().as_secs_f64());
                    self.metrics.series.evicted.inc_by(committed.n_lines_evicted);
                    if !self.health.store_ok.swap(true, Ordering::Relaxed) {
                        info!("store takes commits");
                    }
                    return true;
                }
                Err(cause) => {
                    if self.health.store_ok.swap(false, Ordering::Relaxed) {
                        error!(%cause, "store refuses commits, nothing is acknowledged until it takes them");
                    }
                    self.metrics.commit_errors.inc();
                    let stopped =
                        runtime.block_on(async { tokio::time::timeout(COMMIT_RETRY, stop.cancelled()).await.is_ok() });
                    if stopped {
                        return false;
                    }
                }
            }
        }
    }

    /// Tells each broker in the order in which its messages came.
    fn acknowledge(&self, batch: &mut Batch) {
        let mut run: Vec<Receipt> = Vec::with_capacity(batch.receipts.len());
        let mut rest = batch.receipts.as_slice();
        while let Some((broker, _)) = rest.first() {
            let n = rest.iter().take_while(|(other, _)| other == broker).count();
            run.clear();
            run.extend(rest[..n].iter().map(|(_, receipt)| *receipt));
            if let Some(line) = self.lines.get(broker) {
                line.acks.acknowledge(&run);
            }
            rest = &rest[n..];
        }
        batch.receipts.clear();
    }
}
