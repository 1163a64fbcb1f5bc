//! Writes observations to files while the gateway runs: to one that grows, for `outpost replay`, and to two that take turns, with
//! those of late, on which drafts of rules are tried. Neither is for keeps: what could not be written is told once and counted by
//! nobody, and never holds the pipeline. A killed gateway loses the last second, and records again what the broker delivers again.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use outpost_detectors::observation::Observation;

use super::record;

/// Longest time that a recorded observation waits in memory.
const FLUSH_AFTER_MS: i64 = 1_000;

/// Observations of late, and those before them.
const RECENT: &str = "recent.ndjson";
const BEFORE: &str = "recent-before.ndjson";

#[derive(Default)]
pub struct Recorder {
    sinks: Vec<Sink>,
    line: Vec<u8>,
    /// Receive time of the oldest line in memory.
    waiting_since_ms: Option<i64>,
    broken: bool,
}

struct Sink {
    out: BufWriter<File>,
    turn: Option<Turn>,
}

/// Of two files that take turns.
struct Turn {
    folder: PathBuf,
    /// Of one file.
    bytes_max: u64,
    n_bytes: u64,
}

impl Recorder {
    /// Appends to this file as well, however large it becomes.
    pub fn and_to(mut self, path: &Path) -> io::Result<Recorder> {
        self.sinks.push(Sink { out: append(path)?, turn: None });
        Ok(self)
    }

    /// Keeps the observations of late as well, in files of this folder that take so many bytes together.
    pub fn and_recent(mut self, folder: &Path, bytes_max: u64) -> io::Result<Recorder> {
        let out = append(&folder.join(RECENT))?;
        let n_bytes = out.get_ref().metadata()?.len();
        let turn = Turn { folder: folder.to_owned(), bytes_max: bytes_max / 2, n_bytes };
        self.sinks.push(Sink { out, turn: Some(turn) });
        Ok(self)
    }

    pub fn write(&mut self, observation: &Observation) {
        self.line.clear();
        let line = record::write(observation, &mut self.line).map_err(|cause| cause.to_string());
        let write = |sink: &mut Sink| sink.write(&self.line).map_err(|cause| cause.to_string());
        let written = line.and_then(|()| self.sinks.iter_mut().try_for_each(write));
        self.waiting_since_ms.get_or_insert(observation.received_ms);
        self.told(written);
    }

    /// Brings lines to the file that have waited long enough. To be called every now and then.
    pub fn flush_if_due(&mut self, now_ms: i64) {
        if self.waiting_since_ms.is_some_and(|since_ms| !(0..FLUSH_AFTER_MS).contains(&(now_ms - since_ms))) {
            self.flush();
        }
    }

    pub fn flush(&mut self) {
        self.waiting_since_ms = None;
        let flushed = self.sinks.iter_mut().try_for_each(|sink| sink.out.flush());
        self.told(flushed.map_err(|cause| cause.to_string()));
    }

    fn told(&mut self, outcome: Result<(), String>) {
        if let Err(cause) = outcome
            && !std::mem::replace(&mut self.broken, true)
        {
            tracing::error!(%cause, "recording failed, what follows may lack observations");
        }
    }
}

impl Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if let Some(turn) = &mut self.turn {
            if turn.n_bytes > 0 && turn.n_bytes + line.len() as u64 > turn.bytes_max {
                self.out.flush()?;
                let path = turn.folder.join(RECENT);
                std::fs::rename(&path, turn.folder.join(BEFORE))?;
                self.out = append(&path)?;
                turn.n_bytes = 0;
            }
            turn.n_bytes += line.len() as u64;
        }
        self.out.write_all(line)
    }
}

/// The observations of late that are kept in this folder, the oldest first. Reads on while others are written.
pub fn recent(folder: &Path) -> io::Result<BufReader<Box<dyn Read + Send>>> {
    let open = |name: &str| match File::open(folder.join(name)) {
        Ok(file) => Ok(Some(file)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    };
    let (now, mut before) = (open(RECENT)?, open(BEFORE)?);
    // They took turns in between: it is one file.
    if let (Some(now), Some(other)) = (&now, &before)
        && now.metadata()?.ino() == other.metadata()?.ino()
    {
        before = None;
    }
    let all: Box<dyn Read + Send> = match (before, now) {
        (Some(before), Some(now)) => Box::new(before.chain(now)),
        (Some(one), None) | (None, Some(one)) => Box::new(one),
        (None, None) => Box::new(io::empty()),
    };
    Ok(BufReader::with_capacity(1 << 20, all))
}

fn append(path: &Path) -> io::Result<BufWriter<File>> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let mut out = BufWriter::new(file);
    if last != [b'\n'] {
        // A killed gateway left half a line: the next one must not be lost with it.
        out.write_all(b"\n")?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use outpost_detectors::observation::{Fact, Reading};

    use super::*;

    fn observation(at_ms: i64) -> Observation {
        let reading = Reading { metric: "level".into(), value: 1.5, unit: None };
        Observation { source: "tank".into(), at_ms, received_ms: at_ms, fact: Fact::Reading(reading) }
    }

    fn times(folder: &Path) -> Vec<i64> {
        let mut times = Vec::new();
        let taken = record::for_each(
            &mut recent(folder).unwrap(),
            |cause| cause,
            |_, observation| {
                times.push(observation.unwrap().at_ms);
                Ok(())
            },
        );
        taken.unwrap();
        times
    }

    #[test]
    fn those_of_late_stay_within_their_room_over_restarts() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(times(folder.path()), [] as [i64; 0]);
        for run in 0..3 {
            let mut recorder = Recorder::default().and_recent(folder.path(), 4 << 10).unwrap();
            (0..100).for_each(|n| recorder.write(&observation(run * 100 + n)));
            recorder.flush();
        }
        let times = times(folder.path());
        assert!(times.len() > 20 && times.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{times:?}");
        assert_eq!(times.last(), Some(&299));
        let files = std::fs::read_dir(folder.path()).unwrap();
        let n_bytes: u64 = files.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
        assert!(n_bytes <= 4 << 10, "{n_bytes}");
    }

    #[test]
    fn a_half_written_line_costs_itself_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(RECENT), b"{\"source\":\"ta").unwrap();
        let mut recorder = Recorder::default().and_recent(folder.path(), 4 << 10).unwrap();
        recorder.write(&observation(1));
        recorder.flush();
        let mut read = Vec::new();
        let taken = record::for_each(
            &mut recent(folder.path()).unwrap(),
            |cause| cause,
            |_, observation| {
                read.push(observation.is_ok());
                Ok(())
            },
        );
        taken.unwrap();
        assert_eq!(read, [false, true]);
    }
}
