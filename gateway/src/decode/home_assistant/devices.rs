//! What was announced and is allowed, by the topics that its values come under, and payloads that came before their
//! announcement. Bounded. Knows nothing of what payloads say.

use std::collections::HashMap;
use std::sync::Arc;

use super::announce::{Kind, Mode};

/// Values of all devices of one feed.
const LISTENERS_MAX: usize = 50_000;
/// Topics whose last payload waits for an announcement, and the longest that does.
const WAITING_MAX: usize = 2_000;
const WAITING_BYTES_MAX: usize = 4 * 1024;

#[derive(Debug, Default)]
pub(super) struct Devices {
    by_topic: HashMap<Box<str>, Vec<Listener>>,
    /// What each configuration topic announced.
    configs: HashMap<Box<str>, Config>,
    devices: HashMap<Arc<str>, Device>,
    n_listeners: usize,
    waiting: HashMap<Box<str>, Waiting>,
}

#[derive(Debug)]
struct Config {
    source: Arc<str>,
    topics: Vec<Box<str>>,
}

#[derive(Debug, Default)]
struct Device {
    n_configs: usize,
    mode: Mode,
    /// What each availability topic last said.
    available: Vec<(Box<str>, bool)>,
}

/// Something that comes under a topic.
#[derive(Debug, Clone)]
pub(super) struct Listener {
    /// Topic of the configuration that announced it.
    pub(super) config: Arc<str>,
    pub(super) source: Arc<str>,
    pub(super) metric: Arc<str>,
    pub(super) unit: Option<Arc<str>>,
    pub(super) template: Option<Arc<str>>,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Value(Kind),
    Availability { on: String, off: String },
}

/// A payload that came before anything announced its topic.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) payload: Vec<u8>,
    pub(super) received_ms: i64,
}

impl Devices {
    pub(super) fn has(&self, source: &str) -> bool {
        self.devices.contains_key(source)
    }

    pub(super) fn n_devices(&self) -> usize {
        self.devices.len()
    }

    /// Whether so many more values would be too many.
    pub(super) fn has_room(&self, n: usize) -> bool {
        self.n_listeners + n <= LISTENERS_MAX
    }

    /// Keeps what a configuration topic announced, each with its topic.
    pub(super) fn keep(&mut self, config: &str, source: Arc<str>, mode: Mode, announced: Vec<(String, Listener)>) {
        let device = self.devices.entry(source.clone()).or_default();
        device.n_configs += 1;
        device.mode = mode;
        self.n_listeners += announced.len();
        let mut topics: Vec<Box<str>> = Vec::with_capacity(announced.len());
        for (topic, listener) in announced {
            self.by_topic.entry(topic.as_str().into()).or_default().push(listener);
            topics.push(topic.into());
        }
        self.configs.insert(config.into(), Config { source, topics });
    }

    /// Forgets what a configuration topic announced before; whose device it was.
    pub(super) fn forget(&mut self, config: &str) -> Option<Arc<str>> {
        let Config { source, topics } = self.configs.remove(config)?;
        for topic in topics {
            let Some(listeners) = self.by_topic.get_mut(&topic) else { continue };
            // One for each time that the topic was announced here: others may listen for the same device.
            if let Some(at) = listeners.iter().position(|listener| *listener.config == *config) {
                listeners.swap_remove(at);
                self.n_listeners -= 1;
            }
            if listeners.is_empty() {
                self.by_topic.remove(&topic);
            }
        }
        if let Some(device) = self.devices.get_mut(&source) {
            device.n_configs -= 1;
            if device.n_configs == 0 {
                self.devices.remove(&source);
            }
        }
        Some(source)
    }

    pub(super) fn has_listeners(&self, topic: &str) -> bool {
        self.by_topic.contains_key(topic)
    }

    /// The listeners of a topic, to be given back.
    pub(super) fn lend(&mut self, topic: &str) -> Vec<Listener> {
        self.by_topic.get_mut(topic).map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn give_back(&mut self, topic: &str, lent: Vec<Listener>) {
        if let Some(listeners) = self.by_topic.get_mut(topic) {
            *listeners = lent;
        }
    }

    /// Keeps the last payload of a topic that nothing has announced yet, where there is room.
    pub(super) fn wait(&mut self, topic: &str, payload: &[u8], received_ms: i64) {
        let has_room = self.waiting.len() < WAITING_MAX || self.waiting.contains_key(topic);
        if has_room && payload.len() <= WAITING_BYTES_MAX {
            self.waiting.insert(topic.into(), Waiting { payload: payload.to_vec(), received_ms });
        }
    }

    pub(super) fn waited(&mut self, topic: &str) -> Option<Waiting> {
        self.waiting.remove(topic)
    }

    /// Whether a device is available by all that its topics said, with what this one says.
    pub(super) fn available(&mut self, source: &str, topic: &str, is_on: bool) -> bool {
        let Some(device) = self.devices.get_mut(source) else { return is_on };
        match device.available.iter_mut().find(|(known, _)| **known == *topic) {
            Some((_, known)) => *known = is_on,
            None => device.available.push((topic.into(), is_on)),
        }
        match device.mode {
            Mode::All => device.available.iter().all(|(_, is_on)| *is_on),
            Mode::Any => device.available.iter().any(|(_, is_on)| *is_on),
            Mode::Latest => is_on,
        }
    }
}
