//! Text of a configuration file → configuration, or every problem of it at once, each with line, column and a hint.
//! Reads what the file names (secrets, fence files, certificates) and starts nothing.
//!
//! - [`tree`]: the parsed text with its positions
//! - [`shape`]: keys and types, element by element, so that one error does not hide the next
//! - [`words`]: a parser's errors in our words, and "did you mean"
//! - [`look`]: where checks of meaning put what they find
//! - [`tables`]: centres and people that stand in files of their own
//! - [`parts`], [`console`], [`receivers`], [`outside`], [`lights`], [`listeners`], [`feeds`], [`cameras`], [`calendars`], [`desk`], [`scores`],
//!   [`rules`], [`readings`], [`conditions`], [`movement`], [`fences`], [`objects`]: what must hold beyond the types

mod calendars;
mod cameras;
mod conditions;
mod console;
mod desk;
mod feeds;
mod fences;
mod heat;
mod lights;
mod listeners;
mod look;
mod movement;
mod objects;
mod outside;
mod parts;
mod pictures;
mod readings;
mod receivers;
mod rules;
mod scores;
mod shape;
mod tables;
mod tree;
mod view;
mod words;

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::Config;
use super::annex::{Misfit, misfits, secrets_folder, strangers, written};

use look::Look;
use tree::{Lines, Seam};

/// Problems that are listed; a file with more is not read to its end by anybody.
pub const PROBLEMS_MAX: usize = 200;
/// Largest configuration file.
pub const TEXT_BYTES_MAX: usize = 8 << 20;

/// What a check found. There is a configuration exactly where no problem is an error.
#[derive(Debug)]
pub struct Checked {
    pub config: Option<Config>,
    /// In the order of the file.
    pub problems: Vec<Problem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub level: Level,
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// Characters from 1.
    pub column: usize,
    /// E.g. `rules[3].detect.zone`; empty where the text does not parse.
    pub path: String,
    pub message: String,
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing starts with it.
    Error,
    /// Likely a mistake, but it can be meant.
    Warning,
}

/// Why a configuration was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum Problems {
    #[error("cannot read {file}: {cause}")]
    Unreadable { file: PathBuf, cause: std::io::Error },
    #[error("{}", listed(.0))]
    Found(Vec<Problem>),
}

/// Reads and checks a file; warnings are logged.
pub fn load(file: &Path) -> Result<Config, Problems> {
    let text = std::fs::read_to_string(file).map_err(|cause| Problems::Unreadable { file: file.to_owned(), cause })?;
    let Checked { config, problems } = check(&text, file);
    let Some(config) = config else { return Err(Problems::Found(problems)) };
    for problem in &problems {
        warn!(%problem, "configuration has a warning");
    }
    Ok(config)
}

/// Checks a text as if it lay at `file`, with everything that it names outside itself, its annex among it.
pub fn check(text: &str, file: &Path) -> Checked {
    let Some(annex) = annex_of(text, file) else { return checked(text, file, Outside::Looked, None) };
    match std::fs::read_to_string(&annex) {
        Ok(text_of_it) => checked(text, file, Outside::Looked, Some((&text_of_it, &annex))),
        // Until something is written to it there is none.
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            checked(text, file, Outside::Looked, Some(("", &annex)))
        }
        Err(cause) => {
            let message = format!("cannot read {}: {cause}", annex.display());
            Checked { config: None, problems: vec![problem_at(&Lines::new(text, file, None), 0, message)] }
        }
    }
}

/// The same with this text in place of what is in its annex.
pub fn check_with(text: &str, file: &Path, annex: (&str, &Path)) -> Checked {
    checked(text, file, Outside::Looked, Some(annex))
}

/// Checks a text by itself: the files and variables that it names need not exist, and fences are not looked for.
pub fn check_alone(text: &str, file: &Path) -> Checked {
    checked(text, file, Outside::Skipped, None)
}

/// The path of the annex that a text names, as it lies at `file`; none where that cannot be one.
pub fn annex_of(text: &str, file: &Path) -> Option<PathBuf> {
    let root = toml::de::DeTable::parse(text).ok()?;
    let named = root.get_ref().get("console")?.get_ref().get("annex")?.get_ref().as_str()?.to_owned();
    let annex = file.parent().unwrap_or(Path::new("")).join(named);
    (annex != file && annex.extension().is_some_and(|extension| extension == "toml")).then_some(annex)
}

