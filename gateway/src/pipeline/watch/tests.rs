//! Claims about Watch, on plain values: what opens, what clears, what a restart or a redelivery changes (nothing).

use std::sync::Arc;

use ndarray::Array2;
use outpost_detectors::observation::{
    Blob, Fact, Link, LinkReason, LinkState, PictureFacts, Position, Reading, Scale, Surface, ThermalFrame,
};
use outpost_fences::geojson;
use proptest::prelude::*;

use super::*;
use crate::nouns::{RedoRow, SnapshotAsk, TroubleKind, Why, trouble};

const RULES: &str = r#"
    [[cameras]]
    id = "gate"
    url = "rtsp://127.0.0.1/gate"
    dark_after = "30s"
    zones = [{ id = "bank", polygon = [[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]] }]

    [[sources]]
    id = "tunnel/7"
    name = "7 号舱"
    place = [106.0, 29.8]

    [[fences]]
    file = "not read here"

    [[rules]]
    id = "gas"
    sources = ["tunnel/+"]
    detect = { kind = "threshold", metric = "ch4", above = 1.0, clear = 0.8, hold = "5s", unit = "%LEL" }
    severity = "severe"

    [[rules]]
    id = "quiet"
    sources = ["tunnel/+"]
    detect = { kind = "silent", after = "60s" }
    severity = "minor"

    [[rules]]
    id = "in"
    sources = ["bus/#"]
    detect = { kind = "enter", fence = "square" }
    severity = "minor"

    [[rules]]
    id = "out"
    sources = ["bus/#"]
    detect = { kind = "exit", fence = "square" }
    severity = "minor"

    [[rules]]
    id = "stays"
    sources = ["bus/#"]
    detect = { kind = "inside", fence = "square", for = "30s" }
    severity = "minor"

    [[rules]]
    id = "hot"
    sources = ["thermal/*"]
    detect = { kind = "hotspot", above = 80.0, pixels_min = 2 }
    severity = "extreme"

    [[rules]]
    id = "no-entry"
    sources = ["cam:*"]
    detect = { kind = "intrusion", zone = "bank", dwell = "2s", clear_hold = "4s" }
    severity = "moderate"
"#;

const SQUARE: &str = r#"{ "type": "Feature", "id": "square", "properties": {}, "geometry": { "type": "Polygon",
    "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]] } }"#;

fn watch() -> Watch {
    let config: Config = toml::from_str(RULES).unwrap();
    Watch::new(&config, &FenceSet::new(geojson::parse(SQUARE).fences)).unwrap()
}

fn at(source: &str, at_ms: i64, fact: Fact) -> Observation {
    Observation { source: source.into(), at_ms, received_ms: at_ms, fact }
}

fn gas(at_ms: i64, value: f64) -> Observation {
    let reading = Reading { metric: "ch4".into(), value, unit: Some("%LEL".into()) };
    at("tunnel/7", at_ms, Fact::Reading(reading))
}

fn fix(at_ms: i64, lon: f64) -> Observation {
    at("bus/1", at_ms, Fact::Position(Position { lon, lat: 0.5, accuracy_m: None }))
}

fn picture(at_ms: i64, feet: Option<f32>) -> Observation {
    let blob = |bottom| Blob { left: 0.4, top: bottom - 0.3, right: 0.5, bottom, area: 0.01 };
    let facts =
        PictureFacts { picture: at_ms as u64, blobs: feet.map(blob).into_iter().collect(), ..Default::default() };
    at("cam:gate", at_ms, Fact::Picture(facts))
}

/// What happened, in words: `open rule` and `clear rule`.
fn told(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Save(_) | Effect::Remember(_) | Effect::Join(_) | Effect::Show(_) => None,
            Effect::Open(alert) => Some(format!("open {}", alert.key.rule)),
            Effect::Clear(cleared) => Some(format!("clear {}", cleared.key.rule)),
        })
        .collect()
}

fn played(observations: &[Observation]) -> Vec<String> {
    let (mut watch, mut effects) = (watch(), Vec::new());
    observations.iter().for_each(|observation| watch.step(observation, &mut effects));
    told(&effects)
}

