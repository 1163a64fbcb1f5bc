//! Finds hot regions in a frame of temperatures.
//!
//! - [`statistics`]: extremes, mean, median and histogram of a frame
//! - [`areas`]: areas with limits of their own, shields, areas compared with each other
//! - [`grey`]: other emissivities than the imager's
//! - [`median`]: what a frame is like in the middle
//! - [`trace`]: what a region does over several frames; knows time, all else here does not

pub mod areas;
mod grey;
mod median;
pub mod statistics;
pub mod trace;

use std::ops::Range;

use ndarray::ArrayView2;

use crate::latch::Signal;
use crate::regions::take_regions_within;
use median::survey;
use statistics::{CHUNK, Statistics};

/// A frame with a larger share of bad pixels and no hot region says nothing: neither hot nor well.
const BAD_SHARE_MAX: f32 = 0.5;

/// Side of the tiles that a local background is taken from, pixels.
const TILE: usize = 32;

/// What counts as hot. Where both limits are given a pixel must exceed both: a yard in the summer sun is over 50 °C
/// and not over its background.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hotspot {
    above_c: Option<f32>,
    over_background_k: Option<f32>,
    pixels_min: usize,
    background: Background,
}

/// What is around a hot pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Background {
    /// The median of the frame.
    #[default]
    Frame,
    /// The median of the medians of the tile that the pixel is in and those around it, tiles of 32x32 pixels: on a hillside
    /// under a cold sky the frame's median is neither's.
    Local,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HotspotError {
    #[error("neither `above` nor `over_background` is given")]
    NoLimit,
    #[error("{name} is not a finite number")]
    NotFinite { name: &'static str },
    #[error("`pixels_min` is 0: a region has at least one pixel")]
    NoPixels,
}

/// What a frame showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heat {
    pub signal: Signal,
    /// What the hottest region, or without one the hottest pixel, is compared with; none where no pixel is good.
    pub background_c: Option<f32>,
    pub statistics: Statistics,
    /// The hottest of the regions that are large enough.
    pub region: Option<Region>,
}

/// Hot pixels that touch, corners included. Rows and columns count from 0, row 0 at the top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    pub row_first: usize,
    pub row_last: usize,
    pub column_first: usize,
    pub column_last: usize,
    pub n_pixels: usize,
    pub max_c: f32,
    pub mean_c: f32,
    /// Row and column of the middle of the pixels.
    pub centroid: (f32, f32),
}

/// Memory that is reused from frame to frame; belongs to nobody in particular.
#[derive(Debug, Default)]
pub struct HotspotScratch {
    celsius: Vec<f32>,
    within: Vec<f32>,
    good: Vec<f32>,
    peaks: Vec<f32>,
    tiles: Vec<f32>,
    backgrounds: Vec<f32>,
    mask: Vec<u8>,
    cells: Vec<u32>,
}

impl Hotspot {
    pub fn new(
        above_c: Option<f32>,
        over_background_k: Option<f32>,
        pixels_min: usize,
    ) -> Result<Hotspot, HotspotError> {
        for (name, value) in [("`above`", above_c), ("`over_background`", over_background_k)] {
            if value.is_some_and(|value| !value.is_finite()) {
                return Err(HotspotError::NotFinite { name });
            }
        }
        if above_c.is_none() && over_background_k.is_none() {
            return Err(HotspotError::NoLimit);
        }
        if pixels_min == 0 {
            return Err(HotspotError::NoPixels);
        }
        Ok(Hotspot { above_c, over_background_k, pixels_min, background: Background::Frame })
    }

    pub fn with_background(self, background: Background) -> Hotspot {
        Hotspot { background, ..self }
    }

    /// On where a region is large enough, Off where none is, Between where the frame says nothing (no pixels, or
    /// mostly bad ones). `frame` is degrees Celsius by row and column.
    pub fn judge(&self, frame: ArrayView2<f32>, scratch: &mut HotspotScratch) -> Heat {
        let columns = frame.ncols();
        if let Some(pixels) = frame.as_slice() {
            return self.judge_pixels(pixels, columns, 0, scratch);
        }
        let mut celsius = std::mem::take(&mut scratch.celsius);
        celsius.clear();
        celsius.extend(frame.iter());
        let heat = self.judge_pixels(&celsius, columns, 0, scratch);
        scratch.celsius = celsius;
        heat
    }

