//! Clips from the camera's stream on: cut, kept, served by range, read by ffprobe and played by a browser.

use std::process::Command;
use std::sync::Arc;

use outpost::demo::camera::{Clip, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::page_chromium::Chromium;
use crate::support::program::{Program, TOKEN};
use crate::support_rtsp::fixture;

/// Twice as fast as it was recorded.
const FPS: f64 = 20.0;

const ZONES: &str = r#"zones = [{ id = "floor", polygon = [[0.0, 0.58], [1.0, 0.58], [1.0, 1.0], [0.0, 1.0]] }]
clip = { before = "2s", after = "2s" }
"#;

const RULE: &str = r#"
[[rules]]
id = "visitor"
sources = ["cam:*"]
detect = { kind = "intrusion", zone = "floor" }
severity = "severe"
"#;

async fn alert_of(gateway: &Program, camera: &str) -> Option<Value> {
    let answer = gateway.json("/api/v1/alerts?state=all&limit=1000").await;
    answer["alerts"].as_array().unwrap().iter().rev().find(|alert| alert["source"] == camera).cloned()
}

/// Seconds of a clip; it must be without fault.
#[expect(clippy::disallowed_methods, reason = "the judge is another program")]
fn probed_s(clip: &[u8]) -> f64 {
    let file = tempfile::NamedTempFile::with_suffix(".mp4").unwrap();
    std::fs::write(file.path(), clip).unwrap();
    let said = Command::new("ffprobe")
        .args(["-v", "warning", "-show_entries", "format=duration", "-of", "csv=p=0"])
        .arg(file.path())
        .output()
        .expect("ffprobe is installed (make packages-test)");
    assert_eq!(String::from_utf8_lossy(&said.stderr), "");
    String::from_utf8(said.stdout).unwrap().trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_has_a_clip_that_is_kept_and_that_a_browser_plays() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let clip = Clip::from_annex_b(&std::fs::read(fixture("visitors.h264")).unwrap()).unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(serve(listener, Arc::new(clip), FPS, stop.clone()));
    let camera = |id: &str| format!("[[cameras]]\nid = \"{id}\"\nurl = \"rtsp://{address}/{id}\"\n{ZONES}");
    let masks = "masks = [[[0.0, 0.0], [0.25, 0.0], [0.25, 0.4], [0.0, 0.4]]]\n";
    let mut gateway = Program::new(&format!("{}\n{}{masks}{RULE}", camera("hall"), camera("masked")));
    gateway.start_ready().await;

    gateway
        .eventually("a clip of the visitor", async || {
            alert_of(&gateway, "cam:hall").await.is_some_and(|alert| !alert["clip"].is_null())
        })
        .await;
    let alert = alert_of(&gateway, "cam:hall").await.unwrap();
    let path = alert["clip"].as_str().unwrap();
    let bytes = gateway.bytes(path).await;
    let length_s = probed_s(&bytes);
    // Two seconds on either side, and up to a group of pictures before.
    assert!((2.0..12.0).contains(&length_s), "{length_s} s");
    assert_eq!(alert["clip_missing"], Value::Null);
    gateway.eventually("the masked camera's alert", async || alert_of(&gateway, "cam:masked").await.is_some()).await;
    let masked = alert_of(&gateway, "cam:masked").await.unwrap();
    assert_eq!((&masked["clip"], &masked["clip_missing"]), (&Value::Null, &json!("masked")));
    assert!(!masked["snapshot"].is_null(), "its picture is drawn over instead");

    gateway.terminate().await;
    gateway.start_ready().await;
    assert_eq!(gateway.bytes(path).await, bytes, "what was kept is served as it was");

    let id = alert["id"].as_str().unwrap();
    let tickets = gateway.json("/api/v1/tickets?stage=open&limit=1000").await;
    let ticket = tickets["tickets"].as_array().unwrap().iter().find(|ticket| ticket["alert"] == id).unwrap().clone();
    let mut browser = Chromium::start("en-US");
    browser.open(&format!("http://{}/?token={TOKEN}&ticket={}", gateway.address(), ticket["no"]));
    let button = "document.querySelector('.detail [data-move=clip]')";
    browser.wait_for(&format!("{button} !== null"));
    browser.value(&format!("{button}.click()"));
    browser.wait_for("document.getElementById('clip') !== null");
    let video = |rest: &str| format!("document.getElementById('clip').{rest}");
    browser.wait_for(&format!("{} && {}", video("currentTime > 0.2"), video("videoWidth === 640")));
    assert_eq!(browser.value(&video("error")), Value::Null);
    let shown_s = browser.value(&video("duration")).as_f64().expect("a duration that is known");
    assert!((shown_s - length_s).abs() < 0.3, "{shown_s} s in the browser, {length_s} s by ffprobe");
    browser.value(&format!("void ({} = {})", video("currentTime"), length_s - 0.6));
    browser.wait_for(&video("ended"));
    assert_eq!(browser.complaints, [] as [String; 0]);
    let audit = gateway.json(&format!("/api/v1/audit?alert={id}")).await;
    assert!(audit["audit"].as_array().unwrap().iter().any(|row| row["what"] == "clip"), "{audit}");
    gateway.terminate().await;
    stop.cancel();
}
