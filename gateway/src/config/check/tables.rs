//! Tables of centres and people that the configuration names: read in before anything is checked, so that what is in them is
//! checked as if it stood in the file.

use std::path::{Path as FilePath, PathBuf};

use super::look::Look;
use super::tree::Path;
use crate::config::{Config, fence_file, places};

/// What is wrong with the tables themselves.
pub(super) type Faults = Vec<(Path, String)>;

/// Adds what the tables say to what the file says.
pub(super) fn read(config: &mut Config, file: &FilePath) -> Faults {
    let folder = file.parent().unwrap_or(FilePath::new("")).to_owned();
    let mut faults = Faults::new();
    if let Some(table) = config.places.centres.clone() {
        let centres = of(&folder, &table, &Path::default().key("places").key("centres"), &mut faults, places::centres);
        config.centres.extend(centres);
    }
    if let Some(table) = config.places.people.clone() {
        let people = of(&folder, &table, &Path::default().key("places").key("people"), &mut faults, places::people);
        config.people.extend(people);
    }
    faults
}

fn of<T>(
    folder: &FilePath,
    table: &PathBuf,
    at: &Path,
    faults: &mut Faults,
    parse: impl Fn(&str) -> (Vec<T>, Vec<String>),
) -> Vec<T> {
    match fence_file::read(&folder.join(table)) {
        Ok(text) => {
            let (found, problems) = parse(&text);
            let told = |problem: String| (at.clone(), format!("{}: {problem}", table.display()));
            faults.extend(problems.into_iter().map(told));
            found
        }
        Err(error) => {
            faults.push((at.clone(), error));
            Vec::new()
        }
    }
}

/// Where an element of a list stands: in the file, or in a line of a table that the file names.
pub(super) struct Stand {
    at: Path,
    line: Option<String>,
}

impl Stand {
    /// `list` is also the key of `places` that names the table.
    pub(super) fn new(look: &Look<'_>, list: &str, i: usize, line: Option<u64>) -> Stand {
        match line {
            None => Stand { at: look.shape.origin(list, i), line: None },
            Some(line) => Stand { at: Path::default().key("places").key(list), line: Some(format!("line {line}: ")) },
        }
    }

    pub(super) fn key(&self, key: &str) -> Path {
        if self.line.is_some() { self.at.clone() } else { self.at.key(key) }
    }

    pub(super) fn entry(&self, key: &str, i: usize) -> Path {
        if self.line.is_some() { self.at.clone() } else { self.at.key(key).index(i) }
    }

    pub(super) fn at(&self) -> &Path {
        &self.at
    }

    /// What is said of it, with its line where that is elsewhere.
    pub(super) fn say(&self, what: impl std::fmt::Display) -> String {
        format!("{}{what}", self.line.as_deref().unwrap_or_default())
    }
}
