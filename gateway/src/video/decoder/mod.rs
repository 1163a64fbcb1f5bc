//! Access units → pictures: one trait, a backend per file. Knows nothing of cameras, sessions or movement.
//!
//! The default backends are memory-safe Rust; feature `ffmpeg` puts the system's libavcodec in their place. Either is
//! reached through [`Guarded`], which turns a panic of a backend into an error of one picture.

#[cfg(feature = "ffmpeg")]
mod ffmpeg;
#[cfg(not(feature = "ffmpeg"))]
mod h264;
#[cfg(not(feature = "ffmpeg"))]
mod h264_interlaced;
#[cfg(not(feature = "ffmpeg"))]
mod h265;
#[cfg(not(feature = "ffmpeg"))]
mod mjpeg;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;

use super::frame::{Frame, ShapeError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    H264,
    H265,
    Mjpeg,
}

#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("bad bit stream: {0}")]
    Stream(String),
    #[error("coding tool that no decoder here knows: {0}")]
    Unsupported(String),
    #[error("{0}")]
    Shape(#[from] ShapeError),
    #[error("decoder panicked")]
    Panic,
}

/// Decodes one camera's access units, in the order in which they came.
pub trait Decoder: Send {
    /// One access unit: Annex B with parameter sets before each key frame, or one JPEG. `None` where the unit holds no
    /// picture to show. Whatever the bytes are, time and memory stay bounded by their length and by
    /// [`PIXELS_MAX`](super::frame::PIXELS_MAX).
    fn decode(&mut self, unit: &Bytes) -> Result<Option<Frame>, DecodeError>;

    /// Pictures that are held back when the stream ends; what comes next may be another stream. The memory-safe backends
    /// hold none, and begin anew with each key frame.
    fn finish(&mut self) -> Vec<Frame> {
        Vec::new()
    }
}

impl Codec {
    /// By the encoding name of the session description, which RFC 8866 says to compare without case.
    pub fn from_encoding_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "h264" => Some(Codec::H264),
            "h265" => Some(Codec::H265),
            "jpeg" => Some(Codec::Mjpeg),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Codec::H264 => "H.264",
            Codec::H265 => "H.265",
            Codec::Mjpeg => "MJPEG",
        }
    }

    /// Whether a picture needs those before it.
    pub fn has_delta_frames(self) -> bool {
        self != Codec::Mjpeg
    }

    #[cfg(not(feature = "ffmpeg"))]
    fn backend(self) -> Box<dyn Decoder> {
        match self {
            Codec::H264 => Box::new(h264::H264::default()),
            Codec::H265 => Box::new(h265::H265::default()),
            Codec::Mjpeg => Box::new(mjpeg::Mjpeg),
        }
    }

    #[cfg(feature = "ffmpeg")]
    fn backend(self) -> Box<dyn Decoder> {
        Box::new(ffmpeg::Libav::new(self))
    }
}

/// A decoder that outlives its own bugs: a panic or an error costs one picture, and the next key frame starts afresh.
pub struct Guarded {
    codec: Codec,
    backend: Box<dyn Decoder>,
}

impl Guarded {
    pub fn new(codec: Codec) -> Self {
        Guarded { codec, backend: codec.backend() }
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// As [`Decoder::decode`]. After an error delta frames must be withheld until the next key frame.
    pub fn decode(&mut self, unit: &Bytes) -> Result<Option<Frame>, DecodeError> {
        let backend = &mut self.backend;
        // Unwind safety: the backend is thrown away below, so nobody sees what the panic left half done.
        let outcome = catch_unwind(AssertUnwindSafe(|| backend.decode(unit))).unwrap_or(Err(DecodeError::Panic));
        if outcome.is_err() {
            self.backend = self.codec.backend();
        }
        outcome
    }

    /// As [`Decoder::finish`]; of the pictures the one that is shown last.
    pub fn finish(&mut self) -> Option<Frame> {
        self.backend.finish().pop()
    }
}

#[cfg(test)]
pub(super) mod tests;
