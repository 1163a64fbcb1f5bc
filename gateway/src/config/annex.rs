//! The annex: a second file of the configuration, which the gateway writes. It has tables of the kinds that the console edits, and
//! is edited as text, element by element, so that what people wrote in it stays as they wrote it. Pure: knows no files.

use std::fmt;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use outpost_fences::geojson;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Largest text of one element: a fence has some 40 bytes a corner.
pub const ELEMENT_BYTES_MAX: usize = 512 << 10;

/// What may be changed over the API.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Console {
    /// The file that the console writes to, relative to the configuration's folder; none: it writes nothing.
    pub annex: Option<PathBuf>,
    /// Room on disk for the observations of late, which drafts of rules are tried on; none: none are kept.
    pub recent: Option<super::Bytes>,
    /// The map under all that is shown on one; none: the district's own fences are the map.
    pub map: Option<super::BaseMap>,
}

/// Tables of which an annex has elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Cameras,
    Sources,
    Fences,
    Rules,
}

impl Table {
    pub const ALL: [Table; 4] = [Table::Cameras, Table::Sources, Table::Fences, Table::Rules];

    pub fn as_str(self) -> &'static str {
        match self {
            Table::Cameras => "cameras",
            Table::Sources => "sources",
            Table::Fences => "fences",
            Table::Rules => "rules",
        }
    }

    pub fn parse(text: &str) -> Option<Table> {
        Table::ALL.into_iter().find(|table| table.as_str() == text)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An element as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub table: Table,
    /// Of a fence that stands in the file: its own; of a file of fences: its path.
    pub id: String,
    /// From its header on, with the comment right above it.
    pub text: String,
    /// Whether it stands in the annex, and so can be changed over the API.
    pub is_annex: bool,
}

/// Why an element cannot be put or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("the annex cannot be edited: {0}")]
    Annex(String),
    /// Line of the draft, from 1.
    #[error("line {line}: {message}")]
    Draft { line: usize, message: String },
    #[error("there is no element {id:?} of {table} in the annex")]
    Nothing { table: Table, id: String },
}

/// What is wrong at a byte of an annex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) at: usize,
    pub(super) message: String,
}

/// Where an element stands.
struct Stretch {
    table: Table,
    id: String,
    bytes: Range<usize>,
    /// Parts of it stand behind other elements.
    is_scattered: bool,
}

/// What makes a text no annex: all that is wrong with its TOML, and what an annex may not have.
pub(super) fn misfits(text: &str) -> Vec<Misfit> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let misfit = |error: &toml::de::Error| Misfit {
            at: error.span().map_or(0, |span| span.start),
            message: error.message().to_owned(),
        };
        return errors.iter().map(misfit).collect();
    }
    let mut found = Vec::new();
    for (key, value) in root.get_ref().iter() {
        let name = key.get_ref();
        let known = Table::ALL.map(Table::as_str).join(", ");
        if Table::parse(name).is_none() {
            found.push(Misfit { at: key.span().start, message: format!("an annex has only {known}, no {name}") });
        } else if !is_listed_by_headers(text, value) {
            let message = format!("in an annex each element has a header of its own: [[{name}]]");
            found.push(Misfit { at: key.span().start, message });
        }
    }
    found
}

/// What an annex may not name: variables, and files but secrets in the folder beside it. Who may write it over the API shall not
/// have other files read by that, and sent to a camera's address as its password.
pub(super) fn strangers(text: &str, secrets: &Path) -> Vec<Misfit> {
    let mut found = Vec::new();
    if let Ok(root) = DeTable::parse(text) {
        note_strangers(root.get_ref(), secrets, &mut found);
    }
    found
}

fn note_strangers(table: &DeTable<'_>, secrets: &Path, found: &mut Vec<Misfit>) {
    for (key, value) in table.iter() {
        let within = |file: &str| {
            let name = Path::new(file).strip_prefix(secrets).ok();
            name.is_some_and(|name| matches!(&name.components().collect::<Vec<_>>()[..], [Component::Normal(_)]))
        };
        match (&**key.get_ref(), value.get_ref()) {
            ("env", DeValue::String(_)) => {
                found.push(Misfit { at: key.span().start, message: "an annex names no variables".to_owned() });
            }
            ("file" | "ca_file", DeValue::String(file)) if !within(file) => {
                let message = format!("an annex names no files but those in {}", secrets.display());
                found.push(Misfit { at: key.span().start, message });
            }
            (_, DeValue::Table(inner)) => note_strangers(inner, secrets, found),
            (_, DeValue::Array(inner)) => {
                let tables = inner.iter().filter_map(|one| one.get_ref().as_table());
                tables.for_each(|inner| note_strangers(inner, secrets, found));
            }
            _ => {}
        }
    }
}

