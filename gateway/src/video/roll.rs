//! The cameras that there are, by the number under which decoders know them, while some come and others go. A number is never
//! given twice, so that what is still in line of one that went is nobody else's.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use outpost_detectors::lookout::Lookout;

use super::closeup::Looking;
use super::counters::Counters;
use super::evidence::Pictures;
use super::white_hot::WhiteHot;

/// What a camera's eye is made of, as often as one is needed.
#[derive(Debug)]
pub(super) struct Seed {
    pub(super) source: Arc<str>,
    pub(super) counters: Arc<Counters>,
    pub(super) pictures: Arc<Pictures>,
    pub(super) lookout: Lookout,
    pub(super) looking: Looking,
    pub(super) heat: Option<WhiteHot>,
}

#[derive(Debug, Default)]
pub(super) struct Roll(RwLock<HashMap<usize, Arc<Seed>>>);

impl Roll {
    pub(super) fn admit(&self, camera: usize, seed: Seed) {
        self.write().insert(camera, Arc::new(seed));
    }

    pub(super) fn dismiss(&self, camera: usize) {
        self.write().remove(&camera);
    }

    pub(super) fn seed(&self, camera: usize) -> Option<Arc<Seed>> {
        self.read().get(&camera).cloned()
    }

    /// Counts what a camera had in line and others needed the room for.
    pub(super) fn shed(&self, camera: usize, n_due: u64, n_follow: u64, at_ms: i64) {
        if let Some(seed) = self.read().get(&camera) {
            seed.counters.shed(n_due, n_follow, at_ms);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<usize, Arc<Seed>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<usize, Arc<Seed>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
