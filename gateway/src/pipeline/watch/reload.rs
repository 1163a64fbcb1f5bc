//! Other rules, fences and places, without losing what was remembered.

use outpost_detectors::latch::Turn;
#[cfg(test)]
use outpost_fences::FenceSet;
use xxhash_rust::xxh3::xxh3_64;

use super::{Effect, Watch, forget};
#[cfg(test)]
use crate::config::Config;
use crate::nouns::StateRow;
use crate::pipeline::picture::Cameras;
use crate::pipeline::redo::Redo;
#[cfg(test)]
use crate::pipeline::rules::RuleError;
use crate::pipeline::rules::{Judge, Rule};
use crate::pipeline::slot::Slot;

/// What the slots of a Watch that is no more go on from.
pub(in crate::pipeline) struct Estate {
    rules: Vec<Rule>,
    slots: Vec<Slot>,
    cameras: Cameras,
}

/// What a Watch counts and numbers, whichever rules it has.
pub(in crate::pipeline) struct Ledger {
    redo: Redo,
    n_ignored: u64,
    n_late: u64,
    n_wrong_unit: u64,
}

/// Watches with other rules take the places of those that were dissolved. Rules that look at what they looked at before go on
/// with what they remember, each slot where its source belongs now, and their alerts stay open; the alerts of the others are
/// cleared, as effects.
pub(in crate::pipeline) fn succeed(
    next: &mut [Watch],
    old: Vec<(Estate, Ledger)>,
    now_ms: i64,
    effects: &mut Vec<Effect>,
) {
    let mut estates = Vec::new();
    for (watch, (estate, ledger)) in next.iter_mut().zip(old) {
        watch.take_over(ledger);
        estates.push(estate);
    }
    for Estate { rules, slots, cameras } in estates {
        let mut parts: Vec<Vec<Slot>> = next.iter().map(|_| Vec::new()).collect();
        for slot in slots {
            // Rules for all cameras would wait for its pictures for ever.
            if cameras.has(&slot.source) && !next[0].cameras.has(&slot.source) {
                let (key, source) = (rules[slot.rule()].key.clone(), slot.source.clone());
                effects.extend(forget(key, source, Some(slot.stored), now_ms, "camera removed"));
                continue;
            }
            parts[next[0].place(&slot.source, next.len())].push(slot);
        }
        for (watch, slots) in next.iter_mut().zip(parts) {
            watch.adopt(&rules, slots, now_ms, effects);
        }
    }
}

impl Watch {
    /// What a pipeline of one shard does with other rules, fences and places.
    #[cfg(test)]
    pub(super) fn reload(
        &mut self,
        config: &Config,
        fences: &FenceSet,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) -> Result<(), RuleError> {
        let mut next = Watch::new(config, fences)?;
        let old = self.dissolve(effects);
        succeed(std::slice::from_mut(&mut next), vec![old], now_ms, effects);
        *self = next;
        Ok(())
    }

    /// The end of a Watch: what its slots go on from, and its ledger for the one that takes its place.
    pub(in crate::pipeline) fn dissolve(&mut self, effects: &mut Vec<Effect>) -> (Estate, Ledger) {
        self.message_ends(effects);
        let is_behind = |slot: &usize| self.slots[*slot].stamp().is_some_and(|stamp| stamp.is_behind());
        let behind: Vec<usize> = (0..self.slots.len()).filter(is_behind).collect();
        for slot in behind {
            effects.push(self.save(slot));
        }
        let ledger = Ledger {
            redo: self.redo.renumber(),
            n_ignored: self.n_ignored,
            n_late: self.n_late,
            n_wrong_unit: self.n_wrong_unit,
        };
        let (rules, slots) = (std::mem::take(&mut self.rules), std::mem::take(&mut self.slots));
        (Estate { rules, slots, cameras: std::mem::take(&mut self.cameras) }, ledger)
    }

    /// Counts and numbers on where another stopped.
    fn take_over(&mut self, ledger: Ledger) {
        let Ledger { redo, n_ignored, n_late, n_wrong_unit } = ledger;
        self.redo = redo;
        (self.n_ignored, self.n_late, self.n_wrong_unit) = (n_ignored, n_late, n_wrong_unit);
    }

    /// Goes on, under the rules that it has, with slots that had those.
    fn adopt(&mut self, rules: &[Rule], slots: Vec<Slot>, now_ms: i64, effects: &mut Vec<Effect>) {
        for old in slots {
            let old_rule = &rules[old.rule()];
            let mut heirs = self.slots_of(&old.source).unwrap_or_default();
            let heir = heirs.find(|slot| self.rule_of(*slot).continues(old_rule));
            match heir {
                Some(heir) if old.stored.state.fits(&self.rule_of(heir).judge) => {
                    let late = old.late().map(|late| Box::new(late.state()));
                    let (key, source) = (&old_rule.key, old.source.clone());
                    self.slots[heir].inherit(old);
                    let is_renamed = self.rule_of(heir).key != *key;
                    if is_renamed {
                        let state = String::new();
                        effects.push(Effect::Save(StateRow { rule: key.clone(), source, state }));
                    }
                    let rule = &self.rules[self.slots[heir].rule()];
                    self.slots[heir].resume_hours(rule, now_ms);
                    self.slots[heir].refence(rule);
                    // The numbers of its entries were those of another log.
                    if is_renamed || self.slots[heir].stored.past().redo_seq > self.redo.next_seq() {
                        effects.push(self.save(heir));
                    }
                    self.all_turned(heir, Turn::Stay, now_ms, effects);
                    self.wait_on(heir, late, effects);
                }
                _ => effects.extend(forget(
                    old_rule.key.clone(),
                    old.source.clone(),
                    Some(old.stored),
                    now_ms,
                    "rule changed",
                )),
            }
        }
        self.regroup();
    }

    /// Which of `n` shards a source belongs to: the first, where a rule judges it together with others.
    pub fn place(&self, source: &str, n: usize) -> usize {
        if n == 1 || self.is_joint(source) { 0 } else { (xxh3_64(source.as_bytes()) % n as u64) as usize }
    }

    /// Whether a rule judges this source together with others.
    fn is_joint(&self, source: &str) -> bool {
        let counted = |rule: &Rule| {
            self.rules
                .iter()
                .any(|other| matches!(&other.judge, Judge::Together(together) if together.of.contains(&rule.id)))
        };
        self.rules.iter().filter(|rule| rule.matches(source)).any(|rule| match rule.judge {
            // Two cameras may see one fire.
            Judge::Together(_) | Judge::Approach(_) | Judge::Hotspot { .. } => true,
            _ => counted(rule),
        })
    }
}
