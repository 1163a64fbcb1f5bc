//! The API asked call by call, without a socket: a real store and a real Desk behind it, only the sources are lacking.

mod base_map;
mod classes;
mod evidence;
mod field;
mod months;
mod openapi;
mod outside;
mod scores;
mod silences;
mod trace;
mod views;
mod works;
mod world;

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{Request as HttpRequest, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::nouns::Stage;
use crate::telemetry::now_ms;
use world::{DEADLINE, Said, World, alert, frames};

fn numbers(said: &Said) -> Vec<u64> {
    said.json()["tickets"].as_array().unwrap().iter().map(|ticket| ticket["no"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn tickets_come_newest_first_and_page_by_page() {
    let world = World::new(5);
    assert_eq!(numbers(&world.get("/api/v1/tickets").await), [5, 4, 3, 2, 1]);
    assert_eq!(numbers(&world.get("/api/v1/tickets?limit=2").await), [5, 4]);
    assert_eq!(numbers(&world.get("/api/v1/tickets?limit=2&before=4").await), [3, 2]);
    assert_eq!(numbers(&world.get("/api/v1/tickets?before=1&stage=open").await), [] as [u64; 0]);
    assert_eq!(numbers(&world.get(&format!("/api/v1/tickets?before={}", u64::MAX)).await), [5, 4, 3, 2, 1]);
    world.post("/api/v1/tickets/2/refuse", json!({ "who": "Li", "note": "false alarm" })).await;
    assert_eq!(numbers(&world.get("/api/v1/tickets?stage=open").await), [5, 4, 3, 1]);
    assert_eq!(numbers(&world.get("/api/v1/tickets?stage=all&limit=1000").await), [5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn a_query_that_is_not_understood_is_told_why() {
    let world = World::new(1);
    for (path, hint) in [
        ("/api/v1/lamps?level=city", "none of grid, village, town, district"),
        ("/api/v1/lamps?colour=red", "colour"),
        ("/api/v1/loop?colour=red", "colour"),
        ("/api/v1/tickets?stage=Open", "neither \"open\" nor \"all\""),
        ("/api/v1/tickets?limit=0", "1..=1000"),
        ("/api/v1/tickets?limit=1001", "1..=1000"),
        ("/api/v1/tickets?limit=-1", "limit"),
        ("/api/v1/tickets?before=x", "before"),
        ("/api/v1/tickets?limit=1&limit=2", "limit"),
        ("/api/v1/tickets?colour=red", "colour"),
        ("/api/v1/tickets/1?colour=red", "colour"),
        ("/api/v1/tickets/x", "u64"),
        ("/api/v1/tickets/-1", "u64"),
        ("/api/v1/alerts?state=closed", "neither \"open\" nor \"all\""),
        ("/api/v1/alerts?limit=0", "1..=1000"),
        ("/api/v1/sources?colour=red", "colour"),
        ("/api/v1/rules?colour=red", "colour"),
        ("/api/v1/fences?colour=red", "colour"),
        ("/api/v1/stream?colour=red", "colour"),
    ] {
        let (status, detail) = world.get(path).await.problem();
        assert!(status == 400 && detail.contains(hint), "{path}: {status} {detail}");
    }
}

#[tokio::test]
async fn a_ticket_shows_its_clock_its_picture_and_its_journal() {
    let world = World::new(2);
    let said = world.get("/api/v1/tickets/1").await;
    let body = said.json();
    let ticket = &body["ticket"];
    assert_eq!(
        (&ticket["id"], &ticket["lamp"], &ticket["stage"]),
        (&json!("T-1"), &json!("green"), &json!("reported"))
    );
    let ms = |key: &str| ticket[key].as_i64().unwrap();
    assert!(ms("opened_ms") < ms("yellow_ms") && ms("yellow_ms") < ms("due_ms"));
    assert!(body["now_ms"].as_i64().unwrap() >= ms("opened_ms"));
    assert_eq!(body["journal"][0]["what"], "opened");
    assert_eq!(said.header("cache-control"), "no-store");
    let path = ticket["snapshot"].as_str().unwrap();
    assert_eq!(world.get(path).await.status, 200);
    assert_eq!(world.get("/api/v1/tickets/2").await.json()["ticket"]["snapshot"], Value::Null);
}

#[tokio::test]
async fn moves_lead_a_ticket_to_its_end_and_are_written_down() {
    let world = World::new(1);
    for (name, body, stage) in [
        ("accept", json!({ "who": " Li " }), "accepted"),
        ("file", json!({ "who": "Li" }), "filed"),
        ("dispatch", json!({ "who": "Li", "unit": " 巡逻三组 " }), "dispatched"),
        ("sign", json!({ "who": "Wang" }), "signed"),
        ("start", json!({ "who": "Wang" }), "handling"),
        ("feed-back", json!({ "who": "Wang", "note": "valve shut" }), "fed-back"),
        ("verify", json!({ "who": "Li" }), "verified"),
        ("close", json!({ "who": "Li" }), "closed"),
        ("rate", json!({ "who": "Li", "score": 4 }), "rated"),
    ] {
        let said = world.post(&format!("/api/v1/tickets/1/{name}"), body).await;
        assert_eq!((said.status, &said.json()["ticket"]["stage"]), (StatusCode::OK, &json!(stage)));
        let again = world.get("/api/v1/tickets/1").await.json();
        assert_eq!(again["ticket"], said.json()["ticket"], "what is answered is what is kept");
    }
    let body = world.get("/api/v1/tickets/1").await.json();
    assert_eq!((&body["ticket"]["unit"], &body["ticket"]["lamp"]), (&json!("巡逻三组"), &json!("off")));
    assert_eq!((&body["ticket"]["revision"], &body["ticket"]["score"]), (&json!(10), &json!(4)));
    let journal: Vec<_> =
        body["journal"].as_array().unwrap().iter().map(|entry| (&entry["what"], &entry["who"])).collect();
    assert_eq!(journal[1], (&json!("accept"), &json!("Li")));
    assert_eq!(journal.len(), 10);
}

#[tokio::test]
async fn a_ticket_offers_the_moves_that_the_table_opens_to_it() {
    let world = World::new(1);
    let table = world.get("/api/v1/loop").await.json();
    let rows = table["moves"].as_array().unwrap();
    let offered = async || {
        let ticket = world.get("/api/v1/tickets/1").await.json()["ticket"].clone();
        let moves = ticket["moves"].as_array().unwrap().iter().map(|offer| offer["move"].clone()).collect::<Vec<_>>();
        (ticket["stage"].clone(), moves)
    };
    // It is near no border.
    let rows = || rows.iter().filter(|row| row["move"] != "hand-over");
    let (stage, moves) = offered().await;
    // Nobody is called about it, and it is no emergency and no private matter.
    let fits = |row: &&Value| row["emergency"] == false && row["private"] == false && row["move"] != "acknowledge";
    let open = rows().filter(|row| row["from"].as_array().unwrap().contains(&stage)).filter(fits);
    assert_eq!(moves, open.map(|row| row["move"].clone()).collect::<Vec<_>>());
    assert!(moves.contains(&json!("accept")) && !moves.contains(&json!("verify")));
    world.post("/api/v1/tickets/1/solve", json!({ "who": "Li", "photos": { "before": "a", "after": "b" } })).await;
    assert_eq!(
        offered().await,
        (json!("fed-back"), ["verify", "rework", "park", "supervise", "escalate"].map(Value::from).into())
    );
}

#[tokio::test]
async fn the_lamp_board_counts_by_centre_and_shows_the_worst() {
    let world = World::new(9);
    let board = async |query: &str| {
        let said = world.get(&format!("/api/v1/lamps{query}")).await.json();
        let row = |centre: &Value| {
            let n = |key: &str| centre[key].as_u64().unwrap();
            (centre["id"].as_str().unwrap().to_owned(), n("green"), n("yellow") + n("red"), n("standing"))
        };
        (said["centres"].as_array().unwrap().iter().map(row).collect::<Vec<_>>(), said)
    };
    let wanted = |rows: &[(&str, u64, u64, u64)]| {
        rows.iter().map(|(id, green, lit, standing)| (id.to_string(), *green, *lit, *standing)).collect::<Vec<_>>()
    };
    let (rows, said) = board("").await;
    assert_eq!(rows, wanted(&[("district", 1, 0, 0), ("east", 8, 0, 0), ("west", 0, 0, 0)]));
    // Of one severity the oldest is due first.
    let worst: Vec<_> = said["centres"][1]["worst"].as_array().unwrap().iter().map(|one| one["no"].clone()).collect();
    assert_eq!(worst, [2, 3, 4, 5, 6]);
    assert_eq!(board("?level=district").await.0, wanted(&[("district", 9, 0, 0)]));
    for (name, body) in [
        ("accept", json!({ "who": "Li" })),
        ("file", json!({ "who": "Li" })),
        ("suspend", json!({ "who": "Li", "note": "waits for spare parts" })),
    ] {
        assert_eq!(world.post(&format!("/api/v1/tickets/2/{name}"), body).await.status, 200);
    }
    for (who, name) in [("Wang", "solve"), ("Li", "verify"), ("Li", "close")] {
        let mut body = json!({ "who": who });
        if name == "solve" {
            body["photos"] = json!({ "before": "a", "after": "b" });
        }
        assert_eq!(world.post(&format!("/api/v1/tickets/3/{name}"), body).await.status, 200);
    }
    let (rows, said) = board("?level=town").await;
    assert_eq!(rows, wanted(&[("east", 6, 0, 1), ("west", 0, 0, 0)]));
    assert_eq!(said["centres"][0]["closed"], json!({ "in_time": 1, "late": 0 }));
}

#[tokio::test]
async fn a_move_that_cannot_be_made_says_why() {
    let world = World::new(2);
    let who = json!({ "who": "Li" });
    assert_eq!(world.post("/api/v1/tickets/99/accept", &who).await.problem().0, 404);
    assert_eq!(world.post("/api/v1/tickets/1/frobnicate", &who).await.problem().0, 404);
    let early = world.post("/api/v1/tickets/1/feed-back", &who).await;
    assert_eq!((early.problem().0, &early.json()["stage"]), (409, &json!(Stage::Reported.as_str())));
    for body in [json!({ "who": "Li" }), json!({ "who": "Li", "note": " " })] {
        let (status, detail) = world.post("/api/v1/tickets/1/refuse", body).await.problem();
        assert_eq!((status, detail.as_str()), (422, "the move refuse needs a note"));
    }
    assert_eq!(world.post("/api/v1/tickets/1/merge", json!({ "who": "Li", "into": 1 })).await.problem().0, 422);
    assert_eq!(world.post("/api/v1/tickets/1/escalate", json!({ "who": "Li", "note": "n" })).await.problem().0, 409);
    // The desk has forgotten a ticket on which no move is left, but it exists.
    world.post("/api/v1/tickets/2/refuse", json!({ "who": "Li", "note": "false alarm" })).await;
    let late = world.post("/api/v1/tickets/2/accept", &who).await;
    assert_eq!((late.problem().0, &late.json()["stage"]), (409, &json!("refused")));
    // Who did it does not say that it is done.
    world.post("/api/v1/tickets/1/solve", json!({ "who": "Li", "photos": { "before": "a", "after": "b" } })).await;
    assert_eq!(world.post("/api/v1/tickets/1/verify", &who).await.problem().0, 403);
    assert_eq!(world.get("/api/v1/tickets/1").await.json()["ticket"]["stage"], "fed-back");
}

#[tokio::test]
async fn a_body_that_is_not_understood_moves_nothing() {
    let world = World::new(1);
    let long = "长".repeat(2001);
    for body in [
        "".to_owned(),
        "{".to_owned(),
        "[]".to_owned(),
        json!({}).to_string(),
        json!({ "who": "  " }).to_string(),
        json!({ "who": 7 }).to_string(),
        json!({ "who": "Li", "colour": "red" }).to_string(),
        json!({ "who": long }).to_string(),
        json!({ "who": "Li", "note": long }).to_string(),
        json!({ "who": "Li", "unit": "accept takes none" }).to_string(),
    ] {
        let (status, detail) = world.post("/api/v1/tickets/1/accept", &body).await.problem();
        assert_eq!(status, 400, "{body}: {detail}");
    }
    for body in [
        json!({ "who": "Li", "unit": " " }),
        json!({ "who": "Li", "unit": long }),
        json!({ "who": "Li", "photos": { "before": "a" } }),
        json!({ "who": "Li", "photos": { "before": "a", "after": "" } }),
        json!({ "who": "Li", "limit": "soon" }),
        json!({ "who": "Li", "score": 6 }),
        json!({ "who": "Li", "into": -1 }),
    ] {
        assert_eq!(world.post("/api/v1/tickets/1/accept", &body).await.problem().0, 400, "{body}");
    }
    let large = json!({ "who": "Li", "note": "x".repeat(BODY_BYTES_MAX) });
    assert_eq!(world.post("/api/v1/tickets/1/accept", large).await.problem().0, 413);
    // What a form of another site can send without asking the browser's leave is not taken.
    let form = HttpRequest::post("/api/v1/tickets/1/accept").header("content-type", "text/plain");
    assert_eq!(world.ask(form.body(Body::from(r#"{"who":"Li"}"#)).unwrap()).await.problem().0, 415);
    assert_eq!(world.get("/api/v1/tickets/1").await.json()["ticket"]["stage"], "reported");
}

#[tokio::test]
async fn alerts_say_why_and_show_their_picture() {
    let world = World::new(3);
    let list = world.get("/api/v1/alerts?state=open&limit=2").await.json();
    assert_eq!(list["alerts"].as_array().unwrap().len(), 2);
    let id = alert("cam:hall", 1).id;
    let one = world.get(&format!("/api/v1/alerts/{id}")).await.json();
    assert_eq!(one["alert"]["figures"][0], json!({ "name": "value", "value": 1.2, "unit": "%LEL" }));
    let picture = world.get(one["alert"]["snapshot"].as_str().unwrap()).await;
    assert_eq!((picture.header("content-type"), &picture.bytes[..]), ("image/jpeg", &b"\xff\xd8jpeg"[..]));
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    assert!(picture.header("cache-control").contains("private"));
    let bare = format!("/api/v1/alerts/{}/snapshot", alert("tunnel/2/ch4", 2).id);
    assert_eq!(world.get(&bare).await.problem().0, 404);
}

#[tokio::test]
async fn no_path_leads_out_of_the_evidence() {
    let world = World::new(1);
    for id in ["..%2f..%2foutpost.db", "%2e%2e%2foutpost", "..", "A-1%00", "%ff", "'%20OR%201=1--"] {
        let of_alert = |rest: &str| format!("/api/v1/alerts/{id}{rest}");
        for path in [of_alert(""), of_alert("/snapshot"), of_alert("/pictures/1"), of_alert("/pictures/..%2f1")] {
            let (status, detail) = world.get(&path).await.problem();
            assert!(status == 404 || status == 400, "{path}: {status} {detail}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let world = World::new(1);
    for path in ["/api/v1/nothing", "/api/v1", "/api/v2/tickets", "/favicon.ico", "/../Cargo.toml"] {
        assert_eq!(world.get(path).await.problem().0, 404, "{path}");
    }
    assert_eq!(world.post("/api/v1/loop", "{}").await.problem().0, 405);
    assert_eq!(world.post("/", "{}").await.problem().0, 405);
}

#[tokio::test]
async fn a_token_guards_the_whole_api_and_nothing_else() {
    let world = World::with(1, |context| context.token = Some("s3cret".into()));
    let with =
        |value: &str| HttpRequest::get("/api/v1/tickets").header("authorization", value).body(Body::empty()).unwrap();
    for request in [with("Bearer s3cret"), with("bearer s3cret")] {
        assert_eq!(world.ask(request).await.status, 200);
    }
    for request in [with("Bearer s3cre"), with("Bearer S3cret"), with("Basic s3cret"), with("s3cret"), with("Bearer ")]
    {
        let said = world.ask(request).await;
        assert_eq!((said.problem().0, said.header("www-authenticate")), (401, "Bearer"));
    }
    assert_eq!(world.get("/api/v1/tickets?token=s3cret&limit=1").await.status, 200);
    for path in ["tickets", "tickets?token=", "tickets/1", "alerts", "sources", "rules", "fences", "stream", "nothing"]
    {
        assert_eq!(world.get(&format!("/api/v1/{path}")).await.problem().0, 401, "{path}");
    }
    assert_eq!(world.post("/api/v1/tickets/1/accept", json!({ "who": "Li" })).await.problem().0, 401);
    for path in ["/", "/healthz", "/readyz", "/metrics"] {
        assert_eq!(world.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_client_that_comes_back_to_the_stream_misses_nothing() {
    let world = World::new(3);
    let ids = |events: &[String]| -> Vec<String> {
        events
            .iter()
            .filter_map(|event| event.lines().find_map(|line| line.strip_prefix("id: ")))
            .map(Into::into)
            .collect()
    };
    let events = frames(world.listen(Some("1")).await, 2).await;
    assert_eq!(ids(&events), ["2", "3"]);
    let data = events[0].lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let told: Value = serde_json::from_str(data).unwrap();
    assert_eq!((&told["what"], &told["ticket"]["id"]), (&json!("opened"), &json!("T-2")));
    assert_eq!(ids(&frames(world.listen(Some("-5")).await, 3).await), ["1", "2", "3"]);
    // A number that was never given begins with what comes next, as none does.
    for last in [Some("9000"), Some("x"), None] {
        let stream = world.listen(last).await;
        let moved = world.post("/api/v1/tickets/3/supervise", json!({ "who": "Li", "note": "3" })).await;
        assert_eq!(moved.status, 200);
        let events = frames(stream, 1).await;
        assert!(events[0].contains("\"what\":\"supervise\""), "{events:?}");
    }
}

#[tokio::test]
async fn the_stream_has_so_many_seats_and_gives_them_up() {
    let world = World::new(1);
    let ask = || HttpRequest::get("/api/v1/stream").body(Body::empty()).unwrap();
    let mut clients = Vec::new();
    for _ in 0..stream::CLIENTS_MAX {
        let response = world.response(ask()).await;
        assert_eq!(response.status(), 200);
        clients.push(response);
    }
    assert_eq!(world.ask(ask()).await.problem().0, 503);
    clients.pop();
    let response = world.response(ask()).await;
    assert_eq!(response.status(), 200);
    world.context.stop.cancel();
    assert_eq!(frames(response, 1).await, [] as [String; 0], "a stream ends when the gateway stops");
}

#[tokio::test]
async fn an_operator_hears_when_the_pipeline_is_gone() {
    let world = World::with(1, |context| context.asks = mpsc::channel(1).0);
    assert_eq!(world.get("/api/v1/sources").await.problem().0, 503);
    assert_eq!(world.post("/api/v1/tickets/1/accept", json!({ "who": "Li" })).await.problem().0, 503);
    assert_eq!(world.get("/api/v1/tickets").await.status, 200);
}

#[tokio::test]
async fn health_is_the_pipelines_and_readiness_the_stores_and_the_brokers() {
    let world = World::new(0);
    assert_eq!(world.get("/healthz").await.status, 200);
    assert_eq!(
        world.get("/readyz").await.json(),
        json!({
            "ready": true, "store": true, "sessions": [{ "broker": "town", "state": "live" }]
        })
    );
    world.brokers.down.store(true, Ordering::Relaxed);
    let said = world.get("/readyz").await;
    assert_eq!((said.status.as_u16(), &said.json()["sessions"][0]["state"]), (503, &json!("down: refused")));
    world.brokers.down.store(false, Ordering::Relaxed);
    world.context.health.store_ok.store(false, Ordering::Relaxed);
    assert_eq!(world.get("/readyz").await.status, 503);
    assert_eq!(world.get("/healthz").await.status, 200, "a full disk is no reason to restart");
    world.context.health.beat_ms.store(now_ms() - 60_000, Ordering::Relaxed);
    assert_eq!(world.get("/healthz").await.status, 503);
}

#[tokio::test]
async fn metrics_are_brought_up_to_date_and_told_as_openmetrics() {
    let world = World::new(0);
    let said = world.get("/metrics").await;
    assert_eq!((said.status, said.header("content-type")), (StatusCode::OK, metrics_type()));
    assert!(said.bytes.ends_with(b"# EOF\n"));
    assert_eq!(*world.brokers.n_refreshed.lock().unwrap(), 1);
}

fn metrics_type() -> &'static str {
    "application/openmetrics-text; version=1.0.0; charset=utf-8"
}

#[tokio::test]
async fn the_page_may_load_nothing_from_elsewhere() {
    let world = World::new(0);
    let index = world.get("/").await;
    assert_eq!((index.header("content-type"), index.header("cache-control")), ("text/html; charset=utf-8", "no-cache"));
    let text = String::from_utf8(index.bytes.to_vec()).unwrap();
    assert!(!text.contains("://"), "the index names another origin: {text}");
    // None where the console was not built, which the page then says.
    let named: Vec<&str> =
        text.split('"').filter(|word| word.starts_with("/assets/") || *word == "/icon.svg").collect();
    assert!(named.len() >= 3 || text.contains("make console"), "{text}");
    for path in ["/"].into_iter().chain(named) {
        let said = world.get(path).await;
        assert_eq!(said.status, StatusCode::OK, "{path}");
        let policy = said.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe") && !policy.contains("://"));
        assert_eq!(said.header("x-content-type-options"), "nosniff");
        assert_eq!(said.header("referrer-policy"), "no-referrer");
        assert_eq!(path.starts_with("/assets/"), said.header("cache-control").contains("immutable"), "{path}");
    }
    for path in ["/assets/none.js", "/assets/..%2findex.html", "/assets/%2e%2e%2f%2e%2e%2fpackage.json"] {
        assert_eq!(world.get(path).await.problem().0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_client_that_says_no_more_does_not_hold_up_the_stop() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::new(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let server = tokio::spawn(run(listener, world.context.clone()));
    client.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(DEADLINE, client.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let mut rest = [0; 4096];
    tokio::time::timeout(DEADLINE, client.read(&mut rest)).await.unwrap().unwrap();
    // Half a request, and then nothing: without a bound the gateway would wait for the rest for ever.
    let half = "POST /api/v1/tickets/1/accept HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                content-length: 9\r\nexpect: 100-continue\r\n\r\n{";
    client.write_all(half.as_bytes()).await.unwrap();
    tokio::time::timeout(DEADLINE, client.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100", "the body is waited for");
    world.context.stop.cancel();
    tokio::time::timeout(DEADLINE, server).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_radiometric_picture_is_read_and_answered_when_it_is_on_disk() {
    let picture = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/thermal/FLIR_E40.jpg")).unwrap();
    let world = World::new(0);
    let said = world.upload("/api/v1/frames/thermal/well/3", picture.clone()).await.json();
    assert_eq!(
        (said["columns"].as_u64(), said["rows"].as_u64(), said["bad_pixels"].as_u64()),
        (Some(160), Some(120), Some(0))
    );
    assert!((said["celsius"]["max"].as_f64().unwrap() - 24.70).abs() < 0.1, "{said}");
    assert_eq!(said["celsius"]["hottest"], json!({ "row": 40, "column": 68 }));
    let dated = "/api/v1/frames/thermal/well/3?at=2026-01-02T03:04:05Z&emissivity=0.5";
    let said = world.upload(dated, picture.clone()).await.json();
    assert_eq!(said["at"], "2026-01-02T03:04:05.000Z");
    assert!(said["celsius"]["max"].as_f64().unwrap() > 26.0, "{said}");
    let dji = [&[0xff, 0xd8][..], &[&[0xff, 0xe3, 0xff, 0xff][..], &[7; 0xfffd]].concat().repeat(3)].concat();
    for (path, picture, status, hint) in [
        ("/api/v1/frames/thermal/unknown", picture.clone(), 404, "names no source"),
        ("/api/v1/frames/thermal/well/3?at=soon", picture.clone(), 400, "no RFC 3339 time"),
        (
            "/api/v1/frames/thermal/well/3?at=9999-01-01T00:00:00Z",
            picture.clone(),
            400,
            "at which it can have been taken",
        ),
        ("/api/v1/frames/thermal/well/3?emissivity=2", picture.clone(), 400, "emissivity 2"),
        ("/api/v1/frames/thermal/well/3", picture[..9_000].to_vec(), 400, "byte "),
        ("/api/v1/frames/thermal/well/3", b"GIF89a".to_vec(), 415, "neither a JPEG"),
        ("/api/v1/frames/thermal/well/3", dji, 415, "closed SDK"),
        ("/api/v1/frames/thermal/well/3", vec![0; frames::PICTURE_BYTES_MAX + 1], 413, ""),
    ] {
        let (found, detail) = world.upload(path, picture).await.problem();
        assert!(found == status && detail.contains(hint), "{path}: {found} {detail}");
    }
}
