//! Rules about several fences, and lines that fence files draw: each fence has its own state and its own alerts.

use outpost_detectors::observation::{Fact, Observation, Position};
use outpost_fences::{FenceSet, geojson};

use super::tests::{log, rows};
use super::{Effect, Watch};
use crate::config::Config;

/// Two squares of about 100 m side by side at the equator, and a line northward 200 m east of their west side.
const FENCES: &str = r#"{ "type": "FeatureCollection", "features": [
    { "type": "Feature", "id": "grid-1", "properties": {}, "geometry": { "type": "Polygon",
        "coordinates": [[[0, 0], [0.001, 0], [0.001, 0.001], [0, 0.001], [0, 0]]] } },
    { "type": "Feature", "id": "grid-2", "properties": {}, "geometry": { "type": "Polygon",
        "coordinates": [[[0.001, 0], [0.002, 0], [0.002, 0.001], [0.001, 0.001], [0.001, 0]]] } },
    { "type": "Feature", "id": "gate", "properties": { "name": "the gate" }, "geometry": { "type": "LineString",
        "coordinates": [[0.002, -0.01], [0.002, 0.01]] } } ] }"#;

fn fences() -> FenceSet {
    FenceSet::new(geojson::parse(FENCES).fences)
}

fn config(detect: &str) -> Config {
    let rule = format!(r#"{{ id = "r", sources = ["bus/+"], severity = "minor", detect = {detect} }}"#);
    toml::from_str(&format!("rules = [{rule}]")).unwrap()
}

fn watch(detect: &str) -> Watch {
    Watch::new(&config(detect), &fences()).unwrap()
}

fn fix(at_s: i64, east_m: f64) -> Observation {
    let position = Position { lon: east_m / 111_320.0, lat: 0.0005, accuracy_m: Some(1.0) };
    let at_ms = at_s * 1000;
    Observation { source: "bus/1".into(), at_ms, received_ms: at_ms, fact: Fact::Position(position) }
}

/// Second, fence and words of what opens and clears.
fn told(effects: &[Effect]) -> Vec<String> {
    let fence = |fence: &Option<std::sync::Arc<str>>| fence.as_deref().unwrap_or("-").to_owned();
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Save(_) | Effect::Remember(_) | Effect::Join(_) | Effect::Show(_) => None,
        Effect::Open(alert) => Some(format!(
            "{} {} {}: {}",
            alert.since_at_ms / 1000,
            alert.key.rule,
            fence(&alert.key.fence),
            alert.why.text
        )),
        Effect::Clear(cleared) => {
            Some(format!("{} {} over, {}", cleared.cleared_ms / 1000, cleared.key.rule, cleared.why))
        }
    });
    told.collect()
}

fn played(watch: &mut Watch, fixes: &[(i64, f64)]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (at_s, east_m) in fixes {
        watch.step(&fix(*at_s, *east_m), &mut effects);
    }
    watch.remember(&mut effects);
    effects
}

