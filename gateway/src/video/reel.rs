//! The last seconds of a camera as they came, clips cut out of them, and who watches what comes. Bounded in bytes. Knows nothing of alerts but their
//! ids, and of files nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tracing::warn;

use super::decoder::Codec;
use super::film::{Film, Shot};
use super::live::{self, Seat, Watched, Watcher};
use super::nals;
use crate::ingest::rtsp::AccessUnit;
use crate::nouns::{Missing, Unseen};

/// What a picture costs beyond its bytes.
const SHOT_OVERHEAD_BYTES: usize = 64;

/// Clips of one camera that are being received at a time.
const TAKES_MAX: usize = 16;

/// A clip that is complete, or the reason why there will be none.
#[derive(Debug)]
pub struct Clip {
    pub(super) alert: Arc<str>,
    pub(super) film: Result<Film, Missing>,
}

impl Clip {
    pub fn alert(&self) -> &str {
        &self.alert
    }

    /// The file, fragmented MP4, or why there is none.
    pub fn to_mp4(&self) -> Result<Vec<u8>, Missing> {
        let film = self.film.as_ref().map_err(|missing| *missing)?;
        film.to_mp4().map_err(|error| {
            warn!(alert = &*self.alert, %error, "no clip could be made");
            Missing::Codec
        })
    }

    fn bytes(&self) -> usize {
        self.film.as_ref().map_or(0, |film| film.shots.iter().map(|shot| shot.data.len() + SHOT_OVERHEAD_BYTES).sum())
    }
}

/// From how long before an alert to how long after it, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Margins {
    pub(super) before_ms: i64,
    pub(super) after_ms: i64,
}

#[derive(Debug)]
pub(super) struct Reel {
    margins: Margins,
    bytes_max: usize,
    out: mpsc::Sender<Clip>,
    strip: Mutex<Strip>,
}

/// The pictures that are at hand: whole groups, from a key frame on.
#[derive(Debug, Default)]
struct Strip {
    codec: Option<Codec>,
    /// Parameter sets of the newest key frame, one after the other.
    parameters: Vec<u8>,
    shots: VecDeque<Shot>,
    bytes: usize,
    /// How many pictures went before the first one that is here.
    n_gone: u64,
    /// Numbers of the key frames that are here.
    keys: VecDeque<u64>,
    takes: Vec<Take>,
    /// Who watches. They begin anew where the parameters change.
    watchers: Vec<Watcher>,
    /// Clips that wait for room where they are written; one of them has pictures.
    ready: VecDeque<Clip>,
}

/// A clip that is being received.
#[derive(Debug)]
struct Take {
    alert: Arc<str>,
    from_ms: i64,
    until_ms: i64,
}

impl Reel {
    /// `bytes_max` bounds what is kept; what is complete goes to `out`.
    pub(super) fn new(margins: Margins, bytes_max: usize, out: mpsc::Sender<Clip>) -> Self {
        Reel { margins, bytes_max, out, strip: Mutex::default() }
    }

    /// A picture came.
    pub(super) fn push(&self, unit: &AccessUnit) {
        let mut strip = self.strip();
        if strip.codec != Some(unit.codec) {
            strip.clear();
            strip.codec = Some(unit.codec);
        }
        if !unit.codec.has_delta_frames() {
            return;
        }
        strip.heed_parameters(unit);
        strip.push(unit);
        strip.finish(|take| take.until_ms <= unit.received_ms);
        let earliest_ms = strip.takes.iter().map(|take| take.from_ms).min().unwrap_or(i64::MAX);
        strip.trim(earliest_ms.min(unit.received_ms.saturating_sub(self.margins.before_ms)));
        if strip.bytes() > self.bytes_max {
            // The beginning of a clip, with what it is about, is worth more than its end.
            strip.finish(|_| true);
        }
        strip.hand_over(&self.out);
        while strip.bytes() > self.bytes_max && !strip.shots.is_empty() {
            strip.drop_group();
        }
    }

    /// The session is over: clips end here.
    pub(super) fn end(&self) {
        let mut strip = self.strip();
        strip.clear();
        strip.hand_over(&self.out);
    }

    /// Begins the clip of an alert that opened at `at_ms`. Why there is none yet, or never will be.
    pub(super) fn take(&self, alert: &Arc<str>, at_ms: i64) -> Missing {
        let mut strip = self.strip();
        if strip.codec.is_some_and(|codec| !codec.has_delta_frames()) {
            return Missing::Codec;
        }
        if strip.shots.is_empty() || strip.takes.len() >= TAKES_MAX {
            return Missing::Gone;
        }
        strip.takes.push(Take {
            alert: alert.clone(),
            from_ms: at_ms.saturating_sub(self.margins.before_ms),
            until_ms: at_ms.saturating_add(self.margins.after_ms),
        });
        Missing::Pending
    }

