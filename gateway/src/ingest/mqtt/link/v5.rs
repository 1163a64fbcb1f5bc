//! MQTT 5 connection over `rumqttc-v5-next`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rumqttc::{
    AckMode, AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, ManualAck, MqttOptions, Outgoing,
    Packet, PersistedAckMode, PersistedSession, PubAck, PublishNoticeError, PublishOptions, QoS, RetainForwardRule,
    SessionStore, SessionStoreError, SessionStoreKey, StateError, SubscribeFilter, SubscribeReasonCode,
    TlsConfiguration, Transport,
};

use super::{Arrival, Fault, Filter, Incoming, Plan, Published};
use crate::ingest::mqtt::wire::{self, Valve};

/// Requests that the client queues before it writes them: every packet identifier may await its acknowledgement.
const REQUESTS_MAX: usize = u16::MAX as usize;

pub(in crate::ingest::mqtt) struct Link {
    client: AsyncClient,
    eventloop: EventLoop,
}

/// Requests that the client writes in one turn: a batch of the pipeline's acknowledgements.
const REQUEST_BATCH_MAX: usize = 1_024;

impl Link {
    pub(super) fn new(plan: &Plan, valve: &Arc<Valve>) -> Self {
        let (client, eventloop) = AsyncClient::builder(options(plan, valve)).capacity(REQUESTS_MAX).build();
        Link { client, eventloop }
    }

    pub(super) async fn next(&mut self) -> Result<Arrival, Fault> {
        let arrival = match self.eventloop.poll().await.map_err(fault)? {
            Event::Incoming(Packet::Publish(publish)) => {
                if publish.qos == QoS::ExactlyOnce {
                    return Err(Fault::Protocol("quality of service 2, which was not asked for".into()));
                }
                Arrival::Message(Incoming {
                    topic: publish.topic,
                    payload: publish.payload,
                    packet: publish.pkid,
                    redelivered: publish.dup,
                })
            }
            Event::Incoming(Packet::ConnAck(connack)) => {
                // It has answered that nothing of ours is in flight; asking it at every flush costs a scan each time.
                self.eventloop.options.clear_session_store();
                Arrival::Connected { session_present: connack.session_present }
            }
            Event::Incoming(Packet::SubAck(suback)) => {
                Arrival::Subscribed(suback.return_codes.into_iter().map(refusal).collect())
            }
            Event::Outgoing(Outgoing::PingReq) => Arrival::Pinged,
            Event::Outgoing(Outgoing::Disconnect) => Arrival::Disconnected,
            Event::Incoming(_) | Event::Outgoing(_) | Event::Auth(_) => Arrival::Other,
        };
        Ok(arrival)
    }

    pub(super) fn acknowledge(&mut self, packet: u16) -> Result<(), Fault> {
        let ack = ManualAck::PubAck(PubAck::new(packet, None));
        self.client.try_manual_ack(ack).map_err(|error| Fault::Protocol(error.to_string()))
    }

    pub(super) fn subscribe(&mut self, filters: &[Filter]) -> Result<(), Fault> {
        let filters = filters.iter().map(|Filter { text, wants_retained }| {
            let mut filter = SubscribeFilter::new(text.clone(), QoS::AtLeastOnce);
            // A subscription that is only confirmed must not bring all retained messages again.
            filter.retain_forward_rule = match wants_retained {
                true => RetainForwardRule::OnEverySubscribe,
                false => RetainForwardRule::OnNewSubscribe,
            };
            filter
        });
        self.client.try_subscribe_many(filters).map_err(|error| Fault::Protocol(error.to_string()))
    }

    pub(super) fn excuse_ping(&mut self) {
        // Cannot fail: a PINGRESP only clears the flag that one is awaited.
        let _ = self.eventloop.state.handle_incoming_packet(Packet::PingResp);
    }

    pub(super) fn disconnect(&mut self) {
        // Not the immediate kind, which overtakes queued acknowledgements. Where it fails the connection is over anyway.
        let _ = self.client.try_disconnect();
    }

    pub(super) fn outlet(&self) -> Outlet {
        Outlet { client: self.client.clone() }
    }
}

#[derive(Clone)]
pub(in crate::ingest::mqtt) struct Outlet {
    client: AsyncClient,
}

impl Outlet {
    pub(super) async fn publish(&self, topic: &str, payload: Bytes) -> Option<Published> {
        let options = PublishOptions::new(QoS::AtLeastOnce);
        let notice = self.client.publish_tracked(topic, payload, options).await.ok()?;
        match notice.wait_completion_async().await {
            Ok(()) => Some(Ok(())),
            Err(PublishNoticeError::V5PubAck(reason)) => Some(Err(format!("{reason:?}"))),
            Err(_) => None,
        }
    }
}

