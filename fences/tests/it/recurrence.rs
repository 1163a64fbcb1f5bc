//! Claims about what happens again and again: against pointpats on fixed data, against brute force on random data, and against
//! what chance does where nothing is to be found.

use std::path::Path;

use outpost_fences::recurrence::knox::{DRAWS, SEED};
use outpost_fences::recurrence::{Occurrence, PAIRS_MAX, Reach, Scales, Table, Unanswered, clusters};
use proptest::prelude::*;

const DAY_MS: i64 = 86_400_000;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recurrence")
}

fn occurrences(name: &str) -> Vec<Occurrence> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.csv"))).expect("the fixture is there");
    let row = |line: &str| {
        let numbers: Vec<i64> = line.split(',').map(|number| number.parse().expect("numbers")).collect();
        Occurrence { x_m: numbers[0] as f64, y_m: numbers[1] as f64, at_ms: numbers[2] * DAY_MS }
    };
    text.lines().map(row).collect()
}

/// Of each scale: distance, days, statistic, expectation, p, mean of the draws.
fn expected(name: &str) -> Vec<[f64; 6]> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.expected"))).expect("the fixture is there");
    let row = |line: &str| -> [f64; 6] {
        let numbers: Vec<f64> = line.split(' ').map(|number| number.parse().expect("numbers")).collect();
        numbers.try_into().expect("six numbers")
    };
    text.lines().map(row).collect()
}

fn ends(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut out: Vec<f64> = values.collect();
    out.sort_by(f64::total_cmp);
    out.dedup();
    out
}

fn scales(rows: &[[f64; 6]]) -> Scales {
    let days = ends(rows.iter().map(|row| row[1]));
    Scales {
        metres: ends(rows.iter().map(|row| row[0])),
        spans_ms: days.iter().map(|day| *day as i64 * DAY_MS).collect(),
    }
}

#[test]
fn knox_at_every_scale_and_near_repeats_agree_with_pointpats() {
    for name in ["burkitt", "repeats", "chance"] {
        let (all, rows) = (occurrences(name), expected(name));
        let scales = scales(&rows);
        let table = Table::new(&all, &scales, DRAWS, SEED).unwrap();
        let n_columns = scales.spans_ms.len();
        assert_eq!(rows.len(), scales.metres.len() * n_columns, "{name}");
        for (nth, [metres, days, n, mean, p, drawn]) in rows.iter().enumerate() {
            let (i, j) = (nth / n_columns, nth % n_columns);
            let (own, at) = (table.within[i][j], format!("{name} {metres} m {days} d"));
            assert_eq!(own.n as f64, *n, "{at}");
            assert!((own.expected - mean).abs() < 1e-6 * mean.max(1.0), "{at}: {} {mean}", own.expected);
            // Both p-values are drawn: five standard deviations of their difference.
            let share = (own.p + p) / 2.0;
            let error = (2.0 * share * (1.0 - share) / DRAWS as f64).sqrt();
            assert!((own.p - p).abs() <= 5.0 * error + 1e-9, "{at}: {} {p}", own.p);
            // The mean of pointpats' draws is ours, which needs none; pairs are nearly Poisson.
            assert!((own.expected - drawn).abs() < 5.0 * (mean.max(1.0) * 3.0 / DRAWS as f64).sqrt(), "{at}: {drawn}");
            // A band of the near-repeat table is what four such statistics leave.
            let of = |i: usize, j: usize, column: usize| rows[i * n_columns + j][column];
            let band = |column: usize| {
                let below = |i: usize| if j == 0 { of(i, j, column) } else { of(i, j, column) - of(i, j - 1, column) };
                if i == 0 { below(i) } else { below(i) - below(i - 1) }
            };
            assert_eq!(table.bands[i][j].n as f64, band(2), "{at}");
            assert!((table.bands[i][j].expected - band(3)).abs() < 1e-5, "{at}");
        }
    }
}

