//! H.265 by rust_h265: memory-safe, with limits on what a stream may ask for.

use bytes::Bytes;
use rust_h265::{DecodeError as Refusal, DecodeLimits, Decoder as Backend, Frame as Picture, PixelData};
use rust_h265::{parse_annex_b, parse_nal};

use super::{DecodeError, Decoder};
use crate::video::frame::{Colour, Frame, PIXELS_MAX};

/// Most bytes of one picture's samples and tables, as the backend reckons before it takes any: always for three planes
/// of full size. 4K in ten bits is just within. The standard has at most sixteen pictures in memory, together a gigabyte
/// by this reckoning, and half of it as cameras code colour.
const PICTURE_BYTES_MAX: u64 = 64 << 20;

/// An access unit delimiter: makes the backend hand out the picture that it holds until the next begins.
const DELIMITER: [u8; 3] = [35 << 1, 1, 0x50];

pub(super) struct H265 {
    backend: Backend,
}

impl Default for H265 {
    fn default() -> Self {
        let limits = DecodeLimits { max_picture_pixels: PIXELS_MAX, max_picture_memory_bytes: PICTURE_BYTES_MAX };
        H265 { backend: Backend::with_limits(limits) }
    }
}

impl Decoder for H265 {
    fn decode(&mut self, unit: &Bytes) -> Result<Option<Frame>, DecodeError> {
        let mut picture = None;
        for nal in parse_annex_b(unit).iter().chain(parse_nal(&DELIMITER).iter()) {
            picture = self.backend.decode_nal(nal).map_err(refusal)?.or(picture);
        }
        picture.map(frame).transpose()
    }
}

fn refusal(error: Refusal) -> DecodeError {
    match error {
        Refusal::Unsupported(tool) => DecodeError::Unsupported(tool.to_string()),
        other => DecodeError::Stream(other.to_string()),
    }
}

fn frame(picture: Picture) -> Result<Frame, DecodeError> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let depth = picture.bit_depth;
    let eight_bits = |plane: PixelData| match plane {
        PixelData::U8(samples) => samples,
        PixelData::U16(samples) => samples.iter().map(|s| (s >> depth.saturating_sub(8).min(8)) as u8).collect(),
    };
    let colour = match picture.chroma_format_idc {
        1 => Colour::Quarter { cb: eight_bits(picture.u), cr: eight_bits(picture.v) },
        // 4:4:4 does not come from cameras: grey snapshots will do.
        _ => Colour::None,
    };
    let frame = Frame::new(width, height, eight_bits(picture.y), colour)?;
    Ok(Frame { display_order: picture.pic_order_cnt, ..frame })
}
