//! Smoke: cells that are grey and soft, and whose brightness drifts for most of the look.
//!
//! Colour: grey of middle brightness, after T.-H. Chen et al., "The smoke detection for early fire-alarming system base on
//! video processing", IIH-MSP 2006. Drift: what walks or drives by changes a cell for a moment and by leaps, leaves and water
//! by leaps to and fro; a plume changes it slowly, and all the time. What the whole picture does, by its exposure, is taken off
//! first. Thin and far smoke is missed: `benches/RESULTS.md`, K, says how often.

use ndarray::{Array2, ArrayView2, Zip};

use super::cells::Cells;
use super::{Sign, flicker_hz, sign_of};

/// Brightness is compared with that of so long ago.
const LAG_MS: i64 = 1_000;
/// Levels within [`LAG_MS`]: less is noise, more is a thing.
const DRIFT: std::ops::RangeInclusive<i16> = 3..=45;
/// Share of the look in which a cell drifts, and is grey: most of it.
const DRIFTING_MIN: f32 = 0.6;
/// What a cell changes from picture to picture, as a share of what it does within [`LAG_MS`]: more is by leaps.
const LEAPS_MAX: f32 = 0.35;
/// Deviation of the colours from grey.
const GREY_MAX: u8 = 14;
const BRIGHTNESS: std::ops::RangeInclusive<u8> = 70..=225;
/// Mean difference from a cell to those beside it: smoke has no edges.
const EDGES_MAX: f32 = 8.0;
/// Share of the picture that one plume takes.
const AREA_MIN: f32 = 0.01;
const STEP_MIN: i16 = 4;

/// Sums over the look, of each cell.
struct Sums {
    n_drifting: Array2<u16>,
    n_grey: Array2<u16>,
    drift: Array2<u32>,
    leaps: Array2<u32>,
    edges: Array2<u32>,
    n_compared: u16,
}

pub(super) fn look(pictures: &[(i64, Cells)], is_seen: ArrayView2<u8>) -> Option<Sign> {
    let size = is_seen.dim();
    let (sums, drifting) = sums(pictures, size);
    if sums.n_compared == 0 {
        return None;
    }
    let n = f32::from(sums.n_compared);
    let mask = Array2::from_shape_fn(size, |at| {
        let is_drifting = f32::from(sums.n_drifting[at]) >= DRIFTING_MIN * n;
        let is_grey = f32::from(sums.n_grey[at]) >= DRIFTING_MIN * n;
        let is_slow = (sums.leaps[at] as f32) <= LEAPS_MAX * sums.drift[at] as f32;
        let is_soft = sums.edges[at] as f32 <= EDGES_MAX * n;
        is_seen[at] & u8::from(is_drifting && is_grey && is_slow && is_soft)
    });
    let cells_min = ((size.0 * size.1) as f32 * AREA_MIN).ceil() as usize;
    let (columns, third) = (size.1.max(1), (drifting.len() / 3).max(1));
    let area = |cells: &[u32], pictures: &[Array2<u8>]| {
        let moved = |picture: &Array2<u8>| -> u32 {
            cells.iter().map(|cell| u32::from(picture[(*cell as usize / columns, *cell as usize % columns)])).sum()
        };
        pictures.iter().map(moved).sum::<u32>() as f32 / third as f32
    };
    sign_of(mask, cells_min, flicker_hz(pictures, STEP_MIN).view(), |cells| {
        (area(cells, &drifting[..third]), area(cells, &drifting[drifting.len() - third..]))
    })
}

/// With the cells that drift, picture by picture.
fn sums(pictures: &[(i64, Cells)], size: (usize, usize)) -> (Sums, Vec<Array2<u8>>) {
    let (counts, levels) = (|| Array2::zeros(size), || Array2::zeros(size));
    let mut sums = Sums {
        n_drifting: counts(),
        n_grey: counts(),
        drift: levels(),
        leaps: levels(),
        edges: levels(),
        n_compared: 0,
    };
    let (mut drifting, mut long_ago) = (Vec::new(), 0);
    for now in 1..pictures.len() {
        let (at_ms, cells) = &pictures[now];
        while long_ago + 1 < now && at_ms - pictures[long_ago + 1].0 >= LAG_MS {
            long_ago += 1;
        }
        if at_ms - pictures[long_ago].0 < LAG_MS {
            continue;
        }
        let (before, last) = (&pictures[long_ago].1, &pictures[now - 1].1);
        let (lately, meanwhile) = (shift(&cells.luma, &last.luma), shift(&cells.luma, &before.luma));
        let drifts = Zip::from(&cells.luma)
            .and(&before.luma)
            .map_collect(|now, before| u8::from(DRIFT.contains(&way(*now, *before, meanwhile))));
        sums.n_drifting.zip_mut_with(&drifts, |n, drifts| *n += u16::from(*drifts));
        let add = |shift: i16| {
            move |sum: &mut u32, now: &u8, then: &u8| *sum += u32::from(way(*now, *then, shift).unsigned_abs())
        };
        Zip::from(&mut sums.drift).and(&cells.luma).and(&before.luma).for_each(add(meanwhile));
        Zip::from(&mut sums.leaps).and(&cells.luma).and(&last.luma).for_each(add(lately));
        Zip::from(&mut sums.n_grey).and(&cells.luma).and(&cells.cb).and(&cells.cr).for_each(|n, luma, cb, cr| {
            let is_grey = cb.abs_diff(128) <= GREY_MAX && cr.abs_diff(128) <= GREY_MAX;
            *n += u16::from(is_grey && BRIGHTNESS.contains(luma));
        });
        add_edges(&mut sums.edges, &cells.luma);
        sums.n_compared += 1;
        drifting.push(drifts);
    }
    (sums, drifting)
}

/// How far a level went beside the whole picture's shift.
fn way(now: u8, then: u8, shift: i16) -> i16 {
    (i16::from(now) - i16::from(then) - shift).abs()
}

/// By how many levels the picture as a whole became brighter: the median of its cells, which what moves does not reach.
fn shift(now: &Array2<u8>, then: &Array2<u8>) -> i16 {
    let mut counts = [0_usize; 511];
    now.iter().zip(then).for_each(|(now, then)| counts[255 + usize::from(*now) - usize::from(*then)] += 1);
    let mut rest = now.len() / 2;
    let median = counts.iter().position(|count| {
        let is_it = *count > rest;
        rest = rest.saturating_sub(*count);
        is_it
    });
    median.unwrap_or(255) as i16 - 255
}

/// Adds the mean difference of each cell to the next one in its row and in its column.
fn add_edges(edges: &mut Array2<u32>, luma: &Array2<u8>) {
    let (rows, columns) = luma.dim();
    for ((row, column), sum) in edges.indexed_iter_mut() {
        let level = luma[(row, column)];
        let right = luma[(row, (column + 1).min(columns - 1))];
        let below = luma[((row + 1).min(rows - 1), column)];
        *sum += (u32::from(level.abs_diff(right)) + u32::from(level.abs_diff(below))) / 2;
    }
}
