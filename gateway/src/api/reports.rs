//! Reports from the field: `POST /api/v1/tickets`. What somebody of the district sees becomes a ticket of the same loop once,
//! under the key that their phone gave it.

use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;

use super::fault::{Fault, ask, query};
use super::tickets::{Pictured, TEXT_CHARS_MAX, TicketView};
use super::{Context, NoQuery, once};
use crate::config::Severity;
use crate::nouns::{Place, Refusal, Report, Taken};
use crate::pipeline::run::Ask;

const CATEGORY_CHARS_MAX: usize = 200;
/// Of the words so many are the title.
const TITLE_CHARS: usize = 60;
/// Farther than this nobody can have been off.
const ACCURACY_M_MAX: f64 = 1e6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportBody {
    category: String,
    #[serde(default)]
    words: String,
    place: Option<PlaceBody>,
    /// Moderate where absent: who accepts it judges.
    severity: Option<Severity>,
    by: String,
}

/// WGS-84 degrees, and the radius within which it is, in metres.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceBody {
    lon: f64,
    lat: f64,
    accuracy_m: Option<f64>,
}

pub(super) async fn report(
    State(context): State<Context>,
    asked: Result<Query<NoQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Result<Json<ReportBody>, JsonRejection>,
) -> Result<Response, Fault> {
    asked?;
    let Json(body) = body?;
    let lacking = || Fault::bad_request("a report has an Idempotency-Key: told again, it is the same report");
    let report = body.read(once::key(&headers)?.ok_or_else(lacking)?)?;
    let who: Arc<str> = body.by.trim().into();
    if !context.centres.knows(&who) {
        return Err(Refusal::Unknown(who).into());
    }
    let (reply, answer) = oneshot::channel();
    let taken = ask(&context.asks, Ask::Reports(vec![report], reply), answer).await??;
    let Some(Taken { ticket: no, is_new }) = taken.first().copied() else {
        return Err(Fault::unavailable("the report was not taken"));
    };
    let reader = context.reader.clone();
    let found = query(move || reader.ticket(no)?.map(|(ticket, _)| Pictured::read(&reader, ticket)).transpose());
    let ticket = found.await?.ok_or(Refusal::NoSuchTicket(no))?;
    Ok(once::answered(Json(json!({ "ticket": TicketView::new(&ticket) })), !is_new))
}

impl ReportBody {
    fn read(&self, key: &str) -> Result<Report, Fault> {
        let text = |name: &str, said: &str, max: usize| -> Result<String, Fault> {
            let said = said.trim();
            let fits = said.chars().count() <= max;
            fits.then(|| said.to_owned())
                .ok_or_else(|| Fault::bad_request(format!("{name} is longer than {max} characters")))
        };
        let category = text("category", &self.category, CATEGORY_CHARS_MAX)?;
        let (by, words) = (text("by", &self.by, TEXT_CHARS_MAX)?, text("words", &self.words, TEXT_CHARS_MAX)?);
        for (name, said) in [("category", &category), ("by", &by)] {
            if said.is_empty() || said.contains(['+', '#']) {
                return Err(Fault::bad_request(format!("{name} is empty, or has a + or #")));
            }
        }
        let first = words.lines().next().unwrap_or_default();
        let title = if first.is_empty() { category.clone() } else { first.chars().take(TITLE_CHARS).collect() };
        Ok(Report {
            sender: format!("officer:{by}").into(),
            key: key.into(),
            title: title.into(),
            text: words,
            category: category.into(),
            severity: self.severity.unwrap_or(Severity::Moderate),
            place: self.place.as_ref().map(PlaceBody::read).transpose()?.unwrap_or_default(),
        })
    }
}

impl PlaceBody {
    fn read(&self) -> Result<Place, Fault> {
        let PlaceBody { lon, lat, accuracy_m } = *self;
        for (key, said, max) in [("lon", lon, 180.0), ("lat", lat, 90.0)] {
            if said.is_nan() || said.abs() > max {
                return Err(Fault::bad_request(format!("place.{key} {said} is not within ±{max} degrees")));
            }
        }
        if let Some(metres) = accuracy_m.filter(|metres| !(0.0..=ACCURACY_M_MAX).contains(metres)) {
            let what = format!("place.accuracy_m {metres} is not 0 to {ACCURACY_M_MAX} metres");
            return Err(Fault::bad_request(what));
        }
        Ok(Place { point: Some((lon, lat)), accuracy_m, ..Place::default() })
    }
}
