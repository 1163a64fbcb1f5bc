//! The session and the publisher against a real Mosquitto.

use std::fs;

use outpost::config::{self, MqttVersion, Secret, Span};
use outpost::ingest::Message;
use outpost::ingest::mqtt::{DownReason, Publisher, SessionState};
use tokio_util::sync::CancellationToken;

use crate::support::mosquitto::Mosquitto;
use crate::support::session::{BOTH, Gateway, broker, numbers, texts};
use crate::support::within;

fn publisher(mosquitto: &Mosquitto, version: MqttVersion) -> Publisher {
    Publisher::start(&broker(mosquitto.port(), version), "devices", CancellationToken::new())
}

async fn publish(publisher: &Publisher, range: std::ops::Range<usize>) {
    for n in range {
        within("a confirmation", publisher.publish("t/n", n.to_string())).await.unwrap();
    }
}

fn all_redelivered(messages: &[Message]) -> bool {
    messages.iter().all(|message| message.receipt.redelivered)
}

#[tokio::test]
async fn messages_come_in_order_and_are_acknowledged() {
    for version in BOTH {
        let mosquitto = Mosquitto::start().await;
        let mut gateway = Gateway::start(&broker(mosquitto.port(), version));
        gateway.live().await;
        publish(&publisher(&mosquitto, version), 0..1_000).await;
        for n in (0..1_000).step_by(100) {
            let got = gateway.take(100).await;
            assert_eq!(texts(&got), numbers(n..n + 100));
            assert!(got.iter().all(|m| &*m.topic == "t/n" && &*m.broker == "b" && m.receipt.packet != 0));
            gateway.acknowledge(&got);
        }
        gateway.counted("all acknowledgements", |c| &c.acknowledged, 1_000).await;
        gateway.stop().await;

        // Acknowledged is done: the next process gets only what is new.
        let mut gateway = Gateway::start(&broker(mosquitto.port(), version));
        gateway.live().await;
        publish(&publisher(&mosquitto, version), 7..8).await;
        let got = gateway.take(1).await;
        assert_eq!(texts(&got), ["7"]);
    }
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_after_our_own_restart_and_so_does_what_came_meanwhile() {
    for version in BOTH {
        let mosquitto = Mosquitto::start().await;
        let publisher = publisher(&mosquitto, version);
        let mut gateway = Gateway::start(&broker(mosquitto.port(), version));
        gateway.live().await;
        publish(&publisher, 0..150).await;
        let got = gateway.take(150).await;
        gateway.acknowledge(&got[..50]);
        gateway.stop().await;
        publish(&publisher, 150..300).await;

        let mut gateway = Gateway::start(&broker(mosquitto.port(), version));
        let got = gateway.take(250).await;
        assert_eq!(texts(&got), numbers(50..300));
        assert!(all_redelivered(&got[..100]));
        assert!(!got[249].receipt.redelivered);
        assert!(matches!(gateway.live().await, SessionState::Live { session_present: true, .. }));
        assert_eq!(gateway.count(|c| &c.redelivered), 100);
    }
}

#[tokio::test]
async fn a_broker_killed_and_started_again_costs_no_message() {
    for version in BOTH {
        let mut mosquitto = Mosquitto::start().await;
        let mut gateway = Gateway::start(&broker(mosquitto.port(), version));
        gateway.live().await;
        publish(&publisher(&mosquitto, version), 0..150).await;
        let before = gateway.take(150).await;
        gateway.acknowledge(&before[..50]);
        gateway.counted("acknowledgements", |c| &c.acknowledged, 50).await;
        mosquitto.logged("PUBACK from outpost (Mid: 50").await;
        // What Mosquitto has not written is its own to lose; what it has must come.
        mosquitto.save().await;
        mosquitto.kill();
        gateway.state("the loss", |state| matches!(state, SessionState::Down { .. })).await;
        mosquitto.restart().await;

        let after = gateway.take(100).await;
        assert_eq!(texts(&after), numbers(50..150));
        assert!(all_redelivered(&after));
        // Receipts from before the kill must not acknowledge what has the same identifiers now.
        gateway.acknowledge(&before[50..]);
        assert_eq!(gateway.count(|c| &c.stale_acks), 100);
        gateway.acknowledge(&after);
        gateway.counted("acknowledgements", |c| &c.acknowledged, 150).await;
        assert_eq!(gateway.count(|c| &c.sessions_lost), 0);
    }
}

#[tokio::test]
async fn a_broker_that_lost_everything_is_subscribed_to_again() {
    for version in BOTH {
        let mut mosquitto = Mosquitto::start().await;
        let mut gateway = Gateway::start(&broker(mosquitto.port(), version));
        gateway.live().await;
        mosquitto.kill();
        gateway.state("the loss", |state| matches!(state, SessionState::Down { .. })).await;
        let _ = fs::remove_file(mosquitto.folder().join("mosquitto.db"));
        mosquitto.restart().await;
        gateway.state("a new session", |s| matches!(s, SessionState::Live { session_present: false, .. })).await;
        publish(&publisher(&mosquitto, version), 0..10).await;
        assert_eq!(texts(&gateway.take(10).await), numbers(0..10));
        assert_eq!(gateway.count(|c| &c.sessions_lost), 1);
    }
}

#[tokio::test]
async fn payloads_from_12_to_900_kibibytes_pass_whole() {
    for version in BOTH {
        let mosquitto = Mosquitto::start().await;
        let mut gateway = Gateway::start(&broker(mosquitto.port(), version));
        gateway.live().await;
        let publisher = publisher(&mosquitto, version);
        for kib in [12usize, 64, 257, 900] {
            let payload: Vec<u8> = (0..kib << 10).map(|n| (n % 251) as u8).collect();
            within("a confirmation", publisher.publish("t/thermal", payload.clone())).await.unwrap();
            let got = gateway.take(1).await;
            assert!(got[0].payload == payload, "{kib} KiB arrived changed");
            gateway.acknowledge(&got);
        }
        gateway.counted("all acknowledgements", |c| &c.acknowledged, 4).await;
        assert_eq!(gateway.count(|c| &c.connected), 1);
    }
}

#[tokio::test]
async fn a_slow_pipeline_loses_nothing() {
    const N: usize = 2_000;
    for version in BOTH {
        let mosquitto = Mosquitto::start().await;
        let mut gateway = Gateway::with_queue(&broker(mosquitto.port(), version), 4);
        gateway.live().await;
        publish(&publisher(&mosquitto, version), 0..N).await;
        for n in 0..N {
            let got = gateway.take(1).await;
            assert_eq!(texts(&got), numbers(n..n + 1));
            gateway.acknowledge(&got);
        }
        assert!(gateway.count(|c| &c.pauses) > 0, "the queue was never full");
        assert_eq!(gateway.count(|c| &c.connected), 1);
    }
}

/// Trap 14: whether a shared subscription works is the broker's affair, so it takes a real one to know.
#[tokio::test]
async fn trap_14_gateways_of_one_group_share_the_messages() {
    const N: usize = 200;
    for version in BOTH {
        let mosquitto = Mosquitto::start().await;
        let gateway = |client_id: &str| {
            let config = config::Broker { client_id: client_id.into(), ..broker(mosquitto.port(), version) };
            Gateway::subscribing(&config, "$share/gateways/t/#")
        };
        let mut gateways = [gateway("one"), gateway("two")];
        for gateway in &gateways {
            gateway.live().await;
        }
        publish(&publisher(&mosquitto, version), 0..N).await;
        let mut got = Vec::new();
        let [one, two] = &mut gateways;
        while got.len() < N {
            let message = within("a message at either", async {
                tokio::select! { message = one.messages.recv() => message, message = two.messages.recv() => message }
            });
            got.push(message.await.expect("the session ended"));
        }
        let mut numbers: Vec<usize> = texts(&got).iter().map(|text| text.parse().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..N).collect::<Vec<_>>(), "each at one of them");
    }
}

