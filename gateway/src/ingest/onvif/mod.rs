//! Where a camera's mount points, asked of the camera by ONVIF (PTZ service 20.12: `GetStatus`, `GetPresets`), SOAP over HTTP
//! with digest authentication. Knows nothing of rules or of the map.
//!
//! - [`poses`]: what was answered last, for frames that do not tell it themselves
//! - [`soap`]: requests and answers as text

pub mod poses;
pub mod soap;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;

use http_auth::{ChallengeParser, DigestClient, PasswordParams};
use outpost_detectors::observation::Aim;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::{Client, Response, StatusCode, redirect};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::poses::{Pose, Poses};
use self::soap::{Position, Preset};
use super::backoff::Backoff;
use crate::config::{PtzOf, ViewOf};
use crate::telemetry::now_ms;

/// An answer of more bytes is refused: a status has one, a list of 256 presets some 100.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// Longest wait after a failed request.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// Presets are stored seldom.
const PRESETS_EVERY: Duration = Duration::from_secs(600);
/// So near to a preset the camera stands at it.
const PRESET_DEG_MAX: f64 = 0.5;

#[derive(Debug, thiserror::Error)]
pub enum PtzError {
    #[error("{0}")]
    Http(String),
    #[error("the camera wants a username and a password")]
    NoPassword,
    #[error("the camera refuses the username or the password")]
    WrongPassword,
    #[error("the camera asks for no digest: {0}")]
    NoDigest(String),
    #[error("HTTP status {0}")]
    Status(StatusCode),
    #[error("the answer is larger than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
    #[error("the camera says: {0}")]
    Fault(String),
    #[error("the answer {0}")]
    Answer(String),
}

/// A camera's mount, as it is asked.
pub struct Mount {
    source: Arc<str>,
    ptz: PtzOf,
    view: ViewOf,
    password: Option<String>,
    client: Client,
    digest: Option<DigestClient>,
}

impl Mount {
    /// Errors where no client can be made.
    pub fn new(source: Arc<str>, ptz: PtzOf, view: ViewOf, password: Option<String>) -> Result<Mount, PtzError> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let timeout = Duration::from_millis(ptz.timeout.ms().max(1).unsigned_abs());
        let client = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(http)?;
        Ok(Mount { source, ptz, view, password, client, digest: None })
    }

    /// Asks until stopped, and keeps the answers in `poses`.
    pub async fn run(mut self, poses: Poses, stop: CancellationToken) {
        let every = Duration::from_millis(self.ptz.every.ms().max(1).unsigned_abs());
        let seed = BuildHasherDefault::<DefaultHasher>::default().hash_one(&self.source);
        let (mut backoff, mut is_known) = (Backoff::new(RETRY_MAX, seed), None);
        let (mut presets, mut presets_at): (Vec<Preset>, Option<Instant>) = (Vec::new(), None);
        while !stop.is_cancelled() {
            let asked = stop.run_until_cancelled(self.status()).await;
            let Some(answer) = asked else { return };
            let wait = match answer {
                Ok(position) => {
                    if presets_at.is_none_or(|at| at.elapsed() >= PRESETS_EVERY) {
                        // A camera without presets has none to tell.
                        presets =
                            stop.run_until_cancelled(self.presets()).await.and_then(Result::ok).unwrap_or_default();
                        presets_at = Some(Instant::now());
                    }
                    poses.set(&self.source, self.pose(&position, &presets));
                    if is_known.replace(true) != Some(true) {
                        info!(source = %self.source, presets = presets.len(), "camera tells where it looks");
                    }
                    backoff.reset();
                    every
                }
                Err(cause) => {
                    poses.failed(&self.source);
                    if is_known.replace(false) != Some(false) {
                        warn!(source = %self.source, %cause, "camera does not tell where it looks: what it sees has no place");
                    }
                    backoff.next_delay().max(every)
                }
            };
            stop.run_until_cancelled(tokio::time::sleep(wait)).await;
        }
    }

    /// Where it points now.
    pub async fn status(&mut self) -> Result<Position, PtzError> {
        let answer = self.ask("GetStatus").await?;
        soap::status(&answer)
    }

    pub async fn presets(&mut self) -> Result<Vec<Preset>, PtzError> {
        let answer = self.ask("GetPresets").await?;
        soap::presets(&answer)
    }

    /// None while it moves: frames from on the way are of no known place.
    fn pose(&self, position: &Position, presets: &[Preset]) -> Option<Pose> {
        if position.is_moving {
            return None;
        }
        let here = aim(&self.ptz, &self.view, position);
        let off_deg = |preset: &Preset| {
            let there = aim(&self.ptz, &self.view, &preset.position);
            let across = (there.bearing_deg - here.bearing_deg + 540.0).rem_euclid(360.0) - 180.0;
            across.abs().max((there.elevation_deg - here.elevation_deg).abs())
        };
        let nearest = presets.iter().min_by(|a, b| off_deg(a).total_cmp(&off_deg(b)));
        let preset = nearest.filter(|preset| off_deg(preset) <= PRESET_DEG_MAX).map(|preset| preset.number);
        let at_ms = now_ms();
        // A missed answer or two change nothing.
        let until_ms = at_ms.saturating_add(3 * self.ptz.every.ms()).saturating_add(self.ptz.timeout.ms());
        Some(Pose { aim: Aim { preset, ..here }, at_ms, until_ms })
    }

    /// One request; a second one where the camera asks for the digest anew.
    async fn ask(&mut self, action: &str) -> Result<String, PtzError> {
        let first = self.post(action).await?;
        if first.status() != StatusCode::UNAUTHORIZED {
            return body(first).await;
        }
        let (Some(_), Some(_)) = (&self.ptz.username, &self.password) else { return Err(PtzError::NoPassword) };
        self.digest = Some(challenge(&first)?);
        let second = self.post(action).await?;
        if second.status() == StatusCode::UNAUTHORIZED {
            self.digest = None;
            return Err(PtzError::WrongPassword);
        }
        body(second).await
    }

    async fn post(&mut self, action: &str) -> Result<Response, PtzError> {
        let (url, text) = (self.ptz.url.clone(), soap::request(action, &self.ptz.profile));
        let kind = format!("application/soap+xml; charset=utf-8; action=\"{}/{action}\"", soap::PTZ);
        let mut request = self.client.post(&url).header(CONTENT_TYPE, kind);
        if let (Some(digest), Some(username), Some(password)) = (&mut self.digest, &self.ptz.username, &self.password) {
            let uri = url::Url::parse(&url).map(|url| url[url::Position::BeforePath..].to_owned()).unwrap_or_default();
            let body = Some(text.as_bytes());
            let said = digest.respond(&PasswordParams { username, password, uri: &uri, method: "POST", body });
            request = request.header(AUTHORIZATION, said.map_err(PtzError::NoDigest)?);
        }
        request.body(text).send().await.map_err(http)
    }
}

