//! The least MQTT 3.1.1 that publishes with QoS 1: no client library, so that the load costs little itself.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::Failure;

/// Opens a session and waits until it is accepted.
pub fn connect(port: u16, client_id: &str) -> Result<TcpStream, Failure> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let mut packet = vec![0x10, (12 + client_id.len()) as u8];
    packet.extend(b"\x00\x04MQTT\x04\x02\x00\x00");
    packet.extend((client_id.len() as u16).to_be_bytes());
    packet.extend(client_id.as_bytes());
    stream.write_all(&packet)?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer)?;
    if answer[3] != 0 { Err("the broker refuses the publisher".into()) } else { Ok(stream) }
}

/// Appends a PUBLISH with QoS 1. `n` gives the packet identifier.
pub fn push_publish(out: &mut Vec<u8>, n: u64, topic: &str, payload: &str) {
    let mut length = 2 + topic.len() + 2 + payload.len();
    out.push(0x32);
    while length >= 128 {
        out.push((length % 128) as u8 | 0x80);
        length /= 128;
    }
    out.push(length as u8);
    out.extend((topic.len() as u16).to_be_bytes());
    out.extend(topic.as_bytes());
    out.extend(((n % 65_535) as u16 + 1).to_be_bytes());
    out.extend(payload.as_bytes());
}

/// Bytes of a PUBACK, which is all that the broker answers.
pub const PUBACK_BYTES: u64 = 4;
