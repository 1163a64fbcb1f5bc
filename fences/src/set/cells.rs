//! Cells that know which areas cover them, wholly or in part. Exact: cells only save work.
//!
//! Whether the upper right corner of a cell is inside an area was found once, from the whole border. Whether another
//! point of the cell is, differs from that as often as the border is crossed on a way from the point to the corner:
//! right to the cell's right side, then up along it. Only the edges that come near the cell can do that, so only
//! those are kept with it, and each is decided by the same exact rule as in a plain scan.

use std::sync::Arc;

use super::frame::{Frame, Spot};
use crate::fence::Fence;
use crate::plane::{Edge, Xy};
use crate::point::Bounds;
use crate::shape::Shape;

/// What is known of a cell, in one word: two bits of kind, thirty of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell(u32);

/// A [`Cell`] unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Empty,
    /// Wholly inside one fence, and outside all others.
    Full(u32),
    /// Cut into cells, the first of which is at this index.
    Cut(u32),
    /// Covered as the stretches from this word on say.
    Covered(u32),
}

/// Fences, cells and words of leaves that one set can have.
pub(super) const NUMBER_MAX: usize = (1 << 30) - 1;

/// The head of a stretch of one area's border near one cell; its vertices follow it, two words each. Stretches of one
/// area stand together, and so do those of one cell: what a question reads lies side by side in memory, because a miss
/// of the cache costs more than all arithmetic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch(u64);

/// The next stretch is of the same area: the answer is their parity.
const GOES_ON: u64 = 1 << 30;
/// The last stretch of its cell.
const IS_LAST: u64 = 1 << 31;
/// The cell's upper right corner is inside; set on the first stretch of an area only.
const CORNER_INSIDE: u64 = 1 << 29;
/// The shape itself is asked: how far is the centre, how far are these edges?
const ASKS: u64 = 1 << 28;
/// Fences that a stretch can name.
pub(super) const FENCES_MAX: usize = 1 << 28;
const N_EDGES_SHIFT: u32 = 32;

#[derive(Debug)]
pub(super) struct Cells {
    pub(super) frame: Frame,
    /// Those of the grid row by row from below, then those of each cut.
    pub(super) cells: Vec<Cell>,
    /// Stretches, each with its vertices, cell by cell.
    pub(super) leaves: Vec<u64>,
}

impl Cell {
    pub(super) fn new(kind: Kind) -> Cell {
        match kind {
            Kind::Empty => Cell(0),
            Kind::Full(fence) => Cell(1 << 30 | fence),
            Kind::Cut(first) => Cell(2 << 30 | first),
            Kind::Covered(first) => Cell(3 << 30 | first),
        }
    }

    pub(super) fn kind(self) -> Kind {
        let number = self.0 & NUMBER_MAX as u32;
        match self.0 >> 30 {
            0 => Kind::Empty,
            1 => Kind::Full(number),
            2 => Kind::Cut(number),
            _ => Kind::Covered(number),
        }
    }
}

impl Stretch {
    /// Of a polygon; one of no edges covers the whole cell.
    pub(super) fn new(fence: u32, is_corner_inside: bool) -> Stretch {
        Stretch(u64::from(fence) | if is_corner_inside { CORNER_INSIDE } else { 0 })
    }

    /// Of a circle, or of a corridor with the edges of its path that come near.
    pub(super) fn asking(fence: u32) -> Stretch {
        Stretch(u64::from(fence) | ASKS)
    }

    pub(super) fn goes_on(self) -> Stretch {
        Stretch(self.0 | GOES_ON)
    }

    pub(super) fn last(self) -> Stretch {
        Stretch(self.0 | IS_LAST)
    }

    /// Appends it with the vertices of its edges.
    pub(super) fn write(self, vertices: &[Xy], leaves: &mut Vec<u64>) {
        let n_edges = vertices.len().saturating_sub(1) as u64;
        leaves.push(self.0 | n_edges << N_EDGES_SHIFT);
        leaves.extend(vertices.iter().flat_map(|v| [v.x.to_bits(), v.y.to_bits()]));
    }

