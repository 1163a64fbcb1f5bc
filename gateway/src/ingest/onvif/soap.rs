//! What is asked of a PTZ service, and what it answers: SOAP 1.2 (W3C), elements of the ONVIF PTZ service specification and of
//! `onvif.xsd`. Names are compared without their prefixes, which cameras choose freely.

use roxmltree::{Document, Node, ParsingOptions};

use super::PtzError;

/// Namespace of the service, and the beginning of its actions.
pub(super) const PTZ: &str = "http://www.onvif.org/ver20/ptz/wsdl";
/// In this space x and y are degrees; in all others that cameras use they are -1 to 1.
const DEGREES: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees";

/// Elements of an answer.
const NODES_MAX: u32 = 20_000;
const PRESETS_MAX: usize = 256;
/// Text of a fault that is told.
const FAULT_CHARS_MAX: usize = 200;

/// Where a mount points, in its own numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    pub pan: f64,
    pub tilt: f64,
    /// 0 wide, 1 far; none where the camera has no zoom.
    pub zoom: Option<f64>,
    /// Pan and tilt are degrees.
    pub is_degrees: bool,
    pub is_moving: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preset {
    /// Its token where that is a number, else its place in the list, from 1.
    pub number: i64,
    pub position: Position,
}

/// The envelope that asks for something of a profile.
pub(super) fn request(action: &str, profile: &str) -> String {
    let profile = profile.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>\
         <{action} xmlns=\"{PTZ}\"><ProfileToken>{profile}</ProfileToken></{action}></s:Body></s:Envelope>"
    )
}

pub(super) fn status(answer: &str) -> Result<Position, PtzError> {
    let document = parse(answer)?;
    let status = response(&document, "GetStatusResponse")?;
    let status = child(status, "PTZStatus").ok_or_else(|| PtzError::Answer("has no PTZStatus".into()))?;
    let position = child(status, "Position").ok_or_else(|| PtzError::Answer("tells no Position".into()))?;
    let moves = child(status, "MoveStatus").into_iter().flat_map(|moves| moves.children());
    let is_moving = moves.filter(Node::is_element).any(|part| part.text().map(str::trim) == Some("MOVING"));
    Ok(Position { is_moving, ..position_of(position)? })
}

/// Those whose position is told; the first of them where there are more than are kept.
pub(super) fn presets(answer: &str) -> Result<Vec<Preset>, PtzError> {
    let document = parse(answer)?;
    let list = response(&document, "GetPresetsResponse")?;
    let presets = list.children().filter(|node| node.tag_name().name() == "Preset").zip(1_i64..);
    let told = presets.filter_map(|(preset, place)| {
        let position = position_of(child(preset, "PTZPosition")?).ok()?;
        let number = preset.attribute("token").and_then(|token| token.trim().parse().ok()).unwrap_or(place);
        Some(Preset { number, position })
    });
    Ok(told.take(PRESETS_MAX).collect())
}

/// The reason of a fault, where the text is one.
pub(super) fn fault(answer: &str) -> Option<String> {
    let document = parse(answer).ok()?;
    let fault = document.descendants().find(|node| node.tag_name().name() == "Fault")?;
    let text = |name: &str| fault.descendants().find(|node| node.tag_name().name() == name)?.text();
    // SOAP 1.2, and 1.1 as old cameras speak it.
    let reason = text("Text").or_else(|| text("faultstring")).unwrap_or("a fault without a reason");
    Some(reason.trim().chars().take(FAULT_CHARS_MAX).collect())
}

fn parse(answer: &str) -> Result<Document<'_>, PtzError> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    Document::parse_with_options(answer, options).map_err(|error| PtzError::Answer(format!("is no XML: {error}")))
}

fn response<'a>(document: &'a Document<'a>, name: &str) -> Result<Node<'a, 'a>, PtzError> {
    let found = document.descendants().find(|node| node.tag_name().name() == name);
    found.ok_or_else(|| match fault(document.input_text()) {
        Some(reason) => PtzError::Fault(reason),
        None => PtzError::Answer(format!("is no {name}")),
    })
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| child.tag_name().name() == name)
}

