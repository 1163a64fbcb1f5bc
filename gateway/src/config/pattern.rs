//! Patterns by which rules name sources: `tunnel/+/ch4`, `cam:reservoir-*`, `site/#`. Knows nothing of rules.
//!
//! Levels are split by `/`. `+` is one whole level, `#` the rest (the level before it included, as in MQTT),
//! `*` any text within a level, also none.

/// Longest pattern; source names are not longer either.
pub const PATTERN_BYTES_MAX: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePattern {
    text: String,
    levels: Vec<Level>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    /// `+`
    Any,
    /// `#`, last only.
    Rest,
    /// Text without wildcards.
    Exact(String),
    /// Text with `*`.
    Glob(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("a source pattern needs text; \"#\" matches every source")]
    Empty,
    #[error("a source pattern has at most {PATTERN_BYTES_MAX} bytes")]
    TooLong,
    #[error("\"#\" must be a level of its own and the last one")]
    Rest,
    #[error("\"+\" must be a level of its own; \"*\" matches text within a level")]
    Any,
}

impl SourcePattern {
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > PATTERN_BYTES_MAX {
            return Err(PatternError::TooLong);
        }
        let n_levels = text.split('/').count();
        let mut levels = Vec::with_capacity(n_levels);
        for (i, level) in text.split('/').enumerate() {
            levels.push(match level {
                "+" => Level::Any,
                "#" if i + 1 == n_levels => Level::Rest,
                _ if level.contains('#') => return Err(PatternError::Rest),
                _ if level.contains('+') => return Err(PatternError::Any),
                _ if level.contains('*') => Level::Glob(level.to_owned()),
                _ => Level::Exact(level.to_owned()),
            });
        }
        Ok(SourcePattern { text: text.to_owned(), levels })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn matches(&self, source: &str) -> bool {
        let mut names = source.split('/');
        for level in &self.levels {
            // Asked before the next name is taken: `a/#` also means `a`.
            if matches!(level, Level::Rest) {
                return true;
            }
            let Some(name) = names.next() else { return false };
            let agrees = match level {
                Level::Any | Level::Rest => true,
                Level::Exact(text) => text == name,
                Level::Glob(glob) => glob_matches(glob.as_bytes(), name.as_bytes()),
            };
            if !agrees {
                return false;
            }
        }
        names.next().is_none()
    }

    /// Whether some source name could match both patterns.
    pub fn overlaps(&self, other: &SourcePattern) -> bool {
        let (mut ours, mut theirs) = (self.levels.iter(), other.levels.iter());
        loop {
            let agrees = match (ours.next(), theirs.next()) {
                (None, None) | (Some(Level::Rest), _) | (_, Some(Level::Rest)) => return true,
                (None, Some(_)) | (Some(_), None) => return false,
                (Some(Level::Any), Some(_)) | (Some(_), Some(Level::Any)) => true,
                (Some(a), Some(b)) => globs_overlap(a.text().as_bytes(), b.text().as_bytes()),
            };
            if !agrees {
                return false;
            }
        }
    }
}

impl Level {
    fn text(&self) -> &str {
        match self {
            Level::Any => "*",
            Level::Rest => "#",
            Level::Exact(text) | Level::Glob(text) => text,
        }
    }
}

/// Greedy match with one point of return, so that time is bounded by the product of the lengths.
fn glob_matches(glob: &[u8], name: &[u8]) -> bool {
    let (mut g, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        if glob.get(g) == Some(&b'*') {
            retry = Some((g + 1, n));
            g += 1;
        } else if glob.get(g) == Some(&name[n]) {
            g += 1;
            n += 1;
        } else if let Some((after_star, taken)) = retry {
            retry = Some((after_star, taken + 1));
            g = after_star;
            n = taken + 1;
        } else {
            return false;
        }
    }
    glob[g..].iter().all(|byte| *byte == b'*')
}

