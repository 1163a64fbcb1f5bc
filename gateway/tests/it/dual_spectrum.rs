//! A thermal camera and the visible one beside it: one ticket, the pictures of both, and how sure they make it. And a thermal
//! camera that sends white-hot video.

use std::sync::Arc;

use outpost::demo::camera::{Clip, serve};
use reqwest::Method;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::program::{Program, TOKEN, client};
use crate::support_rtsp::fixture;

const RULES: &str = r#"
[video]
look = "4s"

[[sources]]
id = "thermal/house"
visible = "cam:house"

[[sources]]
id = "thermal/hall"
visible = "cam:hall"

[[sources]]
id = "thermal/gone"
visible = "cam:gone"

[[rules]]
id = "fire"
sources = ["thermal/+"]
detect = { kind = "hotspot", above = 25.0, shows = { before = 2, after = 1 } }
severity = "severe"
"#;

/// Nothing in it is above 25 °C.
const COOL: &str = "FLIR_E40.jpg";
pub(crate) const WARM: &str = "FLIR_AX8.jpg";

pub(crate) async fn upload(gateway: &Program, source: &str, picture: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/thermal").join(picture);
    let url = format!("http://{}/api/v1/frames/{source}", gateway.address());
    let request = client().request(Method::POST, url).bearer_auth(TOKEN);
    let answer = request.body(std::fs::read(file).unwrap()).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

pub(crate) async fn camera(clip: &str, stop: &CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let clip = Clip::from_annex_b(&std::fs::read(fixture(clip)).unwrap()).unwrap();
    tokio::spawn(serve(listener, Arc::new(clip), 10.0, stop.clone()));
    format!("rtsp://{address}/live")
}

/// Alerts with their pictures, by source.
pub(crate) async fn alert(gateway: &Program, source: &str) -> Option<Value> {
    let all = gateway.json("/api/v1/alerts?state=all").await;
    let found = all["alerts"].as_array().unwrap().iter().find(|alert| alert["source"] == source)?["id"].clone();
    Some(gateway.json(&format!("/api/v1/alerts/{}", found.as_str().unwrap())).await)
}

fn roles(said: &Value) -> Vec<&str> {
    said["pictures"].as_array().unwrap().iter().map(|picture| picture["role"].as_str().unwrap()).collect()
}

pub(crate) fn share(said: &Value) -> f64 {
    said["alert"]["confidence"]["share"].as_f64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thermal_finding_is_surer_when_its_visible_camera_sees_flames_and_less_sure_when_it_sees_none() {
    let stop = CancellationToken::new();
    let (house, hall) = (camera("burning_house.h264", &stop).await, camera("visitors.h264", &stop).await);
    // Nobody answers there.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let cameras: String = [("house", house), ("hall", hall), ("gone", format!("rtsp://{gone}/"))]
        .map(|(id, url)| format!("[[cameras]]\nid = \"{id}\"\nurl = \"{url}\"\ndark_after = \"1h\"\n"))
        .concat();
    let mut gateway = Program::new(&format!("{cameras}{RULES}"));
    gateway.start().await;
    gateway
        .eventually("the cameras to give pictures", async || {
            let decoded = async |camera| gateway.metric("outpost_camera_frames_decoded_total", camera).await;
            decoded("camera=\"house\"").await > 0 && decoded("camera=\"hall\"").await > 0
        })
        .await;
    for source in ["thermal/house", "thermal/hall", "thermal/gone"] {
        for picture in [COOL, COOL, COOL, WARM, WARM, WARM] {
            upload(&gateway, source, picture).await;
        }
    }
    let looked = |said: &Value| !said["alert"]["confidence"]["why"].as_str().unwrap().contains("is asked");
    gateway
        .eventually("all three looks to end", async || {
            for source in ["thermal/house", "thermal/hall", "thermal/gone"] {
                if !alert(&gateway, source).await.is_some_and(|said| looked(&said)) {
                    return false;
                }
            }
            true
        })
        .await;

    let house = alert(&gateway, "thermal/house").await.unwrap();
    assert!(share(&house) > 0.8, "{house}");
    assert!(house["alert"]["confidence"]["why"].as_str().unwrap().starts_with("cam:house sees flames"), "{house}");
    assert_eq!(roles(&house), ["before", "before", "at", "after", "visible", "visible"], "{house}");
    for picture in house["pictures"].as_array().unwrap() {
        let jpeg = gateway.bytes(picture["path"].as_str().unwrap()).await;
        image::load_from_memory(&jpeg).unwrap();
    }
    let hall = alert(&gateway, "thermal/hall").await.unwrap();
    assert!(share(&hall) < 0.5, "{hall}");
    assert_eq!(hall["alert"]["confidence"]["why"], "cam:hall sees neither flame nor smoke");
    let gone = alert(&gateway, "thermal/gone").await.unwrap();
    assert_eq!(share(&gone), 0.5, "who sees nothing says nothing: {gone}");
    assert_eq!(roles(&gone), ["before", "before", "at", "after"]);

    let tickets = gateway.json("/api/v1/tickets?stage=all").await;
    let tickets = tickets["tickets"].as_array().unwrap();
    assert_eq!(tickets.len(), 3, "one ticket each: {tickets:?}");
    let ticket = tickets.iter().find(|ticket| ticket["source"] == "thermal/house").unwrap();
    assert_eq!((&ticket["confidence"], &ticket["pictures"]), (&house["alert"]["confidence"], &house["pictures"]));
    let journal = gateway.json(&format!("/api/v1/tickets/{}", ticket["no"])).await["journal"].clone();
    let entry = journal.as_array().unwrap().iter().find(|entry| entry["what"] == "looked").unwrap().clone();
    assert!(entry["note"].as_str().unwrap().ends_with("was 50 %"), "{entry}");
    gateway.terminate().await;
    stop.cancel();
}

/// The camera is not there when it is asked; when it is, the gateway is another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_that_a_restart_interrupts_is_asked_again() {
    let stop = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cameras = format!("[[cameras]]\nid = \"house\"\nurl = \"rtsp://{address}/live\"\ndark_after = \"1h\"\n");
    let others = "[[cameras]]\nid = \"hall\"\nurl = \"rtsp://127.0.0.1:9/\"\n[[cameras]]\nid = \"gone\"\nurl = \"rtsp://127.0.0.1:9/\"\n";
    let mut gateway = Program::new(&format!("{cameras}{others}{RULES}"));
    gateway.start().await;
    upload(&gateway, "thermal/house", WARM).await;
    let asked = alert(&gateway, "thermal/house").await.unwrap();
    assert!(asked["alert"]["confidence"]["why"].as_str().unwrap().contains("is asked"), "{asked}");
    gateway.kill();
    let clip = Clip::from_annex_b(&std::fs::read(fixture("burning_house.h264")).unwrap()).unwrap();
    tokio::spawn(serve(listener, Arc::new(clip), 10.0, stop.clone()));
    gateway.start().await;
    gateway
        .eventually("the look to end", async || {
            let said = alert(&gateway, "thermal/house").await.unwrap();
            share(&said) > 0.8 && roles(&said).contains(&"visible")
        })
        .await;
    gateway.terminate().await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn white_hot_video_opens_an_alert_that_says_what_it_does_not_know() {
    let stop = CancellationToken::new();
    let url = camera("burning_house.h264", &stop).await;
    let rules = r#"
        heat = "white-hot"
        masks = [[[0.0, 0.0], [0.3, 0.0], [0.3, 0.3], [0.0, 0.3]]]

        [[rules]]
        id = "warm"
        sources = ["cam:ridge"]
        detect = { kind = "hotspot", over_background = 60.0, pixels_min = 20 }
        severity = "severe"
    "#;
    let mut gateway = Program::new(&format!("[[cameras]]\nid = \"ridge\"\nurl = \"{url}\"\n{rules}"));
    gateway.start().await;
    gateway.eventually("the alert", async || alert(&gateway, "cam:ridge").await.is_some()).await;
    let said = alert(&gateway, "cam:ridge").await.unwrap();
    let why = said["alert"]["why"].as_str().unwrap();
    assert!(why.starts_with("level ") && why.contains("by no known degrees"), "{why}");
    assert!(said["alert"].get("confidence").is_none(), "nobody is asked: {said}");
    let path = said["alert"]["snapshot"].as_str().unwrap();
    let drawn = image::load_from_memory(&gateway.bytes(path).await).unwrap().to_rgb8();
    let is_coloured = |pixel: &image::Rgb<u8>| pixel.0[0].abs_diff(pixel.0[2]) > 60;
    assert!(drawn.pixels().filter(|pixel| is_coloured(pixel)).count() > 1_000, "drawn in the palette");
    // Bad pixels and masked ones are drawn alike, whatever was there.
    let [first, last] = [drawn.get_pixel(4, 4), drawn.get_pixel(60, 40)].map(|pixel| pixel.0);
    assert!(first.iter().zip(last).all(|(a, b)| a.abs_diff(b) < 12), "{first:?} {last:?}");
    gateway.terminate().await;
    stop.cancel();
}
