//! Whether something moves before a camera, by the sizes of its encoded frames alone: what moves has to be encoded.
//!
//! Each kind of frame has a running usual size and spread, both quantiles, so that what moves does not become the usual.
//! What exceeds the usual by more than the spread lets expect is summed up, after E. S. Page, "Continuous inspection
//! schemes", Biometrika 41 (1954): one large frame is no sign (encoders refresh themselves so), a few that are much too
//! large are, and so are many that are somewhat too large.
//!
//! How much sizes tell depends on the encoder: nearly all with a constant quality, nothing where the bit rate is held
//! constant (area under the ROC curve 0.9 to 1.0 and 0.45 to 0.7 on the same scenes). So a gate has to earn trust: what it
//! said before each picture that was decoded is compared with what that picture showed.

use serde::{Deserialize, Serialize};

/// Frames of a kind by which its usual size is learned.
const LEARNED_MIN: usize = 150;
/// Frames until which a quantile follows by its share of what it has seen, and beyond which by a constant one.
const FOLLOWED: f32 = 512.0;
/// Spreads that a quantile steps, over the frames followed.
const PACE: f32 = 2.0;
/// Quantiles of the size, in octaves (log2 of bytes).
const USUAL: f32 = 0.5;
const LOW: f32 = 0.25;
/// Least spread, in octaves: a picture that never changes has frames of a few bytes, all alike.
const SPREAD_MIN: f32 = 0.1;
/// Most of it, so that long movement does not come to be taken for restlessness.
const SPREAD_MAX: f32 = 0.6;
/// Sizes below this many bytes are alike.
const SIZE_MIN: f32 = 32.0;
/// Excess over the usual size, in spreads, that is no sign of anything.
const SLACK: f32 = 2.0;
/// Most that one frame counts for.
const EXCESS_MAX: f32 = 5.0;
/// Least sum of what exceeds the slack at which something stirs: three frames that are much too large, or a second of frames
/// that are somewhat too large. Where movement has always shown by far more, it takes half of what its faintest beginnings
/// reached: what an encoder does by itself stays below.
pub const STIRS_AT: f32 = 8.0;
/// The share of beginnings that are the faintest.
const FAINTEST: f32 = 0.1;
/// Most that the sum grows to, so that it falls within a second or two when the movement ends.
const SUM_MAX: f32 = 24.0;

/// Beginnings of movement by which trust is judged: older ones fade.
const ONSETS_KEPT: f32 = 64.0;
/// The share of beginnings that a trusted gate is expected to miss, by Laplace's rule of succession: eight caught of eight
/// suffice, one missed takes some ten more to forgive.
const MISSES_MAX: f32 = 0.105;
/// The share of looks at a scene at rest before which a trusted gate stirs: what it then has decoded for nothing costs what it
/// saves.
const FALSE_MAX: f32 = 0.15;
/// Looks by which that is judged: older ones fade.
const LOOKS_KEPT: f32 = 2_048.0;
/// Steps of the sum, 0 to [`SUM_MAX`], by which looks are told apart.
const STEPS: usize = 13;

/// What a gate has earned, as it is kept over a restart.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Earned {
    /// Looks at a scene at rest, by how much was said before; older ones faded.
    still: [f32; STEPS],
    /// Beginnings of movement, by the most that was said until the look after.
    #[serde(default)]
    beginnings: [f32; STEPS],
    /// As in [`Standing`].
    onsets: f32,
    misses: f32,
}

/// Judges one camera's frames. Some 250 bytes.
#[derive(Debug, Clone)]
pub struct SizeGate {
    delta: Usual,
    /// The sum at which something stirs.
    stirs_at: f32,
    /// Excess so far.
    sum: f32,
    /// The highest sum since the last look.
    peak: f32,
    record: Record,
}

/// What the gate said of the time before a picture; to be given back with what the picture showed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Said {
    /// The highest sum since the picture before.
    pub peak: f32,
    /// Whether sizes were known well enough to say anything.
    pub is_learned: bool,
}

