//! What could not be read: its place, its reason, and the buffer that a caller reuses from message to message.
//! Knows nothing of formats.

use std::fmt::{self, Write};
use std::sync::Arc;

use outpost_detectors::observation::Observation;

use super::Arrival;
use super::pointer::Slot;

/// Longest place text: it holds excerpts of what came from outside.
pub const PLACE_BYTES_MAX: usize = 200;
/// Rejects of one message that are told in words; further ones are only counted.
pub const REJECTS_LISTED_MAX: usize = 16;

/// Something in a message that is not an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Feed that should have read it; none where no feed takes the topic.
    pub feed: Option<Arc<str>>,
    pub source: Option<Arc<str>>,
    /// Where and what, e.g. `/values/3/v: expected a number, found text`.
    pub place: String,
    pub reason: RejectReason,
}

/// A message that a device waits for, to the broker that the payload came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub topic: String,
    pub payload: Vec<u8>,
}

/// Why, in the words of metrics and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectReason {
    /// Not JSON at all, or not to its end.
    NotJson,
    /// Not CBOR at all, or not to its end.
    NotCbor,
    /// Not a protobuf message.
    NotProtobuf,
    /// A value of another type than the mapping says.
    WrongType,
    /// Nothing is there, or null.
    Missing,
    /// NaN, an infinity, or a number beyond 64 bits.
    NotFinite,
    /// A number that is none of that: a latitude of 91, a SenML version of the future.
    OutOfRange,
    /// Not a time, or one that cannot be: 1970, 9999.
    BadTime,
    /// Not UTF-8, or text that cannot be a name or a number.
    BadText,
    TooDeep,
    TooLarge,
    /// Rows of different lengths, a frame of another size, a pack that is not a list.
    BadShape,
    UnknownUnit,
    UnknownTopic,
    /// More names than `pipeline.sources_max`.
    TooManySources,
    /// Cannot be read without a birth that was not heard (Sparkplug).
    NoBirth,
    /// Messages are missing before this one (Sparkplug).
    SequenceGap,
    /// A device announces itself that the feed does not allow (Home Assistant).
    NotAllowed,
    /// No radiometric picture: another kind of file, or a broken one.
    NotRadiometric,
    /// A template that cannot be used, or fails on a payload (Home Assistant).
    BadTemplate,
}

/// What decoding gave, appended message by message; `clear` keeps the memory.
#[derive(Debug, Default)]
pub struct Decoded {
    pub observations: Vec<Observation>,
    pub rejects: Vec<Reject>,
    /// Rejects that are not in `rejects`, because their messages had more than [`REJECTS_LISTED_MAX`].
    pub n_rejects_unlisted: u64,
    /// Facts that were understood and are no observations: text values, other OwnTracks types, absent optional ones.
    pub n_ignored: u64,
    /// What devices are to be asked, at most one thing per message. Nobody has to.
    pub requests: Vec<Request>,
    /// Working memory of the readers, kept between messages.
    pub(super) slots: Vec<Slot>,
    pub(super) text: String,
    n_listed: usize,
}

impl Decoded {
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets what was decoded and keeps the memory.
    pub fn clear(&mut self) {
        self.observations.clear();
        self.rejects.clear();
        self.n_rejects_unlisted = 0;
        self.n_ignored = 0;
        self.requests.clear();
    }

    pub fn n_rejected(&self) -> u64 {
        self.rejects.len() as u64 + self.n_rejects_unlisted
    }

    pub(super) fn begin_message(&mut self) {
        self.n_listed = 0;
    }

    pub(super) fn push_reject(&mut self, mut reject: Reject) {
        if self.n_listed >= REJECTS_LISTED_MAX {
            self.n_rejects_unlisted += 1;
            return;
        }
        self.n_listed += 1;
        shorten(&mut reject.place);
        self.rejects.push(reject);
    }

    pub(super) fn reject(&mut self, arrival: &Arrival<'_>, reason: RejectReason, place: fmt::Arguments<'_>) {
        if self.n_listed >= REJECTS_LISTED_MAX {
            self.n_rejects_unlisted += 1;
            return;
        }
        self.push_reject(Reject {
            feed: Some(arrival.feed.clone()),
            source: Some(arrival.source.clone()),
            place: bounded(place),
            reason,
        });
    }
}

impl RejectReason {
    pub const ALL: [RejectReason; 20] = [
        RejectReason::NotJson,
        RejectReason::NotCbor,
        RejectReason::NotProtobuf,
        RejectReason::WrongType,
        RejectReason::Missing,
        RejectReason::NotFinite,
        RejectReason::OutOfRange,
        RejectReason::BadTime,
        RejectReason::BadText,
        RejectReason::TooDeep,
        RejectReason::TooLarge,
        RejectReason::BadShape,
        RejectReason::UnknownUnit,
        RejectReason::UnknownTopic,
        RejectReason::TooManySources,
        RejectReason::NoBirth,
        RejectReason::SequenceGap,
        RejectReason::NotAllowed,
        RejectReason::NotRadiometric,
        RejectReason::BadTemplate,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            RejectReason::NotJson => "not_json",
            RejectReason::NotCbor => "not_cbor",
            RejectReason::NotProtobuf => "not_protobuf",
            RejectReason::WrongType => "wrong_type",
            RejectReason::Missing => "missing",
            RejectReason::NotFinite => "not_finite",
            RejectReason::OutOfRange => "out_of_range",
            RejectReason::BadTime => "bad_time",
            RejectReason::BadText => "bad_text",
            RejectReason::TooDeep => "too_deep",
            RejectReason::TooLarge => "too_large",
            RejectReason::BadShape => "bad_shape",
            RejectReason::UnknownUnit => "unknown_unit",
            RejectReason::UnknownTopic => "unknown_topic",
            RejectReason::TooManySources => "too_many_sources",
            RejectReason::NoBirth => "no_birth",
            RejectReason::SequenceGap => "sequence_gap",
            RejectReason::NotAllowed => "not_allowed",
            RejectReason::NotRadiometric => "not_radiometric",
            RejectReason::BadTemplate => "bad_template",
        }
    }
}

/// An excerpt of outside text that is safe to log: one line, escaped, short.
pub(super) fn excerpt(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    let mut short: String = text.chars().take(CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}

/// Formats at most [`PLACE_BYTES_MAX`] bytes, however much there would be.
pub(super) fn bounded(place: fmt::Arguments<'_>) -> String {
    struct Bounded(String);
    impl Write for Bounded {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            if self.0.len() > PLACE_BYTES_MAX {
                return Ok(());
            }
            self.0.push_str(&text[..boundary(text, PLACE_BYTES_MAX + 4)]);
            Ok(())
        }
    }
    let mut text = Bounded(String::new());
    // Writing to memory cannot fail; a formatter of ours that did would only leave the text shorter.
    let _ = text.write_fmt(place);
    shorten(&mut text.0);
    text.0
}

fn shorten(place: &mut String) {
    if place.len() > PLACE_BYTES_MAX {
        place.truncate(boundary(place, PLACE_BYTES_MAX - '…'.len_utf8()));
        place.push('…');
    }
}

/// The last character boundary that is not beyond `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_short_whatever_came() {
        let long = "管".repeat(10_000);
        let place = bounded(format_args!("/a: {long} {long}"));
        assert!(place.len() <= PLACE_BYTES_MAX && place.ends_with('…'), "{place}");
        assert!(excerpt("a\nb").eq("a\\nb"));
        assert!(excerpt(&long).chars().count() == 41);
    }

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        let mut names: Vec<_> = RejectReason::ALL.iter().map(|reason| reason.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RejectReason::ALL.len());
    }
}
