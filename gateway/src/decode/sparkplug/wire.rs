//! Sparkplug B payloads on the wire, as far as decoders want them: protobuf messages declared by hand, so that no
//! compiler of theirs is needed. Fields that are not declared are skipped. Numbers: Sparkplug 3.0.0, section 6.4.1.

use bytes::Bytes;
use prost::Message;

use crate::config::unit;

/// Largest metric that is read: names, properties and a number are far below it.
pub(super) const METRIC_BYTES_MAX: usize = 64 * 1024;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Payload {
    #[prost(uint64, optional, tag = "1")]
    pub(super) timestamp: Option<u64>,
    /// Each a [`Metric`], decoded one by one: a broken one does not take the others with it.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub(super) metrics: Vec<Bytes>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) seq: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Metric {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(uint64, optional, tag = "2")]
    pub(super) alias: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) timestamp: Option<u64>,
    #[prost(uint32, optional, tag = "4")]
    pub(super) datatype: Option<u32>,
    #[prost(bool, optional, tag = "7")]
    pub(super) is_null: Option<bool>,
    #[prost(message, optional, tag = "9")]
    properties: Option<PropertySet>,
    #[prost(uint32, optional, tag = "10")]
    int_value: Option<u32>,
    #[prost(uint64, optional, tag = "11")]
    long_value: Option<u64>,
    #[prost(float, optional, tag = "12")]
    float_value: Option<f32>,
    #[prost(double, optional, tag = "13")]
    double_value: Option<f64>,
    #[prost(bool, optional, tag = "14")]
    pub(super) boolean_value: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
struct PropertySet {
    #[prost(string, repeated, tag = "1")]
    keys: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    values: Vec<PropertyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct PropertyValue {
    #[prost(string, optional, tag = "8")]
    string_value: Option<String>,
}

pub(super) const BOOLEAN: u32 = 11;
const DATE_TIME: u32 = 13;

impl Metric {
    /// The number of a value; none where it has none: text, bytes, sets, templates, dates.
    pub(super) fn number(&self, datatype: u32) -> Option<f64> {
        if self.is_null == Some(true) || datatype == DATE_TIME {
            return None;
        }
        let boolean = self.boolean_value.map(|truth| f64::from(u8::from(truth)));
        let float = self.float_value.map(f64::from).or(self.double_value);
        boolean.or(float).or_else(|| {
            // Signed integers travel as unsigned ones of one size or the other, depending on the sender.
            let bits = self.int_value.map(u64::from).or(self.long_value)?;
            Some(match datatype {
                1 => f64::from(bits as i8),
                2 => f64::from(bits as i16),
                3 => f64::from(bits as i32),
                4 => bits as i64 as f64,
                _ => bits as f64,
            })
        })
    }

    /// The type where it needs no birth: said with the value, or plain by the field that the value is in.
    pub(super) fn plain_type(&self) -> Option<u32> {
        let is_plain = self.boolean_value.is_some() || self.float_value.is_some() || self.double_value.is_some();
        self.datatype.or(is_plain.then_some(0))
    }

    /// The whole number of `bdSeq`.
    pub(super) fn whole(&self) -> Option<u64> {
        self.long_value.or(self.int_value.map(u64::from))
    }

    /// Of the property `engUnit`, where it is one that is known.
    pub(super) fn unit(&self) -> Option<&'static str> {
        let PropertySet { keys, values } = self.properties.as_ref()?;
        let at = keys.iter().position(|key| key == "engUnit")?;
        unit::meant(values.get(at)?.string_value.as_deref()?)
    }
}

/// Asks a node for a new birth (section 6.4.17, `Node Control/Rebirth`).
pub(super) fn rebirth(now_ms: i64) -> Vec<u8> {
    let timestamp = u64::try_from(now_ms).ok();
    let metric = Metric {
        name: Some("Node Control/Rebirth".into()),
        timestamp,
        datatype: Some(BOOLEAN),
        boolean_value: Some(true),
        ..Metric::default()
    };
    Payload { timestamp, metrics: vec![metric.encode_to_vec().into()], seq: None }.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes are those of Google's protobuf for the same message.
    #[test]
    fn a_rebirth_is_asked_for_as_another_encoder_writes_it() {
        let expected = "0890eea5c3ca3312210a144e6f646520436f6e74726f6c2f526562697274\
                        681890eea5c3ca33200b7001";
        let found: String = rebirth(1_772_352_010_000).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn signed_numbers_are_read_in_either_size() {
        let int = |bits| Metric { int_value: Some(bits), ..Metric::default() };
        let long = |bits| Metric { long_value: Some(bits), ..Metric::default() };
        assert_eq!(int(0xffff_fffd).number(1), Some(-3.0));
        assert_eq!(int(0xfd).number(1), Some(-3.0));
        assert_eq!(int(0xfff4).number(2), Some(-12.0));
        assert_eq!(long(0xffff_fff4).number(3), Some(-12.0));
        assert_eq!(long(u64::MAX).number(4), Some(-1.0));
        assert_eq!(long(4_000_000_000).number(7), Some(4e9));
        assert_eq!(int(7).number(13), None);
    }
}