    #[inline]
    fn is(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    #[inline]
    fn fence(self) -> u32 {
        self.0 as u32 & (FENCES_MAX as u32 - 1)
    }

    /// Words of its vertices.
    #[inline]
    fn n_words(self) -> usize {
        let n_edges = (self.0 >> N_EDGES_SHIFT) as usize;
        if n_edges == 0 { 0 } else { 2 * (n_edges + 1) }
    }
}

/// What is left to look at for one point.
#[derive(Debug, Clone, Copy)]
enum Left {
    Nothing,
    One(u32),
    Leaf { first: u32, corner: Xy },
}

/// Indices of the fences around a point, ascending, each once.
#[derive(Debug, Clone)]
pub(super) struct Around<'a> {
    cells: &'a Cells,
    fences: &'a [Arc<Fence>],
    p: Xy,
    left: Left,
    last: u32,
}

impl Cells {
    #[inline]
    pub(super) fn around<'a>(&'a self, fences: &'a [Arc<Fence>], p: Xy) -> Around<'a> {
        match self.find(p) {
            Some((spot, cell)) => Around::new(self, fences, p, spot, cell),
            None => Around { cells: self, fences, p, left: Left::Nothing, last: u32::MAX },
        }
    }

    /// The first fence of which an edge holds the point.
    pub(super) fn touching(&self, p: Xy) -> Option<usize> {
        // Edges are kept with all cells that they come near: also where the point is between two.
        let Kind::Covered(mut first) = self.find(p)?.1.kind() else { return None };
        loop {
            let (stretch, words) = self.stretch(&mut first);
            if !stretch.is(ASKS) && edges(words).any(|(a, b)| Edge::new(a, b).holds(p)) {
                return Some(stretch.fence() as usize);
            }
            if stretch.is(IS_LAST) {
                return None;
            }
        }
    }

    /// The smallest cell around a point.
    #[inline]
    fn find(&self, p: Xy) -> Option<(Spot, Cell)> {
        // A box of nothing holds no point, and no box holds NaN.
        if !self.frame.bounds.holds(p) {
            return None;
        }
        let mut spot = self.frame.spot(p);
        let mut cell = self.cells[spot.cell];
        while let Kind::Cut(first) = cell.kind() {
            spot.descend(first);
            cell = self.cells[spot.cell];
        }
        Some((spot, cell))
    }

    /// The stretch at a word, and where the next one is.
    #[inline]
    fn stretch(&self, first: &mut u32) -> (Stretch, &[u64]) {
        let at = *first as usize;
        let stretch = Stretch(self.leaves[at]);
        let end = at + 1 + stretch.n_words();
        *first = end as u32;
        (stretch, &self.leaves[at + 1..end])
    }
}

#[inline]
fn edges(words: &[u64]) -> impl Iterator<Item = (Xy, Xy)> + '_ {
    let vertex = |words: &[u64]| Xy { x: f64::from_bits(words[0]), y: f64::from_bits(words[1]) };
    words.windows(4).step_by(2).map(move |edge| (vertex(edge), vertex(&edge[2..])))
}

#[inline]
fn is_odd_way(words: &[u64], p: Xy, corner: Xy) -> bool {
    edges(words).fold(false, |odd, (a, b)| odd ^ is_crossed(a, b, p, corner))
}

