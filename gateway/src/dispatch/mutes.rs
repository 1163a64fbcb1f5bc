//! Which alerts make no ticket for now: those that somebody silenced, those of work that was ordered, and those that follow from another alert (a camera
//! that is offline sees nothing, the sensors behind a gateway that is offline say nothing). Knows nothing of tickets.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use super::works::Works;
use crate::config::Inhibit;
use crate::config::pattern::SourcePattern;
use crate::nouns::{Alert, Refusal, Silence, SilenceAsk, Silenced};

/// Silences at a time.
const SILENCES_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Mutes {
    inhibits: Vec<(SourcePattern, Vec<SourcePattern>)>,
    /// Alerts that are on and mute others of their own source, by that: thousands of cameras may be dark at a time.
    within: HashMap<Arc<str>, BTreeMap<Arc<str>, Muting>>,
    /// Those that mute sources behind them.
    behind: BTreeMap<Arc<str>, Muting>,
    silences: BTreeMap<u64, (Silence, Patterns)>,
    pub(super) works: Works,
    withheld: HashMap<Arc<str>, Alert>,
    next_no: u64,
}

#[derive(Debug)]
struct Patterns {
    rule: Option<SourcePattern>,
    source: Option<SourcePattern>,
    category: Option<SourcePattern>,
}

#[derive(Debug)]
struct Muting {
    /// Its entry of `inhibits`.
    nth: usize,
    rule: Arc<str>,
    source: Arc<str>,
}

/// Why an alert has no ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum By {
    Silence(u64),
    Work(Arc<str>),
    Alert { rule: Arc<str>, source: Arc<str> },
}

impl Mutes {
    /// `last_no` is the highest number of a silence ever given.
    pub(super) fn new(inhibits: &[Inhibit], silences: Vec<Silence>, last_no: u64, works: Works) -> Mutes {
        let entry = |inhibit: &Inhibit| {
            let mutes = inhibit.mutes.iter().filter_map(|text| SourcePattern::parse(text).ok()).collect();
            Some((SourcePattern::parse(&inhibit.when).ok()?, mutes))
        };
        let silences = silences.into_iter().map(|silence| (silence.no, (silence.clone(), Patterns::of(&silence.of))));
        Mutes {
            inhibits: inhibits.iter().filter_map(entry).collect(),
            silences: silences.collect(),
            works,
            next_no: last_no + 1,
            ..Mutes::default()
        }
    }

    /// An alert is on, whether it has a ticket or not.
    pub(super) fn note(&mut self, id: &Arc<str>, rule: &Arc<str>, source: &Arc<str>) {
        let Some(nth) = self.inhibits.iter().position(|(when, _)| when.matches(rule)) else { return };
        let muting = Muting { nth, rule: rule.clone(), source: source.clone() };
        if self.inhibits[nth].1.is_empty() {
            self.within.entry(source.clone()).or_default().insert(id.clone(), muting);
        } else {
            self.behind.insert(id.clone(), muting);
        }
    }

    /// An alert is over: whether others may have been muted by it.
    pub(super) fn forget(&mut self, id: &str, source: &str) -> bool {
        let mut is_muting = self.behind.remove(id).is_some();
        if let Some(within) = self.within.get_mut(source) {
            is_muting |= within.remove(id).is_some();
            if within.is_empty() {
                self.within.remove(source);
            }
        }
        is_muting
    }

    /// What mutes an alert, if anything does.
    pub(super) fn by(&self, alert: &Alert, now_ms: i64) -> Option<By> {
        let silence = self.silences.values().find(|(_, patterns)| patterns.fit(alert));
        if let Some((silence, _)) = silence {
            return Some(By::Silence(silence.no));
        }
        if let Some(id) = self.works.of(alert, now_ms) {
            return Some(By::Work(id.clone()));
        }
        let key = &alert.key;
        let within = self.within.get(&key.source).into_iter().flat_map(BTreeMap::values);
        let behind = self.behind.values().filter(|muting| {
            let (_, mutes) = &self.inhibits[muting.nth];
            mutes.iter().any(|pattern| pattern.matches(&key.source))
        });
        // What mutes is not muted by its like.
        let mut muting = within.chain(behind).filter(|muting| !self.inhibits[muting.nth].0.matches(&key.rule));
        muting.next().map(|muting| By::Alert { rule: muting.rule.clone(), source: muting.source.clone() })
    }

