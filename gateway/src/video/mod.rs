//! Access units → pictures → picture facts; evidence. Knows nothing of rules, tickets or SQL.
//!
//! [`Cameras::start`] runs one session task per camera (`ingest::rtsp`) and `video.decode_threads` threads that decode.
//! A camera's units always go to the same thread, so a picture's forerunners are where it needs them.

mod calm;
mod canvas;
pub mod counters;
pub mod decoder;
mod evidence;
mod eye;
pub mod frame;
mod queue;

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outpost_detectors::background::MotionConfig;
use outpost_detectors::lookout::Lookout;
use outpost_detectors::observation::{Fact, Link, LinkState, Observation};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

use self::calm::Calm;
use self::counters::Counters;
use self::evidence::Sight;
use self::eye::Eye;
use self::queue::{Queue, Work};
use crate::config;
use crate::ingest::rtsp::{self, AccessUnit, RtspError, Viewer};
use crate::telemetry::clock;

pub use self::counters::Counts;
pub use self::evidence::Evidence;
pub(crate) use self::evidence::render;

/// Between the first connections of two cameras, so that a hundred do not ask their switch and recorder at once.
const STAGGER: Duration = Duration::from_millis(20);

/// All cameras, running.
pub struct Cameras {
    counters: Vec<(Arc<str>, Arc<Counters>)>,
    evidence: Evidence,
    sessions: TaskTracker,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

impl Cameras {
    /// Starts the sessions and the decode threads. `out` gets an observation per change of a link and per decoded
    /// picture; while it is full, delta frames are shed and then sockets are not read. `stop` ends all of it.
    /// Errors where the system has no thread left.
    pub fn start(
        cameras: &[config::Camera],
        video: &config::Video,
        out: mpsc::Sender<Observation>,
        stop: CancellationToken,
    ) -> std::io::Result<Cameras> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let n_threads = if video.decode_threads == 0 { cores() } else { video.decode_threads };
        let n_threads = n_threads.min(cameras.len());
        let queues: Vec<_> = (0..n_threads).map(|_| Arc::new(Queue::new(video.queue_max))).collect();
        let counters: Vec<_> = cameras.iter().map(|camera| (name(camera), Arc::<Counters>::default())).collect();
        let all: Arc<[Arc<Counters>]> = counters.iter().map(|(_, counters)| counters.clone()).collect();
        let mut eyes: Vec<HashMap<usize, Eye>> = (0..n_threads).map(|_| HashMap::new()).collect();
        let (sessions, mut sights) = (TaskTracker::new(), Vec::new());
        for (index, camera) in cameras.iter().enumerate() {
            let source = counters[index].0.clone();
            let sight = Sight::new(camera);
            let thread = pin(&source, n_threads);
            let pictures = sight.pictures.clone();
            let look = lookout(camera);
            let eye = Eye::new(source.clone(), video.active.ms(), out.clone(), all[index].clone(), pictures, look);
            eyes[thread].insert(index, eye);
            sights.push((source.clone(), sight));
            let queue = queues[thread].clone();
            let calm = Calm::new(camera.dark_after.ms());
            let viewer = Feed::new(index, source, queue, all.clone(), out.clone(), calm);
            sessions.spawn(session(viewer, camera.clone(), stop.clone()));
        }
        sessions.close();
        let mut threads = Vec::new();
        for (number, (queue, eyes)) in queues.iter().zip(eyes).enumerate() {
            let queue = queue.clone();
            let builder = std::thread::Builder::new().name(format!("decode-{number}"));
            let thread = builder.spawn(move || decode(&queue, eyes));
            threads.push(thread.inspect_err(|_| stop.cancel())?);
        }
        tokio::spawn(async move {
            stop.cancelled().await;
            queues.iter().for_each(|queue| queue.close());
        });
        Ok(Cameras {
            counters,
            evidence: Evidence::new(sights, video.jpeg_quality),
            sessions,
            threads: Mutex::new(threads),
        })
    }

    pub fn evidence(&self) -> Evidence {
        self.evidence.clone()
    }

    /// A snapshot of every camera's numbers, in the order of the configuration.
    pub fn counters(&self) -> Vec<Counts> {
        self.counters.iter().map(|(source, counters)| counters.counts(source)).collect()
    }

    /// After `stop`: waits until every camera was told that its session is over and every thread has ended. The
    /// receiver of observations must go on reading or be gone.
    pub async fn stopped(&self) {
        self.sessions.wait().await;
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        let _ = joined.await;
    }
}

/// How a camera is called in observations.
fn name(camera: &config::Camera) -> Arc<str> {
    Arc::from(format!("cam:{}", camera.id))
}

fn lookout(camera: &config::Camera) -> Lookout {
    let motion = MotionConfig { absorb_ms: camera.absorb_after.ms(), ..MotionConfig::default() };
    Lookout::new(motion, camera.masks.clone())
}

fn pin(source: &str, n_threads: usize) -> usize {
    (BuildHasherDefault::<DefaultHasher>::default().hash_one(source) % n_threads.max(1) as u64) as usize
}

