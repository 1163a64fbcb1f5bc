//! Text of a configuration file → configuration, or every problem of it at once, each with line, column and a hint.
//! Reads what the file names (secrets, fence files, certificates) and starts nothing.
//!
//! - [`tree`]: the parsed text with its positions
//! - [`shape`]: keys and types, element by element, so that one error does not hide the next
//! - [`words`]: a parser's errors in our words, and "did you mean"
//! - [`look`]: where checks of meaning put what they find
//! - [`parts`], [`receivers`], [`outside`], [`lights`], [`listeners`], [`feeds`], [`cameras`], [`calendars`], [`desk`], [`scores`],
//!   [`rules`], [`readings`], [`conditions`], [`movement`], [`fences`]: what must hold beyond the types

mod calendars;
mod cameras;
mod conditions;
mod desk;
mod feeds;
mod fences;
mod heat;
mod lights;
mod listeners;
mod look;
mod movement;
mod outside;
mod parts;
mod pictures;
mod readings;
mod receivers;
mod rules;
mod scores;
mod shape;
mod tree;
mod view;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::Config;

use look::Look;
use tree::Lines;

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

/// Checks a text as if it lay at `file`, with everything that it names outside itself.
pub fn check(text: &str, file: &Path) -> Checked {
    checked(text, file, Outside::Looked)
}

/// Checks a text by itself: the files and variables that it names need not exist, and fences are not looked for.
pub fn check_alone(text: &str, file: &Path) -> Checked {
    checked(text, file, Outside::Skipped)
}

/// Whether the files and variables that a configuration names are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outside {
    Looked,
    Skipped,
}

fn checked(text: &str, file: &Path, outside: Outside) -> Checked {
    let lines = Lines::new(text);
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("a configuration has at most {TEXT_BYTES_MAX} bytes");
        return Checked { config: None, problems: vec![problem_at(&lines, file, 0, message)] };
    }
    let (root, errors) = toml::de::DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // Where the text is not TOML, what else it says is a guess.
        let place = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
        let told = |error: &toml::de::Error| problem_at(&lines, file, place(error), error.message().to_owned());
        let mut problems: Vec<_> = errors.iter().take(PROBLEMS_MAX).map(told).collect();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        return Checked { config: None, problems };
    }
    let shape = shape::read(root.get_ref());
    let mut look = Look::new(&lines, root.get_ref(), file, &shape, outside);
    parts::check(&mut look, &shape.config);
    receivers::check(&mut look, &shape.config);
    lights::check(&mut look, &shape.config);
    outside::check(&mut look, &shape.config);
    let fences = fences::check(&mut look, &shape.config);
    view::check(&mut look, &shape.config);
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
    }
    Checked { config, problems }
}

fn problem_at(lines: &Lines<'_>, file: &Path, at: usize, message: String) -> Problem {
    let (line, column) = lines.position(at);
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
