//! Finds the pairs of edges that meet, without trying all pairs: neighbours along a ring lie near each other, so a
//! tree of boxes over the edges in ring order leaves out almost everything. Bounded even where it does not.

use crate::plane::{Contact, Xy, contact};
use crate::point::Bounds;

/// Edges in one leaf of the tree.
const LEAF_EDGES: usize = 4;
/// Pairs tried before giving up: all of them for small shapes, some hundred per edge for large ones, so that the
/// time for a file grows with its length. Real borders need about ten.
const PAIRS_PER_EDGE_MAX: usize = 500;
const PAIRS_BASE_MAX: usize = 2_000_000;

/// From one vertex to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) from: Xy,
    pub(super) to: Xy,
}

/// The bound on pairs was reached.
#[derive(Debug)]
pub(super) struct TooMany;

/// Calls `visit` with the indices of each two ways that meet, the lesser first; ways that follow each other in a
/// ring meet at their common vertex and are visited too.
pub(super) fn visit_contacts(ways: &[Way], mut visit: impl FnMut(usize, usize, Contact)) -> Result<(), TooMany> {
    if ways.is_empty() {
        return Ok(());
    }
    let tree = Tree::new(ways);
    let mut budget = PAIRS_BASE_MAX + PAIRS_PER_EDGE_MAX * ways.len();
    // Pairs of nodes of one level, so the stack holds a few per level.
    let mut pairs = vec![(1, 1)];
    while let Some((a, b)) = pairs.pop() {
        if a != b && !tree.boxes[a].meets(&tree.boxes[b]) {
            continue;
        }
        let cost = if tree.is_leaf(a) { LEAF_EDGES * LEAF_EDGES } else { 1 };
        budget = budget.checked_sub(cost).ok_or(TooMany)?;
        if !tree.is_leaf(a) {
            pairs.extend([(2 * a, 2 * b), (2 * a + 1, 2 * b + 1), (2 * a, 2 * b + 1)]);
            if a != b {
                pairs.push((2 * a + 1, 2 * b));
            }
            continue;
        }
        for i in tree.leaf(a) {
            let later = if a == b { i + 1..tree.leaf(b).end } else { tree.leaf(b) };
            for j in later {
                let (e, f) = (ways[i], ways[j]);
                if let Some(contact) =
                    e.bounds().meets(&f.bounds()).then(|| contact(e.from, e.to, f.from, f.to)).flatten()
                {
                    visit(i, j, contact);
                }
            }
        }
    }
    Ok(())
}

/// A binary tree in an array: the children of `n` are `2n` and `2n + 1`, the root is 1.
struct Tree {
    boxes: Vec<Bounds>,
    n_leaves: usize,
    n_ways: usize,
}

impl Tree {
    fn new(ways: &[Way]) -> Tree {
        let n_leaves = ways.len().div_ceil(LEAF_EDGES).next_power_of_two();
        let mut tree = Tree { boxes: vec![Bounds::EMPTY; 2 * n_leaves], n_leaves, n_ways: ways.len() };
        for leaf in n_leaves..2 * n_leaves {
            let ways = &ways[tree.leaf(leaf)];
            tree.boxes[leaf] = ways.iter().fold(Bounds::EMPTY, |bounds, way| bounds.union(&way.bounds()));
        }
        for node in (1..n_leaves).rev() {
            tree.boxes[node] = tree.boxes[2 * node].union(&tree.boxes[2 * node + 1]);
        }
        tree
    }

    fn is_leaf(&self, node: usize) -> bool {
        node >= self.n_leaves
    }

    fn leaf(&self, node: usize) -> std::ops::Range<usize> {
        let first = (node - self.n_leaves) * LEAF_EDGES;
        first.min(self.n_ways)..(first + LEAF_EDGES).min(self.n_ways)
    }
}

impl Way {
    fn bounds(&self) -> Bounds {
        Bounds {
            west: self.from.x.min(self.to.x),
            south: self.from.y.min(self.to.y),
            east: self.from.x.max(self.to.x),
            north: self.from.y.max(self.to.y),
        }
    }
}
