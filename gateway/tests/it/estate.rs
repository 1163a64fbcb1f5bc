//! What an integrator does over the API: the annex is written, checked, taken and audited; fences drawn there catch the next
//! crossing, cameras of a table are there at once, and neither a crash nor two at a time loses anything.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::program::{Answer, Program, TOKEN, client};
use crate::support::site::Site;
use crate::support_rtsp::GstCamera;

const SITE: &str = r#"
[console]
annex = "annex.toml"
recent = "4MiB"

[[feeds]]
id = "buses"
broker = "b"
topics = ["bus/+"]
format = { kind = "json", position = { lon = "/lon", lat = "/lat" } }
"#;

const WHO: &str = "by=li&reason=roadworks";

async fn send(gateway: &Program, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
    let mut request = client().request(method, format!("http://{}/api/v1/estate/{path}", gateway.address()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.bearer_auth(TOKEN).body(body).send().await.unwrap();
    Answer { status: answer.status().as_u16(), text: answer.text().await.unwrap() }
}

async fn put(gateway: &Program, path: &str, headers: &[(&str, &str)], body: impl Into<String>) -> Answer {
    send(gateway, Method::PUT, path, headers, body.into()).await
}

/// A square around the first corner of the demo's ground.
fn square(id: &str, west: f64) -> String {
    let (south, east, north) = (29.0, west + 0.01, 29.01);
    let ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
    let geometry = json!({ "type": "Polygon", "coordinates": [ring] });
    json!({ "type": "Feature", "id": id, "properties": { "name": "工地" }, "geometry": geometry }).to_string()
}

fn rule(id: &str, fence: &str) -> String {
    format!(
        "[[rules]]\nid = \"{id}\"\nsources = [\"bus/+\"]\nseverity = \"severe\"\n\
         detect = {{ kind = \"enter\", fence = \"{fence}\" }}\n"
    )
}

async fn open(gateway: &Program) -> Vec<(String, String)> {
    let answer = gateway.json("/api/v1/alerts?state=open").await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut alerts: Vec<_> =
        answer["alerts"].as_array().unwrap().iter().map(|one| (text(&one["rule"]), text(&one["source"]))).collect();
    alerts.sort();
    alerts
}

fn annex(gateway: &Program) -> String {
    fs::read_to_string(gateway.folder().join("annex.toml")).unwrap_or_default()
}

const GEO: [(&str, &str); 1] = [("content-type", "application/geo+json")];

#[tokio::test]
async fn a_drawn_fence_catches_the_next_crossing_and_a_restart_keeps_it() {
    let mut site = Site::start("5", SITE).await;
    site.publish("bus/1", r#"{"lon":106.5,"lat":29.005}"#).await;
    let drawn = put(&site.gateway, &format!("fences/site?{WHO}"), &GEO, square("site", 106.0)).await;
    assert_eq!((drawn.status, drawn.json()["done"].clone()), (200, json!(true)), "{}", drawn.text);
    let made = put(&site.gateway, &format!("rules/at-site?{WHO}"), &[], rule("at-site", "site")).await;
    assert_eq!(made.status, 200, "{}", made.text);
    site.publish("bus/1", r#"{"lon":106.005,"lat":29.005}"#).await;
    let caught = [("at-site".to_owned(), "bus/1".to_owned())];
    site.gateway.eventually("the crossing", async || open(&site.gateway).await == caught).await;

    // What a draft would have found in what came until now.
    let body = json!({ "minutes": 60, "drafts": [{ "table": "rules", "id": "too", "text": rule("too", "site") }] });
    site.gateway
        .eventually("the observations of late", async || {
            let played = site.gateway.post("/api/v1/estate/backtest", body.clone()).await;
            assert_eq!(played.status, 200, "{}", played.text);
            let rules = played.json()["rules"].clone();
            rules == json!([{ "rule": "at-site", "now": 1, "then": 1 }, { "rule": "too", "now": 0, "then": 1 }])
        })
        .await;

    let audit = site.gateway.json("/api/v1/audit").await;
    let rows: Vec<_> = audit["audit"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["alert"].clone(), row["who"].clone(), row["reason"].clone()))
        .collect();
    let row = |of: &str| (json!(of), json!("li"), json!("roadworks"));
    assert_eq!(rows, [row("annex/rules/at-site"), row("annex/fences/site")]);

    site.gateway.kill();
    site.gateway.start_ready().await;
    assert_eq!(open(&site.gateway).await, caught);
    site.publish("bus/2", r#"{"lon":106.5,"lat":29.005}"#).await;
    site.publish("bus/2", r#"{"lon":106.005,"lat":29.005}"#).await;
    site.gateway.eventually("the next crossing", async || open(&site.gateway).await.len() == 2).await;

    let gone = send(&site.gateway, Method::DELETE, &format!("rules/at-site?{WHO}"), &[], String::new()).await;
    assert_eq!(gone.status, 200, "{}", gone.text);
    site.gateway.eventually("the end of its alerts", async || open(&site.gateway).await.is_empty()).await;
}

#[tokio::test]
async fn what_is_not_sound_changes_nothing_and_says_where() {
    let site = Site::start("5", SITE).await;
    let gateway = &site.gateway;
    put(gateway, &format!("fences/site?{WHO}"), &GEO, square("site", 106.0)).await;
    let before = annex(gateway);

    let draft = rule("r", "site").replace("severity = \"severe\"", "severity = \"huge\"");
    let refused = put(gateway, &format!("rules/r?{WHO}"), &[], draft).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let problem = &refused.json()["problems"][0];
    assert_eq!((&problem["draft_line"], &problem["path"]), (&json!(4), &json!("rules[0].severity")), "{problem}");

    // No fence of that name; nobody who says who; a bow-tie; a draft that is no TOML; one that would be another's.
    for (path, headers, body, status, word) in [
        (format!("rules/r?{WHO}"), &[][..], rule("r", "sight"), 422, "sight"),
        ("rules/r".to_owned(), &[], rule("r", "site"), 400, "by"),
        ("rules/r?by=li".to_owned(), &[], rule("r", "site"), 400, "reason"),
        (format!("fences/x?{WHO}"), &GEO, square("y", 106.0), 400, "id"),
        (format!("fences/x?{WHO}"), &GEO, "{".to_owned(), 400, "EOF"),
        (format!("rules/r?{WHO}"), &[], "[[rules]]\nid = r".to_owned(), 422, "problems"),
        (format!("rules/r?{WHO}"), &[], "[api]\nlisten = \"0.0.0.0:1\"".to_owned(), 422, "api"),
        (format!("brokers/b?{WHO}"), &[], "[[brokers]]\nid = \"b\"".to_owned(), 404, "cameras"),
        (format!("rules/r?{WHO}&dry_run=maybe"), &[], rule("r", "site"), 400, "dry_run"),
    ] {
        let answer = put(gateway, &path, headers, body).await;
        assert!(answer.status == status && answer.text.contains(word), "{path}: {} {}", answer.status, answer.text);
    }
    // A fence that a rule needs stays.
    put(gateway, &format!("rules/r?{WHO}"), &[], rule("r", "site")).await;
    let needed = send(gateway, Method::DELETE, &format!("fences/site?{WHO}"), &[], String::new()).await;
    assert!(needed.status == 422 && needed.text.contains("site"), "{}", needed.text);
    send(gateway, Method::DELETE, &format!("rules/r?{WHO}"), &[], String::new()).await;
    assert_eq!(annex(gateway).trim_end(), before.trim_end());

    // On trial: checked, not done, and not in the audit.
    let n_audited = gateway.json("/api/v1/audit").await["audit"].as_array().unwrap().len();
    let tried = put(gateway, "rules/r?dry_run=true", &[], rule("r", "site")).await;
    assert_eq!((tried.status, tried.json()["done"].clone()), (200, json!(false)));
    assert_eq!(annex(gateway).trim_end(), before.trim_end());
    assert_eq!(gateway.json("/api/v1/audit").await["audit"].as_array().unwrap().len(), n_audited);
}

#[tokio::test]
async fn of_two_who_change_the_same_the_second_is_told() {
    let site = Site::start("5", SITE).await;
    let gateway = &site.gateway;
    let path = format!("fences/site?{WHO}");
    let new = [GEO[0], ("if-none-match", "*")];
    let both = tokio::join!(
        put(gateway, &path, &new, square("site", 106.0)),
        put(gateway, &path, &new, square("site", 106.2)),
    );
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort();
    assert_eq!(statuses, [200, 412], "{} {}", both.0.text, both.1.text);

    let read = async || {
        let request = client().get(format!("http://{}/api/v1/estate/fences/site", gateway.address()));
        let answer = request.bearer_auth(TOKEN).send().await.unwrap();
        answer.headers()["etag"].to_str().unwrap().to_owned()
    };
    let tag = read().await;
    let first = put(gateway, &path, &[GEO[0], ("if-match", &tag)], square("site", 106.3)).await;
    let second = put(gateway, &path, &[GEO[0], ("if-match", &tag)], square("site", 106.4)).await;
    assert_eq!((first.status, second.status), (200, 412), "{} {}", first.text, second.text);
    assert_eq!(json!(format!("\"{}\"", second.json()["etag"].as_str().unwrap())), json!(read().await));
    assert!(annex(gateway).contains("106.3") && !annex(gateway).contains("106.4"));
}

#[tokio::test]
async fn what_people_write_is_theirs() {
    let hand = "\n[[rules]]\nid = \"by-hand\"\nsources = [\"bus/+\"]\nseverity = \"minor\"\ndetect = { kind = \"silent\", after = \"1h\" }\n";
    let site = Site::start("5", &format!("{SITE}{hand}")).await;
    let gateway = &site.gateway;
    let refused = put(gateway, &format!("rules/by-hand?{WHO}"), &[], rule("by-hand", "site")).await;
    assert!(refused.status == 409 && refused.text.contains("outpost.toml"), "{}", refused.text);
    let listed = gateway.json("/api/v1/estate").await;
    assert_eq!(listed["elements"], json!([{ "table": "rules", "id": "by-hand", "annex": false }]));
    assert!(gateway.get("/api/v1/estate/rules/by-hand").await.text.contains("id = \"by-hand\""));
    // A comment of somebody's, and an element: both stay when another comes.
    fs::write(gateway.folder().join("annex.toml"), "# ask Li\n[[sources]]\nid = \"bus/7\"\n").unwrap();
    gateway.signal("-HUP");
    gateway
        .eventually("the reload", async || gateway.metric("outpost_reloads_total", "result=\"taken\"").await == 1)
        .await;
    assert_eq!(put(gateway, &format!("fences/site?{WHO}"), &GEO, square("site", 106.0)).await.status, 200);
    assert!(annex(gateway).starts_with("# ask Li\n[[sources]]\nid = \"bus/7\"\n\n[[fences]]\n"), "{}", annex(gateway));
    // What the main file says since the start and would take a restart is told, and nothing is written.
    let before = annex(gateway);
    gateway.rewrite(|text| text.replace("\"bus/+\"]\nformat", "\"bus/+\", \"tram/+\"]\nformat"));
    let refused = put(gateway, &format!("fences/other?{WHO}"), &GEO, square("other", 106.5)).await;
    assert!(refused.status == 409 && refused.text.contains("feeds"), "{}", refused.text);
    assert_eq!(annex(gateway), before);
}

#[tokio::test]
async fn without_an_annex_nothing_is_written() {
    let site = Site::start("5", "").await;
    let refused = put(&site.gateway, &format!("fences/site?{WHO}"), &GEO, square("site", 106.0)).await;
    assert!(refused.status == 409 && refused.text.contains("[console] annex"), "{}", refused.text);
    let estate = site.gateway.json("/api/v1/estate").await;
    assert_eq!((&estate["annex"], &estate["elements"]), (&Value::Null, &json!([])));
    let played = site.gateway.post("/api/v1/estate/backtest", json!({ "minutes": 60, "drafts": [] })).await;
    assert!(played.status == 409 && played.text.contains("recent"), "{}", played.text);
}

fn table(n: usize, url: impl Fn(usize) -> String) -> String {
    let lines = (0..n).map(|n| format!("c{n},路口 {n},{},admin,hunter2-{n},106.0{n},29.0\n", url(n)));
    "id,name,url,username,password,lon,lat\n".to_owned() + &lines.collect::<String>()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cameras_of_a_table_are_there_at_once_and_their_passwords_are_nobodys() {
    let camera = GstCamera::start(0, "h264", &[]);
    let mut site = Site::start("5", &format!("{SITE}[video]\ndecode_threads = 1\n")).await;
    let all = table(500, |n| if n == 499 { camera.url() } else { format!("rtsp://127.0.0.1:9/{n}") });
    let wrong = all.replace("c7,路口 7,rtsp", "c7,路口 7,http").replace("c8,", "c9,");
    let import = async |gateway: &Program, query: &str, table: &str| {
        send(gateway, Method::POST, &format!("import?{query}"), &[("content-type", "text/csv")], table.to_owned()).await
    };
    let told = import(&site.gateway, "dry_run=true", &wrong).await;
    assert_eq!(told.status, 422, "{}", told.text);
    let rows = told.json()["rows"].as_array().unwrap().clone();
    let bad: Vec<_> = rows
        .iter()
        .filter(|row| row["problems"] != json!([]))
        .map(|row| (row["row"].clone(), row["problems"][0]["column"].clone()))
        .collect();
    assert_eq!((rows.len(), bad), (500, vec![(json!(9), json!("url")), (json!(11), json!("id"))]));
    assert!(!told.text.contains("hunter2"), "{}", told.text);

    let tried = import(&site.gateway, "dry_run=true", &all).await;
    assert_eq!((tried.status, annex(&site.gateway)), (200, String::new()), "{}", tried.text);
    let done = import(&site.gateway, WHO, &all).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let cameras = async |gateway: &Program| {
        let sources = gateway.json("/api/v1/sources").await["sources"].as_array().unwrap().clone();
        sources.into_iter().filter(|source| source["id"].as_str().unwrap().starts_with("cam:")).collect::<Vec<_>>()
    };
    let is_live = |all: &[Value]| {
        all.len() == 500 && all.iter().any(|one| one["id"] == "cam:c499" && one["link"]["state"] == "live")
    };
    site.gateway.eventually("all of them", async || is_live(&cameras(&site.gateway).await)).await;
    // A picture of one that was not there at the start; the look is in the audit.
    site.gateway
        .eventually("its picture", async || {
            site.gateway.get("/api/v1/pictures/cam:c499?who=li&reason=mounting").await.status == 200
        })
        .await;
    let audit = site.gateway.json("/api/v1/audit?alert=cam:c499").await;
    assert_eq!((&audit["audit"][0]["what"], &audit["audit"][0]["reason"]), (&json!("picture"), &json!("mounting")));

    // Passwords: files of their own that nobody else may read, and no word of them anywhere else.
    let secrets: Vec<_> =
        fs::read_dir(site.gateway.folder().join("annex.secrets")).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(secrets.len(), 500);
    assert!(secrets.iter().all(|file| file.metadata().unwrap().permissions().mode() & 0o777 == 0o600));
    for (what, text) in [
        ("annex", annex(&site.gateway)),
        ("answer", done.text.clone()),
        ("log", site.gateway.log()),
        ("audit", site.gateway.get("/api/v1/audit").await.text),
    ] {
        assert!(!text.contains("hunter2"), "{what}");
    }
    // The same table once more: each is there already, and no password is touched.
    let again = import(&site.gateway, WHO, &all.replace("hunter2-", "other-")).await;
    assert_eq!(again.status, 422, "{}", again.text);
    let n_secrets = || fs::read_dir(site.gateway.folder().join("annex.secrets")).unwrap().count();
    assert_eq!(n_secrets(), 500);

    // One goes: its session, its alerts, its secret.
    let gone = send(&site.gateway, Method::DELETE, &format!("cameras/c499?{WHO}"), &[], String::new()).await;
    assert_eq!((gone.status, n_secrets()), (200, 499), "{}", gone.text);
    assert_eq!(site.gateway.get("/api/v1/pictures/cam:c499?who=li&reason=x").await.status, 404);
    site.gateway.kill();
    site.gateway.start_ready().await;
    let n_configured = site.gateway.json("/api/v1/estate").await["elements"].as_array().unwrap().len();
    assert_eq!(n_configured, 499);
}
