//! Claims about calendars.

use super::*;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// As the State Council announced for the National Day of 2025 (国庆节、中秋节): off from 1 to 8 October, at work on
/// Sunday 28 September and Saturday 11 October.
fn october(windows: &[&str]) -> Schedule {
    let calendar = Calendar::new("+08:00", &texts(&["2025-10-01..2025-10-08"]), &texts(&["2025-09-28", "2025-10-11"]));
    Schedule::new(Arc::new(calendar.unwrap()), &texts(windows)).unwrap()
}

/// Milliseconds of a date and time at +08:00.
fn at(date: &str, time: &str) -> i64 {
    day(date).unwrap() * DAY_MS + time_ms(time).unwrap() - 8 * 60 * MINUTE_MS
}

#[test]
fn holidays_and_make_up_workdays_are_what_was_announced() {
    let office = october(&["workdays 09:00-17:30"]);
    for (date, is_on) in [
        ("2025-09-27", false),
        ("2025-09-28", true),
        ("2025-09-30", true),
        ("2025-10-01", false),
        ("2025-10-08", false),
        ("2025-10-09", true),
        ("2025-10-11", true),
        ("2025-10-12", false),
    ] {
        assert_eq!(office.is_on(at(date, "12:00")), is_on, "{date}");
        assert!(!office.is_on(at(date, "08:59")) && !office.is_on(at(date, "17:30")), "{date}");
    }
    assert_eq!(office.next_change_ms(at("2025-09-30", "18:00")), Some(at("2025-10-09", "09:00")));
    assert_eq!(office.next_change_ms(at("2025-10-11", "09:00")), Some(at("2025-10-11", "17:30")));
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    let nights = october(&["workdays 22:00-06:00"]);
    // The night from the last workday into the holidays, and the one before the first workday.
    assert!(nights.is_on(at("2025-10-01", "05:59")) && !nights.is_on(at("2025-10-01", "06:00")));
    assert!(!nights.is_on(at("2025-10-09", "05:00")) && nights.is_on(at("2025-10-09", "22:00")));
    assert_eq!(nights.next_change_ms(at("2025-09-30", "22:00")), Some(at("2025-10-01", "06:00")));
}

#[test]
fn whole_days_change_at_midnight_of_the_zone() {
    let free = october(&["restdays"]);
    assert_eq!(free.next_change_ms(at("2025-09-30", "12:00")), Some(at("2025-10-01", "00:00")));
    assert_eq!(free.next_change_ms(at("2025-10-03", "12:00")), Some(at("2025-10-09", "00:00")));
    assert!(free.is_on(at("2025-10-08", "24:00") - 1) && !free.is_on(at("2025-10-08", "24:00")));
    assert_eq!(october(&["daily"]).next_change_ms(at("2025-10-03", "12:00")), None);
}

#[test]
fn weekdays_by_name_are_those_of_the_week() {
    let schedule = october(&["fri-sun,tue 10:00-11:00"]);
    let on: Vec<i64> = (0..7).filter(|i| schedule.is_on(at("2025-10-06", "10:30") + i * DAY_MS)).collect();
    assert_eq!(on, [1, 4, 5, 6], "2025-10-06 was a Monday");
    assert_eq!(named("sat-mon"), Some(0b110_0001));
}

#[test]
fn dates_are_those_of_the_gregorian_calendar() {
    assert_eq!(day("1970-01-01"), Some(0));
    assert_eq!(day("2000-02-29"), Some(11_016));
    assert_eq!(day("2026-11-27"), Some(20_784));
    for text in
        ["2025-02-29", "1900-02-29", "2025-13-01", "2025-00-01", "2025-04-31", "2025-1-1", "25-01-01", "", "十二月"]
    {
        assert_eq!(day(text), None, "{text}");
    }
    for days in (-200_000..200_000).step_by(97) {
        let (year, month, day) = Date(days).civil();
        assert_eq!(days_before(year, month) + day - 1, days);
    }
    assert_eq!(Date(20_784).to_string(), "2026-11-27");
}

