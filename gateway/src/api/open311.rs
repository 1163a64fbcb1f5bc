//! Open311 GeoReport v2 (<https://wiki.open311.org/GeoReport_v2>) under `/open311/v2`: services, and requests to post and read, in XML
//! and JSON. What people say of themselves (name, phone, mail, device) is not kept. Only what came by Open311 is shown.
//!
//! - [`answers`]: services, requests and errors in both forms

mod answers;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;
use url::form_urlencoded;

use self::answers::{Form, Problem, RequestOut};
use super::fault::{ask, query};
use super::rate::Rates;
use super::{Context, once, same};
use crate::config;
use crate::nouns::{Place, Report, Ticket};
use crate::pipeline::run::Ask;
use crate::store::JournalRow;
use crate::telemetry::{now_ms, time_ms};

/// Longest description (GeoReport v2) and address.
const DESCRIPTION_CHARS_MAX: usize = 4_000;
const ADDRESS_CHARS_MAX: usize = 200;
const URL_CHARS_MAX: usize = 500;
/// GeoReport v2: a query covers 90 days and has a thousand requests at the most.
const SPAN_MS: i64 = 90 * 86_400_000;
const REQUESTS_MAX: u32 = 1_000;
/// Requests that one query names.
const NAMED_MAX: usize = 50;
/// What the sources of tickets that came so begin with.
const SENDER: &str = "open311:";

/// The configuration with its keys read.
pub struct Desk311 {
    settings: config::Open311,
    keys: Vec<String>,
    rates: Rates,
}

impl Desk311 {
    pub fn new(settings: &config::Open311) -> Result<Desk311, config::SecretError> {
        let keys = settings.keys.iter().map(|key| key.token.read()).collect::<Result<Vec<_>, _>>()?;
        let rates = Rates::new(keys.len(), settings.per_minute);
        Ok(Desk311 { settings: settings.clone(), keys, rates })
    }

    /// The key's place; looked up in the same time whichever it is.
    fn key(&self, said: &str) -> Option<usize> {
        self.keys.iter().enumerate().fold(
            None,
            |found, (i, key)| {
                if same(said.as_bytes(), key.as_bytes()) { Some(i) } else { found }
            },
        )
    }

    fn service(&self, code: &str) -> Option<&config::Service> {
        self.settings.services.iter().find(|service| service.code == code)
    }

    fn service_of(&self, category: &str) -> Option<&config::Service> {
        self.settings.services.iter().find(|service| service.category == category)
    }
}

/// What a query or a posted form says; of a name that comes twice the first.
struct Words(Vec<(String, String)>);

