//! Tickets as rows, their journals and their alerts.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};

use super::read::{confidence_from, place_from, severity_from};
use super::{Commit, StoreError, TicketQuery, rows};
use crate::config::Limit;
use crate::nouns::{Call, Clock, Counts, Extension, JournalEntry, Runs, Stage, Standing, Storm, Ticket};

/// In the order in which [`values`] writes them and [`from_row`] reads them.
const COLUMNS: &str = "no, alert, rule, source, fence, title, why, severity, category, place_name, lon, lat, sight, accuracy_m, confidence, confidence_why, stage, \
     standing, held, is_emergency, centre, lead, unit, handlers, opened_ms, closed_ms, whole_runs, \
     whole_budget_ms, whole_yellow_ms, due_ms, whole_left_ms, whole_n_told, step_runs, step_budget_ms, \
     step_yellow_ms, step_due_ms, step_left_ms, step_n_told, extension_who, extension_limit, into_ticket, \
     n_alerts, n_alerts_on, storm, returned, reassigned, disputed, extended, suspended, reworked, supervised, \
     escalated, handed_over, unanswered, score, n_journal, beside, officer, lease_ms, call_escalation, call_step, \
     call_since_ms, call_next_ms, call_n_rung, is_private, is_force_majeure";

pub(super) fn write(transaction: &Transaction, commit: &Commit) -> Result<(), StoreError> {
    let marks = COLUMNS.split(',').map(|_| "?").collect::<Vec<_>>().join(", ");
    let mut statement =
        transaction.prepare_cached(&format!("INSERT OR REPLACE INTO ticket ({COLUMNS}) VALUES ({marks})"))?;
    for ticket in &commit.tickets {
        statement.execute(params_from_iter(values(ticket)))?;
    }
    let mut statement = transaction.prepare_cached("INSERT OR REPLACE INTO member (alert, ticket) VALUES (?1, ?2)")?;
    for (alert, ticket) in &commit.members {
        statement.execute(params![alert, *ticket as i64])?;
    }
    let mut statement = transaction.prepare_cached("UPDATE member SET ticket = ?2 WHERE ticket = ?1")?;
    for (from, into) in &commit.adopted {
        statement.execute(params![*from as i64, *into as i64])?;
    }
    let mut statement = transaction
        .prepare_cached("INSERT INTO journal (ticket, no, at_ms, who, what, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for entry in &commit.journal {
        let JournalEntry { ticket, no, at_ms, who, what, note } = entry;
        statement.execute(params![*ticket as i64, *no as i64, at_ms, who, what, note])?;
    }
    Ok(())
}

pub(super) fn all(conn: &Connection, query: &TicketQuery) -> Result<Vec<Ticket>, StoreError> {
    // In the words of the partial indexes.
    let standing = match query.least {
        Standing::Ended => "",
        Standing::Settled => "AND standing > 0",
        Standing::Open => "AND standing = 2",
    };
    let sql = format!("SELECT {COLUMNS} FROM ticket WHERE no < ?1 {standing} ORDER BY no DESC LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let before = query.before.map_or(i64::MAX, |no| i64::try_from(no).unwrap_or(i64::MAX));
    let limit = if query.limit == 0 { -1 } else { i64::from(query.limit) };
    let mut found = statement.query(params![before, limit])?;
    let mut out = Vec::new();
    while let Some(row) = found.next()? {
        out.push(from_row(row)?);
    }
    Ok(out)
}

pub(super) fn one(conn: &Connection, no: u64) -> Result<Option<Ticket>, StoreError> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM ticket WHERE no = ?1"))?;
    let found = statement.query_row([no as i64], |row| Ok(from_row(row))).optional()?;
    found.transpose()
}

/// The alerts that are on and have a ticket that may take a move yet.
pub(super) fn members(conn: &Connection) -> Result<Vec<(Arc<str>, u64)>, StoreError> {
    let mut statement = conn.prepare(
        "SELECT member.alert, member.ticket FROM ticket JOIN member ON member.ticket = ticket.no
         JOIN alert ON alert.id = member.alert WHERE ticket.standing > 0 AND alert.cleared_ms IS NULL",
    )?;
    let found =
        statement.query_map([], |row| Ok((row.get::<_, String>(0)?.into(), row.get::<_, i64>(1)?.unsigned_abs())))?;
    Ok(found.collect::<Result<_, _>>()?)
}

