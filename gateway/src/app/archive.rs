//! Evidence after its alert: clips go to the disk as they come, what is older than it is kept goes from it, and so do positions
//! and deeds of officers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::{Officers, Span};
use crate::store::{Archive, StoreError};
use crate::telemetry::now_ms;
use crate::video::Clip;

/// Clips that are complete and wait for the disk: each holds its camera's share of memory at the most.
pub(super) const CLIPS_MAX: usize = 16;

/// How often it is looked for evidence whose time is over.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// How long what officers did is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keep {
    fixes: Span,
    deeds: Span,
}

impl Keep {
    pub(super) fn of(officers: &Officers) -> Keep {
        Keep { fixes: officers.positions_keep, deeds: officers.repeats_keep }
    }
}

/// Until stopped; then what came before is written.
pub(super) async fn run(archive: Arc<Archive>, mut clips: mpsc::Receiver<Clip>, keep: Keep, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EXPIRE_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_open = true;
    loop {
        tokio::select! {
            clip = clips.recv(), if is_open => match clip {
                Some(clip) => write(&archive, clip).await,
                None => is_open = false,
            },
            _ = ticks.tick() => expire(&archive, keep).await,
            () = stop.cancelled() => break,
        }
    }
    while let Ok(clip) = clips.try_recv() {
        write(&archive, clip).await;
    }
}

async fn write(archive: &Arc<Archive>, clip: Clip) {
    let written = blocking(archive, move |archive| {
        let file = clip.to_mp4();
        archive.clip(clip.alert(), file.as_deref().map_err(|missing| *missing), now_ms())
    });
    if let Err(cause) = written.await {
        warn!(%cause, "clip could not be stored");
    }
}

async fn expire(archive: &Arc<Archive>, keep: Keep) {
    match blocking(archive, |archive| archive.expire(now_ms())).await {
        Ok(0) => {}
        Ok(n_files) => info!(n_files, "evidence expired"),
        Err(cause) => warn!(%cause, "evidence could not be expired"),
    }
    let before_ms = |keep: Span| now_ms().saturating_sub(keep.ms());
    if let Err(cause) = blocking(archive, move |archive| archive.expire_fixes(before_ms(keep.fixes))).await {
        warn!(%cause, "positions of officers could not be expired");
    }
    if let Err(cause) = blocking(archive, move |archive| archive.expire_deeds(before_ms(keep.deeds))).await {
        warn!(%cause, "deeds of officers could not be expired");
    }
}

/// Off the threads that serve sockets.
async fn blocking<T: Send + 'static>(
    archive: &Arc<Archive>,
    work: impl FnOnce(&Archive) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, String> {
    let archive = archive.clone();
    let done = tokio::task::spawn_blocking(move || work(&archive)).await;
    done.map_err(|cause| cause.to_string())?.map_err(|cause| cause.to_string())
}
