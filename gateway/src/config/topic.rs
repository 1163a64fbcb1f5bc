//! MQTT topic filters (MQTT 5.0 section 4.7) and the template that turns a topic into a source's name.
//! Knows nothing of brokers or payloads.

/// Longest topic filter; MQTT itself allows 65,535 bytes.
pub const FILTER_BYTES_MAX: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicFilter {
    /// The filter without a `$share/<group>/` in front.
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("a topic filter needs text; \"#\" subscribes to every topic")]
    Empty,
    #[error("a topic filter has at most {FILTER_BYTES_MAX} bytes")]
    TooLong,
    #[error("\"#\" must be a level of its own and the last one")]
    Rest,
    #[error("\"+\" must be a level of its own")]
    Any,
    #[error("a shared subscription is written $share/<group>/<filter>")]
    Share,
    #[error("a topic filter has no control characters")]
    Control,
}

/// Text with `{topic}`, `{0}`, `{1}`… and, where payloads name their sources, `{name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTemplate {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Topic,
    /// A level of the topic, counted from 0.
    Level(usize),
    /// The name that the payload gives: a SenML record's, a device's.
    Name,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("a source template needs text such as \"{{topic}}\"")]
    Empty,
    #[error(
        "\"{{{0}}}\" is no placeholder; there are {{topic}}, {{0}}, {{1}}… and, where payloads name their sources, {{name}}"
    )]
    Placeholder(String),
    #[error("a brace is not closed or not opened")]
    Brace,
    #[error("a source name cannot hold wildcards or control characters")]
    Text,
}

impl TopicFilter {
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(FilterError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(FilterError::Control);
        }
        let filter = match text.strip_prefix("$share/") {
            None => text,
            Some(shared) => match shared.split_once('/') {
                Some((group, filter)) if !group.is_empty() && !group.contains(['+', '#']) => filter,
                _ => return Err(FilterError::Share),
            },
        };
        if filter.is_empty() {
            return Err(FilterError::Empty);
        }
        let mut levels = filter.split('/').peekable();
        while let Some(level) = levels.next() {
            let is_last = levels.peek().is_none();
            match level {
                "+" => {}
                "#" if is_last => {}
                _ if level.contains('#') => return Err(FilterError::Rest),
                _ if level.contains('+') => return Err(FilterError::Any),
                _ => {}
            }
        }
        Ok(TopicFilter { text: filter.to_owned() })
    }

    /// The filter without a shared subscription's prefix.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn matches(&self, topic: &str) -> bool {
        // Section 4.7.2: a wildcard in the first level does not reach the broker's own `$` topics.
        if topic.starts_with('$') && self.text.starts_with(['+', '#']) {
            return false;
        }
        let mut names = topic.split('/');
        for level in self.text.split('/') {
            if level == "#" {
                return true;
            }
            match names.next() {
                Some(name) if level == "+" || level == name => {}
                _ => return false,
            }
        }
        names.next().is_none()
    }
}

impl SourceTemplate {
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let brace = rest.find(['{', '}']).unwrap_or(rest.len());
            let (plain, tail) = rest.split_at(brace);
            if plain.contains(['+', '#', '*']) || plain.chars().any(char::is_control) {
                return Err(TemplateError::Text);
            }
            if !plain.is_empty() {
                parts.push(Part::Text(plain.to_owned()));
            }
            rest = match tail.strip_prefix('{') {
                None if tail.is_empty() => break,
                None => return Err(TemplateError::Brace),
                Some(opened) => {
                    let (inside, after) = opened.split_once('}').ok_or(TemplateError::Brace)?;
                    parts.push(Part::parse(inside)?);
                    after
                }
            };
        }
        if parts.is_empty() {
            return Err(TemplateError::Empty);
        }
        Ok(SourceTemplate { parts })
    }

    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether the name depends on the payload.
    pub fn has_name(&self) -> bool {
        self.parts.contains(&Part::Name)
    }

    /// The source's name, or the number of the level that the topic lacks. `name` stands for `{name}`.
    pub fn source(&self, topic: &str, name: &str) -> Result<String, usize> {
        let mut source = String::with_capacity(topic.len() + name.len());
        for part in &self.parts {
            match part {
                Part::Text(text) => source.push_str(text),
                Part::Topic => source.push_str(topic),
                Part::Name => source.push_str(name),
                Part::Level(n) => source.push_str(topic.split('/').nth(*n).ok_or(*n)?),
            }
        }
        Ok(source)
    }
}

impl Part {
    fn parse(inside: &str) -> Result<Part, TemplateError> {
        match inside {
            "topic" => Ok(Part::Topic),
            "name" => Ok(Part::Name),
            _ if inside.len() <= 3 && !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_digit()) => {
                inside.parse().map(Part::Level).map_err(|_| TemplateError::Placeholder(inside.to_owned()))
            }
            _ => Err(TemplateError::Placeholder(inside.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_mqtt_says() {
        // The examples of MQTT 5.0, sections 4.7.1 and 4.7.2.
        for (filter, topic, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/#", "sport", true),
            ("#", "a/b", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/uptime", false),
            ("+/monitor/Clients", "$SYS/monitor/Clients", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("$share/group/a/+", "a/b", true),
            ("a", "A", false),
        ] {
            assert_eq!(TopicFilter::parse(filter).unwrap().matches(topic), expected, "{filter} on {topic}");
        }
    }

    #[test]
    fn filters_that_a_broker_would_refuse_are_refused() {
        for (text, error) in [
            ("", FilterError::Empty),
            ("a/#/b", FilterError::Rest),
            ("a#", FilterError::Rest),
            ("a+", FilterError::Any),
            ("$share/g", FilterError::Share),
            ("$share//a", FilterError::Share),
            ("a\nb", FilterError::Control),
        ] {
            assert_eq!(TopicFilter::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_template_names_the_source_by_levels() {
        let template = SourceTemplate::parse("gas/{1}-{2}").unwrap();
        assert_eq!(template.source("site/7/ch4", ""), Ok("gas/7-ch4".to_owned()));
        assert_eq!(template.source("site/7", ""), Err(2));
        assert_eq!(SourceTemplate::parse("{topic}").unwrap().source("a/b", ""), Ok("a/b".to_owned()));
        assert!(SourceTemplate::parse("{0}/{name}").unwrap().has_name());
    }

    #[test]
    fn templates_with_unknown_placeholders_are_refused() {
        assert_eq!(SourceTemplate::parse(""), Err(TemplateError::Empty));
        assert_eq!(SourceTemplate::parse("{topik}"), Err(TemplateError::Placeholder("topik".into())));
        assert_eq!(SourceTemplate::parse("{-1}"), Err(TemplateError::Placeholder("-1".into())));
        assert_eq!(SourceTemplate::parse("{0"), Err(TemplateError::Brace));
        assert_eq!(SourceTemplate::parse("a}"), Err(TemplateError::Brace));
        assert_eq!(SourceTemplate::parse("a/+"), Err(TemplateError::Text));
    }
}
