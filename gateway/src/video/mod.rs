//! Access units → pictures → picture facts; evidence. Knows nothing of rules, tickets or SQL.
//!
//! [`Cameras::start`] runs one session task per stream (`ingest::rtsp`) and `video.decode_threads` threads that decode.
//! A camera's units always go to the same thread, so a picture's forerunners are where it needs them.

mod ailing;
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
mod live;
mod nals;
mod overload;
mod pace;
mod queue;
mod reel;
mod roll;
mod seen;
mod spare;
mod throttle;
pub mod troubles;
mod upstream;
mod white_hot;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outpost_detectors::background::MotionConfig;
use outpost_detectors::lookout::Lookout;
use outpost_detectors::observation::Observation;
use outpost_detectors::size_gate::Earned;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::closeup::{Asked, Looking};
use self::counters::Counters;
use self::evidence::Sight;
use self::eye::Eye;
use self::feed::Feed;
use self::lane::Lane;
use self::live::Seat;
use self::pace::Pace;
use self::queue::Queue;
use self::roll::{Roll, Seed};
use self::upstream::{Reader, Upstreams};
use self::white_hot::WhiteHot;
use crate::config::{self, HeatVideo};
use crate::ingest::rtsp::Admission;
use crate::nouns::Unseen;
use crate::objects::Judge;

pub use self::closeup::Looker;
pub use self::counters::Counts;
pub use self::evidence::Evidence;
pub(crate) use self::evidence::{render, thumbnail};
pub use self::live::Live;
pub(crate) use self::nals::split as split_nals;
pub use self::reel::Clip;
pub use self::seen::Look;

/// How often it is seen whether a decoder hangs.
const LANES_CHECK_EVERY: Duration = Duration::from_secs(1);

/// All cameras, running.
pub struct Cameras {
    video: config::Video,
    n_threads: usize,
    /// By thread; each begins with the first camera that is pinned to it.
    lanes: Lanes,
    roll: Arc<Roll>,
    evidence: Evidence,
    looker: Looker,
    /// Places for those who watch live.
    seats: Arc<Semaphore>,
    admission: Arc<Admission>,
    out: mpsc::Sender<Observation>,
    clips: mpsc::Sender<Clip>,
    stop: CancellationToken,
    running: Mutex<Running>,
}

/// By thread; nothing where none has begun.
type Lanes = Arc<Mutex<Vec<Option<Arc<Lane<Eye>>>>>>;

#[derive(Default)]
struct Running {
    /// In the order in which they were started.
    groups: Vec<Group>,
    /// Number of the next camera.
    next: usize,
    /// Of every source that there was: a count goes on when a camera comes again.
    counters: HashMap<Arc<str>, Arc<Counters>>,
}

/// Cameras that share streams, directly or by others: none of them can go alone.
struct Group {
    /// All that their sessions and eyes go by.
    settings: String,
    members: Vec<Member>,
    sessions: TaskTracker,
    stop: CancellationToken,
}

struct Member {
    number: usize,
    thread: usize,
    source: Arc<str>,
    url: String,
    counters: Arc<Counters>,
}

/// Where what comes of cameras goes.
pub struct Wires {
    /// Gets an observation per change of a link and per decoded picture; while it is full, frames are shed.
    pub observations: mpsc::Sender<Observation>,
    /// Gets the clips that are asked of [`Evidence::clip`].
    pub clips: mpsc::Sender<Clip>,
    /// Is asked what is in the pictures of looks.
    pub judge: Judge,
}

