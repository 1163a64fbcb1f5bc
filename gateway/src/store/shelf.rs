//! Files of evidence. Each is on disk before the row that promises it: file, folder, row. What makes room goes oldest
//! first, and what is held never.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rusqlite::{Connection, Row, params};
use sha2::{Digest, Sha256};
use tracing::{error, info, warn};

use super::{StoreError, rows};
use crate::config;
use crate::nouns::{EvidenceKind, Missing, Shelved};

/// Files looked at in one go while room is made.
const EVICT_ROWS: i64 = 64;

/// What evicted files must free before a full disk is tried again: a database page costs a few of these.
const WAY_BYTES: u64 = 1 << 20;

/// What is asked of the disk; tests have a small one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disk {
    /// Writes a file; it is on the disk when this returns.
    pub(super) write: fn(&Path, &[u8]) -> io::Result<()>,
    /// Makes the names of a folder's files last; until then a file that was written may be lost with its name.
    pub(super) sync_folder: fn(&Path) -> io::Result<()>,
    /// Room that is left where this folder is; none where nobody knows.
    pub(super) free_bytes: fn(&Path) -> Option<u64>,
}

/// Since the start.
#[derive(Debug, Default)]
pub struct ShelfCounts {
    /// Files that made room for others.
    pub evicted: AtomicU64,
    /// Files whose time was over.
    pub expired: AtomicU64,
    /// Pictures and clips that found no room or could not be written.
    pub refused: AtomicU64,
}

#[derive(Debug, Clone)]
pub(super) struct Shelf {
    folder: PathBuf,
    limits: config::Evidence,
    disk: Disk,
    counts: Arc<ShelfCounts>,
}

impl Default for Disk {
    fn default() -> Self {
        Disk { write: write_through, sync_folder, free_bytes }
    }
}

impl Shelf {
    /// Of the store in `folder`.
    pub(super) fn new(folder: &Path, limits: config::Evidence) -> Shelf {
        let folder = folder.join("evidence");
        Shelf { folder, limits, disk: Disk::default(), counts: Arc::default() }
    }

    #[cfg(test)]
    pub(super) fn on(self, disk: Disk) -> Shelf {
        Shelf { disk, ..self }
    }

    pub(super) fn counts(&self) -> &Arc<ShelfCounts> {
        &self.counts
    }

    /// How long files of a kind are kept, in milliseconds, and how many bytes of them.
    fn limit(&self, kind: EvidenceKind) -> (i64, u64) {
        let limits = &self.limits;
        match kind {
            EvidenceKind::Snapshot => (limits.snapshots_keep.ms(), limits.snapshots_bytes_max.0),
            EvidenceKind::Clip => (limits.clips_keep.ms(), limits.clips_bytes_max.0),
            EvidenceKind::Attachment => (limits.attachments_keep.ms(), limits.attachments_bytes_max.0),
        }
    }

    /// Writes a file, making room for it. Whatever goes wrong is told and counted, and no error: an alert opens without
    /// its picture.
    pub(super) fn put(
        &self,
        conn: &mut Connection,
        (alert, no): (&str, u32),
        kind: EvidenceKind,
        bytes: &[u8],
    ) -> Result<Shelved, Missing> {
        let put = self.make_room(conn, kind, bytes.len() as u64).and_then(|fits| {
            if !fits {
                return Ok(Err(Missing::Evicted));
            }
            let file = kind.file(alert, no);
            self.write(conn, &file, bytes)?;
            let sha256 = rows::hex(&Sha256::digest(bytes));
            Ok(Ok(Shelved { file, sha256, n_bytes: bytes.len() as u64 }))
        });
        let missing = match put {
            Ok(Ok(shelved)) => return Ok(shelved),
            Ok(Err(missing)) => {
                warn!(
                    alert,
                    kind = kind.as_str(),
                    n_bytes = bytes.len(),
                    "no room for evidence: what there is, is held"
                );
                missing
            }
            Err(cause) => {
                error!(alert, kind = kind.as_str(), %cause, "evidence cannot be written");
                Missing::Lost
            }
        };
        self.counts.refused.fetch_add(1, Relaxed);
        Err(missing)
    }

    /// Evicts until `n_bytes` more are within the limits. Whether they are.
    fn make_room(&self, conn: &mut Connection, kind: EvidenceKind, n_bytes: u64) -> Result<bool, StoreError> {
        let (_, bytes_max) = self.limit(kind);
        if held(conn, kind)? + n_bytes > bytes_max {
            return Ok(false);
        }
        let over = (used(conn, kind)? + n_bytes).saturating_sub(bytes_max);
        if over > 0 {
            self.evict(conn, Some(kind), over)?;
        }
        let wanted = self.limits.disk_free_min.0 + n_bytes;
        if let Some(free) = (self.disk.free_bytes)(&self.folder)
            && free < wanted
        {
            // What fills the disk may be somebody else's: then it is written as long as there is room at all.
            self.evict(conn, None, wanted - free)?;
        }
        Ok(true)
    }

