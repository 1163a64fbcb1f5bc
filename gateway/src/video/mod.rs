//! Access units → pictures → picture facts; evidence. Knows nothing of rules, tickets or SQL.
//!
//! [`Cameras::start`] runs one session task per camera (`ingest::rtsp`) and `video.decode_threads` threads that decode.
//! A camera's units always go to the same thread, so a picture's forerunners are where it needs them.

mod canvas;
mod closeup;
pub mod counters;
pub mod decoder;
mod evidence;
mod eye;
mod feed;
mod film;
pub mod frame;
mod group;
mod lane;
mod nals;
pub mod overload;
mod pace;
mod queue;
mod reel;
mod spare;
mod throttle;
mod upstream;
mod white_hot;

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use outpost_detectors::background::MotionConfig;
use outpost_detectors::lookout::Lookout;
use outpost_detectors::observation::Observation;
use outpost_detectors::size_gate::Earned;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::closeup::{Asked, Looking};
use self::counters::Counters;
use self::evidence::Sight;
use self::eye::Eye;
use self::feed::Feed;
use self::lane::Lane;
use self::pace::Pace;
use self::queue::Queue;
use self::upstream::{Reader, Upstreams};
use self::white_hot::WhiteHot;
use crate::config::{self, HeatVideo};
use crate::ingest::rtsp::Admission;

pub use self::closeup::{Look, Looker};
pub use self::counters::Counts;
pub use self::evidence::Evidence;
pub(crate) use self::evidence::render;
pub(crate) use self::nals::split as split_nals;
pub use self::reel::Clip;

/// How often it is seen whether a decoder hangs.
const LANES_CHECK_EVERY: Duration = Duration::from_secs(1);

/// All cameras, running.
pub struct Cameras {
    counters: Vec<(Arc<str>, Arc<Counters>)>,
    evidence: Evidence,
    looker: Looker,
    sessions: TaskTracker,
    lanes: Vec<Arc<Lane<Eye>>>,
}

