//! Topic → feed and source name, resolved once per topic and kept within a bound. Knows nothing of payloads.
//!
//! Every name is one `Arc<str>`, shared by the topics that lead to it; nothing is ever evicted, so a name that was
//! accepted stays accepted, and a flood of new topics cannot push known sensors out.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::fast::RandomState;

use crate::config::topic::{SourceTemplate, TopicFilter};

use super::reject::{RejectReason, excerpt};

/// Longest source name.
const SOURCE_BYTES_MAX: usize = 256;
/// Sources of this prefix are cameras; nothing that comes by MQTT may speak for one.
const CAMERA_PREFIX: &str = "cam:";

/// What is wrong with `{name}` under other formats.
pub const NO_NAME: &str = "{name} exists only where payloads name their sources: senml, senml-cbor, \
     chirpstack, the-things, milesight, sparkplug-b";

#[derive(Debug)]
pub(super) struct SourceCache {
    /// In the order of the feeds.
    routes: Vec<NamedRoute>,
    names_max: usize,
    known: RwLock<Known>,
}

#[derive(Debug)]
struct NamedRoute {
    filters: Vec<TopicFilter>,
    template: SourceTemplate,
}

#[derive(Debug, Default)]
struct Known {
    topics: HashMap<Arc<str>, (usize, Arc<str>), RandomState>,
    /// Source names, and metric names where these come from outside.
    names: HashSet<Arc<str>, RandomState>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    Known {
        route: usize,
        /// The topic itself where the template wants the record's name: see [`SourceCache::named`].
        source: Arc<str>,
    },
    Refused {
        route: Option<usize>,
        reason: RejectReason,
        place: String,
    },
}

impl SourceCache {
    pub(super) fn new(names_max: usize) -> Self {
        SourceCache { routes: Vec::new(), names_max, known: RwLock::default() }
    }

    /// `names` says whether the format gives records names of their own.
    pub(super) fn add_feed(&mut self, topics: &[String], template: &str, names: bool) -> Result<(), String> {
        let template = SourceTemplate::parse(template).map_err(|error| format!("source: {error}"))?;
        if template.has_name() && !names {
            return Err(format!("source: {NO_NAME}"));
        }
        let mut filters = Vec::with_capacity(topics.len());
        for topic in topics {
            filters.push(TopicFilter::parse(topic).map_err(|error| format!("topic filter {topic:?}: {error}"))?);
        }
        self.routes.push(NamedRoute { filters, template });
        Ok(())
    }

    pub(super) fn resolve(&self, topic: &Arc<str>) -> Resolution {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((route, source)) = known.topics.get(topic) {
            return Resolution::Known { route: *route, source: source.clone() };
        }
        drop(known);
        self.resolve_new(topic)
    }

    fn resolve_new(&self, topic: &Arc<str>) -> Resolution {
        let matches = |route: &NamedRoute| route.filters.iter().any(|filter| filter.matches(topic));
        let Some(route) = self.routes.iter().position(matches) else {
            let place = format!("topic {}", excerpt(topic));
            return Resolution::Refused { route: None, reason: RejectReason::UnknownTopic, place };
        };
        let refused = |reason, place: String| Resolution::Refused {
            route: Some(route),
            reason,
            place: format!("topic {}: {place}", excerpt(topic)),
        };
        let template = &self.routes[route].template;
        let source = match template.source(topic, "") {
            _ if template.has_name() => topic.to_string(),
            Ok(source) => source,
            Err(level) => {
                return refused(RejectReason::UnknownTopic, format!("the source template wants level {level}"));
            }
        };
        if let Err((reason, place)) = checked(&source) {
            return refused(reason, place.to_owned());
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.topics.len() >= self.names_max {
            return refused(RejectReason::TooManySources, format!("more than {} topics", self.names_max));
        }
        let Some(source) = known.name(&source, self.names_max) else {
            return refused(RejectReason::TooManySources, format!("more than {} names", self.names_max));
        };
        known.topics.insert(topic.clone(), (route, source.clone()));
        Resolution::Known { route, source }
    }

    /// Whether the feed that reads this topic names sources by their records.
    pub(super) fn has_name(&self, topic: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.topics.get(topic).is_some_and(|(route, _)| self.routes[*route].template.has_name())
    }

    /// The source of a record of this name.
    pub(super) fn named(&self, topic: &str, name: &str) -> Result<Arc<str>, (RejectReason, String)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let route = known.topics.get(topic).map(|(route, _)| *route);
        drop(known);
        let Some(route) = route else {
            return Err((RejectReason::UnknownTopic, format!("topic {}", excerpt(topic))));
        };
        let source = self.routes[route].template.source(topic, name).map_err(|level| {
            (RejectReason::UnknownTopic, format!("the source template wants level {level} of the topic"))
        })?;
        checked(&source).map_err(|(reason, place)| (reason, place.to_owned()))?;
        self.name(&source)
    }

