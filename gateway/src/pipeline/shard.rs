//! What a source's messages go through alone: decoding, dating, judging. The pipeline has one shard, or several on as many
//! threads with sources of their own ([`super::shards`]). Does no I/O but to record.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use outpost_detectors::observation::{Fact, Observation, Position};
use prometheus_client::metrics::counter::Counter;
use tracing::warn;

use super::recorder::Recorder;
use super::sources::Sources;
use super::watch::{Effect, Watch};
use crate::config::Config;
use crate::decode::{Decoded, Decoder, Decoders, FeedError, Request};
use crate::ingest::Message;
use crate::nouns::{Fix, Located, Trouble};
use crate::series::line;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::tally::{FactTally, FeedTally};

/// Payloads of one turn. Many large messages would else be in memory three times at once: as they came, as what they say,
/// and as the transaction that keeps it.
const TURN_BYTES_MAX: usize = 4 << 20;

pub struct Shard {
    /// Of each broker and listener that a feed names.
    decoders: Vec<(Arc<str>, Decoding)>,
    pub(super) sources: Sources,
    pub(super) watch: Watch,
    facts: FactTally,
    /// Where readings become lines for a series database: counts those that cannot.
    inexpressible: Option<Counter>,
    /// Shared by all shards.
    recorder: Option<Arc<Mutex<Recorder>>>,
    decoded: Decoded,
    /// Sources whose positions the desk wants to know.
    terminals: HashSet<Arc<str>>,
}

/// The decoder of a broker or listener.
struct Decoding {
    decoder: Decoder,
    /// Where the tallies of its feeds begin in those of the turn.
    tallies_from: usize,
    /// Messages that no feed reads.
    unrouted: Counter,
}

/// What a turn brings to a shard, and what comes of it.
#[derive(Default)]
pub struct Turn {
    pub messages: Vec<Message>,
    /// Of each message whether it was taken before.
    pub repeats: Vec<bool>,
    pub observations: Vec<Observation>,
    pub troubles: Vec<Trouble>,
    /// Where everything that had come is taken: the time until which waits end.
    pub drained_ms: Option<i64>,
    pub effects: Vec<Effect>,
    /// Where effects end that had the same gateway time, and which.
    pub times: Vec<(usize, i64)>,
    /// Where officers' terminals are.
    pub located: Vec<Located>,
    /// Line protocol for the series database, each line ended by `\n`.
    pub lines: String,
    /// What decoders want to ask devices, by broker.
    pub requests: Vec<(Arc<str>, Request)>,
    /// Of the feeds of all decoders, to be published once the turn is on disk.
    pub tallies: Vec<FeedTally>,
    /// When the shard next has something to do without input.
    pub due_ms: Option<i64>,
    /// Observations that no rule could judge, ever.
    pub unjudged: Unjudged,
}

/// Observations that no rule could judge, by reason.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unjudged {
    pub late: u64,
    pub wrong_unit: u64,
    pub too_many_sources: u64,
}

impl Turn {
    /// Whether a shard has anything to do.
    pub fn is_due(&self) -> bool {
        let has_input = !self.messages.is_empty() || !self.observations.is_empty() || !self.troubles.is_empty();
        has_input || self.drained_ms.zip(self.due_ms).is_some_and(|(now_ms, due_ms)| due_ms <= now_ms)
    }

    /// All effects until now are of this time.
    fn timed(&mut self, now_ms: i64) {
        if self.effects.len() > self.times.last().map_or(0, |(end, _)| *end) {
            self.times.push((self.effects.len(), now_ms));
        }
    }
}

impl Shard {
    /// With the turn that goes with it.
    pub fn new(
        config: &Config,
        watch: Watch,
        metrics: &Metrics,
        recorder: Option<Arc<Mutex<Recorder>>>,
    ) -> Result<(Shard, Turn), FeedError> {
        let (mut decoders, mut turn) = (Decoders::new(config)?, Turn::default());
        let brokers = config.brokers.iter().map(|broker| &broker.id);
        let mut by_line = Vec::new();
        for id in brokers.chain(config.listeners.iter().map(|listener| &listener.id)) {
            let Some(decoder) = decoders.take(id) else { continue };
            let tallies_from = turn.tallies.len();
            turn.tallies.extend(decoder.feeds().map(|feed| metrics.feed(feed)));
            by_line.push((id.as_str().into(), Decoding { decoder, tallies_from, unrouted: metrics.unrouted(id) }));
        }
        let mut sources = Sources::new(config.pipeline.sources_max, config.pipeline.trail_max);
        watch.resumed().for_each(|(source, at_ms)| sources.resume(source, at_ms));
        let inexpressible = config.series.as_ref().map(|_| metrics.series.inexpressible.clone());
        let decoded = Decoded::default();
        let facts = metrics.facts();
        let terminals = config.people.iter().filter_map(|person| person.terminal.as_deref());
        let terminals = terminals.map(Into::into).collect();
        let shard = Shard { decoders: by_line, sources, watch, facts, inexpressible, recorder, decoded, terminals };
        Ok((shard, turn))
    }

    /// What a topic's messages are about.
    pub(super) fn source_of(&self, message: &Message) -> Option<Arc<str>> {
        let (_, decoding) = self.decoders.iter().find(|(id, _)| *id == message.broker)?;
        decoding.decoder.source_of(&message.topic)
    }

