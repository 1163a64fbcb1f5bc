//! A broker that breaks the protocol, and one that is left in the middle of it.

use outpost::ingest::mqtt::{DownReason, SessionState};

use crate::support::fake_broker::FakeBroker;
use crate::support::session::{BOTH, Gateway, broker, texts};
use crate::support::within;

#[tokio::test]
async fn garbage_from_the_broker_is_a_state_and_not_a_panic() {
    let garbage: [&[u8]; 5] = [
        &[0x32, 0x02, 0xff, 0xff],                   // a topic longer than its packet
        &[0x32, 0x07, 0, 3, b't', 0xff, b'x', 0, 1], // a topic that is not UTF-8
        &[0x32, 0x05, 0, 1, b't', 0, 0],             // packet identifier 0
        &[0x00, 0x00],                               // a packet type that does not exist
        &[0x32, 0xff, 0xff, 0xff, 0xff, 0xff],       // a length without end
    ];
    for version in BOTH {
        for bytes in garbage {
            let fake = FakeBroker::listen().await;
            let mut gateway = Gateway::start(&broker(fake.port(), version));
            let mut peer = fake.accept_subscriber().await;
            gateway.live().await;
            peer.send_raw(bytes).await;
            peer.expect_end().await;
            gateway
                .state(
                    "a protocol fault",
                    |s| matches!(s, SessionState::Down { reason, .. } if *reason == DownReason::Protocol),
                )
                .await;
            let mut peer = fake.accept_connect(true).await;
            peer.publish(1, "and on").await;
            assert_eq!(texts(&gateway.take(1).await), ["and on"]);
        }
    }
}

#[tokio::test]
async fn an_identifier_that_comes_again_unacknowledged_ends_the_connection() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut gateway = Gateway::start(&broker(fake.port(), version));
        let mut peer = fake.accept_subscriber().await;
        peer.publish(1, "a").await;
        peer.publish(1, "b").await;
        peer.expect_end().await;
        assert_eq!(texts(&gateway.take(1).await), ["a"]);
    }
}

#[tokio::test]
async fn a_stop_sends_the_last_acknowledgements_and_says_good_bye() {
    for version in BOTH {
        let fake = FakeBroker::listen().await;
        let mut gateway = Gateway::start(&broker(fake.port(), version));
        let mut peer = fake.accept_subscriber().await;
        peer.publish(1, "m").await;
        let got = gateway.take(1).await;
        gateway.stop.cancel();
        assert!(within("the end of the queue", gateway.messages.recv()).await.is_none());
        // Nothing that comes now is handed over, so nothing of it may be acknowledged.
        peer.publish(2, "late").await;
        gateway.acknowledge(&got);
        assert_eq!(peer.expect_pubacks(1).await, [1]);
        peer.expect_disconnect().await;
        peer.drop_connection();
        within("the session to stop", gateway.session.stopped()).await;
    }
}
