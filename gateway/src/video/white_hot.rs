//! Thermal video whose brightness tells warmer from colder, as thermal frames: thinned, masked, a few a second. Knows nothing of
//! rules.

use std::sync::Arc;

use ndarray::Array2;
use outpost_detectors::observation::{Scale, Surface, ThermalFrame};

use super::canvas::Canvas;
use super::frame::{Colour, Frame};
use crate::decode::SIDE_MAX;

/// Least time between two frames: heat changes slowly, and all of a camera's frames would be a third of a million numbers each.
const SPACING_MS: i64 = 200;

/// White of a picture that masks are tried on.
const WHITE: u8 = 235;

#[derive(Debug, Clone, Default)]
pub(crate) struct WhiteHot {
    masks: Vec<Vec<[f32; 2]>>,
    last_ms: Option<i64>,
    /// Size of the last frame, and which of its pixels are masked; none where nothing is.
    masked: Option<((usize, usize), Vec<bool>)>,
}

impl WhiteHot {
    pub(crate) fn new(masks: Vec<Vec<[f32; 2]>>) -> WhiteHot {
        WhiteHot { masks, ..WhiteHot::default() }
    }

    /// What a picture shows; none where one was shown a moment ago. Masked pixels are bad ones.
    pub(crate) fn frame(&mut self, frame: &Frame, received_ms: i64) -> Option<ThermalFrame> {
        let since_ms = self.last_ms.map(|last_ms| received_ms.saturating_sub(last_ms));
        // A clock that was set back must not end it.
        if since_ms.is_some_and(|since_ms| (0..SPACING_MS).contains(&since_ms)) {
            return None;
        }
        self.last_ms = Some(received_ms);
        let mut levels = thinned(frame);
        self.mask(&mut levels);
        Some(ThermalFrame { celsius: Arc::new(levels), scale: Scale::Levels, surface: Surface::default(), aim: None })
    }

    fn mask(&mut self, levels: &mut Array2<f32>) {
        if self.masks.is_empty() {
            return;
        }
        let size = levels.dim();
        if self.masked.as_ref().is_none_or(|(of, _)| *of != size) {
            self.masked = Some((size, masked(&self.masks, size)));
        }
        if let Some((_, masked)) = &self.masked {
            levels.iter_mut().zip(masked).filter(|(_, is)| **is).for_each(|(level, _)| *level = f32::NAN);
        }
    }
}

/// Means of boxes, so that no side is longer than that of an imager's matrix.
fn thinned(frame: &Frame) -> Array2<f32> {
    let step = frame.width.max(frame.height).div_ceil(SIDE_MAX).max(1);
    let (rows, columns) = ((frame.height / step).max(1), (frame.width / step).max(1));
    let (high, wide) = (step.min(frame.height), step.min(frame.width));
    Array2::from_shape_fn((rows, columns), |(row, column)| {
        let lines = (row * step..row * step + high).map(|y| &frame.luma[y * frame.width + column * step..][..wide]);
        let sum: u32 = lines.flatten().map(|level| u32::from(*level)).sum();
        sum as f32 / (high * wide) as f32
    })
}

/// Of each pixel whether a mask touches it, as snapshots have it.
fn masked(masks: &[Vec<[f32; 2]>], (rows, columns): (usize, usize)) -> Vec<bool> {
    let white = Frame::new(columns, rows, vec![WHITE; rows * columns], Colour::None);
    let Some(mut canvas) = white.ok().and_then(|white| Canvas::of(&white).ok()) else {
        // What cannot be masked is not shown.
        return vec![true; rows * columns];
    };
    masks.iter().for_each(|mask| canvas.blacken(mask));
    canvas.into_picture().rgb.chunks_exact(3).map(|pixel| pixel[0] == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: usize, height: usize, level: impl Fn(usize, usize) -> u8) -> Frame {
        let luma = (0..width * height).map(|at| level(at / width, at % width)).collect();
        Frame::new(width, height, luma, Colour::None).unwrap()
    }

    #[test]
    fn levels_are_those_of_the_picture_but_where_it_is_masked() {
        let mut camera = WhiteHot::new(vec![vec![[0.0, 0.0], [0.5, 0.0], [0.5, 0.5], [0.0, 0.5]]]);
        let shown = camera.frame(&frame(8, 6, |row, column| (row * 20 + column) as u8), 1_000).unwrap();
        assert_eq!((shown.scale, shown.celsius.dim()), (Scale::Levels, (6, 8)));
        assert_eq!((shown.celsius[[5, 7]], shown.celsius[[0, 5]]), (107.0, 5.0));
        assert!(shown.celsius[[0, 0]].is_nan() && shown.celsius[[2, 3]].is_nan());
        let n_masked = shown.celsius.iter().filter(|level| level.is_nan()).count();
        assert!((12..=20).contains(&n_masked), "{n_masked}: those that the mask touches");
    }

    #[test]
    fn large_pictures_are_thinned_and_many_are_passed_over() {
        let mut camera = WhiteHot::new(Vec::new());
        let large = frame(2_500, 30, |_, column| if column < 1_250 { 10 } else { 30 });
        let shown = camera.frame(&large, 0).unwrap();
        assert_eq!(shown.celsius.dim(), (10, 833));
        assert_eq!((shown.celsius[[9, 0]], shown.celsius[[0, 832]]), (10.0, 30.0));
        let times = [100, 199, 200, 350, 400, 50, 90, 250];
        let taken: Vec<i64> = times.into_iter().filter(|at_ms| camera.frame(&large, *at_ms).is_some()).collect();
        assert_eq!(taken, [200, 400, 50, 250], "also after the clock was set back");
        assert_eq!(thinned(&frame(3_000, 1, |_, _| 7)).dim(), (1, 1_000));
    }
}
