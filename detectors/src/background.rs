//! What a camera's picture looks like when nothing moves, and what moves before it. Knows nothing of zones or rules.
//!
//! Per cell of a small working picture a mean and a usual deviation are kept. A cell has changed when it differs from
//! the mean, as the light of the whole picture lets expect it, by more than its noise. All rates are by elapsed time,
//! so that one key frame in 2 s and 25 frames in 1 s learn alike.

use crate::blob::{BlobScratch, MOVING, STILL, Scene, VACATED, find_blobs, keep_dense};
use crate::light::{Light, LightScratch};
use crate::luma::Grid;
pub use crate::luma::Luma;
use crate::observation::Blob;

/// Still ground follows slow change (sun, dew, drift) with this time constant: short against an hour's change of
/// light, long against a passer-by.
pub const FOLLOW_MS: i64 = 10_000;
/// What moved and then stays is absorbed with this time constant. A thing of contrast D falls under the limit T after
/// ln(D / T) of it: a faint one (D = 1.5 T) after 24 s, a clear one (5 T) after 97 s, so somebody who stands still
/// is seen for longer than any sensible dwell and a parked car is part of the picture after some minutes.
pub const ABSORB_MS: i64 = 60_000;
/// The place that something left is believed this fast: a few frames, so that one wrong verdict does no harm.
const VACATE_MS: i64 = 2_000;
/// A new picture is learned this long, and from at least two frames.
pub const LEARN_MS: i64 = 2_000;
const LEARN_FOLLOW_MS: i64 = 1_000;
/// Learning ends after so many frames even if their times stand still.
const LEARN_FRAMES_MAX: u32 = 100;
/// The time constant of the noise, of still cells and of changed ones (trees, water).
const NOISE_MS: i64 = 20_000;
/// Longest time that one frame may stand for: after a gap a single picture does not become the background.
const STEP_MS_MAX: i64 = 10_000;
/// After a longer gap the light has wandered too far: learned anew.
const GAP_MS_MAX: i64 = 600_000;
/// Usual deviation of a new background, in grey levels.
const NOISE_START: f32 = 3.0;
/// Mean deviations that are noise: 4 of them are 3.2 standard deviations.
const NOISE_FACTOR: f32 = 4.0;
/// One leap counts in the noise by no more than this.
const NOISE_STEP_MAX: f32 = 32.0;
/// A change of this many grey levels is seen however restless the ground.
const DIFF_MAX: f32 = 48.0;
/// Share of changed cells from which on the picture as a whole has changed: a lorry before a gate camera covers half.
const UPSET_SHARE: f32 = 0.6;
/// A changed picture is a new scene once it stands still this long…
const SETTLED_MS: i64 = 2_000;
/// …or has been different for this long.
const UPSET_MS_MAX: i64 = 10_000;
/// Cells that may differ from the frame before in a picture that stands still.
const SETTLED_SHARE: f32 = 0.05;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotionConfig {
    /// Cells along the longer side of the working picture, 16 to 640.
    pub side: usize,
    /// Least change that counts, in grey levels of 255: over the differences between key frames and others (2 to 6
    /// levels of a box mean) and under a person in grey before grey.
    pub diff_min: f32,
}

impl Default for MotionConfig {
    fn default() -> Self {
        MotionConfig { side: 160, diff_min: 12.0 }
    }
}

/// The picture as a whole became another one: infrared switched over, lights, the camera turned or covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SceneChange {
    /// Time of the first picture that differed.
    pub at_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Learning { learned_ms: i64, n_frames: u32 },
    Watching,
    Upset { since_ms: i64, lasted_ms: i64, settled_ms: i64 },
}

#[derive(Debug)]
pub struct MotionModel {
    config: MotionConfig,
    grid: Grid,
    stage: Stage,
    last_at_ms: i64,
    light: Light,
    last_change: Option<SceneChange>,
    background: Vec<f32>,
    noise: Vec<f32>,
    current: Vec<f32>,
    before: Vec<f32>,
    expected: Vec<f32>,
    mask: Vec<u8>,
    blobs: Vec<Blob>,
    row_sums: Vec<u16>,
    light_scratch: LightScratch,
    blob_scratch: BlobScratch,
}

