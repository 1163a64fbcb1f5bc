//! What is shown beside a snapshot: of heat the frames before, at and after the moment, and the visible camera that is to look; of
//! a camera a picture that shows clearly more.

use std::sync::Arc;

use super::super::sight::camera_of;
use super::{Effect, Watch};
use crate::nouns::{Confidence, Exhibit, Shown};
use crate::pipeline::rules::Judge;

impl Watch {
    /// The pictures with which an alert opens or is joined; those that follow are awaited.
    pub(super) fn exhibit(&mut self, number: usize) -> Vec<Exhibit> {
        let slot = &mut self.slots[number];
        match &self.rules[slot.rule()].judge {
            Judge::Hotspot { heating, .. } => slot.begin_showing(heating.shows()),
            Judge::Picture { .. } => {
                slot.begin_growing();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// What was awaited, if it has come.
    pub(super) fn show(&mut self, number: usize, effects: &mut Vec<Effect>) {
        let slot = &mut self.slots[number];
        if let Some((alert, exhibit)) = slot.stored.past().alert.clone().zip(slot.take_shown()) {
            effects.push(Effect::Show(Box::new(Shown { alert, exhibit })));
        }
    }

    /// The camera that sees in visible light what the slot's source saw as heat. Of a preset, that of the camera.
    pub(super) fn visible(&self, number: usize) -> Option<Arc<str>> {
        let slot = &self.slots[number];
        if !matches!(self.rule_of(number).judge, Judge::Hotspot { .. }) {
            return None;
        }
        self.visible.get(&slot.source).or_else(|| self.visible.get(camera_of(&slot.source))).cloned()
    }

    /// As the rule says; else how sure heat alone is, where a camera can be asked.
    pub(super) fn confidence(&self, number: usize) -> Option<Confidence> {
        let said = self.rule_of(number).confidence;
        let said = said.map(|share| Confidence { share, why: "as the rule says".into() });
        said.or_else(|| self.visible(number).map(|camera| Confidence::of_heat(&camera)))
    }
}
