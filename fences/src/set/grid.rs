//! A uniform grid of cells that know which areas cover them, wholly or in part. Exact: cells only save work.
//!
//! Whether the upper right corner of a cell is inside an area was found once, from the whole border. Whether another
//! point of the cell is, differs from that as often as the border is crossed on a way from the point to the corner:
//! right to the cell's right side, then up along it. Only the edges that come near the cell can do that, so only
//! those are kept with it, and each is decided by the same exact rule as in a plain scan.

use crate::plane::{Edge, Xy};
use crate::point::Bounds;

/// How the plane is cut into cells. Columns and rows grow with x and y, also under rounding, so a point between two
/// others is in a column between theirs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) bounds: Bounds,
    pub(super) n_columns: usize,
    pub(super) n_rows: usize,
    width: f64,
    height: f64,
}

/// One area, as seen from one cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cover {
    /// Index of the fence.
    pub(super) fence: u32,
    pub(super) first_edge: u32,
    /// 0 where the area covers the whole cell.
    pub(super) n_edges: u32,
    /// The cell's upper right corner is inside.
    pub(super) is_corner_inside: bool,
}

#[derive(Debug)]
pub(super) struct Grid {
    pub(super) frame: Frame,
    /// Where the covers of each cell begin, row by row from below, and where the last end.
    pub(super) starts: Vec<u32>,
    /// Those of one fence stand together.
    pub(super) covers: Vec<Cover>,
    pub(super) edges: Vec<Edge>,
}

/// How far from a cell an edge may be to be kept with it, in cells and in degrees: far above what rounding can do.
const SLACK_CELLS: f64 = 1e-6;
const SLACK: f64 = 1e-12;
const CELL_SIZE_MIN: f64 = 1e-9;

impl Frame {
    pub(super) fn new(bounds: Bounds, n_columns: usize, n_rows: usize) -> Frame {
        let size = |length: f64, n: usize| (length / n as f64).max(CELL_SIZE_MIN);
        let width = size(bounds.east - bounds.west, n_columns);
        let height = size(bounds.north - bounds.south, n_rows);
        Frame { bounds, n_columns, n_rows, width, height }
    }

    pub(super) fn n_cells(&self) -> usize {
        self.n_columns * self.n_rows
    }

    pub(super) fn cell(&self, column: usize, row: usize) -> usize {
        row * self.n_columns + column
    }

    /// The cast takes what is left of the grid, and NaN, to 0.
    pub(super) fn column(&self, x: f64) -> usize {
        (((x - self.bounds.west) / self.width) as usize).min(self.n_columns - 1)
    }

    pub(super) fn row(&self, y: f64) -> usize {
        (((y - self.bounds.south) / self.height) as usize).min(self.n_rows - 1)
    }

    /// The upper right corner of a cell.
    pub(super) fn corner(&self, column: usize, row: usize) -> Xy {
        let x = self.bounds.west + (column + 1) as f64 * self.width;
        let y = self.bounds.south + (row + 1) as f64 * self.height;
        Xy::new(x, y)
    }

    /// Columns that something between two x comes near.
    pub(super) fn columns(&self, x_min: f64, x_max: f64) -> std::ops::RangeInclusive<usize> {
        let slack = self.width * SLACK_CELLS + SLACK;
        self.column(x_min - slack)..=self.column(x_max + slack)
    }

    pub(super) fn rows(&self, y_min: f64, y_max: f64) -> std::ops::RangeInclusive<usize> {
        let slack = self.height * SLACK_CELLS + SLACK;
        self.row(y_min - slack)..=self.row(y_max + slack)
    }

    /// Columns that an edge comes near within a row.
    pub(super) fn columns_in_row(&self, edge: &Edge, row: usize) -> std::ops::RangeInclusive<usize> {
        let slack = self.height * SLACK_CELLS + SLACK;
        let top = self.corner(0, row).y;
        let (below, above) = (top - self.height - slack, top + slack);
        let x_at = |y: f64| {
            let share = (y - edge.low.y) / (edge.high.y - edge.low.y);
            (edge.low.x + (edge.high.x - edge.low.x) * share).clamp(edge.x_min(), edge.x_max())
        };
        let from = if edge.low.y >= below { edge.low.x } else { x_at(below) };
        let to = if edge.high.y <= above { edge.high.x } else { x_at(above) };
        self.columns(from.min(to), from.max(to))
    }
}

impl Default for Grid {
    fn default() -> Grid {
        Grid { frame: Frame::new(Bounds::EMPTY, 1, 1), starts: vec![0, 0], covers: vec![], edges: vec![] }
    }
}

impl Grid {
    /// Indices of the fences around a point, ascending, each once.
    pub(super) fn containing(&self, p: Xy) -> impl Iterator<Item = usize> + '_ {
        let frame = &self.frame;
        // A box of nothing holds no point, and no box holds NaN.
        let place = frame.bounds.holds(p).then(|| (frame.column(p.x), frame.row(p.y)));
        let covers = place.map_or(&[][..], |(column, row)| self.covers_of(frame.cell(column, row)));
        let corner = place.map_or(p, |(column, row)| frame.corner(column, row));
        let mut last = None;
        covers.iter().filter_map(move |cover| {
            // Parts of one fence may overlap.
            if last == Some(cover.fence) || !self.is_inside(cover, p, corner) {
                return None;
            }
            last = Some(cover.fence);
            Some(cover.fence as usize)
        })
    }

    fn covers_of(&self, cell: usize) -> &[Cover] {
        &self.covers[self.starts[cell] as usize..self.starts[cell + 1] as usize]
    }

    fn is_inside(&self, cover: &Cover, p: Xy, corner: Xy) -> bool {
        let first = cover.first_edge as usize;
        let edges = &self.edges[first..first + cover.n_edges as usize];
        edges.iter().fold(cover.is_corner_inside, |inside, edge| inside ^ is_crossed(edge, p, corner))
    }
}

/// The way from `p` level to below (or above) the corner, then upright to it, crosses the edge an odd number of times.
fn is_crossed(edge: &Edge, p: Xy, corner: Xy) -> bool {
    let bend = Xy { x: corner.x, y: p.y };
    // Right of both points of the level way, or below its line, nothing of it is crossed: most edges end here.
    let level = edge.spans_y(p.y) && is_left(edge, p) != is_left(edge, bend);
    let upright = edge.spans_x(corner.x) && edge.has_on_left(bend) != edge.has_on_left(corner);
    level ^ upright
}

/// [`Edge::has_on_left`] of an edge that is not level, without arithmetic where the boxes tell.
fn is_left(edge: &Edge, p: Xy) -> bool {
    p.x < edge.x_min() || (p.x <= edge.x_max() && edge.has_on_left(p))
}
