//! Borders over which tickets were handed: where many go one way, the map is wrong there, or its users.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::Context;
use super::fault::{Fault, query};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BordersQuery {
    limit: Option<u32>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

pub(super) async fn list(
    State(context): State<Context>,
    asked: Result<Query<BordersQuery>, QueryRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    let Query(asked) = asked?;
    let limit = super::limit(asked.limit)?;
    let reader = context.reader.clone();
    let rows = query(move || reader.borders(limit)).await?;
    let rows = rows.iter().map(|row| serde_json::json!({ "from": row.from, "to": row.to, "tickets": row.n_tickets }));
    Ok(Json(serde_json::json!({ "borders": rows.collect::<Vec<_>>() })))
}
