//! A ticket as the Common Alerting Protocol says it, OASIS CAP 1.2: <http://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2-os.html>.
//!
//! Each entry of a ticket's journal that others have to know of is a message of its own: the first is the `Alert`, the one
//! that ends the work the `Cancel`, those between are `Update`s that refer to all before. Points are latitude first.

use std::fmt::Write as _;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::cloudevent;
use crate::config::{District, Severity};
use crate::nouns::{Ellipse, Ticket};

pub const NAMESPACE: &str = "urn:oasis:names:tc:emergency:cap:1.2";
pub const CONTENT_TYPE: &str = "application/cap+xml";

/// Messages that one refers to: the first and the newest.
const REFERENCES_MAX: usize = 50;
/// CAP 1.2, 3.2.2: a headline is at most about this long.
const HEADLINE_CHARS_MAX: usize = 160;
/// Corners of the polygon about an ellipse.
const CORNERS: u32 = 24;
const M_PER_DEGREE: f64 = 111_195.0;

/// An entry of the ticket's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub no: u64,
    pub at_ms: i64,
    pub what: String,
    pub note: String,
}

/// Somebody is called.
const CALLED: &str = "called";
/// What others need not know: who was called, and that somebody heard.
const UNTOLD: [&str; 3] = [CALLED, "unanswered", "acknowledge"];
/// What ends the work.
const ENDINGS: [&str; 5] = ["reject", "refuse", "decline", "merge", "close"];

/// The newest message about a ticket; none without a journal. `journal` is in order of its numbers.
pub fn message(district: &District, ticket: &Ticket, journal: &[Entry]) -> Option<String> {
    let told = told(journal);
    let message = Message::of(district, ticket, &told)?;
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
    message.write(&mut writer).ok()?;
    String::from_utf8(writer.into_inner()).ok()
}

/// What entry `no` of the journal has to tell: the message of this entry or, where somebody is called, the newest again. None
/// where it tells nothing, or where nobody may be told.
pub fn of_entry(district: &District, ticket: &Ticket, journal: &[Entry], no: u64) -> Option<String> {
    let end = journal.iter().position(|entry| entry.no == no)?;
    let until = &journal[..=end];
    let tells = told(until).last().is_some_and(|newest| newest.no == no) || until[end].what == CALLED;
    message(district, ticket, until).filter(|_| tells && !ticket.is_private)
}

/// The newest message of each ticket, as an Atom feed (RFC 4287) that links to them.
pub fn feed(district: &District, tickets: &[(Ticket, Vec<Entry>)]) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
    // Writing to memory cannot fail, and all that is written is text.
    let _ = write_feed(&mut writer, district, tickets);
    String::from_utf8(writer.into_inner()).unwrap_or_default()
}

fn write_feed(out: &mut Out, district: &District, tickets: &[(Ticket, Vec<Entry>)]) -> io::Result<()> {
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let source = cloudevent::source(&district.id);
    let journals: Vec<_> = tickets.iter().map(|(ticket, journal)| (ticket, told(journal))).collect();
    let messages: Vec<_> = journals.iter().filter_map(|(ticket, told)| Message::of(district, ticket, told)).collect();
    let newest_ms = messages.iter().map(|message| message.newest.at_ms).max().unwrap_or(0);
    out.create_element("feed").with_attribute(("xmlns", "http://www.w3.org/2005/Atom")).write_inner_content(|out| {
        text(out, "id", &format!("urn:{}:cap", source.replace('/', ":")))?;
        text(out, "title", &format!("{} CAP", if district.name.is_empty() { &district.id } else { &district.name }))?;
        text(out, "updated", &time(newest_ms))?;
        out.create_element("author").write_inner_content(|out| text(out, "name", &source))?;
        for message in &messages {
            message.write_entry(out)?;
        }
        Ok(())
    })?;
    Ok(())
}

/// What others are told of a journal: to the entry that ends the work. What comes after it (rated, archived) says nothing of
/// the danger.
fn told(journal: &[Entry]) -> Vec<&Entry> {
    let mut told: Vec<&Entry> = journal.iter().filter(|entry| !UNTOLD.contains(&entry.what.as_str())).collect();
    if let Some(end) = told.iter().position(|entry| ENDINGS.contains(&entry.what.as_str())) {
        told.truncate(end + 1);
    }
    told
}

