//! One TOML file → a checked configuration. Unknown keys are errors; every problem has its line and a hint.
//!
//! The structs here are the file's shape and nothing else; defaults stand beside their key and in
//! `configs/district.toml`.

pub mod annex;
mod base_map;
mod camera;
pub mod camera_rows;
pub mod check;
pub mod condition;
mod defaults;
mod desk;
mod detect;
mod example;
mod fence_file;
mod fence_names;
mod format;
mod heat;
mod light;
mod limit;
mod listener;
mod movement;
mod objects;
mod outside;
pub mod pattern;
mod picture;
pub(crate) mod places;
mod receiver;
mod scalar;
pub mod scores;
pub mod topic;
pub mod unit;
mod view;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use outpost_fences::{Fence, FenceSet};
use serde::{Deserialize, Serialize};

pub use annex::{Console, Table, Written};
pub use base_map::BaseMap;
pub use camera::{Ailment, Camera, Clip, Compat, HeatVideo, Pace, Teardown, Transport, UnassignedData, UnknownRtcp};
pub use camera_rows::CameraRow;
pub use check::load;
pub use defaults::ZONE;
pub use desk::{
    AutoDispatch, CategoryLimits, Centre, Classes, Clock, Desk, Escalation, EscalationStep, Group, Inhibit, Level,
    Officers, Person, Role, StageLimits, Storm,
};
pub use detect::{Detect, Severity, UnitOf};
pub use example::{Example, Expected, Given, Said};
pub use fence_file::{CoordinateSystem, FenceFile};
pub use fence_names::{FENCES_PER_RULE_MAX, FenceNames, NoFences};
pub use format::{
    ByteOrder, Format, ImagerOf, JsonAim, JsonPosition, JsonReading, JsonTime, MetricUnit, ModbusReading, Packing,
    RawFrames, RegisterType, TimeUnit, WordOrder,
};
pub use heat::{Backdrop, Grows, HotArea, Shield, Shows, SurfaceOf};
pub use light::{Colours, Confirm, LIGHT_WORD, Light};
pub use limit::Limit;
pub use listener::{Listener, ListenerTls, ListenerUser};
pub use movement::{Border, CrossDirection, KMH_PER_MPS, Motion, line_of};
pub use objects::{CLASSES_MAX, ClassNames, Objects};
pub use outside::{ApiKey, Intake, Open311, ReportKind, Service};
pub use picture::{GroundPair, PictureLine, Things, Zone};
pub use places::{Places, RoadFiles};
pub use receiver::{Body, Hears, MailSecurity, Receiver, TOPIC_WORDS, Target};
pub use scalar::{Bytes, Secret, SecretError, Span};
pub use scores::{Amount, Count, Figure, Score, Sum, Term, with_standard};
pub use view::{ErrorsOf, Land, PtzOf, ViewOf};

use crate::objects::Model;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default)]
    pub district: District,
    #[serde(default)]
    pub store: Store,
    #[serde(default)]
    pub evidence: Evidence,
    #[serde(default)]
    pub api: Api,
    #[serde(default)]
    pub console: Console,
    #[serde(default)]
    pub pipeline: Pipeline,
    #[serde(default)]
    pub video: Video,
    pub objects: Option<Objects>,
    #[serde(default)]
    pub desk: Desk,
    #[serde(default)]
    pub places: Places,
    pub roads: Option<RoadFiles>,
    #[serde(default)]
    pub centres: Vec<Centre>,
    #[serde(default)]
    pub people: Vec<Person>,
    #[serde(default)]
    pub scores: Vec<Score>,
    #[serde(default)]
    pub brokers: Vec<Broker>,
    #[serde(default)]
    pub listeners: Vec<Listener>,
    #[serde(default)]
    pub feeds: Vec<Feed>,
    #[serde(default)]
    pub cameras: Vec<Camera>,
    #[serde(default)]
    pub sources: Vec<Source>,
    #[serde(default)]
    pub fences: Vec<FenceFile>,
    #[serde(default)]
    pub land: Land,
    #[serde(default)]
    pub calendars: Vec<Calendar>,
    #[serde(default)]
    pub rules: Vec<Rule>,
    #[serde(default)]
    pub receivers: Vec<Receiver>,
    pub series: Option<Series>,
    #[serde(default)]
    pub lights: Vec<Light>,
    pub open311: Option<Open311>,
    #[serde(default)]
    pub intake: Vec<Intake>,
    /// What the console edits or shows as text; empty where it has no annex.
    #[serde(skip)]
    pub written: Arc<[Written]>,
}

