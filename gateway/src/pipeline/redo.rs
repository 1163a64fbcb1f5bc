//! What rules remember of readings and fixes, kept over a crash without writing each state each time: a log of the
//! observations that were remembered, committed with the batch. A state is written when its oldest entry leaves the log;
//! after a restart the states take the entries that they had not seen when they were written. Pure.

use std::collections::VecDeque;
use std::sync::Arc;

use outpost_detectors::observation::{Fact, Observation, Position, Reading};

use crate::nouns::{RedoChange, RedoRow};

/// Entries after which a state is written: bounds the log, and with it the work of a restart.
const ENTRIES_MAX: u64 = 1 << 20;

/// Rows, one per batch, after which a state is written.
const ROWS_MAX: usize = 4096;

/// A log entry as it is read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Redone {
    pub seq: u64,
    pub rule: Arc<str>,
    pub observation: Observation,
}

/// A row that this version did not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a row of remembered observations ends in the middle of an entry, or has one of an unknown kind")]
pub struct BadRow;

/// Who remembered an observation, as the row at hand names it.
#[derive(Debug, Default)]
pub(super) struct Stamp {
    row: u64,
    number: u32,
    metric: Option<(Arc<str>, Option<Arc<str>>)>,
    /// First entry that the written state has not seen.
    unsaved_from: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Redo {
    next_seq: u64,
    /// Counts rows from 1, so that no stamp fits by chance.
    row: u64,
    n_named: u32,
    pending: Vec<u8>,
    pending_seq: u64,
    /// First entries of the rows that are stored.
    rows: VecDeque<u64>,
    /// Slots whose state lacks entries, by the first of these.
    behind: VecDeque<(u64, usize)>,
    /// Entries are being taken again, and are stored already.
    is_again: bool,
}

const NAME: u8 = 0;
const READING: u8 = 1;
const POSITION: u8 = 2;

impl Redo {
    pub(super) fn new() -> Redo {
        Redo {
            next_seq: 0,
            row: 1,
            n_named: 0,
            pending: Vec::new(),
            pending_seq: 0,
            rows: VecDeque::new(),
            behind: VecDeque::new(),
            is_again: false,
        }
    }

    /// Number of the next entry: what a state that is written now has seen.
    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// After a restart: the stored log has these rows, whose entries are taken again until [`Redo::end_again`].
    pub(super) fn begin_again(&mut self, rows: impl Iterator<Item = u64>) {
        self.rows = rows.collect();
        self.is_again = true;
    }

    /// The next entry that is taken again.
    pub(super) fn again(&mut self, seq: u64) {
        self.next_seq = seq;
    }

    pub(super) fn end_again(&mut self, next_seq: u64) {
        self.next_seq = next_seq;
        self.is_again = false;
    }

    /// Every state was written: the slots have other numbers from now on.
    pub(super) fn renumber(&mut self) -> Redo {
        self.behind.clear();
        std::mem::replace(self, Redo::new())
    }

