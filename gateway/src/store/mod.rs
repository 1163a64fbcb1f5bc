//! The embedded store: SQLite in WAL mode, every commit on disk before it is told of. Knows the nouns and nothing
//! else; no SQL stands anywhere but in this folder.
//!
//! - [`Store`]: the one writer of the commit shell
//! - [`Reader`]: queries of the API
//! - [`Queues`]: outbox and spool, drained by their workers
//! - [`Archive`]: evidence after its alert was committed: clips, holds, expiry, who looked

mod archive;
mod borders;
mod classes;
mod commit;
mod evidence;
mod fixes;
mod gates;
mod lamps;
mod looks;
mod mutes;
mod passages;
mod queues;
mod read;
mod reports;
mod rows;
mod shelf;
mod spool;
mod tickets;
mod works;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

pub use archive::{Archive, Doer, Held};
pub use borders::BorderRow;
pub use classes::{CategoryRow, ClassEntryRow, RestoredClasses};
pub use commit::{Commit, Committed, NewDelivery, SeenRow};
pub use evidence::{ExhibitRow, NewExhibit};
pub use gates::GateRow;
pub use lamps::{LampRow, LampTicket};
pub use mutes::FindingRow;
pub use passages::STORIES_MAX;
pub use queues::Queues;
pub use read::{AlertRow, AuditRow, EvidenceRow, HoldRow, JournalRow, Reader, TicketQuery};
pub use reports::ReportRow;
pub use rows::FigureRow;
pub use shelf::ShelfCounts;

use self::shelf::Shelf;
use crate::config;
use crate::nouns::{Alert, Fix, LookAsk, OnAlert, RedoRow, Silence, Standing, StateRow, Ticket, WorkOrder};

/// Schema steps; `user_version` counts those applied. Never edit one that was released: append.
const STEPS: [&str; 12] = [
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
    include_str!("schema_7.sql"),
    include_str!("schema_8.sql"),
    include_str!("schema_9.sql"),
    include_str!("schema_10.sql"),
    include_str!("schema_11.sql"),
    include_str!("schema_12.sql"),
];

/// Before this version a WAL reset could corrupt the file (sqlite.org, 3.51.3 release notes).
const SQLITE_VERSION_MIN: i32 = 3_051_003;

const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot create {path}: {cause}")]
    Folder { path: PathBuf, cause: std::io::Error },
    #[error("cannot write evidence {path}: {cause}")]
    Evidence { path: PathBuf, cause: std::io::Error },
    #[error("the linked SQLite is {found}, older than 3.51.3, whose WAL reset can corrupt the database")]
    SqliteTooOld { found: &'static str },
    #[error("the database is of a newer version ({found}) than this program knows ({known})")]
    SchemaTooNew { found: usize, known: usize },
    #[error("the database is of version {found}: a gateway of this program's version ({known}) has to open it first")]
    SchemaTooOld { found: usize, known: usize },
    #[error("another process uses the database {path}")]
    InUse { path: PathBuf },
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("row of {table}: {what}")]
    Row { table: &'static str, what: String },
}

