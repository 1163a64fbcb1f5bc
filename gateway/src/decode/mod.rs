//! Turns payload bytes into observations, and says what it could not read. Knows nothing of sockets, clocks or rules.
//!
//! - [`reject`]: what could not be read, with its place and reason
//! - [`source`]: topic → feed and source name, resolved once per topic
//! - [`pointer`], [`scalar`], [`matrix`]: one-pass reading of JSON without a tree; [`cbor`]: of CBOR by the same code
//! - [`flat`], [`sheet`]: every value under its own name, for devices that name what they measure; [`radio`]
//! - [`time`]: device times and their bounds; [`unpack`]: base64 and gzip around a payload
//! - [`show`]: what was decoded as lines of text
//! - [`number`], [`json`], [`modbus`], [`senml`], [`owntracks`], [`thermal`], [`chirpstack`],
//!   [`the_things`], [`milesight`], [`zigbee2mqtt`], [`tasmota`], [`shelly`],
//!   [`sparkplug`], [`home_assistant`]: the payload formats
//! - [`alarms`]: what cameras tell of their own analysis beside their pictures
//! - [`radiometric`]: FLIR's files, samples and constants → temperatures
//! - [`media`]: pictures and voice notes that people send, without what cameras write of themselves
//!
//! A new format is one file here, a variant of `config::Format`, and an arm in [`Reader`].

pub mod alarms;
mod cbor;
mod chirpstack;
mod flat;
mod home_assistant;
mod json;
mod matrix;
pub mod media;
mod milesight;
mod modbus;
mod number;
mod owntracks;
mod pointer;
mod radio;
pub mod radiometric;
mod reject;
mod scalar;
mod senml;
mod sheet;
mod shelly;
mod show;
mod source;
mod sparkplug;
mod tasmota;
mod the_things;
mod thermal;
mod time;
mod unpack;
mod zigbee2mqtt;

use std::sync::Arc;

use outpost_detectors::observation::{Fact, Observation, Position, Reading};
use outpost_fences::{Coordinates, Point};

use crate::config::unit::Conversion;
use crate::config::{Config, Feed, Format};

pub use matrix::SIDE_MAX;
pub use modbus::REGISTERS_MAX;
pub use reject::{Decoded, PLACE_BYTES_MAX, REJECTS_LISTED_MAX, Reject, RejectReason, Request};
pub use show::Shown;
pub use source::NO_NAME;

use json::Encoding;
use source::{Resolution, SourceCache};

/// Largest payload that is looked at, whatever a broker lets through.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// Readings of one JSON mapping.
pub const READINGS_MAX: usize = 128;

/// The decoders of all configured brokers.
#[derive(Debug)]
pub struct Decoders {
    decoders: Vec<(Arc<str>, Decoder)>,
}

/// Decodes what one broker delivers.
#[derive(Debug)]
pub struct Decoder {
    routes: Vec<Route>,
    sources: SourceCache,
}

/// A feed whose text was parsed.
#[derive(Debug)]
struct Route {
    feed: Arc<str>,
    ahead_max_ms: i64,
    /// Of the positions that the payloads have.
    coordinates: Coordinates,
    reader: Reader,
}

#[derive(Debug)]
enum Reader {
    Number(number::NumberReader),
    Json(json::JsonReader),
    Modbus(modbus::ModbusReader),
    Senml(senml::SenmlReader),
    Owntracks(owntracks::OwntracksReader),
    Chirpstack(chirpstack::ChirpstackReader),
    TheThings(the_things::TheThingsReader),
    Milesight(milesight::MilesightReader),
    Zigbee2mqtt(zigbee2mqtt::Zigbee2mqttReader),
    Tasmota(tasmota::TasmotaReader),
    Shelly(shelly::ShellyReader),
    SparkplugB(sparkplug::SparkplugReader),
    HomeAssistant(Box<home_assistant::HomeAssistantReader>),
    ThermalJson(thermal::ThermalJsonReader),
    ThermalRaw(thermal::ThermalRawReader),
    ThermalFlir(thermal::flir::ThermalFlirReader),
}

