//! Devices that announce themselves by Home Assistant's discovery are read where the feed allows them, with a real broker that
//! retains their announcements: also after a restart, when only these say what values mean.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::site::Site;

const SITE: &str = r#"
[[feeds]]
id = "home"
broker = "b"
topics = ["homeassistant/#", "zigbee2mqtt/#"]
source = "home/{name}"
format = { kind = "home-assistant", allow = ["0x00124b*"] }

[[rules]]
id = "warm"
sources = ["home/+"]
detect = { kind = "threshold", metric = "temperature", above = 30.0, unit = "Cel" }
severity = "minor"

[[rules]]
id = "damp"
sources = ["home/+"]
detect = { kind = "threshold", metric = "humidity", above = 80.0, unit = "%RH" }
severity = "minor"
"#;

const CELLAR: &str = "zigbee2mqtt/cellar climate";
const TEMPERATURE: &str = "homeassistant/sensor/0x00124b0022ab54cd/temperature/config";
const HUMIDITY: &str = "homeassistant/sensor/0x00124b0022ab54cd/humidity/config";

fn announcement(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/payloads/home-assistant");
    std::fs::read(format!("{folder}/{name}.json")).unwrap()
}

/// Publishes with quality of service 1 and the flag that makes the broker keep it, by a client of its own (MQTT 3.1.1,
/// sections 3.1 and 3.3), and returns when the broker has it.
async fn retain(site: &Site, topic: &str, payload: &[u8]) {
    let mut broker = TcpStream::connect(("127.0.0.1", site.mosquitto.port())).await.unwrap();
    broker.write_all(b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0").await.unwrap();
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend([topic.as_bytes(), b"\0\x01", payload].concat());
    let mut packet = vec![0x33];
    let mut length = body.len();
    while length >= 128 {
        packet.push(length as u8 | 0x80);
        length >>= 7;
    }
    packet.push(length as u8);
    broker.write_all(&[packet, body].concat()).await.unwrap();
    let mut answers = [0; 8];
    broker.read_exact(&mut answers).await.unwrap();
    assert_eq!(answers, [0x20, 2, 0, 0, 0x40, 2, 0, 1], "CONNACK and PUBACK");
}

async fn open(site: &Site) -> Vec<String> {
    let answer = site.gateway.json("/api/v1/alerts?state=open").await;
    let alerts = answer["alerts"].as_array().unwrap();
    let mut keys: Vec<String> =
        alerts.iter().map(|alert| format!("{} {}", alert["rule"], alert["source"]).replace('"', "")).collect();
    keys.sort();
    keys
}

async fn devices_register_and_stay_known(version: &str) {
    let mut site = Site::prepare(version, SITE).await;
    // The value is there before its announcement, and comes first where the broker keeps them in this order.
    retain(&site, CELLAR, br#"{"temperature":31.5,"humidity":60}"#).await;
    retain(&site, TEMPERATURE, &announcement("zigbee-temperature-config")).await;
    retain(&site, HUMIDITY, &announcement("zigbee-humidity-config")).await;
    retain(&site, "homeassistant/sensor/stranger/power/config", &announcement("not-allowed")).await;
    site.gateway.start_ready().await;
    let warm = "warm home/0x00124b0022ab54cd";
    site.gateway.eventually("the retained value", async || open(&site).await == [warm]).await;
    let refused =
        async || site.gateway.metric("outpost_messages_rejected_total", r#"feed="home",reason="not_allowed""#).await;
    site.gateway.eventually("the stranger", async || refused().await == 1).await;
    assert!(site.gateway.log().contains("device stranger is not among those that the feed allows"));

    // The broker knows the session; the announcements have to come again all the same.
    site.gateway.kill();
    site.gateway.start_ready().await;
    site.publish(CELLAR, r#"{"temperature":20.5,"humidity":85}"#).await;
    let damp = "damp home/0x00124b0022ab54cd";
    site.gateway.eventually("values after the restart", async || open(&site).await == [damp]).await;

    // What is taken back is not read any more, what is not is.
    retain(&site, TEMPERATURE, b"").await;
    site.publish(CELLAR, r#"{"temperature":45.0,"humidity":50}"#).await;
    site.gateway.eventually("the end of damp", async || open(&site).await.is_empty()).await;
}

#[tokio::test]
async fn devices_register_themselves_and_stay_known_with_mqtt_5() {
    devices_register_and_stay_known("5").await;
}

#[tokio::test]
async fn devices_register_themselves_and_stay_known_with_mqtt_3() {
    devices_register_and_stay_known("3.1.1").await;
}
