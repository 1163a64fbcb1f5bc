//! Open tickets as the lamp board counts them: one pass over all, without their texts.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::StoreError;
use super::read::severity_from;
use super::tickets::stage_of;
use crate::config::Severity;
use crate::nouns::{Lamp, Stage};

/// The open tickets of one centre.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LampRow {
    pub centre: String,
    pub n_green: u64,
    pub n_yellow: u64,
    pub n_red: u64,
    /// Whose clock stands.
    pub n_off: u64,
    /// Time after which the lamp is red, and number, of those that are due first.
    pub worst: Vec<(i64, u64)>,
    pub n_closed_in_time: u64,
    pub n_closed_late: u64,
}

/// What a board shows of one ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct LampTicket {
    pub title: String,
    pub severity: Severity,
    pub stage: Stage,
}

impl LampRow {
    /// Takes in what another centre has, for a board of centres with all beneath them.
    pub fn add(&mut self, other: LampRow, n_worst: usize) {
        self.n_green += other.n_green;
        self.n_yellow += other.n_yellow;
        self.n_red += other.n_red;
        self.n_off += other.n_off;
        self.n_closed_in_time += other.n_closed_in_time;
        self.n_closed_late += other.n_closed_late;
        self.worst.extend(other.worst);
        self.worst.sort_unstable();
        self.worst.truncate(n_worst);
    }

    fn count(&mut self, now_ms: i64, no: u64, times: Option<(i64, i64)>, n_worst: usize) {
        let Some((yellow_ms, due_ms)) = times else {
            self.n_off += 1;
            return;
        };
        match Lamp::at(now_ms, yellow_ms, due_ms) {
            Lamp::Off => self.n_off += 1,
            Lamp::Green => self.n_green += 1,
            Lamp::Yellow => self.n_yellow += 1,
            Lamp::Red => self.n_red += 1,
        }
        let one = (due_ms, no);
        if self.worst.len() < n_worst || self.worst.last().is_some_and(|last| one < *last) {
            let at = self.worst.partition_point(|other| *other < one);
            self.worst.insert(at, one);
            self.worst.truncate(n_worst);
        }
    }
}

/// By centre; what was closed is counted from `since_ms` on.
pub(super) fn all(conn: &Connection, now_ms: i64, since_ms: i64, n_worst: usize) -> Result<Vec<LampRow>, StoreError> {
    let mut out: Vec<LampRow> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut place = |out: &mut Vec<LampRow>, centre: &str| -> usize {
        places.get(centre).copied().unwrap_or_else(|| {
            places.insert(centre.to_owned(), out.len());
            out.push(LampRow { centre: centre.to_owned(), ..LampRow::default() });
            out.len() - 1
        })
    };
    let mut statement = conn.prepare_cached(
        "SELECT no, centre, whole_left_ms IS NULL, min(whole_yellow_ms, ifnull(step_yellow_ms, whole_yellow_ms)),
         min(due_ms, ifnull(step_due_ms, due_ms)) FROM ticket WHERE standing = 2",
    )?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let at = place(&mut out, row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?);
        let times = if row.get(2)? { Some((row.get(3)?, row.get(4)?)) } else { None };
        out[at].count(now_ms, row.get::<_, i64>(0)?.unsigned_abs(), times, n_worst);
    }
    let mut statement = conn.prepare_cached(
        "SELECT centre, sum(closed_ms <= due_ms), sum(closed_ms > due_ms) FROM ticket
         WHERE closed_ms >= ?1 AND stage IN ('closed', 'rated', 'archived') GROUP BY centre",
    )?;
    let mut found = statement.query([since_ms])?;
    while let Some(row) = found.next()? {
        let at = place(&mut out, row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?);
        out[at].n_closed_in_time = row.get::<_, i64>(1)?.unsigned_abs();
        out[at].n_closed_late = row.get::<_, i64>(2)?.unsigned_abs();
    }
    Ok(out)
}

/// What a board shows of these tickets, by number.
pub(super) fn shown(conn: &Connection, nos: &[u64]) -> Result<HashMap<u64, LampTicket>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT title, severity, stage FROM ticket WHERE no = ?1")?;
    let mut out = HashMap::new();
    for no in nos {
        let mut found = statement.query(params![*no as i64])?;
        let Some(row) = found.next()? else { continue };
        let severity = severity_from("ticket", &row.get::<_, String>(1)?)?;
        let stage = stage_of(&row.get::<_, String>(2)?)?;
        out.insert(*no, LampTicket { title: row.get(0)?, severity, stage });
    }
    Ok(out)
}
