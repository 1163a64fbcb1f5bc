//! Looks through visible cameras, as alerts of heat ask for them: one task each, and only so many.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tracing::warn;

use crate::nouns::{Judged, LookAsk, Looked, Saw};
use crate::pipeline::evidence::Looks;
use crate::video::{Look, Looker};

/// Looks that go on; each decodes all frames of a camera.
const LOOKS_MAX: usize = 64;

/// A look that a restart interrupted is asked again so long after its alert opened; what a camera shows later is another matter.
const AGAIN_MAX_MS: i64 = 10 * 60_000;

/// Answers that wait for the pipeline.
pub(super) const LOOKED_MAX: usize = 2 * LOOKS_MAX;

pub(super) struct Lookouts {
    looker: Looker,
    looked: mpsc::Sender<Looked>,
    places: Arc<Semaphore>,
    runtime: Handle,
}

impl Lookouts {
    /// `runtime` is the one that the tasks run on: the pipeline's thread has its own.
    pub(super) fn new(looker: Looker, looked: mpsc::Sender<Looked>, runtime: Handle) -> Lookouts {
        Lookouts { looker, looked, places: Arc::new(Semaphore::new(LOOKS_MAX)), runtime }
    }

    /// Goes on with what a restart interrupted: what was asked, and when the alert opened.
    pub(super) fn resume(&self, asked: Vec<(LookAsk, i64)>, now_ms: i64) {
        let recent = asked.into_iter().filter(|(_, opened_ms)| now_ms.saturating_sub(*opened_ms) <= AGAIN_MAX_MS);
        recent.for_each(|(ask, _)| self.look(ask));
    }
}

impl Looks for Lookouts {
    fn look(&self, LookAsk { alert, camera }: LookAsk) {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            let saw = Saw::Nothing("too many cameras are looked through");
            let looked = Looked { alert, camera: camera.clone(), saw, judged: Judged::Unasked, pictures: Vec::new() };
            if self.looked.try_send(looked).is_err() {
                warn!(%camera, "no room for the answer that there is no room for a look");
            }
            return;
        };
        let (looker, looked) = (self.looker.clone(), self.looked.clone());
        self.runtime.spawn(async move {
            let (saw, judged, pictures) = match looker.look(&camera).await {
                Ok(Look { evidence, judged, pictures }) => (Saw::Pictures(evidence), judged, pictures),
                Err(why) => (Saw::Nothing(why), Judged::Unasked, Vec::new()),
            };
            // An error means that nobody listens any more: the gateway is stopping.
            let _ = looked.send(Looked { alert, camera, saw, judged, pictures }).await;
            drop(place);
        });
    }
}
