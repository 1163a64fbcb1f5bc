//! A condition means what the interpreter of the crate `cel` says it means, and what is refused is refused with its place.

use std::collections::HashMap;

use cel::{Context, Program, Value};
use outpost_detectors::condition::Last;
use outpost_detectors::latch::Signal;
use proptest::prelude::*;

use super::*;

/// By the detector: true, false or not known.
fn by_us(text: &str, readings: &[(&str, f64, i64)]) -> Option<bool> {
    let condition = parse(text, None).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    let mut state = condition.state();
    for (metric, value, at_ms) in readings {
        if let Some(number) = condition.number_of(metric) {
            state.note(number, Last { value: *value, unit: None, at_ms: *at_ms });
        }
    }
    match condition.signal(&state) {
        Signal::On => Some(true),
        Signal::Off => Some(false),
        Signal::Between => None,
    }
}

/// By the crate's interpreter; what is an error there is not known here.
fn by_cel(text: &str, readings: &[(&str, f64, i64)]) -> Option<bool> {
    let named = parse(text, None).unwrap();
    let readings = readings.iter().filter(|(metric, ..)| named.number_of(metric).is_some());
    let newest_ms = readings.clone().map(|(.., at_ms)| *at_ms).max().unwrap_or(0);
    let mut context = Context::default();
    let (mut values, mut ages, mut nested) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (metric, value, at_ms) in readings {
        values.insert((*metric).to_owned(), *value);
        ages.insert((*metric).to_owned(), (newest_ms - at_ms) as f64 / 1000.0);
        match metric.split_once('.') {
            Some((_, rest)) => drop(nested.insert(rest.to_owned(), *value)),
            None => context.add_variable_from_value(*metric, *value),
        }
    }
    context.add_variable_from_value("metric", values);
    context.add_variable_from_value("age", ages);
    context.add_variable_from_value("ENERGY", nested);
    match Program::compile(text).unwrap().execute(&context) {
        Ok(Value::Bool(truth)) => Some(truth),
        Ok(other) => panic!("{text}: {other:?}"),
        Err(_) => None,
    }
}

fn constants() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "0.0",
            "-0.0",
            "1.0",
            "1e300",
            "-1e300",
            "2.5",
            "1e-300",
            "(0.0 / 0.0)",
            "(1.0 / 0.0)"
        ])
        .prop_map(str::to_owned),
        (-100.0..100.0_f64).prop_map(|value| format!("{value:?}")),
    ]
}

fn numbers() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "ch4",
        "o2",
        "never",
        "ENERGY.Power",
        "metric.ch4",
        "metric[\"switch:0\"]",
        "age.ch4",
        "age[\"switch:0\"]",
        "age.never",
    ]);
    let leaf = prop_oneof![constants(), names.prop_map(str::to_owned)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a} > {b} ? {b} : {c})")),
        ]
    })
}

fn truths() -> impl Strategy<Value = String> {
    let relation = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let whole = prop::sample::select(vec!["0", "1", "-3", "2u", "9007199254740992"]);
    let leaf = prop_oneof![
        4 => (numbers(), relation.clone(), numbers()).prop_map(|(a, relation, b)| format!("{a} {relation} {b}")),
        1 => (numbers(), relation, whole.clone()).prop_map(|(a, relation, b)| format!("{a} {relation} {b}")),
        1 => (numbers(), numbers(), whole).prop_map(|(a, b, c)| format!("{a} in [{b}, {c}]")),
        1 => prop::sample::select(vec!["has(metric.ch4)", "has(metric.never)", "\"switch:0\" in metric", "true", "false"])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) || ({b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a}) ? ({b}) : ({c})")),
        ]
    })
}

