//! One session with a camera from DESCRIBE to PLAY, each step under its time-out; TEARDOWN whatever happens.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use retina::client::{
    Credentials, InitialSequenceNumberPolicy, InitialTimestampPolicy, PlayOptions, Session, SessionGroup,
    SessionOptions, SetupOptions, TcpTransportOptions, TeardownPolicy, UdpTransportOptions,
    UnassignedChannelDataPolicy, UnknownRtcpSsrcPolicy,
};
use retina::codec::FrameFormat;
use tokio::time::timeout;
use url::Url;

use super::error::{Login, Phase, RtspError};
use super::frames::{Alarms, Format, Frames};
use super::tunnel::{self, Tunnel};
use crate::config::{Camera, Compat, Teardown, Transport, UnassignedData, UnknownRtcp};
use crate::ingest::tls;
use crate::video::decoder::Codec;

/// Where a camera is and how it is asked; the same for all of its sessions.
pub(super) struct Opener {
    url: Url,
    /// Where the address is one of RTSPS.
    tunnel: Option<Tunnel>,
    transport: Transport,
    compat: Compat,
    username: Option<String>,
    open_timeout: Duration,
    frame_bytes_max: u64,
    /// Knows the camera's sessions that may not have ended yet.
    group: Arc<SessionGroup>,
}

pub(super) struct Opened {
    pub(super) frames: Frames,
    pub(super) codec: Codec,
    /// What the camera said where its alarms were wanted and it refused their stream.
    pub(super) refusal: Option<String>,
}

/// Whether the camera's own alarms are wanted beside its pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Pictures,
    /// Where the camera offers them.
    PicturesAndAlarms,
}

