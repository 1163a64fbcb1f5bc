//! Holds a decode thread to its share of a core. Knows nothing of what it decodes.

use std::time::Duration;

/// Longest pause at a time: the queue behind is not left for longer.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// Rest that may be saved up: a thread that was idle may work through a burst of this.
const SAVED_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Throttle {
    /// Of one core, above 0 and up to 1.
    share: f64,
    /// Rest that is due, in seconds; below 0 what was saved up.
    due_s: f64,
}

impl Throttle {
    /// `share` of one core; what is not between 0 and 1 is no limit.
    pub(super) fn new(share: f64) -> Self {
        Throttle { share: if share > 0.0 && share < 1.0 { share } else { 1.0 }, due_s: 0.0 }
    }

    /// The thread waited for so long because there was nothing to do.
    pub(super) fn rested(&mut self, time: Duration) {
        self.due_s = (self.due_s - time.as_secs_f64()).max(-SAVED_MAX.as_secs_f64());
    }

    /// The thread worked for so long: the pause that it must make now, which counts as made.
    pub(super) fn worked(&mut self, time: Duration) -> Duration {
        self.due_s += time.as_secs_f64() * (1.0 / self.share - 1.0);
        let pause_s = self.due_s.clamp(0.0, PAUSE_MAX.as_secs_f64());
        self.due_s -= pause_s;
        Duration::from_secs_f64(pause_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_quarter_of_a_core_works_a_quarter_of_the_time() {
        let mut throttle = Throttle::new(0.25);
        let paused: Duration = (0..1_000).map(|_| throttle.worked(10 * MS)).sum();
        assert!((paused.as_secs_f64() - 30.0).abs() < 0.1, "{paused:?} beside 10 s of work");
    }

    #[test]
    fn rest_is_saved_up_for_bursts_and_no_further() {
        let mut throttle = Throttle::new(0.5);
        throttle.rested(60_000 * MS);
        let bursts = (0..).take_while(|_| throttle.worked(10 * MS).is_zero()).count();
        assert!((99..=101).contains(&bursts), "{bursts} times 10 ms");
    }

    #[test]
    fn a_whole_core_never_pauses() {
        for share in [1.0, 0.0, 7.0, f64::NAN] {
            assert!(Throttle::new(share).worked(1_000 * MS).is_zero());
        }
    }
}
