//! What MQTT client libraries are known to get wrong, each trap against a scripted broker; 13 needs a real one and is in
//! `mqtt_mosquitto`. Where both protocol versions apply, both are run.

use std::time::{Duration, Instant};

use outpost::config::{Bytes, MqttVersion, Span};
use outpost::ingest::mqtt::{DownReason, PublishError, Publisher, SessionState};
use tokio_util::sync::CancellationToken;

use crate::support::fake_broker::FakeBroker;
use crate::support::session::{BOTH, Gateway, broker, numbers, texts};
use crate::support::within;

/// Failures of one kind after which the broker is told to forget our session.
const FAILURES_MAX: usize = 5;

/// Trap 1: a packet beyond the limit comes again on each connection, for ever.
#[tokio::test]
async fn trap_01_an_oversized_packet_is_told_without_its_payload_and_does_not_loop() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut config = broker(fake.port(), version);
        config.packet_bytes_max = Bytes(8 << 10);
        let mut gateway = Gateway::start(&config);
        let mut peer = fake.accept_subscriber().await;
        gateway.live().await;
        peer.publish(1, vec![b'x'; 12 << 10]).await;
        peer.expect_end().await;

        let mut peer = fake.accept_connect(true).await;
        peer.publish_again(1, vec![b'x'; 12 << 10]).await;
        peer.publish(2, "next").await;
        let got = gateway.take(2).await;
        assert_eq!(texts(&got), ["", "next"]);
        assert_eq!([got[0].withheld_bytes, got[1].withheld_bytes], [12 << 10, 0]);
        gateway.acknowledge(&got);
        assert_eq!(peer.expect_pubacks(2).await, [1, 2]);
        assert_eq!(gateway.count(|c| &c.oversized), 1);
        assert_eq!(gateway.count(|c| &c.sessions_dropped), 0);
    }
}

/// Trap 1: the same where not even its header can be passed over.
#[tokio::test]
async fn trap_01_a_packet_beyond_all_limits_is_given_up_with_the_session() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let gateway = Gateway::start(&broker(fake.port(), version));
        for _ in 0..FAILURES_MAX {
            let mut peer = fake.accept_connect(true).await;
            // A header that announces 256 MiB; the rest never needs to come.
            peer.send_raw(&[0x32, 0xff, 0xff, 0xff, 0x7f]).await;
            peer.expect_end().await;
        }
        let mut forgetting = fake.accept_connect(false).await;
        assert!(forgetting.connect.clean);
        forgetting.expect_disconnect().await;
        forgetting.drop_connection();
        let mut peer = fake.accept_connect(false).await;
        assert!(!peer.connect.clean, "the next session must be kept again");
        peer.expect_subscribe().await;
        assert_eq!(gateway.count(|c| &c.sessions_dropped), 1);
    }
}

/// Trap 2: the client connects again at once, thousands of times a second.
#[tokio::test]
async fn trap_02_failed_connections_back_off() {
    let fake = FakeBroker::listen().await;
    let mut config = broker(fake.port(), MqttVersion::V5);
    config.retry_max = Span::from_ms(60_000);
    let started = Instant::now();
    let gateway = Gateway::start(&config);
    for _ in 0..4 {
        fake.accept().await.drop_connection();
    }
    // A lower bound only, which no slow machine can break: three waits of at least 125, 250 and 500 ms.
    assert!(started.elapsed() >= Duration::from_millis(875), "reconnected without waiting");
    let state = gateway.state("three failures", |s| matches!(s, SessionState::Down { attempts, .. } if *attempts >= 3));
    assert!(matches!(state.await, SessionState::Down { reason: DownReason::Network, .. }));
}

/// Trap 3: publishes without confirmation are discarded on a reconnect.
#[tokio::test]
async fn trap_03_an_unconfirmed_publish_is_an_error_never_lost_in_silence() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let publisher = Publisher::start(&broker(fake.port(), version), "outpost-out", CancellationToken::new());
        let script = async {
            let mut peer = fake.accept_connect(false).await;
            peer.expect_publish().await;
            peer.drop_connection();
        };
        let (lost, ()) = tokio::join!(publisher.publish("t/x", "one"), script);
        assert_eq!(lost, Err(PublishError::ConnectionLost));
    }
}

