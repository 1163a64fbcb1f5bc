//! Requests that are done once: the header `Idempotency-Key` names a request, whoever asks again under it hears what it did.
//! <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::Context;
use super::fault::{Fault, ask};
use crate::nouns::{Done, Errand, Once};
use crate::pipeline::run::Ask;

const KEY: &str = "idempotency-key";
const KEY_CHARS_MAX: usize = 200;

/// Said of an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The sender's name of the request, where there is one.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let Some(said) = headers.get(KEY) else { return Ok(None) };
    let said = said.to_str().ok().map(|said| said.trim().trim_matches('"'));
    let said = said.filter(|said| (1..=KEY_CHARS_MAX).contains(&said.len()));
    let wrong = || Fault::bad_request(format!("Idempotency-Key is not 1 to {KEY_CHARS_MAX} characters of ASCII"));
    said.map(Some).ok_or_else(wrong)
}

/// The same with the digest of what is asked.
pub(super) fn once(headers: &HeaderMap, asked: &[&[u8]]) -> Result<Option<Once>, Fault> {
    let Some(key) = key(headers)? else { return Ok(None) };
    let mut digest = Sha256::new();
    for part in asked {
        // With their lengths: what is cut otherwise is something else.
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(Once { key: key.into(), digest: digest.into() }))
}

/// A body as JSON, with the name of its request.
pub(super) struct Told<T> {
    pub(super) body: T,
    pub(super) once: Option<Once>,
}

impl<T: DeserializeOwned> FromRequest<Context> for Told<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &Context) -> Result<Told<T>, Fault> {
        let (parts, body) = request.into_parts();
        let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await;
        let bytes = bytes.map_err(|rejection| Fault::new(rejection.status(), rejection.body_text()))?;
        let once = once(&parts.headers, &[parts.uri.path().as_bytes(), &bytes])?;
        let Json(body) = Json::<T>::from_request(Request::from_parts(parts, Body::from(bytes)), state).await?;
        Ok(Told { body, once })
    }
}

/// Has it done, or hears what it did before.
pub(super) async fn run(context: &Context, errand: Errand) -> Result<Done, Fault> {
    let (reply, answer) = oneshot::channel();
    Ok(ask(&context.asks, Ask::Errand(Box::new(errand), reply), answer).await??)
}

/// Says of an answer whether it was given before.
pub(super) fn answered(answer: impl IntoResponse, is_repeat: bool) -> Response {
    let mut response = answer.into_response();
    if is_repeat {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
