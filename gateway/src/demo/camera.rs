//! The demo's camera: serves an H.264 clip in a loop by RTSP over TCP, so that everything from the RTSP client on does
//! its real work. Bounded; meant for loopback, without passwords.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::rtsp::{Inbox, SSRC, Then, answer};
use crate::video::split_nals;

/// Clients at a time; further ones wait to be accepted.
const CLIENTS_MAX: usize = 16;

/// A client that takes nothing for this long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// RTP payload per packet: fits an Ethernet frame.
const PAYLOAD_BYTES_MAX: usize = 1_400;

const RTP_CLOCK_HZ: f64 = 90_000.0;
const PAYLOAD_TYPE: u8 = 96;

/// Bytes before a packet's payload: the interleaved frame's four (RFC 2326 section 10.12) and RTP's twelve.
const HEADER_BYTES: usize = 16;

/// NAL unit types (H.264 table 7-1, RFC 6184 table 1).
const NAL_SLICE: u8 = 1;
const NAL_IDR: u8 = 5;
const NAL_SPS: u8 = 7;
const NAL_PPS: u8 = 8;
const NAL_FU_A: u8 = 28;

#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    #[error("clip holds no sequence parameter set, picture parameter set and picture")]
    Incomplete,
}

/// A clip as RTP packets, ready but for sequence numbers and times.
#[derive(Debug)]
pub struct Clip {
    pictures: Vec<Picture>,
    sdp: String,
}

/// One coded picture.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Annex B.
    pub bytes: Vec<u8>,
    /// Whether it can be decoded without those before it.
    pub key: bool,
}

/// The packets of one picture, each with its interleaved header.
#[derive(Debug, Default)]
struct Picture {
    bytes: Vec<u8>,
    /// Where each packet begins.
    packets: Vec<usize>,
}

impl Clip {
    /// Packs an Annex B stream by RFC 6184: single NAL units and FU-A.
    pub fn from_annex_b(stream: &[u8]) -> Result<Clip, ClipError> {
        let nals: Vec<&[u8]> = split_nals(stream).collect();
        let first = |kind: u8| nals.iter().find(|nal| nal[0] & 0x1f == kind).copied();
        let (Some(sps), Some(pps)) = (first(NAL_SPS).filter(|sps| sps.len() >= 4), first(NAL_PPS)) else {
            return Err(ClipError::Incomplete);
        };
        let sdp = describe(sps, pps);
        let pictures: Vec<Picture> = pictures(&nals).iter().map(|group| Picture::pack(group)).collect();
        if pictures.is_empty() {
            return Err(ClipError::Incomplete);
        }
        Ok(Clip { pictures, sdp })
    }

    /// The access units of an Annex B stream.
    pub fn units(stream: &[u8]) -> Vec<Unit> {
        let unit = |group: &Vec<&[u8]>| Unit {
            bytes: group.iter().flat_map(|nal| [0, 0, 0, 1].into_iter().chain(nal.iter().copied())).collect(),
            key: group.iter().any(|nal| nal[0] & 0x1f == NAL_IDR),
        };
        pictures(&split_nals(stream).collect::<Vec<_>>()).iter().map(unit).collect()
    }

    /// Pictures in one round of the clip.
    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    /// Never true: an empty clip cannot be made.
    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }

    /// Session description.
    pub fn sdp(&self) -> &str {
        &self.sdp
    }

    /// The RTP packets of a picture, each as an interleaved frame on channel 0, with their sequence numbers and time.
    /// The clip goes round: any `number` is one of its pictures.
    pub fn picture(&self, number: u64, sequence: &mut u16, rtp_time: u32) -> Vec<u8> {
        self.pictures[(number % self.pictures.len() as u64) as usize].stamped(sequence, rtp_time)
    }
}

impl Picture {
    fn pack(nals: &[&[u8]]) -> Picture {
        let mut picture = Picture::default();
        for (n, nal) in nals.iter().enumerate() {
            let last = n + 1 == nals.len();
            if nal.len() <= PAYLOAD_BYTES_MAX {
                picture.push(Mark(last), &[], nal);
                continue;
            }
            let pieces = nal[1..].chunks(PAYLOAD_BYTES_MAX - 2);
            let n_pieces = pieces.len();
            for (piece_no, piece) in pieces.enumerate() {
                let (starts, ends) = (piece_no == 0, piece_no + 1 == n_pieces);
                let indicator = nal[0] & 0xe0 | NAL_FU_A;
                let header = u8::from(starts) << 7 | u8::from(ends) << 6 | nal[0] & 0x1f;
                picture.push(Mark(last && ends), &[indicator, header], piece);
            }
        }
        picture
    }

    fn push(&mut self, Mark(mark): Mark, head: &[u8], payload: &[u8]) {
        self.packets.push(self.bytes.len());
        let len = (12 + head.len() + payload.len()) as u16;
        self.bytes.extend([b'$', 0]);
        self.bytes.extend(len.to_be_bytes());
        self.bytes.extend([0x80, PAYLOAD_TYPE | u8::from(mark) << 7]);
        // Sequence number and time come when it is sent.
        self.bytes.extend([0; 6]);
        self.bytes.extend(SSRC.to_be_bytes());
        self.bytes.extend(head);
        self.bytes.extend(payload);
    }

    /// Writes the packets out with their numbers.
    fn stamped(&self, sequence: &mut u16, rtp_time: u32) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for &at in &self.packets {
            bytes[at + 6..at + 8].copy_from_slice(&sequence.to_be_bytes());
            bytes[at + 8..at + 12].copy_from_slice(&rtp_time.to_be_bytes());
            *sequence = sequence.wrapping_add(1);
        }
        debug_assert!(bytes.len() >= HEADER_BYTES);
        bytes
    }
}

