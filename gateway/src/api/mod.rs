//! HTTP: the API under /api/v1, the live stream, health, metrics and the page. Reads go to the store's readers;
//! writes go to the pipeline as commands and are answered when they are on disk. Knows nothing of sources or SQL.
//!
//! - [`tickets`], [`alerts`], [`estate`]: the resources
//! - [`stream`]: server-sent events
//! - [`health`]: /healthz, /readyz, /metrics
//! - [`fault`]: errors as problem+json

mod alerts;
mod estate;
mod fault;
mod health;
mod page;
mod stream;
mod tickets;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

pub use estate::Estate;
pub use health::{Readiness, SessionHealth};

use crate::pipeline::run::{Ask, Health};
use crate::store::Reader;
use crate::telemetry::metrics::Metrics;
use fault::Fault;

/// Largest request body.
const BODY_BYTES_MAX: usize = 64 << 10;

/// What every request may use.
#[derive(Clone)]
pub struct Context {
    pub reader: Arc<Reader>,
    pub asks: mpsc::Sender<Ask>,
    pub changed: watch::Receiver<u64>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub readiness: Arc<dyn Readiness>,
    /// Rules and fences as they are configured.
    pub estate: Arc<Estate>,
    pub token: Option<Arc<str>>,
    pub yellow_share: f64,
    pub stop: CancellationToken,
}

/// Serves until stopped. The listener comes in, so that tests bind port 0.
pub async fn run(listener: TcpListener, context: Context) -> std::io::Result<()> {
    let stop = context.stop.clone();
    axum::serve(listener, router(context)).with_graceful_shutdown(stop.cancelled_owned()).await
}

pub fn router(context: Context) -> Router {
    let api = Router::new()
        .route("/tickets", get(tickets::list))
        .route("/tickets/{no}", get(tickets::one))
        .route("/tickets/{no}/{move}", post(tickets::command))
        .route("/alerts", get(alerts::list))
        .route("/alerts/{id}", get(alerts::one))
        .route("/alerts/{id}/snapshot", get(alerts::snapshot))
        .route("/sources", get(estate::sources))
        .route("/fences", get(estate::fences))
        .route("/rules", get(estate::rules))
        .route("/stream", get(stream::stream))
        .fallback(async || Fault::not_found("there is no such resource"))
        .layer(middleware::from_fn_with_state(context.clone(), authorise));
    Router::new()
        .nest("/api/v1", api)
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/", get(page::page))
        .route("/page.css", get(page::style))
        .route("/page.js", get(page::script))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(context)
}

/// Where a token is configured every API request must carry it, as a bearer or (for images and the live stream, which
/// a browser requests without headers) as the query parameter `token`.
async fn authorise(State(context): State<Context>, request: Request, next: Next) -> Result<Response, Fault> {
    let Some(token) = &context.token else { return Ok(next.run(request).await) };
    let bearer = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let query = request.uri().query().and_then(|query| {
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "token").map(|(_, value)| value)
    });
    let given = bearer.or(query.as_deref()).unwrap_or_default();
    if same(given.as_bytes(), token.as_bytes()) { Ok(next.run(request).await) } else { Err(Fault::unauthorised()) }
}

/// Takes the same time wherever the difference is.
fn same(given: &[u8], token: &[u8]) -> bool {
    given.len() == token.len() && given.iter().zip(token).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests;
