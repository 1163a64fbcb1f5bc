//! Reads a set of JSON pointers (RFC 6901) out of a document of JSON or CBOR in one pass: no tree, no allocation for numbers.
//! Knows nothing of what the values mean.
//!
//! The pointers form a trie that is walked as the parser streams; what no pointer wants is skipped unread. A key
//! that comes twice counts as it came last. Depth is bounded by the pointers, not by the document.

mod tokens;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::config::TimeUnit;

use super::Arrival;
use super::cbor::{Cbor, CborError};
use super::json::Encoding;
use super::matrix::{Matrix, MatrixFault, TemperatureUnit, read_matrix};
use super::modbus::read_registers;
use super::reject::Decoded;
use super::scalar::fault;
use super::time;

use self::tokens::index;
pub(super) use self::tokens::tokens;

/// Pointers in one mapping.
pub(super) const POINTERS_MAX: usize = 256;

/// Pointers to look for, each with what is wanted there. Slots are numbered in the order of `add`.
#[derive(Debug)]
pub(super) struct PointerSet {
    /// The first is the document itself.
    nodes: Vec<Node>,
    n_slots: usize,
}

#[derive(Debug, Default)]
struct Node {
    children: Vec<Child>,
    leaves: Vec<Leaf>,
    /// Slots of all nodes below this one.
    below: Vec<usize>,
}

#[derive(Debug)]
struct Child {
    key: String,
    /// Of the key: most keys are told apart by this alone.
    stamp: u32,
    /// The key as an array's index, where it is one.
    index: Option<usize>,
    node: usize,
}

#[derive(Debug, Clone, Copy)]
struct Leaf {
    slot: usize,
    want: Want,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Want {
    /// A number; true and false count as 1 and 0. Numbers in quotes are not numbers.
    Number,
    Time(TimeUnit),
    /// Whether the text is this one.
    Equals(&'static str),
    Matrix(TemperatureUnit),
    /// An array of Modbus registers.
    Registers,
}

/// What was found for one pointer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Slot {
    #[default]
    Absent,
    Null,
    Number(f64),
    TimeMs(i64),
    BadTime(String),
    Equals(bool),
    Matrix(Matrix),
    /// Of a matrix or of registers.
    BadMatrix(MatrixFault),
    Registers(Vec<u16>),
    /// Something else: what it is, to read after "found".
    Other(&'static str),
}

impl PointerSet {
    pub(super) fn new() -> Self {
        PointerSet { nodes: vec![Node::default()], n_slots: 0 }
    }

    /// Number of the pointer's slot.
    pub(super) fn add(&mut self, pointer: &str, want: Want) -> Result<usize, String> {
        let tokens = tokens(pointer)?;
        if self.n_slots >= POINTERS_MAX {
            return Err(format!("a mapping has at most {POINTERS_MAX} pointers"));
        }
        let slot = self.n_slots;
        self.n_slots += 1;
        let mut at = 0;
        for token in tokens {
            self.nodes[at].below.push(slot);
            at = match self.nodes[at].children.iter().find(|child| child.key == token) {
                Some(child) => child.node,
                None => {
                    let node = self.nodes.len();
                    self.nodes.push(Node::default());
                    self.nodes[at].children.push(Child {
                        index: index(&token),
                        stamp: stamp(token.as_bytes()),
                        key: token,
                        node,
                    });
                    node
                }
            };
        }
        self.nodes[at].leaves.push(Leaf { slot, want });
        Ok(slot)
    }

    /// Hands over the values of a payload, in the working memory of `out`; one that does not parse is a reject.
    pub(super) fn read(
        &self,
        encoding: Encoding,
        arrival: &Arrival<'_>,
        out: &mut Decoded,
        observe: impl FnOnce(&mut [Slot], &mut Decoded),
    ) {
        let mut slots = std::mem::take(&mut out.slots);
        let payload = arrival.payload;
        let extracted = match encoding {
            Encoding::Json => self.extract(payload, &mut slots).map_err(|error| fault(payload, &error)),
            Encoding::Cbor => self.extract_cbor(payload, &mut slots).map_err(|error| error.fault(payload)),
        };
        match extracted {
            Ok(()) => observe(&mut slots, out),
            Err((reason, place)) => out.reject(arrival, reason, format_args!("{place}")),
        }
        out.slots = slots;
    }

    /// Fills one slot per pointer. An error says that the document is not JSON, not even in parts.
    pub(super) fn extract(&self, document: &[u8], slots: &mut Vec<Slot>) -> Result<(), serde_json::Error> {
        // Looked at once as a whole, keys and texts need not be looked at one by one.
        match std::str::from_utf8(document) {
            Ok(text) => self.parse(serde_json::Deserializer::from_str(text), slots),
            // Where no pointer leads, texts may be anything; the parser says where it is not so.
            Err(_) => self.parse(serde_json::Deserializer::from_slice(document), slots),
        }
    }

    fn parse<'de, R: serde_json::de::Read<'de>>(
        &self,
        mut deserializer: serde_json::Deserializer<R>,
        slots: &mut Vec<Slot>,
    ) -> Result<(), serde_json::Error> {
        self.walk(slots).deserialize(&mut deserializer)?;
        deserializer.end()
    }

    /// The same of CBOR. Integer keys answer to their digits: `/7`.
    pub(super) fn extract_cbor(&self, document: &[u8], slots: &mut Vec<Slot>) -> Result<(), CborError> {
        let mut cbor = Cbor::new(document);
        self.walk(slots).deserialize(&mut cbor)?;
        cbor.end()
    }

    fn walk<'a>(&'a self, slots: &'a mut Vec<Slot>) -> Walk<'a> {
        slots.clear();
        slots.resize(self.n_slots, Slot::Absent);
        Walk { set: self, node: 0, slots }
    }
}

/// Length, first and last byte of a key.
fn stamp(key: &[u8]) -> u32 {
    let byte = |byte: Option<&u8>| u32::from(byte.copied().unwrap_or_default());
    (key.len() as u32) << 16 | byte(key.first()) << 8 | byte(key.last())
}

/// The parser at one node.
struct Walk<'a> {
    set: &'a PointerSet,
    node: usize,
    slots: &'a mut [Slot],
}

impl<'a> Walk<'a> {
    fn node(&self) -> &'a Node {
        &self.set.nodes[self.node]
    }

