//! One write request, and what its answer means. Knows nothing of batches, retries or the spool.
//!
//! `POST /api/v2/write`, whole lines, milliseconds. Redirects are not followed: readings and token are meant for the
//! configured address; proxies of the environment are not asked.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, redirect};
use url::Url;

use super::SeriesError;
use crate::config;
use crate::ingest::backoff::asked_wait;
use crate::telemetry::now_ms;

/// Longest reason kept of what a server says.
const REASON_CHARS_MAX: usize = 200;
/// Read of a refusal. InfluxDB repeats the lines that it refuses, so it may be as long as they are.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Idle connections are closed before servers tend to close them under us.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

pub(super) struct Sink {
    client: Client,
    url: Url,
    authorization: Option<HeaderValue>,
}

/// Why lines were not taken. Each text is short, one line, and free of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WriteFault {
    /// No answer, or one that asks for patience: the same again later, not before the time that the server names.
    Busy { reason: String, retry_after: Option<Duration> },
    /// A line-protocol server says that some of these lines are bad.
    BadLines(String),
    /// Too many bytes in one request.
    TooLarge(String),
    /// Not the lines' fault: credentials, bucket, or not a server of this kind at all.
    Refused { status: u16, reason: String },
}

impl Sink {
    pub(super) fn new(settings: &config::Series) -> Result<Self, SeriesError> {
        let mut url = checked_url(&settings.url)?;
        for (name, text) in [("org", &settings.org), ("bucket", &settings.bucket)] {
            // InfluxDB answers 400 to an empty one, which would read as "bad lines".
            if text.is_empty() {
                return Err(SeriesError::Empty(name));
            }
        }
        let path = format!("{}/api/v2/write", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.query_pairs_mut().extend_pairs([
            ("bucket", settings.bucket.as_str()),
            ("org", &settings.org),
            ("precision", "ms"),
        ]);
        let authorization = read_token(settings)?.map(|token| authorization(&token)).transpose()?;
        let timeout = settings.timeout.duration();
        // Only the first caller in the process installs; whoever came before brought a provider as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            .pool_idle_timeout(IDLE_CONNECTION)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| SeriesError::Client(error.to_string()))?;
        Ok(Sink { client, url, authorization })
    }

    /// Writes whole lines. `Ok` means that the server said 204, which some servers (VictoriaMetrics) say of lines
    /// that they dropped, too.
    pub(super) async fn write(&self, lines: Bytes) -> Result<(), WriteFault> {
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "text/plain; charset=utf-8");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let response = request.body(lines).send().await.map_err(unanswered)?;
        let status = response.status().as_u16();
        if status == 204 {
            return Ok(());
        }
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| asked_wait(text, now_ms()));
        let text = beginning(response).await.map_err(unanswered)?;
        Err(answered(status, &text, retry_after))
    }
}

pub(super) fn read_token(settings: &config::Series) -> Result<Option<String>, SeriesError> {
    let token = settings.token.as_ref().map(config::Secret::read).transpose();
    token.map_err(|error| SeriesError::Secret(error.to_string()))
}

fn authorization(token: &str) -> Result<HeaderValue, SeriesError> {
    let mut value = HeaderValue::from_str(&format!("Token {token}")).map_err(|_| SeriesError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What the server says, up to the limit; an answer that breaks off is no verdict.
async fn beginning(mut response: Response) -> Result<String, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES_MAX - bytes.len())]);
        if bytes.len() == ANSWER_BYTES_MAX {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn checked_url(text: &str) -> Result<Url, SeriesError> {
    let url = Url::parse(text).map_err(|cause| SeriesError::NotUrl(redacted(text), cause))?;
    let problem = if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        "neither http:// nor https://"
    } else if !url.username().is_empty() || url.password().is_some() {
        "credentials belong into the token"
    } else if url.query().is_some() || url.fragment().is_some() {
        "only scheme, host, port and path are used"
    } else {
        return Ok(url);
    };
    Err(SeriesError::Url(redacted(text), problem))
}

