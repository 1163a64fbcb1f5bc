//! All codecs by the system's libavcodec (feature `ffmpeg`): fastest, but a C library that reads what cameras send.
//!
//! Streams with B-frames come out in display order, so some units late; the other backends do not wait.

use std::sync::Once;

use bytes::Bytes;
use ff::codec::threading;
use ff::format::Pixel;
use ffmpeg_next as ff;

use super::{Codec, DecodeError, Decoder};
use crate::video::frame::{Colour, Frame, PIXELS_MAX, ShapeError, check_size, pack};

pub(super) struct Libav {
    codec: Codec,
    decoder: Option<ff::decoder::Video>,
    shown: i32,
}

impl Libav {
    pub(super) fn new(codec: Codec) -> Self {
        Libav { codec, decoder: None, shown: 0 }
    }

    /// Feeds a packet, or the end of the stream, and collects what comes out.
    fn push(&mut self, unit: Option<&Bytes>) -> Result<Vec<Frame>, DecodeError> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            none => none.insert(open(self.codec)?),
        };
        match unit {
            Some(unit) => decoder.send_packet(&ff::Packet::copy(unit)).map_err(refusal)?,
            None => decoder.send_eof().map_err(refusal)?,
        }
        let (mut picture, mut frames) = (ff::frame::Video::empty(), Vec::new());
        loop {
            match decoder.receive_frame(&mut picture) {
                Ok(()) => {
                    self.shown = self.shown.wrapping_add(1);
                    let colour = (self.codec == Codec::Mjpeg).then(|| unit.cloned()).flatten();
                    frames.push(Frame { display_order: self.shown, ..frame(&picture, colour)? });
                }
                Err(ff::Error::Other { errno: ff::error::EAGAIN } | ff::Error::Eof) => return Ok(frames),
                Err(error) => return Err(refusal(error)),
            }
        }
    }
}

impl Decoder for Libav {
    fn decode(&mut self, unit: &Bytes) -> Result<Option<Frame>, DecodeError> {
        // One packet in, at most one picture out, but for the first after a delay was learned; then the latest counts.
        Ok(self.push(Some(unit))?.pop())
    }

    fn finish(&mut self) -> Vec<Frame> {
        let held = self.push(None).unwrap_or_default();
        if let Some(decoder) = &mut self.decoder {
            decoder.flush();
        }
        self.shown = 0;
        held
    }
}

fn open(codec: Codec) -> Result<ff::decoder::Video, DecodeError> {
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        // Its log goes to stderr past ours; what matters comes back as an error.
        ff::log::set_level(ff::log::Level::Quiet);
        // Registers the texts of errors; without them they are empty.
        let _ = ff::init();
    });
    let id = match codec {
        Codec::H264 => ff::codec::Id::H264,
        Codec::H265 => ff::codec::Id::HEVC,
        Codec::Mjpeg => ff::codec::Id::MJPEG,
    };
    let found = ff::decoder::find(id).ok_or_else(|| DecodeError::Unsupported(codec.as_str().to_owned()))?;
    let mut context = ff::codec::context::Context::new_with_codec(found);
    // The pool's threads are the parallelism.
    context.set_threading(threading::Config { kind: threading::Type::None, count: 1, ..Default::default() });
    let mut options = ff::Dictionary::new();
    options.set("max_pixels", &PIXELS_MAX.to_string());
    let opened = context.decoder().open_as_with(found, options).map_err(refusal)?;
    opened.video().map_err(refusal)
}

fn refusal(error: ff::Error) -> DecodeError {
    match error {
        ff::Error::PatchWelcome => DecodeError::Unsupported(error.to_string()),
        error => DecodeError::Stream(error.to_string()),
    }
}

fn frame(picture: &ff::frame::Video, jpeg: Option<Bytes>) -> Result<Frame, DecodeError> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    check_size(width as u64, height as u64)?;
    let (quarter, wide) = match picture.format() {
        Pixel::YUV420P | Pixel::YUVJ420P => (true, false),
        Pixel::YUV420P10LE => (true, true),
        Pixel::YUV422P | Pixel::YUVJ422P | Pixel::YUV444P | Pixel::YUVJ444P | Pixel::GRAY8 => (false, false),
        other => return Err(DecodeError::Unsupported(format!("pixel format {other:?}"))),
    };
    let plane = |index: usize, width: usize, height: usize| -> Result<Vec<u8>, ShapeError> {
        let (bytes, stride) = (picture.data(index), picture.stride(index));
        if !wide {
            return pack(bytes, stride, width, height);
        }
        let packed = pack(bytes, stride, width * 2, height)?;
        Ok(packed.chunks_exact(2).map(|pair| (u16::from_le_bytes([pair[0], pair[1]]) >> 2) as u8).collect())
    };
    let colour = match jpeg {
        Some(jpeg) => Colour::Jpeg(jpeg),
        None if quarter => {
            let (halves, rows) = (width.div_ceil(2), height.div_ceil(2));
            Colour::Quarter { cb: plane(1, halves, rows)?, cr: plane(2, halves, rows)? }
        }
        None => Colour::None,
    };
    let full_range = picture.color_range() == ff::color::Range::JPEG
        || matches!(picture.format(), Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P);
    Ok(Frame { full_range, ..Frame::new(width, height, plane(0, width, height)?, colour)? })
}
