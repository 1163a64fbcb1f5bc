//! What a configuration message announces: devices, their values and where these come, with abbreviations and base topics
//! resolved. Knows nothing of payloads of values.
//! Format: <https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery>.

use serde_json::{Map, Value};

use crate::config::unit;
use crate::decode::reject::{RejectReason, excerpt};
use crate::decode::scalar::fault;

/// Largest configuration message.
const BYTES_MAX: usize = 64 * 1024;
/// Values that one message announces.
const COMPONENTS_MAX: usize = 256;
/// Availability topics of one message.
const AVAILABILITIES_MAX: usize = 8;
/// Longest name of a device or of a value.
const NAME_BYTES_MAX: usize = 128;

/// A configuration message.
#[derive(Debug, PartialEq)]
pub(super) struct Announcement {
    pub(super) device: String,
    pub(super) values: Vec<Announced>,
    /// Values of kinds that are no readings: switches, lights, buttons.
    pub(super) n_others: u64,
    pub(super) availability: Vec<Availability>,
    pub(super) mode: Mode,
    /// What cannot be used, while the rest can.
    pub(super) faults: Vec<Fault>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Announced {
    pub(super) metric: String,
    pub(super) topic: String,
    pub(super) template: Option<String>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Number {
        unit: Option<&'static str>,
    },
    /// On and off.
    Binary {
        on: String,
        off: String,
    },
    /// Latitude and longitude among a tracker's attributes.
    Position,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Availability {
    pub(super) topic: String,
    pub(super) template: Option<String>,
    pub(super) on: String,
    pub(super) off: String,
}

/// How several availability topics make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mode {
    All,
    Any,
    #[default]
    Latest,
}

type Fault = (RejectReason, String);

/// `path` is the topic between the prefix and `/config`.
pub(super) fn read(path: &str, payload: &[u8]) -> Result<Announcement, Fault> {
    let levels: Vec<&str> = path.split('/').collect();
    let (component, node, object) = match levels.as_slice() {
        [component, object] => (*component, None, *object),
        [component, node, object] => (*component, Some(*node), *object),
        _ => return Err((RejectReason::UnknownTopic, "expected component/[node/]object/config".into())),
    };
    if payload.len() > BYTES_MAX {
        return Err((RejectReason::TooLarge, format!("{} bytes, at most {BYTES_MAX} are read", payload.len())));
    }
    let root: Map<String, Value> = serde_json::from_slice(payload).map_err(|error| fault(payload, &error))?;
    let root = Keys(&root);
    let device = root.device().unwrap_or(node.unwrap_or(object)).to_owned();
    check_name("the device", &device)?;
    let mut announcement = Announcement::new(device);
    if component == "device" {
        let Some(Value::Object(components)) = root.get("components", "cmps") else {
            return Err((RejectReason::Missing, "/components: nothing is there".into()));
        };
        for (n, (name, keys)) in components.iter().enumerate() {
            if n >= COMPONENTS_MAX {
                announcement.faults.push((RejectReason::TooLarge, format!("more than {COMPONENTS_MAX} components")));
                break;
            }
            let added = match keys {
                Value::Object(keys) => {
                    let platform = Keys(keys).text("platform", "p").unwrap_or_default();
                    announcement.add(platform, name, Keys(keys), root)
                }
                _ => Err((RejectReason::WrongType, format!("/components/{}: expected an object", excerpt(name)))),
            };
            announcement.faults.extend(added.err());
        }
    } else {
        let metric = without_owner(object, &[&announcement.device, node.unwrap_or_default()]).to_owned();
        announcement.add(component, &metric, root, root)?;
    }
    Ok(announcement)
}

impl Announcement {
    fn new(device: String) -> Self {
        let (values, availability, faults) = (Vec::new(), Vec::new(), Vec::new());
        Announcement { device, values, n_others: 0, availability, mode: Mode::default(), faults }
    }

    fn add(&mut self, component: &str, metric: &str, own: Keys<'_>, root: Keys<'_>) -> Result<(), Fault> {
        // A component with its kind only is one that was taken away.
        if own.0.len() <= 1 {
            self.n_others += 1;
            return Ok(());
        }
        let of = |key, short| own.topic(key, short, root).or_else(|| root.topic(key, short, root));
        let (topic, template) = match component {
            "device_tracker" => (of("json_attributes_topic", "json_attr_t"), None),
            _ => (of("state_topic", "stat_t"), own.text("value_template", "val_tpl").map(str::to_owned)),
        };
        let kind = match component {
            "sensor" => Kind::Number { unit: own.unit() },
            "binary_sensor" => Kind::Binary {
                on: own.word("payload_on", "pl_on", "ON"),
                off: own.word("payload_off", "pl_off", "OFF"),
            },
            "device_tracker" => Kind::Position,
            _ => {
                self.n_others += 1;
                return Ok(());
            }
        };
        let Some(topic) = topic else {
            // A tracker need not have attributes.
            if kind == Kind::Position {
                self.n_others += 1;
                return Ok(());
            }
            return Err((RejectReason::Missing, format!("{}: no state_topic", excerpt(metric))));
        };
        check_name("the object", metric)?;
        self.values.push(Announced { metric: metric.to_owned(), topic, template, kind });
        self.add_availability(own, root)
    }

