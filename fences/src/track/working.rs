//! How long a schedule is on duty, and when it has been for so long: what limits in working time are counted with.
//! Knows no limits.
//!
//! Days are counted as the Civil Code of China counts periods (articles 201 and 203): the day on which a period begins
//! does not count, and the last one ends with the hours of business, or at midnight where there are none.

use super::calendar::{Calendar, DAY_MS, Schedule};
use super::zone::Zone;

/// Changes of duty that are looked at for one answer: two windows on each workday of eight years. What lies beyond is counted
/// as if it were on duty day and night, so that there is always an answer, and soon.
const CHANGES_MAX: usize = 8_000;
/// Days that are looked at for one answer.
const DAYS_MAX: i64 = 3_650;

impl Schedule {
    /// Milliseconds on duty between two instants; below 0 where `to_ms` is the earlier one.
    pub fn on_between_ms(&self, from_ms: i64, to_ms: i64) -> i64 {
        if to_ms < from_ms {
            return -self.on_between_ms(to_ms, from_ms);
        }
        let (mut at_ms, mut sum_ms) = (from_ms, 0);
        for _ in 0..CHANGES_MAX {
            let is_on = self.is_on(at_ms);
            let change_ms = self.next_change_ms(at_ms);
            let until_ms = change_ms.map_or(to_ms, |change_ms| change_ms.min(to_ms));
            if is_on || change_ms.is_none() {
                sum_ms += until_ms - at_ms;
            }
            at_ms = until_ms;
            if at_ms >= to_ms {
                return sum_ms;
            }
        }
        sum_ms + (to_ms - at_ms)
    }

    /// The first instant at which it has been on duty for `on_ms` since `from_ms`; `from_ms` where that is nothing. A schedule
    /// without duty for more than a year counts from there on as on duty.
    pub fn after_on_ms(&self, from_ms: i64, on_ms: i64) -> i64 {
        let (mut at_ms, mut left_ms) = (from_ms, on_ms.max(0));
        for _ in 0..CHANGES_MAX {
            if left_ms == 0 {
                return at_ms;
            }
            let Some(change_ms) = self.next_change_ms(at_ms) else { break };
            if self.is_on(at_ms) {
                if change_ms - at_ms >= left_ms {
                    return at_ms + left_ms;
                }
                left_ms -= change_ms - at_ms;
            }
            at_ms = change_ms;
        }
        at_ms.saturating_add(left_ms)
    }

    /// The end of duty on the `n`th day with duty after the day of `from_ms`; duty that goes on over midnight counts as
    /// two days'. Midnight where there are fewer such days than that in ten years.
    pub fn end_of_duty_ms(&self, from_ms: i64, n: u32) -> i64 {
        let zone = self.calendar().zone();
        let today = local_day(zone, from_ms);
        let (mut left, mut day) = (n.max(1), today);
        while day - today < DAYS_MAX {
            day += 1;
            if let Some(end_ms) = self.end_within(midnight_ms(zone, day), midnight_ms(zone, day + 1)) {
                left -= 1;
                if left == 0 {
                    return end_ms;
                }
            }
        }
        midnight_ms(zone, today + i64::from(n) + 1)
    }

    /// When duty ends for the last time between two instants.
    fn end_within(&self, from_ms: i64, to_ms: i64) -> Option<i64> {
        let (mut at_ms, mut end_ms) = (from_ms, None);
        while at_ms < to_ms {
            let until_ms = self.next_change_ms(at_ms).map_or(to_ms, |change_ms| change_ms.min(to_ms));
            if self.is_on(at_ms) {
                end_ms = Some(until_ms);
            }
            at_ms = until_ms;
        }
        end_ms
    }
}

impl Calendar {
    /// Midnight at the end of the `n`th day after the day of `from_ms`.
    pub fn end_of_day_ms(&self, from_ms: i64, n: u32) -> i64 {
        midnight_ms(self.zone(), local_day(self.zone(), from_ms) + i64::from(n) + 1)
    }
}

fn local_day(zone: &Zone, at_ms: i64) -> i64 {
    zone.local_ms(at_ms).div_euclid(DAY_MS)
}

