//! Which messages of a connection await acknowledgement, in the order in which they came. MQTT 4.6 wants
//! acknowledgements in that order, and a packet identifier means another message on another connection.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;

use super::SessionCounters;
use crate::ingest::Receipt;

/// Packet identifiers are 16 bits and each is here at most once: this is the bound.
const PACKETS_MAX: usize = u16::MAX as usize;

#[derive(Debug)]
struct Entry {
    packet: u16,
    done: bool,
}

#[derive(Debug)]
struct Ledger {
    /// 0 between connections.
    epoch: u32,
    outstanding: VecDeque<Entry>,
    /// Sequence number of the first of `outstanding`, wrapping.
    first: u32,
    /// Sequence number that each packet identifier had last; checked against the entry it leads to.
    place: Box<[u32]>,
}

impl Ledger {
    fn entry(&mut self, packet: u16) -> Option<&mut Entry> {
        let index = self.place[usize::from(packet)].wrapping_sub(self.first) as usize;
        self.outstanding.get_mut(index).filter(|entry| entry.packet == packet)
    }

    fn front_is_done(&self) -> bool {
        self.outstanding.front().is_some_and(|entry| entry.done)
    }
}

/// Shared by a session and those who acknowledge.
#[derive(Debug)]
pub(super) struct Lane {
    ledger: Mutex<Ledger>,
    raised: AtomicBool,
    /// Nobody is left who could acknowledge.
    abandoned: AtomicBool,
    waker: AtomicWaker,
    counters: Arc<SessionCounters>,
}

impl Lane {
    pub(super) fn new(counters: Arc<SessionCounters>) -> Self {
        let ledger = Ledger {
            epoch: 0,
            outstanding: VecDeque::new(),
            first: 0,
            place: vec![0; PACKETS_MAX + 1].into_boxed_slice(),
        };
        let (raised, abandoned) = (AtomicBool::new(false), AtomicBool::new(false));
        Lane { ledger: Mutex::new(ledger), raised, abandoned, waker: AtomicWaker::new(), counters }
    }

    /// A panic elsewhere leaves the ledger as good as it was: every change here is complete when the lock is let go.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A connection began (or, with 0, ended): what was received before can no longer be acknowledged.
    pub(super) fn begin(&self, epoch: u32) {
        let mut ledger = self.ledger();
        ledger.epoch = epoch;
        ledger.outstanding.clear();
        self.raised.store(false, Ordering::Release);
    }

    /// False where the broker uses an identifier that still awaits its acknowledgement.
    pub(super) fn received(&self, packet: u16) -> bool {
        let mut ledger = self.ledger();
        if ledger.entry(packet).is_some() {
            return false;
        }
        let sequence = ledger.first.wrapping_add(ledger.outstanding.len() as u32);
        ledger.place[usize::from(packet)] = sequence;
        ledger.outstanding.push_back(Entry { packet, done: false });
        true
    }

    /// Moves what may be acknowledged now, in order, to the end of `ready`.
    pub(super) fn take_ready(&self, ready: &mut Vec<u16>) {
        let mut ledger = self.ledger();
        while ledger.front_is_done() {
            ready.extend(ledger.outstanding.pop_front().map(|entry| entry.packet));
            ledger.first = ledger.first.wrapping_add(1);
        }
    }

    pub(super) fn outstanding(&self) -> usize {
        self.ledger().outstanding.len()
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Ready once something was acknowledged since the last time.
    pub(super) fn poll_raised(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.raised.swap(false, Ordering::AcqRel) {
            return Poll::Ready(());
        }
        self.waker.register(cx.waker());
        if self.raised.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
    }

    pub(super) fn acknowledge(&self, receipts: impl IntoIterator<Item = Receipt>) {
        let mut stale = 0;
        let front_is_done = {
            let mut ledger = self.ledger();
            for receipt in receipts {
                if receipt.packet == 0 {
                    continue;
                }
                if receipt.epoch != ledger.epoch {
                    stale += 1;
                    continue;
                }
                match ledger.entry(receipt.packet) {
                    Some(entry) if !entry.done => entry.done = true,
                    _ => stale += 1,
                }
            }
            ledger.front_is_done()
        };
        self.counters.stale_acks.fetch_add(stale, Ordering::Relaxed);
        if front_is_done {
            self.raise();
        }
    }
}

/// Acknowledges messages of one session. Never waits, from any thread; what it holds is bounded by the identifiers
/// that the broker has given out.
#[derive(Debug, Clone)]
pub struct AckSender {
    holder: Arc<Holder>,
}

#[derive(Debug)]
struct Holder {
    lane: Arc<Lane>,
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.lane.abandoned.store(true, Ordering::Release);
        self.lane.raise();
    }
}

