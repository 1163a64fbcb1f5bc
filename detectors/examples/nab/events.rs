//! Counts events found, false alarms and delay of the detector on series whose events are known.

use outpost_detectors::anomaly::{ALERT_SCORE, AnomalyConfig, AnomalyState, MARGIN_NAB};

/// NAB's price of a false alarm, and two of someone who has to go and look.
pub(crate) const MARGINS: [f64; 3] = [MARGIN_NAB, 0.1, 0.25];

/// What came of some events. Delays are in rows.
#[derive(Default)]
pub(crate) struct Tally {
    /// Rows of each event.
    n_event_rows: Vec<usize>,
    delays: Vec<usize>,
    n_false: usize,
    /// Rows at which an alarm would be false.
    n_quiet_rows: usize,
}

/// Runs one detector on each channel; the first alarm of any of them finds an event. Alarms within `n_settle` rows
/// after an event are its end, not false.
pub(crate) fn judge(
    config: &AnomalyConfig,
    channels: &[Vec<f64>],
    at_ms: &[i64],
    events: &[(usize, usize)],
    n_settle: usize,
) -> Tally {
    let mut states = vec![AnomalyState::default(); channels.len()];
    let n_event_rows = events.iter().map(|(first, last)| last - first + 1).collect();
    let mut tally = Tally { n_event_rows, ..Tally::default() };
    let mut found = vec![false; events.len()];
    for (row, at) in at_ms.iter().enumerate() {
        let mut alarm = false;
        for (state, channel) in states.iter_mut().zip(channels) {
            alarm |= config.observe(state, channel[row], *at).score >= ALERT_SCORE;
        }
        if row < config.learn_n as usize {
            continue;
        }
        match events.iter().position(|&(first, last)| (first..=last + n_settle).contains(&row)) {
            None => {
                tally.n_quiet_rows += 1;
                tally.n_false += usize::from(alarm);
            }
            Some(event) if alarm && row <= events[event].1 && !found[event] => {
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
        "| | margin | events | found | by chance | precision | median delay, rows | false alarms per 1,000 rows |
|---|---|---|---|---|---|---|---|";

    pub(crate) fn add(&mut self, other: &Tally) {
        self.n_event_rows.extend(&other.n_event_rows);
        self.delays.extend(&other.delays);
        self.n_false += other.n_false;
        self.n_quiet_rows += other.n_quiet_rows;
    }

    /// "By chance" is how many events random alarms would find that come as often as the false ones.
    pub(crate) fn line(&self, name: &str, margin: f64) -> String {
        let n_found = self.delays.len();
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        let delay = delays.get(n_found / 2).map_or("–".to_owned(), |delay| delay.to_string());
        let false_per_row = self.n_false as f64 / self.n_quiet_rows.max(1) as f64;
        format!(
            "| {name} | {margin} | {} | {n_found} | {:.0} | {:.2} | {delay} | {:.2} |",
            self.n_event_rows.len(),
            self.n_event_rows.iter().map(|n| 1.0 - (-false_per_row * *n as f64).exp()).sum::<f64>(),
            n_found as f64 / (n_found + self.n_false).max(1) as f64,
            false_per_row * 1_000.0,
        )
    }
}
