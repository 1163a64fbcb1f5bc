//! Fences to [`Cells`]: how fine, what covers each cell, which edges come near it.

use std::sync::Arc;

use super::areas::{Area, Areas, Part, Scratch};
use super::cells::{Cell, Cells, FENCES_MAX, Kind, NUMBER_MAX, Stretch};
use super::frame::{Block, CUT, FINEST, Frame};
use crate::fence::Fence;
use crate::geodesic::metres_per_degree;
use crate::point::Bounds;

/// As many cells in the grid as edges, within these bounds: fewer must be cut, more miss the cache.
const CELLS_MIN: usize = 128 * 128;
const CELLS_MAX: usize = 1024 * 1024;
/// For a handful of edges a fine grid is a waste.
const CELLS_PER_EDGE_MAX: usize = 8;
/// Areas in cells before a coarser grid is taken, and words of leaves before no cell is cut further: fences that lie over
/// each other by the hundred must not fill the memory.
const COVERS_MAX: usize = 4_000_000;
const WORDS_MAX: usize = 16_000_000;
const WORDS_PER_VERTEX_MAX: usize = 12;
/// A cell with so many edges for each area, and some, is cut: two areas that share a border have as many.
const CROWDED: Crowded = Crowded { edges_per_area: 2, edges_free: 2 };
/// Where leaves are far more than any cache holds, a further cell is a further miss, and edges side by side are cheaper.
const CROWDED_LARGE: Crowded = Crowded { edges_per_area: 4, edges_free: 8 };
const LARGE_VERTICES: usize = 4_000_000;
/// What asking a circle or a corridor costs, in edges, and how often cells are cut to avoid it.
const ASK_EDGES: usize = 20;
const ASK_CUTS_MAX: u32 = 2;

#[derive(Debug, Clone, Copy)]
struct Crowded {
    edges_per_area: usize,
    edges_free: usize,
}

pub(super) fn build(fences: &[Arc<Fence>]) -> Cells {
    assert!(fences.len() <= FENCES_MAX, "{} fences, at most {FENCES_MAX}", fences.len());
    let areas = Areas::new(fences);
    if areas.list.is_empty() {
        return Cells::default();
    }
    assert!(areas.vertices.len() <= NUMBER_MAX, "{} vertices, at most {NUMBER_MAX}", areas.vertices.len());
    let bounds = areas.list.iter().fold(Bounds::EMPTY, |bounds, area| bounds.union(&area.bounds));
    let frame = choose_frame(bounds, &areas);
    let mut builder = Builder {
        crowded: if areas.vertices.len() < LARGE_VERTICES { CROWDED } else { CROWDED_LARGE },
        n_words_max: WORDS_MAX.max(WORDS_PER_VERTEX_MAX * areas.vertices.len()).min(NUMBER_MAX),
        cells: Cells { frame, cells: vec![], leaves: vec![] },
        areas: &areas,
        scratch: Scratch::default(),
    };
    let parts: Vec<Part> = (0..areas.list.len() as u32).map(|area| areas.whole(area, &mut builder.scratch)).collect();
    builder.fill(frame.whole(), &parts);
    let mut cells = builder.cells;
    cells.cells.shrink_to_fit();
    cells.leaves.shrink_to_fit();
    cells
}

fn choose_frame(bounds: Bounds, areas: &Areas) -> Frame {
    let n_edges = areas.vertices.len().max(1);
    let (lon_m, lat_m) = metres_per_degree((bounds.south + bounds.north) / 2.0);
    let aspect = ((bounds.east - bounds.west) * lon_m / ((bounds.north - bounds.south) * lat_m)).clamp(1e-3, 1e3);
    let mut n_cells = n_edges.clamp(CELLS_MIN, CELLS_MAX).min(CELLS_PER_EDGE_MAX * n_edges);
    loop {
        let n_columns = ((n_cells as f64 * aspect).sqrt() as usize).clamp(1, n_cells.max(1));
        let frame = Frame::new(bounds, n_columns, (n_cells / n_columns).max(1));
        if n_cells <= 1 || n_covers_most(&frame, areas) <= COVERS_MAX {
            return frame;
        }
        n_cells /= 4;
    }
}

