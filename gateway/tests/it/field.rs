//! Officers in the field with the real program: their phones' positions are judged by fences, what they say of duty outlives a
//! restart, and whatever a kill -9 leaves open is done once when it is asked again.

use outpost::telemetry::clock::now_ms;
use outpost::telemetry::time_text;
use serde_json::{Value, json};

use crate::support::program::{Program, TOKEN, client};

const CONFIG: &str = r#"
[desk.officers]
position_every = "1s"
[[fences]]
file = "{folder}/fences.geojson"
[[rules]]
id = "someone-there"
sources = ["gps/+"]
detect = { kind = "inside", fence = "yard", for = "1s" }
severity = "moderate"
category = "security/presence"
[[centres]]
id = "district"
level = "district"
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
[[sources]]
id = "gps/li"
"#;

/// A square about 106.50, 29.60.
const FENCE: &str = r#"{"type":"FeatureCollection","features":[{"type":"Feature","id":"yard","properties":{},
"geometry":{"type":"Polygon","coordinates":[[[106.499,29.599],[106.501,29.599],[106.501,29.601],[106.499,29.601],[106.499,29.599]]]}}]}"#;

async fn started() -> Program {
    let mut gateway = Program::new(CONFIG);
    std::fs::write(gateway.folder().join("fences.geojson"), FENCE).unwrap();
    gateway.start_ready().await;
    gateway
}

/// Status, whether it was answered before, and the body.
async fn tell(gateway: &Program, path: &str, key: &str, body: Vec<u8>) -> Result<(u16, bool, Value), reqwest::Error> {
    let kind = if body.starts_with(b"{") { "application/json" } else { "application/octet-stream" };
    let request = client().post(format!("http://{}/api/v1{path}", gateway.address())).bearer_auth(TOKEN);
    let answer = request.header("idempotency-key", key).header("content-type", kind).body(body).send().await?;
    let is_repeat = answer.headers().get("idempotent-replayed").is_some();
    Ok((answer.status().as_u16(), is_repeat, serde_json::from_str(&answer.text().await?).unwrap()))
}

async fn tell_json(gateway: &Program, path: &str, key: &str, body: Value) -> (u16, bool, Value) {
    tell(gateway, path, key, body.to_string().into_bytes()).await.unwrap()
}

async fn report(gateway: &Program, key: &str) -> u64 {
    let body = json!({ "category": "waste/dumping", "words": "two cart-loads", "by": "li" });
    let (status, _, said) = tell_json(gateway, "/tickets", key, body).await;
    assert_eq!(status, 200, "{said}");
    said["ticket"]["no"].as_u64().unwrap()
}

/// Ten seconds within the yard, until now.
fn fixes() -> Value {
    let fix = |age_ms: i64| json!({ "lon": 106.5, "lat": 29.6, "accuracy_m": 5, "at": time_text(now_ms() - age_ms) });
    json!({ "by": "li", "fixes": [fix(10_000), fix(0)] })
}

async fn n_alerts(gateway: &Program) -> usize {
    gateway.json("/api/v1/alerts").await["alerts"].as_array().unwrap().len()
}

