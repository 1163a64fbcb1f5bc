//! The demo's embedded broker does for our session what Mosquitto does.

use outpost::demo;
use outpost::ingest::mqtt::{Publisher, SessionState};
use tokio_util::sync::CancellationToken;

use crate::support::session::{BOTH, Gateway, broker, numbers, texts};
use crate::support::within;

#[tokio::test]
async fn the_demo_broker_keeps_what_was_not_acknowledged_and_what_came_while_we_were_away() {
    for version in BOTH {
        let embedded = demo::broker::start().await.unwrap();
        let config = broker(embedded.address().port(), version);
        let devices = Publisher::start(&config, "devices", CancellationToken::new());
        let mut gateway = Gateway::start(&config);
        gateway.live().await;
        for n in 0..100 {
            within("a confirmation", devices.publish("t/n", n.to_string())).await.unwrap();
        }
        let got = gateway.take(100).await;
        assert_eq!(texts(&got), numbers(0..100));
        gateway.acknowledge(&got[..40]);
        gateway.stop().await;
        for n in 100..150 {
            within("a confirmation", devices.publish("t/n", n.to_string())).await.unwrap();
        }
        let mut gateway = Gateway::start(&config);
        let got = gateway.take(110).await;
        assert_eq!(texts(&got), numbers(40..150));
        assert!(matches!(gateway.live().await, SessionState::Live { session_present: true, .. }));
        gateway.acknowledge(&got);
        gateway.counted("all acknowledgements", |c| &c.acknowledged, 110).await;
        gateway.stop().await;
        within("the broker to stop", embedded.stop()).await;
    }
}

#[tokio::test]
async fn the_demo_broker_takes_a_burst_of_large_and_small_messages() {
    for version in BOTH {
        let embedded = demo::broker::start().await.unwrap();
        let config = broker(embedded.address().port(), version);
        let mut gateway = Gateway::start(&config);
        gateway.live().await;
        let devices = Publisher::start(&config, "devices", CancellationToken::new());
        let burst = async {
            let sends = (0..2_000).map(|n| devices.publish("t/n", n.to_string()));
            futures::future::join_all(sends).await.into_iter().for_each(|sent| sent.unwrap());
            devices.publish("t/thermal", vec![7; 300 << 10]).await.unwrap();
        };
        let drain = async {
            let mut taken = Vec::new();
            while taken.len() < 2_001 {
                let got = gateway.take(1).await;
                gateway.acknowledge(&got);
                taken.extend(got);
            }
            taken
        };
        let ((), mut taken) = within("the burst", async { tokio::join!(burst, drain) }).await;
        assert_eq!(taken.pop().unwrap().payload.len(), 300 << 10);
        // Sent concurrently, so in any order; each once.
        let mut got: Vec<usize> = texts(&taken).iter().map(|text| text.parse().unwrap()).collect();
        got.sort_unstable();
        assert!(got.iter().copied().eq(0..2_000), "{} messages, not each of 2000 once", got.len());
    }
}
