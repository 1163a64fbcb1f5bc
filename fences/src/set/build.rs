//! Fences to a [`Grid`]: how fine, what covers each cell, which edges come near it.

use std::sync::Arc;

use super::grid::{Cover, Frame, Grid};
use crate::fence::Fence;
use crate::plane::Edge;
use crate::point::{Bounds, metres_per_degree};
use crate::shape::Polygon;

/// As many cells as edges do best on real borders, within these bounds: fewer make long lists, more miss the cache.
const CELLS_MIN: usize = 128 * 128;
const CELLS_MAX: usize = 512 * 512;
/// For a handful of edges a fine grid is a waste.
const CELLS_PER_EDGE_MAX: usize = 8;
/// Covers, and edges kept with cells, before a coarser grid is taken: fences that lie over each other by the
/// hundred must not fill the memory.
const COVERS_MAX: usize = 4_000_000;
const KEPT_EDGES_MAX: usize = 4_000_000;

/// One part of one fence.
struct Area<'a> {
    fence: u32,
    polygon: &'a Polygon,
}

pub(super) fn build(fences: &[Arc<Fence>]) -> Grid {
    let areas: Vec<Area> = fences
        .iter()
        .enumerate()
        .flat_map(|(index, fence)| {
            fence.shape.polygons().iter().map(move |polygon| Area { fence: index as u32, polygon })
        })
        .collect();
    let bounds = areas.iter().fold(Bounds::EMPTY, |bounds, area| bounds.union(&area.polygon.bounds()));
    if areas.is_empty() {
        return Grid::default();
    }
    let frame = choose_frame(bounds, &areas);
    let mut covers = Vec::new();
    let mut edges = Vec::new();
    for area in &areas {
        cover_area(&frame, area, &mut covers, &mut edges);
    }
    by_cell(frame, &covers, &edges)
}

fn choose_frame(bounds: Bounds, areas: &[Area]) -> Frame {
    let n_edges: usize = areas.iter().map(|area| area.polygon.edges().count()).sum();
    let (lon_m, lat_m) = metres_per_degree((bounds.south + bounds.north) / 2.0);
    let aspect = ((bounds.east - bounds.west) * lon_m / ((bounds.north - bounds.south) * lat_m)).clamp(1e-3, 1e3);
    let mut n_cells = n_edges.clamp(CELLS_MIN, CELLS_MAX).min(CELLS_PER_EDGE_MAX * n_edges);
    loop {
        let n_columns = ((n_cells as f64 * aspect).sqrt() as usize).clamp(1, n_cells.max(1));
        let frame = Frame::new(bounds, n_columns, (n_cells / n_columns).max(1));
        if n_cells <= 1 || fits(&frame, areas, KEPT_EDGES_MAX.max(2 * n_edges)) {
            return frame;
        }
        n_cells /= 4;
    }
}

/// Estimates from above what a grid would hold.
fn fits(frame: &Frame, areas: &[Area], n_kept_max: usize) -> bool {
    let (mut n_covers, mut n_kept) = (0usize, 0usize);
    for area in areas {
        let (columns, rows) = span(frame, &area.polygon.bounds());
        n_covers = n_covers.saturating_add(columns.count() * rows.count());
        for edge in area.polygon.edges() {
            let columns = frame.columns(edge.x_min(), edge.x_max());
            n_kept = n_kept.saturating_add(columns.count() + frame.rows(edge.low.y, edge.high.y).count());
        }
    }
    // An edge within one cell counts twice above.
    n_covers <= COVERS_MAX && n_kept <= 2 * n_kept_max
}

type Span = std::ops::RangeInclusive<usize>;

fn span(frame: &Frame, bounds: &Bounds) -> (Span, Span) {
    (frame.columns(bounds.west, bounds.east), frame.rows(bounds.south, bounds.north))
}

/// Appends what the area covers, with its edges near each cell.
fn cover_area(frame: &Frame, area: &Area, covers: &mut Vec<(u32, Cover)>, edges: &mut Vec<Edge>) {
    let (columns, rows) = span(frame, &area.polygon.bounds());
    let corners = Corners::new(frame, area.polygon, columns.clone(), rows.clone());

    let mut near: Vec<(u32, Edge)> = Vec::new();
    for edge in area.polygon.edges() {
        for row in frame.rows(edge.low.y, edge.high.y) {
            let cells = frame.columns_in_row(&edge, row).map(|column| (frame.cell(column, row) as u32, edge));
            near.extend(cells);
        }
    }
    near.sort_by_key(|(cell, _)| *cell);

    let mut near = near.into_iter().peekable();
    for row in rows {
        let inside = corners.inside_of_row(row);
        for column in columns.clone() {
            let cell = frame.cell(column, row) as u32;
            let first_edge = edges.len();
            edges.extend(std::iter::from_fn(|| near.next_if(|(c, _)| *c == cell)).map(|(_, edge)| edge));
            let n_edges = edges.len() - first_edge;
            let is_corner_inside = inside[column - columns.start()];
            if n_edges > 0 || is_corner_inside {
                let (first_edge, n_edges) = (first_edge as u32, n_edges as u32);
                covers.push((cell, Cover { fence: area.fence, first_edge, n_edges, is_corner_inside }));
            }
        }
    }
}

