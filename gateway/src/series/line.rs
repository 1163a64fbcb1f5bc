//! Readings as InfluxDB line protocol. Knows nothing of servers, batches or the spool.
//!
//! Reference: <https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/>. In tag values comma, equals
//! sign and space are escaped by a backslash; a line break cannot be written; a tag without a value is left out.
//! There is no escape for the backslash itself: InfluxDB 2 keeps `\\` as two, VictoriaMetrics makes it one, and at the
//! end of a value a backslash swallows the separator (influxdata/influxdb#5231). A backslash that all servers read
//! alike is written as it is; a text that they read differently is refused rather than stored under another name.

use std::fmt::Write as _;

/// Longest source, metric or unit. Servers cut longer label values (VictoriaMetrics) or refuse the series key
/// (InfluxDB: 64 KiB in all); both would store another name than ours.
pub const TAG_BYTES_MAX: usize = 1024;

/// InfluxDB keeps signed 64-bit nanoseconds: 1677 to 2262.
const AT_MS_ABS_MAX: u64 = 9_223_372_036_854;

/// Appends one line, ended by `\n`: measurement `reading`, tags `metric`, `source`, `unit`, field `value`, time in
/// milliseconds. False, and nothing appended, where the protocol cannot express the reading: the caller counts it.
///
/// Allocates only when `out` has to grow.
#[must_use = "a reading that is not expressible is to be counted"]
pub fn push_line(out: &mut String, source: &str, metric: &str, unit: Option<&str>, value: f64, at_ms: i64) -> bool {
    let unit = unit.filter(|unit| !unit.is_empty());
    let expressible = value.is_finite()
        && at_ms.unsigned_abs() <= AT_MS_ABS_MAX
        && is_tag_value(source)
        && is_tag_value(metric)
        && unit.is_none_or(is_tag_value);
    if !expressible {
        return false;
    }
    // Tags in the order of their keys, as the reference advises: the server need not sort them.
    out.push_str("reading,metric=");
    push_tag_value(out, metric);
    out.push_str(",source=");
    push_tag_value(out, source);
    if let Some(unit) = unit {
        out.push_str(",unit=");
        push_tag_value(out, unit);
    }
    out.push_str(" value=");
    push_float(out, value);
    // Writing to a String cannot fail.
    let _ = writeln!(out, " {at_ms}");
    true
}

fn is_tag_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > TAG_BYTES_MAX {
        return false;
    }
    bytes.iter().enumerate().all(|(place, byte)| match byte {
        0..=0x1f | 0x7f => false,
        b'\\' => bytes.get(place + 1).is_some_and(|next| !matches!(next, b',' | b'=' | b' ' | b'\\')),
        _ => true,
    })
}

fn push_tag_value(out: &mut String, text: &str) {
    let mut written = 0;
    for (place, byte) in text.bytes().enumerate() {
        if matches!(byte, b',' | b'=' | b' ') {
            // Always a boundary: the byte is ASCII.
            out.push_str(&text[written..place]);
            out.push('\\');
            written = place;
        }
    }
    out.push_str(&text[written..]);
}

