//! Measures the index against a plain scan of all fences, and checks that they agree: `cargo run --release -p
//! outpost-fences --example measure_index -- FILE.geojson [TRACK.csv]`. The track has the columns id, time, longitude,
//! latitude and is repeated; without it points are spread over the fences' box.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use outpost_fences::{Bounds, Fence, FenceSet, Point, geojson};

const N_POINTS: usize = 2_000_000;
const N_POINTS_SCANNED: usize = 200_000;
const ROUNDS: usize = 5;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap_or_else(|| "-".to_owned());
    let text = if file == "-" { std::io::read_to_string(std::io::stdin())? } else { std::fs::read_to_string(&file)? };
    let track = arguments.next().map(std::fs::read_to_string).transpose()?;

    let started = Instant::now();
    let fences = geojson::parse(&text).fences;
    let parse_ms = started.elapsed().as_secs_f64() * 1e3;
    let started = Instant::now();
    let set = FenceSet::new(fences);
    let build_ms = started.elapsed().as_secs_f64() * 1e3;
    println!("{file}: {} fences, parsed and checked in {parse_ms:.1} ms, indexed in {build_ms:.1} ms", set.len());

    let points = track.map_or_else(|| spread(&set), |track| read_track(&track));
    let scan = |p: Point| set.iter().filter(|fence| fence.contains(p)).count();
    for p in &points[..N_POINTS_SCANNED] {
        let scanned: Vec<&Arc<Fence>> = set.iter().filter(|fence| fence.contains(*p)).collect();
        assert!(set.containing(*p).eq(scanned), "index and scan differ at {p:?}");
    }
    println!("{N_POINTS_SCANNED} points: index and scan agree");
    measure("index", &points, |p| set.containing(p).count());
    measure("scan ", &points[..N_POINTS_SCANNED], scan);
    Ok(())
}

fn measure(name: &str, points: &[Point], ask: impl Fn(Point) -> usize) {
    let mut best_s = f64::INFINITY;
    let mut n_hits = 0;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        n_hits = points.iter().map(|p| ask(black_box(*p))).sum();
        best_s = best_s.min(started.elapsed().as_secs_f64());
    }
    let rate = points.len() as f64 / best_s / 1e6;
    println!("{name}: {rate:.2} M points/s, best of {ROUNDS} rounds of {} points, {n_hits} hits", points.len());
}

/// Points all over the box, the same ones each time (Weyl sequences).
fn spread(set: &FenceSet) -> Vec<Point> {
    let bounds = set.iter().fold(Bounds::EMPTY, |bounds, fence| bounds.union(&fence.bounds()));
    let at = |i: usize| {
        let (x, y) = ((i as f64 * 0.754_877_666_246_693).fract(), (i as f64 * 0.569_840_290_998_053).fract());
        Point {
            lon: bounds.west + (bounds.east - bounds.west) * x,
            lat: bounds.south + (bounds.north - bounds.south) * y,
        }
    };
    (0..N_POINTS).map(at).collect()
}

fn read_track(csv: &str) -> Vec<Point> {
    let fix = |line: &str| {
        let mut fields = line.split(',').skip(2).map(str::parse);
        match (fields.next(), fields.next()) {
            (Some(Ok(lon)), Some(Ok(lat))) => Point::new(lon, lat),
            _ => None,
        }
    };
    let fixes: Vec<Point> = csv.lines().filter_map(fix).collect();
    assert!(!fixes.is_empty(), "the track has no fixes");
    fixes.iter().copied().cycle().take(N_POINTS).collect()
}
