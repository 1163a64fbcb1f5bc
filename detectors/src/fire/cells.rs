//! A picture's colours and their small working copy. Knows nothing of fire.

use ndarray::{Array2, ArrayView2, Axis, Slice};

/// The longer side of the working copy, in cells.
const SIDE: usize = 160;

/// A picture as decoders give it: brightness, and blue and red difference (ITU-R BT.601) of the same or of half the size.
#[derive(Debug, Clone, Copy)]
pub struct Planes<'a> {
    pub luma: ArrayView2<'a, u8>,
    pub cb: ArrayView2<'a, u8>,
    pub cr: ArrayView2<'a, u8>,
}

/// Means of equal boxes of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cells {
    pub(super) luma: Array2<u8>,
    pub(super) cb: Array2<u8>,
    pub(super) cr: Array2<u8>,
}

impl Cells {
    /// None of a picture without pixels, or whose planes do not fit together.
    pub(super) fn of(planes: &Planes) -> Option<Cells> {
        let ((height, width), chroma) = (planes.luma.dim(), planes.cb.dim());
        if chroma != planes.cr.dim() || chroma.0 == 0 || chroma.1 == 0 || height < chroma.0 || width < chroma.1 {
            return None;
        }
        let longest = height.max(width);
        let cells = |side: usize, most: usize| (side * SIDE).div_ceil(longest).clamp(1, most);
        let size = (cells(height, chroma.0), cells(width, chroma.1));
        Some(Cells { luma: shrunk(planes.luma, size), cb: shrunk(planes.cb, size), cr: shrunk(planes.cr, size) })
    }

    /// Mean deviation of the colours from grey.
    pub(super) fn colour(&self) -> f32 {
        let deviations = self.cb.iter().chain(&self.cr).map(|level| u32::from(level.abs_diff(128)));
        deviations.sum::<u32>() as f32 / (2 * self.cb.len()).max(1) as f32
    }

    pub(super) fn brightness(&self) -> f32 {
        mean(&self.luma)
    }
}

pub(super) fn mean(levels: &Array2<u8>) -> f32 {
    levels.iter().map(|level| u32::from(*level)).sum::<u32>() as f32 / levels.len().max(1) as f32
}

/// Means of boxes that differ in size by a pixel at the most.
fn shrunk(plane: ArrayView2<u8>, (rows, columns): (usize, usize)) -> Array2<u8> {
    let (height, width) = plane.dim();
    Array2::from_shape_fn((rows, columns), |(row, column)| {
        let (top, bottom) = (row * height / rows, (row + 1) * height / rows);
        let (left, right) = (column * width / columns, (column + 1) * width / columns);
        let rows = plane.slice_axis(Axis(0), Slice::from(top..bottom));
        let pixels = rows.slice_axis(Axis(1), Slice::from(left..right));
        let sum: u32 = pixels.iter().map(|level| u32::from(*level)).sum();
        let n = pixels.len().max(1) as u32;
        ((sum + n / 2) / n) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_means_of_what_they_cover() {
        let luma = Array2::from_shape_fn((90, 320), |(row, column)| if row < 45 { 200 } else { (column / 2) as u8 });
        let chroma = Array2::from_elem((45, 160), 120_u8);
        let cells = Cells::of(&Planes { luma: luma.view(), cb: chroma.view(), cr: chroma.view() }).unwrap();
        assert_eq!(cells.luma.dim(), (45, 160));
        assert_eq!((cells.luma[[0, 0]], cells.luma[[44, 100]], cells.cb[[7, 9]]), (200, 100, 120));
        assert_eq!(cells.colour(), 8.0);
    }

    #[test]
    fn planes_that_do_not_fit_have_no_cells() {
        let (whole, half, other) = (Array2::zeros((8, 8)), Array2::zeros((4, 4)), Array2::zeros((4, 3)));
        let cells = |luma: &Array2<u8>, cb: &Array2<u8>, cr: &Array2<u8>| {
            Cells::of(&Planes { luma: luma.view(), cb: cb.view(), cr: cr.view() })
        };
        assert!(cells(&whole, &half, &half).is_some() && cells(&whole, &whole, &whole).is_some());
        assert!(cells(&whole, &half, &other).is_none() && cells(&half, &whole, &whole).is_none());
        let none = Array2::zeros((0, 0));
        assert!(cells(&none, &none, &none).is_none());
        // Long and thin: bounded all the same.
        let thin = Array2::zeros((2, 4_000));
        assert_eq!(cells(&thin, &thin, &thin).unwrap().luma.dim(), (1, 160));
    }
}
