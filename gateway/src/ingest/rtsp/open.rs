//! One session with a camera from DESCRIBE to PLAY, each step under its time-out; TEARDOWN whatever happens.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use retina::client::{
    Credentials, InitialSequenceNumberPolicy, PlayOptions, Session, SessionGroup, SessionOptions, SetupOptions,
    TcpTransportOptions, TeardownPolicy, Transport,
};
use retina::codec::FrameFormat;
use tokio::time::timeout;
use url::Url;

use super::error::{Phase, RtspError};
use super::frames::{Format, Frames};
use crate::config::Camera;
use crate::video::decoder::Codec;

/// Where a camera is and how it is asked; the same for all of its sessions.
pub(super) struct Opener {
    url: Url,
    username: Option<String>,
    open_timeout: Duration,
    frame_bytes_max: u64,
    /// Knows the camera's sessions that may not have ended yet.
    group: Arc<SessionGroup>,
}

pub(super) struct Opened {
    pub(super) frames: Frames,
    pub(super) codec: Codec,
}

impl Opener {
    pub(super) fn new(camera: &Camera) -> Result<Self, RtspError> {
        let mut url = Url::parse(&camera.url).map_err(|error| RtspError::Address(error.to_string()))?;
        if url.scheme() != "rtsp" || url.host().is_none() {
            return Err(RtspError::Address("it must read rtsp://host[:port]/path".into()));
        }
        // Credentials belong into `username` and `password`; here they would reach logs and the camera's own.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok(Opener {
            url,
            username: camera.username.clone(),
            open_timeout: camera.open_timeout.duration(),
            frame_bytes_max: camera.frame_bytes_max.0,
            group: Arc::new(SessionGroup::default()),
        })
    }

    pub(super) async fn open(&self, secret: Option<&str>) -> Result<Opened, RtspError> {
        self.await_stale_sessions().await;
        let password = secret.unwrap_or_default().to_owned();
        let creds = self.username.clone().map(|username| Credentials { username, password });
        let options = SessionOptions::default()
            .creds(creds)
            .user_agent(concat!("outpost/", env!("CARGO_PKG_VERSION")).to_owned())
            .session_group(self.group.clone())
            // Cameras count their sessions: one that is not ended takes the place of the next.
            .teardown(TeardownPolicy::Always);
        let describe = Session::describe(self.url.clone(), options);
        let mut session = self.limited(Phase::Describe, secret, describe).await?;
        let (stream, codec) = choose(&session)?;
        let format = Format::of(&session, stream);
        let setup = SetupOptions::default()
            .transport(Transport::Tcp(TcpTransportOptions::default()))
            .frame_format(FrameFormat::SIMPLE);
        self.limited(Phase::Setup, secret, session.setup(stream, setup)).await?;
        // Servers that share one encoder among clients announce a sequence number that is one ahead; over TCP
        // nothing is lost by not believing it.
        let play = PlayOptions::default().initial_seq(InitialSequenceNumberPolicy::Ignore);
        let session = self.limited(Phase::Play, secret, session.play(play)).await?;
        let frames = Frames::new(session, &format, self.frame_bytes_max)?;
        Ok(Opened { frames, codec })
    }

    /// Gives the TEARDOWN of sessions that were dropped a moment to be said.
    pub(super) async fn await_teardown(&self) {
        let _ = timeout(self.open_timeout, self.group.await_teardown()).await;
    }

    /// A camera that still serves our last session may refuse the next; but one that was replaced never answers for
    /// the old, so the wait has a limit.
    async fn await_stale_sessions(&self) {
        let status = self.group.stale_sessions();
        if status.num_sessions > 0 {
            let _ = timeout(self.open_timeout, self.group.await_stale_sessions(&status)).await;
        }
    }

    async fn limited<T>(
        &self,
        phase: Phase,
        secret: Option<&str>,
        step: impl Future<Output = Result<T, retina::Error>>,
    ) -> Result<T, RtspError> {
        match timeout(self.open_timeout, step).await {
            Ok(outcome) => outcome.map_err(|error| RtspError::client(phase, &error, secret)),
            Err(_) => Err(RtspError::timeout(phase, self.open_timeout)),
        }
    }
}

/// The first video stream that is decoded here.
fn choose(session: &Session<retina::client::Described>) -> Result<(usize, Codec), RtspError> {
    /// Names listed in the error.
    const NAMED_MAX: usize = 8;
    let streams = session.streams();
    let known = |(i, stream): (usize, &retina::client::Stream)| {
        let video = matches!(stream.media(), "video" | "image");
        Codec::from_encoding_name(stream.encoding_name()).filter(|_| video).map(|codec| (i, codec))
    };
    streams.iter().enumerate().find_map(known).ok_or_else(|| {
        let names = streams.iter().take(NAMED_MAX).map(|s| format!("{}/{}", s.media(), s.encoding_name()));
        let names: Vec<String> = names.map(|name| name.chars().take(40).collect()).collect();
        RtspError::Codec(if names.is_empty() { "nothing".into() } else { names.join(", ") })
    })
}
