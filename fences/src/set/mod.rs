//! Many fences that are asked together. Knows nothing of how they are kept up to date: a change is a new set.

mod areas;
mod build;
mod cells;
mod frame;

use std::collections::HashMap;
use std::sync::Arc;

use crate::fence::Fence;
use crate::point::Point;
use cells::Cells;

/// Fences in the order in which they were given, behind an index. Cheap to ask, built in milliseconds.
#[derive(Debug, Default)]
pub struct FenceSet {
    fences: Vec<Arc<Fence>>,
    by_id: HashMap<Arc<str>, usize>,
    cells: Cells,
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
        FenceSet { fences, by_id, cells }
    }

    pub fn get(&self, id: &str) -> Option<&Arc<Fence>> {
        self.by_id.get(id).map(|&index| &self.fences[index])
    }

    /// The fences that [contain](Fence::contains) the point, each once, in the order in which they were given.
    pub fn containing(&self, point: Point) -> impl Iterator<Item = &Arc<Fence>> {
        self.cells.around(&self.fences, point.xy()).map(|index| &self.fences[index])
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Fence>> {
        self.fences.iter()
    }

    pub fn len(&self) -> usize {
        self.fences.len()
    }

    pub fn is_empty(&self) -> bool {
        self.fences.is_empty()
    }
}