#[test]
fn what_is_no_calendar_says_why() {
    let error = |zone, holidays: &[&str], workdays: &[&str]| {
        Calendar::new(zone, &texts(holidays), &texts(workdays)).unwrap_err().to_string()
    };
    assert_eq!(
        error("Mars", &[], &[]),
        "\"Mars\" is neither an offset from UTC such as \"+08:00\" nor a zone such as \"Asia/Shanghai\""
    );
    assert!(error("+15:00", &[], &[]).contains("+15:00"));
    assert!(error("UTC", &["2026-10-07..2026-10-01"], &[]).contains("is not a date"));
    assert_eq!(error("UTC", &["2026-10-01"], &["2026-10-01"]), "2026-10-01 is both a holiday and a workday");
    assert_eq!(error("UTC", &["1900-01-01..2026-01-01"], &[]), "more than 10000 dates");
    let windows = [
        "",
        "workdays 8:00-18:00",
        "workdays 18:00",
        "mo 08:00-09:00",
        "daily 08:00-08:00",
        "daily 24:00-08:00",
        "daily 08:00-25:00",
        "daily 00:00-00:00",
    ];
    for window in windows {
        let calendar = Arc::new(Calendar::new("UTC", &[], &[]).unwrap());
        let error = Schedule::new(calendar, &texts(&[window])).unwrap_err();
        assert_eq!(error, CalendarError::Window(window.into()));
    }
}

/// Paris puts its clocks forward on 2026-03-29 from 02:00 to 03:00 (01:00 UTC), and back on 2026-10-25 from 03:00 to
/// 02:00 (01:00 UTC).
fn paris(window: &str) -> Schedule {
    let calendar = Calendar::new("Europe/Paris", &[], &[]).unwrap();
    Schedule::new(Arc::new(calendar), &texts(&[window])).unwrap()
}

/// On and off in turn from a time of UTC, as times of UTC of one day.
fn changes(schedule: &Schedule, date: &str, from: &str, n: usize) -> Vec<String> {
    let utc_ms = |time: &str| day(date).unwrap() * DAY_MS + time_ms(time).unwrap();
    let mut at_ms = utc_ms(from);
    let mut next = || {
        at_ms = schedule.next_change_ms(at_ms)?;
        assert_ne!(schedule.is_on(at_ms), schedule.is_on(at_ms - 1));
        let minutes = (at_ms - utc_ms("00:00")) / MINUTE_MS;
        Some(format!("{:02}:{:02} {}", minutes / 60, minutes % 60, if schedule.is_on(at_ms) { "on" } else { "off" }))
    };
    (0..n).filter_map(|_| next()).collect()
}

