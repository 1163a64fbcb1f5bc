//! Flame and smoke in a visible camera's pictures over a few seconds: by colour, flicker and growth. Knows nothing of codecs
//! or of who asks.
//!
//! - [`cells`]: a picture's colours and their small working copy
//! - `flame`: what is coloured as fire is and flickers
//! - `smoke`: what is grey and soft and drifts

pub mod cells;
mod flame;
mod smoke;

use ndarray::{Array2, ArrayView2};

use self::cells::{Cells, Planes};
use crate::mask::contains;
use crate::observation::Blob;
use crate::regions::take_regions;

/// Pictures closer than this to the last one are passed over: flames flicker at 1 to 10 Hz (Hamins, Yang and Kashiwagi,
/// "An experimental investigation of the pulsation frequency of flames", 1992), and ten pictures a second show it.
pub const SPACING_MS: i64 = 90;
/// Pictures of one look.
pub const PICTURES_MAX: usize = 128;

/// Fewer pictures, or a shorter time, tell nothing.
const PICTURES_MIN: usize = 20;
const SPAN_MS_MIN: i64 = 3_000;

/// A picture whose colours deviate from grey by less than this in the mean has none: infrared light at night.
const COLOUR_MIN: f32 = 0.75;
/// Mean brightness below which smoke would not be seen.
const DARK_MAX: f32 = 45.0;

/// Boxes that a sign tells.
const BOXES_MAX: usize = 8;

/// A close look at one camera: pictures of a few seconds, small.
#[derive(Debug, Clone, Default)]
pub struct Closeup {
    /// Polygons in shares of the picture; nothing is looked for in them.
    masks: Vec<Vec<[f32; 2]>>,
    pictures: Vec<(i64, Cells)>,
}

/// What a close look shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    Flame(Sign),
    Smoke(Sign),
    /// Neither of them, in pictures that would have shown them.
    Neither,
    Unclear(Unclear),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sign {
    /// Of the picture, 0..1.
    pub share: f32,
    /// The largest first.
    pub boxes: Vec<Blob>,
    /// Changes of direction of the brightness, a second, in the mean of its cells.
    pub flicker_hz: f32,
    /// Of its area, from the first third of the look to the last; 1 where it stayed as large.
    pub growth: f32,
}

/// Why nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclear {
    TooFewPictures,
    /// By infrared light a flame has no colour.
    Colourless,
    /// Without a flame, smoke would not be seen.
    Dark,
}

impl Closeup {
    pub fn new(masks: Vec<Vec<[f32; 2]>>) -> Closeup {
        Closeup { masks, pictures: Vec::new() }
    }

    /// Takes a picture; one that comes too soon after the last is passed over, and one of another size begins anew.
    pub fn look(&mut self, planes: &Planes, at_ms: i64) {
        let last = self.pictures.last();
        if last.is_some_and(|(last_ms, _)| (0..SPACING_MS).contains(&at_ms.saturating_sub(*last_ms))) {
            return;
        }
        let Some(cells) = Cells::of(planes) else { return };
        // A clock that was set back would else make a look without end.
        if last.is_some_and(|(last_ms, last)| *last_ms > at_ms || last.luma.dim() != cells.luma.dim()) {
            self.pictures.clear();
        }
        if self.pictures.len() < PICTURES_MAX {
            self.pictures.push((at_ms, cells));
        }
    }

    pub fn span_ms(&self) -> i64 {
        let ends = self.pictures.first().zip(self.pictures.last());
        ends.map_or(0, |((first_ms, _), (last_ms, _))| last_ms.saturating_sub(*first_ms))
    }

    pub fn is_full(&self) -> bool {
        self.pictures.len() >= PICTURES_MAX
    }

    pub fn evidence(&self) -> Evidence {
        if self.pictures.len() < PICTURES_MIN || self.span_ms() < SPAN_MS_MIN {
            return Evidence::Unclear(Unclear::TooFewPictures);
        }
        let middle = &self.pictures[self.pictures.len() / 2].1;
        if middle.colour() < COLOUR_MIN {
            return Evidence::Unclear(Unclear::Colourless);
        }
        let is_seen = self.seen(middle.luma.dim());
        if let Some(sign) = flame::look(&self.pictures, is_seen.view()) {
            return Evidence::Flame(sign);
        }
        if middle.brightness() < DARK_MAX {
            return Evidence::Unclear(Unclear::Dark);
        }
        smoke::look(&self.pictures, is_seen.view()).map_or(Evidence::Neither, Evidence::Smoke)
    }

