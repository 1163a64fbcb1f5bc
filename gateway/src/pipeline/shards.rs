//! The shards of the pipeline: the first on its own thread, the others on one each. A turn goes to all of them and ends when
//! the last is through, so that what comes of it is one commit. A source's messages always go to the same shard; those
//! that others are judged with, and those whose source only their payload tells, go to the first.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use foldhash::fast::RandomState;
use outpost_fences::FenceSet;

use super::rules::RuleError;
use super::shard::{Shard, Turn};
use super::sources::Overview;
use super::trail::Trace;
use super::watch::reload::succeed;
use super::watch::{Effect, Watch};
use crate::config::Config;
use crate::ingest::Message;

pub struct Shards {
    own: Shard,
    others: Vec<Other>,
    router: Router,
}

/// A shard on a thread of its own.
struct Other {
    tasks: SyncSender<Task>,
    turns: Receiver<Box<Turn>>,
    thread: JoinHandle<()>,
}

enum Task {
    Turn(Box<Turn>),
    Do(Box<dyn FnOnce(&mut Shard) + Send>),
}

/// Which shard takes what.
struct Router {
    n: usize,
    /// By broker or listener, and topic.
    by_topic: HashMap<Arc<str>, HashMap<Arc<str>, usize, RandomState>, RandomState>,
    topics_max: usize,
}

impl Shards {
    /// At least one. `topics_max`: topics whose shard is remembered, by broker.
    pub fn start(own: Shard, others: Vec<Shard>, topics_max: usize) -> std::io::Result<Shards> {
        let router = Router { n: 1 + others.len(), by_topic: HashMap::default(), topics_max };
        let start = |(number, mut shard): (usize, Shard)| {
            let (tasks, asked) = sync_channel(1);
            let (done, turns) = sync_channel(1);
            let work = move || {
                for task in asked {
                    match task {
                        Task::Turn(mut turn) => {
                            shard.step(&mut turn);
                            // Whoever does not wait for it any more has stopped.
                            let _ = done.send(turn);
                        }
                        Task::Do(task) => task(&mut shard),
                    }
                }
            };
            let thread = std::thread::Builder::new().name(format!("shard-{}", number + 1)).spawn(work)?;
            Ok(Other { tasks, turns, thread })
        };
        let others = others.into_iter().enumerate().map(start).collect::<std::io::Result<_>>()?;
        Ok(Shards { own, others, router })
    }

    pub fn n(&self) -> usize {
        self.router.n
    }

    /// The shard of a message.
    pub fn of_message(&mut self, message: &Message) -> usize {
        if self.router.n == 1 {
            return 0;
        }
        if let Some(at) = self.router.by_topic.get(&message.broker).and_then(|topics| topics.get(&message.topic)) {
            return *at;
        }
        let at = self.own.source_of(message).map_or(0, |source| self.of_source(&source));
        let topics = self.router.by_topic.entry(message.broker.clone()).or_default();
        if topics.len() < self.router.topics_max {
            topics.insert(message.topic.clone(), at);
        }
        at
    }

    pub fn of_source(&self, source: &str) -> usize {
        self.own.watch.place(source, self.router.n)
    }

    /// One turn of each shard that has something to do. `turns` are as many as the shards.
    pub fn step(&mut self, turns: &mut [Turn]) {
        let Some((own, rest)) = turns.split_first_mut() else { return };
        let mut busy = Vec::new();
        for (other, turn) in self.others.iter().zip(rest) {
            if turn.is_due() {
                other.tasks.send(Task::Turn(Box::new(std::mem::take(turn)))).expect(PANICKED);
                busy.push((other, turn));
            }
        }
        self.own.step(own);
        for (other, turn) in busy {
            *turn = *other.turns.recv().expect(PANICKED);
        }
    }

    /// What is known of all sources, by their names.
    pub fn overview(&mut self) -> Overview {
        let mut all = Overview::default();
        for part in self.each(vec![(); self.n()], |(), shard| shard.sources.overview()) {
            all.views.extend(part.views);
            all.is_full |= part.is_full;
        }
        all.views.sort_by(|a, b| a.source.cmp(&b.source));
        all
    }

