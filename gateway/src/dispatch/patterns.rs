//! What tickets of one category say together: whether they cluster, how far and how long one draws others after it, and
//! whether it became less at a place once its class case was closed.

use std::collections::HashSet;
use std::sync::Arc;

use outpost_fences::recurrence::{
    Clusters, Comparison, Occurrence, Patrol, Reach, Scales, Table, Unanswered, clusters, knox, on_plane,
};
use outpost_fences::{FenceSet, Point};

/// A ticket by where and when it opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    pub ticket: u64,
    pub source: Arc<str>,
    pub point: Option<Point>,
    pub at_ms: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Patterns {
    /// Tickets that have a point: the others are in no pattern.
    pub n: usize,
    pub table: Table,
    pub patrol: Option<Patrol>,
    /// The largest first.
    pub clusters: Vec<Cluster>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// In the order in which they opened.
    pub tickets: Vec<u64>,
    /// Mean longitude and latitude.
    pub middle: (f64, f64),
    pub first_ms: i64,
    pub last_ms: i64,
}

/// Patterns over several scales. `reach` and `least` are those of the clusters.
pub fn find(all: &[Happened], scales: &Scales, reach: Reach, least: usize) -> Result<Patterns, Unanswered> {
    let placed: Vec<(&Happened, Point)> = all.iter().filter_map(|one| Some((one, one.point?))).collect();
    let points: Vec<(Point, i64)> = placed.iter().map(|(one, point)| (*point, one.at_ms)).collect();
    let occurrences: Vec<Occurrence> = on_plane(&points);
    let table = Table::new(&occurrences, scales, knox::DRAWS, knox::SEED)?;
    let Clusters { of, n } = clusters(&occurrences, reach, least)?;
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); n];
    of.iter().enumerate().filter_map(|(i, of)| Some((i, (*of)?))).for_each(|(i, of)| members[of].push(i));
    let mut clusters: Vec<Cluster> = members.iter().filter_map(|members| cluster(&placed, members)).collect();
    clusters.sort_by_key(|cluster| (usize::MAX - cluster.tickets.len(), cluster.first_ms));
    Ok(Patterns { n: placed.len(), patrol: table.patrol(), table, clusters })
}

fn cluster(placed: &[(&Happened, Point)], members: &[usize]) -> Option<Cluster> {
    let mut members: Vec<_> = members.iter().map(|i| placed[*i]).collect();
    members.sort_by_key(|(one, _)| (one.at_ms, one.ticket));
    let mean = |of: fn(&Point) -> f64| members.iter().map(|(_, point)| of(point)).sum::<f64>() / members.len() as f64;
    Some(Cluster {
        middle: (mean(|point| point.lon), mean(|point| point.lat)),
        first_ms: members.first()?.0.at_ms,
        last_ms: members.last()?.0.at_ms,
        tickets: members.iter().map(|(one, _)| one.ticket).collect(),
    })
}

/// The place of a class case: its grid, and what is near one of its tickets; by source where there is no point.
#[derive(Debug)]
pub struct Ground<'a> {
    grids: &'a FenceSet,
    grid: Option<&'a str>,
    radius_m: f64,
    points: Vec<Point>,
    sources: HashSet<Arc<str>>,
}

/// Before and after a class case was closed, at its place and, to see what would have come anyway, everywhere else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Length of each span.
    pub span_ms: i64,
    pub here: Comparison,
    pub elsewhere: Comparison,
}

impl<'a> Ground<'a> {
    pub fn new(grids: &'a FenceSet, grid: Option<&'a str>, radius_m: f64, members: &[Happened]) -> Ground<'a> {
        Ground {
            grids,
            grid,
            radius_m,
            points: members.iter().filter_map(|one| one.point).collect(),
            sources: members.iter().filter(|one| one.point.is_none()).map(|one| one.source.clone()).collect(),
        }
    }

    fn has(&self, one: &Happened) -> bool {
        let Some(point) = one.point else { return self.sources.contains(&one.source) };
        let is_owned = || self.grid.is_some_and(|grid| self.grids.owner(point).is_some_and(|fence| &*fence.id == grid));
        self.points.iter().any(|member| member.distance_m(point) <= self.radius_m) || is_owned()
    }

    /// `all` are the category's tickets of at least the two spans about the time at which the case was closed.
    pub fn change(&self, all: &[Happened], closed_ms: i64, span_ms: i64) -> Change {
        let none = Comparison { n_before: 0, n_after: 0 };
        let mut change = Change { span_ms, here: none, elsewhere: none };
        for one in all {
            let count = if self.has(one) { &mut change.here } else { &mut change.elsewhere };
            if (closed_ms.saturating_sub(span_ms)..closed_ms).contains(&one.at_ms) {
                count.n_before += 1;
            } else if (closed_ms..closed_ms.saturating_add(span_ms)).contains(&one.at_ms) {
                count.n_after += 1;
            }
        }
        change
    }
}
