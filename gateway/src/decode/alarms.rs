//! Documents of an ONVIF metadata stream → what a camera's own analysis says begins and ends. Pure.
//!
//! Elements are those of the ONVIF Core Specification (section 9.4, notification messages) and of WS-BaseNotification 1.3;
//! topics and names of values those of the Core, Imaging and Analytics Service Specifications, and what makers put beside
//! them. Names are compared without their prefixes, which cameras choose freely. When it happened is when it came: the clocks
//! of cameras are not to be trusted.

use roxmltree::{Document, Node, ParsingOptions};

/// Elements, attributes and texts of one document.
const NODES_MAX: u32 = 20_000;
/// Alarms of one document; further ones are counted among those that are not known.
const ALARMS_MAX: usize = 64;
/// Of the name of what says it.
const SPEAKER_CHARS_MAX: usize = 200;

/// What a camera says of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    pub kind: AlarmKind,
    /// Which of the camera's rules or inputs says it, and of what: its topic, and all that tells this state from others.
    pub speaker: String,
    pub state: AlarmState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    On,
    Off,
    /// It happened, and has no end: a line was crossed.
    Momentary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmKind {
    Motion,
    /// A line was crossed.
    Line,
    /// Something is, or stays, within an area.
    Field,
    /// Something that the camera has a name for: a person, a vehicle, an animal.
    Object,
    /// The camera cannot see as it should: covered, turned, dark, dazzled, out of focus.
    Tamper,
    Sound,
    /// A contact at the camera.
    Input,
}

/// What a document says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub alarms: Vec<Alarm>,
    /// Notifications that are of no kind known here, or whose state is no word for one.
    pub n_others: usize,
}

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
pub enum AlarmsError {
    #[error("byte {0} is no UTF-8")]
    Text(usize),
    /// Tells the place.
    #[error("no XML: {0}")]
    Xml(#[from] roxmltree::Error),
}

/// Reads a document. Most that come tell of no alarm, but of where things are in the picture: they are not even parsed.
pub fn read(document: &[u8]) -> Result<Told, AlarmsError> {
    let text = std::str::from_utf8(document).map_err(|error| AlarmsError::Text(error.valid_up_to()))?;
    let mut told = Told::default();
    if !text.contains("NotificationMessage") {
        return Ok(told);
    }
    let options = ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)?;
    for notification in document.descendants().filter(|node| is(node, "NotificationMessage")) {
        match alarm(notification).filter(|_| told.alarms.len() < ALARMS_MAX) {
            Some(alarm) => told.alarms.push(alarm),
            None => told.n_others += 1,
        }
    }
    Ok(told)
}

fn is(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

fn alarm(notification: Node<'_, '_>) -> Option<Alarm> {
    let topic = notification.children().find(|node| is(node, "Topic"))?.text()?.trim();
    let kind = AlarmKind::of(topic)?;
    // `wsnt:Message` holds `tt:Message`.
    let message = notification.descendants().rfind(|node| is(node, "Message"))?;
    let state = match message.attribute("PropertyOperation") {
        Some("Deleted") => AlarmState::Off,
        _ => state(items(message, "Data"))?,
    };
    let names = items(message, "Source").chain(items(message, "Key")).map(|(_, value)| value);
    let speaker = std::iter::once(topic).chain(names).collect::<Vec<_>>().join(" ");
    Some(Alarm { kind, speaker: speaker.chars().take(SPEAKER_CHARS_MAX).collect(), state })
}

/// Names and values of the `SimpleItem`s of a part of a message.
fn items<'a>(message: Node<'a, 'a>, part: &'static str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let parts = message.children().filter(move |node| is(node, part));
    let items = parts.flat_map(|part| part.children()).filter(|node| is(node, "SimpleItem"));
    items.filter_map(|item| Some((item.attribute("Name")?, item.attribute("Value")?.trim())))
}

/// On where one of the values that tell a state says so. Without any it is a thing that happened: other values are numbers of
/// objects and the like. None where the word for a state is none that is known.
fn state<'a>(data: impl Iterator<Item = (&'a str, &'a str)>) -> Option<AlarmState> {
    let mut states = data.filter(|(name, _)| is_name_of_state(name)).map(|(_, value)| is_on(value)).peekable();
    if states.peek().is_none() {
        return Some(AlarmState::Momentary);
    }
    let states: Vec<bool> = states.flatten().collect();
    (!states.is_empty()).then(|| if states.contains(&true) { AlarmState::On } else { AlarmState::Off })
}