    /// Every region of a frame that is large enough, the hottest first.
    pub fn regions(&self, frame: ArrayView2<f32>, scratch: &mut HotspotScratch) -> Vec<Region> {
        let columns = frame.ncols();
        let pixels: Vec<f32> = frame.iter().copied().collect();
        let (_, frame_c) = survey(&pixels, columns, &mut scratch.peaks, &mut scratch.good);
        let mut regions = Vec::new();
        self.each_region(&pixels, columns, frame_c, scratch, |region| regions.push(region));
        regions.sort_by(|a, b| b.max_c.total_cmp(&a.max_c));
        regions
    }

    /// `n_outside` of the pixels are no finite numbers because they are not looked at, and are not bad.
    fn judge_pixels(&self, pixels: &[f32], columns: usize, n_outside: usize, scratch: &mut HotspotScratch) -> Heat {
        let (mut statistics, frame_c) = survey(pixels, columns, &mut scratch.peaks, &mut scratch.good);
        statistics.n_bad -= n_outside;
        let Some(range) = statistics.range else { return Heat { statistics, ..Heat::default() } };
        let mut region: Option<Region> = None;
        self.each_region(pixels, columns, frame_c, scratch, |found| {
            if region.is_none_or(|region| found.max_c > region.max_c) {
                region = Some(found);
            }
        });
        let background_c = match self.background {
            Background::Frame => frame_c,
            Background::Local => {
                let place = region.map_or(range.hottest, |Region { centroid: (row, column), .. }| {
                    (row.round() as usize, column.round() as usize)
                });
                Some(scratch.backgrounds[place.0 / TILE * columns.div_ceil(TILE) + place.1 / TILE])
            }
        };
        let mostly_bad = statistics.n_bad as f32 > BAD_SHARE_MAX * (pixels.len() - n_outside) as f32;
        let signal = match region {
            Some(_) => Signal::On,
            None if mostly_bad => Signal::Between,
            None => Signal::Off,
        };
        Heat { signal, background_c, statistics, region }
    }

    /// Shows each region that is large enough. `frame_c` is the median of the frame, which was surveyed with this scratch.
    fn each_region(
        &self,
        pixels: &[f32],
        columns: usize,
        frame_c: Option<f32>,
        scratch: &mut HotspotScratch,
        mut each: impl FnMut(Region),
    ) {
        let (absolute_c, over_k) = (self.above_c.unwrap_or(f32::NEG_INFINITY), self.over_background_k);
        let HotspotScratch { good, peaks, tiles, backgrounds, mask, cells, .. } = scratch;
        // What was set for the frame before has been taken away with its regions.
        mask.resize(pixels.len(), 0);
        let mut marked: Option<Range<usize>> = None;
        if self.background == Background::Local {
            local_backgrounds(pixels, columns, good, tiles, backgrounds);
        }
        match (self.background, over_k) {
            (Background::Local, Some(over_k)) => {
                let across = columns.div_ceil(TILE);
                let lines = pixels.chunks_exact(columns.max(1)).zip(mask.chunks_exact_mut(columns.max(1)));
                for (row, (line, mask)) in lines.enumerate() {
                    let backgrounds = &backgrounds[row / TILE * across..][..across];
                    for ((chunk, mask), background_c) in line.chunks(TILE).zip(mask.chunks_mut(TILE)).zip(backgrounds) {
                        mark(mask, chunk, absolute_c.max(background_c + over_k));
                    }
                }
                marked = Some(0..pixels.len());
            }
            (_, over_k) => {
                let over_c = over_k.zip(frame_c).map_or(f32::NEG_INFINITY, |(over_k, frame_c)| frame_c + over_k);
                let limit_c = absolute_c.max(over_c);
                let chunks = pixels.chunks(CHUNK).zip(mask.chunks_mut(CHUNK)).zip(peaks.iter());
                for (number, ((chunk, mask), _)) in chunks.enumerate().filter(|(_, (_, peak_c))| **peak_c > limit_c) {
                    mark(mask, chunk, limit_c);
                    let from = marked.map_or(number * CHUNK, |marked| marked.start);
                    marked = Some(from..number * CHUNK + chunk.len());
                }
            }
        }
        let Some(marked) = marked else { return };
        take_regions_within(mask, marked, columns, cells, |cells| {
            if cells.len() >= self.pixels_min {
                each(Region::of(cells, pixels, columns));
            }
        });
    }
}

