//! The annex of the configuration, as it is asked for over HTTP. What is asked goes to who owns the file; nothing is written here.
//!
//! - this file: what is asked, and elements one by one: shown, put, removed
//! - [`import`]: tables of cameras
//! - [`contact`]: what a camera of a table shows before it is one of ours
//! - [`refused`]: what is wrong with a change

pub(super) mod contact;
pub(super) mod import;
mod refused;

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use outpost_fences::{FenceSet, geojson};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

use self::refused::NO_ANNEX;
pub(super) use self::refused::all;
pub use self::refused::{NotEdited, Told};
use super::evidence::{Looker, Peer};
use super::fault::Fault;
use super::{Context, NoQuery};
use crate::config::annex::ELEMENT_BYTES_MAX;
use crate::config::{CameraRow, Config, Table, Written};
use crate::store::Doer;

/// Largest draft.
pub(super) const DRAFT_BYTES_MAX: usize = ELEMENT_BYTES_MAX + (1 << 10);

/// A check of a large configuration takes seconds, and changes come one after the other.
const EDITED_WITHIN: Duration = Duration::from_secs(60);

const TOML: HeaderValue = HeaderValue::from_static("application/toml; charset=utf-8");
const GEOJSON: &str = "application/geo+json";

/// What is asked of who owns the annex.
pub enum Asked {
    Edit(Edit),
    Try(Try),
}

/// What the configuration is, and what it would be with these drafts.
pub struct Try {
    pub drafts: Vec<Change>,
    pub reply: oneshot::Sender<Result<Tried, NotEdited>>,
}

pub struct Tried {
    pub now: (Config, FenceSet),
    pub then: (Config, FenceSet),
}

/// A change that somebody asks for, and where the answer goes.
pub struct Edit {
    pub change: Change,
    pub unless: Unless,
    pub doer: Doer,
    /// Told what would come of it; nothing is done.
    pub is_trial: bool,
    pub reply: oneshot::Sender<Result<Edited, NotEdited>>,
}

pub enum Change {
    /// `text`: TOML of one element.
    Put {
        table: Table,
        id: String,
        text: String,
    },
    Remove {
        table: Table,
        id: String,
    },
    /// New cameras.
    Import(Vec<CameraRow>),
}

/// When a change is not to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unless {
    Never,
    /// The element is there.
    Known,
    /// The element is not as its tag says.
    OtherThan(String),
}

/// What came of a change, or would.
#[derive(Debug)]
pub struct Edited {
    /// Warnings.
    pub told: Vec<Told>,
}

impl Change {
    pub fn verb(&self) -> &'static str {
        match self {
            Change::Put { .. } => "put",
            Change::Remove { .. } => "remove",
            Change::Import(_) => "import",
        }
    }

    /// What is changed, for the audit.
    pub fn of(&self) -> String {
        match self {
            Change::Put { table, id, .. } | Change::Remove { table, id } => format!("{table}/{id}"),
            Change::Import(rows) => format!("cameras, {} of them", rows.len()),
        }
    }

    /// The element that is changed, where it is one.
    pub fn element(&self) -> Option<(Table, &str)> {
        match self {
            Change::Put { table, id, .. } | Change::Remove { table, id } => Some((*table, id)),
            Change::Import(_) => None,
        }
    }
}

