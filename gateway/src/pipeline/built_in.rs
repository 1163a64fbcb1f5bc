//! Rules that there are without being written: silence is a finding, of cameras and of the gateway itself. Pure.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use outpost_detectors::latch::Latch;
use outpost_detectors::observation::SightFault;
use outpost_detectors::silent::Silent;

use super::picture::PictureRule;
use super::rules::{Judge, Rule};
use crate::config::{Ailment, Config, Series, Severity};
use crate::nouns::{TroubleKind, trouble};

/// Decoders that are behind for this long are an alert, and it is over once they have kept up for as long.
const BEHIND_HOLD_MS: i64 = 60_000;

/// Some cameras space their key frames by what moves: now and then apart is nothing.
const SPARSE_HOLD_MS: i64 = 60_000;

/// Longer than a clock is compared for: two comparisons have to agree.
const DRIFT_HOLD_MS: i64 = 900_000;

const CAMERA: &str = "device/camera";

/// Those beside what `written` already watches.
pub(super) fn rules(config: &Config, written: &[Rule]) -> Vec<Rule> {
    let mut rules = dark_cameras(config, written);
    rules.extend(Ailment::ALL.into_iter().filter_map(|ailment| ailing_cameras(ailment, config, written)));
    rules.extend(config.series.iter().flat_map(series_troubles));
    if !config.cameras.is_empty() {
        rules.push(video_trouble());
    }
    rules
}

/// A camera that no rule of kind `dark` watches has the built-in one, with its own limit.
fn dark_cameras(config: &Config, written: &[Rule]) -> Vec<Rule> {
    let mut by_limit: BTreeMap<i64, HashSet<Arc<str>>> = BTreeMap::new();
    for camera in &config.cameras {
        let source: Arc<str> = format!("cam:{}", camera.id).into();
        if !written.iter().any(|rule| matches!(rule.judge, Judge::Dark(_)) && rule.matches(&source)) {
            by_limit.entry(camera.dark_after.ms()).or_default().insert(source);
        }
    }
    let rule = |(after_ms, named)| Rule {
        category: CAMERA.into(),
        named,
        ..plain("camera-dark", "camera dark", Judge::Dark(Silent { after_ms }))
    };
    by_limit.into_iter().map(rule).collect()
}

/// The cameras that are to tell of it, and that no rule of kind `sight` watches for it. A rule of the same id watches for
/// something else under it: the states of the two would be one.
fn ailing_cameras(ailment: Ailment, config: &Config, written: &[Rule]) -> Option<Rule> {
    let (id, judge) = match ailment {
        Ailment::TooDark => sight(SightFault::TooDark),
        Ailment::TooBright => sight(SightFault::TooBright),
        Ailment::Frozen => sight(SightFault::Frozen),
        Ailment::TooBlurry => sight(SightFault::TooBlurry),
        Ailment::Covered => sight(SightFault::Covered),
        Ailment::Moved => sight(SightFault::Moved),
        Ailment::Stalls => troubled(TroubleKind::Stalls, 0),
        Ailment::SparseKeyFrames => troubled(TroubleKind::SparseKeyFrames, SPARSE_HOLD_MS),
        Ailment::ClockDrift => troubled(TroubleKind::ClockDrift, DRIFT_HOLD_MS),
    };
    let what = |judge: &Judge| if let Judge::Picture { rule, .. } = judge { Some(rule.what.clone()) } else { None };
    let looks_for = what(&judge);
    let is_of_it = |rule: &Rule| *rule.id == *id || (looks_for.is_some() && what(&rule.judge) == looks_for);
    let telling = config.cameras.iter().filter(|camera| camera.ailments.contains(&ailment));
    let sources = telling.map(|camera| Arc::from(format!("cam:{}", camera.id)));
    let is_watched = |source: &Arc<str>| written.iter().any(|rule| is_of_it(rule) && rule.matches(source));
    let named: HashSet<Arc<str>> = sources.filter(|source| !is_watched(source)).collect();
    let severity = match ailment {
        Ailment::Covered | Ailment::Moved | Ailment::Frozen => Severity::Moderate,
        // More often weather, night and how it was set up than somebody's hand.
        _ => Severity::Minor,
    };
    let name = id.replace('-', " ");
    (!named.is_empty()).then(|| Rule { severity, category: CAMERA.into(), named, ..plain(&id, &name, judge) })
}

fn sight(fault: SightFault) -> (String, Judge) {
    let (rule, latch) = PictureRule::sight(fault);
    (format!("camera-{}", fault.as_str()), Judge::Picture { rule, latch })
}

/// What lasts as long both ways.
fn troubled(kind: TroubleKind, hold_ms: i64) -> (String, Judge) {
    (kind.rule().to_owned(), Judge::Trouble { kind, latch: Latch { hold_ms, clear_hold_ms: hold_ms } })
}

/// Readings that do not reach the series database are work for somebody, before and after they are lost.
fn series_troubles(series: &Series) -> [Rule; 2] {
    let latch = |hold_ms| Latch { hold_ms, clear_hold_ms: 0 };
    let rule = |kind, name, hold_ms| own_trouble((kind, trouble::SERIES), name, "gateway/series", latch(hold_ms));
    [
        rule(TroubleKind::SeriesDown, "series database down", series.down_after.ms()),
        rule(TroubleKind::ReadingsLost, "readings lost", 0),
    ]
}

/// Pictures that nobody has time to decode are a matter of the machine, not of the cameras.
fn video_trouble() -> Rule {
    let latch = Latch { hold_ms: BEHIND_HOLD_MS, clear_hold_ms: BEHIND_HOLD_MS };
    own_trouble((TroubleKind::DecodersBehind, trouble::VIDEO), "decoders behind", "gateway/video", latch)
}

fn own_trouble((kind, source): (TroubleKind, &str), name: &str, category: &str, latch: Latch) -> Rule {
    Rule {
        category: category.into(),
        named: HashSet::from([source.into()]),
        ..plain(kind.rule(), name, Judge::Trouble { kind, latch })
    }
}

fn plain(id: &str, name: &str, judge: Judge) -> Rule {
    Rule {
        id: id.into(),
        key: id.into(),
        name: name.into(),
        severity: Severity::Moderate,
        category: "".into(),
        patterns: Vec::new(),
        named: HashSet::new(),
        judge,
        schedule: None,
        flapping: None,
        lateness_ms: 0,
        confidence: None,
    }
}
