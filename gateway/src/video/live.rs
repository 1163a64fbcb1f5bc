//! What a camera sends, handed on as it comes to who watches it: fragmented MP4 out of its own coding. Knows nothing of who they
//! are. One who takes it too slowly is let go, so that it costs nobody else anything.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tracing::info;

use super::counters::Counters;
use super::decoder::Codec;
use super::film::{self, FilmError, SKEW_MS_MAX, Shot, Timing};

/// Pictures that wait for one viewer, and their bytes: some seconds of a large camera.
const WAITING_MAX: usize = 512;
const WAITING_BYTES_MAX: usize = 8 << 20;

/// How long a picture is shown where no later one tells.
const LAST_MS: i64 = 40;

/// A place among those who watch at a time, and where those who lose it by being slow are counted.
#[derive(Debug)]
pub(super) struct Seat {
    /// Free again when nobody has it.
    _place: OwnedSemaphorePermit,
    counters: Arc<Counters>,
}

impl Seat {
    pub(super) fn new(place: OwnedSemaphorePermit, counters: Arc<Counters>) -> Seat {
        Seat { _place: place, counters }
    }
}

/// The end where pictures come in.
#[derive(Debug)]
pub(super) struct Watcher {
    shots: mpsc::Sender<Shot>,
    /// Here, since one who is let go and takes no more of what there is does not watch.
    seat: Seat,
    waiting_bytes: Arc<AtomicUsize>,
    is_slow: Arc<AtomicBool>,
}

/// The other end.
#[derive(Debug)]
pub(super) struct Watched {
    codec: Codec,
    /// From the last key frame on, until now.
    begun: VecDeque<Shot>,
    shots: mpsc::Receiver<Shot>,
    waiting_bytes: Arc<AtomicUsize>,
    is_slow: Arc<AtomicBool>,
}

pub(super) fn pair(codec: Codec, begun: VecDeque<Shot>, seat: Seat) -> (Watcher, Watched) {
    let (sender, shots) = mpsc::channel(WAITING_MAX);
    let (waiting_bytes, is_slow) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let watcher = Watcher { shots: sender, seat, waiting_bytes: waiting_bytes.clone(), is_slow: is_slow.clone() };
    (watcher, Watched { codec, begun, shots, waiting_bytes, is_slow })
}

impl Watcher {
    /// Whether the viewer still takes pictures: one that went, or has too many in line, does not.
    pub(super) fn offer(&self, shot: &Shot) -> bool {
        let n_bytes = shot.data.len();
        let waiting = self.waiting_bytes.fetch_add(n_bytes, Relaxed) + n_bytes;
        let is_taken = waiting <= WAITING_BYTES_MAX && self.shots.try_send(shot.clone()).is_ok();
        if !is_taken && !self.shots.is_closed() {
            self.is_slow.store(true, Relaxed);
            self.seat.counters.slow_viewers.fetch_add(1, Relaxed);
        }
        is_taken
    }
}

#[cfg(test)]
impl Watched {
    /// When the pictures came that there were, in tenths of a second, and those to come.
    pub(super) fn into_shots(self) -> (Vec<i64>, mpsc::Receiver<Shot>) {
        (self.begun.iter().map(|shot| shot.received_ms / 100).collect(), self.shots)
    }
}

/// One viewer's film, until it ends.
#[derive(Debug)]
pub struct Live {
    source: Arc<str>,
    mime: String,
    head: Option<Bytes>,
    watched: Watched,
    reel: Reeling,
    is_over: bool,
}

impl Live {
    pub(super) fn new(source: Arc<str>, watched: Watched) -> Result<Live, FilmError> {
        let first = watched.begun.front().filter(|shot| shot.key).ok_or(FilmError::Empty)?;
        let head = film::head(watched.codec, first, None)?;
        let reel = Reeling::new(watched.codec, first);
        let mime = format!("video/mp4; codecs=\"{}\"", head.name);
        Ok(Live { source, mime, head: Some(head.boxes.into()), watched, reel, is_over: false })
    }

    /// Its type with the codec by RFC 6381, as browsers ask for it.
    pub fn mime(&self) -> &str {
        &self.mime
    }

