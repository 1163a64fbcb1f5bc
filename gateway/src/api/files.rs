//! Files of tickets: `POST /api/v1/tickets/NO/files?kind=…&by=…`, the file as the body. Pictures lose what their camera wrote of
//! itself and of the place; the place of a ticket is what its officer sends. Each look at a file is written down before it is
//! shown.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, FromRequest, Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::{Json, body::HttpBody};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;

use super::evidence::{Looker, serve, there};
use super::fault::{Fault, query};
use super::tickets::TEXT_CHARS_MAX;
use super::{Context, once};
use crate::decode::media::{Media, MediaError};
use crate::nouns::{Errand, FileKind, Missing, NewFile, Outcome, Task, owner_of_files};
use crate::store::FileRow;
use crate::telemetry::{now_ms, time_ms, time_text};

/// Largest file. Phones' photos have 2 to 12 MB, a minute of a voice note has one.
pub(super) const FILE_BYTES_MAX: usize = 16 << 20;
/// Files that come in at a time; further ones are asked to come again.
const UPLOADS_MAX: usize = 16;
/// A file that takes longer to come gives its place to others.
const UPLOAD_WITHIN: Duration = Duration::from_secs(120);
/// A phone's clock may be ahead by so much.
const AHEAD_MAX_MS: i64 = 5 * 60 * 1000;

/// Nothing that somebody sent runs in the page that shows it.
const SHOWN_ALONE: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");

/// Places for files that come in.
#[derive(Clone)]
pub(super) struct Uploads(Arc<Semaphore>);

impl Uploads {
    pub(super) fn new() -> Uploads {
        Uploads(Arc::new(Semaphore::new(UPLOADS_MAX)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UploadQuery {
    kind: String,
    by: String,
    /// RFC 3339: when it was taken; now where absent.
    at: Option<String>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

impl UploadQuery {
    fn read(&self, now_ms: i64) -> Result<(FileKind, Arc<str>, i64), Fault> {
        let kinds = || FileKind::ALL.map(FileKind::as_str).join(", ");
        let kind = FileKind::parse(&self.kind)
            .ok_or_else(|| Fault::bad_request(format!("kind {:?} is none of {}", self.kind, kinds())))?;
        let by = self.by.trim();
        if by.is_empty() || by.chars().count() > TEXT_CHARS_MAX {
            return Err(Fault::bad_request(format!("by is not 1 to {TEXT_CHARS_MAX} characters")));
        }
        let Some(at) = &self.at else { return Ok((kind, by.into(), now_ms)) };
        let at_ms = time_ms(at).filter(|at_ms| (0..=now_ms + AHEAD_MAX_MS).contains(at_ms));
        let at_ms =
            at_ms.ok_or_else(|| Fault::bad_request(format!("at {at:?} is no time at which it can be taken")))?;
        Ok((kind, by.into(), at_ms))
    }
}

pub(super) async fn add(
    State(context): State<Context>,
    Extension(uploads): Extension<Uploads>,
    no: Result<Path<u64>, PathRejection>,
    asked: Result<Query<UploadQuery>, QueryRejection>,
    request: Request,
) -> Result<Response, Fault> {
    let (Path(ticket), Query(asked)) = (no?, asked?);
    let (kind, who, at_ms) = asked.read(now_ms())?;
    if request.body().size_hint().lower() > FILE_BYTES_MAX as u64 {
        return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, too_large()));
    }
    let Ok(place) = uploads.0.clone().try_acquire_owned() else {
        return Err(Fault::unavailable(format!("{UPLOADS_MAX} files are coming in; try again")));
    };
    let headers = request.headers().clone();
    let bytes = tokio::time::timeout(UPLOAD_WITHIN, Bytes::from_request(request, &context)).await;
    let bytes = bytes.map_err(|_| Fault::new(StatusCode::REQUEST_TIMEOUT, "the file did not come in time"))?;
    let bytes = bytes.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Fault::new(StatusCode::PAYLOAD_TOO_LARGE, too_large()),
        status => Fault::new(status, rejection.body_text()),
    })?;
    let at = asked.at.as_deref().unwrap_or_default();
    let named = [&ticket.to_le_bytes()[..], kind.as_str().as_bytes(), who.as_bytes(), at.as_bytes(), &bytes];
    let once = once::once(&headers, &named)?;
    let archive = context.archive.clone();
    let shelved = tokio::task::spawn_blocking(move || {
        let media = Media::read(&bytes).map_err(Fault::from)?;
        if !kind.takes(media.kind) {
            let what = format!("{} is no file of the kind {}", media.kind, kind.as_str());
            return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, what));
        }
        let shelved = archive.shelve(&media.bytes).map_err(|missing| match missing {
            Missing::Evicted => Fault::new(StatusCode::INSUFFICIENT_STORAGE, "there is no room for the file"),
            _ => Fault::unavailable("the file could not be written"),
        })?;
        Ok(NewFile { ticket, kind, media: media.kind, who, at_ms, shelved })
    });
    let file = shelved.await.map_err(|_| Fault::unavailable("the file was given up"))??;
    drop(place);
    let errand = Errand { who: file.who.clone(), once, task: Task::Attach(file.clone()) };
    let done = once::run(&context, errand).await;
    // Where nobody answers it may be committed yet; what is not, goes with the next start.
    let is_needed = match &done {
        Ok(done) => !done.is_repeat,
        Err(fault) => fault.may_be_done(),
    };
    if !is_needed {
        let archive = context.archive.clone();
        query(move || {
            archive.discard(&file.shelved);
            Ok(())
        })
        .await?;
    }
    let done = done?;
    let Outcome::Attached { ticket, file } = done.outcome else {
        return Err(Fault::unavailable("it was something else"));
    };
    let row = find(&context, ticket, file).await?;
    Ok(once::answered(Json(json!({ "file": FileOut::new(ticket, &row) })), done.is_repeat))
}

