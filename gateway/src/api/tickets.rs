//! Tickets: list, one with its journal, and the moves that operators ask for.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::Context;
use super::fault::{Fault, query};
use crate::notify::body::TicketOut;
use crate::nouns::{Command, Move, Refusal, Ticket};
use crate::pipeline::run::Ask;
use crate::store::{JournalRow, TicketQuery};
use crate::telemetry::{now_ms, time_text};

/// Names and notes longer than this are refused.
const TEXT_CHARS_MAX: usize = 2_000;

const LIMIT_DEFAULT: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `open` leaves closed tickets out.
    stage: Option<String>,
    limit: Option<u32>,
    /// Number of the last ticket of the page before.
    before: Option<u64>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandBody {
    who: String,
    #[serde(default)]
    note: String,
    unit: Option<String>,
}

/// A ticket as the API shows it: as everybody sees it, with the lamp of this moment.
#[derive(Serialize)]
pub(super) struct TicketView<'a> {
    #[serde(flatten)]
    ticket: TicketOut<'a>,
    lamp: &'static str,
    opened_ms: i64,
    /// When the lamp turns yellow, and red.
    yellow_ms: i64,
    due_ms: i64,
}

#[derive(Serialize)]
pub(super) struct JournalOut {
    no: u64,
    at: String,
    who: String,
    what: String,
    note: String,
}

impl<'a> TicketView<'a> {
    pub(super) fn new(ticket: &'a Ticket, yellow_share: f64) -> Self {
        TicketView {
            ticket: TicketOut::from(ticket),
            lamp: ticket.lamp(now_ms(), yellow_share).as_str(),
            opened_ms: ticket.opened_ms,
            yellow_ms: ticket.yellow_ms(yellow_share),
            due_ms: ticket.due_ms,
        }
    }
}

impl From<JournalRow> for JournalOut {
    fn from(row: JournalRow) -> Self {
        JournalOut { no: row.no, at: time_text(row.at_ms), who: row.who, what: row.what, note: row.note }
    }
}

pub(super) async fn list(
    State(context): State<Context>,
    Query(asked): Query<ListQuery>,
) -> Result<Json<serde_json::Value>, Fault> {
    let open_only = match asked.stage.as_deref() {
        None | Some("all") => false,
        Some("open") => true,
        Some(other) => return Err(Fault::bad_request(format!("stage {other:?} is neither \"open\" nor \"all\""))),
    };
    let limit = asked.limit.unwrap_or(LIMIT_DEFAULT).max(1);
    let wanted = TicketQuery { open_only, before: asked.before, limit };
    let tickets = query(move || context.reader.tickets(&wanted)).await?;
    let views: Vec<TicketView> = tickets.iter().map(|ticket| TicketView::new(ticket, context.yellow_share)).collect();
    Ok(Json(serde_json::json!({ "tickets": views })))
}

pub(super) async fn one(State(context): State<Context>, Path(no): Path<u64>) -> Result<Json<serde_json::Value>, Fault> {
    let found = query(move || context.reader.ticket(no)).await?;
    let (ticket, journal) = found.ok_or_else(|| Fault::not_found(format!("there is no ticket T-{no}")))?;
    let journal: Vec<JournalOut> = journal.into_iter().map(JournalOut::from).collect();
    let view = TicketView::new(&ticket, context.yellow_share);
    Ok(Json(serde_json::json!({ "ticket": view, "journal": journal })))
}

pub(super) async fn command(
    State(context): State<Context>,
    Path((no, name)): Path<(u64, String)>,
    body: Result<Json<CommandBody>, axum::extract::rejection::JsonRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    let Json(body) = body.map_err(|rejection| Fault::bad_request(rejection.body_text()))?;
    for (key, text) in [("who", &body.who), ("note", &body.note)] {
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(Fault::bad_request(format!("{key} is longer than {TEXT_CHARS_MAX} characters")));
        }
    }
    if body.who.trim().is_empty() {
        return Err(Fault::bad_request("who is empty: the journal names who did what"));
    }
    let asked = match (name.as_str(), body.unit.as_deref().map(str::trim)) {
        ("accept", None) => Move::Accept,
        ("resolve", None) => Move::Resolve,
        ("close", None) => Move::Close,
        ("assign", Some(unit)) if !unit.is_empty() && unit.chars().count() <= TEXT_CHARS_MAX => {
            Move::Assign { unit: unit.into() }
        }
        ("assign", _) => return Err(Fault::bad_request("assign needs a unit")),
        ("accept" | "resolve" | "close", Some(_)) => return Err(Fault::bad_request("only assign takes a unit")),
        _ => return Err(Fault::not_found("moves are accept, assign, resolve and close")),
    };
    let (reply, answer) = oneshot::channel();
    let command = Command { ticket: no, who: body.who.into(), asked, note: body.note };
    let stopping = |_| Fault::from(Refusal::Stopping);
    context.asks.send(Ask::Command(command, reply)).await.map_err(|_| Fault::from(Refusal::Stopping))?;
    let ticket = answer.await.map_err(stopping)??;
    Ok(Json(serde_json::json!({ "ticket": TicketView::new(&ticket, context.yellow_share) })))
}
