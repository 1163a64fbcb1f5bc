//! Collects what one message of a device that names its own values says, until its time and its source are known: both
//! may come last. Then they count for all of it, or nothing of it counts.

use std::fmt;
use std::sync::Arc;

use outpost_detectors::observation::Fact;

use crate::config::unit::Conversion;
use crate::config::{MetricUnit, TimeUnit};

use super::flat::{self, last_name, state};
use super::reject::{Decoded, RejectReason, excerpt};
use super::scalar::{Scalar, fault};
use super::source::SourceCache;
use super::{Arrival, OffGlobe, conversion, converted, position, reading, time};

/// Longest name of a metric.
const METRIC_BYTES_MAX: usize = 256;

/// Units that a feed gives to metrics whose payload says none.
#[derive(Debug)]
pub(super) struct Units(Vec<Unit>);

#[derive(Debug)]
struct Unit {
    metric: Arc<str>,
    unit: Arc<str>,
    conversion: Option<Conversion>,
}

/// The path of a value, the value, and where it goes.
pub(super) type Take<'t, 'a> = dyn FnMut(&mut Sheet<'a>, &str, Scalar<'_>) + 't;

pub(super) struct Sheet<'a> {
    arrival: &'a Arrival<'a>,
    sources: &'a SourceCache,
    topic: &'a str,
    units: Option<&'a Units>,
    out: &'a mut Decoded,
    /// Observations before these are other messages'.
    first: usize,
    n_ignored_before: u64,
    n_told_before: u64,
    is_broken: bool,
    time: Option<Result<i64, String>>,
    name: Option<Result<Arc<str>, (RejectReason, String)>>,
    lon: Option<(Arc<str>, f64)>,
    lat: Option<(Arc<str>, f64)>,
}

impl Units {
    pub(super) fn new(units: &[MetricUnit]) -> Result<Self, String> {
        let unit = |entry: &MetricUnit| {
            let conversion = conversion(entry.from.as_deref(), Some(&entry.unit))?;
            Ok(Unit { metric: entry.metric.as_str().into(), unit: entry.unit.as_str().into(), conversion })
        };
        units.iter().map(unit).collect::<Result<_, _>>().map(Units)
    }

    fn of(&self, metric: &str) -> Option<&Unit> {
        self.0.iter().find(|known| *known.metric == *metric)
    }
}

impl<'a> Sheet<'a> {
    pub(super) fn new(
        arrival: &'a Arrival<'a>,
        sources: &'a SourceCache,
        topic: &'a str,
        units: Option<&'a Units>,
        out: &'a mut Decoded,
    ) -> Self {
        let (first, n_ignored_before, n_told_before) = (out.observations.len(), out.n_ignored, n_told(out));
        Sheet {
            arrival,
            sources,
            topic,
            units,
            out,
            first,
            n_ignored_before,
            n_told_before,
            is_broken: false,
            time: None,
            name: None,
            lon: None,
            lat: None,
        }
    }

    /// Takes the payload's values as they come.
    pub(super) fn walk(&mut self, take: &mut Take<'_, 'a>) {
        let payload = self.arrival.payload;
        let mut path = std::mem::take(&mut self.out.text);
        let parsed = flat::walk(payload, &mut path, &mut |path, value| match value {
            Ok(value) => take(self, path, value),
            Err(reason) => self.reject(reason, format_args!("{path}: {}", unread(reason))),
        });
        self.out.text = path;
        if let Err(error) = parsed {
            let (reason, place) = fault(payload, &error);
            self.refuse(reason, format_args!("{place}"));
        }
    }

    /// A value under its name: numbers, true and false, and words for on and off are readings.
    pub(super) fn value(&mut self, metric: &str, value: &Scalar<'_>) {
        self.value_in(metric, value, None);
    }

    /// The same with the unit that the format says it has.
    pub(super) fn value_in(&mut self, metric: &str, value: &Scalar<'_>, unit: Option<&str>) {
        let number = match value {
            Scalar::Number(number) => Some(*number),
            Scalar::Bool(truth) => Some(f64::from(u8::from(*truth))),
            Scalar::Text(text) => state(text),
            _ => None,
        };
        match number {
            None => self.ignore(),
            Some(number) if !number.is_finite() => {
                self.reject(RejectReason::NotFinite, format_args!("{}: expected a finite number", excerpt(metric)));
            }
            Some(number) => self.number(metric, number, unit),
        }
    }

    fn number(&mut self, metric: &str, number: f64, unit: Option<&str>) {
        if metric.is_empty() {
            return self.reject(RejectReason::BadShape, format_args!("expected an object, found a number"));
        }
        if metric.len() > METRIC_BYTES_MAX || metric.chars().any(char::is_control) {
            return self.reject(RejectReason::BadText, format_args!("{} cannot be a metric", excerpt(metric)));
        }
        let found = self.sources.name(metric).and_then(|metric| Ok((metric, self.unit(unit)?)));
        let (metric, unit) = match found {
            Ok(found) => found,
            Err((reason, place)) => return self.reject(reason, format_args!("{place}")),
        };
        match last_name(&metric) {
            "latitude" | "lat" => self.lat = Some((metric, number)),
            "longitude" | "lon" | "lng" => self.lon = Some((metric, number)),
            _ => {
                let own = self.units.and_then(|units| units.of(&metric));
                let Some(number) = converted(number, own.and_then(|own| own.conversion.as_ref())) else {
                    return self.reject(RejectReason::NotFinite, format_args!("{metric}: {number:e} converts to none"));
                };
                self.push(reading(&metric, number, own.map(|own| &own.unit).or(unit.as_ref())));
            }
        }
    }

