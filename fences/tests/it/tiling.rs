//! In a tiling every point has one owner: in cells, on edges and at vertices.

use std::collections::BTreeMap;
use std::path::Path;

use outpost_fences::{FenceSet, Point, Shape, geojson};
use proptest::prelude::*;

use crate::shapes::{fence, point, polygon};

type Corner = (f64, f64);

fn set(tiles: &[Vec<Corner>]) -> FenceSet {
    let tile = |(i, ring): (usize, &Vec<Corner>)| fence(&format!("tile-{i}"), Shape::Polygon(polygon(ring, &[])));
    FenceSet::new(tiles.iter().enumerate().map(tile).collect())
}

/// Owners by a plain scan and by the index, which must agree.
fn n_owners(set: &FenceSet, p: Point) -> usize {
    let scanned = set.iter().filter(|fence| fence.contains(p)).count();
    assert_eq!(set.containing(p).count(), scanned, "index and scan differ at {p:?}");
    scanned
}

/// Vertices, and points on and beside edges: rounding puts some exactly on an edge and others a hair off it.
fn border_points(tiles: &[Vec<Corner>], shares: &[f64]) -> Vec<Point> {
    let mut points = Vec::new();
    for ring in tiles {
        for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            points.push(point(a.0, a.1));
            points.extend(shares.iter().map(|t| point(a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t)));
        }
    }
    points
}

/// A rectangle cut in two again and again, lengthwise or across, so that sides meet other sides in T-junctions.
fn cut_rectangles() -> impl Strategy<Value = Vec<Vec<Corner>>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 0.1..0.9f64), 1..40).prop_map(|cuts| {
        let mut rectangles = vec![(105.7, 29.3, 106.3, 30.1)];
        for (which, is_upright, share) in cuts {
            let (w, s, e, n) = rectangles.swap_remove(which.index(rectangles.len()));
            if is_upright {
                let x = w + (e - w) * share;
                rectangles.extend([(w, s, x, n), (x, s, e, n)]);
            } else {
                let y = s + (n - s) * share;
                rectangles.extend([(w, s, e, y), (w, y, e, n)]);
            }
        }
        rectangles.into_iter().map(|(w, s, e, n)| vec![(w, s), (e, s), (e, n), (w, n)]).collect()
    })
}

/// A lattice whose inner vertices are moved, each cell whole or cut into two triangles: edges of every slope.
fn moved_lattice() -> impl Strategy<Value = Vec<Vec<Corner>>> {
    const N: usize = 7;
    let vertex = (-0.3..0.3f64, -0.3..0.3f64);
    let moves = prop_oneof![
        prop::collection::vec(vertex, N * N),
        // Whole numbers give level, upright and exactly diagonal edges.
        Just(vec![(0.0, 0.0); N * N]),
    ];
    (moves, prop::collection::vec(0..3u8, N * N)).prop_map(|(moves, cuts)| {
        let vertex = |i: usize, j: usize| {
            let is_inner = i > 0 && j > 0 && i < N - 1 && j < N - 1;
            let (dx, dy) = if is_inner { moves[i * N + j] } else { (0.0, 0.0) };
            (105.0 + (i as f64 + dx) * 0.125, 29.0 + (j as f64 + dy) * 0.125)
        };
        let mut tiles = Vec::new();
        for i in 0..N - 1 {
            for j in 0..N - 1 {
                let [a, b, c, d] = [vertex(i, j), vertex(i + 1, j), vertex(i + 1, j + 1), vertex(i, j + 1)];
                match cuts[i * N + j] {
                    0 => tiles.push(vec![a, b, c, d]),
                    // The diagonal of a dented cell may lie outside it: only whole-number cells are sure to be convex.
                    1 if is_convex([a, b, c, d]) => tiles.extend([vec![a, b, c], vec![c, d, a]]),
                    2 if is_convex([a, b, c, d]) => tiles.extend([vec![b, c, d], vec![d, a, b]]),
                    _ => tiles.push(vec![d, c, b, a]),
                }
            }
        }
        tiles
    })
}

fn is_convex(ring: [Corner; 4]) -> bool {
    (0..4).all(|i| {
        let [a, b, c] = [ring[i], ring[(i + 1) % 4], ring[(i + 2) % 4]];
        (b.0 - a.0) * (c.1 - b.1) - (b.1 - a.1) * (c.0 - b.0) > 1e-6
    })
}

