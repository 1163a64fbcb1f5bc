//! A slot whose rule looks at positions. Pure.

use std::collections::VecDeque;
use std::sync::Arc;

use outpost_detectors::latch::{Latch, LatchState, Moment, Phase, Signal, Turn};
use outpost_detectors::observation::Position;
use outpost_fences::Point;
use outpost_fences::track::Fix;

use super::{Memo, Noted, Slot, State};
use crate::pipeline::movement::{Keep, Sign};
use crate::pipeline::rules::{Judge, Rule};

impl Slot {
    pub(super) fn moved(
        &mut self,
        rule: &Rule,
        position: &Position,
        moment: Moment,
        signs: &mut VecDeque<Sign>,
    ) -> Turn {
        let point = Point { lon: position.lon, lat: position.lat };
        let Some(fix) = Fix::new(moment.at_ms, point, position.accuracy_m) else { return Turn::Stay };
        let (movement, latch, trail, state) = match (&rule.judge, &mut self.stored.state) {
            (Judge::Movement { movement, latch }, State::Movement { trail, latch: state }) => {
                (movement, latch, trail, state)
            }
            (Judge::Approach(approach), State::Approach(company)) => {
                let must_remember = company.mover.step(fix, &approach.limits);
                self.must_remember = must_remember;
                return Turn::Stay;
            }
            _ => return Turn::Stay,
        };
        let keep = movement.judge(trail, fix, moment.now_ms, signs);
        (self.must_remember, self.must_save) = (keep == Keep::Fix, keep == Keep::State);
        // Of one who is away nothing is told, nor will be by waiting.
        let is_quiet = state.phase == Phase::Quiet && trail.is_away();
        if !is_quiet || signs.iter().any(|sign| sign.signal == Signal::On) {
            self.memo.moved_to(point, position.accuracy_m);
        }
        let turn = next_of(signs, latch, state, &mut self.memo, moment.now_ms);
        if !signs.is_empty() {
            self.rest.get_or_insert_default().signs.append(signs);
        }
        turn
    }

    /// One position may show several things: each turn is told before the next is looked for.
    pub(in crate::pipeline) fn next_turn(&mut self, rule: &Rule, now_ms: i64) -> Turn {
        let (Judge::Movement { latch, .. }, State::Movement { trail, latch: state }, Some(rest)) =
            (&rule.judge, &mut self.stored.state, &mut self.rest)
        else {
            return Turn::Stay;
        };
        // What time or a new fence shows is where it was last.
        if let (false, Some(point)) = (rest.signs.is_empty(), trail.last()) {
            self.memo.moved_to(point, None);
        }
        next_of(&mut rest.signs, latch, state, &mut self.memo, now_ms)
    }

    /// After a reload: looks at where it was last with the fence as it is now.
    pub(in crate::pipeline) fn refence(&mut self, rule: &Rule) {
        if let (Judge::Movement { movement, .. }, State::Movement { trail, .. }) = (&rule.judge, &mut self.stored.state)
        {
            movement.refence(trail, &mut self.rest.get_or_insert_default().signs);
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

/// The next turn that these signs make.
fn next_of(signs: &mut VecDeque<Sign>, latch: &Latch, state: &mut LatchState, memo: &mut Noted, now_ms: i64) -> Turn {
    while let Some(Sign { signal, at_ms, sight }) = signs.pop_front() {
        if let (Signal::On, Memo::Moved { point, accuracy_m, .. }) = (signal, memo.get()) {
            let (point, accuracy_m) = (*point, *accuracy_m);
            memo.set(Memo::Moved { point, accuracy_m, sight });
        }
        let turn = latch.observe(state, signal, Moment { at_ms, now_ms });
        if turn != Turn::Stay {
            return turn;
        }
    }
    Turn::Stay
}
