//! Alerts that are open at the same place and time mean more than each of them: rules of the kind `together`. Knows
//! alerts only, not what opened them.

use std::collections::HashSet;
use std::sync::Arc;

use outpost_detectors::latch::{LatchState, Phase, Turn};
use outpost_fences::Point;

use super::{Effect, Watch};
use crate::pipeline::rules::{Judge, Together};
use crate::pipeline::slot::State;

/// An alert of a rule that others count.
pub(super) struct Part {
    slot: usize,
    /// None while it is open.
    cleared_ms: Option<i64>,
}

#[derive(Default)]
pub(super) struct Parts {
    parts: Vec<Part>,
    /// Slots whose `together` alert is open.
    open: Vec<usize>,
}

impl Watch {
    /// An alert of this slot opened or cleared.
    pub(super) fn correlate(&mut self, slot: usize, opened: bool, now_ms: i64, effects: &mut Vec<Effect>) {
        let rule_id = self.rule_of(slot).id.clone();
        let counting: Vec<usize> = (0..self.rules.len())
            .filter(|number| matches!(&self.rules[*number].judge, Judge::Together(together) if together.of.contains(&rule_id)))
            .collect();
        let longest_ms = counting.iter().filter_map(|number| self.together(*number)).map(|t| t.within_ms).max();
        let Some(longest_ms) = longest_ms else { return };
        let parts = &mut self.parts.parts;
        parts.retain(|part| {
            part.slot != slot
                && part.cleared_ms.is_none_or(|cleared_ms| now_ms.saturating_sub(cleared_ms) <= longest_ms)
        });
        parts.push(Part { slot, cleared_ms: (!opened).then_some(now_ms) });
        for number in counting {
            if opened {
                self.open_together(number, slot, now_ms, effects);
            } else {
                self.clear_together(number, now_ms, effects);
            }
        }
    }

    /// After a restart: what is open is what the slots say.
    pub(super) fn regroup(&mut self) {
        self.parts = Parts::default();
        let counted: HashSet<Arc<str>> =
            (0..self.rules.len()).filter_map(|number| self.together(number)).flat_map(|t| t.of.clone()).collect();
        for (number, slot) in self.slots.iter().enumerate().filter(|(_, slot)| slot.stored.past().alert.is_some()) {
            match &self.rules[slot.rule()].judge {
                Judge::Together(_) => self.parts.open.push(number),
                _ if counted.contains(&self.rules[slot.rule()].id) => {
                    self.parts.parts.push(Part { slot: number, cleared_ms: None });
                }
                _ => {}
            }
        }
    }

    fn together(&self, number: usize) -> Option<&Together> {
        match &self.rules[number].judge {
            Judge::Together(together) => Some(together),
            _ => None,
        }
    }

    fn open_together(&mut self, number: usize, newest: usize, now_ms: i64, effects: &mut Vec<Effect>) {
        let Some(together) = self.together(number) else { return };
        let counts = |part: &&Part| {
            part.cleared_ms.is_none_or(|cleared_ms| now_ms.saturating_sub(cleared_ms) <= together.within_ms)
        };
        let found = self.near(number, newest, counts);
        let is_told = self
            .parts
            .open
            .iter()
            .any(|open| self.slots[*open].rule() == number && self.is_near(together, *open, newest));
        let is_on_duty = self.rules[number].is_on_duty(now_ms);
        if is_told || !is_on_duty || self.n_distinct(together, &found) < together.k {
            return;
        }
        let Some(named) = self.names.find(&self.slots[newest].source) else { return };
        let Some(slot) = self.slots_of_name(named).find(|slot| self.slots[*slot].rule() == number) else { return };
        let mut names: Vec<String> =
            found.iter().map(|part| format!("{} ({})", self.rule_of(*part).name, self.slots[*part].source)).collect();
        names.sort();
        let point = self.point_of(newest);
        let since_at_ms = self.slots[newest].stored.state.since_at_ms();
        self.slots[slot].stands_together(names.join(", "), point);
        self.slots[slot].stored.state =
            State::Latch(LatchState { phase: Phase::Raised, since_at_ms, since_now_ms: now_ms });
        self.parts.open.push(slot);
        self.turned(slot, Turn::Raise { since_at_ms }, now_ms, effects);
    }

