//! Walks fixtures/configs/bad: each broken configuration gives exactly the problems of its `.txt` file. Written with
//! `OUTPOST_UPDATE_EXPECTED=1`, then read.

use std::fmt::Write as _;
use std::path::Path;

use outpost::config::check::{Level, PROBLEMS_MAX, check, check_alone, load};
use proptest::prelude::*;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/configs/bad")
}

fn texts() -> Vec<(String, String)> {
    let mut texts: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    texts.sort();
    texts
}

#[test]
fn every_broken_configuration_gives_all_its_problems() {
    let update = std::env::var_os("OUTPOST_UPDATE_EXPECTED").is_some();
    let texts = texts();
    assert!(texts.len() >= 8, "only {} broken configurations were found", texts.len());
    let mut wrong = String::new();
    for (name, text) in &texts {
        let checked = check(text, &folder().join(format!("{name}.toml")));
        assert!(checked.config.is_none(), "{name} loads");
        let shown: String = checked.problems.iter().map(|problem| format!("{problem}\n")).collect();
        // Without the folder, which differs from machine to machine.
        let shown = shown.replace(&format!("{}/", folder().display()), "");
        let expected_path = folder().join(format!("{name}.txt"));
        if update {
            std::fs::write(&expected_path, &shown).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if shown != expected {
            writeln!(wrong, "--- {name}\nexpected:\n{expected}found:\n{shown}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn no_secret_is_repeated_in_a_problem() {
    for (name, text) in texts() {
        let checked = check(&text, &folder().join("x.toml"));
        for problem in checked.problems {
            assert!(!problem.to_string().contains("hunter2"), "{name}: {problem}");
        }
    }
}

#[test]
fn problems_are_bounded() {
    let text = "[[rules]]\nid = 1\nnonsense = 2\nsources = 3\n".repeat(1000);
    let checked = check(&text, Path::new("x.toml"));
    assert_eq!(checked.problems.len(), PROBLEMS_MAX);
    assert!(checked.problems.last().unwrap().hint.as_ref().unwrap().contains("further problems"));
}

#[test]
fn a_check_alone_looks_at_nothing_outside_the_text() {
    let text = "[api]\ntoken = { env = \"OUTPOST_TEST_VARIABLE_THAT_NOBODY_SETS\" }\n[[fences]]\nfile = \"absent.geojson\"\n\
                [[sources]]\nid = \"s\"\n[[rules]]\nid = \"r\"\nsources = [\"s\"]\nseverity = \"minor\"\n\
                detect = { kind = \"enter\", fence = \"f\" }\n";
    let path = folder().join("x.toml");
    assert_eq!(check_alone(text, &path).problems, []);
    assert_eq!(check(text, &path).problems.len(), 2);
}

#[test]
fn loading_tells_the_file_and_every_problem() {
    let error = load(&folder().join("absent.toml")).unwrap_err().to_string();
    assert!(error.contains("absent.toml"), "{error}");
    let error = load(&folder().join("duplicates.toml")).unwrap_err().to_string();
    assert!(error.contains("duplicates.toml:6:1: brokers[1].id: \"a\" is used twice"), "{error}");
    assert!(error.lines().count() > 20, "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever line of a sound configuration is broken: no panic, and a configuration exactly where there is no error.
    #[test]
    fn a_damaged_configuration_never_panics(
        lines in prop::collection::vec((any::<prop::sample::Index>(), 0..6usize), 1..6),
    ) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/district.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
        for (at, how) in lines {
            let at = at.index(all.len());
            let key = all[at].split(" =").next().unwrap().to_owned();
            all[at] = match how {
                0 => String::new(),
                1 => format!("{key} = -1"),
                2 => format!("{key} = \"\""),
                3 => format!("{key} = [{{ x = 1 }}]"),
                4 => format!("{key}x = {{ kind = 1 }}"),
                _ => format!("{key} = [[[nan]]]"),
            };
        }
        let checked = check(&all.join("\n"), &path);
        let is_sound = checked.problems.iter().all(|problem| problem.level == Level::Warning);
        prop_assert_eq!(checked.config.is_some(), is_sound);
        for problem in &checked.problems {
            prop_assert!(problem.line <= all.len() + 1, "{}", problem);
        }
    }
}
