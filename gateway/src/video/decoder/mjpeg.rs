//! MJPEG by zune-jpeg, luma only: colour is decoded again from the same bytes where a snapshot is wanted.

use bytes::Bytes;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{DecodeError, Decoder};
use crate::video::frame::{Colour, Frame, check_size};

pub(super) struct Mjpeg;

impl Decoder for Mjpeg {
    fn decode(&mut self, unit: &Bytes) -> Result<Option<Frame>, DecodeError> {
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::Luma);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(unit.as_ref()), options);
        let bad = |error| DecodeError::Stream(format!("{error:?}"));
        decoder.decode_headers().map_err(bad)?;
        let size = decoder.info().ok_or_else(|| DecodeError::Stream("no frame header".into()))?;
        check_size(size.width.into(), size.height.into())?;
        let luma = decoder.decode().map_err(bad)?;
        let frame = Frame::new(size.width.into(), size.height.into(), luma, Colour::Jpeg(unit.clone()))?;
        Ok(Some(Frame { full_range: true, ..frame }))
    }
}
