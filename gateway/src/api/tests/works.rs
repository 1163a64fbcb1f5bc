//! Work orders, as operators enter them.

use super::*;

fn order(id: &str, until: &str) -> Value {
    json!({ "id": id, "lon": 106.5, "lat": 29.6, "from": "2020-03-02T08:00:00+08:00", "until": until, "who": "Li", "reason": "valve" })
}

#[tokio::test]
async fn an_order_is_entered_changed_seen_and_ended() {
    let world = World::new(0);
    let until = crate::telemetry::time_text(crate::telemetry::now_ms() + 3_600_000);
    let refused = world.post("/api/v1/work-orders", order("W-1", "2099-01-01T00:00:00Z")).await.problem();
    assert!(refused.0 == 400 && refused.1.contains("work ends"), "{refused:?}");
    let refused = world.post("/api/v1/work-orders", order("W-1", "2020-03-02T09:00:00+08:00")).await.problem();
    assert!(refused.0 == 400 && refused.1.contains("over already"), "{refused:?}");
    let mut asked = order("W-1", &until);
    asked["from"] = json!(crate::telemetry::time_text(crate::telemetry::now_ms() - 1_000));
    let entered = world.post("/api/v1/work-orders", &asked).await.json()["work_orders"][0].clone();
    assert_eq!((&entered["no"], &entered["id"], &entered["on"]), (&json!(1), &json!("W-1"), &json!(true)));
    let table = format!(
        "id,who,reason,lon,lat,from,until\nW-1,Wang,valve,106.5,29.6,{from},{until}\nW-2,Li,gate,106.6,29.6,{from},{until}\n",
        from = asked["from"].as_str().unwrap()
    );
    let changed = world.post_table("/api/v1/work-orders", &table).await.json();
    let short = |list: &Value| -> Vec<(u64, bool)> {
        let orders = list["work_orders"].as_array().unwrap();
        orders.iter().map(|order| (order["no"].as_u64().unwrap(), order["ended"].is_null())).collect()
    };
    assert_eq!(short(&changed), [(1, false), (2, true), (3, true)]);
    assert_eq!(short(&world.get("/api/v1/work-orders").await.json()), [(3, true), (2, true)]);
    let ended = world.post("/api/v1/work-orders/W-2/end", json!({ "who": "Zhao" })).await.json();
    assert_eq!(ended["work_orders"][0]["ended_by"], "Zhao");
    let all = world.get("/api/v1/work-orders?state=all").await.json();
    assert_eq!(short(&all), [(3, false), (2, true), (1, false)]);
    assert_eq!(all["work_orders"][2]["ended_by"], "Wang", "who changed it");
    assert_eq!(world.post("/api/v1/work-orders/W-2/end", json!({ "who": "Zhao" })).await.problem().0, 404);
    let (status, detail) = world.post_table("/api/v1/work-orders", "id,lon\n1,2\n").await.problem();
    assert!(status == 400 && detail.contains("missing field"), "{status} {detail}");
    assert_eq!(world.get("/api/v1/work-orders?state=off").await.problem().0, 400);
}
