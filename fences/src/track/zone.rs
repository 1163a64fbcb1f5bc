//! What clocks on the wall show, and when they are put forward or back. Knows no windows.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::calendar::{DAY_MS, MINUTE_MS, time_ms};

/// By offset, or by its name in the tz database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Zone {
    /// One offset all the year, as China has.
    Fixed {
        offset_ms: i64,
    },
    Named(TimeZone),
}

impl Zone {
    pub(super) fn parse(zone: &str) -> Option<Zone> {
        if let Some(offset_ms) = offset_ms(zone) {
            return Some(Zone::Fixed { offset_ms });
        }
        TimeZoneDatabase::bundled().get(zone).ok().map(Zone::Named)
    }

    /// What the wall clock shows, in milliseconds since it showed 1970-01-01.
    pub(super) fn local_ms(&self, at_ms: i64) -> i64 {
        at_ms.saturating_add(self.offset_ms(at_ms))
    }

    fn offset_ms(&self, at_ms: i64) -> i64 {
        match self {
            Zone::Fixed { offset_ms } => *offset_ms,
            Zone::Named(zone) => i64::from(zone.to_offset(timestamp(at_ms)).seconds()) * 1_000,
        }
    }

    /// Appends, in order, all instants of a local day at which something may change: when the clock shows one of these
    /// times, and when it is put forward or back.
    pub(super) fn add_instants(&self, day: i64, times_ms: &[i64], instants_ms: &mut Vec<i64>) {
        let local_ms = |day: i64, ms: &i64| day.saturating_mul(DAY_MS).saturating_add(*ms);
        let zone = match self {
            Zone::Fixed { offset_ms } => {
                return instants_ms.extend(times_ms.iter().map(|ms| local_ms(day, ms).saturating_sub(*offset_ms)));
            }
            Zone::Named(zone) => zone,
        };
        // With the neighbouring days: where clocks change, instants of two days may be out of order.
        for day in day - 1..=day + 1 {
            let noon_ms = local_ms(day, &(DAY_MS / 2));
            let around_ms = [noon_ms.saturating_sub(DAY_MS), noon_ms.saturating_add(DAY_MS)];
            for ms in times_ms.iter().map(|ms| local_ms(day, ms)) {
                instants_ms.extend(around_ms.map(|near_ms| ms.saturating_sub(self.offset_ms(near_ms))));
            }
            let changes = zone.following(timestamp(around_ms[0])).map(|change| change.timestamp().as_millisecond());
            instants_ms.extend(changes.take_while(|change_ms| *change_ms <= around_ms[1]));
        }
        instants_ms.sort_unstable();
    }
}

/// The nearest that there is.
fn timestamp(at_ms: i64) -> Timestamp {
    let (least_ms, greatest_ms) = (Timestamp::MIN.as_millisecond(), Timestamp::MAX.as_millisecond());
    Timestamp::from_millisecond(at_ms.clamp(least_ms, greatest_ms)).unwrap_or_default()
}

/// "+08:00"
fn offset_ms(zone: &str) -> Option<i64> {
    let (sign, hours) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(hours), _) => (1, hours),
        (_, Some(hours)) => (-1, hours),
        _ => return None,
    };
    time_ms(hours).filter(|ms| *ms <= 14 * 60 * MINUTE_MS).map(|ms| sign * ms)
}
