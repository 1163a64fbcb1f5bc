//! Start and stop order of the gateway. What is started later is stopped earlier: sessions stop reading before the
//! pipeline stops committing, and the pipeline before those that send out what it committed.

mod annex;
mod archive;
mod gates;
mod lights;
mod looks;
mod mounts;
mod outside;
mod outward;
mod readiness;
mod reload;
mod sessions;
mod shards;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex};

use anyhow::{Context, anyhow};
use outpost_fences::FenceSet;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::lights::start_lights;
use self::looks::{LOOKED_MAX, Lookouts};
use self::mounts::start_mounts;
use self::outward::{start_publishers, start_receivers, start_series};
use self::readiness::Sessions;
use self::reload::Reloader;
use self::sessions::{Pictures, Sights, Started, start_cameras, start_sessions};
use self::shards::{Kept, Sharded, start_shards};
use crate::api;
use crate::config::Config;
use crate::dispatch::centres::Centres;
use crate::dispatch::classes::KeptClasses;
use crate::dispatch::roster::Roster;
use crate::dispatch::scores::Scoring;
use crate::dispatch::{self, Desk};
use crate::ingest::listener::Listener;
use crate::ingest::mqtt::Session;
use crate::nouns::trouble;
use crate::objects::Judge;
use crate::pipeline::evidence::{Evidence, Eyes, Looks};
use crate::pipeline::recorder::Recorder;
use crate::pipeline::run::{Health, Inputs, Shell};
use crate::pipeline::seen::Seen;
use crate::store::{Archive, Queues, Reader, RestoredClasses, Store};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::now_ms;
use crate::video;

/// Requests of operators that wait for the pipeline.
const ASKS_MAX: usize = 256;

/// Changes of the configuration that wait; each may take seconds.
const EDITS_MAX: usize = 8;

/// Troubles that wait for the pipeline; who tells of one waits for room.
const TROUBLES_MAX: usize = 16;

/// Connections that answer the API's queries.
const READERS: usize = 4;

/// A running gateway.
pub struct App {
    address: SocketAddr,
    reader: Arc<Reader>,
    changed: watch::Receiver<u64>,
    stop: CancellationToken,
    sessions: Vec<(String, Session)>,
    listeners: Vec<Listener>,
    cameras: Option<Arc<video::Cameras>>,
    pipeline: std::thread::JoinHandle<()>,
    stop_pipeline: CancellationToken,
    stop_out: CancellationToken,
    out: Vec<JoinHandle<()>>,
    reloader: Reloader,
}

