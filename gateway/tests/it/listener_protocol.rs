//! The built-in MQTT listener, byte by byte: what a small device says and hears, and what a hostile one gets.

use std::time::Duration;

use outpost::ingest::Quality;

use crate::support::listener::{Door, Hello, Tiny, V5, V311, connect, packet, publish, said, subscribe};
use crate::support::within;

const BOTH: [u8; 2] = [V311, V5];
const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBCOMP: u8 = 0x70;
const DISCONNECT: [u8; 2] = [0xe0, 0];
const PING: [u8; 2] = [0xc0, 0];

async fn pong(tiny: &mut Tiny) {
    tiny.send(&PING).await;
    assert_eq!(tiny.packet().await, Some((0xd0, Vec::new())));
}

#[tokio::test]
async fn a_small_device_publishes_pings_and_subscribes_to_its_commands() {
    let mut door = Door::open("").await;
    let hello =
        Hello { level: V311, client: "esp", keep_alive_s: 15, will: Some(("dev/esp/online", "0")), ..Hello::default() };
    let (mut esp, connack) = Tiny::hello(door.address, hello).await;
    assert_eq!(connack, [0, 0]);
    esp.send(&subscribe(V311, 1, &["dev/esp/cmd", "dev/#/bad"])).await;
    assert_eq!(esp.packet().await, Some((0x90, vec![0, 1, 1, 0x80])));
    esp.publish(0, 0, "dev/esp/online", "1").await;
    esp.publish(1, 2, "dev/esp/temp", "21.5").await;
    let got = door.take(2).await;
    assert_eq!(
        got.iter().map(said).collect::<Vec<_>>(),
        [("dev/esp/online".into(), "1".into()), ("dev/esp/temp".into(), "21.5".into())]
    );
    assert_eq!(got[1].client.as_ref().map(|client| (&*client.id, client.is_new)), Some(("esp", true)));
    assert_eq!((got[0].receipt.packet, got[1].receipt.quality), (0, Quality::AtLeastOnce));
    // Nothing is answered before the commit, but a ping is.
    pong(&mut esp).await;
    door.acknowledge(&got);
    esp.acknowledged(PUBACK, [2]).await;
    esp.send(&packet(0xa2, &[0, 3, 0, 1, b'x'])).await;
    assert_eq!(esp.packet().await, Some((0xb0, vec![0, 3])));
    // It dies: its will comes.
    drop(esp);
    assert_eq!(door.commit(1).await, [("dev/esp/online".into(), "0".into())]);
    door.counts("closed_total", "lost", 1).await;
    door.close().await;
}

#[tokio::test]
async fn every_quality_is_answered_after_the_commit_in_one_write() {
    for level in BOTH {
        let mut door = Door::open("").await;
        let mut tiny = Tiny::connected(door.address, level, "a").await;
        for n in 1..=30 {
            tiny.publish((n % 3) as u8, n, "t", &n.to_string()).await;
        }
        let got = door.take(30).await;
        door.acknowledge(&got);
        for n in 1..=30u16 {
            match n % 3 {
                1 => tiny.acknowledged(PUBACK, [n]).await,
                2 => tiny.acknowledged(PUBREC, [n]).await,
                _ => {}
            }
        }
        // PUBREL, for one that was received and one that never was.
        for n in [2u16, 777] {
            tiny.send(&packet(0x62, &n.to_be_bytes())).await;
            tiny.acknowledged(PUBCOMP, [n]).await;
        }
        door.counts("waiting_bytes", "", 0).await;
        tiny.send(&DISCONNECT).await;
        assert_eq!(tiny.packet().await, None);
        door.counts("closed_total", "client", 1).await;
        door.counts("connections", "", 0).await;
        door.close().await;
    }
}

