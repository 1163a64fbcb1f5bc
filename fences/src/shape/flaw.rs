//! What can be wrong with a shape, where, and what to do about it.

use std::fmt;

use super::{RINGS_MAX, VERTICES_MAX};
use crate::point::Point;

/// Same flaws of one shape that are listed; the first few are enough to find the rest.
const SAME_KIND_MAX: usize = 3;

/// Something wrong at a place of a shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Flaw {
    /// What is wrong.
    pub kind: FlawKind,
    /// Where.
    pub place: Place,
}

/// Whether a shape can be used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The shape cannot be used and is left out.
    Fatal,
    /// The shape is used; what was odd was mended or does no harm.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Fatal => "fatal",
            Severity::Note => "harmless",
        })
    }
}

/// Where in a shape: indices as in GeoJSON's `coordinates`, from 0, and the position itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Place {
    /// Part of a MultiPolygon.
    pub polygon: Option<usize>,
    /// 0 is the shell, the others are holes.
    pub ring: Option<usize>,
    /// Of an edge, the vertex at which it begins.
    pub vertex: Option<usize>,
    /// Longitude and latitude of the flaw: of the vertex, or of the spot where edges meet.
    pub at: Option<[f64; 2]>,
}

/// What can be wrong with a shape.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it means in its message")]
pub enum FlawKind {
    #[error("there is no ring")]
    NoRing,
    #[error("it has more than {VERTICES_MAX} vertices")]
    TooManyVertices,
    #[error("it has more than {RINGS_MAX} rings")]
    TooManyRings,
    #[error("the position is not finite or out of range")]
    OutOfRange,
    #[error("longitude and latitude seem swapped")]
    Swapped,
    #[error("the position seems to be in metres, not degrees")]
    Metres,
    #[error("the ring is not closed: its last position is not its first")]
    Unclosed,
    #[error("the position repeats the one before it")]
    Repeated,
    #[error("the ring has {n} different positions one after the other, of at least 3")]
    TooFewPoints { n: usize },
    #[error("the ring has no area")]
    ZeroArea,
    #[error("the holes leave no area")]
    HolesLeaveNothing,
    #[error("the ring crosses itself: the edges that begin at its vertices {first} and {second}")]
    SelfCrossing { first: usize, second: usize },
    #[error("the ring runs along itself: the edges that begin at its vertices {first} and {second}")]
    SelfOverlap { first: usize, second: usize },
    #[error("the ring crosses ring {other} of its polygon")]
    RingsCross { other: usize },
    #[error("the hole is outside its shell")]
    HoleOutside,
    #[error("the hole overlaps hole {other} of its polygon")]
    HolesOverlap { other: usize },
    #[error("its edges overlap each other too much to be checked")]
    TooIntricate,
    #[error("the ring touches itself")]
    TouchesItself,
    #[error("the ring runs back along itself")]
    FoldsBack,
    #[error("the part crosses part {other}")]
    PartsCross { other: usize },
    #[error("the radius is {radius_m} m")]
    BadRadius { radius_m: f64 },
    #[error("the width is {width_m} m")]
    BadWidth { width_m: f64 },
    #[error("the line has {n} different positions one after the other, of at least 2")]
    ShortPath { n: usize },
    #[error("the edge spans more than 180 degrees of longitude")]
    LongEdge,
    #[error("it lies across the antimeridian")]
    Across,
}

