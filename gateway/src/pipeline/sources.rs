//! What is known of each source that spoke: when last, how often, what was wrong with it. Shown under the source.

use std::sync::Arc;

use outpost_detectors::observation::{Fact, LinkReason, LinkState, Observation};

use super::names::Names;
use super::trail::{Trace, Trail};

/// Text of a reject that is kept per source.
const REJECT_CHARS_MAX: usize = 200;

/// Undated facts are dated ahead of their receive time by no more than this: beyond it our clock was set back.
const LEAD_MS_MAX: i64 = 1_000;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceView {
    pub source: Arc<str>,
    pub n_observations: u64,
    pub n_rejected: u64,
    pub last_ms: Option<i64>,
    /// Last fact in words, e.g. `ch4 1.2 %LEL`.
    pub last: Last,
    pub last_reject: Option<String>,
    pub link: Option<(LinkState, Option<LinkReason>)>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub enum Last {
    #[default]
    Nothing,
    Reading {
        metric: Arc<str>,
        value: f64,
        unit: Option<Arc<str>>,
    },
    Position {
        lon: f64,
        lat: f64,
    },
    Thermal,
    Picture,
}

/// What is known of all sources.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overview {
    pub views: Vec<SourceView>,
    /// There is no room for one more (`pipeline.sources_max`): others may speak and are not here.
    pub is_full: bool,
}

pub struct Sources {
    names: Names,
    /// By the numbers of their names.
    known: Vec<Known>,
    trail: Trail,
    n_messages: u64,
}

/// A [`SourceView`] as it is kept of a hundred thousand.
struct Known {
    n_observations: u64,
    last_ms: Option<i64>,
    last: Last,
    link: Option<(LinkState, Option<LinkReason>)>,
    /// How many, and why the last one.
    rejected: Option<Box<(u64, String)>>,
    /// Time given to its latest undated fact, and the message that this was in, numbered from 1; 0 before the first, and
    /// for a time that is from before a restart.
    undated: (i64, u64),
}

impl Default for Known {
    fn default() -> Known {
        Known {
            n_observations: 0,
            last_ms: None,
            last: Last::Nothing,
            link: None,
            rejected: None,
            undated: (i64::MIN, 0),
        }
    }
}

impl Sources {
    /// `trail_max`: readings of all sources together that are kept.
    pub fn new(sources_max: usize, trail_max: usize) -> Sources {
        Sources { names: Names::new(sources_max), known: Vec::new(), trail: Trail::new(trail_max), n_messages: 0 }
    }

    /// A restart: undated facts of this source are later than what its stored state last saw, which may have been dated
    /// ahead of the clock behind a backlog.
    pub fn resume(&mut self, source: &Arc<str>, at_ms: i64) {
        if let Some(known) = self.known(source) {
            known.undated = (at_ms.max(known.undated.0), 0);
        }
    }

    /// Dates the facts of one message that brought no time: by its receive time, but later than the source's message
    /// before. Two that come within one millisecond, as behind a backlog they do, would else look like one moment told
    /// twice, and the detectors would hear less than live.
    pub fn date(&mut self, observations: &mut [Observation]) {
        self.n_messages += 1;
        let message = self.n_messages;
        for observation in observations.iter_mut().filter(|observation| observation.at_ms == observation.received_ms) {
            let received_ms = observation.received_ms;
            let Some(known) = self.known(&observation.source) else { continue };
            observation.at_ms = match known.undated {
                (at_ms, before) if before == message => at_ms,
                (at_ms, _) if (0..LEAD_MS_MAX).contains(&at_ms.saturating_sub(received_ms)) => at_ms + 1,
                _ => received_ms,
            };
            known.undated = (observation.at_ms, message);
        }
    }

    pub fn observed(&mut self, observation: &Observation) {
        let Some(number) = self.number(&observation.source) else { return };
        if let Fact::Reading(reading) = &observation.fact {
            self.trail.push(number, observation.at_ms, reading);
        }
        let known = &mut self.known[number];
        known.n_observations += 1;
        known.last_ms = Some(observation.received_ms);
        match &observation.fact {
            Fact::Reading(reading) => {
                if let Last::Reading { metric, value, unit } = &mut known.last
                    && Arc::ptr_eq(metric, &reading.metric)
                    && *unit == reading.unit
                {
                    *value = reading.value;
                    return;
                }
                known.last =
                    Last::Reading { metric: reading.metric.clone(), value: reading.value, unit: reading.unit.clone() };
            }
            Fact::Position(position) => known.last = Last::Position { lon: position.lon, lat: position.lat },
            Fact::Thermal(_) => known.last = Last::Thermal,
            Fact::Picture(_) => known.last = Last::Picture,
            Fact::Link(link) => known.link = Some((link.state, link.reason)),
        }
    }

