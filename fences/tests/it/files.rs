//! GeoJSON files, good and bad: each file in fixtures/fences has beside it what must come of it.

use std::fs;
use std::path::{Path, PathBuf};

use outpost_fences::geojson::{self, Parsed, Problem};

/// A file, and what the text beside it says must come of it.
struct Case {
    path: PathBuf,
    text: String,
    parsed: Parsed,
    expected: String,
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An empty folder is a broken checkout.
fn walk(folder: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/fences").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder that opens can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "geojson"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no files", folder.display());
    let case = |path: PathBuf| {
        let text = read(&path);
        let expected = read(&path.with_extension("txt")).trim_end().to_owned();
        Case { parsed: geojson::parse(&text), path, text, expected }
    };
    files.into_iter().map(case).collect()
}

fn ids(parsed: &Parsed) -> Vec<&str> {
    parsed.fences.iter().map(|fence| fence.id.as_ref()).collect()
}

#[test]
fn each_good_file_gives_its_fences() {
    for Case { path, parsed, expected, .. } in walk("good") {
        assert_eq!(ids(&parsed), expected.lines().collect::<Vec<_>>(), "{}", path.display());
        assert!(!parsed.problems.iter().any(Problem::is_fatal), "{}: {:?}", path.display(), parsed.problems);
    }
}

#[test]
fn each_bad_file_says_what_is_wrong_and_costs_no_other_fence() {
    for Case { path, text, parsed, expected } in walk("bad") {
        let fatal: Vec<String> = parsed.problems.iter().filter(|p| p.is_fatal()).map(Problem::to_string).collect();
        let is_said = !expected.is_empty() && fatal.iter().any(|message| message.contains(&expected));
        assert!(is_said, "{}: expected {expected:?} in {fatal:#?}", path.display());
        let here = ids(&parsed).iter().filter(|id| **id == "still-here").count();
        assert_eq!(here, usize::from(text.contains("still-here")), "{}", path.display());
    }
}

#[test]
fn each_noted_file_says_so_and_keeps_its_fences() {
    for Case { path, parsed, expected, .. } in walk("noted") {
        let notes: Vec<String> = parsed.problems.iter().map(Problem::to_string).collect();
        let is_said = !expected.is_empty() && notes.iter().any(|message| message.contains(&expected));
        assert!(is_said, "{}: expected {expected:?} in {notes:#?}", path.display());
        assert!(!parsed.problems.iter().any(Problem::is_fatal), "{}: {notes:#?}", path.display());
        assert_eq!(parsed.fences.len(), 2, "{}", path.display());
    }
}