    pub(super) fn withhold(&mut self, alert: &Alert) {
        self.withheld.insert(alert.id.clone(), Alert { snapshot: None, exhibits: Vec::new(), ..alert.clone() });
    }

    /// Counts an alert for its silence.
    pub(super) fn count(&mut self, by: &By) -> Option<Silence> {
        let By::Silence(no) = by else { return None };
        let (silence, _) = self.silences.get_mut(no)?;
        silence.n_withheld += 1;
        Some(silence.clone())
    }

    pub(super) fn is_withheld(&self, id: &str) -> bool {
        self.withheld.contains_key(id)
    }

    pub(super) fn drop_withheld(&mut self, id: &str) -> bool {
        self.withheld.remove(id).is_some()
    }

    /// Takes out those that nothing mutes any more, in the order in which they opened.
    pub(super) fn take_free(&mut self, now_ms: i64) -> Vec<Alert> {
        let mut free: Vec<Alert> =
            self.withheld.values().filter(|alert| self.by(alert, now_ms).is_none()).cloned().collect();
        free.sort_by(|a, b| (a.opened_ms, &a.id).cmp(&(b.opened_ms, &b.id)));
        free.iter().for_each(|alert| drop(self.withheld.remove(&alert.id)));
        free
    }

    pub(super) fn ask(&mut self, ask: &SilenceAsk, now_ms: i64) -> Result<Silence, Refusal> {
        match ask {
            SilenceAsk::Begin { of, who, reason, lasts_ms } => {
                if self.silences.len() >= SILENCES_MAX {
                    return Err(Refusal::TooManySilences(SILENCES_MAX));
                }
                let silence = Silence {
                    no: self.next_no,
                    of: of.clone(),
                    who: who.clone(),
                    reason: reason.clone(),
                    since_ms: now_ms,
                    until_ms: now_ms.saturating_add(*lasts_ms),
                    ended: None,
                    n_withheld: 0,
                };
                self.next_no += 1;
                self.silences.insert(silence.no, (silence.clone(), Patterns::of(of)));
                Ok(silence)
            }
            SilenceAsk::End { no, who } => {
                let (silence, _) = self.silences.remove(no).ok_or(Refusal::NoSuchSilence(*no))?;
                Ok(Silence { ended: Some((who.clone(), now_ms)), ..silence })
            }
        }
    }

    /// When the next silence or work order is over.
    pub(super) fn due_ms(&self) -> Option<i64> {
        self.silences.values().map(|(silence, _)| silence.until_ms).chain(self.works.due_ms()).min()
    }

    /// Ends a silence whose time is over.
    pub(super) fn take_over(&mut self, who: &str, now_ms: i64) -> Option<Silence> {
        let is_over = |(_, (silence, _)): &(&u64, &(Silence, Patterns))| silence.until_ms <= now_ms;
        let no = *self.silences.iter().find(is_over)?.0;
        let (silence, _) = self.silences.remove(&no)?;
        Some(Silence { ended: Some((who.into(), silence.until_ms)), ..silence })
    }
}

impl Patterns {
    fn of(of: &Silenced) -> Patterns {
        let pattern = |text: &Option<Arc<str>>| text.as_deref().and_then(|text| SourcePattern::parse(text).ok());
        Patterns { rule: pattern(&of.rule), source: pattern(&of.source), category: pattern(&of.category) }
    }

    fn fit(&self, alert: &Alert) -> bool {
        let fits = |pattern: &Option<SourcePattern>, text: &str| pattern.as_ref().is_none_or(|one| one.matches(text));
        let Patterns { rule, source, category } = self;
        let is_any = [rule, source, category].iter().any(|pattern| pattern.is_some());
        is_any && fits(rule, &alert.key.rule) && fits(source, &alert.key.source) && fits(category, &alert.category)
    }
}

impl By {
    /// As it is counted.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            By::Silence(_) => "silence",
            By::Work(_) => "work",
            By::Alert { .. } => "inhibit",
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            By::Silence(no) => write!(f, "silence {no}"),
            By::Work(id) => write!(f, "work order {id}"),
            By::Alert { rule, source } => write!(f, "{rule} of {source}"),
        }
    }
}
