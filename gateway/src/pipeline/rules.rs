//! Rules as configuration wrote them, made ready to judge: limits checked, fences and zones looked up.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::sync::Arc;

use outpost_detectors::anomaly::AnomalyConfig;
use outpost_detectors::condition::Condition;
use outpost_detectors::deviation::Deviation;
use outpost_detectors::flapping::Flapping;
use outpost_detectors::latch::Latch;
use outpost_detectors::observation::Fact;
use outpost_detectors::occurrences::{Count, NOfM};
use outpost_detectors::rate::Rate;
use outpost_detectors::silent::Silent;
use outpost_detectors::stuck::Stuck;
use outpost_fences::track::MotionLimits;
use outpost_fences::track::calendar::{Calendar, Schedule};
use outpost_fences::{Fence, FenceSet, Shape};

use super::built_in;
use super::heat::Heating;
use super::movement::Movement;
use super::picture::PictureRule;
use super::reading::{Limit, Test};
use super::watch::along::Line;
use crate::config::pattern::SourcePattern;
use crate::config::{Active, Config, Detect, Severity, Span, condition};
use crate::nouns::TroubleKind;

/// A moving thing may be lost for this long without its dwell beginning anew: blobs flicker.
pub(super) const INTRUSION_GAP_MS: i64 = 1_000;

pub(super) struct Rule {
    pub(super) id: Arc<str>,
    /// What its states are stored under: the id, and the fence where the rule is one of several that configuration writes
    /// as one.
    pub(super) key: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) severity: Severity,
    pub(super) category: Arc<str>,
    pub(super) patterns: Vec<SourcePattern>,
    /// Sources that the rule watches by name, beside its patterns.
    pub(super) named: HashSet<Arc<str>>,
    pub(super) judge: Judge,
    /// When it is on duty; always where absent.
    pub(super) schedule: Option<Schedule>,
    pub(super) flapping: Option<Flapping>,
    /// 0 where observations are judged as they come.
    pub(super) lateness_ms: i64,
    /// Of what it finds; none where it is sure.
    pub(super) confidence: Option<f64>,
}

/// What a rule judges, and with which limits. One arm per kind of [`Detect`], and one for what the gateway says of itself.
pub(super) enum Judge {
    Reading { metric: Arc<str>, unit: Option<Arc<str>>, test: Test, latch: Latch },
    Condition { condition: Condition, text: Arc<str>, units: Vec<Option<Arc<str>>>, latch: Latch },
    Silent(Silent),
    Dark(Silent),
    Movement { movement: Movement, latch: Latch },
    Approach(Approach),
    Hotspot { heating: Box<Heating>, latch: Latch },
    Picture { rule: PictureRule, latch: Latch },
    Together(Together),
    Trouble { kind: TroubleKind, latch: Latch },
}

/// Who comes near to whom, and what that means.
pub(super) struct Approach {
    /// Each other where empty.
    pub(super) to: Vec<SourcePattern>,
    pub(super) radius_m: f64,
    pub(super) exit_buffer_m: f64,
    pub(super) apart_max_ms: i64,
    pub(super) limits: MotionLimits,
}

/// `k` of these rules, or `k` sources where that is more.
pub(super) struct Together {
    pub(super) of: HashSet<Arc<str>>,
    pub(super) k: usize,
    pub(super) within_ms: i64,
    pub(super) radius_m: Option<f64>,
    /// Neighbours along one of these count, where there are any.
    pub(super) along: Vec<Line>,
}

/// A rule that cannot be used although each of its keys is well-formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule \"{rule}\": {what}")]
pub struct RuleError {
    pub rule: String,
    pub what: String,
}

pub(super) fn compile(config: &Config, fences: &FenceSet) -> Result<Vec<Rule>, RuleError> {
    let calendars = calendars(config)?;
    let compiled = config.rules.iter().map(|rule| compile_one(rule, fences, &calendars));
    let mut rules: Vec<Rule> = compiled.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let built_in = built_in::rules(config, &rules);
    rules.extend(built_in);
    Ok(rules)
}

type Calendars<'a> = HashMap<&'a str, Arc<Calendar>>;

