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

#[test]
fn the_four_units_end_when_the_calendar_says() {
    for (whole, from, yellow, due) in [
        ("6h", "2025-09-30T17:00", "2025-09-30T21:30", "2025-09-30T23:00"),
        ("4 working hours", "2025-09-29T10:00", "2025-09-29T15:00", "2025-09-29T16:00"),
        // Over a night, a weekend, the holidays, and into a Saturday of work.
        ("4 working hours", "2025-09-29T17:00", "2025-09-30T11:00", "2025-09-30T12:00"),
        ("4 working hours", "2025-09-26T17:00", "2025-09-28T11:00", "2025-09-28T12:00"),
        ("4 working hours", "2025-09-30T17:00", "2025-10-09T11:00", "2025-10-09T12:00"),
        ("8 working hours", "2025-10-10T17:00", "2025-10-11T16:00", "2025-10-11T18:00"),
        // The day on which it begins does not count.
        ("1 working days", "2025-09-29T10:00", "2025-09-30T14:45", "2025-09-30T18:00"),
        ("2 working days", "2025-09-30T10:00", "2025-10-10T11:00", "2025-10-10T18:00"),
        ("3 calendar days", "2025-09-30T12:00", "2025-10-03T03:00", "2025-10-04T00:00"),
    ] {
        let (_, ticket) = opened(&limited(whole), at(from));
        let clock = ticket.whole;
        let text = |ms: i64| crate::telemetry::time_text(ms + 8 * 3_600_000)[..16].to_owned();
        assert_eq!(
            (text(clock.due_ms), text(clock.yellow_ms)),
            (due.to_owned(), yellow.to_owned()),
            "{whole} from {from}"
        );
        let lamps = [clock.yellow_ms - 1, clock.yellow_ms, clock.due_ms, clock.due_ms + 1].map(|ms| ticket.lamp(ms));
        assert_eq!(lamps, [Lamp::Green, Lamp::Yellow, Lamp::Yellow, Lamp::Red]);
    }
}

/// GLPI #687: a ticket that is opened outside of hours had no time at all.
#[test]
fn a_ticket_opened_at_night_or_in_the_holidays_has_all_its_time() {
    for from in ["2025-10-03T10:00", "2025-10-08T23:59", "2025-10-09T03:00", "2025-10-09T09:00"] {
        let (_, ticket) = opened(&limited("4 working hours"), at(from));
        assert_eq!((ticket.whole.due_ms, ticket.whole.budget_ms), (at("2025-10-09T15:00"), 4 * 3_600_000), "{from}");
    }
}

/// GLPI #22678: "an hour before the deadline" came at midnight.
#[test]
fn the_last_hour_of_a_limit_is_an_hour_of_work() {
    let (_, ticket) = opened(&limited("4 working hours"), at("2025-09-29T14:30"));
    assert_eq!(ticket.whole.due_ms, at("2025-09-30T09:30"));
    assert_eq!(ticket.whole.yellow_ms, at("2025-09-29T17:30"), "an hour is left half an hour before the hours end");
}

/// Zammad #3180: with hours around the clock every midnight cost a minute.
#[test]
fn hours_around_the_clock_lose_nothing_at_midnight() {
    let text = limited("100 working hours").replace(r#""workdays 09:00-12:00", "workdays 14:00-18:00""#, r#""daily""#);
    let (_, ticket) = opened(&text, at("2025-09-29T10:00"));
    assert_eq!(ticket.whole.due_ms - at("2025-09-29T10:00"), 100 * 3_600_000);
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

#[test]
fn zones_that_change_their_clocks_keep_hours_of_work() {
    let text =
        limited("9 working hours").replace("id = \"district\"\n", "id = \"district\"\nzone = \"Europe/Paris\"\n");
    let utc = |text: &str| format!("{text}:00Z").parse::<jiff::Timestamp>().unwrap().as_millisecond();
    // Friday's six hours that are left, and Monday's, after the night with 25 hours.
    let (_, ticket) = opened(&text, utc("2025-10-24T08:00"));
    assert_eq!(ticket.whole.due_ms, utc("2025-10-27T11:00"), "12:00 in Paris, which is an hour nearer to UTC now");
}
