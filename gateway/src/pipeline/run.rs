//! The shell around Watch and Desk: take a batch → step → commit all effects in one transaction → only then
//! acknowledge → then let the outbox speak. Batches form by themselves under load; alone, a message is committed at
//! once. Runs on a thread of its own: a commit blocks it and nothing else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use outpost_detectors::observation::Observation;
use outpost_fences::FenceSet;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::errands::{self, Erranded, Office};
use super::evidence::Eyes;
use super::owed::Owed;
use super::recorder::Recorder;
use super::replies::Replies;
use super::reported;
use super::rules::RuleError;
use super::seen::Seen;
use super::settled;
use super::shard::{Turn, Unjudged, of_one_turn};
use super::shards::Shards;
use super::sources::Overview;
use super::trail::Trace;
use super::watch::Effect;
use crate::config::Config;
use crate::decode::Request;
use crate::dispatch::{self, Desk};
use crate::ingest::onvif::poses::Poses;
use crate::ingest::{Acknowledge, Message};
use crate::nouns::{
    ClassAsk, ClassCase, Command, Errand, Field, LookAsk, Looked, Refusal, Report, Role, Silence, SilenceAsk, Taken,
    Ticket, Trouble, WorkAsk, WorkOrder,
};
use crate::store::{Commit, NewExhibit, Store};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::now_ms;
use crate::telemetry::tally::FeedTally;

/// Longest sleep of the shell: how stale its heartbeat may be while all is well.
const BEAT_MS: i64 = 1_000;

/// Wait before a failed commit is tried again.
const COMMIT_RETRY: Duration = Duration::from_secs(1);

/// Least time between the beginnings of two turns. Without it, under load, a turn takes the few messages that came since
/// the last one, and most of the work is threads that wake each other.
const TURN_SPACING: Duration = Duration::from_micros(500);

/// The ticket as it then is, once that is on disk.
pub type Answer = Result<Arc<Ticket>, Refusal>;

/// The silence as it then is, once that is on disk.
pub type Silenced = Result<Silence, Refusal>;

/// The work orders that changed, as they then are, once that is on disk.
pub type Worked = Result<Vec<WorkOrder>, Refusal>;
/// The class case as it then is, once that is on disk.
pub type Classed = Result<ClassCase, Refusal>;
/// What became of each report, once that is on disk.
pub type Reported = Result<Vec<Taken>, Refusal>;

/// What an operator's request asks of the shell.
pub enum Ask {
    Command(Command, oneshot::Sender<Answer>),
    Silence(SilenceAsk, oneshot::Sender<Silenced>),
    Work(WorkAsk, oneshot::Sender<Worked>),
    Class(ClassAsk, oneshot::Sender<Classed>),
    Reports(Vec<Report>, oneshot::Sender<Reported>),
    Errand(Box<Errand>, oneshot::Sender<Erranded>),
    Sources(oneshot::Sender<Overview>),
    /// What a source said between two device times.
    Trace(Arc<str>, (i64, i64), oneshot::Sender<Trace>),
    Field(oneshot::Sender<Field>),
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
    /// What visible cameras saw when they were asked.
    pub looked: mpsc::Receiver<Looked>,
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
    /// Wakes its worker when something for it was committed.
    pub wake: Arc<Notify>,
}

/// A broker or a listener whose messages come in.
pub struct Line {
    /// Takes what the decoder wants to ask the broker's devices.
    pub requests: Option<mpsc::Sender<Request>>,
    pub acks: Box<dyn Acknowledge>,
}

pub struct Shell {
    pub shards: Shards,
    /// One for each shard, with the tallies of its feeds.
    pub turns: Vec<Turn>,
    pub desk: Desk,
    pub store: Store,
    pub lines: HashMap<Arc<str>, Line, RandomState>,
    pub seen: Seen,
    pub listeners: Vec<Listener>,
    pub eyes: Eyes,
    /// Where cameras look that turn.
    pub poses: Poses,
    /// The one that the shards write to.
    pub recorder: Option<Arc<Mutex<Recorder>>>,
    pub metrics: Arc<Metrics>,
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
    looked: Vec<Looked>,
    effects: Vec<Effect>,
    desk_effects: Vec<dispatch::Effect>,
    commit: Commit,
    owed: Owed,
    replies: Replies,
    /// Everything that had come was taken: timers may ring by the clock.
    drained: bool,
}

