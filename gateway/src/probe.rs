//! `outpost probe rtsp://…`: what a camera sends, in a few lines, and a snapshot; and one look at a camera that is not ours yet.
//! Stores nothing else.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outpost_detectors::observation::LinkReason;
use url::Url;

use crate::config::{Bytes, Camera, Compat, Pace, Span, Transport};
use crate::ingest::rtsp::{self, AccessUnit, RtspError};
use crate::video::decoder::{Codec, Guarded};
use crate::video::frame::Frame;
use crate::video::{render, thumbnail};

const TIMEOUT: Span = Span::from_ms(10_000);
const FRAME_BYTES_MAX: Bytes = Bytes(16 << 20);
const SECONDS_MAX: u64 = 3_600;
const JPEG_QUALITY: u8 = 85;

#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("bad address: {0}")]
    Address(String),
    #[error("{reason}: {error} ({hint})", reason = error.reason().as_str(), hint = hint(error.reason()))]
    Camera {
        #[from]
        error: RtspError,
    },
    #[error("codec: the camera sends pictures, but none that is decoded here: {0}")]
    Decode(String),
    #[error("the camera opened its stream and sent no picture within {seconds} s")]
    Empty { seconds: u64 },
    #[error("cannot write {path}: {cause}")]
    Snapshot { path: PathBuf, cause: std::io::Error },
    #[error("cannot print: {0}")]
    Print(#[from] std::io::Error),
}

/// What was found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub codec: Codec,
    pub width: usize,
    pub height: usize,
    pub fps: f64,
    /// Mean time between key frames; `None` where fewer than two came.
    pub key_interval_s: Option<f64>,
    pub bits_per_second: f64,
}

/// Watches `url` for `seconds` and writes what it sends to `out`, and a JPEG to `snapshot_path`. Credentials may stand
/// in the address (`rtsp://user:password@host/…`), though not in what is printed; `username` and `password` go first.
pub async fn probe(
    url: &str,
    username: Option<&str>,
    password: Option<&str>,
    snapshot_path: Option<&Path>,
    seconds: u64,
    out: &mut impl Write,
) -> Result<Found, ProbeError> {
    let seconds = seconds.clamp(1, SECONDS_MAX);
    let mut address = Url::parse(url).map_err(|error| ProbeError::Address(error.to_string()))?;
    let userinfo = |text: &str| (!text.is_empty()).then(|| percent_decoded(text));
    let username = username.map(str::to_owned).or_else(|| userinfo(address.username()));
    let password = password.map(str::to_owned).or_else(|| address.password().and_then(userinfo));
    // Cannot fail where there is a host; where there is none, the session says so.
    let _ = address.set_username("");
    let _ = address.set_password(None);
    writeln!(out, "address      {address}")?;
    let camera = camera(address.to_string(), username);
    let mut tally = Tally::default();
    let time = Duration::from_secs(seconds);
    rtsp::sample(&camera, password.as_deref(), time, |unit| {
        tally.add(unit);
        ControlFlow::Continue(())
    })
    .await?;
    let (found, frame) = tally.found(seconds)?;
    print(&found, out)?;
    if let Some(path) = snapshot_path {
        let jpeg =
            render(&frame, &[], &[], &[], JPEG_QUALITY).map_err(|error| ProbeError::Decode(error.to_string()))?;
        let written = tokio::fs::write(path, jpeg).await;
        written.map_err(|cause| ProbeError::Snapshot { path: path.to_owned(), cause })?;
        writeln!(out, "snapshot     {}", path.display())?;
    }
    Ok(found)
}

/// The first picture of a camera, small.
#[derive(Debug)]
pub(crate) struct Glance {
    pub(crate) codec: Codec,
    /// As the camera sends it.
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) jpeg: Vec<u8>,
}

/// Looks at `camera` until its first picture is there, no longer than `within`. No privacy mask is drawn: there is none yet.
pub(crate) async fn glance(camera: &Camera, password: Option<&str>, within: Duration) -> Result<Glance, ProbeError> {
    let mut key = None;
    rtsp::sample(camera, password, within, |unit| {
        if unit.key {
            key = Some(unit);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })
    .await?;
    let AccessUnit { codec, data, .. } = key.ok_or(ProbeError::Empty { seconds: within.as_secs() })?;
    // Decoding would hold up the thread of the sockets.
    let drawn = tokio::task::spawn_blocking(move || {
        let frame = Guarded::new(codec).decode(&data).map_err(|error| ProbeError::Decode(error.to_string()))?;
        let frame = frame.ok_or_else(|| ProbeError::Decode("its key frame shows nothing".into()))?;
        let jpeg = thumbnail(&frame, JPEG_QUALITY).map_err(|error| ProbeError::Decode(error.to_string()))?;
        Ok(Glance { codec, width: frame.width, height: frame.height, jpeg })
    });
    drawn.await.unwrap_or_else(|_| Err(ProbeError::Decode("decoding was given up".into())))
}

impl ProbeError {
    /// The reason, as links of cameras have it.
    pub(crate) fn reason(&self) -> LinkReason {
        match self {
            ProbeError::Address(_) => LinkReason::Route,
            ProbeError::Camera { error } => error.reason(),
            ProbeError::Decode(_) => LinkReason::Codec,
            ProbeError::Empty { .. } => LinkReason::Stall,
            ProbeError::Snapshot { .. } | ProbeError::Print(_) => LinkReason::Protocol,
        }
    }
}

fn print(found: &Found, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "codec        {}", found.codec.as_str())?;
    writeln!(out, "size         {}x{}", found.width, found.height)?;
    writeln!(out, "frame rate   {:.1} per second", found.fps)?;
    match found.key_interval_s {
        Some(interval_s) => writeln!(out, "key frames   every {interval_s:.1} s")?,
        None => writeln!(out, "key frames   fewer than two in this time: watch longer, or set a shorter interval")?,
    }
    writeln!(out, "bit rate     {:.0} kbit/s", found.bits_per_second / 1_000.0)
}