/// Beside the annex: files of the passwords that came with a table of cameras.
pub fn secrets_folder(annex: &Path) -> PathBuf {
    let folder = annex.with_extension("secrets");
    std::path::absolute(&folder).unwrap_or(folder)
}

/// All elements of the tables of an annex in a text, be it an annex or not, that have a header of their own; `seam`: from
/// which byte on it is one.
pub(super) fn written(text: &str, root: &DeTable<'_>, seam: usize) -> Vec<Written> {
    let written = |stretch: Stretch| Written {
        table: stretch.table,
        id: stretch.id,
        is_annex: stretch.bytes.start >= seam,
        text: text[stretch.bytes].trim_end().to_owned() + "\n",
    };
    stretches(text, root).into_iter().map(written).collect()
}

/// The annex with the element of that identity as the draft says, in place of what it was or at the end, and the line of the
/// annex on which the draft begins, from 1.
pub fn put(annex: &str, table: Table, id: &str, draft: &str) -> Result<(String, usize), EditError> {
    let draft = draft.trim_matches(['\n', '\r']);
    let fault = |at: usize, message: String| EditError::Draft { line: line_of(draft, at), message };
    if draft.len() > ELEMENT_BYTES_MAX {
        return Err(fault(0, format!("an element has at most {ELEMENT_BYTES_MAX} bytes")));
    }
    if let Some(misfit) = misfits(draft).into_iter().next() {
        return Err(fault(misfit.at, misfit.message));
    }
    let one = format!("a draft is one element, which begins with [[{table}]]");
    let root = DeTable::parse(draft).map_err(|error| fault(0, error.message().to_owned()))?;
    let [element] = &stretches(draft, root.get_ref())[..] else { return Err(fault(0, one)) };
    if element.table != table {
        return Err(fault(element.bytes.start, one));
    }
    if element.id != id {
        return Err(fault(element.bytes.start, format!("the draft is of {:?}, the address says {id:?}", element.id)));
    }
    let (bytes, place) = match find(annex, table, id)? {
        Some((bytes, place)) => (bytes, Some(place)),
        None => (annex.len()..annex.len(), None),
    };
    let mut edited = annex[..bytes.start].to_owned();
    if place.is_none() && !edited.is_empty() {
        edited.truncate(edited.trim_end().len());
        edited.push_str("\n\n");
    }
    let line = line_of(&edited, edited.len());
    edited.push_str(draft);
    edited.push('\n');
    let rest = &annex[bytes.end..];
    if !rest.is_empty() {
        edited.push('\n');
        edited.push_str(rest);
    }
    let mut meant = values(annex)?;
    let element = values(draft)?.remove(table.as_str()).and_then(|list| list.as_array()?.first().cloned());
    let list = meant.entry(table.as_str()).or_insert_with(|| toml::Value::Array(Vec::new()));
    if let (Some(list), Some(element)) = (list.as_array_mut(), element) {
        match place {
            Some(place) => list[place] = element,
            None => list.push(element),
        }
    }
    same(&edited, &meant)?;
    Ok((edited, line))
}

/// The annex with new elements at its end, and the line on which each begins, from 1. What the elements say is not looked at.
pub fn append(annex: &str, elements: &[String]) -> Result<(String, Vec<usize>), EditError> {
    let mut edited = annex.trim_end().to_owned();
    let mut lines = Vec::new();
    for element in elements {
        edited.push_str(if edited.is_empty() { "" } else { "\n\n" });
        lines.push(line_of(&edited, edited.len()));
        edited.push_str(element.trim_end());
    }
    edited.push('\n');
    let before = values(annex)?;
    let mut kept = values(&edited)?;
    for (table, list) in &mut kept {
        let n_before = before.get(table).and_then(|list| list.as_array()).map_or(0, Vec::len);
        list.as_array_mut().into_iter().for_each(|list| list.truncate(n_before));
    }
    kept.retain(|table, _| before.contains_key(table));
    if kept != before {
        return Err(EditError::Annex("what it says elsewhere would change; edit the file by hand".to_owned()));
    }
    Ok((edited, lines))
}

/// The elements of a text that is TOML; none where it is not.
pub fn elements(text: &str, seam: usize) -> Vec<Written> {
    DeTable::parse(text).map(|root| written(text, root.get_ref(), seam)).unwrap_or_default()
}

/// The annex without an element.
pub fn remove(annex: &str, table: Table, id: &str) -> Result<String, EditError> {
    let nothing = || EditError::Nothing { table, id: id.to_owned() };
    let (bytes, place) = find(annex, table, id)?.ok_or_else(nothing)?;
    let edited = annex[..bytes.start].to_owned() + &annex[bytes.end..];
    let mut meant = values(annex)?;
    if let Some(list) = meant.get_mut(table.as_str()).and_then(toml::Value::as_array_mut) {
        list.remove(place);
        if list.is_empty() {
            meant.remove(table.as_str());
        }
    }
    same(&edited, &meant)?;
    Ok(edited)
}

