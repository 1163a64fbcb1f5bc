//! Work orders: where somebody is expected to work, from when to when. One as JSON, or many as CSV.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::fault::{Fault, ask, query};
use super::silences::{EndBody, ListQuery, said};
use super::{Context, NoQuery};
use crate::dispatch::WORK_ORDERS_MAX;
use crate::nouns::{WorkAsk, WorkOrder, WorkPlan};
use crate::pipeline::run::Ask;
use crate::telemetry::{now_ms, time_ms, time_text};

/// Longest work.
const LASTS_MAX_MS: i64 = 366 * 86_400_000;
/// Longest name of an order.
const ID_BYTES_MAX: usize = 128;
/// Longest table: as many orders as may be on, of some hundred bytes each.
pub(super) const TABLE_BYTES_MAX: usize = 4 << 20;

/// An order as it comes in. Times are RFC 3339.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkBody {
    id: String,
    lon: f64,
    lat: f64,
    from: String,
    until: String,
    who: String,
    reason: String,
}

#[derive(Serialize)]
struct WorkOut<'a> {
    no: u64,
    id: &'a str,
    point: [f64; 2],
    from: String,
    until: String,
    who: &'a str,
    reason: &'a str,
    entered: String,
    on: bool,
    ended: Option<String>,
    ended_by: Option<&'a str>,
    /// Alerts that had no ticket because of it.
    withheld: u64,
}

impl<'a> From<&'a WorkOrder> for WorkOut<'a> {
    fn from(order: &'a WorkOrder) -> Self {
        let WorkPlan { id, point: (lon, lat), from_ms, until_ms, who, reason } = &order.plan;
        WorkOut {
            no: order.no,
            id,
            point: [*lon, *lat],
            from: time_text(*from_ms),
            until: time_text(*until_ms),
            who,
            reason,
            entered: time_text(order.entered_ms),
            on: order.ended.is_none() && (*from_ms..*until_ms).contains(&now_ms()),
            ended: order.ended.as_ref().map(|(_, at_ms)| time_text(*at_ms)),
            ended_by: order.ended.as_ref().map(|(who, _)| &**who),
            withheld: order.n_withheld,
        }
    }
}

impl WorkBody {
    /// The plan, or what is wrong with it.
    fn plan(&self, now_ms: i64) -> Result<WorkPlan, String> {
        let time = |key: &str, text: &str| time_ms(text).ok_or_else(|| format!("{key} {text:?} is no RFC 3339 time"));
        let (from_ms, until_ms) = (time("from", &self.from)?, time("until", &self.until)?);
        let id = said("id", &self.id)?;
        if id.len() > ID_BYTES_MAX {
            return Err(format!("id is longer than {ID_BYTES_MAX} bytes"));
        }
        if outpost_fences::Point::new(self.lon, self.lat).is_none() {
            return Err(format!("lon {}, lat {} is no place on earth", self.lon, self.lat));
        }
        if until_ms <= from_ms || until_ms - from_ms > LASTS_MAX_MS {
            return Err("until is at most 366 days after from: work ends".into());
        }
        if until_ms <= now_ms {
            return Err(format!("until {:?} is over already", self.until));
        }
        let (who, reason) = (said("who", &self.who)?, said("reason", &self.reason)?);
        Ok(WorkPlan { id, point: (self.lon, self.lat), from_ms, until_ms, who, reason })
    }
}

/// The plans of a table (RFC 4180) whose columns the first line names, in any order: all of them, or the first fault with its
/// line.
fn plans(table: &[u8], now_ms: i64) -> Result<Vec<WorkPlan>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(table);
    let head = reader.headers().map_err(|error| error.to_string())?.clone();
    let (mut row, mut plans, mut ids) = (csv::StringRecord::new(), Vec::new(), HashSet::new());
    while reader.read_record(&mut row).map_err(|error| error.to_string())? {
        let line = row.position().map_or(0, csv::Position::line);
        let body: WorkBody = row.deserialize(Some(&head)).map_err(|error| error.to_string())?;
        let plan = body.plan(now_ms).map_err(|fault| format!("line {line}: {fault}"))?;
        if !ids.insert(plan.id.clone()) {
            return Err(format!("line {line}: id {:?} was there before", plan.id));
        }
        if plans.len() == WORK_ORDERS_MAX {
            return Err(format!("line {line}: more than {WORK_ORDERS_MAX} orders"));
        }
        plans.push(plan);
    }
    if plans.is_empty() { Err("the table has no row but the first line".into()) } else { Ok(plans) }
}

