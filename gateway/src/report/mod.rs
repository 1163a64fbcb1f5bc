//! A month of a district as one page and as tables: `outpost report`, which reads the store beside a running gateway, and the page
//! of the API. Changes nothing.
//!
//! - this file: what the month was, from the store
//! - [`page`]: one HTML file, charts and styles within it
//! - [`charts`]: bars as SVG
//! - [`command`]: what the command line asks
//! - [`tables`]: CSV files, UTF-8 with a byte-order mark, so that Excel reads them as such

mod charts;
mod command;
mod page;
mod tables;

use std::path::{Path, PathBuf};

pub use command::{Args, run};
use outpost_fences::recurrence::{Reach, Scales, Unanswered};
use outpost_fences::{FenceSet, Point};

use crate::config::{self, Config, Level};
use crate::dispatch::centres::Centres;
use crate::dispatch::patterns::{self, Change, Ground, Happened, Patterns};
use crate::dispatch::scores::sheet::{Sheet, Whose};
use crate::dispatch::scores::{Period, Scoring};
use crate::nouns::{ClassCase, ClassStage, CountedTicket, Stage, Story};
use crate::store::{Reader, STORIES_MAX, StoreError};
use crate::telemetry::time_text;

/// Categories whose patterns are told: those with the most tickets of the month.
const CATEGORIES_MAX: u32 = 5;
/// Patterns are looked for from so long before the end of the month on: a month alone says little.
const PATTERNS_MS: i64 = 90 * 86_400_000;
const HAPPENED_MAX: u32 = 5_000;
/// Class cases that are told, the newest first.
const CLASSES_MAX: u32 = 1_000;
const DAYS_MAX: u32 = 31;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
pub enum Language {
    #[value(name = "zh")]
    #[serde(rename = "zh")]
    Chinese,
    #[value(name = "en")]
    #[serde(rename = "en")]
    English,
}

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("{0:?} is no month such as 2026-11")]
    Month(String),
    #[error("there is no database in {0}: --data names the folder of a gateway's store")]
    NoDatabase(PathBuf),
    #[error("{0}")]
    Config(String),
    #[error("more than {STORIES_MAX} tickets count in the month")]
    TooManyTickets,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot write {path}: {cause}")]
    Write { path: PathBuf, cause: std::io::Error },
}

/// What a report has of the configuration.
pub struct Basis {
    district: String,
    centres: Centres,
    /// People that have a name, by their ids.
    people: Vec<(String, String)>,
    classes: config::Classes,
    scoring: Scoring,
}

/// All that is told of a month.
struct Month<'a> {
    district: String,
    /// 2026-11
    month: String,
    period: Period,
    days: Vec<Day>,
    scoring: &'a Scoring,
    parts: Vec<Part>,
    classes: Vec<Class>,
    patterns: Vec<Category>,
}

struct Day {
    /// 2026-11-01
    date: String,
    n_opened: u64,
    n_closed: u64,
}

/// Scores of the centres of a level, of units or of people.
struct Part {
    whose: Whose,
    sheet: Sheet,
    /// Names of those that have one.
    names: Vec<(String, String)>,
}

struct Class {
    case: ClassCase,
    tickets: Vec<u64>,
    /// Once it is closed.
    change: Option<Change>,
}

struct Category {
    category: String,
    n_month: u64,
    found: Result<Patterns, Unanswered>,
}

/// Writes the page and the tables into a folder, and tells the files. `data` is the folder of the store.
pub fn write(
    config: &Config,
    fences: &FenceSet,
    month: &str,
    (data, out): (&Path, &Path),
    language: Language,
    now_ms: i64,
) -> Result<Vec<PathBuf>, ReportError> {
    let basis = Basis::new(config);
    basis.days(month)?;
    if !data.join("outpost.db").is_file() {
        return Err(ReportError::NoDatabase(data.to_owned()));
    }
    let reader = Reader::open(data, 1)?;
    reader.check_version()?;
    let month = Month::read(&basis, &config.grids(fences), month, &reader, now_ms)?;
    std::fs::create_dir_all(out).map_err(|cause| ReportError::Write { path: out.to_owned(), cause })?;
    let mut files = vec![(format!("report-{}.html", month.month), page::page(&month, language))];
    files.extend(tables::all(&month));
    let write = |(name, text): (String, String)| {
        let path = out.join(name);
        match std::fs::write(&path, text) {
            Ok(()) => Ok(path),
            Err(cause) => Err(ReportError::Write { path, cause }),
        }
    };
    files.into_iter().map(write).collect()
}

