//! JSON and CBOR by mapping: readings, a position and the time, each at a JSON pointer.

use std::sync::Arc;

use crate::config::unit::Conversion;
use crate::config::{JsonPosition, JsonReading, JsonTime};

use super::pointer::{PointerSet, Slot, Want};
use super::reject::{Decoded, RejectReason};
use super::{Arrival, OffGlobe, conversion, converted, position, reading, time};

/// How a document of objects, arrays, numbers and text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Cbor,
}

#[derive(Debug)]
pub(super) struct JsonReader {
    encoding: Encoding,
    pointers: PointerSet,
    readings: Vec<MappedReading>,
    position: Option<MappedPosition>,
    time: Option<Mapped>,
}

#[derive(Debug)]
struct MappedReading {
    metric: Arc<str>,
    unit: Option<Arc<str>>,
    conversion: Option<Conversion>,
    at: Mapped,
}

#[derive(Debug)]
struct MappedPosition {
    lon: Mapped,
    lat: Mapped,
    accuracy: Option<Mapped>,
    /// Neither is there at times; one without the other is a reject all the same.
    optional: bool,
}

/// A pointer, its slot, and whether it may be absent.
#[derive(Debug)]
pub(super) struct Mapped {
    pub(super) pointer: String,
    pub(super) slot: usize,
    optional: bool,
}

impl JsonReader {
    pub(super) fn new(
        encoding: Encoding,
        readings: &[JsonReading],
        position: Option<&JsonPosition>,
        time: Option<&JsonTime>,
    ) -> Result<Self, String> {
        if readings.is_empty() && position.is_none() {
            return Err("a mapping needs readings or a position".into());
        }
        let mut pointers = PointerSet::new();
        let mut map = |pointer: &str, optional: bool| Mapped::new(&mut pointers, pointer, Want::Number, optional);
        let mut mapped = Vec::with_capacity(readings.len());
        for entry in readings {
            mapped.push(MappedReading {
                metric: entry.metric.as_str().into(),
                unit: entry.unit.as_deref().map(Into::into),
                conversion: conversion(entry.from.as_deref(), entry.unit.as_deref())?,
                at: map(&entry.value, entry.optional)?,
            });
        }
        let position = match position {
            None => None,
            Some(entry) => Some(MappedPosition {
                lon: map(&entry.lon, false)?,
                lat: map(&entry.lat, false)?,
                optional: entry.optional,
                accuracy: entry.accuracy.as_deref().map(|pointer| map(pointer, true)).transpose()?,
            }),
        };
        let time = time.map(|entry| mapped_time(&mut pointers, entry)).transpose()?;
        Ok(JsonReader { encoding, pointers, readings: mapped, position, time })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, out: &mut Decoded) {
        self.pointers.read(self.encoding, arrival, out, |slots, out| self.observe(arrival, slots, out));
    }

    fn observe(&self, arrival: &Arrival<'_>, slots: &[Slot], out: &mut Decoded) {
        let Some(at_ms) = read_time(self.time.as_ref(), arrival, slots, out) else { return };
        for entry in &self.readings {
            let Some(value) = entry.at.number(arrival, slots, out) else { continue };
            if let Some(value) = converted(value, entry.conversion.as_ref()) {
                let fact = reading(&entry.metric, value, entry.unit.as_ref());
                out.observations.push(arrival.observation(at_ms, fact));
            } else {
                let place = format_args!("{}: {value:e} converts to none", entry.at.pointer);
                out.reject(arrival, RejectReason::NotFinite, place);
            }
        }
        if let Some(entry) = &self.position {
            entry.read(at_ms, arrival, slots, out);
        }
    }
}