    /// What comes from now on, from the last key frame on; `seat` is free again when that ends.
    pub(super) fn watch(&self, seat: Seat) -> Result<Watched, Unseen> {
        let mut strip = self.strip();
        let codec = strip.codec.ok_or(Unseen::Nothing)?;
        if !codec.has_delta_frames() {
            return Err(Unseen::Codec);
        }
        let from = strip.keys.back().map(|key| (key - strip.n_gone) as usize).ok_or(Unseen::Nothing)?;
        let (watcher, watched) = live::pair(codec, strip.shots.range(from..).cloned().collect(), seat);
        strip.watchers.push(watcher);
        Ok(watched)
    }

    /// Memory that it holds.
    pub(super) fn bytes(&self) -> usize {
        self.strip().bytes()
    }

    fn strip(&self) -> MutexGuard<'_, Strip> {
        self.strip.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Strip {
    fn bytes(&self) -> usize {
        self.bytes + self.ready.iter().map(Clip::bytes).sum::<usize>()
    }

    /// A clip has one set of parameters: where they change it ends.
    fn heed_parameters(&mut self, unit: &AccessUnit) {
        if !unit.key {
            return;
        }
        let mut same = 0;
        let mut changed = false;
        for set in nals::parameter_sets(unit.codec, &unit.data) {
            changed |= self.parameters.get(same..same + set.len()) != Some(set);
            same += set.len();
        }
        if same == 0 || (!changed && same == self.parameters.len()) {
            return;
        }
        self.clear();
        self.parameters = nals::parameter_sets(unit.codec, &unit.data).collect::<Vec<_>>().concat();
    }

    fn push(&mut self, unit: &AccessUnit) {
        if unit.key {
            self.keys.push_back(self.n_gone + self.shots.len() as u64);
        } else if self.shots.is_empty() {
            return;
        }
        let AccessUnit { data, key, received_ms, media_ms, .. } = unit.clone();
        self.bytes += data.len() + SHOT_OVERHEAD_BYTES;
        let shot = Shot { data, key, received_ms, media_ms };
        self.watchers.retain(|watcher| watcher.offer(&shot));
        self.shots.push_back(shot);
    }

    /// Ends the takes that are over.
    fn finish(&mut self, is_over: impl Fn(&Take) -> bool) {
        let over: Vec<Take> = self.takes.extract_if(.., |take| is_over(take)).collect();
        for take in over {
            let film = self.film(&take).ok_or(Missing::Gone);
            self.ready.push_back(Clip { alert: take.alert, film });
        }
    }

    /// From the last key frame before it begins on.
    fn film(&self, take: &Take) -> Option<Film> {
        let at = |number: u64| (number - self.n_gone) as usize;
        let begins = self.keys.iter().rev().find(|key| self.shots[at(**key)].received_ms <= take.from_ms);
        let from = at(*begins.or(self.keys.front())?);
        let shots: Vec<Shot> =
            self.shots.range(from..).take_while(|shot| shot.received_ms <= take.until_ms).cloned().collect();
        Some(Film { codec: self.codec?, shots }).filter(|film| !film.shots.is_empty())
    }

    /// Groups that end before this are not needed any more.
    fn trim(&mut self, needed_ms: i64) {
        while let Some(next) = self.keys.get(1)
            && self.shots[(next - self.n_gone) as usize].received_ms <= needed_ms
        {
            self.drop_group();
        }
    }

    /// The oldest group goes.
    fn drop_group(&mut self) {
        self.keys.pop_front();
        let n = self.keys.front().map_or(self.shots.len(), |next| (next - self.n_gone) as usize);
        self.bytes -= self.shots.drain(..n).map(|shot| shot.data.len() + SHOT_OVERHEAD_BYTES).sum::<usize>();
        self.n_gone += n as u64;
        if self.shots.is_empty() {
            self.shots.shrink_to_fit();
        }
    }

    /// All goes, and clips and those who watch end here.
    fn clear(&mut self) {
        self.finish(|_| true);
        self.watchers.clear();
        self.parameters.clear();
        while !self.shots.is_empty() {
            self.drop_group();
        }
    }

    /// What finds no room waits. Where the disk is behind for so long that another clip is complete, that one is lost.
    fn hand_over(&mut self, out: &mpsc::Sender<Clip>) {
        while let Some(clip) = self.ready.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(clip)) = out.try_send(clip) {
                self.ready.push_front(clip);
                self.ready.iter_mut().skip(1).for_each(|clip| clip.film = Err(Missing::Lost));
                self.ready.truncate(TAKES_MAX);
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests;
