//! RTP packets → access units, with a limit on their size. Knows nothing of codecs beyond retina's depacketizers.
//!
//! retina's own demultiplexer assembles an access unit of any size, so a camera that never ends one would take all
//! memory. Its depacketizers are therefore fed here, packet by packet, and the bytes are counted.

use bytes::Bytes;
use futures::StreamExt;
use retina::client::{Described, PacketItem, Playing, Session};
use retina::codec::{CodecItem, Depacketizer, FrameFormat, ParametersRef, VideoFrame};
use retina::rtp::PacketMeta;
use retina::testutil::DepacketizeBuf;

use super::AlarmFault;
use super::documents::Documents;
use super::error::{Login, Phase, RtspError};

/// First size of the ring that holds the packets of one access unit; it grows with the unit, up to the limit.
const RING_BYTES: usize = 64 << 10;

/// What each RTP packet costs beyond its payload while its access unit is not complete.
const PACKET_OVERHEAD_BYTES: u64 = 64;

pub(super) struct Frames {
    session: Session<Playing>,
    login: Login,
    depacketizer: Depacketizer,
    ring: DepacketizeBuf,
    unit_bytes: u64,
    unit_bytes_max: u64,
    /// Set while the depacketizer may hold further frames of the last packet.
    pulling: bool,
    alarms: Option<Alarms>,
}

/// The stream of the camera's own alarms beside that of its pictures.
pub(super) struct Alarms {
    stream: usize,
    /// How the client library calls the stream in errors that are about it.
    name: String,
    documents: Documents,
}

/// What a session gives.
pub(super) enum Sent {
    Frame(VideoFrame),
    Document(Result<Bytes, AlarmFault>),
}

impl Alarms {
    /// Of a stream that was set up.
    pub(super) fn new(session: &Session<Described>, stream: usize) -> Self {
        let name = session.streams()[stream].ctx().map(ToString::to_string).unwrap_or_default();
        Alarms { stream, name: format!("\nstream: {name}\n"), documents: Documents::default() }
    }

    /// Whether the error is about this stream and not about that of the pictures. The library's errors are opaque but for
    /// their text; a test holds it against a real socket.
    fn is_meant_by(&self, error: &retina::Error) -> bool {
        error.to_string().contains(&self.name)
    }
}

/// What a depacketizer needs of the session description; taken before `play` consumes the session.
pub(super) struct Format {
    media: String,
    encoding_name: String,
    clock_rate_hz: u32,
    parameters: Option<String>,
}

impl Format {
    pub(super) fn of(session: &Session<Described>, stream: usize) -> Self {
        let described = &session.streams()[stream];
        Format {
            media: described.media().to_owned(),
            encoding_name: described.encoding_name().to_owned(),
            clock_rate_hz: described.clock_rate_hz(),
            parameters: format_parameters(session.sdp(), stream, described.rtp_payload_type()),
        }
    }
}

impl Frames {
    pub(super) fn new(
        session: Session<Playing>,
        format: &Format,
        login: Login,
        unit_bytes_max: u64,
        alarms: Option<Alarms>,
    ) -> Result<Self, RtspError> {
        let depacketizer = |parameters: Option<&str>| {
            Depacketizer::new(&format.media, &format.encoding_name, format.clock_rate_hz, None, parameters)
        };
        // Parameter sets that cannot be parsed are no obstacle: cameras repeat them in band.
        let made = depacketizer(format.parameters.as_deref()).or_else(|_| depacketizer(None));
        let mut depacketizer = made.map_err(|text| RtspError::Codec(login.blot_out(&text)))?;
        depacketizer.set_frame_format(FrameFormat::SIMPLE);
        let ring = DepacketizeBuf::new(RING_BYTES);
        Ok(Frames { session, login, depacketizer, ring, unit_bytes: 0, unit_bytes_max, pulling: false, alarms })
    }

