//! What is wrong with a change of the annex, and where; each refusal as an answer.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::fault::Fault;
use crate::config::Table;
use crate::config::annex::EditError;
use crate::config::check::{Level, Problem};

/// A problem, and where it is in what was sent.
#[derive(Debug, Clone)]
pub struct Told {
    pub problem: Problem,
    /// From 1.
    pub draft_line: Option<usize>,
    /// Line of a table.
    pub row: Option<u64>,
}

#[derive(Debug)]
pub enum NotEdited {
    NoAnnex,
    Element(EditError),
    /// It stands in another file, which is not written over the API.
    Elsewhere {
        table: Table,
        id: String,
        file: String,
    },
    /// It is not as it was; its tag as it is now.
    Changed {
        tag: Option<String>,
    },
    Problems(Vec<Told>),
    /// What would change beside it takes a restart.
    Restart(String),
    Disk(String),
    /// It is in the file, and what runs does not go by it.
    NotTaken(String),
}

impl Told {
    /// Of no place.
    pub fn plain(message: String) -> Told {
        let (file, path) = (std::path::PathBuf::new(), String::new());
        let problem = Problem { level: Level::Error, file, line: 0, column: 0, path, message, hint: None };
        Told { problem, draft_line: None, row: None }
    }

    fn json(&self) -> Value {
        let Problem { level, file, line, column, path, message, hint } = &self.problem;
        json!({
            "level": if *level == Level::Error { "error" } else { "warning" },
            "file": file.file_name().map(|name| name.to_string_lossy()),
            "line": line,
            "column": column,
            "draft_line": self.draft_line,
            "row": self.row,
            "path": path,
            "message": message,
            "hint": hint,
        })
    }
}

pub(in crate::api) fn all(told: &[Told]) -> Value {
    told.iter().map(Told::json).collect()
}

impl From<NotEdited> for Fault {
    fn from(refusal: NotEdited) -> Fault {
        let new = |status, detail: String| Fault::new(status, detail);
        match refusal {
            NotEdited::NoAnnex => Fault::new(StatusCode::CONFLICT, NO_ANNEX),
            NotEdited::Element(EditError::Annex(cause)) => {
                new(StatusCode::CONFLICT, EditError::Annex(cause).to_string())
            }
            NotEdited::Element(EditError::Draft { line, message }) => {
                let told = Told { draft_line: Some(line), ..Told::plain(message.clone()) };
                new(StatusCode::UNPROCESSABLE_ENTITY, message).with("problems", all(&[told]))
            }
            NotEdited::Element(nothing @ EditError::Nothing { .. }) => new(StatusCode::NOT_FOUND, nothing.to_string()),
            NotEdited::Elsewhere { table, id, file } => {
                let detail = format!("{id:?} of {table} stands in {file}, which only people write");
                new(StatusCode::CONFLICT, detail)
            }
            NotEdited::Changed { tag } => {
                let detail = match &tag {
                    Some(_) => "somebody has put it meanwhile: read it again",
                    None => "somebody has removed it meanwhile",
                };
                Fault::new(StatusCode::PRECONDITION_FAILED, detail).with("etag", json!(tag))
            }
            NotEdited::Problems(told) => {
                let n_errors = told.iter().filter(|told| told.problem.level == Level::Error).count();
                let detail = format!("the configuration would have {n_errors} errors; nothing was changed");
                new(StatusCode::UNPROCESSABLE_ENTITY, detail).with("problems", all(&told))
            }
            NotEdited::Restart(what) => {
                new(StatusCode::CONFLICT, format!("{what} changed in the file since the start, which takes a restart"))
            }
            NotEdited::Disk(cause) => {
                tracing::error!(cause, "the annex was not written");
                Fault::unavailable("the annex could not be read or written; the gateway's log says why")
            }
            NotEdited::NotTaken(cause) => {
                Fault::unavailable(format!("it is written, and taken with the next start or reload: {cause}"))
            }
        }
    }
}

pub(super) const NO_ANNEX: &str =
    "the configuration names no file that the console may write: [console] annex = \"annex.toml\"";
