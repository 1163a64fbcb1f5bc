//! The whole with the real program and real servers: a message comes in by MQTT and becomes a ticket that receivers
//! hear of, that the live stream shows, and that operators close.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use outpost::config::MqttVersion;
use outpost::telemetry::clock::now_ms;
use reqwest::Method;
use serde_json::{Value, json};

use crate::series_victoria::Victoria;
use crate::support::program::{Program, TOKEN, client};
use crate::support::session::{Gateway, broker};
use crate::support::site::{Centre, Post, Site};
use crate::support::within;

const BOILERS: &str = r#"
[[feeds]]
id = "boilers"
broker = "b"
topics = ["in/boiler/+"]
source = "boiler/{2}"
format = { kind = "number", metric = "temperature", unit = "Cel" }
[[sources]]
id = "boiler/1"
name = "锅炉房"
place = [106.03, 29.84]
[[rules]]
id = "boiler-hot"
name = "锅炉过热"
sources = ["boiler/+"]
detect = { kind = "threshold", metric = "temperature", above = 90.0, unit = "Cel" }
severity = "severe"
category = "industry/overheat"
"#;

const KEY: [u8; 32] = [7; 32];

#[tokio::test]
async fn a_message_becomes_a_ticket_that_receivers_hear_of_and_operators_close() {
    let (centre, url) = Centre::start().await;
    let receivers = format!(
        "{BOILERS}\n[[receivers]]\nid = \"centre\"\nto = {{ kind = \"webhook\", url = \"{url}\", \
         secret = {{ file = \"{{folder}}/secret\" }} }}\n\
         [[receivers]]\nid = \"lights\"\nto = {{ kind = \"mqtt\", broker = \"b\", topic = \"t/tickets\" }}\n"
    );
    let mut site = Site::prepare("5", &receivers).await;
    std::fs::write(site.gateway.folder().join("secret"), format!("whsec_{}\n", STANDARD.encode(KEY))).unwrap();
    let mut lights = Gateway::start(&broker_named(site.mosquitto.port(), "lights"));
    lights.live().await;
    site.gateway.start_ready().await;

    site.publish("in/boiler/1", "95.5").await;
    let gateway = &site.gateway;
    gateway.eventually("a ticket", async || n_tickets(gateway).await == 1).await;
    let ticket = &gateway.json("/api/v1/tickets").await["tickets"][0];
    assert_eq!(ticket["id"], "T-1");
    assert_eq!((&ticket["title"], &ticket["severity"]), (&json!("锅炉过热"), &json!("severe")));
    assert_eq!((&ticket["why"], &ticket["lamp"]), (&json!("temperature 95.5 Cel above 90 Cel"), &json!("green")));
    assert_eq!(ticket["place"], json!({ "name": "锅炉房", "lon": 106.03, "lat": 29.84 }));

    for (name, body) in [
        ("accept", json!({ "who": "镇中心" })),
        ("file", json!({ "who": "镇中心" })),
        ("dispatch", json!({ "who": "镇中心", "unit": "三分队", "note": "速去" })),
        ("sign", json!({ "who": "三分队" })),
        ("start", json!({ "who": "三分队" })),
        ("feed-back", json!({ "who": "三分队", "note": "已降温" })),
        ("verify", json!({ "who": "镇中心" })),
        ("close", json!({ "who": "镇中心" })),
    ] {
        let answer = gateway.post(&format!("/api/v1/tickets/1/{name}"), body).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
    }
    let refused = async |path: &str, body| gateway.post(path, body).await.status;
    assert_eq!(refused("/api/v1/tickets/1/accept", json!({ "who": "x" })).await, 409, "closed");
    assert_eq!(refused("/api/v1/tickets/9/accept", json!({ "who": "x" })).await, 404);
    assert_eq!(refused("/api/v1/tickets/1/accept", json!({ "who": "" })).await, 400);

    let one = gateway.json("/api/v1/tickets/1").await;
    assert_eq!((&one["ticket"]["stage"], &one["ticket"]["unit"]), (&json!("closed"), &json!("三分队")));
    let journal: Vec<String> = one["journal"].as_array().unwrap().iter().map(journal_line).collect();
    let wanted = [
        "1 outpost opened temperature 95.5 Cel above 90 Cel",
        "2 镇中心 accept ",
        "3 镇中心 file ",
        "4 镇中心 dispatch to 三分队: 速去",
        "5 三分队 sign ",
        "6 三分队 start ",
        "7 三分队 feed-back 已降温",
        "8 镇中心 verify ",
        "9 镇中心 close ",
    ];
    assert_eq!(journal, wanted);

    let kinds = ["opened", "accepted", "filed", "dispatched", "signed", "handling", "fed-back", "verified", "closed"];
    gateway.eventually("all posts", async || centre.got().len() >= kinds.len()).await;
    let letters: Vec<Value> = centre.got().iter().map(verified).collect();
    let published = lights.take(kinds.len()).await;
    let announced: Vec<Value> = published.iter().map(|m| serde_json::from_slice(&m.payload).unwrap()).collect();
    assert_eq!(announced, letters, "both receivers get the same");
    for (number, (letter, kind)) in letters.iter().zip(kinds).enumerate() {
        assert_eq!(letter["specversion"], "1.0");
        assert_eq!(letter["id"], format!("T-1/{}", number + 1));
        assert_eq!(letter["source"], "outpost/district");
        assert_eq!(letter["type"], format!("outpost.ticket.{kind}"));
        assert_eq!(letter["data"]["id"], "T-1");
    }
    let delivered =
        async || gateway.metric("outpost_deliveries_total", "receiver=\"centre\",result=\"delivered\"").await == 9;
    gateway.eventually("acknowledged deliveries", delivered).await;
}

