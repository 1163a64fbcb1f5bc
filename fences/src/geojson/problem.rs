//! What can be wrong with a GeoJSON text, in which feature, and what to do about it.

use std::fmt;

use super::{FEATURE_BYTES_MAX, FEATURES_MAX, ID_CHARS_MAX, TEXT_BYTES_MAX};
use crate::shape::{Flaw, FlawKind, Place, Severity};

/// Something wrong in a text. Printed, it is one line: feature, place, what, hint.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// `None` where it is the text's.
    pub feature: Option<Label>,
    /// `None` where it is not in the coordinates.
    pub place: Option<Place>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What to call a feature in a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Label {
    /// From 0, in a FeatureCollection.
    pub index: Option<usize>,
    /// From 1, in well-known text.
    pub line: Option<usize>,
    /// As written.
    pub id: Option<String>,
    /// As written.
    pub name: Option<String>,
}

/// What can be wrong with a text.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it means in its message")]
pub enum ProblemKind {
    #[error("the text has {n_bytes} bytes of at most {TEXT_BYTES_MAX}")]
    TextTooLong { n_bytes: usize },
    #[error("it is not JSON: {reason}")]
    NotJson { reason: String },
    #[error("it is not GeoJSON: {found}")]
    NotGeoJson { found: String },
    #[error("it has {n} features of at most {FEATURES_MAX}: the further ones are left out")]
    TooManyFeatures { n: usize },
    #[error("the file says that its coordinate system is {crs}")]
    ForeignCrs { crs: String },
    #[error("{n} further {severity} problems are not listed")]
    FurtherProblems { n: usize, severity: Severity },
    #[error("the feature has {n_bytes} bytes of at most {FEATURE_BYTES_MAX}")]
    FeatureTooLong { n_bytes: usize },
    #[error("the feature cannot be read: {reason}")]
    Unreadable { reason: String },
    #[error("it is not a Feature but {found}")]
    NotAFeature { found: String },
    #[error("the feature has no geometry")]
    NoGeometry,
    #[error("{geometry} is not a kind of fence")]
    Unsupported { geometry: String },
    #[error("the geometry is a Point and the feature has no radius")]
    NoRadius,
    #[error("the {name} is {found}, not a number")]
    NotAMeasure { name: &'static str, found: String },
    #[error("the {name} is {found}, neither true nor false")]
    NotYesOrNo { name: &'static str, found: String },
    #[error("a rectangle is two corners, and these are {n}")]
    NotTwoCorners { n: usize },
    #[error("it is not well-known text: {reason}")]
    NotWkt { reason: String },
    #[error("the coordinates are not nested as those of a {geometry}")]
    Nesting { geometry: &'static str },
    #[error("the position is not two numbers")]
    NotAPosition,
    #[error("the feature has no id: it is called {given:?}")]
    NoId { given: String },
    #[error("the id is longer than {ID_CHARS_MAX} characters or has control characters")]
    BadId,
    #[error("an earlier feature has the same id")]
    DuplicateId,
    #[error("{0}")]
    Flaw(FlawKind),
}

impl Problem {
    /// Whether the feature is left out.
    pub fn severity(&self) -> Severity {
        match &self.kind {
            ProblemKind::ForeignCrs { .. } | ProblemKind::NoId { .. } => Severity::Note,
            ProblemKind::FurtherProblems { severity, .. } => *severity,
            ProblemKind::Flaw(kind) => kind.severity(),
            _ => Severity::Fatal,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        if self.feature.as_ref().is_some_and(|label| label.line.is_some())
            && let Some(hint) = self.wkt_hint()
        {
            return hint;
        }
        match &self.kind {
            ProblemKind::TextTooLong { .. } => "divide it into several files",
            ProblemKind::NotJson { .. } => "write it with a GIS, or check it with a JSON checker",
            ProblemKind::NotGeoJson { .. } => "it must be a FeatureCollection, a Feature or a geometry",
            ProblemKind::TooManyFeatures { .. } => "divide it into several files",
            ProblemKind::ForeignCrs { .. } => "read as WGS-84 all the same: export it in WGS-84 (EPSG:4326)",
            ProblemKind::FurtherProblems { .. } => "mend those that are listed first",
            ProblemKind::FeatureTooLong { .. } => "simplify it, or divide it into several features",
            ProblemKind::Unreadable { .. } => "write the feature again with a GIS",
            ProblemKind::NotAFeature { .. } => r#"wrap it: {"type":"Feature","properties":{"id":"…"},"geometry":…}"#,
            ProblemKind::NoGeometry => "draw its area, or delete the feature",
            ProblemKind::Unsupported { .. } => {
                "use a Polygon, a MultiPolygon, a Point with radius_m, or a LineString with or without width_m"
            }
            ProblemKind::NoRadius => r#"give it "radius_m", in metres, in "properties": it is then a circle"#,
            ProblemKind::NotAMeasure { .. } => "write metres as a number, without quotes or unit",
            ProblemKind::NotYesOrNo { .. } => "write true or false, without quotes",
            ProblemKind::NotTwoCorners { .. } => "write its south-western corner and its north-eastern one",
            ProblemKind::NotWkt { .. } => "write POLYGON ((106.04 29.84, …)), longitude first, one geometry a line",
            ProblemKind::Nesting { .. } => {
                "a Polygon is [ring, …], a MultiPolygon [[ring, …], …], and a ring [[longitude, latitude], …]"
            }
            ProblemKind::NotAPosition => "a position is [longitude, latitude]; NaN, null and text are none",
            ProblemKind::NoId { .. } => r#"rules name fences by id: give it "id" in "properties""#,
            ProblemKind::BadId => "rules name fences by id: use a short word or code",
            ProblemKind::DuplicateId => "rules name fences by id: give each its own",
            ProblemKind::Flaw(kind) => kind.hint(),
        }
    }

    /// What is to be done otherwise in well-known text.
    fn wkt_hint(&self) -> Option<&'static str> {
        Some(match &self.kind {
            ProblemKind::NoRadius => "write RADIUS and metres after it: it is then a circle",
            ProblemKind::NoId { .. } => "rules name fences by id: write it before the geometry, and a tab",
            ProblemKind::Flaw(FlawKind::Swapped) => "well-known text has longitude before latitude",
            _ => return None,
        })
    }

    /// The feature is left out.
    pub fn is_fatal(&self) -> bool {
        self.severity() == Severity::Fatal
    }

    pub(super) fn of_text(kind: ProblemKind) -> Problem {
        Problem { feature: None, place: None, kind }
    }

    pub(super) fn of_feature(label: &Label, kind: ProblemKind) -> Problem {
        Problem { feature: Some(label.clone()), place: None, kind }
    }

    pub(super) fn of_flaw(label: &Label, flaw: Flaw) -> Problem {
        Problem { place: Some(flaw.place), ..Problem::of_feature(label, ProblemKind::Flaw(flaw.kind)) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = &self.feature {
            write!(f, "{label}: ")?;
        }
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}: {}", self.kind, self.hint())
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.index) {
            (Some(line), _) => write!(f, "line {line}")?,
            (None, Some(index)) => write!(f, "features[{index}]")?,
            (None, None) => write!(f, "feature")?,
        }
        if let Some(id) = &self.id {
            write!(f, " {id:?}")?;
        }
        match &self.name {
            Some(name) if Some(name) != self.id.as_ref() => write!(f, " ({name:?})"),
            _ => Ok(()),
        }
    }
}
