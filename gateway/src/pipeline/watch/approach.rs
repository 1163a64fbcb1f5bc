//! Two that move come near each other: rules of the kind `approach`. Each position is compared with all that the rule
//! follows. Knows where they are, not what they are.

use std::sync::Arc;

use outpost_detectors::latch::Turn;
use outpost_fences::track::approach::{Mover, Nearness};
use serde::{Deserialize, Serialize};

use super::{Effect, Watch};
use crate::pipeline::rules::{Approach, Judge};
use crate::pipeline::slot::State;

/// Others that one can be near to at a time; of more, the further ones are not told.
const NEAR_MAX: usize = 64;

/// What survives a restart: where it is, and whom it is near.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pipeline) struct Company {
    #[serde(default)]
    pub(in crate::pipeline) mover: Mover,
    /// With the time since when, by the clock of who came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    near: Vec<(Arc<str>, i64)>,
}

impl Company {
    pub(in crate::pipeline) fn is_near_someone(&self) -> bool {
        !self.near.is_empty()
    }

    /// Since when it is near someone, or 0.
    pub(in crate::pipeline) fn since_at_ms(&self) -> i64 {
        self.near.iter().map(|(_, since_ms)| *since_ms).min().unwrap_or(0)
    }
}

impl Watch {
    /// The source of this slot is somewhere else.
    pub(super) fn meet(&mut self, slot: usize, now_ms: i64, effects: &mut Vec<Effect>) {
        let number = self.slots[slot].rule();
        let others = self.movers.get(&number).cloned().unwrap_or_default();
        for &other in others.iter().filter(|other| **other != slot) {
            let Judge::Approach(approach) = &self.rules[number].judge else { return };
            let Some((watched, met)) = self.pair(approach, slot, other) else { continue };
            let (Some(a), Some(b)) = (self.company(watched), self.company(met)) else { continue };
            let nearness = a.mover.nearness(&b.mover, approach.apart_max_ms);
            let met_source = &self.slots[met].source;
            let known = a.near.iter().position(|(source, _)| source == met_source);
            let limit_m = approach.radius_m + if known.is_some() { approach.exit_buffer_m } else { 0.0 };
            match (nearness.filter(|nearness| nearness.distance_m <= limit_m), known) {
                (Some(nearness), None) => self.came_near(watched, met, nearness, now_ms, effects),
                (None, Some(index)) => self.went_apart(watched, index, now_ms, effects),
                _ => {}
            }
        }
    }

    /// Whose alert it is, and who the other is. Where both are watched, one alert is enough.
    fn pair(&self, approach: &Approach, a: usize, b: usize) -> Option<(usize, usize)> {
        let rule = self.rule_of(a);
        let is_met = |slot: usize| match approach.to.is_empty() {
            true => rule.watches(&self.slots[slot].source),
            false => approach.to.iter().any(|pattern| pattern.matches(&self.slots[slot].source)),
        };
        let fits = |watched: usize, met: usize| rule.watches(&self.slots[watched].source) && is_met(met);
        match (fits(a, b), fits(b, a)) {
            (true, true) if self.slots[a].source <= self.slots[b].source => Some((a, b)),
            (_, true) => Some((b, a)),
            (true, false) => Some((a, b)),
            (false, false) => None,
        }
    }

    fn came_near(&mut self, watched: usize, met: usize, nearness: Nearness, now_ms: i64, effects: &mut Vec<Effect>) {
        let source = self.slots[met].source.clone();
        let Some(company) = self.company_mut(watched) else { return };
        if company.near.len() >= NEAR_MAX {
            return;
        }
        let is_first = company.near.is_empty();
        company.near.push((source.clone(), nearness.at_ms));
        let turn = if is_first { Turn::Raise { since_at_ms: nearness.at_ms } } else { Turn::Shift };
        if is_first {
            self.slots[watched].met(source, nearness.distance_m);
        }
        self.turned(watched, turn, now_ms, effects);
    }

    fn went_apart(&mut self, watched: usize, index: usize, now_ms: i64, effects: &mut Vec<Effect>) {
        let Some(company) = self.company_mut(watched) else { return };
        company.near.remove(index);
        let turn = if company.near.is_empty() { Turn::Clear } else { Turn::Shift };
        self.turned(watched, turn, now_ms, effects);
    }

    fn company(&self, slot: usize) -> Option<&Company> {
        match &self.slots[slot].stored.state {
            State::Approach(company) => Some(company),
            _ => None,
        }
    }

