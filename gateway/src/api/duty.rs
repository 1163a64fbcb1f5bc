//! Officers in the field: who they are, whether they say to be on duty, where their phones are, and where they went. Their
//! positions are judged as if a broker had brought them, and dropped while they are off duty.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{ConnectInfo, Extension, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::evidence::{Looker, Peer};
use super::fault::{Fault, query};
use super::officers::{field, note, time};
use super::once::{self, Told};
use super::tickets::TEXT_CHARS_MAX;
use super::{Context, NoQuery};
use crate::dispatch::roster::Officer;
use crate::nouns::{Errand, Fix, Outcome, Refusal, Task};
use crate::telemetry::{now_ms, time_ms, time_text};

/// Positions of one request: more than an hour of them.
const FIXES_MAX: usize = 500;
/// Farther than this nobody can have been off.
const ACCURACY_M_MAX: f64 = 1e6;

/// Positions of one track: of longer ones each second is left out, again and again.
const TRACK_FIXES_MAX: usize = 4_000;
const TRACK_MS_DEFAULT: i64 = 86_400_000;
const TRACK_MS_MAX: i64 = 31 * 86_400_000;

fn officer<'a>(context: &'a Context, id: &str) -> Result<&'a Officer, Fault> {
    context.roster.get(id).ok_or_else(|| Fault::not_found(Refusal::NoOfficer(id.into()).to_string()))
}

fn shown(officer: &Officer) -> Value {
    json!({
        "id": officer.id,
        "name": officer.name,
        "unit": officer.unit,
        "centre": officer.centre,
        "roles": officer.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
    })
}

/// Who can be sent, without where they are: for somebody to say who they are.
pub(super) async fn names(
    State(context): State<Context>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    asked?;
    let officers: Vec<Value> = context.roster.all().into_iter().map(shown).collect();
    Ok(Json(json!({ "officers": officers })))
}

/// Whether somebody is on duty, and by what.
pub(super) async fn duty(
    State(context): State<Context>,
    id: Result<Path<String>, PathRejection>,
    asked: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    asked?;
    let Path(id) = id?;
    officer(&context, &id)?;
    Ok(Json(state(&context, &id).await?))
}