#[tokio::test]
async fn a_wrong_password_is_reported_as_such_and_a_right_one_works() {
    for version in BOTH {
        let mosquitto = Mosquitto::start_prepared("password_file {folder}/passwords\n", |folder| {
            let file = folder.join("passwords");
            fs::write(&file, "").unwrap();
            #[expect(clippy::disallowed_methods, reason = "the broker's own tool writes its password file")]
            let status = std::process::Command::new("mosquitto_passwd")
                .args(["-b", &file.display().to_string(), "gate", "right"])
                .status()
                .unwrap();
            assert!(status.success());
        })
        .await;
        let file = mosquitto.folder().join("secret");
        fs::write(&file, "wrong\n").unwrap();
        let mut config = broker(mosquitto.port(), version);
        (config.username, config.password) = (Some("gate".into()), Some(Secret::File(file.clone())));
        let gateway = Gateway::start(&config);
        let down =
            gateway.state("a refusal", |s| matches!(s, SessionState::Down { reason: DownReason::Auth, .. })).await;
        assert!(!format!("{down:?}").contains("wrong"), "the password is shown: {down:?}");
        // The file is read for each attempt, so that a mended secret needs no restart.
        fs::write(&file, "right\n").unwrap();
        gateway.live().await;
    }
}

#[tokio::test]
async fn a_frozen_broker_is_noticed_and_returned_to() {
    let mosquitto = Mosquitto::start().await;
    let mut config = broker(mosquitto.port(), MqttVersion::V5);
    (config.keep_alive, config.connect_timeout) = (Span::from_ms(1_000), Span::from_ms(500));
    let gateway = Gateway::start(&config);
    gateway.live().await;
    mosquitto.signal("-STOP");
    gateway.state("silence", |s| matches!(s, SessionState::Down { reason: DownReason::Silent, .. })).await;
    mosquitto.signal("-CONT");
    gateway.live().await;
}

/// Trap 13: TLS that needs a provider of the process panics where there is none.
#[tokio::test]
async fn trap_13_tls_needs_no_provider_of_the_process_and_checks_the_name() {
    for version in BOTH {
        let mosquitto = Mosquitto::start_prepared(
            "allow_anonymous true\ncertfile {folder}/cert.pem\nkeyfile {folder}/key.pem\n",
            certificate_for_localhost,
        )
        .await;
        let mut config = broker(mosquitto.port(), version);
        (config.tls, config.ca_file) = (true, Some(mosquitto.folder().join("cert.pem")));
        let stranger = Gateway::start(&config);
        let down = stranger.state("a refusal", |s| matches!(s, SessionState::Down { .. })).await;
        assert!(format!("{down:?}").contains("TLS"), "127.0.0.1 is not in the certificate: {down:?}");
        stranger.stop().await;

        config.host = "localhost".into();
        let mut gateway = Gateway::start(&config);
        gateway.live().await;
        let publisher = Publisher::start(&config, "devices", CancellationToken::new());
        publish(&publisher, 0..200).await;
        let got = gateway.take(200).await;
        assert_eq!(texts(&got), numbers(0..200));
        gateway.acknowledge(&got);
        gateway.counted("all acknowledgements", |c| &c.acknowledged, 200).await;
        gateway.stop().await;
    }
}

fn certificate_for_localhost(folder: &std::path::Path) {
    let path = |name: &str| folder.join(name).display().to_string();
    #[expect(clippy::disallowed_methods, reason = "a certificate of the hour, by openssl")]
    let output = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", &path("key.pem"), "-out", &path("cert.pem")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
