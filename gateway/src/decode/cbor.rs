//! CBOR (RFC 8949) as a serde deserializer, so that mappings and SenML read it by the code that reads JSON. Borrows
//! from the payload; knows nothing of what the values mean.
//!
//! Tags are read through, but for those that make a number of what they hold: big numbers (2, 3), decimal fractions (4)
//! and big floats (5). Keys may be text or integers; what other keys lead to is skipped.

use std::fmt;

use minicbor::data::Type;
use minicbor::decode::{Decoder, Error};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::reject::RejectReason;

/// Deepest nesting of what is skipped; what is read is as deep as its reader goes.
const DEPTH_MAX: usize = 64;
/// Tags on one value.
const TAGS_MAX: usize = 8;
/// Bytes of a big number: more make no finite number.
const BIG_BYTES_MAX: usize = 128;

#[derive(Debug)]
pub(super) struct Cbor<'de> {
    decoder: Decoder<'de>,
}

/// Why a document does not parse.
#[derive(Debug)]
pub(super) struct CborError {
    reason: RejectReason,
    /// None where a reader refused what it got.
    at: Option<usize>,
    message: String,
}

impl<'de> Cbor<'de> {
    pub(super) fn new(document: &'de [u8]) -> Self {
        Cbor { decoder: Decoder::new(document) }
    }

    /// The document has been read and nothing follows it.
    pub(super) fn end(&self) -> Result<(), CborError> {
        match self.decoder.position() == self.decoder.input().len() {
            true => Ok(()),
            false => Err(self.error(RejectReason::NotCbor, "something follows the document")),
        }
    }

    fn error(&self, reason: RejectReason, message: &str) -> CborError {
        CborError { reason, at: Some(self.decoder.position()), message: message.to_owned() }
    }

    fn kind(&self) -> Result<Type, CborError> {
        Ok(self.decoder.datatype()?)
    }

    fn text(&mut self) -> Result<&'de str, CborError> {
        let at = self.decoder.position();
        self.decoder.str().map_err(|error| not_text(at, error))
    }

    /// Text that comes in pieces.
    fn pieces(&mut self) -> Result<String, CborError> {
        let at = self.decoder.position();
        let mut text = String::new();
        for piece in self.decoder.str_iter()? {
            text.push_str(piece.map_err(|error| not_text(at, error))?);
        }
        Ok(text)
    }

    /// Past one value, whatever it holds.
    fn skip(&mut self, depth: usize) -> Result<(), CborError> {
        if depth > DEPTH_MAX {
            return Err(self.error(RejectReason::TooDeep, "nested deeper than is read"));
        }
        let mut left = match self.kind()? {
            Type::Array | Type::ArrayIndef => self.decoder.array()?,
            // Twice u64::MAX is as good as u64::MAX: the payload ends before.
            Type::Map | Type::MapIndef => self.decoder.map()?.map(|n| n.saturating_mul(2)),
            Type::Tag => {
                self.decoder.tag()?;
                return self.skip(depth + 1);
            }
            // No more nesting: this is one value.
            _ => return Ok(self.decoder.skip()?),
        };
        while self.has_next(&mut left)? {
            self.skip(depth + 1)?;
        }
        Ok(())
    }

    /// Counts elements down; without a count they end with a break.
    fn has_next(&mut self, left: &mut Option<u64>) -> Result<bool, CborError> {
        match left {
            Some(0) => Ok(false),
            Some(n) => {
                *n -= 1;
                Ok(true)
            }
            None if self.kind()? == Type::Break => {
                self.decoder.set_position(self.decoder.position() + 1);
                *left = Some(0);
                Ok(false)
            }
            None => Ok(true),
        }
    }

    /// Past the tags of a value, as far as they say nothing of its number.
    fn numeric_tag(&mut self) -> Result<Option<u64>, CborError> {
        for _ in 0..TAGS_MAX {
            if self.kind()? != Type::Tag {
                return Ok(None);
            }
            let tag = self.decoder.tag()?.as_u64();
            if (2..=5).contains(&tag) {
                return Ok(Some(tag));
            }
        }
        Err(self.error(RejectReason::TooDeep, "more tags than are read"))
    }

    /// The number that a tagged value makes (3.4.3 and 3.4.4).
    fn tagged_number(&mut self, tag: u64) -> Result<f64, CborError> {
        if tag == 2 || tag == 3 {
            return self.big(tag == 3);
        }
        if self.kind()? != Type::Array || self.decoder.array()? != Some(2) {
            return Err(self.error(RejectReason::BadShape, "expected an exponent and a mantissa"));
        }
        let exponent = i128::from(self.decoder.int()?);
        let mantissa = match self.numeric_tag()? {
            Some(tag @ (2 | 3)) => self.big(tag == 3)?,
            Some(_) => return Err(self.error(RejectReason::BadShape, "expected an exponent and a mantissa")),
            None => {
                let mantissa = i128::from(self.decoder.int()?);
                if tag == 4 {
                    // By way of text, which rounds as it should: 273150 and -3 are 273.15.
                    return Ok(format!("{mantissa}e{exponent}").parse().unwrap_or(f64::NAN));
                }
                mantissa as f64
            }
        };
        let base = if tag == 4 { 10f64 } else { 2f64 };
        Ok(mantissa * base.powi(exponent.clamp(-5000, 5000) as i32))
    }

    fn big(&mut self, is_negative: bool) -> Result<f64, CborError> {
        let bytes = self.decoder.bytes()?;
        if bytes.len() > BIG_BYTES_MAX {
            return Err(self.error(RejectReason::NotFinite, "a number beyond 64 bits"));
        }
        let magnitude = bytes.iter().fold(0f64, |value, byte| value * 256.0 + f64::from(*byte));
        Ok(if is_negative { -1.0 - magnitude } else { magnitude })
    }
}

