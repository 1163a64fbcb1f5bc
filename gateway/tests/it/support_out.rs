//! What the tests of outgoing traffic share: queues in memory, and waiting with a deadline.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outpost::nouns::{Spool, SpoolChunk, StoreFault};

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
    /// Every call fails while this is set.
    pub(crate) broken: AtomicBool,
}

impl MemorySpool {
    pub(crate) fn push(&self, lines: &str) {
        let mut next_row = self.next_row.lock().unwrap();
        *next_row += 1;
        self.rows.lock().unwrap().push_back((*next_row, lines.to_owned()));
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
}
