//! Text from outside: whatever it is, parsing ends, says something and costs no other feature.

use outpost_fences::geojson::{self, FEATURE_BYTES_MAX, PROBLEMS_MAX, Parsed, ProblemKind};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::shapes::{fence, shape};

const GOOD: &str = r#"{"type":"FeatureCollection","features":[
    {"type":"Feature","properties":{"id":"a","name":"甲"},"geometry":{"type":"Polygon","coordinates":
        [[[106,29],[107,29],[107,30],[106,29]]]}},
    {"type":"Feature","properties":{"id":"b"},"geometry":{"type":"MultiPolygon","coordinates":
        [[[[108,29],[109,29],[109,30],[108,29]]]]}}]}"#;

fn ids(parsed: &Parsed) -> Vec<&str> {
    parsed.fences.iter().map(|fence| fence.id.as_ref()).collect()
}

/// JSON that looks like GeoJSON here and there.
fn jsonish() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-200i32..200).prop_map(Value::from),
        prop::sample::select(vec!["Feature", "Polygon", "MultiPolygon", "FeatureCollection", "Point", ""])
            .prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec!["type", "features", "geometry", "coordinates", "properties", "id", "crs"]);
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(keys.clone().prop_map(String::from), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_fences_or_problems(text in any::<String>()) {
        let parsed = geojson::parse(&text);
        prop_assert!(!parsed.fences.is_empty() || !parsed.problems.is_empty());
    }

    #[test]
    fn any_json_as_geometry_costs_the_other_feature_nothing(value in jsonish()) {
        let mut whole: Value = serde_json::from_str(GOOD).unwrap();
        whole["features"][0] = value.clone();
        let parsed = geojson::parse(&whole.to_string());
        prop_assert!(ids(&parsed).contains(&"b"), "{:?}", parsed.problems);
        let feature = json!({"type": "Feature", "id": "x", "geometry": {"type": "MultiPolygon", "coordinates": value}});
        let parsed = geojson::parse(&feature.to_string());
        for problem in parsed.problems {
            prop_assert!(!problem.to_string().is_empty());
        }
    }

    #[test]
    fn a_changed_byte_is_no_panic(at in 0..GOOD.len(), byte in any::<u8>()) {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes[at] = byte;
        let parsed = geojson::parse(&String::from_utf8_lossy(&bytes));
        prop_assert!(!parsed.fences.is_empty() || !parsed.problems.is_empty());
    }

    #[test]
    fn what_is_written_is_read_again(shape in shape()) {
        let written = geojson::to_json(&fence("a fence", shape));
        let parsed = geojson::parse(&written.to_string());
        prop_assert_eq!(ids(&parsed), ["a fence"]);
        let again = geojson::to_json(&parsed.fences[0]);
        prop_assert_eq!(&again["geometry"]["type"], &written["geometry"]["type"]);
        let numbers = |value: &Value| {
            value["geometry"]["coordinates"].to_string().matches(',').count()
        };
        prop_assert_eq!(numbers(&again), numbers(&written));
    }
}

#[test]
fn nan_costs_its_own_feature_only() {
    let text = GOOD.replacen("107,30", "NaN,-Infinity", 1).replacen("甲", r#"甲 \" NaN"#, 1);
    let parsed = geojson::parse(&text);
    assert_eq!(ids(&parsed), ["b"]);
    let problem = &parsed.problems[0];
    assert_eq!(problem.kind, ProblemKind::NotAPosition);
    assert_eq!(
        problem.to_string(),
        "features[0] \"a\" (\"甲 \\\" NaN\"): coordinates[0][2]: the position is not two numbers: \
         a position is [longitude, latitude]; NaN, null and text are none"
    );
}

#[test]
fn a_number_beyond_all_numbers_costs_its_own_feature_only() {
    let parsed = geojson::parse(&GOOD.replacen("107,30", "107,1e999", 1));
    assert_eq!(ids(&parsed), ["b"]);
    assert!(matches!(&parsed.problems[..], [p] if matches!(p.kind, ProblemKind::Unreadable { .. })));
}

#[test]
fn deep_nesting_costs_its_own_feature_only() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let parsed = geojson::parse(&GOOD.replacen("[106,29]", &deep, 1));
    assert_eq!(ids(&parsed), ["b"]);
    assert!(matches!(&parsed.problems[..], [p] if matches!(p.kind, ProblemKind::Unreadable { .. })));
    let parsed = geojson::parse(&"[".repeat(1_000_000));
    assert!(matches!(&parsed.problems[..], [p] if matches!(p.kind, ProblemKind::NotJson { .. })));
}

#[test]
fn a_huge_feature_costs_itself_only() {
    let huge = "[106.123456789,29.123456789],".repeat(FEATURE_BYTES_MAX / 28);
    let parsed = geojson::parse(&GOOD.replacen("[106,29],", &huge, 1));
    assert_eq!(ids(&parsed), ["b"]);
    assert!(matches!(&parsed.problems[..], [p] if matches!(p.kind, ProblemKind::FeatureTooLong { .. })));
}

#[test]
fn problems_are_bounded_and_the_rest_counted() {
    let features = vec![json!({"type": "Feature", "geometry": null}); PROBLEMS_MAX + 7];
    let parsed = geojson::parse(&json!({"type": "FeatureCollection", "features": features}).to_string());
    assert_eq!(parsed.problems.len(), PROBLEMS_MAX + 1);
    let last = parsed.problems.last().unwrap();
    assert!(matches!(last.kind, ProblemKind::FurtherProblems { n: 7, .. }), "{last}");
}
