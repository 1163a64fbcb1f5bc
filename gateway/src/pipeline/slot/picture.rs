//! A slot whose rule looks at pictures, or at the map through a camera. Pure.

use std::num::NonZeroI64;
use std::sync::Arc;

use outpost_detectors::latch::{Latch, LatchState, Moment, Signal, Turn};
use outpost_detectors::observation::{Blob, PictureFacts};
use outpost_fences::track::Fix;

use super::heated::Frames;
use super::shots::Shots;
use super::{Memo, Rest, Slot, State};
use crate::nouns::{Exhibit, SnapshotAsk};
use crate::pipeline::movement::{Movement, Sight, Sign, Trail};
use crate::pipeline::picture::{CountingState, Framing, Memory, PictureRule};
use crate::pipeline::rules::{INTRUSION_GAP_MS, Judge, Rule};

/// A thing that the camera no longer sees is gone after this.
const GONE_MS: i64 = 5_000;
/// Things that one rule follows on the map; beyond it those that came first are forgotten.
const FOLLOWED_MAX: usize = 4 * outpost_detectors::tracker::TRACKS_MAX;

/// What a slot remembers of pictures. Not kept over a restart.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    memory: Memory,
    followed: std::collections::BTreeMap<u64, Followed>,
    shots: Shots,
    /// Of a thermal camera.
    pub(super) frames: Frames,
}

/// A thing before the camera, as one rule follows it on the map.
#[derive(Debug)]
struct Followed {
    trail: Trail,
    latch: LatchState,
    seen_ms: i64,
}

impl Slot {
    /// What a picture says to a rule about pictures.
    pub(super) fn pictured(&mut self, rule: &PictureRule, latch: &Latch, facts: &PictureFacts, moment: Moment) -> Turn {
        let Some(framing) = self.framing() else { return Turn::Stay };
        let pictures = self.rest.get_or_insert_default().pictures.get_or_insert_default();
        let mut counted = CountingState::default();
        let count = match &mut self.stored.state {
            State::Counting { count, .. } => count,
            _ => &mut counted,
        };
        let n_before = count.n;
        let Some(finding) = rule.judge(&framing, &mut pictures.memory, count, facts, moment.at_ms) else {
            return Turn::Stay;
        };
        let has_counted = count.n > n_before;
        pictures.shots.settle(moment.at_ms);
        if finding.signal == Signal::On {
            let greatest = finding.boxes.iter().max_by(|a, b| a.area.total_cmp(&b.area)).copied();
            let size_m = greatest.and_then(|blob| framing.size_m(&blob, facts.pixels));
            let point = greatest.and_then(|blob| framing.place(&blob)).map(|(point, _)| point);
            let area = greatest.map(|blob| blob.area);
            self.memo.set(Memo::Picture { figured: finding.figure, area, size_m, point });
            self.keep_shot(facts, finding.boxes, moment.at_ms);
            self.stored.past_mut().seen_at_ms = NonZeroI64::new(moment.at_ms);
        } else if self.flickers(latch, moment.at_ms) {
            return Turn::Stay;
        }
        if has_counted || (finding.signal == Signal::On && self.is_holding()) {
            self.must_remember = true;
        }
        self.latched(latch, finding.signal, moment)
    }

    /// What a picture says to a rule about the map: each thing that is followed in it is one that moves there.
    pub(super) fn seen_on_map(&mut self, rule: &Rule, facts: &PictureFacts, moment: Moment) -> Turn {
        let Judge::Movement { movement, latch } = &rule.judge else { return Turn::Stay };
        let Some(framing) = self.framing().filter(|framing| framing.ground.is_some()) else { return Turn::Stay };
        if facts.sight.is_unsettled {
            return Turn::Stay;
        }
        let pictures = self.pictures_mut();
        let mut found: Option<(Blob, Sight, i64)> = None;
        for track in &facts.tracks {
            let Some((point, doubt_m)) = framing.place(&track.blob) else { continue };
            let Some(fix) = Fix::new(moment.at_ms, point, Some(doubt_m)) else { continue };
            let new = || Followed { trail: movement.trail(), latch: LatchState::default(), seen_ms: 0 };
            let followed = pictures.followed.entry(track.id).or_insert_with(new);
            followed.seen_ms = moment.at_ms;
            if let Some((sight, since_at_ms)) = followed.step(movement, latch, fix, moment) {
                found = Some((track.blob, sight, since_at_ms));
            }
        }
        pictures.followed.retain(|_, followed| {
            if followed.latch.is_raised() {
                // What is not seen may not be there: no hold ends by waiting, but what is told does.
                latch.elapse(&mut followed.latch, moment.now_ms);
            }
            let unseen_ms = moment.at_ms.saturating_sub(followed.seen_ms);
            // What it did stays told for as long as the rule says, though it is gone.
            let waits = latch.due_ms(&followed.latch).is_some();
            (0..GONE_MS).contains(&unseen_ms) || (waits && unseen_ms >= 0 && followed.latch.is_raised())
        });
        while pictures.followed.len() > FOLLOWED_MAX {
            pictures.followed.pop_first();
        }
        let is_on = pictures.followed.values().any(|followed| followed.latch.is_raised());
        let State::Movement { latch: state, .. } = &self.stored.state else { return Turn::Stay };
        let mut moment = moment;
        if let Some((blob, sight, since_at_ms)) = found {
            // Since when it has held, but for what the rule was told since.
            moment.at_ms = since_at_ms.clamp(state.since_at_ms.saturating_add(1).min(moment.at_ms), moment.at_ms);
            let point = framing.place(&blob).map(|(point, _)| point);
            if let Some(point) = point {
                self.memo.set(Memo::Moved { point, accuracy_m: None, sight });
            }
            self.keep_shot(facts, vec![blob], moment.at_ms);
        }
        let signal = if is_on { Signal::On } else { Signal::Off };
        match &mut self.stored.state {
            // Held and waited for by thing.
            State::Movement { latch, .. } => Latch::default().observe(latch, signal, moment),
            _ => Turn::Stay,
        }
    }

