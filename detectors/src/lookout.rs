//! All that is looked for in one camera's pictures: what moves, which is which, and how well it sees. Knows nothing of
//! codecs, zones or rules.

use crate::background::{MotionConfig, MotionModel, Scratch};
use crate::health::Health;
use crate::luma::Luma;
use crate::observation::{PictureFacts, Sight, SightFault};
use crate::tracker::Tracker;

/// What has looked the same for so long at the same place need not be looked at in every frame.
pub const STILL_MS: i64 = 10_000;

/// Looks at one camera.
#[derive(Debug)]
pub struct Lookout {
    config: MotionConfig,
    masks: Vec<Vec<[f32; 2]>>,
    size: (usize, usize),
    motion: MotionModel,
    tracker: Tracker,
    health: Health,
    is_stirring: bool,
}

impl Lookout {
    /// Looks at nothing within `masks`, polygons in shares of the picture.
    pub fn new(config: MotionConfig, masks: Vec<Vec<[f32; 2]>>) -> Lookout {
        Lookout {
            config,
            size: (0, 0),
            motion: MotionModel::new(config, masks.clone()),
            masks,
            tracker: Tracker::default(),
            health: Health::default(),
            is_stirring: false,
        }
    }

    /// One that looks at the same camera and knows nothing yet.
    pub fn another(&self) -> Lookout {
        Lookout::new(self.config, self.masks.clone())
    }

    /// What a picture shows; its number is the caller's. A plane that is not whole shows nothing. `scratch` is anybody's.
    pub fn look(&mut self, luma: &Luma, at_ms: i64, scratch: &mut Scratch) -> PictureFacts {
        if !luma.is_whole() {
            self.is_stirring = false;
            return PictureFacts::default();
        }
        if self.size != (luma.width, luma.height) {
            self.begin_anew();
            self.size = (luma.width, luma.height);
        }
        self.motion.swap_scratch(scratch);
        let blobs = self.motion.observe(luma, at_ms).to_vec();
        let vacated = self.motion.vacated().to_vec();
        let tracks = self.tracker.follow(&blobs, at_ms);
        tracks.iter_mut().for_each(|track| track.still_ms = self.motion.still_ms(&track.blob));
        let tracks = tracks.to_vec();
        self.motion.swap_scratch(scratch);
        let mut faults = self.health.judge(luma, self.motion.grid(), &scratch.current, &mut scratch.view, at_ms);
        let is_changing = self.motion.is_changing();
        faults.set(SightFault::SceneChange, is_changing);
        let n_still = tracks.iter().filter(|track| track.still_ms >= STILL_MS).count();
        self.is_stirring = is_changing || !vacated.is_empty() || blobs.len() > n_still;
        PictureFacts {
            picture: 0,
            pixels: [luma.width as u32, luma.height as u32],
            blobs,
            tracks,
            vacated,
            sight: Sight { is_unsettled: !self.motion.is_watching(), faults },
        }
    }

    /// Whether the next frame ought to be looked at, by the last one: something moves, or the picture is another.
    pub fn is_stirring(&self) -> bool {
        self.is_stirring
    }

    /// Forgets what it knows, but for the ids that it gave.
    pub fn begin_anew(&mut self) {
        self.motion = MotionModel::new(self.config, self.masks.clone());
        self.tracker = Tracker::after(self.tracker.last_id());
        self.health = Health::default();
        self.is_stirring = false;
    }
}
