//! What Watch keeps over a restart: states, the log of what was remembered since, and what waits for its turn.

use super::{Effect, Watch};
use crate::nouns::{RedoRow, StateRow};
use crate::pipeline::late::{LateState, TooLate};
use crate::pipeline::redo::{self, BadRow, Redo, Redone};
use outpost_detectors::observation::Observation;

impl Watch {
    /// What rules remembered since the last call: to be called with each batch.
    pub fn remember(&mut self, effects: &mut Vec<Effect>) {
        self.message_ends(effects);
        let slots = &self.slots;
        let is_behind = |slot: usize, seq| slots[slot].stamp().is_some_and(|stamp| stamp.is_behind_from(seq));
        let mut overdue = Vec::new();
        overdue.extend(std::iter::from_fn(|| self.redo.overdue(is_behind)));
        effects.extend(overdue.into_iter().map(|slot| self.save(slot)));
        effects.extend(self.redo.take().map(Effect::Remember));
    }

    /// After [`Watch::restore`]: takes again what rules remembered after their states were written. A row that cannot be read
    /// is passed over, and told.
    pub fn redo(&mut self, rows: &[RedoRow], now_ms: i64, effects: &mut Vec<Effect>) -> Result<(), BadRow> {
        let mut all = Ok(());
        // The log may be empty, and the states have seen what was in it.
        let seen_seq = self.slots.iter().map(|slot| slot.stored.past().redo_seq).max().unwrap_or_default();
        let mut next_seq = seen_seq.max(rows.last().map_or(0, |row| row.seq as u64 + 1));
        self.redo.begin_again(rows.iter().map(|row| row.seq as u64));
        for row in rows {
            let Ok(entries) = redo::entries(row) else {
                all = Err(BadRow);
                continue;
            };
            for Redone { seq, rule, observation } in entries {
                next_seq = next_seq.max(seq + 1);
                let Some(mut slots) = self.slots_of(&observation.source) else { continue };
                let Some(number) = slots.find(|slot| self.rule_of(*slot).key == rule) else { continue };
                if seq >= self.slots[number].stored.past().redo_seq {
                    self.message_begins(&observation, effects);
                    self.redo.again(seq);
                    self.take(number, &observation, effects);
                }
            }
        }
        self.message_ends(effects);
        self.redo.end_again(next_seq);
        // Waits begin anew, those of what was just taken again too: what is at the broker is heard before they end.
        for number in 0..self.slots.len() {
            let slot = &mut self.slots[number];
            slot.stored.state.rebase(now_ms);
            let source = slot.source.clone();
            if let Some(late) = slot.late_mut() {
                late.rebase(&source, now_ms);
            }
            self.schedule(number);
        }
        all
    }

    /// One rule's part of [`Watch::step`].
    pub(super) fn take(&mut self, number: usize, observation: &Observation, effects: &mut Vec<Effect>) {
        if self.rule_of(number).sorts(&observation.fact) {
            self.sort(number, observation, effects);
        } else {
            self.judge(number, observation, effects);
        }
    }

    /// Lets an observation wait for those that happened before it, and judges those that need wait no more.
    fn sort(&mut self, number: usize, observation: &Observation, effects: &mut Vec<Effect>) {
        self.judge_sorted(number, observation.received_ms, effects);
        let slot = &mut self.slots[number];
        match slot.late_mut().map(|late| late.push(observation)) {
            Some(Ok(true)) => {
                let rule = &self.rules[slot.rule()];
                self.redo.note(number, &rule.key, observation, slot.stamp_mut());
            }
            Some(Err(TooLate)) => self.n_late += 1,
            Some(Ok(false)) | None => {}
        }
        self.judge_sorted(number, observation.received_ms, effects);
        self.schedule(number);
    }

    pub(super) fn judge_sorted(&mut self, number: usize, now_ms: i64, effects: &mut Vec<Effect>) {
        while let Some(observation) = self.slots[number].late_mut().and_then(|late| late.pop(now_ms)) {
            let slot = &mut self.slots[number];
            let turn = slot.elapse_until(&self.rules[slot.rule()], observation.at_ms);
            self.all_turned(number, turn, observation.received_ms, effects);
            self.judge(number, &observation, effects);
        }
    }