    /// Fills the slots that end here.
    fn fill(&mut self, found: impl Fn(Want) -> Slot) {
        for leaf in &self.node().leaves {
            self.slots[leaf.slot] = found(leaf.want);
        }
    }

    fn number(&mut self, number: f64) {
        self.fill(|want| match want {
            Want::Number => Slot::Number(number),
            Want::Time(unit) => time::from_number(number, unit).map_or(Slot::Other("a number"), Slot::TimeMs),
            Want::Equals(_) | Want::Matrix(_) | Want::Registers => Slot::Other("a number"),
        });
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // A second value for the same key wipes what the first one left, also further down.
        for slot in &self.node().below {
            self.slots[*slot] = Slot::Absent;
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(mut self) -> Result<(), E> {
        self.fill(|_| Slot::Null);
        Ok(())
    }

    fn visit_bool<E>(mut self, value: bool) -> Result<(), E> {
        self.fill(|want| match want {
            Want::Number => Slot::Number(f64::from(u8::from(value))),
            _ => Slot::Other("a boolean"),
        });
        Ok(())
    }

    fn visit_i64<E>(mut self, value: i64) -> Result<(), E> {
        self.number(value as f64);
        Ok(())
    }

    fn visit_u64<E>(mut self, value: u64) -> Result<(), E> {
        self.number(value as f64);
        Ok(())
    }

    fn visit_f64<E>(mut self, value: f64) -> Result<(), E> {
        self.number(value);
        Ok(())
    }

    fn visit_str<E>(mut self, value: &str) -> Result<(), E> {
        self.fill(|want| match want {
            Want::Time(TimeUnit::Iso) => time::from_text(value).map_or_else(Slot::BadTime, Slot::TimeMs),
            Want::Equals(text) => Slot::Equals(text == value),
            _ => Slot::Other("text"),
        });
        Ok(())
    }

    fn visit_bytes<E>(mut self, _: &[u8]) -> Result<(), E> {
        self.fill(|_| Slot::Other("bytes"));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.fill(|_| Slot::Other("an object"));
        while let Some(child) = map.next_key_seed(KeyOf(self.node()))? {
            match child {
                Some(node) => map.next_value_seed(Walk { set: self.set, node, slots: &mut *self.slots })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        self.fill(|_| Slot::Other("an array"));
        for leaf in &self.node().leaves {
            self.slots[leaf.slot] = match leaf.want {
                Want::Matrix(unit) => read_matrix(seq, unit)?.map_or_else(Slot::BadMatrix, Slot::Matrix),
                Want::Registers => read_registers(seq)?.map_or_else(Slot::BadMatrix, Slot::Registers),
                _ => continue,
            };
            return Ok(());
        }
        let last = self.node().children.iter().filter_map(|child| child.index).max();
        for i in 0..last.map_or(0, |last| last.saturating_add(1)) {
            let child = self.node().children.iter().find(|child| child.index == Some(i)).map(|child| child.node);
            let is_read = match child {
                Some(node) => seq.next_element_seed(Walk { set: self.set, node, slots: &mut *self.slots })?.is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !is_read {
                return Ok(());
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Reads a key and says which child it names.
struct KeyOf<'a>(&'a Node);

impl<'de> DeserializeSeed<'de> for KeyOf<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeyOf<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        let stamp = stamp(key.as_bytes());
        let is_it = |child: &&Child| child.stamp == stamp && child.key == key;
        Ok(self.0.children.iter().find(is_it).map(|child| child.node))
    }

    fn visit_u64<E>(self, key: u64) -> Result<Self::Value, E> {
        let is_it = |child: &&Child| child.index.is_some_and(|index| index as u64 == key);
        Ok(self.0.children.iter().find(is_it).map(|child| child.node))
    }

    fn visit_i64<E: Error>(self, key: i64) -> Result<Self::Value, E> {
        self.visit_str(&key.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn extract(document: &str, pointers: &[&str]) -> Vec<Slot> {
        let mut set = PointerSet::new();
        for pointer in pointers {
            set.add(pointer, Want::Number).unwrap();
        }
        let mut slots = Vec::new();
        set.extract(document.as_bytes(), &mut slots).unwrap();
        slots
    }

    #[test]
    fn the_examples_of_rfc_6901_resolve() {
        // Section 5, with numbers only.
        let document = r#"{"foo": [10, 11], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}"#;
        let pointers = ["/foo/0", "/", "/a~1b", "/c%d", "/e^f", "/g|h", "/i\\j", "/k\"l", "/ ", "/m~0n"];
        let expected: Vec<_> = [10, 0, 1, 2, 3, 4, 5, 6, 7, 8].map(|n| Slot::Number(n.into())).into();
        assert_eq!(extract(document, &pointers), expected);
    }

    #[test]
    fn the_document_itself_and_interior_values_can_be_wanted() {
        assert_eq!(extract("21.5", &[""]), [Slot::Number(21.5)]);
        assert_eq!(extract(r#"{"a": {"b": 1}}"#, &["/a", "/a/b"]), [Slot::Other("an object"), Slot::Number(1.0)]);
        assert_eq!(
            extract("[[1, 2], [3, 4]]", &["/1/0", "/2", "/01"]),
            [Slot::Number(3.0), Slot::Absent, Slot::Absent]
        );
    }

    #[test]
    fn what_is_no_number_is_named() {
        let document = r#"{"a": "1", "b": null, "c": true, "d": [], "e": {}, "f": -7}"#;
        assert_eq!(
            extract(document, &["/a", "/b", "/c", "/d", "/e", "/f", "/g"]),
            [
                Slot::Other("text"),
                Slot::Null,
                Slot::Number(1.0),
                Slot::Other("an array"),
                Slot::Other("an object"),
                Slot::Number(-7.0),
                Slot::Absent,
            ]
        );
    }

    #[test]
    fn a_repeated_key_counts_as_it_came_last() {
        assert_eq!(extract(r#"{"a": 1, "a": 2}"#, &["/a"]), [Slot::Number(2.0)]);
        assert_eq!(extract(r#"{"a": {"b": 1}, "a": {"c": 2}}"#, &["/a/b", "/a/c"]), [Slot::Absent, Slot::Number(2.0)]);
    }

    #[test]
    fn depth_is_the_pointers_and_not_the_documents() {
        let deep = format!("{{\"deep\": {}1{}, \"v\": 2}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(extract(&deep, &["/v"]), [Slot::Number(2.0)]);
        assert!(tokens(&"/a".repeat(17)).is_err());
    }

    #[test]
    fn pointers_that_are_none_are_refused() {
        for pointer in ["a", "/a~", "/a~2", "#/a"] {
            assert!(tokens(pointer).is_err(), "{pointer}");
        }
    }

    #[test]
    fn what_follows_the_document_is_an_error() {
        let mut set = PointerSet::new();
        set.add("/v", Want::Number).unwrap();
        let mut slots = Vec::new();
        for text in ["{\"v\": 1} x", "{\"v\": 1}{\"v\": 2}", "{\"v\": 1", "", "{\"v\": 1,}"] {
            assert!(set.extract(text.as_bytes(), &mut slots).is_err(), "{text}");
        }
    }

    fn any_tree() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "[a-c\"\\\\]{0,3}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::hash_map("[a-c0-2/~]", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// The same answer as serde_json's own tree and pointer.
        #[test]
        fn every_pointer_finds_what_a_tree_finds(tree in any_tree(), pointer in "(/([a-c0-2]|~0|~1)){0,3}") {
            let mut set = PointerSet::new();
            set.add(&pointer, Want::Number).unwrap();
            set.add("/a/1", Want::Number).unwrap();
            let mut slots = Vec::new();
            set.extract(tree.to_string().as_bytes(), &mut slots).unwrap();
            for (slot, pointer) in slots.iter().zip([pointer.as_str(), "/a/1"]) {
                let expected = match tree.pointer(pointer) {
                    None => Slot::Absent,
                    Some(serde_json::Value::Null) => Slot::Null,
                    Some(serde_json::Value::Bool(truth)) => Slot::Number(f64::from(u8::from(*truth))),
                    Some(serde_json::Value::Number(number)) => Slot::Number(number.as_f64().unwrap()),
                    Some(serde_json::Value::String(_)) => Slot::Other("text"),
                    Some(serde_json::Value::Array(_)) => Slot::Other("an array"),
                    Some(serde_json::Value::Object(_)) => Slot::Other("an object"),
                };
                prop_assert_eq!(slot, &expected, "{} in {}", pointer, tree);
            }
        }
    }
}
