//! Pictures for examples: as little as shows what the example says. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use outpost_detectors::observation::{Blob, Fact, PictureFacts, Sight, SightFault, Track};

use crate::config::Rule;

/// Size of the pictures.
const PIXELS: [u32; 2] = [1920, 1080];

/// Furthest that a thing moves between two pictures and counts as standing still, a share of the picture.
const STILL: f32 = 0.001;

/// What is followed before each camera: the first thing of a picture is the first of the one before, and so on; after a
/// picture with fewer things, they are others.
#[derive(Debug, Default)]
pub(super) struct Scene {
    followed: HashMap<Arc<str>, Vec<Followed>>,
    last_id: u64,
}

#[derive(Debug)]
struct Followed {
    track: Track,
    still_since_ms: i64,
}

impl Scene {
    /// Adds the tracks to a picture's facts.
    pub(super) fn follow(&mut self, source: &Arc<str>, fact: &mut Fact, at_ms: i64) {
        let Fact::Picture(facts) = fact else { return };
        let followed = self.followed.entry(source.clone()).or_default();
        followed.truncate(facts.blobs.len());
        for (number, &blob) in facts.blobs.iter().enumerate() {
            let Some(thing) = followed.get_mut(number) else {
                self.last_id += 1;
                let track = Track { id: self.last_id, blob, since_ms: at_ms, still_ms: 0, travelled: 0.0 };
                followed.push(Followed { track, still_since_ms: at_ms });
                continue;
            };
            let ((x, y), (was_x, was_y)) = (blob.bottom_centre(), thing.track.blob.bottom_centre());
            let moved = (x - was_x).hypot(y - was_y);
            if moved > STILL {
                thing.still_since_ms = at_ms;
                thing.track.travelled += moved / blob.width().min(blob.height());
            }
            thing.track.blob = blob;
            thing.track.still_ms = at_ms.saturating_sub(thing.still_since_ms);
        }
        facts.tracks = followed.iter().map(|thing| thing.track).collect();
    }
}

/// A picture with things that stand at these places.
pub(super) fn of_things(rule: &Rule, points: &[[f64; 2]], number: u64) -> PictureFacts {
    let blobs = points.iter().map(|at| thing(rule, *at)).collect();
    PictureFacts { picture: number, pixels: PIXELS, blobs, ..PictureFacts::default() }
}

pub(super) fn with_fault(fault: SightFault, number: u64) -> PictureFacts {
    let mut sight = Sight::default();
    sight.faults.set(fault, true);
    PictureFacts { picture: number, pixels: PIXELS, sight, ..PictureFacts::default() }
}

/// A picture from which something is gone that stood there.
pub(super) fn with_gone(rule: &Rule, at: [f64; 2], number: u64) -> PictureFacts {
    PictureFacts { picture: number, pixels: PIXELS, vacated: vec![thing(rule, at)], ..PictureFacts::default() }
}

/// Something that stands at a point of the picture: twice as large as the rule asks, or half as large as it allows.
fn thing(rule: &Rule, [x, y]: [f64; 2]) -> Blob {
    let things = rule.detect.things().copied().unwrap_or_default();
    let area = (things.min_area * 2.0).min(things.max_area).max(0.000_1);
    let (x, y, side) = (x as f32, y as f32, area.sqrt());
    Blob { left: x - side / 2.0, right: x + side / 2.0, top: y - side, bottom: y, area }
}
