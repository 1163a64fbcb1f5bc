//! What the last observation showed a slot. Pure.

use std::sync::Arc;

use outpost_detectors::observation::{LinkReason, LinkState};
use outpost_fences::Point;

use crate::nouns::Why;
use crate::pipeline::heat::Seen;
use crate::pipeline::movement::Sight;
use crate::pipeline::picture::Figured;
use crate::pipeline::reading::Finding;
use crate::pipeline::watch::along::Course;

/// What the last observation showed: the reason, should the alert open now.
#[derive(Debug, Clone, Default)]
pub(super) enum Memo {
    #[default]
    Nothing,
    Value {
        value: f64,
        unit: Option<Arc<str>>,
        finding: Finding,
    },
    Moved {
        point: Point,
        accuracy_m: Option<f64>,
        sight: Sight,
    },
    Met {
        point: Option<Point>,
        other: Arc<str>,
        distance_m: f64,
    },
    OffDuty,
    Heat(Box<Seen>),
    /// The figure is of what a camera saw, the rest of the greatest thing.
    Picture {
        figured: Figured,
        area: Option<f32>,
        size_m: Option<[f64; 2]>,
        point: Option<Point>,
    },
    Link {
        state: LinkState,
        reason: Option<LinkReason>,
    },
    Together {
        names: String,
        point: Option<Point>,
        course: Option<Course>,
    },
    Trouble(Why),
}

/// The memo of a slot, out of line: most of a hundred thousand quiet ones have none.
#[derive(Debug, Default)]
pub(super) struct Noted(Option<Box<Memo>>);

impl Noted {
    pub(super) fn get(&self) -> &Memo {
        static NOTHING: Memo = Memo::Nothing;
        self.0.as_deref().unwrap_or(&NOTHING)
    }

    /// It is there now; what it did there may follow.
    pub(super) fn moved_to(&mut self, point: Point, accuracy_m: Option<f64>) {
        let sight = if let Memo::Moved { sight, .. } = *self.get() { sight } else { Sight::Plain };
        self.set(Memo::Moved { point, accuracy_m, sight });
    }

    pub(super) fn set(&mut self, memo: Memo) {
        match &mut self.0 {
            Some(noted) => **noted = memo,
            None => self.0 = Some(Box::new(memo)),
        }
    }
}