/// Who we are: goes out with every notification.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct District {
    pub id: String,
    pub name: String,
    /// Of names and titles, as RFC 5646 says it: goes out with CAP messages.
    pub language: String,
    /// Id of the fence that all others must lie in; none where absent.
    pub outline: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Folder of the database and the evidence. Relative to the working directory.
    pub folder: PathBuf,
}

/// How long pictures and clips of alerts, and files of tickets, are kept. What is held stays whatever these say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Evidence {
    pub snapshots_keep: Span,
    /// Beyond it the oldest go.
    pub snapshots_bytes_max: Bytes,
    pub clips_keep: Span,
    pub clips_bytes_max: Bytes,
    /// Files that officers add to tickets.
    pub attachments_keep: Span,
    pub attachments_bytes_max: Bytes,
    /// Room that evidence leaves on its disk: below it the oldest go.
    pub disk_free_min: Bytes,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    pub listen: String,
    /// Bearer token that every /api request must carry. Required where `listen` is not loopback.
    pub token: Option<Secret>,
}

/// Bounds between the parts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pipeline {
    /// Inputs waiting for Watch; when full, sockets are not read.
    pub queue_max: usize,
    /// Inputs committed in one transaction.
    pub batch_max: usize,
    /// Threads that decode and judge, each for sources of its own.
    pub shards: usize,
    /// Sources that are kept in memory; messages of further ones are rejected and counted.
    pub sources_max: usize,
    /// Latest readings that are kept in memory by each shard, of all its sources together.
    pub trail_max: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Video {
    /// Threads that decode, shared by all cameras. 0 = one per core.
    pub decode_threads: usize,
    /// Cores that decoding may take, all threads together. 0 = no limit beyond the threads.
    pub decode_cores: f64,
    /// Access units waiting per decode thread; when full, delta frames are shed and counted.
    pub queue_max: usize,
    /// A camera at rest is looked at this often once the sizes of its frames have shown that they tell of movement; until
    /// then at each key frame.
    pub glance: Span,
    /// How long the stream of a camera at rest may be left unread, so that many frames cost one look at its socket; 0 = each
    /// frame is read as it comes.
    pub lull: Span,
    /// Cameras that are opened at once.
    pub open_max: usize,
    /// All frames are decoded for this long after the last movement.
    pub active: Span,
    /// Whether cameras may be recorded files: for replay.
    pub files: bool,
    /// Clips of alerts, where a camera does not say otherwise.
    pub clip: Clip,
    /// How long a visible camera is looked through for flame and smoke when its thermal one finds something hot.
    pub look: Span,
    /// People who watch cameras live at a time; 0 = nobody may.
    pub live_max: usize,
    /// JPEG quality of snapshots, 1 to 100.
    pub jpeg_quality: u8,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    pub id: String,
    pub host: String,
    #[serde(default = "defaults::mqtt_port")]
    pub port: u16,
    #[serde(default)]
    pub version: MqttVersion,
    /// Stable for ever: the broker keeps our unread messages under it.
    #[serde(default = "defaults::client_id")]
    pub client_id: String,
    pub username: Option<String>,
    pub password: Option<Secret>,
    #[serde(default)]
    pub tls: bool,
    /// PEM file of the authority that signed the broker's certificate; the system's where absent.
    pub ca_file: Option<PathBuf>,
    #[serde(default = "defaults::keep_alive")]
    pub keep_alive: Span,
    /// How long the broker is asked to keep our session while we are away (MQTT 5).
    #[serde(default = "defaults::session_expiry")]
    pub session_expiry: Span,
    /// Messages received and not yet acknowledged.
    #[serde(default = "defaults::inflight_max")]
    pub inflight_max: u16,
    #[serde(default = "defaults::packet_bytes_max")]
    pub packet_bytes_max: Bytes,
    #[serde(default = "defaults::connect_timeout")]
    pub connect_timeout: Span,
    #[serde(default = "defaults::retry_max")]
    pub retry_max: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum MqttVersion {
    #[serde(rename = "3.1.1")]
    V311,
    #[default]
    #[serde(rename = "5")]
    V5,
}

/// Topics of a broker and how their payloads become observations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    pub id: String,
    /// A broker or a listener.
    pub broker: String,
    /// MQTT topic filters; `+` and `#` as in MQTT.
    pub topics: Vec<String>,
    /// Name of the source: text with `{0}`, `{1}`… for the topic's levels, `{topic}` for all of it and, where payloads
    /// name their sources, `{name}`: a SenML record's resolved name, a LoRaWAN device's DevEUI,
    /// Sparkplug's `group/node/device`, the identifier of a device that Home Assistant's discovery announces.
    #[serde(default = "defaults::source_template")]
    pub source: String,
    pub format: Format,
    /// Device times further ahead of the receive time than this are rejected.
    #[serde(default = "defaults::ahead_max")]
    pub ahead_max: Span,
    /// Of the positions in its payloads.
    #[serde(default)]
    pub coordinates: CoordinateSystem,
}

