//! Looks from time to time at what cameras send and what becomes of it, and tells the pipeline what is wrong with that. Knows nothing
//! of rules.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Cameras;
use super::ailing::Ailing;
use super::overload::Overload;
use crate::nouns::Trouble;
use crate::telemetry::now_ms;

/// What was shed within this counts as now.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Looks until `stop`.
pub async fn watch(cameras: Arc<Cameras>, troubles: mpsc::Sender<Trouble>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut overload, mut ailing) = (Overload::default(), Ailing::default());
    let looks = async {
        loop {
            ticks.tick().await;
            let (counts, at_ms) = (cameras.counters(), now_ms());
            for trouble in overload.look(&counts, at_ms).into_iter().chain(ailing.look(&counts, at_ms)) {
                // An error means that the pipeline is gone: so are we, soon.
                let _ = troubles.send(trouble).await;
            }
        }
    };
    stop.run_until_cancelled(looks).await;
}
