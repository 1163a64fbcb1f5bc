//! A strict stand-in for InfluxDB 2's write interface (docs.influxdata.com/influxdb/v2/api/#operation/PostWrite) and its list
//! of buckets (#operation/GetBuckets), scripted with verbs, and a worker that writes to it from a spool in memory.

use std::collections::{HashSet, VecDeque};
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures::{StreamExt, stream};
use outpost::config::{self, Secret, Series, Span};
use outpost::series::{Progress, Worker};
use outpost::telemetry::clock::now_ms;
use outpost::telemetry::metrics::SeriesMetrics;
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support_out::{MemorySpool, until};

pub(crate) const TOKEN: &str = "s3cret-token";

/// What the server does with one request in place of its work.
#[derive(Debug, Clone)]
pub(crate) enum Mood {
    /// Status, Retry-After, body.
    Answers(u16, Option<String>, &'static str),
    /// Takes the request and never says anything.
    Hangs,
    /// Begins to say no, byte by byte, without end.
    Drips,
    /// Begins to say no and hangs up in the middle.
    BreaksOff,
}

/// How the server tells of lines that it cannot take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The good lines of the request are kept all the same.
    pub(crate) is_partial: bool,
}

/// Moods are used up one by one; without any the server is InfluxDB. Lines with `bad` in them are bad.
pub(crate) struct FakeInflux {
    moods: Mutex<VecDeque<Mood>>,
    /// What it does when it is asked for its buckets, each time; none: it lists them.
    buckets_mood: Mutex<Option<Mood>>,
    buckets: Mutex<Vec<String>>,
    n_buckets_asked: AtomicUsize,
    body_bytes_max: Option<usize>,
    refusal: Refusal,
    /// When each request came.
    asked_ms: Mutex<Vec<i64>>,
    /// In the order in which they first came: the same point again is the same point.
    stored: Mutex<Vec<String>>,
}

impl Default for FakeInflux {
    fn default() -> Self {
        FakeInflux {
            moods: Mutex::default(),
            buckets_mood: Mutex::default(),
            buckets: Mutex::new(vec!["readings".into()]),
            n_buckets_asked: AtomicUsize::default(),
            body_bytes_max: None,
            refusal: Refusal { status: 400, is_partial: false },
            asked_ms: Mutex::default(),
            stored: Mutex::default(),
        }
    }
}

impl FakeInflux {
    pub(crate) fn taking_at_most(body_bytes_max: usize) -> FakeInflux {
        FakeInflux { body_bytes_max: Some(body_bytes_max), ..FakeInflux::default() }
    }

    pub(crate) fn refusing(status: u16, is_partial: bool) -> FakeInflux {
        FakeInflux { refusal: Refusal { status, is_partial }, ..FakeInflux::default() }
    }

    pub(crate) fn stored(&self) -> Vec<String> {
        self.stored.lock().unwrap().clone()
    }

    pub(crate) fn n_requests(&self) -> usize {
        self.asked_ms().len()
    }

    pub(crate) fn asked_ms(&self) -> Vec<i64> {
        self.asked_ms.lock().unwrap().clone()
    }

    pub(crate) fn will(&self, moods: &[Mood]) {
        self.moods.lock().unwrap().extend(moods.iter().cloned());
    }

    /// Answers each write with this status, until it relents.
    pub(crate) fn refuses(&self, status: u16) {
        self.will(&vec![Mood::Answers(status, None, ""); 1_000]);
    }

    /// Whatever it had in mind: from now on it takes lines.
    pub(crate) fn relent(&self) {
        self.moods.lock().unwrap().clear();
    }

    pub(crate) fn has_buckets(&self, names: Vec<String>) {
        *self.buckets.lock().unwrap() = names;
    }

    pub(crate) fn will_say_of_its_buckets(&self, mood: Mood) {
        *self.buckets_mood.lock().unwrap() = Some(mood);
    }

    pub(crate) fn n_buckets_asked(&self) -> usize {
        self.n_buckets_asked.load(Ordering::SeqCst)
    }

