//! SenML packs in JSON and CBOR, RFC 8428. Section numbers in comments are that document's.
//!
//! Equal packs give equal observations, however their names are split between base name and name: the metric is the
//! *resolved* name, or, where the feed's source template holds `{name}`, the source is and the metric is `value`.
//! Longitude and latitude of one name and time become one position. Text, opaque data and sums are ignored and counted.

mod record;

use std::fmt;
use std::sync::Arc;

use outpost_detectors::observation::Fact;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::cbor::Cbor;
use super::json::Encoding;
use super::reject::{Decoded, RejectReason};
use super::scalar::{Scalar, fault};
use super::source::SourceCache;
use super::{Arrival, OffGlobe, position, reading};

use record::{Base, Fault, Found, Record, RecordSeed, check_name, known_unit, wrong};

/// Records that are read of one pack.
pub(super) const RECORDS_MAX: usize = 4096;

#[derive(Debug)]
pub(super) struct SenmlReader {
    pub(super) encoding: Encoding,
}

impl SenmlReader {
    pub(super) fn read(&self, arrival: &Arrival<'_>, sources: &SourceCache, topic: &str, out: &mut Decoded) {
        let first = out.observations.len();
        let mut pack = Pack {
            arrival,
            sources,
            topic,
            is_named: sources.has_name(topic),
            base: Base::new(std::mem::take(&mut out.text)),
            half: None,
            n_records: 0,
            end: None,
            out,
        };
        let parsed = match self.encoding {
            Encoding::Json => {
                let mut deserializer = serde_json::Deserializer::from_slice(arrival.payload);
                let parsed = PackSeed(&mut pack).deserialize(&mut deserializer).and_then(|()| deserializer.end());
                parsed.map_err(|error| fault(arrival.payload, &error))
            }
            Encoding::Cbor => {
                let mut cbor = Cbor::new(arrival.payload);
                let parsed = PackSeed(&mut pack).deserialize(&mut cbor).and_then(|()| cbor.end());
                parsed.map_err(|error| error.fault(arrival.payload))
            }
        };
        pack.flush_half();
        let (end, n_records) = (pack.end.take(), pack.n_records);
        let out = {
            let Pack { base, out, .. } = pack;
            out.text = base.name;
            out
        };
        // Half a document may be half a name or half a number: nothing of it counts.
        if let Err((reason, place)) = parsed {
            out.observations.truncate(first);
            return out.reject(arrival, reason, format_args!("{place}"));
        }
        match end {
            Some(End::Pack) => out.observations.truncate(first),
            None if n_records == 0 => out.reject(arrival, RejectReason::Missing, format_args!("no record in the pack")),
            _ => {}
        }
    }
}

/// Why the records that follow are not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// What was read before stays.
    Rest,
    /// Nothing of the pack counts.
    Pack,
}

/// One of longitude and latitude that waits for the other.
struct Half {
    is_lon: bool,
    degrees: f64,
    at_ms: i64,
    source: Arc<str>,
    metric: Arc<str>,
}

struct Pack<'a, 'out> {
    arrival: &'a Arrival<'a>,
    sources: &'a SourceCache,
    topic: &'a str,
    /// The resolved name goes into the source.
    is_named: bool,
    base: Base,
    half: Option<Half>,
    n_records: usize,
    end: Option<End>,
    out: &'out mut Decoded,
}

impl Pack<'_, '_> {
    fn reject(&mut self, reason: RejectReason, place: fmt::Arguments<'_>) {
        self.out.reject(self.arrival, reason, format_args!("/{}{place}", self.n_records));
    }

    fn record(&mut self, record: Record<'_>) {
        if let Some(label) = &record.must_understand {
            self.end = Some(End::Pack);
            return self.reject(RejectReason::BadShape, format_args!("/{label}: must be understood and is not"));
        }
        // Later records build on these: with a broken base nothing after it means what it says.
        if let Err((reason, place)) = self.base.update(&record) {
            self.end = Some(End::Rest);
            return self.reject(reason, format_args!("{place}; the rest of the pack is not read"));
        }
        if let Err((reason, place)) = self.observe(&record) {
            self.reject(reason, format_args!("{place}"));
        }
    }

