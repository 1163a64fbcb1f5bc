//! A picture's brightness and its small working copy. Knows nothing of motion.

use std::ops::Range;

use crate::observation::Blob;

/// Rows read of each box; further ones add cost and hardly any evenness of noise.
const ROWS_PER_BOX_MAX: usize = 4;

/// A plane of 8 bit brightness; rows are `stride` bytes apart, the last one may end at its last pixel.
#[derive(Debug, Clone, Copy)]
pub struct Luma<'a> {
    pub width: usize,
    pub height: usize,
    pub stride: usize,
    pub pixels: &'a [u8],
}

impl Luma<'_> {
    /// Whether the plane has pixels and all of them are there.
    pub fn is_whole(&self) -> bool {
        let last_row = self.height.checked_sub(1).and_then(|row| row.checked_mul(self.stride));
        let needed = last_row.and_then(|start| start.checked_add(self.width));
        self.width > 0 && self.stride >= self.width && needed.is_some_and(|needed| self.pixels.len() >= needed)
    }
}

/// The working grid of a picture size: boxes of equal size, pixels that are left over at right and bottom unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Grid {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    box_width: usize,
    box_height: usize,
    width: usize,
    height: usize,
}

impl Grid {
    /// The longer side becomes about `side` cells (between 2/3 and 3/2 of it), so that cells are bounded for any
    /// shape of picture. Needs a picture with pixels.
    pub(crate) fn of(luma: &Luma, side: usize) -> Grid {
        let (width, height) = (luma.width, luma.height);
        let scale = ((width.max(height) + side / 2) / side).max(1);
        let (box_width, box_height) = (scale.min(width), scale.min(height));
        Grid { columns: width / box_width, rows: height / box_height, box_width, box_height, width, height }
    }

    pub(crate) fn cells(&self) -> usize {
        self.columns * self.rows
    }

    /// Where a cell's left edge lies in the picture, 0..1; one past the last column is the right edge of the picture.
    pub(crate) fn x(&self, column: usize) -> f32 {
        if column >= self.columns { 1.0 } else { (column * self.box_width) as f32 / self.width as f32 }
    }

    pub(crate) fn y(&self, row: usize) -> f32 {
        if row >= self.rows { 1.0 } else { (row * self.box_height) as f32 / self.height as f32 }
    }

    /// Columns and rows of the cells that a box touches; none for one of no numbers.
    pub(crate) fn cells_of(&self, blob: &Blob) -> (Range<usize>, Range<usize>) {
        let range = |from: f32, to: f32, n: usize| {
            // Casts saturate, and NaN becomes 0. What a box of cells was made from is not left by rounding.
            let to = ((to * n as f32 - 1e-3).ceil() as usize).min(n);
            ((from * n as f32 + 1e-3) as usize).min(to)..to
        };
        (range(blob.left, blob.right, self.columns), range(blob.top, blob.bottom, self.rows))
    }

    /// Means of the boxes into `cells`. The picture is whole and of this grid's size.
    pub(crate) fn shrink(&self, luma: &Luma, scratch: &mut ShrinkScratch, cells: &mut Vec<f32>) {
        let used = self.columns * self.box_width;
        let n_read = self.box_height.min(ROWS_PER_BOX_MAX);
        let weight = 1.0 / (n_read * self.box_width) as f32;
        cells.clear();
        cells.reserve(self.cells());
        for row in 0..self.rows {
            let rows = (0..n_read).map(|read| {
                // The middles of equal parts of the box; all of its rows where they are few.
                let within = (2 * read + 1) * self.box_height / (2 * n_read);
                &luma.pixels[(row * self.box_height + within) * luma.stride..][..used]
            });
            if self.box_width.is_multiple_of(4) {
                scratch.add_quads(rows, used);
                add_boxes(&scratch.quads[..used / 4], self.box_width / 4, weight, cells);
            } else {
                scratch.add_pixels(rows, used);
                add_boxes(&scratch.sums, self.box_width, weight, cells);
            }
        }
    }
}

/// Sums of the rows of one row of boxes; reused.
#[derive(Debug, Default)]
pub(crate) struct ShrinkScratch {
    sums: Vec<u32>,
    pairs: Vec<u64>,
    quads: Vec<u32>,
}

impl ShrinkScratch {
    fn add_pixels<'a>(&mut self, rows: impl Iterator<Item = &'a [u8]>, used: usize) {
        self.sums.clear();
        self.sums.resize(used, 0);
        for row in rows {
            for (sum, &pixel) in self.sums.iter_mut().zip(row) {
                *sum += u32::from(pixel);
            }
        }
    }

    /// Sums of four neighbours each, where boxes allow: half as many steps as pixel by pixel. Eight pixels are one
    /// word; its even and odd bytes are added as four sums of 16 bits, which hold 4 rows of 2 pixels easily.
    fn add_quads<'a>(&mut self, rows: impl Iterator<Item = &'a [u8]>, used: usize) {
        const BYTES: u64 = 0x00ff_00ff_00ff_00ff;
        const SUMS: u64 = 0x0000_ffff_0000_ffff;
        self.pairs.clear();
        self.pairs.resize(used.div_ceil(8), 0);
        for row in rows {
            let (words, rest) = row.as_chunks::<8>();
            for (pairs, word) in self.pairs.iter_mut().zip(words) {
                let word = u64::from_le_bytes(*word);
                *pairs += (word & BYTES) + ((word >> 8) & BYTES);
            }
            if let (Some(pairs), false) = (self.pairs.last_mut(), rest.is_empty()) {
                let mut word = [0; 8];
                word[..rest.len()].copy_from_slice(rest);
                let word = u64::from_le_bytes(word);
                *pairs += (word & BYTES) + ((word >> 8) & BYTES);
            }
        }
        self.quads.clear();
        self.quads.resize(self.pairs.len() * 2, 0);
        for (quads, pairs) in self.quads.as_chunks_mut::<2>().0.iter_mut().zip(&self.pairs) {
            let sums = (pairs & SUMS) + ((pairs >> 16) & SUMS);
            *quads = [sums as u32, (sums >> 32) as u32];
        }
    }
}

