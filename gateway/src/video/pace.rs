//! Which key frames of a camera are looked at, and when the sizes of its frames wake it. Pure.
//!
//! Nearly all that a quiet camera costs is decoding key frames. Every one is decoded until the size gate has earned trust
//! on this camera (`outpost_detectors::size_gate`); then, at rest, one per `glance`, and all frames since the last key frame
//! as soon as something stirs.

use outpost_detectors::size_gate::{Earned, Said, SizeGate, Standing};

/// Key frames closer than this are not all decoded while nothing moves: MJPEG, and cameras set to key frames only,
/// would otherwise cost what full decoding costs.
const SPACING_MS: i64 = 900;

/// Rest after which a camera is looked at less often.
const REST_MS: i64 = 60_000;

#[derive(Debug)]
pub(super) struct Pace {
    /// Longest spacing of looks.
    glance_ms: i64,
    /// Beginning of the session.
    since_ms: i64,
    looked_ms: Option<i64>,
    gate: SizeGate,
    /// The look whose outcome is awaited: number of the unit, and what the gate said before it.
    open: Option<(u64, Said)>,
}

/// What a decoded key frame showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Number of the unit.
    pub(crate) number: u64,
    pub(crate) moved: bool,
}

impl Pace {
    /// `dark_after_ms`: without pictures for so long the camera counts as dark; it has to be looked at twice in this.
    /// `earned`: by the camera's gate before a restart.
    pub(super) fn new(glance_ms: i64, dark_after_ms: i64, earned: Option<Earned>) -> Self {
        let glance_ms = glance_ms.min(dark_after_ms / 2).max(SPACING_MS);
        Pace { glance_ms, since_ms: 0, looked_ms: None, gate: SizeGate::with(earned.unwrap_or_default()), open: None }
    }

    /// A session begins: its encoder may be set otherwise.
    pub(super) fn begin(&mut self, now_ms: i64) {
        (self.since_ms, self.open) = (now_ms, None);
        self.gate.begin();
    }

    /// A delta frame came. Whether a trusted gate says that something begins to stir.
    pub(super) fn delta(&mut self, n_bytes: usize) -> bool {
        self.gate.delta(n_bytes) && self.is_trusted()
    }

    /// Key frame `number` came: whether it is to be looked at. `active_until_ms`: until when all frames are, as last told.
    pub(super) fn key(&mut self, number: u64, now_ms: i64, active_until_ms: i64) -> bool {
        let rest_ms = now_ms.saturating_sub(self.since_ms.max(active_until_ms));
        let is_thinned = rest_ms >= REST_MS && self.is_trusted() && !self.gate.stirs();
        let spacing_ms = if is_thinned { self.glance_ms } else { SPACING_MS };
        // A clock that was set back must not stop decoding.
        let is_due =
            self.looked_ms.is_none_or(|looked_ms| !(0..spacing_ms).contains(&now_ms.saturating_sub(looked_ms)));
        if is_due {
            self.looked_ms = Some(now_ms);
            self.open = Some((number, self.gate.take()));
        }
        is_due
    }

    pub(super) fn judge(&mut self, verdict: Verdict) {
        if let Some((_, said)) = self.open.take_if(|(number, _)| *number == verdict.number) {
            self.gate.judge(said, verdict.moved);
        }
    }

    /// Whether the gate may thin out what is decoded: it has earned it, and knows the usual sizes of this session.
    pub(super) fn is_trusted(&self) -> bool {
        self.gate.is_learned() && self.gate.standing().is_trusted
    }

    pub(super) fn standing(&self) -> Standing {
        self.gate.standing()
    }

