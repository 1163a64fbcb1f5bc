//! `outpost backtest`: what new rules would have found in a recorded day, beside the old ones.

use std::path::Path;

use crate::support::program::outpost_in;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/replay"))
}

/// Lines that begin with each sign, and the rest.
fn backtest(arguments: &[&str]) -> (Vec<String>, Vec<String>) {
    let (code, out, error) = outpost_in(folder(), &[&["backtest", "day.ndjson"], arguments].concat());
    assert_eq!(code, Some(0), "{error}");
    out.lines().map(String::from).partition(|line| line.starts_with(['+', '-', '=']))
}

#[test]
fn the_same_rules_find_what_the_replay_finds() {
    let expected = std::fs::read_to_string(folder().join("day.expected")).unwrap();
    let opened: Vec<(&str, &str)> = expected
        .lines()
        .filter(|line| line.contains(" alert ") && line.contains(" opened "))
        .map(|line| (&line[..24], line.split(' ').nth(5).unwrap()))
        .collect();
    let (entries, rest) = backtest(&["-c", "day.toml", "--beside", "day.toml"]);
    let told: Vec<(&str, &str)> =
        entries.iter().map(|line| (&line[2..26], line[27..].split(' ').nth(1).unwrap())).collect();
    let (mut a, mut b) = (opened.clone(), told);
    a.sort_unstable();
    b.sort_unstable();
    assert_eq!(a, b);
    assert!(opened.len() == 27 && entries.iter().all(|line| line.starts_with('=')), "{entries:?}");
    assert_eq!(rest.last().unwrap(), "338 observations, 6 rejected");
    let (changes, _) = backtest(&["-c", "day.toml", "--beside", "day.toml", "--changes"]);
    assert_eq!(changes, [""; 0]);
}

#[test]
fn other_limits_show_what_comes_what_goes_and_what_moves() {
    let home = tempfile::tempdir().unwrap();
    let old = std::fs::read_to_string(folder().join("day.toml")).unwrap();
    let fences = format!("{}/", folder().display());
    let new = old
        .replace("above = 98.0, clear = 96.0, hold = \"20m\"", "above = 98.0, clear = 96.0, hold = \"30m\"")
        .replace("kind = \"silent\", after = \"1h\"", "kind = \"silent\", after = \"100d\"")
        .replace("below = 60.0, clear = 70.0", "below = 90.0, clear = 91.0")
        .replace("file = \"", &format!("file = \"{fences}"));
    let file = home.path().join("new.toml");
    std::fs::write(&file, new).unwrap();
    let (entries, rest) = backtest(&["-c", &file.display().to_string(), "--beside", "day.toml", "--changes"]);
    let n = |sign: char, rule: &str| {
        entries.iter().filter(|line| line.starts_with(sign) && line[27..].split(' ').nth(1) == Some(rule)).count()
    };
    assert!(n('=', "machine-hot") > 0 && entries.iter().any(|line| line.ends_with(" later)")), "{entries:#?}");
    assert!(n('-', "office-silent") > 0 && n('+', "office-silent") == 0, "{entries:#?}");
    assert!(n('+', "machine-cold") > 0, "{entries:#?}");
    assert_eq!(n('=', "bus-leaves") + n('+', "bus-leaves") + n('-', "bus-leaves"), 0, "unchanged");
    let silent = rest.iter().find(|line| line.starts_with("office-silent: ")).unwrap();
    assert!(silent.ends_with(" before, 0 now"), "{silent}");

    let (all, _) = backtest(&["-c", "day.toml"]);
    let (late, _) = backtest(&["-c", "day.toml", "--since", "2026-01-01T12:00:00Z"]);
    assert!(all.iter().all(|line| line.starts_with('+')) && late.len() < all.len() && !late.is_empty());
    assert!(late.iter().all(|line| &line[2..26] >= "2026-01-01T12:00:00.000Z"), "{late:#?}");
}
