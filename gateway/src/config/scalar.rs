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

    /// "500ms", "5s", "10m", "4h", "7d"; ten years at the most.
    pub fn parse(text: &str) -> Option<Self> {
        let factor = |unit: &str| match unit {
            "ms" => Some(1),
            "s" => Some(1_000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            "d" => Some(86_400_000),
            _ => None,
        };
        let ms = i64::try_from(scaled(text, factor)?).ok()?;
        (ms <= 3_650 * 86_400_000).then_some(Span(ms))
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
        Span::parse(&text)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is not a span of time such as \"500ms\", \"5s\", \"10m\", \"4h\" or \"7d\" (ten years at the most)")))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BytesVisitor)
    }
}

struct BytesVisitor;

impl de::Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size such as \"512KiB\" or \"4MiB\"")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Bytes, E> {
        u64::try_from(number).map(Bytes).map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Bytes, E> {
        Ok(Bytes(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
        let factor = |unit: &str| match unit {
            "B" => Some(1),
            "KiB" => Some(1 << 10),
            "MiB" => Some(1 << 20),
            "GiB" => Some(1 << 30),
            _ => None,
        };
        scaled(text, factor).map(Bytes).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

fn scaled(text: &str, factor: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    number.checked_mul(factor(text[digits..].trim())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Holder<T> {
        value: T,
    }

    fn read<T: serde::de::DeserializeOwned>(value: &str) -> Result<T, String> {
        let holder: Result<Holder<T>, _> = toml::from_str(&format!("value = {value}"));
        holder.map(|holder| holder.value).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn spans_are_read_in_every_unit_and_end_at_ten_years() {
        for (text, ms) in [("500ms", 500), ("5s", 5_000), ("10m", 600_000), ("4h", 14_400_000), ("7d", 604_800_000)] {
            assert_eq!(read::<Span>(&format!("{text:?}")).map(Span::ms), Ok(ms), "{text}");
        }
        for text in ["\"5\"", "\"s\"", "\"-5s\"", "\"1.5s\"", "\"4000d\"", "\"99999999999999999999s\"", "5"] {
            assert!(read::<Span>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_numbers_or_text_with_a_unit() {
        for (text, bytes) in [("512", 512), ("\"512KiB\"", 512 << 10), ("\"4 MiB\"", 4 << 20), ("\"1GiB\"", 1 << 30)] {
            assert_eq!(read::<Bytes>(text), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["-1", "\"4MB\"", "\"\"", "1.5", "true", "\"99999999999GiB\""] {
            assert!(read::<Bytes>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_shows_where_it_is_and_not_what_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hunter2\n").unwrap();
        let secret = Secret::File(file.path().to_owned());
        assert_eq!(secret.read().unwrap(), "hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
