//! Which cameras send, and yet not as they should: streams that stop again and again, key frames far apart, clocks that are not
//! ours. Knows nothing of rules: how long it has to last is theirs. Pure.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use outpost_detectors::observation::LinkState;

use super::Counts;
use super::feed::KEY_GAP_MS_MAX;
use crate::nouns::{Figure, Trouble, TroubleKind, Why};

/// So many stalls within [`STALLS_WITHIN_MS`] are an ailment; one is a camera that was restarted, or a switch. It is over when
/// none came for as long.
const STALLS_MIN: usize = 3;
const STALLS_WITHIN_MS: i64 = 600_000;

/// A clock is compared with ours over this: what a frame may be late on its way is little beside it.
const DRIFT_OVER_MS: i64 = 600_000;
/// A session's first frames may be of before it began.
const SETTLED_AFTER_MS: i64 = 120_000;
/// Three minutes a day: quartz is a hundred times better, so that it is the rate of frames that is declared wrongly.
const DRIFT_SHARE_MIN: f64 = 0.002;

/// What is known of each camera since the start.
#[derive(Debug, Default)]
pub(super) struct Ailing(HashMap<Arc<str>, Patient>);

#[derive(Debug)]
struct Patient {
    /// Of these what was told last; nothing where it is not known yet, so that a restart clears no alert too soon.
    told: [Option<bool>; KINDS.len()],
    since_ms: i64,
    n_stalls: u64,
    /// The last few stalls.
    stalled_ms: VecDeque<i64>,
    clock: Option<Reading>,
    /// Share by which it runs too fast, once it is known.
    drift: Option<f64>,
}

/// A camera's clock against ours at one time of a session.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// Sessions that ended before this one.
    session: u64,
    at_ms: i64,
    drift_ms: i64,
}

const KINDS: [TroubleKind; 3] = [TroubleKind::Stalls, TroubleKind::SparseKeyFrames, TroubleKind::ClockDrift];

impl Ailing {
    /// What began or was over since the last look.
    pub(super) fn look(&mut self, counts: &[Counts], at_ms: i64) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        if self.0.len() > counts.len() {
            self.0.retain(|source, _| counts.iter().any(|counts| counts.source == *source));
        }
        for counts in counts {
            let patient = self.0.entry(counts.source.clone()).or_insert_with(|| Patient::new(counts, at_ms));
            let findings = [patient.stalls(counts, at_ms), key_frames(counts), patient.clock(counts, at_ms)];
            for ((kind, told), finding) in KINDS.into_iter().zip(&mut patient.told).zip(findings) {
                let Some((is_on, why)) = finding else { continue };
                if told.replace(is_on) != Some(is_on) {
                    troubles.push(Trouble { kind, source: counts.source.clone(), is_on, why, at_ms });
                }
            }
        }
        troubles
    }
}

/// Whether it is on, and why; none where that is not known.
type Finding = Option<(bool, Why)>;

impl Patient {
    fn new(counts: &Counts, at_ms: i64) -> Patient {
        Patient {
            told: [None; KINDS.len()],
            since_ms: at_ms,
            n_stalls: counts.stalls,
            stalled_ms: VecDeque::new(),
            clock: None,
            drift: None,
        }
    }

    fn stalls(&mut self, counts: &Counts, at_ms: i64) -> Finding {
        let n_new = usize::try_from(counts.stalls.saturating_sub(self.n_stalls)).unwrap_or(STALLS_MIN);
        self.n_stalls = counts.stalls;
        self.stalled_ms.extend(std::iter::repeat_n(at_ms, n_new.min(STALLS_MIN)));
        while self.stalled_ms.len() > STALLS_MIN {
            self.stalled_ms.pop_front();
        }
        let is_recent =
            |stalled_ms: Option<&i64>| stalled_ms.is_some_and(|stalled_ms| at_ms - stalled_ms < STALLS_WITHIN_MS);
        let within_s = STALLS_WITHIN_MS / 1000;
        if self.stalled_ms.len() == STALLS_MIN && is_recent(self.stalled_ms.front()) {
            let text = format!("the stream stopped {STALLS_MIN} times within {within_s} s and came again");
            return Some((true, Why { text, figures: vec![figure("stalls", counts.stalls as f64, None)] }));
        }
        // Nothing is over before it was watched for as long.
        if is_recent(self.stalled_ms.back()) || at_ms.saturating_sub(self.since_ms) < STALLS_WITHIN_MS {
            return None;
        }
        Some((false, said(format!("the stream did not stop for {within_s} s"))))
    }

