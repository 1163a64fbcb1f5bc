//! Home Assistant's MQTT discovery: devices announce what they measure in retained configuration messages, and their values
//! are read where these say they come. Only devices that the feed allows are read, and only under topics that it
//! subscribes to. Format: <https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery>.
//!
//! A value that comes before its announcement waits for it. An empty configuration takes back what was announced.
//!
//! - [`announce`]: configuration messages
//! - [`template`]: from a payload to a value
//! - [`devices`]: what was announced

mod announce;
mod devices;
mod template;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outpost_detectors::observation::Fact;

use crate::config::pattern::SourcePattern;
use crate::config::topic::TopicFilter;

use super::flat::state;
use super::reject::{Decoded, Reject, RejectReason, bounded, excerpt};
use super::source::SourceCache;
use super::{Arrival, OffGlobe, position, reading};

use announce::{Announced, Announcement, Availability, Kind};
use devices::{Devices, Listener, Waiting, What};
use template::{Given, Rendered, Templates};

/// Largest payload of a value.
const BYTES_MAX: usize = 64 * 1024;
/// Told by availability topics.
const ONLINE: &str = "online";
/// What Home Assistant shows for a value that is not there.
const ABSENT: &[&str] = &["unknown", "unavailable", "null", "nan"];

#[derive(Debug)]
pub(super) struct HomeAssistantReader {
    prefix: String,
    allow: Vec<SourcePattern>,
    devices_max: usize,
    filters: Vec<TopicFilter>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    devices: Devices,
    templates: Templates,
}

type Fault = (RejectReason, String);

impl HomeAssistantReader {
    pub(super) fn new(prefix: &str, allow: &[String], devices_max: usize, topics: &[String]) -> Result<Self, String> {
        let pattern = |text: &String| SourcePattern::parse(text).map_err(|error| format!("allow {text:?}: {error}"));
        let filter = |text: &String| TopicFilter::parse(text).map_err(|error| format!("topic {text:?}: {error}"));
        Ok(HomeAssistantReader {
            prefix: format!("{prefix}/"),
            allow: allow.iter().map(pattern).collect::<Result<_, _>>()?,
            devices_max,
            filters: topics.iter().map(filter).collect::<Result<_, _>>()?,
            known: Mutex::default(),
        })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, sources: &SourceCache, topic: &str, out: &mut Decoded) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut heard = Heard { reader: self, arrival: *arrival, sources, topic, known, out };
        let path = topic.strip_prefix(&self.prefix).and_then(|rest| rest.strip_suffix("/config"));
        match path {
            Some(path) => heard.config(path),
            None if arrival.payload.is_empty() => {
                heard.reject(RejectReason::Missing, format_args!("the payload is empty"));
            }
            None => heard.value(),
        }
    }
}

/// One message on its way.
struct Heard<'a> {
    reader: &'a HomeAssistantReader,
    arrival: Arrival<'a>,
    sources: &'a SourceCache,
    topic: &'a str,
    known: MutexGuard<'a, Known>,
    out: &'a mut Decoded,
}