    /// Notes that a slot remembered an observation. Says whether it could: the log knows readings and positions.
    pub(super) fn note(&mut self, slot: usize, rule: &str, seen: &Observation, stamp: &mut Stamp) -> bool {
        if !matches!(seen.fact, Fact::Reading(_) | Fact::Position(_)) {
            return false;
        }
        if stamp.unsaved_from.is_none() {
            stamp.unsaved_from = Some(self.next_seq);
            self.behind.push_back((self.next_seq, slot));
        }
        if self.is_again {
            self.next_seq += 1;
            return true;
        }
        if self.pending.is_empty() {
            self.pending_seq = self.next_seq;
        }
        let metric = match &seen.fact {
            Fact::Reading(reading) => Some((&reading.metric, reading.unit.as_ref())),
            _ => None,
        };
        let known = stamp.metric.as_ref().map(|(metric, unit)| (metric, unit.as_ref()));
        if stamp.row != self.row || known != metric {
            stamp.row = self.row;
            stamp.number = self.n_named;
            if known != metric {
                stamp.metric = metric.map(|(metric, unit)| (metric.clone(), unit.cloned()));
            }
            self.n_named += 1;
            self.pending.push(NAME);
            let (metric, unit) = metric.map_or(("", None), |(metric, unit)| (metric, unit));
            for text in [rule, &seen.source, metric, unit.map_or("", |unit| unit)] {
                let text = text.get(..usize::from(u16::MAX)).unwrap_or(text);
                self.pending.extend_from_slice(&(text.len() as u16).to_le_bytes());
                self.pending.extend_from_slice(text.as_bytes());
            }
        }
        let mut put = |kind: u8, values: &[f64]| {
            self.pending.push(kind);
            self.pending.extend_from_slice(&stamp.number.to_le_bytes());
            self.pending.extend_from_slice(&seen.at_ms.to_le_bytes());
            self.pending.extend_from_slice(&seen.received_ms.to_le_bytes());
            values.iter().for_each(|value| self.pending.extend_from_slice(&value.to_le_bytes()));
        };
        match &seen.fact {
            Fact::Reading(reading) => put(READING, &[reading.value]),
            // NaN, which no accuracy is, for none.
            Fact::Position(at) => put(POSITION, &[at.lon, at.lat, at.accuracy_m.unwrap_or(f64::NAN)]),
            _ => {}
        }
        self.next_seq += 1;
        true
    }

    /// The next slot that has to be written, so that the log stays within its bounds. `is_behind` tells whether the slot's
    /// state still lacks its entries from this one on.
    pub(super) fn overdue(&mut self, is_behind: impl Fn(usize, u64) -> bool) -> Option<usize> {
        while let Some((seq, slot)) = self.behind.front().copied() {
            let behind = is_behind(slot, seq);
            let oldest_row = self.rows.len().checked_sub(ROWS_MAX).map_or(0, |at| self.rows[at]);
            if behind && self.next_seq - seq <= ENTRIES_MAX && seq >= oldest_row {
                return None;
            }
            self.behind.pop_front();
            if behind {
                return Some(slot);
            }
        }
        None
    }

    /// What the batch at hand adds to the stored log and removes of it.
    pub(super) fn take(&mut self) -> Option<RedoChange> {
        let row = (!self.pending.is_empty()).then(|| {
            let room = Vec::with_capacity(self.pending.len());
            let entries = std::mem::replace(&mut self.pending, room);
            (self.row, self.n_named) = (self.row + 1, 0);
            self.rows.push_back(self.pending_seq);
            RedoRow { seq: self.pending_seq as i64, entries }
        });
        let needed = self.behind.front().map_or(self.next_seq, |(seq, _)| *seq);
        let n_rows = self.rows.len();
        while !self.rows.is_empty() && self.rows.get(1).copied().unwrap_or(self.next_seq) <= needed {
            self.rows.pop_front();
        }
        let from = self.rows.front().copied().unwrap_or(self.next_seq) as i64;
        (row.is_some() || self.rows.len() < n_rows).then_some(RedoChange { row, from })
    }
}

impl Stamp {
    /// Whether the written state lacks the entries from this one on.
    pub(super) fn is_behind_from(&self, seq: u64) -> bool {
        self.unsaved_from == Some(seq)
    }

    /// Whether the written state lacks any.
    pub(super) fn is_behind(&self) -> bool {
        self.unsaved_from.is_some()
    }

