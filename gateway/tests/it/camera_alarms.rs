//! What cameras tell of their own alarms: documents as makers write them, a real server that sends them beside its pictures,
//! and cameras that offer more than they can do.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use outpost::decode::alarms::{self, AlarmState};
use outpost::demo::camera::Clip;
use outpost_detectors::observation::{Fact, LinkState, Observation};

use crate::support::program::Program;
use crate::support_rtsp::{GstCamera, SDP, Scripted, Watched, camera, fixture, scripted};

fn document(name: &str) -> Vec<u8> {
    std::fs::read(fixture("../alarms").join(name)).unwrap()
}

#[test]
fn documents_say_what_their_first_line_expects() {
    let (mut wrong, mut kinds) = (Vec::new(), BTreeSet::new());
    for entry in std::fs::read_dir(fixture("../alarms")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "xml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let expect = text.split_once("expect: ").expect("every document expects something").1.lines().next().unwrap();
        let told = alarms::read(text.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        kinds.extend(told.alarms.iter().map(|alarm| alarm.kind.as_str()));
        let state = |state| match state {
            AlarmState::On => "on",
            AlarmState::Off => "off",
            AlarmState::Momentary => "momentary",
        };
        let mut said: Vec<_> = told.alarms.iter().map(|a| format!("{} {}", a.kind.as_str(), state(a.state))).collect();
        if told.n_others > 0 {
            said.push(format!("{} others", told.n_others));
        }
        let said = if said.is_empty() { "nothing".to_owned() } else { said.join(", ") };
        if said != expect {
            wrong.push(format!("{}: {said} in place of {expect}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(kinds.len(), alarms::AlarmKind::ALL.len(), "each kind has a document: {kinds:?}");
}

fn reading(observation: &Observation) -> Option<(String, f64)> {
    match &observation.fact {
        Fact::Reading(reading) => Some((reading.metric.to_string(), reading.value)),
        _ => None,
    }
}

/// The picture does not move: without the alarm one in ten is looked at.
async fn wakes(transport: &str) {
    let server = GstCamera::start(0, "h264-alarms", &[]);
    let mut watched = Watched::start(&[camera("a", &server.url(), &format!("transport = {transport:?}"))]);
    let said = watched.until("what is on when the session begins", reading).await;
    assert_eq!(said, ("alarm.motion".into(), 0.0));
    let at_rest = watched.counts("cam:a");
    let (metric, alarm_ms) = watched.until("an alarm", |o| reading(o).map(|_| (reading(o), o.received_ms))).await;
    assert_eq!(metric, Some(("alarm.motion".into(), 1.0)));
    let alarmed = watched.counts("cam:a");
    let share = |since: &outpost::video::Counts, until: &outpost::video::Counts| {
        (until.decoded - since.decoded) as f64 / (until.frames - since.frames) as f64
    };
    assert!(share(&at_rest, &alarmed) < 0.3, "{at_rest:?} {alarmed:?}");
    let (mut n_before, mut n_after) = (0, 0);
    while n_after < 20 {
        let (received_ms, blobs) = watched
            .until("pictures after the alarm", |observation| match &observation.fact {
                Fact::Picture(picture) => Some((observation.received_ms, picture.blobs.len())),
                _ => None,
            })
            .await;
        assert_eq!(blobs, 0, "nothing moves: only the alarm asks for these");
        *(if received_ms < alarm_ms { &mut n_before } else { &mut n_after }) += 1;
    }
    // The server tells of it in the middle of a group.
    assert!(n_before >= 4, "{n_before} pictures of the group that was in memory");
    let awake = watched.counts("cam:a");
    assert!(share(&alarmed, &awake) > 0.7, "{alarmed:?} {awake:?}");
    assert_eq!(watched.until("the end of the alarm", reading).await, ("alarm.motion".into(), 0.0));
    let counts = watched.counts("cam:a");
    let n_alarms: Vec<_> = counts.alarms.iter().filter(|(_, n)| *n > 0).map(|(kind, n)| (kind.as_str(), *n)).collect();
    assert_eq!(n_alarms, [("motion", 1)]);
    assert_eq!((counts.alarm_faults, counts.reconnects, counts.decode_errors), (0, 0, 0));
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_wakes_a_camera_from_the_group_in_memory_on() {
    wakes("tcp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_comes_by_udp_as_well() {
    wakes("udp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_of_a_camera_opens_an_alert_by_an_ordinary_rule() {
    let server = GstCamera::start(0, "h264-alarms", &[]);
    let rule = r#"
        [[rules]]
        id = "camera-says-motion"
        sources = ["cam:gate"]
        detect = { kind = "threshold", metric = "alarm.motion", above = 0.5 }
        severity = "minor"
    "#;
    let mut gateway = Program::new(&format!("[[cameras]]\nid = \"gate\"\nurl = \"{}\"\n{rule}", server.url()));
    gateway.start_ready().await;
    let alerts = async |state: &str| {
        let answer = gateway.json(&format!("/api/v1/alerts?state={state}&limit=10")).await;
        answer["alerts"].as_array().unwrap().clone()
    };
    gateway
        .eventually("an alert that opened and cleared", async || {
            !alerts("all").await.is_empty() && alerts("open").await.is_empty()
        })
        .await;
    let all = alerts("all").await;
    assert_eq!((all.len(), all[0]["rule"].as_str()), (1, Some("camera-says-motion")), "{all:?}");
    let n_motion = gateway.metric("outpost_camera_alarms_total", "camera=\"gate\",kind=\"motion\"").await;
    assert_eq!(n_motion, 1);
    gateway.terminate().await;
}

/// What a camera does about the second stream that it offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Willing,
    Refuses,
    HangsUp,
    SaysNothing,
    GivesTheChannelsOfTheFirst,
    GivesAnotherSession,
    PlaysNoTwo,
    HangsUpAtPlay,
    /// Its packets are of another source than it said.
    Lies,
}

/// One connection; notes how many streams were set up in it. A TEARDOWN that comes on one of its own is not noted.
async fn serve(mut peer: Scripted, mood: Mood, clip: Arc<Clip>, setups: Arc<Mutex<Vec<usize>>>) {
    let mut n_setups = 0;
    let answer = |status: &str, cseq: &str, more: &str| format!("RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{more}\r\n");
    loop {
        let Some(request) = peer.hear_all().await else { return };
        let (method, cseq) = (request.method(), request.field("CSeq"));
        if method == "SETUP" {
            n_setups += 1;
            let mut setups = setups.lock().unwrap();
            // One session follows another: the newest is the last.
            setups.extend((n_setups == 1).then_some(0));
            *setups.last_mut().unwrap() = n_setups;
        }
        let transport = |session: u8, channels: &str, source: &str| {
            let transport = format!("RTP/AVP/TCP;unicast;interleaved={channels};ssrc={source}");
            answer("200 OK", &cseq, &format!("Session: {session}\r\nTransport: {transport}\r\n"))
        };
        let said = match (method, n_setups, mood) {
            ("DESCRIBE", ..) => {
                let sdp = format!(
                    "{SDP}m=application 0 RTP/AVP 107\r\na=rtpmap:107 VND.ONVIF.METADATA/90000\r\na=control:track2\r\n"
                );
                let head = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n", sdp.len());
                answer("200 OK", &cseq, &head) + &sdp
            }
            ("SETUP", 1, _) => transport(1, "0-1", "4f757470"),
            (_, 2, Mood::HangsUp) | ("PLAY", 2, Mood::HangsUpAtPlay) => return,
            (_, 2, Mood::SaysNothing) => return peer.hang().await,
            ("SETUP", _, Mood::Refuses) => answer("461 Unsupported Transport", &cseq, "Session: 1\r\n"),
            ("SETUP", _, Mood::GivesTheChannelsOfTheFirst) => transport(1, "0-1", "00000a1a"),
            ("SETUP", _, Mood::GivesAnotherSession) => transport(2, "2-3", "00000a1a"),
            ("SETUP", ..) => transport(1, "2-3", "00000a1a"),
            ("PLAY", 2, Mood::PlaysNoTwo) => answer("455 Method Not Valid in This State", &cseq, "Session: 1\r\n"),
            ("PLAY", ..) => {
                peer.say(answer("200 OK", &cseq, "Session: 1\r\n").as_bytes()).await;
                break;
            }
            _ => answer("200 OK", &cseq, "Session: 1\r\n"),
        };
        peer.say(said.as_bytes()).await;
    }
    let (mut sequence, mut packet) = (0, 0u16);
    for number in 0..clip.len() as u64 {
        let mut sent = clip.picture(number, &mut sequence, number as u32 * 9_000);
        let mut say = |text: &[u8]| {
            for (n, part) in text.chunks(1_400).enumerate() {
                let mark = (n + 1) * 1_400 >= text.len();
                sent.extend([b'$', 2]);
                sent.extend((12 + part.len() as u16).to_be_bytes());
                sent.extend([0x80, 107 | u8::from(mark) << 7]);
                sent.extend(packet.to_be_bytes());
                sent.extend(0u32.to_be_bytes());
                sent.extend(if mood == Mood::Lies { [0, 0, 0, 1] } else { [0, 0, 10, 26] });
                sent.extend(part);
                packet = packet.wrapping_add(1);
            }
        };
        if n_setups == 2 {
            match number {
                5 => say(b"no document \xff at all"),
                6 => say(b"<NotificationMessage>"),
                7 => say(&vec![b'<'; 300 << 10]),
                8 => say(&document("dahua_motion_on.xml")),
                _ => {}
            }
        }
        // The session without alarms is over after a while: then comes one with them.
        if !peer.say(&sent).await || (mood == Mood::Lies && n_setups == 1 && number == 40) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    peer.hang().await;
}

async fn watch(mood: Mood) -> (Watched, Arc<Mutex<Vec<usize>>>) {
    let clip = Arc::new(Clip::from_annex_b(&std::fs::read(fixture("visitors.h264")).unwrap()).unwrap());
    let setups = Arc::<Mutex<Vec<usize>>>::default();
    let noted = setups.clone();
    let url = scripted(move |peer| serve(peer, mood, clip.clone(), noted.clone())).await;
    (Watched::start(&[camera("a", &url, "")]), setups)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_cannot_be_read_cost_nothing_else() {
    let (mut watched, setups) = watch(Mood::Willing).await;
    assert_eq!(watched.until("an alarm", reading).await, ("alarm.motion".into(), 1.0));
    watched.until_picture("cam:a").await;
    let counts = watched.counts("cam:a");
    assert_eq!((counts.alarm_faults, counts.reconnects, counts.state), (3, 0, LinkState::Live));
    assert_eq!(*setups.lock().unwrap(), [2]);
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_refuses_its_alarms_keeps_its_session() {
    let (mut watched, setups) = watch(Mood::Refuses).await;
    watched.until_picture("cam:a").await;
    let counts = watched.counts("cam:a");
    assert_eq!((counts.alarm_faults, counts.reconnects, counts.state), (1, 0, LinkState::Live));
    assert_eq!(*setups.lock().unwrap(), [2]);
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_fails_on_account_of_its_alarms_is_live_without_them() {
    for mood in [
        Mood::HangsUp,
        Mood::SaysNothing,
        Mood::GivesTheChannelsOfTheFirst,
        Mood::GivesAnotherSession,
        Mood::PlaysNoTwo,
        Mood::HangsUpAtPlay,
    ] {
        let (mut watched, setups) = watch(mood).await;
        watched.until_picture("cam:a").await;
        assert_eq!(watched.links("cam:a"), [LinkState::Connecting, LinkState::Live], "{mood:?}");
        assert_eq!(watched.counts("cam:a").alarm_faults, 1, "{mood:?}");
        assert_eq!(*setups.lock().unwrap(), [2, 1], "{mood:?}");
        watched.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_alarms_that_breaks_off_is_left_out_for_one_session() {
    let (mut watched, setups) = watch(Mood::Lies).await;
    for state in [LinkState::Live, LinkState::Connecting, LinkState::Live, LinkState::Offline, LinkState::Live] {
        watched.until_link("cam:a", state).await;
    }
    assert_eq!(setups.lock().unwrap()[..3], [2, 1, 2]);
    watched.stop().await;
}