/// Trap 4: what is sent again is not marked so (DUP).
#[tokio::test]
async fn trap_04_a_repeated_message_says_so_and_nothing_is_repeated_behind_our_back() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut gateway = Gateway::start(&broker(fake.port(), version));
        let mut peer = fake.accept_subscriber().await;
        peer.publish(1, "first").await;
        peer.publish_again(2, "again").await;
        let got = gateway.take(2).await;
        assert_eq!([got[0].receipt.redelivered, got[1].receipt.redelivered], [false, true]);

        let fake = FakeBroker::listen().await;
        let publisher = Publisher::start(&broker(fake.port(), version), "outpost-out", CancellationToken::new());
        let script = async {
            let mut peer = fake.accept_connect(false).await;
            peer.expect_publish().await;
            peer.drop_connection();
        };
        let _ = tokio::join!(publisher.publish("t/x", "one"), script);
        let script = async {
            let mut peer = fake.accept_connect(false).await;
            assert!(peer.connect.clean);
            let published = peer.expect_publish().await;
            peer.puback(published.packet).await;
            published
        };
        let (sent, published) = tokio::join!(publisher.publish("t/x", "two"), script);
        assert_eq!(sent, Ok(()));
        assert_eq!((published.topic.as_str(), &published.payload[..], published.dup), ("t/x", &b"two"[..], false));
    }
}

/// Trap 5: quality of service 2 breaks a kept session.
#[tokio::test]
async fn trap_05_quality_of_service_2_is_not_asked_for_and_does_not_loop() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let gateway = Gateway::start(&broker(fake.port(), version));
        for _ in 0..FAILURES_MAX {
            let mut peer = fake.accept_connect(true).await;
            peer.publish_as(0x34, 7, "exactly once").await;
            peer.expect_end().await;
        }
        fake.accept_connect(false).await.expect_disconnect().await;
        let mut peer = fake.accept_connect(false).await;
        let (_, filters) = peer.expect_subscribe().await;
        assert!(filters.iter().all(|(_, options)| options & 3 == 1), "{filters:?}");
        assert_eq!(gateway.count(|c| &c.sessions_dropped), 1);
    }
}

/// Trap 6: acknowledging through the queue that the polling task drains deadlocks.
#[tokio::test]
async fn trap_06_acknowledging_from_a_thread_while_messages_stream_never_deadlocks() {
    const N: u16 = 3_000;
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut gateway = Gateway::with_queue(&broker(fake.port(), version), 8);
        let acks = gateway.session.acks();
        let committer = std::thread::spawn(move || {
            while let Some(message) = gateway.messages.blocking_recv() {
                acks.acknowledge(&[message.receipt]);
            }
        });
        let mut peer = fake.accept_subscriber().await;
        for packet in 1..=N {
            peer.publish(packet, packet.to_string()).await;
        }
        let acked = peer.expect_pubacks(N.into()).await;
        assert_eq!(acked, (1..=N).collect::<Vec<_>>());
        gateway.stop.cancel();
        within("the session to stop", gateway.session.stopped()).await;
        committer.join().unwrap();
    }
}

/// Trap 7: acknowledgements starve behind our own publishes.
#[tokio::test]
async fn trap_07_acknowledgements_do_not_wait_behind_our_own_publishes() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut config = broker(fake.port(), version);
        config.inflight_max = 1;
        let mut gateway = Gateway::start(&config);
        let mut incoming = fake.accept_subscriber().await;
        let publisher = Publisher::start(&config, "outpost-out", CancellationToken::new());
        let script = async {
            let mut outgoing = fake.accept_connect(false).await;
            outgoing.expect_publish().await; // and never answered
            for packet in 1..=20 {
                incoming.publish(packet, "m").await;
                let got = gateway.take(1).await;
                gateway.acknowledge(&got);
                assert_eq!(incoming.expect_pubacks(1).await, [packet]);
            }
        };
        let stuck = async { tokio::join!(publisher.publish("t/1", "a"), publisher.publish("t/2", "b")) };
        tokio::select! {
            answered = stuck => panic!("nobody confirmed: {answered:?}"),
            () = script => {}
        }
    }
}

