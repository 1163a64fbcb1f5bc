//! From an open socket to the CONNACK: who it is, whether it may, and what is agreed with it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rumqttc::mqttbytes::{Error, v5};
use rumqttc_v4::mqttbytes::{Error as Error4, v4};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::select;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::close::Refuse;
use super::codec::Version;
use super::connection::{Connection, Reader, Terms, Wire, Writer};
use super::hub::{Hub, Live};
use super::sessions::Will;
use crate::ingest::Client;

/// Longest client identifier. MQTT 5 lets a server refuse more than 23.
const CLIENT_ID_BYTES_MAX: usize = 256;

/// First read of a connection.
const CONNECT_BYTES: usize = 1 << 10;

/// A CONNECT of either version.
struct Asked {
    version: Version,
    client: String,
    clean: bool,
    keep_alive_s: u16,
    expiry_s: u32,
    user: Option<String>,
    password: Option<Bytes>,
    will: Option<Will>,
}

/// Who was taken.
struct Taken {
    connection: Rc<Connection>,
    live: Live,
    will: Option<Will>,
    buffer: BytesMut,
    reader: Reader,
    writer: Writer,
}

/// A socket's whole life.
pub(super) async fn serve(hub: Rc<Hub>, stream: TcpStream, tls: Option<TlsAcceptor>) {
    let deadline = hub.bounds.connect_timeout.duration();
    let taken = select! {
        biased;
        () = hub.stop.cancelled() => Err(Refuse::Stopping),
        taken = timeout(deadline, greet(&hub, stream, tls)) => taken.unwrap_or(Err(Refuse::TimedOut)),
    };
    let Taken { connection, live, will, buffer, reader, writer } = match taken {
        Ok(taken) => taken,
        Err(refuse) => {
            debug!(listener = %hub.name, reason = refuse.as_str(), "a connection was not taken");
            return hub.metrics.refused(refuse.as_str());
        }
    };
    let close = connection.run(&hub, buffer, reader, writer).await;
    hub.metrics.closed(close.as_str());
    let client = &connection.client.id;
    if close.is_fault() {
        hub.tell(client, close.as_str());
    }
    let (expiry, mut will) = (connection.expiry.get(), will.filter(|_| close.wakes_will()));
    // Before the session is free: the next connection's messages must not come before this one's will.
    if let Some(will) = will.take_if(|will| will.delay.is_zero() || expiry.is_zero()) {
        hub.publish(will).await;
    }
    hub.sessions.borrow_mut().end(client, Instant::now(), expiry, will);
    drop(live);
}

async fn greet(hub: &Rc<Hub>, stream: TcpStream, tls: Option<TlsAcceptor>) -> Result<Taken, Refuse> {
    let _ = stream.set_nodelay(true);
    let wire: Box<dyn Wire> = match tls {
        None => Box::new(stream),
        Some(acceptor) => Box::new(acceptor.accept(stream).await.map_err(|_| Refuse::Tls)?),
    };
    let (mut reader, mut writer) = tokio::io::split(wire);
    let mut buffer = BytesMut::with_capacity(CONNECT_BYTES);
    let (version, asked) = listen(hub, &mut buffer, &mut reader).await?;
    let taken = match asked {
        Ok(asked) => admit(hub, asked).await,
        Err(refuse) => Err(refuse),
    };
    match taken {
        Ok((connection, live, will, connack)) => {
            writer.write_all(&connack).await.map_err(|_| Refuse::Gone)?;
            writer.flush().await.map_err(|_| Refuse::Gone)?;
            Ok(Taken { connection, live, will, buffer, reader, writer })
        }
        Err(refuse) => {
            if let Some(connack) = refusal(version, refuse) {
                let _ = writer.write_all(&connack).await;
                let _ = writer.shutdown().await;
            }
            Err(refuse)
        }
    }
}

/// Reads the CONNECT. What is wrong with one whose version is known can be answered.
async fn listen(
    hub: &Hub,
    buffer: &mut BytesMut,
    reader: &mut Reader,
) -> Result<(Version, Result<Asked, Refuse>), Refuse> {
    let bytes_max = u32::try_from(hub.bounds.packet_bytes_max.0).unwrap_or(u32::MAX);
    loop {
        // The first byte of anything else is the end: nothing more of it is read.
        if buffer.first().is_some_and(|first| *first != 0x10) {
            return Err(Refuse::Malformed);
        }
        if let Some(level) = level(buffer)? {
            let (version, asked) = match level {
                5 => (Version::V5, connect_v5(buffer, bytes_max)),
                4 => (Version::V311, connect_v4(buffer, bytes_max)),
                _ => return Ok((Version::V311, Err(Refuse::Version))),
            };
            if let Some(asked) = asked.transpose() {
                return Ok((version, asked));
            }
        }
        buffer.reserve(CONNECT_BYTES);
        let n_bytes = reader.read_buf(buffer).await.map_err(|_| Refuse::Gone)?;
        if n_bytes == 0 {
            return Err(Refuse::Gone);
        }
        hub.metrics.received_bytes.inc_by(n_bytes as u64);
    }
}

