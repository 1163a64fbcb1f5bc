//! A changed configuration is taken while the gateway runs: what goes on goes on, what is no more is cleared, and a
//! configuration that cannot be taken changes nothing.

use crate::support::site::Site;

const SITE: &str = r#"
[[feeds]]
id = "gas"
broker = "b"
topics = ["tunnel/+"]
format = { kind = "json", readings = [{ metric = "ch4", value = "/v" }, { metric = "co", value = "/co", optional = true }] }

[[rules]]
id = "gas"
sources = ["tunnel/+"]
detect = { kind = "threshold", metric = "ch4", above = 1.0, clear = 0.8 }
severity = "severe"

[[rules]]
id = "often"
sources = ["tunnel/+"]
detect = { kind = "n-of-m", metric = "ch4", above = 0.5, n = 3, m = 3 }
severity = "minor"
"#;

/// Alerts with this state, as their rules' names.
async fn alerts(site: &Site, state: &str) -> Vec<String> {
    let answer = site.gateway.json(&format!("/api/v1/alerts?state={state}")).await;
    let alerts = answer["alerts"].as_array().unwrap();
    let mut rules: Vec<String> = alerts.iter().map(|alert| alert["rule"].as_str().unwrap().to_owned()).collect();
    rules.sort();
    rules
}

async fn reloads(site: &Site, result: &str) -> u64 {
    site.gateway.metric("outpost_reloads_total", &format!("result=\"{result}\"")).await
}

#[tokio::test]
async fn rules_change_while_the_gateway_runs() {
    let site = Site::start("5", SITE).await;
    site.publish("tunnel/1", r#"{"v":1.2}"#).await;
    site.publish("tunnel/1", r#"{"v":0.9}"#).await;
    site.gateway.eventually("the first alert", async || alerts(&site, "open").await == ["gas"]).await;

    // Another limit, a rule more; what the second rule remembers of two readings goes on.
    site.gateway.reload(|text| {
        text.replace("above = 1.0, clear = 0.8", "above = 5.0, clear = 0.4")
            + "[[rules]]\nid = \"co\"\nsources = [\"tunnel/+\"]\nseverity = \"minor\"\n\
               detect = { kind = \"threshold\", metric = \"co\", above = 10.0 }\n"
    });
    site.gateway.eventually("the reload", async || reloads(&site, "taken").await == 1).await;
    let rules = site.gateway.json("/api/v1/rules").await;
    assert_eq!(rules["rules"].as_array().unwrap().len(), 3, "{rules}");
    assert_eq!(alerts(&site, "open").await, ["gas"], "not opened or cleared by the change");
    site.publish("tunnel/1", r#"{"v":0.9,"co":20}"#).await;
    let all = ["co", "gas", "often"];
    site.gateway.eventually("the others", async || alerts(&site, "open").await == all).await;

    // A mistake, and something that takes a restart: nothing is taken of either.
    site.gateway.reload(|text| text.replace("above = 10.0", "above = 'much'"));
    site.gateway.eventually("the refusal", async || reloads(&site, "refused").await == 1).await;
    site.gateway
        .reload(|text| text.replace("above = 'much'", "above = 30.0").replace("tunnel/+\"]\nformat", "t/+\"]\nformat"));
    site.gateway.eventually("the second refusal", async || reloads(&site, "refused").await == 2).await;
    let log = site.gateway.log();
    assert!(log.contains("above: ") && log.contains("feeds changed, which takes a restart"), "{log}");
    assert_eq!(alerts(&site, "open").await, all);

    // A rule that looks at something else, and one that is no more: their alerts are over.
    site.gateway.reload(|text| {
        let text = text
            .replace("t/+\"]\nformat", "tunnel/+\"]\nformat")
            .replace("metric = \"co\", above = 30.0", "metric = \"ch4\", above = 30.0");
        let (before, after) = text.split_once("[[rules]]\nid = \"often\"").unwrap();
        format!("{before}{}", &after[after.find("[[rules]]").unwrap()..])
    });
    site.gateway.eventually("the third reload", async || reloads(&site, "taken").await == 2).await;
    assert_eq!(alerts(&site, "open").await, ["gas"], "{}", site.gateway.log());
    site.publish("tunnel/1", r#"{"v":0.3}"#).await;
    site.gateway.eventually("the end", async || alerts(&site, "open").await.is_empty()).await;
    assert_eq!(alerts(&site, "all").await, all);
}