fn calendars(config: &Config) -> Result<Calendars<'_>, RuleError> {
    let calendar = |entry: &crate::config::Calendar| Calendar::new(&entry.zone, &entry.holidays, &entry.workdays);
    let calendars = config.calendars.iter().map(|entry| match calendar(entry) {
        Ok(calendar) => Ok((entry.id.as_str(), Arc::new(calendar))),
        Err(cause) => Err(RuleError { rule: String::new(), what: format!("calendar \"{}\": {cause}", entry.id) }),
    });
    calendars.collect()
}

/// A rule about several fences is as many rules: what each remembers and has open is of one source and one fence.
fn compile_one(
    rule: &crate::config::Rule,
    fences: &FenceSet,
    calendars: &Calendars<'_>,
) -> Result<Vec<Rule>, RuleError> {
    let error = |what: &dyn Display| RuleError { rule: rule.id.clone(), what: what.to_string() };
    let Some(names) = rule.detect.fences() else { return Ok(vec![compile_with(rule, None, calendars)?]) };
    let is_fit = |fence: &Fence| matches!(fence.shape, Shape::Line(_)) == rule.detect.is_about_lines();
    let ids = fences.iter().map(|fence| (&*fence.id, is_fit(fence)));
    let chosen = names.choose(ids).map_err(|cause| error(&cause))?;
    let chosen = chosen.into_iter().filter_map(|id| fences.get(id));
    let compiled = chosen.map(|fence| {
        let mut compiled = compile_with(rule, Some(fence), calendars)?;
        if !names.is_one() {
            compiled.key = format!("{}{KEY_BETWEEN}{}", rule.id, fence.id).into();
        }
        Ok(compiled)
    });
    compiled.collect()
}

/// Between a rule's id and a fence's: no id has it.
const KEY_BETWEEN: char = '\n';

/// The rule's id in what its states are stored under.
pub(super) fn id_of(key: &str) -> &str {
    key.split(KEY_BETWEEN).next().unwrap_or(key)
}

