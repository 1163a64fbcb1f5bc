//! Escalations with the real program: a report comes in, somebody is called until they acknowledge, and a crash in between
//! neither forgets the call nor makes it twice.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::support::site::{Centre, Site};

#[tokio::test]
async fn calls_go_on_after_a_crash_until_somebody_acknowledges() {
    let (duty, url) = Centre::start().await;
    let rest = format!(
        r#"
[[receivers]]
id = "duty"
hears = "calls"
to = {{ kind = "webhook", url = "{url}" }}
[[desk.escalations]]
id = "duty-call"
steps = [{{ receivers = ["duty"], repeat = "1s", after = "1h" }}]
[[intake]]
id = "housing"
key = "/no"
title = "/subject"
kinds = [{{ category = "matters/small" }}]
"#
    );
    let mut site = Site::start("5", &rest).await;
    let report = json!([{ "no": 7, "subject": "漏水" }]);
    let told = site.gateway.post("/api/v1/intake/housing", report.clone()).await;
    assert_eq!((told.status, &told.json()["items"][0]["new"]), (200, &json!(true)), "{}", told.text);
    site.gateway.eventually("two calls", async || duty.got().len() >= 2).await;

    site.gateway.kill();
    site.gateway.start_ready().await;
    let told = site.gateway.post("/api/v1/intake/housing", report).await.json();
    assert_eq!((&told["items"][0]["ticket"], &told["items"][0]["new"]), (&json!("T-1"), &json!(false)));
    let n_before = duty.got().len();
    site.gateway.eventually("two calls more", async || duty.got().len() >= n_before + 2).await;

    let acknowledge =
        async || site.gateway.post("/api/v1/tickets/1/acknowledge", json!({ "who": "值班员" })).await.status;
    assert_eq!((acknowledge().await, acknowledge().await), (200, 409));
    let one = site.gateway.json("/api/v1/tickets/1").await;
    assert_eq!((&one["ticket"]["call"], &one["ticket"]["stage"]), (&Value::Null, &json!("reported")));

    // What was on its way when it was killed comes again under the same key, and says the same.
    let mut bodies: BTreeMap<String, Bytes> = BTreeMap::new();
    for post in duty.got() {
        let letter: Value = serde_json::from_slice(&post.body).unwrap();
        assert_eq!(letter["type"], "outpost.ticket.called");
        let known = bodies.insert(post.header("idempotency-key").to_owned(), post.body.clone());
        assert!(known.is_none_or(|body| body == post.body));
    }
    let called = one["journal"].as_array().unwrap().iter().filter(|entry| entry["what"] == "called").count();
    assert!(called >= 4 && bodies.len() <= called, "{called} calls, {} letters", bodies.len());
}