    /// The state was written as it is.
    pub(super) fn saved(&mut self) {
        self.unsaved_from = None;
    }
}

/// Reads a row back.
pub fn entries(row: &RedoRow) -> Result<Vec<Redone>, BadRow> {
    let mut names: Vec<Name> = Vec::new();
    let mut read = Bytes(&row.entries);
    let mut found = Vec::new();
    while !read.0.is_empty() {
        let [kind] = read.take()?;
        if kind == NAME {
            let texts = [read.text()?, read.text()?, read.text()?, read.text()?];
            let [rule, source, metric, unit] = texts.map(Arc::<str>::from);
            names.push(Name { rule, source, metric, unit: Some(unit).filter(|unit| !unit.is_empty()) });
            continue;
        }
        let number = u32::from_le_bytes(read.take()?);
        let (at_ms, received_ms) = (i64::from_le_bytes(read.take()?), i64::from_le_bytes(read.take()?));
        let name = names.get(number as usize).ok_or(BadRow)?;
        let mut value = || read.take().map(f64::from_le_bytes);
        let fact = match kind {
            READING => Fact::Reading(Reading { metric: name.metric.clone(), value: value()?, unit: name.unit.clone() }),
            POSITION => {
                let (lon, lat, accuracy_m) = (value()?, value()?, value()?);
                Fact::Position(Position { lon, lat, accuracy_m: Some(accuracy_m).filter(|metres| !metres.is_nan()) })
            }
            _ => return Err(BadRow),
        };
        let observation = Observation { source: name.source.clone(), at_ms, received_ms, fact };
        let seq = row.seq as u64 + found.len() as u64;
        found.push(Redone { seq, rule: name.rule.clone(), observation });
    }
    Ok(found)
}

struct Name {
    rule: Arc<str>,
    source: Arc<str>,
    metric: Arc<str>,
    unit: Option<Arc<str>>,
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], BadRow> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(BadRow)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn text(&mut self) -> Result<&'a str, BadRow> {
        let len = usize::from(u16::from_le_bytes(self.take()?));
        let (taken, rest) = self.0.split_at_checked(len).ok_or(BadRow)?;
        self.0 = rest;
        std::str::from_utf8(taken).map_err(|_| BadRow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(source: &str, at_ms: i64, value: f64) -> Observation {
        let fact = Fact::Reading(Reading { metric: "level".into(), value, unit: Some("m".into()) });
        Observation { source: source.into(), at_ms, received_ms: at_ms + 5, fact }
    }

    #[test]
    fn a_row_is_read_back_as_it_was_noted() {
        let mut redo = Redo::new();
        let mut stamps = [Stamp::default(), Stamp::default()];
        let position = Position { lon: 106.5, lat: -29.25, accuracy_m: None };
        let fix = Observation { source: "bus/1".into(), at_ms: -3, received_ms: 9, fact: Fact::Position(position) };
        let seen = [reading("river/1", 1, 2.5), reading("river/1", 2, f64::MIN_POSITIVE), fix];
        for (n, seen) in seen.iter().enumerate() {
            assert!(redo.note(n / 2, "rises", seen, &mut stamps[n / 2]));
        }
        let change = redo.take().unwrap();
        let row = change.row.unwrap();
        let found = entries(&row).unwrap();
        assert_eq!(found.iter().map(|redone| redone.seq).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(found.into_iter().map(|redone| redone.observation).collect::<Vec<_>>(), seen);
        assert_eq!(redo.take(), None, "nothing new");
        for end in 1..row.entries.len() {
            let cut = RedoRow { seq: 0, entries: row.entries[..end].into() };
            let whole = entries(&cut).map(|found| found.len());
            assert!(matches!(whole, Ok(0..=2) | Err(BadRow)), "{end}: {whole:?}");
        }
        assert_eq!(entries(&RedoRow { seq: 0, entries: vec![READING; 40] }), Err(BadRow));
    }

    #[test]
    fn rows_go_when_every_state_that_needs_them_was_written() {
        let mut redo = Redo::new();
        let (mut slow, mut quick) = (Stamp::default(), Stamp::default());
        redo.note(0, "r", &reading("slow", 0, 0.0), &mut slow);
        let mut n_written = 0;
        for n in 0..3 * ROWS_MAX as i64 {
            redo.note(1, "r", &reading("quick", n, 0.0), &mut quick);
            while let Some(slot) = redo.overdue(|slot, seq| [&slow, &quick][slot].is_behind_from(seq)) {
                n_written += 1;
                [&mut slow, &mut quick][slot].saved();
                assert!(n > 0);
            }
            let change = redo.take().unwrap();
            assert!(redo.rows.len() <= ROWS_MAX + 1, "{}", redo.rows.len());
            assert_eq!(change.from, redo.rows.front().map_or(redo.next_seq, |row| *row) as i64);
        }
        assert_eq!(n_written, 3, "the slow one once, the quick one each time its oldest entry would leave");
    }
}
