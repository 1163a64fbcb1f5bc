//! A decode thread, and the one that replaces it: a decoder that hangs costs one camera a picture, and no other anything.
//! Knows nothing of what an eye does with a unit.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, setpriority_process};
use rustix::thread::{CpuSet, gettid, sched_getaffinity, sched_setaffinity};
use tracing::{error, warn};

use super::queue::{Queue, Work};
use super::spare::Spare;
use super::throttle::Throttle;

/// Decoding one unit takes milliseconds, on a machine that is far too slow a second.
const DECODE_LIMIT: Duration = Duration::from_secs(10);

/// Threads of a lane that are left to hang: nothing can end them, and their memory is lost until a restart. All of them
/// together get what one core has left over ([`Timer::set_aside`]).
const HUNG_MAX: u32 = 4;

/// The least that Linux gives a thread.
const NICE_MAX: i32 = 19;

/// A camera whose units have hung a thread so often is not decoded any more.
const HANGS_MAX: u32 = 2;

/// Whoever looks at one camera's units.
pub(super) trait Look: Send + 'static {
    fn look(&mut self, work: &Work, spare: &mut Spare);
    /// After a panic in it.
    fn reset(&mut self);
}

/// What a thread has been decoding, and since when.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    stuck: Mutex<Option<(Instant, usize)>>,
    /// The thread, once it runs.
    thread: OnceLock<Pid>,
}

impl Timer {
    /// Decodes something of `camera`.
    pub(crate) fn time<T>(&self, camera: usize, decode: impl FnOnce() -> T) -> T {
        *self.lock() = Some((Instant::now(), camera));
        let decoded = decode();
        *self.lock() = None;
        decoded
    }

    /// Leaves a thread that hangs what others do not want of one core, the same for all that hang. A system that refuses is
    /// told of: then the thread may burn a core of its own.
    fn set_aside(&self) {
        let thread = self.thread.get().copied();
        let least = setpriority_process(thread, NICE_MAX);
        let one = sched_getaffinity(thread).and_then(|allowed| {
            let mut one = CpuSet::new();
            if let Some(core) = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core)) {
                one.set(core);
            }
            sched_setaffinity(thread, &one)
        });
        if let Err(cause) = least.and(one) {
            warn!(%cause, "a thread that hangs keeps its share of the cores");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Instant, usize)>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a new eye for a camera; none where it is no more.
type Fresh<L> = Box<dyn Fn(usize) -> Option<L> + Send + Sync>;

pub(super) struct Lane<L> {
    name: String,
    queue: Arc<Queue>,
    /// Share of a core.
    share: f64,
    fresh: Fresh<L>,
    /// Of each camera that is pinned here; nothing in the place of the one that is being looked through.
    eyes: Mutex<HashMap<usize, Option<L>>>,
    thread: Mutex<Thread>,
}

struct Thread {
    timer: Arc<Timer>,
    handle: Option<JoinHandle<()>>,
    n_hung: u32,
    /// By camera.
    hangs: HashMap<usize, u32>,
}

impl<L: Look> Lane<L> {
    pub(super) fn new(name: String, queue: Arc<Queue>, share: f64, fresh: Fresh<L>) -> Arc<Self> {
        let thread = Thread { timer: Arc::default(), handle: None, n_hung: 0, hangs: HashMap::new() };
        Arc::new(Lane { name, queue, share, fresh, eyes: Mutex::default(), thread: Mutex::new(thread) })
    }

    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Looks at what comes of a camera from now on.
    pub(super) fn admit(&self, camera: usize) {
        self.eyes().insert(camera, (self.fresh)(camera));
    }

    /// What is still in line of a camera is passed over.
    pub(super) fn dismiss(&self, camera: usize) {
        self.eyes().remove(&camera);
        self.thread().hangs.remove(&camera);
    }

    /// Starts a thread, in place of the one before. Errors where the system has none left.
    pub(super) fn start(self: &Arc<Self>) -> std::io::Result<()> {
        let (lane, timer) = (self.clone(), Arc::<Timer>::default());
        let mut thread = self.thread();
        let builder = std::thread::Builder::new().name(self.name.clone());
        let own = timer.clone();
        thread.handle = Some(builder.spawn(move || lane.work(&own))?);
        thread.timer = timer;
        Ok(())
    }

    /// Replaces the thread if it has been decoding one unit for too long. The camera of that unit gets a new eye.
    pub(super) fn check(self: &Arc<Self>, now: Instant) {
        let mut thread = self.thread();
        let stuck = *thread.timer.lock();
        let Some((since, camera)) = stuck.filter(|(since, _)| now.duration_since(*since) > DECODE_LIMIT) else {
            return;
        };
        if thread.n_hung >= HUNG_MAX {
            return;
        }
        thread.n_hung += 1;
        let hangs = thread.hangs.entry(camera).or_default();
        *hangs += 1;
        let is_given_up = *hangs >= HANGS_MAX;
        let took_s = now.duration_since(since).as_secs();
        error!(thread = self.name, camera, took_s, is_given_up, "decoder hangs: its thread is replaced");
        thread.timer.set_aside();
        if !is_given_up && let Some(place) = self.eyes().get_mut(&camera) {
            *place = (self.fresh)(camera);
        }
        drop(thread);
        if let Err(cause) = self.start() {
            error!(thread = self.name, %cause, "no thread in its place");
        }
    }

    /// After the queue was closed: waits for the thread to end, unless it hangs.
    pub(super) fn join(&self) {
        let (handle, timer) = {
            let mut thread = self.thread();
            (thread.handle.take(), thread.timer.clone())
        };
        let is_stuck = timer.lock().is_some_and(|(since, _)| since.elapsed() > DECODE_LIMIT);
        if let Some(handle) = handle.filter(|_| !is_stuck) {
            // A panic was caught and told inside.
            drop(handle.join());
        }
    }

