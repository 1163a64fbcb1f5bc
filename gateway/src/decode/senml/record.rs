//! One SenML record as it is written, and the base values it builds on. Section numbers are those of RFC 8428.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::config::{TimeUnit, unit};
use crate::decode::reject::{RejectReason, excerpt};
use crate::decode::scalar::Scalar;
use crate::decode::{Arrival, time};

/// Longest resolved name.
const NAME_BYTES_MAX: usize = 256;
/// Version of this document (4.4); senders of later ones say so, and must not be misread.
const VERSION: f64 = 10.0;
/// Times below 2^28 count from now (4.5.3).
const ABSOLUTE_S: f64 = 268_435_456.0;

/// A reject without its record.
pub(super) type Fault = (RejectReason, String);

/// Base values in force (4.1).
#[derive(Default)]
pub(super) struct Base {
    pub(super) name: String,
    time_s: f64,
    pub(super) unit: Option<&'static str>,
    value: f64,
    version: Option<f64>,
}

/// One record's own fields (4.2).
#[derive(Default)]
pub(super) struct Record<'de> {
    pub(super) name: Option<Scalar<'de>>,
    pub(super) unit: Option<Scalar<'de>>,
    time: Option<Scalar<'de>>,
    value: Option<Scalar<'de>>,
    boolean: Option<Scalar<'de>>,
    text: Option<Scalar<'de>>,
    opaque: Option<Scalar<'de>>,
    sum: Option<Scalar<'de>>,
    base_name: Option<Scalar<'de>>,
    base_time: Option<Scalar<'de>>,
    base_unit: Option<Scalar<'de>>,
    base_value: Option<Scalar<'de>>,
    base_version: Option<Scalar<'de>>,
    /// An extension that must not be read past (4.4).
    pub(super) must_understand: Option<String>,
}

impl Base {
    /// Nothing is in force yet; the buffer's memory is used for names.
    pub(super) fn new(mut buffer: String) -> Self {
        buffer.clear();
        Base { name: buffer, ..Base::default() }
    }

    pub(super) fn update(&mut self, record: &Record<'_>) -> Result<(), Fault> {
        if let Some(version) = &record.base_version {
            let version = number("/bver", version)?;
            if !(1.0..=VERSION).contains(&version) || version.fract() != 0.0 {
                return Err((RejectReason::OutOfRange, format!("/bver: version {version} is not known")));
            }
            // 4.4: the version is the pack's, not the record's.
            if *self.version.get_or_insert(version) != version {
                return Err((RejectReason::BadShape, format!("/bver: version {version} after another")));
            }
        }
        if let Some(name) = &record.base_name {
            let Scalar::Text(name) = name else { return Err(wrong("/bn", "text", name)) };
            if name.len() > NAME_BYTES_MAX {
                return Err((RejectReason::TooLarge, format!("/bn: a name of {} bytes", name.len())));
            }
            self.name.clear();
            self.name.push_str(name);
        }
        if let Some(time) = &record.base_time {
            self.time_s = number("/bt", time)?;
        }
        if let Some(unit) = &record.base_unit {
            self.unit = Some(known_unit("/bu", unit)?);
        }
        if let Some(value) = &record.base_value {
            self.value = number("/bv", value)?;
        }
        Ok(())
    }
}

pub(super) enum Found {
    Number(f64),
    Ignored,
}

impl<'de> Record<'de> {
    fn set(&mut self, key: Key, value: Scalar<'de>) {
        let field = match key {
            Key::Name => &mut self.name,
            Key::Unit => &mut self.unit,
            Key::Time => &mut self.time,
            Key::Value => &mut self.value,
            Key::Boolean => &mut self.boolean,
            Key::Text => &mut self.text,
            Key::Opaque => &mut self.opaque,
            Key::Sum => &mut self.sum,
            Key::BaseName => &mut self.base_name,
            Key::BaseTime => &mut self.base_time,
            Key::BaseUnit => &mut self.base_unit,
            Key::BaseValue => &mut self.base_value,
            Key::BaseVersion => &mut self.base_version,
            Key::MustUnderstand(label) => {
                self.must_understand = Some(label);
                return;
            }
            Key::Unknown => return,
        };
        // A label that comes twice counts as it came last.
        *field = Some(value);
    }

    pub(super) fn value_of(&self, base: &Base) -> Result<Found, Fault> {
        let n_values = [&self.value, &self.boolean, &self.text, &self.opaque].iter().filter(|v| v.is_some()).count();
        if n_values > 1 {
            return Err((RejectReason::BadShape, ": more than one of v, vb, vs and vd".into()));
        }
        if let Some(value) = &self.value {
            let value = number("/v", value)? + base.value;
            if !value.is_finite() {
                return Err((RejectReason::NotFinite, "/v: its sum with bv is not finite".into()));
            }
            return Ok(Found::Number(value));
        }
        match &self.boolean {
            Some(Scalar::Bool(value)) => return Ok(Found::Number(f64::from(u8::from(*value)))),
            Some(other) => return Err(wrong("/vb", "a boolean", other)),
            None => {}
        }
        let sets_base = [&self.base_name, &self.base_time, &self.base_unit, &self.base_value, &self.base_version]
            .iter()
            .any(|field| field.is_some());
        let is_bare = self.name.is_none() && self.unit.is_none() && self.time.is_none();
        if self.text.is_some() || self.opaque.is_some() || self.sum.is_some() || (sets_base && is_bare) {
            return Ok(Found::Ignored);
        }
        Err((RejectReason::Missing, ": no value".into()))
    }

