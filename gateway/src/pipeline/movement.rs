//! What a rule asks of the way of something that moves, what it remembers of it, and the words for what it found. Pure.

use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::Arc;

use outpost_detectors::latch::{Latch, Signal};
use outpost_fences::shape::Direction;
use outpost_fences::track::loiter::{Loiter, LoiterState, Stay};
use outpost_fences::track::speed::{SpeedState, Speedometer};
use outpost_fences::track::tripwire::{Tripwire, TripwireState};
use outpost_fences::track::{Cause, Confirm, Crossing, Fix, Side, Subject, Tracker, Tracking};
use outpost_fences::{Fence, FenceSet, Point, Shape};
use serde::{Deserialize, Serialize};

use crate::config::{Border, CrossDirection, Detect, KMH_PER_MPS, Motion, line_of};
use crate::nouns::Why;

/// One arm per way of looking at a way.
pub(super) enum Movement {
    Follow {
        tracker: Tracker,
        fence: Arc<Fence>,
        want: Want,
        /// Speeds and passages are judged from where it was last.
        asks_for_last: bool,
    },
    Cross {
        tripwire: Tripwire,
        /// Of a fence file; none where the rule wrote its line itself.
        fence: Option<Arc<Fence>>,
        direction: Option<Direction>,
    },
    Dwell {
        loiter: Loiter,
        fence: Option<Arc<Fence>>,
    },
    Speeding {
        speedometer: Speedometer,
        fence: Arc<Fence>,
        above_mps: f64,
    },
}

/// Which side of a fence is the finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Enter { tells_found: bool },
    Exit,
    Inside,
    Outside,
}

/// What survives a restart, beside the latch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Trail {
    Follow {
        subject: Subject,
        /// Gateway time of the last position.
        heard_ms: i64,
    },
    Cross(TripwireState),
    Dwell(LoiterState),
    Speeding(SpeedState),
}

/// The condition at a time, and what showed it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sign {
    pub(super) signal: Signal,
    pub(super) at_ms: i64,
    pub(super) sight: Sight,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sight {
    Plain,
    Found,
    Inferred,
    Trip(Direction),
    /// Metres per second.
    Speed(f64),
}

/// What must be remembered of a fix over a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    /// The fix, to be judged again.
    Fix,
    /// What is known after it: not every fix before it was kept.
    State,
}

impl Movement {
    /// Of a kind that looks at movement, with the fence that it is about; the error says what cannot be used.
    pub(super) fn new(detect: &Detect, fence: Option<Arc<Fence>>) -> Result<(Movement, Latch), String> {
        let area = || match &fence {
            Some(fence) if matches!(fence.shape, Shape::Line(_)) => Err(no_inside(&fence.id)),
            Some(fence) => Ok(fence.clone()),
            None => Err("names no fence".to_owned()),
        };
        let follow = |want, border: &Border, motion: &Motion| -> Result<Movement, String> {
            let fence = area()?;
            let alone = FenceSet::new(vec![Fence::clone(&fence)]);
            let tracker = Tracker::new(Arc::new(alone), tracking(border, motion));
            let asks_for_last = border.infer || motion.speed_max_kmh.is_some();
            Ok(Movement::Follow { tracker, fence, want, asks_for_last })
        };
        let held = |hold_ms, clear_hold_ms| Latch { hold_ms, clear_hold_ms };
        Ok(match detect {
            Detect::Enter { found, border, motion, .. } => {
                (follow(Want::Enter { tells_found: *found }, border, motion)?, held(0, 0))
            }
            Detect::Exit { border, motion, .. } => (follow(Want::Exit, border, motion)?, held(0, 0)),
            Detect::Inside { longer_than, border, motion, .. } => {
                (follow(Want::Inside, border, motion)?, held(longer_than.ms(), 0))
            }
            Detect::Outside { longer_than, border, motion, .. } => {
                (follow(Want::Outside, border, motion)?, held(longer_than.ms(), 0))
            }
            Detect::Cross { line, direction, buffer_m, clear_hold, motion, .. } => {
                let line = match (line, fence.as_deref().map(|fence| &fence.shape)) {
                    (Some(points), None) => line_of(points).map_err(|flaw| flaw.to_string())?,
                    (None, Some(Shape::Line(line))) => line.clone(),
                    (None, Some(_)) => return Err("its fence is no line".into()),
                    (_, _) => return Err("needs either a fence that is a line, or a line".into()),
                };
                let tripwire = Tripwire::new(line, *buffer_m, motion.limits());
                let direction = direction.map(|direction| match direction {
                    CrossDirection::LeftToRight => Direction::LeftToRight,
                    CrossDirection::RightToLeft => Direction::RightToLeft,
                });
                (Movement::Cross { tripwire, fence, direction }, held(0, clear_hold.ms()))
            }
            Detect::Dwell { radius_m, longer_than, motion, .. } => {
                let fence = fence.is_some().then(area).transpose()?;
                let loiter = Loiter { radius_m: *radius_m, limits: motion.limits() };
                (Movement::Dwell { loiter, fence }, held(longer_than.ms(), 0))
            }
            Detect::Speeding { above_kmh, over, hold, motion, .. } => {
                let speedometer = Speedometer { over_ms: over.ms(), limits: motion.limits() };
                let above_mps = above_kmh / KMH_PER_MPS;
                (Movement::Speeding { speedometer, fence: area()?, above_mps }, held(hold.ms(), 0))
            }
            _ => return Err("does not look at movement".into()),
        })
    }