    /// What a source said between two device times. One that moved to another shard may have readings in both: the newer ones
    /// count.
    pub fn trace(&mut self, source: &Arc<str>, (from_ms, to_ms): (i64, i64)) -> Trace {
        let asked = vec![source.clone(); self.n()];
        let traces = self.each(asked, move |source, shard| shard.sources.trace(&source, from_ms, to_ms));
        let newest =
            |trace: &Trace| trace.series.iter().filter_map(|series| series.points.last()).map(|last| last.0).max();
        traces.into_iter().flatten().max_by_key(newest).unwrap_or_default()
    }

    /// Fills each turn's report.
    pub fn report(&mut self, turns: &mut [Turn]) {
        let reports = self.each(vec![(); self.n()], |(), shard| {
            let mut turn = Turn::default();
            shard.report(&mut turn);
            (turn.due_ms, turn.unjudged)
        });
        for (turn, (due_ms, unjudged)) in turns.iter_mut().zip(reports) {
            (turn.due_ms, turn.unjudged) = (due_ms, unjudged);
        }
    }

    /// Takes other rules, fences and places; sources that are judged together from now on move to where they are.
    pub fn reload(
        &mut self,
        config: &Config,
        fences: &FenceSet,
        expected: &[String],
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) -> Result<(), RuleError> {
        let mut next = (0..self.n()).map(|_| Watch::new(config, fences)).collect::<Result<Vec<_>, _>>()?;
        let dissolve = |(), shard: &mut Shard| {
            let mut effects = Vec::new();
            (shard.watch.dissolve(&mut effects), effects)
        };
        let (old, saved): (Vec<_>, Vec<_>) = self.each(vec![(); self.n()], dissolve).into_iter().unzip();
        effects.extend(saved.into_iter().flatten());
        succeed(&mut next, old, now_ms, effects);
        for source in expected {
            let at = next[0].place(source, next.len());
            next[at].expect([source.as_str()], now_ms, effects);
        }
        self.router.by_topic.clear();
        self.each(next, |watch, shard| shard.watch = watch);
        Ok(())
    }

    /// Ends the threads.
    pub fn stop(self) {
        for Other { tasks, thread, .. } in self.others {
            drop(tasks);
            let _ = thread.join();
        }
    }

    /// Gives each shard one of `given`, and returns what they answer, in their order.
    fn each<G: Send + 'static, T: Send + 'static>(
        &mut self,
        given: Vec<G>,
        ask: impl Fn(G, &mut Shard) -> T + Clone + Send + 'static,
    ) -> Vec<T> {
        let mut given = given.into_iter();
        let Some(own_given) = given.next() else { return Vec::new() };
        let hand = |(other, given): (&Other, G)| {
            let ((answer, answered), ask) = (sync_channel(1), ask.clone());
            let task = move |shard: &mut Shard| drop(answer.send(ask(given, shard)));
            other.tasks.send(Task::Do(Box::new(task))).expect(PANICKED);
            answered
        };
        let asked: Vec<Receiver<T>> = self.others.iter().zip(given).map(hand).collect();
        let own = ask(own_given, &mut self.own);
        std::iter::once(own).chain(asked.into_iter().map(|answered| answered.recv().expect(PANICKED))).collect()
    }
}

