//! Pictures and clips by range, why there are none, holds and the audit, call by call.

use axum::body::Body;
use axum::http::{Request as HttpRequest, StatusCode};
use serde_json::{Value, json};

use super::world::{Said, World, alert};
use crate::nouns::Missing;

const CLIP: &[u8] = b"0123456789";

fn hall() -> String {
    format!("/api/v1/alerts/{}", alert("cam:hall", 1).id)
}

fn with_clip(world: &World, clip: Result<&[u8], Missing>) {
    world.context.archive.clip(&alert("cam:hall", 1).id, clip, 1).unwrap();
}

async fn audit(world: &World) -> Vec<Value> {
    world.get("/api/v1/audit").await.json()["audit"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_clip_comes_whole_or_in_the_range_that_was_asked_for() {
    let world = World::new(1);
    with_clip(&world, Ok(CLIP));
    let path = world.get(&hall()).await.json()["alert"]["clip"].as_str().unwrap().to_owned();
    assert_eq!(world.get("/api/v1/tickets/1").await.json()["ticket"]["clip"], json!(path));
    let range = async |range: &str| -> Said {
        world.ask(HttpRequest::get(&path).header("range", range).body(Body::empty()).unwrap()).await
    };
    let whole = world.get(&path).await;
    assert_eq!((whole.status, whole.header("content-type"), &whole.bytes[..]), (StatusCode::OK, "video/mp4", CLIP));
    assert_eq!(whole.header("accept-ranges"), "bytes");
    for (asked, told, bytes) in [
        ("bytes=2-4", "bytes 2-4/10", &b"234"[..]),
        ("bytes=7-", "bytes 7-9/10", b"789"),
        ("bytes=-2", "bytes 8-9/10", b"89"),
    ] {
        let part = range(asked).await;
        assert_eq!(
            (part.status, part.header("content-range"), &part.bytes[..]),
            (StatusCode::PARTIAL_CONTENT, told, bytes)
        );
    }
    assert_eq!(range("bytes=10-").await.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(audit(&world).await.len(), 1, "one person looked at one clip");
}

#[tokio::test]
async fn what_is_not_there_says_why() {
    let world = World::new(2);
    let clip = format!("{}/clip", hall());
    assert_eq!(world.get(&clip).await.problem(), (404, "this alert has no clip".to_owned()));
    for (missing, status, word) in [
        (Missing::Pending, 404, "being received"),
        (Missing::Masked, 404, "privacy masks"),
        (Missing::Codec, 404, "coding it anew"),
    ] {
        with_clip(&world, Err(missing));
        let (said, detail) = world.get(&clip).await.problem();
        assert!(said == status && detail.contains(word), "{missing:?}: {said} {detail}");
        let shown = world.get(&hall()).await.json();
        assert_eq!(
            (&shown["alert"]["clip"], &shown["alert"]["clip_missing"]),
            (&Value::Null, &json!(missing.as_str()))
        );
    }
    assert_eq!(audit(&world).await, [] as [Value; 0], "nobody saw anything");
    with_clip(&world, Ok(CLIP));
    let id = alert("cam:hall", 1).id;
    std::fs::remove_file(world.context.reader.evidence_path(&format!("{id}.mp4"))).unwrap();
    assert_eq!(world.get(&clip).await.problem(), (410, "the clip of this alert is lost".to_owned()));
}

#[tokio::test]
async fn looking_is_written_down_with_who_and_why_as_far_as_they_say() {
    let world = World::new(1);
    let path = format!("{}/snapshot", hall());
    assert_eq!(world.get(&path).await.status, 200);
    assert_eq!(world.get(&format!("{path}?who=%E6%9D%8E&reason=shift")).await.status, 200);
    let by_header = HttpRequest::get(&path).header("x-outpost-who", "王").header("x-outpost-reason", "complaint 12");
    assert_eq!(world.ask(by_header.body(Body::empty()).unwrap()).await.status, 200);
    let told: Vec<_> =
        audit(&world).await.iter().rev().map(|row| (row["who"].clone(), row["reason"].clone())).collect();
    assert_eq!(told, [(json!(""), json!("")), (json!("李"), json!("shift")), (json!("王"), json!("complaint 12"))]);
    let long = "x".repeat(501);
    for bad in [format!("{path}?who={long}"), format!("{path}?colour=red")] {
        assert_eq!(world.get(&bad).await.problem().0, 400);
    }
    let garbled = HttpRequest::get(&path).header("x-outpost-who", &b"\xff"[..]).body(Body::empty()).unwrap();
    assert_eq!(world.ask(garbled).await.problem().0, 400);
    assert_eq!(audit(&world).await.len(), 3);
}

#[tokio::test]
async fn a_hold_has_an_author_a_reason_and_an_end() {
    let world = World::new(1);
    let why = json!({ "who": "Li", "reason": "case 7" });
    let held = world.post(&format!("{}/hold", hall()), &why).await;
    assert_eq!((held.status, &held.json()["hold"]["reason"]), (StatusCode::OK, &json!("case 7")));
    assert_eq!(world.get(&hall()).await.json()["alert"]["hold"]["who"], "Li");
    assert_eq!(world.post(&format!("{}/hold", hall()), &why).await.problem().0, 409);
    let released = world.post("/api/v1/tickets/1/release", json!({ "who": "Wang", "reason": "court done" })).await;
    assert_eq!((released.status, &released.json()["hold"]), (StatusCode::OK, &Value::Null));
    assert_eq!(world.post("/api/v1/tickets/1/hold", &why).await.status, 200);
    let told: Vec<_> = audit(&world).await.iter().rev().map(|row| (row["what"].clone(), row["who"].clone())).collect();
    let entry = |what: &str, who: &str| (json!(what), json!(who));
    // The last one is of the files of the ticket as well.
    assert_eq!(told, [entry("hold", "Li"), entry("release", "Wang"), entry("hold", "Li"), entry("hold", "Li")]);
    for bad in [json!({ "who": "Li" }), json!({ "who": " ", "reason": "x" }), json!({ "who": "Li", "reason": "" })] {
        assert_eq!(world.post(&format!("{}/release", hall()), bad).await.problem().0, 400);
    }
    assert_eq!(world.post("/api/v1/alerts/A-none/hold", &why).await.problem().0, 404);
    assert_eq!(world.post("/api/v1/tickets/9/hold", &why).await.problem().0, 404);
    assert_eq!(world.get("/api/v1/audit?limit=1").await.json()["audit"].as_array().unwrap().len(), 1);
    assert_eq!(world.get("/api/v1/audit?alert=A-none").await.json()["audit"], json!([]));
}
