//! What each camera has sent and what became of it, as plain numbers. Knows nothing of who shows them.

use std::sync::atomic::{
    AtomicI64, AtomicU8, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, Mutex, PoisonError};

use outpost_detectors::observation::{Link, LinkReason, LinkState};
use outpost_detectors::size_gate::{Earned, Standing};

use super::pace::Verdict;
use crate::decode::alarms::AlarmKind;

/// A late or early frame moves the estimate of the frame interval by this share.
const INTERVAL_SHARE: f64 = 0.05;

/// Frames over which the drift of a camera's clock is evened out.
const DRIFT_FRAMES: i64 = 256;

/// Longer pauses are the link's affair, not the camera's frame rate.
const INTERVAL_MS_MAX: i64 = 5_000;

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) frames: AtomicU64,
    pub(crate) key_frames: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) lost_packets: AtomicU64,
    pub(crate) decoded: AtomicU64,
    pub(crate) moving: AtomicU64,
    shed: AtomicU64,
    pub(crate) decode_errors: AtomicU64,
    pub(crate) failed_sessions: AtomicU64,
    pub(crate) slow_viewers: AtomicU64,
    /// Alarms of the camera's own that began, in the order of [`AlarmKind::ALL`].
    alarms: [AtomicU64; AlarmKind::ALL.len()],
    pub(crate) alarm_others: AtomicU64,
    pub(crate) alarm_faults: AtomicU64,
    stalls: AtomicU64,
    /// Until when all frames of this camera are due to be decoded.
    pub(crate) active_until_ms: AtomicI64,
    /// Number of the unit that was looked at last.
    looked: AtomicU64,
    link: AtomicU8,
    last_frame_ms: AtomicI64,
    /// Bits of an f64; one writer.
    interval_ms: AtomicU64,
    /// A key frame's number and whether it showed movement, in the lowest bit, until the session takes it; 0 = none.
    verdict: AtomicU64,
    last_key_ms: AtomicI64,
    key_interval_ms: AtomicI64,
    /// Receive time less media time of the session's first frame.
    media_offset_ms: AtomicI64,
    drift_ms: AtomicI64,
    /// Bytes of coded frames that are kept.
    group_bytes: AtomicU64,
    /// How the size gate stands, and what it has earned.
    gate: Mutex<Option<(Standing, Earned)>>,
}

/// A snapshot of one camera's numbers; those up to `stalls` only grow.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    pub source: Arc<str>,
    /// Access units received.
    pub frames: u64,
    pub key_frames: u64,
    pub bytes: u64,
    /// RTP packets that the camera numbered and that never came.
    pub lost_packets: u64,
    pub decoded: u64,
    /// Decoded pictures in which something moved.
    pub moving: u64,
    /// Frames that were due to be decoded and were not, for want of time or a forerunner.
    pub shed: u64,
    pub decode_errors: u64,
    /// People who took the live stream too slowly and were let go.
    pub slow_viewers: u64,
    /// Sessions that ended with an error: each is followed by a reconnection.
    pub reconnects: u64,
    /// Alarms of the camera's own that began.
    pub alarms: Vec<(AlarmKind, u64)>,
    /// What the camera told that is no alarm known here.
    pub alarm_others: u64,
    /// Documents of alarms that could not be read, and sessions that had to do without.
    pub alarm_faults: u64,
    /// Times that a live stream stopped.
    pub stalls: u64,
    pub state: LinkState,
    pub reason: Option<LinkReason>,
    /// 0 before the second frame.
    pub last_frame_ms: i64,
    /// Frames per second, estimated.
    pub fps: f64,
    /// When the session's last key frame came; 0 before the first.
    pub last_key_ms: i64,
    /// Between the last two key frames; 0 before the second.
    pub key_interval_ms: i64,
    /// By how much the camera's clock has run ahead of ours since the session began; none where no frame of it had a media time.
    /// Receive time counts everywhere else.
    pub drift_ms: Option<i64>,
    /// Of coded frames and pictures that are kept.
    pub memory_bytes: u64,
    /// What the size gate has earned; None before it was first asked.
    pub gate: Option<Standing>,
}

const STATES: [LinkState; 4] = [LinkState::Connecting, LinkState::Live, LinkState::Stalled, LinkState::Offline];
const REASONS: [Option<LinkReason>; 6] = [
    None,
    Some(LinkReason::Auth),
    Some(LinkReason::Route),
    Some(LinkReason::Codec),
    Some(LinkReason::Stall),
    Some(LinkReason::Protocol),
];