    pub fn step(&mut self, turn: &mut Turn) {
        let mut heard_ms = 0;
        let (mut messages, mut repeats) = (std::mem::take(&mut turn.messages), std::mem::take(&mut turn.repeats));
        for (message, is_repeat) in messages.drain(..).zip(repeats.drain(..)) {
            heard_ms = heard_ms.max(self.take_message(message, is_repeat, turn));
        }
        (turn.messages, turn.repeats) = (messages, repeats);
        let mut observations = std::mem::take(&mut turn.observations);
        for observation in observations.drain(..) {
            heard_ms = heard_ms.max(self.take_observation(&observation, turn));
        }
        turn.observations = observations;
        for trouble in turn.troubles.drain(..) {
            self.watch.trouble(&trouble, &mut turn.effects);
        }
        // Behind a backlog the clock is ahead of what was heard: a source whose message still waits is not silent.
        let elapsed_ms = turn.drained_ms.take().unwrap_or(heard_ms);
        self.watch.elapse(elapsed_ms, &mut turn.effects);
        self.watch.remember(&mut turn.effects);
        turn.timed(elapsed_ms);
        self.facts.publish();
        self.report(turn);
    }

    /// What the pipeline knows of the shard between turns.
    pub fn report(&self, turn: &mut Turn) {
        turn.due_ms = self.watch.next_due_ms();
        turn.unjudged = Unjudged {
            late: self.watch.n_late(),
            wrong_unit: self.watch.n_wrong_unit(),
            too_many_sources: self.watch.n_ignored(),
        };
    }

    /// Returns until when the gateway's time was heard.
    fn take_message(&mut self, message: Message, is_repeat: bool, turn: &mut Turn) -> i64 {
        let Message { broker, topic, payload, withheld_bytes, received_ms, .. } = message;
        let decoding = self.decoders.iter_mut().find(|(id, _)| *id == broker);
        let Some((_, Decoding { decoder, tallies_from, unrouted })) = decoding else { return 0 };
        let tallies = &mut turn.tallies[*tallies_from..];
        if is_repeat {
            if let Some(tally) = decoder.route(&topic).and_then(|route| tallies.get_mut(route)) {
                tally.deduplicated += 1;
            }
            return 0;
        }
        self.decoded.clear();
        let route = if withheld_bytes == 0 {
            decoder.decode(&topic, &payload, received_ms, &mut self.decoded)
        } else {
            decoder.refuse_oversized(&topic, withheld_bytes, &mut self.decoded);
            decoder.route(&topic)
        };
        if route.is_none() {
            unrouted.inc();
        }
        if let Some(tally) = route.and_then(|route| tallies.get_mut(route)) {
            // One message, one count: it is rejected where nothing of it could be used.
            match self.decoded.rejects.first() {
                Some(reject) if self.decoded.observations.is_empty() => tally.reject(reject.reason.as_str()),
                _ => tally.committed += 1,
            }
        }
        turn.requests.extend(self.decoded.requests.drain(..).map(|request| (broker.clone(), request)));
        for reject in self.decoded.rejects.drain(..) {
            let source = reject.source.as_ref().unwrap_or(&topic);
            if self.sources.rejected(source, &reject.place) {
                let (reason, place) = (reject.reason.as_str(), &reject.place);
                warn!(%source, reason, place, "payload rejected, further ones of this source are only counted");
            }
        }
        let mut observations = std::mem::take(&mut self.decoded.observations);
        self.sources.date(&mut observations);
        let heard_ms = observations.drain(..).map(|observation| self.take_observation(&observation, turn)).max();
        self.decoded.observations = observations;
        heard_ms.unwrap_or_default()
    }

    fn take_observation(&mut self, observation: &Observation, turn: &mut Turn) -> i64 {
        self.facts.count(&observation.fact);
        self.sources.observed(observation);
        if let Some(recorder) = &self.recorder {
            recorder.lock().unwrap_or_else(PoisonError::into_inner).write(observation);
        }
        if let (Some(inexpressible), Fact::Reading(reading)) = (&self.inexpressible, &observation.fact) {
            let unit = reading.unit.as_deref();
            let (source, metric) = (&observation.source, &reading.metric);
            if !line::push_line(&mut turn.lines, source, metric, unit, reading.value, observation.at_ms) {
                inexpressible.inc();
            }
        }
        if let Fact::Position(Position { lon, lat, accuracy_m }) = observation.fact
            && self.terminals.contains(&observation.source)
        {
            let fix = Fix { at_ms: observation.at_ms, lon, lat, accuracy_m };
            turn.located.push(Located { source: observation.source.clone(), fix });
        }
        self.watch.step(observation, &mut turn.effects);
        turn.timed(observation.received_ms);
        observation.received_ms
    }
}

/// How many of the messages, which wait in order, share a turn: at least one.
pub(super) fn of_one_turn(messages: &[Message]) -> usize {
    let mut n_bytes = 0;
    let n = messages.iter().take_while(|message| {
        let fits = n_bytes < TURN_BYTES_MAX;
        n_bytes += message.payload.len();
        fits
    });
    n.count()
}
