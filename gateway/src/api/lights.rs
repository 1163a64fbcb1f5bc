//! Physical lights: what they should show, and what they say that they do.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};

use super::fault::Fault;
use super::{Context, NoQuery};
use crate::nouns::Lamp;

pub(super) async fn list(
    State(context): State<Context>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    asked?;
    let views = context.lights.borrow().clone();
    let lights = views.iter().map(|view| {
        serde_json::json!({
            "id": view.id,
            "centre": view.centre,
            "wanted": view.wanted.map(Lamp::as_str),
            "shown": view.shown.map(Lamp::as_str),
            "state": view.state.as_str(),
        })
    });
    Ok(Json(serde_json::json!({ "lights": lights.collect::<Vec<_>>() })))
}
