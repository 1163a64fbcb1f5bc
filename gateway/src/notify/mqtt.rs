//! A letter to an MQTT topic. Knows nothing of connections (see [`Publish`]), retries or the outbox.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;

use super::glance::Glance;
use super::{Fault, Letter, NotifierError};
use crate::config::TOPIC_WORDS;

/// An attempt ends after this long; the broker may be away, and the outbox is where letters wait.
const PUBLISH_MAX: Duration = Duration::from_secs(10);
/// MQTT 5.0, 1.5.4: text is at most this long.
const TOPIC_BYTES_MAX: usize = 65_535;

/// A connection that is kept for publishing, QoS 1.
pub trait Publish: Send + Sync + 'static {
    /// Resolves once the broker has acknowledged (PUBACK), or cannot be expected to. Dropping the future gives up
    /// waiting; the message may still go out.
    fn publish<'a>(&'a self, topic: &'a str, payload: Bytes) -> BoxFuture<'a, Result<(), PublishError>>;
}

/// The texts must not hold credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// No connection now, or it broke before the acknowledgement.
    #[error("broker is away: {0}")]
    Away(String),
    /// The broker's PUBACK says no, or the message is larger than it takes.
    #[error("broker refused: {0}")]
    Refused(String),
}

pub struct Mqtt {
    connection: Arc<dyn Publish>,
    topic: String,
    wait_max: Duration,
}

impl Mqtt {
    pub fn new(topic: &str, connection: Arc<dyn Publish>) -> Result<Self, NotifierError> {
        if topic.is_empty() || topic.len() > TOPIC_BYTES_MAX || topic.contains(['+', '#', '\0']) {
            return Err(NotifierError::Topic(topic.chars().take(100).collect()));
        }
        Ok(Mqtt { connection, topic: topic.to_owned(), wait_max: PUBLISH_MAX })
    }

    pub fn address(&self) -> &str {
        &self.topic
    }

    /// With the words of the template in place.
    fn topic(&self, letter: &Letter) -> Result<Cow<'_, str>, Fault> {
        if !self.topic.contains('{') {
            return Ok(Cow::Borrowed(&self.topic));
        }
        let glance = Glance::read(&letter.data)?;
        let words = [&glance.centre, &glance.severity, &glance.category, &glance.stage];
        let put = |topic: String, (word, said): (&&str, &String)| topic.replace(word, &as_level(said));
        Ok(Cow::Owned(TOPIC_WORDS.iter().zip(words).fold(self.topic.clone(), put)))
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<(), Fault> {
        let topic = self.topic(letter)?;
        let publish = self.connection.publish(&topic, letter.body.clone());
        match tokio::time::timeout(self.wait_max, publish).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error @ PublishError::Away(_))) => Err(Fault::passing(error.to_string())),
            Ok(Err(error @ PublishError::Refused(_))) => Err(Fault::refused(error.to_string())),
            Err(_) => Err(Fault::passing("timed out: no acknowledgement by the broker")),
        }
    }
}

/// What may stand in a topic: a category keeps its levels.
fn as_level(said: &str) -> String {
    let level: String =
        said.chars().map(|c| if matches!(c, '+' | '#' | '$') || c.is_control() { '_' } else { c }).collect();
    if level.is_empty() { "_".into() } else { level }
}

#[cfg(test)]
mod tests {
    use super::super::FaultKind;
    use super::*;

    struct Broker(Option<Result<(), PublishError>>);

    impl Publish for Broker {
        fn publish<'a>(&'a self, _: &'a str, _: Bytes) -> BoxFuture<'a, Result<(), PublishError>> {
            match self.0.clone() {
                Some(answer) => Box::pin(std::future::ready(answer)),
                None => Box::pin(std::future::pending()),
            }
        }
    }

    fn letter() -> Letter {
        Letter {
            key: "T-1/1".into(),
            content_type: "application/json",
            body: Bytes::from_static(b"{}"),
            kind: "outpost.ticket.opened".into(),
            source: "outpost/west".into(),
            data: r#"{"id":"T-1","centre":"east","severity":"severe","category":"waste/#1","stage":"reported"}"#.into(),
            sent_ms: 0,
        }
    }

    #[tokio::test]
    async fn an_attempt_ends_whatever_the_broker_does() {
        let kind = async |answer| {
            let mut mqtt = Mqtt::new("tickets", Arc::new(Broker(answer))).unwrap();
            mqtt.wait_max = Duration::from_millis(20);
            mqtt.send(&letter()).await.err().map(|fault| fault.kind)
        };
        assert_eq!(kind(Some(Ok(()))).await, None);
        assert_eq!(kind(Some(Err(PublishError::Away("restarting".into())))).await, Some(FaultKind::Passing));
        assert_eq!(kind(Some(Err(PublishError::Refused("not authorised".into())))).await, Some(FaultKind::Refused));
        assert_eq!(kind(None).await, Some(FaultKind::Passing));
    }

    #[test]
    fn a_topic_goes_by_the_ticket_and_stays_one() {
        let topic = |template: &str, letter: &Letter| {
            let mqtt = Mqtt::new(template, Arc::new(Broker(None))).unwrap();
            mqtt.topic(letter).map(Cow::into_owned)
        };
        let all = "t/{centre}/{severity}/{stage}/{category}";
        assert_eq!(topic(all, &letter()).unwrap(), "t/east/severe/reported/waste/_1");
        let bare = Letter { data: "{}".into(), ..letter() };
        assert_eq!(topic("t/{centre}", &bare).unwrap(), "t/_");
        assert_eq!(topic("t", &Letter { data: "nonsense".into(), ..letter() }).unwrap(), "t");
        assert_eq!(
            topic("t/{centre}", &Letter { data: "nonsense".into(), ..letter() }).unwrap_err().kind,
            FaultKind::Refused
        );
    }

    #[test]
    fn a_filter_is_not_a_topic() {
        let broker = || Arc::new(Broker(None));
        for topic in ["", "a/+", "a/#", "a\0b"] {
            assert!(Mqtt::new(topic, broker()).is_err(), "{topic:?}");
        }
        assert!(Mqtt::new("district/west/tickets", broker()).is_ok());
    }
}
