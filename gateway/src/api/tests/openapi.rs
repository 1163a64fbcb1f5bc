//! The OpenAPI document is true: it has the router's routes and no others, and real answers are as it says.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

fn document() -> Value {
    serde_json::from_str(include_str!("../openapi.json")).unwrap()
}

/// What a path answers with a status, by the document.
fn answer_of<'a>(document: &'a Value, path: &str, method: &str, status: u16) -> &'a Value {
    let response = resolve(document, &document["paths"][path][method]["responses"][status.to_string()]);
    let content = response["content"].as_object().unwrap_or_else(|| panic!("{method} {path} {status} has no content"));
    &content.values().next().unwrap()["schema"]
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => value,
    }
}

/// What of a value is not as its schema says, each with its place. Knows the keywords that the document uses and stops at any
/// other, so that nothing passes unlooked at.
fn faults(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (keyword, said) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$ref" => out.extend(faults(document, resolve(document, schema), value, place)),
            "type" => {
                let types = said.as_array().map_or(std::slice::from_ref(said), Vec::as_slice);
                if !types.iter().any(|kind| is_of_type(value, kind.as_str().unwrap())) {
                    out.push(format!("{place}: {value} is no {said}"));
                }
            }
            "enum" if !said.as_array().unwrap().contains(value) => {
                out.push(format!("{place}: {value} is none of {said}"));
            }
            "oneOf" => {
                let each = said.as_array().unwrap().iter().map(|one| faults(document, one, value, place));
                let each: Vec<_> = each.collect();
                if each.iter().filter(|faults| faults.is_empty()).count() != 1 {
                    out.push(format!("{place}: {value} is not exactly one of {said}: {each:?}"));
                }
            }
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    out.extend(faults(document, said, item, &format!("{place}/{i}")));
                }
            }
            "required" => {
                let lacking = said.as_array().unwrap().iter().filter(|key| value.get(key.as_str().unwrap()).is_none());
                out.extend(lacking.filter(|_| value.is_object()).map(|key| format!("{place}: lacks {key}")));
            }
            "properties" => {
                for (key, schema) in said.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        out.extend(faults(document, schema, value, &format!("{place}/{key}")));
                    }
                }
            }
            "additionalProperties" => {
                let others = value.as_object().into_iter().flatten();
                for (key, value) in others.filter(|(key, _)| schema["properties"].get(key).is_none()) {
                    let place = format!("{place}/{key}");
                    match said {
                        Value::Bool(false) => out.push(format!("{place}: is not in the document")),
                        said => out.extend(faults(document, said, value, &place)),
                    }
                }
            }
            "format" if said == "date-time" => {
                if let Some(text) = value.as_str().filter(|text| text.parse::<jiff::Timestamp>().is_err()) {
                    out.push(format!("{place}: {text:?} is no date-time"));
                }
            }
            "enum" | "description" => {}
            other => panic!("{place}: this test does not know the keyword {other}"),
        }
    }
    out
}

fn is_of_type(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    }
}

#[track_caller]
fn assert_as_said(document: &Value, path: &str, method: &str, said: &Said) {
    let (schema, answer) = (answer_of(document, path, method, said.status.as_u16()), said.json());
    let faults = faults(document, schema, &answer, "");
    assert!(faults.is_empty(), "{method} {path}:\n{}\n{answer:#}", faults.join("\n"));
}

/// A real answer is as the document says.
#[track_caller]
pub(super) fn assert_is_as_said(path: &str, method: &str, said: &Said) {
    assert_as_said(&document(), path, method, said);
}

