//! The contact sheet of a table of cameras: what one of its lines shows, before it is a camera of ours. Each look is written down
//! first; the picture is not kept.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::super::Context;
use super::super::evidence::Peer;
use super::super::fault::{Fault, query};
use super::{EditQuery, NotEdited};
use crate::config::{Camera, CameraRow, Config, Span, camera_rows};
use crate::probe::{self, Glance};
use crate::telemetry::now_ms;

/// Cameras that are asked at a time: a sheet of hundreds goes by slowly, and no switch takes it for an attack.
const ASKED_MAX: usize = 4;

/// From when its turn comes; less than a person waits, more than a camera takes to begin.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);
/// For each step of opening, and for a stream that stands still.
const STEP_WITHIN: Span = Span::from_ms(8_000);

/// Places for cameras that are asked.
#[derive(Clone)]
pub(in crate::api) struct Lines(Arc<Semaphore>);

impl Lines {
    pub(in crate::api) fn new() -> Lines {
        Lines(Arc::new(Semaphore::new(ASKED_MAX)))
    }
}

/// `body`: the head of a table of cameras and one line of it.
pub(in crate::api) async fn look(
    State(context): State<Context>,
    Extension(Lines(lines)): Extension<Lines>,
    asked: Result<Query<EditQuery>, QueryRejection>,
    info: Option<Extension<ConnectInfo<Peer>>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Fault> {
    let Query(asked) = asked?;
    if context.edits.is_none() {
        return Err(NotEdited::NoAnnex.into());
    }
    let doer = asked.doer(&headers, info.as_deref())?;
    let body = body.map_err(|rejection| Fault::new(rejection.status(), rejection.body_text()))?;
    let text = std::str::from_utf8(&body).map_err(|_| Fault::bad_request("the table is not UTF-8"))?;
    let (row, camera) = camera(text)?;
    let gone = |_| Fault::unavailable("the gateway is stopping");
    let _line = lines.acquire_owned().await.map_err(gone)?;
    let archive = context.archive.clone();
    let of = format!("cameras/{}", row.id);
    query(move || archive.noted(&of, "contact", &doer, now_ms())).await?;
    let glance = probe::glance(&camera, row.password.as_deref(), ANSWERED_WITHIN);
    let seen = context.stop.run_until_cancelled(tokio::time::timeout(ANSWERED_WITHIN, glance)).await;
    Ok(Json(match seen.ok_or_else(|| Fault::unavailable("the gateway is stopping"))? {
        Ok(Ok(Glance { codec, width, height, jpeg })) => json!({
            "id": row.id,
            "picture": { "codec": codec.as_str(), "width": width, "height": height, "jpeg": BASE64.encode(jpeg) },
            "reason": null,
            "detail": null,
        }),
        Ok(Err(error)) => silent(&row, error.reason().as_str(), error.to_string()),
        Err(_) => silent(&row, "stall", format!("no picture within {} s", ANSWERED_WITHIN.as_secs())),
    }))
}

fn silent(row: &CameraRow, reason: &str, detail: String) -> Value {
    json!({ "id": row.id, "picture": null, "reason": reason, "detail": detail })
}

/// The one line of a table, as a camera.
fn camera(text: &str) -> Result<(CameraRow, Camera), Fault> {
    let wrong = |detail: String| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    let (mut rows, faults) = camera_rows::read(text);
    if let Some(fault) = faults.first() {
        return Err(wrong(format!("{} {}", fault.column, fault.message).trim().to_owned()));
    }
    let row = rows.pop().filter(|_| rows.is_empty()).ok_or_else(|| wrong("one line is expected".into()))?;
    let config: Config = toml::from_str(&row.element(None)).map_err(|error| wrong(error.message().to_owned()))?;
    let mut camera = config.cameras.into_iter().next().ok_or_else(|| wrong("one camera is expected".into()))?;
    if !["rtsp://", "rtsps://"].iter().any(|scheme| camera.url.starts_with(scheme)) {
        return Err(wrong("url is neither rtsp:// nor rtsps://".into()));
    }
    (camera.open_timeout, camera.stall_after) = (STEP_WITHIN, STEP_WITHIN);
    Ok((row, camera))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_a_camera_and_no_other_text_is() {
        let (row, found) = camera("id,url,username,password\nc1,rtsp://192.0.2.1/live,admin,hunter2\n").unwrap();
        assert_eq!((&*row.id, row.password.as_deref()), ("c1", Some("hunter2")));
        assert_eq!((&*found.url, found.username.as_deref()), ("rtsp://192.0.2.1/live", Some("admin")));
        let wrong = |text: &str| camera(text).unwrap_err().told();
        for (text, says) in [
            ("id,url\n", "no line"),
            ("id,url\na,rtsp://192.0.2.1/\nb,rtsp://192.0.2.2/\n", "one line"),
            ("id,url\na,file:///etc/passwd\n", "neither rtsp://"),
            ("id,url,lon\na,rtsp://192.0.2.1/,106\n", "no latitude"),
        ] {
            let (status, detail) = wrong(text);
            assert!(status == StatusCode::UNPROCESSABLE_ENTITY && detail.contains(says), "{text}: {detail}");
        }
    }
}
