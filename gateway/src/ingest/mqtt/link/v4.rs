//! MQTT 3.1.1 connection over `rumqttc-v4-next`; twin of `v5`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rumqttc_v4::{
    AckMode, AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, ManualAck, MqttOptions, Outgoing,
    Packet, PubAck, PublishOptions, QoS, StateError, SubscribeFilter, SubscribeReasonCode, TlsConfiguration, Transport,
};

use super::{Arrival, Fault, Filter, Incoming, Plan, Published};
use crate::ingest::mqtt::wire::{self, Valve};

/// Requests that the client queues before it writes them: every packet identifier may await its acknowledgement.
const REQUESTS_MAX: usize = u16::MAX as usize;

/// The client tells how much is announced behind the fixed header.
const FIXED_HEADER_BYTES_MAX: u64 = 5;

pub(in crate::ingest::mqtt) struct Link {
    client: AsyncClient,
    eventloop: EventLoop,
}

/// Requests that the client writes in one turn: a batch of the pipeline's acknowledgements.
const REQUEST_BATCH_MAX: usize = 1_024;

impl Link {
    pub(super) fn new(plan: &Plan, valve: &Arc<Valve>) -> Self {
        let (client, mut eventloop) = AsyncClient::builder(options(plan, valve)).capacity(REQUESTS_MAX).build();
        let timeout_s = plan.connect_timeout.as_secs().saturating_add(1);
        eventloop.network_options.set_connection_timeout(timeout_s);
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
                Arrival::Connected { session_present: connack.session_present }
            }
            Event::Incoming(Packet::SubAck(suback)) => {
                Arrival::Subscribed(suback.return_codes.into_iter().map(refusal).collect())
            }
            Event::Outgoing(Outgoing::PingReq) => Arrival::Pinged,
            Event::Outgoing(Outgoing::Disconnect) => Arrival::Disconnected,
            Event::Incoming(_) | Event::Outgoing(_) => Arrival::Other,
        };
        Ok(arrival)
    }

    pub(super) fn acknowledge(&mut self, packet: u16) -> Result<(), Fault> {
        let ack = ManualAck::PubAck(PubAck::new(packet));
        self.client.try_manual_ack(ack).map_err(|error| Fault::Protocol(error.to_string()))
    }

    pub(super) fn subscribe(&mut self, filters: &[Filter]) -> Result<(), Fault> {
        let filters = filters.iter().map(|Filter { text, .. }| SubscribeFilter::new(text.clone(), QoS::AtLeastOnce));
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
        notice.wait_completion_async().await.ok().map(Ok)
    }
}

fn options(plan: &Plan, valve: &Arc<Valve>) -> MqttOptions {
    let mut options = MqttOptions::new(plan.client_id.as_str(), (plan.host.to_string(), plan.port));
    options
        .set_keep_alive(plan.keep_alive_s)
        .set_clean_session(plan.session_expiry_s.is_none())
        .set_ack_mode(AckMode::Manual)
        // By itself the client writes one acknowledgement per turn, each with a flush and a new keep-alive timer.
        .set_max_request_batch(REQUEST_BATCH_MAX)
        .set_inflight(plan.publishing_max)
        .set_max_packet_size(plan.packet_bytes_max as usize, plan.packet_bytes_max as usize);
    match (&plan.username, &plan.password) {
        (None, None) => {}
        (Some(username), None) => {
            options.set_username(username.as_str());
        }
        // 3.1.1 knows no password without a user name.
        (username, Some(password)) => {
            options.set_credentials(username.as_deref().unwrap_or_default(), Bytes::from(password.clone()));
        }
    }
    if let Some(tls) = &plan.tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(tls))));
    }
    let (host, port, valve) = (Arc::clone(&plan.host), plan.port, Arc::clone(valve));
    options.set_socket_connector(move |_, _| wire::dial(Arc::clone(&host), port, Arc::clone(&valve)));
    options
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
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => Fault::TimedOut(Duration::ZERO),
        ConnectionError::Io(error) => Fault::Network(error.to_string()),
        ConnectionError::Tls(error) => Fault::Network(format!("TLS: {error}")),
        error => Fault::Protocol(error.to_string()),
    }
}

fn refused(code: ConnectReturnCode) -> Fault {
    match code {
        ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => Fault::Auth(format!("{code:?}")),
        code => Fault::Refused(format!("{code:?}")),
    }
}

fn state_fault(error: StateError) -> Fault {
    match error {
        StateError::Io(error) | StateError::Deserialization(rumqttc_v4::Error::Io(error)) => {
            Fault::Network(error.to_string())
        }
        StateError::ConnectionAborted => Fault::Network("the broker hung up".into()),
        StateError::AwaitPingResp => Fault::Silent,
        StateError::Deserialization(rumqttc_v4::Error::PayloadSizeLimitExceeded(bytes)) => {
            Fault::Oversized { bytes: bytes as u64 + FIXED_HEADER_BYTES_MAX }
        }
        error => Fault::Protocol(error.to_string()),
    }
}
