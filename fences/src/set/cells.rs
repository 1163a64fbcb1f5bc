//! Cells that know which areas cover them, wholly or in part. Exact: cells only save work.
//!
//! Whether the upper right corner of a cell is inside an area was found once, from the whole border. Whether another
//! point of the cell is, differs from that as often as the border is crossed on a way from the point to the corner:
//! right to the cell's right side, then up along it. Only the edges that come near the cell can do that, so only
//! those are kept with it, and each is decided by the same exact rule as in a plain scan.

use super::frame::{CUT, FINEST, Frame};
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
    /// Covered as the covers from this index on say.
    Covered(u32),
}

/// Fences, cells, covers and vertices that one set can have.
pub(super) const NUMBER_MAX: usize = (1 << 30) - 1;

/// A stretch of the border of one area near one cell. Those of one area stand together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cover {
    /// Index of the fence, and the flags.
    word: u32,
    /// The stretch's first vertex.
    pub(super) first: u32,
    /// Its edges; 0 where the area covers the whole cell.
    pub(super) n_edges: u32,
}

/// The next stretch is of the same area: the answer is their parity.
const GOES_ON: u32 = 1 << 30;
/// The last cover of its cell.
const IS_LAST: u32 = 1 << 31;
/// The cell's upper right corner is inside; set on the first stretch of an area only.
const CORNER_INSIDE: u32 = 1 << 29;
/// The shape itself is asked: how far is the centre, how far are these edges?
const ASKS: u32 = 1 << 28;
/// Fences that a cover can name.
pub(super) const FENCES_MAX: usize = 1 << 28;

#[derive(Debug)]
pub(super) struct Cells {
    pub(super) frame: Frame,
    /// Those of the grid row by row from below, then those of each cut.
    pub(super) cells: Vec<Cell>,
    pub(super) covers: Vec<Cover>,
    /// Ring after ring, each with its first vertex again at its end, and the middle lines of corridors.
    pub(super) vertices: Vec<Xy>,
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

impl Cover {
    pub(super) fn new(fence: u32, first: u32, n_edges: u32, is_corner_inside: bool) -> Cover {
        Cover { word: fence | if is_corner_inside { CORNER_INSIDE } else { 0 }, first, n_edges }
    }

    /// Of a circle, or of a corridor with the edges of its path that come near.
    pub(super) fn asking(fence: u32, first: u32, n_edges: u32) -> Cover {
        Cover { word: fence | ASKS, first, n_edges }
    }

    pub(super) fn goes_on(&mut self) {
        self.word |= GOES_ON;
    }

    pub(super) fn is_last(&mut self) {
        self.word |= IS_LAST;
    }

    fn fence(self) -> u32 {
        self.word & (FENCES_MAX as u32 - 1)
    }
}

/// What is left to look at for one point.
#[derive(Debug, Clone, Copy)]
enum Left {
    Nothing,
    One(u32),
    Covers { first: u32, corner: Xy },
}

/// Indices of the fences around a point, ascending, each once.
#[derive(Debug, Clone)]
pub(super) struct Around<'a> {
    cells: &'a Cells,
    fences: &'a [std::sync::Arc<Fence>],
    p: Xy,
    left: Left,
    last: u32,
}

impl Cells {
    #[inline]
    pub(super) fn around<'a>(&'a self, fences: &'a [std::sync::Arc<Fence>], p: Xy) -> Around<'a> {
        Around { cells: self, fences, p, left: self.look_up(p), last: u32::MAX }
    }

    #[inline]
    fn look_up(&self, p: Xy) -> Left {
        let frame = &self.frame;
        // A box of nothing holds no point, and no box holds NaN.
        if !frame.bounds.holds(p) {
            return Left::Nothing;
        }
        let (column, row) = (frame.column(p.x), frame.row(p.y));
        let mut index = (row >> FINEST) as usize * frame.n_columns + (column >> FINEST) as usize;
        let mut shift = FINEST;
        loop {
            match self.cells[index].kind() {
                Kind::Empty => return Left::Nothing,
                Kind::Full(fence) => return Left::One(fence),
                Kind::Covered(first) => return Left::Covers { first, corner: frame.corner(column, row, shift) },
                Kind::Cut(first) => {
                    shift -= CUT;
                    let part = |n: u32| (n >> shift) & ((1 << CUT) - 1);
                    index = (first + (part(row) << CUT) + part(column)) as usize;
                }
            }
        }
    }

    #[inline]
    fn edges(&self, cover: Cover) -> impl Iterator<Item = (Xy, Xy)> + '_ {
        let first = cover.first as usize;
        self.vertices[first..=first + cover.n_edges as usize].windows(2).map(|pair| (pair[0], pair[1]))
    }

    #[inline]
    fn parity(&self, cover: Cover, p: Xy, corner: Xy) -> bool {
        self.edges(cover).fold(cover.word & CORNER_INSIDE != 0, |inside, (a, b)| inside ^ is_crossed(a, b, p, corner))
    }
}

impl Around<'_> {
    /// The next area's fence, and whether the point is in it.
    fn step(&mut self, first: &mut u32, corner: Xy) -> (u32, bool, bool) {
        let mut cover = self.cells.covers[*first as usize];
        let fence = cover.fence();
        *first += 1;
        if cover.word & ASKS != 0 {
            let inside = self.ask(fence, cover);
            return (fence, inside, cover.word & IS_LAST != 0);
        }
        if cover.n_edges == 0 {
            return (fence, true, cover.word & IS_LAST != 0);
        }
        let mut inside = self.cells.parity(cover, self.p, corner);
        while cover.word & GOES_ON != 0 {
            cover = self.cells.covers[*first as usize];
            *first += 1;
            inside ^= self.cells.parity(cover, self.p, corner);
        }
        (fence, inside, cover.word & IS_LAST != 0)
    }
}

impl Around<'_> {
    fn ask(&self, fence: u32, cover: Cover) -> bool {
        match &self.fences[fence as usize].shape {
            Shape::Circle(circle) => circle.contains(self.p.into()),
            // Stretches of a corridor need no parity: each of them is a cover of its own.
            Shape::Corridor(corridor) => self.cells.edges(cover).any(|(a, b)| corridor.reaches(self.p, a, b)),
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
            Left::Covers { mut first, corner } => loop {
                let (fence, inside, is_last) = self.step(&mut first, corner);
                self.left = if is_last { Left::Nothing } else { Left::Covers { first, corner } };
                // Parts of one fence may overlap.
                if inside && fence != self.last {
                    self.last = fence;
                    return Some(fence as usize);
                }
                if is_last {
                    return None;
                }
            },
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
        Cells { frame, cells: vec![Cell::new(Kind::Empty)], covers: vec![], vertices: vec![] }
    }
}