/// A feed that cannot be decoded. `outpost check` finds the same with its line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("feed {feed:?}: {cause}")]
pub struct FeedError {
    pub feed: String,
    pub cause: String,
}

/// A message on its way through a format.
#[derive(Clone, Copy)]
struct Arrival<'a> {
    feed: &'a Arc<str>,
    source: &'a Arc<str>,
    received_ms: i64,
    ahead_max_ms: i64,
    payload: &'a [u8],
}

impl Decoders {
    pub fn new(config: &Config) -> Result<Self, FeedError> {
        let mut decoders: Vec<(Arc<str>, Decoder)> = Vec::new();
        for feed in &config.feeds {
            let at = match decoders.iter().position(|(broker, _)| **broker == *feed.broker) {
                Some(at) => at,
                None => {
                    decoders.push((feed.broker.as_str().into(), Decoder::new(config.pipeline.sources_max)));
                    decoders.len() - 1
                }
            };
            decoders[at].1.add(feed).map_err(|cause| FeedError { feed: feed.id.clone(), cause })?;
        }
        Ok(Decoders { decoders })
    }

    /// The decoder of a broker's messages; none where no feed names the broker.
    pub fn decoder(&self, broker: &str) -> Option<&Decoder> {
        self.decoders.iter().find(|(id, _)| **id == *broker).map(|(_, decoder)| decoder)
    }

    /// The same, to keep: each broker's once.
    pub fn take(&mut self, broker: &str) -> Option<Decoder> {
        let at = self.decoders.iter().position(|(id, _)| **id == *broker)?;
        Some(self.decoders.swap_remove(at).1)
    }
}

impl Decoder {
    fn new(sources_max: usize) -> Self {
        Decoder { routes: Vec::new(), sources: SourceCache::new(sources_max) }
    }

    fn add(&mut self, feed: &Feed) -> Result<(), String> {
        let reader = Reader::new(&feed.format, &feed.topics)?;
        self.sources.add_feed(&feed.topics, &feed.source, feed.format.has_names())?;
        self.routes.push(Route {
            feed: feed.id.as_str().into(),
            ahead_max_ms: feed.ahead_max.ms(),
            coordinates: feed.coordinates.into(),
            reader,
        });
        Ok(())
    }

    /// Appends what the payload says to `out`: at least one observation, reject or ignored fact per message.
    /// The first feed in the file whose filter matches the topic reads the message; its number is returned.
    pub fn decode(
        &self,
        message_topic: &Arc<str>,
        payload: &[u8],
        received_ms: i64,
        out: &mut Decoded,
    ) -> Option<usize> {
        out.begin_message();
        let (number, source) = match self.sources.resolve(message_topic) {
            Resolution::Known { route, source } => (route, source),
            Resolution::Refused { route, reason, place } => {
                let feed = route.map(|route| self.routes[route].feed.clone());
                out.push_reject(Reject { feed, source: None, place, reason });
                return route;
            }
        };
        let route = &self.routes[number];
        let n_before = out.observations.len();
        let arrival =
            Arrival { feed: &route.feed, source: &source, received_ms, ahead_max_ms: route.ahead_max_ms, payload };
        match &route.reader {
            // An empty configuration means something to Home Assistant.
            reader if payload.is_empty() && !matches!(reader, Reader::HomeAssistant(_)) => {
                out.reject(&arrival, RejectReason::Missing, format_args!("the payload is empty"));
            }
            _ if payload.len() > PAYLOAD_BYTES_MAX => {
                let n = payload.len();
                let place = format_args!("{n} bytes, at most {PAYLOAD_BYTES_MAX} are read");
                out.reject(&arrival, RejectReason::TooLarge, place);
            }
            Reader::Number(reader) => reader.read(&arrival, out),
            Reader::Json(reader) => reader.read(&arrival, out),
            Reader::Modbus(reader) => reader.read(&arrival, out),
            Reader::Senml(reader) => reader.read(&arrival, &self.sources, message_topic, out),
            Reader::Owntracks(reader) => reader.read(&arrival, out),
            Reader::Chirpstack(reader) => reader.read(&arrival, &self.sources, message_topic, out),
            Reader::TheThings(reader) => reader.read(&arrival, &self.sources, message_topic, out),
            Reader::Milesight(reader) => reader.read(&arrival, &self.sources, message_topic, out),
            Reader::Zigbee2mqtt(reader) => reader.read(&arrival, &self.sources, message_topic, out),
            Reader::Tasmota(reader) => reader.read(&arrival, &self.sources, message_topic, out),
            Reader::Shelly(reader) => reader.read(&arrival, &self.sources, message_topic, out),
            Reader::SparkplugB(reader) => reader.read(&arrival, &self.sources, message_topic, out),
            Reader::HomeAssistant(reader) => reader.read(&arrival, &self.sources, message_topic, out),
            Reader::ThermalJson(reader) => reader.read(&arrival, out),
            Reader::ThermalRaw(reader) => reader.read(&arrival, out),
            Reader::ThermalFlir(reader) => reader.read(&arrival, out),
        }
        for observation in &mut out.observations[n_before..] {
            to_wgs84(observation, route.coordinates);
        }
        Some(number)
    }