    pub(super) fn earned(&self) -> Earned {
        self.gate.earned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes of a noisy picture at rest: around 400 bytes.
    fn noise(frame: i64) -> usize {
        300 + (frame.wrapping_mul(7919) % 200) as usize
    }

    /// A camera of 15 frames a second with a key frame every two, and what becomes of it.
    struct Scene {
        pace: Pace,
        active_until_ms: i64,
        /// What delta frames weigh while somebody walks.
        walking: usize,
    }

    impl Scene {
        fn new(walking: usize) -> Scene {
            let mut pace = Pace::new(10_000, 60_000, None);
            pace.begin(0);
            Scene { pace, active_until_ms: 0, walking }
        }

        /// Plays from second to second while somebody walks or nobody does; the seconds of looks and of stirs.
        fn play(&mut self, seconds: std::ops::Range<i64>, walks: bool) -> (Vec<i64>, Vec<i64>) {
            let (mut looks, mut stirs) = (Vec::new(), Vec::new());
            for frame in seconds.start * 15..seconds.end * 15 {
                let now_ms = frame * 1000 / 15;
                if frame % 30 != 0 {
                    let size = noise(frame) + if walks { self.walking } else { 0 };
                    if self.pace.delta(size) {
                        stirs.push(now_ms / 1000);
                    }
                } else if self.pace.key(frame as u64, now_ms, self.active_until_ms) {
                    looks.push(now_ms / 1000);
                    self.pace.judge(Verdict { number: frame as u64, moved: walks });
                    if walks {
                        self.active_until_ms = now_ms + 5_000;
                    }
                }
            }
            (looks, stirs)
        }

        /// Nine visits of ten seconds, one every two minutes.
        fn visits(&mut self) -> i64 {
            (0..9).for_each(|visit| {
                self.play(visit * 120..visit * 120 + 111, false);
                self.play(visit * 120 + 111..visit * 120 + 120, true);
            });
            9 * 120
        }
    }

    #[test]
    fn every_key_frame_is_looked_at_until_the_gate_is_trusted() {
        let mut scene = Scene::new(1_500);
        assert_eq!(scene.play(0..600, false).0.len(), 300, "nothing ever moved: nothing is known of the gate");
        scene.pace.begin(0);
        let end = scene.visits();
        assert!(scene.pace.is_trusted(), "{:?}", scene.pace.standing());
        scene.play(end..end + 70, false);
        let (looks, stirs) = scene.play(end + 70..end + 171, false);
        assert_eq!((looks.len(), stirs.len()), (10, 0), "one look in ten seconds");
        let (looks, stirs) = scene.play(end + 171..end + 176, true);
        assert_eq!((looks.len(), stirs.first()), (2, Some(&(end + 171))), "and at once when something stirs");
    }

    #[test]
    fn a_gate_that_sees_nothing_thins_out_nothing() {
        let mut scene = Scene::new(0);
        let end = scene.visits();
        let standing = scene.pace.standing();
        assert!(!standing.is_trusted && standing.misses > 7.0, "{standing:?}");
        assert_eq!(scene.play(end..end + 200, false).0.len(), 100);
    }

    #[test]
    fn a_new_session_is_learned_before_it_is_thinned_out() {
        let mut scene = Scene::new(1_500);
        let end = scene.visits();
        scene.pace.begin(end * 1000);
        assert!(!scene.pace.is_trusted() && scene.pace.standing().is_trusted);
        scene.play(end..end + 70, false);
        assert!(scene.pace.is_trusted());
    }

    #[test]
    fn after_a_restart_the_gate_is_trusted_once_it_knows_the_sizes() {
        let mut scene = Scene::new(1_500);
        let end = scene.visits();
        scene.pace = Pace::new(10_000, 60_000, Some(scene.pace.earned()));
        scene.pace.begin(end * 1000);
        assert!(!scene.pace.is_trusted() && scene.pace.standing().is_trusted);
        assert!(scene.play(end..end + 70, false).0.len() >= 30);
        assert_eq!(scene.play(end + 70..end + 171, false).0.len(), 10, "one look in ten seconds");
    }

    #[test]
    fn key_frames_only_and_a_short_dark_limit_are_looked_at_in_time() {
        let mut pace = Pace::new(10_000, 60_000, None);
        pace.begin(0);
        let n_looks = (0..1500).filter(|i| pace.key(*i as u64, i * 66, 0)).count();
        assert!((70..=110).contains(&n_looks), "{n_looks} of 100 s of key frames only: nothing tells of a stir");
        assert_eq!(Pace::new(10_000, 3_000, None).glance_ms, 1_500);
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nothing() {
        let mut pace = Pace::new(10_000, 60_000, None);
        pace.begin(0);
        assert!(pace.key(1, 1_000_000, 0));
        assert!(pace.key(2, 5_000, 0));
    }
}
