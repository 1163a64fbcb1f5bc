//! The Knox test (1964) over several scales at once: how many pairs are near in both space and time, how many there would be if
//! times had nothing to do with places, and how seldom chance gives as many. The same count in bands is the near-repeat table
//! (Johnson and others, 2007; Ratcliffe's calculator), which tells how far and how long one occurrence draws others after it.

use super::draw::Draw;
use super::near::{Pair, pairs};
use super::{Occurrence, Unanswered};

/// Draws of one table: p-values are then no finer than 1 / (draws + 1).
pub const DRAWS: usize = 999;

/// Seed of the draws: the same occurrences give the same p-values.
pub const SEED: u64 = 2_026;

/// A band is told apart from chance when p is at most this, and there is at least a fifth more than by chance.
pub const P_MAX: f64 = 0.05;
/// See [`P_MAX`].
pub const RATIO_MIN: f64 = 1.2;

/// Upper ends of the bands, rising. Bands begin above the end of the one before; the first one at 0, inclusive.
#[derive(Debug, Clone, PartialEq)]
pub struct Scales {
    /// In space.
    pub metres: Vec<f64>,
    /// In time.
    pub spans_ms: Vec<i64>,
}

/// Pairs of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Count {
    /// As they are.
    pub n: u64,
    /// The mean over all ways of giving the times to the places, exactly.
    pub expected: f64,
    /// Share of the draws with as many pairs or more, the occurrences' own order among them.
    pub p: f64,
}

/// By distance, then by time.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What the rows and columns are.
    pub scales: Scales,
    /// Pairs within both bands: the near-repeat table.
    pub bands: Vec<Vec<Count>>,
    /// Pairs that are nearer than the upper ends of both: Knox's statistic at each scale.
    pub within: Vec<Vec<Count>>,
}

/// Where and for how long it is worth while to look again after an occurrence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patrol {
    /// About the place where it happened.
    pub radius_m: f64,
    /// From the time at which it happened.
    pub for_ms: i64,
}

impl Count {
    /// How many times as many as by chance; none where chance gives none.
    pub fn ratio(&self) -> Option<f64> {
        (self.expected > 0.0).then(|| self.n as f64 / self.expected)
    }

    /// Whether the band is told apart from chance: see [`P_MAX`].
    pub fn is_more_than_chance(&self) -> bool {
        self.p <= P_MAX && self.ratio().is_some_and(|ratio| ratio >= RATIO_MIN)
    }
}

impl Table {
    /// `draws` permutations of the times.
    pub fn new(all: &[Occurrence], scales: &Scales, draws: usize, seed: u64) -> Result<Table, Unanswered> {
        scales.check()?;
        let pairs = pairs(all, scales.metres.last().copied().unwrap_or(0.0))?;
        let by_band: Vec<(Pair, usize)> =
            pairs.into_iter().map(|pair| (pair, scales.metres.partition_point(|m| *m < pair.distance_m))).collect();
        let mut times: Vec<i64> = all.iter().map(|one| one.at_ms).collect();
        let observed = scales.count(&by_band, &times);
        let observed_within = cumulated(&observed);
        let (n_rows, n_columns) = (scales.metres.len(), scales.spans_ms.len());
        let zeros = vec![vec![0_usize; n_columns]; n_rows];
        let (mut as_many, mut as_many_within) = (zeros.clone(), zeros);
        let mut draw = Draw::new(seed);
        for _ in 0..draws {
            draw.shuffle(&mut times);
            let drawn = scales.count(&by_band, &times);
            let drawn_within = cumulated(&drawn);
            for i in 0..n_rows {
                for j in 0..n_columns {
                    as_many[i][j] += usize::from(drawn[i][j] >= observed[i][j]);
                    as_many_within[i][j] += usize::from(drawn_within[i][j] >= observed_within[i][j]);
                }
            }
        }
        let expected = scales.expected(&by_band, all);
        let expected_within = cumulated(&expected);
        let table = |n: &[Vec<u64>], expected: &[Vec<f64>], as_many: &[Vec<usize>]| {
            let count = |i: usize, j: usize| Count {
                n: n[i][j],
                expected: expected[i][j],
                p: (as_many[i][j] + 1) as f64 / (draws + 1) as f64,
            };
            (0..n_rows).map(|i| (0..n_columns).map(|j| count(i, j)).collect()).collect()
        };
        Ok(Table {
            scales: scales.clone(),
            bands: table(&observed, &expected, &as_many),
            within: table(&observed_within, &expected_within, &as_many_within),
        })
    }

