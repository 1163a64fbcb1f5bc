//! The configurations in configs/ load without a word, and district.toml shows every key and kind that there is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use outpost::config::check::{check, check_alone};
use outpost::config::{self, Config};
use outpost::decode::Decoders;

fn configs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs")
}

/// The example with the keys that it leaves out.
fn complete_district() -> toml::Table {
    let text = std::fs::read_to_string(configs().join("district.toml")).unwrap();
    let is_key =
        |line: &&str| line.strip_prefix('#').is_some_and(|tail| tail.starts_with(|c: char| c.is_ascii_lowercase()));
    assert!(text.lines().filter(is_key).count() >= 8, "keys that are left out are written \"#key = value\"");
    let complete: Vec<_> = text.lines().map(|line| if is_key(&line) { &line[1..] } else { line }).collect();
    complete.join("\n").parse().unwrap()
}

#[test]
fn every_example_loads_without_a_problem_and_its_feeds_decode() {
    let mut n_examples = 0;
    for entry in std::fs::read_dir(configs()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let checked = check(&text, &path);
        assert!(checked.problems.is_empty(), "{:?}", checked.problems);
        Decoders::new(&checked.config.unwrap()).unwrap();
        assert!(config::check::load(&path).is_ok());
        n_examples += 1;
    }
    assert!(n_examples >= 2);
}

#[test]
fn the_least_example_fits_a_screen() {
    assert!(std::fs::read_to_string(configs().join("minimal.toml")).unwrap().lines().count() <= 20);
}

#[test]
fn the_district_example_with_all_its_keys_has_the_shape_of_a_configuration() {
    let text = complete_district().to_string();
    let checked = check_alone(&text, Path::new("district.toml"));
    assert!(checked.config.is_some(), "{:?}", checked.problems);
}

/// A value in the tree of the example.
type Steps = Vec<Result<String, usize>>;

/// Every table of the tree.
fn tables(value: &toml::Value, at: &mut Steps, found: &mut Vec<Steps>) {
    match value {
        toml::Value::Table(table) => {
            found.push(at.clone());
            for (key, child) in table {
                at.push(Ok(key.clone()));
                tables(child, at, found);
                at.pop();
            }
        }
        toml::Value::Array(array) => {
            for (i, child) in array.iter().enumerate() {
                at.push(Err(i));
                tables(child, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}

fn value_at<'a>(root: &'a mut toml::Value, at: &Steps) -> &'a mut toml::Value {
    at.iter().fold(root, |value, step| match step {
        Ok(key) => value.get_mut(key).unwrap(),
        Err(i) => value.get_mut(*i).unwrap(),
    })
}

/// The names that a parser's message lists after the one that it does not know.
fn names(message: &str) -> Vec<String> {
    let line = message.lines().find(|line| line.starts_with("unknown ")).unwrap();
    line.split('`').skip(1).step_by(2).skip(1).map(str::to_owned).collect()
}

/// Path without indexes, with the kind where there is one: what is a table of the same keys.
fn family(root: &toml::Value, at: &Steps) -> String {
    let mut value = root;
    let mut text = String::new();
    for step in at {
        value = match step {
            Ok(key) => {
                text.push_str(&format!(".{key}"));
                &value[key.as_str()]
            }
            Err(i) => &value[*i],
        };
    }
    match value.get("kind") {
        Some(kind) => format!("{text} {kind}"),
        None => text,
    }
}

/// Asks the parser itself: an unknown key in each table makes it name all keys that it knows there.
#[test]
fn the_district_example_shows_every_key() {
    let root = toml::Value::Table(complete_district());
    let mut found = Vec::new();
    tables(&root, &mut Vec::new(), &mut found);
    let mut known: std::collections::BTreeMap<String, BTreeSet<String>> = Default::default();
    let mut shown = known.clone();
    for at in &found {
        let is_secret = at
            .last()
            .is_some_and(|step| step.as_ref().is_ok_and(|key| ["password", "token", "secret"].contains(&key.as_str())));
        if is_secret {
            continue;
        }
        let mut asked = root.clone();
        let table = value_at(&mut asked, at).as_table_mut().unwrap();
        let keys: Vec<_> = table.keys().cloned().collect();
        table.insert("nonsense".into(), toml::Value::Boolean(true));
        let error = asked.try_into::<Config>().unwrap_err().to_string();
        assert!(error.contains("unknown field `nonsense`"), "{at:?}: {error}");
        let family = family(&root, at);
        known.entry(family.clone()).or_default().extend(names(&error));
        shown.entry(family).or_default().extend(keys);
    }
    assert!(known.len() > 20, "{known:?}");
    for (family, keys) in known {
        let missing: Vec<_> = keys.difference(&shown[&family]).collect();
        assert!(missing.is_empty(), "configs/district.toml does not show {missing:?} of {family:?}");
    }
}

#[test]
fn the_district_example_shows_every_kind() {
    let root = toml::Value::Table(complete_district());
    for (list, table) in [("feeds", "format"), ("rules", "detect"), ("receivers", "to"), ("scores", "figure")] {
        let elements = root[list].as_array().unwrap();
        let shown: BTreeSet<_> =
            elements.iter().map(|element| element[table]["kind"].as_str().unwrap().to_owned()).collect();
        let mut asked = root.clone();
        asked[list][0][table]["kind"] = "nonsense".into();
        let error = asked.try_into::<Config>().unwrap_err().to_string();
        let known: BTreeSet<_> = names(&error).into_iter().collect();
        assert!(known.len() >= 2, "{error}");
        assert_eq!(known, shown, "configs/district.toml does not show every kind of {table}");
    }
}