impl AckSender {
    pub(super) fn new(lane: Arc<Lane>) -> Self {
        AckSender { holder: Arc::new(Holder { lane }) }
    }

    /// In any order: the session sends acknowledgements in the order of receipt, each as soon as all before it are
    /// here. A receipt of an earlier connection is dropped and counted: the broker will send that message again.
    pub fn acknowledge(&self, receipts: &[Receipt]) {
        self.holder.lane.acknowledge(receipts.iter().copied());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ingest::Quality;

    fn receipt(epoch: u32, packet: u16) -> Receipt {
        Receipt { epoch, packet, quality: Quality::AtLeastOnce, redelivered: false, n_bytes: 0 }
    }

    fn ready(lane: &Lane) -> Vec<u16> {
        let mut ready = Vec::new();
        lane.take_ready(&mut ready);
        ready
    }

    #[test]
    fn an_acknowledgement_waits_for_those_before_it() {
        let lane = Lane::new(Arc::default());
        lane.begin(1);
        assert!([7, 3, 9].into_iter().all(|packet| lane.received(packet)));
        lane.acknowledge([receipt(1, 9), receipt(1, 3)]);
        assert_eq!(ready(&lane), [0u16; 0]);
        lane.acknowledge([receipt(1, 7)]);
        assert_eq!(ready(&lane), [7, 3, 9]);
        assert_eq!(lane.outstanding(), 0);
    }

    #[test]
    fn a_receipt_of_an_earlier_connection_acknowledges_nothing() {
        let counters = Arc::new(SessionCounters::default());
        let lane = Lane::new(Arc::clone(&counters));
        lane.begin(1);
        assert!(lane.received(1));
        lane.begin(2);
        assert!(lane.received(1));
        lane.acknowledge([receipt(1, 1)]);
        assert_eq!(ready(&lane), [0u16; 0]);
        assert_eq!(counters.stale_acks.load(Ordering::Relaxed), 1);
        lane.acknowledge([receipt(2, 1)]);
        assert_eq!(ready(&lane), [1]);
    }

    #[test]
    fn an_identifier_in_use_is_refused_and_free_again_after_its_acknowledgement() {
        let lane = Lane::new(Arc::default());
        lane.begin(1);
        assert!(lane.received(5));
        assert!(!lane.received(5));
        lane.acknowledge([receipt(1, 5), receipt(1, 5)]);
        assert_eq!(ready(&lane), [5]);
        assert!(lane.received(5));
    }

    #[test]
    fn the_last_acknowledger_that_goes_is_noticed() {
        let lane = Arc::new(Lane::new(Arc::default()));
        let first = AckSender::new(Arc::clone(&lane));
        let second = first.clone();
        drop(first);
        assert!(!lane.is_abandoned());
        drop(second);
        assert!(lane.is_abandoned());
    }

    proptest! {
        #[test]
        fn any_order_of_acknowledgement_leaves_in_the_order_of_receipt(
            rounds in prop::collection::vec(prop::collection::vec(any::<u16>(), 1..40), 1..8)
        ) {
            let lane = Lane::new(Arc::default());
            lane.begin(1);
            for shuffle in rounds {
                let packets: Vec<u16> = (1..=shuffle.len() as u16).collect();
                packets.iter().for_each(|packet| assert!(lane.received(*packet)));
                let mut order = packets.clone();
                order.sort_by_key(|packet| shuffle[usize::from(*packet) - 1]);
                let mut sent = Vec::new();
                for packet in order {
                    lane.acknowledge([receipt(1, packet)]);
                    lane.take_ready(&mut sent);
                }
                prop_assert_eq!(sent, packets);
            }
        }
    }
}