struct Message<'a> {
    source: String,
    district: &'a District,
    ticket: &'a Ticket,
    newest: &'a Entry,
    before: &'a [&'a Entry],
    is_over: bool,
}

type Out = Writer<Vec<u8>>;

impl<'a> Message<'a> {
    fn of(district: &'a District, ticket: &'a Ticket, told: &'a [&'a Entry]) -> Option<Message<'a>> {
        let (newest, before) = told.split_last()?;
        let is_over = ENDINGS.contains(&newest.what.as_str());
        Some(Message { source: cloudevent::source(&district.id), district, ticket, newest, before, is_over })
    }

    fn write_entry(&self, out: &mut Out) -> io::Result<()> {
        let Message { ticket, newest, .. } = self;
        out.create_element("entry").write_inner_content(|out| {
            text(out, "id", &format!("urn:{}", self.identifier(newest).replace('/', ":")))?;
            text(out, "title", &self.headline())?;
            text(out, "updated", &time(newest.at_ms))?;
            text(out, "published", &time(ticket.opened_ms))?;
            out.create_element("link")
                .with_attribute(("type", CONTENT_TYPE))
                .with_attribute(("href", format!("/api/v1/tickets/{}/cap", ticket.no).as_str()))
                .write_empty()?;
            text(out, "summary", &ticket.why)
        })?;
        Ok(())
    }

    fn event(&self) -> &str {
        if self.ticket.title.trim().is_empty() { &self.ticket.rule } else { &self.ticket.title }
    }

    fn place(&self) -> &str {
        self.ticket.place.name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(&self.ticket.source)
    }

    fn headline(&self) -> String {
        format!("{}: {}", self.event(), self.place()).chars().take(HEADLINE_CHARS_MAX).collect()
    }

    fn write(&self, out: &mut Out) -> io::Result<()> {
        out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        out.create_element("alert").with_attribute(("xmlns", NAMESPACE)).write_inner_content(|out| {
            text(out, "identifier", &self.identifier(self.newest))?;
            text(out, "sender", &self.source)?;
            text(out, "sent", &time(self.newest.at_ms))?;
            text(out, "status", "Actual")?;
            let kind = match (self.is_over, self.before.is_empty()) {
                (true, _) => "Cancel",
                (false, true) => "Alert",
                (false, false) => "Update",
            };
            text(out, "msgType", kind)?;
            text(out, "scope", "Restricted")?;
            text(out, "restriction", "command centres of the district")?;
            text(out, "code", &format!("outpost:{}", self.ticket.stage.as_str()))?;
            text(out, "note", &self.newest.note)?;
            text(out, "references", &self.references())?;
            text(out, "incidents", &format!("T-{}", self.ticket.no))?;
            self.info(out)
        })?;
        Ok(())
    }

    fn info(&self, out: &mut Out) -> io::Result<()> {
        let ticket = self.ticket;
        out.create_element("info").write_inner_content(|out| {
            text(out, "language", &self.district.language)?;
            text(out, "category", category(&ticket.category))?;
            text(out, "event", self.event())?;
            let urgency = match (self.is_over, ticket.is_emergency) {
                (true, _) => "Past",
                (false, true) => "Immediate",
                (false, false) => "Expected",
            };
            text(out, "urgency", urgency)?;
            text(out, "severity", severity(ticket.severity))?;
            let certainty = match ticket.confidence.as_ref().map(|confidence| confidence.share) {
                None => "Observed",
                Some(share) if share > 0.5 => "Likely",
                Some(_) => "Possible",
            };
            text(out, "certainty", certainty)?;
            named(out, "eventCode", "outpost:category", &ticket.category)?;
            text(out, "onset", &time(ticket.opened_ms))?;
            if !self.is_over && ticket.stage.is_timed() && ticket.whole.left_ms.is_none() {
                text(out, "expires", &time(ticket.whole.due_ms))?;
            }
            text(out, "senderName", &self.district.name)?;
            text(out, "headline", &self.headline())?;
            text(out, "description", &ticket.why)?;
            named(out, "parameter", "outpost:ticket", &format!("T-{}", ticket.no))?;
            named(out, "parameter", "outpost:centre", &ticket.centre)?;
            named(out, "parameter", "outpost:source", &ticket.source)?;
            self.area(out)
        })?;
        Ok(())
    }

    fn area(&self, out: &mut Out) -> io::Result<()> {
        out.create_element("area").write_inner_content(|out| {
            text(out, "areaDesc", self.place())?;
            let error = self.ticket.place.sight.as_ref().and_then(|sight| sight.error);
            match (self.ticket.place.point, error) {
                (Some(point), Some(error)) => text(out, "polygon", &polygon(point, error))?,
                (Some((lon, lat)), None) => {
                    let radius_km = self.ticket.place.accuracy_m.unwrap_or_default() / 1_000.0;
                    text(out, "circle", &format!("{lat:.6},{lon:.6} {radius_km}"))?;
                }
                (None, _) => {}
            }
            let grids = self.ticket.place.sight.iter().flat_map(|sight| &sight.grids);
            for id in grids.chain(&self.ticket.fence) {
                named(out, "geocode", "outpost:fence", id)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    fn identifier(&self, entry: &Entry) -> String {
        format!("{}/T-{}/{}", self.source, self.ticket.no, entry.no)
    }

    /// Sender, identifier and time of the messages before, oldest first.
    fn references(&self) -> String {
        let newest = self.before.len().saturating_sub(REFERENCES_MAX - 1).max(1);
        let entries = self.before.iter().take(1).chain(self.before.iter().skip(newest));
        let reference = |entry: &&Entry| format!("{},{},{}", self.source, self.identifier(entry), time(entry.at_ms));
        entries.map(reference).collect::<Vec<_>>().join(" ")
    }
}

/// Nothing where there is nothing to say: no element of CAP is empty.
fn text(out: &mut Out, name: &str, said: &str) -> io::Result<()> {
    let said: String = said.chars().filter(|c| is_xml(*c)).collect();
    if !said.trim().is_empty() {
        out.create_element(name).write_text_content(BytesText::new(&said))?;
    }
    Ok(())
}

fn named(out: &mut Out, element: &str, name: &str, value: &str) -> io::Result<()> {
    if value.is_empty() {
        return Ok(());
    }
    out.create_element(element).write_inner_content(|out| {
        text(out, "valueName", name)?;
        text(out, "value", value)
    })?;
    Ok(())
}

/// XML 1.0, production 2: what no document may hold, escaped or not.
pub fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// CAP 1.2, 3.3.2: whole seconds, and UTC is `-00:00`, never `Z`.
fn time(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S-00:00").to_string()
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Minor => "Minor",
        Severity::Moderate => "Moderate",
        Severity::Severe => "Severe",
        Severity::Extreme => "Extreme",
    }
}

/// By the first level of ours.
fn category(ours: &str) -> &'static str {
    match ours.split('/').next().unwrap_or_default() {
        "geo" => "Geo",
        "met" | "weather" | "flood" => "Met",
        "safety" => "Safety",
        "security" | "intrusion" => "Security",
        "rescue" => "Rescue",
        "fire" => "Fire",
        "health" => "Health",
        "env" | "waste" | "water" => "Env",
        "transport" | "traffic" => "Transport",
        "infra" | "underground" | "industry" => "Infra",
        _ => "Other",
    }
}

/// Two standard deviations about a point, closed, latitude first.
fn polygon((lon, lat): (f64, f64), error: Ellipse) -> String {
    let (bearing, shrink) = (error.bearing_deg.to_radians(), lat.to_radians().cos().max(0.01));
    let mut out = String::new();
    for corner in 0..=CORNERS {
        let angle = f64::from(corner % CORNERS) * std::f64::consts::TAU / f64::from(CORNERS);
        let (along_m, across_m) = (2.0 * error.major_m * angle.cos(), 2.0 * error.minor_m * angle.sin());
        let north_m = along_m * bearing.cos() - across_m * bearing.sin();
        let east_m = along_m * bearing.sin() + across_m * bearing.cos();
        let (lat, lon) = (lat + north_m / M_PER_DEGREE, lon + east_m / M_PER_DEGREE / shrink);
        let gap = if corner == 0 { "" } else { " " };
        // Writing to a String cannot fail.
        let _ = write!(out, "{gap}{lat:.6},{lon:.6}");
    }
    out
}