impl Opener {
    pub(super) fn new(camera: &Camera) -> Result<Self, RtspError> {
        let mut url = Url::parse(&camera.url).map_err(|error| RtspError::Address(error.to_string()))?;
        let Some(host) = url.host_str().filter(|_| matches!(url.scheme(), "rtsp" | "rtsps")) else {
            return Err(RtspError::Address("it must read rtsp://host[:port]/path or rtsps://…".into()));
        };
        let tunnel = if url.scheme() == "rtsps" {
            let trust = tls::client_config(camera.ca_file.as_deref());
            let trust = trust.map_err(|error| RtspError::Authority(error.to_string()))?;
            Some(Tunnel::new(host, url.port().unwrap_or(tunnel::PORT), trust)?)
        } else {
            None
        };
        // Credentials belong into `username` and `password`; here they would reach logs and the camera's own.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok(Opener {
            url,
            tunnel,
            transport: camera.transport,
            compat: camera.compat.clone(),
            username: camera.username.clone(),
            open_timeout: camera.open_timeout.duration(),
            frame_bytes_max: camera.frame_bytes_max.0,
            group: Arc::new(SessionGroup::default()),
        })
    }

    pub(super) async fn open(&self, secret: Option<&str>, extent: Extent) -> Result<Opened, RtspError> {
        let password = secret.unwrap_or_default().to_owned();
        let login = Login::new(self.username.as_deref().unwrap_or_default(), &password);
        let creds = self.username.clone().map(|username| Credentials { username, password });
        let options = SessionOptions::default()
            .creds(creds)
            .user_agent(concat!("outpost/", env!("CARGO_PKG_VERSION")).to_owned())
            .session_group(self.group.clone())
            .unassigned_channel_data(match self.compat.unassigned_data {
                UnassignedData::Auto => UnassignedChannelDataPolicy::Auto,
                UnassignedData::AssumeStale => UnassignedChannelDataPolicy::AssumeStaleSession,
                UnassignedData::Error => UnassignedChannelDataPolicy::Error,
                UnassignedData::Ignore => UnassignedChannelDataPolicy::Ignore,
            })
            .teardown(match self.compat.teardown {
                // Said again on a connection of its own, which a tunnel takes none of.
                Teardown::Always if self.tunnel.is_none() => TeardownPolicy::Always,
                Teardown::Always | Teardown::Once => TeardownPolicy::Auto,
                Teardown::Never => TeardownPolicy::Never,
            });
        let url = self.plain_url().await?;
        let describe = Session::describe(url, options);
        let mut session = self.limited(Phase::Describe, &login, describe).await?;
        let (stream, codec) = choose(&session, &login)?;
        let format = Format::of(&session, stream);
        let setup = || {
            let transport = match self.transport {
                Transport::Tcp => retina::client::Transport::Tcp(TcpTransportOptions::default()),
                Transport::Udp => retina::client::Transport::Udp(UdpTransportOptions::default()),
            };
            SetupOptions::default().transport(transport).frame_format(FrameFormat::SIMPLE)
        };
        self.limited(Phase::Setup, &login, session.setup(stream, setup())).await?;
        let offered = alarms_of(&session).filter(|_| extent == Extent::PicturesAndAlarms);
        let (mut alarms, mut refusal) = (None, None);
        if let Some(stream) = offered {
            match timeout(self.open_timeout, session.setup(stream, setup())).await {
                Ok(Ok(())) => alarms = Some(Alarms::new(&session, stream)),
                Ok(Err(error)) => {
                    let is_refusal = error.status_code().is_some_and(|status| status >= 300);
                    let text = RtspError::client(Phase::Setup, &error, &login).to_string();
                    if !is_refusal {
                        return Err(RtspError::Alarms(text));
                    }
                    refusal = Some(text);
                }
                Err(_) => {
                    return Err(RtspError::Alarms(RtspError::timeout(Phase::Setup, self.open_timeout).to_string()));
                }
            }
        }
        // Servers that share one encoder among clients announce a sequence number that is one ahead; over TCP
        // nothing is lost by not believing it, and over UDP at most the first picture.
        let play = PlayOptions::default()
            .initial_seq(InitialSequenceNumberPolicy::Ignore)
            // Of two streams the default would ask for times that some cameras do not tell; nothing is played in step here.
            .initial_timestamp(InitialTimestampPolicy::Ignore)
            .unknown_rtcp_ssrc(match self.compat.unknown_rtcp {
                UnknownRtcp::Drop => UnknownRtcpSsrcPolicy::DropPackets,
                UnknownRtcp::Process => UnknownRtcpSsrcPolicy::ProcessPackets,
                UnknownRtcp::EndSession => UnknownRtcpSsrcPolicy::AbortSession,
            });
        let playing = self.limited(Phase::Play, &login, session.play(play)).await;
        // A camera that does not play two streams may well play one.
        let session =
            playing.map_err(|error| if alarms.is_some() { RtspError::Alarms(error.to_string()) } else { error })?;
        let frames = Frames::new(session, &format, login, self.frame_bytes_max, alarms)?;
        Ok(Opened { frames, codec, refusal })
    }

    /// The address to give to the client library: the camera's own, or the plain end of a tunnel to it.
    async fn plain_url(&self) -> Result<Url, RtspError> {
        let Some(tunnel) = &self.tunnel else { return Ok(self.url.clone()) };
        let opened = timeout(self.open_timeout, tunnel.open()).await;
        let port = opened.map_err(|_| RtspError::timeout(Phase::Connect, self.open_timeout))??;
        let plain = Url::parse(&format!("rtsp://127.0.0.1:{port}{}", &self.url[url::Position::BeforePath..]));
        plain.map_err(|error| RtspError::Address(error.to_string()))
    }

    /// Gives the TEARDOWN of sessions that were dropped a moment to be said.
    pub(super) async fn await_teardown(&self) {
        let _ = timeout(self.open_timeout, self.group.await_teardown()).await;
    }

    /// A camera that still serves our last session may refuse the next; but one that was replaced never answers for
    /// the old, so the wait has a limit.
    pub(super) async fn await_stale_sessions(&self) {
        let status = self.group.stale_sessions();
        if status.num_sessions > 0 {
            let _ = timeout(self.open_timeout, self.group.await_stale_sessions(&status)).await;
        }
    }

    async fn limited<T>(
        &self,
        phase: Phase,
        login: &Login,
        step: impl Future<Output = Result<T, retina::Error>>,
    ) -> Result<T, RtspError> {
        match timeout(self.open_timeout, step).await {
            Ok(outcome) => outcome.map_err(|error| RtspError::client(phase, &error, login)),
            Err(_) => Err(RtspError::timeout(phase, self.open_timeout)),
        }
    }
}

/// The ONVIF metadata stream, where there is one that is not compressed.
fn alarms_of(session: &Session<retina::client::Described>) -> Option<usize> {
    let is_of_alarms = |stream: &retina::client::Stream| {
        stream.media() == "application" && stream.encoding_name() == "vnd.onvif.metadata"
    };
    session.streams().iter().position(is_of_alarms)
}

/// The first video stream that is decoded here.
fn choose(session: &Session<retina::client::Described>, login: &Login) -> Result<(usize, Codec), RtspError> {
    /// Names listed in the error.
    const NAMED_MAX: usize = 8;
    let streams = session.streams();
    let known = |(i, stream): (usize, &retina::client::Stream)| {
        let video = matches!(stream.media(), "video" | "image");
        Codec::from_encoding_name(stream.encoding_name()).filter(|_| video).map(|codec| (i, codec))
    };
    streams.iter().enumerate().find_map(known).ok_or_else(|| {
        let names = streams.iter().take(NAMED_MAX).map(|s| format!("{}/{}", s.media(), s.encoding_name()));
        let names: Vec<String> = names.collect();
        RtspError::Codec(if names.is_empty() { "nothing".into() } else { login.blot_out(&names.join(", ")) })
    })
}
