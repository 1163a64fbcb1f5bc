//! Evidence of alerts: pictures and clips, each look written down before anything is shown; holds and the audit.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::serve::IncomingStream;
use serde::{Deserialize, Serialize};
use tower_http::services::ServeFile;

use super::alerts::find;
use super::door::Door;
use super::fault::{Fault, query};
use super::{Context, NoQuery};
use crate::nouns::{EvidenceKind, Missing, Refusal, owner_of_files};
use crate::store::{Archive, AuditRow, Doer, EvidenceRow, Held, HoldRow, StoreError};
use crate::telemetry::{now_ms, time_text};

/// Names and reasons longer than this are refused.
const TEXT_CHARS_MAX: usize = 500;

/// A browser that shows a picture again within this time does not look anew.
const CACHE: HeaderValue = HeaderValue::from_static("private, max-age=300");

/// Who asks and why, where a header can be set; a picture in a page has them in its query.
const WHO_HEADER: &str = "x-outpost-who";
const REASON_HEADER: &str = "x-outpost-reason";

/// The address at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(SocketAddr);

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LookQuery {
    who: Option<String>,
    reason: Option<String>,
    #[serde(rename = "token")]
    _token: Option<String>,
}

/// Who looks: from the query, or else from headers.
pub(super) struct Looker(pub(super) Doer);

impl FromRequestParts<Context> for Looker {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &Context) -> Result<Looker, Fault> {
        let Query(asked) = Query::<LookQuery>::from_request_parts(parts, state).await?;
        Looker::new((asked.who, asked.reason), &parts.headers, parts.extensions.get::<ConnectInfo<Peer>>())
    }
}

impl Looker {
    /// `said`: who, and why.
    pub(super) fn new(
        said: (Option<String>, Option<String>),
        headers: &HeaderMap,
        info: Option<&ConnectInfo<Peer>>,
    ) -> Result<Looker, Fault> {
        let told = |given: Option<String>, name: &'static str| match given {
            Some(text) => Ok(text),
            None => header_text(headers, name),
        };
        let who = text("who", &told(said.0, WHO_HEADER)?)?;
        Ok(Looker(Doer { who, peer: peer(info), reason: text("reason", &told(said.1, REASON_HEADER)?)? }))
    }
}

fn peer(info: Option<&ConnectInfo<Peer>>) -> String {
    info.map(|ConnectInfo(Peer(address))| address.ip().to_string()).unwrap_or_default()
}

/// UTF-8, as clients send it; empty where there is none.
fn header_text(headers: &HeaderMap, name: &'static str) -> Result<String, Fault> {
    let Some(value) = headers.get(name) else { return Ok(String::new()) };
    let text = std::str::from_utf8(value.as_bytes());
    text.map(str::to_owned).map_err(|_| Fault::bad_request(format!("header {name} is not UTF-8")))
}

fn text(key: &str, given: &str) -> Result<String, Fault> {
    if given.chars().count() > TEXT_CHARS_MAX {
        return Err(Fault::bad_request(format!("{key} is longer than {TEXT_CHARS_MAX} characters")));
    }
    Ok(given.trim().to_owned())
}

pub(super) async fn snapshot(
    State(context): State<Context>,
    id: Result<Path<String>, PathRejection>,
    looker: Looker,
    request: Request,
) -> Result<Response, Fault> {
    let Path(id) = id?;
    let row = find(&context, id).await?;
    let snapshot = row.snapshot.as_ref();
    show(&context, &row.id, EvidenceKind::Snapshot, snapshot, looker, request).await
}

pub(super) async fn clip(
    State(context): State<Context>,
    id: Result<Path<String>, PathRejection>,
    looker: Looker,
    request: Request,
) -> Result<Response, Fault> {
    let Path(id) = id?;
    let row = find(&context, id).await?;
    show(&context, &row.id, EvidenceKind::Clip, row.clip.as_ref(), looker, request).await
}