#[test]
fn a_patrol_is_proposed_where_repeats_are_near_and_none_where_there_is_only_chance() {
    let table = |name: &str| {
        Table::new(&occurrences(name), &scales(&expected(name)), DRAWS, SEED).map(|table| table.patrol()).unwrap()
    };
    // Drawn with repeats within 40 m (a standard deviation each way) and 3 days.
    let patrol = table("repeats").unwrap();
    assert_eq!((patrol.radius_m, patrol.for_ms), (120.0, 4 * DAY_MS));
    assert_eq!(table("chance"), None);
}

#[test]
fn chance_is_found_significant_as_seldom_as_the_level_says() {
    // 200 sets without any pattern, at a level of 5 %: 10 are expected, and five standard deviations are 15.4 more.
    let set = |seed: u64| -> Vec<Occurrence> {
        let mut state = seed * 7 + 1;
        let mut next = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        let one = |_| Occurrence { x_m: next(1_000) as f64, y_m: next(1_000) as f64, at_ms: next(90) as i64 * DAY_MS };
        (0..80).map(one).collect()
    };
    let scales = Scales { metres: vec![100.0], spans_ms: vec![7 * DAY_MS] };
    let is_found = |seed: &u64| Table::new(&set(*seed), &scales, 199, SEED).unwrap().within[0][0].p <= 0.05;
    let n_found = (0..200).filter(is_found).count();
    assert!(n_found <= 25, "{n_found} of 200");
    assert!(n_found >= 1, "a test that finds nothing tests nothing");
}

/// ST-DBSCAN by its definition: which are cores, which cores are connected, which core a border is of.
fn by_definition(all: &[Occurrence], reach: Reach, least: usize) -> Vec<Option<usize>> {
    let distance_m = |a: &Occurrence, b: &Occurrence| (a.x_m - b.x_m).hypot(a.y_m - b.y_m);
    let near =
        |a: &Occurrence, b: &Occurrence| distance_m(a, b) <= reach.metres && (a.at_ms - b.at_ms).abs() <= reach.ms;
    let is_core = |a: &Occurrence| all.iter().filter(|b| near(a, b)).count() >= least;
    let mut label: Vec<usize> = (0..all.len()).collect();
    for _ in 0..all.len() {
        for i in 0..all.len() {
            for j in 0..all.len() {
                if is_core(&all[i]) && is_core(&all[j]) && near(&all[i], &all[j]) {
                    let lower = label[i].min(label[j]);
                    (label[i], label[j]) = (lower, lower);
                }
            }
        }
    }
    let root = |i: usize| {
        if is_core(&all[i]) {
            return Some(label[i]);
        }
        let cores = (0..all.len()).filter(|j| is_core(&all[*j]) && near(&all[i], &all[*j]));
        let nearest = cores.min_by(|a, b| {
            let key = |j: usize| (distance_m(&all[i], &all[j]), (all[i].at_ms - all[j].at_ms).abs(), all[j]);
            let ((m, ms, a), (other_m, other_ms, b)) = (key(*a), key(*b));
            let place = (a.at_ms.cmp(&b.at_ms)).then(a.x_m.total_cmp(&b.x_m)).then(a.y_m.total_cmp(&b.y_m));
            m.total_cmp(&other_m).then(ms.cmp(&other_ms)).then(place)
        });
        nearest.map(|j| label[j])
    };
    (0..all.len()).map(root).collect()
}

/// The same partition, whatever its parts are called.
fn named_by_first(labels: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut names = Vec::new();
    let mut name = |label: usize| {
        let at = names.iter().position(|known| *known == label);
        at.unwrap_or_else(|| {
            names.push(label);
            names.len() - 1
        })
    };
    labels.iter().map(|label| label.map(&mut name)).collect()
}

fn some_occurrences() -> impl Strategy<Value = Vec<Occurrence>> {
    let one = (0..40_i64, 0..40_i64, 0..20_i64);
    let of = |(x, y, day): (i64, i64, i64)| Occurrence { x_m: x as f64, y_m: y as f64, at_ms: day * DAY_MS };
    proptest::collection::vec(one.prop_map(of), 0..40)
}

