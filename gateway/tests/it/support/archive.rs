//! A series database that knows what ought to come: the lines of [`Readings`], each in its order, and nothing else.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use tokio::task::JoinHandle;

/// Readings of devices: `rate` a second from `base_ms` on, the value is the number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Readings {
    pub(crate) base_ms: i64,
    pub(crate) rate: u64,
}

/// Devices that take turns.
const DEVICES: u64 = 100;

impl Readings {
    pub(crate) fn at_ms(self, number: u64) -> i64 {
        self.base_ms + (number * 1_000 / self.rate) as i64
    }

    pub(crate) fn line(self, number: u64) -> String {
        let at_ms = self.at_ms(number);
        format!("reading,metric=value,source=device/{},unit=Cel value={number} {at_ms}", number % DEVICES)
    }

    /// SenML (RFC 8428).
    pub(crate) fn pack(self, numbers: std::ops::Range<u64>) -> String {
        let record = |number: u64| {
            let (device, at_ms) = (number % DEVICES, self.at_ms(number));
            let (s, ms) = (at_ms / 1_000, at_ms % 1_000);
            format!(r#"{{"n":"device/{device}","u":"Cel","v":{number},"t":{s}.{ms:03}}}"#)
        };
        format!("[{}]", numbers.map(record).collect::<Vec<_>>().join(","))
    }
}

#[derive(Debug, Default)]
struct Arrivals {
    /// Number of the first reading that came, and of the one that ought to come next.
    first: Option<u64>,
    next: u64,
    /// Lines that came again.
    n_again: u64,
    wrong: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Archive {
    readings: Readings,
    arrivals: Arc<Mutex<Arrivals>>,
    address: std::net::SocketAddr,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Archive {
    /// Not listening yet: whoever connects is refused.
    pub(crate) fn new(readings: Readings) -> Archive {
        // Free a moment ago; nobody else asks for this very port.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Archive { readings, arrivals: Arc::default(), address, task: Arc::default() }
    }

    /// The configuration's section.
    pub(crate) fn section(&self, more: &str) -> String {
        format!(
            "[series]\nurl = \"http://{}\"\norg = \"district\"\nbucket = \"readings\"\nretry_max = \"500ms\"\n{more}\n",
            self.address
        )
    }

    pub(crate) async fn listen(&self) {
        let listener = tokio::net::TcpListener::bind(self.address).await.unwrap();
        let take = async |State(archive): State<Archive>, lines: String| {
            archive.take(&lines);
            StatusCode::NO_CONTENT
        };
        let router = Router::new()
            .route("/api/v2/write", post(take))
            .layer(DefaultBodyLimit::max(8 << 20))
            .with_state(self.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        *self.task.lock().unwrap() = Some(task);
    }

    fn take(&self, lines: &str) {
        let mut arrivals = self.arrivals.lock().unwrap();
        for line in lines.lines() {
            let value = line.rsplit_once("value=").and_then(|(_, rest)| rest.split_once(' ')).map(|(value, _)| value);
            let Some(number) = value.and_then(|value| value.parse::<u32>().ok()).map(u64::from) else {
                arrivals.wrong.get_or_insert(format!("not a reading: {line}"));
                continue;
            };
            if arrivals.first.is_none() {
                (arrivals.first, arrivals.next) = (Some(number), number);
            }
            match number.cmp(&arrivals.next) {
                _ if line != self.readings.line(number) => {
                    arrivals.wrong.get_or_insert(format!("no such reading: {line}"));
                }
                std::cmp::Ordering::Less => arrivals.n_again += 1,
                std::cmp::Ordering::Equal => arrivals.next += 1,
                std::cmp::Ordering::Greater => {
                    let said = format!("{number} came where {} ought to", arrivals.next);
                    arrivals.wrong.get_or_insert(said);
                }
            }
        }
    }

    /// The first reading that came and the one after the last; all between them came, in their order, once.
    pub(crate) fn arrived(&self) -> std::ops::Range<u64> {
        assert_eq!(self.arrivals.lock().unwrap().n_again, 0);
        self.arrived_at_least_once()
    }

    /// The same where a request whose answer was lost may have come again, which leaves the same points.
    pub(crate) fn arrived_at_least_once(&self) -> std::ops::Range<u64> {
        let arrivals = self.arrivals.lock().unwrap();
        assert_eq!(arrivals.wrong, None);
        arrivals.first.unwrap_or(0)..arrivals.next
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        if Arc::strong_count(&self.arrivals) == 1
            && let Some(task) = self.task.lock().unwrap().take()
        {
            task.abort();
        }
    }
}
