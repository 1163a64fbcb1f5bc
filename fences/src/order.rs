//! Puts what comes out of order, within a bound, back into the order of its own time.
//!
//! ```
//! use outpost_fences::order::Sorter;
//!
//! let mut sorter = Sorter::new(10_000, 100);
//! sorter.push(5_000, 0, "second", 60_000).unwrap();
//! sorter.push(2_000, 0, "first", 61_000).unwrap();
//! assert_eq!(sorter.pop(61_000), None, "something earlier may still come");
//! sorter.push(13_000, 0, "third", 62_000).unwrap();
//! assert_eq!(sorter.pop(62_000), Some((2_000, "first")), "nothing from before 3 s is waited for any more");
//! assert_eq!(sorter.pop(70_000), Some((5_000, "second")), "waited 10 s for what did not come");
//! ```

use std::collections::{BTreeMap, VecDeque};

/// Holds items until nothing earlier is waited for: until one came that is `lateness_ms` later by the items' own time, or
/// until `lateness_ms` passed since the item came. Any order of arrival that keeps to both gives the sorted order. Items
/// of one time follow their tie; of two with the same time and tie the first is kept.
///
/// An item from far in the future ends all waiting: refuse such times before.
#[derive(Debug, Clone)]
pub struct Sorter<K, T> {
    lateness_ms: i64,
    items_max: usize,
    waiting: BTreeMap<(i64, K), Waiting<T>>,
    /// When what came, in the order of arrival: gateway time, own time.
    arrivals: VecDeque<(i64, i64)>,
    /// Items up to this own time may go.
    horizon_ms: i64,
    released: Option<(i64, K)>,
}

#[derive(Debug, Clone)]
struct Waiting<T> {
    came_ms: i64,
    item: T,
}

/// Why an item was not taken; it comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused<T> {
    /// One of the same time and tie is here or went just before.
    Duplicate(T),
    /// Something later has already gone.
    Late(T),
}

impl<K: Ord + Clone, T> Sorter<K, T> {
    /// Of more than `items_max` items the earliest goes before its time.
    pub fn new(lateness_ms: i64, items_max: usize) -> Sorter<K, T> {
        Sorter {
            lateness_ms: lateness_ms.max(0),
            items_max: items_max.max(1),
            waiting: BTreeMap::new(),
            arrivals: VecDeque::new(),
            horizon_ms: i64::MIN,
            released: None,
        }
    }

    /// Takes an item that happened at `at_ms` and came at `now_ms`.
    pub fn push(&mut self, at_ms: i64, tie: K, item: T, now_ms: i64) -> Result<(), Refused<T>> {
        let key = (at_ms, tie);
        match self.released.as_ref().map(|released| key.cmp(released)) {
            Some(std::cmp::Ordering::Less) => return Err(Refused::Late(item)),
            Some(std::cmp::Ordering::Equal) => return Err(Refused::Duplicate(item)),
            _ if self.waiting.contains_key(&key) => return Err(Refused::Duplicate(item)),
            _ => {}
        }
        self.waiting.insert(key, Waiting { came_ms: now_ms, item });
        if self.arrivals.len() > 2 * self.items_max {
            let arrivals = std::mem::take(&mut self.arrivals);
            self.arrivals = arrivals.into_iter().filter(|(_, at_ms)| !self.has_gone(*at_ms)).collect();
        }
        self.arrivals.push_back((now_ms, at_ms));
        self.horizon_ms = self.horizon_ms.max(at_ms.saturating_sub(self.lateness_ms));
        Ok(())
    }

    /// The earliest item, if nothing before it is waited for at `now_ms`.
    pub fn pop(&mut self, now_ms: i64) -> Option<(i64, T)> {
        while let Some((_, at_ms)) = self
            .arrivals
            .front()
            .copied()
            .filter(|(came_ms, at_ms)| came_ms.saturating_add(self.lateness_ms) <= now_ms || self.has_gone(*at_ms))
        {
            self.horizon_ms = self.horizon_ms.max(at_ms);
            self.arrivals.pop_front();
        }
        let (at_ms, _) = *self.waiting.first_key_value()?.0;
        if at_ms > self.horizon_ms && self.waiting.len() <= self.items_max {
            return None;
        }
        let (key, waiting) = self.waiting.pop_first()?;
        self.released = Some(key);
        Some((at_ms, waiting.item))
    }

    /// Gateway time at which [`Sorter::pop`] next has something if nothing else comes; may be early, never late.
    pub fn due_ms(&self) -> Option<i64> {
        let (came_ms, _) = self.arrivals.front().filter(|_| !self.waiting.is_empty())?;
        Some(came_ms.saturating_add(self.lateness_ms))
    }

    /// What waits, in order: own time, gateway time of arrival, item. Pushed again in the order of arrival it gives the
    /// same state, but for what has gone: see [`Sorter::resume`].
    pub fn iter(&self) -> impl Iterator<Item = (i64, i64, &T)> {
        self.waiting.iter().map(|((at_ms, _), waiting)| (*at_ms, waiting.came_ms, &waiting.item))
    }

