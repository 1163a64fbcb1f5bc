//! A delivery → what its receiver reads: CloudEvents, or a message of the Common Alerting Protocol. Knows nothing of how it is
//! sent.

use std::sync::Arc;

use super::cap::{self, Entry};
use super::{Fault, cloudevent};
use crate::config::{Body, District};
use crate::nouns::{Delivery, StoreFault, Ticket};

/// Tickets with their journals, oldest entry first.
pub trait Told: Send + Sync + 'static {
    fn ticket(&self, no: u64) -> Result<Option<(Ticket, Vec<Entry>)>, StoreFault>;
}

#[derive(Clone)]
pub(super) enum Composer {
    CloudEvents { source: String },
    Cap { district: District, tickets: Arc<dyn Told> },
}

impl Composer {
    pub(super) fn new(body: Body, district: &District, tickets: Arc<dyn Told>) -> Composer {
        match body {
            Body::CloudEvents => Composer::CloudEvents { source: cloudevent::source(&district.id) },
            Body::Cap => Composer::Cap { district: district.clone(), tickets },
        }
    }

    pub(super) fn content_type(&self) -> &'static str {
        match self {
            Composer::CloudEvents { .. } => cloudevent::CONTENT_TYPE,
            Composer::Cap { .. } => cap::CONTENT_TYPE,
        }
    }

    /// None where there is nothing to tell: not every entry of a journal is a message. Reads a disk.
    pub(super) fn compose(&self, delivery: &Delivery) -> Result<Option<String>, Fault> {
        match self {
            Composer::CloudEvents { source } => cloudevent::encode(source, delivery)
                .map(Some)
                .map_err(|error| Fault::refused(format!("data of {} is not JSON: {error}", delivery.key))),
            Composer::Cap { district, tickets } => {
                let (ticket, entry) = numbers(&delivery.key)
                    .ok_or_else(|| Fault::refused(format!("{} is no entry of a ticket", delivery.key)))?;
                let found = tickets.ticket(ticket).map_err(|fault| Fault::passing(fault.to_string()))?;
                // One that is past its retention tells nobody anything any more.
                Ok(found.and_then(|(ticket, journal)| cap::of_entry(district, &ticket, &journal, entry)))
            }
        }
    }
}

/// Of the key of a delivery, `T-<ticket>/<entry>`.
fn numbers(key: &str) -> Option<(u64, u64)> {
    let (ticket, entry) = key.strip_prefix("T-")?.split_once('/')?;
    Some((ticket.parse().ok()?, entry.parse().ok()?))
}
