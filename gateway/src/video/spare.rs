//! What the cameras of a decode thread share: decoders that none has in hand, and scratch. Knows nothing of cameras.
//!
//! A key frame needs nothing of what was decoded before it, so cameras at rest share a few decoders: one each would be
//! most of the memory that they cost.

use std::sync::Arc;

use outpost_detectors::background::Scratch;

use super::decoder::{Codec, Guarded};
use super::lane::Timer;

/// Kept per thread: one for each codec, and one more for the camera that has just come to rest.
const SPARE_MAX: usize = 4;

pub(crate) struct Spare {
    decoders: Vec<Guarded>,
    /// For looking at one picture after the other.
    pub(crate) scratch: Scratch,
    timer: Arc<Timer>,
}

impl Spare {
    pub(crate) fn new(timer: Arc<Timer>) -> Self {
        Spare { decoders: Vec::new(), scratch: Scratch::default(), timer }
    }

    /// Under which the thread decodes, so that it is known when a decoder hangs.
    pub(crate) fn timer(&self) -> &Timer {
        &self.timer
    }

    /// A decoder for a stream that begins with a key frame.
    pub(crate) fn take(&mut self, codec: Codec) -> Guarded {
        let known = self.decoders.iter().position(|decoder| decoder.codec() == codec);
        known.map_or_else(|| Guarded::new(codec), |at| self.decoders.swap_remove(at))
    }

    /// Gives back one whose stream is not decoded any further.
    pub(crate) fn put(&mut self, decoder: Guarded) {
        if self.decoders.len() < SPARE_MAX {
            self.decoders.push(decoder);
        }
    }
}