fn options(plan: &Plan, valve: &Arc<Valve>) -> MqttOptions {
    let mut options = MqttOptions::new(plan.client_id.as_str(), (plan.host.to_string(), plan.port));
    options
        .set_keep_alive(plan.keep_alive_s)
        .set_connect_timeout(plan.connect_timeout)
        .set_clean_start(plan.session_expiry_s.is_none())
        .set_session_expiry_interval(Some(plan.session_expiry_s.unwrap_or(0)))
        .set_ack_mode(AckMode::Manual)
        // By itself the client writes one acknowledgement per turn, each with a flush and a new keep-alive timer.
        .set_max_request_batch(REQUEST_BATCH_MAX)
        .set_receive_maximum(Some(plan.inflight_max))
        .set_outgoing_inflight_upper_limit(plan.publishing_max)
        .set_max_packet_size(Some(plan.packet_bytes_max))
        .set_session_store(NothingInFlight { publishing_max: plan.publishing_max });
    match (&plan.username, &plan.password) {
        (Some(username), Some(password)) => {
            options.set_credentials(username.as_str(), Bytes::from(password.clone()));
        }
        (Some(username), None) => {
            options.set_username(username.as_str());
        }
        (None, Some(password)) => {
            options.set_password(Bytes::from(password.clone()));
        }
        (None, None) => {}
    }
    if let Some(tls) = &plan.tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(tls))));
    }
    let (host, port, valve) = (Arc::clone(&plan.host), plan.port, Arc::clone(valve));
    options.set_socket_connector(move |_, _| wire::dial(Arc::clone(&host), port, Arc::clone(&valve)));
    options
}

/// What the client asks for before it resumes a session that the broker has kept. The receiving session never
/// publishes, so nothing of ours can be in flight; without this answer the client would refuse to resume after a
/// restart of the process, or would resume and refuse to subscribe to what the configuration has added.
#[derive(Debug)]
struct NothingInFlight {
    publishing_max: u16,
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionStoreError>> + Send + 'a>>;

impl SessionStore for NothingInFlight {
    fn load<'a>(&'a self, key: &'a SessionStoreKey) -> Answer<'a, Option<PersistedSession>> {
        let session = PersistedSession {
            format_version: 1,
            client_id: key.client_id().to_owned(),
            clean_start: false,
            session_expiry_interval: None,
            outgoing_inflight_upper_limit: Some(self.publishing_max),
            ack_mode: PersistedAckMode::Manual,
            last_pkid: 0,
            last_puback: 0,
            replay: Vec::new(),
            incoming_qos2: Vec::new(),
        };
        Box::pin(std::future::ready(Ok(Some(session))))
    }

    fn save<'a>(&'a self, _: &'a SessionStoreKey, _: &'a PersistedSession) -> Answer<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn clear<'a>(&'a self, _: &'a SessionStoreKey) -> Answer<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

fn refusal(code: SubscribeReasonCode) -> Option<String> {
    match code {
        SubscribeReasonCode::Success(QoS::AtLeastOnce | QoS::ExactlyOnce) => None,
        SubscribeReasonCode::Success(QoS::AtMostOnce) => Some("granted quality of service 0 only".into()),
        refused => Some(format!("{refused:?}")),
    }
}

fn fault(error: ConnectionError) -> Fault {
    match error {
        ConnectionError::ConnectionRefused(code) => refused(code),
        ConnectionError::MqttState(error) => state_fault(error),
        ConnectionError::Timeout(_) => Fault::TimedOut(Duration::ZERO),
        ConnectionError::Io(error) => Fault::Network(error.to_string()),
        ConnectionError::Tls(error) => Fault::Network(format!("TLS: {error}")),
        error => Fault::Protocol(error.to_string()),
    }
}

fn refused(code: ConnectReturnCode) -> Fault {
    match code {
        ConnectReturnCode::BadUserNamePassword
        | ConnectReturnCode::NotAuthorized
        | ConnectReturnCode::Banned
        | ConnectReturnCode::BadAuthenticationMethod => Fault::Auth(format!("{code:?}")),
        code => Fault::Refused(format!("{code:?}")),
    }
}

fn state_fault(error: StateError) -> Fault {
    match error {
        StateError::Io(error) | StateError::Deserialization(rumqttc::Error::Io(error)) => {
            Fault::Network(error.to_string())
        }
        StateError::ConnectionAborted => Fault::Network("the broker hung up".into()),
        StateError::AwaitPingResp => Fault::Silent,
        StateError::ServerDisconnect { reason_code, reason_string } => {
            Fault::Closed(reason_string.unwrap_or_else(|| format!("{reason_code:?}")))
        }
        StateError::ConnFail { reason } => refused(reason),
        StateError::Deserialization(rumqttc::Error::PayloadSizeLimitExceeded { pkt_size, .. })
        | StateError::IncomingPacketTooLarge { pkt_size, .. } => Fault::Oversized { bytes: pkt_size as u64 },
        error => Fault::Protocol(error.to_string()),
    }
}
