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
    pub(crate) fn put(&mut self, mut decoder: Guarded) {
        // What it holds back would be shown as another camera's.
        decoder.finish();
        if self.decoders.len() < SPARE_MAX {
            self.decoders.push(decoder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::decoder::tests::units;
    use crate::video::frame::Frame;

    /// A key frame alone, as it is looked at while nothing moves.
    fn key_frame(decoder: &mut Guarded, name: &str) -> Frame {
        let (key, is_key) = units(name).remove(0);
        assert!(is_key);
        decoder.decode(&key).unwrap().or_else(|| decoder.finish()).unwrap()
    }

    #[test]
    fn cameras_share_a_decoder_and_each_sees_its_own_picture() {
        let mut spare = Spare::new(Arc::default());
        // With B-frames, two sizes, and parameters that a delay is known by.
        let names =
            ["bframes.h264", "visitors.h264", "main.h264", "bframes.h264", "main.h265", "largest.h265", "main.h265"];
        for name in names {
            let codec = if name.ends_with("h265") { Codec::H265 } else { Codec::H264 };
            let mut decoder = spare.take(codec);
            let frame = key_frame(&mut decoder, name);
            assert!(frame == key_frame(&mut Guarded::new(codec), name), "{name}");
            spare.put(decoder);
        }
        assert_eq!(spare.decoders.len(), 2, "one of each codec");
    }
}
