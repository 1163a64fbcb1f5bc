//! `outpost rules test`: what a rule does with its own examples, by the same Watch that runs live. Pure.

mod picture;

use std::fmt;
use std::sync::Arc;

use ndarray::Array2;
use outpost_detectors::observation::{
    Fact, Link, LinkState, Observation, Position, Reading, Scale, Surface, ThermalFrame,
};
use outpost_fences::FenceSet;

use super::rules::RuleError;
use super::watch::{Effect, Watch};
use crate::config::pattern::SourcePattern;
use crate::config::{Config, Detect, Example, Rule, Said};

/// 2024-01-01T00:00:00Z, a Monday.
const BEGIN_MS: i64 = 1_704_067_200_000;

/// Side of the square frames in examples of hot spots: room for any region that a rule may ask for in earnest.
const FRAME_SIDE: usize = 64;

/// One example that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub rule: String,
    /// From 1.
    pub number: usize,
    pub expected: Vec<Event>,
    pub happened: Vec<Event>,
}

/// Opened or cleared, so long after the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    pub at_ms: i64,
    pub opens: bool,
}

impl Outcome {
    pub fn is_as_expected(&self) -> bool {
        self.expected == self.happened
    }
}

/// Runs all examples of all rules, in their order.
pub fn run(config: &Config, fences: &FenceSet) -> Result<Vec<Outcome>, RuleError> {
    let mut outcomes = Vec::new();
    for rule in &config.rules {
        let alone = alone(config, rule);
        for (index, example) in rule.examples.iter().enumerate() {
            let happened = play(Watch::new(&alone, fences)?, &alone, rule, example);
            let expected =
                example.expect.iter().map(|event| Event { at_ms: event.at.ms(), opens: event.opens }).collect();
            outcomes.push(Outcome { rule: rule.id.clone(), number: index + 1, expected, happened });
        }
    }
    Ok(outcomes)
}

/// The configuration with this rule and those whose alerts it counts, so that no other's timers or names come between.
fn alone(config: &Config, rule: &Rule) -> Config {
    let counts = |other: &&Rule| match &rule.detect {
        Detect::Together { of, .. } => of.contains(&other.id),
        _ => false,
    };
    let rules = config.rules.iter().filter(|other| other.id == rule.id || counts(other)).cloned().collect();
    Config { rules, ..config.clone() }
}

/// The rule that says what kind of fact a source's word is.
fn listener<'a>(alone: &'a Config, rule: &'a Rule, source: &str) -> &'a Rule {
    let hears = |rule: &&Rule| {
        !matches!(rule.detect, Detect::Together { .. })
            && rule.sources.iter().any(|text| SourcePattern::parse(text).is_ok_and(|pattern| pattern.matches(source)))
    };
    if hears(&rule) { rule } else { alone.rules.iter().find(hears).unwrap_or(rule) }
}

fn play(mut watch: Watch, alone: &Config, rule: &Rule, example: &Example) -> Vec<Event> {
    let source: Arc<str> = match &example.source {
        Some(source) => source.as_str().into(),
        None => rule.sources.first().map(|pattern| pattern.replace(['+', '#', '*'], "1")).unwrap_or_default().into(),
    };
    let (mut effects, mut happened) = (Vec::new(), Vec::new());
    let mut told = |effects: &mut Vec<Effect>, now_ms: i64| {
        for effect in effects.drain(..) {
            let (key, opens) = match &effect {
                Effect::Open(alert) => (&alert.key, true),
                Effect::Clear(cleared) => (&cleared.key, false),
                Effect::Save(_) | Effect::Remember(_) | Effect::Join(_) | Effect::Show(_) => continue,
            };
            if *key.rule == *rule.id {
                happened.push(Event { at_ms: now_ms - BEGIN_MS, opens });
            }
        }
    };
    let mut wait_until = |watch: &mut Watch, effects: &mut Vec<Effect>, now_ms: i64| {
        while let Some(due_ms) = watch.elapse_next(now_ms, effects) {
            told(effects, due_ms);
        }
        told(effects, now_ms);
    };
    let mut scene = picture::Scene::default();
    for (number, given) in example.given.iter().enumerate() {
        let at_ms = BEGIN_MS.saturating_add(given.at.ms());
        wait_until(&mut watch, &mut effects, at_ms);
        let source = given.source.as_deref().map_or_else(|| source.clone(), Into::into);
        for mut fact in facts(listener(alone, rule, &source), &given.said, number as u64) {
            scene.follow(&source, &mut fact, at_ms);
            watch.step(&Observation { source: source.clone(), at_ms, received_ms: at_ms, fact }, &mut effects);
        }
        watch.message_ends(&mut effects);
        wait_until(&mut watch, &mut effects, at_ms);
    }
    let last_ms = example.expect.iter().map(|expected| expected.at.ms()).max().unwrap_or(0);
    wait_until(&mut watch, &mut effects, BEGIN_MS.saturating_add(last_ms));
    happened
}