impl Cameras {
    /// Starts the sessions and the decode threads. `earned`: by the size gates of sources before a restart. `n_more`: how many
    /// cameras may come later, for the number of threads. `stop` ends all of it.
    /// Errors where the system has no thread left.
    pub fn start(
        cameras: &[config::Camera],
        n_more: usize,
        video: &config::Video,
        earned: &HashMap<Arc<str>, Earned>,
        wires: Wires,
        stop: CancellationToken,
    ) -> std::io::Result<Cameras> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let n_threads = if video.decode_threads == 0 { cores() } else { video.decode_threads };
        let n_threads = n_threads.min(cameras.len().saturating_add(n_more)).max(1);
        let lanes: Lanes = Arc::new(Mutex::new(vec![None; n_threads]));
        let Wires { observations: out, clips, judge } = wires;
        let all = Cameras {
            video: video.clone(),
            n_threads,
            lanes: lanes.clone(),
            roll: Arc::default(),
            evidence: Evidence::new(video.jpeg_quality),
            looker: Looker::new(video.look.ms(), judge, video.jpeg_quality),
            seats: Arc::new(Semaphore::new(video.live_max)),
            admission: Arc::new(Admission::new(video.open_max)),
            out,
            clips,
            stop: stop.clone(),
            running: Mutex::default(),
        };
        all.start_missing(cameras, earned).inspect_err(|_| stop.cancel())?;
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(LANES_CHECK_EVERY);
            let checks = async {
                loop {
                    ticks.tick().await;
                    begun(&lanes).iter().for_each(|lane| lane.check(Instant::now()));
                }
            };
            stop.run_until_cancelled(checks).await;
            begun(&lanes).iter().for_each(|lane| lane.queue().close());
        });
        Ok(all)
    }

    /// Ends the sessions of cameras that are not among these, or not as they are here. Nobody is told that they went dark.
    pub async fn stop_others(&self, cameras: &[config::Camera]) {
        let wanted: HashSet<String> = grouped(cameras).iter().map(|group| settings(group)).collect();
        let ended: Vec<Group> =
            self.running().groups.extract_if(.., |group| !wanted.contains(&group.settings)).collect();
        for group in &ended {
            group.stop.cancel();
            group.sessions.close();
        }
        for group in ended {
            group.sessions.wait().await;
            for member in group.members {
                self.evidence.dismiss(&member.source);
                self.looker.dismiss(&member.source);
                self.roll.dismiss(member.number);
                if let Some(lane) = &lock(&self.lanes)[member.thread] {
                    lane.dismiss(member.number);
                }
            }
        }
    }

    /// Starts those of the cameras that do not run as they are here.
    pub fn start_missing(&self, cameras: &[config::Camera], earned: &HashMap<Arc<str>, Earned>) -> std::io::Result<()> {
        let mut running = self.running();
        for group in grouped(cameras) {
            let settings = settings(&group);
            if !running.groups.iter().any(|known| known.settings == settings) {
                let group = self.start_group(&group, settings, earned, &mut running)?;
                running.groups.push(group);
            }
        }
        Ok(())
    }

    fn start_group(
        &self,
        cameras: &[&config::Camera],
        settings: String,
        earned: &HashMap<Arc<str>, Earned>,
        running: &mut Running,
    ) -> std::io::Result<Group> {
        let (video, stop) = (&self.video, self.stop.child_token());
        let (mut upstreams, mut members) = (Upstreams::new(video.lull.duration()), Vec::new());
        for camera in cameras {
            let (source, number) = (name(camera), running.next);
            running.next += 1;
            let counters = running.counters.entry(source.clone()).or_default().clone();
            let thread = pin(&source, self.n_threads);
            let lane = self.lane(thread)?;
            let sight = Sight::new(camera, video, &self.clips);
            let asked = Arc::<Asked>::default();
            let masks = camera.masks.clone();
            let looking = Looking::new(asked.clone(), masks.clone(), video.look.ms());
            let heat = camera.heat.map(|HeatVideo::WhiteHot| WhiteHot::new(masks.clone()));
            // What no clip may show is not kept for one.
            let mut reel = sight.reel.clone().filter(|_| masks.is_empty());
            if let Some(main) = &camera.main
                && let Some(reel) = reel.take()
            {
                let main = config::Camera { url: main.clone(), alarms: false, ..(*camera).clone() };
                upstreams.join(&main, &Arc::from(format!("{source} (main)")), Reader::Reel(reel));
            }
            let pace = Pace::new(video.glance.ms(), camera.dark_after.ms(), earned.get(&source).copied());
            let own = (counters.clone(), self.roll.clone());
            let feed = Feed::new(number, camera, pace, lane.queue().clone(), own, self.out.clone(), reel)
                .asked(asked.clone())
                .woken_for(camera.alarms.then(|| video.active.ms()))
                .until(stop.clone(), self.stop.clone());
            upstreams.join(camera, &source, Reader::Feed(Box::new(feed)));
            let (pictures, lookout) = (sight.pictures.clone(), lookout(camera));
            let seed = Seed { source: source.clone(), counters: counters.clone(), pictures, lookout, looking, heat };
            self.roll.admit(number, seed);
            lane.admit(number);
            self.evidence.admit(source.clone(), sight);
            self.looker.admit(source.clone(), asked);
            members.push(Member { number, thread, source, url: camera.url.clone(), counters });
        }
        let sessions = TaskTracker::new();
        for upstream in upstreams.streams {
            sessions.spawn(upstream.run(self.admission.clone(), stop.clone()));
        }
        Ok(Group { settings, members, sessions, stop })
    }

    /// The thread of this number, begun where it is not.
    fn lane(&self, thread: usize) -> std::io::Result<Arc<Lane<Eye>>> {
        let mut lanes = lock(&self.lanes);
        if let Some(lane) = &lanes[thread] {
            return Ok(lane.clone());
        }
        let (roll, out, active_ms) = (self.roll.clone(), self.out.clone(), self.video.active.ms());
        let fresh = move |camera: usize| {
            let seed = roll.seed(camera)?;
            let (source, counters, pictures) = (seed.source.clone(), seed.counters.clone(), seed.pictures.clone());
            let (lookout, looking) = (seed.lookout.another(), seed.looking.clone());
            let eye = Eye::new(source, active_ms, out.clone(), counters, pictures, lookout, looking);
            Some(eye.of_heat(seed.heat.clone()))
        };
        let queue = Arc::new(Queue::new(self.video.queue_max));
        let share = self.video.decode_cores / self.n_threads as f64;
        let lane = Lane::new(format!("decode-{thread}"), queue, share, Box::new(fresh));
        lane.start()?;
        lanes[thread] = Some(lane.clone());
        Ok(lane)
    }

    pub fn evidence(&self) -> Evidence {
        self.evidence.clone()
    }

    pub fn looker(&self) -> Looker {
        self.looker.clone()
    }

    /// A snapshot of every camera's numbers.
    pub fn counters(&self) -> Vec<Counts> {
        let counts = |member: &Member| Counts {
            memory_bytes: self.evidence.bytes(&member.source, member.counters.group_bytes()),
            ..member.counters.counts(&member.source)
        };
        self.running().groups.iter().flat_map(|group| &group.members).map(counts).collect()
    }

    /// What a camera sends from now on, as its clips have it: of the same stream, and of none that has masks.
    pub fn live(&self, source: &str) -> Result<Live, Unseen> {
        let sight = self.evidence.sight(source).ok_or(Unseen::Unknown)?;
        if !sight.masks.is_empty() {
            return Err(Unseen::Masked);
        }
        let reel = sight.reel.as_ref().filter(|_| self.video.live_max > 0).ok_or(Unseen::Off)?;
        let full = |_| Unseen::Full(self.video.live_max);
        let place = self.seats.clone().try_acquire_owned().map_err(full)?;
        let counters = self.counters_of(source).ok_or(Unseen::Unknown)?;
        Live::new(source.into(), reel.watch(Seat::new(place, counters))?).map_err(|error| {
            tracing::warn!(source, %error, "a camera cannot be watched live");
            Unseen::Codec
        })
    }

    fn counters_of(&self, source: &str) -> Option<Arc<Counters>> {
        let running = self.running();
        let mut members = running.groups.iter().flat_map(|group| &group.members);
        members.find(|member| &*member.source == source).map(|member| member.counters.clone())
    }

    /// What the size gate of each camera has earned, where it has been asked, and on which address.
    pub fn earned(&self) -> Vec<(Arc<str>, String, Earned)> {
        let of = |member: &Member| Some((member.source.clone(), member.url.clone(), member.counters.earned()?));
        self.running().groups.iter().flat_map(|group| &group.members).filter_map(of).collect()
    }

    /// After `stop`: waits until every camera was told that its session is over and every thread has ended. The
    /// receiver of observations must go on reading or be gone.
    pub async fn stopped(&self) {
        let sessions: Vec<TaskTracker> = self.running().groups.iter().map(|group| group.sessions.clone()).collect();
        for sessions in sessions {
            sessions.close();
            sessions.wait().await;
        }
        let lanes = begun(&self.lanes);
        let joined = tokio::task::spawn_blocking(move || lanes.iter().for_each(|lane| lane.join()));
        let _ = joined.await;
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        lock(&self.running)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn begun(lanes: &Lanes) -> Vec<Arc<Lane<Eye>>> {
    lock(lanes).iter().flatten().cloned().collect()
}

/// Cameras by the streams that they share, in the order of the configuration.
fn grouped(cameras: &[config::Camera]) -> Vec<Vec<&config::Camera>> {
    let streams = |camera: &config::Camera| -> Vec<String> {
        std::iter::once(&camera.url).chain(&camera.main).cloned().collect()
    };
    let mut groups: Vec<Vec<&config::Camera>> = Vec::new();
    let mut group_of: HashMap<String, usize> = HashMap::new();
    for camera in cameras {
        let mut met: Vec<usize> = streams(camera).iter().filter_map(|stream| group_of.get(stream).copied()).collect();
        met.sort_unstable();
        met.dedup();
        let into = met.first().copied().unwrap_or(groups.len());
        if into == groups.len() {
            groups.push(Vec::new());
        }
        // This one makes one group of several.
        for other in met.into_iter().skip(1) {
            let moved = std::mem::take(&mut groups[other]);
            groups[into].extend(moved);
            group_of.values_mut().filter(|group| **group == other).for_each(|group| *group = into);
        }
        groups[into].push(camera);
        group_of.extend(streams(camera).into_iter().map(|stream| (stream, into)));
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// What sessions and eyes go by, as text to compare: secrets show as the names of where they are. Zones but the important ones,
/// lines, ground and ailments are for rules, which take them from the configuration.
fn settings(group: &[&config::Camera]) -> String {
    let of_sessions = |camera: &&config::Camera| {
        let is_important = camera.zones.iter().any(|zone| zone.important);
        let bare = config::Camera {
            zones: Vec::new(),
            lines: Vec::new(),
            ground: Vec::new(),
            ailments: Vec::new(),
            name: String::new(),
            place: None,
            ..(*camera).clone()
        };
        format!("{is_important} {bare:?}")
    };
    group.iter().map(of_sessions).collect::<Vec<_>>().join("\n")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn cameras(toml: &str) -> Vec<config::Camera> {
        toml::from_str::<config::Config>(toml).unwrap().cameras
    }

    const THREE: &str = r#"
[[cameras]]
id = "a"
url = "rtsp://192.0.2.1/sub"
main = "rtsp://192.0.2.1/main"
[[cameras]]
id = "b"
url = "rtsp://192.0.2.2/"
[[cameras]]
id = "c"
url = "rtsp://192.0.2.1/main"
"#;

    #[test]
    fn cameras_that_share_a_stream_come_and_go_together() {
        let ids = |toml: &str| -> Vec<Vec<String>> {
            let cameras = cameras(toml);
            grouped(&cameras).iter().map(|group| group.iter().map(|camera| camera.id.clone()).collect()).collect()
        };
        assert_eq!(ids(THREE), [vec!["a", "c"], vec!["b"]]);
        // The last one makes one group of two.
        let joined =
            format!("{THREE}[[cameras]]\nid = \"d\"\nurl = \"rtsp://192.0.2.2/\"\nmain = \"rtsp://192.0.2.1/sub\"\n");
        assert_eq!(ids(&joined), [["a", "c", "b", "d"]]);
        assert_eq!(ids(""), [] as [Vec<String>; 0]);
    }

    #[test]
    fn a_session_goes_on_unless_something_changed_that_it_goes_by() {
        let of = |toml: &str| settings(&cameras(toml).iter().collect::<Vec<_>>());
        let zone = "zones = [{ id = \"z\", polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]] }]\n";
        assert_eq!(of(THREE), of(&format!("{THREE}{zone}name = \"x\"\nplace = [106.0, 29.0]\n")));
        let mask = "masks = [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]]\n";
        for change in [mask, "transport = \"udp\"\n", &zone.replace(" }]", ", important = true }]")] {
            assert_ne!(of(THREE), of(&format!("{THREE}{change}")), "{change}");
        }
    }
}
