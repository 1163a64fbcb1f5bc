//! Reads every value of a JSON document with its path: `ENERGY.Power`, `switch:0.apower`, `rxInfo.0.rssi`. For formats
//! whose devices name their own values. One pass without a tree; depth, paths and values are bounded.

use std::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::reject::RejectReason;
use super::scalar::Scalar;

/// Deepest object or array that is looked into.
const DEPTH_MAX: usize = 10;
/// Values that are read of one document.
const VALUES_MAX: usize = 1024;
/// Longest path.
const PATH_BYTES_MAX: usize = 256;

/// What is done with a value at a path, or told of what is not read there.
pub(super) type Take<'t> = dyn FnMut(&str, Result<Scalar<'_>, RejectReason>) + 't;

/// An error says that the document is not JSON; what was taken before it may be half a document's.
/// `path` is working memory.
pub(super) fn walk(document: &[u8], path: &mut String, take: &mut Take<'_>) -> Result<(), serde_json::Error> {
    path.clear();
    let mut walk = Walk { path, depth: 0, n_values: 0, take };
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    Value(&mut walk).deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Words that stand for on and off, as devices write them: `ON`, `open`, `alarm`.
pub(super) fn state(text: &str) -> Option<f64> {
    const ON: &[&str] =
        &["on", "open", "true", "online", "alarm", "leak", "tilt", "lock", "locked", "occupied", "triggered", "yes"];
    const OFF: &[&str] =
        &["off", "close", "closed", "false", "offline", "normal", "unlock", "unlocked", "vacant", "untriggered", "no"];
    let is_one_of = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    match (is_one_of(ON), is_one_of(OFF)) {
        (true, _) => Some(1.0),
        (_, true) => Some(0.0),
        _ => None,
    }
}

/// The last part of a path that is no array's index: `Power` of `ENERGY.Power.1`.
pub(super) fn last_name(path: &str) -> &str {
    let is_index = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    path.rsplit('.').find(|part| !is_index(part)).unwrap_or(path)
}

struct Walk<'a, 't> {
    path: &'a mut String,
    depth: usize,
    n_values: usize,
    take: &'a mut Take<'t>,
}

impl Walk<'_, '_> {
    fn give(&mut self, value: Scalar<'_>) {
        self.n_values += 1;
        (self.take)(self.path, Ok(value));
    }

    fn refuse(&mut self, reason: RejectReason) {
        (self.take)(self.path, Err(reason));
    }

    /// Whether a further value is read; the first that is not is told.
    fn has_room(&mut self) -> bool {
        if self.n_values == VALUES_MAX {
            self.n_values += 1;
            self.refuse(RejectReason::TooLarge);
        }
        self.n_values < VALUES_MAX
    }

    /// One level down, unless that is too deep.
    fn enter(&mut self) -> bool {
        if self.depth >= DEPTH_MAX {
            self.refuse(RejectReason::TooDeep);
            return false;
        }
        self.depth += 1;
        true
    }

    /// Appends a part of a path. Too long or with control characters, it is not appended, and that is told.
    fn push(&mut self, part: &str) -> bool {
        if self.path.len() + part.len() >= PATH_BYTES_MAX {
            self.refuse(RejectReason::TooLarge);
            return false;
        }
        if part.chars().any(char::is_control) {
            self.refuse(RejectReason::BadText);
            return false;
        }
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(part);
        true
    }
}

struct Value<'w, 'a, 't>(&'w mut Walk<'a, 't>);

impl<'de> DeserializeSeed<'de> for Value<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.give(Scalar::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.give(Scalar::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.0.give(Scalar::Number(value as f64));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.0.give(Scalar::Number(value as f64));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.0.give(Scalar::Number(value));
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.0.give(Scalar::Text(value.into()));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let walk = self.0;
        if walk.enter() {
            let len = walk.path.len();
            while let Some(is_read) = map.next_key_seed(Key(walk))? {
                match is_read && walk.has_room() {
                    true => map.next_value_seed(Value(walk))?,
                    false => {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                walk.path.truncate(len);
            }
            walk.depth -= 1;
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let walk = self.0;
        if walk.enter() {
            let len = walk.path.len();
            for i in 0.. {
                if i >= VALUES_MAX {
                    walk.refuse(RejectReason::TooLarge);
                    break;
                }
                if !walk.has_room() {
                    break;
                }
                if !walk.path.is_empty() {
                    walk.path.push('.');
                }
                // Writing to memory cannot fail.
                let _ = write!(walk.path, "{i}");
                let is_read = seq.next_element_seed(Value(walk))?.is_some();
                walk.path.truncate(len);
                if !is_read {
                    walk.depth -= 1;
                    return Ok(());
                }
            }
            walk.depth -= 1;
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Appends a key to the path; says whether it was.
struct Key<'w, 'a, 't>(&'w mut Walk<'a, 't>);

impl<'de> DeserializeSeed<'de> for Key<'_, '_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(self.0.push(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut path = String::from("left over");
        walk(document.as_bytes(), &mut path, &mut |path, value| {
            found.push(match value {
                Ok(Scalar::Number(number)) => format!("{path}={number}"),
                Ok(other) => format!("{path}: {}", other.kind()),
                Err(reason) => format!("{path}! {}", reason.as_str()),
            });
        })
        .unwrap();
        found
    }

    #[test]
    fn every_value_has_its_path() {
        let document = r#"{"a":1,"b":{"c":2.5,"d":[3,{"e":"x"}]},"f":null,"g":[],"h":{},"":true,"i.j":4}"#;
        assert_eq!(read(document), ["a=1", "b.c=2.5", "b.d.0=3", "b.d.1.e: text", "f: null", ": a boolean", "i.j=4"]);
        assert_eq!(read("7"), ["=7"]);
        assert_eq!(read("[[1]]"), ["0.0=1"]);
    }

    #[test]
    fn what_is_too_much_is_told_once_and_the_rest_is_read() {
        let deep = format!("{{\"a\":{}1{},\"b\":2}}", "[".repeat(5000), "]".repeat(5000));
        let found = read(&deep);
        assert_eq!((found.len(), found[1].as_str()), (2, "b=2"));
        assert!(found[0].ends_with("! too_deep"), "{}", found[0]);
        let long = format!("{{\"{}\":1,\"b\":2}}", "k".repeat(300));
        assert_eq!(read(&long), ["! too_large", "b=2"]);
        for many in [format!("[{}1]", "1,".repeat(5000)), format!("{{{}\"b\":2}}", "\"a\":1,".repeat(5000))] {
            let found = read(&many);
            assert_eq!(found.len(), VALUES_MAX + 1);
            assert!(found[VALUES_MAX].ends_with("! too_large"), "{}", found[VALUES_MAX]);
        }
    }

    #[test]
    fn the_last_name_is_no_index() {
        assert_eq!(last_name("ENERGY.Power.1"), "Power");
        assert_eq!(last_name("battery"), "battery");
        assert_eq!(last_name("0.1"), "0.1");
    }

    #[test]
    fn no_word_is_both_on_and_off() {
        assert_eq!(
            (state("ON"), state("Closed"), state("tilt"), state("warm")),
            (Some(1.0), Some(0.0), Some(1.0), None)
        );
    }
}
