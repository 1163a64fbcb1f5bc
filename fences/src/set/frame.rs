//! How the plane is cut into cells: a grid whose cells are cut again, up to the finest. Exact arithmetic is elsewhere;
//! this is monotone, which is what it takes: a point between two others is in a column between theirs.

use crate::plane::Xy;
use crate::point::Bounds;

/// A cell that is cut is cut into 2^CUT columns and rows.
pub(super) const CUT: u32 = 2;
/// How often a cell of the grid can be cut.
pub(super) const CUTS_MAX: u32 = 5;
/// Finest columns in one of the grid: a shift, not a factor.
pub(super) const FINEST: u32 = CUT * CUTS_MAX;
/// Columns, and rows, of the grid.
pub(super) const COLUMNS_MAX: usize = 1 << 12;
/// How far from a cell an edge may be to be kept with it, in finest cells and in degrees: far above what rounding can do.
const SLACK_CELLS: f64 = 1e-6;
const SLACK: f64 = 1e-12;
const CELL_SIZE_MIN: f64 = 1e-9;

#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) bounds: Bounds,
    pub(super) n_columns: usize,
    pub(super) n_rows: usize,
    /// Of a finest cell, in degrees, and how many go into one.
    width: f64,
    height: f64,
    per_width: f64,
    per_height: f64,
    /// The greatest finest column and row.
    last: (u32, u32),
}

/// Cells side by side at one level of cutting, in finest columns and rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    pub(super) column: u32,
    pub(super) row: u32,
    /// Finest columns in one cell of it: a shift.
    pub(super) shift: u32,
    pub(super) n_columns: u32,
    pub(super) n_rows: u32,
}

/// A point's finest column and row, and a cell around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) column: u32,
    pub(super) row: u32,
    /// Finest columns in the cell: a shift.
    pub(super) shift: u32,
    /// Index of the cell.
    pub(super) cell: usize,
}

/// Columns or rows of a block, from 0.
pub(super) type Span = std::ops::RangeInclusive<u32>;

impl Spot {
    /// To the cell's part, where the parts begin at an index.
    #[inline]
    pub(super) fn descend(&mut self, first: u32) {
        self.shift -= CUT;
        let part = |n: u32| (n >> self.shift) & ((1 << CUT) - 1);
        self.cell = (first + (part(self.row) << CUT) + part(self.column)) as usize;
    }
}

impl Frame {
    pub(super) fn new(bounds: Bounds, n_columns: usize, n_rows: usize) -> Frame {
        let (n_columns, n_rows) = (n_columns.clamp(1, COLUMNS_MAX), n_rows.clamp(1, COLUMNS_MAX));
        let size = |length: f64, n: usize| (length / (n << FINEST) as f64).max(CELL_SIZE_MIN);
        let width = size(bounds.east - bounds.west, n_columns);
        let height = size(bounds.north - bounds.south, n_rows);
        let last = |n: usize| ((n << FINEST) - 1) as u32;
        Frame {
            bounds,
            n_columns,
            n_rows,
            width,
            height,
            per_width: 1.0 / width,
            per_height: 1.0 / height,
            last: (last(n_columns), last(n_rows)),
        }
    }

    pub(super) fn whole(&self) -> Block {
        Block { column: 0, row: 0, shift: FINEST, n_columns: self.n_columns as u32, n_rows: self.n_rows as u32 }
    }

    /// Finest column. The cast takes what is left of the grid, and NaN, to 0.
    /// Where a point of the box is in the grid.
    #[inline]
    pub(super) fn spot(&self, p: Xy) -> Spot {
        let (column, row) = (self.column(p.x), self.row(p.y));
        Spot {
            column,
            row,
            shift: FINEST,
            cell: (row >> FINEST) as usize * self.n_columns + (column >> FINEST) as usize,
        }
    }

    #[inline]
    fn column(&self, x: f64) -> u32 {
        (((x - self.bounds.west) * self.per_width) as u32).min(self.last.0)
    }

    #[inline]
    fn row(&self, y: f64) -> u32 {
        (((y - self.bounds.south) * self.per_height) as u32).min(self.last.1)
    }

    /// The corner at the upper right of a cell that begins at a finest column and row.
    #[inline]
    pub(super) fn corner(&self, column: u32, row: u32, shift: u32) -> Xy {
        let line = |n: u32| f64::from(((n >> shift) + 1) << shift);
        Xy { x: self.bounds.west + line(column) * self.width, y: self.bounds.south + line(row) * self.height }
    }

    /// Columns of a block that something between two x comes near; empty where none.
    pub(super) fn columns(&self, block: &Block, x_min: f64, x_max: f64) -> Span {
        let slack = self.width * SLACK_CELLS + SLACK;
        let span = self.column(x_min - slack)..=self.column(x_max + slack);
        clip(&span, block.column, block.shift, block.n_columns)
    }

    pub(super) fn rows(&self, block: &Block, y_min: f64, y_max: f64) -> Span {
        let slack = self.height * SLACK_CELLS + SLACK;
        let span = self.row(y_min - slack)..=self.row(y_max + slack);
        clip(&span, block.row, block.shift, block.n_rows)
    }

    /// Columns of a block that an edge from `low` up to `high` comes near within one of its rows.
    pub(super) fn columns_in_row(&self, block: &Block, row: u32, low: Xy, high: Xy) -> Span {
        let slack = self.height * SLACK_CELLS + SLACK;
        let bottom = self.bounds.south + f64::from(block.row + (row << block.shift)) * self.height;
        let top = bottom + f64::from(1u32 << block.shift) * self.height;
        let (x_min, x_max) = (low.x.min(high.x), low.x.max(high.x));
        let x_at = |y: f64| {
            let share = (y - low.y) / (high.y - low.y);
            (low.x + (high.x - low.x) * share).clamp(x_min, x_max)
        };
        let from = if low.y >= bottom - slack { low.x } else { x_at(bottom - slack) };
        let to = if high.y <= top + slack { high.x } else { x_at(top + slack) };
        self.columns(block, from.min(to), from.max(to))
    }

    /// Middle of a cell, and half its width and height, in degrees.
    pub(super) fn middle(&self, column: u32, row: u32, shift: u32) -> (Xy, Xy) {
        let corner = self.corner(column, row, shift);
        let half = f64::from(1u32 << shift) / 2.0;
        let half = Xy { x: half * self.width, y: half * self.height };
        (Xy { x: corner.x - half.x, y: corner.y - half.y }, half)
    }
}

fn clip(span: &Span, first: u32, shift: u32, n: u32) -> Span {
    let (from, to) = (*span.start() >> shift, *span.end() >> shift);
    let first = first >> shift;
    if to < first || from >= first + n {
        return Span::new(1, 0);
    }
    from.max(first) - first..=to.min(first + n - 1) - first
}
