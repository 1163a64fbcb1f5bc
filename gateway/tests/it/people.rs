//! Places and people with the real program: a ticket comes to the centre whose ground it is on, officers are suggested by where
//! they are, nobody is sent to two places however many ask at once, and who does not answer is not waited for, kill -9 or not.

use outpost::telemetry::clock::now_ms;
use serde_json::{Value, json};

use crate::support::site::Site;

/// Two grids beside each other: 106.00 to 106.03, and on to 106.06.
const GRIDS: &str = r#"{"type":"FeatureCollection","features":[
{"type":"Feature","id":"west","properties":{"name":"西网格"},"geometry":{"type":"Polygon","coordinates":
[[[106.0,29.82],[106.03,29.82],[106.03,29.86],[106.0,29.86],[106.0,29.82]]]}},
{"type":"Feature","id":"east","properties":{"name":"东网格"},"geometry":{"type":"Polygon","coordinates":
[[[106.03,29.82],[106.06,29.82],[106.06,29.86],[106.03,29.86],[106.03,29.82]]]}}]}"#;

const CENTRES: &str = "id,name,level,parent,duties\n\
    town,东城街道,town,district,industry/#\n\
    west,西网格,grid,town,industry/#\n\
    east,东网格,grid,town,industry/#\n";

const PEOPLE: &str = "id,name,centre,roles,unit,skills,terminal\n\
    desk,值班,district,clerk;chief;dispatcher;officer,,,\n\
    li,李,west,handler,一分队,,gps/li\n\
    wu,吴,east,handler,二分队,industry/#,gps/wu\n\
    he,何,east,handler,电工,power/#,gps/he\n";

/// West and east of a river, with a bridge far in the north.
const NODES: &str = "id,lon,lat\n1,106.028,29.84\n2,106.028,29.855\n3,106.033,29.855\n4,106.033,29.84\n";
const EDGES: &str = "from,to,length_m,maxspeed\n\
    1,2,1670,30\n2,1,1670,30\n2,3,483,30\n3,2,483,30\n3,4,1670,30\n4,3,1670,30\n";

fn config(n_boilers: usize, lease: &str) -> String {
    let boiler = |n: usize| {
        // All a few metres west of the border.
        format!("[[sources]]\nid = \"boiler/{n}\"\nname = \"锅炉 {n}\"\nplace = [106.0299, 29.84]\n")
    };
    let boilers: String = (1..=n_boilers).map(boiler).collect();
    format!(
        r##"
[places]
centres = "centres.csv"
people = "people.csv"
[roads]
nodes = "nodes.csv"
edges = "edges.csv"
[desk.officers]
lease = "{lease}"
position_every = "1s"
[[centres]]
id = "district"
level = "district"
[[fences]]
file = "grids.geojson"
grids = true
[[feeds]]
id = "boilers"
broker = "b"
topics = ["in/boiler/+"]
source = "boiler/{{2}}"
format = {{ kind = "number", metric = "temperature", unit = "Cel" }}
[[feeds]]
id = "terminals"
broker = "b"
topics = ["in/gps/+"]
source = "gps/{{2}}"
format = {{ kind = "owntracks" }}
[[rules]]
id = "boiler-hot"
sources = ["boiler/+"]
detect = {{ kind = "threshold", metric = "temperature", above = 90.0, unit = "Cel" }}
severity = "severe"
category = "industry/overheat"
{boilers}"##
    )
}