impl MappedPosition {
    fn read(&self, at_ms: i64, arrival: &Arrival<'_>, slots: &[Slot], out: &mut Decoded) {
        let is_absent = |at: &Mapped| matches!(slots[at.slot], Slot::Absent | Slot::Null);
        if self.optional && is_absent(&self.lon) && is_absent(&self.lat) {
            out.n_ignored += 1;
            return;
        }
        // Both are asked, so that both say what is wrong with them.
        let (lon, lat) = (self.lon.number(arrival, slots, out), self.lat.number(arrival, slots, out));
        let (Some(lon), Some(lat)) = (lon, lat) else { return };
        let accuracy_m = match self.accuracy.as_ref().map(|at| (at, &slots[at.slot])) {
            None | Some((_, Slot::Absent | Slot::Null)) => None,
            Some((_, Slot::Number(accuracy))) if *accuracy >= 0.0 => Some(*accuracy),
            // The fix is worth more than its accuracy: kept without it.
            Some((at, Slot::Number(accuracy))) => {
                let place = format_args!("{}: accuracy of {accuracy} m", at.pointer);
                out.reject(arrival, RejectReason::OutOfRange, place);
                None
            }
            Some((at, _)) => at.number(arrival, slots, out),
        };
        match position(lon, lat, accuracy_m) {
            Ok(fact) => out.observations.push(arrival.observation(at_ms, fact)),
            Err(off) => {
                let (pointer, cause) = match &off {
                    OffGlobe::Lon(cause) => (&self.lon.pointer, cause),
                    OffGlobe::Lat(cause) => (&self.lat.pointer, cause),
                };
                out.reject(arrival, RejectReason::OutOfRange, format_args!("{pointer}: {cause}"));
            }
        }
    }
}

impl Mapped {
    pub(super) fn new(pointers: &mut PointerSet, pointer: &str, want: Want, optional: bool) -> Result<Self, String> {
        Ok(Mapped { slot: pointers.add(pointer, want)?, pointer: pointer.to_owned(), optional })
    }

    /// The number; what is there instead becomes a reject, or is ignored where it may be absent.
    pub(super) fn number(&self, arrival: &Arrival<'_>, slots: &[Slot], out: &mut Decoded) -> Option<f64> {
        let pointer = &self.pointer;
        match &slots[self.slot] {
            Slot::Number(value) if value.is_finite() => return Some(*value),
            Slot::Absent | Slot::Null if self.optional => out.n_ignored += 1,
            Slot::Absent => out.reject(arrival, RejectReason::Missing, format_args!("{pointer}: nothing is there")),
            Slot::Null => out.reject(arrival, RejectReason::Missing, format_args!("{pointer}: null")),
            Slot::Other(found) => {
                let place = format_args!("{pointer}: expected a number, found {found}");
                out.reject(arrival, RejectReason::WrongType, place);
            }
            _ => out.reject(arrival, RejectReason::NotFinite, format_args!("{pointer}: expected a finite number")),
        }
        None
    }
}

pub(super) fn mapped_time(pointers: &mut PointerSet, entry: &JsonTime) -> Result<Mapped, String> {
    Mapped::new(pointers, &entry.pointer, Want::Time(entry.unit), false)
}

/// The message's own time within its bounds, the receive time where no time is mapped. A message whose time cannot
/// be read is rejected as a whole: a wrong time would do more harm than no observation.
pub(super) fn read_time(at: Option<&Mapped>, arrival: &Arrival<'_>, slots: &[Slot], out: &mut Decoded) -> Option<i64> {
    let Some(Mapped { pointer, slot, .. }) = at else { return Some(arrival.received_ms) };
    let (reason, cause) = match &slots[*slot] {
        Slot::TimeMs(at_ms) => match time::bounded(*at_ms, arrival.received_ms, arrival.ahead_max_ms) {
            Ok(at_ms) => return Some(at_ms),
            Err(cause) => (RejectReason::BadTime, cause),
        },
        Slot::BadTime(cause) => (RejectReason::BadTime, cause.clone()),
        Slot::Absent => (RejectReason::Missing, "no time is there".to_owned()),
        Slot::Null => (RejectReason::Missing, "the time is null".to_owned()),
        Slot::Other(found) => (RejectReason::WrongType, format!("expected a time, found {found}")),
        _ => (RejectReason::WrongType, "expected a time".to_owned()),
    };
    out.reject(arrival, reason, format_args!("{pointer}: {cause}"));
    None
}
