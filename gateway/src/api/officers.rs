//! Officers: who is on duty and where, whom to send to a ticket, who goes where when many wait, and how much of each grid was
//! patrolled. Who asks where officers are is written down before it is told.

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use outpost_fences::Point;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::evidence::{Looker, Peer};
use super::fault::{Fault, ask, query};
use super::tickets::TEXT_CHARS_MAX;
use super::{Context, NoQuery};
use crate::dispatch::patrol::Patrol;
use crate::dispatch::suggest::{By, Choice, PassedOver, Suggestion};
use crate::nouns::{Command, Field, Move, Refusal, Said, Ticket};
use crate::pipeline::run::Ask;
use crate::telemetry::{now_ms, time_ms, time_text};

/// Suggestions for one ticket.
const SUGGESTED_MAX: usize = 20;

/// Pairs that one request confirms.
const PAIRS_MAX: usize = 100;

/// Sizes of the cells by which patrols are counted, in metres.
const CELL_M: std::ops::RangeInclusive<f64> = 5.0..=5_000.0;
const CELL_M_DEFAULT: f64 = 100.0;

/// Longest period of patrols.
const PERIOD_MS_MAX: i64 = 366 * 86_400_000;
const PERIOD_MS_DEFAULT: i64 = 86_400_000;

/// Without positions that are older than they are kept.
async fn field(context: &Context) -> Result<Field, Fault> {
    let (reply, answer) = oneshot::channel();
    let mut field = ask(&context.asks, Ask::Field(reply), answer).await?;
    let oldest_ms = now_ms().saturating_sub(context.roster.limits.positions_keep.ms());
    field.fixes.retain(|_, fix| fix.at_ms >= oldest_ms);
    Ok(field)
}

/// Writes down that somebody learns where officers are.
async fn note(context: &Context, of: String, what: &'static str, Looker(doer): Looker) -> Result<(), Fault> {
    let archive = context.archive.clone();
    query(move || archive.noted(&of, what, &doer, now_ms())).await
}

/// Work that takes longer than sockets may wait for, away from their threads.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Fault::unavailable("the work was given up"))
}

/// All who can be sent; positions only of those on duty.
pub(super) async fn list(State(context): State<Context>, looker: Looker) -> Result<Json<Value>, Fault> {
    note(&context, "officers".into(), "positions", looker).await?;
    let (field, now_ms) = (field(&context).await?, now_ms());
    let officers = context.roster.all().into_iter().map(|officer| {
        let is_on_duty = officer.is_on_duty(now_ms);
        let fix = field.fixes.get(&officer.id).filter(|_| is_on_duty);
        json!({
            "id": officer.id,
            "name": officer.name,
            "unit": officer.unit,
            "centre": officer.centre,
            "on_duty": is_on_duty,
            "tickets": field.at_hand.get(&officer.id).copied().unwrap_or_default(),
            "position": fix.map(|fix| json!({
                "lon": fix.lon,
                "lat": fix.lat,
                "accuracy_m": fix.accuracy_m,
                "at": time_text(fix.at_ms),
                "age_ms": now_ms.saturating_sub(fix.at_ms).max(0),
            })),
        })
    });
    Ok(Json(json!({ "now_ms": now_ms, "officers": officers.collect::<Vec<_>>() })))
}

#[derive(Serialize)]
struct SuggestionOut {
    officer: Arc<str>,
    name: Arc<str>,
    unit: Arc<str>,
    centre: Arc<str>,
    /// Null where the way is not known.
    minutes: Option<f64>,
    metres: Option<f64>,
    /// `road` or `straight`.
    by: Option<&'static str>,
    position_age_ms: Option<i64>,
    tickets: usize,
    owner: bool,
    /// What the order goes by.
    cost_minutes: f64,
    why: String,
}

impl From<Suggestion> for SuggestionOut {
    fn from(one: Suggestion) -> Self {
        let minutes = |ms: i64| (ms as f64 / 6_000.0).round() / 10.0;
        SuggestionOut {
            why: one.why(),
            minutes: one.travel.map(|travel| minutes(travel.ms)),
            metres: one.travel.map(|travel| travel.metres.round()),
            by: one.travel.map(|travel| if travel.by == By::Road { "road" } else { "straight" }),
            position_age_ms: one.age_ms,
            tickets: one.n_at_hand,
            owner: one.is_owner,
            cost_minutes: minutes(one.cost_ms),
            officer: one.officer,
            name: one.name,
            unit: one.unit,
            centre: one.centre,
        }
    }
}