    fn add_availability(&mut self, own: Keys<'_>, root: Keys<'_>) -> Result<(), Fault> {
        let mut found = Vec::new();
        for keys in [own, root] {
            if let Some(topic) = keys.topic("availability_topic", "avty_t", root) {
                found.push(keys.availability(topic, ("availability_template", "avty_tpl")));
            }
            if let Some(Value::Array(list)) = keys.get("availability", "avty") {
                for entry in list.iter().filter_map(Value::as_object).map(Keys) {
                    if let Some(topic) = entry.topic("topic", "t", root) {
                        found.push(entry.availability(topic, ("value_template", "val_tpl")));
                    }
                }
            }
        }
        match own.text("availability_mode", "avty_mode").or(root.text("availability_mode", "avty_mode")) {
            Some("all") => self.mode = Mode::All,
            Some("any") => self.mode = Mode::Any,
            _ => {}
        }
        for availability in found {
            if self.availability.iter().any(|known| known.topic == availability.topic) {
                continue;
            }
            if self.availability.len() >= AVAILABILITIES_MAX {
                return Err((RejectReason::TooLarge, format!("more than {AVAILABILITIES_MAX} availability topics")));
            }
            self.availability.push(availability);
        }
        Ok(())
    }
}

/// The keys of an object, each under its name or its abbreviation.
#[derive(Clone, Copy)]
struct Keys<'a>(&'a Map<String, Value>);

impl<'a> Keys<'a> {
    fn get(self, key: &str, short: &str) -> Option<&'a Value> {
        self.0.get(key).or_else(|| self.0.get(short))
    }

    fn text(self, key: &str, short: &str) -> Option<&'a str> {
        self.get(key, short)?.as_str().filter(|text| !text.is_empty())
    }

    /// A topic, whose beginning or end `~` stands for the base topic.
    fn topic(self, key: &str, short: &str, root: Keys<'_>) -> Option<String> {
        let topic = self.text(key, short)?;
        let base = self.0.get("~").or_else(|| root.0.get("~")).and_then(Value::as_str);
        Some(match (base, topic.strip_prefix('~'), topic.strip_suffix('~')) {
            (Some(base), Some(rest), _) => format!("{base}{rest}"),
            (Some(base), None, Some(rest)) => format!("{rest}{base}"),
            _ => topic.to_owned(),
        })
    }

    /// A payload to compare with: Python's words for true and false where it is one.
    fn word(self, key: &str, short: &str, usual: &str) -> String {
        match self.get(key, short) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(truth)) => if *truth { "True" } else { "False" }.to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            _ => usual.to_owned(),
        }
    }

    fn unit(self) -> Option<&'static str> {
        let unit = unit::meant(self.text("unit_of_measurement", "unit_of_meas")?)?;
        let is_humidity = self.text("device_class", "dev_cla") == Some("humidity");
        Some(if unit == "%" && is_humidity { "%RH" } else { unit })
    }

    fn availability(self, topic: String, template: (&str, &str)) -> Availability {
        Availability {
            topic,
            template: self.text(template.0, template.1).map(str::to_owned),
            on: self.word("payload_available", "pl_avail", "online"),
            off: self.word("payload_not_available", "pl_not_avail", "offline"),
        }
    }

    /// The first of the device's identifiers, else of its connections' addresses.
    fn device(self) -> Option<&'a str> {
        let device = Keys(self.get("device", "dev")?.as_object()?);
        let first = |value: &'a Value| match value {
            Value::Array(list) => list.first().and_then(Value::as_str),
            value => value.as_str(),
        };
        let connection = || device.get("connections", "cns")?.as_array()?.first()?.as_array()?.get(1)?.as_str();
        device.get("identifiers", "ids").and_then(first).or_else(connection)
    }
}

/// `temperature` of `A1B2C3_temperature`, where the device or the node is called A1B2C3.
fn without_owner<'o>(object: &'o str, owners: &[&str]) -> &'o str {
    let stripped = |owner: &&str| object.strip_prefix(*owner)?.strip_prefix(['_', '-']).filter(|rest| !rest.is_empty());
    owners.iter().filter(|owner| !owner.is_empty()).find_map(stripped).unwrap_or(object)
}

fn check_name(what: &str, name: &str) -> Result<(), Fault> {
    match name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        true => Err((RejectReason::BadText, format!("{what} {} cannot be a name", excerpt(name)))),
        false => Ok(()),
    }
}
