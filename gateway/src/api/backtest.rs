//! What drafts of rules and fences would have found in the observations of late, beside what those that are there did find.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, oneshot};

use super::Context;
use super::annex::{self, Asked, Change, Tried, Try};
use super::fault::Fault;
use crate::config::Table;
use crate::pipeline::backtest::{Backtest, By, Entry};
use crate::pipeline::record;
use crate::pipeline::recorder::recent;
use crate::telemetry::{now_ms, time_text};

/// Drafts of one attempt.
const DRAFTS_MAX: usize = 16;
/// Tickets that are listed, the latest.
const LISTED_MAX: usize = 500;
/// Longest stretch of time, minutes: a week.
const MINUTES_MAX: u32 = 7 * 24 * 60;
/// An attempt that has not come to the end is told as far as it came.
const TAKES_MAX: Duration = Duration::from_secs(30);
/// Between two looks at the clock.
const LOOK_EVERY: u64 = 1_024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    drafts: Vec<Draft>,
    minutes: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    table: String,
    id: String,
    /// TOML of the element, or GeoJSON of a fence.
    text: Option<String>,
    geojson: Option<Value>,
}

/// One attempt at a time: each reads all that was recorded.
#[derive(Clone)]
pub(super) struct Bench(Arc<Semaphore>);

impl Bench {
    pub(super) fn new() -> Bench {
        Bench(Arc::new(Semaphore::new(1)))
    }
}

pub(super) async fn run(
    State(context): State<Context>,
    axum::Extension(Bench(bench)): axum::Extension<Bench>,
    body: Result<Json<Body>, JsonRejection>,
) -> Result<Json<Value>, Fault> {
    let Json(Body { drafts, minutes }) = body?;
    if !(1..=MINUTES_MAX).contains(&minutes) {
        return Err(Fault::bad_request(format!("minutes must be 1 to {MINUTES_MAX}, is {minutes}")));
    }
    if drafts.len() > DRAFTS_MAX {
        return Err(Fault::bad_request(format!("at most {DRAFTS_MAX} drafts are tried together")));
    }
    let not_kept = "observations of late are not kept: [console] recent = \"64MiB\"";
    let folder = context.recent.clone().ok_or_else(|| Fault::new(StatusCode::CONFLICT, not_kept))?;
    let busy = |_| Fault::new(StatusCode::TOO_MANY_REQUESTS, "somebody else tries something, and it is one at a time");
    let seat = bench.try_acquire_owned().map_err(busy)?;
    let drafts = drafts.into_iter().map(change).collect::<Result<Vec<_>, _>>()?;
    let (reply, answer) = oneshot::channel();
    let tried = annex::answered(&context, Asked::Try(Try { drafts, reply }), answer).await??;
    let since_ms = now_ms() - i64::from(minutes) * 60_000;
    let work = tokio::task::spawn_blocking(move || {
        let _seat = seat;
        replay(&tried, &folder, since_ms)
    });
    let played = work.await.map_err(|_| Fault::unavailable("the attempt was given up"))?;
    Ok(Json(played?))
}

fn change(draft: Draft) -> Result<Change, Fault> {
    let Draft { table, id, text, geojson } = draft;
    let unknown = || Fault::bad_request(format!("there is no table {table:?}"));
    let table = Table::parse(&table).ok_or_else(unknown)?;
    let text = match (text, geojson) {
        (Some(text), None) => text,
        (None, Some(feature)) => annex::fence(table, &id, &feature.to_string())?,
        _ => return Err(Fault::bad_request("a draft has either text or geojson")),
    };
    Ok(Change::Put { table, id, text })
}

fn replay(tried: &Tried, folder: &std::path::Path, since_ms: i64) -> Result<Value, Fault> {
    let Tried { now, then } = tried;
    let backtest = Backtest::new((&then.0, &then.1), Some((&now.0, &now.1)));
    let mut backtest = backtest.map_err(|error| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
    let failed = |cause: std::io::Error| Played::Failed(cause.to_string());
    let (begun, mut n_read, mut n_observations, mut last_ms) = (Instant::now(), 0u64, 0u64, since_ms);
    let played = recent(folder).map_err(failed).and_then(|mut lines| {
        record::for_each(&mut lines, failed, |_, observation| {
            n_read += 1;
            if n_read.is_multiple_of(LOOK_EVERY) && is_late(begun) {
                return Err(Played::Late);
            }
            // What a killed gateway left of a line is nobody's.
            if let Ok(observation) = observation
                && observation.received_ms >= since_ms
            {
                n_observations += 1;
                last_ms = observation.received_ms;
                backtest.observe(&observation);
            }
            Ok(())
        })
    });
    let is_partial = match played {
        Ok(()) => false,
        Err(Played::Late) => true,
        Err(Played::Failed(cause)) => {
            tracing::error!(cause, "observations of late cannot be read");
            return Err(Fault::unavailable("the observations of late cannot be read"));
        }
    };
    let (entries, tallies) = backtest.finish();
    let rules: Vec<Value> = tallies
        .iter()
        .filter(|(_, tally)| tally.old + tally.new > 0)
        .map(|(rule, tally)| json!({ "rule": rule, "now": tally.old, "then": tally.new }))
        .collect();
    let n_left_out = entries.len().saturating_sub(LISTED_MAX);
    Ok(json!({
        "since": time_text(since_ms),
        "until": time_text(last_ms),
        "observations": n_observations,
        "partial": is_partial,
        "rules": rules,
        "tickets": entries.iter().skip(n_left_out).map(ticket).collect::<Vec<_>>(),
        "left_out": n_left_out,
    }))
}

/// Why what was recorded was not played to its end.
enum Played {
    Late,
    Failed(String),
}

fn is_late(begun: Instant) -> bool {
    begun.elapsed() > TAKES_MAX
}

fn ticket(entry: &Entry) -> Value {
    json!({
        "by": match entry.by {
            By::Old => "now",
            By::New => "then",
            By::Both => "both",
        },
        "opened": time_text(entry.opened_ms),
        "rule": entry.rule,
        "source": entry.source,
        "severity": entry.severity.as_str(),
        "why": entry.why,
    })
}
