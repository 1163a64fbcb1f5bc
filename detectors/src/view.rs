//! What a camera usually looks at, as edges: tells whether it looks elsewhere. Knows nothing of time.

use crate::luma::Grid;

/// A change of brightness between neighbouring cells that is an edge, in grey levels: noise and compression stay below.
const EDGE_MIN: f32 = 4.0;
/// The most that one edge counts for: one bright lamp is not the whole view.
const EDGE_MAX: f32 = 40.0;
/// How far a view is looked for elsewhere, in cells, by every second one: a tenth of the picture. What has turned further
/// shares too little with what it was.
const SHIFT_MAX: [isize; 2] = [16, 10];
const SHIFT_STEP: usize = 2;
/// Shares of the cells read in the search.
const READ_EVERY: usize = 3;

/// Mean edge from which on one way of looking says something: below it, it is noise that is compared.
const MEAN_MIN: f32 = 0.15;

/// Steps an edge of one grey level has: edges are kept in two bytes each.
const STEPS: f32 = 1_024.0;

/// The edges of a picture, cell by cell; 0 where it is even. Those that one meets going across and those going down are
/// compared each by itself: a kerb along the picture looks the same wherever the camera has turned along it.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    columns: usize,
    across: Vec<u16>,
    down: Vec<u16>,
}

impl View {
    /// Becomes that of these cells; those that are not looked at are 0, and there is no edge beside them.
    pub(crate) fn look(&mut self, grid: Grid, cells: &[f32]) {
        let columns = grid.columns.max(1);
        self.columns = columns;
        for edges in [&mut self.across, &mut self.down] {
            edges.clear();
            edges.resize(cells.len(), 0);
        }
        let edge = |a: f32, b: f32| {
            let is_seen = f32::from(u8::from(a > 0.0 && b > 0.0));
            (STEPS * is_seen * ((a - b).abs() - EDGE_MIN).clamp(0.0, EDGE_MAX)) as u16
        };
        for (edges, row) in self.across.chunks_exact_mut(columns).zip(cells.chunks_exact(columns)) {
            for (to, pair) in edges.iter_mut().zip(row.windows(2)) {
                *to = edge(pair[0], pair[1]);
            }
        }
        for ((to, &here), &below) in self.down.iter_mut().zip(cells).zip(cells.iter().skip(columns)) {
            *to = edge(here, below);
        }
    }

    /// Becomes a little more like another one.
    pub(crate) fn follow(&mut self, other: &View, share: f32) {
        self.columns = other.columns;
        for (edges, other) in [(&mut self.across, &other.across), (&mut self.down, &other.down)] {
            edges.resize(other.len(), 0);
            for (edge, other) in edges.iter_mut().zip(other) {
                let (from, to) = (f32::from(*edge), f32::from(*other));
                *edge = (from + share * (to - from) + 0.5) as u16;
            }
        }
    }

    /// Whether there is enough in it to be told from another.
    pub(crate) fn is_telling(&self) -> bool {
        [&self.across, &self.down].into_iter().any(|edges| mean(edges) >= MEAN_MIN)
    }

    /// Mean edge.
    pub(crate) fn strength(&self) -> f32 {
        mean(&self.across) + mean(&self.down)
    }

    /// Correlation with another view of the same grid, 1 for the same one, about 0 for one that has nothing to do with it.
    pub(crate) fn likeness(&self, other: &View) -> f32 {
        self.correlation(other, [0, 0], 1)
    }

    /// The greatest correlation with the other view shifted to any side.
    pub(crate) fn likeness_elsewhere(&self, other: &View) -> f32 {
        let mut best = -1.0_f32;
        for dy in (-SHIFT_MAX[1]..=SHIFT_MAX[1]).step_by(SHIFT_STEP) {
            for dx in (-SHIFT_MAX[0]..=SHIFT_MAX[0]).step_by(SHIFT_STEP) {
                if [dx, dy] != [0, 0] {
                    best = best.max(self.correlation(other, [dx, dy], READ_EVERY));
                }
            }
        }
        best
    }

    /// Of both ways of looking, the less alike.
    fn correlation(&self, other: &View, shift: [isize; 2], every: usize) -> f32 {
        if self.columns == 0 || self.columns != other.columns || self.across.len() != other.across.len() {
            return 0.0;
        }
        let ways = [(&self.across, &other.across), (&self.down, &other.down)];
        let telling = ways.into_iter().filter(|(edges, _)| mean(edges) >= MEAN_MIN);
        let correlations = telling.map(|(a, b)| correlation(a, b, self.columns, shift, every));
        correlations.reduce(f32::min).unwrap_or(0.0)
    }
}

