//! What Desk settled, as rows of the commit and deliveries to those who hear of it.

use crate::dispatch::Effect;
use crate::notify::body;
use crate::nouns::Told;
use crate::store::{Commit, NewDelivery};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::now_ms;

pub(super) fn put(effects: &mut Vec<Effect>, metrics: &Metrics, commit: &mut Commit) {
    for effect in effects.drain(..) {
        match effect {
            Effect::Ticket(ticket) => match commit.tickets.last_mut() {
                // Of a ticket that changes again and again within a batch only the last state is written.
                Some(last) if last.no == ticket.no => *last = ticket,
                _ => commit.tickets.push(ticket),
            },
            Effect::Journal(entry) => commit.journal.push(entry),
            Effect::Member { alert, ticket } => commit.members.push((alert, ticket)),
            Effect::Adopt { from, into } => commit.adopted.push((from, into)),
            Effect::Withhold { alert, by, reason } => {
                metrics.alert_withheld(reason);
                commit.withheld.push((alert, Some(by)));
            }
            Effect::Release(alert) => commit.withheld.push((alert, None)),
            Effect::Silence(silence) => commit.silences.push(silence),
            Effect::Work(order) => commit.works.push(order),
            Effect::Fix { officer, fix } => commit.fixes.push((officer, fix)),
            Effect::Duty { officer, said } => commit.duties.push((officer, said)),
            Effect::File { no, file } => commit.files.push((no, file)),
            Effect::HandOver { from, to } => commit.handed_over.push((from, to)),
            Effect::Finding { rule, is_true } => commit.findings.push((rule, is_true)),
            Effect::Passage(passage) => commit.passages.push(passage),
            Effect::Class(change) => commit.classes.push(change),
            Effect::Tell { ticket, journal, kind, to } => {
                if journal == 1 {
                    metrics.ticket_opened(ticket.severity);
                }
                // One event has one time, whoever hears of it.
                let created_ms = now_ms();
                let data = if to.is_empty() { String::new() } else { body::ticket_data(&ticket) };
                commit.deliveries.extend(to.into_iter().map(|Told { receiver, from_ms }| NewDelivery {
                    receiver,
                    key: format!("T-{}/{journal}", ticket.no),
                    kind,
                    data: data.clone(),
                    created_ms,
                    next_ms: created_ms.max(from_ms),
                }));
            }
        }
    }
}