/// What one message says.
fn facts(rule: &Rule, said: &Said, number: u64) -> Vec<Fact> {
    let Said::Values(values) = said else { return vec![fact(rule, said, number)] };
    let unit = |metric: &String| match &rule.detect {
        Detect::Condition { units, .. } => {
            units.iter().find(|of| of.metric == *metric).map(|of| of.unit.as_str().into())
        }
        detect => detect.reading().and_then(|(_, unit)| unit).map(Into::into),
    };
    let reading = |(metric, value): &(String, f64)| {
        Fact::Reading(Reading { metric: metric.as_str().into(), value: *value, unit: unit(metric) })
    };
    values.iter().map(reading).collect()
}

fn fact(rule: &Rule, said: &Said, number: u64) -> Fact {
    let is_camera = rule.detect.is_about_pictures() || rule.sources.iter().all(|source| source.starts_with("cam:"));
    let reading = |value| {
        let (metric, unit) = rule.detect.reading().unwrap_or(("value", None));
        Fact::Reading(Reading { metric: metric.into(), value, unit: unit.map(Into::into) })
    };
    match said {
        Said::Value(value) => reading(*value),
        Said::Values(_) => reading(0.0),
        Said::Points(points) if is_camera => Fact::Picture(picture::of_things(rule, points, number)),
        Said::Points(points) => {
            let [lon, lat] = points.first().copied().unwrap_or_default();
            Fact::Position(Position { lon, lat, accuracy_m: None })
        }
        Said::Anything if is_camera => Fact::Picture(picture::of_things(rule, &[], number)),
        Said::Anything => reading(0.0),
        Said::Nothing => Fact::Picture(picture::of_things(rule, &[], number)),
        Said::Fault(fault) => Fact::Picture(picture::with_fault(*fault, number)),
        Said::Gone(x, y) => Fact::Picture(picture::with_gone(rule, [*x, *y], number)),
        Said::Heat { hot, background } => Fact::Thermal(frame(rule, *hot as f32, *background as f32)),
        Said::Link { is_live } => {
            let state = if *is_live { LinkState::Live } else { LinkState::Offline };
            Fact::Link(Link { state, reason: None })
        }
    }
}

