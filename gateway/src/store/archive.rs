//! What becomes of evidence after its alert was committed: clips, files of tickets, holds, expiry, and who looked. A connection of its own, so
//! that none of it waits for the writer's batch.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, TransactionBehavior, params};

use super::shelf::{Shelf, ShelfCounts};
use super::{Store, StoreError, connect, field, fixes};
use crate::nouns::{EvidenceKind, Missing, Shelved};

/// Looks of one person at one thing within this time are one: a browser asks for a clip piece by piece.
const SAME_LOOK_MS: i64 = 60_000;

pub struct Archive {
    conn: Mutex<Connection>,
    shelf: Shelf,
}

/// Who does something with the evidence of an alert, and why, as they say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doer {
    pub who: String,
    /// Address that asked.
    pub peer: String,
    pub reason: String,
}

/// What a hold or a release met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Changed,
    /// It was so already.
    Unchanged,
    NoSuchAlert,
}

impl Archive {
    /// Of an open store: it has put files and rows in order, and has set the limits.
    pub fn of(store: &Store) -> Result<Archive, StoreError> {
        Ok(Archive { conn: Mutex::new(connect(&store.folder)?), shelf: store.shelf.clone() })
    }

    /// Stores an alert's clip, or says why there is none. Blocks for the disk.
    pub fn clip(&self, alert: &str, clip: Result<&[u8], Missing>, now_ms: i64) -> Result<(), StoreError> {
        let mut conn = self.conn();
        let shelved = clip.and_then(|bytes| self.shelf.put(&mut conn, (alert, 0), EvidenceKind::Clip, bytes));
        let (shelved, missing) = (shelved.as_ref().ok(), shelved.as_ref().err());
        self.shelf.with_room(&mut conn, |conn| {
        conn.prepare_cached(
            "INSERT INTO evidence (alert, kind, no, file, sha256, bytes, stored_ms, missing)
             VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (alert, kind, no) DO UPDATE SET file = excluded.file,
             sha256 = excluded.sha256, bytes = excluded.bytes, stored_ms = excluded.stored_ms, missing = excluded.missing",
        )?
        .execute(params![
            alert,
            EvidenceKind::Clip.as_str(),
            shelved.map(|shelved| &shelved.file),
            shelved.map(|shelved| &shelved.sha256),
            shelved.map_or(0, |shelved| shelved.n_bytes as i64),
            now_ms,
            missing.map(|missing| missing.as_str()),
        ])?;
        Ok(())
        })
    }

    /// Writes a file that is to be a ticket's; it is on disk when this returns. Its row is another's to commit: until then a
    /// crash removes it at the next start.
    pub fn shelve(&self, bytes: &[u8]) -> Result<Shelved, Missing> {
        // No two have one name, and nothing that is asked for has a say in it.
        let name = format!("F-{:016x}", RandomState::new().hash_one(bytes));
        self.shelf.put(&mut self.conn(), (&name, 0), EvidenceKind::Attachment, bytes)
    }

    /// Removes a file for which there will be no row.
    pub fn discard(&self, shelved: &Shelved) {
        self.shelf.remove(&shelved.file);
    }

    /// Removes what is older than it is kept. Returns how many files went.
    pub fn expire(&self, now_ms: i64) -> Result<usize, StoreError> {
        self.shelf.expire(&mut self.conn(), now_ms)
    }

    /// Removes positions of officers that are older than `before_ms`.
    pub fn expire_fixes(&self, before_ms: i64) -> Result<(), StoreError> {
        // The connection is let go in between: who looks at evidence waits for it.
        while fixes::expire(&self.conn(), before_ms)? {}
        Ok(())
    }

    /// Forgets what officers did under keys of theirs before `before_ms`.
    pub fn expire_deeds(&self, before_ms: i64) -> Result<(), StoreError> {
        while field::expire_deeds(&self.conn(), before_ms)? {}
        Ok(())
    }

    /// Keeps the evidence of an alert, or of a ticket's files by their owner's name, whatever its age and the room there is;
    /// audited.
    pub fn hold(&self, alert: &str, doer: &Doer, now_ms: i64) -> Result<Held, StoreError> {
        let insert = "INSERT OR IGNORE INTO hold (alert, who, reason, held_ms) SELECT ?1, ?2, ?3, ?4";
        self.change(alert, "hold", doer, now_ms, |conn| {
            conn.prepare_cached(insert)?.execute(params![alert, doer.who, doer.reason, now_ms])
        })
    }

    /// Ends a hold; audited.
    pub fn release(&self, alert: &str, doer: &Doer, now_ms: i64) -> Result<Held, StoreError> {
        self.change(alert, "release", doer, now_ms, |conn| {
            conn.prepare_cached("DELETE FROM hold WHERE alert = ?1")?.execute([alert])
        })
    }

    fn change(
        &self,
        alert: &str,
        what: &str,
        doer: &Doer,
        now_ms: i64,
        change: impl Fn(&Connection) -> rusqlite::Result<usize>,
    ) -> Result<Held, StoreError> {
        let mut conn = self.conn();
        self.shelf.with_room(&mut conn, |conn| {
            let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let ticket = alert.strip_prefix("T-").and_then(|no| no.parse::<i64>().ok());
            let sql = "SELECT 1 FROM alert WHERE id = ?1 UNION ALL SELECT 1 FROM ticket WHERE no = ?2";
            if !transaction.prepare_cached(sql)?.exists(params![alert, ticket])? {
                return Ok(Held::NoSuchAlert);
            }
            if change(&transaction)? == 0 {
                return Ok(Held::Unchanged);
            }
            write_audit(&transaction, alert, what, doer, now_ms)?;
            transaction.commit()?;
            Ok(Held::Changed)
        })
    }

    /// Writes down that somebody looks; on disk when it returns.
    pub fn looked(&self, alert: &str, kind: EvidenceKind, doer: &Doer, now_ms: i64) -> Result<(), StoreError> {
        self.noted(alert, kind.as_str(), doer, now_ms)
    }

    /// The same of what is no evidence: `of` stands where the alert does.
    pub fn noted(&self, of: &str, what: &str, doer: &Doer, now_ms: i64) -> Result<(), StoreError> {
        let mut conn = self.conn();
        let known = conn
            .prepare_cached(
                "SELECT 1 FROM audit WHERE alert = ?1 AND what = ?2 AND who = ?3 AND peer = ?4 AND reason = ?5
                 AND at_ms BETWEEN ?6 AND ?7",
            )?
            .exists(params![of, what, doer.who, doer.peer, doer.reason, now_ms - SAME_LOOK_MS, now_ms])?;
        if known {
            return Ok(());
        }
        self.shelf.with_room(&mut conn, |conn| write_audit(conn, of, what, doer, now_ms))
    }

    /// Writes down that somebody changes something, each time.
    pub fn changed(&self, of: &str, what: &str, doer: &Doer, now_ms: i64) -> Result<(), StoreError> {
        self.shelf.with_room(&mut self.conn(), |conn| write_audit(conn, of, what, doer, now_ms))
    }

    /// What was evicted, expired and refused, by the writer as well.
    pub fn counts(&self) -> &Arc<ShelfCounts> {
        self.shelf.counts()
    }

    fn conn(&self) -> MutexGuard<'_, Connection> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn write_audit(
    conn: &Connection,
    alert: &str,
    what: &str,
    doer: &Doer,
    now_ms: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit (at_ms, alert, what, who, peer, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    conn.prepare_cached(sql)?.execute(params![now_ms, alert, what, doer.who, doer.peer, doer.reason])?;
    Ok(())
}
