//! What must hold of the feeds: their broker, topics, names, pointers and units.

use super::heat;
use super::look::Look;
use super::tree::Path;
use super::words::{did_you_mean, one_of};
use crate::config::pattern::SourcePattern;
use crate::config::topic::{SourceTemplate, TopicFilter};
use crate::config::unit::Conversion;
use crate::config::{
    Config, Feed, Format, ImagerOf, JsonPosition, JsonReading, JsonTime, MetricUnit, ModbusReading, unit,
};
use crate::decode;

const METRIC_BYTES_MAX: usize = 128;

/// Bad pixels that a feed names.
const BAD_PIXELS_MAX: usize = 4_096;

pub(super) fn check(look: &mut Look<'_>, config: &Config) {
    let paths: Vec<_> = (0..config.feeds.len()).map(|i| look.shape.origin("feeds", i)).collect();
    look.check_ids(paths.iter().cloned().zip(config.feeds.iter().map(|feed| feed.id.as_str())));
    for (i, feed) in config.feeds.iter().enumerate() {
        let at = &paths[i];
        look.check_reference_to(&at.key("broker"), "broker or listener", &feed.broker, &["brokers", "listeners"]);
        check_topics(look, at, feed, &config.feeds[..i]);
        match SourceTemplate::parse(&feed.source) {
            Err(error) => look.error(&at.key("source"), error.to_string()),
            Ok(template) if template.has_name() && !feed.format.has_names() => {
                look.error(&at.key("source"), decode::NO_NAME);
            }
            Ok(template) if !template.has_name() => check_named(look, at, &feed.format),
            Ok(_) => {}
        }
        check_format(look, &at.key("format"), &feed.format, config.pipeline.sources_max);
        check_discovery(look, at, feed);
    }
}

/// What is of one device comes under different topics there.
fn check_named(look: &mut Look<'_>, at: &Path, format: &Format) {
    let (kind, hint) = match format {
        Format::SparkplugB {} => ("a sparkplug-b", "e.g. source = \"{name}\", which is group/node/device"),
        Format::HomeAssistant { .. } => ("a home-assistant", "e.g. source = \"home/{name}\", which is the device"),
        _ => return,
    };
    let cause = format!("{kind} feed names its sources by {{name}}");
    look.error_hint(&at.key("source"), cause, Some(hint.to_owned()));
}

fn check_topics(look: &mut Look<'_>, at: &Path, feed: &Feed, earlier: &[Feed]) {
    let topics = at.key("topics");
    if feed.topics.is_empty() {
        look.error(&topics, "a feed needs a topic");
    }
    for (j, topic) in feed.topics.iter().enumerate() {
        if let Err(error) = TopicFilter::parse(topic) {
            look.error(&topics.index(j), format!("{topic:?}: {error}"));
        }
        let takes_it = |other: &&Feed| other.broker == feed.broker && other.topics.contains(topic);
        if let Some(other) = earlier.iter().find(takes_it) {
            let cause = format!("feed {:?} stands before and takes every message of {topic:?}", other.id);
            look.warn(&topics.index(j), cause, None);
        }
    }
}

