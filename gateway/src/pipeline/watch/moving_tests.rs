//! Rules about what moves, and rules on duty at some hours: alerts from positions, over restarts, waits and reloads.

use outpost_detectors::observation::{Fact, Observation, Position, Reading};
use outpost_fences::{FenceSet, geojson};
use proptest::prelude::*;

use super::tests::{log, rows};
use super::{Effect, Watch};
use crate::config::Config;

/// A square of about 100 m at the equator.
const SQUARE: &str = r#"{ "type": "Feature", "id": "yard", "properties": {}, "geometry": { "type": "Polygon",
    "coordinates": [[[0, 0], [0.001, 0], [0.001, 0.001], [0, 0.001], [0, 0]]] } }"#;

const RULES: &str = r#"
    rules = [
        { id = "in", sources = ["bus/+"], severity = "minor", detect = { kind = "enter", fence = "yard", border = { confirm = "20s", infer = true } } },
        { id = "out", sources = ["bus/+"], severity = "minor", detect = { kind = "exit", fence = "yard", motion = { speed_max_kmh = 150 } } },
        { id = "stays", sources = ["bus/+"], severity = "minor", detect = { kind = "inside", fence = "yard", for = "1m", border = { fixes = 2 } } },
        { id = "away", sources = ["bus/+"], severity = "minor", detect = { kind = "outside", fence = "yard", for = "1m" } },
        { id = "line", sources = ["bus/+"], severity = "minor", detect = { kind = "cross", line = [[0.002, -0.01], [0.002, 0.01]] } },
        { id = "rests", sources = ["bus/+"], severity = "minor", detect = { kind = "dwell", radius_m = 30, for = "1m" } },
        { id = "fast", sources = ["bus/+"], severity = "minor", detect = { kind = "speeding", fence = "yard", above_kmh = 20 } },
        { id = "meet", sources = ["bus/+"], severity = "minor", detect = { kind = "approach", radius_m = 30 } },
    ]
"#;

fn watch(rules: &str) -> Watch {
    let config: Config = toml::from_str(rules).unwrap();
    Watch::new(&config, &fences()).unwrap()
}

fn fences() -> FenceSet {
    FenceSet::new(geojson::parse(SQUARE).fences)
}

/// Only this rule of those above.
fn only(id: &str) -> String {
    let line = RULES.lines().find(|line| line.contains(&format!("id = \"{id}\""))).unwrap();
    format!("rules = [{}]", line.trim().trim_end_matches(','))
}

fn fix(bus: &str, at_s: i64, east_m: f64, accuracy_m: f64) -> Observation {
    let position = Position { lon: east_m / 111_320.0, lat: 0.0005, accuracy_m: Some(accuracy_m) };
    let (source, at_ms) = (format!("bus/{bus}").into(), at_s * 1000);
    Observation { source, at_ms, received_ms: at_ms, fact: Fact::Position(position) }
}

fn told(effects: &[Effect]) -> Vec<String> {
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Save(_) | Effect::Remember(_) | Effect::Join(_) | Effect::Show(_) => None,
        Effect::Open(alert) => Some(format!("{}: {}", alert.since_at_ms / 1000, alert.why.text)),
        Effect::Clear(cleared) => Some(format!("{}: over, {}", cleared.cleared_ms / 1000, cleared.why)),
    });
    told.collect()
}

/// Fixes of one bus at seconds, with all waits that end between.
fn played(watch: &mut Watch, fixes: &[(i64, f64, f64)], until_s: i64) -> Vec<String> {
    let mut effects = Vec::new();
    for (at_s, east_m, accuracy_m) in fixes {
        while watch.elapse_next(at_s * 1000, &mut effects).is_some() {}
        watch.step(&fix("1", *at_s, *east_m, *accuracy_m), &mut effects);
    }
    while watch.elapse_next(until_s * 1000, &mut effects).is_some() {}
    watch.remember(&mut effects);
    told(&effects)
}