fn compile_with(
    rule: &crate::config::Rule,
    fence: Option<&Arc<Fence>>,
    calendars: &Calendars<'_>,
) -> Result<Rule, RuleError> {
    let error = |what: &dyn Display| RuleError { rule: rule.id.clone(), what: what.to_string() };
    let patterns = |texts: &[String]| -> Result<Vec<SourcePattern>, RuleError> {
        texts.iter().map(|text| SourcePattern::parse(text).map_err(|problem| error(&problem))).collect()
    };
    let at_once = Latch::default();
    let held = |hold: &Span, clear_hold: &Span| Latch { hold_ms: hold.ms(), clear_hold_ms: clear_hold.ms() };
    let reading = |latch, test| {
        let (metric, unit) = rule.detect.reading().unwrap_or_default();
        Judge::Reading { metric: metric.into(), unit: unit.map(Into::into), test, latch }
    };
    let schedule = |active: &Active| -> Result<Schedule, String> {
        let calendar = calendars.get(active.calendar.as_str()).cloned();
        let calendar = calendar.ok_or_else(|| format!("there is no calendar \"{}\"", active.calendar))?;
        Schedule::new(calendar, &active.windows).map_err(|problem| problem.to_string())
    };
    let judge = match &rule.detect {
        Detect::Threshold { above, below, clear, hold, clear_hold, .. } => {
            let limit = Limit::new(*above, *below, *clear).map_err(|problem| error(&problem))?;
            reading(held(hold, clear_hold), Test::Threshold(limit))
        }
        Detect::Rate { rise, fall, over, gap_max, hold, clear_hold, .. } => {
            let rate = Rate::new(*rise, *fall, over.ms(), gap_max.ms()).map_err(|problem| error(&problem))?;
            reading(held(hold, clear_hold), Test::Rate(rate))
        }
        Detect::Stuck { after, tolerance, gap_max, .. } => {
            let gap_max_ms = gap_max.unwrap_or(*after).ms();
            let stuck = Stuck::new(*tolerance, after.ms(), gap_max_ms).map_err(|problem| error(&problem))?;
            reading(at_once, Test::Stuck(stuck))
        }
        Detect::NOfM { above, below, n, m, .. } => {
            let limit = Limit::new(*above, *below, None).map_err(|problem| error(&problem))?;
            let rule = NOfM::new(*n, *m).map_err(|problem| error(&problem))?;
            reading(at_once, Test::NOfM { limit, rule })
        }
        Detect::Count { above, below, n, within, .. } => {
            let limit = match (above, below) {
                (None, None) => None,
                _ => Some(Limit::new(*above, *below, None).map_err(|problem| error(&problem))?),
            };
            let rule = Count::new(*n, within.ms()).map_err(|problem| error(&problem))?;
            reading(at_once, Test::Count { limit, rule, within_ms: within.ms() })
        }
        Detect::Deviation { z, half_life, season, floor, hold, clear_hold, .. } => {
            let deviation = Deviation::new(*z, half_life.ms(), *season, *floor);
            let deviation = deviation.map_err(|problem| error(&problem))?;
            reading(held(hold, clear_hold), Test::Deviation(deviation))
        }
        Detect::Anomaly { learn, resolution, margin, clear_hold, .. } => {
            let anomaly = AnomalyConfig { learn_n: *learn, resolution: *resolution, margin: *margin };
            anomaly.check().map_err(|problem| error(&problem))?;
            reading(Latch { hold_ms: 0, clear_hold_ms: clear_hold.ms() }, Test::Anomaly(anomaly))
        }
        Detect::Condition { when, clear_when, hold, clear_hold, units } => {
            let condition = condition::parse(when, clear_when.as_deref()).map_err(|fault| error(&fault))?;
            let unit =
                |metric: &Arc<str>| units.iter().find(|of| of.metric == **metric).map(|of| of.unit.as_str().into());
            let units = condition.metrics().iter().map(unit).collect();
            Judge::Condition { condition, text: when.as_str().into(), units, latch: held(hold, clear_hold) }
        }
        Detect::Silent { after } => Judge::Silent(Silent { after_ms: after.ms() }),
        Detect::Dark { after } => Judge::Dark(Silent { after_ms: after.ms() }),
        Detect::Hotspot { hold, clear_hold, .. } => {
            let heating = Heating::new(&rule.detect, |active| schedule(active)).map_err(|what| error(&what))?;
            Judge::Hotspot { heating: Box::new(heating), latch: held(hold, clear_hold) }
        }
        Detect::Together { of, k, within, radius_m, along } => Judge::Together(Together {
            of: of.iter().map(|id| id.as_str().into()).collect(),
            k: k.unwrap_or(of.len()),
            within_ms: within.ms(),
            radius_m: *radius_m,
            along: along.iter().map(|line| line.iter().map(|source| source.as_str().into()).collect()).collect(),
        }),
        Detect::Approach { to, radius_m, exit_buffer_m, within, motion } => Judge::Approach(Approach {
            to: patterns(to)?,
            radius_m: *radius_m,
            exit_buffer_m: *exit_buffer_m,
            apart_max_ms: within.ms(),
            limits: motion.limits(),
        }),
        moving @ (Detect::Enter { .. }
        | Detect::Exit { .. }
        | Detect::Inside { .. }
        | Detect::Outside { .. }
        | Detect::Cross { .. }
        | Detect::Dwell { .. }
        | Detect::Speeding { .. }) => {
            let (movement, latch) = Movement::new(moving, fence.cloned()).map_err(|problem| error(&problem))?;
            Judge::Movement { movement, latch }
        }
        seen @ (Detect::Intrusion { .. }
        | Detect::Loitering { .. }
        | Detect::Crowd { .. }
        | Detect::LineCrossing { .. }
        | Detect::Counting { .. }
        | Detect::WrongWay { .. }
        | Detect::ObjectLeft { .. }
        | Detect::ObjectRemoved { .. }
        | Detect::Sight { .. }) => {
            let (rule, latch) = PictureRule::new(seen).ok_or_else(|| error(&"does not look at pictures"))?;
            Judge::Picture { rule, latch }
        }
    };
    let schedule = rule.active.as_ref().map(schedule).transpose().map_err(|what| error(&what))?;
    let flapping = rule.flapping.map(|flapping| Flapping::new(flapping.n, flapping.within.ms())).transpose();
    let flapping = flapping.map_err(|problem| error(&problem))?;
    let name = if rule.name.is_empty() { &rule.id } else { &rule.name };
    Ok(Rule {
        id: rule.id.as_str().into(),
        key: rule.id.as_str().into(),
        name: name.as_str().into(),
        severity: rule.severity,
        category: rule.category.as_str().into(),
        patterns: patterns(&rule.sources)?,
        named: HashSet::new(),
        judge,
        schedule,
        flapping,
        lateness_ms: rule.lateness.map_or(0, |lateness| lateness.ms()),
        confidence: rule.confidence,
    })
}

