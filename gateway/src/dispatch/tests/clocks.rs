//! Limits, lamps and what red does by itself: over nights, weekends, holidays, restarts and clock steps, and where two
//! help-desk products are known to have gone wrong.

use super::*;
use crate::nouns::{Lamp, Runs};

/// The National Day of 2025: off from 1 to 8 October, at work on Saturday 11 October.
const OCTOBER: &str = r#"
[desk]
calendar = "district"
hours = ["workdays 09:00-12:00", "workdays 14:00-18:00"]
raise_after = "2 working hours"

[[calendars]]
id = "district"
holidays = ["2025-10-01..2025-10-08"]
workdays = ["2025-09-28", "2025-10-11"]
"#;

fn limited(whole: &str) -> String {
    OCTOBER.replace("[desk]\n", &format!("[desk]\nlimits = [{{ category = \"#\", whole = \"{whole}\" }}]\n"))
}

fn at(text: &str) -> i64 {
    format!("{text}:00+08:00").parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn opened(text: &str, at_ms: i64) -> (Office, Arc<Ticket>) {
    let mut office = Office::new(text);
    office.now_ms = at_ms;
    let ticket = office.open(&alert(1));
    (office, ticket)
}

/// A calendar with limits on it, and when their lamps change: the files of `fixtures/desk`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    about: String,
    hours: Vec<String>,
    zone: String,
    holidays: Vec<String>,
    workdays: Vec<String>,
    cases: std::collections::BTreeMap<String, Case>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    limit: String,
    opened: String,
    yellow: String,
    due: String,
}

#[test]
fn lamps_change_when_the_fixtures_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/desk");
    let mut n_cases = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let fixture: Fixture = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let Fixture { about, hours, zone, holidays, workdays, cases } = fixture;
        for (name, case) in cases {
            n_cases += 1;
            let text = format!(
                "[desk]\ncalendar = \"c\"\nhours = {hours:?}\nlimits = [{{ category = \"#\", whole = {:?} }}]\n\
                 [[calendars]]\nid = \"c\"\nzone = {zone:?}\nholidays = {holidays:?}\nworkdays = {workdays:?}\n",
                case.limit
            );
            let read = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
            let (_, ticket) = opened(&text, read(&case.opened).as_millisecond());
            let clock = ticket.whole;
            let time = |ms: i64| jiff::Timestamp::from_millisecond(ms).unwrap();
            let changes = (time(clock.yellow_ms), time(clock.due_ms));
            assert_eq!(changes, (read(&case.yellow), read(&case.due)), "{}: {name}: {about}", path.display());
            let lamps =
                [clock.yellow_ms - 1, clock.yellow_ms, clock.due_ms, clock.due_ms + 1].map(|ms| ticket.lamp(ms));
            assert_eq!(lamps, [Lamp::Green, Lamp::Yellow, Lamp::Yellow, Lamp::Red]);
        }
    }
    assert!(n_cases >= 20, "only {n_cases} cases");
}

/// frappe/erpnext PR 2449: time on hold was added at the wrong end.
#[test]
fn a_clock_that_stood_goes_on_with_the_time_that_was_left() {
    let (mut office, before) = opened(&limited("3 working days"), at("2025-09-29T10:00"));
    assert_eq!(before.whole.due_ms, at("2025-10-10T18:00"));
    office.walk(1, &WORKED[..5]);
    office.wait_until(at("2025-09-30T12:00"));
    let stood = office.walk(1, &[("chief", Move::Suspend)]);
    assert_eq!((stood.lamp(i64::MAX), stood.counts.suspended), (Lamp::Off, 1));
    // 30 September's afternoon, and two days.
    assert_eq!(stood.whole.left_ms, Some((4 + 7 + 7) * 3_600_000));
    // A weekend on hold changes nothing, a day does; nothing happens by itself meanwhile.
    office.wait_until(at("2025-10-13T20:00"));
    let goes_on = office.walk(1, &[("chief", Move::Resume)]);
    assert_eq!((goes_on.stage, goes_on.whole.due_ms), (Stage::Handling, at("2025-10-16T15:00")));
    assert_eq!(goes_on.whole.budget_ms, before.whole.budget_ms);
    assert!(!office.whats().contains(&"supervise"));
}

#[test]
fn more_time_comes_at_the_end_of_a_clock() {
    let (mut office, _) = opened(&limited("4 working hours"), at("2025-09-30T10:00"));
    office.walk(1, &WORKED[..5]);
    office.walk(1, &[("handler", Move::Extend), ("chief", Move::Approve)]);
    // It was due on 30 September at 16:00; one working day more.
    assert_eq!(office.last().whole.due_ms, at("2025-10-09T18:00"));
    assert_eq!(office.last().whole.budget_ms, (4 + 2 + 7) * 3_600_000);
}