pub(super) async fn list(
    State(context): State<Context>,
    asked: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    let Query(asked) = asked?;
    let (is_all, limit) = (asked.is_all()?, asked.limit()?);
    let orders = query(move || context.reader.works(is_all, limit)).await?;
    Ok(Json(serde_json::json!({ "work_orders": orders.iter().map(WorkOut::from).collect::<Vec<_>>() })))
}

pub(super) async fn enter(
    State(context): State<Context>,
    asked: Result<Query<NoQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    asked?;
    let body = body.map_err(|rejection| Fault::new(rejection.status(), rejection.body_text()))?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let plans = match kind.split(';').next().unwrap_or_default().trim() {
        "text/csv" => plans(&body, now_ms()).map_err(Fault::bad_request)?,
        _ => {
            let Json(body) = Json::<WorkBody>::from_bytes(&body)?;
            vec![body.plan(now_ms()).map_err(Fault::bad_request)?]
        }
    };
    command(&context, WorkAsk::Enter(plans)).await
}

pub(super) async fn end(
    State(context): State<Context>,
    id: Result<Path<Arc<str>>, PathRejection>,
    asked: Result<Query<NoQuery>, QueryRejection>,
    body: Result<Json<EndBody>, JsonRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    asked?;
    let (Path(id), Json(body)) = (id?, body?);
    command(&context, WorkAsk::End { id, by: said("who", &body.who).map_err(Fault::bad_request)? }).await
}

/// Answers with the orders that changed, once that is on disk.
async fn command(context: &Context, asked: WorkAsk) -> Result<Json<serde_json::Value>, Fault> {
    let (reply, answer) = oneshot::channel();
    let changed = ask(&context.asks, Ask::Work(asked, reply), answer).await??;
    Ok(Json(serde_json::json!({ "work_orders": changed.iter().map(WorkOut::from).collect::<Vec<_>>() })))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "id,lon,lat,from,until,who,reason";
    const ROW: &str = "W-1,106.5,29.6,2026-03-02T08:00:00Z,2026-03-02T12:00:00Z,Li,paint";

    #[test]
    fn a_spreadsheets_table_is_read() {
        let table = "\u{feff}reason,id,lon,lat,from,until,who\r\n\
            \"valve, and \"\"gasket\"\"\",W-1,106.5,29.6,2026-03-02T08:00:00+08:00,2026-03-02T12:00:00+08:00,Li\r\n\
            \r\n\
            paint , 7 ,106.5,29.6,2026-03-02T08:00:00Z,2026-03-02T12:00:00Z,Li\r\n";
        let plans = plans(table.as_bytes(), 0).unwrap();
        assert_eq!((&*plans[0].reason, &*plans[1].reason), ("valve, and \"gasket\"", "paint"));
        assert_eq!((&*plans[1].id, plans[0].point), ("7", (106.5, 29.6)));
        assert_eq!(plans[1].from_ms - plans[0].from_ms, 8 * 3_600_000);
    }

    #[test]
    fn a_fault_says_its_line_and_nothing_is_taken() {
        for (table, fault) in [
            (String::new(), "no row"),
            (HEAD.to_owned(), "no row"),
            (format!("{}\n{}", HEAD.replace(",who", ""), ROW.replace(",Li", "")), "missing field `who`"),
            (format!("{HEAD},colour\n{ROW},red"), "unknown field `colour`"),
            (format!("{HEAD}\n{ROW}\n{ROW}"), "line 3: id \"W-1\" was there before"),
            (format!("{HEAD}\n{ROW},more"), "line: 2"),
            (format!("{HEAD}\n{ROW}\n{}", ROW.replace("29.6", "north")), "line: 3"),
            (format!("{HEAD}\n{}", ROW.replace("29.6", "291")), "line 2: lon 106.5, lat 291 is no place on earth"),
            (format!("{HEAD}\n{}", ROW.replace("paint", "")), "line 2: reason is empty"),
        ] {
            let told = plans(table.as_bytes(), 0).unwrap_err();
            assert!(told.contains(fault), "{table:?}: {told}");
        }
        let broken = [HEAD.as_bytes(), b"\nW\xff", &ROW.as_bytes()[1..]].concat();
        assert!(plans(&broken, 0).unwrap_err().contains("UTF-8"));
    }
}
