//! HTTP: the API under /api/v1, the live stream, health, metrics and the page. Reads go to the store's readers;
//! writes go to the pipeline as commands and are answered when they are on disk. Knows nothing of sources or SQL.
//!
//! - [`tickets`], [`lamps`], [`lights`], [`borders`], [`officers`], [`scores`], [`classes`], [`alerts`], [`silences`], [`works`], [`estate`]: the resources
//! - [`annex`], [`backtest`]: what of the configuration is written over the API, and what drafts of it would have found
//! - [`cap`]: tickets by the Common Alerting Protocol
//! - [`duty`], [`files`], [`reports`]: officers in the field; [`once`]: each request of theirs is done once
//! - [`months`]: the report of a month
//! - [`trace`]: what a sensor said around an alert
//! - [`evidence`]: pictures and clips of alerts, holds, who looked
//! - [`open311`], [`intake`]: what citizens and other systems report, each key at its [`rate`]
//! - [`views`], [`live`]: what cameras see now, as pictures and as it comes
//! - [`base_map`]: the map under all
//! - [`frames`]: radiometric pictures by upload
//! - [`stream`]: server-sent events
//! - [`health`]: /healthz, /readyz, /metrics
//! - [`openapi`]: what all of this looks like, for programs
//! - [`page`]: the console at `/`, the field page at `/field`
//! - [`fault`]: errors as problem+json
//! - [`door`]: how many connections there may be

mod alerts;
mod annex;
mod backtest;
mod base_map;
mod borders;
pub(crate) mod cap;
mod classes;
mod door;
mod duty;
mod estate;
mod evidence;
mod fault;
mod files;
mod frames;
mod health;
mod intake;
mod lamps;
mod lights;
mod live;
mod months;
mod officers;
mod once;
mod open311;
mod openapi;
mod page;
mod rate;
mod reports;
mod scores;
mod silences;
mod stream;
mod tickets;
mod trace;
mod views;
mod works;

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub use annex::{Asked, Change, Edit, Edited, NotEdited, Told, Tried, Try, Unless, tag_of};
pub use estate::Estate;
pub use health::{Readiness, SessionHealth};
pub use intake::Mappings;
pub use live::Showing;
pub use open311::Desk311;
pub use views::{Sending, Views};

use crate::config::District;
use crate::dispatch::centres::Centres;
use crate::dispatch::roster::Roster;
use crate::dispatch::scores::Scoring;
use crate::lights::worker::View;
use crate::pipeline::run::{Ask, Health};
use crate::roads::Roads;
use crate::store::{Archive, Reader};
use crate::telemetry::metrics::Metrics;
use fault::Fault;

/// Largest request body.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Clients that neither ask to the end nor take their answers are left after this long when the gateway stops.
const GRACE: Duration = Duration::from_secs(3);

/// Rows of one answer.
const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1_000;

/// What every request may use.
#[derive(Clone)]
pub struct Context {
    pub reader: Arc<Reader>,
    pub archive: Arc<Archive>,
    pub asks: mpsc::Sender<Ask>,
    pub changed: watch::Receiver<u64>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub readiness: Arc<dyn Readiness>,
    /// Rules and fences as they are configured; a reload changes them.
    pub estate: watch::Receiver<Estate>,
    /// Where changes of the configuration go; none where it names no annex.
    pub edits: Option<mpsc::Sender<Asked>>,
    /// Folder with the observations of late; none where they are not kept.
    pub recent: Option<Arc<std::path::Path>>,
    /// Whose tickets are.
    pub centres: Arc<Centres>,
    /// Who can be sent, and on which roads.
    pub roster: Arc<Roster>,
    pub roads: Option<Arc<Roads>>,
    /// The figures that work is scored by.
    pub scoring: Arc<Scoring>,
    /// Which tickets are one problem.
    pub classes: Arc<crate::config::Classes>,
    /// What months' reports have of the configuration.
    pub report: Arc<crate::report::Basis>,
    /// Who we are to others.
    pub district: Arc<District>,
    /// What cameras see now.
    pub views: Arc<dyn Views>,
    /// Who may report from outside.
    pub open311: Option<Arc<Desk311>>,
    pub mappings: Arc<Mappings>,
    /// What physical lights show.
    pub lights: watch::Receiver<Vec<View>>,
    pub token: Option<Arc<str>>,
    pub stop: CancellationToken,
}