/// Tells one text from another: the beginning of its SHA-256.
pub fn tag_of(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EditQuery {
    by: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    dry_run: bool,
    #[serde(rename = "token")]
    _token: Option<String>,
}

impl EditQuery {
    /// Who changes it and why; on trial nobody need say.
    fn doer(self, headers: &HeaderMap, info: Option<&ConnectInfo<Peer>>) -> Result<Doer, Fault> {
        let is_trial = self.dry_run;
        let Looker(doer) = Looker::new((self.by, self.reason), headers, info)?;
        for (key, said) in [("by", &doer.who), ("reason", &doer.reason)] {
            if said.is_empty() && !is_trial {
                return Err(Fault::bad_request(format!("{key} is empty: the audit names who changed what, and why")));
            }
        }
        Ok(doer)
    }
}

/// What the console may edit, and what there is, without its texts.
pub(super) async fn list(
    State(context): State<Context>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    asked?;
    let estate = context.estate.borrow();
    let element = |one: &Written| json!({ "table": one.table.as_str(), "id": one.id, "annex": one.is_annex });
    Ok(Json(json!({
        "annex": estate.annex,
        "recent": context.recent.is_some(),
        "how": estate.annex.is_none().then_some(NO_ANNEX),
        "elements": estate.written.iter().map(element).collect::<Vec<_>>(),
    })))
}

/// An element as it is written.
pub(super) async fn one(
    State(context): State<Context>,
    path: Result<Path<(String, String)>, PathRejection>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Response, Fault> {
    asked?;
    let (table, id) = named(path)?;
    let estate = context.estate.borrow();
    let one = estate.written.iter().find(|one| one.table == table && one.id == id);
    let one = one.ok_or_else(|| Fault::not_found(format!("there is no {id:?} of {table}")))?;
    let tag = HeaderValue::try_from(format!("\"{}\"", tag_of(&one.text))).map_err(|_| Fault::not_found("no tag"))?;
    Ok(([(header::CONTENT_TYPE, TOML), (header::ETAG, tag)], one.text.clone()).into_response())
}

pub(super) async fn put(
    State(context): State<Context>,
    path: Result<Path<(String, String)>, PathRejection>,
    asked: Result<Query<EditQuery>, QueryRejection>,
    info: Option<axum::Extension<ConnectInfo<Peer>>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Fault> {
    let ((table, id), Query(asked)) = (named(path)?, asked?);
    let body = body.map_err(|rejection| Fault::new(rejection.status(), rejection.body_text()))?;
    let text = std::str::from_utf8(&body).map_err(|_| Fault::bad_request("the draft is not UTF-8"))?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = if kind.starts_with(GEOJSON) { fence(table, &id, text)? } else { text.to_owned() };
    let (unless, is_trial) = (unless(&headers)?, asked.dry_run);
    let doer = asked.doer(&headers, info.as_deref())?;
    edit(&context, Change::Put { table, id, text }, unless, doer, is_trial).await
}

pub(super) async fn remove(
    State(context): State<Context>,
    path: Result<Path<(String, String)>, PathRejection>,
    asked: Result<Query<EditQuery>, QueryRejection>,
    info: Option<axum::Extension<ConnectInfo<Peer>>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Fault> {
    let ((table, id), Query(asked)) = (named(path)?, asked?);
    let (unless, is_trial) = (unless(&headers)?, asked.dry_run);
    let doer = asked.doer(&headers, info.as_deref())?;
    edit(&context, Change::Remove { table, id }, unless, doer, is_trial).await
}

async fn edit(
    context: &Context,
    change: Change,
    unless: Unless,
    doer: Doer,
    is_trial: bool,
) -> Result<Json<Value>, Fault> {
    let told = ask(context, change, unless, doer, is_trial).await??;
    Ok(Json(json!({ "done": !is_trial, "problems": all(&told) })))
}

async fn ask(
    context: &Context,
    change: Change,
    unless: Unless,
    doer: Doer,
    is_trial: bool,
) -> Result<Result<Vec<Told>, NotEdited>, Fault> {
    let (reply, answer) = oneshot::channel();
    let asked = Asked::Edit(Edit { change, unless, doer, is_trial, reply });
    let edited = answered(context, asked, answer).await?;
    Ok(edited.map(|edited| edited.told))
}

/// Hands it to who owns the annex, and waits for the answer.
pub(super) async fn answered<T>(context: &Context, asked: Asked, answer: oneshot::Receiver<T>) -> Result<T, Fault> {
    let edits: &mpsc::Sender<Asked> = context.edits.as_ref().ok_or(NotEdited::NoAnnex)?;
    let stopping = || Fault::unavailable("the gateway is stopping");
    let exchange = async {
        edits.send(asked).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    };
    let answer = tokio::time::timeout(EDITED_WITHIN, exchange).await;
    answer.map_err(|_| Fault::unavailable("no answer in time; what was asked may still be done"))?
}

fn named(path: Result<Path<(String, String)>, PathRejection>) -> Result<(Table, String), Fault> {
    let Path((table, id)) = path?;
    let known = || format!("there are {}", Table::ALL.map(Table::as_str).join(", "));
    Ok((Table::parse(&table).ok_or_else(|| Fault::not_found(known()))?, id))
}

/// RFC 9110, 13.1: `If-Match` with the tag that was read, or `If-None-Match: *`.
fn unless(headers: &HeaderMap) -> Result<Unless, Fault> {
    let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default().trim());
    match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
        (None, None) => Ok(Unless::Never),
        (None, Some("*")) => Ok(Unless::Known),
        (Some(tag), None) if tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"') => {
            Ok(Unless::OtherThan(tag[1..tag.len() - 1].to_owned()))
        }
        _ => Err(Fault::bad_request("either If-Match with one tag in quotes, or If-None-Match: *")),
    }
}

/// A drawn fence as an element of the annex.
pub(super) fn fence(table: Table, id: &str, text: &str) -> Result<String, Fault> {
    if table != Table::Fences {
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{GEOJSON} is for fences")));
    }
    let feature: Value = serde_json::from_str(text).map_err(|error| Fault::bad_request(error.to_string()))?;
    if feature["type"] != "Feature" {
        return Err(Fault::bad_request("one Feature is expected"));
    }
    // Quotes that would end the text are written as JSON may write them.
    let drawn = feature.to_string().replace('\'', "\\u0027");
    let parsed = geojson::parse(&drawn);
    if let Some(problem) = parsed.problems.iter().find(|problem| problem.is_fatal()) {
        let fault = Fault::new(StatusCode::UNPROCESSABLE_ENTITY, problem.to_string());
        return Err(fault.with("problems", all(&[Told::plain(problem.to_string())])));
    }
    if parsed.fences.first().is_none_or(|fence| *fence.id != *id) {
        return Err(Fault::bad_request(format!("the Feature's id is not {id:?}")));
    }
    Ok(format!("[[fences]]\ngeojson = '''{drawn}'''\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_with_quotes_in_its_name_stays_one_text() {
        let feature = json!({
            "type": "Feature", "id": "yard", "properties": { "name": "''' [api] listen = '0.0.0.0:1'" },
            "geometry": { "type": "Polygon", "coordinates": [[[106.0, 29.0], [106.1, 29.0], [106.1, 29.1], [106.0, 29.0]]] },
        });
        let text = fence(Table::Fences, "yard", &feature.to_string()).unwrap();
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table.keys().collect::<Vec<_>>(), ["fences"]);
        let drawn = geojson::parse(table["fences"][0]["geojson"].as_str().unwrap());
        assert_eq!(drawn.fences[0].name, feature["properties"]["name"].as_str().unwrap());
        assert_eq!(fence(Table::Rules, "yard", "{}").unwrap_err().told().0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(fence(Table::Fences, "other", &feature.to_string()).unwrap_err().told().0, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn conditions_are_read_as_the_standard_writes_them() {
        let of = |name: header::HeaderName, value: &'static str| {
            unless(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))])).ok()
        };
        assert_eq!(unless(&HeaderMap::new()).ok(), Some(Unless::Never));
        assert_eq!(of(header::IF_NONE_MATCH, "*"), Some(Unless::Known));
        assert_eq!(of(header::IF_MATCH, "\"0a1b\""), Some(Unless::OtherThan("0a1b".into())));
        for wrong in ["0a1b", "\"", "\"\"", "\"a", "*"] {
            assert_eq!(of(header::IF_MATCH, wrong), None, "{wrong}");
        }
    }
}
