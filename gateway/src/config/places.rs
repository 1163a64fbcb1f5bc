//! What is written down beside the configuration: centres and people, as tables that spreadsheets save, and roads.

use std::path::PathBuf;
use std::sync::Arc;

use outpost_fences::FenceSet;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Centre, Level, Person, Role, defaults};
use crate::roads::Roads;

/// Ground and tables of centres.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Places {
    /// More centres, as CSV: `id,name,level,parent,duties,sources`. Relative to the configuration's folder.
    pub centres: Option<PathBuf>,
    /// More people, as CSV: `id,name,centre,roles,unit,skills,terminal,duty`.
    pub people: Option<PathBuf>,
    /// How far off the point of a ticket may be, in metres, where it does not say: within it of a border the ticket may be
    /// the neighbour's as well.
    pub border_m: f64,
    /// The fences of all files that are grids, once they were read.
    #[serde(skip)]
    pub ground: Arc<FenceSet>,
}

impl Default for Places {
    fn default() -> Self {
        Places { centres: None, people: None, border_m: 20.0, ground: Arc::default() }
    }
}

/// A road graph: nodes `id,lon,lat` and edges `from,to,length_m,maxspeed`, as CSV, in gzip where a name ends in `.gz`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoadFiles {
    /// Relative to the configuration's folder.
    pub nodes: PathBuf,
    pub edges: PathBuf,
    /// How far from the nearest road a place may be, in metres; who is farther goes straight.
    #[serde(default = "defaults::reach_m")]
    pub reach_m: f64,
    /// Once the files were read.
    #[serde(skip)]
    pub graph: Option<Arc<Roads>>,
}

/// A line of `places.centres`; of its lists the entries stand between semicolons.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CentreLine {
    id: String,
    #[serde(default)]
    name: String,
    level: Level,
    parent: Option<String>,
    #[serde(default)]
    duties: String,
    #[serde(default)]
    sources: String,
}

/// The centres of a table, and what is wrong with it, line by line.
pub(super) fn centres(text: &str) -> (Vec<Centre>, Vec<String>) {
    lines(text, |line: CentreLine, at| Centre {
        id: line.id,
        name: line.name,
        level: line.level,
        parent: line.parent,
        duties: list(&line.duties),
        sources: list(&line.sources),
        line: Some(at),
    })
}

/// A line of `places.people`; lists as in those of centres.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonLine {
    id: String,
    #[serde(default)]
    name: String,
    centre: String,
    roles: String,
    unit: Option<String>,
    #[serde(default)]
    skills: String,
    terminal: Option<String>,
    #[serde(default)]
    duty: String,
}

/// The people of a table, and what is wrong with it, line by line.
pub(super) fn people(text: &str) -> (Vec<Person>, Vec<String>) {
    let (found, mut problems) = lines(text, |line: PersonLine, at| {
        let roles: Vec<_> = list(&line.roles).into_iter().map(|role| Role::parse(&role).ok_or(role)).collect();
        let unknown: Vec<String> = roles.iter().filter_map(|role| role.clone().err()).collect();
        let person = Person {
            id: line.id,
            name: line.name,
            centre: line.centre,
            roles: roles.into_iter().filter_map(Result::ok).collect(),
            unit: line.unit,
            skills: list(&line.skills),
            terminal: line.terminal,
            duty: list(&line.duty),
            line: Some(at),
        };
        (person, unknown)
    });
    let mut people = Vec::new();
    for (person, unknown) in found {
        let known = Role::ALL.map(Role::as_str).join(", ");
        let at = person.line.unwrap_or_default();
        problems.extend(unknown.iter().map(|role| format!("line {at}: role {role:?} is none of {known}")));
        people.push(person);
    }
    (people, problems)
}

/// Reads a table whose first line names the columns.
fn lines<L: DeserializeOwned, T>(text: &str, keep: impl Fn(L, u64) -> T) -> (Vec<T>, Vec<String>) {
    // What a spreadsheet puts before UTF-8.
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return (Vec::new(), vec![error.to_string()]),
    };
    let (mut kept, mut problems) = (Vec::new(), Vec::new());
    for record in reader.records() {
        // A line that has too few or too many columns does not end the table.
        let read = record.and_then(|record| {
            let at = record.position().map_or(0, csv::Position::line);
            Ok((record.deserialize::<L>(Some(&headers))?, at))
        });
        match read {
            Ok((line, at)) => kept.push(keep(line, at)),
            Err(error) => problems.push(told(&error)),
        }
    }
    (kept, problems)
}

fn told(error: &csv::Error) -> String {
    let at = error.position().map(|position| format!("line {}: ", position.line())).unwrap_or_default();
    let what = match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.kind().to_string(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("{len} columns, not {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
        _ => error.to_string(),
    };
    at + &what
}

fn list(text: &str) -> Vec<String> {
    text.split(';').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_line_by_line_and_its_faults_have_their_line() {
        let text = "\u{feff}id,name,level,parent,duties\n\
            t1,\"巴川, 街道\",town,district,waste/#; noise\n\
            t2,x,county,district,\n\
            t3,x,town\n\
            g1,,grid,t1,\n";
        let (found, problems) = centres(text);
        let ids: Vec<_> = found.iter().map(|centre| (centre.id.as_str(), centre.line.unwrap())).collect();
        assert_eq!(ids, [("t1", 2), ("g1", 5)]);
        assert_eq!((found[0].name.as_str(), found[0].parent.as_deref()), ("巴川, 街道", Some("district")));
        assert_eq!(found[0].duties, ["waste/#", "noise"]);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("line 3: ") && problems[0].contains("county"), "{problems:?}");
        assert_eq!(problems[1], "line 4: 3 columns, not 5");
    }

    #[test]
    fn a_column_that_is_not_known_is_a_fault_of_its_lines() {
        let (found, problems) = centres("id,level,chief\nd,district,zhang\n");
        assert_eq!(found.len(), 0);
        assert!(problems[0].contains("chief"), "{problems:?}");
    }
}
