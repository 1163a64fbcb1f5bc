//! What goes wrong with a camera, as one of the reasons that an operator can act on.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use outpost_detectors::observation::LinkReason;

/// Longest text kept of what the client library says: the rest is packet dumps.
const TEXT_CHARS_MAX: usize = 240;

#[derive(Debug, thiserror::Error)]
pub enum RtspError {
    #[error("bad camera address: {0}")]
    Address(String),
    #[error("cannot read the camera's password: {0}")]
    Secret(String),
    #[error("cannot read certificates: {0}")]
    Authority(String),
    #[error("connect: {0}")]
    Tunnel(std::io::Error),
    #[error("TLS: {0}")]
    Certificate(std::io::Error),
    #[error("no answer to {phase} within {limit_ms} ms")]
    Timeout { phase: Phase, limit_ms: u128 },
    #[error("no frame within {limit_ms} ms")]
    Stall { limit_ms: u128 },
    #[error("no stream that is decoded here: the camera offers {0}")]
    Codec(String),
    #[error("access unit of more than {limit} bytes")]
    FrameTooLarge { limit: u64 },
    #[error("camera ended the stream")]
    Ended,
    #[error("{phase}: {text}")]
    Client { phase: Phase, reason: LinkReason, text: String },
    #[error("client panicked")]
    Panic,
    /// The session ended on account of the stream of the camera's own alarms: without it, it may last.
    #[error("alarms: {0}")]
    Alarms(String),
}

/// Why there is nothing of what a camera says of its own.
#[derive(Debug, thiserror::Error)]
pub enum AlarmFault {
    /// The session goes on, or begins anew, without.
    #[error("the stream of its alarms cannot be had: {0}")]
    Refused(String),
    #[error("a document of more than {limit} bytes")]
    TooLarge { limit: usize },
}

/// Steps of a session, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Connect,
    Describe,
    Setup,
    Play,
    Next,
}

impl RtspError {
    pub fn reason(&self) -> LinkReason {
        match self {
            RtspError::Address(_) | RtspError::Ended | RtspError::Tunnel(_) => LinkReason::Route,
            RtspError::Secret(_) | RtspError::Authority(_) | RtspError::Certificate(_) => LinkReason::Auth,
            RtspError::Timeout { phase: Phase::Connect | Phase::Describe, .. } => LinkReason::Route,
            RtspError::Timeout { .. } | RtspError::Stall { .. } => LinkReason::Stall,
            RtspError::Codec(_) => LinkReason::Codec,
            RtspError::FrameTooLarge { .. } | RtspError::Panic | RtspError::Alarms(_) => LinkReason::Protocol,
            RtspError::Client { reason, .. } => *reason,
        }
    }

    /// Whether the camera did not answer at all, for as long as it was given.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, RtspError::Timeout { phase: Phase::Connect | Phase::Describe, .. })
    }

    pub(super) fn timeout(phase: Phase, limit: Duration) -> Self {
        RtspError::Timeout { phase, limit_ms: limit.as_millis() }
    }

    /// Wraps what the client library says.
    pub(super) fn client(phase: Phase, error: &retina::Error, login: &Login) -> Self {
        let whole = error.to_string();
        let reason = classify(error.status_code(), &whole);
        RtspError::Client { phase, reason, text: login.blot_out(&whole) }
    }
}

/// What opens a camera, in each way in which the camera could say it again.
#[derive(Default)]
pub(super) struct Login(Vec<String>);

impl Login {
    pub(super) fn new(username: &str, password: &str) -> Self {
        if password.is_empty() {
            return Login::default();
        }
        let basic = BASE64.encode(format!("{username}:{password}"));
        // As error messages quote it.
        let quoted = format!("{password:?}");
        let mut ways = vec![basic, quoted[1..quoted.len() - 1].to_owned(), password.to_owned()];
        ways.dedup();
        Login(ways)
    }

    /// What may be told of a text that a camera had a part in: its first line says what, those after it are addresses and
    /// dumps. What opens the camera is blotted out before the text is cut, lest the cut leaves the half of it.
    pub(super) fn blot_out(&self, text: &str) -> String {
        let line: String = text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
        let line = self.0.iter().fold(line, |line, secret| line.replace(secret, "***"));
        line.chars().take(TEXT_CHARS_MAX).collect()
    }
}

/// The library's errors are opaque but for the status code and their text, whose beginnings are pinned by tests
/// against real sockets.
fn classify(status: Option<u16>, text: &str) -> LinkReason {
    match status {
        Some(401 | 403 | 407) => return LinkReason::Auth,
        Some(404 | 410 | 503) => return LinkReason::Route,
        Some(415) => return LinkReason::Codec,
        _ => {}
    }
    let route = ["Unable to connect", "Error reading from RTSP peer", "Error writing to RTSP peer", "Timeout"];
    if route.iter().any(|start| text.starts_with(start)) || text.contains(" at EOF") {
        return LinkReason::Route;
    }
    if text.contains("credentials") || text.contains("WWW-Authenticate") {
        return LinkReason::Auth;
    }
    LinkReason::Protocol
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Phase::Connect => "connect",
            Phase::Describe => "describe",
            Phase::Setup => "setup",
            Phase::Play => "play",
            Phase::Next => "stream",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_codes_tell_a_wrong_password_from_a_wrong_path() {
        assert_eq!(classify(Some(401), "401 Unauthorized response to DESCRIBE"), LinkReason::Auth);
        assert_eq!(classify(Some(404), "404 Not Found response to DESCRIBE"), LinkReason::Route);
        assert_eq!(classify(Some(461), "461 Unsupported Transport"), LinkReason::Protocol);
    }

    #[test]
    fn what_opens_a_camera_is_told_in_no_way_that_it_could_be_echoed() {
        let login = Login::new("anna", "s3\"cret");
        let secrets = ["s3\"cret", "s3\\\"cret", "YW5uYTpzMyJjcmV0"];
        for at in [0, 1, TEXT_CHARS_MAX - 5] {
            for secret in secrets {
                let told = login.blot_out(&format!("{}{secret}, it said\n{secret}", "-".repeat(at)));
                assert!(told.starts_with(&format!("{}***", "-".repeat(at))), "{told}");
                assert!(!secrets.iter().any(|secret| told.contains(&secret[..4])), "{told}");
            }
        }
        assert_eq!(Login::new("anna", "").blot_out("no password\tneeds no blot"), "no passwordneeds no blot");
    }

    #[test]
    fn a_cut_connection_is_not_the_cameras_bad_grammar() {
        assert_eq!(classify(None, "RTSP framing error: Incomplete RTSP message at EOF (...)"), LinkReason::Route);
        assert_eq!(classify(None, "RTSP framing error: Invalid RTSP message: ..."), LinkReason::Protocol);
    }
}
