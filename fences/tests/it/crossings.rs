//! Which rings cross themselves: against all pairs of edges in whole numbers, and at sizes where all pairs are too many.

use outpost_fences::shape::{FlawKind, VERTICES_MAX};
use outpost_fences::{Point, Polygon};
use proptest::prelude::*;

use crate::shapes::point;

type Whole = (i64, i64);

fn side(a: Whole, b: Whole, c: Whole) -> i64 {
    ((b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)).signum()
}

/// Two edges pass through each other / have a point in common.
fn cross(a: Whole, b: Whole, c: Whole, d: Whole) -> bool {
    side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0
}

fn meet(a: Whole, b: Whole, c: Whole, d: Whole) -> bool {
    let on = |a: Whole, b: Whole, p: Whole| {
        let between = |x: i64, y: i64, v: i64| v >= x.min(y) && v <= x.max(y);
        side(a, b, p) == 0 && between(a.0, b.0, p.0) && between(a.1, b.1, p.1)
    };
    cross(a, b, c, d) || on(a, b, c) || on(a, b, d) || on(c, d, a) || on(c, d, b)
}

fn made(ring: &[Whole]) -> Result<Polygon, FlawKind> {
    let ring: Vec<Point> = ring.iter().map(|&(x, y)| point(x as f64, y as f64)).collect();
    Polygon::new(&ring, &[]).map_err(|flaw| flaw.kind)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_ring_is_refused_when_two_edges_cross_and_taken_when_none_meet(
        ring in prop::collection::vec((0..7i64, 0..7i64), 3..10)
    ) {
        let n = ring.len();
        let edge = |i: usize| (ring[i], ring[(i + 1) % n]);
        let pairs: Vec<_> = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect();
        let any = |test: fn(Whole, Whole, Whole, Whole) -> bool, pairs: &[(usize, usize)]| {
            pairs.iter().any(|&(i, j)| test(edge(i).0, edge(i).1, edge(j).0, edge(j).1))
        };
        let apart: Vec<_> = pairs.iter().copied().filter(|&(i, j)| j != i + 1 && (i, j) != (0, n - 1)).collect();
        let folds = (0..n).any(|i| side(ring[i], ring[(i + 1) % n], ring[(i + 2) % n]) == 0);

        if any(cross, &pairs) && made(&ring).is_ok() {
            return Err(TestCaseError::fail("crossing ring was taken"));
        }
        if !any(meet, &apart) && !folds {
            let polygon = made(&ring);
            prop_assert!(polygon.is_ok(), "{:?}", polygon);
        }
    }
}

/// The ring and the same one the other way round: what is a left bend in one is a right bend in the other.
fn both_ways(ring: &[Whole]) -> [Result<Polygon, FlawKind>; 2] {
    let turned: Vec<Whole> = ring.iter().rev().copied().collect();
    [made(ring), made(&turned)]
}

#[test]
fn a_vertex_at_the_crossing_does_not_hide_it() {
    let bow_tie = [(0, 0), (2, 2), (4, 4), (4, 0), (2, 2), (0, 4)];
    let one_vertex_on_an_edge = [(0, 0), (6, 0), (6, 3), (3, 3), (3, 0), (3, -3), (0, -3)];
    let through_a_bend = [(0, 0), (2, 2), (4, 0), (4, 4), (2, 4), (2, 2), (2, -2), (0, -2)];
    for ring in [&bow_tie[..], &one_vertex_on_an_edge, &through_a_bend] {
        for made in both_ways(ring) {
            assert!(matches!(made, Err(FlawKind::SelfCrossing { .. })), "{ring:?}: {made:?}");
        }
    }
}

#[test]
fn a_ring_that_touches_itself_is_taken() {
    let two_lobes_at_a_vertex = [(0, 0), (2, 2), (4, 0), (4, 4), (2, 2), (0, 4)];
    let lobe_aside_of_a_bend = [(0, 0), (2, 2), (4, 0), (4, 3), (2, 2), (2, 4), (0, 4)];
    let dent_down_to_an_edge = [(0, 0), (6, 0), (6, 4), (4, 4), (3, 0), (2, 4), (0, 4)];
    let bridge_to_a_hole = [(0, 0), (9, 0), (9, 9), (0, 9), (0, 3), (3, 3), (3, 6), (6, 6), (6, 3), (3, 3), (0, 3)];
    for ring in [&two_lobes_at_a_vertex[..], &lobe_aside_of_a_bend, &dent_down_to_an_edge, &bridge_to_a_hole] {
        for made in both_ways(ring) {
            assert!(made.is_ok(), "{ring:?}: {made:?}");
        }
    }
    let bridged = made(&bridge_to_a_hole).expect("a bridge is no crossing");
    assert!(!bridged.contains(point(4.5, 4.5)) && bridged.contains(point(7.0, 4.5)));
}

#[test]
fn a_ring_drawn_twice_is_refused() {
    let twice = [(0, 0), (4, 0), (4, 4), (0, 0), (4, 0), (4, 4)];
    assert!(matches!(made(&twice), Err(FlawKind::SelfOverlap { .. })));
}

/// A circle of `n` corners, each third of them nearer the centre.
fn gear(n: usize) -> Vec<Point> {
    let corner = |i: usize| {
        let angle = std::f64::consts::TAU * i as f64 / n as f64;
        let radius = if i.is_multiple_of(3) { 0.9 } else { 1.0 };
        point(106.0 + radius * angle.cos(), 29.0 + radius * angle.sin())
    };
    (0..n).map(corner).collect()
}

#[test]
fn one_crossing_among_two_thousand_vertices_is_found_where_it_is() {
    let mut ring = gear(2000);
    assert!(Polygon::new(&ring, &[]).is_ok());
    ring.swap(1201, 1202);
    let flaw = Polygon::new(&ring, &[]).unwrap_err();
    assert!(matches!(flaw.kind, FlawKind::SelfCrossing { first: 1200, second: 1202 }), "{flaw}");
    let [lon, lat] = flaw.place.at.unwrap();
    let near = ring[1201];
    assert!((lon - near.lon).hypot(lat - near.lat) < 0.2, "{flaw}");
}

/// Long edges side by side are the worst case of a tree of boxes, because all their boxes overlap. A comb of them is
/// still a border; too many of them are refused, and not tried for minutes.
#[test]
fn the_work_for_one_ring_is_bounded() {
    let comb = |n: usize| -> Vec<Point> {
        let tooth = |i: usize| {
            let (x, up) = (i as f64 / n as f64, if i % 4 == 1 || i % 4 == 2 { 0.9 } else { 0.0 });
            point(106.0 + x + up, 29.0 + up)
        };
        // Closed below, so that only teeth lie side by side.
        (0..n).map(tooth).chain([point(107.0, 28.5), point(106.0, 28.5)]).collect()
    };
    assert!(Polygon::new(&comb(2000), &[]).is_ok());
    let flaw = Polygon::new(&comb(10_000), &[]).unwrap_err();
    assert_eq!(flaw.kind, FlawKind::TooIntricate);
    let flaw = Polygon::new(&gear(VERTICES_MAX + 3), &[]).unwrap_err();
    assert_eq!(flaw.kind, FlawKind::TooManyVertices);
    assert!(Polygon::new(&gear(VERTICES_MAX - 2), &[]).is_ok());
}
