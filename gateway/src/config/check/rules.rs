//! What must hold of the rules: what they watch exists, and what they detect can happen.

use outpost_detectors::flapping::OPENINGS_MAX;

use super::fences::Known;
use super::look::Look;
use super::tree::Path;
use super::words::{did_you_mean, one_of};
use super::{calendars, conditions, heat, movement, pictures, readings};
use crate::config::pattern::SourcePattern;
use crate::config::topic::{Part, SourceTemplate, TopicFilter};
use crate::config::{Camera, Config, Detect, Feed, Format, Rule, Span, unit};

pub(super) fn check(look: &mut Look<'_>, config: &Config, fences: Option<&[Known]>) {
    let paths: Vec<_> = (0..config.rules.len()).map(|i| look.shape.origin("rules", i)).collect();
    look.check_ids(paths.iter().cloned().zip(config.rules.iter().map(|rule| rule.id.as_str())));
    let estate = Estate::new(config);
    for (at, rule) in paths.iter().zip(&config.rules) {
        let patterns = check_sources(look, at, rule, &estate);
        let detect = at.key("detect");
        if let Some(flapping) = &rule.flapping {
            let at = at.key("flapping");
            look.check_within(&at.key("n"), flapping.n, 2, OPENINGS_MAX);
            look.check_positive(&at.key("within"), flapping.within);
        }
        if let Some(active) = &rule.active {
            calendars::check_active(look, &at.key("active"), active);
        }
        if let Some(confidence) = rule.confidence {
            look.check_within(&at.key("confidence"), confidence, 0.0, 1.0);
        }
        if let Some(reach_m) = rule.unless_work_m {
            look.check_within(&at.key("unless_work_m"), reach_m, 1.0, WORK_REACH_M_MAX);
        }
        if let Some(lateness) = rule.lateness {
            check_lateness(look, &at.key("lateness"), lateness, &rule.detect);
        }
        match &rule.detect {
            Detect::Threshold { .. }
            | Detect::Rate { .. }
            | Detect::Stuck { .. }
            | Detect::NOfM { .. }
            | Detect::Count { .. }
            | Detect::Deviation { .. }
            | Detect::Anomaly { .. } => {
                readings::check(look, &detect, &rule.detect);
                if let Some((metric, unit)) = rule.detect.reading() {
                    let at = [detect.key("metric"), detect.key("unit")];
                    check_metric(look, &at, (metric, unit), &estate, &patterns);
                }
            }
            Detect::Condition { when, clear_when, units, .. } => {
                for metric in conditions::check(look, &detect, when, clear_when.as_deref(), units) {
                    let named = units.iter().position(|of| of.metric == *metric);
                    let unit = named.map(|i| units[i].unit.as_str());
                    let at = [detect.key("when"), detect.key("units").index(named.unwrap_or_default()).key("unit")];
                    check_metric(look, &at, (&metric, unit), &estate, &patterns);
                }
            }
            Detect::Together { of, k, within, radius_m, along } => {
                check_together(look, &detect, of, *k, *radius_m, config);
                check_along(look, &detect.key("along"), along, k.unwrap_or(of.len()), &patterns);
                look.check_positive(&detect.key("within"), *within);
            }
            Detect::Hotspot { .. } => {
                let has_levels = estate.cameras_of(&patterns).any(|camera| camera.heat.is_some());
                heat::check(look, &detect, &rule.detect, has_levels);
            }
            Detect::Silent { after } => look.check_positive(&detect.key("after"), *after),
            Detect::Dark { after } => {
                look.check_positive(&detect.key("after"), *after);
                check_cameras(look, at, &estate, &patterns);
            }
            Detect::Enter { .. } | Detect::Exit { .. } | Detect::Inside { .. } | Detect::Outside { .. } => {
                movement::check(look, &detect, &rule.detect, fences);
            }
            Detect::Cross { .. } | Detect::Dwell { .. } | Detect::Speeding { .. } => {
                movement::check(look, &detect, &rule.detect, fences);
            }
            Detect::Approach { to, .. } => {
                check_patterns(look, &detect.key("to"), to, &estate);
                movement::check(look, &detect, &rule.detect, fences);
            }
            Detect::Intrusion { .. } | Detect::Loitering { .. } | Detect::Crowd { .. } | Detect::Sight { .. } => {
                check_pictures(look, at, rule, &estate, &patterns);
            }
            Detect::LineCrossing { .. } | Detect::Counting { .. } | Detect::WrongWay { .. } => {
                check_pictures(look, at, rule, &estate, &patterns);
            }
            Detect::ObjectLeft { .. } | Detect::ObjectRemoved { .. } => {
                check_pictures(look, at, rule, &estate, &patterns);
            }
        }
    }
}

/// Lines of neighbours, and sources of one.
const LINES_MAX: usize = 256;
const LINE_SOURCES_MAX: usize = 1_024;