impl Shell {
    /// Until stopped. `first` are effects that the restart itself had, by shard.
    pub fn run(
        mut self,
        mut inputs: Inputs,
        first: Vec<(usize, Effect)>,
        runtime: &tokio::runtime::Runtime,
        stop: &CancellationToken,
    ) {
        self.shards.report(&mut self.turns);
        let (mut batch, begun_ms) = (Batch::default(), now_ms());
        for (shard, effect) in first {
            self.take_effect(shard, effect, &mut batch, begun_ms);
        }
        self.apply_desk(&mut batch);
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
            if let Some(recorder) = &self.recorder {
                recorder.lock().unwrap_or_else(PoisonError::into_inner).flush_if_due(now_ms());
            }
        }
        self.shards.stop();
        if let Some(recorder) = &self.recorder {
            recorder.lock().unwrap_or_else(PoisonError::into_inner).flush();
        }
        info!("pipeline stopped");
    }

    /// Waits for input or for what is due; false when it is time to stop.
    async fn wait(&self, inputs: &mut Inputs, batch: &mut Batch, stop: &CancellationToken) -> bool {
        let now_ms = now_ms();
        self.health.beat_ms.store(now_ms, Ordering::Relaxed);
        let due_ms = match self.turns.iter().filter_map(|turn| turn.due_ms).chain(self.desk.due_ms()).min() {
            _ if !batch.messages.is_empty() => 0,
            due_ms => due_ms.map_or(BEAT_MS, |due_ms| due_ms.saturating_sub(now_ms).clamp(0, BEAT_MS)),
        };
        let wait = Duration::from_millis(due_ms.unsigned_abs());
        tokio::select! {
            biased;
            () = stop.cancelled() => return false,
            n = inputs.asks.recv_many(&mut batch.asks, self.batch_max) => if n == 0 { return false },
            n = inputs.troubles.recv_many(&mut batch.troubles, self.batch_max) => if n == 0 { return false },
            n = inputs.looked.recv_many(&mut batch.looked, self.batch_max) => if n == 0 { return false },
            n = inputs.messages.recv_many(&mut batch.messages, self.batch_max) => if n == 0 { return false },
            n = inputs.observations.recv_many(&mut batch.observations, self.batch_max) => if n == 0 { return false },
            () = tokio::time::sleep(wait) => {}
        }
        true
    }

    /// Takes what else has come: it shares the turn and its commit. Whoever waits is woken by `wait`.
    fn fill(&self, inputs: &mut Inputs, batch: &mut Batch) {
        let mut now = Context::from_waker(Waker::noop());
        let room = |taken: usize| self.batch_max.saturating_sub(taken);
        let (n_messages, n_observations) = (room(batch.messages.len()), room(batch.observations.len()));
        if n_messages > 0 {
            let _ = inputs.messages.poll_recv_many(&mut now, &mut batch.messages, n_messages);
        }
        if n_observations > 0 {
            let _ = inputs.observations.poll_recv_many(&mut now, &mut batch.observations, n_observations);
        }
        self.metrics.queue_inputs.set((inputs.messages.len() + inputs.observations.len()) as i64);
        batch.drained = inputs.messages.is_empty() && inputs.observations.is_empty();
    }

    fn step(&mut self, batch: &mut Batch) {
        for ask in batch.asks.extract_if(.., |ask| matches!(ask, Ask::Observe(..))) {
            if let Ask::Observe(observation, reply) = ask {
                batch.observations.push(*observation);
                batch.replies.observed.push(reply);
            }
        }
        let positions = errands::positions(&mut batch.asks);
        positions.into_iter().for_each(|(errand, reply)| self.take_errand(&errand, reply, batch));
        let n_messages = of_one_turn(&batch.messages);
        let n_inputs = n_messages + batch.observations.len() + batch.asks.len();
        if n_inputs > 0 {
            self.metrics.batch_inputs.observe(n_inputs as f64);
        }
        self.share_out(batch, n_messages);
        self.shards.step(&mut self.turns);
        (0..self.turns.len()).for_each(|at| self.take_turn(at, batch));
        std::mem::take(&mut batch.looked).into_iter().for_each(|looked| self.take_look(looked, batch));
        let mut asks = std::mem::take(&mut batch.asks);
        for ask in asks.drain(..) {
            self.take_ask(ask, batch);
        }
        batch.asks = asks;
        self.desk.elapse(now_ms(), &mut batch.desk_effects);
        self.apply_desk(batch);
    }

    /// Gives each shard its part of the turn.
    fn share_out(&mut self, batch: &mut Batch, n_messages: usize) {
        // The rest is the next turn's.
        for message in batch.messages.drain(..n_messages) {
            let is_repeat = self.seen.is_repeat(&message);
            batch.owed.push(&message.broker, message.receipt);
            let turn = &mut self.turns[self.shards.of_message(&message)];
            turn.repeats.push(is_repeat);
            turn.messages.push(message);
        }
        for mut observation in batch.observations.drain(..) {
            self.poses.aim(&mut observation);
            self.turns[self.shards.of_source(&observation.source)].observations.push(observation);
        }
        for trouble in batch.troubles.drain(..) {
            self.turns[self.shards.of_source(&trouble.source)].troubles.push(trouble);
        }
        let drained_ms = (batch.drained && batch.messages.is_empty()).then(now_ms);
        self.turns.iter_mut().for_each(|turn| turn.drained_ms = drained_ms);
    }

    /// Takes what came of a shard's turn.
    fn take_turn(&mut self, at: usize, batch: &mut Batch) {
        let turn = &mut self.turns[at];
        turn.located.drain(..).for_each(|located| self.desk.located(&located, &mut batch.desk_effects));
        for (broker, request) in turn.requests.drain(..) {
            let requests = self.lines.get(&broker).and_then(|line| line.requests.as_ref());
            // Where it does not fit the decoder asks again when the device next says something that needs it.
            let _ = requests.map(|requests| requests.try_send(request));
        }
        if batch.commit.lines.is_empty() {
            std::mem::swap(&mut batch.commit.lines, &mut turn.lines);
        } else {
            batch.commit.lines.push_str(&turn.lines);
            turn.lines.clear();
        }
        let (mut effects, mut times) = (std::mem::take(&mut turn.effects), std::mem::take(&mut turn.times));
        let (mut from, mut rest) = (0, effects.drain(..));
        for (to, now_ms) in times.drain(..) {
            rest.by_ref().take(to - from).for_each(|effect| self.take_effect(at, effect, batch, now_ms));
            self.apply_desk(batch);
            from = to;
        }
        drop(rest);
        (self.turns[at].effects, self.turns[at].times) = (effects, times);
    }

    fn take_ask(&mut self, ask: Ask, batch: &mut Batch) {
        match ask {
            Ask::Sources(reply) => {
                let _ = reply.send(self.shards.overview());
            }
            Ask::Trace(source, times, reply) => drop(reply.send(self.shards.trace(&source, times))),
            Ask::Field(reply) => drop(reply.send(self.desk.field())),
            Ask::Reload(reload, reply) => {
                let now_ms = now_ms();
                let Reload { config, fences, expected } = *reload;
                let taken = self.shards.reload(&config, &fences, &expected, now_ms, &mut batch.effects);
                self.shards.report(&mut self.turns);
                if taken.is_ok() {
                    self.desk.take_rules(&config.rules);
                    self.desk.take_grids(config.grids(&fences));
                }
                self.apply(batch, now_ms);
                batch.replies.reloads.push((reply, taken));
            }
            // Taken with the turn's other observations.
            Ask::Observe(..) => {}
            Ask::Command(command, reply) => {
                let answer = self.desk.command(&command, now_ms(), &mut batch.desk_effects);
                self.apply_desk(batch);
                batch.replies.tickets.push((reply, answer));
            }
            Ask::Silence(ask, reply) => {
                let answer = self.desk.silence(&ask, now_ms(), &mut batch.desk_effects);
                self.apply_desk(batch);
                batch.replies.silences.push((reply, answer));
            }
            Ask::Work(ask, reply) => {
                let answer = self.desk.work(&ask, now_ms(), &mut batch.desk_effects);
                self.apply_desk(batch);
                batch.replies.works.push((reply, answer));
            }
            Ask::Class(ask, reply) => {
                let answer = self.desk.class_command(&ask, now_ms(), &mut batch.desk_effects);
                self.apply_desk(batch);
                batch.replies.classes.push((reply, answer));
            }
            Ask::Errand(errand, reply) => self.take_errand(&errand, reply, batch),
            Ask::Reports(reports, reply) => {
                let answer =
                    reported::take(&reports, &mut self.desk, &self.store, &mut batch.commit, &mut batch.desk_effects);
                self.apply_desk(batch);
                batch.replies.reports.push((reply, answer));
            }
        }
    }

    fn take_errand(&mut self, errand: &Errand, reply: oneshot::Sender<Erranded>, batch: &mut Batch) {
        let Batch { commit, desk_effects: effects, observations, .. } = batch;
        let answer = Office { desk: &mut self.desk, store: &self.store, commit, effects }.take(errand, observations);
        self.apply_desk(batch);
        batch.replies.errands.push((reply, answer));
    }

    /// Moves effects of Watch that no turn had into the commit, through Desk.
    fn apply(&mut self, batch: &mut Batch, now_ms: i64) {
        for effect in std::mem::take(&mut batch.effects) {
            self.take_effect(0, effect, batch, now_ms);
        }
        self.apply_desk(batch);
    }

    fn take_effect(&mut self, shard: usize, effect: Effect, batch: &mut Batch, now_ms: i64) {
        match effect {
            Effect::Save(row) => batch.commit.states.push(row),
            Effect::Remember(change) => batch.commit.redo.push((shard as u8, change)),
            Effect::Open(alert) => {
                self.metrics.alert_opened(&alert.key.rule);
                self.desk.alert_opened(&alert, now_ms, &mut batch.desk_effects);
                let picture = alert.snapshot.as_ref().and_then(|ask| self.eyes.picture(&alert.key.source, ask));
                if let Some(missing) = self.eyes.clip(&alert) {
                    batch.commit.clips.push((alert.id.clone(), missing));
                }
                let mut alert = *alert;
                self.eyes.exhibit(&alert.id, std::mem::take(&mut alert.exhibits), &mut batch.commit);
                self.eyes.look(&alert.id, alert.visible.as_ref(), &mut batch.commit);
                batch.commit.opened.push((alert, picture));
            }
            Effect::Join(joined) => {
                self.desk.alert_joined(&joined, now_ms, &mut batch.desk_effects);
                self.eyes.exhibit(&joined.id, joined.exhibits, &mut batch.commit);
                self.eyes.look(&joined.id, joined.visible.as_ref(), &mut batch.commit);
            }
            Effect::Show(shown) => self.eyes.exhibit(&shown.alert, vec![shown.exhibit], &mut batch.commit),
            Effect::Clear(cleared) => {
                self.metrics.alert_cleared(&cleared.key.rule);
                self.desk.alert_cleared(&cleared, now_ms, &mut batch.desk_effects);
                batch.commit.cleared.push(cleared);
            }
        }
    }

    /// What a visible camera saw makes the alert surer or less sure; nothing where nobody works on it any more.
    fn take_look(&mut self, looked: Looked, batch: &mut Batch) {
        batch.commit.looked.push(LookAsk { alert: looked.alert.clone(), camera: looked.camera.clone() });
        let Some(confidence) = self.desk.alert_looked(&looked, now_ms(), &mut batch.desk_effects) else { return };
        let Looked { alert, camera, pictures, .. } = looked;
        batch.commit.confidences.push((alert.clone(), confidence));
        batch.commit.exhibits.extend(pictures.into_iter().map(|(at_ms, jpeg)| NewExhibit {
            alert: alert.clone(),
            role: Role::Visible,
            source: camera.clone(),
            at_ms,
            jpeg: Some(jpeg),
        }));
        self.apply_desk(batch);
    }

    fn apply_desk(&mut self, batch: &mut Batch) {
        settled::put(&mut batch.desk_effects, &self.metrics, &mut batch.commit);
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
        let unjudged = |of: fn(&Unjudged) -> u64| self.turns.iter().map(|turn| of(&turn.unjudged)).sum();
        self.metrics.unjudged("late", unjudged(|unjudged| unjudged.late));
        self.metrics.unjudged("unit", unjudged(|unjudged| unjudged.wrong_unit));
        self.metrics.unjudged("too_many_sources", unjudged(|unjudged| unjudged.too_many_sources));
        self.turns.iter_mut().flat_map(|turn| &mut turn.tallies).for_each(FeedTally::publish);
        for (broker, receipts) in batch.owed.runs() {
            if let Some(line) = self.lines.get(broker) {
                line.acks.acknowledge(receipts);
            }
        }
        batch.owed.clear();
        batch.replies.send();
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
}
