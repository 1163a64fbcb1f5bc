//! Who hears of tickets, of which, when, and how.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Secret, Severity, Span, defaults};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    pub id: String,
    pub to: Target,
    #[serde(default)]
    pub hears: Hears,
    /// Least severity that is sent.
    #[serde(default = "defaults::least_severity")]
    pub from_severity: Severity,
    /// Whose tickets are sent: those that are at one of these centres, or are led by it; all where there are none.
    #[serde(default)]
    pub centres: Vec<String>,
    /// Patterns of categories that are sent; all where there are none.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Windows of the desk's calendar in which nothing is sent; it is when they end.
    #[serde(default)]
    pub quiet: Vec<String>,
    /// Tickets of this severity are sent in quiet hours, too, and emergencies always.
    #[serde(default = "defaults::breaks_quiet_from")]
    pub breaks_quiet_from: Severity,
    /// Longest wait between two attempts.
    #[serde(default = "defaults::retry_max")]
    pub retry_max: Span,
    /// Deliveries older than this are given up, counted and shown.
    #[serde(default = "defaults::give_up_after")]
    pub give_up_after: Span,
}

/// Levels of a topic that are those of the ticket.
pub const TOPIC_WORDS: [&str; 4] = ["{centre}", "{severity}", "{category}", "{stage}"];

/// How a connection to a mail server is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// Begins in plain text and refuses to go on without TLS.
    #[default]
    Starttls,
    /// TLS from the beginning.
    Tls,
    /// Plain text: without a password only.
    None,
}

/// What a letter says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// The ticket in a CloudEvents 1.0 envelope, JSON.
    #[default]
    CloudEvents,
    /// The ticket as a message of the Common Alerting Protocol 1.2, XML: Alert, Update, Cancel.
    Cap,
}

/// Of what a receiver hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hears {
    /// Each entry of the journals, and calls.
    #[default]
    All,
    /// Only when an escalation calls it.
    Calls,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Target {
    /// By POST, signed as Standard Webhooks.
    Webhook {
        url: String,
        #[serde(default)]
        body: Body,
        secret: Option<Secret>,
        #[serde(default = "defaults::connect_timeout")]
        timeout: Span,
    },
    /// To a topic, QoS 1, over a connection of its own. In the topic [`TOPIC_WORDS`] stand for what the ticket says.
    Mqtt {
        broker: String,
        topic: String,
        #[serde(default)]
        body: Body,
    },
    /// A letter that people read, by SMTP.
    Email {
        host: String,
        #[serde(default = "defaults::smtp_port")]
        port: u16,
        #[serde(default)]
        security: MailSecurity,
        /// PEM file of the authority that signed the server's certificate; the system's where absent.
        ca_file: Option<PathBuf>,
        username: Option<String>,
        password: Option<Secret>,
        from: String,
        to: Vec<String>,
        #[serde(default = "defaults::connect_timeout")]
        timeout: Span,
    },
}

impl Target {
    pub fn body(&self) -> Body {
        match self {
            Target::Webhook { body, .. } | Target::Mqtt { body, .. } => *body,
            Target::Email { .. } => Body::CloudEvents,
        }
    }
}
