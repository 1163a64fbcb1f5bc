//! The live stream: one server-sent event per journal entry, numbered in the order of commits. A client that comes
//! back says the last number it has (`Last-Event-ID`) and misses nothing.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use futures::stream;

use super::Context;
use super::fault::{Fault, query};
use super::tickets::TicketView;
use crate::nouns::Ticket;
use crate::store::JournalRow;

/// Entries read from the store at a time.
const PAGE: u32 = 200;

const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) async fn stream(
    State(context): State<Context>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Fault> {
    let last_seen = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|id| id.parse().ok());
    let after: i64 = match last_seen {
        Some(seq) => seq,
        None => {
            let reader = context.reader.clone();
            query(move || reader.stream_end()).await?
        }
    };
    let cursor = Cursor { context, after, page: Vec::new().into_iter() };
    let entries = stream::unfold(cursor, |mut cursor| async move {
        let (entry, ticket) = cursor.next().await?;
        Some((Ok(cursor.to_event(&entry, &ticket)), cursor))
    });
    Ok(Sse::new(entries).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

struct Cursor {
    context: Context,
    after: i64,
    page: std::vec::IntoIter<(JournalRow, Ticket)>,
}

impl Cursor {
    /// The next entry, as long as it may take; `None` when the gateway stops or the store fails.
    async fn next(&mut self) -> Option<(JournalRow, Ticket)> {
        loop {
            if let Some((entry, ticket)) = self.page.next() {
                self.after = entry.seq;
                return Some((entry, ticket));
            }
            // Marked as seen before the store is asked: a commit in between wakes us again.
            self.context.changed.borrow_and_update();
            let (reader, after) = (self.context.reader.clone(), self.after);
            let page = query(move || reader.stream(after, PAGE)).await.ok()?;
            if page.is_empty() {
                tokio::select! {
                    () = self.context.stop.cancelled() => return None,
                    changed = self.context.changed.changed() => changed.ok()?,
                }
            }
            self.page = page.into_iter();
        }
    }

    fn to_event(&self, entry: &JournalRow, ticket: &Ticket) -> Event {
        let data = serde_json::json!({
            "what": entry.what,
            "who": entry.who,
            "note": entry.note,
            "ticket": TicketView::new(ticket, self.context.yellow_share),
        });
        Event::default().id(entry.seq.to_string()).event("ticket").data(data.to_string())
    }
}
