//! Readings into a real server of the v2 write interface and back: Debian's `victoria-metrics`, started on a free
//! loopback port in a temporary folder. It answers 204 to malformed lines, too, so its own count of them is checked.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use outpost::config::{Bytes, Series, Span};
use outpost::series::{Worker, line::push_line};
use outpost::telemetry::clock;
use outpost::telemetry::metrics::SeriesMetrics;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support::program::client;
use crate::support_out::{MemorySpool, eventually, until};

/// A running server; it ends with the test.
pub(crate) struct Victoria {
    child: Child,
    address: std::net::SocketAddr,
    pub(crate) url: String,
    folder: tempfile::TempDir,
}

impl Victoria {
    pub(crate) async fn start() -> Victoria {
        // Another process may take the port between our asking and its binding: then it exits, and another is tried.
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let child = serve(folder.path(), address);
            let mut victoria = Victoria { child, address, url: format!("http://{address}"), folder };
            if victoria.answers().await {
                return victoria;
            }
        }
        panic!("victoria-metrics did not come up on any of five free ports");
    }

    /// SIGTERM: what it answered 204 to is on disk then. Killed in another way it forgets the last seconds of that.
    #[expect(clippy::disallowed_methods, reason = "signals to the test's server")]
    pub(crate) async fn stop(&mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        eventually("victoria-metrics ends", async || self.child.try_wait().unwrap()).await;
    }

    /// Again, with what is on disk.
    pub(crate) async fn start_again(&mut self) {
        self.child = serve(self.folder.path(), self.address);
        assert!(self.answers().await, "victoria-metrics ended");
    }

    async fn answers(&mut self) -> bool {
        eventually("victoria-metrics answers or exits", async || {
            if self.child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            client().get(format!("{}/health", self.url)).send().await.ok().map(|answer| answer.status().is_success())
        })
        .await
    }

    async fn get(&self, path: &str) -> String {
        client().get(format!("{}{path}", self.url)).send().await.unwrap().text().await.unwrap()
    }

    /// Sum over all labels, so that no input format's rejects hide.
    pub(crate) async fn rows_invalid(&self) -> f64 {
        let page = self.get("/metrics").await;
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("vm_rows_invalid_total")).collect();
        assert!(!rows.is_empty(), "the server no longer counts invalid rows under this name");
        rows.iter().map(|row| row.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
    }

    /// All points, as (source, metric, unit, value, time in ms), sorted.
    pub(crate) async fn points(&self) -> Vec<(String, String, String, f64, i64)> {
        self.get("/internal/force_flush").await;
        let export = self.get("/api/v1/export?match[]=reading_value").await;
        let mut points = vec![];
        for series in export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            let tag = |key: &str| series["metric"][key].as_str().unwrap_or_default().to_owned();
            let (values, times) = (series["values"].as_array().unwrap(), series["timestamps"].as_array().unwrap());
            for (value, at_ms) in values.iter().zip(times) {
                let (value, at_ms) = (value.as_f64().unwrap(), at_ms.as_i64().unwrap());
                points.push((tag("source"), tag("metric"), tag("unit"), value, at_ms));
            }
        }
        points.sort_by(|a, b| a.partial_cmp(b).unwrap());
        points
    }
}

#[expect(clippy::disallowed_methods, reason = "a real server for the test")]
fn serve(folder: &std::path::Path, address: std::net::SocketAddr) -> Child {
    Command::new("victoria-metrics")
        .arg(format!("-storageDataPath={}", folder.join("data").display()))
        .arg(format!("-httpListenAddr={address}"))
        .arg("-retentionPeriod=100y")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("failed to start victoria-metrics: apt-get install victoria-metrics")
}

