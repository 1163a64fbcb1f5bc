//! The built-in MQTT listener: where devices publish to the gateway itself.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Bytes, Secret, Span, defaults};

/// An address on which devices speak MQTT 5 or 3.1.1 to us. Feeds name it where they name a broker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    pub id: String,
    /// Address and port.
    #[serde(default = "defaults::listen")]
    pub listen: String,
    pub tls: Option<ListenerTls>,
    /// Who may connect, and what they may publish.
    #[serde(default)]
    pub users: Vec<ListenerUser>,
    /// Topic filters that clients without a user name may publish to; without any they are not let in.
    #[serde(default)]
    pub anonymous: Vec<String>,
    /// Connections at a time; further ones are closed at once.
    #[serde(default = "defaults::connections_max")]
    pub connections_max: usize,
    /// Clients whose session and marks are kept while they are away.
    #[serde(default = "defaults::sessions_max")]
    pub sessions_max: usize,
    /// Messages of a connection that are received and not yet acknowledged: the Receive Maximum of MQTT 5.
    #[serde(default = "defaults::inflight_max")]
    pub inflight_max: u16,
    #[serde(default = "defaults::packet_bytes_max")]
    pub packet_bytes_max: Bytes,
    /// Bytes of all connections that wait for their commit; beyond it sockets are not read.
    #[serde(default = "defaults::buffer_bytes_max")]
    pub buffer_bytes_max: Bytes,
    /// Topics that a connection may name by number (MQTT 5).
    #[serde(default = "defaults::topic_aliases_max")]
    pub topic_aliases_max: u16,
    /// Longest keep-alive: MQTT 5 clients are told, others are cut off when silent for one and a half times as long.
    #[serde(default = "defaults::keep_alive_max")]
    pub keep_alive_max: Span,
    /// Longest time that a client's session is kept while it is away.
    #[serde(default = "defaults::session_expiry")]
    pub session_expiry_max: Span,
    /// From the connection to its CONNECT, TLS included; also how long a client may leave its acknowledgements unread.
    #[serde(default = "defaults::connect_timeout")]
    pub connect_timeout: Span,
}

/// PEM files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerTls {
    /// Our certificate, and those between it and the authority.
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
    /// Authority that signs the clients' certificates; each must then show one.
    pub client_ca_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerUser {
    pub name: String,
    /// The password, or its Argon2 hash (`$argon2id$…`).
    pub password: Secret,
    /// Topic filters that it may publish to. `%c` stands for the client identifier, `%u` for the user name.
    pub publish: Vec<String>,
}