/// Who can be sent to a ticket, the best first.
pub(super) async fn suggestions(
    State(context): State<Context>,
    no: Result<Path<u64>, PathRejection>,
    looker: Looker,
) -> Result<Json<Value>, Fault> {
    let Path(no) = no?;
    let reader = context.reader.clone();
    let (ticket, _) = query(move || reader.ticket(no)).await?.ok_or(Refusal::NoSuchTicket(no))?;
    note(&context, format!("T-{no}"), "suggestions", looker).await?;
    let (field, now_ms) = (field(&context).await?, now_ms());
    let (mut ranked, passed) = apart(move || context.choice(&field, now_ms).rank(&ticket)).await?;
    let n_more = ranked.len().saturating_sub(SUGGESTED_MAX);
    ranked.truncate(SUGGESTED_MAX);
    let PassedOver { off_duty, no_skill, elsewhere, no_room } = passed;
    let suggestions: Vec<SuggestionOut> = ranked.into_iter().map(SuggestionOut::from).collect();
    Ok(Json(json!({
        "now_ms": now_ms,
        "suggestions": suggestions,
        "more": n_more,
        "passed_over": { "off_duty": off_duty, "no_skill": no_skill, "elsewhere": elsewhere, "no_room": no_room },
    })))
}

impl Context {
    fn choice<'a>(&'a self, field: &'a Field, now_ms: i64) -> Choice<'a> {
        Choice { roster: &self.roster, centres: &self.centres, roads: self.roads.as_deref(), field, now_ms }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanBody {
    /// Only tickets of this centre and those beneath it.
    centre: Option<String>,
}

/// Who goes where of the tickets that wait: a proposal.
pub(super) async fn plan(
    State(context): State<Context>,
    looker: Looker,
    body: Result<Json<PlanBody>, JsonRejection>,
) -> Result<Json<Value>, Fault> {
    let Json(PlanBody { centre }) = body?;
    if let Some(centre) = centre.as_ref().filter(|centre| context.centres.level(centre).is_none()) {
        return Err(Fault::not_found(format!("there is no centre {centre:?}")));
    }
    note(&context, centre.clone().unwrap_or_else(|| "officers".into()), "plan", looker).await?;
    let (mut field, now_ms) = (field(&context).await?, now_ms());
    let planned = apart(move || {
        let mut waiting = std::mem::take(&mut field.waiting);
        if let Some(centre) = &centre {
            waiting.retain(|ticket| context.centres.upwards(&ticket.centre).any(|(id, _)| **id == **centre));
        }
        (context.choice(&field, now_ms).plan(&waiting), field.n_more)
    });
    let (plan, n_more) = planned.await?;
    let id =
        |ticket: &Ticket| json!({ "ticket": ticket.no, "title": ticket.title, "severity": ticket.severity.as_str() });
    let pairs = plan.pairs.into_iter().map(|(ticket, one)| {
        let mut pair = id(&ticket);
        pair["suggestion"] = json!(SuggestionOut::from(one));
        pair
    });
    Ok(Json(json!({
        "now_ms": now_ms,
        "pairs": pairs.collect::<Vec<_>>(),
        "unserved": plan.unserved.iter().map(|ticket| id(ticket)).collect::<Vec<_>>(),
        "more": n_more,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmBody {
    who: String,
    pairs: Vec<PairBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PairBody {
    ticket: u64,
    officer: String,
}

/// Dispatches pairs one by one, as if each were commanded alone: what cannot be any more is told and leaves the others.
pub(super) async fn confirm(
    State(context): State<Context>,
    asked: Result<Query<NoQuery>, QueryRejection>,
    body: Result<Json<ConfirmBody>, JsonRejection>,
) -> Result<Json<Value>, Fault> {
    asked?;
    let Json(ConfirmBody { who, pairs }) = body?;
    if pairs.len() > PAIRS_MAX {
        return Err(Fault::bad_request(format!("at most {PAIRS_MAX} pairs are confirmed at once")));
    }
    let texts = std::iter::once(&who).chain(pairs.iter().map(|pair| &pair.officer));
    if texts.into_iter().any(|text| text.trim().is_empty() || text.chars().count() > TEXT_CHARS_MAX) {
        return Err(Fault::bad_request(format!("who and officers are 1 to {TEXT_CHARS_MAX} characters")));
    }
    let who: Arc<str> = who.trim().into();
    let mut results = Vec::new();
    for PairBody { ticket, officer } in pairs {
        let said = Said { officer: Some(officer.trim().into()), ..Said::default() };
        let command = Command { ticket, who: who.clone(), asked: Move::Dispatch, said };
        let (reply, answer) = oneshot::channel();
        let refused = ask(&context.asks, Ask::Command(command, reply), answer).await?.err();
        let refused = refused.map(|refusal| refusal.to_string());
        results
            .push(json!({ "ticket": ticket, "officer": officer, "dispatched": refused.is_none(), "refused": refused }));
    }
    Ok(Json(json!({ "results": results })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatrolsQuery {
    /// RFC 3339; the last day where absent.
    from: Option<String>,
    to: Option<String>,
    /// Metres.
    cell: Option<f64>,
    officer: Option<String>,
    /// Who asks for one officer's, and why.
    who: Option<String>,
    reason: Option<String>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

fn time(key: &str, said: Option<String>) -> Result<Option<i64>, Fault> {
    let wrong = |text: &str| Fault::bad_request(format!("{key} {text:?} is no RFC 3339 time"));
    said.map(|text| time_ms(&text).ok_or_else(|| wrong(&text))).transpose()
}

/// How much of each grid was visited, by all officers or by one.
pub(super) async fn patrols(
    State(context): State<Context>,
    asked: Result<Query<PatrolsQuery>, QueryRejection>,
    headers: HeaderMap,
    peer: Option<Extension<ConnectInfo<Peer>>>,
) -> Result<Json<Value>, Fault> {
    let Query(asked) = asked?;
    if let Some(officer) = &asked.officer {
        let looker = Looker::new((asked.who, asked.reason), &headers, peer.as_deref())?;
        note(&context, officer.clone(), "patrols", looker).await?;
    }
    let cell_m = asked.cell.unwrap_or(CELL_M_DEFAULT);
    if !CELL_M.contains(&cell_m) {
        return Err(Fault::bad_request(format!("cell is {} to {} metres", CELL_M.start(), CELL_M.end())));
    }
    let to_ms = time("to", asked.to)?.unwrap_or_else(now_ms);
    let from_ms = time("from", asked.from)?.unwrap_or(to_ms.saturating_sub(PERIOD_MS_DEFAULT));
    if !(0..=PERIOD_MS_MAX).contains(&to_ms.saturating_sub(from_ms)) {
        return Err(Fault::bad_request("from is before to, by a year at the most"));
    }
    let (ground, reader) = (context.estate.borrow().grids.clone(), context.reader.clone());
    let grids: Vec<_> = ground.iter().filter(|fence| !fence.shape.polygons().is_empty()).cloned().collect();
    let patrols = apart(move || grids.iter().map(|grid| Patrol::new(grid, cell_m)).collect::<Result<Vec<_>, _>>());
    let mut patrols = patrols.await?.map_err(|error| Fault::bad_request(error.to_string()))?;
    let officer = asked.officer;
    let counted = query(move || {
        let mut n_positions = 0u64;
        reader.fixes(officer.as_deref(), (from_ms, to_ms), |_, fix| {
            n_positions += 1;
            if let Some(point) = Point::new(fix.lon, fix.lat) {
                patrols.iter_mut().for_each(|patrol| patrol.visit(point));
            }
        })?;
        Ok((patrols, n_positions))
    });
    let (patrols, n_positions) = counted.await?;
    let grids =
        ground.iter().filter(|fence| !fence.shape.polygons().is_empty()).zip(&patrols).map(|(fence, patrol)| {
            json!({
                "grid": fence.id,
                "name": fence.name,
                "cells": patrol.n_cells(),
                "visited": patrol.n_visited(),
                "share": patrol.share(),
            })
        });
    Ok(Json(json!({
        "from": time_text(from_ms),
        "to": time_text(to_ms),
        "cell_m": cell_m,
        "positions": n_positions,
        "grids": grids.collect::<Vec<_>>(),
    })))
}