fn readings() -> impl Strategy<Value = Vec<(&'static str, f64, i64)>> {
    let value = prop_oneof![
        -100.0..100.0_f64,
        prop::sample::select(vec![0.0, -0.0, 1.0, 2.5, f64::MAX, f64::MIN, f64::MIN_POSITIVE]),
    ];
    let reading = |metric| {
        (prop::option::weighted(0.8, value.clone()), 0_i64..200_000)
            .prop_map(move |(value, at_ms)| value.map(|value| (metric, value, at_ms)))
    };
    let all = [reading("ch4"), reading("o2"), reading("switch:0"), reading("ENERGY.Power")];
    all.prop_map(|readings| readings.into_iter().flatten().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_condition_means_what_cel_says_it_means(text in truths(), readings in readings()) {
        let text = format!("({text}) && ch4 == ch4");
        prop_assume!(text.len() <= TEXT_BYTES_MAX);
        prop_assert_eq!(by_us(&text, &readings), by_cel(&text, &readings), "{} over {:?}", text, readings);
    }

    #[test]
    fn text_of_any_kind_is_read_or_refused(text in "[a-z0-9 .()\\[\\]{}<>=!&|?:,+*/%\"'`-]{0,60}") {
        if let Err(fault) = parse(&text, None) {
            prop_assert!(fault.at <= text.len() && !fault.message.is_empty());
        }
    }

    #[test]
    fn damaged_conditions_are_read_or_refused(text in truths(), at in any::<prop::sample::Index>(), new in "\\PC") {
        let mut text = text;
        let at = (0..=at.index(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert_str(at, &new);
        if let Err(fault) = parse(&text, None) {
            prop_assert!(fault.at <= text.len() && !fault.message.is_empty());
        }
    }
}

#[test]
fn what_is_not_known_settles_nothing_by_itself() {
    let ch4 = [("ch4", 1.4, 0)];
    for (text, expected) in [
        ("ch4 > 1.0 && o2 < 19.5", None),
        ("ch4 > 1.0 || o2 < 19.5", Some(true)),
        ("ch4 > 2.0 && o2 < 19.5", Some(false)),
        ("!has(metric.o2) && ch4 > 1", Some(true)),
        ("age.ch4 < 60.0", Some(true)),
        ("(has(metric.o2) ? o2 : 20.9) > 19.5", Some(true)),
    ] {
        assert_eq!(by_us(text, &ch4), expected, "{text}");
        assert_eq!(by_cel(text, &ch4), expected, "{text}");
    }
}

#[test]
fn what_is_refused_is_told_with_its_place() {
    let deep = format!("{}a > 1.0{}", "(".repeat(200), ")".repeat(200));
    let long = format!("a > 1.0{}", " ".repeat(TEXT_BYTES_MAX));
    let sum = format!("{}1.0 > 1.0", "a + ".repeat(100));
    let many = (0..=METRICS_MAX).map(|i| format!("m{i} > 1")).collect::<Vec<_>>().join(" || ");
    for (text, at, message) in [
        ("ch4 > ", 6, "mismatched input the end"),
        ("ch4", 0, "expected something true or false"),
        ("ch4 > 1.0 && o2", 13, "expected something true or false"),
        ("ch4 + 1 > 2.0", 6, "CEL calculates with readings and whole numbers only apart"),
        ("ch4 + o2", 4, "expected something true or false, found a number"),
        ("ch4 % 2.0 > 1.0", 4, "% is for whole numbers, readings are not"),
        ("ch4 > \"high\"", 6, "expected a number or a metric"),
        ("[1.0].exists(x, x > ch4)", 12, "all, exists, exists_one, map and filter are not for readings"),
        ("matches(\"a\", \"b\")", 7, "matches() is not for readings"),
        ("has(ch4)", 4, "invalid argument to has() macro"),
        ("package > 1.0", 0, "\"package\" is a word of CEL"),
        ("type > 1.0", 0, "\"type\" is a type of CEL"),
        ("age > 1.0", 0, "age is of a metric"),
        ("1.0 < 2.0", 0, "names no metric, so it never changes"),
        ("ch4 == 9007199254740993", 7, "a whole number that no reading can equal"),
        (&deep, 65, "nested deeper than 64"),
        (&long, 0, "a condition has at most 1000 bytes, this one has 1007"),
        (&sum, 146, "nested deeper than 64"),
        (&many, 342, "more than 32 metrics"),
    ] {
        let found = parse(text, None).map_err(|fault| (fault.at, fault.message));
        assert_eq!(found, Err((at, message.to_owned())), "{text}");
    }
    assert!(parse("ch4 > 1.0", Some("ch4 <")).is_err_and(|fault| fault.in_clear && fault.at == 5));
}

#[test]
fn metrics_are_numbered_once_over_both_texts() {
    let condition =
        parse("o2 < 19.5 && age.o2 < 60 && ENERGY.Power > 5", Some("metric[\"o2\"] > 20 && age[\"co\"] < 9")).unwrap();
    assert_eq!(condition.metrics().iter().map(|metric| &**metric).collect::<Vec<_>>(), ["o2", "ENERGY.Power", "co"]);
}
