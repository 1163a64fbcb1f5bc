//! The parsed text of a configuration: paths into it, where they stand, and taking things out of it.

use std::fmt;
use std::ops::Range;
use std::path::Path as FilePath;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Where something is in the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Path(pub(super) Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// Byte offsets to lines and columns.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    file: &'a FilePath,
    annex: Option<Seam<'a>>,
}

/// From which byte on a text is that of another file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seam<'a> {
    pub(super) at: usize,
    pub(super) file: &'a FilePath,
}

impl Path {
    pub(super) fn key(&self, key: &str) -> Path {
        self.step(Step::Key(key.to_owned()))
    }

    pub(super) fn index(&self, index: usize) -> Path {
        self.step(Step::Index(index))
    }

    pub(super) fn step(&self, step: Step) -> Path {
        let mut steps = self.0.clone();
        steps.push(step);
        Path(steps)
    }

    pub(super) fn starts_with(&self, other: &Path) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if i == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str, file: &'a FilePath, annex: Option<Seam<'a>>) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Lines { text, starts: std::iter::once(0).chain(ends).collect(), file, annex }
    }

    /// File, line and column of a byte, the last two from 1.
    pub(super) fn place(&self, at: usize) -> (&'a FilePath, usize, usize) {
        let (line, column) = self.position(at);
        match self.annex.filter(|seam| seam.at <= at) {
            Some(seam) => (seam.file, line + 1 - self.position(seam.at).0, column),
            None => (self.file, line, column),
        }
    }

    /// Whether a byte is beyond the seam.
    pub(super) fn is_annex(&self, at: usize) -> bool {
        self.annex.is_some_and(|seam| seam.at <= at)
    }

    /// Line and column of a byte in the whole text, both from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let at = at.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts[line - 1];
        let column = self.text.get(start..at).map_or(at - start, |before| before.chars().count());
        (line, column + 1)
    }

    /// Where a byte of a text stands, given where the text does with its quotes; none where it is written with escapes.
    pub(super) fn within(&self, text: Range<usize>, byte: usize) -> Option<usize> {
        let written = self.text.get(text.clone())?;
        let opening = ["\"\"\"\r\n", "\"\"\"\n", "\"\"\"", "'''\r\n", "'''\n", "'''", "\"", "'"];
        let quotes = opening.into_iter().find(|quotes| written.starts_with(quotes))?;
        let is_literal = quotes.starts_with('\'') || !written.contains('\\');
        is_literal.then(|| (text.start + quotes.len() + byte).min(text.end - 1))
    }
}

/// The value at a path.
pub(super) fn get<'t, 'i>(root: &'t DeTable<'i>, path: &[Step]) -> Option<&'t Spanned<DeValue<'i>>> {
    let (first, rest) = path.split_first()?;
    let Step::Key(key) = first else { return None };
    rest.iter().try_fold(root.get(key.as_str())?, |value, step| child(value.get_ref(), step))
}

pub(super) fn child<'t, 'i>(value: &'t DeValue<'i>, step: &Step) -> Option<&'t Spanned<DeValue<'i>>> {
    match step {
        Step::Key(key) => value.as_table()?.get(key.as_str()),
        Step::Index(index) => value.as_array()?.get(*index),
    }
}

/// Steps to the children, in the order in which they are read.
pub(super) fn children(value: &DeValue<'_>) -> Vec<Step> {
    match value {
        DeValue::Table(table) => table.keys().map(|key| Step::Key(key.get_ref().to_string())).collect(),
        DeValue::Array(array) => (0..array.len()).map(Step::Index).collect(),
        _ => Vec::new(),
    }
}

/// Where a reader should look for the path: its key, else its value, else what is nearest around it.
pub(super) fn span(root: &DeTable<'_>, path: &Path) -> Range<usize> {
    for n_steps in (1..=path.0.len()).rev() {
        let steps = &path.0[..n_steps];
        let Some(value) = get(root, steps) else { continue };
        let is_whole = n_steps == path.0.len();
        return match steps.split_last() {
            // A missing key is told at the table that lacks it.
            Some((Step::Key(key), around)) if is_whole || value.get_ref().as_table().is_none() => {
                key_span(root, around, key).unwrap_or_else(|| value.span())
            }
            _ => value.span(),
        };
    }
    0..0
}

fn key_span(root: &DeTable<'_>, around: &[Step], key: &str) -> Option<Range<usize>> {
    let table = if around.is_empty() { root } else { get(root, around)?.get_ref().as_table()? };
    table.get_key_value(key).map(|(key, _)| key.span())
}

/// Takes out what is at the path.
pub(super) fn remove(root: &mut DeTable<'_>, path: &[Step]) {
    let Some((last, around)) = path.split_last() else { return };
    if around.is_empty() {
        if let Step::Key(key) = last {
            root.remove(key.as_str());
        }
        return;
    }
    let Some(parent) = get_mut(root, around) else { return };
    match (parent, last) {
        (DeValue::Table(table), Step::Key(key)) => {
            table.remove(key.as_str());
        }
        (DeValue::Array(array), Step::Index(index)) => {
            let mut kept = DeArray::new();
            for (i, value) in std::mem::replace(array, DeArray::new()).into_iter().enumerate() {
                if i != *index {
                    kept.push(value);
                }
            }
            *array = kept;
        }
        _ => {}
    }
}

pub(super) fn get_mut<'t, 'i>(root: &'t mut DeTable<'i>, path: &[Step]) -> Option<&'t mut DeValue<'i>> {
    let (first, rest) = path.split_first()?;
    let Step::Key(key) = first else { return None };
    let mut value = root.get_mut(key.as_str())?.get_mut();
    for step in rest {
        value = match (value, step) {
            (DeValue::Table(table), Step::Key(key)) => table.get_mut(key.as_str())?.get_mut(),
            (DeValue::Array(array), Step::Index(index)) => array.get_mut(*index)?.get_mut(),
            _ => return None,
        };
    }
    Some(value)
}
