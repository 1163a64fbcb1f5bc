//! Tickets as CAP 1.2 messages: they hold to the published schema (by xmllint), and say what the journal says.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post;
use outpost::config::{District, Receiver, Severity};
use outpost::notify::cap::{self, Entry};
use outpost::notify::{Notifier, Told, Worker};
use outpost::nouns::{Clock, Confidence, Counts, Ellipse, Place, Runs, Sight, Stage, StoreFault, Ticket};
use outpost::telemetry::clock;
use outpost::telemetry::metrics::ReceiverMetrics;
use tokio::process::Command;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support_out::{MemoryOutbox, until};

const OPENED_MS: i64 = 1_767_323_045_123;

fn district() -> District {
    District { id: "tong liang".into(), name: "铜梁区".into(), ..District::default() }
}

fn ticket() -> Ticket {
    Ticket {
        no: 42,
        alert: "a".into(),
        rule: "smoke".into(),
        source: "cam:hill".into(),
        fence: Some("east-slope".into()),
        title: "林区烟雾 <&\u{1}>".into(),
        why: "smoke for 40 s".into(),
        severity: Severity::Severe,
        category: "fire/smoke".into(),
        place: Place { name: Some("东坡".into()), point: Some((106.031, 29.842)), ..Place::default() },
        confidence: None,
        stage: Stage::Reported,
        held: None,
        is_emergency: false,
        is_private: false,
        is_force_majeure: false,
        centre: "east".into(),
        beside: Vec::new(),
        officer: None,
        lease_ms: None,
        lead: None,
        unit: None,
        handlers: Vec::new(),
        opened_ms: OPENED_MS,
        closed_ms: None,
        whole: Clock {
            runs: Runs::Always,
            budget_ms: 60_000,
            yellow_ms: OPENED_MS + 45_000,
            due_ms: OPENED_MS + 60_000,
            left_ms: None,
            n_told: 0,
        },
        step: None,
        extension: None,
        into: None,
        n_alerts: 1,
        n_alerts_on: 1,
        storm: None,
        counts: Counts::default(),
        score: None,
        call: None,
        n_journal: 1,
    }
}

fn journal(whats: &[&str]) -> Vec<Entry> {
    let entry = |(i, what): (usize, &&str)| Entry {
        no: i as u64 + 1,
        at_ms: OPENED_MS + 1_000 * i as i64,
        what: (*what).to_owned(),
        note: format!("note {i}"),
    };
    whats.iter().enumerate().map(entry).collect()
}

fn message(ticket: &Ticket, whats: &[&str]) -> String {
    cap::message(&district(), ticket, &journal(whats)).unwrap()
}

async fn assert_valid(message: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), message).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/cap/CAP-v1.2.xsd");
    let mut xmllint = Command::new("xmllint");
    xmllint.args(["--nonet", "--noout", "--schema"]).arg(schema).arg(file.path());
    let output = xmllint.output().await.expect("xmllint runs: install libxml2-utils");
    assert!(output.status.success(), "{}\n{message}", String::from_utf8_lossy(&output.stderr));
}

