//! A ticket as others see it: the `data` of every notification and the objects of the API are this one shape.

use serde::Serialize;

use crate::nouns::Ticket;
use crate::telemetry::time_text;

#[derive(Debug, Serialize)]
pub struct TicketOut<'a> {
    /// `T-<no>`.
    pub id: String,
    pub no: u64,
    pub title: &'a str,
    pub stage: &'static str,
    pub severity: &'static str,
    pub category: &'a str,
    pub why: &'a str,
    pub rule: &'a str,
    pub source: &'a str,
    pub fence: Option<&'a str>,
    pub alert: &'a str,
    pub alert_cleared: bool,
    pub place: PlaceOut<'a>,
    pub unit: Option<&'a str>,
    /// RFC 3339.
    pub opened: String,
    pub due: String,
    pub closed: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct PlaceOut<'a> {
    pub name: Option<&'a str>,
    /// WGS-84 degrees.
    pub lon: Option<f64>,
    pub lat: Option<f64>,
}

impl<'a> From<&'a Ticket> for TicketOut<'a> {
    fn from(ticket: &'a Ticket) -> Self {
        TicketOut {
            id: format!("T-{}", ticket.no),
            no: ticket.no,
            title: &ticket.title,
            stage: ticket.stage.as_str(),
            severity: ticket.severity.as_str(),
            category: &ticket.category,
            why: &ticket.why,
            rule: &ticket.rule,
            source: &ticket.source,
            fence: ticket.fence.as_deref(),
            alert: &ticket.alert,
            alert_cleared: ticket.alert_cleared,
            place: PlaceOut::from(&ticket.place),
            unit: ticket.unit.as_deref(),
            opened: time_text(ticket.opened_ms),
            due: time_text(ticket.due_ms),
            closed: ticket.closed_ms.map(time_text),
        }
    }
}

impl<'a> From<&'a crate::nouns::Place> for PlaceOut<'a> {
    fn from(place: &'a crate::nouns::Place) -> Self {
        PlaceOut {
            name: place.name.as_deref(),
            lon: place.point.map(|(lon, _)| lon),
            lat: place.point.map(|(_, lat)| lat),
        }
    }
}

/// Data of a notification: the ticket as it is after a journal entry.
pub fn ticket_data(ticket: &Ticket) -> String {
    serde_json::to_string(&TicketOut::from(ticket)).unwrap_or_else(|_| "{}".into())
}
