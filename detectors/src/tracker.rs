//! Follows moving things from picture to picture: which blob is which. Knows nothing of pixels, zones or rules.
//!
//! Each known thing is expected where its velocity takes it; blobs go to the nearest of those, best pair first (after
//! Bewley et al., "Simple online and realtime tracking", 2016, without its Kalman filter: at a hundred things' worth of
//! pairs, and boxes that are as sure as a background difference makes them, neither that nor the Hungarian method is
//! told apart from this by its tracks).
//!
//! Where two things become one blob, one of them takes it and the other is lost after [`LOST_MS`]; a restart, or a
//! picture of another size, begins anew with ids that were not given before.

use crate::observation::{Blob, Track};

/// Things followed at a time: as many as there are blobs.
pub const TRACKS_MAX: usize = crate::blob::BLOBS_MAX;
/// A thing that was not seen for this long, and in two pictures, is lost: key frames are 2 to 4 s apart.
pub const LOST_MS: i64 = 2_500;
/// Pictures that may miss a thing in any case.
const MISSED_MIN: u32 = 2;
/// Seen so often, a thing is one: a flicker is not.
const SEEN_MIN: u32 = 2;
/// Share of the newest step in the velocity.
const VELOCITY_SHARE: f32 = 0.4;
/// A velocity is not carried on for longer: what is hidden behind a tree for longer may have stopped there.
const CARRY_MS_MAX: i64 = 1_500;
/// What nothing is known of yet may come from as far away as this in a second, in shares of the picture: across a gate
/// camera's picture in two.
const SPEED_MAX: f32 = 0.5;
/// The longest reach that an unknown speed has.
const REACH_MAX: f32 = 0.25;
/// What a factor of e in area is worth, in distances of one reach.
const SIZE_WEIGHT: f32 = 0.25;

/// What is known of the things before a camera.
#[derive(Debug, Default)]
pub struct Tracker {
    known: Vec<Known>,
    last_id: u64,
    last_at_ms: Option<i64>,
    pairs: Vec<Pair>,
    tracks: Vec<Track>,
}

#[derive(Debug)]
struct Known {
    id: u64,
    blob: Blob,
    /// Of the centre, shares of the picture a second.
    velocity: [f32; 2],
    first_ms: i64,
    first: (f32, f32),
    travelled: f32,
    seen_ms: i64,
    n_seen: u32,
    n_missed: u32,
    is_matched: bool,
}

/// A thing and a blob that may be it. Lower costs are better.
#[derive(Debug, Clone, Copy)]
struct Pair {
    cost: f32,
    known: usize,
    blob: usize,
}

impl Tracker {
    /// Goes on numbering where another tracker of the camera stopped.
    pub fn after(last_id: u64) -> Tracker {
        Tracker { last_id, ..Tracker::default() }
    }