/// Protocol level of a CONNECT, once enough of it is there; 3 for MQTT 3.1, which has another name.
fn level(buffer: &[u8]) -> Result<Option<u8>, Refuse> {
    let Some(length) = buffer.iter().skip(1).position(|byte| byte & 0x80 == 0) else {
        return if buffer.len() > 5 { Err(Refuse::Malformed) } else { Ok(None) };
    };
    if length > 3 {
        return Err(Refuse::Malformed);
    }
    let Some(name) = buffer.get(2 + length..8 + length) else { return Ok(None) };
    match name {
        b"\0\x04MQTT" => Ok(buffer.get(8 + length).copied()),
        b"\0\x06MQIs" => Ok(Some(3)),
        _ => Err(Refuse::Malformed),
    }
}

/// Nothing where it is not complete.
fn connect_v5(buffer: &mut BytesMut, bytes_max: u32) -> Result<Option<Asked>, Refuse> {
    let n_bytes = buffer.len();
    let (connect, will, auth) = match v5::Packet::read(buffer, Some(bytes_max)) {
        Ok(v5::Packet::Connect(connect, will, auth)) => (connect, will, auth),
        Err(Error::InsufficientBytes(_)) if buffer.len() == n_bytes => return Ok(None),
        Err(Error::PayloadSizeLimitExceeded { .. }) => return Err(Refuse::Oversized),
        _ => return Err(Refuse::Malformed),
    };
    let properties = connect.properties.unwrap_or_else(v5::ConnectProperties::new);
    if properties.authentication_method.is_some() {
        return Err(Refuse::AuthMethod);
    }
    let (user, password) = match auth {
        v5::ConnectAuth::None => (None, None),
        v5::ConnectAuth::Username { username } => (Some(username), None),
        // A password alone is one of no user.
        v5::ConnectAuth::Password { password } => (Some(String::new()), Some(password)),
        v5::ConnectAuth::UsernamePassword { username, password } => (Some(username), Some(password)),
    };
    let will = will.map(|will| {
        let delay_s = will.properties.as_ref().and_then(|properties| properties.delay_interval).unwrap_or(0);
        new_will(&will.topic, will.message, delay_s)
    });
    Ok(Some(Asked {
        version: Version::V5,
        client: connect.client_id,
        clean: connect.clean_start,
        keep_alive_s: connect.keep_alive,
        expiry_s: properties.session_expiry_interval.unwrap_or(0),
        user,
        password,
        will: will.transpose()?,
    }))
}

fn connect_v4(buffer: &mut BytesMut, bytes_max: u32) -> Result<Option<Asked>, Refuse> {
    let n_bytes = buffer.len();
    let connect = match v4::Packet::read(buffer, bytes_max as usize) {
        Ok(v4::Packet::Connect(connect)) => connect,
        Err(Error4::InsufficientBytes(_)) if buffer.len() == n_bytes => return Ok(None),
        Err(Error4::PayloadSizeLimitExceeded { .. }) => return Err(Refuse::Oversized),
        _ => return Err(Refuse::Malformed),
    };
    let (user, password) = match connect.auth {
        v4::ConnectAuth::None => (None, None),
        v4::ConnectAuth::Username { username } => (Some(username), None),
        v4::ConnectAuth::UsernamePassword { username, password } => (Some(username), Some(password)),
    };
    let will = connect.last_will.map(|will| new_will(will.topic.as_bytes(), will.message, 0));
    Ok(Some(Asked {
        version: Version::V311,
        client: connect.client_id,
        clean: connect.clean_session,
        keep_alive_s: connect.keep_alive,
        // A session of 3.1.1 has no end but ours.
        expiry_s: if connect.clean_session { 0 } else { u32::MAX },
        user,
        password,
        will: will.transpose()?,
    }))
}

fn new_will(topic: &[u8], payload: Bytes, delay_s: u32) -> Result<Will, Refuse> {
    let topic = std::str::from_utf8(topic).map_err(|_| Refuse::Malformed)?;
    if topic.is_empty() || topic.contains(['+', '#']) {
        return Err(Refuse::Malformed);
    }
    Ok(Will { topic: topic.into(), payload, delay: Duration::from_secs(delay_s.into()) })
}

type Admitted = (Rc<Connection>, Live, Option<Will>, BytesMut);

