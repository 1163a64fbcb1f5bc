//! Values of the keys that a file leaves out. `configs/district.toml` shows each beside its key.

use std::path::PathBuf;

use super::{
    Ailment, Api, Bytes, Classes, Clip, Clock, Desk, District, Evidence, Group, Inhibit, Limit, Officers, Pipeline,
    Severity, Span, Store, Storm, Video,
};

impl Default for District {
    fn default() -> Self {
        District { id: "district".into(), name: String::new(), language: "zh-CN".into(), outline: None }
    }
}

impl Default for Store {
    fn default() -> Self {
        Store { folder: PathBuf::from("data") }
    }
}

impl Default for Evidence {
    fn default() -> Self {
        let days = |n: i64| Span::from_ms(n * 86_400_000);
        Evidence {
            snapshots_keep: days(180),
            snapshots_bytes_max: Bytes(8 << 30),
            clips_keep: days(30),
            clips_bytes_max: Bytes(32 << 30),
            attachments_keep: days(365),
            attachments_bytes_max: Bytes(8 << 30),
            disk_free_min: Bytes(512 << 20),
        }
    }
}

impl Default for Api {
    fn default() -> Self {
        Api { listen: "127.0.0.1:8088".into(), token: None }
    }
}

impl Default for Pipeline {
    fn default() -> Self {
        Pipeline { queue_max: 8192, batch_max: 8192, shards: 1, sources_max: 200_000, trail_max: 16_384 }
    }
}

impl Default for Video {
    fn default() -> Self {
        Video {
            decode_threads: 0,
            decode_cores: 0.0,
            queue_max: 256,
            glance: Span::from_ms(20_000),
            lull: Span::from_ms(200),
            open_max: 64,
            active: Span::from_ms(5_000),
            files: false,
            clip: Clip::default(),
            look: Span::from_ms(6_000),
            live_max: 16,
            jpeg_quality: 80,
        }
    }
}

impl Default for Clip {
    fn default() -> Self {
        Clip { before: Span::from_ms(5_000), after: Span::from_ms(10_000) }
    }
}

impl Default for Desk {
    fn default() -> Self {
        Desk {
            clock: Clock::default(),
            yellow_share: 0.25,
            calendar: None,
            hours: vec!["workdays 09:00-18:00".into()],
            limits: Vec::new(),
            raise_after: Limit::Urgent(Span::from_ms(2 * 3_600_000)),
            archive_after: Span::from_ms(30 * 86_400_000),
            emergency_from: Severity::Extreme,
            dispatch: Vec::new(),
            confirm_below: 0.5,
            inhibits: vec![Inhibit { when: "camera-dark".into(), mutes: Vec::new() }],
            storm: Storm::default(),
            officers: Officers::default(),
            group: Group::default(),
            classes: Classes::default(),
            escalations: Vec::new(),
            private: Vec::new(),
        }
    }
}

impl Default for Storm {
    fn default() -> Self {
        Storm { n: 30, within: Span::from_ms(60_000) }
    }
}

impl Default for Officers {
    fn default() -> Self {
        let minutes = |n: i64| Span::from_ms(n * 60_000);
        Officers {
            tickets_max: 1,
            lease: minutes(10),
            position_age_max: minutes(10),
            position_every: Span::from_ms(10_000),
            positions_keep: minutes(30 * 24 * 60),
            overtime: minutes(12 * 60),
            repeats_keep: minutes(7 * 24 * 60),
            speed_kmh: 25.0,
            detour: 1.5,
            load: minutes(10),
            owner_bonus: minutes(5),
        }
    }
}

impl Default for Group {
    fn default() -> Self {
        Group { within: Span::from_ms(0), radius_m: 50.0, same_grid: false }
    }
}

impl Default for Classes {
    fn default() -> Self {
        let days = |n: i64| Span::from_ms(n * 86_400_000);
        Classes {
            n: 3,
            within: days(30),
            radius_m: 50.0,
            same_grid: true,
            distances_m: vec![50.0, 120.0, 300.0],
            spans: vec![days(2), days(4), days(14)],
        }
    }
}

pub(super) fn score_min() -> f64 {
    0.4
}