/// Which corners of cells are inside a polygon: for each row the columns at which the answer turns.
struct Corners {
    columns: Span,
    rows: Span,
    /// By row, one more than columns: true where an odd number of edges lies just left of that column's corner.
    turns: Vec<bool>,
}

impl Corners {
    fn new(frame: &Frame, polygon: &Polygon, columns: Span, rows: Span) -> Corners {
        let width = columns.clone().count() + 1;
        let mut turns = vec![false; width * rows.clone().count()];
        for edge in polygon.edges() {
            // One row more on both sides, because the lines of corners are compared exactly and rows are rounded.
            let first = frame.row(edge.low.y).saturating_sub(1).max(*rows.start());
            let last = (frame.row(edge.high.y) + 1).min(*rows.end());
            for row in (first..=last).filter(|&row| edge.spans_y(frame.corner(0, row).y)) {
                let turn = first_right_of(frame, &edge, row, &columns);
                turns[(row - rows.start()) * width + (turn - columns.start())] ^= true;
            }
        }
        Corners { columns, rows, turns }
    }

    fn inside_of_row(&self, row: usize) -> Vec<bool> {
        let width = self.columns.clone().count() + 1;
        let first = (row - self.rows.start()) * width;
        let mut inside = self.turns[first + 1..first + width].to_vec();
        // Inside is left of an odd number of edges, so the answers build up from the right.
        for column in (0..inside.len().saturating_sub(1)).rev() {
            inside[column] ^= inside[column + 1];
        }
        inside
    }
}

/// The first of the columns whose corner in the row is not left of the edge; one past the last where all are.
fn first_right_of(frame: &Frame, edge: &Edge, row: usize, columns: &Span) -> usize {
    // The edge's own columns, one wider for the rounding, then exactly by halving.
    let mut low = frame.column(edge.x_min()).saturating_sub(1).max(*columns.start());
    let mut high = (frame.column(edge.x_max()) + 1).min(columns.end() + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if edge.has_on_left(frame.corner(middle, row)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Sorts covers by cell, keeping the order of fences, and lays their edges out in that order.
fn by_cell(frame: Frame, covers: &[(u32, Cover)], edges: &[Edge]) -> Grid {
    let mut starts = vec![0u32; frame.n_cells() + 1];
    for (cell, _) in covers {
        starts[*cell as usize + 1] += 1;
    }
    for cell in 0..frame.n_cells() {
        starts[cell + 1] += starts[cell];
    }
    let mut next = starts.clone();
    let mut sorted = covers.iter().map(|(_, cover)| *cover).collect::<Vec<_>>();
    for (cell, cover) in covers {
        let place = &mut next[*cell as usize];
        sorted[*place as usize] = *cover;
        *place += 1;
    }
    let mut laid_out = Vec::with_capacity(edges.len());
    for cover in &mut sorted {
        let first = cover.first_edge as usize;
        cover.first_edge = laid_out.len() as u32;
        laid_out.extend_from_slice(&edges[first..first + cover.n_edges as usize]);
    }
    Grid { frame, starts, covers: sorted, edges: laid_out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Point;
    use crate::shape::Shape;

    #[test]
    fn fences_over_each_other_coarsen_the_grid_and_do_not_fill_the_memory() {
        let corner = |lon, lat| Point { lon, lat };
        let square = [corner(100.0, 20.0), corner(110.0, 20.0), corner(110.0, 30.0), corner(100.0, 30.0)];
        let shape = Shape::Polygon(Polygon::new(&square, &[]).unwrap());
        let fence = |i: u32| Arc::new(Fence { id: i.to_string().into(), name: String::new(), shape: shape.clone() });
        let few = build(&[fence(0)]);
        assert!(few.frame.n_cells() > 1);
        let grid = build(&(0..1000).map(fence).collect::<Vec<_>>());
        assert!(grid.covers.len() <= COVERS_MAX && grid.frame.n_cells() > 1, "{}", grid.covers.len());
    }
}
