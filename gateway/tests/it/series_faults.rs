//! The way to the time-series server when that server fails, refuses or hangs. The far end is a strict stand-in for
//! InfluxDB 2's answers (docs.influxdata.com/influxdb/v2/api/#operation/PostWrite), scripted with verbs; the
//! good path is tested against a real server in `series_victoria`.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use outpost::config::{Bytes, Secret, Series, Span};
use outpost::series::{Phase, Progress, Worker};
use outpost::telemetry::metrics::SeriesMetrics;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support_out::{MemorySpool, until};

const TOKEN: &str = "s3cret-token";

#[derive(Debug, Clone, Copy)]
enum Mood {
    Unavailable,
    Hang,
    Unauthorized,
    NoSuchBucket,
    NotInflux,
    Welcome,
}

/// Moods are used up one by one; without any the server is strict InfluxDB: all lines or, if one is bad, none.
#[derive(Default)]
struct FakeInflux {
    moods: Mutex<VecDeque<Mood>>,
    body_bytes_max: Mutex<Option<usize>>,
    n_requests: Mutex<u64>,
    stored: Mutex<Vec<String>>,
}

impl FakeInflux {
    fn stored(&self) -> Vec<String> {
        self.stored.lock().unwrap().clone()
    }

    fn will(&self, moods: &[Mood]) {
        self.moods.lock().unwrap().extend(moods);
    }

