//! What a gateway leaves in its folder, without what stems from its own clock: two runs over the same messages leave
//! the same.
//!
//! Left out, of every alert: `opened_ms` and `cleared_ms` (only whether it cleared stays); of every ticket:
//! `opened_ms`, `due_ms`, `closed_ms`; of every journal entry: `at_ms` and the row's position `seq` (its number
//! within the ticket stays). Of alerts on undated sources also `since_at_ms`, and with it the identity, which is a
//! hash of it: they are named by their rule, source and order instead.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use outpost::nouns::Ticket;
use outpost::store::{AlertRow, Reader, TicketQuery};

use super::day::UNDATED;

/// One line for each alert and each ticket, in the order of ticket numbers.
pub(crate) struct Left {
    pub(crate) lines: Vec<String>,
    pub(crate) n_alerts: usize,
    pub(crate) n_cleared: usize,
}

/// Reads the store of a gateway, running or not, and checks what must hold in any run: ticket numbers dense from 1,
/// each ticket with an alert of its own and the other way round, journals dense, one open alert per key.
pub(crate) fn left_in(folder: &Path) -> Left {
    let reader = Reader::open(folder, 1).unwrap();
    let alerts = reader.alerts(false, 1000).unwrap();
    assert!(alerts.len() < 1000, "more alerts than one answer of the store carries");
    let by_id: HashMap<&str, &AlertRow> = alerts.iter().map(|alert| (alert.id.as_str(), alert)).collect();
    let mut tickets = reader.tickets(&TicketQuery { limit: 1000, ..TicketQuery::default() }).unwrap();
    tickets.reverse();
    let numbers: Vec<u64> = tickets.iter().map(|ticket| ticket.no).collect();
    assert_eq!(numbers, (1..=alerts.len() as u64).collect::<Vec<_>>(), "ticket numbers, for {} alerts", alerts.len());

    let mut open = BTreeMap::new();
    let mut lines = Vec::new();
    for ticket in &tickets {
        let alert = by_id[&*ticket.alert];
        let key = (&alert.rule, &alert.source, &alert.fence);
        if alert.cleared_ms.is_none() {
            let other = open.insert(key, &alert.id);
            assert!(other.is_none(), "two open alerts of {key:?}");
        }
        let identity = match UNDATED.iter().any(|undated| alert.source.starts_with(undated)) {
            true => "undated".to_owned(),
            false => format!("{} since {}", alert.id, alert.since_at_ms),
        };
        let AlertRow { name, severity, category, why, figures, cleared_why, place, .. } = alert;
        assert_eq!(ticket.alert_cleared(), alert.cleared_ms.is_some(), "T-{}", ticket.no);
        lines.push(format!(
            "T-{} {key:?} {identity} {name:?} {severity:?} {category:?} {why:?} {figures:?} {place:?} cleared {cleared_why:?}",
            ticket.no
        ));
        let (again, journal) = reader.ticket(ticket.no).unwrap().unwrap();
        assert_eq!(again.n_journal, journal.len() as u64, "T-{}", ticket.no);
        for (entry, no) in journal.iter().zip(1..) {
            assert_eq!((entry.ticket, entry.no), (ticket.no, no));
            lines.push(format!("T-{}/{no} {} {} {:?}", ticket.no, entry.who, entry.what, entry.note));
        }
        let whose = (&ticket.centre, &ticket.beside);
        lines.push(format!(
            "T-{} {:?} {:?} {:?} {:?} {whose:?}",
            ticket.no, ticket.title, ticket.why, ticket.stage, ticket.unit
        ));
    }
    let fix = |officer: &str, fix| lines.push(format!("{officer} {fix:?}"));
    reader.fixes(None, (i64::MIN, i64::MAX), fix).unwrap();
    let n_cleared = alerts.iter().filter(|alert| alert.cleared_ms.is_some()).count();
    Left { lines, n_alerts: alerts.len(), n_cleared }
}

/// The same where storms and inhibits gather alerts: what must hold in any run is that each alert is in one ticket or withheld.
pub(crate) fn gathered_in(folder: &Path) -> Left {
    let reader = Reader::open(folder, 1).unwrap();
    let alerts = reader.alerts(false, 1000).unwrap();
    assert!(alerts.len() < 1000, "more alerts than one answer of the store carries");
    let store = rusqlite::Connection::open(folder.join("outpost.db")).unwrap();
    let read = |sql: &str| -> HashMap<String, String> {
        let mut statement = store.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let members = read("SELECT alert, CAST(ticket AS TEXT) FROM member");
    let withheld = read("SELECT alert, muted_by FROM withheld");
    let mut gathered = BTreeMap::<(String, String, String), u64>::new();
    for alert in &alerts {
        let whose = match (members.get(&alert.id), withheld.get(&alert.id)) {
            (Some(ticket), None) => format!("T-{ticket}"),
            (None, Some(_)) => "withheld".to_owned(),
            // It was over before what muted it.
            (None, None) if alert.cleared_ms.is_some() => "muted to its end".to_owned(),
            (ticket, by) => panic!("{} {} is in {ticket:?} and withheld by {by:?}", alert.rule, alert.source),
        };
        *gathered.entry((whose, alert.rule.clone(), alert.source.clone())).or_default() += 1;
    }
    let mut lines: Vec<String> = gathered.iter().map(|(what, n)| format!("{what:?} {n} times")).collect();
    let mut tickets = reader.tickets(&TicketQuery { limit: 1000, ..TicketQuery::default() }).unwrap();
    tickets.reverse();
    for ticket in &tickets {
        let n = members.values().filter(|no| **no == ticket.no.to_string()).count() as u64;
        let (again, journal) = reader.ticket(ticket.no).unwrap().unwrap();
        assert_eq!(again.n_journal, journal.len() as u64, "T-{}", ticket.no);
        // What went into a storm has its alerts there.
        assert_eq!(n, if again.into.is_some() { 0 } else { again.n_alerts }, "T-{}", ticket.no);
        let told: Vec<String> =
            journal.iter().map(|entry| format!("{} {} {:?}", entry.who, entry.what, entry.note)).collect();
        let Ticket { no, rule, source, stage, storm, n_alerts_on, into, .. } = &again;
        lines.push(format!("T-{no} {rule} {source} {stage:?} {storm:?} {n_alerts_on} on, into {into:?}: {told:?}"));
    }
    let n_cleared = alerts.iter().filter(|alert| alert.cleared_ms.is_some()).count();
    Left { lines, n_alerts: alerts.len(), n_cleared }
}

impl Left {
    /// The same whichever of the tickets of one moment came first: what a pipeline of several shards leaves.
    pub(crate) fn unnumbered(mut self) -> Left {
        for line in &mut self.lines {
            *line = line.trim_start_matches("T-").trim_start_matches(|letter: char| letter.is_ascii_digit()).to_owned();
        }
        self.lines.sort();
        self
    }
}

/// Both as they are, or the first differences in words.
pub(crate) fn assert_same(wanted: &Left, got: &Left) {
    let differs = wanted.lines.iter().zip(&got.lines).position(|(wanted, got)| wanted != got);
    let at = differs.unwrap_or(wanted.lines.len().min(got.lines.len()));
    let some = |left: &Left| left.lines[at..left.lines.len().min(at + 6)].join("\n  ");
    assert!(
        wanted.lines == got.lines,
        "{} alerts undisturbed, {} after the kills; from line {at} of {} and {} on:\nundisturbed\n  {}\nkilled\n  {}",
        wanted.n_alerts,
        got.n_alerts,
        wanted.lines.len(),
        got.lines.len(),
        some(wanted),
        some(got)
    );
}
