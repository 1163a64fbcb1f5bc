//! Tickets: list, one with its journal, and the moves that operators ask for.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::alerts::{PictureOut, clip_path, missing, snapshot_path};
use super::fault::{Fault, ask, query};
use super::{Context, NoQuery};
use crate::config::Limit;
use crate::dispatch::table::{self, Row, To};
use crate::notify::body::TicketOut;
use crate::nouns::{Clock, Command, Lamp, Move, Need, Refusal, Said, Stage, Standing, Ticket};
use crate::pipeline::run::Ask;
use crate::store::{JournalRow, Reader, StoreError, TicketQuery};
use crate::telemetry::{now_ms, time_text};

/// Names and notes longer than this are refused.
pub(super) const TEXT_CHARS_MAX: usize = 2_000;

const SCORES: RangeInclusive<u8> = 1..=5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `open` leaves out those on which there is nothing left to do.
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
    officer: Option<String>,
    photos: Option<PhotosBody>,
    into: Option<u64>,
    centre: Option<String>,
    limit: Option<Limit>,
    score: Option<u8>,
    #[serde(default)]
    force_majeure: bool,
}

/// References of pictures: an address, or whatever names them where they are kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhotosBody {
    before: String,
    after: String,
}

/// A ticket as the API shows it: as everybody sees it, with its picture and the lamp of this moment.
#[derive(Serialize)]
pub(super) struct TicketView<'a> {
    #[serde(flatten)]
    ticket: TicketOut<'a>,
    /// Number of its newest journal entry: of two views the one with the higher is the later.
    revision: u64,
    /// Whether there is work to do.
    open: bool,
    /// Path of the picture that shows why, where there is one.
    snapshot: Option<&'a str>,
    /// Path of the clip, once there is one, or why there is none.
    clip: Option<&'a str>,
    clip_missing: Option<&'static str>,
    /// Further pictures, in order of time.
    pictures: &'a [PictureOut],
    /// The worse one of its clocks'.
    lamp: &'static str,
    opened_ms: i64,
    /// When the lamp turns yellow, and red; null where no clock runs.
    yellow_ms: Option<i64>,
    due_ms: Option<i64>,
    clocks: Vec<ClockOut>,
    /// Until when the officer has to sign it.
    lease_ms: Option<i64>,
    /// What may be asked of it now.
    moves: Vec<MoveOut>,
}

#[derive(Serialize)]
struct ClockOut {
    /// `whole`, or the stage that it is for.
    of: &'static str,
    lamp: &'static str,
    /// `always`, or `working`: in the desk's hours.
    runs: &'static str,
    /// Running time from beginning to end.
    budget_ms: i64,
    yellow_ms: Option<i64>,
    due_ms: Option<i64>,
    /// While it stands: the running time that is left.
    left_ms: Option<i64>,
}

#[derive(Serialize)]
struct MoveOut {
    #[serde(rename = "move")]
    asked: &'static str,
    /// Keys that the body must have beside `who`, and those that it may.
    needs: Vec<&'static str>,
    takes: Vec<&'static str>,
    /// Not for who had a hand in the work.
    check: bool,
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
    pub(super) fn new(pictured: &'a Pictured) -> Self {
        let (ticket, now_ms) = (&pictured.ticket, now_ms());
        let is_timed = ticket.stage.is_timed();
        let out = |of: &'static str, clock: &Clock| {
            let runs = is_timed && clock.left_ms.is_none();
            ClockOut {
                of,
                lamp: if runs { clock.lamp(now_ms) } else { Lamp::Off }.as_str(),
                runs: clock.runs.as_str(),
                budget_ms: clock.budget_ms,
                yellow_ms: runs.then_some(clock.yellow_ms),
                due_ms: runs.then_some(clock.due_ms),
                left_ms: clock.left_ms,
            }
        };
        let step = ticket.step.as_ref().map(|step| out(ticket.held.unwrap_or(ticket.stage).as_str(), step));
        TicketView {
            ticket: TicketOut::from(ticket),
            revision: ticket.n_journal,
            open: ticket.stage.standing() == Standing::Open,
            snapshot: pictured.snapshot.as_deref(),
            clip: pictured.clip.as_deref(),
            clip_missing: pictured.clip_missing,
            pictures: &pictured.pictures,
            lamp: ticket.lamp(now_ms).as_str(),
            opened_ms: ticket.opened_ms,
            yellow_ms: ticket.clocks().map(|clock| clock.yellow_ms).min(),
            due_ms: ticket.clocks().map(|clock| clock.due_ms).min(),
            clocks: std::iter::once(out("whole", &ticket.whole)).chain(step).collect(),
            lease_ms: ticket.lease_ms,
            moves: table::open(ticket).map(MoveOut::from).collect(),
        }
    }
}