#[tokio::test]
async fn a_move_that_the_stage_does_not_allow_is_a_conflict() {
    let site = Site::start("5", BOILERS).await;
    site.publish("in/boiler/2", "99").await;
    let gateway = &site.gateway;
    gateway.eventually("a ticket", async || n_tickets(gateway).await == 1).await;
    let answer = gateway.post("/api/v1/tickets/1/close", json!({ "who": "x" })).await;
    assert_eq!((answer.status, &answer.json()["status"]), (409, &json!(409)), "{}", answer.text);
    let answer = gateway.post("/api/v1/tickets/1/refuse", json!({ "who": "x" })).await;
    assert_eq!(answer.status, 422, "what is refused says why: {}", answer.text);
    assert_eq!(gateway.json("/api/v1/tickets/1").await["journal"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_live_stream_goes_on_after_the_last_number_that_its_reader_has() {
    let site = Site::start("5", BOILERS).await;
    for value in ["95", "20", "95", "20"] {
        site.publish("in/boiler/1", value).await;
    }
    let mut stream = Stream::open(&site.gateway, Some(0)).await;
    let first: Vec<(i64, String)> = vec![stream.next().await, stream.next().await];
    assert_eq!(first, [(1, "opened".into()), (2, "alert-cleared".into())]);
    drop(stream);

    let mut stream = Stream::open(&site.gateway, Some(2)).await;
    assert_eq!(stream.next().await, (3, "opened".into()));
    assert_eq!(stream.next().await, (4, "alert-cleared".into()));
    // And goes on live.
    let mut fresh = Stream::open(&site.gateway, None).await;
    site.publish("in/boiler/1", "95").await;
    assert_eq!(stream.next().await, (5, "opened".into()));
    assert_eq!(fresh.next().await, (5, "opened".into()), "without a number it begins now");
}

#[tokio::test]
async fn every_answer_of_the_api_asks_for_the_token_and_health_does_not() {
    let site = Site::start("5", BOILERS).await;
    let gateway = &site.gateway;
    let asked = async |method: Method, path: &str, token| gateway.request(method, path, None, token).await.status;
    for path in ["tickets", "tickets/1", "alerts", "alerts/A-1", "alerts/A-1/snapshot", "sources", "fences", "rules"]
        .map(|path| format!("/api/v1/{path}"))
        .iter()
        .chain([&"/api/v1/stream".to_owned(), &"/api/v1/no-such".to_owned()])
    {
        assert_eq!(asked(Method::GET, path, None).await, 401, "{path}");
        assert_eq!(asked(Method::GET, path, Some("correct-horsf")).await, 401, "{path}");
    }
    assert_eq!(asked(Method::POST, "/api/v1/tickets/1/accept", None).await, 401);
    assert_eq!(asked(Method::GET, &format!("/api/v1/rules?token={TOKEN}"), None).await, 200);
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(asked(Method::GET, path, None).await, 200, "{path}");
    }
    assert!(!gateway.log().contains(TOKEN), "the token is in the log");
}

#[tokio::test]
async fn a_gateway_is_not_ready_while_its_broker_is_away() {
    let mut site = Site::start("5", BOILERS).await;
    site.mosquitto.kill();
    site.gateway.ready(503).await;
    assert!(site.gateway.get("/readyz").await.text.contains("down: "));
    assert_eq!(site.gateway.get("/healthz").await.status, 200, "it lives, though");
    assert_eq!(site.gateway.metric("outpost_mqtt_session_up", "broker=\"b\"").await, 0);
    site.mosquitto.restart().await;
    site.gateway.ready(200).await;
    assert_eq!(site.gateway.metric("outpost_mqtt_session_up", "broker=\"b\"").await, 1);
}

#[tokio::test]
async fn readings_reach_the_series_database() {
    let victoria = Victoria::start().await;
    let series = format!(
        "{BOILERS}\n[series]\nurl = \"{}\"\norg = \"o\"\nbucket = \"k\"\nlinger = \"20ms\"\nretry_max = \"300ms\"\n",
        victoria.url
    );
    let mut site = Site::start("5", &series).await;
    let begun_ms = now_ms();
    for value in 0..100 {
        site.publish("in/boiler/1", format!("{}.25", value)).await;
    }
    site.gateway.eventually("100 readings", async || victoria.points().await.len() >= 100).await;
    let mut points = victoria.points().await;
    assert_eq!(points.len(), 100);
    points.sort_by_key(|(_, _, _, _, at_ms)| *at_ms);
    for (value, point) in (0..100).zip(&points) {
        let (source, metric, unit, got, at_ms) = point;
        assert_eq!((source.as_str(), metric.as_str(), unit.as_str()), ("boiler/1", "temperature", "Cel"));
        assert_eq!(*got, f64::from(value) + 0.25);
        assert!((begun_ms..=now_ms() + 1_000).contains(at_ms), "{at_ms}");
    }
    assert_eq!(victoria.rows_invalid().await, 0.0);
    assert_eq!(site.gateway.terminate().await.code(), Some(0));
}

async fn n_tickets(gateway: &Program) -> usize {
    gateway.json("/api/v1/tickets").await["tickets"].as_array().unwrap().len()
}

fn journal_line(entry: &Value) -> String {
    let text = |key: &str| entry[key].as_str().unwrap();
    format!("{} {} {} {}", entry["no"], text("who"), text("what"), text("note"))
}

/// Checks key and signature as a receiver would; returns the CloudEvent.
fn verified(post: &Post) -> Value {
    let event: Value = serde_json::from_slice(&post.body).unwrap();
    assert_eq!(post.header("content-type"), "application/cloudevents+json");
    assert_eq!(event["id"], post.header("idempotency-key"));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&KEY).unwrap();
    mac.update(format!("{}.{}.", post.header("webhook-id"), post.header("webhook-timestamp")).as_bytes());
    mac.update(&post.body);
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(post.header("webhook-signature"), signature);
    event
}

fn broker_named(port: u16, client_id: &str) -> outpost::config::Broker {
    outpost::config::Broker { client_id: client_id.into(), ..broker(port, MqttVersion::V5) }
}

/// A reader of the live stream.
pub(crate) struct Stream {
    answer: reqwest::Response,
    unread: String,
}

impl Stream {
    pub(crate) async fn open(gateway: &Program, last: Option<i64>) -> Stream {
        let mut request = client().get(format!("http://{}/api/v1/stream", gateway.address())).bearer_auth(TOKEN);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Stream { answer, unread: String::new() }
    }

    /// Number and kind of the next entry.
    async fn next(&mut self) -> (i64, String) {
        within("an entry of the stream", async {
            loop {
                if let Some((block, rest)) = self.unread.split_once("\n\n") {
                    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                    let entry = field("id:").zip(field("data:")).map(|(id, data)| {
                        let data: Value = serde_json::from_str(data).unwrap();
                        assert!(data["ticket"]["id"].is_string(), "{data}");
                        (id.parse().unwrap(), data["what"].as_str().unwrap().to_owned())
                    });
                    self.unread = rest.to_owned();
                    match entry {
                        Some(entry) => return entry,
                        None => continue,
                    }
                }
                let chunk = self.answer.chunk().await.unwrap().expect("the stream ended");
                self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        })
        .await
    }

    /// Until the gateway ends it.
    pub(crate) async fn ended(mut self) {
        within("the stream to end", async { while let Ok(Some(_)) = self.answer.chunk().await {} }).await;
    }
}