    /// As InfluxDB 2.7 lists them, its own among them.
    fn list_buckets(&self) -> Response {
        let bucket = |kind: &str, name: &str| {
            json!({
                "id": "0c9cbd6a1a7e6a3c", "orgID": "e1dd0a3a6d0a9f3b", "type": kind, "name": name,
                "retentionRules": [{"type": "expire", "everySeconds": 604_800, "shardGroupDurationSeconds": 86_400}],
                "createdAt": "2026-01-01T00:00:00.000000001Z", "updatedAt": "2026-01-01T00:00:00.000000001Z",
                "links": {"self": "/api/v2/buckets/0c9cbd6a1a7e6a3c", "write": "/api/v2/write?org=x&bucket=y"},
                "labels": [],
            })
        };
        let system = bucket("system", "_monitoring");
        let buckets = self.buckets.lock().unwrap();
        let buckets: Vec<_> = [system].into_iter().chain(buckets.iter().map(|name| bucket("user", name))).collect();
        Json(json!({"links": {"self": "/api/v2/buckets?limit=100"}, "buckets": buckets})).into_response()
    }

    fn write(&self, lines: &str) -> Response {
        let influx = |status: u16, code, message: &str| {
            let body = format!(r#"{{"code":"{code}","message":"{message}"}}"#);
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        };
        if self.body_bytes_max.is_some_and(|max| lines.len() > max) {
            return influx(413, "request too large", "body too large");
        }
        assert!(lines.ends_with('\n'), "a line is cut: {lines:?}");
        let (bad, good): (Vec<&str>, Vec<&str>) = lines.lines().partition(|line| line.contains("bad"));
        if bad.is_empty() || self.refusal.is_partial {
            let mut stored = self.stored.lock().unwrap();
            let known: HashSet<String> = stored.iter().cloned().collect();
            stored.extend(good.into_iter().filter(|line| !known.contains(*line)).map(str::to_owned));
        }
        match (bad.len(), self.refusal.status) {
            (0, _) => StatusCode::NO_CONTENT.into_response(),
            (n, 422) => {
                let said = format!("partial write: points beyond retention policy dropped={n}");
                influx(422, "unprocessable entity", &said)
            }
            (n, status) if self.refusal.is_partial => {
                influx(status, "invalid", &format!("partial write: unable to parse 'bad' dropped={n}"))
            }
            (_, status) => influx(status, "invalid", "unable to parse 'bad': missing fields"),
        }
    }
}

async fn write(
    State(server): State<Arc<FakeInflux>>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    lines: String,
) -> Response {
    let expected = [("bucket", "readings"), ("org", "district"), ("precision", "ms")];
    assert_eq!(query, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(headers["authorization"], format!("Token {TOKEN}"));
    server.asked_ms.lock().unwrap().push(now_ms());
    let mood = server.moods.lock().unwrap().pop_front();
    match mood {
        None => server.write(&lines),
        Some(mood) => mood.act().await,
    }
}

async fn list_buckets(
    State(server): State<Arc<FakeInflux>>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let expected = [("limit", "100"), ("org", "district")];
    assert_eq!(query, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(headers["authorization"], format!("Token {TOKEN}"));
    server.n_buckets_asked.fetch_add(1, Ordering::SeqCst);
    let mood = server.buckets_mood.lock().unwrap().clone();
    match mood {
        None => server.list_buckets(),
        Some(mood) => mood.act().await,
    }
}

impl Mood {
    async fn act(self) -> Response {
        match self {
            Mood::Hangs => std::future::pending().await,
            Mood::Answers(status, retry_after, body) => {
                let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
                if let Some(retry_after) = retry_after {
                    response.headers_mut().insert("retry-after", retry_after.parse().unwrap());
                }
                if status == 302 {
                    response.headers_mut().insert("location", "/elsewhere".parse().unwrap());
                }
                response
            }
            Mood::Drips => {
                let drops = stream::repeat(()).then(async |()| {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    Ok::<_, std::io::Error>(Bytes::from_static(b" "))
                });
                (StatusCode::BAD_REQUEST, Body::from_stream(drops)).into_response()
            }
            Mood::BreaksOff => {
                let pieces =
                    [Ok(Bytes::from_static(br#"{"code":"invalid","#)), Err(std::io::Error::other("breaks off"))];
                (StatusCode::BAD_REQUEST, Body::from_stream(stream::iter(pieces))).into_response()
            }
        }
    }
}

/// A worker on a spool in memory, and the server that it writes to.
pub(crate) struct Scene {
    pub(crate) server: Arc<FakeInflux>,
    pub(crate) spool: Arc<MemorySpool>,
    pub(crate) progress: Arc<Progress>,
    wake: Arc<Notify>,
    stop: CancellationToken,
    settings: Series,
    token: Arc<tempfile::NamedTempFile>,
}

impl Scene {
    pub(crate) async fn start(server: FakeInflux) -> Scene {
        Scene::start_with(server, |_| {}).await
    }

    pub(crate) async fn start_with(server: FakeInflux, change: impl FnOnce(&mut Series)) -> Scene {
        let server = Arc::new(server);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // Takes whatever is sent elsewhere: those lines are then missing.
        let elsewhere = async || StatusCode::NO_CONTENT;
        let router = Router::new()
            .route("/api/v2/write", post(write))
            .route("/api/v2/buckets", get(list_buckets))
            .route("/behind/a/proxy/api/v2/write", post(write))
            .fallback(elsewhere)
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut token = tempfile::NamedTempFile::new().unwrap();
        writeln!(token, "{TOKEN}").unwrap();
        let mut settings = Series {
            url,
            org: "district".into(),
            bucket: "readings".into(),
            token: Some(Secret::File(token.path().into())),
            batch_bytes_max: config::Bytes(1 << 16),
            linger: Span::from_ms(10),
            timeout: Span::from_ms(300),
            spool_bytes_max: config::Bytes(1 << 20),
            retry_max: Span::from_ms(300),
            down_after: Span::from_ms(300_000),
        };
        change(&mut settings);
        Scene::work(server, settings, Arc::new(token))
    }

    /// Where the server listens.
    pub(crate) fn address(&self) -> String {
        self.settings.url.trim_start_matches("http://").to_owned()
    }

    /// Another worker for the same server, with a spool of its own.
    pub(crate) fn beside(&self, change: impl FnOnce(&mut Series)) -> Scene {
        let mut settings = self.settings.clone();
        change(&mut settings);
        Scene::work(self.server.clone(), settings, self.token.clone())
    }

    fn work(server: Arc<FakeInflux>, settings: Series, token: Arc<tempfile::NamedTempFile>) -> Scene {
        let (spool, wake, stop) = (Arc::new(MemorySpool::default()), Arc::new(Notify::new()), CancellationToken::new());
        let worker = Worker::new(&settings, spool.clone(), wake.clone(), SeriesMetrics::default()).unwrap();
        let progress = worker.progress();
        tokio::spawn(worker.run(stop.clone()));
        Scene { server, spool, progress, wake, stop, settings, token }
    }

    /// Another process on the same spool.
    pub(crate) fn restart(&mut self) {
        self.stop.cancel();
        self.stop = CancellationToken::new();
        let (spool, wake) = (self.spool.clone(), self.wake.clone());
        let worker = Worker::new(&self.settings, spool, wake, SeriesMetrics::default()).unwrap();
        self.progress = worker.progress();
        tokio::spawn(worker.run(self.stop.clone()));
    }

    pub(crate) fn push(&self, lines: &str) {
        self.spool.push(lines);
        self.wake.notify_one();
    }

    pub(crate) async fn drained(&self) {
        until("the spool is empty", || self.spool.is_empty()).await;
    }

    /// Written, rejected, tried again.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        (self.progress.n_written(), self.progress.n_rejected(), self.progress.n_retries())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Lines `0..n`.
pub(crate) fn good(n: usize) -> String {
    (0..n).map(|i| format!("reading,source=s{i} value=1 {i}\n")).collect()
}