/// An exhibit by its number.
pub(super) async fn picture(
    State(context): State<Context>,
    path: Result<Path<(String, u32)>, PathRejection>,
    looker: Looker,
    request: Request,
) -> Result<Response, Fault> {
    let Path((alert, no)) = path?;
    let (reader, of) = (context.reader.clone(), alert.clone());
    let exhibits = query(move || reader.exhibits(&of)).await?;
    let exhibit = exhibits.into_iter().find(|exhibit| exhibit.no == no);
    let exhibit = exhibit.ok_or_else(|| Fault::not_found("there is no such picture"))?;
    show(&context, &alert, EvidenceKind::Snapshot, Some(&exhibit.evidence), looker, request).await
}

/// The whole file or the range of it that was asked for.
async fn show(
    context: &Context,
    alert: &str,
    kind: EvidenceKind,
    evidence: Option<&EvidenceRow>,
    Looker(doer): Looker,
    request: Request,
) -> Result<Response, Fault> {
    let name = kind.as_str();
    let evidence = evidence.ok_or_else(|| Fault::not_found(format!("this alert has no {name}")))?;
    let file = there(evidence, &format!("{name} of this alert"))?;
    let (archive, alert) = (context.archive.clone(), alert.to_owned());
    query(move || archive.looked(&alert, kind, &doer, now_ms())).await?;
    serve(context, file, &format!("{name} of this alert"), request).await
}

/// The name of a file, or why it is not there.
pub(super) fn there<'a>(evidence: &'a EvidenceRow, name: &str) -> Result<&'a str, Fault> {
    evidence.file.as_deref().map_err(|missing| {
        let status = match missing {
            Missing::Expired | Missing::Evicted | Missing::Lost => StatusCode::GONE,
            Missing::Pending | Missing::Masked | Missing::Codec | Missing::Gone => StatusCode::NOT_FOUND,
        };
        Fault::new(status, format!("the {name} is not there: {}", why(*missing)))
    })
}

/// A file of the shelf, whole or the range of it that was asked for.
pub(super) async fn serve(context: &Context, file: &str, name: &str, request: Request) -> Result<Response, Fault> {
    // The path comes from the row, never from the request.
    let path = context.reader.evidence_path(file);
    let served = ServeFile::new(&path).try_call(request).await;
    let lost = |cause: &dyn std::fmt::Display| {
        tracing::error!(path = %path.display(), %cause, "evidence cannot be read");
        Fault::new(StatusCode::GONE, format!("the {name} is lost"))
    };
    let mut response = served.map_err(|cause| lost(&cause))?.map(Body::new);
    if response.status() == StatusCode::NOT_FOUND {
        return Err(lost(&"there is no such file"));
    }
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE);
    Ok(response)
}

fn why(missing: Missing) -> &'static str {
    match missing {
        Missing::Pending => "it is still being received",
        Missing::Masked => "the camera has privacy masks, and clips are not drawn over",
        Missing::Codec => "the stream cannot be put into a clip without coding it anew",
        Missing::Gone => "there was nothing to show when it was asked for",
        Missing::Expired => "its time was over",
        Missing::Evicted => "there was no room for it any more",
        Missing::Lost => "it was lost",
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldBody {
    who: String,
    reason: String,
}

/// Who wants a hold or a release, and why: both must be said.
pub(super) struct Wisher(Doer);

impl FromRequest<Context> for Wisher {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &Context) -> Result<Wisher, Fault> {
        let (mut parts, body) = request.into_parts();
        Query::<NoQuery>::from_request_parts(&mut parts, state).await?;
        let peer = peer(parts.extensions.get::<ConnectInfo<Peer>>());
        let Json(said) = Json::<HoldBody>::from_request(Request::from_parts(parts, body), state).await?;
        let doer = Doer { who: text("who", &said.who)?, peer, reason: text("reason", &said.reason)? };
        for (key, said) in [("who", &doer.who), ("reason", &doer.reason)] {
            if said.is_empty() {
                return Err(Fault::bad_request(format!("{key} is empty: the audit names who did what, and why")));
            }
        }
        Ok(Wisher(doer))
    }
}

pub(super) async fn hold(
    State(context): State<Context>,
    id: Result<Path<String>, PathRejection>,
    wisher: Wisher,
) -> Result<Json<serde_json::Value>, Fault> {
    change(&context, id?.0, wisher, Archive::hold).await
}

