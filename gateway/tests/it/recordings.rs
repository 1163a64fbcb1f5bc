//! Recorded files in a camera's place, streams that several cameras read, and clips out of another stream than rules look at.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use outpost::demo::camera::{Clip, serve};
use outpost_detectors::observation::{Fact, LinkReason, LinkState};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::DEADLINE;
use crate::support::program::Program;
use crate::support::relay::Relay;
use crate::support_rtsp::{Watched, camera, fixture, mp4};

/// Pictures of `visitors.h264`, at ten a second.
const N_PICTURES: u64 = 1_394;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_read_to_the_end_whether_plain_or_in_fragments() {
    let folder = tempfile::tempdir().unwrap();
    let fragments = ["-movflags", "frag_keyframe+empty_moov+default_base_moof"];
    let n_h265 = 16;
    for (name, input, more, n_pictures) in [
        ("plain.mp4", "visitors.h264", &["-movflags", "faststart"][..], N_PICTURES),
        ("fragments.mp4", "visitors.h264", &fragments, N_PICTURES),
        ("h265.mp4", "main.h265", &["-tag:v", "hvc1"], n_h265),
    ] {
        let url = format!("file://{}", mp4(folder.path(), name, input, more).display());
        let mut watched = Watched::start(&[camera(name, &url, "pace = \"fast\"")]);
        let source = format!("cam:{name}");
        assert_eq!(watched.until_link(&source, LinkState::Offline).await, Some(LinkReason::Route), "{name}");
        let counts = watched.counts(&source);
        assert_eq!((counts.frames, counts.shed, counts.decode_errors), (n_pictures, 0, 0), "{name}");
        // Decoding lags behind reading.
        let until = std::time::Instant::now() + DEADLINE;
        while watched.counts(&source).decoded == 0 {
            assert!(std::time::Instant::now() < until, "{name}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        watched.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_none_says_so_and_a_second_is_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let (text, audio) = (folder.path().join("text.mp4"), mp4_without_video(folder.path()));
    std::fs::write(&text, b"this is no MP4 file, but it is one that is long enough to look at").unwrap();
    let url = |path: &Path| format!("file://{}", path.display());
    let plain = mp4(folder.path(), "plain.mp4", "visitors.h264", &[]);
    let mut cut = std::fs::read(&plain).unwrap();
    cut.truncate(cut.len() / 2);
    let half = folder.path().join("half.mp4");
    std::fs::write(&half, cut).unwrap();
    for (path, reason) in [
        (&text, LinkReason::Protocol),
        (&audio, LinkReason::Codec),
        (&half, LinkReason::Protocol),
        (&folder.path().join("none.mp4"), LinkReason::Route),
    ] {
        let mut watched = Watched::start(&[camera("file", &url(path), "")]);
        assert_eq!(watched.until_link("cam:file", LinkState::Offline).await, Some(reason), "{}", path.display());
        watched.stop().await;
    }
    // At the pace of the recording, times go by the clock; as fast as it goes, by the recording.
    let mut watched = Watched::start(&[camera("file", &url(&plain), "pace = \"fast\"")]);
    let picture_ms = async |watched: &mut Watched| {
        let at = |heard: &outpost_detectors::observation::Observation| {
            matches!(heard.fact, Fact::Picture(_)).then_some(heard.at_ms)
        };
        watched.until("picture", at).await
    };
    let first_ms = picture_ms(&mut watched).await;
    let mut last_ms = first_ms;
    while last_ms < first_ms + 100_000 {
        last_ms = picture_ms(&mut watched).await;
    }
    watched.stop().await;
}

/// A file with sound and nothing else.
#[expect(clippy::disallowed_methods, reason = "another program's file")]
fn mp4_without_video(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("audio.mp4");
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(done.success());
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_opened_once_and_clips_may_come_from_another() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let clip = Clip::from_annex_b(&std::fs::read(fixture("visitors.h264")).unwrap()).unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(serve(listener, Arc::new(clip), 20.0, stop.clone()));
    let (sub, main) = (Relay::start(port).await, Relay::start(port).await);
    let camera = |id: &str, more: &str| {
        format!(
            "[[cameras]]\nid = \"{id}\"\nurl = \"rtsp://127.0.0.1:{}/\"\nclip = {{ before = \"1s\", after = \"1s\" }}\n\
             zones = [{{ id = \"floor\", polygon = [[0.0, 0.58], [1.0, 0.58], [1.0, 1.0], [0.0, 1.0]] }}]\n{more}\n",
            sub.port()
        )
    };
    let main_url = format!("main = \"rtsp://127.0.0.1:{}/main\"", main.port());
    let rule = "[[rules]]\nid = \"visitor\"\nsources = [\"cam:*\"]\nseverity = \"minor\"\n\
                detect = { kind = \"intrusion\", zone = \"floor\" }\n";
    let mut gateway = Program::new(&format!("{}{}{rule}", camera("east", &main_url), camera("west", "")));
    gateway.start_ready().await;
    let clips = async |gateway: &Program| -> Vec<String> {
        let answer = gateway.json("/api/v1/alerts?state=all&limit=1000").await;
        let with_clip = |alert: &&Value| !alert["clip"].is_null();
        let source = |alert: &Value| alert["source"].as_str().unwrap().to_owned();
        answer["alerts"].as_array().unwrap().iter().filter(with_clip).map(source).collect()
    };
    gateway
        .eventually("a clip of each camera", async || {
            let clips = clips(&gateway).await;
            ["cam:east", "cam:west"].iter().all(|camera| clips.iter().any(|clip| clip == camera))
        })
        .await;
    assert_eq!((sub.n_taken(), main.n_taken()), (1, 1), "one session for what two cameras look at");
    gateway.terminate().await;
    stop.cancel();
}
