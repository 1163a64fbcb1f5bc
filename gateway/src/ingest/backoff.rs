//! Waits between attempts: doubling from a floor to a cap, with full jitter in the upper half so that many
//! sessions that fell together do not return together. Knows nothing of what is attempted.

use std::time::Duration;

const DELAY_MS_MIN: u64 = 250;

/// The waits of one session. `seed` tells sessions apart, e.g. a hash of the source's name.
#[derive(Debug, Clone)]
pub struct Backoff {
    failures: u32,
    delay_ms_max: u64,
    random: u64,
}

impl Backoff {
    pub fn new(delay_max: Duration, seed: u64) -> Self {
        let delay_ms_max = u64::try_from(delay_max.as_millis()).unwrap_or(u64::MAX).max(DELAY_MS_MIN);
        Backoff { failures: 0, delay_ms_max, random: seed | 1 }
    }

    /// Something worked: the next failure waits shortly again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Attempts that failed since the last [`Backoff::reset`].
    pub fn failures(&self) -> u32 {
        self.failures
    }

    pub fn next_delay(&mut self) -> Duration {
        let ceiling_ms = DELAY_MS_MIN.saturating_mul(1 << self.failures.min(30)).min(self.delay_ms_max);
        self.failures = self.failures.saturating_add(1);
        // xorshift64: spreading is all that is asked of it.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let half_ms = ceiling_ms / 2;
        Duration::from_millis(ceiling_ms - half_ms + self.random % (half_ms + 1))
    }
}

/// What a server asks for by `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). None where it is neither or is past.
pub fn asked_wait(text: &str, now_ms: i64) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at_ms = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?.as_millisecond();
    Some(Duration::from_millis(u64::try_from(at_ms.checked_sub(now_ms)?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_asks_for_seconds_or_names_a_date() {
        let now_ms = 784_111_770_500;
        let asked = |text| asked_wait(text, now_ms).map(|wait| wait.as_millis());
        assert_eq!(asked(" 120 "), Some(120_000));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(6_500));
        for text in ["Sun, 06 Nov 1994 08:49:30 GMT", "-1", "1.5", "", "soon", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(asked(text), None, "{text:?}");
        }
    }

    #[test]
    fn delays_double_to_the_cap_and_never_exceed_it() {
        let mut backoff = Backoff::new(Duration::from_secs(8), 7);
        let delays: Vec<u128> = (0..20).map(|_| backoff.next_delay().as_millis()).collect();
        for (attempt, delay_ms) in delays.iter().enumerate() {
            let ceiling_ms = (250u128 << attempt).min(8_000);
            assert!((ceiling_ms / 2..=ceiling_ms).contains(delay_ms), "attempt {attempt}: {delay_ms} ms");
        }
        backoff.reset();
        assert!(backoff.next_delay() <= Duration::from_millis(250));
    }

    #[test]
    fn sessions_that_fell_together_do_not_return_together() {
        let first: std::collections::BTreeSet<_> = (0..64)
            .map(|seed| Backoff::new(Duration::from_secs(60), seed * 2_654_435_761).clone())
            .map(|mut b| {
                (0..6).for_each(|_| {
                    b.next_delay();
                });
                b.next_delay().as_millis()
            })
            .collect();
        assert!(first.len() > 48, "only {} different delays of 64", first.len());
    }
}
