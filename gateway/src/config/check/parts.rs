//! What must hold of the single tables, the brokers and the known sources.

use std::net::{IpAddr, SocketAddr};

use super::Outside;
use super::look::Look;
use super::tree::Path;
use crate::config::{Api, Broker, Config, MqttVersion, Series, Span};
use crate::decode::PAYLOAD_BYTES_MAX;

pub(super) const QUEUE_MAX: usize = 1 << 20;
/// People who watch live: each takes a whole stream from the network of this machine.
const LIVE_MAX: usize = 256;

/// Most threads that judge.
const SHARDS_MAX: usize = 64;
const SOURCES_MAX: usize = 10_000_000;
/// Readings that are kept, 24 bytes each.
const TRAIL_MAX: usize = 64 << 20;
/// Beyond it the pictures of a look are too many.
const LOOK_MIN: Span = Span::from_ms(4_000);
const LOOK_MAX: Span = Span::from_ms(12_000);
const LULL_MAX: Span = Span::from_ms(1_000);
/// Longest keep-alive that MQTT can say.
pub(super) const KEEP_ALIVE_S_MAX: i64 = 65_535;

pub(super) fn check(look: &mut Look<'_>, config: &Config) {
    let root = Path::default();
    let district = root.key("district");
    if config.district.id.is_empty() {
        look.error(&district.key("id"), "must not be empty: it goes out with every notification");
    }
    check_api(look, &root.key("api"), &config.api);
    let (at, evidence) = (root.key("evidence"), &config.evidence);
    look.check_positive(&at.key("snapshots_keep"), evidence.snapshots_keep);
    look.check_positive(&at.key("clips_keep"), evidence.clips_keep);
    look.check_positive(&at.key("attachments_keep"), evidence.attachments_keep);
    let (at, pipeline) = (root.key("pipeline"), &config.pipeline);
    look.check_within(&at.key("queue_max"), pipeline.queue_max, 1, QUEUE_MAX);
    look.check_within(&at.key("batch_max"), pipeline.batch_max, 1, QUEUE_MAX);
    look.check_within(&at.key("shards"), pipeline.shards, 1, SHARDS_MAX);
    look.check_within(&at.key("sources_max"), pipeline.sources_max, 1, SOURCES_MAX);
    look.check_within(&at.key("trail_max"), pipeline.trail_max, 0, TRAIL_MAX);
    let (at, video) = (root.key("video"), &config.video);
    look.check_within(&at.key("decode_threads"), video.decode_threads, 0, 1024);
    look.check_within(&at.key("decode_cores"), video.decode_cores, 0.0, 1024.0);
    look.check_within(&at.key("queue_max"), video.queue_max, 1, QUEUE_MAX);
    look.check_positive(&at.key("glance"), video.glance);
    if video.lull > LULL_MAX {
        look.error(&at.key("lull"), "must be 1s or less: what moves would be told of so much later");
    }
    if !(LOOK_MIN..=LOOK_MAX).contains(&video.look) {
        look.error(&at.key("look"), "must be 4s to 12s: flames have to flicker, smoke has to drift");
    }
    look.check_within(&at.key("open_max"), video.open_max, 1, 4096);
    look.check_within(&at.key("live_max"), video.live_max, 0, LIVE_MAX);
    look.check_within(&at.key("jpeg_quality"), video.jpeg_quality, 1, 100);
    super::cameras::check_clip(look, &at.key("clip"), &video.clip);
    check_brokers(look, &config.brokers);
    check_sources(look, config);
    let n_named = config.sources.len() + config.cameras.len();
    if n_named > pipeline.sources_max {
        look.error(
            &root.key("pipeline").key("sources_max"),
            format!("has no room for the {n_named} sources and cameras here"),
        );
    }
    if let Some(series) = &config.series {
        check_series(look, &root.key("series"), series);
    }
}

/// Whether others than this machine could reach it; an error where it is no address.
pub(super) fn check_listen(look: &mut Look<'_>, at: &Path, listen: &str) -> bool {
    let (is_address, is_loopback) = match (listen.parse::<SocketAddr>(), listen.split_once(':')) {
        (Ok(address), _) => (true, address.ip().is_loopback()),
        (Err(_), Some(("localhost", port))) => (port.parse::<u16>().is_ok(), true),
        _ => (false, true),
    };
    if !is_address {
        let hint = "write an address and a port, e.g. \"127.0.0.1:8088\" or \"[::1]:8088\"".to_owned();
        look.error_hint(at, format!("{listen:?} is no address to listen on"), Some(hint));
    }
    !is_loopback
}

fn check_api(look: &mut Look<'_>, at: &Path, api: &Api) {
    look.check_secret(&at.key("token"), api.token.as_ref());
    let listen = at.key("listen");
    let is_loopback = !check_listen(look, &listen, &api.listen);
    if !is_loopback && api.token.is_none() && !look.shape.has_fault_beneath(&at.key("token")) {
        let hint = "api.token = { env = \"OUTPOST_API_TOKEN\" }, or listen on 127.0.0.1".to_owned();
        look.error_hint(&listen, "without a token the API may only be reached from this machine", Some(hint));
    }
}

