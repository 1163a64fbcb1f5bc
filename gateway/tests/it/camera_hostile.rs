//! Cameras that hang, lie and flood: each costs itself its picture, is given the right reason, and touches no other.

use outpost_detectors::observation::{LinkReason, LinkState};
use tokio_util::sync::CancellationToken;

use crate::support::program::Program;
use crate::support_rtsp::{DESCRIBED, SDP, Scripted, Watched, camera, demo_camera, scripted};

/// Watches the camera at `url` beside a good one; the bad one's first state after connecting must be `state` for
/// `reason`, and the good one must never notice.
async fn check(url: &str, state: LinkState, reason: LinkReason) {
    let stop = CancellationToken::new();
    let good = demo_camera(&stop).await;
    let mut watched = Watched::start(&[camera("bad", url, ""), camera("good", &good, "")]);
    assert_eq!(watched.until_link("cam:bad", state).await, Some(reason));
    let before = watched.counts("cam:good").frames;
    watched.until_picture("cam:good").await;
    watched.until_picture("cam:good").await;
    let good = watched.counts("cam:good");
    assert!(good.frames > before);
    assert_eq!((good.state, good.reconnects, good.decode_errors), (LinkState::Live, 0, 0));
    assert_eq!(watched.links("cam:good"), [LinkState::Connecting, LinkState::Live]);
    watched.stop().await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_at_the_address_is_a_matter_of_route() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rtsp://{}/live", listener.local_addr().unwrap());
    drop(listener);
    check(&url, LinkState::Offline, LinkReason::Route).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_the_camera_does_not_have_is_a_matter_of_route() {
    let url = scripted(|mut peer: Scripted| async move { peer.answer("404 Not Found", "").await }).await;
    check(&url, LinkState::Offline, LinkReason::Route).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_at_describe_is_a_matter_of_route() {
    let url = scripted(|mut peer: Scripted| async move { peer.hang().await }).await;
    check(&url, LinkState::Offline, LinkReason::Route).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_at_setup_is_a_stall() {
    let script = |mut peer: Scripted| async move {
        peer.answer_describe().await;
        peer.hang().await;
    };
    check(&scripted(script).await, LinkState::Offline, LinkReason::Stall).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_at_play_is_a_stall() {
    let script = |mut peer: Scripted| async move {
        peer.answer_describe().await;
        peer.answer_setup().await;
        peer.hang().await;
    };
    check(&scripted(script).await, LinkState::Offline, LinkReason::Stall).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_without_frames_has_stalled() {
    let script = |mut peer: Scripted| async move {
        peer.open().await;
        peer.hang().await;
    };
    check(&scripted(script).await, LinkState::Stalled, LinkReason::Stall).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_in_place_of_an_answer_is_a_matter_of_protocol() {
    let script = |mut peer: Scripted| async move {
        peer.hear().await;
        peer.say(b"\x00\x01\x02 no camera at all \xff\xfe\r\n\r\n").await;
        peer.hang().await;
    };
    check(&scripted(script).await, LinkState::Offline, LinkReason::Protocol).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_description_that_is_garbage_is_a_matter_of_protocol() {
    let script = |mut peer: Scripted| async move {
        peer.answer("200 OK\r\nContent-Type: application/sdp", "\x00\x01 m=m=m=").await;
        peer.hang().await;
    };
    check(&scripted(script).await, LinkState::Offline, LinkReason::Protocol).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_description_without_end_is_given_up_in_time() {
    let script = |mut peer: Scripted| async move {
        let cseq = peer.hear().await.unwrap_or_default();
        let head = format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nContent-Length: 9999999999\r\n\r\n");
        peer.say(head.as_bytes()).await;
        for _ in 0..64 {
            peer.say(&[b'a'; 65_536]).await;
        }
        peer.hang().await;
    };
    check(&scripted(script).await, LinkState::Offline, LinkReason::Route).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_in_the_stream_is_a_matter_of_protocol() {
    let script = |mut peer: Scripted| async move {
        peer.open().await;
        peer.say(&[0xee; 4_096]).await;
        peer.hang().await;
    };
    check(&scripted(script).await, LinkState::Offline, LinkReason::Protocol).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_unit_without_end_is_a_matter_of_protocol() {
    let script = |mut peer: Scripted| async move {
        peer.open().await;
        // FU-A (RFC 6184 section 5.8) of a picture that starts and never ends, as fast as it is taken.
        let mut fragment = vec![0x7c, 0x85];
        fragment.resize(1_400, 0x55);
        let mut sequence = 0u16;
        while peer.say_rtp(sequence, 90_000, &fragment).await {
            fragment[1] = 0x05;
            sequence = sequence.wrapping_add(1);
        }
    };
    check(&scripted(script).await, LinkState::Offline, LinkReason::Protocol).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_drips_is_given_up_in_time() {
    let script = |mut peer: Scripted| async move {
        let cseq = peer.hear().await.unwrap_or_default();
        peer.say(format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nX: ").as_bytes()).await;
        while peer.say(b"x").await {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    check(&scripted(script).await, LinkState::Offline, LinkReason::Route).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_drips_has_stalled() {
    let script = |mut peer: Scripted| async move {
        peer.open().await;
        // An interleaved packet of 64 KiB, a byte at a time.
        peer.say(b"$\0\xff\xff\x80\x60\0\x01\0\0\0\x01\0\0\0\x01").await;
        while peer.say(b"\x7c").await {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    check(&scripted(script).await, LinkState::Stalled, LinkReason::Stall).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fragments_of_a_picture_that_drip_have_stalled() {
    let script = |mut peer: Scripted| async move {
        peer.open().await;
        let mut head = 0x85;
        for sequence in 0.. {
            if !peer.say_rtp(sequence, 90_000, &[0x7c, head, 0x55]).await {
                return;
            }
            head = 0x05;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    check(&scripted(script).await, LinkState::Stalled, LinkReason::Stall).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_in_place_of_tls_is_a_matter_of_route() {
    let url = scripted(|mut peer: Scripted| async move { peer.hang().await }).await;
    check(&url.replace("rtsp:", "rtsps:"), LinkState::Offline, LinkReason::Route).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_that_are_no_rtp_are_a_matter_of_protocol() {
    let script = |mut peer: Scripted| async move {
        peer.open().await;
        // Interleaved frames on the right channel, with a version of RTP that does not exist and lengths of nothing.
        peer.say(b"$\0\0\x0c\xc0\x60\0\x01\0\0\0\x01\0\0\0\x01").await;
        peer.say(b"$\0\0\0$\0\0\x01\0").await;
        peer.hang().await;
    };
    check(&scripted(script).await, LinkState::Offline, LinkReason::Protocol).await;
}

/// Parameter sets by x264 of a stream of 8192x4320, constrained baseline.
const HUGE_SPS: &[u8] = &[
    0x67, 0x42, 0xc0, 0x3c, 0xda, 0x00, 0x20, 0x00, 0x08, 0x76, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00,
    0x03, 0x00, 0x08, 0x3c, 0x20, 0x10, 0xa8,
];
const HUGE_PPS: &[u8] = &[0x68, 0xce, 0x0f, 0xc8];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_of_absurd_size_cost_no_memory_and_are_a_matter_of_codec() {
    let script = |mut peer: Scripted| async move {
        peer.open().await;
        let mut sequence = 0u16;
        for time in 0.. {
            for (nal, mark) in [(HUGE_SPS, false), (HUGE_PPS, false), (&[0x65, 0x88, 0x84, 0x3a, 0x26, 0x28], true)] {
                if !peer.say_rtp_marked(sequence, time * 9_000, nal, mark).await {
                    return;
                }
                sequence = sequence.wrapping_add(1);
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    check(&scripted(script).await, LinkState::Offline, LinkReason::Codec).await;
}

const PASSWORD: &str = "s3cret";
/// What Basic says for `anna` with that password.
const BASIC: &str = "YW5uYTpzM2NyZXQ=";

/// Asks for the password and says it again: as how it wants to be asked, as the reason of an answer to something else (the
/// password, and all that Basic said), or as the name of a codec.
async fn echo(mut peer: Scripted, way: usize) {
    let realm = if way == 0 { PASSWORD } else { "camera\"" };
    peer.answer(&format!("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"{realm}"), "").await;
    let Some(request) = peer.hear_all().await else { return };
    let echoed = if way == 1 { PASSWORD.to_owned() } else { request.field("Authorization") };
    match way {
        1 | 2 => drop(peer.say(format!("RTSP/1.0 200 {echoed}\r\nCSeq: 99\r\n\r\n").as_bytes()).await),
        _ => peer.answer_to(&request, DESCRIBED, &SDP.replace("H264", PASSWORD)).await,
    }
    peer.hang().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_cameras_echo_is_told_nowhere() {
    let mut cameras = String::new();
    for way in 0..4 {
        let url = scripted(move |peer| echo(peer, way)).await;
        cameras += &format!(
            "[[cameras]]\nid = \"echo-{way}\"\nurl = \"{url}\"\nusername = \"anna\"\npassword = {{ file = \"{{folder}}/password\" }}\n"
        );
    }
    let mut gateway = Program::new(&cameras);
    std::fs::write(gateway.folder().join("password"), PASSWORD).unwrap();
    gateway.record();
    gateway.start().await;
    let blotted = async || gateway.log().lines().filter(|line| line.contains("***")).count() == 4;
    gateway.eventually("all to be told", blotted).await;
    let recorded = || std::fs::read_to_string(gateway.record_file()).unwrap_or_default();
    gateway.eventually("all to be recorded", async || recorded().matches("offline").count() >= 4).await;
    for (place, text) in [
        ("log", gateway.log()),
        ("metrics", gateway.get("/metrics").await.text),
        ("sources", gateway.get("/api/v1/sources").await.text),
        ("record", recorded()),
    ] {
        assert!(!text.is_empty() && !text.contains(PASSWORD) && !text.contains(BASIC), "{place}: {text}");
    }
}
