//! Class cases and patterns, as operators ask for them.

use super::*;

#[tokio::test]
async fn a_class_case_is_found_shown_confirmed_and_closed() {
    // One place, one category: the first three make the case, the rest join it.
    let world = World::new(5);
    let list = world.get("/api/v1/classes").await.json();
    let case = &list["classes"][0];
    assert_eq!((&case["id"], &case["stage"], &case["tickets"]), (&json!("C-1"), &json!("found"), &json!(5)));
    assert_eq!((&case["category"], &case["place"]), (&json!("underground/gas"), &json!("7 号舱")));
    assert_eq!(list["classes"].as_array().unwrap().len(), 1);
    let one = world.get("/api/v1/classes/1").await.json();
    let nos: Vec<_> = one["tickets"].as_array().unwrap().iter().map(|ticket| ticket["no"].as_u64().unwrap()).collect();
    assert_eq!(nos, [1, 2, 3, 4, 5]);
    let whats: Vec<_> = one["journal"].as_array().unwrap().iter().map(|entry| entry["what"].clone()).collect();
    assert_eq!(whats, ["found", "joined", "joined"]);
    assert_eq!(one["change"], Value::Null, "there is nothing to compare yet");

    let body = json!({ "who": "Zhou", "note": "the pump leaks" });
    let confirmed = world.post("/api/v1/classes/1/confirm", &body).await.json();
    assert_eq!((&confirmed["class"]["stage"], &confirmed["class"]["moves"]), (&json!("confirmed"), &json!(["close"])));
    assert_eq!(world.post("/api/v1/classes/1/confirm", &body).await.problem().0, 409);
    let closed = world.post("/api/v1/classes/1/close", &body).await;
    assert_eq!((closed.status.as_u16(), &closed.json()["class"]["open"]), (200, &json!(false)));
    assert_eq!(world.get("/api/v1/classes").await.json()["classes"], json!([]));
    assert_eq!(world.get("/api/v1/classes?state=all").await.json()["classes"], json!([closed.json()["class"]]));
    let change = world.get("/api/v1/classes/1").await.json()["change"].clone();
    assert_eq!((&change["after"], &change["elsewhere"]["before"]), (&json!(0), &json!(0)));
    assert_eq!(world.post("/api/v1/classes/1/close", &body).await.problem().0, 404);
}

#[tokio::test]
async fn patterns_of_a_category_are_counted_in_bands() {
    let world = World::new(5);
    let said = world.get("/api/v1/classes/patterns?category=underground/gas&within=30d").await;
    assert_eq!(said.status, 200, "{}", said.json());
    let said = said.json();
    assert_eq!((&said["tickets"], &said["patterns"]["placed"]), (&json!(5), &json!(5)));
    let near = &said["patterns"]["near_repeats"];
    assert_eq!(near.as_array().unwrap().len(), 9, "three distances by three spans");
    // All at one place and time: ten pairs, as many as by chance, since there is no other place or time.
    assert_eq!((&near[0]["pairs"], &near[0]["expected"], &near[0]["p"]), (&json!(10), &json!(10.0), &json!(1.0)));
    assert_eq!(said["patterns"]["patrol"], Value::Null);
    assert_eq!(said["patterns"]["clusters"][0]["tickets"], json!([1, 2, 3, 4, 5]));
    let none = world.get("/api/v1/classes/patterns?category=noise").await.json();
    assert_eq!((&none["tickets"], &none["patterns"]["clusters"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn what_is_asked_of_class_cases_wrongly_is_told() {
    let world = World::new(0);
    for (path, status) in [
        ("/api/v1/classes/7", 404),
        ("/api/v1/classes/seven", 400),
        ("/api/v1/classes?state=closed", 400),
        ("/api/v1/classes?limit=0", 400),
        ("/api/v1/classes/patterns", 400),
        ("/api/v1/classes/patterns?category=x&within=soon", 400),
    ] {
        assert_eq!(world.get(path).await.problem().0, status, "{path}");
    }
    let body = json!({ "who": "Zhou" });
    assert_eq!(world.post("/api/v1/classes/1/close", &body).await.problem().0, 404);
    assert_eq!(world.post("/api/v1/classes/1/merge", &body).await.problem().0, 404);
    assert_eq!(world.post("/api/v1/classes/1/close", json!({ "who": " " })).await.problem().0, 400);
    assert_eq!(world.post("/api/v1/classes/1/close", json!({ "note": "n" })).await.problem().0, 400);
}
