//! NAB's scoring function: windows, profiles, threshold sweep, normalisation. Knows nothing of files or detectors.
//!
//! After Lavin & Ahmad, "Evaluating Real-time Anomaly Detection Algorithms: the Numenta Anomaly Benchmark" (ICMLA 2015)
//! and NAB's `sweeper.py`. Within a window only the best-placed detection counts, and early is better; each row above
//! the threshold outside of windows costs, less so shortly after one; a missed window costs. Zero is a detector that
//! says nothing, 100 one that hits the beginning of every window and nothing else.

use crate::corpus::Series;

/// What a detection is worth and what faults cost.
#[derive(Clone, Copy)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    pub(crate) false_alarm: f64,
    pub(crate) missed: f64,
}

/// NAB's `config/profiles.json`; a detection is worth 1 in each.
pub(crate) const PROFILES: [Profile; 3] = [
    Profile { name: "standard", false_alarm: 0.11, missed: 1.0 },
    Profile { name: "reward low FP", false_alarm: 0.22, missed: 1.0 },
    Profile { name: "reward low FN", false_alarm: 0.11, missed: 2.0 },
];

/// A series with a score for each of its rows.
pub(crate) struct Scored<'a> {
    pub(crate) series: &'a Series,
    pub(crate) scores: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    /// Rows that score as much or more are alarms.
    pub(crate) threshold: f64,
    /// NAB's normalised score.
    pub(crate) score: f64,
    pub(crate) n_detected: usize,
    pub(crate) n_windows: usize,
    /// Alarm rows outside of windows.
    pub(crate) n_false: usize,
}

/// The one threshold for all of `corpus` that scores best, as NAB's optimiser finds it.
pub(crate) fn optimise(corpus: &[&Scored], profile: Profile) -> Outcome {
    let mut rows: Vec<Row> = rows(corpus);
    rows.sort_by(|left, right| right.score.total_cmp(&left.score));
    let mut tally = Tally::new(corpus, profile);
    let mut best = tally.outcome(1.1);
    let mut rows = rows.into_iter().peekable();
    while let Some(row) = rows.next() {
        tally.alarm(&row);
        // Rows of one score become alarms together.
        if rows.peek().is_none_or(|next| next.score != row.score) {
            let outcome = tally.outcome(row.score);
            if outcome.score > best.score {
                best = outcome;
            }
        }
    }
    best
}

/// The score at a threshold that was found elsewhere.
pub(crate) fn score_at(corpus: &[&Scored], profile: Profile, threshold: f64) -> Outcome {
    let mut tally = Tally::new(corpus, profile);
    rows(corpus).iter().filter(|row| row.score >= threshold).for_each(|row| tally.alarm(row));
    tally.outcome(threshold)
}

struct Row {
    score: f64,
    /// Before profiles: 1 at a window's beginning, -1 far from any.
    worth: f64,
    /// Counted through the corpus.
    window: Option<usize>,
}

fn rows(corpus: &[&Scored]) -> Vec<Row> {
    let mut out = Vec::new();
    let mut n_windows = 0;
    for scored in corpus {
        let windows = &scored.series.windows;
        let mut next = 0;
        for (row, score) in scored.scores.iter().enumerate() {
            if next < windows.len() && row > windows[next].1 {
                next += 1;
            }
            let (worth, window) = match windows.get(next) {
                Some(&(first, last)) if row >= first => {
                    let width = (last - first + 1) as f64;
                    (sigmoid(-((last + 1 - row) as f64) / width) / sigmoid(-1.0), Some(n_windows + next))
                }
                _ if next == 0 => (-1.0, None),
                _ => {
                    let (first, last) = windows[next - 1];
                    (sigmoid((row - last) as f64 / (last - first) as f64), None)
                }
            };
            if row >= scored.series.n_probation {
                out.push(Row { score: *score, worth, window });
            }
        }
        n_windows += windows.len();
    }
    out
}

/// +1 well before the window's end (position 0), -1 well after it; positions are in widths of the window.
fn sigmoid(position: f64) -> f64 {
    if position >= 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * position).exp()) - 1.0 }
}

struct Tally {
    profile: Profile,
    /// Worth of the best detection in each window.
    windows: Vec<Option<f64>>,
    cost: f64,
    n_false: usize,
}

impl Tally {
    fn new(corpus: &[&Scored], profile: Profile) -> Tally {
        let n_windows = corpus.iter().map(|scored| scored.series.windows.len()).sum();
        Tally { profile, windows: vec![None; n_windows], cost: 0.0, n_false: 0 }
    }

    fn alarm(&mut self, row: &Row) {
        match row.window {
            Some(window) => {
                let best = &mut self.windows[window];
                *best = Some(best.map_or(row.worth, |best| best.max(row.worth)));
            }
            None => {
                self.cost += row.worth * self.profile.false_alarm;
                self.n_false += 1;
            }
        }
    }

    fn outcome(&self, threshold: f64) -> Outcome {
        let n_windows = self.windows.len();
        let null = -(n_windows as f64) * self.profile.missed;
        let hits: f64 = self.windows.iter().map(|window| window.unwrap_or(-self.profile.missed)).sum();
        let score = 100.0 * (hits + self.cost - null) / (n_windows as f64 - null);
        let n_detected = self.windows.iter().flatten().count();
        Outcome { threshold, score, n_detected, n_windows, n_false: self.n_false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(windows: &[(usize, usize)]) -> Series {
        Series {
            name: "made".into(),
            at_ms: (0..1_000).collect(),
            values: vec![0.0; 1_000],
            windows: windows.to_vec(),
            n_probation: 150,
        }
    }

    fn alarms(series: &Series, rows: &[usize]) -> Vec<f64> {
        (0..series.values.len()).map(|row| if rows.contains(&row) { 1.0 } else { 0.0 }).collect()
    }

    fn standard(windows: &[(usize, usize)], rows: &[usize]) -> Outcome {
        let series = series(windows);
        let scored = Scored { series: &series, scores: alarms(&series, rows) };
        score_at(&[&scored], PROFILES[0], 0.5)
    }

    #[test]
    fn silence_is_zero_and_the_beginning_of_each_window_is_a_hundred() {
        let windows = [(300, 399), (700, 799)];
        assert_eq!(standard(&windows, &[]).score, 0.0);
        assert!((standard(&windows, &[300, 700]).score - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_false_alarm_far_from_windows_costs_its_weight() {
        let outcome = standard(&[(300, 399)], &[300, 900]);
        assert!((outcome.score - 100.0 * (2.0 - 0.11) / 2.0).abs() < 1e-9, "{outcome:?}");
        assert_eq!((outcome.n_detected, outcome.n_false), (1, 1));
    }

    #[test]
    fn repeats_in_a_window_and_alarms_in_probation_change_nothing() {
        assert_eq!(standard(&[(300, 399)], &[300]).score, standard(&[(300, 399)], &[20, 300, 310, 390]).score);
    }

    #[test]
    fn the_optimiser_takes_the_threshold_that_pays() {
        let series = series(&[(300, 399)]);
        let mut scores = alarms(&series, &[]);
        for (row, score) in [(310, 0.8), (600, 0.4), (601, 0.4), (602, 0.3)] {
            scores[row] = score;
        }
        let best = optimise(&[&Scored { series: &series, scores }], PROFILES[0]);
        assert_eq!((best.threshold, best.n_detected, best.n_false), (0.8, 1, 0));
    }
}