impl App {
    /// Starts everything; returns when the API listens. `record`: file to which observations are appended.
    pub async fn start(
        config: &Config,
        fences: FenceSet,
        record: Option<&std::path::Path>,
        stop: CancellationToken,
    ) -> anyhow::Result<App> {
        let folder = &config.store.folder;
        let store = Store::open(folder, config.series.as_ref().map(|series| series.spool_bytes_max.0))
            .context("failed to open the store")?
            .with_evidence(&config.evidence);
        let archive = Arc::new(Archive::of(&store).context("failed to open the archive")?);
        let restored = store.restore().context("failed to read the store")?;
        let reader = Arc::new(Reader::open(folder, READERS).context("failed to open the store for reading")?);
        let queues = Arc::new(Queues::open(folder).context("failed to open the store's queues")?);
        let metrics = Arc::new(Metrics::new());
        let listener = TcpListener::bind(&config.api.listen)
            .await
            .with_context(|| format!("failed to listen on {}", config.api.listen))?;
        let address = listener.local_addr().context("failed to listen")?;
        let token =
            config.api.token.as_ref().map(|token| token.read()).transpose().context("failed to read api.token")?;

        let (stop_pipeline, stop_out) = (CancellationToken::new(), CancellationToken::new());
        let mut out = Vec::new();
        let publishers = start_publishers(config, &stop_out);
        let listeners = start_receivers(config, &publishers, (&queues, &reader), &metrics, &stop_out, &mut out)?;
        let (troubles_in, troubles) = mpsc::channel(TROUBLES_MAX);
        let series = start_series(config, &queues, &metrics, &troubles_in, &stop_out, &mut out)?;

        let begun_ms = now_ms();
        let recorder = recorder(config, record)?.map(|recorder| Arc::new(Mutex::new(recorder)));
        let kept = Kept { states: restored.states, redo: restored.redo };
        let Sharded { shards, turns, first } =
            start_shards(config, &fences, kept, &expected(config), &metrics, recorder.as_ref(), begun_ms)?;
        let desk = Desk::restore(
            config,
            dispatch::Kept {
                tickets: restored.tickets,
                members: restored.members,
                on: restored.on,
                last_no: restored.last_ticket,
                withheld: restored.withheld,
                silences: restored.silences,
                last_silence: restored.last_silence,
                works: restored.works,
                last_work: restored.last_work,
                fixes: restored.fixes,
                duties: restored.duties,
            },
        );
        let classes = store.restore_classes(begun_ms.saturating_sub(config.desk.classes.within.ms()));
        let RestoredClasses { cases, last_no, counted } = classes.context("failed to read the store")?;
        let desk = desk.with_classes(config.grids(&fences), KeptClasses { cases, last_no, counted });
        info!(open_tickets = desk.n_open(), folder = %folder.display(), "store opened");

        let (messages_in, messages) = mpsc::channel(config.pipeline.queue_max);
        let (observations_in, observations) = mpsc::channel(config.pipeline.queue_max);
        let (asks, asks_out) = mpsc::channel(ASKS_MAX);
        let (changed, changes) = watch::channel(0);
        let health = Arc::new(Health { beat_ms: AtomicI64::new(begun_ms), store_ok: AtomicBool::new(true) });

        let mut seen = Seen::default();
        for broker in &config.brokers {
            seen.add_broker(broker.id.as_str().into(), usize::from(broker.inflight_max));
        }
        for listener in &config.listeners {
            seen.add_listener(listener.id.as_str().into(), listener.inflight_max.into(), listener.sessions_max);
        }
        restored.seen.into_iter().for_each(|row| seen.restore(row));
        let Started { sessions, listeners: mqtt_listeners, lines } =
            start_sessions(config, &publishers, &metrics, &seen, &messages_in, &stop).await?;
        let (clips_in, clips) = mpsc::channel(archive::CLIPS_MAX);
        let earned = gates::earned(&queues, &config.cameras).context("failed to read the store")?;
        let judge = Judge::default();
        judge.take(config.model()).context("failed to start the object model's thread")?;
        let eyes = (clips_in, judge.clone());
        let cameras = start_cameras(config, &earned, observations_in.clone(), troubles_in.clone(), eyes, &stop)?;
        if let Some(cameras) = cameras.clone() {
            out.push(tokio::spawn(gates::keep(queues.clone(), cameras, stop_out.clone())));
        }
        let keep = archive::Keep::of(&config.desk.officers);
        out.push(tokio::spawn(archive::run(archive.clone(), clips, keep, stop_out.clone())));
        let lights = start_lights(config, &publishers, &reader, &stop)?;
        if let Some(worker) = lights.worker {
            // With its sessions: they wait for those who may acknowledge yet.
            out.push(tokio::spawn(worker.run(stop.clone())));
        }
        let poses = start_mounts(config, &stop)?;
        let (looked_in, looked) = mpsc::channel(LOOKED_MAX);
        let here = tokio::runtime::Handle::current();
        let eyes = cameras.as_ref().map(|cameras| {
            let lookouts = Lookouts::new(cameras.looker(), looked_in.clone(), here);
            lookouts.resume(restored.looks, begun_ms);
            Eyes {
                evidence: Some(Box::new(Pictures(cameras.evidence())) as Box<dyn Evidence>),
                looks: Some(Box::new(lookouts) as Box<dyn Looks>),
            }
        });

        let shell = Shell {
            shards,
            turns,
            desk,
            store,
            lines,
            seen,
            listeners,
            eyes: eyes.unwrap_or_default(),
            poses: poses.clone(),
            recorder,
            metrics: metrics.clone(),
            health: health.clone(),
            changed,
            series,
            batch_max: config.pipeline.batch_max,
        };
        let inputs = Inputs { messages, observations, asks: asks_out, troubles, looked };
        // The pipeline keeps a sender of each queue alive, so that a gateway without brokers or cameras runs on.
        let senders = (messages_in, observations_in, troubles_in, looked_in);
        // A runtime of its own: a wait on the workers' would wake one of them each time, to set its alarm.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let (runtime, told) = (runtime.context("failed to start the pipeline")?, stop_pipeline.clone());
        let pipeline = std::thread::Builder::new()
            .name("pipeline".into())
            .spawn(move || {
                shell.run(inputs, first, &runtime, &told);
                drop(senders);
            })
            .context("failed to start the pipeline")?;

        let (estate_in, estate) = watch::channel(api::Estate::new(config, &fences));
        let (edits_in, edits) = mpsc::channel(EDITS_MAX);
        let reloader = Reloader::new(config, asks.clone(), estate_in, metrics.clone(), archive.clone(), edits)
            .with(cameras.clone(), judge);
        let archives = (reader.clone(), archive.clone());
        let readiness = Sessions::new(config, &sessions, cameras.clone(), archives, metrics.clone()).with_mounts(poses);
        let readiness = Arc::new(readiness);
        let context = api::Context {
            reader: reader.clone(),
            archive,
            asks,
            changed: changes.clone(),
            health,
            metrics,
            readiness,
            estate,
            recent: config.console.recent.map(|_| config.store.folder.clone().into()),
            views: Arc::new(Sights(cameras.clone())),
            edits: config.console.annex.is_some().then_some(edits_in),
            centres: Arc::new(Centres::new(config)),
            roster: Arc::new(Roster::new(config)),
            roads: config.roads.as_ref().and_then(|roads| roads.graph.clone()),
            scoring: Arc::new(Scoring::new(config)),
            classes: Arc::new(config.desk.classes.clone()),
            report: Arc::new(crate::report::Basis::new(config)),
            district: Arc::new(config.district.clone()),
            open311: outside::open311(config)?,
            mappings: outside::mappings(config)?,
            lights: lights.views,
            token: token.map(Into::into),
            stop: stop.clone(),
        };
        out.push(tokio::spawn(async move {
            if let Err(cause) = api::run(listener, context).await {
                warn!(%cause, "api ended");
            }
        }));
        info!(%address, "api listens");
        Ok(App {
            address,
            reader,
            changed: changes,
            stop,
            sessions: sessions.into_iter().chain(lights.sessions).collect(),
            listeners: mqtt_listeners,
            cameras,
            pipeline,
            stop_pipeline,
            stop_out,
            out,
            reloader,
        })
    }

