//! Class cases with their tickets and journals, and tickets by where and when they opened.

use std::sync::Arc;

use rusqlite::{Connection, Row, Transaction, params};

use super::StoreError;
use crate::nouns::{ClassCase, ClassChange, ClassEntry, ClassStage, CountedTicket};

const COLUMNS: &str = "no, category, grid, place_name, lon, lat, stage, opened_ms, ended_ms, n_tickets, n_journal";

/// In the words of SQL: tickets that turned out to be none, that nobody believes yet, or that are part of others.
const UNCOUNTED: &str = "('suspected', 'rejected', 'refused', 'not-filed', 'merged')";

/// What a restart goes on from.
#[derive(Debug, Default)]
pub struct RestoredClasses {
    /// Those that are open.
    pub cases: Vec<ClassCase>,
    pub last_no: u64,
    /// Tickets that may count yet.
    pub counted: Vec<CountedTicket>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ClassEntryRow {
    pub no: u64,
    pub at_ms: i64,
    pub who: String,
    pub what: String,
    pub note: String,
}

/// A category with how many of its tickets there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryRow {
    pub category: String,
    pub n: u64,
}

pub(super) fn write(transaction: &Transaction, changes: &[ClassChange]) -> Result<(), StoreError> {
    for change in changes {
        match change {
            ClassChange::Case(case) => write_case(transaction, case)?,
            ClassChange::Journal(ClassEntry { class, no, at_ms, who, what, note }) => {
                let sql =
                    "INSERT INTO class_journal (class, no, at_ms, who, what, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                let values = params![*class as i64, *no as i64, at_ms, who, what, note];
                transaction.prepare_cached(sql)?.execute(values)?;
            }
            ClassChange::Member { ticket, class } => {
                let sql = "INSERT OR REPLACE INTO class_member (ticket, class) VALUES (?1, ?2)";
                transaction.prepare_cached(sql)?.execute(params![*ticket as i64, *class as i64])?;
            }
            ClassChange::Leaves { ticket } => {
                let sql = "DELETE FROM class_member WHERE ticket = ?1";
                transaction.prepare_cached(sql)?.execute([*ticket as i64])?;
            }
        }
    }
    Ok(())
}

fn write_case(transaction: &Transaction, case: &ClassCase) -> Result<(), StoreError> {
    let sql =
        format!("INSERT OR REPLACE INTO class_case ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    transaction.prepare_cached(&sql)?.execute(params![
        case.no as i64,
        case.category,
        case.grid,
        case.place,
        case.point.map(|(lon, _)| lon),
        case.point.map(|(_, lat)| lat),
        case.stage.as_str(),
        case.opened_ms,
        case.ended_ms,
        case.n_tickets as i64,
        case.n_journal as i64,
    ])?;
    Ok(())
}

/// Open cases, and tickets that opened after `since_ms`.
pub(super) fn restore(conn: &Connection, since_ms: i64) -> Result<RestoredClasses, StoreError> {
    let cases = some(conn, "WHERE ended_ms IS NULL ORDER BY no", params![])?;
    let last: i64 = conn.query_row("SELECT ifnull(max(no), 0) FROM class_case", [], |row| row.get(0))?;
    let sql = format!(
        "SELECT no, category, source, lon, lat, opened_ms, class FROM ticket LEFT JOIN class_member ON ticket = no
         WHERE opened_ms > ?1 AND category != '' AND stage NOT IN {UNCOUNTED}"
    );
    let mut statement = conn.prepare(&sql)?;
    let counted = statement.query_map([since_ms], counted_from)?.collect::<Result<_, _>>()?;
    Ok(RestoredClasses { cases, last_no: last.unsigned_abs(), counted })
}

