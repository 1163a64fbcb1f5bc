//! Counts events found, false alarms and delay of the detector on series whose events are known.

use outpost_detectors::anomaly::{ALERT_SCORE, AnomalyConfig, AnomalyState, MARGIN_NAB};

/// NAB's price of a false alarm, and two of someone who has to go and look.
pub(crate) const MARGINS: [f64; 3] = [MARGIN_NAB, 0.1, 0.25];

/// What came of some events. Delays are in rows.
#[derive(Default)]
pub(crate) struct Tally {
    n_events: usize,
    delays: Vec<usize>,
    n_false: usize,
    n_rows: usize,
}

/// Runs one detector on each channel; the first alarm of any of them finds an event. Alarms within `n_settle` rows after
/// an event are its end, not false.
pub(crate) fn judge(
    config: &AnomalyConfig,
    channels: &[Vec<f64>],
    at_ms: &[i64],
    events: &[(usize, usize)],
    n_settle: usize,
) -> Tally {
    let mut states = vec![AnomalyState::default(); channels.len()];
    let mut tally = Tally { n_events: events.len(), ..Tally::default() };
    let mut found = vec![false; events.len()];
    for (row, at) in at_ms.iter().enumerate() {
        let mut alarm = false;
        for (state, channel) in states.iter_mut().zip(channels) {
            alarm |= config.observe(state, channel[row], *at).score >= ALERT_SCORE;
        }
        if row < config.learn_n as usize {
            continue;
        }
        tally.n_rows += 1;
        if !alarm {
            continue;
        }
        match events.iter().position(|&(first, last)| (first..=last + n_settle).contains(&row)) {
            None => tally.n_false += 1,
            Some(event) if row <= events[event].1 && !found[event] => {
                found[event] = true;
                tally.delays.push(row - events[event].0);
            }
            Some(_) => {}
        }
    }
    tally
}

impl Tally {
    pub(crate) const HEADER: &str =
        "| | margin | events | found | recall | precision | median delay, rows | false alarms per 1,000 rows |
|---|---|---|---|---|---|---|---|";

    pub(crate) fn add(&mut self, other: &Tally) {
        self.n_events += other.n_events;
        self.delays.extend(&other.delays);
        self.n_false += other.n_false;
        self.n_rows += other.n_rows;
    }

    pub(crate) fn line(&self, name: &str, margin: f64) -> String {
        let n_found = self.delays.len();
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        let delay = delays.get(n_found / 2).map_or("–".to_owned(), |delay| delay.to_string());
        format!(
            "| {name} | {margin} | {} | {n_found} | {:.2} | {:.2} | {delay} | {:.2} |",
            self.n_events,
            n_found as f64 / self.n_events.max(1) as f64,
            n_found as f64 / (n_found + self.n_false).max(1) as f64,
            self.n_false as f64 * 1_000.0 / self.n_rows.max(1) as f64,
        )
    }
}
