//! The field page in a real Chromium, on the real binary: what an officer does without network is told once, in order, when
//! there is one again, and the page opens without.

use outpost::telemetry::clock::now_ms;
use outpost::telemetry::time_text;
use serde_json::{Value, json};

use crate::page_chromium::{Chromium, assert_accessible};
use crate::support::people::PEOPLE;
use crate::support::program::{Program, TOKEN, client};

const CONFIG: &str = r#"
[[rules]]
id = "no-position"
name = "巡查员失联"
sources = ["gps/+"]
detect = { kind = "silent", after = "12h" }
severity = "minor"
category = "patrol/lost"
"#;

/// Any picture that a browser can read.
const PHOTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/console/public/field-512.png");

const N_WAITING: &str = "Number(document.querySelector('#waits [data-n]')?.dataset.n ?? 0)";

/// A gateway with one ticket that was given to Li.
async fn gateway() -> Program {
    let mut gateway = Program::new(&format!("{CONFIG}{PEOPLE}"));
    gateway.start_ready().await;
    // It comes back where it was.
    let address = gateway.address().to_owned();
    gateway.rewrite(|text| text.replace("127.0.0.1:0", &address));
    let report = json!({ "category": "waste/dumping", "words": "建筑垃圾占道", "by": "desk", "place": { "lon": 106.5, "lat": 29.601 } });
    tell(&gateway, "/tickets", report).await;
    for (name, body) in [("accept", json!({})), ("file", json!({})), ("dispatch", json!({ "officer": "li" }))] {
        let mut body = body;
        body["who"] = json!("desk");
        let answer = gateway.post(&format!("/api/v1/tickets/1/{name}"), body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    gateway
}

/// As a phone does, once.
async fn tell(gateway: &Program, path: &str, body: Value) {
    let request = client().post(format!("http://{}/api/v1{path}", gateway.address())).bearer_auth(TOKEN);
    let request = request.header("idempotency-key", path).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

/// A phone of Li's, near the ticket.
fn phone(gateway: &Program, language: &str) -> Chromium {
    let mut browser = Chromium::start(language);
    browser.call("Network.enable", json!({}));
    let size = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
    browser.call("Emulation.setDeviceMetricsOverride", size);
    let permitted = json!({ "origin": format!("http://{}", gateway.address()), "permissions": ["geolocation"] });
    browser.call("Browser.grantPermissions", permitted);
    let here = json!({ "latitude": 29.6, "longitude": 106.5, "accuracy": 8 });
    browser.call("Emulation.setGeolocationOverride", here);
    browser.open(&format!("http://{}/field?token={TOKEN}", gateway.address()));
    browser.wait_for("document.querySelector('[data-officer=li]') !== null");
    browser.value("document.querySelector('[data-officer=li]').click()");
    browser.value("document.querySelector('[data-tab=tasks]').click()");
    browser.wait_for("document.querySelector('.task[data-no=\"1\"]') !== null");
    browser
}

fn tap(browser: &mut Chromium, what: &str) {
    browser.wait_for(&format!("document.querySelector('{what}') !== null"));
    browser.value(&format!("document.querySelector('{what}').click()"));
}

/// What the phone's camera would give.
fn give(browser: &mut Chromium, kind: &str) {
    let document = browser.call("DOM.getDocument", json!({}));
    let of = json!({ "nodeId": document["root"]["nodeId"], "selector": format!("[data-file={kind}]") });
    let input = browser.call("DOM.querySelector", of);
    browser.call("DOM.setFileInputFiles", json!({ "nodeId": input["nodeId"], "files": [PHOTO] }));
}

fn network(browser: &mut Chromium, is_there: bool) {
    let conditions = json!({ "offline": !is_there, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    browser.call("Network.emulateNetworkConditions", conditions);
}

fn wait_for_n(browser: &mut Chromium, least: u64) {
    browser.wait_for(&format!("{N_WAITING} >= {least}"));
}

async fn ticket(gateway: &Program) -> Value {
    gateway.json("/api/v1/tickets/1").await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_without_network_is_told_once_in_order() {
    let mut gateway = gateway().await;
    let mut browser = phone(&gateway, "en-US");
    browser.value("navigator.serviceWorker.ready.then(() => true)");
    browser.wait_for("caches.match('/field').then(found => found !== undefined)");
    browser.wait_for("document.querySelector('.task .far')?.textContent === '110 m'");

    network(&mut browser, false);
    gateway.kill();
    tap(&mut browser, ".task [data-move=sign]");
    wait_for_n(&mut browser, 1);
    browser.wait_for("document.querySelector('.task').dataset.stage === 'signed'");
    tap(&mut browser, ".task [data-move=start]");
    wait_for_n(&mut browser, 2);
    // Closed and opened again, with no network and nobody at the other end.
    browser.open(&format!("http://{}/field", gateway.address()));
    browser.wait_for("document.querySelector('.task')?.dataset.stage === 'handling'");
    browser.wait_for("document.getElementById('line')?.textContent.startsWith('No network. The tasks are those of')");
    for kind in ["before", "after"] {
        give(&mut browser, kind);
        browser.wait_for(&format!(
            "document.querySelector('[data-file={kind}]').parentElement.classList.contains('queued')"
        ));
    }
    browser.picture("field-handling");
    tap(&mut browser, ".task [data-move=feed-back]");
    browser.wait_for("document.querySelector('.said textarea') !== null");
    tap(&mut browser, ".said .chips button");
    tap(&mut browser, ".said [data-do=send]");
    wait_for_n(&mut browser, 5);
    tap(&mut browser, "#waits");
    browser.wait_for("document.querySelectorAll('.queue [data-entry=waiting]').length >= 5");
    browser.picture("field-offline");

    gateway.start_ready().await;
    network(&mut browser, true);
    gateway.eventually("what was done", async || ticket(&gateway).await["ticket"]["stage"] == "fed-back").await;
    browser.wait_for("document.querySelector('.task') === null && document.getElementById('waits') === null");
    let told = ticket(&gateway).await;
    let journal = told["journal"].as_array().unwrap();
    let by_li: Vec<&str> =
        journal.iter().filter(|entry| entry["who"] == "li").filter_map(|entry| entry["what"].as_str()).collect();
    assert_eq!(by_li, ["sign", "start", "file-added", "file-added", "feed-back"], "{told}");
    let files = told["files"].as_array().unwrap();
    let kinds: Vec<_> = files.iter().map(|file| (&file["kind"], &file["media"])).collect();
    assert_eq!(kinds, [(&json!("before"), &json!("image/jpeg")), (&json!("after"), &json!("image/jpeg"))]);
    let urls: Vec<&str> = files.iter().filter_map(|file| file["url"].as_str()).collect();
    let note = journal.last().unwrap()["note"].as_str().unwrap();
    assert!(note.contains(&format!("before {}, after {}: Cleared", urls[0], urls[1])), "{note}");
    let exceptions = browser.complaints.iter().filter(|complaint| complaint.contains("exceptionDetails"));
    assert_eq!(exceptions.count(), 0, "{:?}", browser.complaints);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_its_photo_and_place_and_a_refusal_is_shown_where_it_belongs() {
    let gateway = gateway().await;
    let mut browser = phone(&gateway, "en-US");
    tap(&mut browser, "[data-tab=report]");
    browser.wait_for("[...document.querySelectorAll('#category option')].some(one => one.value === 'patrol/lost')");
    give(&mut browser, "photo");
    browser.wait_for("document.querySelector('[data-files]')?.textContent.trim() === 'Photos: 1'");
    browser.wait_for("document.querySelector('.report .over')?.textContent.includes('within about 8 m')");
    browser.value(
        "(select => { select.value = 'patrol/lost'; select.dispatchEvent(new Event('change')); return true; })(document.getElementById('category'))",
    );
    tap(&mut browser, "[data-do=report]");
    browser.wait_for("document.querySelector('.sent') !== null && document.getElementById('waits') === null");
    let told = gateway.json("/api/v1/tickets/2").await;
    assert_eq!((&told["ticket"]["category"], &told["ticket"]["source"]), (&json!("patrol/lost"), &json!("officer:li")));
    assert_eq!((&told["ticket"]["place"]["lat"], &told["files"][0]["kind"]), (&json!(29.6), &json!("photo")));

    // Given to somebody else meanwhile: the phone learns it where it asks, and goes on with the rest.
    tap(&mut browser, "[data-tab=tasks]");
    network(&mut browser, false);
    tap(&mut browser, ".task [data-move=sign]");
    wait_for_n(&mut browser, 1);
    let recalled = gateway.post("/api/v1/tickets/1/recall", json!({ "who": "desk", "note": "not his" })).await;
    assert_eq!(recalled.status, 200);
    tap(&mut browser, "[data-tab=me]");
    tap(&mut browser, "[data-do=duty]");
    network(&mut browser, true);
    browser.wait_for("document.querySelector('#waits .refused')?.textContent === '1 not accepted'");
    gateway
        .eventually("duty", async || gateway.json("/api/v1/officers/li/duty").await["on_duty"] == json!(false))
        .await;
    tap(&mut browser, "#waits");
    browser.wait_for("document.querySelector('.queue .wrong')?.textContent.includes('cannot take the move sign')");
    tap(&mut browser, ".queue [data-do=give-up]");
    browser.wait_for("document.getElementById('waits') === null");
    assert_eq!(ticket(&gateway).await["ticket"]["stage"], "filed");
    browser.wait_for("document.querySelector('.duty p').textContent.startsWith('Off duty')");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_field_page_can_be_installed_read_by_all_and_loads_no_map() {
    let gateway = gateway().await;
    // A walk round a block, in the minute before.
    let fix = |i: i64| {
        let turn = i as f64 / 30.0;
        let (lon, lat) = (106.5 + turn.sin() / 300.0, 29.6 + turn.cos().abs() / 500.0);
        json!({ "lon": lon, "lat": lat, "accuracy_m": 5, "at": time_text(now_ms() - 1_000 * (60 - i)) })
    };
    let fixes: Vec<Value> = (0..60).step_by(10).map(fix).collect();
    tell(&gateway, "/officers/li/positions", json!({ "by": "li", "fixes": fixes })).await;
    for language in ["zh-CN", "en-US"] {
        let mut browser = phone(&gateway, language);
        for _ in 0..2 {
            let theme = browser.value("document.documentElement.dataset.theme");
            let theme = theme.as_str().unwrap();
            for tab in ["tasks", "report", "track", "me"] {
                tap(&mut browser, &format!("[data-tab={tab}]"));
                browser.wait_for(&format!("document.querySelector('main').dataset.pane === '{tab}'"));
                if tab == "track" {
                    browser.wait_for("document.querySelector('.track polyline')?.points.length >= 6");
                }
                assert_accessible(&mut browser, &format!("{language} {theme} {tab}"));
                browser.picture(&format!("field-{language}-{theme}-{tab}"));
                let beyond = browser.value("document.documentElement.scrollWidth > innerWidth");
                assert_eq!(beyond, json!(false), "{language} {tab} is wider than the phone");
            }
            tap(&mut browser, "#theme");
        }
        let manifest = browser.call("Page.getAppManifest", json!({}));
        assert_eq!((&manifest["errors"], manifest["data"].is_string()), (&json!([]), true), "{manifest}");
        let faults = browser.call("Page.getInstallabilityErrors", json!({}));
        // A private profile is the test's own.
        let faults: Vec<_> =
            faults["installabilityErrors"].as_array().unwrap().iter().map(|one| one["errorId"].clone()).collect();
        assert_eq!(faults.iter().filter(|id| **id != json!("in-incognito")).count(), 0, "{faults:?}");
        let loaded =
            browser.value("performance.getEntriesByType('resource').map(one => new URL(one.name).pathname).join(' ')");
        let loaded = loaded.as_str().unwrap();
        assert!(!loaded.contains("maplibre") && !loaded.to_lowercase().contains("map"), "{loaded}");
        assert_eq!(browser.complaints, [] as [String; 0]);
    }
}
