//! Access units waiting for one decode thread: bounded in number and bytes. A camera has one key frame in line at the most,
//! its newest, so that all get their turn however many there are; when full, delta frames make way, most of them those of the
//! camera that has most in line. A camera's session waits for nothing here. Knows nothing of what decoding is.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::ingest::rtsp::AccessUnit;

/// Bytes that may wait for one thread, beside the configured number of units.
const QUEUE_BYTES_MAX: usize = 64 << 20;

/// Why a unit is in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// A key frame that has to be looked at: makes way for none but the next one of its camera, which takes its place.
    Look,
    /// The same of a recording that is played as fast as it goes: never shed, and waits for room.
    Must,
    /// Sizes say that something stirs: decoded with its group, unless there is no time.
    Stir,
    /// Decoded if something moves.
    Follow,
    /// The same of such a recording.
    Wait,
}

impl Claim {
    /// Whether it makes way where there is no room.
    fn can_be_shed(self) -> bool {
        matches!(self, Claim::Stir | Claim::Follow)
    }

    /// Whether it is decoded only while something moves.
    pub(crate) fn is_conditional(self) -> bool {
        matches!(self, Claim::Follow | Claim::Wait)
    }
}

/// One unit on its way to the decoder.
#[derive(Debug)]
pub(crate) struct Work {
    /// Index of the camera.
    pub(crate) camera: usize,
    /// Counts the units of this camera: a gap tells the decoder that some were shed.
    pub(crate) number: u64,
    /// Counts the camera's sessions.
    pub(crate) session: u64,
    pub(crate) claim: Claim,
    /// The next unit must be decoded as well.
    pub(crate) chain: bool,
    /// Whether all frames of the camera are known to be due. A delta frame of another is in line because what came before it
    /// may yet turn out to show movement: the first to make way.
    pub(crate) active: bool,
    /// Whether the camera's key frames are too far apart to look at them alone.
    pub(crate) sparse: bool,
    /// Whether the camera watches a fence that is marked important.
    pub(crate) important: bool,
    pub(crate) unit: AccessUnit,
}

impl Work {
    fn is_speculative(&self) -> bool {
        self.claim == Claim::Follow && !self.active
    }
}

/// Units that found no room, all of one camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shed {
    pub(crate) camera: usize,
    /// Claimed as [`Claim::Look`] or [`Claim::Stir`]: these were due.
    pub(crate) n_due: u64,
    /// Claimed as [`Claim::Follow`]: these were due if something moved.
    pub(crate) n_follow: u64,
}

impl Shed {
    fn none(camera: usize) -> Self {
        Shed { camera, n_due: 0, n_follow: 0 }
    }

