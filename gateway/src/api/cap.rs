//! Tickets as CAP 1.2 messages, one by one and as an Atom feed (RFC 4287) of the newest.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;

use super::fault::{Fault, query};
use super::{Context, NoQuery};
use crate::notify::cap::{self, Entry};
use crate::nouns::{Refusal, Ticket};
use crate::store::{JournalRow, TicketQuery};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FeedQuery {
    limit: Option<u32>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

pub(super) async fn message(
    State(context): State<Context>,
    no: Result<Path<u64>, PathRejection>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Fault> {
    asked?;
    let Path(no) = no?;
    let reader = context.reader.clone();
    let (ticket, journal) = query(move || reader.ticket(no)).await?.ok_or(Refusal::NoSuchTicket(no))?;
    let is_told = !ticket.is_private;
    let message = cap::message(&context.district, &ticket, &entries(journal));
    let message =
        message.filter(|_| is_told).ok_or_else(|| Fault::not_found(format!("T-{no} is not told of by CAP")))?;
    Ok(([(header::CONTENT_TYPE, cap::CONTENT_TYPE)], message))
}

pub(super) async fn feed(
    State(context): State<Context>,
    asked: Result<Query<FeedQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Fault> {
    let Query(asked) = asked?;
    let wanted = TicketQuery { limit: super::limit(asked.limit)?, ..TicketQuery::default() };
    let reader = context.reader.clone();
    let tickets = query(move || {
        let tickets = reader.tickets(&wanted)?;
        let found = tickets
            .iter()
            .filter(|ticket| !ticket.is_private)
            .map(|ticket| reader.ticket(ticket.no))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(found.into_iter().flatten().collect::<Vec<_>>())
    });
    let told = tickets.await?.into_iter().map(|(ticket, journal)| (ticket, entries(journal)));
    let feed = cap::feed(&context.district, &told.collect::<Vec<(Ticket, Vec<Entry>)>>());
    Ok(([(header::CONTENT_TYPE, "application/atom+xml")], feed))
}

/// A journal as messages are made of it.
pub(crate) fn entries(journal: Vec<JournalRow>) -> Vec<Entry> {
    let entry = |row: JournalRow| Entry { no: row.no, at_ms: row.at_ms, what: row.what, note: row.note };
    journal.into_iter().map(entry).collect()
}
