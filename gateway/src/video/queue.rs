//! Access units waiting for one decode thread: bounded in number and bytes; when full, delta frames make way, most
//! of them those of the camera that has most in line. Knows nothing of what decoding is.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::ingest::rtsp::AccessUnit;

/// Bytes that may wait for one thread, beside the configured number of units.
const QUEUE_BYTES_MAX: usize = 64 << 20;

/// Why a unit is in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// A key frame that has to be looked at: never shed.
    Look,
    /// Sizes say that something stirs: decoded with its group, unless there is no time.
    Stir,
    /// Decoded if something moves.
    Follow,
    /// The same, and it waits for room: a recording that is played as fast as it goes.
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
    /// Whether the camera watches a fence that is marked important.
    pub(crate) important: bool,
    pub(crate) unit: AccessUnit,
}

/// Units that found no room, all of one camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shed {
    pub(crate) camera: usize,
    /// Claimed as [`Claim::Stir`]: these were due.
    pub(crate) n_stir: u64,
    /// Claimed as [`Claim::Follow`]: these were due if something moved.
    pub(crate) n_follow: u64,
}

impl Shed {
    fn none(camera: usize) -> Self {
        Shed { camera, n_stir: 0, n_follow: 0 }
    }

    fn add(&mut self, claim: Claim) {
        match claim {
            Claim::Look | Claim::Wait => {}
            Claim::Stir => self.n_stir += 1,
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
    closed: bool,
}

impl Waiting {
    /// The camera whose delta frames make way: not an important one while others can, and of those the one that has most
    /// in line, `next` included, so that all cameras on which something moves get the same. None where nothing can make way.
    fn greediest(&self, next: &Work) -> Option<usize> {
        // A queue has some hundred units: few enough to count them whenever it is full.
        let mut counts: Vec<(usize, bool, u32)> = Vec::new();
        for work in self.units.iter().chain([next]).filter(|work| work.claim.can_be_shed()) {
            match counts.iter_mut().find(|(camera, _, _)| *camera == work.camera) {
                Some((_, _, n)) => *n += 1,
                None => counts.push((work.camera, work.important, 1)),
            }
        }
        counts.iter().max_by_key(|(_, important, n)| (!important, *n)).map(|(camera, _, _)| *camera)
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
        let waiting = Waiting { units: VecDeque::new(), bytes: 0, closed: false };
        Queue { waiting: Mutex::new(waiting), filled: Condvar::new(), room: Notify::new(), units_max: units_max.max(2) }
    }

    /// Puts a unit in line, waiting for room where it must be decoded. Returns what was shed for want of room, which may
    /// be the unit itself.
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
                drop(waiting);
                self.room.notify_waiters();
                return Some(work);
            }
            waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    #[cfg(test)]
    pub(crate) fn try_take(&self) -> Option<Work> {
        self.lock().units.pop_front()
    }

    /// Forgets what waits and ends the thread.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.units.clear();
        waiting.bytes = 0;
        drop(waiting);
        self.filled.notify_all();
        self.room.notify_waiters();
    }

    fn offer(&self, work: Work) -> Offer {
        let mut waiting = self.lock();
        if waiting.closed {
            // Nobody decodes any more, and nobody misses it.
            return Offer::Taken(None);
        }
        let mut shed: Option<Shed> = None;
        let len = work.unit.data.len();
        while waiting.units.len() >= self.units_max || waiting.bytes + len > QUEUE_BYTES_MAX.max(len) {
            let Some(camera) = waiting.greediest(&work) else {
                return if waiting.units.is_empty() { break } else { Offer::Full(work) };
            };
            if camera == work.camera && work.claim.can_be_shed() {
                // What waits of it can still be decoded, this one and those that need it can not.
                let mut own = Shed::none(camera);
                own.add(work.claim);
                return Offer::Taken(Some(own));
            }
            // One camera's share is room enough for a unit, unless that is larger than many: then the last one is told of.
            shed = Some(waiting.shed(camera));
        }
        waiting.bytes += len;
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
        let key = claim == Claim::Look;
        let unit = AccessUnit { codec: Codec::H264, data, key, size: None, loss: 0, received_ms: 0, media_ms: None };
        Work { camera, number, session: 1, claim, chain: false, important: camera == 9, unit }
    }

    const fn shed(camera: usize, n_stir: u64, n_follow: u64) -> Option<Shed> {
        Some(Shed { camera, n_stir, n_follow })
    }

    #[tokio::test]
    async fn key_frames_displace_the_delta_frames_of_the_camera_that_has_most() {
        use Claim::{Follow, Look};
        let queue = Queue::new(5);
        for (camera, number, claim) in [(0, 0, Look), (1, 1, Follow), (0, 2, Follow), (2, 3, Look), (0, 4, Follow)] {
            assert_eq!(queue.put(work(camera, number, claim)).await, None);
        }
        assert_eq!(queue.put(work(0, 5, Follow)).await, shed(0, 0, 1), "its own share is used up");
        assert_eq!(queue.put(work(3, 6, Look)).await, shed(0, 0, 2), "a key frame takes the room of the greediest");
        let order: Vec<u64> = (0..4).map(|_| queue.take().unwrap().number).collect();
        assert_eq!(order, [0, 1, 3, 6]);
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
    async fn a_queue_of_key_frames_makes_the_next_wait_and_loses_none() {
        let queue = Arc::new(Queue::new(2));
        queue.put(work(0, 0, Claim::Look)).await;
        queue.put(work(0, 1, Claim::Look)).await;
        let late = tokio::spawn({
            let queue = queue.clone();
            async move { queue.put(work(0, 2, Claim::Look)).await }
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
