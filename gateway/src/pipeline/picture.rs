//! What a rule asks of a camera's pictures, and what it remembers of the things in them. Pure.
//!
//! What is remembered of things is not kept over a restart: then they are followed anew under other ids. What a rule
//! counts is.

mod cameras;
mod memory;
mod words;

use std::sync::Arc;

use outpost_detectors::latch::{Latch, Signal};
use outpost_detectors::observation::{Blob, PictureFacts, SightFault, Track};
use outpost_fences::shape::Direction;
use outpost_fences::{Ground, PictureLine, PictureZone, Point};
use serde::{Deserialize, Serialize};

pub(super) use self::cameras::Cameras;
pub(crate) use self::cameras::ground;
pub(super) use self::memory::Memory;
use crate::config::{CrossDirection, Detect, Span, Things};

/// A thing may be outside its zone for this long without having left it: boxes flicker.
const GAP_MS: i64 = 1_000;

/// A fault of sight has to last for this long, and to be gone for as long, where the rule says nothing else.
const SIGHT_HOLD_MS: i64 = 10_000;

pub(super) struct PictureRule {
    pub(super) what: What,
    pub(super) zone: Option<Arc<str>>,
    pub(super) line: Option<Arc<str>>,
    things: Things,
}

/// One arm per way of looking at pictures.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Intrusion,
    Loitering { for_ms: i64 },
    Crowd { count: Option<usize>, share: Option<f32> },
    LineCrossing { direction: Option<Direction>, band: f32 },
    Counting { direction: Option<Direction>, n: u64, per_ms: i64, band: f32 },
    WrongWay { distance: f32 },
    ObjectLeft { for_ms: i64 },
    ObjectRemoved,
    Sight { fault: SightFault },
}

/// What there is of a camera that a rule looks at; a camera may lack the zone or line that a rule for many names.
#[derive(Debug, Clone, Default)]
pub(super) struct Framing {
    pub(super) zone: Option<Arc<PictureZone>>,
    pub(super) line: Option<Arc<PictureLine>>,
    pub(super) ground: Option<Arc<Ground>>,
    pub(super) absorb_ms: i64,
    /// An alert may have a better picture until then after it opened: as long as its clip goes on.
    pub(super) young_ms: i64,
}

/// How many crossed in the window of the clock at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CountingState {
    /// Windows since the epoch.
    pub(super) window: i64,
    pub(super) n: u64,
}

/// What a picture says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) signal: Signal,
    /// The things that it is about.
    pub(super) boxes: Vec<Blob>,
    pub(super) figure: Figured,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Figured {
    Nothing,
    /// Milliseconds that the thing has stayed.
    Stayed(i64),
    Count(u64),
    /// Share of the zone that is covered.
    Covered(f32),
    Crossed(Direction),
}

impl PictureRule {
    /// Of a kind that looks at pictures; none for the others.
    pub(super) fn new(detect: &Detect) -> Option<(PictureRule, Latch)> {
        let direction = |direction: &Option<CrossDirection>| {
            direction.map(|direction| match direction {
                CrossDirection::LeftToRight => Direction::LeftToRight,
                CrossDirection::RightToLeft => Direction::RightToLeft,
            })
        };
        let held = |hold: Span, clear_hold: Span| Latch { hold_ms: hold.ms(), clear_hold_ms: clear_hold.ms() };
        let at_once = Span::from_ms(0);
        let (what, latch) = match detect {
            Detect::Intrusion { dwell, clear_hold, .. } => (What::Intrusion, held(*dwell, *clear_hold)),
            Detect::Loitering { longer_than, clear_hold, .. } => {
                (What::Loitering { for_ms: longer_than.ms() }, held(at_once, *clear_hold))
            }
            Detect::Crowd { count, share, hold, clear_hold, .. } => {
                (What::Crowd { count: *count, share: *share }, held(*hold, *clear_hold))
            }
            Detect::LineCrossing { direction: way, band, clear_hold, .. } => {
                (What::LineCrossing { direction: direction(way), band: *band }, held(at_once, *clear_hold))
            }
            Detect::Counting { direction: way, n, per, band, .. } => {
                let what = What::Counting { direction: direction(way), n: *n, per_ms: per.ms(), band: *band };
                (what, held(at_once, at_once))
            }
            Detect::WrongWay { distance, clear_hold, .. } => {
                (What::WrongWay { distance: *distance }, held(at_once, *clear_hold))
            }
            Detect::ObjectLeft { longer_than, clear_hold, .. } => {
                (What::ObjectLeft { for_ms: longer_than.ms() }, held(at_once, *clear_hold))
            }
            Detect::ObjectRemoved { hold, clear_hold, .. } => (What::ObjectRemoved, held(*hold, *clear_hold)),
            Detect::Sight { fault, hold, clear_hold } => {
                (What::Sight { fault: *fault }, held(hold.unwrap_or_else(|| usual_hold(*fault)), *clear_hold))
            }
            _ => return None,
        };
        let things = detect.things().copied().unwrap_or_default();
        let (zone, line) = (detect.zone().map(Into::into), detect.line().map(|(_, line)| line.into()));
        Some((PictureRule { what, zone, line, things }, latch))
    }

