//! A ticket as others see it: the `data` of every notification and the objects of the API are this one shape.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::nouns::{Call, Confidence, Storm, Ticket};
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
    /// How likely it is that there is something, where a visible camera was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<ConfidenceOut<'a>>,
    pub emergency: bool,
    /// Whose it is now, and who received it first and leads.
    pub centre: &'a str,
    pub lead: Option<&'a str>,
    pub unit: Option<&'a str>,
    /// RFC 3339.
    pub opened: String,
    /// Null while the clock stands.
    pub due: Option<String>,
    pub closed: Option<String>,
    /// More time that was asked for and waits for approval.
    pub extension: Option<String>,
    /// The ticket that has its alerts now.
    pub into: Option<String>,
    /// How many alerts it stands for.
    pub alerts: u64,
    /// Where it stands for a source that tells too much: `on` or `over`.
    pub storm: Option<&'static str>,
    /// How often it was returned, reworked, supervised…
    pub counts: BTreeMap<&'static str, u32>,
    pub score: Option<u8>,
    /// Somebody is called until it is acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<CallOut<'a>>,
}

#[derive(Debug, Serialize)]
pub struct CallOut<'a> {
    pub escalation: &'a str,
    /// From 1.
    pub step: usize,
    /// How often somebody was called so far.
    pub rung: u32,
    /// RFC 3339.
    pub next: String,
}

#[derive(Debug, Serialize)]
pub struct ConfidenceOut<'a> {
    /// 0..1.
    pub share: f64,
    pub why: &'a str,
}

#[derive(Debug, Serialize)]
pub struct PlaceOut<'a> {
    pub name: Option<&'a str>,
    /// WGS-84 degrees.
    pub lon: Option<f64>,
    pub lat: Option<f64>,
    /// How a camera sees it, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sight: Option<SightOut<'a>>,
}

/// Degrees, clockwise from true north; errors are one standard deviation.
#[derive(Debug, Serialize)]
pub struct SightOut<'a> {
    pub bearing: f64,
    pub bearing_error: f64,
    /// Null where the line of sight meets no ground: the point is the camera's own then.
    pub distance_m: Option<f64>,
    pub error: Option<EllipseOut>,
    /// The grid that owns the point, then its neighbours within twice the error.
    pub grids: Vec<&'a str>,
    /// The ground was taken for flat.
    pub flat: bool,
}

#[derive(Debug, Serialize)]
pub struct EllipseOut {
    pub major_m: f64,
    pub minor_m: f64,
    pub bearing: f64,
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
            alert_cleared: ticket.alert_cleared(),
            place: PlaceOut::from(&ticket.place),
            confidence: ticket.confidence.as_ref().map(ConfidenceOut::from),
            emergency: ticket.is_emergency,
            centre: &ticket.centre,
            lead: ticket.lead.as_deref(),
            unit: ticket.unit.as_deref(),
            opened: time_text(ticket.opened_ms),
            due: ticket.whole.left_ms.is_none().then(|| time_text(ticket.whole.due_ms)),
            closed: ticket.closed_ms.map(time_text),
            extension: ticket.extension.as_ref().map(|extension| extension.limit.to_string()),
            into: ticket.into.map(|into| format!("T-{into}")),
            alerts: ticket.n_alerts,
            storm: ticket.storm.map(Storm::as_str),
            counts: ticket.counts.named().into_iter().filter(|(_, n)| *n > 0).collect(),
            score: ticket.score,
            call: ticket.call.as_ref().map(CallOut::from),
        }
    }
}

impl<'a> From<&'a Call> for CallOut<'a> {
    fn from(call: &'a Call) -> Self {
        let Call { escalation, step, next_ms, n_rung, .. } = call;
        CallOut { escalation, step: step + 1, rung: *n_rung, next: time_text(*next_ms) }
    }
}

impl<'a> From<&'a Confidence> for ConfidenceOut<'a> {
    fn from(confidence: &'a Confidence) -> Self {
        ConfidenceOut { share: confidence.share, why: &confidence.why }
    }
}

impl<'a> From<&'a crate::nouns::Place> for PlaceOut<'a> {
    fn from(place: &'a crate::nouns::Place) -> Self {
        PlaceOut {
            name: place.name.as_deref(),
            lon: place.point.map(|(lon, _)| lon),
            lat: place.point.map(|(_, lat)| lat),
            sight: place.sight.as_deref().map(|sight| SightOut {
                bearing: sight.bearing_deg,
                bearing_error: sight.bearing_error_deg,
                distance_m: sight.distance_m,
                error: sight.error.map(|error| EllipseOut {
                    major_m: error.major_m,
                    minor_m: error.minor_m,
                    bearing: error.bearing_deg,
                }),
                grids: sight.grids.iter().map(|grid| &**grid).collect(),
                flat: sight.is_flat,
            }),
        }
    }
}

/// Data of a notification: the ticket as it is after a journal entry.
pub fn ticket_data(ticket: &Ticket) -> String {
    serde_json::to_string(&TicketOut::from(ticket)).unwrap_or_else(|_| "{}".into())
}
