//! One task per camera: connects, hands over access units, says how the link is, and never gives up. Knows nothing of
//! what a picture shows.

mod admission;
mod documents;
mod error;
mod frames;
mod open;
mod tunnel;

use std::future::Future;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use outpost_detectors::observation::{Link, LinkReason, LinkState};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::admission::Record;
use self::frames::{Frames, Sent};
use self::open::{Extent, Opened, Opener};
use super::backoff::Backoff;
use crate::config::{Camera, Transport};
use crate::telemetry::clock;
use crate::video::decoder::Codec;

pub use self::admission::Admission;
pub use self::error::{AlarmFault, Phase, RtspError};

/// A session that was live for this long was a good one: the next failure is retried soon. A camera that falls right
/// after its first frame is not, and waits longer each time.
const GOOD_SESSION: Duration = Duration::from_secs(10);

/// What a stream may have sent in the time for which it was left unread, to be left so again: sockets and what lies between
/// hold more than this.
const LULL_BYTES_MAX: usize = 64 << 10;

/// Longest wait for a picture that can be decoded by itself, however short `stall_after` is: "smart" codecs send one
/// a minute or less often.
const KEY_FRAME_WAIT_MIN: Duration = Duration::from_secs(70);

/// One coded picture as it came.
#[derive(Debug, Clone)]
pub struct AccessUnit {
    pub codec: Codec,
    /// Annex B with parameter sets before key frames, or a JPEG.
    pub data: Bytes,
    /// Whether it can be decoded without those before it.
    pub key: bool,
    /// Size by the stream's parameters, where they say one. Not to be trusted for allocation.
    pub size: Option<(u32, u32)>,
    /// RTP packets missing before this unit.
    pub loss: u16,
    pub received_ms: i64,
    /// The camera's own time, counted from anywhere: a hint, by which its drift is measured.
    pub media_ms: Option<i64>,
}

/// Who is told what a camera sends.
pub trait Viewer: Send + Sync {
    /// The link changed.
    fn link(&self, link: Link) -> impl Future<Output = ()> + Send;
    /// An access unit came. While this waits the socket is not read.
    fn unit(&self, unit: AccessUnit) -> impl Future<Output = ()> + Send;
    /// A document in which the camera tells of its own alarms came (`tt:MetadataStream` of ONVIF), or none will or can.
    fn alarms(&self, told: Result<Bytes, AlarmFault>) -> impl Future<Output = ()> + Send;
    /// How long what comes next may be left unread, so that many pictures cost one look at the socket; nothing where somebody
    /// waits for it.
    fn lull(&self) -> Duration;
    /// A session ended with this error and will be tried again.
    fn failed(&self, error: &RtspError) -> impl Future<Output = ()> + Send;
}

/// Watches a camera until `stop`. `source` is its name in logs and observations.
pub async fn run<V: Viewer>(
    source: &str,
    camera: &Camera,
    admission: &Admission,
    viewer: &V,
    stop: &CancellationToken,
) {
    let mut links = Links { viewer, last: None };
    links.say(LinkState::Connecting, None).await;
    let seed = BuildHasherDefault::<DefaultHasher>::default().hash_one(source);
    let mut backoff = Backoff::new(camera.retry_max.duration(), seed);
    let opener = match Opener::new(camera) {
        Ok(opener) => opener,
        Err(error) => {
            warn!(%source, %error, "camera cannot be opened");
            viewer.failed(&error).await;
            links.say(LinkState::Offline, Some(error.reason())).await;
            return;
        }
    };
    let mut record = Record::Ready;
    let whole = if camera.alarms { Extent::PicturesAndAlarms } else { Extent::Pictures };
    let mut extent = whole;
    while !stop.is_cancelled() {
        let started = Instant::now();
        // A bug in the client library costs this camera its session, and no other anything.
        let session = run_once(camera, (&opener, extent), (admission, record), &mut links);
        let error = tokio::select! {
            () = stop.cancelled() => break,
            outcome = AssertUnwindSafe(session).catch_unwind() => outcome.unwrap_or(RtspError::Panic),
        };
        if let RtspError::Alarms(text) = &error {
            // Alarms must not cost pictures: at once again without them, and with them no sooner than at the session after.
            extent = Extent::Pictures;
            viewer.alarms(Err(AlarmFault::Refused(text.clone()))).await;
            viewer.failed(&error).await;
            links.say(LinkState::Connecting, None).await;
            continue;
        }
        extent = whole;
        record = if error.is_silence() { Record::Doubtful } else { Record::Ready };
        let good = links.is_live() && started.elapsed() >= GOOD_SESSION;
        if good {
            backoff.reset();
        }
        viewer.failed(&error).await;
        let state = if matches!(error, RtspError::Stall { .. }) { LinkState::Stalled } else { LinkState::Offline };
        if links.say(state, Some(error.reason())).await {
            warn!(%source, state = state.as_str(), reason = error.reason().as_str(), %error, "camera is not live");
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = sleep(backoff.next_delay()) => {}
        }
    }
    // The session was dropped above: it says goodbye in the background, and the process should not end before.
    opener.await_teardown().await;
    info!(%source, "camera task ended");
}

