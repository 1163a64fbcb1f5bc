//! Tells receivers of what the Desk decided: one worker per receiver drains the outbox. Knows nothing of rules,
//! tickets or SQL.
//!
//! - [`Notifier`]: the registry of receiver kinds; each is a file that sends one letter and says what came of it
//! - [`body`]: a ticket as others see it
//! - [`cap`]: a ticket as the Common Alerting Protocol says it
//! - `glance`: what a letter says of its ticket, for those who do not send JSON
//! - `cloudevent`: a delivery → CloudEvents 1.0 JSON, the same for every kind
//! - `composer`: which of the two a receiver gets
//! - `policy`: when to try again, when to give up; lives once, for all kinds
//! - `order`: which delivery goes first
//! - `worker`: the loop
//! - `progress`: what operators see of it
//!
//! At least once: a delivery leaves the outbox after the receiver's acknowledgement. A crash in between sends it again
//! with the same key, by which receivers fold repeats.

pub mod body;
pub mod cap;
mod cloudevent;
mod composer;
mod email;
mod glance;
mod mqtt;
mod order;
mod policy;
mod progress;
mod signature;
mod webhook;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use composer::Told;
pub use email::Email;
pub use mqtt::{Mqtt, Publish, PublishError};
pub use progress::{Phase, Progress, Status};
pub use webhook::Webhook;
pub use worker::Worker;

use crate::config::Target;

/// Sends letters to one receiver.
pub enum Notifier {
    Webhook(Box<Webhook>),
    Mqtt(Mqtt),
    Email(Box<Email>),
}

/// One delivery, ready to go.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Idempotency key: the same at every attempt.
    pub key: String,
    /// CloudEvents JSON, the same bytes at every attempt; or CAP.
    pub body: Bytes,
    pub content_type: &'static str,
    /// The CloudEvents type, and who we are.
    pub kind: String,
    pub source: String,
    /// The ticket: JSON of [`body::TicketOut`].
    pub data: String,
    /// When this attempt is made.
    pub sent_ms: i64,
}

/// Why a receiver does not have a letter. The text is short, of one line, and free of secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    pub kind: FaultKind,
    pub text: String,
    /// The receiver asks to be left alone for this long.
    pub retry_after: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// No answer, or one that asks for patience: soon again.
    Passing,
    /// The receiver will not have it as it is. Tried again all the same, slowly: operators mend receivers.
    Refused,
}

/// A receiver that cannot work as configured.
#[derive(Debug, thiserror::Error)]
pub enum NotifierError {
    #[error("webhook url {shown:?}: {problem}")]
    Url { shown: String, problem: String },
    #[error("webhook secret: {0}")]
    Secret(String),
    #[error("webhook client: {0}")]
    Client(String),
    #[error("mail: {0}")]
    Mail(String),
    #[error("topic {0:?} cannot be published to")]
    Topic(String),
    #[error("no broker {0:?} to publish to")]
    Broker(String),
}

impl Notifier {
    /// `publisher` finds the connection of a broker that is kept for publishing.
    pub fn new(
        target: &Target,
        publisher: impl FnOnce(&str) -> Option<Arc<dyn Publish>>,
    ) -> Result<Notifier, NotifierError> {
        match target {
            Target::Webhook { url, secret, timeout, body: _ } => {
                let secret = secret.as_ref().map(|secret| secret.read()).transpose();
                let secret = secret.map_err(|error| NotifierError::Secret(error.to_string()))?;
                let webhook = Webhook::new(url, secret.as_deref(), timeout.duration())?;
                Ok(Notifier::Webhook(Box::new(webhook)))
            }
            Target::Mqtt { broker, topic, body: _ } => {
                let connection = publisher(broker).ok_or_else(|| NotifierError::Broker(broker.clone()))?;
                Ok(Notifier::Mqtt(Mqtt::new(topic, connection)?))
            }
            Target::Email { .. } => Ok(Notifier::Email(Box::new(Email::new(target)?))),
        }
    }

    /// Where letters go, without secrets.
    pub fn address(&self) -> &str {
        match self {
            Notifier::Webhook(webhook) => webhook.address(),
            Notifier::Mqtt(mqtt) => mqtt.address(),
            Notifier::Email(email) => email.address(),
        }
    }

    /// `Ok` once the receiver has acknowledged. Ends within a bounded time.
    async fn send(&self, letter: &Letter) -> Result<(), Fault> {
        match self {
            Notifier::Webhook(webhook) => webhook.send(letter).await,
            Notifier::Mqtt(mqtt) => mqtt.send(letter).await,
            Notifier::Email(email) => email.send(letter).await,
        }
    }
}

impl Fault {
    fn passing(text: impl AsRef<str>) -> Self {
        Fault { kind: FaultKind::Passing, text: short(text.as_ref()), retry_after: None }
    }

    fn refused(text: impl AsRef<str>) -> Self {
        Fault { kind: FaultKind::Refused, text: short(text.as_ref()), retry_after: None }
    }
}

/// Longest text kept of a failure.
const TEXT_CHARS_MAX: usize = 200;

fn short(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_CHARS_MAX).collect();
    line.trim_end().to_owned()
}
