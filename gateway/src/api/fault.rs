//! Errors as `application/problem+json` (RFC 9457), and the ways in which a request waits for an answer.

use std::time::Duration;

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::{mpsc, oneshot};

use crate::nouns::{Refusal, Stage};
use crate::pipeline::run::Ask;
use crate::store::StoreError;

/// An operator learns after this long that the pipeline has not answered: the disk may be full.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    detail: String,
    /// Where the ticket stands that would not take the move.
    stage: Option<Stage>,
    /// Further members of the answer, as the standard allows them.
    more: Vec<(&'static str, serde_json::Value)>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Fault {
        Fault { status, detail: detail.into(), stage: None, more: Vec::new() }
    }

    /// The same with one more member.
    pub(super) fn with(mut self, key: &'static str, value: serde_json::Value) -> Fault {
        self.more.push((key, value));
        self
    }

    /// What is said of it in another form.
    pub(super) fn told(self) -> (StatusCode, String) {
        (self.status, self.detail)
    }

    /// Whether what was asked may be done all the same: nobody said that it was not.
    pub(super) fn may_be_done(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Fault {
        Fault::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Fault {
        Fault::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn wrong_method() -> Fault {
        Fault::new(StatusCode::METHOD_NOT_ALLOWED, "this resource has no such method")
    }

    pub(super) fn unauthorised() -> Fault {
        Fault::new(StatusCode::UNAUTHORIZED, "the bearer token is missing or wrong")
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Fault {
        Fault::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let (status, stage) = match refusal {
            Refusal::NoSuchTicket(_)
            | Refusal::NoSuchSilence(_)
            | Refusal::NoSuchWorkOrder(_)
            | Refusal::NoSuchClass(_) => (StatusCode::NOT_FOUND, None),
            Refusal::WrongStage { stage, .. } => (StatusCode::CONFLICT, Some(stage)),
            Refusal::NoExtension
            | Refusal::NotCalled
            | Refusal::ExtensionWaits
            | Refusal::NothingAbove(_)
            | Refusal::NothingBeside(_)
            | Refusal::TooManyFiles { .. }
            | Refusal::NoTerminal(_)
            | Refusal::Booked { .. }
            | Refusal::OffDuty(_)
            | Refusal::TooManySilences(_)
            | Refusal::TooManyWorkOrders(_)
            | Refusal::WrongClassStage { .. } => (StatusCode::CONFLICT, None),
            Refusal::Needless { .. } => (StatusCode::BAD_REQUEST, None),
            Refusal::Missing { .. }
            | Refusal::NotBeneath { .. }
            | Refusal::NotOnDutyList { .. }
            | Refusal::NotBeside { .. }
            | Refusal::NoOfficer(_)
            | Refusal::OtherUnit { .. }
            | Refusal::OtherRequest
            | Refusal::NoSuchMaster(_) => (StatusCode::UNPROCESSABLE_ENTITY, None),
            Refusal::Unknown(_)
            | Refusal::Role { .. }
            | Refusal::Reach { .. }
            | Refusal::OwnWork { .. }
            | Refusal::NotTheirs { .. }
            | Refusal::OthersDuty { .. }
            | Refusal::NoChief(_)
            | Refusal::OwnExtension { .. } => (StatusCode::FORBIDDEN, None),
            Refusal::Stopping | Refusal::StoreSilent => (StatusCode::SERVICE_UNAVAILABLE, None),
        };
        Fault { stage, ..Fault::new(status, refusal.to_string()) }
    }
}

impl From<StoreError> for Fault {
    fn from(cause: StoreError) -> Self {
        tracing::error!(%cause, "request failed at the store");
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the store did not answer")
    }
}

impl From<QueryRejection> for Fault {
    fn from(rejection: QueryRejection) -> Self {
        Fault::bad_request(rejection.body_text())
    }
}

impl From<PathRejection> for Fault {
    fn from(rejection: PathRejection) -> Self {
        Fault::bad_request(rejection.body_text())
    }
}

impl From<JsonRejection> for Fault {
    fn from(rejection: JsonRejection) -> Self {
        // Too large is 413 and not sent as JSON is 415; whatever is wrong inside the body is 400.
        let status = match rejection {
            JsonRejection::JsonDataError(_) | JsonRejection::JsonSyntaxError(_) => StatusCode::BAD_REQUEST,
            ref other => other.status(),
        };
        Fault::new(status, rejection.body_text())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let mut body = serde_json::json!({ "status": self.status.as_u16(), "title": title, "detail": self.detail });
        if let Some(stage) = self.stage {
            body["stage"] = stage.as_str().into();
        }
        for (key, value) in self.more {
            body[key] = value;
        }
        let headers = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, headers, body.to_string()).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Runs a query of the store off the threads that serve sockets.
pub(super) async fn query<T: Send + 'static>(
    query: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Fault> {
    let answer = tokio::task::spawn_blocking(query).await;
    Ok(answer.map_err(|_| Fault::unavailable("the query was given up"))??)
}

/// Asks the pipeline; `answer` is where it replies.
pub(super) async fn ask<T>(asks: &mpsc::Sender<Ask>, asked: Ask, answer: oneshot::Receiver<T>) -> Result<T, Fault> {
    let exchange = async {
        asks.send(asked).await.map_err(|_| Refusal::Stopping)?;
        answer.await.map_err(|_| Refusal::Stopping)
    };
    match tokio::time::timeout(ANSWER_WITHIN, exchange).await {
        Ok(answer) => Ok(answer?),
        // Not "refused": it waits in the pipeline and may be done yet.
        Err(_) => Err(Fault::unavailable("the pipeline does not answer; what was asked may still be done")),
    }
}