/// RTP's marker: the last packet of a picture.
struct Mark(bool);

/// Serves `clip` at every path of `listener`, from its beginning for each client, `fps` pictures a second, until
/// `stop`.
pub async fn serve(listener: TcpListener, clip: Arc<Clip>, fps: f64, stop: CancellationToken) {
    let (room, clients) = (Arc::new(Semaphore::new(CLIENTS_MAX)), TaskTracker::new());
    loop {
        let accepted = async {
            let permit = room.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            pair = accepted => pair,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: give them time to come back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (clip, stop) = (clip.clone(), stop.clone());
        clients.spawn(async move {
            let _permit = permit;
            tokio::select! {
                () = stop.cancelled() => {}
                // A client that went away is no news.
                _ = Client::new(stream, &clip, fps).run() => {}
            }
        });
    }
    clients.close();
    clients.wait().await;
}

struct Client<'a> {
    stream: TcpStream,
    clip: &'a Clip,
    interval: Duration,
    fps: f64,
    inbox: Inbox,
    /// When the next picture is due, once playing.
    due: Option<Instant>,
    sent: u64,
    sequence: u16,
}

impl<'a> Client<'a> {
    fn new(stream: TcpStream, clip: &'a Clip, fps: f64) -> Self {
        let fps = if fps.is_finite() { fps.clamp(0.1, 240.0) } else { 10.0 };
        let interval = Duration::from_secs_f64(1.0 / fps);
        Client { stream, clip, interval, fps, inbox: Inbox::default(), due: None, sent: 0, sequence: 0 }
    }

    async fn run(mut self) -> std::io::Result<()> {
        self.stream.set_nodelay(true)?;
        loop {
            let due = self.due;
            let pause = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                got = self.stream.read_buf(&mut self.inbox.bytes) => {
                    if got? == 0 || !self.answer_all().await? {
                        return Ok(());
                    }
                }
                () = pause => self.send_picture().await?,
            }
        }
    }

    async fn send_picture(&mut self) -> std::io::Result<()> {
        // Continuous over the loop's seam; wraps as RTP times do.
        let rtp_time = (self.sent as f64 * RTP_CLOCK_HZ / self.fps) as u64 as u32;
        let bytes = self.clip.picture(self.sent, &mut self.sequence, rtp_time);
        self.sent += 1;
        self.due = self.due.map(|due| due + self.interval);
        self.write(&bytes).await
    }

    /// Answers every whole request of the inbox. False when the client said goodbye.
    async fn answer_all(&mut self) -> std::io::Result<bool> {
        while let Some(request) = self.inbox.request().map_err(std::io::Error::other)? {
            let answer = answer(&request, &self.clip.sdp);
            self.write(answer.text.as_bytes()).await?;
            match answer.then {
                Then::HangUp => return Ok(false),
                Then::Play if self.due.is_none() => self.due = Some(Instant::now()),
                Then::Play | Then::Listen => {}
            }
        }
        Ok(true)
    }

    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match timeout(WRITE_TIMEOUT, self.stream.write_all(bytes)).await {
            Ok(done) => done,
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        }
    }
}

/// The NAL units of each picture.
fn pictures<'a>(nals: &[&'a [u8]]) -> Vec<Vec<&'a [u8]>> {
    let mut pictures = Vec::new();
    let (mut group, mut seen_slice) = (Vec::new(), false);
    for &nal in nals {
        let slice = matches!(nal[0] & 0x1f, NAL_SLICE..=NAL_IDR);
        let first_of_picture = slice && nal.get(1).is_some_and(|byte| byte & 0x80 != 0);
        if seen_slice && (!slice || first_of_picture) {
            pictures.push(std::mem::take(&mut group));
            seen_slice = false;
        }
        seen_slice |= slice;
        group.push(nal);
    }
    if seen_slice {
        pictures.push(group);
    }
    pictures
}

/// Session description, RFC 8866 and RFC 6184 section 8.2.1.
fn describe(sps: &[u8], pps: &[u8]) -> String {
    format!(
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=outpost demo\r\nt=0 0\r\na=control:*\r\n\
         m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} H264/90000\r\n\
         a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={:02X}{:02X}{:02X};sprop-parameter-sets={},{}\r\n\
         a=control:track1\r\n",
        sps[1],
        sps[2],
        sps[3],
        BASE64.encode(sps),
        BASE64.encode(pps),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_without_pictures_is_refused() {
        for stream in [&b""[..], b"\0\0\x01\x67\x42\0\x1e\x01", b"no start code at all"] {
            assert!(Clip::from_annex_b(stream).is_err());
        }
    }

    #[test]
    fn large_nal_units_are_cut_and_only_the_last_packet_is_marked() {
        let mut stream = b"\0\0\0\x01\x67\x4d\0\x1e\x80\0\0\x01\x68\xee\x80\0\0\x01\x65\x88".to_vec();
        stream.extend(vec![0x55; 3_000]);
        stream.extend(b"\0\0\x01\x41\x9a\x55");
        let clip = Clip::from_annex_b(&stream).unwrap();
        assert_eq!(clip.len(), 2);
        assert_eq!(clip.pictures[0].packets.len(), 2 + 3);
        let mut sequence = 65_534;
        let bytes = clip.pictures[0].stamped(&mut sequence, 7);
        assert_eq!(sequence, 3, "numbers wrap");
        let marks: Vec<bool> = clip.pictures[0].packets.iter().map(|at| bytes[at + 5] & 0x80 != 0).collect();
        assert_eq!(marks, [false, false, false, false, true]);
    }
}
