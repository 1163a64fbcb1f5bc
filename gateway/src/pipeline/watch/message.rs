//! Conditions over several readings are judged once all readings of a message were heard: judged one by one, half of a
//! message would stand beside half of the one before it.

use std::sync::Arc;

use outpost_detectors::observation::Observation;

use super::{Effect, Watch};

/// Readings of one source at one time that came together, and the slots that have heard them.
#[derive(Default)]
pub(super) struct Unjudged {
    slots: Vec<usize>,
    source: Option<Arc<str>>,
    at_ms: i64,
    received_ms: i64,
}

impl Unjudged {
    /// When they came, where a slot waits to be judged.
    fn received_ms(&self) -> Option<i64> {
        (!self.slots.is_empty()).then_some(self.received_ms)
    }

    fn is_of(&self, observation: &Observation) -> bool {
        (self.at_ms, self.received_ms) == (observation.at_ms, observation.received_ms)
            && self.source.as_ref() == Some(&observation.source)
    }

    pub(super) fn add(&mut self, slot: usize, observation: &Observation) {
        if self.slots.is_empty() {
            self.source = Some(observation.source.clone());
            (self.at_ms, self.received_ms) = (observation.at_ms, observation.received_ms);
        }
        if !self.slots.contains(&slot) {
            self.slots.push(slot);
        }
    }
}

impl Watch {
    /// No more of a message comes. Whoever steps through observations need not say so between them: the next one of
    /// another source or time says it, and [`Watch::elapse`] does.
    pub fn message_ends(&mut self, effects: &mut Vec<Effect>) {
        let Some(now_ms) = self.unjudged.received_ms() else { return };
        let mut slots = std::mem::take(&mut self.unjudged.slots);
        for slot in slots.drain(..) {
            let rule = &self.rules[self.slots[slot].rule()];
            let turn = self.slots[slot].judge(rule, now_ms);
            self.turned(slot, turn, now_ms, effects);
        }
        self.unjudged.slots = slots;
    }

    /// Ends the message before this observation, where that is of another.
    pub(super) fn message_begins(&mut self, observation: &Observation, effects: &mut Vec<Effect>) {
        if self.unjudged.received_ms().is_some() && !self.unjudged.is_of(observation) {
            self.message_ends(effects);
        }
    }

    /// Ends the message that came before this time, and says when that was.
    pub(super) fn message_ends_before(&mut self, until_ms: i64, effects: &mut Vec<Effect>) -> Option<i64> {
        let received_ms = self.unjudged.received_ms().filter(|received_ms| *received_ms < until_ms)?;
        self.message_ends(effects);
        Some(received_ms)
    }
}

#[cfg(test)]
mod tests {
    use outpost_detectors::observation::{Fact, Reading};
    use outpost_fences::FenceSet;

    use super::*;
    use crate::config::Config;

    const AIR: &str = r#"
        [[rules]]
        id = "air"
        sources = ["tunnel/+"]
        detect = { kind = "condition", when = "ch4 > 1.0 && o2 < 19.5", hold = "5s" }
        severity = "severe"
    "#;

    fn watch(hold: &str) -> Watch {
        let config: Config = toml::from_str(&AIR.replace("5s", hold)).unwrap();
        Watch::new(&config, &FenceSet::new(Vec::new())).unwrap()
    }

    /// A message of both readings.
    fn message(at_ms: i64, ch4: f64, o2: f64) -> [Observation; 2] {
        [("ch4", ch4), ("o2", o2)].map(|(metric, value)| Observation {
            source: "tunnel/1".into(),
            at_ms,
            received_ms: at_ms,
            fact: Fact::Reading(Reading { metric: metric.into(), value, unit: None }),
        })
    }

    fn opened(effects: &mut Vec<Effect>) -> usize {
        effects.drain(..).filter(|effect| matches!(effect, Effect::Open(_))).count()
    }

    #[test]
    fn halves_of_two_messages_are_never_judged_together() {
        let (mut watch, mut effects) = (watch("0s"), Vec::new());
        for (at_ms, ch4, o2) in [(1_000, 0.2, 19.0), (2_000, 1.4, 20.9), (3_000, 0.2, 19.0), (4_000, 1.4, 20.9)] {
            message(at_ms, ch4, o2).iter().for_each(|observation| watch.step(observation, &mut effects));
        }
        watch.elapse(4_000, &mut effects);
        assert_eq!(opened(&mut effects), 0);
        message(5_000, 1.4, 19.0).iter().for_each(|observation| watch.step(observation, &mut effects));
        assert_eq!(opened(&mut effects), 0, "more of the message may come");
        watch.message_ends(&mut effects);
        assert_eq!(opened(&mut effects), 1);
        watch.message_ends(&mut effects);
        assert_eq!(opened(&mut effects), 0);
    }

    #[test]
    fn who_plays_time_hears_of_the_end_of_a_message_before_what_follows_from_it() {
        let (mut watch, mut effects) = (watch("5s"), Vec::new());
        for observation in &message(1_000, 1.4, 19.0) {
            assert_eq!(watch.elapse_next(1_000, &mut effects), None, "the message may go on");
            watch.step(observation, &mut effects);
        }
        assert_eq!(watch.elapse_next(60_000, &mut effects), Some(1_000));
        assert_eq!(opened(&mut effects), 0);
        assert_eq!(watch.elapse_next(60_000, &mut effects), Some(6_000));
        assert_eq!(opened(&mut effects), 1);
        assert_eq!(watch.elapse_next(60_000, &mut effects), None);
    }

    #[test]
    fn what_is_written_with_a_batch_was_judged() {
        let (mut watch, mut effects) = (watch("0s"), Vec::new());
        message(1_000, 1.4, 19.0).iter().for_each(|observation| watch.step(observation, &mut effects));
        watch.remember(&mut effects);
        assert_eq!(opened(&mut effects), 1);
    }
}
