//! A recorded file in a camera's place: hands its pictures over at the pace at which they were recorded, or as fast as they
//! are taken. For replay and tests; a file ends, and is not begun again.

mod mp4;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outpost_detectors::observation::{Link, LinkReason, LinkState};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::mp4::{Index, Mp4Error, Sample};
use super::rtsp::{AccessUnit, Viewer};
use crate::config::{Camera, Pace};
use crate::telemetry::clock;

#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("file {0}")]
    Mp4(#[from] Mp4Error),
    #[error("picture {number} of {n_bytes} bytes: more than frame_bytes_max, {limit}")]
    FrameTooLarge { number: usize, n_bytes: u32, limit: u64 },
    #[error("picture {number} is not what its length says")]
    Lengths { number: usize },
    #[error("the thread that reads it is gone")]
    Gone,
}

impl RecordingError {
    fn reason(&self) -> LinkReason {
        match self {
            RecordingError::Mp4(Mp4Error::Io(_)) | RecordingError::Gone => LinkReason::Route,
            RecordingError::Mp4(Mp4Error::NoVideo) => LinkReason::Codec,
            RecordingError::Mp4(_) | RecordingError::FrameTooLarge { .. } | RecordingError::Lengths { .. } => {
                LinkReason::Protocol
            }
        }
    }
}

/// Plays `path` from its beginning to its end, or until `stop`. `source` is its name in logs.
pub async fn run<V: Viewer>(source: &str, path: &Path, camera: &Camera, viewer: &V, stop: &CancellationToken) {
    viewer.link(Link { state: LinkState::Connecting, reason: None }).await;
    let played = stop.run_until_cancelled(play(path, camera, viewer)).await;
    let reason = match played {
        None => return,
        Some(Ok(n_pictures)) => {
            info!(%source, file = %path.display(), n_pictures, "recording is over");
            LinkReason::Route
        }
        Some(Err(error)) => {
            warn!(%source, file = %path.display(), %error, "recording cannot be played");
            error.reason()
        }
    };
    viewer.link(Link { state: LinkState::Offline, reason: Some(reason) }).await;
}

async fn play<V: Viewer>(path: &Path, camera: &Camera, viewer: &V) -> Result<usize, RecordingError> {
    let path = path.to_owned();
    let (mut file, index) = blocking(move || {
        let mut file = File::open(&path).map_err(Mp4Error::Io)?;
        let index = Index::read(&mut file)?;
        Ok((file, Arc::new(index)))
    })
    .await?;
    viewer.link(Link { state: LinkState::Live, reason: None }).await;
    let (begun, begun_ms) = (Instant::now(), clock::now_ms());
    for (number, sample) in index.samples.iter().copied().enumerate() {
        let limit = camera.frame_bytes_max.0;
        if u64::from(sample.n_bytes) > limit {
            return Err(RecordingError::FrameTooLarge { number, n_bytes: sample.n_bytes, limit });
        }
        let all = index.clone();
        let unit = blocking(move || {
            let bytes = picture(&mut file, &sample)?;
            let unit = all.annex_b(&sample, &bytes).ok_or(RecordingError::Lengths { number })?;
            Ok((file, unit))
        });
        let data;
        (file, data) = unit.await?;
        let received_ms = match camera.pace {
            Pace::Recorded => {
                sleep_until(begun + Duration::from_millis(sample.decode_ms.unsigned_abs())).await;
                clock::now_ms()
            }
            // Rules judge by these times: a second of the recording is a second to them, however fast it goes.
            Pace::Fast => begun_ms.saturating_add(sample.decode_ms),
        };
        let unit = AccessUnit {
            codec: index.codec,
            data: Bytes::from(data.into_boxed_slice()),
            key: sample.key,
            size: Some(index.size),
            loss: 0,
            received_ms,
            media_ms: Some(sample.show_ms),
        };
        viewer.unit(unit).await;
    }
    Ok(index.samples.len())
}

fn picture(file: &mut File, sample: &Sample) -> Result<Vec<u8>, RecordingError> {
    let mut bytes = vec![0; sample.n_bytes as usize];
    file.seek(SeekFrom::Start(sample.offset)).and_then(|_| file.read_exact(&mut bytes)).map_err(Mp4Error::Io)?;
    Ok(bytes)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RecordingError> + Send + 'static,
) -> Result<T, RecordingError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| RecordingError::Gone)?
}
