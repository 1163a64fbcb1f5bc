//! What each packet of a client does to its connection.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::close::Close;
use super::codec::{Answers, Packet, Publish, Version};
use super::connection::{Allowed, Connection, Topic};
use super::hub::Hub;
use crate::config::topic::TopicFilter;
use crate::ingest::{Message, Quality, Receipt};

/// Topics that a connection need not look up again. Beyond them it begins anew.
const TOPICS_MAX: usize = 4_096;
/// Longest topic that is kept so.
const TOPIC_BYTES_MAX: usize = 256;

impl Connection {
    pub(super) fn take(&self, hub: &Hub, packet: Packet) -> Result<(), Close> {
        match packet {
            Packet::Publish(publish) => return self.publish(hub, publish),
            Packet::Release { packet } => {
                // Released or not, after a crash or not: the client is done with it, and so are we.
                self.unreleased.borrow_mut().remove(&packet);
                self.answer(|answers| answers.completed(packet));
            }
            Packet::Subscribe { packet, filters } => {
                let granted: Vec<Option<Quality>> = filters
                    .iter()
                    .map(|(filter, quality)| TopicFilter::parse(filter).is_ok().then_some(*quality))
                    .collect();
                self.answer(|answers| answers.subscribed(packet, &granted));
            }
            Packet::Unsubscribe { packet, n_filters } => self.answer(|answers| answers.unsubscribed(packet, n_filters)),
            Packet::Ping => self.answer(|answers| answers.pong()),
            Packet::Disconnect { with_will, session_expiry_s } => {
                if let Some(seconds) = session_expiry_s {
                    // A session that was to end with its connection cannot be kept after all.
                    if self.expiry.get().is_zero() && seconds > 0 {
                        return Err(Close::Protocol);
                    }
                    let asked = Duration::from_secs(seconds.into());
                    self.expiry.set(asked.min(hub.bounds.session_expiry_max.duration()));
                }
                return Err(if with_will { Close::ClientWithWill } else { Close::Client });
            }
        }
        Ok(())
    }

    fn answer(&self, with: impl FnOnce(&mut Answers<'_>)) {
        with(&mut Answers { version: self.version, out: &mut self.out.borrow_mut() });
        self.written.notify_one();
    }

    fn publish(&self, hub: &Hub, publish: Publish) -> Result<(), Close> {
        let Publish { topic, alias, payload, packet, quality, again, retain } = publish;
        let topic = self.topic(hub, &topic, alias)?;
        if packet != 0 && self.version == Version::V5 {
            let unreleased = self.unreleased.borrow();
            let n_open = self.n_unanswered.get() + unreleased.len() - usize::from(unreleased.contains(&packet));
            if n_open >= usize::from(hub.bounds.inflight_max) {
                return Err(Close::ReceiveMaximum);
            }
        }
        let Some(topic) = topic else { return self.forbid(hub, packet, quality) };
        if retain {
            hub.metrics.retained.inc();
        }
        let n_bytes = hub.hold(&topic, &payload);
        let message = Message {
            broker: hub.name.clone(),
            client: Some(self.client.clone()),
            topic,
            payload,
            withheld_bytes: 0,
            received_ms: self.received_ms.get(),
            receipt: Receipt { epoch: self.number, packet, quality, redelivered: again, n_bytes },
        };
        self.n_received.set(self.n_received.get() + 1);
        if packet != 0 {
            self.n_unanswered.set(self.n_unanswered.get() + 1);
        }
        let mut waiting = self.waiting.borrow_mut();
        waiting.push_back(message);
        if waiting.len() == 1 {
            self.arrived.notify_one();
        }
        Ok(())
    }

    fn topic(&self, hub: &Hub, name: &Bytes, alias: Option<u16>) -> Result<Topic, Close> {
        if alias.is_some_and(|alias| alias > hub.bounds.topic_aliases_max) {
            return Err(Close::TopicAlias);
        }
        let topic = match (name.is_empty(), alias) {
            (false, _) => self.known(name)?,
            (true, Some(alias)) => return self.aliases.borrow().get(&alias).cloned().ok_or(Close::TopicAlias),
            (true, None) => return Err(Close::Protocol),
        };
        if let Some(alias) = alias {
            self.aliases.borrow_mut().insert(alias, topic.clone());
        }
        Ok(topic)
    }

    fn known(&self, name: &Bytes) -> Result<Topic, Close> {
        if let Some(Allowed(topic)) = self.topics.borrow().get(&**name) {
            return Ok(Some(topic.clone()));
        }
        let text = std::str::from_utf8(name).map_err(|_| Close::Malformed)?;
        if !self.permit.allows(text) {
            return Ok(None);
        }
        let topic: Arc<str> = text.into();
        if name.len() <= TOPIC_BYTES_MAX {
            let mut topics = self.topics.borrow_mut();
            if topics.len() >= TOPICS_MAX {
                topics.clear();
            }
            topics.insert(Allowed(topic.clone()));
        }
        Ok(Some(topic))
    }

    fn forbid(&self, hub: &Hub, packet: u16, quality: Quality) -> Result<(), Close> {
        hub.metrics.forbidden.inc();
        hub.tell(&self.client.id, Close::Forbidden.as_str());
        if quality == Quality::AtMostOnce {
            return Ok(());
        }
        if self.version == Version::V311 {
            // An acknowledgement would be a promise.
            return Err(Close::Forbidden);
        }
        self.refusals.borrow_mut().push_back((self.n_received.get(), packet, quality));
        self.answer(|answers| self.refuse_due(answers));
        Ok(())
    }
}
