//! Sums by centre, unit or person, with the tickets behind each, and figures of these.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Period;
use crate::config::{Amount, Count, Figure, Level, Score, Sum};
use crate::dispatch::centres::Centres;
use crate::nouns::Story;

const HOUR_MS: f64 = 3_600_000.0;

/// Whose scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Centres of a level, each with all beneath it.
    Centres(Level),
    /// Departments and teams that tickets are dispatched to.
    Units,
    /// People: what each did, and what those who had a hand in it last did not.
    Officers,
}

/// What was counted of one centre, unit or person.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The tickets of each count, in rising order.
    tickets: Vec<Vec<u64>>,
    /// Milliseconds of each amount.
    took_ms: [i64; 2],
}

/// By id, in the order of ids.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    pub rows: BTreeMap<Arc<str>, Row>,
}

impl Whose {
    pub fn parse(text: &str) -> Option<Whose> {
        match text {
            "unit" => Some(Whose::Units),
            "officer" => Some(Whose::Officers),
            level => Level::parse(level).map(Whose::Centres),
        }
    }
}

impl Default for Row {
    fn default() -> Self {
        Row { tickets: vec![Vec::new(); Count::ALL.len()], took_ms: [0; 2] }
    }
}

impl Sheet {
    /// Stories come in rising order of their numbers.
    pub fn new<'a>(
        whose: Whose,
        centres: &Centres,
        period: &Period,
        stories: impl IntoIterator<Item = &'a Story>,
    ) -> Sheet {
        let mut sheet = Sheet::default();
        for story in stories {
            let centre = match whose {
                Whose::Centres(level) => {
                    centres.upwards(&story.centre).find(|(_, own)| *own == level).map(|(id, _)| id)
                }
                _ => None,
            };
            story.tallies(period, |tally| {
                let of = match whose {
                    Whose::Centres(_) => centre,
                    Whose::Units => tally.unit,
                    Whose::Officers => tally.who,
                };
                let Some(of) = of else { return };
                let row = match sheet.rows.get_mut(of) {
                    Some(row) => row,
                    None => sheet.rows.entry(of.clone()).or_default(),
                };
                row.tickets[tally.count as usize].push(story.no);
                if let Some((amount, ms)) = tally.took {
                    row.took_ms[amount as usize] += ms;
                }
            });
        }
        sheet
    }
}

impl Row {
    pub fn tickets(&self, count: Count) -> &[u64] {
        &self.tickets[count as usize]
    }

    pub fn n(&self, count: Count) -> u64 {
        self.tickets(count).len() as u64
    }

    fn sum(&self, sum: &Sum) -> u64 {
        sum.0.iter().map(|count| self.n(*count)).sum()
    }

    /// What a score is here; none where it has no figure. Points look rates up in `all`.
    pub fn figure(&self, figure: &Figure, all: &[Score]) -> Option<f64> {
        match figure {
            Figure::Rate { numerator, denominator, none } => match self.sum(denominator) {
                0 => *none,
                due => Some((100.0 * self.sum(numerator) as f64 / due as f64).min(100.0)),
            },
            Figure::Count { of } => Some(self.sum(of) as f64),
            Figure::Mean { of, over } => {
                let n = self.n(*over);
                (n > 0).then(|| self.took_ms[*of as usize] as f64 / HOUR_MS / n as f64)
            }
            Figure::Points { terms } => {
                let rate = |id: &str| {
                    let score = all.iter().find(|score| score.id == id)?;
                    matches!(score.figure, Figure::Rate { .. }).then(|| self.figure(&score.figure, all)).flatten()
                };
                let rates: Vec<_> = terms.iter().map(|term| (term, rate(&term.rate))).collect();
                if rates.iter().all(|(_, rate)| rate.is_none()) {
                    return None;
                }
                // Where nothing was due, nothing was failed.
                let points = rates.iter().map(|(term, rate)| match rate {
                    Some(rate) if term.inverted => term.points * (100.0 - rate) / 100.0,
                    Some(rate) => term.points * rate / 100.0,
                    None => term.points,
                });
                Some(points.sum::<f64>().clamp(0.0, 100.0))
            }
        }
    }

    /// The counts that a figure is made of.
    pub fn counts(figure: &Figure, all: &[Score]) -> Vec<Count> {
        let mut out = match figure {
            Figure::Rate { numerator, denominator, .. } => [numerator.0.as_slice(), &denominator.0].concat(),
            Figure::Count { of } => of.0.clone(),
            Figure::Mean { over, .. } => vec![*over],
            Figure::Points { terms } => {
                let rates = terms.iter().filter_map(|term| all.iter().find(|score| score.id == term.rate));
                let rates = rates.filter(|score| matches!(score.figure, Figure::Rate { .. }));
                rates.flat_map(|score| Row::counts(&score.figure, all)).collect()
            }
        };
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Milliseconds of an amount, over all its tickets.
    pub fn took_ms(&self, amount: Amount) -> i64 {
        self.took_ms[amount as usize]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::with_standard;

    fn row(counts: &[usize]) -> Row {
        let tickets = |n: &usize| (0..*n as u64).collect();
        Row { tickets: counts.iter().map(tickets).collect(), took_ms: [0; 2] }
    }

    proptest! {
        /// One more of a numerator never lowers a rate and one more of a denominator never raises it; points follow their rates.
        #[test]
        fn figures_are_monotone(counts in prop::collection::vec(0usize..20, Count::ALL.len()), more in 0..Count::ALL.len()) {
            let scores = with_standard(&[]);
            let (before, mut counts) = (row(&counts), counts);
            counts[more] += 1;
            let (after, count) = (row(&counts), Count::ALL[more]);
            for score in &scores {
                let pair = before.figure(&score.figure, &scores).zip(after.figure(&score.figure, &scores));
                let (Some((before, after)), Figure::Rate { numerator, denominator, .. }) = (pair, &score.figure) else {
                    continue;
                };
                match (numerator.0.contains(&count), denominator.0.contains(&count)) {
                    (true, false) => prop_assert!(after >= before, "{}", score.id),
                    (false, true) => prop_assert!(after <= before, "{}", score.id),
                    (false, false) => prop_assert_eq!(after, before),
                    (true, true) => {}
                }
            }
            let points = |row: &Row| scores.iter().find(|score| score.id == "jinniu").and_then(|score| row.figure(&score.figure, &scores));
            if let Some((before, after)) = points(&before).zip(points(&after)) {
                match count {
                    Count::Handled | Count::HandledInTime => prop_assert!(after >= before),
                    Count::Reworked | Count::Overdue | Count::Extended => prop_assert!(after <= before),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn nothing_due_is_no_figure_unless_the_formula_says_what_it_is() {
        let (none, scores) = (Row::default(), with_standard(&[]));
        let figure = |id: &str| {
            let score = scores.iter().find(|score| score.id == id);
            score.and_then(|score| none.figure(&score.figure, &scores))
        };
        assert_eq!((figure("handled"), figure("jinniu"), figure("handling-hours")), (None, None, None));
        assert_eq!(figure("n-overdue"), Some(0.0));
        let sum = |count| Sum(vec![count]);
        let (numerator, denominator) = (sum(Count::Closed), sum(Count::DueClosed));
        let rate = Figure::Rate { numerator, denominator, none: Some(100.0) };
        assert_eq!(none.figure(&rate, &scores), Some(100.0));
    }
}
