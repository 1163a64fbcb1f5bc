//! Errors as `application/problem+json` (RFC 9457).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::nouns::Refusal;
use crate::store::StoreError;

#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    detail: String,
}

impl Fault {
    pub(super) fn not_found(detail: impl Into<String>) -> Fault {
        Fault { status: StatusCode::NOT_FOUND, detail: detail.into() }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Fault {
        Fault { status: StatusCode::BAD_REQUEST, detail: detail.into() }
    }

    pub(super) fn unauthorised() -> Fault {
        Fault { status: StatusCode::UNAUTHORIZED, detail: "the bearer token is missing or wrong".into() }
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Fault {
        Fault { status: StatusCode::SERVICE_UNAVAILABLE, detail: detail.into() }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::NoSuchTicket(_) => StatusCode::NOT_FOUND,
            Refusal::WrongStage { .. } => StatusCode::CONFLICT,
            Refusal::NoteMissing => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        };
        Fault { status, detail: refusal.to_string() }
    }
}

impl From<StoreError> for Fault {
    fn from(cause: StoreError) -> Self {
        tracing::error!(%cause, "request failed at the store");
        Fault { status: StatusCode::INTERNAL_SERVER_ERROR, detail: "the store did not answer".into() }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let body = serde_json::json!({ "status": self.status.as_u16(), "title": title, "detail": self.detail });
        let headers = [(header::CONTENT_TYPE, "application/problem+json")];
        (self.status, headers, body.to_string()).into_response()
    }
}

/// Runs a query of the store off the threads that serve sockets.
pub(super) async fn query<T: Send + 'static>(
    query: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Fault> {
    let answer = tokio::task::spawn_blocking(query).await;
    Ok(answer.map_err(|_| Fault::unavailable("the query was given up"))??)
}