pub(super) fn stage_of(text: &str) -> Result<Stage, StoreError> {
    Stage::parse(text).ok_or_else(|| StoreError::Row { table: "ticket", what: format!("unknown stage {text:?}") })
}

fn values(ticket: &Ticket) -> Vec<Value> {
    let text = |text: &str| Value::Text(text.to_owned());
    let maybe = |text: Option<&str>| text.map_or(Value::Null, |text| Value::Text(text.to_owned()));
    let whole = |n: u64| Value::Integer(n as i64);
    let flag = |is_set: bool| Value::Integer(i64::from(is_set));
    let number = |n: Option<i64>| n.map_or(Value::Null, Value::Integer);
    let real = |x: Option<f64>| x.map_or(Value::Null, Value::Real);
    let (point, step) = (ticket.place.point, ticket.step.as_ref());
    let mut out = vec![
        whole(ticket.no),
        text(&ticket.alert),
        text(&ticket.rule),
        text(&ticket.source),
        maybe(ticket.fence.as_deref()),
        text(&ticket.title),
        text(&ticket.why),
        text(ticket.severity.as_str()),
        text(&ticket.category),
        maybe(ticket.place.name.as_deref()),
        real(point.map(|(lon, _)| lon)),
        real(point.map(|(_, lat)| lat)),
        rows::sight_to_json(ticket.place.sight.as_deref()).map_or(Value::Null, Value::Text),
        real(ticket.place.accuracy_m),
        real(ticket.confidence.as_ref().map(|confidence| confidence.share)),
        maybe(ticket.confidence.as_ref().map(|confidence| &*confidence.why)),
        text(ticket.stage.as_str()),
        Value::Integer(ticket.stage.standing() as i64),
        maybe(ticket.held.map(Stage::as_str)),
        flag(ticket.is_emergency),
        text(&ticket.centre),
        maybe(ticket.lead.as_deref()),
        maybe(ticket.unit.as_deref()),
        text(&names_to_json(&ticket.handlers)),
        Value::Integer(ticket.opened_ms),
        number(ticket.closed_ms),
        text(ticket.whole.runs.as_str()),
        Value::Integer(ticket.whole.budget_ms),
        Value::Integer(ticket.whole.yellow_ms),
        Value::Integer(ticket.whole.due_ms),
        number(ticket.whole.left_ms),
        whole(ticket.whole.n_told.into()),
        maybe(step.map(|step| step.runs.as_str())),
        number(step.map(|step| step.budget_ms)),
        number(step.map(|step| step.yellow_ms)),
        number(step.map(|step| step.due_ms)),
        number(step.and_then(|step| step.left_ms)),
        number(step.map(|step| step.n_told.into())),
        maybe(ticket.extension.as_ref().map(|extension| &*extension.who)),
        ticket.extension.as_ref().map_or(Value::Null, |extension| Value::Text(extension.limit.to_string())),
        number(ticket.into.map(|into| into as i64)),
        whole(ticket.n_alerts),
        whole(ticket.n_alerts_on),
        maybe(ticket.storm.map(Storm::as_str)),
    ];
    out.extend(ticket.counts.named().map(|(_, n)| whole(n.into())));
    out.push(number(ticket.score.map(i64::from)));
    out.push(whole(ticket.n_journal));
    out.push(text(&names_to_json(&ticket.beside)));
    out.push(maybe(ticket.officer.as_deref()));
    out.push(number(ticket.lease_ms));
    let call = ticket.call.as_ref();
    out.push(maybe(call.map(|call| &*call.escalation)));
    out.push(number(call.map(|call| call.step as i64)));
    out.push(number(call.map(|call| call.since_ms)));
    out.push(number(call.map(|call| call.next_ms)));
    out.push(number(call.map(|call| call.n_rung.into())));
    out.push(flag(ticket.is_private));
    out.push(flag(ticket.is_force_majeure));
    out
}

/// Takes a row's columns one after the other.
struct Columns<'a, 'b> {
    row: &'a Row<'b>,
    at: usize,
}

impl Columns<'_, '_> {
    fn next<T: rusqlite::types::FromSql>(&mut self) -> rusqlite::Result<T> {
        self.at += 1;
        self.row.get(self.at - 1)
    }

    fn text(&mut self) -> rusqlite::Result<Arc<str>> {
        Ok(self.next::<String>()?.into())
    }