/// Where the middle of the picture looks.
fn aim(ptz: &PtzOf, view: &ViewOf, position: &Position) -> Aim {
    let between = |[from, to]: [f64; 2], share: f64| from + (to - from) * share;
    let degrees = |range: [f64; 2], n: f64| if position.is_degrees { n } else { between(range, (n + 1.0) / 2.0) };
    let focal = |fov: f64| 1.0 / (fov / 2.0).to_radians().tan();
    let fov_deg = ptz.zoom.zip(position.zoom).map(|([wide, far], zoom)| {
        let focal = between([focal(wide), focal(far)], zoom.clamp(0.0, 1.0));
        2.0 * (1.0 / focal).atan().to_degrees()
    });
    Aim {
        bearing_deg: (view.bearing + degrees(ptz.pan, position.pan)).rem_euclid(360.0),
        elevation_deg: (view.elevation + degrees(ptz.tilt, position.tilt)).clamp(-90.0, 90.0),
        fov_deg,
        preset: None,
    }
}

fn http(error: reqwest::Error) -> PtzError {
    PtzError::Http(error.without_url().to_string())
}

/// The digest that a camera asks for; it may offer others beside it.
fn challenge(response: &Response) -> Result<DigestClient, PtzError> {
    let mut last = "it offers nothing".to_owned();
    for header in response.headers().get_all(WWW_AUTHENTICATE) {
        let Ok(text) = header.to_str() else { continue };
        for challenge in ChallengeParser::new(text) {
            match challenge {
                Ok(challenge) if challenge.scheme.eq_ignore_ascii_case("digest") => {
                    match DigestClient::try_from(&challenge) {
                        Ok(digest) => return Ok(digest),
                        Err(cause) => last = cause,
                    }
                }
                Ok(challenge) => last = format!("it offers {:.40}", challenge.scheme),
                Err(cause) => last = cause.to_string(),
            }
        }
    }
    Err(PtzError::NoDigest(last))
}

/// The text of an answer, also of one that tells of a fault.
async fn body(mut response: Response) -> Result<String, PtzError> {
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(http)? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(PtzError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(bytes).map_err(|_| PtzError::Answer("is no UTF-8".into()))?;
    if status.is_success() {
        return Ok(text);
    }
    // SOAP tells of faults with status 400 or 500.
    Err(soap::fault(&text).map_or(PtzError::Status(status), PtzError::Fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_degrees_from_where_the_view_looks() {
        let view: ViewOf = toml::from_str("height_m = 1\nbearing = 350\nelevation = -2\nfov = 60").unwrap();
        let mut ptz: PtzOf = toml::from_str("url = \"http://192.0.2.1/\"\nprofile = \"p\"").unwrap();
        let mut position = Position { pan: 0.25, tilt: -0.1, zoom: Some(0.5), is_degrees: false, is_moving: false };
        let seen = aim(&ptz, &view, &position);
        assert!((seen.bearing_deg - 35.0).abs() < 1e-9 && (seen.elevation_deg + 11.0).abs() < 1e-9, "{seen:?}");
        assert_eq!(seen.fov_deg, None, "the view's");
        ptz.zoom = Some([60.0, 3.0]);
        // Half-way between the focal lengths of 60 and of 3 degrees: 1.732 and 38.19.
        assert!((aim(&ptz, &view, &position).fov_deg.unwrap() - 5.736).abs() < 0.001);
        position.zoom = Some(7.0);
        assert!((aim(&ptz, &view, &position).fov_deg.unwrap() - 3.0).abs() < 1e-9);
        (position.is_degrees, position.pan, position.tilt) = (true, -20.0, -95.0);
        let seen = aim(&ptz, &view, &position);
        assert!((seen.bearing_deg - 330.0).abs() < 1e-9 && seen.elevation_deg == -90.0, "{seen:?}");
    }
}
