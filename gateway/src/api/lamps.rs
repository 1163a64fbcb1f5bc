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
#[derive(Serialize)]
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
    let (context, now_ms) = (context.clone(), now_ms());
    let centres = context.centres.clone();
    let place = move |id: &str| -> Option<Arc<str>> {
        match level {
            None => Some(centres.known(id).clone()),
            Some(level) => centres.upwards(id).find(|(_, own)| *own == level).map(|(id, _)| id.clone()),
        }
    };
    let reader = context.reader.clone();
    let counted = query(move || {
        let mut rows: HashMap<Arc<str>, LampRow> = HashMap::new();
        for row in reader.lamps(now_ms, now_ms.saturating_sub(CLOSED_WITHIN_MS), WORST)? {
            // At its own centre, or at the one of the level that is above it.
            if let Some(place) = place(&row.centre) {
                rows.entry(place).or_default().add(row, WORST);
            }
        }
        let nos: Vec<u64> = rows.values().flat_map(|row| &row.worst).map(|(_, no)| *no).collect();
        Ok((rows, reader.lamp_tickets(&nos)?))
    });
    let (rows, tickets) = counted.await?;
    let none = LampRow::default();
    let shown = context.centres.all().filter(|(_, _, own)| level.is_none_or(|level| level == *own));
    let out: Vec<CentreOut> = shown
        .map(|(id, name, level)| {
            let row = rows.get(id).unwrap_or(&none);
            let worst = row.worst.iter().filter_map(|(due_ms, no)| {
                let ticket = tickets.get(no)?;
                Some(WorstOut {
                    id: format!("T-{no}"),
                    no: *no,
                    title: &ticket.title,
                    severity: ticket.severity.as_str(),
                    stage: ticket.stage.as_str(),
                    due_ms: *due_ms,
                })
            });
            CentreOut {
                id,
                name,
                level: level.as_str(),
                green: row.n_green,
                yellow: row.n_yellow,
                red: row.n_red,
                standing: row.n_off,
                closed: ClosedOut { in_time: row.n_closed_in_time, late: row.n_closed_late },
                worst: worst.collect(),
            }
        })
        .collect();
    Ok(Json(serde_json::json!({ "now_ms": now_ms, "centres": out })))
}