    /// The last id that was given.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// The things that are seen in this picture, in the order of their ids. Pictures that do not come after the last
    /// one, and blobs of no numbers, are passed over.
    pub fn follow(&mut self, blobs: &[Blob], at_ms: i64) -> &mut [Track] {
        self.tracks.clear();
        if self.last_at_ms.is_some_and(|last_ms| at_ms <= last_ms) {
            // A clock that was set back: what was seen is that much older than it seems.
            if self.last_at_ms.is_some_and(|last_ms| last_ms.saturating_sub(at_ms) > LOST_MS) {
                self.known.clear();
                self.last_at_ms = None;
            } else {
                return &mut self.tracks;
            }
        }
        self.last_at_ms = Some(at_ms);
        let blobs = &blobs[..blobs.len().min(TRACKS_MAX)];
        self.pair(blobs, at_ms);
        let mut is_taken = [false; TRACKS_MAX];
        for &Pair { known, blob, .. } in &self.pairs {
            let thing = &mut self.known[known];
            if !thing.is_matched && !is_taken[blob] {
                is_taken[blob] = true;
                thing.seen(blobs[blob], at_ms);
            }
        }
        self.known.retain_mut(|thing| {
            thing.n_missed = if thing.is_matched { 0 } else { thing.n_missed.saturating_add(1) };
            let is_gone = thing.n_missed >= MISSED_MIN && at_ms.saturating_sub(thing.seen_ms) > LOST_MS;
            // What was seen once is a flicker unless it is seen again at once.
            !is_gone && (thing.n_seen >= SEEN_MIN || thing.n_missed < MISSED_MIN)
        });
        for (blob, _) in blobs.iter().zip(is_taken).filter(|(blob, is_taken)| !is_taken && is_box(blob)) {
            if self.known.len() >= TRACKS_MAX {
                break;
            }
            self.last_id += 1;
            self.known.push(Known::new(self.last_id, *blob, at_ms));
        }
        let seen = self.known.iter().filter(|thing| thing.n_seen >= SEEN_MIN && thing.seen_ms == at_ms);
        self.tracks.extend(seen.map(|thing| Track {
            id: thing.id,
            blob: thing.blob,
            since_ms: thing.first_ms,
            still_ms: 0,
            travelled: thing.travelled,
        }));
        &mut self.tracks
    }

    /// The pairs that can be, best first.
    fn pair(&mut self, blobs: &[Blob], at_ms: i64) {
        self.pairs.clear();
        for (known, thing) in self.known.iter_mut().enumerate() {
            thing.is_matched = false;
            let expected = thing.expected(at_ms);
            let reach = thing.reach(at_ms);
            for (number, blob) in blobs.iter().enumerate() {
                if let Some(cost) = cost(&expected, blob, reach) {
                    self.pairs.push(Pair { cost, known, blob: number });
                }
            }
        }
        // Among equals the one that has been known for longer.
        self.pairs.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(a.known.cmp(&b.known)));
    }
}

impl Known {
    fn new(id: u64, blob: Blob, at_ms: i64) -> Known {
        Known {
            id,
            blob,
            velocity: [0.0; 2],
            first_ms: at_ms,
            first: blob.centre(),
            travelled: 0.0,
            seen_ms: at_ms,
            n_seen: 1,
            n_missed: 0,
            is_matched: true,
        }
    }

    fn expected(&self, at_ms: i64) -> Blob {
        let seconds = at_ms.saturating_sub(self.seen_ms).clamp(0, CARRY_MS_MAX) as f32 / 1000.0;
        let (dx, dy) = (self.velocity[0] * seconds, self.velocity[1] * seconds);
        let Blob { left, top, right, bottom, area } = self.blob;
        Blob { left: left + dx, top: top + dy, right: right + dx, bottom: bottom + dy, area }
    }

    /// How far from where it is expected it may be, beside its own size.
    fn reach(&self, at_ms: i64) -> f32 {
        let seconds = at_ms.saturating_sub(self.seen_ms).max(0) as f32 / 1000.0;
        let speed = if self.n_seen < SEEN_MIN { SPEED_MAX } else { SPEED_MAX / 4.0 };
        (speed * seconds).min(REACH_MAX)
    }

    fn seen(&mut self, blob: Blob, at_ms: i64) {
        let seconds = at_ms.saturating_sub(self.seen_ms).max(1) as f32 / 1000.0;
        let ((x, y), (was_x, was_y)) = (blob.centre(), self.blob.centre());
        let share = if self.n_seen < SEEN_MIN { 1.0 } else { VELOCITY_SHARE };
        for (velocity, step) in self.velocity.iter_mut().zip([x - was_x, y - was_y]) {
            *velocity += share * (step / seconds - *velocity);
        }
        let away = (x - self.first.0).hypot(y - self.first.1);
        self.travelled = self.travelled.max(away / blob.width().min(blob.height()).max(f32::MIN_POSITIVE));
        (self.blob, self.seen_ms, self.is_matched) = (blob, at_ms, true);
        self.n_seen = self.n_seen.saturating_add(1);
    }
}