#[test]
fn each_fence_of_a_rule_has_alerts_of_its_own() {
    let all = r#"{ kind = "enter", fence = "grid-*", border = { exit_buffer_m = 20 } }"#;
    let named = all.replace("\"grid-*\"", r#"["grid-1", "grid-2"]"#);
    for detect in [all, &named] {
        let effects = played(&mut watch(detect), &[(0, -50.0), (10, 50.0), (20, 120.0), (30, 180.0), (40, 300.0)]);
        let expected = [
            "10 r grid-1: entered grid-1",
            "20 r grid-2: entered grid-2",
            "30 r over, left grid-1",
            "40 r over, left grid-2",
        ];
        assert_eq!(told(&effects), expected, "{detect}");
    }
}

#[test]
fn what_is_open_of_each_fence_survives_a_restart() {
    let detect = r#"{ kind = "enter", fence = "grid-*" }"#;
    let effects = played(&mut watch(detect), &[(0, -50.0), (10, 50.0), (20, 115.0)]);
    assert_eq!(told(&effects).len(), 2, "inside the one and within the exit buffer of the other");
    let mut again = watch(detect);
    let mut restored = Vec::new();
    again.restore(rows(&effects), 20_000, &mut restored);
    again.redo(&log(&effects), 20_000, &mut restored).unwrap();
    assert_eq!(told(&restored), Vec::<String>::new());
    let after = played(&mut again, &[(30, 150.0), (40, 300.0)]);
    assert_eq!(told(&after), ["30 r over, left grid-1", "40 r over, left grid-2"]);
}

#[test]
fn a_fence_that_a_rule_is_no_longer_about_clears_and_the_other_goes_on() {
    let detect = r#"{ kind = "inside", fence = ["grid-1", "grid-2"], for = "5s", border = { exit_buffer_m = 50 } }"#;
    let mut watch = watch(detect);
    assert_eq!(told(&played(&mut watch, &[(0, 50.0), (10, 115.0), (20, 118.0)])).len(), 2);
    let mut effects = Vec::new();
    let fewer = config(&detect.replace(r#"["grid-1", "grid-2"]"#, r#"["grid-2"]"#));
    watch.reload(&fewer, &fences(), 21_000, &mut effects).unwrap();
    assert_eq!(told(&effects), ["21 r over, rule changed"]);
    assert_eq!(told(&played(&mut watch, &[(30, 400.0)])), ["30 r over, left grid-2"]);
}

#[test]
fn a_rule_that_gets_a_list_keeps_what_it_knew_of_its_one_fence() {
    let detect = r#"{ kind = "enter", fence = "grid-1" }"#;
    let listed = detect.replace("\"grid-1\"", r#"["grid-1", "grid-2"]"#);
    let mut first = watch(detect);
    let mut effects = played(&mut first, &[(0, -50.0), (10, 50.0)]);
    first.reload(&config(&listed), &fences(), 11_000, &mut effects).unwrap();
    assert_eq!(told(&effects), ["10 r grid-1: entered grid-1"]);
    // And what was stored under the rule alone is no more: after a restart it would be a rule that is gone.
    let mut again = watch(&listed);
    let mut restored = Vec::new();
    again.restore(rows(&effects), 12_000, &mut restored);
    again.redo(&log(&effects), 12_000, &mut restored).unwrap();
    assert_eq!(told(&restored), Vec::<String>::new());
    assert_eq!(told(&played(&mut again, &[(20, 400.0)])), ["20 r over, left grid-1"]);
}

#[test]
fn a_line_of_a_fence_file_is_crossed_and_names_itself() {
    let detect = r#"{ kind = "cross", fence = "gate", direction = "left-to-right" }"#;
    let effects = played(&mut watch(detect), &[(0, 150.0), (10, 250.0), (20, 150.0)]);
    assert_eq!(told(&effects), ["7 r gate: crossed the gate from left to right"]);
    let every = played(&mut watch(r##"{ kind = "cross", fence = "#" }"##), &[(0, 150.0), (10, 250.0)]);
    assert_eq!(told(&every), ["7 r gate: crossed the gate from left to right"], "areas are passed over");
}

#[test]
fn a_kind_does_not_take_a_fence_that_it_cannot_use() {
    let fails = |detect: &str| match Watch::new(&config(detect), &fences()) {
        Ok(_) => panic!("{detect} is taken"),
        Err(cause) => cause.what,
    };
    assert!(fails(r#"{ kind = "enter", fence = "gate" }"#).contains("has no inside"));
    assert!(fails(r#"{ kind = "cross", fence = "grid-1" }"#).contains("is no line"));
    assert!(fails(r#"{ kind = "cross" }"#).contains("needs either a fence"));
    assert!(fails(r#"{ kind = "enter", fence = ["grid-1", "grid-9"] }"#).contains("grid-9"));
}