    /// The picture that shows why an alert opened.
    pub(in crate::pipeline) fn snapshot(&self, rule: &Rule) -> Option<SnapshotAsk> {
        match (&rule.judge, self.memo.get()) {
            (Judge::Dark(_), _) => Some(SnapshotAsk::Last),
            (Judge::Trouble { kind, .. }, _) => kind.is_of_camera().then_some(SnapshotAsk::Last),
            (_, Memo::Heat(seen)) => Some(seen.snapshot()),
            _ => {
                let rest = self.rest.as_ref()?;
                rest.pictures.as_ref()?.shots.ask(Slot::outlines(rest.framing.as_deref()))
            }
        }
    }

    /// Forgets what it saw.
    pub(super) fn forget_pictures(&mut self) {
        if let Some(rest) = &mut self.rest {
            rest.pictures = None;
        }
    }

    pub(super) fn pictures_mut(&mut self) -> &mut Pictures {
        self.rest.get_or_insert_default().pictures.get_or_insert_default()
    }

    fn framing(&self) -> Option<Arc<Framing>> {
        self.rest.as_ref()?.framing.clone()
    }

    /// Outlines to draw: those of the rule's zone and line.
    fn outlines(framing: Option<&Framing>) -> Vec<Vec<[f32; 2]>> {
        let line = framing.and_then(|framing| framing.line.as_ref());
        // There and back: an outline ends where it began.
        let line = line.map(|line| line.points().iter().chain(line.points().iter().rev()).copied().collect());
        let zone = framing.and_then(|framing| framing.zone.as_ref()).map(|zone| zone.points().to_vec());
        zone.into_iter().chain(line).collect()
    }

    fn keep_shot(&mut self, facts: &PictureFacts, boxes: Vec<Blob>, at_ms: i64) {
        let Some(framing) = self.framing() else { return };
        let has_begun = self.is_holding() || self.stored.state.is_raised();
        let shots = &mut self.pictures_mut().shots;
        if !has_begun {
            shots.begin();
        }
        let share = boxes.iter().map(|blob| framing.share_of(blob)).fold(0.0, f32::max);
        shots.keep(facts.picture, boxes, share, at_ms);
    }

    /// An alert opens: a picture that shows clearly more is awaited while it is young.
    pub(in crate::pipeline) fn begin_growing(&mut self) {
        let young_ms = self.framing().map_or(0, |framing| framing.young_ms);
        self.pictures_mut().shots.open(young_ms);
    }

    /// The picture that an open alert awaited, once it came.
    pub(in crate::pipeline) fn take_shown(&mut self) -> Option<Exhibit> {
        let Rest { pictures: Some(pictures), framing, .. } = self.rest.as_deref_mut()? else { return None };
        let frame = pictures.frames.take_shown();
        frame.or_else(|| pictures.shots.take_shown(&self.source, || Slot::outlines(framing.as_deref())))
    }

    /// Whether what the rule looks for was lost only a moment ago, while it holds. A single sight of it ends no hold.
    fn flickers(&self, latch: &Latch, now_at_ms: i64) -> bool {
        let gap_ms = INTRUSION_GAP_MS.min(latch.hold_ms / 2);
        let seen_at_ms = self.stored.past().seen_at_ms.filter(|_| self.is_holding());
        seen_at_ms.is_some_and(|at_ms| now_at_ms.saturating_sub(at_ms.get()) < gap_ms)
    }
}

impl Followed {
    /// The sight with which the rule's condition began to hold, and since when.
    fn step(&mut self, movement: &Movement, latch: &Latch, fix: Fix, moment: Moment) -> Option<(Sight, i64)> {
        let mut signs = std::collections::VecDeque::new();
        movement.elapse_until(&mut self.trail, moment.at_ms, &mut signs);
        movement.judge(&mut self.trail, fix, moment.now_ms, &mut signs);
        let (mut raised, mut last) = (None, Sight::Plain);
        for Sign { signal, at_ms, sight } in signs {
            if signal == Signal::On {
                last = sight;
            }
            if let Turn::Raise { since_at_ms } =
                latch.observe(&mut self.latch, signal, Moment { at_ms, now_ms: moment.now_ms })
            {
                raised = Some((last, since_at_ms));
            }
        }
        if let Turn::Raise { since_at_ms } = latch.elapse(&mut self.latch, moment.now_ms) {
            raised = Some((last, since_at_ms));
        }
        raised
    }
}
