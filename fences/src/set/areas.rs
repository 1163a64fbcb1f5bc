//! What fences cover, area by area, and how one area is divided among the cells of a block.

use std::sync::Arc;

use super::cells::is_crossed;
use super::frame::{Block, Frame};
use crate::fence::Fence;
use crate::geodesic::{DEGREE_M_MAX, distance_to_edge_m};
use crate::plane::{Edge, Xy, is_odd};
use crate::point::{Bounds, Point};
use crate::shape::{Circle, Corridor, Shape};

/// Distances to cells are doubted by this share, and by a metre: far above their error.
const DOUBT: f64 = 0.05;
const DOUBT_M: f64 = 1.0;

/// One part of one fence.
pub(super) struct Area<'a> {
    pub(super) fence: u32,
    pub(super) bounds: Bounds,
    kind: AreaKind<'a>,
    /// Vertices that begin an edge.
    edges: Vec<std::ops::Range<u32>>,
}

enum AreaKind<'a> {
    Polygon,
    Circle(&'a Circle),
    Corridor(&'a Corridor),
}

pub(super) struct Areas<'a> {
    pub(super) list: Vec<Area<'a>>,
    pub(super) vertices: Vec<Xy>,
}

/// An area within one cell.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) area: u32,
    /// Where in the pool the first vertices of the edges near the cell are, ascending.
    pub(super) edges: std::ops::Range<usize>,
    /// Of the cell's upper right corner; of circles and corridors, whether the whole cell is inside.
    pub(super) is_corner_inside: bool,
}

/// Lists that one part after the other is written to.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// First vertices of edges.
    pub(super) pool: Vec<u32>,
    /// Cell and first vertex of an edge near it.
    near: Vec<(u32, u32)>,
}

impl Part {
    pub(super) fn is_full(&self) -> bool {
        self.is_corner_inside && self.edges.is_empty()
    }
}

