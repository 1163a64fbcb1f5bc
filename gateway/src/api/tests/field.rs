//! What officers in the field ask for, call by call: files, reports, duty, positions, tracks; and that nothing happens twice.

use axum::body::Body;
use axum::http::{Request as HttpRequest, StatusCode};
use serde_json::{Value, json};

use super::openapi::assert_is_as_said;
use super::world::{Said, World};
use crate::nouns::EvidenceKind;
use crate::telemetry::{now_ms, time_text};

const PEOPLE: &str = r#"
[desk.officers]
position_every = "1s"
overtime = "1h"

[[people]]
id = "desk"
centre = "district"
roles = ["clerk", "chief", "dispatcher", "officer"]

[[people]]
id = "li"
name = "李"
centre = "district"
roles = ["handler"]
unit = "一分队"
terminal = "gps/li"

[[people]]
id = "wu"
centre = "district"
roles = ["handler"]
unit = "一分队"
"#;

/// A JPEG of two segments, of which one says where it was taken.
fn photo() -> Vec<u8> {
    let mut out = b"\xff\xd8".to_vec();
    out.extend(b"\xff\xe1\x00\x12Exif\0\0GPS 106.03");
    out.extend(b"\xff\xdb\x00\x05tab\xff\xda\x00\x02pixels\xff\xd9");
    out
}

async fn keyed(world: &World, path: &str, key: Option<&str>, kind: &str, body: impl Into<Body>) -> Said {
    let mut request = HttpRequest::post(format!("/api/v1{path}")).header("content-type", kind);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    world.ask(request.body(body.into()).unwrap()).await
}

async fn tell(world: &World, path: &str, key: &str, body: Value) -> Said {
    keyed(world, path, Some(key), "application/json", body.to_string()).await
}

async fn upload(world: &World, query: &str, key: Option<&str>, bytes: &[u8]) -> Said {
    keyed(world, &format!("/tickets/1/files?{query}"), key, "application/octet-stream", bytes.to_vec()).await
}

fn n_files(world: &World) -> usize {
    let folder = world.context.reader.evidence_path("");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().starts_with("F-")).count()
}