fn not_text(at: usize, error: Error) -> CborError {
    if error.is_end_of_input() {
        return error.into();
    }
    CborError { reason: RejectReason::BadText, at: Some(at), message: "text that is not UTF-8".into() }
}

impl<'de> Deserializer<'de> for &mut Cbor<'de> {
    type Error = CborError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        if let Some(tag) = self.numeric_tag()? {
            return visitor.visit_f64(self.tagged_number(tag)?);
        }
        match self.kind()? {
            Type::Bool => visitor.visit_bool(self.decoder.bool()?),
            Type::Null | Type::Undefined => {
                self.decoder.skip()?;
                visitor.visit_unit()
            }
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => visitor.visit_u64(self.decoder.u64()?),
            Type::I8 | Type::I16 | Type::I32 | Type::I64 => visitor.visit_i64(self.decoder.i64()?),
            Type::Int => visitor.visit_f64(i128::from(self.decoder.int()?) as f64),
            Type::F16 => visitor.visit_f64(f64::from(self.decoder.f16()?)),
            Type::F32 => visitor.visit_f64(f64::from(self.decoder.f32()?)),
            Type::F64 => visitor.visit_f64(self.decoder.f64()?),
            Type::String => visitor.visit_borrowed_str(self.text()?),
            Type::StringIndef => visitor.visit_string(self.pieces()?),
            Type::Bytes => visitor.visit_borrowed_bytes(self.decoder.bytes()?),
            Type::BytesIndef => {
                // Nobody reads bytes: that they are there is all that counts.
                self.decoder.skip()?;
                visitor.visit_borrowed_bytes(&[])
            }
            Type::Array | Type::ArrayIndef => {
                let left = self.decoder.array()?;
                visitor.visit_seq(Elements { cbor: self, left })
            }
            Type::Map | Type::MapIndef => {
                let left = self.decoder.map()?;
                visitor.visit_map(Elements { cbor: self, left })
            }
            Type::Simple | Type::Tag | Type::Break | Type::Unknown(_) => {
                Err(self.error(RejectReason::NotCbor, "no value that is known"))
            }
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.skip(0)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier
    }
}