fn position_of(position: Node<'_, '_>) -> Result<Position, PtzError> {
    let missing = || PtzError::Answer("has a Position without PanTilt".into());
    let part = |name: &str| position.children().find(|child| child.tag_name().name() == name);
    let pan_tilt = part("PanTilt").ok_or_else(missing)?;
    let number = |node: Node<'_, '_>, name: &str| -> Result<f64, PtzError> {
        let text = node.attribute(name).ok_or_else(missing)?;
        let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| PtzError::Answer(format!("has {name}=\"{text:.20}\", which is no number")))
    };
    Ok(Position {
        pan: number(pan_tilt, "x")?,
        tilt: number(pan_tilt, "y")?,
        zoom: part("Zoom").map(|zoom| number(zoom, "x")).transpose()?,
        is_degrees: pan_tilt.attribute("space") == Some(DEGREES),
        is_moving: false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// With the elements and spaces of the ONVIF PTZ service specification, GetStatus.
    const STATUS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema"
 xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl"><SOAP-ENV:Body><tptz:GetStatusResponse><tptz:PTZStatus>
<tt:Position><tt:PanTilt x="-0.25" y="0.5" space="http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace"/>
<tt:Zoom x="0.125" space="http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace"/></tt:Position>
<tt:MoveStatus><tt:PanTilt>IDLE</tt:PanTilt><tt:Zoom>IDLE</tt:Zoom></tt:MoveStatus>
<tt:UtcTime>2026-11-27T10:00:00Z</tt:UtcTime></tptz:PTZStatus></tptz:GetStatusResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>"#;

    const FAULT: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:ter="http://www.onvif.org/ver10/error">
<s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:InvalidArgVal</s:Value></s:Subcode></s:Code>
<s:Reason><s:Text xml:lang="en"> The requested profile token does not exist </s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"#;

    #[test]
    fn a_status_is_read_whatever_its_prefixes() {
        let expected = Position { pan: -0.25, tilt: 0.5, zoom: Some(0.125), is_degrees: false, is_moving: false };
        assert_eq!(status(STATUS).unwrap(), expected);
        assert_eq!(status(&STATUS.replace("tptz:", "ns1:").replace("xmlns:tptz", "xmlns:ns1")).unwrap(), expected);
        let moving = STATUS.replace("<tt:PanTilt>IDLE", "<tt:PanTilt>MOVING");
        assert!(status(&moving).unwrap().is_moving);
        let degrees =
            STATUS.replace("PositionGenericSpace\"/>\n<tt:Zoom", "SphericalPositionSpaceDegrees\"/>\n<tt:Zoom");
        assert!(status(&degrees).unwrap().is_degrees);
    }

    #[test]
    fn what_is_no_status_is_told() {
        for (text, expected) in [
            ("<html>", "the answer is no XML"),
            ("<a/>", "the answer is no GetStatusResponse"),
            (FAULT, "the camera says: The requested profile token does not exist"),
            (&STATUS.replace("tt:Position", "tt:Other"), "the answer tells no Position"),
            (&STATUS.replace("x=\"-0.25\"", "x=\"left\""), "the answer has x=\"left\", which is no number"),
            (&STATUS.replace("y=\"0.5\"", "y=\"NaN\""), "the answer has y=\"NaN\", which is no number"),
            (&format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{}", &STATUS[STATUS.find("<SOAP").unwrap()..]), "is no XML"),
        ] {
            let told = status(text).unwrap_err().to_string();
            assert!(told.contains(expected), "{told}");
        }
        assert_eq!(fault(STATUS), None);
        let old = "<Envelope><Body><Fault><faultstring>no</faultstring></Fault></Body></Envelope>";
        assert_eq!(fault(old).as_deref(), Some("no"));
    }

    #[test]
    fn presets_have_the_number_of_their_token_or_of_their_place() {
        let preset = |token: &str, x: &str| {
            format!(
                "<p:Preset token=\"{token}\"><t:Name>ridge</t:Name><t:PTZPosition><t:PanTilt x=\"{x}\" y=\"0\"/>\
                 </t:PTZPosition></p:Preset>"
            )
        };
        let answer = |presets: &str| {
            format!("<e xmlns:p=\"urn:p\" xmlns:t=\"urn:t\"><p:GetPresetsResponse>{presets}</p:GetPresetsResponse></e>")
        };
        // One without a position, as cameras have those that were never set.
        let all = [preset("7", "0.5"), "<p:Preset token=\"8\"/>".into(), preset("home", "-0.5")].concat();
        let found: Vec<_> = presets(&answer(&all)).unwrap().iter().map(|p| (p.number, p.position.pan)).collect();
        assert_eq!(found, [(7, 0.5), (3, -0.5)]);
        let many = (0..1_000).map(|n| preset(&n.to_string(), "0")).collect::<String>();
        assert_eq!(presets(&answer(&many)).unwrap().len(), PRESETS_MAX);
    }

    #[test]
    fn a_profile_cannot_leave_its_element() {
        let text = request("GetStatus", "a</ProfileToken><b>&");
        let document = Document::parse(&text).unwrap();
        let token = document.descendants().find(|node| node.tag_name().name() == "ProfileToken").unwrap();
        assert_eq!(token.text(), Some("a</ProfileToken><b>&"));
        assert!(document.descendants().all(|node| node.tag_name().name() != "b"));
    }

    proptest! {
        #[test]
        fn cut_and_changed_answers_do_no_harm(
            cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), with in "[<>&\"a-z/ ]{0,6}",
        ) {
            let mut text = STATUS.to_owned();
            text.truncate(cut.index(text.len()));
            let place = at.index(text.len() + 1);
            if text.is_char_boundary(place) {
                text.insert_str(place, &with);
            }
            let _ = (status(&text), presets(&text), fault(&text));
        }
    }
}
