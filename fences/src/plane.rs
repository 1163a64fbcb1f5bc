//! Exact arithmetic on points and edges of a plane: which side, which parity, which contact. Knows neither map nor
//! picture.
//!
//! A point on a border is decided as if it lay a hair to the right (+x) and a hair of that hair up (+y). That moves
//! it off every edge, so in a tiling exactly one neighbour owns it, on edges and at vertices, and all code here that
//! asks for a side must break ties by that one rule.

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Xy {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// An undirected edge from its lower end (the left one, where it is level) to its upper end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Edge {
    pub(crate) low: Xy,
    pub(crate) high: Xy,
}

/// How two edges meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Contact {
    /// Each passes from one side of the other to its other side.
    Cross(Xy),
    /// An end of one lies on the other.
    Touch(Xy),
    /// They share a stretch and run the same way.
    Along(Xy),
    /// They share a stretch and run opposite ways.
    Against(Xy),
}

/// Coordinates nearer to zero than this become zero. Products of their differences would underflow, and the side of
/// an edge would be a guess; 1e-100 degrees is no place on Earth.
const TINY: f64 = 1e-100;

impl Xy {
    #[inline]
    pub(crate) fn new(x: f64, y: f64) -> Xy {
        // NaN stays NaN, and is in no box.
        let settle = |v: f64| if v.abs() < TINY { 0.0 } else { v };
        Xy { x: settle(x), y: settle(y) }
    }
}

/// Positive where `c` is left of the way from `a` to `b`, negative where right, zero where exactly on the line.
pub(crate) fn turn(a: Xy, b: Xy, c: Xy) -> f64 {
    let coord = |p: Xy| robust::Coord { x: p.x, y: p.y };
    robust::orient2d(coord(a), coord(b), coord(c))
}

impl Edge {
    pub(crate) fn new(a: Xy, b: Xy) -> Edge {
        if (a.y, a.x) <= (b.y, b.x) { Edge { low: a, high: b } } else { Edge { low: b, high: a } }
    }

    /// A level line just above `y` cuts the edge.
    pub(crate) fn spans_y(&self, y: f64) -> bool {
        self.low.y <= y && y < self.high.y
    }

    /// `p` is left of the edge; above it, where the edge is level.
    pub(crate) fn has_on_left(&self, p: Xy) -> bool {
        let side = turn(self.low, self.high, p);
        // On the line, the hair to the right decides; along a level edge it does not, and the hair up does.
        side > 0.0 || (side == 0.0 && self.low.y == self.high.y)
    }

    /// A ray from `p` to the right cuts the edge.
    pub(crate) fn is_cut_right_of(&self, p: Xy) -> bool {
        self.spans_y(p.y)
            && p.x <= self.low.x.max(self.high.x)
            && (p.x < self.low.x.min(self.high.x) || self.has_on_left(p))
    }

    pub(crate) fn x_min(&self) -> f64 {
        self.low.x.min(self.high.x)
    }

    pub(crate) fn x_max(&self) -> f64 {
        self.low.x.max(self.high.x)
    }

    pub(crate) fn holds(&self, p: Xy) -> bool {
        let in_box = p.y >= self.low.y && p.y <= self.high.y && p.x >= self.x_min() && p.x <= self.x_max();
        in_box && turn(self.low, self.high, p) == 0.0
    }
}

/// The passage of a way over an edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Passage {
    /// Of the way that is behind at the passage; rounded.
    pub(crate) of_way: f64,
    /// The way comes from the left of the edge.
    pub(crate) from_left: bool,
}

/// Whether the way from `p` to `q` passes over the edge from `a` to `b`. The way is decided as if moved a hair to the
/// right and a hair of that hair up, as points are, so that a chain of ways and a chain of edges pass once where they pass.
pub(crate) fn is_way_crossed(a: Xy, b: Xy, p: Xy, q: Xy) -> Option<Passage> {
    let beyond = |coordinate: fn(&Xy) -> f64| {
        let (low, high) = (coordinate(&a).min(coordinate(&b)), coordinate(&a).max(coordinate(&b)));
        let (from, to) = (coordinate(&p), coordinate(&q));
        (from < low && to < low) || (from > high && to > high)
    };
    if beyond(|p| p.x) || beyond(|p| p.y) {
        return None;
    }
    // A moved point on the line is left of it where the line goes down; a point left behind by the moved line, where up.
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let is_left_of_edge = |side: f64| side > 0.0 || (side == 0.0 && (dy < 0.0 || (dy == 0.0 && dx > 0.0)));
    let (way_x, way_y) = (q.x - p.x, q.y - p.y);
    let is_left_of_way = |side: f64| side > 0.0 || (side == 0.0 && (way_y > 0.0 || (way_y == 0.0 && way_x < 0.0)));
    let (p_side, q_side) = (turn(a, b, p), turn(a, b, q));
    let from_left = is_left_of_edge(p_side);
    if from_left == is_left_of_edge(q_side) || is_left_of_way(turn(p, q, a)) == is_left_of_way(turn(p, q, b)) {
        return None;
    }
    let of_way = if p_side == q_side { 0.0 } else { (p_side / (p_side - q_side)).clamp(0.0, 1.0) };
    Some(Passage { of_way, from_left })
}

