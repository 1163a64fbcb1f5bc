//! A delivery → CloudEvents 1.0 in JSON, structured mode. Knows nothing of how it is sent.
//!
//! Specification: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md> and its
//! `formats/json-format.md`.

use std::fmt::Write as _;

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::nouns::Delivery;

/// Content type of structured mode.
pub(super) const CONTENT_TYPE: &str = "application/cloudevents+json";

/// Everything but `data`, which is JSON text already and is not parsed into values on its way.
#[derive(Serialize)]
struct Envelope<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    datacontenttype: &'static str,
}

/// `outpost/<district>` as the URI reference that the specification asks for.
pub(super) fn source(district: &str) -> String {
    let mut source = String::from("outpost/");
    for byte in district.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            source.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(source, "%{byte:02X}");
        }
    }
    source
}

/// The same bytes for the same delivery, always: signatures and receivers that compare may rely on it.
pub(super) fn encode(source: &str, delivery: &Delivery) -> Result<String, serde_json::Error> {
    serde_json::from_str::<IgnoredAny>(&delivery.data)?;
    let envelope = Envelope {
        specversion: "1.0",
        id: &delivery.key,
        source,
        kind: &delivery.kind,
        time: jiff::Timestamp::from_millisecond(delivery.created_ms).ok().map(|time| time.to_string()),
        datacontenttype: "application/json",
    };
    let mut text = serde_json::to_string(&envelope)?;
    text.pop();
    text.push_str(r#","data":"#);
    text.push_str(&delivery.data);
    text.push('}');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(data: &str) -> Delivery {
        Delivery {
            row: 1,
            receiver: "centre".into(),
            key: "T-42/3".into(),
            kind: "outpost.ticket.opened".into(),
            data: data.into(),
            created_ms: 1_767_323_045_123,
            attempts: 0,
        }
    }

    #[test]
    fn a_delivery_becomes_a_structured_cloudevent() {
        let text = encode("outpost/west", &delivery(r#"{"ticket": 42, "name": "管廊"}"#)).unwrap();
        let event: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!({
            "specversion": "1.0",
            "id": "T-42/3",
            "source": "outpost/west",
            "type": "outpost.ticket.opened",
            "time": "2026-01-02T03:04:05.123Z",
            "datacontenttype": "application/json",
            "data": {"ticket": 42, "name": "管廊"},
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn data_that_is_not_json_cannot_forge_attributes() {
        for data in ["", "nonsense", r#"{}, "id": "T-1/1""#, r#"{"a":1"#] {
            assert!(encode("outpost/west", &delivery(data)).is_err(), "{data:?}");
        }
    }

    #[test]
    fn any_district_is_a_uri_reference() {
        assert_eq!(source("west-1"), "outpost/west-1");
        assert_eq!(source("a b/区"), "outpost/a%20b%2F%E5%8C%BA");
    }

    #[test]
    fn a_time_beyond_the_calendar_is_left_out() {
        let text = encode("s", &Delivery { created_ms: i64::MAX, ..delivery("{}") }).unwrap();
        assert!(!text.contains("\"time\""), "{text}");
    }
}
