//! ST-DBSCAN (Birant and Kut, 2007): clusters of any shape of what happened near each other in both space and time.

use super::near::Cells;
use super::{Occurrence, PAIRS_MAX, Unanswered};

/// What is near: within both, inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// In space.
    pub metres: f64,
    /// In time.
    pub ms: i64,
}

/// Which cluster each occurrence is of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clusters {
    /// By occurrence; clusters are numbered from 0 in the order of their first ones, `None` is noise.
    pub of: Vec<Option<usize>>,
    /// How many there are.
    pub n: usize,
}

impl Reach {
    fn has(self, one: Occurrence, other: Occurrence) -> bool {
        one.at_ms.abs_diff(other.at_ms) <= self.ms.unsigned_abs() && one.distance_m(other) <= self.metres
    }
}

/// An occurrence with `least` within reach, itself among them, is a core; cores within reach of each other are of one cluster.
/// What is within reach of cores without being one is of the nearest one's, the first of those equally near: where the paper
/// lets the order of the list decide, here the order changes nothing but numbers.
pub fn clusters(all: &[Occurrence], reach: Reach, least: usize) -> Result<Clusters, Unanswered> {
    if !(reach.metres > 0.0 && reach.metres.is_finite() && reach.ms >= 0) {
        return Err(Unanswered::NotRising("distance and span"));
    }
    let cells = Cells::new(all, reach.metres);
    let (mut around, mut n_around) = (Vec::with_capacity(all.len()), 0);
    for one in all {
        let near: Vec<u32> = cells.about(one).filter(|j| reach.has(*one, all[*j as usize])).collect();
        n_around += near.len();
        if n_around > 2 * PAIRS_MAX {
            return Err(Unanswered::TooManyPairs(reach.metres as u64));
        }
        around.push(near);
    }
    let is_core = |i: usize| around[i].len() >= least.max(1);
    // First the cores, each with those that it reaches.
    let mut component: Vec<Option<usize>> = vec![None; all.len()];
    for first in (0..all.len()).filter(|i| is_core(*i)) {
        if component[first].is_some() {
            continue;
        }
        component[first] = Some(first);
        let mut rest = vec![first];
        while let Some(i) = rest.pop() {
            for j in around[i].iter().map(|j| *j as usize).filter(|j| is_core(*j)) {
                if component[j].is_none() {
                    component[j] = Some(first);
                    rest.push(j);
                }
            }
        }
    }
    let of_border = |i: usize| {
        let cores = around[i].iter().map(|j| *j as usize).filter(|j| is_core(*j));
        let by_distance = |a: &usize, b: &usize| {
            let key = |j: usize| (all[i].distance_m(all[j]), all[i].at_ms.abs_diff(all[j].at_ms), all[j]);
            let ((a_m, a_ms, a), (b_m, b_ms, b)) = (key(*a), key(*b));
            let place = |one: Occurrence, other: Occurrence| {
                one.at_ms.cmp(&other.at_ms).then(one.x_m.total_cmp(&other.x_m)).then(one.y_m.total_cmp(&other.y_m))
            };
            a_m.total_cmp(&b_m).then(a_ms.cmp(&b_ms)).then(place(a, b))
        };
        cores.min_by(by_distance).and_then(|core| component[core])
    };
    let roots: Vec<Option<usize>> = (0..all.len()).map(|i| component[i].or_else(|| of_border(i))).collect();
    let (mut out, mut numbers) = (Clusters::default(), vec![None; all.len()]);
    for root in roots {
        out.of.push(root.map(|root| {
            *numbers[root].get_or_insert_with(|| {
                out.n += 1;
                out.n - 1
            })
        }));
    }
    Ok(out)
}