    /// As a rule is that says nothing but the fault.
    pub(super) fn sight(fault: SightFault) -> (PictureRule, Latch) {
        let latch = Latch { hold_ms: usual_hold(fault).ms(), clear_hold_ms: SIGHT_HOLD_MS };
        (PictureRule { what: What::Sight { fault }, zone: None, line: None, things: Things::default() }, latch)
    }

    /// Whether what is remembered and open means the same to the other: limits may differ, not what is looked at.
    pub(super) fn continues(&self, other: &PictureRule) -> bool {
        let is_same = match (&self.what, &other.what) {
            (What::Sight { fault }, What::Sight { fault: other }) => fault == other,
            (What::Counting { per_ms, direction, .. }, What::Counting { per_ms: per, direction: way, .. }) => {
                per_ms == per && direction == way
            }
            (what, other) => std::mem::discriminant(what) == std::mem::discriminant(other),
        };
        is_same && self.zone == other.zone && self.line == other.line
    }

    /// Whether its condition is one of the picture as a whole.
    pub(super) fn is_about_sight(&self) -> bool {
        matches!(self.what, What::Sight { .. })
    }

    /// Whether it counts what crosses a line.
    pub(super) fn counts_crossings(&self) -> bool {
        matches!(self.what, What::Counting { .. })
    }

    /// Zone or line that belongs to the key of the rule's alerts.
    pub(super) fn fence(&self) -> Option<&Arc<str>> {
        self.zone.as_ref().or(self.line.as_ref())
    }

    /// What a picture says; none where it says nothing: the camera has no such zone, or its picture is just becoming
    /// another one.
    pub(super) fn judge(
        &self,
        framing: &Framing,
        memory: &mut Memory,
        counted: &mut CountingState,
        facts: &PictureFacts,
        at_ms: i64,
    ) -> Option<Finding> {
        if let What::Sight { fault } = self.what {
            return Some(Finding::of(facts.sight.faults.has(fault), Vec::new(), Figured::Nothing));
        }
        let lacks_zone = self.zone.is_some() && framing.zone.is_none();
        let lacks_line = self.line.is_some() && framing.line.is_none();
        if lacks_zone || lacks_line || facts.sight.is_unsettled {
            return None;
        }
        let look = Look { rule: self, framing, facts, at_ms };
        Some(match self.what {
            What::Intrusion => {
                let biggest = look.standing(&facts.blobs).max_by(|a, b| a.area.total_cmp(&b.area));
                Finding::of(biggest.is_some(), biggest.into_iter().collect(), Figured::Nothing)
            }
            What::Crowd { count, share } => look.crowd(count, share),
            What::ObjectRemoved => {
                let places: Vec<Blob> = look.standing(&facts.vacated).collect();
                Finding::of(!places.is_empty(), places, Figured::Nothing)
            }
            What::Loitering { for_ms } => memory.loitering(&look, for_ms),
            What::LineCrossing { direction, band } => memory.crossing(&look, direction, band),
            What::Counting { direction, n, per_ms, band } => {
                memory.counting(&look, counted, (direction, band), (n, per_ms))
            }
            What::WrongWay { distance } => memory.wrong_way(&look, distance),
            What::ObjectLeft { for_ms } => memory.left(&look, for_ms),
            What::Sight { .. } => return None,
        })
    }
}

/// A flash is told at once, where the rule says nothing else; the others must last.
fn usual_hold(fault: SightFault) -> Span {
    Span::from_ms(if fault == SightFault::SceneChange { 0 } else { SIGHT_HOLD_MS })
}

impl Finding {
    fn of(is_on: bool, boxes: Vec<Blob>, figure: Figured) -> Finding {
        Finding { signal: if is_on { Signal::On } else { Signal::Off }, boxes, figure }
    }
}

