//! `outpost replay`: the same input gives the same output, byte for byte, and what a live gateway recorded gives the
//! alerts that it had.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use outpost::store::Reader;
use outpost::telemetry::clock::now_ms;
use outpost::telemetry::time_text;

use crate::support::day::{self, DAY_MS};
use crate::support::program::{Program, outpost, outpost_in};
use crate::support::site::Site;

#[test]
fn the_recorded_day_gives_the_expected_timeline_every_time() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/replay"));
    let run = || outpost_in(folder, &["replay", "day.ndjson", "-c", "day.toml"]);
    let (code, first, error) = run();
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert_eq!(run().1, first, "a second run");
    let expected = std::fs::read_to_string(folder.join("day.expected")).unwrap();
    let differs = expected.lines().zip(first.lines()).position(|(expected, got)| expected != got);
    if let Some(at) = differs {
        panic!("line {}:\n{}\n{}", at + 1, expected.lines().nth(at).unwrap(), first.lines().nth(at).unwrap());
    }
    assert_eq!(first, expected);
}

#[test]
fn bad_lines_are_told_with_their_number_and_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let (config, record) = (folder.path().join("c.toml"), folder.path().join("r.ndjson"));
    std::fs::write(&config, RULE).unwrap();
    let good =
        |at, value| format!("{{\"source\":\"a\",\"at\":{at},\"reading\":{{\"metric\":\"value\",\"value\":{value}}}}}");
    let mut file = std::fs::File::create(&record).unwrap();
    writeln!(file, "{}\nnonsense\n\n{}", good(1_000, 5), &good(2_000, 15)[..30]).unwrap();
    file.write_all(b"\xff\xfe\n").unwrap();
    writeln!(file, "{}", "[".repeat(100_000)).unwrap();
    write!(file, "{}\r\n{}", good(3_000, 15), good(4_000, 5)).unwrap();
    drop(file);
    let text = |path: &Path| path.display().to_string();
    let (code, out, _) = outpost(&["replay", &text(&record), "-c", &text(&config)]);
    assert_eq!(code, Some(0), "{out}");
    let told: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix(&format!("{}:", text(&record)))).collect();
    let numbers: Vec<&str> = told.iter().map(|line| line.split_once(':').unwrap().0).collect();
    assert_eq!(numbers, ["2", "4", "5", "6"], "{out}");
    assert!(out.ends_with("3 observations, 4 rejected, 1 alerts, 1 tickets\n"), "{out}");
    let (code, _, error) = outpost(&["replay", "/no/such/file", "-c", &text(&config)]);
    assert_eq!(code, Some(1));
    assert!(error.contains("/no/such/file"), "{error}");
}

/// Alerts that a timer of the gateway's clock raised or cleared would differ: live, their times are those of the turn of
/// the loop that found them due; in replay, the due time itself. Sources that are expected before they ever spoke are
/// live only: a recording does not say when the gateway started. The day has neither.
#[tokio::test]
async fn what_a_live_gateway_recorded_replays_to_the_alerts_that_it_had() {
    let mut site = Site::prepare("5", day::FEEDS_AND_RULES).await;
    site.gateway.record();
    site.gateway.start_ready().await;
    for post in day::day(now_ms() - DAY_MS) {
        site.publish(&post.topic, post.payload).await;
    }
    let gateway = &mut site.gateway;
    gateway.eventually("the end of the day", async || gateway.get("/metrics").await.text.contains("day-is-over")).await;
    assert_eq!(gateway.terminate().await.code(), Some(0));

    let alerts = Reader::open(&gateway.data(), 1).unwrap().alerts(false, 1000).unwrap();
    let of_store = alerts.into_iter().map(|alert| {
        let cleared = alert.cleared_ms.map(time_text);
        (alert.id, (time_text(alert.opened_ms), time_text(alert.since_at_ms), cleared))
    });
    let (live, replayed) = (of_store.collect::<BTreeMap<_, _>>(), replay(gateway));
    assert!(live.len() > 100, "only {} alerts", live.len());
    for (id, times) in &live {
        assert_eq!(replayed.get(id), Some(times), "{id}");
    }
    assert_eq!(replayed.len(), live.len());
}

#[tokio::test]
async fn a_record_is_on_disk_soon_and_goes_on_after_a_kill() {
    let mut site = Site::prepare("5", PUMPS).await;
    site.gateway.record();
    site.gateway.start_ready().await;
    for _ in 0..10 {
        site.publish("in/pump/1", "1").await;
    }
    let lines = |gateway: &Program| std::fs::read_to_string(gateway.record_file()).unwrap().lines().count();
    site.gateway.eventually("ten lines on disk", async || lines(&site.gateway) == 10).await;
    site.gateway.kill();
    // As a kill in the middle of a write leaves it.
    let mut file = std::fs::OpenOptions::new().append(true).open(site.gateway.record_file()).unwrap();
    file.write_all(b"{\"source\":\"pump/1\",\"at\":17").unwrap();
    drop(file);
    site.gateway.start_ready().await;
    site.publish("in/pump/1", "0").await;
    let heard = async || site.gateway.get("/metrics").await.text.contains("outpost_alerts_cleared_total{");
    site.gateway.eventually("the last message", heard).await;
    // Stopped at once: what is still in memory must not be lost.
    assert_eq!(site.gateway.terminate().await.code(), Some(0));
    let record = site.gateway.record_file().display().to_string();
    let (_, out, _) = outpost(&["replay", &record, "-c", &site.gateway.config().display().to_string()]);
    assert!(out.contains(&format!("{record}:11: ")), "{out}");
    assert!(out.ends_with("11 observations, 1 rejected, 1 alerts, 1 tickets\n"), "{out}");
}

const RULE: &str = r#"
[[sources]]
id = "a"
[[rules]]
id = "high"
sources = ["a"]
detect = { kind = "threshold", above = 10.0 }
severity = "minor"
"#;

const PUMPS: &str = r#"
[[feeds]]
id = "pumps"
broker = "b"
topics = ["in/pump/+"]
source = "pump/{2}"
format = { kind = "number", metric = "running" }
[[rules]]
id = "pump-runs"
sources = ["pump/+"]
detect = { kind = "threshold", metric = "running", above = 0.5 }
severity = "minor"
"#;

type Times = (String, String, Option<String>);

/// Opened, since and cleared, by alert, as the timeline says.
fn replay(gateway: &Program) -> BTreeMap<String, Times> {
    let (record, config) = (gateway.record_file().display().to_string(), gateway.config().display().to_string());
    let (code, out, error) = outpost(&["replay", &record, "-c", &config]);
    assert_eq!(code, Some(0), "{error}");
    assert!(out.contains(", 0 rejected, "), "{out}");
    let mut alerts: BTreeMap<String, Times> = BTreeMap::new();
    for line in out.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            [time, "alert", id, "opened", ..] => {
                let since = line.rsplit_once("(since ").unwrap().1.trim_end_matches(')');
                alerts.insert(id.to_owned(), (time.to_owned(), since.to_owned(), None));
            }
            [time, "alert", id, "cleared", ..] => alerts.get_mut(id).unwrap().2 = Some(time.to_owned()),
            _ => {}
        }
    }
    alerts
}
