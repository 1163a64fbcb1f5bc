//! Sparkplug B over MQTT: births, data and deaths of edge nodes and their devices, `spBv1.0/<group>/<type>/<node>[/<device>]`.
//! Format: <https://sparkplug.eclipse.org/specification/>, version 3.0.0.
//!
//! Metrics have the names of their births, and units from the property `engUnit`. Births and deaths are the reading
//! `online`, 1 and 0. What cannot be read without its birth, and a gap in the sequence, are rejects, and a rebirth is
//! asked for: see [`Decoded::requests`]. Without a birth, named values of a plain type are read all the same.
//!
//! - [`wire`]: the protobuf messages
//! - [`nodes`]: what births said

mod nodes;
mod wire;

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use prost::Message;

use super::reject::{Decoded, RejectReason, Request, excerpt};
use super::source::SourceCache;
use super::{Arrival, reading, time};

use nodes::{Born, Nodes};
use wire::{METRIC_BYTES_MAX, Metric, Payload};

/// Larger payloads would need too much memory for their list of metrics.
const BYTES_MAX: usize = 4 << 20;
/// Metrics of one message.
const METRICS_MAX: usize = 20_000;
/// Longest name of a metric.
const NAME_BYTES_MAX: usize = 256;
/// Told of births and deaths.
const ONLINE: &str = "online";

#[derive(Debug, Default)]
pub(super) struct SparkplugReader {
    nodes: Mutex<Nodes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Birth,
    Data,
    Death,
    /// Commands, and the state of other hosts.
    Other,
}

/// A metric's name, type and unit.
type Known = (Arc<str>, u32, Option<Arc<str>>);

/// Who speaks, by the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Address<'t> {
    group: &'t str,
    node: &'t str,
    /// "" for the node itself.
    device: &'t str,
}

impl<'t> Address<'t> {
    fn parse(topic: &'t str) -> Option<(Kind, Address<'t>)> {
        let mut levels = topic.split('/');
        if levels.next()? != "spBv1.0" {
            return None;
        }
        let (group, kind) = (levels.next()?, levels.next()?);
        let (node, device) = (levels.next().unwrap_or_default(), levels.next());
        let kind = match (kind, device) {
            _ if group == "STATE" => Kind::Other,
            ("NBIRTH", None) | ("DBIRTH", Some(_)) => Kind::Birth,
            ("NDATA", None) | ("DDATA", Some(_)) => Kind::Data,
            ("NDEATH", None) | ("DDEATH", Some(_)) => Kind::Death,
            ("NCMD", None) | ("DCMD", Some(_)) => Kind::Other,
            _ => return None,
        };
        let device = device.unwrap_or_default();
        (kind == Kind::Other || !node.is_empty() && levels.next().is_none())
            .then_some((kind, Address { group, node, device }))
    }
}

impl SparkplugReader {
    pub(super) fn read(&self, arrival: &Arrival<'_>, sources: &SourceCache, topic: &str, out: &mut Decoded) {
        let Some((kind, address)) = Address::parse(topic) else {
            let place = format_args!("topic {}: expected spBv1.0/group/type/node", excerpt(topic));
            return out.reject(arrival, RejectReason::UnknownTopic, place);
        };
        if kind == Kind::Other {
            out.n_ignored += 1;
            return;
        }
        if arrival.payload.len() > BYTES_MAX {
            let place = format_args!("{} bytes, at most {BYTES_MAX} are read", arrival.payload.len());
            return out.reject(arrival, RejectReason::TooLarge, place);
        }
        let payload = match Payload::decode(Bytes::copy_from_slice(arrival.payload)) {
            Ok(payload) => payload,
            Err(error) => {
                return out.reject(arrival, RejectReason::NotProtobuf, format_args!("{}", told(&error)));
            }
        };
        let mut name = std::mem::take(&mut out.text);
        name.clear();
        // Writing to memory cannot fail.
        let _ = write!(name, "{}/{}", address.group, address.node);
        let node_len = name.len();
        if !address.device.is_empty() {
            let _ = write!(name, "/{}", address.device);
        }
        match sources.named(topic, &name) {
            Ok(source) => {
                let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
                let node = &name[..node_len];
                Heard { arrival, sources, address, node, source, payload: &payload, nodes, out }.read(kind);
            }
            Err((reason, place)) => out.reject(arrival, reason, format_args!("{place}")),
        }
        out.text = name;
    }
}

/// What the parser says, without what the reason says.
fn told(error: &prost::DecodeError) -> String {
    let told = error.to_string();
    told.strip_prefix("failed to decode Protobuf message: ").unwrap_or(&told).escape_debug().to_string()
}

/// One message on its way.
struct Heard<'a> {
    arrival: &'a Arrival<'a>,
    sources: &'a SourceCache,
    address: Address<'a>,
    /// `group/node`.
    node: &'a str,
    source: Arc<str>,
    payload: &'a Payload,
    nodes: MutexGuard<'a, Nodes>,
    out: &'a mut Decoded,
}