    /// Takes the rules and fences of this file whenever `asked` says so, until stopped.
    pub async fn reload_when(&mut self, asked: impl AsyncFnMut() -> bool, file: &std::path::Path) {
        let stop = self.stop.clone();
        stop.run_until_cancelled(self.reloader.serve(asked, file)).await;
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Prints each ticket's journal as it grows, until stopped.
    pub async fn tell_tickets(&self, out: &mut impl std::io::Write) -> anyhow::Result<()> {
        let mut changed = self.changed.clone();
        let mut after = 0;
        loop {
            changed.borrow_and_update();
            let reader = self.reader.clone();
            let entries =
                tokio::task::spawn_blocking(move || reader.stream(after, 200)).await?.context("failed to read")?;
            for (entry, ticket) in &entries {
                after = entry.seq;
                let time = crate::telemetry::time_text(entry.at_ms);
                let place = ticket.place.name.as_deref().unwrap_or(&ticket.source);
                let severity = ticket.severity.as_str();
                let line = match entry.what.as_str() {
                    "opened" => format!("{} [{severity}] {place}: {}", ticket.title, entry.note),
                    what => format!("{} {what}: {}", ticket.title, entry.note),
                };
                writeln!(out, "{} T-{} {line}", &time[11..19], ticket.no).context("failed to print")?;
            }
            if entries.is_empty() {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    end = changed.changed() => if end.is_err() { return Ok(()) },
                }
            }
        }
    }

    /// Until stopped; then ends everything in order.
    pub async fn finished(self) -> anyhow::Result<()> {
        self.stop.cancelled().await;
        info!("stopping");
        // The pipeline goes on committing while the sessions wait for its last receipts.
        for (_, session) in self.sessions {
            session.stopped().await;
        }
        for listener in self.listeners {
            listener.stopped().await;
        }
        if let Some(cameras) = &self.cameras {
            cameras.stopped().await;
        }
        self.stop_pipeline.cancel();
        let pipeline = self.pipeline;
        tokio::task::spawn_blocking(move || pipeline.join())
            .await
            .context("failed to wait for the pipeline")?
            .map_err(|_| anyhow!("the pipeline panicked"))?;
        self.stop_out.cancel();
        for task in self.out {
            let _ = task.await;
        }
        info!("stopped");
        Ok(())
    }
}

/// Sources that ought to speak though they never did: all cameras, those that a rule names without wildcards, and the
/// gateway itself, so that there is room for it however many others come.
fn expected(config: &Config) -> Vec<String> {
    let cameras = config.cameras.iter().map(|camera| format!("cam:{}", camera.id));
    let named = config.rules.iter().flat_map(|rule| &rule.sources).filter(|source| !source.contains(['+', '#', '*']));
    let series = config.series.iter().map(|_| trouble::SERIES);
    let video = config.cameras.iter().take(1).map(|_| trouble::VIDEO);
    let own = series.chain(video).map(str::to_owned);
    cameras.chain(named.cloned()).chain(own).collect()
}

/// What writes observations down: to a file that was asked for, and those of late.
fn recorder(config: &Config, record: Option<&std::path::Path>) -> anyhow::Result<Option<Recorder>> {
    if record.is_none() && config.console.recent.is_none() {
        return Ok(None);
    }
    let mut recorder = Recorder::default();
    if let Some(path) = record {
        recorder = recorder.and_to(path).with_context(|| format!("failed to record to {}", path.display()))?;
    }
    if let Some(room) = config.console.recent {
        let recent = recorder.and_recent(&config.store.folder, room.0);
        recorder = recent.context("failed to keep the observations of late")?;
    }
    Ok(Some(recorder))
}

/// The fences of all files that a configuration names, their paths relative to the configuration's folder.
pub fn fences(config: &Config, file: &std::path::Path) -> anyhow::Result<FenceSet> {
    let folder = file.parent().unwrap_or_else(|| std::path::Path::new("."));
    let mut fences = Vec::new();
    for entry in &config.fences {
        let text = entry.text(folder).map_err(anyhow::Error::msg)?;
        let parsed = entry.parse(&text);
        for problem in &parsed.problems {
            warn!(file = %entry.name(), %problem, "fence file has a problem");
        }
        fences.extend(parsed.fences);
    }
    Ok(FenceSet::new(fences))
}