#[test]
fn one_excursion_opens_one_alert_and_says_why_and_where() {
    let (mut watch, mut effects) = (watch(), Vec::new());
    for (at_s, value) in [(0, 0.5), (10, 1.2), (12, 1.3), (15, 1.4), (20, 2.0), (30, 0.9), (40, 0.7)] {
        watch.step(&gas(at_s * 1000, value), &mut effects);
    }
    assert_eq!(told(&effects), ["open gas", "clear gas"]);
    let Some(Effect::Open(alert)) = effects.iter().find(|effect| matches!(effect, Effect::Open(_))) else {
        panic!("no alert")
    };
    assert_eq!((alert.since_at_ms, alert.opened_ms), (10_000, 15_000));
    assert_eq!(alert.why.text, "ch4 1.4 %LEL above 1 %LEL for 5 s");
    assert_eq!((alert.place.name.as_deref(), alert.place.point), (Some("7 号舱"), Some((106.0, 29.8))));
}

#[test]
fn a_reading_in_another_unit_is_counted_and_judged_by_nobody() {
    let (mut watch, mut effects) = (watch(), Vec::new());
    for at_ms in [0, 10_000] {
        let reading = Reading { metric: "ch4".into(), value: 99.0, unit: Some("ppm".into()) };
        watch.step(&at("tunnel/7", at_ms, Fact::Reading(reading)), &mut effects);
    }
    assert_eq!((told(&effects).len(), watch.n_wrong_unit()), (0, 2));
}

#[test]
fn a_hold_ends_although_nothing_further_comes() {
    let (mut watch, mut effects) = (watch(), Vec::new());
    watch.step(&gas(0, 1.2), &mut effects);
    watch.elapse(4_999, &mut effects);
    assert!(told(&effects).is_empty());
    watch.elapse(5_000, &mut effects);
    assert_eq!(told(&effects), ["open gas"]);
    assert_eq!(watch.next_due_ms(), Some(60_000), "silence is next");
}

#[test]
fn silence_alarms_once_and_the_next_message_clears_it() {
    let (mut watch, mut effects) = (watch(), Vec::new());
    watch.step(&gas(0, 0.1), &mut effects);
    watch.step(&gas(50_000, 0.1), &mut effects);
    while let Some(due_ms) = watch.next_due_ms().filter(|due_ms| *due_ms < 500_000) {
        watch.elapse(due_ms, &mut effects);
    }
    assert_eq!(told(&effects), ["open quiet"]);
    watch.step(&gas(500_000, 0.1), &mut effects);
    assert_eq!(told(&effects), ["open quiet", "clear quiet"]);
}

#[test]
fn a_position_enters_stays_and_leaves() {
    let fixes: Vec<_> = [(0, -0.5), (10, 0.5), (30, 0.6), (40, 0.6), (50, 1.5), (60, 0.5)]
        .map(|(at_s, lon)| fix(at_s * 1000, lon))
        .into();
    assert_eq!(
        played(&fixes),
        ["open in", "open stays", "clear in", "open out", "clear stays", "open in", "clear out"]
    );
}

#[test]
fn leaving_counts_only_after_having_been_inside() {
    assert_eq!(played(&[fix(0, 2.0), fix(1_000, 3.0)]), Vec::<String>::new());
}

#[test]
fn a_hot_region_opens_and_a_cool_frame_clears() {
    let frame = |at_ms, hot: f32| {
        let mut celsius = Array2::from_elem((8, 8), 20.0);
        celsius[[3, 3]] = hot;
        celsius[[3, 4]] = hot;
        at(
            "thermal/a",
            at_ms,
            Fact::Thermal(ThermalFrame {
                celsius: Arc::new(celsius),
                scale: Scale::default(),
                surface: Surface::default(),
                aim: None,
            }),
        )
    };
    assert_eq!(
        played(&[frame(0, 20.0), frame(1_000, 90.0), frame(2_000, 91.0), frame(3_000, 30.0)]),
        ["open hot", "clear hot"]
    );
}