    fn clear_together(&mut self, number: usize, now_ms: i64, effects: &mut Vec<Effect>) {
        let open: Vec<usize> =
            self.parts.open.iter().copied().filter(|slot| self.slots[*slot].rule() == number).collect();
        for slot in open {
            let Some(together) = self.together(number) else { return };
            let found = self.near(number, slot, |part| part.cleared_ms.is_none());
            if self.n_distinct(together, &found) >= together.k {
                continue;
            }
            self.parts.open.retain(|open| *open != slot);
            let since_at_ms = self.slots[slot].stored.state.since_at_ms();
            self.slots[slot].stored.state =
                State::Latch(LatchState { phase: Phase::Quiet, since_at_ms, since_now_ms: now_ms });
            self.turned(slot, Turn::Clear, now_ms, effects);
        }
    }

    /// Slots of the parts that this rule counts near a slot.
    fn near(&self, number: usize, centre: usize, counts: impl Fn(&&Part) -> bool) -> Vec<usize> {
        let Some(together) = self.together(number) else { return Vec::new() };
        let is_of = |slot: usize| {
            together.of.contains(&self.rule_of(slot).id) && self.rules[number].matches(&self.slots[slot].source)
        };
        let parts = self.parts.parts.iter().filter(counts).map(|part| part.slot);
        parts.filter(|slot| is_of(*slot) && self.is_near(together, *slot, centre)).collect()
    }

    fn is_near(&self, together: &Together, a: usize, b: usize) -> bool {
        let Some(radius_m) = together.radius_m else { return true };
        match (self.point_of(a), self.point_of(b)) {
            (Some(a), Some(b)) => a.distance_m(b) <= radius_m,
            // Who does not know where it is is near only to itself.
            _ => self.slots[a].source == self.slots[b].source,
        }
    }

    /// Rules, or sources where more are asked for than there are rules.
    fn n_distinct(&self, together: &Together, slots: &[usize]) -> usize {
        if together.k > together.of.len() {
            slots.iter().map(|slot| &self.slots[*slot].source).collect::<HashSet<_>>().len()
        } else {
            slots.iter().map(|slot| self.slots[*slot].rule()).collect::<HashSet<_>>().len()
        }
    }

    /// Where what it saw is, else where it is itself.
    fn point_of(&self, slot: usize) -> Option<Point> {
        let slot = &self.slots[slot];
        let seen = slot.stored.past().sighting.as_deref().and_then(|seen| seen.sighting().ground);
        if let Some(spot) = seen {
            return Some(spot.point);
        }
        let (lon, lat) = slot.point().or_else(|| self.known_place(&slot.source).point)?;
        Point::new(lon, lat)
    }
}

#[cfg(test)]
mod tests {
    use outpost_detectors::observation::{Fact, Observation, Reading};
    use outpost_fences::FenceSet;

    use super::*;
    use crate::config::Config;

    /// Two sensors 111 m apart and one far away.
    const RULES: &str = r#"
        sources = [
            { id = "a", place = [106.0, 29.800] }, { id = "b", place = [106.0, 29.801] }, { id = "c", place = [106.0, 29.9] },
        ]
        rules = [
            { id = "gas", sources = ["+"], detect = { kind = "threshold", metric = "gas", above = 1 }, severity = "minor" },
            { id = "heat", sources = ["+"], detect = { kind = "threshold", metric = "heat", above = 1 }, severity = "minor" },
            { id = "fire", sources = ["+"], detect = { kind = "together", of = ["gas", "heat"], within = "60s", radius_m = 150 }, severity = "extreme" },
            { id = "leak", sources = ["+"], detect = { kind = "together", of = ["gas"], k = 3, within = "60s" }, severity = "extreme" },
        ]
    "#;

