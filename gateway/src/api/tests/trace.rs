//! What a sensor said around an alert, by the API.

use super::*;

#[tokio::test]
async fn a_trace_is_around_the_alert_by_metric_and_unit() {
    let world = World::new(3);
    let list = world.get("/api/v1/alerts").await.json();
    let alert = &list["alerts"][0];
    let said = world.get(&format!("/api/v1/alerts/{}/trace?minutes=1", alert["id"].as_str().unwrap())).await.json();
    let (since_ms, opened_ms) = (said["since_ms"].as_i64().unwrap(), said["opened_ms"].as_i64().unwrap());
    let series = &said["series"][0];
    assert_eq!(said["source"], alert["source"]);
    assert_eq!(series["at_ms"], json!([since_ms - 60_000, opened_ms.max(since_ms) + 60_000]), "{said}");
    assert_eq!(series["values"], json!([0.4, 1.2]));
    assert_eq!((&series["metric"], &series["unit"]), (&json!("ch4"), &json!("%LEL")));
    assert_eq!(said["kept_from"], said["from"]);
}

#[tokio::test]
async fn an_alert_that_is_none_and_a_span_that_is_too_long_are_refused() {
    let world = World::new(1);
    assert_eq!(world.get("/api/v1/alerts/A-none/trace").await.problem().0, 404);
    for query in ["minutes=0", "minutes=241", "minutes=x", "hours=1"] {
        assert_eq!(world.get(&format!("/api/v1/alerts/A-none/trace?{query}")).await.problem().0, 400, "{query}");
    }
}
