//! The series database away for an hour, with the real program and a real Mosquitto. The hour is one of the devices'
//! clocks: its readings come as fast as they are taken.
//!
//! `OUTPOST_OUTAGE_RATE` is the number of readings in a second of that hour (default 200); 2000 makes 7.2 million readings,
//! half a gigabyte of line protocol.

use outpost::telemetry::clock::now_ms;
use serde_json::Value;

use crate::support::archive::{Archive, Readings};
use crate::support::program::Program;
use crate::support::site::Site;

const RATE_VARIABLE: &str = "OUTPOST_OUTAGE_RATE";
const HOUR_S: u64 = 3_600;
/// Readings in a message.
const PACK: u64 = 500;

/// What the process may grow by, whatever waits on disk: less than the readings would take in memory, beside what it grows by
/// without them.
const GROWTH_BYTES_MAX: u64 = 80 << 20;

const FEED: &str = "[[feeds]]\nid = \"f\"\nbroker = \"b\"\ntopics = [\"t/#\"]\nsource = \"{name}\"\n\
                    format = { kind = \"senml\" }\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_of_readings_waits_on_disk_and_arrives_in_order_once() {
    let rate = std::env::var(RATE_VARIABLE).map_or(200, |text| text.parse().unwrap());
    let readings = Readings { base_ms: now_ms() - 2 * 3_600_000, rate };
    let archive = Archive::new(readings);
    let site = Site::start("5", &format!("{FEED}{}", archive.section("spool_bytes_max = \"1GiB\""))).await;
    let n = rate * HOUR_S;
    let before = site.gateway.memory_bytes("VmRSS");
    publish(&site, readings, 0..n).await;
    kept(&site.gateway, n).await;
    let waiting = site.gateway.memory_bytes("VmRSS");
    assert_eq!(site.gateway.metric("outpost_series_spool_lines", "").await, n);
    assert_eq!(archive.arrived(), 0..0);

    archive.listen().await;
    let mut last = 0;
    while last < n {
        // However long it takes in all: what must not be is that nothing more comes.
        site.gateway.eventually("more readings", async || archive.arrived().end > last).await;
        last = archive.arrived().end;
    }
    assert_eq!(archive.arrived(), 0..n);
    site.gateway.eventually("an empty spool", async || spooled(&site.gateway).await == 0).await;
    assert_eq!(site.gateway.metric("outpost_series_lines_written_total", "").await, n);
    assert_eq!(site.gateway.metric("outpost_series_lines_evicted_total", "").await, 0);
    let (after, peak) = (site.gateway.memory_bytes("VmRSS"), site.gateway.memory_bytes("VmHWM"));
    println!("{n} readings; resident bytes before {before}, waiting {waiting}, after {after}, at the most {peak}");
    assert!(peak < before + GROWTH_BYTES_MAX, "grew from {before} to {peak} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_cap_the_oldest_go_and_somebody_is_told_once_until_the_spool_is_drained() {
    const N: u64 = 20_000;
    let readings = Readings { base_ms: now_ms() - 3_600_000, rate: 10 };
    let archive = Archive::new(readings);
    let section = archive.section("spool_bytes_max = \"512KiB\"\ndown_after = \"1s\"");
    let mut site = Site::start("5", &format!("{FEED}{section}")).await;
    publish(&site, readings, 0..N / 2).await;
    kept(&site.gateway, N / 2).await;
    for rule in ["series-down", "readings-lost"] {
        site.gateway.eventually(rule, async || alerts(&site.gateway, rule).await.len() == 1).await;
    }
    let down = &alerts(&site.gateway, "series-down").await[0];
    assert!(down["why"].as_str().unwrap().contains("takes no readings: cannot connect"), "{down}");
    let lost = &alerts(&site.gateway, "readings-lost").await[0];
    let (why, n_then) = (lost["why"].as_str().unwrap(), lost["figures"][0]["value"].as_f64().unwrap() as u64);
    assert!(why.starts_with(&format!("the spool is full: {n_then} of the oldest readings lost since 20")), "{lost}");
    let n_evicted = site.gateway.metric("outpost_series_lines_evicted_total", "").await;
    assert!(n_then > 0 && n_then <= n_evicted, "{n_then} of {n_evicted}");
    let tickets = site.gateway.json("/api/v1/tickets").await;
    let titles: Vec<&str> =
        tickets["tickets"].as_array().unwrap().iter().map(|ticket| ticket["title"].as_str().unwrap()).collect();
    assert!(titles.contains(&"readings lost") && titles.contains(&"series database down"), "{tickets}");

    // A crash changes nothing of it: not another alert, and the count goes on.
    site.gateway.kill();
    site.gateway.start_ready().await;
    publish(&site, readings, N / 2..N).await;
    kept(&site.gateway, N / 2).await;
    let n_evicted = n_evicted + site.gateway.metric("outpost_series_lines_evicted_total", "").await;
    for rule in ["series-down", "readings-lost"] {
        let alerts = alerts(&site.gateway, rule).await;
        assert!(alerts.len() == 1 && alerts[0]["cleared"].is_null(), "{alerts:?}");
    }

    archive.listen().await;
    site.gateway.eventually("the rest", async || archive.arrived().end == N).await;
    let arrived = archive.arrived();
    assert_eq!(arrived.start, n_evicted, "what was counted as lost is all that did not come");
    let n_bytes: usize = arrived.map(|number| readings.line(number).len() + 1).sum();
    assert!(n_bytes <= 512 << 10, "{n_bytes} bytes waited");
    for rule in ["series-down", "readings-lost"] {
        let cleared = async || !alerts(&site.gateway, rule).await[0]["cleared"].is_null();
        site.gateway.eventually("the end of the alert", cleared).await;
        assert_eq!(alerts(&site.gateway, rule).await.len(), 1);
    }
    let why = alerts(&site.gateway, "readings-lost").await[0]["cleared_why"].as_str().unwrap().to_owned();
    let said = format!("the spool has room again: {n_evicted} of the oldest readings were lost since 20");
    assert!(why.starts_with(&said), "{why}");
}

async fn publish(site: &Site, readings: Readings, numbers: std::ops::Range<u64>) {
    let mut from = numbers.start;
    while from < numbers.end {
        let to = (from + PACK).min(numbers.end);
        site.publish("t/pack", readings.pack(from..to)).await;
        from = to;
    }
}

/// All of them are on disk.
async fn kept(gateway: &Program, n: u64) {
    let n_messages = n.div_ceil(PACK);
    let committed = async || gateway.metric("outpost_messages_committed_total", "feed=\"f\"").await;
    let mut last = 0;
    while last < n_messages {
        gateway.eventually("more commits", async || committed().await > last).await;
        last = committed().await;
    }
}

async fn spooled(gateway: &Program) -> u64 {
    gateway.metric("outpost_series_spool_lines", "").await
}

/// All alerts of a rule, open and cleared.
async fn alerts(gateway: &Program, rule: &str) -> Vec<Value> {
    let alerts = gateway.json("/api/v1/alerts").await;
    alerts["alerts"].as_array().unwrap().iter().filter(|alert| alert["rule"] == rule).cloned().collect()
}
