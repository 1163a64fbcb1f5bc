//! Radiometric files of FLIR cameras: raw samples and the camera's calibration → degrees Celsius.
//! Knows nothing of feeds, files or rules.
//!
//! Read are stills (JPEG with FLIR's APP1 segments), and FFF blocks alone or one after the other (`.fff`, `.seq`).
//! The formats are not published; what is known of them stands in ExifTool's tables
//! (<https://exiftool.org/TagNames/FLIR.html>), and PyPI's flyr reads them the same way.
//!
//! - [`jpeg`]: which bytes of a JPEG are FLIR's
//! - [`fff`]: the directory of records, the samples, the camera's constants
//! - [`planck`]: samples → temperatures

mod fff;
mod jpeg;
mod planck;

use std::borrow::Cow;

use ndarray::Array2;

pub use planck::{Calibration, Scene};

/// Frames of one file that are read.
pub const FRAMES_MAX: usize = 100_000;

const FFF: &[u8] = b"FFF\0";

/// A picture as the camera's sensor saw it, and what makes temperatures of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Radiometric {
    /// Raw samples by row and column, row 0 at the top.
    pub samples: Array2<u16>,
    pub calibration: Calibration,
    /// What was set at the camera when the picture was taken.
    pub scene: Scene,
    /// The camera's own name of its model; empty where it tells none.
    pub model: String,
}

/// Why a file is no radiometric picture; `place` reads on after the file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RadiometricError {
    #[error("neither a JPEG nor FLIR's FFF")]
    Unknown,
    #[error("a picture without temperatures: no FLIR segment in the JPEG")]
    NotRadiometric,
    #[error("a DJI R-JPEG: its samples become temperatures only in the vendor's closed SDK")]
    Dji,
    #[error("byte {at}: {what}")]
    Broken { at: usize, what: String },
}

impl Radiometric {
    /// Reads one picture: a still, or the first frame of a sequence.
    pub fn read(bytes: &[u8]) -> Result<Radiometric, RadiometricError> {
        fff::read(&first_block(bytes)?).map(|(radiometric, _)| radiometric)
    }

    /// Degrees Celsius by row and column. A sample that no temperature gives is NaN.
    pub fn celsius(&self, scene: &Scene) -> Array2<f32> {
        planck::celsius(&self.samples, &self.calibration, scene)
    }
}

/// The frames of a file in their order: one of a still, any number of a sequence. A frame that cannot be read ends it,
/// as nothing says where the next one would begin.
pub fn frames(bytes: &[u8]) -> Result<Frames<'_>, RadiometricError> {
    Ok(Frames { block: first_block(bytes)?, at: 0, n: 0, is_over: false })
}

pub struct Frames<'a> {
    block: Cow<'a, [u8]>,
    at: usize,
    n: usize,
    is_over: bool,
}

impl Iterator for Frames<'_> {
    type Item = Result<Radiometric, RadiometricError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over || self.n == FRAMES_MAX {
            return None;
        }
        let rest = &self.block[self.at..];
        let read = fff::read(rest).map_err(|error| error.further(self.at));
        self.n += 1;
        match &read {
            // A next frame may be padded away from the end of this one.
            Ok((_, end)) => match find(&rest[*end..], FFF) {
                Some(gap) => self.at += end + gap,
                None => self.is_over = true,
            },
            Err(_) => self.is_over = true,
        }
        Some(read.map(|(radiometric, _)| radiometric))
    }
}

impl RadiometricError {
    fn broken(at: usize, what: impl Into<String>) -> Self {
        RadiometricError::Broken { at, what: what.into() }
    }

    fn further(self, by: usize) -> Self {
        match self {
            RadiometricError::Broken { at, what } => RadiometricError::Broken { at: at + by, what },
            other => other,
        }
    }
}

fn first_block(bytes: &[u8]) -> Result<Cow<'_, [u8]>, RadiometricError> {
    match bytes {
        [0xff, 0xd8, ..] => jpeg::flir_block(bytes).map(Cow::Owned),
        _ if bytes.starts_with(FFF) => Ok(Cow::Borrowed(bytes)),
        _ => Err(RadiometricError::Unknown),
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests;