    /// From the nearest and soonest band on, for as long as each next one is more than chance; none where that one is not.
    pub fn patrol(&self) -> Option<Patrol> {
        let soonest = self.bands.iter().filter_map(|row| row.first());
        let n_far = soonest.take_while(|count| count.is_more_than_chance()).count();
        let n_long = self.bands.first()?.iter().take_while(|count| count.is_more_than_chance()).count();
        let radius_m = *self.scales.metres.get(n_far.checked_sub(1)?)?;
        Some(Patrol { radius_m, for_ms: *self.scales.spans_ms.get(n_long.checked_sub(1)?)? })
    }
}

impl Scales {
    fn check(&self) -> Result<(), Unanswered> {
        let metres = &self.metres;
        let is_sound = metres.iter().all(|m| m.is_finite() && *m > 0.0) && metres.is_sorted_by(|a, b| a < b);
        if !is_sound || metres.is_empty() {
            return Err(Unanswered::NotRising("distances"));
        }
        let spans = &self.spans_ms;
        let is_sound = spans.iter().all(|ms| *ms > 0) && spans.is_sorted_by(|a, b| a < b);
        if is_sound && !spans.is_empty() { Ok(()) } else { Err(Unanswered::NotRising("spans")) }
    }

    fn count(&self, pairs: &[(Pair, usize)], times: &[i64]) -> Vec<Vec<u64>> {
        let mut out = vec![vec![0; self.spans_ms.len()]; self.metres.len()];
        for (pair, row) in pairs {
            let apart_ms = times[pair.a as usize].abs_diff(times[pair.b as usize]);
            let column = self.spans_ms.iter().position(|span_ms| apart_ms <= span_ms.unsigned_abs());
            if let Some(column) = column {
                out[*row][column] += 1;
            }
        }
        out
    }

    /// Each pair of places has each pair of times equally often over all permutations.
    fn expected(&self, near: &[(Pair, usize)], all: &[Occurrence]) -> Vec<Vec<f64>> {
        let mut n_near = vec![0_u64; self.metres.len()];
        near.iter().for_each(|(_, row)| n_near[*row] += 1);
        let mut times: Vec<i64> = all.iter().map(|one| one.at_ms).collect();
        times.sort_unstable();
        let within: Vec<u64> = self.spans_ms.iter().map(|span_ms| n_within(&times, *span_ms)).collect();
        let n = all.len() as f64;
        let n_pairs = (n * (n - 1.0) / 2.0).max(1.0);
        let column = |j: usize| within[j] - if j == 0 { 0 } else { within[j - 1] };
        let cell = |row: u64, j: usize| row as f64 * column(j) as f64 / n_pairs;
        n_near.iter().map(|row| (0..within.len()).map(|j| cell(*row, j)).collect()).collect()
    }
}

/// Pairs of these times, sorted, that are at most so far apart.
fn n_within(times: &[i64], span_ms: i64) -> u64 {
    let (mut from, mut n) = (0, 0);
    for (i, at_ms) in times.iter().enumerate() {
        while at_ms.abs_diff(times[from]) > span_ms.unsigned_abs() {
            from += 1;
        }
        n += (i - from) as u64;
    }
    n
}

/// Sums over all bands that are not farther, and not longer.
fn cumulated<T: Copy + std::ops::AddAssign>(bands: &[Vec<T>]) -> Vec<Vec<T>> {
    let mut out = bands.to_vec();
    for row in &mut out {
        for j in 1..row.len() {
            let before = row[j - 1];
            row[j] += before;
        }
    }
    for i in 1..out.len() {
        let (before, rest) = out.split_at_mut(i);
        for (own, above) in rest[0].iter_mut().zip(&before[i - 1]) {
            *own += *above;
        }
    }
    out
}