/// How well a gate has done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    pub is_trusted: bool,
    /// Area under the ROC curve: chance that the gate said more of a beginning of movement than before a look at a scene at
    /// rest. 0.5 = it knows nothing. None before there were both.
    pub auc: Option<f32>,
    /// The share of looks at a scene at rest before which something stirred, older ones faded. None before there was one.
    pub false_share: Option<f32>,
    /// Beginnings of movement that it was judged by, older ones faded, and those of them before which nothing stirred.
    pub onsets: f32,
    pub misses: f32,
}

impl Default for SizeGate {
    fn default() -> Self {
        SizeGate { delta: Usual::default(), stirs_at: STIRS_AT, sum: 0.0, peak: 0.0, record: Record::default() }
    }
}

impl SizeGate {
    /// One that goes on with what it earned; with nothing, where that is nothing that a gate could have earned.
    pub fn with(earned: Earned) -> SizeGate {
        let Earned { still, beginnings, onsets, misses } = earned;
        let is_sound = still.iter().chain(&beginnings).all(|weight| (0.0..=LOOKS_KEPT + 1.0).contains(weight))
            && (0.0..=ONSETS_KEPT + 1.0).contains(&onsets)
            && (0.0..=onsets).contains(&misses);
        let record = if is_sound {
            Record { still, beginnings, onsets, misses, ..Record::default() }
        } else {
            Record::default()
        };
        SizeGate { stirs_at: record.stirs_at(), record, ..SizeGate::default() }
    }

    pub fn earned(&self) -> Earned {
        let Record { still, beginnings, onsets, misses, .. } = self.record;
        Earned { still, beginnings, onsets, misses }
    }

    /// A session begins: its encoder may be set otherwise. What the gate has earned stays.
    pub fn begin(&mut self) {
        (self.delta, self.sum, self.peak) = (Usual::default(), 0.0, 0.0);
    }

    /// A frame that is not a key frame came. Whether it is the one by which something begins to stir.
    pub fn delta(&mut self, n_bytes: usize) -> bool {
        let excess = self.delta.excess(n_bytes);
        let before = self.sum;
        self.sum = (self.sum + excess.unwrap_or(0.0).min(EXCESS_MAX) - SLACK).clamp(0.0, SUM_MAX);
        self.peak = self.peak.max(self.sum);
        before < self.stirs_at && self.sum >= self.stirs_at
    }

    /// Whether something stirs, or has since the last [`SizeGate::take`].
    pub fn stirs(&self) -> bool {
        self.peak >= self.stirs_at
    }

    /// Whether usual sizes are known.
    pub fn is_learned(&self) -> bool {
        self.delta.is_learned()
    }

    /// A picture is about to be decoded: what the gate says of the time before it.
    pub fn take(&mut self) -> Said {
        let said = Said { peak: self.peak, is_learned: self.is_learned() };
        self.peak = self.sum;
        said
    }

    /// The picture showed movement, or none.
    pub fn judge(&mut self, said: Said, moved: bool) {
        if said.is_learned {
            self.record.add(said.peak, moved, self.stirs_at);
            self.stirs_at = self.record.stirs_at();
        } else {
            self.record.was_moving = moved;
        }
    }

    pub fn standing(&self) -> Standing {
        let record = &self.record;
        let expected_misses = (record.misses + 1.0) / (record.onsets + 2.0);
        let false_share = record.false_share(self.stirs_at);
        let is_trusted = expected_misses <= MISSES_MAX && false_share.is_some_and(|share| share <= FALSE_MAX);
        Standing { is_trusted, auc: record.auc(), false_share, onsets: record.onsets, misses: record.misses }
    }
}

/// Usual size of one kind of frame, in octaves.
#[derive(Debug, Clone, Default)]
struct Usual {
    /// The first ones: quantiles followed from the first frame on come out too narrow by half for minutes.
    first: Vec<f32>,
    n: f32,
    usual: f32,
    low: f32,
}

impl Usual {
    fn is_learned(&self) -> bool {
        self.n > 0.0
    }

