//! What the clients of a listener may still send again: a window of marks for each. Pure.
//!
//! A client hands out its packet identifiers as it likes, and a small device begins at 1 again and again. Hence a mark
//! counts for as long as its identifier was not used anew, within the last `inflight_max` messages of its client: it cannot
//! have more unacknowledged. A client that begins a new session (clean start) has by the standard forgotten what it sent,
//! yet most small ones send it again, marked as such: for the first connection of a new session the marks of the one
//! before still count, and for no later one.
//!
//! The store gets a log: each commit adds a row of the marks that it noted. Once the log has grown beyond what is worth
//! keeping, a row with all windows takes its place.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::{MARK_BYTES, Marks};
use crate::ingest::{Client, Receipt};

/// Marks in the log below which it is not replaced.
const LOG_MARKS_MIN: usize = 1 << 16;

/// Marks of one client in a row of the log.
const GROUP_MARKS_MAX: usize = u16::MAX as usize;

#[derive(Default)]
struct Window {
    /// Packet identifier and hash, oldest first.
    marks: VecDeque<(u16, u64)>,
    /// Connection that noted the last of them, 0 for one of an earlier process.
    connection: u32,
    /// Of `marks`: those of that connection.
    n_of_connection: usize,
    /// When it last noted one, in notes of all clients.
    noted_at: u64,
}

pub(super) struct Clients {
    windows: HashMap<Arc<str>, Window>,
    inflight_max: usize,
    clients_max: usize,
    n_noted: u64,
    /// Marks in all windows.
    n_marks: usize,
    pending: Log,
    /// Marks in the rows that the store holds.
    n_stored: usize,
    /// First row that is still needed.
    from: i64,
    next_seq: i64,
    /// The next row is to hold all windows: the log is not written.
    is_full: bool,
}

/// Groups of a client's marks: length and text of its identifier, number of marks, marks.
#[derive(Default)]
struct Log {
    bytes: Vec<u8>,
    n_marks: usize,
    client: Option<Arc<str>>,
    /// Where the number of marks of the last group stands, and what it is.
    at: usize,
    n_in_group: usize,
}

impl Log {
    fn push(&mut self, client: &Arc<str>, packet: u16, hash: u64) {
        let is_same = self.client.as_ref().is_some_and(|last| Arc::ptr_eq(last, client) || last == client);
        if !is_same || self.n_in_group == GROUP_MARKS_MAX {
            self.bytes.extend_from_slice(&(client.len() as u16).to_be_bytes());
            self.bytes.extend_from_slice(client.as_bytes());
            (self.at, self.n_in_group) = (self.bytes.len(), 0);
            self.bytes.extend_from_slice(&[0; 2]);
            self.client = Some(client.clone());
        }
        self.n_in_group += 1;
        self.n_marks += 1;
        self.bytes[self.at..self.at + 2].copy_from_slice(&(self.n_in_group as u16).to_be_bytes());
        self.bytes.extend_from_slice(&packet.to_be_bytes());
        self.bytes.extend_from_slice(&hash.to_be_bytes());
    }

    fn take(&mut self) -> (Vec<u8>, usize) {
        let Log { bytes, n_marks, .. } = std::mem::take(self);
        (bytes, n_marks)
    }
}

impl Clients {
    pub(super) fn new(inflight_max: usize, clients_max: usize) -> Self {
        Clients {
            windows: HashMap::new(),
            inflight_max,
            clients_max,
            n_noted: 0,
            n_marks: 0,
            pending: Log::default(),
            n_stored: 0,
            from: 0,
            next_seq: 0,
            is_full: false,
        }
    }