/// One session: opens, waits for a key frame, hands over what comes. Returns why it ended.
async fn run_once<V: Viewer>(
    camera: &Camera,
    (opener, extent): (&Opener, Extent),
    (admission, record): (&Admission, Record),
    links: &mut Links<'_, V>,
) -> RtspError {
    // Before it takes a place: others could be opened in the meantime.
    opener.await_stale_sessions().await;
    let place = admission.enter(record).await;
    // Read at each attempt, so that a corrected file needs no restart.
    let password = match camera.password.as_ref().map(|secret| secret.read()).transpose() {
        Ok(password) => password,
        Err(error) => return RtspError::Secret(error.to_string()),
    };
    let Opened { mut frames, codec, refusal } = match opener.open(password.as_deref(), extent).await {
        Ok(opened) => opened,
        Err(error) => return error,
    };
    drop(place);
    let asks_for_alarms = frames.has_alarms() || refusal.is_some();
    if let Some(refusal) = refusal {
        links.viewer.alarms(Err(AlarmFault::Refused(refusal))).await;
    }
    let stall_after = camera.stall_after.duration();
    let key_deadline = Instant::now() + stall_after.max(KEY_FRAME_WAIT_MIN);
    let mut live = false;
    // Since the socket was last found empty.
    let mut n_bytes = 0;
    let mut frame_deadline = Instant::now() + stall_after;
    loop {
        let deadline = if live { frame_deadline } else { frame_deadline.min(key_deadline) };
        let next = match frames.next().now_or_never() {
            Some(next) => Ok(next),
            None => {
                let may_wait = live && camera.transport == Transport::Tcp && n_bytes <= LULL_BYTES_MAX;
                let lull = if may_wait { links.viewer.lull() } else { Duration::ZERO };
                n_bytes = 0;
                if !lull.is_zero() {
                    sleep(lull).await;
                }
                timeout_at(deadline, frames.next()).await
            }
        };
        let frame = match next {
            Ok(Ok(Sent::Frame(frame))) => frame,
            Ok(Ok(Sent::Document(told))) => {
                n_bytes += told.as_ref().map_or(0, Bytes::len);
                links.viewer.alarms(told).await;
                // A camera that goes on talking while it shows nothing has stalled all the same.
                if Instant::now() >= deadline {
                    return RtspError::Stall { limit_ms: stall_after.as_millis() };
                }
                continue;
            }
            // A camera may take fright at a second stream only once it has to send it.
            Ok(Err(error)) if !live && asks_for_alarms => return RtspError::Alarms(error.to_string()),
            Ok(Err(error)) => return error,
            Err(_) => return RtspError::Stall { limit_ms: stall_after.as_millis() },
        };
        n_bytes += frame.data().len();
        let key = frame.is_random_access_point();
        // Frames before the first key frame cannot be decoded.
        if live || key {
            if !live {
                live = true;
                links.say(LinkState::Live, None).await;
            }
            links.viewer.unit(unit(codec, key, &frames, frame)).await;
        } else if Instant::now() >= key_deadline {
            return RtspError::Stall { limit_ms: stall_after.as_millis() };
        }
        frame_deadline = Instant::now() + stall_after;
    }
}

/// One session without retries: hands each access unit from the first on to `each`, for `time`, or until that breaks it off.
pub(crate) async fn sample(
    camera: &Camera,
    password: Option<&str>,
    time: Duration,
    mut each: impl FnMut(AccessUnit) -> ControlFlow<()>,
) -> Result<(), RtspError> {
    let opener = Opener::new(camera)?;
    let outcome = async {
        let Opened { mut frames, codec, .. } = opener.open(password, Extent::Pictures).await?;
        let end = Instant::now() + time;
        let stall_after = camera.stall_after.duration();
        while Instant::now() < end {
            let stall = Instant::now() + stall_after;
            match timeout_at(end.min(stall), frames.next()).await {
                Ok(sent) => {
                    let Sent::Frame(frame) = sent? else { continue };
                    if each(unit(codec, frame.is_random_access_point(), &frames, frame)).is_break() {
                        break;
                    }
                }
                Err(_) if stall < end => return Err(RtspError::Stall { limit_ms: stall_after.as_millis() }),
                Err(_) => break,
            }
        }
        Ok(())
    };
    let outcome = outcome.await;
    opener.await_teardown().await;
    outcome
}

fn unit(codec: Codec, key: bool, frames: &Frames, frame: retina::codec::VideoFrame) -> AccessUnit {
    let (size, loss) = (frames.size(), frame.loss());
    let media_ms = Some((frame.timestamp().elapsed_secs() * 1_000.0) as i64);
    // As large as it is: many are kept for seconds.
    let data = Bytes::from(frame.into_data().into_boxed_slice());
    AccessUnit { codec, key, size, loss, received_ms: clock::now_ms(), media_ms, data }
}

/// Says each change once.
struct Links<'a, V> {
    viewer: &'a V,
    last: Option<(LinkState, Option<LinkReason>)>,
}

impl<V: Viewer> Links<'_, V> {
    /// Whether it was news.
    async fn say(&mut self, state: LinkState, reason: Option<LinkReason>) -> bool {
        if self.last == Some((state, reason)) {
            return false;
        }
        self.last = Some((state, reason));
        self.viewer.link(Link { state, reason }).await;
        true
    }

    fn is_live(&self) -> bool {
        matches!(self.last, Some((LinkState::Live, _)))
    }
}