impl MotionModel {
    pub fn new(config: MotionConfig) -> MotionModel {
        let diff_min = if config.diff_min.is_finite() { config.diff_min } else { MotionConfig::default().diff_min };
        MotionModel {
            config: MotionConfig { side: config.side.clamp(16, 640), diff_min: diff_min.clamp(1.0, DIFF_MAX) },
            grid: Grid::default(),
            stage: Stage::Learning { learned_ms: 0, n_frames: 0 },
            last_at_ms: 0,
            light: Light::SAME,
            last_change: None,
            background: Vec::new(),
            noise: Vec::new(),
            current: Vec::new(),
            before: Vec::new(),
            expected: Vec::new(),
            mask: Vec::new(),
            blobs: Vec::new(),
            row_sums: Vec::new(),
            light_scratch: LightScratch::default(),
            blob_scratch: BlobScratch::default(),
        }
    }

    /// What moves in this picture, biggest first, at most [`crate::blob::BLOBS_MAX`]. Nothing while the model learns or the picture
    /// as a whole changes. A plane that is not whole is passed over.
    pub fn observe(&mut self, luma: &Luma, at_ms: i64) -> &[Blob] {
        self.blobs.clear();
        if !luma.is_whole() {
            return &self.blobs;
        }
        let grid = Grid::of(luma, self.config.side);
        let gap_ms = at_ms.saturating_sub(self.last_at_ms);
        self.last_at_ms = at_ms;
        grid.shrink(luma, &mut self.row_sums, &mut self.current);
        if grid != self.grid || gap_ms > GAP_MS_MAX {
            self.grid = grid;
            self.learn_anew();
        }

        // A clock that goes back stops learning for a frame, nothing more.
        let step_ms = gap_ms.clamp(0, STEP_MS_MAX);
        match self.stage {
            Stage::Learning { learned_ms, n_frames } => self.learn(learned_ms, n_frames, step_ms),
            Stage::Watching => self.watch(step_ms, at_ms),
            Stage::Upset { since_ms, lasted_ms, settled_ms } => {
                self.wait_for_calm(since_ms, lasted_ms + step_ms, settled_ms, step_ms);
            }
        }
        std::mem::swap(&mut self.before, &mut self.current);
        &self.blobs
    }

    /// The last time that the picture as a whole became another one.
    pub fn last_scene_change(&self) -> Option<SceneChange> {
        self.last_change
    }

    /// Whether the model knows its background, so that "no blobs" means that nothing moves.
    pub fn is_watching(&self) -> bool {
        self.stage == Stage::Watching
    }

    fn learn_anew(&mut self) {
        self.stage = Stage::Learning { learned_ms: 0, n_frames: 0 };
        self.light = Light::SAME;
        self.background.clone_from(&self.current);
        self.before.clone_from(&self.current);
        self.noise.clear();
        self.noise.resize(self.current.len(), NOISE_START);
        self.expected.clear();
        self.expected.resize(self.current.len(), 0.0);
        self.mask.clear();
        self.mask.resize(self.current.len(), STILL);
    }

    fn learn(&mut self, learned_ms: i64, n_frames: u32, step_ms: i64) {
        if n_frames == 0 {
            self.stage = Stage::Learning { learned_ms: 0, n_frames: 1 };
            return;
        }
        self.expected.copy_from_slice(&self.background);
        self.mask.fill(STILL);
        self.adapt(Rates { follow: 0.0, still: share_of(step_ms, LEARN_FOLLOW_MS), ..Rates::after(step_ms) });
        let (learned_ms, n_frames) = (learned_ms + step_ms, n_frames + 1);
        let done = learned_ms >= LEARN_MS || n_frames >= LEARN_FRAMES_MAX;
        self.stage = if done { Stage::Watching } else { Stage::Learning { learned_ms, n_frames } };
    }