impl From<&Row> for MoveOut {
    fn from(row: &Row) -> Self {
        let keys = |needs: &[Need]| needs.iter().map(|need| need.key()).collect();
        MoveOut { asked: row.asked.name(), needs: keys(row.needs), takes: keys(row.takes), check: row.is_check }
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
    let least = match asked.stage.as_deref() {
        None | Some("all") => Standing::Ended,
        Some("open") => Standing::Open,
        Some(other) => return Err(Fault::bad_request(format!("stage {other:?} is neither \"open\" nor \"all\""))),
    };
    let wanted = TicketQuery { least, before: asked.before, limit: super::limit(asked.limit)? };
    let reader = context.reader.clone();
    let tickets = query(move || {
        let tickets = reader.tickets(&wanted)?.into_iter();
        tickets.map(|ticket| Pictured::read(&reader, ticket)).collect::<Result<Vec<_>, _>>()
    });
    let tickets = tickets.await?;
    let views: Vec<TicketView> = tickets.iter().map(TicketView::new).collect();
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
    let view = TicketView::new(&ticket);
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
    let asked = Move::parse(&name).ok_or_else(|| Fault::not_found(format!("there is no move {name:?}")))?;
    let command = Command { ticket: no, who: body.who.trim().into(), asked, said: body.said()? };
    let (reply, answer) = oneshot::channel();
    let answer = ask(&context.asks, Ask::Command(command, reply), answer).await?;
    let reader = context.reader.clone();
    let ticket = match answer {
        Ok(ticket) => query(move || Pictured::read(&reader, Ticket::clone(&ticket))).await?,
        // The desk forgets closed tickets; the store does not.
        Err(Refusal::NoSuchTicket(_)) => {
            let closed = query(move || reader.ticket(no)).await?;
            let (ticket, _) = closed.ok_or(Refusal::NoSuchTicket(no))?;
            return Err(Refusal::WrongStage { stage: ticket.stage, asked }.into());
        }
        Err(refusal) => return Err(refusal.into()),
    };
    Ok(Json(serde_json::json!({ "ticket": TicketView::new(&ticket) })))
}

impl CommandBody {
    /// What the body says beside who; whether the move needs it is the desk's to judge.
    fn said(self) -> Result<Said, Fault> {
        let photos = self.photos.as_ref();
        let texts = [
            ("who", Some(&self.who)),
            ("note", Some(&self.note)),
            ("unit", self.unit.as_ref()),
            ("officer", self.officer.as_ref()),
            ("centre", self.centre.as_ref()),
            ("photos.before", photos.map(|photos| &photos.before)),
            ("photos.after", photos.map(|photos| &photos.after)),
        ];
        for (key, text) in texts.iter().filter_map(|(key, text)| Some((key, (*text)?))) {
            if text.chars().count() > TEXT_CHARS_MAX {
                return Err(Fault::bad_request(format!("{key} is longer than {TEXT_CHARS_MAX} characters")));
            }
            if *key != "note" && text.trim().is_empty() {
                return Err(Fault::bad_request(format!("{key} is empty")));
            }
        }
        if let Some(score) = self.score.filter(|score| !SCORES.contains(score)) {
            return Err(Fault::bad_request(format!("score {score} is not in 1..=5")));
        }
        let trimmed = |text: String| -> Arc<str> { text.trim().into() };
        Ok(Said {
            note: self.note,
            unit: self.unit.map(trimmed),
            officer: self.officer.map(trimmed),
            photos: self.photos.map(|photos| [trimmed(photos.before), trimmed(photos.after)]),
            into: self.into,
            centre: self.centre.map(trimmed),
            limit: self.limit,
            score: self.score,
            is_force_majeure: self.force_majeure,
        })
    }
}

/// The table of the loop.
pub(super) async fn table(asked: Result<Query<NoQuery>, QueryRejection>) -> Result<Json<serde_json::Value>, Fault> {
    asked?;
    let stages: Vec<_> = Stage::ALL
        .iter()
        .map(|stage| serde_json::json!({ "stage": stage.as_str(), "zh": stage.chinese(), "timed": stage.is_timed() }))
        .collect();
    let rows = table::TABLE.iter().map(|row| {
        let to = match row.to {
            To::Stage(to) => Some(to.as_str()),
            To::Same => None,
            To::Held => Some("held"),
        };
        let MoveOut { asked, needs, takes, check } = MoveOut::from(row);
        serde_json::json!({
            "move": asked,
            "zh": row.asked.chinese(),
            "from": row.from.iter().map(|stage| stage.as_str()).collect::<Vec<_>>(),
            "to": to,
            "roles": row.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
            "of": row.reach.as_str(),
            "needs": needs,
            "takes": takes,
            "check": check,
            "emergency": row.is_urgent,
            "private": row.is_private,
        })
    });
    Ok(Json(serde_json::json!({ "stages": stages, "moves": rows.collect::<Vec<_>>() })))
}
