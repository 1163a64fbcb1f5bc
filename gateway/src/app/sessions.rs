//! Starts what comes in: a session per broker, the cameras.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use outpost_detectors::observation::Observation;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::outward::{Publishers, start_requests};
use crate::config::{Config, Feed};
use crate::decode::{Decoder, Decoders};
use crate::ingest::listener::Listener;
use crate::ingest::mqtt::{AckSender, Filter, Session};
use crate::ingest::{Acknowledge, Message, Receipt};
use crate::nouns::SnapshotAsk;
use crate::pipeline::run::{Evidence, Line};
use crate::pipeline::seen::Seen;
use crate::telemetry::metrics::Metrics;
use crate::video;

/// Sessions by broker id, listeners, and what the pipeline needs of each.
pub(super) struct Started {
    pub(super) sessions: Vec<(String, Session)>,
    pub(super) listeners: Vec<Listener>,
    pub(super) lines: HashMap<Arc<str>, Line>,
}

pub(super) async fn start_sessions(
    config: &Config,
    publishers: &Publishers,
    metrics: &Metrics,
    seen: &Seen,
    messages: &mpsc::Sender<Message>,
    stop: &CancellationToken,
) -> anyhow::Result<Started> {
    let mut decoders = Decoders::new(config).context("failed to start the decoders")?;
    let (mut sessions, mut lines) = (Vec::new(), HashMap::new());
    let line = |id: &str, decoder: Option<Decoder>, requests, acks| {
        let feeds = decoder.iter().flat_map(|decoder| decoder.feeds()).map(|feed| metrics.feed(feed)).collect();
        Line { decoder, feeds, unrouted: metrics.unrouted(id), requests, acks }
    };
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
        lines.insert(broker.id.as_str().into(), line(&broker.id, decoders.take(&broker.id), requests, acks));
        sessions.push((broker.id.clone(), session));
    }
    let mut listeners = Vec::new();
    for settings in &config.listeners {
        let (id, counters) = (&settings.id, metrics.listeners.of(&settings.id));
        let listener = Listener::start(settings, seen.clients(id), messages.clone(), counters, stop.clone())
            .await
            .with_context(|| format!("failed to start listener \"{id}\""))?;
        lines.insert(id.as_str().into(), line(id, decoders.take(id), None, Box::new(listener.acks())));
        listeners.push(listener);
    }
    Ok(Started { sessions, listeners, lines })
}

pub(super) fn start_cameras(
    config: &Config,
    observations: mpsc::Sender<Observation>,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Arc<video::Cameras>>> {
    if config.cameras.is_empty() {
        return Ok(None);
    }
    let cameras = video::Cameras::start(&config.cameras, &config.video, observations, stop.clone())
        .context("failed to start the decode threads")?;
    Ok(Some(Arc::new(cameras)))
}

/// A session's acknowledgements, as the pipeline gives them.
struct Acks(AckSender);

impl Acknowledge for Acks {
    fn acknowledge(&self, receipts: &[Receipt]) {
        self.0.acknowledge(receipts);
    }
}

/// Pictures of the cameras, as alerts ask for them.
pub(super) struct Pictures(pub(super) video::Evidence);

impl Evidence for Pictures {
    fn snapshot(&self, source: &str, ask: &SnapshotAsk) -> Option<Vec<u8>> {
        let SnapshotAsk::Camera { picture, zone, boxes } = ask else { return None };
        self.0.snapshot(source, *picture, std::slice::from_ref(zone), boxes)
    }
}
