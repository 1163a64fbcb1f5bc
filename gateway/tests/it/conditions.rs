//! Rules of the kind `condition` in the program, with a real broker: over a crash, and over a change of the configuration.

use serde_json::json;

use crate::support::site::Site;

const SITE: &str = r#"
[[feeds]]
id = "air"
broker = "b"
topics = ["tunnel/+"]
format = { kind = "json", readings = [
    { metric = "ch4", value = "/ch4", unit = "%LEL", optional = true },
    { metric = "o2", value = "/o2", unit = "%VOL", optional = true },
] }

[[rules]]
id = "gas-and-bad-air"
sources = ["tunnel/+"]
detect = { kind = "condition", when = "ch4 > 1.0 && o2 < 19.5", clear_when = "o2 > 20.0" }
severity = "severe"
"#;

async fn open(site: &Site) -> Vec<String> {
    let answer = site.gateway.json("/api/v1/alerts?state=open").await;
    let alerts = answer["alerts"].as_array().unwrap();
    alerts.iter().map(|alert| alert["source"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn readings_are_judged_together_over_a_crash_and_a_reload() {
    let mut site = Site::start("5", SITE).await;
    // Each half of a message beside half of the one before would fit the condition: gas now, bad air before.
    site.publish("tunnel/1", r#"{"ch4":0.2,"o2":19.0}"#).await;
    site.publish("tunnel/1", r#"{"ch4":1.4,"o2":20.9}"#).await;
    // Half of what the condition wants is known when the gateway dies.
    site.publish("tunnel/2", r#"{"o2":19.1}"#).await;
    let committed = async || site.gateway.metric("outpost_messages_committed_total", r#"feed="air""#).await;
    site.gateway.eventually("three messages", async || committed().await == 3).await;
    site.gateway.kill();
    site.gateway.start_ready().await;
    site.publish("tunnel/2", r#"{"ch4":1.4}"#).await;
    site.gateway.eventually("the alert", async || open(&site).await == ["tunnel/2"]).await;
    let alerts = site.gateway.json("/api/v1/alerts?state=all").await;
    let alert = &alerts["alerts"][0];
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 1, "{alerts}");
    assert_eq!(alert["why"], "ch4 1.4 %LEL, o2 19.1 %VOL: ch4 > 1.0 && o2 < 19.5");
    assert_eq!(alert["figures"][1], json!({ "name": "o2", "value": 19.1, "unit": "%VOL" }));

    // The same metrics with other limits: the alert stays open and clears by the new ones.
    site.gateway.reload(|text| text.replace("o2 > 20.0", "o2 > 19.6"));
    let taken = async || site.gateway.metric("outpost_reloads_total", r#"result="taken""#).await;
    site.gateway.eventually("the reload", async || taken().await == 1).await;
    assert_eq!(open(&site).await, ["tunnel/2"]);
    site.publish("tunnel/2", r#"{"o2":19.7}"#).await;
    site.gateway.eventually("the end", async || open(&site).await.is_empty()).await;
}
