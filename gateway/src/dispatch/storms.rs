//! Sources that tell too much: more tickets within a span than anybody can read become one. Knows numbers of tickets only.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::config;

/// Sources with tickets of late that are remembered; beyond, those whose last one is too long ago are dropped.
const SOURCES_SWEPT: usize = 4_096;

#[derive(Debug)]
pub(super) struct Storms {
    n: usize,
    within_ms: i64,
    /// Tickets that each source has had of late, with the times at which they opened.
    recent: HashMap<Arc<str>, VecDeque<(i64, u64)>>,
    /// Storms that are on: ticket, and when the last alert came; none after a restart, where nobody knows.
    on: HashMap<Arc<str>, (u64, Option<i64>)>,
}

impl Storms {
    pub(super) fn new(config: &config::Storm) -> Storms {
        Storms { n: config.n, within_ms: config.within.ms(), recent: HashMap::new(), on: HashMap::new() }
    }

    /// The ticket of the storm that an alert of this source belongs to.
    pub(super) fn hit(&mut self, source: &str, now_ms: i64) -> Option<u64> {
        let (ticket, last_ms) = self.on.get_mut(source)?;
        *last_ms = Some(now_ms);
        Some(*ticket)
    }

    /// A ticket of its own; the tickets of late where there are too many now.
    pub(super) fn opened(&mut self, source: &Arc<str>, ticket: u64, now_ms: i64) -> Option<Vec<u64>> {
        if self.recent.len() >= SOURCES_SWEPT {
            let since_ms = now_ms.saturating_sub(self.within_ms);
            self.recent.retain(|_, tickets| tickets.back().is_some_and(|(at_ms, _)| *at_ms > since_ms));
        }
        let recent = self.recent.entry(source.clone()).or_default();
        recent.push_back((now_ms, ticket));
        while recent.front().is_some_and(|(at_ms, _)| now_ms.saturating_sub(*at_ms) > self.within_ms) {
            recent.pop_front();
        }
        if recent.len() <= self.n {
            return None;
        }
        Some(self.recent.remove(source)?.into_iter().map(|(_, ticket)| ticket).collect())
    }

    /// A ticket that was there before a restart, those of lower numbers first.
    pub(super) fn remember(&mut self, source: &Arc<str>, ticket: u64, opened_ms: i64) {
        let recent = self.recent.entry(source.clone()).or_default();
        recent.push_back((opened_ms, ticket));
        if recent.len() > self.n {
            recent.pop_front();
        }
    }

    pub(super) fn within_ms(&self) -> i64 {
        self.within_ms
    }

    pub(super) fn begin(&mut self, source: Arc<str>, ticket: u64, last_ms: Option<i64>) {
        self.on.insert(source, (ticket, last_ms));
    }

    pub(super) fn end(&mut self, source: &str) {
        self.on.remove(source);
    }

    /// When the next storm is over, unless another alert comes.
    pub(super) fn due_ms(&self) -> Option<i64> {
        self.on.values().map(|(_, last_ms)| last_ms.map_or(i64::MIN, |ms| ms.saturating_add(self.within_ms))).min()
    }

    /// Takes a storm that has rested for long enough; one of which nobody knows when it last was begins to rest now.
    pub(super) fn take_over(&mut self, now_ms: i64) -> Option<u64> {
        for (_, last_ms) in self.on.values_mut() {
            last_ms.get_or_insert(now_ms);
        }
        let rested = |last_ms: &Option<i64>| last_ms.is_some_and(|ms| ms.saturating_add(self.within_ms) <= now_ms);
        let over =
            self.on.iter().filter(|(_, (_, last_ms))| rested(last_ms)).map(|(source, (no, _))| (*no, source.clone()));
        let (no, source) = over.min()?;
        self.on.remove(&source);
        Some(no)
    }
}