/// Covers in a grid, estimated from above.
fn n_covers_most(frame: &Frame, areas: &Areas) -> usize {
    let whole = frame.whole();
    let n_cells = |area: &Area| {
        let columns = frame.columns(&whole, area.bounds.west, area.bounds.east);
        columns.count() * frame.rows(&whole, area.bounds.south, area.bounds.north).count()
    };
    areas.list.iter().map(n_cells).sum()
}

struct Builder<'a> {
    cells: Cells,
    areas: &'a Areas<'a>,
    crowded: Crowded,
    n_words_max: usize,
    scratch: Scratch,
}

impl Builder<'_> {
    /// Appends the cells of a block, and all that lies beneath them.
    fn fill(&mut self, block: Block, parts: &[Part]) {
        let first = self.cells.cells.len();
        let n_cells = (block.n_columns * block.n_rows) as usize;
        self.cells.cells.resize(first + n_cells, Cell::new(Kind::Empty));

        let n_pooled = self.scratch.pool.len();
        let mut near: Vec<(u32, Part)> = Vec::new();
        for part in parts {
            self.areas.divide(&self.cells.frame, &block, part, &mut self.scratch, &mut near);
        }
        // Stable: the order of fences is that of the stretches.
        near.sort_by_key(|(cell, _)| *cell);
        let mut here = Vec::new();
        for of_cell in near.chunk_by(|a, b| a.0 == b.0) {
            let cell = of_cell[0].0;
            here.clear();
            here.extend(of_cell.iter().map(|(_, part)| part.clone()));
            let kind = self.cell(&block, cell % block.n_columns, cell / block.n_columns, &here);
            self.cells.cells[first + cell as usize] = Cell::new(kind);
        }
        self.scratch.pool.truncate(n_pooled);
    }

    fn cell(&mut self, block: &Block, column: u32, row: u32, parts: &[Part]) -> Kind {
        if let [part] = parts
            && part.is_full()
        {
            return Kind::Full(self.areas.list[part.area as usize].fence);
        }
        let n_edges: usize = parts.iter().map(|part| self.weight(block, part)).sum();
        let is_crowded = n_edges > self.crowded.edges_per_area * parts.len() + self.crowded.edges_free;
        let has_room =
            self.cells.leaves.len() < self.n_words_max && self.cells.cells.len() + (1 << (2 * CUT)) < NUMBER_MAX;
        if is_crowded && has_room && block.shift >= CUT {
            let cut = Block {
                column: block.column + (column << block.shift),
                row: block.row + (row << block.shift),
                shift: block.shift - CUT,
                n_columns: 1 << CUT,
                n_rows: 1 << CUT,
            };
            let first = self.cells.cells.len() as u32;
            self.fill(cut, parts);
            return Kind::Cut(first);
        }
        let first = self.cells.leaves.len();
        if let Some((last, others)) = parts.split_last() {
            others.iter().for_each(|part| self.write(part, |stretch| stretch));
            self.write(last, Stretch::last);
        }
        Kind::Covered(first as u32)
    }

    /// What a part costs a question, in edges.
    fn weight(&self, block: &Block, part: &Part) -> usize {
        if !self.areas.asks(part) {
            return part.edges.len();
        }
        // Cells of circles and corridors do not run out of border by being cut, only get smaller.
        if block.shift + ASK_CUTS_MAX * CUT > FINEST { ASK_EDGES } else { 0 }
    }

    /// Edges that follow each other in the list of vertices are one stretch; `finish` marks the last one.
    fn write(&mut self, part: &Part, finish: impl Fn(Stretch) -> Stretch) {
        let Builder { areas, cells: Cells { leaves, .. }, scratch, .. } = self;
        let fence = areas.list[part.area as usize].fence;
        let asks = areas.asks(part);
        if part.edges.is_empty() {
            let stretch = if asks { Stretch::asking(fence) } else { Stretch::new(fence, true) };
            return finish(stretch).write(&[], leaves);
        }
        let mut runs = scratch.pool[part.edges.clone()].chunk_by(|a, b| *b == a + 1).peekable();
        let mut is_corner_inside = part.is_corner_inside;
        while let Some(run) = runs.next() {
            let stretch = if asks { Stretch::asking(fence) } else { Stretch::new(fence, is_corner_inside) };
            let stretch = match runs.peek() {
                None => finish(stretch),
                Some(_) if asks => stretch,
                Some(_) => stretch.goes_on(),
            };
            let first = run[0] as usize;
            stretch.write(&areas.vertices[first..=first + run.len()], leaves);
            is_corner_inside = false;
        }
    }
}