    /// Appends the reject of a message whose payload was too large to be kept.
    pub fn refuse_oversized(&self, message_topic: &Arc<str>, payload_bytes: usize, out: &mut Decoded) {
        out.begin_message();
        let (feed, source) = match self.sources.resolve(message_topic) {
            Resolution::Known { route, source } => (Some(route), Some(source)),
            Resolution::Refused { route, .. } => (route, None),
        };
        let feed = feed.map(|route| self.routes[route].feed.clone());
        let place = format!("{payload_bytes} bytes are more than the broker's packet_bytes_max");
        out.push_reject(Reject { feed, source, place, reason: RejectReason::TooLarge });
    }

    /// Identities of the feeds, by their number, in the order of the file.
    pub fn feeds(&self) -> impl Iterator<Item = &Arc<str>> {
        self.routes.iter().map(|route| &route.feed)
    }

    /// Number of the feed that reads this topic.
    pub fn route(&self, topic: &Arc<str>) -> Option<usize> {
        match self.sources.resolve(topic) {
            Resolution::Known { route, .. } => Some(route),
            Resolution::Refused { route, .. } => route,
        }
    }

    /// The source of a topic's messages, where the topic alone says it, and they can be decoded without those of other topics.
    pub fn source_of(&self, topic: &Arc<str>) -> Option<Arc<str>> {
        let Resolution::Known { route, source } = self.sources.resolve(topic) else { return None };
        let is_alone = !matches!(self.routes[route].reader, Reader::SparkplugB(_) | Reader::HomeAssistant(_));
        (is_alone && !self.sources.has_name(topic)).then_some(source)
    }

    /// Topics that were resolved so far.
    pub fn n_topics(&self) -> usize {
        self.sources.n_topics()
    }
}