    fn clock(&mut self, counts: &Counts, at_ms: i64) -> Finding {
        let Some(drift_ms) = counts.drift_ms.filter(|_| counts.state == LinkState::Live) else {
            (self.clock, self.drift) = (None, None);
            return None;
        };
        let now = Reading { session: counts.reconnects, at_ms, drift_ms };
        match self.clock {
            Some(then) if then.session == now.session => {
                let over_ms = at_ms.saturating_sub(then.at_ms);
                if over_ms >= DRIFT_OVER_MS {
                    self.drift = Some(now.drift_ms.saturating_sub(then.drift_ms) as f64 / over_ms as f64);
                    self.clock = Some(now);
                }
            }
            // Before it has settled, the reading is one of the future.
            _ => (self.clock, self.drift) = (Some(Reading { at_ms: at_ms + SETTLED_AFTER_MS, ..now }), None),
        }
        if let Some(then) = &mut self.clock
            && then.at_ms >= at_ms
        {
            then.drift_ms = now.drift_ms;
        }
        let drift = self.drift?;
        let percent = 100.0 * drift;
        let text = match drift.abs() >= DRIFT_SHARE_MIN {
            true => format!(
                "the camera's clock runs {:.1} % {} than ours",
                percent.abs(),
                if drift > 0.0 { "faster" } else { "slower" }
            ),
            false => "the camera's clock keeps time".to_owned(),
        };
        Some((drift.abs() >= DRIFT_SHARE_MIN, Why { text, figures: vec![figure("drift", percent, Some("%"))] }))
    }
}

/// How far apart they are: known by two of them, or by one that is long ago.
fn key_frames(counts: &Counts) -> Finding {
    if counts.state != LinkState::Live || counts.last_key_ms == 0 {
        return None;
    }
    let waits_ms = counts.last_frame_ms.saturating_sub(counts.last_key_ms);
    if counts.key_interval_ms == 0 && waits_ms <= KEY_GAP_MS_MAX {
        return None;
    }
    let apart_ms = counts.key_interval_ms.max(waits_ms);
    let apart_s = apart_ms as f64 / 1000.0;
    let text = match apart_ms > KEY_GAP_MS_MAX {
        true => format!("key frames are {apart_s:.1} s apart: all frames are decoded, and clips begin late"),
        false => format!("key frames are {apart_s:.1} s apart"),
    };
    Some((apart_ms > KEY_GAP_MS_MAX, Why { text, figures: vec![figure("key_frames_apart", apart_s, Some("s"))] }))
}

fn said(text: String) -> Why {
    Why { text, figures: Vec::new() }
}