/// `State`, `LogicalState`, `IsMotion`, `IsInside`, `isSoundDetected`; Axis: `active`, `state`, `tampering`, `triggered`.
fn is_name_of_state(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("is") || ["state", "logicalstate", "active", "tampering", "triggered"].contains(&name.as_str())
}

fn is_on(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "active" | "on" => Some(true),
        "false" | "0" | "inactive" | "off" => Some(false),
        _ => None,
    }
}

impl AlarmKind {
    pub const ALL: [AlarmKind; 7] = [
        AlarmKind::Motion,
        AlarmKind::Line,
        AlarmKind::Field,
        AlarmKind::Object,
        AlarmKind::Tamper,
        AlarmKind::Sound,
        AlarmKind::Input,
    ];

    /// The kind of what is told under a topic. Of outputs, disks, clocks and the like: none.
    fn of(topic: &str) -> Option<AlarmKind> {
        let mut segments = topic.split('/').map(|segment| segment.rsplit(':').next().unwrap_or(segment));
        let found = [segments.next()?, segments.next().unwrap_or_default(), segments.next().unwrap_or_default()];
        Some(match found {
            ["VideoSource", "MotionAlarm", _]
            | ["RuleEngine", "CellMotionDetector" | "MotionRegionDetector", "Motion"]
            | ["VideoAnalytics", "MotionDetection", _]
            | ["CameraApplicationPlatform", "VMD" | "MotionGuard", _]
            | ["Device", "Sensor", "PIR"] => AlarmKind::Motion,
            ["RuleEngine", "LineDetector" | "LineCrossDetector", _]
            | ["RuleEngine", "CellMotionDetector", "LineCross"]
            | ["CameraApplicationPlatform", "FenceGuard", _] => AlarmKind::Line,
            ["RuleEngine", "FieldDetector" | "LoiteringDetector" | "IntrusionDetector", _]
            | ["RuleEngine", "CellMotionDetector", "Intrusion"]
            | ["CameraApplicationPlatform", "LoiteringGuard", _] => AlarmKind::Field,
            ["RuleEngine", "MyRuleDetector", "PeopleDetect" | "VehicleDetect" | "DogCatDetect" | "Visitor"]
            | ["RuleEngine", "PeopleDetector" | "TPSmartEventDetector" | "ObjectDetection", _]
            | ["CameraApplicationPlatform", "ObjectAnalytics", _] => AlarmKind::Object,
            ["VideoSource", "GlobalSceneChange" | "ImageTooDark" | "ImageTooBright" | "ImageTooBlurry", _]
            | ["VideoSource", "SignalLoss" | "Tampering", _]
            | ["RuleEngine", "TamperDetector", _]
            | ["RuleEngine", "CellMotionDetector", "Tamper"] => AlarmKind::Tamper,
            ["AudioAnalytics", "Audio", "DetectedSound"] | ["AudioSource", "TriggerLevel", _] => AlarmKind::Sound,
            ["Device", "Trigger", "DigitalInput"] | ["Device", "IO", "Port"] => AlarmKind::Input,
            _ => return None,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            AlarmKind::Motion => "motion",
            AlarmKind::Line => "line",
            AlarmKind::Field => "field",
            AlarmKind::Object => "object",
            AlarmKind::Tamper => "tamper",
            AlarmKind::Sound => "sound",
            AlarmKind::Input => "input",
        }
    }

    /// As rules name it.
    pub fn metric(self) -> &'static str {
        match self {
            AlarmKind::Motion => "alarm.motion",
            AlarmKind::Line => "alarm.line",
            AlarmKind::Field => "alarm.field",
            AlarmKind::Object => "alarm.object",
            AlarmKind::Tamper => "alarm.tamper",
            AlarmKind::Sound => "alarm.sound",
            AlarmKind::Input => "alarm.input",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A notification as most cameras write one.
    fn document(topic: &str, data: &str) -> String {
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"><tt:Event>
<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"> {topic} </wsnt:Topic>
<wsnt:Message><tt:Message UtcTime="2026-11-28T09:00:00Z" PropertyOperation="Changed">
<tt:Source><tt:SimpleItem Name="Rule" Value="MyRule"/></tt:Source><tt:Key><tt:SimpleItem Name="State" Value="1"/></tt:Key>
<tt:Data>{data}</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage></tt:Event></tt:MetadataStream>"#
        )
    }

    fn states(topic: &str, items: &[(&str, &str)]) -> Vec<AlarmState> {
        let items = items.iter().map(|(name, value)| format!("<tt:SimpleItem Name=\"{name}\" Value=\"{value}\"/>"));
        let told = read(document(topic, &items.collect::<String>()).as_bytes()).unwrap();
        assert_eq!(told.alarms.len() + told.n_others, 1);
        told.alarms.into_iter().map(|alarm| alarm.state).collect()
    }

    #[test]
    fn a_state_is_read_by_its_name_and_not_by_what_looks_like_one() {
        use AlarmState::{Momentary, Off, On};
        let motion = "tns1:RuleEngine/CellMotionDetector/Motion";
        assert_eq!(states(motion, &[("IsMotion", "true")]), [On]);
        assert_eq!(states(motion, &[("IsMotion", "0")]), [Off]);
        assert_eq!(states("tns1:RuleEngine/LineDetector/Crossed", &[("ObjectId", "0")]), [Momentary]);
        assert_eq!(states("tns1:RuleEngine/LineDetector/Crossed", &[]), [Momentary]);
        let several = [("IsPeople", "false"), ("IsVehicle", "true")];
        assert_eq!(states("tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent", &several), [On]);
        assert_eq!(states(motion, &[("IsMotion", "perhaps")]), [], "no word for a state");
    }

    #[test]
    fn what_is_no_alarm_is_counted_and_does_nothing() {
        for topic in
            ["tns1:Device/Trigger/Relay", "tns1:Monitoring/ProcessorUsage", "tns1:RecordingConfig/JobState", ""]
        {
            assert_eq!(states(topic, &[("State", "true")]), []);
        }
    }

    #[test]
    fn what_ceases_to_exist_is_over() {
        let text = document("tns1:VideoSource/MotionAlarm", "<tt:SimpleItem Name=\"State\" Value=\"true\"/>");
        let told = read(text.replace("Changed", "Deleted").as_bytes()).unwrap();
        assert_eq!(told.alarms[0].state, AlarmState::Off);
        assert_eq!(told.alarms[0].speaker, "tns1:VideoSource/MotionAlarm MyRule 1");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let error = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert_eq!(error(b"<a>\xff"), "byte 3 is no UTF-8");
        let cut = document("tns1:VideoSource/MotionAlarm", "").replace("</tt:Event>", "");
        assert!(
            error(cut.as_bytes()).starts_with("no XML: ") && error(cut.as_bytes()).contains(" at 6:"),
            "{}",
            error(cut.as_bytes())
        );
        let entities = format!(
            "<!DOCTYPE a [<!ENTITY b \"c\">]>{}",
            cut.replacen("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "", 1)
        );
        assert!(error(entities.as_bytes()).contains("DTD"), "{}", error(entities.as_bytes()));
        let wide = document("tns1:VideoSource/MotionAlarm", &"<a/>".repeat(NODES_MAX as usize));
        assert!(error(wide.as_bytes()).contains("nodes limit"), "{}", error(wide.as_bytes()));
        let deep = document("tns1:VideoSource/MotionAlarm", &"<a>".repeat(15_000));
        assert!(read(deep.as_bytes()).is_err());
    }

    #[test]
    fn no_document_tells_more_than_so_much() {
        let one = document(&format!("tns1:VideoSource/MotionAlarm/{}", "ä".repeat(1_000)), "");
        let (head, rest) = one.split_once("<wsnt:NotificationMessage>").unwrap();
        let (body, tail) = rest.split_once("</tt:Event>").unwrap();
        let many = format!("{head}{}</tt:Event>{tail}", format!("<wsnt:NotificationMessage>{body}").repeat(100));
        let told = read(many.as_bytes()).unwrap();
        assert_eq!((told.alarms.len(), told.n_others), (ALARMS_MAX, 100 - ALARMS_MAX));
        assert_eq!(told.alarms[0].speaker.chars().count(), SPEAKER_CHARS_MAX);
    }

    proptest! {
        #[test]
        fn cut_and_changed_documents_do_no_harm(
            cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), with in "[<>&\"a-z/: =]{0,6}",
        ) {
            let mut text = document("tns1:VideoSource/MotionAlarm", "<tt:SimpleItem Name=\"State\" Value=\"true\"/>");
            text.truncate(cut.index(text.len() + 1));
            text.insert_str(at.index(text.len() + 1), &with);
            if let Ok(told) = read(text.as_bytes()) {
                prop_assert!(told.alarms.len() <= 1);
            }
        }

        #[test]
        fn no_bytes_are_too_odd(bytes: Vec<u8>) {
            let _ = read(&[b"<NotificationMessage>".as_slice(), &bytes].concat());
        }
    }
}
