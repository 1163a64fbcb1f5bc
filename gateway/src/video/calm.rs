//! When a camera at rest may be looked at less often. Pure.
//!
//! Nearly all that a quiet camera costs is decoding key frames. What moves has to be encoded, though, and shows in the
//! sizes of the delta frames, which cost nothing to look at: a camera on which nothing has moved for a minute is looked
//! at every four seconds, and at the very next key frame once its delta frames are larger than usual. One large frame is
//! no sign (encoders refresh themselves so), many that are somewhat large are: the excess is summed up, after
//! E. S. Page, "Continuous inspection schemes" (1954).

/// Key frames closer than this are not all decoded while nothing moves: MJPEG, and cameras set to key frames only,
/// would otherwise cost what full decoding costs.
const SPACING_MS: i64 = 900;

/// The same for a calm camera: every second key frame of the usual two seconds.
const CALM_SPACING_MS: i64 = 3_900;

/// Rest after which a camera is calm.
const CALM_AFTER_MS: i64 = 60_000;

/// Delta frames by which the usual size is learned.
const LEARNED_MIN: u32 = 150;

/// Share of one frame in the usual size.
const LEARN_SHARE: f32 = 1.0 / 256.0;

/// Excess over the usual size, in mean absolute deviations, that is no sign of anything.
const SLACK: f32 = 1.5;

/// Most that one frame counts for.
const EXCESS_MAX: f32 = 4.0;

/// Sum of what exceeds the slack at which something stirs: four frames that are much too large, or a second of frames that
/// are somewhat too large.
const STIRS_AT: f32 = 8.0;

/// Least deviation: a picture that never changes has frames of a few bytes, all alike.
const DEVIATION_BYTES_MIN: f32 = 16.0;

/// Furthest that one frame pulls the usual size, in deviations.
const PULL_MAX: f32 = 3.0;

#[derive(Debug)]
pub(super) struct Calm {
    /// Longest spacing of this camera.
    spacing_max_ms: i64,
    /// Beginning of the session.
    since_ms: i64,
    looked_ms: Option<i64>,
    /// Usual size of a delta frame and mean absolute deviation from it, in bytes.
    usual: f32,
    deviation: f32,
    n_learned: u32,
    /// Excess so far.
    excess: f32,
    stirs: bool,
}

impl Calm {
    /// `dark_after_ms`: without pictures for so long the camera counts as dark; it has to be looked at twice in this.
    pub(super) fn new(dark_after_ms: i64) -> Self {
        let spacing_max_ms = (dark_after_ms / 2).clamp(SPACING_MS, CALM_SPACING_MS);
        Calm {
            spacing_max_ms,
            since_ms: 0,
            looked_ms: None,
            usual: 0.0,
            deviation: 0.0,
            n_learned: 0,
            excess: 0.0,
            stirs: false,
        }
    }

    /// A session begins: its encoder may be set otherwise.
    pub(super) fn begin(&mut self, now_ms: i64) {
        (self.since_ms, self.n_learned, self.excess, self.stirs) = (now_ms, 0, 0.0, false);
    }

    pub(super) fn delta(&mut self, n_bytes: usize) {
        let size = n_bytes as f32;
        if self.n_learned == 0 {
            (self.usual, self.deviation) = (size, size / 2.0);
        }
        let difference = size - self.usual;
        if self.n_learned >= LEARNED_MIN {
            let excess = (difference / (self.deviation + DEVIATION_BYTES_MIN)).min(EXCESS_MAX);
            self.excess = (self.excess + excess - SLACK).max(0.0);
            if self.excess > STIRS_AT {
                (self.excess, self.stirs) = (0.0, true);
            }
        }
        // What stirs must not become the usual before it has lasted.
        let reach = self.deviation * PULL_MAX + 1.0;
        let pull = difference.clamp(-reach, reach);
        self.usual += pull * LEARN_SHARE;
        self.deviation += (pull.abs() - self.deviation) * LEARN_SHARE;
        self.n_learned = self.n_learned.saturating_add(1);
    }