impl<'a> Areas<'a> {
    pub(super) fn new(fences: &'a [Arc<Fence>]) -> Areas<'a> {
        let mut areas = Areas { list: Vec::with_capacity(fences.len()), vertices: Vec::new() };
        for (fence, Fence { shape, .. }) in (0..).zip(fences.iter().map(Arc::as_ref)) {
            for polygon in shape.polygons() {
                let edges = polygon.closed_rings().map(|ring| areas.chain(ring)).collect();
                areas.list.push(Area { fence, bounds: polygon.bounds(), kind: AreaKind::Polygon, edges });
            }
            let (kind, edges) = match shape {
                Shape::Circle(circle) => (AreaKind::Circle(circle), vec![]),
                Shape::Corridor(corridor) => {
                    let path = corridor.path().vertices().iter().copied();
                    (AreaKind::Corridor(corridor), vec![areas.chain(path)])
                }
                Shape::Polygon(_) | Shape::MultiPolygon(_) | Shape::Line(_) => continue,
            };
            areas.list.push(Area { fence, bounds: shape.bounds(), kind, edges });
        }
        areas
    }

    fn chain(&mut self, vertices: impl Iterator<Item = Xy>) -> std::ops::Range<u32> {
        let first = self.vertices.len();
        self.vertices.extend(vertices);
        first as u32..(self.vertices.len() - 1) as u32
    }

    /// The area with all its edges, for [`Areas::divide`] among the cells of the grid.
    pub(super) fn whole(&self, area: u32, scratch: &mut Scratch) -> Part {
        let first = scratch.pool.len();
        scratch.pool.extend(self.list[area as usize].edges.iter().cloned().flatten());
        Part { area, edges: first..scratch.pool.len(), is_corner_inside: false }
    }

    /// The shape must be asked for each point.
    pub(super) fn asks(&self, part: &Part) -> bool {
        !matches!(self.list[part.area as usize].kind, AreaKind::Polygon) && !part.is_full()
    }

    /// Appends the cells of the block that the part covers or comes near.
    pub(super) fn divide(
        &self,
        frame: &Frame,
        block: &Block,
        part: &Part,
        scratch: &mut Scratch,
        out: &mut Vec<(u32, Part)>,
    ) {
        if part.is_full() {
            out.extend((0..block.n_columns * block.n_rows).map(|cell| (cell, part.clone())));
            return;
        }
        match self.list[part.area as usize].kind {
            AreaKind::Polygon => self.divide_polygon(frame, block, part, scratch, out),
            AreaKind::Circle(circle) => self.divide_circle(frame, block, part, circle, out),
            AreaKind::Corridor(corridor) => self.divide_corridor(frame, block, part, corridor, scratch, out),
        }
    }

    fn edge(&self, first: u32) -> (Xy, Xy) {
        (self.vertices[first as usize], self.vertices[first as usize + 1])
    }

    /// From the upper right cell to the left, and row by row down: whether a corner is inside follows from whether its
    /// neighbour is and from the edges between them, which are near the neighbour's cell.
    fn divide_polygon(
        &self,
        frame: &Frame,
        block: &Block,
        part: &Part,
        scratch: &mut Scratch,
        out: &mut Vec<(u32, Part)>,
    ) {
        let Scratch { pool, near } = scratch;
        near.clear();
        for &first in &pool[part.edges.clone()] {
            let (a, b) = self.edge(first);
            let Edge { low, high } = Edge::new(a, b);
            for row in frame.rows(block, low.y, high.y) {
                let columns = frame.columns_in_row(block, row, low, high);
                near.extend(columns.map(|column| (row * block.n_columns + column, first)));
            }
        }
        near.sort_unstable();

        let area = &self.list[part.area as usize];
        let is_grid = *block == frame.whole();
        let (columns, rows) = if is_grid {
            let Bounds { west, south, east, north } = area.bounds;
            (frame.columns(block, west, east), frame.rows(block, south, north))
        } else {
            (0..=block.n_columns - 1, 0..=block.n_rows - 1)
        };
        let corner = |column: u32, row: u32| {
            frame.corner(block.column + (column << block.shift), block.row + (row << block.shift), block.shift)
        };
        // The corner of a cut cell is that of its last cell.
        let mut is_last_inside = part.is_corner_inside;
        if is_grid {
            let edges = pool[part.edges.clone()].iter().map(|&first| self.edge(first));
            is_last_inside = is_odd(edges.map(|(a, b)| Edge::new(a, b)), corner(*columns.end(), *rows.end()));
        }
        let mut near = &near[..];
        for row in rows.rev() {
            let mut inside = is_last_inside;
            for column in columns.clone().rev() {
                let cell = row * block.n_columns + column;
                let n_here = near.iter().rev().take_while(|(c, _)| *c == cell).count();
                let (before, here) = near.split_at(near.len() - n_here);
                near = before;
                if here.is_empty() {
                    if inside {
                        out.push((cell, Part { area: part.area, edges: 0..0, is_corner_inside: true }));
                    }
                    continue;
                }
                let first = pool.len();
                pool.extend(here.iter().map(|(_, edge)| *edge));
                out.push((cell, Part { area: part.area, edges: first..pool.len(), is_corner_inside: inside }));
                let is_odd_way = |from: Xy| {
                    let crossed = |(_, first): &&(u32, u32)| {
                        let (a, b) = self.edge(*first);
                        is_crossed(a, b, from, corner(column, row))
                    };
                    here.iter().filter(crossed).count() % 2 == 1
                };
                if column == *columns.end() && row > 0 {
                    is_last_inside = inside ^ is_odd_way(corner(column, row - 1));
                }
                if column > *columns.start() {
                    inside ^= is_odd_way(corner(column - 1, row));
                }
            }
        }
    }

    fn divide_circle(&self, frame: &Frame, block: &Block, part: &Part, circle: &Circle, out: &mut Vec<(u32, Part)>) {
        let Bounds { west, south, east, north } = circle.bounds();
        for row in frame.rows(block, south, north) {
            for column in frame.columns(block, west, east) {
                let (middle, reach_m) = reach(frame, block, column, row);
                let to_m = circle.center().distance_m(Point::from(middle));
                if to_m - reach_m - DOUBT_M > circle.radius_m() {
                    continue;
                }
                let is_full = to_m + reach_m + DOUBT_M < circle.radius_m();
                let part = Part { area: part.area, edges: 0..0, is_corner_inside: is_full };
                out.push((row * block.n_columns + column, part));
            }
        }
    }

    fn divide_corridor(
        &self,
        frame: &Frame,
        block: &Block,
        part: &Part,
        corridor: &Corridor,
        scratch: &mut Scratch,
        out: &mut Vec<(u32, Part)>,
    ) {
        let Scratch { pool, near } = scratch;
        near.clear();
        let half_m = corridor.width_m() / 2.0;
        for &first in &pool[part.edges.clone()] {
            let (a, b) = self.edge(first);
            let Bounds { west, south, east, north } = Bounds::around([a, b]).grown_m(half_m);
            for row in frame.rows(block, south, north) {
                for column in frame.columns(block, west, east) {
                    let (middle, reach_m) = reach(frame, block, column, row);
                    if distance_to_edge_m(middle, a, b) * (1.0 - DOUBT) - reach_m - DOUBT_M <= half_m {
                        near.push((row * block.n_columns + column, first));
                    }
                }
            }
        }
        near.sort_unstable();
        for here in near.chunk_by(|a, b| a.0 == b.0) {
            let cell = here[0].0;
            let (middle, reach_m) = reach(frame, block, cell % block.n_columns, cell / block.n_columns);
            let covers = |&(_, first): &(u32, u32)| {
                let (a, b) = self.edge(first);
                distance_to_edge_m(middle, a, b) * (1.0 + DOUBT) + reach_m + DOUBT_M < half_m
            };
            let is_full = here.iter().any(covers);
            let first = pool.len();
            if !is_full {
                pool.extend(here.iter().map(|(_, edge)| *edge));
            }
            out.push((cell, Part { area: part.area, edges: first..pool.len(), is_corner_inside: is_full }));
        }
    }
}

/// Middle of a cell, and metres to its farthest point, from above: along the parallel nearest to the equator, then up.
fn reach(frame: &Frame, block: &Block, column: u32, row: u32) -> (Xy, f64) {
    let (middle, half) =
        frame.middle(block.column + (column << block.shift), block.row + (row << block.shift), block.shift);
    let least_lat = (middle.y.abs() - half.y).max(0.0);
    let across_m = half.x * DEGREE_M_MAX * least_lat.to_radians().cos();
    (middle, across_m + half.y * DEGREE_M_MAX)
}
