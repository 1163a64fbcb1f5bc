//! How many cameras are opened at once, and how fast: after a power cut a thousand come back together, and their switch,
//! their recorder and this machine must outlive that. Knows nothing of what opening is.

use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// Between the beginnings of two openings.
const SPACING: Duration = Duration::from_millis(5);

pub struct Admission {
    /// For cameras that answered last time, or were not asked yet.
    ready: Semaphore,
    /// For those that did not: each of them takes a place for as long as a time-out, and must not keep the others waiting.
    doubtful: Semaphore,
    /// When the next opening may begin.
    next: Mutex<Instant>,
}

/// Whether a camera answered when it was last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    Ready,
    Doubtful,
}

impl Admission {
    /// `open_max`: openings at once, half of them, but at least one, for cameras that did not answer last time.
    pub fn new(open_max: usize) -> Self {
        let doubtful = (open_max / 2).max(1);
        let ready = open_max.saturating_sub(doubtful).max(1);
        Admission { ready: Semaphore::new(ready), doubtful: Semaphore::new(doubtful), next: Mutex::new(Instant::now()) }
    }

    /// Waits for a place, first come, first served. It is free again when the permit is dropped.
    pub(super) async fn enter(&self, record: Record) -> Option<SemaphorePermit<'_>> {
        let places = match record {
            Record::Ready => &self.ready,
            Record::Doubtful => &self.doubtful,
        };
        // Never closed, so there always is one in the end.
        let permit = places.acquire().await.ok();
        let mut next = self.next.lock().await;
        sleep_until(*next).await;
        *next = Instant::now() + SPACING;
        permit
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    /// Opens `n` cameras at once; the most that were open together.
    async fn open(admission: &Arc<Admission>, record: Record, n: usize) -> usize {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let open_one = |_| {
            let (admission, now, most) = (admission.clone(), now.clone(), most.clone());
            tokio::spawn(async move {
                let place = admission.enter(record).await;
                most.fetch_max(now.fetch_add(1, Relaxed) + 1, Relaxed);
                tokio::time::sleep(2 * SPACING).await;
                now.fetch_sub(1, Relaxed);
                drop(place);
            })
        };
        futures::future::join_all((0..n).map(open_one)).await;
        most.load(Relaxed)
    }

    #[tokio::test]
    async fn a_few_are_opened_at_once() {
        let admission = Arc::new(Admission::new(4));
        assert!((1..=2).contains(&open(&admission, Record::Ready, 32).await));
    }

    #[tokio::test]
    async fn openings_follow_each_other_at_a_distance() {
        let admission = Admission::new(64);
        let started = Instant::now();
        let places = futures::future::join_all((0..10).map(|_| admission.enter(Record::Ready))).await;
        // A busy machine makes it longer, never shorter.
        assert!(places.len() == 10 && started.elapsed() >= Duration::from_millis(9 * 5), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn cameras_that_do_not_answer_keep_no_others_waiting() {
        let admission = Arc::new(Admission::new(4));
        for _ in 0..50 {
            let admission = admission.clone();
            tokio::spawn(async move {
                let _place = admission.enter(Record::Doubtful).await;
                std::future::pending::<()>().await;
            });
        }
        // Those never give their places back.
        assert!(open(&admission, Record::Ready, 16).await >= 1);
    }

    #[test]
    fn there_is_always_a_place_for_either() {
        for open_max in [0, 1, 2, 3] {
            let admission = Admission::new(open_max);
            assert!(admission.ready.available_permits() > 0 && admission.doubtful.available_permits() > 0);
        }
    }
}
