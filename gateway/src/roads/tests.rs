//! Claims about ways, held to an oracle that works otherwise: distances that are corrected until nothing changes any more.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use outpost_fences::Point;
use proptest::prelude::*;

use super::*;

/// Metres of one degree at the equator, where the small graphs are.
const DEGREE_M: f64 = 111_195.0;

const KMH: f64 = 36.0;

fn point(east_m: f64, north_m: f64) -> Point {
    Point::new(east_m / DEGREE_M, north_m / DEGREE_M).unwrap()
}

/// Nodes by number, edges with metres and, where there is one, a limit.
fn graph(nodes: &[Point], edges: &[(usize, usize, f64, Option<f64>)]) -> Roads {
    let nodes: String = nodes.iter().enumerate().map(|(id, p)| format!("{id},{},{}\n", p.lon, p.lat)).collect();
    let limit = |limit: &Option<f64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
    let edges: String = edges.iter().map(|(a, b, m, kmh)| format!("{a},{b},{m},{}\n", limit(kmh))).collect();
    let edges = format!("from,to,length_m,maxspeed\n{edges}");
    Roads::parse(&format!("id,lon,lat\n{nodes}"), &edges, KMH, 300.0).unwrap()
}

fn way(roads: &Roads, from: Point, to: Point) -> Option<(u64, f64)> {
    let way = roads.to(to, &[from])?.from(from)?;
    Some((way.ms, way.metres))
}

#[test]
fn a_street_of_one_way_has_to_be_driven_around() {
    // A square of a kilometre, driven around one way only.
    let nodes = [point(0.0, 0.0), point(1_000.0, 0.0), point(1_000.0, 1_000.0), point(0.0, 1_000.0)];
    let edges = [(0, 1, 1_000.0, None), (1, 2, 1_000.0, None), (2, 3, 1_000.0, None), (3, 0, 1_000.0, None)];
    let roads = graph(&nodes, &edges);
    // 36 km/h are 10 m/s.
    assert_eq!(way(&roads, nodes[0], nodes[1]), Some((100_000, 1_000.0)));
    assert_eq!(way(&roads, nodes[1], nodes[0]), Some((300_000, 3_000.0)));
    let (early, late) = (point(200.0, 0.0), point(700.0, 0.0));
    let along = way(&roads, early, late).unwrap();
    assert!((along.1 - 500.0).abs() < 1.0, "{along:?}: along the same road");
    let around = way(&roads, late, early).unwrap();
    assert!((around.1 - 3_500.0).abs() < 1.0, "{around:?}: not against it");
}

#[test]
fn both_ways_of_a_street_are_taken_and_from_beside_it_people_walk() {
    let nodes = [point(0.0, 0.0), point(1_000.0, 0.0)];
    let roads = graph(&nodes, &[(0, 1, 1_000.0, None), (1, 0, 1_000.0, None)]);
    let (ms, metres) = way(&roads, point(900.0, 100.0), point(100.0, 0.0)).unwrap();
    // 800 m at 10 m/s, and 100 m on foot at 5 km/h.
    assert!((metres - 900.0).abs() < 1.0 && ms.abs_diff(80_000 + 72_000) < 500, "{ms} ms, {metres} m");
    assert_eq!(way(&roads, point(900.0, 301.0), point(100.0, 0.0)), None, "beyond reach");
    assert_eq!(way(&roads, point(100.0, 0.0), point(900.0, 301.0)), None);
}

#[test]
fn limits_decide_between_a_short_way_and_a_quick_one() {
    let nodes = [point(0.0, 0.0), point(500.0, 800.0), point(1_000.0, 0.0)];
    let edges =
        [(0, 2, 1_000.0, Some(10.0)), (0, 1, 1_000.0, Some(60.0)), (1, 2, 1_000.0, Some(60.0)), (2, 1, 9.0, None)];
    let roads = graph(&nodes, &edges);
    assert_eq!(way(&roads, nodes[0], nodes[2]), Some((120_000, 2_000.0)));
}

#[test]
fn what_is_wrong_with_a_table_is_told_with_its_line() {
    let nodes = "id,lon,lat\n1,106.0,29.8\n2,106.01,29.8\n";
    let told = |nodes: &str, edges: &str| {
        Roads::parse(nodes, &format!("from,to,length_m\n{edges}"), KMH, 300.0).unwrap_err().to_string()
    };
    assert_eq!(told(nodes, "1,2,970\n1,3,1\n"), "edges: line 3: there is no node 3");
    assert!(told(nodes, "1,2,-4\n").starts_with("edges: line 2: a length of -4 m"));
    assert!(told(nodes, "1,2,short\n").contains("line: 2"), "{}", told(nodes, "1,2,short\n"));
    assert_eq!(told("id,lon,lat\n1,29.8,106.0\n", ""), "nodes: line 2: 29.8,106 is no longitude and latitude");
    assert_eq!(told("id,lon,lat\n1,0,0\n1,0,0\n", ""), "nodes: line 3: node 1 is there twice");
    assert_eq!(told(nodes, ""), "there is no road in it");
    assert!(told("id,lon\n1,2\n", "").contains("lat"));
}

