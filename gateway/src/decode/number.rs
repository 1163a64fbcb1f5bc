//! Plain numbers as text: `21.5`. No hexadecimal, no NaN, no decimal comma.

use std::sync::Arc;

use super::reject::{Decoded, RejectReason, excerpt};
use super::{Arrival, conversion, converted, reading};
use crate::config::unit::Conversion;

/// Longest text that is read as a number; the longest that a finite double needs is about 770 digits, which nobody sends.
const NUMBER_BYTES_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct NumberReader {
    metric: Arc<str>,
    unit: Option<Arc<str>>,
    conversion: Option<Conversion>,
}

impl NumberReader {
    pub(super) fn new(metric: &str, unit: Option<&str>, from: Option<&str>) -> Result<Self, String> {
        let conversion = conversion(from, unit)?;
        Ok(NumberReader { metric: metric.into(), unit: unit.map(Into::into), conversion })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, out: &mut Decoded) {
        match parse(arrival.payload) {
            Ok(value) => {
                let value = match converted(value, self.conversion.as_ref()) {
                    Some(value) => value,
                    None => {
                        return out.reject(
                            arrival,
                            RejectReason::NotFinite,
                            format_args!("{value:e} converts to none"),
                        );
                    }
                };
                let fact = reading(&self.metric, value, self.unit.as_ref());
                out.observations.push(arrival.observation(arrival.received_ms, fact));
            }
            Err((reason, place)) => out.reject(arrival, reason, format_args!("{place}")),
        }
    }
}

/// The number, and nothing but spaces around it.
pub(super) fn parse(payload: &[u8]) -> Result<f64, (RejectReason, String)> {
    let text = std::str::from_utf8(payload).map_err(|error| not_utf8(payload, error))?;
    let text = text.trim();
    if text.is_empty() {
        return Err((RejectReason::Missing, "expected a number, found only spaces".into()));
    }
    if text.len() > NUMBER_BYTES_MAX {
        return Err((RejectReason::TooLarge, format!("a number of {} bytes", text.len())));
    }
    let expected = || format!("expected a number, found {}", excerpt(text));
    // Rust also reads "inf", "NaN" and "infinity" as numbers.
    let is_numeric = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    if !text.bytes().all(is_numeric) {
        let unsigned = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
        let reason = match unsigned.as_str() {
            "nan" | "inf" | "infinity" => RejectReason::NotFinite,
            _ => RejectReason::WrongType,
        };
        return Err((reason, expected()));
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err((RejectReason::NotFinite, expected())),
        Err(_) => Err((RejectReason::WrongType, expected())),
    }
}

pub(super) fn not_utf8(payload: &[u8], error: std::str::Utf8Error) -> (RejectReason, String) {
    (RejectReason::BadText, format!("byte {} of {}: not UTF-8", error.valid_up_to(), payload.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_space_around_them() {
        for (text, value) in [("21.5", 21.5), (" -3\r\n", -3.0), ("+1e3", 1000.0), (".5", 0.5), ("007", 7.0)] {
            assert_eq!(parse(text.as_bytes()), Ok(value), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused_with_its_reason() {
        for (payload, reason) in [
            (&b"NaN"[..], RejectReason::NotFinite),
            (b"-inf", RejectReason::NotFinite),
            (b"1e999", RejectReason::NotFinite),
            (b"0x1F", RejectReason::WrongType),
            (b"21,5", RejectReason::WrongType),
            (b"1 2", RejectReason::WrongType),
            (b"--1", RejectReason::WrongType),
            (b"ON", RejectReason::WrongType),
            (b"\xff\xfe", RejectReason::BadText),
            (b"  ", RejectReason::Missing),
            (&[b'1'; 65], RejectReason::TooLarge),
        ] {
            assert_eq!(parse(payload).map_err(|(reason, _)| reason), Err(reason), "{payload:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_finite_number_comes_back_as_it_was_written(value: f64) {
            proptest::prop_assume!(value.is_finite());
            proptest::prop_assert_eq!(parse(format!("{value:e}").as_bytes()), Ok(value));
        }
    }
}
