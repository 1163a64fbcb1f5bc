//! A slot whose rule looks at heat. Pure.

use outpost_detectors::hotspot::HotspotScratch;
use outpost_detectors::latch::{Latch, Moment, Signal, Turn};
use outpost_detectors::observation::ThermalFrame;

use super::{Memo, Slot, State};
use crate::pipeline::heat::Heating;

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
            self.n_unsaved = self.n_unsaved.saturating_add(1);
        }
        // A frame is large: it is not kept beyond what it shows.
        match seen {
            Some(seen) => self.memo.set(Memo::Heat(Box::new(seen))),
            None if signal == Signal::Off => self.memo.set(Memo::Nothing),
            None => {}
        }
        self.latched(latch, signal, moment)
    }
}