impl Counters {
    /// An access unit arrived.
    pub(crate) fn frame(&self, bytes: usize, key: bool, loss: u16, received_ms: i64) {
        self.frames.fetch_add(1, Relaxed);
        self.key_frames.fetch_add(u64::from(key), Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
        self.lost_packets.fetch_add(u64::from(loss), Relaxed);
        if key {
            let last_key_ms = self.last_key_ms.swap(received_ms, Relaxed);
            if last_key_ms != 0 {
                self.key_interval_ms.store(received_ms.saturating_sub(last_key_ms).max(0), Relaxed);
            }
        }
        let last_ms = self.last_frame_ms.swap(received_ms, Relaxed);
        let interval = received_ms.saturating_sub(last_ms);
        if last_ms == 0 || !(0..INTERVAL_MS_MAX).contains(&interval) {
            return;
        }
        let known = f64::from_bits(self.interval_ms.load(Relaxed));
        let next = if known == 0.0 { interval as f64 } else { known + (interval as f64 - known) * INTERVAL_SHARE };
        self.interval_ms.store(next.to_bits(), Relaxed);
    }

    /// A session begins: its media times have another origin.
    pub(crate) fn begin(&self) {
        self.media_offset_ms.store(0, Relaxed);
        self.drift_ms.store(0, Relaxed);
        self.last_key_ms.store(0, Relaxed);
        self.key_interval_ms.store(0, Relaxed);
    }

    /// A frame has the media time `media_ms`, counted from anywhere.
    pub(crate) fn media(&self, media_ms: i64, received_ms: i64) {
        let offset_ms = received_ms.saturating_sub(media_ms);
        match self.media_offset_ms.load(Relaxed) {
            0 => self.media_offset_ms.store(offset_ms, Relaxed),
            // A frame that was late on its way is no drift: it averages out.
            first_ms => {
                let (known_ms, now_ms) = (self.drift_ms.load(Relaxed), first_ms.saturating_sub(offset_ms));
                let step_ms = now_ms.saturating_sub(known_ms);
                self.drift_ms.store(known_ms.saturating_add(step_ms / DRIFT_FRAMES + step_ms.signum()), Relaxed);
            }
        }
    }

    /// A key frame showed movement or none.
    pub(crate) fn judged(&self, Verdict { number, moved }: Verdict) {
        self.verdict.store(number << 1 | u64::from(moved), Relaxed);
    }

    pub(crate) fn take_verdict(&self) -> Option<Verdict> {
        match self.verdict.swap(0, Relaxed) {
            0 => None,
            bits => Some(Verdict { number: bits >> 1, moved: bits & 1 == 1 }),
        }
    }

    pub(crate) fn set_group_bytes(&self, bytes: usize) {
        self.group_bytes.store(bytes as u64, Relaxed);
    }

    pub(crate) fn group_bytes(&self) -> u64 {
        self.group_bytes.load(Relaxed)
    }

    fn gate(&self) -> Option<(Standing, Earned)> {
        *self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the size gate has earned so far.
    pub(crate) fn earned(&self) -> Option<Earned> {
        self.gate().map(|(_, earned)| earned)
    }

    pub(crate) fn set_gate(&self, standing: Standing, earned: Earned) {
        *self.gate.lock().unwrap_or_else(PoisonError::into_inner) = Some((standing, earned));
    }

    /// Unit `number` was looked at: frames are due to be decoded until then.
    pub(crate) fn looked(&self, number: u64, active_until_ms: i64) {
        self.active_until_ms.store(active_until_ms, Relaxed);
        self.looked.store(number, Release);
    }

    /// Whether all frames are due to be decoded.
    pub(crate) fn is_active(&self, now_ms: i64) -> bool {
        now_ms < self.active_until_ms.load(Relaxed)
    }

    /// Whether nobody wants a delta frame that comes now. Known only where nothing that came before, up to unit
    /// `number`, is still to be looked at: it may hold the movement.
    pub(crate) fn is_idle(&self, number: u64, now_ms: i64) -> bool {
        self.looked.load(Acquire) == number && !self.is_active(now_ms)
    }

    /// Frames found no time: those that follow are a loss only while all frames are due.
    pub(crate) fn shed(&self, n_due: u64, n_follow: u64, now_ms: i64) {
        let n_follow = if self.is_active(now_ms) { n_follow } else { 0 };
        self.shed.fetch_add(n_due + n_follow, Relaxed);
    }

    /// An alarm of the camera's own began.
    pub(crate) fn alarm(&self, kind: AlarmKind) {
        self.alarms[kind as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn set_link(&self, link: &Link) {
        let state = STATES.iter().position(|state| *state == link.state).unwrap_or(0);
        let reason = REASONS.iter().position(|reason| *reason == link.reason).unwrap_or(0);
        // One byte for both, so that no reader sees a state with another's reason.
        let before = self.link.swap((state * REASONS.len() + reason) as u8, Relaxed);
        let was_live = STATES[usize::from(before) / REASONS.len() % STATES.len()] == LinkState::Live;
        self.stalls
            .fetch_add(u64::from(was_live && matches!(link.state, LinkState::Stalled | LinkState::Offline)), Relaxed);
    }

    pub(crate) fn counts(&self, source: &Arc<str>) -> Counts {
        let link = usize::from(self.link.load(Relaxed));
        let interval_ms = f64::from_bits(self.interval_ms.load(Relaxed));
        Counts {
            source: source.clone(),
            frames: self.frames.load(Relaxed),
            key_frames: self.key_frames.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            lost_packets: self.lost_packets.load(Relaxed),
            decoded: self.decoded.load(Relaxed),
            moving: self.moving.load(Relaxed),
            shed: self.shed.load(Relaxed),
            decode_errors: self.decode_errors.load(Relaxed),
            slow_viewers: self.slow_viewers.load(Relaxed),
            reconnects: self.failed_sessions.load(Relaxed),
            alarms: AlarmKind::ALL.into_iter().zip(self.alarms.iter().map(|n| n.load(Relaxed))).collect(),
            alarm_others: self.alarm_others.load(Relaxed),
            alarm_faults: self.alarm_faults.load(Relaxed),
            stalls: self.stalls.load(Relaxed),
            state: STATES[link / REASONS.len() % STATES.len()],
            reason: REASONS[link % REASONS.len()],
            last_frame_ms: self.last_frame_ms.load(Relaxed),
            fps: if interval_ms > 0.0 { 1_000.0 / interval_ms } else { 0.0 },
            last_key_ms: self.last_key_ms.load(Relaxed),
            key_interval_ms: self.key_interval_ms.load(Relaxed),
            drift_ms: (self.media_offset_ms.load(Relaxed) != 0).then(|| self.drift_ms.load(Relaxed)),
            memory_bytes: self.group_bytes(),
            gate: self.gate().map(|(standing, _)| standing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_reads_back_as_it_was_set() {
        let (counters, source) = (Counters::default(), Arc::from("cam:a"));
        for state in STATES {
            for reason in REASONS {
                counters.set_link(&Link { state, reason });
                let counts = counters.counts(&source);
                assert_eq!((counts.state, counts.reason), (state, reason));
            }
        }
    }

    #[test]
    fn the_frame_rate_follows_the_arrivals_and_ignores_pauses_and_clocks_set_back() {
        let (counters, source) = (Counters::default(), Arc::from("cam:a"));
        for frame in 1..=50 {
            counters.frame(10, frame % 25 == 1, 0, 1_000_000 + frame * 40);
        }
        counters.frame(10, true, 3, 2_000_000);
        counters.frame(10, true, 0, 5_000);
        let counts = counters.counts(&source);
        assert!((counts.fps - 25.0).abs() < 0.1, "{}", counts.fps);
        assert_eq!((counts.frames, counts.key_frames, counts.bytes, counts.lost_packets), (52, 4, 520, 3));
    }

    #[test]
    fn a_camera_that_declares_more_time_than_passes_drifts_ahead() {
        let (counters, source) = (Counters::default(), Arc::from("cam:a"));
        let drift = |from: i64, to: i64, jitter: i64| {
            for frame in from..to {
                // Declares 25 frames a second and delivers one in 42 ms.
                counters.media(7_000 + frame * 40, 1_000_000 + frame * 42 + frame % 3 * jitter);
            }
            counters.counts(&source).drift_ms.unwrap()
        };
        let drift_ms = drift(0, 10_000, 15);
        assert!((-20_000..-19_300).contains(&drift_ms), "{drift_ms} ms");
        counters.begin();
        assert_eq!(counters.counts(&source).drift_ms, None);
    }

    #[test]
    fn a_stream_that_was_live_and_is_not_has_stopped_once() {
        let (counters, source) = (Counters::default(), Arc::from("cam:a"));
        for state in [LinkState::Stalled, LinkState::Live, LinkState::Stalled, LinkState::Offline, LinkState::Stalled] {
            counters.set_link(&Link { state, reason: None });
        }
        assert_eq!(counters.counts(&source).stalls, 1);
    }

    #[test]
    fn the_key_interval_is_between_the_last_two_of_a_session() {
        let (counters, source) = (Counters::default(), Arc::from("cam:a"));
        let after = |frames: &[(bool, i64)]| {
            frames.iter().for_each(|(key, at_ms)| counters.frame(10, *key, 0, *at_ms));
            counters.counts(&source).key_interval_ms
        };
        assert_eq!(after(&[(true, 1_000), (false, 9_000)]), 0);
        assert_eq!(after(&[(true, 13_000), (false, 13_040)]), 12_000);
        assert_eq!(after(&[(true, 73_000)]), 60_000);
        counters.begin();
        assert_eq!(after(&[(true, 999_000)]), 0, "the pause between two sessions is no interval");
        assert_eq!(after(&[(true, 1_000_000)]), 1_000);
    }

    #[test]
    fn a_verdict_is_taken_once() {
        let counters = Counters::default();
        assert_eq!(counters.take_verdict(), None);
        let verdict = Verdict { number: 12, moved: true };
        counters.judged(verdict);
        assert_eq!((counters.take_verdict(), counters.take_verdict()), (Some(verdict), None));
    }
}