    pub(super) fn trail(&self) -> Trail {
        match self {
            Movement::Follow { .. } => Trail::Follow { subject: Subject::default(), heard_ms: 0 },
            Movement::Cross { .. } => Trail::Cross(TripwireState::default()),
            Movement::Dwell { .. } => Trail::Dwell(LoiterState::default()),
            Movement::Speeding { .. } => Trail::Speeding(SpeedState::default()),
        }
    }

    /// Whether what is remembered and open means the same to the other: limits may differ, not what is looked at.
    pub(super) fn continues(&self, other: &Movement) -> bool {
        let is_same = match (self, other) {
            (Movement::Follow { want, .. }, Movement::Follow { want: other, .. }) => {
                std::mem::discriminant(want) == std::mem::discriminant(other)
            }
            (Movement::Cross { tripwire, .. }, Movement::Cross { tripwire: other, .. }) => {
                tripwire.line() == other.line()
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        };
        is_same && self.fence().map(|fence| &fence.id) == other.fence().map(|fence| &fence.id)
    }

    pub(super) fn fence(&self) -> Option<&Arc<Fence>> {
        match self {
            Movement::Follow { fence, .. } | Movement::Speeding { fence, .. } => Some(fence),
            Movement::Dwell { fence, .. } | Movement::Cross { fence, .. } => fence.as_ref(),
        }
    }

    /// What a fix says, in the order of time. Returns what must be remembered of it over a crash: of a subject that is in no
    /// fence, only where it was last is lost, and only some rules ask for that.
    pub(super) fn judge(&self, trail: &mut Trail, fix: Fix, now_ms: i64, signs: &mut VecDeque<Sign>) -> Keep {
        let sign = |signal, at_ms, sight| Sign { signal, at_ms, sight };
        match (self, trail) {
            (Movement::Follow { tracker, fence, want, asks_for_last }, Trail::Follow { subject, heard_ms }) => {
                let before_ms = subject.last().map(|fix| fix.at_ms);
                let is_late = subject.heard_ms().is_some_and(|heard_ms| fix.at_ms <= heard_ms);
                let was_away = before_ms.is_some() && subject.is_away();
                let mut crossings = Vec::new();
                tracker.step(subject, fix, &mut crossings);
                let Some(last_ms) = subject.last().map(|fix| fix.at_ms).filter(|ms| Some(*ms) != before_ms) else {
                    return match (is_late && was_away, *asks_for_last) {
                        (_, true) => Keep::Fix,
                        // It must be too late, or the second of its time, after a crash as well.
                        (true, false) => Keep::State,
                        (false, false) => Keep::Nothing,
                    };
                };
                *heard_ms = now_ms;
                signs.extend(crossings.iter().flat_map(|crossing| want.signs(crossing)));
                signs.extend(want.side(subject, &fence.id).map(|signal| sign(signal, last_ms, Sight::Plain)));
                let is_kept = *asks_for_last || !was_away || !subject.is_away();
                return if is_kept { Keep::Fix } else { Keep::Nothing };
            }
            (Movement::Cross { tripwire, direction, .. }, Trail::Cross(state)) => {
                let trip = tripwire.step(state, fix);
                let trip = trip.filter(|trip| direction.is_none_or(|direction| direction == trip.direction));
                signs.extend(trip.map(|trip| sign(Signal::On, trip.at_ms, Sight::Trip(trip.direction))));
                signs.push_back(sign(Signal::Off, fix.at_ms, Sight::Plain));
            }
            (Movement::Dwell { loiter, fence }, Trail::Dwell(state)) => {
                let Some(stay) = loiter.step(state, fix) else { return Keep::Fix };
                if fence.as_ref().is_some_and(|fence| !fence.contains(fix.point)) {
                    loiter.leave(state);
                    signs.push_back(sign(Signal::Off, fix.at_ms, Sight::Plain));
                    return Keep::Fix;
                }
                match stay {
                    Stay::Here { since_ms } => {
                        signs.extend([since_ms, fix.at_ms].map(|at_ms| sign(Signal::On, at_ms, Sight::Plain)))
                    }
                    Stay::Moved => signs.push_back(sign(Signal::Off, fix.at_ms, Sight::Plain)),
                }
            }
            (Movement::Speeding { speedometer, fence, above_mps }, Trail::Speeding(state)) => {
                match speedometer.step(state, fix, |point| fence.contains(point)) {
                    Some(speed) if speed.at_least_mps > *above_mps => {
                        let sight = Sight::Speed(speed.at_least_mps);
                        signs.extend([speed.from, speed.to].map(|fix| sign(Signal::On, fix.at_ms, sight)));
                    }
                    Some(_) => signs.push_back(sign(Signal::Off, fix.at_ms, Sight::Plain)),
                    None if !fence.contains(fix.point) => {
                        signs.push_back(sign(Signal::Off, fix.at_ms, Sight::Plain));
                    }
                    None => {}
                }
            }
            _ => {}
        }
        Keep::Fix
    }

    /// Gateway time at which a crossing is confirmed if nothing further comes.
    pub(super) fn due_ms(&self, trail: &Trail) -> Option<i64> {
        let (Movement::Follow { tracker, .. }, Trail::Follow { subject, heard_ms }) = (self, trail) else {
            return None;
        };
        let wait_ms = tracker.due_ms(subject)?.saturating_sub(subject.last()?.at_ms);
        Some(heard_ms.saturating_add(wait_ms))
    }

    /// What time alone says: the subject's clock ran on as ours did.
    pub(super) fn elapse(&self, trail: &mut Trail, now_ms: i64, signs: &mut VecDeque<Sign>) {
        if self.due_ms(trail).is_none_or(|due_ms| now_ms < due_ms) {
            return;
        }
        let Trail::Follow { subject, heard_ms } = &*trail else { return };
        let Some(last_ms) = subject.last().map(|fix| fix.at_ms) else { return };
        let at_ms = last_ms.saturating_add(now_ms.saturating_sub(*heard_ms));
        self.elapse_until(trail, at_ms, signs);
    }

    /// The same by the subject's own clock.
    pub(super) fn elapse_until(&self, trail: &mut Trail, at_ms: i64, signs: &mut VecDeque<Sign>) {
        let (Movement::Follow { tracker, want, .. }, Trail::Follow { subject, .. }) = (self, trail) else { return };
        let mut crossings = Vec::new();
        tracker.elapse(subject, at_ms, &mut crossings);
        signs.extend(crossings.iter().flat_map(|crossing| want.signs(crossing)));
    }

    /// The fence may be another than it was: what that says of where the subject was last.
    pub(super) fn refence(&self, trail: &mut Trail, signs: &mut VecDeque<Sign>) {
        if let (Movement::Follow { tracker, want, .. }, Trail::Follow { subject, .. }) = (self, trail) {
            let mut crossings = Vec::new();
            tracker.refence(subject, &mut crossings);
            signs.extend(crossings.iter().flat_map(|crossing| want.signs(crossing)));
        }
    }

    /// Why the alert opens.
    pub(super) fn why(&self, sight: Sight, held_ms: i64, held: &str) -> Why {
        let figure = |name, value, unit| super::reading::figure(name, value, Some(unit));
        let of_time = |name| if held_ms > 0 { vec![figure(name, held_ms as f64 / 1000.0, "s")] } else { Vec::new() };
        let (text, figures) = match self {
            Movement::Follow { fence, want, .. } => {
                let name = named(fence);
                match (want, sight) {
                    (Want::Enter { .. }, Sight::Found) => (format!("first heard of inside {name}"), vec![]),
                    (Want::Enter { .. }, Sight::Inferred) => (passed(name), vec![]),
                    (Want::Enter { .. }, _) => (format!("entered {name}"), vec![]),
                    (Want::Exit, Sight::Inferred) => (passed(name), vec![]),
                    (Want::Exit, _) => (format!("left {name}"), vec![]),
                    (Want::Inside, Sight::Inferred) => (passed(name), of_time("inside")),
                    (Want::Inside, _) => (format!("inside {name}{held}"), of_time("inside")),
                    (Want::Outside, _) => (format!("outside {name}{held}"), of_time("outside")),
                }
            }
            Movement::Cross { fence, .. } => {
                let name = fence.as_deref().map_or("the line", named);
                let way = match sight {
                    Sight::Trip(Direction::LeftToRight) => " from left to right",
                    Sight::Trip(Direction::RightToLeft) => " from right to left",
                    _ => "",
                };
                (format!("crossed {name}{way}"), vec![])
            }
            Movement::Dwell { loiter, fence } => {
                let within = fence.as_deref().map(|fence| format!(" in {}", named(fence))).unwrap_or_default();
                let radius = figure("radius", loiter.radius_m, "m");
                let figures = of_time("stayed").into_iter().chain([radius]).collect();
                (format!("stayed within {} m of one place{within}{held}", loiter.radius_m), figures)
            }
            Movement::Speeding { fence, above_mps, .. } => {
                let limit_kmh = above_mps * KMH_PER_MPS;
                let mut figures = vec![figure("limit", limit_kmh, "km/h")];
                let how_fast = match sight {
                    Sight::Speed(mps) => {
                        figures.insert(0, figure("speed", mps * KMH_PER_MPS, "km/h"));
                        format!("{:.0} km/h", mps * KMH_PER_MPS)
                    }
                    _ => format!("more than {limit_kmh:.0} km/h"),
                };
                (format!("{how_fast} in {}, {limit_kmh:.0} allowed{held}", named(fence)), figures)
            }
        };
        Why { text, figures }
    }

    /// Why the alert clears.
    pub(super) fn why_cleared(&self) -> String {
        match self {
            Movement::Follow { fence, want: Want::Exit | Want::Outside, .. } => format!("entered {}", named(fence)),
            Movement::Follow { fence, .. } => format!("left {}", named(fence)),
            Movement::Cross { .. } => "not crossed again".into(),
            Movement::Dwell { .. } => "moved on".into(),
            Movement::Speeding { .. } => "no longer so fast".into(),
        }
    }
}

impl Want {
    fn signs(self, crossing: &Crossing) -> impl Iterator<Item = Sign> + use<> {
        let sight = match crossing.cause {
            Cause::Seen | Cause::Removed => Sight::Plain,
            Cause::Found => Sight::Found,
            Cause::Inferred => Sight::Inferred,
        };
        let sign = |signal| Sign { signal, at_ms: crossing.at_ms, sight };
        let signs = match (self, crossing.to, sight) {
            (Want::Enter { tells_found: false }, Side::Inside, Sight::Found) => [None, None],
            // Who only passed was not away from where he must stay.
            (Want::Outside, _, Sight::Inferred) => [None, None],
            (Want::Enter { .. } | Want::Inside, Side::Inside, _) => [Some(sign(Signal::On)), None],
            // He was inside until then: that may be long enough.
            (Want::Inside, Side::Outside, Sight::Inferred) => [Some(sign(Signal::On)), Some(sign(Signal::Off))],
            (Want::Enter { .. } | Want::Inside, Side::Outside, _) => [Some(sign(Signal::Off)), None],
            (Want::Exit | Want::Outside, Side::Inside, _) => [Some(sign(Signal::Off)), None],
            (Want::Exit | Want::Outside, Side::Outside, _) => [Some(sign(Signal::On)), None],
        };
        signs.into_iter().flatten()
    }