/// A limit that is no number has none over it: nothing is hot where the background is unknown.
fn mark(mask: &mut [u8], pixels: &[f32], limit_c: f32) {
    for (hot, &pixel_c) in mask.iter_mut().zip(pixels) {
        *hot = u8::from((pixel_c > limit_c) & (pixel_c < f32::INFINITY));
    }
}

/// Of each tile, row by row, what is around it. Tiles without a good pixel have none, and where there are none around them
/// either, NaN.
fn local_backgrounds(
    pixels: &[f32],
    columns: usize,
    good: &mut Vec<f32>,
    tiles: &mut Vec<f32>,
    backgrounds: &mut Vec<f32>,
) {
    tiles.clear();
    backgrounds.clear();
    if columns == 0 {
        return;
    }
    let rows = pixels.len() / columns;
    let (down, across) = (rows.div_ceil(TILE), columns.div_ceil(TILE));
    let middle = |good: &mut Vec<f32>| {
        let rank = good.len() / 2;
        if good.is_empty() { f32::NAN } else { *good.select_nth_unstable_by(rank, f32::total_cmp).1 }
    };
    for (tile_row, tile_column) in (0..down).flat_map(|row| (0..across).map(move |column| (row, column))) {
        good.clear();
        for row in tile_row * TILE..(tile_row * TILE + TILE).min(rows) {
            let from = row * columns + tile_column * TILE;
            let to = row * columns + (tile_column * TILE + TILE).min(columns);
            good.extend(pixels[from..to].iter().filter(|pixel_c| pixel_c.is_finite()));
        }
        tiles.push(middle(good));
    }
    for (tile_row, tile_column) in (0..down).flat_map(|row| (0..across).map(move |column| (row, column))) {
        good.clear();
        for row in tile_row.saturating_sub(1)..(tile_row + 2).min(down) {
            let line = &tiles[row * across..][..across];
            let around = &line[tile_column.saturating_sub(1)..(tile_column + 2).min(across)];
            good.extend(around.iter().filter(|tile_c| tile_c.is_finite()));
        }
        backgrounds.push(middle(good));
    }
}

impl Heat {
    pub fn max_c(&self) -> Option<f32> {
        self.statistics.range.map(|range| range.max_c)
    }
}

impl Default for Heat {
    /// Of a frame that says nothing.
    fn default() -> Self {
        Heat { signal: Signal::Between, background_c: None, statistics: Statistics::default(), region: None }
    }
}

impl Region {
    fn of(cells: &[u32], celsius: &[f32], columns: usize) -> Region {
        let mut region = Region {
            row_first: usize::MAX,
            row_last: 0,
            column_first: usize::MAX,
            column_last: 0,
            n_pixels: cells.len(),
            max_c: f32::NEG_INFINITY,
            mean_c: 0.0,
            centroid: (0.0, 0.0),
        };
        // Sums in f64: a frame of a million pixels would lose whole degrees in f32.
        let (mut sum_c, mut sum_row, mut sum_column) = (0.0_f64, 0.0_f64, 0.0_f64);
        for &cell in cells {
            let (row, column) = (cell as usize / columns, cell as usize % columns);
            let pixel_c = celsius[cell as usize];
            region.row_first = region.row_first.min(row);
            region.row_last = region.row_last.max(row);
            region.column_first = region.column_first.min(column);
            region.column_last = region.column_last.max(column);
            region.max_c = region.max_c.max(pixel_c);
            sum_c += f64::from(pixel_c);
            sum_row += row as f64;
            sum_column += column as f64;
        }
        let n = cells.len() as f64;
        region.mean_c = (sum_c / n) as f32;
        region.centroid = ((sum_row / n) as f32, (sum_column / n) as f32);
        region
    }
}

#[cfg(test)]
mod tests;