/// What is known of a source beyond its messages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub id: String,
    #[serde(default)]
    pub name: String,
    /// Longitude and latitude, WGS-84.
    pub place: Option<[f64; 2]>,
    /// Of a camera that looks over land.
    pub view: Option<ViewOf>,
    /// The camera that sees the same in visible light, `cam:` and its id: it is looked through when a rule about heat opens an
    /// alert of this source, and what it sees makes the alert surer or less sure.
    pub visible: Option<String>,
    /// Its mount, which is asked where it looks.
    pub ptz: Option<PtzOf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub id: String,
    #[serde(default)]
    pub name: String,
    /// Source patterns: `+` one level, `#` the rest, `*` any text within a level.
    pub sources: Vec<String>,
    pub detect: Detect,
    pub severity: Severity,
    #[serde(default)]
    pub category: String,
    /// When the rule is on duty; always where absent.
    pub active: Option<Active>,
    /// How late what was measured earlier may come: it is then judged in the order in which it happened.
    pub lateness: Option<Span>,
    /// How likely what it finds is so, 0..1; below `desk.confirm_below` somebody has to look first. Sure where absent.
    pub confidence: Option<f64>,
    /// Metres within which a work order makes what it finds expected: an alert, and no ticket until the order is over.
    pub unless_work_m: Option<f64>,
    /// When its alerts come and go so often that they are one.
    pub flapping: Option<Flapping>,
    /// What the rule does with what it might hear; run by `outpost rules test`.
    #[serde(default)]
    pub examples: Vec<Example>,
}

/// Which days are for work and which for rest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    pub id: String,
    /// Offset from UTC, `+08:00`, or a zone of the tz database, `Asia/Shanghai`, `Europe/Paris`.
    #[serde(default = "defaults::zone")]
    pub zone: String,
    /// `2026-10-01` or `2026-10-01..2026-10-07`: free although the week says otherwise.
    #[serde(default)]
    pub holidays: Vec<String>,
    /// Days of work although the week says otherwise.
    #[serde(default)]
    pub workdays: Vec<String>,
}

/// A rule outside these hours hears nothing, and what it has open then clears.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Active {
    pub calendar: String,
    /// `workdays 18:00-08:00`, `restdays`, `daily 22:00-06:00`, `mon-fri,sun 09:00-17:30`.
    pub windows: Vec<String>,
}

/// From the `n`th alert of a source within this span on, it stays open until it has rested for as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Flapping {
    pub n: usize,
    pub within: Span,
}

/// Readings to an InfluxDB v2 write endpoint.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// `http://` or `https://`, host, port and, behind a proxy, a path.
    pub url: String,
    pub org: String,
    pub bucket: String,
    pub token: Option<Secret>,
    #[serde(default = "defaults::series_batch_bytes_max")]
    pub batch_bytes_max: Bytes,
    /// Waits for more readings at most this long.
    #[serde(default = "defaults::series_linger")]
    pub linger: Span,
    #[serde(default = "defaults::connect_timeout")]
    pub timeout: Span,
    /// Readings that wait on disk; beyond it the oldest are evicted, counted and alerted.
    #[serde(default = "defaults::spool_bytes_max")]
    pub spool_bytes_max: Bytes,
    #[serde(default = "defaults::retry_max")]
    pub retry_max: Span,
    /// An alert tells that the server has taken nothing for this long.
    #[serde(default = "defaults::series_down_after")]
    pub down_after: Span,
}

impl Config {
    /// Those of the fences that are the ground of centres.
    pub fn grids(&self, fences: &FenceSet) -> FenceSet {
        let ids: HashSet<&Arc<str>> = self.fences.iter().flat_map(|entry| &entry.ids).collect();
        let grids = fences.iter().filter(|fence| ids.contains(&fence.id)).map(|fence| Fence::clone(fence));
        FenceSet::new(grids.collect())
    }

    /// The object model, where there is one.
    pub fn model(&self) -> Option<Arc<Model>> {
        self.objects.as_ref().and_then(|objects| objects.loaded.clone())
    }

    /// The broker of that id.
    pub fn broker(&self, id: &str) -> Option<&Broker> {
        self.brokers.iter().find(|broker| broker.id == id)
    }
}