/// Edges of a ring whose last vertex joins its first.
pub(crate) fn ring_edges(ring: &[Xy]) -> impl Iterator<Item = Edge> + '_ {
    let nexts = ring.iter().skip(1).chain(ring.first());
    ring.iter().zip(nexts).map(|(&a, &b)| Edge::new(a, b))
}

/// An odd number of the edges is cut by a ray from `p` to the right.
pub(crate) fn is_odd(edges: impl Iterator<Item = Edge>, p: Xy) -> bool {
    edges.fold(false, |odd, edge| odd ^ edge.is_cut_right_of(p))
}

/// Area of a ring, positive where it runs counter-clockwise.
pub(crate) fn signed_area(ring: &[Xy]) -> f64 {
    let Some(&origin) = ring.first() else { return 0.0 };
    // Relative to a vertex, because the far origin would cost the small area its digits.
    let cross = |a: &Xy, b: &Xy| (a.x - origin.x) * (b.y - origin.y) - (b.x - origin.x) * (a.y - origin.y);
    ring.windows(2).map(|pair| cross(&pair[0], &pair[1])).sum::<f64>() / 2.0
}

/// Where the way from `a` to `b` meets the way from `c` to `d`. Which of the kinds it is, is exact; the place of a
/// crossing is rounded.
pub(crate) fn contact(a: Xy, b: Xy, c: Xy, d: Xy) -> Option<Contact> {
    let (c_side, d_side) = (turn(a, b, c), turn(a, b, d));
    let (a_side, b_side) = (turn(c, d, a), turn(c, d, b));
    if c_side == 0.0 && d_side == 0.0 {
        return shared_stretch(a, b, c, d);
    }
    if opposite(a_side, b_side) && opposite(c_side, d_side) {
        let share = a_side / (a_side - b_side);
        return Some(Contact::Cross(Xy::new(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share)));
    }
    let (ab, cd) = (Edge::new(a, b), Edge::new(c, d));
    let ends = [(c, ab), (d, ab), (a, cd), (b, cd)];
    ends.into_iter().find(|(end, edge)| edge.holds(*end)).map(|(end, _)| Contact::Touch(end))
}

fn opposite(side: f64, other: f64) -> bool {
    (side > 0.0 && other < 0.0) || (side < 0.0 && other > 0.0)
}

/// Contact of two edges on one line.
fn shared_stretch(a: Xy, b: Xy, c: Xy, d: Xy) -> Option<Contact> {
    // Level or upright lines have one axis on which all ends coincide: measure on the longer one.
    let is_wide = (b.x - a.x).abs() >= (b.y - a.y).abs();
    let along = |p: Xy| if is_wide { p.x } else { p.y };
    let start = if along(a).min(along(b)) >= along(c).min(along(d)) { lower(a, b, along) } else { lower(c, d, along) };
    let end = along(a).max(along(b)).min(along(c).max(along(d)));
    if along(start) > end {
        return None;
    }
    if along(start) == end {
        return Some(Contact::Touch(start));
    }
    let same_way = (along(b) > along(a)) == (along(d) > along(c));
    Some(if same_way { Contact::Along(start) } else { Contact::Against(start) })
}

fn lower(a: Xy, b: Xy, along: impl Fn(Xy) -> f64) -> Xy {
    if along(a) <= along(b) { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(x: f64, y: f64) -> Xy {
        Xy::new(x, y)
    }

    #[test]
    fn contacts_are_told_apart() {
        let meet = |c, d| contact(p(0.0, 0.0), p(4.0, 0.0), c, d);
        assert_eq!(meet(p(1.0, -1.0), p(1.0, 1.0)), Some(Contact::Cross(p(1.0, 0.0))));
        assert_eq!(meet(p(1.0, 0.0), p(1.0, 1.0)), Some(Contact::Touch(p(1.0, 0.0))));
        assert_eq!(meet(p(4.0, 0.0), p(6.0, 0.0)), Some(Contact::Touch(p(4.0, 0.0))));
        assert_eq!(meet(p(1.0, 0.0), p(6.0, 0.0)), Some(Contact::Along(p(1.0, 0.0))));
        assert_eq!(meet(p(6.0, 0.0), p(1.0, 0.0)), Some(Contact::Against(p(1.0, 0.0))));
        assert_eq!(meet(p(5.0, 0.0), p(6.0, 0.0)), None);
        assert_eq!(meet(p(5.0, -1.0), p(5.0, 1.0)), None);
    }

    #[test]
    fn sides_are_exact_where_rounding_would_lie() {
        // The plain determinant of these is 0; the third point is one unit in the last place off the line.
        let (a, b) = (p(0.1, 0.1), p(106.3, 106.3));
        assert_eq!(turn(a, b, p(53.0, 53.0)), 0.0);
        assert!(turn(a, b, p(53.0, 53.0f64.next_up())) > 0.0);
        assert!(turn(a, b, p(53.0, 53.0f64.next_down())) < 0.0);
    }

    #[test]
    fn coordinates_too_small_to_multiply_are_zero() {
        assert_eq!(p(1e-200, -0.0), p(0.0, 0.0));
        assert!(p(f64::NAN, 0.0).x.is_nan());
    }
}