fn shelf(gateway: &Program) -> Vec<String> {
    let entries = std::fs::read_dir(gateway.data().join("evidence")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_inside_a_fence_is_an_alert_and_off_duty_it_is_nowhere() {
    let mut gateway = started().await;
    let duty = async |gateway: &Program, key: &str, is_on: bool| {
        let said = tell_json(gateway, "/officers/li/duty", key, json!({ "on": is_on, "by": "li" })).await;
        assert_eq!((said.0, &said.2["on_duty"]), (200, &json!(is_on)), "{}", said.2);
    };
    duty(&gateway, "d1", false).await;
    let (status, _, said) = tell_json(&gateway, "/officers/li/positions", "p1", fixes()).await;
    assert_eq!((status, &said["taken"], &said["off_duty"]), (200, &json!(0), &json!(2)));
    // What was said outlives a kill.
    gateway.kill();
    gateway.start_ready().await;
    let (_, _, said) = tell_json(&gateway, "/officers/li/positions", "p2", fixes()).await;
    assert_eq!(said["off_duty"], 2, "{said}");
    assert_eq!(n_alerts(&gateway).await, 0);

    duty(&gateway, "d2", true).await;
    let inside = fixes();
    let (_, is_repeat, said) = tell_json(&gateway, "/officers/li/positions", "p3", inside.clone()).await;
    assert_eq!((is_repeat, &said["taken"]), (false, &json!(2)));
    // Its answer came after the commit: the alert is there.
    assert_eq!(n_alerts(&gateway).await, 1);
    let sources = gateway.json("/api/v1/sources").await;
    let observed = |sources: &Value| {
        sources["sources"].as_array().unwrap().iter().find(|one| one["id"] == "gps/li").unwrap()["observations"].clone()
    };
    assert_eq!(observed(&sources), 2);
    let (_, is_repeat, again) = tell_json(&gateway, "/officers/li/positions", "p3", inside).await;
    assert_eq!((is_repeat, again), (true, said));
    assert_eq!(observed(&gateway.json("/api/v1/sources").await), 2, "told again, it is no other observation");
    let track = gateway.json("/api/v1/officers/li/track?who=li&reason=own").await;
    assert_eq!(track["fixes"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_kill_leaves_open_is_done_once_when_it_is_asked_again() {
    const N: usize = 24;
    let mut gateway = started().await;
    let no = report(&gateway, "r").await;
    assert_eq!(report(&gateway, "r").await, no);
    let voice = |n: usize| [b"OggS\0".as_slice(), &vec![n as u8; 200_000]].concat();
    let path = format!("/tickets/{no}/files?kind=voice&by=li");
    // Some are answered before it dies, some are on their way, and some find nobody.
    let all = (0..N).map(|n| {
        let (gateway, path, key) = (&gateway, &path, format!("k{n}"));
        async move { tell(gateway, path, &key, voice(n)).await.is_ok_and(|(status, _, _)| status == 200) }
    });
    let answered: Vec<bool> = {
        let killer = async {
            gateway.eventually("the first files", async || shelf(&gateway).len() > 3).await;
            gateway.signal("-KILL");
        };
        futures::future::join(futures::future::join_all(all), killer).await.0
    };
    gateway.kill();
    // Files that crashes leave, and one that is nobody's of ours.
    for name in ["F-0123456789abcdef.bin", "F-notes.txt"] {
        std::fs::write(gateway.data().join("evidence").join(name), b"OggS").unwrap();
    }
    gateway.start_ready().await;
    let files = async |gateway: &Program| gateway.json(&format!("/api/v1/tickets/{no}")).await["files"].clone();
    let kept = files(&gateway).await;
    let n_rows = kept.as_array().unwrap().len();
    assert!(n_rows >= answered.iter().filter(|answered| **answered).count(), "what was answered is there: {kept}");
    let mut expected: Vec<String> = vec!["F-notes.txt".into()];
    let n_ours = shelf(&gateway).len() - expected.len();
    assert_eq!(n_ours, n_rows, "a file without its row goes, another's stays: {:?}", shelf(&gateway));
    assert!(shelf(&gateway).contains(&expected.remove(0)));

    for (n, was_answered) in answered.iter().enumerate() {
        let (status, is_repeat, said) = tell(&gateway, &path, &format!("k{n}"), voice(n)).await.unwrap();
        assert_eq!(status, 200, "{said}");
        assert!(is_repeat || !was_answered, "k{n} was answered before the kill");
    }
    let one = gateway.json(&format!("/api/v1/tickets/{no}")).await;
    let added = one["journal"].as_array().unwrap().iter().filter(|entry| entry["what"] == "file-added").count();
    assert_eq!((added, one["files"].as_array().unwrap().len(), shelf(&gateway).len()), (N, N, N + 1));
    for file in one["files"].as_array().unwrap() {
        let bytes = gateway.bytes(&format!("{}?who=desk&reason=test", file["url"].as_str().unwrap())).await;
        assert_eq!((bytes.len(), bytes[6]), (200_005, bytes[200_004]), "{file}");
    }
}