/// Serves until stopped. The listener comes in, so that tests bind port 0.
pub async fn run(listener: TcpListener, context: Context) -> std::io::Result<()> {
    let stop = context.stop.clone();
    let router = router(context).into_make_service_with_connect_info::<evidence::Peer>();
    let serve = axum::serve(door::Door::new(listener), router);
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serve.with_graceful_shutdown(stop.clone().cancelled_owned()).into_future() => served,
        () = overdue => {
            warn!("clients do not end their requests, stopping without them");
            Ok(())
        }
    }
}

pub fn router(context: Context) -> Router {
    let api = Router::new()
        .route("/tickets", get(tickets::list).post(reports::report))
        .route("/tickets/{no}", get(tickets::one))
        .route("/tickets/{no}/{move}", post(tickets::command))
        .route(
            "/tickets/{no}/files",
            post(files::add).layer((
                axum::extract::DefaultBodyLimit::max(files::FILE_BYTES_MAX),
                axum::Extension(files::Uploads::new()),
            )),
        )
        .route("/tickets/{no}/files/{file}", get(files::show))
        .route("/tickets/{no}/cap", get(cap::message))
        .route("/cap", get(cap::feed))
        .route("/loop", get(tickets::table))
        .route("/lamps", get(lamps::board))
        .route("/lights", get(lights::list))
        .route("/borders", get(borders::list))
        .route("/officers", get(officers::list))
        .route("/officers/names", get(duty::names))
        .route("/officers/{id}/duty", get(duty::duty).post(duty::say))
        .route("/officers/{id}/positions", post(duty::positions))
        .route("/officers/{id}/track", get(duty::track))
        .route("/tickets/{no}/suggestions", get(officers::suggestions))
        .route("/assignments", post(officers::confirm))
        .route("/assignments/plan", post(officers::plan))
        .route("/patrols", get(officers::patrols))
        .route("/silences", get(silences::list).post(silences::begin))
        .route("/silences/{no}/end", post(silences::end))
        .route(
            "/work-orders",
            get(works::list).post(works::enter).layer(axum::extract::DefaultBodyLimit::max(works::TABLE_BYTES_MAX)),
        )
        .route("/work-orders/{id}/end", post(works::end))
        .route("/scores", get(scores::sheet))
        .route("/scores/tickets", get(scores::tickets))
        .route("/report", get(months::page).layer(axum::Extension(months::Writers::new())))
        .route("/classes", get(classes::list))
        .route("/classes/patterns", get(classes::patterns).layer(axum::Extension(classes::Finders::new())))
        .route("/classes/{no}", get(classes::one))
        .route("/classes/{no}/{move}", post(classes::command))
        .route("/alerts", get(alerts::list))
        .route("/alerts/{id}", get(alerts::one))
        .route("/alerts/{id}/trace", get(trace::one))
        .route("/alerts/{id}/snapshot", get(evidence::snapshot))
        .route("/alerts/{id}/pictures/{no}", get(evidence::picture))
        .route("/alerts/{id}/clip", get(evidence::clip))
        .route("/alerts/{id}/hold", post(evidence::hold))
        .route("/alerts/{id}/release", post(evidence::release))
        .route("/tickets/{no}/hold", post(evidence::hold_ticket))
        .route("/tickets/{no}/release", post(evidence::release_ticket))
        .route("/audit", get(evidence::audit))
        .route("/sources", get(estate::sources))
        .route("/fences", get(estate::fences))
        .route("/rules", get(estate::rules))
        .route("/map", get(base_map::about))
        .route("/map/file", get(base_map::file))
        .route("/map/tiles/{z}/{x}/{y}", get(base_map::tile))
        .route("/estate", get(annex::list))
        .route(
            "/estate/import",
            post(annex::import::import).layer(axum::extract::DefaultBodyLimit::max(annex::import::TABLE_BYTES_MAX)),
        )
        .route("/estate/contact", post(annex::contact::look).layer(axum::Extension(annex::contact::Lines::new())))
        .route(
            "/estate/backtest",
            post(backtest::run).layer((
                axum::extract::DefaultBodyLimit::max(annex::DRAFT_BYTES_MAX),
                axum::Extension(backtest::Bench::new()),
            )),
        )
        .route(
            "/estate/{table}/{*id}",
            get(annex::one)
                .put(annex::put)
                .delete(annex::remove)
                .layer(axum::extract::DefaultBodyLimit::max(annex::DRAFT_BYTES_MAX)),
        )
        .route("/pictures/{*source}", get(views::picture).layer(axum::Extension(views::Easels::new())))
        .route("/live/{*source}", get(live::watch))
        .route(
            "/frames/{*source}",
            post(frames::upload).layer((
                axum::extract::DefaultBodyLimit::max(frames::PICTURE_BYTES_MAX),
                axum::Extension(frames::Readers::new()),
            )),
        )
        .route("/stream", get(stream::stream).layer(axum::Extension(stream::Seats::new())))
        .route("/openapi.json", get(openapi::document))
        .fallback(nothing_there)
        .method_not_allowed_fallback(async || Fault::wrong_method())
        .layer(middleware::map_response(keep_out_of_caches))
        .layer(middleware::from_fn_with_state(context.clone(), authorise));
    // Senders have tokens and keys of their own.
    let outside = Router::new()
        .route(
            "/api/v1/intake/{mapping}",
            post(intake::post).layer(axum::extract::DefaultBodyLimit::max(intake::DOCUMENT_BYTES_MAX)),
        )
        .route("/open311/v2/{*path}", get(open311::get).post(open311::post))
        .layer(middleware::map_response(keep_out_of_caches));
    Router::new()
        .merge(outside)
        .nest("/api/v1", api)
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/", get(page::index))
        .route("/field", get(page::field))
        .route("/field-worker.js", get(page::beside))
        .route("/field.webmanifest", get(page::beside))
        .route("/field-192.png", get(page::beside))
        .route("/field-512.png", get(page::beside))
        .route("/icon.svg", get(page::beside))
        .route("/assets/{name}", get(page::asset))
        .fallback(nothing_there)
        .method_not_allowed_fallback(async || Fault::wrong_method())
        .layer(middleware::map_response(never_sniff))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(context)
}

async fn nothing_there() -> Fault {
    Fault::not_found("there is no such resource")
}

/// Answers are of this moment, but for those that say otherwise of themselves.
async fn keep_out_of_caches(mut response: Response) -> Response {
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn never_sniff(mut response: Response) -> Response {
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Rows that an answer carries, as asked for.
fn limit(asked: Option<u32>) -> Result<u32, Fault> {
    let limit = asked.unwrap_or(LIMIT_DEFAULT);
    let fits = (1..=LIMIT_MAX).contains(&limit);
    fits.then_some(limit).ok_or_else(|| Fault::bad_request(format!("limit {limit} is not in 1..={LIMIT_MAX}")))
}

/// The query of a resource that takes none but, where one is configured, the token.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct NoQuery {
    #[serde(rename = "token")]
    _token: Option<String>,
}

/// Where a token is configured every API request must carry it, as a bearer or (for images and the live stream, which
/// a browser requests without headers) as the query parameter `token`.
async fn authorise(State(context): State<Context>, request: Request, next: Next) -> Result<Response, Fault> {
    let Some(token) = &context.token else { return Ok(next.run(request).await) };
    let bearer = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
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