/// A shard that is gone cannot be done without: its sources would be silent.
const PANICKED: &str = "a shard of the pipeline panicked";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::ingest::{Quality, Receipt};
    use crate::telemetry::metrics::Metrics;

    const FEEDS: &str = r#"
        [[brokers]]
        id = "b"
        host = "localhost"
        client_id = "c"
        [[feeds]]
        id = "temperatures"
        broker = "b"
        topics = ["t/+/temp"]
        source = "dev/{2}"
        format = { kind = "number", metric = "temp" }
        [[feeds]]
        id = "levels"
        broker = "b"
        topics = ["t/+/level"]
        source = "dev/{2}"
        format = { kind = "number", metric = "level" }
    "#;

    const RULES: &str = r#"
        [[rules]]
        id = "hot"
        sources = ["dev/+"]
        detect = { kind = "threshold", metric = "temp", above = 50.0, clear = 40.0 }
        severity = "minor"
        [[rules]]
        id = "rising"
        sources = ["dev/+"]
        detect = { kind = "rate", metric = "level", rise = 10.0, over = "5s" }
        severity = "minor"
        [[rules]]
        id = "dry"
        sources = ["dev/+"]
        detect = { kind = "silent", after = "30s" }
        severity = "minor"
    "#;

    /// Six of the devices are judged together from then on.
    const TOGETHER: &str = r#"
        [[rules]]
        id = "warm"
        sources = ["dev/1", "dev/2", "dev/3", "dev/4", "dev/5", "dev/6"]
        detect = { kind = "threshold", metric = "temp", above = 30.0, clear = 20.0 }
        severity = "minor"
        [[rules]]
        id = "many"
        sources = ["dev/1", "dev/2", "dev/3", "dev/4", "dev/5", "dev/6"]
        detect = { kind = "together", of = ["warm"], k = 3, within = "60s" }
        severity = "severe"
    "#;

    fn config(n: usize, rules: &str) -> Config {
        toml::from_str(&format!("[pipeline]\nshards = {n}\n{FEEDS}{rules}")).unwrap()
    }

    /// One reading: device, whether its temperature, value.
    type Said = (u8, bool, u8);

    fn message((device, is_temp, value): Said, at_s: i64) -> Message {
        Message {
            broker: "b".into(),
            client: None,
            topic: format!("t/{device}/{}", if is_temp { "temp" } else { "level" }).into(),
            payload: value.to_string().into(),
            withheld_bytes: 0,
            received_ms: at_s * 1_000,
            receipt: Receipt { epoch: 1, packet: 0, quality: Quality::AtMostOnce, redelivered: false, n_bytes: 0 },
        }
    }

    /// What opened and cleared over these readings, a second apart, five to a turn; after the first half with other rules.
    fn lived(n: usize, said: &[Said]) -> BTreeSet<(String, String, bool)> {
        let (fences, metrics) = (FenceSet::new(Vec::new()), Metrics::new());
        let (mut shards, mut turns): (Vec<_>, Vec<_>) = (0..n)
            .map(|_| {
                let config = config(n, RULES);
                Shard::new(&config, Watch::new(&config, &fences).unwrap(), &metrics, None).unwrap()
            })
            .unzip();
        let own = shards.remove(0);
        let mut shards = Shards::start(own, shards, 10).unwrap();
        let (mut told, mut effects) = (BTreeSet::new(), Vec::new());
        for (number, part) in said.chunks(5).enumerate() {
            if number == said.len() / 10 {
                let now_ms = number as i64 * 5_000;
                shards.reload(&config(n, &(RULES.to_owned() + TOGETHER)), &fences, &[], now_ms, &mut effects).unwrap();
            }
            for (at_s, said) in (number as i64 * 5..).zip(part) {
                let message = message(*said, at_s);
                let turn = &mut turns[shards.of_message(&message)];
                turn.messages.push(message);
                turn.repeats.push(false);
            }
            turns.iter_mut().for_each(|turn| turn.drained_ms = Some(number as i64 * 5_000 + 4_000));
            shards.step(&mut turns);
            effects.extend(turns.iter_mut().flat_map(|turn| std::mem::take(&mut turn.effects)));
            turns.iter_mut().for_each(|turn| turn.times.clear());
        }
        for effect in effects {
            match effect {
                Effect::Open(alert) => told.insert((format!("{:?}", alert.key), alert.id.to_string(), true)),
                Effect::Clear(cleared) => told.insert((format!("{:?}", cleared.key), cleared.id.to_string(), false)),
                Effect::Save(_) | Effect::Remember(_) | Effect::Join(_) | Effect::Show(_) => false,
            };
        }
        shards.stop();
        told
    }

    proptest! {
        #[test]
        fn several_shards_find_what_one_finds(
            said in prop::collection::vec((0u8..15, any::<bool>(), 0u8..100), 50..200),
            n in 2usize..5,
        ) {
            let alone = lived(1, &said);
            prop_assert!(!alone.is_empty());
            prop_assert_eq!(lived(n, &said), alone);
        }
    }
}