    fn work(&self, timer: &Arc<Timer>) {
        let _ = timer.thread.set(gettid());
        let (mut spare, mut throttle) = (Spare::new(timer.clone()), Throttle::new(self.share));
        let mut idle_since = Instant::now();
        while let Some(work) = self.queue.take() {
            let begun = Instant::now();
            throttle.rested(begun.duration_since(idle_since));
            let Some(mut eye) = self.eyes().get_mut(&work.camera).and_then(Option::take) else { continue };
            // The decoders have a guard of their own; this one keeps a bug elsewhere from darkening every other camera
            // of the thread. Unwind safety: the eye's state is thrown away.
            if catch_unwind(AssertUnwindSafe(|| eye.look(&work, &mut spare))).is_err() {
                error!(camera = work.camera, "panic while looking at a picture");
                eye.reset();
            }
            if !Arc::ptr_eq(&self.thread().timer, timer) {
                // Given up on: the camera has another eye by now, and the queue another thread.
                return;
            }
            if let Some(place) = self.eyes().get_mut(&work.camera) {
                *place = Some(eye);
            }
            let pause = throttle.worked(begun.elapsed());
            if !pause.is_zero() {
                std::thread::sleep(pause);
            }
            idle_since = Instant::now();
        }
    }

    fn eyes(&self) -> MutexGuard<'_, HashMap<usize, Option<L>>> {
        self.eyes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn thread(&self) -> MutexGuard<'_, Thread> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use bytes::Bytes;

    use super::*;
    use crate::ingest::rtsp::AccessUnit;
    use crate::video::decoder::Codec;
    use crate::video::queue::Claim;

    /// Says what it sees; a unit of one byte hangs its decoder until the test lets it go.
    struct Fake {
        camera: usize,
        seen: SyncSender<(usize, u64)>,
        hung: Arc<Mutex<Receiver<()>>>,
        threads: Arc<Mutex<Vec<Pid>>>,
    }

    impl Look for Fake {
        fn look(&mut self, work: &Work, spare: &mut Spare) {
            self.seen.send((self.camera, work.number)).unwrap();
            let hangs = work.unit.data.len() == 1;
            if hangs {
                self.threads.lock().unwrap().push(gettid());
            }
            spare.timer().time(self.camera, || hangs.then(|| self.hung.lock().unwrap().recv()));
        }

        fn reset(&mut self) {}
    }

    /// Its place among those that wait for a core, and on how many it may run.
    fn standing(thread: Pid) -> (i32, usize) {
        let stat = std::fs::read_to_string(format!("/proc/self/task/{}/stat", thread.as_raw_nonzero())).unwrap();
        let nice = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().parse().unwrap();
        (nice, sched_getaffinity(Some(thread)).unwrap().count() as usize)
    }

    fn work(camera: usize, number: u64, len: usize) -> Work {
        let data = Bytes::from(vec![0; len]);
        let unit =
            AccessUnit { codec: Codec::H264, data, key: true, size: None, loss: 0, received_ms: 0, media_ms: None };
        let (active, sparse, important) = (true, false, false);
        Work { camera, number, session: 1, claim: Claim::Must, chain: false, active, sparse, important, unit }
    }

    #[tokio::test]
    async fn a_decoder_that_hangs_costs_its_camera_one_picture_and_twice_the_camera() {
        let (seen, seeing) = sync_channel(16);
        let (_letting_go, hung) = sync_channel(1);
        let (queue, hung) = (Arc::new(Queue::new(16)), Arc::new(Mutex::new(hung)));
        let threads = Arc::<Mutex<Vec<Pid>>>::default();
        let hanging = threads.clone();
        let fresh =
            move |camera| Some(Fake { camera, seen: seen.clone(), hung: hung.clone(), threads: threads.clone() });
        let lane = Lane::new("decode-test".into(), queue.clone(), 1.0, Box::new(fresh));
        [0, 1].into_iter().for_each(|camera| lane.admit(camera));
        lane.start().unwrap();
        let much_later = || Instant::now() + 2 * DECODE_LIMIT;
        let in_time = Duration::from_secs(60);
        let see = async |camera, number, len| {
            queue.put(work(camera, number, len)).await;
            seeing.recv_timeout(in_time).ok()
        };
        assert_eq!(see(0, 1, 9).await, Some((0, 1)));
        lane.check(much_later());
        for number in [2, 4] {
            assert_eq!(see(0, number, 1).await, Some((0, number)));
            while lane.thread().timer.lock().is_none() {
                std::thread::yield_now();
            }
            lane.check(Instant::now());
            assert_eq!(lane.thread().n_hung, number as u32 / 2 - 1, "it may still end");
            lane.check(much_later());
            assert_eq!(see(1, number + 1, 9).await, Some((1, number + 1)), "the other camera's turn");
            assert_eq!(standing(*hanging.lock().unwrap().last().unwrap()), (NICE_MAX, 1), "it is in nobody's way");
        }
        // Given up: its units are passed over, and what comes behind them is not.
        queue.put(work(0, 6, 9)).await;
        assert_eq!(see(1, 7, 9).await, Some((1, 7)));
        // Taken out of the configuration, and in again.
        lane.dismiss(1);
        queue.put(work(1, 8, 9)).await;
        lane.admit(2);
        assert_eq!(see(2, 9, 9).await, Some((2, 9)));
        lane.admit(1);
        assert_eq!(see(1, 10, 9).await, Some((1, 10)));
        queue.close();
        lane.join();
    }
}
