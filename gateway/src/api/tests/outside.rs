//! What citizens' applications and other systems report, and what they read of it.

use axum::body::Body;
use axum::http::Request as HttpRequest;
use serde_json::{Value, json};

use super::world::{Said, World};
use crate::api::{Desk311, Mappings};
use crate::config::{Intake, Open311};

const OPEN311: &str = r#"
jurisdiction = "district.example"
per_minute = 5
keys = [{ id = "app", token = { file = "KEY" } }]
services = [
    { code = "pothole", name = "道路破损", group = "roads", keywords = ["road", "hole"], category = "roads/pothole" },
    { code = "help", name = "求助", category = "private/help" },
]
"#;

const INTAKE: &str = r#"
id = "housing"
token = { file = "KEY" }
items = "/data/rows"
key = "/no"
title = "/subject"
text = "/body"
address = "/where/name"
lon = "/where/x"
lat = "/where/y"
kind = "/kind"
kinds = [
    { is = "1", category = "matters/big", severity = "severe" },
    { is = "2", category = "matters/small" },
    { is = "3", category = "private/help" },
]
"#;

fn with_key<T: serde::de::DeserializeOwned>(text: &str) -> (T, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hunter2\n").unwrap();
    (toml::from_str(&text.replace("KEY", file.path().to_str().unwrap())).unwrap(), file)
}

pub(super) fn open311() -> Desk311 {
    let (settings, _file): (Open311, _) = with_key(OPEN311);
    Desk311::new(&settings).unwrap()
}

pub(super) fn mappings() -> Mappings {
    let (intake, _file): (Intake, _) = with_key(INTAKE);
    let token = intake.token.as_ref().map(|token| token.read().unwrap());
    Mappings(vec![(intake, token)])
}

