//! What a camera changes while its session goes on, and what is kept of it when it ends.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outpost::demo::camera::{Clip, serve};
use outpost::telemetry::clock;
use outpost_detectors::observation::{Fact, LinkState};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::DEADLINE;
use crate::support::program::Program;
use crate::support_rtsp::{DESCRIBED, SDP, Scripted, Watched, camera, demo_camera, fixture, scripted};

const HALL: &str = "camera=\"hall\"";

/// Three seconds of the visitors at that size, Annex B.
#[expect(clippy::disallowed_methods, reason = "another program's coding")]
fn coded(codec: &str, width: u32, height: u32) -> Vec<u8> {
    let size = format!("scale={width}:{height}");
    let coder = if codec == "hevc" { "libx265" } else { "libx264" };
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-r", "10", "-i"])
        .arg(fixture("visitors.h264"))
        .args(["-t", "3", "-vf", &size, "-c:v", coder, "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10"])
        .args(["-bf", "0", "-f", codec, "-"])
        .output()
        .expect("ffmpeg is installed (make packages-test)");
    assert!(done.status.success());
    done.stdout
}

async fn served(stream: &[u8], fps: f64, stop: &CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rtsp://{}/", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, Arc::new(Clip::from_annex_b(stream).unwrap()), fps, stop.clone()));
    url
}