    /// Time and tie of what went last: an earlier item is late.
    pub fn released(&self) -> Option<&(i64, K)> {
        self.released.as_ref()
    }

    /// Goes on after a restart: nothing up to `released` is taken again.
    pub fn resume(&mut self, released: (i64, K)) {
        self.released = Some(released);
    }

    /// Number of items that wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn has_gone(&self, at_ms: i64) -> bool {
        self.released.as_ref().is_some_and(|(released_ms, _)| at_ms < *released_ms)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drain(sorter: &mut Sorter<u8, i64>, now_ms: i64) -> Vec<i64> {
        std::iter::from_fn(|| sorter.pop(now_ms)).map(|(_, item)| item).collect()
    }

    proptest! {
        /// Delays up to the lateness, whatever order they make, change nothing; nor do duplicates.
        #[test]
        fn any_order_within_the_lateness_comes_out_sorted(
            steps in prop::collection::vec((0..2_000i64, 0..=5_000i64, any::<bool>()), 1..200),
        ) {
            let mut at_ms = 0;
            let mut arrivals = Vec::new();
            for (gap_ms, delay_ms, twice) in steps {
                at_ms += gap_ms;
                arrivals.push((at_ms + delay_ms, at_ms));
                if twice {
                    arrivals.push((at_ms + delay_ms, at_ms));
                }
            }
            let mut sorted: Vec<i64> = arrivals.iter().map(|(_, at_ms)| *at_ms).collect();
            sorted.sort_unstable();
            sorted.dedup();
            arrivals.sort_unstable();
            let mut sorter = Sorter::new(5_000, 1_000);
            let mut out = Vec::new();
            for (now_ms, at_ms) in arrivals {
                prop_assert!(!matches!(sorter.push(at_ms, 0, at_ms, now_ms), Err(Refused::Late(_))));
                out.extend(drain(&mut sorter, now_ms));
            }
            let end_ms = sorter.due_ms().map_or(0, |due_ms| due_ms + 60_000);
            out.extend(drain(&mut sorter, end_ms));
            prop_assert_eq!(out, sorted);
            prop_assert!(sorter.is_empty() && sorter.due_ms().is_none());
        }

        /// Whatever comes, what goes out is in order, and at most as much waits as may.
        #[test]
        fn nothing_goes_out_of_order(items in prop::collection::vec((any::<i64>(), any::<u8>(), any::<i64>()), 0..300)) {
            let mut sorter = Sorter::new(1_000, 10);
            let mut last = None;
            for (at_ms, tie, now_ms) in items {
                let _ = sorter.push(at_ms, tie, (at_ms, tie), now_ms);
                while let Some((_, item)) = sorter.pop(now_ms) {
                    prop_assert!(last.is_none_or(|last| last < item));
                    last = Some(item);
                }
                prop_assert!(sorter.len() <= 10);
            }
        }
    }

    #[test]
    fn what_waits_goes_when_it_has_waited_long_enough_with_all_that_is_earlier() {
        let mut sorter = Sorter::new(1_000, 10);
        sorter.push(500, 0, 500, 10_000).unwrap();
        sorter.push(400, 0, 400, 10_900).unwrap();
        assert_eq!(sorter.due_ms(), Some(11_000));
        assert!(drain(&mut sorter, 10_999).is_empty());
        assert_eq!(drain(&mut sorter, 11_000), [400, 500]);
        assert_eq!(sorter.push(450, 0, 450, 11_001), Err(Refused::Late(450)));
        assert_eq!(sorter.push(500, 0, 500, 11_001), Err(Refused::Duplicate(500)));
    }

    #[test]
    fn a_restart_goes_on_with_what_waits() {
        let mut sorter = Sorter::new(1_000, 10);
        for (at_ms, now_ms) in [(0, 0), (1_500, 100), (1_200, 200), (900, 300)] {
            sorter.push(at_ms, 0u8, at_ms, now_ms).unwrap();
        }
        assert_eq!(drain(&mut sorter, 300), [0]);
        let mut restored = Sorter::new(1_000, 10);
        restored.resume(*sorter.released().unwrap());
        let mut waiting: Vec<_> = sorter.iter().map(|(at_ms, came_ms, item)| (came_ms, at_ms, *item)).collect();
        waiting.sort_unstable();
        waiting.into_iter().for_each(|(came_ms, at_ms, item)| restored.push(at_ms, 0, item, came_ms).unwrap());
        for now_ms in (300..2_000).step_by(50) {
            assert_eq!(drain(&mut sorter, now_ms), drain(&mut restored, now_ms), "{now_ms}");
        }
        assert_eq!(restored.push(0, 0, 0, 2_000), Err(Refused::Late(0)));
    }
}
