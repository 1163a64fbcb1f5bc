//! Points in fences: this index beside geo with rstar, on the same fences and points. Prints one line of JSON for each
//! figure, and writes fences and points for the sides that are other programs (`parts/fences.py`).
//!
//! `fence_sides FOLDER NAME FENCES [TRACK]`: FENCES is a GeoJSON file or `stars:N`, TRACK a CSV of id, time, longitude,
//! latitude.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use geo::{Contains, Coord, LineString};
use outpost_fences::{Bounds, Fence, FenceSet, MultiPolygon, Point, Polygon, Shape, geojson};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

/// As many as the slower sides are asked, for which the count of hits is compared.
const N_POINTS: usize = 1_000_000;
const N_POINTS_COMPARED: usize = 200_000;
const N_POINTS_SLOW: usize = 100_000;
const ROUNDS: usize = 5;
const ROUND_S_MIN: f64 = 0.5;
/// Points of the clusters: 200 centres, each with this spread as a share of the box.
const N_CLUSTERS: usize = 200;
const CLUSTER_SHARE: f64 = 0.004;
/// Devices that walk in steps of about ten metres, one after the other.
const N_WALKERS: usize = 2_000;
const STEP_DEG: f64 = 1e-4;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, name, source, track @ ..] = &arguments[..] else {
        eprintln!("usage: fence_sides FOLDER NAME FENCES.geojson|stars:N [TRACK.csv]");
        std::process::exit(2);
    };
    let mut random = Random(7);
    let started_s = cpu_s();
    let fences = match source.strip_prefix("stars:").map(str::parse::<usize>) {
        Some(n) => stars(&mut random, n.expect("stars:N wants a number")),
        None => geojson::parse(&std::fs::read_to_string(source)?).fences,
    };
    let parsed_ms = (cpu_s() - started_s) * 1e3;
    let shapes: Vec<Shape> = fences.iter().map(|fence| fence.shape.clone()).collect();
    let n_vertices: usize =
        shapes.iter().flat_map(Shape::polygons).flat_map(Polygon::rings).map(|ring| ring.len()).sum();
    let mut build_ms = f64::INFINITY;
    let mut set = FenceSet::default();
    for _ in 0..ROUNDS {
        let fences = fences.clone();
        let started_s = cpu_s();
        set = FenceSet::new(fences);
        build_ms = build_ms.min((cpu_s() - started_s) * 1e3);
    }
    println!(
        r#"{{"set":"{name}","fences":{},"vertices":{n_vertices},"parsed_ms":{parsed_ms:.1},"build_ms":{build_ms:.1}}}"#,
        set.len()
    );

    let points = points(&mut random, &set, track.first().map(Path::new))?;
    let boxes = set.iter().enumerate().map(|(i, fence)| {
        let Bounds { west, south, east, north } = fence.bounds();
        GeomWithData::new(Rectangle::from_corners([west, south], [east, north]), i)
    });
    let tree = RTree::bulk_load(boxes.collect());
    let polygons: Vec<geo::MultiPolygon> = shapes.iter().map(to_geo).collect();
    let by_tree = |p: Point| {
        let candidates = tree.locate_in_envelope_intersecting(&AABB::from_point([p.lon, p.lat]));
        candidates.filter(|found| polygons[found.data].contains(&geo::Point::new(p.lon, p.lat))).count()
    };

    for (kind, points) in &points {
        compare(&set, &points[..N_POINTS_COMPARED.min(points.len())], kind);
        let slow = &points[..N_POINTS_SLOW.min(points.len())];
        measure(name, kind, "outpost", points, |points| points.iter().map(|p| set.containing(*p).count()).sum());
        measure(name, kind, "outpost, many at once", points, |points| {
            let mut n_hits = 0;
            set.containing_each(points, |_, _| n_hits += 1);
            n_hits
        });
        measure(name, kind, "geo + rstar", slow, |points| points.iter().map(|p| by_tree(*p)).sum());
        let bytes: Vec<u8> = slow.iter().flat_map(|p| [p.lon.to_le_bytes(), p.lat.to_le_bytes()].concat()).collect();
        std::fs::write(Path::new(folder).join(format!("{name}.{kind}.f64")), bytes)?;
    }
    let wkt: String = shapes.iter().enumerate().map(|(i, shape)| format!("{i}\t{}\n", to_wkt(shape))).collect();
    std::fs::write(Path::new(folder).join(format!("{name}.wkt")), wkt)
}

/// The index against each fence by itself.
fn compare(set: &FenceSet, points: &[Point], kind: &str) {
    let by_box: RTree<_> = RTree::bulk_load(
        set.iter()
            .map(|fence| {
                let Bounds { west, south, east, north } = fence.bounds();
                GeomWithData::new(Rectangle::from_corners([west, south], [east, north]), fence)
            })
            .collect(),
    );
    for p in points {
        let candidates = by_box.locate_in_envelope_intersecting(&AABB::from_point([p.lon, p.lat]));
        let alone: HashSet<&str> =
            candidates.filter(|found| found.data.contains(*p)).map(|found| &*found.data.id).collect();
        let together: HashSet<&str> = set.containing(*p).map(|fence: &Arc<Fence>| &*fence.id).collect();
        assert_eq!(together, alone, "index and fences differ at {p:?} ({kind})");
    }
}

