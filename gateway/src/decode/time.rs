//! Device times: numbers and RFC 3339 text to milliseconds, and the bounds of what can be true.

use crate::config::TimeUnit;

use super::reject::excerpt;

/// 2000-01-01T00:00:00Z. Devices without a set clock say 1970 or 1980.
pub(super) const EARLIEST_MS: i64 = 946_684_800_000;

/// Milliseconds of a number in the unit; what is beyond an i64 becomes its limit, which no bound accepts.
pub(super) fn from_number(number: f64, unit: TimeUnit) -> Option<i64> {
    let ms = match unit {
        TimeUnit::Iso => return None,
        TimeUnit::S => number * 1000.0,
        TimeUnit::Ms => number,
        TimeUnit::Us => number / 1000.0,
    };
    Some(ms.round() as i64)
}

/// RFC 3339 with an offset: local time without one says too little.
pub(super) fn from_text(text: &str) -> Result<i64, String> {
    const BYTES_MAX: usize = 64;
    if text.len() > BYTES_MAX {
        return Err(format!("{} is no RFC 3339 time", excerpt(text)));
    }
    match text.trim().parse::<jiff::Timestamp>() {
        Ok(timestamp) => Ok(timestamp.as_millisecond()),
        // Also beyond the calendar: 9999-12-31 is no time that jiff holds.
        Err(_) => Err(format!("{} is no RFC 3339 time with offset", excerpt(text))),
    }
}

/// The time itself, or why it cannot be.
pub(super) fn bounded(at_ms: i64, received_ms: i64, ahead_max_ms: i64) -> Result<i64, String> {
    if at_ms < EARLIEST_MS {
        return Err(format!("{} is before 2000-01-01", show(at_ms)));
    }
    if at_ms > received_ms.saturating_add(ahead_max_ms) {
        return Err(format!("{} is ahead of {}", show(at_ms), show(received_ms)));
    }
    Ok(at_ms)
}

/// A time as people read it, or its number where no calendar reaches.
fn show(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| format!("{at_ms} ms"), |timestamp| timestamp.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_700_000_000_000;
    const DAY_MS: i64 = 86_400_000;

    #[test]
    fn numbers_of_every_unit_mean_the_same_time() {
        for (number, unit) in
            [(1_700_000_000.25, TimeUnit::S), (1_700_000_000_250.0, TimeUnit::Ms), (1.70000000025e15, TimeUnit::Us)]
        {
            assert_eq!(from_number(number, unit), Some(NOW_MS + 250), "{unit:?}");
        }
        assert_eq!(from_number(1.0, TimeUnit::Iso), None);
    }

    #[test]
    fn text_needs_an_offset() {
        assert_eq!(from_text("2023-11-14T22:13:20Z"), Ok(NOW_MS));
        assert_eq!(from_text("2023-11-15T06:13:20.000+08:00"), Ok(NOW_MS));
        for text in ["2023-11-14T22:13:20", "yesterday", "", "1700000000", &"9".repeat(100)] {
            assert!(from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_of_1970_and_9999_cannot_be() {
        let check = |text: &str| bounded(from_text(text).unwrap(), NOW_MS, DAY_MS);
        assert_eq!(check("2023-11-15T22:13:20Z"), Ok(NOW_MS + DAY_MS));
        assert_eq!(check("1970-01-01T00:00:00Z"), Err("1970-01-01T00:00:00Z is before 2000-01-01".into()));
        assert!(check("9999-12-30T00:00:00Z").unwrap_err().contains("9999-12-30T00:00:00Z is ahead of 2023"));
        for number in [f64::MAX, f64::MIN, 1e300] {
            let at_ms = from_number(number, TimeUnit::S).unwrap();
            assert!(bounded(at_ms, NOW_MS, DAY_MS).is_err(), "{number}");
        }
    }
}
