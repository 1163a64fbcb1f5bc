//! A server's half of an RTSP conversation (RFC 2326), as far as one H.264 track over TCP needs it. No sockets.

/// Longest request that is read.
const REQUEST_BYTES_MAX: usize = 8 << 10;

pub const SSRC: u32 = 0x4f75_7470;

/// What a client has sent and what was not cut out of it yet.
#[derive(Debug, Default)]
pub struct Inbox {
    pub bytes: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
#[error("request of more than {REQUEST_BYTES_MAX} bytes")]
pub struct TooLong;

impl Inbox {
    /// The next whole request. The client's RTCP comes as interleaved frames between its requests, and is passed over.
    pub fn request(&mut self) -> Result<Option<String>, TooLong> {
        while self.bytes.first() == Some(&b'$') {
            let Some(len) = self.bytes.get(2..4).map(|len| usize::from(u16::from_be_bytes([len[0], len[1]]))) else {
                return Ok(None);
            };
            if self.bytes.len() < 4 + len {
                return Ok(None);
            }
            self.bytes.drain(..4 + len);
        }
        match self.bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            Some(end) => {
                let request = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
                self.bytes.drain(..end + 4);
                Ok(Some(request))
            }
            None if self.bytes.len() <= REQUEST_BYTES_MAX => Ok(None),
            None => Err(TooLong),
        }
    }
}

/// What is to be said, and what follows from it.
#[derive(Debug)]
pub struct Answer {
    pub text: String,
    pub then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Listen,
    Play,
    HangUp,
}

/// Answers one request for the stream that `sdp` describes.
pub fn answer(request: &str, sdp: &str) -> Answer {
    let mut words = request.lines().next().unwrap_or_default().split_whitespace();
    let (method, url) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let header = |name: &str| {
        let fields = request.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    };
    let cseq = header("cseq").unwrap_or("0");
    let head = match method {
        "OPTIONS" => "200 OK\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n".to_owned(),
        "DESCRIBE" => format!(
            "200 OK\r\nContent-Base: {}/\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n",
            url.trim_end_matches('/'),
            sdp.len(),
        ),
        "SETUP" if !header("transport").is_some_and(|transport| transport.contains("RTP/AVP/TCP")) => {
            "461 Unsupported Transport\r\n".to_owned()
        }
        "SETUP" => format!(
            "200 OK\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc={SSRC:08x}\r\nSession: 1;timeout=60\r\n"
        ),
        "PLAY" | "GET_PARAMETER" | "SET_PARAMETER" | "TEARDOWN" => "200 OK\r\nSession: 1\r\n".to_owned(),
        _ => "501 Not Implemented\r\n".to_owned(),
    };
    let (status, fields) = head.split_once("\r\n").unwrap_or((&head, ""));
    let body = if method == "DESCRIBE" { sdp } else { "" };
    let then = match method {
        "PLAY" => Then::Play,
        "TEARDOWN" => Then::HangUp,
        _ => Then::Listen,
    };
    Answer { text: format!("RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{fields}\r\n{body}"), then }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_cut_out_between_receiver_reports() {
        let mut inbox = Inbox { bytes: b"$\x01\0\x02xyPLAY rtsp://h/ RTSP/1.0\r\nCSeq: 3\r\n\r\n$\x01\0".to_vec() };
        let request = inbox.request().unwrap().unwrap();
        let answer = answer(&request, "v=0\r\n");
        assert_eq!(
            (answer.text.as_str(), answer.then),
            ("RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: 1\r\n\r\n", Then::Play)
        );
        assert!(inbox.request().unwrap().is_none());
        assert!(Inbox { bytes: vec![b'x'; REQUEST_BYTES_MAX + 1] }.request().is_err());
    }

    #[test]
    fn udp_is_refused_and_tcp_is_granted() {
        let setup = |transport: &str| format!("SETUP rtsp://h/track1 RTSP/1.0\r\nCSeq: 2\r\nTransport: {transport}");
        assert!(answer(&setup("RTP/AVP;unicast;client_port=5000-5001"), "").text.contains(" 461 "));
        assert!(answer(&setup("RTP/AVP/TCP;unicast;interleaved=0-1"), "").text.contains(" 200 "));
    }
}
