//! The quickest ways from many places to one: one search from the end backwards, as far as the last of them.

use std::collections::{HashMap, HashSet};

use outpost_fences::Point;
use pathfinding::directed::dijkstra::dijkstra_reach;

use super::snap::Snap;
use super::{Cost, Edge, FOOT_KMH, Roads};

/// The end of all ways: between nodes, on edges.
const END: u32 = u32::MAX;

/// A way by road.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Way {
    pub ms: u64,
    pub metres: f64,
}

/// Ways to one place.
pub struct Ways<'a> {
    roads: &'a Roads,
    end: Snap,
    /// Of the nodes that were reached.
    costs: HashMap<u32, Cost>,
}

impl Roads {
    /// Ways to `end` from each of the places that [`Ways::from`] is going to be asked about. None where no road leads near
    /// `end`.
    pub fn to(&self, end: Point, from: &[Point]) -> Option<Ways<'_>> {
        let end = self.snap(end)?;
        let edge = |(at, share): &(u32, f64)| (self.edges[*at as usize], *share);
        let last: Vec<(Edge, f64)> = end.on.iter().map(edge).collect();
        let mut wanted: HashSet<u32> = from
            .iter()
            .filter_map(|point| self.snap(*point))
            .flat_map(|snap| snap.on)
            .map(|(at, _)| self.edges[at as usize].to)
            .collect();
        let before = |node: &u32| -> Vec<(u32, u64)> {
            match *node {
                END => last.iter().map(|(edge, share)| (edge.from, part(edge, *share).0)).collect(),
                node => self.edges_into(node).map(|edge| (edge.from, edge.cost.0)).collect(),
            }
        };
        let mut costs = HashMap::new();
        for reached in dijkstra_reach(&END, before) {
            costs.insert(reached.node, Cost(reached.total_cost));
            wanted.remove(&reached.node);
            if wanted.is_empty() {
                break;
            }
        }
        Some(Ways { roads: self, end, costs })
    }
}

impl Ways<'_> {
    /// None where no road leads from there.
    pub fn from(&self, place: Point) -> Option<Way> {
        let begin = self.roads.snap(place)?;
        let quickest = begin.on.iter().flat_map(|(at, share)| self.by(*at, *share)).min()?;
        let on_foot = Cost::of(begin.off_m + self.end.off_m, FOOT_KMH);
        Some(Way { ms: quickest.ms() + on_foot.ms(), metres: quickest.metres() + on_foot.metres() })
    }

    /// Along an edge to its end and on from there, or, where the end of the way is farther along the same edge, to that.
    fn by(&self, at: u32, share: f64) -> impl Iterator<Item = Cost> {
        let edge = &self.roads.edges[at as usize];
        let on = self.costs.get(&edge.to).map(|cost| Cost(cost.0 + part(edge, 1.0 - share).0));
        let along = self.end.on.iter().find(|(other, end)| *other == at && *end >= share);
        on.into_iter().chain(along.map(|(_, end)| part(edge, end - share)))
    }
}

/// What a part of an edge costs.
fn part(edge: &Edge, share: f64) -> Cost {
    let of = |whole: u64| (whole as f64 * share.clamp(0.0, 1.0)).round() as u64;
    Cost(of(edge.cost.ms()) << 32 | of((edge.cost.metres() * 10.0).round() as u64))
}
