//! The map under all that the console shows on one: what it is, and its tiles, one file read by ranges or a picture for each.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use outpost_fences::Coordinates;
use serde_json::{Value, json};
use tower_http::services::ServeFile;

use super::fault::Fault;
use super::{Context, NoQuery};
use crate::config::BaseMap;

/// A map changes seldom; whoever put another one in its place waits so long.
const CACHE: HeaderValue = HeaderValue::from_static("private, max-age=3600");

pub(super) async fn about(
    State(context): State<Context>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    asked?;
    let estate = context.estate.borrow();
    let shown = |map: &BaseMap| {
        let (path, zoom_max) = match map.is_one_file() {
            true => ("/api/v1/map/file", None),
            false => ("/api/v1/map/tiles/{z}/{x}/{y}", Some(map.zoom_max)),
        };
        json!({
            "path": path,
            "zoom_max": zoom_max,
            "coordinates": Coordinates::from(map.coordinates).name(),
            "attribution": map.attribution,
        })
    };
    Ok(Json(json!({ "map": estate.map.as_ref().map(shown) })))
}

pub(super) async fn file(State(context): State<Context>, request: Request) -> Result<Response, Fault> {
    let path = context.estate.borrow().map.as_ref().filter(|map| map.is_one_file()).map(|map| map.tiles.clone());
    let path = path.ok_or_else(|| Fault::not_found("there is no map in one file"))?;
    let response = serve(&path, request).await?;
    if response.status() == StatusCode::NOT_FOUND {
        return Err(Fault::not_found("the file of the map is gone"));
    }
    Ok(response)
}

/// Where there is no picture nothing is drawn, which is no error.
pub(super) async fn tile(
    State(context): State<Context>,
    place: Result<Path<(u8, u32, u32)>, PathRejection>,
    request: Request,
) -> Result<Response, Fault> {
    let Path((z, x, y)) = place?;
    let path = context.estate.borrow().map.as_ref().filter(|map| !map.is_one_file()).map(|map| map.tile(z, x, y));
    let path = path.ok_or_else(|| Fault::not_found("there is no map of pictures"))?;
    let response = serve(&path, request).await?;
    if response.status() == StatusCode::NOT_FOUND {
        return Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, CACHE)]).into_response());
    }
    Ok(response)
}

async fn serve(path: &std::path::Path, request: Request) -> Result<Response, Fault> {
    let served = ServeFile::new(path).try_call(request).await;
    let mut response = served.map(|response| response.map(Body::new)).map_err(|cause| {
        tracing::error!(path = %path.display(), %cause, "a tile of the map cannot be read");
        Fault::not_found("the map cannot be read")
    })?;
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE);
    Ok(response)
}
