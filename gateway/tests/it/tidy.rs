//! House rules that are tests: what ARCHITECTURE.md says of the source tree is true.

use std::path::{Path, PathBuf};

const LINES_MAX: usize = 500;

/// Folder, and what no file below it may name. The edges of ARCHITECTURE.md.
const EDGES: &[(&str, &[&str])] = &[
    ("fences/src", &["outpost_detectors", "tokio", "std::fs", "SystemTime", "Instant::now", "std::net", "tracing"]),
    ("detectors/src", &["outpost_fences", "tokio", "std::fs", "SystemTime", "Instant::now", "std::net", "tracing"]),
    ("gateway/src/ingest", &["outpost_fences", "crate::decode", "crate::pipeline", "crate::dispatch", "crate::store"]),
    ("gateway/src/decode", &["tokio", "std::net", "std::fs", "crate::pipeline", "crate::dispatch", "crate::store"]),
    ("gateway/src/video", &["crate::pipeline", "crate::dispatch", "crate::store", "rusqlite"]),
    (
        "gateway/src/objects",
        &["std::fs", "crate::config", "crate::video", "crate::pipeline", "crate::store", "now_ms()"],
    ),
    ("gateway/src/pipeline", &["axum", "rusqlite", "reqwest", "crate::api"]),
    ("gateway/src/dispatch", &["tokio", "axum", "rusqlite", "now_ms()", "crate::store", "crate::notify"]),
    ("gateway/src/roads", &["tokio", "std::fs", "crate::dispatch", "crate::store", "crate::nouns", "now_ms()"]),
    ("gateway/src/notify", &["crate::pipeline", "crate::dispatch", "rusqlite"]),
    ("gateway/src/lights", &["crate::pipeline", "crate::dispatch", "rusqlite"]),
    ("gateway/src/series", &["crate::pipeline", "crate::dispatch", "rusqlite"]),
    ("gateway/src/store", &["crate::pipeline", "crate::dispatch", "crate::decode", "crate::ingest", "axum"]),
    ("gateway/src/api", &["rusqlite", "crate::ingest", "crate::video", "SELECT "]),
    ("gateway/src/nouns", &["serde", "tokio", "rusqlite", "axum"]),
];

/// Pure although its folder is not.
const PURE: &[&str] = &[
    "gateway/src/pipeline/watch.rs",
    "gateway/src/pipeline/watch/approach.rs",
    "gateway/src/pipeline/slot.rs",
    "gateway/src/pipeline/slot/hours.rs",
    "gateway/src/pipeline/slot/moving.rs",
    "gateway/src/pipeline/slot/picture.rs",
    "gateway/src/pipeline/picture.rs",
    "gateway/src/pipeline/picture/memory.rs",
    "gateway/src/pipeline/movement.rs",
    "gateway/src/pipeline/rules.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir()
                && path
                    .file_name()
                    .is_some_and(|name| !["target", ".git", "node_modules"].iter().any(|other| name == *other))
            {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                out.push(path);
            }
        }
    }
    out.sort();
    out
}

fn all_sources() -> Vec<(String, String)> {
    let root = root();
    let mut out = Vec::new();
    for folder in ["gateway", "detectors", "fences", "benches"] {
        for path in sources(&root.join(folder)) {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            out.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(out.len() > 50, "the walk found only {} files", out.len());
    out
}

#[test]
fn every_source_file_says_its_job_first_and_fits_a_sitting() {
    let mut faults = Vec::new();
    for (name, text) in all_sources() {
        if !text.starts_with("//! ") {
            faults.push(format!("{name}: does not start with //!"));
        }
        let n_lines = text.lines().count();
        if n_lines > LINES_MAX {
            faults.push(format!("{name}: {n_lines} lines, at most {LINES_MAX}"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn no_module_names_what_it_must_not_know() {
    let mut faults = Vec::new();
    for (name, text) in all_sources() {
        let code: String = text
            .lines()
            .take_while(|line| !line.starts_with("#[cfg(test)]"))
            .filter(|line| !line.trim_start().starts_with("//"))
            .map(|line| format!("{line}\n"))
            .collect();
        if name.ends_with("/tests.rs") {
            continue;
        }
        let edges = EDGES.iter().filter(|(folder, _)| name.starts_with(folder)).flat_map(|(_, words)| words.iter());
        let pure = PURE.iter().filter(|file| **file == name).flat_map(|_| &["async ", "tokio", "now_ms()", "tracing"]);
        for word in edges.chain(pure) {
            if code.contains(word) {
                faults.push(format!("{name}: names {word}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_file_is_reached_by_a_mod() {
    let mut faults = Vec::new();
    let files = all_sources();
    for (name, _) in &files {
        let path = Path::new(name);
        let (folder, stem) = (path.parent().unwrap(), path.file_stem().unwrap().to_str().unwrap());
        let is_root = ["lib", "main"].contains(&stem) || !name.contains("/src/") && !name.contains("/tests/it/");
        if is_root || name.contains("/src/bin/") {
            continue;
        }
        let (folder, module) = if stem == "mod" {
            (folder.parent().unwrap(), folder.file_name().unwrap().to_str().unwrap())
        } else {
            (folder, stem)
        };
        let parents =
            [folder.join("mod.rs"), folder.join("lib.rs"), folder.join("main.rs"), folder.with_extension("rs")];
        let named = files
            .iter()
            .filter(|(other, _)| parents.iter().any(|parent| Path::new(other) == parent))
            .any(|(_, text)| text.lines().any(|line| line.trim_end().ends_with(&format!("mod {module};"))));
        if !named {
            faults.push(format!("{name}: no mod {module}; in its parent"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_configuration_loads_without_a_problem() {
    let folder = root().join("configs");
    let mut n_files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        n_files += 1;
        let checked = outpost::config::check::check(&std::fs::read_to_string(&path).unwrap(), &path);
        let problems: Vec<String> = checked.problems.iter().map(ToString::to_string).collect();
        assert!(checked.config.is_some() && problems.is_empty(), "{}:\n{}", path.display(), problems.join("\n"));
    }
    assert!(n_files >= 3, "only {n_files} configurations");
}

#[test]
fn the_crates_and_modules_of_the_architecture_page_exist() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let named: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(path, _)| path)
        .filter(|path| path.contains('/'))
        .collect();
    assert!(named.len() >= 12, "the table names only {} places", named.len());
    for path in &named {
        assert!(root().join(path).exists(), "ARCHITECTURE.md names {path}, which is not there");
    }
    // And the other way round: no module without its row.
    for entry in std::fs::read_dir(root().join("gateway/src")).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("gateway/src/{}", path.file_name().unwrap().to_str().unwrap());
        let listed = named.iter().any(|row| row.trim_end_matches('/') == name.trim_end_matches('/'));
        let entrance = ["gateway/src/lib.rs", "gateway/src/main.rs"].contains(&name.as_str());
        assert!(listed || entrance, "{name} is not in the table of ARCHITECTURE.md");
    }
}
