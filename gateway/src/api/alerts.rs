//! Alerts: list, one, and the pictures that show it.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use super::evidence::HoldOut;
use super::fault::{Fault, query};
use super::{Context, NoQuery};
use crate::notify::body::{ConfidenceOut, PlaceOut};
use crate::nouns::EvidenceKind;
use crate::store::{AlertRow, EvidenceRow, ExhibitRow};
use crate::telemetry::time_text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `open` leaves cleared alerts out.
    state: Option<String>,
    limit: Option<u32>,
    #[serde(rename = "token")]
    _token: Option<String>,
}

#[derive(Serialize)]
struct AlertOut<'a> {
    id: &'a str,
    rule: &'a str,
    name: &'a str,
    source: &'a str,
    fence: Option<&'a str>,
    severity: &'static str,
    category: &'a str,
    why: &'a str,
    figures: Vec<FigureOut<'a>>,
    place: PlaceOut<'a>,
    /// How likely it is that there is something, where a visible camera was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<ConfidenceOut<'a>>,
    /// Device time since when the condition held.
    since: String,
    opened: String,
    cleared: Option<String>,
    cleared_why: Option<&'a str>,
    /// Path of the picture, where there is one, why it is missing, where there ought to be one, and its SHA-256.
    snapshot: Option<String>,
    snapshot_missing: Option<&'static str>,
    snapshot_sha256: Option<&'a str>,
    /// The silence, or the alert, because of which it makes no ticket for now.
    muted_by: Option<&'a str>,
    /// The same of the clip.
    clip: Option<String>,
    clip_missing: Option<&'static str>,
    clip_sha256: Option<&'a str>,
    /// Who keeps the evidence whatever its age, and why.
    hold: Option<HoldOut<'a>>,
}

/// A picture of an alert.
#[derive(Serialize)]
pub(super) struct PictureOut {
    /// `before`, `at`, `after`, or `visible`.
    role: String,
    source: String,
    /// Device time.
    at: String,
    /// None where it is gone, which `missing` then says why.
    path: Option<String>,
    missing: Option<&'static str>,
    sha256: Option<String>,
}

impl PictureOut {
    pub(super) fn new(alert: &str, row: ExhibitRow) -> PictureOut {
        PictureOut {
            path: row.evidence.file.as_ref().ok().map(|_| format!("/api/v1/alerts/{alert}/pictures/{}", row.no)),
            missing: missing(Some(&row.evidence)),
            role: row.role,
            source: row.source,
            at: time_text(row.at_ms),
            sha256: row.evidence.sha256,
        }
    }
}

#[derive(Serialize)]
struct FigureOut<'a> {
    name: &'a str,
    value: Option<f64>,
    unit: Option<&'a str>,
}

impl<'a> From<&'a AlertRow> for AlertOut<'a> {
    fn from(row: &'a AlertRow) -> Self {
        let figures = row.figures.iter();
        AlertOut {
            id: &row.id,
            rule: &row.rule,
            name: &row.name,
            source: &row.source,
            fence: row.fence.as_deref(),
            severity: row.severity.as_str(),
            category: &row.category,
            why: &row.why,
            figures: figures
                .map(|figure| FigureOut { name: &figure.name, value: figure.value, unit: figure.unit.as_deref() })
                .collect(),
            place: PlaceOut::from(&row.place),
            confidence: row.confidence.as_ref().map(ConfidenceOut::from),
            since: time_text(row.since_at_ms),
            opened: time_text(row.opened_ms),
            cleared: row.cleared_ms.map(time_text),
            cleared_why: row.cleared_why.as_deref(),
            snapshot: snapshot_path(row),
            snapshot_missing: missing(row.snapshot.as_ref()),
            snapshot_sha256: row.snapshot.as_ref().and_then(|snapshot| snapshot.sha256.as_deref()),
            clip: clip_path(row),
            clip_missing: missing(row.clip.as_ref()),
            clip_sha256: row.clip.as_ref().and_then(|clip| clip.sha256.as_deref()),
            hold: row.hold.as_ref().map(HoldOut::from),
            muted_by: row.muted_by.as_deref(),
        }
    }
}

pub(super) async fn list(
    State(context): State<Context>,
    asked: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    let Query(asked) = asked?;
    let open_only = match asked.state.as_deref() {
        None | Some("all") => false,
        Some("open") => true,
        Some(other) => return Err(Fault::bad_request(format!("state {other:?} is neither \"open\" nor \"all\""))),
    };
    let limit = super::limit(asked.limit)?;
    let rows = query(move || context.reader.alerts(open_only, limit)).await?;
    let alerts: Vec<AlertOut> = rows.iter().map(AlertOut::from).collect();
    Ok(Json(serde_json::json!({ "alerts": alerts })))
}

pub(super) async fn one(
    State(context): State<Context>,
    id: Result<Path<String>, PathRejection>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    asked?;
    let row = find(&context, id?.0).await?;
    let (reader, alert) = (context.reader.clone(), row.id.clone());
    let exhibits = query(move || reader.exhibits(&alert)).await?;
    let pictures: Vec<_> = exhibits.into_iter().map(|exhibit| PictureOut::new(&row.id, exhibit)).collect();
    Ok(Json(serde_json::json!({ "alert": AlertOut::from(&row), "pictures": pictures })))
}

/// Where the API shows the picture of an alert, if it has one.
pub(super) fn snapshot_path(row: &AlertRow) -> Option<String> {
    path(row, EvidenceKind::Snapshot, row.snapshot.as_ref())
}

/// The same of its clip.
pub(super) fn clip_path(row: &AlertRow) -> Option<String> {
    path(row, EvidenceKind::Clip, row.clip.as_ref())
}

fn path(row: &AlertRow, kind: EvidenceKind, evidence: Option<&EvidenceRow>) -> Option<String> {
    evidence?.file.as_ref().ok().map(|_| format!("/api/v1/alerts/{}/{}", row.id, kind.as_str()))
}

/// Why there is none that ought to be.
pub(super) fn missing(evidence: Option<&EvidenceRow>) -> Option<&'static str> {
    evidence?.file.as_ref().err().map(|missing| missing.as_str())
}

pub(super) async fn find(context: &Context, id: String) -> Result<AlertRow, Fault> {
    let reader = context.reader.clone();
    let row = query(move || reader.alert(&id)).await?;
    row.ok_or_else(|| Fault::not_found("there is no such alert"))
}