/// The bytes of an element and its place among those of its table.
fn find(annex: &str, table: Table, id: &str) -> Result<Option<(Range<usize>, usize)>, EditError> {
    if let Some(Misfit { at, message }) = misfits(annex).into_iter().next() {
        return Err(EditError::Annex(format!("line {}: {message}", line_of(annex, at))));
    }
    let root = DeTable::parse(annex).map_err(|error| EditError::Annex(error.message().to_owned()))?;
    let own = stretches(annex, root.get_ref()).into_iter().filter(|stretch| stretch.table == table);
    let Some((place, stretch)) = own.enumerate().find(|(_, stretch)| stretch.id == id) else { return Ok(None) };
    if stretch.is_scattered {
        let line = line_of(annex, stretch.bytes.start);
        return Err(EditError::Annex(format!("line {line}: parts of {id:?} stand behind other elements")));
    }
    Ok(Some((stretch.bytes, place)))
}

fn values(text: &str) -> Result<toml::Table, EditError> {
    text.parse().map_err(|error: toml::de::Error| EditError::Annex(error.message().to_owned()))
}

/// What was cut out and put in as text must be what was meant: whatever else is in the annex is untouched.
fn same(edited: &str, meant: &toml::Table) -> Result<(), EditError> {
    let is_same = values(edited)? == *meant;
    let refused = || EditError::Annex("what it says elsewhere would change; edit the file by hand".to_owned());
    is_same.then_some(()).ok_or_else(refused)
}

/// The line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn is_listed_by_headers(text: &str, value: &Spanned<DeValue<'_>>) -> bool {
    let is_header = |element: &Spanned<DeValue<'_>>| text[element.span().start..].starts_with("[[");
    value.get_ref().as_array().is_some_and(|elements| elements.iter().all(is_header))
}

/// Elements in the order of the text.
fn stretches(text: &str, root: &DeTable<'_>) -> Vec<Stretch> {
    let mut owners: Vec<Option<(Table, String)>> = Vec::new();
    // Where something with a header begins, and whose it is.
    let mut headers: Vec<(usize, usize)> = Vec::new();
    for (key, value) in root.iter() {
        let table = Table::parse(key.get_ref()).filter(|_| is_listed_by_headers(text, value));
        match (table, value.get_ref().as_array()) {
            (Some(table), Some(elements)) => {
                for element in elements.iter() {
                    owners.push(Some((table, identity(table, element.get_ref()))));
                    note_headers(element, owners.len() - 1, &mut headers);
                }
            }
            _ => {
                owners.push(None);
                note_headers(value, owners.len() - 1, &mut headers);
            }
        }
    }
    let mut headers: Vec<_> = headers.into_iter().map(|(at, owner)| (line_start(text, at), owner)).collect();
    headers.sort_unstable();
    headers.dedup_by_key(|(_, owner)| *owner);
    let mut found = Vec::new();
    for (n, (start, owner)) in headers.iter().enumerate() {
        let Some((table, id)) = owners[*owner].take() else { continue };
        let end = headers.get(n + 1).map_or(text.len(), |(next, _)| above(text, *next));
        let is_scattered = headers[n + 1..].iter().any(|(_, other)| other == owner);
        found.push(Stretch { table, id, bytes: above(text, *start)..end, is_scattered });
    }
    found
}

fn note_headers(value: &Spanned<DeValue<'_>>, owner: usize, headers: &mut Vec<(usize, usize)>) {
    match value.get_ref() {
        DeValue::Table(table) => {
            headers.push((value.span().start, owner));
            table.iter().for_each(|(_, inner)| note_headers(inner, owner, headers));
        }
        DeValue::Array(array) => array.iter().for_each(|inner| note_headers(inner, owner, headers)),
        _ => {}
    }
}

fn identity(table: Table, element: &DeValue<'_>) -> String {
    let text = |key: &str| element.get(key).and_then(|value| value.get_ref().as_str());
    if table != Table::Fences {
        return text("id").unwrap_or_default().to_owned();
    }
    let drawn = || geojson::parse(text("geojson")?).fences.first().map(|fence| fence.id.to_string());
    drawn().or_else(|| text("file").map(str::to_owned)).unwrap_or_default()
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |line_end| line_end + 1)
}

/// The beginning of the comment right above a line, or the line.
fn above(text: &str, line: usize) -> usize {
    let mut start = line;
    while start > 0 {
        let before = line_start(text, start - 1);
        if !text[before..start].trim_start().starts_with('#') {
            break;
        }
        start = before;
    }
    start
}

#[cfg(test)]
mod tests;
