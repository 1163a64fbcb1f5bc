//! The one place that reads the system clock. Everything pure gets its time as an argument.

/// Milliseconds since the Unix epoch, UTC.
#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is told to use")]
pub fn now_ms() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_epoch.map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}