/// Counts of the access units seen.
#[derive(Default)]
struct Tally {
    codec: Option<Codec>,
    frames: u64,
    bytes: u64,
    first_ms: i64,
    last_ms: i64,
    last_bytes: u64,
    keys: u64,
    first_key_ms: i64,
    last_key_ms: i64,
    frame: Option<Frame>,
    decode_error: Option<String>,
}

impl Tally {
    fn add(&mut self, unit: AccessUnit) {
        if self.codec.replace(unit.codec).is_none() {
            self.first_ms = unit.received_ms;
        }
        self.frames += 1;
        self.last_bytes = unit.data.len() as u64;
        self.bytes += self.last_bytes;
        self.last_ms = unit.received_ms;
        if !unit.key {
            return;
        }
        if self.keys == 0 {
            self.first_key_ms = unit.received_ms;
        }
        self.keys += 1;
        self.last_key_ms = unit.received_ms;
        if self.frame.is_none() {
            match Guarded::new(unit.codec).decode(&unit.data) {
                Ok(frame) => self.frame = frame,
                Err(error) => self.decode_error = Some(error.to_string()),
            }
        }
    }

    fn found(self, seconds: u64) -> Result<(Found, Frame), ProbeError> {
        let Some(codec) = self.codec else { return Err(ProbeError::Empty { seconds }) };
        let Some(frame) = self.frame else {
            let error = self.decode_error.unwrap_or_else(|| format!("no key frame within {seconds} s"));
            return Err(ProbeError::Decode(error));
        };
        let elapsed_s = (self.last_ms - self.first_ms).max(1) as f64 / 1_000.0;
        // Between n arrivals lie n - 1 intervals, which carried all frames but the last.
        let key_span_s = (self.last_key_ms - self.first_key_ms).max(0) as f64 / 1_000.0;
        let found = Found {
            codec,
            width: frame.width,
            height: frame.height,
            fps: self.frames.saturating_sub(1) as f64 / elapsed_s,
            key_interval_s: (self.keys > 1).then(|| key_span_s / (self.keys - 1) as f64),
            bits_per_second: (self.bytes - self.last_bytes) as f64 * 8.0 / elapsed_s,
        };
        Ok((found, frame))
    }
}

fn camera(url: String, username: Option<String>) -> Camera {
    Camera {
        id: "probe".into(),
        name: String::new(),
        url,
        main: None,
        pace: Pace::Recorded,
        username,
        password: None,
        ca_file: None,
        transport: Transport::Tcp,
        compat: Compat::default(),
        alarms: false,
        place: None,
        heat: None,
        zones: Vec::new(),
        lines: Vec::new(),
        ground: Vec::new(),
        clip: None,
        absorb_after: Span::from_ms(60_000),
        masks: Vec::new(),
        dark_after: TIMEOUT,
        ailments: Vec::new(),
        open_timeout: TIMEOUT,
        stall_after: TIMEOUT,
        frame_bytes_max: FRAME_BYTES_MAX,
        memory_max: FRAME_BYTES_MAX,
        retry_max: TIMEOUT,
    }
}

/// RFC 3986 section 2.1: passwords with `@` or `/` can only be written so in an address.
fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let pair = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hint(reason: LinkReason) -> &'static str {
    match reason {
        LinkReason::Auth => "give --username and --password, and check that the account may view live video",
        LinkReason::Route => "check host, port and path, and whether the camera is switched on",
        LinkReason::Codec => "set the camera's stream to H.264, H.265 or MJPEG",
        LinkReason::Stall => "the camera answers but sends nothing: its limit of viewers may be reached",
        LinkReason::Protocol => "this does not talk RTSP as it should: check the port",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn userinfo_is_decoded_and_odd_percent_signs_stay() {
        assert_eq!(percent_decoded("p%40ss%2Fw%C3%B6rd"), "p@ss/wörd");
        assert_eq!(percent_decoded("100%"), "100%");
        assert_eq!(percent_decoded("%zz%4"), "%zz%4");
    }
}