/// The page of a month. `grids` is the ground of centres.
pub fn page(
    basis: &Basis,
    grids: &FenceSet,
    month: &str,
    reader: &Reader,
    language: Language,
    now_ms: i64,
) -> Result<String, ReportError> {
    Ok(page::page(&Month::read(basis, grids, month, reader, now_ms)?, language))
}

impl Basis {
    pub fn new(config: &Config) -> Basis {
        let district = Some(&config.district.name).filter(|name| !name.is_empty()).unwrap_or(&config.district.id);
        let people = config.people.iter().filter(|person| !person.name.is_empty());
        Basis {
            district: district.clone(),
            centres: Centres::new(config),
            people: people.map(|person| (person.id.clone(), person.name.clone())).collect(),
            classes: config.desk.classes.clone(),
            scoring: Scoring::new(config),
        }
    }

    fn days(&self, month: &str) -> Result<(Vec<(String, i64)>, i64), ReportError> {
        days_of(&self.scoring, month).ok_or_else(|| ReportError::Month(month.to_owned()))
    }
}

/// The dates of a month with the times at which they begin, and when the last one ends.
fn days_of(scoring: &Scoring, month: &str) -> Option<(Vec<(String, i64)>, i64)> {
    let (year, number) = month.split_once('-')?;
    let (year, number): (u32, u32) = (year.parse().ok()?, number.parse().ok()?);
    if format!("{year:04}-{number:02}") != month {
        return None;
    }
    let day = |day: u32| {
        let date = format!("{month}-{day:02}");
        scoring.begin_of_ms(&date).map(|begin_ms| (date, begin_ms))
    };
    let days: Vec<_> = (1..=DAYS_MAX).map_while(day).collect();
    let (next_year, next_number) = if number == 12 { (year + 1, 1) } else { (year, number + 1) };
    let end_ms = scoring.begin_of_ms(&format!("{next_year:04}-{next_number:02}-01"))?;
    (!days.is_empty()).then_some((days, end_ms))
}

impl<'a> Month<'a> {
    /// The wall clock of the district.
    fn clock_text(&self, at_ms: i64) -> String {
        self.scoring.clock_text(at_ms).unwrap_or_else(|| time_text(at_ms))
    }

    fn read(
        basis: &'a Basis,
        grids: &FenceSet,
        month: &str,
        reader: &Reader,
        now_ms: i64,
    ) -> Result<Month<'a>, ReportError> {
        let Basis { centres, people, scoring, classes: rule, .. } = basis;
        let (dates, to_ms) = basis.days(month)?;
        let from_ms = dates.first().map_or(to_ms, |(_, begin_ms)| *begin_ms);
        let period = Period { from_ms, to_ms, now_ms };
        let stories = reader.stories(from_ms, period.until_ms())?.ok_or(ReportError::TooManyTickets)?;
        let named = |level: Level| -> Vec<(String, String)> {
            let of_level = centres.all().filter(|(_, name, own)| *own == level && !name.is_empty());
            of_level.map(|(id, name, _)| (id.to_string(), name.to_string())).collect()
        };
        let levels = Level::ALL.into_iter().rev().map(|level| (Whose::Centres(level), named(level)));
        let parts =
            levels.chain([(Whose::Units, Vec::new()), (Whose::Officers, people.clone())]).map(|(whose, names)| {
                let sheet = Sheet::new(whose, centres, &period, &stories);
                Part { whose, sheet, names }
            });
        Ok(Month {
            district: basis.district.clone(),
            month: month.to_owned(),
            period,
            days: days(&dates, to_ms, &stories),
            scoring,
            parts: parts.filter(|part| !part.sheet.rows.is_empty()).collect(),
            classes: classes(rule, grids, reader, &period)?,
            patterns: categories(rule, reader, &period)?,
        })
    }
}

