//! Scalars of the configuration: spans of time, sizes in bytes, secrets kept out of the file.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{self, Deserializer};

/// A length of time, written as `500ms`, `5s`, `10m`, `4h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(i64);

/// A size, written as a number of bytes or as `512KiB`, `4MiB`, `1GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// Where a secret is; never the secret itself, and never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Secret {
    Env(String),
    File(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("environment variable {0} is not set")]
    Env(String),
    #[error("cannot read {path}: {cause}")]
    File { path: PathBuf, cause: std::io::Error },
}

impl Span {
    pub const fn from_ms(ms: i64) -> Self {
        Span(ms)
    }

    pub const fn ms(self) -> i64 {
        self.0
    }

    pub fn duration(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.unsigned_abs())
    }
}

impl Secret {
    /// The secret's text, without a trailing line end.
    pub fn read(&self) -> Result<String, SecretError> {
        match self {
            Secret::Env(name) => std::env::var(name).map_err(|_| SecretError::Env(name.clone())),
            Secret::File(path) => std::fs::read_to_string(path)
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|cause| SecretError::File { path: path.clone(), cause }),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Env(name) => write!(f, "env {name}"),
            Secret::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

impl serde::Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}ms", self.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let factor = |unit: &str| match unit {
            "ms" => Some(1),
            "s" => Some(1_000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            "d" => Some(86_400_000),
            _ => None,
        };
        scaled(&text, factor)
            .and_then(|ms| i64::try_from(ms).ok())
            .filter(|ms| *ms <= 3_650 * 86_400_000)
            .map(Span)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is not a span of time such as \"500ms\", \"5s\", \"10m\", \"4h\" or \"7d\" (ten years at the most)")))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Size {
            Number(u64),
            Text(String),
        }
        let factor = |unit: &str| match unit {
            "B" => Some(1),
            "KiB" => Some(1 << 10),
            "MiB" => Some(1 << 20),
            "GiB" => Some(1 << 30),
            _ => None,
        };
        match Size::deserialize(deserializer)? {
            Size::Number(n) => Ok(Bytes(n)),
            Size::Text(text) => scaled(&text, factor)
                .map(Bytes)
                .ok_or_else(|| de::Error::custom(format!("{text:?} is not a size such as \"512KiB\" or \"4MiB\""))),
        }
    }
}

fn scaled(text: &str, factor: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    number.checked_mul(factor(text[digits..].trim())?)
}
