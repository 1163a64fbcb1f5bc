//! Pairs that lie near each other, found by cells as wide as they may be apart.

use std::collections::HashMap;

use super::{Occurrence, PAIRS_MAX, Unanswered};

/// Two occurrences by their places in the list, the lower one first, with how far apart they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) distance_m: f64,
}

/// Who is in each cell.
pub(super) struct Cells {
    width_m: f64,
    cells: HashMap<(i64, i64), Vec<u32>>,
}

impl Cells {
    pub(super) fn new(all: &[Occurrence], width_m: f64) -> Cells {
        let mut cells: HashMap<_, Vec<u32>> = HashMap::new();
        for (i, one) in all.iter().enumerate() {
            cells.entry(cell(one, width_m)).or_default().push(i as u32);
        }
        Cells { width_m, cells }
    }

    /// All that may be within a cell's width, the one itself among them.
    pub(super) fn about(&self, one: &Occurrence) -> impl Iterator<Item = u32> {
        let (column, row) = cell(one, self.width_m);
        let around = (-1..=1).flat_map(move |x| (-1..=1).map(move |y| (column + x, row + y)));
        around.filter_map(|at| self.cells.get(&at)).flatten().copied()
    }
}

fn cell(one: &Occurrence, width_m: f64) -> (i64, i64) {
    ((one.x_m / width_m).floor() as i64, (one.y_m / width_m).floor() as i64)
}

/// All pairs that are at most so far apart.
pub(super) fn pairs(all: &[Occurrence], within_m: f64) -> Result<Vec<Pair>, Unanswered> {
    let cells = Cells::new(all, within_m);
    let mut out = Vec::new();
    for (i, one) in all.iter().enumerate() {
        for j in cells.about(one).filter(|j| *j > i as u32) {
            let distance_m = one.distance_m(all[j as usize]);
            if distance_m > within_m {
                continue;
            }
            if out.len() >= PAIRS_MAX {
                return Err(Unanswered::TooManyPairs(within_m as u64));
            }
            out.push(Pair { a: i as u32, b: j, distance_m });
        }
    }
    Ok(out)
}
