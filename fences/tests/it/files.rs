//! GeoJSON files, good and bad: each file in fixtures/fences has beside it what must come of it.

use std::fs;
use std::path::{Path, PathBuf};

use outpost_fences::geojson::{self, Parsed, Problem};

/// Name, what came of it, and what the text beside it says. An empty folder is a broken checkout.
fn walk(folder: &str) -> Vec<(PathBuf, Parsed, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/fences").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "geojson"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no files", folder.display());
    let read = |path: PathBuf| {
        let parsed = geojson::parse(&fs::read_to_string(&path).unwrap());
        let expected = fs::read_to_string(path.with_extension("txt"))
            .unwrap_or_else(|error| panic!("{} has no text beside it: {error}", path.display()));
        (path, parsed, expected.trim_end().to_owned())
    };
    files.into_iter().map(read).collect()
}

fn ids(parsed: &Parsed) -> Vec<&str> {
    parsed.fences.iter().map(|fence| fence.id.as_ref()).collect()
}

fn has_still_here(path: &Path) -> bool {
    fs::read_to_string(path).unwrap().ends_with("]}\n") && fs::read_to_string(path).unwrap().contains("still-here")
}

#[test]
fn each_good_file_gives_its_fences() {
    for (path, parsed, expected) in walk("good") {
        assert_eq!(ids(&parsed), expected.lines().collect::<Vec<_>>(), "{}", path.display());
        assert!(!parsed.problems.iter().any(Problem::is_fatal), "{}: {:?}", path.display(), parsed.problems);
    }
}

#[test]
fn each_bad_file_says_what_is_wrong_and_costs_no_other_fence() {
    for (path, parsed, expected) in walk("bad") {
        let fatal: Vec<String> = parsed.problems.iter().filter(|p| p.is_fatal()).map(Problem::to_string).collect();
        let is_said = !expected.is_empty() && fatal.iter().any(|message| message.contains(&expected));
        assert!(is_said, "{}: expected {expected:?} in {fatal:#?}", path.display());
        let here = ids(&parsed).iter().filter(|id| **id == "still-here").count();
        assert_eq!(here, usize::from(has_still_here(&path)), "{}", path.display());
    }
}

#[test]
fn each_noted_file_says_so_and_keeps_its_fences() {
    for (path, parsed, expected) in walk("noted") {
        let notes: Vec<String> = parsed.problems.iter().map(Problem::to_string).collect();
        let is_said = !expected.is_empty() && notes.iter().any(|message| message.contains(&expected));
        assert!(is_said, "{}: expected {expected:?} in {notes:#?}", path.display());
        assert!(!parsed.problems.iter().any(Problem::is_fatal), "{}: {notes:#?}", path.display());
        assert_eq!(parsed.fences.len(), 2, "{}", path.display());
    }
}
