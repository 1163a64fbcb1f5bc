//! Where checks of meaning put what they find: problems with their place in the file.

use std::path::Path as FilePath;

use toml::de::DeTable;

use super::shape::Shape;
use super::tree::{self, Lines, Path, Step};
use super::words::did_you_mean;
use super::{Level, Outside, PROBLEMS_MAX, Problem};
use crate::config::{Bytes, Secret, Span};

/// Longest identity.
const ID_BYTES_MAX: usize = 128;

pub(super) struct Look<'a> {
    lines: &'a Lines<'a>,
    root: &'a DeTable<'a>,
    pub(super) file: &'a FilePath,
    pub(super) shape: &'a Shape,
    pub(super) outside: Outside,
    found: Vec<(usize, Problem)>,
}

impl<'a> Look<'a> {
    pub(super) fn new(
        lines: &'a Lines<'a>,
        root: &'a DeTable<'a>,
        file: &'a FilePath,
        shape: &'a Shape,
        outside: Outside,
    ) -> Self {
        let mut look = Look { lines, root, file, shape, outside, found: Vec::new() };
        for fault in &shape.faults {
            let (message, hint) = fault.told.words(&fault.path);
            look.put(Level::Error, &fault.path, message, hint);
        }
        look
    }

    pub(super) fn error(&mut self, path: &Path, message: impl Into<String>) {
        self.note(Level::Error, path, message.into(), None);
    }

    pub(super) fn error_hint(&mut self, path: &Path, message: impl Into<String>, hint: Option<String>) {
        self.note(Level::Error, path, message.into(), hint);
    }

    pub(super) fn warn(&mut self, path: &Path, message: impl Into<String>, hint: Option<String>) {
        self.note(Level::Warning, path, message.into(), hint);
    }

    /// A fault within a text: the byte of it, told at the place in the file where the text is written without escapes.
    pub(super) fn error_within(&mut self, path: &Path, byte: usize, message: impl Into<String>, hint: Option<String>) {
        if self.shape.has_fault_beneath(path) {
            return;
        }
        let span = tree::get(self.root, &path.0).map(toml::Spanned::span);
        let at = span.and_then(|span| self.lines.within(span, byte));
        match at {
            Some(at) => self.put_at(at, Level::Error, path, message.into(), hint),
            None => self.put(Level::Error, path, message.into(), hint),
        }
    }

    fn note(&mut self, level: Level, path: &Path, message: String, hint: Option<String>) {
        // What was left out because it could not be read is not missing.
        if !self.shape.has_fault_beneath(path) {
            self.put(level, path, message, hint);
        }
    }

    fn put(&mut self, level: Level, path: &Path, message: String, hint: Option<String>) {
        self.put_at(tree::span(self.root, path).start, level, path, message, hint);
    }

    fn put_at(&mut self, at: usize, level: Level, path: &Path, message: String, hint: Option<String>) {
        let (file, line, column) = self.lines.place(at);
        let path = self.in_its_file(path, at).to_string();
        self.found.push((at, Problem { level, file: file.to_owned(), line, column, path, message, hint }));
    }

    /// Elements of an annex are counted from its own beginning.
    fn in_its_file(&self, path: &Path, at: usize) -> Path {
        let mut path = path.clone();
        if let [Step::Key(list), Step::Index(index), ..] = &mut path.0[..]
            && self.lines.is_annex(at)
            && let Some(elements) = self.root.get(list.as_str()).and_then(|value| value.get_ref().as_array())
        {
            *index -= elements.iter().take(*index).filter(|one| !self.lines.is_annex(one.span().start)).count();
        }
        path
    }

    /// Everything found, in the order of the file.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|(at, _)| *at);
        let n_found = self.found.len();
        let mut problems: Vec<_> = self.found.into_iter().take(PROBLEMS_MAX).map(|(_, problem)| problem).collect();
        if n_found >= PROBLEMS_MAX
            && let Some(last) = problems.last_mut()
        {
            last.level = Level::Error;
            last.hint = Some(format!("further problems are not listed ({PROBLEMS_MAX} are)"));
        }
        problems
    }

    /// Identities as the file has them, also of elements that could not be read.
    pub(super) fn ids(&self, list: &str) -> Vec<String> {
        let elements = self.root.get(list).and_then(|value| value.get_ref().as_array());
        let id = |element: &toml::Spanned<toml::de::DeValue<'_>>| {
            Some(element.get_ref().get("id")?.get_ref().as_str()?.to_owned())
        };
        elements.map(|elements| elements.iter().filter_map(id).collect()).unwrap_or_default()
    }

    /// Each identity must be text that can be named, and named once.
    pub(super) fn check_ids<'t>(&mut self, paths_and_ids: impl Iterator<Item = (Path, &'t str)>) {
        let mut seen: Vec<&str> = Vec::new();
        for (path, id) in paths_and_ids {
            let path = path.key("id");
            if id.is_empty() || id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
                self.error(&path, format!("an id has 1 to {ID_BYTES_MAX} bytes and no control characters"));
            } else if seen.contains(&id) {
                self.error(&path, format!("{id:?} is used twice"));
            }
            seen.push(id);
        }
    }

    pub(super) fn check_reference(&mut self, path: &Path, what: &str, id: &str, list: &str) {
        self.check_reference_to(path, what, id, &[list]);
    }

    /// The same for what may be in one of several lists.
    pub(super) fn check_reference_to(&mut self, path: &Path, what: &str, id: &str, lists: &[&str]) {
        let known: Vec<String> = lists.iter().flat_map(|list| self.ids(list)).collect();
        if !known.iter().any(|known| known == id) {
            self.error_hint(path, format!("there is no {what} {id:?}"), did_you_mean(id, &known));
        }
    }

    pub(super) fn check_positive(&mut self, path: &Path, span: Span) {
        if span.ms() <= 0 {
            self.error(path, "must be longer than nothing");
        }
    }

    pub(super) fn check_within<N: PartialOrd + std::fmt::Display>(&mut self, path: &Path, value: N, least: N, most: N) {
        if !(least <= value && value <= most) {
            self.error(path, format!("must be {least} to {most}, is {value}"));
        }
    }

    pub(super) fn check_bytes(&mut self, path: &Path, value: Bytes, least: u64, most: u64) {
        if !(least..=most).contains(&value.0) {
            self.error(path, format!("must be {least} to {most} bytes, is {}", value.0));
        }
    }

    pub(super) fn check_secret(&mut self, path: &Path, secret: Option<&Secret>) {
        let Some(secret) = secret else { return };
        if self.outside == Outside::Skipped {
            return;
        }
        match secret.read() {
            Ok(text) if text.is_empty() => self.error(path, format!("the secret in {secret:?} is empty")),
            Ok(_) => {}
            Err(error) => self.error(path, error.to_string()),
        }
    }

    /// Longitude, latitude.
    pub(super) fn check_place(&mut self, path: &Path, place: Option<[f64; 2]>) {
        let Some([lon, lat]) = place else { return };
        let is_swapped = (-90.0..=90.0).contains(&lon) && (90.0..=180.0).contains(&lat.abs());
        if !(-180.0..=180.0).contains(&lon) || !(-90.0..=90.0).contains(&lat) {
            let hint = is_swapped.then(|| "longitude comes first".to_owned());
            self.error_hint(path, format!("longitude {lon}, latitude {lat} is not on the globe"), hint);
        }
    }
}
