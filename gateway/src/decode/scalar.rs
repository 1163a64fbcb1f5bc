//! A value of JSON or CBOR as far as decoders want it: a number, text, a truth, or the name of what it is instead.
//! Also tells a parser's errors in our words.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::reject::RejectReason;

/// Objects and arrays are read to their end and dropped.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'de> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'de, str>),
    Object,
    Array,
    /// Only in CBOR; what they are, nobody asks.
    Bytes,
}

impl Scalar<'_> {
    /// What it is, to read after "found".
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Scalar::Null => "null",
            Scalar::Bool(_) => "a boolean",
            Scalar::Number(_) => "a number",
            Scalar::Text(_) => "text",
            Scalar::Object => "an object",
            Scalar::Array => "an array",
            Scalar::Bytes => "bytes",
        }
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Self::Value, E> {
        Ok(Scalar::Bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Object)
    }
}

/// Why a document does not parse, and where: `byte 118 of 240: expected value`.
pub(super) fn fault(payload: &[u8], error: &serde_json::Error) -> (RejectReason, String) {
    let at = offset(payload, error.line(), error.column());
    let told = error.to_string();
    let message = told.rfind(" at line ").map_or(told.as_str(), |end| &told[..end]);
    // serde_json has one class for all of these; its wording is the only thing that tells them apart.
    let reason = match message {
        "number out of range" => RejectReason::NotFinite,
        "recursion limit exceeded" => RejectReason::TooDeep,
        "invalid unicode code point" => RejectReason::BadText,
        _ if error.is_data() => RejectReason::BadShape,
        _ if names_no_number(payload, at) => RejectReason::NotFinite,
        _ => RejectReason::NotJson,
    };
    (reason, format!("byte {at} of {}: {message}", payload.len()))
}

/// Python and others write NaN and Infinity, which JSON does not have.
fn names_no_number(payload: &[u8], at: usize) -> bool {
    (at.saturating_sub(2)..=at)
        .filter_map(|from| payload.get(from..))
        .any(|rest| [&b"NaN"[..], b"nan", b"Infinity", b"inf"].iter().any(|word| rest.starts_with(word)))
}

/// The byte at a line and column as serde_json counts them, from 1.
fn offset(payload: &[u8], line: usize, column: usize) -> usize {
    let line_start = match line {
        0 | 1 => 0,
        _ => payload.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(line - 2).map_or(0, |(at, _)| at + 1),
    };
    line_start.saturating_add(column.saturating_sub(1)).min(payload.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(text: &str) -> (RejectReason, String) {
        let error = serde_json::from_str::<Scalar<'_>>(text).unwrap_err();
        fault(text.as_bytes(), &error)
    }

    #[test]
    fn faults_name_the_byte() {
        assert_eq!(fault_of("hello"), (RejectReason::NotJson, "byte 0 of 5: expected value".into()));
        assert_eq!(fault_of("{\n\"a\": x}"), (RejectReason::NotJson, "byte 7 of 9: expected value".into()));
        assert_eq!(fault_of("[1, 2").1, "byte 4 of 5: EOF while parsing a list");
    }

    #[test]
    fn numbers_that_are_none_are_told_from_broken_json() {
        for text in ["NaN", "[NaN]", "{\"v\": Infinity}", "[-Infinity]", "1e999", "[1e999]"] {
            let is_text = serde_json::from_str::<Scalar<'_>>(text).is_ok();
            assert!(is_text || fault_of(text).0 == RejectReason::NotFinite, "{text}: {:?}", fault_of(text));
        }
    }
}
