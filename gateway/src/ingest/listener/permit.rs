//! Which topics a client may publish to. Knows nothing of connections or passwords.

/// The topic filters of one connected client, its placeholders filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Permit {
    filters: Vec<Vec<Level>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Any,
    Rest,
    /// Compared as it is: wildcards and slashes in a client's own name mean nothing.
    Name(String),
}

impl Permit {
    /// Filters as in MQTT, with `%c` for the client identifier and `%u` for the user name.
    pub(super) fn new(filters: &[String], client: &str, user: &str) -> Permit {
        let level = |text: &str| match text {
            "+" => Level::Any,
            "#" => Level::Rest,
            text => Level::Name(filled(text, client, user)),
        };
        Permit { filters: filters.iter().map(|filter| filter.split('/').map(level).collect()).collect() }
    }

    pub(super) fn allows(&self, topic: &str) -> bool {
        self.filters.iter().any(|filter| matches(filter, topic))
    }
}

/// In one pass, so that a name that holds a placeholder stays what it is.
fn filled(text: &str, client: &str, user: &str) -> String {
    let mut parts = text.split('%');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.as_bytes().first() {
            Some(b'c') => filled.push_str(client),
            Some(b'u') => filled.push_str(user),
            // The check of the configuration lets no other through.
            _ => filled.push('%'),
        }
        filled.push_str(part.get(1..).unwrap_or_default());
    }
    filled
}

fn matches(filter: &[Level], topic: &str) -> bool {
    // Section 4.7.2: a wildcard in the first level does not reach `$` topics.
    if topic.starts_with('$') && !matches!(filter.first(), Some(Level::Name(_))) {
        return false;
    }
    let mut names = topic.split('/');
    for level in filter {
        match (level, names.next()) {
            (Level::Rest, _) => return true,
            (Level::Any, Some(_)) => {}
            (Level::Name(name), Some(given)) if name == given => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(filter: &str, client: &str, topic: &str) -> bool {
        Permit::new(&[filter.to_owned()], client, "tunnel").allows(topic)
    }

    #[test]
    fn placeholders_stand_for_the_client_and_its_user() {
        assert!(allows("dev/%c/#", "a1", "dev/a1/temp") && allows("dev/%c/#", "a1", "dev/a1"));
        assert!(!allows("dev/%c/#", "a1", "dev/a2/temp"));
        assert!(allows("%u/esp-%c/+", "a1", "tunnel/esp-a1/temp"));
        assert!(allows("#", "a1", "any/thing") && allows("+/x", "a1", "any/x"));
    }

    #[test]
    fn a_clients_own_name_cannot_widen_what_it_may() {
        assert!(!allows("dev/%c/temp", "+", "dev/other/temp") && !allows("dev/%c", "#", "dev/a/b"));
        assert!(!allows("dev/%c", "a/b", "dev/a/b"), "a name is one level");
        assert!(allows("dev/%c", "%u", "dev/%u") && !allows("dev/%c", "%u", "dev/tunnel"));
    }

    #[test]
    fn wildcards_do_not_reach_dollar_topics() {
        assert!(!allows("#", "a", "$SYS/x") && !allows("+/x", "a", "$SYS/x") && allows("$SYS/#", "a", "$SYS/x"));
    }
}
