//! An alert: a condition that is on, one per key at a time, with the reason why.

use std::borrow::Cow;
use std::sync::Arc;

use ndarray::Array2;
use outpost_detectors::hotspot::Region;
use outpost_detectors::observation::Blob;

use super::{Confidence, Exhibit};
use crate::config::Severity;

/// One alert may be open per key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AlertKey {
    pub rule: Arc<str>,
    pub source: Arc<str>,
    /// Map fence or picture zone, where the rule names one.
    pub fence: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Made from the key and `since_at_ms`, so that the same facts give the same id in every run.
    pub id: Arc<str>,
    pub key: AlertKey,
    /// What operators call the rule.
    pub name: Arc<str>,
    pub severity: Severity,
    pub category: Arc<str>,
    /// Device time since when the condition has held.
    pub since_at_ms: i64,
    /// Gateway time at which the alert opened.
    pub opened_ms: i64,
    pub place: Place,
    pub why: Why,
    /// The picture that shows it, where there is one.
    pub snapshot: Option<SnapshotAsk>,
    /// Pictures around it, in order of time.
    pub exhibits: Vec<Exhibit>,
    /// Where other cameras may know better.
    pub confidence: Option<Confidence>,
    /// The visible camera that is to be looked through.
    pub visible: Option<Arc<str>>,
}

/// An alert that is on, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnAlert {
    pub id: Arc<str>,
    pub rule: Arc<str>,
    pub source: Arc<str>,
}

/// Where it is: a point, a name, both or neither.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Place {
    pub name: Option<Arc<str>>,
    /// Longitude and latitude, WGS-84 degrees.
    pub point: Option<(f64, f64)>,
    /// How far off the point may be, as whoever told it says.
    pub accuracy_m: Option<f64>,
    /// How a camera sees it, where one does.
    pub sight: Option<Box<Sight>>,
}

/// What a camera on a high point sees, on the map. Degrees; bearings clockwise from true north; errors are one standard
/// deviation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sight {
    pub bearing_deg: f64,
    pub bearing_error_deg: f64,
    /// None where the line of sight meets no ground: then the point is the camera's own.
    pub distance_m: Option<f64>,
    pub error: Option<Ellipse>,
    /// The grid that owns the point, then its neighbours within twice the error.
    pub grids: Vec<Arc<str>>,
    /// The ground was taken for flat: no terrain is known.
    pub is_flat: bool,
}

/// Half axes of the ellipse that the point is in, and the bearing of the larger one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipse {
    pub major_m: f64,
    pub minor_m: f64,
    pub bearing_deg: f64,
}

/// The answer to "why did this fire": one sentence and the figures behind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Why {
    pub text: String,
    pub figures: Vec<Figure>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    pub name: Cow<'static, str>,
    pub value: f64,
    pub unit: Option<Arc<str>>,
}

/// What is to be drawn as the alert's evidence.
#[derive(Debug, Clone, PartialEq)]
pub enum SnapshotAsk {
    /// A picture of its camera, the first of these that is still kept, with the outlines of zones and lines. The last of them is
    /// the one in which the alert opened.
    Camera { shots: Vec<Shot>, zones: Vec<Vec<[f32; 2]>> },
    /// The picture of its camera that came last; there may never have been one.
    Last,
    /// Degrees Celsius by row and column.
    Heat { celsius: Arc<Array2<f32>>, regions: Vec<Region> },
}

/// A picture by its number, and the boxes to draw on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot {
    pub picture: u64,
    pub boxes: Vec<Blob>,
}

/// Another source sees what an open alert is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    pub id: Arc<str>,
    pub source: Arc<str>,
    /// Where it is by all that see it.
    pub place: Option<Place>,
    /// What it shows there.
    pub exhibits: Vec<Exhibit>,
    pub visible: Option<Arc<str>>,
}

/// The end of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Cleared {
    pub id: Arc<str>,
    pub key: AlertKey,
    pub cleared_ms: i64,
    pub why: String,
}

/// State of one rule for one source, as its detector wrote it: JSON, or empty when there is nothing to remember.
#[derive(Debug, Clone, PartialEq)]
pub struct StateRow {
    pub rule: Arc<str>,
    pub source: Arc<str>,
    pub state: String,
}

impl AlertKey {
    /// `A-` and 16 hex digits of SHA-256 over the key, the device time since when the condition holds, and how
    /// many alerts the key has had: the same facts give the same id in every run.
    pub fn alert_id(&self, since_at_ms: i64, n_alerts: u64) -> Arc<str> {
        use sha2::{Digest, Sha256};
        use std::fmt::Write;
        let mut hash = Sha256::new();
        for part in [&*self.rule, &*self.source, self.fence.as_deref().unwrap_or("")] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.update(since_at_ms.to_be_bytes());
        hash.update(n_alerts.to_be_bytes());
        let mut id = String::with_capacity(18);
        id.push_str("A-");
        for byte in &hash.finalize()[..8] {
            let _ = write!(id, "{byte:02x}");
        }
        id.into()
    }
}
