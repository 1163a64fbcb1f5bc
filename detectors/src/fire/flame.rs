//! Flames: cells that are coloured as fire is, and whose brightness flickers.
//!
//! Colour: the rules of T. Çelik and H. Demirel, "Fire detection in video sequences using a generic color model", Fire
//! Safety Journal 44 (2009), equations 4 to 9, with their threshold of 40. Flicker: brightness that changes its direction
//! again and again, after B. U. Töreyin et al., "Computer vision based method for real-time fire and flame detection",
//! Pattern Recognition Letters 27 (2006): what is only red, or moves through once, does not.

use ndarray::{Array2, ArrayView2, Zip};

use super::cells::{Cells, mean};
use super::{Sign, flicker_hz, sign_of};

/// Levels between red and blue difference.
const RED_OVER_BLUE_MIN: i16 = 40;
/// Steps of brightness below this are noise.
const STEP_MIN: i16 = 4;
/// Share of the pictures in which a cell must be coloured so.
const SHARE_MIN: f32 = 0.2;
/// Turns of a cell's brightness, a second.
const FLICKER_HZ_MIN: f32 = 2.0;
/// Of 14,400 or so.
const CELLS_MIN: usize = 4;

pub(super) fn look(pictures: &[(i64, Cells)], is_seen: ArrayView2<u8>) -> Option<Sign> {
    let coloured: Vec<Array2<u8>> = pictures.iter().map(|(_, cells)| coloured(cells)).collect();
    let flicker = flicker_hz(pictures, STEP_MIN);
    let mut shares: Array2<f32> = Array2::zeros(is_seen.dim());
    coloured.iter().for_each(|picture| shares.zip_mut_with(picture, |share, is| *share += f32::from(*is)));
    shares /= pictures.len().max(1) as f32;
    let mut mask: Array2<u8> = Array2::zeros(is_seen.dim());
    Zip::from(&mut mask).and(&shares).and(&flicker).and(is_seen).for_each(|is, share, hz, seen| {
        *is = *seen & u8::from(*share >= SHARE_MIN && *hz >= FLICKER_HZ_MIN);
    });
    let (columns, third) = (is_seen.ncols().max(1), (coloured.len() / 3).max(1));
    let area = |cells: &[u32], pictures: &[Array2<u8>]| {
        let lit = |picture: &Array2<u8>| -> u32 {
            cells.iter().map(|cell| u32::from(picture[(*cell as usize / columns, *cell as usize % columns)])).sum()
        };
        pictures.iter().map(lit).sum::<u32>() as f32 / third as f32
    };
    sign_of(mask, CELLS_MIN, flicker.view(), |cells| {
        (area(cells, &coloured[..third]), area(cells, &coloured[coloured.len() - third..]))
    })
}

/// 1 where a cell is coloured as fire is.
fn coloured(cells: &Cells) -> Array2<u8> {
    let (luma_mean, cb_mean, cr_mean) = (mean(&cells.luma), mean(&cells.cb), mean(&cells.cr));
    Zip::from(&cells.luma).and(&cells.cb).and(&cells.cr).map_collect(|&luma, &cb, &cr| {
        let stands_out = f32::from(luma) > luma_mean && f32::from(cb) < cb_mean && f32::from(cr) > cr_mean;
        let is_fiery = luma > cb && cr > cb && i16::from(cr) - i16::from(cb) >= RED_OVER_BLUE_MIN;
        u8::from(stands_out && is_fiery)
    })
}
