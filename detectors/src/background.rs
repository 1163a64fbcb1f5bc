//! What a camera's picture looks like when nothing moves, and what moves before it. Knows nothing of zones or rules.
//!
//! Per cell of a small working picture a mean and a usual deviation are kept. A cell has changed when it differs from
//! the mean, as the light of the whole picture lets expect it, by more than its noise. All rates are by elapsed time,
//! so that one key frame in 2 s and 25 frames in 1 s learn alike.
//!
//! What moved and then stays is not blended into the mean, which would leave a shadow of it behind when it goes: it
//! is remembered beside the mean and takes its place when it has stayed long enough.

use crate::blob::{BlobScratch, Found, MOVING, STILL, Scene, VACATED, find_blobs, keep_dense};
use crate::light::{Light, LightScratch};
use crate::luma::{Grid, Luma, ShrinkScratch};
use crate::mask;
use crate::observation::Blob;
use crate::packed::{pack, pack_all, unpack};
use crate::regions::next_set;
use crate::view::View;

/// Still ground follows slow change (sun, dew, drift) with this time constant: short against an hour's change of
/// light, long against a passer-by.
pub const FOLLOW_MS: i64 = 10_000;
/// What moved and then shows the same brightness for this long becomes the background: somebody who stands still is
/// seen for longer than any sensible dwell, and a parked car does not hide the ground around it for the day.
pub const ABSORB_MS: i64 = 60_000;
/// Shorter than this, a place that something left could not be told from a thing.
pub const ABSORB_MS_MIN: i64 = 10_000;
/// A day: beyond it a parked car would be news for ever.
pub const ABSORB_MS_MAX: i64 = 86_400_000;
/// A place that something left is believed after this long, and so is ground that comes back from under what was
/// absorbed: a few frames, so that one wrong verdict does no harm.
const VACATE_MS: i64 = 2_000;
/// Time that counts for what a cell showed fades by this share of the time for which it does not show it.
const FADE: f32 = 0.1;
/// A new picture is learned this long, and from at least two frames.
pub const LEARN_MS: i64 = 2_000;
/// While learning the mean follows what it agrees with by this share a frame; the rest is outvoted.
const LEARN_SHARE: f32 = 0.2;
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
/// Share of a change of light that is doubted: cameras' curves are no straight lines.
const LIGHT_DOUBT: f32 = 0.25;
/// Cells by which the picture may sway (wind at the mast, a lorry on the bridge) without a change at its edges.
const SWAY: f32 = 0.5;
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
    /// What stands still for so long belongs to the background, [`ABSORB_MS_MIN`] to [`ABSORB_MS_MAX`].
    pub absorb_ms: i64,
}

impl Default for MotionConfig {
    fn default() -> Self {
        MotionConfig { side: 160, diff_min: 12.0, absorb_ms: ABSORB_MS }
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
    /// What a changed cell shows, or showed last, packed.
    other: Vec<u16>,
    /// For how long it has. Negative: it is ground that something absorbed covers, believed again at 0.
    stayed_ms: Vec<f32>,
    /// The cells of the picture before, packed.
    before: Vec<u16>,
    /// Polygons that are not looked at, and the cells that are: all where empty.
    masks: Vec<Vec<[f32; 2]>>,
    seen: Vec<u8>,
    blobs: Vec<Blob>,
    vacated: Vec<Blob>,
    scratch: Scratch,
}

/// What is needed of a picture only while it is looked at: half of all that a model works with, so cameras that are looked at
/// one after the other share it.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The cells of the picture that was looked at last; those that are not looked at are 0.
    pub(crate) current: Vec<f32>,
    pub(crate) view: View,
    before: Vec<f32>,
    expected: Vec<f32>,
    edges: Vec<f32>,
    mask: Vec<u8>,
    shrink: ShrinkScratch,
    light: LightScratch,
    blob: BlobScratch,
}

impl Scratch {
    /// What another camera left says nothing of this one's picture.
    fn fit(&mut self, n_cells: usize) {
        self.expected.resize(n_cells, 0.0);
        self.edges.resize(n_cells, 0.0);
        self.mask.clear();
        self.mask.resize(n_cells, STILL);
    }
}

