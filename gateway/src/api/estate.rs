//! What is watched: sources as they spoke, or as they are configured where they never did; rules and fences.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use outpost_fences::{FenceSet, geojson};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::fault::{Fault, ask, query};
use super::views::Sending;
use super::{Context, NoQuery};
use crate::config::{BaseMap, Config, Written};
use crate::pipeline::run::Ask;
use crate::pipeline::sources::{Last, Overview, SourceView};
use crate::telemetry::time_text;

/// Answers that change only with a reload.
pub struct Estate {
    rules: Value,
    fences: Value,
    /// Identities of the sources that the configuration names.
    sources: HashSet<Arc<str>>,
    /// They and the cameras, by identity.
    standing: BTreeMap<Arc<str>, Standing>,
    /// The ground of centres.
    pub(super) grids: Arc<FenceSet>,
    /// The map under all.
    pub(super) map: Option<BaseMap>,
    /// Name of the file that is written over the API.
    pub(super) annex: Option<String>,
    pub(super) written: Arc<[Written]>,
}

/// What the configuration says of a source.
#[derive(Default)]
struct Standing {
    /// Empty where it gives none.
    name: String,
    /// WGS-84 degrees: longitude, latitude.
    place: Option<[f64; 2]>,
}

impl Estate {
    pub fn new(config: &Config, fences: &FenceSet) -> Estate {
        let rules: Vec<Value> = config
            .rules
            .iter()
            .map(|rule| {
                json!({
                    "id": rule.id,
                    "name": rule.name,
                    "sources": rule.sources,
                    "detect": rule.detect,
                    "severity": rule.severity.as_str(),
                    "category": rule.category,
                    "confidence": rule.confidence,
                    "flapping": rule.flapping,
                    "unless_work_m": rule.unless_work_m,
                    "active": rule.active,
                })
            })
            .collect();
        let grids = Arc::new(config.grids(fences));
        let fences: Vec<Value> = fences.iter().map(|fence| geojson::to_json(fence)).collect();
        let zones = config.cameras.iter().flat_map(|camera| {
            camera.zones.iter().map(
                move |zone| json!({ "id": zone.id, "camera": format!("cam:{}", camera.id), "polygon": zone.polygon }),
            )
        });
        let standing = |name: &str, place| Standing { name: name.to_owned(), place };
        let cameras = config
            .cameras
            .iter()
            .map(|camera| (format!("cam:{}", camera.id).into(), standing(&camera.name, camera.place)));
        let sources =
            config.sources.iter().map(|source| (source.id.as_str().into(), standing(&source.name, source.place)));
        Estate {
            standing: cameras.chain(sources).collect(),
            grids,
            map: config.console.map.clone(),
            annex: config.console.annex.as_ref().map(|file| file.to_string_lossy().into_owned()),
            written: config.written.clone(),
            sources: config.sources.iter().map(|source| source.id.as_str().into()).collect(),
            rules: json!({ "rules": rules }),
            fences: json!({ "type": "FeatureCollection", "features": fences, "zones": zones.collect::<Vec<_>>() }),
        }
    }
}

impl Estate {
    /// A source that the configuration names.
    pub(super) fn source(&self, id: &str) -> Option<Arc<str>> {
        self.sources.get(id).cloned()
    }

    /// These and those that the configuration names and that never spoke, by name.
    fn with_silent(&self, mut heard: Vec<SourceView>) -> Vec<SourceView> {
        let known: HashSet<&str> = heard.iter().map(|view| &*view.source).collect();
        let silent = self.standing.keys().filter(|id| !known.contains(&***id));
        let silent: Vec<_> = silent.map(|id| SourceView { source: id.clone(), ..SourceView::default() }).collect();
        heard.extend(silent);
        heard.sort_by(|a, b| a.source.cmp(&b.source));
        heard
    }
}

pub(super) async fn rules(
    State(context): State<Context>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    asked?;
    let reader = context.reader.clone();
    let findings = query(move || reader.findings()).await?;
    let mut answer = context.estate.borrow().rules.clone();
    let rules = answer["rules"].as_array_mut().into_iter().flatten();
    for rule in rules {
        let found = findings.iter().find(|finding| rule["id"] == finding.rule.as_str());
        let (n_true, n_false) = found.map_or((0, 0), |finding| (finding.n_confirmed, finding.n_rejected));
        let n_all = n_true + n_false;
        // Nobody looked, nobody knows.
        let rate = (n_all > 0).then(|| n_false as f64 / n_all as f64);
        rule["findings"] = json!({ "confirmed": n_true, "rejected": n_false, "false_alarm_rate": rate });
    }
    Ok(Json(answer))
}

pub(super) async fn fences(
    State(context): State<Context>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    asked?;
    Ok(Json(context.estate.borrow().fences.clone()))
}

pub(super) async fn sources(
    State(context): State<Context>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    asked?;
    let (reply, answer) = oneshot::channel();
    let Overview { views: heard, is_full } = ask(&context.asks, Ask::Sources(reply), answer).await?;
    let sendings = context.views.sendings();
    let estate = context.estate.borrow();
    let unnamed = Standing::default();
    let shown = |view: &SourceView| {
        let standing = estate.standing.get(&view.source).unwrap_or(&unnamed);
        let mut shown = source(view, standing, sendings.get(&view.source));
        // Where officers are is told with who asks.
        if matches!(view.last, Last::Position { .. }) && context.roster.of_terminal(&view.source).is_some() {
            shown["last"] = json!("position");
        }
        shown
    };
    let sources: Vec<Value> = estate.with_silent(heard).iter().map(shown).collect();
    Ok(Json(json!({ "sources": sources, "full": is_full })))
}

fn source(view: &SourceView, Standing { name, place }: &Standing, sending: Option<&Sending>) -> Value {
    let last = match &view.last {
        Last::Nothing => Value::Null,
        Last::Reading { metric, value, unit } => json!({ "metric": metric, "value": value, "unit": unit }),
        Last::Position { lon, lat } => json!({ "lon": lon, "lat": lat }),
        Last::Thermal => json!("thermal frame"),
        Last::Picture => json!("picture"),
    };
    let link =
        view.link.map(|(state, reason)| json!({ "state": state.as_str(), "reason": reason.map(|r| r.as_str()) }));
    json!({
        "id": view.source,
        "name": name,
        "observations": view.n_observations,
        "rejected": view.n_rejected,
        "last_reject": view.last_reject,
        "last_heard": view.last_ms.map(time_text),
        "last": last,
        "link": link,
        "clock_drift_ms": sending.and_then(|sending| sending.drift_ms),
        "shed": sending.map(|sending| sending.n_shed),
        "place": place.map(|[lon, lat]| json!({ "lon": lon, "lat": lat })),
    })
}