    struct Scene {
        watch: Watch,
        config: Config,
        told: Vec<String>,
        saved: Vec<crate::nouns::StateRow>,
    }

    impl Scene {
        fn new() -> Scene {
            let config: Config = toml::from_str(RULES).unwrap();
            let watch = Watch::new(&config, &FenceSet::new(Vec::new())).unwrap();
            Scene { watch, config, told: Vec::new(), saved: Vec::new() }
        }

        fn says(&mut self, at_s: i64, source: &str, metric: &str, value: f64) -> Vec<String> {
            let fact = Fact::Reading(Reading { metric: metric.into(), value, unit: None });
            let at_ms = at_s * 1000;
            let mut effects = Vec::new();
            let observation = Observation { source: source.into(), at_ms, received_ms: at_ms, fact };
            self.watch.step(&observation, &mut effects);
            for effect in effects {
                match effect {
                    Effect::Save(row) => {
                        self.saved.retain(|old| (&old.rule, &old.source) != (&row.rule, &row.source));
                        self.saved.push(row);
                    }
                    Effect::Open(alert) => self.told.push(format!("{} {}", alert.key.rule, alert.why.text)),
                    Effect::Clear(cleared) => self.told.push(format!("{} over: {}", cleared.key.rule, cleared.why)),
                    Effect::Remember(_) | Effect::Join(_) | Effect::Show(_) => {}
                }
            }
            let counts = |told: &String| told.starts_with("fire") || told.starts_with("leak");
            std::mem::take(&mut self.told).into_iter().filter(counts).collect()
        }

        fn restart(&mut self, at_s: i64) {
            self.watch = Watch::new(&self.config, &FenceSet::new(Vec::new())).unwrap();
            let mut effects = Vec::new();
            self.watch.restore(self.saved.clone(), at_s * 1000, &mut effects);
            assert!(effects.is_empty(), "{effects:?}");
        }
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn two_rules_near_each_other_are_one_alert_until_one_is_over() {
        let mut scene = Scene::new();
        assert_eq!(scene.says(1, "a", "gas", 2.0), NOTHING);
        assert_eq!(scene.says(2, "c", "heat", 2.0), NOTHING, "too far away");
        assert_eq!(scene.says(3, "b", "heat", 2.0), ["fire together: gas (a), heat (b)"]);
        assert_eq!(scene.says(4, "a", "heat", 2.0), NOTHING, "the same fire");
        assert_eq!(scene.says(5, "b", "heat", 0.0), NOTHING, "a still has both");
        assert_eq!(scene.says(6, "a", "gas", 0.0), ["fire over: no longer together"]);
    }

    #[test]
    fn what_has_just_cleared_counts_for_a_while() {
        let mut scene = Scene::new();
        scene.says(1, "a", "gas", 2.0);
        scene.says(2, "a", "gas", 0.0);
        assert_eq!(scene.says(62, "a", "heat", 2.0), ["fire together: gas (a), heat (a)"]);
        let mut scene = Scene::new();
        scene.says(1, "a", "gas", 2.0);
        scene.says(2, "a", "gas", 0.0);
        assert_eq!(scene.says(63, "a", "heat", 2.0), NOTHING);
    }

    #[test]
    fn more_than_there_are_rules_means_sources() {
        let mut scene = Scene::new();
        scene.says(1, "a", "gas", 2.0);
        scene.says(2, "b", "gas", 2.0);
        assert_eq!(scene.says(3, "c", "gas", 2.0), ["leak together: gas (a), gas (b), gas (c)"]);
    }

    #[test]
    fn a_restart_between_forgets_nothing_that_is_open() {
        let mut scene = Scene::new();
        scene.says(1, "a", "gas", 2.0);
        scene.restart(2);
        assert_eq!(scene.says(3, "b", "heat", 2.0), ["fire together: gas (a), heat (b)"]);
        scene.restart(4);
        assert_eq!(scene.says(5, "a", "heat", 2.0), NOTHING, "the same fire");
        assert_eq!(scene.says(6, "a", "gas", 0.0), ["fire over: no longer together"]);
    }
}