/// Distance of the centres in reaches, less the overlap, and what the sizes differ by. None where it is too far.
fn cost(expected: &Blob, blob: &Blob, reach: f32) -> Option<f32> {
    let ((x, y), (to_x, to_y)) = (expected.centre(), blob.centre());
    let distance = (x - to_x).hypot(y - to_y) / (reach + size(expected).max(size(blob)) / 2.0).max(f32::MIN_POSITIVE);
    let overlap = overlap(expected, blob);
    // What is not a number compares false, and is no pair.
    if !(distance < 1.0 || overlap > 0.0) {
        return None;
    }
    let sizes = (expected.area / blob.area).ln().abs();
    let cost = distance - overlap + SIZE_WEIGHT * sizes;
    cost.is_finite().then_some(cost)
}

/// Mean of width and height.
fn size(blob: &Blob) -> f32 {
    (blob.width() + blob.height()) / 2.0
}

/// Of two boxes: what both cover, as a share of what either does.
fn overlap(a: &Blob, b: &Blob) -> f32 {
    let across = a.right.min(b.right) - a.left.max(b.left);
    let down = a.bottom.min(b.bottom) - a.top.max(b.top);
    if across <= 0.0 || down <= 0.0 {
        return 0.0;
    }
    let both = across * down;
    both / (a.width() * a.height() + b.width() * b.height() - both)
}