impl Reader {
    fn new(format: &Format, topics: &[String]) -> Result<Self, String> {
        Ok(match format {
            Format::Number { metric, unit, from } => {
                Reader::Number(number::NumberReader::new(metric, unit.as_deref(), from.as_deref())?)
            }
            Format::Json { readings, position, time } => {
                Reader::Json(json::JsonReader::new(Encoding::Json, readings, position.as_ref(), time.as_ref())?)
            }
            Format::Cbor { readings, position, time } => {
                Reader::Json(json::JsonReader::new(Encoding::Cbor, readings, position.as_ref(), time.as_ref())?)
            }
            Format::Modbus { registers, readings, time } => {
                Reader::Modbus(modbus::ModbusReader::new(registers, readings, time.as_ref())?)
            }
            Format::Senml {} => Reader::Senml(senml::SenmlReader { encoding: Encoding::Json }),
            Format::SenmlCbor {} => Reader::Senml(senml::SenmlReader { encoding: Encoding::Cbor }),
            Format::Owntracks {} => Reader::Owntracks(owntracks::OwntracksReader::new()?),
            Format::Chirpstack { units } => Reader::Chirpstack(chirpstack::ChirpstackReader::new(units)?),
            Format::TheThings { units } => Reader::TheThings(the_things::TheThingsReader::new(units)?),
            Format::Milesight { units } => Reader::Milesight(milesight::MilesightReader::new(units)?),
            Format::Zigbee2mqtt { units } => Reader::Zigbee2mqtt(zigbee2mqtt::Zigbee2mqttReader::new(units)?),
            Format::Tasmota {} => Reader::Tasmota(tasmota::TasmotaReader),
            Format::Shelly {} => Reader::Shelly(shelly::ShellyReader),
            Format::SparkplugB {} => Reader::SparkplugB(sparkplug::SparkplugReader::default()),
            Format::HomeAssistant { prefix, allow, devices_max } => {
                let reader = home_assistant::HomeAssistantReader::new(prefix, allow, *devices_max, topics)?;
                Reader::HomeAssistant(Box::new(reader))
            }
            Format::ThermalJson { pixels, columns, unit, time, aim, sequence, imager } => {
                let (time, aim, sequence) = (time.as_ref(), aim.as_ref(), sequence.as_deref());
                let reader = thermal::ThermalJsonReader::new(pixels, *columns, unit, time, aim, sequence, imager)?;
                Reader::ThermalJson(reader)
            }
            Format::ThermalU16(frames) => {
                Reader::ThermalRaw(thermal::ThermalRawReader::new(frames, thermal::Sample::U16)?)
            }
            Format::ThermalF32(frames) => {
                Reader::ThermalRaw(thermal::ThermalRawReader::new(frames, thermal::Sample::F32)?)
            }
            Format::ThermalFlir { imager } => {
                Reader::ThermalFlir(thermal::flir::ThermalFlirReader::new(thermal::Imager::new(imager)?))
            }
        })
    }
}

fn to_wgs84(observation: &mut Observation, from: Coordinates) {
    if let Fact::Position(position) = &mut observation.fact {
        let Point { lon, lat } = from.to_wgs84(Point { lon: position.lon, lat: position.lat });
        (position.lon, position.lat) = (lon, lat);
    }
}

/// Says what is wrong with a JSON pointer.
pub fn check_pointer(pointer: &str) -> Result<(), String> {
    pointer::tokens(pointer).map(drop)
}

/// Whether thermal frames can come in this unit.
pub fn is_temperature(unit: &str) -> bool {
    matrix::TemperatureUnit::parse(unit).is_some()
}

impl Arrival<'_> {
    /// The observation of a fact of this message.
    fn observation(&self, at_ms: i64, fact: Fact) -> Observation {
        Observation { source: self.source.clone(), at_ms, received_ms: self.received_ms, fact }
    }
}

fn reading(metric: &Arc<str>, value: f64, unit: Option<&Arc<str>>) -> Fact {
    Fact::Reading(Reading { metric: metric.clone(), value, unit: unit.cloned() })
}

/// How a feed's payload comes to its unit, where it has another.
fn conversion(from: Option<&str>, unit: Option<&str>) -> Result<Option<Conversion>, String> {
    let (Some(from), Some(unit)) = (from, unit) else { return Ok(None) };
    Conversion::new(from, unit).map(Some).ok_or_else(|| format!("{from:?} cannot be converted to {unit:?}"))
}

/// The value in its feed's unit; none where that is beyond a number.
fn converted(value: f64, conversion: Option<&Conversion>) -> Option<f64> {
    Some(conversion.map_or(value, |conversion| conversion.apply(value))).filter(|value| value.is_finite())
}

/// Which of a pair of degrees is not on the globe.
#[derive(Debug, PartialEq, Eq)]
enum OffGlobe {
    Lon(String),
    Lat(String),
}

fn position(lon: f64, lat: f64, accuracy_m: Option<f64>) -> Result<Fact, OffGlobe> {
    if !(-180.0..=180.0).contains(&lon) {
        return Err(OffGlobe::Lon(format!("longitude {lon} is not within -180..180")));
    }
    if !(-90.0..=90.0).contains(&lat) {
        return Err(OffGlobe::Lat(format!("latitude {lat} is not within -90..90")));
    }
    Ok(Fact::Position(Position { lon, lat, accuracy_m }))
}
