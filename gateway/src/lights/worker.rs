//! Tells lights by MQTT and hears what they confirm. One task for all: it waits for what changes, what lights say, what is due
//! and what was published.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Input, Light, State};
use crate::config;
use crate::ingest::{Acknowledge, Message};
use crate::notify::{Publish, PublishError};
use crate::nouns::Lamp;
use crate::telemetry::now_ms;

const COLOURS: [Lamp; 4] = [Lamp::Off, Lamp::Green, Lamp::Yellow, Lamp::Red];

/// How often is looked at what lights should show: lamps turn yellow and red by themselves.
const LOOK_EACH: Duration = Duration::from_secs(1);

/// What operators see of a light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub id: String,
    pub centre: Arc<str>,
    pub wanted: Option<Lamp>,
    /// What it said last.
    pub shown: Option<Lamp>,
    pub state: State,
}

/// The worst lamp of each of these centres, in their order; none where the store does not answer.
pub trait Board: Send + Sync + 'static {
    fn worst(&self, centres: &[Arc<str>], now_ms: i64) -> Option<Vec<Lamp>>;
}

/// What the worker needs of the outside.
pub struct Wires {
    pub board: Arc<dyn Board>,
    /// By broker.
    pub publishers: HashMap<String, Arc<dyn Publish>>,
    pub messages: mpsc::Receiver<Message>,
    pub acks: HashMap<Arc<str>, Box<dyn Acknowledge>>,
    pub views: watch::Sender<Vec<View>>,
}

pub struct Worker {
    lights: Vec<Entry>,
    wires: Wires,
}

struct Entry {
    settings: config::Light,
    centre: Arc<str>,
    light: Light,
    /// One is published at a time.
    is_busy: bool,
}

type Published = (usize, Result<(), PublishError>);

impl Worker {
    /// Of each light its settings and its centre.
    pub fn new(lights: Vec<(config::Light, Arc<str>)>, wires: Wires) -> Worker {
        let entry = |(settings, centre): (config::Light, Arc<str>)| Entry {
            light: Light::new(settings.confirm.within.ms()),
            settings,
            centre,
            is_busy: false,
        };
        Worker { lights: lights.into_iter().map(entry).collect(), wires }
    }

    pub async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(self.work()).await;
    }

    async fn work(&mut self) {
        let mut publishing: FuturesUnordered<BoxFuture<'static, Published>> = FuturesUnordered::new();
        let mut look = tokio::time::interval(LOOK_EACH);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => self.look(&mut publishing).await,
                Some(message) = self.wires.messages.recv() => self.hear(&message, &mut publishing),
                Some((at, sent)) = publishing.next() => self.published(at, &sent),
            }
            self.show();
        }
    }

    /// What lights should show now, and which are told again.
    async fn look(&mut self, publishing: &mut FuturesUnordered<BoxFuture<'static, Published>>) {
        let (board, now_ms) = (self.wires.board.clone(), now_ms());
        let centres: Vec<Arc<str>> = self.lights.iter().map(|entry| entry.centre.clone()).collect();
        let worst = tokio::task::spawn_blocking(move || board.worst(&centres, now_ms)).await.ok().flatten();
        for at in 0..self.lights.len() {
            let input = worst.as_ref().map_or(Input::Tick, |worst| Input::Wanted(worst[at]));
            self.step(at, input, now_ms, publishing);
        }
    }

    fn hear(&mut self, message: &Message, publishing: &mut FuturesUnordered<BoxFuture<'static, Published>>) {
        // What a light says is of this moment: there is nothing to keep before it is acknowledged.
        if let Some(acks) = self.wires.acks.get(&message.broker) {
            acks.acknowledge(&[message.receipt]);
        }
        for at in 0..self.lights.len() {
            let confirm = &self.lights[at].settings.confirm;
            if self.lights[at].settings.broker == *message.broker && confirm.topic == *message.topic {
                let said = COLOURS.into_iter().find(|lamp| confirm.says.of(*lamp).as_bytes() == &message.payload[..]);
                self.step(at, Input::Said(said), now_ms(), publishing);
            }
        }
    }

    fn step(
        &mut self,
        at: usize,
        input: Input,
        now_ms: i64,
        publishing: &mut FuturesUnordered<BoxFuture<'static, Published>>,
    ) {
        let entry = &mut self.lights[at];
        let before = entry.light.state();
        let told = entry.light.step(input, now_ms);
        let (id, state) = (&entry.settings.id, entry.light.state());
        match (before, state) {
            (State::Fault, State::Confirmed) => info!(light = %id, "light confirms again"),
            (before, State::Fault) if before != State::Fault => warn!(light = %id, "light does not confirm"),
            _ => {}
        }
        let Some(lamp) = told.filter(|_| !entry.is_busy) else { return };
        let Some(publisher) = self.wires.publishers.get(&entry.settings.broker).cloned() else { return };
        let topic = entry.settings.topic.replace(config::LIGHT_WORD, lamp.as_str());
        let payload = Bytes::from(entry.settings.payload.of(lamp).to_owned());
        entry.is_busy = true;
        publishing.push(Box::pin(async move { (at, publisher.publish(&topic, payload).await) }));
    }

    fn published(&mut self, at: usize, sent: &Result<(), PublishError>) {
        let entry = &mut self.lights[at];
        entry.is_busy = false;
        if let Err(cause) = sent {
            // It is told again, as if it had not confirmed.
            tracing::debug!(light = %entry.settings.id, %cause, "light not told");
        }
    }

    fn show(&self) {
        let view = |entry: &Entry| View {
            id: entry.settings.id.clone(),
            centre: entry.centre.clone(),
            wanted: entry.light.wanted(),
            shown: entry.light.shown(),
            state: entry.light.state(),
        };
        let views: Vec<View> = self.lights.iter().map(view).collect();
        self.wires.views.send_if_modified(|old| {
            let is_new = *old != views;
            *old = views;
            is_new
        });
    }
}
