//! The built-in MQTT listener as the pipeline sees it, and a device of the smallest kind that talks to it byte by byte.

use std::net::SocketAddr;

use outpost::ingest::listener::{AckSender, Listener};
use outpost::ingest::{Acknowledge, Message, Receipt};
use outpost::telemetry::metrics::Metrics;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{DEADLINE, within};

pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) acks: AckSender,
    pub(crate) messages: mpsc::Receiver<Message>,
    listener: Listener,
    metrics: Metrics,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Door {
    /// Anybody may publish anything but for what `settings` say.
    pub(crate) async fn open(settings: &str) -> Door {
        Door::open_prepared(settings, 4096, |_| {}).await
    }

    /// `{folder}` in the settings stands for a folder that `prepare` may fill.
    pub(crate) async fn open_prepared(
        settings: &str,
        queue_max: usize,
        prepare: impl FnOnce(&std::path::Path),
    ) -> Door {
        let folder = tempfile::Builder::new().prefix("listener").tempdir().unwrap();
        prepare(folder.path());
        let settings = settings.replace("{folder}", &folder.path().display().to_string());
        let open = if settings.contains("anonymous") { "" } else { "anonymous = ['#']\n" };
        let config = toml::from_str(&format!("id = 'l'\nlisten = '127.0.0.1:0'\n{open}{settings}")).unwrap();
        let (queue, messages) = mpsc::channel(queue_max);
        let (metrics, stop) = (Metrics::new(), CancellationToken::new());
        let counters = metrics.listeners.of("l");
        let listener = Listener::start(&config, Vec::new(), queue, counters, stop.clone()).await.unwrap();
        Door { address: listener.address(), acks: listener.acks(), messages, listener, metrics, stop, _folder: folder }
    }

    /// The next `n`, not acknowledged.
    pub(crate) async fn take(&mut self, n: usize) -> Vec<Message> {
        let mut taken = Vec::with_capacity(n);
        while taken.len() < n {
            match tokio::time::timeout(DEADLINE, self.messages.recv()).await {
                Ok(message) => taken.push(message.expect("the listener ended")),
                Err(_) => panic!("only {} of {n} messages came:\n{}", taken.len(), self.metrics.encode()),
            }
        }
        taken
    }

    pub(crate) fn acknowledge(&self, messages: &[Message]) {
        let receipts: Vec<Receipt> = messages.iter().map(|message| message.receipt).collect();
        self.acks.acknowledge(&receipts);
    }

    /// Takes and acknowledges until `n` came; their topics and texts.
    pub(crate) async fn commit(&mut self, n: usize) -> Vec<(String, String)> {
        let mut all = Vec::new();
        while all.len() < n {
            let one = self.take(1).await;
            self.acknowledge(&one);
            all.push(said(&one[0]));
        }
        all
    }

    /// Nothing more waits to be taken.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.messages.try_recv().is_err()
    }

    pub(crate) fn metric(&self, name: &str, reason: &str) -> i64 {
        let reason = if reason.is_empty() { String::new() } else { format!(",reason=\"{reason}\"") };
        let line = format!("outpost_listener_{name}{{listener=\"l\"{reason}}} ");
        let page = self.metrics.encode();
        page.lines().find_map(|found| found.strip_prefix(&line)).map_or(0, |value| value.parse().unwrap())
    }

    pub(crate) async fn counts(&self, name: &str, reason: &str, n: i64) {
        let counted = async {
            while self.metric(name, reason) != n {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(DEADLINE, counted).await.is_err() {
            panic!("{name} {reason} is not {n}:\n{}", self.metrics.encode());
        }
    }

    pub(crate) async fn close(self) {
        self.stop.cancel();
        within("the listener to end", self.listener.stopped()).await;
    }
}

pub(crate) fn said(message: &Message) -> (String, String) {
    (message.topic.to_string(), String::from_utf8_lossy(&message.payload).into_owned())
}

/// What a CONNECT says.
#[derive(Clone, Default)]
pub(crate) struct Hello<'a> {
    /// 4 for MQTT 3.1.1, 5 for MQTT 5.
    pub(crate) level: u8,
    pub(crate) client: &'a str,
    pub(crate) keeps: bool,
    pub(crate) keep_alive_s: u16,
    pub(crate) login: Option<(&'a str, &'a str)>,
    pub(crate) will: Option<(&'a str, &'a str)>,
    /// MQTT 5: of the connection, and of the will.
    pub(crate) properties: &'a [u8],
    pub(crate) will_properties: &'a [u8],
}

