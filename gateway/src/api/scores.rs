//! Scores of centres, units and people in a period, and the tickets behind each count.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Context;
use super::fault::{Fault, query};
use crate::config::{Count, Level};
use crate::dispatch::scores::Period;
use crate::dispatch::scores::sheet::{Row, Sheet, Whose};
use crate::store::STORIES_MAX;
use crate::telemetry::{now_ms, time_ms, time_text};

/// Longest period.
const PERIOD_MS_MAX: i64 = 366 * 86_400_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SheetQuery {
    /// A level of centres, `unit` or `officer`.
    level: String,
    /// A date in the desk's zone, or an RFC 3339 time.
    from: String,
    /// The same; the period ends before it.
    to: String,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TicketsQuery {
    level: String,
    from: String,
    to: String,
    /// The centre, unit or person.
    of: String,
    count: String,
    limit: Option<u32>,
    /// Number of the last ticket of the page before.
    after: Option<u64>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

pub(super) async fn sheet(
    State(context): State<Context>,
    asked: Result<Query<SheetQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    let Query(asked) = asked?;
    let (whose, period) = (whose(&asked.level)?, period(&context, &asked.from, &asked.to)?);
    let sheet = counted(&context, whose, period).await?;
    let scores = &context.scoring.scores;
    let formulas: Vec<Value> = scores
        .iter()
        .map(|score| {
            json!({ "id": score.id, "name": score.name, "english": score.english, "figure": score.figure,
                    "counts": Row::counts(&score.figure, scores) })
        })
        .collect();
    let counts: Vec<Value> = Count::ALL
        .iter()
        .map(|count| json!({ "id": count.as_str(), "name": count.chinese(), "says": count.says() }))
        .collect();
    let row = |of: &str, row: &Row| {
        let figures: Map<String, Value> =
            scores.iter().map(|score| (score.id.clone(), json!(row.figure(&score.figure, scores)))).collect();
        let counts: Map<String, Value> =
            Count::ALL.iter().map(|count| (count.as_str().to_owned(), json!(row.n(*count)))).collect();
        let name = context.centres.all().find(|(id, _, _)| &***id == of).map(|(_, name, _)| &**name);
        json!({ "of": of, "name": name.filter(|_| matches!(whose, Whose::Centres(_))), "figures": figures,
                "counts": counts })
    };
    let rows: Vec<Value> = sheet.rows.iter().map(|(of, counted)| row(of, counted)).collect();
    Ok(Json(json!({ "level": asked.level, "from": time_text(period.from_ms), "to": time_text(period.to_ms),
                    "scores": formulas, "counts": counts, "rows": rows })))
}

/// The tickets behind one count.
pub(super) async fn tickets(
    State(context): State<Context>,
    asked: Result<Query<TicketsQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    let Query(asked) = asked?;
    let (whose, period) = (whose(&asked.level)?, period(&context, &asked.from, &asked.to)?);
    let limit = super::limit(asked.limit)?;
    let count = Count::parse(&asked.count)
        .ok_or_else(|| Fault::bad_request(format!("count {:?} is none of those of /scores", asked.count)))?;
    let sheet = counted(&context, whose, period).await?;
    let of: Arc<str> = asked.of.into();
    let all = sheet.rows.get(&of).map(|row| row.tickets(count)).unwrap_or_default();
    let from = asked.after.map_or(0, |after| all.partition_point(|no| *no <= after));
    let page = &all[from..(from + limit as usize).min(all.len())];
    Ok(Json(json!({ "of": of, "count": count, "n": all.len(), "tickets": page })))
}

async fn counted(context: &Context, whose: Whose, period: Period) -> Result<Sheet, Fault> {
    let (reader, centres) = (context.reader.clone(), context.centres.clone());
    let counted = query(move || {
        let stories = reader.stories(period.from_ms, period.until_ms())?;
        Ok(stories.map(|stories| Sheet::new(whose, &centres, &period, &stories)))
    });
    let too_many = || {
        let detail = format!("more than {STORIES_MAX} tickets count: ask for a shorter period");
        Fault::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    };
    counted.await?.ok_or_else(too_many)
}

fn whose(level: &str) -> Result<Whose, Fault> {
    Whose::parse(level).ok_or_else(|| {
        let levels = Level::ALL.map(Level::as_str).join(", ");
        Fault::bad_request(format!("level {level:?} is none of {levels}, unit, officer"))
    })
}

fn period(context: &Context, from: &str, to: &str) -> Result<Period, Fault> {
    let instant = |key: &str, text: &str| {
        let what = || Fault::bad_request(format!("{key} {text:?} is neither a date nor an RFC 3339 time"));
        context.scoring.begin_of_ms(text).or_else(|| time_ms(text)).ok_or_else(what)
    };
    let (from_ms, to_ms) = (instant("from", from)?, instant("to", to)?);
    if !(1..=PERIOD_MS_MAX).contains(&to_ms.saturating_sub(from_ms)) {
        return Err(Fault::bad_request("a period ends after it begins, and has at most 366 days"));
    }
    Ok(Period { from_ms, to_ms, now_ms: now_ms() })
}