fn too_large() -> String {
    format!("a file has at most {FILE_BYTES_MAX} bytes")
}

impl From<MediaError> for Fault {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::Unknown | MediaError::Heic => Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error.to_string()),
            MediaError::Broken { .. } => Fault::bad_request(error.to_string()),
        }
    }
}

#[derive(Serialize)]
pub(super) struct FileOut<'a> {
    no: u64,
    kind: &'a str,
    media: &'a str,
    by: &'a str,
    /// When it was taken.
    at: String,
    bytes: u64,
    sha256: Option<&'a str>,
    /// Path of it; null with the reason where it is not there.
    url: Option<String>,
    missing: Option<&'static str>,
}

impl<'a> FileOut<'a> {
    pub(super) fn new(ticket: u64, row: &'a FileRow) -> FileOut<'a> {
        let FileRow { no, kind, media, who, at_ms, n_bytes, evidence } = row;
        FileOut {
            no: *no,
            kind,
            media,
            by: who,
            at: time_text(*at_ms),
            bytes: *n_bytes,
            sha256: evidence.sha256.as_deref(),
            url: evidence.file.is_ok().then(|| format!("/api/v1/tickets/{ticket}/files/{no}")),
            missing: evidence.file.as_ref().err().map(|missing| missing.as_str()),
        }
    }
}

async fn find(context: &Context, ticket: u64, no: u64) -> Result<FileRow, Fault> {
    let reader = context.reader.clone();
    let row = query(move || reader.file(ticket, no)).await?;
    row.ok_or_else(|| Fault::not_found(format!("T-{ticket} has no file {no}")))
}

pub(super) async fn show(
    State(context): State<Context>,
    path: Result<Path<(u64, u64)>, PathRejection>,
    looker: Looker,
    request: Request,
) -> Result<Response, Fault> {
    let Path((ticket, no)) = path?;
    let row = find(&context, ticket, no).await?;
    let name = format!("file {no} of T-{ticket}");
    let file = there(&row.evidence, &name)?;
    let (archive, Looker(doer)) = (context.archive.clone(), looker);
    query(move || archive.noted(&owner_of_files(ticket), &format!("file {no}"), &doer, now_ms())).await?;
    let mut response = serve(&context, file, &name, request).await?;
    let media = HeaderValue::from_str(&row.media).map_err(|_| Fault::not_found("its media type is not known"))?;
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, SHOWN_ALONE);
    Ok(response)
}
