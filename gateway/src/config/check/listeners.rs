//! What must hold of the built-in MQTT listeners: addresses, users, their topics, bounds.

use super::Outside;
use super::look::Look;
use super::parts::{KEEP_ALIVE_S_MAX, QUEUE_MAX, check_listen};
use super::tree::Path;
use crate::config::topic::TopicFilter;
use crate::config::{Config, Listener, ListenerTls};
use crate::decode::PAYLOAD_BYTES_MAX;

const CONNECTIONS_MAX: usize = 100_000;
/// A window of marks is searched for each message that a client sends again.
const INFLIGHT_MAX: u16 = 8_192;
/// Longest user name.
const NAME_BYTES_MAX: usize = 256;

pub(super) fn check(look: &mut Look<'_>, config: &Config) {
    let listeners = &config.listeners;
    let paths: Vec<_> = (0..listeners.len()).map(|i| look.shape.origin("listeners", i)).collect();
    look.check_ids(paths.iter().cloned().zip(listeners.iter().map(|listener| listener.id.as_str())));
    for (i, listener) in listeners.iter().enumerate() {
        let at = &paths[i];
        if config.broker(&listener.id).is_some() {
            look.error(&at.key("id"), "a broker has this id: feeds could not tell them apart");
        }
        let takes_port = |other: &&Listener| other.listen == listener.listen && !listener.listen.ends_with(":0");
        if let Some(other) = listeners[..i].iter().find(takes_port) {
            look.error(&at.key("listen"), format!("listener {:?} has the same address and port", other.id));
        }
        check_listener(look, at, listener);
    }
}

fn check_listener(look: &mut Look<'_>, at: &Path, listener: &Listener) {
    let is_public = check_listen(look, &at.key("listen"), &listener.listen);
    if let Some(tls) = &listener.tls {
        check_tls(look, &at.key("tls"), tls);
    } else if is_public && !listener.users.is_empty() {
        look.warn(&at.key("listen"), "without tls, passwords cross the network as plain text", None);
    }
    if listener.users.is_empty() && listener.anonymous.is_empty() {
        let hint = "[[listeners.users]] with name, password and publish, or anonymous = [\"#\"]".to_owned();
        look.error_hint(at, "nobody may publish here", Some(hint));
    }
    check_publish(look, &at.key("anonymous"), &listener.anonymous);
    if let Some(topic) = listener.anonymous.iter().position(|topic| topic.contains("%u")) {
        look.error(&at.key("anonymous").index(topic), "there is no user name that %u could stand for");
    }
    for (i, user) in listener.users.iter().enumerate() {
        let at = at.key("users").index(i);
        if user.name.is_empty() || user.name.len() > NAME_BYTES_MAX || user.name.chars().any(char::is_control) {
            let cause = format!("a name has 1 to {NAME_BYTES_MAX} bytes and no control characters");
            look.error(&at.key("name"), cause);
        }
        if listener.users[..i].iter().any(|other| other.name == user.name) {
            look.error(&at.key("name"), format!("{:?} is used twice", user.name));
        }
        look.check_secret(&at.key("password"), Some(&user.password));
        if user.publish.is_empty() {
            look.warn(&at.key("publish"), "may publish nothing", None);
        }
        check_publish(look, &at.key("publish"), &user.publish);
    }
    check_bounds(look, at, listener);
}

fn check_bounds(look: &mut Look<'_>, at: &Path, listener: &Listener) {
    look.check_within(&at.key("connections_max"), listener.connections_max, 1, CONNECTIONS_MAX);
    look.check_within(&at.key("sessions_max"), listener.sessions_max, 1, QUEUE_MAX);
    look.check_within(&at.key("inflight_max"), listener.inflight_max, 1, INFLIGHT_MAX);
    look.check_bytes(&at.key("packet_bytes_max"), listener.packet_bytes_max, 1 << 10, PAYLOAD_BYTES_MAX as u64);
    look.check_bytes(&at.key("buffer_bytes_max"), listener.buffer_bytes_max, listener.packet_bytes_max.0, 1 << 36);
    let keep_alive_s = listener.keep_alive_max.ms() / 1000;
    if !(1..=KEEP_ALIVE_S_MAX).contains(&keep_alive_s) {
        look.error(&at.key("keep_alive_max"), format!("must be 1s to {KEEP_ALIVE_S_MAX}s"));
    }
    look.check_positive(&at.key("connect_timeout"), listener.connect_timeout);
}

fn check_tls(look: &mut Look<'_>, at: &Path, tls: &ListenerTls) {
    if look.outside == Outside::Skipped {
        return;
    }
    let client_ca = tls.client_ca_file.as_ref().map(|file| ("client_ca_file", file));
    let files = [("certificate_file", &tls.certificate_file), ("key_file", &tls.key_file)];
    for (key, file) in files.into_iter().chain(client_ca) {
        if !file.is_file() {
            look.error(&at.key(key), format!("there is no file {}", file.display()));
        }
    }
}

fn check_publish(look: &mut Look<'_>, at: &Path, topics: &[String]) {
    for (i, topic) in topics.iter().enumerate() {
        let placeholders = topic.split('%').skip(1).all(|rest| rest.starts_with(['c', 'u']));
        if topic.starts_with("$share/") {
            look.error(&at.index(i), format!("{topic:?}: one publishes to topics, not to shared subscriptions"));
        } else if let Err(error) = TopicFilter::parse(topic) {
            look.error(&at.index(i), format!("{topic:?}: {error}"));
        } else if !placeholders {
            let cause = "\"%\" begins a placeholder: %c, the client identifier, or %u, the user name";
            look.error(&at.index(i), format!("{topic:?}: {cause}"));
        }
    }
}