    fn maybe(&mut self) -> rusqlite::Result<Option<Arc<str>>> {
        Ok(self.next::<Option<String>>()?.map(Into::into))
    }

    fn count(&mut self) -> rusqlite::Result<u64> {
        Ok(self.next::<i64>()?.unsigned_abs())
    }

    fn small(&mut self) -> rusqlite::Result<u32> {
        Ok(u32::try_from(self.next::<i64>()?).unwrap_or(u32::MAX))
    }
}

fn from_row(row: &Row) -> Result<Ticket, StoreError> {
    let bad = |what: String| StoreError::Row { table: "ticket", what };
    let runs_of = |text: &str| Runs::parse(text).ok_or_else(|| bad(format!("unknown runs {text:?}")));
    let mut c = Columns { row, at: 0 };
    // Fields in the order of COLUMNS: they are evaluated as they are written.
    Ok(Ticket {
        no: c.count()?,
        alert: c.text()?,
        rule: c.text()?,
        source: c.text()?,
        fence: c.maybe()?,
        title: c.text()?,
        why: c.text()?,
        severity: severity_from("ticket", &c.text()?)?,
        category: c.text()?,
        place: {
            c.at += 5;
            place_from(row, c.at - 5, (c.at - 2, c.at - 1))?
        },
        confidence: {
            c.at += 2;
            confidence_from(row, c.at - 2)?
        },
        stage: stage_of(&c.text()?)?,
        held: {
            // What stands before it follows from the stage.
            c.at += 1;
            c.maybe()?.as_deref().map(stage_of).transpose()?
        },
        is_emergency: c.next()?,
        centre: c.text()?,
        lead: c.maybe()?,
        unit: c.maybe()?,
        handlers: names_from_json(&c.text()?)?,
        opened_ms: c.next()?,
        closed_ms: c.next()?,
        whole: Clock {
            runs: runs_of(&c.text()?)?,
            budget_ms: c.next()?,
            yellow_ms: c.next()?,
            due_ms: c.next()?,
            left_ms: c.next()?,
            n_told: c.small()?,
        },
        step: match c.maybe()? {
            Some(runs) => Some(Clock {
                runs: runs_of(&runs)?,
                budget_ms: c.next()?,
                yellow_ms: c.next()?,
                due_ms: c.next()?,
                left_ms: c.next()?,
                n_told: c.small()?,
            }),
            None => {
                c.at += 5;
                None
            }
        },
        extension: match (c.maybe()?, c.maybe()?) {
            (Some(who), Some(limit)) => {
                let known = Limit::parse(&limit).ok_or_else(|| bad(format!("unknown limit {limit:?}")))?;
                Some(Extension { who, limit: known })
            }
            _ => None,
        },
        into: c.next::<Option<i64>>()?.map(i64::unsigned_abs),
        n_alerts: c.count()?,
        n_alerts_on: c.count()?,
        storm: c.maybe()?.as_deref().and_then(Storm::parse),
        counts: Counts {
            returned: c.small()?,
            reassigned: c.small()?,
            disputed: c.small()?,
            extended: c.small()?,
            suspended: c.small()?,
            reworked: c.small()?,
            supervised: c.small()?,
            escalated: c.small()?,
            handed_over: c.small()?,
            unanswered: c.small()?,
        },
        score: c.next()?,
        n_journal: c.count()?,
        beside: names_from_json(&c.text()?)?,
        officer: c.maybe()?,
        lease_ms: c.next()?,
        call: match c.maybe()? {
            Some(escalation) => Some(Call {
                escalation,
                step: c.small()? as usize,
                since_ms: c.next()?,
                next_ms: c.next()?,
                n_rung: c.small()?,
            }),
            None => {
                c.at += 4;
                None
            }
        },
        is_private: c.next()?,
        is_force_majeure: c.next()?,
    })
}

fn names_to_json(names: &[Arc<str>]) -> String {
    serde_json::json!(names.iter().map(|name| &**name).collect::<Vec<_>>()).to_string()
}

fn names_from_json(text: &str) -> Result<Vec<Arc<str>>, StoreError> {
    let bad = |cause: serde_json::Error| StoreError::Row { table: "ticket", what: cause.to_string() };
    let names: Vec<String> = serde_json::from_str(text).map_err(bad)?;
    Ok(names.into_iter().map(Into::into).collect())
}
