//! The spool → requests: batches, lingering, back-off, and the isolation of lines that the server refuses. Knows
//! nothing of HTTP or SQL.
//!
//! At least once: lines leave the spool after the server's 204. A crash in between writes the same points again,
//! which a time-series server stores once (same tags, same time).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::server::Server;
use super::sink::{Sink, WriteFault};
use super::{Phase, Progress, SeriesError};
use crate::config;
use crate::ingest::backoff::Backoff;
use crate::nouns::{Spool, SpoolChunk, StoreFault};
use crate::telemetry::metrics::SeriesMetrics;

/// An idle worker looks anyway, so that a wake-up that was lost strands nothing.
const IDLE_RECHECK: Duration = Duration::from_secs(30);

pub struct Worker {
    spool: Arc<dyn Spool>,
    wake: Arc<Notify>,
    sink: Sink,
    /// None where it cannot be asked.
    server: Option<Server>,
    progress: Arc<Progress>,
    backoff: Backoff,
    retry_max: Duration,
    linger: Duration,
    batch_bytes_max: u64,
    /// Largest request that the server is known not to find too large; halved at each 413, until the next start.
    request_bytes_max: usize,
    /// The chunk before this one had rejected lines: further ones are not news.
    rejecting: bool,
}

impl Worker {
    /// `wake` is told (`notify_one`) after each commit that put lines into the spool.
    pub fn new(
        settings: &config::Series,
        spool: Arc<dyn Spool>,
        wake: Arc<Notify>,
        metrics: SeriesMetrics,
    ) -> Result<Self, SeriesError> {
        let mut seed = DefaultHasher::new();
        settings.url.hash(&mut seed);
        let retry_max = settings.retry_max.duration();
        Ok(Worker {
            spool,
            wake,
            sink: Sink::new(settings)?,
            server: Server::new(settings)?,
            progress: Arc::new(Progress::new(metrics)),
            backoff: Backoff::new(retry_max, seed.finish()),
            retry_max,
            linger: settings.linger.duration(),
            batch_bytes_max: settings.batch_bytes_max.0.max(1),
            request_bytes_max: usize::try_from(settings.batch_bytes_max.0).unwrap_or(usize::MAX).max(1),
            rejecting: false,
        })
    }

    pub fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    /// Works until `stop`; a request under way is abandoned then, and its lines are written again after the restart.
    pub async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(self.work()).await;
    }

    async fn work(&mut self) {
        loop {
            if let Err(fault) = self.run_once().await {
                self.progress.store_fault(fault.to_string());
                sleep(self.backoff.next_delay()).await;
            }
        }
    }

    /// Waits for lines, lets a batch gather, sends it.
    async fn run_once(&mut self) -> Result<(), StoreFault> {
        let Some(mut chunk) = self.next_chunk().await? else {
            self.backoff.reset();
            // Whichever comes first is a reason to look.
            let _ = tokio::time::timeout(IDLE_RECHECK, self.wake.notified()).await;
            return Ok(());
        };
        let may_grow = (chunk.lines.len() as u64) < self.batch_bytes_max / 2;
        // What failed has lingered already.
        if may_grow && !self.linger.is_zero() && self.backoff.failures() == 0 {
            sleep(self.linger).await;
            match self.next_chunk().await? {
                Some(gathered) => chunk = gathered,
                // Evicted meanwhile.
                None => return Ok(()),
            }
        }
        let (first_row, last_row) = (chunk.first_row, chunk.last_row);
        if self.send(Bytes::from(chunk.lines)).await {
            self.remove(first_row, last_row).await;
        }
        Ok(())
    }

    /// True when each line was taken or refused for ever. False after a wait in which none was: the spool is to be asked
    /// again, for what waited with us may have been evicted meanwhile, and is counted as lost.
    async fn send(&mut self, lines: Bytes) -> bool {
        let mut n_rejected: u64 = 0;
        let mut is_whole = true;
        let mut waiting = cut(&lines, 0..lines.len(), self.request_bytes_max);
        waiting.reverse();
        while let Some(range) = waiting.pop() {
            match self.sink.write(lines.slice(range.clone())).await {
                Ok(()) => {
                    self.backoff.reset();
                    is_whole = false;
                    self.progress.wrote(n_lines(&lines[range]));
                }
                Err(WriteFault::BadLines(reason)) => match halves(&lines, range) {
                    Some((left, right)) => waiting.extend([right, left]),
                    None => {
                        is_whole = false;
                        self.reject(&mut n_rejected, &reason);
                    }
                },
                Err(WriteFault::TooLarge(reason)) => match halves(&lines, range.clone()) {
                    Some((left, right)) => {
                        self.request_bytes_max = self.request_bytes_max.min(range.len().div_ceil(2));
                        waiting.extend([right, left]);
                    }
                    None => {
                        is_whole = false;
                        self.reject(&mut n_rejected, &reason);
                    }
                },
                Err(WriteFault::Busy { reason, retry_after }) => {
                    waiting.push(range);
                    self.progress.retrying(Phase::Retrying, reason);
                    let asked = retry_after.unwrap_or_default().min(self.retry_max);
                    sleep(self.backoff.next_delay().max(asked)).await;
                    if is_whole {
                        return false;
                    }
                }
                Err(WriteFault::Refused { status, reason }) => {
                    waiting.push(range);
                    self.progress.retrying(Phase::Refused, reason);
                    // Within the wait: asking costs the lines no time.
                    tokio::join!(sleep(self.retry_max), self.ask_why(status));
                    if is_whole {
                        return false;
                    }
                }
            }
        }
        self.rejecting = n_rejected > 0;
        true
    }

    async fn ask_why(&self, status: u16) {
        if let (Some(server), 401 | 403 | 404) = (&self.server, status) {
            self.progress.explained(server.explain(status).await);
        }
    }

    fn reject(&self, n_rejected: &mut u64, reason: &str) {
        if !self.rejecting && *n_rejected == 0 {
            tracing::warn!(reason, "series server refuses lines for ever; they are dropped and counted");
        }
        *n_rejected += 1;
        self.progress.rejected_line(reason);
    }

    /// The rows must go: else the same lines would be sent for ever.
    async fn remove(&mut self, first_row: i64, last_row: i64) {
        loop {
            let spool = self.spool.clone();
            match blocking(move || spool.remove(first_row, last_row)).await {
                Ok(()) => return,
                Err(fault) => {
                    self.progress.store_fault(fault.to_string());
                    sleep(self.backoff.next_delay()).await;
                }
            }
        }
    }

    async fn next_chunk(&self) -> Result<Option<SpoolChunk>, StoreFault> {
        let spool = self.spool.clone();
        // One request's worth: what was settled of a batch is then known by its rows.
        let bytes_max = self.batch_bytes_max.min(self.request_bytes_max as u64);
        let next = blocking(move || spool.next(bytes_max)).await?;
        self.progress.store_answers();
        Ok(next)
    }
}

