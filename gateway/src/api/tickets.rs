//! Tickets: list, one with its journal, and the moves that operators ask for.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::alerts::{PictureOut, clip_path, missing, snapshot_path};
use super::fault::{Fault, ask, query};
use super::{Context, NoQuery};
use crate::notify::body::TicketOut;
use crate::nouns::{Command, Move, Refusal, Ticket};
use crate::pipeline::run::Ask;
use crate::store::{JournalRow, Reader, StoreError, TicketQuery};
use crate::telemetry::{now_ms, time_text};

/// Names and notes longer than this are refused.
const TEXT_CHARS_MAX: usize = 2_000;

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

/// A ticket as the API shows it: as everybody sees it, with its picture and the lamp of this moment.
#[derive(Serialize)]
pub(super) struct TicketView<'a> {
    #[serde(flatten)]
    ticket: TicketOut<'a>,
    /// Number of its newest journal entry: of two views the one with the higher is the later.
    revision: u64,
    /// Path of the picture that shows why, where there is one.
    snapshot: Option<&'a str>,
    /// Path of the clip, once there is one, or why there is none.
    clip: Option<&'a str>,
    clip_missing: Option<&'static str>,
    /// Further pictures, in order of time.
    pictures: &'a [PictureOut],
    lamp: &'static str,
    opened_ms: i64,
    /// When the lamp turns yellow, and red.
    yellow_ms: i64,
    due_ms: i64,
}

/// A ticket with the paths of its pictures, as read from the store.
pub(super) struct Pictured {
    pub(super) ticket: Ticket,
    snapshot: Option<String>,
    clip: Option<String>,
    clip_missing: Option<&'static str>,
    pictures: Vec<PictureOut>,
}

impl Pictured {
    pub(super) fn read(reader: &Reader, ticket: Ticket) -> Result<Pictured, StoreError> {
        let alert = reader.alert(&ticket.alert)?;
        let alert = alert.as_ref();
        let (snapshot, clip) = (alert.and_then(snapshot_path), alert.and_then(clip_path));
        let clip_missing = alert.and_then(|alert| missing(alert.clip.as_ref()));
        let exhibits = reader.exhibits(&ticket.alert)?.into_iter();
        let pictures = exhibits.map(|exhibit| PictureOut::new(&ticket.alert, exhibit)).collect();
        Ok(Pictured { ticket, snapshot, clip, clip_missing, pictures })
    }
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
    pub(super) fn new(pictured: &'a Pictured, yellow_share: f64) -> Self {
        let ticket = &pictured.ticket;
        TicketView {
            ticket: TicketOut::from(ticket),
            revision: ticket.n_journal,
            snapshot: pictured.snapshot.as_deref(),
            clip: pictured.clip.as_deref(),
            clip_missing: pictured.clip_missing,
            pictures: &pictured.pictures,
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
    asked: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    let Query(asked) = asked?;
    let open_only = match asked.stage.as_deref() {
        None | Some("all") => false,
        Some("open") => true,
        Some(other) => return Err(Fault::bad_request(format!("stage {other:?} is neither \"open\" nor \"all\""))),
    };
    let wanted = TicketQuery { open_only, before: asked.before, limit: super::limit(asked.limit)? };
    let reader = context.reader.clone();
    let tickets = query(move || {
        let tickets = reader.tickets(&wanted)?.into_iter();
        tickets.map(|ticket| Pictured::read(&reader, ticket)).collect::<Result<Vec<_>, _>>()
    });
    let tickets = tickets.await?;
    let views: Vec<TicketView> = tickets.iter().map(|ticket| TicketView::new(ticket, context.yellow_share)).collect();
    // The gateway's time: a console whose own clock is wrong still shows the right lamps.
    Ok(Json(serde_json::json!({ "now_ms": now_ms(), "tickets": views })))
}

pub(super) async fn one(
    State(context): State<Context>,
    no: Result<Path<u64>, PathRejection>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    asked?;
    let Path(no) = no?;
    let reader = context.reader.clone();
    let found = query(move || {
        let found = reader.ticket(no)?;
        found.map(|(ticket, journal)| Ok((Pictured::read(&reader, ticket)?, journal))).transpose()
    });
    let (ticket, journal) = found.await?.ok_or(Refusal::NoSuchTicket(no))?;
    let journal: Vec<JournalOut> = journal.into_iter().map(JournalOut::from).collect();
    let view = TicketView::new(&ticket, context.yellow_share);
    Ok(Json(serde_json::json!({ "now_ms": now_ms(), "ticket": view, "journal": journal })))
}

pub(super) async fn command(
    State(context): State<Context>,
    path: Result<Path<(u64, String)>, PathRejection>,
    asked: Result<Query<NoQuery>, QueryRejection>,
    body: Result<Json<CommandBody>, JsonRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    asked?;
    let (Path((no, name)), Json(body)) = (path?, body?);
    let asked = body.asked(&name)?;
    let what = asked.name();
    let command = Command { ticket: no, who: body.who.trim().into(), asked, note: body.note };
    let (reply, answer) = oneshot::channel();
    let answer = ask(&context.asks, Ask::Command(command, reply), answer).await?;
    let reader = context.reader.clone();
    let ticket = match answer {
        Ok(ticket) => query(move || Pictured::read(&reader, Ticket::clone(&ticket))).await?,
        // The desk forgets closed tickets; the store does not.
        Err(Refusal::NoSuchTicket(_)) => {
            let closed = query(move || reader.ticket(no)).await?;
            let (ticket, _) = closed.ok_or(Refusal::NoSuchTicket(no))?;
            return Err(Refusal::WrongStage { stage: ticket.stage, asked: what }.into());
        }
        Err(refusal) => return Err(refusal.into()),
    };
    Ok(Json(serde_json::json!({ "ticket": TicketView::new(&ticket, context.yellow_share) })))
}

impl CommandBody {
    /// The move that the path names, with what the body says of it.
    fn asked(&self, name: &str) -> Result<Move, Fault> {
        let unit = self.unit.as_deref().map(str::trim);
        for (key, text) in [("who", self.who.as_str()), ("note", &self.note), ("unit", unit.unwrap_or_default())] {
            if text.chars().count() > TEXT_CHARS_MAX {
                return Err(Fault::bad_request(format!("{key} is longer than {TEXT_CHARS_MAX} characters")));
            }
        }
        if self.who.trim().is_empty() {
            return Err(Fault::bad_request("who is empty: the journal names who did what"));
        }
        match (name, unit) {
            ("accept", None) => Ok(Move::Accept),
            ("resolve", None) => Ok(Move::Resolve),
            ("close", None) => Ok(Move::Close),
            ("assign", Some(unit)) if !unit.is_empty() => Ok(Move::Assign { unit: unit.into() }),
            ("assign", _) => Err(Fault::bad_request("assign needs a unit")),
            ("accept" | "resolve" | "close", Some(_)) => Err(Fault::bad_request("only assign takes a unit")),
            _ => Err(Fault::not_found("moves are accept, assign, resolve and close")),
        }
    }
}