    fn write(&self, conn: &mut Connection, file: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.folder.join(file);
        loop {
            let written = (self.disk.write)(&path, bytes).and_then(|()| (self.disk.sync_folder)(&self.folder));
            let Err(cause) = written else { return Ok(()) };
            // Half a file must not take the room of a whole one.
            let _ = std::fs::remove_file(&path);
            let is_full = matches!(cause.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
            if !is_full || self.evict(conn, None, bytes.len() as u64)? == 0 {
                return Err(StoreError::Evidence { path, cause });
            }
        }
    }

    /// Writes to the database, as often as evidence makes room where the disk is full. `write` changes nothing where it fails.
    pub(super) fn with_room<T>(
        &self,
        conn: &mut Connection,
        mut write: impl FnMut(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        loop {
            match write(conn) {
                Err(error) if error.is_full() => {
                    if self.evict(conn, None, WAY_BYTES)? == 0 {
                        return Err(error);
                    }
                }
                written => return written,
            }
        }
    }

    /// Removes the oldest files that nobody holds, of one kind or all, until `n_bytes` are free. Returns how many are.
    pub(super) fn evict(
        &self,
        conn: &mut Connection,
        kind: Option<EvidenceKind>,
        n_bytes: u64,
    ) -> Result<u64, StoreError> {
        let mut freed = 0;
        let mut from = Place::default();
        while freed < n_bytes {
            let oldest = self.oldest(conn, kind, i64::MAX, &from)?;
            let Some(last) = oldest.last() else { break };
            from = last.place.clone();
            let mut gone = Vec::new();
            for row in oldest {
                if freed >= n_bytes {
                    break;
                }
                // The file first: with a full disk there may be no room for the row.
                freed += self.remove(&row.file);
                gone.push(row);
            }
            self.counts.evicted.fetch_add(gone.len() as u64, Relaxed);
            if let Err(cause) = mark(conn, &gone, Missing::Evicted) {
                // What counts is the room; the rows say so after the next start.
                warn!(%cause, n_files = gone.len(), "evidence went without its rows");
            }
        }
        if freed > 0 {
            info!(n_bytes = freed, "evidence made room");
        }
        Ok(freed)
    }

    /// Removes what is older than its kind is kept. Returns how many files went.
    pub(super) fn expire(&self, conn: &mut Connection, now_ms: i64) -> Result<usize, StoreError> {
        let mut n_gone = 0;
        for kind in EvidenceKind::ALL {
            let before_ms = now_ms.saturating_sub(self.limit(kind).0);
            loop {
                let oldest = self.oldest(conn, Some(kind), before_ms, &Place::default())?;
                if oldest.is_empty() {
                    break;
                }
                mark(conn, &oldest, Missing::Expired)?;
                for row in &oldest {
                    self.remove(&row.file);
                }
                n_gone += oldest.len();
            }
        }
        self.counts.expired.fetch_add(n_gone as u64, Relaxed);
        Ok(n_gone)
    }

    /// Rows with a file that were stored before `before_ms`, in order, from behind the row `from` on.
    fn oldest(
        &self,
        conn: &Connection,
        kind: Option<EvidenceKind>,
        before_ms: i64,
        from: &Place,
    ) -> Result<Vec<Kept>, StoreError> {
        let mut statement = conn.prepare_cached(
            "SELECT stored_ms, alert, kind, no, file, bytes FROM evidence
             WHERE file IS NOT NULL AND (stored_ms, alert, kind, no) > (?1, ?2, ?3, ?4) AND stored_ms < ?5 AND kind LIKE ?6
             AND NOT EXISTS (SELECT 1 FROM hold WHERE hold.alert = evidence.alert)
             ORDER BY stored_ms, alert, kind, no LIMIT ?7",
        )?;
        let any = kind.map_or("%", EvidenceKind::as_str);
        let Place { stored_ms, alert, kind, no } = from;
        let found =
            statement.query_map(params![stored_ms, alert, kind, no, before_ms, any, EVICT_ROWS], Kept::from_row)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// How many bytes that freed.
    pub(super) fn remove(&self, file: &str) -> u64 {
        let path = self.folder.join(file);
        let n_bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        match std::fs::remove_file(&path) {
            Ok(()) => n_bytes,
            Err(cause) => {
                if cause.kind() != ErrorKind::NotFound {
                    error!(path = %path.display(), %cause, "evidence cannot be removed");
                }
                0
            }
        }
    }

    /// Makes files and rows agree after a crash: what no row promises goes, and a row whose file is gone says so.
    pub(super) fn sweep(&self, conn: &mut Connection) -> Result<(), StoreError> {
        let bad = |cause| StoreError::Folder { path: self.folder.clone(), cause };
        let sql = "SELECT stored_ms, alert, kind, no, file, bytes FROM evidence WHERE file IS NOT NULL";
        let mut statement = conn.prepare(sql)?;
        let promised: Vec<Kept> = statement.query_map([], Kept::from_row)?.collect::<Result<_, _>>()?;
        drop(statement);
        let names: HashSet<&str> = promised.iter().map(|kept| kept.file.as_str()).collect();
        let mut found = HashSet::new();
        let mut n_removed = 0;
        for entry in std::fs::read_dir(&self.folder).map_err(bad)? {
            let name = entry.map_err(bad)?.file_name();
            let Some(name) = name.to_str().filter(|name| is_ours(name)) else { continue };
            if names.contains(name) {
                found.insert(name.to_owned());
            } else {
                self.remove(name);
                n_removed += 1;
            }
        }
        let (there, lost): (Vec<_>, Vec<_>) = promised.into_iter().partition(|kept| found.contains(&kept.file));
        // Older versions did not write down how large a file is.
        for kept in there.iter().filter(|kept| kept.n_bytes == 0) {
            let n_bytes = std::fs::metadata(self.folder.join(&kept.file)).map_or(0, |metadata| metadata.len());
            conn.execute(
                "UPDATE evidence SET bytes = ?4 WHERE alert = ?1 AND kind = ?2 AND no = ?3",
                params![kept.place.alert, kept.place.kind, kept.place.no, n_bytes as i64],
            )?;
        }
        mark(conn, &lost, Missing::Lost)?;
        let pending = (Missing::Pending.as_str(), Missing::Lost.as_str());
        let n_cut = conn.execute("UPDATE evidence SET missing = ?2 WHERE missing = ?1", pending)?;
        if n_removed > 0 || !lost.is_empty() || n_cut > 0 {
            warn!(
                n_without_row = n_removed,
                n_without_file = lost.len(),
                n_clips_cut_off = n_cut,
                "evidence was put in order after a crash"
            );
        }
        Ok(())
    }
}

/// A row's place in the order in which evidence goes.
#[derive(Debug, Clone)]
struct Place {
    stored_ms: i64,
    alert: String,
    kind: String,
    no: u32,
}

impl Default for Place {
    /// Before all others.
    fn default() -> Self {
        Place { stored_ms: i64::MIN, alert: String::new(), kind: String::new(), no: 0 }
    }
}

/// A row with a file.
struct Kept {
    place: Place,
    file: String,
    n_bytes: i64,
}

impl Kept {
    fn from_row(row: &Row) -> rusqlite::Result<Kept> {
        let place = Place { stored_ms: row.get(0)?, alert: row.get(1)?, kind: row.get(2)?, no: row.get(3)? };
        Ok(Kept { place, file: row.get(4)?, n_bytes: row.get(5)? })
    }
}

fn mark(conn: &mut Connection, gone: &[Kept], missing: Missing) -> Result<(), StoreError> {
    if gone.is_empty() {
        return Ok(());
    }
    let transaction = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for row in gone {
        transaction
            .prepare_cached("UPDATE evidence SET file = NULL, missing = ?4 WHERE alert = ?1 AND kind = ?2 AND no = ?3")?
            .execute(params![row.place.alert, row.place.kind, row.place.no, missing.as_str()])?;
    }
    Ok(transaction.commit()?)
}

fn used(conn: &Connection, kind: EvidenceKind) -> Result<u64, StoreError> {
    let sql = "SELECT bytes FROM evidence_used WHERE kind = ?1";
    let bytes: i64 = conn.prepare_cached(sql)?.query_row([kind.as_str()], |row| row.get(0))?;
    Ok(bytes.unsigned_abs())
}

/// Bytes of a kind that may not go.
fn held(conn: &Connection, kind: EvidenceKind) -> Result<u64, StoreError> {
    let sql = "SELECT ifnull(sum(bytes), 0) FROM hold JOIN evidence USING (alert) WHERE kind = ?1 AND file IS NOT NULL";
    let bytes: i64 = conn.prepare_cached(sql)?.query_row([kind.as_str()], |row| row.get(0))?;
    Ok(bytes.unsigned_abs())
}

/// `A-` and 16 hex digits, as [`crate::nouns::AlertKey::alert_id`] makes them, perhaps with an exhibit's number, or `F-` and 16
/// hex digits, which are a file of a ticket; and an extension of ours: nothing else that lies in the folder is touched.
fn is_ours(name: &str) -> bool {
    let Some((id, extension)) = name.split_once('.') else { return false };
    let is_attachment = extension == EvidenceKind::Attachment.extension();
    let Some(id) = id.strip_prefix(if is_attachment { "F-" } else { "A-" }) else { return false };
    let (id, no) = id.split_once('-').filter(|_| !is_attachment).unwrap_or((id, "1"));
    id.len() == 16
        && no.parse::<u32>().is_ok()
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && EvidenceKind::ALL.iter().any(|kind| kind.extension() == extension)
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(test)]
mod tests;
