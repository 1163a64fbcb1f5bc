//! What the tests of outgoing traffic share: queues in memory, and waiting with a deadline.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outpost::notify::Told;
use outpost::notify::cap::Entry;
use outpost::nouns::{Delivery, Outbox, Spool, SpoolChunk, SpoolLoss, StoreFault, Ticket};

/// Far beyond what any step here takes; a test that waits this long has failed.
const DEADLINE: Duration = Duration::from_secs(30);

/// Polls until `probe` has an answer.
pub(crate) async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let poll = async {
        loop {
            if let Some(answer) = probe().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    match tokio::time::timeout(DEADLINE, poll).await {
        Ok(answer) => answer,
        Err(_) => panic!("not within {DEADLINE:?}: {what}"),
    }
}

/// Polls until `condition` holds.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    eventually(what, async || condition().then_some(())).await;
}

/// The spool's contract, in memory.
#[derive(Default)]
pub(crate) struct MemorySpool {
    rows: Mutex<VecDeque<(i64, String)>>,
    next_row: Mutex<i64>,
    /// Set by a test that speaks of one.
    pub(crate) loss: Mutex<Option<SpoolLoss>>,
    /// Every call fails while this is set.
    pub(crate) broken: AtomicBool,
}

impl MemorySpool {
    pub(crate) fn push(&self, lines: &str) {
        let mut next_row = self.next_row.lock().unwrap();
        *next_row += 1;
        self.rows.lock().unwrap().push_back((*next_row, lines.to_owned()));
    }

    pub(crate) fn evict_oldest(&self) {
        self.rows.lock().unwrap().pop_front();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.lock().unwrap().is_empty()
    }

    fn checked(&self) -> Result<(), StoreFault> {
        if self.broken.load(Ordering::SeqCst) { Err(StoreFault("disk is gone".into())) } else { Ok(()) }
    }
}

impl Spool for MemorySpool {
    fn next(&self, bytes_max: u64) -> Result<Option<SpoolChunk>, StoreFault> {
        self.checked()?;
        let rows = self.rows.lock().unwrap();
        let Some((first_row, _)) = rows.front() else { return Ok(None) };
        let mut chunk = SpoolChunk { first_row: *first_row, last_row: *first_row, lines: String::new(), n_lines: 0 };
        for (row, lines) in rows.iter() {
            if !chunk.lines.is_empty() && (chunk.lines.len() + lines.len()) as u64 > bytes_max {
                break;
            }
            chunk.last_row = *row;
            chunk.lines.push_str(lines);
            chunk.n_lines += lines.lines().count() as u64;
        }
        Ok(Some(chunk))
    }

    fn remove(&self, first_row: i64, last_row: i64) -> Result<(), StoreFault> {
        self.checked()?;
        self.rows.lock().unwrap().retain(|(row, _)| !(first_row..=last_row).contains(row));
        Ok(())
    }

    fn loss(&self) -> Result<Option<SpoolLoss>, StoreFault> {
        self.checked()?;
        Ok(self.loss.lock().unwrap().clone())
    }

    fn forget_loss(&self, loss: &SpoolLoss) -> Result<(), StoreFault> {
        self.checked()?;
        self.loss.lock().unwrap().take_if(|known| known.n_lines == loss.n_lines);
        Ok(())
    }
}

/// One row of [`MemoryOutbox`].
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) delivery: Delivery,
    pub(crate) next_ms: i64,
    pub(crate) error: Option<String>,
    pub(crate) is_given_up: bool,
}

/// The outbox's contract, in memory.
#[derive(Default)]
pub(crate) struct MemoryOutbox {
    rows: Mutex<BTreeMap<i64, Row>>,
    /// Every call that writes fails while this is set.
    pub(crate) broken: AtomicBool,
}

impl MemoryOutbox {
    pub(crate) fn push(&self, receiver: &str, key: &str, created_ms: i64) {
        self.push_data(receiver, key, format!(r#"{{"key":"{key}","place":"管廊"}}"#), created_ms);
    }

    pub(crate) fn push_data(&self, receiver: &str, key: &str, data: String, created_ms: i64) {
        let mut rows = self.rows.lock().unwrap();
        let row = rows.last_key_value().map_or(0, |(row, _)| *row) + 1;
        let delivery = Delivery {
            row,
            receiver: receiver.into(),
            key: key.into(),
            kind: "outpost.ticket.opened".into(),
            data,
            created_ms,
            attempts: 0,
        };
        rows.insert(row, Row { delivery, next_ms: created_ms, error: None, is_given_up: false });
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        self.rows.lock().unwrap().values().cloned().collect()
    }

    pub(crate) fn n_waiting(&self) -> usize {
        self.rows().iter().filter(|row| !row.is_given_up).count()
    }

    fn write(&self, row: i64, change: impl FnOnce(&mut BTreeMap<i64, Row>, i64)) -> Result<(), StoreFault> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreFault("disk is gone".into()));
        }
        let mut rows = self.rows.lock().unwrap();
        assert!(rows.get(&row).is_some_and(|row| !row.is_given_up), "row {row} no longer waits");
        change(&mut rows, row);
        Ok(())
    }
}

/// Knows no ticket: its deliveries say all.
impl Told for MemoryOutbox {
    fn ticket(&self, _: u64) -> Result<Option<(Ticket, Vec<Entry>)>, StoreFault> {
        Ok(None)
    }
}

impl Outbox for MemoryOutbox {
    fn due(&self, receiver: &str, now_ms: i64, limit: usize) -> Result<Vec<Delivery>, StoreFault> {
        let waits = |row: &Row| !row.is_given_up && &*row.delivery.receiver == receiver && row.next_ms <= now_ms;
        Ok(self.rows().into_iter().filter(waits).map(|row| row.delivery).take(limit).collect())
    }

    fn next_due_ms(&self, receiver: &str) -> Result<Option<i64>, StoreFault> {
        let waits = |row: &Row| !row.is_given_up && &*row.delivery.receiver == receiver;
        Ok(self.rows().into_iter().filter(waits).map(|row| row.next_ms).min())
    }

    fn done(&self, done: &[i64]) -> Result<(), StoreFault> {
        done.iter().try_for_each(|row| self.write(*row, |rows, row| drop(rows.remove(&row))))
    }

    fn retry(&self, row: i64, next_ms: i64, error: &str) -> Result<(), StoreFault> {
        self.write(row, |rows, row| {
            rows.entry(row).and_modify(|row| {
                row.delivery.attempts += 1;
                row.next_ms = next_ms;
                row.error = Some(error.to_owned());
            });
        })
    }

    fn give_up(&self, row: i64, error: &str) -> Result<(), StoreFault> {
        self.write(row, |rows, row| {
            rows.entry(row).and_modify(|row| {
                row.is_given_up = true;
                row.error = Some(error.to_owned());
            });
        })
    }
}