/// Trap 8: MQTT wants acknowledgements in the order of receipt, and leaves that to the application.
#[tokio::test]
async fn trap_08_acknowledgements_leave_in_the_order_of_receipt() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut gateway = Gateway::start(&broker(fake.port(), version));
        let mut peer = fake.accept_subscriber().await;
        for packet in [9, 4, 6, 1] {
            peer.publish(packet, "m").await;
        }
        let mut got = gateway.take(4).await;
        got.reverse();
        gateway.acknowledge(&got);
        assert_eq!(peer.expect_pubacks(4).await, [9, 4, 6, 1]);
    }
}

/// Trap 8: an acknowledgement of an old connection names another message on the new one.
#[tokio::test]
async fn trap_08_a_receipt_of_the_old_connection_never_reaches_the_new_one() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut gateway = Gateway::start(&broker(fake.port(), version));
        let mut peer = fake.accept_subscriber().await;
        for packet in 1..=3 {
            peer.publish(packet, "old").await;
        }
        let old = gateway.take(3).await;
        peer.drop_connection();
        let mut peer = fake.accept_connect(true).await;
        // The same identifiers, other messages: the broker is free to do that.
        for packet in 1..=3 {
            peer.publish(packet, "new").await;
        }
        let new = gateway.take(3).await;
        gateway.acknowledge(&old);
        assert_eq!(gateway.count(|c| &c.stale_acks), 3);
        gateway.acknowledge(&new[..1]);
        assert_eq!(peer.expect_pubacks(1).await, [1]);
        peer.publish(4, "end").await;
        gateway.take(1).await;
        assert_eq!(gateway.count(|c| &c.acknowledged), 1);
    }
}

/// Trap 9: subscriptions are not restored, and on a kept session messages come before any is confirmed.
#[tokio::test]
async fn trap_09_we_subscribe_again_exactly_when_the_broker_has_forgotten_us() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut gateway = Gateway::start(&broker(fake.port(), version));
        // An earlier process may have had other topics: the first connection always asks.
        let mut peer = fake.accept_connect(true).await;
        peer.publish(1, "before the answer").await;
        assert_eq!(gateway.take(1).await[0].receipt.epoch, 1);
        let (packet, _) = peer.expect_subscribe().await;
        peer.suback(packet, &[1]).await;
        assert!(matches!(gateway.live().await, SessionState::Live { session_present: true, .. }));
        peer.drop_connection();

        let mut peer = fake.accept_connect(true).await;
        peer.publish(2, "m").await;
        let got = gateway.take(1).await;
        gateway.acknowledge(&got);
        assert_eq!(peer.expect_pubacks(1).await, [2]); // and not a SUBSCRIBE
        peer.drop_connection();

        let mut peer = fake.accept_connect(false).await;
        let (packet, filters) = peer.expect_subscribe().await;
        assert_eq!(filters[0].0, "t/#");
        peer.suback(packet, &[1]).await;
        gateway.state("a lost session", |s| matches!(s, SessionState::Live { session_present: false, .. })).await;
        assert_eq!(gateway.count(|c| &c.sessions_lost), 1);
    }
}

