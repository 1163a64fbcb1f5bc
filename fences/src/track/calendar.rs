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
mod tests;
