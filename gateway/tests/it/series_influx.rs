//! Readings into a real InfluxDB and back: Debian's `influxdb`, started on free loopback ports in a temporary folder. Debian
//! has its version 1, which reads the same line protocol at another address; a relay of the test's own gives the address of
//! version 2 the words of version 1, and lets bodies and answers through as they are.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use outpost::series::{Worker, line::push_line};
use outpost::telemetry::clock;
use outpost::telemetry::metrics::SeriesMetrics;
use reqwest::Url;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::series_victoria::{AWKWARD_NAMES, settings};
use crate::support::program::client;
use crate::support_out::{MemorySpool, eventually, until};

/// A running server; it ends with the test.
struct Influx {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Influx {
    async fn start() -> Influx {
        // Another process may take the port between our asking and its binding: then it exits, and another is tried.
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let child = serve(folder.path(), address);
            let mut influx = Influx { child, url: format!("http://{address}"), _folder: folder };
            if influx.answers().await {
                influx.query("CREATE DATABASE \"readings\"").await;
                return influx;
            }
        }
        panic!("influxd did not come up on any of five free ports");
    }

    async fn answers(&mut self) -> bool {
        eventually("influxd answers or exits", async || {
            if self.child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            client().get(format!("{}/ping", self.url)).send().await.ok().map(|answer| answer.status().is_success())
        })
        .await
    }

    async fn query(&self, q: &str) -> Value {
        let query = [("db", "readings"), ("epoch", "ms"), ("q", q)];
        let url = Url::parse_with_params(&format!("{}/query", self.url), query).unwrap();
        let text = client().post(url).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// All points, as (source, metric, unit, value, time in ms), sorted.
    async fn points(&self) -> Vec<(String, String, String, f64, i64)> {
        let answer = self.query("SELECT \"value\" FROM \"reading\" GROUP BY *").await;
        let mut points = vec![];
        for series in answer["results"][0]["series"].as_array().into_iter().flatten() {
            let tag = |key: &str| series["tags"][key].as_str().unwrap_or_default().to_owned();
            for point in series["values"].as_array().unwrap() {
                let (at_ms, value) = (point[0].as_i64().unwrap(), point[1].as_f64().unwrap());
                points.push((tag("source"), tag("metric"), tag("unit"), value, at_ms));
            }
        }
        points.sort_by(|a, b| a.partial_cmp(b).unwrap());
        points
    }

    /// The address of version 2 before this server.
    async fn relay(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let relay = Router::new().route("/api/v2/write", post(write)).with_state(Arc::new(self.url.clone()));
        tokio::spawn(async move { axum::serve(listener, relay).await.unwrap() });
        url
    }
}

#[derive(serde::Deserialize)]
struct WriteQuery {
    bucket: String,
    precision: String,
}

async fn write(
    State(url): State<Arc<String>>,
    Query(query): Query<WriteQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let words = [("db", query.bucket), ("precision", query.precision)];
    let url = Url::parse_with_params(&format!("{url}/write"), words).unwrap();
    let mut ask = client().post(url).body(body.to_vec());
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING) {
        ask = ask.header("content-encoding", encoding.to_str().unwrap());
    }
    let answer = ask.send().await.unwrap();
    (StatusCode::from_u16(answer.status().as_u16()).unwrap(), answer.text().await.unwrap())
}

#[expect(clippy::disallowed_methods, reason = "a real server for the test")]
fn serve(folder: &std::path::Path, address: std::net::SocketAddr) -> Child {
    let file = folder.join("influxd.toml");
    let at = folder.display();
    let configuration = format!(
        r#"
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = "{at}/meta"
[data]
dir = "{at}/data"
wal-dir = "{at}/wal"
[http]
bind-address = "{address}"
log-enabled = false
[monitor]
store-enabled = false
"#
    );
    std::fs::write(&file, configuration).unwrap();
    Command::new("influxd")
        .arg("-config")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("failed to start influxd: apt-get install influxdb")
}

impl Drop for Influx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn readings_with_awkward_names_read_back_as_they_were() {
    let influx = Influx::start().await;
    let (spool, wake, stop) = (Arc::new(MemorySpool::default()), Arc::new(Notify::new()), CancellationToken::new());
    let settings = settings(&influx.relay().await);
    let worker = Worker::new(&settings, spool.clone(), wake.clone(), SeriesMetrics::default()).unwrap();
    let progress = worker.progress();
    let running = tokio::spawn(worker.run(stop.clone()));

    let base_ms = clock::now_ms() - 3_600_000;
    let values = [1e20, -1e20, 2.5e-7, -1e-7, 0.0, -1.5, 21.375, f64::MIN_POSITIVE, f64::MAX, 0.1 + 0.2];
    let mut expected = vec![];
    for (i, (name, metric)) in AWKWARD_NAMES.iter().zip(AWKWARD_NAMES.iter().rev()).enumerate() {
        let mut lines = String::new();
        for (j, value) in values.into_iter().enumerate() {
            let at_ms = base_ms + (i * 1_000 + j) as i64;
            assert!(push_line(&mut lines, name, metric, Some("%LEL"), value, at_ms));
            expected.push((name.to_string(), metric.to_string(), "%LEL".into(), value, at_ms));
        }
        spool.push(&lines);
        wake.notify_one();
    }
    expected.sort_by(|a: &(String, String, String, f64, i64), b| a.partial_cmp(b).unwrap());

    until("the spool is empty", || spool.is_empty()).await;
    assert_eq!((progress.n_written(), progress.n_rejected()), (expected.len() as u64, 0));
    assert_eq!(influx.points().await, expected);
    stop.cancel();
    running.await.unwrap();
}
