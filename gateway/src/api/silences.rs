//! Silences: who made them, of what, until when, and what they withheld.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::fault::{Fault, ask, query};
use super::tickets::TEXT_CHARS_MAX;
use super::{Context, NoQuery};
use crate::config::Span;
use crate::config::pattern::SourcePattern;
use crate::nouns::{Silence, SilenceAsk, Silenced};
use crate::pipeline::run::Ask;
use crate::telemetry::{now_ms, time_text};

/// Longest silence.
const LASTS_MAX: Span = Span::from_ms(30 * 86_400_000);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `on` leaves those out that were ended.
    state: Option<String>,
    limit: Option<u32>,
    /// Checked by the layer above.
    #[serde(rename = "token")]
    _token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SilenceBody {
    who: String,
    reason: String,
    #[serde(rename = "for")]
    lasts: Span,
    rule: Option<String>,
    source: Option<String>,
    category: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndBody {
    pub(super) who: String,
}

impl ListQuery {
    pub(super) fn is_all(&self) -> Result<bool, Fault> {
        match self.state.as_deref() {
            None | Some("on") => Ok(false),
            Some("all") => Ok(true),
            Some(other) => Err(Fault::bad_request(format!("state {other:?} is neither \"on\" nor \"all\""))),
        }
    }

    pub(super) fn limit(&self) -> Result<u32, Fault> {
        super::limit(self.limit)
    }
}

#[derive(Serialize)]
struct SilenceOut<'a> {
    no: u64,
    rule: Option<&'a str>,
    source: Option<&'a str>,
    category: Option<&'a str>,
    who: &'a str,
    reason: &'a str,
    since: String,
    until: String,
    on: bool,
    ended: Option<String>,
    ended_by: Option<&'a str>,
    /// Alerts that had no ticket because of it.
    withheld: u64,
}

impl<'a> From<&'a Silence> for SilenceOut<'a> {
    fn from(silence: &'a Silence) -> Self {
        SilenceOut {
            no: silence.no,
            rule: silence.of.rule.as_deref(),
            source: silence.of.source.as_deref(),
            category: silence.of.category.as_deref(),
            who: &silence.who,
            reason: &silence.reason,
            since: time_text(silence.since_ms),
            until: time_text(silence.until_ms),
            on: silence.ended.is_none() && now_ms() < silence.until_ms,
            ended: silence.ended.as_ref().map(|(_, at_ms)| time_text(*at_ms)),
            ended_by: silence.ended.as_ref().map(|(who, _)| &**who),
            withheld: silence.n_withheld,
        }
    }
}

pub(super) async fn list(
    State(context): State<Context>,
    asked: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    let Query(asked) = asked?;
    let (is_all, limit) = (asked.is_all()?, asked.limit()?);
    let silences = query(move || context.reader.silences(is_all, limit)).await?;
    Ok(Json(serde_json::json!({ "silences": silences.iter().map(SilenceOut::from).collect::<Vec<_>>() })))
}

pub(super) async fn begin(
    State(context): State<Context>,
    asked: Result<Query<NoQuery>, QueryRejection>,
    body: Result<Json<SilenceBody>, JsonRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    asked?;
    let Json(body) = body?;
    let text = |key: &str, text: &str| said(key, text).map_err(Fault::bad_request);
    let (who, reason) = (text("who", &body.who)?, text("reason", &body.reason)?);
    if body.lasts.ms() <= 0 || body.lasts > LASTS_MAX {
        return Err(Fault::bad_request("for is a span of at most 30 days: silences end"));
    }
    let pattern = |key: &str, text: &Option<String>| -> Result<Option<Arc<str>>, Fault> {
        let Some(text) = text else { return Ok(None) };
        SourcePattern::parse(text).map_err(|error| Fault::bad_request(format!("{key}: {error}")))?;
        Ok(Some(text.as_str().into()))
    };
    let of = Silenced {
        rule: pattern("rule", &body.rule)?,
        source: pattern("source", &body.source)?,
        category: pattern("category", &body.category)?,
    };
    if of == Silenced::default() {
        return Err(Fault::bad_request("one of rule, source and category says what is silenced"));
    }
    command(&context, SilenceAsk::Begin { of, who, reason, lasts_ms: body.lasts.ms() }).await
}

pub(super) async fn end(
    State(context): State<Context>,
    no: Result<Path<u64>, PathRejection>,
    asked: Result<Query<NoQuery>, QueryRejection>,
    body: Result<Json<EndBody>, JsonRejection>,
) -> Result<Json<serde_json::Value>, Fault> {
    asked?;
    let (Path(no), Json(body)) = (no?, body?);
    command(&context, SilenceAsk::End { no, who: said("who", &body.who).map_err(Fault::bad_request)? }).await
}

async fn command(context: &Context, asked: SilenceAsk) -> Result<Json<serde_json::Value>, Fault> {
    let (reply, answer) = oneshot::channel();
    let silence = ask(&context.asks, Ask::Silence(asked, reply), answer).await??;
    Ok(Json(serde_json::json!({ "silence": SilenceOut::from(&silence) })))
}

/// A text that has to be there, or what is wrong with it.
pub(super) fn said(key: &str, text: &str) -> Result<Arc<str>, String> {
    match text.trim() {
        "" => Err(format!("{key} is empty")),
        text if text.chars().count() > TEXT_CHARS_MAX => {
            Err(format!("{key} is longer than {TEXT_CHARS_MAX} characters"))
        }
        text => Ok(text.into()),
    }
}