impl MotionModel {
    /// Looks at nothing within `masks`, polygons in shares of the picture.
    pub fn new(config: MotionConfig, masks: Vec<Vec<[f32; 2]>>) -> MotionModel {
        let diff_min = if config.diff_min.is_finite() { config.diff_min } else { MotionConfig::default().diff_min };
        let config = MotionConfig {
            side: config.side.clamp(16, 640),
            diff_min: diff_min.clamp(1.0, DIFF_MAX),
            absorb_ms: config.absorb_ms.clamp(ABSORB_MS_MIN, ABSORB_MS_MAX),
        };
        MotionModel {
            config,
            grid: Grid::default(),
            stage: Stage::Learning { learned_ms: 0, n_frames: 0 },
            last_at_ms: 0,
            light: Light::SAME,
            last_change: None,
            background: Vec::new(),
            noise: Vec::new(),
            other: Vec::new(),
            stayed_ms: Vec::new(),
            before: Vec::new(),
            masks,
            seen: Vec::new(),
            blobs: Vec::new(),
            vacated: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// Takes that scratch in place of its own, which is given back by the next call.
    pub(crate) fn swap_scratch(&mut self, scratch: &mut Scratch) {
        std::mem::swap(&mut self.scratch, scratch);
    }

    /// What moves in this picture, biggest first, at most [`crate::blob::BLOBS_MAX`]. Nothing while the model learns
    /// or the picture as a whole changes. A plane that is not whole is passed over.
    pub fn observe(&mut self, luma: &Luma, at_ms: i64) -> &[Blob] {
        self.blobs.clear();
        self.vacated.clear();
        if !luma.is_whole() {
            return &self.blobs;
        }
        let grid = Grid::of(luma, self.config.side);
        let gap_ms = at_ms.saturating_sub(self.last_at_ms);
        self.last_at_ms = at_ms;
        grid.shrink(luma, &mut self.scratch.shrink, &mut self.scratch.current);
        self.scratch.fit(grid.cells());
        if grid != self.grid {
            self.seen = mask::seen_cells(grid, &self.masks);
        }
        // Black for ever: clipped cells say nothing of the light either.
        for (cell, &seen) in self.scratch.current.iter_mut().zip(&self.seen) {
            *cell *= f32::from(seen);
        }
        if grid != self.grid || gap_ms > GAP_MS_MAX {
            self.grid = grid;
            self.learn_anew();
        } else {
            self.scratch.before.clear();
            self.scratch.before.extend(self.before.iter().map(|packed| unpack(*packed)));
        }

        // A clock that goes back stops learning for a frame, nothing more.
        let step_ms = gap_ms.clamp(0, STEP_MS_MAX);
        match self.stage {
            Stage::Learning { learned_ms, n_frames } => self.learn(learned_ms, n_frames, step_ms),
            Stage::Watching => self.watch(step_ms, at_ms),
            Stage::Upset { since_ms, lasted_ms, settled_ms } => {
                self.wait_for_calm(since_ms, lasted_ms + step_ms.max(1), settled_ms, step_ms);
            }
        }
        pack_all(&self.scratch.current, &mut self.before);
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

    /// Whether the picture as a whole is becoming another one, up to the end of learning it.
    pub fn is_changing(&self) -> bool {
        match self.stage {
            Stage::Upset { .. } => true,
            Stage::Learning { .. } => self.last_change.is_some_and(|change| {
                let since_ms = self.last_at_ms.saturating_sub(change.at_ms);
                (0..UPSET_MS_MAX + LEARN_MS + STEP_MS_MAX).contains(&since_ms)
            }),
            Stage::Watching => false,
        }
    }

    /// Where something that belonged to the background is gone, in the picture that was observed last.
    pub fn vacated(&self) -> &[Blob] {
        &self.vacated
    }

    /// For how long what moves within a blob of the last picture has looked the same: the mean of its cells.
    pub fn still_ms(&self, blob: &Blob) -> i64 {
        let (columns, rows) = self.grid.cells_of(blob);
        let (mut sum_ms, mut n) = (0.0_f32, 0.0_f32);
        for row in rows {
            let cells = row * self.grid.columns + columns.start..row * self.grid.columns + columns.end;
            for (&cell, &stayed_ms) in self.scratch.mask[cells.clone()].iter().zip(&self.stayed_ms[cells]) {
                let counts = one_if(cell == MOVING);
                n += counts;
                sum_ms += counts * stayed_ms.max(0.0);
            }
        }
        (sum_ms / n.max(1.0)) as i64
    }

    /// That of the picture that was observed last.
    pub(crate) fn grid(&self) -> Grid {
        self.grid
    }

    fn learn_anew(&mut self) {
        self.stage = Stage::Learning { learned_ms: 0, n_frames: 0 };
        self.light = Light::SAME;
        self.background.clone_from(&self.scratch.current);
        self.scratch.before.clone_from(&self.scratch.current);
        self.noise.clear();
        self.noise.resize(self.scratch.current.len(), NOISE_START);
        pack_all(&self.scratch.current, &mut self.other);
        self.stayed_ms.clear();
        self.stayed_ms.resize(self.scratch.current.len(), 0.0);
    }

    fn learn(&mut self, learned_ms: i64, n_frames: u32, step_ms: i64) {
        if n_frames == 0 {
            self.stage = Stage::Learning { learned_ms: 0, n_frames: 1 };
            return;
        }
        self.vote(step_ms as f32);
        let (learned_ms, n_frames) = (learned_ms + step_ms, n_frames + 1);
        let done = learned_ms >= LEARN_MS || n_frames >= LEARN_FRAMES_MAX;
        self.stage = if done { Stage::Watching } else { Stage::Learning { learned_ms, n_frames } };
        if done {
            self.stayed_ms.fill(0.0);
        }
    }

    /// Keeps in each cell what it shows most of the time (the majority vote of Boyer and Moore), so that passers-by
    /// are not learned as long as each cell is free for half of the time.
    fn vote(&mut self, step_ms: f32) {
        let diff_min = self.config.diff_min;
        for (((background, votes_ms), noise), current) in
            self.background.iter_mut().zip(&mut self.stayed_ms).zip(&mut self.noise).zip(&self.scratch.current)
        {
            let miss = current - *background;
            let agrees = miss.abs() < diff_min;
            *votes_ms += if agrees { step_ms } else { -step_ms };
            let is_outvoted = *votes_ms < 0.0;
            *background += if is_outvoted {
                miss
            } else if agrees {
                LEARN_SHARE * miss
            } else {
                0.0
            };
            *noise += if agrees { LEARN_SHARE * (miss.abs() - *noise) } else { 0.0 };
            *votes_ms = votes_ms.abs();
        }
    }

    fn watch(&mut self, step_ms: i64, at_ms: i64) {
        if self.compare() > UPSET_SHARE {
            self.stage = Stage::Upset { since_ms: at_ms, lasted_ms: 0, settled_ms: 0 };
            return;
        }
        let scene = Scene { grid: self.grid, current: &self.scratch.current, expected: &self.scratch.expected };
        let found = Found { blobs: &mut self.blobs, vacated: &mut self.vacated };
        find_blobs(scene, &mut self.scratch.mask, &mut self.scratch.blob, found);
        self.adapt(step_ms);
    }

    fn wait_for_calm(&mut self, since_ms: i64, lasted_ms: i64, settled_ms: i64, step_ms: i64) {
        if self.compare() <= UPSET_SHARE {
            // It passed: a lorry, a flash. The background was not touched meanwhile.
            self.stage = Stage::Watching;
            return;
        }
        let diff_min = self.config.diff_min;
        let pairs = self.scratch.current.iter().zip(&self.scratch.before);
        let n_differ = pairs.map(|(now, before)| u32::from((now - before).abs() > diff_min)).sum::<u32>();
        let is_calm = n_differ as f32 <= SETTLED_SHARE * self.scratch.current.len() as f32;
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
        self.light = Light::of(&self.background, &self.scratch.current, self.light, &mut self.scratch.light);
        let (light, diff_min) = (self.light, self.config.diff_min);
        measure_edges(&self.background, self.grid.columns, &mut self.scratch.edges);
        let known = self.background.iter().zip(&self.noise).zip(&self.scratch.edges).zip(&self.scratch.current);
        for ((((background, noise), edge), current), (expected, mask)) in
            known.zip(self.scratch.expected.iter_mut().zip(&mut self.scratch.mask))
        {
            *expected = light.on(*background);
            let doubt = LIGHT_DOUBT * (*expected - background).abs() + SWAY * edge;
            let limit = (NOISE_FACTOR * noise).max(diff_min).min(DIFF_MAX) + doubt;
            *mask = u8::from((current - *expected).abs() > limit);
        }
        for (cell, &seen) in self.scratch.mask.iter_mut().zip(&self.seen) {
            *cell &= seen;
        }
        let n_changed = keep_dense(&mut self.scratch.mask, self.grid.columns, &mut self.scratch.blob);
        let n_masked = self.seen.iter().filter(|&&seen| seen == 0).count();
        n_changed as f32 / (self.grid.cells() - n_masked).max(1) as f32
    }

    /// All cells follow the light; still ones also what they show.
    fn adapt(&mut self, step_ms: i64) {
        let (follow, noise_share) = (share_of(step_ms, FOLLOW_MS), share_of(step_ms, NOISE_MS));
        // Selection by multiplication: the compiler then works on several cells at a time.
        let seen = self.scratch.current.iter().zip(&self.scratch.expected).zip(&self.scratch.mask);
        for (((current, expected), &mask), background) in seen.zip(&mut self.background) {
            let goal = expected + one_if(mask == STILL) * (current - expected);
            *background += follow * (goal - *background);
        }
        let scratch = &self.scratch;
        let seen = scratch.current.iter().zip(&scratch.before).zip(&scratch.expected).zip(&scratch.mask);
        for ((((current, before), expected), &mask), noise) in seen.zip(&mut self.noise) {
            // A thing that stands still differs from the background and is no noise; leaves differ from themselves.
            let (miss, leap) = ((current - expected).abs(), (current - before).abs());
            let restless = leap + one_if(mask == STILL) * (miss - leap);
            *noise += noise_share * (restless.min(NOISE_STEP_MAX) - *noise);
        }
        let (faded_ms, absorb_ms) = (FADE * step_ms as f32, self.config.absorb_ms as f32);
        for stayed_ms in &mut self.stayed_ms {
            let least_ms = one_if(*stayed_ms < 0.0) * -absorb_ms;
            *stayed_ms = (*stayed_ms - faded_ms).max(least_ms);
        }
        self.absorb(step_ms as f32, follow);
    }

    /// Counts for how long changed cells have shown the same, and believes it in the end.
    fn absorb(&mut self, step_ms: f32, follow: f32) {
        let (mut from, absorb_ms) = (0, self.config.absorb_ms as f32);
        while let Some(cell) = next_set(&self.scratch.mask, from) {
            from = cell + 1;
            let is_vacated = self.scratch.mask[cell] == VACATED;
            let (current, stayed_ms) = (self.scratch.current[cell], &mut self.stayed_ms[cell]);
            let mut other = unpack(self.other[cell]);
            other += follow * (self.light.on(other) - other);
            let miss = current - other;
            if miss.abs() >= self.config.diff_min {
                self.other[cell] = pack(current);
                *stayed_ms = 0.0;
                continue;
            }
            other += follow * miss;
            let was_ground = *stayed_ms < 0.0;
            let pace = if is_vacated { absorb_ms / VACATE_MS as f32 } else { 1.0 };
            *stayed_ms += (pace + FADE) * step_ms;
            if was_ground && *stayed_ms >= 0.0 || *stayed_ms >= absorb_ms {
                std::mem::swap(&mut self.background[cell], &mut other);
                // What a thing covers is worth remembering; what has left is not.
                *stayed_ms = if was_ground || is_vacated { 0.0 } else { -(VACATE_MS as f32) };
            }
            self.other[cell] = pack(other);
        }
    }
}

#[inline(always)]
fn one_if(condition: bool) -> f32 {
    f32::from(u8::from(condition))
}

/// The greater of the differences across each cell, sideways and up and down.
fn measure_edges(cells: &[f32], columns: usize, edges: &mut [f32]) {
    let rows = cells.len() / columns;
    for (row, edges) in edges.chunks_exact_mut(columns).enumerate() {
        let above = &cells[row.saturating_sub(1) * columns..][..columns];
        let below = &cells[(row + 1).min(rows - 1) * columns..][..columns];
        for ((edge, above), below) in edges.iter_mut().zip(above).zip(below) {
            *edge = (above - below).abs();
        }
        let here = &cells[row * columns..][..columns];
        for (edge, three) in edges.iter_mut().skip(1).zip(here.windows(3)) {
            *edge = edge.max((three[0] - three[2]).abs());
        }
    }
}

/// Share of the way that one frame goes at a time constant.
fn share_of(step_ms: i64, constant_ms: i64) -> f32 {
    1.0 - (-(step_ms as f32) / constant_ms as f32).exp()
}