#[test]
fn who_falls_silent_inside_has_entered_when_it_lasted_long_enough() {
    let mut watch = watch(&only("in"));
    let all = played(&mut watch, &[(0, -50.0, 5.0), (10, 50.0, 5.0)], 29);
    assert_eq!(all, Vec::<String>::new());
    assert_eq!(watch.next_due_ms(), Some(30_000));
    assert_eq!(played(&mut watch, &[], 30), ["10: entered yard"], "the time is that of the first position inside");
}

#[test]
fn an_alert_says_how_far_off_its_point_may_be() {
    let rule = r#"rules = [{ id = "in", sources = ["bus/+"], severity = "minor", detect = { kind = "enter", fence = "yard" } }]"#;
    let (mut watch, mut effects) = (watch(rule), Vec::new());
    watch.step(&fix("1", 0, -50.0, 5.0), &mut effects);
    watch.step(&fix("1", 10, 50.0, 7.0), &mut effects);
    let opened = effects.iter().find_map(|effect| match effect {
        Effect::Open(alert) => Some(alert.place.clone()),
        _ => None,
    });
    assert_eq!(opened.unwrap().accuracy_m, Some(7.0));
}

#[test]
fn a_restart_waits_anew_for_what_was_not_confirmed() {
    let (mut before, mut effects) = (watch(&only("in")), Vec::new());
    before.step(&fix("1", 0, -50.0, 5.0), &mut effects);
    before.step(&fix("1", 10, 50.0, 5.0), &mut effects);
    before.remember(&mut effects);
    let mut after = watch(&only("in"));
    after.restore(rows(&effects), 500_000, &mut effects);
    after.redo(&log(&effects), 500_000, &mut effects).unwrap();
    effects.clear();
    after.elapse(519_999, &mut effects);
    assert_eq!(told(&effects), Vec::<String>::new(), "what waited at the broker is heard first");
    after.elapse(520_000, &mut effects);
    assert_eq!(told(&effects), ["10: entered yard"]);
}

#[test]
fn a_vague_position_wants_a_witness_and_radius_zero_was_not_given() {
    let rule = r#"rules = [{ id = "in", sources = ["bus/+"], severity = "minor", detect = { kind = "enter", fence = "yard" } }]"#;
    let entered = |fixes: &[(i64, f64, f64)]| played(&mut watch(rule), fixes, 0);
    assert_eq!(entered(&[(0, 10.0, 60.0)]), Vec::<String>::new());
    assert_eq!(entered(&[(0, -90.0, 5.0), (1, 10.0, 60.0), (2, 10.0, 60.0)]), ["1: entered yard"]);
    assert_eq!(entered(&[(0, -90.0, 5.0), (1, 10.0, 0.0)]), ["1: entered yard"]);
    assert_eq!(entered(&[(0, -90.0, 5.0), (1, 10.0, 500.0), (2, 10.0, 500.0)]), Vec::<String>::new());
    assert_eq!(entered(&[(0, 50.0, 5.0)]), ["0: first heard of inside yard"]);
}

#[test]
fn a_jump_of_the_receiver_is_no_exit() {
    let mut watch = watch(&only("out"));
    let jump = [(0, 50.0, 4.0), (1, 51.0, 4.0), (2, 251.0, 1.7), (3, 52.0, 4.0), (4, 53.0, 4.0)];
    assert_eq!(played(&mut watch, &jump, 60), Vec::<String>::new());
    assert_eq!(played(&mut watch, &[(20, 150.0, 4.0)], 60), ["20: left yard"]);
}