#[tokio::test]
async fn what_follows_a_connect_or_precedes_a_disconnect_is_not_lost() {
    let mut door = Door::open("").await;
    let mut tiny = Tiny::dial(door.address, V311).await;
    let hello = connect(&Hello { level: V311, client: "hasty", ..Hello::default() });
    let all = [hello, publish(V311, 0, 0, "t", "1"), publish(V311, 1, 0, "t", "2"), DISCONNECT.to_vec()].concat();
    // In the smallest pieces there are.
    for byte in all {
        tiny.send(&[byte]).await;
    }
    assert_eq!(tiny.packet().await, Some((0x20, vec![0, 0])));
    assert_eq!(door.commit(2).await, [("t".into(), "1".into()), ("t".into(), "2".into())]);
    assert_eq!(door.metric("retained_total", ""), 1);
    door.close().await;
}

#[tokio::test]
async fn mqtt_5_is_told_the_bounds_and_names_topics_by_number() {
    let mut door =
        Door::open("inflight_max = 7\npacket_bytes_max = '8KiB'\nkeep_alive_max = '9s'\ntopic_aliases_max = 3").await;
    let hello = Hello { level: V5, properties: &[0x11, 0, 0, 0, 60], ..Hello::default() };
    let (mut tiny, connack) = Tiny::hello(door.address, hello).await;
    let holds = |part: &[u8]| connack.windows(part.len()).any(|window| window == part);
    assert!(holds(&[0x21, 0, 7]) && holds(&[0x27, 0, 0, 0x20, 0]) && holds(&[0x13, 0, 9]) && holds(&[0x22, 0, 3]));
    assert!(holds(&[0x11, 0, 0, 0, 60]) && holds(b"l-"), "session expiry and a name: {connack:?}");
    let named = |topic: &[u8], alias: u8, payload: &[u8]| {
        packet(0x30, &[&[0, topic.len() as u8], topic, &[3, 0x23, 0, alias], payload].concat())
    };
    for bytes in [named(b"a/b", 2, b"1"), named(b"", 2, b"2"), named(b"c", 2, b"3"), named(b"", 2, b"4")] {
        tiny.send(&bytes).await;
    }
    let topics: Vec<String> = door.commit(4).await.into_iter().map(|(topic, _)| topic).collect();
    assert_eq!(topics, ["a/b", "a/b", "c", "c"]);
    tiny.send(&named(b"", 3, b"x")).await;
    tiny.ended(0x94).await;
    door.counts("closed_total", "topic-alias", 1).await;
    door.close().await;
}

#[tokio::test]
async fn a_client_that_breaks_its_bounds_is_told_why() {
    let door = Door::open("inflight_max = 3\npacket_bytes_max = '2KiB'").await;
    let far = "x".repeat(4000);
    let cases: [(&str, u8, Vec<u8>); 7] = [
        ("receive-maximum", 0x93, (1..=4).flat_map(|n| publish(V5, 2, n, "t", "x")).collect()),
        ("oversized", 0x95, publish(V5, 2, 1, "t", &far)),
        ("malformed", 0x81, packet(0x36, &[0, 1, b't', 0, 1, 0])),
        ("malformed", 0x81, publish(V5, 0, 0, "a/+/b", "wildcards are for those who subscribe")),
        ("malformed", 0x81, packet(0x32, &[0, 1, b't', 0, 1])),
        ("protocol", 0x82, connect(&Hello { level: V5, ..Hello::default() })),
        ("protocol", 0x82, packet(0x20, &[0, 0, 0])),
    ];
    for (n, (reason, code, bytes)) in cases.into_iter().enumerate() {
        let before = door.metric("closed_total", reason);
        let mut tiny = Tiny::connected(door.address, V5, &format!("bad-{n}")).await;
        tiny.send(&bytes).await;
        tiny.ended(code).await;
        door.counts("closed_total", reason, before + 1).await;
    }
    // 3.1.1 has no words for it, and no Receive Maximum: there more than the window waits in the socket.
    let mut tiny = Tiny::connected(door.address, V311, "old").await;
    tiny.send(&publish(V311, 2, 1, "t", &far)).await;
    tiny.ended(0).await;
    door.close().await;
}