impl Words {
    fn of(text: &[u8]) -> Words {
        Words(form_urlencoded::parse(text).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    }
}

/// The answer in the form that the path asks for.
pub(super) async fn get(
    State(context): State<Context>,
    Path(path): Path<String>,
    RawQuery(asked): RawQuery,
) -> Response {
    let (path, form) = Form::of(&path);
    let answer = read(&context, path, &Words::of(asked.unwrap_or_default().as_bytes()), form).await;
    answer.unwrap_or_else(|problem| problem.answer(form))
}

pub(super) async fn post(
    State(context): State<Context>,
    Path(path): Path<String>,
    RawQuery(asked): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (path, form) = Form::of(&path);
    let answer = match (path, body) {
        ("requests", Ok(body)) => {
            let mut words = Words::of(&body);
            words.0.extend(Words::of(asked.unwrap_or_default().as_bytes()).0);
            take(&context, &words, &headers, form).await
        }
        ("requests", Err(rejection)) => Err(Problem::new(rejection.status(), rejection.body_text())),
        _ => Err(Problem::not_found("there is no such resource")),
    };
    answer.unwrap_or_else(|problem| problem.answer(form))
}

async fn read(context: &Context, path: &str, words: &Words, form: Form) -> Result<Response, Problem> {
    let desk = desk(context, words)?;
    if path == "services" {
        return Ok(form.services(&desk.settings.services));
    }
    if let Some(code) = path.strip_prefix("services/") {
        // No service has attributes of its own.
        return Err(Problem::not_found(format!("service {code:?} has no definition")));
    }
    let id = path.strip_prefix("requests/");
    if id.is_none() && path != "requests" {
        return Err(Problem::not_found("there is no such resource"));
    }
    if !desk.settings.public && desk.key(words.get("api_key").unwrap_or_default()).is_none() {
        return Err(Problem::new(StatusCode::FORBIDDEN, "api_key is missing or wrong"));
    }
    let found = match id {
        Some(id) => {
            let found = named(context, vec![number(id)?]).await?;
            if found.is_empty() {
                return Err(Problem::not_found(format!("there is no request {id:?}")));
            }
            found
        }
        None => matching(context, desk, words).await?,
    };
    let requests: Vec<RequestOut> = found
        .iter()
        .map(|(ticket, at_ms)| RequestOut::new(ticket, desk.service_of(&ticket.category), *at_ms))
        .collect();
    Ok(form.requests(&requests))
}

async fn take(context: &Context, words: &Words, headers: &HeaderMap, form: Form) -> Result<Response, Problem> {
    let desk = desk(context, words)?;
    let key = desk.key(words.get("api_key").unwrap_or_default());
    let key = key.ok_or_else(|| Problem::new(StatusCode::FORBIDDEN, "api_key is missing or wrong"))?;
    desk.rates.take(key, now_ms()).map_err(Problem::too_many)?;
    let sender = format!("{SENDER}{}", desk.settings.keys[key].id);
    let report = report(desk, key, words, headers);
    let report = report.inspect_err(|_| context.metrics.reports_taken(&sender, 0, 1))?;
    let (reply, answer) = oneshot::channel();
    let taken =
        ask(&context.asks, Ask::Reports(vec![report], reply), answer).await?.map_err(super::fault::Fault::from)?;
    context.metrics.reports_taken(&sender, 1, 0);
    let taken = taken.first().ok_or_else(|| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "nothing was taken"))?;
    Ok(form.taken(taken.ticket, taken.is_new))
}

fn desk<'a>(context: &'a Context, words: &Words) -> Result<&'a Desk311, Problem> {
    let desk = context.open311.as_deref().ok_or_else(|| Problem::not_found("Open311 is not served here"))?;
    match (words.get("jurisdiction_id"), &desk.settings.jurisdiction) {
        (Some(said), Some(ours)) if said != ours => Err(Problem::not_found("jurisdiction_id is none of ours")),
        _ => Ok(desk),
    }
}

fn report(desk: &Desk311, key: usize, words: &Words, headers: &HeaderMap) -> Result<Report, Problem> {
    let code = words.get("service_code").ok_or_else(|| Problem::bad("service_code is missing"))?;
    let service = desk.service(code).ok_or_else(|| Problem::bad(format!("there is no service_code {code:?}")))?;
    let bounded = |name: &str, chars_max: usize| match words.get(name) {
        Some(said) if said.chars().count() > chars_max => {
            Err(Problem::bad(format!("{name} is longer than {chars_max} characters")))
        }
        said => Ok(said),
    };
    let degrees = |name: &str, max: f64| match words.get(name) {
        None => Ok(None),
        Some(said) => {
            let found = said.parse::<f64>().ok().filter(|degrees| degrees.abs() <= max);
            found.map(Some).ok_or_else(|| Problem::bad(format!("{name} {said:?} is not within ±{max} degrees")))
        }
    };
    let address = bounded("address_string", ADDRESS_CHARS_MAX)?;
    let point = match (degrees("long", 180.0)?, degrees("lat", 90.0)?) {
        (Some(lon), Some(lat)) => Some((lon, lat)),
        (None, None) => None,
        _ => return Err(Problem::bad("lat and long come together")),
    };
    if point.is_none() && address.is_none() {
        return Err(Problem::bad("lat and long, or address_string, say where it is"));
    }
    let mut text = bounded("description", DESCRIPTION_CHARS_MAX)?.unwrap_or_default().to_owned();
    if let Some(url) = bounded("media_url", URL_CHARS_MAX)? {
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(Problem::bad("media_url begins with http:// or https://"));
        }
        text.push_str(&format!("\n{url}"));
    }
    Ok(Report {
        sender: format!("{SENDER}{}", desk.settings.keys[key].id).into(),
        key: idempotency(words, headers)?,
        title: service.name.as_str().into(),
        text,
        category: service.category.as_str().into(),
        severity: service.severity,
        place: Place { name: address.map(Into::into), point, ..Place::default() },
    })
}

