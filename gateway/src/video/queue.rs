//! Access units waiting for one decode thread: bounded in number and bytes; when full, delta frames make way. Knows
//! nothing of what decoding is.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::ingest::rtsp::AccessUnit;

/// Bytes that may wait for one thread, beside the configured number of units.
const QUEUE_BYTES_MAX: usize = 64 << 20;

/// One unit on its way to the decoder.
#[derive(Debug)]
pub(crate) struct Work {
    /// Index of the camera.
    pub(crate) camera: usize,
    /// Counts the units of this camera: a gap tells the decoder that some were shed.
    pub(crate) number: u64,
    /// Counts the camera's sessions.
    pub(crate) session: u64,
    /// Must be decoded: never shed.
    pub(crate) must: bool,
    /// The next unit must be decoded as well.
    pub(crate) chain: bool,
    pub(crate) unit: AccessUnit,
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

/// What became of a unit that was offered.
#[derive(Debug)]
enum Offer {
    Taken,
    /// Taken in place of that camera's delta frame.
    TakenFor(usize),
    Shed,
    Full(Work),
}

impl Queue {
    pub(crate) fn new(units_max: usize) -> Self {
        let waiting = Waiting { units: VecDeque::new(), bytes: 0, closed: false };
        Queue { waiting: Mutex::new(waiting), filled: Condvar::new(), room: Notify::new(), units_max: units_max.max(2) }
    }

    /// Puts a unit in line, waiting for room where it must be decoded. `Some` is the camera whose delta frame was
    /// shed for want of room.
    pub(crate) async fn put(&self, mut work: Work) -> Option<usize> {
        let camera = work.camera;
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            match self.offer(work) {
                Offer::Taken => return None,
                Offer::TakenFor(other) => return Some(other),
                Offer::Shed => return Some(camera),
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
            return Offer::Taken;
        }
        let mut shed = None;
        let len = work.unit.data.len();
        while waiting.units.len() >= self.units_max || waiting.bytes + len > QUEUE_BYTES_MAX.max(len) {
            if !work.must {
                return Offer::Shed;
            }
            let Some(oldest) = waiting.units.iter().position(|other| !other.must) else {
                return if waiting.units.is_empty() { break } else { Offer::Full(work) };
            };
            if let Some(gone) = waiting.units.remove(oldest) {
                waiting.bytes -= gone.unit.data.len();
                shed = Some(gone.camera);
            }
        }
        // One camera that floods must not take all the room from those that share its thread.
        let own = || waiting.units.iter().filter(|other| other.camera == work.camera).count();
        if !work.must && waiting.units.len() >= self.units_max / 2 && own() >= self.units_max / 2 {
            return Offer::Shed;
        }
        waiting.bytes += len;
        waiting.units.push_back(work);
        drop(waiting);
        self.filled.notify_one();
        shed.map_or(Offer::Taken, Offer::TakenFor)
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

    fn work(camera: usize, number: u64, must: bool) -> Work {
        let data = Bytes::from_static(&[0; 100]);
        let unit = AccessUnit { codec: Codec::H264, data, key: must, size: None, loss: 0, received_ms: 0 };
        Work { camera, number, session: 1, must, chain: false, unit }
    }

    #[tokio::test]
    async fn key_frames_displace_the_oldest_delta_frames() {
        let queue = Queue::new(4);
        for (camera, number, must) in [(0, 0, true), (1, 1, false), (0, 2, false), (2, 3, true)] {
            assert_eq!(queue.put(work(camera, number, must)).await, None);
        }
        assert_eq!(queue.put(work(3, 4, false)).await, Some(3), "a delta frame finds no room");
        assert_eq!(queue.put(work(3, 5, true)).await, Some(1), "a key frame takes the oldest delta frame's");
        let order: Vec<u64> = (0..4).map(|_| queue.take().unwrap().number).collect();
        assert_eq!(order, [0, 2, 3, 5]);
    }

    #[tokio::test]
    async fn a_queue_of_key_frames_makes_the_next_wait_and_loses_none() {
        let queue = Arc::new(Queue::new(2));
        queue.put(work(0, 0, true)).await;
        queue.put(work(0, 1, true)).await;
        let late = tokio::spawn({
            let queue = queue.clone();
            async move { queue.put(work(0, 2, true)).await }
        });
        tokio::task::yield_now().await;
        assert!(!late.is_finished());
        assert_eq!(queue.take().unwrap().number, 0);
        assert_eq!(late.await.unwrap(), None);
        assert_eq!((queue.take().unwrap().number, queue.take().unwrap().number), (1, 2));
    }

    #[tokio::test]
    async fn a_camera_that_floods_leaves_half_of_the_room_to_the_others() {
        let queue = Queue::new(8);
        let mut shed = 0;
        for number in 0..20 {
            shed += usize::from(queue.put(work(0, number, false)).await.is_some());
        }
        assert_eq!(shed, 16);
        assert_eq!(queue.put(work(1, 0, false)).await, None);
    }

    #[tokio::test]
    async fn closing_ends_the_thread_and_lets_nobody_wait() {
        let queue = Queue::new(2);
        queue.put(work(0, 0, true)).await;
        queue.close();
        assert!(queue.take().is_none());
        for number in 0..5 {
            assert_eq!(queue.put(work(0, number, true)).await, None);
        }
    }
}
