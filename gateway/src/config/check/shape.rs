//! Keys and types. Each element of the file (a broker, a rule…) is read by itself, and what is wrong in it is taken out
//! and read again, so that all errors are found and not only the first.

use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::PROBLEMS_MAX;
use super::tree::{self, Path, Step};
use super::words::{Told, is_secret, nearest};
use crate::config::Config;

/// Faults that are taken out of one element.
const REPAIRS_MAX: usize = 64;

/// Something for every type that a key can have.
const FILLINGS: [&str; 10] = [
    "''",
    "'1s'",
    "'minor'",
    "1",
    "true",
    "{ kind = 'silent', after = '1s' }",
    "{ kind = 'owntracks' }",
    "{ kind = 'webhook', url = '' }",
    "{ env = '' }",
    "[]",
];

type Key<'i> = Spanned<DeString<'i>>;

/// What could be read, and what could not.
pub(super) struct Shape {
    /// Where there are faults, only good for further checks: something stands in place of what could not be read.
    pub(super) config: Config,
    pub(super) faults: Vec<Fault>,
    /// Places in the file of the elements of each list that were read.
    origins: Vec<(String, Vec<usize>)>,
}

/// A value that is not of its type, or a key that is not known or missing.
#[derive(Debug)]
pub(super) struct Fault {
    /// In the file as it stands.
    pub(super) path: Path,
    pub(super) told: Told,
}

impl Shape {
    /// Place in the file of an element that was read.
    pub(super) fn origin(&self, list: &str, i: usize) -> Path {
        let places = self.origins.iter().find(|(key, _)| key == list);
        let place = places.and_then(|(_, places)| places.get(i)).copied().unwrap_or(i);
        Path::default().key(list).index(place)
    }

    pub(super) fn has_fault_beneath(&self, path: &Path) -> bool {
        self.faults.iter().any(|fault| match &fault.told {
            Told::MissingKey { key } => fault.path.key(key).starts_with(path),
            _ => fault.path.starts_with(path),
        })
    }
}

pub(super) fn read(root: &DeTable<'_>) -> Shape {
    let mut kept = DeTable::new();
    let (mut faults, mut origins) = (Vec::new(), Vec::new());
    for (key, value) in root.iter() {
        let name = key.get_ref().to_string();
        let Some(elements) = elements_of(key, value) else {
            let part = Part::new(Path::default().key(&name), key.clone(), value.clone());
            if let Some(sound) = part.mend(&mut faults) {
                kept.insert(key.clone(), sound);
            }
            continue;
        };
        let (mut sound_ones, mut places) = (DeArray::new(), Vec::new());
        for (i, element) in elements.iter().enumerate() {
            let mut alone = DeArray::new();
            alone.push(element.clone());
            let alone = Spanned::new(value.span(), DeValue::Array(alone));
            let part = Part::new(Path::default().key(&name).index(i), key.clone(), alone);
            if let Some(sound) = part.mend(&mut faults) {
                if let DeValue::Array(array) = sound.into_inner() {
                    array.into_iter().for_each(|element| sound_ones.push(element));
                }
                places.push(i);
            }
        }
        origins.push((name, places));
        if !sound_ones.is_empty() {
            kept.insert(key.clone(), Spanned::new(value.span(), DeValue::Array(sound_ones)));
        }
    }
    match parse(&kept) {
        Ok(config) => Shape { config, faults, origins },
        Err(error) => {
            // Every part was read by itself, so this cannot be; if it is, it is told and not hidden.
            faults.push(Fault { path: Path::default(), told: Told::parse(error.message()) });
            Shape { config: empty(), faults, origins: Vec::new() }
        }
    }
}

/// The elements of a list of tables, where the key is one that holds a list.
fn elements_of<'t, 'i>(key: &Key<'i>, value: &'t Spanned<DeValue<'i>>) -> Option<&'t DeArray<'i>> {
    let elements = value.get_ref().as_array()?;
    let mut without = DeTable::new();
    without.insert(key.clone(), Spanned::new(value.span(), DeValue::Array(DeArray::new())));
    let is_list = elements.iter().all(|element| element.get_ref().is_table()) && parse(&without).is_ok();
    is_list.then_some(elements)
}

fn parse(root: &DeTable<'_>) -> Result<Config, toml::de::Error> {
    Config::deserialize(toml::de::Deserializer::from(Spanned::new(0..0, root.clone())))
}

