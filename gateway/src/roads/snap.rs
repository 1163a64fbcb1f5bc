//! Which roads a point is on: the nearest, and those beside it, as the other way of a street is.

use std::collections::HashMap;

use outpost_fences::Point;

use super::{Edge, Roads};

/// Metres of a degree of latitude (mean).
const DEGREE_M: f64 = 111_195.0;

/// Roads that are farther than the nearest one by no more than this are as near.
const BESIDE_M: f64 = 0.01;

/// Edges by cells that are as wide as a point may be off: whatever is within reach is in one of the nine around it.
#[derive(Debug)]
pub(super) struct Cells {
    reach_m: f64,
    size: (f64, f64),
    edges: HashMap<(i32, i32), Vec<u32>>,
}

/// Where on the roads a point is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Snap {
    /// Metres from the point to the road.
    pub(super) off_m: f64,
    /// Edges, and how much of each is before the point, 0..1.
    pub(super) on: Vec<(u32, f64)>,
}

impl Cells {
    pub(super) fn new(nodes: &[Point], edges: &[Edge], reach_m: f64) -> Cells {
        let lat = nodes.iter().map(|node| node.lat.abs()).fold(0.0, f64::max);
        let high = reach_m.max(1.0) / DEGREE_M;
        let mut cells = Cells { reach_m, size: (high / cos(lat), high), edges: HashMap::new() };
        for (at, edge) in edges.iter().enumerate() {
            let (a, b) = (cells.cell(nodes[edge.from as usize]), cells.cell(nodes[edge.to as usize]));
            for column in a.0.min(b.0)..=a.0.max(b.0) {
                for row in a.1.min(b.1)..=a.1.max(b.1) {
                    cells.edges.entry((column, row)).or_default().push(at as u32);
                }
            }
        }
        cells
    }

    fn cell(&self, point: Point) -> (i32, i32) {
        ((point.lon / self.size.0).floor() as i32, (point.lat / self.size.1).floor() as i32)
    }

    fn around(&self, point: Point) -> impl Iterator<Item = u32> {
        let (column, row) = self.cell(point);
        let near = (-1..=1).flat_map(move |dx| (-1..=1).map(move |dy| (column + dx, row + dy)));
        near.filter_map(|cell| self.edges.get(&cell)).flatten().copied()
    }
}

impl Roads {
    /// None where no road is within reach.
    pub(super) fn snap(&self, point: Point) -> Option<Snap> {
        let mut found: Vec<(f64, u32, f64)> = Vec::new();
        for at in self.cells.around(point) {
            let edge = &self.edges[at as usize];
            let (off_m, share) = beside(point, self.nodes[edge.from as usize], self.nodes[edge.to as usize]);
            if off_m <= self.cells.reach_m {
                found.push((off_m, at, share));
            }
        }
        let off_m = found.iter().map(|(off_m, ..)| *off_m).min_by(f64::total_cmp)?;
        let mut on: Vec<(u32, f64)> =
            found.iter().filter(|(m, ..)| *m <= off_m + BESIDE_M).map(|(_, at, share)| (*at, *share)).collect();
        // An edge stands in several cells.
        on.sort_by_key(|(at, _)| *at);
        on.dedup_by_key(|(at, _)| *at);
        Some(Snap { off_m, on })
    }
}

/// Metres from a point to a straight edge, and how much of the edge is before the nearest place on it. On the plane around the
/// point: edges are short.
fn beside(point: Point, from: Point, to: Point) -> (f64, f64) {
    let scale = cos(point.lat);
    let flat = |other: Point| ((other.lon - point.lon) * DEGREE_M * scale, (other.lat - point.lat) * DEGREE_M);
    let ((ax, ay), (bx, by)) = (flat(from), flat(to));
    let (dx, dy) = (bx - ax, by - ay);
    let squared = dx * dx + dy * dy;
    let share = if squared > 0.0 { (-(ax * dx + ay * dy) / squared).clamp(0.0, 1.0) } else { 0.0 };
    ((ax + share * dx).hypot(ay + share * dy), share)
}

fn cos(lat: f64) -> f64 {
    lat.to_radians().cos().max(0.01)
}
