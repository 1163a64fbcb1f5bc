//! When a rule is on duty: weekly windows over a calendar with its holidays and make-up workdays. Knows no clock.
//!
//! Hours are those that a clock on the wall shows. Where clocks are put forward, the hour that they leave out does not
//! come: a window that would begin within it begins when it is over, one that lies within it is left out. Where they are
//! put back, an hour comes twice: a window within it is twice, and one that begins or ends within it is interrupted
//! while the clock shows hours before it, or goes on until they are over for the second time.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::zone::Zone;

/// What kind of day each date is, in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    zone: Zone,
    /// Days since 1970-01-01 that are free although the week says otherwise.
    holidays: BTreeSet<i64>,
    /// Days of work although the week says otherwise (调休).
    workdays: BTreeSet<i64>,
}

/// Windows of a calendar; on duty within any of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    calendar: Arc<Calendar>,
    windows: Vec<Window>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Window {
    days: Days,
    /// Milliseconds since midnight; a window whose end is not after its begin ends on the next day.
    from_ms: i64,
    to_ms: i64,
}

/// On which days a window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Days {
    /// Monday to Friday but holidays, and make-up workdays.
    Workdays,
    Restdays,
    /// By name whatever the calendar says: bit 0 is Monday.
    Named(u8),
}

/// Why there is no calendar or no schedule; with the text at fault where there is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Neither an offset of at most 14 hours, nor the name of a zone in the tz database.
    #[error("{0:?} is neither an offset from UTC such as \"+08:00\" nor a zone such as \"Asia/Shanghai\"")]
    Zone(String),
    /// Neither a date, nor a range whose last date is not before its first.
    #[error("{0:?} is not a date such as \"2026-10-01\" or a range such as \"2026-10-01..2026-10-07\"")]
    Dates(String),
    /// The earliest date that is given as a holiday and as a workday.
    #[error("{0} is both a holiday and a workday")]
    Both(Date),
    /// The holidays, or the workdays, are more than [`DATES_MAX`].
    #[error("more than {DATES_MAX} dates")]
    TooManyDates,
    /// Unknown days, hours that are none, or an end that is the begin.
    #[error(
        "{0:?} is not a window such as \"workdays 18:00-08:00\", \"restdays\", \"daily 22:00-06:00\" or \"mon-fri,sun 09:00-17:30\""
    )]
    Window(String),
    /// No window, or more than [`WINDOWS_MAX`].
    #[error("a schedule has 1 to {WINDOWS_MAX} windows")]
    Windows,
}

/// Days since 1970-01-01, written as a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date(i64);

/// Holidays of one calendar, and as many make-up workdays.
pub const DATES_MAX: usize = 10_000;
/// Windows of one schedule.
pub const WINDOWS_MAX: usize = 100;

pub(super) const MINUTE_MS: i64 = 60_000;
pub(super) const DAY_MS: i64 = 86_400_000;
/// A schedule that does not change for so many days does not change: the longest holidays are shorter.
const HORIZON_DAYS: i64 = 400;
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Calendar {
    /// `zone` is an offset such as `+08:00`, or a zone of the tz database such as `Asia/Shanghai` or `Europe/Paris`; dates
    /// are `2026-10-01` or `2026-10-01..2026-10-07`.
    pub fn new(zone: &str, holidays: &[String], workdays: &[String]) -> Result<Calendar, CalendarError> {
        let zone = Zone::parse(zone).ok_or_else(|| CalendarError::Zone(zone.to_owned()))?;
        let (holidays, workdays) = (dates(holidays)?, dates(workdays)?);
        match holidays.intersection(&workdays).next() {
            Some(both) => Err(CalendarError::Both(Date(*both))),
            None => Ok(Calendar { zone, holidays, workdays }),
        }
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// When a date such as `2026-10-01` begins; none where the text is no date.
    pub fn begin_of_ms(&self, date: &str) -> Option<i64> {
        let (day, mut instants_ms) = (day(date)?, Vec::new());
        self.zone.add_instants(day, &[0], &mut instants_ms);
        instants_ms.into_iter().find(|at_ms| self.zone.local_ms(*at_ms).div_euclid(DAY_MS) == day)
    }

    /// What the wall clock says, such as `2026-10-01T08:30+08:00`; none where the instant is out of the clock's years.
    pub fn clock_text(&self, at_ms: i64) -> Option<String> {
        let local_ms = self.zone.local_ms(at_ms);
        let local = jiff::Timestamp::from_millisecond(local_ms).ok()?.strftime("%Y-%m-%dT%H:%M");
        let minutes = (local_ms - at_ms) / 60_000;
        let (sign, minutes) = (if minutes < 0 { '-' } else { '+' }, minutes.abs());
        Some(format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60))
    }

    fn is_workday(&self, day: i64) -> bool {
        self.workdays.contains(&day) || (weekday(day) < 5 && !self.holidays.contains(&day))
    }
}

impl Schedule {
    /// See [`CalendarError::Window`] for what a window looks like. Without hours it is the whole day.
    pub fn new(calendar: Arc<Calendar>, windows: &[String]) -> Result<Schedule, CalendarError> {
        if windows.is_empty() || windows.len() > WINDOWS_MAX {
            return Err(CalendarError::Windows);
        }
        let window = |text: &String| Window::parse(text).ok_or_else(|| CalendarError::Window(text.clone()));
        Ok(Schedule { calendar, windows: windows.iter().map(window).collect::<Result<_, _>>()? })
    }

