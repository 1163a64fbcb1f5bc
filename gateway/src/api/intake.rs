//! Reports of other systems as JSON: `POST /api/v1/intake/<mapping>`. A mapping says where in their documents things are; each
//! report becomes a ticket of the same loop once, however often it comes, and what is wrong with one costs no other.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use outpost_fences::{Coordinates, Point};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::fault::{Fault, ask};
use super::tickets::TEXT_CHARS_MAX;
use super::{Context, same};
use crate::config::{Intake, ReportKind};
use crate::nouns::{Place, Report, Taken};
use crate::pipeline::run::Ask;

/// Largest document.
pub(super) const DOCUMENT_BYTES_MAX: usize = 1 << 20;
/// Reports of one document.
pub(super) const REPORTS_MAX: usize = 500;
/// Longest key and title.
const NAME_CHARS_MAX: usize = 200;

/// The mappings with the tokens of their senders.
pub struct Mappings(pub Vec<(Intake, Option<String>)>);

pub(super) async fn post(
    State(context): State<Context>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Fault> {
    let Path(id) = path?;
    let mapping = context.mappings.0.iter().find(|(intake, _)| intake.id == id);
    let token = mapping.and_then(|(_, token)| token.as_deref()).or(context.token.as_deref());
    if let Some(token) = token
        && !same(bearer(&headers).as_bytes(), token.as_bytes())
    {
        return Err(Fault::unauthorised());
    }
    let (intake, _) = mapping.ok_or_else(|| Fault::not_found(format!("there is no mapping {id:?}")))?;
    let body = body.map_err(|rejection| Fault::new(rejection.status(), rejection.body_text()))?;
    let document: Value =
        serde_json::from_slice(&body).map_err(|error| Fault::bad_request(format!("no JSON: {error}")))?;
    let items = items(intake, &document)?;
    let read: Vec<Result<Report, String>> = items.iter().map(|(at, item)| report(intake, at, item)).collect();
    let reports: Vec<Report> = read.iter().flatten().cloned().collect();
    let (reply, answer) = oneshot::channel();
    let mut taken = match reports.is_empty() {
        true => Vec::new(),
        false => ask(&context.asks, Ask::Reports(reports, reply), answer).await??,
    }
    .into_iter();
    let mut n_rejected = 0;
    let answers = read.iter().map(|read| match read {
        Ok(report) => {
            let taken = taken.next().map(|Taken { ticket, is_new }| (format!("T-{ticket}"), is_new));
            json!({ "key": report.key, "ticket": taken.as_ref().map(|(no, _)| no), "new": taken.as_ref().map(|(_, new)| new) })
        }
        Err(error) => {
            n_rejected += 1;
            json!({ "error": error })
        }
    });
    let answers: Vec<Value> = answers.collect();
    context.metrics.reports_taken(&intake.id, (answers.len() - n_rejected) as u64, n_rejected as u64);
    let all_wrong = n_rejected > 0 && n_rejected == answers.len();
    let status = if all_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let body = json!({ "accepted": answers.len() - n_rejected, "rejected": n_rejected, "items": answers });
    Ok((status, Json(body)).into_response())
}

fn bearer(headers: &HeaderMap) -> &str {
    let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match said.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => "",
    }
}

/// The reports of a document, each with the pointer at which it is.
fn items<'a>(intake: &Intake, document: &'a Value) -> Result<Vec<(String, &'a Value)>, Fault> {
    let at = &intake.items;
    let found = document.pointer(at).ok_or_else(|| Fault::bad_request(format!("there is nothing at {at:?}")))?;
    let Value::Array(list) = found else { return Ok(vec![(at.clone(), found)]) };
    if list.len() > REPORTS_MAX {
        return Err(Fault::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("{} reports, a document has at most {REPORTS_MAX}", list.len()),
        ));
    }
    Ok(list.iter().enumerate().map(|(i, item)| (format!("{at}/{i}"), item)).collect())
}

