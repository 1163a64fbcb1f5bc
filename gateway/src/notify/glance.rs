//! What a letter's data says of its ticket, for channels that do not send JSON as it is.

use serde::Deserialize;

use super::Fault;

/// The fields of [`super::body::TicketOut`] that people are told. What an older version did not write is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Glance {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) stage: String,
    pub(super) severity: String,
    pub(super) category: String,
    pub(super) why: String,
    pub(super) source: String,
    pub(super) centre: String,
    pub(super) place: Spot,
    pub(super) opened: String,
    pub(super) due: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) alerts: u64,
}

/// WGS-84 degrees.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Spot {
    pub(super) name: Option<String>,
    pub(super) lon: Option<f64>,
    pub(super) lat: Option<f64>,
}

impl Glance {
    pub(super) fn read(data: &str) -> Result<Glance, Fault> {
        serde_json::from_str(data).map_err(|error| Fault::refused(format!("the ticket cannot be read: {error}")))
    }
}