/// The shortest text that reads back as the same number; very large and very small ones with an exponent.
fn push_float(out: &mut String, value: f64) {
    let magnitude = value.abs();
    let _ = if magnitude != 0.0 && !(1e-5..1e16).contains(&magnitude) {
        write!(out, "{value:e}")
    } else {
        write!(out, "{value}")
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a server understood of a line.
    #[derive(Debug, PartialEq)]
    struct Point {
        measurement: String,
        tags: Vec<(String, String)>,
        value: f64,
        at_ms: i64,
    }

    /// The two ways in which servers read a backslash before a backslash.
    #[derive(Debug, Clone, Copy)]
    enum Reading {
        /// InfluxDB 2: it is an ordinary character.
        Influx,
        /// VictoriaMetrics: it escapes.
        Victoria,
    }

    /// Splits at the separator where no backslash stands before it (pairs of backslashes skip each other).
    fn split(text: &str, separator: char) -> Vec<&str> {
        let mut parts = vec![];
        let (mut start, mut escaped) = (0, false);
        for (place, character) in text.char_indices() {
            if escaped {
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == separator {
                parts.push(&text[start..place]);
                start = place + character.len_utf8();
            }
        }
        parts.push(&text[start..]);
        parts
    }

    fn unescape(text: &str, reading: Reading) -> String {
        let mut out = String::new();
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            let escapes = match rest.peek() {
                Some(',' | '=' | ' ') => true,
                Some('\\') => matches!(reading, Reading::Victoria),
                _ => false,
            };
            match (character, escapes) {
                ('\\', true) => out.push(rest.next().unwrap()),
                ('\\', false) if rest.peek() == Some(&'\\') => out.extend(['\\', rest.next().unwrap()]),
                _ => out.push(character),
            }
        }
        out
    }

    fn parse(line: &str, reading: Reading) -> Point {
        let sections = split(line, ' ');
        let [head, fields, time] = sections[..] else { panic!("{} sections in {line:?}", sections.len()) };
        let mut head = split(head, ',').into_iter();
        let measurement = unescape(head.next().unwrap(), reading);
        let tags = head
            .map(|tag| match split(tag, '=')[..] {
                [key, value] => {
                    assert!(!value.is_empty(), "empty tag in {line:?}");
                    (unescape(key, reading), unescape(value, reading))
                }
                _ => panic!("tag {tag:?} in {line:?}"),
            })
            .collect();
        let value = fields.strip_prefix("value=").unwrap().parse().unwrap();
        Point { measurement, tags, value, at_ms: time.parse().unwrap() }
    }

    fn line(source: &str, metric: &str, unit: Option<&str>, value: f64, at_ms: i64) -> Option<String> {
        let mut out = String::new();
        push_line(&mut out, source, metric, unit, value, at_ms).then_some(out)
    }

    #[test]
    fn a_reading_becomes_one_line() {
        assert_eq!(
            line("tunnel/7", "ch4", Some("%LEL"), 1.25, 1_700_000_000_123).unwrap(),
            "reading,metric=ch4,source=tunnel/7,unit=%LEL value=1.25 1700000000123\n"
        );
        assert_eq!(line("a b,c=d", "m", None, -0.0, 0).unwrap(), "reading,metric=m,source=a\\ b\\,c\\=d value=-0 0\n");
        assert_eq!(line("管廊", "m", Some(""), 1e300, -1).unwrap(), "reading,metric=m,source=管廊 value=1e300 -1\n");
    }

    #[test]
    fn what_the_protocol_cannot_express_is_refused_and_leaves_nothing_behind() {
        let long = "x".repeat(TAG_BYTES_MAX + 1);
        let texts =
            ["", "a\nb", "a\rb", "a\tb", "a\0", "\x7f", "a\\", "a\\,b", "a\\=b", "a\\ b", "a\\\\b", "\\", &long];
        for text in texts {
            assert_eq!(line(text, "m", None, 1.0, 0), None, "source {text:?}");
            assert_eq!(line("s", text, None, 1.0, 0), None, "metric {text:?}");
            assert_eq!(line("s", "m", Some(text).filter(|t| !t.is_empty()), 1.0, 0).is_some(), text.is_empty());
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(line("s", "m", None, value, 0), None);
        }
        for at_ms in [i64::MIN, i64::MAX, 9_223_372_036_855, -9_223_372_036_855] {
            assert_eq!(line("s", "m", None, 1.0, at_ms), None);
        }
        assert!(line("C:\\line", "m", None, 1.0, 9_223_372_036_854).is_some());
        let mut out = String::from("before");
        assert!(!push_line(&mut out, "a\nb", "m", None, 1.0, 0));
        assert_eq!(out, "before");
    }

    fn awkward() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            proptest::collection::vec(
                prop::sample::select(vec![
                    "\\", ",", "=", " ", "\n", "\r", "\t", "\"", "#", "a", "n", "温", "\u{2028}"
                ]),
                0..12
            )
            .prop_map(|parts| parts.concat()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_text_reads_back_as_itself_on_every_server_or_is_refused(
            source in awkward(),
            metric in awkward(),
            unit in proptest::option::of(awkward()),
            value in any::<f64>(),
            at_ms in any::<i64>(),
        ) {
            // Most random times lie outside the protocol's range: fold them in, except for some.
            let at_ms = if at_ms % 16 == 0 { at_ms } else { at_ms % 9_000_000_000_000 };
            let Some(line) = line(&source, &metric, unit.as_deref(), value, at_ms) else { return Ok(()) };
            let text = line.strip_suffix('\n').unwrap();
            prop_assert!(!text.contains(['\n', '\r']), "{text:?}");
            let mut tags = vec![("metric".to_owned(), metric), ("source".to_owned(), source)];
            tags.extend(unit.filter(|unit| !unit.is_empty()).map(|unit| ("unit".to_owned(), unit)));
            let point = Point { measurement: "reading".into(), tags, value, at_ms };
            prop_assert_eq!(&parse(text, Reading::Influx), &point);
            prop_assert_eq!(&parse(text, Reading::Victoria), &point);
        }

        #[test]
        fn ordinary_text_is_never_refused(source in r#"[^\\\x00-\x1f\x7f]{1,200}"#, value in -1e12..1e12f64) {
            prop_assert!(line(&source, "value", None, value, 1_700_000_000_000).is_some());
        }
    }
}