    fn write(&self, lines: &str) -> Response {
        let influx = |status, code, message: &str| {
            (status, format!(r#"{{"code":"{code}","message":"{message}"}}"#)).into_response()
        };
        if self.body_bytes_max.lock().unwrap().is_some_and(|max| lines.len() > max) {
            return influx(StatusCode::PAYLOAD_TOO_LARGE, "request too large", "body too large");
        }
        if lines.lines().any(|line| line.contains("bad")) {
            return influx(StatusCode::BAD_REQUEST, "invalid", "unable to parse 'bad': missing fields");
        }
        assert!(lines.ends_with('\n'), "a line is cut: {lines:?}");
        self.stored.lock().unwrap().extend(lines.lines().map(str::to_owned));
        StatusCode::NO_CONTENT.into_response()
    }
}

async fn write(
    State(server): State<Arc<FakeInflux>>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    lines: String,
) -> Response {
    *server.n_requests.lock().unwrap() += 1;
    let expected = [("bucket", "readings"), ("org", "district"), ("precision", "ms")];
    assert_eq!(query, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(headers["authorization"], format!("Token {TOKEN}"));
    let mood = server.moods.lock().unwrap().pop_front();
    match mood {
        None => server.write(&lines),
        Some(Mood::Unavailable) => (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")], "busy").into_response(),
        Some(Mood::Hang) => std::future::pending().await,
        Some(Mood::Unauthorized) => {
            (StatusCode::UNAUTHORIZED, r#"{"code":"unauthorized","message":"unauthorized access"}"#).into_response()
        }
        Some(Mood::NoSuchBucket) => {
            (StatusCode::NOT_FOUND, r#"{"code":"not found","message":"bucket not found"}"#).into_response()
        }
        Some(Mood::NotInflux) => (StatusCode::BAD_REQUEST, "<html>no such site</html>").into_response(),
        Some(Mood::Welcome) => (StatusCode::OK, "<html>welcome</html>").into_response(),
    }
}

struct Scene {
    server: Arc<FakeInflux>,
    spool: Arc<MemorySpool>,
    progress: Arc<Progress>,
    wake: Arc<Notify>,
    stop: CancellationToken,
    settings: Series,
    _token: tempfile::NamedTempFile,
}

impl Scene {
    async fn start(server: FakeInflux, batch_bytes_max: u64) -> Scene {
        let server = Arc::new(server);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/api/v2/write", post(write)).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut token = tempfile::NamedTempFile::new().unwrap();
        writeln!(token, "{TOKEN}").unwrap();
        let settings = Series {
            url,
            org: "district".into(),
            bucket: "readings".into(),
            token: Some(Secret::File(token.path().into())),
            batch_bytes_max: Bytes(batch_bytes_max),
            linger: Span::from_ms(10),
            timeout: Span::from_ms(300),
            spool_bytes_max: Bytes(1 << 20),
            retry_max: Span::from_ms(300),
        };
        let (spool, wake, stop) = (Arc::new(MemorySpool::default()), Arc::new(Notify::new()), CancellationToken::new());
        let worker = Worker::new(&settings, spool.clone(), wake.clone(), SeriesMetrics::default()).unwrap();
        let progress = worker.progress();
        tokio::spawn(worker.run(stop.clone()));
        Scene { server, spool, progress, wake, stop, settings, _token: token }
    }

    /// Another process on the same spool.
    fn restart(&mut self) {
        self.stop.cancel();
        self.stop = CancellationToken::new();
        let (spool, wake) = (self.spool.clone(), self.wake.clone());
        let worker = Worker::new(&self.settings, spool, wake, SeriesMetrics::default()).unwrap();
        self.progress = worker.progress();
        tokio::spawn(worker.run(self.stop.clone()));
    }

    fn push(&self, lines: &str) {
        self.spool.push(lines);
        self.wake.notify_one();
    }

    async fn drained(&self) {
        until("the spool is empty", || self.spool.is_empty()).await;
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn good(n: usize) -> String {
    (0..n).map(|i| format!("reading,source=s{i} value=1 {i}\n")).collect()
}

#[tokio::test]
async fn a_server_that_is_away_for_a_while_loses_nothing() {
    let scene = Scene::start(FakeInflux::default(), 1 << 16).await;
    scene.server.will(&[Mood::Unavailable, Mood::Unavailable]);
    scene.push(&good(3));
    until("it is seen as retrying", || scene.progress.status().phase == Phase::Retrying).await;
    let reason = scene.progress.status().reason.unwrap();
    assert!(reason.contains("503"), "{reason}");
    scene.drained().await;
    assert_eq!(scene.server.stored(), good(3).lines().collect::<Vec<_>>());
    assert_eq!((scene.progress.n_written(), scene.progress.n_rejected(), scene.progress.n_retries()), (3, 0, 2));
    assert_eq!(scene.progress.status().phase, Phase::Up);
}

#[tokio::test]
async fn a_server_that_hangs_is_left_and_asked_again() {
    let scene = Scene::start(FakeInflux::default(), 1 << 16).await;
    scene.server.will(&[Mood::Hang]);
    scene.push(&good(2));
    until("it is seen as retrying", || scene.progress.status().phase == Phase::Retrying).await;
    assert!(scene.progress.status().reason.unwrap().starts_with("timed out"), "{:?}", scene.progress.status());
    scene.drained().await;
    assert_eq!(scene.progress.n_written(), 2);
}

#[tokio::test]
async fn one_bad_line_is_dropped_and_no_other() {
    let scene = Scene::start(FakeInflux::default(), 1 << 16).await;
    let lines: String = (0..40).map(|i| if i == 17 { "bad\n".into() } else { format!("r value={i}\n") }).collect();
    scene.push(&lines);
    scene.drained().await;
    let expected: Vec<_> = lines.lines().filter(|line| *line != "bad").collect();
    assert_eq!(scene.server.stored(), expected, "all others, once each and in order");
    assert_eq!((scene.progress.n_written(), scene.progress.n_rejected()), (39, 1));
    assert!(scene.progress.status().rejection.unwrap().contains("unable to parse"));
    let n_requests = *scene.server.n_requests.lock().unwrap();
    assert!(n_requests <= 14, "{n_requests} requests to find one of 40");
}

#[tokio::test]
async fn refused_credentials_keep_the_lines_and_are_visible() {
    for (mood, status) in [
        (Mood::Unauthorized, "401"),
        (Mood::NoSuchBucket, "404"),
        // Neither a web site's 400 nor its 200 is a verdict on lines.
        (Mood::NotInflux, "400"),
        (Mood::Welcome, "200"),
    ] {
        let scene = Scene::start(FakeInflux::default(), 1 << 16).await;
        scene.server.will(&[mood, mood]);
        scene.push(&good(2));
        until("it is seen as refused", || scene.progress.status().phase == Phase::Refused).await;
        let reason = scene.progress.status().reason.unwrap();
        assert!(reason.contains(status) && !reason.contains(TOKEN), "{reason}");
        assert!(!scene.spool.is_empty());
        scene.drained().await;
        assert_eq!((scene.progress.n_written(), scene.progress.n_rejected()), (2, 0), "{mood:?}");
    }
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved_and_later_ones_start_smaller() {
    let server = FakeInflux { body_bytes_max: Mutex::new(Some(200)), ..FakeInflux::default() };
    let scene = Scene::start(server, 1 << 16).await;
    scene.push(&good(40));
    scene.drained().await;
    assert_eq!(scene.progress.n_written(), 40);
    let n_first = *scene.server.n_requests.lock().unwrap();
    scene.push(&good(40));
    scene.drained().await;
    assert_eq!((scene.progress.n_written(), scene.progress.n_rejected()), (80, 0));
    let n_second = *scene.server.n_requests.lock().unwrap() - n_first;
    assert!(n_second < n_first, "{n_second} requests after {n_first}: the limit was not remembered");
}

#[tokio::test]
async fn a_single_line_that_is_too_large_does_not_block_the_rest() {
    let server = FakeInflux { body_bytes_max: Mutex::new(Some(200)), ..FakeInflux::default() };
    let scene = Scene::start(server, 1 << 16).await;
    scene.push(&format!("{}{}\n{}", good(2), "x".repeat(300), good(2)));
    scene.drained().await;
    assert_eq!((scene.progress.n_written(), scene.progress.n_rejected()), (4, 1));
}

#[tokio::test]
async fn rows_larger_than_a_batch_are_sent_in_batches_of_whole_lines() {
    let server = FakeInflux { body_bytes_max: Mutex::new(Some(300)), ..FakeInflux::default() };
    let scene = Scene::start(server, 300).await;
    scene.push(&good(100));
    scene.drained().await;
    assert_eq!((scene.progress.n_written(), scene.progress.n_rejected()), (100, 0));
}

#[tokio::test]
async fn a_store_that_fails_is_visible_and_work_goes_on_after_it() {
    let scene = Scene::start(FakeInflux::default(), 1 << 16).await;
    scene.spool.broken.store(true, Ordering::SeqCst);
    scene.push(&good(1));
    until("the store's fault is seen", || scene.progress.status().phase == Phase::StoreFault).await;
    assert_eq!(scene.progress.status().reason.as_deref(), Some("disk is gone"));
    scene.spool.broken.store(false, Ordering::SeqCst);
    scene.drained().await;
    assert_eq!(scene.progress.n_written(), 1);
}

#[tokio::test]
async fn lines_that_were_not_acknowledged_are_written_again_after_a_restart() {
    let mut scene = Scene::start(FakeInflux::default(), 1 << 16).await;
    scene.server.will(&[Mood::Hang]);
    scene.push(&good(2));
    until("the request is under way", || *scene.server.n_requests.lock().unwrap() == 1).await;
    scene.restart();
    scene.drained().await;
    assert_eq!(scene.server.stored().len(), 2);
    assert_eq!(scene.progress.n_written(), 2);
}
