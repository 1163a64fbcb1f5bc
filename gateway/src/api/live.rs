//! What cameras send, as it comes: `GET /api/v1/live/<source>`, fragmented MP4 without an end. Who looks and why is written down before
//! the first picture goes out, and again for each minute of it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, BoxStream, StreamExt};
use tokio::time::Instant;

use super::Context;
use super::evidence::Looker;
use super::fault::{Fault, query};
use crate::nouns::Unseen;
use crate::store::Doer;
use crate::telemetry::now_ms;

/// As often as a look that goes on is a row of the audit.
const NOTED_EVERY: Duration = Duration::from_secs(60);

/// A film that goes on.
pub struct Showing {
    /// Its type, with the codec by RFC 6381.
    pub mime: String,
    pub boxes: BoxStream<'static, Bytes>,
}

impl From<Unseen> for Fault {
    fn from(why: Unseen) -> Fault {
        let (status, says) = match why {
            Unseen::Unknown => (StatusCode::NOT_FOUND, "there is no such camera"),
            Unseen::Off => {
                (StatusCode::NOT_FOUND, "nothing of this camera is kept to be watched: video.live_max, clip")
            }
            Unseen::Masked => {
                (StatusCode::FORBIDDEN, "the camera has privacy masks, and what is watched live is not drawn over")
            }
            Unseen::Codec => (StatusCode::NOT_FOUND, "what the camera sends cannot be watched without coding it anew"),
            Unseen::Nothing => (StatusCode::NOT_FOUND, "nothing of this camera came of late"),
            Unseen::Full(n) => {
                return Fault::unavailable(format!("{n} people watch cameras already: video.live_max"));
            }
        };
        Fault::new(status, says)
    }
}

pub(super) async fn watch(
    State(context): State<Context>,
    source: Result<Path<String>, PathRejection>,
    Looker(doer): Looker,
) -> Result<Response, Fault> {
    let Path(source) = source?;
    let Showing { mime, boxes } = context.views.live(&source)?;
    let look = Look { context, source: source.into(), doer };
    look.note().await?;
    let mime = HeaderValue::try_from(mime).map_err(|_| Fault::from(Unseen::Codec))?;
    let noted = stream::unfold((boxes, look, Instant::now()), |(mut boxes, look, mut noted)| async move {
        let next = look.context.stop.run_until_cancelled(boxes.next()).await??;
        if noted.elapsed() >= NOTED_EVERY {
            // What cannot be written down is not shown.
            look.note().await.ok()?;
            noted = Instant::now();
        }
        Some((Ok::<_, std::convert::Infallible>(next), (boxes, look, noted)))
    });
    Ok(([(header::CONTENT_TYPE, mime)], Body::from_stream(noted)).into_response())
}

/// Who looks at what.
struct Look {
    context: Context,
    source: Arc<str>,
    doer: Doer,
}

impl Look {
    async fn note(&self) -> Result<(), Fault> {
        let (archive, source, doer) = (self.context.archive.clone(), self.source.clone(), self.doer.clone());
        query(move || archive.noted(&source, "live", &doer, now_ms())).await
    }
}