/// A client without a library: as much MQTT as fits a small device.
pub(crate) struct Tiny {
    pub(crate) socket: TcpStream,
    level: u8,
}

pub(crate) const V311: u8 = 4;
pub(crate) const V5: u8 = 5;

impl Tiny {
    pub(crate) async fn dial(address: SocketAddr, level: u8) -> Tiny {
        Tiny { socket: TcpStream::connect(address).await.unwrap(), level }
    }

    /// Connected; returns with it the rest of the CONNACK behind its type and length.
    pub(crate) async fn hello(address: SocketAddr, hello: Hello<'_>) -> (Tiny, Vec<u8>) {
        let mut tiny = Tiny::dial(address, hello.level).await;
        tiny.send(&connect(&hello)).await;
        let (first, body) = tiny.packet().await.expect("a CONNACK");
        assert_eq!(first, 0x20);
        (tiny, body)
    }

    pub(crate) async fn connected(address: SocketAddr, level: u8, client: &str) -> Tiny {
        let (tiny, connack) = Tiny::hello(address, Hello { level, client, ..Hello::default() }).await;
        assert_eq!(connack[..2], [0, 0]);
        tiny
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn publish(&mut self, qos: u8, packet: u16, topic: &str, payload: &str) {
        let bytes = publish(self.level, qos << 1, packet, topic, payload);
        self.send(&bytes).await;
    }

    /// The same, marked as sent before.
    pub(crate) async fn publish_again(&mut self, qos: u8, packet: u16, topic: &str, payload: &str) {
        let bytes = publish(self.level, qos << 1 | 0x08, packet, topic, payload);
        self.send(&bytes).await;
    }

    /// First byte and body of the next packet; nothing where the connection is closed.
    pub(crate) async fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        within("a packet", async {
            let first = self.socket.read_u8().await.ok()?;
            let (mut length, mut shift) = (0, 0);
            loop {
                let byte = self.socket.read_u8().await.ok()?;
                length |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.socket.read_exact(&mut body).await.ok()?;
            Some((first, body))
        })
        .await
    }

    /// The next packet acknowledges these, one by one.
    pub(crate) async fn acknowledged(&mut self, first: u8, packets: impl IntoIterator<Item = u16>) {
        for packet in packets {
            assert_eq!(self.packet().await, Some((first, packet.to_be_bytes().to_vec())));
        }
    }

    /// The connection ends, with this reason where MQTT 5 can say it.
    pub(crate) async fn ended(&mut self, reason: u8) {
        if self.level == V5 {
            let (first, body) = self.packet().await.expect("a DISCONNECT");
            assert_eq!((first, body.first().copied()), (0xe0, Some(reason)));
        }
        assert_eq!(self.packet().await, None);
    }
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len();
    loop {
        bytes.push((length % 128) as u8 | if length >= 128 { 0x80 } else { 0 });
        length /= 128;
        if length == 0 {
            break;
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn connect(hello: &Hello<'_>) -> Vec<u8> {
    let flags = u8::from(!hello.keeps) << 1 | u8::from(hello.will.is_some()) << 2 | hello.login.map_or(0, |_| 0xc0);
    let mut body = [text("MQTT"), vec![hello.level, flags], hello.keep_alive_s.to_be_bytes().to_vec()].concat();
    let properties = |bytes: &[u8], body: &mut Vec<u8>| {
        if hello.level == V5 {
            body.push(bytes.len() as u8);
            body.extend_from_slice(bytes);
        }
    };
    properties(hello.properties, &mut body);
    body.extend(text(hello.client));
    if let Some((topic, payload)) = hello.will {
        properties(hello.will_properties, &mut body);
        body.extend([text(topic), text(payload)].concat());
    }
    if let Some((name, password)) = hello.login {
        body.extend([text(name), text(password)].concat());
    }
    packet(0x10, &body)
}

pub(crate) fn publish(level: u8, flags: u8, id: u16, topic: &str, payload: &str) -> Vec<u8> {
    let mut body = text(topic);
    if flags & 0x06 != 0 {
        body.extend_from_slice(&id.to_be_bytes());
    }
    if level == V5 {
        body.push(0);
    }
    body.extend_from_slice(payload.as_bytes());
    packet(0x30 | flags, &body)
}

pub(crate) fn subscribe(level: u8, id: u16, filters: &[&str]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    if level == V5 {
        body.push(0);
    }
    for filter in filters {
        body.extend(text(filter));
        body.push(1);
    }
    packet(0x82, &body)
}