    fn unit(&self, unit: Option<&str>) -> Result<Option<Arc<str>>, (RejectReason, String)> {
        unit.map(|unit| self.sources.name(unit)).transpose()
    }

    /// Units that come after the values that they are of.
    pub(super) fn set_units(&mut self, unit_of: impl Fn(&str) -> Option<&'static str>) {
        for i in self.first..self.out.observations.len() {
            let Fact::Reading(reading) = &self.out.observations[i].fact else { continue };
            let Ok(Some(unit)) = self.unit(unit_of(&reading.metric)) else { continue };
            if let Fact::Reading(reading) = &mut self.out.observations[i].fact {
                reading.unit = Some(unit);
            }
        }
    }

    pub(super) fn set_time(&mut self, value: &Scalar<'_>, unit: TimeUnit) {
        self.time = match value {
            Scalar::Null => return,
            Scalar::Text(text) => Some(time::from_text(text)),
            Scalar::Number(number) => {
                Some(time::from_number(*number, unit).ok_or_else(|| "expected text, found a number".to_owned()))
            }
            other => Some(Err(format!("expected a time, found {}", other.kind()))),
        };
    }

    /// The source's name, where the feed takes it from the payload.
    pub(super) fn set_name(&mut self, value: &Scalar<'_>) {
        if !self.sources.has_name(self.topic) {
            return;
        }
        self.name = Some(match value {
            Scalar::Text(name) if name.is_empty() => Err((RejectReason::Missing, "the device's name is empty".into())),
            Scalar::Text(name) => self.sources.named(self.topic, name),
            other => Err((RejectReason::WrongType, format!("expected a device's name, found {}", other.kind()))),
        });
    }

    pub(super) fn ignore(&mut self) {
        self.out.n_ignored += u64::from(!self.is_broken);
    }

    pub(super) fn reject(&mut self, reason: RejectReason, place: fmt::Arguments<'_>) {
        if !self.is_broken {
            self.out.reject(self.arrival, reason, place);
        }
    }

    /// Nothing of the message counts, neither what was taken from it nor what is taken later.
    fn refuse(&mut self, reason: RejectReason, place: fmt::Arguments<'_>) {
        self.reject(reason, place);
        self.discard();
    }

    /// The message turned out to be none of the device's values.
    pub(super) fn discard(&mut self) {
        self.is_broken = true;
        self.out.observations.truncate(self.first);
        self.out.n_ignored = self.n_ignored_before;
        (self.lon, self.lat) = (None, None);
    }

    pub(super) fn n_readings(&self) -> usize {
        self.out.observations.len() - self.first
    }

    pub(super) fn finish(mut self) {
        if !self.is_broken {
            self.settle();
        }
        if n_told(self.out) == self.n_told_before {
            self.out.n_ignored += 1;
        }
    }

    fn settle(&mut self) {
        self.settle_position();
        let source = match self.name.take() {
            _ if !self.sources.has_name(self.topic) => self.arrival.source.clone(),
            Some(Ok(source)) => source,
            Some(Err((reason, place))) => return self.refuse(reason, format_args!("{place}")),
            None => return self.refuse(RejectReason::Missing, format_args!("no name of a device is there")),
        };
        let (received_ms, ahead_max_ms) = (self.arrival.received_ms, self.arrival.ahead_max_ms);
        let bounded = |at_ms| time::bounded(at_ms, received_ms, ahead_max_ms);
        let at_ms = match self.time.take().unwrap_or(Ok(received_ms)).and_then(bounded) {
            Ok(at_ms) => at_ms,
            Err(cause) => return self.refuse(RejectReason::BadTime, format_args!("{cause}")),
        };
        for observation in &mut self.out.observations[self.first..] {
            observation.source = source.clone();
            observation.at_ms = at_ms;
        }
    }

    /// Longitude and latitude are a position; one alone is a reading.
    fn settle_position(&mut self) {
        match (self.lon.take(), self.lat.take()) {
            (None, None) => {}
            // Trackers say so until they have a fix.
            (Some((_, 0.0)), Some((_, 0.0))) => self.ignore(),
            (Some((_, lon)), Some((_, lat))) => match position(lon, lat, None) {
                Ok(fact) => self.push(fact),
                Err(OffGlobe::Lon(cause) | OffGlobe::Lat(cause)) => {
                    self.reject(RejectReason::OutOfRange, format_args!("{cause}"));
                }
            },
            (Some((metric, degrees)), None) | (None, Some((metric, degrees))) => {
                self.push(reading(&metric, degrees, None));
            }
        }
    }

    fn push(&mut self, fact: Fact) {
        if self.is_broken {
            return;
        }
        let observation = self.arrival.observation(self.arrival.received_ms, fact);
        self.out.observations.push(observation);
    }
}

/// Why a part of a document was not read.
fn unread(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::TooDeep => "nested deeper than is read",
        RejectReason::BadText => "a key with control characters",
        _ => "more or longer values than are read",
    }
}

/// Observations, rejects and ignored facts.
fn n_told(out: &Decoded) -> u64 {
    out.observations.len() as u64 + out.n_rejected() + out.n_ignored
}
