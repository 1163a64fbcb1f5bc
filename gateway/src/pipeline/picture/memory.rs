//! What a rule remembers of the things before its camera, and what that says. Pure.

use std::collections::BTreeMap;

use outpost_detectors::observation::{Blob, Track};
use outpost_fences::picture::PassageState;
use outpost_fences::shape::Direction;

use super::{CountingState, Figured, Finding, GAP_MS, Look};

/// What was not seen for so long is forgotten: the tracker has given it up by then.
const FORGET_MS: i64 = 10_000;
/// Things remembered; beyond it those seen longest ago are forgotten. Four times what is followed at a time.
const THINGS_MAX: usize = 4 * outpost_detectors::tracker::TRACKS_MAX;
/// What travelled further, by its shorter side, came by itself and stands: it was not set down. Less than that is what a box
/// grows by as who set it down steps aside.
const TRAVELLED_MAX: f32 = 1.0;
/// Things that were left and belong to the background by now.
const LEFT_MAX: usize = 16;
/// Share of the time to belong to the background from which on a thing that is seen no more belongs to it: its parts do
/// not become so all at once.
const ABSORBED_SHARE: f32 = 0.75;
/// Of a place that something left, the share that shows that it was this.
const SAME_PLACE: f32 = 0.3;

#[derive(Debug, Default)]
pub(in crate::pipeline) struct Memory {
    things: BTreeMap<u64, Thing>,
    left: Vec<Left>,
}

#[derive(Debug, Default)]
struct Thing {
    seen_ms: i64,
    /// Since when it is in the zone, and when it last was.
    inside: Option<(i64, i64)>,
    passage: PassageState,
    /// The furthest that it came along the line.
    furthest: Option<f32>,
}

/// A thing that stands where it was left.
#[derive(Debug)]
struct Left {
    blob: Blob,
    still_ms: i64,
    seen_ms: i64,
}

impl Memory {
    /// Those that have been in the zone for so long.
    pub(super) fn loitering(&mut self, look: &Look, for_ms: i64) -> Finding {
        let (mut boxes, mut longest_ms) = (Vec::new(), 0);
        for track in look.tracks() {
            let thing = self.thing(track.id, look.at_ms);
            if look.is_in_zone(&track.blob) {
                let since_ms = thing.inside.map_or(look.at_ms, |(since_ms, _)| since_ms);
                thing.inside = Some((since_ms, look.at_ms));
            } else if thing.inside.is_some_and(|(_, last_ms)| look.at_ms.saturating_sub(last_ms) >= GAP_MS) {
                thing.inside = None;
            }
            let Some((since_ms, _)) = thing.inside else { continue };
            let stayed_ms = look.at_ms.saturating_sub(since_ms);
            if stayed_ms >= for_ms {
                boxes.push(track.blob);
                longest_ms = longest_ms.max(stayed_ms);
            }
        }
        self.forget(look.at_ms);
        Finding::of(!boxes.is_empty(), boxes, Figured::Stayed(longest_ms))
    }

    /// Those that crossed the line.
    pub(super) fn crossing(&mut self, look: &Look, direction: Option<Direction>, band: f32) -> Finding {
        let (mut boxes, mut figure) = (Vec::new(), Figured::Nothing);
        for (blob, way) in self.crossed(look, direction, band) {
            boxes.push(blob);
            figure = Figured::Crossed(way);
        }
        Finding::of(!boxes.is_empty(), boxes, figure)
    }

    /// How many crossed in this window of the clock; on from the one that makes it enough to the window's end.
    pub(super) fn counting(
        &mut self,
        look: &Look,
        counted: &mut CountingState,
        (direction, band): (Option<Direction>, f32),
        (n, per_ms): (u64, i64),
    ) -> Finding {
        let boxes: Vec<Blob> = self.crossed(look, direction, band).into_iter().map(|(blob, _)| blob).collect();
        let window = look.at_ms.div_euclid(per_ms.max(1));
        if window != counted.window {
            *counted = CountingState { window, n: 0 };
        }
        counted.n = counted.n.saturating_add(boxes.len() as u64);
        Finding::of(counted.n >= n, boxes, Figured::Count(counted.n))
    }

