//! Claims about positions of officers and borders, as they are kept.

use super::*;
use crate::nouns::Fix;

fn fix(at_ms: i64) -> Fix {
    Fix { at_ms, lon: 106.0, lat: 29.8, accuracy_m: (at_ms > 20).then_some(5.0) }
}

fn kept(reader: &Reader, officer: Option<&str>, period: (i64, i64)) -> Vec<(String, i64)> {
    let mut found = Vec::new();
    reader.fixes(officer, period, |officer, fix| found.push((officer.to_owned(), fix.at_ms))).unwrap();
    found
}

#[test]
fn the_last_fix_of_each_officer_outlives_a_restart_and_old_ones_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let fixes = [("li", 30), ("li", 10), ("wu", 20), ("li", 30)];
    let fixes = fixes.map(|(officer, at_ms)| (Arc::<str>::from(officer), fix(at_ms))).to_vec();
    store.commit(&Commit { fixes, ..Commit::default() }).unwrap();
    assert_eq!(store.restore().unwrap().fixes, [("li".into(), fix(30)), ("wu".into(), fix(20))]);
    let reader = Reader::open(folder.path(), 1).unwrap();
    let all = || kept(&reader, None, (0, 100));
    assert_eq!(all(), [("li".to_owned(), 10), ("li".to_owned(), 30), ("wu".to_owned(), 20)], "what came twice is once");
    assert_eq!(kept(&reader, Some("li"), (10, 30)), [("li".to_owned(), 10)]);
    Archive::of(&store).unwrap().expire_fixes(21).unwrap();
    assert_eq!(all(), [("li".to_owned(), 30)]);
}

#[test]
fn what_was_handed_over_is_counted_by_border_and_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), None).unwrap();
    let over = |from: &str, to: &str| (Arc::<str>::from(from), Arc::<str>::from(to));
    let handed_over = vec![over("a", "b"), over("b", "a"), over("b", "a")];
    store.commit(&Commit { handed_over, ..Commit::default() }).unwrap();
    store.commit(&Commit { handed_over: vec![over("b", "a")], ..Commit::default() }).unwrap();
    let found = Reader::open(folder.path(), 1).unwrap().borders(10).unwrap();
    let found: Vec<_> = found.iter().map(|row| (row.from.as_str(), row.to.as_str(), row.n_tickets)).collect();
    assert_eq!(found, [("b", "a", 3), ("a", "b", 1)]);
}