/// Trap 9: nobody looks at what SUBACK says.
#[tokio::test]
async fn trap_09_a_refused_subscription_is_a_state_and_is_asked_for_again() {
    for (version, code) in [(MqttVersion::V311, 0x80), (MqttVersion::V5, 0x87)] {
        let fake = FakeBroker::listen().await;
        let gateway = Gateway::start(&broker(fake.port(), version));
        let mut peer = fake.accept_connect(false).await;
        let (packet, _) = peer.expect_subscribe().await;
        peer.suback(packet, &[code]).await;
        let refused =
            gateway.state("a refusal", |s| matches!(s, SessionState::Live { refused, .. } if !refused.is_empty()));
        let SessionState::Live { refused, .. } = refused.await else { unreachable!() };
        assert_eq!(refused[0].filter, "t/#");
        let (packet, filters) = peer.expect_subscribe().await;
        assert_eq!(filters.len(), 1);
        peer.suback(packet, &[1]).await;
        gateway.state("a grant", |s| matches!(s, SessionState::Live { refused, .. } if refused.is_empty())).await;
        assert_eq!(gateway.count(|c| &c.subscribe_refused), 1);
    }
}

/// Trap 9: a SUBACK that never comes is waited for, for ever.
#[tokio::test]
async fn trap_09_a_broker_that_never_answers_is_left() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut config = broker(fake.port(), version);
        config.connect_timeout = Span::from_ms(200);
        let gateway = Gateway::start(&config);
        // Neither CONNACK...
        let mut peer = fake.accept().await;
        peer.expect_end().await;
        // ...nor SUBACK.
        let mut peer = fake.accept_connect(false).await;
        peer.expect_subscribe().await;
        peer.expect_end().await;
        let silent =
            gateway.state("silence", |s| matches!(s, SessionState::Down { reason: DownReason::Silent, .. })).await;
        assert!(matches!(silent, SessionState::Down { .. }));
    }
}

/// Trap 10: packet identifiers end at the window, and one that stays open blocks its successor at the wrap.
#[tokio::test]
async fn trap_10_one_publish_without_answer_does_not_break_the_others() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut config = broker(fake.port(), version);
        config.inflight_max = 4;
        let publisher = Publisher::start(&config, "outpost-out", CancellationToken::new());
        let mut stuck = std::pin::pin!(publisher.publish("t/stuck", "s"));
        let mut peer = None;
        let first = async {
            let connected = peer.insert(fake.accept_connect(false).await);
            connected.expect_publish().await;
        };
        tokio::select! { answered = &mut stuck => panic!("nobody confirmed: {answered:?}"), () = first => {} }
        let mut peer = peer.unwrap();
        let answer = async {
            loop {
                let published = peer.expect_publish().await;
                peer.puback(published.packet).await
            }
        };
        let others = async {
            for n in 0..50 {
                publisher.publish("t/x", n.to_string()).await.unwrap();
            }
        };
        tokio::select! {
            () = others => {}
            () = answer => {}
            answered = &mut stuck => panic!("nobody confirmed: {answered:?}"),
        }
    }
}

/// Trap 11: who takes messages slowly answers no pings. With a real broker, for longer than its patience: `mqtt_stall`.
#[tokio::test]
async fn trap_11_a_full_queue_stops_reading_and_the_connection_lives_on() {
    const N: usize = 400;
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut config = broker(fake.port(), version);
        config.keep_alive = Span::from_ms(1_000);
        let mut gateway = Gateway::with_queue(&config, 2);
        let mut peer = fake.accept_subscriber().await;
        for n in 0..N {
            peer.publish(n as u16 + 1, n.to_string()).await;
        }
        // Nobody takes anything for three times the keep-alive; the answers lie unread behind the messages.
        for _ in 0..4 {
            peer.expect_ping().await;
            peer.pong().await;
        }
        assert_eq!(gateway.count(|c| &c.pauses), 1);
        let got = gateway.take(N).await;
        assert_eq!(texts(&got), numbers(0..N));
        gateway.acknowledge(&got);
        peer.expect_pubacks(N).await;
        assert_eq!(gateway.count(|c| &c.connected), 1);
    }
}

/// Trap 11: a broker that is gone without a word goes unnoticed.
#[tokio::test]
async fn trap_11_a_broker_that_does_not_answer_pings_is_left() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut config = broker(fake.port(), version);
        config.keep_alive = Span::from_ms(1_000);
        let gateway = Gateway::start(&config);
        let mut peer = fake.accept_subscriber().await;
        peer.expect_ping().await;
        peer.expect_end().await;
        gateway.state("silence", |s| matches!(s, SessionState::Down { reason: DownReason::Silent, .. })).await;
    }
}