fn frame(rule: &Rule, hot: f32, background: f32) -> ThermalFrame {
    let n_hot = match rule.detect {
        Detect::Hotspot { pixels_min, .. } => pixels_min,
        _ => 1,
    };
    let side = (n_hot as f64).sqrt().ceil() as usize;
    let mut celsius = Array2::from_elem((FRAME_SIDE, FRAME_SIDE), background);
    for pixel in 0..n_hot {
        if let Some(celsius) = celsius.get_mut((pixel / side, pixel % side)) {
            *celsius = hot;
        }
    }
    ThermalFrame { celsius: Arc::new(celsius), scale: Scale::default(), surface: Surface::default(), aim: None }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.opens { "open" } else { "clear" };
        match self.at_ms {
            ms if ms % 1000 == 0 => write!(f, "{}s {what}", ms / 1000),
            ms => write!(f, "{ms}ms {what}"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, example {}: ", self.rule, self.number)?;
        if self.is_as_expected() {
            return write!(f, "ok");
        }
        let list = |events: &[Event]| match events {
            [] => "nothing".to_owned(),
            events => events.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        write!(f, "expected {}, but {}", list(&self.expected), list(&self.happened))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::nouns::{RedoChange, RedoRow};

    /// The gateway dies after each batch of so many readings, once it is committed.
    fn play_with_crashes(
        alone: &Config,
        fences: &FenceSet,
        rule: &Rule,
        example: &Example,
        n_batch: usize,
    ) -> Vec<Event> {
        let (mut states, mut log, mut happened) = (BTreeMap::new(), Vec::<RedoRow>::new(), Vec::new());
        let source: Arc<str> = rule.sources[0].replace('+', "1").into();
        let given: Vec<_> = example.given.iter().enumerate().collect();
        for part in given.chunks(n_batch) {
            let mut effects = Vec::new();
            let mut watch = Watch::new(alone, fences).unwrap();
            watch.restore(states.values().cloned().collect(), BEGIN_MS + part[0].1.at.ms(), &mut effects);
            watch.redo(&log, BEGIN_MS + part[0].1.at.ms(), &mut effects).unwrap();
            assert!(effects.is_empty(), "{}: a state did not fit", rule.id);
            for (number, given) in part {
                let at_ms = BEGIN_MS + given.at.ms();
                for fact in facts(rule, &given.said, *number as u64) {
                    watch.step(&Observation { source: source.clone(), at_ms, received_ms: at_ms, fact }, &mut effects);
                }
                watch.message_ends(&mut effects);
                let n = effects.len();
                effects.drain(..n).for_each(|effect| match effect {
                    Effect::Save(row) => drop(states.insert((row.rule.clone(), row.source.clone()), row)),
                    Effect::Open(_) => happened.push(Event { at_ms: given.at.ms(), opens: true }),
                    Effect::Clear(_) => happened.push(Event { at_ms: given.at.ms(), opens: false }),
                    Effect::Join(_) | Effect::Show(_) => {}
                    Effect::Remember(_) => panic!("only with the batch"),
                });
            }
            watch.remember(&mut effects);
            for effect in effects {
                match effect {
                    Effect::Remember(RedoChange { row, from }) => {
                        log.extend(row);
                        log.retain(|row| row.seq >= from);
                    }
                    other => panic!("{other:?}: nothing is overdue"),
                }
            }
        }
        happened
    }

    #[test]
    fn what_rules_remember_of_readings_survives_a_crash_anywhere() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/rules.toml");
        let config = crate::config::load(&file).unwrap();
        let fences = crate::app::fences(&config, &file).unwrap();
        let mut n_kinds = 0;
        let judges_readings =
            |rule: &&Rule| rule.detect.reading().is_some() || matches!(rule.detect, Detect::Condition { .. });
        for rule in config.rules.iter().filter(judges_readings) {
            // A rest begins anew.
            if rule.flapping.is_some() {
                continue;
            }
            n_kinds += 1;
            let alone = alone(&config, rule);
            for example in &rule.examples {
                let expected: Vec<Event> =
                    example.expect.iter().map(|event| Event { at_ms: event.at.ms(), opens: event.opens }).collect();
                for n_batch in [1, 2, 7] {
                    let happened = play_with_crashes(&alone, &fences, rule, example, n_batch);
                    assert_eq!(happened, expected, "{}, {n_batch} a batch", rule.id);
                }
            }
        }
        assert_eq!(n_kinds, 10);
    }

    #[test]
    fn an_example_that_does_not_come_true_is_told() {
        let event = |at_ms, opens| Event { at_ms, opens };
        let outcome = Outcome {
            rule: "gas".into(),
            number: 2,
            expected: vec![event(15_000, true), event(30_500, false)],
            happened: vec![],
        };
        assert_eq!(outcome.to_string(), "gas, example 2: expected 15s open, 30500ms clear, but nothing");
    }
}