fn figure(name: &'static str, value: f64, unit: Option<&str>) -> Figure {
    Figure { name: name.into(), value, unit: unit.map(Into::into) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::counters::Counters;

    /// Seconds, what, and whether it is on.
    type Told = (i64, TroubleKind, bool);

    fn of(kind: TroubleKind, told: &[Told]) -> Vec<(i64, bool)> {
        told.iter().filter(|told| told.1 == kind).map(|told| (told.0, told.2)).collect()
    }

    /// A camera that is looked at every ten seconds.
    struct Ward {
        ailing: Ailing,
        counts: Counts,
        at_ms: i64,
    }

    impl Ward {
        fn new() -> Ward {
            let counts = Counts { state: LinkState::Live, ..Counters::default().counts(&Arc::from("cam:a")) };
            Ward { ailing: Ailing::default(), counts, at_ms: 1_000_000 }
        }

        /// Looks for so many seconds, each time after `change`; what was told, with the second.
        fn look(&mut self, seconds: i64, mut change: impl FnMut(&mut Counts, i64)) -> Vec<Told> {
            let (mut told, from_ms) = (Vec::new(), self.at_ms);
            while self.at_ms < from_ms + seconds * 1000 {
                self.at_ms += 10_000;
                self.counts.last_frame_ms = self.at_ms;
                change(&mut self.counts, self.at_ms);
                let troubles = self.ailing.look(std::slice::from_ref(&self.counts), self.at_ms);
                told.extend(
                    troubles.into_iter().map(|trouble| ((self.at_ms - from_ms) / 1000, trouble.kind, trouble.is_on)),
                );
            }
            told
        }
    }

    #[test]
    fn one_stall_is_none_and_three_within_ten_minutes_are_until_none_came_for_as_long() {
        let mut ward = Ward::new();
        assert_eq!(ward.look(100, |counts, _| counts.stalls = 1), [], "what was before the first look is not known");
        ward.look(10, |counts, _| counts.stalls += 1);
        assert_eq!(ward.look(600, |_, _| {}), [(600, TroubleKind::Stalls, false)]);
        // One every three minutes, and the last ten minutes of it.
        let told = ward.look(600, |counts, at_ms| counts.stalls += u64::from(at_ms / 10_000 % 18 == 0));
        let [(_, true)] = of(TroubleKind::Stalls, &told)[..] else { panic!("{told:?}") };
        let told = ward.look(1_200, |_, _| {});
        let [(after_s, false)] = of(TroubleKind::Stalls, &told)[..] else { panic!("{told:?}") };
        assert!((420..=600).contains(&after_s), "{after_s}");
    }

    #[test]
    fn key_frames_are_sparse_by_the_last_two_or_by_one_that_is_long_ago() {
        let mut ward = Ward::new();
        let told = ward.look(60, |counts, at_ms| (counts.last_key_ms, counts.key_interval_ms) = (at_ms - 3_000, 4_000));
        assert_eq!(told, [(10, TroubleKind::SparseKeyFrames, false)]);
        let told =
            ward.look(60, |counts, at_ms| (counts.last_key_ms, counts.key_interval_ms) = (at_ms - 3_000, 12_000));
        assert_eq!(told, [(10, TroubleKind::SparseKeyFrames, true)]);
        // A session that has not shown two yet says nothing; one that never shows a second says it.
        let begun_ms = ward.at_ms + 7_000;
        let told = ward.look(60, |counts, _| (counts.last_key_ms, counts.key_interval_ms) = (begun_ms, 0));
        assert_eq!(told, [], "still");
        ward.look(10, |counts, at_ms| (counts.last_key_ms, counts.key_interval_ms) = (at_ms, 2_000));
        let begun_ms = ward.at_ms + 7_000;
        let told = ward.look(60, |counts, _| (counts.last_key_ms, counts.key_interval_ms) = (begun_ms, 0));
        assert_eq!(told, [(20, TroubleKind::SparseKeyFrames, true)]);
        assert_eq!(ward.look(60, |counts, _| counts.state = LinkState::Offline), [], "nobody knows");
    }

    #[test]
    fn a_clock_drifts_by_its_pace_and_not_by_how_far_it_is_off() {
        let mut ward = Ward::new();
        // Frames of before the session began, and then as good as ours: 20 s off after a month.
        let told = ward.look(3_600, |counts, at_ms| counts.drift_ms = Some(4_000 + (at_ms - 1_000_000) / 100_000));
        let of_clock = |told: &[Told]| of(TroubleKind::ClockDrift, told);
        assert_eq!(of_clock(&told), [(730, false)], "ten minutes after it has settled");
        // Declares 25 frames a second and delivers 24.
        let from_ms = ward.at_ms;
        let told = ward.look(1_800, |counts, at_ms| counts.drift_ms = Some(5_000 + (at_ms - from_ms) / 24));
        let [(after_s, true)] = of_clock(&told)[..] else { panic!("{told:?}") };
        assert!(after_s <= 600, "{after_s}");
        // Another session says nothing of this before it was watched for as long.
        let told = ward.look(700, |counts, _| (counts.reconnects, counts.drift_ms) = (1, Some(0)));
        assert_eq!(of_clock(&told), []);
        assert_eq!(of_clock(&ward.look(100, |_, _| {})), [(30, false)]);
    }

    #[test]
    fn a_camera_that_is_no_more_is_forgotten() {
        let mut ward = Ward::new();
        ward.look(60, |_, _| {});
        ward.ailing.look(&[], ward.at_ms);
        assert!(ward.ailing.0.is_empty());
    }
}
