//! The report of a month as a page: what `outpost report` writes, without its tables.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::Context;
use super::fault::Fault;
use crate::report::{self, Language, ReportError};
use crate::telemetry::now_ms;

/// Reports that are written at a time: each looks for patterns, which takes seconds. Further ones are asked to come again.
const WRITERS_MAX: usize = 1;

/// The page has its styles within it, and neither scripts nor anything from elsewhere.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'");

/// Places for those who have a report written.
#[derive(Clone)]
pub(super) struct Writers(Arc<Semaphore>);

impl Writers {
    pub(super) fn new() -> Writers {
        Writers(Arc::new(Semaphore::new(WRITERS_MAX)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportQuery {
    /// In the desk's zone, as 2026-11.
    month: String,
    language: Option<Language>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

pub(super) async fn page(
    State(context): State<Context>,
    Extension(Writers(writers)): Extension<Writers>,
    asked: Result<Query<ReportQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Fault> {
    let Query(ReportQuery { month, language, .. }) = asked?;
    let place = writers.try_acquire_owned();
    let place = place.map_err(|_| Fault::unavailable("a report is being written already: ask again soon"))?;
    let grids = context.estate.borrow().grids.clone();
    let written = tokio::task::spawn_blocking(move || {
        let language = language.unwrap_or(Language::Chinese);
        let page = report::page(&context.report, &grids, &month, &context.reader, language, now_ms());
        drop(place);
        page
    });
    let written = written.await.map_err(|_| Fault::unavailable("the report was given up"))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    Ok((headers, written?))
}

impl From<ReportError> for Fault {
    fn from(error: ReportError) -> Fault {
        match error {
            ReportError::Store(cause) => cause.into(),
            ReportError::Month(_) => Fault::bad_request(error.to_string()),
            ReportError::TooManyTickets => Fault::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            // Of the command line.
            ReportError::NoDatabase(_) | ReportError::Config(_) | ReportError::Write { .. } => {
                Fault::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
        }
    }
}