    /// By how many spreads the frame exceeds the usual; learns it. None while too few are known.
    fn excess(&mut self, n_bytes: usize) -> Option<f32> {
        let size = (n_bytes as f32 + SIZE_MIN).log2();
        if !self.is_learned() {
            self.learn(size);
            return None;
        }
        self.n = (self.n + 1.0).min(FOLLOWED);
        let spread = (self.usual - self.low).clamp(SPREAD_MIN, SPREAD_MAX);
        let reach = PACE * spread / self.n;
        // Counted from the low quantile, which long movement lifts least.
        let excess = (size - self.low) / spread - 1.0;
        self.usual += reach * (USUAL - f32::from(u8::from(size < self.usual)));
        self.low += reach * (LOW - f32::from(u8::from(size < self.low)));
        Some(excess)
    }

    fn learn(&mut self, size: f32) {
        self.first.reserve_exact(LEARNED_MIN);
        self.first.push(size);
        if self.first.len() >= LEARNED_MIN {
            let mut sizes = std::mem::take(&mut self.first);
            sizes.sort_by(f32::total_cmp);
            let quantile = |share: f32| sizes[(share * sizes.len() as f32) as usize];
            (self.usual, self.low, self.n) = (quantile(USUAL), quantile(LOW), LEARNED_MIN as f32);
        }
    }
}

/// What was said before pictures, and what they showed.
#[derive(Debug, Clone, Default)]
struct Record {
    still: [f32; STEPS],
    beginnings: [f32; STEPS],
    /// What was said before the look at which movement began, until the next one.
    begun: Option<f32>,
    was_moving: bool,
    /// Movement began at the last look, and nothing had stirred yet.
    is_late: bool,
    onsets: f32,
    misses: f32,
}

/// The step that a sum falls on.
fn step(sum: f32) -> usize {
    ((sum / SUM_MAX * (STEPS - 1) as f32) as usize).min(STEPS - 1)
}

impl Record {
    fn add(&mut self, peak: f32, moved: bool, stirs_at: f32) {
        if let Some(begun) = self.begun.take() {
            self.beginnings.iter_mut().for_each(|weight| *weight *= 1.0 - 1.0 / ONSETS_KEPT);
            self.beginnings[step(begun.max(peak))] += 1.0;
        }
        // What was said between a look with movement and the next one without is of its end.
        if !moved && !self.was_moving {
            self.still.iter_mut().for_each(|weight| *weight *= 1.0 - 1.0 / LOOKS_KEPT);
            self.still[step(peak)] += 1.0;
        }
        // Movement that goes on says little: the gate is asked for its beginning. What began only just before a picture has
        // until the next one to show in the sizes.
        let (begins, stirs) = (moved && !self.was_moving, peak >= stirs_at);
        self.begun = begins.then_some(peak);
        if self.is_late || (begins && stirs) {
            let fade = 1.0 - 1.0 / ONSETS_KEPT;
            self.onsets = self.onsets * fade + 1.0;
            self.misses = self.misses * fade + f32::from(u8::from(!stirs));
        }
        self.is_late = begins && !stirs && !self.is_late;
        self.was_moving = moved;
    }

    fn stirs_at(&self) -> f32 {
        let n_faint = FAINTEST * self.beginnings.iter().sum::<f32>();
        let mut n = 0.0;
        let faintest = self.beginnings.iter().position(|weight| {
            n += weight;
            n > n_faint
        });
        faintest.map_or(STIRS_AT, |step| (step as f32 * SUM_MAX / (STEPS - 1) as f32 / 2.0).max(STIRS_AT))
    }

    fn false_share(&self, stirs_at: f32) -> Option<f32> {
        let n: f32 = self.still.iter().sum();
        let n_stirred: f32 = self.still.iter().skip(step(stirs_at)).sum();
        (n >= 1.0).then(|| n_stirred / n)
    }

