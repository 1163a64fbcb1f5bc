//! What cameras see now, and what the console may change, call by call.

use super::*;

#[tokio::test]
async fn a_look_at_a_picture_is_written_down_before_it_is_shown() {
    let world = World::new(0);
    let said = world.get("/api/v1/pictures/cam:gate?who=li&reason=mounting").await;
    assert_eq!((said.status.as_u16(), said.header("content-type")), (200, "image/jpeg"));
    assert_eq!(said.header("x-outpost-at"), "2026-01-01T00:00:00.000Z");
    assert_eq!(said.header("cache-control"), "no-store");
    let audit = world.get("/api/v1/audit?alert=cam:gate").await.json();
    let row = &audit["audit"][0];
    assert_eq!((&row["what"], &row["who"], &row["reason"]), (&json!("picture"), &json!("li"), &json!("mounting")));
    let (status, _) = world.get("/api/v1/pictures/cam:none").await.problem();
    assert_eq!(status, 404);
    let audit = world.get("/api/v1/audit?alert=cam:none").await.json();
    assert_eq!(audit["audit"], json!([]), "nobody saw anything");
}

#[tokio::test]
async fn where_nothing_may_be_written_each_way_of_it_says_what_is_lacking() {
    let world = World::new(0);
    let estate = world.get("/api/v1/estate").await.json();
    assert_eq!((&estate["annex"], &estate["recent"], &estate["elements"]), (&Value::Null, &json!(false), &json!([])));
    assert!(estate["how"].as_str().unwrap().contains("[console] annex"), "{estate}");
    let (status, detail) = world.get("/api/v1/estate/rules/gas").await.problem();
    assert!(status == 404 && detail.contains("gas"), "{detail}");
    let (status, detail) = world.get("/api/v1/estate/brokers/town").await.problem();
    assert!(status == 404 && detail.contains("cameras, sources, fences, rules"), "{detail}");
    let tried = world.post("/api/v1/estate/backtest", json!({ "minutes": 60, "drafts": [] })).await;
    let (status, detail) = tried.problem();
    assert!(status == 409 && detail.contains("[console] recent"), "{detail}");
    for minutes in [0, 10_081] {
        let (status, detail) =
            world.post("/api/v1/estate/backtest", json!({ "minutes": minutes, "drafts": [] })).await.problem();
        assert!(status == 400 && detail.contains("1 to 10080"), "{detail}");
    }
}