    fn company_mut(&mut self, slot: usize) -> Option<&mut Company> {
        match &mut self.slots[slot].stored.state {
            State::Approach(company) => Some(company),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use outpost_detectors::observation::{Fact, Observation, Position};
    use outpost_fences::FenceSet;

    use super::*;
    use crate::config::Config;
    use crate::nouns::{RedoRow, StateRow};

    const RULES: &str = r#"
        rules = [
            { id = "truck-near-person", sources = ["person/+"], detect = { kind = "approach", to = ["truck/+"], radius_m = 20, exit_buffer_m = 10 }, severity = "severe" },
            { id = "trucks-meet", sources = ["truck/+"], detect = { kind = "approach", radius_m = 20 }, severity = "minor" },
        ]
    "#;

    struct Scene {
        watch: Watch,
        config: Config,
        saved: Vec<StateRow>,
        log: Vec<RedoRow>,
    }

    impl Scene {
        fn new() -> Scene {
            let config: Config = toml::from_str(RULES).unwrap();
            let watch = Watch::new(&config, &FenceSet::new(Vec::new())).unwrap();
            Scene { watch, config, saved: Vec::new(), log: Vec::new() }
        }

        /// At a second, metres east.
        fn says(&mut self, at_s: i64, source: &str, east_m: f64) -> Vec<String> {
            let position = Position { lon: 106.0 + east_m / 96_500.0, lat: 29.8, accuracy_m: Some(3.0) };
            let at_ms = at_s * 1000;
            let (mut effects, mut told) = (Vec::new(), Vec::new());
            let fact = Fact::Position(position);
            self.watch.step(&Observation { source: source.into(), at_ms, received_ms: at_ms, fact }, &mut effects);
            self.watch.remember(&mut effects);
            for effect in effects {
                match effect {
                    Effect::Remember(change) => {
                        self.log.extend(change.row);
                        self.log.retain(|row| row.seq >= change.from);
                    }
                    Effect::Save(row) => {
                        self.saved.retain(|old| (&old.rule, &old.source) != (&row.rule, &row.source));
                        self.saved.push(row);
                    }
                    Effect::Open(alert) => told.push(format!("{}: {}", alert.key.source, alert.why.text)),
                    Effect::Join(_) | Effect::Show(_) => {}
                    Effect::Clear(cleared) => told.push(format!("{} over: {}", cleared.key.source, cleared.why)),
                }
            }
            told
        }

        fn restart(&mut self, at_s: i64) {
            self.watch = Watch::new(&self.config, &FenceSet::new(Vec::new())).unwrap();
            let mut effects = Vec::new();
            self.watch.restore(self.saved.clone(), at_s * 1000, &mut effects);
            self.watch.redo(&self.log, at_s * 1000, &mut effects).unwrap();
            assert!(effects.is_empty(), "{effects:?}");
        }
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn a_truck_that_comes_near_a_person_is_told_until_it_is_gone() {
        for restarts in [false, true] {
            let mut scene = Scene::new();
            assert_eq!(scene.says(0, "person/1", 0.0), NOTHING);
            assert_eq!(scene.says(1, "truck/7", 100.0), NOTHING);
            assert_eq!(scene.says(6, "truck/7", 15.0), ["person/1: within 15 m of truck/7"]);
            if restarts {
                scene.restart(7);
            }
            assert_eq!(scene.says(8, "person/1", -10.0), NOTHING, "25 m is not away yet");
            assert_eq!(scene.says(9, "truck/7", 15.0), NOTHING);
            assert_eq!(scene.says(12, "truck/7", 60.0), ["person/1 over: apart again"]);
        }
    }

    #[test]
    fn two_of_one_kind_that_meet_are_one_alert() {
        let mut scene = Scene::new();
        scene.says(0, "truck/2", 0.0);
        assert_eq!(scene.says(1, "truck/1", 10.0), ["truck/1: within 10 m of truck/2"]);
        assert_eq!(scene.says(2, "truck/3", 15.0), ["truck/2: within 15 m of truck/3"]);
        assert_eq!(scene.says(40, "truck/1", 10.0), NOTHING, "at 2 s it was near to truck/3");
        assert_eq!(scene.says(80, "truck/1", 10.0), ["truck/1 over: apart again"], "nobody was heard of for 30 s");
    }

    #[test]
    fn who_passed_between_two_positions_was_near() {
        let mut scene = Scene::new();
        scene.says(0, "person/1", 0.0);
        scene.says(10, "truck/7", -100.0);
        scene.says(20, "person/1", 0.0);
        assert_eq!(scene.says(20, "truck/7", 100.0), ["person/1: within 0 m of truck/7"]);
    }
}