    fn add(&mut self, claim: Claim) {
        match claim {
            Claim::Must | Claim::Wait => {}
            Claim::Look | Claim::Stir => self.n_due += 1,
            Claim::Follow => self.n_follow += 1,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    /// Told when there is room again, or never will be.
    room: Notify,
    units_max: usize,
}

#[derive(Debug)]
struct Waiting {
    units: VecDeque<Work>,
    bytes: usize,
    /// Of the units those claimed as [`Claim::Look`].
    n_looks: usize,
    closed: bool,
}

impl Waiting {
    /// The camera whose delta frames make way: not an important one while others can, and of those the one that has most
    /// in line, `next` included, so that all cameras on which something moves get the same. None where nothing can make way.
    fn greediest(&self, next: &Work) -> Option<usize> {
        // A queue has some hundred units: few enough to count them whenever it is full.
        let mut counts: Vec<(usize, (bool, bool, u32))> = Vec::new();
        for work in self.units.iter().chain([next]).filter(|work| work.claim.can_be_shed()) {
            match counts.iter_mut().find(|(camera, _)| *camera == work.camera) {
                Some((_, (speculative, _, n))) => (*speculative, *n) = (*speculative && work.is_speculative(), *n + 1),
                None => counts.push((work.camera, (work.is_speculative(), !work.important, 1))),
            }
        }
        counts.iter().max_by_key(|(_, claim)| *claim).map(|(camera, _)| *camera)
    }

    /// Puts a key frame in the place of the one before it of the same camera, and in that of what followed; gives it back
    /// where none waits.
    fn replace(&mut self, next: Work) -> Result<Shed, Work> {
        let is_older = |work: &Work| work.camera == next.camera && work.claim == Claim::Look;
        let Some(at) = (self.n_looks > 0).then(|| self.units.iter().position(is_older)).flatten() else {
            return Err(next);
        };
        let (mut shed, mut bytes, mut place) = (Shed::none(next.camera), 0, 0);
        self.units.retain(|work| {
            let goes = place > at && work.camera == next.camera && work.claim.can_be_shed();
            place += 1;
            if goes {
                shed.add(work.claim);
                bytes += work.unit.data.len();
            }
            !goes
        });
        shed.add(Claim::Look);
        self.bytes = self.bytes + next.unit.data.len() - bytes - self.units[at].unit.data.len();
        self.units[at] = next;
        Ok(shed)
    }

    /// Takes a camera's delta frames out of the line: without the first of them the others cannot be decoded.
    fn shed(&mut self, camera: usize) -> Shed {
        let (mut shed, mut bytes) = (Shed::none(camera), 0);
        self.units.retain(|work| {
            let goes = work.camera == camera && work.claim.can_be_shed();
            if goes {
                shed.add(work.claim);
                bytes += work.unit.data.len();
            }
            !goes
        });
        self.bytes -= bytes;
        shed
    }
}

/// What became of a unit that was offered.
#[derive(Debug)]
enum Offer {
    Taken(Option<Shed>),
    Full(Work),
}

impl Queue {
    pub(crate) fn new(units_max: usize) -> Self {
        let waiting = Waiting { units: VecDeque::new(), bytes: 0, n_looks: 0, closed: false };
        Queue { waiting: Mutex::new(waiting), filled: Condvar::new(), room: Notify::new(), units_max: units_max.max(2) }
    }

    /// Puts a unit in line, waiting for room where it is a recording's. Returns what was shed for want of room or time, which
    /// may be the unit itself.
    pub(crate) async fn put(&self, mut work: Work) -> Option<Shed> {
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            match self.offer(work) {
                Offer::Taken(shed) => return shed,
                Offer::Full(back) => work = back,
            }
            room.await;
        }
    }

    /// The next unit; `None` once closed. Blocks.
    pub(crate) fn take(&self) -> Option<Work> {
        let mut waiting = self.lock();
        loop {
            if waiting.closed {
                return None;
            }
            if let Some(work) = waiting.units.pop_front() {
                waiting.bytes -= work.unit.data.len();
                waiting.n_looks -= usize::from(work.claim == Claim::Look);
                drop(waiting);
                self.room.notify_waiters();
                return Some(work);
            }
            waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    #[cfg(test)]
    pub(crate) fn try_take(&self) -> Option<Work> {
        let mut waiting = self.lock();
        let work = waiting.units.pop_front()?;
        waiting.n_looks -= usize::from(work.claim == Claim::Look);
        Some(work)
    }

    /// Forgets what waits and ends the thread.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.units.clear();
        (waiting.bytes, waiting.n_looks) = (0, 0);
        drop(waiting);
        self.filled.notify_all();
        self.room.notify_waiters();
    }

    fn offer(&self, mut work: Work) -> Offer {
        let mut waiting = self.lock();
        if waiting.closed {
            // Nobody decodes any more, and nobody misses it.
            return Offer::Taken(None);
        }
        let mut shed: Option<Shed> = None;
        if work.claim == Claim::Look {
            match waiting.replace(work) {
                Ok(shed) => return Offer::Taken(Some(shed)),
                Err(first) => work = first,
            }
        }
        let (len, is_look) = (work.unit.data.len(), work.claim == Claim::Look);
        // Key frames need no room beyond their bytes: there is one for each camera.
        let is_full = |waiting: &Waiting| {
            let n_others = waiting.units.len() - waiting.n_looks;
            (!is_look && n_others >= self.units_max) || waiting.bytes + len > QUEUE_BYTES_MAX.max(len)
        };
        while is_full(&waiting) {
            let greediest = if work.is_speculative() { Some(work.camera) } else { waiting.greediest(&work) };
            if greediest.is_none() && !is_look {
                return Offer::Full(work);
            }
            let Some(camera) = greediest.filter(|camera| *camera != work.camera || !work.claim.can_be_shed()) else {
                // What waits of it can still be decoded, this one and those that need it can not.
                let mut own = Shed::none(work.camera);
                own.add(work.claim);
                return Offer::Taken(Some(own));
            };
            // One camera's share is room enough for a unit, unless that is larger than many: then the last one is told of.
            shed = Some(waiting.shed(camera));
        }
        waiting.bytes += len;
        waiting.n_looks += usize::from(is_look);
        waiting.units.push_back(work);
        drop(waiting);
        self.filled.notify_one();
        Offer::Taken(shed)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // The lock guards nothing that a panic could leave half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::video::decoder::Codec;

    fn work(camera: usize, number: u64, claim: Claim) -> Work {
        let data = Bytes::from_static(&[0; 100]);
        let key = matches!(claim, Claim::Look | Claim::Must);
        let unit = AccessUnit { codec: Codec::H264, data, key, size: None, loss: 0, received_ms: 0, media_ms: None };
        let (active, important) = (true, camera == 9);
        Work { camera, number, session: 1, claim, chain: false, active, sparse: false, important, unit }
    }

    const fn shed(camera: usize, n_due: u64, n_follow: u64) -> Option<Shed> {
        Some(Shed { camera, n_due, n_follow })
    }

    #[tokio::test]
    async fn key_frames_displace_the_delta_frames_of_the_camera_that_has_most() {
        use Claim::{Follow, Look};
        let queue = Queue::new(3);
        for (camera, number, claim) in [(0, 0, Look), (1, 1, Follow), (0, 2, Follow), (2, 3, Look), (0, 4, Follow)] {
            assert_eq!(queue.put(work(camera, number, claim)).await, None);
        }
        assert_eq!(queue.put(work(0, 5, Follow)).await, shed(0, 0, 1), "its own share is used up");
        assert_eq!(queue.put(work(3, 6, Look)).await, None, "a key frame needs no room of others");
        assert_eq!(queue.put(work(3, 7, Follow)).await, shed(0, 0, 2), "a delta frame takes that of the greediest");
        let order: Vec<u64> = (0..5).map(|_| queue.take().unwrap().number).collect();
        assert_eq!(order, [0, 1, 3, 6, 7]);
    }

    #[tokio::test]
    async fn a_camera_has_its_newest_key_frame_in_line_in_the_place_of_its_first() {
        use Claim::{Follow, Look, Stir};
        let queue = Queue::new(8);
        for (camera, number, claim) in
            [(0, 0, Follow), (0, 1, Look), (1, 1, Look), (0, 2, Follow), (0, 3, Stir), (1, 2, Follow)]
        {
            assert_eq!(queue.put(work(camera, number, claim)).await, None);
        }
        assert_eq!(queue.put(work(0, 4, Look)).await, shed(0, 2, 1), "with what followed the one before");
        assert_eq!(queue.put(work(0, 5, Follow)).await, None);
        let order: Vec<(usize, u64)> =
            std::iter::from_fn(|| queue.try_take()).map(|work| (work.camera, work.number)).collect();
        assert_eq!(order, [(0, 0), (0, 4), (1, 1), (1, 2), (0, 5)]);
        assert_eq!(queue.put(work(0, 6, Look)).await, None, "none of it waits any more");
    }

    #[tokio::test]
    async fn what_may_yet_show_movement_makes_way_for_what_moves() {
        let queue = Queue::new(2);
        let unknown = |camera, number| Work { active: false, ..work(camera, number, Claim::Follow) };
        assert_eq!(queue.put(unknown(9, 1)).await, None);
        assert_eq!(queue.put(work(1, 1, Claim::Follow)).await, None);
        assert_eq!(queue.put(unknown(2, 1)).await, shed(2, 0, 1), "and takes no room of others");
        assert_eq!(queue.put(work(1, 2, Claim::Follow)).await, shed(9, 0, 1), "of an important camera, as well");
    }

    #[tokio::test]
    async fn key_frames_that_are_too_large_for_all_are_shed_and_nobody_waits() {
        let queue = Queue::new(2);
        let data = Bytes::from(vec![0; QUEUE_BYTES_MAX / 2 + 1]);
        let large = |camera| {
            let work = work(camera, 0, Claim::Look);
            Work { unit: AccessUnit { data: data.clone(), ..work.unit }, ..work }
        };
        assert_eq!(queue.put(large(0)).await, None);
        assert_eq!(queue.put(large(1)).await, shed(1, 1, 0));
        assert_eq!(queue.put(large(0)).await, shed(0, 1, 0), "its own room is enough");
        assert_eq!(queue.take().map(|work| work.camera), Some(0));
        assert_eq!(queue.put(large(1)).await, None);
    }

    #[tokio::test]
    async fn cameras_that_move_share_the_room_and_important_ones_go_first() {
        use Claim::{Follow, Stir};
        let queue = Queue::new(12);
        for number in 0..12 {
            assert_eq!(queue.put(work(1, number, Stir)).await, None);
        }
        assert_eq!(queue.put(work(2, 0, Follow)).await, shed(1, 12, 0), "one that floods makes way for the next");
        for number in 0..11 {
            assert_eq!(queue.put(work(9, number, Follow)).await, None);
        }
        assert_eq!(queue.put(work(9, 11, Follow)).await, shed(2, 0, 1), "an important one for no other");
        assert_eq!(queue.put(work(9, 12, Follow)).await, shed(9, 0, 1), "but for itself");
    }

    #[tokio::test]
    async fn what_may_wait_is_never_shed() {
        let queue = Arc::new(Queue::new(2));
        queue.put(work(0, 0, Claim::Wait)).await;
        queue.put(work(0, 1, Claim::Wait)).await;
        let late = tokio::spawn({
            let queue = queue.clone();
            async move { queue.put(work(0, 2, Claim::Wait)).await }
        });
        assert_eq!(
            queue.put(work(1, 0, Claim::Follow)).await,
            shed(1, 0, 1),
            "it does not make way for others, either"
        );
        let order: Vec<u64> = (0..2).map(|_| queue.take().unwrap().number).collect();
        assert_eq!((order, late.await.unwrap(), queue.take().unwrap().number), (vec![0, 1], None, 2));
    }

    #[tokio::test]
    async fn a_queue_of_a_recordings_key_frames_makes_the_next_wait_and_loses_none() {
        let queue = Arc::new(Queue::new(2));
        queue.put(work(0, 0, Claim::Must)).await;
        queue.put(work(0, 1, Claim::Must)).await;
        let late = tokio::spawn({
            let queue = queue.clone();
            async move { queue.put(work(0, 2, Claim::Must)).await }
        });
        tokio::task::yield_now().await;
        assert!(!late.is_finished());
        assert_eq!(queue.take().unwrap().number, 0);
        assert_eq!(late.await.unwrap(), None);
        assert_eq!((queue.take().unwrap().number, queue.take().unwrap().number), (1, 2));
    }

    #[tokio::test]
    async fn closing_ends_the_thread_and_lets_nobody_wait() {
        let queue = Queue::new(2);
        queue.put(work(0, 0, Claim::Look)).await;
        queue.close();
        assert!(queue.take().is_none());
        for number in 0..5 {
            assert_eq!(queue.put(work(0, number, Claim::Look)).await, None);
        }
    }
}