/// Newest first; those that are over, too, where asked for.
pub(super) fn all(
    conn: &Connection,
    is_all: bool,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<ClassCase>, StoreError> {
    let filter = if is_all { "" } else { "AND ended_ms IS NULL" };
    let before = before.map_or(i64::MAX, |no| i64::try_from(no).unwrap_or(i64::MAX));
    some(conn, &format!("WHERE no < ?1 {filter} ORDER BY no DESC LIMIT ?2"), params![before, limit])
}

/// A case, its tickets in the order in which they opened, and its journal.
pub(super) type Whole = (ClassCase, Vec<CountedTicket>, Vec<ClassEntryRow>);

pub(super) fn one(conn: &Connection, no: u64) -> Result<Option<Whole>, StoreError> {
    let Some(case) = some(conn, "WHERE no = ?1", params![no as i64])?.pop() else { return Ok(None) };
    let mut statement = conn.prepare_cached(
        "SELECT ticket.no, category, source, lon, lat, opened_ms, class FROM class_member
         JOIN ticket ON ticket.no = class_member.ticket WHERE class = ?1 ORDER BY opened_ms, ticket.no",
    )?;
    let members = statement.query_map([no as i64], counted_from)?.collect::<Result<_, _>>()?;
    let mut statement =
        conn.prepare_cached("SELECT no, at_ms, who, what, note FROM class_journal WHERE class = ?1 ORDER BY no")?;
    let entry = |row: &Row| {
        let no = row.get::<_, i64>(0)?.unsigned_abs();
        Ok(ClassEntryRow { no, at_ms: row.get(1)?, who: row.get(2)?, what: row.get(3)?, note: row.get(4)? })
    };
    let journal = statement.query_map([no as i64], entry)?.collect::<Result<_, _>>()?;
    Ok(Some((case, members, journal)))
}

/// Tickets of a category that opened within `from_ms..to_ms`, the newest first.
pub(super) fn happened(
    conn: &Connection,
    category: &str,
    from_ms: i64,
    to_ms: i64,
    limit: u32,
) -> Result<Vec<CountedTicket>, StoreError> {
    let sql = format!(
        "SELECT no, category, source, lon, lat, opened_ms, class FROM ticket LEFT JOIN class_member ON ticket = no
         WHERE category = ?1 AND opened_ms >= ?2 AND opened_ms < ?3 AND stage NOT IN {UNCOUNTED}
         ORDER BY opened_ms DESC, no DESC LIMIT ?4"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_map(params![category, from_ms, to_ms, limit], counted_from)?.collect::<Result<_, _>>()?)
}

/// Categories of tickets that opened within `from_ms..to_ms`, those with the most first.
pub(super) fn categories(
    conn: &Connection,
    from_ms: i64,
    to_ms: i64,
    limit: u32,
) -> Result<Vec<CategoryRow>, StoreError> {
    let sql = format!(
        "SELECT category, count(*) AS n FROM ticket WHERE opened_ms >= ?1 AND opened_ms < ?2 AND stage NOT IN {UNCOUNTED}
         GROUP BY category ORDER BY n DESC, category LIMIT ?3"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let row = |row: &Row| Ok(CategoryRow { category: row.get(0)?, n: row.get::<_, i64>(1)?.unsigned_abs() });
    Ok(statement.query_map(params![from_ms, to_ms, limit], row)?.collect::<Result<_, _>>()?)
}

fn some(conn: &Connection, filter: &str, values: impl rusqlite::Params) -> Result<Vec<ClassCase>, StoreError> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM class_case {filter}"))?;
    let mut rows = statement.query(values)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(case_from(row)?);
    }
    Ok(out)
}

fn case_from(row: &Row) -> Result<ClassCase, StoreError> {
    let maybe = |at: usize| Ok::<Option<Arc<str>>, rusqlite::Error>(row.get::<_, Option<String>>(at)?.map(Into::into));
    let stage: String = row.get(6)?;
    let unknown = || StoreError::Row { table: "class_case", what: format!("unknown stage {stage:?}") };
    Ok(ClassCase {
        no: row.get::<_, i64>(0)?.unsigned_abs(),
        category: row.get::<_, String>(1)?.into(),
        grid: maybe(2)?,
        place: maybe(3)?,
        point: row.get::<_, Option<f64>>(4)?.zip(row.get(5)?),
        stage: ClassStage::parse(&stage).ok_or_else(unknown)?,
        opened_ms: row.get(7)?,
        ended_ms: row.get(8)?,
        n_tickets: row.get::<_, i64>(9)?.unsigned_abs(),
        n_journal: row.get::<_, i64>(10)?.unsigned_abs(),
    })
}

fn counted_from(row: &Row) -> rusqlite::Result<CountedTicket> {
    Ok(CountedTicket {
        no: row.get::<_, i64>(0)?.unsigned_abs(),
        category: row.get::<_, String>(1)?.into(),
        source: row.get::<_, String>(2)?.into(),
        point: row.get::<_, Option<f64>>(3)?.zip(row.get(4)?),
        opened_ms: row.get(5)?,
        class: row.get::<_, Option<i64>>(6)?.map(i64::unsigned_abs),
    })
}
