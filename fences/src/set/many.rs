//! Many points asked together. One after the other, each waits for its cell, then for what is beneath it, then for its
//! leaf, and nothing else happens meanwhile; here many wait for each of these at once. The answers are the same.

use std::sync::Arc;

use super::cells::{Around, Cell, Cells, Kind};
use super::frame::{CUTS_MAX, Spot};
use crate::fence::Fence;
use crate::plane::Xy;

/// More than a core can wait for at a time, and little enough that what came stays in its nearest cache.
const AT_A_TIME: usize = 64;
/// Words of a leaf that are fetched beforehand, and how many lie in one line of the cache.
const FETCHED: usize = 24;
const LINE: usize = 8;

/// One point on its way down.
#[derive(Debug, Clone, Copy)]
struct Asked {
    index: usize,
    p: Xy,
    spot: Spot,
    cell: Cell,
}

impl Cells {
    /// Calls `found` with the index of each point and of each fence around it, in that order.
    pub(super) fn around_each(
        &self,
        fences: &[Arc<Fence>],
        points: impl Iterator<Item = Xy>,
        mut found: impl FnMut(usize, usize),
    ) {
        let mut points = points.enumerate().filter(|(_, p)| self.frame.bounds.holds(*p));
        let mut asked: Vec<Asked> = Vec::with_capacity(AT_A_TIME);
        loop {
            asked.clear();
            asked.extend(points.by_ref().take(AT_A_TIME).map(|(index, p)| {
                let spot = self.frame.spot(p);
                Asked { index, p, spot, cell: self.cells[spot.cell] }
            }));
            if asked.is_empty() {
                return;
            }
            for _ in 0..CUTS_MAX {
                asked.iter_mut().for_each(|one| self.descend(one));
            }
            std::hint::black_box(asked.iter().fold(0, |all, one| all ^ self.fetch(one.cell)));
            for Asked { index, p, spot, cell } in &asked {
                let around = Around::new(self, fences, *p, *spot, *cell);
                around.for_each(|fence| found(*index, fence));
            }
        }
    }

    fn descend(&self, one: &mut Asked) {
        if let Kind::Cut(first) = one.cell.kind() {
            one.spot.descend(first);
            one.cell = self.cells[one.spot.cell];
        }
    }

    /// Something of each line of the cache that the head of a leaf lies in.
    fn fetch(&self, cell: Cell) -> u64 {
        let Kind::Covered(first) = cell.kind() else { return 0 };
        let words = self.leaves[first as usize..].iter().take(FETCHED).step_by(LINE);
        words.fold(0, |all, word| all ^ word)
    }
}