#[test]
fn each_kind_says_what_it_saw() {
    let says = |id: &str, fixes: &[(i64, f64, f64)]| played(&mut watch(&only(id)), fixes, 1_000);
    let passes = [(0, -100.0, 5.0), (60, 250.0, 5.0)];
    assert_eq!(says("in", &passes), Vec::<String>::new(), "19 s inside are not 20");
    let slower = [(0, -100.0, 5.0), (70, 250.0, 5.0)];
    assert_eq!(says("in", &slower), ["20: passed through yard between two positions", "70: over, left yard"]);
    assert_eq!(says("line", &passes), ["55: crossed the line from left to right", "120: over, not crossed again"]);
    let rests = [(0, -100.0, 5.0), (30, -95.0, 5.0), (60, -105.0, 5.0), (90, -300.0, 5.0)];
    assert_eq!(says("rests", &rests), ["0: stayed within 30 m of one place for 60 s", "90: over, moved on"]);
    let fast = [(0, 5.0, 0.0), (10, 95.0, 0.0), (20, 96.0, 0.0)];
    assert_eq!(says("fast", &fast), ["0: 32 km/h in yard, 20 allowed", "20: over, no longer so fast"]);
    let away = [(0, 50.0, 5.0), (30, 200.0, 5.0), (50, 200.0, 5.0), (100, 50.0, 5.0)];
    assert_eq!(says("away", &away), ["30: outside yard for 60 s", "100: over, entered yard"]);
    let stays = [(0, 50.0, 5.0), (30, 51.0, 5.0), (60, 50.0, 5.0), (65, 200.0, 5.0), (66, 200.0, 5.0)];
    assert_eq!(says("stays", &stays), ["0: inside yard for 60 s", "66: over, left yard"]);
}

#[test]
fn a_reload_keeps_who_is_followed_and_another_line_begins_anew() {
    let mut watch = watch(&only("line"));
    assert_eq!(played(&mut watch, &[(0, 200.0, 5.0), (10, 250.0, 5.0)], 10).len(), 1);
    let mut reload = |text: &str| {
        let mut effects = Vec::new();
        watch.reload(&toml::from_str(text).unwrap(), &fences(), 20_000, &mut effects).unwrap();
        told(&effects)
    };
    assert_eq!(reload(&only("line").replace("[0.002, 0.01]]", "[0.002, 0.01]], buffer_m = 9.0")), Vec::<String>::new());
    assert_eq!(reload(&only("line").replace("0.002, -0.01", "0.003, -0.01")), ["20: over, rule changed"]);
}

#[test]
fn a_buffer_sent_after_the_newest_position_is_one_visit() {
    let late = only("in").replace(", border = { confirm = \"20s\", infer = true }", "");
    let late = late.replace("severity = \"minor\"", "severity = \"minor\", lateness = \"2m\"");
    let (mut watch, mut effects) = (watch(&late), Vec::new());
    for i in [6, 0, 1, 2, 3, 4, 5, 6] {
        let seen = fix("1", 10 * i, -100.0 + 50.0 * i as f64, 5.0);
        watch.step(&Observation { received_ms: 100_000, ..seen }, &mut effects);
    }
    while watch.elapse_next(1_000_000, &mut effects).is_some() {}
    assert_eq!(told(&effects), ["20: entered yard", "100: over, left yard"]);
}

#[test]
fn a_fence_redrawn_around_someone_says_so_once() {
    let rule = only("in").replace(", border = { confirm = \"20s\", infer = true }", "");
    let mut watch = watch(&rule);
    assert_eq!(played(&mut watch, &[(0, -300.0, 0.0), (10, -50.0, 0.0)], 10), Vec::<String>::new());
    let wider = FenceSet::new(geojson::parse(&SQUARE.replace("[0, 0]", "[-0.001, 0]")).fences);
    let mut effects = Vec::new();
    for fences in [&wider, &wider, &fences()] {
        watch.reload(&toml::from_str(&rule).unwrap(), fences, 20_000, &mut effects).unwrap();
    }
    assert_eq!(told(&effects), ["10: first heard of inside yard"]);
    // The narrow one again: the next position decides.
    assert_eq!(played(&mut watch, &[(30, -50.0, 5.0)], 30), ["30: over, left yard"]);
}

