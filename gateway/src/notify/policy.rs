//! What a failure means for a delivery: when it is tried again, or that it is given up. The one place that decides,
//! for all kinds of receivers. Pure: time comes in.
//!
//! - A passing fault is tried again after a back-off that doubles with jitter up to `retry_max`; a receiver that names
//!   a time (Retry-After) is left alone for that long, within `retry_max`.
//! - A refusal is tried again every `retry_max`: operators mend receivers, and nothing is dropped before its time.
//! - A delivery is given up when an attempt fails at an age of `give_up_after`; the last attempt is made then. None
//!   is given up without an attempt of its own, however old it grew while we were off.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::{Fault, FaultKind};
use crate::config;
use crate::ingest::backoff::Backoff;
use crate::nouns::Delivery;

/// Failures beyond this make the wait no longer: the cap was reached long before.
const STEPS_MAX: u32 = 32;

#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    pub retry_max: Duration,
    pub give_up_after_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    RetryAt(i64),
    GiveUp,
}

impl Policy {
    pub(super) fn new(receiver: &config::Receiver) -> Self {
        Policy { retry_max: receiver.retry_max.duration(), give_up_after_ms: receiver.give_up_after.ms() }
    }

    pub(super) fn after(&self, delivery: &Delivery, fault: &Fault, now_ms: i64) -> Verdict {
        if self.is_overdue(delivery, now_ms) {
            return Verdict::GiveUp;
        }
        let wait = match fault.kind {
            FaultKind::Refused => self.retry_max,
            FaultKind::Passing => {
                self.nth_wait(delivery).max(fault.retry_after.unwrap_or_default().min(self.retry_max))
            }
        };
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        Verdict::RetryAt(now_ms.saturating_add(wait_ms).min(self.last_ms(delivery)))
    }

    pub(super) fn is_overdue(&self, delivery: &Delivery, now_ms: i64) -> bool {
        now_ms >= self.last_ms(delivery)
    }

    fn last_ms(&self, delivery: &Delivery) -> i64 {
        delivery.created_ms.saturating_add(self.give_up_after_ms)
    }

    /// The attempts are counted in the store, so that a restart does not begin anew with short waits.
    fn nth_wait(&self, delivery: &Delivery) -> Duration {
        let mut seed = DefaultHasher::new();
        (&delivery.receiver, &delivery.key).hash(&mut seed);
        let mut backoff = Backoff::new(self.retry_max, seed.finish());
        (0..delivery.attempts.min(STEPS_MAX)).for_each(|_| {
            backoff.next_delay();
        });
        backoff.next_delay()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy { retry_max: Duration::from_secs(60), give_up_after_ms: 3_600_000 };

    fn delivery(attempts: u32) -> Delivery {
        Delivery {
            row: 1,
            receiver: "centre".into(),
            key: "T-1/1".into(),
            kind: "outpost.ticket.opened".into(),
            data: "{}".into(),
            created_ms: 1_000_000,
            attempts,
        }
    }

    fn wait_ms(attempts: u32, fault: &Fault) -> i64 {
        match POLICY.after(&delivery(attempts), fault, 1_000_000) {
            Verdict::RetryAt(at_ms) => at_ms - 1_000_000,
            Verdict::GiveUp => panic!("given up"),
        }
    }

    #[test]
    fn a_passing_fault_is_tried_again_at_doubling_waits_up_to_the_cap() {
        let fault = Fault::passing("timed out");
        for attempts in 0..100 {
            let ceiling_ms = (250i64 << attempts.min(20)).min(60_000);
            let wait_ms = wait_ms(attempts, &fault);
            assert!((ceiling_ms / 2..=ceiling_ms).contains(&wait_ms), "attempt {attempts}: {wait_ms} ms");
        }
    }

    #[test]
    fn a_refusal_is_tried_again_slowly() {
        assert_eq!(wait_ms(0, &Fault::refused("answered 401")), 60_000);
    }

    #[test]
    fn a_receiver_that_names_a_time_is_left_alone_within_the_cap() {
        let asks = |seconds| Fault { retry_after: Some(Duration::from_secs(seconds)), ..Fault::passing("429") };
        assert_eq!(wait_ms(0, &asks(30)), 30_000);
        assert_eq!(wait_ms(0, &asks(86_400 * 365)), 60_000);
        assert!(wait_ms(10, &asks(1)) >= 30_000, "its patience does not shorten ours");
    }

    #[test]
    fn a_delivery_is_given_up_at_its_age_and_not_before() {
        let fault = Fault::refused("answered 410");
        let last_ms = 1_000_000 + 3_600_000;
        assert_eq!(POLICY.after(&delivery(9), &fault, last_ms - 1), Verdict::RetryAt(last_ms), "one last attempt");
        assert_eq!(POLICY.after(&delivery(9), &fault, last_ms), Verdict::GiveUp);
    }
}