    /// Whose days it goes by.
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// Whether it is on duty; a window's first millisecond belongs to it, its end does not.
    pub fn is_on(&self, at_ms: i64) -> bool {
        let local_ms = self.calendar.zone.local_ms(at_ms);
        let (day, time_ms) = (local_ms.div_euclid(DAY_MS), local_ms.rem_euclid(DAY_MS));
        self.windows.iter().any(|window| {
            let (today, yesterday) = (self.begins(window, day), self.begins(window, day - 1));
            if window.from_ms < window.to_ms {
                today && (window.from_ms..window.to_ms).contains(&time_ms)
            } else {
                (today && time_ms >= window.from_ms) || (yesterday && time_ms < window.to_ms)
            }
        })
    }

    /// When it next goes on or off duty after `at_ms`; none where it does not within a year.
    pub fn next_change_ms(&self, at_ms: i64) -> Option<i64> {
        let is_on = self.is_on(at_ms);
        let zone = &self.calendar.zone;
        let today = zone.local_ms(at_ms).div_euclid(DAY_MS);
        let mut times_ms: Vec<i64> = self.windows.iter().flat_map(|w| [w.from_ms, w.to_ms % DAY_MS]).collect();
        // Where days of work and rest meet, a window over the whole day ends.
        times_ms.push(0);
        times_ms.sort_unstable();
        times_ms.dedup();
        let mut changes_ms = Vec::new();
        (today..=today + HORIZON_DAYS).find_map(|day| {
            changes_ms.clear();
            zone.add_instants(day, &times_ms, &mut changes_ms);
            changes_ms.iter().copied().find(|change_ms| *change_ms > at_ms && self.is_on(*change_ms) != is_on)
        })
    }

    fn begins(&self, window: &Window, day: i64) -> bool {
        match window.days {
            Days::Workdays => self.calendar.is_workday(day),
            Days::Restdays => !self.calendar.is_workday(day),
            Days::Named(days) => days >> weekday(day) & 1 == 1,
        }
    }
}

impl Window {
    fn parse(text: &str) -> Option<Window> {
        let (days, hours) = text.trim().split_once(' ').unwrap_or((text.trim(), "00:00-24:00"));
        let (from, to) = hours.trim().split_once('-')?;
        let (from_ms, to_ms) = (time_ms(from)?, time_ms(to)?);
        let days = match days {
            "workdays" => Days::Workdays,
            "restdays" => Days::Restdays,
            "daily" => Days::Named(0b111_1111),
            days => Days::Named(named(days)?),
        };
        (from_ms != to_ms && from_ms < DAY_MS).then_some(Window { days, from_ms, to_ms })
    }
}

/// "mon-fri,sun"
fn named(text: &str) -> Option<u8> {
    let number = |name: &str| WEEKDAYS.iter().position(|weekday| *weekday == name);
    text.split(',').try_fold(0, |days, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        // "sat-mon" goes over the end of the week.
        let n_days = (last + 7 - first) % 7;
        Some((0..=n_days).fold(days, |days, i| days | 1 << ((first + i) % 7)))
    })
}

/// "08:00", "24:00"
pub(super) fn time_ms(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    let time_ms = (hours * 60 + minutes) * MINUTE_MS;
    (minutes < 60 && time_ms <= DAY_MS).then_some(time_ms)
}

fn two_digits(text: &str) -> Option<i64> {
    let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn dates(texts: &[String]) -> Result<BTreeSet<i64>, CalendarError> {
    let mut days = BTreeSet::new();
    for text in texts {
        let range = range(text).ok_or_else(|| CalendarError::Dates(text.clone()))?;
        if days.len() as i64 + range.end() - range.start() >= DATES_MAX as i64 {
            return Err(CalendarError::TooManyDates);
        }
        days.extend(range);
    }
    Ok(days)
}

fn range(text: &str) -> Option<RangeInclusive<i64>> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (day(first.trim())?, day(last.trim())?);
    (first <= last).then_some(first..=last)
}

/// Days since 1970-01-01 of a date in the Gregorian calendar.
fn day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, two_digits(parts.next()?)?, two_digits(parts.next()?)?);
    if parts.next().is_some() || year.len() != 4 || !(1..=12).contains(&month) {
        return None;
    }
    let days = days_before(two_digits(&year[..2])? * 100 + two_digits(&year[2..])?, month) + day - 1;
    // A day that the month does not have is a day of the next month.
    (day >= 1 && Date(days).civil().1 == month).then_some(days)
}

/// Days from 1970-01-01 to the first of a month. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days_before(year: i64, month: i64) -> i64 {
    // Years begin in March, so that the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// 0 is Monday; 1970-01-01 was a Thursday.
fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

impl Date {
    /// Year, month, day; the inverse of [`days_before`].
    fn civil(self) -> (i64, i64, i64) {
        let days = self.0 + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        (era * 400 + year_of_era + i64::from(month <= 2), month, day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    /// As the State Council announced for the National Day of 2025 (国庆节、中秋节): off from 1 to 8 October, at work on
    /// Sunday 28 September and Saturday 11 October.
    fn october(windows: &[&str]) -> Schedule {
        let calendar =
            Calendar::new("+08:00", &texts(&["2025-10-01..2025-10-08"]), &texts(&["2025-09-28", "2025-10-11"]));
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
            Some(format!(
                "{:02}:{:02} {}",
                minutes / 60,
                minutes % 60,
                if schedule.is_on(at_ms) { "on" } else { "off" }
            ))
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
}
