//! Silences and findings, as operators ask for them.

use super::*;

#[tokio::test]
async fn a_silence_is_made_seen_and_ended() {
    let world = World::new(1);
    let body = json!({ "who": "Li", "reason": "works on the mains", "for": "2h", "source": "tunnel/+" });
    let said = world.post("/api/v1/silences", &body).await;
    assert_eq!(said.status, 200, "{}", said.json());
    let silence = &said.json()["silence"];
    assert_eq!((&silence["no"], &silence["who"], &silence["on"]), (&json!(1), &json!("Li"), &json!(true)));
    let list = world.get("/api/v1/silences").await.json();
    assert_eq!(list["silences"], json!([silence]));
    let ended = world.post("/api/v1/silences/1/end", json!({ "who": "Wang" })).await.json();
    assert_eq!((&ended["silence"]["ended_by"], &ended["silence"]["on"]), (&json!("Wang"), &json!(false)));
    assert_eq!(world.get("/api/v1/silences").await.json()["silences"], json!([]));
    assert_eq!(world.get("/api/v1/silences?state=all").await.json()["silences"], json!([ended["silence"]]));
    assert_eq!(world.post("/api/v1/silences/1/end", json!({ "who": "Wang" })).await.problem().0, 404);
}

#[tokio::test]
async fn a_silence_without_author_reason_end_or_bounds_is_refused() {
    let world = World::new(0);
    for (body, hint) in [
        (json!({ "who": " ", "reason": "r", "for": "1h", "source": "x" }), "who is empty"),
        (json!({ "who": "Li", "reason": "", "for": "1h", "source": "x" }), "reason is empty"),
        (json!({ "who": "Li", "reason": "r", "source": "x" }), "for"),
        (json!({ "who": "Li", "reason": "r", "for": "31d", "source": "x" }), "silences end"),
        (json!({ "who": "Li", "reason": "r", "for": "0s", "source": "x" }), "silences end"),
        (json!({ "who": "Li", "reason": "r", "for": "1h" }), "what is silenced"),
        (json!({ "who": "Li", "reason": "r", "for": "1h", "rule": "a#" }), "rule: "),
        (json!({ "who": "Li", "reason": "r", "for": "1h", "colour": "red" }), "colour"),
        (json!({ "who": "Li", "reason": "长".repeat(2_001), "for": "1h", "rule": "x" }), "longer than"),
    ] {
        let (status, detail) = world.post("/api/v1/silences", &body).await.problem();
        assert!(status == 400 && detail.contains(hint), "{body}: {status} {detail}");
    }
    assert_eq!(world.get("/api/v1/silences?state=off").await.problem().0, 400);
    assert_eq!(world.get("/api/v1/silences?state=all").await.json()["silences"], json!([]));
}

#[tokio::test]
async fn a_rule_shows_how_often_it_was_wrong() {
    let world = World::doubting(4);
    let findings = async || world.get("/api/v1/rules").await.json()["rules"][0]["findings"].clone();
    assert_eq!(findings().await, json!({ "confirmed": 0, "rejected": 0, "false_alarm_rate": null }));
    for (no, name) in [(1, "confirm"), (2, "reject"), (3, "reject"), (4, "confirm")] {
        let body = json!({ "who": "Li", "note": "went there" });
        assert_eq!(world.post(&format!("/api/v1/tickets/{no}/{name}"), body).await.status, 200);
    }
    assert_eq!(findings().await, json!({ "confirmed": 2, "rejected": 2, "false_alarm_rate": 0.5 }));
    assert_eq!(world.get("/api/v1/tickets/2").await.json()["ticket"]["stage"], "rejected");
}