/// The store reads and syncs a disk: off the threads that serve sockets.
pub(super) async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, StoreFault> + Send + 'static,
) -> Result<T, StoreFault> {
    match tokio::task::spawn_blocking(call).await {
        Ok(answer) => answer,
        Err(broken) => Err(StoreFault(format!("store call broke: {broken}"))),
    }
}

/// Ranges of whole lines of at most `bytes_max` each; a longer line stands alone. The spool's rows are only about
/// as large as was asked for.
fn cut(lines: &[u8], range: Range<usize>, bytes_max: usize) -> Vec<Range<usize>> {
    let mut ranges = vec![];
    let mut start = range.start;
    while start < range.end {
        let end = if range.end - start <= bytes_max {
            range.end
        } else {
            let fitting = lines[start..start + bytes_max].iter().rposition(|byte| *byte == b'\n');
            fitting.map_or_else(|| line_end(lines, start, range.end), |place| start + place + 1)
        };
        ranges.push(start..end);
        start = end;
    }
    ranges
}

/// Two ranges of whole lines, about equal; none where there is but one line.
fn halves(lines: &[u8], range: Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let middle = range.start + range.len() / 2;
    let before =
        lines[range.start..middle].iter().rposition(|byte| *byte == b'\n').map(|place| range.start + place + 1);
    let cut = before.unwrap_or_else(|| line_end(lines, middle, range.end));
    (cut < range.end).then_some((range.start..cut, cut..range.end))
}

/// Where the line that holds `from` ends, its `\n` included.
fn line_end(lines: &[u8], from: usize, end: usize) -> usize {
    lines[from..end].iter().position(|byte| *byte == b'\n').map_or(end, |place| from + place + 1)
}

/// Counted here rather than taken from the spool's word: this is what was sent.
fn n_lines(lines: &[u8]) -> u64 {
    let ended = lines.iter().filter(|byte| **byte == b'\n').count();
    let unended = usize::from(lines.last().is_some_and(|byte| *byte != b'\n'));
    (ended + unended) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cuts_are_whole_lines_that_lose_nothing(
            lines in proptest::collection::vec("[a-z]{0,9}", 1..40),
            bytes_max in 1..60usize,
        ) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let bytes = text.as_bytes();
            let ranges = cut(bytes, 0..bytes.len(), bytes_max);
            let mut at = 0;
            for range in &ranges {
                prop_assert_eq!(range.start, at);
                prop_assert!(bytes[range.clone()].ends_with(b"\n"));
                prop_assert!(range.len() <= bytes_max || n_lines(&bytes[range.clone()]) == 1);
                at = range.end;
            }
            prop_assert_eq!(at, bytes.len());
        }

        #[test]
        fn halving_reaches_every_single_line(lines in proptest::collection::vec("[a-z]{0,9}", 1..40)) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let whole = 0..text.len();
            let mut waiting = vec![whole];
            let mut singles = vec![];
            while let Some(range) = waiting.pop() {
                match halves(text.as_bytes(), range.clone()) {
                    Some((left, right)) => {
                        prop_assert!(left.start < left.end && left.end == right.start && right.start < right.end);
                        waiting.extend([right, left]);
                    }
                    None => singles.push(text[range].trim_end_matches('\n').to_owned()),
                }
            }
            prop_assert_eq!(singles, lines);
        }
    }

    #[test]
    fn lines_without_an_end_are_counted_too() {
        assert_eq!(n_lines(b""), 0);
        assert_eq!(n_lines(b"a\nb"), 2);
        assert_eq!(halves(b"a\nb", 0..3), Some((0..2, 2..3)));
    }
}