/// Work that is farther away than this is no work at the place.
const WORK_REACH_M_MAX: f64 = 10_000.0;

/// Longest time that a rule waits for what is late.
const LATENESS_MAX: Span = Span::from_ms(24 * 3_600_000);

fn check_lateness(look: &mut Look<'_>, at: &Path, lateness: Span, detect: &Detect) {
    look.check_positive(at, lateness);
    if lateness > LATENESS_MAX {
        look.error_hint(
            at,
            format!("must be at most {}s", LATENESS_MAX.ms() / 1000),
            Some("what comes later still is counted, not judged".to_owned()),
        );
    }
    // Whom it comes near to is of another source, with other delays.
    let is_sorted = detect.is_about_movement() && !matches!(detect, Detect::Approach { .. });
    if detect.reading().is_none() && !is_sorted {
        look.error(at, "only rules about readings and positions wait for what is late");
    }
}

/// What sources there can be.
struct Estate<'a> {
    cameras: Vec<(String, &'a Camera)>,
    sources: Vec<&'a str>,
    /// Feeds with the names that they can give; none where that cannot be said beforehand.
    feeds: Vec<(&'a Feed, Option<Vec<SourcePattern>>)>,
}

impl<'a> Estate<'a> {
    fn new(config: &'a Config) -> Self {
        Estate {
            cameras: config.cameras.iter().map(|camera| (format!("cam:{}", camera.id), camera)).collect(),
            sources: config.sources.iter().map(|source| source.id.as_str()).collect(),
            feeds: config.feeds.iter().map(|feed| (feed, names_of(feed))).collect(),
        }
    }

    fn has(&self, pattern: &SourcePattern) -> bool {
        self.cameras.iter().any(|(name, _)| pattern.matches(name))
            || self.sources.iter().any(|name| pattern.matches(name))
            || self.feeds_of(pattern).next().is_some()
    }

    fn feeds_of(&self, pattern: &SourcePattern) -> impl Iterator<Item = &'a Feed> {
        self.feeds
            .iter()
            .filter(|(_, names)| names.as_ref().is_none_or(|names| names.iter().any(|name| name.overlaps(pattern))))
            .map(|(feed, _)| *feed)
    }

    fn cameras_of(&self, patterns: &[SourcePattern]) -> impl Iterator<Item = &'a Camera> {
        let matches = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
        self.cameras.iter().filter(move |(name, _)| matches(name)).map(|(_, camera)| *camera)
    }
}

/// Patterns of the source names that a feed can give.
fn names_of(feed: &Feed) -> Option<Vec<SourcePattern>> {
    let template = SourceTemplate::parse(&feed.source).ok()?;
    if template.parts() == [Part::Topic] {
        let filters = feed.topics.iter().map(|topic| TopicFilter::parse(topic).ok());
        return filters.map(|filter| SourcePattern::parse(filter?.as_str()).ok()).collect();
    }
    let mut text = String::new();
    for part in template.parts() {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Level(_) => text.push('*'),
            Part::Topic | Part::Name => return None,
        }
    }
    Some(vec![SourcePattern::parse(&text).ok()?])
}

fn check_sources(look: &mut Look<'_>, at: &Path, rule: &Rule, estate: &Estate<'_>) -> Vec<SourcePattern> {
    let sources = at.key("sources");
    if rule.sources.is_empty() {
        look.error_hint(&sources, "a rule needs a source", Some("\"#\" is every source".into()));
    }
    check_patterns(look, &sources, &rule.sources, estate)
}

fn check_patterns(look: &mut Look<'_>, at: &Path, texts: &[String], estate: &Estate<'_>) -> Vec<SourcePattern> {
    let mut patterns = Vec::with_capacity(texts.len());
    for (j, text) in texts.iter().enumerate() {
        match SourcePattern::parse(text) {
            Err(error) => look.error(&at.index(j), format!("{text:?}: {error}")),
            Ok(pattern) => {
                if text != "#" && is_complete(look) && !estate.has(&pattern) {
                    let mut names: Vec<&str> = estate.sources.clone();
                    names.extend(estate.cameras.iter().map(|(name, _)| name.as_str()));
                    let cause = format!("no camera, feed or source can have the name {text:?}");
                    look.warn(&at.index(j), cause, did_you_mean(text, &names));
                }
                patterns.push(pattern);
            }
        }
    }
    patterns
}

/// Whether everything that sources come from could be read.
fn is_complete(look: &Look<'_>) -> bool {
    ["cameras", "feeds", "sources"].iter().all(|list| !look.shape.has_fault_beneath(&Path::default().key(list)))
}