/// Trap 12: a publish that was queued counts as done.
#[tokio::test]
async fn trap_12_a_publish_is_done_when_the_broker_has_it_and_not_before() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let publisher = Publisher::start(&broker(fake.port(), version), "outpost-out", CancellationToken::new());
        let mut publishing = std::pin::pin!(publisher.publish("t/x", "m"));
        let arrives = async {
            let mut peer = fake.accept_connect(false).await;
            let packet = peer.expect_publish().await.packet;
            (peer, packet)
        };
        let (mut peer, packet) = tokio::select! {
            done = &mut publishing => panic!("done before the broker answered: {done:?}"),
            arrived = arrives => arrived,
        };
        peer.puback(packet).await;
        assert_eq!(within("the confirmation", publishing).await, Ok(()));
    }
}

/// Trap 14: without a receive maximum of ours the broker sends 65,535 messages unacknowledged.
#[tokio::test]
async fn trap_14_what_may_be_unacknowledged_and_large_is_announced_to_the_broker() {
    let fake = FakeBroker::listen().await;
    let mut config = broker(fake.port(), MqttVersion::V5);
    (config.inflight_max, config.packet_bytes_max, config.keep_alive) = (321, Bytes(300_000), Span::from_ms(45_000));
    let _gateway = Gateway::start(&config);
    let connect = fake.accept_connect(false).await.connect;
    assert_eq!((connect.receive_maximum, connect.packet_bytes_max), (Some(321), Some(300_000)));
    assert_eq!((connect.session_expiry_s, connect.clean), (Some(7 * 86_400), false));
    assert_eq!((connect.client_id.as_str(), connect.keep_alive_s), ("outpost", 45));
}

/// Trap 14: the receive maximum is the broker's to keep, and not all do (Mosquitto 2.0.11 sends on at each acknowledgement);
/// MQTT 3.1.1 knows none.
#[tokio::test]
async fn trap_14_a_broker_that_sends_more_than_it_may_is_not_read_beyond_it() {
    const N: u16 = 300;
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut config = broker(fake.port(), version);
        config.inflight_max = 10;
        let mut gateway = Gateway::start(&config);
        let mut peer = fake.accept_subscriber().await;
        for packet in 1..=N {
            peer.publish(packet, packet.to_string()).await;
        }
        for from in (1..=N).step_by(10) {
            let got = gateway.take(10).await;
            assert_eq!(texts(&got), (from..from + 10).map(|packet| packet.to_string()).collect::<Vec<_>>());
            gateway.counted("a pause", |c| &c.pauses, 1).await;
            assert!(gateway.messages.try_recv().is_err(), "more than ten are unacknowledged");
            gateway.acknowledge(&got);
            assert_eq!(peer.expect_pubacks(10).await, (from..from + 10).collect::<Vec<_>>());
        }
        assert_eq!(gateway.count(|c| &c.connected), 1);
    }
}

/// Trap 14: a shared subscription is a topic like any other to the client, in version 3.1.1, too.
#[tokio::test]
async fn trap_14_a_shared_subscription_is_asked_for_as_it_is_written() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut gateway = Gateway::subscribing(&broker(fake.port(), version), "$share/gateways/t/#");
        let mut peer = fake.accept_connect(false).await;
        let (packet, filters) = peer.expect_subscribe().await;
        // No local option: MQTT 5 forbids it for shared subscriptions (3.8.3-4).
        assert_eq!(filters, [("$share/gateways/t/#".to_owned(), filters[0].1 & !4)]);
        peer.suback(packet, &[1]).await;
        peer.publish(1, "m").await;
        let got = gateway.take(1).await;
        assert_eq!((&*got[0].topic, texts(&got)), ("t/x", vec!["m".to_owned()]));
        gateway.acknowledge(&got);
        assert_eq!(peer.expect_pubacks(1).await, [1]);
    }
}
