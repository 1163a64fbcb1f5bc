//! One subject and all fences: from fixes to crossings. A fence is looked at only when the subject may have come near
//! its border since it was looked at last.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fix::Fix;
use super::motion::{Leg, Motion, MotionLimits};
use super::presence::{Change, Confirm, Presence, Reading};
use super::way::{Ruler, SURE_SHARE, Way, is_within};
use crate::fence::Fence;
use crate::point::Point;
use crate::set::FenceSet;

/// How subjects are followed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tracking {
    /// Which fixes are believed, and between which of them a way is known.
    pub limits: MotionLimits,
    /// Who is nearer to the fence than this has not left it, metres.
    pub exit_buffer_m: f64,
    /// What a change of side takes to be told; a passage between two fixes must last its `for_ms`.
    pub confirm: Confirm,
    /// Whether the radius of a fix counts: within it of the border, a fix says little.
    pub heeds_accuracy: bool,
    /// Whether passages between two fixes are told.
    pub infers: bool,
}

/// Fences, and how subjects are followed over them. Holds nothing of any subject.
#[derive(Debug)]
pub struct Tracker {
    fences: Arc<FenceSet>,
    tracking: Tracking,
}

/// All that is remembered of one subject. Serialised it is some 75 bytes, and 55 more for each fence it is in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    motion: Motion,
    /// Fences that it is in, or about to enter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    visits: Vec<Visit>,
    /// Only saves work: forgotten, it is found again.
    #[serde(skip)]
    free: Option<Free>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Visit {
    fence: Arc<str>,
    presence: Presence,
    /// Was inside when first looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    found: bool,
}

/// Around here no border and no end of an exit buffer is nearer than this.
#[derive(Debug, Clone, Copy)]
struct Free {
    around: Point,
    radius_m: f64,
}

/// A subject changed sides of a fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// Id of the fence.
    pub fence: Arc<str>,
    /// Where the subject is from `at_ms` on.
    pub to: Side,
    /// When it first showed, by the subject's clock; confirmation came later.
    pub at_ms: i64,
    /// How the crossing is known.
    pub cause: Cause,
}

/// Where a subject is, as seen from one fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// It came in and has not gone out since; within the exit buffer it still counts as inside.
    Inside,
    /// It has not come in, has gone out again, or the fence is no more.
    Outside,
}

/// How a crossing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Fixes showed it.
    Seen,
    /// No fix did, but the way between two fixes leads through.
    Inferred,
    /// It was inside when it was first looked at: its first fix, or the fence is new.
    Found,
    /// The fence is no more.
    Removed,
}

/// No farther is asked for where nothing is near.
const FREE_MAX_M: f64 = 2_000.0;

impl Tracker {
    /// For other fences, make another tracker and call its [`Tracker::refence`] for each subject.
    pub fn new(fences: Arc<FenceSet>, tracking: Tracking) -> Tracker {
        Tracker { fences, tracking }
    }

    /// The fences it was made with.
    pub fn fences(&self) -> &FenceSet {
        &self.fences
    }

    /// The crossings that a fix brings, in the order of their time. Late and doubled fixes bring none.
    pub fn step(&self, subject: &mut Subject, fix: Fix, crossings: &mut Vec<Crossing>) {
        let n_before = crossings.len();
        let is_first = subject.motion.last().is_none();
        for leg in subject.motion.admit(fix, &self.tracking.limits) {
            self.follow(subject, leg, is_first, crossings);
        }
        // Stable: what happens at one time stays in the order of the fences.
        crossings[n_before..].sort_by_key(|crossing| crossing.at_ms);
    }

    /// The crossings that time alone confirms: nothing was heard until `at_ms` by the subject's clock.
    pub fn elapse(&self, subject: &mut Subject, at_ms: i64, crossings: &mut Vec<Crossing>) {
        for visit in &mut subject.visits {
            let change = visit.presence.elapse(at_ms, &self.tracking.confirm);
            crossings.extend(change.map(|change| visit.crossing(change)));
        }
        subject.visits.retain(|visit| !visit.presence.is_away());
    }

    /// When [`Tracker::elapse`] has something to do if nothing is heard, by the subject's clock.
    pub fn due_ms(&self, subject: &Subject) -> Option<i64> {
        subject.visits.iter().filter_map(|visit| visit.presence.due_ms(&self.tracking.confirm)).min()
    }

    /// The fences are others than at the last fix: ends what was begun in those that are no more, and looks once whether
    /// the subject is in those that are new.
    pub fn refence(&self, subject: &mut Subject, crossings: &mut Vec<Crossing>) {
        subject.free = None;
        let Some(last) = subject.motion.last().copied() else { return };
        subject.visits.retain(|visit| {
            let stays = self.fences.get(&visit.fence).is_some();
            if !stays && visit.presence.inside_since_ms.is_some() {
                let (fence, at_ms) = (visit.fence.clone(), last.at_ms);
                crossings.push(Crossing { fence, to: Side::Outside, at_ms, cause: Cause::Removed });
            }
            stays
        });
        for fence in self.fences.containing(last.point) {
            if !subject.visits.iter().any(|visit| visit.fence == fence.id) {
                self.look(subject, fence, last, true, crossings);
            }
        }
    }