fn empty() -> Config {
    Config {
        district: Default::default(),
        store: Default::default(),
        evidence: Default::default(),
        api: Default::default(),
        console: Default::default(),
        pipeline: Default::default(),
        video: Default::default(),
        objects: None,
        desk: Default::default(),
        places: Default::default(),
        roads: None,
        centres: Vec::new(),
        people: Vec::new(),
        scores: Vec::new(),
        brokers: Vec::new(),
        listeners: Vec::new(),
        feeds: Vec::new(),
        cameras: Vec::new(),
        sources: Vec::new(),
        fences: Vec::new(),
        land: Default::default(),
        calendars: Vec::new(),
        rules: Vec::new(),
        receivers: Vec::new(),
        series: None,
        lights: Vec::new(),
        open311: None,
        intake: Vec::new(),
        written: Arc::default(),
    }
}

fn missing_key(document: &DeTable<'_>) -> Option<String> {
    match Told::parse(parse(document).err()?.message()) {
        Told::MissingKey { key } => Some(key),
        _ => None,
    }
}

/// One element in a document of its own.
struct Part<'i> {
    document: DeTable<'i>,
    key: String,
    /// Path in the document, and in the file.
    at: Path,
    in_file: Path,
    /// What was taken out, by its path in the file.
    removed: Vec<Path>,
}

impl<'i> Part<'i> {
    fn new(in_file: Path, key: Key<'i>, value: Spanned<DeValue<'i>>) -> Self {
        let name = key.get_ref().to_string();
        let mut document = DeTable::new();
        document.insert(key, value);
        let at = match in_file.0.last() {
            Some(Step::Index(_)) => Path::default().key(&name).index(0),
            _ => Path::default().key(&name),
        };
        Part { document, key: name, at, in_file, removed: Vec::new() }
    }