#[test]
fn something_that_dwells_in_the_zone_is_an_intrusion_with_its_picture() {
    let (mut watch, mut effects) = (watch(), Vec::new());
    // Feet above the zone, then in it; lost for half a second during the dwell.
    let scene =
        [(0, Some(0.4)), (1_000, Some(0.7)), (2_000, None), (2_400, Some(0.7)), (3_100, Some(0.8)), (3_200, None)];
    scene.iter().for_each(|(at_ms, feet)| watch.step(&picture(*at_ms, *feet), &mut effects));
    assert_eq!(told(&effects), Vec::<String>::new(), "a second without it is a new dwell");
    for at_ms in [3_300, 3_900, 4_800, 5_300] {
        watch.step(&picture(at_ms, Some(0.8)), &mut effects);
    }
    let Some(Effect::Open(alert)) = effects.iter().find(|effect| matches!(effect, Effect::Open(_))) else {
        panic!("no alert: {effects:?}")
    };
    let Some(SnapshotAsk::Camera { shots, zones }) = &alert.snapshot else { panic!("{:?}", alert.snapshot) };
    assert_eq!((shots[0].boxes.len(), zones[0].len()), (1, 4));
    watch.step(&picture(6_000, None), &mut effects);
    watch.step(&picture(10_000, None), &mut effects);
    assert_eq!(told(&effects), ["open no-entry", "clear no-entry"]);
}

#[test]
fn a_camera_that_never_came_is_dark_with_its_reason_until_it_shows_a_picture() {
    let (mut watch, mut effects) = (watch(), Vec::new());
    watch.expect(["cam:gate"], 0, &mut effects);
    let link = Link { state: LinkState::Offline, reason: Some(LinkReason::Route) };
    watch.step(&at("cam:gate", 2_000, Fact::Link(link)), &mut effects);
    watch.elapse(29_999, &mut effects);
    assert!(told(&effects).is_empty());
    watch.elapse(30_000, &mut effects);
    let Some(Effect::Open(alert)) = effects.last() else { panic!("not dark: {effects:?}") };
    assert_eq!((&*alert.key.rule, alert.why.text.as_str()), ("camera-dark", "no picture for 30 s: route"));
    assert_eq!(alert.snapshot, Some(SnapshotAsk::Last), "what it saw last, where it saw something");
    watch.step(&picture(40_000, None), &mut effects);
    assert_eq!(told(&effects), ["open camera-dark", "clear camera-dark"]);
}

#[test]
fn sources_beyond_the_bound_are_counted_and_cost_no_memory() {
    let mut config: Config = toml::from_str(RULES).unwrap();
    config.pipeline.sources_max = 3;
    let mut watch = Watch::new(&config, &FenceSet::new(geojson::parse(SQUARE).fences)).unwrap();
    let mut effects = Vec::new();
    for n in 0..10 {
        let reading = Reading { metric: "ch4".into(), value: 0.1, unit: None };
        watch.step(&at(&format!("tunnel/{n}"), 0, Fact::Reading(reading)), &mut effects);
    }
    assert_eq!((watch.n_sources(), watch.n_ignored()), (3, 7));
}

#[test]
fn a_state_whose_rule_is_gone_is_cleared_and_forgotten() {
    let (mut watch, mut effects) = (watch(), Vec::new());
    let row = |rule: &str, state: &str| StateRow { rule: rule.into(), source: "tunnel/7".into(), state: state.into() };
    let raised =
        r#"{"state":{"latch":{"phase":"raised","since_at_ms":1,"since_now_ms":1}},"alert":"A-1","n_alerts":1}"#;
    watch.restore(vec![row("no-such-rule", raised), row("quiet", raised), row("gas", "not json")], 5, &mut effects);
    assert_eq!(told(&effects), ["clear no-such-rule", "clear quiet"], "the kind of quiet does not fit");
    let forgotten = effects.iter().filter(|effect| matches!(effect, Effect::Save(row) if row.state.is_empty()));
    assert_eq!(forgotten.count(), 3);
}

/// A walk over all kinds of facts of a few sources, in time order.
fn walk() -> impl Strategy<Value = Vec<Observation>> {
    let step = prop_oneof![
        (0.0..2.0f64).prop_map(|value| gas(0, value)),
        (-1.0..2.0f64).prop_map(|lon| fix(0, lon)),
        prop::option::of(0.3..1.0f32).prop_map(|feet| picture(0, feet)),
    ];
    prop::collection::vec((step, 0i64..8_000), 1..120).prop_map(|steps| {
        let mut now_ms = 1_000;
        steps
            .into_iter()
            .map(|(observation, gap_ms)| {
                now_ms += gap_ms;
                Observation { at_ms: now_ms, received_ms: now_ms, ..observation }
            })
            .collect()
    })
}