#[test]
fn a_stage_has_a_limit_of_its_own_beside_the_whole() {
    let stages = "stages = { reported = \"30m\", handling = \"2 working hours\" }";
    let text = limited("8 working hours").replace(" }]\n", &format!(", {stages} }}]\n"));
    let (mut office, ticket) = opened(&text, at("2025-09-29T09:00"));
    let lamp = |office: &Office, time: &str| office.last().lamp(at(time));
    assert_eq!(ticket.step.unwrap().runs, Runs::Always);
    assert_eq!(lamp(&office, "2025-09-29T09:31"), Lamp::Red, "nobody has accepted it for half an hour");
    office.wait_until(at("2025-09-29T09:31"));
    assert_eq!(office.journal()[1], ("supervise", "overdue as reported"));
    let accepted = office.walk(1, &WORKED[..1]);
    assert_eq!((accepted.step, accepted.lamp(at("2025-09-29T09:32"))), (None, Lamp::Green));
    office.walk(1, &WORKED[1..5]);
    assert_eq!(office.last().step.unwrap().due_ms, at("2025-09-29T11:31"));
    office.walk(1, &WORKED[5..]);
    assert_eq!(office.last().step, None);
}

#[test]
fn red_is_supervised_by_itself_and_goes_one_level_up_after_each_interval_of_work() {
    let text = format!("{}{}", limited("4 working hours"), people::LEVELS);
    let (mut office, ticket) = opened(&text, at("2025-09-29T10:00"));
    assert_eq!((&*ticket.centre, ticket.whole.due_ms), ("village", at("2025-09-29T16:00")));
    let mut told = Vec::new();
    for time in [
        "2025-09-29T16:00",
        "2025-09-29T16:01",
        "2025-09-29T18:00",
        "2025-09-30T08:00",
        "2025-09-30T11:00",
        "2025-10-20T18:00",
    ] {
        office.wait_until(at(time));
        told.push((time, office.last().n_journal, office.last().centre.to_string()));
    }
    let wanted = [
        ("2025-09-29T16:00", 1, "village"),
        ("2025-09-29T16:01", 2, "village"),
        ("2025-09-29T18:00", 2, "village"),
        // Two working hours after 16:00 are over when the hours are.
        ("2025-09-30T08:00", 3, "town"),
        ("2025-09-30T11:00", 3, "town"),
        // No higher than the one on top.
        ("2025-10-20T18:00", 4, "district"),
    ];
    assert_eq!(told, wanted.map(|(time, n, centre)| (time, n, centre.to_owned())));
    let own =
        [("supervise", "overdue"), ("escalate", "to town: still overdue"), ("escalate", "to district: still overdue")];
    assert_eq!(office.journal()[1..], own);
}

/// Grafana OnCall #1206: what waited at night was forgotten by a restart. The times are those of the promise, whenever the
/// gateway comes to look.
#[test]
fn a_restart_or_a_clock_step_forgets_nothing_and_repeats_nothing() {
    let text = format!("{}{}", limited("4 working hours"), people::LEVELS);
    let (mut office, ticket) = opened(&text, at("2025-09-29T10:00"));
    let again = |ticket: &Arc<Ticket>| {
        let kept = Kept { tickets: vec![Ticket::clone(ticket)], last_no: 1, ..Kept::default() };
        Desk::restore(&config(&text), kept)
    };
    // Down from noon to the next day: both is due, and both is done, once.
    office.desk = again(&ticket);
    office.wait_until(at("2025-09-30T08:00"));
    assert_eq!(office.whats()[1..], ["supervise", "escalate"]);
    office.desk = again(&office.last());
    office.wait_until(at("2025-09-30T08:30"));
    assert_eq!(office.whats().len(), 3);
    // The clock is put back by a day and comes again: the lamp is green meanwhile, and nothing is told twice.
    assert_eq!(office.last().lamp(at("2025-09-29T09:00")), Lamp::Green);
    office.now_ms = at("2025-09-29T09:00");
    office.wait_until(at("2025-09-30T08:30"));
    assert_eq!(office.whats().len(), 3);
}

/// Zammad #3140: tickets that had been answered were escalated.
#[test]
fn what_is_done_is_never_supervised() {
    let (mut office, _) = opened(&limited("4 working hours"), at("2025-09-29T10:00"));
    office.walk(1, &WORKED);
    office.walk(1, &[("officer", Move::Verify), ("chief", Move::Close)]);
    office.wait_until(at("2025-10-28T10:00"));
    assert!(!office.whats().contains(&"supervise"));
    office.wait_until(at("2025-10-30T10:00"));
    assert_eq!(office.whats().last(), Some(&"archive"), "after its 30 days");
    assert_eq!(office.desk.due_ms(), None);
}

#[test]
fn without_a_calendar_clocks_run_day_and_night_by_severity() {
    let (_, ticket) = opened("", at("2025-09-29T10:00"));
    assert_eq!(ticket.whole.due_ms, at("2025-09-29T14:00"));
}