impl Cameras {
    /// Starts the sessions and the decode threads. `earned`: by the size gates of sources before a restart. `out` gets an observation per change of a link and per decoded
    /// picture; while it is full, delta frames are shed and then sockets are not read. `clips` gets the clips that are asked
    /// of [`Evidence::clip`]. `stop` ends all of it.
    /// Errors where the system has no thread left.
    pub fn start(
        cameras: &[config::Camera],
        video: &config::Video,
        earned: &HashMap<Arc<str>, Earned>,
        out: mpsc::Sender<Observation>,
        clips: mpsc::Sender<Clip>,
        stop: CancellationToken,
    ) -> std::io::Result<Cameras> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let n_threads = if video.decode_threads == 0 { cores() } else { video.decode_threads };
        let n_threads = n_threads.min(cameras.len());
        let queues: Vec<_> = (0..n_threads).map(|_| Arc::new(Queue::new(video.queue_max))).collect();
        let counters: Vec<_> = cameras.iter().map(|camera| (name(camera), Arc::<Counters>::default())).collect();
        let all: Arc<[Arc<Counters>]> = counters.iter().map(|(_, counters)| counters.clone()).collect();
        let mut pinned: Vec<Vec<usize>> = vec![Vec::new(); n_threads];
        let (sessions, mut sights, mut lookouts) = (TaskTracker::new(), Vec::new(), Vec::new());
        let mut upstreams = Upstreams::default();
        let asked: Vec<_> = cameras.iter().map(|_| Arc::<Asked>::default()).collect();
        for (index, camera) in cameras.iter().enumerate() {
            let source = counters[index].0.clone();
            let sight = Sight::new(camera, video, &clips);
            let thread = pin(&source, n_threads);
            pinned[thread].push(index);
            let looking = Looking::new(asked[index].clone(), camera.masks.clone(), video.look.ms(), video.jpeg_quality);
            let heat = camera.heat.map(|HeatVideo::WhiteHot| WhiteHot::new(camera.masks.clone()));
            lookouts.push((lookout(camera), looking, heat));
            // What no clip may show is not kept for one.
            let mut reel = sight.reel.clone().filter(|_| camera.masks.is_empty());
            if let Some(main) = &camera.main
                && let Some(reel) = reel.take()
            {
                let main = config::Camera { url: main.clone(), ..camera.clone() };
                upstreams.join(&main, &Arc::from(format!("{source} (main)")), Reader::Reel(reel));
            }
            let pace = Pace::new(video.glance.ms(), camera.dark_after.ms(), earned.get(&source).copied());
            let feed = Feed::new(index, camera, pace, queues[thread].clone(), all.clone(), out.clone(), reel)
                .asked(asked[index].clone());
            upstreams.join(camera, &source, Reader::Feed(Box::new(feed)));
            sights.push((source, sight));
        }
        let admission = Arc::new(Admission::new(video.open_max));
        for upstream in upstreams.0 {
            sessions.spawn(upstream.run(admission.clone(), stop.clone()));
        }
        sessions.close();
        let seeds: Arc<[_]> = sights
            .iter()
            .zip(lookouts)
            .map(|((source, sight), seed)| (source.clone(), sight.pictures.clone(), seed))
            .collect();
        let mut lanes = Vec::new();
        for (number, (queue, cameras)) in queues.iter().zip(pinned).enumerate() {
            let (seeds, all, out, active_ms) = (seeds.clone(), all.clone(), out.clone(), video.active.ms());
            let fresh = move |camera: usize| {
                let (source, pictures, (lookout, looking, heat)) = &seeds[camera];
                let (all, lookout) = (all[camera].clone(), lookout.another());
                Eye::new(source.clone(), active_ms, out.clone(), all, pictures.clone(), lookout, looking.clone())
                    .of_heat(heat.clone())
            };
            let share = video.decode_cores / n_threads as f64;
            let lane = Lane::new(format!("decode-{number}"), queue.clone(), share, cameras, Box::new(fresh));
            lane.start().inspect_err(|_| stop.cancel())?;
            lanes.push(lane);
        }
        let watched = lanes.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(LANES_CHECK_EVERY);
            let checks = async {
                loop {
                    ticks.tick().await;
                    watched.iter().for_each(|lane| lane.check(Instant::now()));
                }
            };
            stop.run_until_cancelled(checks).await;
            queues.iter().for_each(|queue| queue.close());
        });
        let looker = Looker::new(counters.iter().map(|(source, _)| source.clone()).zip(asked), video.look.ms());
        Ok(Cameras { counters, evidence: Evidence::new(sights, video.jpeg_quality), looker, sessions, lanes })
    }

    pub fn evidence(&self) -> Evidence {
        self.evidence.clone()
    }

    pub fn looker(&self) -> Looker {
        self.looker.clone()
    }

    /// A snapshot of every camera's numbers, in the order of the configuration.
    pub fn counters(&self) -> Vec<Counts> {
        let counts = |(source, counters): &(Arc<str>, Arc<Counters>)| Counts {
            memory_bytes: self.evidence.bytes(source, counters.group_bytes()),
            ..counters.counts(source)
        };
        self.counters.iter().map(counts).collect()
    }

    /// What the size gate of each camera has earned, where it has been asked.
    pub fn earned(&self) -> Vec<(Arc<str>, Earned)> {
        let of = |(source, counters): &(Arc<str>, Arc<Counters>)| Some((source.clone(), counters.earned()?));
        self.counters.iter().filter_map(of).collect()
    }

    /// After `stop`: waits until every camera was told that its session is over and every thread has ended. The
    /// receiver of observations must go on reading or be gone.
    pub async fn stopped(&self) {
        self.sessions.wait().await;
        let lanes = self.lanes.clone();
        let joined = tokio::task::spawn_blocking(move || lanes.iter().for_each(|lane| lane.join()));
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
