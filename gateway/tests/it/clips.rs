//! Clips from the camera's stream on: cut, kept, served by range and read by ffprobe. That a browser plays one is a journey of the
//! console.

use std::process::Command;
use std::sync::Arc;

use outpost::demo::camera::{Clip, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::program::Program;
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
async fn an_alert_has_a_clip_that_is_kept_and_read_without_fault() {
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
    let audit = gateway.json(&format!("/api/v1/audit?alert={id}")).await;
    assert!(audit["audit"].as_array().unwrap().iter().any(|row| row["what"] == "clip"), "{audit}");
    gateway.terminate().await;
    stop.cancel();
}