fn report(intake: &Intake, at: &str, item: &Value) -> Result<Report, String> {
    let kind = kind(intake, at, item)?;
    let place_name = maybe_text(at, item, intake.address.as_deref(), NAME_CHARS_MAX)?;
    Ok(Report {
        sender: format!("intake:{}", intake.id).into(),
        key: text(at, item, &intake.key, NAME_CHARS_MAX)?.into(),
        title: text(at, item, &intake.title, NAME_CHARS_MAX)?.into(),
        text: maybe_text(at, item, intake.text.as_deref(), TEXT_CHARS_MAX)?.unwrap_or_default(),
        category: kind.category.as_str().into(),
        severity: kind.severity,
        place: Place { name: place_name.map(Into::into), point: point(intake, at, item)?, ..Place::default() },
    })
}

fn kind<'a>(intake: &'a Intake, at: &str, item: &Value) -> Result<&'a ReportKind, String> {
    let Some(pointer) = &intake.kind else {
        return intake.kinds.first().ok_or_else(|| format!("{at}: the mapping has no kinds"));
    };
    let said = text(at, item, pointer, NAME_CHARS_MAX)?;
    let kinds = || intake.kinds.iter().map(|kind| kind.is.as_str()).collect::<Vec<_>>().join(", ");
    let found = intake.kinds.iter().find(|kind| kind.is == said);
    found.ok_or_else(|| format!("{at}{pointer}: {said:?} is none of {}", kinds()))
}

fn text(at: &str, item: &Value, pointer: &str, chars_max: usize) -> Result<String, String> {
    maybe_text(at, item, Some(pointer), chars_max)?.ok_or_else(|| format!("{at}{pointer}: nothing is there"))
}

/// Text or a number; nothing where it is absent, null or empty.
fn maybe_text(at: &str, item: &Value, pointer: Option<&str>, chars_max: usize) -> Result<Option<String>, String> {
    let Some(pointer) = pointer else { return Ok(None) };
    let said = match item.pointer(pointer) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(said)) => said.trim().to_owned(),
        Some(Value::Number(said)) => said.to_string(),
        Some(other) => return Err(format!("{at}{pointer}: expected text, found {}", name_of(other))),
    };
    if said.chars().count() > chars_max {
        return Err(format!("{at}{pointer}: longer than {chars_max} characters"));
    }
    Ok(Some(said).filter(|said| !said.is_empty()))
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// WGS-84; none where neither is there. One without the other is an error.
fn point(intake: &Intake, at: &str, item: &Value) -> Result<Option<(f64, f64)>, String> {
    let (Some(lon_at), Some(lat_at)) = (&intake.lon, &intake.lat) else { return Ok(None) };
    let (lon, lat) = (degrees(at, item, lon_at, 180.0)?, degrees(at, item, lat_at, 90.0)?);
    match (lon, lat) {
        (None, None) => Ok(None),
        (Some(lon), Some(lat)) => {
            let Point { lon, lat } = Coordinates::from(intake.coordinates).to_wgs84(Point { lon, lat });
            Ok(Some((lon, lat)))
        }
        (None, Some(_)) => Err(format!("{at}{lon_at}: nothing is there, but there is a latitude")),
        (Some(_), None) => Err(format!("{at}{lat_at}: nothing is there, but there is a longitude")),
    }
}

/// A number, or text that is one: many systems write coordinates so.
fn degrees(at: &str, item: &Value, pointer: &str, max: f64) -> Result<Option<f64>, String> {
    let Some(said) = maybe_text(at, item, Some(pointer), NAME_CHARS_MAX)? else { return Ok(None) };
    let found = said.parse::<f64>().ok().filter(|degrees| degrees.abs() <= max);
    found.map(Some).ok_or_else(|| format!("{at}{pointer}: {said:?} is not within ±{max} degrees"))
}