/// Lets the client in, in place of any connection that has its identifier.
async fn admit(hub: &Rc<Hub>, asked: Asked) -> Result<Admitted, Refuse> {
    let number = hub.next_number();
    let assigned = asked.client.is_empty();
    if asked.client.len() > CLIENT_ID_BYTES_MAX || assigned && asked.version == Version::V311 && !asked.clean {
        return Err(Refuse::ClientId);
    }
    let client: Arc<str> = match assigned {
        // Of this process alone: nobody can come back under it.
        true => format!("{}-{}-{number}", hub.name, crate::telemetry::now_ms()).into(),
        false => asked.client.as_str().into(),
    };
    let permit = hub.guard.admit(&client, asked.user.as_deref(), asked.password.as_deref()).await;
    let refuse = |refuse: Refuse| {
        hub.tell(&client, refuse.as_str());
        refuse
    };
    let permit = permit.ok_or_else(|| refuse(Refuse::Credentials))?;
    if asked.will.as_ref().is_some_and(|will| !permit.allows(&will.topic)) {
        return Err(refuse(Refuse::Forbidden));
    }
    while let Some(other) = { hub.sessions.borrow().live(&client) } {
        other.take_over();
        other.gone.cancelled().await;
    }
    let bounds = &hub.bounds;
    let keep_alive_max_s = u16::try_from(bounds.keep_alive_max.ms() / 1000).unwrap_or(u16::MAX);
    let keep_alive_s = match asked.keep_alive_s {
        0 => keep_alive_max_s,
        seconds => seconds.min(keep_alive_max_s),
    };
    let is_present = !asked.clean && hub.sessions.borrow().is_kept(&client, Instant::now());
    let terms = Terms {
        version: asked.version,
        permit,
        silence_max: Duration::from_secs(keep_alive_s.into()) * 3 / 2,
        expiry: Duration::from_secs(asked.expiry_s.into()).min(bounds.session_expiry_max.duration()),
        will: asked.will,
    };
    let connack = welcome(hub, &terms, is_present, keep_alive_s, assigned.then_some(&*client));
    let (connection, will) = Connection::new(number, Client { id: client, is_new: !is_present }, terms);
    let ended = hub.sessions.borrow_mut().begin(connection.clone());
    let live = hub.enter(connection.clone());
    if let Some(will) = ended {
        hub.publish(will).await;
    }
    Ok((connection, live, will, connack))
}

fn welcome(hub: &Hub, terms: &Terms, is_present: bool, keep_alive_s: u16, assigned: Option<&str>) -> BytesMut {
    let mut out = BytesMut::new();
    // What is written here is far from too long.
    let _ = match terms.version {
        Version::V311 => v4::ConnAck::new(v4::ConnectReturnCode::Success, is_present).write(&mut out).is_ok(),
        Version::V5 => {
            let bounds = &hub.bounds;
            let properties = v5::ConnAckProperties {
                session_expiry_interval: Some(u32::try_from(terms.expiry.as_secs()).unwrap_or(u32::MAX)),
                receive_max: Some(bounds.inflight_max),
                max_packet_size: u32::try_from(bounds.packet_bytes_max.0).ok(),
                assigned_client_identifier: assigned.map(str::to_owned),
                topic_alias_max: Some(bounds.topic_aliases_max),
                server_keep_alive: Some(keep_alive_s),
                max_qos: None,
                retain_available: None,
                reason_string: None,
                user_properties: Vec::new(),
                wildcard_subscription_available: None,
                subscription_identifiers_available: None,
                shared_subscription_available: None,
                response_information: None,
                server_reference: None,
                authentication_method: None,
                authentication_data: None,
            };
            let code = v5::ConnectReturnCode::Success;
            let connack = v5::ConnAck { session_present: is_present, code, properties: Some(properties) };
            connack.write(&mut out).is_ok()
        }
    };
    out
}

/// The CONNACK that says why not, where there is a word for it.
fn refusal(version: Version, refuse: Refuse) -> Option<BytesMut> {
    use {v4::ConnectReturnCode as V4, v5::ConnectReturnCode as V5};
    let (v4_code, v5_code) = match refuse {
        Refuse::Version => (Some(V4::RefusedProtocolVersion), V5::UnsupportedProtocolVersion),
        Refuse::ClientId => (Some(V4::BadClientId), V5::ClientIdentifierNotValid),
        Refuse::Credentials => (Some(V4::BadUserNamePassword), V5::BadUserNamePassword),
        Refuse::Forbidden => (Some(V4::NotAuthorized), V5::NotAuthorized),
        Refuse::AuthMethod => (None, V5::BadAuthenticationMethod),
        Refuse::Malformed => (None, V5::MalformedPacket),
        Refuse::Oversized => (None, V5::PacketTooLarge),
        Refuse::TooMany | Refuse::TimedOut | Refuse::Gone | Refuse::Tls | Refuse::Stopping => return None,
    };
    let mut out = BytesMut::new();
    let is_written = match version {
        Version::V311 => v4::ConnAck::new(v4_code?, false).write(&mut out).is_ok(),
        Version::V5 => v5::ConnAck { session_present: false, code: v5_code, properties: None }.write(&mut out).is_ok(),
    };
    is_written.then_some(out)
}
