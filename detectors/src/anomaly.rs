//! Says how unusual a reading is for its sensor, with no limit given by anyone. Pure; knows nothing of rules or units.
//!
//! Each reading is looked at in seven ways ([`View`]): as it is, smoothed, its noise, for how long it stands still,
//! against the hour of the day, against the hour of the week, and within the range of the hour. Each way has a range
//! that it kept to so far and slowly forgets. *Novelty* is how far a view lies outside its range, in widths of the
//! range: what never happened is news, and the more so the further out it is. No distribution is assumed, so spiky
//! sensors keep wide ranges and steady ones narrow ones. Novelties of the views add up as squares. An event is told
//! once: what was told is taken off later novelty and decays.
//!
//! State is constant: [`AnomalyState`] has 1,444 bytes and nothing on the heap. Work is the same for each reading: no
//! loop over the past, no randomness, no look ahead. What it is worth on the Numenta Anomaly Benchmark, how the
//! constants below were found there, and what that benchmark is worth, stands in `benches/RESULTS.md`, section D.
//!
//! A count that only rises is new at every reading: give its difference.

mod profile;
mod range;

use serde::{Deserialize, Serialize};

use profile::{Hour, Profile};
use range::Range;

/// A reading is worth an alarm at this score and above: there its novelty is the configured margin.
pub const ALERT_SCORE: f64 = 0.5;

/// The margin that scores best over the whole Numenta benchmark, which pays for 18 false alarms with one event found.
pub const MARGIN_NAB: f64 = 0.04;

/// A jump after a flat line would be infinitely new.
const NOVELTY_MAX: f32 = 10.0;

/// A range loses as much of each half within a learning period, so that an extreme reached again after more than one
/// of them is just new enough to be told.
const FORGET_PER_PERIOD: f32 = 0.03;

/// What was told decays by 1/e within as much of a learning period.
const QUIET_PERIODS: f32 = 0.5;

/// No event hushes later ones by more margins, however wild it was.
const TOLD_MAX_MARGINS: f32 = 6.0;

/// Readings that level and noise are means of: an hour of five-minute readings.
const N_SMOOTH: f32 = 12.0;

/// Readings before ranges begin: the first means say nothing.
const N_SETTLE: u32 = 20;

const LEARN_N_MIN: u32 = 2 * N_SETTLE;

/// Below lies the noise of ranges themselves; above, an alarm would be beyond what novelty can reach.
const MARGIN_MIN: f64 = 0.001;
const MARGIN_MAX: f64 = 5.0;

/// Twenty-four ranges have more chances to be left than one: their novelty counts a third.
const WEIGHT_HOUR: f32 = 1.0 / 3.0;

/// A sensor that goes on being stuck is no more news with each reading.
const STUCK_MAX_MARGINS: f32 = 2.0;

/// Readings over which it is learned whether the day has a course.
const N_SEASON: f32 = 200.0;

/// Greater numbers are no readings. Squares and differences below stay finite in single precision.
const READING_MAX: f64 = 1e15;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnomalyConfig {
    /// Readings at the beginning that show what is usual, at least 40. Nothing scores before; memory and quiet after an
    /// event are counted in this length. Two days' worth, better a week's. NAB's own: 15 % of a series, at most 750.
    pub learn_n: u32,
    /// Least difference that means anything, in the reading's unit; 0 where every digit counts. A range is never taken
    /// for narrower.
    pub resolution: f64,
    /// How far outside its range, in widths of the range, a reading is worth an alarm. [`MARGIN_NAB`] where looking
    /// costs nothing; 0.25 where someone has to drive out, which alarms some 25 times less often.
    pub margin: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum AnomalyError {
    #[error("{learn_n} readings are too few to learn from, at least {LEARN_N_MIN}")]
    LearnsTooLittle { learn_n: u32 },
    #[error("resolution {resolution} is not a finite number of at least 0")]
    BadResolution { resolution: f64 },
    #[error("margin {margin} is not within {MARGIN_MIN} and {MARGIN_MAX}")]
    BadMargin { margin: f64 },
}

/// A way to look at a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The reading as it is.
    Value,
    /// Mean of the latest readings.
    Level,
    /// Logarithm of the mean change from reading to reading: a stuck sensor is too quiet, a loose contact too loud.
    Noise,
    /// Difference from the mean of this hour of the day.
    Day,
    /// Difference from the mean of this hour of the week.
    Week,
    /// Readings in a row that repeat the one before, against the longest such run that ended.
    Stuck,
    /// Level within the range that this hour of the day kept to; counts as far as days have a course.
    Hour,
}

/// How unusual a reading is, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// 0 (usual, or still learning) to 1; [`ALERT_SCORE`] and above is worth an alarm.
    pub score: f64,
    /// The mean of this hour of the week, or the best that is known.
    pub expected: f64,
    /// The view that is furthest out; none where all keep to their ranges.
    pub why: Option<Why>,
}