impl Heard<'_> {
    fn read(mut self, kind: Kind) {
        if self.nodes.node(self.node).is_none() {
            return self.reject(RejectReason::TooManySources, format_args!("more edge nodes than are kept"));
        }
        match kind {
            Kind::Birth => self.birth(),
            Kind::Data => self.data(),
            Kind::Death if self.is_node() => self.node_death(),
            Kind::Death => self.device_death(),
            Kind::Other => {}
        }
    }

    fn birth(&mut self) {
        if self.is_node() {
            self.nodes.forget(self.node, None);
            let seq = self.seq().unwrap_or(0);
            self.with_node(|node| node.begin(seq));
        } else {
            self.nodes.forget(self.node, Some(self.address.device));
            match self.with_node(|node| node.is_born) {
                Some(true) => self.follow(),
                _ => {
                    let node = self.node;
                    self.ask(format_args!("the birth of {} has not been heard", excerpt(node)));
                }
            }
        }
        let (device, source) = (self.address.device, self.source.clone());
        self.with_node(|node| node.add_device(device, source));
        let at_ms = self.at_ms(None).unwrap_or(self.arrival.received_ms);
        self.online(self.source.clone(), at_ms, 1.0);
        self.metrics(Kind::Birth);
    }

    fn data(&mut self) {
        let device = self.address.device;
        let (is_born, has_device) =
            self.with_node(|node| (node.is_born, node.has_device(device))).unwrap_or((false, false));
        if is_born {
            self.follow();
        }
        if !is_born || !has_device {
            self.ask(format_args!("its birth has not been heard"));
        }
        self.metrics(Kind::Data);
    }

    /// The broker sends it, for a connection that is lost: its time is that of the connection's beginning.
    fn node_death(&mut self) {
        let bd_seq = self.payload.metrics.iter().take(METRICS_MAX).filter(|bytes| bytes.len() <= METRIC_BYTES_MAX);
        let bd_seq = bd_seq.filter_map(|bytes| Metric::decode(bytes.clone()).ok());
        let bd_seq = bd_seq.filter(|metric| metric.name.as_deref() == Some("bdSeq")).find_map(|metric| metric.whole());
        let born = self.with_node(|node| node.is_born.then_some(node.bd_seq).flatten()).flatten();
        if born.is_some() && bd_seq.is_some() && born != bd_seq {
            // Of an earlier connection: the node has been born again since.
            self.out.n_ignored += 1;
            return;
        }
        let sources: Vec<Arc<str>> =
            self.with_node(|node| node.devices().map(|device| device.source.clone()).collect()).unwrap_or_default();
        let (own, received_ms) = (self.source.clone(), self.arrival.received_ms);
        for source in sources.into_iter().filter(|source| *source != own) {
            self.online(source, received_ms, 0.0);
        }
        self.online(own, received_ms, 0.0);
        self.nodes.forget(self.node, None);
        self.with_node(|node| node.end());
    }

    fn device_death(&mut self) {
        if self.with_node(|node| node.is_born) == Some(true) {
            self.follow();
        }
        self.nodes.forget(self.node, Some(self.address.device));
        let at_ms = self.at_ms(None).unwrap_or(self.arrival.received_ms);
        self.online(self.source.clone(), at_ms, 0.0);
    }

    fn metrics(&mut self, kind: Kind) {
        let payload = self.payload;
        for (i, bytes) in payload.metrics.iter().enumerate() {
            if i >= METRICS_MAX {
                return self.reject(RejectReason::TooLarge, format_args!("/metrics/{i}: more than are read"));
            }
            let told = match bytes.len() > METRIC_BYTES_MAX {
                true => Err((RejectReason::TooLarge, format!("{} bytes", bytes.len()))),
                false => match Metric::decode(bytes.clone()) {
                    Ok(metric) => self.metric(&metric, kind),
                    Err(error) => Err((RejectReason::NotProtobuf, told(&error))),
                },
            };
            match told {
                Ok(()) => {}
                Err((RejectReason::NoBirth, place)) => self.ask(format_args!("/metrics/{i}: {place}")),
                Err((reason, place)) => self.reject(reason, format_args!("/metrics/{i}: {place}")),
            }
        }
    }

    fn metric(&mut self, metric: &Metric, kind: Kind) -> Result<(), (RejectReason, String)> {
        let name = metric.name.as_deref().filter(|name| !name.is_empty());
        if name == Some("bdSeq") {
            if kind == Kind::Birth && self.is_node() {
                let bd_seq = metric.whole();
                self.with_node(|node| node.bd_seq = bd_seq);
            }
            self.out.n_ignored += 1;
            return Ok(());
        }
        let (metric_name, datatype, unit) = match kind {
            Kind::Birth => self.keep(metric, name)?,
            _ => self.recall(metric, name)?,
        };
        let is_control = metric_name.starts_with("Node Control/") || metric_name.starts_with("Device Control/");
        let Some(value) = metric.number(datatype).filter(|_| !is_control) else {
            self.out.n_ignored += 1;
            return Ok(());
        };
        let name = excerpt(&metric_name);
        if !value.is_finite() {
            return Err((RejectReason::NotFinite, format!("{name}: expected a finite number")));
        }
        let at_ms =
            self.at_ms(metric.timestamp).map_err(|cause| (RejectReason::BadTime, format!("{name}: {cause}")))?;
        let mut observation = self.arrival.observation(at_ms, reading(&metric_name, value, unit.as_ref()));
        observation.source = self.source.clone();
        self.out.observations.push(observation);
        Ok(())
    }

    /// What the birth said of a metric. Where the birth was not heard, a name and a value whose type is plain do.
    fn recall(&mut self, metric: &Metric, name: Option<&str>) -> Result<Known, (RejectReason, String)> {
        let (device, alias) = (self.address.device, metric.alias);
        if let Some(born) = self.with_node(|node| node.born(device, alias, name)).flatten() {
            let datatype = metric.datatype.unwrap_or(born.datatype);
            return Ok((born.metric.clone(), datatype, born.unit.clone()));
        }
        let has_birth = self.with_node(|node| node.has_device(device)) == Some(true);
        match (name, metric.plain_type()) {
            (Some(name), Some(datatype)) if !has_birth => Ok((self.name(name)?, datatype, None)),
            _ => {
                let what = name.map(excerpt).or(alias.map(|alias| format!("alias {alias}")));
                Err((RejectReason::NoBirth, format!("{} was not in the birth", what.unwrap_or("no name".into()))))
            }
        }
    }

    fn name(&self, name: &str) -> Result<Arc<str>, (RejectReason, String)> {
        if name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
            return Err((RejectReason::BadText, format!("{} cannot be a metric", excerpt(name))));
        }
        self.sources.name(name)
    }

    /// Keeps what a birth says of a metric.
    fn keep(&mut self, metric: &Metric, name: Option<&str>) -> Result<Known, (RejectReason, String)> {
        let name = self.name(name.ok_or_else(|| (RejectReason::Missing, "no name".to_owned()))?)?;
        let unit = metric.unit().map(|unit| self.sources.name(unit)).transpose()?;
        let datatype = metric.datatype.unwrap_or_default();
        let born = Born::new(name.clone(), datatype, unit.clone());
        match self.nodes.keep(self.node, self.address.device, metric.alias, born) {
            true => Ok((name, datatype, unit)),
            false => Err((RejectReason::TooManySources, "more metrics than are kept".into())),
        }
    }

    fn is_node(&self) -> bool {
        self.address.device.is_empty()
    }

    fn with_node<T>(&mut self, act: impl FnOnce(&mut nodes::Node) -> T) -> Option<T> {
        self.nodes.node(self.node).map(act)
    }

    /// The message's number, 0 to 255.
    fn seq(&mut self) -> Option<u8> {
        match self.payload.seq {
            None => self.reject(RejectReason::Missing, format_args!("/seq: nothing is there")),
            Some(seq) => match u8::try_from(seq) {
                Ok(seq) => return Some(seq),
                Err(_) => self.reject(RejectReason::OutOfRange, format_args!("/seq: {seq} is not within 0..255")),
            },
        }
        None
    }

    /// Says where messages between the last one and this are missing.
    fn follow(&mut self) {
        let Some(seq) = self.seq() else { return };
        if let Some(Err(expected)) = self.with_node(|node| node.follow(seq)) {
            let place = format_args!("/seq: expected {expected}, found {seq}");
            self.reject(RejectReason::SequenceGap, place);
            self.request();
        }
    }

    /// A time of the payload within its bounds; where it says none, the time of receipt.
    fn at_ms(&self, own: Option<u64>) -> Result<i64, String> {
        let Arrival { received_ms, ahead_max_ms, .. } = *self.arrival;
        match own.or(self.payload.timestamp) {
            None => Ok(received_ms),
            Some(ms) => time::bounded(i64::try_from(ms).unwrap_or(i64::MAX), received_ms, ahead_max_ms),
        }
    }

    fn online(&mut self, source: Arc<str>, at_ms: i64, value: f64) {
        match self.sources.name(ONLINE) {
            Ok(metric) => {
                let mut observation = self.arrival.observation(at_ms, reading(&metric, value, None));
                observation.source = source;
                self.out.observations.push(observation);
            }
            Err((reason, place)) => self.reject(reason, format_args!("{place}")),
        }
    }

    fn reject(&mut self, reason: RejectReason, place: fmt::Arguments<'_>) {
        self.out.reject(self.arrival, reason, place);
    }

    /// What cannot be read without a birth.
    fn ask(&mut self, place: fmt::Arguments<'_>) {
        self.reject(RejectReason::NoBirth, place);
        self.request();
    }

    fn request(&mut self) {
        let now_ms = self.arrival.received_ms;
        if self.with_node(|node| node.ask(now_ms)) == Some(true) {
            let Address { group, node, .. } = self.address;
            let topic = format!("spBv1.0/{group}/NCMD/{node}");
            self.out.requests.push(Request { topic, payload: wire::rebirth(now_ms) });
        }
    }
}