fn is_box(blob: &Blob) -> bool {
    let sides = [blob.left, blob.top, blob.right, blob.bottom];
    sides.iter().all(|side| side.is_finite()) && blob.area > 0.0 && blob.left <= blob.right && blob.top <= blob.bottom
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A person whose feet are there.
    fn person(x: f32, y: f32) -> Blob {
        Blob { left: x - 0.025, top: y - 0.2, right: x + 0.025, bottom: y, area: 0.006 }
    }

    fn ids(tracks: &[Track]) -> Vec<u64> {
        tracks.iter().map(|track| track.id).collect()
    }

    #[test]
    fn two_who_cross_each_other_keep_their_ids() {
        let mut tracker = Tracker::default();
        for step in 0..40 {
            let share = step as f32 / 40.0;
            let (right_going, left_going) = (person(0.1 + 0.8 * share, 0.6), person(0.9 - 0.8 * share, 0.68));
            let tracks = tracker.follow(&[left_going, right_going], i64::from(step) * 100);
            if step > 0 {
                assert_eq!(ids(tracks), [1, 2], "step {step}");
                assert_eq!(tracks[1].blob, right_going, "step {step}");
            }
        }
    }

    #[test]
    fn a_walker_behind_a_tree_is_the_same_who_comes_out() {
        let mut tracker = Tracker::default();
        for step in 0..40 {
            let blobs = if (15..24).contains(&step) { vec![] } else { vec![person(0.1 + 0.02 * step as f32, 0.6)] };
            let tracks = tracker.follow(&blobs, step * 100);
            if step > 0 {
                assert_eq!(ids(tracks), vec![1; blobs.len()], "step {step}");
            }
        }
    }

    #[test]
    fn a_stranger_after_a_while_is_another() {
        let mut tracker = Tracker::default();
        for at_ms in [0, 100, 200] {
            tracker.follow(&[person(0.5, 0.6)], at_ms);
        }
        for at_ms in [3_000, 6_000, 9_000] {
            assert!(tracker.follow(&[], at_ms).is_empty());
        }
        tracker.follow(&[person(0.5, 0.6)], 9_100);
        let tracks = tracker.follow(&[person(0.5, 0.6)], 9_200);
        assert_eq!((tracks[0].id, tracks[0].since_ms), (2, 9_100));
    }

    #[test]
    fn a_bag_that_is_set_down_is_another_and_its_owner_stays_who_he_was() {
        let mut tracker = Tracker::default();
        let bag = Blob { left: 0.5, top: 0.57, right: 0.53, bottom: 0.6, area: 0.0008 };
        let mut last = Vec::new();
        for step in 0..40 {
            let walker = person(0.3 + 0.01 * step as f32, 0.6);
            let blobs = if step > 26 { vec![walker, bag] } else { vec![walker] };
            last = tracker.follow(&blobs, step * 100).to_vec();
        }
        assert_eq!(ids(&last), [1, 2]);
        assert_eq!((last[1].blob, last[1].travelled), (bag, 0.0));
        assert!(last[0].travelled > 2.0, "{:?}", last[0]);
    }

    #[test]
    fn one_who_stands_is_followed_by_key_frames_alone() {
        let mut tracker = Tracker::default();
        for at_s in 0..20 {
            let tracks = tracker.follow(&[person(0.4, 0.7)], at_s * 4_000);
            assert!(at_s == 0 || ids(tracks) == [1], "after {at_s} key frames");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_ends_tracks_and_nothing_else() {
        let mut tracker = Tracker::default();
        for at_ms in [900_000, 900_100, 900_200] {
            tracker.follow(&[person(0.5, 0.6)], at_ms);
        }
        tracker.follow(&[person(0.5, 0.6)], 100);
        assert_eq!(ids(tracker.follow(&[person(0.5, 0.6)], 200)), [2]);
    }

    proptest! {
        #[test]
        fn any_blobs_at_any_times_are_bounded_and_never_panic(
            pictures in prop::collection::vec(
                (prop_oneof![any::<i64>(), 0_i64..10_000], prop::collection::vec(any::<[f32; 5]>(), 0..80)), 1..12),
        ) {
            let (mut tracker, mut last_id) = (Tracker::default(), 0);
            for (at_ms, blobs) in pictures {
                let blobs: Vec<Blob> = blobs
                    .into_iter()
                    .map(|[left, top, right, bottom, area]| Blob { left, top, right, bottom, area })
                    .collect();
                let tracks = tracker.follow(&blobs, at_ms);
                prop_assert!(tracks.len() <= TRACKS_MAX.min(blobs.len()));
                prop_assert!(tracks.is_sorted_by(|a, b| a.id < b.id));
                for track in tracks.iter() {
                    prop_assert!(blobs.contains(&track.blob) && track.since_ms <= at_ms);
                }
                prop_assert!(tracker.last_id() >= last_id);
                last_id = tracker.last_id();
            }
        }

        #[test]
        fn ids_do_not_change_under_jitter(
            places in prop::collection::vec((0_u8..8, 0_u8..3, -0.02..0.02_f32, -0.01..0.01_f32), 1..12),
            noise in prop::collection::vec((-0.006..0.006_f32, -0.006..0.006_f32, 0.8..1.25_f32), 12 * 30),
            step_ms in 40_i64..400,
        ) {
            // Things of a grid, each with its own slow way.
            let mut places = places;
            places.sort_by_key(|place| (place.0, place.1));
            places.dedup_by_key(|place| (place.0, place.1));
            let mut tracker = Tracker::default();
            for step in 0..30 {
                let blobs: Vec<Blob> = places.iter().enumerate().map(|(number, (column, row, vx, vy))| {
                    let (dx, dy, size) = noise[step * 12 + number];
                    let seconds = (step as i64 * step_ms) as f32 / 1000.0;
                    let x = 0.06 + 0.12 * f32::from(*column) + dx + vx * seconds / 12.0;
                    let mut blob = person(x, 0.3 + 0.3 * f32::from(*row) + dy + vy * seconds / 12.0);
                    blob.area *= size;
                    blob
                }).collect();
                let tracks = tracker.follow(&blobs, step as i64 * step_ms);
                if step > 0 {
                    let expected: Vec<u64> = (1..=places.len() as u64).collect();
                    prop_assert_eq!(ids(tracks), expected);
                    for (track, blob) in tracks.iter().zip(&blobs) {
                        prop_assert_eq!(&track.blob, blob);
                    }
                }
            }
        }
    }
}
