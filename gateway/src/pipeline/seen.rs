//! Knows a message that a broker delivers again although its effects are committed. Pure.
//!
//! After a crash between commit and acknowledgement the broker redelivers what it holds unacknowledged: at most one
//! window of messages per session, with the packet identifiers they had. The marks (packet identifier and hash of
//! topic and payload) of the last window are committed together with the effects, so that a redelivered message is
//! recognised exactly, whether or not its payload has a time.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

const MARK_BYTES: usize = 10;

/// Brokers hand out packet identifiers in turn: a mark older than this many messages is of the last round, when the
/// identifier meant another message. No broker has half of all identifiers unacknowledged.
const MARK_AGE_MAX: u64 = 1 << 15;

/// Marks of a window, as one row of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    pub seq: i64,
    pub bytes: Vec<u8>,
}

/// What one broker's session may still send again.
pub struct Window {
    /// Hash last seen with each packet identifier (0 = none), and how many messages had been noted then.
    by_packet: Box<[(u64, u64)]>,
    n_noted: u64,
    pending: Vec<u8>,
    rows: VecDeque<(i64, usize)>,
    next_seq: i64,
    inflight_max: usize,
}

/// Windows of all brokers.
#[derive(Default)]
pub struct Seen {
    windows: HashMap<Arc<str>, Window>,
}

impl Seen {
    pub fn add_broker(&mut self, broker: Arc<str>, inflight_max: usize) {
        self.windows.entry(broker).or_insert_with(|| Window::new(inflight_max));
    }

    pub fn window(&mut self, broker: &str) -> Option<&mut Window> {
        self.windows.get_mut(broker)
    }

    pub fn windows(&mut self) -> impl Iterator<Item = (&Arc<str>, &mut Window)> {
        self.windows.iter_mut()
    }
}

impl Window {
    pub fn new(inflight_max: usize) -> Window {
        Window {
            by_packet: vec![(0, 0); 1 << 16].into(),
            n_noted: 0,
            pending: Vec::new(),
            rows: VecDeque::new(),
            next_seq: 0,
            inflight_max,
        }
    }

    /// Marks that an earlier process committed, oldest first.
    pub fn restore(&mut self, marks: &Marks) {
        for mark in marks.bytes.chunks_exact(MARK_BYTES) {
            let (packet, hash) = mark.split_at(2);
            let packet = u16::from_be_bytes([packet[0], packet[1]]);
            self.mark(packet, hash.iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte)));
        }
        self.rows.push_back((marks.seq, marks.bytes.len() / MARK_BYTES));
        self.next_seq = self.next_seq.max(marks.seq + 1);
    }

    /// Whether a message that the broker calls redelivered has been taken before.
    pub fn is_repeat(&self, packet: u16, hash: u64) -> bool {
        let (known, noted) = self.by_packet[usize::from(packet)];
        known == hash && self.n_noted - noted < MARK_AGE_MAX
    }

    pub fn note(&mut self, packet: u16, hash: u64) {
        self.mark(packet, hash);
        let room = self.inflight_max.saturating_mul(MARK_BYTES);
        if self.pending.len() >= room.saturating_mul(2) {
            // Only the last window can come again.
            self.pending.drain(..self.pending.len() - room);
        }
        self.pending.extend_from_slice(&packet.to_be_bytes());
        self.pending.extend_from_slice(&hash.to_be_bytes());
    }

    fn mark(&mut self, packet: u16, hash: u64) {
        self.n_noted += 1;
        self.by_packet[usize::from(packet)] = (hash, self.n_noted);
    }

    /// Marks to commit with the effects of this batch, and the sequence number before which older ones may go.
    pub fn take(&mut self) -> Option<(Marks, i64)> {
        if self.pending.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.pending);
        let seq = self.next_seq;
        self.next_seq += 1;
        self.rows.push_back((seq, bytes.len() / MARK_BYTES));
        let mut n_marks: usize = self.rows.iter().map(|(_, n)| n).sum();
        while let Some((_, n)) = self.rows.front().copied().filter(|(_, n)| n_marks - n >= self.inflight_max) {
            n_marks -= n;
            self.rows.pop_front();
        }
        let from = self.rows.front().map_or(seq, |(from, _)| *from);
        Some((Marks { seq, bytes }, from))
    }
}

/// Never 0.
pub fn hash(topic: &str, payload: &[u8]) -> u64 {
    // The topic's hash as the seed: what lies between the two cannot be shifted.
    xxh3_64_with_seed(payload, xxh3_64(topic.as_bytes())).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_restored_from_its_rows_knows_the_last_inflight_max_messages() {
        let mut window = Window::new(4);
        let mut rows: Vec<Marks> = Vec::new();
        for packet in 1..=20u16 {
            window.note(packet, hash("t", &packet.to_be_bytes()));
            if packet % 3 == 0 {
                let (marks, from) = window.take().unwrap();
                rows.push(marks);
                rows.retain(|row| row.seq >= from);
            }
        }
        let mut restored = Window::new(4);
        rows.iter().for_each(|row| restored.restore(row));
        // 18 was the last committed; 15 to 18 could still be unacknowledged.
        for packet in 15..=18u16 {
            assert!(restored.is_repeat(packet, hash("t", &packet.to_be_bytes())), "{packet}");
        }
        assert!(!restored.is_repeat(19, hash("t", &19u16.to_be_bytes())), "19 was never committed");
        assert!(!restored.is_repeat(18, hash("t", b"other")), "same packet, other message");
        assert!(rows.len() <= 3, "rows do not pile up: {}", rows.len());
    }

    #[test]
    fn an_identifier_that_comes_round_again_is_another_message_even_with_the_same_payload() {
        let mut window = Window::new(1000);
        let same = hash("pump/1", b"0");
        (1..=u16::MAX).for_each(|packet| window.note(packet, same));
        // The broker begins at 1 again; the connection breaks before 1 arrives, and 1 is sent again.
        assert!(!window.is_repeat(1, same), "this one was never here");
        assert!(window.is_repeat(u16::MAX, same) && window.is_repeat(u16::MAX - 1000, same));
    }

    #[test]
    fn marks_without_a_commit_do_not_grow_for_ever() {
        let mut window = Window::new(10);
        (0..10_000u32).for_each(|n| window.note((n % 65_535) as u16 + 1, u64::from(n) + 1));
        let (marks, _) = window.take().unwrap();
        assert!((10 * MARK_BYTES..=20 * MARK_BYTES).contains(&marks.bytes.len()), "{}", marks.bytes.len());
    }
}