async fn session(viewer: Feed, camera: config::Camera, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => return,
        () = tokio::time::sleep(STAGGER.saturating_mul(viewer.camera as u32)) => {}
    }
    rtsp::run(&viewer.source, &camera, &viewer, &stop).await;
}

/// The body of a decode thread.
fn decode(queue: &Queue, mut eyes: HashMap<usize, Eye>) {
    while let Some(work) = queue.take() {
        let Some(eye) = eyes.get_mut(&work.camera) else { continue };
        // The decoders have a guard of their own; this one keeps a bug elsewhere from darkening every other camera
        // of the thread. Unwind safety: the eye's state is thrown away.
        if catch_unwind(AssertUnwindSafe(|| eye.look(&work))).is_err() {
            error!(camera = work.camera, "panic while looking at a picture");
            eye.reset();
        }
    }
}

/// What a session hands its units and links to.
struct Feed {
    camera: usize,
    source: Arc<str>,
    queue: Arc<Queue>,
    /// Of all cameras: what is shed may be another's.
    counters: Arc<[Arc<Counters>]>,
    out: mpsc::Sender<Observation>,
    number: AtomicU64,
    /// Number of the last unit that went into the queue.
    queued: AtomicU64,
    session: AtomicU64,
    /// Only the session's task takes it, and waits for nothing meanwhile.
    calm: Mutex<Calm>,
}

impl Feed {
    fn new(
        camera: usize,
        source: Arc<str>,
        queue: Arc<Queue>,
        counters: Arc<[Arc<Counters>]>,
        out: mpsc::Sender<Observation>,
        calm: Calm,
    ) -> Self {
        let (number, queued, session) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Feed { camera, source, queue, counters, out, number, queued, session, calm: Mutex::new(calm) }
    }

    fn own(&self) -> &Counters {
        &self.counters[self.camera]
    }

    fn calm(&self) -> MutexGuard<'_, Calm> {
        self.calm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this unit is one that is always decoded.
    fn must(&self, unit: &AccessUnit) -> bool {
        let mut calm = self.calm();
        if !unit.key {
            calm.delta(unit.data.len());
            return false;
        }
        calm.key(unit.received_ms, self.own().active_until_ms.load(Relaxed))
    }
}

impl Viewer for Feed {
    async fn link(&self, link: Link) {
        let now_ms = clock::now_ms();
        if link.state == LinkState::Live {
            self.session.fetch_add(1, Relaxed);
            self.calm().begin(now_ms);
        }
        self.own().set_link(&link);
        let fact = Fact::Link(link);
        let observation = Observation { source: self.source.clone(), at_ms: now_ms, received_ms: now_ms, fact };
        // An error means that nobody listens any more: the gateway is stopping.
        let _ = self.out.send(observation).await;
    }

    async fn unit(&self, unit: AccessUnit) {
        self.own().frame(unit.data.len(), unit.key, unit.loss, unit.received_ms);
        let received_ms = unit.received_ms;
        let number = self.number.fetch_add(1, Relaxed) + 1;
        let (camera, session, must) = (self.camera, self.session.load(Relaxed), self.must(&unit));
        // While nothing moves, a delta frame would only wake the decode thread to be dropped there: its missing number
        // tells the same. Key frames always pass: the eye learns from them how far apart they are.
        if !unit.key && self.own().is_idle(self.queued.load(Relaxed), received_ms) {
            return;
        }
        self.queued.store(number, Relaxed);
        if let Some(shed) = self.queue.put(Work { camera, number, session, must, unit }).await {
            self.counters[shed].shed(received_ms);
        }
    }

    fn failed(&self, _: &RtspError) {
        self.own().failed_sessions.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::decoder::Codec;
    use bytes::Bytes;

    fn unit(key: bool, received_ms: i64) -> AccessUnit {
        AccessUnit { codec: Codec::H264, data: Bytes::from_static(&[0; 9]), key, size: None, loss: 0, received_ms }
    }

    #[tokio::test]
    async fn a_delta_frame_passes_only_while_something_moves_or_is_still_to_be_looked_at() {
        let (queue, counters) = (Arc::new(Queue::new(16)), Arc::<Counters>::default());
        let out = mpsc::channel(1).0;
        let feed = Feed::new(0, "cam:a".into(), queue.clone(), Arc::from([counters.clone()]), out, Calm::new(30_000));
        feed.unit(unit(true, 1_000)).await;
        feed.unit(unit(false, 1_040)).await;
        let numbers = || std::iter::from_fn(|| queue.try_take()).map(|work| work.number).collect::<Vec<_>>();
        assert_eq!(numbers(), [1, 2], "nobody knows yet whether the key frame shows movement");
        counters.looked(2, 0);
        feed.unit(unit(false, 1_080)).await;
        feed.unit(unit(true, 2_000)).await;
        feed.unit(unit(false, 2_040)).await;
        assert_eq!(numbers(), [4, 5]);
        counters.looked(5, 3_000);
        feed.unit(unit(false, 2_999)).await;
        feed.unit(unit(false, 3_000)).await;
        assert_eq!(numbers(), [6, 7], "what follows one that is not looked at yet passes");
        counters.looked(7, 3_000);
        feed.unit(unit(false, 3_001)).await;
        assert_eq!(numbers(), [0u64; 0]);
    }
}