impl Framing {
    /// Where on the map a thing stands, and how sure that is in metres.
    pub(super) fn place(&self, blob: &Blob) -> Option<(Point, f64)> {
        let (x, y) = blob.bottom_centre();
        self.ground.as_ref()?.place([x, y])
    }

    /// How much of the picture the part of a box takes that is in the zone.
    pub(super) fn share_of(&self, blob: &Blob) -> f32 {
        let inside =
            self.zone.as_ref().map_or(1.0, |zone| zone.share_of([blob.left, blob.top, blob.right, blob.bottom]));
        inside * blob.width() * blob.height()
    }

    /// Width and height of a thing in metres.
    pub(super) fn size_m(&self, blob: &Blob, pixels: [u32; 2]) -> Option<[f64; 2]> {
        self.ground.as_ref()?.size_m([blob.left, blob.top, blob.right, blob.bottom], aspect(pixels))
    }
}

/// Width by height; 1 where the size is not known.
fn aspect([width, height]: [u32; 2]) -> f32 {
    if width == 0 || height == 0 { 1.0 } else { width as f32 / height as f32 }
}

/// One rule's look at one picture.
struct Look<'a> {
    rule: &'a PictureRule,
    framing: &'a Framing,
    facts: &'a PictureFacts,
    at_ms: i64,
}

impl Look<'_> {
    fn aspect(&self) -> f32 {
        aspect(self.facts.pixels)
    }

    /// Those of the blobs that count and are in the zone.
    fn standing(&self, blobs: &[Blob]) -> impl Iterator<Item = Blob> {
        blobs.iter().copied().filter(|blob| self.counts(blob) && self.is_in_zone(blob))
    }

    /// The things that are followed and large and small enough.
    fn tracks(&self) -> impl Iterator<Item = &Track> {
        self.facts.tracks.iter().filter(|track| self.counts(&track.blob))
    }

    fn counts(&self, blob: &Blob) -> bool {
        let Things { min_area, max_area, min_px, max_px, min_m, max_m, .. } = self.rule.things;
        let within = |size: [f64; 2], least: Option<[f64; 2]>, most: Option<[f64; 2]>| {
            least.is_none_or(|least| size[0] >= least[0] && size[1] >= least[1])
                && most.is_none_or(|most| size[0] <= most[0] && size[1] <= most[1])
        };
        let [width, height] = self.facts.pixels.map(f64::from);
        let px = [f64::from(blob.width()) * width, f64::from(blob.height()) * height];
        let as_px = |size: Option<[u32; 2]>| size.map(|size| size.map(f64::from));
        let asks_metres = min_m.is_some() || max_m.is_some();
        let size_m = asks_metres.then(|| self.framing.size_m(blob, self.facts.pixels));
        // What is not a number is in no range, and what stands in the sky has no size.
        (min_area..=max_area).contains(&blob.area)
            && within(px, as_px(min_px), as_px(max_px))
            && size_m.is_none_or(|size_m| size_m.is_some_and(|size_m| within(size_m, min_m, max_m)))
    }

    /// Anywhere, where the rule names no zone.
    fn is_in_zone(&self, blob: &Blob) -> bool {
        let Some(zone) = &self.framing.zone else { return true };
        match self.rule.things.overlap {
            Some(share) => zone.share_of([blob.left, blob.top, blob.right, blob.bottom]) >= share,
            // A tall thing in front of a zone covers it in the picture without standing in it.
            None => {
                let (x, y) = blob.bottom_centre();
                zone.contains(x, y)
            }
        }
    }

    fn crowd(&self, count: Option<usize>, share: Option<f32>) -> Finding {
        let Some(zone) = &self.framing.zone else { return Finding::of(false, Vec::new(), Figured::Nothing) };
        let boxes: Vec<Blob> = self.standing(&self.facts.blobs).collect();
        // What moves is spread evenly over its box.
        let covered = |blob: &Blob| zone.share_of([blob.left, blob.top, blob.right, blob.bottom]) * blob.area;
        let all = self.facts.blobs.iter().filter(|blob| self.counts(blob));
        let covered = (all.map(covered).sum::<f32>() / zone.area().max(f32::MIN_POSITIVE)).min(1.0);
        let is_many = count.is_some_and(|count| boxes.len() >= count);
        let is_full = share.is_some_and(|share| covered >= share);
        let figure = match is_many || share.is_none() {
            true => Figured::Count(boxes.len() as u64),
            false => Figured::Covered(covered),
        };
        Finding::of(is_many || is_full, boxes, figure)
    }
}

#[cfg(test)]
mod tests;
