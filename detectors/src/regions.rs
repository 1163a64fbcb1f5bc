//! Connected regions of a mask, by their eight neighbours. Knows nothing of what a cell means.

use std::ops::Range;

/// Takes the set cells (non-zero) of a row-major `mask` away, region by region, and shows each region's cell numbers
/// in `cells`, a scratch that is reused. Bounded by the mask: each cell is visited once. Leaves nothing set in whole rows.
pub(crate) fn take_regions(mask: &mut [u8], columns: usize, cells: &mut Vec<u32>, each: impl FnMut(&[u32])) {
    take_regions_within(mask, 0..mask.len(), columns, cells, each);
}

/// As [`take_regions`], where no cell outside of `stretch` is set.
pub(crate) fn take_regions_within(
    mask: &mut [u8],
    stretch: Range<usize>,
    columns: usize,
    cells: &mut Vec<u32>,
    mut each: impl FnMut(&[u32]),
) {
    if columns == 0 {
        return;
    }
    let rows = mask.len() / columns;
    let (mut from, end) = (stretch.start, stretch.end.min(rows * columns));
    while let Some(first) = next_set(&mask[..end], from) {
        from = first + 1;
        cells.clear();
        mask[first] = 0;
        cells.push(first as u32);
        let mut next = 0;
        while let Some(&cell) = cells.get(next) {
            next += 1;
            let (row, column) = (cell as usize / columns, cell as usize % columns);
            for row in row.saturating_sub(1)..(row + 2).min(rows) {
                for column in column.saturating_sub(1)..(column + 2).min(columns) {
                    let neighbour = row * columns + column;
                    if mask[neighbour] != 0 {
                        mask[neighbour] = 0;
                        cells.push(neighbour as u32);
                    }
                }
            }
        }
        each(cells);
    }
}

/// The first set cell at or after `from`. Skips empty stretches by words: nearly all of a quiet mask is empty.
pub(crate) fn next_set(mask: &[u8], from: usize) -> Option<usize> {
    const WORD: usize = 32;
    let mut at = from;
    while at + WORD <= mask.len() && mask[at..at + WORD].iter().fold(0, |any, &cell| any | cell) == 0 {
        at += WORD;
    }
    mask.get(at..)?.iter().position(|&cell| cell != 0).map(|offset| at + offset)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn regions_of(mask: &[u8], columns: usize) -> Vec<Vec<u32>> {
        let (mut mask, mut found) = (mask.to_vec(), Vec::new());
        take_regions(&mut mask, columns, &mut Vec::new(), |cells| {
            let mut cells = cells.to_vec();
            cells.sort_unstable();
            found.push(cells);
        });
        found
    }

    #[test]
    fn corners_connect_and_row_ends_do_not() {
        let mask = [
            1, 0, 0, 1, //
            0, 1, 0, 0, //
            0, 0, 0, 0, //
            0, 0, 0, 1, //
            1, 0, 0, 0,
        ];
        assert_eq!(regions_of(&mask, 4), [vec![0, 5], vec![3], vec![15], vec![16]]);
    }

    proptest! {
        #[test]
        fn every_set_cell_is_in_exactly_one_region(
            mask in prop::collection::vec(0_u8..2, 0..400), columns in 1_usize..24,
        ) {
            let whole = mask.len() / columns * columns;
            let mut cells: Vec<u32> = regions_of(&mask, columns).concat();
            cells.sort_unstable();
            let set: Vec<u32> = (0..whole as u32).filter(|&cell| mask[cell as usize] != 0).collect();
            prop_assert_eq!(cells, set);
        }
    }
}