/// 2026-10-01T00:00:00+08:00, a holiday.
const HOLIDAY_MS: i64 = 1_790_784_000_000;
const HOUR_MS: i64 = 3_600_000;

fn on_duty(detect: &str) -> String {
    format!(
        r#"calendars = [{{ id = "c", holidays = ["2026-10-01"] }}]
        rules = [{{ id = "r", sources = ["bus/+"], severity = "minor", detect = {detect},
            active = {{ calendar = "c", windows = ["workdays 09:00-17:00"] }} }}]"#
    )
}

#[test]
fn a_rule_off_duty_hears_nothing_and_its_alert_ends_with_its_hours() {
    let rules = on_duty(r#"{ kind = "enter", fence = "yard" }"#);
    let mut watch = watch(&rules);
    let at = |hours: i64, east_m| fix("1", HOLIDAY_MS / 1000 + hours * 3600, east_m, 5.0);
    let (mut effects, mut happened) = (Vec::new(), Vec::new());
    let mut tells = |watch: &mut Watch, effects: &mut Vec<Effect>, now_ms: i64| {
        while watch.elapse_next(now_ms, effects).is_some() {}
        happened.extend(told(effects));
        effects.drain(..).count();
    };
    // On the holiday, on the workday before nine, then within its hours.
    for hours in [10, 32, 34] {
        tells(&mut watch, &mut effects, HOLIDAY_MS + hours * HOUR_MS);
        watch.step(&at(hours, 50.0), &mut effects);
    }
    watch.remember(&mut effects);
    let (saved, saved_log) = (rows(&effects), log(&effects));
    tells(&mut watch, &mut effects, HOLIDAY_MS + 50 * HOUR_MS);
    let second = |hours: i64| HOLIDAY_MS / 1000 + hours * 3600;
    let expected = [format!("{}: first heard of inside yard", second(34)), format!("{}: over, off duty", second(41))];
    assert_eq!(happened, expected);

    // Down when its hours ended: it ends when we are back.
    let mut later = Watch::new(&toml::from_str(&rules).unwrap(), &fences()).unwrap();
    later.restore(saved, HOLIDAY_MS + 60 * HOUR_MS, &mut effects);
    later.redo(&saved_log, HOLIDAY_MS + 60 * HOUR_MS, &mut effects).unwrap();
    later.elapse(HOLIDAY_MS + 60 * HOUR_MS, &mut effects);
    assert_eq!(told(&effects), [format!("{}: over, off duty", second(60))]);
}

#[test]
fn silence_counts_from_when_the_hours_begin() {
    let mut watch = watch(&on_duty(r#"{ kind = "silent", after = "1h" }"#));
    let mut effects = Vec::new();
    watch.expect(["bus/1"], HOLIDAY_MS, &mut effects);
    while watch.elapse_next(HOLIDAY_MS + 45 * HOUR_MS, &mut effects).is_some() {}
    let second = |hours: i64| HOLIDAY_MS / 1000 + hours * 3600;
    let heard = Fact::Reading(Reading { metric: "m".into(), value: 0.0, unit: None });
    let at_ms = HOLIDAY_MS + 45 * HOUR_MS;
    watch.step(&Observation { source: "bus/1".into(), at_ms, received_ms: at_ms, fact: heard }, &mut effects);
    let cleared: Vec<String> = told(&effects);
    assert_eq!(cleared.len(), 2, "{cleared:?}");
    assert!(cleared[0].ends_with("nothing came for 3600 s"), "{cleared:?}");
    assert_eq!(cleared[1], format!("{}: over, off duty", second(41)));
    assert_eq!(watch.next_due_ms(), Some(HOLIDAY_MS + (4 * 24 + 9) * HOUR_MS), "on Monday at nine");
}

#[test]
fn what_was_too_late_is_so_again_after_a_crash() {
    let away = only("away");
    // Outside for a minute; then inside, but at the time of the fix before, and before it.
    let (outside, late) =
        ([fix("1", 100, -40.0, 0.0), fix("1", 162, -1.0, 0.0)], [fix("1", 162, 37.0, 0.0), fix("1", 150, 37.0, 0.0)]);
    for late in late {
        let (mut before, mut effects) = (watch(&away), Vec::new());
        outside.iter().chain([&late]).for_each(|observation| before.step(observation, &mut effects));
        let expected = ids(&effects);
        assert_eq!(expected.len(), 1, "{expected:?}");
        before.remember(&mut effects);
        let mut after = watch(&away);
        after.restore(rows(&effects), 162_000, &mut effects);
        after.redo(&log(&effects), 162_000, &mut effects).unwrap();
        after.step(&late, &mut effects);
        assert_eq!(ids(&effects), expected);
    }
}

fn drive() -> impl Strategy<Value = Vec<Observation>> {
    let step = (prop::sample::select(vec!["1", "2"]), 0..30i64, -60.0..60.0f64, prop_oneof![Just(0.0), 1.0..80.0f64]);
    prop::collection::vec(step, 1..80).prop_map(|steps| {
        let (mut at_s, mut east_m) = (100, [0.0, 60.0]);
        let drive = steps.into_iter().map(|(bus, gap_s, by_m, accuracy_m)| {
            at_s += gap_s;
            let east_m = &mut east_m[usize::from(bus == "2")];
            *east_m += by_m;
            fix(bus, at_s, *east_m, accuracy_m)
        });
        drive.collect()
    })
}

fn ids(effects: &[Effect]) -> Vec<String> {
    let ids = effects.iter().filter_map(|effect| match effect {
        Effect::Save(_) | Effect::Remember(_) | Effect::Join(_) | Effect::Show(_) => None,
        Effect::Open(alert) => Some(format!("open {} since {}", alert.id, alert.since_at_ms)),
        Effect::Clear(cleared) => Some(format!("clear {}", cleared.id)),
    });
    ids.collect()
}

proptest! {
    #[test]
    fn a_crash_between_two_batches_with_redelivery_changes_nothing(
        drive in drive(), crash in 0usize..80, again in 0usize..10
    ) {
        let crash = crash.min(drive.len());
        let (mut straight, mut expected) = (watch(RULES), Vec::new());
        drive.iter().for_each(|observation| straight.step(observation, &mut expected));

        let (mut before, mut effects) = (watch(RULES), Vec::new());
        drive[..crash].iter().for_each(|observation| before.step(observation, &mut effects));
        before.remember(&mut effects);
        let mut after = watch(RULES);
        let now_ms = drive[crash.saturating_sub(1)].received_ms;
        after.restore(rows(&effects), now_ms, &mut effects);
        after.redo(&log(&effects), now_ms, &mut effects).unwrap();
        drive[crash.saturating_sub(again)..].iter().for_each(|observation| after.step(observation, &mut effects));
        prop_assert_eq!(ids(&effects), ids(&expected));
    }

    #[test]
    fn alerts_alternate_whatever_moves_and_waits(drive in drive()) {
        let (mut watch, mut effects) = (watch(RULES), Vec::new());
        for observation in &drive {
            watch.elapse(observation.received_ms, &mut effects);
            watch.step(observation, &mut effects);
        }
        let mut open = std::collections::HashMap::new();
        for effect in &effects {
            match effect {
                Effect::Remember(_) | Effect::Join(_) | Effect::Show(_) => {}
                Effect::Save(row) => prop_assert!(row.state.len() < 400, "{}", row.state),
                Effect::Open(alert) => prop_assert!(open.insert(alert.key.clone(), alert.id.clone()).is_none()),
                Effect::Clear(cleared) => prop_assert_eq!(open.remove(&cleared.key), Some(cleared.id.clone())),
            }
        }
    }
}
