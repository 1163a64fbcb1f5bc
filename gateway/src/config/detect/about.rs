//! What can be said of every kind of detector alike.

use super::{Detect, Things};
use crate::config::FenceNames;

impl Detect {
    /// Metric and unit of a kind that judges readings.
    pub fn reading(&self) -> Option<(&str, Option<&str>)> {
        match self {
            Detect::Threshold { metric, unit, .. }
            | Detect::Rate { metric, unit, .. }
            | Detect::Stuck { metric, unit, .. }
            | Detect::NOfM { metric, unit, .. }
            | Detect::Count { metric, unit, .. }
            | Detect::Deviation { metric, unit, .. }
            | Detect::Anomaly { metric, unit, .. } => Some((metric, unit.as_deref())),
            _ => None,
        }
    }

    /// The fences that it is about; none where it is about none, or about a line of its own.
    pub fn fences(&self) -> Option<&FenceNames> {
        match self {
            Detect::Enter { fence, .. }
            | Detect::Exit { fence, .. }
            | Detect::Inside { fence, .. }
            | Detect::Outside { fence, .. }
            | Detect::Speeding { fence, .. } => Some(fence),
            Detect::Cross { fence, .. } | Detect::Dwell { fence, .. } => fence.as_ref(),
            _ => None,
        }
    }

    /// Whether its fences are lines, and not areas.
    pub fn is_about_lines(&self) -> bool {
        matches!(self, Detect::Cross { .. })
    }

    /// Whether it judges positions on the map.
    pub fn is_about_movement(&self) -> bool {
        matches!(
            self,
            Detect::Enter { .. }
                | Detect::Exit { .. }
                | Detect::Inside { .. }
                | Detect::Outside { .. }
                | Detect::Cross { .. }
                | Detect::Dwell { .. }
                | Detect::Speeding { .. }
                | Detect::Approach { .. }
        )
    }

    /// Whether it judges a camera's pictures, or that there are none.
    pub fn is_about_pictures(&self) -> bool {
        matches!(self, Detect::Dark { .. } | Detect::Sight { .. }) || self.things().is_some()
    }

    /// Which things in a camera's picture count, for a kind that looks at things.
    pub fn things(&self) -> Option<&Things> {
        match self {
            Detect::Intrusion { things, .. }
            | Detect::Loitering { things, .. }
            | Detect::Crowd { things, .. }
            | Detect::LineCrossing { things, .. }
            | Detect::Counting { things, .. }
            | Detect::WrongWay { things, .. }
            | Detect::ObjectLeft { things, .. }
            | Detect::ObjectRemoved { things, .. } => Some(things),
            _ => None,
        }
    }

    /// The zone of the camera's picture that it names.
    pub fn zone(&self) -> Option<&str> {
        match self {
            Detect::Intrusion { zone, .. }
            | Detect::Loitering { zone, .. }
            | Detect::Crowd { zone, .. }
            | Detect::ObjectLeft { zone, .. }
            | Detect::ObjectRemoved { zone, .. } => Some(zone),
            Detect::WrongWay { zone, .. } => zone.as_deref(),
            _ => None,
        }
    }

    /// The line in the camera's picture that it names, and the key that does.
    pub fn line(&self) -> Option<(&'static str, &str)> {
        match self {
            Detect::LineCrossing { line, .. } | Detect::Counting { line, .. } => Some(("line", line)),
            Detect::WrongWay { along, .. } => Some(("along", along)),
            _ => None,
        }
    }
}