/// What the sender calls it, or what it says of the matter: the same words on the same day are the same request.
fn idempotency(words: &Words, headers: &HeaderMap) -> Result<Arc<str>, Problem> {
    if let Some(said) = once::key(headers)? {
        return Ok(said.into());
    }
    let mut text = String::new();
    for name in ["service_code", "lat", "long", "address_string", "address_id", "description", "media_url"] {
        text.push_str(words.get(name).unwrap_or_default());
        text.push('\0');
    }
    let day = now_ms().div_euclid(86_400_000);
    Ok(format!("{day}:{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes())).into())
}

fn number(id: &str) -> Result<u64, Problem> {
    let digits = id.strip_prefix("T-").unwrap_or(id);
    digits.parse().map_err(|_| Problem::not_found(format!("there is no request {id:?}")))
}

/// Requests with when they last changed; those that did not come by Open311, or are private, are none.
async fn named(context: &Context, numbers: Vec<u64>) -> Result<Vec<(Ticket, i64)>, Problem> {
    let reader = context.reader.clone();
    let found = query(move || numbers.into_iter().map(|no| reader.ticket(no)).collect::<Result<Vec<_>, _>>()).await?;
    let changed_ms = |journal: &[JournalRow]| journal.last().map_or(0, |entry| entry.at_ms);
    let found =
        found.into_iter().flatten().filter(|(ticket, _)| ticket.source.starts_with(SENDER) && !ticket.is_private);
    Ok(found.map(|(ticket, journal)| (ticket, changed_ms(&journal))).collect())
}

async fn matching(context: &Context, desk: &Desk311, words: &Words) -> Result<Vec<(Ticket, i64)>, Problem> {
    if let Some(ids) = words.get("service_request_id") {
        let numbers = ids.split(',').map(|id| number(id.trim())).collect::<Result<Vec<_>, _>>()?;
        if numbers.len() > NAMED_MAX {
            return Err(Problem::bad(format!("a query names at most {NAMED_MAX} requests")));
        }
        return named(context, numbers).await;
    }
    let time = |name: &str| match words.get(name) {
        None => Ok(None),
        Some(said) => match time_ms(said) {
            Some(at_ms) => Ok(Some(at_ms)),
            None => Err(Problem::bad(format!("{name} {said:?} is no time such as 2026-01-02T03:04:05Z"))),
        },
    };
    let to_ms = time("end_date")?.unwrap_or(i64::MAX);
    let from_ms = time("start_date")?.unwrap_or_else(|| to_ms.min(now_ms()) - SPAN_MS);
    let codes: Option<Vec<&str>> = words.get("service_code").map(|codes| codes.split(',').map(str::trim).collect());
    let statuses: Option<Vec<&str>> = words.get("status").map(|said| said.split(',').map(str::trim).collect());
    if let Some(odd) = statuses.iter().flatten().find(|status| !matches!(**status, "open" | "closed")) {
        return Err(Problem::bad(format!("status {odd:?} is neither \"open\" nor \"closed\"")));
    }
    let reader = context.reader.clone();
    let numbers = query(move || reader.reports(SENDER, from_ms, to_ms, REQUESTS_MAX)).await?;
    let mut found = named(context, numbers).await?;
    found.retain(|(ticket, _)| {
        let code = desk.service_of(&ticket.category).map(|service| service.code.as_str()).unwrap_or_default();
        codes.as_ref().is_none_or(|codes| codes.contains(&code))
            && statuses.as_ref().is_none_or(|statuses| statuses.contains(&answers::status(ticket)))
    });
    Ok(found)
}

impl Problem {
    fn too_many(wait_s: u64) -> Problem {
        let text = format!("this key has posted too often, try again in {wait_s} s");
        Problem { retry_after_s: Some(wait_s), ..Problem::new(StatusCode::TOO_MANY_REQUESTS, text) }
    }

    fn answer(self, form: Form) -> Response {
        let wait_s = self.retry_after_s;
        let mut response = form.problem(&self).into_response();
        if let Some(wait) = wait_s.and_then(|wait_s| wait_s.to_string().parse().ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        response
    }
}
