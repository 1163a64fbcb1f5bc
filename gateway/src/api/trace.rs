//! What a sensor said around an alert, as far as the gateway still has it: the latest readings are in memory.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::Context;
use super::alerts::find;
use super::fault::{Fault, ask};
use crate::pipeline::run::Ask;
use crate::telemetry::time_text;

/// How much before the condition began and after the alert was opened, in minutes.
const MINUTES: std::ops::RangeInclusive<u32> = 1..=240;
const MINUTES_DEFAULT: u32 = 15;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TraceQuery {
    minutes: Option<u32>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

pub(super) async fn one(
    State(context): State<Context>,
    id: Result<Path<String>, PathRejection>,
    asked: Result<Query<TraceQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    let Query(asked) = asked?;
    let minutes = asked.minutes.unwrap_or(MINUTES_DEFAULT);
    if !MINUTES.contains(&minutes) {
        return Err(Fault::bad_request(format!("minutes is {} to {}", MINUTES.start(), MINUTES.end())));
    }
    let alert = find(&context, id?.0).await?;
    let around_ms = i64::from(minutes) * 60_000;
    let (from_ms, to_ms) =
        (alert.since_at_ms.saturating_sub(around_ms), alert.opened_ms.max(alert.since_at_ms).saturating_add(around_ms));
    let (reply, answer) = oneshot::channel();
    let source = alert.source.as_str().into();
    let trace = ask(&context.asks, Ask::Trace(source, (from_ms, to_ms), reply), answer).await?;
    let series = trace.series.iter().map(|series| {
        json!({
            "metric": series.metric,
            "unit": series.unit,
            "at_ms": series.points.iter().map(|(at_ms, _)| at_ms).collect::<Vec<_>>(),
            "values": series.points.iter().map(|(_, value)| value).collect::<Vec<_>>(),
        })
    });
    Ok(Json(json!({
        "source": alert.source,
        "from": time_text(from_ms),
        "to": time_text(to_ms),
        "since_ms": alert.since_at_ms,
        "opened_ms": alert.opened_ms,
        "kept_from": trace.kept_from_ms.map(time_text),
        "series": series.collect::<Vec<_>>(),
    })))
}
