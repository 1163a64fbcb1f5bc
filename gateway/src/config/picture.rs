//! What cameras and rules say of pictures: zones, lines, the ground, and which things count.

use serde::{Deserialize, Deserializer, Serialize};

/// A polygon in the picture: x right, y down, 0..1.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    pub id: String,
    pub polygon: Vec<[f32; 2]>,
    /// Where decoders have no time for all cameras on which something moves, those with an important zone come first.
    #[serde(default)]
    pub important: bool,
}

/// A way in the picture from its first point to its last: x right, y down, 0..1.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureLine {
    pub id: String,
    pub points: Vec<[f32; 2]>,
}

/// A place in the picture and where it is on the map.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroundPair {
    /// x right, y down, 0..1.
    pub at: [f64; 2],
    /// Longitude and latitude, WGS-84.
    pub place: [f64; 2],
}

/// Least area of who comes, as a share of the picture.
const COMES_AREA_MIN: f32 = 0.002;
/// …and of what is carried and left: a bag of 0.5 by 0.4 m beside a person of 1.7 by 0.5 m is a quarter.
const CARRIED_AREA_MIN: f32 = COMES_AREA_MIN / 4.0;

/// Which things in a picture count, by their size and by how they are in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(from = "Given")]
pub struct Things {
    /// Least and greatest moving area, as a share of the picture.
    pub min_area: f32,
    pub max_area: f32,
    /// Least and greatest width and height in pixels.
    pub min_px: Option<[u32; 2]>,
    pub max_px: Option<[u32; 2]>,
    /// Least and greatest width and height in metres, where the camera has its `ground`.
    pub min_m: Option<[f64; 2]>,
    pub max_m: Option<[f64; 2]>,
    /// In a zone is what lies in it with this share of its box. What stands in it, with the middle of its lower edge, where
    /// absent.
    pub overlap: Option<f32>,
}

/// As they are written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Given {
    min_area: Option<f32>,
    max_area: Option<f32>,
    min_px: Option<[u32; 2]>,
    max_px: Option<[u32; 2]>,
    min_m: Option<[f64; 2]>,
    max_m: Option<[f64; 2]>,
    overlap: Option<f32>,
}

impl Given {
    fn things(self, area_min: f32) -> Things {
        let Given { min_area, max_area, min_px, max_px, min_m, max_m, overlap } = self;
        let (min_area, max_area) = (min_area.unwrap_or(area_min), max_area.unwrap_or(1.0));
        Things { min_area, max_area, min_px, max_px, min_m, max_m, overlap }
    }
}

impl From<Given> for Things {
    fn from(given: Given) -> Things {
        given.things(COMES_AREA_MIN)
    }
}

impl Default for Things {
    fn default() -> Things {
        Given::default().into()
    }
}

impl Things {
    /// What is carried, where nothing else is said.
    pub(super) fn carried() -> Things {
        Given::default().things(CARRIED_AREA_MIN)
    }

    pub(super) fn read_carried<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Things, D::Error> {
        Ok(Given::deserialize(deserializer)?.things(CARRIED_AREA_MIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Detect;

    #[test]
    fn what_was_carried_may_be_smaller_than_who_comes() {
        let least = |kind: &str, things: &str| {
            let text = format!("kind = \"{kind}\"\nzone = \"z\"\n{things}");
            toml::from_str::<Detect>(&text).unwrap().things().map(|things| (things.min_area, things.max_area))
        };
        for kind in ["intrusion", "object-removed"] {
            let area = if kind == "intrusion" { COMES_AREA_MIN } else { CARRIED_AREA_MIN };
            assert_eq!(least(kind, ""), Some((area, 1.0)), "{kind}");
            assert_eq!(least(kind, "things = { max_area = 0.5 }"), Some((area, 0.5)), "{kind}");
            assert_eq!(least(kind, "things = { min_area = 0.25 }"), Some((0.25, 1.0)), "{kind}");
        }
    }
}