    /// What being on a side means, though nothing was crossed.
    fn side(self, subject: &Subject, fence: &str) -> Option<Signal> {
        let is_found = || subject.inside().any(|(id, _, cause)| &**id == fence && cause == Cause::Found);
        match (self, subject.side(fence)?) {
            (Want::Enter { tells_found: false }, Side::Inside) if is_found() => None,
            (Want::Enter { .. } | Want::Inside, Side::Inside) | (Want::Outside, Side::Outside) => Some(Signal::On),
            // Only who was inside can leave.
            (Want::Exit, Side::Outside) => None,
            (_, _) => Some(Signal::Off),
        }
    }
}

impl Trail {
    pub(super) fn fits(&self, movement: &Movement) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(&movement.trail())
    }

    /// Known to be outside, with nothing begun that time could end.
    pub(super) fn is_away(&self) -> bool {
        matches!(self, Trail::Follow { subject, .. } if subject.is_away())
    }

    /// Where one who is followed was last.
    pub(super) fn last(&self) -> Option<Point> {
        match self {
            Trail::Follow { subject, .. } => subject.last().map(|fix| fix.point),
            _ => None,
        }
    }

    pub(super) fn rebase(&mut self, now_ms: i64) {
        if let Trail::Follow { heard_ms, .. } = self {
            *heard_ms = now_ms;
        }
    }
}

fn tracking(border: &Border, motion: &Motion) -> Tracking {
    Tracking {
        limits: motion.limits(),
        exit_buffer_m: border.exit_buffer_m,
        confirm: Confirm { for_ms: border.confirm.ms(), n_fixes: border.fixes },
        heeds_accuracy: border.heed_accuracy,
        infers: border.infer,
    }
}

fn no_inside(fence: &str) -> String {
    format!("fence {fence:?} is a line and has no inside: rules of the kind \"cross\" are about lines")
}

fn passed(name: impl Display) -> String {
    format!("passed through {name} between two positions")
}

fn named(fence: &Fence) -> &str {
    if fence.name.is_empty() { &fence.id } else { &fence.name }
}
