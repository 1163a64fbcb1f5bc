//! How much of a grid was patrolled: the share of its cells that an officer was in. Counted by positions alone: what lies between
//! two of them is not guessed.

use std::collections::HashSet;

use outpost_fences::{Fence, Point};

/// Metres of a degree of latitude (mean).
const DEGREE_M: f64 = 111_195.0;

/// Cells of one grid.
const CELLS_MAX: usize = 1_000_000;

/// The cells of one grid, and those of them that were visited.
#[derive(Debug)]
pub struct Patrol {
    west: f64,
    south: f64,
    /// Degrees of one cell.
    size: (f64, f64),
    /// Those whose middle is in the grid.
    cells: HashSet<(u32, u32)>,
    visited: HashSet<(u32, u32)>,
}

/// There would be more cells than are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{n_cells} cells are more than {CELLS_MAX}: choose larger ones")]
pub struct TooManyCells {
    n_cells: usize,
}

impl Patrol {
    /// Cells of `cell_m` metres, from the south-western corner of the grid's box on.
    pub fn new(grid: &Fence, cell_m: f64) -> Result<Patrol, TooManyCells> {
        let bounds = grid.bounds();
        let high = cell_m / DEGREE_M;
        let middle = (bounds.south + bounds.north) / 2.0;
        let wide = high / middle.to_radians().cos().max(0.01);
        let (columns, rows) = ((bounds.east - bounds.west) / wide, (bounds.north - bounds.south) / high);
        let n_cells = (columns.ceil() * rows.ceil()) as usize;
        if n_cells > CELLS_MAX {
            return Err(TooManyCells { n_cells });
        }
        let mut patrol = Patrol {
            west: bounds.west,
            south: bounds.south,
            size: (wide, high),
            cells: HashSet::new(),
            visited: HashSet::new(),
        };
        for column in 0..columns.ceil() as u32 {
            for row in 0..rows.ceil() as u32 {
                let lon = patrol.west + (f64::from(column) + 0.5) * wide;
                let lat = patrol.south + (f64::from(row) + 0.5) * high;
                if Point::new(lon, lat).is_some_and(|point| grid.contains(point)) {
                    patrol.cells.insert((column, row));
                }
            }
        }
        Ok(patrol)
    }

    /// Somebody was there.
    pub fn visit(&mut self, point: Point) {
        let (column, row) = ((point.lon - self.west) / self.size.0, (point.lat - self.south) / self.size.1);
        if column < 0.0 || row < 0.0 {
            return;
        }
        let cell = (column as u32, row as u32);
        if self.cells.contains(&cell) {
            self.visited.insert(cell);
        }
    }

    pub fn n_cells(&self) -> usize {
        self.cells.len()
    }

    pub fn n_visited(&self) -> usize {
        self.visited.len()
    }

    /// 0..1; none where the grid is smaller than its cells.
    pub fn share(&self) -> Option<f64> {
        (!self.cells.is_empty()).then(|| self.visited.len() as f64 / self.cells.len() as f64)
    }
}

#[cfg(test)]
mod tests;