    /// Goes on with what waited before a restart or a change of rules; it is judged where the rule waits no more.
    pub(super) fn wait_on(&mut self, number: usize, state: Option<Box<LateState>>, effects: &mut Vec<Effect>) {
        let slot = &mut self.slots[number];
        let source = slot.source.clone();
        match (state, slot.late_mut()) {
            (Some(state), Some(late)) => late.resume(&source, *state),
            (Some(state), None) => {
                for observation in state.into_sorted(&source) {
                    self.judge(number, &observation, effects);
                }
            }
            (None, _) => {}
        }
        self.schedule(number);
    }

    /// Every state as it would be stored with an empty log.
    pub fn states(&mut self) -> Vec<StateRow> {
        self.redo = Redo::new();
        let rows = (0..self.slots.len()).map(|slot| self.save(slot));
        rows.filter_map(|effect| if let Effect::Save(row) = effect { Some(row) } else { None }).collect()
    }

    pub(super) fn save(&mut self, slot: usize) -> Effect {
        let rule = self.rule_of(slot).key.clone();
        let slot = &mut self.slots[slot];
        if slot.stamp().is_some() {
            slot.stamp_mut().saved();
        }
        let (redo_seq, late) = (self.redo.next_seq(), slot.late().map(|late| Box::new(late.state())));
        if redo_seq > 0 || late.is_some() {
            let past = slot.stored.past_mut();
            (past.redo_seq, past.late) = (redo_seq, late);
        }
        let state = serde_json::to_string(&slot.stored).unwrap_or_default();
        if let Some(past) = slot.stored.past_if_any() {
            past.late = None;
        }
        Effect::Save(StateRow { rule, source: slot.source.clone(), state })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use outpost_detectors::observation::{Fact, Observation, Position, Reading};
    use outpost_fences::{FenceSet, geojson};
    use proptest::prelude::*;

    use super::*;
    use crate::config::Config;
    use crate::nouns::RedoChange;
    use std::sync::Arc;

    const LATENESS_MS: i64 = 20_000;

    const RULES: &str = r#"
        [[fences]]
        file = "not read here"

        [[rules]]
        id = "gas"
        sources = ["tunnel/+"]
        detect = { kind = "threshold", metric = "ch4", above = 1.0, clear = 0.8, hold = "5s", clear_hold = "3s" }
        severity = "severe"
        lateness = "20s"

        [[rules]]
        id = "rises"
        sources = ["tunnel/+"]
        detect = { kind = "rate", metric = "ch4", rise = 0.2, over = "10s" }
        severity = "severe"
        lateness = "20s"

        [[rules]]
        id = "in"
        sources = ["tunnel/+"]
        detect = { kind = "enter", fence = "square" }
        severity = "minor"
        lateness = "20s"

        [[rules]]
        id = "out"
        sources = ["tunnel/+"]
        detect = { kind = "exit", fence = "square" }
        severity = "minor"
        lateness = "20s"
    "#;

    const SQUARE: &str = r#"{ "type": "Feature", "id": "square", "properties": {}, "geometry": { "type": "Polygon",
        "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]] } }"#;

    fn watch(rules: &str) -> Watch {
        let config: Config = toml::from_str(rules).unwrap();
        Watch::new(&config, &FenceSet::new(geojson::parse(SQUARE).fences)).unwrap()
    }

    /// What a store would hold.
    #[derive(Default)]
    struct Stored {
        states: BTreeMap<(Arc<str>, Arc<str>), StateRow>,
        log: Vec<RedoRow>,
        told: Vec<String>,
    }

    impl Stored {
        fn commit(&mut self, watch: &mut Watch, effects: &mut Vec<Effect>) {
            watch.remember(effects);
            for effect in effects.drain(..) {
                match effect {
                    Effect::Save(row) => drop(self.states.insert((row.rule.clone(), row.source.clone()), row)),
                    Effect::Remember(RedoChange { row, from }) => {
                        self.log.extend(row);
                        self.log.retain(|row| row.seq >= from);
                    }
                    Effect::Open(alert) => self.told.push(format!("{} since {}", alert.key.rule, alert.since_at_ms)),
                    Effect::Join(_) | Effect::Show(_) => {}
                    Effect::Clear(cleared) => self.told.push(format!("{} over", cleared.key.rule)),
                }
            }
        }
    }

    /// The clock goes on with what comes, and far beyond it. Dies before the observation of each of these numbers.
    fn play(rules: &str, seen: &[Observation], crashes: &[usize]) -> Vec<String> {
        let (mut watch, mut stored, mut effects) = (watch(rules), Stored::default(), Vec::new());
        for (number, observation) in seen.iter().enumerate() {
            if crashes.contains(&number) {
                watch = self::watch(rules);
                watch.restore(stored.states.values().cloned().collect(), observation.received_ms, &mut effects);
                watch.redo(&stored.log, observation.received_ms, &mut effects).unwrap();
            }
            watch.elapse(observation.received_ms, &mut effects);
            watch.step(observation, &mut effects);
            stored.commit(&mut watch, &mut effects);
        }
        let end_ms = seen.last().map_or(0, |last| last.received_ms + 10 * LATENESS_MS);
        while watch.elapse_next(end_ms, &mut effects).is_some() {}
        stored.commit(&mut watch, &mut effects);
        stored.told.sort();
        stored.told
    }

    fn seen() -> impl Strategy<Value = Vec<Observation>> {
        let fact = prop_oneof![
            (0.0..2.0f64).prop_map(|value| Fact::Reading(Reading { metric: "ch4".into(), value, unit: None })),
            (-1.0..2.0f64).prop_map(|lon| Fact::Position(Position { lon, lat: 0.5, accuracy_m: None })),
        ];
        prop::collection::vec((fact, 1i64..8_000, 0..=LATENESS_MS), 1..80).prop_map(|steps| {
            let mut at_ms = 1_000_000;
            let step = |(fact, gap_ms, delay_ms)| {
                at_ms += gap_ms;
                Observation { source: "tunnel/7".into(), at_ms, received_ms: at_ms + delay_ms, fact }
            };
            steps.into_iter().map(step).collect()
        })
    }

    proptest! {
        /// Whatever comes late within the bound, the alerts are those of what comes in order and at once; so they are where
        /// the gateway dies in between, and where all comes twice.
        #[test]
        fn what_is_late_within_the_bound_changes_no_alert(
            seen in seen(),
            crashes in prop::collection::vec(0usize..80, 0..4),
            twice in any::<bool>(),
        ) {
            let at_once: Vec<Observation> =
                seen.iter().map(|seen| Observation { received_ms: seen.at_ms, ..seen.clone() }).collect();
            let in_order = play(&RULES.replace("lateness = \"20s\"", ""), &at_once, &[]);
            let mut late = seen;
            late.sort_by_key(|seen| seen.received_ms);
            if twice {
                late = late.iter().flat_map(|seen| [seen.clone(), seen.clone()]).collect();
            }
            prop_assert_eq!(play(RULES, &late, &crashes), in_order);
        }
    }

    #[test]
    fn what_is_too_late_is_counted_and_judged_by_nobody() {
        let (mut watch, mut effects) = (watch(RULES), Vec::new());
        let fix = |at_ms: i64, received_ms: i64, lon: f64| {
            let fact = Fact::Position(Position { lon, lat: 0.5, accuracy_m: None });
            Observation { source: "tunnel/7".into(), at_ms, received_ms, fact }
        };
        for (at_s, lon) in [(100, 2.0), (130, 2.0), (160, 2.0)] {
            watch.step(&fix(at_s * 1000, at_s * 1000, lon), &mut effects);
        }
        watch.step(&fix(90_000, 161_000, 0.5), &mut effects);
        assert_eq!(watch.n_late(), 2, "by both rules that look at positions");
        watch.elapse(1_000_000, &mut effects);
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Open(_))));
    }
}