    fn auc(&self) -> Option<f32> {
        let (n_still, n_begun): (f32, f32) = (self.still.iter().sum(), self.beginnings.iter().sum());
        if n_still < 1.0 || n_begun < 1.0 {
            return None;
        }
        let (mut below, mut pairs) = (0.0, 0.0);
        for (still, begun) in self.still.iter().zip(&self.beginnings) {
            // Equals count half.
            pairs += begun * (below + still / 2.0);
            below += still;
        }
        Some(pairs / (n_still * n_begun))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes of a noisy picture at rest: around 400 bytes.
    fn noise(frame: usize) -> usize {
        300 + frame.wrapping_mul(7919) % 200
    }

    /// Frames of `size` from `from` to `to`; whether something stirred.
    fn feed(gate: &mut SizeGate, frames: std::ops::Range<usize>, size: impl Fn(usize) -> usize) -> bool {
        frames.filter(|frame| gate.delta(size(*frame))).count() > 0
    }

    #[test]
    fn single_large_frames_are_no_sign_and_several_are() {
        let mut gate = SizeGate::default();
        assert!(!feed(&mut gate, 0..300, noise));
        let refresh = |frame| noise(frame) + if frame % 20 == 7 { 4_000 } else { 0 };
        assert!(!feed(&mut gate, 300..900, refresh));
        let walker = |frame| noise(frame) + if (950..956).contains(&frame) { 900 } else { 0 };
        assert!(feed(&mut gate, 900..1_000, walker));
        assert!(gate.stirs() && gate.take().peak >= STIRS_AT);
        assert!(!gate.stirs(), "it is over, and was told");
    }

    #[test]
    fn what_lasts_does_not_become_the_usual_within_minutes() {
        let mut gate = SizeGate::default();
        feed(&mut gate, 0..1_800, noise);
        let crowd = |frame| noise(frame) * 3;
        feed(&mut gate, 0..900, crowd);
        gate.take();
        assert!(gate.stirs());
        feed(&mut gate, 0..60, noise);
        gate.take();
        feed(&mut gate, 60..120, noise);
        assert!(!gate.stirs());
    }

    /// Ten still looks, then movement that the gate stirs at or not; then still again.
    fn passage(gate: &mut SizeGate, stirred: bool) {
        let said = |peak| Said { peak, is_learned: true };
        (0..10).for_each(|_| gate.judge(said(0.0), false));
        gate.judge(said(if stirred { STIRS_AT } else { 0.0 }), true);
        gate.judge(said(0.0), false);
    }

    #[test]
    fn what_began_just_before_a_picture_may_stir_after_it() {
        let mut gate = SizeGate::default();
        let said = |peak| Said { peak, is_learned: true };
        for _ in 0..10 {
            for (peak, moved) in [(0.0, false), (1.0, true), (STIRS_AT, true), (SUM_MAX, true), (1.0, false)] {
                gate.judge(said(peak), moved);
            }
        }
        let standing = gate.standing();
        assert!(standing.misses == 0.0 && standing.onsets > 9.0, "{standing:?}");
    }

    #[test]
    fn trust_is_earned_by_beginnings_and_lost_by_one_that_was_missed() {
        let mut gate = SizeGate::default();
        for caught in 0..8 {
            assert!(!gate.standing().is_trusted, "after {caught}");
            passage(&mut gate, true);
        }
        assert!(gate.standing().is_trusted, "{:?}", gate.standing());
        passage(&mut gate, false);
        assert!(!gate.standing().is_trusted, "{:?}", gate.standing());
        (0..12).for_each(|_| passage(&mut gate, true));
        assert!(gate.standing().is_trusted, "{:?}", gate.standing());
        gate.begin();
        assert!(gate.standing().is_trusted && !gate.is_learned());
    }

    #[test]
    fn what_shows_by_far_more_has_to_show_by_half_of_it() {
        let mut gate = SizeGate::default();
        let said = |peak| Said { peak, is_learned: true };
        let visit = |gate: &mut SizeGate, first: f32, then: f32| {
            for (peak, moved) in [(0.0, false), (first, true), (then, true), (0.0, false)] {
                gate.judge(said(peak), moved);
            }
        };
        assert_eq!(gate.stirs_at, STIRS_AT);
        (0..20).for_each(|_| visit(&mut gate, STIRS_AT, SUM_MAX));
        assert_eq!(gate.stirs_at, SUM_MAX / 2.0, "by the look after, it has grown");
        visit(&mut gate, STIRS_AT, 10.0);
        assert_eq!(gate.stirs_at, SUM_MAX / 2.0, "one of twenty");
        visit(&mut gate, STIRS_AT, 10.0);
        assert_eq!(gate.stirs_at, STIRS_AT, "two of twenty");
        assert_eq!(SizeGate::with(gate.earned()).stirs_at, gate.stirs_at);
        let before: Earned = serde_json::from_str(EARNED_BEFORE).unwrap();
        assert_eq!(SizeGate::with(before).stirs_at, STIRS_AT, "of a version that did not ask");
    }

    const EARNED_BEFORE: &str =
        r#"{"still":[0,0,9,0,0,0,0,0,0,0,0,0,0],"moving":[0,0,0,0,0,0,0,0,0,0,0,0,9],"onsets":9.0,"misses":0.0}"#;

    /// Twenty visits, all caught, each after twelve still looks of which the gate stirred before the first `n_false`.
    fn visited(n_false: usize) -> SizeGate {
        let mut gate = SizeGate::default();
        for _ in 0..20 {
            for look in 0..12 {
                let peak = if look < n_false { STIRS_AT } else { STIRS_AT - 1.0 };
                gate.judge(Said { peak, is_learned: true }, false);
            }
            // The second is of movement that ended since the first.
            for moved in [true, false] {
                gate.judge(Said { peak: STIRS_AT, is_learned: true }, moved);
            }
        }
        gate
    }

    #[test]
    fn a_gate_that_stirs_at_rest_more_often_than_it_saves_is_not_trusted() {
        for (n_false, trusted) in [(0, true), (1, true), (3, false), (12, false)] {
            let standing = visited(n_false).standing();
            assert_eq!(standing.is_trusted, trusted, "{standing:?}");
            let share = n_false as f32 / 12.0;
            assert!(standing.false_share.is_some_and(|told| (told - share).abs() < 0.02), "{standing:?}");
        }
    }

    #[test]
    fn the_spread_is_known_once_the_usual_size_is() {
        let mut seed = 7_u32;
        // Even in octaves, from 256 to 512 bytes: from the low quantile to the usual one it is a quarter of an octave.
        let mut size = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            2_f32.powf(8.0 + (seed >> 8) as f32 / (1 << 24) as f32) - SIZE_MIN
        };
        for _ in 0..100 {
            let mut usual = Usual::default();
            (0..LEARNED_MIN).for_each(|_| assert_eq!(usual.excess(size() as usize), None));
            assert!(usual.excess(size() as usize).is_some() && usual.first.capacity() == 0);
            let spread = usual.usual - usual.low;
            assert!((0.12..0.38).contains(&spread), "{spread}");
        }
    }

