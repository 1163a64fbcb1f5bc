//! Streams and who reads them: one session per stream, however many cameras of the configuration look at it. Knows nothing of
//! what they do with a picture.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use outpost_detectors::observation::{Link, LinkState};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::feed::Feed;
use super::reel::Reel;
use crate::config::Camera;
use crate::decode::alarms::{self, AlarmsError, Told};
use crate::ingest::recording;
use crate::ingest::rtsp::{self, AccessUnit, Admission, AlarmFault, RtspError, Viewer};

/// Who reads a stream.
pub(super) enum Reader {
    /// A camera that rules look at.
    Feed(Box<Feed>),
    /// Clips of a camera whose rules look at another stream.
    Reel(Arc<Reel>),
}

pub(super) struct Upstream {
    /// Address and all that a session needs.
    camera: Camera,
    /// What it is called in logs: the first that reads it.
    name: Arc<str>,
    readers: Vec<Reader>,
    /// How long the stream may be left unread while nobody waits for it.
    lull: Duration,
    /// Whether it was told already that alarms of this session cannot be had or read.
    is_fault_told: AtomicBool,
}

/// What is wrong with the alarms of a stream.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Stream(#[from] AlarmFault),
    #[error("a document of alarms: {0}")]
    Document(#[from] AlarmsError),
}

/// All streams, each once.
pub(super) struct Upstreams {
    pub(super) streams: Vec<Upstream>,
    lull: Duration,
}

impl Upstreams {
    pub(super) fn new(lull: Duration) -> Self {
        Upstreams { streams: Vec::new(), lull }
    }

    /// `camera` says where the stream is and how to open it.
    pub(super) fn join(&mut self, camera: &Camera, name: &Arc<str>, reader: Reader) {
        match self.streams.iter_mut().find(|upstream| is_same_stream(&upstream.camera, camera)) {
            Some(upstream) => {
                upstream.camera.alarms |= camera.alarms;
                upstream.readers.push(reader);
            }
            None => {
                let (camera, name, readers) = (camera.clone(), name.clone(), vec![reader]);
                let is_fault_told = AtomicBool::new(false);
                self.streams.push(Upstream { camera, name, readers, lull: self.lull, is_fault_told });
            }
        }
    }
}

/// Whether one session does for both.
fn is_same_stream(a: &Camera, b: &Camera) -> bool {
    a.url == b.url
        && (&a.username, &a.password, &a.ca_file) == (&b.username, &b.password, &b.ca_file)
        && (a.transport, &a.compat, a.pace) == (b.transport, &b.compat, b.pace)
        && (a.open_timeout, a.stall_after, a.retry_max) == (b.open_timeout, b.stall_after, b.retry_max)
        && a.frame_bytes_max == b.frame_bytes_max
}

impl Upstream {
    /// Until `stop`, or the end of a recording.
    pub(super) async fn run(self, admission: Arc<Admission>, stop: CancellationToken) {
        match self.camera.recording() {
            Some(path) => recording::run(&self.name, &path, &self.camera, &self, &stop).await,
            None => rtsp::run(&self.name, &self.camera, &admission, &self, &stop).await,
        }
        for reader in &self.readers {
            match reader {
                Reader::Feed(feed) => feed.end(),
                Reader::Reel(reel) => reel.end(),
            }
        }
    }
}

impl Upstream {
    fn feeds(&self) -> impl Iterator<Item = &Feed> {
        self.readers.iter().filter_map(|reader| match reader {
            Reader::Feed(feed) => Some(&**feed),
            Reader::Reel(_) => None,
        })
    }
}

impl Viewer for Upstream {
    async fn link(&self, link: Link) {
        if matches!(link.state, LinkState::Stalled | LinkState::Offline) {
            self.is_fault_told.store(false, Relaxed);
        }
        for reader in &self.readers {
            match reader {
                Reader::Feed(feed) => feed.link(link.clone()).await,
                // What matters of a stream that only clips are cut out of is told by the alerts that have none.
                Reader::Reel(_) => {}
            }
        }
    }

    async fn unit(&self, unit: AccessUnit) {
        for reader in &self.readers {
            match reader {
                Reader::Feed(feed) => feed.unit(unit.clone()).await,
                Reader::Reel(reel) => reel.push(&unit),
            }
        }
    }

    async fn alarms(&self, told: Result<Bytes, AlarmFault>) {
        let read = told.map_err(Fault::from).and_then(|document| Ok::<Told, Fault>(alarms::read(&document)?));
        match read {
            Ok(told) => {
                for feed in self.feeds() {
                    feed.alarms(&told).await;
                }
            }
            Err(fault) => {
                self.feeds().for_each(Feed::alarm_failed);
                if !self.is_fault_told.swap(true, Relaxed) {
                    warn!(source = %self.name, %fault, "camera's own alarms are not heard");
                }
            }
        }
    }

    fn lull(&self) -> Duration {
        let at_rest = |reader: &Reader| match reader {
            Reader::Feed(feed) => feed.is_at_rest(),
            Reader::Reel(_) => true,
        };
        if self.readers.iter().all(at_rest) { self.lull } else { Duration::ZERO }
    }

    async fn failed(&self, _: &RtspError) {
        for reader in &self.readers {
            match reader {
                Reader::Feed(feed) => feed.failed().await,
                Reader::Reel(reel) => reel.end(),
            }
        }
    }
}