proptest! {
    #[test]
    fn clusters_are_those_of_the_definition(
        all in some_occurrences(), metres in 1..12_i32, days in 0..6_i64, least in 1..6_usize,
    ) {
        let reach = Reach { metres: f64::from(metres), ms: days * DAY_MS };
        let found = clusters(&all, reach, least).unwrap();
        prop_assert_eq!(&found.of, &named_by_first(&by_definition(&all, reach, least)));
        prop_assert_eq!(found.n, found.of.iter().flatten().max().map_or(0, |last| last + 1));
    }

    #[test]
    fn clusters_do_not_depend_on_the_order_of_the_list(all in some_occurrences(), turn in 0..40_usize) {
        let reach = Reach { metres: 6.0, ms: 3 * DAY_MS };
        let turn = turn % all.len().max(1);
        let mut turned = all.clone();
        turned.rotate_left(turn);
        let mut found = clusters(&turned, reach, 3).unwrap().of;
        found.rotate_right(turn);
        prop_assert_eq!(named_by_first(&found), clusters(&all, reach, 3).unwrap().of);
    }

    #[test]
    fn bands_add_up_to_all_pairs_within_them(all in some_occurrences()) {
        let scales = Scales { metres: vec![3.0, 9.0, 20.0], spans_ms: vec![DAY_MS, 5 * DAY_MS] };
        let table = Table::new(&all, &scales, 9, SEED).unwrap();
        let is_near = |a: &Occurrence, b: &Occurrence| {
            (a.x_m - b.x_m).hypot(a.y_m - b.y_m) <= 20.0 && (a.at_ms - b.at_ms).abs() <= 5 * DAY_MS
        };
        let pairs = all.iter().enumerate().flat_map(|(i, a)| all[..i].iter().filter(move |b| is_near(a, b)));
        let n_pairs = pairs.count() as u64;
        prop_assert_eq!(table.bands.iter().flatten().map(|count| count.n).sum::<u64>(), n_pairs);
        prop_assert_eq!(table.within[2][1].n, n_pairs);
        let chances = table.bands.iter().chain(&table.within).flatten();
        prop_assert!(chances.map(|count| count.p).all(|p| (0.1..=1.0).contains(&p)));
    }
}

#[test]
fn what_would_take_too_long_is_refused_and_nonsense_is_too() {
    let same = vec![Occurrence { x_m: 1.0, y_m: 1.0, at_ms: 0 }; 1_500];
    assert!(same.len() * same.len() / 2 > PAIRS_MAX);
    let scales = |metres: &[f64], spans_ms: &[i64]| Scales { metres: metres.to_vec(), spans_ms: spans_ms.to_vec() };
    let table = |all: &[Occurrence], scales: &Scales| Table::new(all, scales, 9, SEED).map(drop);
    assert_eq!(table(&same, &scales(&[50.0], &[1])), Err(Unanswered::TooManyPairs(50)));
    assert_eq!(clusters(&same, Reach { metres: 50.0, ms: 1 }, 3).map(drop), Err(Unanswered::TooManyPairs(50)));
    for metres in [&[][..], &[50.0, 50.0], &[0.0], &[f64::NAN], &[9.0, f64::INFINITY]] {
        assert_eq!(table(&[], &scales(metres, &[1])), Err(Unanswered::NotRising("distances")));
    }
    assert_eq!(table(&[], &scales(&[1.0], &[2, 1])), Err(Unanswered::NotRising("spans")));
    // Nothing happened, or one thing: no pairs, and nothing that chance would not do.
    for n in 0..2 {
        let counts = Table::new(&same[..n], &scales(&[50.0], &[DAY_MS]), 9, SEED).unwrap();
        assert_eq!((counts.bands[0][0].n, counts.bands[0][0].p, counts.patrol()), (0, 1.0, None));
    }
}
