//! Cameras against Debian's gst-rtsp-server, a server that is not ours: links, pictures, evidence, passwords.

#![expect(clippy::unwrap_used, reason = "shared by tests: a failure here is a failed test")]

use std::io::Write as _;

use outpost_detectors::observation::{Fact, LinkReason, LinkState};
use tokio_util::sync::CancellationToken;

use crate::support_rtsp::{GstCamera, Watched, camera, demo_camera};

/// On a busy machine a picture may be gone before a test hears of it; not all of so many.
const PICTURES_MAX: u64 = 200;

async fn goes_live_and_gives_pictures(codec: &str) {
    let server = GstCamera::start(0, codec, &[]);
    let mut watched = Watched::start(&[camera("a", &server.url(), "")]);
    assert_eq!(watched.until_link("cam:a", LinkState::Live).await, None);
    assert_eq!(watched.links("cam:a"), [LinkState::Connecting, LinkState::Live]);
    let (mut last, mut n_seen) = (0, 0);
    while n_seen < 5 {
        let picture = watched.until_picture("cam:a").await;
        assert!(picture.picture > last, "picture {} after {last}", picture.picture);
        last = picture.picture;
        let jpeg = watched.cameras.evidence().snapshot("cam:a", picture.picture, &[], &picture.blobs);
        assert!(last < PICTURES_MAX, "fresh pictures are kept");
        let Some(jpeg) = jpeg else { continue };
        let image = image::load_from_memory(&jpeg).unwrap();
        assert_eq!((image.width(), image.height()), (320, 240));
        n_seen += 1;
    }
    let counts = watched.counts("cam:a");
    assert_eq!((counts.decode_errors, counts.reconnects, counts.state), (0, 0, LinkState::Live));
    // A key frame that was looked at by itself is decoded again with its group.
    assert!(
        counts.frames + counts.key_frames >= counts.decoded && counts.bytes > 1_000 && counts.key_frames > 0,
        "{counts:?}"
    );
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_h264_camera_goes_live_and_gives_pictures() {
    goes_live_and_gives_pictures("h264").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_h265_camera_goes_live_and_gives_pictures() {
    goes_live_and_gives_pictures("h265").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_mjpeg_camera_goes_live_and_gives_pictures() {
    goes_live_and_gives_pictures("mjpeg").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_codec_that_is_not_decoded_is_named_so() {
    let server = GstCamera::start(0, "vp8", &[]);
    let mut watched = Watched::start(&[camera("a", &server.url(), "")]);
    assert_eq!(watched.until_link("cam:a", LinkState::Offline).await, Some(LinkReason::Codec));
    watched.stop().await;
}

/// libavcodec knows this profile; the memory-safe decoders do not.
#[cfg(not(feature = "ffmpeg"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_that_never_decode_are_a_matter_of_codec() {
    let server = GstCamera::start(0, "h264-444", &[]);
    let mut watched = Watched::start(&[camera("a", &server.url(), "")]);
    assert_eq!(watched.until_link("cam:a", LinkState::Offline).await, Some(LinkReason::Codec));
    let counts = watched.counts("cam:a");
    assert!(counts.decoded == 0 && counts.decode_errors >= 3 && counts.frames > 0, "{counts:?}");
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_with_rare_key_frames_is_watched_between_them() {
    let server = GstCamera::start(0, "h264-sparse", &[]);
    let mut watched = Watched::start(&[camera("a", &server.url(), "")]);
    while watched.until_picture("cam:a").await.picture < 10 {}
    assert_eq!(watched.counts("cam:a").key_frames, 1);
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_dies_is_offline_and_comes_back_live() {
    let server = GstCamera::start(0, "h264", &[]);
    let (port, url) = (server.port, server.url());
    let mut watched = Watched::start(&[camera("a", &url, "")]);
    watched.until_link("cam:a", LinkState::Live).await;
    drop(server);
    assert_eq!(watched.until_link("cam:a", LinkState::Offline).await, Some(LinkReason::Route));
    let _again = GstCamera::start(port, "h264", &[]);
    watched.until_link("cam:a", LinkState::Live).await;
    watched.until_picture("cam:a").await;
    assert!(watched.counts("cam:a").reconnects > 0);
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_freezes_has_stalled_and_comes_back_live() {
    let server = GstCamera::start(0, "h264", &[]);
    let mut watched = Watched::start(&[camera("a", &server.url(), "")]);
    watched.until_link("cam:a", LinkState::Live).await;
    server.signal("STOP");
    assert_eq!(watched.until_link("cam:a", LinkState::Stalled).await, Some(LinkReason::Stall));
    server.signal("CONT");
    watched.until_link("cam:a", LinkState::Live).await;
    watched.until_picture("cam:a").await;
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_password_opens_and_a_wrong_one_is_said_to_be_wrong() {
    let secret = |text: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{text}").unwrap();
        file
    };
    let (right, wrong) = (secret("s3cret"), secret("guess"));
    let login =
        |file: &tempfile::NamedTempFile| format!("username = \"anna\"\npassword = {{ file = {:?} }}", file.path());
    // By Basic, and by Digest alone.
    for credentials in [&["anna", "s3cret"][..], &["anna", "s3cret", "digest"]] {
        let server = GstCamera::start(0, "h264", credentials);
        let mut watched = Watched::start(&[
            camera("right", &server.url(), &login(&right)),
            camera("wrong", &server.url(), &login(&wrong)),
            camera("none", &server.url(), ""),
        ]);
        let (mut live, mut refused) = (false, 0);
        while !live || refused < 2 {
            let (source, link) = watched
                .until("links", |observation| match &observation.fact {
                    Fact::Link(link) => Some((observation.source.clone(), link.clone())),
                    _ => None,
                })
                .await;
            match (&*source, link.state) {
                ("cam:right", LinkState::Live) => live = true,
                (_, LinkState::Connecting) => {}
                ("cam:wrong" | "cam:none", LinkState::Offline) => {
                    assert_eq!(link.reason, Some(LinkReason::Auth), "{source}, {credentials:?}");
                    refused += 1;
                }
                other => panic!("{other:?}, {credentials:?}"),
            }
        }
        watched.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_camera_shows_a_visitor_and_movement_opens_full_decoding() {
    let stop = CancellationToken::new();
    let url = demo_camera(&stop).await;
    let mut watched = Watched::start(&[camera("demo", &url, "")]);
    watched.until_link("cam:demo", LinkState::Live).await;
    // Nobody is there at first.
    let first = watched.until_picture("cam:demo").await;
    assert!(first.blobs.is_empty());
    let moving = watched
        .until("movement", |observation| match &observation.fact {
            Fact::Picture(picture) if !picture.blobs.is_empty() => Some(picture.clone()),
            _ => None,
        })
        .await;
    let next = watched.until_picture("cam:demo").await;
    assert_eq!(next.picture, moving.picture + 1);
    let counts = watched.counts("cam:demo");
    watched
        .until("full decoding", |observation| match &observation.fact {
            Fact::Picture(picture) if picture.picture > moving.picture + 30 => Some(()),
            _ => None,
        })
        .await;
    let later = watched.counts("cam:demo");
    let (frames, decoded) = (later.frames - counts.frames, later.decoded - counts.decoded);
    assert!(decoded * 2 > frames, "{decoded} of {frames} decoded while somebody walks");
    assert_eq!((later.decode_errors, later.lost_packets, later.reconnects), (0, 0, 0));
    assert!((later.fps - 10.0).abs() < 2.5, "{} frames a second", later.fps);
    watched.stop().await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_tells_what_the_camera_sends_and_no_password() {
    let server = GstCamera::start(0, "h264", &["anna", "p@ss"]);
    let folder = tempfile::tempdir().unwrap();
    let (path, mut out) = (folder.path().join("snapshot.jpg"), Vec::new());
    let url = format!("rtsp://anna:p%40ss@127.0.0.1:{}/live", server.port);
    let found = outpost::probe::probe(&url, None, None, Some(&path), 4, &mut out).await.unwrap();
    assert_eq!((found.codec.as_str(), found.width, found.height), ("H.264", 320, 240));
    assert!((found.fps - 10.0).abs() < 3.0, "{found:?}");
    assert!(found.key_interval_s.is_some_and(|interval_s| (0.5..2.0).contains(&interval_s)), "{found:?}");
    assert_eq!(image::open(&path).unwrap().width(), 320);
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("320x240") && !text.contains("anna") && !text.contains("ss@"), "{text}");

    let wrong = format!("rtsp://anna:guess@127.0.0.1:{}/live", server.port);
    let error = outpost::probe::probe(&wrong, None, None, None, 1, &mut Vec::new()).await.unwrap_err().to_string();
    assert!(error.starts_with("auth: ") && !error.contains("guess"), "{error}");
}