    /// The next boxes: first those that say what comes, then fragments; the last is `free`, with the word `slow` where the
    /// viewer was, and `over` where the camera's session is. None after that.
    pub async fn next(&mut self) -> Option<Bytes> {
        if let Some(head) = self.head.take() {
            return Some(head);
        }
        while !self.is_over {
            let shots = self.shots().await;
            self.is_over = shots.is_empty();
            let mut boxes = Vec::new();
            let made = match self.is_over {
                true => self.reel.end(&mut boxes),
                false => self.reel.add(shots, &mut boxes),
            };
            // What cannot be written ends it as a camera does that goes.
            self.is_over |= made.is_err();
            if self.is_over {
                boxes.extend(end(self.why_over()));
            }
            if !boxes.is_empty() {
                return Some(boxes.into());
            }
        }
        None
    }

    fn why_over(&self) -> &'static str {
        if !self.watched.is_slow.load(Relaxed) {
            return "over";
        }
        info!(source = &*self.source, "a viewer was too slow for the camera's stream and was let go");
        "slow"
    }

    /// What there is, at least one; none when nothing will come any more.
    async fn shots(&mut self) -> Vec<Shot> {
        let Watched { begun, shots, waiting_bytes, .. } = &mut self.watched;
        if !begun.is_empty() {
            return std::mem::take(begun).into();
        }
        let mut out = Vec::new();
        shots.recv_many(&mut out, WAITING_MAX).await;
        waiting_bytes.fetch_sub(out.iter().map(|shot| shot.data.len()).sum(), Relaxed);
        out
    }
}

/// ISO 14496-12, 8.1.2: a box that players skip.
fn end(word: &str) -> Vec<u8> {
    let mut out = (8 + word.len() as u32).to_be_bytes().to_vec();
    out.extend_from_slice(b"free");
    out.extend_from_slice(word.as_bytes());
    out
}

/// Pictures → fragments, one after the other. The last picture waits for the next one, which tells how long it is shown.
#[derive(Debug)]
struct Reeling {
    codec: Codec,
    n_fragments: u32,
    waiting: Option<(Shot, Timing)>,
    /// Receive and media time of the first picture.
    received_ms: i64,
    media_ms: Option<i64>,
    /// When the last picture is decoded.
    decode_ms: i64,
}

impl Reeling {
    fn new(codec: Codec, first: &Shot) -> Reeling {
        let (received_ms, media_ms) = (first.received_ms, first.media_ms);
        Reeling { codec, n_fragments: 0, waiting: None, received_ms, media_ms, decode_ms: -1 }
    }

    fn add(&mut self, shots: Vec<Shot>, out: &mut Vec<u8>) -> Result<(), FilmError> {
        let mut line: Vec<(Shot, Timing)> = self.waiting.take().into_iter().collect();
        for shot in shots {
            let timing = self.timing(&shot);
            line.push((shot, timing));
        }
        self.waiting = line.pop();
        let next_ms = self.waiting.as_ref().map_or(self.decode_ms, |(_, timing)| timing.decode_ms);
        self.fragment(line, next_ms, out)
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), FilmError> {
        let line: Vec<(Shot, Timing)> = self.waiting.take().into_iter().collect();
        self.fragment(line, self.decode_ms + LAST_MS, out)
    }

    fn fragment(&mut self, line: Vec<(Shot, Timing)>, next_ms: i64, out: &mut Vec<u8>) -> Result<(), FilmError> {
        if line.is_empty() {
            return Ok(());
        }
        self.n_fragments += 1;
        let (shots, timings): (Vec<Shot>, Vec<Timing>) = line.into_iter().unzip();
        film::fragment(self.codec, self.n_fragments, &shots, &timings, next_ms, out)
    }

    /// It is decoded as it came, and shown when the camera says; where the camera's clock parts from ours, as it came.
    fn timing(&mut self, shot: &Shot) -> Timing {
        let arrived_ms = shot.received_ms.saturating_sub(self.received_ms).max(0);
        let by_camera = shot.media_ms.zip(self.media_ms).map(|(now_ms, first_ms)| now_ms.saturating_sub(first_ms));
        let by_camera = by_camera.filter(|shown_ms| shown_ms.abs_diff(arrived_ms) <= SKEW_MS_MAX.unsigned_abs());
        if by_camera.is_none() {
            self.media_ms = None;
        }
        let shown_ms = by_camera.unwrap_or(arrived_ms).max(0);
        self.decode_ms = shown_ms.max(self.decode_ms + 1);
        // What is shown out of order is late in decoding; without B-frames both are the same.
        let offset_ms = if by_camera.is_some() { shown_ms - self.decode_ms } else { 0 };
        Timing { decode_ms: self.decode_ms, offset_ms }
    }
}

#[cfg(test)]
mod tests;
