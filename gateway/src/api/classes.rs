//! Class cases: list, one with its tickets, journal and what changed since it was closed, and what may be done with it; and
//! the patterns of a category.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use outpost_fences::Point;
use outpost_fences::recurrence::{Count, Reach, Scales};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, oneshot};

use super::fault::{Fault, ask, query};
use super::tickets::TEXT_CHARS_MAX;
use super::{Context, NoQuery};
use crate::config::Span;
use crate::dispatch::patterns::{self, Change, Ground, Happened, Patterns};
use crate::nouns::{ClassAsk, ClassCase, ClassMove, ClassStage, CountedTicket};
use crate::pipeline::run::Ask;
use crate::telemetry::{now_ms, time_text};

/// Tickets that patterns are looked for in; of more, the newest.
const HAPPENED_MAX: u32 = 5_000;
/// Patterns that are looked for at a time; further ones are asked to come again.
const FIND_MAX: usize = 1;
const WITHIN_DEFAULT: Span = Span::from_ms(90 * 86_400_000);

/// Places for those who look for patterns.
#[derive(Clone)]
pub(super) struct Finders(Arc<Semaphore>);

impl Finders {
    pub(super) fn new() -> Finders {
        Finders(Arc::new(Semaphore::new(FIND_MAX)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `open`, the default, leaves those out that were closed or withdrawn.
    state: Option<String>,
    limit: Option<u32>,
    /// Number of the last case of the page before.
    before: Option<u64>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatternsQuery {
    category: String,
    /// How far back from now.
    within: Option<String>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MoveBody {
    who: String,
    #[serde(default)]
    note: String,
}

#[derive(Serialize)]
struct CaseOut<'a> {
    id: String,
    no: u64,
    category: &'a str,
    grid: Option<&'a str>,
    place: Option<&'a str>,
    /// Longitude and latitude.
    point: Option<[f64; 2]>,
    stage: &'static str,
    open: bool,
    opened: String,
    ended: Option<String>,
    tickets: u64,
    revision: u64,
    moves: Vec<&'static str>,
}

impl<'a> From<&'a ClassCase> for CaseOut<'a> {
    fn from(case: &'a ClassCase) -> Self {
        let moves = [ClassMove::Confirm, ClassMove::Close];
        CaseOut {
            id: format!("C-{}", case.no),
            no: case.no,
            category: &case.category,
            grid: case.grid.as_deref(),
            place: case.place.as_deref(),
            point: case.point.map(|(lon, lat)| [lon, lat]),
            stage: case.stage.as_str(),
            open: case.stage.is_open(),
            opened: time_text(case.opened_ms),
            ended: case.ended_ms.map(time_text),
            tickets: case.n_tickets,
            revision: case.n_journal,
            moves: moves.into_iter().filter(|asked| asked.leads(case.stage).is_some()).map(ClassMove::name).collect(),
        }
    }
}

pub(super) async fn list(
    State(context): State<Context>,
    asked: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    let Query(asked) = asked?;
    let is_all = match asked.state.as_deref() {
        None | Some("open") => false,
        Some("all") => true,
        Some(other) => return Err(Fault::bad_request(format!("state {other:?} is neither \"open\" nor \"all\""))),
    };
    let limit = super::limit(asked.limit)?;
    let cases = query(move || context.reader.class_cases(is_all, asked.before, limit)).await?;
    Ok(Json(json!({ "classes": cases.iter().map(CaseOut::from).collect::<Vec<_>>() })))
}

pub(super) async fn one(
    State(context): State<Context>,
    no: Result<Path<u64>, PathRejection>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    asked?;
    let (Path(no), grids, rule) = (no?, context.estate.borrow().grids.clone(), context.classes.clone());
    let reader = context.reader.clone();
    let found = query(move || {
        let Some((case, members, journal)) = reader.class_case(no)? else { return Ok(None) };
        let now_ms = now_ms();
        let change = match (case.stage, case.ended_ms) {
            (ClassStage::Closed, Some(closed_ms)) => {
                let members: Vec<Happened> = members.iter().map(happened).collect();
                let ground = Ground::new(&grids, case.grid.as_deref(), rule.radius_m, &members);
                // As long before as after, and no longer than the rule looks back.
                let span_ms = now_ms.saturating_sub(closed_ms).clamp(0, rule.within.ms());
                let (from_ms, to_ms) = (closed_ms.saturating_sub(span_ms), closed_ms.saturating_add(span_ms));
                let all = reader.happened(&case.category, from_ms, to_ms, HAPPENED_MAX)?;
                let all: Vec<Happened> = all.iter().map(happened).collect();
                Some(ground.change(&all, closed_ms, span_ms))
            }
            _ => None,
        };
        Ok(Some((case, members, journal, change)))
    });
    let (case, members, journal, change) =
        found.await?.ok_or_else(|| Fault::not_found(format!("there is no class case C-{no}")))?;
    let members: Vec<Value> = members
        .iter()
        .map(|ticket| {
            json!({ "id": format!("T-{}", ticket.no), "no": ticket.no, "source": ticket.source,
                    "point": ticket.point.map(|(lon, lat)| [lon, lat]), "opened": time_text(ticket.opened_ms) })
        })
        .collect();
    let journal: Vec<Value> = journal
        .iter()
        .map(|entry| {
            json!({ "no": entry.no, "at": time_text(entry.at_ms), "who": entry.who, "what": entry.what,
                    "note": entry.note })
        })
        .collect();
    Ok(Json(json!({ "class": CaseOut::from(&case), "tickets": members, "journal": journal,
                    "change": change.as_ref().map(change_out) })))
}

/// Before and after, over spans of equal length.
fn change_out(change: &Change) -> Value {
    json!({
        "days": change.span_ms as f64 / 86_400_000.0,
        "before": change.here.n_before,
        "after": change.here.n_after,
        "reduction": change.here.reduction(),
        "p": change.here.p(),
        "elsewhere": { "before": change.elsewhere.n_before, "after": change.elsewhere.n_after },
    })
}

pub(super) async fn command(
    State(context): State<Context>,
    path: Result<Path<(u64, String)>, PathRejection>,
    asked: Result<Query<NoQuery>, QueryRejection>,
    body: Result<Json<MoveBody>, JsonRejection>,
) -> Result<Json<Value>, Fault> {
    asked?;
    let (Path((no, name)), Json(body)) = (path?, body?);
    let asked = ClassMove::parse(&name)
        .ok_or_else(|| Fault::not_found(format!("a class case has the moves confirm and close, not {name:?}")))?;
    let (who, note) = (body.who.trim(), body.note.trim());
    if who.is_empty() {
        return Err(Fault::bad_request("who is empty"));
    }
    if [who, note].iter().any(|text| text.chars().count() > TEXT_CHARS_MAX) {
        return Err(Fault::bad_request(format!("who and note have at most {TEXT_CHARS_MAX} characters")));
    }
    let (reply, answer) = oneshot::channel();
    let asked = ClassAsk { no, who: who.into(), asked, note: note.into() };
    let case = ask(&context.asks, Ask::Class(asked, reply), answer).await??;
    Ok(Json(json!({ "class": CaseOut::from(&case) })))
}

/// The Knox test at several scales, the near-repeat table with its patrol, and clusters.
pub(super) async fn patterns(
    State(context): State<Context>,
    Extension(Finders(finders)): Extension<Finders>,
    asked: Result<Query<PatternsQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    let Query(asked) = asked?;
    let within = match &asked.within {
        None => WITHIN_DEFAULT,
        Some(text) => Span::parse(text)
            .filter(|span| span.ms() > 0)
            .ok_or_else(|| Fault::bad_request(format!("within {text:?} is no span as \"30d\"")))?,
    };
    let place = finders.try_acquire_owned();
    let _place = place.map_err(|_| Fault::unavailable("patterns are being looked for already: ask again soon"))?;
    let (rule, reader, now_ms) = (context.classes.clone(), context.reader.clone(), now_ms());
    let (from_ms, category) = (now_ms.saturating_sub(within.ms()), asked.category);
    let found = query(move || {
        let rows = reader.happened(&category, from_ms, now_ms.saturating_add(1), HAPPENED_MAX)?;
        let all: Vec<Happened> = rows.iter().map(happened).collect();
        let scales =
            Scales { metres: rule.distances_m.clone(), spans_ms: rule.spans.iter().map(|span| span.ms()).collect() };
        let reach = Reach { metres: rule.radius_m, ms: rule.within.ms() };
        Ok((all.len(), category, patterns::find(&all, &scales, reach, rule.n)))
    });
    let (n, category, found) = found.await?;
    let found =
        found.map_err(|unanswered| Fault::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, unanswered.to_string()))?;
    Ok(Json(json!({
        "category": category, "from": time_text(from_ms), "to": time_text(now_ms), "tickets": n,
        "only_the_newest": n == HAPPENED_MAX as usize, "patterns": patterns_out(&found),
    })))
}

fn patterns_out(found: &Patterns) -> Value {
    let days = |ms: i64| ms as f64 / 86_400_000.0;
    let cells = |rows: &[Vec<Count>]| -> Vec<Value> {
        let cell = |i: usize, j: usize, count: &Count| {
            json!({ "metres": found.table.scales.metres[i], "days": days(found.table.scales.spans_ms[j]),
                    "pairs": count.n, "expected": count.expected, "ratio": count.ratio(), "p": count.p,
                    "significant": count.is_more_than_chance() })
        };
        let row = |(i, row): (usize, &Vec<Count>)| -> Vec<Value> {
            row.iter().enumerate().map(|(j, count)| cell(i, j, count)).collect()
        };
        rows.iter().enumerate().flat_map(row).collect()
    };
    let clusters = found.clusters.iter().map(|cluster| {
        json!({ "tickets": cluster.tickets, "middle": [cluster.middle.0, cluster.middle.1],
                "first": time_text(cluster.first_ms), "last": time_text(cluster.last_ms) })
    });
    json!({
        "placed": found.n,
        "knox": cells(&found.table.within),
        "near_repeats": cells(&found.table.bands),
        "patrol": found.patrol.map(|patrol| json!({ "radius_m": patrol.radius_m, "days": days(patrol.for_ms) })),
        "clusters": clusters.collect::<Vec<_>>(),
    })
}

fn happened(ticket: &CountedTicket) -> Happened {
    Happened {
        ticket: ticket.no,
        source: ticket.source.clone(),
        point: ticket.point.and_then(|(lon, lat)| Point::new(lon, lat)),
        at_ms: ticket.opened_ms,
    }
}
