//! Whether the gateway lives (/healthz), whether it does its work (/readyz), and its figures (/metrics).

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Context;
use super::fault::Fault;
use crate::telemetry::{metrics, now_ms};

/// A pipeline that has not turned for this long hangs.
const BEAT_MS_MAX: i64 = 10_000;

/// What readiness asks of the sessions with the outside.
pub trait Readiness: Send + Sync {
    fn sessions(&self) -> Vec<SessionHealth>;
    /// Brings gauges that are read only here up to date.
    fn refresh(&self);
}

/// A session with a broker: not ready while it is down.
pub struct SessionHealth {
    pub id: String,
    pub up: bool,
    pub state: String,
}

/// 200 as long as the pipeline turns: what a supervisor restarts on.
pub(super) async fn healthz(State(context): State<Context>) -> Response {
    let beat_age_ms = now_ms() - context.health.beat_ms.load(Ordering::Relaxed);
    let status = if beat_age_ms <= BEAT_MS_MAX { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "beat_age_ms": beat_age_ms }))).into_response()
}

/// 200 when messages are taken and kept: the store commits and every broker session is up.
pub(super) async fn readyz(State(context): State<Context>) -> Response {
    let store_ok = context.health.store_ok.load(Ordering::Relaxed);
    let sessions = context.readiness.sessions();
    let ready = store_ok && sessions.iter().all(|session| session.up);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let sessions: Vec<_> =
        sessions.iter().map(|session| json!({ "broker": session.id, "state": session.state })).collect();
    (status, Json(json!({ "ready": ready, "store": store_ok, "sessions": sessions }))).into_response()
}

pub(super) async fn metrics(State(context): State<Context>) -> Response {
    // The refresh asks the store: not on a thread that serves sockets.
    let readiness = context.readiness.clone();
    if tokio::task::spawn_blocking(move || readiness.refresh()).await.is_err() {
        return Fault::unavailable("the figures could not be read").into_response();
    }
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], context.metrics.encode()).into_response()
}