    /// The element without its faults; none where nothing of it can be used.
    fn mend(mut self, faults: &mut Vec<Fault>) -> Option<Spanned<DeValue<'i>>> {
        for _ in 0..REPAIRS_MAX {
            if faults.len() >= PROBLEMS_MAX {
                return None;
            }
            let Err(error) = parse(&self.document) else { return self.document.remove(self.key.as_str()) };
            let told = Told::parse(error.message());
            let at = self.locate(&error, &told);
            let path = self.path_in_file(&at);
            if !self.is_consequence(&path, &told) {
                faults.push(Fault { path: path.clone(), told: told.clone() });
            }
            self.note_meant(&path, &told);
            if !self.fill_in(&at, &told) && !self.take_out(&at, &told) {
                return None;
            }
        }
        None
    }

    /// A key that was meant is not missing as well.
    fn note_meant(&mut self, path: &Path, told: &Told) {
        if let Told::UnknownKey { key, known } = told
            && let Some(meant) = nearest(key, known)
        {
            let mut around = path.clone();
            around.0.pop();
            self.removed.push(around.key(meant));
        }
    }

    /// A key that is missing because it was taken out, or the table that it belongs to.
    fn is_consequence(&self, path: &Path, told: &Told) -> bool {
        match told {
            Told::MissingKey { key } => {
                let missing = path.key(key);
                self.removed.iter().any(|gone| missing.starts_with(gone))
            }
            _ => false,
        }
    }

    /// Puts something in place of a missing key, so that the rest of its table can be checked.
    fn fill_in(&mut self, at: &Path, told: &Told) -> bool {
        let Told::MissingKey { key } = told else { return false };
        for text in FILLINGS {
            let mut filled = self.document.clone();
            let Ok(value) = DeValue::parse(text) else { continue };
            let Some(DeValue::Table(table)) = tree::get_mut(&mut filled, &at.0) else { return false };
            table.insert(Spanned::new(0..0, key.clone().into()), value);
            let is_next = parse(&filled).err().is_none_or(|error| match Told::parse(error.message()) {
                Told::MissingKey { key: next } => next != *key,
                _ => false,
            });
            if is_next {
                self.document = filled;
                return true;
            }
        }
        false
    }

    /// Takes out what is at fault, and says whether something is left.
    fn take_out(&mut self, at: &Path, told: &Told) -> bool {
        let mut at = at.clone();
        // Without one number, a point or a list of texts is another one: the whole key goes.
        let is_element = |at: &Path, root: &DeTable<'_>| {
            let is_table = tree::get(root, &at.0).is_some_and(|value| value.get_ref().is_table());
            matches!(at.0.last(), Some(Step::Index(_))) && !is_table
        };
        while !matches!(told, Told::MissingKey { .. }) && at != self.at && is_element(&at, &self.document) {
            at.0.pop();
        }
        let in_file = self.path_in_file(&at);
        // A table that stands in for one that was taken out is of no use either.
        if self.at.starts_with(&at) || self.removed.contains(&in_file) {
            return false;
        }
        self.removed.push(in_file);
        tree::remove(&mut self.document, &at.0);
        true
    }

    /// The same place in the file, where elements that were taken out still stand.
    fn path_in_file(&self, at: &Path) -> Path {
        let mut path = self.in_file.clone();
        for step in at.0.iter().skip(self.at.0.len()) {
            path = match step {
                Step::Key(_) => path.step(step.clone()),
                Step::Index(index) => path.index(self.index_in_file(&path, *index)),
            };
        }
        path
    }

    fn index_in_file(&self, list: &Path, index: usize) -> usize {
        let mut gone: Vec<usize> = self
            .removed
            .iter()
            .filter(|path| path.0.len() == list.0.len() + 1 && path.starts_with(list))
            .filter_map(|path| match path.0.last() {
                Some(Step::Index(index)) => Some(*index),
                _ => None,
            })
            .collect();
        gone.sort_unstable();
        gone.into_iter().fold(index, |index, gone| if gone <= index { index + 1 } else { index })
    }

    /// The smallest thing that is at fault. The parser's position is as near as it knows; within a table whose type
    /// depends on its `kind` it knows only the table, and there we find out by leaving things away.
    fn locate(&self, error: &toml::de::Error, told: &Told) -> Path {
        let mut at = self.by_position(error).unwrap_or_else(|| self.at.clone());
        while let Some(step) = self.descend(&at, error, told) {
            at = at.step(step);
        }
        if let Some(n_steps) = at.0.iter().position(is_secret) {
            at.0.truncate(n_steps + 1);
        }
        at
    }

    /// The deepest value or key that stands where the parser says.
    fn by_position(&self, error: &toml::de::Error) -> Option<Path> {
        let span = error.span()?;
        let mut found = None;
        let mut waiting = vec![self.at.clone()];
        while let Some(at) = waiting.pop() {
            let Some(value) = tree::get(&self.document, &at.0) else { continue };
            if value.span() == span || tree::span(&self.document, &at) == span {
                found = found.filter(|other: &Path| other.0.len() > at.0.len()).or(Some(at.clone()));
            }
            waiting.extend(tree::children(value.get_ref()).into_iter().map(|step| at.step(step)));
        }
        found
    }

    fn descend(&self, at: &Path, error: &toml::de::Error, told: &Told) -> Option<Step> {
        let value = tree::get(&self.document, &at.0)?.get_ref();
        let mut steps = tree::children(value);
        if steps.is_empty() {
            return None;
        }
        // A list of the wrong length is at fault itself, and not its last number.
        let is_length = error.message().starts_with("invalid length");
        let same = |document: &DeTable<'_>| parse(document).is_err_and(|other| other.message() == error.message());
        if matches!(told, Told::MissingKey { .. }) {
            // A table within, without which the key is not missing.
            return steps.into_iter().find(|step| {
                let mut without = self.document.clone();
                tree::remove(&mut without, &at.step(step.clone()).0);
                let holds = tree::child(value, step).is_some_and(|child| !tree::children(child.get_ref()).is_empty());
                // Without a table that must be there, it is the table that is missing.
                let is_needed = matches!(step, Step::Key(key) if missing_key(&without).as_ref() == Some(key));
                holds && !is_needed && !same(&without)
            });
        }
        // Children are read one by one, `kind` before all: the first whose coming brings the error is at fault.
        steps.sort_by_key(|step| *step != Step::Key("kind".into()));
        let mut grown = self.document.clone();
        steps.iter().rev().for_each(|step| tree::remove(&mut grown, &at.step(step.clone()).0));
        if same(&grown) {
            return None;
        }
        for step in &steps {
            let child = tree::child(value, step)?;
            match (tree::get_mut(&mut grown, &at.0)?, step) {
                (DeValue::Table(table), Step::Key(key)) => {
                    table.insert(Spanned::new(0..0, key.clone().into()), child.clone());
                }
                (DeValue::Array(array), Step::Index(_)) => array.push(child.clone()),
                _ => return None,
            }
            if same(&grown) {
                let is_number = tree::children(child.get_ref()).is_empty();
                return (!(is_length && is_number)).then(|| step.clone());
            }
        }
        None
    }
}