fn check_format(look: &mut Look<'_>, at: &Path, format: &Format, sources_max: usize) {
    match format {
        Format::Number { metric, unit, from } => {
            check_metric(look, &at.key("metric"), metric);
            check_units_of(look, at, unit.as_deref(), from.as_deref());
        }
        Format::Json { readings, position, time } | Format::Cbor { readings, position, time } => {
            check_json(look, at, readings, position.as_ref(), time.as_ref());
        }
        Format::Modbus { registers, readings, time } => {
            check_pointer(look, &at.key("registers"), registers);
            check_registers(look, &at.key("readings"), readings);
            if let Some(time) = time {
                check_pointer(look, &at.key("time").key("pointer"), &time.pointer);
            }
        }
        Format::Senml {}
        | Format::SenmlCbor {}
        | Format::Owntracks {}
        | Format::Tasmota {}
        | Format::Shelly {}
        | Format::SparkplugB {} => {}
        Format::HomeAssistant { prefix, allow, devices_max } => {
            if !is_prefix(prefix) {
                look.error(&at.key("prefix"), format!("{prefix:?} is not the beginning of a topic"));
            }
            for (j, text) in allow.iter().enumerate() {
                if let Err(error) = SourcePattern::parse(text) {
                    look.error(&at.key("allow").index(j), format!("{text:?}: {error}"));
                }
            }
            look.check_within(&at.key("devices_max"), *devices_max, 1, sources_max);
        }
        Format::Chirpstack { units }
        | Format::TheThings { units }
        | Format::Milesight { units }
        | Format::Zigbee2mqtt { units } => check_units(look, &at.key("units"), units),
        Format::ThermalJson { pixels, columns, unit, time, aim, sequence, imager } => {
            check_pointer(look, &at.key("pixels"), pixels);
            if let Some(columns) = columns {
                look.check_within(&at.key("columns"), *columns, 1, decode::SIDE_MAX);
            }
            check_temperature(look, &at.key("unit"), unit);
            for (key, pointer) in aim.iter().flat_map(|aim| {
                [
                    ("bearing", Some(&aim.bearing)),
                    ("elevation", Some(&aim.elevation)),
                    ("fov", aim.fov.as_ref()),
                    ("preset", aim.preset.as_ref()),
                ]
            }) {
                if let Some(pointer) = pointer {
                    check_pointer(look, &at.key("aim").key(key), pointer);
                }
            }
            if let Some(sequence) = sequence {
                check_pointer(look, &at.key("sequence"), sequence);
            }
            check_imager(look, &at.key("imager"), imager);
            if let Some(time) = time {
                check_pointer(look, &at.key("time").key("pointer"), &time.pointer);
            }
        }
        Format::ThermalU16(frames) | Format::ThermalF32(frames) => {
            look.check_within(&at.key("columns"), frames.columns, 1, decode::SIDE_MAX);
            look.check_within(&at.key("rows"), frames.rows, 1, decode::SIDE_MAX);
            if let Some(unit) = &frames.unit {
                check_temperature(look, &at.key("unit"), unit);
            }
            check_imager(look, &at.key("imager"), &frames.imager);
        }
        Format::ThermalFlir { imager } => check_imager(look, &at.key("imager"), imager),
    }
}

fn check_temperature(look: &mut Look<'_>, at: &Path, unit: &str) {
    if !decode::is_temperature(unit) {
        let hint = Some("there are: Cel, K, cK, [degF]".to_owned());
        look.error_hint(at, format!("{unit:?} is no temperature"), hint);
    }
}

fn check_imager(look: &mut Look<'_>, at: &Path, imager: &ImagerOf) {
    heat::surface(look, &at.key("surface"), imager.surface);
    if imager.bad.len() > BAD_PIXELS_MAX {
        look.error(&at.key("bad"), format!("at most {BAD_PIXELS_MAX} pixels are named"));
    }
    for (i, pixel) in imager.bad.iter().enumerate() {
        if pixel.iter().any(|&at| at >= decode::SIDE_MAX) {
            look.error(&at.key("bad").index(i), format!("rows and columns are under {}", decode::SIDE_MAX));
        }
    }
}

fn is_prefix(prefix: &str) -> bool {
    TopicFilter::parse(prefix).is_ok() && !prefix.contains(['+', '#']) && !prefix.ends_with('/')
}

/// Announcements that never come announce nothing.
fn check_discovery(look: &mut Look<'_>, at: &Path, feed: &Feed) {
    let Format::HomeAssistant { prefix, .. } = &feed.format else { return };
    if !is_prefix(prefix) {
        return;
    }
    let example = format!("{prefix}/sensor/device/value/config");
    let filters = || feed.topics.iter().filter_map(|topic| TopicFilter::parse(topic).ok());
    if !filters().any(|filter| filter.matches(&example)) {
        let hint = Some(format!("add \"{prefix}/#\""));
        look.error_hint(&at.key("topics"), format!("no announcement under {prefix:?} comes under them"), hint);
    }
    if let Some(j) = feed.topics.iter().position(|topic| topic.starts_with("$share/")) {
        let cause = "a shared subscription brings nothing that is retained, so no announcement";
        look.warn(&at.key("topics").index(j), cause, None);
    }
}

fn check_units(look: &mut Look<'_>, at: &Path, units: &[MetricUnit]) {
    look.check_within(at, units.len(), 0, decode::READINGS_MAX);
    for (i, entry) in units.iter().enumerate() {
        let at = at.index(i);
        check_metric(look, &at.key("metric"), &entry.metric);
        if units[..i].iter().any(|other| other.metric == entry.metric) {
            look.error(&at.key("metric"), format!("{:?} has two units", entry.metric));
        }
        check_units_of(look, &at, Some(&entry.unit), entry.from.as_deref());
    }
}