fn check(tiles: &[Vec<Corner>], shares: &[f64], inner: &[Corner]) -> Result<(), TestCaseError> {
    let set = set(tiles);
    let corners = || tiles.iter().flatten();
    let least = |of: fn(&Corner) -> f64| corners().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(&Corner) -> f64| corners().map(of).fold(f64::NEG_INFINITY, f64::max);
    let (west, east, south, north) = (least(|c| c.0), most(|c| c.0), least(|c| c.1), most(|c| c.1));

    let inner = inner.iter().map(|(x, y)| point(west + (east - west) * x, south + (north - south) * y));
    for p in border_points(tiles, shares).into_iter().chain(inner) {
        // The half-open rule holds for the tiling as a whole: its upper and right borders are its neighbours'.
        let is_in = p.lon >= west && p.lon < east && p.lat >= south && p.lat < north;
        prop_assert_eq!(n_owners(&set, p), usize::from(is_in), "{:?}", p);
        prop_assert!(!is_in || set.owner(p).map(|fence| &fence.id) == set.containing(p).next().map(|fence| &fence.id));
    }
    // Its corners, those of the upper and the right side too, have an owner; what is a hair farther has none.
    for (lon, lat) in corners() {
        prop_assert!(set.owner(point(*lon, *lat)).is_some(), "{} {}", lon, lat);
        prop_assert!(*lon < east || set.owner(point(lon.next_up(), *lat)).is_none());
        prop_assert!(*lat < north || set.owner(point(*lon, lat.next_up())).is_none());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn each_point_of_a_lattice_has_one_owner(
        tiles in moved_lattice(),
        shares in prop::collection::vec(0.0..1.0f64, 3),
        inner in prop::collection::vec((0.0..1.0f64, 0.0..1.0f64), 100),
    ) {
        check(&tiles, &[&shares[..], &[0.5]].concat(), &inner)?;
    }

    #[test]
    fn each_point_of_cut_rectangles_has_one_owner(
        tiles in cut_rectangles(),
        shares in prop::collection::vec(0.0..1.0f64, 3),
        inner in prop::collection::vec((0.0..1.0f64, 0.0..1.0f64), 100),
    ) {
        check(&tiles, &[&shares[..], &[0.5]].concat(), &inner)?;
    }
}

/// The 131 grids beside the repository: a tiling of a real district's outline. Strictly inside a grid is none of its
/// vertices; within its closed border some are of two or three.
#[test]
fn each_vertex_of_the_grids_has_one_owner() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/geo/tongliang-131-grids-SYNTHETIC-wgs84.geojson");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("SKIPPED: there is no {}", file.display());
        return;
    };
    let set = FenceSet::new(geojson::parse(&text).fences);
    assert_eq!(set.len(), 131);
    let mut vertices: BTreeMap<(u64, u64), Point> = BTreeMap::new();
    for p in set.iter().flat_map(|fence| fence.shape.polygons()).flat_map(|polygon| polygon.rings().flatten()) {
        vertices.insert((p.lon.to_bits(), p.lat.to_bits()), p);
    }
    assert_eq!(vertices.len(), 2_168);
    let (mut n_strict, mut n_closed_more, mut n_half_open, mut n_owned) = (0, 0, 0, 0);
    for p in vertices.into_values() {
        let is_on_border = |fence: &outpost_fences::Fence| fence.distance_to_border_m(p) < 1e-6;
        let n_contain = n_owners(&set, p);
        n_strict += set.iter().filter(|fence| fence.contains(p) && !is_on_border(fence)).count();
        n_closed_more += usize::from(set.iter().filter(|fence| fence.contains(p) || is_on_border(fence)).count() > 1);
        assert!(n_contain <= 1, "{p:?} is in {n_contain} grids");
        n_half_open += n_contain;
        n_owned += usize::from(set.owner(p).is_some());
        assert!(set.owner(p).is_none_or(|owner| owner.contains(p) || is_on_border(owner)));
    }
    assert_eq!((n_strict, n_closed_more, n_owned), (0, 260, 2_168));
    // The others are on the upper and right sides of the district, whose neighbours would contain them.
    assert_eq!(n_half_open, 1_206);
}