pub(super) fn overlap_max() -> f64 {
    0.45
}

pub(super) fn objects_timeout() -> Span {
    Span::from_ms(10_000)
}

pub(super) fn reach_m() -> f64 {
    300.0
}

impl Default for Clock {
    fn default() -> Self {
        let minutes = |n: i64| Span::from_ms(n * 60_000);
        Clock { minor: minutes(72 * 60), moderate: minutes(24 * 60), severe: minutes(4 * 60), extreme: minutes(60) }
    }
}

pub(super) fn ptz_every() -> Span {
    Span::from_ms(1_000)
}
pub(super) fn ptz_timeout() -> Span {
    Span::from_ms(3_000)
}
pub(super) fn ptz_pan() -> [f64; 2] {
    [-180.0, 180.0]
}
pub(super) fn ptz_tilt() -> [f64; 2] {
    [-90.0, 90.0]
}
pub const ZONE: &str = "+08:00";
pub(super) fn zone() -> String {
    ZONE.into()
}
pub(super) fn mqtt_port() -> u16 {
    1883
}
pub(super) fn listen() -> String {
    "127.0.0.1:1883".into()
}
pub(super) fn connections_max() -> usize {
    1_000
}
pub(super) fn sessions_max() -> usize {
    10_000
}
pub(super) fn buffer_bytes_max() -> Bytes {
    Bytes(64 << 20)
}
pub(super) fn topic_aliases_max() -> u16 {
    64
}
pub(super) fn keep_alive_max() -> Span {
    Span::from_ms(20 * 60_000)
}
pub(super) fn map_zoom_max() -> u8 {
    18
}
pub(super) fn client_id() -> String {
    "outpost".into()
}
pub(super) fn keep_alive() -> Span {
    Span::from_ms(30_000)
}
pub(super) fn session_expiry() -> Span {
    Span::from_ms(7 * 86_400_000)
}
pub(super) fn inflight_max() -> u16 {
    1000
}
pub(super) fn packet_bytes_max() -> Bytes {
    Bytes(1 << 20)
}
pub(super) fn connect_timeout() -> Span {
    Span::from_ms(10_000)
}
pub(super) fn retry_max() -> Span {
    Span::from_ms(60_000)
}
pub(super) fn source_template() -> String {
    "{topic}".into()
}
pub(super) fn discovery_prefix() -> String {
    "homeassistant".into()
}
pub(super) fn devices_max() -> usize {
    1_000
}
pub(super) fn ahead_max() -> Span {
    Span::from_ms(86_400_000)
}
pub(super) fn celsius() -> String {
    "Cel".into()
}
pub(super) fn absorb_after() -> Span {
    Span::from_ms(60_000)
}

pub(super) fn alarms() -> bool {
    true
}

pub(super) fn dark_after() -> Span {
    Span::from_ms(60_000)
}
pub(super) fn ailments() -> Vec<Ailment> {
    Ailment::ALL.to_vec()
}
pub(super) fn stall_after() -> Span {
    Span::from_ms(15_000)
}
pub(super) fn frame_bytes_max() -> Bytes {
    Bytes(4 << 20)
}
pub(super) fn memory_max() -> Bytes {
    Bytes(32 << 20)
}
pub(super) fn least_severity() -> Severity {
    Severity::Minor
}
pub(super) fn smtp_port() -> u16 {
    587
}
pub(super) fn reports_per_minute() -> u32 {
    30
}
pub(super) fn light_within() -> Span {
    Span::from_ms(5_000)
}
pub(super) fn breaks_quiet_from() -> Severity {
    Severity::Extreme
}
pub(super) fn give_up_after() -> Span {
    Span::from_ms(3 * 86_400_000)
}
pub(super) fn series_batch_bytes_max() -> Bytes {
    Bytes(512 << 10)
}
pub(super) fn series_linger() -> Span {
    Span::from_ms(1_000)
}
pub(super) fn series_down_after() -> Span {
    Span::from_ms(5 * 60_000)
}
pub(super) fn spool_bytes_max() -> Bytes {
    Bytes(256 << 20)
}

pub(super) fn scale() -> f64 {
    1.0
}