    pub(super) fn at_ms(&self, base: &Base, arrival: &Arrival<'_>) -> Result<i64, Fault> {
        let own_s = match &self.time {
            None => 0.0,
            Some(time) => number("/t", time)?,
        };
        let time_s = base.time_s + own_s;
        let ms = time::from_number(time_s, TimeUnit::S).unwrap_or(i64::MAX);
        let at_ms = if time_s < ABSOLUTE_S { arrival.received_ms.saturating_add(ms) } else { ms };
        time::bounded(at_ms, arrival.received_ms, arrival.ahead_max_ms)
            .map_err(|cause| (RejectReason::BadTime, format!("/t: {cause}")))
    }
}

fn number(label: &str, value: &Scalar<'_>) -> Result<f64, Fault> {
    match value {
        Scalar::Number(number) => Ok(*number),
        Scalar::Null => Err((RejectReason::Missing, format!("{label}: null"))),
        other => Err(wrong(label, "a number", other)),
    }
}

pub(super) fn known_unit(label: &str, value: &Scalar<'_>) -> Result<&'static str, Fault> {
    let Scalar::Text(text) = value else { return Err(wrong(label, "text", value)) };
    unit::known(text).ok_or_else(|| (RejectReason::UnknownUnit, format!("{label}: unit {}", excerpt(text))))
}

pub(super) fn wrong(label: &str, expected: &str, found: &Scalar<'_>) -> Fault {
    (RejectReason::WrongType, format!("{label}: expected {expected}, found {}", found.kind()))
}

/// 4.5.1: letters, digits and `- : . / _`, the first a letter or digit.
pub(super) fn check_name(name: &str) -> Result<(), Fault> {
    if name.is_empty() {
        return Err((RejectReason::Missing, "/n: neither a name nor a base name".into()));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err((RejectReason::TooLarge, format!("/n: a name of {} bytes", name.len())));
    }
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-:./_".contains(&byte);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.bytes().all(is_allowed) {
        return Err((RejectReason::BadText, format!("/n: the name {} is not allowed", excerpt(name))));
    }
    Ok(())
}

/// The labels of section 4.3.
enum Key {
    Name,
    Unit,
    Time,
    Value,
    Boolean,
    Text,
    Opaque,
    Sum,
    BaseName,
    BaseTime,
    BaseUnit,
    BaseValue,
    BaseVersion,
    MustUnderstand(String),
    Unknown,
}

impl Key {
    fn parse(label: &str) -> Key {
        match label {
            "n" => Key::Name,
            "u" => Key::Unit,
            "t" => Key::Time,
            "v" => Key::Value,
            "vb" => Key::Boolean,
            "vs" => Key::Text,
            "vd" => Key::Opaque,
            "s" => Key::Sum,
            "bn" => Key::BaseName,
            "bt" => Key::BaseTime,
            "bu" => Key::BaseUnit,
            "bv" => Key::BaseValue,
            "bver" => Key::BaseVersion,
            _ if label.ends_with('_') => Key::MustUnderstand(excerpt(label)),
            // Update time, base sum, links: nothing that an observation says.
            _ => Key::Unknown,
        }
    }

    /// The labels of CBOR, section 6, table 4.
    fn of_number(label: i64) -> Key {
        match label {
            0 => Key::Name,
            1 => Key::Unit,
            2 => Key::Value,
            3 => Key::Text,
            4 => Key::Boolean,
            5 => Key::Sum,
            6 => Key::Time,
            8 => Key::Opaque,
            -1 => Key::BaseVersion,
            -2 => Key::BaseName,
            -3 => Key::BaseTime,
            -4 => Key::BaseUnit,
            -5 => Key::BaseValue,
            _ => Key::Unknown,
        }
    }
}

/// Reads one record; what is no object is named.
pub(super) struct RecordSeed;

impl<'de> DeserializeSeed<'de> for RecordSeed {
    type Value = Result<Record<'de>, &'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed {
    type Value = Result<Record<'de>, &'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Err("null"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Err("a boolean"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Err("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Err("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Err("a number"))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Err("text"))
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Self::Value, E> {
        Ok(Err("bytes"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err("an array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut record = Record::default();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            match key {
                Key::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
                key => record.set(key, map.next_value()?),
            }
        }
        Ok(Ok(record))
    }
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a label")
    }

    fn visit_str<E>(self, label: &str) -> Result<Key, E> {
        Ok(Key::parse(label))
    }

    fn visit_u64<E>(self, label: u64) -> Result<Key, E> {
        Ok(i64::try_from(label).map_or(Key::Unknown, Key::of_number))
    }

    fn visit_i64<E>(self, label: i64) -> Result<Key, E> {
        Ok(Key::of_number(label))
    }
}
