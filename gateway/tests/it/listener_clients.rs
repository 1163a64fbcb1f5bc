//! The built-in MQTT listener with clients that others wrote: Mosquitto's, Paho, rumqttc, mqtt5.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use outpost::config::MqttVersion;
use outpost::ingest::mqtt::Publisher;
use tokio_util::sync::CancellationToken;

use crate::support::listener::Door;
use crate::support::{session, within};

/// Runs a client to its end: its exit code, and what it said.
async fn client(program: &str, arguments: &[&str]) -> (i32, String) {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = within(program, command.output()).await.unwrap_or_else(|cause| panic!("{program}: {cause}"));
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

/// Commits everything that comes, until the client has gone; topics and texts.
async fn served<T>(door: &mut Door, client: impl Future<Output = T>) -> (T, Vec<(String, String)>) {
    let mut all = Vec::new();
    let mut client = std::pin::pin!(client);
    loop {
        tokio::select! {
            biased;
            got = door.commit(1) => all.extend(got),
            answer = &mut client => {
                // What was published at quality 0 may still be on its way.
                while let Ok(got) = tokio::time::timeout(Duration::from_millis(200), door.commit(1)).await {
                    all.extend(got);
                }
                return (answer, all);
            }
        }
    }
}

#[tokio::test]
async fn mosquittos_publisher_is_served_in_every_version_and_quality() {
    let mut door = Door::open("").await;
    let port = door.address.port().to_string();
    for version in ["311", "5"] {
        for quality in ["0", "1", "2"] {
            let arguments = [
                "-p",
                &port,
                "-V",
                version,
                "-q",
                quality,
                "-t",
                "m/a",
                "-m",
                "21.5",
                "--repeat",
                "50",
                "-i",
                "mosq",
                "-r",
                "--will-topic",
                "m/w",
                "--will-payload",
                "x",
            ];
            let ((code, said), got) = served(&mut door, client("mosquitto_pub", &arguments)).await;
            assert_eq!((code, said.as_str()), (0, ""), "{version} {quality}");
            assert_eq!(got, vec![("m/a".to_owned(), "21.5".to_owned()); 50], "{version} {quality}");
        }
    }
    assert_eq!(door.metric("retained_total", ""), 300);
    // One that subscribes is granted it, hears nothing, and does not mind.
    let arguments = ["-p", &port, "-V", "5", "-t", "cmd/#", "-W", "1", "-v", "-d"];
    let ((_, said), _) = served(&mut door, client("mosquitto_sub", &arguments)).await;
    assert!(said.contains("Subscribed (mid: 1)"), "{said}");
    door.close().await;
}

#[tokio::test]
async fn mosquittos_publisher_is_told_what_is_wrong() {
    let settings = "anonymous = ['open/%c']\n[[users]]\nname = 'u'\n\
                    password = { file = '{folder}/pw' }\npublish = ['#']";
    let write = |folder: &Path| std::fs::write(folder.join("pw"), "right").unwrap();
    let mut door = Door::open_prepared(settings, 64, write).await;
    let port = door.address.port().to_string();
    let cases: [(&[&str], &str); 3] = [
        (&["-V", "5", "-t", "t", "-m", "x", "-u", "u", "-P", "wrong"], "bad user name or password"),
        (&["-V", "311", "-t", "t", "-m", "x", "-u", "u", "-P", "wrong"], "bad user name or password"),
        (&["-V", "5", "-t", "other", "-m", "x", "-i", "me"], "not authori"),
    ];
    for (arguments, told) in cases {
        let arguments = [&["-p", &port, "-q", "1"], arguments].concat();
        let ((_, said), got) = served(&mut door, client("mosquitto_pub", &arguments)).await;
        assert!(said.to_lowercase().contains(told) && got.is_empty(), "{arguments:?}: {said}");
    }
    let arguments = ["-p", &port, "-q", "1", "-t", "t", "-m", "x", "-u", "u", "-P", "right"];
    assert_eq!(served(&mut door, client("mosquitto_pub", &arguments)).await.1.len(), 1);
    door.close().await;
}

#[tokio::test]
async fn tls_with_an_authority_of_ones_own_and_certificates_for_clients() {
    let settings = "tls = { certificate_file = '{folder}/server.pem', key_file = '{folder}/server.key'";
    for (rest, shows) in [(" }", false), (", client_ca_file = '{folder}/ca.pem' }", true)] {
        let home = tempfile::tempdir().unwrap();
        authority(home.path());
        let copy = |folder: &Path| {
            for name in ["ca.pem", "server.pem", "server.key"] {
                std::fs::copy(home.path().join(name), folder.join(name)).unwrap();
            }
        };
        let mut door = Door::open_prepared(&format!("{settings}{rest}"), 64, copy).await;
        let port = door.address.port().to_string();
        let path = |name: &str| home.path().join(name).display().to_string();
        let (ca, cert, key) = (path("ca.pem"), path("client.pem"), path("client.key"));
        let plain = ["-p", &port, "-h", "localhost", "-t", "t", "-m", "x", "-q", "1"];
        let tls = [&plain[..], &["--cafile", &ca]].concat();
        let shown = [&tls[..], &["--cert", &cert, "--key", &key]].concat();
        assert_ne!(served(&mut door, client("mosquitto_pub", &plain)).await.0.0, 0, "without TLS");
        let ((code, said), got) = served(&mut door, client("mosquitto_pub", &tls)).await;
        assert_eq!((code == 0, got.len()), (!shows, usize::from(!shows)), "{said}");
        let ((code, said), got) = served(&mut door, client("mosquitto_pub", &shown)).await;
        assert_eq!((code, got.len()), (0, 1), "{said}");
        door.counts("refused_total", "tls", if shows { 2 } else { 1 }).await;
        door.close().await;
    }
}

/// An authority, and certificates of it for `localhost` and for a client.
fn authority(folder: &Path) {
    let path = |name: &str| folder.join(name).display().to_string();
    let new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-x509"];
    let openssl = |arguments: &[&str]| {
        #[expect(clippy::disallowed_methods, reason = "certificates of the hour, by openssl")]
        let output = std::process::Command::new("openssl").arg("req").args(new).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let (ca, ca_key) = (path("ca.pem"), path("ca.key"));
    openssl(&["-subj", "/CN=district", "-keyout", &ca_key, "-out", &ca]);
    for name in ["server", "client"] {
        openssl(&[
            "-subj",
            &format!("/CN={name}"),
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-CA",
            &ca,
            "-CAkey",
            &ca_key,
            "-keyout",
            &path(&format!("{name}.key")),
            "-out",
            &path(&format!("{name}.pem")),
        ]);
    }
}

/// What Paho, the client of most scripts, does with every quality and a broken network.
const PAHO: &str = r"
import sys, time
import paho.mqtt.client as mqtt
port, version = int(sys.argv[1]), int(sys.argv[2])
kept = dict(clean_session=False) if version == 4 else {}
client = mqtt.Client(client_id='paho', protocol=version, **kept)
client.will_set('p/online', '0', qos=1, retain=True)
client.connect('127.0.0.1', port, keepalive=5)
client.loop_start()
client.subscribe([('p/cmd/#', 1), ('p/more', 2)])
sent = [client.publish('p/online', '1', qos=1, retain=True)]
sent += [client.publish('p/n', str(n), qos=n % 3) for n in range(90)]
for info in sent:
    info.wait_for_publish(10)
    assert info.is_published()
# The wire breaks without a word; the client comes back by itself and sends again.
published = set()
client.on_publish = lambda client, user, mid: published.add(mid)
late = client.publish('p/late', 'x', qos=1).mid
client._sock_close()
until = time.time() + 15
while late not in published and time.time() < until:
    time.sleep(0.05)
assert late in published
client.disconnect()
client.loop_stop()
print('done')
";

#[tokio::test]
async fn paho_publishes_breaks_and_comes_back() {
    for version in ["4", "5"] {
        let mut door = Door::open("").await;
        let port = door.address.port().to_string();
        // Debian's Python, for which Debian's Paho is.
        let ((code, said), mut got) =
            served(&mut door, client("/usr/bin/python3", &["-c", PAHO, &port, version])).await;
        assert_eq!((code, said.trim()), (0, "done"));
        got.sort();
        got.dedup();
        assert_eq!(got.iter().filter(|(topic, _)| topic == "p/n").count(), 90);
        for (topic, payload) in [("p/online", "1"), ("p/online", "0"), ("p/late", "x")] {
            assert!(got.contains(&(topic.into(), payload.into())), "{topic} {payload} of {got:?}");
        }
        door.counts("closed_total", "client", 1).await;
        door.close().await;
    }
}

#[tokio::test]
async fn the_gateways_own_publisher_over_rumqttc_speaks_both_versions_to_it() {
    for version in [MqttVersion::V311, MqttVersion::V5] {
        let mut door = Door::open("inflight_max = 20").await;
        let stop = CancellationToken::new();
        let publisher = Publisher::start(&session::broker(door.address.port(), version), "rumqttc", stop.clone());
        let publish = async {
            let all = (0..500).map(|n| publisher.publish("r/n", n.to_string()));
            futures::future::join_all(all).await
        };
        let (answers, got) = served(&mut door, publish).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        let mut numbers: Vec<u32> = got.into_iter().map(|(_, text)| text.parse().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..500).collect::<Vec<_>>());
        stop.cancel();
        door.close().await;
    }
}

#[tokio::test]
async fn the_mqtt5_crates_client_publishes_and_subscribes() {
    let mut door = Door::open("").await;
    let (client, address) = (mqtt5::MqttClient::new("mqtt5"), door.address);
    let publish = async {
        client.connect(&format!("mqtt://{address}")).await.unwrap();
        client.subscribe("x/cmd", |_| {}).await.unwrap();
        for n in 0..20 {
            client.publish_qos1("x/n", n.to_string()).await.unwrap();
            client.publish_qos2("x/n", n.to_string()).await.unwrap();
        }
        client.disconnect().await.unwrap();
    };
    let ((), got) = served(&mut door, publish).await;
    assert_eq!(got.len(), 40);
    door.counts("closed_total", "client", 1).await;
    door.close().await;
}
