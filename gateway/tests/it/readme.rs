//! What README.md says is true: its configuration passes the check, its paths and picture exist.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// The text between "```toml" and its end.
fn toml_blocks(page: &str) -> Vec<String> {
    let blocks = page.split("\n```toml\n").skip(1);
    blocks.map(|rest| format!("{}\n", rest.split_once("\n```").unwrap().0)).collect()
}

#[test]
fn the_configuration_of_the_readme_passes_the_check() {
    let blocks = toml_blocks(&readme());
    assert!(!blocks.is_empty());
    // Beside configs/, where the fence file that it names is.
    let place = root().join("configs/readme.toml");
    let checked = outpost::config::check::check(&blocks[0], &place);
    let problems: Vec<String> = checked.problems.iter().map(ToString::to_string).collect();
    assert!(checked.config.is_some() && problems.is_empty(), "{}", problems.join("\n"));
}

/// The rule reference: a configuration that shows every kind, with examples that say what it does.
#[test]
fn every_kind_of_rule_has_an_example_that_comes_true() {
    let file = root().join("configs/rules.toml");
    let checked = outpost::config::check::check(&std::fs::read_to_string(&file).unwrap(), &file);
    let problems: Vec<String> = checked.problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let config = checked.config.unwrap();
    let fences = outpost::app::fences(&config, &file).unwrap();
    let outcomes = outpost::pipeline::examples::run(&config, &fences).unwrap();
    let differing: Vec<String> =
        outcomes.iter().filter(|outcome| !outcome.is_as_expected()).map(ToString::to_string).collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));

    let kind =
        |rule: &outpost::config::Rule| serde_json::to_value(&rule.detect).unwrap()["kind"].as_str().unwrap().to_owned();
    let shown: std::collections::BTreeSet<String> = config
        .rules
        .iter()
        .filter(|rule| rule.examples.iter().any(|example| !example.expect.is_empty()))
        .map(kind)
        .collect();
    // Who asks for a kind that does not exist is told all that do.
    let refusal = serde_json::from_str::<outpost::config::Detect>(r#"{"kind":"?"}"#).unwrap_err().to_string();
    let kinds = refusal.split_once("expected one of").unwrap().1.split('`').skip(1).step_by(2);
    assert_eq!(shown, kinds.map(String::from).collect(), "shown, and there are");
    let page = readme();
    for kind in shown {
        assert!(page.contains(&format!("`{kind}`")), "README.md's table of rules lacks {kind}");
    }
}

#[test]
fn what_the_readme_points_at_is_there() {
    let page = readme();
    assert!(page.lines().count() <= 200);
    let links = page.split("](").skip(1).map(|rest| rest.split_once(')').unwrap().0);
    let named = page.split('`').skip(1).step_by(2).filter(|word| {
        let folders = ["configs/", "detectors/", "gateway/", "fixtures/", "benches/"];
        folders.iter().any(|folder| word.starts_with(folder)) && !word.contains(['<', '*', ' '])
    });
    let mut n_paths = 0;
    for path in links.filter(|link| !link.contains("://")).chain(named) {
        assert!(root().join(path).exists(), "README.md names {path}, which is not there");
        n_paths += 1;
    }
    assert!(n_paths >= 8, "only {n_paths} paths");
    let pictures: Vec<&str> = page.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    let pictures: Vec<&str> = pictures.into_iter().filter(|path| path.ends_with(".png")).collect();
    assert!(pictures.len() >= 4, "{pictures:?}");
    for path in pictures {
        let n_bytes = std::fs::metadata(root().join(path)).unwrap().len();
        assert!(n_bytes <= 300_000, "{path}: {n_bytes} bytes");
    }
}

/// The clip and the recordings that `outpost demo` replays.
#[test]
fn the_demos_recordings_are_small() {
    let files = ["fixtures/demo", "fixtures/thermal"].map(|folder| std::fs::read_dir(root().join(folder)).unwrap());
    let bytes: u64 = files.into_iter().flatten().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    let clip = std::fs::metadata(root().join("fixtures/video/visitors.h264")).unwrap().len();
    assert!(bytes + clip < 6_000_000);
}
