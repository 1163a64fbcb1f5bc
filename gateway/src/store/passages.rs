//! What tickets went through, as scores ask for it: only the tickets of a period are read, by indexes.

use rusqlite::{Connection, Row, Transaction, params};

use super::StoreError;
use super::tickets::stage_of;
use crate::nouns::{Passage, Story};

/// Tickets that one answer is counted from.
pub const STORIES_MAX: usize = 200_000;

/// Tickets of which anything happened, was due or was open within `?1..?2`, in rising order.
const SOME: &str = "WITH some (no) AS (
    SELECT no FROM ticket WHERE opened_ms >= ?1 AND opened_ms < ?2
    UNION SELECT no FROM ticket WHERE due_ms >= ?1 AND due_ms < ?2
    UNION SELECT no FROM ticket WHERE standing = 2
    UNION SELECT ticket FROM passage WHERE at_ms >= ?1 AND at_ms < ?2
    UNION SELECT ticket FROM passage WHERE due_ms >= ?1 AND due_ms < ?2)";

pub(super) fn write(transaction: &Transaction, passages: &[Passage]) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO passage (ticket, no, from_stage, to_stage, at_ms, due_ms, whole_due_ms, who, unit,
         is_force_majeure) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for passage in passages {
        let Passage { ticket, no, from, to, at_ms, due_ms, whole_due_ms, who, unit, is_force_majeure } = passage;
        let (from, to) = (from.as_str(), to.as_str());
        let numbers = (*ticket as i64, *no as i64);
        statement.execute(params![
            numbers.0,
            numbers.1,
            from,
            to,
            at_ms,
            due_ms,
            whole_due_ms,
            who,
            unit,
            is_force_majeure
        ])?;
    }
    Ok(())
}

/// None where there are too many tickets.
pub(super) fn stories(conn: &Connection, from_ms: i64, to_ms: i64) -> Result<Option<Vec<Story>>, StoreError> {
    // Both of one moment.
    let transaction = conn.unchecked_transaction()?;
    let mut statement = transaction.prepare_cached(&tickets_sql())?;
    let mut rows = statement.query(params![from_ms, to_ms])?;
    let mut stories = Vec::new();
    while let Some(row) = rows.next()? {
        stories.push(story_from(row)?);
    }
    if stories.len() > STORIES_MAX {
        return Ok(None);
    }
    let mut statement = transaction.prepare_cached(&passages_sql())?;
    let mut rows = statement.query(params![from_ms, to_ms])?;
    let mut at = 0;
    while let Some(row) = rows.next()? {
        let passage = passage_from(row)?;
        while stories.get(at).is_some_and(|story| story.no < passage.ticket) {
            at += 1;
        }
        if let Some(story) = stories.get_mut(at).filter(|story| story.no == passage.ticket) {
            story.passages.push(passage);
        }
    }
    Ok(Some(stories))
}

/// `CROSS JOIN`: the few before the many, whatever the planner thinks of the order that is wanted.
pub(super) fn tickets_sql() -> String {
    format!(
        "{SOME} SELECT no, stage, centre, unit, handlers, opened_ms, due_ms, step_due_ms, extended, score
         FROM some CROSS JOIN ticket USING (no) WHERE opened_ms < ?2 ORDER BY no LIMIT {}",
        STORIES_MAX + 1
    )
}

pub(super) fn passages_sql() -> String {
    format!(
        "{SOME} SELECT ticket, passage.no, from_stage, to_stage, at_ms, due_ms, whole_due_ms, who, unit, is_force_majeure
         FROM some CROSS JOIN passage ON passage.ticket = some.no ORDER BY ticket, passage.no"
    )
}

fn story_from(row: &Row) -> Result<Story, StoreError> {
    let bad = |cause: serde_json::Error| StoreError::Row { table: "ticket", what: cause.to_string() };
    let handlers: Vec<String> = serde_json::from_str(&row.get::<_, String>(4)?).map_err(bad)?;
    Ok(Story {
        no: row.get::<_, i64>(0)?.unsigned_abs(),
        stage: stage_of(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?,
        centre: row.get::<_, String>(2)?.into(),
        unit: row.get::<_, Option<String>>(3)?.map(Into::into),
        handlers: handlers.into_iter().map(Into::into).collect(),
        opened_ms: row.get(5)?,
        due_ms: row.get(6)?,
        step_due_ms: row.get(7)?,
        n_extended: row.get(8)?,
        score: row.get(9)?,
        passages: Vec::new(),
    })
}

fn passage_from(row: &Row) -> Result<Passage, StoreError> {
    let stage = |at: usize| stage_of(row.get_ref(at)?.as_str().map_err(rusqlite::Error::from)?);
    Ok(Passage {
        ticket: row.get::<_, i64>(0)?.unsigned_abs(),
        no: row.get::<_, i64>(1)?.unsigned_abs(),
        from: stage(2)?,
        to: stage(3)?,
        at_ms: row.get(4)?,
        due_ms: row.get(5)?,
        whole_due_ms: row.get(6)?,
        who: row.get::<_, String>(7)?.into(),
        unit: row.get::<_, Option<String>>(8)?.map(Into::into),
        is_force_majeure: row.get(9)?,
    })
}