/// Costs from every node to one, corrected until nothing changes (Bellman, Ford).
fn corrected(n_nodes: usize, edges: &[(usize, usize, f64)], end: usize) -> Vec<f64> {
    let mut costs = vec![f64::INFINITY; n_nodes];
    let mut into: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n_nodes];
    edges.iter().for_each(|(from, to, cost)| into[*to].push((*from, *cost)));
    costs[end] = 0.0;
    let mut waiting = VecDeque::from([end]);
    while let Some(node) = waiting.pop_front() {
        for (from, cost) in &into[node] {
            if costs[node] + cost < costs[*from] {
                costs[*from] = costs[node] + cost;
                waiting.push_back(*from);
            }
        }
    }
    costs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn ways_between_nodes_are_the_quickest(
        jitters in prop::collection::vec((0.0f64..200.0, 0.0f64..200.0), 16),
        edges in prop::collection::vec((0usize..16, 0usize..16, 1.0f64..5_000.0, prop::option::of(10.0f64..90.0)), 1..60),
        from in 0usize..16,
        to in 0usize..16,
    ) {
        let nodes: Vec<Point> = jitters
            .iter()
            .enumerate()
            .map(|(n, (x, y))| point((n % 4) as f64 * 1_000.0 + x, (n / 4) as f64 * 1_000.0 + y))
            .collect();
        let edges: Vec<_> = edges.into_iter().filter(|(from, to, ..)| from != to).collect();
        prop_assume!(!edges.is_empty());
        let roads = graph(&nodes, &edges);
        let timed: Vec<_> = edges.iter().map(|(a, b, m, kmh)| (*a, *b, m * 3_600.0 / kmh.unwrap_or(KMH))).collect();
        let wanted = corrected(nodes.len(), &timed, to)[from];
        let is_on_road = |node: usize| edges.iter().any(|(a, b, ..)| *a == node || *b == node);
        prop_assume!(is_on_road(from) && is_on_road(to));
        match way(&roads, nodes[from], nodes[to]) {
            Some((ms, _)) => prop_assert!((ms as f64 - wanted).abs() < 60.0, "{ms} ms, not {wanted}"),
            None => prop_assert!(wanted.is_infinite(), "no way, and there is one of {wanted} ms"),
        }
    }
}

fn sample() -> Option<[String; 2]> {
    let data = std::env::var_os("OUTPOST_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data")).join("geo");
    let read = |name: &str| {
        let packed = std::fs::read(data.join(name)).ok()?;
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed[..]), &mut text).ok()?;
        Some(text)
    };
    let found = read("road-shenzhen-osm-nodes.csv.gz").zip(read("road-shenzhen-osm-edges.csv.gz"));
    if found.is_none() {
        eprintln!("{} has no road sample: the nearest on real roads are not counted", data.display());
    }
    found.map(|(nodes, edges)| [nodes, edges])
}

/// A small generator of our own, so that every run asks the same: Knuth's constants.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

#[test]
fn on_real_roads_the_nearest_is_never_wrong_where_the_straight_line_often_is() {
    let Some([nodes, edges]) = sample() else { return };
    let split = |text: &str| -> Vec<Vec<String>> {
        text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
    };
    let rows = split(&nodes);
    let points: Vec<Point> =
        rows.iter().map(|row| Point::new(row[1].parse().unwrap(), row[2].parse().unwrap()).unwrap()).collect();
    let number: std::collections::HashMap<&str, usize> =
        rows.iter().enumerate().map(|(n, row)| (row[0].as_str(), n)).collect();
    let plain: Vec<(usize, usize, f64)> = split(&edges)
        .iter()
        .map(|row| (number[row[0].as_str()], number[row[1].as_str()], row[2].parse().unwrap()))
        .collect();
    // All roads alike, so that the quickest is the nearest.
    let roads = Roads::parse(&nodes, &edges.replace("maxspeed", "posted"), KMH, 300.0).unwrap();
    assert_eq!((roads.n_nodes(), roads.n_edges()), (1_751, 4_009));
    let mut dice = Dice(7);
    let (mut n, mut n_straight_wrong, mut n_wrong) = (0, 0, 0);
    while n < 300 {
        let end = dice.below(points.len());
        let units: Vec<usize> = (0..8).map(|_| dice.below(points.len())).collect();
        let metres = corrected(points.len(), &plain, end);
        let nearest = units.iter().map(|unit| metres[*unit]).fold(f64::INFINITY, f64::min);
        if nearest.is_infinite() {
            continue;
        }
        n += 1;
        let straight = units
            .iter()
            .min_by(|a, b| points[**a].distance_m(points[end]).total_cmp(&points[**b].distance_m(points[end])));
        n_straight_wrong += usize::from(metres[*straight.unwrap()] > nearest + 1.0);
        let from: Vec<Point> = units.iter().map(|unit| points[*unit]).collect();
        let ways = roads.to(points[end], &from).unwrap();
        let ours = units.iter().filter_map(|unit| Some((ways.from(points[*unit])?.ms, *unit))).min().unwrap().1;
        n_wrong += usize::from(metres[ours] > nearest + 1.0);
    }
    println!("of {n} the straight line is wrong in {n_straight_wrong}, the road in {n_wrong}");
    assert_eq!(n_wrong, 0);
    assert!((60..=135).contains(&n_straight_wrong), "{n_straight_wrong} of 300: other roads than those measured");
}
