//! Starts what sends out: a worker per receiver, one for the series database.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::api::cap::entries;
use crate::config::{Config, Target};
use crate::decode::Request;
use crate::ingest::mqtt::Publisher;
use crate::notify::cap::Entry;
use crate::notify::{self, Notifier, Publish, PublishError};
use crate::nouns::{Outbox, StoreFault, Ticket, Trouble};
use crate::pipeline::run::Listener;
use crate::series;
use crate::store::{Queues, Reader};
use crate::telemetry::metrics::Metrics;

/// Publishing connections by broker: one each, shared by all that use it.
pub(super) type Publishers = HashMap<String, Arc<dyn Publish>>;

/// Requests of decoders that wait for their broker; further ones are dropped, and asked again later.
const REQUESTS_MAX: usize = 64;

pub(super) fn start_publishers(config: &Config, stop: &CancellationToken) -> Publishers {
    let told = config.receivers.iter().filter_map(|receiver| match &receiver.to {
        Target::Mqtt { broker, .. } => Some(broker),
        Target::Webhook { .. } | Target::Email { .. } => None,
    });
    let lit = config.lights.iter().map(|light| &light.broker);
    let asked = config.feeds.iter().filter(|feed| feed.format.asks()).map(|feed| &feed.broker);
    let mut publishers = Publishers::new();
    for id in told.chain(asked).chain(lit) {
        if let (Some(broker), false) = (config.broker(id), publishers.contains_key(id)) {
            let client_id = format!("{}-out", broker.client_id);
            let publisher = Publisher::start(broker, &client_id, stop.clone());
            publishers.insert(id.clone(), Arc::new(Outlet(publisher)));
        }
    }
    publishers
}

/// Publishes what the decoder of a broker asks its devices for, until the sender is gone.
pub(super) fn start_requests(broker: &str, publisher: Arc<dyn Publish>) -> mpsc::Sender<Request> {
    let (requests, mut asked) = mpsc::channel::<Request>(REQUESTS_MAX);
    let broker = broker.to_owned();
    tokio::spawn(async move {
        while let Some(Request { topic, payload }) = asked.recv().await {
            match publisher.publish(&topic, payload.into()).await {
                Ok(()) => debug!(%broker, %topic, "asked a device"),
                Err(cause) => warn!(%broker, %topic, %cause, "could not ask a device"),
            }
        }
    });
    requests
}

pub(super) fn start_receivers(
    config: &Config,
    publishers: &Publishers,
    (queues, reader): (&Arc<Queues>, &Arc<Reader>),
    metrics: &Metrics,
    stop: &CancellationToken,
    out: &mut Vec<JoinHandle<()>>,
) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for receiver in &config.receivers {
        let notifier = Notifier::new(&receiver.to, |broker| publishers.get(broker).cloned())
            .with_context(|| format!("failed to start receiver \"{}\"", receiver.id))?;
        let wake = Arc::new(Notify::new());
        let counters = metrics.receiver(&receiver.id);
        let kept = (queues.clone() as Arc<dyn Outbox>, Arc::new(Journals(reader.clone())) as Arc<dyn notify::Told>);
        let worker = notify::Worker::new(&config.district, receiver, notifier, kept, wake.clone(), counters);
        out.push(tokio::spawn(worker.run(stop.clone())));
        listeners.push(Listener { id: receiver.id.as_str().into(), wake });
    }
    Ok(listeners)
}

pub(super) fn start_series(
    config: &Config,
    queues: &Arc<Queues>,
    metrics: &Metrics,
    troubles: &mpsc::Sender<Trouble>,
    stop: &CancellationToken,
    out: &mut Vec<JoinHandle<()>>,
) -> anyhow::Result<Option<Arc<Notify>>> {
    let Some(settings) = &config.series else { return Ok(None) };
    let wake = Arc::new(Notify::new());
    let worker = series::Worker::new(settings, queues.clone(), wake.clone(), metrics.series.clone())
        .context("failed to start the series worker")?;
    let watchman = series::Watchman::new(queues.clone(), worker.progress(), troubles.clone());
    out.push(tokio::spawn(watchman.run(stop.clone())));
    out.push(tokio::spawn(worker.run(stop.clone())));
    Ok(Some(wake))
}

/// Tickets and their journals as receivers are told of them.
struct Journals(Arc<Reader>);

impl notify::Told for Journals {
    fn ticket(&self, no: u64) -> Result<Option<(Ticket, Vec<Entry>)>, StoreFault> {
        let found = self.0.ticket(no).map_err(|error| StoreFault(error.to_string()))?;
        Ok(found.map(|(ticket, journal)| (ticket, entries(journal))))
    }
}

/// A publishing connection as receivers use it.
struct Outlet(Publisher);

impl Publish for Outlet {
    fn publish<'a>(&'a self, topic: &'a str, payload: Bytes) -> BoxFuture<'a, Result<(), PublishError>> {
        Box::pin(async move {
            self.0.publish(topic, payload).await.map_err(|error| {
                let text = error.to_string();
                if error.is_transient() { PublishError::Away(text) } else { PublishError::Refused(text) }
            })
        })
    }
}
