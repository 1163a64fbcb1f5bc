//! When a rule is on duty, as one slot sees it. Pure.

use outpost_detectors::latch::Turn;

use super::{Memo, Slot, State};
use crate::pipeline::rules::{Judge, Rule};

impl Slot {
    /// Outside its hours a rule hears nothing.
    pub(super) fn is_on_duty(&mut self, rule: &Rule, at_ms: i64) -> bool {
        let Some(schedule) = &rule.schedule else { return true };
        let is_on = schedule.is_on(at_ms);
        if (is_on || awaits(&rule.judge)) && self.hours_ms().is_none_or(|hours_ms| hours_ms <= at_ms) {
            self.set_hours_ms(schedule.next_change_ms(at_ms));
        }
        is_on
    }

    /// What it waits for after a restart, or under another schedule.
    pub(in crate::pipeline) fn resume_hours(&mut self, rule: &Rule, now_ms: i64) {
        let since_ms = self.stored.state.since_at_ms();
        let hours_ms = rule.schedule.as_ref().and_then(|schedule| match since_ms > 0 && schedule.is_on(since_ms) {
            true => schedule.next_change_ms(since_ms),
            false if schedule.is_on(now_ms) => schedule.next_change_ms(now_ms),
            // What was heard at other hours is not of these.
            false => Some(now_ms),
        });
        self.set_hours_ms(hours_ms);
    }

    /// The hours of duty begin, or they end and with them what they brought.
    pub(super) fn change_hours(&mut self, rule: &Rule, now_ms: i64) -> Turn {
        let Some(schedule) = &rule.schedule else { return Turn::Stay };
        let is_on = schedule.is_on(now_ms);
        self.set_hours_ms(if is_on || awaits(&rule.judge) { schedule.next_change_ms(now_ms) } else { None });
        if is_on {
            return self.expect(rule, now_ms);
        }
        let old = std::mem::replace(&mut self.stored.state, State::new(&rule.judge));
        if let Some(rest) = &mut self.rest {
            rest.signs.clear();
        }
        self.forget_pictures();
        self.memo.set(Memo::OffDuty);
        if old.is_raised() { Turn::Clear } else { Turn::Shift }
    }

    pub(super) fn hours_ms(&self) -> Option<i64> {
        self.rest.as_ref()?.hours_ms
    }

    pub(super) fn set_hours_ms(&mut self, hours_ms: Option<i64>) {
        if hours_ms.is_some() || self.rest.is_some() {
            self.rest.get_or_insert_default().hours_ms = hours_ms;
        }
    }
}

/// Whether the beginning of its hours means something to the rule although nothing is heard.
fn awaits(judge: &Judge) -> bool {
    matches!(judge, Judge::Silent(_) | Judge::Dark(_))
}