/// An H.265 camera that sends this, round and round: RFC 7798, each NAL unit in a packet of its own.
async fn served_as_h265(stream: Vec<u8>) -> String {
    let starts: Vec<usize> = (0..stream.len() - 2).filter(|at| stream[*at..at + 3] == [0, 0, 1]).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    // A zero that begins the next start code does no harm at the end of a unit.
    let nal = |(from, to): (&usize, usize)| stream[from + 3..to].to_vec();
    let nals: Arc<Vec<Vec<u8>>> = Arc::new(starts.iter().zip(ends).map(nal).collect());
    scripted(move |mut peer: Scripted| {
        let nals = nals.clone();
        async move {
            peer.answer(DESCRIBED, &SDP.replace("H264", "H265")).await;
            peer.answer_setup().await;
            peer.answer_play().await;
            let (mut sequence, mut time) = (0u16, 0u32);
            for nal in nals.iter().cycle() {
                // Of a picture there is one slice, and nothing follows it; types below 32 are slices.
                let is_slice = nal[0] >> 1 & 0x3f < 32;
                if !peer.say_rtp_marked(sequence, time, nal, is_slice).await {
                    return;
                }
                sequence = sequence.wrapping_add(1);
                if is_slice {
                    time = time.wrapping_add(9_000);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_of_another_size_needs_no_new_session() {
    let stop = CancellationToken::new();
    let both = |codec: &str| [coded(codec, 320, 180), coded(codec, 640, 360)].concat();
    let cameras = [
        camera("h264", &served(&both("h264"), 10.0, &stop).await, ""),
        camera("h265", &served_as_h265(both("hevc")).await, ""),
    ];
    for one in cameras {
        let source = format!("cam:{}", one.id);
        let mut watched = Watched::start(&[one]);
        // Twice round: small, large, and small again.
        for width in [320, 640, 320, 640] {
            let until = Instant::now() + DEADLINE;
            loop {
                let facts = watched.until_picture(&source).await;
                if facts.pixels[0] == width {
                    break;
                }
                assert!(Instant::now() < until, "{source}: no picture {width} wide, but {:?}", facts.pixels);
            }
        }
        assert_eq!(watched.counts(&source).decode_errors, 0, "{source}");
        let n_live = watched.links(&source).into_iter().filter(|link| *link == LinkState::Live).count();
        assert_eq!(n_live, 1, "{source}");
        watched.stop().await;
    }
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_whose_clock_jumps_is_seen_when_its_pictures_come() {
    const HOUR: u32 = 3_600 * 90_000;
    let clip = Arc::new(Clip::from_annex_b(&std::fs::read(fixture("visitors.h264")).unwrap()).unwrap());
    let url = scripted(move |mut peer: Scripted| {
        let clip = clip.clone();
        async move {
            let sdp = clip.sdp().to_owned();
            peer.answer(DESCRIBED, &sdp).await;
            peer.answer("200 OK\r\nSession: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1", "").await;
            peer.answer_play().await;
            let mut sequence = 0;
            for number in 0.. {
                // An hour ahead, and then two back, every other picture.
                let hour = [0, HOUR, 0u32.wrapping_sub(HOUR)][number as usize % 3];
                let time = (number as u32).wrapping_mul(9_000).wrapping_add(hour);
                if !peer.say(&clip.picture(number, &mut sequence, time)).await {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    })
    .await;
    let started_ms = clock::now_ms();
    let mut watched = Watched::start(&[camera("gate", &url, "")]);
    let mut last_ms = started_ms;
    for _ in 0..12 {
        let at_ms = watched.until("picture", |seen| matches!(seen.fact, Fact::Picture(_)).then_some(seen.at_ms)).await;
        assert!((last_ms..=clock::now_ms()).contains(&at_ms), "{at_ms} after {last_ms}");
        last_ms = at_ms;
    }
    assert_eq!(watched.links("cam:gate"), [LinkState::Connecting, LinkState::Live]);
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_with_b_frames_are_decoded_without_a_fault() {
    let stop = CancellationToken::new();
    let url = served(&std::fs::read(fixture("bframes.h264")).unwrap(), 20.0, &stop).await;
    let mut watched = Watched::start(&[camera("gate", &url, "")]);
    // The clip's seam is a change of scene, after which all frames are decoded.
    let until = Instant::now() + DEADLINE;
    loop {
        watched.until_picture("cam:gate").await;
        let counts = watched.counts("cam:gate");
        if counts.decoded >= 60 {
            break;
        }
        assert!(Instant::now() < until, "{counts:?}");
    }
    assert_eq!(watched.counts("cam:gate").decode_errors, 0);
    watched.stop().await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_far_apart_key_frames_are_is_a_metric() {
    let stop = CancellationToken::new();
    let url = demo_camera(&stop).await;
    let mut gateway = Program::new(&format!("[[cameras]]\nid = \"hall\"\nurl = \"{url}\"\n"));
    gateway.start_ready().await;
    let measured = async || {
        let page = gateway.get("/metrics").await.text;
        let name = format!("outpost_camera_key_interval_seconds{{{HALL}}} ");
        page.lines().any(|line| line.strip_prefix(&name).is_some_and(|seconds| seconds.parse::<f64>().unwrap() > 0.0))
    };
    gateway.eventually("two key frames", measured).await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_gate_has_earned_outlives_a_restart_but_not_another_address() {
    let stop = CancellationToken::new();
    let url = demo_camera(&stop).await;
    let mut gateway = Program::new(&format!("[[cameras]]\nid = \"hall\"\nurl = \"{url}\"\n"));
    gateway.start_ready().await;
    gateway.terminate().await;
    // As a gate leaves it that was right before each of twenty visits.
    let steps = |n: usize| (0..13).map(|step| if step == n { "500.0" } else { "0.0" }).collect::<Vec<_>>().join(",");
    let earned = format!(r#"{{"still":[{}],"moving":[{}],"onsets":20.0,"misses":0.0}}"#, steps(0), steps(12));
    let file = gateway.data().join("outpost.db");
    let keep = |source: &str, url: &str, earned: &str| {
        let store = rusqlite::Connection::open(&file).unwrap();
        let row = (source, url, earned);
        store.execute("INSERT OR REPLACE INTO gate (source, url, earned) VALUES (?1, ?2, ?3)", row).unwrap();
    };
    keep("cam:gone", &url, &earned);
    for (at, earned, trusted) in
        [(url.as_str(), earned.as_str(), 1), ("rtsp://192.0.2.1/", &earned, 0), (&url, "{}", 0), (&url, &earned, 1)]
    {
        keep("cam:hall", at, earned);
        gateway.start_ready().await;
        gateway.eventually("pictures", async || gateway.metric("outpost_camera_frames_total", HALL).await > 0).await;
        let said = gateway.metric("outpost_camera_gate_trusted", HALL).await;
        assert_eq!(said, trusted, "{at} {earned}");
        gateway.terminate().await;
    }
    // It was written down again when the gateway ended.
    let store = rusqlite::Connection::open(&file).unwrap();
    let sql = "SELECT earned FROM gate WHERE source = 'cam:hall' AND url = ?1";
    let kept: String = store.query_row(sql, [&url], |row| row.get(0)).unwrap();
    assert!(kept.contains("\"onsets\":20.0"), "{kept}");
    stop.cancel();
}