impl<'a> Around<'a> {
    /// Of a point in a cell that is not cut.
    #[inline]
    pub(super) fn new(cells: &'a Cells, fences: &'a [Arc<Fence>], p: Xy, spot: Spot, cell: Cell) -> Around<'a> {
        let left = match cell.kind() {
            Kind::Empty | Kind::Cut(_) => Left::Nothing,
            Kind::Full(fence) => Left::One(fence),
            Kind::Covered(first) => Left::Leaf { first, corner: cells.frame.corner(spot.column, spot.row, spot.shift) },
        };
        Around { cells, fences, p, left, last: u32::MAX }
    }

    /// The next area's fence, whether the point is in it, and whether it is the last.
    #[inline]
    fn step(&self, first: &mut u32, corner: Xy) -> (u32, bool, bool) {
        let (mut stretch, mut words) = self.cells.stretch(first);
        let fence = stretch.fence();
        if stretch.is(ASKS) {
            return (fence, self.ask(fence, words), stretch.is(IS_LAST));
        }
        let mut inside = stretch.is(CORNER_INSIDE) ^ is_odd_way(words, self.p, corner);
        while stretch.is(GOES_ON) {
            (stretch, words) = self.cells.stretch(first);
            inside ^= is_odd_way(words, self.p, corner);
        }
        (fence, inside, stretch.is(IS_LAST))
    }

    #[inline(never)]
    fn next_of_leaf(&mut self, mut first: u32, corner: Xy) -> Option<usize> {
        loop {
            let (fence, inside, is_last) = self.step(&mut first, corner);
            self.left = if is_last { Left::Nothing } else { Left::Leaf { first, corner } };
            // Parts of one fence may overlap.
            if inside && fence != self.last {
                self.last = fence;
                return Some(fence as usize);
            }
            if is_last {
                return None;
            }
        }
    }

    fn ask(&self, fence: u32, words: &[u64]) -> bool {
        match &self.fences[fence as usize].shape {
            Shape::Circle(circle) => circle.contains(self.p.into()),
            // Stretches of a corridor need no parity: each of them is asked by itself.
            Shape::Corridor(corridor) => edges(words).any(|(a, b)| corridor.reaches(self.p, a, b)),
            Shape::Polygon(_) | Shape::MultiPolygon(_) | Shape::Line(_) => false,
        }
    }
}

impl Iterator for Around<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        match self.left {
            Left::Nothing => None,
            Left::One(fence) => {
                self.left = Left::Nothing;
                Some(fence as usize)
            }
            Left::Leaf { first, corner } => self.next_of_leaf(first, corner),
        }
    }

    /// Most cells are of one fence or none: no second question whether there is more.
    #[inline]
    fn fold<B, F: FnMut(B, usize) -> B>(self, init: B, mut f: F) -> B {
        match self.left {
            Left::Nothing => init,
            Left::One(fence) => f(init, fence as usize),
            Left::Leaf { .. } => {
                let mut all = init;
                for fence in self {
                    all = f(all, fence);
                }
                all
            }
        }
    }
}

/// The way from `p` level to below (or above) the corner, then upright to it, crosses the edge an odd number of times.
#[inline]
pub(super) fn is_crossed(a: Xy, b: Xy, p: Xy, corner: Xy) -> bool {
    // Most edges end here: none of the two stretches of the way is abreast of them.
    let spans_y = (a.y <= p.y) != (b.y <= p.y);
    let spans_x = (a.x <= corner.x) != (b.x <= corner.x);
    if !spans_y && !spans_x {
        return false;
    }
    let edge = Edge::new(a, b);
    let bend = Xy { x: corner.x, y: p.y };
    let level = spans_y && is_left(&edge, p) != is_left(&edge, bend);
    let upright = spans_x && is_upright_crossed(&edge, bend, corner);
    level ^ upright
}

/// [`Edge::has_on_left`] of an edge that is not level, without arithmetic where the boxes tell.
#[inline]
fn is_left(edge: &Edge, p: Xy) -> bool {
    p.x < edge.x_min() || (p.x <= edge.x_max() && edge.has_on_left(p))
}

#[inline]
fn is_upright_crossed(edge: &Edge, bend: Xy, corner: Xy) -> bool {
    let (least, most) = (bend.y.min(corner.y), bend.y.max(corner.y));
    most >= edge.low.y && least <= edge.high.y && edge.has_on_left(bend) != edge.has_on_left(corner)
}

impl Default for Cells {
    fn default() -> Cells {
        let frame = Frame::new(Bounds::EMPTY, 1, 1);
        Cells { frame, cells: vec![Cell::new(Kind::Empty)], leaves: vec![] }
    }
}
