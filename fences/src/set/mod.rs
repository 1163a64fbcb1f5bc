//! Many fences that are asked together. Knows nothing of how they are kept up to date: a change is a new set.

mod areas;
mod build;
mod cells;
mod frame;
mod many;

use std::collections::HashMap;
use std::sync::Arc;

use crate::fence::Fence;
use crate::point::Point;
use crate::shape::{Crossing, Shape};
use cells::Cells;

/// Fences in the order in which they were given, behind an index. Cheap to ask, built in milliseconds, and never changed:
/// behind an `Arc` it is shared by threads, and a changed set takes its place at once.
#[derive(Debug, Default)]
pub struct FenceSet {
    fences: Vec<Arc<Fence>>,
    by_id: HashMap<Arc<str>, usize>,
    cells: Cells,
    /// Indices of tripwires, which have no inside.
    lines: Vec<usize>,
}

impl FenceSet {
    /// Ids should be unique, as those of one GeoJSON text are: of two with one id, [`FenceSet::get`] finds the first.
    pub fn new(fences: Vec<Fence>) -> FenceSet {
        let fences: Vec<Arc<Fence>> = fences.into_iter().map(Arc::new).collect();
        let mut by_id = HashMap::with_capacity(fences.len());
        for (index, fence) in fences.iter().enumerate() {
            by_id.entry(fence.id.clone()).or_insert(index);
        }
        let cells = build::build(&fences);
        let is_line = |(index, fence): (usize, &Arc<Fence>)| matches!(fence.shape, Shape::Line(_)).then_some(index);
        let lines = fences.iter().enumerate().filter_map(is_line).collect();
        FenceSet { fences, by_id, cells, lines }
    }

    /// The fence with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Fence>> {
        self.by_id.get(id).map(|&index| &self.fences[index])
    }

    /// The fences that [contain](Fence::contains) the point, each once, in the order in which they were given.
    #[inline]
    pub fn containing(&self, point: Point) -> impl Iterator<Item = &Arc<Fence>> {
        self.cells.around(&self.fences, point.asked()).map(|index| &self.fences[index])
    }

    /// For many points at once: calls `found` with the index of each point and each fence that [contains](Fence::contains)
    /// it, points and fences in the order in which they were given. The same answers as [`FenceSet::containing`] gives point
    /// by point, two to three times as fast where the index is larger than the caches and points come in no order, because
    /// it waits for the memory of many points at a time.
    pub fn containing_each(&self, points: &[Point], mut found: impl FnMut(usize, &Arc<Fence>)) {
        let points = points.iter().map(|point| point.asked());
        self.cells.around_each(&self.fences, points, |point, fence| found(point, &self.fences[fence]));
    }

    /// The one fence that owns the point in a tiling, where it has exactly one owner, also on borders and at corners; of
    /// fences that overlap the first. On the outer border, which no fence contains at its upper and right sides, it is the
    /// first of those whose border the point is on, so that what a tiling covers with all its borders has an owner
    /// everywhere. Costs no allocation, as [`FenceSet::containing`] does not.
    pub fn owner(&self, point: Point) -> Option<&Arc<Fence>> {
        let index = self.cells.around(&self.fences, point.asked()).next();
        index.or_else(|| self.cells.touching(point.xy())).map(|index| &self.fences[index])
    }

    /// Each passage over a [`Line`](crate::Line) on the straight way from one point to another, with its fence.
    pub fn crossings(&self, from: Point, to: Point) -> impl Iterator<Item = (&Arc<Fence>, Crossing)> {
        self.lines.iter().map(|&index| &self.fences[index]).flat_map(move |fence| {
            let line = if let Shape::Line(line) = &fence.shape { Some(line) } else { None };
            line.into_iter().flat_map(move |line| line.crossings(from, to)).map(move |crossing| (fence, crossing))
        })
    }

    /// In the order in which they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Fence>> + Clone {
        self.fences.iter()
    }

    /// How many fences there are.
    pub fn len(&self) -> usize {
        self.fences.len()
    }

    /// Whether there is no fence.
    pub fn is_empty(&self) -> bool {
        self.fences.is_empty()
    }
}
