//! Tables of cameras: all of them, or none and what is wrong with which line.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::super::Context;
use super::super::evidence::Peer;
use super::super::fault::Fault;
use super::{Change, EditQuery, NotEdited, Told, Unless, all, ask};
use crate::config::camera_rows::{self, RowFault};
use crate::config::check::Level;

/// Largest table of cameras.
pub(in crate::api) const TABLE_BYTES_MAX: usize = 4 << 20;

/// A table of new cameras: all of them, or none and what is wrong with which line.
pub(in crate::api) async fn import(
    State(context): State<Context>,
    asked: Result<Query<EditQuery>, QueryRejection>,
    info: Option<axum::Extension<ConnectInfo<Peer>>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Fault> {
    let Query(asked) = asked?;
    let body = body.map_err(|rejection| Fault::new(rejection.status(), rejection.body_text()))?;
    let text = std::str::from_utf8(&body).map_err(|_| Fault::bad_request("the table is not UTF-8"))?;
    let is_trial = asked.dry_run;
    let doer = asked.doer(&headers, info.as_deref())?;
    let (rows, faults) = camera_rows::read(text);
    let ids: Vec<(u64, String)> = rows.iter().map(|row| (row.no, row.id.clone())).collect();
    // What is sound is checked all the same: one answer tells of every line.
    let is_sound = faults.is_empty();
    let outcome = match rows.is_empty() {
        true => Ok(Vec::new()),
        false => ask(&context, Change::Import(rows), Unless::Never, doer, is_trial || !is_sound).await?,
    };
    let told = match outcome {
        Ok(told) => told,
        Err(NotEdited::Problems(told)) => told,
        Err(other) => return Err(other.into()),
    };
    let rows = results(&ids, &faults, &told);
    let n_wrong = rows.iter().filter(|row| row["problems"].as_array().is_some_and(|all| !all.is_empty())).count();
    // What is wrong and of no line.
    let others: Vec<Told> = told.into_iter().filter(|told| told.row.is_none() && is_error(told)).collect();
    if n_wrong > 0 || !others.is_empty() {
        let detail = format!("{n_wrong} of {} lines are wrong; nothing was changed", rows.len());
        let fault = Fault::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
        return Err(fault.with("rows", json!(rows)).with("problems", all(&others)));
    }
    Ok(Json(json!({ "done": !is_trial, "rows": rows })))
}

fn is_error(told: &Told) -> bool {
    told.problem.level == Level::Error
}

/// What became of each line, in their order.
fn results(ids: &[(u64, String)], faults: &[RowFault], told: &[Told]) -> Vec<Value> {
    let mut rows: Vec<(u64, Option<&str>, Vec<Value>)> = Vec::new();
    rows.extend(ids.iter().map(|(no, id)| (*no, Some(id.as_str()), Vec::new())));
    let fault = |fault: &RowFault| json!({ "column": fault.column, "message": fault.message });
    rows.extend(faults.iter().map(|wrong| (wrong.no, None, vec![fault(wrong)])));
    rows.sort_by_key(|(no, _, _)| *no);
    for one in told.iter().filter(|one| is_error(one)) {
        let Some(row) = one.row.and_then(|no| rows.iter_mut().find(|(other, _, _)| *other == no)) else { continue };
        // cameras[3].place: the key is the column, but for the two of a place.
        let key = one.problem.path.split('.').nth(1).unwrap_or_default();
        let column = if key == "place" { "lon" } else { key };
        row.2.push(json!({ "column": column, "message": one.problem.message }));
    }
    rows.into_iter().map(|(no, id, problems)| json!({ "row": no, "id": id, "problems": problems })).collect()
}
