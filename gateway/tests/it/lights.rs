//! A physical light behind a real broker: it is told the worst lamp of its centre, and believed only when it says so.

use outpost::config::{Broker, MqttVersion};
use serde_json::{Value, json};

use crate::support::program::Program;
use crate::support::session::{Gateway, broker, texts};
use crate::support::site::Site;

const LIGHT: &str = r#"
[[lights]]
id = "hall"
broker = "b"
topic = "light/set"
payload = { off = "0", green = "1" }
[lights.confirm]
topic = "light/state"
within = "200ms"
[[intake]]
id = "housing"
key = "/no"
title = "/subject"
kinds = [{ category = "matters/small" }]
"#;

async fn light(gateway: &Program) -> Value {
    gateway.json("/api/v1/lights").await["lights"][0].clone()
}

#[tokio::test]
async fn a_light_is_believed_when_it_confirms_and_faulty_until_then() {
    let mut site = Site::prepare("5", LIGHT).await;
    let fake = Broker { client_id: "hall".into(), ..broker(site.mosquitto.port(), MqttVersion::V5) };
    let mut fake = Gateway::subscribing(&fake, "light/set");
    fake.live().await;
    site.gateway.start_ready().await;
    let gateway = &site.gateway;
    let is = async |state: &str| light(gateway).await["state"] == state;

    let told = fake.take(3).await;
    assert_eq!(texts(&told), ["0", "0", "0"], "told again and again");
    fake.acknowledge(&told);
    gateway.eventually("a light that does not answer is faulty", async || is("fault").await).await;
    assert_eq!(light(gateway).await["shown"], Value::Null, "it never said what it shows");
    site.publish("light/state", "no colour").await;
    site.publish("light/state", "off").await;
    gateway.eventually("it confirms", async || is("confirmed").await).await;

    let report = json!({ "no": "7", "subject": "漏水" });
    assert_eq!(gateway.post("/api/v1/intake/housing", report).await.status, 200);
    loop {
        let told = fake.take(1).await;
        fake.acknowledge(&told);
        if texts(&told) == ["1"] {
            break;
        }
    }
    assert_eq!(light(gateway).await["shown"], "off", "not shown before it says so");
    site.publish("light/state", "green").await;
    gateway.eventually("it confirms the other colour", async || is("confirmed").await).await;
    let shown = light(gateway).await;
    assert_eq!(
        (&shown["wanted"], &shown["shown"], &shown["centre"]),
        (&json!("green"), &json!("green"), &json!("district"))
    );
    fake.stop().await;
}