    /// Returns whether this source was well until now: the moment to log it.
    pub fn rejected(&mut self, source: &Arc<str>, place: &str) -> bool {
        let Some(known) = self.known(source) else { return false };
        let is_news = known.rejected.is_none();
        let (n_rejected, last) = &mut **known.rejected.get_or_insert_default();
        *n_rejected += 1;
        if *n_rejected == 1 || !last.chars().eq(place.chars().take(REJECT_CHARS_MAX)) {
            *last = place.chars().take(REJECT_CHARS_MAX).collect();
        }
        is_news
    }

    pub fn overview(&self) -> Overview {
        let view = |(source, known): (&Arc<str>, &Known)| SourceView {
            source: source.clone(),
            n_observations: known.n_observations,
            n_rejected: known.rejected.as_ref().map_or(0, |rejected| rejected.0),
            last_ms: known.last_ms,
            last: known.last.clone(),
            last_reject: known.rejected.as_ref().map(|rejected| rejected.1.clone()),
            link: known.link,
        };
        Overview { views: self.names.iter().zip(&self.known).map(view).collect(), is_full: self.names.is_full() }
    }

    /// What the source said between two device times, as far as it is kept.
    pub fn trace(&mut self, source: &Arc<str>, from_ms: i64, to_ms: i64) -> Option<Trace> {
        let number = self.names.find(source)?;
        Some(self.trail.trace(number, from_ms, to_ms))
    }

    fn known(&mut self, source: &Arc<str>) -> Option<&mut Known> {
        let number = self.number(source)?;
        self.known.get_mut(number)
    }

    fn number(&mut self, source: &Arc<str>) -> Option<usize> {
        let number = self.names.find(source).or_else(|| self.names.add(source))?;
        if number == self.known.len() {
            self.known.push(Known::default());
        }
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use outpost_detectors::observation::Reading;

    use super::*;

    fn reading(source: &str, at_ms: i64, received_ms: i64) -> Observation {
        let fact = Fact::Reading(Reading { metric: "value".into(), value: 1.0, unit: None });
        Observation { source: source.into(), at_ms, received_ms, fact }
    }

    #[test]
    fn undated_messages_of_one_millisecond_keep_their_order() {
        let mut sources = Sources::new(2, 0);
        let mut dated = |messages: &[&[(&str, i64, i64)]]| -> Vec<Vec<i64>> {
            let date = |message: &&[(&str, i64, i64)]| {
                let mut facts: Vec<_> = message.iter().map(|(source, at, now)| reading(source, *at, *now)).collect();
                sources.date(&mut facts);
                facts.into_iter().map(|fact| fact.at_ms).collect()
            };
            messages.iter().map(date).collect()
        };
        let undated = ("a", 5_000, 5_000);
        assert_eq!(dated(&[&[undated], &[undated], &[undated]]), [[5_000], [5_001], [5_002]]);
        assert_eq!(dated(&[&[("b", 5_000, 5_000)]]), [[5_000]], "another source");
        assert_eq!(dated(&[&[("b", 5_001, 5_001), ("b", 5_001, 5_001)]]), [[5_001, 5_001]], "two facts of one message");
        assert_eq!(dated(&[&[("a", 4_000, 5_000)]]), [[4_000]], "what has a time keeps it");
        assert_eq!(dated(&[&[("a", 5_002, 5_002)], &[("a", 6_000, 6_000)]]), [[5_003], [6_000]], "the clock caught up");
        assert_eq!(dated(&[&[("a", 1_000, 1_000)]]), [[1_000]], "our clock was set back");
        assert_eq!(dated(&[&[("c", 9_000, 9_000)], &[("c", 9_000, 9_000)]]), [[9_000], [9_000]], "no room for it");
        assert!(sources.overview().is_full);
    }
}
