//! Bad pixels: those that a feed names, and those that are no numbers, become what their neighbours are.

use ndarray::Array2;

/// Good neighbours, of eight, that a pixel is made of; with fewer it stays as it is.
const NEIGHBOURS_MIN: usize = 3;

/// Gives each bad pixel the median of its good neighbours (of an even number the lower one). `named` are row and column from
/// 0; those outside the frame are passed over. Clusters are repaired from their edges, as far as one pixel deep.
pub(super) fn repair(celsius: &mut Array2<f32>, named: &[(usize, usize)]) {
    for &at in named {
        if let Some(pixel_c) = celsius.get_mut(at) {
            *pixel_c = f32::NAN;
        }
    }
    if celsius.iter().all(|pixel_c| pixel_c.is_finite()) {
        return;
    }
    let bad: Vec<(usize, usize)> =
        celsius.indexed_iter().filter(|(_, pixel_c)| !pixel_c.is_finite()).map(|(at, _)| at).collect();
    let mended: Vec<Option<f32>> = bad.iter().map(|&at| middle_around(celsius, at)).collect();
    for (at, pixel_c) in bad.into_iter().zip(mended) {
        celsius[at] = pixel_c.unwrap_or(f32::NAN);
    }
}

fn middle_around(celsius: &Array2<f32>, (row, column): (usize, usize)) -> Option<f32> {
    let (mut around, mut n) = ([0.0; 8], 0);
    for at in (row.saturating_sub(1)..row + 2).flat_map(|r| (column.saturating_sub(1)..column + 2).map(move |c| (r, c)))
    {
        if let Some(&pixel_c) = celsius.get(at).filter(|pixel_c| pixel_c.is_finite()) {
            around[n] = pixel_c;
            n += 1;
        }
    }
    let around = &mut around[..n];
    around.sort_by(f32::total_cmp);
    (n >= NEIGHBOURS_MIN).then(|| around[(n - 1) / 2])
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_bad_pixel_becomes_what_is_around_it() {
        let mut celsius = array![[20.0, 21.0, 22.0], [23.0, 999.0, 24.0], [25.0, 26.0, f32::NAN]];
        repair(&mut celsius, &[(1, 1), (7, 7)]);
        assert_eq!(celsius[[1, 1]], 23.0);
        assert!(celsius[[2, 2]].is_nan(), "two good neighbours are too few: {celsius}");
    }

    #[test]
    fn a_dead_line_is_mended_and_a_dead_block_only_at_its_edge() {
        let mut celsius = Array2::from_elem((6, 8), 20.0_f32);
        celsius.row_mut(2).fill(f32::NAN);
        repair(&mut celsius, &[]);
        assert!(celsius.iter().all(|&pixel_c| pixel_c == 20.0));
        celsius.rows_mut().into_iter().take(3).for_each(|mut row| row.fill(f32::INFINITY));
        repair(&mut celsius, &[]);
        assert!(celsius.row(0).iter().chain(celsius.row(1)).all(|pixel_c| pixel_c.is_nan()));
    }
}
