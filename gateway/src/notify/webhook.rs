//! A letter by HTTP POST, signed as Standard Webhooks. Knows nothing of retries or the outbox.
//!
//! Headers: `Idempotency-Key` and `webhook-id` carry the key, `webhook-timestamp` the time of the attempt in seconds,
//! `webhook-signature` where a secret is configured. Any 2xx acknowledges. Redirects are not followed: the letter was
//! meant for the configured address, and nobody else gets to see it; proxies of the environment are not asked.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};
use url::Url;

use super::signature::SigningKey;
use super::{Fault, Letter, NotifierError};
use crate::ingest::backoff::asked_wait;
use crate::telemetry::now_ms;

/// Read of an answer's body; what is said there helps operators, the rest is not our business.
const ANSWER_BYTES_MAX: usize = 4 << 10;
const USER_AGENT: &str = concat!("outpost/", env!("CARGO_PKG_VERSION"));

pub struct Webhook {
    client: Client,
    url: Url,
    shown: String,
    key: Option<SigningKey>,
    /// What the receiver says is kept for operators; not where its URL holds a secret, which many servers repeat.
    may_quote: bool,
}

impl Webhook {
    /// `timeout` bounds an attempt from its connect to the end of the answer.
    pub fn new(url: &str, secret: Option<&str>, timeout: Duration) -> Result<Self, NotifierError> {
        let url = checked_url(url)?;
        let shown = shown(&url);
        let key = secret.map(SigningKey::parse).transpose();
        let key = key.map_err(|problem| NotifierError::Secret(problem.into()))?;
        // Only the first caller in the process installs; whoever came before brought a provider as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .timeout(timeout)
            .connect_timeout(timeout)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| NotifierError::Client(reason(error)))?;
        let may_quote = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        Ok(Webhook { client, url, shown, key, may_quote })
    }

    /// The URL without user, password and query.
    pub fn address(&self) -> &str {
        &self.shown
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<(), Fault> {
        let key = HeaderValue::from_str(&letter.key)
            .map_err(|_| Fault::refused(format!("key {:?} cannot be a header", letter.key)))?;
        let sent_s = letter.sent_ms.div_euclid(1_000);
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, letter.content_type)
            .header("idempotency-key", key.clone())
            .header("webhook-id", key)
            .header("webhook-timestamp", sent_s);
        if let Some(signing) = &self.key {
            request = request.header("webhook-signature", signing.sign(&letter.key, sent_s, &letter.body));
        }
        match request.body(letter.body.clone()).send().await {
            Ok(response) => self.judge(response).await,
            Err(error) => Err(Fault::passing(reason(error))),
        }
    }

    async fn judge(&self, response: Response) -> Result<(), Fault> {
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| asked_wait(text, now_ms()));
        if status.is_success() {
            // Read to its end where it is short, so that the connection can be used again; the verdict stands already.
            if response.content_length().is_some_and(|length| length <= ANSWER_BYTES_MAX as u64) {
                let _ = response.bytes().await;
            }
            return Ok(());
        }
        let mut text = format!("answered {}", status.as_u16());
        if status.is_redirection() {
            text.push_str(": redirects are not followed");
        } else if self.may_quote {
            text.push_str(": ");
            text.push_str(&beginning(response).await);
        }
        Err(Fault { retry_after, ..fault(status, &text) })
    }
}

fn fault(status: StatusCode, text: &str) -> Fault {
    let patience =
        [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    if patience || status.is_server_error() { Fault::passing(text) } else { Fault::refused(text) }
}

async fn beginning(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_BYTES_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES_MAX - bytes.len())]),
            Ok(None) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn checked_url(text: &str) -> Result<Url, NotifierError> {
    let problem = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => return Ok(url),
        Ok(url) => format!("scheme {:?} is neither http nor https", url.scheme()),
        Err(error) => error.to_string(),
    };
    // Not parsed, so not known which part is secret: only what precedes any user, query or fragment is shown.
    let shown = text.split(['?', '#']).next().unwrap_or_default();
    let shown = shown.rsplit_once('@').map_or(shown.to_owned(), |(_, host)| format!("…@{host}"));
    Err(NotifierError::Url { shown, problem })
}

fn shown(url: &Url) -> String {
    let mut shown = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        shown.push_str(&format!(":{port}"));
    }
    shown.push_str(url.path());
    shown
}

/// The kind of failure and its innermost cause, without the URL.
fn reason(error: reqwest::Error) -> String {
    let what = match (error.is_timeout(), error.is_connect()) {
        (true, _) => "timed out",
        (_, true) => "cannot connect",
        _ => "connection failed",
    };
    let error = error.without_url();
    let mut root: &dyn std::error::Error = &error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    format!("{what}: {root}")
}

#[cfg(test)]
mod tests {
    use super::super::FaultKind;
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        let timeout = Duration::from_secs(1);
        let webhook = Webhook::new("https://u:hunter2@centre:8443/in/box?token=hunter2#x", None, timeout).unwrap();
        assert_eq!(webhook.address(), "https://centre:8443/in/box");
        for url in ["centre?hunter2", "ftp://u:hunter2@centre", "http://hunter2@[::1", "", "mailto:a@b"] {
            let error = Webhook::new(url, None, timeout).err().unwrap().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn statuses_are_told_apart_by_who_has_to_act() {
        let kind = |status| fault(StatusCode::from_u16(status).unwrap(), "").kind;
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert_eq!(kind(status), FaultKind::Passing, "{status}");
        }
        for status in [300, 302, 400, 401, 403, 404, 410, 422] {
            assert_eq!(kind(status), FaultKind::Refused, "{status}");
        }
    }
}