/// What a view saw, and between what it lay so far. In the reading's unit but for [`View::Noise`], which compares the
/// mean change with its least and greatest so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Why {
    pub view: View,
    pub seen: f64,
    pub low: f64,
    pub high: f64,
}

/// What is remembered of a sensor. Numbers are differences from `origin`, so that single precision is enough.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnomalyState {
    /// Readings so far.
    n: u32,
    /// The first reading.
    origin: f32,
    last: f32,
    level: f32,
    /// Mean change from reading to reading: of the latest, and of all.
    change: f32,
    change_ever: f32,
    value_range: Range,
    level_range: Range,
    noise_range: Range,
    day_range: Range,
    week_range: Range,
    profile: Profile,
    hours: [Option<Range>; 24],
    /// Readings in a row that repeat the one before: now, and the longest that ended.
    run: f32,
    longest_run: f32,
    /// 0: all hours have the same range, 1: each its own point.
    season: f32,
    /// Novelty that was told and still hushes.
    told: f32,
}

impl AnomalyConfig {
    pub fn check(&self) -> Result<(), AnomalyError> {
        if self.learn_n < LEARN_N_MIN {
            return Err(AnomalyError::LearnsTooLittle { learn_n: self.learn_n });
        }
        if !self.resolution.is_finite() || self.resolution < 0.0 {
            return Err(AnomalyError::BadResolution { resolution: self.resolution });
        }
        if !(MARGIN_MIN..=MARGIN_MAX).contains(&self.margin) {
            return Err(AnomalyError::BadMargin { margin: self.margin });
        }
        Ok(())
    }

    /// Judges a reading by what was before it, then learns it. What is not finite says nothing and changes nothing.
    pub fn observe(&self, state: &mut AnomalyState, value: f64, at_ms: i64) -> Judgement {
        if value.is_nan() || value.abs() > READING_MAX {
            return Judgement { score: 0.0, expected: f64::from(state.origin + state.level), why: None };
        }
        let scale = Scale::of(self, state.n);
        let hour = Hour::of(at_ms);
        let reading = state.take(value, &scale);
        let (of_day, of_week) = state.profile.expect(hour, state.level);
        state.profile.learn(hour, reading.tame);

        let mut novelty = Novelty::default();
        // Before the level's range takes the reading in: the hours are measured by it.
        let widest = state.level_range.width().max(scale.resolution);
        state.look_at_ranges(&reading, of_day, of_week, &scale, &mut novelty);
        state.look_at_hour(hour, widest, &scale, &mut novelty);
        state.look_at_run(reading.moved, &scale, &mut novelty);

        let origin = f64::from(state.origin);
        let expected = origin + f64::from(of_week);
        if state.n <= scale.learn_n {
            return Judgement { score: 0.0, expected, why: None };
        }
        let score = state.tell(novelty.squares.sqrt(), &scale);
        Judgement { score, expected, why: novelty.greatest.map(|(_, why)| why.in_units(origin)) }
    }
}

struct Reading {
    /// Difference from the origin.
    value: f32,
    /// The same, or as far towards it as the range of values may grow at once.
    tame: f32,
    /// By more than the resolution.
    moved: bool,
    noise: f32,
}

impl AnomalyState {
    fn take(&mut self, value: f64, scale: &Scale) -> Reading {
        if self.n == 0 {
            self.origin = value as f32;
            self.last = (value - f64::from(self.origin)) as f32;
        }
        self.n = self.n.saturating_add(1);
        let value = (value - f64::from(self.origin)) as f32;
        // An error code among readings must not shift the means of its hour for weeks.
        let tame = if self.n > N_SETTLE { self.value_range.tame(value) } else { value };
        let change = (tame - self.last).abs();
        let moved = change > scale.resolution;
        let change = if moved { change } else { 0.0 };
        self.last = tame;
        self.level += (tame - self.level) * scale.smooth;
        self.change += (change - self.change) * scale.smooth;
        self.change_ever += (change - self.change_ever) * scale.ever;
        // Where a sensor stands still there is a floor under the logarithm.
        let noise = (self.change + 1e-3 * self.change_ever + scale.resolution + f32::MIN_POSITIVE).ln();
        Reading { value, tame, moved, noise }
    }