async fn journal(world: &World) -> Vec<String> {
    let ticket = world.get("/api/v1/tickets/1").await.json();
    ticket["journal"].as_array().unwrap().iter().map(|entry| entry["what"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_photo_is_kept_without_its_place_shown_to_who_is_written_down_and_never_added_twice() {
    let world = World::configured(1, PEOPLE);
    let query = "kind=before&by=li&at=2026-01-01T00:00:00Z";
    let first = upload(&world, query, Some("k1"), &photo()).await;
    assert_eq!(first.status, StatusCode::OK, "{:?}", first.bytes);
    assert_is_as_said("/api/v1/tickets/{no}/files", "post", &first);
    let file = first.json()["file"].clone();
    assert_eq!((&file["kind"], &file["media"], &file["by"]), (&json!("before"), &json!("image/jpeg"), &json!("li")));
    let again = upload(&world, query, Some("k1"), &photo()).await;
    assert_eq!((again.json()["file"].clone(), again.header("idempotent-replayed")), (file.clone(), "true"));
    assert_eq!((journal(&world).await.len(), n_files(&world)), (2, 1), "one entry, one file");

    let url = file["url"].as_str().unwrap();
    let shown = world.get(&format!("{url}?who=zhang&reason=check")).await;
    assert_eq!((shown.status, shown.header("content-type")), (StatusCode::OK, "image/jpeg"));
    assert!(shown.bytes.starts_with(b"\xff\xd8") && shown.bytes.ends_with(b"pixels\xff\xd9"));
    assert!(!shown.bytes.windows(3).any(|part| part == b"GPS"), "its place is not its to tell");
    let one = world.get("/api/v1/tickets/1").await;
    assert_is_as_said("/api/v1/tickets/{no}", "get", &one);
    assert_eq!(one.json()["files"], json!([file]));
    let audit = world.get("/api/v1/audit?alert=T-1").await.json();
    assert_eq!(
        (&audit["audit"][0]["what"], &audit["audit"][0]["who"]),
        (&json!(format!("file {}", file["no"])), &json!("zhang"))
    );

    // Without a key it is another file each time; another file under a used key is the sender's mistake.
    assert_eq!(upload(&world, query, None, &photo()).await.status, StatusCode::OK);
    let other = upload(&world, "kind=after&by=li&at=2026-01-01T00:00:00Z", Some("k1"), &photo()).await;
    assert_eq!(other.problem().0, 422);
    assert_eq!((journal(&world).await.len(), n_files(&world)), (3, 2), "what was refused leaves no file");
}

#[tokio::test]
async fn a_file_that_cannot_be_is_told_why_and_leaves_nothing() {
    let world = World::configured(1, PEOPLE);
    let cut_off = &photo()[..30];
    for (query, bytes, status, words) in [
        ("kind=before&by=li", &b"<html>"[..], 415, "neither a JPEG"),
        ("kind=before&by=li", b"OggS\0", 415, "audio/ogg is no file of the kind before"),
        ("kind=voice&by=li", &photo(), 415, "image/jpeg is no file of the kind voice"),
        ("kind=before&by=li", cut_off, 400, "cut off"),
        ("kind=film&by=li", b"OggS\0", 400, "none of before, after, photo, voice, other"),
        ("kind=voice&by=", b"OggS\0", 400, "by is not 1 to"),
        ("kind=voice&by=nobody", b"OggS\0", 403, "nobody that the configuration names"),
        ("kind=voice&by=li&at=2199-01-01T00:00:00Z", b"OggS\0", 400, "no time at which"),
        ("kind=voice&by=li&colour=red", b"OggS\0", 400, "colour"),
    ] {
        let (said, detail) = upload(&world, query, Some("k"), bytes).await.problem();
        assert!(said == status && detail.contains(words), "{query}: {said} {detail}");
    }
    let large = vec![0; super::super::files::FILE_BYTES_MAX + 1];
    assert_eq!(upload(&world, "kind=voice&by=li", None, &large).await.problem().0, 413);
    let nowhere = keyed(&world, "/tickets/9/files?kind=voice&by=li", None, "audio/ogg", &b"OggS\0"[..]).await;
    assert_eq!(nowhere.problem().0, 404);
    assert_eq!((journal(&world).await.len(), n_files(&world)), (1, 0));
    // A key that was refused may be used for what is then right.
    assert_eq!(upload(&world, "kind=voice&by=li", Some("k"), b"OggS\0").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_held_stays_and_what_is_not_goes_when_its_time_is_over() {
    let world = World::configured(1, PEOPLE);
    let url = |said: &Said| said.json()["file"]["url"].as_str().unwrap().to_owned();
    let held = url(&upload(&world, "kind=photo&by=li", None, &photo()).await);
    let why = json!({ "who": "desk", "reason": "court" });
    assert_eq!(world.post("/api/v1/tickets/1/hold", &why).await.status, 200);
    let archive = &world.context.archive;
    archive.expire(now_ms() + 400 * 86_400_000).unwrap();
    assert_eq!(world.get(&held).await.status, 200);
    assert_eq!(world.post("/api/v1/tickets/1/release", &why).await.status, 200);
    archive.expire(now_ms() + 400 * 86_400_000).unwrap();
    assert_eq!(world.get(&held).await.problem().0, 410);
    let file = world.get("/api/v1/tickets/1").await.json()["files"][0].clone();
    assert_eq!((&file["url"], &file["missing"]), (&Value::Null, &json!("expired")));
    assert!(file["sha256"].is_string(), "what it was is still known");
    assert_eq!(world.context.reader.evidence_used(EvidenceKind::Attachment).unwrap(), (0, 0));
    assert_eq!(n_files(&world), 0);
}

#[tokio::test]
async fn a_move_that_is_told_again_is_made_once() {
    let world = World::configured(1, PEOPLE);
    for name in ["accept", "file"] {
        assert_eq!(world.post(&format!("/api/v1/tickets/1/{name}"), json!({ "who": "desk" })).await.status, 200);
    }
    let sent = world.post("/api/v1/tickets/1/dispatch", json!({ "who": "desk", "officer": "li" })).await;
    assert_eq!(sent.status, 200);
    let body = json!({ "who": "li", "done_at": time_text(now_ms() - 600_000) });
    for replayed in ["", "true", "true"] {
        let said = tell(&world, "/tickets/1/sign", "k1", body.clone()).await;
        assert_eq!((said.status, said.header("idempotent-replayed")), (StatusCode::OK, replayed));
        assert_is_as_said("/api/v1/tickets/{no}/{move}", "post", &said);
        assert_eq!(said.json()["ticket"]["stage"], "signed");
    }
    let told = world.get("/api/v1/tickets/1").await.json();
    let last = told["journal"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["what"], told["journal"].as_array().unwrap().len()), (&json!("sign"), 5));
    assert!(last["note"].as_str().unwrap().ends_with(", told later"), "{last}");
    // The same key for another move, and from another person.
    assert_eq!(tell(&world, "/tickets/1/start", "k1", json!({ "who": "li" })).await.problem().0, 422);
    assert_eq!(tell(&world, "/tickets/1/start", "k1", json!({ "who": "wu" })).await.problem().0, 403);
    // A refusal had no effect, and is judged anew; of a ticket that nobody knows as well.
    assert_eq!(tell(&world, "/tickets/1/sign", "k2", json!({ "who": "li" })).await.problem().0, 409);
    assert_eq!(tell(&world, "/tickets/1/start", "k2", json!({ "who": "li" })).await.status, 200);
    assert_eq!(tell(&world, "/tickets/9/start", "k3", json!({ "who": "li" })).await.problem().0, 404);
    for at in ["soon", "2199-01-01T00:00:00Z"] {
        let said = tell(&world, "/tickets/1/feed-back", "k4", json!({ "who": "li", "note": "x", "done_at": at })).await;
        assert_eq!(said.problem().0, 400);
    }
    let long = "k".repeat(201);
    assert_eq!(tell(&world, "/tickets/1/feed-back", &long, json!({ "who": "li" })).await.problem().0, 400);
}

#[tokio::test]
async fn keys_are_forgotten_when_they_are_old() {
    let world = World::configured(1, PEOPLE);
    let escalate = async || tell(&world, "/tickets/1/supervise", "k", json!({ "who": "desk", "note": "see" })).await;
    assert_eq!(escalate().await.header("idempotent-replayed"), "");
    world.context.archive.expire_deeds(now_ms() - 60_000).unwrap();
    assert_eq!(escalate().await.header("idempotent-replayed"), "true");
    world.context.archive.expire_deeds(now_ms() + 1).unwrap();
    assert_eq!(escalate().await.header("idempotent-replayed"), "");
}

#[tokio::test]
async fn a_report_from_the_field_is_a_ticket_once() {
    let world = World::configured(1, PEOPLE);
    let body = json!({ "category": "waste/dumping", "words": "建筑垃圾\n约两车", "by": "li",
        "place": { "lon": 106.03, "lat": 29.02, "accuracy_m": 12.0 } });
    let first = tell(&world, "/tickets", "k1", body.clone()).await;
    assert_eq!(first.status, StatusCode::OK, "{:?}", first.bytes);
    assert_is_as_said("/api/v1/tickets", "post", &first);
    let ticket = &first.json()["ticket"];
    assert_eq!(
        (&ticket["no"], &ticket["title"], &ticket["stage"]),
        (&json!(2), &json!("建筑垃圾"), &json!("reported"))
    );
    assert_eq!((&ticket["source"], &ticket["place"]["lon"]), (&json!("officer:li"), &json!(106.03)));
    let again = tell(&world, "/tickets", "k1", body.clone()).await;
    assert_eq!((&again.json()["ticket"]["no"], again.header("idempotent-replayed")), (&json!(2), "true"));
    let opened = world.get("/api/v1/tickets/2").await.json()["journal"][0]["note"].clone();
    assert_eq!(opened, json!("reported by officer:li, k1, place ± 12 m"));
    // Its files are held with it, though no alert opened it.
    let photo = keyed(&world, "/tickets/2/files?kind=photo&by=li", Some("k2"), "image/jpeg", photo()).await;
    assert_eq!(photo.status, StatusCode::OK);
    let why = json!({ "who": "desk", "reason": "court" });
    assert_eq!(world.post("/api/v1/tickets/2/hold", &why).await.json()["hold"]["reason"], "court");

    let with = |key: &str, value: Value| {
        let mut changed = body.clone();
        changed[key] = value;
        changed
    };
    for (body, status, words) in [
        (with("by", json!("nobody")), 403, "nobody that the configuration names"),
        (with("category", json!(" ")), 400, "category is empty"),
        (with("category", json!("waste/#")), 400, "has a + or #"),
        (with("place", json!({ "lon": 181, "lat": 0 })), 400, "place.lon 181 is not within"),
        (with("words", json!("x".repeat(2_001))), 400, "words is longer"),
        (with("colour", json!("red")), 400, "colour"),
    ] {
        let (said, detail) = tell(&world, "/tickets", "k3", body).await.problem();
        assert!(said == status && detail.contains(words), "{said} {detail}");
    }
    let without = keyed(&world, "/tickets", None, "application/json", body.to_string()).await;
    assert_eq!(without.problem().0, 400);
}

async fn positions(world: &World, key: &str, fixes: Value) -> Said {
    tell(world, "/officers/li/positions", key, json!({ "by": "li", "fixes": fixes })).await
}

fn fix(age_ms: i64) -> Value {
    json!({ "lon": 106.03, "lat": 29.02, "accuracy_m": 5.0, "at": time_text(now_ms() - age_ms) })
}

#[tokio::test]
async fn who_says_to_be_off_duty_is_not_followed_until_they_say_otherwise() {
    let world = World::configured(0, PEOPLE);
    let names = world.get("/api/v1/officers/names").await;
    assert_is_as_said("/api/v1/officers/names", "get", &names);
    assert_eq!(names.json()["officers"][0]["id"], "li");
    let state = world.get("/api/v1/officers/li/duty").await;
    assert_is_as_said("/api/v1/officers/{id}/duty", "get", &state);
    assert_eq!((&state.json()["on_duty"], &state.json()["said"]), (&json!(true), &Value::Null));
    let taken = positions(&world, "k1", json!([fix(20_000), fix(10_000)])).await;
    assert_is_as_said("/api/v1/officers/{id}/positions", "post", &taken);
    assert_eq!(taken.json(), json!({ "taken": 2, "off_duty": 0, "untimely": 0, "refused": [] }));

    let off = tell(&world, "/officers/li/duty", "k2", json!({ "on": false, "by": "li" })).await;
    assert_is_as_said("/api/v1/officers/{id}/duty", "post", &off);
    assert_eq!(off.json()["on_duty"], false);
    assert_eq!(positions(&world, "k3", json!([fix(5_000), fix(0)])).await.json()["off_duty"], 2);
    // Told again it is answered as it was, whatever was said since.
    assert_eq!(
        tell(&world, "/officers/li/duty", "k4", json!({ "on": true, "by": "li" })).await.json()["on_duty"],
        true
    );
    let again = positions(&world, "k3", json!([fix(5_000), fix(0)])).await;
    assert_eq!(again.problem().0, 422, "other positions under a used key");
    let repeat = tell(&world, "/officers/li/duty", "k2", json!({ "on": false, "by": "li" })).await;
    assert_eq!((&repeat.json()["on_duty"], repeat.header("idempotent-replayed")), (&json!(true), "true"));

    let listed = world.get("/api/v1/officers?who=desk&reason=test").await.json();
    assert!(listed["officers"][0]["position"]["age_ms"].as_i64().unwrap() >= 10_000, "nothing since: {listed}");
    let audit = world.get("/api/v1/audit?alert=li").await.json();
    let whats: Vec<_> = audit["audit"].as_array().unwrap().iter().rev().map(|row| row["what"].clone()).collect();
    assert_eq!(whats, [json!("duty-off"), json!("duty-on")]);
    // Nobody says it for another one, and nobody else's phone is theirs.
    assert_eq!(tell(&world, "/officers/li/duty", "k5", json!({ "on": false, "by": "wu" })).await.problem().0, 403);
    let others = tell(&world, "/officers/li/positions", "k6", json!({ "by": "wu", "fixes": [fix(0)] })).await;
    assert_eq!(others.problem().0, 403);
    assert_eq!(world.get("/api/v1/officers/nobody/duty").await.problem().0, 404);
    let without = tell(&world, "/officers/wu/positions", "k7", json!({ "by": "wu", "fixes": [fix(0)] })).await;
    assert!(without.problem().1.contains("no terminal"));
}

#[tokio::test]
async fn positions_are_judged_one_by_one_and_make_the_track_of_the_day() {
    let world = World::configured(0, PEOPLE);
    let (far, old, ahead) =
        (json!({ "lon": 181, "lat": 0, "at": time_text(now_ms()) }), fix(25 * 3_600_000), fix(-3_600_000));
    let mut unclear = fix(0);
    unclear["at"] = json!("noon");
    let said = positions(&world, "k", json!([fix(10_000), far, old, ahead, unclear, fix(20_000)])).await.json();
    assert_eq!((&said["taken"], &said["untimely"]), (&json!(2), &json!(2)));
    let whys: Vec<&str> = said["refused"].as_array().unwrap().iter().map(|one| one["why"].as_str().unwrap()).collect();
    assert!(whys[0].starts_with("fixes[1]: lon 181") && whys[1].starts_with("fixes[4]: at \"noon\""), "{whys:?}");

    let track = world.get("/api/v1/officers/li/track?who=li&reason=own").await;
    assert_is_as_said("/api/v1/officers/{id}/track", "get", &track);
    let track = track.json();
    let times: Vec<&str> = track["fixes"].as_array().unwrap().iter().map(|fix| fix["at"].as_str().unwrap()).collect();
    assert!(times.len() == 2 && times.is_sorted(), "{times:?}");
    assert_eq!(world.get("/api/v1/audit?alert=li").await.json()["audit"][0]["what"], "track");
    assert_eq!(world.get("/api/v1/officers/li/track?from=2020-01-01T00:00:00Z").await.problem().0, 400);
    assert_eq!(world.get("/api/v1/officers/nobody/track").await.problem().0, 404);
    for n in [0, 501] {
        assert_eq!(positions(&world, "k2", Value::from(vec![fix(0); n])).await.problem().0, 400);
    }
}

#[tokio::test]
async fn tasks_are_what_is_at_hand_and_what_their_unit_has_for_anybody() {
    let world = World::configured(4, PEOPLE);
    for no in 1..=4 {
        for name in ["accept", "file"] {
            world.post(&format!("/api/v1/tickets/{no}/{name}"), json!({ "who": "desk" })).await;
        }
    }
    for (no, to) in [(1, json!({ "officer": "li" })), (2, json!({ "officer": "wu" })), (3, json!({ "unit": "一分队" }))]
    {
        let mut body = to;
        body["who"] = json!("desk");
        assert_eq!(world.post(&format!("/api/v1/tickets/{no}/dispatch"), body).await.status, 200);
    }
    let tasks = async |query: &str| -> Vec<u64> {
        let said = world.get(&format!("/api/v1/tickets?{query}")).await.json();
        said["tickets"].as_array().unwrap().iter().map(|ticket| ticket["no"].as_u64().unwrap()).collect()
    };
    assert_eq!(tasks("stage=open&officer=li").await, [3, 1]);
    assert_eq!(tasks("stage=open&officer=wu&before=3").await, [2]);
    assert_eq!(tasks("officer=nobody").await, [0; 0]);
    assert_eq!(tasks("stage=open").await, [4, 3, 2, 1]);
}

#[tokio::test]
async fn where_an_officer_is_is_not_told_of_their_terminal() {
    let world = World::configured(1, PEOPLE);
    let said = world.get("/api/v1/sources").await;
    assert_is_as_said("/api/v1/sources", "get", &said);
    let sources = said.json();
    let phone = sources["sources"].as_array().unwrap().iter().find(|source| source["id"] == "gps/li").unwrap();
    assert_eq!((&phone["last"], &phone["observations"]), (&json!("position"), &json!(1)));
}
