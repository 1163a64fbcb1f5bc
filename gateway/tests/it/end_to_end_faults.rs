//! The whole under bad input, a full disk and bad configurations, with the real program and a real Mosquitto.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::program::{Program, outpost};
use crate::support::site::Site;

const FEEDS: &str = r#"
[[feeds]]
id = "meters"
broker = "b"
topics = ["in/meter/+"]
source = "meter/{2}"
format = { kind = "json", time = { pointer = "/at" }, readings = [{ metric = "level", value = "/level" }] }
[[feeds]]
id = "pumps"
broker = "b"
topics = ["in/pump/+"]
source = "pump/{2}"
format = { kind = "number", metric = "running" }
[[feeds]]
id = "buses"
broker = "b"
topics = ["in/owntracks/+"]
source = "bus/{2}"
format = { kind = "owntracks" }
[[feeds]]
id = "frames"
broker = "b"
topics = ["in/thermal/+"]
source = "thermal/{2}"
format = { kind = "thermal-u16", columns = 80, rows = 60 }
[[rules]]
id = "pump-runs"
sources = ["pump/+"]
detect = { kind = "threshold", metric = "running", above = 0.5 }
severity = "minor"
"#;

/// Topic, payload, and the reason under which it is counted.
fn bad_inputs() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let level = |at: &str, level: &str| format!("{{\"at\":\"{at}\",\"level\":{level}}}").into_bytes();
    let now = "2026-01-02T03:04:05Z";
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    vec![
        ("in/meter/a", b"GET / HTTP/1.1\r\n\r\n".to_vec(), "not_json"),
        ("in/meter/b", level(now, "\"high\""), "wrong_type"),
        ("in/meter/c", level(now, "NaN"), "not_finite"),
        ("in/meter/d", level(now, "1e999"), "not_finite"),
        ("in/meter/e", level("1970-01-01T00:00:00Z", "1"), "bad_time"),
        ("in/meter/f", level("9999-12-30T00:00:00Z", "1"), "bad_time"),
        ("in/meter/g", level(now, &deep), "wrong_type"),
        ("in/meter/h", b"{\"at\":\"\xff\xfe\",\"level\":1}".to_vec(), "bad_text"),
        ("in/meter/i", Vec::new(), "missing"),
        ("in/meter/j", level(now, &format!("1{}", " ".repeat(100 << 10))), "too_large"),
        ("in/pump/a", b"NaN".to_vec(), "not_finite"),
        ("in/pump/b", b"\xc3\x28".to_vec(), "bad_text"),
        ("in/pump/c", vec![b'9'; 60_000], "too_large"),
        ("in/owntracks/a", br#"{"_type":"location","tst":0,"lon":1,"lat":1}"#.to_vec(), "bad_time"),
        ("in/owntracks/b", br#"{"_type":"location","tst":1767225600,"lon":181,"lat":1}"#.to_vec(), "out_of_range"),
        ("in/thermal/a", vec![0; 9_599], "bad_shape"),
    ]
}

/// What the same source says when it is well again.
fn good_input(topic: &str) -> Vec<u8> {
    match topic.split('/').nth(1).unwrap() {
        "meter" => br#"{"at":"2026-01-02T03:04:06Z","level":2}"#.to_vec(),
        "pump" => b"0".to_vec(),
        "owntracks" => br#"{"_type":"location","tst":1767225601,"lon":1,"lat":1}"#.to_vec(),
        _ => 29_315u16.to_le_bytes().repeat(80 * 60),
    }
}

#[tokio::test]
async fn bad_input_is_counted_shown_under_its_source_and_stops_nothing() {
    // 3.1.1: a broker that speaks version 5 is told the packet limit and keeps the huge ones to itself.
    let site = Site::start("3.1.1", FEEDS).await;
    let inputs = bad_inputs();
    for (topic, bad, _) in &inputs {
        for payload in [bad.clone(), bad.clone(), good_input(topic)] {
            site.publish(topic, payload).await;
        }
    }
    let gateway = &site.gateway;
    let heard = async || {
        let sources = sources(gateway).await;
        inputs.iter().all(|(topic, ..)| sources.get(&source(topic)).is_some_and(|view| view["observations"] == 1))
    };
    gateway.eventually("a good message of every source", heard).await;

    let sources = sources(gateway).await;
    let mut reasons: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (topic, _, reason) in &inputs {
        let view = &sources[&source(topic)];
        assert_eq!(view["rejected"], 2, "{topic}: {view}");
        let told = view["last_reject"].as_str().unwrap_or_else(|| panic!("{topic}: {view}"));
        assert!(!told.is_empty() && told.chars().all(|c| !c.is_control()), "{topic}: {told:?}");
        *reasons.entry((feed(topic), reason)).or_default() += 2;
        let n_logged =
            gateway.log().lines().filter(|line| line.contains(&format!("source={} ", source(topic)))).count();
        assert_eq!(n_logged, 1, "{topic} is to be logged once");
    }
    for ((feed, reason), n) in &reasons {
        let labels = format!("feed=\"{feed}\",reason=\"{reason}\"");
        assert_eq!(gateway.metric("outpost_messages_rejected_total", &labels).await, *n, "{labels}");
    }
    for name in ["meters", "pumps", "buses", "frames"] {
        let n = inputs.iter().filter(|(topic, ..)| feed(topic) == name).count() as u64;
        let Balance { received, committed, rejected, other } = balance(gateway, name).await;
        assert_eq!((committed, rejected), (n, 2 * n), "{name}");
        // An oversized packet costs the connection, and what was on its way then comes again.
        assert_eq!(received, committed + rejected + other, "{name}");
    }
    assert_eq!(gateway.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn what_comes_again_after_a_crash_is_counted_as_deduplicated() {
    let mut site = Site::start("5", FEEDS).await;
    let payload = |n: usize| if n % 10 == 3 { "off" } else { ["0", "1"][n % 2] };
    for n in 0..200 {
        if n == 100 {
            // The broker never hears of the acknowledgements of the second half.
            site.gateway.eventually("100 acknowledgements", async || site.n_acknowledged() == 100).await;
            site.relay.mute(true);
        }
        site.publish("in/pump/1", payload(n)).await;
    }
    let all = Balance { received: 200, committed: 180, rejected: 20, other: 0 };
    site.gateway.eventually("200 messages", async || balance(&site.gateway, "pumps").await == all).await;
    site.gateway.kill();
    site.relay.mute(false);
    site.gateway.start_ready().await;
    site.publish("in/pump/2", "1").await;
    let again = Balance { received: 101, committed: 1, rejected: 0, other: 100 };
    site.gateway.eventually("them again", async || balance(&site.gateway, "pumps").await.received >= 101).await;
    assert_eq!(balance(&site.gateway, "pumps").await, again);
}

#[test]
fn a_fence_that_crosses_itself_is_refused_with_its_name_and_line() {
    let gateway = Program::new("[[fences]]\nfile = \"fences.geojson\"\n");
    let crossing = include_str!("../../../fixtures/fences/bad/self-crossing.geojson");
    std::fs::write(gateway.folder().join("fences.geojson"), crossing).unwrap();
    let config = gateway.config().display().to_string();
    let line = std::fs::read_to_string(&config).unwrap().lines().position(|line| line.contains("geojson")).unwrap() + 1;
    let (code, out, _) = outpost(&["check", &config]);
    assert_eq!(code, Some(1), "{out}");
    for wanted in [&format!("{config}:{line}:"), "reservoir", "crosses itself"] {
        assert!(out.contains(wanted), "{wanted:?} is not in: {out}");
    }
    let (code, _, error) = outpost(&["run", "-c", &config]);
    assert_eq!(code, Some(1));
    assert!(error.contains("crosses itself") && error.contains("nothing was started"), "{error}");
}

#[tokio::test]
async fn a_source_that_tells_too_much_has_one_ticket_with_a_right_counter_over_a_kill() {
    const N: usize = 60;
    let storm = "[desk.storm]\nn = 5\nwithin = \"10m\"\n";
    let mut site = Site::start("5", &format!("{FEEDS}\n{storm}")).await;
    site.publish("in/pump/2", "1").await;
    for n in 0..N {
        for value in ["1", "0"] {
            site.publish("in/pump/1", value).await;
        }
        if n == N / 2 {
            site.gateway.kill();
            site.gateway.start_ready().await;
        }
    }
    let gateway = &site.gateway;
    let open = async || gateway.json("/api/v1/tickets?stage=open").await["tickets"].as_array().unwrap().clone();
    let of = |tickets: &[Value], source: &str| -> Vec<u64> {
        let tickets = tickets.iter().filter(|ticket| ticket["source"] == source);
        tickets.map(|ticket| ticket["alerts"].as_u64().unwrap()).collect()
    };
    gateway.eventually("one ticket of all", async || of(&open().await, "pump/1") == [N as u64]).await;
    let tickets = open().await;
    assert_eq!(of(&tickets, "pump/2"), [1], "the other source has its own: {tickets:?}");
    let storm = tickets.iter().find(|ticket| ticket["source"] == "pump/1").unwrap();
    assert_eq!((&storm["storm"], &storm["title"]), (&json!("on"), &json!("storm: pump/1")));
}

#[tokio::test]
async fn nothing_is_acknowledged_while_the_disk_is_full_and_all_is_there_once_it_has_room() {
    // However many tickets come of it, each is to have a row of its own.
    let mut site = Site::prepare("5", &format!("{FEEDS}\n[desk.storm]\nn = 10000\n")).await;
    // No file may grow beyond this: the kernel refuses what the store writes, as on a full disk.
    site.gateway.limit_files(512 << 10);
    site.gateway.start_ready().await;
    let mut n_published = 0;
    let gateway = &site.gateway;
    // Each of these opens or clears an alert, and so needs the disk.
    while gateway.get("/readyz").await.status == 200 {
        site.publish("in/pump/1", ["1", "0"][n_published % 2]).await;
        n_published += 1;
        assert!(n_published < 20_000, "the disk does not fill");
    }
    assert_eq!(gateway.json_of_any("/readyz").await["store"], false);
    let n_acknowledged = site.n_acknowledged();
    for _ in 0..50 {
        site.publish("in/pump/1", ["1", "0"][n_published % 2]).await;
        n_published += 1;
    }
    let failed = gateway.metric("outpost_commit_errors_total", "").await;
    let again = async || gateway.metric("outpost_commit_errors_total", "").await > failed + 1;
    gateway.eventually("further attempts to commit", again).await;
    assert_eq!(site.n_acknowledged(), n_acknowledged, "acknowledged without a commit");
    assert!(n_acknowledged <= n_published - 50, "{n_acknowledged} of {n_published}");
    assert_eq!(gateway.log().matches("store refuses commits").count(), 1, "told once");
    assert_eq!(gateway.get("/healthz").await.status, 200, "it lives, though");

    gateway.lift_file_limit();
    gateway.ready(200).await;
    gateway.eventually("all acknowledgements", async || site.n_acknowledged() == n_published).await;
    let opened = gateway.metric("outpost_alerts_opened_total", "rule=\"pump-runs\"").await;
    assert_eq!(opened, n_published.div_ceil(2) as u64);
    let newest = &gateway.json("/api/v1/tickets?limit=1").await["tickets"][0];
    assert_eq!((&newest["no"], &newest["alert_cleared"]), (&json!(opened), &json!(n_published % 2 == 0)));
}

/// The terms of the equation, for one feed.
#[derive(Debug, PartialEq, Eq)]
struct Balance {
    received: u64,
    committed: u64,
    rejected: u64,
    /// Deduplicated and evicted.
    other: u64,
}

async fn balance(gateway: &Program, feed: &str) -> Balance {
    let page = gateway.get("/metrics").await.text;
    let sum = |name: &str| -> u64 {
        let prefix = format!("outpost_messages_{name}_total{{feed=\"{feed}\"");
        let of_feed = page.lines().filter(|line| line.starts_with(&prefix));
        of_feed.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
    };
    let other = sum("deduplicated") + sum("evicted");
    Balance { received: sum("received"), committed: sum("committed"), rejected: sum("rejected"), other }
}

async fn sources(gateway: &Program) -> BTreeMap<String, Value> {
    let answer = gateway.json("/api/v1/sources").await;
    let views = answer["sources"].as_array().unwrap().iter();
    views.map(|view| (view["id"].as_str().unwrap().to_owned(), view.clone())).collect()
}

fn source(topic: &str) -> String {
    topic.replace("in/", "").replace("owntracks", "bus")
}

fn feed(topic: &str) -> &'static str {
    match topic.split('/').nth(1).unwrap() {
        "meter" => "meters",
        "pump" => "pumps",
        "owntracks" => "buses",
        _ => "frames",
    }
}
