//! What each camera has sent and what became of it, as plain numbers. Knows nothing of who shows them.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicI64, AtomicU8, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use outpost_detectors::observation::{Link, LinkReason, LinkState};

/// A late or early frame moves the estimate of the frame interval by this share.
const INTERVAL_SHARE: f64 = 0.05;

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
    /// Until when all frames of this camera are due to be decoded.
    pub(crate) active_until_ms: AtomicI64,
    /// Number of the unit that was looked at last.
    looked: AtomicU64,
    link: AtomicU8,
    last_frame_ms: AtomicI64,
    /// Bits of an f64; one writer.
    interval_ms: AtomicU64,
}

/// A snapshot of one camera's numbers; all but the last four only grow.
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
    /// Delta frames that were due to be decoded and were not, for want of time.
    pub shed: u64,
    pub decode_errors: u64,
    /// Sessions that ended with an error: each is followed by a reconnection.
    pub reconnects: u64,
    pub state: LinkState,
    pub reason: Option<LinkReason>,
    /// 0 before the second frame.
    pub last_frame_ms: i64,
    /// Frames per second, estimated.
    pub fps: f64,
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
        let last_ms = self.last_frame_ms.swap(received_ms, Relaxed);
        let interval = received_ms.saturating_sub(last_ms);
        if last_ms == 0 || !(0..INTERVAL_MS_MAX).contains(&interval) {
            return;
        }
        let known = f64::from_bits(self.interval_ms.load(Relaxed));
        let next = if known == 0.0 { interval as f64 } else { known + (interval as f64 - known) * INTERVAL_SHARE };
        self.interval_ms.store(next.to_bits(), Relaxed);
    }

    /// Unit `number` was looked at: frames are due to be decoded until then.
    pub(crate) fn looked(&self, number: u64, active_until_ms: i64) {
        self.active_until_ms.store(active_until_ms, Relaxed);
        self.looked.store(number, Release);
    }

    /// Whether nobody wants a delta frame that comes now. Known only where nothing that came before, up to unit
    /// `number`, is still to be looked at: it may hold the movement.
    pub(crate) fn is_idle(&self, number: u64, now_ms: i64) -> bool {
        self.looked.load(Acquire) == number && now_ms >= self.active_until_ms.load(Relaxed)
    }

    /// A delta frame found no room: a loss only while all frames are due.
    pub(crate) fn shed(&self, now_ms: i64) {
        if now_ms < self.active_until_ms.load(Relaxed) {
            self.shed.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn set_link(&self, link: &Link) {
        let state = STATES.iter().position(|state| *state == link.state).unwrap_or(0);
        let reason = REASONS.iter().position(|reason| *reason == link.reason).unwrap_or(0);
        // One byte for both, so that no reader sees a state with another's reason.
        self.link.store((state * REASONS.len() + reason) as u8, Relaxed);
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
            reconnects: self.failed_sessions.load(Relaxed),
            state: STATES[link / REASONS.len() % STATES.len()],
            reason: REASONS[link % REASONS.len()],
            last_frame_ms: self.last_frame_ms.load(Relaxed),
            fps: if interval_ms > 0.0 { 1_000.0 / interval_ms } else { 0.0 },
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
}
