//! A fire that a camera on a tower sees, and the gas and smoke sensors near it, two kilometres from the tower: one matter, by
//! place and time, from payloads as devices send them.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::site::Site;

/// The tower looks at (106.0696, 29.8385), 1.9 km away on flat ground 150 m below it.
const SITE: &str = r#"
[[feeds]]
id = "thermal"
broker = "b"
topics = ["thermal/+"]
format = { kind = "thermal-json", pixels = "/pixels", aim = { bearing = "/pan", elevation = "/tilt", fov = "/fov" } }

[[feeds]]
id = "zigbee"
broker = "b"
topics = ["zigbee2mqtt/#"]
source = "zigbee/{1}"
format = { kind = "zigbee2mqtt" }

[[feeds]]
id = "gas"
broker = "b"
topics = ["milesight/#"]
source = "lora/{name}"
format = { kind = "milesight" }

[[sources]]
id = "thermal/tower"
place = [106.0500, 29.8400]
view = { height_m = 350.0, bearing = 95.0, elevation = -4.5, fov = 24.0 }

[[sources]]
id = "zigbee/hut"
place = [106.0710, 29.8380]

[[sources]]
id = "zigbee/tower"
place = [106.0501, 29.8400]

[[sources]]
id = "lora/24e124136d000001"
place = [106.0690, 29.8400]

[land]
flat_m = 200.0

[[rules]]
id = "heat"
sources = ["thermal/+"]
detect = { kind = "hotspot", above = 80.0, pixels_min = 2 }
severity = "severe"

[[rules]]
id = "smoke"
sources = ["zigbee/+"]
detect = { kind = "threshold", metric = "smoke", above = 0.5 }
severity = "moderate"

[[rules]]
id = "gas"
sources = ["lora/+"]
detect = { kind = "threshold", metric = "gas_status", above = 0.5 }
severity = "moderate"

[[rules]]
id = "fire"
sources = ["thermal/+", "zigbee/+", "lora/+"]
detect = { kind = "together", of = ["heat", "smoke", "gas"], k = 2, within = "10m", radius_m = 400.0 }
severity = "extreme"
"#;

/// As `fixtures/payloads/milesight/gas-alarm.json`.
const GAS: &str = r#"{"devEUI": "24e124136d000001", "gas_status": "alarm", "valve": "close", "relay": "open", "life_remain": 99, "alarm": ["threshold"]}"#;

/// A smoke detector as Zigbee2MQTT tells of it (zigbee2mqtt.io, devices with the exposes of TS0205).
const SMOKE: &str = r#"{"battery":100,"battery_low":false,"linkquality":123,"smoke":true,"tamper":false}"#;

/// A frame of the tower's imager, 24 degrees wide, with a fire in its middle.
fn frame() -> String {
    let mut text = r#"{"pan": 95.0, "tilt": -4.52, "fov": 24.0, "pixels": ["#.to_owned();
    for row in 0..24 {
        let pixel = |column: usize| if (11..13).contains(&row) && (15..17).contains(&column) { 240.5 } else { 18.5 };
        let pixels: Vec<String> = (0..32).map(|column| pixel(column).to_string()).collect();
        write!(text, "{}[{}]", if row == 0 { "" } else { "," }, pixels.join(",")).unwrap();
    }
    text + "]}"
}

async fn open(site: &Site) -> Vec<(String, String)> {
    let answer = site.gateway.json("/api/v1/alerts?state=open").await;
    let text = |alert: &Value, key: &str| alert[key].as_str().unwrap().to_owned();
    let alerts = answer["alerts"].as_array().unwrap().iter();
    let mut open: Vec<_> = alerts.map(|alert| (text(alert, "rule"), text(alert, "source"))).collect();
    open.sort();
    open
}

async fn eventually_open(site: &Site, rules: &[(&str, &str)]) {
    let wanted: Vec<_> = rules.iter().map(|(rule, source)| ((*rule).to_owned(), (*source).to_owned())).collect();
    site.gateway.eventually(&format!("{rules:?}"), async || open(site).await == wanted).await;
}

#[tokio::test]
async fn what_is_near_the_fire_counts_with_it_and_what_is_near_the_tower_does_not() {
    let site = Site::start("5", SITE).await;
    site.publish("thermal/tower", frame()).await;
    eventually_open(&site, &[("heat", "thermal/tower")]).await;
    let alerts = site.gateway.json("/api/v1/alerts?state=open").await;
    let place = &alerts["alerts"][0]["place"];
    let (lon, lat) = (place["lon"].as_f64().unwrap(), place["lat"].as_f64().unwrap());
    assert!((lon - 106.0696).abs() < 0.001 && (lat - 29.8385).abs() < 0.001, "{place}");
    // Smoke at the tower's own foot is another matter: two kilometres from the fire.
    site.publish("zigbee2mqtt/tower", SMOKE).await;
    eventually_open(&site, &[("heat", "thermal/tower"), ("smoke", "zigbee/tower")]).await;
    site.publish("milesight/uplink", GAS).await;
    let near = ("fire", "lora/24e124136d000001");
    let gas = ("gas", "lora/24e124136d000001");
    eventually_open(&site, &[near, gas, ("heat", "thermal/tower"), ("smoke", "zigbee/tower")]).await;
    // The second sensor there adds nothing but its own alert: the matter is known.
    site.publish("zigbee2mqtt/hut", SMOKE).await;
    let (hut, tower) = (("smoke", "zigbee/hut"), ("smoke", "zigbee/tower"));
    eventually_open(&site, &[near, gas, ("heat", "thermal/tower"), hut, tower]).await;
    let alerts = site.gateway.json("/api/v1/alerts?state=open").await;
    let fire = alerts["alerts"].as_array().unwrap().iter().find(|alert| alert["rule"] == "fire").unwrap().clone();
    let why = fire["why"].as_str().unwrap();
    assert!(why.contains("heat (thermal/tower)") && why.contains("gas (lora/24e124136d000001)"), "{why}");
    assert!(!why.contains("zigbee/tower"), "{why}");
}