    fn observe(&mut self, record: &Record<'_>) -> Result<(), Fault> {
        let value = match record.value_of(&self.base)? {
            Found::Number(value) => value,
            Found::Ignored => {
                self.out.n_ignored += 1;
                return Ok(());
            }
        };
        let at_ms = record.at_ms(&self.base, self.arrival)?;
        let unit = match &record.unit {
            Some(unit) => Some(known_unit("/u", unit)?),
            None => self.base.unit,
        };
        let (source, metric) = self.name(record)?;
        match unit {
            Some("lon" | "lat") => {
                let half = Half { is_lon: unit == Some("lon"), degrees: value, at_ms, source, metric };
                return self.pair(half);
            }
            Some(unit) => {
                // From the table, so there are only so many.
                let unit = self.sources.name(unit)?;
                self.push(source, at_ms, reading(&metric, value, Some(&unit)));
            }
            None => self.push(source, at_ms, reading(&metric, value, None)),
        }
        Ok(())
    }

    /// Source and metric of the record's resolved name (4.5.1).
    fn name(&mut self, record: &Record<'_>) -> Result<(Arc<str>, Arc<str>), Fault> {
        let own = match &record.name {
            None => "",
            Some(Scalar::Text(name)) => name,
            Some(other) => return Err(wrong("/n", "text", other)),
        };
        let base_len = self.base.name.len();
        self.base.name.push_str(own);
        let found = check_name(&self.base.name).and_then(|()| {
            let name = &self.base.name;
            if self.is_named {
                return Ok((self.sources.named(self.topic, name)?, self.sources.name("value")?));
            }
            Ok((self.arrival.source.clone(), self.sources.name(name)?))
        });
        self.base.name.truncate(base_len);
        found
    }

    fn pair(&mut self, half: Half) -> Result<(), Fault> {
        let is_other = |held: &Half| {
            held.is_lon != half.is_lon
                && held.at_ms == half.at_ms
                && held.source == half.source
                && held.metric == half.metric
        };
        if !self.half.as_ref().is_some_and(is_other) {
            self.flush_half();
            self.half = Some(half);
            return Ok(());
        }
        let Some(held) = self.half.take() else { return Ok(()) };
        let (lon, lat) = if half.is_lon { (half.degrees, held.degrees) } else { (held.degrees, half.degrees) };
        let fact = position(lon, lat, None).map_err(|off| {
            let (OffGlobe::Lon(cause) | OffGlobe::Lat(cause)) = off;
            (RejectReason::OutOfRange, format!("/v: {cause}"))
        })?;
        self.push(half.source, half.at_ms, fact);
        Ok(())
    }

    /// A longitude without a latitude is still a reading.
    fn flush_half(&mut self) {
        let Some(half) = self.half.take() else { return };
        match self.sources.name(if half.is_lon { "lon" } else { "lat" }) {
            Ok(unit) => self.push(half.source, half.at_ms, reading(&half.metric, half.degrees, Some(&unit))),
            Err((reason, place)) => self.reject(reason, format_args!(": {place}")),
        }
    }

    fn push(&mut self, source: Arc<str>, at_ms: i64, fact: Fact) {
        let mut observation = self.arrival.observation(at_ms, fact);
        observation.source = source;
        self.out.observations.push(observation);
    }
}

struct PackSeed<'p, 'a, 'out>(&'p mut Pack<'a, 'out>);

impl<'de> DeserializeSeed<'de> for PackSeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PackSeed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let pack = self.0;
        while pack.end.is_none() {
            if pack.n_records >= RECORDS_MAX {
                if seq.next_element::<IgnoredAny>()?.is_some() {
                    pack.end = Some(End::Rest);
                    pack.reject(RejectReason::TooLarge, format_args!(": at most {RECORDS_MAX} records are read"));
                }
                break;
            }
            match seq.next_element_seed(RecordSeed)? {
                None => return Ok(()),
                Some(Ok(record)) => pack.record(record),
                Some(Err(found)) => {
                    pack.reject(RejectReason::WrongType, format_args!(": expected an object, found {found}"))
                }
            }
            pack.n_records += 1;
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