/// Texts of the elements of that name.
fn texts(message: &str, name: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(message).unwrap();
    let found = document.descendants().filter(|node| node.tag_name().name() == name);
    found.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn an_alert_says_what_and_where_and_holds_to_the_schema() {
    let said = message(&ticket(), &["opened"]);
    assert_valid(&said).await;
    assert_eq!(texts(&said, "identifier"), ["outpost/tong%20liang/T-42/1"]);
    assert_eq!(texts(&said, "sent"), ["2026-01-02T03:04:05-00:00"]);
    assert_eq!((texts(&said, "msgType"), texts(&said, "references")), (vec!["Alert".to_owned()], Vec::new()));
    assert_eq!(texts(&said, "event"), ["林区烟雾 <&>"]);
    assert_eq!(texts(&said, "circle"), ["29.842000,106.031000 0"], "latitude first");
    assert_eq!(
        (texts(&said, "category"), texts(&said, "severity")),
        (vec!["Fire".to_owned()], vec!["Severe".to_owned()])
    );
    assert_eq!(
        (texts(&said, "language"), texts(&said, "certainty")),
        (vec!["zh-CN".to_owned()], vec!["Observed".to_owned()])
    );
}

#[tokio::test]
async fn updates_and_the_cancel_refer_to_all_that_was_told_before() {
    let said = message(&ticket(), &["opened", "called", "accept", "escalate"]);
    assert_valid(&said).await;
    assert_eq!((texts(&said, "msgType"), texts(&said, "note")), (vec!["Update".to_owned()], vec!["note 3".to_owned()]));
    let reference = |no: u64, second: u64| {
        format!("outpost/tong%20liang,outpost/tong%20liang/T-42/{no},2026-01-02T03:04:{second:02}-00:00")
    };
    assert_eq!(texts(&said, "references"), [format!("{} {}", reference(1, 5), reference(3, 7))]);

    let closed = Ticket { stage: Stage::Archived, closed_ms: Some(OPENED_MS + 3_000), ..ticket() };
    let said = message(&closed, &["opened", "solve", "verify", "close", "rate", "archive"]);
    assert_valid(&said).await;
    assert_eq!(
        (texts(&said, "msgType"), texts(&said, "urgency")),
        (vec!["Cancel".to_owned()], vec!["Past".to_owned()])
    );
    assert_eq!(
        texts(&said, "identifier"),
        ["outpost/tong%20liang/T-42/4"],
        "what comes after the end says nothing new"
    );
    assert_eq!(texts(&said, "references")[0].split(' ').count(), 3);
    assert_eq!(texts(&said, "expires"), Vec::<String>::new());
}

#[tokio::test]
async fn an_uncertain_sighting_is_a_closed_polygon_about_its_point() {
    let sight = Sight {
        error: Some(Ellipse { major_m: 500.0, minor_m: 50.0, bearing_deg: 90.0 }),
        grids: vec![Arc::from("grid-7")],
        ..Sight::default()
    };
    let seen = Ticket {
        place: Place { sight: Some(Box::new(sight)), ..ticket().place },
        confidence: Some(Confidence { share: 0.7, why: "flame".into() }),
        ..ticket()
    };
    let said = message(&seen, &["opened"]);
    assert_valid(&said).await;
    let polygon = &texts(&said, "polygon")[0];
    let corners: Vec<(f64, f64)> = polygon
        .split(' ')
        .map(|pair| pair.split_once(',').map(|(lat, lon)| (lat.parse().unwrap(), lon.parse().unwrap())).unwrap())
        .collect();
    assert_eq!((corners.len(), corners.first()), (25, corners.last()));
    let (lats, lons): (Vec<f64>, Vec<f64>) = corners.into_iter().unzip();
    let reach = |numbers: &[f64]| {
        let (min, max) = numbers.iter().fold((f64::MAX, f64::MIN), |(min, max), x| (min.min(*x), max.max(*x)));
        max - min
    };
    // Two standard deviations to each side; the long axis lies east and west.
    assert!((reach(&lats) * 111_195.0 - 200.0).abs() < 2.0, "{polygon}");
    assert!((reach(&lons) * 111_195.0 * 29.842f64.to_radians().cos() - 2_000.0).abs() < 5.0, "{polygon}");
    assert_eq!(texts(&said, "certainty"), ["Likely"]);
    assert!(texts(&said, "value").contains(&"grid-7".to_owned()));
}

#[test]
fn the_feed_links_to_each_message_and_a_long_story_stays_bounded() {
    let whats = vec!["supervise"; 500];
    let told = [(ticket(), journal(&whats)), (Ticket { no: 43, ..ticket() }, Vec::new())];
    let feed = cap::feed(&district(), &told);
    let document = roxmltree::Document::parse(&feed).unwrap();
    let links: Vec<_> = document.descendants().filter_map(|node| node.attribute("href")).collect();
    assert_eq!(links, ["/api/v1/tickets/42/cap"]);
    assert_eq!(texts(&feed, "id"), ["urn:outpost:tong%20liang:cap", "urn:outpost:tong%20liang:T-42:500"]);
    let references = texts(&message(&ticket(), &whats), "references")[0].clone();
    let named: Vec<&str> = references.split(' ').filter_map(|reference| reference.split(',').nth(1)).collect();
    assert_eq!(named.len(), 50);
    assert!(named[0].ends_with("/1") && named[1].ends_with("/451") && named[49].ends_with("/499"), "{references}");
}

/// Tickets of the numbers 42 and, private, 43, of one history.
struct Kept;

const HISTORY: [&str; 7] = ["opened", "called", "accept", "acknowledge", "close", "rate", "called"];

impl Told for Kept {
    fn ticket(&self, no: u64) -> Result<Option<(Ticket, Vec<Entry>)>, StoreFault> {
        Ok((42..=43).contains(&no).then(|| (Ticket { no, is_private: no == 43, ..ticket() }, journal(&HISTORY))))
    }
}

#[tokio::test]
async fn a_receiver_of_cap_is_sent_what_the_journal_tells_and_again_when_somebody_is_called() {
    let received = Arc::<Mutex<Vec<(String, String)>>>::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let taken = received.clone();
    let take = async move |headers: HeaderMap, body: String| {
        let kind = headers["content-type"].to_str().unwrap().to_owned();
        taken.lock().unwrap().push((kind, body));
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/cap", post(take))).await });
    let receiver =
        format!("id = \"warnings\"\nto = {{ kind = \"webhook\", url = \"http://{address}/cap\", body = \"cap\" }}");
    let receiver: Receiver = toml::from_str(&receiver).unwrap();
    let notifier = Notifier::new(&receiver.to, |_| None).unwrap();
    let (outbox, stop) = (Arc::new(MemoryOutbox::default()), CancellationToken::new());
    for key in (1..=7).map(|no| format!("T-42/{no}")).chain(["T-43/1", "T-44/1", "T-42/99"].map(String::from)) {
        outbox.push("warnings", &key, clock::now_ms());
    }
    let (wake, metrics) = (Arc::new(Notify::new()), ReceiverMetrics::default());
    let kept = (outbox.clone() as Arc<_>, Arc::new(Kept) as Arc<_>);
    let worker = Worker::new(&district(), &receiver, notifier, kept, wake, metrics);
    tokio::spawn(worker.run(stop.clone()));
    until("all is told", || outbox.n_waiting() == 0).await;
    stop.cancel();
    let received = received.lock().unwrap().clone();
    let mut told = Vec::new();
    for (kind, message) in &received {
        assert_eq!(kind, "application/cap+xml");
        assert_valid(message).await;
        told.push((texts(message, "identifier").remove(0), texts(message, "msgType").remove(0)));
    }
    let said = |no: u64, kind: &str| (format!("outpost/tong%20liang/T-42/{no}"), kind.to_owned());
    let first = said(1, "Alert");
    let (accepted, closed) = (said(3, "Update"), said(5, "Cancel"));
    assert_eq!(told, [first.clone(), first, accepted, closed.clone(), closed], "a call says the newest again");
}
