//! A slot whose rule looks at heat, and the frames that it keeps to be shown. Pure.

use std::collections::VecDeque;
use std::sync::Arc;

use ndarray::Array2;
use outpost_detectors::hotspot::HotspotScratch;
use outpost_detectors::latch::{Latch, Moment, Signal, Turn};
use outpost_detectors::observation::ThermalFrame;

use super::{Memo, Slot, State};
use crate::config::Shows;
use crate::nouns::{Exhibit, Role, SnapshotAsk};
use crate::pipeline::heat::Heating;

/// Frames around the moment. Not kept over a restart.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The last ones on which nothing was hot, oldest first.
    before: VecDeque<(i64, Arc<Array2<f32>>)>,
    /// How many of those to come are shown.
    n_awaited: usize,
    /// The one that came.
    shown: Option<Exhibit>,
}

impl Frames {
    /// The frame that an open alert awaited, once it came.
    pub(super) fn take_shown(&mut self) -> Option<Exhibit> {
        self.shown.take()
    }
}

impl Slot {
    pub(super) fn heated(
        &mut self,
        heating: &Heating,
        latch: &Latch,
        frame: &ThermalFrame,
        moment: Moment,
        scratch: &mut HotspotScratch,
    ) -> Turn {
        let trace = match &mut self.stored.state {
            State::Heat { trace, .. } => Some(trace),
            _ => None,
        };
        let was_quiet = trace.as_ref().is_none_or(|trace| trace.is_empty());
        let (signal, seen) = heating.judge(frame, moment.at_ms, trace.map(|trace| &mut **trace), scratch);
        if heating.remembers() && !(was_quiet && seen.is_none()) {
            self.must_remember = true;
        }
        let ask = match &seen {
            Some(seen) => seen.snapshot(),
            None => SnapshotAsk::Heat { celsius: frame.celsius.clone(), regions: Vec::new() },
        };
        self.keep_frame(ask, seen.is_none().then_some(heating.shows().before), moment.at_ms);
        // A frame is large: beyond what it shows, it is kept only as one before the moment.
        match seen {
            Some(seen) => self.memo.set(Memo::Heat(Box::new(seen))),
            None if signal == Signal::Off => self.memo.set(Memo::Nothing),
            None => {}
        }
        self.latched(latch, signal, moment)
    }

    /// `quiet_max`: how many frames without anything hot are kept, where this is one.
    fn keep_frame(&mut self, ask: SnapshotAsk, quiet_max: Option<usize>, at_ms: i64) {
        let (source, is_open) = (self.source.clone(), self.stored.past().alert.is_some());
        let frames = &mut self.pictures_mut().frames;
        if let (Some(quiet_max), SnapshotAsk::Heat { celsius, .. }) = (quiet_max, &ask) {
            frames.before.push_back((at_ms, celsius.clone()));
            let surplus = frames.before.len().saturating_sub(quiet_max);
            frames.before.drain(..surplus);
        }
        if is_open && frames.n_awaited > 0 {
            frames.n_awaited -= 1;
            frames.shown = Some(Exhibit { role: Role::After, source, at_ms, ask: Some(ask) });
        }
    }

    /// The pictures until now, in order of time; those that follow are awaited.
    pub(in crate::pipeline) fn begin_showing(&mut self, shows: Shows) -> Vec<Exhibit> {
        let Memo::Heat(seen) = self.memo.get() else { return Vec::new() };
        let (source, at) = (self.source.clone(), seen.at_ms());
        let frames = &mut self.pictures_mut().frames;
        frames.n_awaited = shows.after;
        let exhibit = |role, at_ms, ask| Exhibit { role, source: source.clone(), at_ms, ask };
        // What waited for its turn may come before what was quiet: a moment has nothing after it yet.
        let before = frames.before.iter().filter(|(at_ms, _)| *at_ms < at).map(|(at_ms, celsius)| {
            let ask = SnapshotAsk::Heat { celsius: celsius.clone(), regions: Vec::new() };
            exhibit(Role::Before, *at_ms, Some(ask))
        });
        before.chain([exhibit(Role::At, at, None)]).collect()
    }
}