    fn follow(&self, subject: &mut Subject, leg: Leg, is_first: bool, crossings: &mut Vec<Crossing>) {
        let here = leg.to.point;
        if subject.free.is_some_and(|free| leg.from.is_some() && is_within(free.around, here, free.radius_m)) {
            return;
        }
        let way = leg.from.filter(|_| self.tracking.infers).map(|from| Way::new(from.point, here));
        // In a tiling no border is nearer than that of the fence around: most others need no exact look.
        let visited = subject.visits.iter().filter_map(|visit| self.fences.get(&visit.fence));
        let visited_m = visited.map(|fence| fence.distance_to_border_m(here));
        let mut border_m = visited_m.fold(FREE_MAX_M + self.tracking.exit_buffer_m, f64::min);
        let ruler = Ruler::new(here, border_m);
        for fence in self.fences.iter() {
            let bounds = fence.bounds();
            let is_visited = subject.visits.iter().any(|visit| visit.fence == fence.id);
            let may_pass = way.is_some_and(|way| way.comes_near(&bounds));
            if !is_visited && !may_pass && ruler.gap_m(&bounds) >= border_m {
                continue;
            }
            let fence_border_m = self.look(subject, fence, leg.to, is_first, crossings);
            border_m = border_m.min(fence_border_m);
            let was_near = is_visited || subject.visits.last().is_some_and(|visit| visit.fence == fence.id);
            if let (Some(way), Some(from), true, false) = (way, leg.from, may_pass, was_near)
                && fence_border_m * SURE_SHARE <= way.length_m
            {
                self.infer(fence, way, from, leg.to, crossings);
            }
        }
        let is_settled = subject.visits.iter().all(|visit| visit.presence.is_settled());
        let radius_m = border_m - self.tracking.exit_buffer_m;
        subject.free = (is_settled && radius_m > 0.0).then_some(Free { around: here, radius_m: radius_m * SURE_SHARE });
    }

    /// What the fix says of one fence. Returns the distance to its border.
    fn look(&self, subject: &mut Subject, fence: &Fence, fix: Fix, is_new: bool, crossings: &mut Vec<Crossing>) -> f64 {
        let border_m = fence.distance_to_border_m(fix.point);
        let reading = self.reading(fence.contains(fix.point), border_m, fix.radius_m());
        let index = subject.visits.iter().position(|visit| visit.fence == fence.id);
        let index = match (index, reading) {
            (Some(index), _) => index,
            (None, Reading::Inside { .. }) => {
                let presence = Presence::default();
                subject.visits.push(Visit { fence: fence.id.clone(), presence, found: is_new });
                subject.visits.len() - 1
            }
            (None, _) => return border_m,
        };
        let visit = &mut subject.visits[index];
        let change = visit.presence.observe(reading, fix.at_ms, &self.tracking.confirm);
        crossings.extend(change.map(|change| visit.crossing(change)));
        if visit.presence.is_away() {
            subject.visits.remove(index);
        }
        border_m
    }

    fn reading(&self, is_inside: bool, border_m: f64, radius_m: f64) -> Reading {
        let is_sure = !self.tracking.heeds_accuracy || border_m >= radius_m;
        match is_inside {
            true => Reading::Inside { is_sure },
            false if border_m > self.tracking.exit_buffer_m => Reading::Beyond { is_sure },
            false => Reading::Border,
        }
    }

    fn infer(&self, fence: &Fence, way: Way, from: Fix, to: Fix, crossings: &mut Vec<Crossing>) {
        let span_ms = to.at_ms.saturating_sub(from.at_ms);
        let at_ms = |share: f64| from.at_ms.saturating_add((span_ms as f64 * share).round() as i64);
        let radius_m = if self.tracking.heeds_accuracy { from.radius_m().max(to.radius_m()) } else { 0.0 };
        for passage in way.passages(fence) {
            let (enter_ms, leave_ms) = (at_ms(passage.enter), at_ms(passage.leave));
            if passage.depth_m < radius_m || leave_ms - enter_ms < self.tracking.confirm.for_ms {
                continue;
            }
            let crossing = |to, at_ms| Crossing { fence: fence.id.clone(), to, at_ms, cause: Cause::Inferred };
            crossings.extend([crossing(Side::Inside, enter_ms), crossing(Side::Outside, leave_ms)]);
        }
    }
}

impl Subject {
    /// The fences that it is settled in, since when, and whether it was found there.
    pub fn inside(&self) -> impl Iterator<Item = (&Arc<str>, i64, Cause)> {
        self.visits.iter().filter_map(|visit| {
            let cause = if visit.found { Cause::Found } else { Cause::Seen };
            Some((&visit.fence, visit.presence.inside_since_ms?, cause))
        })
    }

    /// Which side of a fence it is on; none while it has only just been found inside and that is not confirmed.
    pub fn side(&self, fence: &str) -> Option<Side> {
        let Some(visit) = self.visits.iter().find(|visit| &*visit.fence == fence) else { return Some(Side::Outside) };
        match visit.presence.inside_since_ms {
            Some(_) => Some(Side::Inside),
            None => (!visit.found).then_some(Side::Outside),
        }
    }

    /// In no fence, and about to enter none.
    pub fn is_away(&self) -> bool {
        self.visits.is_empty()
    }

    /// Time of the last fix that was believed or is suspect: none up to it is taken any more.
    pub fn heard_ms(&self) -> Option<i64> {
        self.motion.heard_ms()
    }

    /// The last fix that was believed.
    pub fn last(&self) -> Option<&Fix> {
        self.motion.last()
    }
}

impl Visit {
    fn crossing(&self, change: Change) -> Crossing {
        let (to, at_ms, cause) = match change {
            Change::CameIn { at_ms } if self.found => (Side::Inside, at_ms, Cause::Found),
            Change::CameIn { at_ms } => (Side::Inside, at_ms, Cause::Seen),
            Change::WentOut { at_ms } => (Side::Outside, at_ms, Cause::Seen),
        };
        Crossing { fence: self.fence.clone(), to, at_ms, cause }
    }
}
