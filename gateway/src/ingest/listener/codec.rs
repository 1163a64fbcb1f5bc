//! The packets of MQTT 5 and 3.1.1 as one vocabulary, over rumqttc's codec. Knows nothing of sockets or sessions.
//!
//! A PUBLISH costs 60 to 90 ns: topic and payload are slices of the buffer that was read into.

use bytes::{Buf, Bytes, BytesMut};
use rumqttc::mqttbytes::{Error, v5};
use rumqttc_v4::mqttbytes::{Error as Error4, v4};

use super::close::Close;
use crate::ingest::Quality;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V311,
    V5,
}

#[derive(Debug)]
pub(super) enum Packet {
    Publish(Publish),
    Release { packet: u16 },
    Subscribe { packet: u16, filters: Vec<(String, Quality)> },
    Unsubscribe { packet: u16, n_filters: usize },
    Ping,
    Disconnect { with_will: bool, session_expiry_s: Option<u32> },
}

#[derive(Debug)]
pub(super) struct Publish {
    /// Empty where the alias stands for it.
    pub(super) topic: Bytes,
    pub(super) alias: Option<u16>,
    pub(super) payload: Bytes,
    pub(super) packet: u16,
    pub(super) quality: Quality,
    pub(super) again: bool,
    pub(super) retain: bool,
}

/// Takes the next packet off the buffer; none where it is not complete.
pub(super) fn next(version: Version, buffer: &mut BytesMut, bytes_max: u32) -> Result<Option<Packet>, Close> {
    match version {
        Version::V5 => next_v5(buffer, bytes_max),
        Version::V311 => next_v4(buffer, bytes_max),
    }
}

fn next_v5(buffer: &mut BytesMut, bytes_max: u32) -> Result<Option<Packet>, Close> {
    use v5::Packet as P;
    // The codec wants a property length here, which the standard (3.14.2.2.1) lets a client leave out.
    if let [0xe0, 1, reason, ..] = **buffer {
        buffer.advance(3);
        return Ok(Some(Packet::Disconnect { with_will: reason != 0, session_expiry_s: None }));
    }
    let n_bytes = buffer.len();
    Ok(Some(match v5::Packet::read(buffer, Some(bytes_max)) {
        Ok(P::Publish(publish)) => Packet::Publish(Publish {
            alias: publish.properties.and_then(|properties| properties.topic_alias),
            topic: publish.topic,
            payload: publish.payload,
            packet: publish.pkid,
            quality: quality(publish.qos as u8),
            again: publish.dup,
            retain: publish.retain,
        }),
        Ok(P::PubRel(release)) => Packet::Release { packet: release.pkid },
        Ok(P::Subscribe(subscribe)) => Packet::Subscribe {
            packet: subscribe.pkid,
            filters: subscribe.filters.into_iter().map(|filter| (filter.path, quality(filter.qos as u8))).collect(),
        },
        Ok(P::Unsubscribe(unsubscribe)) => {
            Packet::Unsubscribe { packet: unsubscribe.pkid, n_filters: unsubscribe.filters.len() }
        }
        Ok(P::PingReq) => Packet::Ping,
        Ok(P::Disconnect(disconnect)) => Packet::Disconnect {
            with_will: disconnect.reason_code != v5::DisconnectReasonCode::NormalDisconnection,
            session_expiry_s: disconnect.properties.and_then(|properties| properties.session_expiry_interval),
        },
        Ok(_) => return Err(Close::Protocol),
        // Within a packet that is there it means that the packet is cut off.
        Err(Error::InsufficientBytes(_)) if buffer.len() == n_bytes => return Ok(None),
        Err(Error::PayloadSizeLimitExceeded { .. }) => return Err(Close::Oversized),
        Err(Error::ProtocolError | Error::ProtocolViolation(_) | Error::PacketIdZero | Error::EmptySubscription) => {
            return Err(Close::Protocol);
        }
        Err(_) => return Err(Close::Malformed),
    }))
}

fn next_v4(buffer: &mut BytesMut, bytes_max: u32) -> Result<Option<Packet>, Close> {
    use v4::Packet as P;
    let n_bytes = buffer.len();
    Ok(Some(match v4::Packet::read(buffer, bytes_max as usize) {
        Ok(P::Publish(publish)) => Packet::Publish(Publish {
            alias: None,
            topic: publish.topic,
            payload: publish.payload,
            packet: publish.pkid,
            quality: quality(publish.qos as u8),
            again: publish.dup,
            retain: publish.retain,
        }),
        Ok(P::PubRel(release)) => Packet::Release { packet: release.pkid },
        Ok(P::Subscribe(subscribe)) => Packet::Subscribe {
            packet: subscribe.pkid,
            filters: subscribe.filters.into_iter().map(|filter| (filter.path, quality(filter.qos as u8))).collect(),
        },
        Ok(P::Unsubscribe(unsubscribe)) => {
            Packet::Unsubscribe { packet: unsubscribe.pkid, n_filters: unsubscribe.topics.len() }
        }
        Ok(P::PingReq) => Packet::Ping,
        Ok(P::Disconnect) => Packet::Disconnect { with_will: false, session_expiry_s: None },
        Ok(_) => return Err(Close::Protocol),
        Err(Error4::InsufficientBytes(_)) if buffer.len() == n_bytes => return Ok(None),
        Err(Error4::PayloadSizeLimitExceeded { .. }) => return Err(Close::Oversized),
        Err(Error4::PacketIdZero | Error4::EmptySubscription) => return Err(Close::Protocol),
        Err(_) => return Err(Close::Malformed),
    }))
}

fn quality(qos: u8) -> Quality {
    match qos {
        0 => Quality::AtMostOnce,
        1 => Quality::AtLeastOnce,
        _ => Quality::ExactlyOnce,
    }
}

