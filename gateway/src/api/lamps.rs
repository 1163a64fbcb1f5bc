//! The lamp board: how many tickets of each centre are green, yellow and red, and which are the worst.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};

use super::Context;
use super::fault::{Fault, query};
use crate::config::Level;
use crate::nouns::{Lamp, Stage};
use crate::store::LampRow;
use crate::telemetry::now_ms;

/// Tickets that are shown of each centre.
const WORST: usize = 5;

/// Over which time the board counts what was closed.
const CLOSED_WITHIN_MS: i64 = 30 * 86_400_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LampsQuery {
    /// Centres of one level, each with all beneath it; every centre by itself where absent.
    level: Option<String>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

#[derive(Serialize)]
struct CentreOut<'a> {
    id: &'a str,
    name: &'a str,
    level: &'static str,
    green: u64,
    yellow: u64,
    red: u64,
    /// Suspended and parked: no clock runs.
    standing: u64,
    closed: ClosedOut,
    /// Those that are due first, the overdue before all.
    worst: Vec<WorstOut<'a>>,
}

/// What was closed within 30 days.
#[derive(Serialize, Default, Clone, Copy)]
struct ClosedOut {
    in_time: u64,
    late: u64,
}

#[derive(Serialize)]
struct WorstOut<'a> {
    id: String,
    no: u64,
    title: &'a str,
    severity: &'static str,
    stage: &'static str,
    lamp: &'static str,
    due_ms: i64,
}

pub(super) async fn board(
    State(context): State<Context>,
    asked: Result<Query<LampsQuery>, QueryRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    let Query(asked) = asked?;
    let level = match asked.level.as_deref() {
        None => None,
        Some(text) => Some(Level::parse(text).ok_or_else(|| {
            let levels = Level::ALL.map(Level::as_str).join(", ");
            Fault::bad_request(format!("level {text:?} is none of {levels}"))
        })?),
    };
    let (reader, now_ms) = (context.reader.clone(), now_ms());
    let (rows, closed) =
        query(move || Ok((reader.lamps()?, reader.closed_since(now_ms.saturating_sub(CLOSED_WITHIN_MS))?))).await?;
    let centres = &context.centres;
    // Where a ticket is counted: at its own centre, or at the one of the level that is above it.
    let place = |id: &str| -> Option<&Arc<str>> {
        match level {
            None => Some(centres.known(id)),
            Some(level) => centres.upwards(id).find(|(_, own)| *own == level).map(|(id, _)| id),
        }
    };
    let mut of_centre: HashMap<&Arc<str>, Vec<&LampRow>> = HashMap::new();
    for row in &rows {
        if let Some(place) = place(&row.centre) {
            of_centre.entry(place).or_default().push(row);
        }
    }
    let mut closed_at: HashMap<&Arc<str>, ClosedOut> = HashMap::new();
    for row in &closed {
        if let Some(place) = place(&row.centre) {
            let sum = closed_at.entry(place).or_default();
            *sum = ClosedOut { in_time: sum.in_time + row.in_time, late: sum.late + row.late };
        }
    }
    let shown = centres.all().filter(|(_, _, own)| level.is_none_or(|level| level == *own));
    let out: Vec<CentreOut> = shown
        .map(|(id, name, level)| {
            let rows = of_centre.remove(id).unwrap_or_default();
            centre((id, name, level), rows, closed_at.get(id).copied().unwrap_or_default(), now_ms)
        })
        .collect();
    Ok(Json(serde_json::json!({ "now_ms": now_ms, "centres": out })))
}

fn centre<'a>(
    (id, name, level): (&'a Arc<str>, &'a Arc<str>, Level),
    mut rows: Vec<&'a LampRow>,
    closed: ClosedOut,
    now_ms: i64,
) -> CentreOut<'a> {
    let lamp = |row: &LampRow| row.times.map_or(Lamp::Off, |(yellow_ms, due_ms)| Lamp::at(now_ms, yellow_ms, due_ms));
    let count = |wanted: Lamp| rows.iter().filter(|row| lamp(row) == wanted).count() as u64;
    let (green, yellow, red, standing) = (count(Lamp::Green), count(Lamp::Yellow), count(Lamp::Red), count(Lamp::Off));
    let due_ms = |row: &&LampRow| row.times.map(|(_, due_ms)| due_ms);
    rows.retain(|row| row.times.is_some());
    if rows.len() > WORST {
        rows.select_nth_unstable_by_key(WORST, due_ms);
        rows.truncate(WORST);
    }
    rows.sort_by_key(|row| (due_ms(row), row.no));
    let worst = rows.into_iter().filter_map(|row| {
        let (_, due_ms) = row.times?;
        Some(WorstOut {
            id: format!("T-{}", row.no),
            no: row.no,
            title: &row.title,
            severity: row.severity.as_str(),
            stage: Stage::as_str(row.stage),
            lamp: lamp(row).as_str(),
            due_ms,
        })
    });
    CentreOut { id, name, level: level.as_str(), green, yellow, red, standing, closed, worst: worst.collect() }
}
