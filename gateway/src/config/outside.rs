//! Who outside may report what: citizens' applications by Open311, other departments' systems by JSON.

use serde::Deserialize;

use super::{CoordinateSystem, Secret, Severity, defaults};

/// Open311 GeoReport v2 under `/open311/v2`; none where absent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open311 {
    /// What requests say as `jurisdiction_id`, where they say it; anything where absent.
    pub jurisdiction: Option<String>,
    /// Requests that one key may post in a minute.
    #[serde(default = "defaults::reports_per_minute")]
    pub per_minute: u32,
    /// Whether requests are shown to those who have no key.
    #[serde(default)]
    pub public: bool,
    #[serde(default)]
    pub keys: Vec<ApiKey>,
    pub services: Vec<Service>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// The source of its tickets is `open311:<id>`.
    pub id: String,
    pub token: Secret,
}

/// Something that people may report.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub code: String,
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub group: String,
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Of its tickets.
    pub category: String,
    #[serde(default = "defaults::least_severity")]
    pub severity: Severity,
}

/// Another system's reports as JSON, at `POST /api/v1/intake/<id>`. All places are JSON pointers (RFC 6901).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// The source of its tickets is `intake:<id>`.
    pub id: String,
    /// Bearer token of the sender; the API's own where absent.
    pub token: Option<Secret>,
    /// Where the reports are, an array; the document itself, an array or one report, where absent.
    #[serde(default)]
    pub items: String,
    /// In a report: what the sender calls it. The same again is the same report.
    pub key: String,
    pub title: String,
    pub text: Option<String>,
    pub address: Option<String>,
    pub lon: Option<String>,
    pub lat: Option<String>,
    #[serde(default)]
    pub coordinates: CoordinateSystem,
    /// What tells of which kind a report is; all are of the first of `kinds` where absent.
    pub kind: Option<String>,
    pub kinds: Vec<ReportKind>,
}

/// What becomes of reports of one kind: their category says which limits, centre and way they have.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportKind {
    /// As the sender writes it, text or a number.
    #[serde(default)]
    pub is: String,
    pub category: String,
    #[serde(default = "defaults::least_severity")]
    pub severity: Severity,
}
