//! GeoJSON (RFC 7946) text to fences and problems, and a fence to GeoJSON. Knows nothing of files.
//!
//! A feature's id is the first of its `id` and the properties `id`, `code`, `adcode`, `gb`, `name` and `grid` that is
//! a number or text; `adcode` and `gb` are what Chinese boundary files call the code of a district.

mod feature;
mod problem;
mod write;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

pub(crate) use feature::Drawn;
pub use problem::{Label, Problem, ProblemKind};
pub use write::to_json;

use crate::coordinates::Coordinates;
use crate::fence::Fence;
use crate::shape::Severity;
use feature::{Reading, Refused, read_drawn, read_feature, read_geometry};

/// Bytes of one text.
pub const TEXT_BYTES_MAX: usize = 64 << 20;
/// Of one feature: a vertex has some 40 bytes, and one feature at a time is held as a tree of values.
pub const FEATURE_BYTES_MAX: usize = 4 << 20;
/// Features of one text; the further ones are counted and left out.
pub const FEATURES_MAX: usize = 100_000;
/// Characters of an id.
pub const ID_CHARS_MAX: usize = 100;
/// Problems that are listed of each severity, so that a thousand notes do not hide what is fatal.
pub const PROBLEMS_MAX: usize = 500;
/// Of text from outside that a message repeats; more than an id has, so that ids are repeated whole.
const QUOTE_CHARS_MAX: usize = 120;

/// What became of a text.
#[derive(Debug, Default)]
pub struct Parsed {
    /// In the order of the text, ids unique.
    pub fences: Vec<Fence>,
    /// In the order of the text. A feature with a fatal one is not among the fences.
    pub problems: Vec<Problem>,
}

/// The members of the outermost object that matter. Raw, because a feature that cannot be read must not cost others.
#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    features: Option<&'a RawValue>,
    #[serde(borrow)]
    crs: Option<&'a RawValue>,
}

/// Reads a FeatureCollection, a Feature or a bare geometry in WGS-84; see [`parse_in`].
pub fn parse(text: &str) -> Parsed {
    parse_in(text, Coordinates::Wgs84)
}

/// Reads a FeatureCollection, a Feature or a bare geometry, whose positions are of these coordinates; the fences, and
/// the positions that problems name, are WGS-84. Rings run either way. Never panics, never fails as a whole because of
/// one feature.
pub fn parse_in(text: &str, coordinates: Coordinates) -> Parsed {
    let mut reader = Reader::new(coordinates);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if reader.is_too_long(text) {
        return reader.finish();
    }
    match serde_json::from_str::<Outer>(text) {
        Ok(outer) => reader.read(&outer, text),
        // Some writers put NaN where a number is lacking. As null it spoils one feature and not the file.
        Err(error) => match without_nan(text) {
            Some(mended) if serde_json::from_str::<Outer>(&mended).is_ok() => return parse_in(&mended, coordinates),
            _ => reader.problem(Problem::of_text(ProblemKind::NotJson { reason: quote(&error.to_string()) })),
        },
    }
    reader.finish()
}

/// Collects fences, with ids of their own, and a bounded number of problems.
pub(crate) struct Reader {
    coordinates: Coordinates,
    parsed: Parsed,
    ids: HashSet<Arc<str>>,
    n_fatal: usize,
    n_notes: usize,
}

impl Reader {
    pub(crate) fn new(coordinates: Coordinates) -> Reader {
        Reader { coordinates, parsed: Parsed::default(), ids: HashSet::new(), n_fatal: 0, n_notes: 0 }
    }

    /// A text too long to be read, which is then a problem.
    pub(crate) fn is_too_long(&mut self, text: &str) -> bool {
        let is_long = text.len() > TEXT_BYTES_MAX;
        if is_long {
            self.problem(Problem::of_text(ProblemKind::TextTooLong { n_bytes: text.len() }));
        }
        is_long
    }

    fn read(&mut self, outer: &Outer, text: &str) {
        if let Some(crs) = outer.crs.map(RawValue::get).filter(|crs| is_foreign(crs)) {
            self.problem(Problem::of_text(ProblemKind::ForeignCrs { crs: quote(crs) }));
        }
        let kind = outer.kind.and_then(|kind| serde_json::from_str::<String>(kind.get()).ok());
        match kind.as_deref() {
            Some("FeatureCollection") => match outer.features.map(|raw| serde_json::from_str::<Features>(raw.get())) {
                Some(Ok(features)) => self.read_features(&features),
                _ => self.not_geojson("a FeatureCollection without an array of features"),
            },
            Some("Feature") => self.read_raw(text, Label::default(), read_feature),
            Some(geometry) if feature::is_geometry(geometry) => {
                self.read_raw(text, Label::default(), read_geometry);
            }
            Some(kind) => self.not_geojson(&format!("its type is {:?}", quote(kind))),
            None => self.not_geojson("it has no type"),
        }
    }

