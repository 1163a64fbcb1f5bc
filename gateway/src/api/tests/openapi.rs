//! The OpenAPI document is true: it has the router's routes and no others, and real answers are as it says.

use std::collections::BTreeSet;
use std::path::Path;

use jsonschema::Validator;

use super::*;

fn document() -> Value {
    serde_json::from_str(include_str!("../openapi.json")).unwrap()
}

/// A validator for what a path answers; references lead into the document.
fn answer_of(document: &Value, path: &str, method: &str, status: u16) -> Validator {
    let response = &document["paths"][path][method]["responses"][status.to_string()];
    let response = match response["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => response,
    };
    let content = response["content"].as_object().unwrap_or_else(|| panic!("{method} {path} {status} has no content"));
    let mut schema = content.values().next().unwrap()["schema"].clone();
    schema["components"] = document["components"].clone();
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
}

#[track_caller]
fn assert_as_said(document: &Value, path: &str, method: &str, said: &Said) {
    let validator = answer_of(document, path, method, said.status.as_u16());
    let answer = said.json();
    let faults: Vec<String> =
        validator.iter_errors(&answer).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{method} {path}:\n{}\n{answer:#}", faults.join("\n"));
}

/// `.route("PATH", METHOD(…).METHOD(…))` of the API's sources, as "METHOD PATH"; the page's own files are no API.
fn routes_of(text: &str) -> BTreeSet<String> {
    let (nested, outer) = text.split_once(".nest(\"/api/v1\", api)").unwrap_or((text, ""));
    let mut out = BTreeSet::new();
    for (text, prefix) in [(nested, "/api/v1"), (outer, "")] {
        for route in text.split(".route(").skip(1) {
            let (_, rest) = route.split_once('"').unwrap();
            let (path, rest) = rest.split_once('"').unwrap();
            // To the end of the call: the next line that is no part of it begins with a dot or ends the chain.
            let call = rest.split("\n        .").next().unwrap();
            if call.contains("page::") {
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
    for (name, body, status) in [("accept", json!({ "who": "Li" }), 409), ("rate", json!({ "who": "Li" }), 422)] {
        let said = world.post(&format!("/api/v1/tickets/1/{name}"), body).await;
        assert_eq!(said.status, status);
        assert_as_said(&document, "/api/v1/tickets/{no}/{move}", "post", &said);
    }
    for path in ["/healthz", "/readyz"] {
        assert_as_said(&document, path, "get", &world.get(path).await);
    }
}
