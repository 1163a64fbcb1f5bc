//! The pictures of a camera that show best what an alert is of: of those since its condition began to hold, and of those while
//! the alert is young. Pure.

use std::sync::Arc;

use outpost_detectors::observation::Blob;

use crate::nouns::{Exhibit, Role, Shot, SnapshotAsk};

/// A later picture is shown beside the first where its box is so many times as large.
const BETTER: f32 = 1.5;

/// It is taken once nothing larger came for so long: pictures are kept for little longer while all frames are decoded.
const SETTLES_MS: i64 = 400;

#[derive(Debug, Default)]
pub(super) struct Shots {
    best: Option<Taken>,
    latest: Option<Taken>,
    growth: Option<Growth>,
    shown: Option<Taken>,
}

#[derive(Debug, Clone)]
struct Taken {
    /// Of the picture: what the largest box takes within the zone.
    share: f32,
    at_ms: i64,
    shot: Shot,
}

/// What came since an alert opened.
#[derive(Debug)]
struct Growth {
    /// Of the picture that it opened with.
    share: f32,
    until_ms: i64,
    better: Option<Taken>,
}

impl Shots {
    /// The condition begins to hold: what was before shows something else.
    pub(super) fn begin(&mut self) {
        self.best = None;
    }

    /// A picture shows it. `share`: of the picture, what the largest box takes within the zone.
    pub(super) fn keep(&mut self, picture: u64, boxes: Vec<Blob>, share: f32, at_ms: i64) {
        let taken = Taken { share, at_ms, shot: Shot { picture, boxes } };
        if self.best.as_ref().is_none_or(|best| share >= best.share) {
            self.best = Some(taken.clone());
        }
        if let Some(growth) = &mut self.growth
            && at_ms <= growth.until_ms
            && share >= BETTER * growth.share
            && growth.better.as_ref().is_none_or(|better| share > better.share)
        {
            growth.better = Some(taken.clone());
        }
        self.latest = Some(taken);
    }

    /// Another picture came, whatever it shows: what was better may have been the best.
    pub(super) fn settle(&mut self, at_ms: i64) {
        let Some(Growth { until_ms, better, .. }) = &self.growth else { return };
        let has_settled = better.as_ref().is_some_and(|better| at_ms.saturating_sub(better.at_ms) >= SETTLES_MS);
        if has_settled || at_ms > *until_ms {
            self.shown = self.growth.take().and_then(|growth| growth.better);
        }
    }

    /// What an alert that opens now is shown by; one that is clearly better is awaited for `young_ms`.
    pub(super) fn open(&mut self, young_ms: i64) {
        let growth = |latest: &Taken, best: &Taken| Growth {
            share: best.share,
            until_ms: latest.at_ms.saturating_add(young_ms),
            better: None,
        };
        // What fills nothing is a fault of the whole picture: no later one shows it better.
        let best = self.best.as_ref().filter(|best| best.share > 0.0);
        self.growth = self.latest.as_ref().zip(best).map(|(latest, best)| growth(latest, best));
    }

    /// The best and the latest: the best may not be kept any more.
    pub(super) fn ask(&self, zones: Vec<Vec<[f32; 2]>>) -> Option<SnapshotAsk> {
        let latest = self.latest.as_ref()?;
        let best = self.best.as_ref().filter(|best| best.shot.picture != latest.shot.picture);
        let shots = best.into_iter().chain([latest]).map(|taken| taken.shot.clone()).collect();
        Some(SnapshotAsk::Camera { shots, zones })
    }

    /// The one that turned out to be better.
    pub(super) fn take_shown(
        &mut self,
        source: &Arc<str>,
        zones: impl FnOnce() -> Vec<Vec<[f32; 2]>>,
    ) -> Option<Exhibit> {
        let Taken { at_ms, shot, .. } = self.shown.take()?;
        let ask = SnapshotAsk::Camera { shots: vec![shot], zones: zones() };
        Some(Exhibit { role: Role::After, source: source.clone(), at_ms, ask: Some(ask) })
    }
}