pub(super) async fn release(
    State(context): State<Context>,
    id: Result<Path<String>, PathRejection>,
    wisher: Wisher,
) -> Result<Json<serde_json::Value>, Fault> {
    change(&context, id?.0, wisher, Archive::release).await
}

/// The same by the number of a ticket: of its files, and of the alert that opened it where one did.
pub(super) async fn hold_ticket(
    State(context): State<Context>,
    no: Result<Path<u64>, PathRejection>,
    wisher: Wisher,
) -> Result<Json<serde_json::Value>, Fault> {
    change_ticket(&context, no?.0, wisher, Archive::hold).await
}

pub(super) async fn release_ticket(
    State(context): State<Context>,
    no: Result<Path<u64>, PathRejection>,
    wisher: Wisher,
) -> Result<Json<serde_json::Value>, Fault> {
    change_ticket(&context, no?.0, wisher, Archive::release).await
}

type Change = fn(&Archive, &str, &Doer, i64) -> Result<Held, StoreError>;

async fn change_ticket(
    context: &Context,
    no: u64,
    Wisher(doer): Wisher,
    change: Change,
) -> Result<Json<serde_json::Value>, Fault> {
    let reader = context.reader.clone();
    let (ticket, _) = query(move || reader.ticket(no)).await?.ok_or(Refusal::NoSuchTicket(no))?;
    let alert = (!ticket.alert.is_empty()).then(|| ticket.alert.to_string());
    hold_of(context, alert.into_iter().chain([owner_of_files(no)]).collect(), doer, change).await
}

async fn change(
    context: &Context,
    alert: String,
    Wisher(doer): Wisher,
    change: Change,
) -> Result<Json<serde_json::Value>, Fault> {
    hold_of(context, vec![alert], doer, change).await
}

/// Changes the hold of each of these, of which there is at least one; it is enough that one was not so already.
async fn hold_of(
    context: &Context,
    of: Vec<String>,
    doer: Doer,
    change: Change,
) -> Result<Json<serde_json::Value>, Fault> {
    let (archive, reader) = (context.archive.clone(), context.reader.clone());
    let changed = query(move || {
        let held = of.iter().map(|one| change(&archive, one, &doer, now_ms())).collect::<Result<Vec<_>, _>>()?;
        let row = of.first().map(|first| reader.hold(first)).transpose()?.flatten();
        Ok((held, row))
    });
    let (held, row) = changed.await?;
    match held {
        held if held.contains(&Held::Changed) => {
            Ok(Json(serde_json::json!({ "hold": row.as_ref().map(HoldOut::from) })))
        }
        held if held.contains(&Held::Unchanged) => Err(Fault::new(StatusCode::CONFLICT, "it is so already")),
        _ => Err(Fault::not_found("there is no such alert")),
    }
}

#[derive(Serialize)]
pub(super) struct HoldOut<'a> {
    who: &'a str,
    reason: &'a str,
    since: String,
}

impl<'a> From<&'a HoldRow> for HoldOut<'a> {
    fn from(row: &'a HoldRow) -> Self {
        HoldOut { who: &row.who, reason: &row.reason, since: time_text(row.held_ms) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    alert: Option<String>,
    limit: Option<u32>,
    /// Number of the last entry of the page before.
    before: Option<i64>,
    #[serde(rename = "token")]
    _token: Option<String>,
}

#[derive(Serialize)]
struct AuditOut {
    no: i64,
    at: String,
    alert: String,
    what: String,
    who: String,
    peer: String,
    reason: String,
}

impl From<AuditRow> for AuditOut {
    fn from(row: AuditRow) -> Self {
        let AuditRow { seq, at_ms, alert, what, who, peer, reason } = row;
        AuditOut { no: seq, at: time_text(at_ms), alert, what, who, peer, reason }
    }
}

pub(super) async fn audit(
    State(context): State<Context>,
    asked: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    let Query(asked) = asked?;
    let limit = super::limit(asked.limit)?;
    let reader = Arc::clone(&context.reader);
    let rows = query(move || reader.audit(asked.alert.as_deref(), asked.before, limit)).await?;
    let rows: Vec<AuditOut> = rows.into_iter().map(AuditOut::from).collect();
    Ok(Json(serde_json::json!({ "audit": rows })))
}
