//! Knows a message that a broker delivers again although its effects are committed. Pure.
//!
//! After a crash between commit and acknowledgement the broker redelivers what it holds unacknowledged: at most one
//! window of messages per session, with the packet identifiers they had. The marks (packet identifier and hash of
//! topic and payload) of the last window are committed together with the effects, so that a redelivered message is
//! recognised exactly, whether or not its payload has a time. Clients of a listener have a window each ([`clients`]).

mod clients;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use self::clients::Clients;
use crate::ingest::Message;
use crate::store::{Commit, SeenRow};

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

/// Windows of all brokers and listeners.
#[derive(Default)]
pub struct Seen {
    lines: HashMap<Arc<str>, Line>,
}

enum Line {
    Broker(Window),
    Listener(Clients),
}

impl Seen {
    pub fn add_broker(&mut self, broker: Arc<str>, inflight_max: usize) {
        self.lines.entry(broker).or_insert_with(|| Line::Broker(Window::new(inflight_max)));
    }

    /// `clients_max` clients are remembered.
    pub fn add_listener(&mut self, listener: Arc<str>, inflight_max: usize, clients_max: usize) {
        self.lines.entry(listener).or_insert_with(|| Line::Listener(Clients::new(inflight_max, clients_max)));
    }

    /// Marks that an earlier process committed, oldest first; those of a line that is no more are left alone.
    pub fn restore(&mut self, row: SeenRow) {
        let marks = Marks { seq: row.seq, bytes: row.marks };
        match self.lines.get_mut(&row.broker) {
            Some(Line::Broker(window)) => window.restore(&marks),
            Some(Line::Listener(clients)) => clients.restore(&marks),
            None => {}
        }
    }

    /// Clients of a listener that have marks.
    pub fn clients(&self, listener: &str) -> Vec<Arc<str>> {
        match self.lines.get(listener) {
            Some(Line::Listener(clients)) => clients.ids().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a message has been taken before; where not, and it may come again, it is noted.
    pub fn is_repeat(&mut self, message: &Message) -> bool {
        let receipt = message.receipt;
        if receipt.packet == 0 {
            return false;
        }
        let Some(line) = self.lines.get_mut(&message.broker) else { return false };
        let hash = hash(&message.topic, &message.payload);
        match (line, &message.client) {
            (Line::Broker(window), _) => {
                let is_repeat = receipt.redelivered && window.is_repeat(receipt.packet, hash);
                if !is_repeat {
                    window.note(receipt.packet, hash);
                }
                is_repeat
            }
            (Line::Listener(clients), Some(client)) => clients.is_repeat(client, receipt, hash),
            (Line::Listener(_), None) => false,
        }
    }

    /// Adds the marks of this batch to its commit.
    pub fn take(&mut self, commit: &mut Commit) {
        for (id, line) in &mut self.lines {
            let taken = match line {
                Line::Broker(window) => window.take(),
                Line::Listener(clients) => clients.take(),
            };
            if let Some((Marks { seq, bytes: marks }, from)) = taken {
                commit.seen.push(SeenRow { broker: id.clone(), seq, marks });
                commit.seen_from.push((id.clone(), from));
            }
        }
    }
}

/// Packet identifier and hash.
fn mark_of(bytes: &[u8]) -> (u16, u64) {
    let (packet, hash) = bytes.split_at(2);
    (u16::from_be_bytes([packet[0], packet[1]]), hash.iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte)))
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
            let (packet, hash) = mark_of(mark);
            self.mark(packet, hash);
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