    /// Whether the message has been taken before. Notes it.
    pub(super) fn is_repeat(&mut self, client: &Client, receipt: Receipt, hash: u64) -> bool {
        self.n_noted += 1;
        if !self.windows.contains_key(&client.id) {
            self.windows.insert(client.id.clone(), Window::default());
        }
        let window = self.windows.get_mut(&client.id).expect("it was just inserted where it was not there");
        if window.connection != receipt.epoch {
            if client.is_new {
                // Only what the connection before noted may come again.
                let n_older = window.marks.len() - window.n_of_connection;
                window.marks.drain(..n_older);
                self.n_marks -= n_older;
            }
            (window.connection, window.n_of_connection) = (receipt.epoch, 0);
        }
        window.noted_at = self.n_noted;
        let is_repeat = receipt.redelivered && {
            let last = window.marks.iter().rev().find(|(packet, _)| *packet == receipt.packet);
            last.is_some_and(|(_, known)| *known == hash)
        };
        // A repeat is noted as well: it may come yet again, on the next connection.
        window.marks.push_back((receipt.packet, hash));
        window.n_of_connection = (window.n_of_connection + 1).min(self.inflight_max);
        self.n_marks += 1;
        if window.marks.len() > self.inflight_max {
            window.marks.pop_front();
            self.n_marks -= 1;
        }
        if !self.is_full {
            self.pending.push(&client.id, receipt.packet, hash);
            let n_logged = self.n_stored + self.pending.n_marks;
            let is_long = n_logged > LOG_MARKS_MIN.max(2 * self.n_marks);
            if is_long || self.windows.len() > 2 * self.clients_max {
                self.is_full = true;
                self.pending.take();
            }
        }
        is_repeat
    }

    /// Marks to commit, and the sequence number before which older rows may go.
    pub(super) fn take(&mut self) -> Option<(Marks, i64)> {
        let (bytes, n_marks) = if self.is_full { self.all() } else { self.pending.take() };
        if n_marks == 0 {
            return None;
        }
        let seq = self.next_seq;
        self.next_seq += 1;
        if std::mem::take(&mut self.is_full) {
            (self.n_stored, self.from) = (0, seq);
        }
        self.n_stored += n_marks;
        Some((Marks { seq, bytes }, self.from))
    }

    /// All windows; those of clients that were heard least recently go, where there are too many.
    fn all(&mut self) -> (Vec<u8>, usize) {
        if self.windows.len() > self.clients_max {
            let mut heard: Vec<u64> = self.windows.values().map(|window| window.noted_at).collect();
            let n_over = heard.len() - self.clients_max;
            let (_, least, _) = heard.select_nth_unstable(n_over);
            let least = *least;
            self.windows.retain(|_, window| window.noted_at >= least);
            self.n_marks = self.windows.values().map(|window| window.marks.len()).sum();
        }
        let mut log = Log::default();
        for (client, window) in &self.windows {
            window.marks.iter().for_each(|(packet, hash)| log.push(client, *packet, *hash));
        }
        log.take()
    }

    /// Marks that an earlier process committed, oldest first.
    pub(super) fn restore(&mut self, marks: &Marks) {
        let mut rest = marks.bytes.as_slice();
        while let Some((client, group, after)) = next_group(rest) {
            self.n_noted += 1;
            let window = self.windows.entry(client.into()).or_default();
            window.noted_at = self.n_noted;
            for mark in group.chunks_exact(MARK_BYTES) {
                let (packet, hash) = super::mark_of(mark);
                window.marks.push_back((packet, hash));
                self.n_stored += 1;
            }
            let n_over = window.marks.len().saturating_sub(self.inflight_max);
            window.marks.drain(..n_over);
            window.n_of_connection = window.marks.len();
            rest = after;
        }
        self.n_marks = self.windows.values().map(|window| window.marks.len()).sum();
        if self.next_seq == 0 {
            self.from = marks.seq;
        }
        self.next_seq = self.next_seq.max(marks.seq + 1);
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.windows.keys()
    }
}