    /// The shared copy of a name.
    pub(super) fn name(&self, name: &str) -> Result<Arc<str>, (RejectReason, String)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = known.names.get(name) {
            return Ok(name.clone());
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known
            .name(name, self.names_max)
            .ok_or_else(|| (RejectReason::TooManySources, format!("more than {} names", self.names_max)))
    }

    pub(super) fn n_topics(&self) -> usize {
        self.known.read().unwrap_or_else(PoisonError::into_inner).topics.len()
    }
}

impl Known {
    fn name(&mut self, name: &str, names_max: usize) -> Option<Arc<str>> {
        if let Some(name) = self.names.get(name) {
            return Some(name.clone());
        }
        if self.names.len() >= names_max {
            return None;
        }
        let name: Arc<str> = name.into();
        self.names.insert(name.clone());
        Some(name)
    }
}

fn checked(source: &str) -> Result<(), (RejectReason, &'static str)> {
    if source.is_empty() {
        return Err((RejectReason::BadText, "the source name is empty"));
    }
    if source.len() > SOURCE_BYTES_MAX {
        return Err((RejectReason::TooLarge, "the source name is longer than 256 bytes"));
    }
    if source.chars().any(char::is_control) {
        return Err((RejectReason::BadText, "the source name has control characters"));
    }
    if source.starts_with(CAMERA_PREFIX) {
        return Err((RejectReason::BadText, "names that begin with cam: belong to cameras"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(topics: &str, template: &str, names_max: usize) -> SourceCache {
        let mut cache = SourceCache::new(names_max);
        cache.add_feed(&[topics.to_owned()], template, true).unwrap();
        cache
    }

    fn refusal(cache: &SourceCache, topic: &str) -> Option<RejectReason> {
        match cache.resolve(&topic.into()) {
            Resolution::Known { .. } => None,
            Resolution::Refused { reason, .. } => Some(reason),
        }
    }

    #[test]
    fn topics_of_one_source_share_its_name() {
        let cache = cache("site/+/#", "{0}/{1}", 10);
        let (a, b) = (cache.resolve(&"site/7/ch4".into()), cache.resolve(&"site/7/co".into()));
        let (Resolution::Known { source: a, .. }, Resolution::Known { source: b, .. }) = (a, b) else {
            panic!("both topics are known")
        };
        assert_eq!(&*a, "site/7");
        assert!(Arc::ptr_eq(&a, &b));
    }

    #[test]
    fn a_flood_of_topics_stops_at_the_bound_and_known_ones_stay() {
        let cache = cache("#", "{topic}", 2);
        assert_eq!(refusal(&cache, "a"), None);
        assert_eq!(refusal(&cache, "b"), None);
        assert_eq!(refusal(&cache, "c"), Some(RejectReason::TooManySources));
        assert_eq!(refusal(&cache, "a"), None);
        assert_eq!(cache.n_topics(), 2);
    }

    #[test]
    fn a_topic_cannot_speak_for_a_camera() {
        let cache = cache("#", "{topic}", 10);
        assert_eq!(refusal(&cache, "cam:gate"), Some(RejectReason::BadText));
        assert_eq!(refusal(&cache, "a\u{7}"), Some(RejectReason::BadText));
        assert_eq!(refusal(&cache, &"x".repeat(257)), Some(RejectReason::TooLarge));
        assert_eq!(cache.n_topics(), 0);
    }

    #[test]
    fn a_topic_that_no_feed_takes_is_unknown_and_not_kept() {
        let cache = cache("site/+", "{3}", 10);
        assert_eq!(refusal(&cache, "elsewhere"), Some(RejectReason::UnknownTopic));
        assert_eq!(refusal(&cache, "site/1"), Some(RejectReason::UnknownTopic));
        assert_eq!(cache.n_topics(), 0);
    }
}