#[tokio::test]
async fn who_does_not_say_hello_properly_costs_a_socket_for_a_moment() {
    let door = Door::open("connect_timeout = '300ms'\nconnections_max = 3").await;
    let bad = [
        ("malformed", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("malformed", packet(0x10, b"\0\x04MQTX\x04\x02\0\0\0\0")),
        ("malformed", [0x10, 0xff, 0xff, 0xff, 0xff, 0x01].to_vec()),
        ("version", packet(0x10, b"\0\x06MQIsdp\x03\x02\0\0\0\x01a")),
        ("version", packet(0x10, b"\0\x04MQTT\x09\x02\0\0\0\x01a")),
        ("oversized", [0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4, b'M', b'Q', b'T', b'T', 4].to_vec()),
        // MQTT 3.1.1: no name, and yet a session to be kept.
        ("client-id", connect(&Hello { level: V311, keeps: true, ..Hello::default() })),
        ("client-id", connect(&Hello { level: V5, client: &"x".repeat(300), ..Hello::default() })),
        ("auth-method", connect(&Hello { level: V5, properties: &[0x15, 0, 1, b'x'], ..Hello::default() })),
    ];
    for (reason, bytes) in bad {
        let before = door.metric("refused_total", reason);
        let mut tiny = Tiny::dial(door.address, V311).await;
        tiny.send(&bytes).await;
        while tiny.packet().await.is_some() {}
        door.counts("refused_total", reason, before + 1).await;
    }
    // One that drips its CONNECT, one that says nothing.
    let mut slow = Tiny::dial(door.address, V311).await;
    let mut mute = Tiny::dial(door.address, V311).await;
    slow.send(&connect(&Hello { level: V311, client: "slow", ..Hello::default() })[..9]).await;
    // A third has room meanwhile, a fourth has not.
    let mut third = Tiny::connected(door.address, V311, "third").await;
    let mut fourth = Tiny::dial(door.address, V311).await;
    assert_eq!(fourth.packet().await, None);
    door.counts("refused_total", "too-many", 1).await;
    assert!(slow.packet().await.is_none() && mute.packet().await.is_none());
    door.counts("refused_total", "timed-out", 2).await;
    pong(&mut third).await;
    Tiny::connected(door.address, V311, "fifth").await;
    door.close().await;
}

#[tokio::test]
async fn only_users_get_in_and_only_to_their_topics() {
    let settings =
        "anonymous = []\n[[users]]\nname = 'tunnel'\npassword = { file = '{folder}/pw' }\npublish = ['%u/%c/#']";
    let write = |folder: &std::path::Path| std::fs::write(folder.join("pw"), "hunter2\n").unwrap();
    let mut door = Door::open_prepared(settings, 64, write).await;
    for (level, login, code) in [
        (V311, Some(("tunnel", "wrong")), 4),
        (V311, None, 4),
        (V5, Some(("tunnel", "wrong")), 0x86),
        (V5, Some(("nobody", "hunter2")), 0x86),
    ] {
        let (mut tiny, connack) =
            Tiny::hello(door.address, Hello { level, client: "a", login, ..Hello::default() }).await;
        assert_eq!(connack[..2], [0, code]);
        assert_eq!(tiny.packet().await, None);
    }
    door.counts("refused_total", "credentials", 4).await;
    let login = Some(("tunnel", "hunter2"));
    let theirs = Hello { level: V5, client: "a", login, will: Some(("tunnel/b/online", "0")), ..Hello::default() };
    assert_eq!(Tiny::hello(door.address, theirs).await.1[1], 0x87, "a will elsewhere");

    // MQTT 5 refuses the message, in its turn; the connection goes on.
    let (mut five, _) = Tiny::hello(door.address, Hello { level: V5, client: "a", login, ..Hello::default() }).await;
    five.publish(1, 1, "tunnel/a/gas", "1").await;
    five.publish(1, 2, "tunnel/b/gas", "2").await;
    five.publish(2, 3, "tunnel/b/gas", "3").await;
    five.publish(0, 0, "tunnel/b/gas", "4").await;
    five.publish(1, 5, "tunnel/a/gas", "5").await;
    let got = door.take(2).await;
    door.acknowledge(&got);
    five.acknowledged(PUBACK, [1]).await;
    assert_eq!(five.packet().await.unwrap(), (PUBACK, vec![0, 2, 0x87, 0]));
    assert_eq!(five.packet().await.unwrap(), (PUBREC, vec![0, 3, 0x87, 0]));
    five.acknowledged(PUBACK, [5]).await;
    // 3.1.1 could only promise or hang up.
    let (mut four, _) = Tiny::hello(door.address, Hello { level: V311, client: "c", login, ..Hello::default() }).await;
    four.publish(1, 1, "tunnel/b/gas", "2").await;
    four.ended(0).await;
    door.counts("closed_total", "forbidden", 1).await;
    assert_eq!(door.metric("forbidden_total", ""), 4);
    assert!(door.is_quiet());
    door.close().await;
}

#[tokio::test]
async fn a_client_takes_over_from_itself_and_the_old_connection_is_told() {
    for level in BOTH {
        let mut door = Door::open("").await;
        let hello = Hello { level, client: "a", keeps: true, properties: &[0x11, 0, 0, 0, 60], ..Hello::default() };
        let (mut old, connack) = Tiny::hello(door.address, Hello { will: Some(("w", "gone")), ..hello.clone() }).await;
        assert_eq!(connack[0], 0, "no session yet");
        old.publish(1, 1, "t", "x").await;
        let early = door.take(1).await;
        let (mut new, connack) = Tiny::hello(door.address, hello.clone()).await;
        assert_eq!(connack[0], 1, "the session goes on");
        old.ended(0x8e).await;
        door.counts("closed_total", "taken-over", 1).await;
        assert_eq!(door.commit(1).await, [("w".into(), "gone".into())]);
        // What the old connection sent is the old connection's to acknowledge: it comes again.
        door.acknowledge(&early);
        new.publish_again(1, 1, "t", "x").await;
        let again = door.take(1).await;
        assert!(again[0].receipt.redelivered && again[0].client.as_ref().is_some_and(|client| !client.is_new));
        door.acknowledge(&again);
        new.acknowledged(PUBACK, [1]).await;
        // A clean start forgets the session.
        let clean = Hello { keeps: false, ..hello.clone() };
        assert_eq!(Tiny::hello(door.address, clean).await.1[0], 0);
        door.close().await;
    }
}

#[tokio::test]
async fn a_will_waits_as_long_as_it_says_and_not_for_one_who_comes_back() {
    let mut door = Door::open("").await;
    let hello = Hello {
        level: V5,
        client: "a",
        keeps: true,
        properties: &[0x11, 0, 0, 0, 60],
        will: Some(("online", "0")),
        will_properties: &[0x18, 0, 0, 0, 1],
        ..Hello::default()
    };
    drop(Tiny::hello(door.address, hello.clone()).await);
    door.counts("closed_total", "lost", 1).await;
    let (back, connack) = Tiny::hello(door.address, hello.clone()).await;
    assert_eq!(connack[0], 1);
    assert!(door.is_quiet(), "the will of the first connection is dropped");
    drop(back);
    assert_eq!(door.commit(1).await, [("online".into(), "0".into())]);
    assert_eq!(door.metric("wills_total", ""), 1);

    // DISCONNECT drops it, DISCONNECT with will does not.
    for (bytes, n) in [(vec![0xe0, 0], 1), (vec![0xe0, 1, 4], 2)] {
        let (mut tiny, _) = Tiny::hello(door.address, Hello { will_properties: &[], ..hello.clone() }).await;
        tiny.send(&bytes).await;
        assert_eq!(tiny.packet().await, None);
        door.counts("wills_total", "", n).await;
    }
    door.close().await;
}

#[tokio::test]
async fn who_is_silent_for_longer_than_agreed_is_cut_off() {
    let mut door = Door::open("keep_alive_max = '1s'").await;
    for (level, keep_alive_s) in [(V5, 1), (V311, 1), (V311, 0), (V5, 600)] {
        let hello = Hello { level, client: "a", keep_alive_s, will: Some(("online", "0")), ..Hello::default() };
        let (mut tiny, _) = Tiny::hello(door.address, hello).await;
        pong(&mut tiny).await;
        tiny.ended(0x8d).await;
        assert_eq!(door.commit(1).await.len(), 1);
    }
    door.counts("closed_total", "keep-alive", 4).await;
    door.close().await;
}

#[tokio::test]
async fn a_full_queue_stops_the_reading_and_nothing_else() {
    let settings = "inflight_max = 100\nbuffer_bytes_max = '2MiB'\nkeep_alive_max = '1s'";
    for level in BOTH {
        let mut door = Door::open_prepared(settings, 8, |_| {}).await;
        let mut greedy = Tiny::connected(door.address, level, "greedy").await;
        // Its window, and then a ping: the queue takes eight, the ping is answered all the same.
        for n in 1..=99 {
            greedy.publish(1, n, "t", &n.to_string()).await;
        }
        pong(&mut greedy).await;
        // Another client is not held by it.
        let mut other = Tiny::connected(door.address, level, "other").await;
        pong(&mut other).await;
        // Far more than any bound, as fast as it goes: the socket fills up and nothing else does.
        let mut flood = Tiny::connected(door.address, level, "flood").await;
        let one = publish(level, 0, 0, "t", &"x".repeat(4000));
        let fill = async {
            loop {
                flood.socket.writable().await.unwrap();
                flood.send(&one).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(3), fill).await.is_err(), "it is held");
        let waiting = door.metric("waiting_bytes", "");
        assert!(waiting < 4 << 20, "{waiting} bytes wait");
        // It has been silent for longer than agreed, through no fault of its own.
        assert_eq!(door.metric("connections", ""), 2, "only who could ping and did not is gone");
        let got = door.take(99).await;
        door.acknowledge(&got);
        drop((greedy, flood));
        door.close().await;
    }
}

#[tokio::test]
async fn who_reads_no_answers_is_cut_off_in_the_end() {
    let mut door = Door::open("connect_timeout = '500ms'\nkeep_alive_max = '60s'").await;
    let mut deaf = Tiny::connected(door.address, V311, "deaf").await;
    let pings = PING.repeat(50_000);
    let shout = async {
        loop {
            use tokio::io::AsyncWriteExt;
            if deaf.socket.write_all(&pings).await.is_err() {
                break;
            }
        }
    };
    within("the end", shout).await;
    door.counts("closed_total", "stalled", 1).await;
    assert!(door.is_quiet());
    door.close().await;
}

#[tokio::test]
async fn a_stop_answers_what_was_handed_over_and_says_goodbye() {
    let mut door = Door::open("").await;
    let hello = Hello { level: V5, client: "a", will: Some(("online", "0")), ..Hello::default() };
    let (mut tiny, _) = Tiny::hello(door.address, hello).await;
    tiny.publish(1, 1, "t", "x").await;
    let got = door.take(1).await;
    let acks = door.acks.clone();
    let closing = tokio::spawn(door.close());
    tokio::task::yield_now().await;
    outpost::ingest::Acknowledge::acknowledge(&acks, &[got[0].receipt]);
    tiny.acknowledged(PUBACK, [1]).await;
    tiny.ended(0x8b).await;
    drop(tiny);
    closing.await.unwrap();
}