fn check_registers(look: &mut Look<'_>, at: &Path, readings: &[ModbusReading]) {
    look.check_within(at, readings.len(), 1, decode::READINGS_MAX);
    for (i, reading) in readings.iter().enumerate() {
        let at = at.index(i);
        check_metric(look, &at.key("metric"), &reading.metric);
        if readings[..i].iter().any(|other| other.metric == reading.metric) {
            look.error(&at.key("metric"), format!("{:?} is read twice", reading.metric));
        }
        look.check_within(&at.key("at"), reading.at, 0, decode::REGISTERS_MAX - reading.holds.n_registers());
        if !reading.scale.is_finite() || reading.scale == 0.0 {
            look.error(&at.key("scale"), "must be a finite number other than 0");
        }
        if !reading.offset.is_finite() {
            look.error(&at.key("offset"), "must be a finite number");
        }
        check_units_of(look, &at, reading.unit.as_deref(), reading.from.as_deref());
    }
}

fn check_json(
    look: &mut Look<'_>,
    at: &Path,
    readings: &[JsonReading],
    position: Option<&JsonPosition>,
    time: Option<&JsonTime>,
) {
    if readings.is_empty() && position.is_none() {
        look.error(at, "a mapping needs readings or a position");
    }
    look.check_within(&at.key("readings"), readings.len(), 0, decode::READINGS_MAX);
    for (i, reading) in readings.iter().enumerate() {
        let at = at.key("readings").index(i);
        check_metric(look, &at.key("metric"), &reading.metric);
        if readings[..i].iter().any(|other| other.metric == reading.metric) {
            look.error(&at.key("metric"), format!("{:?} is read twice", reading.metric));
        }
        check_pointer(look, &at.key("value"), &reading.value);
        check_units_of(look, &at, reading.unit.as_deref(), reading.from.as_deref());
    }
    if let Some(position) = position {
        let at = at.key("position");
        check_pointer(look, &at.key("lon"), &position.lon);
        check_pointer(look, &at.key("lat"), &position.lat);
        if let Some(accuracy) = &position.accuracy {
            check_pointer(look, &at.key("accuracy"), accuracy);
        }
    }
    if let Some(time) = time {
        check_pointer(look, &at.key("time").key("pointer"), &time.pointer);
    }
}

fn check_pointer(look: &mut Look<'_>, at: &Path, pointer: &str) {
    if let Err(error) = decode::check_pointer(pointer) {
        let hint = (!pointer.starts_with('/'))
            .then(|| format!("did you mean {:?}?", format!("/{}", pointer.replace('.', "/"))));
        look.error_hint(at, error, hint);
    }
}

fn check_metric(look: &mut Look<'_>, at: &Path, metric: &str) {
    if metric.is_empty() || metric.len() > METRIC_BYTES_MAX || metric.chars().any(char::is_control) {
        look.error(at, format!("a metric has 1 to {METRIC_BYTES_MAX} bytes and no control characters"));
    }
}

/// The unit of a reading, and the one that the payload has.
fn check_units_of(look: &mut Look<'_>, at: &Path, unit: Option<&str>, from: Option<&str>) {
    check_unit(look, &at.key("unit"), unit);
    check_unit(look, &at.key("from"), from);
    let Some(from) = from else { return };
    let Some(unit) = unit else {
        return look.error(&at.key("from"), "is converted to unit, which is not there");
    };
    let is_known = |unit| unit::known(unit).is_some();
    if is_known(from) && is_known(unit) && Conversion::new(from, unit).is_none() {
        let hint = one_of("it can be", &unit::convertible(unit));
        look.error_hint(&at.key("from"), format!("{from:?} cannot be converted to {unit:?}"), hint);
    }
}

/// A unit that is not in the table is a typing error, or one that the table should have.
pub(super) fn check_unit(look: &mut Look<'_>, at: &Path, unit: Option<&str>) {
    let Some(unit) = unit else { return };
    if unit.is_empty() || unit.len() > METRIC_BYTES_MAX || unit.chars().any(char::is_control) {
        look.error(at, "a unit is short text; leave the key out where there is none");
    } else if unit::known(unit).is_none() {
        let same = unit::UNITS.iter().find(|known| known.eq_ignore_ascii_case(unit));
        let hint = match unit::meant(unit).or(same.copied()) {
            Some(known) => Some(format!("did you mean {known:?}?")),
            None => did_you_mean(unit, unit::UNITS).or_else(|| {
                Some("units are written as in SenML (RFC 8428), e.g. \"Cel\", \"hPa\", \"m/s\"".to_owned())
            }),
        };
        look.error_hint(at, format!("{unit:?} is not among the known units"), hint);
    }
}
