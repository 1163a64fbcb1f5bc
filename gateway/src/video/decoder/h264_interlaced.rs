//! H.264 by rust_h264: interlaced, 10 bit and 4:2:2 streams, which the fast backend refuses.

use bytes::Bytes;
use rust_h264::decoder::{ChromaFormat, Decoder as Backend, Frame as Picture};
use rust_h264::nal::parse_annex_b;

use super::{DecodeError, Decoder};
use crate::video::frame::{Colour, Frame};

#[derive(Default)]
pub(super) struct Interlaced {
    backend: Backend,
}

impl Decoder for Interlaced {
    fn decode(&mut self, unit: &Bytes) -> Result<Option<Frame>, DecodeError> {
        let mut picture = None;
        for nal in &parse_annex_b(unit) {
            match self.backend.decode_nal(nal) {
                Ok(done) => picture = done.or(picture),
                Err(error) => return Err(refusal(&error)),
            }
        }
        // The backend holds a picture until the next begins; a unit is a whole picture, so ask for it at once.
        self.backend.flush().or(picture).map(frame).transpose()
    }
}

fn refusal(error: &rust_h264::error::DecodeError) -> DecodeError {
    match error {
        rust_h264::error::DecodeError::Unsupported(tool) => DecodeError::Unsupported((*tool).to_owned()),
        other => DecodeError::Stream(other.to_string()),
    }
}

fn frame(picture: Picture) -> Result<Frame, DecodeError> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let eight_bits = |plane: Vec<u8>| match picture.bit_depth {
        8 => plane,
        depth => plane
            .chunks_exact(2)
            .map(|pair| (u16::from_le_bytes([pair[0], pair[1]]) >> (depth - 8).min(8)) as u8)
            .collect(),
    };
    let colour = match picture.chroma_format {
        ChromaFormat::Yuv420 => Colour::Quarter { cb: eight_bits(picture.u), cr: eight_bits(picture.v) },
        // Snapshots of such rare streams are grey.
        _ => Colour::None,
    };
    let frame = Frame::new(width, height, eight_bits(picture.y), colour)?;
    Ok(Frame { display_order: picture.pic_order_cnt, ..frame })
}
