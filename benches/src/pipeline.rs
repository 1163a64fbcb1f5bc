//! The pipeline alone: messages that are in memory already are decoded, judged, committed and acknowledged, as fast as they
//! go. What a gateway costs beyond its sockets, and how it grows with cores.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use outpost::config::Config;
use outpost::dispatch::{Desk, Kept};
use outpost::ingest::{Acknowledge, Message, Quality, Receipt};
use outpost::pipeline::evidence::Eyes;
use outpost::pipeline::run::{Health, Inputs, Line, Shell};
use outpost::pipeline::seen::Seen;
use outpost::pipeline::shard::Shard;
use outpost::pipeline::shards::Shards;
use outpost::pipeline::watch::Watch;
use outpost::store::Store;
use outpost::telemetry::metrics::Metrics;
use outpost::telemetry::now_ms;
use outpost_fences::FenceSet;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::job::Job;

const BROKER: &str = "bench";

/// Counts what the pipeline says is safe.
struct Counted(Arc<AtomicU64>);

impl Acknowledge for Counted {
    fn acknowledge(&self, receipts: &[Receipt]) {
        self.0.fetch_add(receipts.len() as u64, Ordering::Relaxed);
    }
}

/// `CONFIGURATION MESSAGES PERIOD`: prints seconds, and CPU seconds of the pipeline, per million messages.
pub fn run(words: &[&str]) -> Result<(), Failure> {
    let [file, n, period] = words else { return Err("expected CONFIGURATION MESSAGES PERIOD".into()) };
    let (n, period): (u64, u64) = (n.parse()?, period.parse()?);
    let config = outpost::config::check::load(Path::new(file)).map_err(|problems| problems.to_string())?;
    let fences = outpost::app::fences(&config, Path::new(file))?;
    let acknowledged = Arc::new(AtomicU64::new(0));
    let (messages_in, messages) = mpsc::channel(config.pipeline.queue_max);
    let (_observations, observations) = mpsc::channel(1);
    let (_asks, asks) = mpsc::channel(1);
    let (_troubles, troubles) = mpsc::channel(1);
    let (_looked, looked) = mpsc::channel(1);
    let shell = shell(&config, &fences, Counted(acknowledged.clone()))?;
    let (stop, runtime) =
        (CancellationToken::new(), tokio::runtime::Builder::new_current_thread().enable_time().build()?);
    let told = stop.clone();
    let pipeline = std::thread::spawn(move || {
        shell.run(Inputs { messages, observations, asks, troubles, looked }, Vec::new(), &runtime, &told);
    });
    let (mut seconds, mut cpu) = (0.0, 0.0);
    // Made in parts before the clock runs, so that making them is not measured.
    let part = 200_000.min(n);
    let (mut topics, mut done) = (Topics::default(), 0);
    while done < n {
        let made: Vec<Message> = (done..done + part).map(|n| topics.message(Job::new(period), n)).collect();
        done += part;
        let (began, cpu_began) = (Instant::now(), cpu_s()?);
        for message in made {
            messages_in.blocking_send(message)?;
        }
        while acknowledged.load(Ordering::Relaxed) < done {
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
        seconds += began.elapsed().as_secs_f64();
        cpu += cpu_s()? - cpu_began;
    }
    stop.cancel();
    pipeline.join().map_err(|_| "the pipeline panicked")?;
    let millions = done as f64 / 1e6;
    println!(
        "{:.2} s and {:.2} CPU-s per million messages, {:.0} messages/s",
        seconds / millions,
        cpu / millions,
        done as f64 / seconds
    );
    Ok(())
}

/// User and system time of this process, finer than the ticks of its stat.
fn cpu_s() -> Result<f64, Failure> {
    let mut ns = 0.0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let schedstat = std::fs::read_to_string(task?.path().join("schedstat"))?;
        ns += schedstat.split_whitespace().next().ok_or("no time in schedstat")?.parse::<f64>()?;
    }
    Ok(ns / 1e9)
}

fn shell(config: &Config, fences: &FenceSet, acks: Counted) -> Result<Shell, Failure> {
    let metrics = Arc::new(Metrics::new());
    let broker: Arc<str> = BROKER.into();
    let store = Store::open(&config.store.folder, None)?;
    let line = Line { requests: None, acks: Box::new(acks) };
    let (mut shards, mut turns) = (Vec::new(), Vec::new());
    for _ in 0..config.pipeline.shards {
        let (shard, turn) = Shard::new(config, Watch::new(config, fences)?, &metrics, None)?;
        shards.push(shard);
        turns.push(turn);
    }
    let own = shards.remove(0);
    let mut seen = Seen::default();
    let inflight_max = config.brokers.iter().find(|known| known.id == BROKER).map_or(1_000, |known| known.inflight_max);
    seen.add_broker(broker.clone(), usize::from(inflight_max));
    Ok(Shell {
        shards: Shards::start(own, shards, config.pipeline.sources_max)?,
        turns,
        desk: Desk::restore(config, Kept::default()),
        store,
        lines: [(broker, line)].into_iter().collect(),
        seen,
        listeners: Vec::new(),
        eyes: Eyes::default(),
        recorder: None,
        metrics,
        health: Arc::new(Health { beat_ms: AtomicI64::new(0), store_ok: AtomicBool::new(true) }),
        changed: watch::channel(0).0,
        series: None,
        batch_max: config.pipeline.batch_max,
    })
}

/// Topics as a session hands them over: each one's text once.
#[derive(Default)]
struct Topics {
    by_device: Vec<Arc<str>>,
    text: String,
    packet: u16,
}

impl Topics {
    fn message(&mut self, job: Job, n: u64) -> Message {
        let at_ms = now_ms();
        if self.by_device.is_empty() {
            for device in 0..job.devices {
                job.topic(device, &mut self.text);
                self.by_device.push(self.text.as_str().into());
            }
        }
        job.payload(n, at_ms, &mut self.text);
        self.packet = self.packet % u16::MAX + 1;
        Message {
            broker: BROKER.into(),
            client: None,
            topic: self.by_device[job.device(n) as usize].clone(),
            payload: Bytes::copy_from_slice(self.text.as_bytes()),
            withheld_bytes: 0,
            received_ms: at_ms,
            receipt: Receipt {
                epoch: 1,
                packet: self.packet,
                quality: Quality::AtLeastOnce,
                redelivered: false,
                n_bytes: 0,
            },
        }
    }
}
