//! What is known of each source that spoke: when last, how often, what was wrong with it. Shown under the source.

use std::collections::HashMap;
use std::sync::Arc;

use outpost_detectors::observation::{Fact, LinkReason, LinkState, Observation};

/// Text of a reject that is kept per source.
const REJECT_CHARS_MAX: usize = 200;

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

pub struct Sources {
    by_source: HashMap<Arc<str>, SourceView>,
    sources_max: usize,
}

impl Sources {
    pub fn new(sources_max: usize) -> Sources {
        Sources { by_source: HashMap::new(), sources_max }
    }

    pub fn observed(&mut self, observation: &Observation) {
        let Some(view) = self.view(&observation.source) else { return };
        view.n_observations += 1;
        view.last_ms = Some(observation.received_ms);
        match &observation.fact {
            Fact::Reading(reading) => {
                view.last =
                    Last::Reading { metric: reading.metric.clone(), value: reading.value, unit: reading.unit.clone() };
            }
            Fact::Position(position) => view.last = Last::Position { lon: position.lon, lat: position.lat },
            Fact::Thermal(_) => view.last = Last::Thermal,
            Fact::Picture(_) => view.last = Last::Picture,
            Fact::Link(link) => view.link = Some((link.state, link.reason)),
        }
    }

    /// Returns whether this source was well until now: the moment to log it.
    pub fn rejected(&mut self, source: &Arc<str>, place: &str) -> bool {
        let Some(view) = self.view(source) else { return false };
        view.n_rejected += 1;
        let text: String = place.chars().take(REJECT_CHARS_MAX).collect();
        let changed = view.last_reject.as_deref().is_none_or(|last| last != text);
        let news = view.last_reject.is_none();
        if changed {
            view.last_reject = Some(text);
        }
        news
    }

    pub fn views(&self) -> Vec<SourceView> {
        let mut views: Vec<SourceView> = self.by_source.values().cloned().collect();
        views.sort_by(|a, b| a.source.cmp(&b.source));
        views
    }

    fn view(&mut self, source: &Arc<str>) -> Option<&mut SourceView> {
        if self.by_source.len() >= self.sources_max {
            return self.by_source.get_mut(source);
        }
        let new = || SourceView { source: source.clone(), ..SourceView::default() };
        Some(self.by_source.entry(source.clone()).or_insert_with(new))
    }
}
