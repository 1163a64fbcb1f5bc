//! The one place that reads the system clock. Everything pure gets its time as an argument.

/// Milliseconds since the Unix epoch, UTC.
#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is told to use")]
pub fn now_ms() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_epoch.map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

/// RFC 3339 in UTC with milliseconds; the number itself where it is outside the years 0 to 9999.
pub fn time_text(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
        .unwrap_or_else(|_| ms.to_string())
}

/// What RFC 3339 text says, in any zone; none where it is no such time.
pub fn time_ms(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_rfc_3339_with_milliseconds() {
        assert_eq!(super::time_text(1_767_225_600_012), "2026-01-01T00:00:00.012Z");
        assert_eq!(super::time_ms("2026-01-01T08:00:00.012+08:00"), Some(1_767_225_600_012));
        assert_eq!(["2026-01-01", "2026-01-01T00:00:00", "soon"].map(super::time_ms), [None; 3]);
        assert_eq!(super::time_text(i64::MAX), i64::MAX.to_string());
    }
}