    fn read_features(&mut self, features: &Features) {
        for (index, raw) in features.raw.iter().enumerate() {
            let label = Label { index: Some(index), ..Label::default() };
            self.read_raw(raw.get(), label, read_feature);
        }
        if features.n > features.raw.len() {
            self.problem(Problem::of_text(ProblemKind::TooManyFeatures { n: features.n }));
        }
    }

    fn read_raw(&mut self, raw: &str, label: Label, read: fn(&serde_json::Value, Label, Coordinates) -> Reading) {
        if raw.len() > FEATURE_BYTES_MAX {
            let kind = ProblemKind::FeatureTooLong { n_bytes: raw.len() };
            return self.problem(Problem::of_feature(&label, kind));
        }
        let value = match serde_json::from_str(raw) {
            Ok(value) => value,
            Err(error) => {
                let kind = ProblemKind::Unreadable { reason: quote(&error.to_string()) };
                return self.problem(Problem::of_feature(&label, kind));
            }
        };
        let reading = read(&value, label, self.coordinates);
        self.keep(reading);
    }

    /// What another notation drew.
    pub(crate) fn read_drawn(&mut self, label: Label, draw: impl FnOnce() -> Result<Drawn, Refused>) {
        let label = Label { id: label.id.map(|id| quote(&id)), name: label.name.map(|name| quote(&name)), ..label };
        if label.id.as_ref().is_some_and(|id| id.chars().count() > ID_CHARS_MAX) {
            return self.problem(Problem::of_feature(&label, ProblemKind::BadId));
        }
        self.keep(read_drawn(draw(), label, self.coordinates));
    }

    fn keep(&mut self, Reading { label, fence, problems }: Reading) {
        for problem in problems {
            self.problem(problem);
        }
        let Some(fence) = fence else { return };
        if self.ids.insert(fence.id.clone()) {
            self.parsed.fences.push(fence);
        } else {
            self.problem(Problem::of_feature(&label, ProblemKind::DuplicateId));
        }
    }

    fn not_geojson(&mut self, found: &str) {
        self.problem(Problem::of_text(ProblemKind::NotGeoJson { found: found.to_owned() }));
    }

    fn problem(&mut self, problem: Problem) {
        let n = if problem.is_fatal() { &mut self.n_fatal } else { &mut self.n_notes };
        *n += 1;
        if *n <= PROBLEMS_MAX {
            self.parsed.problems.push(problem);
        }
    }

    pub(crate) fn finish(mut self) -> Parsed {
        for (n, severity) in [(self.n_fatal, Severity::Fatal), (self.n_notes, Severity::Note)] {
            if let Some(n) = n.checked_sub(PROBLEMS_MAX).filter(|&n| n > 0) {
                self.parsed.problems.push(Problem::of_text(ProblemKind::FurtherProblems { n, severity }));
            }
        }
        self.parsed
    }
}

/// An array of which no more than [`FEATURES_MAX`] elements are held; the rest are counted.
struct Features<'a> {
    raw: Vec<&'a RawValue>,
    n: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Features<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bounded;

        impl<'de> Visitor<'de> for Bounded {
            type Value = Features<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an array of features")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut raw = Vec::new();
                while raw.len() < FEATURES_MAX {
                    let Some(feature) = seq.next_element()? else {
                        let n = raw.len();
                        return Ok(Features { raw, n });
                    };
                    raw.push(feature);
                }
                let mut n = raw.len();
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    n += 1;
                }
                Ok(Features { raw, n })
            }
        }

        deserializer.deserialize_seq(Bounded)
    }
}

/// RFC 7946 has one coordinate system and no `crs`; older files name theirs. CGCS2000 (4490) is WGS-84 to a few
/// centimetres.
fn is_foreign(crs: &str) -> bool {
    !["CRS84", "4326", "4490"].iter().any(|known| crs.contains(known))
}

/// The text with `null` for each bare NaN and infinity; `None` where there is none.
fn without_nan(text: &str) -> Option<String> {
    const NOT_NUMBERS: [&str; 4] = ["NaN", "-NaN", "-Infinity", "Infinity"];
    let mut mended = String::with_capacity(text.len() + 64);
    let mut rest = text;
    let mut in_string = false;
    let mut n_mended = 0usize;
    while let Some(next) = rest.find(['"', '\\', 'N', 'I', '-']) {
        let (before, found) = rest.split_at(next);
        mended.push_str(before);
        let token = NOT_NUMBERS.iter().find(|token| !in_string && found.starts_with(**token));
        if let Some(token) = token {
            mended.push_str("null");
            n_mended += 1;
            rest = &found[token.len()..];
            continue;
        }
        // What follows a backslash in a string is part of it, also when it is a quote.
        let is_escape = in_string && found.starts_with('\\');
        in_string ^= found.starts_with('"');
        let taken: usize = found.chars().take(if is_escape { 2 } else { 1 }).map(char::len_utf8).sum();
        mended.push_str(&found[..taken]);
        rest = &found[taken..];
    }
    mended.push_str(rest);
    (n_mended > 0).then_some(mended)
}

fn quote(text: &str) -> String {
    text.chars().take(QUOTE_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
