//! What cameras see now: the picture that was decoded last, masked as snapshots are, each look written down first.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::Context;
use super::evidence::Looker;
use super::fault::{Fault, query};
use super::live::Showing;
use crate::nouns::Unseen;
use crate::telemetry::{now_ms, time_text};

/// Pictures that are drawn at once: each takes some milliseconds of a core.
const DRAWN_MAX: usize = 4;

/// When the picture came.
const AT: HeaderName = HeaderName::from_static("x-outpost-at");

/// Who has the pictures.
pub trait Views: Send + Sync {
    /// JPEG of the last picture of a source, and when it came, ms since 1970; none where there is none of late. Blocks for as
    /// long as drawing takes.
    fn last(&self, source: &str) -> Option<(i64, Vec<u8>)>;

    /// What a camera sends from now on.
    fn live(&self, source: &str) -> Result<Showing, Unseen>;

    /// How each camera sends, and what becomes of it.
    fn sendings(&self) -> HashMap<Arc<str>, Sending>;
}

/// Of one camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sending {
    /// By how much its clock has run ahead of ours since its session began, ms; none where it tells no time.
    pub drift_ms: Option<i64>,
    /// Frames that were due to be decoded and were not, for want of time or a forerunner.
    pub n_shed: u64,
}

#[derive(Clone)]
pub(super) struct Easels(Arc<Semaphore>);

impl Easels {
    pub(super) fn new() -> Easels {
        Easels(Arc::new(Semaphore::new(DRAWN_MAX)))
    }
}

pub(super) async fn picture(
    State(context): State<Context>,
    axum::Extension(Easels(easels)): axum::Extension<Easels>,
    source: Result<Path<String>, PathRejection>,
    Looker(doer): Looker,
) -> Result<Response, Fault> {
    let Path(source) = source?;
    let gone = |_| Fault::unavailable("the gateway is stopping");
    let _easel = easels.acquire_owned().await.map_err(gone)?;
    let (views, of) = (context.views.clone(), source.clone());
    let drawn = tokio::task::spawn_blocking(move || views.last(&of)).await;
    let drawn = drawn.map_err(|_| Fault::unavailable("the picture was given up"))?;
    let (at_ms, jpeg) = drawn.ok_or_else(|| Fault::not_found("there is no picture of this source of late"))?;
    let archive = context.archive.clone();
    query(move || archive.noted(&source, "picture", &doer, now_ms())).await?;
    let at = HeaderValue::try_from(time_text(at_ms)).map_err(|_| Fault::not_found("the picture has no time"))?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg")), (AT, at)], jpeg).into_response())
}
