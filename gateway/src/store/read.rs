//! Queries of the API, each on a connection that only reads.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::{Connection, Row, params};

use super::borders::{self, BorderRow};
use super::evidence::{self, ExhibitRow};
use super::fixes;
use super::lamps::{self, LampRow, LampTicket};
use super::rows::{self, FigureRow};
use super::{CategoryRow, FindingRow, StoreError, classes, connect, mutes, passages, spool, tickets, works};
use crate::config::Severity;
use crate::nouns::{
    ClassCase, Confidence, CountedTicket, EvidenceKind, Fix, Missing, Place, Silence, Standing, Story, Ticket,
    WorkOrder,
};

/// Rows that one answer carries at the most.
const ROWS_MAX: u32 = 1000;

/// Connections for reading, taken in turn. A query waits for its connection, never for the writer (WAL).
pub struct Reader {
    conns: Vec<Mutex<Connection>>,
    folder: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketQuery {
    /// Only tickets of this standing, or of more.
    pub least: Standing,
    /// Only tickets with a number below this one: the next page.
    pub before: Option<u64>,
    /// 0 = no limit (used by the restart only).
    pub limit: u32,
}

impl Default for TicketQuery {
    fn default() -> Self {
        TicketQuery { least: Standing::Ended, before: None, limit: 0 }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlertRow {
    pub id: String,
    pub rule: String,
    pub source: String,
    pub fence: Option<String>,
    pub name: String,
    pub severity: Severity,
    pub category: String,
    pub since_at_ms: i64,
    pub opened_ms: i64,
    pub cleared_ms: Option<i64>,
    pub cleared_why: Option<String>,
    pub place: Place,
    pub why: String,
    pub figures: Vec<FigureRow>,
    pub snapshot: Option<EvidenceRow>,
    pub clip: Option<EvidenceRow>,
    pub hold: Option<HoldRow>,
    pub confidence: Option<Confidence>,
    /// What mutes it, where it makes no ticket for now.
    pub muted_by: Option<String>,
}

/// A picture or clip that an alert has, or had.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceRow {
    /// Its file, or why there is none.
    pub file: Result<String, Missing>,
    /// Of the file, also when it is gone.
    pub sha256: Option<String>,
}

/// Why an alert's evidence is kept whatever its age.
#[derive(Debug, Clone, PartialEq)]
pub struct HoldRow {
    pub who: String,
    pub reason: String,
    pub held_ms: i64,
}

/// What somebody did with an alert's evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    pub seq: i64,
    pub at_ms: i64,
    pub alert: String,
    pub what: String,
    pub who: String,
    pub peer: String,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    pub seq: i64,
    pub ticket: u64,
    pub no: u64,
    pub at_ms: i64,
    pub who: String,
    pub what: String,
    pub note: String,
}

impl Reader {
    pub fn open(folder: &Path, n_connections: usize) -> Result<Reader, StoreError> {
        let conns = (0..n_connections.max(1))
            .map(|_| {
                let conn = connect(folder)?;
                conn.pragma_update(None, "query_only", true)?;
                Ok(Mutex::new(conn))
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(Reader { conns, folder: folder.to_path_buf() })
    }

    /// The database is of this program's version: a reader brings no older one up to it.
    pub fn check_version(&self) -> Result<(), StoreError> {
        self.with(super::check_version)
    }

    pub fn tickets(&self, query: &TicketQuery) -> Result<Vec<Ticket>, StoreError> {
        let limit = if query.limit == 0 { ROWS_MAX } else { query.limit.min(ROWS_MAX) };
        self.with(|conn| tickets::all(conn, &TicketQuery { limit, ..query.clone() }))
    }

    /// Borders over which tickets were handed, the busiest first.
    pub fn borders(&self, limit: u32) -> Result<Vec<BorderRow>, StoreError> {
        self.with(|conn| borders::all(conn, limit.min(ROWS_MAX)))
    }

    /// Calls `take` with the fixes from `from_ms` until before `to_ms`, of one officer or of all, in order of officer and time.
    pub fn fixes(
        &self,
        officer: Option<&str>,
        (from_ms, to_ms): (i64, i64),
        take: impl FnMut(&str, Fix),
    ) -> Result<(), StoreError> {
        self.with(|conn| fixes::each(conn, officer, (from_ms, to_ms), take))
    }

    pub fn ticket(&self, no: u64) -> Result<Option<(Ticket, Vec<JournalRow>)>, StoreError> {
        self.with(|conn| {
            let Some(ticket) = tickets::one(conn, no)? else { return Ok(None) };
            let mut statement = conn.prepare_cached(&format!("{SELECT_JOURNAL} WHERE ticket = ?1 ORDER BY no"))?;
            let journal = statement.query_map([no as i64], journal_from)?.collect::<Result<_, _>>()?;
            Ok(Some((ticket, journal)))
        })
    }

    /// Open tickets by centre and colour with those that are due first, and what was closed from `since_ms` on.
    pub fn lamps(&self, now_ms: i64, since_ms: i64, n_worst: usize) -> Result<Vec<LampRow>, StoreError> {
        self.with(|conn| lamps::all(conn, now_ms, since_ms, n_worst))
    }

    /// What the lamp board shows of these tickets, by number.
    pub fn lamp_tickets(&self, nos: &[u64]) -> Result<HashMap<u64, LampTicket>, StoreError> {
        self.with(|conn| lamps::shown(conn, nos))
    }

    /// Tickets of which anything happened, was due or was open within `from_ms..to_ms`, in rising order, each with what it
    /// went through; none where there are more than [`STORIES_MAX`](super::STORIES_MAX).
    pub fn stories(&self, from_ms: i64, to_ms: i64) -> Result<Option<Vec<Story>>, StoreError> {
        self.with(|conn| passages::stories(conn, from_ms, to_ms))
    }

    /// Newest first; those that are over, too, where asked for.
    pub fn class_cases(&self, is_all: bool, before: Option<u64>, limit: u32) -> Result<Vec<ClassCase>, StoreError> {
        self.with(|conn| classes::all(conn, is_all, before, limit.min(ROWS_MAX)))
    }

    /// A class case, its tickets in the order in which they opened, and its journal.
    pub fn class_case(&self, no: u64) -> Result<Option<classes::Whole>, StoreError> {
        self.with(|conn| classes::one(conn, no))
    }

    /// Categories of tickets that opened within `from_ms..to_ms`, those with the most first.
    pub fn categories(&self, from_ms: i64, to_ms: i64, limit: u32) -> Result<Vec<CategoryRow>, StoreError> {
        self.with(|conn| classes::categories(conn, from_ms, to_ms, limit.min(ROWS_MAX)))
    }

    /// Tickets of a category that opened within `from_ms..to_ms`, the newest first.
    pub fn happened(
        &self,
        category: &str,
        from_ms: i64,
        to_ms: i64,
        limit: u32,
    ) -> Result<Vec<CountedTicket>, StoreError> {
        self.with(|conn| classes::happened(conn, category, from_ms, to_ms, limit))
    }

    /// Newest first; those that were ended, too, where asked for.
    /// Newest first; those that were ended, too, where asked for.
    pub fn works(&self, is_all: bool, limit: u32) -> Result<Vec<WorkOrder>, StoreError> {
        self.with(|conn| works::works(conn, is_all, limit.min(ROWS_MAX)))
    }

    pub fn silences(&self, is_all: bool, limit: u32) -> Result<Vec<Silence>, StoreError> {
        self.with(|conn| mutes::silences(conn, is_all, limit.min(ROWS_MAX)))
    }

    /// What came of findings that somebody looked at, by rule.
    pub fn findings(&self) -> Result<Vec<FindingRow>, StoreError> {
        self.with(mutes::findings)
    }

    /// Journal entries of all tickets after position `after`, in the order of commits, with their tickets.
    pub fn stream(&self, after: i64, limit: u32) -> Result<Vec<(JournalRow, Ticket)>, StoreError> {
        self.with(|conn| {
            let mut statement =
                conn.prepare_cached(&format!("{SELECT_JOURNAL} WHERE seq > ?1 ORDER BY seq LIMIT ?2"))?;
            let entries: Vec<JournalRow> =
                statement.query_map(params![after, limit.min(ROWS_MAX)], journal_from)?.collect::<Result<_, _>>()?;
            let mut out = Vec::with_capacity(entries.len());
            for entry in entries {
                if let Some(ticket) = tickets::one(conn, entry.ticket)? {
                    out.push((entry, ticket));
                }
            }
            Ok(out)
        })
    }

    /// Position of the newest journal entry.
    pub fn stream_end(&self) -> Result<i64, StoreError> {
        self.with(|conn| Ok(conn.query_row("SELECT ifnull(max(seq), 0) FROM journal", [], |row| row.get(0))?))
    }

    pub fn alerts(&self, open_only: bool, limit: u32) -> Result<Vec<AlertRow>, StoreError> {
        let filter = if open_only { "WHERE cleared_ms IS NULL" } else { "" };
        self.with(|conn| {
            let sql = format!("{SELECT_ALERT} {filter} ORDER BY opened_ms DESC, id LIMIT ?1");
            let mut statement = conn.prepare_cached(&sql)?;
            let mut found = statement.query([limit.clamp(1, ROWS_MAX)])?;
            let mut out = Vec::new();
            while let Some(row) = found.next()? {
                out.push(alert_from(row)?);
            }
            Ok(out)
        })
    }

    pub fn alert(&self, id: &str) -> Result<Option<AlertRow>, StoreError> {
        self.with(|conn| {
            let mut statement = conn.prepare_cached(&format!("{SELECT_ALERT} WHERE id = ?1"))?;
            let mut found = statement.query([id])?;
            found.next()?.map(alert_from).transpose()
        })
    }

    /// Pictures of an alert beside its snapshot, in order of time.
    pub fn exhibits(&self, alert: &str) -> Result<Vec<ExhibitRow>, StoreError> {
        self.with(|conn| evidence::of(conn, alert))
    }

    /// Where a file of evidence is.
    pub fn evidence_path(&self, file: &str) -> PathBuf {
        self.folder.join("evidence").join(file)
    }

    /// Files and bytes of a kind of evidence.
    pub fn evidence_used(&self, kind: EvidenceKind) -> Result<(u64, u64), StoreError> {
        self.with(|conn| {
            let mut statement = conn.prepare_cached("SELECT files, bytes FROM evidence_used WHERE kind = ?1")?;
            let used =
                statement.query_row([kind.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
            Ok((used.0.unsigned_abs(), used.1.unsigned_abs()))
        })
    }

    /// What was done with evidence, newest first: all of it or an alert's, before entry `before`.
    pub fn audit(&self, alert: Option<&str>, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        self.with(|conn| {
            let filter = if alert.is_some() { "alert = ?1" } else { "?1 IS NULL" };
            let sql = format!(
                "SELECT seq, at_ms, alert, what, who, peer, reason FROM audit WHERE {filter} AND seq < ?2
                 ORDER BY seq DESC LIMIT ?3"
            );
            let mut statement = conn.prepare_cached(&sql)?;
            let rows =
                statement.query_map(params![alert, before.unwrap_or(i64::MAX), limit.clamp(1, ROWS_MAX)], |row| {
                    Ok(AuditRow {
                        seq: row.get(0)?,
                        at_ms: row.get(1)?,
                        alert: row.get(2)?,
                        what: row.get(3)?,
                        who: row.get(4)?,
                        peer: row.get(5)?,
                        reason: row.get(6)?,
                    })
                })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Deliveries that wait and that were given up, by receiver.
    pub fn outbox_counts(&self) -> Result<Vec<(String, u64, u64)>, StoreError> {
        self.with(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT receiver, sum(failed = 0), sum(failed = 1) FROM outbox GROUP BY receiver ORDER BY receiver",
            )?;
            let counts = statement.query_map([], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs(), row.get::<_, i64>(2)?.unsigned_abs()))
            })?;
            Ok(counts.collect::<Result<_, _>>()?)
        })
    }

    /// Readings that wait for the series database.
    pub fn spool_lines(&self) -> Result<u64, StoreError> {
        self.with(spool::n_waiting)
    }

    pub(super) fn with<T>(&self, query: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let conn = match self.conns.iter().find_map(|conn| conn.try_lock().ok()) {
            Some(conn) => conn,
            None => self.conns[0].lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        };
        query(&conn)
    }
}

const SELECT_JOURNAL: &str = "SELECT seq, ticket, no, at_ms, who, what, note FROM journal";

pub(super) const SELECT_ALERT: &str =
    "SELECT id, rule, source, fence, name, severity, category, since_at_ms, opened_ms, \
     cleared_ms, cleared_why, place_name, lon, lat, why, figures, sight, hold.who, hold.reason, held_ms,
     snapshot.file, snapshot.sha256, snapshot.missing, clip.file, clip.sha256, clip.missing,
     alert.confidence, confidence_why, muted_by, accuracy_m FROM alert
     LEFT JOIN withheld ON withheld.alert = id
     LEFT JOIN hold ON hold.alert = id
     LEFT JOIN evidence AS snapshot ON snapshot.alert = id AND snapshot.kind = 'snapshot' AND snapshot.no = 0
     LEFT JOIN evidence AS clip ON clip.alert = id AND clip.kind = 'clip' AND clip.no = 0";

pub(super) fn alert_from(row: &Row) -> Result<AlertRow, StoreError> {
    Ok(AlertRow {
        id: row.get(0)?,
        rule: row.get(1)?,
        source: row.get(2)?,
        fence: row.get(3)?,
        name: row.get(4)?,
        severity: severity_from("alert", &row.get::<_, String>(5)?)?,
        category: row.get(6)?,
        since_at_ms: row.get(7)?,
        opened_ms: row.get(8)?,
        cleared_ms: row.get(9)?,
        cleared_why: row.get(10)?,
        place: place_from(row, 11, (16, 29))?,
        why: row.get(14)?,
        figures: rows::figures_from_json(&row.get::<_, String>(15)?),
        snapshot: evidence_from(row, 20)?,
        clip: evidence_from(row, 23)?,
        hold: hold_from(row)?,
        confidence: confidence_from(row, 26)?,
        muted_by: row.get(28)?,
    })
}

/// File, hash and what is missing, in three columns from `first`.
fn evidence_from(row: &Row, first: usize) -> Result<Option<EvidenceRow>, StoreError> {
    let (file, sha256): (Option<String>, Option<String>) = (row.get(first)?, row.get(first + 1)?);
    let missing: Option<String> = row.get(first + 2)?;
    let file = match (file, missing) {
        (Some(file), _) => Ok(file),
        (None, None) => return Ok(None),
        (None, Some(missing)) => Err(Missing::parse(&missing)
            .ok_or_else(|| StoreError::Row { table: "evidence", what: format!("unknown reason {missing:?}") })?),
    };
    Ok(Some(EvidenceRow { file, sha256 }))
}

fn hold_from(row: &Row) -> rusqlite::Result<Option<HoldRow>> {
    let Some(who) = row.get(17)? else { return Ok(None) };
    Ok(Some(HoldRow { who, reason: row.get(18)?, held_ms: row.get(19)? }))
}

fn journal_from(row: &Row) -> rusqlite::Result<JournalRow> {
    Ok(JournalRow {
        seq: row.get(0)?,
        ticket: row.get::<_, i64>(1)?.unsigned_abs(),
        no: row.get::<_, i64>(2)?.unsigned_abs(),
        at_ms: row.get(3)?,
        who: row.get(4)?,
        what: row.get(5)?,
        note: row.get(6)?,
    })
}

/// Share and words in two columns from `first`.
pub(super) fn confidence_from(row: &Row, first: usize) -> rusqlite::Result<Option<Confidence>> {
    let (share, why): (Option<f64>, Option<String>) = (row.get(first)?, row.get(first + 1)?);
    Ok(share.zip(why).map(|(share, why)| Confidence { share, why: why.into() }))
}

pub(super) fn severity_from(table: &'static str, text: &str) -> Result<Severity, StoreError> {
    rows::severity(text).ok_or_else(|| StoreError::Row { table, what: format!("unknown severity {text:?}") })
}

/// Name, longitude and latitude in three columns from `first`; how a camera sees it, and how far off it may be, elsewhere.
pub(super) fn place_from(row: &Row, first: usize, (sight, accuracy): (usize, usize)) -> rusqlite::Result<Place> {
    let (lon, lat): (Option<f64>, Option<f64>) = (row.get(first + 1)?, row.get(first + 2)?);
    Ok(Place {
        name: row.get::<_, Option<String>>(first)?.map(Into::into),
        point: lon.zip(lat),
        accuracy_m: row.get(accuracy)?,
        sight: rows::sight_from_json(row.get(sight)?),
    })
}