    /// Those that went so far back along the line.
    pub(super) fn wrong_way(&mut self, look: &Look, distance: f32) -> Finding {
        let mut boxes = Vec::new();
        let Some(line) = &look.framing.line else { return Finding::of(false, boxes, Figured::Nothing) };
        for track in look.tracks() {
            let thing = self.thing(track.id, look.at_ms);
            if !look.is_in_zone(&track.blob) {
                thing.furthest = None;
                continue;
            }
            let (x, y) = track.blob.bottom_centre();
            let along = line.along([x, y], look.aspect());
            let furthest = thing.furthest.map_or(along, |furthest| furthest.max(along));
            thing.furthest = Some(furthest);
            if furthest - along >= distance {
                boxes.push(track.blob);
            }
        }
        self.forget(look.at_ms);
        Finding::of(!boxes.is_empty(), boxes, Figured::Nothing)
    }

    /// Those that have looked the same in the zone for so long with nobody at them, and those that did until they belonged
    /// to the background and were not taken away since.
    pub(super) fn left(&mut self, look: &Look, for_ms: i64) -> Finding {
        let (mut boxes, mut longest_ms) = (Vec::new(), 0);
        // Whoever stands so still that he is seen in parts is at each of them.
        let is_attended = |blob: &Blob| look.facts.blobs.iter().any(|other| other != blob && is_beside(blob, other));
        let is_left =
            |track: &&Track| track.still_ms >= for_ms && track.travelled < TRAVELLED_MAX && !is_attended(&track.blob);
        let found = look.tracks().filter(is_left).filter(|track| look.is_in_zone(&track.blob));
        for track in found {
            let (blob, still_ms) = (track.blob, track.still_ms);
            self.left.retain(|left| share_of(&left.blob, &blob) < SAME_PLACE);
            self.left.push(Left { blob, still_ms, seen_ms: look.at_ms });
        }
        let absorbed_ms = (look.framing.absorb_ms as f32 * ABSORBED_SHARE) as i64;
        self.left.retain(|left| {
            let is_seen = left.seen_ms == look.at_ms;
            let is_taken = look.facts.vacated.iter().any(|place| share_of(&left.blob, place) >= SAME_PLACE);
            let is_hidden = look.facts.blobs.iter().any(|blob| share_of(&left.blob, blob) > 0.0);
            let is_recent = look.at_ms.saturating_sub(left.seen_ms) < GAP_MS;
            is_seen || !is_taken && (left.still_ms >= absorbed_ms || is_hidden || is_recent)
        });
        if self.left.len() > LEFT_MAX {
            self.left.remove(0);
        }
        for left in &self.left {
            boxes.push(left.blob);
            longest_ms = longest_ms.max(left.still_ms.saturating_add(look.at_ms.saturating_sub(left.seen_ms)));
        }
        Finding::of(!boxes.is_empty(), boxes, Figured::Stayed(longest_ms))
    }

    fn crossed(&mut self, look: &Look, direction: Option<Direction>, band: f32) -> Vec<(Blob, Direction)> {
        let mut crossed = Vec::new();
        let Some(line) = &look.framing.line else { return crossed };
        for track in look.tracks() {
            let thing = self.thing(track.id, look.at_ms);
            let (x, y) = track.blob.bottom_centre();
            let way = line.step(&mut thing.passage, [x, y], band, look.aspect());
            crossed
                .extend(way.filter(|way| direction.is_none_or(|wanted| wanted == *way)).map(|way| (track.blob, way)));
        }
        self.forget(look.at_ms);
        crossed
    }

    /// How much is remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.things.len() + self.left.len()
    }

    fn thing(&mut self, id: u64, at_ms: i64) -> &mut Thing {
        let thing = self.things.entry(id).or_default();
        thing.seen_ms = at_ms;
        thing
    }

    fn forget(&mut self, at_ms: i64) {
        self.things.retain(|_, thing| (0..FORGET_MS).contains(&at_ms.saturating_sub(thing.seen_ms)));
        while self.things.len() > THINGS_MAX {
            self.things.pop_first();
        }
    }
}

/// Whether a box is nearer to another than its own size.
fn is_beside(blob: &Blob, other: &Blob) -> bool {
    let (across, down) = (blob.width(), blob.height());
    let around = Blob {
        left: blob.left - across,
        top: blob.top - down,
        right: blob.right + across,
        bottom: blob.bottom + down,
        area: blob.area,
    };
    share_of(&around, other) > 0.0
}

/// Of two boxes: what both cover, as a share of the first.
fn share_of(a: &Blob, b: &Blob) -> f32 {
    let across = a.right.min(b.right) - a.left.max(b.left);
    let down = a.bottom.min(b.bottom) - a.top.max(b.top);
    if across > 0.0 && down > 0.0 { across * down / (a.width() * a.height()).max(f32::MIN_POSITIVE) } else { 0.0 }
}
