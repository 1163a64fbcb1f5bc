//! Other rules, fences and places, without losing what was remembered.

use outpost_detectors::latch::Turn;
use outpost_fences::FenceSet;

use super::{Effect, Watch, forget};
use crate::config::Config;
use crate::nouns::StateRow;
use crate::pipeline::redo::Redo;
use crate::pipeline::rules::{Judge, Rule, RuleError};
use crate::pipeline::slot::Slot;

/// What the slots of a Watch that is no more go on from.
pub(in crate::pipeline) struct Estate {
    pub(in crate::pipeline) rules: Vec<Rule>,
    pub(in crate::pipeline) slots: Vec<Slot>,
}

/// What a Watch counts and numbers, whichever rules it has.
pub(in crate::pipeline) struct Ledger {
    redo: Redo,
    n_ignored: u64,
    n_late: u64,
    n_wrong_unit: u64,
}

impl Watch {
    /// Takes other rules, fences and places. Rules that look at what they looked at before go on with what they remember,
    /// and their alerts stay open; the alerts of the others are cleared, as effects.
    pub fn reload(
        &mut self,
        config: &Config,
        fences: &FenceSet,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) -> Result<(), RuleError> {
        let mut next = Watch::new(config, fences)?;
        let (estate, ledger) = self.dissolve(effects);
        next.succeed(ledger);
        next.adopt(&estate.rules, estate.slots, now_ms, effects);
        *self = next;
        Ok(())
    }

    /// The end of a Watch: what its slots go on from, and its ledger for the one that takes its place.
    pub(in crate::pipeline) fn dissolve(&mut self, effects: &mut Vec<Effect>) -> (Estate, Ledger) {
        self.message_ends(effects);
        let is_behind = |slot: &usize| self.slots[*slot].stamp.as_ref().is_some_and(|stamp| stamp.is_behind());
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
        (Estate { rules: std::mem::take(&mut self.rules), slots: std::mem::take(&mut self.slots) }, ledger)
    }

    /// Counts and numbers on where another stopped.
    pub(in crate::pipeline) fn succeed(&mut self, ledger: Ledger) {
        let Ledger { redo, n_ignored, n_late, n_wrong_unit } = ledger;
        self.redo = redo;
        (self.n_ignored, self.n_late, self.n_wrong_unit) = (n_ignored, n_late, n_wrong_unit);
    }

    /// Goes on, under the rules that it has, with slots that had those.
    pub(in crate::pipeline) fn adopt(
        &mut self,
        rules: &[Rule],
        slots: Vec<Slot>,
        now_ms: i64,
        effects: &mut Vec<Effect>,
    ) {
        for old in slots {
            let old_rule = &rules[old.rule];
            let mut heirs = self.slots_of(&old.source).unwrap_or_default();
            let heir = heirs.find(|slot| self.rule_of(*slot).continues(old_rule));
            match heir {
                Some(heir) if old.stored.state.fits(&self.rule_of(heir).judge) => {
                    let late = old.late.as_ref().map(|late| Box::new(late.state()));
                    let (key, source) = (&old_rule.key, old.source.clone());
                    self.slots[heir].inherit(old);
                    let is_renamed = self.rule_of(heir).key != *key;
                    if is_renamed {
                        let state = String::new();
                        effects.push(Effect::Save(StateRow { rule: key.clone(), source, state }));
                    }
                    let rule = &self.rules[self.slots[heir].rule];
                    self.slots[heir].resume_hours(rule, now_ms);
                    self.slots[heir].refence(rule);
                    // The numbers of its entries were those of another log.
                    if is_renamed || self.slots[heir].stored.redo_seq > self.redo.next_seq() {
                        effects.push(self.save(heir));
                    }
                    self.all_turned(heir, Turn::Stay, now_ms, effects);
                    self.wait_on(heir, late, effects);
                }
                _ => effects.extend(forget(old_rule.key.clone(), old.source.clone(), Some(old.stored), now_ms)),
            }
        }
        self.regroup();
    }

    /// Whether a rule judges this source together with others.
    pub(in crate::pipeline) fn is_joint(&self, source: &str) -> bool {
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
