//! The live stream: one server-sent event per journal entry, numbered in the order of commits. A client that comes
//! back says the last number it has (`Last-Event-ID`) and misses nothing.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use futures::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::fault::{Fault, query};
use super::tickets::{Pictured, TicketView};
use super::{Context, NoQuery};
use crate::store::JournalRow;

/// Entries read from the store at a time.
const PAGE: u32 = 200;

/// A `beat` is sent when nothing else was for this long: a client that hears none knows that its line is dead.
const BEAT: Duration = Duration::from_secs(15);

/// Clients that listen at a time.
pub(super) const CLIENTS_MAX: usize = 64;

/// Places for clients.
#[derive(Clone)]
pub(super) struct Seats(Arc<Semaphore>);

impl Seats {
    pub(super) fn new() -> Seats {
        Seats(Arc::new(Semaphore::new(CLIENTS_MAX)))
    }
}

pub(super) async fn stream(
    State(context): State<Context>,
    Extension(Seats(seats)): Extension<Seats>,
    asked: Result<Query<NoQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Fault> {
    asked?;
    let full = |_| Fault::unavailable(format!("{CLIENTS_MAX} clients listen already"));
    let seat = seats.try_acquire_owned().map_err(full)?;
    let last_seen: Option<i64> =
        headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|id| id.parse().ok());
    let reader = context.reader.clone();
    let end = query(move || reader.stream_end()).await?;
    // A number that was never given comes from another database: what comes next is all that can be told.
    let after = last_seen.map_or(end, |seq| seq.clamp(0, end));
    let cursor = Cursor { context, after, page: Vec::new().into_iter(), _seat: seat };
    let entries = stream::unfold(cursor, |mut cursor| async move {
        let (entry, ticket) = cursor.next().await?;
        Some((Ok(Cursor::to_event(&entry, &ticket)), cursor))
    });
    let beat = KeepAlive::new().interval(BEAT).event(Event::default().event("beat").data("beat"));
    Ok(Sse::new(entries).keep_alive(beat))
}

struct Cursor {
    context: Context,
    after: i64,
    page: std::vec::IntoIter<(JournalRow, Pictured)>,
    _seat: OwnedSemaphorePermit,
}

impl Cursor {
    /// The next entry, as long as it may take; `None` when the gateway stops or the store fails.
    async fn next(&mut self) -> Option<(JournalRow, Pictured)> {
        loop {
            if let Some((entry, ticket)) = self.page.next() {
                self.after = entry.seq;
                return Some((entry, ticket));
            }
            // Marked as seen before the store is asked: a commit in between wakes us again.
            self.context.changed.borrow_and_update();
            let (reader, after) = (self.context.reader.clone(), self.after);
            let page = query(move || {
                let entries = reader.stream(after, PAGE)?.into_iter();
                entries.map(|(entry, ticket)| Ok((entry, Pictured::read(&reader, ticket)?))).collect()
            });
            let page: Vec<_> = page.await.ok()?;
            if page.is_empty() {
                tokio::select! {
                    () = self.context.stop.cancelled() => return None,
                    changed = self.context.changed.changed() => changed.ok()?,
                }
            }
            self.page = page.into_iter();
        }
    }

    fn to_event(entry: &JournalRow, ticket: &Pictured) -> Event {
        let data = serde_json::json!({
            "what": entry.what,
            "who": entry.who,
            "note": entry.note,
            "ticket": TicketView::new(ticket),
        });
        Event::default().id(entry.seq.to_string()).event("ticket").data(data.to_string())
    }
}
