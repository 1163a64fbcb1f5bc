//! `outpost backtest`: which tickets new rules would have opened over recorded observations, beside those of the old
//! rules. Pure: the same Watch that runs live, time is what the recording says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use outpost_detectors::observation::Observation;
use outpost_fences::FenceSet;

use super::rules::RuleError;
use super::watch::{Effect, Watch};
use crate::config::{Config, Severity};
use crate::nouns::AlertKey;
use crate::telemetry::time_text;

/// Old and new rules over the same observations.
pub struct Backtest {
    old: Option<Side>,
    new: Side,
}

/// What one set of rules found.
struct Side {
    watch: Watch,
    effects: Vec<Effect>,
    found: BTreeMap<Identity, Found>,
}

/// What makes two tickets the same: what they are about, and since when it holds.
type Identity = (i64, Arc<str>, Arc<str>, Option<Arc<str>>);

struct Found {
    opened_ms: i64,
    severity: Severity,
    why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    Old,
    New,
    Both,
}

/// A ticket that came, or would have come.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub by: By,
    pub opened_ms: i64,
    pub rule: Arc<str>,
    pub source: Arc<str>,
    pub severity: Severity,
    pub why: String,
    /// By how much the new rules open earlier (below 0) or later.
    pub shift_ms: i64,
}

/// How many tickets a rule opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub old: u64,
    pub new: u64,
}

impl Backtest {
    pub fn new(new: (&Config, &FenceSet), old: Option<(&Config, &FenceSet)>) -> Result<Backtest, RuleError> {
        let side = |(config, fences)| -> Result<Side, RuleError> {
            Ok(Side { watch: Watch::new(config, fences)?, effects: Vec::new(), found: BTreeMap::new() })
        };
        Ok(Backtest { old: old.map(side).transpose()?, new: side(new)? })
    }

    pub fn observe(&mut self, observation: &Observation) {
        self.new.observe(observation);
        if let Some(old) = &mut self.old {
            old.observe(observation);
        }
    }

    /// All tickets in the order of time, and their numbers by rule.
    pub fn finish(mut self) -> (Vec<Entry>, BTreeMap<Arc<str>, Tally>) {
        for side in [Some(&mut self.new), self.old.as_mut()].into_iter().flatten() {
            side.watch.message_ends(&mut side.effects);
            side.note();
        }
        let mut old = self.old.map(|side| side.found).unwrap_or_default();
        let mut entries = Vec::new();
        let mut tallies: BTreeMap<Arc<str>, Tally> = BTreeMap::new();
        let mut tell = |(_, rule, source, _): Identity, found: Found, by, shift_ms| {
            let tally = tallies.entry(rule.clone()).or_default();
            tally.old += u64::from(by != By::New);
            tally.new += u64::from(by != By::Old);
            let Found { opened_ms, severity, why } = found;
            entries.push(Entry { by, opened_ms, rule, source, severity, why, shift_ms });
        };
        for (identity, found) in self.new.found {
            match old.remove(&identity) {
                Some(before) => {
                    let shift_ms = found.opened_ms - before.opened_ms;
                    tell(identity, found, By::Both, shift_ms);
                }
                None => tell(identity, found, By::New, 0),
            }
        }
        old.into_iter().for_each(|(identity, found)| tell(identity, found, By::Old, 0));
        entries.sort_by(|a, b| (a.opened_ms, &a.rule, &a.source, a.by).cmp(&(b.opened_ms, &b.rule, &b.source, b.by)));
        (entries, tallies)
    }
}

impl Side {
    fn observe(&mut self, observation: &Observation) {
        // What was due before it, each at its own time.
        while self.watch.elapse_next(observation.received_ms, &mut self.effects).is_some() {
            self.note();
        }
        self.watch.step(observation, &mut self.effects);
        self.note();
    }

    fn note(&mut self) {
        for effect in self.effects.drain(..) {
            let Effect::Open(alert) = effect else { continue };
            let AlertKey { rule, source, fence } = alert.key;
            let found = Found { opened_ms: alert.opened_ms, severity: alert.severity, why: alert.why.text };
            self.found.entry((alert.since_at_ms, rule, source, fence)).or_insert(found);
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.by {
            By::Old => '-',
            By::New => '+',
            By::Both => '=',
        };
        let (time, severity) = (time_text(self.opened_ms), self.severity.as_str());
        write!(f, "{sign} {time} {severity} {} {}: {}", self.rule, self.source, self.why)?;
        match self.shift_ms {
            0 => Ok(()),
            ms if ms < 0 => write!(f, " ({} ms earlier)", -ms),
            ms => write!(f, " ({ms} ms later)"),
        }
    }
}