impl StoreError {
    /// Whether there was no room on the disk.
    fn is_full(&self) -> bool {
        match self {
            StoreError::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => error.code == rusqlite::ErrorCode::DiskFull,
            StoreError::Evidence { cause, .. } | StoreError::Folder { cause, .. } => {
                matches!(cause.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }
}

/// The one writer.
pub struct Store {
    conn: Connection,
    folder: PathBuf,
    shelf: Shelf,
    spool_bytes_max: Option<u64>,
    /// Holds the lock that keeps a second gateway off the same folder.
    _lock: std::fs::File,
}

/// What a restart goes on from.
pub struct Restored {
    pub states: Vec<StateRow>,
    /// Every ticket that may take a move yet.
    pub tickets: Vec<Ticket>,
    /// Alerts that are on, with their tickets.
    pub members: Vec<(Arc<str>, u64)>,
    pub last_ticket: u64,
    /// All alerts that are on, and those of them that have no ticket for now.
    pub on: Vec<OnAlert>,
    pub withheld: Vec<Alert>,
    pub silences: Vec<Silence>,
    pub last_silence: u64,
    /// Work orders that were not ended.
    pub works: Vec<WorkOrder>,
    pub last_work: u64,
    /// Looks that were asked and have no answer yet, with the times at which their alerts opened.
    pub looks: Vec<(LookAsk, i64)>,
    /// The last fix of each officer.
    pub fixes: Vec<(Arc<str>, Fix)>,
    /// By shard, oldest first.
    pub redo: Vec<(u8, RedoRow)>,
    pub seen: Vec<SeenRow>,
}

/// Bits of a row's key that number an entry of the log; those above say whose log it is.
const REDO_SEQ_BITS: u32 = 56;

/// The key of the row that begins with this entry.
fn redo_key(shard: u8, seq: i64) -> i64 {
    i64::from(shard) << REDO_SEQ_BITS | seq.min((1 << REDO_SEQ_BITS) - 1)
}

/// Whose log a row is of, and the number of its first entry.
fn redo_seq(key: i64) -> (u8, i64) {
    ((key >> REDO_SEQ_BITS) as u8, key & ((1 << REDO_SEQ_BITS) - 1))
}

impl Store {
    /// Opens or creates the database in `folder`. `spool_bytes_max` bounds the readings that wait for the series
    /// database; `None` where no series is configured.
    pub fn open(folder: &Path, spool_bytes_max: Option<u64>) -> Result<Store, StoreError> {
        let found = rusqlite::version();
        if rusqlite::version_number() < SQLITE_VERSION_MIN {
            return Err(StoreError::SqliteTooOld { found });
        }
        for path in [folder.to_path_buf(), folder.join("evidence")] {
            std::fs::create_dir_all(&path).map_err(|cause| StoreError::Folder { path, cause })?;
        }
        let lock = lock(folder)?;
        let mut conn = connect(folder)?;
        migrate(&mut conn)?;
        let shelf = Shelf::new(folder, config::Evidence::default());
        shelf.sweep(&mut conn)?;
        Ok(Store { conn, folder: folder.to_path_buf(), shelf, spool_bytes_max, _lock: lock })
    }

    /// Limits of the evidence in place of the default ones.
    pub fn with_evidence(self, limits: &config::Evidence) -> Store {
        Store { shelf: Shelf::new(&self.folder, limits.clone()), ..self }
    }

    /// Class cases that are open, and tickets that opened after `since_ms`: they may make others.
    pub fn restore_classes(&self, since_ms: i64) -> Result<RestoredClasses, StoreError> {
        classes::restore(&self.conn, since_ms)
    }

    pub fn restore(&self) -> Result<Restored, StoreError> {
        let mut states = Vec::new();
        let mut statement = self.conn.prepare("SELECT rule, source, state FROM watch_state ORDER BY rule, source")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = |column| row.get::<_, String>(column);
            states.push(StateRow { rule: text(0)?.into(), source: text(1)?.into(), state: text(2)? });
        }
        let mut statement = self.conn.prepare("SELECT broker, seq, marks FROM seen ORDER BY broker, seq")?;
        let seen = statement
            .query_map([], |row| {
                Ok(SeenRow { broker: row.get::<_, String>(0)?.into(), seq: row.get(1)?, marks: row.get(2)? })
            })?
            .collect::<Result<_, _>>()?;
        let mut statement = self.conn.prepare("SELECT seq, entries FROM remembered ORDER BY seq")?;
        let redo = statement
            .query_map([], |row| {
                let (shard, seq) = redo_seq(row.get(0)?);
                Ok((shard, RedoRow { seq, entries: row.get(1)? }))
            })?
            .collect::<Result<_, _>>()?;
        let last_ticket: i64 = self.conn.query_row("SELECT ifnull(max(no), 0) FROM ticket", [], |row| row.get(0))?;
        let live = TicketQuery { least: Standing::Settled, ..TicketQuery::default() };
        let tickets = tickets::all(&self.conn, &live)?;
        let members = tickets::members(&self.conn)?;
        let (on, withheld) = (mutes::on(&self.conn)?, mutes::withheld(&self.conn)?);
        let silences = mutes::silences(&self.conn, false, u32::MAX)?;
        let last_silence = mutes::last_silence(&self.conn)?;
        let fixes = fixes::last(&self.conn)?;
        let (works, last_work) = (works::works(&self.conn, false, u32::MAX)?, works::last_work(&self.conn)?);
        Ok(Restored {
            states,
            tickets,
            members,
            last_ticket: last_ticket.unsigned_abs(),
            on,
            withheld,
            silences,
            last_silence,
            works,
            last_work,
            looks: looks::asked(&self.conn)?,
            fixes,
            redo,
            seen,
        })
    }
}

/// A connection for the writer, a reader or the queues, all set alike.
fn connect(folder: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open(folder.join("outpost.db"))?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.set_prepared_statement_cache_capacity(64);
    // Statements are planned once, and not anew for each value that is bound.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(conn)
}

fn lock(folder: &Path) -> Result<std::fs::File, StoreError> {
    let path = folder.join("lock");
    let file = std::fs::File::create(&path).map_err(|cause| StoreError::Folder { path: path.clone(), cause })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse { path: folder.join("outpost.db") }),
        Err(std::fs::TryLockError::Error(cause)) => Err(StoreError::Folder { path, cause }),
    }
}

fn check_version(conn: &Connection) -> Result<(), StoreError> {
    let found: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    match found.cmp(&STEPS.len()) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(StoreError::SchemaTooOld { found, known: STEPS.len() }),
        std::cmp::Ordering::Greater => Err(StoreError::SchemaTooNew { found, known: STEPS.len() }),
    }
}

fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    let found: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    if found > STEPS.len() {
        return Err(StoreError::SchemaTooNew { found, known: STEPS.len() });
    }
    for (index, step) in STEPS.iter().enumerate().skip(found) {
        let transaction = conn.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", index as i64 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
