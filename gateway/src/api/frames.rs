//! Radiometric pictures by upload: `POST /api/v1/frames/<source>`, the file as the body. The answer comes when what the
//! picture did is on disk.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use outpost_detectors::hotspot::statistics::Statistics;
use outpost_detectors::observation::{Fact, Observation, Scale, Surface, ThermalFrame};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, oneshot};

use super::Context;
use super::fault::{Fault, ask};
use crate::decode::radiometric::{Radiometric, RadiometricError};
use crate::pipeline::run::Ask;
use crate::telemetry::{now_ms, time_ms, time_text};

/// Largest picture. Those of today's cameras have 0.1 to 2 MB.
pub(super) const PICTURE_BYTES_MAX: usize = 16 << 20;
/// Pictures that are read at a time; further ones are asked to come again.
const READ_MAX: usize = 4;
/// A picture may be older than this gateway, but not from the time to come.
const AHEAD_MAX_MS: i64 = 5 * 60 * 1000;

/// Places for pictures that are read.
#[derive(Clone)]
pub(super) struct Readers(Arc<Semaphore>);

impl Readers {
    pub(super) fn new() -> Readers {
        Readers(Arc::new(Semaphore::new(READ_MAX)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UploadQuery {
    /// RFC 3339: when it was taken. Now where absent: cameras' own clocks are seldom set.
    at: Option<String>,
    /// In place of what was set at the camera.
    emissivity: Option<f64>,
    reflected: Option<f64>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

impl UploadQuery {
    fn at_ms(&self, received_ms: i64) -> Result<i64, Fault> {
        let Some(text) = &self.at else { return Ok(received_ms) };
        let at_ms = time_ms(text).ok_or_else(|| Fault::bad_request(format!("at {text:?} is no RFC 3339 time")))?;
        if at_ms < 0 || at_ms > received_ms + AHEAD_MAX_MS {
            return Err(Fault::bad_request(format!("at {text:?} is not a time at which it can have been taken")));
        }
        Ok(at_ms)
    }

    fn frame(&self, picture: &[u8]) -> Result<ThermalFrame, Fault> {
        let read = Radiometric::read(picture).map_err(|error| match error {
            RadiometricError::Unknown | RadiometricError::NotRadiometric | RadiometricError::Dji => {
                Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error.to_string())
            }
            RadiometricError::Broken { .. } => Fault::bad_request(error.to_string()),
        })?;
        let mut scene = read.scene;
        scene.emissivity = self.emissivity.unwrap_or(scene.emissivity);
        scene.reflected_c = self.reflected.unwrap_or(scene.reflected_c);
        scene.check().map_err(Fault::bad_request)?;
        let surface = Surface { emissivity: scene.emissivity as f32, reflected_c: scene.reflected_c as f32 };
        Ok(ThermalFrame { celsius: Arc::new(read.celsius(&scene)), scale: Scale::default(), surface, aim: None })
    }
}

pub(super) async fn upload(
    State(context): State<Context>,
    Extension(readers): Extension<Readers>,
    path: Result<Path<String>, PathRejection>,
    asked: Result<Query<UploadQuery>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Fault> {
    let (Path(source), Query(asked)) = (path?, asked?);
    let known = context.estate.borrow().source(&source);
    let source = known.ok_or_else(|| Fault::not_found(format!("the configuration names no source {source:?}")))?;
    let Ok(place) = readers.0.clone().try_acquire_owned() else {
        return Err(Fault::unavailable(format!("{READ_MAX} pictures are being read; try again")));
    };
    let picture = body.map_err(|rejection| Fault::new(rejection.status(), rejection.body_text()))?;
    let received_ms = now_ms();
    let at_ms = asked.at_ms(received_ms)?;
    let read = tokio::task::spawn_blocking(move || asked.frame(&picture)).await;
    let frame = read.map_err(|_| Fault::unavailable("the picture was given up"))??;
    drop(place);
    let statistics = Statistics::of(frame.celsius.view());
    let (rows, columns) = frame.celsius.dim();
    let observation = Observation { source: source.clone(), at_ms, received_ms, fact: Fact::Thermal(frame) };
    let (reply, answer) = oneshot::channel();
    ask(&context.asks, Ask::Observe(Box::new(observation), reply), answer).await?;
    Ok(Json(json!({
        "source": source,
        "at": time_text(at_ms),
        "columns": columns,
        "rows": rows,
        "bad_pixels": statistics.n_bad,
        "celsius": statistics.range.map(|range| json!({
            "min": range.min_c, "mean": range.mean_c, "max": range.max_c,
            "hottest": { "row": range.hottest.0, "column": range.hottest.1 },
        })),
    })))
}
