//! Which fences a rule is about: one by its id, or several by ids and patterns. Knows nothing of shapes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::pattern::SourcePattern;

/// Fences of one rule: it remembers something of each of its sources for each.
pub const FENCES_PER_RULE_MAX: usize = 256;

/// `"yard"`, or a list such as `["yard", "grid-*"]`. Patterns are those of sources: `"#"` is every fence. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FenceNames {
    names: Vec<String>,
    is_list: bool,
}

/// Why names stand for no fences.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoFences {
    #[error("there is no fence {0:?}")]
    Unknown(String),
    #[error("no fence of this kind of rule matches {0:?}")]
    NoMatch(String),
    #[error("{0} fences, at most {FENCES_PER_RULE_MAX} in one rule")]
    TooMany(usize),
}

impl FenceNames {
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// One id and no pattern or list: what a rule remembers is known by the rule alone, whatever the fence is called.
    pub fn is_one(&self) -> bool {
        !self.is_list && !is_pattern(&self.names[0])
    }

    /// The ids that are meant, in the order of the names and, of a pattern, of the fences; each once. `ids` tells of each
    /// fence whether the kind of rule can use it: a pattern passes over those that it cannot.
    pub fn choose<'a>(&self, ids: impl Iterator<Item = (&'a str, bool)> + Clone) -> Result<Vec<&'a str>, NoFences> {
        let mut chosen: Vec<&str> = Vec::new();
        for name in &self.names {
            if let Some((id, _)) = ids.clone().find(|(id, _)| id == name) {
                chosen.push(id);
                continue;
            }
            let pattern = SourcePattern::parse(name).ok().filter(|_| is_pattern(name));
            let pattern = pattern.ok_or_else(|| NoFences::Unknown(name.clone()))?;
            let n_before = chosen.len();
            chosen.extend(ids.clone().filter(|(id, is_fit)| *is_fit && pattern.matches(id)).map(|(id, _)| id));
            if chosen.len() == n_before {
                return Err(NoFences::NoMatch(name.clone()));
            }
        }
        let mut seen = std::collections::HashSet::new();
        chosen.retain(|id| seen.insert(*id));
        if chosen.len() > FENCES_PER_RULE_MAX { Err(NoFences::TooMany(chosen.len())) } else { Ok(chosen) }
    }
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '+', '#'])
}

impl fmt::Display for FenceNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))
    }
}

impl Serialize for FenceNames {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_list { self.names.serialize(serializer) } else { self.names[0].serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for FenceNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FenceNames, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> de::Visitor<'de> for NamesVisitor {
    type Value = FenceNames;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the id of a fence, or a list of ids and patterns")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<FenceNames, E> {
        Ok(FenceNames { names: vec![name.to_owned()], is_list: false })
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<FenceNames, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element::<String>()? {
            names.push(name);
        }
        if names.is_empty() {
            return Err(de::Error::invalid_length(0, &self));
        }
        Ok(FenceNames { names, is_list: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(json: &str) -> FenceNames {
        serde_json::from_str(json).unwrap()
    }

    const IDS: [(&str, bool); 4] = [("yard", true), ("grid-1", true), ("gate", false), ("grid-2", true)];

    fn choose(json: &str) -> Result<Vec<&'static str>, NoFences> {
        names(json).choose(IDS.into_iter())
    }

    #[test]
    fn names_and_patterns_choose_each_fence_once() {
        assert_eq!(choose(r#""yard""#), Ok(vec!["yard"]));
        assert_eq!(choose(r#"["grid-2", "grid-*"]"#), Ok(vec!["grid-2", "grid-1"]));
        assert_eq!(choose(r##""#""##), Ok(vec!["yard", "grid-1", "grid-2"]));
        assert_eq!(choose(r#"["gate"]"#), Ok(vec!["gate"]), "who names it means it");
    }

    #[test]
    fn what_chooses_none_or_too_many_says_so() {
        assert_eq!(choose(r#"["yard", "yrad"]"#), Err(NoFences::Unknown("yrad".into())));
        assert_eq!(choose(r#""ga*""#), Err(NoFences::NoMatch("ga*".into())));
        let ids: Vec<String> = (0..=FENCES_PER_RULE_MAX).map(|i| i.to_string()).collect();
        let many = names(r##""#""##).choose(ids.iter().map(|id| (id.as_str(), true)));
        assert_eq!(many, Err(NoFences::TooMany(FENCES_PER_RULE_MAX + 1)));
    }

    #[test]
    fn what_was_read_is_written() {
        for json in [r#""yard""#, r#"["yard","grid-*"]"#, r#"["yard"]"#] {
            assert_eq!(serde_json::to_string(&names(json)).unwrap(), json);
        }
        for json in ["[]", "7", r#"[["yard"]]"#, r#"{"file":"a"}"#] {
            assert!(serde_json::from_str::<FenceNames>(json).is_err(), "{json}");
        }
        assert!(names(r#""yard""#).is_one() && !names(r#"["yard"]"#).is_one() && !names(r#""grid-*""#).is_one());
    }
}
