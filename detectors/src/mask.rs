//! Parts of a picture that are not looked at, as cells. Knows nothing of why.

use crate::luma::Grid;

/// 1 for each cell whose middle lies in none of the polygons (shares of the picture, even-odd), 0 for the others. Empty
/// where there are no polygons.
pub(crate) fn seen_cells(grid: Grid, masks: &[Vec<[f32; 2]>]) -> Vec<u8> {
    if masks.is_empty() {
        return Vec::new();
    }
    let mut seen = vec![1; grid.cells()];
    for (row, cells) in seen.chunks_exact_mut(grid.columns.max(1)).enumerate() {
        let y = (grid.y(row) + grid.y(row + 1)) / 2.0;
        for (column, seen) in cells.iter_mut().enumerate() {
            let x = (grid.x(column) + grid.x(column + 1)) / 2.0;
            *seen = u8::from(!masks.iter().any(|polygon| contains(polygon, x, y)));
        }
    }
    seen
}

pub(crate) fn contains(polygon: &[[f32; 2]], x: f32, y: f32) -> bool {
    let Some(mut before) = polygon.last() else { return false };
    let mut is_inside = false;
    for corner in polygon {
        let spans = (corner[1] > y) != (before[1] > y);
        if spans && x < (before[0] - corner[0]) * (y - corner[1]) / (before[1] - corner[1]) + corner[0] {
            is_inside = !is_inside;
        }
        before = corner;
    }
    is_inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luma::Luma;

    #[test]
    fn cells_whose_middle_is_masked_are_not_seen() {
        let grid = Grid::of(&Luma { width: 8, height: 4, stride: 8, pixels: &[] }, 8);
        let left_half = vec![[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]];
        let seen = seen_cells(grid, &[left_half, vec![], vec![[0.9, 0.9]]]);
        assert_eq!(seen, [0, 0, 0, 0, 1, 1, 1, 1].repeat(4));
        assert!(seen_cells(grid, &[]).is_empty());
        let odd = vec![[f32::NAN, 0.0], [1.0, f32::INFINITY], [-3.0, 1.0]];
        assert_eq!(seen_cells(grid, &[odd]).len(), 32);
    }
}
