//! Why a connection was not taken, or ended: one word each for metrics, logs and the client.

use rumqttc::mqttbytes::v5::DisconnectReasonCode;

/// Before the CONNACK that takes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refuse {
    /// `connections_max` are connected.
    TooMany,
    /// No CONNECT in time.
    TimedOut,
    /// Gone before its CONNECT.
    Gone,
    Tls,
    Malformed,
    Oversized,
    Version,
    ClientId,
    Credentials,
    /// The enhanced authentication of MQTT 5, which is not spoken here.
    AuthMethod,
    /// Its will goes to a topic that it may not publish to.
    Forbidden,
    Stopping,
}

/// After it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// DISCONNECT of the client, which drops its will.
    Client,
    /// DISCONNECT that asks for the will.
    ClientWithWill,
    /// Broken, or closed without DISCONNECT.
    Lost,
    KeepAlive,
    TakenOver,
    Malformed,
    Protocol,
    Oversized,
    ReceiveMaximum,
    TopicAlias,
    /// MQTT 3.1.1 has no other way to say that a topic is forbidden.
    Forbidden,
    /// It reads none of our answers.
    Stalled,
    Stopping,
}

impl Refuse {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Refuse::TooMany => "too-many",
            Refuse::TimedOut => "timed-out",
            Refuse::Gone => "gone",
            Refuse::Tls => "tls",
            Refuse::Malformed => "malformed",
            Refuse::Oversized => "oversized",
            Refuse::Version => "version",
            Refuse::ClientId => "client-id",
            Refuse::Credentials => "credentials",
            Refuse::AuthMethod => "auth-method",
            Refuse::Forbidden => "forbidden",
            Refuse::Stopping => "stopping",
        }
    }
}

impl Close {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Close::Client => "client",
            Close::ClientWithWill => "client-with-will",
            Close::Lost => "lost",
            Close::KeepAlive => "keep-alive",
            Close::TakenOver => "taken-over",
            Close::Malformed => "malformed",
            Close::Protocol => "protocol",
            Close::Oversized => "oversized",
            Close::ReceiveMaximum => "receive-maximum",
            Close::TopicAlias => "topic-alias",
            Close::Forbidden => "forbidden",
            Close::Stalled => "stalled",
            Close::Stopping => "stopping",
        }
    }

    /// What the client is told; nothing where it has gone by itself.
    pub(super) fn reason(self) -> Option<DisconnectReasonCode> {
        Some(match self {
            Close::Client | Close::ClientWithWill | Close::Lost | Close::Stalled => return None,
            Close::KeepAlive => DisconnectReasonCode::KeepAliveTimeout,
            Close::TakenOver => DisconnectReasonCode::SessionTakenOver,
            Close::Malformed => DisconnectReasonCode::MalformedPacket,
            Close::Protocol => DisconnectReasonCode::ProtocolError,
            Close::Oversized => DisconnectReasonCode::PacketTooLarge,
            Close::ReceiveMaximum => DisconnectReasonCode::ReceiveMaximumExceeded,
            Close::TopicAlias => DisconnectReasonCode::TopicAliasInvalid,
            Close::Forbidden => DisconnectReasonCode::NotAuthorized,
            Close::Stopping => DisconnectReasonCode::ServerShuttingDown,
        })
    }

    /// Whether it is the client's fault and worth a line in the log.
    pub(super) fn is_fault(self) -> bool {
        !matches!(self, Close::Client | Close::ClientWithWill | Close::Lost | Close::TakenOver | Close::Stopping)
    }

    /// Whether the will is published: when the connection dies in any way but by a plain DISCONNECT or with us.
    pub(super) fn wakes_will(self) -> bool {
        !matches!(self, Close::Client | Close::Stopping)
    }
}