fn next_group(bytes: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (client, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (n_marks, rest) = rest.split_first_chunk::<2>()?;
    let (group, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*n_marks)) * MARK_BYTES)?;
    Some((std::str::from_utf8(client).ok()?, group, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::Quality;

    fn client(id: &str, is_new: bool) -> Client {
        Client { id: id.into(), is_new }
    }

    fn sent(connection: u32, packet: u16, redelivered: bool) -> Receipt {
        Receipt { epoch: connection, packet, quality: Quality::AtLeastOnce, redelivered, n_bytes: 0 }
    }

    #[test]
    fn identifiers_of_one_client_mean_nothing_for_another() {
        let mut clients = Clients::new(8, 10);
        assert!(!clients.is_repeat(&client("a", false), sent(1, 1, false), 7));
        assert!(!clients.is_repeat(&client("b", false), sent(2, 1, true), 7));
        assert!(clients.is_repeat(&client("a", false), sent(3, 1, true), 7));
        assert!(!clients.is_repeat(&client("a", false), sent(3, 1, true), 8), "another message");
    }

    #[test]
    fn an_identifier_used_anew_forgets_what_it_meant() {
        let mut clients = Clients::new(8, 10);
        let a = client("a", false);
        assert!(!clients.is_repeat(&a, sent(1, 1, false), 7));
        assert!(!clients.is_repeat(&a, sent(1, 1, false), 8));
        assert!(!clients.is_repeat(&a, sent(2, 1, true), 7));
    }

    #[test]
    fn a_new_session_still_knows_the_connection_before_and_none_earlier() {
        let mut clients = Clients::new(8, 10);
        assert!(!clients.is_repeat(&client("a", true), sent(1, 1, false), 7));
        assert!(!clients.is_repeat(&client("a", true), sent(1, 2, false), 8));
        assert!(clients.is_repeat(&client("a", true), sent(2, 1, true), 7), "sent again at once");
        assert!(clients.is_repeat(&client("a", true), sent(3, 1, true), 7), "and again");
        assert!(!clients.is_repeat(&client("a", true), sent(3, 2, true), 8), "of two sessions ago");
    }

    #[test]
    fn windows_come_back_from_their_rows_whole_and_rows_do_not_pile_up() {
        let mut clients = Clients::new(50, 3);
        let mut rows: Vec<Marks> = Vec::new();
        let ids = ["a", "b", "c"].map(|id| client(id, false));
        for n in 0..200_000u64 {
            let packet = (n / 3 % 60_000) as u16 + 1;
            assert!(!clients.is_repeat(&ids[(n % 3) as usize], sent(1, packet, false), n + 1));
            if n % 7 == 0 {
                let (marks, from) = clients.take().unwrap();
                rows.push(marks);
                rows.retain(|row| row.seq >= from);
            }
        }
        if let Some((marks, from)) = clients.take() {
            rows.push(marks);
            rows.retain(|row| row.seq >= from);
        }
        assert!(rows.iter().map(|row| row.bytes.len()).sum::<usize>() < 2 * LOG_MARKS_MIN * 15, "the log is bounded");
        let mut restored = Clients::new(50, 3);
        rows.iter().for_each(|row| restored.restore(row));
        assert_eq!(restored.ids().count(), 3);
        for n in 200_000 - 150..200_000u64 {
            let packet = (n / 3 % 60_000) as u16 + 1;
            assert!(restored.is_repeat(&ids[(n % 3) as usize], sent(1, packet, true), n + 1), "{n}");
        }
        assert!(restored.next_seq > rows.last().unwrap().seq);
    }

    #[test]
    fn clients_beyond_the_bound_are_forgotten_least_recent_first() {
        let mut clients = Clients::new(4, 10);
        for n in 0..1_000u32 {
            clients.is_repeat(&client(&n.to_string(), false), sent(n + 1, 1, false), 7);
            clients.take();
            assert!(clients.windows.len() <= 21);
        }
        assert!(clients.is_repeat(&client("999", false), sent(2_000, 1, true), 7));
        assert!(!clients.windows.contains_key("1"));
    }

    #[test]
    fn a_row_that_is_cut_off_is_read_as_far_as_it_goes() {
        let mut clients = Clients::new(4, 10);
        clients.is_repeat(&client("a", false), sent(1, 1, false), 7);
        clients.is_repeat(&client("b", false), sent(2, 1, false), 7);
        let (mut marks, _) = clients.take().unwrap();
        marks.bytes.pop();
        let mut restored = Clients::new(4, 10);
        restored.restore(&marks);
        assert_eq!(restored.ids().map(|id| &**id).collect::<Vec<_>>(), ["a"]);
    }
}
