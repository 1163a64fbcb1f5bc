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
async fn who_watches_live_is_written_down_and_what_cannot_be_watched_says_why() {
    let world = World::new(0);
    let said = world.get("/api/v1/live/cam:gate?who=zhou&reason=smoke").await;
    assert_eq!((said.status.as_u16(), &said.bytes[..]), (200, b"headpictures".as_slice()));
    assert_eq!(said.headers["content-type"], "video/mp4; codecs=\"avc1.640028\"");
    assert_eq!(said.headers["cache-control"], "no-store");
    for (source, status, says) in
        [("cam:masked", 403, "masks"), ("cam:loved", 503, "2 people"), ("cam:none", 404, "no such")]
    {
        let (told, detail) = world.get(&format!("/api/v1/live/{source}")).await.problem();
        assert!(told == status && detail.contains(says), "{source}: {told} {detail}");
    }
    let audit = world.get("/api/v1/audit").await.json();
    let rows = audit["audit"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{audit}");
    let row = (&rows[0]["alert"], &rows[0]["what"], &rows[0]["who"], &rows[0]["reason"]);
    assert_eq!(row, (&json!("cam:gate"), &json!("live"), &json!("zhou"), &json!("smoke")));
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
    let looked = world.post("/api/v1/estate/contact?by=zhou&reason=works", "id,url\na,rtsp://192.0.2.1/\n").await;
    let (status, detail) = looked.problem();
    assert!(status == 409 && detail.contains("[console] annex"), "{detail}");
    for minutes in [0, 10_081] {
        let (status, detail) =
            world.post("/api/v1/estate/backtest", json!({ "minutes": minutes, "drafts": [] })).await.problem();
        assert!(status == 400 && detail.contains("1 to 10080"), "{detail}");
    }
}

#[tokio::test]
async fn the_estate_is_told_as_it_is_configured() {
    let world = World::new(0);
    let sources = world.get("/api/v1/sources").await.json();
    let [gate, phone, well, tunnel] = &sources["sources"].as_array().unwrap()[..] else { panic!("{sources}") };
    assert_eq!((&tunnel["id"], &tunnel["place"]), (&json!("tunnel/7/ch4"), &json!(null)));
    let last = json!([{ "metric": "ch4", "value": 1.2, "unit": "%LEL" }, { "lon": 106.0, "lat": 29.0 }]);
    assert_eq!(json!([tunnel["last"], phone["last"]]), last);
    assert_eq!(
        json!([gate["id"], gate["link"], gate["clock_drift_ms"], gate["shed"]]),
        json!(["cam:gate", null, -40, 7])
    );
    assert_eq!(phone["name"], "", "not configured");
    let silent = json!({
        "id": "thermal/well/3", "name": "三号井", "observations": 0, "rejected": 0, "last_reject": null, "last_heard": null,
        "last": null, "link": null, "clock_drift_ms": null, "shed": null, "place": { "lon": 106.05, "lat": 29.85 },
    });
    assert_eq!(well, &silent);
    let rules = world.get("/api/v1/rules").await.json();
    assert_eq!((&rules["rules"][0]["id"], &rules["rules"][0]["detect"]["above"]), (&json!("gas"), &json!(1.0)));
    let told = ["flapping", "active"].map(|key| rules["rules"][0][key].clone());
    assert_eq!(told, [json!({ "n": 5, "within": "3600000ms" }), json!({ "calendar": "town", "windows": ["daily"] })]);
    let fences = world.get("/api/v1/fences").await.json();
    assert_eq!((&fences["type"], &fences["features"][0]["id"]), (&json!("FeatureCollection"), &json!("school")));
}
