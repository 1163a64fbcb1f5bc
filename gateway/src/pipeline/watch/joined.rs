//! One alert for one thing: what two cameras, or two presets of one, see at the same place under one rule. The alert is over when
//! none of them sees it any more.

use std::sync::Arc;

use outpost_fences::sight::Spot;

use super::super::sight::Kept;
use super::{Effect, Watch};
use crate::nouns::{Exhibit, Joined, Place};
use crate::pipeline::slot::Slot;

impl Watch {
    /// What the slot sees now, on the map.
    pub(super) fn sight(&self, slot: usize) -> Option<Kept> {
        let slot = &self.slots[slot];
        let pixel = slot.pixel()?;
        self.views.see(&slot.source, &pixel).map(|sighting| Kept::new(&sighting))
    }

    /// Joins an alert that is open already: it is of the same thing, or this slot opened it once and others hold it still.
    pub(super) fn join(&mut self, number: usize, effects: &mut Vec<Effect>) -> bool {
        let (slot, seen) = (&self.slots[number], self.slots[number].stored.past().sighting.as_deref());
        let others = self.sharers(slot.rule()).filter(|other| other.source != slot.source);
        let found =
            others.filter_map(|other| Some((other, other.stored.past().alert.clone()?))).find_map(|(other, alert)| {
                let spot =
                    seen.zip(other.stored.past().sighting.as_deref()).and_then(|(seen, theirs)| seen.meets(theirs));
                let is_own = other.stored.past().opened_by.as_deref() == Some(&slot.source);
                (spot.is_some() || is_own)
                    .then(|| (alert, spot, other.stored.past().opened_by.clone(), other.source.clone()))
            });
        let Some((alert, spot, opened_by, other)) = found else { return false };
        let source = slot.source.clone();
        let place = seen.map(|seen| self.place_of(&source, seen, spot.as_ref()));
        let (exhibits, visible) = (self.joined_exhibits(number), self.visible(number));
        let past = self.slots[number].stored.past_mut();
        past.alert = Some(alert.clone());
        past.opened_by = opened_by.or_else(|| Some(Box::new(other))).filter(|opener| **opener != source);
        effects.push(self.save(number));
        effects.push(Effect::Join(Joined { id: alert, source, place, exhibits, visible }));
        true
    }

    /// What this slot adds to the pictures of an alert whose snapshot is another's.
    fn joined_exhibits(&mut self, number: usize) -> Vec<Exhibit> {
        let mut exhibits = self.exhibit(number);
        let own = self.slots[number].snapshot(self.rule_of(number));
        exhibits.iter_mut().filter(|exhibit| exhibit.ask.is_none()).for_each(|at| at.ask = own.clone());
        exhibits
    }

    /// Whether another slot holds this alert open.
    pub(super) fn is_held(&self, number: usize, alert: &Arc<str>) -> bool {
        let rule = self.slots[number].rule();
        let source = &self.slots[number].source;
        let mut others = self.sharers(rule).filter(|other| other.source != *source);
        others.any(|other| other.stored.past().alert.as_ref() == Some(alert))
    }

    /// The slots of a rule whose alerts several sources may share; none of any other rule.
    fn sharers(&self, rule: usize) -> impl Iterator<Item = &Slot> {
        self.sharers.get(&rule).into_iter().flatten().map(|slot| &self.slots[*slot])
    }

    pub(super) fn place_of(&self, source: &Arc<str>, seen: &Kept, spot: Option<&Spot>) -> Place {
        self.views.place(&seen.sighting(), spot, self.known_place(source).name)
    }
}
