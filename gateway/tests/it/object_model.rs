//! A real object model beside colour and flicker in looks through a visible camera, and another one by a reload. None that knows
//! fire has a licence to be here: `person` stands for it, which says nothing about fires.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use outpost::demo::camera::{Clip, serve};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::dual_spectrum::{WARM, alert, camera, share, upload};
use crate::support::program::Program;
use crate::support_rtsp::fixture;

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/models")
}

fn config(house: &str, hall: &str) -> String {
    let models = models().display().to_string();
    let camera = |id: &str, url: &str| format!("[[cameras]]\nid = \"{id}\"\nurl = \"{url}\"\ndark_after = \"1h\"\n");
    let source = |id: &str, sees: &str| format!("[[sources]]\nid = \"thermal/{id}\"\nvisible = \"cam:{sees}\"\n");
    [
        format!("[video]\nlook = \"4s\"\n[objects]\nmodel = \"{models}/yolox_nano.onnx\"\n"),
        format!("classes = \"{models}/coco_classes.txt\"\nscore_min = 0.4\nfire = [\"person\"]\ntimeout = \"60s\"\n"),
        camera("house", house),
        camera("hall", hall),
        source("house", "house"),
        ["hall", "yard", "roof"].map(|id| source(id, "hall")).concat(),
        "[[rules]]\nid = \"fire\"\nsources = [\"thermal/+\"]\nseverity = \"severe\"\n".into(),
        "detect = { kind = \"hotspot\", above = 25.0 }\n".into(),
    ]
    .concat()
}

/// Ten seconds of the hall in which its first visitor is there all the time, again and again.
async fn visited_hall(stop: &CancellationToken) -> String {
    let whole = std::fs::read(fixture("visitors.h264")).unwrap();
    let is_key = |at: &usize| whole[*at..].starts_with(&[0, 0, 0, 1, 0x67]);
    // One every two seconds.
    let keys: Vec<usize> = (0..whole.len()).filter(is_key).collect();
    let clip = Clip::from_annex_b(&whole[keys[4]..keys[9]]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, Arc::new(clip), 10.0, stop.clone()));
    format!("rtsp://{address}/live")
}

/// What a look came to.
async fn looked(gateway: &Program, source: &str) -> Value {
    let why = |said: &Value| said["alert"]["confidence"]["why"].as_str().unwrap().to_owned();
    gateway
        .eventually("the look to end", async || {
            alert(gateway, source).await.is_some_and(|said| !why(&said).contains("is asked"))
        })
        .await;
    alert(gateway, source).await.unwrap()
}

fn why(said: &Value) -> &str {
    said["alert"]["confidence"]["why"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_kind_of_evidence_confirms_and_a_reload_takes_another_model_or_keeps_the_old_one() {
    let stop = CancellationToken::new();
    let (house, hall) = (camera("burning_house.h264", &stop).await, visited_hall(&stop).await);
    let mut gateway = Program::new(&config(&house, &hall));
    gateway.start().await;
    gateway
        .eventually("the cameras to give pictures", async || {
            let decoded = async |camera| gateway.metric("outpost_camera_frames_decoded_total", camera).await;
            decoded("camera=\"house\"").await > 0 && decoded("camera=\"hall\"").await > 0
        })
        .await;
    upload(&gateway, "thermal/house", WARM).await;
    upload(&gateway, "thermal/hall", WARM).await;
    let hall = looked(&gateway, "thermal/hall").await;
    assert!(share(&hall) > 0.8, "the model confirms what colour does not: {hall}");
    assert!(
        why(&hall).starts_with("cam:hall ") && why(&hall).contains("; the object model names person (0."),
        "{hall}"
    );
    assert!(why(&hall).contains(" % across and "), "where it is: {hall}");
    let house = looked(&gateway, "thermal/house").await;
    assert!(share(&house) > 0.8, "colour confirms what the model does not know: {house}");
    assert!(why(&house).starts_with("cam:house sees flames") && why(&house).contains("; the object model"), "{house}");

    // A model that cannot be read changes nothing, and it is said why.
    let model = models().join("yolox_nano.onnx").display().to_string();
    let cut = models().join("bad/cut.onnx").display().to_string();
    let reloads = async |result: &str| gateway.metric("outpost_reloads_total", &format!("result=\"{result}\"")).await;
    gateway.reload(|text| text.replace(&model, &cut));
    gateway.eventually("the refusal", async || reloads("refused").await == 1).await;
    assert!(gateway.log().contains("objects.model: "), "{}", gateway.log());
    upload(&gateway, "thermal/yard", WARM).await;
    let yard = looked(&gateway, "thermal/yard").await;
    assert!(share(&yard) > 0.8 && why(&yard).contains("the object model names person"), "{yard}");

    gateway.reload(|text| text.replace(&cut, &model).replace("score_min = 0.4", "score_min = 0.99"));
    gateway.eventually("the reload", async || reloads("taken").await == 1).await;
    upload(&gateway, "thermal/roof", WARM).await;
    let roof = looked(&gateway, "thermal/roof").await;
    assert!(share(&roof) <= 0.5, "{roof}");
    assert!(why(&roof).ends_with("; the object model names neither fire nor smoke"), "{roof}");
    gateway.terminate().await;
    stop.cancel();
}