struct Elements<'a, 'de> {
    cbor: &'a mut Cbor<'de>,
    left: Option<u64>,
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = CborError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, CborError> {
        match self.cbor.has_next(&mut self.left)? {
            true => seed.deserialize(&mut *self.cbor).map(Some),
            false => Ok(None),
        }
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = CborError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, CborError> {
        while self.cbor.has_next(&mut self.left)? {
            match self.cbor.kind()? {
                Type::String | Type::StringIndef => return seed.deserialize(&mut *self.cbor).map(Some),
                Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
                    return seed.deserialize(&mut *self.cbor).map(Some);
                }
                _ => {
                    self.cbor.skip(0)?;
                    self.cbor.skip(0)?;
                }
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, CborError> {
        seed.deserialize(&mut *self.cbor)
    }
}

impl CborError {
    /// The reason, and the place in words: `byte 118 of 240: end of input bytes`.
    pub(super) fn fault(&self, payload: &[u8]) -> (RejectReason, String) {
        let at = self.at.unwrap_or(payload.len()).min(payload.len());
        (self.reason, format!("byte {at} of {}: {}", payload.len(), self.message))
    }
}

impl From<Error> for CborError {
    fn from(error: Error) -> Self {
        let message = if error.is_end_of_input() { "the payload ends early" } else { "no value that is known" };
        CborError { reason: RejectReason::NotCbor, at: error.position(), message: message.to_owned() }
    }
}

impl fmt::Display for CborError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CborError {}

impl serde::de::Error for CborError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        CborError { reason: RejectReason::BadShape, at: None, message: message.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize as _;

    use super::*;
    use crate::decode::scalar::Scalar;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    }

    /// The first value, and whether it was all.
    fn read(hex: &str) -> Result<Scalar<'static>, RejectReason> {
        let document: &'static [u8] = bytes(hex).leak();
        let mut cbor = Cbor::new(document);
        let value = Scalar::deserialize(&mut cbor).map_err(|error| error.fault(document).0)?;
        cbor.end().map_err(|error| error.fault(document).0)?;
        Ok(value)
    }

    /// RFC 8949, appendix A.
    #[test]
    fn the_numbers_of_the_rfc_are_read() {
        for (hex, number) in [
            ("00", 0.0),
            ("1818", 24.0),
            ("1b000000e8d4a51000", 1_000_000_000_000.0),
            ("1bffffffffffffffff", 18_446_744_073_709_551_615.0),
            ("c249010000000000000000", 18_446_744_073_709_551_616.0),
            ("3bffffffffffffffff", -18_446_744_073_709_551_616.0),
            ("c349010000000000000000", -18_446_744_073_709_551_617.0),
            ("20", -1.0),
            ("3903e7", -1000.0),
            ("f93e00", 1.5),
            ("f90001", 5.960464477539063e-8),
            ("fa47c35000", 100_000.0),
            ("fb3ff199999999999a", 1.1),
            // Section 3.4.1: a date as a number. Section 3.4.4: 273.15 and 1.5.
            ("c11a514b67b0", 1_363_896_240.0),
            ("c48221196ab3", 273.15),
            ("c5822003", 1.5),
        ] {
            assert_eq!(read(hex), Ok(Scalar::Number(number)), "{hex}");
        }
    }

    #[test]
    fn other_values_of_the_rfc_are_told_apart() {
        assert_eq!(read("f4"), Ok(Scalar::Bool(false)));
        assert_eq!(read("f6"), Ok(Scalar::Null));
        assert_eq!(read("f7"), Ok(Scalar::Null));
        assert_eq!(read("6449455446"), Ok(Scalar::Text("IETF".into())));
        assert_eq!(read("7f657374726561646d696e67ff"), Ok(Scalar::Text("streaming".into())));
        assert_eq!(read("4401020304"), Ok(Scalar::Bytes));
        assert_eq!(read("5f42010243030405ff"), Ok(Scalar::Bytes));
        assert_eq!(read("83010203"), Ok(Scalar::Array));
        assert_eq!(read("9f018202039f0405ffff"), Ok(Scalar::Array));
        assert_eq!(read("a26161016162820203"), Ok(Scalar::Object));
        assert_eq!(read("bf61610161629f0203ffff"), Ok(Scalar::Object));
    }

    #[test]
    fn what_is_broken_is_told_with_its_reason() {
        let deep = "81".repeat(100) + "00";
        let tags = "d9d9f7".repeat(20) + "00";
        let endless = "9f".repeat(100_000);
        for (hex, reason) in [
            ("", RejectReason::NotCbor),
            ("1b0000", RejectReason::NotCbor),
            ("0000", RejectReason::NotCbor),
            ("ff", RejectReason::NotCbor),
            ("1c", RejectReason::NotCbor),
            ("62c328", RejectReason::BadText),
            ("9bffffffffffffffff00", RejectReason::NotCbor),
            ("bbffffffffffffffff00", RejectReason::NotCbor),
            ("c48101", RejectReason::BadShape),
            (&deep, RejectReason::TooDeep),
            (&tags, RejectReason::TooDeep),
            (&endless, RejectReason::TooDeep),
        ] {
            assert_eq!(read(hex), Err(reason), "{}", &hex[..hex.len().min(40)]);
        }
    }
}