/// Whether the files and variables that a configuration names are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outside {
    Looked,
    Skipped,
}

/// `annex`: its text and its path. Both texts are one document to the checks: nothing may be in both, each may name what is in
/// the other.
fn checked(text: &str, file: &Path, outside: Outside, annex: Option<(&str, &Path)>) -> Checked {
    for (text, file) in [Some((text, file)), annex].into_iter().flatten() {
        if let Some(problems) = unreadable(text, file) {
            return Checked { config: None, problems };
        }
    }
    let (more, annex_file) = annex.unwrap_or(("", Path::new("")));
    let mut misfits = misfits(more);
    misfits.extend(strangers(more, &secrets_folder(annex_file)));
    misfits.sort_by_key(|misfit| misfit.at);
    if !misfits.is_empty() {
        let lines = Lines::new(more, annex_file, None);
        let told = |Misfit { at, message }| problem_at(&lines, at, message);
        return Checked { config: None, problems: misfits.into_iter().take(PROBLEMS_MAX).map(told).collect() };
    }
    let whole = if more.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}\n{more}")) };
    let seam = (!more.is_empty()).then_some(Seam { at: text.len() + 1, file: annex_file });
    let lines = Lines::new(&whole, file, seam);
    let (root, errors) = toml::de::DeTable::parse_recoverable(&whole);
    if !errors.is_empty() {
        // Each by itself is TOML: a list that is written in brackets takes no further elements.
        let told = |error: &toml::de::Error| problem_at(&lines, start(error), error.message().to_owned());
        return Checked { config: None, problems: errors.iter().take(PROBLEMS_MAX).map(told).collect() };
    }
    let mut shape = shape::read(root.get_ref());
    let faults = match outside {
        Outside::Looked => tables::read(&mut shape.config, file),
        Outside::Skipped => Vec::new(),
    };
    let mut look = Look::new(&lines, root.get_ref(), file, &shape, outside);
    faults.into_iter().for_each(|(at, message)| look.error(&at, message));
    parts::check(&mut look, &shape.config);
    console::check(&mut look, &shape.config.console);
    receivers::check(&mut look, &shape.config);
    lights::check(&mut look, &shape.config);
    outside::check(&mut look, &shape.config);
    let fences = fences::check(&mut look, &shape.config);
    view::check(&mut look, &shape.config);
    objects::check(&mut look, &shape.config);
    listeners::check(&mut look, &shape.config);
    feeds::check(&mut look, &shape.config);
    cameras::check(&mut look, &shape.config);
    calendars::check(&mut look, &shape.config);
    desk::check(&mut look, &shape.config);
    scores::check(&mut look, &shape.config);
    rules::check(&mut look, &shape.config, fences.as_deref());
    let problems = look.finish();
    let is_sound = problems.iter().all(|problem| problem.level == Level::Warning);
    let mut config = is_sound.then_some(shape.config);
    if let (Some(config), Outside::Looked) = (&mut config, outside) {
        view::keep(config, file);
        objects::keep(config, file);
        console::keep(config, file);
        if annex.is_some() {
            config.written = written(&whole, root.get_ref(), text.len() + 1).into();
        }
    }
    Checked { config, problems }
}

/// What keeps a text from being looked at: it is too long, or no TOML. What else it then says is a guess.
fn unreadable(text: &str, file: &Path) -> Option<Vec<Problem>> {
    let lines = Lines::new(text, file, None);
    if text.len() > TEXT_BYTES_MAX {
        return Some(vec![problem_at(&lines, 0, format!("a configuration has at most {TEXT_BYTES_MAX} bytes"))]);
    }
    let (_, errors) = toml::de::DeTable::parse_recoverable(text);
    let told = |error: &toml::de::Error| problem_at(&lines, start(error), error.message().to_owned());
    let mut problems: Vec<_> = errors.iter().take(PROBLEMS_MAX).map(told).collect();
    problems.sort_by_key(|problem| (problem.line, problem.column));
    (!problems.is_empty()).then_some(problems)
}

fn start(error: &toml::de::Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

fn problem_at(lines: &Lines<'_>, at: usize, message: String) -> Problem {
    let (file, line, column) = lines.place(at);
    Problem { level: Level::Error, file: file.to_owned(), line, column, path: String::new(), message, hint: None }
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file.display(), self.line, self.column)?;
        if self.level == Level::Warning {
            f.write_str("warning: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n    hint: {hint}"),
            None => Ok(()),
        }
    }
}