/// The first instant of a local day, which clocks that are put forward at midnight do not show as 00:00.
fn midnight_ms(zone: &Zone, day: i64) -> i64 {
    let mut instants_ms = Vec::new();
    zone.add_instants(day, &[0], &mut instants_ms);
    let first = instants_ms.iter().copied().find(|ms| local_day(zone, *ms) == day);
    first.unwrap_or_else(|| day.saturating_mul(DAY_MS))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::civil::DateTime;
    use jiff::tz::TimeZone;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn schedule(zone: &str, windows: &[&str]) -> Schedule {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let holidays = texts(&["2025-10-01..2025-10-08"]);
        let calendar = Calendar::new(zone, &holidays, &texts(&["2025-09-28", "2025-10-11"])).unwrap();
        Schedule::new(Arc::new(calendar), &texts(windows)).unwrap()
    }

    fn at(zone: &str, text: &str) -> i64 {
        let zone = if zone.starts_with('+') { "Asia/Shanghai" } else { zone };
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap_or(TimeZone::UTC);
        let time: DateTime = text.parse().unwrap();
        zone.to_timestamp(time).unwrap().as_millisecond()
    }

    #[test]
    fn working_time_leaves_out_nights_weekends_and_holidays() {
        let office = schedule("+08:00", &["workdays 09:00-12:00", "workdays 14:00-18:00"]);
        for (from, hours, to) in [
            ("2025-09-29T10:00", 2, "2025-09-29T12:00"),
            ("2025-09-29T10:00", 3, "2025-09-29T15:00"),
            ("2025-09-29T17:00", 2, "2025-09-30T10:00"),
            // Over the holidays, which end with a Thursday, and with a Saturday of work after them.
            ("2025-09-30T17:00", 2, "2025-10-09T10:00"),
            ("2025-10-10T17:00", 2, "2025-10-11T10:00"),
            // Opened at night, and on a rest day: nothing has passed before the hours begin.
            ("2025-10-12T03:00", 1, "2025-10-13T10:00"),
        ] {
            let (from_ms, to_ms) = (at("+08:00", from), at("+08:00", to));
            assert_eq!(office.after_on_ms(from_ms, hours * HOUR_MS), to_ms, "{from} and {hours} h");
            assert_eq!(office.on_between_ms(from_ms, to_ms), hours * HOUR_MS, "{from} to {to}");
            assert_eq!(office.on_between_ms(to_ms, from_ms), -hours * HOUR_MS, "{to} to {from}");
        }
    }

    #[test]
    fn days_end_with_the_hours_of_business_and_the_first_one_does_not_count() {
        let office = schedule("+08:00", &["workdays 09:00-12:00", "workdays 14:00-18:00"]);
        for (from, n, to) in [
            ("2025-09-29T10:00", 1, "2025-09-30T18:00"),
            ("2025-09-29T23:00", 1, "2025-09-30T18:00"),
            ("2025-09-30T08:00", 1, "2025-10-09T18:00"),
            ("2025-09-30T08:00", 3, "2025-10-11T18:00"),
            ("2025-10-11T08:00", 1, "2025-10-13T18:00"),
        ] {
            assert_eq!(office.end_of_duty_ms(at("+08:00", from), n), at("+08:00", to), "{from} and {n} days");
        }
        let days = office.calendar();
        assert_eq!(days.end_of_day_ms(at("+08:00", "2025-09-30T08:00"), 2), at("+08:00", "2025-10-03T00:00"));
    }

    /// Zammad #3180: a calendar of seven days with 24 hours lost a minute at every midnight.
    #[test]
    fn a_schedule_that_is_always_on_loses_nothing_at_midnight() {
        for windows in [&["daily"][..], &["daily 00:00-24:00"], &["daily 00:00-12:00", "daily 12:00-24:00"]] {
            let always = schedule("+08:00", windows);
            let from_ms = at("+08:00", "2025-09-29T10:00");
            for hours in [1, 14, 48, 1_000] {
                let to_ms = from_ms + hours * HOUR_MS;
                assert_eq!(always.after_on_ms(from_ms, hours * HOUR_MS), to_ms);
                assert_eq!(always.on_between_ms(from_ms, to_ms), hours * HOUR_MS);
            }
        }
    }

    #[test]
    fn clocks_that_are_put_forward_or_back_leave_working_time_what_it_is() {
        let office = schedule("Europe/Paris", &["daily 00:00-06:00"]);
        let paris = |text: &str| at("Europe/Paris", text);
        // 30 March 2025: 02:00 to 03:00 does not come; 26 October: it comes twice.
        assert_eq!(office.on_between_ms(paris("2025-03-30T00:00"), paris("2025-03-30T12:00")), 5 * HOUR_MS);
        assert_eq!(office.on_between_ms(paris("2025-10-26T00:00"), paris("2025-10-26T12:00")), 7 * HOUR_MS);
        assert_eq!(office.after_on_ms(paris("2025-03-29T23:00"), 5 * HOUR_MS), paris("2025-03-30T06:00"));
        assert_eq!(office.end_of_duty_ms(paris("2025-10-25T10:00"), 1), paris("2025-10-26T06:00"));
        assert_eq!(office.calendar().end_of_day_ms(paris("2025-03-29T10:00"), 1), paris("2025-03-31T00:00"));
    }

    #[test]
    fn a_schedule_that_never_comes_on_again_counts_day_and_night() {
        let holidays: Vec<String> = vec!["2025-01-01..2028-12-31".into()];
        let calendar = Arc::new(Calendar::new("+08:00", &holidays, &[]).unwrap());
        let never = Schedule::new(calendar, &["workdays 09:00-18:00".into()]).unwrap();
        let from_ms = at("+08:00", "2025-09-29T10:00");
        assert_eq!(never.after_on_ms(from_ms, HOUR_MS), from_ms + HOUR_MS);
        assert_eq!(never.on_between_ms(from_ms, from_ms + HOUR_MS), HOUR_MS);
    }

    proptest::proptest! {
        /// What is counted forward is what is counted between, to the millisecond.
        #[test]
        fn counting_forward_and_between_agree(from_h in 0i64..20_000, minutes in 0i64..60, on_min in 1i64..20_000) {
            let office = schedule("Europe/Paris", &["workdays 09:00-12:00", "workdays 13:30-18:00", "sat 22:00-02:30"]);
            let from_ms = 1_740_000_000_000 + from_h * HOUR_MS + minutes * 60_000;
            let to_ms = office.after_on_ms(from_ms, on_min * 60_000);
            proptest::prop_assert_eq!(office.on_between_ms(from_ms, to_ms), on_min * 60_000);
            proptest::prop_assert!(office.is_on(to_ms - 1));
        }
    }
}
