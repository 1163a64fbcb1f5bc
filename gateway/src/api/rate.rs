//! How often a key may post: as many at once as in a minute, then as they come back. Bounded by the keys that there are.

use std::sync::{Mutex, PoisonError};

/// One bucket for each key.
pub(super) struct Rates {
    per_minute: u32,
    buckets: Mutex<Vec<Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// What is left, in posts.
    left: f64,
    at_ms: i64,
}

impl Rates {
    pub(super) fn new(n_keys: usize, per_minute: u32) -> Rates {
        let full = Bucket { left: f64::from(per_minute), at_ms: i64::MIN };
        Rates { per_minute, buckets: Mutex::new(vec![full; n_keys]) }
    }

    /// Whether the key may post now; seconds to wait where not.
    pub(super) fn take(&self, key: usize, now_ms: i64) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bucket) = buckets.get_mut(key) else { return Err(60) };
        let per_ms = f64::from(self.per_minute) / 60_000.0;
        // A clock that was set back gives nothing, and takes nothing.
        let passed_ms = now_ms.saturating_sub(bucket.at_ms).max(0) as f64;
        bucket.left = (bucket.left + passed_ms * per_ms).min(f64::from(self.per_minute));
        bucket.at_ms = now_ms;
        if bucket.left < 1.0 {
            return Err(((1.0 - bucket.left) / per_ms / 1_000.0).ceil() as u64);
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_minute_and_takes_nobody_elses() {
        let rates = Rates::new(2, 3);
        assert_eq!([0, 1, 2].map(|_| rates.take(0, 1_000)), [Ok(()); 3]);
        assert_eq!(rates.take(0, 1_000), Err(20));
        assert_eq!(rates.take(1, 1_000), Ok(()));
        assert_eq!(rates.take(0, 20_999), Err(1));
        assert_eq!(rates.take(0, 21_001), Ok(()));
        assert_eq!(rates.take(0, 0), Err(20), "a clock that was set back");
        assert_eq!(rates.take(2, 0), Err(60), "a key that is none");
    }
}
