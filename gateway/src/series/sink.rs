//! One write request through influxdb2, and what its answer means. Knows nothing of batches, retries or the spool.
//!
//! influxdb2 0.5 carries the bytes and no more: it panics on a bad URL, drops a path in it, has no time-out, keeps
//! the status of an answer but not its headers (so a server's Retry-After never reaches us: our own back-off
//! paces), and reads the body of a refusal without a limit (bounded here by the time-out only). The first three are
//! met below. It speaks plain HTTP here: its TLS is outdated, so a server elsewhere is reached by a local proxy.

use std::time::Duration;

use bytes::Bytes;
use influxdb2::api::write::TimestampPrecision;
use influxdb2::{Client, ClientBuilder, RequestError};
use url::Url;

use super::SeriesError;
use crate::config;

/// Longest reason kept of what a server says.
const REASON_CHARS_MAX: usize = 200;
/// Idle connections are closed before servers tend to close them under us.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

pub(super) struct Sink {
    client: Client,
    org: String,
    bucket: String,
}

/// Why lines were not taken. Each text is short, one line, and free of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WriteFault {
    /// No answer, or one that asks for patience: the same again later.
    Busy(String),
    /// A line-protocol server says that some of these lines are bad.
    BadLines(String),
    /// Too many bytes in one request.
    TooLarge(String),
    /// Not the lines' fault: credentials, bucket, or not a server of this kind at all.
    Refused(String),
}

impl Sink {
    pub(super) fn new(settings: &config::Series) -> Result<Self, SeriesError> {
        let url = checked_url(&settings.url)?;
        for (name, text) in [("org", &settings.org), ("bucket", &settings.bucket)] {
            // InfluxDB answers 400 to an empty one, which would read as "bad lines".
            if text.is_empty() {
                return Err(SeriesError::Empty(name));
            }
        }
        let token = settings.token.as_ref().map(config::Secret::read).transpose();
        let token = token.map_err(|error| SeriesError::Secret(error.to_string()))?.unwrap_or_default();
        if !token.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(SeriesError::Token);
        }
        let timeout = settings.timeout.duration();
        let transport = reqwest_v011::ClientBuilder::new()
            .timeout(timeout)
            .connect_timeout(timeout)
            .pool_idle_timeout(IDLE_CONNECTION)
            .redirect(reqwest_v011::redirect::Policy::none())
            // The server is named in the configuration; no variable of the environment may send readings elsewhere.
            .no_proxy();
        let client = ClientBuilder::with_builder(transport, url.as_str(), &settings.org, token)
            .build()
            .map_err(|error| SeriesError::Client(error.to_string()))?;
        Ok(Sink { client, org: settings.org.clone(), bucket: settings.bucket.clone() })
    }

    /// Writes whole lines. `Ok` means that the server said 204, which some servers (VictoriaMetrics) say of lines
    /// that they dropped, too.
    pub(super) async fn write(&self, lines: Bytes) -> Result<(), WriteFault> {
        self.client
            .write_line_protocol_with_precision(&self.org, &self.bucket, lines, TimestampPrecision::Milliseconds)
            .await
            .map_err(fault)
    }
}

fn checked_url(text: &str) -> Result<Url, SeriesError> {
    let url = Url::parse(text).map_err(|cause| SeriesError::NotUrl(redacted(text), cause))?;
    let problem = if url.scheme() != "http" {
        "only http:// is spoken here; TLS by a local proxy"
    } else if !url.username().is_empty() || url.password().is_some() {
        "credentials belong into the token"
    } else if url.path() != "/" {
        "a path would be dropped: the client always writes to /api/v2/write"
    } else if url.query().is_some() || url.fragment().is_some() {
        "only scheme, host and port are used"
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

fn fault(error: RequestError) -> WriteFault {
    match error {
        RequestError::ReqwestProcessing { source } => WriteFault::Busy(transport_reason(source)),
        RequestError::Http { status, text } => answered(status.as_u16(), &text),
        // Never made by a write; kept apart from the network's faults all the same.
        other => WriteFault::Refused(short(&other.to_string())),
    }
}

/// What an answer other than 204 means. InfluxDB's own: <https://docs.influxdata.com/influxdb/v2/write-data/troubleshoot/>
fn answered(status: u16, text: &str) -> WriteFault {
    let reason = short(&format!("answered {status}: {text}"));
    match status {
        408 | 425 | 429 | 500..=599 => WriteFault::Busy(reason),
        413 => WriteFault::TooLarge(reason),
        // Lines are dropped on the word of a server that knows line protocol, not of a proxy or a web site.
        400 | 422 if is_protocol_server(text) => WriteFault::BadLines(reason),
        _ => WriteFault::Refused(reason),
    }
}

/// InfluxDB 2 and Cloud answer `{"code":…,"message":…}`, InfluxDB 1.8 and 3 `{"error":…}`.
fn is_protocol_server(text: &str) -> bool {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(answer)) => answer.contains_key("code") || answer.contains_key("error"),
        _ => false,
    }
}

fn transport_reason(error: reqwest_v011::Error) -> String {
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
    short(&format!("{what}: {root}"))
}

fn short(text: &str) -> String {
    let mut reason: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_CHARS_MAX).collect();
    reason.truncate(reason.trim_end().len());
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_the_client_would_choke_on_is_an_error_and_not_a_panic() {
        for (url, said) in [
            ("", "not a URL"),
            ("/3242/23", "not a URL"),
            ("localhost:8086", "only http://"),
            ("mailto:someone", "only http://"),
            ("https://tsdb", "TLS by a local proxy"),
            ("http://u:hunter2@tsdb", "token"),
            ("http://tsdb/v1/influxdb", "path would be dropped"),
            ("http://tsdb?token=hunter2", "only scheme"),
            ("http://[::1", "not a URL"),
        ] {
            let error = checked_url(url).unwrap_err().to_string();
            assert!(error.contains(said), "{url:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(checked_url("http://127.0.0.1:8086").is_ok());
        assert!(checked_url("http://tsdb/").is_ok());
    }

    #[test]
    fn lines_are_blamed_only_by_a_server_that_knows_them() {
        let influx = r#"{"code":"invalid","message":"unable to parse 'x'"}"#;
        assert!(matches!(answered(400, influx), WriteFault::BadLines(_)));
        assert!(matches!(answered(422, r#"{"code":"unprocessable entity"}"#), WriteFault::BadLines(_)));
        assert!(matches!(answered(400, r#"{"error":"partial write"}"#), WriteFault::BadLines(_)));
        for (status, text) in [(400, "<html>Bad Request</html>"), (400, ""), (422, "[]"), (404, influx), (401, influx)]
        {
            assert!(matches!(answered(status, text), WriteFault::Refused(_)), "{status} {text}");
        }
        // Success that is not the protocol's: some other server answers at this address.
        assert!(matches!(answered(200, "welcome"), WriteFault::Refused(_)));
        assert!(matches!(answered(302, ""), WriteFault::Refused(_)));
        assert!(matches!(answered(503, influx), WriteFault::Busy(_)));
        assert!(matches!(answered(429, ""), WriteFault::Busy(_)));
        assert!(matches!(answered(413, ""), WriteFault::TooLarge(_)));
    }

    #[test]
    fn reasons_are_short_and_of_one_line() {
        let WriteFault::Refused(reason) = answered(401, &"no\nway ".repeat(1000)) else { panic!() };
        assert!(reason.starts_with("answered 401: no way"));
        assert!(reason.chars().count() <= REASON_CHARS_MAX && !reason.contains('\n'));
    }
}