/// Row by row over `a`: `reach[j]` says that the first i bytes of `a` and the first j of `b` can describe one text.
fn globs_overlap(a: &[u8], b: &[u8]) -> bool {
    let mut reach = vec![false; b.len() + 1];
    reach[0] = true;
    for j in 0..b.len() {
        reach[j + 1] = reach[j] && b[j] == b'*';
    }
    for byte in a {
        let mut diagonal = reach[0];
        reach[0] = reach[0] && *byte == b'*';
        for j in 0..b.len() {
            let above = reach[j + 1];
            reach[j + 1] = if *byte == b'*' || b[j] == b'*' {
                // A star takes nothing, or one more byte of the other side.
                above || reach[j] || diagonal
            } else {
                diagonal && *byte == b[j]
            };
            diagonal = above;
        }
    }
    reach[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, source: &str) -> bool {
        SourcePattern::parse(pattern).unwrap().matches(source)
    }

    #[test]
    fn plus_is_one_level_and_hash_the_rest() {
        for (pattern, source, expected) in [
            ("tunnel/+/ch4", "tunnel/7/ch4", true),
            ("tunnel/+/ch4", "tunnel/7/8/ch4", false),
            ("tunnel/+/ch4", "tunnel/ch4", false),
            ("+", "a", true),
            ("+", "a/b", false),
            ("#", "a/b/c", true),
            ("site/#", "site/1/2", true),
            ("site/#", "site", true),
            ("site/#", "sites/1", false),
            ("a", "a/b", false),
            ("a/b", "a", false),
        ] {
            assert_eq!(matches(pattern, source), expected, "{pattern} on {source}");
        }
    }

    #[test]
    fn star_stays_within_its_level() {
        for (pattern, source, expected) in [
            ("cam:reservoir-*", "cam:reservoir-3", true),
            ("cam:reservoir-*", "cam:reservoir-", true),
            ("cam:reservoir-*", "cam:reservoir-3/x", false),
            ("*", "a/b", false),
            ("*/b", "a/b", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("*ab", "aab", true),
            ("管*", "管廊", true),
        ] {
            assert_eq!(matches(pattern, source), expected, "{pattern} on {source}");
        }
    }

    #[test]
    fn wildcards_in_the_wrong_place_are_refused() {
        for (text, error) in [
            ("", PatternError::Empty),
            ("a/#/b", PatternError::Rest),
            ("a#", PatternError::Rest),
            ("a+/b", PatternError::Any),
        ] {
            assert_eq!(SourcePattern::parse(text), Err(error), "{text}");
        }
        assert_eq!(SourcePattern::parse(&"x".repeat(PATTERN_BYTES_MAX + 1)), Err(PatternError::TooLong));
    }

    #[test]
    fn overlap_is_true_exactly_where_one_name_can_match_both() {
        for (a, b, expected) in [
            ("tunnel/+/ch4", "tunnel/#", true),
            ("tunnel/+/ch4", "tunnel/7/*", true),
            ("tunnel/+/ch4", "bridge/#", false),
            ("cam:*", "cam:gate", true),
            ("a*c", "*b*", true),
            ("a*c", "b*", false),
            ("a*c", "*d", false),
            ("*a", "b", false),
            ("+", "a/b", false),
        ] {
            let (left, right) = (SourcePattern::parse(a).unwrap(), SourcePattern::parse(b).unwrap());
            assert_eq!(left.overlaps(&right), expected, "{a} and {b}");
            assert_eq!(right.overlaps(&left), expected, "{b} and {a}");
        }
    }

    proptest::proptest! {
        #[test]
        fn matching_never_panics_and_a_literal_matches_itself(
            pattern in "[ab*+#/]{1,12}", name in "[ab/]{1,12}",
        ) {
            if let Ok(parsed) = SourcePattern::parse(&pattern) {
                let literal = SourcePattern::parse(&name).unwrap();
                proptest::prop_assert!(literal.matches(&name));
                proptest::prop_assert_eq!(parsed.matches(&name), parsed.overlaps(&literal));
            }
        }
    }
}