fn mean(edges: &[u16]) -> f32 {
    edges.iter().map(|edge| u64::from(*edge)).sum::<u64>() as f32 / STEPS / edges.len().max(1) as f32
}

fn correlation(a: &[u16], b: &[u16], columns: usize, [dx, dy]: [isize; 2], every: usize) -> f32 {
    let rows = a.len() / columns;
    let ((a_x, b_x), (a_y, b_y)) = (shifted(dx, columns), shifted(dy, rows));
    let (width, height) = (columns.saturating_sub(dx.unsigned_abs()), rows.saturating_sub(dy.unsigned_abs()));
    let mut sums = Sums::default();
    for row in (0..height).step_by(every) {
        sums.add(&a[(a_y + row) * columns + a_x..][..width], &b[(b_y + row) * columns + b_x..][..width]);
    }
    sums.correlation()
}

/// Where the parts begin that two rows share when one is shifted; nothing is shared where it is shifted by their length.
fn shifted(by: isize, n: usize) -> (usize, usize) {
    let by_abs = by.unsigned_abs().min(n);
    if by >= 0 { (by_abs, 0) } else { (0, by_abs) }
}

#[derive(Debug, Default)]
struct Sums {
    n: f32,
    a: f32,
    b: f32,
    aa: f32,
    bb: f32,
    ab: f32,
}

impl Sums {
    fn add(&mut self, a: &[u16], b: &[u16]) {
        const LANES: usize = 8;
        let mut lanes = [[0.0_f32; LANES]; 5];
        for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
            for lane in 0..LANES {
                let (a, b) = (f32::from(a[lane]) / STEPS, f32::from(b[lane]) / STEPS);
                lanes[0][lane] += a;
                lanes[1][lane] += b;
                lanes[2][lane] += a * a;
                lanes[3][lane] += b * b;
                lanes[4][lane] += a * b;
            }
        }
        self.n += (a.len() / LANES * LANES) as f32;
        let sums = [&mut self.a, &mut self.b, &mut self.aa, &mut self.bb, &mut self.ab];
        for (sum, lanes) in sums.into_iter().zip(lanes) {
            *sum += lanes.iter().sum::<f32>();
        }
    }

    fn correlation(&self) -> f32 {
        let n = self.n.max(1.0);
        let (of_a, of_b) = (self.aa - self.a * self.a / n, self.bb - self.b * self.b / n);
        let both = self.ab - self.a * self.b / n;
        let scale = (of_a.max(0.0) * of_b.max(0.0)).sqrt();
        if scale > 1e-3 { (both / scale).clamp(-1.0, 1.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luma::Luma;

    fn look(grid: Grid, cells: &[f32]) -> View {
        let mut view = View::default();
        view.look(grid, cells);
        view
    }

    fn view(shift: usize, light: f32) -> View {
        let (columns, rows) = (160, 90);
        let grid = Grid::of(&Luma { width: columns, height: rows, stride: columns, pixels: &[] }, columns);
        let level = |x: usize, y: usize| 60.0 + ((x * x / 7 + y * 13) % 23 * 5) as f32;
        let cells: Vec<f32> =
            (0..columns * rows).map(|cell| light * level((cell % columns + shift) / 6, cell / columns / 5)).collect();
        look(grid, &cells)
    }

    #[test]
    fn a_view_is_itself_in_any_light_and_is_found_where_it_went() {
        let here = view(0, 1.0);
        assert!(here.likeness(&view(0, 1.0)) > 0.999);
        assert!(here.likeness(&view(0, 0.6)) > 0.9);
        let moved = view(8, 1.0);
        assert!(here.likeness(&moved) < 0.4, "{}", here.likeness(&moved));
        assert!(here.likeness_elsewhere(&moved) > 0.95 && moved.likeness_elsewhere(&here) > 0.95);
    }

    #[test]
    fn views_of_nothing_and_of_other_sizes_are_like_nothing() {
        let here = view(0, 1.0);
        assert_eq!(here.likeness(&View::default()), 0.0);
        assert_eq!(View::default().likeness_elsewhere(&View::default()), 0.0);
        let grid = Grid::of(&Luma { width: 3, height: 2, stride: 3, pixels: &[] }, 16);
        let small = look(grid, &[10.0, 20.0, 90.0, 0.0, 20.0, 10.0]);
        assert_eq!(small.likeness_elsewhere(&small), 0.0);
    }
}
