//! A gateway at work: the program, its real broker, and devices that publish to it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use outpost::config::MqttVersion;
use outpost::ingest::mqtt::Publisher;
use tokio_util::sync::CancellationToken;

use super::mosquitto::Mosquitto;
use super::program::Program;
use super::relay::Relay;
use super::session;

pub(crate) struct Site {
    pub(crate) mosquitto: Mosquitto,
    pub(crate) gateway: Program,
    /// Between the gateway and its broker.
    pub(crate) relay: Relay,
    devices: Publisher,
    _stop: tokio_util::sync::DropGuard,
}

impl Site {
    /// Started and ready. `rest` follows the broker `b` in the configuration.
    pub(crate) async fn start(version: &str, rest: &str) -> Site {
        let mut site = Site::prepare(version, rest).await;
        site.gateway.start_ready().await;
        site
    }

    /// The same with the gateway not started.
    pub(crate) async fn prepare(version: &str, rest: &str) -> Site {
        let mosquitto = Mosquitto::start().await;
        let relay = Relay::start(mosquitto.port()).await;
        let port = relay.port();
        let gateway = Program::new(&format!(
            "[[brokers]]\nid = \"b\"\nhost = \"127.0.0.1\"\nport = {port}\nversion = \"{version}\"\n\
             client_id = \"gateway\"\nretry_max = \"200ms\"\npacket_bytes_max = \"64KiB\"\n{rest}"
        ));
        let stop = CancellationToken::new();
        let devices = Publisher::start(&session::broker(mosquitto.port(), MqttVersion::V5), "devices", stop.clone());
        Site { mosquitto, gateway, relay, devices, _stop: stop.drop_guard() }
    }

    /// Returns when the broker has it.
    pub(crate) async fn publish(&self, topic: &str, payload: impl Into<Bytes>) {
        self.devices.publish(topic, payload).await.unwrap();
    }

    /// How many acknowledgements of the gateway the broker has.
    pub(crate) fn n_acknowledged(&self) -> usize {
        self.mosquitto.log().matches("Received PUBACK from gateway ").count()
    }
}

/// What a command centre got by POST.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Post {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// A web server of a command centre that takes everything.
#[derive(Clone, Default)]
pub(crate) struct Centre(Arc<Mutex<Vec<Post>>>);

impl Centre {
    /// Starts; returns it with its address.
    pub(crate) async fn start() -> (Centre, String) {
        let centre = Centre::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/tickets", listener.local_addr().unwrap());
        let take = async |State(centre): State<Centre>, headers: HeaderMap, body: Bytes| {
            centre.0.lock().unwrap().push(Post { headers, body });
            StatusCode::NO_CONTENT
        };
        let router = Router::new().route("/tickets", post(take)).with_state(centre.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (centre, url)
    }

    pub(crate) fn got(&self) -> Vec<Post> {
        self.0.lock().unwrap().clone()
    }
}