/// What the answers are written with. An error could only be a packet too long for MQTT, which none of these is.
pub(super) struct Answers<'b> {
    pub(super) version: Version,
    pub(super) out: &'b mut BytesMut,
}

impl Answers<'_> {
    /// PUBACK or PUBREC: the message is on disk.
    pub(super) fn committed(&mut self, packet: u16, quality: Quality) {
        let _ = match (self.version, quality) {
            (_, Quality::AtMostOnce) => return,
            // The same bytes in both versions.
            (_, Quality::AtLeastOnce) => v4::PubAck::new(packet).write(self.out).is_ok(),
            (_, Quality::ExactlyOnce) => v4::PubRec::new(packet).write(self.out).is_ok(),
        };
    }

    /// PUBACK or PUBREC that says that the client may not publish this; only MQTT 5 can say it.
    pub(super) fn forbidden(&mut self, packet: u16, quality: Quality) {
        let _ = match quality {
            Quality::AtMostOnce => return,
            Quality::AtLeastOnce => {
                let mut answer = v5::PubAck::new(packet, None);
                answer.reason = v5::PubAckReason::NotAuthorized;
                answer.write(self.out).is_ok()
            }
            Quality::ExactlyOnce => {
                let mut answer = v5::PubRec::new(packet, None);
                answer.reason = v5::PubRecReason::NotAuthorized;
                answer.write(self.out).is_ok()
            }
        };
    }

    pub(super) fn completed(&mut self, packet: u16) {
        let _ = v4::PubComp::new(packet).write(self.out);
    }

    /// Every filter that is one is granted; nothing is ever published to any.
    pub(super) fn subscribed(&mut self, packet: u16, granted: &[Option<Quality>]) {
        let _ = match self.version {
            Version::V5 => {
                let code = |granted: &Option<Quality>| match granted {
                    Some(quality) => v5::SubscribeReasonCode::Success(qos_v5(*quality)),
                    None => v5::SubscribeReasonCode::TopicFilterInvalid,
                };
                let return_codes = granted.iter().map(code).collect();
                v5::SubAck { pkid: packet, return_codes, properties: None }.write(self.out).is_ok()
            }
            Version::V311 => {
                let code = |granted: &Option<Quality>| match granted {
                    Some(quality) => v4::SubscribeReasonCode::Success(qos_v5(*quality)),
                    None => v4::SubscribeReasonCode::Failure,
                };
                v4::SubAck::new(packet, granted.iter().map(code).collect()).write(self.out).is_ok()
            }
        };
    }

    pub(super) fn unsubscribed(&mut self, packet: u16, n_filters: usize) {
        let _ = match self.version {
            Version::V5 => {
                let reasons = vec![v5::UnsubAckReason::Success; n_filters];
                v5::UnsubAck { pkid: packet, reasons, properties: None }.write(self.out).is_ok()
            }
            Version::V311 => v4::UnsubAck::new(packet).write(self.out).is_ok(),
        };
    }

    pub(super) fn pong(&mut self) {
        let _ = v5::PingResp::write(self.out);
    }

    /// DISCONNECT with the reason, which only MQTT 5 has from a server.
    pub(super) fn closing(&mut self, close: Close) {
        if let (Version::V5, Some(reason)) = (self.version, close.reason()) {
            let _ = v5::Disconnect::new(reason).write(self.out);
        }
    }
}

pub(super) fn qos_v5(quality: Quality) -> rumqttc::mqttbytes::QoS {
    use rumqttc::mqttbytes::QoS;
    match quality {
        Quality::AtMostOnce => QoS::AtMostOnce,
        Quality::AtLeastOnce => QoS::AtLeastOnce,
        Quality::ExactlyOnce => QoS::ExactlyOnce,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Packets until the bytes are used up, incomplete or wrong.
    fn read(version: Version, bytes: &[u8]) -> (Vec<Packet>, Option<Close>) {
        let (mut buffer, mut packets) = (BytesMut::from(bytes), Vec::new());
        loop {
            let n_bytes = buffer.len();
            match next(version, &mut buffer, 1 << 16) {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => {
                    assert_eq!(buffer.len(), n_bytes, "an incomplete packet stays");
                    return (packets, None);
                }
                Err(close) => return (packets, Some(close)),
            }
            assert!(buffer.len() < n_bytes, "each packet takes something");
        }
    }

    #[test]
    fn a_packet_that_ends_before_its_fields_do_is_not_waited_for() {
        // PUBLISH without its property length, and a DISCONNECT with a reason alone, which may be.
        for (bytes, close) in [(&[0x32, 5, 0, 1, b't', 0, 1][..], Some(Close::Malformed)), (&[0xe0, 1, 4], None)] {
            assert_eq!(read(Version::V5, bytes).1, close);
        }
    }

    #[test]
    fn topic_and_payload_are_slices_of_what_was_read() {
        let bytes = [0x30, 5, 0, 1, b't', b'2', b'1'];
        let mut buffer = BytesMut::from(&bytes[..]);
        let read = buffer.as_ptr_range();
        let Ok(Some(Packet::Publish(publish))) = next(Version::V311, &mut buffer, 100) else { panic!() };
        assert!(read.contains(&publish.payload.as_ptr()) && read.contains(&publish.topic.as_ptr()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_wait_for_nothing(
            bytes in prop::collection::vec(any::<u8>(), 0..300), first in 0u8..16, flags in 0u8..16, length in 0u8..80
        ) {
            let framed = [&[first << 4 | flags, length], &bytes[..]].concat();
            for version in [Version::V311, Version::V5] {
                read(version, &bytes);
                read(version, &framed);
            }
        }
    }
}