fn check_brokers(look: &mut Look<'_>, brokers: &[Broker]) {
    let paths: Vec<_> = (0..brokers.len()).map(|i| look.shape.origin("brokers", i)).collect();
    look.check_ids(paths.iter().cloned().zip(brokers.iter().map(|broker| broker.id.as_str())));
    for (i, broker) in brokers.iter().enumerate() {
        let at = &paths[i];
        check_broker(look, at, broker);
        let same = |other: &&Broker| {
            (&other.host, other.port, &other.client_id) == (&broker.host, broker.port, &broker.client_id)
        };
        if let Some(other) = brokers[..i].iter().find(same) {
            let cause = format!(
                "broker {:?} has the same host, port and client_id: each would end the other's session",
                other.id
            );
            look.error(&at.key("client_id"), cause);
        }
    }
}

fn check_broker(look: &mut Look<'_>, at: &Path, broker: &Broker) {
    check_host(look, &at.key("host"), &broker.host);
    look.check_within(&at.key("port"), broker.port, 1, u16::MAX);
    if broker.client_id.is_empty() {
        look.error(&at.key("client_id"), "must not be empty: the broker keeps unread messages under it");
    }
    if broker.password.is_some() && broker.username.is_none() && broker.version == MqttVersion::V311 {
        look.error(&at.key("password"), "MQTT 3.1.1 allows no password without a username");
    }
    look.check_secret(&at.key("password"), broker.password.as_ref());
    if let Some(ca_file) = &broker.ca_file {
        if !broker.tls {
            look.warn(&at.key("ca_file"), "has no effect without tls = true", None);
        }
        if look.outside == Outside::Looked && !ca_file.is_file() {
            look.error(&at.key("ca_file"), format!("there is no file {}", ca_file.display()));
        }
    }
    let keep_alive_s = broker.keep_alive.ms() / 1000;
    if !(1..=KEEP_ALIVE_S_MAX).contains(&keep_alive_s) {
        look.error(&at.key("keep_alive"), format!("must be 1s to {KEEP_ALIVE_S_MAX}s"));
    }
    if broker.session_expiry.ms() == 0 {
        let cause = "0 lets the broker drop what comes while we are away";
        look.warn(&at.key("session_expiry"), cause, None);
    }
    look.check_within(&at.key("inflight_max"), broker.inflight_max, 1, u16::MAX);
    look.check_bytes(&at.key("packet_bytes_max"), broker.packet_bytes_max, 1 << 10, PAYLOAD_BYTES_MAX as u64);
    look.check_positive(&at.key("connect_timeout"), broker.connect_timeout);
    look.check_positive(&at.key("retry_max"), broker.retry_max);
}

fn check_sources(look: &mut Look<'_>, config: &Config) {
    let paths: Vec<_> = (0..config.sources.len()).map(|i| look.shape.origin("sources", i)).collect();
    look.check_ids(paths.iter().cloned().zip(config.sources.iter().map(|source| source.id.as_str())));
    for (at, source) in paths.iter().zip(&config.sources) {
        look.check_place(&at.key("place"), source.place);
        if let Some(visible) = &source.visible {
            check_visible(look, &at.key("visible"), visible);
        }
    }
}

fn check_visible(look: &mut Look<'_>, at: &Path, visible: &str) {
    match visible.strip_prefix("cam:") {
        Some(camera) => look.check_reference(at, "camera", camera, "cameras"),
        None => look.error_hint(
            at,
            "is no camera",
            Some(format!("cameras are called \"cam:\" and their id: \"cam:{visible}\"")),
        ),
    }
}

fn check_series(look: &mut Look<'_>, at: &Path, series: &Series) {
    let url = at.key("url");
    if let Some(parsed) = check_url(look, &url, &series.url, &["http", "https"])
        && (parsed.query().is_some() || parsed.fragment().is_some())
    {
        look.error(&url, "takes no query and no fragment: org and bucket have keys of their own");
    }
    for (key, text) in [("org", &series.org), ("bucket", &series.bucket)] {
        if text.is_empty() {
            look.error(&at.key(key), "must not be empty");
        }
    }
    look.check_secret(&at.key("token"), series.token.as_ref());
    look.check_bytes(&at.key("batch_bytes_max"), series.batch_bytes_max, 1 << 10, 64 << 20);
    look.check_bytes(&at.key("spool_bytes_max"), series.spool_bytes_max, series.batch_bytes_max.0, 1 << 40);
    look.check_positive(&at.key("timeout"), series.timeout);
    look.check_positive(&at.key("retry_max"), series.retry_max);
}

pub(super) fn check_host(look: &mut Look<'_>, at: &Path, host: &str) {
    if host.is_empty() || host.contains([':', '/', '@', ' ']) && host.parse::<IpAddr>().is_err() {
        let hint = Some("a name or an address, without mqtt:// and without a port".to_owned());
        look.error_hint(at, format!("{host:?} is no host"), hint);
    }
}

/// A URL of one of the schemes, with a host and without credentials. What is written is repeated only where it holds no
/// credentials.
pub(super) fn check_url(look: &mut Look<'_>, at: &Path, text: &str, schemes: &[&str]) -> Option<url::Url> {
    let told = schemes.join(":// or ");
    let parsed = match url::Url::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            look.error(at, format!("is no URL: {error}"));
            return None;
        }
    };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        let hint = Some("there are keys of their own for username and password or secret".to_owned());
        look.error_hint(at, "credentials do not stand in a URL", hint);
        return None;
    }
    if !schemes.contains(&parsed.scheme()) {
        look.error(at, format!("must begin with {told}://, not {}:", parsed.scheme()));
        return None;
    }
    if parsed.host_str().is_none_or(str::is_empty) {
        look.error(at, "names no host");
        return None;
    }
    Some(parsed)
}
