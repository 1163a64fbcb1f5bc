//! What cameras and rules say of pictures: zones, lines, the ground, and which things count.

use serde::{Deserialize, Serialize};

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

/// Which things in a picture count, by their size and by how they are in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
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

impl Default for Things {
    fn default() -> Things {
        Things { min_area: 0.002, max_area: 1.0, min_px: None, max_px: None, min_m: None, max_m: None, overlap: None }
    }
}
