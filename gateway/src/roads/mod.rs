//! Roads as a graph: from two tables to the time that a way takes. Pure; knows nothing of officers or tickets.
//!
//! - [`Roads::parse`]: the tables, as OSMnx and most network tools write them
//! - [`Roads::to`]: ways from many places to one
//! - `snap`: which road a point is on

mod parse;
mod snap;
mod ways;

use outpost_fences::Point;

pub use parse::RoadsError;
pub use ways::{Way, Ways};

use self::snap::Cells;

/// From an edge's end to the nearest road, people walk.
const FOOT_KMH: f64 = 5.0;

/// A directed graph of roads.
#[derive(Debug)]
pub struct Roads {
    nodes: Vec<Point>,
    edges: Vec<Edge>,
    /// Edges that end at each node: those of node `n` are `into[begins[n]..begins[n + 1]]`.
    into: Vec<u32>,
    begins: Vec<u32>,
    cells: Cells,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    from: u32,
    to: u32,
    cost: Cost,
}

/// Time and, between ways of one time, length: milliseconds in the upper 32 bits, decimetres in the lower. Costs add up as
/// numbers do; what is longer than 24 days or 400,000 km is no way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cost(u64);

impl Cost {
    /// Saturates far above any way within a district.
    fn of(length_m: f64, kmh: f64) -> Cost {
        let ms = (length_m * 3_600.0 / kmh).clamp(0.0, f64::from(u32::MAX >> 1));
        let decimetres = (length_m * 10.0).clamp(0.0, f64::from(u32::MAX >> 1));
        Cost((ms.round() as u64) << 32 | decimetres.round() as u64)
    }

    fn ms(self) -> u64 {
        self.0 >> 32
    }

    fn metres(self) -> f64 {
        (self.0 & u64::from(u32::MAX)) as f64 / 10.0
    }
}

impl Roads {
    pub fn n_nodes(&self) -> usize {
        self.nodes.len()
    }

    pub fn n_edges(&self) -> usize {
        self.edges.len()
    }

    fn edges_into(&self, node: u32) -> impl Iterator<Item = &Edge> {
        let (from, to) = (self.begins[node as usize] as usize, self.begins[node as usize + 1] as usize);
        self.into[from..to].iter().map(|edge| &self.edges[*edge as usize])
    }
}

#[cfg(test)]
mod tests;