    fn watch(&mut self, step_ms: i64, at_ms: i64) {
        if self.compare() > UPSET_SHARE {
            self.stage = Stage::Upset { since_ms: at_ms, lasted_ms: 0, settled_ms: 0 };
            return;
        }
        let scene = Scene { grid: self.grid, current: &self.current, expected: &self.expected };
        find_blobs(scene, &mut self.mask, &mut self.blob_scratch, &mut self.blobs);
        self.adapt(Rates::after(step_ms));
    }

    fn wait_for_calm(&mut self, since_ms: i64, lasted_ms: i64, settled_ms: i64, step_ms: i64) {
        if self.compare() <= UPSET_SHARE {
            // It passed: a lorry, a flash. The background was not touched meanwhile.
            self.stage = Stage::Watching;
            return;
        }
        let diff_min = self.config.diff_min;
        let pairs = self.current.iter().zip(&self.before);
        let n_differ = pairs.map(|(now, before)| u32::from((now - before).abs() > diff_min)).sum::<u32>();
        let is_calm = n_differ as f32 <= SETTLED_SHARE * self.current.len() as f32;
        let settled_ms = if is_calm { settled_ms + step_ms } else { 0 };
        if settled_ms >= SETTLED_MS || lasted_ms >= UPSET_MS_MAX {
            self.last_change = Some(SceneChange { at_ms: since_ms });
            self.learn_anew();
            self.learn(0, 0, 0);
            return;
        }
        self.stage = Stage::Upset { since_ms, lasted_ms, settled_ms };
    }

    /// Marks the cells that changed and returns their share of the picture.
    fn compare(&mut self) -> f32 {
        self.light = Light::of(&self.background, &self.current, self.light, &mut self.light_scratch);
        let (light, diff_min) = (self.light, self.config.diff_min);
        let known = self.background.iter().zip(&self.noise).zip(&self.current);
        for (((background, noise), current), (expected, mask)) in
            known.zip(self.expected.iter_mut().zip(self.mask.iter_mut()))
        {
            *expected = light.on(*background);
            let limit = (NOISE_FACTOR * noise).max(diff_min).min(DIFF_MAX);
            *mask = u8::from((current - *expected).abs() > limit);
        }
        let n_changed = keep_dense(&mut self.mask, self.grid.columns, &mut self.blob_scratch);
        n_changed as f32 / self.grid.cells() as f32
    }

    /// All cells follow the light; each then goes on towards what it shows, at the rate of what it is.
    fn adapt(&mut self, rates: Rates) {
        let seen = self.current.iter().zip(&self.before).zip(&self.expected).zip(&self.mask);
        for ((((current, before), expected), &mask), (background, noise)) in
            seen.zip(self.background.iter_mut().zip(self.noise.iter_mut()))
        {
            let miss = current - expected;
            let rate = match mask {
                MOVING => rates.moving,
                VACATED => rates.vacated,
                _ => rates.still,
            };
            *background += rates.follow * (expected - *background) + rate * miss;
            // A thing that stands still differs from the background and is no noise; leaves differ from themselves.
            let restless = if mask == STILL { miss.abs() } else { (current - before).abs() };
            *noise += rates.noise * (restless.min(NOISE_STEP_MAX) - *noise);
        }
    }
}

/// Shares of the way that one frame goes.
#[derive(Clone, Copy)]
struct Rates {
    follow: f32,
    still: f32,
    moving: f32,
    vacated: f32,
    noise: f32,
}

impl Rates {
    fn after(step_ms: i64) -> Rates {
        Rates {
            follow: share_of(step_ms, FOLLOW_MS),
            still: share_of(step_ms, FOLLOW_MS),
            moving: share_of(step_ms, ABSORB_MS),
            vacated: share_of(step_ms, VACATE_MS),
            noise: share_of(step_ms, NOISE_MS),
        }
    }
}

fn share_of(step_ms: i64, constant_ms: i64) -> f32 {
    1.0 - (-(step_ms as f32) / constant_ms as f32).exp()
}