    #[test]
    fn a_gate_that_always_or_never_stirs_is_not_trusted() {
        for peak in [0.0, SUM_MAX] {
            let mut gate = SizeGate::default();
            for look in 0..400 {
                gate.judge(Said { peak, is_learned: true }, look % 10 == 0);
            }
            let standing = gate.standing();
            assert!(!standing.is_trusted && standing.auc == Some(0.5), "{standing:?}");
        }
    }

    #[test]
    fn movement_that_goes_on_earns_nothing() {
        let mut gate = SizeGate::default();
        let said = Said { peak: SUM_MAX, is_learned: true };
        gate.judge(Said { peak: 0.0, is_learned: true }, false);
        (0..1_000).for_each(|_| gate.judge(said, true));
        assert!(!gate.standing().is_trusted);
        assert!((gate.standing().onsets - 1.0).abs() < 0.01);
    }

    #[test]
    fn what_was_earned_is_kept_and_what_nobody_earns_is_not_believed() {
        let mut gate = SizeGate::default();
        for _ in 0..12 {
            gate.judge(Said { peak: 0.0, is_learned: true }, false);
            gate.judge(Said { peak: SUM_MAX, is_learned: true }, true);
        }
        assert!(gate.standing().is_trusted, "{:?}", gate.standing());
        let text = serde_json::to_string(&gate.earned()).unwrap();
        let again = SizeGate::with(serde_json::from_str(&text).unwrap());
        assert_eq!(again.standing(), gate.standing());
        assert!(!again.is_learned(), "usual sizes are those of a session");
        let sound = gate.earned();
        for odd in [
            Earned { onsets: f32::NAN, ..sound },
            Earned { onsets: 1e9, ..sound },
            Earned { misses: -1.0, ..sound },
            Earned { misses: 60.0, onsets: 30.0, ..sound },
            Earned { still: [f32::INFINITY; STEPS], ..sound },
        ] {
            assert_eq!(SizeGate::with(odd).standing(), SizeGate::default().standing());
        }
    }
}