/// The rows that a store would hold after these effects.
pub(super) fn rows(effects: &[Effect]) -> Vec<StateRow> {
    let mut rows = std::collections::BTreeMap::new();
    for effect in effects {
        if let Effect::Save(row) = effect {
            rows.insert((row.rule.clone(), row.source.clone()), row.clone());
        }
    }
    rows.into_values().filter(|row| !row.state.is_empty()).collect()
}

/// The log of what was remembered that a store would hold.
pub(super) fn log(effects: &[Effect]) -> Vec<RedoRow> {
    let mut log: Vec<RedoRow> = Vec::new();
    for effect in effects {
        if let Effect::Remember(change) = effect {
            log.extend(change.row.clone());
            log.retain(|row| row.seq >= change.from);
        }
    }
    log
}

fn alerts(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Save(_) | Effect::Remember(_) | Effect::Join(_) | Effect::Show(_) => None,
            Effect::Open(alert) => Some(format!("open {} since {}", alert.id, alert.since_at_ms)),
            Effect::Clear(cleared) => Some(format!("clear {}", cleared.id)),
        })
        .collect()
}

proptest! {
    /// A crash at any instant, with the last unacknowledged messages delivered again, leaves the alerts of the
    /// undisturbed run: none lost, none twice.
    #[test]
    fn a_crash_anywhere_with_redelivery_changes_nothing(walk in walk(), crash in 0usize..120, again in 0usize..20) {
        let crash = crash.min(walk.len());
        let (mut straight, mut expected) = (watch(), Vec::new());
        walk.iter().for_each(|observation| straight.step(observation, &mut expected));

        let (mut before, mut effects) = (watch(), Vec::new());
        walk[..crash].iter().for_each(|observation| before.step(observation, &mut effects));
        before.remember(&mut effects);
        let mut after = watch();
        let now_ms = walk[crash.saturating_sub(1)].received_ms;
        after.restore(rows(&effects), now_ms, &mut effects);
        after.redo(&log(&effects), now_ms, &mut effects).unwrap();
        walk[crash.saturating_sub(again)..].iter().for_each(|observation| after.step(observation, &mut effects));
        prop_assert_eq!(alerts(&effects), alerts(&expected));
    }

    /// At most one alert of a key is open, and what clears was open.
    #[test]
    fn alerts_of_a_key_alternate(walk in walk(), waits in any::<bool>()) {
        let (mut watch, mut effects) = (watch(), Vec::new());
        for observation in &walk {
            if waits { watch.elapse(observation.received_ms, &mut effects); }
            watch.step(observation, &mut effects);
        }
        let mut open: std::collections::HashMap<AlertKey, Arc<str>> = Default::default();
        for effect in &effects {
            match effect {
                Effect::Save(_) | Effect::Remember(_) | Effect::Join(_) | Effect::Show(_) => {}
                Effect::Open(alert) => prop_assert!(open.insert(alert.key.clone(), alert.id.clone()).is_none()),
                Effect::Clear(cleared) => prop_assert_eq!(open.remove(&cleared.key), Some(cleared.id.clone())),
            }
        }
    }
}