#[test]
fn a_date_begins_when_its_zone_says() {
    let begin = |zone: &str, date: &str| Calendar::new(zone, &[], &[]).unwrap().begin_of_ms(date);
    let at = |text: &str| Some(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
    assert_eq!(begin("+08:00", "2026-10-01"), at("2026-09-30T16:00:00Z"));
    assert_eq!(begin("Europe/Paris", "2026-03-29"), at("2026-03-28T23:00:00Z"));
    assert_eq!(begin("Europe/Paris", "2026-03-30"), at("2026-03-29T22:00:00Z"));
    // In Beirut midnight is left out when clocks are put forward.
    assert_eq!(begin("Asia/Beirut", "2026-03-29"), at("2026-03-28T22:00:00Z"));
    assert_eq!(begin("+08:00", "2026-02-30"), None);
}

#[test]
fn the_wall_clock_is_told_with_its_distance_from_utc() {
    let clock = |zone: &str, at: &str| {
        let at_ms = at.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        Calendar::new(zone, &[], &[]).unwrap().clock_text(at_ms).unwrap()
    };
    assert_eq!(clock("+08:00", "2026-09-30T16:00:59.999Z"), "2026-10-01T00:00+08:00");
    assert_eq!(clock("Europe/Paris", "2026-03-29T00:59:59Z"), "2026-03-29T01:59+01:00");
    assert_eq!(clock("Europe/Paris", "2026-03-29T01:00:00Z"), "2026-03-29T03:00+02:00");
    assert_eq!(clock("America/St_Johns", "2026-01-01T00:00:00Z"), "2025-12-31T20:30-03:30");
}

#[test]
fn an_hour_that_is_left_out_does_not_come() {
    let (date, from) = ("2026-03-29", "00:00");
    assert_eq!(changes(&paris("daily 01:30-02:30"), date, from, 2), ["00:30 on", "01:00 off"]);
    assert_eq!(changes(&paris("daily 02:30-04:00"), date, from, 2), ["01:00 on", "02:00 off"]);
    // Within the hour that is left out: next comes that of the next day.
    assert_eq!(changes(&paris("daily 02:15-02:45"), date, from, 1), ["24:15 on"]);
    assert_eq!(changes(&paris("daily 01:00-03:00"), date, "00:00", 1), ["01:00 off"]);
}

#[test]
fn an_hour_that_comes_twice_is_there_twice() {
    let (date, from) = ("2026-10-25", "00:00");
    let twice = ["00:15 on", "00:45 off", "01:15 on", "01:45 off"];
    assert_eq!(changes(&paris("daily 02:15-02:45"), date, from, 4), twice);
    assert_eq!(changes(&paris("daily 02:30-04:00"), date, from, 4)[..3], ["00:30 on", "01:00 off", "01:30 on"]);
    assert_eq!(changes(&paris("daily 01:30-02:30"), date, from, 3), ["00:30 off", "01:00 on", "01:30 off"]);
    assert_eq!(changes(&paris("daily 01:00-04:00"), date, from, 1), ["03:00 off"]);
}

#[test]
fn days_of_a_zone_begin_at_its_midnight_all_the_year() {
    let sundays = paris("sun");
    assert_eq!(changes(&sundays, "2026-01-10", "12:00", 1), ["23:00 on"]);
    assert_eq!(changes(&sundays, "2026-07-11", "12:00", 1), ["22:00 on"]);
    let shanghai = Calendar::new("Asia/Shanghai", &texts(&["2025-10-01..2025-10-08"]), &[]).unwrap();
    let free = Schedule::new(Arc::new(shanghai), &texts(&["restdays"])).unwrap();
    assert_eq!(free.next_change_ms(at("2025-09-30", "12:00")), Some(at("2025-10-01", "00:00")));
}

#[test]
fn a_named_zone_of_one_offset_is_that_offset() {
    let windows = texts(&["workdays 18:00-07:00", "restdays", "tue 10:00-10:30"]);
    let schedule = |zone| Schedule::new(Arc::new(Calendar::new(zone, &[], &[]).unwrap()), &windows).unwrap();
    let (named, fixed) = (schedule("Asia/Shanghai"), schedule("+08:00"));
    let mut at_ms = at("2026-01-01", "00:00");
    while at_ms < at("2026-03-01", "00:00") {
        assert_eq!(
            (named.is_on(at_ms), named.next_change_ms(at_ms)),
            (fixed.is_on(at_ms), fixed.next_change_ms(at_ms))
        );
        at_ms += 3_599_999;
    }
}

#[test]
fn extreme_times_are_times() {
    for at_ms in [i64::MIN, i64::MAX] {
        let _ = (paris("workdays 22:00-06:00").is_on(at_ms), paris("sun").next_change_ms(at_ms));
    }
    let schedule = october(&["workdays 22:00-06:00"]);
    for at_ms in [i64::MIN, i64::MAX, 0] {
        let is_on = schedule.is_on(at_ms);
        let change_ms = schedule.next_change_ms(at_ms);
        assert!(change_ms.is_none_or(|next_ms| next_ms > at_ms && schedule.is_on(next_ms) != is_on), "{at_ms}");
        assert!(at_ms != 0 || change_ms.is_some_and(|next_ms| next_ms < 7 * DAY_MS), "a week has a change");
    }
}