async fn report(world: &World, form: &str, words: &str) -> Said {
    let request = HttpRequest::post(format!("/open311/v2/requests.{form}"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    world.ask(request.body(Body::from(words.to_owned())).unwrap()).await
}

const POTHOLE: &str = "api_key=hunter2&service_code=pothole&lat=29.84&long=106.03&description=a+hole+%3C%26%01%3E\
                       &email=me%40example.org&first_name=Secret&phone=555-0100";

#[tokio::test]
async fn services_are_listed_in_both_forms() {
    let world = World::new(0);
    let said = world.get("/open311/v2/services.json?jurisdiction_id=district.example").await;
    let pothole = json!({ "service_code": "pothole", "service_name": "道路破损", "description": "", "metadata": false,
        "type": "realtime", "keywords": "road,hole", "group": "roads" });
    assert_eq!((said.status.as_u16(), &said.json()[0]), (200, &pothole));
    let said = world.get("/open311/v2/services.xml").await;
    assert_eq!(said.header("content-type"), "text/xml; charset=utf-8");
    let text = String::from_utf8(said.bytes.to_vec()).unwrap();
    assert!(
        text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?><services><service><service_code>pothole</"),
        "{text}"
    );
    for path in ["services.json?jurisdiction_id=elsewhere", "services/pothole.json", "else.json"] {
        assert_eq!(world.get(&format!("/open311/v2/{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_request_is_a_ticket_once_and_is_read_as_its_loop_goes_without_who_told_it() {
    let world = World::new(0);
    let said = report(&world, "json", POTHOLE).await;
    let id = said.json()[0]["service_request_id"].clone();
    assert_eq!((said.status.as_u16(), id.as_str()), (201, Some("T-1")));
    let again = report(&world, "json", POTHOLE).await;
    assert_eq!((again.status.as_u16(), &again.json()[0]["service_request_id"]), (200, &id));

    let ticket = world.get("/api/v1/tickets/1").await;
    let text = String::from_utf8(ticket.bytes.to_vec()).unwrap();
    assert!(!text.contains("Secret") && !text.contains("me@example.org") && !text.contains("555-0100"), "{text}");
    let ticket = ticket.json()["ticket"].clone();
    assert_eq!((&ticket["source"], &ticket["category"]), (&json!("open311:app"), &json!("roads/pothole")));

    let read = async || world.get("/open311/v2/requests/T-1.json?api_key=hunter2").await.json()[0].clone();
    let request = read().await;
    assert_eq!((&request["status"], &request["service_code"]), (&json!("open"), &json!("pothole")));
    assert_eq!((&request["lat"], &request["long"]), (&json!(29.84), &json!(106.03)));
    world.post("/api/v1/tickets/1/refuse", json!({ "who": "Li", "note": "not ours, says Li" })).await;
    let request = read().await;
    assert_eq!((&request["status"], &request["status_notes"]), (&json!("closed"), &json!("refused")));
    let shown = world.get("/open311/v2/requests.xml?api_key=hunter2&status=closed&service_code=pothole").await;
    let xml = String::from_utf8(shown.bytes.to_vec()).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let description = document.descendants().find(|node| node.has_tag_name("description")).unwrap();
    assert_eq!(description.text(), Some("a hole <&>"));
    assert!(!xml.contains("Li"), "what is noted within is not published");
    let none = world.get("/open311/v2/requests.json?api_key=hunter2&status=open").await;
    assert_eq!(none.json(), json!([]));
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_its_form() {
    let world = World::new(1);
    let code = async |words: &str| report(&world, "json", words).await.json()[0]["code"].clone();
    assert_eq!(code("service_code=pothole&lat=1&long=2").await, 403);
    for (words, part) in [
        ("service_code=flood&lat=1&long=2", "flood"),
        ("service_code=pothole", "address_string"),
        ("service_code=pothole&lat=1", "together"),
        ("service_code=pothole&lat=91&long=2", "±90"),
        ("service_code=pothole&address_string=x&media_url=file:///etc", "media_url"),
    ] {
        let said = report(&world, "json", &format!("api_key=hunter2&{words}")).await;
        let told = said.json()[0]["description"].as_str().unwrap().to_owned();
        assert!(said.status == 400 && told.contains(part), "{words}: {told}");
    }
    let said = report(&world, "xml", POTHOLE).await;
    let text = String::from_utf8(said.bytes.to_vec()).unwrap();
    assert_eq!(said.status, 429, "five a minute: {text}");
    assert!(text.contains("<errors><error><code>429</code>") && !said.header("retry-after").is_empty());
    assert_eq!(world.get("/open311/v2/requests.json").await.status, 403);
    assert_eq!(world.get("/open311/v2/requests/T-1.json?api_key=hunter2").await.status, 404, "not told by Open311");
    assert_eq!(world.get("/open311/v2/requests.json?api_key=hunter2&status=lost").await.status, 400);
}

async fn send(world: &World, token: &str, document: &Value) -> Said {
    let request = HttpRequest::post("/api/v1/intake/housing").header("authorization", format!("Bearer {token}"));
    world.ask(request.body(Body::from(document.to_string())).unwrap()).await
}

#[tokio::test]
async fn another_systems_reports_become_tickets_once_and_one_that_is_wrong_costs_no_other() {
    let world = World::new(0);
    let row = |no: u64, kind: &str, x: Value| {
        json!({ "no": no, "subject": "漏水", "body": "since Monday", "kind": kind,
            "where": { "name": "3 号楼", "x": x, "y": "29.84" } })
    };
    let document = json!({ "data": { "rows": [row(7, "1", json!(106.03)), row(8, "9", json!(106.03)),
        row(9, "2", json!("east")), row(7, "1", json!(106.03)), row(10, "3", json!("106.03"))] } });
    let said = send(&world, "hunter2", &document).await;
    let expected = json!({ "accepted": 3, "rejected": 2, "items": [
        { "key": "7", "ticket": "T-1", "new": true },
        { "error": "/data/rows/1/kind: \"9\" is none of 1, 2, 3" },
        { "error": "/data/rows/2/where/x: \"east\" is not within ±180 degrees" },
        { "key": "7", "ticket": "T-1", "new": false },
        { "key": "10", "ticket": "T-2", "new": true },
    ] });
    assert_eq!((said.status.as_u16(), said.json()), (200, expected));
    let again = send(&world, "hunter2", &document).await.json();
    assert_eq!((&again["items"][0]["new"], &again["items"][4]["ticket"]), (&json!(false), &json!("T-2")));
    let ticket = world.get("/api/v1/tickets/1").await.json()["ticket"].clone();
    assert_eq!((&ticket["source"], &ticket["severity"]), (&json!("intake:housing"), &json!("severe")));
    assert_eq!((&ticket["place"]["name"], &ticket["place"]["lat"]), (&json!("3 号楼"), &json!(29.84)));
}

#[tokio::test]
async fn a_document_without_a_right_token_or_shape_is_refused() {
    let world = World::new(0);
    let empty = json!({ "data": { "rows": [] } });
    assert_eq!(send(&world, "hunter3", &empty).await.status, 401);
    assert_eq!(send(&world, "hunter2", &empty).await.status, 200);
    assert_eq!(send(&world, "hunter2", &json!([])).await.problem().0, 400);
    let wrong = json!({ "data": { "rows": [{ "no": true }] } });
    let said = send(&world, "hunter2", &wrong).await;
    assert_eq!((said.status.as_u16(), &said.json()["rejected"]), (422, &json!(1)));
    let many = json!({ "data": { "rows": vec![json!({}); 501] } });
    assert_eq!(send(&world, "hunter2", &many).await.status, 413);
    let elsewhere = HttpRequest::post("/api/v1/intake/roads").body(Body::from("{}")).unwrap();
    assert_eq!(world.ask(elsewhere).await.status, 404);
}

#[tokio::test]
async fn a_private_matter_is_closed_by_who_answers_it_and_published_nowhere() {
    let world = World::new(0);
    let said = report(&world, "json", "api_key=hunter2&service_code=help&address_string=home&description=alone").await;
    assert_eq!(said.status, 201);
    assert_eq!(world.get("/open311/v2/requests/T-1.json?api_key=hunter2").await.status, 404);
    assert_eq!(world.get("/api/v1/tickets/1/cap").await.status, 404);
    let feed = String::from_utf8(world.get("/api/v1/cap").await.bytes.to_vec()).unwrap();
    assert!(!feed.contains("<entry>"), "{feed}");
    for (asked, status) in [("close", 409), ("accept", 200), ("close", 200)] {
        let said = world.post(&format!("/api/v1/tickets/1/{asked}"), json!({ "who": "Li", "note": "visited" })).await;
        assert_eq!(said.status.as_u16(), status, "{asked}");
    }
    report(&world, "json", POTHOLE).await;
    assert_eq!(world.get("/api/v1/tickets/2/cap").await.header("content-type"), "application/cap+xml");
}
