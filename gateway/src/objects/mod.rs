//! Names what is in a picture by an object model (ONNX): classes, scores and boxes, never who. Knows nothing of cameras, rules or
//! tickets.
//!
//! - [`model`]: a file → a model that was tried once; picture → objects
//! - [`letterbox`]: a picture → what a model is given
//! - [`yolox`]: what a YOLOX gives → boxes, without those that overlap
//! - [`judge`]: the one thread that runs it, and who waits for it
//!
//! A model is part of the configuration and trusted as such: what its file claims of sizes is bounded, what its operators do
//! with memory in between is the model's own.

mod judge;
mod letterbox;
mod model;
mod yolox;

#[cfg(test)]
mod tests;

pub use judge::{Judge, QUEUE_MAX};
pub use model::{FILE_BYTES_MAX, Labels, Model, ModelError, SIDE_MAX};

/// A picture in colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    /// Red, green, blue; three bytes a pixel, row-major, rows packed.
    pub rgb: Vec<u8>,
}

/// How what a model gives is to be read, and what it wants to be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// YOLOX as Megvii exports it, without decoding in the graph (<https://github.com/Megvii-BaseDetection/YOLOX>, Apache-2.0): given
    /// `[1, 3, H, W]`, blue, green, red, 0..255, scaled to fit at the top left and 114 beside it; gives `[1, N, 5 + classes]`.
    #[default]
    Yolox,
}