fn days(dates: &[(String, i64)], to_ms: i64, stories: &[Story]) -> Vec<Day> {
    let ends = dates.iter().skip(1).map(|(_, begin_ms)| *begin_ms).chain([to_ms]);
    let closed_ms = |story: &Story| story.passages.iter().find(|one| one.to == Stage::Closed).map(|one| one.at_ms);
    let closed: Vec<i64> = stories.iter().filter_map(closed_ms).collect();
    let day = |((date, begin_ms), end_ms): (&(String, i64), i64)| {
        let within = |at_ms: &i64| (*begin_ms..end_ms).contains(at_ms);
        Day {
            date: date.clone(),
            n_opened: stories.iter().filter(|story| within(&story.opened_ms)).count() as u64,
            n_closed: closed.iter().filter(|at_ms| within(at_ms)).count() as u64,
        }
    };
    dates.iter().zip(ends).map(day).collect()
}

/// Class cases that were open at some time of the period.
fn classes(
    rule: &config::Classes,
    grids: &FenceSet,
    reader: &Reader,
    period: &Period,
) -> Result<Vec<Class>, StoreError> {
    let mut out = Vec::new();
    for case in reader.class_cases(true, None, CLASSES_MAX)? {
        let is_over = case.ended_ms.is_some_and(|ended_ms| ended_ms < period.from_ms);
        if is_over || case.opened_ms >= period.until_ms() || case.stage == ClassStage::Withdrawn {
            continue;
        }
        let Some((case, members, _)) = reader.class_case(case.no)? else { continue };
        let members: Vec<Happened> = members.iter().map(happened).collect();
        let change = match case.ended_ms.filter(|ended_ms| *ended_ms < period.until_ms()) {
            None => None,
            Some(closed_ms) => {
                let span_ms = (period.until_ms() - closed_ms).min(rule.within.ms());
                let (from_ms, to_ms) = (closed_ms.saturating_sub(span_ms), closed_ms.saturating_add(span_ms));
                let all = reader.happened(&case.category, from_ms, to_ms, HAPPENED_MAX)?;
                let all: Vec<Happened> = all.iter().map(happened).collect();
                let ground = Ground::new(grids, case.grid.as_deref(), rule.radius_m, &members);
                Some(ground.change(&all, closed_ms, span_ms))
            }
        };
        out.push(Class { case, tickets: members.iter().map(|one| one.ticket).collect(), change });
    }
    Ok(out)
}

fn categories(rule: &config::Classes, reader: &Reader, period: &Period) -> Result<Vec<Category>, StoreError> {
    let scales =
        Scales { metres: rule.distances_m.clone(), spans_ms: rule.spans.iter().map(|span| span.ms()).collect() };
    let until_ms = period.until_ms();
    let mut out = Vec::new();
    for row in reader.categories(period.from_ms, until_ms, CATEGORIES_MAX)? {
        let rows = reader.happened(&row.category, until_ms.saturating_sub(PATTERNS_MS), until_ms, HAPPENED_MAX)?;
        let all: Vec<Happened> = rows.iter().map(happened).collect();
        let reach = Reach { metres: rule.radius_m, ms: rule.within.ms() };
        let found = patterns::find(&all, &scales, reach, rule.n);
        out.push(Category { category: row.category, n_month: row.n, found });
    }
    Ok(out)
}

fn happened(ticket: &CountedTicket) -> Happened {
    Happened {
        ticket: ticket.no,
        source: ticket.source.clone(),
        point: ticket.point.and_then(|(lon, lat)| Point::new(lon, lat)),
        at_ms: ticket.opened_ms,
    }
}

impl Part {
    fn name(&self, of: &str) -> String {
        let known = self.names.iter().find(|(id, _)| id == of);
        known.map_or_else(|| of.to_owned(), |(_, name)| name.clone())
    }

    /// As the API's `level` has it.
    fn level(&self) -> &'static str {
        match self.whose {
            Whose::Centres(level) => level.as_str(),
            Whose::Units => "unit",
            Whose::Officers => "officer",
        }
    }
}

#[cfg(test)]
mod tests;
