//! A decoded picture as planes of bytes. Knows nothing of codecs or cameras.

use bytes::Bytes;

/// Most luma samples of one picture that are decoded: 16 megapixels, twice 4K. A larger size in a parameter set is
/// refused before anything is allocated for it.
pub const PIXELS_MAX: u64 = 16 << 20;

/// Most bytes that the H.264 decoder may hold for one camera's reference pictures.
pub const REFERENCE_BYTES_MAX: u64 = 256 << 20;

/// A decoded picture. Rows are packed: the stride of a plane is its width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub width: usize,
    pub height: usize,
    /// Luma, `width * height` bytes, row-major, origin top left.
    pub luma: Vec<u8>,
    pub colour: Colour,
    /// Whether samples span 0..=255 (JPEG) instead of 16..=235.
    pub full_range: bool,
    /// Place in display order since the last key frame: streams with B-frames are decoded in another order.
    pub display_order: i32,
}

/// Colour is needed only where a snapshot is wanted, so it is kept in the cheapest form at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Colour {
    None,
    /// Two planes of half width and height, rounded up; packed.
    Quarter {
        cb: Vec<u8>,
        cr: Vec<u8>,
    },
    /// The JPEG itself: decoded again for the rare snapshot.
    Jpeg(Bytes),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    #[error("picture of {width}x{height} is empty or larger than {PIXELS_MAX} pixels")]
    Size { width: u64, height: u64 },
    #[error("plane of {got} bytes where {want} are due")]
    Plane { got: usize, want: usize },
}

impl Frame {
    /// Checks sizes: whatever a decoder says, later code may index the planes by width and height.
    pub fn new(width: usize, height: usize, luma: Vec<u8>, colour: Colour) -> Result<Self, ShapeError> {
        check_size(width as u64, height as u64)?;
        check_plane(luma.len(), width * height)?;
        if let Colour::Quarter { cb, cr } = &colour {
            let want = width.div_ceil(2) * height.div_ceil(2);
            check_plane(cb.len(), want)?;
            check_plane(cr.len(), want)?;
        }
        Ok(Frame { width, height, luma, colour, full_range: false, display_order: 0 })
    }

    /// Memory that the picture holds.
    pub fn bytes(&self) -> usize {
        let colour = match &self.colour {
            Colour::None => 0,
            Colour::Quarter { cb, cr } => cb.len() + cr.len(),
            Colour::Jpeg(jpeg) => jpeg.len(),
        };
        self.luma.len() + colour
    }
}

/// Refuses empty pictures and those above [`PIXELS_MAX`].
pub fn check_size(width: u64, height: u64) -> Result<(), ShapeError> {
    match width.checked_mul(height) {
        Some(pixels) if pixels > 0 && pixels <= PIXELS_MAX => Ok(()),
        _ => Err(ShapeError::Size { width, height }),
    }
}

/// Copies the visible part of a plane whose rows are longer than the picture is wide.
#[cfg_attr(not(feature = "ffmpeg"), expect(dead_code, reason = "the memory-safe decoders pack their rows"))]
pub(crate) fn pack(plane: &[u8], stride: usize, width: usize, height: usize) -> Result<Vec<u8>, ShapeError> {
    let want = stride.saturating_mul(height.saturating_sub(1)).saturating_add(width);
    if stride < width || plane.len() < want {
        return Err(ShapeError::Plane { got: plane.len(), want });
    }
    let mut packed = Vec::with_capacity(width * height);
    plane.chunks(stride).take(height).for_each(|row| packed.extend_from_slice(&row[..width]));
    Ok(packed)
}

fn check_plane(got: usize, want: usize) -> Result<(), ShapeError> {
    if got == want { Ok(()) } else { Err(ShapeError::Plane { got, want }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_never_has_planes_that_do_not_fit_its_size() {
        assert!(Frame::new(4, 2, vec![0; 8], Colour::None).is_ok());
        assert_eq!(Frame::new(4, 2, vec![0; 7], Colour::None), Err(ShapeError::Plane { got: 7, want: 8 }));
        let short = Colour::Quarter { cb: vec![0; 2], cr: vec![0; 1] };
        assert_eq!(Frame::new(3, 2, vec![0; 6], short), Err(ShapeError::Plane { got: 1, want: 2 }));
    }

    #[test]
    fn absurd_sizes_are_refused_without_overflow() {
        for (width, height) in [(0, 1), (u64::MAX, 2), (PIXELS_MAX + 1, 1)] {
            assert_eq!(check_size(width, height), Err(ShapeError::Size { width, height }));
        }
        assert_eq!(check_size(4096, 4096), Ok(()));
    }
}
