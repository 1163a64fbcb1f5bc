//! A scripted broker: a test says each packet that it sends and expects. Frames by hand, so that a fault of the
//! client library's codec is not shared. Speaks the version that the client asks for.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::within;

pub(crate) struct FakeBroker {
    listener: TcpListener,
}

/// The client's CONNECT.
#[derive(Debug, Default)]
pub(crate) struct Connect {
    pub(crate) v5: bool,
    pub(crate) clean: bool,
    pub(crate) keep_alive_s: u16,
    pub(crate) session_expiry_s: Option<u32>,
    pub(crate) receive_maximum: Option<u16>,
    pub(crate) packet_bytes_max: Option<u32>,
    pub(crate) client_id: String,
}

#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) packet: u16,
    pub(crate) dup: bool,
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
}

/// One accepted connection.
pub(crate) struct Peer {
    stream: TcpStream,
    unread: BytesMut,
    pub(crate) connect: Connect,
}

struct Packet {
    first: u8,
    body: Bytes,
}

impl FakeBroker {
    pub(crate) async fn listen() -> FakeBroker {
        FakeBroker { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// Takes a connection and its CONNECT, and does not answer.
    pub(crate) async fn accept(&self) -> Peer {
        let (stream, _) = within("a connection", self.listener.accept()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut peer = Peer { stream, unread: BytesMut::new(), connect: Connect::default() };
        let packet = peer.expect(1, "CONNECT").await;
        peer.connect = parse_connect(packet.body);
        peer
    }

    pub(crate) async fn accept_connect(&self, session_present: bool) -> Peer {
        let mut peer = self.accept().await;
        peer.connack(session_present, 0).await;
        peer
    }

    /// Accepts, grants what is asked for.
    pub(crate) async fn accept_subscriber(&self) -> Peer {
        let mut peer = self.accept_connect(false).await;
        let (packet, filters) = peer.expect_subscribe().await;
        peer.suback(packet, &vec![1; filters.len()]).await;
        peer
    }
}

impl Peer {
    pub(crate) async fn connack(&mut self, session_present: bool, code: u8) {
        let body =
            if self.connect.v5 { vec![session_present.into(), code, 0] } else { vec![session_present.into(), code] };
        self.send(0x20, &body).await;
    }

    pub(crate) async fn publish(&mut self, packet: u16, payload: impl AsRef<[u8]>) {
        self.publish_as(0x32, packet, payload).await;
    }

    pub(crate) async fn publish_again(&mut self, packet: u16, payload: impl AsRef<[u8]>) {
        self.publish_as(0x3a, packet, payload).await;
    }

    /// `first` is the fixed header's first byte: 0x32 = quality of service 1, 0x34 = 2, 0x08 = sent before.
    pub(crate) async fn publish_as(&mut self, first: u8, packet: u16, payload: impl AsRef<[u8]>) {
        let mut body = vec![0, 3];
        body.extend(b"t/x");
        body.put_u16(packet);
        if self.connect.v5 {
            body.push(0);
        }
        body.extend(payload.as_ref());
        self.send(first, &body).await;
    }

    pub(crate) async fn suback(&mut self, packet: u16, codes: &[u8]) {
        let mut body = packet.to_be_bytes().to_vec();
        if self.connect.v5 {
            body.push(0);
        }
        body.extend(codes);
        self.send(0x90, &body).await;
    }

    pub(crate) async fn puback(&mut self, packet: u16) {
        self.send(0x40, &packet.to_be_bytes()).await;
    }

    pub(crate) async fn pong(&mut self) {
        self.send(0xd0, &[]).await;
    }

    pub(crate) async fn send(&mut self, first: u8, body: &[u8]) {
        let mut frame = vec![first];
        let mut rest = body.len();
        loop {
            let more = if rest > 127 { 0x80 } else { 0 };
            frame.push((rest % 128) as u8 | more);
            rest /= 128;
            if rest == 0 {
                break;
            }
        }
        frame.extend(body);
        self.send_raw(&frame).await;
    }

    /// The client may have hung up already, which is its right.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        let _ = within("the client to read", self.stream.write_all(bytes)).await;
    }

    pub(crate) async fn expect_subscribe(&mut self) -> (u16, Vec<(String, u8)>) {
        let mut body = self.expect(8, "SUBSCRIBE").await.body;
        let packet = body.get_u16();
        if self.connect.v5 {
            let properties = usize::from(body.get_u8());
            body.advance(properties);
        }
        let mut filters = Vec::new();
        while body.has_remaining() {
            let filter = string(&mut body);
            filters.push((filter, body.get_u8()));
        }
        (packet, filters)
    }

    /// The identifiers of the next `n` acknowledgements, in their order.
    pub(crate) async fn expect_pubacks(&mut self, n: usize) -> Vec<u16> {
        let mut packets = Vec::with_capacity(n);
        while packets.len() < n {
            packets.push(self.expect(4, "PUBACK").await.body.get_u16());
        }
        packets
    }

    pub(crate) async fn expect_publish(&mut self) -> Published {
        let Packet { first, mut body } = self.expect(3, "PUBLISH").await;
        let topic = string(&mut body);
        let packet = if first & 6 != 0 { body.get_u16() } else { 0 };
        if self.connect.v5 {
            let properties = usize::from(body.get_u8());
            body.advance(properties);
        }
        Published { packet, dup: first & 8 != 0, topic, payload: body }
    }

    pub(crate) async fn expect_ping(&mut self) {
        self.expect(12, "PINGREQ").await;
    }

    pub(crate) async fn expect_disconnect(&mut self) {
        self.expect(14, "DISCONNECT").await;
    }

    /// The client hangs up, whatever it sends before.
    pub(crate) async fn expect_end(&mut self) {
        within("the client to hang up", async { while self.packet().await.is_some() {} }).await;
    }

    pub(crate) fn drop_connection(self) {}

    async fn expect(&mut self, kind: u8, name: &str) -> Packet {
        let packet = within(name, self.packet()).await;
        let packet = packet.unwrap_or_else(|| panic!("the client hung up instead of {name}"));
        assert_eq!(packet.first >> 4, kind, "expected {name}, got {:#04x} {:?}", packet.first, packet.body);
        packet
    }

    async fn packet(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = split(&mut self.unread) {
                return Some(packet);
            }
            if !matches!(self.stream.read_buf(&mut self.unread).await, Ok(n) if n > 0) {
                return None;
            }
        }
    }
}

fn split(unread: &mut BytesMut) -> Option<Packet> {
    let (mut length, mut at) = (0usize, 1);
    loop {
        let byte = *unread.get(at)?;
        length |= usize::from(byte & 0x7f) << (7 * (at - 1));
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    if unread.len() < at + length {
        return None;
    }
    let first = unread[0];
    unread.advance(at);
    Some(Packet { first, body: unread.split_to(length).freeze() })
}

fn string(body: &mut Bytes) -> String {
    let length = usize::from(body.get_u16());
    String::from_utf8(body.split_to(length).to_vec()).unwrap()
}

fn parse_connect(mut body: Bytes) -> Connect {
    assert_eq!(string(&mut body), "MQTT");
    let v5 = body.get_u8() == 5;
    let clean = body.get_u8() & 2 != 0;
    let mut connect = Connect { v5, clean, keep_alive_s: body.get_u16(), ..Connect::default() };
    if v5 {
        let length = usize::from(body.get_u8());
        let mut properties = body.split_to(length);
        while properties.has_remaining() {
            match properties.get_u8() {
                0x11 => connect.session_expiry_s = Some(properties.get_u32()),
                0x21 => connect.receive_maximum = Some(properties.get_u16()),
                0x27 => connect.packet_bytes_max = Some(properties.get_u32()),
                other => panic!("unexpected property {other:#04x} in CONNECT"),
            }
        }
    }
    connect.client_id = string(&mut body);
    connect
}
