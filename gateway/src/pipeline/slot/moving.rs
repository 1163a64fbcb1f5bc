//! A slot whose rule looks at positions. Pure.

use std::sync::Arc;

use outpost_detectors::latch::{Moment, Signal, Turn};
use outpost_detectors::observation::Position;
use outpost_fences::Point;
use outpost_fences::track::Fix;

use super::{Memo, Slot, State};
use crate::pipeline::movement::{Sight, Sign};
use crate::pipeline::rules::{Judge, Rule};

impl Slot {
    pub(super) fn moved(&mut self, rule: &Rule, position: &Position, moment: Moment) -> Turn {
        let point = Point { lon: position.lon, lat: position.lat };
        let Some(fix) = Fix::new(moment.at_ms, point, position.accuracy_m) else { return Turn::Stay };
        let must_remember = match (&rule.judge, &mut self.stored.state) {
            (Judge::Movement { movement, .. }, State::Movement { trail, .. }) => {
                let must_remember =
                    movement.judge(trail, fix, moment.now_ms, &mut self.untold.get_or_insert_default().signs);
                let sight = if let Memo::Moved { sight, .. } = *self.memo.get() { sight } else { Sight::Plain };
                self.memo.set(Memo::Moved { point, sight });
                must_remember
            }
            (Judge::Approach(approach), State::Approach(company)) => company.mover.step(fix, &approach.limits),
            _ => return Turn::Stay,
        };
        self.n_unsaved = self.n_unsaved.saturating_add(u32::from(must_remember));
        self.next_turn(rule, moment.now_ms)
    }

    /// One position may show several things: each turn is told before the next is looked for.
    pub(in crate::pipeline) fn next_turn(&mut self, rule: &Rule, now_ms: i64) -> Turn {
        let (Judge::Movement { latch, .. }, State::Movement { latch: state, .. }) =
            (&rule.judge, &mut self.stored.state)
        else {
            return Turn::Stay;
        };
        while let Some(Sign { signal, at_ms, sight }) = self.untold.as_mut().and_then(|untold| untold.signs.pop_front())
        {
            if let (Signal::On, Memo::Moved { point, .. }) = (signal, self.memo.get()) {
                self.memo.set(Memo::Moved { point: *point, sight });
            }
            let turn = latch.observe(state, signal, Moment { at_ms, now_ms });
            if turn != Turn::Stay {
                return turn;
            }
        }
        Turn::Stay
    }

    /// After a reload: looks at where it was last with the fence as it is now.
    pub(in crate::pipeline) fn refence(&mut self, rule: &Rule) {
        if let (Judge::Movement { movement, .. }, State::Movement { trail, .. }) = (&rule.judge, &mut self.stored.state)
        {
            movement.refence(trail, &mut self.untold.get_or_insert_default().signs);
        }
    }

    /// Whether a rule about movers took the position of this time.
    pub(in crate::pipeline) fn has_moved(&self, at_ms: i64) -> bool {
        match &self.stored.state {
            State::Approach(company) => company.mover.last().is_some_and(|fix| fix.at_ms == at_ms),
            _ => false,
        }
    }

    /// The first of those that it is near to came.
    pub(in crate::pipeline) fn met(&mut self, other: Arc<str>, distance_m: f64) {
        let point = match &self.stored.state {
            State::Approach(company) => company.mover.last().map(|fix| fix.point),
            _ => None,
        };
        self.memo.set(Memo::Met { point, other, distance_m });
    }
}
