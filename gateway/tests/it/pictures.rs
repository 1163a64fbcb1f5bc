//! Rules about pictures from the camera's stream on: tracks, lines and evidence on a real recording, by RTSP.

use std::sync::Arc;

use outpost::demo::camera::{Clip, serve};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::program::Program;
use crate::support_rtsp::fixture;

/// Twice as fast as it was recorded: the first visitor comes after 3 s and leaves after 10 s.
const FPS: f64 = 20.0;

const RULES: &str = r#"
zones = [{ id = "floor", polygon = [[0.0, 0.58], [1.0, 0.58], [1.0, 1.0], [0.0, 1.0]] }]
lines = [{ id = "exit", points = [[0.72, 1.0], [0.72, 0.2]] }]
masks = [[[0.0, 0.0], [0.25, 0.0], [0.25, 0.4], [0.0, 0.4]]]
# The room is 4 m wide where one comes in and 6 m at the back.
ground = [
  { at = [0.0, 1.0], place = [106.0500000, 29.8380000] },
  { at = [1.0, 1.0], place = [106.0500414, 29.8380000] },
  { at = [0.9, 0.6], place = [106.0500517, 29.8380361] },
  { at = [0.1, 0.6], place = [106.0499897, 29.8380361] },
]

[[fences]]
file = "room.geojson"

[[rules]]
id = "loiters"
sources = ["cam:hall"]
detect = { kind = "loitering", zone = "floor", for = "2s", things = { overlap = 0.05, min_m = [0.2, 0.5], max_m = [4.0, 4.0] } }
severity = "minor"

[[rules]]
id = "leaves"
sources = ["cam:hall"]
detect = { kind = "line-crossing", line = "exit", direction = "left-to-right" }
severity = "minor"

[[rules]]
id = "comes-back"
sources = ["cam:hall"]
detect = { kind = "line-crossing", line = "exit", direction = "right-to-left" }
severity = "minor"

[[rules]]
id = "in-the-room"
sources = ["cam:hall"]
detect = { kind = "enter", fence = "room", border = { exit_buffer_m = 1, heed_accuracy = false } }
severity = "minor"

[[rules]]
id = "covered"
sources = ["cam:hall"]
detect = { kind = "sight", fault = "covered", hold = "0s" }
severity = "minor"
"#;

const ROOM: &str = r#"{ "type": "Feature", "id": "room", "properties": {}, "geometry": { "type": "Polygon", "coordinates":
    [[[106.04998, 29.83799], [106.05006, 29.83799], [106.05006, 29.83805], [106.04998, 29.83805], [106.04998, 29.83799]]] } }"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_is_followed_over_the_line_and_on_the_map_with_pictures_as_evidence() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let clip = Clip::from_annex_b(&std::fs::read(fixture("visitors.h264")).unwrap()).unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(serve(listener, Arc::new(clip), FPS, stop.clone()));

    let mut gateway = Program::new(&format!("[[cameras]]\nid = \"hall\"\nurl = \"rtsp://{address}/hall\"\n{RULES}"));
    std::fs::write(gateway.folder().join("room.geojson"), ROOM).unwrap();
    gateway.start_ready().await;
    let alerts = async |gateway: &Program| -> Vec<Value> {
        let answer = gateway.json("/api/v1/alerts?state=all&limit=100").await;
        answer["alerts"].as_array().unwrap().clone()
    };
    let of = |alerts: &[Value], rule: &str| -> Option<Value> {
        alerts.iter().rev().find(|alert| alert["rule"] == rule).cloned()
    };
    // A machine that is slow leaves frames out, and then a visitor of the clip's next round is the one who is told.
    gateway
        .eventually("a visitor who comes, stays and leaves", async || {
            let all = alerts(&gateway).await;
            ["in-the-room", "loiters", "leaves"].iter().all(|rule| of(&all, rule).is_some())
        })
        .await;

    let all = alerts(&gateway).await;
    let loiters = of(&all, "loiters").unwrap();
    assert!(loiters["why"].as_str().unwrap().starts_with("stays in floor for 2"), "{loiters}");
    let height = loiters["figures"].as_array().unwrap().iter().find(|figure| figure["name"] == "height");
    let height_m = height.expect("the camera knows its ground")["value"].as_f64().unwrap();
    assert!((0.5..3.0).contains(&height_m), "{height_m} m");
    let room = of(&all, "in-the-room").unwrap();
    let lon = room["place"]["lon"].as_f64().unwrap();
    assert!((lon - 106.05002).abs() < 5e-5, "{room}");
    assert!(of(&all, "comes-back").is_none() && of(&all, "covered").is_none(), "{all:?}");
    for alert in [&loiters, &of(&all, "leaves").unwrap(), &room] {
        let id = alert["id"].as_str().unwrap();
        let jpeg = gateway.bytes(&format!("/api/v1/alerts/{id}/snapshot")).await;
        let image = image::load_from_memory(&jpeg).unwrap().to_rgb8();
        assert_eq!((image.width(), image.height()), (640, 360), "{alert}");
        assert!(image.get_pixel(40, 40).0.iter().all(|level| *level < 8), "masked: {alert}");
        let n_drawn = image.pixels().filter(|pixel| pixel.0[0] > 180 && pixel.0[1] < 90 && pixel.0[2] < 90).count();
        assert!(n_drawn > 100, "{n_drawn} pixels of a box: {alert}");
    }
    gateway.terminate().await;
    stop.cancel();
}
