//! What the API looks like, for programs: OpenAPI 3.1. Kept by hand in `openapi.json`; tests hold it to the router and to real
//! answers, and the console's types come from it.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::NoQuery;
use super::fault::Fault;

const DOCUMENT: &str = include_str!("openapi.json");

pub(super) async fn document(asked: Result<Query<NoQuery>, QueryRejection>) -> Result<Response, Fault> {
    asked?;
    Ok(([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response())
}
