//! A consumer that stalls while devices go on, with the real program and a real Mosquitto: a disk that takes no commit, and
//! a process that gets no turn. The stall is longer than the broker's patience, which is 1.5 times the keep-alive.
//!
//! `OUTPOST_STALL_SECONDS` is its length (default 6). With 60 the devices publish 12,000 messages meanwhile.

use std::time::Duration;

use outpost::telemetry::clock::now_ms;

use crate::support::archive::{Archive, Readings};
use crate::support::site::Site;

const SECONDS_VARIABLE: &str = "OUTPOST_STALL_SECONDS";

/// Messages a second, a reading each.
const RATE: u64 = 200;

/// What the process may grow by, however long it stalls.
const GROWTH_BYTES_MAX: u64 = 64 << 20;

/// Every device opens one alert, with its first reading.
const REST: &str = r#"keep_alive = "2s"
[[feeds]]
id = "f"
broker = "b"
topics = ["t/#"]
source = "{name}"
format = { kind = "senml" }
[[rules]]
id = "speaks"
sources = ["device/+"]
detect = { kind = "threshold", above = -1.0 }
severity = "minor"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_stalls_costs_no_message_and_not_even_the_connection() {
    let stalled = live_through(Stall::Disk).await;
    assert_eq!(stalled.n_connects(), 1, "the session answers pings whatever the disk does");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stalls_resumes_its_session_and_loses_no_message() {
    let stalled = live_through(Stall::Process).await;
    assert_eq!(stalled.n_connects(), 2, "the broker's patience was to end");
    assert!(stalled.site.mosquitto.log().contains("Sending CONNACK to gateway (1, 0)"), "the session was lost");
}

#[derive(Debug, Clone, Copy)]
enum Stall {
    Disk,
    Process,
}

struct Stalled {
    site: Site,
}

impl Stalled {
    fn n_connects(&self) -> usize {
        let log = self.site.mosquitto.log();
        log.lines().filter(|line| line.contains("New client connected") && line.contains(" as gateway ")).count()
    }
}

async fn live_through(stall: Stall) -> Stalled {
    let seconds: u64 = std::env::var(SECONDS_VARIABLE).map_or(6, |text| text.parse().unwrap());
    let readings = Readings { base_ms: now_ms() - 3_600_000, rate: RATE };
    let archive = Archive::new(readings);
    archive.listen().await;
    let site = Site::start("5", &format!("{REST}{}", archive.section(""))).await;
    let figures = site.mosquitto.watch();
    let second = |from: u64| publish(&site, readings, from * RATE..(from + 1) * RATE);
    second(0).await;
    site.gateway.eventually("the first readings", async || archive.arrived().end == RATE).await;
    let before = site.gateway.memory_bytes("VmRSS");

    let lock = matches!(stall, Stall::Disk).then(|| site.gateway.hang_commits());
    if matches!(stall, Stall::Process) {
        site.gateway.signal("-STOP");
    }
    for from in 1..=seconds {
        second(from).await;
    }
    let during = site.gateway.memory_bytes("VmRSS");
    drop(lock);
    site.gateway.signal("-CONT");
    let n = (seconds + 3) * RATE;
    for from in seconds + 1..seconds + 3 {
        second(from).await;
    }

    let mut last = 0;
    while last < n {
        site.gateway.eventually("more readings", async || archive.arrived_at_least_once().end > last).await;
        last = archive.arrived_at_least_once().end;
    }
    assert_eq!(archive.arrived_at_least_once(), 0..n);
    // One effect of each message: what came again was known again.
    for (name, labels) in
        [("outpost_messages_committed_total", "feed=\"f\""), ("outpost_series_lines_written_total", "")]
    {
        site.gateway.eventually(name, async || site.gateway.metric(name, labels).await == n).await;
    }
    let alerts = site.gateway.json("/api/v1/alerts?limit=1000").await;
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 100, "one for each device");
    let tickets = site.gateway.json("/api/v1/tickets?limit=1000").await;
    assert_eq!(tickets["tickets"].as_array().unwrap().len(), 100);
    assert_eq!(figures.n_dropped().await, 0);
    let (after, peak) = (site.gateway.memory_bytes("VmRSS"), site.gateway.memory_bytes("VmHWM"));
    println!(
        "{stall:?} for {seconds} s, {n} messages; resident bytes before {before}, during {during}, after {after}, at the most {peak}"
    );
    assert!(peak < before + GROWTH_BYTES_MAX, "grew from {before} to {peak} bytes");
    Stalled { site }
}

/// About [`RATE`] a second: the broker confirms each before the next goes out.
async fn publish(site: &Site, readings: Readings, numbers: std::ops::Range<u64>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(1_000 / RATE));
    for number in numbers {
        ticks.tick().await;
        site.publish("t/one", readings.pack(number..number + 1)).await;
    }
}