#[test]
fn what_flaps_is_one_alert_until_it_has_rested() {
    let rules =
        RULES.replacen("severity = \"severe\"", "severity = \"severe\"\nflapping = { n = 3, within = \"10m\" }", 1);
    let rules = rules.replacen(", hold = \"5s\"", "", 1);
    let config: Config = toml::from_str(&rules).unwrap();
    let fences = FenceSet::new(geojson::parse(SQUARE).fences);
    let mut watch = Watch::new(&config, &fences).unwrap();
    let mut effects = Vec::new();
    for i in 0..6 {
        watch.step(&gas(i * 60_000, 1.5), &mut effects);
        watch.step(&gas(i * 60_000 + 30_000, 0.5), &mut effects);
    }
    let gas_only =
        |effects: &[Effect]| told(effects).into_iter().filter(|told| told.ends_with(" gas")).collect::<Vec<_>>();
    assert_eq!(gas_only(&effects), ["open gas", "clear gas", "open gas", "clear gas", "open gas"]);
    let Some(Effect::Open(third)) = effects.iter().filter(|effect| matches!(effect, Effect::Open(_))).nth(2) else {
        panic!("no third alert")
    };
    assert!(
        third.why.text.ends_with("; 3 times within 600 s, stays open until it rests for as long"),
        "{}",
        third.why.text
    );

    // A restart meanwhile: it rests from then on.
    let saved = effects.iter().rev().find_map(|effect| match effect {
        Effect::Save(row) if &*row.rule == "gas" => Some(row.clone()),
        _ => None,
    });
    let mut again = Watch::new(&config, &fences).unwrap();
    effects.clear();
    again.restore(vec![saved.unwrap()], 400_000, &mut effects);
    again.elapse(999_999, &mut effects);
    assert_eq!(gas_only(&effects), [""; 0]);
    again.elapse(1_000_000, &mut effects);
    assert_eq!(gas_only(&effects), ["clear gas"]);
    let Some(Effect::Clear(cleared)) = effects.iter().find(|effect| matches!(effect, Effect::Clear(_))) else {
        panic!("not cleared")
    };
    assert_eq!(cleared.why, "rested, 3 more openings were suppressed");

    // A rule that knows no flapping any more lets go of it.
    let plain: Config = toml::from_str(&rules.replacen("flapping = { n = 3, within = \"10m\" }", "", 1)).unwrap();
    effects.clear();
    watch.reload(&plain, &fences, 350_000, &mut effects).unwrap();
    watch.elapse(350_000, &mut effects);
    assert_eq!(gas_only(&effects), ["clear gas"]);
}

#[test]
fn what_the_gateway_says_of_itself_is_held_survives_a_restart_and_opens_one_alert() {
    let series = "[series]\nurl = \"http://tsdb\"\norg = \"o\"\nbucket = \"b\"\ndown_after = \"5m\"\n";
    let config: Config = toml::from_str(&format!("{series}{RULES}")).unwrap();
    let fences = FenceSet::new(geojson::parse(SQUARE).fences);
    let mut watch = Watch::new(&config, &fences).unwrap();
    let trouble = |kind, is_on, text: &str, at_ms| Trouble {
        kind,
        source: trouble::SERIES.into(),
        is_on,
        why: Why { text: text.into(), figures: vec![] },
        at_ms,
    };
    let down = |is_on, at_ms| trouble(TroubleKind::SeriesDown, is_on, "cannot connect", at_ms);
    let lost = |is_on, text, at_ms| trouble(TroubleKind::ReadingsLost, is_on, text, at_ms);
    let words = |effects: &[Effect]| -> Vec<String> {
        let word = |effect: &Effect| match effect {
            Effect::Open(alert) => Some(format!("open {}: {}", alert.key.rule, alert.why.text)),
            Effect::Clear(cleared) => Some(format!("clear {}: {}", cleared.key.rule, cleared.why)),
            Effect::Save(_) | Effect::Remember(_) | Effect::Join(_) | Effect::Show(_) => None,
        };
        effects.iter().filter_map(word).collect()
    };
    let mut effects = Vec::new();
    // Away for less than its patience, then for good.
    watch.trouble(&down(true, 1_000), &mut effects);
    watch.trouble(&down(false, 200_000), &mut effects);
    watch.elapse(301_000, &mut effects);
    watch.trouble(&down(true, 400_000), &mut effects);
    watch.trouble(&lost(true, "7 lost", 500_000), &mut effects);
    assert_eq!(words(&effects), ["open readings-lost: 7 lost"]);

    // A restart tells of both again; the wait begins anew, the alert does not.
    let mut again = Watch::new(&config, &fences).unwrap();
    let saved = rows(&effects);
    effects.clear();
    again.restore(saved, 600_000, &mut effects);
    again.trouble(&lost(true, "9 lost", 601_000), &mut effects);
    again.trouble(&down(true, 601_000), &mut effects);
    again.elapse(899_999, &mut effects);
    assert_eq!(words(&effects), [""; 0]);
    again.elapse(900_000, &mut effects);
    again.trouble(&down(false, 910_000), &mut effects);
    again.trouble(&lost(false, "9 were lost", 911_000), &mut effects);
    assert_eq!(
        words(&effects),
        [
            "open series-down: cannot connect for 300 s",
            "clear series-down: cannot connect",
            "clear readings-lost: 9 were lost"
        ]
    );
}