    /// 0 for each cell whose middle is masked.
    fn seen(&self, (rows, columns): (usize, usize)) -> Array2<u8> {
        Array2::from_shape_fn((rows, columns), |(row, column)| {
            let (x, y) = ((column as f32 + 0.5) / columns as f32, (row as f32 + 0.5) / rows as f32);
            u8::from(!self.masks.iter().any(|polygon| contains(polygon, x, y)))
        })
    }
}

/// Regions of a mask that have enough cells, as one sign; none where there are none. `flicker_hz` is of each cell, and
/// `areas` are how many of the cells that are set showed it in the first and in the last third of the look.
fn sign_of(
    mut mask: Array2<u8>,
    cells_min: usize,
    flicker_hz: ArrayView2<f32>,
    areas: impl Fn(&[u32]) -> (f32, f32),
) -> Option<Sign> {
    let (rows, columns) = mask.dim();
    let (mut kept, mut boxes): (Vec<u32>, Vec<Blob>) = (Vec::new(), Vec::new());
    let n_cells = (rows * columns) as f32;
    take_regions(mask.as_slice_mut()?, columns, &mut Vec::new(), |cells| {
        if cells.len() >= cells_min {
            kept.extend_from_slice(cells);
            boxes.push(box_of(cells, (rows, columns)));
        }
    });
    if kept.is_empty() {
        return None;
    }
    boxes.sort_by(|a, b| b.area.total_cmp(&a.area));
    boxes.truncate(BOXES_MAX);
    let at = |cell: &u32| (*cell as usize / columns, *cell as usize % columns);
    let flicker: f32 = kept.iter().map(|cell| flicker_hz[at(cell)]).sum();
    let (first, last) = areas(&kept);
    Some(Sign {
        share: kept.len() as f32 / n_cells,
        boxes,
        flicker_hz: flicker / kept.len() as f32,
        growth: (last + 1.0) / (first + 1.0),
    })
}

fn box_of(cells: &[u32], (rows, columns): (usize, usize)) -> Blob {
    let (mut left, mut top, mut right, mut bottom) = (columns, rows, 0, 0);
    for cell in cells {
        let (row, column) = (*cell as usize / columns, *cell as usize % columns);
        (left, right) = (left.min(column), right.max(column + 1));
        (top, bottom) = (top.min(row), bottom.max(row + 1));
    }
    let (x, y) = (|column: usize| column as f32 / columns as f32, |row: usize| row as f32 / rows as f32);
    let area = cells.len() as f32 / (rows * columns) as f32;
    Blob { left: x(left), top: y(top), right: x(right), bottom: y(bottom), area }
}

/// Changes of direction of each cell's brightness, a second; steps below `step_min` levels are noise.
fn flicker_hz(pictures: &[(i64, Cells)], step_min: i16) -> Array2<f32> {
    let Some(((first_ms, first), (last_ms, _))) = pictures.first().zip(pictures.last()) else {
        return Array2::zeros((0, 0));
    };
    let mut way: Array2<i8> = Array2::zeros(first.luma.dim());
    let mut turns: Array2<u16> = Array2::zeros(first.luma.dim());
    for pair in pictures.windows(2) {
        let levels = ndarray::Zip::from(&pair[0].1.luma).and(&pair[1].1.luma);
        levels.and(&mut way).and(&mut turns).for_each(|before, after, way, turns| {
            let step = i16::from(*after) - i16::from(*before);
            if step.abs() >= step_min {
                let now = step.signum() as i8;
                *turns += u16::from(*way == -now);
                *way = now;
            }
        });
    }
    let span_s = last_ms.saturating_sub(*first_ms).max(1) as f32 / 1000.0;
    turns.mapv(|turns| f32::from(turns) / span_s)
}

#[cfg(test)]
mod tests;