#[test]
fn an_answer_that_differs_is_told_with_its_place() {
    let document = json!({ "components": { "schemas": { "Lamp": { "type": "string", "enum": ["red"] } } } });
    let schema = json!({
        "type": "object", "required": ["lamp", "at"], "additionalProperties": false,
        "properties": { "lamp": { "$ref": "#/components/schemas/Lamp" }, "at": { "type": "string", "format": "date-time" },
            "n": { "type": "array", "items": { "oneOf": [{ "type": "integer" }, { "type": "null" }] } } }
    });
    let told = |value: Value| faults(&document, &schema, &value, "");
    assert_eq!(told(json!({ "lamp": "red", "at": "2026-01-01T00:00:00Z", "n": [1, null] })), [] as [String; 0]);
    for (value, place) in [
        (json!({ "lamp": "blue", "at": "2026-01-01T00:00:00Z" }), "/lamp: "),
        (json!({ "lamp": "red", "at": "today" }), "/at: "),
        (json!({ "lamp": "red" }), ": lacks \"at\""),
        (json!({ "lamp": "red", "at": "2026-01-01T00:00:00Z", "n": [1, 1.5] }), "/n/1: "),
        (json!({ "lamp": "red", "at": "2026-01-01T00:00:00Z", "more": 1 }), "/more: "),
        (json!([]), ": [] is no \"object\""),
    ] {
        let faults = told(value);
        assert!(faults.len() == 1 && faults[0].starts_with(place), "{place}: {faults:?}");
    }
}

/// `.route("PATH", METHOD(…).METHOD(…))` of the API's sources, as "METHOD PATH". The page's files are no API, and Open311 has a
/// specification of its own.
fn routes_of(text: &str) -> BTreeSet<String> {
    let (before, rest) = text.split_once("let api = Router::new()").unwrap_or((text, ""));
    let (nested, after) = rest.split_once(";\n").unwrap_or((rest, ""));
    let mut out = BTreeSet::new();
    for (text, prefix) in [(before, ""), (nested, "/api/v1"), (after, "")] {
        for route in text.split(".route(").skip(1) {
            let (_, rest) = route.split_once('"').unwrap();
            let (path, rest) = rest.split_once('"').unwrap();
            // To the end of the call: the next line that is no part of it begins with a dot or ends the chain.
            let call = rest.split("\n        .").next().unwrap();
            if call.contains("page::") || call.contains("open311::") {
                continue;
            }
            for method in ["get", "post", "put", "patch", "delete"] {
                if call.contains(&format!("{method}(")) {
                    out.insert(format!("{method} {prefix}{}", path.replace("{*", "{")));
                }
            }
        }
    }
    out
}

#[test]
fn the_document_has_the_routes_of_the_router_and_no_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    let routed: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .flat_map(|path| routes_of(&std::fs::read_to_string(path).unwrap()))
        .collect();
    assert!(routed.len() > 25, "the walk found only {routed:?}");
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let said: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(move |method| format!("{method} {path}")))
        .collect();
    assert_eq!(routed.difference(&said).collect::<Vec<_>>(), [] as [&String; 0], "routes that openapi.json lacks");
    assert_eq!(said.difference(&routed).collect::<Vec<_>>(), [] as [&String; 0], "openapi.json has what is no route");
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere_and_it_is_served() {
    let world = World::new(0);
    let served = world.get("/api/v1/openapi.json").await;
    assert_eq!((served.json(), served.header("content-type")), (document(), "application/json"));
    let document = document();
    let mut waiting = vec![&document];
    let mut n_references = 0;
    while let Some(value) = waiting.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            n_references += 1;
            assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
        }
        match value {
            Value::Object(keys) => waiting.extend(keys.values()),
            Value::Array(values) => waiting.extend(values),
            _ => {}
        }
    }
    assert!(n_references > 60, "{n_references}");
}