/// A metric that none of the sources has is a rule that never fires.
fn check_metric(
    look: &mut Look<'_>,
    [at, at_unit]: &[Path; 2],
    (metric, unit): (&str, Option<&str>),
    estate: &Estate<'_>,
    patterns: &[SourcePattern],
) {
    let mut known: Vec<(&str, Option<&str>)> = Vec::new();
    for feed in patterns.iter().flat_map(|pattern| estate.feeds_of(pattern)) {
        match &feed.format {
            Format::Number { metric, unit, .. } => known.push((metric, unit.as_deref())),
            Format::Json { readings, .. } | Format::Cbor { readings, .. } => {
                known.extend(readings.iter().map(|reading| (reading.metric.as_str(), reading.unit.as_deref())));
            }
            Format::Modbus { readings, .. } => {
                known.extend(readings.iter().map(|reading| (reading.metric.as_str(), reading.unit.as_deref())));
            }
            // The device names its metrics.
            Format::Senml {} | Format::SenmlCbor {} | Format::Chirpstack { .. } | Format::TheThings { .. } => return,
            Format::Milesight { .. } | Format::Zigbee2mqtt { .. } | Format::Tasmota {} | Format::Shelly {} => return,
            Format::SparkplugB {} | Format::HomeAssistant { .. } => return,
            Format::Owntracks {}
            | Format::ThermalJson { .. }
            | Format::ThermalU16(_)
            | Format::ThermalF32(_)
            | Format::ThermalFlir { .. } => {}
        }
    }
    if known.is_empty() || !is_complete(look) {
        return;
    }
    let of_metric: Vec<_> = known.iter().filter(|(known, _)| *known == metric).collect();
    if of_metric.is_empty() {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        let hint = did_you_mean(metric, &names).or_else(|| one_of("they have", &names));
        look.warn(at, format!("the sources of this rule have no metric {metric:?}"), hint);
    } else if let Some(unit) = unit
        && unit::known(unit).is_some()
        && !of_metric.iter().any(|(_, known)| *known == Some(unit))
    {
        let units: Vec<_> = of_metric.iter().map(|(_, unit)| unit.unwrap_or("none")).collect();
        let cause = format!("no reading of {metric:?} comes in {unit:?}: the rule rejects them all");
        look.warn(at_unit, cause, one_of("they come in", &units));
    }
}

fn check_together(
    look: &mut Look<'_>,
    at: &Path,
    of: &[String],
    k: Option<usize>,
    radius_m: Option<f64>,
    config: &Config,
) {
    let is_part = |rule: &&Rule| !matches!(rule.detect, Detect::Together { .. });
    let known: Vec<&str> = config.rules.iter().filter(is_part).map(|rule| rule.id.as_str()).collect();
    for (j, id) in of.iter().enumerate() {
        if !known.contains(&id.as_str()) {
            let hint = did_you_mean(id, &known).or_else(|| one_of("there are", &known));
            look.error_hint(&at.key("of").index(j), format!("there is no rule {id:?} whose alerts could count"), hint);
        }
    }
    if k.unwrap_or(of.len()) < 2 {
        look.error(at, "at least two rules or sources can be together: give more rules, or k");
    }
    if radius_m.is_some_and(|radius_m| !(radius_m.is_finite() && radius_m > 0.0)) {
        look.error(&at.key("radius_m"), "must be more than 0 metres");
    }
}

/// Neighbours that can never be as many as are asked for, and sources of which the rule hears nothing.
fn check_along(look: &mut Look<'_>, at: &Path, along: &[Vec<String>], k: usize, patterns: &[SourcePattern]) {
    look.check_within(at, along.len(), 0, LINES_MAX);
    for (j, line) in along.iter().enumerate().take(LINES_MAX) {
        let at = at.index(j);
        look.check_within(&at, line.len(), k, LINE_SOURCES_MAX.max(k));
        for (i, source) in line.iter().enumerate().take(LINE_SOURCES_MAX) {
            if line[..i].contains(source) {
                look.error(&at.index(i), format!("{source:?} is in its line already"));
            } else if !patterns.is_empty() && !patterns.iter().any(|pattern| pattern.matches(source)) {
                look.error(&at.index(i), format!("{source:?} is none of the rule's sources"));
            }
        }
    }
}

fn check_cameras(look: &mut Look<'_>, at: &Path, estate: &Estate<'_>, patterns: &[SourcePattern]) {
    if is_complete(look) && !patterns.is_empty() && estate.cameras_of(patterns).next().is_none() {
        let hint = one_of("there are", &estate.cameras.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
        look.error_hint(&at.key("sources"), "none of them is a camera, and this rule needs one", hint);
    }
}

fn check_pictures(look: &mut Look<'_>, at: &Path, rule: &Rule, estate: &Estate<'_>, patterns: &[SourcePattern]) {
    check_cameras(look, at, estate, patterns);
    let cameras: Vec<&Camera> = if is_complete(look) { estate.cameras_of(patterns).collect() } else { Vec::new() };
    pictures::check(look, &at.key("detect"), &rule.detect, &cameras);
}