/// Widths that are known to the compiler are summed without a loop.
fn add_boxes(sums: &[u32], width: usize, weight: f32, cells: &mut Vec<f32>) {
    match width {
        1 => add_boxes_of::<1>(sums, weight, cells),
        2 => add_boxes_of::<2>(sums, weight, cells),
        3 => add_boxes_of::<3>(sums, weight, cells),
        4 => add_boxes_of::<4>(sums, weight, cells),
        5 => add_boxes_of::<5>(sums, weight, cells),
        6 => add_boxes_of::<6>(sums, weight, cells),
        _ => cells.extend(sums.chunks_exact(width).map(|sums| mean(sums, weight))),
    }
}

fn add_boxes_of<const WIDTH: usize>(sums: &[u32], weight: f32, cells: &mut Vec<f32>) {
    cells.extend(sums.as_chunks::<WIDTH>().0.iter().map(|sums| mean(sums, weight)));
}

#[inline(always)]
fn mean(sums: &[u32], weight: f32) -> f32 {
    // Sums stay far below 2^31; the signed conversion is one instruction.
    sums.iter().sum::<u32>() as i32 as f32 * weight
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shrink(luma: &Luma, side: usize) -> (Grid, Vec<f32>) {
        let grid = Grid::of(luma, side);
        let mut cells = Vec::new();
        grid.shrink(luma, &mut ShrinkScratch::default(), &mut cells);
        (grid, cells)
    }

    #[test]
    fn common_sizes_become_about_160_columns() {
        let grid = |width, height| {
            let grid = Grid::of(&Luma { width, height, stride: width, pixels: &[] }, 160);
            (grid.columns, grid.rows)
        };
        assert_eq!(grid(640, 360), (160, 90));
        assert_eq!(grid(1920, 1080), (160, 90));
        assert_eq!(grid(3840, 2160), (160, 90));
        assert_eq!(grid(768, 576), (153, 115));
        assert_eq!(grid(1080, 1920), (90, 160));
        assert_eq!(grid(80, 60), (80, 60));
        assert_eq!(grid(1, 1), (1, 1));
        assert_eq!(grid(100_000, 1), (160, 1));
    }

    #[test]
    fn a_box_is_the_mean_of_its_pixels_whatever_the_stride() {
        let pixels = [0, 10, 20, 30, 99, 40, 50, 60, 70, 99, 1, 2, 3, 4];
        let luma = Luma { width: 4, height: 3, stride: 5, pixels: &pixels };
        assert!(luma.is_whole());
        let (grid, cells) = shrink(&luma, 2);
        assert_eq!((grid.columns, grid.rows, cells), (2, 1, vec![25.0, 45.0]));
    }

    #[test]
    fn a_plane_that_lacks_pixels_is_not_whole() {
        let plane = |width, height, stride, n| Luma { width, height, stride, pixels: &[0; 12][..n] }.is_whole();
        assert!(plane(4, 3, 4, 12) && plane(3, 3, 4, 11));
        assert!(!plane(4, 3, 4, 11) && !plane(5, 2, 4, 12) && !plane(0, 3, 4, 12) && !plane(4, 0, 4, 12));
        assert!(!plane(usize::MAX, usize::MAX, usize::MAX, 12));
    }

    proptest! {
        #[test]
        fn boxes_of_any_width_are_means_of_their_rows(
            width in 1_usize..300, pixels in prop::collection::vec(any::<u8>(), 900), side in 8_usize..64,
        ) {
            let luma = Luma { width, height: 3, stride: width, pixels: &pixels[..3 * width] };
            let (grid, cells) = shrink(&luma, side);
            let (box_width, box_height) = (grid.box_width, grid.box_height);
            for (at, cell) in cells.iter().enumerate() {
                let (row, column) = (at / grid.columns, at % grid.columns);
                let rows = row * box_height..(row + 1) * box_height;
                let sum: u32 = rows
                    .flat_map(|y| &pixels[y * width + column * box_width..][..box_width])
                    .map(|&pixel| u32::from(pixel))
                    .sum();
                prop_assert!((cell - sum as f32 / (box_width * box_height) as f32).abs() < 0.01);
            }
        }

        #[test]
        fn a_flat_picture_stays_flat(
            width in 1_usize..400, height in 1_usize..60, pad in 0_usize..9, level in any::<u8>(), side in 1_usize..200,
        ) {
            let stride = width + pad;
            let pixels = vec![level; stride * (height - 1) + width];
            let (grid, cells) = shrink(&Luma { width, height, stride, pixels: &pixels }, side);
            prop_assert_eq!(cells.len(), grid.cells());
            prop_assert!(cells.iter().all(|cell| (cell - f32::from(level)).abs() < 0.01));
            prop_assert!(grid.columns.max(grid.rows) <= (side * 2).max(1));
            prop_assert_eq!((grid.x(0), grid.x(grid.columns), grid.y(grid.rows)), (0.0, 1.0, 1.0));
        }
    }
}
