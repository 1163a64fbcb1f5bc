//! STAND-IN, TO BE DELETED when `outpost_detectors::background` is merged: then `video/eye.rs` swaps its one `use`.
//! A running average over an 80x45 picture and one box around all that differs; good enough to compile and to test
//! the chain around it.

use outpost_detectors::observation::Blob;

const COLUMNS: usize = 80;
const ROWS: usize = 45;
const DIFFERENCE_MIN: f32 = 18.0;
const CELLS_MIN: usize = 12;

#[derive(Debug, Clone, Copy)]
pub(super) struct Luma<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) stride: usize,
    pub(super) pixels: &'a [u8],
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MotionConfig {}

#[derive(Debug)]
pub(super) struct MotionModel {
    background: Vec<f32>,
    blobs: Vec<Blob>,
}

impl MotionModel {
    pub(super) fn new(_: MotionConfig) -> Self {
        MotionModel { background: Vec::new(), blobs: Vec::new() }
    }

    pub(super) fn observe(&mut self, picture: &Luma<'_>, _at_ms: i64) -> &[Blob] {
        let now: Vec<f32> = (0..COLUMNS * ROWS).map(|cell| mean(picture, cell % COLUMNS, cell / COLUMNS)).collect();
        self.blobs.clear();
        if self.background.is_empty() {
            self.background = now;
            return &self.blobs;
        }
        let (mut left, mut top, mut right, mut bottom, mut cells) = (COLUMNS, ROWS, 0, 0, 0);
        for (cell, (seen, background)) in now.iter().zip(&mut self.background).enumerate() {
            if (seen - *background).abs() > DIFFERENCE_MIN {
                let (x, y) = (cell % COLUMNS, cell / COLUMNS);
                (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1));
                cells += 1;
            }
            *background += (seen - *background) * 0.02;
        }
        if cells >= CELLS_MIN {
            let (across, down) = (COLUMNS as f32, ROWS as f32);
            self.blobs.push(Blob {
                left: left as f32 / across,
                top: top as f32 / down,
                right: right as f32 / across,
                bottom: bottom as f32 / down,
                area: cells as f32 / (across * down),
            });
        }
        &self.blobs
    }
}

fn mean(picture: &Luma<'_>, column: usize, row: usize) -> f32 {
    let (x0, x1) = (column * picture.width / COLUMNS, (column + 1) * picture.width / COLUMNS);
    let (y0, y1) = (row * picture.height / ROWS, (row + 1) * picture.height / ROWS);
    let (mut sum, mut n) = (0u32, 0u32);
    for y in y0..y1 {
        for x in x0..x1 {
            sum += u32::from(picture.pixels.get(y * picture.stride + x).copied().unwrap_or(0));
            n += 1;
        }
    }
    sum as f32 / n.max(1) as f32
}