    fn look_at_ranges(&mut self, reading: &Reading, of_day: f32, of_week: f32, scale: &Scale, novelty: &mut Novelty) {
        let views = [
            (View::Value, &mut self.value_range, reading.value, scale.resolution),
            (View::Level, &mut self.level_range, self.level, scale.resolution),
            // Has the resolution in it.
            (View::Noise, &mut self.noise_range, reading.noise, 0.0),
            (View::Day, &mut self.day_range, reading.value - of_day, scale.resolution),
            (View::Week, &mut self.week_range, reading.value - of_week, scale.resolution),
        ];
        for (view, range, seen, resolution) in views {
            if self.n <= N_SETTLE {
                *range = Range::at(seen);
                continue;
            }
            let distance = range.distance(seen) - resolution;
            novelty.add(Why::new(view, seen, *range), distance, range.width().max(resolution), 1.0);
            range.learn(seen, scale.forget, scale.follow);
        }
    }

    fn look_at_hour(&mut self, hour: Hour, widest: f32, scale: &Scale, novelty: &mut Novelty) {
        let Some(range) = &mut self.hours[hour.of_day] else {
            self.hours[hour.of_day] = Some(Range::at(self.level));
            return;
        };
        if self.n > N_SETTLE && widest > 0.0 {
            let distance = range.distance(self.level) - scale.resolution;
            novelty.add(Why::new(View::Hour, self.level, *range), distance, widest, WEIGHT_HOUR * self.season);
            self.season += (1.0 - (range.width() / widest).min(1.0) - self.season) / N_SEASON;
        }
        range.learn(self.level, scale.forget, scale.follow);
    }

    /// A run is learned when it ends, not while it grows: else nothing would ever be longer than usual.
    fn look_at_run(&mut self, moved: bool, scale: &Scale, novelty: &mut Novelty) {
        if moved {
            self.longest_run = (self.longest_run * (1.0 - scale.forget)).max(self.run);
            self.run = 0.0;
            return;
        }
        self.run += 1.0;
        if self.n <= scale.learn_n {
            self.longest_run = self.longest_run.max(self.run);
            return;
        }
        // What stood still for a whole learning period is a still thing.
        if self.run <= scale.learn_n as f32 {
            let patience = self.longest_run + N_SMOOTH;
            let distance = (self.run - patience).min(STUCK_MAX_MARGINS * scale.margin * patience);
            novelty.add(Why::new(View::Stuck, self.run, Range::at(self.longest_run)), distance, patience, 1.0);
        }
    }

    /// The score of what is new beyond what was told already. Only what is worth an alarm counts as told: what grows
    /// slowly must not hush itself.
    fn tell(&mut self, novelty: f32, scale: &Scale) -> f64 {
        self.told *= scale.quiet;
        let news = (novelty - self.told).max(0.0);
        if news >= scale.margin {
            self.told = self.told.max(novelty.min(TOLD_MAX_MARGINS * scale.margin));
        }
        f64::from(news / (news + scale.margin))
    }
}

/// The configuration in the terms of a reading: what counts, and which share of it is learned and forgotten.
struct Scale {
    learn_n: u32,
    resolution: f32,
    margin: f32,
    smooth: f32,
    ever: f32,
    follow: f32,
    forget: f32,
    quiet: f32,
}

impl Scale {
    fn of(config: &AnomalyConfig, n_before: u32) -> Scale {
        let learn_n = config.learn_n.max(LEARN_N_MIN);
        let period = learn_n as f32;
        // A mean is over all readings until there are enough of them.
        let ever = 1.0 / (n_before as f32 + 1.0);
        Scale {
            learn_n,
            resolution: config.resolution as f32,
            margin: config.margin.max(MARGIN_MIN) as f32,
            smooth: ever.max(1.0 / N_SMOOTH),
            ever,
            follow: ever.max(1.0 / period),
            forget: FORGET_PER_PERIOD / period,
            quiet: (-1.0 / (QUIET_PERIODS * period)).exp(),
        }
    }
}

#[derive(Default)]
struct Novelty {
    squares: f32,
    greatest: Option<(f32, Why)>,
}

impl Novelty {
    fn add(&mut self, why: Why, distance: f32, width: f32, weight: f32) {
        if distance <= 0.0 || weight == 0.0 {
            return;
        }
        let novelty = if width > 0.0 { (weight * distance / width).min(NOVELTY_MAX) } else { NOVELTY_MAX };
        self.squares += novelty * novelty;
        if self.greatest.is_none_or(|(greatest, _)| novelty > greatest) {
            self.greatest = Some((novelty, why));
        }
    }
}

impl Why {
    fn new(view: View, seen: f32, range: Range) -> Why {
        Why { view, seen: seen.into(), low: range.low.into(), high: range.high.into() }
    }

    fn in_units(self, origin: f64) -> Why {
        let convert = |number: f64| match self.view {
            View::Value | View::Level | View::Hour => origin + number,
            View::Noise => number.exp(),
            View::Stuck | View::Day | View::Week => number,
        };
        Why { view: self.view, seen: convert(self.seen), low: convert(self.low), high: convert(self.high) }
    }
}

#[cfg(test)]
mod tests;