async fn state(context: &Context, id: &str) -> Result<Value, Fault> {
    let (field, now_ms, officer) = (field(context).await?, now_ms(), officer(context, id)?);
    let said = field.duties.get(id);
    Ok(json!({
        "now_ms": now_ms,
        "officer": shown(officer),
        "on_duty": officer.is_on_duty(said, now_ms),
        "said": said.map(|said| json!({ "on": said.is_on, "at": time_text(said.at_ms) })),
        "terminal": officer.terminal.is_some(),
        "position_every_ms": context.roster.limits.position_every.ms(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DutyBody {
    on: bool,
    by: String,
}

fn name(key: &str, said: &str) -> Result<Arc<str>, Fault> {
    let said = said.trim();
    let fits = !said.is_empty() && said.chars().count() <= TEXT_CHARS_MAX;
    fits.then(|| said.into())
        .ok_or_else(|| Fault::bad_request(format!("{key} is not 1 to {TEXT_CHARS_MAX} characters")))
}

/// An officer says whether they are on duty.
pub(super) async fn say(
    State(context): State<Context>,
    id: Result<Path<String>, PathRejection>,
    asked: Result<Query<NoQuery>, QueryRejection>,
    told: Result<Told<DutyBody>, Fault>,
) -> Result<Response, Fault> {
    asked?;
    let (Path(id), Told { body: DutyBody { on, by }, once }) = (id?, told?);
    officer(&context, &id)?;
    let task = Task::Duty { officer: id.as_str().into(), is_on: on };
    let done = once::run(&context, Errand { who: name("by", &by)?, once, task }).await?;
    Ok(once::answered(Json(state(&context, &id).await?), done.is_repeat))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PositionsBody {
    by: String,
    fixes: Vec<FixBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FixBody {
    /// WGS-84 degrees.
    lon: f64,
    lat: f64,
    /// Radius in metres.
    accuracy_m: Option<f64>,
    /// RFC 3339, by the phone's clock.
    at: String,
}

impl FixBody {
    fn read(&self) -> Result<Fix, String> {
        let FixBody { lon, lat, accuracy_m, at } = self;
        for (key, said, max) in [("lon", *lon, 180.0), ("lat", *lat, 90.0)] {
            if said.is_nan() || said.abs() > max {
                return Err(format!("{key} {said} is not within ±{max} degrees"));
            }
        }
        if let Some(accuracy_m) = accuracy_m.filter(|said| !(0.0..=ACCURACY_M_MAX).contains(said)) {
            return Err(format!("accuracy_m {accuracy_m} is not 0 to {ACCURACY_M_MAX} metres"));
        }
        let at_ms = time_ms(at).ok_or_else(|| format!("at {at:?} is no RFC 3339 time"))?;
        Ok(Fix { at_ms, lon: *lon, lat: *lat, accuracy_m: *accuracy_m })
    }
}

/// Where an officer's phone was, in the order of time; what is wrong with one costs no other.
pub(super) async fn positions(
    State(context): State<Context>,
    id: Result<Path<String>, PathRejection>,
    asked: Result<Query<NoQuery>, QueryRejection>,
    told: Result<Told<PositionsBody>, Fault>,
) -> Result<Response, Fault> {
    asked?;
    let (Path(id), Told { body: PositionsBody { by, fixes }, once }) = (id?, told?);
    let (who, officer) = (name("by", &by)?, officer(&context, &id)?.id.clone());
    if who != officer {
        return Err(Refusal::OthersDuty { who, officer }.into());
    }
    if !(1..=FIXES_MAX).contains(&fixes.len()) {
        return Err(Fault::bad_request(format!("{} fixes, a request has 1 to {FIXES_MAX}", fixes.len())));
    }
    let (mut read, mut refused) = (Vec::new(), Vec::new());
    for (i, fix) in fixes.iter().enumerate() {
        match fix.read() {
            Ok(fix) => read.push(fix),
            Err(why) => refused.push(json!({ "fix": i, "why": format!("fixes[{i}]: {why}") })),
        }
    }
    read.sort_by_key(|fix| fix.at_ms);
    let done = once::run(&context, Errand { who, once, task: Task::Locate { officer, fixes: read } }).await?;
    let Outcome::Located { n_taken, n_off_duty, n_untimely } = done.outcome else {
        return Err(Fault::unavailable("it was something else"));
    };
    let answer = json!({ "taken": n_taken, "off_duty": n_off_duty, "untimely": n_untimely, "refused": refused });
    Ok(once::answered(Json(answer), done.is_repeat))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrackQuery {
    /// RFC 3339; the last day where absent.
    from: Option<String>,
    to: Option<String>,
    who: Option<String>,
    reason: Option<String>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

/// Where an officer went; who asks is in the audit.
pub(super) async fn track(
    State(context): State<Context>,
    id: Result<Path<String>, PathRejection>,
    asked: Result<Query<TrackQuery>, QueryRejection>,
    headers: HeaderMap,
    peer: Option<Extension<ConnectInfo<Peer>>>,
) -> Result<Json<Value>, Fault> {
    let (Path(id), Query(asked)) = (id?, asked?);
    officer(&context, &id)?;
    let to_ms = time("to", asked.to)?.unwrap_or_else(now_ms);
    let from_ms = time("from", asked.from)?.unwrap_or(to_ms.saturating_sub(TRACK_MS_DEFAULT));
    if !(0..=TRACK_MS_MAX).contains(&to_ms.saturating_sub(from_ms)) {
        return Err(Fault::bad_request("from is before to, by 31 days at the most"));
    }
    let looker = Looker::new((asked.who, asked.reason), &headers, peer.as_deref())?;
    note(&context, id.clone(), "track", looker).await?;
    let (reader, of) = (context.reader.clone(), id.clone());
    let read = query(move || {
        let mut track = Track::default();
        reader.fixes(Some(&of), (from_ms, to_ms), |_, fix| track.push(fix))?;
        Ok(track)
    });
    let Track { fixes, every, .. } = read.await?;
    let fixes = fixes.iter().map(|Fix { at_ms, lon, lat, accuracy_m }| {
        json!({ "at": time_text(*at_ms), "lon": lon, "lat": lat, "accuracy_m": accuracy_m })
    });
    Ok(Json(json!({
        "officer": id,
        "from": time_text(from_ms),
        "to": time_text(to_ms),
        "every": every,
        "fixes": fixes.collect::<Vec<_>>(),
    })))
}

/// Positions in order of time, of which each `every`th is kept.
struct Track {
    fixes: Vec<Fix>,
    every: usize,
    n_seen: usize,
}

impl Default for Track {
    fn default() -> Self {
        Track { fixes: Vec::new(), every: 1, n_seen: 0 }
    }
}

impl Track {
    fn push(&mut self, fix: Fix) {
        if self.n_seen.is_multiple_of(self.every) {
            self.fixes.push(fix);
        }
        self.n_seen += 1;
        if self.fixes.len() > TRACK_FIXES_MAX {
            self.every *= 2;
            let mut at = 0;
            self.fixes.retain(|_| {
                at += 1;
                at % 2 == 1
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_track_is_thinned_evenly_and_never_too_long() {
        let mut track = Track::default();
        for at_ms in 0..20_000 {
            track.push(Fix { at_ms, lon: 0.0, lat: 0.0, accuracy_m: None });
        }
        assert_eq!((track.every, track.fixes.len()), (8, 2_500));
        assert!(track.fixes.iter().enumerate().all(|(i, fix)| fix.at_ms == 8 * i as i64));
    }
}