    /// Whether a key frame is to be looked at. `active_until_ms`: until when all frames are, as last told.
    pub(super) fn key(&mut self, now_ms: i64, active_until_ms: i64) -> bool {
        let rest_ms = now_ms.saturating_sub(self.since_ms.max(active_until_ms));
        let is_calm = rest_ms >= CALM_AFTER_MS && self.n_learned >= LEARNED_MIN && !self.stirs;
        let spacing_ms = if is_calm { self.spacing_max_ms } else { SPACING_MS };
        // A clock that was set back must not stop decoding.
        let is_due =
            self.looked_ms.is_none_or(|looked_ms| !(0..spacing_ms).contains(&now_ms.saturating_sub(looked_ms)));
        if is_due {
            (self.looked_ms, self.stirs) = (Some(now_ms), false);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 15 frames a second, a key frame every two seconds; `size` of the delta frame with this number. Times of the key
    /// frames that are looked at.
    fn looks(calm: &mut Calm, from_s: i64, to_s: i64, active_until_ms: i64, size: impl Fn(i64) -> usize) -> Vec<i64> {
        let mut looks = Vec::new();
        for frame in from_s * 15..to_s * 15 {
            let now_ms = frame * 1000 / 15;
            if frame % 30 != 0 {
                calm.delta(size(frame));
            } else if calm.key(now_ms, active_until_ms) {
                looks.push(now_ms / 1000);
            }
        }
        looks
    }

    /// Sizes of a noisy picture at rest: around 400 bytes.
    fn noise(frame: i64) -> usize {
        300 + (frame.wrapping_mul(7919) % 200) as usize
    }

    #[test]
    fn a_camera_at_rest_is_looked_at_half_as_often_until_something_stirs() {
        let mut calm = Calm::new(30_000);
        calm.begin(0);
        assert_eq!(looks(&mut calm, 0, 60, 0, noise).len(), 30, "each key frame of the first minute");
        assert_eq!(looks(&mut calm, 60, 70, 0, noise), [62, 66], "then every second");
        let refresh = |frame| noise(frame) + if frame % 20 == 7 { 2_000 } else { 0 };
        assert_eq!(looks(&mut calm, 70, 80, 0, refresh), [70, 74, 78], "single large frames are no sign");
        let walker = |frame| noise(frame) + if (83 * 15 + 5..83 * 15 + 11).contains(&frame) { 900 } else { 0 };
        assert_eq!(looks(&mut calm, 80, 92, 0, walker), [82, 84, 88], "and the next after a stir");
    }

    #[test]
    fn movement_and_a_new_session_end_the_calm() {
        let mut calm = Calm::new(30_000);
        calm.begin(0);
        looks(&mut calm, 0, 100, 0, noise);
        assert_eq!(looks(&mut calm, 100, 106, 95_000, noise).len(), 3);
        assert_eq!(looks(&mut calm, 156, 164, 95_000, noise).len(), 2);
        calm.begin(164_000);
        assert_eq!(looks(&mut calm, 164, 224, 95_000, noise).len(), 30);
        assert_eq!(looks(&mut calm, 224, 234, i64::MAX, noise).len(), 5, "a camera whose every frame is looked at");
    }

    #[test]
    fn key_frames_only_and_a_short_dark_limit_are_looked_at_in_time() {
        let mut calm = Calm::new(30_000);
        calm.begin(0);
        let n_looks = (0..1500).filter(|i| calm.key(i * 66, 0)).count();
        assert!((70..=110).contains(&n_looks), "{n_looks} of 100 s of key frames only: nothing tells of a stir");
        let mut calm = Calm::new(2_000);
        calm.begin(0);
        assert_eq!(looks(&mut calm, 0, 100, 0, noise).len(), 50);
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nothing() {
        let mut calm = Calm::new(30_000);
        calm.begin(0);
        assert!(calm.key(1_000_000, 0));
        assert!(calm.key(5_000, 0));
    }
}
