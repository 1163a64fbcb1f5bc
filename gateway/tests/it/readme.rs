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
    let picture = std::fs::metadata(root().join("fixtures/readme/page.png")).unwrap();
    assert!(picture.len() <= 250_000, "{} bytes", picture.len());
}

/// The clip and the recordings that `outpost demo` replays.
#[test]
fn the_demos_recordings_are_small() {
    let files = ["fixtures/demo", "fixtures/thermal"].map(|folder| std::fs::read_dir(root().join(folder)).unwrap());
    let bytes: u64 = files.into_iter().flatten().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    let clip = std::fs::metadata(root().join("fixtures/video/visitors.h264")).unwrap().len();
    assert!(bytes + clip < 6_000_000);
}