impl Rule {
    /// Whether what the source says matters to the rule.
    pub(super) fn matches(&self, source: &str) -> bool {
        let is_met = match &self.judge {
            Judge::Approach(approach) => approach.to.iter().any(|pattern| pattern.matches(source)),
            _ => false,
        };
        is_met || self.watches(source)
    }

    /// Whether the rule's alerts can be the source's.
    pub(super) fn watches(&self, source: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(source)) || self.named.contains(source)
    }

    pub(super) fn is_on_duty(&self, at_ms: i64) -> bool {
        self.schedule.as_ref().is_none_or(|schedule| schedule.is_on(at_ms))
    }

    /// Whether what the other rule remembers and has open means the same to this one: its limits may differ, not what it
    /// looks at.
    pub(super) fn continues(&self, other: &Rule) -> bool {
        let metrics = |judge: &Judge| match judge {
            Judge::Reading { metric, .. } => vec![metric.clone()],
            Judge::Condition { condition, .. } => condition.metrics().to_vec(),
            _ => Vec::new(),
        };
        self.id == other.id
            && std::mem::discriminant(&self.judge) == std::mem::discriminant(&other.judge)
            && metrics(&self.judge) == metrics(&other.judge)
            && match (&self.judge, &other.judge) {
                (Judge::Movement { movement, .. }, Judge::Movement { movement: other, .. }) => {
                    movement.continues(other)
                }
                (Judge::Picture { rule, .. }, Judge::Picture { rule: other, .. }) => rule.continues(other),
                _ => true,
            }
            && self.fence() == other.fence()
    }

    /// Whether the fact is of a kind, and of a metric, that says anything to this rule.
    pub(super) fn hears(&self, fact: &Fact) -> bool {
        match (&self.judge, fact) {
            (Judge::Reading { metric, .. }, Fact::Reading(reading)) => *metric == reading.metric,
            (Judge::Condition { .. }, Fact::Reading(_))
            | (Judge::Movement { .. }, Fact::Position(_) | Fact::Picture(_))
            | (Judge::Approach(_), Fact::Position(_))
            | (Judge::Hotspot { .. }, Fact::Thermal(_))
            | (Judge::Picture { .. }, Fact::Picture(_))
            | (Judge::Silent(_) | Judge::Dark(_), _) => true,
            _ => false,
        }
    }

    /// Whether what the fact says may have to wait for what is late.
    pub(super) fn sorts(&self, fact: &Fact) -> bool {
        self.lateness_ms > 0
            && matches!(self.judge, Judge::Reading { .. } | Judge::Movement { .. })
            && matches!(fact, Fact::Reading(_) | Fact::Position(_))
            && self.hears(fact)
    }

    /// How far the clock of what is judged in order is behind: an observation comes `lateness` after it happened at the
    /// latest, and waits for as long.
    pub(super) fn behind_ms(&self) -> i64 {
        2 * self.lateness_ms
    }

    /// Fence or zone that belongs to the key of this rule's alerts.
    pub(super) fn fence(&self) -> Option<&Arc<str>> {
        match &self.judge {
            Judge::Movement { movement, .. } => movement.fence().map(|fence| &fence.id),
            Judge::Picture { rule, .. } => rule.fence(),
            Judge::Reading { .. } | Judge::Condition { .. } | Judge::Silent(_) | Judge::Dark(_) => None,
            Judge::Hotspot { .. } | Judge::Together(_) | Judge::Approach(_) | Judge::Trouble { .. } => None,
        }
    }
}

impl Judge {
    /// How long the condition had to hold, for the words of the alert.
    pub(super) fn hold_ms(&self) -> i64 {
        match self {
            Judge::Reading { latch, .. }
            | Judge::Condition { latch, .. }
            | Judge::Movement { latch, .. }
            | Judge::Hotspot { latch, .. }
            | Judge::Picture { latch, .. }
            | Judge::Trouble { latch, .. } => latch.hold_ms,
            Judge::Silent(_) | Judge::Dark(_) | Judge::Together(_) | Judge::Approach(_) => 0,
        }
    }
}
