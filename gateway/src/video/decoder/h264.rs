//! H.264 by rusty_h264-decoder, the fastest memory-safe one; what that refuses goes to the interlaced backend.

use bytes::Bytes;
use rust_h264::nal::{NalUnitType, parse_annex_b, parse_sps_info};
use rusty_h264_decoder::DecodeError as RustyError;

use super::h264_interlaced::Interlaced;
use super::{DecodeError, Decoder};
use crate::video::frame::{Colour, Frame, REFERENCE_BYTES_MAX, ShapeError, check_size};

/// H.264 type numbers of NAL units (table 7-1).
const NAL_SPS: u8 = 7;

/// The standard allows 16 reference frames; some encoders announce none but use one.
const REFERENCES_MIN: u64 = 2;

pub(super) struct H264 {
    backend: Backend,
    plain: bool,
    full_range: bool,
}

/// What the sequence parameter set of a unit says.
struct Parameters {
    /// Progressive 4:2:0 of 8 bits: what the fast decoder may know. It surely does not know the rest.
    plain: bool,
    full_range: bool,
}

/// Which of the two decodes: decided by the stream's parameter sets, and by what the fast one refuses.
enum Backend {
    Fast(Box<rusty_h264_decoder::Decoder>),
    Interlaced(Box<Interlaced>),
}

impl Default for H264 {
    fn default() -> Self {
        let backend = Backend::Fast(Box::new(rusty_h264_decoder::Decoder::new()));
        H264 { backend, plain: true, full_range: false }
    }
}

impl Decoder for H264 {
    fn decode(&mut self, unit: &Bytes) -> Result<Option<Frame>, DecodeError> {
        let parameters = check_parameters(unit)?;
        if let Some(Parameters { plain, full_range }) = parameters {
            if plain && !self.plain {
                // The camera was reconfigured: back to the fast decoder.
                *self = H264::default();
            }
            (self.plain, self.full_range) = (plain, full_range);
        }
        let frame = match &mut self.backend {
            Backend::Fast(_) if !self.plain => self.hand_over(unit),
            Backend::Fast(_) => self.decode_fast(unit),
            Backend::Interlaced(decoder) => decoder.decode(unit),
        };
        Ok(frame?.map(|frame| Frame { full_range: self.full_range, ..frame }))
    }
}

impl H264 {
    fn decode_fast(&mut self, unit: &Bytes) -> Result<Option<Frame>, DecodeError> {
        let Backend::Fast(decoder) = &mut self.backend else { return Ok(None) };
        let picture = match decoder.decode(unit) {
            Ok(Some(picture)) => picture,
            Ok(None) => return Ok(None),
            Err(RustyError::Unsupported(_)) => return self.hand_over(unit),
            Err(error) => return Err(DecodeError::Stream(error.to_string())),
        };
        let display_order = decoder.last_poc();
        let colour = Colour::Quarter { cb: picture.u, cr: picture.v };
        let frame = Frame::new(picture.width, picture.height, picture.y, colour)?;
        Ok(Some(Frame { display_order, ..frame }))
    }

    fn hand_over(&mut self, unit: &Bytes) -> Result<Option<Frame>, DecodeError> {
        let mut decoder = Interlaced::default();
        let first = decoder.decode(unit);
        self.backend = Backend::Interlaced(Box::new(decoder));
        first
    }
}

/// Looks at the sequence parameter sets of a unit before any decoder does: refuses those that would cost too much
/// memory. `None` where the unit carries none.
fn check_parameters(unit: &[u8]) -> Result<Option<Parameters>, DecodeError> {
    // Delta frames have none: a look at their first bytes is enough, and costs no copy.
    if !has_parameter_set(unit) {
        return Ok(None);
    }
    let mut parameters = None;
    for nal in parse_annex_b(unit).iter().filter(|nal| nal.nal_unit_type == NalUnitType::Sps) {
        let sps = parse_sps_info(nal).map_err(|error| DecodeError::Stream(error.to_string()))?;
        let (width, height) = (u64::from(sps.coded_width), u64::from(sps.coded_height));
        check_size(width, height)?;
        let references = u64::from(sps.reference_frames).max(REFERENCES_MIN);
        if references > 16 || width * height * 3 / 2 * references > REFERENCE_BYTES_MAX {
            return Err(ShapeError::Size { width, height }.into());
        }
        let eight_bits = sps.bit_depth_luma == 8 && sps.bit_depth_chroma == 8;
        let plain = sps.progressive && sps.chroma_format == 1 && eight_bits;
        parameters = Some(Parameters { plain, full_range: sps.full_range });
    }
    Ok(parameters)
}

fn has_parameter_set(unit: &[u8]) -> bool {
    // Parameter sets come before the slices, which hold nearly all bytes of a unit.
    const HEAD: usize = 512;
    let head = &unit[..unit.len().min(HEAD)];
    head.windows(4).any(|w| w[..3] == [0, 0, 1] && w[3] & 0x1f == NAL_SPS)
}
