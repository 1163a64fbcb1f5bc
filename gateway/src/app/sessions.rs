//! Starts what comes in: a session per broker, the cameras.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use foldhash::fast::RandomState;
use futures::stream::{self, StreamExt};
use outpost_detectors::observation::Observation;
use outpost_detectors::size_gate::Earned;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::outward::{Publishers, start_requests};
use crate::api::{Sending, Showing, Views};
use crate::config::{Config, Feed};
use crate::ingest::listener::Listener;
use crate::ingest::mqtt::{AckSender, Filter, Session};
use crate::ingest::{Acknowledge, Message, Receipt};
use crate::nouns::{Alert, Missing, SnapshotAsk, Trouble, Unseen};
use crate::objects::Judge;
use crate::pipeline::evidence::Evidence;
use crate::pipeline::run::Line;
use crate::pipeline::seen::Seen;
use crate::telemetry::metrics::Metrics;
use crate::video;

/// Sessions by broker id, listeners, and what the pipeline needs of each.
pub(super) struct Started {
    pub(super) sessions: Vec<(String, Session)>,
    pub(super) listeners: Vec<Listener>,
    pub(super) lines: HashMap<Arc<str>, Line, RandomState>,
}

pub(super) async fn start_sessions(
    config: &Config,
    publishers: &Publishers,
    metrics: &Metrics,
    seen: &Seen,
    messages: &mpsc::Sender<Message>,
    stop: &CancellationToken,
) -> anyhow::Result<Started> {
    let (mut sessions, mut lines) = (Vec::new(), HashMap::default());
    for broker in &config.brokers {
        let wanted = |feed: &Feed| -> Vec<Filter> {
            let filter =
                |text: &String| Filter { text: text.clone(), wants_retained: feed.format.wants_retained(text) };
            feed.topics.iter().map(filter).collect()
        };
        let topics: Vec<Filter> =
            config.feeds.iter().filter(|feed| feed.broker == broker.id).flat_map(wanted).collect();
        // A broker that only receivers use needs no session that listens.
        if topics.is_empty() {
            continue;
        }
        let session = Session::start(broker, topics, messages.clone(), stop.clone())
            .with_context(|| format!("failed to start the session of broker \"{}\"", broker.id))?;
        let asks = config.feeds.iter().any(|feed| feed.broker == broker.id && feed.format.asks());
        let publisher = publishers.get(&broker.id).filter(|_| asks);
        let requests = publisher.map(|publisher| start_requests(&broker.id, publisher.clone()));
        let acks = Box::new(Acks(session.acks()));
        lines.insert(broker.id.as_str().into(), Line { requests, acks });
        sessions.push((broker.id.clone(), session));
    }
    let mut listeners = Vec::new();
    for settings in &config.listeners {
        let (id, counters) = (&settings.id, metrics.listeners.of(&settings.id));
        let listener = Listener::start(settings, seen.clients(id), messages.clone(), counters, stop.clone())
            .await
            .with_context(|| format!("failed to start listener \"{id}\""))?;
        lines.insert(id.as_str().into(), Line { requests: None, acks: Box::new(listener.acks()) });
        listeners.push(listener);
    }
    Ok(Started { sessions, listeners, lines })
}

pub(super) fn start_cameras(
    config: &Config,
    earned: &HashMap<Arc<str>, Earned>,
    observations: mpsc::Sender<Observation>,
    troubles: mpsc::Sender<Trouble>,
    (clips, judge): (mpsc::Sender<video::Clip>, Judge),
    stop: &CancellationToken,
) -> anyhow::Result<Option<Arc<video::Cameras>>> {
    // With an annex cameras may come at any time.
    let n_more = if config.console.annex.is_some() { usize::MAX } else { 0 };
    if config.cameras.is_empty() && n_more == 0 {
        return Ok(None);
    }
    let wires = video::Wires { observations, clips, judge };
    let cameras = video::Cameras::start(&config.cameras, n_more, &config.video, earned, wires, stop.clone())
        .context("failed to start the decode threads")?;
    let cameras = Arc::new(cameras);
    tokio::spawn(video::troubles::watch(cameras.clone(), troubles, stop.clone()));
    Ok(Some(cameras))
}

/// A session's acknowledgements, as the pipeline gives them.
pub(super) struct Acks(pub(super) AckSender);

impl Acknowledge for Acks {
    fn acknowledge(&self, receipts: &[Receipt]) {
        self.0.acknowledge(receipts);
    }
}

/// Pictures of the cameras, as alerts ask for them.
pub(super) struct Pictures(pub(super) video::Evidence);

impl Evidence for Pictures {
    fn snapshot(&self, source: &str, ask: &SnapshotAsk) -> Option<Vec<u8>> {
        match ask {
            SnapshotAsk::Camera { shots, zones } => {
                shots.iter().find_map(|shot| self.0.snapshot(source, shot.picture, zones, &shot.boxes))
            }
            SnapshotAsk::Last => self.0.last(source).map(|(_, jpeg)| jpeg),
            SnapshotAsk::Heat { .. } => None,
        }
    }

    fn clip(&self, alert: &Alert) -> Option<Missing> {
        let Some(SnapshotAsk::Camera { shots, .. }) = &alert.snapshot else { return None };
        self.0.clip(&alert.key.source, &alert.id, shots.last()?.picture, alert.opened_ms)
    }
}

/// What cameras see now, where there are any.
pub(super) struct Sights(pub(super) Option<Arc<video::Cameras>>);

impl Views for Sights {
    fn last(&self, source: &str) -> Option<(i64, Vec<u8>)> {
        self.0.as_ref()?.evidence().last(source)
    }

    fn live(&self, source: &str) -> Result<Showing, Unseen> {
        let cameras = self.0.as_ref().ok_or(Unseen::Unknown)?;
        let live = cameras.live(source)?;
        let mime = live.mime().to_owned();
        let boxes = stream::unfold(live, |mut live| async { Some((live.next().await?, live)) });
        Ok(Showing { mime, boxes: boxes.boxed() })
    }

    fn sendings(&self) -> HashMap<Arc<str>, Sending> {
        let counts = self.0.as_ref().map(|cameras| cameras.counters()).unwrap_or_default();
        let sending = |counts: video::Counts| Sending { drift_ms: counts.drift_ms, n_shed: counts.shed };
        counts.into_iter().map(|counts| (counts.source.clone(), sending(counts))).collect()
    }
}
