//! Starts the worker of physical lights: a session of its own hears them, so that what they say waits for no commit.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::outward::Publishers;
use super::sessions::Acks;
use crate::config::{Broker, Config};
use crate::dispatch::centres::Centres;
use crate::ingest::Acknowledge;
use crate::ingest::mqtt::Session;
use crate::lights::worker::{Board, View, Wires, Worker};
use crate::nouns::Lamp;
use crate::store::Reader;

/// Confirmations that wait for the worker; while it is full, the sessions read nothing.
const MESSAGES_MAX: usize = 256;

/// What lights say, the worker, and the sessions that hear them.
pub(super) struct Lights {
    pub(super) views: watch::Receiver<Vec<View>>,
    pub(super) worker: Option<Worker>,
    pub(super) sessions: Vec<(String, Session)>,
}

pub(super) fn start_lights(
    config: &Config,
    publishers: &Publishers,
    reader: &Arc<Reader>,
    stop: &CancellationToken,
) -> anyhow::Result<Lights> {
    let (views_in, views) = watch::channel(Vec::new());
    if config.lights.is_empty() {
        return Ok(Lights { views, worker: None, sessions: Vec::new() });
    }
    let (messages_in, messages) = mpsc::channel(MESSAGES_MAX);
    let (mut sessions, mut acks) = (Vec::new(), HashMap::new());
    for broker in &config.brokers {
        let lights = config.lights.iter().filter(|light| light.broker == broker.id);
        let topics: Vec<_> = lights.map(|light| light.confirm.topic.as_str().into()).collect();
        if topics.is_empty() {
            continue;
        }
        let named = Broker { client_id: format!("{}-lights", broker.client_id), ..broker.clone() };
        let session = Session::start(&named, topics, messages_in.clone(), stop.clone())
            .with_context(|| format!("failed to start the session of the lights of broker \"{}\"", broker.id))?;
        acks.insert(broker.id.as_str().into(), Box::new(Acks(session.acks())) as Box<dyn Acknowledge>);
        sessions.push((broker.id.clone(), session));
    }
    let centres = Centres::new(config);
    let of = |centre: &Option<String>| centres.known(centre.as_deref().unwrap_or_default()).clone();
    let lights = config.lights.iter().map(|light| (light.clone(), of(&light.centre))).collect();
    let board = Arc::new(Lamps { reader: reader.clone(), centres });
    let wires = Wires { board, publishers: publishers.clone(), messages, acks, views: views_in };
    Ok(Lights { views, worker: Some(Worker::new(lights, wires)), sessions })
}

/// The lamps of open tickets, as the store counts them.
struct Lamps {
    reader: Arc<Reader>,
    centres: Centres,
}

impl Board for Lamps {
    fn worst(&self, centres: &[Arc<str>], now_ms: i64) -> Option<Vec<Lamp>> {
        let counted = self.reader.lamps(now_ms, now_ms, 0);
        let rows = counted.map_err(|cause| warn!(%cause, "lamps cannot be counted for lights")).ok()?;
        let worst = |centre: &Arc<str>| {
            let own = rows.iter().filter(|row| self.centres.upwards(&row.centre).any(|(id, _)| id == centre));
            let lamps = own.map(|row| match (row.n_red, row.n_yellow, row.n_green) {
                (0, 0, 0) => Lamp::Off,
                (0, 0, _) => Lamp::Green,
                (0, _, _) => Lamp::Yellow,
                _ => Lamp::Red,
            });
            lamps.max().unwrap_or(Lamp::Off)
        };
        Some(centres.iter().map(worst).collect())
    }
}
