//! A picture in colour that can be blackened and drawn on. Knows nothing of cameras.

use image::{ImageError, ImageFormat};

use outpost_detectors::observation::Blob;

use super::frame::{Colour, Frame};
use crate::objects::Picture;

/// Wider pictures are thinned for snapshots: evidence needs no 4K, and it is made while a commit waits.
const WIDTH_MAX: usize = 1920;

/// Sample lines per row of pixels when a mask is filled, so that slanting edges cover every pixel that they touch.
const LINES_PER_ROW: usize = 4;

pub(crate) struct Canvas {
    width: usize,
    height: usize,
    /// Three bytes a pixel, row-major.
    rgb: Vec<u8>,
}

impl Canvas {
    pub(crate) fn of(frame: &Frame) -> Result<Self, ImageError> {
        let step = frame.width.div_ceil(WIDTH_MAX).max(1);
        let (width, height) = (frame.width / step, frame.height / step);
        let mut rgb = Vec::with_capacity(width * height * 3);
        match &frame.colour {
            Colour::Jpeg(jpeg) => {
                let image = image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg)?.into_rgb8();
                let across = image.width() as usize;
                for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                    let at = (y * step * across + x * step) * 3;
                    rgb.extend_from_slice(image.as_raw().get(at..at + 3).unwrap_or(&[0; 3]));
                }
            }
            colour => {
                let halves = frame.width.div_ceil(2);
                for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y * step, x * step))) {
                    let (cb, cr) = match colour {
                        Colour::Quarter { cb, cr } => (cb[y / 2 * halves + x / 2], cr[y / 2 * halves + x / 2]),
                        _ => (128, 128),
                    };
                    rgb.extend(rgb_of(frame.luma[y * frame.width + x], cb, cr, frame.full_range));
                }
            }
        }
        Ok(Canvas { width, height, rgb })
    }

    /// To draw on a picture that others look at as well.
    pub(crate) fn again(picture: &Picture) -> Self {
        let Picture { width, height, rgb } = picture.clone();
        Canvas { width, height, rgb }
    }

    pub(crate) fn into_picture(self) -> Picture {
        Picture { width: self.width, height: self.height, rgb: self.rgb }
    }

    /// Blackens every pixel that the polygon (0..1) touches; even-odd where it crosses itself.
    pub(crate) fn blacken(&mut self, polygon: &[[f32; 2]]) {
        let points: Vec<[f32; 2]> = polygon.iter().map(|point| self.scaled(*point)).collect();
        if points.len() < 3 {
            return;
        }
        let mut crossings = Vec::with_capacity(points.len());
        for line in 0..=self.height * LINES_PER_ROW {
            // A hair beside the rows' borders, where corners often lie.
            let y = line as f32 / LINES_PER_ROW as f32 + 1e-3;
            crossings.clear();
            for (from, to) in points.iter().zip(points.iter().cycle().skip(1)) {
                if (from[1] <= y) != (to[1] <= y) {
                    crossings.push(from[0] + (y - from[1]) / (to[1] - from[1]) * (to[0] - from[0]));
                }
            }
            crossings.sort_by(f32::total_cmp);
            let row = (line / LINES_PER_ROW).min(self.height.saturating_sub(1));
            for pair in crossings.chunks_exact(2) {
                // Casts saturate: what lies outside ends at the border.
                let (from, to) = (pair[0].floor() as usize, (pair[1].ceil() as usize).min(self.width));
                if from < to {
                    self.rgb[(row * self.width + from) * 3..(row * self.width + to) * 3].fill(0);
                }
            }
        }
    }

    /// Draws a box.
    pub(crate) fn frame(&mut self, seen: &Blob, rgb: [u8; 3]) {
        let Blob { left, top, right, bottom, .. } = *seen;
        self.outline(&[[left, top], [right, top], [right, bottom], [left, bottom]], rgb);
    }

    /// Draws the closed line through the points (0..1), two pixels wide or more on large pictures.
    pub(crate) fn outline(&mut self, points: &[[f32; 2]], rgb: [u8; 3]) {
        let points: Vec<[f32; 2]> = points.iter().map(|point| self.scaled(*point)).collect();
        if points.len() < 2 {
            return;
        }
        let half = (self.width / 640 + 1) as isize;
        for (from, to) in points.iter().zip(points.iter().cycle().skip(1)) {
            let (across, down) = (to[0] - from[0], to[1] - from[1]);
            let steps = across.abs().max(down.abs()).ceil().max(1.0) as usize;
            for step in 0..=steps {
                let share = step as f32 / steps as f32;
                let (x, y) = ((from[0] + across * share) as isize, (from[1] + down * share) as isize);
                for (dx, dy) in (-half..half).flat_map(|dx| (-half..half).map(move |dy| (dx, dy))) {
                    self.dot(x + dx, y + dy, rgb);
                }
            }
        }
    }

    fn dot(&mut self, x: isize, y: isize, rgb: [u8; 3]) {
        if (0..self.width as isize).contains(&x) && (0..self.height as isize).contains(&y) {
            let at = (y as usize * self.width + x as usize) * 3;
            self.rgb[at..at + 3].copy_from_slice(&rgb);
        }
    }

    /// Pixels from 0..1. What lies outside is drawn at the border, which bounds the work as well.
    fn scaled(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let inside = |n: f32| if n.is_nan() { 0.0 } else { n.clamp(0.0, 1.0) };
        [inside(x) * self.width as f32, inside(y) * self.height as f32]
    }
}

/// ITU-R BT.601 in integers, limited or full range.
fn rgb_of(luma: u8, cb: u8, cr: u8, full_range: bool) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(luma), i32::from(cb) - 128, i32::from(cr) - 128);
    let (y, r, gb, gr, b) = match full_range {
        true => (y * 256, 359, 88, 183, 454),
        false => ((y - 16) * 298, 409, 100, 208, 516),
    };
    let level = |n: i32| ((n + 128) >> 8).clamp(0, 255) as u8;
    [level(y + r * cr), level(y - gb * cb - gr * cr), level(y + b * cb)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_stays_grey_and_the_primaries_come_out() {
        assert_eq!(rgb_of(16, 128, 128, false), [0, 0, 0]);
        assert_eq!(rgb_of(235, 128, 128, false), [255, 255, 255]);
        assert_eq!(rgb_of(200, 128, 128, true), [200, 200, 200]);
        let [r, g, b] = rgb_of(81, 90, 240, false);
        assert!(r > 250 && g < 5 && b < 5, "{r} {g} {b}");
    }

    #[test]
    fn wide_pictures_are_thinned() {
        let frame = Frame::new(3840, 8, vec![100; 3840 * 8], Colour::None).unwrap();
        let Picture { width, height, rgb } = Canvas::of(&frame).unwrap().into_picture();
        assert_eq!((width, height, rgb.len()), (1920, 4, 1920 * 4 * 3));
    }

    #[test]
    fn a_slanting_mask_covers_each_pixel_that_it_touches() {
        let frame = Frame::new(16, 16, vec![235; 256], Colour::None).unwrap();
        let mut canvas = Canvas::of(&frame).unwrap();
        canvas.blacken(&[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]);
        for (x, y) in (0..16).flat_map(|x| (0..16).map(move |y| (x, y))) {
            let black = canvas.rgb[(y * 16 + x) * 3] == 0;
            if x + y < 16 {
                assert!(black, "({x}, {y}) shows");
            } else if x + y > 17 {
                assert!(!black, "({x}, {y}) is hidden");
            }
        }
    }
}