impl Heard<'_> {
    fn config(&mut self, path: &str) {
        if self.arrival.payload.is_empty() {
            self.known.devices.forget(self.topic);
            self.out.n_ignored += 1;
            return;
        }
        // What was announced here before no longer counts, whatever comes of the new announcement.
        self.known.devices.forget(self.topic);
        let n_rejected = self.out.n_rejected();
        let announced =
            announce::read(path, self.arrival.payload).and_then(|announcement| self.announced(announcement));
        match announced {
            Ok(topics) => {
                self.out.n_ignored += u64::from(self.out.n_rejected() == n_rejected);
                topics.iter().for_each(|topic| self.catch_up(topic));
            }
            Err((reason, place)) => self.reject(reason, format_args!("{place}")),
        }
    }

    /// Keeps what may be kept; the topics of its values.
    fn announced(&mut self, announcement: Announcement) -> Result<Vec<String>, Fault> {
        let Announcement { device, values, n_others, availability, mode, faults } = announcement;
        let source = self.sources.named(self.topic, &device)?;
        if !self.reader.allow.iter().any(|pattern| pattern.matches(&device)) {
            // Told of the device, not of each of its announcements.
            let place = bounded(format_args!("device {} is not among those that the feed allows", excerpt(&device)));
            let (feed, reason) = (Some(self.arrival.feed.clone()), RejectReason::NotAllowed);
            self.out.push_reject(Reject { feed, source: Some(source), place, reason });
            return Ok(Vec::new());
        }
        self.out.n_ignored += n_others;
        for (reason, place) in faults {
            self.reject(reason, format_args!("{place}"));
        }
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let devices_max = self.reader.devices_max;
        if !self.known.devices.has(&source) && self.known.devices.n_devices() >= devices_max {
            return Err((RejectReason::TooManySources, format!("more than {devices_max} devices")));
        }
        if !self.known.devices.has_room(values.len() + availability.len()) {
            return Err((RejectReason::TooManySources, "more values than are kept".to_owned()));
        }
        let config: Arc<str> = self.topic.into();
        let mut kept = Vec::with_capacity(values.len() + availability.len());
        for Announced { metric, topic, template, kind } in values {
            match self.listener(&config, &source, &metric, &topic, template, What::Value(kind)) {
                Ok(listener) => kept.push((topic, listener)),
                Err((reason, place)) => self.reject(reason, format_args!("{}: {place}", excerpt(&metric))),
            }
        }
        for Availability { topic, template, on, off } in availability {
            match self.listener(&config, &source, ONLINE, &topic, template, What::Availability { on, off }) {
                Ok(listener) => kept.push((topic, listener)),
                Err((reason, place)) => self.reject(reason, format_args!("availability: {place}")),
            }
        }
        let topics = kept.iter().map(|(topic, _)| topic.clone()).collect();
        if !kept.is_empty() {
            self.known.devices.keep(self.topic, source, mode, kept);
        }
        Ok(topics)
    }

    fn listener(
        &mut self,
        config: &Arc<str>,
        source: &Arc<str>,
        metric: &str,
        topic: &str,
        template: Option<String>,
        what: What,
    ) -> Result<Listener, Fault> {
        if !self.reader.filters.iter().any(|filter| filter.matches(topic)) {
            let place = format!("comes under {}, which the feed does not subscribe to", excerpt(topic));
            return Err((RejectReason::UnknownTopic, place));
        }
        let template = template.map(|template| {
            let refused = |cause| (RejectReason::BadTemplate, format!("{}: {cause}", excerpt(&template)));
            self.known.templates.add(&template).map_err(refused)
        });
        let unit = match what {
            What::Value(Kind::Number { unit }) => unit.map(|unit| self.sources.name(unit)).transpose()?,
            _ => None,
        };
        let metric = self.sources.name(metric)?;
        let (config, source) = (config.clone(), source.clone());
        Ok(Listener { config, source, metric, unit, template: template.transpose()?, what })
    }

    /// Reads what came under a topic before it was announced.
    fn catch_up(&mut self, topic: &str) {
        let Some(Waiting { payload, received_ms }) = self.known.devices.waited(topic) else { return };
        let own = std::mem::replace(&mut self.arrival.received_ms, received_ms);
        self.take(topic, &payload);
        self.arrival.received_ms = own;
    }

    fn value(&mut self) {
        let (topic, payload) = (self.topic, self.arrival.payload);
        if self.known.devices.has_listeners(topic) {
            return self.take(topic, payload);
        }
        self.known.devices.wait(topic, payload, self.arrival.received_ms);
        self.out.n_ignored += 1;
    }

    fn take(&mut self, topic: &str, payload: &[u8]) {
        if payload.len() > BYTES_MAX {
            let place = format_args!("{} bytes, at most {BYTES_MAX} are read", payload.len());
            return self.reject(RejectReason::TooLarge, place);
        }
        let Ok(text) = std::str::from_utf8(payload) else {
            return self.reject(RejectReason::BadText, format_args!("the payload is not UTF-8"));
        };
        let given = Given::new(text);
        let listeners = self.known.devices.lend(topic);
        let mut told: HashSet<&Arc<str>> = HashSet::new();
        for listener in &listeners {
            // Each configuration of a device names its availability; it is told once.
            if matches!(listener.what, What::Availability { .. }) && !told.insert(&listener.source) {
                continue;
            }
            match self.fact(topic, text, &given, listener) {
                Ok(Some(fact)) => {
                    let mut observation = self.arrival.observation(self.arrival.received_ms, fact);
                    observation.source = listener.source.clone();
                    self.out.observations.push(observation);
                }
                Ok(None) => self.out.n_ignored += 1,
                Err((reason, place)) => self.reject(reason, format_args!("{}: {place}", excerpt(&listener.metric))),
            }
        }
        self.known.devices.give_back(topic, listeners);
    }

    /// What a payload means to a listener; none where it says nothing to it.
    fn fact(&mut self, topic: &str, text: &str, given: &Given, listener: &Listener) -> Result<Option<Fact>, Fault> {
        if let What::Value(Kind::Position) = listener.what {
            return tracked(text);
        }
        let rendered = match &listener.template {
            Some(template) => match self.known.templates.render(template, given) {
                Rendered::Text(text) => text,
                Rendered::Nothing => return Ok(None),
                Rendered::Failed(cause) => return Err((RejectReason::BadTemplate, cause)),
            },
            None => text.trim().to_owned(),
        };
        let one_of = |on: &str, off: &str| match &rendered {
            word if word.eq_ignore_ascii_case(on) => Ok(true),
            word if word.eq_ignore_ascii_case(off) => Ok(false),
            word => {
                let place = format!("expected {} or {}, found {}", excerpt(on), excerpt(off), excerpt(word));
                Err((RejectReason::WrongType, place))
            }
        };
        if ABSENT.iter().any(|word| word.eq_ignore_ascii_case(&rendered)) {
            return Ok(None);
        }
        let value = match &listener.what {
            What::Value(Kind::Binary { on, off }) => f64::from(u8::from(one_of(on, off)?)),
            What::Availability { on, off } => {
                let is_on = one_of(on, off)?;
                f64::from(u8::from(self.known.devices.available(&listener.source, topic, is_on)))
            }
            What::Value(_) => match rendered.parse::<f64>().ok().or_else(|| state(&rendered)) {
                Some(value) if value.is_finite() => value,
                Some(_) => return Err((RejectReason::NotFinite, "expected a finite number".to_owned())),
                None => return Ok(None),
            },
        };
        Ok(Some(reading(&listener.metric, value, listener.unit.as_ref())))
    }

    fn reject(&mut self, reason: RejectReason, place: fmt::Arguments<'_>) {
        self.out.reject(&self.arrival, reason, place);
    }
}

/// The position among a tracker's attributes.
fn tracked(text: &str) -> Result<Option<Fact>, Fault> {
    #[derive(serde::Deserialize)]
    struct Attributes {
        latitude: Option<f64>,
        longitude: Option<f64>,
        gps_accuracy: Option<f64>,
    }
    let attributes: Attributes =
        serde_json::from_str(text).map_err(|error| super::scalar::fault(text.as_bytes(), &error))?;
    let (Some(lat), Some(lon)) = (attributes.latitude, attributes.longitude) else { return Ok(None) };
    let accuracy_m = attributes.gps_accuracy.filter(|accuracy| *accuracy >= 0.0);
    match position(lon, lat, accuracy_m) {
        Ok(fact) => Ok(Some(fact)),
        Err(OffGlobe::Lon(cause) | OffGlobe::Lat(cause)) => Err((RejectReason::OutOfRange, cause)),
    }
}