    /// The next access unit, or what the camera says of its own. Cancel-safe: what was received stays for the next call.
    pub(super) async fn next(&mut self) -> Result<Sent, RtspError> {
        loop {
            while self.pulling {
                match self.depacketizer.pull() {
                    Some(Ok(CodecItem::VideoFrame(frame))) => {
                        self.unit_bytes = 0;
                        return Ok(Sent::Frame(frame));
                    }
                    Some(Ok(_)) => {}
                    // Its text is not public. The stream goes on: one damaged unit is no reason to reconnect, and a
                    // stream of nothing else ends as stalled.
                    Some(Err(_)) => self.unit_bytes = 0,
                    None => self.pulling = false,
                }
            }
            let packet = match self.session.next().await {
                Some(Ok(PacketItem::Rtp(packet))) => packet,
                Some(Ok(_)) => continue,
                Some(Err(error)) => {
                    let is_of_alarms = self.alarms.as_ref().is_some_and(|alarms| alarms.is_meant_by(&error));
                    let error = RtspError::client(Phase::Next, &error, &self.login);
                    return Err(if is_of_alarms { RtspError::Alarms(error.to_string()) } else { error });
                }
                None => return Err(RtspError::Ended),
            };
            if let Some(alarms) = self.alarms.as_mut().filter(|alarms| alarms.stream == packet.stream_id()) {
                match alarms.documents.push(packet.payload(), packet.loss(), packet.mark()) {
                    Some(document) => return Ok(Sent::Document(document)),
                    None => continue,
                }
            }
            self.unit_bytes += packet.payload().len() as u64 + PACKET_OVERHEAD_BYTES;
            if self.unit_bytes > self.unit_bytes_max {
                return Err(RtspError::FrameTooLarge { limit: self.unit_bytes_max });
            }
            let meta = PacketMeta::from_received(&packet);
            self.ring.push(&mut self.depacketizer, meta, packet.payload()).map_err(|text| RtspError::Client {
                phase: Phase::Next,
                reason: outpost_detectors::observation::LinkReason::Protocol,
                text: self.login.blot_out(&text),
            })?;
            self.pulling = true;
        }
    }

    pub(super) fn has_alarms(&self) -> bool {
        self.alarms.is_some()
    }

    /// Width and height by the stream's parameters.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        match self.depacketizer.parameters() {
            Some(ParametersRef::Video(video)) => Some(video.pixel_dimensions()),
            _ => None,
        }
    }
}

/// The `a=fmtp` line (RFC 8866 section 6.15) of the media section number `stream`.
fn format_parameters(sdp: &[u8], stream: usize, payload_type: u8) -> Option<String> {
    let text = String::from_utf8_lossy(sdp);
    let wanted = payload_type.to_string();
    let mut section = None;
    for line in text.lines() {
        if line.starts_with("m=") {
            section = Some(section.map_or(0, |n| n + 1));
        }
        if section == Some(stream)
            && let Some((kind, parameters)) = line.strip_prefix("a=fmtp:").and_then(|rest| rest.split_once(' '))
            && kind == wanted
        {
            return Some(parameters.trim_end().to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_the_right_stream_are_found() {
        let sdp = b"v=0\r\nm=audio 0 RTP/AVP 97\r\na=fmtp:97 mode=1\r\nm=video 0 RTP/AVP 96\r\na=fmtp:96\r\n\
                    a=fmtp:96 packetization-mode=1; x=y\r\n";
        assert_eq!(format_parameters(sdp, 1, 96).as_deref(), Some("packetization-mode=1; x=y"));
        assert_eq!(format_parameters(sdp, 0, 97).as_deref(), Some("mode=1"));
        assert_eq!(format_parameters(sdp, 2, 96), None);
        assert_eq!(format_parameters(b"\xff\xfe", 0, 96), None);
    }

    proptest::proptest! {
        #[test]
        fn no_description_is_misread(sdp in "(m=[a-z]{0,9}|a=fmtp:[0-9]{0,3} ?[ -~]{0,20}|[ -~]{0,9}|\r|\n|é){0,40}", stream in 0usize..4) {
            let found = format_parameters(sdp.as_bytes(), stream, 96);
            // What is found stands in the description behind the payload type, and not before the stream's own line.
            if let Some(found) = found {
                let whole = format!("a=fmtp:96 {found}");
                let at = sdp.rfind(&whole).unwrap_or(usize::MAX);
                proptest::prop_assert!(sdp.contains(&whole));
                proptest::prop_assert!(sdp[..at].matches("m=").count() > stream);
            }
        }

        #[test]
        fn no_bytes_are_too_odd(sdp: Vec<u8>, stream: usize, payload_type: u8) {
            let _ = format_parameters(&sdp, stream, payload_type);
        }
    }
}
