//! Queries of the API, each on a connection that only reads.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::{Connection, Row, params};

use super::evidence::{self, ExhibitRow};
use super::rows::{self, FigureRow};
use super::tickets::{ClosedRow, LampRow};
use super::{FindingRow, StoreError, connect, mutes, spool, tickets};
use crate::config::Severity;
use crate::nouns::{Confidence, Place, Silence, Standing, Ticket};

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
    pub evidence_file: Option<String>,
    pub evidence_sha256: Option<String>,
    pub confidence: Option<Confidence>,
    /// What mutes it, where it makes no ticket for now.
    pub muted_by: Option<String>,
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

    pub fn tickets(&self, query: &TicketQuery) -> Result<Vec<Ticket>, StoreError> {
        let limit = if query.limit == 0 { ROWS_MAX } else { query.limit.min(ROWS_MAX) };
        self.with(|conn| tickets::all(conn, &TicketQuery { limit, ..query.clone() }))
    }

    pub fn ticket(&self, no: u64) -> Result<Option<(Ticket, Vec<JournalRow>)>, StoreError> {
        self.with(|conn| {
            let Some(ticket) = tickets::one(conn, no)? else { return Ok(None) };
            let mut statement = conn.prepare_cached(&format!("{SELECT_JOURNAL} WHERE ticket = ?1 ORDER BY no"))?;
            let journal = statement.query_map([no as i64], journal_from)?.collect::<Result<_, _>>()?;
            Ok(Some((ticket, journal)))
        })
    }

    /// All open tickets, as the lamp board sees them.
    pub fn lamps(&self) -> Result<Vec<LampRow>, StoreError> {
        self.with(tickets::lamps)
    }

    /// How many tickets each centre closed since then, in time and late.
    pub fn closed_since(&self, since_ms: i64) -> Result<Vec<ClosedRow>, StoreError> {
        self.with(|conn| tickets::closed_since(conn, since_ms))
    }

    /// Newest first; those that were ended, too, where asked for.
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

    pub fn exhibit_path(&self, exhibit: &ExhibitRow) -> PathBuf {
        self.folder.join("evidence").join(&exhibit.file)
    }

    /// Where the evidence of an alert is, if it has any.
    pub fn evidence_path(&self, alert: &AlertRow) -> Option<PathBuf> {
        alert.evidence_file.as_ref().map(|name| self.folder.join("evidence").join(name))
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

    fn with<T>(&self, query: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let conn = match self.conns.iter().find_map(|conn| conn.try_lock().ok()) {
            Some(conn) => conn,
            None => self.conns[0].lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        };
        query(&conn)
    }
}

const SELECT_JOURNAL: &str = "SELECT seq, ticket, no, at_ms, who, what, note FROM journal";

pub(super) const SELECT_ALERT: &str = "SELECT id, rule, source, fence, name, severity, category, since_at_ms, opened_ms, \
     cleared_ms, cleared_why, place_name, lon, lat, why, figures, evidence_file, evidence_sha256, sight, \
     confidence, confidence_why, (SELECT muted_by FROM withheld WHERE withheld.alert = alert.id) FROM alert";

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
        place: place_from(row, 11, 18)?,
        why: row.get(14)?,
        figures: rows::figures_from_json(&row.get::<_, String>(15)?),
        evidence_file: row.get(16)?,
        evidence_sha256: row.get(17)?,
        confidence: rows::confidence(row.get(19)?, row.get::<_, Option<String>>(20)?.map(Into::into)),
        muted_by: row.get(21)?,
    })
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

pub(super) fn severity_from(table: &'static str, text: &str) -> Result<Severity, StoreError> {
    rows::severity(text).ok_or_else(|| StoreError::Row { table, what: format!("unknown severity {text:?}") })
}

/// Name, longitude and latitude in three columns from `first`, and how a camera sees it.
pub(super) fn place_from(row: &Row, first: usize, sight: usize) -> rusqlite::Result<Place> {
    let (lon, lat): (Option<f64>, Option<f64>) = (row.get(first + 1)?, row.get(first + 2)?);
    Ok(Place {
        name: row.get::<_, Option<String>>(first)?.map(Into::into),
        point: lon.zip(lat),
        sight: rows::sight_from_json(row.get(sight)?),
    })
}
