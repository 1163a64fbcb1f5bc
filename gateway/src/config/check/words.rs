//! A parser's errors in the words of people who write configurations, and "did you mean".

use super::tree::{Path, Step};

/// What went wrong with a value, as the parser tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    UnknownKey { key: String, known: Vec<String> },
    UnknownKind { found: String, known: Vec<String> },
    MissingKey { key: String },
    Other { message: String },
}

impl Told {
    pub(super) fn parse(message: &str) -> Told {
        let names = quoted(message);
        let (first, known) = match names.split_first() {
            Some((first, known)) => (first.clone(), known.to_vec()),
            None => (String::new(), Vec::new()),
        };
        if message.starts_with("unknown field `") {
            return Told::UnknownKey { key: first, known };
        }
        if message.starts_with("unknown variant `") {
            return Told::UnknownKind { found: first, known };
        }
        if message.starts_with("missing field `") {
            return Told::MissingKey { key: first };
        }
        Told::Other { message: message.to_owned() }
    }

    /// Message and hint for the value at this path.
    pub(super) fn words(&self, path: &Path) -> (String, Option<String>) {
        let is_secret = path.0.iter().any(is_secret);
        match self {
            Told::UnknownKey { key, known } => {
                let hint = did_you_mean(key, known).or_else(|| one_of("keys here", known));
                (format!("unknown key {key:?}"), hint)
            }
            Told::MissingKey { key } => (format!("key {key:?} is missing"), None),
            // What stands there may be the secret itself: it must not get into a terminal or a log.
            _ if is_secret => (
                "a secret does not stand in the file".into(),
                Some("write { env = \"NAME\" } or { file = \"/path\" }".into()),
            ),
            Told::UnknownKind { found, known } => {
                let hint = did_you_mean(found, known).or_else(|| one_of("there are", known));
                (format!("{found:?} is not known here"), hint)
            }
            Told::Other { message } => (reworded(message), None),
        }
    }
}

/// Keys under which a secret is named.
pub(super) fn is_secret(step: &Step) -> bool {
    matches!(step, Step::Key(key) if matches!(key.as_str(), "password" | "token" | "secret"))
}

/// The known name that is meant, if it is near enough to be a typing error.
pub(super) fn nearest<'a, S: AsRef<str>>(name: &str, known: &'a [S]) -> Option<&'a str> {
    let n_chars = name.chars().count();
    let far = (n_chars / 3).clamp(1, 3).min(n_chars.saturating_sub(1));
    let distances = known.iter().map(|candidate| (distance(name, candidate.as_ref()), candidate.as_ref()));
    distances.filter(|(distance, _)| *distance <= far).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

pub(super) fn did_you_mean<S: AsRef<str>>(name: &str, known: &[S]) -> Option<String> {
    nearest(name, known).map(|near| format!("did you mean {near:?}?"))
}

/// `intro: a, b, c`, if that is short enough to help.
pub(super) fn one_of<S: AsRef<str>>(intro: &str, known: &[S]) -> Option<String> {
    const NAMES_MAX: usize = 20;
    if known.is_empty() || known.len() > NAMES_MAX {
        return None;
    }
    let names: Vec<_> = known.iter().map(AsRef::as_ref).collect();
    Some(format!("{intro}: {}", names.join(", ")))
}

/// Edit distance with neighbouring letters swapped counted as one, in characters.
fn distance(a: &str, b: &str) -> usize {
    const CHARS_MAX: usize = 64;
    let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
    if a.len() > CHARS_MAX || b.len() > CHARS_MAX {
        return usize::MAX;
    }
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

/// `invalid type: string "x", expected f64` → `expected a number, found text "x"`.
fn reworded(message: &str) -> String {
    let wrong = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((found, expected)) = wrong.and_then(|tail| tail.rsplit_once(", expected ")) {
        return format!("expected {}, found {}", expected_words(expected), found_words(found));
    }
    if let Some((found, expected)) =
        message.strip_prefix("invalid length ").and_then(|tail| tail.rsplit_once(", expected "))
    {
        return format!("expected {}, found {found}", expected_words(expected));
    }
    message.to_owned()
}

fn expected_words(expected: &str) -> String {
    match expected {
        "f32" | "f64" => "a number".into(),
        "u8" => "a whole number from 0 to 255".into(),
        "u16" => "a whole number from 0 to 65535".into(),
        "u32" | "u64" | "usize" => "a whole number, not negative".into(),
        "i64" => "a whole number".into(),
        "a string" | "string" | "path string" => "text".into(),
        "a boolean" => "true or false".into(),
        "a sequence" => "a list".into(),
        _ if expected.starts_with("struct ") || expected.contains("tagged enum") => "a table".into(),
        _ => expected.replace("an array of length", "a list of").replace("a tuple of size", "a list of"),
    }
}

fn found_words(found: &str) -> String {
    let found = found.replace('`', "");
    for (parser, ours) in [
        ("string ", "text "),
        ("integer ", ""),
        ("floating point ", ""),
        ("boolean ", ""),
        ("sequence", "a list"),
        ("map", "a table"),
    ] {
        if let Some(rest) = found.strip_prefix(parser) {
            return format!("{ours}{rest}");
        }
    }
    found
}

/// The names between backticks.
fn quoted(message: &str) -> Vec<String> {
    message.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_find_their_word_and_others_find_none() {
        let known = ["severity", "sources", "detect", "id", "name"];
        for (typed, meant) in [
            ("sevrity", Some("severity")),
            ("soruces", Some("sources")),
            ("source", Some("sources")),
            ("naem", Some("name")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(nearest(typed, &known), meant, "{typed}");
        }
    }

    #[test]
    fn what_stands_in_place_of_a_secret_is_never_repeated() {
        let path = Path::default().key("api").key("token");
        let told = Told::parse("unknown variant `hunter2`, expected `env` or `file`");
        let (message, hint) = told.words(&path);
        assert!(!message.contains("hunter2") && !hint.unwrap().contains("hunter2"));
    }

    #[test]
    fn types_are_told_in_plain_words() {
        for (parser, ours) in [
            ("invalid type: string \"5\", expected f64", "expected a number, found text \"5\""),
            ("invalid value: integer `70000`, expected u16", "expected a whole number from 0 to 65535, found 70000"),
            ("invalid type: map, expected a sequence", "expected a list, found a table"),
            ("invalid length 1, expected an array of length 2", "expected a list of 2, found 1"),
        ] {
            assert_eq!(reworded(parser), ours);
        }
    }
}