#[tokio::test]
async fn real_answers_are_as_the_document_says() {
    let (world, document) = (World::new(3), document());
    for path in
        ["loop", "lamps", "tickets", "alerts", "sources", "fences", "rules", "silences", "audit", "openapi.json"]
    {
        let path = format!("/api/v1/{path}");
        assert_as_said(&document, &path, "get", &world.get(&path).await);
    }
    let hold = json!({ "who": "Li", "reason": "court" });
    let post = async |path: &str, asked: &str, body: Value| {
        assert_as_said(
            &document,
            &format!("/api/v1{path}"),
            "post",
            &world.post(&format!("/api/v1{asked}"), body).await,
        );
    };
    post("/tickets/{no}/hold", "/tickets/1/hold", hold.clone()).await;
    post("/tickets/{no}/release", "/tickets/1/release", hold.clone()).await;
    let alert = alert("cam:hall", 1).id;
    post("/alerts/{id}/hold", &format!("/alerts/{alert}/hold"), hold.clone()).await;
    let silence = json!({ "who": "Li", "reason": "works", "for": "1h", "source": "tunnel/9/+" });
    post("/silences", "/silences", silence).await;
    assert_as_said(&document, "/api/v1/silences", "get", &world.get("/api/v1/silences").await);
    post("/silences/{no}/end", "/silences/1/end", json!({ "who": "Li" })).await;
    assert_as_said(&document, "/api/v1/silences", "get", &world.get("/api/v1/silences?state=all").await);
    assert_as_said(&document, "/api/v1/alerts/{id}", "get", &world.get(&format!("/api/v1/alerts/{alert}")).await);
    assert_as_said(
        &document,
        "/api/v1/alerts/{id}/trace",
        "get",
        &world.get(&format!("/api/v1/alerts/{alert}/trace")).await,
    );
    world.get(&format!("/api/v1/alerts/{alert}/snapshot?who=Li")).await;
    let audit = world.get("/api/v1/audit").await;
    assert!(!audit.json()["audit"].as_array().unwrap().is_empty());
    assert_as_said(&document, "/api/v1/audit", "get", &audit);
    for (name, body) in [
        ("solve", json!({ "who": "Li", "photos": { "before": "a", "after": "b" } })),
        ("verify", json!({ "who": "Wang" })),
        ("close", json!({ "who": "Wang" })),
    ] {
        post("/tickets/{no}/{move}", &format!("/tickets/1/{name}"), body).await;
        assert_as_said(&document, "/api/v1/tickets/{no}", "get", &world.get("/api/v1/tickets/1").await);
    }
    for (name, body, status) in [("accept", json!({ "who": "Li" }), 409), ("rate", json!({ "who": "Wang" }), 422)] {
        let said = world.post(&format!("/api/v1/tickets/1/{name}"), body).await;
        assert_eq!(said.status, status);
        assert_as_said(&document, "/api/v1/tickets/{no}/{move}", "post", &said);
    }
    let period = "from=2020-01-01&to=2020-12-31";
    for (path, query) in [
        ("classes", ""),
        ("classes/patterns", "?category=underground/gas"),
        ("scores", &*format!("?level=district&{period}")),
        ("scores/tickets", &*format!("?level=district&of=district&count=filed&{period}")),
    ] {
        let path = format!("/api/v1/{path}");
        assert_as_said(&document, &path, "get", &world.get(&format!("{path}{query}")).await);
    }
    for name in ["confirm", "close"] {
        post("/classes/{no}/{move}", &format!("/classes/1/{name}"), json!({ "who": "Zhou" })).await;
        assert_as_said(&document, "/api/v1/classes/{no}", "get", &world.get("/api/v1/classes/1").await);
    }
    for path in ["borders", "officers?who=Li", "patrols", "work-orders", "lights", "tickets/1/suggestions?who=Li"] {
        let said = world.get(&format!("/api/v1/{path}")).await;
        let path = path.split('?').next().unwrap().replace("/1/", "/{no}/");
        assert_as_said(&document, &format!("/api/v1/{path}"), "get", &said);
    }
    let work = json!({ "id": "W-1", "lon": 106.5, "lat": 29.6, "from": "2020-01-01T00:00:00Z",
        "until": "2020-02-01T00:00:00Z", "who": "Li", "reason": "paint" });
    post("/work-orders", "/work-orders", work).await;
    post("/assignments/plan", "/assignments/plan", json!({})).await;
    post("/assignments", "/assignments", json!({ "who": "Li", "pairs": [{ "ticket": 1, "officer": "Wang" }] })).await;
    for path in ["/healthz", "/readyz"] {
        assert_as_said(&document, path, "get", &world.get(path).await);
    }
}