impl FlawKind {
    /// Whether the shape can be used all the same.
    pub fn severity(&self) -> Severity {
        match self {
            FlawKind::Repeated
            | FlawKind::TouchesItself
            | FlawKind::FoldsBack
            | FlawKind::PartsCross { .. }
            | FlawKind::LongEdge
            | FlawKind::Across => Severity::Note,
            _ => Severity::Fatal,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            FlawKind::NoRing => "a polygon is a list of rings, its shell first",
            FlawKind::TooManyVertices => "simplify it, or divide it into several features",
            FlawKind::TooManyRings => "divide it into several features",
            FlawKind::OutOfRange => "longitude is -180 to 180, latitude -90 to 90, in WGS-84 degrees",
            FlawKind::Swapped => "GeoJSON writes [longitude, latitude]",
            FlawKind::Metres => "export it in WGS-84 (EPSG:4326) longitude and latitude",
            FlawKind::Unclosed => "repeat the first position at the end, and check that no vertex is lost",
            FlawKind::Repeated => "counted once",
            FlawKind::TooFewPoints { .. } => "a ring has at least three corners and its first position again",
            FlawKind::ZeroArea => "its corners lie on one line or on one spot: draw it again",
            FlawKind::HolesLeaveNothing => "delete the holes, or draw them smaller",
            FlawKind::SelfCrossing { .. } => "put the vertices in the order in which one walks the border",
            FlawKind::SelfOverlap { .. } => "the border is drawn twice there: keep one",
            FlawKind::RingsCross { .. } => "move the hole inside the shell and off other holes",
            FlawKind::HoleOutside => "move it inside, or make it a polygon of its own",
            FlawKind::HolesOverlap { .. } => "make them one hole",
            FlawKind::TooIntricate => "simplify it, or divide it into several features",
            FlawKind::TouchesItself => "used as it is; an area joined at one point is better two polygons",
            FlawKind::FoldsBack => "used as it is; the stretch encloses nothing",
            FlawKind::PartsCross { .. } => "used as it is; a point in both is inside once",
            FlawKind::BadRadius { .. } => "a radius is a positive number of metres, at most 1000 km",
            FlawKind::BadWidth { .. } => "a width is a positive number of metres, at most 200 km",
            FlawKind::ShortPath { .. } => "a line has a beginning and an end: draw it again",
            FlawKind::Across => "cut there in two parts",
            FlawKind::LongEdge => "used as it is; a fence across the antimeridian must be cut there in two",
        }
    }
}

impl Flaw {
    /// Of two numbers that are no [`Point`].
    pub(crate) fn of_position(lon: f64, lat: f64) -> Flaw {
        Flaw { kind: why_no_point(lon, lat), place: Place { at: Some([lon, lat]), ..Place::default() } }
    }

    /// The shape cannot be used.
    pub fn is_fatal(&self) -> bool {
        self.kind.severity() == Severity::Fatal
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.kind, self.kind.hint())
    }
}

impl std::error::Error for Flaw {}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "coordinates")?;
        for index in [self.polygon, self.ring, self.vertex].into_iter().flatten() {
            write!(f, "[{index}]")?;
        }
        match self.at {
            // Seven decimals are a centimetre; huge values are shortest as they are.
            Some([lon, lat]) if lon.abs() <= 1e6 && lat.abs() <= 1e6 => write!(f, " at {lon:.7},{lat:.7}"),
            Some([lon, lat]) => write!(f, " at {lon:e},{lat:e}"),
            None => Ok(()),
        }
    }
}

/// Which mistake a position out of range seems to be.
pub(crate) fn why_no_point(lon: f64, lat: f64) -> FlawKind {
    if Point::new(lat, lon).is_some() {
        FlawKind::Swapped
    } else if lon.is_finite() && lat.is_finite() && lon.abs() > 1_000.0 && lat.abs() > 1_000.0 {
        FlawKind::Metres
    } else {
        FlawKind::OutOfRange
    }
}

/// The flaws of one shape, in the order found and bounded.
#[derive(Debug, Default)]
pub(crate) struct Flaws {
    list: Vec<Flaw>,
}

impl Flaws {
    pub(crate) fn push(&mut self, kind: FlawKind, place: Place) {
        let mut same = self.list.iter().filter(|f| std::mem::discriminant(&f.kind) == std::mem::discriminant(&kind));
        // A corner that lies on an edge is a contact with each of the corner's two edges: one spot, one flaw.
        let is_known = same.clone().any(|f| place.at.is_some() && f.place.at == place.at);
        if is_known || same.nth(SAME_KIND_MAX - 1).is_some() {
            return;
        }
        self.list.push(Flaw { kind, place });
    }

    pub(crate) fn any_fatal(&self) -> bool {
        self.list.iter().any(Flaw::is_fatal)
    }

    pub(crate) fn into_list(self) -> Vec<Flaw> {
        self.list
    }
}