/// Without what may be a secret: everything up to an `@`, and from a `?` on.
fn redacted(text: &str) -> String {
    let head = text.split(['?', '#']).next().unwrap_or_default();
    match head.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => head.to_owned(),
    }
}

/// What an answer other than 204 means. InfluxDB's own: <https://docs.influxdata.com/influxdb/v2/write-data/troubleshoot/>
fn answered(status: u16, text: &str, retry_after: Option<Duration>) -> WriteFault {
    let plainly = match status {
        300..=399 => ": redirects are not followed",
        401 => ": the server does not accept the token",
        403 => ": the token may not write to this bucket",
        404 => ": there is no such bucket, or no such server at this address",
        _ => "",
    };
    let reason = short(&format!("answered {status}{plainly}: {text}"));
    match status {
        408 | 425 | 429 | 500..=599 => WriteFault::Busy { reason, retry_after },
        413 => WriteFault::TooLarge(reason),
        // Lines are dropped on the word of a server that knows line protocol, not of a proxy or a web site.
        400 | 422 if is_protocol_server(text) => WriteFault::BadLines(reason),
        _ => WriteFault::Refused { status, reason },
    }
}

/// InfluxDB 2 and Cloud answer `{"code":…,"message":…}`, InfluxDB 1.8 and 3 `{"error":…}`.
pub(super) fn is_protocol_server(text: &str) -> bool {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(answer)) => answer.contains_key("code") || answer.contains_key("error"),
        _ => false,
    }
}

fn unanswered(error: reqwest::Error) -> WriteFault {
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
    WriteFault::Busy { reason: short(&format!("{what}: {root}")), retry_after: None }
}

pub(super) fn short(text: &str) -> String {
    let mut reason: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_CHARS_MAX).collect();
    reason.truncate(reason.trim_end().len());
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_cannot_be_written_to_is_an_error() {
        for (url, said) in [
            ("", "not a URL"),
            ("/3242/23", "not a URL"),
            ("localhost:8086", "neither http://"),
            ("mailto:someone", "neither http://"),
            ("http://u:hunter2@tsdb", "token"),
            ("http://tsdb?token=hunter2", "only scheme"),
            ("http://[::1", "not a URL"),
        ] {
            let error = checked_url(url).unwrap_err().to_string();
            assert!(error.contains(said), "{url:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        for url in ["http://127.0.0.1:8086", "http://tsdb/", "https://tsdb", "http://proxy/influx/"] {
            assert!(checked_url(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn lines_are_blamed_only_by_a_server_that_knows_them() {
        let answered = |status, text| answered(status, text, None);
        let influx = r#"{"code":"invalid","message":"unable to parse 'x'"}"#;
        assert!(matches!(answered(400, influx), WriteFault::BadLines(_)));
        assert!(matches!(answered(422, r#"{"code":"unprocessable entity"}"#), WriteFault::BadLines(_)));
        assert!(matches!(answered(400, r#"{"error":"partial write"}"#), WriteFault::BadLines(_)));
        for (status, text) in [(400, "<html>Bad Request</html>"), (400, ""), (422, "[]"), (404, influx), (401, influx)]
        {
            assert!(matches!(answered(status, text), WriteFault::Refused { .. }), "{status} {text}");
        }
        // Success that is not the protocol's: some other server answers at this address.
        assert!(matches!(answered(200, "welcome"), WriteFault::Refused { .. }));
        assert!(matches!(answered(302, ""), WriteFault::Refused { .. }));
        assert!(matches!(answered(503, influx), WriteFault::Busy { .. }));
        assert!(matches!(answered(429, ""), WriteFault::Busy { .. }));
        assert!(matches!(answered(413, ""), WriteFault::TooLarge(_)));
    }

    #[test]
    fn reasons_are_short_and_of_one_line() {
        let WriteFault::Refused { reason, .. } = answered(401, &"no\nway ".repeat(1000), None) else { panic!() };
        assert!(reason.starts_with("answered 401: the server does not accept the token: no way"));
        assert!(reason.chars().count() <= REASON_CHARS_MAX && !reason.contains('\n'));
    }
}
