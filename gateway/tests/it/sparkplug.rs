//! Who hears data of a Sparkplug node whose birth it missed asks the node for it, over the broker; once it has come, the
//! data means something.

use crate::support::site::Site;

const SITE: &str = r#"
[[feeds]]
id = "plant"
broker = "b"
topics = ["spBv1.0/#"]
source = "plant/{name}"
format = { kind = "sparkplug-b" }
"#;

fn payload(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/payloads/sparkplug-b");
    std::fs::read(format!("{folder}/{name}.bin")).unwrap()
}

#[tokio::test]
async fn a_missed_birth_is_asked_for() {
    let site = Site::start("5", SITE).await;
    site.publish("spBv1.0/north/DDATA/edge1/well3", payload("data-without-birth")).await;
    let asked = "Received PUBLISH from gateway-out";
    site.gateway
        .eventually("the request", async || {
            site.mosquitto.log().lines().any(|line| line.contains(asked) && line.contains("'spBv1.0/north/NCMD/edge1'"))
        })
        .await;
    let rejected =
        async || site.gateway.metric("outpost_messages_rejected_total", r#"feed="plant",reason="no_birth""#).await;
    assert_eq!(rejected().await, 1);

    site.publish("spBv1.0/north/NBIRTH/edge1", payload("1-node-birth")).await;
    site.publish("spBv1.0/north/NDATA/edge1", payload("4-node-data")).await;
    let committed = async || site.gateway.metric("outpost_messages_committed_total", r#"feed="plant""#).await;
    // The birth, and the command itself, which comes back by the subscription.
    site.gateway.eventually("the birth and the data", async || committed().await >= 2).await;
    assert_eq!(rejected().await, 1, "{}", site.gateway.log());
}