impl Drop for Victoria {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn settings(url: &str) -> Series {
    Series {
        url: url.into(),
        org: "district".into(),
        bucket: "readings".into(),
        token: None,
        batch_bytes_max: Bytes(2_000),
        linger: Span::from_ms(20),
        timeout: Span::from_ms(10_000),
        spool_bytes_max: Bytes(1 << 20),
        retry_max: Span::from_ms(500),
        down_after: Span::from_ms(300_000),
    }
}

/// Names that a line of text may not take as they are.
pub(crate) const AWKWARD_NAMES: [&str; 14] = [
    "tunnel/7/ch4",
    "with space",
    " leading and trailing ",
    "comma,equals=both",
    r"C:\line\7",
    "\"quoted\"",
    "'single'",
    "#not a comment",
    "管廊/七号",
    "emoji 🔥",
    "{braces}[brackets]",
    "a value=1 2",
    "\u{2028}",
    "-",
];

#[tokio::test]
async fn readings_with_awkward_names_read_back_as_they_were() {
    let victoria = Victoria::start().await;
    let (spool, wake, stop) = (Arc::new(MemorySpool::default()), Arc::new(Notify::new()), CancellationToken::new());
    let worker = Worker::new(&settings(&victoria.url), spool.clone(), wake.clone(), SeriesMetrics::default()).unwrap();
    let progress = worker.progress();
    let running = tokio::spawn(worker.run(stop.clone()));

    let base_ms = clock::now_ms() - 3_600_000;
    let (names, mut expected) = (AWKWARD_NAMES, vec![]);
    for (i, name) in names.iter().enumerate() {
        let mut lines = String::new();
        // This server keeps a block of values at one decimal exponent: beside 1e20, 21.375 would read back as 0. So very
        // large and very small numbers have a series of their own.
        let values: [f64; 3] = match i % 3 {
            0 => [1e20, -1e20, 3e20],
            1 => [2.5e-7, -1e-7, 0.0],
            _ => [0.0, -1.5, 21.375],
        };
        for (j, value) in values.into_iter().enumerate() {
            let at_ms = base_ms + (i * 1_000 + j) as i64;
            assert!(push_line(&mut lines, name, names[names.len() - 1 - i], Some("%LEL"), value, at_ms));
            expected.push((name.to_string(), names[names.len() - 1 - i].to_string(), "%LEL".into(), value, at_ms));
        }
        spool.push(&lines);
        wake.notify_one();
    }
    expected.sort_by(|a: &(String, String, String, f64, i64), b| a.partial_cmp(b).unwrap());

    until("the spool is empty", || spool.is_empty()).await;
    assert_eq!((progress.n_written(), progress.n_rejected()), (expected.len() as u64, 0));
    let points = eventually("all points read back", async || {
        let points = victoria.points().await;
        (points.len() >= expected.len()).then_some(points)
    })
    .await;
    assert_eq!(points, expected);
    assert_eq!(victoria.rows_invalid().await, 0.0);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn readings_go_on_while_the_server_is_down_and_read_back_complete() {
    let mut victoria = Victoria::start().await;
    let (spool, wake, stop) = (Arc::new(MemorySpool::default()), Arc::new(Notify::new()), CancellationToken::new());
    let worker = Worker::new(&settings(&victoria.url), spool.clone(), wake.clone(), SeriesMetrics::default()).unwrap();
    let progress = worker.progress();
    let running = tokio::spawn(worker.run(stop.clone()));
    let base_ms = clock::now_ms() - 3_600_000;
    // A reading a second for an hour, from ten devices in turn; the server is away from the 10th minute to the 50th.
    let point = |n: i64| (format!("device/{}", n % 10), "value".into(), "Cel".into(), n as f64, base_ms + n * 1_000);
    let push = |numbers: std::ops::Range<i64>| {
        for n in numbers {
            let (source, metric, unit, value, at_ms): (String, String, String, f64, i64) = point(n);
            let mut lines = String::new();
            assert!(push_line(&mut lines, &source, &metric, Some(&unit), value, at_ms));
            spool.push(&lines);
        }
        wake.notify_one();
    };
    push(0..600);
    until("the spool is empty", || spool.is_empty()).await;
    victoria.stop().await;
    push(600..3_000);
    until("the server is missed", || progress.n_retries() >= 2).await;
    victoria.start_again().await;
    push(3_000..3_600);
    until("the spool is empty", || spool.is_empty()).await;
    assert_eq!((progress.n_written(), progress.n_rejected()), (3_600, 0));
    let mut expected: Vec<_> = (0..3_600).map(point).collect();
    expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let points = eventually("all points read back", async || {
        Some(victoria.points().await).filter(|points| points.len() >= expected.len())
    })
    .await;
    assert_eq!(points, expected);
    assert_eq!(victoria.rows_invalid().await, 0.0);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn readings_survive_a_server_that_comes_up_late() {
    // A port that nobody listens on, then a server there.
    let (spool, wake, stop) = (Arc::new(MemorySpool::default()), Arc::new(Notify::new()), CancellationToken::new());
    let victoria = Victoria::start().await;
    let relay = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = relay.local_addr().unwrap();
    drop(relay);
    let url = format!("http://{address}");
    let worker = Worker::new(&settings(&url), spool.clone(), wake.clone(), SeriesMetrics::default()).unwrap();
    let progress = worker.progress();
    let running = tokio::spawn(worker.run(stop.clone()));
    let mut lines = String::new();
    let at_ms = clock::now_ms();
    assert!(push_line(&mut lines, "late", "value", None, 4.25, at_ms));
    spool.push(&lines);
    wake.notify_one();
    until("the server is missed", || progress.n_retries() >= 1).await;

    let relay = tokio::net::TcpListener::bind(address).await.unwrap();
    let upstream = victoria.url.trim_start_matches("http://").to_owned();
    let pipe = tokio::spawn(async move {
        while let Ok((mut near, _)) = relay.accept().await {
            let mut far = tokio::net::TcpStream::connect(&upstream).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    until("the spool is empty", || spool.is_empty()).await;
    let points =
        eventually("the point reads back", async || Some(victoria.points().await).filter(|points| !points.is_empty()))
            .await;
    assert_eq!(points, [("late".into(), "value".into(), String::new(), 4.25, at_ms)]);
    stop.cancel();
    running.await.unwrap();
    pipe.abort();
}