/// With so many tickets, accepted and filed.
async fn site(n_tickets: usize, lease: &str) -> Site {
    let mut site = Site::prepare("5", &config(n_tickets, lease)).await;
    let folder = site.gateway.folder().to_owned();
    for (name, text) in [
        ("grids.geojson", GRIDS),
        ("centres.csv", CENTRES),
        ("people.csv", PEOPLE),
        ("nodes.csv", NODES),
        ("edges.csv", EDGES),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    site.gateway.start_ready().await;
    for n in 1..=n_tickets {
        site.publish(&format!("in/boiler/{n}"), "95.5").await;
    }
    let tickets = async || site.gateway.json("/api/v1/tickets").await["tickets"].as_array().unwrap().len();
    site.gateway.eventually("the tickets", async || tickets().await == n_tickets).await;
    for no in 1..=n_tickets {
        for name in ["accept", "file"] {
            moved(&site, no, name, json!({ "who": "desk" })).await;
        }
    }
    site
}

async fn moved(site: &Site, no: usize, name: &str, body: Value) -> Value {
    let answer = site.gateway.post(&format!("/api/v1/tickets/{no}/{name}"), body).await;
    assert_eq!(answer.status, 200, "{name} T-{no}: {}", answer.text);
    answer.json()["ticket"].clone()
}

async fn ticket(site: &Site, no: usize) -> Value {
    site.gateway.json(&format!("/api/v1/tickets/{no}")).await["ticket"].clone()
}

async fn locate(site: &Site, who: &str, lon: f64, lat: f64) {
    let body = json!({ "_type": "location", "lon": lon, "lat": lat, "acc": 5, "tst": now_ms() / 1_000 });
    site.publish(&format!("in/gps/{who}"), body.to_string()).await;
}

async fn position(site: &Site, who: &str) -> Value {
    let officers = site.gateway.json("/api/v1/officers").await;
    let officer = officers["officers"].as_array().unwrap().iter().find(|one| one["id"] == who);
    officer.unwrap()["position"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_comes_to_its_grid_and_officers_by_road_and_a_plan_sends_them() {
    let site = site(2, "1h").await;
    let one = ticket(&site, 1).await;
    assert_eq!((&one["centre"], &one["beside"]), (&json!("west"), &json!(["east"])));
    let over = moved(&site, 1, "hand-over", json!({ "who": "desk", "centre": "east" })).await;
    assert_eq!((&over["centre"], &over["beside"]), (&json!("east"), &json!(["west"])));
    let borders = site.gateway.json("/api/v1/borders").await;
    assert_eq!(borders["borders"], json!([{ "from": "west", "to": "east", "tickets": 1 }]));

    // Wu is nearer as the crow flies, Li by road; both are as close to being its owner for T-2, which is the west's.
    locate(&site, "li", 106.028, 29.8445).await;
    locate(&site, "wu", 106.033, 29.8401).await;
    site.gateway.eventually("positions", async || position(&site, "wu").await["lat"] == 29.8401).await;
    site.gateway.eventually("positions", async || position(&site, "li").await["lat"] == 29.8445).await;
    let found = site.gateway.json("/api/v1/tickets/2/suggestions?who=desk&reason=T-2").await;
    let suggestions = found["suggestions"].as_array().unwrap();
    let by: Vec<_> = suggestions.iter().map(|one| (one["officer"].as_str(), one["by"].as_str())).collect();
    assert_eq!(by, [(Some("li"), Some("road")), (Some("wu"), Some("road"))], "{found}");
    assert!(suggestions[0]["why"].as_str().unwrap().contains("m by road; position "), "{found}");
    assert!(suggestions[1]["metres"].as_f64().unwrap() > 3_000.0, "over the bridge: {found}");
    assert_eq!(found["passed_over"]["no_skill"], 1);

    let plan = site.gateway.post("/api/v1/assignments/plan", json!({ "centre": "town" })).await.json();
    let pairs: Vec<Value> = plan["pairs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| json!({ "ticket": pair["ticket"], "officer": pair["suggestion"]["officer"] }))
        .collect();
    assert_eq!(pairs.len(), 2, "{plan}");
    let nobody = json!({ "ticket": 2, "officer": "he?" });
    let body = json!({ "who": "desk", "pairs": [pairs[0], pairs[1], nobody] });
    let confirmed = site.gateway.post("/api/v1/assignments", body).await.json();
    let done: Vec<_> = confirmed["results"].as_array().unwrap().iter().map(|one| &one["dispatched"]).collect();
    assert_eq!(done, [&json!(true), &json!(true), &json!(false)], "{confirmed}");
    let officers = [ticket(&site, 1).await["officer"].clone(), ticket(&site, 2).await["officer"].clone()];
    assert_eq!(officers, [json!("wu"), json!("li")]);

    // Who learned where officers are is written down, and what was patrolled is told without.
    let audit = site.gateway.json("/api/v1/audit?alert=T-2").await;
    assert_eq!((&audit["audit"][0]["what"], &audit["audit"][0]["who"]), (&json!("suggestions"), &json!("desk")));
    assert_eq!(site.gateway.json("/api/v1/audit?alert=officers").await["audit"][0]["what"], "positions");
    let patrols = site.gateway.json("/api/v1/patrols?cell=500").await;
    let visited: Vec<_> = patrols["grids"].as_array().unwrap().iter().map(|grid| &grid["visited"]).collect();
    assert_eq!(visited, [&json!(1), &json!(1)], "{patrols}");
    assert_eq!(site.gateway.get("/api/v1/patrols?cell=0.1").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_ask_at_once_nobody_is_sent_to_two_places() {
    const N: usize = 12;
    let site = site(N, "1h").await;
    let asked = (1..=N).flat_map(|no| ["li", "wu"].map(|officer| (no, officer))).chain((1..=N).map(|no| (no, "li")));
    let answers = asked.map(|(no, officer)| {
        let (gateway, path) = (&site.gateway, format!("/api/v1/tickets/{no}/dispatch"));
        async move { gateway.post(&path, json!({ "who": "desk", "officer": officer })).await.status }
    });
    let statuses = futures::future::join_all(answers).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    let tickets = site.gateway.json("/api/v1/tickets").await;
    let mut officers: Vec<_> =
        tickets["tickets"].as_array().unwrap().iter().filter_map(|ticket| ticket["officer"].as_str()).collect();
    officers.sort_unstable();
    assert_eq!(officers, ["li", "wu"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_although_the_gateway_was_killed_meanwhile() {
    let mut site = site(2, "4s").await;
    locate(&site, "li", 106.02, 29.85).await;
    site.gateway.eventually("a position", async || position(&site, "li").await["lat"] == 29.85).await;
    moved(&site, 1, "dispatch", json!({ "who": "desk", "officer": "li" })).await;
    site.gateway.kill();
    site.gateway.start_ready().await;
    site.gateway.eventually("it comes back", async || ticket(&site, 1).await["stage"] == "filed").await;
    let back = ticket(&site, 1).await;
    assert_eq!((&back["officer"], &back["unit"]), (&Value::Null, &Value::Null));
    assert_eq!(back["counts"], json!({ "unanswered": 1 }));
    let journal = site.gateway.json("/api/v1/tickets/1").await["journal"].clone();
    let last = journal.as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["who"], &last["what"]), (&json!("outpost"), &json!("recall")));
    assert_eq!(position(&site, "li").await["lat"], 29.85, "where they were is known after a restart");
    moved(&site, 2, "dispatch", json!({ "who": "desk", "officer": "li" })).await;
}