fn measure(name: &str, kind: &str, side: &str, points: &[Point], count: impl Fn(&[Point]) -> usize) {
    let mut rates: Vec<f64> = Vec::new();
    let mut n_hits = 0;
    for _ in 0..ROUNDS {
        let (started_s, mut spent_s, mut n_asked) = (cpu_s(), 0.0, 0);
        // The time of a thread is only told every few milliseconds.
        while spent_s < ROUND_S_MIN {
            n_hits = count(black_box(points));
            n_asked += points.len();
            spent_s = cpu_s() - started_s;
        }
        rates.push(n_asked as f64 / spent_s / 1e6);
    }
    rates.sort_by(f64::total_cmp);
    let (least, median, most) = (rates[0], rates[ROUNDS / 2], rates[ROUNDS - 1]);
    println!(
        r#"{{"set":"{name}","points":"{kind}","side":"{side}","n":{},"hits":{n_hits},"least":{least:.3},"median":{median:.3},"most":{most:.3}}}"#,
        points.len()
    );
}

fn points(
    random: &mut Random,
    set: &FenceSet,
    track: Option<&Path>,
) -> std::io::Result<Vec<(&'static str, Vec<Point>)>> {
    let bounds = set.iter().fold(Bounds::EMPTY, |bounds, fence| bounds.union(&fence.bounds()));
    let (wide, high) = (bounds.east - bounds.west, bounds.north - bounds.south);
    let point = |lon: f64, lat: f64| Point { lon: (lon * 1e7).round() / 1e7, lat: (lat * 1e7).round() / 1e7 };
    let anywhere =
        |random: &mut Random| point(bounds.west + random.share() * wide, bounds.south + random.share() * high);
    let uniform: Vec<Point> = (0..N_POINTS).map(|_| anywhere(random)).collect();
    let fences: Vec<&Arc<Fence>> = set.iter().collect();
    let centers: Vec<Point> = (0..N_CLUSTERS)
        .map(|_| {
            let Bounds { west, south, east, north } = fences[random.below(fences.len())].bounds();
            point(f64::midpoint(west, east), f64::midpoint(south, north))
        })
        .collect();
    let clustered = (0..N_POINTS)
        .map(|_| {
            let center = centers[random.below(N_CLUSTERS)];
            let (dx, dy) = (random.normal() * CLUSTER_SHARE * wide, random.normal() * CLUSTER_SHARE * high);
            point(center.lon + dx, center.lat + dy)
        })
        .collect();
    let mut walkers = uniform[..N_WALKERS].to_vec();
    let walked = (0..N_POINTS)
        .map(|i| {
            let walker = &mut walkers[i % N_WALKERS];
            *walker = point(walker.lon + random.normal() * STEP_DEG, walker.lat + random.normal() * STEP_DEG);
            *walker
        })
        .collect();
    let mut all = vec![("uniform", uniform), ("clustered", clustered), ("walkers", walked)];
    if let Some(track) = track {
        let text = std::fs::read_to_string(track)?;
        let fix = |line: &str| {
            let mut fields = line.split(',').skip(2).map(str::parse);
            Point::new(fields.next()?.ok()?, fields.next()?.ok()?)
        };
        let fixes: Vec<Point> = text.lines().filter_map(fix).collect();
        all.push(("track", fixes.iter().copied().cycle().take(N_POINTS).collect()));
    }
    Ok(all)
}

/// Stars of 10 to 500 corners, most of them of few, that cover their ground about once.
fn stars(random: &mut Random, n: usize) -> Vec<Fence> {
    let radius = (100.0 / (n as f64 * std::f64::consts::PI)).sqrt();
    let mut star = |i: usize| {
        let (lon, lat) = (100.0 + 10.0 * random.share(), 20.0 + 10.0 * random.share());
        let n_corners = (10.0 * 50f64.powf(random.share())) as usize;
        let size = radius * (0.5 + random.share());
        let corner = |k: usize| {
            let angle = k as f64 / n_corners as f64 * std::f64::consts::TAU;
            let far = size * (0.5 + 0.5 * random.share());
            Point { lon: lon + far * angle.cos(), lat: lat + far * angle.sin() }
        };
        let corners: Vec<Point> = (0..n_corners).map(corner).collect();
        let polygon = Polygon::new(&corners, &[]).expect("a star does not cross itself");
        Fence {
            id: Arc::from(i.to_string()),
            name: String::new(),
            shape: Shape::MultiPolygon(MultiPolygon::new(vec![polygon])),
        }
    };
    (0..n).map(&mut star).collect()
}

fn to_geo(shape: &Shape) -> geo::MultiPolygon {
    let polygon = |part: &Polygon| {
        let mut rings = part.rings().map(|ring| ring.map(|p| Coord { x: p.lon, y: p.lat }).collect::<LineString>());
        let shell = rings.next().expect("a polygon has a shell");
        geo::Polygon::new(shell, rings.collect())
    };
    geo::MultiPolygon::new(shape.polygons().iter().map(polygon).collect())
}

fn to_wkt(shape: &Shape) -> String {
    let mut text = String::from("MULTIPOLYGON (");
    for (i, part) in shape.polygons().iter().enumerate() {
        text.push_str(if i == 0 { "(" } else { ", (" });
        for (j, ring) in part.rings().enumerate() {
            text.push_str(if j == 0 { "(" } else { ", (" });
            let points: Vec<Point> = ring.collect();
            for (k, p) in points.iter().chain(points.first()).enumerate() {
                let comma = if k == 0 { "" } else { ", " };
                write!(text, "{comma}{} {}", p.lon, p.lat).expect("writing to a string does not fail");
            }
            text.push(')');
        }
        text.push(')');
    }
    text.push(')');
    text
}

/// Time of this thread on a processor: what else the machine does matters less to it.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells of each thread's time");
    let ns = stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("which is a number");
    ns / 1e9
}

/// Linear congruential, the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn share(&mut self) -> f64 {
        self.next() as f64 / (1u64 << 31) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.share().max(1e-12).ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos()
    }
}
