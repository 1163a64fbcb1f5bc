//! What the gateway tells of its cameras without a rule of anybody's: that they do not see, or send nothing, and with which picture;
//! and that its decoders have no time for them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::support::program::Program;
use crate::support_rtsp::demo_camera;

/// The minute that decoders have to be behind, and time to begin and to be noticed.
const BEHIND_DEADLINE: Duration = Duration::from_secs(180);

async fn alerts(gateway: &Program) -> Vec<Value> {
    gateway.json("/api/v1/alerts?state=all&limit=100").await["alerts"].as_array().unwrap().clone()
}

async fn alert(gateway: &Program, rule: &str) -> Option<Value> {
    alerts(gateway).await.into_iter().find(|alert| alert["rule"] == rule)
}

async fn snapshot(gateway: &Program, alert: &Value) -> image::RgbImage {
    let id = alert["id"].as_str().unwrap();
    let jpeg = gateway.bytes(&format!("/api/v1/alerts/{id}/snapshot")).await;
    image::load_from_memory(&jpeg).unwrap().to_rgb8()
}

/// Forty seconds of a noisy test picture, then sixteen of a grey hand.
#[expect(clippy::disallowed_methods, reason = "another program's file")]
fn covered(folder: &Path) -> PathBuf {
    let path = folder.join("covered.mp4");
    let scene = "testsrc=s=320x180:r=5:d=1,trim=end_frame=1,loop=loop=-1:size=1,setpts=N/5/TB,\
                 noise=alls=12:allf=t,trim=duration=40,format=yuv420p[seen]";
    let hand = "color=c=gray:s=320x180:r=5:d=16,noise=alls=4:allf=t,format=yuv420p[hand]";
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-filter_complex"])
        .arg(format!("{scene};{hand};[seen][hand]concat=n=2:v=1"))
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-r", "5"])
        .arg(&path)
        .status()
        .expect("ffmpeg is installed (make packages-test)");
    assert!(done.success());
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_is_covered_says_so_with_the_picture_though_nobody_wrote_a_rule() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", covered(folder.path()).display());
    let mut gateway = Program::new(&format!(
        "[video]\nfiles = true\n[[cameras]]\nid = \"gate\"\nurl = {url:?}\npace = \"fast\"\ndark_after = \"1h\"\n"
    ));
    gateway.start_ready().await;
    gateway.eventually("covered", async || alert(&gateway, "camera-covered").await.is_some()).await;
    let told = alerts(&gateway).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["source"], &told[0]["category"]), (&"cam:gate".into(), &"device/camera".into()));
    assert_eq!(told[0]["why"], "the camera is covered for 10 s");
    let picture = snapshot(&gateway, &told[0]).await;
    assert!(picture.pixels().all(|pixel| pixel.0.iter().all(|level| (90..170).contains(level))), "not the hand");
    gateway.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_goes_dark_shows_what_it_saw_last() {
    let stop = CancellationToken::new();
    let url = demo_camera(&stop).await;
    let camera = |id: &str, url: &str| {
        format!("[[cameras]]\nid = \"{id}\"\nurl = \"{url}\"\ndark_after = \"2s\"\nstall_after = \"1s\"\n")
    };
    let mut gateway = Program::new(&(camera("hall", &url) + &camera("never", "rtsp://127.0.0.1:9/")));
    gateway.start_ready().await;
    gateway.eventually("a picture", async || gateway.get("/api/v1/pictures/cam:hall").await.status == 200).await;
    stop.cancel();
    let dark = async |camera: &str| {
        let is_its = |alert: &Value| alert["rule"] == "camera-dark" && alert["source"] == camera;
        alerts(&gateway).await.into_iter().rev().find(is_its)
    };
    gateway
        .eventually("both are dark", async || dark("cam:hall").await.is_some() && dark("cam:never").await.is_some())
        .await;
    let picture = snapshot(&gateway, &dark("cam:hall").await.unwrap()).await;
    assert_eq!(picture.dimensions(), (640, 360));
    let never = dark("cam:never").await.unwrap();
    assert!(never["snapshot"].is_null(), "nothing is missing that never was: {never}");
    gateway.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_decoders_have_no_time_for_is_shown_by_camera_and_alerts_when_it_lasts() {
    let stop = CancellationToken::new();
    let url = demo_camera(&stop).await;
    let cameras: String = (0..6).map(|n| format!("[[cameras]]\nid = \"hall-{n}\"\nurl = \"{url}/{n}\"\n")).collect();
    let mut gateway = Program::new(&format!("[video]\ndecode_cores = 0.02\n{cameras}"));
    gateway.start_ready().await;
    let until = Instant::now() + BEHIND_DEADLINE;
    while alert(&gateway, "decoders-behind").await.is_none() {
        assert!(Instant::now() < until, "{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let behind = alert(&gateway, "decoders-behind").await.unwrap();
    assert_eq!(behind["source"], "outpost:video");
    assert!(behind["why"].as_str().unwrap().ends_with(" for 60 s"), "{behind}");
    let sources = gateway.json("/api/v1/sources").await;
    let shed = |source: &Value| source["shed"].as_u64();
    let n_shed: u64 = sources["sources"].as_array().unwrap().iter().filter_map(shed).sum();
    assert!(n_shed > 0, "{sources}");
    gateway.terminate().await;
    stop.cancel();
}
